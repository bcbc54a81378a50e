//! Refused requests and the responses to them.

use std::fmt;

use claimgate::jwk::Algorithms;
use claimgate::policy::Forbidden;
use claimgate::{AccessTokenPolicy, Algorithm, Challenge, Error};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use crate::dpop::Dpop;
use crate::layer::{GrpcRequests, Settings};

/// The reason why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The access token is missing or invalid.
    Token(Error),
    /// The access token is valid, but not sufficient for the request.
    Forbidden(Forbidden<'static>),
    /// The DPoP proof is invalid, or the store of proofs is full ([`Error::ReplayWindowFull`]).
    Proof(Error),
    /// The keys of the token's issuer were not fetched yet, or could not be refreshed for too
    /// long.
    NoKeys,
    /// The keys of the token's issuer are being fetched, and too many requests are waiting or
    /// this one has waited too long.
    Busy,
    /// The store of DPoP proofs is unavailable, so a replay cannot be excluded.
    ReplayStore,
}

impl Refusal {
    /// Returns the name of the refusal, for logs and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Token(error) | Self::Proof(error) => error.code(),
            Self::Forbidden(forbidden) => forbidden.error().code(),
            Self::NoKeys => "no_keys",
            Self::Busy => "keys_being_fetched",
            Self::ReplayStore => "replay_store_unavailable",
        }
    }

    /// Returns the status of the response.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        let status = match self {
            Self::Token(error) => error.http_status(),
            // The proof may be valid, and the store may admit it later.
            Self::Proof(Error::ReplayWindowFull) => 503,
            Self::Proof(_) => 401,
            Self::Forbidden(forbidden) => forbidden.error().http_status(),
            Self::NoKeys | Self::Busy | Self::ReplayStore => 503,
        };
        match status {
            400 => StatusCode::BAD_REQUEST,
            403 => StatusCode::FORBIDDEN,
            503 => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNAUTHORIZED,
        }
    }
}

impl Refusal {
    /// Passes on each challenge that answers the request: one for each scheme that a client
    /// may try, and none with the status 503.
    ///
    /// The policy adds what it requires of the user's authentication. `dpop` is given where
    /// DPoP proofs are accepted.
    pub fn challenges(
        &self,
        policy: Option<&AccessTokenPolicy<'static>>,
        dpop: Option<&Dpop>,
        mut send: impl FnMut(Challenge<'static>),
    ) {
        let algorithms = dpop.map(|dpop| dpop.policy().algorithms());
        let of_token = |error| match policy {
            Some(policy) => policy.challenge(error),
            None => Challenge::new(error),
        };
        match (*self, algorithms) {
            (Self::NoKeys | Self::Busy | Self::ReplayStore, _)
            | (Self::Proof(Error::ReplayWindowFull), _) => {}
            (Self::Proof(error), algorithms) => {
                let algorithms = algorithms.unwrap_or(Algorithms::of(&[Algorithm::Es256]));
                send(Challenge::new(error).dpop_proof(algorithms));
            }
            (Self::Forbidden(forbidden), _) => send(forbidden.challenge()),
            (Self::Token(error), Some(algorithms)) => {
                send(of_token(error).dpop(algorithms));
                if !matches!(error, Error::ConfirmationRequired | Error::ConfirmationMismatch) {
                    send(of_token(error));
                }
            }
            (Self::Token(error), None) => send(of_token(error)),
        }
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(error) => error.fmt(f),
            Self::Forbidden(forbidden) => forbidden.fmt(f),
            Self::Proof(error) => write!(f, "DPoP proof: {error}"),
            Self::NoKeys => f.write_str("no keys of the token's issuer are available"),
            Self::Busy => f.write_str("the keys of the token's issuer are being fetched"),
            Self::ReplayStore => f.write_str("the store of DPoP proofs is unavailable"),
        }
    }
}

impl From<Forbidden<'static>> for Refusal {
    fn from(forbidden: Forbidden<'static>) -> Self {
        Self::Forbidden(forbidden)
    }
}

/// The protocol of the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http,
    /// gRPC: a response without messages contains its status in the header
    /// ([Protocol](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md)).
    Grpc,
}

/// Returns whether a media type is that of gRPC, such as `application/grpc+proto`.
fn is_grpc(value: &HeaderValue) -> bool {
    let rest = value.as_bytes().strip_prefix(b"application/grpc");
    matches!(rest, Some([] | [b'+' | b';', ..]))
}

impl Settings {
    /// Returns the protocol of the response to a request with these header fields. The status
    /// of a refusal in gRPC is 200, so a client may select it only at a gRPC service.
    pub(crate) fn protocol(&self, headers: &HeaderMap) -> Protocol {
        match self.grpc {
            GrpcRequests::Grpc if headers.get(CONTENT_TYPE).is_some_and(is_grpc) => Protocol::Grpc,
            GrpcRequests::Grpc | GrpcRequests::Http => Protocol::Http,
        }
    }

    /// Returns the response to a refused request, with its challenges
    /// ([RFC 6750 §3](https://www.rfc-editor.org/rfc/rfc6750#section-3),
    /// [RFC 9449 §7.1](https://www.rfc-editor.org/rfc/rfc9449#section-7.1)).
    pub(crate) fn response<B: Default>(
        &self,
        refusal: &Refusal,
        protocol: Protocol,
    ) -> Response<B> {
        let mut response = Response::new(B::default());
        let status = refusal.status();
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        self.challenge(refusal, |challenge| {
            // A challenge consists of visible ASCII and spaces.
            if let Ok(challenge) = HeaderValue::try_from(challenge.to_string()) {
                headers.append(WWW_AUTHENTICATE, challenge);
            }
        });
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if protocol == Protocol::Grpc {
            let code = match status {
                StatusCode::FORBIDDEN => "7",
                StatusCode::SERVICE_UNAVAILABLE => "14",
                _ => "16",
            };
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
            headers.insert(HeaderName::from_static("grpc-status"), HeaderValue::from_static(code));
            let message = HeaderValue::from_static(refusal.code());
            headers.insert(HeaderName::from_static("grpc-message"), message);
            *response.status_mut() = StatusCode::OK;
        }
        response
    }

    /// Passes each challenge of a response to `send`.
    fn challenge(&self, refusal: &Refusal, mut send: impl FnMut(Challenge<'_>)) {
        refusal.challenges(Some(&self.policy), self.dpop.as_ref(), |challenge| {
            let mut challenge: Challenge<'_> = challenge;
            if let Some(realm) = &self.realm {
                challenge = challenge.realm(realm);
            }
            if let Some(resource) = &self.resource {
                challenge = challenge.resource_metadata(&resource.url);
            }
            send(challenge);
        });
    }
}

/// The refusal of a request without a token.
pub(crate) const MISSING: Refusal = Refusal::Token(Error::MissingToken);
