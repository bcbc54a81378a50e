//! Shapes of Supabase, Logto and SPIFFE.

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
        // SPIFFE: https://github.com/spiffe/spiffe/blob/main/standards/JWT-SVID.md
        shape(
            "SPIFFE JWT-SVID",
            JWT,
            &json!({"sub": "spiffe://example.org/workload", "aud": [API]}),
            "AK",
            ("audience_mismatch", OK),
        ),
        shape(
            "SPIFFE JWT-SVID with the typ JOSE",
            "JOSE",
            &json!({"sub": "spiffe://example.org/workload", "aud": [API]}),
            "",
            ("audience_mismatch", "token_type"),
        ),
        shape(
            "SPIFFE JWT-SVID without an issuer",
            JWT,
            &json!({"iss": null, "iat": null, "sub": "spiffe://example.org/workload",
                "aud": [API]}),
            "",
            ("missing_claim", "missing_claim"),
        ),
    ]
}
