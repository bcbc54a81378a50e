//! The payload of a logout token with a valid signature: accepted tokens are checked again,
//! rejected ones are explained, and a policy that accepts tokens without `exp` accepts all
//! others, too.
#![no_main]

use claimgate::policy::LogoutTokenPolicy;
use claimgate::replay::{ReplayError, ReplayWindow, TokenId};
use claimgate::{LogoutToken, TokenBuffer};
use claimgate_fuzz::{
    HEADER, LOGOUT_POLICY, LOGOUT_POLICY_WITHOUT_EXPIRY, NOW, StandIn, confirm_error,
    confirm_logout_token, issuer, sign, timed,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|payload: &[u8]| {
    timed(|| run(payload));
});

fn run(payload: &[u8]) {
    let token = sign(0, HEADER, payload);
    let strict = is_accepted(&token, &LOGOUT_POLICY);
    let lax = is_accepted(&token, &LOGOUT_POLICY_WITHOUT_EXPIRY);
    assert!(lax || !strict);
}

fn is_accepted(token: &str, policy: &LogoutTokenPolicy<'_>) -> bool {
    let mut buffer = TokenBuffer::<16384>::new();
    let trust = (issuer(), policy);
    let broken = LogoutToken::explain(token, trust, NOW, &mut buffer);
    match LogoutToken::validate(token, trust, NOW, &mut buffer) {
        Ok(validated) => {
            assert!(broken.unwrap().is_empty());
            confirm_logout_token(token, policy, NOW);
            assert!(validated.subject().or(validated.session_id()).is_some());
            assert!(validated.issued_at().is_some());
            assert_eq!(format!("{validated:?}"), "Validated(LogoutToken { .. })");
            let owned = validated.to_owned_token::<16384>();
            assert!(owned.is_ok_and(|owned| owned.token() == validated));
            // A token has an identifier unless its `jti` is too long, and is admitted once.
            let jti = validated.token_id().unwrap();
            let id = TokenId::logout_token::<StandIn>(validated.issuer(), jti);
            assert_eq!(id.is_some(), jti.len() <= TokenId::MAX_JTI_LEN);
            if let (Some(id), Some(expiry)) = (id, validated.expiry().filter(|end| *end > NOW)) {
                let mut window = ReplayWindow::<1>::new();
                assert_eq!(window.admit(id, expiry, NOW), Ok(()));
                assert_eq!(window.admit(id, expiry, NOW), Err(ReplayError::Replayed));
            }
            true
        }
        Err(error) => {
            confirm_error(error);
            assert!(broken.map_or_else(|same| same == error, |broken| !broken.is_empty()));
            false
        }
    }
}
