//! The tower layer that authenticates requests.

use std::fmt;
use std::future::Future;
use std::mem::replace;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use claimgate::bearer::Credentials;
use claimgate::resource_metadata::ResourceMetadata;
use claimgate::{AccessTokenPolicy, Error, RequestKey};
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::authorities::{Authorities, FirstVerdict, Pending};
use crate::dpop::{Dpop, ProvenRequest};
use crate::error::AuthorityError;
use crate::refusal::{MISSING, Refusal};
use crate::token::Authenticated;

/// The treatment of a request without an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Required,
    Optional,
}

/// The protocol of responses to refused gRPC requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GrpcRequests {
    Http,
    Grpc,
}

/// The settings of a layer, which are also used by the extractors.
#[derive(Clone)]
pub(crate) struct Settings {
    authorities: Authorities,
    pub(crate) policy: AccessTokenPolicy<'static>,
    presence: Presence,
    pub(crate) realm: Option<Arc<str>>,
    pub(crate) resource: Option<Arc<Resource>>,
    pub(crate) dpop: Option<Dpop>,
    pub(crate) grpc: GrpcRequests,
}

/// The settings of the layer that a request has passed through, in its extensions.
#[derive(Clone)]
pub(crate) struct Passed(
    #[cfg_attr(not(feature = "axum"), expect(dead_code, reason = "read by extractors"))]
    pub(crate) Arc<Settings>,
);

/// The thumbprint of the client certificate of the TLS connection.
///
/// The code that accepts the connection inserts it into the extensions of the request. An
/// access token that is bound to a certificate
/// ([RFC 8705 §3](https://www.rfc-editor.org/rfc/rfc8705#section-3))
/// is accepted only on a connection
/// with this certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// SHA-256 of the DER form, base64url without padding.
    pub x5t_s256: String,
}

/// A layer that accepts requests with a valid access token.
///
/// The token is inserted as an [`Authenticated`] into the extensions of the request. A request
/// without a valid token is answered with a challenge
/// ([RFC 6750 §3](https://www.rfc-editor.org/rfc/rfc6750#section-3)),
/// or with a [gRPC status](Self::grpc). Further requirements of a route are checked after the
/// layer, with [`authorize`](claimgate::Validated::authorize) or an extractor.
///
/// ```
/// use claimgate::{AccessTokenPolicy, at_compile_time};
/// use claimgate_tower::{AuthLayer, Authorities};
///
/// const POLICY: AccessTokenPolicy<'_> =
///     at_compile_time!(AccessTokenPolicy::general("https://api.example.com").build());
///
/// fn layer(authorities: Authorities) -> AuthLayer {
///     AuthLayer::new(authorities, POLICY).realm("health")
/// }
/// ```
///
/// CORS preflight requests have no token: put the layer that answers them outside of this one.
#[derive(Clone)]
pub struct AuthLayer(Arc<Settings>);

impl AuthLayer {
    /// Constructs a layer that requires an access token accepted by this policy.
    #[must_use]
    pub fn new(authorities: Authorities, policy: AccessTokenPolicy<'static>) -> Self {
        Self(Arc::new(Settings {
            authorities,
            policy,
            presence: Presence::Required,
            realm: None,
            resource: None,
            dpop: None,
            grpc: GrpcRequests::Http,
        }))
    }

    #[cfg(feature = "axum")]
    pub(crate) fn resource_document(&self) -> Option<&Resource> {
        self.0.resource.as_deref()
    }

    fn set(mut self, set: impl FnOnce(&mut Settings)) -> Self {
        set(Arc::make_mut(&mut self.0));
        self
    }

    /// Accepts requests without an access token. A request with an invalid one is still
    /// rejected.
    #[must_use]
    pub fn optional(self) -> Self {
        self.set(|settings| settings.presence = Presence::Optional)
    }

    /// Sets the realm of challenges.
    #[must_use]
    pub fn realm(self, realm: impl Into<String>) -> Self {
        self.set(|settings| settings.realm = Some(realm.into().into()))
    }

    /// Sets the metadata of the resource. Challenges then contain its URL, so that clients
    /// find the authorization servers ([RFC 9728](https://www.rfc-editor.org/rfc/rfc9728)).
    ///
    /// The document must be served at its URL, without authentication; with axum, use
    /// [`metadata_route`](Self::metadata_route).
    ///
    /// # Errors
    ///
    /// [`AuthorityError::Resource`] if the identifier of the resource is not a URL.
    pub fn resource(self, metadata: &ResourceMetadata<'_>) -> Result<Self, AuthorityError> {
        let resource = Arc::new(Resource::new(metadata)?);
        Ok(self.set(|settings| settings.resource = Some(resource)))
    }

    /// Accepts access tokens with DPoP proofs, in addition to bearer tokens. Without this, a
    /// token that is bound to a DPoP key is rejected.
    #[must_use]
    pub fn dpop(self, dpop: Dpop) -> Self {
        self.set(|settings| settings.dpop = Some(dpop))
    }

    /// Answers a refused gRPC request with a `grpc-status`, for gRPC services. The `Content-Type`
    /// of such a request is `application/grpc`, optionally with a suffix such as `+proto`; gRPC-Web
    /// requires its own layer outside of this one, such as that of tonic-web.
    ///
    /// The HTTP status of such a response is 200. A service must not use this if anything
    /// depends on the HTTP status, such as a proxy that asks it about requests.
    #[must_use]
    pub fn grpc(self) -> Self {
        self.set(|settings| settings.grpc = GrpcRequests::Grpc)
    }
}

/// The metadata of the resource, and its path.
pub(crate) struct Resource {
    pub(crate) url: String,
    #[cfg_attr(not(feature = "axum"), expect(dead_code, reason = "served by axum"))]
    pub(crate) document: String,
}

impl Resource {
    fn new(metadata: &ResourceMetadata<'_>) -> Result<Self, AuthorityError> {
        match metadata.url() {
            Some(url) => Ok(Self { url: url.to_string(), document: metadata.to_string() }),
            None => Err(AuthorityError::Resource),
        }
    }
}

impl fmt::Debug for AuthLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthLayer")
            .field("authorities", &self.0.authorities)
            .field("policy", &self.0.policy)
            .field("presence", &self.0.presence)
            .finish_non_exhaustive()
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = AuthService<S>;

    fn layer(&self, inner: S) -> AuthService<S> {
        AuthService { inner, settings: Arc::clone(&self.0) }
    }
}

/// The service of an [`AuthLayer`].
#[derive(Clone)]
pub struct AuthService<S> {
    inner: S,
    settings: Arc<Settings>,
}

impl<S: fmt::Debug> fmt::Debug for AuthService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthService").field("inner", &self.inner).finish_non_exhaustive()
    }
}

/// The result for a request.
type Verdict = Result<Option<Authenticated>, Refusal>;

/// The result for a request without waiting.
enum First {
    Final(Verdict),
    /// Keys are being fetched, or a proof must be looked up in a store.
    Later(Option<Pending>),
}

impl Settings {
    /// Reads the access token of a request, and the key of its certificate if it has one.
    fn credentials<'r>(&self, parts: &'r Parts) -> Result<Credentials<'r>, Error> {
        let values = parts.headers.get_all(AUTHORIZATION).iter();
        // A value that is not text cannot be a token.
        let values = values.map(|value| value.to_str().unwrap_or("Bearer \u{fffd}"));
        let credentials = Credentials::from_authorization_values(values)?;
        let certificate = parts.extensions.get::<ClientCertificate>();
        match (credentials, certificate) {
            (Credentials::Dpop(_), _) if self.dpop.is_none() => Err(Error::MissingToken),
            (Credentials::Bearer(token), Some(ClientCertificate { x5t_s256 })) => {
                let key = RequestKey::certificate(x5t_s256);
                let key = key.map_err(|_| Error::ConfirmationMismatch)?;
                Ok(Credentials::Bearer(token.with_key(key)))
            }
            (credentials, _) => Ok(credentials),
        }
    }

    fn first(&self, parts: &Parts) -> First {
        let token = match self.credentials(parts) {
            Ok(Credentials::Bearer(token)) => token,
            Ok(Credentials::Dpop(_)) => return First::Later(None),
            Err(Error::MissingToken) if self.may_pass(parts) => return First::Final(Ok(None)),
            Err(error) => return First::Final(Err(Refusal::Token(error))),
        };
        match self.authorities.validate_now(token, &self.policy) {
            FirstVerdict::Final(verdict) => First::Final(verdict.map(Some)),
            FirstVerdict::Wait(pending) => First::Later(Some(pending)),
        }
    }

    /// Returns whether a request without an access token is accepted. A token with an
    /// unsupported scheme counts as a token.
    fn may_pass(&self, parts: &Parts) -> bool {
        let is_dpop = |value: &HeaderValue| {
            let scheme = value.as_bytes().split(|byte| *byte == b' ').next();
            scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"DPoP"))
        };
        self.presence == Presence::Optional
            && !parts.headers.get_all(AUTHORIZATION).iter().any(is_dpop)
    }

    async fn later(&self, pending: Option<Pending>, parts: &Parts) -> Verdict {
        let credentials = self.credentials(parts).map_err(Refusal::Token)?;
        let caller = match (credentials, pending, &self.dpop) {
            (Credentials::Bearer(token), Some(pending), _) => {
                self.authorities.validate_after(pending, token, &self.policy).await?
            }
            (Credentials::Bearer(token), None, _) => {
                self.authorities.validate(token, &self.policy).await?
            }
            (Credentials::Dpop(token), _, Some(dpop)) => {
                let request = ProvenRequest {
                    method: parts.method.as_str(),
                    path: original_path(parts),
                    headers: &parts.headers,
                };
                dpop.validate(&self.authorities, &self.policy, request, token).await?
            }
            (Credentials::Dpop(_), _, None) => return Err(MISSING),
        };
        Ok(Some(caller))
    }

    /// Counts the result, and prepares an accepted request.
    fn finish<B>(
        self: &Arc<Self>,
        verdict: Verdict,
        mut parts: Parts,
        body: B,
    ) -> Result<Request<B>, Refusal> {
        let code = match &verdict {
            Ok(Some(_)) => "valid",
            Ok(None) => "no_token",
            Err(refusal) => refusal.code(),
        };
        metrics::counter!("claimgate_requests_total", "code" => code).increment(1);
        tracing::debug!(code, "access token judged");
        // Removes the result of an outer layer with another policy.
        parts.extensions.remove::<Authenticated>();
        if let Some(caller) = verdict? {
            parts.extensions.insert(caller);
        }
        parts.extensions.insert(Passed(Arc::clone(self)));
        Ok(Request::from_parts(parts, body))
    }
}

/// Returns the path that the client sent: axum removes the prefix of a nested router from the
/// path that a layer within sees.
fn original_path(parts: &Parts) -> &str {
    #[cfg(feature = "axum")]
    if let Some(::axum::extract::OriginalUri(uri)) = parts.extensions.get() {
        return uri.path();
    }
    parts.uri.path()
}

impl<S, B, R> Service<Request<B>> for AuthService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: Default + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, R, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let protocol = self.settings.protocol(&parts.headers);
        let settings = &self.settings;
        let pending = match settings.first(&parts) {
            First::Final(verdict) => {
                let state = match settings.finish(verdict, parts, body) {
                    Ok(request) => State::Inner { future: self.inner.call(request) },
                    Err(refusal) => {
                        let response = Some(settings.response(&refusal, protocol));
                        State::Refused { response }
                    }
                };
                return ResponseFuture { state };
            }
            First::Later(pending) => pending,
        };
        // The service that was polled must be the one that is called.
        let next = self.inner.clone();
        let mut inner = replace(&mut self.inner, next);
        let settings = Arc::clone(settings);
        let future = Box::pin(async move {
            let verdict = settings.later(pending, &parts).await;
            match settings.finish(verdict, parts, body) {
                Ok(request) => inner.call(request).await,
                Err(refusal) => Ok(settings.response(&refusal, protocol)),
            }
        });
        ResponseFuture { state: State::Later { future } }
    }
}

type Later<R, E> = Pin<Box<dyn Future<Output = Result<Response<R>, E>> + Send>>;

pin_project! {
    #[project = StateProjection]
    enum State<F, R, E> {
        Inner { #[pin] future: F },
        Refused { response: Option<Response<R>> },
        Later { future: Later<R, E> },
    }
}

pin_project! {
    /// The future of an [`AuthService`]. It allocates only if the request waits for keys or
    /// has a DPoP proof.
    pub struct ResponseFuture<F, R, E> {
        #[pin]
        state: State<F, R, E>,
    }
}

impl<F, R, E> Future for ResponseFuture<F, R, E>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Default,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Inner { future } => future.poll(cx),
            StateProjection::Later { future } => future.as_mut().poll(cx),
            // A future is not polled after completion.
            StateProjection::Refused { response } => {
                Poll::Ready(Ok(response.take().unwrap_or_default()))
            }
        }
    }
}

impl<F, R, E> fmt::Debug for ResponseFuture<F, R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
