//! Extractors: the signature of a handler contains its requirements.

mod support;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Path;
use axum::routing::{get, put};
use claimgate::policy::ClaimRule;
use claimgate::resource_metadata::ResourceMetadata;
use claimgate::{ScopePolicy, at_compile_time};
use claimgate_tower::replay::MemoryReplayStore;
use claimgate_tower::{
    AuthLayer, Authenticated, Authorities, Authority, Dpop, Require, Requirement,
};
use http::Request;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use support::*;
use tower::ServiceExt;

const ISSUER: &str = "https://issuer.example";

struct Read;

impl Requirement for Read {
    const SCOPE: Option<ScopePolicy<'static>> =
        Some(at_compile_time!(ScopePolicy::all_of(&["read:patients"])));
}

struct Delete;

impl Requirement for Delete {
    const PERMISSIONS: Option<ScopePolicy<'static>> =
        Some(at_compile_time!(ScopePolicy::all_of(&["patients:delete"])));
    const CLAIMS: &'static [ClaimRule<'static>] =
        &[at_compile_time!(ClaimRule::contains(&["realm_access", "roles"], "admin"))];
}

async fn show(by: Require<Read>, Path(id): Path<u32>) -> String {
    assert_eq!(format!("{by:?}"), "Require { .. }");
    format!("{id} for {}", by.token().subject())
}

async fn delete(by: Require<Read>, _: Require<Delete>) -> String {
    format!("deleted by {}", by.into_caller().token().subject())
}

async fn name(caller: Authenticated) -> String {
    caller.token().subject().to_owned()
}

async fn maybe(caller: Option<Authenticated>) -> String {
    caller.map_or_else(|| "stranger".to_owned(), |one| one.token().subject().to_owned())
}

fn routes() -> Router {
    Router::new()
        .route("/patients/{id}", get(show).delete(delete))
        .route("/name", get(name))
        .route("/maybe", put(maybe))
}

fn layer(signer: &Signer) -> AuthLayer {
    let authorities = Authorities::new([Authority::fixed(ISSUER, jwks(&[signer]))]).unwrap();
    AuthLayer::new(authorities, POLICY).realm("health")
}

/// Status, challenge and body.
async fn ask(api: &Router, method: &str, path: &str, token: &str) -> (u16, String, String) {
    let mut request = Request::builder().method(method).uri(path);
    if !token.is_empty() {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let response = api.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let challenge = response.headers().get(WWW_AUTHENTICATE);
    let challenge = challenge.map_or("", |value| value.to_str().unwrap()).to_owned();
    let body = to_bytes(response.into_body(), 4_096).await.unwrap();
    (status, challenge, String::from_utf8(body.to_vec()).unwrap())
}

fn answer(status: u16, challenge: &str, body: &str) -> (u16, String, String) {
    (status, challenge.to_owned(), body.to_owned())
}

fn lacking(rest: &str) -> String {
    format!("Bearer realm=\"health\", error=\"insufficient_scope\", error_description=\"{rest}")
}

#[tokio::test]
async fn a_handler_runs_with_what_it_requires_and_not_without() {
    let signer = Signer::rsa("a");
    let api = routes().layer(layer(&signer));
    let token = |claims: &Value| signer.sign(claims);
    let reader = token(&claims(ISSUER));
    let other = token(&with(claims(ISSUER), "scope", "read:patients-only"));
    let path = "/patients/17";
    assert_eq!(ask(&api, "GET", path, &reader).await, answer(200, "", "17 for alice"));
    let missing = answer(401, "Bearer realm=\"health\"", "");
    assert_eq!(ask(&api, "GET", path, "").await, missing);
    let scope = lacking("The request requires a higher privilege\", scope=\"read:patients\"");
    assert_eq!(ask(&api, "GET", path, &other).await, answer(403, &scope, ""));
    assert_eq!(ask(&api, "GET", "/name", &other).await, answer(200, "", "alice"));

    let permissions =
        lacking("The request requires a higher privilege\", scope=\"patients:delete\"");
    assert_eq!(ask(&api, "DELETE", path, &reader).await, answer(403, &permissions, ""));
    let permitted = with(claims(ISSUER), "permissions", json!(["patients:delete"]));
    let role = lacking("The claims do not meet the requirements\"");
    assert_eq!(ask(&api, "DELETE", path, &token(&permitted)).await, answer(403, &role, ""));
    let admin = with(permitted, "realm_access", json!({"roles": ["admin"]}));
    let deleted = answer(200, "", "deleted by alice");
    assert_eq!(ask(&api, "DELETE", path, &token(&admin)).await, deleted);
    let nobody = with(admin, "scope", "");
    assert_eq!(ask(&api, "DELETE", path, &token(&nobody)).await.0, 403);
}

#[tokio::test]
async fn a_caller_is_optional_where_layer_and_handler_say_so() {
    let signer = Signer::rsa("a");
    let api = routes().layer(layer(&signer).optional());
    let reader = signer.sign(&claims(ISSUER));
    assert_eq!(ask(&api, "PUT", "/maybe", "").await, answer(200, "", "stranger"));
    assert_eq!(ask(&api, "PUT", "/maybe", &reader).await, answer(200, "", "alice"));
    assert_eq!(ask(&api, "PUT", "/maybe", "x").await.0, 401);
    let missing = answer(401, "Bearer realm=\"health\"", "");
    assert_eq!(ask(&api, "GET", "/name", "").await, missing);
    assert_eq!(ask(&api, "GET", "/patients/17", "").await, missing);
    let api = routes().layer(layer(&signer));
    assert_eq!(ask(&api, "PUT", "/maybe", "").await, missing);
}

#[tokio::test]
async fn a_handler_outside_of_a_layer_lets_no_one_in() {
    let token = Signer::rsa("a").sign(&claims(ISSUER));
    for (method, path) in [("GET", "/patients/17"), ("GET", "/name"), ("PUT", "/maybe")] {
        for token in ["", &token] {
            assert_eq!(ask(&routes(), method, path, token).await, answer(500, "", ""));
        }
    }
}

/// RFC 9728 §3.
#[tokio::test]
async fn m02_the_metadata_are_served_at_their_well_known_path_for_everyone() {
    let signer = Signer::rsa("a");
    for (resource, path) in [
        ("https://api.example.com", "/.well-known/oauth-protected-resource"),
        ("https://api.example.com/", "/.well-known/oauth-protected-resource"),
        ("https://api.example.com/health", "/.well-known/oauth-protected-resource/health"),
    ] {
        let metadata = ResourceMetadata::new(resource).authorization_servers(&[ISSUER]);
        let layer = layer(&signer).resource(&metadata).unwrap();
        let api = routes().layer(layer.clone()).merge(layer.metadata_route());
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = api.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        let body = to_bytes(response.into_body(), 4_096).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body, json!({"resource": resource, "authorization_servers": [ISSUER]}));
        // Extractors send the URL of the document as the layer does.
        let token = signer.sign(&with(claims(ISSUER), "scope", "x"));
        let (status, challenge, _) = ask(&api, "GET", "/patients/17", &token).await;
        assert_eq!(status, 403);
        let url = format!("resource_metadata=\"https://api.example.com{path}\"");
        assert!(challenge.contains(&url), "{challenge}");
    }
    // Without a resource, the route does not exist.
    let layer = layer(&signer);
    let api: Router = layer.metadata_route();
    assert_eq!(ask(&api, "GET", "/.well-known/oauth-protected-resource", "").await.0, 404);
}

/// A proof is for the path that the client sent, not for that of a nested router.
#[tokio::test]
async fn p06_a_proof_is_for_the_whole_path_of_a_nested_router() {
    let (signer, client) = (Signer::rsa("a"), Signer::ec("client"));
    let layer =
        layer(&signer).dpop(Dpop::new("https://api.example.com/", MemoryReplayStore::new()));
    let api = Router::new().nest("/v1", routes().layer(layer));
    let sha256 = |text: &str| encode(digest(&SHA256, text.as_bytes()).as_ref());
    let jwk = client.bare_jwk();
    let jkt = sha256(&format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, jwk["x"], jwk["y"]));
    let token = signer.sign(&with(claims(ISSUER), "cnf", json!({"jkt": jkt})));
    for (jti, path, status) in [("1", "/v1/name", 200), ("2", "/name", 401)] {
        let proof = client.sign_with(
            &json!({"alg": "ES256", "typ": "dpop+jwt", "jwk": jwk}),
            &json!({
                "htm": "GET", "htu": format!("https://api.example.com{path}"), "iat": now(),
                "jti": jti, "ath": sha256(&token),
            }),
        );
        let request = Request::get("/v1/name")
            .header(AUTHORIZATION, format!("DPoP {token}"))
            .header("DPoP", proof);
        let response = api.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{path}");
    }
}
