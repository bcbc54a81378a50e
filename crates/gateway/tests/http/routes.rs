//! The selection of a route, and ambiguous paths.

use crate::support::*;

const ROUTES: &str = r#"
[[route]]
path = "/"
scopes_all = ["root"]

[[route]]
path = "/patients"
methods = ["GET"]
scopes_all = ["read"]

[[route]]
path = "/patients"
methods = ["POST", "M-SEARCH"]
scopes_all = ["write"]

[[route]]
path = "/patients/archive"
methods = ["GET"]
scopes_all = ["archive"]

[[route]]
path = "/%7Bid%7D"
scopes_all = ["braces"]
"#;

#[tokio::test]
async fn the_longest_path_applies() {
    let (issuer, signer) = one_issuer().await;
    let gateway = Config::of(&issuer).routes(ROUTES).start().await;
    let with_scope = |scope: &str| signer.sign(&with(claims(&issuer.url), "scope", scope));
    let names = ["root", "read", "write", "archive", "braces"];
    let tokens = names.map(with_scope);
    for (method, uri, expected) in [
        ("GET", "/", "root"),
        ("DELETE", "/", "root"),
        ("GET", "/anything/else?x=/patients", "root"),
        // Paths are compared by whole segments.
        ("GET", "/patientsx", "root"),
        ("GET", "/patients.json", "root"),
        ("GET", "/patient", "root"),
        ("GET", "/Patients", "root"),
        ("GET", "/x/patients", "root"),
        ("GET", "/patients", "read"),
        ("GET", "/patients/", "read"),
        ("GET", "/patients?scope=root", "read"),
        ("GET", "/patients/17", "read"),
        ("GET", "/p%61tients/17", "read"),
        ("GET", "/patients/archivex", "read"),
        ("POST", "/patients/17", "write"),
        ("M-SEARCH", "/patients", "write"),
        ("GET", "/patients/archive", "archive"),
        ("GET", "/patients/archive/1/2", "archive"),
        ("GET", "/{id}", "braces"),
        // Shorter paths do not apply to methods that the routes of the longest path lack.
        ("DELETE", "/patients/17", ""),
        ("POST", "/patients/archive", ""),
        ("get", "/patients", ""),
        ("Get", "/patients", ""),
        ("GETX", "/patients", ""),
        ("GE", "/patients", ""),
        ("POS", "/patients", ""),
        ("OPTIONS", "/patients", ""),
    ] {
        for (name, token) in names.iter().zip(&tokens) {
            let status = gateway.with_token(method, uri, token).await.status;
            let expected = if *name == expected { 200 } else { 403 };
            assert_eq!(status, expected, "{method} {uri} with {name}");
        }
    }
}

#[tokio::test]
async fn requests_without_a_route_are_denied() {
    let (issuer, signer) = one_issuer().await;
    let gateway = Config::of(&issuer).start().await;
    let token = signer.sign(&claims(&issuer.url));
    for (method, uri, expected) in [
        ("GET", "/open", 200),
        ("DELETE", "/open/x", 200),
        ("GET", "/", 403),
        ("GET", "/opened", 403),
        ("GET", "/elsewhere", 403),
        ("POST", "/patients", 403),
    ] {
        let status = gateway.with_token(method, uri, &token).await.status;
        assert_eq!(status, expected, "{method} {uri}");
    }
}

#[tokio::test]
async fn ambiguous_paths_are_denied() {
    let (issuer, signer) = one_issuer().await;
    let token = signer.sign(&claims(&issuer.url));
    let authorization = format!("Bearer {token}");
    let authorization = [("Authorization", authorization.as_str())];
    let nginx = Config::of(&issuer).start().await;
    let envoy = Config::of(&issuer).proxy("envoy").start().await;
    for (target, expected) in [
        ("/open", 200),
        ("/open/a%20b", 200),
        ("/open/../admin", 403),
        ("/open/%2e%2e/admin", 403),
        ("/open/.%2E", 403),
        ("/open/.", 403),
        ("/open//admin", 403),
        ("//open", 403),
        ("/open%2fadmin", 403),
        ("/open%5cadmin", 403),
        ("/open\\admin", 403),
        ("/open;/../admin", 403),
        ("/open/%3b", 403),
        ("/open/%00", 403),
        ("/open/%252e%252e", 403),
        ("/open/%zz", 403),
        ("/open/%c0%ae%c0%ae/", 403),
        ("/open/%EF%BC%8E", 403),
        ("open", 403),
        ("", 403),
        ("*", 403),
        ("/open#/admin", 403),
        ("/open?a#b", 403),
        ("http://example.com/open", 403),
    ] {
        assert_eq!(nginx.ask("GET", target, &authorization).await.status, expected, "{target}");
        // hyper rejects some of these request lines with 400.
        let status = get(envoy.address, &format!("/check{target}"), &authorization).await.status;
        let is_expected = status == expected || (expected == 403 && status == 400);
        assert!(is_expected, "Envoy, {target}: {status}");
    }
    let status = get(envoy.address, "/check/open#x", &authorization).await.status;
    assert_eq!(status, 403);
    let status = get(envoy.address, "/checkopen", &authorization).await.status;
    assert_eq!(status, 403);
    let status = get(envoy.address, "/open", &authorization).await.status;
    assert_eq!(status, 500);
}
