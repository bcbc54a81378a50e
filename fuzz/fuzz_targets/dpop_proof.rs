//! The payload of a DPoP proof with a valid signature: the verdict on each claim is that of
//! serde_json and base64ct, and a proof is accepted once.
#![no_main]

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::bearer::DpopToken;
use claimgate::dpop::DpopRequest;
use claimgate::error::Claim;
use claimgate::policy::DpopPolicy;
use claimgate::replay::{ReplayWindow, TokenId};
use claimgate::{DpopProof, Error, NumericDate, PublicKey, TokenBuffer, at_compile_time};
use claimgate_fuzz::{NOW, StandIn, confirm_error, jwk, parse_json, sign, timed};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

const PROOFS: DpopPolicy = at_compile_time!(DpopPolicy::new().max_age(30).leeway(10).build());
/// The default of `DpopPolicy::max_token_len`.
const MAX_LEN: usize = 8192;
const METHOD: &str = "GET";
const URL: &str = "https://server.example.com/x";
const TOKEN: &str = "an-access-token";
const NONCE: &str = "eyJ7S_zG.eyJH0-Z.HX4w-7v";

fuzz_target!(|payload: &[u8]| {
    timed(|| run(payload));
});

fn run(payload: &[u8]) {
    let header = json!({"typ": "dpop+jwt", "alg": "RS256", "jwk": jwk(0)}).to_string();
    let proof = sign(0, header.as_bytes(), payload);
    let claims = parse_json(payload);
    let request = DpopRequest::without_access_token(METHOD, URL);
    let plain = verdict(&proof, request, claims.as_ref());
    let request = DpopRequest::to_resource(METHOD, URL, DpopToken::new(TOKEN));
    let with_token = verdict(&proof, request, claims.as_ref());
    let with_nonce = verdict(&proof, request.nonce(NONCE), claims.as_ref());
    // A stricter request does not accept more proofs.
    assert!((plain || !with_token) && (with_token || !with_nonce));
    // The key in the header does not verify another key's signature.
    let forged = sign(1, header.as_bytes(), payload);
    let mut buffer = TokenBuffer::<16384>::new();
    let forged = DpopProof::verify::<StandIn, _>(&forged, &PROOFS, request, NOW, &mut buffer);
    // A proof without a payload, or a longer one than the policy allows, is rejected before its
    // signature is read.
    let expected = match proof.len() {
        length if length > MAX_LEN => Error::TokenTooLarge { length, limit: MAX_LEN },
        _ if payload.is_empty() => Error::MalformedToken,
        _ => Error::InvalidSignature,
    };
    assert_eq!(forged.err(), Some(expected));
}

/// Returns whether a proof is accepted. `claims` is serde_json's result, if it has one.
fn verdict(
    proof: &str,
    request: DpopRequest<'_>,
    claims: Option<&serde_json::Result<Value>>,
) -> bool {
    let mut buffer = TokenBuffer::<16384>::new();
    let result = DpopProof::verify::<StandIn, _>(proof, &PROOFS, request, NOW, &mut buffer);
    let claims = claims.and_then(|claims| claims.as_ref().ok());
    match result {
        Ok(unseen) => {
            let mut window = ReplayWindow::<2>::new();
            assert!(unseen.valid_until() > NOW);
            let again = unseen.clone().once(&mut window, NOW).map(|proof| {
                assert_eq!(format!("{proof:?}"), "Validated(DpopProof { .. })");
                assert_eq!(proof.thumbprint().len(), 43);
                assert!(!proof.token_id().is_empty());
                assert!(proof.token_id().len() <= TokenId::MAX_JTI_LEN);
            });
            assert_eq!(again, Ok(()));
            assert_eq!(unseen.once(&mut window, NOW).err(), Some(Error::Replayed));
            if let Some(claims) = claims {
                confirm(claims);
            }
            true
        }
        Err(error) => {
            confirm_error(error);
            if let Some(claims) = claims {
                confirm_refused(error, claims);
            }
            false
        }
    }
}

fn text<'c>(claims: &'c Value, name: &str) -> Option<&'c str> {
    claims.get(name).and_then(Value::as_str)
}

fn token_hash() -> String {
    Base64UrlUnpadded::encode_string(&StandIn::sha256(&[TOKEN.as_bytes()]))
}

/// Checks the properties of every accepted proof.
fn confirm(claims: &Value) {
    assert_eq!(text(claims, "htm"), Some(METHOD));
    let uri = text(claims, "htu").unwrap().to_ascii_lowercase();
    let rest = uri.strip_prefix("https://server.example.com").unwrap();
    assert!(rest.starts_with(['/', ':']), "{uri}");
    let (iat, now) = (claims["iat"].as_f64().unwrap(), NOW.as_secs() as f64);
    assert!(iat.floor() + 40.0 >= now && iat.ceil() <= now + 10.0, "{iat}");
    let date = |name: &str| claims.get(name).map(|date| date.as_f64().unwrap());
    assert!(date("exp").is_none_or(|exp| now < exp.floor() + 10.0));
    assert!(date("nbf").is_none_or(|nbf| nbf.ceil() <= now + 10.0));
    assert!(["iss", "sub"].iter().all(|name| claims.get(name).is_none_or(Value::is_string)));
    assert!(claims.get("aud").is_none_or(is_audience));
}

fn is_audience(value: &Value) -> bool {
    let is_list = |list: &Vec<Value>| list.iter().all(Value::is_string);
    value.is_string() || value.as_array().is_some_and(is_list)
}

/// Checks that a rejection because of a claim has a cause in that claim.
fn confirm_refused(error: Error, claims: &Value) {
    let now = NOW.as_secs() as f64;
    match error {
        Error::MissingClaim(Claim::IssuedAt) => assert_eq!(claims.get("iat"), None),
        Error::MissingClaim(Claim::HttpMethod) => assert_eq!(claims.get("htm"), None),
        Error::MissingClaim(Claim::HttpUri) => assert_eq!(claims.get("htu"), None),
        Error::MissingClaim(Claim::AccessTokenHash) => assert_eq!(claims.get("ath"), None),
        Error::MissingClaim(Claim::Nonce) => assert_eq!(claims.get("nonce"), None),
        Error::MissingClaim(Claim::TokenId) => {
            assert!(text(claims, "jti").is_none_or(str::is_empty));
        }
        Error::ProofMismatch(Claim::HttpMethod) => assert_ne!(text(claims, "htm"), Some(METHOD)),
        Error::ProofMismatch(Claim::HttpUri) => assert_ne!(text(claims, "htu"), Some(URL)),
        Error::HashMismatch(Claim::AccessTokenHash) => {
            assert_ne!(text(claims, "ath"), Some(token_hash().as_str()));
        }
        Error::NonceMismatch => assert_ne!(text(claims, "nonce"), Some(NONCE)),
        Error::ProofTooOld { .. } => assert!(claims["iat"].as_f64().unwrap().floor() + 40.0 < now),
        Error::IssuedInFuture { .. } => {
            assert!(claims["iat"].as_f64().unwrap().ceil() > now + 10.0);
        }
        Error::Expired { .. } => assert!(claims["exp"].as_f64().unwrap().floor() + 10.0 <= now),
        Error::NotYetValid { .. } => {
            assert!(claims["nbf"].as_f64().unwrap().ceil() > now + 10.0);
        }
        Error::TooManyAudiences { limit } => {
            assert!(claims["aud"].as_array().unwrap().len() > limit);
        }
        Error::ClaimType(Claim::Audience, _) => assert!(!is_audience(&claims["aud"])),
        Error::ClaimType(claim @ (Claim::IssuedAt | Claim::Expiry | Claim::NotBefore), _) => {
            let name = match claim {
                Claim::IssuedAt => "iat",
                Claim::Expiry => "exp",
                _ => "nbf",
            };
            let is_date = |date: f64| (0.0..=NumericDate::MAX.as_secs() as f64).contains(&date);
            let date = claims[name].as_f64();
            assert!(date.is_none_or(|date| date.is_sign_negative() || !is_date(date)));
        }
        Error::ClaimType(Claim::TokenId, _) => {
            let jti = claims["jti"].as_str();
            assert!(jti.is_none_or(|jti| jti.len() > TokenId::MAX_JTI_LEN));
        }
        Error::ClaimType(claim, _) => {
            let name = match claim {
                Claim::HttpMethod => "htm",
                Claim::HttpUri => "htu",
                Claim::AccessTokenHash => "ath",
                Claim::Nonce => "nonce",
                Claim::Issuer => "iss",
                Claim::Subject => "sub",
                other => panic!("{other:?}"),
            };
            assert!(!claims[name].is_string());
        }
        // The payload alone does not tell how long the token is: `run` checks this error.
        Error::TokenTooLarge { length, .. } => assert!(length > MAX_LEN),
        Error::InvalidJson(..) | Error::DuplicateMember(_) | Error::BufferTooSmall { .. } => {}
        other => panic!("{other:?}"),
    }
}
