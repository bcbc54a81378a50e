//! Discovery documents: the issuer is checked first, and URLs must be safe to fetch.

use claimgate::discovery::ProviderMetadata;
use claimgate::error::{Input, JsonProblem};
use claimgate::jwk::Algorithms;
use claimgate::{Algorithm, Error, TokenBuffer};
use proptest::prelude::*;
use serde_json::{Value, json};

const ISSUER: &str = "https://op.example.com";
const JWKS_URI: &str = "https://op.example.com/keys";

const NOT_A_URL: Error = Error::InvalidJson(Input::DiscoveryDocument, JsonProblem::NotAnHttpsUrl);
const NOT_STRINGS: Error = Error::InvalidJson(Input::DiscoveryDocument, JsonProblem::NotStrings);

fn document() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://op.example.com/authorize",
        "token_endpoint": "https://op.example.com/token",
        "userinfo_endpoint": "https://op.example.com/userinfo",
        "jwks_uri": JWKS_URI,
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["HS256", "RS256", "ES256", "none", "ES512"],
        "mtls_endpoint_aliases": {"token_endpoint": "https://mtls.example.com/token"},
        "request_parameter_supported": false
    })
}

/// Returns the document with another value for a member, or without the member.
fn with(name: &str, value: impl Into<Option<Value>>) -> String {
    let mut document = document();
    let members = document.as_object_mut().unwrap();
    match value.into() {
        Some(value) => members.insert(name.to_owned(), value),
        None => members.remove(name),
    };
    document.to_string()
}

type Read = (String, String, Option<String>, Option<Algorithms>);

fn read_for(issuer: &str, text: &str) -> Result<Read, Error> {
    let mut buffer = TokenBuffer::<512>::new();
    ProviderMetadata::from_json(text, issuer, &mut buffer).map(|metadata| {
        (
            metadata.issuer().to_owned(),
            metadata.jwks_uri().to_owned(),
            metadata.userinfo_endpoint().map(str::to_owned),
            metadata.id_token_signing_alg_values_supported(),
        )
    })
}

fn read(text: &str) -> Result<Read, Error> {
    read_for(ISSUER, text)
}

#[test]
fn m01_a_document_is_read() {
    assert_eq!(
        read(&document().to_string()),
        Ok((
            ISSUER.to_owned(),
            JWKS_URI.to_owned(),
            Some("https://op.example.com/userinfo".to_owned()),
            Some(Algorithms::of(&[Algorithm::Rs256, Algorithm::Es256])),
        ))
    );
    let least = json!({"issuer": ISSUER, "jwks_uri": JWKS_URI}).to_string();
    assert_eq!(read(&least), Ok((ISSUER.to_owned(), JWKS_URI.to_owned(), None, None)));
}

#[test]
fn m01_the_issuer_is_the_expected_one_byte_for_byte() {
    for other in [
        json!("https://op.example.com/"),
        json!("https://op.example.com:443"),
        json!("https://OP.example.com"),
        json!("HTTPS://op.example.com"),
        json!("http://op.example.com"),
        json!("https://op.example.co"),
        json!("https://op.example.com.evil.example"),
        json!("https://op.example.com "),
        json!("https://op%2eexample.com"),
        json!(""),
        json!(null),
        json!(1),
        json!(true),
        json!([ISSUER]),
        json!({"issuer": ISSUER}),
    ] {
        assert_eq!(read(&with("issuer", other.clone())), Err(Error::IssuerMismatch), "{other}");
    }
    assert_eq!(read(&with("issuer", None)), Err(Error::IssuerMismatch));
    // Names are case-sensitive, and a nested issuer is ignored.
    let text = json!({"Issuer": ISSUER, "a": {"issuer": ISSUER}, "jwks_uri": JWKS_URI});
    assert_eq!(read(&text.to_string()), Err(Error::IssuerMismatch));
    for expected in ["", "https://op.example.com/", "https://OP.example.com", "https://op"] {
        let text = document().to_string();
        assert_eq!(read_for(expected, &text), Err(Error::IssuerMismatch), "{expected}");
    }
}

#[test]
fn m01_the_issuer_is_compared_before_anything_else_is_used() {
    // Wrong in every member that is read, with a buffer that is too small for all of them.
    let text = r#"{"jwks_uri":1,"userinfo_endpoint":"\"\"","id_token_signing_alg_values_supported":2,"issuer":"https:\/\/evil.example"}"#;
    let mut none = TokenBuffer::<0>::new();
    assert_eq!(ProviderMetadata::from_json(text, ISSUER, &mut none), Err(Error::IssuerMismatch));
    let text = text.replace("evil.example", "op.example.com");
    assert_eq!(read(&text), Err(NOT_A_URL));
}

#[test]
fn m01_jwks_uri_is_an_https_url() {
    for url in [
        "https://op.example.com/keys",
        "HTTPS://op.example.com/keys",
        "https://www.example.org/oauth2/v3/certs",
        "https://op.example.com:8443/keys?version=2&a=/?",
        "https://[2001:db8::1]/keys",
        "https://op.example.com",
    ] {
        let (_, read, ..) = read(&with("jwks_uri", json!(url))).unwrap();
        // As it is written.
        assert_eq!(read, url);
    }
    for value in [
        json!("http://op.example.com/keys"),
        json!("http://localhost/keys"),
        json!("file:///etc/keys"),
        json!("data:application/json,{}"),
        json!("ftp://op.example.com/keys"),
        json!("/keys"),
        json!("//op.example.com/keys"),
        json!("op.example.com/keys"),
        json!("https:op.example.com/keys"),
        json!("https:///keys"),
        json!("https://user@op.example.com/keys"),
        json!("https://user:secret@op.example.com/keys"),
        json!("https://op.example.com@evil.example/keys"),
        json!("https://op.example.com\\@evil.example/keys"),
        json!("https://op.example.com/keys#"),
        json!("https://op.example.com/keys#a"),
        json!("https://op.example.com/ke ys"),
        json!(" https://op.example.com/keys"),
        json!("https://op.example.com/keys\n"),
        json!("https://op.example.com/keys\r\nHost: evil.example"),
        json!("https://op.example.com/\u{e9}"),
        json!("https://\u{f6}p.example.com/keys"),
        json!("https://op.example.com/keys?a=[1]"),
        json!("https://op.example.com/keys?a=%"),
        json!("https://op.example.com/%zz"),
        json!("https://op.example.com:99999/keys"),
        json!(""),
        json!(null),
        json!(1),
        json!([JWKS_URI]),
        json!({}),
    ] {
        assert_eq!(read(&with("jwks_uri", value.clone())), Err(NOT_A_URL), "{value}");
        // A member that may be missing must be valid if it is present.
        let text = with("userinfo_endpoint", value.clone());
        assert_eq!(read(&text), Err(NOT_A_URL), "{value}");
    }
    assert_eq!(read(&with("jwks_uri", None)), Err(NOT_A_URL));
    assert!(read(&with("userinfo_endpoint", None)).is_ok());
}

#[test]
fn m01_algorithms_are_an_array_of_names() {
    let name = "id_token_signing_alg_values_supported";
    let of = |list: Value| read(&with(name, list)).map(|(.., algorithms)| algorithms.unwrap());
    assert_eq!(of(json!([])), Ok(Algorithms::of(&[])));
    assert_eq!(of(json!(["none", "HS256", "ES512", "rs256", "", "RS2567"])), of(json!([])));
    assert_eq!(of(json!(["RS256", "RS256"])), Ok(Algorithms::RS256));
    let edwards = Ok(Algorithms::of(&[Algorithm::EdDsa]));
    assert_eq!(of(json!(["EdDSA"])), edwards);
    assert_eq!(of(json!(["Ed25519"])), edwards);
    for value in [
        json!("RS256"),
        json!(null),
        json!({}),
        json!([1]),
        json!(["RS256", null]),
        json!([["RS256"]]),
    ] {
        assert_eq!(of(value.clone()), Err(NOT_STRINGS), "{value}");
    }
}

#[test]
fn m01_duplicates_are_refused_also_when_escaped_and_also_where_nobody_reads() {
    let duplicate = Err(Error::DuplicateMember(Input::DiscoveryDocument));
    for text in [
        r#"{"issuer":"https://op.example.com","issuer":"https://op.example.com","jwks_uri":"https://a/"}"#,
        r#"{"issuer":"https://evil.example","issuer":"https://op.example.com","jwks_uri":"https://a/"}"#,
        r#"{"issuer":"https://op.example.com","jwks_uri":"https://a/","jwks_uri":"https://b/"}"#,
        r#"{"issuer":"https://op.example.com","jwks_uri":"https://a/","jwks\u005furi":"https://b/"}"#,
        r#"{"issuer":"https://op.example.com","jwks_uri":"https://a/","x":1,"x":2}"#,
    ] {
        assert_eq!(read(text), duplicate, "{text}");
    }
}

#[test]
fn m01_a_document_is_one_object_in_the_dialect() {
    let problem = |problem| Err(Error::InvalidJson(Input::DiscoveryDocument, problem));
    for (text, expected) in [
        ("", JsonProblem::NotAnObject),
        ("[]", JsonProblem::NotAnObject),
        ("<!DOCTYPE html>", JsonProblem::NotAnObject),
        (r#"{"issuer":"https://op.example.com""#, JsonProblem::Syntax),
        (r#"{"issuer":"https://op.example.com"}{}"#, JsonProblem::TrailingData),
        ("{\"issuer\":\"https://op.example.com\n\"}", JsonProblem::ControlCharacter),
    ] {
        assert_eq!(read(text), problem(expected), "{text}");
    }
}

#[test]
fn m01_a_document_has_at_most_128_members() {
    let of = |members: usize| {
        let mut document = document();
        let object = document.as_object_mut().unwrap();
        for member in object.len()..members {
            object.insert(format!("x_{member}"), json!({"a": {"b": []}}));
        }
        document.to_string()
    };
    assert!(read(&of(65)).is_ok());
    assert!(read(&of(127)).is_ok());
    assert!(read(&of(128)).is_ok());
    let too_many = Error::InvalidJson(Input::DiscoveryDocument, JsonProblem::TooManyMembers);
    assert_eq!(read(&of(129)), Err(too_many));
}

#[test]
fn m01_strings_with_escapes_are_unescaped_into_the_buffer() {
    let text = r#"{"issuer":"https:\/\/op.example.com","jwks_uri":"https:\/\/op.example.com\/k\u0065ys","userinfo_endpoint":"https://a/"}"#;
    let (issuer, jwks_uri, userinfo, _) = read(text).unwrap();
    assert_eq!([issuer.as_str(), jwks_uri.as_str()], [ISSUER, JWKS_URI]);
    assert_eq!(userinfo.as_deref(), Some("https://a/"));
    // Exactly the length of the two strings, and one byte less.
    const LEN: usize = ISSUER.len() + JWKS_URI.len();
    let mut enough = TokenBuffer::<LEN>::new();
    assert!(ProviderMetadata::from_json(text, ISSUER, &mut enough).is_ok());
    let mut less = TokenBuffer::<{ LEN - 1 }>::new();
    assert_eq!(
        ProviderMetadata::from_json(text, ISSUER, &mut less),
        Err(Error::BufferTooSmall { needed: JWKS_URI.len(), available: JWKS_URI.len() - 1 })
    );
    let mut none = TokenBuffer::<0>::new();
    let plain = document().to_string();
    assert!(ProviderMetadata::from_json(&plain, ISSUER, &mut none).is_ok());
    // An escape does not bypass the grammar of URLs.
    let text = with("jwks_uri", json!(JWKS_URI)).replace("/keys", r"/ke\u0020ys");
    assert_eq!(read(&text), Err(NOT_A_URL));
}

#[test]
fn m01_the_url_of_an_openid_connect_document() {
    for (issuer, expected) in [
        ("https://example.com", "https://example.com/.well-known/openid-configuration"),
        ("https://example.com/", "https://example.com/.well-known/openid-configuration"),
        // The example of §4.1.
        (
            "https://example.com/issuer1",
            "https://example.com/issuer1/.well-known/openid-configuration",
        ),
        (
            "https://example.com/issuer1/",
            "https://example.com/issuer1/.well-known/openid-configuration",
        ),
        (
            "https://k.example.com:8443/realms/a",
            "https://k.example.com:8443/realms/a/.well-known/openid-configuration",
        ),
        (
            "https://login.microsoftonline.com/t/v2.0",
            "https://login.microsoftonline.com/t/v2.0/.well-known/openid-configuration",
        ),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000/.well-known/openid-configuration"),
        // One slash, as the section requires.
        ("https://example.com//", "https://example.com//.well-known/openid-configuration"),
    ] {
        let url = ProviderMetadata::openid_configuration_url(issuer).unwrap();
        assert_eq!(url.to_string(), expected);
    }
}

#[test]
fn m01_the_url_of_an_authorization_servers_metadata() {
    for (issuer, expected) in [
        ("https://example.com", "https://example.com/.well-known/oauth-authorization-server"),
        ("https://example.com/", "https://example.com/.well-known/oauth-authorization-server"),
        // The example of §3.1.
        (
            "https://example.com/issuer1",
            "https://example.com/.well-known/oauth-authorization-server/issuer1",
        ),
        (
            "https://example.com/issuer1/",
            "https://example.com/.well-known/oauth-authorization-server/issuer1",
        ),
        ("https://a:8443/b/c", "https://a:8443/.well-known/oauth-authorization-server/b/c"),
        ("http://[::1]:3000/b", "http://[::1]:3000/.well-known/oauth-authorization-server/b"),
    ] {
        let url = ProviderMetadata::oauth_authorization_server_url(issuer).unwrap();
        assert_eq!(url.to_string(), expected);
    }
}

#[test]
fn m01_what_is_no_issuer_has_no_document() {
    for issuer in [
        "",
        "/",
        "example.com",
        "https://",
        "https:///a",
        "ftp://example.com",
        "https://user@example.com",
        "https://example.com/?a",
        "https://example.com?",
        "https://example.com/#a",
        "https://example.com/a b",
        "https://example.com/\r\nHost: a",
        "https://ex\u{e4}mple.com",
        "https://example.com\\@evil.example",
    ] {
        assert_eq!(ProviderMetadata::openid_configuration_url(issuer), None, "{issuer:?}");
        assert_eq!(ProviderMetadata::oauth_authorization_server_url(issuer), None, "{issuer:?}");
    }
}

#[test]
fn m01_errors_say_what_is_wrong_with_the_document() {
    for (error, text) in [
        (
            NOT_A_URL,
            "the discovery document is not acceptable JSON: a required https URL is missing or invalid",
        ),
        (
            NOT_STRINGS,
            "the discovery document is not acceptable JSON: a member is not an array of strings",
        ),
    ] {
        assert_eq!(error.to_string(), text);
        assert_eq!(error.code(), "invalid_json");
    }
}

proptest! {
    /// Accepted documents have the same members when parsed with serde_json.
    #[test]
    fn m01_what_is_accepted_has_one_reading(
        issuer in "https://[a-z]{1,8}(/[ -~]{0,8})?",
        path in "(/|%|[!-~]){0,8}",
        escaped_slashes in any::<bool>(),
    ) {
        let jwks_uri = format!("https://a/{path}");
        let document = json!({"issuer": issuer, "jwks_uri": jwks_uri});
        let mut document = document.to_string();
        if escaped_slashes {
            document = document.replace('/', "\\/");
        }
        match read_for(&issuer, &document) {
            Ok((read_issuer, read_uri, ..)) => {
                prop_assert_eq!(read_issuer, issuer);
                prop_assert_eq!(&read_uri, &jwks_uri);
                prop_assert!(url::Url::parse(&read_uri).is_ok_and(|url| url.scheme() == "https"
                    && url.host_str() == Some("a") && url.username().is_empty()));
            }
            Err(error) => prop_assert_eq!(error, NOT_A_URL),
        }
    }
}
