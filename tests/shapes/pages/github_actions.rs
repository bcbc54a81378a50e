//! `docs/github-actions.md`.

use serde_json::{Value, json};

use super::{Page, merged};

use claimgate::policy::ClaimRule;
use claimgate::{AccessTokenPolicy, at_compile_time};

/// Deployments from the branch `main` of one repository.
const DEPLOYMENT: AccessTokenPolicy<'_> = at_compile_time!(
    AccessTokenPolicy::general("https://deploy.example.com")
        .require_claims(&[
            at_compile_time!(ClaimRule::equals(&["repository"], "octo-org/octo-repo")),
            at_compile_time!(ClaimRule::equals(&["repository_owner_id"], "65")),
            at_compile_time!(ClaimRule::equals(&["ref"], "refs/heads/main")),
        ])
        .build()
);

pub(super) fn run(page: &Page) {
    let job = |changes: Value| {
        ("GitHub Actions ID token", merged(json!({"aud": "https://deploy.example.com"}), &changes))
    };
    page.accepts(&DEPLOYMENT, job(json!({})), |token| {
        assert_eq!(token.subject(), "repo:octo-org/octo-repo:ref:refs/heads/main");
    });
    for changes in [
        json!({"repository": "octo-org/fork"}),
        json!({"repository": "Octo-Org/octo-repo"}),
        json!({"repository_owner_id": "66"}),
        json!({"repository_owner_id": 65}),
        json!({"ref": "refs/heads/feature"}),
        json!({"ref": "refs/tags/main"}),
        json!({"ref": null}),
    ] {
        page.refuses(&DEPLOYMENT, job(changes), "claim_mismatch");
    }
    let default_audience = "GitHub Actions ID token of an environment, with the default audience";
    page.refuses(&DEPLOYMENT, (default_audience, json!({})), "audience_mismatch");
}
