//! The payload of an ID token with a valid signature: accepted tokens are checked again, and
//! rejected ones are explained.
#![no_main]

use std::collections::BTreeMap;

use claimgate::{IdToken, TokenBuffer, Validated};
use claimgate_fuzz::{
    APPLICATION_POLICY, HEADER, LOGIN, NOW, confirm_error, confirm_id_token, issuer, sign, timed,
};
use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;

fuzz_target!(|payload: &[u8]| {
    timed(|| run(payload));
});

fn run(payload: &[u8]) {
    let token = sign(0, HEADER, payload);
    let mut buffer = TokenBuffer::<16384>::new();
    let trust = (issuer(), &APPLICATION_POLICY);
    let broken = IdToken::explain(&token, trust, LOGIN, NOW, &mut buffer);
    match IdToken::validate(&token, trust, LOGIN, NOW, &mut buffer) {
        Ok(validated) => {
            assert!(broken.unwrap().is_empty());
            confirm_id_token(&token, NOW);
            look_at(&validated, payload);
        }
        Err(error) => {
            confirm_error(error);
            assert!(broken.map_or_else(|same| same == error, |broken| !broken.is_empty()));
        }
    }
}

fn look_at(token: &Validated<IdToken<'_>>, response: &[u8]) {
    assert!(!token.subject().is_empty() && token.issued_at().is_some());
    assert_eq!(format!("{token:?}"), "Validated(IdToken { .. })");
    assert_eq!(format!("{:?}", token.user()), "StandardClaims { .. }");
    match token.claims::<BTreeMap<String, IgnoredAny>>() {
        Ok(claims) => assert!(claims.contains_key("sub")),
        Err(error) => assert_eq!(error.code(), "buffer_too_small"),
    }
    assert_eq!(token.verify_refreshed(token), Ok(()));
    // The payload has the same subject, so it must be accepted as a `/userinfo` response.
    let mut buffer = TokenBuffer::<16384>::new();
    let response = std::str::from_utf8(response).unwrap();
    let user = token.user_info(response, &mut buffer);
    assert!(user.is_ok_and(|user| user.name() == token.user().name()));
    let owned = token.to_owned_token::<16384>();
    assert!(owned.is_ok_and(|owned| owned.token().subject() == token.subject()));
    assert_ne!(token.audience().len(), 0);
}
