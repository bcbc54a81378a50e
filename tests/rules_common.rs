//! The rule book, all kinds: C1 to C8.
//!
//! Each test runs its cases as an access token and as an ID token.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]

mod support;

use claimgate::error::{Claim, ConfigError};
use claimgate::{AccessToken, AccessTokenPolicy, Error, IdTokenPolicy, NumericDate};
use serde_json::{Value, json};
use support::*;

/// The default leeway, and the maximum, in seconds.
const DEFAULT_LEEWAY: u64 = 60;
const MAX_LEEWAY: u64 = 600;

/// The time settings, for both builders.
#[derive(Clone, Copy, Default)]
struct Times {
    leeway: Option<u64>,
    ignore_issued_in_future: bool,
    max_token_age: Option<u64>,
    max_lifetime: Option<u64>,
}

impl Times {
    fn leeway(seconds: u64) -> Self {
        Self { leeway: Some(seconds), ..Self::default() }
    }
}

macro_rules! apply {
    ($builder:expr, $times:expr) => {{
        let (mut builder, times) = ($builder, $times);
        if let Some(seconds) = times.leeway {
            builder = builder.leeway(seconds);
        }
        if times.ignore_issued_in_future {
            builder = builder.ignore_issued_in_future();
        }
        if let Some(seconds) = times.max_token_age {
            builder = builder.max_token_age(seconds);
        }
        if let Some(seconds) = times.max_lifetime {
            builder = builder.max_lifetime(seconds);
        }
        builder.build()
    }};
}

/// Applies one change to the claims of both kinds and validates both.
#[track_caller]
fn check_times(
    times: Times,
    change: impl Fn(Value) -> Value,
    now: u64,
    expected: Result<(), Error>,
) {
    let now = NumericDate::from_secs(now);
    let signer = Signer::a();
    let policy = apply!(AccessTokenPolicy::general(API), times).unwrap();
    let token = signer.sign(&change(access_claims()));
    assert_eq!(check_access(&policy, &token, now), expected, "access token");
    let policy = apply!(IdTokenPolicy::new(CLIENT_ID), times).unwrap();
    let token = signer.sign(&change(id_claims()));
    assert_eq!(check_id(&policy, &token, now), expected, "ID token");
}

#[track_caller]
fn check(change: impl Fn(Value) -> Value, expected: Result<(), Error>) {
    check_times(Times::default(), change, NOW.as_secs(), expected);
}

fn set(name: &'static str, value: impl Into<Value>) -> impl Fn(Value) -> Value {
    let value = value.into();
    move |claims| with(claims, name, value.clone())
}

fn drop(name: &'static str) -> impl Fn(Value) -> Value {
    move |claims| without(claims, name)
}

fn keep() -> impl Fn(Value) -> Value {
    |claims| claims
}

#[test]
fn c01_the_issuer_is_equal_byte_for_byte() {
    check(keep(), Ok(()));
    check(drop("iss"), Err(Error::MissingClaim(Claim::Issuer)));
    for issuer in [
        "",
        "https://my-domain.auth0.com",
        "https://my-domain.auth0.com//",
        "https://my-domain.auth0.com/ ",
        " https://my-domain.auth0.com/",
        "HTTPS://my-domain.auth0.com/",
        "https://My-Domain.auth0.com/",
        "http://my-domain.auth0.com/",
        "https://my-domain.auth0.com:443/",
        "https://my-domain.auth0.com/evil",
        "https://my-domain.auth0.com.evil.example/",
        "https://my-domain.auth0.co",
        "https://my-d\u{43e}main.auth0.com/",
        "https://my%2Ddomain.auth0.com/",
        "https://my-domain.auth0.com/\0",
    ] {
        check(set("iss", issuer), Err(Error::IssuerMismatch));
    }
}

#[test]
fn c01_an_escaped_issuer_is_the_same_issuer() {
    let payload =
        access_claims().to_string().replace("https://my-domain", r"https:\/\/\u006dy-domain");
    assert!(payload.contains(r"\u006d"));
    assert_eq!(access_raw(br#"{"alg":"RS256"}"#, payload.as_bytes()), Ok(()));
}

#[test]
fn c02_the_subject_is_there_and_not_empty() {
    let missing = Err(Error::MissingClaim(Claim::Subject));
    check(drop("sub"), missing);
    check(set("sub", ""), missing);
    check(set("sub", " "), Ok(()));
    check(set("sub", "s".repeat(255)), Ok(()));
}

#[test]
fn c03_a_token_without_an_expiry_is_rejected() {
    check(drop("exp"), Err(Error::MissingClaim(Claim::Expiry)));
}

#[test]
fn c03_a_token_expires_at_exp_plus_leeway() {
    for leeway in [0, 60] {
        let expired = |now| Err(Error::Expired { exp: EXP, now, leeway });
        let times = Times::leeway(leeway);
        check_times(times, keep(), EXP + leeway - 1, Ok(()));
        check_times(times, keep(), EXP + leeway, expired(EXP + leeway));
        check_times(times, keep(), EXP + leeway + 1, expired(EXP + leeway + 1));
        check_times(times, keep(), u64::MAX, expired(u64::MAX));
    }
}

#[test]
fn c03_zero_is_a_time_and_not_never() {
    let now = NOW.as_secs();
    check(set("exp", 0), Err(Error::Expired { exp: 0, now, leeway: DEFAULT_LEEWAY }));
    check_times(
        Times::leeway(0),
        |claims| with(with(claims, "exp", 0), "iat", 0),
        0,
        Err(Error::Expired { exp: 0, now: 0, leeway: 0 }),
    );
}

#[test]
fn c03_a_fraction_of_exp_is_dropped() {
    let times = Times::leeway(0);
    let expired = Err(Error::Expired { exp: EXP, now: EXP, leeway: 0 });
    check_times(times, set("exp", json!(1_311_281_970.9)), EXP, expired);
    check_times(times, set("exp", json!(1_311_281_970.9)), EXP - 1, Ok(()));
}

#[test]
fn c03_milliseconds_are_not_seconds() {
    // 2011 in milliseconds is in the year 43522, which is not accepted.
    let wrong = Error::ClaimType(Claim::Expiry, claimgate::error::JsonType::NumericDate);
    check(set("exp", EXP * 1000), Err(wrong));
}

#[test]
fn c04_a_token_is_valid_from_nbf_minus_leeway_on() {
    for leeway in [0, 60] {
        let times = Times::leeway(leeway);
        let now = NOW.as_secs();
        let nbf = now + leeway;
        check_times(times, set("nbf", nbf - 1), now, Ok(()));
        check_times(times, set("nbf", nbf), now, Ok(()));
        let early = Err(Error::NotYetValid { nbf: nbf + 1, now, leeway });
        check_times(times, set("nbf", nbf + 1), now, early);
    }
    check(drop("nbf"), Ok(()));
    check(set("nbf", 0), Ok(()));
}

#[test]
fn c04_a_fraction_of_nbf_is_rounded_up() {
    let now = NOW.as_secs();
    let early = Err(Error::NotYetValid { nbf: now + 1, now, leeway: 0 });
    check_times(Times::leeway(0), set("nbf", json!(1_311_281_470.1)), now, early);
}

#[test]
fn c05_a_token_is_not_issued_in_the_future() {
    for leeway in [0, 60] {
        let times = Times::leeway(leeway);
        let now = NOW.as_secs();
        let iat = now + leeway;
        check_times(times, set("iat", iat), now, Ok(()));
        let future = Err(Error::IssuedInFuture { iat: iat + 1, now, leeway });
        check_times(times, set("iat", iat + 1), now, future);
        let ignore = Times { ignore_issued_in_future: true, ..times };
        check_times(ignore, set("iat", iat + 1), now, Ok(()));
        check_times(ignore, set("iat", 253_402_300_799_u64), now, Ok(()));
    }
}

#[test]
fn c06_leeway_is_60_seconds_unless_set_and_at_most_600() {
    check_times(Times::default(), keep(), EXP + 59, Ok(()));
    let expired = Error::Expired { exp: EXP, now: EXP + 60, leeway: 60 };
    check_times(Times::default(), keep(), EXP + 60, Err(expired));
    check_times(Times::leeway(600), keep(), EXP + 599, Ok(()));
    let expired = Error::Expired { exp: EXP, now: EXP + 600, leeway: 600 };
    check_times(Times::leeway(600), keep(), EXP + 600, Err(expired));
    let access = AccessTokenPolicy::general(API).leeway(MAX_LEEWAY).build();
    assert!(access.is_ok() && IdTokenPolicy::new(CLIENT_ID).leeway(MAX_LEEWAY).build().is_ok());
    for seconds in [601, u64::MAX] {
        let access = AccessTokenPolicy::general(API).leeway(seconds).build();
        assert_eq!(access, Err(ConfigError::LeewayTooLong));
        let id = IdTokenPolicy::new(CLIENT_ID).leeway(seconds).build();
        assert_eq!(id, Err(ConfigError::LeewayTooLong));
    }
}

#[test]
fn c06_leeway_is_the_same_for_every_rule_about_time() {
    let now = NOW.as_secs();
    for leeway in [0, 1, 60, 600] {
        let times = Times::leeway(leeway);
        check_times(times, set("exp", now - leeway + 1), now, Ok(()));
        check_times(times, set("nbf", now + leeway), now, Ok(()));
        check_times(times, set("iat", now + leeway), now, Ok(()));
        let aged = Times { max_token_age: Some(100), ..times };
        check_times(aged, set("iat", now - leeway - 100), now, Ok(()));
        let expired = Error::Expired { exp: now - leeway, now, leeway };
        check_times(times, set("exp", now - leeway), now, Err(expired));
        let early = Error::NotYetValid { nbf: now + leeway + 1, now, leeway };
        check_times(times, set("nbf", now + leeway + 1), now, Err(early));
        let future = Error::IssuedInFuture { iat: now + leeway + 1, now, leeway };
        check_times(times, set("iat", now + leeway + 1), now, Err(future));
        let old = Error::TokenTooOld { age: leeway + 101, limit: 100, leeway };
        check_times(aged, set("iat", now - leeway - 101), now, Err(old));
    }
}

#[test]
fn c07_a_token_may_be_too_old() {
    let now = IAT + 500;
    for (limit, leeway) in [(500, 0), (440, 60)] {
        let times = Times { max_token_age: Some(limit), ..Times::leeway(leeway) };
        check_times(times, keep(), now, Ok(()));
        let old = Error::TokenTooOld { age: 501, limit, leeway };
        check_times(times, keep(), now + 1, Err(old));
    }
    let times = Times { max_token_age: Some(0), ..Times::leeway(0) };
    check_times(times, keep(), IAT, Ok(()));
    let old = Error::TokenTooOld { age: 1, limit: 0, leeway: 0 };
    check_times(times, keep(), IAT + 1, Err(old));
    let times = Times { max_token_age: Some(u64::MAX), ..Times::default() };
    check_times(times, keep(), now, Ok(()));
    check_times(times, drop("iat"), now, Err(Error::MissingClaim(Claim::IssuedAt)));
}

#[test]
fn c07_a_token_may_be_issued_for_too_long() {
    let times = |limit| Times { max_lifetime: Some(limit), ..Times::default() };
    check_times(times(1000), keep(), NOW.as_secs(), Ok(()));
    let long = Error::LifetimeTooLong { lifetime: 1000, limit: 999 };
    check_times(times(999), keep(), NOW.as_secs(), Err(long));
    let missing = Err(Error::MissingClaim(Claim::IssuedAt));
    check_times(times(1000), drop("iat"), NOW.as_secs(), missing);
}

#[test]
fn c07_fractions_make_a_token_older_and_longer_lived() {
    let times = Times { max_lifetime: Some(1000), ..Times::default() };
    let long = Err(Error::LifetimeTooLong { lifetime: 1001, limit: 1000 });
    let number = |text: String| serde_json::from_str::<Value>(&text).unwrap();
    for exp in [format!("{EXP}.0"), format!("{EXP}00e-2")] {
        check_times(times, set("exp", number(exp)), NOW.as_secs(), Ok(()));
    }
    check_times(times, set("exp", number(format!("{EXP}.001"))), NOW.as_secs(), long);
    check_times(times, set("iat", number(format!("{}.9", IAT - 1))), NOW.as_secs(), long);
    check_times(times, set("iat", number(format!("{IAT}.9"))), NOW.as_secs(), Ok(()));
    // Fractions in other times are accepted.
    let others = |claims| {
        let half = |time: u64| serde_json::from_str::<Value>(&format!("{time}.5")).unwrap();
        with(with(claims, "nbf", half(IAT)), "auth_time", half(IAT))
    };
    check_times(times, others, NOW.as_secs(), Ok(()));
    let age = Times { max_token_age: Some(60), ..Times::leeway(0) };
    check_times(age, others, IAT + 60, Ok(()));
    let early = || set("iat", number(format!("{IAT}.1")));
    check_times(age, early(), IAT + 60, Ok(()));
    let old = Error::TokenTooOld { age: 61, limit: 60, leeway: 0 };
    check_times(age, early(), IAT + 61, Err(old));
}

#[test]
fn c08_custom_claims_are_read_by_their_exact_names() {
    #[derive(serde::Deserialize)]
    struct Custom<'a> {
        #[serde(rename = "https://example.com/roles", borrow)]
        roles: [&'a str; 2],
    }
    let issuer = trusted();
    let claims = with(access_claims(), "https://example.com/roles", json!(["nurse", "admin"]));
    let token = Signer::a().sign(&claims);
    let mut buffer = claimgate::TokenBuffer::<4096>::new();
    let token = AccessToken::validate(
        claimgate::BearerToken::new(&token),
        (&issuer, &API_POLICY),
        NOW,
        &mut buffer,
    )
    .unwrap();
    assert_eq!(token.claims::<Custom<'_>>().unwrap().roles, ["nurse", "admin"]);
}
