//! The decision: may this request pass?

use std::sync::Arc;
use std::time::Instant;

use claimgate::{AccessToken, BearerToken, Error, Issuer, ScopePolicy, TokenBuffer, Validated};

use crate::config::{IssuerSettings, Settings};
use crate::keys::{IssuerKeys, Keys, now};
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

        match self.validate(token, route) {
            // Its issuer may have newer keys.
            Err((Refusal::Token(error, _), Some(issuer))) if error.is_worth_a_key_refresh() => {
                issuer.refresh_after(&error).await;
                self.validate(token, route)
            }
            verdict => verdict,
        }
        .map_err(|(refusal, _)| refusal)
    }

    /// Validates the token with the keys at hand. A refusal comes with the issuer
    /// whose token it is, if that is known.
    fn validate(
        &self,
        token: BearerToken<'_>,
        route: &Route,
    ) -> Result<Admission, (Refusal, Option<&Arc<IssuerKeys>>)> {
        let started = Instant::now();
        let mut found = Found::Nowhere;
        let mut verdict = Err((Error::UnknownIssuer.into(), None));
        for issuer in &self.issuers {
            let Some(keys) = issuer.current() else {
                // It may be this one's token.
                verdict = Err((Refusal::NoKeys, None));
                continue;
            };
            match validate_as(issuer, &keys, token, route, &mut found) {
                Err(Refusal::Token(Error::UnknownIssuer, _)) => {}
                result => {
                    verdict = result.map_err(|refusal| (refusal, Some(issuer)));
                    break;
                }
            }
        }
        self.metrics.validation(started.elapsed(), found);
        verdict
    }
}

/// Validates a token of this issuer. Another issuer's costs no RSA.
fn validate_as(
    issuer: &IssuerKeys,
    keys: &Keys,
    token: BearerToken<'_>,
    route: &Route,
    found: &mut Found,
) -> Result<Admission, Refusal> {
    let IssuerSettings { url, policy, .. } = &issuer.settings;
    let Ok(only) = Issuer::new(url, keys) else { return Err(Error::UnknownIssuer.into()) };
    let mut buffer = TokenBuffer::<8_192>::new();
    let mut cache = issuer.cache.shard(token);
    let hits = cache.hits();
    let result = policy.validate_among_cached(token, &[only], now(), &mut buffer, &mut cache);
    let verdict = result.map_err(Refusal::from).and_then(|token| admit(&token, route));
    if cache.hits() > hits {
        *found = Found::InCache;
    }
    verdict
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
