//! The original request and the response of each proxy.

use crate::support::*;

const PROXIES: [&str; 5] = ["nginx", "traefik", "caddy", "envoy", "haproxy"];

#[tokio::test]
async fn the_original_request_is_read_only_where_the_proxy_sets_it() {
    let (issuer, signer) = one_issuer().await;
    let token = format!("Bearer {}", signer.sign(&claims(&issuer.url)));
    let authorization = ("Authorization", token.as_str());
    for proxy in PROXIES {
        let gateway = Config::of(&issuer).proxy(proxy).start().await;
        let original = [("X-Original-Method", "GET"), ("X-Original-URI", "/open")];
        let forwarded = [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/open")];
        let ask = async |target, headers: &[(&str, &str)]| {
            let headers = [headers, &[authorization]].concat();
            get(gateway.address, target, &headers).await.status
        };
        let found = [
            ask("/check", &original).await,
            ask("/check", &forwarded).await,
            ask("/check/open", &[]).await,
            // Duplicated or missing.
            ask("/check", &[original, original].concat()).await,
            ask("/check", &[forwarded, forwarded].concat()).await,
            ask("/check", &original[..1]).await,
            ask("/check", &forwarded[..1]).await,
            ask("/check", &[]).await,
        ];
        let expected = match proxy {
            "nginx" | "haproxy" => [200, 500, 404, 500, 500, 500, 500, 500],
            "envoy" => [403, 403, 200, 403, 403, 403, 403, 403],
            _ => [500, 200, 404, 500, 500, 500, 500, 500],
        };
        assert_eq!(found, expected, "{proxy}");
    }
}

#[tokio::test]
async fn the_status_of_a_malformed_request_depends_on_the_proxy() {
    let (issuer, _) = one_issuer().await;
    for proxy in PROXIES {
        let gateway = Config::of(&issuer).proxy(proxy).start().await;
        let target = if proxy == "envoy" { "/check/open" } else { "/check" };
        let headers = [
            ("X-Original-Method", "GET"),
            ("X-Original-URI", "/open"),
            ("X-Forwarded-Method", "GET"),
            ("X-Forwarded-Uri", "/open"),
            ("Authorization", "Bearer"),
        ];
        let reply = get(gateway.address, target, &headers).await;
        // nginx would respond with 500 to 400.
        assert_eq!(reply.status, if proxy == "nginx" { 401 } else { 400 }, "{proxy}");
        assert!(reply.challenge().contains("error=\"invalid_request\""), "{proxy}");
    }
}

#[tokio::test]
async fn empty_header_fields_are_listed_for_envoy() {
    let (issuer, signer) = one_issuer().await;
    let token = format!("Bearer {}", signer.sign(&claims(&issuer.url)));
    let headers = [("Authorization", token.as_str()), ("X-Auth-Client", "admin")];
    for (lines, removed) in [
        (
            "[headers]\nX-Auth-Subject = \"sub\"\nX-Auth-Role = \"role\"",
            "authorization,x-auth-role",
        ),
        ("pass_token = true\n[headers]\nX-Auth-Role = \"role\"", "x-auth-role"),
        (
            "token_header = \"X-Token\"\npass_token = true\n[headers]\nX-Auth-Subject = \"sub\"",
            "authorization",
        ),
        (
            "token_header = \"X-Token\"\n[headers]\nX-Auth-Subject = \"sub\"",
            "authorization,x-token",
        ),
    ] {
        let gateway = Config::of(&issuer).proxy("envoy").top(lines).start().await;
        let bare = token.trim_start_matches("Bearer ");
        let headers = [headers[0], headers[1], ("X-Token", bare)];
        let reply = get(gateway.address, "/check/open", &headers).await;
        let found = reply.header("x-envoy-auth-headers-to-remove").unwrap_or_default();
        let mut names: Vec<&str> = found.split(',').collect();
        names.sort_unstable();
        assert_eq!(names.join(","), removed);
    }
    let all = "pass_token = true\n[headers]\nX-Auth-Subject = \"sub\"";
    let gateway = Config::of(&issuer).proxy("envoy").top(all).start().await;
    let reply = get(gateway.address, "/check/open", &headers).await;
    assert_eq!(reply.header("x-envoy-auth-headers-to-remove"), None);
    let nginx = Config::of(&issuer).start().await;
    let reply = nginx.ask("GET", "/open", &headers).await;
    assert_eq!(reply.header("x-envoy-auth-headers-to-remove"), None);
}

#[tokio::test]
async fn envoy_s_method_and_query_are_those_of_the_subrequest() {
    let (issuer, signer) = one_issuer().await;
    let gateway = Config::of(&issuer).proxy("envoy").start().await;
    let token = format!("Bearer {}", signer.sign(&claims(&issuer.url)));
    let headers = [("Authorization", token.as_str())];
    for (method, target, expected) in [
        ("GET", "/check/patients/1?a=/../b", 200),
        ("HEAD", "/check/patients/1", 200),
        ("POST", "/check/patients/1", 403),
        ("get", "/check/patients/1", 403),
    ] {
        let status = request(gateway.address, method, target, &headers).await.status;
        assert_eq!(status, expected, "{method} {target}");
    }
}
