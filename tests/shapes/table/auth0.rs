//! Shapes of Auth0.

use serde_json::json;

use super::*;

pub(super) fn shapes() -> Vec<Shape> {
    vec![
        // Auth0: https://auth0.com/docs/secure/tokens/id-tokens/id-token-structure
        shape(
            "Auth0 ID token",
            JWT,
            &id(&json!({"nonce": "n-0S6", "sid": "1", "updated_at": "2011-07-21T20:42:50.000Z"})),
            "LNT",
            (OK, "audience_mismatch"),
        ),
        shape(
            "Auth0 ID token without a nonce",
            JWT,
            &id(&json!({"nickname": "jane"})),
            "LT",
            (OK, "audience_mismatch"),
        ),
        shape(
            "Auth0 ID token of the hybrid flow",
            JWT,
            &id(&json!({"nonce": "n-0S6", "c_hash": "x", "at_hash": "y", "s_hash": "z"})),
            "LNT",
            (OK, "audience_mismatch"),
        ),
        shape(
            "Auth0 ID token of an organization",
            JWT,
            &id(&json!({"org_id": "org_1", "org_name": "acme"})),
            "LT",
            (OK, "audience_mismatch"),
        ),
        shape(
            "Auth0 ID token after step-up",
            JWT,
            &id(&json!({"acr": "http://schemas.openid.net/pape/policies/2007/06/multi-factor",
                "amr": ["mfa"], "auth_time": IAT})),
            "LT",
            (OK, "audience_mismatch"),
        ),
        // https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles
        shape(
            "Auth0 access token",
            JWT,
            &json!({"aud": [API, USERINFO], "azp": CLIENT_ID, "scope": "openid profile read:patients"}),
            "AK",
            ("audience_mismatch", OK),
        ),
        shape(
            "Auth0 access token after a refresh, of the password grant",
            JWT,
            &json!({"aud": [API, USERINFO], "azp": CLIENT_ID, "gty": ["refresh_token", "password"],
                "scope": "openid offline_access"}),
            "AK",
            ("audience_mismatch", OK),
        ),
        shape(
            "Auth0 access token with permissions",
            JWT,
            &json!({"aud": API, "azp": CLIENT_ID, "scope": "", "permissions": ["read:patients"]}),
            "AK",
            ("audience_mismatch", OK),
        ),
        shape(
            "Auth0 access token of the RFC 9068 profile",
            AT_JWT,
            &json!({"aud": API, "client_id": CLIENT_ID, "jti": "1", "scope": "read:patients"}),
            "ARK",
            ("audience_mismatch", OK),
        ),
        shape(
            "Auth0 machine token",
            JWT,
            &json!({"sub": "app@clients", "aud": API, "azp": "app", "gty": "client-credentials",
                "scope": "read:patients"}),
            "AK",
            ("audience_mismatch", OK),
        ),
        shape(
            "Auth0 Management API token",
            JWT,
            &json!({"sub": "app@clients", "aud": MANAGEMENT_API, "azp": "app",
                "gty": "client-credentials", "scope": "read:users update:users"}),
            "M",
            ("audience_mismatch", "audience_mismatch"),
        ),
        shape(
            "Auth0 Management API token of a user, without the scope",
            JWT,
            &json!({"aud": [MANAGEMENT_API, USERINFO], "azp": CLIENT_ID,
                "scope": "openid read:current_user"}),
            "",
            ("audience_mismatch", "audience_mismatch"),
        ),
        shape(
            "Auth0 access token of an organization",
            JWT,
            &json!({"aud": API, "azp": CLIENT_ID, "org_id": "org_1", "scope": "read:patients"}),
            "AK",
            ("audience_mismatch", OK),
        ),
        shape(
            "Auth0 access token bound by mutual TLS",
            AT_JWT,
            &json!({"aud": API, "client_id": CLIENT_ID, "jti": "1", "cnf": {"x5t#S256": "x"}}),
            "",
            ("audience_mismatch", "confirmation_required"),
        ),
        shape(
            "Auth0 access token bound by DPoP",
            JWT,
            &json!({"aud": API, "azp": CLIENT_ID, "cnf": {"jkt": THUMBPRINT}}),
            "D",
            ("audience_mismatch", "confirmation_required"),
        ),
        shape(
            "Auth0 access token for /userinfo alone",
            JWT,
            &json!({"aud": USERINFO, "azp": CLIENT_ID, "scope": "openid"}),
            "",
            ("audience_mismatch", "audience_mismatch"),
        ),
        // https://auth0.com/docs/authenticate/login/logout/back-channel-logout
        shape(
            "Auth0 logout token",
            "logout+jwt",
            &json!({"aud": CLIENT_ID, "jti": "1", "sid": "s", "trace_id": "t",
                "events": {EVENT: {}}}),
            "OE",
            ("token_type", "audience_mismatch"),
        ),
        shape(
            "Auth0 logout token for another application",
            "logout+jwt",
            &json!({"aud": "other", "jti": "1", "sid": "s", "events": {EVENT: {}}}),
            "",
            ("audience_mismatch", "audience_mismatch"),
        ),
    ]
}
