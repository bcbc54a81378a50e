//! `docs/supabase.md`.

use serde_json::{Value, json};

use super::{Page, merged};

use claimgate::policy::ClaimRule;
use claimgate::{AccessTokenPolicy, at_compile_time};

/// Users who are not anonymous.
const API: AccessTokenPolicy<'_> = at_compile_time!(
    AccessTokenPolicy::general("authenticated")
        .require_claims(&[
            at_compile_time!(ClaimRule::equals(&["role"], "authenticated")),
            at_compile_time!(ClaimRule::equals_boolean(&["is_anonymous"], false)),
        ])
        .build()
);

pub(super) fn run(page: &Page) {
    let user = |changes: Value| {
        (
            "Supabase access token with the methods in amr as strings",
            merged(json!({"aud": "authenticated"}), &changes),
        )
    };
    page.accepts(&API, user(json!({})), |token| {
        assert!(token.amr().iter().eq(["password"]));
    });
    page.accepts(&API, user(json!({"amr": null})), |_| {});
    page.refuses(&API, user(json!({"is_anonymous": true})), "claim_mismatch");
    page.refuses(&API, user(json!({"role": "service_role"})), "claim_mismatch");
    // As Supabase writes it without a hook.
    page.refuses(&API, ("Supabase access token", json!({})), "claim_type");
}
