//! Conformance: the example of RFC 9068, and the negative tests for relying parties of the
//! OpenID Foundation, by name. The tests with Project Wycheproof's signatures are in
//! `wycheproof.rs`.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]

mod support;

use claimgate::error::{Claim, Problem};
use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, Error, IdToken, Issuer, JwkSet, Login, Nonce,
    NumericDate, TokenBuffer,
};
use serde_json::{Value, json};
use support::*;

#[test]
fn rfc_9068_2_2_3_1_is_accepted_as_it_stands() {
    // Header and claims of the RFC, signed by a test key.
    const ISSUER: &str = "https://authorization-server.example.com/";
    const API: &str = "https://rs.example.com/";
    let header = json!({"typ": "at+JWT", "alg": "RS256", "kid": "RjEwOwOA"});
    let claims = json!({
        "iss": ISSUER, "sub": "5ba552d67", "aud": API, "exp": 1_639_528_912_u64,
        "iat": 1_618_354_090_u64, "jti": "dbe39bf3a3ba4238a513f51d6e1691c4",
        "client_id": "s6BhdRkqt3", "scope": "openid profile reademail",
    });
    let set = jwks(&[with(Signer::a().jwk(), "kid", "RjEwOwOA")]);
    let keys = JwkSet::<TestKey, 1>::from_json(&set).unwrap();
    let issuer = Issuer::new(ISSUER, keys).unwrap();
    let policy = AccessTokenPolicy::rfc9068(API).build().unwrap();
    let token = Signer::a().sign_with(&header, &claims);
    let mut buffer = TokenBuffer::<2048>::new();
    let now = NumericDate::from_secs(1_618_354_090);
    let (token, trust) = (BearerToken::new(&token), (&issuer, &policy));
    let token = AccessToken::validate(token, trust, now, &mut buffer).unwrap();
    assert_eq!(token.client_id(), Some("s6BhdRkqt3"));
    assert!(token.scope().contains("reademail"));
}

/// Returns the verdict of a relying party on an ID token with this change.
fn relying_party(change: impl FnOnce(Value) -> Value) -> Result<(), Error> {
    let claims = with(change(with(id_claims(), "nonce", "n")), "sid", "1");
    let login = Login::new(Nonce::Expect("n")).build().unwrap();
    check_login(&LOGIN_POLICY, login, &Signer::a().sign(&claims), NOW)
}

fn with_keys(members: &[Value], header: &Value) -> Result<(), Error> {
    let trusted = Trusted::new(JwkSet::from_json(&jwks(members))?);
    let token = Signer::a().sign_with(header, &id_claims());
    trusted.id(&LOGIN_POLICY, LOGIN, &token, NOW)
}

#[test]
fn oidcc_client_test() {
    assert_eq!(relying_party(|claims| claims), Ok(()));
}

#[test]
fn oidcc_client_test_invalid_iss() {
    let verdict = relying_party(|claims| with(claims, "iss", "https://my-domain.auth0.com/1"));
    assert_eq!(verdict, Err(Error::IssuerMismatch));
}

#[test]
fn oidcc_client_test_missing_sub() {
    let verdict = relying_party(|claims| without(claims, "sub"));
    assert_eq!(verdict, Err(Error::MissingClaim(Claim::Subject)));
}

#[test]
fn oidcc_client_test_invalid_aud() {
    let verdict = relying_party(|claims| with(claims, "aud", "my_client_id1"));
    assert_eq!(verdict, Err(Error::AudienceMismatch { audiences: 1 }));
}

#[test]
fn oidcc_client_test_missing_aud() {
    let verdict = relying_party(|claims| without(claims, "aud"));
    assert_eq!(verdict, Err(Error::MissingClaim(Claim::Audience)));
}

#[test]
fn oidcc_client_test_missing_iat() {
    let verdict = relying_party(|claims| without(claims, "iat"));
    assert_eq!(verdict, Err(Error::MissingClaim(Claim::IssuedAt)));
}

#[test]
fn oidcc_client_test_missing_exp() {
    let verdict = relying_party(|claims| without(claims, "exp"));
    assert_eq!(verdict, Err(Error::MissingClaim(Claim::Expiry)));
}

#[test]
fn oidcc_client_test_nonce_invalid() {
    let verdict = relying_party(|claims| with(claims, "nonce", "n1"));
    assert_eq!(verdict, Err(Error::NonceMismatch));
}

#[test]
fn oidcc_client_test_nonce_missing() {
    let verdict = relying_party(|claims| without(claims, "nonce"));
    assert_eq!(verdict, Err(Error::MissingClaim(Claim::Nonce)));
}

#[test]
fn oidcc_client_test_invalid_sig_rs256() {
    let token = Signer::a().sign(&id_claims());
    let (input, signature) = token.rsplit_once('.').unwrap();
    let middle = signature.len() / 2;
    let other = if signature[middle..].starts_with('A') { "B" } else { "A" };
    let token = format!("{input}.{}{other}{}", &signature[..middle], &signature[middle + 1..]);
    assert_eq!(check_id(&LOGIN_POLICY, &token, NOW), Err(Error::InvalidSignature));
}

#[test]
fn oidcc_client_test_idtoken_sig_none() {
    let verdict = with_keys(&[Signer::a().jwk()], &json!({"alg": "none"}));
    assert_eq!(verdict, Err(Error::AlgorithmNotAllowed(Problem::WrongValue)));
}

#[test]
fn oidcc_client_test_idtoken_sig_of_another_algorithm() {
    for alg in ["HS256", "ES256", "PS256"] {
        let verdict = with_keys(&[Signer::a().jwk()], &json!({"alg": alg, "kid": "key-a"}));
        assert_eq!(verdict, Err(Error::AlgorithmNotAllowed(Problem::WrongValue)));
    }
}

#[test]
fn oidcc_client_test_kid_absent_single_jwks() {
    let header = json!({"alg": "RS256"});
    assert_eq!(with_keys(&[Signer::a().jwk()], &header), Ok(()));
    let encryption = with(Signer::b().jwk(), "use", "enc");
    assert_eq!(with_keys(&[encryption, Signer::a().jwk()], &header), Ok(()));
}

#[test]
fn oidcc_client_test_kid_absent_multiple_jwks() {
    let header = json!({"alg": "RS256"});
    let verdict = with_keys(&[Signer::a().jwk(), Signer::b().jwk()], &header);
    assert_eq!(verdict, Err(Error::AmbiguousKey { candidates: 2 }));
}

#[test]
fn oidcc_client_test_signing_key_rotation() {
    let header = json!({"alg": "RS256", "kid": "key-a"});
    let before = with_keys(&[Signer::b().jwk()], &header).unwrap_err();
    assert_eq!(before, Error::UnknownKey);
    assert!(before.is_worth_a_key_refresh());
    assert_eq!(with_keys(&[Signer::b().jwk(), Signer::a().jwk()], &header), Ok(()));
}

#[test]
fn oidcc_client_test_unparseable_key_in_the_jwks() {
    let header = json!({"alg": "RS256", "kid": "key-a"});
    for unparseable in [
        json!({"kty": "RSA", "kid": "x", "n": "!", "e": "AQAB"}),
        json!({"kty": "RSA", "kid": "x"}),
        json!({"kty": 1}),
        json!({}),
        json!("key"),
    ] {
        assert_eq!(with_keys(&[unparseable, Signer::a().jwk()], &header), Ok(()));
    }
}

#[test]
fn oidcc_client_test_invalid_and_missing_at_hash() {
    let login = Login::new(Nonce::Ignore).access_token(BearerToken::new("access token"));
    let login = login.build().unwrap();
    let check = |claims: &Value| check_login(&LOGIN_POLICY, login, &Signer::a().sign(claims), NOW);
    assert_eq!(check(&id_claims()), Err(Error::MissingClaim(Claim::AtHash)));
    let invalid = with(id_claims(), "at_hash", "77QmUPtjPfzWtF2AnpK9RQ");
    assert_eq!(check(&invalid), Err(Error::HashMismatch(Claim::AtHash)));
}

#[test]
fn oidcc_client_test_invalid_and_missing_c_hash() {
    let login = Login::new(Nonce::Ignore).code("code").build().unwrap();
    let check = |claims: &Value| check_login(&LOGIN_POLICY, login, &Signer::a().sign(claims), NOW);
    assert_eq!(check(&id_claims()), Err(Error::MissingClaim(Claim::CHash)));
    let invalid = with(id_claims(), "c_hash", "LDktKdoQak3Pk0cnXxCltA");
    assert_eq!(check(&invalid), Err(Error::HashMismatch(Claim::CHash)));
}

#[test]
fn oidcc_client_test_userinfo_invalid_sub() {
    let issuer = trusted();
    let token = Signer::a().sign(&id_claims());
    let (mut one, mut two) = (TokenBuffer::<2048>::new(), TokenBuffer::<2048>::new());
    let token = IdToken::validate(&token, (&issuer, &LOGIN_POLICY), LOGIN, NOW, &mut one).unwrap();
    let response = json!({"sub": "auth0|1234561", "name": "Jane"}).to_string();
    assert_eq!(token.user_info(&response, &mut two).map(|_| ()), Err(Error::SubjectMismatch));
}
