//! Shapes of Supabase, Logto, Firebase and Zitadel.

use serde_json::json;

use super::*;

pub(super) fn shapes() -> Vec<Shape> {
    vec![
        // Supabase: https://supabase.com/docs/guides/auth/jwt-fields
        // RFC 8176 has strings in `amr`, Supabase objects.
        shape(
            "Supabase access token",
            JWT,
            &json!({"aud": "authenticated", "role": "authenticated", "aal": "aal1",
                "session_id": "s", "email": "jane@example.com", "phone": "", "is_anonymous": false,
                "amr": [{"method": "password", "timestamp": IAT}]}),
            "",
            ("claim_type", "claim_type"),
        ),
        shape(
            "Supabase access token for the API",
            JWT,
            &json!({"aud": API, "role": "authenticated", "aal": "aal1", "session_id": "s",
                "email": "jane@example.com", "phone": "", "is_anonymous": false,
                "app_metadata": {"provider": "email", "providers": ["email"]},
                "user_metadata": {}, "amr": [{"method": "password", "timestamp": IAT}]}),
            "",
            ("claim_type", "claim_type"),
        ),
        shape(
            "Supabase access token with the methods in amr as strings",
            JWT,
            &json!({"aud": API, "role": "authenticated", "aal": "aal1", "session_id": "s",
                "email": "jane@example.com", "phone": "", "is_anonymous": false,
                "app_metadata": {"provider": "email", "providers": ["email"]},
                "user_metadata": {}, "amr": ["password"]}),
            "AK",
            ("audience_mismatch", OK),
        ),
        // Logto: https://docs.logto.io/user-management/
        shape(
            "Logto ID token",
            None,
            &id(&json!({"at_hash": "x", "nonce": "n-0S6", "username": "jane", "picture": null,
                "updated_at": 1_311_280_000})),
            "LNT",
            (OK, "audience_mismatch"),
        ),
        shape(
            "Logto ID token with organizations",
            None,
            &id(&json!({"at_hash": "x", "roles": ["nurse"], "organizations": ["o"],
                "organization_roles": ["o:admin"]})),
            "LT",
            (OK, "audience_mismatch"),
        ),
        shape(
            "Logto access token of a resource",
            AT_JWT,
            &json!({"aud": API, "client_id": CLIENT_ID, "jti": "1", "scope": "read:patients"}),
            "ARK",
            ("audience_mismatch", OK),
        ),
        shape(
            "Logto organization token",
            AT_JWT,
            &json!({"aud": "urn:logto:organization:o", "client_id": CLIENT_ID, "jti": "1",
                "scope": "read:patients"}),
            "",
            ("audience_mismatch", "audience_mismatch"),
        ),
        // Firebase: https://firebase.google.com/docs/auth/admin/verify-id-tokens
        shape(
            "Firebase ID token",
            JWT,
            &json!({"sub": "u1", "user_id": "u1", "aud": API, "auth_time": IAT,
                "name": "Jane Doe", "email": "jane@example.com", "email_verified": true,
                "firebase": {"identities": {"email": ["jane@example.com"]},
                "sign_in_provider": "password"}}),
            "AK",
            ("audience_mismatch", OK),
        ),
        shape(
            "Firebase ID token of an anonymous user",
            JWT,
            &json!({"sub": "u2", "user_id": "u2", "aud": API, "auth_time": IAT,
                "provider_id": "anonymous",
                "firebase": {"identities": {}, "sign_in_provider": "anonymous"}}),
            "AK",
            ("audience_mismatch", OK),
        ),
        // https://firebase.google.com/docs/auth/admin/create-custom-tokens
        shape(
            "Firebase custom token, which is for Firebase alone",
            JWT,
            &json!({"sub": "firebase@my-project.iam.gserviceaccount.com", "uid": "u1",
                "aud": "https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit"}),
            "",
            ("audience_mismatch", "audience_mismatch"),
        ),
        // Zitadel: https://zitadel.com/docs/apis/openidoauth/claims
        shape(
            "Zitadel access token",
            JWT,
            &json!({"sub": "345", "aud": [CLIENT_ID, API], "client_id": CLIENT_ID, "nbf": IAT,
                "jti": "1", "urn:zitadel:iam:org:project:366:roles":
                {"nurse": {"344": "hospital.zitadel.cloud"}}}),
            "AK",
            ("untrusted_audience", OK),
        ),
        shape(
            "Zitadel ID token, whose audiences are all clients of the project and the project",
            JWT,
            &id(&json!({"aud": [CLIENT_ID, "other_client", API], "azp": CLIENT_ID,
                "client_id": CLIENT_ID, "nonce": "n-0S6", "auth_time": IAT,
                "amr": ["password", "pwd"], "at_hash": "x", "sid": "s"})),
            "",
            ("untrusted_audience", "token_type"),
        ),
    ]
}
