//! An authority and its keys, for any key type.

use std::slice;
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use claimgate::error::ConfigError;
use claimgate::jwk::Algorithms;
use claimgate::refresh::JwksRefresh;
use claimgate::trust::TenantIssuer;
use claimgate::{AccessTokenPolicy, BearerToken, Error, Issuer, JwkSet, NumericDate, PublicKey};

use crate::error::AuthorityError;
use crate::health::KeyState;
use crate::refusal::Refusal;
use crate::token::StoredToken;

/// The maximum number of keys of an authority.
const MAX_KEYS: usize = 32;

type Keys<K> = JwkSet<K, MAX_KEYS>;

/// The issuer of an authority.
#[derive(Clone, Debug)]
pub(crate) enum Identity {
    /// The issuer's URL.
    Url(Arc<str>),
    /// A template and the allowed tenants.
    Tenants(Arc<str>, Vec<String>),
    /// A template, for any tenant.
    AnyTenant(Arc<str>),
}

impl Identity {
    pub(crate) const fn url(&self) -> &Arc<str> {
        match self {
            Self::Url(url) | Self::Tenants(url, _) | Self::AnyTenant(url) => url,
        }
    }
}

/// The key set that was loaded last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loaded {
    pub(crate) keys: usize,
    pub(crate) skipped: usize,
}

/// An authority with keys of any type.
pub(crate) trait Judge: Send + Sync {
    /// Parses a key set and puts it into use. A text that is not a key set, or that has too
    /// many keys, changes nothing.
    fn load(&self, jwks: &str) -> Result<Loaded, Error>;

    /// Sets the refresh state, which determines how long the keys are trusted.
    fn publish(&self, refresh: JwksRefresh);

    /// Validates a token with the current keys.
    fn validate(
        &self,
        token: BearerToken<'_>,
        policy: &AccessTokenPolicy<'_>,
        now: NumericDate,
    ) -> Result<StoredToken, Refusal>;

    /// Applies all rules to a token that was accepted before. Returns `None` if the token must
    /// be validated in full.
    fn validate_again(
        &self,
        stored: &StoredToken,
        token: BearerToken<'_>,
        policy: &AccessTokenPolicy<'_>,
        now: NumericDate,
    ) -> Option<Result<(), Refusal>>;

    fn state(&self, now: NumericDate) -> KeyState;
}

/// An issuer with its keys.
enum Trusted<K> {
    One(Issuer<K, MAX_KEYS, Arc<str>>),
    Tenants(TenantIssuer<K, MAX_KEYS, Arc<str>, Vec<String>>),
    AnyTenant(TenantIssuer<K, MAX_KEYS, Arc<str>>),
}

/// The key set that was fetched last: `None` if it has no usable keys.
type Current<K> = Option<Trusted<K>>;

/// An authority with keys of the type `K`.
pub(crate) struct KeyJudge<K> {
    identity: Identity,
    algorithms: Algorithms,
    // Both are replaced as a whole. Readers acquire no lock.
    current: ArcSwapOption<Current<K>>,
    refresh: ArcSwap<JwksRefresh>,
}

impl<K: PublicKey + Send + Sync + 'static> KeyJudge<K> {
    /// Constructs the authority, without keys.
    pub(crate) fn build(
        identity: Identity,
        algorithms: Algorithms,
    ) -> Result<Arc<dyn Judge>, AuthorityError> {
        // The errors of `TenantIssuer::new`, which requires keys.
        let template_is_wrong = |template: &str| template.matches("{tenantid}").count() != 1;
        let error = match &identity {
            Identity::Url(url) if url.is_empty() => Some(ConfigError::Empty("issuer")),
            Identity::Tenants(_, tenants) if tenants.is_empty() => {
                Some(ConfigError::EmptyList("tenants"))
            }
            Identity::Tenants(_, tenants) if tenants.iter().any(String::is_empty) => {
                Some(ConfigError::Empty("tenant"))
            }
            Identity::Tenants(template, _) | Identity::AnyTenant(template)
                if template_is_wrong(template) =>
            {
                Some(ConfigError::TenantTemplate)
            }
            Identity::Url(_) | Identity::Tenants(..) | Identity::AnyTenant(_) => None,
        };
        match error {
            Some(error) => Err(AuthorityError::Issuer(error)),
            None => {
                let refresh = ArcSwap::from_pointee(JwksRefresh::new());
                let current = ArcSwapOption::empty();
                Ok(Arc::new(Self { identity, algorithms, current, refresh }))
            }
        }
    }

    /// Returns whether the keys are trusted at this time (rule R3).
    fn are_trusted(&self, now: NumericDate) -> bool {
        self.refresh.load().are_keys_usable(now)
    }

    fn trusted(&self, keys: Keys<K>) -> Result<Trusted<K>, Error> {
        let trusted = match &self.identity {
            Identity::Url(url) => Issuer::new(Arc::clone(url), keys).map(Trusted::One),
            Identity::Tenants(url, tenants) => {
                TenantIssuer::new(Arc::clone(url), tenants.clone(), keys).map(Trusted::Tenants)
            }
            Identity::AnyTenant(url) => {
                TenantIssuer::danger_any_tenant(Arc::clone(url), keys).map(Trusted::AnyTenant)
            }
        };
        // `build` has checked the configuration.
        trusted.map_err(|_| Error::UnknownIssuer)
    }
}

impl<K: PublicKey + Send + Sync + 'static> Judge for KeyJudge<K> {
    fn load(&self, jwks: &str) -> Result<Loaded, Error> {
        let (trusted, loaded) = match Keys::<K>::from_json_for(self.algorithms, jwks) {
            Ok(keys) => {
                let loaded = Loaded { keys: keys.keys().len(), skipped: keys.skipped_count() };
                (Some(self.trusted(keys)?), loaded)
            }
            // R1: withdrawn keys must no longer be used.
            Err(Error::NoUsableKeys(counts)) => {
                let counted = counts.iter().map(|(_, count)| count).chain([counts.others()]);
                (None, Loaded { keys: 0, skipped: counted.map(usize::from).sum() })
            }
            Err(error) => return Err(error),
        };
        self.current.store(Some(Arc::new(trusted)));
        Ok(loaded)
    }

    fn publish(&self, refresh: JwksRefresh) {
        self.refresh.store(Arc::new(refresh));
    }

    fn validate(
        &self,
        token: BearerToken<'_>,
        policy: &AccessTokenPolicy<'_>,
        now: NumericDate,
    ) -> Result<StoredToken, Refusal> {
        let current = self.current.load();
        let trusted = match current.as_deref() {
            None => return Err(Refusal::NoKeys),
            Some(None) => return Err(Refusal::Token(Error::UnknownKey)),
            Some(Some(_)) if !self.are_trusted(now) => return Err(Refusal::NoKeys),
            Some(Some(trusted)) => trusted,
        };
        // A list with one issuer: a token of another issuer is rejected before its signature
        // is verified.
        let stored = match trusted {
            Trusted::One(issuer) => {
                StoredToken::validate(token, (slice::from_ref(issuer), policy), now)
            }
            Trusted::Tenants(issuer) => {
                StoredToken::validate(token, (slice::from_ref(issuer), policy), now)
            }
            Trusted::AnyTenant(issuer) => {
                StoredToken::validate(token, (slice::from_ref(issuer), policy), now)
            }
        };
        stored.map_err(Refusal::Token)
    }

    fn validate_again(
        &self,
        stored: &StoredToken,
        token: BearerToken<'_>,
        policy: &AccessTokenPolicy<'_>,
        now: NumericDate,
    ) -> Option<Result<(), Refusal>> {
        let current = self.current.load();
        let trusted = current.as_deref()?.as_ref()?;
        if !self.are_trusted(now) {
            return Some(Err(Refusal::NoKeys));
        }
        let verdict = match trusted {
            Trusted::One(issuer) => stored.validate_again(token, (issuer, policy), now),
            Trusted::Tenants(issuer) => stored.validate_again(token, (issuer, policy), now),
            Trusted::AnyTenant(issuer) => stored.validate_again(token, (issuer, policy), now),
        };
        verdict.map(|verdict| verdict.map_err(Refusal::Token))
    }

    fn state(&self, now: NumericDate) -> KeyState {
        match self.current.load().as_deref() {
            None => KeyState::Pending,
            Some(None) => KeyState::NoUsableKeys,
            Some(Some(_)) if self.are_trusted(now) => KeyState::Ready,
            Some(Some(_)) => KeyState::Stale,
        }
    }
}
