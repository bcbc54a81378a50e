//! The configuration's messages, the routes, and the decision, over HTTP but
//! without a gateway; `tests/gateway/run.sh` has one.

#[path = "../demo_issuer/mod.rs"]
mod demo_issuer;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::routing::get;
use claimgate::NumericDate;
use serde_json::{Value, json};
use tower::ServiceExt;

use self::demo_issuer::{ISSUER, SigningKey, jwks};
use crate::config::{Mistakes, Settings};
use crate::decide::Gate;
use crate::http::{header_value, router};
use crate::metrics::Metrics;
use crate::routes::{Ambiguous, Segments};

const SAMPLE: &str = include_str!("forward_auth.toml");

fn mistakes(text: &str) -> Vec<String> {
    match Settings::parse(text, Path::new("")) {
        Ok(_) => Vec::new(),
        Err(Mistakes(mistakes)) => mistakes,
    }
}

/// The mistakes of the sample with one line replaced.
#[track_caller]
fn mistakes_with(old: &str, new: &str) -> Vec<String> {
    assert!(SAMPLE.contains(old), "{old}");
    mistakes(&SAMPLE.replacen(old, new, 1))
}

#[test]
fn the_sample_has_no_mistakes() {
    assert_eq!(mistakes(SAMPLE), Vec::<String>::new());
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let file = r#"jwks_file = "../validate/demo/jwks.json""#;
    let issuer = "issuer 1 (https://my-domain.auth0.com/): ";
    for (old, new, expected) in [
        (r#""127.0.0.1:9180""#, r#""here""#, "listen: invalid socket address syntax".to_owned()),
        (r#""health""#, r#""""#, "realm: it is empty; name what is protected".to_owned()),
        (
            file,
            "",
            format!("{issuer}it has no jwks_url, from which to fetch its keys (nor a jwks_file)"),
        ),
        (
            file,
            r#"jwks_url = "http://issuer.example/jwks.json""#,
            format!(
                "{issuer}jwks_url: keys over plain HTTP can be anybody's: use https, or say \
                 danger_allow_http = true"
            ),
        ),
        (
            file,
            r#"jwks_url = "ftp://issuer.example/jwks.json""#,
            format!("{issuer}jwks_url: it has to begin with https://"),
        ),
        (
            file,
            r#"jwks_url = "jwks.json""#,
            format!("{issuer}jwks_url: it has to begin with https://"),
        ),
        (file, r#"jwks_url = "/jwks.json""#, format!("{issuer}jwks_url: it has no host")),
        (
            file,
            "jwks_file = \"a\"\njwks_url = \"https://issuer.example/\"",
            format!("{issuer}it has both jwks_url and jwks_file: only one can be right"),
        ),
        (
            r#"audience = "https://example.com/health-api""#,
            r#"audience = """#,
            format!("{issuer}an identifier is empty: audience"),
        ),
        ("leeway = 60 ", "leeway = 601 ", format!("{issuer}the leeway is longer than 600 seconds")),
        (
            "cool_down = 60 ",
            "cool_down = 0 ",
            format!(
                "{issuer}cool_down: without one, any client decides how often the issuer is asked"
            ),
        ),
        (
            "cool_down = 60 ",
            "cool_down = 4 ",
            format!("{issuer}cool_down: it is shorter than the timeout of a fetch"),
        ),
        ("timeout = 5 ", "timeout = 31 ", format!("{issuer}timeout: it has to be 1 to 30 seconds")),
        (
            r#"# authorized_parties = ["my_client_id"]"#,
            r#"authorized_parties = ["https://example.com/health-api"]"#,
            format!("{issuer}an audience equals a client ID"),
        ),
        (
            r#"path = "/admin""#,
            r#"path = "admin""#,
            "route 3 (admin): path: it does not begin with a slash".to_owned(),
        ),
        (
            r#"path = "/admin""#,
            r#"path = "/a/../b""#,
            "route 3 (/a/../b): path: it has . or .. as a segment".to_owned(),
        ),
        (
            r#"path = "/admin""#,
            r#"path = "/admin?x=y""#,
            "route 3 (/admin?x=y): path: it has a query".to_owned(),
        ),
        (
            r#"path = "/admin""#,
            r#"path = "/admin#x""#,
            "route 3 (/admin#x): path: it has a #".to_owned(),
        ),
        (
            r#"path = "/admin""#,
            r#"path = "/patients/17""#,
            "route 3 (/patients/17): it is never reached: route 2 above takes all its requests"
                .to_owned(),
        ),
        (
            r#""GET", "HEAD""#,
            r#""GET", "head""#,
            "route 1 (/patients): methods: \"head\" is no method, such as \"GET\"".to_owned(),
        ),
        (
            r#"scopes_any = ["admin", "read:admin"]"#,
            "scopes_any = []",
            "route 3 (/admin): scopes_any: a list is empty: scope tokens".to_owned(),
        ),
        (
            r#"["admin", "read:admin"]"#,
            r#"["read admin"]"#,
            "route 3 (/admin): scopes_any: a scope token is empty or contains invalid \
             characters"
                .to_owned(),
        ),
        (
            "valid_token_suffices = true",
            "",
            "route 4 (/profile): it requires no scope: name some, or say valid_token_suffices = \
             true"
                .to_owned(),
        ),
    ] {
        let found = mistakes_with(old, new);
        assert!(found.contains(&expected), "{new}: {found:#?}");
    }
}

#[test]
fn unknown_names_are_mistakes_and_told_with_their_line() {
    for (old, new, name) in [
        ("cool_down = 60", "cooldown = 60", "unknown field `cooldown`"),
        ("gateway = \"nginx\"", "gateway = \"apache\"", "unknown variant `apache`"),
        ("realm = \"health\"", "realm = 5", "invalid type: integer `5`"),
        ("realm = \"health\"", "", "missing field `realm`"),
    ] {
        let found = mistakes_with(old, new);
        assert!(found.len() == 1 && found[0].contains(name), "{found:#?}");
        assert!(found[0].contains("at line ") || name.starts_with("missing"), "{found:#?}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let found = mistakes("listen = \"x\"\ngateway = \"envoy\"\nrealm = \"\"\n");
    assert_eq!(
        found,
        [
            "listen: invalid socket address syntax",
            "realm: it is empty; name what is protected",
            "there is no [[issuer]]: nobody's tokens would be trusted",
            "there is no [[route]]: every request would be refused",
        ]
    );
    let twice =
        format!("{SAMPLE}\n[[issuer]]\nurl = \"{ISSUER}\"\naudience = \"a\"\njwks_file = \"j\"");
    assert_eq!(
        mistakes(&twice),
        [format!("issuer 2 ({ISSUER}): url: there is another issuer of this URL")]
    );
}

#[test]
fn a_path_that_can_be_read_in_two_ways_is_refused() {
    let root = Segments::parse("/").ok();
    assert!(root.is_some() && root == Segments::parse("/?a=//b").ok());
    assert!(Segments::parse("/patients/17/") == Segments::parse("/p%61tients/17?x=/../"));
    for (target, expected) in [
        ("", Ambiguous::NotAbsolute),
        ("patients", Ambiguous::NotAbsolute),
        ("http://example.com/patients", Ambiguous::NotAbsolute),
        ("//", Ambiguous::EmptySegment),
        ("//patients", Ambiguous::EmptySegment),
        ("/patients//17", Ambiguous::EmptySegment),
        ("/patients/../admin", Ambiguous::DotSegment),
        ("/patients/%2e%2E/admin", Ambiguous::DotSegment),
        ("/patients/./17", Ambiguous::DotSegment),
        ("/patients%2F17", Ambiguous::Character),
        ("/patients%5c..%5cadmin", Ambiguous::Character),
        ("/patients\\17", Ambiguous::Character),
        ("/patients/17;v=1", Ambiguous::Character),
        ("/patients/%252e%252e/admin", Ambiguous::Character),
        ("/patients/%00", Ambiguous::Character),
        ("/patients/%0a", Ambiguous::Character),
        ("/patients/%", Ambiguous::Encoding),
        ("/patients/%4", Ambiguous::Encoding),
        ("/patients/%zz", Ambiguous::Encoding),
        ("/patients/%ff", Ambiguous::Encoding),
        ("/profile#/../admin", Ambiguous::Fragment),
        ("/patients?a#b", Ambiguous::Fragment),
    ] {
        assert_eq!(Segments::parse(target).err(), Some(expected), "{target}");
    }
}

#[test]
fn header_values_are_visible_and_distinct() {
    for (text, expected) in [
        ("auth0|123456", "auth0|123456"),
        ("a%20b", "a%2520b"),
        ("a b", "a b"),
        (" a b ", "%20a b%20"),
        ("  a", "%20 a"),
        (" ", "%20"),
        ("", ""),
        ("j\u{f6}rg", "j%C3%B6rg"),
        ("a\r\nX: y", "a%0D%0AX: y"),
    ] {
        assert_eq!(header_value(text), expected);
    }
}

fn claims() -> Value {
    let now = NumericDate::now().as_secs();
    json!({
        "iss": ISSUER, "sub": "auth0|123456", "aud": "https://example.com/health-api",
        "azp": "my_client_id", "iat": now - 10, "exp": now + 3_600, "scope": "read:patients",
    })
}

fn with(name: &str, value: impl Into<Value>) -> Value {
    let mut claims = claims();
    claims[name] = value.into();
    claims
}

/// A service of this configuration, its key sets fetched.
async fn service(configuration: &str) -> (Arc<Gate>, Router) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/forward_auth");
    let settings = Settings::parse(configuration, &folder).unwrap();
    let gate = Arc::new(Gate::new(settings, Metrics::new().unwrap()));
    for issuer in &gate.issuers {
        tokio::spawn(Arc::clone(issuer).keep_fresh());
    }
    let service = router(Arc::clone(&gate));
    for _ in 0..500 {
        if answer(&service, Request::get("/healthz"), None).await.0 == StatusCode::OK {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    (gate, service)
}

async fn answer(
    service: &Router,
    request: axum::http::request::Builder,
    token: Option<&str>,
) -> (StatusCode, HeaderMap) {
    let request = match token {
        Some(token) => request.header("Authorization", format!("Bearer {token}")),
        None => request,
    };
    let response = service.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    (response.status(), response.headers().clone())
}

/// What nginx is answered for this request.
async fn nginx(service: &Router, method: &str, uri: &str, token: Option<&str>) -> (u16, String) {
    let request =
        Request::get("/check").header("X-Original-Method", method).header("X-Original-URI", uri);
    let (status, headers) = answer(service, request, token).await;
    let shown = if status == StatusCode::OK { "x-auth-subject" } else { "www-authenticate" };
    let shown = headers.get(shown).map(|value| value.to_str().unwrap().to_owned());
    (status.as_u16(), shown.unwrap_or_default())
}

#[tokio::test]
async fn each_request_gets_its_answer() {
    let (gate, service) = service(SAMPLE).await;
    let key = SigningKey::a();
    let good = key.sign(&claims());
    let patients = "/patients/17?full=yes";
    let subject = "auth0|123456".to_owned();

    assert_eq!(nginx(&service, "GET", patients, Some(&good)).await, (200, subject.clone()));
    assert_eq!(nginx(&service, "GET", "/profile", Some(&good)).await, (200, subject));
    let bare = r#"Bearer realm="health""#.to_owned();
    assert_eq!(nginx(&service, "GET", patients, None).await, (401, bare));

    let invalid = |description: &str| {
        let error = r#"Bearer realm="health", error="invalid_token""#;
        (401, format!("{error}, error_description=\"{description}\""))
    };
    let now = NumericDate::now().as_secs();
    for (claims, expected) in [
        (with("exp", now - 120), invalid("The token has expired")),
        (with("aud", "my_client_id"), invalid("The token is for another audience")),
        (with("nonce", "n"), invalid("The token is not an access token")),
        (with("iss", "https://evil.example/"), invalid("The issuer is not trusted")),
    ] {
        let token = key.sign(&claims);
        assert_eq!(nginx(&service, "GET", patients, Some(&token)).await, expected);
    }
    let lacking = |scope: &str| {
        let error = r#"Bearer realm="health", error="insufficient_scope""#;
        let description = r#"error_description="The request requires a higher privilege""#;
        (403, format!("{error}, {description}, scope=\"{scope}\""))
    };
    let expected = lacking("read:patients write:patients");
    assert_eq!(nginx(&service, "POST", patients, Some(&good)).await, expected);
    assert_eq!(nginx(&service, "GET", "/admin", Some(&good)).await, lacking("admin"));

    // No route, or a path with two readings: nothing to log in for.
    let refused = (403, String::new());
    assert_eq!(nginx(&service, "GET", "/elsewhere", Some(&good)).await, refused);
    assert_eq!(nginx(&service, "GET", "/profile/../admin", Some(&good)).await, refused);
    assert_eq!(nginx(&service, "GET", "/patients/\u{e4}", Some(&good)).await, refused);
    // `auth_request` takes a 400 for a failure.
    assert_eq!(nginx(&service, "GET", patients, Some("two tokens")).await.0, 401);

    let metrics = gate.metrics.text().unwrap();
    for line in [
        r#"forward_auth_verdicts_total{code="valid"} 2"#,
        r#"forward_auth_verdicts_total{code="missing_token"} 1"#,
        r#"forward_auth_verdicts_total{code="expired"} 1"#,
        r#"forward_auth_verdicts_total{code="insufficient_scope"} 2"#,
        r#"forward_auth_verdicts_total{code="ambiguous_path"} 2"#,
        // The good token came four times; refused ones are not remembered.
        "forward_auth_cache_hits_total 3",
        "forward_auth_request_seconds_count 13",
    ] {
        assert!(metrics.contains(line), "{line} is not in:\n{metrics}");
    }
    assert!(!metrics.contains("eyJ"));
}

#[tokio::test]
async fn a_client_cannot_stand_in_for_a_claim_that_the_token_lacks() {
    let (_, service) = service(SAMPLE).await;
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove("azp");
    let request = Request::get("/check")
        .header("X-Original-Method", "GET")
        .header("X-Original-URI", "/profile")
        .header("X-Auth-Client", "my_client_id");
    let (status, headers) = answer(&service, request, Some(&SigningKey::a().sign(&claims))).await;
    assert_eq!(status, StatusCode::OK);
    // An empty value replaces the client's at the gateway; an absent one might not.
    assert_eq!(headers.get("x-auth-client").unwrap(), "");
}

#[tokio::test]
async fn each_gateway_is_asked_in_its_own_way_and_no_other() {
    let good = SigningKey::a().sign(&claims());
    let nginx = || {
        Request::get("/check")
            .header("X-Original-Method", "GET")
            .header("X-Original-URI", "/patients")
    };
    let traefik = || {
        Request::get("/check")
            .header("X-Forwarded-Method", "GET")
            .header("X-Forwarded-Uri", "/patients")
    };
    let envoy = || Request::get("/check/patients");
    let error = StatusCode::INTERNAL_SERVER_ERROR;
    for (gateway, expected) in [
        ("nginx", [StatusCode::OK, error, error]),
        ("traefik", [error, StatusCode::OK, error]),
        ("envoy", [StatusCode::FORBIDDEN, StatusCode::FORBIDDEN, StatusCode::OK]),
    ] {
        let sample = SAMPLE.replace("\"nginx\"", &format!("\"{gateway}\""));
        let (_, service) = service(&sample).await;
        for (request, expected) in [nginx(), traefik(), envoy()].into_iter().zip(expected) {
            let (status, _) = answer(&service, request, Some(&good)).await;
            assert_eq!(status, expected, "{gateway}");
        }
    }
    // A second header could be the client's.
    let (_, service) = service(SAMPLE).await;
    let (status, _) =
        answer(&service, nginx().header("X-Original-URI", "/profile"), Some(&good)).await;
    assert_eq!(status, error);
}

/// An issuer over HTTP that tells how often it was asked.
async fn issuer(keys: Arc<std::sync::Mutex<Option<String>>>) -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let endpoint = move || {
        count.fetch_add(1, Ordering::SeqCst);
        let keys = keys.lock().unwrap().clone();
        async move { keys.ok_or(StatusCode::INTERNAL_SERVER_ERROR) }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
    let server = axum::serve(listener, Router::new().route("/jwks.json", get(endpoint)));
    tokio::spawn(server.into_future());
    (url, asked)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keys_rotate_and_a_flood_of_unknown_keys_does_not_reach_the_issuer() {
    let keys = Arc::new(std::sync::Mutex::new(Some(jwks(&[SigningKey::a()]))));
    let (url, asked) = issuer(Arc::clone(&keys)).await;
    let file = r#"jwks_file = "../validate/demo/jwks.json""#;
    let sample = SAMPLE
        .replace(file, &format!("jwks_url = \"{url}\""))
        .replace("timeout = 5", "timeout = 1")
        .replace("cool_down = 60", "cool_down = 1");
    let (_, service) = service(&sample).await;
    let (old, new) = (SigningKey::a().sign(&claims()), SigningKey::b().sign(&claims()));
    let ask = |token: String| {
        let service = service.clone();
        async move { nginx(&service, "GET", "/patients", Some(&token)).await.0 }
    };
    assert_eq!((ask(old.clone()).await, asked.load(Ordering::SeqCst)), (200, 1));

    // A flood of tokens whose key nobody has.
    let started = NumericDate::now();
    let mut flood = tokio::task::JoinSet::new();
    for _ in 0..500 {
        flood.spawn(ask(new.clone()));
    }
    assert!(flood.join_all().await.iter().all(|status| *status == 401));
    let seconds = NumericDate::now().as_secs() - started.as_secs() + 1;
    let fetches = asked.load(Ordering::SeqCst);
    assert!(fetches <= 1 + usize::try_from(seconds).unwrap(), "{fetches} in {seconds} s");

    // The issuer changes its key: soon the new one works, and the old one does not.
    *keys.lock().unwrap() = Some(jwks(&[SigningKey::b()]));
    let deadline = NumericDate::from_secs(NumericDate::now().as_secs() + 10);
    while ask(new.clone()).await != 200 {
        assert!(NumericDate::now() < deadline, "the new key was not fetched");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(ask(old.clone()).await, 401);

    // The issuer is down: the keys at hand go on working.
    *keys.lock().unwrap() = None;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!((ask(old.clone()).await, ask(new.clone()).await), (401, 200));

    // The issuer withdraws its keys: nothing is trusted any longer.
    *keys.lock().unwrap() = Some(r#"{"keys":[]}"#.to_owned());
    let deadline = NumericDate::from_secs(NumericDate::now().as_secs() + 10);
    while ask(new.clone()).await != 503 {
        assert!(NumericDate::now() < deadline, "the old keys are still trusted");
        let _ = ask(old.clone()).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn before_the_first_keys_the_answer_is_503() {
    let sample = SAMPLE.replace("../validate/demo/jwks.json", "not-there.json");
    let folder = Path::new("");
    let settings = Settings::parse(&sample, folder).unwrap();
    let service = router(Arc::new(Gate::new(settings, Metrics::new().unwrap())));
    assert_eq!(
        answer(&service, Request::get("/healthz"), None).await.0,
        StatusCode::SERVICE_UNAVAILABLE
    );
    let good = SigningKey::a().sign(&claims());
    assert_eq!(nginx(&service, "GET", "/patients", Some(&good)).await.0, 503);
}

/// The sample with a second issuer.
fn sample_with(url: &str, keys: &str) -> String {
    let settings = "audience = \"https://example.com/health-api\"\ntimeout = 1\ncool_down = 1\n";
    format!("{SAMPLE}\n[[issuer]]\nurl = \"{url}\"\n{keys}\n{settings}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_several_issuers_the_keys_of_the_tokens_own_are_fetched_again() {
    let keys = || Arc::new(std::sync::Mutex::new(Some(jwks(&[SigningKey::a()]))));
    let (first, first_asked) = issuer(keys()).await;
    let (second, second_asked) = issuer(keys()).await;
    let other = "https://issuer.example/";
    let file = r#"jwks_file = "../validate/demo/jwks.json""#;
    let sample = sample_with(other, &format!("jwks_url = \"{second}\""))
        .replace(file, &format!("jwks_url = \"{first}\""))
        .replace("timeout = 5", "timeout = 1")
        .replace("cool_down = 60", "cool_down = 1");
    let (_, service) = service(&sample).await;
    let ask = async |token: String| nginx(&service, "GET", "/patients", Some(&token)).await.0;
    assert_eq!(ask(SigningKey::a().sign(&claims())).await, 200);
    assert_eq!(ask(SigningKey::a().sign(&with("iss", other))).await, 200);
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    assert_eq!(ask(SigningKey::b().sign(&with("iss", other))).await, 401);
    let asked = (first_asked.load(Ordering::SeqCst), second_asked.load(Ordering::SeqCst));
    assert_eq!(asked, (1, 2));
}

#[tokio::test]
async fn a_token_of_no_issuer_that_has_keys_may_be_of_one_that_has_none_yet() {
    let sample = sample_with("https://late.example/", "jwks_file = \"not-there.json\"");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/forward_auth");
    let settings = Settings::parse(&sample, &folder).unwrap();
    let gate = Arc::new(Gate::new(settings, Metrics::new().unwrap()));
    for issuer in &gate.issuers {
        tokio::spawn(Arc::clone(issuer).keep_fresh());
    }
    let service = router(Arc::clone(&gate));
    let ask = async |token: &str| nginx(&service, "GET", "/patients", Some(token)).await.0;
    let good = SigningKey::a().sign(&claims());
    for _ in 0..500 {
        if ask(&good).await == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(ask(&good).await, 200);
    assert_eq!(ask(&SigningKey::a().sign(&with("iss", "https://late.example/"))).await, 503);
    assert_eq!(ask(&SigningKey::a().sign(&with("aud", "other"))).await, 401);
    assert_eq!(ask("no.token").await, 401);
}
