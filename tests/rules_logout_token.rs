//! The rule book, logout tokens: L1 to L6.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]

mod support;

use claimgate::error::{Claim, ConfigError, Input, JsonType, WrongKind};
use claimgate::policy::LogoutTokenPolicy;
use claimgate::policy::{LogoutTokenPolicyBuilder, Rule, RuleSet};
use claimgate::replay::{ReplayWindow, TokenId};
use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, Error, IdToken, Issuer, Login, LogoutToken, Nonce,
    NumericDate, TokenBuffer, Validated,
};
use serde_json::{Value, json};
use support::*;

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "auth0|123456", "sid": "session-1", "aud": CLIENT_ID,
        "iat": IAT, "exp": EXP, "jti": "bWJq", "events": { EVENT: {} },
    })
}

fn set(name: &str, value: impl Into<Value>) -> Value {
    with(claims(), name, value)
}

fn header(typ: &str) -> Value {
    json!({"alg": "RS256", "typ": typ, "kid": "key-a"})
}

fn policy() -> LogoutTokenPolicyBuilder<'static> {
    LogoutTokenPolicy::new(CLIENT_ID)
}

/// Returns the verdict on a token with one issuer, with a list, and by `explain`.
#[track_caller]
fn judge(policy: LogoutTokenPolicyBuilder<'_>, text: &str, now: NumericDate) -> Result<(), Error> {
    let policy = policy.build().unwrap();
    let signer = Signer::a();
    let issuer = Issuer::new(ISSUER, keys_of(&signer)).unwrap();
    let mut buffer = TokenBuffer::<4096>::new();
    let one = LogoutToken::validate(text, (&issuer, &policy), now, &mut buffer).map(|_| ());
    let explained = LogoutToken::explain(text, (&issuer, &policy), now, &mut buffer);
    if let Ok(broken) = explained {
        assert_eq!(broken.is_empty(), one.is_ok(), "{broken:?}");
    } else {
        assert_eq!(explained.map(|_| ()), one);
    }
    let other = Issuer::new("https://other.example/", keys_of(&Signer::b())).unwrap();
    let pairs = [(other, policy), (issuer, policy)];
    let among = LogoutToken::validate(text, &pairs, now, &mut buffer).map(|_| ());
    if among != Err(Error::UnknownIssuer) {
        assert_eq!(among, one);
    } else {
        assert!(one.is_err());
    }
    one
}

#[track_caller]
fn check(claims: &Value) -> Result<(), Error> {
    judge(policy(), &Signer::a().sign(claims), NOW)
}

#[test]
fn l01_a_logout_token_is_a_type_of_its_own() {
    let signer = Signer::a();
    let issuer = Issuer::new(ISSUER, keys_of(&signer)).unwrap();
    let policy = policy().build().unwrap();
    let mut buffer = TokenBuffer::<4096>::new();
    let text = signer.sign_with(&header("logout+jwt"), &claims());
    let token = LogoutToken::validate(&text, (&issuer, &policy), NOW, &mut buffer).unwrap();
    assert_eq!(token.issuer(), ISSUER);
    assert_eq!(token.subject(), Some("auth0|123456"));
    assert_eq!(token.session_id(), Some("session-1"));
    assert_eq!(token.token_id(), Some("bWJq"));
    assert_eq!(token.issued_at(), Some(NumericDate::from_secs(IAT)));
    assert_eq!(token.expiry(), Some(NumericDate::from_secs(EXP)));
    assert!(token.audience().contains(CLIENT_ID));
    assert_eq!(format!("{token:?}"), "Validated(LogoutToken { .. })");
    let owned = token.to_owned_token::<1024>().unwrap();
    assert_eq!(owned.token(), token);
    assert_eq!(format!("{owned:?}"), "OwnedLogoutToken { .. }");

    // It is accepted neither as an ID token nor as an access token, with or without its `typ`.
    for text in
        [text.clone(), signer.sign(&claims()), signer.sign(&set("aud", json!([CLIENT_ID, API])))]
    {
        let login = Login::new(Nonce::Ignore).build().unwrap();
        let login_policy = claimgate::IdTokenPolicy::new(CLIENT_ID).trusted_audiences(&[API]);
        let login_policy = login_policy.build().unwrap();
        let id = IdToken::validate(&text, (&issuer, &login_policy), login, NOW, &mut buffer);
        assert!(matches!(id, Err(Error::TokenType(_))), "{id:?}");
        let api = AccessTokenPolicy::general(CLIENT_ID).build().unwrap();
        let access =
            AccessToken::validate(BearerToken::new(&text), (&issuer, &api), NOW, &mut buffer);
        assert!(matches!(access, Err(Error::TokenType(_))), "{access:?}");
    }
    // And the other way round.
    assert_eq!(check(&id_claims()), Err(Error::MissingClaim(Claim::Events)));
    let access = with(access_claims(), "aud", CLIENT_ID);
    assert_eq!(check(&access), Err(Error::MissingClaim(Claim::Events)));
}

#[test]
fn l01_issuer_audience_and_signature_are_checked_as_for_id_tokens() {
    assert_eq!(check(&claims()), Ok(()));
    assert_eq!(check(&set("iss", "https://my-domain.auth0.com")), Err(Error::IssuerMismatch));
    assert_eq!(check(&without(claims(), "iss")), Err(Error::MissingClaim(Claim::Issuer)));
    assert_eq!(check(&without(claims(), "aud")), Err(Error::MissingClaim(Claim::Audience)));
    assert_eq!(check(&set("aud", API)), Err(Error::AudienceMismatch { audiences: 1 }));
    assert_eq!(check(&set("aud", json!([]))), Err(Error::AudienceMismatch { audiences: 0 }));
    let both = set("aud", json!([CLIENT_ID, "another"]));
    assert_eq!(check(&both), Err(Error::UntrustedAudience { audiences: 2 }));
    let text = Signer::a().sign(&both);
    assert_eq!(judge(policy().trusted_audiences(&["another"]), &text, NOW), Ok(()));
    assert_eq!(judge(policy().or_client_ids(&["another"]), &text, NOW), Ok(()));
    let forged = Signer::b().sign_with(&json!({"alg": "RS256", "kid": "key-a"}), &claims());
    assert_eq!(judge(policy(), &forged, NOW), Err(Error::InvalidSignature));
    // Claims of other kinds.
    for (name, value) in [
        ("scope", json!("openid")),
        ("permissions", json!([])),
        ("gty", json!("password")),
        ("at_hash", json!("AA")),
        ("c_hash", json!("AA")),
        ("s_hash", json!("AA")),
        ("token_use", json!("id")),
        ("typ", json!("ID")),
        ("typ", json!("Bearer")),
    ] {
        let verdict = check(&set(name, value));
        assert!(
            matches!(verdict, Err(Error::TokenType(WrongKind::Claim(_)))),
            "{name} {verdict:?}"
        );
    }
    assert_eq!(check(&set("typ", "Logout")), Ok(()));
}

#[test]
fn l02_typ_is_logout_jwt_jwt_or_absent() {
    let judge_typ =
        |header: Value| judge(policy(), &Signer::a().sign_with(&header, &claims()), NOW);
    assert_eq!(judge_typ(json!({"alg": "RS256", "kid": "key-a"})), Ok(()));
    for typ in [
        "logout+jwt",
        "LOGOUT+JWT",
        "application/logout+jwt",
        "APPLICATION/Logout+jwt",
        "JWT",
        "jwt",
        "application/jwt",
    ] {
        assert_eq!(judge_typ(header(typ)), Ok(()), "{typ}");
    }
    for typ in [
        "at+jwt",
        "dpop+jwt",
        "secevent+jwt",
        "logout",
        "",
        "logout+jwt ",
        "application/",
        "text/logout+jwt",
    ] {
        assert_eq!(judge_typ(header(typ)), Err(Error::TokenType(WrongKind::HeaderType)), "{typ}");
    }
}

#[test]
fn l03_events_names_the_logout() {
    let missing = Err(Error::MissingClaim(Claim::Events));
    let wrong = Err(Error::ClaimType(Claim::Events, JsonType::Object));
    assert_eq!(check(&without(claims(), "events")), missing);
    for events in [
        json!({}),
        json!({"backchannel-logout": {}}),
        json!({"http://schemas.openid.net/event/": {}}),
        json!({"http://schemas.openid.net/event/backchannel-logout/": {}}),
        json!({"HTTP://schemas.openid.net/event/backchannel-logout": {}}),
        json!({"http://schemas.openid.net/event/backchannel-logou": {}}),
    ] {
        assert_eq!(check(&set("events", events.clone())), missing, "{events}");
    }
    for events in [json!(EVENT), json!([EVENT]), json!(null), json!(true), json!(1)] {
        assert_eq!(check(&set("events", events.clone())), wrong, "{events}");
    }
    for event in [json!(null), json!(true), json!("x"), json!([]), json!(1)] {
        assert_eq!(check(&set("events", json!({ EVENT: event }))), wrong, "{event}");
    }
    for event in [json!({}), json!({"a": 1})] {
        assert_eq!(check(&set("events", json!({ EVENT: event }))), Ok(()));
    }
    let more = json!({ EVENT: {}, "https://example.com/other": {} });
    assert_eq!(check(&set("events", more)), Ok(()));
}

#[test]
fn f06_a_member_of_events_or_of_the_event_is_not_given_twice() {
    let header = header("logout+jwt").to_string();
    let duplicate = Err(Error::DuplicateMember(Input::Payload));
    let escaped = EVENT.replace('/', r"\u002f");
    for (events, expected) in [
        (format!(r#"{{"{EVENT}":{{}},"{EVENT}":{{}}}}"#), duplicate),
        (format!(r#"{{"{EVENT}":{{}},"{escaped}":{{}}}}"#), duplicate),
        (format!(r#"{{"{EVENT}":{{}},"a":1,"\u0061":1}}"#), duplicate),
        (format!(r#"{{"{EVENT}":{{"a":1,"a":1}}}}"#), duplicate),
        (format!(r#"{{"{escaped}":{{"a":1,"\u0061":2}}}}"#), duplicate),
        (format!(r#"{{"{EVENT}":{{"a":1,"A":1}},"a":1,"A":1}}"#), Ok(())),
        // Of objects that are not read, only the grammar is checked.
        (format!(r#"{{"{EVENT}":{{"a":{{"b":1,"b":1}}}}}}"#), Ok(())),
    ] {
        let claims = without(claims(), "events").to_string();
        let payload = format!(r#"{{"events":{events},{}"#, &claims[1..]);
        let text = Signer::a().sign_raw(header.as_bytes(), payload.as_bytes());
        assert_eq!(judge(policy(), &text, NOW), expected, "{events}");
    }
}

#[test]
fn f07_a_registered_claim_of_a_logout_token_has_its_type_even_if_nothing_checks_it() {
    let values = one_of_each_type();
    let (string, date, list, object) = (&[3][..], &[2][..], &[3, 4, 5][..], &[7][..]);
    for (name, claim, expected, right) in [
        ("iss", Claim::Issuer, JsonType::String, string),
        ("sub", Claim::Subject, JsonType::String, string),
        ("aud", Claim::Audience, JsonType::StringOrStrings, list),
        ("exp", Claim::Expiry, JsonType::NumericDate, date),
        ("nbf", Claim::NotBefore, JsonType::NumericDate, date),
        ("iat", Claim::IssuedAt, JsonType::NumericDate, date),
        ("jti", Claim::TokenId, JsonType::String, string),
        ("sid", Claim::SessionId, JsonType::String, string),
        ("azp", Claim::AuthorizedParty, JsonType::String, string),
        ("client_id", Claim::ClientId, JsonType::String, string),
        ("nonce", Claim::Nonce, JsonType::String, string),
        ("auth_time", Claim::AuthTime, JsonType::NumericDate, date),
        ("acr", Claim::Acr, JsonType::String, string),
        ("amr", Claim::Amr, JsonType::Strings, &[4, 5]),
        ("at_hash", Claim::AtHash, JsonType::String, string),
        ("c_hash", Claim::CHash, JsonType::String, string),
        ("s_hash", Claim::SHash, JsonType::String, string),
        ("scope", Claim::Scope, JsonType::Scope, list),
        ("scp", Claim::Scp, JsonType::Scope, list),
        ("permissions", Claim::Permissions, JsonType::Strings, &[4, 5]),
        ("gty", Claim::GrantType, JsonType::StringOrStrings, list),
        ("cnf", Claim::Confirmation, JsonType::Object, object),
        ("token_use", Claim::TokenUse, JsonType::String, string),
        ("typ", Claim::Typ, JsonType::String, string),
        ("org_id", Claim::OrganizationId, JsonType::String, string),
        ("org_name", Claim::OrganizationName, JsonType::String, string),
    ] {
        for (index, value) in values.iter().enumerate() {
            let verdict = check(&set(name, value.clone()));
            let is_wrong_type = verdict == Err(Error::ClaimType(claim, expected));
            assert_eq!(is_wrong_type, !right.contains(&index), "{name}: {value} gave {verdict:?}");
        }
    }
}

#[test]
fn l04_sub_or_sid_and_iat_exp_and_jti_are_there() {
    assert_eq!(check(&without(claims(), "sub")), Ok(()));
    assert_eq!(check(&without(claims(), "sid")), Ok(()));
    let neither = without(without(claims(), "sub"), "sid");
    assert_eq!(check(&neither), Err(Error::MissingClaim(Claim::Subject)));
    assert_eq!(check(&set("sub", "")), Err(Error::MissingClaim(Claim::Subject)));
    assert_eq!(check(&set("sid", "")), Err(Error::MissingClaim(Claim::SessionId)));
    for value in [json!(1), json!(null), json!([]), json!(true)] {
        let wrong = |claim| Err(Error::ClaimType(claim, JsonType::String));
        assert_eq!(check(&set("sid", value.clone())), wrong(Claim::SessionId));
        assert_eq!(check(&set("sub", value.clone())), wrong(Claim::Subject));
        assert_eq!(check(&set("jti", value)), wrong(Claim::TokenId));
    }
    for (name, claim) in [("iat", Claim::IssuedAt), ("exp", Claim::Expiry), ("jti", Claim::TokenId)]
    {
        assert_eq!(check(&without(claims(), name)), Err(Error::MissingClaim(claim)), "{name}");
    }
    assert_eq!(check(&set("jti", "")), Err(Error::MissingClaim(Claim::TokenId)));
}

#[test]
fn l04_times_hold_on_both_sides() {
    for leeway in [0, 60] {
        let text = Signer::a().sign(&claims());
        let at = |now| judge(policy().leeway(leeway), &text, NumericDate::from_secs(now));
        assert_eq!(at(EXP + leeway - 1), Ok(()));
        for now in [EXP + leeway, EXP + leeway + 1] {
            assert_eq!(at(now), Err(Error::Expired { exp: EXP, now, leeway }));
        }
        assert_eq!(at(IAT - leeway), Ok(()));
        let now = IAT - leeway - 1;
        assert_eq!(at(now), Err(Error::IssuedInFuture { iat: IAT, now, leeway }));
        let aged = |now| {
            judge(policy().leeway(leeway).max_token_age(100), &text, NumericDate::from_secs(now))
        };
        assert_eq!(aged(IAT + 100 + leeway), Ok(()));
        let age = 101 + leeway;
        assert_eq!(aged(IAT + age), Err(Error::TokenTooOld { age, limit: 100, leeway }));
    }
}

#[test]
fn l04_a_token_without_exp_has_a_greatest_age_where_a_setting_says_so() {
    for leeway in [0, 60] {
        let setting = || policy().leeway(leeway).accept_without_expiry(120);
        let text = Signer::a().sign(&without(claims(), "exp"));
        let at = |now| judge(setting(), &text, NumericDate::from_secs(now));
        assert_eq!(at(IAT + 120 + leeway), Ok(()));
        let age = 121 + leeway;
        assert_eq!(at(IAT + age), Err(Error::TokenTooOld { age, limit: 120, leeway }));
        // It applies neither to a token that has one, nor to one without `iat`.
        let text = Signer::a().sign(&claims());
        let now = EXP + leeway;
        let expired = Err(Error::Expired { exp: EXP, now, leeway });
        assert_eq!(judge(setting(), &text, NumericDate::from_secs(now)), expired);
        let text = Signer::a().sign(&without(without(claims(), "exp"), "iat"));
        assert_eq!(judge(setting(), &text, NOW), Err(Error::MissingClaim(Claim::IssuedAt)));
    }
}

#[test]
fn l05_there_is_no_nonce() {
    for nonce in ["", "n-0S6_WzA2Mj"] {
        assert_eq!(check(&set("nonce", nonce)), Err(Error::UnexpectedClaim(Claim::Nonce)));
    }
}

#[test]
fn l06_a_token_is_used_once() {
    let signer = Signer::a();
    let issuer = Issuer::new(ISSUER, keys_of(&signer)).unwrap();
    let policy = policy().build().unwrap();
    let mut window = ReplayWindow::<2>::new();
    let mut buffer = TokenBuffer::<4096>::new();
    let mut use_once = |claims: &Value| {
        let text = signer.sign(claims);
        let token = LogoutToken::validate(&text, (&issuer, &policy), NOW, &mut buffer)?;
        let until = NumericDate::from_secs(token.expiry().unwrap().as_secs() + 60);
        let id = TokenId::logout_token::<TestKey>(token.issuer(), token.token_id().unwrap());
        window.admit(id.unwrap(), until, NOW).map_err(Error::from)
    };
    assert_eq!(use_once(&claims()), Ok(()));
    assert_eq!(use_once(&claims()), Err(Error::Replayed));
    assert_eq!(use_once(&set("sub", "somebody")), Err(Error::Replayed));
    assert_eq!(use_once(&set("jti", "bWJr")), Ok(()));
    assert_eq!(use_once(&set("jti", "bWJs")), Err(Error::ReplayWindowFull));
}

#[test]
fn l01_mistakes_in_a_policy_are_found() {
    let built = |policy: LogoutTokenPolicyBuilder<'static>| policy.build().map(|_| ());
    assert_eq!(built(policy()), Ok(()));
    let empty = Err(ConfigError::Empty("client ID"));
    assert_eq!(built(LogoutTokenPolicy::new("")), empty);
    assert_eq!(built(policy().or_client_ids(&["a", ""])), empty);
    assert_eq!(
        built(policy().trusted_audiences(&[""])),
        Err(ConfigError::Empty("trusted audience"))
    );
    assert_eq!(built(policy().leeway(601)), Err(ConfigError::LeewayTooLong));
}

#[test]
fn l01_all_broken_rules_are_told() {
    let signer = Signer::a();
    let issuer = Issuer::new(ISSUER, keys_of(&signer)).unwrap();
    let policy = policy().build().unwrap();
    let mut buffer = TokenBuffer::<4096>::new();
    let mut explain = |claims: &Value, typ: &str| -> RuleSet {
        let text = signer.sign_with(&header(typ), claims);
        LogoutToken::explain(&text, (&issuer, &policy), NOW, &mut buffer).unwrap()
    };
    assert!(explain(&claims(), "JWT").is_empty());
    let broken = explain(&json!({"iat": EXP * 2, "nonce": "n", "scope": "a"}), "at+jwt");
    let rules: Vec<Rule> = broken.iter().collect();
    for rule in [
        Rule::Issuer,
        Rule::Expiry,
        Rule::IssuedAt,
        Rule::Audience,
        Rule::HeaderType,
        Rule::LogoutEvent,
        Rule::ForeignClaims,
        Rule::Subject,
        Rule::RequiredClaims,
        Rule::Nonce,
    ] {
        assert!(rules.contains(&rule), "{rule:?}");
    }
    assert!(LogoutTokenPolicy::rules().all(|rule| rule != Rule::Scope));
}

#[test]
fn l01_a_kept_token_is_the_same() {
    fn is_send<T: Send + Sync + 'static>(_: &T) {}
    let signer = Signer::a();
    let issuer = Issuer::new(ISSUER, keys_of(&signer)).unwrap();
    let policy = policy().build().unwrap();
    let mut buffer = TokenBuffer::<4096>::new();
    let text = signer.sign(&set("sid", "say \"hi\""));
    let token: Validated<LogoutToken<'_>> =
        LogoutToken::validate(&text, (&issuer, &policy), NOW, &mut buffer).unwrap();
    let owned = token.to_owned_token::<1024>().unwrap();
    is_send(&owned);
    assert_eq!(owned.token().session_id(), Some("say \"hi\""));
}
