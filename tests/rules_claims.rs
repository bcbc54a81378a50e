//! The rule book, claim rules, tenants and the end of a verdict: C9 to C11.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]

mod support;

use std::slice;

use claimgate::cache::VerifiedTokenCache;
use claimgate::error::{Claim, ConfigError, Input, JsonType, Problem};
use claimgate::policy::{ClaimRule, Rule};
use claimgate::trust::TenantIssuer;
use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, Challenge, Error, IdToken, IdTokenPolicy, Issuer,
    Login, Nonce, NumericDate, TokenBuffer, at_compile_time,
};
use serde_json::{Value, json};
use support::*;

/// Returns the verdict of one rule on a demonstration token with these additional claims, by
/// every validation function.
#[track_caller]
fn verdict(rule: Result<ClaimRule<'_>, ConfigError>, claims: &Value) -> Result<(), Error> {
    verdict_of_text(&[rule.unwrap()], &merged(access_claims(), claims).to_string())
}

fn merged(mut claims: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

/// Validates an access token and an ID token with the same rules.
#[track_caller]
fn verdict_of_text(rules: &[ClaimRule<'_>], payload: &str) -> Result<(), Error> {
    let signer = Signer::a();
    let issuer = Issuer::new(ISSUER, keys_of(&signer)).unwrap();
    let header = format!(r#"{{"alg":"RS256","kid":"{}"}}"#, signer.kid);
    let text = signer.sign_raw(header.as_bytes(), payload.as_bytes());
    let token = BearerToken::new(&text);
    let policy = AccessTokenPolicy::general(API).require_claims(rules).build().unwrap();
    let trust = (&issuer, &policy);
    let mut buffer = TokenBuffer::<8192>::new();
    let plain = AccessToken::validate(token, trust, NOW, &mut buffer).map(|_| ());

    let mut cache = VerifiedTokenCache::<2, 4096>::new();
    for _ in 0..2 {
        let cached = AccessToken::validate_cached(token, trust, NOW, &mut buffer, &mut cache);
        assert_eq!(cached.map(|_| ()), plain);
    }
    assert_eq!(cache.hits(), u64::from(plain.is_ok()));

    let failed = AccessToken::explain(token, trust, NOW, &mut buffer).map(|set| {
        assert_eq!(set.contains(Rule::Claims), !set.is_empty());
        set.is_empty()
    });
    assert_eq!(
        failed,
        plain.map(|()| true).or_else(|error| match error {
            Error::ClaimMismatch { .. } | Error::DuplicateMember(_) | Error::InvalidJson(..) =>
                Ok(false),
            other => Err(other),
        })
    );

    // Afterwards, per route.
    let open = AccessTokenPolicy::general(API).build().unwrap();
    if let Ok(token) = AccessToken::validate(token, (&issuer, &open), NOW, &mut buffer) {
        let forbidden = token.authorize_claims(rules).map_err(Error::from);
        assert_eq!(forbidden, plain);
    }

    // The same rules for an ID token: `aud` may contain the application.
    let id_policy = IdTokenPolicy::new(CLIENT_ID).trusted_audiences(&[API, USER_INFO]);
    let id_policy = id_policy.allow_foreign_claim(claimgate::policy::ForeignClaim::Scope);
    let id_policy = id_policy.require_claims(rules).build().unwrap();
    let id_text =
        payload.replacen(&format!("[\"{API}\""), &format!("[\"{CLIENT_ID}\",\"{API}\""), 1);
    let id_text = signer.sign_raw(header.as_bytes(), id_text.as_bytes());
    let login = Login::new(Nonce::Ignore).build().unwrap();
    let id = IdToken::validate(&id_text, (&issuer, &id_policy), login, NOW, &mut buffer);
    assert_eq!(id.map(|_| ()), plain);
    plain
}

const USER_INFO: &str = "https://my-domain.auth0.com/userinfo";

const fn mismatch(problem: Problem) -> Result<(), Error> {
    Err(Error::ClaimMismatch { rule: 0, problem })
}

#[test]
fn c09_equals_compares_a_string() {
    let rule = || ClaimRule::equals(&["repository"], "octo-org/octo-repo");
    let claims = |value: Value| json!({ "repository": value });
    assert_eq!(verdict(rule(), &claims(json!("octo-org/octo-repo"))), Ok(()));
    assert_eq!(verdict(rule(), &json!({})), mismatch(Problem::Absent));
    for value in [
        json!(42),
        json!(true),
        json!(null),
        json!([]),
        json!({}),
        json!(["octo-org/octo-repo"]),
        json!({"octo-org/octo-repo": true}),
    ] {
        assert_eq!(
            verdict(rule(), &claims(value.clone())),
            mismatch(Problem::WrongType),
            "{value}"
        );
    }
    for value in [
        "",
        "octo-org/octo-rep",
        "octo-org/octo-repo2",
        "OCTO-ORG/octo-repo",
        "octo-org/octo-repo ",
    ] {
        assert_eq!(
            verdict(rule(), &claims(json!(value))),
            mismatch(Problem::WrongValue),
            "{value}"
        );
    }
    assert_eq!(verdict(ClaimRule::equals(&["a"], ""), &json!({"a": ""})), Ok(()));
    assert_eq!(verdict(ClaimRule::equals(&["sub"], "auth0|123456"), &json!({})), Ok(()));
    let quoted = || ClaimRule::equals(&["a"], "say \"hi\"\n\\");
    assert_eq!(verdict(quoted(), &json!({"a": "say \"hi\"\n\\"})), Ok(()));
    assert_eq!(verdict(quoted(), &json!({"a": "say \"hi\"\n/"})), mismatch(Problem::WrongValue));
}

#[test]
fn c09_equals_compares_an_integer() {
    let rule = |value| ClaimRule::equals_integer(&["n"], value);
    for value in [0, 1, -1, 42, i64::MAX, i64::MIN] {
        assert_eq!(verdict(rule(value), &json!({ "n": value })), Ok(()), "{value}");
        let others = [value.wrapping_add(1), value.wrapping_sub(1)];
        for other in others {
            assert_eq!(verdict(rule(value), &json!({ "n": other })), mismatch(Problem::WrongValue));
        }
    }
    let text = |number: &str| {
        let claims = access_claims().to_string();
        verdict_of_text(
            &[rule(1).unwrap()],
            &claims.replacen('{', &format!("{{\"n\":{number},"), 1),
        )
    };
    assert_eq!(text("1"), Ok(()));
    for number in ["1.0", "1e0", "10e-1", "1.5", "-0", "\"1\"", "true", "null", "[1]"] {
        assert_eq!(text(number), mismatch(Problem::WrongType), "{number}");
    }
    for number in ["-1", "11", "9223372036854775808", "18446744073709551616", "0"] {
        assert_eq!(text(number), mismatch(Problem::WrongValue), "{number}");
    }
    assert_eq!(verdict(rule(1), &json!({})), mismatch(Problem::Absent));
}

#[test]
fn c09_equals_compares_a_boolean() {
    let rule = |value| ClaimRule::equals_boolean(&["email_verified"], value);
    for value in [true, false] {
        let claims = |value: Value| json!({ "email_verified": value });
        assert_eq!(verdict(rule(value), &claims(json!(value))), Ok(()));
        assert_eq!(verdict(rule(value), &claims(json!(!value))), mismatch(Problem::WrongValue));
        assert_eq!(verdict(rule(value), &json!({})), mismatch(Problem::Absent));
        // An ID token with such a claim is rejected before because of its type.
        let rule = |value| ClaimRule::equals_boolean(&["admin"], value);
        for other in [json!("true"), json!(1), json!(0), json!(null), json!([value]), json!("")] {
            let claims = json!({ "admin": other });
            assert_eq!(verdict(rule(value), &claims), mismatch(Problem::WrongType), "{claims}");
        }
    }
}

#[test]
fn c09_one_of_compares_with_each_string() {
    let rule = || ClaimRule::one_of(&["tier"], &["gold", "silver"]);
    for value in ["gold", "silver"] {
        assert_eq!(verdict(rule(), &json!({ "tier": value })), Ok(()));
    }
    for value in ["", "bronze", "gol", "golden", "gold silver", "Gold"] {
        assert_eq!(verdict(rule(), &json!({ "tier": value })), mismatch(Problem::WrongValue));
    }
    assert_eq!(verdict(rule(), &json!({})), mismatch(Problem::Absent));
    for value in [json!(["gold"]), json!(1), json!(null), json!({"gold": 1})] {
        assert_eq!(verdict(rule(), &json!({ "tier": value })), mismatch(Problem::WrongType));
    }
    assert_eq!(ClaimRule::one_of(&["a"], &[]), Err(ConfigError::EmptyList("claim values")));
}

#[test]
fn c09_contains_finds_an_element_or_a_token() {
    let rule = || ClaimRule::contains(&["roles"], "admin");
    let claims = |value: Value| json!({ "roles": value });
    for value in [
        json!(["admin"]),
        json!(["user", "admin"]),
        json!(["admin", "user"]),
        json!("admin"),
        json!("user admin"),
        json!("admin user"),
        json!("a admin b"),
        json!("  admin  "),
        json!("say\"hi\" admin"),
        json!(["say\"hi\"", "admin"]),
    ] {
        assert_eq!(verdict(rule(), &claims(value.clone())), Ok(()), "{value}");
    }
    for value in [
        json!([]),
        json!(["user"]),
        json!(["administrator"]),
        json!(["adm", "in"]),
        json!(["ADMIN"]),
        json!(["user admin"]),
        json!(""),
        json!("administrator"),
        json!("user,admin"),
        json!("superadmin x"),
        json!("admin\tuser"),
        json!("x\"admin"),
        json!("say\"hi\" admins"),
        json!("say\"hi\" admi"),
        json!("\"admin\""),
    ] {
        assert_eq!(
            verdict(rule(), &claims(value.clone())),
            mismatch(Problem::WrongValue),
            "{value}"
        );
    }
    for value in [
        json!(null),
        json!(1),
        json!(true),
        json!({"admin": true}),
        json!(["admin", 1]),
        json!([1, "admin"]),
        json!([["admin"]]),
        json!(["admin", null]),
    ] {
        assert_eq!(
            verdict(rule(), &claims(value.clone())),
            mismatch(Problem::WrongType),
            "{value}"
        );
    }
    assert_eq!(verdict(rule(), &json!({})), mismatch(Problem::Absent));
    assert_eq!(verdict(ClaimRule::contains(&["scope"], "read:patients"), &json!({})), Ok(()));
    // A value with a space can be an element, but not a token.
    let spaced = || ClaimRule::contains(&["roles"], "user admin");
    assert_eq!(verdict(spaced(), &claims(json!(["user admin"]))), Ok(()));
    assert_eq!(verdict(spaced(), &claims(json!("user admin"))), mismatch(Problem::WrongValue));
    // The empty string can be an element, but not a token.
    let empty = || ClaimRule::contains(&["roles"], "");
    assert_eq!(verdict(empty(), &claims(json!([""]))), Ok(()));
    for value in ["", " ", "a  b", "a\" "] {
        assert_eq!(verdict(empty(), &claims(json!(value))), mismatch(Problem::WrongValue));
    }
}

#[test]
fn c09_a_path_has_one_to_four_names_each_compared_whole() {
    let deep = json!({"realm_access": {"roles": ["admin"]}, "a": {"b": {"c": {"d": "x"}}}});
    assert_eq!(verdict(ClaimRule::contains(&["realm_access", "roles"], "admin"), &deep), Ok(()));
    assert_eq!(verdict(ClaimRule::equals(&["a", "b", "c", "d"], "x"), &deep), Ok(()));
    let names: [&str; 5] = ["a", "b", "c", "d", "e"];
    assert_eq!(ClaimRule::equals(&names, "x"), Err(ConfigError::ClaimPath));
    assert_eq!(ClaimRule::equals(&[], "x"), Err(ConfigError::ClaimPath));
    assert_eq!(ClaimRule::one_of(&[], &["x"]), Err(ConfigError::ClaimPath));
    // Names are not split, joined or abbreviated.
    for path in [
        &["realm_access.roles"][..],
        &["realm_access/roles"],
        &["realm_access", "role"],
        &["realm_acces", "roles"],
        &["Realm_access", "roles"],
        &["roles"],
        &["", "realm_access", "roles"],
    ] {
        let rule = ClaimRule::contains(path, "admin");
        assert_eq!(verdict(rule, &deep), mismatch(Problem::Absent), "{path:?}");
    }
    let dotted = json!({"https://example.com/roles": ["admin"], "a.b": "x", "": "empty"});
    assert_eq!(
        verdict(ClaimRule::contains(&["https://example.com/roles"], "admin"), &dotted),
        Ok(())
    );
    assert_eq!(verdict(ClaimRule::equals(&["a.b"], "x"), &dotted), Ok(()));
    assert_eq!(verdict(ClaimRule::equals(&["a", "b"], "x"), &dotted), mismatch(Problem::Absent));
    assert_eq!(verdict(ClaimRule::equals(&[""], "empty"), &dotted), Ok(()));
    // A value that is not an object has no members.
    for value in
        [json!("roles"), json!(["roles"]), json!(1), json!(null), json!([{"roles": ["admin"]}])]
    {
        let rule = ClaimRule::contains(&["realm_access", "roles"], "admin");
        let claims = json!({ "realm_access": value });
        assert_eq!(verdict(rule, &claims), mismatch(Problem::WrongType), "{claims}");
    }
    let rule = || ClaimRule::contains(&["realm_access", "roles"], "admin");
    assert_eq!(verdict(rule(), &json!({"realm_access": {}})), mismatch(Problem::Absent));
    assert_eq!(
        verdict(rule(), &json!({"realm_access": {"roles": {}}})),
        mismatch(Problem::WrongType)
    );
}

#[test]
fn c09_names_and_values_are_compared_after_unescaping() {
    let claims = access_claims().to_string();
    let with = |more: &str| claims.replacen('{', &format!("{{{more},"), 1);
    let rule = [ClaimRule::equals(&["a\"b", "c"], "d").unwrap()];
    for more in [r#""a\"b":{"c":"d"}"#, r#""\u0061\u0022b":{"\u0063":"\u0064"}"#] {
        assert_eq!(verdict_of_text(&rule, &with(more)), Ok(()), "{more}");
    }
    assert_eq!(verdict_of_text(&rule, &with(r#""a\\\"b":{"c":"d"}"#)), mismatch(Problem::Absent));
    // A duplicate member on the path is rejected, in any spelling.
    for more in [r#""a\"b":{"c":"d","c":"d"}"#, r#""a\"b":{"c":"d","\u0063":"e"}"#] {
        let duplicate = Err(Error::DuplicateMember(Input::Payload));
        assert_eq!(verdict_of_text(&rule, &with(more)), duplicate, "{more}");
    }
}

#[test]
fn c09_the_first_rule_that_is_not_met_is_named() {
    let rules = [
        ClaimRule::equals(&["a"], "1").unwrap(),
        ClaimRule::equals(&["b"], "2").unwrap(),
        ClaimRule::equals(&["c"], "3").unwrap(),
    ];
    let text =
        |claims: &Value| verdict_of_text(&rules, &merged(access_claims(), claims).to_string());
    let at = |rule, problem| Err(Error::ClaimMismatch { rule, problem });
    assert_eq!(text(&json!({"a": "1", "b": "2", "c": "3"})), Ok(()));
    assert_eq!(text(&json!({"a": "1", "b": "2"})), at(2, Problem::Absent));
    assert_eq!(text(&json!({"a": "1", "b": 2})), at(1, Problem::WrongType));
    assert_eq!(text(&json!({"b": "x", "a": "1"})), at(1, Problem::WrongValue));
    assert_eq!(text(&json!({})), at(0, Problem::Absent));
}

#[test]
fn c09_the_answer_is_403_and_shows_no_value() {
    const SECRET: &str = "octo-secret";
    let error = verdict(ClaimRule::equals(&["a"], SECRET), &json!({"a": "token-secret"}));
    let error = error.unwrap_err();
    assert_eq!((error.code(), error.http_status()), ("claim_mismatch", 403));
    assert_eq!(error.rfc6750_error(), Some("insufficient_scope"));
    let challenge = Challenge::new(error).to_string();
    assert_eq!(
        challenge,
        r#"Bearer error="insufficient_scope", error_description="The claims do not meet the requirements""#
    );
    for text in [challenge, error.to_string(), format!("{error:?}")] {
        assert!(!text.contains("secret"), "{text}");
    }
}

#[test]
fn c09_rules_are_a_part_of_the_policy() {
    const ONE: ClaimRule<'_> = at_compile_time!(ClaimRule::equals(&["a"], "1"));
    const TWO: ClaimRule<'_> = at_compile_time!(ClaimRule::equals(&["a"], "2"));
    fn policy<'a>(rules: &'a [ClaimRule<'a>]) -> Result<AccessTokenPolicy<'a>, ConfigError> {
        AccessTokenPolicy::general(API).require_claims(rules).build()
    }
    assert_eq!(policy(&[]), Err(ConfigError::EmptyList("claim rules")));
    assert_eq!(policy(&[ONE]), policy(&[ONE]));
    assert_ne!(policy(&[ONE]), policy(&[TWO]));
    let login = |rules| IdTokenPolicy::new(CLIENT_ID).require_claims(rules).build();
    assert_eq!(login(&[ONE]), login(&[ONE]));
    assert_ne!(login(&[ONE]), login(&[TWO]));
    assert!(format!("{:?}", policy(&[ONE])).contains("ClaimRule"), "{:?}", policy(&[ONE]));

    // A token that was cached under one rule is not found under another.
    let signer = Signer::a();
    let issuer = Issuer::new(ISSUER, keys_of(&signer)).unwrap();
    let text = signer.sign(&with(access_claims(), "a", "1"));
    let mut cache = VerifiedTokenCache::<8, 4096>::new();
    let all = [
        ClaimRule::equals(&["a"], "1"),
        ClaimRule::equals(&["a"], "2"),
        ClaimRule::equals(&["b"], "1"),
        ClaimRule::equals_integer(&["a"], 1),
        ClaimRule::equals_boolean(&["a"], true),
        ClaimRule::equals_boolean(&["a"], false),
        ClaimRule::one_of(&["a"], &["1"]),
        ClaimRule::contains(&["a"], "1"),
    ];
    for (index, rule) in all.into_iter().enumerate() {
        let rules = [rule.unwrap()];
        let policy = policy(&rules).unwrap();
        let mut buffer = TokenBuffer::<4096>::new();
        let token = BearerToken::new(&text);
        let verdict =
            AccessToken::validate_cached(token, (&issuer, &policy), NOW, &mut buffer, &mut cache);
        let accepted = [0, 6, 7].contains(&index);
        assert_eq!(verdict.is_ok(), accepted, "{index}");
        assert_eq!(cache.hits(), 0, "{index}");
    }
}

const TEMPLATE: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";
const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const OTHER_TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

fn of_tenant(tenant: &str) -> Value {
    let issuer = TEMPLATE.replace("{tenantid}", tenant);
    with(with(access_claims(), "iss", issuer), "tid", tenant)
}

#[test]
fn c10_a_tenant_that_is_removed_from_the_list_is_refused_although_its_token_is_cached() {
    let signer = Signer::a();
    let issuer = |tenants: &'static [&'static str]| {
        TenantIssuer::new(TEMPLATE, tenants, keys_of(&signer)).unwrap()
    };
    let text = signer.sign(&of_tenant(TENANT));
    let mut buffer = TokenBuffer::<4096>::new();
    let mut cache = VerifiedTokenCache::<2, 4096>::new();
    let mut check = |issuer: &TenantIssuer<_, 4, _, _>| {
        let (token, trust) = (BearerToken::new(&text), (issuer, &API_POLICY));
        AccessToken::validate_cached(token, trust, NOW, &mut buffer, &mut cache).map(|_| ())
    };
    assert_eq!(check(&issuer(&[TENANT, "second-tenant"])), Ok(()));
    assert_eq!(check(&issuer(&["second-tenant"])), Err(Error::TenantNotAllowed));
    assert_eq!(check(&issuer(&[TENANT])), Ok(()));
    assert_eq!(cache.hits(), 2);
}

/// Returns the verdict on an access token, by every validation function, with one issuer and
/// with lists, as it is written and with `iss`, `tid` or both escaped.
#[track_caller]
fn of_tenants(claims: &Value) -> Result<(), Error> {
    let written = claims.to_string();
    let verdict = of_tenants_as_written(&written);
    let escaped = |names: &[&str]| {
        names.iter().fold(written.clone(), |text, name| match claims[name].as_str() {
            Some(value) => text.replace(&claims[name].to_string(), &escape(value)),
            None => text,
        })
    };
    for names in [&["iss"][..], &["tid"], &["iss", "tid"]] {
        assert_eq!(of_tenants_as_written(&escaped(names)), verdict, "{}", escaped(names));
    }
    let slashes = written.replace('/', r"\/");
    assert_eq!(of_tenants_as_written(&slashes), verdict, "{slashes}");
    verdict
}

/// Writes a JSON string with an escape for each UTF-16 code unit.
fn escape(text: &str) -> String {
    let units: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    format!("\"{units}\"")
}

#[track_caller]
fn of_tenants_as_written(claims: &str) -> Result<(), Error> {
    let signer = Signer::a();
    let keys = || keys_of(&signer);
    let issuer = TenantIssuer::new(TEMPLATE, &[TENANT, "second-tenant"][..], keys()).unwrap();
    let header = json!({"alg": "RS256", "kid": "key-a"}).to_string();
    let text = signer.sign_raw(header.as_bytes(), claims.as_bytes());
    let token = BearerToken::new(&text);
    let mut buffer = TokenBuffer::<4096>::new();
    let plain = AccessToken::validate(token, (&issuer, &API_POLICY), NOW, &mut buffer).map(|_| ());
    let mut cache = VerifiedTokenCache::<2, 4096>::new();
    for _ in 0..2 {
        let trust = (&issuer, &API_POLICY);
        let cached = AccessToken::validate_cached(token, trust, NOW, &mut buffer, &mut cache);
        assert_eq!(cached.map(|_| ()), plain);
    }
    assert_eq!(cache.hits(), u64::from(plain.is_ok()));
    let has_issuer = {
        let claims: Value = serde_json::from_str(claims).unwrap();
        let iss = claims["iss"].as_str();
        let (before, after) = TEMPLATE.split_once("{tenantid}").unwrap();
        iss.and_then(|iss| iss.strip_prefix(before)?.strip_suffix(after)).is_some()
    };
    // A list has no issuer for another `iss`.
    let expected = if has_issuer { plain } else { Err(Error::UnknownIssuer) };
    let of_slice = (slice::from_ref(&issuer), &API_POLICY);
    let among = AccessToken::validate(token, of_slice, NOW, &mut buffer).map(|_| ());
    assert_eq!(among, expected, "{claims}");
    let borrowed = [issuer.by_ref()];
    let among = AccessToken::validate(token, (&borrowed[..], &API_POLICY), NOW, &mut buffer);
    assert_eq!(among.map(|_| ()), expected, "{claims}");
    let cached = AccessToken::validate_cached(token, of_slice, NOW, &mut buffer, &mut cache);
    assert_eq!(cached.map(|_| ()), expected, "{claims}");
    let pairs = [(issuer, API_POLICY)];
    let among = AccessToken::validate(token, &pairs, NOW, &mut buffer).map(|_| ());
    assert_eq!(among, expected, "{claims}");
    let claimed = token.claimed_issuer(&[ISSUER, TEMPLATE], &mut buffer);
    assert_eq!(claimed, has_issuer.then_some(1), "{claims}");
    plain
}

#[test]
fn c10_the_tenant_is_on_the_list_and_the_issuer_is_its_own() {
    assert_eq!(of_tenants(&of_tenant(TENANT)), Ok(()));
    assert_eq!(of_tenants(&of_tenant("second-tenant")), Ok(()));
    assert_eq!(of_tenants(&of_tenant(OTHER_TENANT)), Err(Error::TenantNotAllowed));
    for tenant in
        ["", "72f988bf-86f1-41af-91ab-2d7cd011db4", "72f988bf-86f1-41af-91ab-2d7cd011db477"]
    {
        assert_eq!(of_tenants(&of_tenant(tenant)), Err(Error::TenantNotAllowed), "{tenant}");
    }
    assert_eq!(of_tenants(&of_tenant(&TENANT.to_uppercase())), Err(Error::TenantNotAllowed));
    // One tenant's token with the issuer of another.
    for (iss, tid) in [
        (TENANT, "second-tenant"),
        ("second-tenant", TENANT),
        (TENANT, OTHER_TENANT),
        (OTHER_TENANT, TENANT),
    ] {
        let claims = with(of_tenant(iss), "tid", tid);
        assert_eq!(of_tenants(&claims), Err(Error::IssuerMismatch), "{claims}");
    }
    // An issuer that does not match the template.
    for iss in [
        format!("https://login.microsoftonline.com/{TENANT}/v2.0/"),
        format!("https://login.microsoftonline.com/{TENANT}"),
        format!("https://sts.windows.net/{TENANT}/v2.0"),
        format!("https://login.microsoftonline.com/{TENANT}/V2.0"),
        format!("https://login.microsoftonline.com//{TENANT}/v2.0"),
        TEMPLATE.to_owned(),
        TENANT.to_owned(),
        String::new(),
    ] {
        let claims = with(of_tenant(TENANT), "iss", iss.clone());
        assert_eq!(of_tenants(&claims), Err(Error::IssuerMismatch), "{iss}");
    }
    assert_eq!(
        of_tenants(&without(of_tenant(TENANT), "tid")),
        Err(Error::MissingClaim(Claim::TenantId))
    );
    assert_eq!(
        of_tenants(&without(of_tenant(TENANT), "iss")),
        Err(Error::MissingClaim(Claim::Issuer))
    );
    for tid in [json!(1), json!(null), json!([TENANT]), json!({})] {
        let wrong = Err(Error::ClaimType(Claim::TenantId, JsonType::String));
        assert_eq!(of_tenants(&with(of_tenant(TENANT), "tid", tid.clone())), wrong, "{tid}");
    }
}

#[test]
fn c10_of_two_issuers_with_one_template_the_first_is_used() {
    let signer = Signer::a();
    let issuer = |tenants: &'static [&'static str]| {
        TenantIssuer::new(TEMPLATE, tenants, keys_of(&signer)).unwrap()
    };
    let pairs = [(issuer(&[TENANT]), API_POLICY), (issuer(&["second-tenant"]), API_POLICY)];
    let mut buffer = TokenBuffer::<4096>::new();
    for (tenant, expected) in [(TENANT, Ok(())), ("second-tenant", Err(Error::TenantNotAllowed))] {
        let text = signer.sign(&of_tenant(tenant));
        let verdict = AccessToken::validate(BearerToken::new(&text), &pairs, NOW, &mut buffer);
        assert_eq!(verdict.map(|_| ()), expected, "{tenant}");
    }
}

#[test]
fn c10_a_template_names_the_tenant_once() {
    let keys = || keys_of(&Signer::a());
    let new =
        |template: &'static str| TenantIssuer::new(template, &[TENANT][..], keys()).map(|_| ());
    assert_eq!(new(TEMPLATE), Ok(()));
    for template in [
        "",
        "https://example.com/",
        "{tenantid}",
        "https://{tenantid}/{tenantid}",
        "https://x/{TENANTID}",
    ] {
        assert_eq!(new(template), Err(ConfigError::TenantTemplate), "{template}");
        let any = TenantIssuer::<_, 4>::danger_any_tenant(template, keys()).map(|_| ());
        assert_eq!(any, Err(ConfigError::TenantTemplate));
    }
    let none: &[&str] = &[];
    let empty = TenantIssuer::new(TEMPLATE, none, keys()).map(|_| ());
    assert_eq!(empty, Err(ConfigError::EmptyList("tenants")));
    let blank = TenantIssuer::new(TEMPLATE, &[TENANT, ""][..], keys()).map(|_| ());
    assert_eq!(blank, Err(ConfigError::Empty("tenant")));
    // Owned by the configuration.
    let owned = TenantIssuer::new(TEMPLATE.to_owned(), vec![TENANT.to_owned()], keys());
    assert!(owned.is_ok());
}

#[test]
fn c10_any_tenant_has_an_id_and_the_issuer_of_it() {
    let signer = Signer::a();
    let issuer = TenantIssuer::<_, 4>::danger_any_tenant(TEMPLATE, keys_of(&signer)).unwrap();
    let mut buffer = TokenBuffer::<4096>::new();
    let mut judge = |claims: &Value| {
        let text = signer.sign(claims);
        let token = BearerToken::new(&text);
        AccessToken::validate(token, (&issuer, &API_POLICY), NOW, &mut buffer).map(|_| ())
    };
    assert_eq!(judge(&of_tenant(TENANT)), Ok(()));
    assert_eq!(judge(&of_tenant("contoso.onmicrosoft.com")), Ok(()));
    for tenant in ["", "a/b", "a b", "a%2fb", "\u{e9}", "a\"b"] {
        assert_eq!(judge(&of_tenant(tenant)), Err(Error::TenantNotAllowed), "{tenant}");
    }
    assert_eq!(judge(&with(of_tenant(TENANT), "tid", OTHER_TENANT)), Err(Error::IssuerMismatch));
}

#[test]
fn c11_the_verdict_ends_where_the_policy_would_refuse_the_token_for_its_age() {
    let signer = Signer::a();
    let issuer = Issuer::new(ISSUER, keys_of(&signer)).unwrap();
    let claims = with(with(access_claims(), "auth_time", IAT - 10), "iat", IAT);
    // Without leeway, a token that is issued within a second is valid from the next one on.
    let with_fraction = with(claims.clone(), "iat", 1_311_280_970.5);
    for (claims, leeways) in [(claims, &[0, 60][..]), (with_fraction, &[60])] {
        let text = signer.sign(&claims);
        for &leeway in leeways {
            for (max_token_age, max_age) in [
                (None, None),
                (Some(100), None),
                (None, Some(50)),
                (Some(100), Some(50)),
                (Some(100), Some(200)),
                (Some(u64::MAX), Some(u64::MAX)),
                (Some(0), None),
            ] {
                let mut policy = AccessTokenPolicy::general(API).leeway(leeway);
                let mut id_policy = IdTokenPolicy::new(CLIENT_ID).leeway(leeway);
                if let Some(seconds) = max_token_age {
                    policy = policy.max_token_age(seconds);
                    id_policy = id_policy.max_token_age(seconds);
                }
                if let Some(seconds) = max_age {
                    policy = policy.max_age(seconds);
                    id_policy = id_policy.max_age(seconds);
                }
                let policy = policy.build().unwrap();
                let id_policy = id_policy.build().unwrap();
                let mut buffer = TokenBuffer::<4096>::new();
                let token = BearerToken::new(&text);
                let start = NumericDate::from_secs(IAT);
                let validated =
                    AccessToken::validate(token, (&issuer, &policy), start, &mut buffer).unwrap();
                let end = policy.valid_until(&validated).as_secs();
                assert!(end <= EXP + leeway);
                let mut at = |now| {
                    let now = NumericDate::from_secs(now);
                    AccessToken::validate(token, (&issuer, &policy), now, &mut buffer).is_ok()
                };
                assert!(at(end - 1) && !at(end) && !at(end + 1), "{end} {policy:?}");

                let id_text = signer.sign(&without(
                    without(with(claims.clone(), "aud", CLIENT_ID), "scope"),
                    "gty",
                ));
                let login = Login::new(Nonce::Ignore).build().unwrap();
                let id =
                    IdToken::validate(&id_text, (&issuer, &id_policy), login, start, &mut buffer);
                assert_eq!(id_policy.valid_until(&id.unwrap()).as_secs(), end);
            }
        }
    }
}
