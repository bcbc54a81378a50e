//! `docs/firebase.md`.

use serde_json::{Value, json};

use super::super::support::NOW;
use super::{Page, merged};

use claimgate::error::ConfigError;
use claimgate::policy::ClaimRule;
use claimgate::{AccessTokenPolicy, IdTokenPolicy, Login, Nonce, at_compile_time};

/// Each request to an API, from users who signed in by one of these ways.
const API: AccessTokenPolicy<'_> = at_compile_time!(
    AccessTokenPolicy::general("my-project")
        .require_claims(&[at_compile_time!(ClaimRule::one_of(
            &["firebase", "sign_in_provider"],
            &["password", "google.com"]
        ))])
        .build()
);

/// The beginning of a session of your own, within five minutes of the sign-in.
const SESSION: IdTokenPolicy<'_> =
    at_compile_time!(IdTokenPolicy::new("my-project").max_age(300).build());

fn login() -> Result<Login<'static>, ConfigError> {
    Login::new(Nonce::ExpectNone).build()
}

pub(super) fn run(page: &Page) {
    let user =
        |changes: Value| ("Firebase ID token", merged(json!({"aud": "my-project"}), &changes));
    page.accepts(&API, user(json!({})), |token| assert_eq!(token.subject(), "u1"));
    let phone = json!({"firebase": {"identities": {}, "sign_in_provider": "phone"}});
    page.refuses(&API, user(phone), "claim_mismatch");
    let anonymous = "Firebase ID token of an anonymous user";
    page.refuses(&API, (anonymous, json!({"aud": "my-project"})), "claim_mismatch");
    let other = json!({"iss": "https://securetoken.google.com/other", "aud": "other"});
    page.refuses(&API, user(other), "issuer_mismatch");
    let custom = "Firebase custom token, which is for Firebase alone";
    page.refuses(&API, (custom, json!({})), "audience_mismatch");

    let now = NOW.as_secs();
    let recent = json!({"auth_time": now - 360});
    page.accepts_login(&SESSION, login().unwrap(), user(recent), |token| {
        assert_eq!(token.user().email(), Some("jane@example.com"));
    });
    let late = json!({"auth_time": now - 361});
    page.refuses_login(&SESSION, login().unwrap(), user(late), "authentication_too_old");
    let none = json!({"auth_time": null});
    page.refuses_login(&SESSION, login().unwrap(), user(none), "missing_claim");
}
