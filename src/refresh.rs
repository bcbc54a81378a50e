//! When to fetch an issuer's key set again, and how long its keys are trusted.

use crate::claims::NumericDate;
use crate::error::Error;

/// The decision whether to fetch a key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use = "the fetch is already counted as begun"]
pub enum RefreshDecision {
    /// Fetch it now, and report the result with [`JwksRefresh::complete`], or with
    /// [`JwksRefresh::failed`] if nothing was fetched.
    FetchNow,
    /// Do not fetch it yet.
    Wait {
        /// The number of seconds after which the decision will be
        /// [`RefreshDecision::FetchNow`], unless the state changes before.
        seconds: u64,
    },
}

/// Decides when to fetch one issuer's key set again, and how long its keys are trusted.
///
/// It performs no I/O and reads no clock. It is called on two occasions, and returns
/// [`RefreshDecision::FetchNow`] or the time to [`RefreshDecision::Wait`]:
///
/// - [`on_schedule`](Self::on_schedule), at regular intervals: fetch if the set has reached
///   its [`max_age`](Self::max_age), or if there are no keys;
/// - [`on_refusal`](Self::on_refusal), when a token was rejected: fetch if the
///   [error](Error::is_worth_a_key_refresh) indicates that a newer set could help, for example
///   after a key rotation.
///
/// # Between two fetches
///
/// While there are keys, two fetches are at least a [cool-down](Self::cool_down) apart, on
/// both occasions. Anyone can send tokens with an unknown `kid`; a million of them a minute
/// cause one fetch per cool-down. Each further failure in a row doubles the wait, up to
/// [`max_back_off`](Self::max_back_off).
///
/// Without keys no token can be validated, so retries are sooner: 1, 2, 4, 8 seconds after a
/// failed fetch and so on, up to the cool-down. After a set without a usable key, the next
/// fetch is after the cool-down.
///
/// # How long keys are trusted
///
/// - A key set replaces the previous one even if none of its keys is usable, because its
///   issuer has withdrawn the old keys. [`complete`](Self::complete) implements this.
/// - After a failed fetch, or a text that is not a key set, the keys remain in use, so that an
///   outage of the issuer for an hour locks out no user.
/// - Keys that could not be refreshed are trusted until they have the age
///   [`max_stale`](Self::max_stale), 24 hours by default. After that
///   [`are_keys_usable`](Self::are_keys_usable) returns `false`, and no token may be validated
///   with them.
///
/// # Fetches in progress
///
/// [`RefreshDecision::FetchNow`] counts as the beginning of a fetch, so only one of several
/// threads that share the value with a lock receives it. A fetch whose result is never
/// reported counts as failed when its wait is over, after the cool-down or later: fetches must
/// time out earlier.
///
/// All times are seconds since the epoch by the caller's clock. If the clock goes back, the
/// waits and the ages restart at its new time; a jump ahead counts as elapsed time.
///
/// ```
/// use claimgate::refresh::{JwksRefresh, RefreshDecision};
/// use claimgate::{Error, NumericDate};
///
/// # fn fetch_and_parse() -> Result<(), Error> { Ok(()) }
/// // In place of `()`: `JwkSet<_, N>`, or an `Arc` of it.
/// let mut keys: Option<()> = None;
/// let mut refresh = JwksRefresh::new().cool_down(60);
///
/// let start = NumericDate::from_secs(1_311_280_970);
/// assert_eq!(refresh.on_schedule(start), RefreshDecision::FetchNow);
/// let fetched = fetch_and_parse();
/// refresh.complete(fetched, &mut keys, start)?;
///
/// // Ten seconds later a token names a key that is not in the set.
/// let now = NumericDate::from_secs(1_311_280_980);
/// let decision = refresh.on_refusal(&Error::UnknownKey, now);
/// assert_eq!(decision, RefreshDecision::Wait { seconds: 50 });
/// let now = NumericDate::from_secs(1_311_281_030);
/// assert_eq!(refresh.on_refusal(&Error::UnknownKey, now), RefreshDecision::FetchNow);
/// refresh.failed(now);
///
/// // The keys are still trusted, for at most a day.
/// assert!(refresh.are_keys_usable(now));
/// assert!(!refresh.are_keys_usable(NumericDate::from_secs(1_311_280_970 + 86_400)));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JwksRefresh {
    max_age: u64,
    max_stale: u64,
    cool_down: u64,
    max_back_off: u64,
    /// The time of the last successful fetch.
    fetched_at: Option<NumericDate>,
    /// Whether that set has a usable key.
    has_keys: bool,
    /// The time at which the last fetch began or, if it has ended, at which it ended.
    attempted_at: Option<NumericDate>,
    attempt: Attempt,
    /// The number of failures since the last success.
    failures: u32,
}

/// The state of the last fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    /// It has not begun, or its result is known.
    Over,
    UnderWay,
}

impl JwksRefresh {
    /// The default of [`max_age`](Self::max_age): an hour.
    pub const DEFAULT_MAX_AGE: u64 = 3_600;

    /// The default of [`max_stale`](Self::max_stale): 24 hours.
    pub const DEFAULT_MAX_STALE: u64 = 86_400;

    /// The default of [`cool_down`](Self::cool_down): a minute.
    pub const DEFAULT_COOL_DOWN: u64 = 60;

    /// The default of [`max_back_off`](Self::max_back_off): a quarter of an hour.
    pub const DEFAULT_MAX_BACK_OFF: u64 = 900;

    /// Returns the state before the first fetch, with the default settings.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            max_age: Self::DEFAULT_MAX_AGE,
            max_stale: Self::DEFAULT_MAX_STALE,
            cool_down: Self::DEFAULT_COOL_DOWN,
            max_back_off: Self::DEFAULT_MAX_BACK_OFF,
            fetched_at: None,
            has_keys: false,
            attempted_at: None,
            attempt: Attempt::Over,
            failures: 0,
        }
    }

    /// Sets the age in seconds at which a set is fetched again on schedule. While the issuer
    /// can be reached, a withdrawn key is trusted for at most this time. A value below the
    /// cool-down is equivalent to the cool-down.
    #[must_use]
    pub const fn max_age(mut self, seconds: u64) -> Self {
        self.max_age = seconds;
        self
    }

    /// Sets the age in seconds at which keys that could not be refreshed are no longer
    /// trusted. It should be several times [`max_age`](Self::max_age), because an outage of
    /// the issuer of this length ends all validation. If it is shorter, it is also the age at
    /// which a set is fetched again.
    #[must_use]
    pub const fn max_stale(mut self, seconds: u64) -> Self {
        self.max_stale = seconds;
        self
    }

    /// Sets the minimum number of seconds between two fetches while there are keys. 0 counts
    /// as 1: without a cool-down, clients could trigger fetches at any rate.
    #[must_use]
    pub const fn cool_down(mut self, seconds: u64) -> Self {
        self.cool_down = if seconds == 0 { 1 } else { seconds };
        self
    }

    /// Sets the maximum number of seconds between two fetches after failures, while there are
    /// keys. With a value below the cool-down, failures do not increase the wait.
    #[must_use]
    pub const fn max_back_off(mut self, seconds: u64) -> Self {
        self.max_back_off = seconds;
        self
    }

    /// Returns the time of the last successful fetch, or `None` before the first.
    #[must_use]
    pub const fn fetched_at(&self) -> Option<NumericDate> {
        self.fetched_at
    }

    /// Returns the number of fetches that failed since the last success.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// Returns whether tokens may be validated at the time `now` with the keys of the last
    /// set: it has a usable key and is younger than [`max_stale`](Self::max_stale).
    #[must_use]
    pub const fn are_keys_usable(&self, now: NumericDate) -> bool {
        self.has_keys && remaining(self.fetched_at, self.max_stale, now) > 0
    }

    /// Decides at the time `now` whether to fetch the set because of its age, or because there
    /// are no usable keys.
    pub const fn on_schedule(&mut self, now: NumericDate) -> RefreshDecision {
        self.follow_clock(now);
        let wait = self.wait_for_age(now);
        self.start(wait, now)
    }

    /// Decides at the time `now`, after a token was rejected with `error`, whether to fetch
    /// the set and validate the token again. For an error that a newer set cannot change, only
    /// the set's age counts.
    pub const fn on_refusal(&mut self, error: &Error, now: NumericDate) -> RefreshDecision {
        self.follow_clock(now);
        let wait = if error.is_worth_a_key_refresh() {
            self.wait_for_attempt(now)
        } else {
            self.wait_for_age(now)
        };
        self.start(wait, now)
    }

    /// Reports the result of a fetch at the time `now`: `fetched` is the result of
    /// [`JwkSet::from_json`] for the fetched text, and `keys` are the keys with which tokens
    /// are validated.
    ///
    /// - A key set replaces `keys` and counts as a success.
    /// - [`Error::NoUsableKeys`] also counts as a success, and `keys` is `None` afterwards:
    ///   the issuer has withdrawn the old ones.
    /// - Another error leaves `keys` unchanged and counts as a failure: the text is not a key
    ///   set, or the number of its members exceeds the capacity.
    ///
    /// # Errors
    ///
    /// The error of `fetched`.
    ///
    /// [`JwkSet::from_json`]: crate::JwkSet::from_json
    pub fn complete<T>(
        &mut self,
        fetched: Result<T, Error>,
        keys: &mut Option<T>,
        now: NumericDate,
    ) -> Result<(), Error> {
        match fetched {
            Ok(set) => {
                *keys = Some(set);
                self.succeeded(now);
                Ok(())
            }
            Err(error @ Error::NoUsableKeys(_)) => {
                *keys = None;
                self.succeeded_without_keys(now);
                Err(error)
            }
            Err(error) => {
                self.failed(now);
                Err(error)
            }
        }
    }

    /// Reports at the time `now` that a set with usable keys was fetched, parsed, and put into
    /// use. [`complete`](Self::complete) calls it.
    pub const fn succeeded(&mut self, now: NumericDate) {
        self.end_attempt(now);
        self.fetched_at = Some(now);
        self.has_keys = true;
        self.failures = 0;
    }

    /// Reports at the time `now` that a set without a usable key was fetched, and that the
    /// previous keys are no longer in use. [`complete`](Self::complete) calls it.
    pub const fn succeeded_without_keys(&mut self, now: NumericDate) {
        self.succeeded(now);
        self.has_keys = false;
    }

    /// Reports at the time `now` that the fetch failed: there was no response, or it is not a
    /// key set.
    pub const fn failed(&mut self, now: NumericDate) {
        self.end_attempt(now);
        self.failures = self.failures.saturating_add(1);
    }

    const fn end_attempt(&mut self, now: NumericDate) {
        self.attempted_at = Some(now);
        self.attempt = Attempt::Over;
    }

    const fn start(&mut self, wait: u64, now: NumericDate) -> RefreshDecision {
        if wait > 0 {
            return RefreshDecision::Wait { seconds: wait };
        }
        if let Attempt::UnderWay = self.attempt {
            self.failures = self.failures.saturating_add(1);
        }
        self.attempted_at = Some(now);
        self.attempt = Attempt::UnderWay;
        RefreshDecision::FetchNow
    }

    /// Returns the number of seconds until another fetch may begin.
    const fn wait_for_attempt(&self, now: NumericDate) -> u64 {
        let without_keys = remaining(self.attempted_at, self.retry_without_keys(), now);
        if !self.are_keys_usable(now) {
            return without_keys;
        }
        let limit = longer(self.cool_down, self.max_back_off);
        // The first failure does not increase the cool-down.
        let back_off = shorter(doubled(self.cool_down, self.failures), limit);
        // The keys may become unusable before that.
        let usable = remaining(self.fetched_at, self.max_stale, now);
        shorter(remaining(self.attempted_at, back_off, now), longer(usable, without_keys))
    }

    /// Returns the number of seconds between two fetches while there are no keys.
    const fn retry_without_keys(&self) -> u64 {
        match (self.attempt, self.failures) {
            (Attempt::UnderWay, _) | (Attempt::Over, 0) => self.cool_down,
            (Attempt::Over, failures) => shorter(doubled(1, failures), self.cool_down),
        }
    }

    /// Returns the number of seconds until the set is due and another fetch may begin.
    const fn wait_for_age(&self, now: NumericDate) -> u64 {
        let age = if self.has_keys { shorter(self.max_age, self.max_stale) } else { 0 };
        longer(remaining(self.fetched_at, age, now), self.wait_for_attempt(now))
    }

    /// Sets times in the future to `now`. Otherwise, a clock that was far ahead for a while
    /// would delay all fetches until that time.
    const fn follow_clock(&mut self, now: NumericDate) {
        self.fetched_at = not_after(self.fetched_at, now);
        self.attempted_at = not_after(self.attempted_at, now);
    }
}

impl Default for JwksRefresh {
    fn default() -> Self {
        Self::new()
    }
}

const fn longer(left: u64, right: u64) -> u64 {
    if left > right { left } else { right }
}

const fn shorter(left: u64, right: u64) -> u64 {
    if left < right { left } else { right }
}

/// Returns `seconds`, doubled for each failure except the first.
const fn doubled(seconds: u64, failures: u32) -> u64 {
    let factor = match 1_u64.checked_shl(failures.saturating_sub(1)) {
        Some(factor) => factor,
        None => u64::MAX,
    };
    seconds.saturating_mul(factor)
}

const fn not_after(time: Option<NumericDate>, now: NumericDate) -> Option<NumericDate> {
    match time {
        Some(time) if time.as_secs() > now.as_secs() => Some(now),
        time => time,
    }
}

/// Returns the rest of `wait` seconds since `start`.
const fn remaining(start: Option<NumericDate>, wait: u64, now: NumericDate) -> u64 {
    match start {
        None => 0,
        Some(start) => wait.saturating_sub(now.as_secs().saturating_sub(start.as_secs())),
    }
}
