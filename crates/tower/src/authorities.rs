//! The authorities of a service and their shared state.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use claimgate::{AccessTokenPolicy, BearerToken, Error, NumericDate, TokenBuffer};
use metrics::Histogram;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::authority::Authority;
use crate::cache::{CacheStatistics, Capacity, Entry, TokenCache};
use crate::error::AuthorityError;
use crate::health::{Health, KeyState};
use crate::policies::Policies;
use crate::refusal::Refusal;
use crate::renewal::{Clock, Renewal};
use crate::token::{Authenticated, MAX_TOKEN_LEN};

/// The authorities whose tokens a service accepts, with their keys and a cache of verified
/// tokens.
///
/// Clones are cheap and share keys and tokens. Keys are renewed in the background until the
/// last clone is dropped. Requests read them without a lock.
///
/// ```no_run
/// use claimgate::{AccessTokenPolicy, BearerToken, at_compile_time};
/// use claimgate_tower::{Authorities, Authority};
///
/// const POLICY: AccessTokenPolicy<'_> =
///     at_compile_time!(AccessTokenPolicy::general("https://api.example.com").build());
///
/// # async fn run(authorization: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let authorities = Authorities::new([
///     Authority::discover("https://my-domain.auth0.com/"),
///     Authority::discover("https://accounts.example.com"),
/// ])?;
/// let token = BearerToken::from_authorization(authorization)?;
/// let caller = authorities.validate(token, &POLICY).await?;
/// println!("{}", caller.token().subject());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Authorities(Arc<Shared>);

struct Shared {
    authorities: Box<[Arc<Renewal>]>,
    /// The URLs, in the same order.
    urls: Box<[Arc<str>]>,
    cache: Option<TokenCache>,
    clock: Clock,
    /// Notified after each fetch.
    ended: watch::Sender<()>,
    tasks: Vec<AbortHandle>,
    /// The durations of validations, with a token from the cache and without.
    found: Histogram,
    not_found: Histogram,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

/// The result of validating a token with the current keys.
pub(crate) enum FirstVerdict {
    Final(Result<Authenticated, Refusal>),
    /// The keys are being fetched, which could change the result.
    Wait(Pending),
}

/// A fetch for which a request may wait.
pub(crate) struct Pending {
    renewal: Arc<Renewal>,
    refusal: Refusal,
}

impl Authorities {
    /// Builds authorities with the default settings, and starts fetching their keys.
    ///
    /// # Errors
    ///
    /// Those of [`AuthoritiesBuilder::build`].
    pub fn new(authorities: impl IntoIterator<Item = Authority>) -> Result<Self, AuthorityError> {
        Self::builder(authorities).build()
    }

    /// Starts a builder of authorities with other settings.
    #[must_use]
    pub fn builder(authorities: impl IntoIterator<Item = Authority>) -> AuthoritiesBuilder {
        AuthoritiesBuilder {
            authorities: authorities.into_iter().collect(),
            capacity: Some(DEFAULT_CAPACITY),
            clock: Arc::new(NumericDate::now),
        }
    }

    /// Validates an access token under a policy, or under the policy of its authority, with
    /// the keys of its authority.
    ///
    /// If the token's key is unknown, the keys are fetched again, as far as
    /// [`Authority::refresh`] permits, and the token is validated again.
    ///
    /// # Errors
    ///
    /// [`Refusal::Token`] with the rule that failed; [`Refusal::NoKeys`] and
    /// [`Refusal::Busy`] if there are no keys yet.
    pub async fn validate<P: Policies + ?Sized>(
        &self,
        token: BearerToken<'_>,
        policies: &P,
    ) -> Result<Authenticated, Refusal> {
        match self.validate_now(token, policies) {
            FirstVerdict::Final(verdict) => verdict,
            FirstVerdict::Wait(pending) => self.validate_after(pending, token, policies).await,
        }
    }

    /// Validates a token with the current keys.
    pub(crate) fn validate_now<P: Policies + ?Sized>(
        &self,
        token: BearerToken<'_>,
        policies: &P,
    ) -> FirstVerdict {
        let (verdict, authority) = self.judge(token, policies);
        match (verdict, authority) {
            (Err(refusal), Some(renewal)) if renewal.begin_after(&refusal) => {
                FirstVerdict::Wait(Pending { renewal: Arc::clone(renewal), refusal })
            }
            (verdict, _) => FirstVerdict::Final(verdict),
        }
    }

    /// Waits for keys, and validates a token with them.
    pub(crate) async fn validate_after<P: Policies + ?Sized>(
        &self,
        pending: Pending,
        token: BearerToken<'_>,
        policies: &P,
    ) -> Result<Authenticated, Refusal> {
        let Pending { renewal, refusal } = pending;
        tracing::debug!(issuer = &*renewal.issuer, code = refusal.code(), "waiting for keys");
        renewal.wait().await?;
        self.judge(token, policies).0
    }

    /// Validates a token with the current keys, and returns the authority that it claims to be
    /// from.
    fn judge<P: Policies + ?Sized>(
        &self,
        token: BearerToken<'_>,
        policies: &P,
    ) -> (Result<Authenticated, Refusal>, Option<&Arc<Renewal>>) {
        let started = Instant::now();
        let now = (self.0.clock)();
        let (verdict, authority, seconds) = match self.judge_again(token, policies, now) {
            Some((verdict, authority)) => (verdict, Some(authority), &self.0.found),
            None => {
                let (verdict, authority) = self.judge_first(token, policies, now);
                (verdict, authority, &self.0.not_found)
            }
        };
        seconds.record(started.elapsed());
        (verdict, authority)
    }

    /// Validates a token from the cache.
    fn judge_again<P: Policies + ?Sized>(
        &self,
        token: BearerToken<'_>,
        policies: &P,
        now: NumericDate,
    ) -> Option<(Result<Authenticated, Refusal>, &Arc<Renewal>)> {
        let cache = self.0.cache.as_ref()?;
        let verdict = cache.key(token.expose(), policies).and_then(|key| {
            let Entry { authority, token: stored } = cache.find(key)?;
            let policy = policies.of(authority)?;
            let authority = self.0.authorities.get(authority)?;
            let verdict = authority.judge.validate_again(&stored, token, policy, now)?;
            Some((verdict.map(|()| authenticated(stored, policy)), authority))
        });
        cache.count(verdict.is_some());
        verdict
    }

    /// Validates a token that is not in the cache.
    fn judge_first<P: Policies + ?Sized>(
        &self,
        token: BearerToken<'_>,
        policies: &P,
        now: NumericDate,
    ) -> (Result<Authenticated, Refusal>, Option<&Arc<Renewal>>) {
        let Some((index, authority)) = self.select(token, now) else {
            return (Err(Refusal::Token(self.unknown(token))), None);
        };
        let Some(policy) = policies.of(index) else {
            return (Err(Refusal::Token(self.unknown(token))), None);
        };
        let verdict = authority.judge.validate(token, policy, now).map(|stored| {
            if let Some(cache) = &self.0.cache
                && let Some(key) = cache.key(token.expose(), policies)
            {
                cache.insert(key, Entry { authority: index, token: stored.clone() });
            }
            authenticated(stored, policy)
        });
        (verdict, Some(authority))
    }

    /// Selects the authority whose keys verify a token. If there is a single authority with
    /// keys, the validation compares the issuer.
    fn select(&self, token: BearerToken<'_>, now: NumericDate) -> Option<(usize, &Arc<Renewal>)> {
        if let [only] = &*self.0.authorities
            && only.judge.state(now) == KeyState::Ready
        {
            return Some((0, only));
        }
        let mut buffer = TokenBuffer::<MAX_TOKEN_LEN>::new();
        let index = token.claimed_issuer(&self.0.urls, &mut buffer)?;
        Some((index, self.0.authorities.get(index)?))
    }

    /// Returns the error for a token of an unknown issuer, or that cannot be read.
    fn unknown(&self, token: BearerToken<'_>) -> Error {
        let mut buffer = [0; MAX_TOKEN_LEN];
        match claimgate::jws::CompactJws::parse(token.expose())
            .and_then(|jws| jws.decode(&mut buffer).map(|_| ()))
        {
            Ok(()) => Error::UnknownIssuer,
            Err(error) => error,
        }
    }

    /// Returns the state of each authority.
    #[must_use]
    pub fn health(&self) -> Health {
        Health { authorities: self.0.authorities.iter().map(|one| one.health()).collect() }
    }

    /// Waits until any authority has keys.
    pub async fn ready(&self) {
        let mut ended = self.0.ended.subscribe();
        while !self.health().is_ready() {
            if ended.changed().await.is_err() {
                return;
            }
        }
    }

    /// Returns the counters of the cache of verified tokens.
    #[must_use]
    pub fn cache_statistics(&self) -> CacheStatistics {
        self.0.cache.as_ref().map(TokenCache::statistics).unwrap_or_default()
    }

    pub(crate) fn now(&self) -> NumericDate {
        (self.0.clock)()
    }
}

fn authenticated(
    stored: crate::token::StoredToken,
    policy: &AccessTokenPolicy<'_>,
) -> Authenticated {
    let valid_until = policy.valid_until(&stored.token());
    Authenticated { stored, valid_until }
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Authorities").field(&self.0.urls).finish()
    }
}

/// The default size of the cache of verified tokens: some 10,000 short tokens.
const DEFAULT_CAPACITY: Capacity = Capacity { bytes: 32 * 1024 * 1024, entries: usize::MAX };

/// A builder of [`Authorities`].
#[derive(Clone)]
pub struct AuthoritiesBuilder {
    authorities: Vec<Authority>,
    capacity: Option<Capacity>,
    clock: Clock,
}

impl AuthoritiesBuilder {
    /// Sets the size of the cache of verified tokens, in bytes: 32 MiB unless set. A token of
    /// up to 1,024 characters occupies 3.3 KB.
    #[must_use]
    pub fn cache_bytes(mut self, bytes: usize) -> Self {
        self.capacity.get_or_insert(DEFAULT_CAPACITY).bytes = bytes;
        self
    }

    /// Sets the maximum number of tokens in the cache: unlimited unless set.
    #[must_use]
    pub fn cache_entries(mut self, entries: usize) -> Self {
        self.capacity.get_or_insert(DEFAULT_CAPACITY).entries = entries;
        self
    }

    /// Disables the cache: the signature of each request's token is verified.
    #[must_use]
    pub const fn without_cache(mut self) -> Self {
        self.capacity = None;
        self
    }

    /// Sets the clock, for tests: seconds since the epoch. The default is the operating
    /// system's clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> NumericDate + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Builds the authorities, and starts fetching their keys.
    ///
    /// # Errors
    ///
    /// [`AuthorityError`] for an error in the configuration, or if called outside of a Tokio
    /// runtime. An unavailable issuer is not an error, see [`Authorities::health`].
    pub fn build(self) -> Result<Authorities, AuthorityError> {
        let runtime = Handle::try_current().map_err(|_| AuthorityError::NoRuntime)?;
        if self.authorities.is_empty() {
            return Err(AuthorityError::NoAuthority);
        }
        let ended = watch::Sender::new(());
        let mut authorities = Vec::new();
        let mut urls: Vec<Arc<str>> = Vec::new();
        for authority in self.authorities {
            let authority = authority.build(Arc::clone(&self.clock), ended.clone())?;
            let authority = Arc::new(authority);
            if urls.contains(&authority.issuer) {
                return Err(AuthorityError::DuplicateIssuer(authority.issuer.as_ref().to_owned()));
            }
            urls.push(Arc::clone(&authority.issuer));
            authorities.push(authority);
        }
        let seconds = |found| metrics::histogram!("claimgate_validation_seconds", "found" => found);
        let spawn = |one: &Arc<Renewal>| runtime.spawn(Arc::clone(one).run()).abort_handle();
        Ok(Authorities(Arc::new(Shared {
            tasks: authorities.iter().map(spawn).collect(),
            authorities: authorities.into(),
            urls: urls.into(),
            cache: self.capacity.map(TokenCache::new),
            clock: self.clock,
            ended,
            found: seconds("cache"),
            not_found: seconds("none"),
        })))
    }
}

impl fmt::Debug for AuthoritiesBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthoritiesBuilder")
            .field("authorities", &self.authorities)
            .finish_non_exhaustive()
    }
}
