//! An API on axum whose handlers name the scope they need in their signatures:
//! a handler that takes an `Authorized<ReadPatients>` does not run without a
//! valid access token that grants it, and whoever reads it sees so.
//!
//! `cargo run --example axum_api` serves it; the comment at `main` tells how to
//! ask. Refreshing the keys is left to the example `forward_auth`.

#[cfg(test)]
mod demo_issuer;

use std::hash::{BuildHasher, RandomState};
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{FromRequestParts, Path};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use claimgate::error::ConfigError;
use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, Challenge, Error, Issuer, JwkSet, NumericDate,
    OwnedAccessToken, RingKey, ScopePolicy, TokenBuffer, Validated, VerifiedTokenCache,
    at_compile_time,
};

const ISSUER: &str = "https://my-domain.auth0.com/";
const REALM: &str = "health";

/// What the API asks of every token. What a route asks is in its signature.
const POLICY: AccessTokenPolicy<'_> =
    at_compile_time!(AccessTokenPolicy::general("https://example.com/health-api").build());

/// A scope as a type, for signatures.
trait RequiredScope {
    const NEEDED: ScopePolicy<'static>;
}

struct ReadPatients;

impl RequiredScope for ReadPatients {
    const NEEDED: ScopePolicy<'static> = at_compile_time!(ScopePolicy::all_of(&["read:patients"]));
}

struct EditPatients;

impl RequiredScope for EditPatients {
    const NEEDED: ScopePolicy<'static> = at_compile_time!(ScopePolicy::any_of_all_of(&[
        &["read:patients", "write:patients"],
        &["admin"],
    ]));
}

/// A validated token that owns its text, as later layers and handlers find it in
/// the request's extensions: `Extension<Caller>`.
#[derive(Clone)]
struct Caller(Arc<OwnedAccessToken<TOKEN_MAX>>);

/// A caller whose token grants the scope `S`.
struct Authorized<S> {
    caller: Caller,
    scope: PhantomData<S>,
}

impl<S> Authorized<S> {
    fn token(&self) -> Validated<AccessToken<'_>> {
        self.caller.0.token()
    }
}

/// The answer to a request without a sufficient token: status and challenge
/// (RFC 6750 §3).
struct Refused(Challenge<'static>);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status()).unwrap_or(StatusCode::UNAUTHORIZED);
        let mut response = status.into_response();
        // A challenge is visible ASCII.
        if let Ok(challenge) = HeaderValue::try_from(self.0.to_string()) {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// What all workers share: the issuer with its keys, and the tokens that they have verified
/// already, in parts with a lock each.
struct Api {
    issuer: Issuer<RingKey, 8>,
    verified: Box<[Mutex<Verified>]>,
    /// With keys that nobody outside knows: nobody can aim at a part.
    hasher: RandomState,
}

type Verified = VerifiedTokenCache<64, TOKEN_MAX>;

/// Many more locks than workers: a token that is new is verified under its lock.
const SHARDS: usize = 16;
/// The longest token that the API takes, in bytes.
const TOKEN_MAX: usize = 2_048;

impl<S: RequiredScope> FromRequestParts<Arc<Api>> for Authorized<S> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Refused> {
        let caller = api.authenticate(parts).map_err(|error| {
            eprintln!("refused: {}", error.code());
            Refused(POLICY.challenge(error).realm(REALM))
        })?;
        let granted = caller.0.token().authorize(&S::NEEDED);
        granted.map_err(|forbidden| Refused(forbidden.challenge().realm(REALM)))?;
        Ok(Self { caller, scope: PhantomData })
    }
}

impl Api {
    fn new(keys: JwkSet<RingKey, 8>) -> Result<Self, ConfigError> {
        let verified = (0..SHARDS).map(|_| Mutex::default()).collect();
        Ok(Self { issuer: Issuer::new(ISSUER, keys)?, verified, hasher: RandomState::new() })
    }

    /// The request's caller, whom the first extractor that asks puts into the
    /// extensions.
    fn authenticate(&self, parts: &mut Parts) -> Result<Caller, Error> {
        if let Some(caller) = parts.extensions.get::<Caller>() {
            return Ok(caller.clone());
        }
        let values = parts.headers.get_all(AUTHORIZATION).iter();
        // What is not text cannot be a token either.
        let values = values.map(|value| value.to_str().unwrap_or("Bearer \u{fffd}"));
        let token = BearerToken::from_authorization_values(values)?;
        let caller = Caller(Arc::new(self.validate(token)?));
        parts.extensions.insert(caller.clone());
        Ok(caller)
    }

    fn validate(&self, token: BearerToken<'_>) -> Result<OwnedAccessToken<TOKEN_MAX>, Error> {
        let (trust, now) = ((&self.issuer, &POLICY), NumericDate::now());
        let mut buffer = TokenBuffer::<TOKEN_MAX>::new().max_token_len(TOKEN_MAX);
        let shard = self.hasher.hash_one(token.expose()) as usize % SHARDS;
        // An entry is made as a whole: a panic leaves none half-written.
        let mut cache = self.verified[shard].lock().unwrap_or_else(PoisonError::into_inner);
        AccessToken::validate_cached(token, trust, now, &mut buffer, &mut cache)?.to_owned_token()
    }
}

fn app(api: Arc<Api>) -> Router {
    Router::new()
        .route("/", get(|| async { "Anybody may read this.\n" }))
        .route("/patients/{id}", get(show_patient))
        .route("/patients/{id}", put(edit_patient))
        .with_state(api)
}

async fn show_patient(by: Authorized<ReadPatients>, Path(id): Path<u32>) -> String {
    format!("patient {id}, shown to {}\n", by.token().subject())
}

async fn edit_patient(by: Authorized<EditPatients>, Path(id): Path<u32>) -> String {
    let token = by.token();
    let client = token.authorized_party().unwrap_or("an unnamed client");
    format!("patient {id}, edited by {} with {client}\n", token.subject())
}

/// Serves the API with the keys of the demonstration. To ask:
///
/// ```sh
/// token=$(cargo run --example demo_token -- --scope "read:patients")
/// curl -i -H "Authorization: Bearer $token" http://127.0.0.1:9181/patients/17
/// curl -i -H "Authorization: Bearer $token" -X PUT http://127.0.0.1:9181/patients/17
/// curl -i http://127.0.0.1:9181/patients/17
/// ```
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let keys = JwkSet::from_json(include_str!("validate/demo/jwks.json"))?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:9181").await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app(Arc::new(Api::new(keys).unwrap()))).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use serde_json::{Value, json};
    use tower::ServiceExt;

    use super::*;
    use crate::demo_issuer::SigningKey;

    fn claims(scope: &str) -> Value {
        let now = NumericDate::now().as_secs();
        json!({
            "iss": ISSUER, "sub": "auth0|123456", "aud": "https://example.com/health-api",
            "azp": "my_client_id", "iat": now - 10, "exp": now + 3_600, "scope": scope,
        })
    }

    fn token(scope: &str) -> String {
        SigningKey::a().sign(&claims(scope))
    }

    fn api() -> Router {
        let keys = JwkSet::from_json(include_str!("validate/demo/jwks.json")).unwrap();
        app(Arc::new(Api::new(keys).unwrap()))
    }

    /// Status, challenge and body.
    async fn ask(api: &Router, method: &str, path: &str, tokens: &[&str]) -> (u16, String, String) {
        let mut request = Request::builder().method(method).uri(path);
        for token in tokens {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Body::empty()).unwrap();
        let response = api.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let challenge = response.headers().get(WWW_AUTHENTICATE);
        let challenge = challenge.map_or("", |value| value.to_str().unwrap()).to_owned();
        let body = to_bytes(response.into_body(), 1_024).await.unwrap();
        (status, challenge, String::from_utf8(body.to_vec()).unwrap())
    }

    fn answer(status: u16, challenge: &str, body: &str) -> (u16, String, String) {
        (status, challenge.to_owned(), body.to_owned())
    }

    #[tokio::test]
    async fn a_handler_runs_with_its_scope_and_not_without() {
        let api = api();
        let (reader, editor, admin) =
            (token("openid read:patients"), token("read:patients write:patients"), token("admin"));
        let path = "/patients/17";
        let shown = answer(200, "", "patient 17, shown to auth0|123456\n");
        assert_eq!(ask(&api, "GET", path, &[&reader]).await, shown);
        assert_eq!(ask(&api, "GET", path, &[&editor]).await, shown);
        let edited = answer(200, "", "patient 17, edited by auth0|123456 with my_client_id\n");
        assert_eq!(ask(&api, "PUT", path, &[&editor]).await, edited);
        assert_eq!(ask(&api, "PUT", path, &[&admin]).await, edited);

        let lacking = |scope| {
            format!(
                "Bearer realm=\"health\", error=\"insufficient_scope\", \
                 error_description=\"The request requires a higher privilege\", scope=\"{scope}\""
            )
        };
        let refused = answer(403, &lacking("read:patients write:patients"), "");
        assert_eq!(ask(&api, "PUT", path, &[&reader]).await, refused);
        let refused = answer(403, &lacking("read:patients"), "");
        assert_eq!(ask(&api, "GET", path, &[&admin]).await, refused);
    }

    #[tokio::test]
    async fn a_request_without_a_token_gets_a_bare_challenge() {
        let api = api();
        let refused = answer(401, "Bearer realm=\"health\"", "");
        assert_eq!(ask(&api, "GET", "/patients/17", &[]).await, refused);
        assert_eq!(ask(&api, "GET", "/", &[]).await.0, 200);
    }

    #[tokio::test]
    async fn a_wrong_token_is_told_why() {
        let api = api();
        let mut expired = claims("read:patients");
        expired["exp"] = (NumericDate::now().as_secs() - 60).into();
        let mut id_token = claims("read:patients");
        id_token["nonce"] = "n-0S6_WzA2Mj".into();
        let good = token("read:patients");
        let tampered = format!("{}AAAAAA", &good[..good.len() - 6]);
        for (token, why) in [
            (SigningKey::a().sign(&expired), "The token has expired"),
            (SigningKey::a().sign(&id_token), "The token is not an access token"),
            (SigningKey::b().sign(&claims("read:patients")), "No usable key matches the token"),
            (tampered, "The signature is invalid"),
        ] {
            let challenge = format!(
                "Bearer realm=\"health\", error=\"invalid_token\", error_description=\"{why}\""
            );
            let refused = answer(401, &challenge, "");
            assert_eq!(ask(&api, "GET", "/patients/17", &[&token]).await, refused);
        }
        assert_eq!(ask(&api, "GET", "/patients/17", &[&good, &good]).await.0, 400);
    }

    /// Hits and misses of all parts of the cache.
    fn counted(api: &Api) -> (u64, u64) {
        let shards = api.verified.iter().map(|shard| shard.lock().unwrap());
        shards.fold((0, 0), |(hits, misses), shard| (hits + shard.hits(), misses + shard.misses()))
    }

    #[tokio::test]
    async fn the_caller_is_in_the_extensions_and_validated_once() {
        let keys = JwkSet::from_json(include_str!("validate/demo/jwks.json")).unwrap();
        let api = Arc::new(Api::new(keys).unwrap());
        let authorization = format!("Bearer {}", token("read:patients"));
        let request = Request::get("/").header(AUTHORIZATION, authorization);
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        assert!(Authorized::<ReadPatients>::from_request_parts(&mut parts, &api).await.is_ok());
        let caller = parts.extensions.get::<Caller>().unwrap().clone();
        assert_eq!(caller.0.token().subject(), "auth0|123456");
        // A second extractor takes the caller from there, and asks for its own scope.
        let second = Authorized::<EditPatients>::from_request_parts(&mut parts, &api).await;
        assert!(second.is_err_and(|refused| refused.0.status() == 403));
        assert_eq!(counted(&api), (0, 1));
    }

    #[tokio::test]
    async fn workers_share_the_cache() {
        let keys = JwkSet::from_json(include_str!("validate/demo/jwks.json")).unwrap();
        let api = Arc::new(Api::new(keys).unwrap());
        let (service, token) = (app(Arc::clone(&api)), token("read:patients"));
        for _ in 0..10 {
            let (service, token) = (service.clone(), token.clone());
            let worker =
                tokio::spawn(
                    async move { ask(&service, "GET", "/patients/17", &[&token]).await.0 },
                );
            assert_eq!(worker.await.unwrap(), 200);
        }
        assert_eq!(counted(&api), (9, 1));
    }
}
