//! The decision: may this request pass?

use std::sync::Arc;
use std::time::Instant;

use claimgate::jws::CompactJws;
use claimgate::policy::Forbidden;
use claimgate::{AccessToken, BearerToken, Error, NumericDate, TokenBuffer, Trust, Validated};

use crate::cache::SharedCache;
use crate::config::Settings;
use crate::keys::{IssuerKeys, Trusted, TrustedIssuers};
use crate::metrics::{Found, Metrics};
use crate::routes::{Ambiguous, Route, Segments};

/// The original request, as the gateway tells it.
pub struct Request<'r> {
    pub method: &'r str,
    pub target: &'r str,
    pub authorization: Vec<&'r str>,
}

/// Whom the upstream gets to see.
#[derive(Debug, PartialEq, Eq)]
pub struct Admission {
    pub issuer: String,
    pub subject: String,
    pub client: Option<String>,
    pub scope: String,
}

/// Why a request may not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It has no valid token.
    Token(Error),
    /// Its token does not suffice for the route.
    Forbidden(Forbidden<'static>),
    /// No route takes it.
    NoRoute,
    /// Its path can be read in two ways.
    Target(Ambiguous),
    /// The keys of an issuer, who may be the token's, have not come yet.
    NoKeys,
}

impl Refusal {
    /// The refusal's name for metrics and logs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Token(error) => error.code(),
            Self::Forbidden(forbidden) => forbidden.error().code(),
            Self::NoRoute => "no_route",
            Self::Target(_) => "ambiguous_path",
            Self::NoKeys => "no_keys",
        }
    }

    pub const fn status(&self) -> u16 {
        match self {
            Self::Token(error) => error.http_status(),
            Self::Forbidden(forbidden) => forbidden.error().http_status(),
            Self::NoRoute | Self::Target(_) => 403,
            Self::NoKeys => 503,
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Token(error)
    }
}

impl From<Forbidden<'static>> for Refusal {
    fn from(forbidden: Forbidden<'static>) -> Self {
        Self::Forbidden(forbidden)
    }
}

/// What decides: routes, issuers with their keys, and the counters.
pub struct Gate {
    pub settings: Settings,
    pub issuers: Vec<Arc<IssuerKeys>>,
    pub metrics: Arc<Metrics>,
    trusted: Arc<Trusted>,
    cache: SharedCache,
}

impl Gate {
    pub fn new(mut settings: Settings, metrics: Metrics) -> Self {
        let (trusted, metrics) = (Arc::new(Trusted::new()), Arc::new(metrics));
        let keys_of =
            |issuer| Arc::new(IssuerKeys::new(issuer, Arc::clone(&trusted), Arc::clone(&metrics)));
        let issuers: Vec<_> =
            std::mem::take(&mut settings.issuers).into_iter().map(keys_of).collect();
        let cache = SharedCache::new(issuers.len());
        Self { settings, issuers, metrics, trusted, cache }
    }

    /// Decides about one request.
    pub async fn decide(&self, request: &Request<'_>) -> Result<Admission, Refusal> {
        let path = Segments::parse(request.target).map_err(Refusal::Target)?;
        let mut routes = self.settings.routes.iter();
        let route =
            routes.find(|route| route.takes(request.method, &path)).ok_or(Refusal::NoRoute)?;
        let token = BearerToken::from_authorization_values(request.authorization.iter().copied())?;

        let verdict = self.validate(token, route);
        if let Err(Refusal::Token(error)) = &verdict
            && error.is_worth_a_key_refresh()
            && let Some(issuer) = self.issuer_of(token)
        {
            // It may have newer keys.
            issuer.refresh_after(error).await;
            return self.validate(token, route);
        }
        verdict
    }

    /// Validates the token with the keys at hand.
    fn validate(&self, token: BearerToken<'_>, route: &Route) -> Result<Admission, Refusal> {
        let started = Instant::now();
        let mut found = Found::Nowhere;
        let trusted = self.trusted.current();
        let verdict = match self.validate_among(&trusted, token, route, &mut found) {
            _ if trusted.is_empty() => Err(Refusal::NoKeys),
            // It may be the token of an issuer whose keys have not come yet.
            Err(Refusal::Token(Error::UnknownIssuer)) if trusted.len() < self.issuers.len() => {
                Err(Refusal::NoKeys)
            }
            verdict => verdict,
        };
        self.metrics.validation(started.elapsed(), found);
        verdict
    }

    fn validate_among(
        &self,
        trusted: &TrustedIssuers,
        token: BearerToken<'_>,
        route: &Route,
        found: &mut Found,
    ) -> Result<Admission, Refusal> {
        let mut buffer = TokenBuffer::<8_192>::new();
        let mut cache = self.cache.shard(token);
        let hits = cache.hits();
        let now = NumericDate::now();
        let verdict = AccessToken::validate_cached(token, trusted, now, &mut buffer, &mut cache)
            .map_err(Refusal::from)
            .and_then(|token| admit(&token, route));
        if cache.hits() > hits {
            *found = Found::InCache;
        }
        verdict
    }

    /// Returns the issuer whose token it claims to be.
    fn issuer_of(&self, token: BearerToken<'_>) -> Option<&Arc<IssuerKeys>> {
        let mut buffer = [0; 8_192];
        let jws = CompactJws::parse(token.expose()).ok()?.decode(&mut buffer).ok()?;
        let trusted = self.trusted.current();
        let trusted = &*trusted;
        let url = trusted.issuer_of(&jws)?;
        self.issuers.iter().find(|issuer| issuer.settings.url == url)
    }
}

fn admit(token: &Validated<AccessToken<'_>>, route: &Route) -> Result<Admission, Refusal> {
    route.authorize(token)?;
    Ok(Admission {
        issuer: token.issuer().to_owned(),
        subject: token.subject().to_owned(),
        client: token.authorized_party().or(token.client_id()).map(str::to_owned),
        scope: token.scope().to_string(),
    })
}
