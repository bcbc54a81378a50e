//! `docs/spiffe.md`.

use claimgate::JwkSet;
use serde_json::{Value, json};

use super::super::signers::{AnySigner, TestAnyKey};
use super::super::support::NOW;
use super::{Page, merged};

use claimgate::policy::ClaimRule;
use claimgate::{AccessTokenPolicy, at_compile_time};

/// Two workloads of one trust domain.
const RECORDS: AccessTokenPolicy<'_> = at_compile_time!(
    AccessTokenPolicy::general("spiffe://example.org/records")
        .max_lifetime(300)
        .require_claims(&[at_compile_time!(ClaimRule::one_of(
            &["sub"],
            &["spiffe://example.org/reports", "spiffe://example.org/billing"]
        ))])
        .build()
);

pub(super) fn run(page: &Page) {
    let now = NOW.as_secs();
    let svid = |changes: Value| {
        let claims = json!({"sub": "spiffe://example.org/reports", "iat": now, "exp": now + 300,
            "aud": ["spiffe://example.org/records"]});
        ("SPIFFE JWT-SVID", merged(claims, &changes))
    };
    for workload in ["spiffe://example.org/reports", "spiffe://example.org/billing"] {
        page.accepts(&RECORDS, svid(json!({"sub": workload})), |token| {
            assert_eq!(token.subject(), workload);
        });
    }
    for stranger in ["spiffe://example.org/reports/x", "spiffe://other.org/reports"] {
        page.refuses(&RECORDS, svid(json!({"sub": stranger})), "claim_mismatch");
    }
    page.refuses(&RECORDS, svid(json!({"exp": now + 301})), "lifetime_too_long");
    page.refuses(&RECORDS, svid(json!({"iat": null})), "missing_claim");
    // What the specification of JWT-SVIDs allows, and the page says is refused.
    let (_, claims) = svid(json!({}));
    page.refuses(&RECORDS, ("SPIFFE JWT-SVID with the typ JOSE", claims.clone()), "token_type");
    let no_issuer = merged(claims, &json!({"iss": null}));
    page.refuses(&RECORDS, ("SPIFFE JWT-SVID without an issuer", no_issuer), "missing_claim");

    let keys = |key_use: Value| {
        let jwk = merged(AnySigner::a(page.algorithm).jwk(), &json!({"use": key_use}));
        JwkSet::<TestAnyKey, 4>::from_json(&json!({"keys": [jwk]}).to_string())
    };
    assert_eq!(keys(json!("jwt-svid")).unwrap_err().code(), "no_usable_keys");
    assert_eq!(keys(json!("sig")).unwrap().keys().len(), 1);
}
