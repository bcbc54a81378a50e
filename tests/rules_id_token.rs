//! The rule book, ID tokens: I1 to I15.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]

mod support;

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::claims::StandardScope;
use claimgate::error::{Claim, ConfigError, Problem, WrongKind};
use claimgate::policy::{ForeignClaim, IdTokenPolicyBuilder, LoginBuilder};
use claimgate::{
    BearerToken, Error, IdToken, IdTokenPolicy, Login, Nonce, NumericDate, TokenBuffer,
};
use serde_json::{Value, json};
use support::*;

const OTHER: &str = "other_client";

fn login(nonce: Nonce<'_>) -> LoginBuilder<'_> {
    Login::new(nonce)
}

/// Returns the verdict on the ID token of a login with these claims.
#[track_caller]
fn check_with(login: LoginBuilder<'_>, claims: &Value) -> Result<(), Error> {
    check_login(&LOGIN_POLICY, login.build().unwrap(), &Signer::a().sign(claims), NOW)
}

/// Returns a login without expectations.
fn any() -> LoginBuilder<'static> {
    login(Nonce::Ignore)
}

/// Returns the verdict of a policy on an ID token with these claims.
#[track_caller]
fn check(policy: IdTokenPolicyBuilder<'_>, claims: &Value) -> Result<(), Error> {
    check_id(&policy.build().unwrap(), &Signer::a().sign(claims), NOW)
}

fn default() -> IdTokenPolicyBuilder<'static> {
    IdTokenPolicy::new(CLIENT_ID)
}

fn set(name: &str, value: impl Into<Value>) -> Value {
    with(id_claims(), name, value)
}

#[test]
fn i01_the_audience_contains_the_client_id() {
    let mismatch = |audiences| Err(Error::AudienceMismatch { audiences });
    assert_eq!(id(&id_claims()), Ok(()));
    assert_eq!(id(&set("aud", json!([CLIENT_ID]))), Ok(()));
    assert_eq!(id(&without(id_claims(), "aud")), Err(Error::MissingClaim(Claim::Audience)));
    assert_eq!(id(&set("aud", json!([]))), mismatch(0));
    for audience in
        ["", OTHER, "my_client_i", "my_client_idx", "MY_CLIENT_ID", " my_client_id", API]
    {
        assert_eq!(id(&set("aud", audience)), mismatch(1), "{audience}");
    }
    assert_eq!(id(&set("aud", "my_client_id other_client")), mismatch(1));
    assert_eq!(id(&set("aud", json!([OTHER, API]))), mismatch(2));
}

#[test]
fn i01_an_application_may_have_several_client_ids() {
    let policy = || default().or_client_ids(&["app-ios", "app-android"]);
    assert_eq!(check(policy(), &set("aud", CLIENT_ID)), Ok(()));
    assert_eq!(check(policy(), &set("aud", "app-ios")), Ok(()));
    assert_eq!(check(policy(), &set("aud", "app-android")), Ok(()));
    assert_eq!(
        check(policy(), &set("aud", "app-windows")),
        Err(Error::AudienceMismatch { audiences: 1 })
    );
}

#[test]
fn i02_untrusted_audience_is_rejected() {
    let claims = with(set("aud", json!([CLIENT_ID, OTHER])), "azp", CLIENT_ID);
    assert_eq!(check(default(), &claims), Err(Error::UntrustedAudience { audiences: 2 }));
    assert_eq!(check(default().trusted_audiences(&[OTHER]), &claims), Ok(()));
    assert_eq!(
        check(default().trusted_audiences(&["other"]), &claims),
        Err(Error::UntrustedAudience { audiences: 2 })
    );
    let three = with(set("aud", json!([OTHER, CLIENT_ID, "third"])), "azp", CLIENT_ID);
    assert_eq!(
        check(default().trusted_audiences(&[OTHER]), &three),
        Err(Error::UntrustedAudience { audiences: 3 })
    );
}

#[test]
fn i02_a_trusted_audience_does_not_stand_in_for_the_client_id() {
    assert_eq!(
        check(default().trusted_audiences(&[OTHER]), &set("aud", OTHER)),
        Err(Error::AudienceMismatch { audiences: 1 })
    );
}

#[test]
fn i03_several_audiences_require_azp() {
    let policy = || default().trusted_audiences(&[OTHER]);
    let claims = set("aud", json!([CLIENT_ID, OTHER]));
    let missing = Err(Error::MissingClaim(Claim::AuthorizedParty));
    assert_eq!(check(policy(), &claims), missing);
    assert_eq!(check(policy(), &with(claims, "azp", CLIENT_ID)), Ok(()));
    assert_eq!(check(policy(), &set("aud", json!([CLIENT_ID, CLIENT_ID]))), missing);
}

#[test]
fn i04_azp_is_the_client_id_wherever_it_is() {
    let mismatch = Err(Error::AuthorizedPartyMismatch(Claim::AuthorizedParty));
    assert_eq!(id(&set("azp", CLIENT_ID)), Ok(()));
    for azp in ["", OTHER, "MY_CLIENT_ID", "my_client_id "] {
        assert_eq!(id(&set("azp", azp)), mismatch, "{azp}");
    }
    // A trusted audience is not an authorized party.
    let claims = with(set("aud", json!([CLIENT_ID, OTHER])), "azp", OTHER);
    assert_eq!(check(default().trusted_audiences(&[OTHER]), &claims), mismatch);
}

#[test]
fn i05_iat_is_required() {
    assert_eq!(id(&without(id_claims(), "iat")), Err(Error::MissingClaim(Claim::IssuedAt)));
    assert_eq!(id(&set("iat", 0)), Ok(()));
    // No other time replaces it.
    let claims = with(with(id_claims(), "nbf", IAT), "auth_time", IAT);
    assert_eq!(id(&without(claims, "iat")), Err(Error::MissingClaim(Claim::IssuedAt)));
}

#[test]
fn i06_an_expected_nonce_is_compared() {
    let expected = || login(Nonce::Expect("n-0S6_WzA2Mj"));
    assert_eq!(check_with(expected(), &set("nonce", "n-0S6_WzA2Mj")), Ok(()));
    assert_eq!(check_with(expected(), &id_claims()), Err(Error::MissingClaim(Claim::Nonce)));
    for nonce in ["", "n-0S6_WzA2M", "n-0S6_WzA2Mjj", "N-0S6_WzA2Mj", "n-0S6_WzA2Mk", "x"] {
        assert_eq!(
            check_with(expected(), &set("nonce", nonce)),
            Err(Error::NonceMismatch),
            "{nonce}"
        );
    }
}

#[test]
fn i06_an_unexpected_nonce_is_rejected_and_an_ignored_one_is_not() {
    assert_eq!(check_with(login(Nonce::ExpectNone), &id_claims()), Ok(()));
    for nonce in ["", "n"] {
        let unexpected = Err(Error::UnexpectedClaim(Claim::Nonce));
        assert_eq!(check_with(login(Nonce::ExpectNone), &set("nonce", nonce)), unexpected);
        assert_eq!(check_with(login(Nonce::Ignore), &set("nonce", nonce)), Ok(()));
    }
}

#[test]
fn i06_an_empty_expected_nonce_is_a_construction_error() {
    assert_eq!(login(Nonce::Expect("")).build(), Err(ConfigError::Empty("nonce")));
}

#[test]
fn i07_the_user_authenticated_within_max_age() {
    let now = NOW.as_secs();
    for leeway in [0, 60] {
        for max_age in [0, 300] {
            let policy = || default().max_age(max_age).leeway(leeway);
            let edge = now - max_age - leeway;
            assert_eq!(check(policy(), &set("auth_time", edge)), Ok(()));
            assert_eq!(check(policy(), &set("auth_time", edge + 1)), Ok(()));
            let age = max_age + leeway + 1;
            assert_eq!(
                check(policy(), &set("auth_time", edge - 1)),
                Err(Error::AuthenticationTooOld { age, max_age, leeway })
            );
        }
    }
}

#[test]
fn i07_an_auth_time_in_the_future_is_recent() {
    for ahead in [1, 60, 61, 1_000_000] {
        let claims = set("auth_time", NOW.as_secs() + ahead);
        assert_eq!(check(default().max_age(0).leeway(0), &claims), Ok(()), "{ahead}");
    }
}

#[test]
fn i07_max_age_requires_auth_time() {
    let missing = Err(Error::MissingClaim(Claim::AuthTime));
    assert_eq!(check(default().max_age(0), &id_claims()), missing);
    assert_eq!(check(default().max_age(u64::MAX), &id_claims()), missing);
    assert_eq!(check(default().max_age(u64::MAX), &set("auth_time", 0)), Ok(()));
    assert_eq!(check(default(), &set("auth_time", 0)), Ok(()));
}

#[test]
fn i07_a_fraction_of_auth_time_is_dropped() {
    let claims = set("auth_time", json!(1_311_281_470.9));
    let policy = || default().max_age(0).leeway(0);
    assert_eq!(check(policy(), &claims), Ok(()));
    let token = Signer::a().sign(&claims);
    let late = NumericDate::from_secs(NOW.as_secs() + 1);
    assert_eq!(
        check_id(&policy().build().unwrap(), &token, late),
        Err(Error::AuthenticationTooOld { age: 1, max_age: 0, leeway: 0 })
    );
}

#[test]
fn i08_acr_is_one_of_those_asked_for() {
    let policy = || default().require_acr(&["silver", "gold"]);
    let wrong = |fault| Err(Error::InsufficientAuthentication(Claim::Acr, fault));
    assert_eq!(check(policy(), &set("acr", "gold")), Ok(()));
    assert_eq!(check(policy(), &set("acr", "silver")), Ok(()));
    assert_eq!(check(policy(), &id_claims()), wrong(Problem::Absent));
    for acr in ["", "bronze", "Gold", "silver gold", "gol"] {
        assert_eq!(check(policy(), &set("acr", acr)), wrong(Problem::WrongValue), "{acr}");
    }
}

#[test]
fn i08_amr_contains_each_method_asked_for() {
    let policy = || default().require_amr(&["pwd", "otp"]);
    let wrong = |fault| Err(Error::InsufficientAuthentication(Claim::Amr, fault));
    assert_eq!(check(policy(), &set("amr", json!(["otp", "x", "pwd"]))), Ok(()));
    assert_eq!(check(policy(), &id_claims()), wrong(Problem::Absent));
    for amr in [json!([]), json!(["pwd"]), json!(["pwd otp"]), json!(["PWD", "otp"])] {
        assert_eq!(check(policy(), &set("amr", amr.clone())), wrong(Problem::WrongValue), "{amr}");
    }
}

/// Returns the left half of SHA-256, for `at_hash` and `c_hash`.
fn left_half(value: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, value.as_bytes());
    Base64UrlUnpadded::encode_string(&digest.as_ref()[..16])
}

#[test]
fn i09_at_hash_belongs_to_the_access_token() {
    // OIDC Core, Appendix A.3: this access token has this hash.
    const TOKEN: &str = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
    const HASH: &str = "77QmUPtjPfzWtF2AnpK9RQ";
    assert_eq!(left_half(TOKEN), HASH);
    let expected = || any().access_token(BearerToken::new(TOKEN));
    assert_eq!(check_with(expected(), &set("at_hash", HASH)), Ok(()));
    assert_eq!(check_with(expected(), &id_claims()), Err(Error::MissingClaim(Claim::AtHash)));
    for hash in [
        "",
        "77QmUPtjPfzWtF2AnpK9R",
        "77QmUPtjPfzWtF2AnpK9RQ==",
        "77QmUPtjPfzWtF2AnpK9RR",
        "77qmUPtjPfzWtF2AnpK9RQ",
        &left_half("another token"),
    ] {
        let mismatch = Err(Error::HashMismatch(Claim::AtHash));
        assert_eq!(check_with(expected(), &set("at_hash", hash)), mismatch, "{hash}");
    }
    // Not given, so not checked.
    assert_eq!(check_with(any(), &set("at_hash", "anything")), Ok(()));
}

#[test]
fn i09_at_hash_may_be_optional_and_is_still_checked() {
    let expected = || any().access_token_if_bound(BearerToken::new("token"));
    assert_eq!(check_with(expected(), &id_claims()), Ok(()));
    assert_eq!(check_with(expected(), &set("at_hash", left_half("token"))), Ok(()));
    let mismatch = Err(Error::HashMismatch(Claim::AtHash));
    assert_eq!(check_with(expected(), &set("at_hash", left_half("other"))), mismatch);
    assert_eq!(check_with(expected(), &set("at_hash", "")), mismatch);
}

#[test]
fn i09_c_hash_belongs_to_the_code() {
    // OIDC Core, Appendix A.4: this code has this hash.
    const CODE: &str = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk";
    const HASH: &str = "LDktKdoQak3Pk0cnXxCltA";
    let expected = || any().code(CODE);
    assert_eq!(check_with(expected(), &set("c_hash", HASH)), Ok(()));
    assert_eq!(check_with(expected(), &id_claims()), Err(Error::MissingClaim(Claim::CHash)));
    let mismatch = Err(Error::HashMismatch(Claim::CHash));
    assert_eq!(check_with(expected(), &set("c_hash", left_half("other"))), mismatch);
    assert_eq!(
        check_with(expected(), &set("at_hash", HASH)),
        Err(Error::MissingClaim(Claim::CHash))
    );
    let optional = || any().code_if_bound(CODE);
    assert_eq!(check_with(optional(), &id_claims()), Ok(()));
    assert_eq!(check_with(optional(), &set("c_hash", HASH)), Ok(()));
    assert_eq!(check_with(optional(), &set("c_hash", left_half("other"))), mismatch);
}

fn with_typ(typ: &str) -> Result<(), Error> {
    let header = json!({"alg": "RS256", "typ": typ});
    check_id(&LOGIN_POLICY, &Signer::a().sign_with(&header, &id_claims()), NOW)
}

#[test]
fn i10_typ_is_absent_or_jwt() {
    let header = json!({"alg": "RS256"});
    let token = Signer::a().sign_with(&header, &id_claims());
    assert_eq!(check_id(&LOGIN_POLICY, &token, NOW), Ok(()));
    for typ in ["JWT", "jwt", "Jwt", "application/jwt", "APPLICATION/JWT"] {
        assert_eq!(with_typ(typ), Ok(()), "{typ}");
    }
    for typ in [
        "at+jwt",
        "AT+JWT",
        "application/at+jwt",
        "logout+jwt",
        "dpop+jwt",
        "secevent+jwt",
        "token-introspection+jwt",
        "oauth-authz-req+jwt",
        "JOSE",
        "JWT ",
        " JWT",
        "JWTX",
        "application/",
        "text/jwt",
        "application/application/jwt",
        "",
    ] {
        assert_eq!(with_typ(typ), Err(Error::TokenType(WrongKind::HeaderType)), "{typ}");
    }
}

#[test]
fn i11_marks_of_another_kind_are_rejected_and_can_be_allowed_by_name() {
    for (name, value, claim, mark) in [
        ("scope", json!("openid"), Claim::Scope, ForeignClaim::Scope),
        ("scope", json!(""), Claim::Scope, ForeignClaim::Scope),
        ("scp", json!(["openid"]), Claim::Scp, ForeignClaim::Scope),
        ("permissions", json!([]), Claim::Permissions, ForeignClaim::Permissions),
        ("gty", json!("client-credentials"), Claim::GrantType, ForeignClaim::GrantType),
        ("token_use", json!("access"), Claim::TokenUse, ForeignClaim::TokenUse),
        ("token_use", json!(""), Claim::TokenUse, ForeignClaim::TokenUse),
        ("token_use", json!("ID"), Claim::TokenUse, ForeignClaim::TokenUse),
        ("typ", json!("Bearer"), Claim::Typ, ForeignClaim::Typ),
        ("typ", json!("Refresh"), Claim::Typ, ForeignClaim::Typ),
        ("typ", json!("Logout"), Claim::Typ, ForeignClaim::Typ),
        ("typ", json!("id"), Claim::Typ, ForeignClaim::Typ),
        ("typ", json!("Id"), Claim::Typ, ForeignClaim::Typ),
        ("typ", json!("I"), Claim::Typ, ForeignClaim::Typ),
        ("typ", json!("IDs"), Claim::Typ, ForeignClaim::Typ),
        ("token_use", json!("i"), Claim::TokenUse, ForeignClaim::TokenUse),
        ("events", json!({}), Claim::Events, ForeignClaim::Events),
    ] {
        let claims = set(name, value);
        let foreign = Err(Error::TokenType(WrongKind::Claim(claim)));
        assert_eq!(check(default(), &claims), foreign, "{name}");
        assert_eq!(check(default().allow_foreign_claim(mark), &claims), Ok(()), "{name}");
        // Accepting another one has no effect.
        assert_eq!(
            check(default().allow_foreign_claim(ForeignClaim::Nonce), &claims),
            foreign,
            "{name}"
        );
    }
    // Nor has accepting one of two.
    let both = with(set("scope", "openid"), "events", json!({}));
    let foreign = |claim| Err(Error::TokenType(WrongKind::Claim(claim)));
    let one = default().allow_foreign_claim(ForeignClaim::Scope);
    assert_eq!(check(one, &both), foreign(Claim::Events));
    let other = default().allow_foreign_claim(ForeignClaim::Events);
    assert_eq!(check(other, &both), foreign(Claim::Scope));
    assert_eq!(check(one.allow_foreign_claim(ForeignClaim::Events), &both), Ok(()));
    assert_eq!(id(&set("token_use", "id")), Ok(()));
    assert_eq!(id(&set("typ", "ID")), Ok(()));
    assert_eq!(id(&with(set("at_hash", "x"), "c_hash", "y")), Ok(()));
}

#[test]
fn i12_an_organization_is_expected_by_its_id() {
    let expected = || any().organization("org_abc");
    let mismatch = Err(Error::OrganizationMismatch);
    assert_eq!(check_with(expected(), &set("org_id", "org_abc")), Ok(()));
    assert_eq!(
        check_with(expected(), &id_claims()),
        Err(Error::MissingClaim(Claim::OrganizationId))
    );
    for organization in ["", "org_ABC", "org_ab", "org_abcd", "abc"] {
        assert_eq!(
            check_with(expected(), &set("org_id", organization)),
            mismatch,
            "{organization}"
        );
    }
    // The name is not the ID.
    assert_eq!(
        check_with(expected(), &set("org_name", "org_abc")),
        Err(Error::MissingClaim(Claim::OrganizationId))
    );
}

#[test]
fn i12_an_organization_is_expected_by_its_name() {
    let expected = || any().organization("Acme");
    assert_eq!(check_with(expected(), &set("org_name", "acme")), Ok(()));
    assert_eq!(check_with(expected(), &set("org_name", "ACME")), Ok(()));
    assert_eq!(
        check_with(expected(), &id_claims()),
        Err(Error::MissingClaim(Claim::OrganizationName))
    );
    for name in ["", "a", "acm", "acmee", "acme-2", " acme", "org_acme"] {
        let mismatch = Err(Error::OrganizationMismatch);
        assert_eq!(check_with(expected(), &set("org_name", name)), mismatch, "{name}");
    }
    assert_eq!(
        check_with(expected(), &set("org_id", "acme")),
        Err(Error::MissingClaim(Claim::OrganizationName))
    );
    assert_eq!(any().organization("").build(), Err(ConfigError::Empty("organization")));
}

#[test]
fn i13_a_refreshed_id_token_is_from_the_same_session() {
    let issuer = trusted();
    let policy = default().trusted_audiences(&[OTHER, "third"]).build().unwrap();
    let refreshed = |first: &Value, second: &Value| {
        let trust = (&issuer, &policy);
        let (first, second) = (Signer::a().sign(first), Signer::a().sign(second));
        let (mut one, mut two) = (TokenBuffer::<4096>::new(), TokenBuffer::<4096>::new());
        let first = IdToken::validate(&first, trust, LOGIN, NOW, &mut one).unwrap();
        let second = IdToken::validate(&second, trust, LOGIN, NOW, &mut two).unwrap();
        second.verify_refreshed(&first)
    };
    let first = with(id_claims(), "azp", CLIENT_ID);
    assert_eq!(refreshed(&first, &first), Ok(()));
    assert_eq!(refreshed(&first, &with(first.clone(), "iat", IAT + 10)), Ok(()));
    assert_eq!(refreshed(&first, &with(first.clone(), "aud", json!([CLIENT_ID]))), Ok(()));
    let mismatch = |claim| Err(Error::RefreshMismatch(claim));
    let other_user = with(first.clone(), "sub", "auth0|654321");
    assert_eq!(refreshed(&first, &other_user), mismatch(Claim::Subject));
    let no_azp = without(first.clone(), "azp");
    assert_eq!(refreshed(&first, &no_azp), mismatch(Claim::AuthorizedParty));
    assert_eq!(refreshed(&no_azp, &first), mismatch(Claim::AuthorizedParty));
    let more = with(first.clone(), "aud", json!([CLIENT_ID, OTHER]));
    assert_eq!(refreshed(&first, &more), mismatch(Claim::Audience));
    assert_eq!(refreshed(&more, &first), mismatch(Claim::Audience));
    let third = with(first.clone(), "aud", json!([CLIENT_ID, "third"]));
    assert_eq!(refreshed(&more, &third), mismatch(Claim::Audience));
    let turned = with(first, "aud", json!([OTHER, CLIENT_ID]));
    assert_eq!(refreshed(&more, &turned), Ok(()));
}

#[test]
fn i13_a_refreshed_id_token_has_no_other_nonce() {
    let issuer = trusted();
    let policy = LOGIN_POLICY;
    let refreshed = |first: &Value, second: &Value| {
        let trust = (&issuer, &policy);
        let (first, second) = (Signer::a().sign(first), Signer::a().sign(second));
        let (mut one, mut two) = (TokenBuffer::<4096>::new(), TokenBuffer::<4096>::new());
        let first = IdToken::validate(&first, trust, LOGIN, NOW, &mut one).unwrap();
        let second = IdToken::validate(&second, trust, LOGIN, NOW, &mut two).unwrap();
        second.verify_refreshed(&first)
    };
    let (none, some, other) = (id_claims(), set("nonce", "n-1"), set("nonce", "n-2"));
    let mismatch = Err(Error::RefreshMismatch(Claim::Nonce));
    assert_eq!(refreshed(&some, &some), Ok(()));
    assert_eq!(refreshed(&some, &none), Ok(()));
    assert_eq!(refreshed(&some, &other), mismatch);
    assert_eq!(refreshed(&none, &other), mismatch);
}

#[test]
fn i13_a_refreshed_id_token_is_from_the_same_issuer() {
    const SECOND: &str = "https://second.example/";
    let second = claimgate::Issuer::new(SECOND, keys_of(&Signer::a())).unwrap();
    let issuers = [trusted(), second];
    let trust = (&issuers[..], &LOGIN_POLICY);
    let (first, second) = (Signer::a().sign(&id_claims()), Signer::a().sign(&set("iss", SECOND)));
    let (mut one, mut two) = (TokenBuffer::<4096>::new(), TokenBuffer::<4096>::new());
    let first = IdToken::validate(&first, trust, LOGIN, NOW, &mut one).unwrap();
    let second = IdToken::validate(&second, trust, LOGIN, NOW, &mut two).unwrap();
    assert_eq!(second.verify_refreshed(&first), Err(Error::RefreshMismatch(Claim::Issuer)));
}

#[test]
fn i14_a_userinfo_response_is_about_the_same_user() {
    let issuer = trusted();
    let token = Signer::a().sign(&id_claims());
    let mut buffer = TokenBuffer::<4096>::new();
    let token =
        IdToken::validate(&token, (&issuer, &LOGIN_POLICY), LOGIN, NOW, &mut buffer).unwrap();
    let read = |response: &Value| {
        let mut buffer = TokenBuffer::<1024>::new();
        token
            .user_info(&response.to_string(), &mut buffer)
            .map(|user| user.email().map(str::to_owned))
    };
    let email = "jane@example.com";
    let response = json!({"sub": "auth0|123456", "email": email});
    assert_eq!(read(&response), Ok(Some(email.to_owned())));
    for sub in ["", "auth0|12345", "auth0|1234567", "AUTH0|123456"] {
        let other = with(response.clone(), "sub", sub);
        assert_eq!(read(&other), Err(Error::SubjectMismatch), "{sub}");
    }
    assert_eq!(read(&json!({"email": email})), Err(Error::MissingClaim(Claim::Subject)));
    // Nothing is read before the subject.
    let other = json!({"sub": "other", "email": 1});
    assert_eq!(read(&other), Err(Error::SubjectMismatch));
}

#[test]
fn i14_booleans_in_quotes_are_taken_only_if_asked_for() {
    let issuer = trusted();
    let token = Signer::a().sign(&id_claims());
    let mut buffer = TokenBuffer::<4096>::new();
    let token =
        IdToken::validate(&token, (&issuer, &LOGIN_POLICY), LOGIN, NOW, &mut buffer).unwrap();
    let mut buffer = TokenBuffer::<1024>::new();
    for (value, verified) in [("true", true), ("false", false)] {
        let response = json!({"sub": "auth0|123456", "email_verified": value}).to_string();
        let wrong = Error::ClaimType(Claim::EmailVerified, claimgate::error::JsonType::Boolean);
        assert_eq!(token.user_info(&response, &mut buffer).map(|_| ()), Err(wrong));
        let user = token.user_info_with_string_booleans(&response, &mut buffer).unwrap();
        assert_eq!(user.email_verified(), Some(verified));
    }
    let response = r#"{"sub":"auth0|123456","email_verified":true}"#;
    let user = token.user_info(response, &mut buffer).unwrap();
    assert_eq!(user.email_verified(), Some(true));
    // The response for another user is rejected in either case.
    let other = r#"{"sub":"other","email_verified":"true"}"#;
    let mismatch = Err(Error::SubjectMismatch);
    assert_eq!(token.user_info(other, &mut buffer).map(|_| ()), mismatch);
    let verdict = token.user_info_with_string_booleans(other, &mut buffer).map(|_| ());
    assert_eq!(verdict, mismatch);
}

#[test]
fn i15_standard_claims_are_typed() {
    let issuer = trusted();
    let claims = json!({
        "iss": ISSUER, "sub": "1", "aud": CLIENT_ID, "exp": EXP, "iat": IAT,
        "name": "Jörg \"J\" 😀", "given_name": "a", "family_name": "b", "middle_name": "c",
        "nickname": "d", "preferred_username": "e", "profile": "f", "picture": "g",
        "website": "h", "email": "i", "email_verified": true, "gender": "j", "birthdate": "k",
        "zoneinfo": "l", "locale": "m", "phone_number": "n", "phone_number_verified": false,
        "address": {"formatted": "o\np", "street_address": "q", "locality": "r", "region": "s",
            "postal_code": "t", "country": "u", "other": 1},
        "updated_at": IAT,
    });
    let token = Signer::a().sign(&claims);
    let mut buffer = TokenBuffer::<4096>::new();
    let token =
        IdToken::validate(&token, (&issuer, &LOGIN_POLICY), LOGIN, NOW, &mut buffer).unwrap();
    let user = token.user();
    assert_eq!(user.name(), Some("Jörg \"J\" 😀"));
    let strings = [
        user.given_name(),
        user.family_name(),
        user.middle_name(),
        user.nickname(),
        user.preferred_username(),
        user.profile(),
        user.picture(),
        user.website(),
        user.email(),
        user.gender(),
        user.birthdate(),
        user.zoneinfo(),
        user.locale(),
        user.phone_number(),
    ];
    let expected = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n"];
    assert_eq!(strings.map(Option::unwrap), expected);
    assert_eq!((user.email_verified(), user.phone_number_verified()), (Some(true), Some(false)));
    assert_eq!(user.updated_at(), Some(NumericDate::from_secs(IAT)));
    let address = user.address().unwrap();
    let parts = [
        address.formatted(),
        address.street_address(),
        address.locality(),
        address.region(),
        address.postal_code(),
        address.country(),
    ];
    assert_eq!(parts.map(Option::unwrap), ["o\np", "q", "r", "s", "t", "u"]);
}

#[test]
fn i15_auth0s_updated_at_is_a_timestamp() {
    let claims = set("updated_at", "2011-07-21T20:42:50.000Z");
    let issuer = trusted();
    let token = Signer::a().sign(&claims);
    let mut buffer = TokenBuffer::<4096>::new();
    let token =
        IdToken::validate(&token, (&issuer, &LOGIN_POLICY), LOGIN, NOW, &mut buffer).unwrap();
    assert_eq!(token.user().updated_at(), Some(NumericDate::from_secs(IAT)));
    let shape = claimgate::error::JsonType::NumericDateOrTimestamp;
    for text in ["", "yesterday", "2011-07-21", "1311280970"] {
        let wrong = Err(Error::ClaimType(Claim::UpdatedAt, shape));
        assert_eq!(id(&set("updated_at", text)), wrong, "{text}");
    }
}

#[test]
fn i15_booleans_in_quotes_are_taken_only_if_asked_for() {
    let wrong = |claim| Err(Error::ClaimType(claim, claimgate::error::JsonType::Boolean));
    for (name, claim) in [
        ("email_verified", Claim::EmailVerified),
        ("phone_number_verified", Claim::PhoneNumberVerified),
    ] {
        for value in ["true", "false"] {
            let claims = set(name, value);
            assert_eq!(id(&claims), wrong(claim));
            assert_eq!(check(default().accept_string_booleans(), &claims), Ok(()));
        }
    }
    for value in ["True", "1", "", "yes"] {
        let claims = set("phone_number_verified", value);
        let policy = default().accept_string_booleans();
        assert_eq!(check(policy, &claims), wrong(Claim::PhoneNumberVerified), "{value}");
    }
}

#[test]
fn i15_each_scope_asks_for_its_claims() {
    assert_eq!(StandardScope::Profile.claims().len(), 14);
    assert_eq!(StandardScope::Email.claims(), [Claim::Email, Claim::EmailVerified]);
    assert_eq!(StandardScope::Address.claims(), [Claim::Address]);
    let phone = [Claim::PhoneNumber, Claim::PhoneNumberVerified];
    assert_eq!(StandardScope::Phone.claims(), phone);
    assert_eq!(StandardScope::requesting(Claim::Nickname), Some(StandardScope::Profile));
    assert_eq!(StandardScope::requesting(Claim::Issuer), None);
}
