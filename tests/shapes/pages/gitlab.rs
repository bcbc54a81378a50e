//! `docs/gitlab.md`.

use serde_json::{Value, json};

use super::{Page, merged};

use claimgate::policy::ClaimRule;
use claimgate::{AccessTokenPolicy, at_compile_time};

/// Jobs on protected branches of the projects of one group.
const DEPLOYMENT: AccessTokenPolicy<'_> = at_compile_time!(
    AccessTokenPolicy::general("https://deploy.example.com")
        .require_claims(&[
            at_compile_time!(ClaimRule::equals(&["namespace_path"], "my-group")),
            at_compile_time!(ClaimRule::equals(&["ref_type"], "branch")),
            at_compile_time!(ClaimRule::equals(&["ref_protected"], "true")),
        ])
        .build()
);

pub(super) fn run(page: &Page) {
    let job = |changes: Value| {
        ("GitLab CI ID token", merged(json!({"aud": "https://deploy.example.com"}), &changes))
    };
    page.accepts(&DEPLOYMENT, job(json!({})), |token| {
        assert_eq!(token.subject(), "project_path:my-group/my-project:ref_type:branch:ref:main");
    });
    for changes in [
        json!({"namespace_path": "other-group"}),
        json!({"namespace_path": "my-group/subgroup"}),
        json!({"ref_type": "tag"}),
        json!({"ref_protected": "false"}),
        json!({"ref_protected": true}),
        json!({"ref_protected": null}),
    ] {
        page.refuses(&DEPLOYMENT, job(changes), "claim_mismatch");
    }
    let login = "GitLab ID token of a login";
    page.refuses(&DEPLOYMENT, (login, json!({})), "audience_mismatch");
    let audience = json!({"aud": "https://deploy.example.com"});
    page.refuses(&DEPLOYMENT, (login, audience), "claim_mismatch");
}
