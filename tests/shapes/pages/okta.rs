//! `docs/okta.md`.

use serde_json::json;

use super::super::support::CLIENT_ID;
use super::Page;

use claimgate::{AccessTokenPolicy, ScopePolicy, at_compile_time};

const API: AccessTokenPolicy<'_> = at_compile_time!(
    AccessTokenPolicy::general("api://default")
        .require_scope(at_compile_time!(ScopePolicy::all_of(&["read:patients"])))
        .build()
);

/// The client that the token was issued to.
#[derive(serde::Deserialize)]
struct Client<'a> {
    cid: &'a str,
}

pub(super) fn run(page: &Page) {
    let token = "Okta access token of a custom server";
    page.accepts(&API, (token, json!({"aud": "api://default"})), |token| {
        assert_eq!(token.claims::<Client<'_>>().unwrap().cid, CLIENT_ID);
    });
    let without = json!({"aud": "api://default", "scp": ["openid"]});
    page.refuses(&API, (token, without), "insufficient_scope");
    let org = "Okta access token of the org server, for Okta alone";
    page.refuses(&API, (org, json!({})), "audience_mismatch");
}
