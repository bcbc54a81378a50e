//! What cannot be built, and says so where it is written.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust"))]

mod support;

use claimgate::{
    AccessTokenPolicy, BearerToken, ConfigError, IdTokenPolicy, IdTokenPolicyBuilder, Issuer,
    JwkSet, MAX_LEEWAY, Nonce, RequestKey, ScopePolicy, SubjectKind, at_compile_time,
};
use support::*;

fn login() -> IdTokenPolicyBuilder<'static> {
    IdTokenPolicy::new(CLIENT_ID, Nonce::ExpectNone)
}

#[test]
fn an_issuer_has_a_url() {
    let keys = keys_of(&Signer::a());
    assert_eq!(Issuer::new("", &keys).map(|_| ()), Err(ConfigError::Empty("issuer")));
    assert_eq!(Issuer::new(ISSUER, &keys).map(|issuer| issuer.url()), Ok(ISSUER));
    let _: Issuer<'_, TestKey, 4> = Issuer::new("x", &keys).unwrap();
    let _: &JwkSet<TestKey, 4> = &keys;
}

#[test]
fn an_id_token_policy_names_what_it_checks() {
    let empty = |name| Err(ConfigError::Empty(name));
    assert_eq!(IdTokenPolicy::new("", Nonce::Ignore).build(), empty("client ID"));
    assert_eq!(IdTokenPolicy::new(CLIENT_ID, Nonce::Expect("")).build(), empty("nonce"));
    assert_eq!(login().or_client_ids(&["a", ""]).build(), empty("client ID"));
    assert_eq!(login().trusted_audiences(&[""]).build(), empty("trusted audience"));
    assert_eq!(login().require_acr(&[""]).build(), empty("acr values"));
    assert_eq!(login().require_amr(&["a", ""]).build(), empty("amr values"));
    assert_eq!(login().access_token(BearerToken::new("")).build(), empty("access token"));
    assert_eq!(login().access_token_if_bound(BearerToken::new("")).build(), empty("access token"));
    assert_eq!(login().code("").build(), empty("code"));
    assert_eq!(login().code_if_bound("").build(), empty("code"));
    assert_eq!(login().organization("").build(), empty("organization"));
    let empty_list = |name| Err(ConfigError::EmptyList(name));
    assert_eq!(login().require_acr(&[]).build(), empty_list("acr values"));
    assert_eq!(login().require_amr(&[]).build(), empty_list("amr values"));
    assert_eq!(login().leeway(MAX_LEEWAY + 1).build(), Err(ConfigError::LeewayTooLong));
    assert!(login().leeway(MAX_LEEWAY).build().is_ok());
}

#[test]
fn an_access_token_policy_names_what_it_checks() {
    let api = || AccessTokenPolicy::auth0(API);
    let empty = |name| Err(ConfigError::Empty(name));
    assert_eq!(AccessTokenPolicy::auth0("").build(), empty("audience"));
    assert_eq!(AccessTokenPolicy::rfc9068("").build(), empty("audience"));
    assert_eq!(api().or_audiences(&[""]).build(), empty("audience"));
    assert_eq!(api().authorized_parties(&[""]).build(), empty("authorized parties"));
    assert_eq!(api().require_acr(&[""]).build(), empty("acr values"));
    assert_eq!(api().request_key(RequestKey::dpop("")).build(), empty("thumbprint"));
    assert_eq!(api().leeway(u64::MAX).build(), Err(ConfigError::LeewayTooLong));
}

#[test]
fn the_first_mistake_is_the_one_reported_and_a_later_setting_does_not_mend_it() {
    let empty = Err(ConfigError::Empty("code"));
    assert_eq!(login().code("").organization("").code("fine").build(), empty);
    let empty = Err(ConfigError::EmptyList("acr values"));
    assert_eq!(AccessTokenPolicy::auth0(API).require_acr(&[]).require_acr(&["a"]).build(), empty);
}

#[test]
fn policies_are_data_const_comparable_and_printable() {
    const SCOPE: ScopePolicy<'_> = at_compile_time!(ScopePolicy::any_of(&["a", "b"]));
    const POLICY: AccessTokenPolicy<'_> = at_compile_time!(
        AccessTokenPolicy::rfc9068(API)
            .leeway(0)
            .require_scope(SCOPE)
            .require_subject(SubjectKind::User)
            .authorized_parties(&[CLIENT_ID])
            .max_token_age(60)
            .build()
    );
    let same = AccessTokenPolicy::rfc9068(API)
        .max_token_age(60)
        .authorized_parties(&[CLIENT_ID])
        .require_subject(SubjectKind::User)
        .require_scope(ScopePolicy::any_of(&["a", "b"]).unwrap())
        .leeway(0)
        .build();
    assert_eq!(same, Ok(POLICY));
    assert_ne!(AccessTokenPolicy::auth0(API).build(), AccessTokenPolicy::rfc9068(API).build());
    assert_ne!(login().build(), login().max_age(0).build());
    assert!(format!("{POLICY:?}").contains("Rfc9068"));
    const LOGIN: IdTokenPolicy<'_> =
        at_compile_time!(IdTokenPolicy::new("app", Nonce::Expect("n")).max_age(60).build());
    assert!(format!("{LOGIN:?}").contains("[redacted]"));
}
