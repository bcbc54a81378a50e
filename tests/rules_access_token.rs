//! The rule book, access tokens: A1 to A13.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]

mod support;

use claimgate::error::{Claim, ConfigError, JsonType, Problem, WrongKind};
use claimgate::policy::{AccessTokenPolicyBuilder, ForeignClaim, SubjectKind};
use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, Error, RequestKey, ScopePolicy, TokenBuffer,
    Validated, at_compile_time,
};
use serde_json::{Value, json};
use support::*;

fn default() -> AccessTokenPolicyBuilder<'static> {
    AccessTokenPolicy::general(API)
}

#[track_caller]
fn check(policy: AccessTokenPolicyBuilder<'_>, claims: &Value) -> Result<(), Error> {
    check_access(&policy.build().unwrap(), &Signer::a().sign(claims), NOW)
}

#[track_caller]
fn check_key(
    policy: AccessTokenPolicyBuilder<'_>,
    key: RequestKey<'_>,
    claims: &Value,
) -> Result<(), Error> {
    let token = Signer::a().sign(claims);
    check_bearer(&policy.build().unwrap(), BearerToken::new(&token).with_key(key), NOW)
}

#[track_caller]
fn check_at_jwt(policy: AccessTokenPolicyBuilder<'_>, claims: &Value) -> Result<(), Error> {
    check_typ(policy, "at+jwt", claims)
}

#[track_caller]
fn check_typ(policy: AccessTokenPolicyBuilder<'_>, typ: &str, claims: &Value) -> Result<(), Error> {
    let header = json!({"alg": "RS256", "typ": typ, "kid": "key-a"});
    let token = Signer::a().sign_with(&header, claims);
    check_access(&policy.build().unwrap(), &token, NOW)
}

/// Passes the validated token to `look`.
fn look<T>(claims: &Value, look: impl FnOnce(&Validated<AccessToken<'_>>) -> T) -> T {
    let issuer = trusted();
    let token = Signer::a().sign(claims);
    let mut buffer = TokenBuffer::<4096>::new();
    let token =
        AccessToken::validate(BearerToken::new(&token), (&issuer, &API_POLICY), NOW, &mut buffer)
            .unwrap();
    look(&token)
}

fn set(name: &str, value: impl Into<Value>) -> Value {
    with(access_claims(), name, value)
}

/// Returns a token of the profile of RFC 9068.
fn rfc9068_claims() -> Value {
    with(set("client_id", CLIENT_ID), "jti", "dbe39bf3a3ba4238a513f51d6e1691c4")
}

#[test]
fn a01_the_audience_contains_the_api() {
    let mismatch = |audiences| Err(Error::AudienceMismatch { audiences });
    assert_eq!(access(&access_claims()), Ok(()));
    assert_eq!(access(&set("aud", API)), Ok(()));
    assert_eq!(access(&set("aud", json!(["https://other.example", API]))), Ok(()));
    assert_eq!(access(&without(access_claims(), "aud")), Err(Error::MissingClaim(Claim::Audience)));
    assert_eq!(access(&set("aud", json!([]))), mismatch(0));
    for audience in [
        "",
        "https://example.com/health-api/",
        "https://example.com/health-ap",
        "https://example.com/health-api2",
        "https://EXAMPLE.com/health-api",
        "http://example.com/health-api",
        "https://example.com/health-api https://example.com/other",
        CLIENT_ID,
    ] {
        assert_eq!(access(&set("aud", audience)), mismatch(1), "{audience}");
    }
    let others = json!(["https://example.com", "https://my-domain.auth0.com/userinfo"]);
    assert_eq!(access(&set("aud", others)), mismatch(2));
}

#[test]
fn a01_an_api_may_have_several_identifiers() {
    const OLD: &str = "https://old.example/health-api";
    let policy = || default().or_audiences(&[OLD]);
    assert_eq!(check(policy(), &set("aud", API)), Ok(()));
    assert_eq!(check(policy(), &set("aud", OLD)), Ok(()));
    assert_eq!(
        check(policy(), &set("aud", "https://older.example")),
        Err(Error::AudienceMismatch { audiences: 1 })
    );
    assert_eq!(default().or_audiences(&[OLD, ""]).build(), Err(ConfigError::Empty("audience")));
}

#[test]
fn a02_auth0s_profile_takes_typ_absent_jwt_or_at_jwt() {
    let header = json!({"alg": "RS256"});
    assert_eq!(access_with_header(&header), Ok(()));
    for typ in ["JWT", "jwt", "application/JWT", "at+jwt", "AT+JWT", "application/at+jwt"] {
        assert_eq!(check_typ(default(), typ, &access_claims()), Ok(()), "{typ}");
    }
    for typ in ["", "logout+jwt", "dpop+jwt", "secevent+jwt", "id+jwt", "at+jwt ", "at", "JOSE"] {
        let foreign = Err(Error::TokenType(WrongKind::HeaderType));
        assert_eq!(check_typ(default(), typ, &access_claims()), foreign, "{typ}");
    }
}

#[test]
fn a02_rfc_9068s_profile_takes_typ_at_jwt_only() {
    let policy = || AccessTokenPolicy::rfc9068(API);
    let claims = rfc9068_claims();
    for typ in ["at+jwt", "AT+JWT", "At+Jwt", "application/at+jwt", "Application/AT+JWT"] {
        assert_eq!(check_typ(policy(), typ, &claims), Ok(()), "{typ}");
    }
    let foreign = Err(Error::TokenType(WrongKind::HeaderType));
    for typ in
        ["JWT", "", "application/jwt", "at+jwt+", "x/at+jwt", "dpop+jwt", "confections/at+jwt"]
    {
        assert_eq!(check_typ(policy(), typ, &claims), foreign, "{typ}");
    }
    let token = Signer::a().sign_with(&json!({"alg": "RS256"}), &claims);
    assert_eq!(check_access(&policy().build().unwrap(), &token, NOW), foreign);
}

#[test]
fn a02_rfc_9068s_profile_requires_its_seven_claims() {
    for (name, claim) in [
        ("iss", Claim::Issuer),
        ("exp", Claim::Expiry),
        ("aud", Claim::Audience),
        ("sub", Claim::Subject),
        ("client_id", Claim::ClientId),
        ("iat", Claim::IssuedAt),
        ("jti", Claim::TokenId),
    ] {
        let claims = without(rfc9068_claims(), name);
        let missing = Err(Error::MissingClaim(claim));
        assert_eq!(check_at_jwt(AccessTokenPolicy::rfc9068(API), &claims), missing, "{name}");
    }
    for (name, claim) in
        [("sub", Claim::Subject), ("client_id", Claim::ClientId), ("jti", Claim::TokenId)]
    {
        let claims = with(rfc9068_claims(), name, json!(""));
        let missing = Err(Error::MissingClaim(claim));
        assert_eq!(check_at_jwt(AccessTokenPolicy::rfc9068(API), &claims), missing, "empty {name}");
    }
}

#[test]
fn a03_marks_of_an_id_token_are_rejected_and_can_be_allowed_by_name() {
    for (name, value, claim, mark) in [
        ("nonce", json!("n"), Claim::Nonce, ForeignClaim::Nonce),
        ("nonce", json!(""), Claim::Nonce, ForeignClaim::Nonce),
        ("at_hash", json!("h"), Claim::AtHash, ForeignClaim::AtHash),
        ("c_hash", json!("h"), Claim::CHash, ForeignClaim::CHash),
        ("s_hash", json!("h"), Claim::SHash, ForeignClaim::SHash),
        ("token_use", json!("id"), Claim::TokenUse, ForeignClaim::TokenUse),
        ("token_use", json!(""), Claim::TokenUse, ForeignClaim::TokenUse),
        ("typ", json!("ID"), Claim::Typ, ForeignClaim::Typ),
        ("typ", json!("Refresh"), Claim::Typ, ForeignClaim::Typ),
        ("typ", json!("Offline"), Claim::Typ, ForeignClaim::Typ),
        ("typ", json!("Logout"), Claim::Typ, ForeignClaim::Typ),
        ("events", json!({}), Claim::Events, ForeignClaim::Events),
    ] {
        let claims = set(name, value);
        let foreign = Err(Error::TokenType(WrongKind::Claim(claim)));
        assert_eq!(check(default(), &claims), foreign, "{name}");
        assert_eq!(check_at_jwt(default(), &claims), foreign, "{name}");
        assert_eq!(check(default().allow_foreign_claim(mark), &claims), Ok(()), "{name}");
        assert_eq!(
            check(default().allow_foreign_claim(ForeignClaim::Scope), &claims),
            foreign,
            "{name}"
        );
    }
    // Accepting one of two does not accept the other.
    let both = with(set("nonce", "n"), "s_hash", "h");
    let foreign = |claim| Err(Error::TokenType(WrongKind::Claim(claim)));
    let one = default().allow_foreign_claim(ForeignClaim::Nonce);
    assert_eq!(check(one, &both), foreign(Claim::SHash));
    let other = default().allow_foreign_claim(ForeignClaim::SHash);
    assert_eq!(check(other, &both), foreign(Claim::Nonce));
    assert_eq!(check(one.allow_foreign_claim(ForeignClaim::SHash), &both), Ok(()));
    for (name, value) in [("token_use", "access"), ("typ", "Bearer"), ("typ", "DPoP")] {
        assert_eq!(check(default(), &set(name, value)), Ok(()), "{name}");
    }
    // Compared byte for byte.
    for (name, claim, values) in [
        ("token_use", Claim::TokenUse, &["Access", "ACCESS", "access ", "acces", "accesss"][..]),
        ("typ", Claim::Typ, &["bearer", "BEARER", "dpop", "DPOP", "Bearer ", "Beare", "DPoPs"]),
    ] {
        for value in values {
            let foreign = Err(Error::TokenType(WrongKind::Claim(claim)));
            assert_eq!(check(default(), &set(name, *value)), foreign, "{value}");
        }
    }
}

#[test]
fn a04_an_audience_that_is_a_client_id_is_a_construction_error() {
    let same = Err(ConfigError::AudienceIsClientId);
    assert_eq!(default().forbid_client_ids(&["a", API]).build(), same);
    assert_eq!(default().or_audiences(&["a"]).forbid_client_ids(&["a"]).build(), same);
    assert_eq!(default().authorized_parties(&[API]).build(), same);
    assert!(default().forbid_client_ids(&[CLIENT_ID]).authorized_parties(&["a"]).build().is_ok());
    let empty = Err(ConfigError::Empty("client IDs"));
    assert_eq!(default().forbid_client_ids(&["a", ""]).build(), empty);
    assert!(default().forbid_client_ids(&[]).build().is_ok());
}

const READ_AND_ADMIN: ScopePolicy<'_> =
    at_compile_time!(ScopePolicy::all_of(&["read:patients", "read:admin"]));
const READ_OR_WRITE: ScopePolicy<'_> =
    at_compile_time!(ScopePolicy::any_of(&["write:patients", "read:patients"]));
const WRITE_OR_BOTH: ScopePolicy<'_> =
    at_compile_time!(ScopePolicy::any_of_all_of(&[&["write:patients"], &["a", "b"]]));

#[test]
fn a05_scope_sets_are_all_any_and_any_of_all() {
    let lacks = Err(Error::InsufficientScope(Claim::Scope));
    let scope = |policy, scope: &str| check(default().require_scope(policy), &set("scope", scope));
    assert_eq!(scope(READ_AND_ADMIN, "read:admin x read:patients"), Ok(()));
    assert_eq!(scope(READ_AND_ADMIN, "read:patients"), lacks);
    assert_eq!(scope(READ_OR_WRITE, "read:patients"), Ok(()));
    assert_eq!(scope(READ_OR_WRITE, "write:patients"), Ok(()));
    assert_eq!(scope(READ_OR_WRITE, "read:admin"), lacks);
    assert_eq!(scope(WRITE_OR_BOTH, "write:patients"), Ok(()));
    assert_eq!(scope(WRITE_OR_BOTH, "b a"), Ok(()));
    assert_eq!(scope(WRITE_OR_BOTH, "a"), lacks);
    for granted in ["", "Read:patients", "read:patient", "read:patientss", "read", "patients"] {
        assert_eq!(scope(READ_OR_WRITE, granted), lacks, "{granted}");
    }
    let claims = without(access_claims(), "scope");
    assert_eq!(check(default().require_scope(READ_OR_WRITE), &claims), lacks);
    assert_eq!(check(default(), &claims), Ok(()));
}

#[test]
fn a05_a_scope_may_be_an_array_and_may_be_named_scp() {
    let lacks = Err(Error::InsufficientScope(Claim::Scope));
    let plain = without(access_claims(), "scope");
    for name in ["scope", "scp"] {
        for granted in [json!("a b"), json!(["a", "b"]), json!(["x", "b", "a"])] {
            let claims = with(plain.clone(), name, granted);
            assert_eq!(check(default().require_scope(WRITE_OR_BOTH), &claims), Ok(()));
        }
        let claims = with(plain.clone(), name, json!(["a"]));
        assert_eq!(check(default().require_scope(WRITE_OR_BOTH), &claims), lacks);
    }
    let both = with(with(plain, "scope", "a"), "scp", "b");
    assert_eq!(access(&both), Err(Error::ClaimType(Claim::Scp, JsonType::Scope)));
}

#[test]
fn a05_a_scope_that_breaks_its_grammar_is_rejected() {
    let wrong = Err(Error::ClaimType(Claim::Scope, JsonType::Scope));
    for scope in [
        json!(" "),
        json!(" a"),
        json!("a "),
        json!("a  b"),
        json!("a\tb"),
        json!("a\nb"),
        json!("a\u{a0}b"),
        json!("\u{e4}"),
        json!("a\"b"),
        json!("a\\b"),
        json!(["a b"]),
        json!([""]),
        json!(["a", "\u{e4}"]),
        json!(["a\"b"]),
    ] {
        assert_eq!(access(&set("scope", scope.clone())), wrong, "{scope}");
    }
}

#[test]
fn a05_a_scope_policy_names_scope_tokens_and_at_least_one() {
    let empty = Err(ConfigError::EmptyList("scope tokens"));
    assert_eq!(ScopePolicy::all_of(&[]), empty);
    assert_eq!(ScopePolicy::any_of(&[]), empty);
    assert_eq!(ScopePolicy::any_of_all_of(&[]), empty);
    assert_eq!(ScopePolicy::any_of_all_of(&[&["a"], &[]]), empty);
    for token in ["", " ", "a b", "a\"", "a\\", "\u{e4}", "a\n"] {
        let tokens = ["fine", token];
        assert_eq!(ScopePolicy::all_of(&tokens), Err(ConfigError::ScopeToken));
        assert_eq!(ScopePolicy::any_of(&tokens), Err(ConfigError::ScopeToken));
        assert_eq!(ScopePolicy::any_of_all_of(&[&tokens]), Err(ConfigError::ScopeToken));
    }
}

#[test]
fn a06_permissions_have_the_same_algebra() {
    let lacks = Err(Error::InsufficientScope(Claim::Permissions));
    let permitted = |policy, permissions: Value| {
        check(default().require_permissions(policy), &set("permissions", permissions))
    };
    let both = json!(["read:patients", "read:admin"]);
    assert_eq!(permitted(READ_AND_ADMIN, both.clone()), Ok(()));
    assert_eq!(permitted(READ_AND_ADMIN, json!(["read:patients"])), lacks);
    assert_eq!(permitted(READ_OR_WRITE, both), Ok(()));
    assert_eq!(permitted(READ_OR_WRITE, json!(["read:patients read:admin"])), lacks);
    assert_eq!(permitted(WRITE_OR_BOTH, json!(["b", "a"])), Ok(()));
    assert_eq!(permitted(WRITE_OR_BOTH, json!([])), lacks);
    // A scope is not a permission, nor the other way round.
    assert_eq!(check(default().require_permissions(READ_AND_ADMIN), &access_claims()), lacks);
    let claims = without(set("permissions", json!(["read:patients"])), "scope");
    assert_eq!(
        check(default().require_scope(READ_OR_WRITE), &claims),
        Err(Error::InsufficientScope(Claim::Scope))
    );
}

#[test]
fn a07_the_client_is_on_the_list_of_authorized_parties() {
    let policy = || default().authorized_parties(&["app", CLIENT_ID]);
    let plain = without(access_claims(), "azp");
    assert_eq!(check(policy(), &access_claims()), Ok(()));
    assert_eq!(check(policy(), &with(plain.clone(), "client_id", "app")), Ok(()));
    assert_eq!(check(policy(), &plain), Err(Error::MissingClaim(Claim::AuthorizedParty)));
    for party in ["", "ap", "appp", "APP", "app my_client_id"] {
        let mismatch = |claim| Err(Error::AuthorizedPartyMismatch(claim));
        let azp = with(plain.clone(), "azp", party);
        assert_eq!(check(policy(), &azp), mismatch(Claim::AuthorizedParty));
        let client_id = with(plain.clone(), "client_id", party);
        assert_eq!(check(policy(), &client_id), mismatch(Claim::ClientId));
        // If both are present, both are checked.
        let both = with(client_id, "azp", "app");
        assert_eq!(check(policy(), &both), mismatch(Claim::ClientId));
    }
    assert_eq!(
        default().authorized_parties(&[]).build(),
        Err(ConfigError::EmptyList("authorized parties"))
    );
    let empty = Err(ConfigError::Empty("authorized parties"));
    assert_eq!(default().authorized_parties(&["a", ""]).build(), empty);
}

#[test]
fn a08_a_subject_is_a_user_or_a_client() {
    let users = [
        access_claims(),
        set("client_id", "x"),
        with(set("sub", "svc"), "azp", "svc"),
        with(set("sub", "svc"), "client_id", "svc2"),
        set("gty", "password"),
        set("gty", json!(["refresh_token", "password"])),
        set("gty", json!(["client-credentials-x", "x client-credentials", ", "])),
        set("gty", json!([])),
        // Values from a connection's own identity provider.
        set("sub", "samlp|acme|abc@clients"),
        set("sub", "auth0|abc@clients"),
        set("sub", "abc@Clients"),
        set("sub", "abc@clients "),
    ];
    let clients = [
        set("gty", "client-credentials"),
        set("gty", json!(["client-credentials"])),
        set("gty", json!(["refresh_token", "client-credentials"])),
        set("sub", "abc@clients"),
        with(set("sub", "svc"), "client_id", "svc"),
    ];
    for (claims, kind, other) in users
        .iter()
        .map(|claims| (claims, SubjectKind::User, SubjectKind::Client))
        .chain(clients.iter().map(|claims| (claims, SubjectKind::Client, SubjectKind::User)))
    {
        assert_eq!(check(default(), claims), Ok(()));
        assert_eq!(check(default().require_subject(kind), claims), Ok(()));
        assert_eq!(check(default().require_subject(other), claims), Err(Error::SubjectKind));
        assert_eq!(look(claims, |token| token.subject_kind()), kind);
    }
}

#[test]
fn a09_a_token_that_is_bound_to_a_key_is_rejected_without_that_key() {
    let required = Err(Error::ConfirmationRequired);
    for cnf in [
        json!({"x5t#S256": "certificate"}),
        json!({"jkt": "key"}),
        json!({"jwk": {"kty": "RSA"}}),
        json!({"kid": "1"}),
        json!({}),
    ] {
        let claims = set("cnf", cnf);
        assert_eq!(access(&claims), required);
        assert_eq!(check(default().danger_ignore_confirmation(), &claims), Ok(()));
    }
}

#[test]
fn a09_the_requests_key_is_the_one_that_the_token_is_bound_to() {
    let certificate = RequestKey::certificate("certificate").unwrap();
    let dpop = RequestKey::dpop("key").unwrap();
    let both = RequestKey::certificate_and_dpop("certificate", "key").unwrap();
    let mtls_bound = set("cnf", json!({"x5t#S256": "certificate", "other": 1}));
    let dpop_bound = set("cnf", json!({"jkt": "key", "other": []}));
    let both_bound = set("cnf", json!({"jkt": "key", "x5t#S256": "certificate"}));
    let (required, mismatch) = (Err(Error::ConfirmationRequired), Err(Error::ConfirmationMismatch));
    // Ignoring the binding does not disable the check of a key that the request proves.
    for policy in [default(), default().danger_ignore_confirmation()] {
        let check = |key, claims: &Value| check_key(policy, key, claims);
        assert_eq!(check(certificate, &mtls_bound), Ok(()));
        assert_eq!(check(dpop, &dpop_bound), Ok(()));
        assert_eq!(check(both, &both_bound), Ok(()));
        assert_eq!(check(dpop, &mtls_bound), required);
        assert_eq!(check(certificate, &dpop_bound), required);
        assert_eq!(check(certificate, &both_bound), required);
        assert_eq!(check(dpop, &both_bound), required);
        assert_eq!(check(both, &mtls_bound), mismatch);
        assert_eq!(check(both, &dpop_bound), mismatch);
        for thumbprint in ["", "Certificate", "certificat", "certificatee", "certificate="] {
            let claims = set("cnf", json!({"x5t#S256": thumbprint}));
            assert_eq!(check(certificate, &claims), mismatch, "{thumbprint}");
        }
        for thumbprint in ["", "Key", "ke", "keyy", "certificate"] {
            let claims = set("cnf", json!({"jkt": thumbprint}));
            assert_eq!(check(dpop, &claims), mismatch, "{thumbprint}");
        }
        // Neither thumbprint replaces the other, nor is one sufficient if both are proved.
        let swapped = set("cnf", json!({"jkt": "certificate", "x5t#S256": "key"}));
        assert_eq!(check(both, &swapped), mismatch);
        for (jkt, x5t) in [("key", "other"), ("other", "certificate")] {
            let one = set("cnf", json!({"jkt": jkt, "x5t#S256": x5t}));
            assert_eq!(check(both, &one), mismatch);
        }
        assert_eq!(check(certificate, &set("cnf", json!({}))), mismatch);
        // A bearer token does not become a bound one.
        let missing = Err(Error::MissingClaim(Claim::Confirmation));
        assert_eq!(check(dpop, &access_claims()), missing);
    }
}

#[test]
fn a10_a_step_up_asks_for_acr_and_a_recent_authentication() {
    let wrong = |claim, fault| Err(Error::InsufficientAuthentication(claim, fault));
    let acr = || default().require_acr(&["gold"]);
    assert_eq!(check(acr(), &set("acr", "gold")), Ok(()));
    assert_eq!(check(acr(), &access_claims()), wrong(Claim::Acr, Problem::Absent));
    assert_eq!(check(acr(), &set("acr", "silver")), wrong(Claim::Acr, Problem::WrongValue));
    let now = NOW.as_secs();
    for leeway in [0, 60] {
        for max_age in [0, 300] {
            let policy = || default().max_age(max_age).leeway(leeway);
            let edge = now - max_age - leeway;
            assert_eq!(check(policy(), &set("auth_time", now + 1_000_000)), Ok(()));
            assert_eq!(check(policy(), &set("auth_time", edge)), Ok(()));
            let old = wrong(Claim::AuthTime, Problem::WrongValue);
            assert_eq!(check(policy(), &set("auth_time", edge - 1)), old);
            let absent = wrong(Claim::AuthTime, Problem::Absent);
            assert_eq!(check(policy(), &access_claims()), absent);
        }
    }
    let empty = Err(ConfigError::EmptyList("acr values"));
    assert_eq!(default().require_acr(&[]).build(), empty);
}

#[test]
fn a11_a_token_is_also_for_userinfo_if_its_audience_is() {
    let opens = |claims: &Value| look(claims, |token| token.is_for_userinfo());
    assert!(opens(&access_claims()));
    for other in [
        "https://my-domain.auth0.com/userinfo/",
        "https://my-domain.auth0.com/userinfo2",
        "https://my-domain.auth0.com//userinfo",
        "https://evil.example/userinfo",
        "https://my-domain.auth0.com.evil.example/userinfo",
        "/userinfo",
    ] {
        assert!(!opens(&set("aud", json!([API, other]))), "{other}");
    }
    assert!(!opens(&set("aud", API)));
}

#[test]
fn a12_further_scopes_are_checked_per_route() {
    look(&set("permissions", json!(["a", "b"])), |token| {
        assert_eq!(token.authorize(&READ_AND_ADMIN), Ok(()));
        let forbidden = token.authorize(&WRITE_OR_BOTH).unwrap_err();
        assert_eq!(forbidden.error(), Error::InsufficientScope(Claim::Scope));
        assert_eq!(forbidden.needed(), Some(WRITE_OR_BOTH));
        assert_eq!(token.authorize_permissions(&WRITE_OR_BOTH), Ok(()));
        let forbidden = token.authorize_permissions(&READ_OR_WRITE).unwrap_err();
        assert_eq!(forbidden.error(), Error::InsufficientScope(Claim::Permissions));
        assert_eq!(forbidden.needed(), Some(READ_OR_WRITE));
    });
}

/// Returns an access token in the form of Amazon Cognito.
fn cognito_claims() -> Value {
    let claims = without(without(access_claims(), "aud"), "azp");
    with(with(claims, "client_id", CLIENT_ID), "token_use", "access")
}

#[test]
fn a13_a_token_without_an_audience_passes_only_where_the_policy_is_made_for_it() {
    let policy = || AccessTokenPolicy::without_audience(&[CLIENT_ID, "app"]);
    assert_eq!(check(policy(), &cognito_claims()), Ok(()));
    assert_eq!(check(policy(), &with(cognito_claims(), "client_id", "app")), Ok(()));
    assert_eq!(access(&cognito_claims()), Err(Error::MissingClaim(Claim::Audience)));
    let rfc9068 = AccessTokenPolicy::rfc9068(API);
    assert_eq!(check_at_jwt(rfc9068, &cognito_claims()), Err(Error::MissingClaim(Claim::Audience)));
}

#[test]
fn a13_client_id_and_token_use_stand_in_for_the_audience() {
    let policy = || AccessTokenPolicy::without_audience(&[CLIENT_ID]);
    let claims = cognito_claims();
    let missing = |claim| Err(Error::MissingClaim(claim));
    assert_eq!(check(policy(), &without(claims.clone(), "client_id")), missing(Claim::ClientId));
    assert_eq!(check(policy(), &without(claims.clone(), "token_use")), missing(Claim::TokenUse));
    let azp_only = with(without(claims.clone(), "client_id"), "azp", CLIENT_ID);
    assert_eq!(check(policy(), &azp_only), missing(Claim::ClientId));
    for client in ["", "other", "MY_CLIENT_ID"] {
        assert_eq!(
            check(policy(), &with(claims.clone(), "client_id", client)),
            Err(Error::AuthorizedPartyMismatch(Claim::ClientId))
        );
    }
    for token_use in ["id", "", "ACCESS"] {
        let claims = with(claims.clone(), "token_use", token_use);
        let foreign = Err(Error::TokenType(WrongKind::Claim(Claim::TokenUse)));
        assert_eq!(check(policy(), &claims), foreign);
        // Not even by name: it replaces the audience.
        assert_eq!(check(policy().allow_foreign_claim(ForeignClaim::TokenUse), &claims), foreign);
    }
    for audience in [json!(API), json!([]), json!([CLIENT_ID])] {
        let audiences = audience.as_array().map_or(1, Vec::len);
        assert_eq!(
            check(policy(), &with(claims.clone(), "aud", audience)),
            Err(Error::AudienceMismatch { audiences })
        );
    }
}

#[test]
fn a13_authorized_parties_add_to_the_clients_of_the_constructor() {
    let clients = ["a", "both"];
    let policy = || AccessTokenPolicy::without_audience(&clients);
    let of = |client: &str| with(cognito_claims(), "client_id", client);
    let mismatch = Err(Error::AuthorizedPartyMismatch(Claim::ClientId));
    for (client, one, two) in
        [("a", Ok(()), mismatch), ("both", Ok(()), Ok(())), ("b", mismatch, mismatch)]
    {
        assert_eq!(check(policy(), &of(client)), one, "{client}");
        let narrowed = policy().authorized_parties(&["b", "both"]);
        assert_eq!(check(narrowed, &of(client)), two, "{client}");
        // A second call of the setting replaces the first, and not the constructor's argument.
        let again = policy().authorized_parties(&["b"]).authorized_parties(&clients);
        assert_eq!(check(again, &of(client)), one, "{client}");
    }
    let foreign_azp = with(of("a"), "azp", "b");
    let azp = Err(Error::AuthorizedPartyMismatch(Claim::AuthorizedParty));
    assert_eq!(check(policy(), &foreign_azp), azp);
    assert_eq!(check(policy().authorized_parties(&["a", "b"]), &foreign_azp), azp);
    // Different lists are different policies.
    let build = |policy: AccessTokenPolicyBuilder<'static>| policy.build().unwrap();
    let one = build(AccessTokenPolicy::without_audience(&["a"]));
    assert_ne!(one, build(AccessTokenPolicy::without_audience(&["b"])));
    assert_ne!(one, build(AccessTokenPolicy::without_audience(&["a"]).authorized_parties(&["a"])));
}

#[test]
fn a13_the_list_of_clients_is_not_empty() {
    assert_eq!(
        AccessTokenPolicy::without_audience(&[]).build(),
        Err(ConfigError::EmptyList("authorized parties"))
    );
    assert_eq!(
        AccessTokenPolicy::without_audience(&[""]).build(),
        Err(ConfigError::Empty("authorized parties"))
    );
    // It cannot be empty, and an audience cannot be added.
    assert!(AccessTokenPolicy::without_audience(&["a"]).authorized_parties(&[]).build().is_err());
    let policy = AccessTokenPolicy::without_audience(&[CLIENT_ID]).or_audiences(&[API]);
    assert_eq!(
        check(policy, &with(cognito_claims(), "aud", API)),
        Err(Error::AudienceMismatch { audiences: 1 })
    );
}
