//! What is counted, for Prometheus.

use std::time::Duration;

use prometheus::{
    Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder,
};

/// Seconds: from a cache hit to a key set fetched in between.
const BUCKETS: &[f64] =
    &[1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 1e-2, 1e-1, 1.0];

/// The counters. Labels have few values: error codes are a fixed list, issuers
/// are those of the configuration.
pub struct Metrics {
    registry: Registry,
    verdicts: IntCounterVec,
    validation: Histogram,
    request: Histogram,
    cache_hits: IntCounter,
    cache_misses: IntCounter,
    fetches: IntCounterVec,
    keys: IntGaugeVec,
}

/// Where a token was found.
#[derive(Clone, Copy)]
pub enum Found {
    InCache,
    Nowhere,
}

impl Metrics {
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let histogram = |name: &str, help: &str| {
            let histogram =
                Histogram::with_opts(HistogramOpts::new(name, help).buckets(BUCKETS.to_vec()))?;
            registry.register(Box::new(histogram.clone()))?;
            prometheus::Result::Ok(histogram)
        };
        let counter = |name: &str, help: &str| {
            let counter = IntCounter::new(name, help)?;
            registry.register(Box::new(counter.clone()))?;
            prometheus::Result::Ok(counter)
        };
        let counters = |name: &str, help: &str, labels: &[&str]| {
            let counters = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counters.clone()))?;
            prometheus::Result::Ok(counters)
        };
        let keys = IntGaugeVec::new(
            Opts::new("forward_auth_keys", "Usable keys of an issuer"),
            &["issuer"],
        )?;
        registry.register(Box::new(keys.clone()))?;
        Ok(Self {
            verdicts: counters(
                "forward_auth_verdicts_total",
                "Requests by verdict: valid, or why not",
                &["code"],
            )?,
            validation: histogram(
                "forward_auth_validation_seconds",
                "Time that the validation of a request's token took",
            )?,
            request: histogram(
                "forward_auth_request_seconds",
                "Time from a request's arrival in this service to its answer",
            )?,
            cache_hits: counter(
                "forward_auth_cache_hits_total",
                "Tokens that were found verified already",
            )?,
            cache_misses: counter(
                "forward_auth_cache_misses_total",
                "Tokens that were not found in the cache",
            )?,
            fetches: counters(
                "forward_auth_jwks_fetches_total",
                "Fetches of key sets by outcome",
                &["issuer", "outcome"],
            )?,
            keys,
            registry,
        })
    }

    pub fn verdict(&self, code: &str, elapsed: Duration) {
        self.verdicts.with_label_values(&[code]).inc();
        self.request.observe(elapsed.as_secs_f64());
    }

    pub fn validation(&self, elapsed: Duration, found: Found) {
        self.validation.observe(elapsed.as_secs_f64());
        match found {
            Found::InCache => self.cache_hits.inc(),
            Found::Nowhere => self.cache_misses.inc(),
        }
    }

    pub fn fetched(&self, issuer: &str, keys: usize) {
        self.fetches.with_label_values(&[issuer, "success"]).inc();
        self.keys.with_label_values(&[issuer]).set(i64::try_from(keys).unwrap_or(i64::MAX));
    }

    pub fn fetch_failed(&self, issuer: &str) {
        self.fetches.with_label_values(&[issuer, "failure"]).inc();
    }

    /// The text that Prometheus scrapes.
    pub fn text(&self) -> prometheus::Result<String> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}
