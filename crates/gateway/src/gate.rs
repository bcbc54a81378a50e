//! The decision about a request.

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

/// Whether preflights of CORS pass without an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Preflight {
    Refuse,
    Pass,
}

/// The settings of the decision, which do not change while the gateway runs.
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

/// The settings, with the authorities and the counters.
pub(crate) struct Gate {
    pub(crate) settings: Decisions,
    pub(crate) authorities: Authorities,
    pub(crate) dpop: Option<Dpop>,
    pub(crate) counters: Counters,
}

/// The counters that every request increases.
pub(crate) struct Counters {
    pub(crate) valid: Counter,
    pub(crate) seconds: Histogram,
}

impl Counters {
    pub(crate) const REQUESTS: &'static str = "claimgate_requests_total";
    pub(crate) const SECONDS: &'static str = "claimgate_request_seconds";

    /// Registers the counters with the recorder of the process.
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

/// Why a request does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denial {
    /// Its token is absent, not acceptable, or does not suffice.
    Token(Refusal),
    /// No route accepts it.
    NoRoute,
    /// Its path has several readings.
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
    /// Decides whether a request passes, with its access token if it has one.
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
