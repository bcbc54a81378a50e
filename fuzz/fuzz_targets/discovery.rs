//! Discovery documents: accepted ones name the expected issuer and valid URLs, and serde_json
//! reads the same.
#![no_main]

use claimgate::TokenBuffer;
use claimgate::discovery::ProviderMetadata;
use claimgate::jwk::Algorithms;
use claimgate_fuzz::{ISSUER, confirm_error, parse_json, timed};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|text: &str| {
    timed(|| run(text));
});

fn run(text: &str) {
    check(text, ISSUER);
    // The fuzzer need not guess the issuer: the one in the text is expected.
    if let Some(Ok(document)) = parse_json(text.as_bytes())
        && let Some(issuer) = document["issuer"].as_str()
    {
        check(text, issuer);
        for url in [
            ProviderMetadata::openid_configuration_url(issuer),
            ProviderMetadata::oauth_authorization_server_url(issuer),
        ] {
            let is_well_known =
                |url: String| url.starts_with("http") && url.contains("/.well-known/");
            assert!(url.is_none_or(|url| is_well_known(url.to_string().to_ascii_lowercase())));
        }
    }
}

fn check(text: &str, issuer: &str) {
    let mut buffer = TokenBuffer::<4096>::new();
    let metadata = match ProviderMetadata::from_json(text, issuer, &mut buffer) {
        Ok(metadata) => metadata,
        Err(error) => return confirm_error(error),
    };
    let Some(document) = parse_json(text.as_bytes()) else { return };
    let document: Value = document.unwrap();
    assert_eq!(metadata.issuer(), issuer);
    assert_eq!(document["issuer"], issuer);
    assert_eq!(document["jwks_uri"], metadata.jwks_uri());
    assert_eq!(
        document.get("userinfo_endpoint").and_then(Value::as_str),
        metadata.userinfo_endpoint()
    );
    for url in [Some(metadata.jwks_uri()), metadata.userinfo_endpoint()].into_iter().flatten() {
        assert!(url.is_ascii() && url.to_ascii_lowercase().starts_with("https://"), "{url}");
        let authority = url["https://".len()..].split(['/', '?']).next().unwrap();
        assert!(!authority.is_empty() && !url.contains(['#', '\\', ' ']), "{url}");
        assert!(!authority.contains('@') && !url.contains(char::is_control), "{url}");
    }
    let names = document.get("id_token_signing_alg_values_supported");
    let algorithms = metadata.id_token_signing_alg_values_supported();
    assert_eq!(names.is_some(), algorithms.is_some());
    let (Some(names), Some(algorithms)) = (names, algorithms) else { return };
    let names: Vec<&str> =
        names.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    for algorithm in Algorithms::ALL.iter() {
        let is_named = names.contains(&algorithm.name())
            || algorithm.name() == "EdDSA" && names.contains(&"Ed25519");
        assert_eq!(algorithms.contains(algorithm), is_named, "{algorithm}");
    }
}
