//! The texts of errors and states, and the output of `Debug`.

mod support;

use std::io::ErrorKind;

use claimgate::error::{ConfigError, Error};
use claimgate_tower::replay::{MemoryReplayStore, ReplayStoreError};
use claimgate_tower::{
    Authorities, Authority, AuthorityError, Dpop, FetchError, KeyState, Refusal,
};
use support::*;

const URL: &str = "https://issuer.example";

fn url() -> String {
    URL.to_owned()
}

#[test]
fn errors_of_a_configuration() {
    for (error, text) in [
        (AuthorityError::Url(url()), "invalid URL: https://issuer.example"),
        (
            AuthorityError::PlainHttp("http://issuer.example".to_owned()),
            "plain HTTP is allowed only for loopback hosts, and only with an explicit setting: \
             http://issuer.example",
        ),
        (
            AuthorityError::Issuer(ConfigError::Empty("issuer")),
            &format!("invalid issuer: {}", ConfigError::Empty("issuer")),
        ),
        (AuthorityError::NoAuthority, "no authority is configured"),
        (
            AuthorityError::DuplicateIssuer(url()),
            "two authorities have the issuer https://issuer.example",
        ),
        (
            AuthorityError::Keys(Error::UnknownKey),
            &format!("invalid configured key set: {}", Error::UnknownKey),
        ),
        (AuthorityError::Resource, "the identifier of the resource is not a URL"),
        (AuthorityError::Certificate, "a configured certificate is invalid"),
        (AuthorityError::Limit("the time to wait"), "the time to wait is zero or too long"),
        (AuthorityError::NoRootCertificates, "the operating system has no root certificates"),
        (AuthorityError::NoRuntime, "authorities must be built inside a Tokio runtime"),
    ] {
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn errors_of_a_fetch() {
    let document = Error::IssuerMismatch;
    for (error, text) in [
        (FetchError::Connection("closed".to_owned()), "connection failed: closed"),
        (FetchError::Tls("expired".to_owned()), "TLS failed: expired"),
        (FetchError::Timeout, "timed out"),
        (FetchError::Status(302), "the response has status 302"),
        (FetchError::TooLarge { limit: 100 }, "the response has more than 100 bytes"),
        (FetchError::Encoding, "the response is not plain UTF-8"),
        (FetchError::NotLoopback, "plain HTTP is allowed only on the loopback interface"),
        (FetchError::Document(document), &document.to_string()),
        (FetchError::JwksUri, "the jwks_uri of the discovery document is invalid"),
        (
            FetchError::File { path: "/etc/jwks.json".into(), kind: ErrorKind::NotFound },
            "cannot read /etc/jwks.json: entity not found",
        ),
    ] {
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn refusals() {
    for (refusal, code, text) in [
        (
            Refusal::Token(Error::UnknownKey),
            Error::UnknownKey.code(),
            Error::UnknownKey.to_string().as_str(),
        ),
        (
            Refusal::Proof(Error::Replayed),
            Error::Replayed.code(),
            &format!("DPoP proof: {}", Error::Replayed),
        ),
        (Refusal::NoKeys, "no_keys", "no keys of the token's issuer are available"),
        (Refusal::Busy, "keys_being_fetched", "the keys of the token's issuer are being fetched"),
        (
            Refusal::ReplayStore,
            "replay_store_unavailable",
            "the store of DPoP proofs is unavailable",
        ),
    ] {
        assert_eq!((refusal.code(), refusal.to_string().as_str()), (code, text));
    }
    for (error, text) in [
        (ReplayStoreError::Replayed, "the proof was already used"),
        (ReplayStoreError::Full, "the store is full"),
        (ReplayStoreError::Unavailable("closed".to_owned()), "the store is unavailable: closed"),
    ] {
        assert_eq!(error.to_string(), text);
    }
}

#[tokio::test]
async fn states() {
    let signer = Signer::ec("a");
    let down = Authority::jwks("https://down.example", "http://127.0.0.1:1/keys")
        .danger_allow_loopback_http();
    let authorities =
        Authorities::new([Authority::fixed(URL, jwks(&[&signer])), down.clone()]).unwrap();
    until(|| authorities.health().authorities[1].fetches > 0).await;
    let text = authorities.health().to_string();
    let (first, second) = text.trim_end().split_once('\n').unwrap();
    assert_eq!(first, "https://issuer.example: ready, 1 keys, 0 failures");
    let start = "https://down.example: pending, 0 keys, 1 failures, last: connection failed: ";
    assert!(second.starts_with(start), "{second}");
    for (state, name) in [
        (KeyState::Pending, "pending"),
        (KeyState::Ready, "ready"),
        (KeyState::NoUsableKeys, "no_usable_keys"),
        (KeyState::Stale, "stale"),
    ] {
        assert_eq!(state.as_str(), name);
    }
}

#[test]
fn settings() {
    let authority = Authority::jwks(URL, "https://issuer.example/keys");
    let text = "Authority { issuer: \"https://issuer.example\", \
                keys: Jwks(\"https://issuer.example/keys\"), .. }";
    assert_eq!(format!("{authority:?}"), text);
    let builder = Authorities::builder([authority]);
    assert_eq!(
        format!("{builder:?}"),
        format!("AuthoritiesBuilder {{ authorities: [{text}], .. }}")
    );
    let store = MemoryReplayStore::with_windows(2);
    assert_eq!(format!("{store:?}"), "MemoryReplayStore { windows: 2, .. }");
    let text = format!("{:?}", Dpop::new("https://api.example.com/", store));
    assert!(text.starts_with("Dpop { origin: \"https://api.example.com\", policy: "), "{text}");
}
