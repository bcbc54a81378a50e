//! The replay window, compared with an unbounded map: no token is admitted twice, and none is
//! rejected without a reason, whatever the clock does.
#![no_main]

use std::collections::HashMap;

use arbitrary::Arbitrary;
use claimgate::NumericDate;
use claimgate::replay::{ReplayError, ReplayWindow, TokenId};
use claimgate_fuzz::{StandIn, timed};
use libfuzzer_sys::fuzz_target;

const PLACES: usize = 4;

#[derive(Arbitrary, Debug)]
struct Step {
    /// One of the first tokens, or any.
    token: u8,
    /// The change of the clock, ahead or back.
    clock: Clock,
}

#[derive(Arbitrary, Debug)]
enum Clock {
    Stays,
    Ahead(u8),
    Back(u8),
    Far(u64),
}

fuzz_target!(|steps: Vec<Step>| {
    timed(|| run(steps.get(..256).unwrap_or(&steps)));
});

/// Returns a token's end, which is always the same.
fn end_of(token: u8) -> u64 {
    match token {
        255 => u64::MAX,
        254 => 0,
        _ => 1_000 + u64::from(token.wrapping_mul(37)),
    }
}

fn run(steps: &[Step]) {
    let mut window = ReplayWindow::<PLACES>::new();
    // All tokens that were admitted, and their ends.
    let mut admitted = HashMap::new();
    let (mut now, mut latest) = (1_000_u64, 0_u64);
    for step in steps {
        now = match step.clock {
            Clock::Stays => now,
            Clock::Ahead(seconds) => now.saturating_add(seconds.into()),
            Clock::Back(seconds) => now.saturating_sub(seconds.into()),
            Clock::Far(time) => time,
        };
        latest = latest.max(now);
        let end = end_of(step.token);
        // Two kinds of token, which may have the same `jti`.
        let jti = (step.token / 2).to_string();
        let id = match step.token % 2 {
            0 => TokenId::dpop_proof::<StandIn>("origin", &jti),
            _ => TokenId::logout_token::<StandIn>("origin", &jti),
        };
        let (until, time) = (NumericDate::from_secs(end), NumericDate::from_secs(now));
        let live = admitted.values().filter(|end| **end > now).count();
        let before = window.count(time);
        let verdict = window.admit(id.unwrap(), until, time);
        let was_admitted = admitted.contains_key(&step.token);
        assert_eq!(window.count(time), before + usize::from(verdict.is_ok()));
        match verdict {
            Ok(()) => {
                assert!(!was_admitted && end > now);
                admitted.insert(step.token, end);
            }
            Err(ReplayError::Full) => assert!(before == PLACES && !was_admitted && end > now),
            Err(ReplayError::Replayed) => {
                // Used, expired, or no later than one that may have been forgotten.
                let is_doubtful = admitted.values().any(|past| *past <= latest && end <= *past);
                assert!(was_admitted || end <= now || is_doubtful);
            }
        }
        // If the clock has never gone back, the reason is exact.
        assert!(before <= live);
        if now == latest {
            assert_eq!(before, live);
            let expected = if was_admitted || end <= now {
                Err(ReplayError::Replayed)
            } else if live == PLACES {
                Err(ReplayError::Full)
            } else {
                Ok(())
            };
            assert_eq!(verdict, expected);
        }
    }
}
