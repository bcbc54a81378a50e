//! The requirements for tokens.

use serde_json::json;

use crate::support::*;

/// Returns the statuses of `GET /open` with tokens with these claims.
async fn statuses<const N: usize>(
    config: &Config,
    signer: &Signer,
    claims: [serde_json::Value; N],
) -> [u16; N] {
    let gateway = config.start().await;
    let mut statuses = [0; N];
    for (status, claims) in statuses.iter_mut().zip(claims) {
        *status = gateway.open(&signer.sign(&claims)).await;
    }
    statuses
}

#[tokio::test]
async fn leeway() {
    let (issuer, signer) = one_issuer().await;
    let expired = |seconds| with(claims(&issuer.url), "exp", now() - seconds);
    let config = Config::of(&issuer);
    assert_eq!(statuses(&config, &signer, [expired(50), expired(62)]).await, [200, 401]);
    let none = config.clone().issuer("leeway = 0");
    assert_eq!(statuses(&none, &signer, [expired(2)]).await, [401]);
    let long = config.issuer("leeway = 600");
    assert_eq!(statuses(&long, &signer, [expired(590), expired(602)]).await, [200, 401]);
}

#[tokio::test]
async fn max_token_age() {
    let (issuer, signer) = one_issuer().await;
    let issued = |seconds| with(claims(&issuer.url), "iat", now() - seconds);
    let config = Config::of(&issuer);
    assert_eq!(statuses(&config, &signer, [issued(100_000)]).await, [200]);
    let limited = config.issuer("max_token_age = 100\nleeway = 0");
    assert_eq!(statuses(&limited, &signer, [issued(90), issued(103)]).await, [200, 401]);
}

#[tokio::test]
async fn max_lifetime() {
    let (issuer, signer) = one_issuer().await;
    let lives = |seconds: u64| {
        let claims = with(claims(&issuer.url), "iat", now() - 10);
        with(claims, "exp", now() - 10 + seconds)
    };
    let config = Config::of(&issuer).issuer("max_lifetime = 300");
    assert_eq!(statuses(&config, &signer, [lives(300), lives(301)]).await, [200, 401]);
}

#[tokio::test]
async fn audiences() {
    let (issuer, signer) = one_issuer().await;
    let of = |audience: serde_json::Value| with(claims(&issuer.url), "aud", audience);
    let config = Config::of(&issuer);
    let tokens = [of(json!(API)), of(json!(["other", API])), of(json!("urn:b")), of(json!([]))];
    assert_eq!(statuses(&config, &signer, tokens.clone()).await, [200, 200, 401, 401]);
    let mut several = config;
    several.issuer = several.issuer.replace(
        &format!("audiences = \"{API}\""),
        &format!("audiences = [\"urn:a\", \"{API}\", \"urn:b\"]"),
    );
    assert_eq!(statuses(&several, &signer, tokens).await, [200, 200, 200, 401]);
}

#[tokio::test]
async fn without_audience() {
    let (issuer, signer) = one_issuer().await;
    let mut config = Config::of(&issuer);
    config.issuer = config.issuer.replace(
        &format!("audiences = \"{API}\""),
        "without_audience = true\nauthorized_parties = [\"app\"]",
    );
    let mut cognito = with(claims(&issuer.url), "token_use", "access");
    cognito.as_object_mut().unwrap().remove("aud");
    let tokens = [
        cognito.clone(),
        with(cognito.clone(), "client_id", "other"),
        with(cognito.clone(), "aud", API),
        with(cognito, "token_use", "id"),
    ];
    assert_eq!(statuses(&config, &signer, tokens).await, [200, 401, 401, 401]);
}

#[tokio::test]
async fn authorized_parties() {
    let (issuer, signer) = one_issuer().await;
    let config = Config::of(&issuer).issuer("authorized_parties = [\"app\", \"other\"]");
    let of = |client: &str| with(claims(&issuer.url), "client_id", client);
    let tokens = [of("app"), of("other"), of("third")];
    assert_eq!(statuses(&config, &signer, tokens).await, [200, 200, 401]);
}

#[tokio::test]
async fn subject() {
    let (issuer, signer) = one_issuer().await;
    let config = Config::of(&issuer);
    let tokens = [claims(&issuer.url), with(claims(&issuer.url), "sub", "app")];
    for (lines, expected) in
        [("", [200, 200]), ("subject = \"user\"", [200, 401]), ("subject = \"client\"", [401, 200])]
    {
        let config = config.clone().issuer(lines);
        assert_eq!(statuses(&config, &signer, tokens.clone()).await, expected, "{lines}");
    }
}

#[tokio::test]
async fn profile() {
    let (issuer, signer) = one_issuer().await;
    let mut without_jti = claims(&issuer.url);
    without_jti.as_object_mut().unwrap().remove("jti");
    let tokens = [claims(&issuer.url), without_jti];
    let config = Config::of(&issuer);
    assert_eq!(statuses(&config, &signer, tokens.clone()).await, [200, 200]);
    let strict = config.issuer("profile = \"rfc9068\"");
    assert_eq!(statuses(&strict, &signer, tokens).await, [200, 401]);
}

#[tokio::test]
async fn algorithms() {
    let (rsa, ec) = (Signer::rsa("a"), Signer::ec("b"));
    let issuer = TestIssuer::with_keys(&[&rsa, &ec]).await;
    for (lines, expected) in [
        ("", [200, 200]),
        ("algorithms = [\"ES256\"]", [401, 200]),
        ("algorithms = [\"RS256\", \"PS256\"]", [200, 401]),
    ] {
        let gateway = Config::of(&issuer).issuer(lines).start().await;
        let claims = claims(&issuer.url);
        let found = [gateway.open(&rsa.sign(&claims)).await, gateway.open(&ec.sign(&claims)).await];
        assert_eq!(found, expected, "{lines}");
    }
}

#[tokio::test]
async fn scopes_and_permissions() {
    let (issuer, signer) = one_issuer().await;
    let scope = |scope: &str| signer.sign(&with(claims(&issuer.url), "scope", scope));
    let permissions =
        |list: &[&str]| signer.sign(&with(claims(&issuer.url), "permissions", json!(list)));
    let config = Config::of(&issuer);
    let all = config.clone().route("scopes_all = [\"a\", \"b\"]").start().await;
    assert_eq!(all.x(&scope("b c a")).await, 200);
    let refused = all.with_token("GET", "/x", &scope("a")).await;
    assert_eq!(refused.status, 403);
    assert!(refused.challenge().contains("error=\"insufficient_scope\""));
    assert!(refused.challenge().ends_with("scope=\"a b\""), "{}", refused.challenge());
    assert_eq!(all.x(&scope("ab a")).await, 403);
    let any = config.clone().route("scopes_any = [\"a\", \"b\"]").start().await;
    assert_eq!(any.x(&scope("b")).await, 200);
    assert_eq!(any.x(&scope("c")).await, 403);
    let all = config.clone().route("permissions_all = [\"a\", \"b\"]").start().await;
    assert_eq!(all.x(&permissions(&["a", "b"])).await, 200);
    assert_eq!(all.x(&permissions(&["a"])).await, 403);
    assert_eq!(all.x(&scope("a b")).await, 403);
    let any = config.clone().route("permissions_any = [\"a\", \"b\"]").start().await;
    assert_eq!(any.x(&permissions(&["b"])).await, 200);
    assert_eq!(any.x(&permissions(&["c"])).await, 403);
    // All requirements of a route must be met.
    let both = config.route("scopes_all = [\"a\"]\npermissions_any = [\"b\"]").start().await;
    let has = |scope: &str, list: &[&str]| {
        let claims = with(claims(&issuer.url), "scope", scope);
        signer.sign(&with(claims, "permissions", json!(list)))
    };
    assert_eq!(both.x(&has("a", &["b"])).await, 200);
    assert_eq!(both.x(&has("a", &["a"])).await, 403);
    assert_eq!(both.x(&has("b", &["b"])).await, 403);
}

#[tokio::test]
async fn claim_rules() {
    let (issuer, signer) = one_issuer().await;
    let token = |claim: &str, value: serde_json::Value| {
        signer.sign(&with(claims(&issuer.url), claim, value))
    };
    for (rule, claim, good, bad) in [
        ("claim = \"org\", equals = \"a\"", "org", json!("a"), json!("b")),
        ("claim = \"level\", equals = 3", "level", json!(3), json!("3")),
        ("claim = \"vip\", equals = true", "vip", json!(true), json!(false)),
        ("claim = \"org\", one_of = [\"a\", \"b\"]", "org", json!("b"), json!("c")),
        ("claim = \"groups\", contains = \"a\"", "groups", json!(["b", "a"]), json!(["b"])),
        (
            "claim = [\"realm_access\", \"roles\"], contains = \"admin\"",
            "realm_access",
            json!({"roles": ["admin"]}),
            json!({"roles": ["administrator"]}),
        ),
    ] {
        let gateway = Config::of(&issuer).route(&format!("claims = [{{ {rule} }}]")).start().await;
        assert_eq!(gateway.x(&token(claim, good)).await, 200, "{rule}");
        assert_eq!(gateway.x(&token(claim, bad)).await, 403, "{rule}");
        assert_eq!(gateway.x(&token("other", json!(1))).await, 403, "{rule}");
    }
    // All rules must be met.
    let rules = "claims = [{ claim = \"a\", equals = 1 }, { claim = \"b\", equals = 2 }]";
    let gateway = Config::of(&issuer).route(rules).start().await;
    let both = with(with(claims(&issuer.url), "a", 1), "b", 2);
    assert_eq!(gateway.x(&signer.sign(&both)).await, 200);
    assert_eq!(gateway.x(&token("a", json!(1))).await, 403);
    assert_eq!(gateway.x(&token("b", json!(2))).await, 403);
}

#[tokio::test]
async fn audiences_and_issuers_of_a_route() {
    let (one, signer) = one_issuer().await;
    let two = TestIssuer::with_keys(&[&signer]).await;
    let (url, keys) = (&two.url, two.keys());
    let config = Config::of(&one)
        .more(&format!(
            "[[issuer]]\nurl = \"{url}\"\njwks_url = \"{keys}\"\ndanger_allow_loopback_http = \
             true\naudiences = \"urn:two\"\n"
        ))
        .routes(&format!(
            "[[route]]\npath = \"/all\"\nvalid_token_suffices = true\n\
             [[route]]\npath = \"/two\"\nissuers = \"{url}\"\nvalid_token_suffices = true\n\
             [[route]]\npath = \"/special\"\naudiences = \"urn:special\"\nvalid_token_suffices = \
             true\n"
        ));
    let gateway = config.start().await;
    let token = |issuer: &str, audience: &str| signer.sign(&with(claims(issuer), "aud", audience));
    // The keys of the second issuer may arrive later.
    let second = token(url, "urn:two");
    for _ in 0..200 {
        if gateway.with_token("GET", "/all", &second).await.status == 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    // The second time, the tokens are in the cache.
    for _ in 0..2 {
        for (issuer, audience, expected) in [
            (&one.url, API, [200, 401, 401]),
            (&one.url, "urn:two", [401, 401, 401]),
            (&one.url, "urn:special", [401, 401, 200]),
            (url, API, [401, 401, 401]),
            (url, "urn:two", [200, 200, 401]),
            (url, "urn:special", [401, 401, 200]),
        ] {
            let token = token(issuer, audience);
            let mut found = [0; 3];
            for (status, path) in found.iter_mut().zip(["/all", "/two", "/special"]) {
                *status = gateway.with_token("GET", path, &token).await.status;
            }
            assert_eq!(found, expected, "{issuer} {audience}");
        }
    }
}

#[tokio::test]
async fn challenges_name_the_reason() {
    let (issuer, signer) = one_issuer().await;
    let gateway = Config::of(&issuer).start().await;
    let bare = gateway.ask("GET", "/open", &[]).await;
    assert_eq!((bare.status, bare.challenge()), (401, "Bearer realm=\"health\""));
    let expired = signer.sign(&with(claims(&issuer.url), "exp", now() - 100));
    let refused = gateway.with_token("GET", "/open", &expired).await;
    let expected = "Bearer realm=\"health\", error=\"invalid_token\", error_description=\"The \
                    token has expired\"";
    assert_eq!((refused.status, refused.challenge()), (401, expected));
    assert_eq!(refused.header("cache-control"), Some("no-store"));
    let other = signer.sign(&claims("https://other.example"));
    assert!(gateway.with_token("GET", "/open", &other).await.challenge().contains("issuer"));
    for text in ["no.token", "a.b.c", "\u{e4}"] {
        assert_eq!(gateway.open(text).await, 401, "{text}");
    }
    // Without a route, there is no challenge: no token would be sufficient.
    let good = signer.sign(&claims(&issuer.url));
    let nowhere = gateway.with_token("GET", "/elsewhere", &good).await;
    assert_eq!((nowhere.status, nowhere.header("www-authenticate")), (403, None));
}
