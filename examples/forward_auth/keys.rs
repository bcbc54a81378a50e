//! The keys of the issuers: fetched, put into use, and fetched again when `JwksRefresh`
//! says so.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use claimgate::{
    AccessTokenPolicy, Error, Issuer, JwkSet, JwksRefresh, NumericDate, RefreshDecision, RingKey,
};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

use crate::config::{IssuerSettings, KeySource};
use crate::metrics::Metrics;

/// How many keys an issuer may have.
pub const MAX_KEYS: usize = 16;

/// The longest response that is read, in bytes.
const MAX_RESPONSE: u64 = 256 * 1024;

/// How many requests may wait for one fetch; further ones are answered with the
/// keys at hand.
const MAX_WAITING: usize = 256;

/// The longest sleep between two looks at the clock, which may have been set.
const LOOK_AT_THE_CLOCK: Duration = Duration::from_secs(30);

type Keys = JwkSet<RingKey, MAX_KEYS>;

/// The issuers that have keys, each with the policy for its tokens.
pub type TrustedIssuers = [(Arc<Issuer<RingKey, MAX_KEYS>>, AccessTokenPolicy<'static>)];

/// The list of trusted issuers, which is replaced whole when an issuer's keys are renewed.
pub struct Trusted {
    list: RwLock<Arc<TrustedIssuers>>,
}

impl Trusted {
    pub fn new() -> Self {
        Self { list: RwLock::new(Arc::new([])) }
    }

    /// Returns the list as it is now. It does not change while a token is validated.
    pub fn current(&self) -> Arc<TrustedIssuers> {
        Arc::clone(&self.list.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Removes the issuer of this URL, if it is in the list.
    fn remove(&self, url: &str) {
        if self.has(url) {
            self.replace(url, []);
        }
    }

    fn has(&self, url: &str) -> bool {
        self.current().iter().any(|(issuer, _)| issuer.url() == url)
    }

    /// Replaces the issuer of this URL, or adds one.
    fn replace<const N: usize>(
        &self,
        url: &str,
        by: [(Arc<Issuer<RingKey, MAX_KEYS>>, AccessTokenPolicy<'static>); N],
    ) {
        let mut list = self.list.write().unwrap_or_else(PoisonError::into_inner);
        let others = list.iter().filter(|(other, _)| other.url() != url).cloned();
        *list = others.chain(by).collect();
    }
}

/// One issuer, whose keys are kept fresh.
pub struct IssuerKeys {
    pub settings: IssuerSettings,
    trusted: Arc<Trusted>,
    refresh: Mutex<JwksRefresh>,
    /// Whether a fetch is under way.
    fetching: watch::Sender<bool>,
    waiting: Semaphore,
    metrics: Arc<Metrics>,
}

impl IssuerKeys {
    pub fn new(settings: IssuerSettings, trusted: Arc<Trusted>, metrics: Arc<Metrics>) -> Self {
        Self {
            trusted,
            refresh: Mutex::new(settings.refresh),
            fetching: watch::Sender::new(false),
            waiting: Semaphore::new(MAX_WAITING),
            settings,
            metrics,
        }
    }

    /// Whether there are keys to validate tokens with.
    pub fn has_keys(&self) -> bool {
        self.trusted.has(self.settings.url)
    }

    /// Fetches the keys whenever they are old, for ever. Keys that could not be refreshed
    /// for too long are dropped.
    pub async fn keep_fresh(self: Arc<Self>) {
        loop {
            if !self.refresh().are_keys_usable(NumericDate::now()) {
                self.trusted.remove(self.settings.url);
            }
            match self.ask(|refresh| refresh.on_schedule(NumericDate::now())) {
                RefreshDecision::FetchNow => self.fetch().await,
                RefreshDecision::Wait { seconds } => {
                    sleep(Duration::from_secs(seconds).min(LOOK_AT_THE_CLOCK)).await;
                }
            }
        }
    }

    /// Has the keys fetched if `error` is worth it and the cool-down is over, and
    /// waits for a fetch that is under way.
    pub async fn refresh_after(self: &Arc<Self>, error: &Error) {
        let decision = self.ask(|refresh| refresh.on_refusal(error, NumericDate::now()));
        if decision == RefreshDecision::FetchNow {
            // A task of its own: the client may go away, the fetch may not.
            tokio::spawn({
                let issuer = Arc::clone(self);
                async move { issuer.fetch().await }
            });
        }
        let Ok(_permit) = self.waiting.try_acquire() else { return };
        let mut fetching = self.fetching.subscribe();
        let ended = fetching.wait_for(|is_fetching| !is_fetching);
        let _: Result<_, _> = timeout(self.settings.timeout, ended).await;
    }

    /// Asks for a decision. Whoever gets to wait sees the fetch that has begun.
    fn ask(&self, question: impl FnOnce(&mut JwksRefresh) -> RefreshDecision) -> RefreshDecision {
        let mut refresh = self.refresh();
        let decision = question(&mut refresh);
        if decision == RefreshDecision::FetchNow {
            self.fetching.send_replace(true);
        }
        decision
    }

    async fn fetch(&self) {
        let IssuerSettings { url, keys: source, timeout, .. } = &self.settings;
        let (source, timeout) = (source.clone(), *timeout);
        let read = tokio::task::spawn_blocking(move || read(&source, timeout)).await;
        let text = read.unwrap_or_else(|error| Err(error.to_string()));
        if let Err(error) = self.put_into_use(text) {
            self.metrics.fetch_failed(url);
            let failures = self.refresh().failures();
            let has_keys = self.has_keys();
            tracing::warn!(issuer = url, error, failures, has_keys, "no key set fetched");
        }
        self.fetching.send_replace(false);
    }

    /// Puts the fetched keys into use.
    fn put_into_use(&self, text: Result<String, String>) -> Result<(), String> {
        let IssuerSettings { url, policy, .. } = self.settings;
        let now = NumericDate::now();
        let text = text.inspect_err(|_| self.refresh().failed(now))?;
        match Keys::from_json(&text) {
            Ok(keys) => {
                self.report(&keys);
                let issuer = Issuer::new(url, keys).map_err(|error| error.to_string())?;
                self.trusted.replace(url, [(Arc::new(issuer), policy)]);
                self.refresh().succeeded(now);
                Ok(())
            }
            Err(error @ Error::NoUsableKeys(_)) => {
                // The issuer has withdrawn its keys.
                self.trusted.remove(url);
                self.refresh().succeeded_without_keys(now);
                Err(error.to_string())
            }
            Err(error) => {
                self.refresh().failed(now);
                Err(error.to_string())
            }
        }
    }

    /// Logs a key set that was fetched.
    fn report(&self, keys: &Keys) {
        let url = &self.settings.url;
        tracing::info!(
            issuer = url,
            keys = keys.keys().len(),
            skipped = keys.skipped().len(),
            "key set fetched"
        );
        for skipped in keys.skipped() {
            tracing::debug!(
                issuer = url, index = skipped.index, reason = %skipped.reason,
                "key skipped"
            );
        }
        self.metrics.fetched(url, keys.keys().len());
    }

    fn refresh(&self) -> MutexGuard<'_, JwksRefresh> {
        self.refresh.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a key set, from where it is.
fn read(source: &KeySource, timeout: Duration) -> Result<String, String> {
    let url = match source {
        KeySource::File(path) => {
            return std::fs::read_to_string(path).map_err(|error| error.to_string());
        }
        KeySource::Url(url) => url,
    };
    // Keys come from the URL that is configured, and from nowhere that it leads to.
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(timeout))
        .max_redirects(0)
        .user_agent(concat!("claimgate-forward-auth/", env!("CARGO_PKG_VERSION")));
    // Plain HTTP is for what is near.
    let config = if url.starts_with("http:") { config.proxy(None) } else { config };
    let config = config.build();
    let mut response =
        ureq::Agent::new_with_config(config).get(url).call().map_err(|error| error.to_string())?;
    if response.status() != 200 {
        return Err(format!("the issuer answered {}", response.status()));
    }
    let body = response.body_mut().with_config().limit(MAX_RESPONSE);
    body.read_to_string().map_err(|error| error.to_string())
}
