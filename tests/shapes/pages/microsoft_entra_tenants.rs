//! `docs/microsoft-entra.md`.

use claimgate::{AccessToken, BearerToken, TokenBuffer};
use serde_json::json;

use super::super::signers::{AnySigner, TestAnyKey};
use super::super::support::{API, API_POLICY, NOW};
use super::{OK, Page};

use claimgate::error::ConfigError;
use claimgate::trust::TenantIssuer;
use claimgate::{JwkSet, PublicKey};

fn partners<K: PublicKey>(keys: JwkSet<K, 16>) -> Result<TenantIssuer<K, 16>, ConfigError> {
    TenantIssuer::new(
        "https://login.microsoftonline.com/{tenantid}/v2.0",
        &["11111111-0000-0000-0000-000000000001", "11111111-0000-0000-0000-000000000002"],
        keys,
    )
}

pub(super) fn run(page: &Page) {
    let verdict = |iss: &str, tid: &str| {
        let claims = json!({"iss": format!("https://login.microsoftonline.com/{iss}/v2.0"),
            "tid": tid, "aud": API});
        let token = page.token("Microsoft Entra v2.0 access token", &claims);
        let jwks = json!({"keys": [AnySigner::a(page.algorithm).jwk()]}).to_string();
        let issuer = partners(JwkSet::<TestAnyKey, 16>::from_json(&jwks).unwrap()).unwrap();
        let (token, mut buffer) = (BearerToken::new(&token), TokenBuffer::<8_192>::new());
        AccessToken::validate(token, (&issuer, &API_POLICY), NOW, &mut buffer)
            .map_or_else(|error| error.code(), |_| OK)
    };
    let tenant = |last: u8| format!("11111111-0000-0000-0000-00000000000{last}");
    assert_eq!(verdict(&tenant(1), &tenant(1)), OK);
    assert_eq!(verdict(&tenant(2), &tenant(2)), OK);
    assert_eq!(verdict(&tenant(3), &tenant(3)), "tenant_not_allowed");
    assert_eq!(verdict(&tenant(1), &tenant(2)), "issuer_mismatch");
}
