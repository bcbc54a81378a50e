//! Shapes of GitHub Actions, GitLab, Kubernetes, Cloudflare Access and SPIFFE.

use serde_json::json;

use super::*;

pub(super) fn shapes() -> Vec<Shape> {
    vec![
        // GitHub: https://docs.github.com/en/actions/reference/security/oidc
        shape(
            "GitHub Actions ID token",
            JWT,
            &json!({"sub": "repo:octo-org/octo-repo:ref:refs/heads/main", "aud": API, "jti": "1",
                "nbf": IAT, "repository": "octo-org/octo-repo", "repository_id": "74",
                "repository_owner": "octo-org", "repository_owner_id": "65",
                "repository_visibility": "private", "ref": "refs/heads/main",
                "ref_type": "branch", "ref_protected": "true", "base_ref": "", "head_ref": "",
                "event_name": "push", "workflow": "deploy", "actor": "octocat", "actor_id": "12",
                "workflow_ref": "octo-org/octo-repo/.github/workflows/deploy.yml@refs/heads/main",
                "job_workflow_ref":
                    "octo-org/octo-repo/.github/workflows/deploy.yml@refs/heads/main",
                "run_id": "1", "run_number": "1", "run_attempt": "1", "sha": "x",
                "runner_environment": "github-hosted"}),
            "AK",
            ("audience_mismatch", OK),
        ),
        shape(
            "GitHub Actions ID token of an environment, with the default audience",
            JWT,
            &json!({"sub": "repo:octo-org/octo-repo:environment:production",
                "aud": "https://github.com/octo-org", "environment": "production",
                "repository": "octo-org/octo-repo", "ref": "refs/heads/main"}),
            "",
            ("audience_mismatch", "audience_mismatch"),
        ),
        // GitLab: https://docs.gitlab.com/ci/secrets/id_token_authentication/
        shape(
            "GitLab CI ID token",
            JWT,
            &json!({"sub": "project_path:my-group/my-project:ref_type:branch:ref:main",
                "aud": API, "nbf": IAT, "jti": "1", "namespace_id": "72",
                "namespace_path": "my-group", "project_id": "20",
                "project_path": "my-group/my-project", "user_id": "1", "user_login": "jane",
                "user_email": "jane@example.com", "user_access_level": "developer",
                "pipeline_id": "574", "pipeline_source": "push", "job_id": "302", "ref": "main",
                "ref_type": "branch", "ref_path": "refs/heads/main", "ref_protected": "true",
                "environment": "production", "environment_protected": "true", "runner_id": 1,
                "runner_environment": "gitlab-hosted", "sha": "x", "project_visibility": "private",
                "groups_direct": ["my-group"]}),
            "AK",
            ("audience_mismatch", OK),
        ),
        // https://docs.gitlab.com/integration/openid_connect_provider/
        shape(
            "GitLab ID token of a login",
            JWT,
            &id(&json!({"auth_time": IAT, "sub_legacy": "x", "nickname": "jane",
                "preferred_username": "jane", "groups_direct": ["my-group"]})),
            "LT",
            (OK, "audience_mismatch"),
        ),
        // Kubernetes: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/
        shape(
            "Kubernetes service account token",
            None,
            &json!({"sub": "system:serviceaccount:hospital:reports", "aud": [API], "nbf": IAT,
                "jti": "1", "kubernetes.io": {"namespace": "hospital",
                "node": {"name": "node-1", "uid": "n"}, "pod": {"name": "reports-0", "uid": "p"},
                "serviceaccount": {"name": "reports", "uid": "s"}}}),
            "AK",
            ("audience_mismatch", OK),
        ),
        shape(
            "Kubernetes service account token for the API server",
            None,
            &json!({"sub": "system:serviceaccount:hospital:reports",
                "aud": ["https://kubernetes.default.svc.cluster.local"], "nbf": IAT,
                "kubernetes.io": {"namespace": "hospital", "warnafter": EXP,
                "serviceaccount": {"name": "reports", "uid": "s"}}}),
            "",
            ("audience_mismatch", "audience_mismatch"),
        ),
        shape(
            "Kubernetes service account token of a secret, which does not expire",
            None,
            &json!({"sub": "system:serviceaccount:hospital:reports", "exp": null, "iat": null,
                "kubernetes.io/serviceaccount/namespace": "hospital",
                "kubernetes.io/serviceaccount/service-account.name": "reports"}),
            "",
            ("missing_claim", "missing_claim"),
        ),
        // Cloudflare: https://developers.cloudflare.com/cloudflare-one/identity/authorization-cookie/application-token/
        shape(
            "Cloudflare Access application token",
            JWT,
            &json!({"aud": [API], "email": "jane@example.com", "nbf": IAT, "type": "app",
                "identity_nonce": "6ei69kawdKzMIAPF", "country": "DE"}),
            "AK",
            ("audience_mismatch", OK),
        ),
        shape(
            "Cloudflare Access application token of a machine, with an empty sub",
            JWT,
            &json!({"sub": "", "aud": [API], "type": "app", "common_name": "machine.access"}),
            "",
            ("audience_mismatch", "missing_claim"),
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
