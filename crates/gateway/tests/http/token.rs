//! The location of the token, header fields for the application, and requests without a token.

use serde_json::json;

use crate::support::*;

#[tokio::test]
async fn the_token_is_in_the_authorization_field_unless_set() {
    let (issuer, signer) = one_issuer().await;
    let gateway = Config::of(&issuer).start().await;
    let token = signer.sign(&claims(&issuer.url));
    let (bearer, cookie) = (format!("Bearer {token}"), format!("access_token={token}"));
    for (headers, expected) in [
        (vec![("Authorization", bearer.as_str())], 200),
        (vec![("authorization", &format!("bearer  {token}"))], 200),
        (vec![], 401),
        (vec![("Authorization", token.as_str())], 401),
        (vec![("Authorization", "Basic YTpi")], 401),
        (vec![("Authorization", &bearer), ("Authorization", &bearer)], 401),
        (vec![("Authorization", &bearer), ("Authorization", "Basic YTpi")], 401),
        (vec![("X-Access-Token", &token)], 401),
        (vec![("Cookie", &cookie)], 401),
    ] {
        assert_eq!(gateway.ask("GET", "/open", &headers).await.status, expected, "{headers:?}");
    }
}

#[tokio::test]
async fn the_token_is_in_a_named_field() {
    let (issuer, signer) = one_issuer().await;
    let gateway = Config::of(&issuer).top("token_header = \"X-Access-Token\"").start().await;
    let token = signer.sign(&claims(&issuer.url));
    let bearer = format!("Bearer {token}");
    for (headers, expected) in [
        (vec![("x-access-token", token.as_str())], 200),
        (vec![("X-Access-Token", "")], 401),
        (vec![("X-Access-Token", &bearer)], 401),
        (vec![("X-Access-Token", &token), ("X-Access-Token", &token)], 401),
        (vec![("X-Access-Token", &token), ("X-Access-Token", "")], 401),
        (vec![("Authorization", &bearer)], 401),
        (vec![("Authorization", "Basic YTpi"), ("X-Access-Token", &token)], 200),
    ] {
        let reply = gateway.ask("GET", "/open", &headers).await;
        assert_eq!(reply.status, expected, "{headers:?}");
        if expected == 200 {
            assert_eq!(reply.header("x-access-token"), Some(""));
            // It may contain a token that was not validated.
            assert_eq!(reply.header("authorization"), Some(""));
        }
    }
}

#[tokio::test]
async fn the_token_is_in_a_named_cookie() {
    let (issuer, signer) = one_issuer().await;
    let config = Config::of(&issuer).top("token_cookie = \"access\"");
    let gateway = config.start().await;
    let token = signer.sign(&claims(&issuer.url));
    let cookie = |text: &str| text.replace("TOKEN", &token);
    for (cookies, expected, kept) in [
        (vec!["access=TOKEN"], 200, ""),
        (vec!["a=b; access=TOKEN; c=d"], 200, "a=b; c=d"),
        (vec!["a=b", "access=TOKEN;c=d"], 200, "a=b; c=d"),
        (vec!["xaccess=TOKEN"], 401, ""),
        (vec!["Access=TOKEN"], 401, ""),
        (vec!["access="], 401, ""),
        (vec!["access=\"TOKEN\""], 401, ""),
        (vec!["access=TOKEN; access=TOKEN"], 401, ""),
        (vec!["access=TOKEN", "access=x"], 401, ""),
        (vec!["access=TOKEN", "access=x; c=\u{e4}"], 401, ""),
        (vec!["access =x; access=TOKEN"], 401, ""),
        (vec!["access=TOKEN", "access\t=x"], 401, ""),
        (vec!["access =TOKEN; c=\u{e4}"], 200, "c=\u{e4}"),
        (vec![], 401, ""),
    ] {
        let sent: Vec<String> = cookies.iter().map(|text| cookie(text)).collect();
        let headers: Vec<_> = sent.iter().map(|value| ("Cookie", value.as_str())).collect();
        let reply = gateway.ask("GET", "/open", &headers).await;
        assert_eq!(reply.status, expected, "{cookies:?}");
        if expected == 200 {
            assert_eq!(reply.header("cookie"), Some(kept), "{cookies:?}");
            assert_eq!(reply.header("authorization"), Some(""), "{cookies:?}");
        }
    }
    let bearer = format!("Bearer {token}");
    assert_eq!(gateway.ask("GET", "/open", &[("Authorization", &bearer)]).await.status, 401);
    let passing = config.top("pass_token = true").start().await;
    let (one, two) = (cookie("a=b; access=TOKEN"), "c=d");
    let reply = passing.ask("GET", "/open", &[("Cookie", &one), ("Cookie", two)]).await;
    assert_eq!(reply.header("cookie"), Some(cookie("a=b; access=TOKEN; c=d").as_str()));
}

/// A value in which the gateway finds no token could contain one for the application.
#[tokio::test]
async fn the_application_gets_no_token_that_was_not_validated() {
    let (issuer, _) = one_issuer().await;
    let forged = Signer::rsa("b").sign(&claims(&issuer.url));
    let news = "[[route]]\npath = \"/news\"\ntoken = \"optional\"\n";
    let config = Config::of(&issuer).top("pass_token = true").routes(news);
    let gateway = config.start().await;
    for scheme in ["Bearer\t", "Bearer,", "Basic x, Bearer ", "Token "] {
        let value = format!("{scheme}{forged}");
        let reply = gateway.ask("GET", "/news", &[("Authorization", &value)]).await;
        assert_eq!((reply.status, reply.header("authorization")), (200, Some("")), "{scheme:?}");
    }
    let gateway = config.top("token_cookie = \"access\"").start().await;
    for (cookies, expected) in [
        (format!("access={forged}; c=\u{e4}"), 401),
        (format!("access ={forged}"), 401),
        ("access=; c=d".to_owned(), 200),
    ] {
        let reply = gateway.ask("GET", "/news", &[("Cookie", &cookies)]).await;
        assert_eq!(reply.status, expected, "{cookies}");
        if expected == 200 {
            assert_eq!(reply.header("cookie"), Some("c=d"));
        }
    }
}

#[tokio::test]
async fn the_token_is_forwarded_only_with_pass_token() {
    let (issuer, signer) = one_issuer().await;
    let token = format!("Bearer {}", signer.sign(&claims(&issuer.url)));
    let headers = [("Authorization", token.as_str())];
    let strips = Config::of(&issuer).start().await;
    let reply = strips.ask("GET", "/open", &headers).await;
    assert_eq!((reply.status, reply.header("authorization")), (200, Some("")));
    let passes = Config::of(&issuer).top("pass_token = true").start().await;
    let reply = passes.ask("GET", "/open", &headers).await;
    assert_eq!((reply.status, reply.header("authorization")), (200, Some(token.as_str())));
}

#[tokio::test]
async fn claims_become_header_fields() {
    let (issuer, signer) = one_issuer().await;
    let gateway = Config::of(&issuer).start().await;
    let of = |claims| {
        let token = signer.sign(&claims);
        let gateway = &gateway;
        async move { gateway.with_token("GET", "/open", &token).await }
    };
    let reply = of(claims(&issuer.url)).await;
    assert_eq!(reply.header("x-auth-subject"), Some("alice"));
    assert_eq!(reply.header("x-auth-scope"), Some("openid read:patients"));
    assert_eq!(reply.header("x-auth-issuer"), Some(issuer.url.as_str()));
    assert_eq!(reply.header("x-auth-client"), Some("app"));
    // `azp` has precedence, and bytes that are not visible ASCII are encoded.
    let reply = of(with(with(claims(&issuer.url), "azp", "web"), "sub", "j\u{f6}rg\r\nX: y")).await;
    assert_eq!(reply.header("x-auth-client"), Some("web"));
    assert_eq!(reply.header("x-auth-subject"), Some("j%C3%B6rg%0D%0AX: y"));
    // Without the claim, the field is empty, which replaces the client's own field.
    let mut few = claims(&issuer.url);
    few.as_object_mut().unwrap().retain(|name, _| !["client_id", "scope"].contains(&name.as_str()));
    let reply = of(few).await;
    assert_eq!(reply.header("x-auth-client"), Some(""));
    assert_eq!(reply.header("x-auth-scope"), Some(""));
}

#[tokio::test]
async fn any_claim_becomes_a_header_field() {
    let (issuer, signer) = one_issuer().await;
    let headers = r#"
[headers]
X-Roles = ["realm_access", "roles"]
X-Role = ["realm_access", "main"]
X-Tenant = "https://example.com/tenant"
X-Level = "level"
X-Vip = "vip"
X-Null = "null"
X-First = { first_of = ["absent", ["realm_access", "main"], "level"] }
X-Scope = "scope"
X-Second = { first_of = ["azp", "level"] }
X-Either = { first_of = ["level", "client_id"] }
X-Name = "name"
X-Deep = ["a", "b", "c", "d"]
X-Flag = ["a", "flag"]
X-Too-Deep = ["level", "b"]
X-Share = "share"
X-Large = "large"
X-List = "list"
X-Long = "long"
X-Quoted = 'quoted "name"'
"#;
    let gateway = Config::of(&issuer).top(headers).start().await;
    let mut claims = claims(&issuer.url);
    for (name, value) in [
        ("realm_access", json!({"roles": ["admin", "b\u{e4}r"], "main": "admin"})),
        ("https://example.com/tenant", json!("t1")),
        ("level", json!(-3)),
        ("vip", json!(true)),
        ("null", json!(null)),
        ("name", json!("say \"hi\" \\ there")),
        ("a", json!({"b": {"c": {"d": {"e": 1}}}, "flag": false})),
        ("share", json!(0.25)),
        ("large", json!(u64::MAX)),
        ("list", json!([1, null, [], {"x": "y"}])),
        // More than the usual length of a string with escapes.
        ("long", json!("\n".repeat(1_000))),
        ("quoted \"name\"", json!("q")),
    ] {
        claims[name] = value;
    }
    let reply = gateway.with_token("GET", "/open", &signer.sign(&claims)).await;
    assert_eq!(reply.status, 200);
    for (name, value) in [
        ("x-roles", "[\"admin\",\"b%C3%A4r\"]"),
        ("x-role", "admin"),
        ("x-tenant", "t1"),
        ("x-level", "-3"),
        ("x-vip", "true"),
        ("x-null", ""),
        ("x-first", "admin"),
        ("x-second", "-3"),
        ("x-either", "-3"),
        ("x-name", "say \"hi\" \\ there"),
        ("x-deep", "{\"e\":1}"),
        ("x-flag", "false"),
        ("x-too-deep", ""),
        ("x-share", "0.25"),
        ("x-large", "18446744073709551615"),
        ("x-list", "[1,null,[],{\"x\":\"y\"}]"),
        ("x-long", &"%0A".repeat(1_000)),
        ("x-quoted", "q"),
    ] {
        assert_eq!(reply.header(name), Some(value), "{name}");
    }
    // There are no default fields.
    assert_eq!(reply.header("x-auth-subject"), None);
    let mut plain = with(crate::support::claims(&issuer.url), "realm_access", "admin");
    plain.as_object_mut().unwrap().remove("scope");
    plain["scp"] = json!(["a", "b"]);
    let reply = gateway.with_token("GET", "/open", &signer.sign(&plain)).await;
    assert_eq!((reply.status, reply.header("x-roles")), (200, Some("")));
    // The scope has two names.
    assert_eq!(reply.header("x-scope"), Some("a b"));
}

/// The other claims are read only if a header field needs one of them.
#[tokio::test]
async fn a_claim_that_cannot_be_read_matters_only_to_fields_with_other_claims() {
    let (issuer, signer) = one_issuer().await;
    let text = claims(&issuer.url).to_string().replacen('{', "{\"distance\":1e400,", 1);
    let token = signer.sign_text(&json!({"alg": "RS256", "kid": signer.kid()}), &text);
    let usual = r#"
[headers]
X-Subject = "sub"
X-Issuer = "iss"
X-Scope = "scope"
X-Client = { first_of = ["azp", "client_id"] }
"#;
    for (headers, expected) in [
        (String::new(), 200),
        (usual.to_owned(), 200),
        (format!("{usual}X-Level = \"level\""), 401),
        (format!("{usual}X-Client-2 = {{ first_of = [\"client_id\", \"azp\"] }}"), 401),
    ] {
        let gateway = Config::of(&issuer).top(&headers).start().await;
        assert_eq!(gateway.open(&token).await, expected, "{headers}");
    }
}

#[tokio::test]
async fn a_client_cannot_set_a_field() {
    let (issuer, signer) = one_issuer().await;
    let routes = "[[route]]\npath = \"/news\"\ntoken = \"optional\"\n";
    let config = Config::of(&issuer).routes(routes).top("cors_preflight = true");
    let config = config.top("[headers]\nX-Auth-Subject = \"sub\"\nX-Auth-Role = \"role\"\n");
    let gateway = config.start().await;
    let spoofed = [("X-Auth-Subject", "admin"), ("X-Auth-Role", "admin")];
    let token = format!("Bearer {}", signer.sign(&claims(&issuer.url)));
    for (method, headers, subject) in [
        ("GET", vec![("Authorization", token.as_str())], "alice"),
        ("GET", vec![], ""),
        ("OPTIONS", vec![("Origin", "x"), ("Access-Control-Request-Method", "GET")], ""),
    ] {
        let headers: Vec<_> = headers.into_iter().chain(spoofed).collect();
        let reply = gateway.ask(method, "/news", &headers).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("x-auth-subject"), Some(subject));
        assert_eq!(reply.header("x-auth-role"), Some(""));
        assert_eq!(reply.header("authorization"), Some(""));
    }
}

#[tokio::test]
async fn an_optional_token_must_be_valid() {
    let (issuer, signer) = one_issuer().await;
    let gateway = Config::of(&issuer).route("token = \"optional\"").start().await;
    let expired = signer.sign(&with(claims(&issuer.url), "exp", now() - 100));
    let good = signer.sign(&claims(&issuer.url));
    for (authorization, expected) in [
        (None, 200),
        (Some(format!("Bearer {good}")), 200),
        (Some("Basic YTpi".to_owned()), 200),
        (Some(format!("Bearer {expired}")), 401),
        (Some("Bearer".to_owned()), 401),
        (Some("Bearer x".to_owned()), 401),
        (Some("Bearer a b".to_owned()), 401),
        (Some(format!("DPoP {good}")), 401),
        (Some("DPoP".to_owned()), 401),
    ] {
        let headers: Vec<_> =
            authorization.iter().map(|value| ("Authorization", value.as_str())).collect();
        let reply = gateway.ask("GET", "/x", &headers).await;
        assert_eq!(reply.status, expected, "{authorization:?}");
        if expected == 200 {
            let subject =
                if authorization.is_some_and(|text| text.contains(&good)) { "alice" } else { "" };
            assert_eq!(reply.header("x-auth-subject"), Some(subject));
        }
    }
    let required = Config::of(&issuer).route("valid_token_suffices = true").start().await;
    assert_eq!(required.ask("GET", "/x", &[]).await.status, 401);
}

#[tokio::test]
async fn preflight_requests_pass_only_with_cors_preflight() {
    let (issuer, _) = one_issuer().await;
    let origin = ("Origin", "https://app.example");
    let get = ("Access-Control-Request-Method", "GET");
    let post = ("Access-Control-Request-Method", "POST");
    let refuses = Config::of(&issuer).start().await;
    assert_eq!(refuses.ask("OPTIONS", "/open", &[origin, get]).await.status, 401);
    let passes = Config::of(&issuer).top("cors_preflight = true").start().await;
    for (method, uri, headers, expected) in [
        ("OPTIONS", "/patients", vec![origin, get], 200),
        ("OPTIONS", "/open", vec![origin, post], 200),
        // No route accepts the requested method.
        ("OPTIONS", "/patients", vec![origin, post], 403),
        ("OPTIONS", "/elsewhere", vec![origin, get], 403),
        ("OPTIONS", "/open/../x", vec![origin, get], 403),
        // These are not preflight requests.
        ("OPTIONS", "/open", vec![origin], 401),
        ("OPTIONS", "/open", vec![get], 401),
        ("OPTIONS", "/open", vec![origin, get, get], 401),
        ("GET", "/open", vec![origin, get], 401),
    ] {
        let reply = passes.ask(method, uri, &headers).await;
        assert_eq!(reply.status, expected, "{method} {uri} {headers:?}");
    }
}
