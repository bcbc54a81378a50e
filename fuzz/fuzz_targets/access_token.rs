//! The payload of an access token with a valid signature: accepted tokens are checked again,
//! and rejected ones are explained.
#![no_main]

use claimgate::{AccessToken, BearerToken, ScopePolicy, TokenBuffer, Validated};
use claimgate_fuzz::{
    API_POLICY, HEADER, NOW, confirm_access_token, confirm_error, issuer, sign, timed,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|payload: &[u8]| {
    timed(|| run(payload));
});

fn run(payload: &[u8]) {
    let text = sign(0, HEADER, payload);
    let token = BearerToken::new(&text);
    let mut buffer = TokenBuffer::<16384>::new();
    let broken = AccessToken::explain(token, (issuer(), &API_POLICY), NOW, &mut buffer);
    match AccessToken::validate(token, (issuer(), &API_POLICY), NOW, &mut buffer) {
        Ok(validated) => {
            assert!(broken.unwrap().is_empty());
            confirm_access_token(&text, NOW);
            look_at(&validated);
        }
        Err(error) => {
            confirm_error(error);
            assert!(broken.map_or_else(|same| same == error, |broken| !broken.is_empty()));
        }
    }
}

fn look_at(token: &Validated<AccessToken<'_>>) {
    assert!(!token.subject().is_empty());
    assert_eq!(format!("{token:?}"), "Validated(AccessToken { .. })");
    let scope = token.scope();
    for granted in scope.iter() {
        assert!(scope.contains(granted));
        let list = [granted];
        assert_eq!(token.authorize(&ScopePolicy::all_of(&list).unwrap()), Ok(()));
        assert_eq!(token.authorize(&ScopePolicy::any_of(&list).unwrap()), Ok(()));
    }
    // The scope of a token consists of whole tokens, so its text contains no more than was
    // granted.
    assert_eq!(scope.to_string().split_ascii_whitespace().count(), scope.iter().count());
    assert!(token.permissions().iter().all(|permission| token.permissions().contains(permission)));
    assert!(token.confirmation().is_none());
    let _ = (token.subject_kind(), token.is_for_userinfo(), token.client_id(), token.token_id());
    let owned = token.to_owned_token::<16384>();
    assert!(owned.is_ok_and(|owned| owned.token().scope() == scope));
}
