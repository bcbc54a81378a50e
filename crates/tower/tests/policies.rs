//! Policies for each authority, in one handle with one cache.

mod support;

use claimgate::{AccessTokenPolicy, BearerToken, at_compile_time};
use claimgate_tower::{Authorities, Authority, Policies};
use support::*;

const ONE: &str = "https://one.example";
const TWO: &str = "https://two.example";

const SECOND: AccessTokenPolicy<'_> = at_compile_time!(AccessTokenPolicy::general("urn:b").build());
const BOTH: &[Option<AccessTokenPolicy<'_>>] = &[Some(POLICY), Some(SECOND)];
const FIRST_ONLY: &[Option<AccessTokenPolicy<'_>>] = &[Some(POLICY), None];
const SHORT: &[Option<AccessTokenPolicy<'_>>] = &[Some(POLICY)];

async fn code<P: Policies + ?Sized>(
    authorities: &Authorities,
    token: &str,
    policies: &P,
) -> &'static str {
    match authorities.validate(BearerToken::new(token), policies).await {
        Ok(_) => "valid",
        Err(refusal) => refusal.code(),
    }
}

#[tokio::test]
async fn each_authority_has_its_own_policy_and_others_are_refused() {
    let signer = Signer::rsa("a");
    let authority = |issuer| Authority::fixed(issuer, jwks(&[&signer]));
    let authorities = Authorities::new([authority(ONE), authority(TWO)]).unwrap();
    let token = |issuer, audience: &str| signer.sign(&with(claims(issuer), "aud", audience));
    for _ in 0..2 {
        for (issuer, audience, expected) in [
            (ONE, API, ["valid", "valid", "valid"]),
            (ONE, "urn:b", ["audience_mismatch"; 3]),
            (TWO, API, ["audience_mismatch", "unknown_issuer", "unknown_issuer"]),
            (TWO, "urn:b", ["valid", "unknown_issuer", "unknown_issuer"]),
        ] {
            let token = token(issuer, audience);
            for (policies, expected) in [BOTH, FIRST_ONLY, SHORT].into_iter().zip(expected) {
                let found = code(&authorities, &token, policies).await;
                assert_eq!(found, expected, "{issuer} {audience}");
            }
        }
    }
    assert_eq!(code(&authorities, "a.b", BOTH).await, code(&authorities, "a.b", &POLICY).await);
}

#[tokio::test]
async fn a_token_is_found_under_each_of_its_policies() {
    let signer = Signer::rsa("a");
    let authority = |issuer| Authority::fixed(issuer, jwks(&[&signer]));
    let authorities = Authorities::new([authority(ONE), authority(TWO)]).unwrap();
    let one = signer.sign(&claims(ONE));
    let two = signer.sign(&with(claims(TWO), "aud", "urn:b"));
    for round in 0..3 {
        assert_eq!(code(&authorities, &one, BOTH).await, "valid");
        assert_eq!(code(&authorities, &two, BOTH).await, "valid");
        assert_eq!(code(&authorities, &one, FIRST_ONLY).await, "valid");
        assert_eq!(code(&authorities, &one, &POLICY).await, "valid");
        let statistics = authorities.cache_statistics();
        assert_eq!((statistics.hits, statistics.misses), (4 * round, 4));
    }
}
