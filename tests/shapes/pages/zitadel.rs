//! `docs/zitadel.md`.

use serde_json::{Value, json};

use super::{Page, merged};

use claimgate::error::ConfigError;
use claimgate::policy::ClaimRule;
use claimgate::{AccessTokenPolicy, IdTokenPolicy, Login, Nonce, at_compile_time};

/// The role `nurse` of the project 366, granted by the organization 344, whose domain is the value.
const API: AccessTokenPolicy<'_> = at_compile_time!(
    AccessTokenPolicy::general("366")
        .require_claims(&[at_compile_time!(ClaimRule::equals(
            &["urn:zitadel:iam:org:project:366:roles", "nurse", "344"],
            "hospital.zitadel.cloud"
        ))])
        .build()
);

/// The other audiences of ID tokens are the project and its other clients.
const APPLICATION: IdTokenPolicy<'_> = at_compile_time!(
    IdTokenPolicy::new("my_client_id").trusted_audiences(&["366", "other_client"]).build()
);

fn login(nonce: &str) -> Result<Login<'_>, ConfigError> {
    Login::new(Nonce::Expect(nonce)).build()
}

const ROLES: &str = "urn:zitadel:iam:org:project:366:roles";

pub(super) fn run(page: &Page) {
    let user = |changes: Value| {
        ("Zitadel access token", merged(json!({"aud": ["my_client_id", "366"]}), &changes))
    };
    page.accepts(&API, user(json!({})), |token| assert_eq!(token.subject(), "345"));
    for roles in [
        json!({"doctor": {"344": "hospital.zitadel.cloud"}}),
        json!({"nurse": {"345": "hospital.zitadel.cloud"}}),
        json!({"nurse": {}}),
        json!(["nurse"]),
        json!(null),
    ] {
        let mut changes = json!({});
        changes[ROLES] = roles;
        page.refuses(&API, user(changes), "claim_mismatch");
    }

    let id_token =
        "Zitadel ID token, whose audiences are all clients of the project and the project";
    let audience = json!({"aud": ["my_client_id", "other_client", "366"]});
    page.refuses(&API, (id_token, audience.clone()), "token_type");
    page.accepts_login(&APPLICATION, login("n-0S6").unwrap(), (id_token, audience), |token| {
        assert_eq!(token.user().name(), Some("Jane Doe"));
    });
    let stranger = json!({"aud": ["my_client_id", "a_new_client", "366"]});
    let code = "untrusted_audience";
    page.refuses_login(&APPLICATION, login("n-0S6").unwrap(), (id_token, stranger), code);
}
