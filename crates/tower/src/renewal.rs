//! Renewal of an authority's keys, by one task, which is the only one that fetches them.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use claimgate::refresh::{JwksRefresh, RefreshDecision};
use claimgate::{Error, NumericDate};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::{sleep, timeout};

use crate::fetch::Fetcher;
use crate::health::AuthorityHealth;
use crate::judge::{Judge, Loaded};
use crate::refusal::Refusal;
use crate::source::{Source, Stamp};

/// The maximum sleep, after which the clock is read again, because it may have been set.
const LOOK_AT_THE_CLOCK: Duration = Duration::from_secs(30);

/// The interval at which a file is checked for changes.
const LOOK_AT_THE_FILE: Duration = Duration::from_secs(2);

/// A function that returns the time at which tokens are validated.
pub(crate) type Clock = Arc<dyn Fn() -> NumericDate + Send + Sync>;

/// An authority, and the state of its keys.
pub(crate) struct Renewal {
    pub(crate) issuer: Arc<str>,
    pub(crate) judge: Arc<dyn Judge>,
    source: Source,
    fetcher: Fetcher,
    clock: Clock,
    refresh: Mutex<JwksRefresh>,
    /// Whether a fetch is in progress or about to begin. Changed together with `refresh`.
    is_fetching: watch::Sender<bool>,
    /// Wakes the task to begin a fetch.
    begin: Notify,
    /// The requests that may wait for a fetch.
    waiting: Semaphore,
    wait: Duration,
    /// The error of the last fetch, and the key set that was loaded last.
    outcome: Mutex<(Option<String>, Loaded)>,
    fetches: AtomicU64,
    /// Notified after each fetch of any authority.
    ended: watch::Sender<()>,
}

/// The limits of the requests that wait for a fetch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    pub(crate) requests: usize,
    pub(crate) time: Duration,
}

impl Renewal {
    pub(crate) fn new(
        (issuer, judge): (Arc<str>, Arc<dyn Judge>),
        (source, fetcher): (Source, Fetcher),
        refresh: JwksRefresh,
        waiting: Waiting,
        (clock, ended): (Clock, watch::Sender<()>),
    ) -> Self {
        Self {
            issuer,
            judge,
            source,
            fetcher,
            clock,
            refresh: Mutex::new(refresh),
            is_fetching: watch::Sender::new(false),
            begin: Notify::new(),
            waiting: Semaphore::new(waiting.requests),
            wait: waiting.time,
            outcome: Mutex::new((None, Loaded { keys: 0, skipped: 0 })),
            fetches: AtomicU64::new(0),
            ended,
        }
    }

    /// Fetches the keys when they are due or a fetch was requested, until the task is aborted.
    pub(crate) async fn run(self: Arc<Self>) {
        if let Source::Fixed(_) = self.source {
            return;
        }
        let mut stamp = None;
        loop {
            match self.begin_on_schedule() {
                RefreshDecision::FetchNow => {
                    // Before the file is read, so that a later change is detected.
                    stamp = self.stamp().await;
                    self.fetch().await;
                }
                RefreshDecision::Wait { seconds } => {
                    let mut longest = LOOK_AT_THE_CLOCK;
                    if self.source.file().is_some() {
                        longest = LOOK_AT_THE_FILE;
                    }
                    let rest = Duration::from_secs(seconds).min(longest);
                    tokio::select! {
                        () = sleep(rest) => {}
                        () = self.begin.notified() => {}
                    }
                    if self.stamp().await != stamp {
                        self.begin_in_any_case();
                    }
                }
            }
        }
    }

    async fn stamp(&self) -> Option<Stamp> {
        Stamp::of(self.source.file()?).await
    }

    /// Loads the configured key set.
    pub(crate) fn load_fixed(&self) -> Result<(), Error> {
        if let Source::Fixed(jwks) = &self.source {
            let now = (self.clock)();
            let loaded = self.judge.load(jwks)?;
            self.outcome().1 = loaded;
            self.report(&Ok(loaded), now);
        }
        Ok(())
    }

    /// Returns whether to fetch now. The fetch then counts as begun.
    fn begin_on_schedule(&self) -> RefreshDecision {
        let mut refresh = self.refresh();
        if *self.is_fetching.borrow() {
            return RefreshDecision::FetchNow;
        }
        let fetched_at = refresh.fetched_at();
        let decision = refresh.on_schedule((self.clock)());
        if refresh.fetched_at() != fetched_at {
            // The clock has gone back, and the age of the keys is measured from its new time.
            self.judge.publish(*refresh);
        }
        if decision == RefreshDecision::FetchNow {
            self.is_fetching.send_replace(true);
        }
        decision
    }

    fn begin_in_any_case(&self) {
        let _refresh = self.refresh();
        self.is_fetching.send_replace(true);
    }

    /// Begins a fetch if the refusal indicates one and the cool-down is over. Returns whether
    /// a fetch is in progress.
    pub(crate) fn begin_after(&self, refusal: &Refusal) -> bool {
        let error = match refusal {
            Refusal::Token(error) if error.is_worth_a_key_refresh() => error,
            // The fetch in progress may be the first.
            Refusal::NoKeys => return *self.is_fetching.borrow(),
            _ => return false,
        };
        if let Source::Fixed(_) = self.source {
            return false;
        }
        let mut refresh = self.refresh();
        if *self.is_fetching.borrow() {
            return true;
        }
        let is_begun = refresh.on_refusal(error, (self.clock)()) == RefreshDecision::FetchNow;
        if is_begun {
            self.is_fetching.send_replace(true);
            self.begin.notify_one();
        }
        is_begun
    }

    /// Waits for the fetch in progress.
    pub(crate) async fn wait(&self) -> Result<(), Refusal> {
        let Ok(_permit) = self.waiting.try_acquire() else { return Err(Refusal::Busy) };
        let mut is_fetching = self.is_fetching.subscribe();
        let ended = is_fetching.wait_for(|is_fetching| !is_fetching);
        match timeout(self.wait, ended).await {
            Ok(_) => Ok(()),
            Err(_) => Err(Refusal::Busy),
        }
    }

    async fn fetch(&self) {
        let issuer = self.issuer.as_ref();
        let result = self.source.read(&self.fetcher).await.map_err(|error| error.to_string());
        let now = (self.clock)();
        let loaded =
            result.and_then(|jwks| self.judge.load(&jwks).map_err(|error| error.to_string()));
        let failures = self.report(&loaded, now);
        let outcome = if loaded.is_ok() { "success" } else { "failure" };
        metrics::counter!(
            "claimgate_key_fetches_total", "issuer" => issuer.to_owned(), "outcome" => outcome
        )
        .increment(1);
        match loaded {
            Ok(loaded) => {
                let Loaded { keys, skipped } = loaded;
                if keys == 0 {
                    tracing::error!(issuer, skipped, "the key set has no usable key");
                } else {
                    tracing::info!(issuer, keys, skipped, "key set fetched");
                }
                let count = u32::try_from(keys).unwrap_or(u32::MAX);
                metrics::gauge!("claimgate_keys", "issuer" => issuer.to_owned()).set(count);
                *self.outcome() = (None, loaded);
            }
            Err(error) => {
                tracing::warn!(issuer, error, failures, "no key set fetched");
                self.outcome().0 = Some(error);
            }
        }
        self.fetches.fetch_add(1, Relaxed);
        {
            let _refresh = self.refresh();
            self.is_fetching.send_replace(false);
        }
        self.ended.send_replace(());
    }

    /// Reports the result of a fetch, and returns the number of failures.
    fn report(&self, loaded: &Result<Loaded, String>, now: NumericDate) -> u32 {
        let mut refresh = self.refresh();
        match loaded {
            Ok(Loaded { keys: 0, .. }) => refresh.succeeded_without_keys(now),
            Ok(_) => refresh.succeeded(now),
            Err(_) => refresh.failed(now),
        }
        self.judge.publish(*refresh);
        refresh.failures()
    }

    pub(crate) fn health(&self) -> AuthorityHealth {
        let (fetched_at, failures) = {
            let refresh = self.refresh();
            (refresh.fetched_at(), refresh.failures())
        };
        let (last_failure, Loaded { keys, skipped }) = self.outcome().clone();
        AuthorityHealth {
            issuer: self.issuer.as_ref().to_owned(),
            state: self.judge.state((self.clock)()),
            keys,
            skipped,
            fetched_at,
            fetches: self.fetches.load(Relaxed),
            failures,
            last_failure,
        }
    }

    fn refresh(&self) -> MutexGuard<'_, JwksRefresh> {
        self.refresh.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn outcome(&self) -> MutexGuard<'_, (Option<String>, Loaded)> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
