//! Configurations that cannot be built, and their errors.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]

mod support;

use claimgate::error::ConfigError;
use claimgate::policy::{IdTokenPolicyBuilder, SubjectKind};
use claimgate::{
    AccessTokenPolicy, BearerToken, IdTokenPolicy, Issuer, JwkSet, Login, Nonce, RequestKey,
    ScopePolicy, at_compile_time,
};
use support::*;

/// The maximum leeway, in seconds.
const MAX_LEEWAY: u64 = 600;

fn application() -> IdTokenPolicyBuilder<'static> {
    IdTokenPolicy::new(CLIENT_ID)
}

#[test]
fn an_issuer_has_a_url() {
    let keys = || keys_of(&Signer::a());
    assert_eq!(Issuer::new("", keys()).map(|_| ()), Err(ConfigError::Empty("issuer")));
    let empty = Issuer::new(String::new(), keys()).map(|_| ());
    assert_eq!(empty, Err(ConfigError::Empty("issuer")));
    let issuer: Issuer<TestKey, 4> = Issuer::new(ISSUER, keys()).unwrap();
    assert_eq!((issuer.url(), issuer.by_ref().url()), (ISSUER, ISSUER));
    let keys: &JwkSet<TestKey, 4> = issuer.keys();
    assert_eq!(keys.keys().len(), 1);
}

#[test]
fn an_id_token_policy_names_what_it_checks() {
    let empty = |name| Err(ConfigError::Empty(name));
    assert_eq!(IdTokenPolicy::new("").build(), empty("client ID"));
    assert_eq!(application().or_client_ids(&["a", ""]).build(), empty("client ID"));
    assert_eq!(application().trusted_audiences(&[""]).build(), empty("trusted audience"));
    assert_eq!(application().require_acr(&[""]).build(), empty("acr values"));
    assert_eq!(application().require_amr(&["a", ""]).build(), empty("amr values"));
    let empty_list = |name| Err(ConfigError::EmptyList(name));
    assert_eq!(application().require_acr(&[]).build(), empty_list("acr values"));
    assert_eq!(application().require_amr(&[]).build(), empty_list("amr values"));
    assert_eq!(application().leeway(MAX_LEEWAY + 1).build(), Err(ConfigError::LeewayTooLong));
    assert!(application().leeway(MAX_LEEWAY).build().is_ok());
}

#[test]
fn a_login_names_what_came_with_it() {
    let login = || Login::new(Nonce::ExpectNone);
    let empty = |name| Err(ConfigError::Empty(name));
    assert_eq!(Login::new(Nonce::Expect("")).build(), empty("nonce"));
    assert_eq!(login().access_token(BearerToken::new("")).build(), empty("access token"));
    assert_eq!(login().access_token_if_bound(BearerToken::new("")).build(), empty("access token"));
    assert_eq!(login().code("").build(), empty("code"));
    assert_eq!(login().code_if_bound("").build(), empty("code"));
    assert_eq!(login().organization("").build(), empty("organization"));
    assert!(login().build().is_ok());
}

#[test]
fn a_requests_key_has_a_thumbprint() {
    for key in [
        RequestKey::certificate(""),
        RequestKey::dpop(""),
        RequestKey::certificate_and_dpop("a", ""),
        RequestKey::certificate_and_dpop("", "a"),
        RequestKey::certificate_and_dpop("", ""),
    ] {
        assert_eq!(key, Err(ConfigError::Empty("thumbprint")));
    }
    assert!(RequestKey::certificate_and_dpop("a", "b").is_ok());
}

#[test]
fn an_access_token_policy_names_what_it_checks() {
    let api = || AccessTokenPolicy::general(API);
    let empty = |name| Err(ConfigError::Empty(name));
    assert_eq!(AccessTokenPolicy::general("").build(), empty("audience"));
    assert_eq!(AccessTokenPolicy::rfc9068("").build(), empty("audience"));
    assert_eq!(api().or_audiences(&[""]).build(), empty("audience"));
    assert_eq!(api().authorized_parties(&[""]).build(), empty("authorized parties"));
    assert_eq!(api().require_acr(&[""]).build(), empty("acr values"));
    assert_eq!(api().leeway(u64::MAX).build(), Err(ConfigError::LeewayTooLong));
}

#[test]
fn the_first_mistake_is_the_one_reported_and_a_later_setting_does_not_mend_it() {
    let empty = Err(ConfigError::Empty("code"));
    let login = Login::new(Nonce::Ignore);
    assert_eq!(login.code("").organization("").code("fine").build(), empty);
    let empty = Err(ConfigError::Empty("nonce"));
    assert_eq!(Login::new(Nonce::Expect("")).code("").build(), empty);
    let empty = Err(ConfigError::EmptyList("acr values"));
    assert_eq!(AccessTokenPolicy::general(API).require_acr(&[]).require_acr(&["a"]).build(), empty);
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
    assert_ne!(AccessTokenPolicy::general(API).build(), AccessTokenPolicy::rfc9068(API).build());
    assert_ne!(application().build(), application().max_age(0).build());
    assert!(format!("{POLICY:?}").contains("Rfc9068"));
    const APPLICATION: IdTokenPolicy<'_> =
        at_compile_time!(IdTokenPolicy::new("app").max_age(60).build());
    assert_eq!(IdTokenPolicy::new("app").max_age(60).build(), Ok(APPLICATION));
    const LOGIN: Login<'_> = at_compile_time!(Login::new(Nonce::Expect("n")).build());
    assert_eq!(Login::new(Nonce::Expect("n")).build(), Ok(LOGIN));
    assert!(format!("{LOGIN:?}").contains("[redacted]"));
}
