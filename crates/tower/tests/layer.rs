//! The tower layer: accepted requests, and the responses to others.

mod support;

use std::convert::Infallible;
use std::time::Duration;

use claimgate::resource_metadata::ResourceMetadata;
use claimgate::{AccessTokenPolicy, ScopePolicy, at_compile_time};
use claimgate_tower::{
    AuthLayer, Authenticated, Authorities, Authority, AuthorityError, ClientCertificate,
};
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Request, Response};
use serde_json::json;
use support::*;
use tower::{Layer, Service, ServiceExt, service_fn};

const ISSUER: &str = "https://issuer.example";

async fn greet(request: Request<()>) -> Result<Response<String>, Infallible> {
    let caller = request.extensions().get::<Authenticated>();
    let name = caller.map_or_else(|| "stranger".to_owned(), |one| one.token().subject().to_owned());
    Ok(Response::new(name))
}

/// Status, challenges and body.
type Answer = (u16, Vec<String>, String);

async fn send(layer: &AuthLayer, request: Request<()>) -> Response<String> {
    layer.layer(service_fn(greet)).oneshot(request).await.unwrap()
}

async fn ask(layer: &AuthLayer, authorization: &[&str]) -> Answer {
    let mut request = Request::builder();
    for value in authorization {
        request = request.header(AUTHORIZATION, *value);
    }
    let response = send(layer, request.body(()).unwrap()).await;
    let challenges = response.headers().get_all(WWW_AUTHENTICATE).iter();
    let challenges = challenges.map(|value| value.to_str().unwrap().to_owned()).collect();
    (response.status().as_u16(), challenges, response.into_body())
}

fn answer(status: u16, challenge: &str) -> Answer {
    (status, vec![challenge.to_owned()], String::new())
}

fn pass(name: &str) -> Answer {
    (200, vec![], name.to_owned())
}

fn authorities(signer: &Signer) -> Authorities {
    Authorities::new([Authority::fixed(ISSUER, jwks(&[signer]))]).unwrap()
}

fn invalid(why: &str) -> Answer {
    let challenge =
        format!("Bearer realm=\"health\", error=\"invalid_token\", error_description=\"{why}\"");
    answer(401, &challenge)
}

#[tokio::test]
async fn a_request_with_a_valid_token_passes_and_others_are_challenged() {
    let signer = Signer::rsa("a");
    let layer = AuthLayer::new(authorities(&signer), POLICY).realm("health");
    let good = signer.sign(&claims(ISSUER));
    let bearer = |token: &str| format!("Bearer {token}");
    assert_eq!(ask(&layer, &[&bearer(&good)]).await, pass("alice"));
    assert_eq!(ask(&layer, &[]).await, answer(401, "Bearer realm=\"health\""));
    assert_eq!(ask(&layer, &["Basic YTpi"]).await, answer(401, "Bearer realm=\"health\""));
    let expired = signer.sign(&with(claims(ISSUER), "exp", now() - 60));
    assert_eq!(ask(&layer, &[&bearer(&expired)]).await, invalid("The token has expired"));
    let other = signer.sign(&with(claims(ISSUER), "aud", "https://other.example"));
    assert_eq!(ask(&layer, &[&bearer(&other)]).await, invalid("The token is for another audience"));
    let foreign = signer.sign(&claims("https://other.example"));
    assert_eq!(ask(&layer, &[&bearer(&foreign)]).await, invalid("The issuer is not trusted"));
    for values in
        [vec![bearer(&good), bearer(&good)], vec!["Bearer".into()], vec!["Bearer a b".into()]]
    {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let (status, challenges, body) = ask(&layer, &values).await;
        assert_eq!((status, body.as_str()), (400, ""));
        assert!(challenges[0].contains("error=\"invalid_request\""), "{challenges:?}");
    }
    // Values that are not text.
    let request = Request::builder().header(AUTHORIZATION, &b"Bearer \xff"[..]).body(()).unwrap();
    let response = send(&layer, request).await;
    assert_eq!((response.status().as_u16(), response.body().as_str()), (400, ""));
    assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn an_optional_token_has_to_be_good_if_there_is_one() {
    let signer = Signer::rsa("a");
    let layer = AuthLayer::new(authorities(&signer), POLICY).realm("health").optional();
    let good = signer.sign(&claims(ISSUER));
    assert_eq!(ask(&layer, &[]).await, pass("stranger"));
    assert_eq!(ask(&layer, &["Basic YTpi"]).await, pass("stranger"));
    assert_eq!(ask(&layer, &[&format!("Bearer {good}")]).await, pass("alice"));
    assert_eq!(ask(&layer, &["Bearer x"]).await, invalid("The token is not a JWT"));
    assert_eq!(ask(&layer, &["Bearer"]).await.0, 400);
    assert_eq!(ask(&layer, &[&format!("DPoP {good}")]).await.0, 401);
    // The caller of an outer layer is removed.
    let caller = validate(&authorities(&signer), &good).await.unwrap();
    let request = Request::builder().extension(caller).body(()).unwrap();
    assert_eq!(send(&layer, request).await.into_body(), "stranger");
}

#[tokio::test]
async fn without_dpop_a_token_with_a_proof_or_bound_to_a_key_is_refused() {
    let signer = Signer::rsa("a");
    let layer = AuthLayer::new(authorities(&signer), POLICY).realm("health");
    let good = signer.sign(&claims(ISSUER));
    let refused = answer(401, "Bearer realm=\"health\"");
    assert_eq!(ask(&layer, &[&format!("DPoP {good}")]).await, refused);
    let bound = signer.sign(&with(claims(ISSUER), "cnf", json!({"jkt": "a"})));
    let refused = invalid("The token is bound to another key");
    assert_eq!(ask(&layer, &[&format!("Bearer {bound}")]).await, refused);
}

/// RFC 8705 §3.
#[tokio::test]
async fn a_token_that_is_bound_to_a_certificate_passes_with_that_certificate() {
    let signer = Signer::rsa("a");
    let layer = AuthLayer::new(authorities(&signer), POLICY);
    let bound = signer.sign(&with(claims(ISSUER), "cnf", json!({"x5t#S256": "thumbprint"})));
    let free = signer.sign(&claims(ISSUER));
    for (token, certificate, status) in [
        (&bound, Some("thumbprint"), 200),
        (&bound, Some("thumbprint"), 200),
        (&bound, Some("other"), 401),
        (&bound, Some(""), 401),
        (&bound, None, 401),
        (&free, None, 200),
        (&free, Some("thumbprint"), 401),
    ] {
        let mut request = Request::builder().header(AUTHORIZATION, format!("Bearer {token}"));
        if let Some(x5t_s256) = certificate {
            request = request.extension(ClientCertificate { x5t_s256: x5t_s256.to_owned() });
        }
        let response = send(&layer, request.body(()).unwrap()).await;
        assert_eq!(response.status().as_u16(), status, "{certificate:?}");
    }
}

/// RFC 6750 §3.1, RFC 9470 §3.
#[tokio::test]
async fn a_challenge_names_what_the_policy_requires() {
    const WRITE: ScopePolicy<'_> = at_compile_time!(ScopePolicy::all_of(&["write:patients"]));
    const OF_SCOPE: AccessTokenPolicy<'_> =
        at_compile_time!(AccessTokenPolicy::general(API).require_scope(WRITE).build());
    const STEP_UP: AccessTokenPolicy<'_> = at_compile_time!(
        AccessTokenPolicy::general(API).require_acr(&["gold"]).max_age(60).build()
    );
    let signer = Signer::rsa("a");
    let authorization = format!("Bearer {}", signer.sign(&claims(ISSUER)));
    let layer = AuthLayer::new(authorities(&signer), OF_SCOPE);
    let refused = answer(
        403,
        "Bearer error=\"insufficient_scope\", \
         error_description=\"The request requires a higher privilege\", scope=\"write:patients\"",
    );
    assert_eq!(ask(&layer, &[&authorization]).await, refused);
    let layer = AuthLayer::new(authorities(&signer), STEP_UP);
    let refused = answer(
        401,
        "Bearer error=\"insufficient_user_authentication\", \
         error_description=\"A stronger or newer authentication is required\", \
         acr_values=\"gold\", max_age=\"60\"",
    );
    assert_eq!(ask(&layer, &[&authorization]).await, refused);
}

/// RFC 9728 §5.1.
#[tokio::test]
async fn m03_challenges_name_the_metadata_of_the_resource() {
    let signer = Signer::rsa("a");
    let layer = AuthLayer::new(authorities(&signer), POLICY);
    let layer = layer.resource(&ResourceMetadata::new(API)).unwrap();
    let url = "https://api.example.com/.well-known/oauth-protected-resource/health";
    let missing = answer(401, &format!("Bearer resource_metadata=\"{url}\""));
    assert_eq!(ask(&layer, &[]).await, missing);
    let (status, challenges, _) = ask(&layer, &["Bearer x"]).await;
    assert_eq!(status, 401);
    assert!(challenges[0].contains(&format!("resource_metadata=\"{url}\"")), "{challenges:?}");
    let error = layer.resource(&ResourceMetadata::new("health")).unwrap_err();
    assert_eq!(error, AuthorityError::Resource);
}

#[tokio::test]
async fn without_keys_a_request_is_to_be_sent_again() {
    let signer = Signer::rsa("a");
    let issuer = TestIssuer::start(Behaviour::Close).await;
    let authorities = Authorities::new([issuer.authority()]).unwrap();
    until(|| authorities.health().authorities[0].fetches > 0).await;
    let layer = AuthLayer::new(authorities, POLICY);
    let token = signer.sign(&claims(&issuer.url));
    let request =
        Request::builder().header(AUTHORIZATION, format!("Bearer {token}")).body(()).unwrap();
    let response = send(&layer, request).await;
    assert_eq!(response.status().as_u16(), 503);
    assert_eq!(response.headers()[RETRY_AFTER], "1");
    assert!(!response.headers().contains_key(WWW_AUTHENTICATE));
}

#[tokio::test]
async fn a_request_waits_for_a_new_key_in_the_service_that_was_ready() {
    let (old, new) = (Signer::rsa("a"), Signer::rsa("b"));
    let issuer = TestIssuer::with_keys(&[&old]).await;
    let clock = TestClock::at(now());
    let authorities =
        Authorities::builder([issuer.authority()]).clock(clock.read()).build().unwrap();
    authorities.ready().await;
    clock.advance(60);
    issuer.set(Behaviour::Slow(jwks(&[&old, &new]), Duration::from_millis(100)));
    // A service that panics if it is called without having been polled.
    let service = tower::limit::ConcurrencyLimit::new(service_fn(greet), 1);
    let mut service = AuthLayer::new(authorities, POLICY).layer(service);
    let token = new.sign(&claims(&issuer.url));
    for _ in 0..2 {
        let request = Request::builder().header(AUTHORIZATION, format!("Bearer {token}"));
        let ready = ServiceExt::<Request<()>>::ready(&mut service).await.unwrap();
        let response = ready.call(request.body(()).unwrap()).await.unwrap();
        assert_eq!(response.into_body(), "alice");
    }
    assert_eq!(issuer.requests(), 2);
}

#[tokio::test]
async fn grpc_requests_get_a_status_of_grpc() {
    let signer = Signer::rsa("a");
    let authorities = authorities(&signer);
    const WRITE: ScopePolicy<'_> = at_compile_time!(ScopePolicy::all_of(&["write:patients"]));
    const OF_SCOPE: AccessTokenPolicy<'_> =
        at_compile_time!(AccessTokenPolicy::general(API).require_scope(WRITE).build());
    let token = format!("Bearer {}", signer.sign(&claims(ISSUER)));
    for (policy, authorization, code, message) in [
        (POLICY, "", "16", "missing_token"),
        (POLICY, "Bearer x", "16", "opaque_token"),
        (OF_SCOPE, token.as_str(), "7", "insufficient_scope"),
    ] {
        let request = Request::builder()
            .header(CONTENT_TYPE, "application/grpc+proto")
            .header(AUTHORIZATION, authorization);
        let layer = AuthLayer::new(authorities.clone(), policy).grpc();
        let response = send(&layer, request.body(()).unwrap()).await;
        assert_eq!(response.status().as_u16(), 200);
        let headers = response.headers();
        assert_eq!(headers["grpc-status"], code);
        assert_eq!(headers["grpc-message"], message);
        assert_eq!(headers[CONTENT_TYPE], "application/grpc");
        assert!(headers.contains_key(WWW_AUTHENTICATE));
    }
    let http = AuthLayer::new(authorities.clone(), POLICY);
    let grpc = http.clone().grpc();
    for (content_type, status) in [
        ("application/grpc", 200),
        ("application/grpc+json", 200),
        ("application/grpc; charset=utf-8", 200),
        ("application/grpc-web", 401),
        ("application/grpc-web+proto", 401),
        ("application/grpc-web-text", 401),
        ("application/grpcfoo", 401),
        ("application/grpc-foo", 401),
        ("application/json", 401),
        ("application/grp", 401),
        ("text/application/grpc", 401),
    ] {
        for (layer, status) in [(&grpc, status), (&http, 401)] {
            let request = Request::builder().header(CONTENT_TYPE, content_type).body(()).unwrap();
            let response = send(layer, request).await;
            assert_eq!(response.status().as_u16(), status, "{content_type}");
            assert_eq!(response.headers().contains_key("grpc-status"), status == 200);
            assert!(response.headers().contains_key(WWW_AUTHENTICATE));
        }
    }
    // Without keys, the client tries again later.
    let authority = Authority::jwks(ISSUER, "http://127.0.0.1:1/").danger_allow_loopback_http();
    let authorities = Authorities::new([authority]).unwrap();
    until(|| authorities.health().authorities[0].fetches > 0).await;
    let request =
        Request::builder().header(CONTENT_TYPE, "application/grpc").header(AUTHORIZATION, token);
    let layer = AuthLayer::new(authorities, POLICY).grpc();
    let response = send(&layer, request.body(()).unwrap()).await;
    assert_eq!(response.status().as_u16(), 200);
    assert_eq!(response.headers()["grpc-status"], "14");
    assert_eq!(response.headers()["grpc-message"], "no_keys");
}

#[tokio::test]
async fn debug_output_has_no_text_of_a_token() {
    let signer = Signer::rsa("a");
    let authorities = authorities(&signer);
    let token = signer.sign(&claims(ISSUER));
    let caller = validate(&authorities, &token).await.unwrap();
    assert_eq!(format!("{caller:?}"), "Authenticated { .. }");
    assert_eq!(format!("{authorities:?}"), "Authorities([\"https://issuer.example\"])");
    let layer = AuthLayer::new(authorities, POLICY);
    let text = format!("{layer:?}");
    let start = "AuthLayer { authorities: Authorities([\"https://issuer.example\"]), policy: ";
    assert!(text.starts_with(start), "{text}");
    let mut service = layer.layer(tower::util::BoxCloneSyncService::new(service_fn(greet)));
    let text = format!("{service:?}");
    assert_eq!(text, "AuthService { inner: BoxCloneSyncService, .. }");
    let request = Request::builder().header(AUTHORIZATION, format!("Bearer {token}"));
    let future = service.call(request.body(()).unwrap());
    assert_eq!(format!("{future:?}"), "ResponseFuture { .. }");
}
