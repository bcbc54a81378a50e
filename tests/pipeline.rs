//! The validation pipeline, end to end, with the demonstration tokens.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]

mod support;

use claimgate::error::Claim;
use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, Error, IdToken, IdTokenPolicy, Login, Nonce,
    ScopePolicy, TokenBuffer,
};
use support::*;

#[test]
fn the_id_token_of_the_articles_tells_the_application_who_the_user_is() {
    let signer = Signer::a();
    let policy = IdTokenPolicy::new(CLIENT_ID).build().unwrap();
    let login = Login::new(Nonce::ExpectNone).build().unwrap();
    let trust = (&trusted(), &policy);
    let mut buffer = TokenBuffer::<4096>::new();
    let token =
        IdToken::validate(&signer.sign(&id_claims()), trust, login, NOW, &mut buffer).unwrap();
    assert_eq!(token.issuer(), ISSUER);
    assert_eq!(token.subject(), "auth0|123456");
    assert_eq!(token.audience().iter().collect::<Vec<_>>(), [CLIENT_ID]);
    assert_eq!(token.expiry().as_secs(), EXP);
    assert_eq!(token.issued_at().map(|time| time.as_secs()), Some(IAT));
    assert_eq!(token.user().name(), Some("Jane Doe"));
    assert_eq!(token.user().given_name(), Some("Jane"));
    assert_eq!(token.user().family_name(), Some("Doe"));
    assert_eq!(token.user().gender(), Some("female"));
    assert_eq!(token.user().birthdate(), Some("0000-10-31"));
    assert_eq!(token.user().email(), Some("janedoe@example.com"));
    assert_eq!(token.user().email_verified(), None);
    assert_eq!(token.user().picture(), Some("http://example.com/janedoe/me.jpg"));
}

#[test]
fn the_access_token_of_the_articles_opens_the_api() {
    let signer = Signer::a();
    let needed = ScopePolicy::all_of(&["read:patients"]).unwrap();
    let policy = AccessTokenPolicy::general(API).require_scope(needed).build().unwrap();
    let mut buffer = TokenBuffer::<4096>::new();
    let text = signer.sign(&access_claims());
    let (token, trust) = (BearerToken::new(&text), (&trusted(), &policy));
    let token = AccessToken::validate(token, trust, NOW, &mut buffer).unwrap();
    assert_eq!(token.subject(), "auth0|123456");
    assert_eq!(token.authorized_party(), Some(CLIENT_ID));
    assert!(token.is_for_userinfo());
    assert_eq!(token.scope().to_string(), "openid profile read:patients read:admin");
    let admin = ScopePolicy::all_of(&["read:admin"]).unwrap();
    assert_eq!(token.authorize(&admin), Ok(()));
    let write = ScopePolicy::all_of(&["write:patients"]).unwrap();
    let forbidden = token.authorize(&write).unwrap_err();
    assert_eq!(forbidden.error(), Error::InsufficientScope(Claim::Scope));
    assert_eq!(forbidden.needed(), Some(write));
}
