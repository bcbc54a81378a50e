//! Mutated tokens of four kinds and nine algorithms, most of them signed after the mutation.
//! An independent implementation of the rules, in `mutated_tokens/`, has the same verdict on
//! each, and none is accepted as two kinds.
//!
//! `CLAIMGATE_MUTATIONS=10000000 cargo test --release --test mutated_tokens` tests ten million
//! tokens; the default is fifty thousand. Signatures are replaced by a checksum of key and
//! message, so that they cost little.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]

mod support;

#[path = "mutated_tokens/checksum.rs"]
mod checksum;
#[path = "mutated_tokens/json.rs"]
mod json;
#[path = "mutated_tokens/key.rs"]
mod key;
#[path = "mutated_tokens/mutate.rs"]
mod mutate;
#[path = "mutated_tokens/reading.rs"]
mod reading;
#[path = "support/signers.rs"]
mod signers;
#[path = "mutated_tokens/templates.rs"]
mod templates;

use base64ct::{Base64UrlUnpadded, Encoding};
use checksum::{Checksum, IssuerKey, Signer, issuer_keys};
use claimgate::bearer::DpopToken;
use claimgate::dpop::DpopRequest;
use claimgate::policy::{DpopPolicy, LogoutTokenPolicy};
use claimgate::replay::{ReplayWindow, TokenId};
use claimgate::{
    AccessToken, AccessTokenPolicy, Algorithm, BearerToken, DpopProof, Error, IdToken,
    IdTokenPolicy, Issuer, JwkSet, Login, LogoutToken, Nonce, RequestKey, ScopePolicy, TokenBuffer,
    at_compile_time,
};
use mutate::{Random, mutate};
use reading::{ACCESS_TOKEN, JKT, Reading, URL};
use serde_json::Value;
use support::{API, CLIENT_ID, ISSUER, NOW, jwks, with};
use templates::{Template, templates};

const MUTATIONS: u64 = 20_000;

const API_POLICY: AccessTokenPolicy<'_> = at_compile_time!(
    AccessTokenPolicy::general(API)
        .require_scope(at_compile_time!(ScopePolicy::all_of(&["read:patients"])))
        .build()
);
const LOGIN_POLICY: IdTokenPolicy<'_> = at_compile_time!(IdTokenPolicy::new(CLIENT_ID).build());
const LOGIN: Login<'_> = at_compile_time!(
    Login::new(Nonce::Expect("n")).access_token_if_bound(BearerToken::new(ACCESS_TOKEN)).build()
);
const LOGOUT_POLICY: LogoutTokenPolicy<'_> =
    at_compile_time!(LogoutTokenPolicy::new(CLIENT_ID).build());
const PROOF_POLICY: DpopPolicy = at_compile_time!(DpopPolicy::new().build());
const PROVED_KEY: RequestKey<'_> = at_compile_time!(RequestKey::dpop(JKT));

/// The kinds of token, in the order of the counts.
const KINDS: [&str; 4] = ["access tokens", "ID tokens", "logout tokens", "DPoP proofs"];

/// Mutates and signs a token.
fn token(template: &Template, keys: &[IssuerKey], random: &mut Random) -> String {
    let Template { signer, header, payload, .. } = template;
    let header = match random.below(3) {
        0 => mutate(header, random),
        _ => header.as_bytes().to_vec(),
    };
    let payload = match random.below(8) {
        0 => payload.as_bytes().to_vec(),
        _ => mutate(payload, random),
    };
    // One in eight is signed by another key, and one in eight by the key that the header
    // selects after the mutation.
    let signer = match random.below(8) {
        0 => random.pick(keys).signer,
        1 => json::Members::parse(&header)
            .and_then(|header| key::select(keys, &header).map(|key| key.signer))
            .unwrap_or(*signer),
        _ if template.kind == 3 => key_in_header(&header).unwrap_or(*signer),
        _ => *signer,
    };
    let input = format!(
        "{}.{}",
        Base64UrlUnpadded::encode_string(&header),
        Base64UrlUnpadded::encode_string(&payload)
    );
    let signature = Base64UrlUnpadded::encode_string(&signer.sign(input.as_bytes()));
    let token = format!("{input}.{signature}");
    // One in sixteen is changed after it was signed.
    match random.below(16) {
        0 => String::from_utf8_lossy(&mutate(&token, random)).into_owned(),
        _ => token,
    }
}

/// Returns the key that a mutated header contains, whether or not it is acceptable.
fn key_in_header(header: &[u8]) -> Option<Signer> {
    let header: Value = serde_json::from_slice(header).ok()?;
    Signer::of_jwk(key::algorithm(header["alg"].as_str()?)?, &header["jwk"])
}

/// The verdicts of the library on a token.
struct Found {
    /// The verdicts on it as each of the kinds.
    verdicts: [Result<(), Error>; 4],
    /// The thumbprint of the key, if it is an acceptable proof.
    thumbprint: Option<String>,
}

/// Validates a token as each of the kinds.
fn validate(
    token: &str,
    proves_key: bool,
    issuer: &Issuer<Checksum, 16>,
    buffer: &mut TokenBuffer<16_384>,
) -> Found {
    let bearer = BearerToken::new(token);
    let bearer = if proves_key { bearer.with_key(PROVED_KEY) } else { bearer };
    let access = AccessToken::validate(bearer, (issuer, &API_POLICY), NOW, buffer).map(|_| ());
    let id = IdToken::validate(token, (issuer, &LOGIN_POLICY), LOGIN, NOW, buffer).map(|_| ());
    let logout = LogoutToken::validate(token, (issuer, &LOGOUT_POLICY), NOW, buffer);
    let logout = logout.map(|logout| {
        // L6: the identifier can be remembered if it is not too long.
        let jti = logout.token_id().unwrap();
        let id = TokenId::logout_token::<Checksum>(ISSUER, jti);
        assert_eq!(id.is_some(), jti.len() <= TokenId::MAX_JTI_LEN, "{token}");
    });
    let request = DpopRequest::to_resource("POST", URL, DpopToken::new(ACCESS_TOKEN)).nonce("n");
    let proof = DpopProof::verify::<Checksum, _>(token, &PROOF_POLICY, request, NOW, buffer);
    let proof = proof.and_then(|proof| {
        // P8: a proof is accepted once.
        let mut window = ReplayWindow::<4>::new();
        let again = proof.clone();
        let thumbprint = proof.once(&mut window, NOW)?.thumbprint().to_owned();
        assert_eq!(again.once(&mut window, NOW).map(|_| ()), Err(Error::Replayed), "{token}");
        Ok(thumbprint)
    });
    let (proof, thumbprint) = match proof {
        Ok(thumbprint) => (Ok(()), Some(thumbprint)),
        Err(error) => (Err(error), None),
    };
    Found { verdicts: [access, id, logout, proof], thumbprint }
}

#[test]
fn an_independent_check_has_the_same_verdict_on_every_token_as_every_kind() {
    let mutations = match std::env::var("CLAIMGATE_MUTATIONS") {
        Ok(count) => count.parse().unwrap(),
        Err(_) => MUTATIONS,
    };
    let keys = issuer_keys();
    let members = keys.iter().map(|key| {
        let jwk = with(key.jwk.clone(), "alg", key.signer.algorithm.name());
        key.kid.map_or(jwk.clone(), |kid| with(jwk, "kid", kid))
    });
    let set = JwkSet::from_json(&jwks(&members.collect::<Vec<_>>())).unwrap();
    assert_eq!((set.keys().len(), set.skipped()), (keys.len(), [].as_slice()));
    let issuer = Issuer::new(ISSUER, set).unwrap();
    let templates = templates(&keys);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut buffer = TokenBuffer::<16_384>::new();
    let (mut made, mut accepted) = ([0_u64; 4], [0_u64; 4]);
    let mut algorithms = [[0_u64; 9]; 4];
    for number in 0..mutations {
        let of_kind = random.pick(&templates);
        let template = random.pick(of_kind);
        let token = token(template, &keys, &mut random);
        let proves_key = template.proves_key != (random.below(16) == 0);
        let reading = Reading::new(&token, &keys);
        let thumbprint = reading::proves(&reading);
        let found = validate(&token, proves_key, &issuer, &mut buffer);
        let expected = [
            reading::opens_the_api(&reading, proves_key),
            reading::logs_in(&reading),
            reading::logs_out(&reading),
            thumbprint.is_some(),
        ];
        let is_accepted = found.verdicts.map(|verdict| verdict.is_ok());
        assert_eq!(is_accepted, expected, "number {number}: {token} {:?}", found.verdicts);
        // P11.
        assert_eq!(found.thumbprint, thumbprint, "number {number}: {token}");
        assert!(is_accepted.iter().filter(|is| **is).count() <= 1, "number {number}: {token}");
        made[template.kind] += 1;
        for kind in (0..KINDS.len()).filter(|kind| is_accepted[*kind]) {
            accepted[kind] += 1;
            let algorithm = template.signer.algorithm;
            algorithms[kind][Algorithm::ALL.iter().position(|a| *a == algorithm).unwrap()] += 1;
        }
    }
    let counts = (0..KINDS.len())
        .map(|kind| format!("{} of {} {}", accepted[kind], made[kind], KINDS[kind]))
        .collect::<Vec<_>>();
    println!("{mutations} mutated tokens: accepted {}", counts.join(", "));
    for (kind, counts) in KINDS.iter().zip(&algorithms) {
        // The check is meaningless for a kind and an algorithm of which none is accepted.
        let enough = counts.iter().all(|count| *count > mutations / 4_000);
        assert!(enough, "{kind}: {counts:?}");
    }
}
