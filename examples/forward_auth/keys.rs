//! An issuer's keys: fetched, kept, and fetched again, when `JwksRefresh` says
//! so.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use claimgate::{Error, JwkSet, JwksRefresh, NumericDate, RefreshDecision, RingKey};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

use crate::cache::SharedCache;
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

pub type Keys = JwkSet<RingKey, MAX_KEYS>;

/// The system's clock.
pub fn now() -> NumericDate {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    NumericDate::from_secs(since_epoch.as_secs())
}

/// An issuer and the keys that it has at the moment.
pub struct IssuerKeys {
    pub settings: IssuerSettings,
    /// The tokens that its keys have verified.
    pub cache: SharedCache,
    keys: RwLock<Option<Arc<Keys>>>,
    refresh: Mutex<JwksRefresh>,
    /// Whether a fetch is under way.
    fetching: watch::Sender<bool>,
    waiting: Semaphore,
    metrics: Arc<Metrics>,
}

impl IssuerKeys {
    pub fn new(settings: IssuerSettings, metrics: Arc<Metrics>) -> Self {
        Self {
            cache: SharedCache::new(),
            keys: RwLock::new(None),
            refresh: Mutex::new(settings.refresh),
            fetching: watch::Sender::new(false),
            waiting: Semaphore::new(MAX_WAITING),
            settings,
            metrics,
        }
    }

    /// The keys at hand; `None` until the first fetch has succeeded, and when they were
    /// withdrawn or are too old.
    pub fn current(&self) -> Option<Arc<Keys>> {
        if !self.refresh().are_keys_usable(now()) {
            return None;
        }
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Fetches the keys whenever they are old, for ever.
    pub async fn keep_fresh(self: Arc<Self>) {
        loop {
            match self.ask(|refresh| refresh.on_schedule(now())) {
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
        if self.ask(|refresh| refresh.on_refusal(error, now())) == RefreshDecision::FetchNow {
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
        let result = read.unwrap_or_else(|error| Err(error.to_string()));
        let outcome = match result {
            Ok(text) => {
                let fetched = Keys::from_json(&text).map(Arc::new);
                if let Ok(keys) = &fetched {
                    self.report(keys);
                }
                let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
                let complete = self.refresh().complete(fetched, &mut keys, now());
                complete.map_err(|error| error.to_string())
            }
            Err(error) => {
                self.refresh().failed(now());
                Err(error)
            }
        };
        if let Err(error) = outcome {
            self.metrics.fetch_failed(url);
            let failures = self.refresh().failures();
            let has_keys = self.current().is_some();
            tracing::warn!(issuer = url, error, failures, has_keys, "no key set fetched");
        }
        self.fetching.send_replace(false);
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
