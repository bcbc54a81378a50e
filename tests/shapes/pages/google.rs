//! `docs/google.md`.

use base64ct::{Base64UrlUnpadded, Encoding};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::{Page, merged};

use claimgate::error::ConfigError;
use claimgate::{BearerToken, IdTokenPolicy, Login, Nonce, at_compile_time};

const APPLICATION: IdTokenPolicy<'_> =
    at_compile_time!(IdTokenPolicy::new("1234.apps.googleusercontent.com").build());

/// `at_hash` is present whenever an access token came with the ID token.
fn login<'r>(nonce: &'r str, access_token: &'r str) -> Result<Login<'r>, ConfigError> {
    Login::new(Nonce::Expect(nonce)).access_token(BearerToken::new(access_token)).build()
}

/// The Google Workspace domain of the user, if any.
#[derive(serde::Deserialize)]
struct Hosted<'a> {
    hd: Option<&'a str>,
}

pub(super) fn run(page: &Page) {
    let access_token = "ya29.an-access-token";
    let hash = digest(&SHA256, access_token.as_bytes());
    let at_hash = Base64UrlUnpadded::encode_string(&hash.as_ref()[..16]);
    let user = |changes: Value| {
        let client_id = "1234.apps.googleusercontent.com";
        let claims = json!({"aud": client_id, "azp": client_id, "at_hash": at_hash});
        ("Google ID token", merged(claims, &changes))
    };
    let expected = || login("n-0S6", access_token).unwrap();
    page.accepts_login(&APPLICATION, expected(), user(json!({})), |token| {
        assert_eq!(token.claims::<Hosted<'_>>().unwrap().hd, Some("example.com"));
    });
    let other = login("n-0S6", "ya29.another").unwrap();
    page.refuses_login(&APPLICATION, other, user(json!({})), "hash_mismatch");
    let none = user(json!({"at_hash": null}));
    page.refuses_login(&APPLICATION, expected(), none, "missing_claim");
    let android = user(json!({"azp": "android-client"}));
    page.refuses_login(&APPLICATION, expected(), android, "authorized_party_mismatch");
    let other_nonce = user(json!({"nonce": "n"}));
    page.refuses_login(&APPLICATION, expected(), other_nonce, "nonce_mismatch");
}
