//! Mutated tokens, most of them signed after the mutation: every accepted token is also
//! accepted by an independent implementation of the rules, written below with serde_json.
//!
//! `CLAIMGATE_MUTATIONS=10000000 cargo test --release --test mutated_tokens` tests ten million
//! tokens; the default is fifty thousand. RSA is replaced by a hash of the signing input, so
//! that signatures cost little.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]

mod support;

use std::collections::BTreeSet;
use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::error::{InvalidSignature, KeyRejected};
use claimgate::jwk::{Algorithms, KeyMaterial};
use claimgate::{
    AccessToken, AccessTokenPolicy, Algorithm, BearerToken, IdToken, IdTokenPolicy, Issuer, JwkSet,
    Login, Nonce, PublicKey, ScopePolicy, TokenBuffer,
};
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use support::{API, CLIENT_ID, EXP, IAT, ISSUER, NOW, access_claims, id_claims, jwks, with};

const MUTATIONS: u64 = 50_000;

/// A signature is 256 octets that begin with a hash of the message.
struct Checksum;

impl PublicKey for Checksum {
    const ALGORITHMS: Algorithms = Algorithms::RS256;

    fn new(_: Algorithm, _: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
        Ok(Self)
    }

    fn verify(&self, signing_input: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        if signature == sign(signing_input) { Ok(()) } else { Err(InvalidSignature) }
    }

    fn sha256(_: &[&[u8]]) -> [u8; 32] {
        [0; 32]
    }
}

/// FNV-1a of the signing input, and zeros.
fn sign(signing_input: &[u8]) -> [u8; 256] {
    let hash = signing_input.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut signature = [0; 256];
    signature[..8].copy_from_slice(&hash.to_be_bytes());
    signature
}

/// A small generator of pseudorandom numbers (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % limit.max(1)
    }

    fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.below(from.len())]
    }
}

/// Pieces of text that are significant to a token parser.
const PIECES: &[&str] = &[
    "\"",
    "\\",
    "\\u0061",
    "\\u0000",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    " ",
    "null",
    "true",
    "0",
    "-1",
    "1e9",
    "1311281470",
    "\"aud\":",
    "\"\\u0061ud\":",
    "\"exp\":",
    "\"nonce\":\"n\",",
    "\"iss\":",
    "\"scope\":\"read:patients\",",
    "\"typ\":\"ID\",",
    "\"cnf\":{},",
    "\"azp\":\"my_client_id\",",
    "https://example.com/health-api",
    "my_client_id",
    "[\"my_client_id\"]",
    "RS256",
    "none",
    "\"alg\":\"RS256\",",
    "\"crit\":[],",
    "\"kid\":\"key-a\",",
    "\u{f6}",
    "\0",
    "\n",
];

/// Makes a few changes to a text.
fn mutate(text: &str, random: &mut Random) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len());
        match random.below(7) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, u8::try_from(random.below(256)).unwrap()),
            3 => {
                let piece = random.pick(PIECES).bytes();
                bytes.splice(at..at, piece);
            }
            4 => {
                let end = (at + random.below(24)).min(bytes.len());
                bytes.drain(at..end);
            }
            5 => {
                let end = (at + random.below(24)).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, copy);
            }
            _ => {
                let end = (at + random.below(12)).min(bytes.len());
                let piece = random.pick(PIECES).bytes();
                bytes.splice(at..end, piece);
            }
        }
        if bytes.is_empty() {
            bytes.push(b'{');
        }
    }
    bytes
}

/// The members that the rules below read.
const READ: &[&str] = &[
    "alg",
    "kid",
    "typ",
    "crit",
    "b64",
    "zip",
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "nonce",
    "at_hash",
    "c_hash",
    "s_hash",
    "events",
    "cnf",
    "token_use",
    "azp",
    "scope",
    "scp",
    "permissions",
    "gty",
];

/// Returns the members of an object that are read, parsed by serde_json, unless names are
/// duplicated. The others must only be valid JSON: `1e999` is, although serde_json cannot
/// represent it.
struct Members(Value);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Collect)
    }
}

struct Collect;

impl<'de> Visitor<'de> for Collect {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let (mut members, mut names) = (json!({}), BTreeSet::new());
        while let Some(name) = map.next_key::<String>()? {
            if READ.contains(&name.as_str()) {
                members[&name] = map.next_value()?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
            if !names.insert(name) {
                return Err(A::Error::custom("a name twice"));
            }
        }
        Ok(Members(members))
    }
}

fn object(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice(bytes).ok().map(|Members(members)| members)
}

/// The rules for both kinds of token, as briefly as possible.
fn is_signed_and_current(token: &str) -> Option<(Value, Value)> {
    let segments: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = segments[..] else { return None };
    let decode = |segment: &str| Base64UrlUnpadded::decode_vec(segment).ok();
    let input = format!("{header}.{payload}");
    let (header, payload) = (object(&decode(header)?)?, object(&decode(payload)?)?);
    let is_signed = decode(signature)? == sign(input.as_bytes());
    let is_rs256 = header["alg"] == "RS256"
        && header.get("kid").is_none_or(|kid| kid == "key-a")
        && ["crit", "b64", "zip"].iter().all(|name| header.get(name).is_none());
    let (now, leeway) = (NOW.as_secs() as f64, 60.0);
    let time = |name: &str| payload.get(name).map(|time| time.as_f64().unwrap_or(f64::NAN));
    let is_current = time("exp").is_some_and(|exp| now < exp + leeway)
        && time("nbf").is_none_or(|nbf| nbf <= now + leeway)
        && time("iat").is_none_or(|iat| iat <= now + leeway);
    let is_named =
        payload["iss"] == ISSUER && payload["sub"].as_str().is_some_and(|s| !s.is_empty());
    (is_signed && is_rs256 && is_current && is_named).then_some((header, payload))
}

fn audiences(payload: &Value) -> Vec<&str> {
    match &payload["aud"] {
        Value::String(audience) => vec![audience],
        Value::Array(audiences) => audiences.iter().map(|a| a.as_str().unwrap_or("?")).collect(),
        _ => vec![],
    }
}

fn typ_is(header: &Value, types: &[&str]) -> bool {
    header.get("typ").is_none_or(|typ| {
        typ.as_str().is_some_and(|typ| {
            let typ = typ.to_ascii_lowercase();
            types.contains(&typ.strip_prefix("application/").unwrap_or(&typ))
        })
    })
}

fn has_none(payload: &Value, names: &[&str]) -> bool {
    names.iter().all(|name| payload.get(name).is_none())
}

/// The rules of the API's policy.
fn opens_the_api(token: &str) -> bool {
    let Some((header, payload)) = is_signed_and_current(token) else { return false };
    let scope = match (&payload["scope"], &payload["scp"]) {
        (Value::String(scope), Value::Null) | (Value::Null, Value::String(scope)) => {
            scope.split(' ').map(str::to_owned).collect()
        }
        (Value::Array(scope), Value::Null) | (Value::Null, Value::Array(scope)) => {
            scope.iter().filter_map(|token| Some(token.as_str()?.to_owned())).collect()
        }
        _ => vec![],
    };
    audiences(&payload).contains(&API)
        && scope.iter().any(|token| token == "read:patients")
        && typ_is(&header, &["jwt", "at+jwt"])
        && has_none(&payload, &["nonce", "at_hash", "c_hash", "s_hash", "events", "cnf"])
        && payload.get("token_use").is_none_or(|token_use| token_use == "access")
        && payload.get("typ").is_none_or(|typ| typ == "Bearer" || typ == "DPoP")
}

/// The rules of the application's policy.
fn logs_in(token: &str) -> bool {
    let Some((header, payload)) = is_signed_and_current(token) else { return false };
    let audiences = audiences(&payload);
    !audiences.is_empty()
        && audiences.iter().all(|audience| *audience == CLIENT_ID)
        && payload.get("azp").map_or(audiences.len() == 1, |azp| azp == CLIENT_ID)
        && payload.get("iat").is_some()
        && payload["nonce"] == "n"
        && typ_is(&header, &["jwt"])
        && has_none(&payload, &["scope", "scp", "permissions", "gty", "events"])
        && payload.get("token_use").is_none_or(|token_use| token_use == "id")
        && payload.get("typ").is_none_or(|typ| typ == "ID")
}

#[test]
fn nothing_is_accepted_that_an_independent_check_does_not_confirm() {
    let mutations = match std::env::var("CLAIMGATE_MUTATIONS") {
        Ok(count) => count.parse().unwrap(),
        Err(_) => MUTATIONS,
    };
    let n = Base64UrlUnpadded::encode_string(&[0xff; 256]);
    let set = jwks(&[json!({"kty": "RSA", "n": n, "e": "AQAB", "kid": "key-a"})]);
    let keys = JwkSet::<Checksum, 1>::from_json(&set).unwrap();
    let issuer = Issuer::new(ISSUER, keys).unwrap();
    let needed = ScopePolicy::all_of(&["read:patients"]).unwrap();
    let api = AccessTokenPolicy::general(API).require_scope(needed).build().unwrap();
    let login = IdTokenPolicy::new(CLIENT_ID).build().unwrap();
    let expected = Login::new(Nonce::Expect("n")).build().unwrap();

    let both = with(with(access_claims(), "aud", json!([API, CLIENT_ID])), "nonce", "n");
    let payloads = [
        access_claims().to_string(),
        with(id_claims(), "nonce", "n").to_string(),
        both.to_string(),
        format!(
            r#"{{ "iss" : "https:\/\/my-domain.auth0.com\/", "sub":"\u0073", "aud":["{API}"],
            "exp":{EXP}.5, "iat":{IAT}, "nbf":1.31e9, "scp":["read:patients"] }}"#
        ),
    ];
    let headers = [
        r#"{"alg":"RS256","typ":"JWT","kid":"key-a"}"#,
        r#"{"alg":"RS256","typ":"at+jwt"}"#,
        r#"{"\u0061lg":"RS256","kid":"key\u002da"}"#,
    ];
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut buffer = TokenBuffer::<16_384>::new();
    let (mut opened, mut logged_in) = (0_u64, 0_u64);
    for number in 0..mutations {
        let (header, payload) = (random.pick(&headers), random.pick(&payloads));
        let header = match random.below(3) {
            0 => mutate(header, &mut random),
            _ => header.as_bytes().to_vec(),
        };
        let payload = match random.below(8) {
            0 => payload.as_bytes().to_vec(),
            _ => mutate(payload, &mut random),
        };
        let input = format!(
            "{}.{}",
            Base64UrlUnpadded::encode_string(&header),
            Base64UrlUnpadded::encode_string(&payload)
        );
        let signature = Base64UrlUnpadded::encode_string(&sign(input.as_bytes()));
        let mut token = format!("{input}.{signature}");
        // One in sixteen is changed after it was signed.
        if random.below(16) == 0 {
            token = String::from_utf8_lossy(&mutate(&token, &mut random)).into_owned();
        }
        let (bearer, trust) = (BearerToken::new(&token), (&issuer, &api));
        let is_open = AccessToken::validate(bearer, trust, NOW, &mut buffer).is_ok();
        let trust = (&issuer, &login);
        let is_in = IdToken::validate(&token, trust, expected, NOW, &mut buffer).is_ok();
        assert!(!is_open || opens_the_api(&token), "number {number}: {token}");
        assert!(!is_in || logs_in(&token), "number {number}: {token}");
        assert!(!(is_open && is_in), "number {number}: {token}");
        opened += u64::from(is_open);
        logged_in += u64::from(is_in);
    }
    println!("{mutations} mutated tokens: {opened} opened the API, {logged_in} logged in");
    // The check is meaningless if no token is accepted.
    assert!(opened > mutations / 200 && logged_in > mutations / 200, "{opened} {logged_in}");
}
