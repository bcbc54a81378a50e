//! `docs/amazon-cognito.md`.

use claimgate::{Login, Nonce};
use serde_json::{Value, json};

use super::{Page, merged};

use claimgate::{AccessTokenPolicy, IdTokenPolicy, ScopePolicy, at_compile_time};

const API: AccessTokenPolicy<'_> = at_compile_time!(
    AccessTokenPolicy::without_audience(&["7example23lient"])
        .require_scope(at_compile_time!(ScopePolicy::all_of(&["health-api/read"])))
        .build()
);

#[derive(serde::Deserialize)]
struct Groups<'a> {
    #[serde(rename = "cognito:groups", borrow)]
    groups: Option<Vec<&'a str>>,
}

const APPLICATION: IdTokenPolicy<'_> =
    at_compile_time!(IdTokenPolicy::new("7example23lient").build());

pub(super) fn run(page: &Page) {
    let user = |changes: Value| {
        let claims = json!({"client_id": "7example23lient", "scope": "health-api/read"});
        ("Amazon Cognito access token", merged(claims, &changes))
    };
    page.accepts(&API, user(json!({"cognito:groups": ["nurse"]})), |token| {
        assert_eq!(token.claims::<Groups<'_>>().unwrap().groups.unwrap(), ["nurse"]);
    });
    page.refuses(&API, user(json!({"scope": "openid"})), "insufficient_scope");
    page.refuses(&API, user(json!({"client_id": "other"})), "authorized_party_mismatch");
    page.refuses(&API, user(json!({"aud": "x"})), "audience_mismatch");
    page.refuses(&API, user(json!({"token_use": "id"})), "token_type");

    let login = Login::new(Nonce::ExpectNone).build().unwrap();
    let token = ("Amazon Cognito ID token", json!({"aud": "7example23lient"}));
    page.accepts_login(&APPLICATION, login, token, |token| {
        assert_eq!(token.claims::<Groups<'_>>().unwrap().groups.unwrap(), ["nurse"]);
    });
    let token = ("Amazon Cognito ID token", json!({"aud": "other"}));
    page.refuses_login(&APPLICATION, login, token, "audience_mismatch");
}
