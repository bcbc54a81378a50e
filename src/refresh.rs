//! When to fetch an issuer's key set again: a decision, not a download.

use crate::claims::NumericDate;
use crate::error::Error;

/// How many seconds a key set is used before it is fetched again, unless
/// [`JwksRefresh::max_age`] says otherwise: an hour. A key that its issuer
/// withdraws is trusted for that long at most, as long as the issuer answers.
const DEFAULT_JWKS_MAX_AGE: u64 = 3_600;

/// How many seconds lie between two fetches at least, unless
/// [`JwksRefresh::cool_down`] says otherwise: a minute.
const DEFAULT_JWKS_COOL_DOWN: u64 = 60;

/// How many seconds failures can stretch the cool-down to, unless
/// [`JwksRefresh::max_back_off`] says otherwise: a quarter of an hour.
const DEFAULT_JWKS_MAX_BACK_OFF: u64 = 900;

/// Whether to fetch a key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use = "the fetch is already counted as begun"]
pub enum Refresh {
    /// Fetch it now, and report the outcome with [`JwksRefresh::succeeded`] or
    /// [`JwksRefresh::failed`].
    Now,
    /// Go on with the keys at hand.
    Wait {
        /// In how many seconds the same question would be answered with
        /// [`Refresh::Now`], if nothing happens until then.
        seconds: u64,
    },
}

/// When to fetch one issuer's key set again.
///
/// It fetches nothing and reads no clock. It is asked at two occasions, and
/// answers [`Refresh::Now`] or how long to [`Refresh::Wait`]:
///
/// - [`on_schedule`](Self::on_schedule), every now and then: yes, if the set
///   has its [`max_age`](Self::max_age) or was never fetched;
/// - [`on_refusal`](Self::on_refusal), when a token was refused: yes, if the
///   [error](Error::is_worth_a_key_refresh) says that a newer set could help,
///   as it does after a key rotation.
///
/// Whatever the occasion, a [cool-down](Self::cool_down) lies between two
/// fetches. Anybody can send tokens with a `kid` that no key has; a million of
/// them a minute cause one fetch per cool-down. Each further failure in a row
/// doubles the wait, up to [`max_back_off`](Self::max_back_off). Meanwhile the keys at
/// hand go on working: an issuer that is down for an hour locks nobody out.
///
/// [`Refresh::Now`] counts as the beginning of a fetch, so one thread of several
/// that share the value behind a lock gets it. A fetch whose outcome is never
/// reported counts as failed when its wait is over: let fetches time out
/// earlier than that.
///
/// All times are seconds since the epoch by the caller's clock, whether right or
/// only monotonic since start. A clock that goes back restarts the waits from
/// its new time; a jump ahead counts as time that passed.
///
/// ```
/// use claimgate::{Error, JwksRefresh, NumericDate, Refresh};
///
/// let mut refresh = JwksRefresh::new().cool_down(60);
/// let start = NumericDate::from_secs(1_311_280_970);
/// assert_eq!(refresh.on_schedule(start), Refresh::Now);
/// // … the application fetches the set, parses it, and puts it into use …
/// refresh.succeeded(start);
///
/// // Ten seconds later a token names a key that is not in the set.
/// let now = NumericDate::from_secs(1_311_280_980);
/// assert_eq!(refresh.on_refusal(&Error::UnknownKey, now), Refresh::Wait { seconds: 50 });
/// let now = NumericDate::from_secs(1_311_281_030);
/// assert_eq!(refresh.on_refusal(&Error::UnknownKey, now), Refresh::Now);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JwksRefresh {
    max_age: u64,
    cool_down: u64,
    max_back_off: u64,
    /// When the set in use came.
    fetched_at: Option<NumericDate>,
    /// When the last fetch began, or ended if it has.
    attempted_at: Option<NumericDate>,
    attempt: Attempt,
    /// Failures since the last success.
    failures: u32,
}

/// The last fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    /// It has not begun, or its outcome is known.
    Over,
    UnderWay,
}

impl JwksRefresh {
    /// For a key set that has not been fetched yet, with the three defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            max_age: DEFAULT_JWKS_MAX_AGE,
            cool_down: DEFAULT_JWKS_COOL_DOWN,
            max_back_off: DEFAULT_JWKS_MAX_BACK_OFF,
            fetched_at: None,
            attempted_at: None,
            attempt: Attempt::Over,
            failures: 0,
        }
    }

    /// After how many seconds a set is old. Shorter than the cool-down, it has
    /// the cool-down's effect.
    #[must_use]
    pub const fn max_age(mut self, seconds: u64) -> Self {
        self.max_age = seconds;
        self
    }

    /// How many seconds lie between two fetches at least. 0 counts as 1: without
    /// a cool-down, whoever sends tokens decides how often the issuer is asked.
    #[must_use]
    pub const fn cool_down(mut self, seconds: u64) -> Self {
        self.cool_down = if seconds == 0 { 1 } else { seconds };
        self
    }

    /// How many seconds failures can stretch the wait to. Shorter than the
    /// cool-down, nothing is stretched.
    #[must_use]
    pub const fn max_back_off(mut self, seconds: u64) -> Self {
        self.max_back_off = seconds;
        self
    }

    /// When the set in use was fetched; `None` before the first success.
    #[must_use]
    pub const fn fetched_at(&self) -> Option<NumericDate> {
        self.fetched_at
    }

    /// How many fetches have failed since the last success.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// Asks at the time `now` whether the set is old enough to be fetched again.
    /// A set that was never fetched is.
    pub const fn on_schedule(&mut self, now: NumericDate) -> Refresh {
        self.follow_clock(now);
        let wait = self.wait_for_age(now);
        self.start(wait, now)
    }

    /// Asks at the time `now`, when a token was refused with `error`, whether to
    /// fetch the set and try the token once more. Errors that a newer set cannot
    /// change leave it to the set's age.
    pub const fn on_refusal(&mut self, error: &Error, now: NumericDate) -> Refresh {
        self.follow_clock(now);
        let wait = if error.is_worth_a_key_refresh() {
            self.wait_for_attempt(now)
        } else {
            self.wait_for_age(now)
        };
        self.start(wait, now)
    }

    /// Reports at the time `now` that the set was fetched, parsed, and put into
    /// use.
    pub const fn succeeded(&mut self, now: NumericDate) {
        self.fetched_at = Some(now);
        self.attempted_at = Some(now);
        self.attempt = Attempt::Over;
        self.failures = 0;
    }

    /// Reports at the time `now` that the fetch failed, or that what came is no
    /// usable key set.
    pub const fn failed(&mut self, now: NumericDate) {
        self.attempted_at = Some(now);
        self.attempt = Attempt::Over;
        self.failures = self.failures.saturating_add(1);
    }

    const fn start(&mut self, wait: u64, now: NumericDate) -> Refresh {
        if wait > 0 {
            return Refresh::Wait { seconds: wait };
        }
        if let Attempt::UnderWay = self.attempt {
            self.failures = self.failures.saturating_add(1);
        }
        self.attempted_at = Some(now);
        self.attempt = Attempt::UnderWay;
        Refresh::Now
    }

    /// Seconds until another fetch may begin.
    const fn wait_for_attempt(&self, now: NumericDate) -> u64 {
        // The first failure keeps the cool-down, each further one doubles it.
        let doublings = self.failures.saturating_sub(1);
        let factor = match 1_u64.checked_shl(doublings) {
            Some(factor) => factor,
            None => u64::MAX,
        };
        let stretched = self.cool_down.saturating_mul(factor);
        let limit = longer(self.cool_down, self.max_back_off);
        remaining(self.attempted_at, if stretched < limit { stretched } else { limit }, now)
    }

    /// Seconds until the set is old, and another fetch may begin.
    const fn wait_for_age(&self, now: NumericDate) -> u64 {
        longer(remaining(self.fetched_at, self.max_age, now), self.wait_for_attempt(now))
    }

    /// Takes times that are still to come for now. Without that, a clock that
    /// was once far ahead would put off all fetches until it is there again.
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

const fn not_after(time: Option<NumericDate>, now: NumericDate) -> Option<NumericDate> {
    match time {
        Some(time) if time.as_secs() > now.as_secs() => Some(now),
        time => time,
    }
}

/// What is left of `wait` seconds since `start`.
const fn remaining(start: Option<NumericDate>, wait: u64, now: NumericDate) -> u64 {
    match start {
        None => 0,
        Some(start) => wait.saturating_sub(now.as_secs().saturating_sub(start.as_secs())),
    }
}
