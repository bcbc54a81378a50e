//! An API with axum whose handlers state their requirements for an access token in their
//! signatures.
//!
//! ```sh
//! cargo run -p claimgate-tower --features axum --example api -- \
//!     https://my-domain.auth0.com/ https://example.com/health-api
//! curl -i -H "Authorization: Bearer $token" http://127.0.0.1:9181/patients/17
//! ```
//!
//! An issuer on the loopback interface may use plain HTTP.

use std::env;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use claimgate::{AccessTokenPolicy, ScopePolicy, at_compile_time};
use claimgate_tower::{AuthLayer, Authorities, Authority, Require, Requirement};

struct ReadPatients;

impl Requirement for ReadPatients {
    const SCOPE: Option<ScopePolicy<'static>> =
        Some(at_compile_time!(ScopePolicy::all_of(&["read:patients"])));
}

struct EditPatients;

impl Requirement for EditPatients {
    const SCOPE: Option<ScopePolicy<'static>> =
        Some(at_compile_time!(ScopePolicy::any_of_all_of(&[
            &["read:patients", "write:patients"],
            &["admin"]
        ])));
}

async fn show(by: Require<ReadPatients>, Path(id): Path<u32>) -> String {
    format!("patient {id}, shown to {}\n", by.token().subject())
}

async fn edit(by: Require<EditPatients>, Path(id): Path<u32>) -> String {
    format!("patient {id}, edited by {}\n", by.token().subject())
}

/// Responds with 200 if any authority has keys, and with the state of each as text.
async fn health(State(authorities): State<Authorities>) -> (StatusCode, String) {
    let health = authorities.health();
    let status = match health.is_ready() {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, health.to_string())
}

/// Responds with the counters of the cache.
async fn cache(State(authorities): State<Authorities>) -> String {
    format!("{:?}\n", authorities.cache_statistics())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(issuer), Some(audience)) = (arguments.next(), arguments.next()) else {
        return Err("usage: api ISSUER AUDIENCE [ADDRESS]".into());
    };
    let address: SocketAddr = arguments.next().as_deref().unwrap_or("127.0.0.1:9181").parse()?;
    // A policy lives as long as the program.
    let policy = AccessTokenPolicy::general(Box::leak(audience.into_boxed_str())).build()?;
    let authority = Authority::discover(issuer).danger_allow_loopback_http();
    let authorities = Authorities::new([authority])?;
    let app = Router::new()
        .route("/patients/{id}", get(show).put(edit))
        .layer(AuthLayer::new(authorities.clone(), policy).realm("health"))
        .route("/healthz", get(health))
        .route("/cache", get(cache))
        .with_state(authorities);
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
