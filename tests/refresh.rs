//! When a key set is fetched again.

use claimgate::{
    DEFAULT_JWKS_COOL_DOWN, DEFAULT_JWKS_MAX_AGE, DEFAULT_JWKS_MAX_BACK_OFF, Error, JwksRefresh,
    NumericDate, Refresh,
};

const START: u64 = 1_311_280_970;

/// An hour, a minute, and ten minutes at most.
const REFRESH: JwksRefresh = JwksRefresh::new().max_age(3_600).cool_down(60).max_back_off(600);

fn at(seconds: u64) -> NumericDate {
    NumericDate::from_secs(START + seconds)
}

const fn wait(seconds: u64) -> Refresh {
    Refresh::Wait { seconds }
}

/// A set that came at the start.
fn fetched() -> JwksRefresh {
    let mut refresh = REFRESH;
    assert_eq!(refresh.on_schedule(at(0)), Refresh::Now);
    refresh.succeeded(at(0));
    refresh
}

#[test]
fn the_defaults_are_an_hour_a_minute_and_a_quarter_of_an_hour() {
    let defaults = (DEFAULT_JWKS_MAX_AGE, DEFAULT_JWKS_COOL_DOWN, DEFAULT_JWKS_MAX_BACK_OFF);
    assert_eq!(defaults, (3_600, 60, 900));
    let same = JwksRefresh::new().max_age(3_600).cool_down(60).max_back_off(900);
    assert_eq!(JwksRefresh::default(), same);
}

#[test]
fn a_set_that_was_never_fetched_is_fetched_at_once() {
    let mut refresh = REFRESH;
    assert_eq!(refresh.fetched_at(), None);
    assert_eq!(refresh.on_schedule(at(0)), Refresh::Now);
    let mut refresh = REFRESH;
    assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(0)), Refresh::Now);
    let mut refresh = REFRESH;
    assert_eq!(refresh.on_schedule(NumericDate::from_secs(0)), Refresh::Now);
}

#[test]
fn now_is_answered_to_one_of_several_who_ask() {
    let mut refresh = REFRESH;
    assert_eq!(refresh.on_schedule(at(0)), Refresh::Now);
    assert_eq!(refresh.on_schedule(at(0)), wait(60));
    assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(1)), wait(59));
}

#[test]
fn a_set_is_fetched_again_at_its_maximal_age_and_not_before() {
    let mut refresh = fetched();
    assert_eq!(refresh.fetched_at(), Some(at(0)));
    assert_eq!(refresh.on_schedule(at(0)), wait(3_600));
    assert_eq!(refresh.on_schedule(at(3_599)), wait(1));
    assert_eq!(refresh.on_schedule(at(3_600)), Refresh::Now);
    assert_eq!(fetched().on_schedule(at(3_601)), Refresh::Now);
}

#[test]
fn an_unknown_key_refreshes_after_the_cool_down_and_not_before() {
    let mut refresh = fetched();
    assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(0)), wait(60));
    assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(59)), wait(1));
    assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(60)), Refresh::Now);
    assert_eq!(fetched().on_refusal(&Error::UnknownKey, at(61)), Refresh::Now);
}

#[test]
fn other_errors_leave_it_to_the_age() {
    for error in [
        Error::InvalidSignature,
        Error::UnknownIssuer,
        Error::Expired { exp: 0, now: 0, leeway: 0 },
        Error::AmbiguousKey { candidates: 2 },
    ] {
        let mut refresh = fetched();
        assert!(!error.is_worth_a_key_refresh());
        assert_eq!(refresh.on_refusal(&error, at(60)), wait(3_540), "{error}");
        assert_eq!(refresh.on_refusal(&error, at(3_600)), Refresh::Now, "{error}");
    }
}

#[test]
fn a_million_unknown_keys_a_minute_cause_one_fetch_per_cool_down() {
    let mut refresh = fetched();
    let (minutes, per_second) = (10, 16_667);
    let mut fetches = Vec::new();
    for second in 1..=minutes * 60 {
        for _ in 0..per_second {
            if refresh.on_refusal(&Error::UnknownKey, at(second)) == Refresh::Now {
                fetches.push(second);
                // The issuer does not have the key either.
                refresh.succeeded(at(second));
            }
        }
    }
    assert_eq!(fetches, [60, 120, 180, 240, 300, 360, 420, 480, 540, 600]);
}

#[test]
fn the_flood_is_bounded_while_the_issuer_is_down_too() {
    let mut refresh = fetched();
    let mut fetches = Vec::new();
    for second in 1..=3_600 {
        for _ in 0..100 {
            if refresh.on_refusal(&Error::UnknownKey, at(second)) == Refresh::Now {
                fetches.push(second);
                refresh.failed(at(second));
            }
        }
    }
    // 60 after the first failure, then 120, 240, 480, and 600 from there on.
    assert_eq!(fetches, [60, 120, 240, 480, 960, 1_560, 2_160, 2_760, 3_360]);
}

#[test]
fn failures_double_the_wait_up_to_the_limit() {
    let mut refresh = REFRESH;
    let mut now = 0;
    for (failures, expected) in
        [(1, 60), (2, 120), (3, 240), (4, 480), (5, 600), (6, 600), (7, 600)]
    {
        assert_eq!(refresh.on_schedule(at(now)), Refresh::Now);
        refresh.failed(at(now));
        assert_eq!(refresh.failures(), failures);
        assert_eq!(refresh.on_schedule(at(now)), wait(expected));
        assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(now)), wait(expected));
        now += expected - 1;
        assert_eq!(refresh.on_schedule(at(now)), wait(1));
        now += 1;
    }
}

#[test]
fn more_failures_than_an_integer_has_bits_keep_to_the_limit() {
    for limit in [600, u64::MAX] {
        let mut refresh = JwksRefresh::new().max_back_off(limit);
        for _ in 0..200 {
            refresh.failed(at(0));
        }
        assert_eq!(refresh.on_schedule(at(0)), wait(limit));
    }
}

#[test]
fn a_success_forgets_the_failures() {
    let mut refresh = REFRESH;
    for now in [0, 1_000, 2_000] {
        assert_eq!(refresh.on_schedule(at(now)), Refresh::Now);
        refresh.failed(at(now));
    }
    assert_eq!(refresh.on_schedule(at(3_000)), Refresh::Now);
    refresh.succeeded(at(3_000));
    assert_eq!(refresh.failures(), 0);
    assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(3_059)), wait(1));
    assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(3_060)), Refresh::Now);
    refresh.failed(at(3_060));
    assert_eq!(refresh.on_schedule(at(3_060)), wait(3_540), "the old set's age counts");
    assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(3_060)), wait(60));
}

#[test]
fn the_wait_is_counted_from_the_end_of_a_fetch() {
    let mut refresh = REFRESH;
    assert_eq!(refresh.on_schedule(at(0)), Refresh::Now);
    refresh.failed(at(30));
    assert_eq!(refresh.on_schedule(at(60)), wait(30));
    assert_eq!(refresh.on_schedule(at(90)), Refresh::Now);
}

#[test]
fn a_fetch_without_an_outcome_counts_as_failed() {
    let mut refresh = REFRESH;
    assert_eq!(refresh.on_schedule(at(0)), Refresh::Now);
    assert_eq!(refresh.on_schedule(at(60)), Refresh::Now);
    assert_eq!(refresh.failures(), 1);
    assert_eq!(refresh.on_schedule(at(119)), wait(1));
    assert_eq!(refresh.on_schedule(at(120)), Refresh::Now);
    assert_eq!(refresh.failures(), 2);
    assert_eq!(refresh.on_schedule(at(239)), wait(1));
}

#[test]
fn a_clock_that_goes_back_restarts_the_waits() {
    // The clock said the year 9999 when the set came, and was set right then.
    let mut refresh = REFRESH;
    assert_eq!(refresh.on_schedule(NumericDate::MAX), Refresh::Now);
    refresh.succeeded(NumericDate::MAX);
    assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(0)), wait(60));
    assert_eq!(refresh.on_schedule(at(0)), wait(3_600));
    assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(60)), Refresh::Now);
    // Back within the wait of a failure.
    refresh.failed(at(60));
    assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(30)), wait(60));
    assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(89)), wait(1));
    assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(90)), Refresh::Now);
}

#[test]
fn a_clock_that_jumps_back_and_forth_does_not_open_the_flood() {
    let mut refresh = fetched();
    let mut fetches = Vec::new();
    // Every other question comes from a clock that is 30 seconds behind.
    for question in 0..100_000 {
        let second = question / 1_000;
        let now = at(600 + second - 30 * (question % 2));
        if refresh.on_refusal(&Error::UnknownKey, now) == Refresh::Now {
            fetches.push(second);
            refresh.succeeded(now);
        }
    }
    // A jump ahead counts as time that passed: the cool-down, less the jump.
    assert_eq!(fetches, [0, 30, 60, 90]);
}

#[test]
fn a_clock_that_jumps_ahead_makes_the_set_old() {
    let mut refresh = REFRESH;
    assert_eq!(refresh.on_schedule(NumericDate::from_secs(5)), Refresh::Now);
    refresh.succeeded(NumericDate::from_secs(5));
    assert_eq!(refresh.on_schedule(at(0)), Refresh::Now);
    assert_eq!(refresh.on_schedule(NumericDate::from_secs(u64::MAX)), Refresh::Now);
}

#[test]
fn no_cool_down_counts_as_one_second() {
    let mut refresh = JwksRefresh::new().cool_down(0).max_age(0);
    assert_eq!(refresh.on_schedule(at(0)), Refresh::Now);
    refresh.succeeded(at(0));
    assert_eq!(refresh.on_schedule(at(0)), wait(1));
    assert_eq!(refresh.on_schedule(at(1)), Refresh::Now);
}

#[test]
fn a_limit_below_the_cool_down_stretches_nothing() {
    let mut refresh = REFRESH.max_back_off(10);
    for _ in 0..5 {
        refresh.failed(at(0));
    }
    assert_eq!(refresh.on_schedule(at(0)), wait(60));
}
