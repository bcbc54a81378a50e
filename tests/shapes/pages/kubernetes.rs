//! `docs/kubernetes.md`.

use serde_json::{Value, json};

use super::super::support::IAT;
use super::{Page, merged};

use claimgate::policy::ClaimRule;
use claimgate::{AccessTokenPolicy, at_compile_time};

/// Pods of one service account.
const REPORTS: AccessTokenPolicy<'_> = at_compile_time!(
    AccessTokenPolicy::general("https://records.example.com")
        .max_lifetime(3_600)
        .require_claims(&[
            at_compile_time!(ClaimRule::equals(&["kubernetes.io", "namespace"], "hospital")),
            at_compile_time!(ClaimRule::equals(
                &["kubernetes.io", "serviceaccount", "name"],
                "reports"
            )),
        ])
        .build()
);

/// The pod that sent the request.
#[derive(serde::Deserialize)]
struct Sender<'a> {
    #[serde(rename = "kubernetes.io", borrow)]
    kubernetes: Bound<'a>,
}

#[derive(serde::Deserialize)]
struct Bound<'a> {
    #[serde(borrow)]
    pod: Option<Pod<'a>>,
}

#[derive(serde::Deserialize)]
struct Pod<'a> {
    name: &'a str,
}

pub(super) fn run(page: &Page) {
    let pod = |changes: Value| {
        (
            "Kubernetes service account token",
            merged(json!({"aud": ["https://records.example.com"]}), &changes),
        )
    };
    page.accepts(&REPORTS, pod(json!({})), |token| {
        let sender: Sender<'_> = token.claims().unwrap();
        assert_eq!(sender.kubernetes.pod.unwrap().name, "reports-0");
    });
    for bound in [
        json!({"namespace": "other", "serviceaccount": {"name": "reports"}}),
        json!({"namespace": "hospital", "serviceaccount": {"name": "default"}}),
        json!({"namespace": "hospital", "serviceaccount": "reports"}),
        json!({"namespace": "hospital"}),
        json!("hospital"),
        json!(null),
    ] {
        page.refuses(&REPORTS, pod(json!({"kubernetes.io": bound})), "claim_mismatch");
    }
    // The path is no name with dots in it.
    let flat = json!({"kubernetes.io": null, "kubernetes.io.namespace": "hospital",
        "kubernetes.io.serviceaccount.name": "reports"});
    page.refuses(&REPORTS, pod(flat), "claim_mismatch");
    page.accepts(&REPORTS, pod(json!({"exp": IAT + 3_600})), |_| {});
    page.refuses(&REPORTS, pod(json!({"exp": IAT + 3_601})), "lifetime_too_long");
    let other = "Kubernetes service account token for the API server";
    page.refuses(&REPORTS, (other, json!({})), "audience_mismatch");
    let secret = "Kubernetes service account token of a secret, which does not expire";
    page.refuses(&REPORTS, (secret, json!({})), "missing_claim");
}
