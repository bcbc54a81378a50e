//! The authorization of requests.

use claimgate::Error;
use claimgate::bearer::Credentials;
use claimgate::policy::Forbidden;
use claimgate_tower::{Authenticated, Authorities, Dpop, ProvenRequest, Refusal};
use http::StatusCode;
use metrics::{Counter, Histogram};

use crate::claims::ClaimHeader;
use crate::credentials::{Forwarding, TokenSource};
use crate::original::{Original, Proxy};
use crate::path::{Ambiguous, RequestPath};
use crate::routes::{Presence, Routes};

/// The handling of CORS preflight requests without an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Preflight {
    Refuse,
    Pass,
}

/// The settings that determine the decision about a request.
#[derive(Debug)]
pub(crate) struct Decisions {
    pub(crate) proxy: Proxy,
    pub(crate) realm: String,
    pub(crate) source: TokenSource,
    pub(crate) forwarding: Forwarding,
    pub(crate) preflight: Preflight,
    pub(crate) headers: Vec<ClaimHeader>,
    pub(crate) routes: Routes,
}

/// The state that all workers share: settings, authorities and metrics.
pub(crate) struct Gate {
    pub(crate) settings: Decisions,
    pub(crate) authorities: Authorities,
    pub(crate) dpop: Option<Dpop>,
    pub(crate) counters: Counters,
}

/// The metrics that each request updates.
pub(crate) struct Counters {
    pub(crate) valid: Counter,
    pub(crate) seconds: Histogram,
}

impl Counters {
    pub(crate) const REQUESTS: &'static str = "claimgate_requests_total";
    pub(crate) const SECONDS: &'static str = "claimgate_request_seconds";

    /// Registers the metrics with the recorder of the process.
    pub(crate) fn register() -> Self {
        Self {
            valid: metrics::counter!(Self::REQUESTS, "code" => "valid"),
            seconds: metrics::histogram!(Self::SECONDS),
        }
    }

    pub(crate) fn count(&self, code: &'static str) {
        match code {
            "valid" => self.valid.increment(1),
            code => metrics::counter!(Self::REQUESTS, "code" => code).increment(1),
        }
    }
}

/// The reason why a request is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denial {
    /// The token is missing, invalid or insufficient, or cannot be validated.
    Token(Refusal),
    /// No route accepts the path and method.
    NoRoute,
    /// The path is ambiguous.
    Target(Ambiguous),
}

impl Denial {
    /// Returns the name of the denial, for logs and metrics.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Token(refusal) => refusal.code(),
            Self::NoRoute => "no_route",
            Self::Target(_) => "ambiguous_path",
        }
    }

    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::Token(refusal) => refusal.status(),
            Self::NoRoute | Self::Target(_) => StatusCode::FORBIDDEN,
        }
    }
}

impl From<Refusal> for Denial {
    fn from(refusal: Refusal) -> Self {
        Self::Token(refusal)
    }
}

impl From<Error> for Denial {
    fn from(error: Error) -> Self {
        Self::Token(Refusal::Token(error))
    }
}

impl From<Forbidden<'static>> for Denial {
    fn from(forbidden: Forbidden<'static>) -> Self {
        Self::Token(Refusal::Forbidden(forbidden))
    }
}

impl Gate {
    /// Authorizes a request, and returns its validated token. A request that is permitted
    /// without a token has none.
    pub(crate) async fn decide(
        &self,
        original: Original<'_>,
    ) -> Result<Option<Authenticated>, Denial> {
        let Decisions { source, preflight, routes, .. } = &self.settings;
        let path = RequestPath::parse(original.target).map_err(Denial::Target)?;
        if *preflight == Preflight::Pass
            && let Some(method) = original.preflight()
        {
            return routes.find(method, &path).map(|_| None).ok_or(Denial::NoRoute);
        }
        let route = routes.find(original.method, &path).ok_or(Denial::NoRoute)?;
        let credentials = match source.credentials(original.headers) {
            Err(Error::MissingToken) if route.presence == Presence::Optional => return Ok(None),
            credentials => credentials?,
        };
        let policies = &*route.policies;
        let caller = match (credentials, &self.dpop) {
            (Credentials::Bearer(token), _) => self.authorities.validate(token, policies).await?,
            (Credentials::Dpop(_), None) => return Err(Error::MissingToken.into()),
            (Credentials::Dpop(token), Some(dpop)) => {
                let Original { method, target, headers } = original;
                let request = ProvenRequest { method, path: target, headers };
                dpop.validate(&self.authorities, policies, request, token).await?
            }
        };
        route.authorize(&caller.token())?;
        Ok(Some(caller))
    }
}
