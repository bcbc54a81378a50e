//! Extractors for axum: the signature of a handler contains its requirements.

use std::fmt;
use std::marker::PhantomData;

use ::axum::Router;
use ::axum::body::Body;
use ::axum::extract::{FromRequestParts, OptionalFromRequestParts};
use ::axum::response::Response;
use ::axum::routing::get;
use claimgate::policy::ClaimRule;
use claimgate::{AccessToken, ScopePolicy, Validated};
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, StatusCode};

use crate::layer::{AuthLayer, Passed};
use crate::refusal::{MISSING, Refusal};
use crate::token::Authenticated;

/// The requirements of a handler for an access token, in addition to the policy, as a type.
///
/// ```
/// use claimgate::policy::ClaimRule;
/// use claimgate::{ScopePolicy, at_compile_time};
/// use claimgate_tower::{Require, Requirement};
///
/// struct ReadPatients;
///
/// impl Requirement for ReadPatients {
///     const SCOPE: Option<ScopePolicy<'static>> =
///         Some(at_compile_time!(ScopePolicy::all_of(&["read:patients"])));
/// }
///
/// struct Admin;
///
/// impl Requirement for Admin {
///     const CLAIMS: &'static [ClaimRule<'static>] =
///         &[at_compile_time!(ClaimRule::contains(&["realm_access", "roles"], "admin"))];
/// }
///
/// async fn show(by: Require<ReadPatients>) -> String {
///     format!("shown to {}", by.token().subject())
/// }
///
/// async fn delete(_: Require<Admin>, by: Require<ReadPatients>) -> String {
///     format!("deleted by {}", by.token().subject())
/// }
/// ```
///
/// A type without requirements does not compile as `Require<R>`: use `Authenticated`.
pub trait Requirement {
    /// The required scope.
    const SCOPE: Option<ScopePolicy<'static>> = None;

    /// The required permissions of Auth0's role-based access control.
    const PERMISSIONS: Option<ScopePolicy<'static>> = None;

    /// The required claims: all of the rules must be met.
    const CLAIMS: &'static [ClaimRule<'static>] = &[];
}

/// An extractor that accepts requests with an access token that meets `R`.
///
/// Other requests are answered with a challenge and status 403, or 401 without a token. If the
/// route is not inside an [`AuthLayer`](crate::AuthLayer), the status is 500.
pub struct Require<R> {
    caller: Authenticated,
    requirement: PhantomData<fn() -> R>,
}

impl<R> Require<R> {
    /// Returns the token, with its claims.
    #[must_use]
    pub fn token(&self) -> Validated<AccessToken<'_>> {
        self.caller.token()
    }

    /// Returns the caller without the requirement.
    #[must_use]
    pub fn into_caller(self) -> Authenticated {
        self.caller
    }
}

impl<R> Clone for Require<R> {
    fn clone(&self) -> Self {
        Self { caller: self.caller.clone(), requirement: PhantomData }
    }
}

impl<R> fmt::Debug for Require<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Require").finish_non_exhaustive()
    }
}

impl<R: Requirement, S: Sync> FromRequestParts<S> for Require<R> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        const {
            assert!(
                R::SCOPE.is_some() || R::PERMISSIONS.is_some() || !R::CLAIMS.is_empty(),
                "a requirement has to require something"
            );
        }
        let caller = caller(parts).ok_or_else(|| refuse(parts, &MISSING))?;
        let token = caller.token();
        let scope = R::SCOPE.map_or(Ok(()), |needed| token.authorize(&needed));
        scope
            .and_then(|()| {
                R::PERMISSIONS.map_or(Ok(()), |needed| token.authorize_permissions(&needed))
            })
            .and_then(|()| token.authorize_claims(R::CLAIMS))
            .map_err(|forbidden| refuse(parts, &Refusal::Forbidden(forbidden)))?;
        Ok(Self { caller, requirement: PhantomData })
    }
}

/// Accepts requests with a valid access token.
impl<S: Sync> FromRequestParts<S> for Authenticated {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        caller(parts).ok_or_else(|| refuse(parts, &MISSING))
    }
}

/// Returns `None` for a request without an access token, which an
/// [optional](crate::AuthLayer::optional) layer accepts.
impl<S: Sync> OptionalFromRequestParts<S> for Authenticated {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Response> {
        match parts.extensions.get::<Passed>() {
            Some(_) => Ok(caller(parts)),
            None => Err(misconfigured()),
        }
    }
}

impl AuthLayer {
    /// Returns a router with the document of [`resource`](Self::resource) at its well-known
    /// path, without authentication
    /// ([RFC 9728 §3](https://www.rfc-editor.org/rfc/rfc9728#section-3)).
    /// It is empty without a resource.
    /// Merge it outside of the layer.
    pub fn metadata_route<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let router = Router::new();
        let Some(resource) = self.resource_document() else { return router };
        let path = resource.url.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
        let path = path.map_or("", |(_, path)| path);
        // Routes do not contain queries.
        let path = path.split('?').next().unwrap_or_default();
        let document = resource.document.clone();
        let answer = move || {
            let mut response = Response::new(Body::from(document.clone()));
            let headers = response.headers_mut();
            for (name, value) in [
                (CONTENT_TYPE, "application/json"),
                (CACHE_CONTROL, "public, max-age=3600"),
                // Clients in browsers read it as well.
                (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
            ] {
                headers.insert(name, HeaderValue::from_static(value));
            }
            std::future::ready(response)
        };
        router.route(&format!("/{path}"), get(answer))
    }
}

fn caller(parts: &Parts) -> Option<Authenticated> {
    parts.extensions.get::<Authenticated>().cloned()
}

/// Returns the response of the layer that the request has passed through.
fn refuse(parts: &Parts, refusal: &Refusal) -> Response {
    match parts.extensions.get::<Passed>() {
        Some(Passed(settings)) => {
            tracing::debug!(code = refusal.code(), "access token does not suffice");
            metrics::counter!("claimgate_refused_by_route_total", "code" => refusal.code())
                .increment(1);
            settings.response(refusal, settings.protocol(&parts.headers))
        }
        None => misconfigured(),
    }
}

fn misconfigured() -> Response {
    tracing::error!("a handler requires an access token outside of an `AuthLayer`");
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
