//! Several issuers, each with its own policy: the token's `iss` selects both.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]

mod support;

use claimgate::error::Claim;
use claimgate::jws::CompactJws;
use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, Error, IdToken, IdTokenPolicy, Issuer, JwkSet,
    TokenBuffer, Trust,
};
use serde_json::Value;
use support::*;

const OTHER: &str = "https://other.example.com";

/// Returns the key sets of the issuer and of the other one, whose keys have the same `kid`.
fn sets() -> [JwkSet<TestKey, 4>; 2] {
    [Signer::a().jwk(), with(Signer::b().jwk(), "kid", "key-a")]
        .map(|key| JwkSet::from_json(&jwks(&[key])).unwrap())
}

fn signed_by_other(claims: &Value) -> String {
    let header = serde_json::json!({"alg": "RS256", "typ": "JWT", "kid": "key-a"});
    Signer::b().sign_with(&header, claims)
}

/// The subject that the access token policies of the two issuers accept: the other policy
/// requires a user of one client.
fn access(token: &str) -> Result<String, Error> {
    let [ours, theirs] = sets();
    let strict = AccessTokenPolicy::general(API).authorized_parties(&["theirs"]).build().unwrap();
    let trust = [(issuer(ours), API_POLICY), (Issuer::new(OTHER, theirs).unwrap(), strict)];
    let mut buffer = TokenBuffer::<4096>::new();
    let token = BearerToken::new(token);
    AccessToken::validate(token, &trust, NOW, &mut buffer).map(|token| token.subject().to_owned())
}

/// The same for ID tokens: the other one's application has another client ID.
fn login(token: &str) -> Result<String, Error> {
    let [ours, theirs] = sets();
    let other = IdTokenPolicy::new("theirs").build().unwrap();
    let trust = [(issuer(ours), LOGIN_POLICY), (Issuer::new(OTHER, theirs).unwrap(), other)];
    let mut buffer = TokenBuffer::<4096>::new();
    IdToken::validate(token, &trust, LOGIN, NOW, &mut buffer)
        .map(|token| token.subject().to_owned())
}

#[test]
fn k11_each_issuers_access_tokens_meet_its_own_policy() {
    let subject = Ok("auth0|123456".to_owned());
    let (ours, theirs) = (access_claims(), with(access_claims(), "iss", OTHER));
    assert_eq!(access(&Signer::a().sign(&ours)), subject);
    let foreign = Err(Error::AuthorizedPartyMismatch(Claim::AuthorizedParty));
    assert_eq!(access(&signed_by_other(&theirs)), foreign);
    assert_eq!(access(&signed_by_other(&with(theirs, "azp", "theirs"))), subject);
}

#[test]
fn k11_each_issuers_id_tokens_meet_its_own_policy() {
    let subject = Ok("auth0|123456".to_owned());
    let (ours, theirs) = (id_claims(), with(id_claims(), "iss", OTHER));
    assert_eq!(login(&Signer::a().sign(&ours)), subject);
    let mismatch = Err(Error::AudienceMismatch { audiences: 1 });
    assert_eq!(login(&signed_by_other(&theirs)), mismatch);
    assert_eq!(login(&signed_by_other(&with(theirs, "aud", "theirs"))), subject);
    assert_eq!(login(&Signer::a().sign(&with(ours, "aud", "theirs"))), mismatch);
}

#[test]
fn k11_one_issuers_key_does_not_sign_for_another() {
    let invalid = Err(Error::InvalidSignature);
    assert_eq!(access(&Signer::a().sign(&with(access_claims(), "iss", OTHER))), invalid);
    assert_eq!(access(&signed_by_other(&access_claims())), invalid);
    assert_eq!(login(&Signer::a().sign(&with(id_claims(), "iss", OTHER))), invalid);
    assert_eq!(login(&signed_by_other(&id_claims())), invalid);
}

#[test]
fn k11_a_token_of_no_known_issuer_is_rejected() {
    for iss in ["https://other.example.com/", "", "HTTPS://OTHER.EXAMPLE.COM"] {
        let token = Signer::a().sign(&with(access_claims(), "iss", iss));
        assert_eq!(access(&token), Err(Error::UnknownIssuer), "{iss}");
        let token = Signer::a().sign(&with(id_claims(), "iss", iss));
        assert_eq!(login(&token), Err(Error::UnknownIssuer), "{iss}");
    }
    let token = Signer::a().sign(&without(access_claims(), "iss"));
    assert_eq!(access(&token), Err(Error::UnknownIssuer));
    let token = Signer::a().sign(&with(access_claims(), "iss", 42));
    assert_eq!(access(&token), Err(Error::UnknownIssuer));
    let token = Signer::a().sign_raw(br#"{"alg":"RS256"}"#, b"no JSON");
    assert_eq!(login(&token), Err(Error::UnknownIssuer));
}

/// Returns the index of the issuer that an access token claims to be from, of three.
fn claimed(token: &str) -> Option<usize> {
    const TENANTS: &str = "https://login.example.com/{tenantid}/v2.0";
    BearerToken::new(token)
        .claimed_issuer(&[OTHER, TENANTS, ISSUER], &mut TokenBuffer::<4096>::new())
}

#[test]
fn k11_the_claimed_issuer_is_one_of_the_list_or_none() {
    let claims = |iss: &str| with(access_claims(), "iss", iss);
    let sign = |claims: &Value| Signer::a().sign(claims);
    assert_eq!(claimed(&sign(&access_claims())), Some(2));
    assert_eq!(claimed(&sign(&claims(OTHER))), Some(0));
    let tenant = "https://login.example.com/3aa4a235-b6e2-48d5-9195-7fcf05b459b0/v2.0";
    assert_eq!(claimed(&sign(&claims(tenant))), Some(1));
    for iss in [
        "",
        "https://other.example.com/",
        "HTTPS://other.example.com",
        "https://login.example.com/3aa4a235-b6e2-48d5-9195-7fcf05b459b0",
        "https://login.example.com/{tenantid}/v2.0/",
    ] {
        assert_eq!(claimed(&sign(&claims(iss))), None, "{iss}");
    }
    // Only validation checks the tenant itself.
    assert_eq!(claimed(&sign(&claims("https://login.example.com/a/b/v2.0"))), Some(1));
    assert_eq!(claimed(&sign(&without(access_claims(), "iss"))), None);
    assert_eq!(claimed(&sign(&with(access_claims(), "iss", 1))), None);
    assert_eq!(claimed("e30.e30.AA"), None);
    assert_eq!(claimed(""), None);
}

#[test]
fn k11_the_issuer_whose_keys_to_fetch_is_the_one_that_the_token_names() {
    let [ours, theirs] = sets();
    let both = [(issuer(ours), API_POLICY), (Issuer::new(OTHER, theirs).unwrap(), API_POLICY)];
    let [(only, _), _] = &both;
    for (iss, among_two) in [(ISSUER, Some(ISSUER)), (OTHER, Some(OTHER)), ("https://c", None)] {
        let text = Signer::a().sign(&with(access_claims(), "iss", iss));
        let mut buffer = [0; 4096];
        let token = CompactJws::parse(&text).unwrap().decode(&mut buffer).unwrap();
        assert_eq!((&both).issuer_of(&token), among_two, "{iss}");
        // The only issuer is the one whatever the token names.
        assert_eq!((only, &API_POLICY).issuer_of(&token), Some(ISSUER), "{iss}");
    }
}

#[test]
fn k11_a_borrowed_issuer_is_the_only_one_as_the_issuer_itself_is() {
    let text = Signer::a().sign(&with(access_claims(), "iss", OTHER));
    let (owner, mut buffer) = (trusted(), TokenBuffer::<4096>::new());
    let token = BearerToken::new(&text);
    let trust = (&owner.by_ref(), &API_POLICY);
    let verdict = AccessToken::validate(token, trust, NOW, &mut buffer).map(|_| ());
    assert_eq!(verdict, Err(Error::IssuerMismatch));
    let verdict = AccessToken::validate(token, (&owner, &API_POLICY), NOW, &mut buffer).map(|_| ());
    assert_eq!(verdict, Err(Error::IssuerMismatch));
}
