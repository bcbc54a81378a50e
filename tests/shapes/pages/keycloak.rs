//! `docs/keycloak.md`.

use serde_json::{Value, json};

use super::{Page, merged};

use claimgate::{AccessTokenPolicy, at_compile_time};

const API: AccessTokenPolicy<'_> = at_compile_time!(
    AccessTokenPolicy::general("health-api")
        .authorized_parties(&["web-app"])
        // Versions before 25 copy the nonce into access tokens, and need here:
        // .allow_foreign_claim(claimgate::policy::ForeignClaim::Nonce)
        .build()
);

#[derive(serde::Deserialize)]
struct Roles<'a> {
    #[serde(borrow)]
    realm_access: RealmAccess<'a>,
}

#[derive(serde::Deserialize)]
struct RealmAccess<'a> {
    #[serde(borrow)]
    roles: Vec<&'a str>,
}

pub(super) fn run(page: &Page) {
    let user = |changes: Value| {
        let claims = json!({"aud": ["health-api", "account"], "azp": "web-app"});
        ("Keycloak access token", merged(claims, &changes))
    };
    page.accepts(&API, user(json!({})), |token| {
        assert_eq!(token.claims::<Roles<'_>>().unwrap().realm_access.roles, ["nurse"]);
    });
    page.refuses(&API, user(json!({"aud": "account"})), "audience_mismatch");
    page.refuses(&API, user(json!({"azp": "other"})), "authorized_party_mismatch");
    let claims = json!({"aud": ["health-api", "account"], "azp": "web-app"});
    let older = "Keycloak access token of an older version, with the nonce";
    page.refuses(&API, (older, claims.clone()), "token_type");
    let refresh = "Keycloak refresh token with the API as its audience";
    page.refuses(&API, (refresh, claims), "token_type");
}
