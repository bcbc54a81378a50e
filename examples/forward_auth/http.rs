//! The decision over HTTP, in the form of each gateway.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use claimgate::Challenge;

use crate::config::Gateway;
use crate::decide::{Admission, Gate, Refusal, Request};

const SUBJECT: HeaderName = HeaderName::from_static("x-auth-subject");
const SCOPE: HeaderName = HeaderName::from_static("x-auth-scope");
const ISSUER: HeaderName = HeaderName::from_static("x-auth-issuer");
const CLIENT: HeaderName = HeaderName::from_static("x-auth-client");

pub fn router(gate: Arc<Gate>) -> Router {
    Router::new()
        .route("/check", any(check))
        .route("/check/", any(check))
        .route("/check/{*path}", any(check))
        .route("/healthz", get(health))
        .route("/metrics", get(metrics))
        .with_state(gate)
}

async fn check(State(gate): State<Arc<Gate>>, parts: Parts) -> Response {
    let started = Instant::now();
    let gateway = gate.settings.gateway;
    let verdict = match original(gateway, &parts) {
        Some(request) => gate.decide(&request).await,
        None => {
            tracing::error!(?gateway, "the gateway does not tell the original request");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let (code, response) = match verdict {
        Ok(admission) => ("valid", admitted(&admission)),
        Err(refusal) => (refusal.code(), refused(&refusal, &gate)),
    };
    let elapsed = started.elapsed();
    gate.metrics.verdict(code, elapsed);
    tracing::debug!(code, status = response.status().as_u16(), ?elapsed, "decided");
    response
}

/// The original request. `None` if it is not told, or told twice: then the
/// gateway is not configured as it has to be. What is not ASCII has been told, and
/// is refused as no path.
fn original(gateway: Gateway, parts: &Parts) -> Option<Request<'_>> {
    let (method, target) = match gateway {
        Gateway::Nginx => {
            (only(&parts.headers, "x-original-method")?, only(&parts.headers, "x-original-uri")?)
        }
        Gateway::Traefik => {
            (only(&parts.headers, "x-forwarded-method")?, only(&parts.headers, "x-forwarded-uri")?)
        }
        Gateway::Envoy => {
            let target = parts.uri.path_and_query()?.as_str();
            (parts.method.as_str(), target.strip_prefix("/check")?)
        }
    };
    // What is not text cannot be a token either; as a value, it is malformed.
    let authorization = parts.headers.get_all(AUTHORIZATION).iter();
    let authorization =
        authorization.map(|value| value.to_str().unwrap_or("Bearer \u{fffd}")).collect();
    Some(Request { method, target, authorization })
}

fn only<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().unwrap_or("\u{fffd}");
    values.next().is_none().then_some(value)
}

fn admitted(admission: &Admission) -> Response {
    let mut response = StatusCode::OK.into_response();
    let headers = response.headers_mut();
    headers.insert(SUBJECT, header_value(&admission.subject));
    headers.insert(SCOPE, header_value(&admission.scope));
    headers.insert(ISSUER, header_value(&admission.issuer));
    // Empty if there is none: a header that is not set here could be the client's own.
    headers.insert(CLIENT, header_value(admission.client.as_deref().unwrap_or_default()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn refused(refusal: &Refusal, gate: &Gate) -> Response {
    let mut status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::FORBIDDEN);
    if gate.settings.gateway == Gateway::Nginx && status == StatusCode::BAD_REQUEST {
        // All but 401 and 403 is the service's own failure to `auth_request`.
        status = StatusCode::UNAUTHORIZED;
    }
    let mut response = status.into_response();
    let headers = response.headers_mut();
    let challenge = match refusal {
        Refusal::Token(error) => Some(Challenge::new(*error)),
        Refusal::Forbidden(forbidden) => Some(forbidden.challenge()),
        Refusal::NoRoute | Refusal::Target(_) | Refusal::NoKeys => None,
    };
    if let Some(challenge) = challenge {
        let challenge = challenge.realm(gate.settings.realm);
        headers.insert(WWW_AUTHENTICATE, header_value(&challenge.to_string()));
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The text as a header's value: what is neither visible ASCII nor a space
/// within, and `%`, is percent-encoded. So no two texts look alike.
pub fn header_value(text: &str) -> HeaderValue {
    let mut value = String::with_capacity(text.len());
    let last = text.len().saturating_sub(1);
    for (index, byte) in text.bytes().enumerate() {
        // Recipients drop the spaces around a value.
        let is_within = index != 0 && index != last;
        match byte {
            b' ' if is_within => value.push(' '),
            b'!'..=b'~' if byte != b'%' => value.push(char::from(byte)),
            byte => value.push_str(&format!("%{byte:02X}")),
        }
    }
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static(""))
}

/// Whether every issuer has keys.
async fn health(State(gate): State<Arc<Gate>>) -> (StatusCode, String) {
    let without: Vec<&str> = gate
        .issuers
        .iter()
        .filter(|issuer| !issuer.has_keys())
        .map(|issuer| issuer.settings.url)
        .collect();
    if without.is_empty() {
        (StatusCode::OK, "ok\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, format!("no keys yet: {}\n", without.join(", ")))
    }
}

async fn metrics(State(gate): State<Arc<Gate>>) -> Result<String, StatusCode> {
    gate.metrics.text().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}
