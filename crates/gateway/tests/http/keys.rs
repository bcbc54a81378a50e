//! The keys of issuers: fetches, renewal and outages.

use std::fs;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::support::*;

/// Waits until requests with a token have this status.
async fn until_status(gateway: &Gateway, token: &str, status: u16) {
    for _ in 0..200 {
        if gateway.open(token).await == status {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("the status does not become {status}");
}

async fn health(gateway: &Gateway) -> Reply {
    get(gateway.admin, "/health", &[]).await
}

/// Waits until a fetch has failed, and returns the body of `/health`.
async fn failure(gateway: &Gateway) -> String {
    for _ in 0..400 {
        let reply = health(gateway).await;
        if reply.body.contains("last: ") {
            assert_eq!(reply.status, 503);
            return reply.body;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("no fetch has failed");
}

#[tokio::test]
async fn the_first_request_with_a_rotated_key_is_accepted() {
    let (issuer, old) = one_issuer().await;
    let new = Signer::rsa("b");
    let gateway = Config::of(&issuer).issuer(EAGER).start().await;
    let (old_token, new_token) = (old.sign(&claims(&issuer.url)), new.sign(&claims(&issuer.url)));
    assert_eq!(gateway.open(&old_token).await, 200);
    assert_eq!(gateway.open(&new_token).await, 401);
    issuer.set(Behaviour::Serve(jwks(&[&new])));
    sleep(Duration::from_millis(2_100)).await;
    // The first request waits for the fetch, and its token is validated again.
    assert_eq!(gateway.open(&new_token).await, 200);
    // The old key is withdrawn, so its cached tokens are rejected.
    assert_eq!(gateway.open(&old_token).await, 401);
}

#[tokio::test]
async fn unknown_keys_cause_one_fetch_in_a_cool_down() {
    let (issuer, _) = one_issuer().await;
    let unknown = Signer::rsa("b").sign(&claims(&issuer.url));
    let patient = Config::of(&issuer).issuer("cool_down = 60").start().await;
    for _ in 0..20 {
        assert_eq!(patient.open(&unknown).await, 401);
    }
    assert_eq!(issuer.requests(), 1);
    let (issuer, _) = one_issuer().await;
    let unknown = Signer::rsa("b").sign(&claims(&issuer.url));
    let eager = Config::of(&issuer).issuer("cool_down = 3\ntimeout = 1").start().await;
    sleep(Duration::from_millis(3_200)).await;
    for _ in 0..20 {
        assert_eq!(eager.open(&unknown).await, 401);
    }
    assert_eq!(issuer.requests(), 2);
}

#[tokio::test]
async fn keys_are_fetched_again_when_they_are_old() {
    let (issuer, _) = one_issuer().await;
    let config = Config::of(&issuer).issuer(EAGER).issuer("jwks_max_age = 1");
    let _gateway = config.start().await;
    sleep(Duration::from_millis(3_500)).await;
    assert!(issuer.requests() >= 2, "{}", issuer.requests());
    let (issuer, _) = one_issuer().await;
    let _gateway = Config::of(&issuer).issuer(EAGER).start().await;
    sleep(Duration::from_millis(2_500)).await;
    assert_eq!(issuer.requests(), 1);
}

#[tokio::test]
async fn failures_are_further_and_further_apart() {
    let (slow, _) = one_issuer().await;
    let (fast, _) = one_issuer().await;
    let lines = "cool_down = 1\ntimeout = 1\njwks_max_age = 1";
    let _one = Config::of(&slow).issuer(lines).issuer("max_back_off = 60").start().await;
    let _two = Config::of(&fast).issuer(lines).issuer("max_back_off = 1").start().await;
    for issuer in [&slow, &fast] {
        issuer.set(Behaviour::Status(500, String::new()));
    }
    let before = (slow.requests(), fast.requests());
    sleep(Duration::from_millis(9_000)).await;
    // The intervals are 1, 2 and 4 seconds, or always 1 second.
    let fetches = (slow.requests() - before.0, fast.requests() - before.1);
    assert!((2..=4).contains(&fetches.0) && fetches.1 >= 6, "{fetches:?}");
}

#[tokio::test]
async fn keys_that_cannot_be_fetched_are_trusted_for_a_while() {
    let (issuer, signer) = one_issuer().await;
    let token = signer.sign(&claims(&issuer.url));
    let config = Config::of(&issuer).issuer(EAGER).issuer("jwks_max_age = 1");
    let lasting = config.start().await;
    let brief = config.issuer("jwks_max_stale = 3").start().await;
    assert_eq!([lasting.open(&token).await, brief.open(&token).await], [200, 200]);
    issuer.set(Behaviour::Status(500, String::new()));
    until_status(&brief, &token, 503).await;
    assert_eq!(lasting.open(&token).await, 200);
}

#[tokio::test]
async fn a_file_of_keys_is_watched() {
    let (old, new) = (Signer::rsa("a"), Signer::rsa("b"));
    let name = format!("claimgate-gateway-{}.json", std::process::id());
    let path = std::env::temp_dir().join(name);
    fs::write(&path, jwks(&[&old])).unwrap();
    let issuer = TestIssuer::with_keys(&[]).await;
    let mut config = Config::of(&issuer);
    config.issuer = format!(
        "url = \"{}\"\njwks_file = \"{}\"\naudiences = \"{API}\"\n",
        issuer.url,
        path.display()
    );
    let gateway = config.start().await;
    let (old, new_token) = (old.sign(&claims(&issuer.url)), new.sign(&claims(&issuer.url)));
    assert_eq!([gateway.open(&old).await, gateway.open(&new_token).await], [200, 401]);
    fs::write(&path, format!("{}\n", jwks(&[&new]))).unwrap();
    until_status(&gateway, &new_token, 200).await;
    assert_eq!(gateway.open(&old).await, 401);
    fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn keys_are_found_by_discovery() {
    let (issuer, signer) = one_issuer().await;
    let token = signer.sign(&claims(&issuer.url));
    let mut config = Config::of(&issuer);
    let keys = format!("jwks_url = \"{}\"\n", issuer.keys());
    config.issuer = config.issuer.replace(&keys, "");
    assert_eq!(config.start().await.open(&token).await, 200);
    let document = format!("{}/.well-known/openid-configuration", issuer.url);
    let named = config.clone().issuer(&format!("discovery_url = \"{document}\""));
    assert_eq!(named.start().await.open(&token).await, 200);
    // A document that names another issuer is not used.
    issuer.set_document(Behaviour::Serve(document_of("https://other.example", &issuer)));
    assert!(failure(&config.start_without_keys().await).await.contains("issuer"));
}

fn document_of(name: &str, issuer: &TestIssuer) -> String {
    document(name, &issuer.url)
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (issuer, signer) = one_issuer().await;
    let other = TestIssuer::with_keys(&[&signer]).await;
    issuer.set(Behaviour::Redirect(other.keys()));
    let gateway = Config::of(&issuer).start_without_keys().await;
    assert!(failure(&gateway).await.contains("status 302"));
    assert_eq!(other.requests(), 0);
    assert_eq!(gateway.open(&signer.sign(&claims(&issuer.url))).await, 503);
}

#[tokio::test]
async fn a_response_has_a_limit() {
    let (issuer, signer) = one_issuer().await;
    let padded = |len: usize| {
        let keys = jwks(&[&signer]);
        Behaviour::Serve(format!("{}{keys}", " ".repeat(len - keys.len())))
    };
    let token = signer.sign(&claims(&issuer.url));
    let config = Config::of(&issuer);
    issuer.set(padded(256 * 1_024));
    assert_eq!(config.start().await.open(&token).await, 200);
    issuer.set(padded(256 * 1_024 + 1));
    let gateway = config.start_without_keys().await;
    assert!(failure(&gateway).await.contains("more than 262144 bytes"));
    assert_eq!(gateway.open(&token).await, 503);
    let small = config.issuer("max_response = 2000");
    issuer.set(padded(2_001));
    assert!(failure(&small.start_without_keys().await).await.contains("more than 2000 bytes"));
    issuer.set(padded(2_000));
    assert_eq!(small.start().await.open(&token).await, 200);
}

#[tokio::test]
async fn a_fetch_has_a_limit_of_time() {
    let (issuer, signer) = one_issuer().await;
    let keys = jwks(&[&signer]);
    issuer.set(Behaviour::Slow(keys.clone(), Duration::from_millis(1_500)));
    let config = Config::of(&issuer);
    let started = Instant::now();
    let gateway = config.clone().issuer("timeout = 1").start_without_keys().await;
    assert!(failure(&gateway).await.contains("time"));
    assert!(started.elapsed() < Duration::from_millis(1_450), "{:?}", started.elapsed());
    issuer.set(Behaviour::Drip(keys.clone(), Duration::from_millis(100)));
    let gateway = config.clone().issuer("timeout = 1").start_without_keys().await;
    assert!(failure(&gateway).await.contains("time"));
    issuer.set(Behaviour::Slow(keys, Duration::from_millis(1_500)));
    config.issuer("timeout = 3").start().await;
}

#[tokio::test]
async fn requests_that_wait_for_keys_have_limits() {
    let (issuer, signer) = one_issuer().await;
    issuer.set(Behaviour::Slow(jwks(&[&signer]), Duration::from_millis(2_500)));
    let token = signer.sign(&claims(&issuer.url));
    let config = Config::of(&issuer).issuer("timeout = 5\nmax_waiting = 2");
    let gateway = std::sync::Arc::new(config.start_without_keys().await);
    sleep(Duration::from_millis(200)).await;
    let ask = || {
        let (gateway, token) = (std::sync::Arc::clone(&gateway), token.clone());
        tokio::spawn(async move { gateway.with_token("GET", "/open", &token).await })
    };
    let tasks = [ask(), ask(), ask(), ask()];
    let mut statuses = Vec::new();
    for task in tasks {
        let reply = task.await.unwrap();
        if reply.status == 503 {
            assert_eq!(reply.header("retry-after"), Some("1"));
        }
        statuses.push(reply.status);
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 503, 503]);

    let config = Config::of(&issuer).issuer("timeout = 5\nmax_wait = 1");
    let gateway = config.start_without_keys().await;
    sleep(Duration::from_millis(100)).await;
    let started = Instant::now();
    assert_eq!(gateway.open(&token).await, 503);
    let waited = started.elapsed();
    assert!((900..2_000).contains(&waited.as_millis()), "{waited:?}");
}

#[tokio::test]
async fn an_empty_key_set_withdraws_all_keys() {
    let (issuer, signer) = one_issuer().await;
    let config = Config::of(&issuer).issuer(EAGER).issuer("jwks_max_age = 1");
    let gateway = config.start().await;
    let token = signer.sign(&claims(&issuer.url));
    assert_eq!(gateway.open(&token).await, 200);
    issuer.set(Behaviour::Serve(jwks(&[])));
    until_status(&gateway, &token, 401).await;
    assert_eq!(health(&gateway).await.status, 503);
}

#[tokio::test]
async fn ready_as_soon_as_any_issuer_has_keys() {
    let (issuer, signer) = one_issuer().await;
    let away = TestIssuer::start(Behaviour::Close).await;
    let config = Config::of(&issuer).more(&format!(
        "[[issuer]]\nurl = \"{}\"\njwks_url = \"{}\"\ndanger_allow_loopback_http = true\n\
         audiences = \"{API}\"\n",
        away.url,
        away.keys()
    ));
    let gateway = config.start().await;
    let body = health(&gateway).await.body;
    assert!(body.contains(&format!("{}: ready", issuer.url)), "{body}");
    assert!(body.contains(&format!("{}: pending", away.url)), "{body}");
    assert_eq!(gateway.open(&signer.sign(&claims(&issuer.url))).await, 200);
    assert_eq!(gateway.open(&signer.sign(&claims(&away.url))).await, 503);
}

/// Tokens with an unknown key need no valid signature.
#[tokio::test]
async fn requests_that_wait_for_keys_leave_connections_to_others() {
    let (issuer, signer) = one_issuer().await;
    let unknown = Signer::rsa("b").sign(&claims(&issuer.url));
    let token = signer.sign(&claims(&issuer.url));
    let config = Config::of(&issuer).top("max_connections = 8");
    let gateway = config.issuer("cool_down = 1\ntimeout = 1").start().await;
    let gateway = std::sync::Arc::new(gateway);
    sleep(Duration::from_millis(1_100)).await;
    // Each fetch fails after a second.
    issuer.set(Behaviour::Slow(jwks(&[&signer]), Duration::from_secs(30)));
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (gateway, unknown) = (std::sync::Arc::clone(&gateway), unknown.clone());
            tokio::spawn(async move { gateway.open(&unknown).await })
        })
        .collect();
    sleep(Duration::from_millis(200)).await;
    let started = Instant::now();
    assert_eq!(gateway.open(&token).await, 200);
    let took = started.elapsed();
    assert!(took < Duration::from_millis(500), "{took:?}");
    let mut waited = 0;
    for task in tasks {
        let status = task.await.unwrap();
        assert!([401, 503].contains(&status), "{status}");
        waited += u32::from(status == 401);
    }
    // A quarter of the connections.
    assert_eq!(waited, 2);
}
