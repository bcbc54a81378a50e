//! The refresh decision.

use claimgate::error::{Input, JsonProblem, SkipCounts};
use claimgate::refresh::{JwksRefresh, RefreshDecision};
use claimgate::{Error, NumericDate};

const START: u64 = 1_311_280_970;

/// A maximum age of an hour, a cool-down of a minute, and a back-off of at most ten minutes.
const REFRESH: JwksRefresh = JwksRefresh::new().max_age(3_600).cool_down(60).max_back_off(600);

fn at(seconds: u64) -> NumericDate {
    NumericDate::from_secs(START + seconds)
}

const fn wait(seconds: u64) -> RefreshDecision {
    RefreshDecision::Wait { seconds }
}

/// Returns the state after a set was fetched at the start.
fn fetched() -> JwksRefresh {
    let mut refresh = REFRESH;
    assert_eq!(refresh.on_schedule(at(0)), RefreshDecision::FetchNow);
    refresh.succeeded(at(0));
    refresh
}

/// Returns the state after a set was fetched at the start, with other settings.
fn fetched_with(refresh: JwksRefresh) -> JwksRefresh {
    let mut refresh = refresh;
    refresh.succeeded(at(0));
    refresh
}

#[test]
fn the_defaults_are_an_hour_a_day_a_minute_and_a_quarter_of_an_hour() {
    let defaults = JwksRefresh::new()
        .max_age(JwksRefresh::DEFAULT_MAX_AGE)
        .max_stale(JwksRefresh::DEFAULT_MAX_STALE)
        .cool_down(JwksRefresh::DEFAULT_COOL_DOWN)
        .max_back_off(JwksRefresh::DEFAULT_MAX_BACK_OFF);
    let same = JwksRefresh::new().max_age(3_600).max_stale(86_400).cool_down(60).max_back_off(900);
    assert_eq!(defaults, same);
    assert_eq!(JwksRefresh::default(), same);
}

#[test]
fn a_set_that_was_never_fetched_is_fetched_at_once() {
    let mut refresh = REFRESH;
    assert_eq!(refresh.fetched_at(), None);
    assert_eq!(refresh.on_schedule(at(0)), RefreshDecision::FetchNow);
    let mut refresh = REFRESH;
    assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(0)), RefreshDecision::FetchNow);
    let mut refresh = REFRESH;
    assert_eq!(refresh.on_schedule(NumericDate::from_secs(0)), RefreshDecision::FetchNow);
}

#[test]
fn now_is_answered_to_one_of_several_who_ask() {
    let mut refresh = REFRESH;
    assert_eq!(refresh.on_schedule(at(0)), RefreshDecision::FetchNow);
    assert_eq!(refresh.on_schedule(at(0)), wait(60));
    assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(1)), wait(59));
}

#[test]
fn a_set_is_fetched_again_at_its_maximal_age_and_not_before() {
    let mut refresh = fetched();
    assert_eq!(refresh.fetched_at(), Some(at(0)));
    assert_eq!(refresh.on_schedule(at(0)), wait(3_600));
    assert_eq!(refresh.on_schedule(at(3_599)), wait(1));
    assert_eq!(refresh.on_schedule(at(3_600)), RefreshDecision::FetchNow);
    assert_eq!(fetched().on_schedule(at(3_601)), RefreshDecision::FetchNow);
}

#[test]
fn an_unknown_key_refreshes_after_the_cool_down_and_not_before() {
    let mut refresh = fetched();
    assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(0)), wait(60));
    assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(59)), wait(1));
    assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(60)), RefreshDecision::FetchNow);
    assert_eq!(fetched().on_refusal(&Error::UnknownKey, at(61)), RefreshDecision::FetchNow);
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
        assert_eq!(refresh.on_refusal(&error, at(3_600)), RefreshDecision::FetchNow, "{error}");
    }
}

#[test]
fn a_million_unknown_keys_a_minute_cause_one_fetch_per_cool_down() {
    let mut refresh = fetched();
    let (minutes, per_second) = (10, 16_667);
    let mut fetches = Vec::new();
    for second in 1..=minutes * 60 {
        for _ in 0..per_second {
            if refresh.on_refusal(&Error::UnknownKey, at(second)) == RefreshDecision::FetchNow {
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
            if refresh.on_refusal(&Error::UnknownKey, at(second)) == RefreshDecision::FetchNow {
                fetches.push(second);
                refresh.failed(at(second));
            }
        }
    }
    // 60 after the first failure, then 120, 240, 480, and 600 for all others.
    assert_eq!(fetches, [60, 120, 240, 480, 960, 1_560, 2_160, 2_760, 3_360]);
}

#[test]
fn failures_double_the_wait_up_to_the_limit() {
    let mut refresh = fetched();
    let mut now = 3_600;
    for (failures, expected) in
        [(1, 60), (2, 120), (3, 240), (4, 480), (5, 600), (6, 600), (7, 600)]
    {
        assert_eq!(refresh.on_schedule(at(now)), RefreshDecision::FetchNow);
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
        let mut refresh = fetched_with(JwksRefresh::new().max_stale(u64::MAX).max_back_off(limit));
        for _ in 0..200 {
            refresh.failed(at(0));
        }
        assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(0)), wait(limit));
    }
    let mut refresh = REFRESH;
    for _ in 0..200 {
        refresh.failed(at(0));
    }
    assert_eq!(refresh.on_schedule(at(0)), wait(60), "without keys");
}

#[test]
fn a_success_forgets_the_failures() {
    let mut refresh = fetched();
    for now in [0, 1_000, 2_000].map(|now| now + 3_600) {
        assert_eq!(refresh.on_schedule(at(now)), RefreshDecision::FetchNow);
        refresh.failed(at(now));
    }
    assert_eq!(refresh.on_schedule(at(6_600)), RefreshDecision::FetchNow);
    refresh.succeeded(at(6_600));
    assert_eq!(refresh.failures(), 0);
    assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(6_659)), wait(1));
    assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(6_660)), RefreshDecision::FetchNow);
    refresh.failed(at(6_660));
    assert_eq!(refresh.on_schedule(at(6_660)), wait(3_540), "the old set's age counts");
    assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(6_660)), wait(60));
}

#[test]
fn the_wait_is_counted_from_the_end_of_a_fetch() {
    let mut refresh = fetched();
    assert_eq!(refresh.on_schedule(at(3_600)), RefreshDecision::FetchNow);
    refresh.failed(at(3_630));
    assert_eq!(refresh.on_schedule(at(3_660)), wait(30));
    assert_eq!(refresh.on_schedule(at(3_690)), RefreshDecision::FetchNow);
}

#[test]
fn a_fetch_without_an_outcome_counts_as_failed() {
    let mut refresh = fetched();
    assert_eq!(refresh.on_schedule(at(3_600)), RefreshDecision::FetchNow);
    assert_eq!(refresh.failures(), 0);
    assert_eq!(refresh.on_schedule(at(3_659)), wait(1));
    assert_eq!(refresh.on_schedule(at(3_660)), RefreshDecision::FetchNow);
    assert_eq!(refresh.failures(), 1);
    assert_eq!(refresh.on_schedule(at(3_719)), wait(1));
    assert_eq!(refresh.on_schedule(at(3_720)), RefreshDecision::FetchNow);
    assert_eq!(refresh.failures(), 2);
    assert_eq!(refresh.on_schedule(at(3_839)), wait(1));
}

#[test]
fn a_clock_that_goes_back_restarts_the_waits() {
    // The clock showed the year 9999 when the set was fetched, and was corrected then.
    let mut refresh = REFRESH;
    assert_eq!(refresh.on_schedule(NumericDate::MAX), RefreshDecision::FetchNow);
    refresh.succeeded(NumericDate::MAX);
    assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(0)), wait(60));
    assert_eq!(refresh.on_schedule(at(0)), wait(3_600));
    assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(60)), RefreshDecision::FetchNow);
    // Back within the wait after a failure.
    refresh.failed(at(60));
    assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(30)), wait(60));
    assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(89)), wait(1));
    assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(90)), RefreshDecision::FetchNow);
}

/// The age is measured from the time to which the clock was set back, not from a future time.
#[test]
fn a_clock_that_was_ahead_puts_off_neither_the_fetch_nor_the_end_of_trust() {
    let mut refresh = fetched();
    assert_eq!(refresh.on_schedule(at(1_000)), wait(2_600));
    refresh.succeeded(at(1_000_000));
    // The clock is correct, and one decision was made.
    assert_eq!(refresh.on_schedule(at(2_000)), wait(3_600));
    assert_eq!(refresh.fetched_at(), Some(at(2_000)));
    assert_eq!(refresh.on_schedule(at(5_599)), wait(1));
    assert_eq!(refresh.on_schedule(at(5_600)), RefreshDecision::FetchNow);
    assert!(refresh.are_keys_usable(at(88_399)));
    assert!(!refresh.are_keys_usable(at(88_400)));
    // On a refusal too.
    let mut refresh = fetched();
    refresh.succeeded(at(1_000_000));
    assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(2_000)), wait(60));
    assert_eq!(refresh.fetched_at(), Some(at(2_000)));
}

#[test]
fn a_clock_that_jumps_back_and_forth_does_not_open_the_flood() {
    let mut refresh = fetched();
    let mut fetches = Vec::new();
    // Every other call has a clock that is 30 seconds behind.
    for question in 0..100_000 {
        let second = question / 1_000;
        let now = at(600 + second - 30 * (question % 2));
        if refresh.on_refusal(&Error::UnknownKey, now) == RefreshDecision::FetchNow {
            fetches.push(second);
            refresh.succeeded(now);
        }
    }
    // A jump ahead counts as elapsed time: the cool-down, minus the jump.
    assert_eq!(fetches, [0, 30, 60, 90]);
}

#[test]
fn a_clock_that_jumps_ahead_makes_the_set_old() {
    let mut refresh = REFRESH;
    assert_eq!(refresh.on_schedule(NumericDate::from_secs(5)), RefreshDecision::FetchNow);
    refresh.succeeded(NumericDate::from_secs(5));
    assert_eq!(refresh.on_schedule(at(0)), RefreshDecision::FetchNow);
    assert_eq!(refresh.on_schedule(NumericDate::from_secs(u64::MAX)), RefreshDecision::FetchNow);
}

#[test]
fn no_cool_down_counts_as_one_second() {
    let mut refresh = JwksRefresh::new().cool_down(0).max_age(0);
    assert_eq!(refresh.on_schedule(at(0)), RefreshDecision::FetchNow);
    refresh.succeeded(at(0));
    assert_eq!(refresh.on_schedule(at(0)), wait(1));
    assert_eq!(refresh.on_schedule(at(1)), RefreshDecision::FetchNow);
}

#[test]
fn a_limit_below_the_cool_down_stretches_nothing() {
    let mut refresh = fetched_with(REFRESH.max_back_off(10));
    for _ in 0..5 {
        refresh.failed(at(0));
    }
    assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(0)), wait(60));
}

/// Returns the keys after a fetch with this result, if they were "old" before.
fn completed(outcome: Result<&'static str, Error>) -> (Option<&'static str>, JwksRefresh) {
    let (mut refresh, mut keys) = (fetched(), Some("old"));
    assert_eq!(refresh.on_schedule(at(3_600)), RefreshDecision::FetchNow);
    let reported = refresh.complete(outcome, &mut keys, at(3_601));
    assert_eq!(reported, outcome.map(|_| ()));
    (keys, refresh)
}

#[test]
fn r1_a_key_set_replaces_the_old_one() {
    let (keys, refresh) = completed(Ok("new"));
    assert_eq!(keys, Some("new"));
    assert_eq!((refresh.failures(), refresh.fetched_at()), (0, Some(at(3_601))));
    assert!(refresh.are_keys_usable(at(3_601)));
}

#[test]
fn r1_a_key_set_without_a_usable_key_replaces_the_old_one() {
    let (keys, mut refresh) = completed(Err(Error::NoUsableKeys(SkipCounts::default())));
    assert_eq!(keys, None);
    assert_eq!((refresh.failures(), refresh.fetched_at()), (0, Some(at(3_601))));
    assert!(!refresh.are_keys_usable(at(3_601)));
    // The set is fetched again after the cool-down, on either occasion.
    for error in [Error::UnknownKey, Error::InvalidSignature] {
        assert_eq!(refresh.on_refusal(&error, at(3_660)), wait(1), "{error}");
    }
    assert_eq!(refresh.on_schedule(at(3_660)), wait(1));
    assert_eq!(refresh.on_schedule(at(3_661)), RefreshDecision::FetchNow);
    // The issuer has keys again.
    let mut keys = None;
    assert_eq!(refresh.complete(Ok("new"), &mut keys, at(3_662)), Ok(()));
    assert_eq!(keys, Some("new"));
    assert!(refresh.are_keys_usable(at(3_662)));
    assert_eq!(refresh.on_schedule(at(3_722)), wait(3_540));
}

#[test]
fn r1_a_text_that_is_no_key_set_and_a_failed_fetch_keep_the_old_one() {
    for error in [
        Error::InvalidJson(Input::JwkSet, JsonProblem::NotAKeySet),
        Error::InvalidJson(Input::JwkSet, JsonProblem::Syntax),
        Error::DuplicateMember(Input::JwkSet),
        Error::TooManyKeys { limit: 4 },
    ] {
        let (keys, refresh) = completed(Err(error));
        assert_eq!(keys, Some("old"), "{error}");
        assert_eq!((refresh.failures(), refresh.fetched_at()), (1, Some(at(0))), "{error}");
        assert!(refresh.are_keys_usable(at(3_601)), "{error}");
    }
    let mut refresh = fetched();
    refresh.failed(at(3_600));
    assert!(refresh.are_keys_usable(at(3_600)));
}

#[test]
fn r2_without_keys_the_first_retries_come_after_1_2_and_4_seconds() {
    let mut refresh = REFRESH;
    let mut now = 0;
    for (failures, expected) in
        [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 60), (8, 60), (9, 60)]
    {
        assert_eq!(refresh.on_schedule(at(now)), RefreshDecision::FetchNow);
        refresh.failed(at(now));
        assert_eq!(refresh.failures(), failures);
        let mut other = refresh;
        assert_eq!(other.on_refusal(&Error::UnknownKey, at(now)), wait(expected));
        assert_eq!(other.on_refusal(&Error::InvalidSignature, at(now)), wait(expected));
        assert_eq!(refresh.on_schedule(at(now)), wait(expected));
        now += expected - 1;
        if expected > 1 {
            assert_eq!(refresh.on_schedule(at(now)), wait(1));
        }
        now += 1;
    }
}

#[test]
fn r2_an_issuer_that_is_back_after_an_outage_is_asked_within_the_cool_down() {
    let mut refresh = REFRESH;
    let mut fetches = Vec::new();
    for second in 0..2_000 {
        if refresh.on_schedule(at(second)) == RefreshDecision::FetchNow {
            fetches.push(second);
            if second < 901 { refresh.failed(at(second)) } else { refresh.succeeded(at(second)) }
        }
    }
    assert_eq!(&fetches[..8], [0, 1, 3, 7, 15, 31, 63, 123]);
    // The first after the outage, and the next a whole age later.
    assert!(fetches.last().is_some_and(|last| (901..=961).contains(last)), "{fetches:?}");
}

#[test]
fn r2_a_fetch_under_way_is_not_doubled() {
    let mut refresh = REFRESH;
    assert_eq!(refresh.on_schedule(at(0)), RefreshDecision::FetchNow);
    assert_eq!(refresh.on_schedule(at(1)), wait(59));
    refresh.failed(at(5));
    assert_eq!(refresh.on_schedule(at(5)), wait(1));
    assert_eq!(refresh.on_schedule(at(6)), RefreshDecision::FetchNow);
    assert_eq!(refresh.on_schedule(at(7)), wait(59));
    // Whatever the number of previous failures.
    for _ in 0..20 {
        refresh.failed(at(6));
    }
    assert_eq!(refresh.on_schedule(at(66)), RefreshDecision::FetchNow);
    assert_eq!(refresh.on_schedule(at(66)), wait(60));
}

#[test]
fn r2_with_keys_a_failure_keeps_the_cool_down() {
    let mut refresh = fetched();
    refresh.failed(at(3_600));
    assert_eq!(refresh.on_schedule(at(3_600)), wait(60));
}

#[test]
fn r3_keys_that_could_not_be_refreshed_are_trusted_for_max_stale() {
    for (refresh, max_stale) in [(REFRESH, 86_400), (REFRESH.max_stale(7_200), 7_200)] {
        let mut refresh = fetched_with(refresh);
        assert!(refresh.are_keys_usable(at(0)));
        refresh.failed(at(3_600));
        assert!(refresh.are_keys_usable(at(max_stale - 1)));
        assert!(!refresh.are_keys_usable(at(max_stale)));
        assert!(!refresh.are_keys_usable(at(max_stale + 1)));
        // A failure does not make them younger, and a success does.
        refresh.failed(at(max_stale - 1));
        assert!(!refresh.are_keys_usable(at(max_stale)));
        refresh.succeeded(at(max_stale));
        assert!(refresh.are_keys_usable(at(max_stale)));
        assert!(!refresh.are_keys_usable(at(2 * max_stale)));
    }
}

#[test]
fn r3_without_a_set_no_keys_are_usable() {
    assert!(!REFRESH.are_keys_usable(at(0)));
    let mut refresh = REFRESH;
    refresh.failed(at(0));
    assert!(!refresh.are_keys_usable(at(0)));
    refresh.succeeded_without_keys(at(0));
    assert!(!refresh.are_keys_usable(at(0)));
}

#[test]
fn r3_keys_that_are_too_old_are_fetched_as_if_there_were_none() {
    let mut refresh = fetched_with(REFRESH.max_stale(7_200));
    for _ in 0..10 {
        refresh.failed(at(7_000));
    }
    // The back-off would be 600 seconds.
    assert_eq!(refresh.on_schedule(at(7_000)), wait(200));
    assert_eq!(refresh.on_refusal(&Error::UnknownKey, at(7_199)), wait(1));
    assert_eq!(refresh.on_schedule(at(7_200)), RefreshDecision::FetchNow);
    refresh.failed(at(7_200));
    assert_eq!(refresh.on_schedule(at(7_200)), wait(60));
    // Shortly before their end, the shorter wait without keys comes first.
    let mut refresh = fetched_with(REFRESH.max_stale(7_200));
    for _ in 0..10 {
        refresh.failed(at(7_190));
    }
    assert_eq!(refresh.on_schedule(at(7_190)), wait(60));
}

#[test]
fn r3_a_set_that_is_trusted_for_less_than_its_age_is_fetched_when_that_ends() {
    let mut refresh = fetched_with(REFRESH.max_stale(1_800));
    assert_eq!(refresh.on_schedule(at(1_799)), wait(1));
    assert_eq!(refresh.on_schedule(at(1_800)), RefreshDecision::FetchNow);
}

/// In any state, the returned wait is the actual wait.
#[test]
fn a_wait_is_neither_longer_nor_shorter_than_told() {
    let mut state = 1_u32;
    let mut random = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u64::from((state >> 8) % below)
    };
    let mut waits = 0;
    for _ in 0..600 {
        let mut refresh = JwksRefresh::new()
            .max_age(random(300))
            .max_stale(random(600))
            .cool_down(random(40))
            .max_back_off(random(200));
        let mut now = 1_000;
        for _ in 0..20 {
            now += random(120);
            let is_schedule = random(2) == 0;
            let ask = |refresh: &mut JwksRefresh, now| {
                if is_schedule {
                    refresh.on_schedule(at(now))
                } else {
                    refresh.on_refusal(&Error::UnknownKey, at(now))
                }
            };
            if let RefreshDecision::Wait { seconds } = ask(&mut refresh, now) {
                for second in 0..seconds {
                    let told = ask(&mut refresh.clone(), now + second);
                    assert_eq!(told, wait(seconds - second), "{refresh:?} at {now} + {second}");
                }
                let told = ask(&mut refresh.clone(), now + seconds);
                assert_eq!(told, RefreshDecision::FetchNow, "{refresh:?} at {now} + {seconds}");
                waits += 1;
            }
            match random(6) {
                0 => refresh.succeeded(at(now)),
                1 => refresh.succeeded_without_keys(at(now)),
                2 | 3 => refresh.failed(at(now)),
                _ => {}
            }
        }
    }
    assert!(waits > 2_000, "{waits}");
}
