//! The challenges of the rule book: the five rows, and the grammar, character by character.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]

mod support;

use claimgate::error::{Claim, Input, Problem, RequestProblem};
use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, Challenge, Error, ScopePolicy, TokenBuffer,
    at_compile_time,
};
use support::*;

const READ: ScopePolicy<'_> =
    at_compile_time!(ScopePolicy::all_of(&["read:patients", "read:admin"]));
const STEP_UP: AccessTokenPolicy<'_> = at_compile_time!(
    AccessTokenPolicy::general(API)
        .require_scope(READ)
        .require_permissions(at_compile_time!(ScopePolicy::any_of(&["nurse", "doctor"])))
        .require_acr(&["gold", "silver"])
        .max_age(300)
        .build()
);

fn answer(error: Error) -> (u16, String) {
    let challenge = STEP_UP.challenge(error).realm("health");
    (challenge.status(), challenge.to_string())
}

#[test]
fn ch1_no_token_at_all_is_answered_by_the_realm_only() {
    assert_eq!(answer(Error::MissingToken), (401, r#"Bearer realm="health""#.to_owned()));
    assert_eq!(Challenge::new(Error::MissingToken).to_string(), "Bearer");
    let basic = BearerToken::from_authorization("Basic YTpi").unwrap_err();
    assert_eq!(answer(basic).1, r#"Bearer realm="health""#);
}

#[test]
fn ch2_a_malformed_header_and_two_tokens_are_an_invalid_request() {
    for error in [
        BearerToken::from_authorization("Bearer").unwrap_err(),
        BearerToken::from_authorization("Bearer a b").unwrap_err(),
        BearerToken::from_authorization_values(["Bearer a", "Bearer a"]).unwrap_err(),
    ] {
        let (status, value) = answer(error);
        assert_eq!(status, 400);
        assert!(value.starts_with(r#"Bearer realm="health", error="invalid_request""#), "{value}");
    }
}

#[test]
fn ch3_anything_wrong_with_the_token_is_an_invalid_token() {
    assert_eq!(
        answer(Error::Expired { exp: 1, now: 2, leeway: 0 }),
        (
            401,
            r#"Bearer realm="health", error="invalid_token", error_description="The token has expired""#
                .to_owned()
        )
    );
    let codes = every_error().into_iter().filter(|error| {
        let (status, value) = answer(*error);
        status == 401 && value.contains(r#"error="invalid_token""#)
    });
    // All but the four other rows: no token, two invalid requests, scope, permissions, claims,
    // and three of authentication.
    assert_eq!(codes.count(), every_error().len() - 9);
}

#[test]
fn ch4_insufficient_scope_is_answered_by_what_is_needed() {
    assert_eq!(
        answer(Error::InsufficientScope(Claim::Scope)),
        (
            403,
            concat!(
                r#"Bearer realm="health", error="insufficient_scope", "#,
                r#"error_description="The request requires a higher privilege", "#,
                r#"scope="read:patients read:admin""#
            )
            .to_owned()
        )
    );
    let (status, value) = answer(Error::InsufficientScope(Claim::Permissions));
    assert_eq!(status, 403);
    assert!(value.ends_with(r#"scope="nurse""#), "{value}");
    let route = ScopePolicy::all_of(&["write:patients"]).unwrap();
    let challenge = Challenge::new(Error::InsufficientScope(Claim::Scope)).needed(&route);
    assert!(challenge.to_string().ends_with(r#"scope="write:patients""#));
}

#[test]
fn ch4_a_route_answers_by_what_it_needs() {
    let route = ScopePolicy::any_of_all_of(&[&["write:patients", "nurse"], &["admin"]]).unwrap();
    let text = Signer::a().sign(&with(access_claims(), "permissions", serde_json::json!(["a"])));
    let (trust, mut buffer) = ((&trusted(), &API_POLICY), TokenBuffer::<4096>::new());
    let token = AccessToken::validate(BearerToken::new(&text), trust, NOW, &mut buffer).unwrap();
    for (forbidden, claim) in [
        (token.authorize(&route).unwrap_err(), Claim::Scope),
        (token.authorize_permissions(&route).unwrap_err(), Claim::Permissions),
    ] {
        let error = Error::InsufficientScope(claim);
        assert_eq!((forbidden.error(), forbidden.needed()), (error, Some(route)));
        assert_eq!(Error::from(forbidden), error);
        assert_eq!(forbidden.to_string(), error.to_string());
        let challenge = forbidden.challenge().realm("health");
        assert_eq!(challenge.status(), 403);
        assert_eq!(
            challenge.to_string(),
            concat!(
                r#"Bearer realm="health", error="insufficient_scope", "#,
                r#"error_description="The request requires a higher privilege", "#,
                r#"scope="write:patients nurse""#
            )
        );
        assert_eq!(forbidden.challenge(), Challenge::new(error).needed(&route));
    }
    assert_ne!(token.authorize(&route), token.authorize_permissions(&route));
    // The error outlives the token, and `?` converts it to an `Error`.
    fn open(text: &str, route: &ScopePolicy<'_>) -> Result<(), Error> {
        let (trust, mut buffer) = ((&trusted(), &API_POLICY), TokenBuffer::<4096>::new());
        let token = AccessToken::validate(BearerToken::new(text), trust, NOW, &mut buffer)?;
        Ok(token.authorize(route)?)
    }
    assert_eq!(open(&text, &route), Err(Error::InsufficientScope(Claim::Scope)));
    assert_eq!(open(&text, &READ), Ok(()));
}

#[test]
fn ch5_insufficient_authentication_is_answered_by_what_is_needed() {
    let error = Error::InsufficientAuthentication(Claim::Acr, Problem::WrongValue);
    assert_eq!(
        answer(error),
        (
            401,
            concat!(
                r#"Bearer realm="health", error="insufficient_user_authentication", "#,
                r#"error_description="A stronger or newer authentication is required", "#,
                r#"acr_values="gold silver", max_age="300""#
            )
            .to_owned()
        )
    );
    let bare = Challenge::new(error).authentication(&[], Some(0)).to_string();
    assert!(bare.ends_with(r#", max_age="0""#), "{bare}");
    let bare = Challenge::new(error).authentication(&["gold"], None).to_string();
    assert!(bare.ends_with(r#", acr_values="gold""#), "{bare}");
}

/// Splits a challenge into its attributes, or panics if it violates the grammar
/// of [RFC 9110 §11.6.1](https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1):
/// one scheme, and auth-params with quoted strings, of which
/// [RFC 6750 §3](https://www.rfc-editor.org/rfc/rfc6750#section-3) allows no
/// quote and no backslash within.
fn attributes(value: &str) -> Result<Vec<(&str, &str)>, String> {
    let Some(mut rest) = value.strip_prefix("Bearer") else {
        return Err("another scheme".to_owned());
    };
    let mut found: Vec<(&str, &str)> = Vec::new();
    if rest.is_empty() {
        return Ok(found);
    }
    rest = rest.strip_prefix(' ').ok_or("no space after the scheme")?;
    loop {
        let (name, after) = rest.split_once("=\"").ok_or("no value in quotes")?;
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        if name.is_empty() || !name.bytes().all(is_name) {
            return Err(format!("{name:?} is no name"));
        }
        if found.iter().any(|(other, _)| *other == name) {
            return Err(format!("{name} twice"));
        }
        let (value, after) = after.split_once('"').ok_or("no closing quote")?;
        let allowed = |byte: u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        if let Some(byte) = value.bytes().find(|byte| !allowed(*byte)) {
            return Err(format!("{byte:#x} in {name}"));
        }
        found.push((name, value));
        if after.is_empty() {
            return Ok(found);
        }
        rest = after.strip_prefix(", ").ok_or("no comma between attributes")?;
    }
}

#[test]
fn the_grammar_checker_sees_what_is_wrong() {
    for value in [
        "",
        "bearer",
        "Basic",
        "Bearer ",
        "Bearerrealm=\"a\"",
        "Bearer realm=a",
        "Bearer realm=\"a",
        "Bearer realm=\"a\",error=\"b\"",
        "Bearer realm=\"a\" error=\"b\"",
        "Bearer realm=\"a\", realm=\"b\"",
        "Bearer realm=\"a\", ",
        "Bearer Realm=\"a\"",
        "Bearer realm=\"a\\\"b\"",
        "Bearer realm=\"a\r\nSet-Cookie: b\"",
        "Bearer realm=\"\u{e4}\"",
        "Bearer realm=\"a\", error=\"b\"c",
    ] {
        assert!(attributes(value).is_err(), "{value:?}");
    }
    assert_eq!(attributes("Bearer"), Ok(vec![]));
    assert_eq!(attributes("Bearer a=\"b c\", d=\"\""), Ok(vec![("a", "b c"), ("d", "")]));
}

#[test]
fn every_challenge_keeps_to_the_grammar_and_says_no_more_than_it_may() {
    let hostile = [
        "health",
        "",
        " ",
        "a\"b",
        "a\", error=\"none",
        "a\\",
        "a\r\nSet-Cookie: b",
        "\0\u{7f}\u{80}\u{e4}\u{1f600}",
        "a,b=c",
    ];
    for error in every_error() {
        for realm in hostile {
            for acr in hostile {
                let acr_values = [acr, "gold"];
                let challenge = Challenge::new(error)
                    .realm(realm)
                    .needed(&READ)
                    .authentication(&acr_values, Some(u64::MAX));
                let text = challenge.to_string();
                let attributes = attributes(&text).unwrap_or_else(|why| panic!("{text}: {why}"));
                let names: Vec<&str> = attributes.iter().map(|(name, _)| *name).collect();
                let expected: &[&str] = match (error, error.http_status()) {
                    (Error::MissingToken, _) => &["realm"],
                    // A claim rule has no scope that would have sufficed.
                    (Error::ClaimMismatch { .. }, _) => &["realm", "error", "error_description"],
                    (_, 403) => &["realm", "error", "error_description", "scope"],
                    (Error::InsufficientAuthentication(..), _) => {
                        &["realm", "error", "error_description", "acr_values", "max_age"]
                    }
                    _ => &["realm", "error", "error_description"],
                };
                assert_eq!(names, expected, "{text}");
            }
        }
    }
}

#[test]
fn a_realm_cannot_inject_an_attribute() {
    let challenge = Challenge::new(Error::MissingToken).realm("a\", error=\"x\\\r\n\u{e4}");
    assert_eq!(challenge.to_string(), r#"Bearer realm="a?, error=?x????""#);
}

#[test]
fn nothing_of_the_token_is_in_a_challenge() {
    let secret = "c2VjcmV0LXNlY3JldA";
    let token = format!("{secret}.{secret}.{secret}");
    let error = check_access(&API_POLICY, &token, NOW).unwrap_err();
    assert!(matches!(error, Error::InvalidJson(Input::Header, _)));
    let challenge = API_POLICY.challenge(error).to_string();
    assert!(!challenge.contains("c2Vj") && !challenge.contains("secret"), "{challenge}");
    assert!(matches!(
        BearerToken::from_authorization("Bearer se cret"),
        Err(Error::InvalidRequest(RequestProblem::SeveralTokens))
    ));
}
