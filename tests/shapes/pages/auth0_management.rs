//! `docs/auth0.md`.

use serde_json::json;

use super::Page;

use claimgate::policy::SubjectKind;
use claimgate::{AccessTokenPolicy, ScopePolicy, at_compile_time};

const MANAGEMENT: AccessTokenPolicy<'_> = at_compile_time!(
    AccessTokenPolicy::general("https://my-domain.auth0.com/api/v2/")
        .require_scope(at_compile_time!(ScopePolicy::all_of(&["read:users"])))
        .require_subject(SubjectKind::Client)
        .build()
);

pub(super) fn run(page: &Page) {
    let machine = "Auth0 Management API token";
    page.accepts(&MANAGEMENT, (machine, json!({})), |token| {
        assert_eq!(token.subject(), "app@clients");
    });
    let without = json!({"scope": "update:users"});
    page.refuses(&MANAGEMENT, (machine, without), "insufficient_scope");
    let user = "Auth0 Management API token of a user, without the scope";
    let with_scope = json!({"scope": "openid read:users"});
    page.refuses(&MANAGEMENT, (user, with_scope), "subject_kind");
}
