//! `docs/apple.md`.

use serde_json::json;

use super::Page;

use claimgate::error::ConfigError;
use claimgate::{IdTokenPolicy, Login, Nonce, at_compile_time};

/// The application and the web site of one team.
const APPLICATION: IdTokenPolicy<'_> = at_compile_time!(
    IdTokenPolicy::new("com.example.app")
        .or_client_ids(&["com.example.web"])
        .accept_string_booleans()
        .build()
);

/// `nonce` is the text that the authorization request contained.
fn login(nonce: &str) -> Result<Login<'_>, ConfigError> {
    Login::new(Nonce::Expect(nonce)).build()
}

pub(super) fn run(page: &Page) {
    let user = "Apple ID token";
    let nonce = || login("n-0S6").unwrap();
    for client_id in ["com.example.app", "com.example.web"] {
        let token = (user, json!({"aud": client_id}));
        page.accepts_login(&APPLICATION, nonce(), token, |token| {
            assert_eq!(token.user().email(), Some("jane@privaterelay.appleid.com"));
        });
    }
    let other = (user, json!({"aud": "com.example.other"}));
    page.refuses_login(&APPLICATION, nonce(), other, "audience_mismatch");
    let token = || (user, json!({"aud": "com.example.app"}));
    page.refuses_login(&APPLICATION, login("n").unwrap(), token(), "nonce_mismatch");
    let older = "Apple ID token of an older form, with a boolean in quotes";
    let token = || (older, json!({"aud": "com.example.app", "nonce": "n-0S6"}));
    page.accepts_login(&APPLICATION, nonce(), token(), |token| {
        assert_eq!(token.user().email_verified(), Some(true));
    });
}
