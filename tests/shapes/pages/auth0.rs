//! `docs/auth0.md`.

use serde_json::{Value, json};

use super::{Page, merged};

use claimgate::error::ConfigError;
use claimgate::{AccessTokenPolicy, IdTokenPolicy, Login, Nonce, ScopePolicy, at_compile_time};

const READ: ScopePolicy<'_> = at_compile_time!(ScopePolicy::all_of(&["read:patients"]));

// An API. With role-based access control, ask for permissions instead of scopes, or for both.
const API: AccessTokenPolicy<'_> = at_compile_time!(
    AccessTokenPolicy::general("https://example.com/health-api")
        .require_scope(READ)
        .require_permissions(READ)
        .build()
);

// An application, and one login of a member of an organization.
const APPLICATION: IdTokenPolicy<'_> = at_compile_time!(IdTokenPolicy::new("my_client_id").build());

fn login<'r>(nonce: &'r str, organization: &'r str) -> Result<Login<'r>, ConfigError> {
    Login::new(Nonce::Expect(nonce)).organization(organization).build()
}

pub(super) fn run(page: &Page) {
    let user = |changes: Value| {
        ("Auth0 access token with permissions", merged(json!({"scope": "read:patients"}), &changes))
    };
    page.accepts(&API, user(json!({})), |token| assert_eq!(token.subject(), "auth0|123456"));
    page.refuses(&API, user(json!({"scope": ""})), "insufficient_scope");
    page.refuses(&API, user(json!({"permissions": []})), "insufficient_scope");
    let alone = "Auth0 access token for /userinfo alone";
    page.refuses(&API, (alone, json!({})), "audience_mismatch");

    let member = || ("Auth0 ID token of an organization", json!({"nonce": "n-0S6"}));
    let expected = login("n-0S6", "org_1").unwrap();
    page.accepts_login(&APPLICATION, expected, member(), |token| {
        assert_eq!(token.organization_id(), Some("org_1"));
    });
    let other = login("n-0S6", "org_2").unwrap();
    page.refuses_login(&APPLICATION, other, member(), "organization_mismatch");
    let other = login("n", "org_1").unwrap();
    page.refuses_login(&APPLICATION, other, member(), "nonce_mismatch");

    super::auth0_management::run(page);
}
