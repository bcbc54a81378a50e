//! Shared items of the targets: a backend that signs in a microsecond, a time limit for each
//! input, and a second implementation of the rules with serde_json.

use std::sync::OnceLock;

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::error::{InvalidSignature, KeyRejected};
use claimgate::jwk::{Algorithms, KeyMaterial};
use claimgate::policy::LogoutTokenPolicy;
use claimgate::{
    AccessTokenPolicy, Algorithm, Error, IdTokenPolicy, Issuer, JwkSet, Login, Nonce, NumericDate,
    PublicKey, at_compile_time,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub const ISSUER: &str = "https://my-domain.auth0.com/";
pub const CLIENT_ID: &str = "my_client_id";
pub const API: &str = "https://example.com/health-api";
pub const LEEWAY: u64 = 60;
pub const NOW: NumericDate = NumericDate::from_secs(1_311_281_470);

pub const API_POLICY: AccessTokenPolicy<'_> =
    at_compile_time!(AccessTokenPolicy::general(API).build());
pub const APPLICATION_POLICY: IdTokenPolicy<'_> =
    at_compile_time!(IdTokenPolicy::new(CLIENT_ID).build());
pub const LOGOUT_POLICY: LogoutTokenPolicy<'_> =
    at_compile_time!(LogoutTokenPolicy::new(CLIENT_ID).build());
/// The maximum age of logout tokens without `exp`, if they are accepted.
pub const MAX_AGE_WITHOUT_EXPIRY: u64 = 600;
pub const LOGOUT_POLICY_WITHOUT_EXPIRY: LogoutTokenPolicy<'_> = at_compile_time!(
    LogoutTokenPolicy::new(CLIENT_ID).accept_without_expiry(MAX_AGE_WITHOUT_EXPIRY).build()
);
pub const LOGIN: Login<'_> = at_compile_time!(Login::new(Nonce::Ignore).build());

/// The length of a modulus, and thus of a signature, in bytes.
pub const MODULUS_LEN: usize = 256;

/// A backend whose signatures are a hash of the modulus and the signed text. Anyone who has
/// the set can sign, so the fuzzer reaches the code after the signature, but different texts
/// have different signatures.
pub struct StandIn([u8; 32]);

impl StandIn {
    fn signature(&self, signing_input: &[u8]) -> [u8; MODULUS_LEN] {
        let hash = Self::sha256(&[&self.0, signing_input]);
        let mut signature = [0; MODULUS_LEN];
        signature.chunks_mut(32).for_each(|place| place.copy_from_slice(&hash));
        signature
    }
}

impl PublicKey for StandIn {
    const ALGORITHMS: Algorithms = Algorithms::RS256;

    fn new(_: Algorithm, material: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
        let KeyMaterial::Rsa { n, .. } = material else { return Err(KeyRejected::Backend) };
        Ok(Self(Self::sha256(&[n])))
    }

    fn verify(&self, signing_input: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        if signature == self.signature(signing_input) { Ok(()) } else { Err(InvalidSignature) }
    }

    fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        let mut hash = Sha256::new();
        parts.iter().for_each(|part| hash.update(part));
        hash.finalize().into()
    }
}

/// Returns the modulus of key number `key`: odd, and of 2,048 bits.
fn modulus(key: u8) -> [u8; MODULUS_LEN] {
    let mut n = [0xff; MODULUS_LEN];
    n[1] = key;
    n
}

/// Returns key number `key` as a JWK, with the `kid` `key-0` and so on.
pub fn jwk(key: u8) -> Value {
    let n = Base64UrlUnpadded::encode_string(&modulus(key));
    json!({"kty": "RSA", "kid": format!("key-{key}"), "n": n, "e": "AQAB"})
}

/// Returns a set with these keys.
pub fn set(keys: &[u8]) -> JwkSet<StandIn, 4> {
    let members: Vec<Value> = keys.iter().copied().map(jwk).collect();
    JwkSet::from_json(&json!({ "keys": members }).to_string()).expect("keys of our own making")
}

/// Returns the issuer, with key number 0.
pub fn issuer() -> &'static Issuer<StandIn, 4> {
    static WITH_KEY_0: OnceLock<Issuer<StandIn, 4>> = OnceLock::new();
    WITH_KEY_0.get_or_init(|| Issuer::new(ISSUER, set(&[0])).expect("a URL that is not empty"))
}

/// Returns a compact JWS with this payload, signed with key number `key`.
pub fn sign(key: u8, header: &[u8], payload: &[u8]) -> String {
    let encode = Base64UrlUnpadded::encode_string;
    let signing_input = format!("{}.{}", encode(header), encode(payload));
    let key = StandIn(StandIn::sha256(&[&modulus(key)]));
    format!("{signing_input}.{}", encode(&key.signature(signing_input.as_bytes())))
}

/// The header for key number 0.
pub const HEADER: &[u8] = br#"{"alg":"RS256","typ":"JWT","kid":"key-0"}"#;

/// Runs one input, and panics if it took 100 ms of processor time.
pub fn timed<T>(run: impl FnOnce() -> T) -> T {
    let before = processor_ms();
    let result = run();
    let taken = processor_ms() - before;
    assert!(taken < 100, "took {taken} ms");
    result
}

fn processor_ms() -> i64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is valid for the write.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
}

/// Decodes a token without claimgate. It must be one that claimgate accepted.
///
/// Returns `None` if a member that is not read contains a number that serde_json cannot
/// represent.
fn decode(token: &str) -> Option<(Value, Value)> {
    let mut segments = token.split('.');
    let mut next = || Base64UrlUnpadded::decode_vec(segments.next().unwrap()).unwrap();
    let (header, payload, signature) = (next(), next(), next());
    assert_eq!(segments.next(), None);
    let signed = token.rsplit_once('.').unwrap().0;
    let key = StandIn(StandIn::sha256(&[&modulus(0)]));
    assert_eq!(signature, key.signature(signed.as_bytes()), "not signed with key number 0");
    Some((parse_json(&header)?.unwrap(), parse_json(&payload)?.unwrap()))
}

/// Returns serde_json's result, or `None` for a number that it cannot represent and for a name
/// that it treats specially.
pub fn parse_json(text: &[u8]) -> Option<serde_json::Result<Value>> {
    const KEPT: &[u8] = b"$serde_json::private";
    if text.windows(KEPT.len()).any(|name| name == KEPT) {
        return None;
    }
    match serde_json::from_slice(text) {
        Err(error) if error.to_string().starts_with("number out of range") => None,
        result => Some(result),
    }
}

/// Checks the properties of every token that a policy without settings accepts, as stated in
/// the specifications, without claimgate.
#[track_caller]
fn confirm(token: &str, audience: &str, types: &[&str], foreign: &[&str], now: NumericDate) {
    let Some((header, claims)) = decode(token) else { return };
    confirm_common(&header, &claims, audience, types, foreign, now);
    assert!(!claims["sub"].as_str().unwrap().is_empty());
    assert!(is_before_expiry(&claims, now), "expired");
}

/// Checks the properties that are the same for all kinds.
#[track_caller]
fn confirm_common(
    header: &Value,
    claims: &Value,
    audience: &str,
    types: &[&str],
    foreign: &[&str],
    now: NumericDate,
) {
    assert_eq!(header["alg"], "RS256");
    for name in ["crit", "b64", "zip"] {
        assert_eq!(header.get(name), None);
    }
    if let Some(kid) = header.get("kid") {
        assert_eq!(kid, "key-0");
    }
    if let Some(typ) = header.get("typ") {
        let typ = typ.as_str().unwrap().to_ascii_lowercase();
        let typ = typ.strip_prefix("application/").unwrap_or(&typ);
        assert!(types.contains(&typ), "{typ}");
    }
    assert_eq!(claims["iss"], ISSUER);
    let is_for = |value: &Value| value == audience;
    match &claims["aud"] {
        Value::Array(audiences) => assert!(audiences.iter().any(is_for)),
        one => assert!(is_for(one)),
    }
    let (now, leeway) = (now.as_secs() as f64, LEEWAY as f64);
    for name in ["nbf", "iat"] {
        if let Some(time) = claims.get(name) {
            let time = time.as_f64().unwrap().ceil();
            assert!((0.0..=now + leeway).contains(&time), "{name} is to come");
        }
    }
    for name in foreign {
        assert_eq!(claims.get(name), None);
    }
}

fn is_before_expiry(claims: &Value, now: NumericDate) -> bool {
    (now.as_secs() as f64) < claims["exp"].as_f64().unwrap().floor() + LEEWAY as f64
}

/// Checks an access token that [`API_POLICY`] accepted at `now`.
#[track_caller]
pub fn confirm_access_token(token: &str, now: NumericDate) {
    let foreign = ["nonce", "at_hash", "c_hash", "s_hash", "events", "cnf"];
    confirm(token, API, &["jwt", "at+jwt"], &foreign, now);
    let Some((_, claims)) = decode(token) else { return };
    assert!(claims.get("token_use").is_none_or(|token_use| token_use == "access"));
    assert!(claims.get("typ").is_none_or(|typ| typ == "Bearer" || typ == "DPoP"));
}

/// Checks an ID token that [`APPLICATION_POLICY`] accepted at `now`.
#[track_caller]
pub fn confirm_id_token(token: &str, now: NumericDate) {
    let foreign = ["scope", "scp", "permissions", "gty", "events"];
    confirm(token, CLIENT_ID, &["jwt"], &foreign, now);
    let Some((_, claims)) = decode(token) else { return };
    assert!(claims["iat"].is_number());
    assert!(claims.get("azp").is_none_or(|party| party == CLIENT_ID));
    if let Some(audiences) = claims["aud"].as_array() {
        assert!(audiences.iter().all(|audience| audience == CLIENT_ID));
        assert!(audiences.len() == 1 || claims.get("azp").is_some());
    }
    assert!(claims.get("token_use").is_none_or(|token_use| token_use == "id"));
    assert!(claims.get("typ").is_none_or(|typ| typ == "ID"));
}

/// Checks a logout token that [`LOGOUT_POLICY`] or [`LOGOUT_POLICY_WITHOUT_EXPIRY`] accepted
/// at `now`.
#[track_caller]
pub fn confirm_logout_token(token: &str, policy: &LogoutTokenPolicy<'_>, now: NumericDate) {
    const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
    let foreign =
        ["nonce", "scope", "scp", "permissions", "gty", "at_hash", "c_hash", "s_hash", "token_use"];
    let Some((header, claims)) = decode(token) else { return };
    confirm_common(&header, &claims, CLIENT_ID, &["jwt", "logout+jwt"], &foreign, now);
    assert!(claims.get("typ").is_none_or(|typ| typ == "Logout"));
    if let Some(audiences) = claims["aud"].as_array() {
        assert!(audiences.iter().all(|audience| audience == CLIENT_ID));
    }
    assert!(claims["events"][EVENT].is_object());
    let [subject, session] = ["sub", "sid"].map(|name| claims.get(name));
    assert!(subject.is_some() || session.is_some());
    for name in [subject, session].into_iter().flatten() {
        assert!(!name.as_str().unwrap().is_empty());
    }
    assert!(!claims["jti"].as_str().unwrap().is_empty());
    let age = now.as_secs() as f64 - claims["iat"].as_f64().unwrap().floor();
    if claims.get("exp").is_some() {
        assert!(is_before_expiry(&claims, now), "expired");
    } else {
        assert_eq!(*policy, LOGOUT_POLICY_WITHOUT_EXPIRY);
        assert!(age <= (MAX_AGE_WITHOUT_EXPIRY + LEEWAY) as f64, "too old");
    }
}

/// Checks the representations of an error.
pub fn confirm_error(error: Error) {
    let is_snake_case = |byte| matches!(byte, b'_' | b'a'..=b'z' | b'0'..=b'9');
    assert!(error.code().bytes().all(is_snake_case));
    assert!([400, 401, 403].contains(&error.http_status()));
    // The longest message counts the skipped members of a key set by reason.
    assert!(error.to_string().len() < 1_000 && format!("{error:?}").len() < 1_000);
}
