//! The decision: may this request pass?

use std::sync::Arc;
use std::time::Instant;

use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, Error, Issuer, NumericDate, RingKey, ScopePolicy,
    TokenBuffer, Validated,
};

use crate::config::Settings;
use crate::keys::{IssuerKeys, Keys, MAX_KEYS, now};
use crate::metrics::Metrics;
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
    /// Its token does not allow it; with what would have sufficed, where that is
    /// a matter of scope.
    Token(Error, Option<ScopePolicy<'static>>),
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
            Self::Token(error, _) => error.code(),
            Self::NoRoute => "no_route",
            Self::Target(_) => "ambiguous_path",
            Self::NoKeys => "no_keys",
        }
    }

    pub const fn status(&self) -> u16 {
        match self {
            Self::Token(error, _) => error.http_status(),
            Self::NoRoute | Self::Target(_) => 403,
            Self::NoKeys => 503,
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Token(error, None)
    }
}

/// What decides: routes, issuers with their keys, and the counters.
pub struct Gate {
    pub settings: Settings,
    pub issuers: Vec<Arc<IssuerKeys>>,
    pub metrics: Arc<Metrics>,
}

impl Gate {
    pub fn new(mut settings: Settings, metrics: Metrics) -> Self {
        let metrics = Arc::new(metrics);
        let issuers = std::mem::take(&mut settings.issuers)
            .into_iter()
            .map(|issuer| Arc::new(IssuerKeys::new(issuer, Arc::clone(&metrics))))
            .collect();
        Self { settings, issuers, metrics }
    }

    /// Decides about one request.
    pub async fn decide(&self, request: &Request<'_>) -> Result<Admission, Refusal> {
        let path = Segments::parse(request.target).map_err(Refusal::Target)?;
        let mut routes = self.settings.routes.iter();
        let route =
            routes.find(|route| route.takes(request.method, &path)).ok_or(Refusal::NoRoute)?;
        let token = BearerToken::from_authorization_values(request.authorization.iter().copied())?;

        let refused = match self.validate(token, route) {
            Err(Refusal::Token(error, _)) if error.is_worth_a_key_refresh() => error,
            verdict => return verdict,
        };
        // Its issuer may have newer keys.
        if let Some(issuer) = self.issuer_of(token) {
            issuer.refresh_after(&refused).await;
        }
        self.validate(token, route)
    }

    /// Validates the token with the keys at hand.
    fn validate(&self, token: BearerToken<'_>, route: &Route) -> Result<Admission, Refusal> {
        let keys = self.keys();
        let trusted = trusted(&keys);
        let started = Instant::now();
        let mut buffer = TokenBuffer::<8_192>::new();
        let result = AccessTokenPolicy::validate_by_issuer(token, &trusted, now(), &mut buffer);
        self.metrics.validation(started.elapsed());
        match result {
            Ok(token) => admit(&token, route),
            Err(Error::UnknownIssuer) if trusted.len() < self.issuers.len() => Err(Refusal::NoKeys),
            Err(error) => Err(error.into()),
        }
    }

    /// The issuers that have keys, with these.
    fn keys(&self) -> Vec<(&IssuerKeys, Arc<Keys>)> {
        self.issuers.iter().filter_map(|issuer| Some((&**issuer, issuer.current()?))).collect()
    }

    /// The issuer whose keys lack the one that the token names.
    fn issuer_of(&self, token: BearerToken<'_>) -> Option<&Arc<IssuerKeys>> {
        // Neither costs RSA: the one fails before the key, the other for its lack.
        self.issuers.iter().find(|issuer| {
            let Some(keys) = issuer.current() else { return false };
            let Ok(only) = Issuer::new(issuer.settings.url, &keys) else { return false };
            let mut buffer = TokenBuffer::<8_192>::new();
            let now = NumericDate::from_secs(0);
            let result = issuer.settings.policy.validate_among(token, &[only], now, &mut buffer);
            result.is_err_and(|error| error.is_worth_a_key_refresh())
        })
    }
}

type Trusted<'k> = (Issuer<'k, RingKey, MAX_KEYS>, AccessTokenPolicy<'static>);

fn trusted<'k>(keys: &'k [(&IssuerKeys, Arc<Keys>)]) -> Vec<Trusted<'k>> {
    keys.iter()
        .filter_map(|(issuer, keys)| {
            let settings = &issuer.settings;
            Some((Issuer::new(settings.url, keys).ok()?, settings.policy))
        })
        .collect()
}

fn admit(token: &Validated<AccessToken<'_>>, route: &Route) -> Result<Admission, Refusal> {
    route.authorize(token).map_err(|(error, needed)| Refusal::Token(error, Some(needed)))?;
    Ok(Admission {
        issuer: token.issuer().to_owned(),
        subject: token.subject().to_owned(),
        client: token.authorized_party().or(token.client_id()).map(str::to_owned),
        scope: token.scope().to_string(),
    })
}
