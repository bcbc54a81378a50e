//! `docs/cloudflare-access.md`.

use claimgate::{AccessToken, JwkSet, TokenBuffer};
use serde_json::json;

use super::super::signers::{AnySigner, TestAnyKey};
use super::super::support::NOW;
use super::Page;

use claimgate::policy::ClaimRule;
use claimgate::{AccessTokenPolicy, BearerToken, at_compile_time};

/// The AUD tag is shown with the application's settings.
const APPLICATION: AccessTokenPolicy<'_> = at_compile_time!(
    AccessTokenPolicy::general("32eafc7626e974616deaf0dc3ce63d7bcbed58a2731e84d06bc3cdf1b53c4228")
        .require_claims(&[at_compile_time!(ClaimRule::equals(&["type"], "app"))])
        .build()
);

/// The value of `Cf-Access-Jwt-Assertion` is the token itself, without `Bearer`.
fn token(assertion: &str) -> BearerToken<'_> {
    BearerToken::new(assertion)
}

#[derive(serde::Deserialize)]
struct User<'a> {
    email: &'a str,
}

const TAG: &str = "32eafc7626e974616deaf0dc3ce63d7bcbed58a2731e84d06bc3cdf1b53c4228";

pub(super) fn run(page: &Page) {
    let user = "Cloudflare Access application token";
    page.accepts(&APPLICATION, (user, json!({"aud": [TAG]})), |validated| {
        assert_eq!(validated.claims::<User<'_>>().unwrap().email, "jane@example.com");
    });
    page.refuses(&APPLICATION, (user, json!({"aud": ["other"]})), "audience_mismatch");
    let session = json!({"aud": [TAG], "type": "org"});
    page.refuses(&APPLICATION, (user, session), "claim_mismatch");
    let machine = "Cloudflare Access application token of a machine, with an empty sub";
    page.refuses(&APPLICATION, (machine, json!({"aud": [TAG]})), "missing_claim");

    let text = page.token(user, &json!({"aud": [TAG]}));
    let (issuer, mut buffer) = (page.issuer(), TokenBuffer::<8_192>::new());
    AccessToken::validate(token(&text), (&issuer, &APPLICATION), NOW, &mut buffer).unwrap();

    // What else is in the key set's text.
    let jwk = AnySigner::a(page.algorithm).jwk();
    let pem = json!({"kid": "x", "cert": "-----BEGIN CERTIFICATE-----\n"});
    let jwks = json!({"keys": [jwk], "public_cert": pem, "public_certs": [pem]}).to_string();
    let keys = JwkSet::<TestAnyKey, 4>::from_json(&jwks).unwrap();
    assert_eq!((keys.keys().len(), keys.skipped().len()), (1, 0));
}
