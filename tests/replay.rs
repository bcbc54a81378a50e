//! The replay window: it gives the verdicts of a map with unlimited capacity, whatever the
//! tokens and the clock.

use std::collections::HashMap;

use claimgate::error::{InvalidSignature, KeyRejected};
use claimgate::jwk::{Algorithms, KeyMaterial};
use claimgate::replay::{ReplayError, ReplayWindow, TokenId};
use claimgate::{Algorithm, NumericDate, PublicKey};
use proptest::prelude::*;

const REPLAYED: Result<(), ReplayError> = Err(ReplayError::Replayed);
const FULL: Result<(), ReplayError> = Err(ReplayError::Full);

const fn at(seconds: u64) -> NumericDate {
    NumericDate::from_secs(seconds)
}

/// A hash function that is faster than SHA-256: these tests compute millions of identifiers,
/// which need only differ if their inputs do.
struct QuickHash;

impl PublicKey for QuickHash {
    const ALGORITHMS: Algorithms = Algorithms::RS256;

    fn new(_: Algorithm, _: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
        Err(KeyRejected::Backend)
    }

    fn verify(&self, _: &[u8], _: &[u8]) -> Result<(), InvalidSignature> {
        Err(InvalidSignature)
    }

    fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        let mut hash = [0; 32];
        for (lane, place) in (1_u64..).zip(hash.chunks_exact_mut(8)) {
            let mut state = lane;
            for byte in parts.iter().copied().flatten() {
                state = mix(state ^ u64::from(*byte)).wrapping_add(lane);
            }
            place.copy_from_slice(&state.to_be_bytes());
        }
        hash
    }
}

/// The finaliser of SplitMix64: a permutation of the integers.
fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

fn id(number: u64) -> TokenId {
    TokenId::dpop_proof::<QuickHash>("key", &number.to_string()).unwrap()
}

/// A reproducible sequence of numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0) % end
    }
}

/// The reference: a map from each token to the second at which it may be forgotten.
#[derive(Default)]
struct Model {
    ends: HashMap<u64, u64>,
    retained_at: u64,
}

impl Model {
    fn count(&mut self, now: u64) -> usize {
        if self.retained_at != now {
            self.ends.retain(|_, end| *end > now);
            self.retained_at = now;
        }
        self.ends.len()
    }

    fn admit(
        &mut self,
        places: usize,
        token: u64,
        until: u64,
        now: u64,
    ) -> Result<(), ReplayError> {
        let count = self.count(now);
        if until <= now || self.ends.contains_key(&token) {
            return REPLAYED;
        }
        if count == places {
            return FULL;
        }
        self.ends.insert(token, until);
        Ok(())
    }
}

#[test]
fn p08_ten_million_operations_have_the_verdicts_of_a_map() {
    const PLACES: usize = 1_024;
    let operations = if cfg!(debug_assertions) { 200_000 } else { 10_000_000 };
    let mut random = Random(1);
    let mut window = ReplayWindow::<PLACES>::new();
    let mut model = Model::default();
    let (mut now, mut next) = (1_000, 0);
    let (mut admitted, mut replayed, mut full) = (0, 0, 0);
    for step in 0..operations {
        // The load alternates: above the capacity, and below.
        let is_busy = step / 20_000 % 2 == 0;
        if random.below(if is_busy { 40 } else { 5 }) == 0 {
            now += random.below(4);
        }
        let is_new = random.below(3) > 0;
        let token = if is_new { next } else { next - random.below(next.min(3_000) + 1) };
        next += u64::from(token == next);
        // Some have expired already.
        let until = now + random.below(90);
        let expected = model.admit(PLACES, token, until, now);
        assert_eq!(window.admit(id(token), at(until), at(now)), expected, "step {step}");
        match expected {
            Ok(()) => admitted += 1,
            REPLAYED => replayed += 1,
            Err(_) => full += 1,
        }
        if step % 1_000 == 0 {
            assert_eq!(window.count(at(now)), model.count(now));
        }
    }
    println!("{operations} operations: {admitted} admitted, {replayed} replayed, {full} full");
    let least = operations / 20;
    assert!(admitted > least && replayed > least && full > least, "{admitted} {replayed} {full}");
}

#[test]
fn p08_a_million_tokens_evict_none_that_could_be_used_again() {
    let tokens = if cfg!(debug_assertions) { 50_000 } else { 1_000_000 };
    let mut window = ReplayWindow::<64>::new();
    assert_eq!(window.admit(id(0), at(2_000_000), at(0)), Ok(()));
    for token in 1..=tokens {
        // One second for each token, and each could be used again for 50.
        assert_eq!(window.admit(id(token), at(token + 50), at(token)), Ok(()));
        if token % 97 == 0 {
            assert_eq!(window.admit(id(0), at(2_000_000), at(token)), REPLAYED);
            for recent in token.saturating_sub(49).max(1)..=token {
                assert_eq!(window.admit(id(recent), at(recent + 50), at(token)), REPLAYED);
            }
        }
    }
    // All at once: the window rejects them, and still contains the previous ones.
    let now = tokens + 1;
    let held = window.count(at(now));
    let mut admitted = 0;
    for token in tokens + 1..=2 * tokens {
        match window.admit(id(token), at(now + 50), at(now)) {
            Ok(()) => admitted += 1,
            refused => assert_eq!(refused, FULL),
        }
    }
    assert_eq!(held + admitted, 64);
    assert_eq!(window.admit(id(0), at(2_000_000), at(now)), REPLAYED);
}

#[test]
fn p08_a_token_is_remembered_until_it_expires() {
    let mut window = ReplayWindow::<4>::new();
    assert_eq!(window.admit(id(1), at(100), at(40)), Ok(()));
    for now in [40, 41, 98, 99] {
        assert_eq!(window.admit(id(1), at(100), at(now)), REPLAYED, "{now}");
        // A later end is not accepted either.
        assert_eq!(window.admit(id(1), at(200), at(now)), REPLAYED, "{now}");
        assert_eq!(window.count(at(now)), 1);
    }
    // It is in the past: the rejected token has expired, and the admitted one is another token
    // with the same `jti`.
    for now in [100, 101] {
        assert_eq!(window.admit(id(1), at(100), at(now)), REPLAYED, "{now}");
        assert_eq!(window.count(at(now)), 0);
    }
    assert_eq!(window.admit(id(1), at(101), at(100)), Ok(()));
    assert_eq!(window.admit(id(1), at(101), at(100)), REPLAYED);
}

#[test]
fn p08_a_token_that_has_expired_is_not_admitted() {
    let mut window = ReplayWindow::<4>::new();
    assert_eq!(window.admit(id(1), at(100), at(101)), REPLAYED);
    assert_eq!(window.admit(id(1), at(100), at(100)), REPLAYED);
    assert_eq!(window.admit(id(1), at(100), at(99)), Ok(()));
    assert_eq!(window.admit(id(2), at(0), at(0)), REPLAYED);
    assert_eq!(window.admit(id(2), at(1), at(0)), Ok(()));
}

#[test]
fn p08_a_full_window_refuses_and_admits_again_when_one_has_expired() {
    let mut window = ReplayWindow::<3>::new();
    for (token, until) in [(1, 100), (2, 110), (3, 105)] {
        assert_eq!(window.admit(id(token), at(until), at(50)), Ok(()));
    }
    for now in [50, 99] {
        assert_eq!(window.admit(id(4), at(200), at(now)), FULL);
        // A replay is distinguished from a full window.
        assert_eq!(window.admit(id(2), at(110), at(now)), REPLAYED);
    }
    assert_eq!(window.admit(id(4), at(200), at(100)), Ok(()));
    assert_eq!(window.admit(id(5), at(200), at(100)), FULL);
    assert_eq!(window.admit(id(5), at(200), at(104)), FULL);
    assert_eq!(window.admit(id(5), at(200), at(105)), Ok(()));
    assert_eq!(window.admit(id(6), at(200), at(109)), FULL);
    for token in [2, 4, 5] {
        assert_eq!(window.admit(id(token), at(200), at(109)), REPLAYED);
    }
}

#[test]
fn p08_windows_of_no_place_and_of_one() {
    let mut none = ReplayWindow::<0>::new();
    assert_eq!(none.admit(id(1), at(100), at(0)), FULL);
    assert_eq!(none.admit(id(1), at(100), at(100)), REPLAYED);
    assert_eq!(none.count(at(0)), 0);
    let mut one = ReplayWindow::<1>::default();
    assert_eq!(one.admit(id(1), at(100), at(0)), Ok(()));
    assert_eq!(one.admit(id(1), at(100), at(99)), REPLAYED);
    assert_eq!(one.admit(id(2), at(200), at(99)), FULL);
    assert_eq!(one.admit(id(2), at(200), at(100)), Ok(()));
    assert_eq!(one.admit(id(1), at(300), at(150)), FULL);
}

#[test]
fn p08_a_clock_that_goes_back_admits_nothing_again() {
    let mut window = ReplayWindow::<2>::new();
    assert_eq!(window.admit(id(1), at(100), at(50)), Ok(()));
    assert_eq!(window.admit(id(2), at(120), at(60)), Ok(()));
    // Far ahead, where both are forgotten for two others.
    assert_eq!(window.admit(id(3), at(1_060), at(1_000)), Ok(()));
    assert_eq!(window.admit(id(4), at(1_061), at(1_001)), Ok(()));
    // Back again, where they would be valid.
    for now in [0, 50, 99] {
        assert_eq!(window.admit(id(1), at(100), at(now)), REPLAYED);
        assert_eq!(window.admit(id(2), at(120), at(now)), REPLAYED);
        assert_eq!(window.admit(id(3), at(1_060), at(now)), REPLAYED);
        // Which of the tokens that expire by then were seen is no longer known.
        assert_eq!(window.admit(id(5), at(120), at(now)), REPLAYED);
        // Later ones are new, and the window is full.
        assert_eq!(window.admit(id(5), at(121), at(now)), FULL);
    }
    // An expired token whose entry was not reused is still known.
    let mut window = ReplayWindow::<2>::new();
    assert_eq!(window.admit(id(1), at(100), at(50)), Ok(()));
    assert_eq!(window.count(at(1_000)), 0);
    assert_eq!(window.admit(id(1), at(100), at(1_000)), REPLAYED);
    assert_eq!(window.admit(id(1), at(100), at(50)), REPLAYED);
    assert_eq!(window.admit(id(2), at(100), at(50)), Ok(()));
}

#[test]
fn p08_the_ends_of_time() {
    let mut window = ReplayWindow::<2>::new();
    assert_eq!(window.admit(id(1), at(u64::MAX), at(0)), Ok(()));
    assert_eq!(window.admit(id(1), at(u64::MAX), at(u64::MAX - 1)), REPLAYED);
    assert_eq!(window.admit(id(2), at(u64::MAX), at(u64::MAX - 1)), Ok(()));
    assert_eq!(window.admit(id(3), at(u64::MAX), at(u64::MAX - 1)), FULL);
    assert_eq!(window.admit(id(3), at(u64::MAX), at(u64::MAX)), REPLAYED);
}

#[test]
fn p08_jti_has_1_to_256_bytes() {
    for make in [
        TokenId::dpop_proof::<QuickHash>,
        TokenId::logout_token::<QuickHash>,
        TokenId::access_token::<QuickHash>,
    ] {
        assert_eq!(make("k", ""), None);
        assert!(make("k", "j").is_some());
        assert!(make("k", &"j".repeat(256)).is_some());
        assert_eq!(make("k", &"j".repeat(257)), None);
        // Bytes, not characters.
        assert!(make("k", &"\u{e9}".repeat(128)).is_some());
        assert_eq!(make("k", &"\u{e9}".repeat(129)), None);
        assert!(make("", "j").is_some());
    }
}

#[test]
fn p08_kind_key_and_jti_tell_tokens_apart() {
    let ids = [
        TokenId::dpop_proof::<QuickHash>("k", "j"),
        TokenId::logout_token::<QuickHash>("k", "j"),
        TokenId::access_token::<QuickHash>("k", "j"),
        TokenId::dpop_proof::<QuickHash>("l", "j"),
        TokenId::dpop_proof::<QuickHash>("k", "J"),
        // The boundary between the two inputs.
        TokenId::dpop_proof::<QuickHash>("", "kj"),
        TokenId::dpop_proof::<QuickHash>("ab", "c"),
        TokenId::dpop_proof::<QuickHash>("a", "bc"),
    ]
    .map(Option::unwrap);
    let mut window = ReplayWindow::<8>::new();
    for id in ids {
        assert_eq!(window.admit(id, at(10), at(0)), Ok(()));
    }
    for id in ids {
        assert_eq!(window.admit(id, at(10), at(0)), REPLAYED);
    }
}

#[test]
fn l06_a_logout_token_is_accepted_once() {
    let logout = |issuer, jti| TokenId::logout_token::<QuickHash>(issuer, jti).unwrap();
    let mut window = ReplayWindow::<4>::new();
    let (iat, exp) = (1_000, 1_120);
    let first = logout("https://op.example.com", "1");
    assert_eq!(window.admit(first, at(exp + 60), at(iat)), Ok(()));
    assert_eq!(window.admit(first, at(exp + 60), at(exp + 59)), REPLAYED);
    // Another issuer may choose the same `jti`.
    let other = logout("https://op.example.org", "1");
    assert_eq!(window.admit(other, at(exp + 60), at(iat)), Ok(()));
}

#[test]
fn p08_the_window_is_constant_and_can_be_shared_behind_a_lock() {
    static WINDOW: std::sync::Mutex<ReplayWindow<16>> = std::sync::Mutex::new(ReplayWindow::new());
    let admitted = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| WINDOW.lock().unwrap().admit(id(7), at(10), at(0)).is_ok()))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).filter(|ok| *ok).count()
    });
    assert_eq!(admitted, 1);
    assert!(format!("{:?}", ReplayWindow::<16>::new()).starts_with("ReplayWindow { places: 16"));
    assert_eq!(format!("{:?}", id(1)), "TokenId { .. }");
}

#[test]
fn p08_errors_say_what_happened() {
    assert_eq!(ReplayError::Replayed.to_string(), "the token was already used, or has expired");
    assert_eq!(ReplayError::Full.to_string(), "the replay window is full");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// The clock is arbitrary. The end of a token is fixed, as its `iat` is.
    #[test]
    fn p08_whatever_the_clock_does_no_token_is_admitted_twice(
        steps in prop::collection::vec((0_u64..40, 0_u64..120), 1..200),
        ends in prop::collection::vec(1_u64..120, 40),
    ) {
        let mut window = ReplayWindow::<6>::new();
        let mut admitted = HashMap::new();
        let mut latest_expired = 0;
        for (token, now) in steps {
            let until = ends[usize::try_from(token).unwrap()];
            let live = admitted.values().filter(|end| **end > now).count();
            match window.admit(id(token), at(until), at(now)) {
                Ok(()) => {
                    prop_assert!(now < until);
                    prop_assert_eq!(admitted.insert(token, until), None);
                }
                // New tokens are refused only if one was forgotten that expired no earlier.
                REPLAYED => prop_assert!(
                    until <= now || admitted.contains_key(&token) || until <= latest_expired
                ),
                Err(_) => prop_assert!(live >= 6),
            }
            for end in admitted.values().filter(|end| **end <= now) {
                latest_expired = latest_expired.max(*end);
            }
        }
    }

    /// Small windows, short times and a clock that never goes back: the verdicts of the map.
    #[test]
    fn p08_small_windows_have_the_verdicts_of_a_map(
        steps in prop::collection::vec((0_u64..12, 0_u64..8, 0_u64..3), 1..200),
    ) {
        let mut windows = (ReplayWindow::<0>::new(), ReplayWindow::<1>::new(), ReplayWindow::<5>::new());
        let mut models = [Model::default(), Model::default(), Model::default()];
        let mut now = 0;
        for (token, lifetime, passed) in steps {
            now += passed;
            let until = now + lifetime;
            let verdicts = [
                windows.0.admit(id(token), at(until), at(now)),
                windows.1.admit(id(token), at(until), at(now)),
                windows.2.admit(id(token), at(until), at(now)),
            ];
            for ((verdict, model), places) in verdicts.into_iter().zip(&mut models).zip([0, 1, 5]) {
                prop_assert_eq!(verdict, model.admit(places, token, until, now));
            }
        }
    }
}
