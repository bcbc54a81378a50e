//! Keys by the discovery document of an issuer (rule M1).

mod support;

use std::time::Duration;

use claimgate::error::{Error, Input, JsonProblem};
use claimgate_tower::{Authorities, Authority, AuthorityError, FetchError, KeyState};
use support::*;

async fn fetched(authority: Authority) -> Authorities {
    let limits = (Duration::from_secs(2), Duration::from_secs(2));
    let authority = authority.timeouts(limits.0, limits.1).refresh(eager());
    let authorities = Authorities::new([authority]).unwrap();
    until(|| authorities.health().authorities[0].fetches > 0).await;
    authorities
}

#[tokio::test]
async fn keys_are_found_by_the_document_of_the_issuer() {
    let signer = Signer::rsa("a");
    let issuer = TestIssuer::with_keys(&[&signer]).await;
    let authorities = fetched(issuer.discovered()).await;
    assert_eq!(verdict(&authorities, &signer.sign(&claims(&issuer.url))).await, "valid");
    assert_eq!(issuer.requests(), 1);
    // Also at another URL.
    let document = format!("{}/.well-known/openid-configuration", issuer.url);
    let authority = Authority::discover_at(&issuer.url, document).danger_allow_loopback_http();
    let authorities = fetched(authority).await;
    assert_eq!(verdict(&authorities, &signer.sign(&claims(&issuer.url))).await, "valid");
}

#[tokio::test]
async fn m01_a_document_that_lies_leads_to_no_keys() {
    let signer = Signer::rsa("a");
    let other = TestIssuer::with_keys(&[&signer]).await;
    let issuer = TestIssuer::with_keys(&[&signer]).await;
    let url = issuer.url.clone();
    let json =
        |problem| FetchError::Document(Error::InvalidJson(Input::DiscoveryDocument, problem));
    let mismatch = FetchError::Document(Error::IssuerMismatch);
    let twice = FetchError::Document(Error::DuplicateMember(Input::DiscoveryDocument));
    let keys = format!("{url}/keys");
    for (behaviour, reason) in [
        (Behaviour::Serve(document(&other.url, &url)), mismatch.clone()),
        (Behaviour::Serve(document(&format!("{url}/"), &url)), mismatch.clone()),
        (Behaviour::Serve(format!(r#"{{"jwks_uri":"{keys}"}}"#)), mismatch),
        (Behaviour::Serve(format!(r#"{{"issuer":"{url}"}}"#)), json(JsonProblem::NotAnHttpsUrl)),
        (
            Behaviour::Serve(format!(r#"{{"issuer":"{url}","jwks_uri":"file:///etc/passwd"}}"#)),
            json(JsonProblem::NotAnHttpsUrl),
        ),
        (
            Behaviour::Serve(format!(
                r#"{{"issuer":"{url}","jwks_uri":"{keys}","jwks_uri":"{keys}"}}"#
            )),
            twice,
        ),
        // Plain HTTP beyond the loopback interface, although http is allowed.
        (
            Behaviour::Serve(format!(r#"{{"issuer":"{url}","jwks_uri":"http://192.0.2.1/keys"}}"#)),
            FetchError::JwksUri,
        ),
        (Behaviour::Redirect(format!("{}/", other.url)), FetchError::Status(302)),
        (Behaviour::Status(404, String::new()), FetchError::Status(404)),
        (Behaviour::Huge(1 << 20), FetchError::TooLarge { limit: 256 * 1024 }),
        (Behaviour::Slow(document(&url, &url), Duration::from_secs(60)), FetchError::Timeout),
    ] {
        issuer.set_document(behaviour.clone());
        let authorities = fetched(issuer.discovered()).await;
        let health = authorities.health().authorities[0].clone();
        assert_eq!(health.state, KeyState::Pending, "{behaviour:?}");
        assert_eq!(health.last_failure, Some(reason.to_string()), "{behaviour:?}");
    }
    assert_eq!((issuer.requests(), other.requests()), (0, 0));
}

#[tokio::test]
async fn a_document_is_fetched_from_a_url() {
    for url in ["issuer.example", "ftp://issuer.example", "https://issuer.example/?x"] {
        let error = Authorities::new([Authority::discover(url)]).unwrap_err();
        assert_eq!(error, AuthorityError::Url(url.to_owned()), "{url}");
    }
    let url = "http://issuer.example";
    let error = Authorities::new([Authority::discover(url)]).unwrap_err();
    let document = format!("{url}/.well-known/openid-configuration");
    assert_eq!(error, AuthorityError::PlainHttp(document));
}
