//! The committed demonstration tokens match their descriptions.
//!
//! RS256 is deterministic, so the files are reproducible from the test key:
//! `CLAIMGATE_WRITE_DEMO=1 cargo test --test demo_tokens` writes them.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]

mod support;

use std::path::Path;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::json;
use support::*;

#[track_caller]
fn assert_current(name: &str, content: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/validate/demo").join(name);
    let content = format!("{content}\n");
    if std::env::var_os("CLAIMGATE_WRITE_DEMO").is_some() {
        std::fs::write(&path, &content).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), content, "{name} is out of date");
}

#[test]
fn the_tokens_of_the_demonstration_are_current() {
    let signer = Signer::a();
    let access_token = signer.sign(&access_claims());
    assert_current("jwks.json", &jwks(&[signer.jwk()]));
    assert_current("id_token.jwt", &signer.sign(&id_claims()));
    assert_current("access_token.jwt", &access_token);
    assert_current(
        "other_client.jwt",
        &signer.sign(&with(id_claims(), "aud", "another_client_id")),
    );
    assert_current(
        "other_api.jwt",
        &signer.sign(&with(access_claims(), "aud", "https://example.com/bank-api")),
    );
    assert_current("no_scope.jwt", &signer.sign(&with(access_claims(), "scope", "openid profile")));

    // The access token with more scope and the original signature.
    let tampered = with(access_claims(), "scope", "openid profile read:patients write:patients");
    let payload = Base64UrlUnpadded::encode_string(tampered.to_string().as_bytes());
    let mut segments: Vec<&str> = access_token.split('.').collect();
    segments[1] = &payload;
    assert_current("tampered.jwt", &segments.join("."));

    // Signed with HMAC and the public key.
    let header = json!({"alg": "HS256", "typ": "JWT", "kid": signer.kid}).to_string();
    let header = Base64UrlUnpadded::encode_string(header.as_bytes());
    let payload = Base64UrlUnpadded::encode_string(access_claims().to_string().as_bytes());
    let signing_input = format!("{header}.{payload}");
    let (modulus, _) = signer.components();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &modulus);
    let tag = ring::hmac::sign(&key, signing_input.as_bytes());
    let tag = Base64UrlUnpadded::encode_string(tag.as_ref());
    assert_current("hs256.jwt", &format!("{signing_input}.{tag}"));
}
