//! `docs/microsoft-entra.md`.

use serde_json::{Value, json};

use super::{Page, merged};

use claimgate::{AccessTokenPolicy, ScopePolicy, at_compile_time};

const API: AccessTokenPolicy<'_> = at_compile_time!(
    AccessTokenPolicy::general("api://11111111-2222-3333-4444-555555555555")
        .require_scope(at_compile_time!(ScopePolicy::any_of(&["Files.Read", "Files.ReadWrite"])))
        .build()
);

/// Application roles are a claim of the caller's own.
#[derive(serde::Deserialize)]
struct Roles<'a> {
    #[serde(borrow, default)]
    roles: Vec<&'a str>,
    tid: &'a str,
}

const AUDIENCE: &str = "api://11111111-2222-3333-4444-555555555555";

pub(super) fn run(page: &Page) {
    let user = |changes: Value| {
        let claims = merged(json!({"aud": AUDIENCE}), &changes);
        ("Microsoft Entra v1.0 access token", claims)
    };
    page.accepts(&API, user(json!({"roles": ["nurse"], "tid": "t"})), |token| {
        let Roles { roles, tid } = token.claims().unwrap();
        assert_eq!((roles, tid), (vec!["nurse"], "t"));
    });
    page.refuses(&API, user(json!({"scp": "User.Read"})), "insufficient_scope");
    page.refuses(&API, user(json!({"aud": "api://other"})), "audience_mismatch");
    let application = "Microsoft Entra access token of an application";
    page.refuses(&API, (application, json!({"aud": AUDIENCE})), "insufficient_scope");
    // One registration for application and API: the page says what keeps ID tokens out.
    let id_token = "Microsoft Entra v2.0 ID token";
    page.refuses(&API, (id_token, json!({"aud": AUDIENCE})), "token_type");
    let without_nonce = json!({"aud": AUDIENCE, "nonce": null});
    page.refuses(&API, (id_token, without_nonce), "insufficient_scope");

    super::microsoft_entra_tenants::run(page);
}
