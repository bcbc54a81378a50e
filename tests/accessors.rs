//! The accessors of validated tokens, and the absence of token text in `Debug` output.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]

mod support;

use claimgate::bearer::DpopToken;
use claimgate::cache::{CachedAccessToken, VerifiedTokenCache};
use claimgate::dpop::DpopRequest;
use claimgate::jwk::{Algorithms, KeyMaterial};
use claimgate::jws::CompactJws;
use claimgate::policy::ClaimRule;
use claimgate::trust::TenantIssuer;
use claimgate::{
    AccessToken, AccessTokenPolicy, Algorithm, BearerToken, IdToken, Login, Nonce, NumericDate,
    RequestKey, TokenBuffer, Validated,
};
use serde::Deserialize;
use serde_json::{Value, json};
use support::*;

fn more(mut claims: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("an object") };
    claims.as_object_mut().unwrap().extend(more);
    claims
}

#[track_caller]
fn id_token<T>(claims: &Value, look: impl FnOnce(&Validated<IdToken<'_>>) -> T) -> T {
    let mut buffer = TokenBuffer::<4096>::new();
    let text = Signer::a().sign(claims);
    let trust = (&trusted(), &LOGIN_POLICY);
    look(&IdToken::validate(&text, trust, LOGIN, NOW, &mut buffer).unwrap())
}

#[track_caller]
fn access_token<T>(
    policy: &AccessTokenPolicy<'_>,
    claims: &Value,
    look: impl FnOnce(&Validated<AccessToken<'_>>) -> T,
) -> T {
    bound_access_token(policy, None, claims, look)
}

#[track_caller]
fn bound_access_token<T>(
    policy: &AccessTokenPolicy<'_>,
    key: Option<RequestKey<'_>>,
    claims: &Value,
    look: impl FnOnce(&Validated<AccessToken<'_>>) -> T,
) -> T {
    let mut buffer = TokenBuffer::<4096>::new();
    let text = Signer::a().sign(claims);
    let token = BearerToken::new(&text);
    let token = key.map_or(token, |key| token.with_key(key));
    look(&AccessToken::validate(token, (&trusted(), policy), NOW, &mut buffer).unwrap())
}

#[test]
fn each_registered_claim_is_told() {
    let claims = more(
        id_claims(),
        json!({
            "nbf": IAT - 1, "jti": "id-1", "azp": CLIENT_ID, "auth_time": IAT - 7, "acr": "high",
            "amr": ["pwd", "otp"], "nonce": "n", "org_id": "org_1", "org_name": "example",
            "sid": "session-1",
        }),
    );
    id_token(&claims, |token| {
        assert_eq!(token.not_before(), Some(NumericDate::from_secs(IAT - 1)));
        assert_eq!(token.token_id(), Some("id-1"));
        assert_eq!(token.authorized_party(), Some(CLIENT_ID));
        assert_eq!(token.auth_time(), Some(NumericDate::from_secs(IAT - 7)));
        assert_eq!(token.acr(), Some("high"));
        assert_eq!(token.amr().iter().collect::<Vec<_>>(), ["pwd", "otp"]);
        assert_eq!(token.nonce(), Some("n"));
        assert_eq!(token.session_id(), Some("session-1"));
        assert_eq!(token.organization_id(), Some("org_1"));
        assert_eq!(token.organization_name(), Some("example"));
        assert_eq!(token.header().key_id(), Some("key-a"));
        assert_eq!(token.header().typ(), Some("JWT"));
    });
    id_token(&id_claims(), |token| {
        assert_eq!((token.not_before(), token.token_id(), token.acr()), (None, None, None));
        assert_eq!((token.auth_time(), token.nonce(), token.session_id()), (None, None, None));
        assert_eq!(token.amr().iter().count(), 0);
    });
}

#[test]
fn what_an_access_token_grants_is_told() {
    let claims = more(access_claims(), json!({"client_id": "client-1", "permissions": ["a", "b"]}));
    access_token(&API_POLICY, &claims, |token| {
        assert_eq!(token.client_id(), Some("client-1"));
        assert_eq!(token.audience().iter().count(), token.audience().len());
        assert!(!token.audience().is_empty() && token.audience().contains(API));
        assert!(!token.scope().is_empty());
        assert_eq!(token.permissions().iter().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(token.expiry().to_string(), EXP.to_string());
    });
    access_token(&API_POLICY, &access_claims(), |token| assert_eq!(token.client_id(), None));
    let policy = AccessTokenPolicy::without_audience(&["client-1"]).build().unwrap();
    let claims = json!({
        "iss": ISSUER, "sub": "a", "exp": EXP, "client_id": "client-1", "token_use": "access",
    });
    access_token(&policy, &claims, |token| {
        assert!(token.audience().is_empty() && token.scope().is_empty());
        assert_eq!(token.audience().len(), 0);
    });
}

#[test]
fn what_is_printed_says_what_it_is() {
    let keys = keys_of(&Signer::a());
    let text = Signer::a().sign(&access_claims());
    let jws = CompactJws::parse(&text).unwrap();
    let mut bytes = [0; 4096];
    let unverified = jws.decode(&mut bytes).unwrap();
    let mut shown = vec![
        (format!("{jws:?}"), "CompactJws"),
        (format!("{unverified:?}"), "UnverifiedJws"),
        (format!("{:?}", unverified.header()), "Header"),
        (format!("{keys:?}"), "JwkSet"),
        (format!("{:?}", keys.keys()[0]), "Jwk"),
        (format!("{:?}", keys.keys()[0].key()), "VerifyingKey"),
        (format!("{:?}", trusted()), "Issuer"),
        (format!("{:?}", trusted().by_ref()), "IssuerRef"),
        (format!("{:?}", TokenBuffer::<64>::new()), "TokenBuffer"),
        (format!("{:?}", VerifiedTokenCache::<2, 64>::new()), "VerifiedTokenCache"),
    ];
    let verified = unverified.verify(keys.keys()[0].key()).unwrap();
    shown.push((format!("{verified:?}"), "VerifiedJws"));
    let parsed = AccessToken::parse(verified).unwrap();
    shown.push((format!("{parsed:?}"), "AccessToken"));
    let claims = with(access_claims(), "cnf", json!({"jkt": "a"}));
    let key = RequestKey::dpop("a").ok();
    bound_access_token(&API_POLICY, key, &claims, |token| {
        shown.extend([
            (format!("{token:?}"), "Validated(AccessToken"),
            (format!("{:?}", token.audience()), "Audience"),
            (format!("{:?}", token.scope()), "Scope"),
            (format!("{:?}", token.permissions()), "StringArray"),
            (format!("{:?}", token.confirmation()), "Some(Confirmation"),
            (format!("{:?}", token.to_owned_token::<2048>().unwrap()), "OwnedAccessToken"),
        ]);
    });
    id_token(&with(id_claims(), "address", json!({"locality": "a"})), |token| {
        shown.extend([
            (format!("{:?}", token.user().address()), "Some(Address"),
            (format!("{token:?}"), "Validated(IdToken"),
            (format!("{:?}", token.user()), "StandardClaims"),
            (format!("{:?}", token.to_owned_token::<2048>().unwrap()), "OwnedIdToken"),
        ]);
    });
    shown.push((format!("{LOGIN_POLICY:?}"), "IdTokenPolicy"));
    let login = Login::new(Nonce::Ignore).access_token(BearerToken::new("a"));
    let login = format!("{:?}", login.build().unwrap());
    assert!(login.contains("([redacted])") && login.contains("NotGiven"), "{login}");
    shown.push((login, "Login"));
    let (token, issuer) = (BearerToken::new(&text), trusted());
    let mut buffer = TokenBuffer::<4096>::new();
    let trust = (&issuer, &API_POLICY);
    let cached = CachedAccessToken::<2048>::validate(token, trust, NOW, &mut buffer);
    let tenants = TenantIssuer::new("https://a.example/{tenantid}/", &["a"][..], keys).unwrap();
    let url = "https://a.example/b?code=s3cr3t#s3cr3t";
    let token = DpopToken::new("s3cr3t");
    let request = format!("{:?}", DpopRequest::to_resource("GET", url, token).nonce("s3cr3t"));
    assert!(request.contains("https://a.example/b") && !request.contains("s3cr3t"), "{request}");
    let not_a_url = DpopRequest::without_access_token("GET", "/b?code=s3cr3t");
    assert!(!format!("{not_a_url:?}").contains("s3cr3t"), "{not_a_url:?}");
    shown.extend([
        (request, "DpopRequest"),
        (format!("{:?}", cached.unwrap()), "CachedAccessToken"),
        (format!("{tenants:?}"), "TenantIssuer"),
        (format!("{:?}", KeyMaterial::Rsa { n: &[1], e: &[3] }), "Rsa"),
        (format!("{:?}", KeyMaterial::P256 { x: &[0; 32], y: &[0; 32] }), "P256"),
        (format!("{:?}", KeyMaterial::P384 { x: &[0; 48], y: &[0; 48] }), "P384"),
        (format!("{:?}", KeyMaterial::Ed25519 { x: &[0; 32] }), "Ed25519"),
        (format!("{:?}", Algorithms::of(&[Algorithm::EdDsa, Algorithm::Rs256])), r#"{"RS256", "#),
    ]);
    let rule = format!("{:?}", ClaimRule::equals_integer(&["tenant"], -1_311_280_970));
    assert!(rule.contains("-1311280970"), "{rule}");
    for (text, name) in shown {
        assert!(text.starts_with(name), "{name}: {text}");
    }
}

#[test]
fn the_key_that_an_access_token_is_bound_to_is_told() {
    let thumbprint = "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2";
    let key = RequestKey::certificate(thumbprint).ok();
    let claims = with(access_claims(), "cnf", json!({"x5t#S256": thumbprint}));
    bound_access_token(&API_POLICY, key, &claims, |token| {
        let confirmation = token.confirmation().unwrap();
        assert_eq!((confirmation.x5t_s256(), confirmation.jkt()), (Some(thumbprint), None));
    });
    access_token(&API_POLICY, &access_claims(), |token| assert_eq!(token.confirmation(), None));
}

#[test]
fn nothing_that_is_printed_shows_a_tokens_text() {
    let secrets = ["auth0|123456", "janedoe", "Jane", CLIENT_ID, API, "read:patients", "key-a"];
    let assert_silent = |text: String| {
        for secret in secrets {
            assert!(!text.contains(secret), "{text}");
        }
    };
    id_token(&id_claims(), |token| {
        assert_silent(format!("{token:?} {:?}", token.user()));
        assert_silent(format!("{:?} {:?}", token.audience(), token.header()));
    });
    access_token(&API_POLICY, &access_claims(), |token| {
        assert_silent(format!("{token:?} {:?}", token.to_owned_token::<2048>()));
    });
    assert_silent(format!("{:?}", VerifiedTokenCache::<2, 64>::default()));
    assert_silent(format!("{:?}", TokenBuffer::<64>::default()));
    let keys = keys_of(&Signer::a());
    let [shown] = keys.keys() else { panic!("one key") };
    assert_silent(format!("{keys:?} {shown:?} {:?} {:?}", shown.key(), trusted()));
}

#[derive(Debug, PartialEq, Deserialize)]
struct Level {
    level: u8,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Wrapped(Level);

/// Requests bytes, which JSON does not have.
#[derive(Debug, Deserialize)]
struct Bytes<'a> {
    #[serde(borrow, rename = "name")]
    _name: &'a [u8],
}

#[test]
fn c08_claims_are_read_through_options_and_wrappers() {
    id_token(&with(id_claims(), "level", 7), |token| {
        assert_eq!(token.claims(), Ok(Some(Level { level: 7 })));
        assert_eq!(token.claims(), Ok(Wrapped(Level { level: 7 })));
        let refused = token.claims::<Bytes<'_>>().map_err(|error| error.code());
        assert_eq!(refused.map(|_| ()), Err("claim_type"));
    });
}
