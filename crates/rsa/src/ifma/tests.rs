//! Tests of the kernel's operations, carries and representatives, with the model and, if
//! available, with the processor's instructions.

use std::println;
use std::vec::Vec;

use num_bigint::BigUint;

use super::Model;
use super::digits::{DIGIT_MASK, Digits, negative_inverse};
use super::kernel::{Evaluation, Modulus, normalise};
use super::lanes::{Lanes, Task};
use crate::tests::{Random, octets, scale, take_ripples};
use crate::wide;

/// Returns the lanes of this processor, if it has them.
#[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
fn detected() -> Option<super::Detected> {
    super::Detected::new()
}

/// Returns no lanes on other targets.
#[cfg(not(all(target_arch = "x86_64", target_pointer_width = "64")))]
fn detected() -> Option<Model> {
    None
}

/// Runs a test with the model and, if available, with the instructions.
macro_rules! on_all_lanes {
    ($test:ident($($argument:expr),*)) => {
        $test(Model $(, $argument)*);
        match detected() {
            Some(lanes) => {
                $test(lanes $(, $argument)*);
                println!("ran on the model and on AVX-512 IFMA");
            }
            None => println!("ran on the model alone: no AVX-512 IFMA"),
        }
    };
}

fn digits(x: &BigUint) -> Digits {
    let mut digits = Digits([[0; 8]; 5]);
    let mut rest = x.clone();
    for digit in digits.0.as_flattened_mut() {
        *digit = (&rest & BigUint::from(DIGIT_MASK)).try_into().unwrap();
        rest >>= 52;
    }
    assert_eq!(rest, BigUint::ZERO);
    digits
}

fn integer(digits: &[u64]) -> BigUint {
    digits.iter().rev().fold(BigUint::ZERO, |value, digit| (value << 52) + digit)
}

fn power_of_two(exponent: u64) -> BigUint {
    BigUint::from(1_u8) << exponent
}

/// Returns 2^−exponent mod n.
fn inverse_power_of_two(exponent: u64, n: &BigUint) -> BigUint {
    let half: BigUint = (n + 1_u8) >> 1;
    half.modpow(&BigUint::from(exponent), n)
}

fn modulus(n: &BigUint) -> Modulus {
    Modulus {
        n: digits(n),
        fold_8: digits(&inverse_power_of_two(416, n)),
        fold_16: digits(&inverse_power_of_two(832, n)),
        negative_inverse: negative_inverse(&digits(n)),
    }
}

/// All operations, on three vectors.
struct Operations([[u64; 8]; 3]);

impl Task for Operations {
    type Output = Vec<[u64; 8]>;

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) -> Vec<[u64; 8]> {
        let [a, b, c] = self.0.map(|vector| l.load(&vector));
        let sums = [
            l.add(a, b),
            l.digit(a),
            l.carry(a),
            l.splat(self.0[0][0]),
            l.align::<0>(a, b),
            l.align::<1>(a, b),
            l.align::<2>(a, b),
            l.align::<3>(a, b),
            l.align::<4>(a, b),
            l.align::<5>(a, b),
            l.align::<6>(a, b),
            l.align::<7>(a, b),
            l.interleave_first(a, b),
            l.interleave_second(a, b),
            l.add_low(c, a, b),
            l.add_high(c, a, b),
            l.add_low_in::<0x00>(c, a, b),
            l.add_low_in::<0xe0>(c, a, b),
            l.add_low_in::<0xff>(c, a, b),
            l.add_high_in::<0x01>(c, a, b),
            l.add_high_in::<0xf0>(c, a, b),
        ];
        let mut results: Vec<_> = sums.iter().map(|&vector| l.store(vector)).collect();
        results.push([u64::from(l.any_carry(a)); 8]);
        results.push([u64::from(l.any_carry(l.digit(a))); 8]);
        results
    }
}

#[test]
fn model_and_instructions_agree_on_every_operation() {
    let Some(lanes) = detected() else {
        println!("not run: no AVX-512 IFMA");
        return;
    };
    println!("ran on the model and on AVX-512 IFMA");
    let mut random = Random::new(11);
    for round in 0..20_000 {
        let mut vector = |bits: u64| {
            core::array::from_fn(|_| match random.below(4) {
                0 => DIGIT_MASK,
                1 => random.below(2),
                _ => random.next() >> (64 - bits),
            })
        };
        // The lanes of sums have capacity for a product.
        let operands = [vector(63), vector(52 + round % 12), vector(62)];
        assert_eq!(
            Model.run(Operations(operands)),
            lanes.run(Operations(operands)),
            "{operands:?}"
        );
    }
}

#[test]
fn operations_are_what_their_names_say() {
    let a = core::array::from_fn(|lane| DIGIT_MASK - u64::try_from(lane).unwrap());
    let b = [10, 11, 12, 13, 14, 15, 16, 17];
    let c = [1; 8];
    fn check<L: Lanes>(lanes: L, a: [u64; 8], b: [u64; 8], c: [u64; 8]) {
        let results = lanes.run(Operations([a, b, c]));
        assert_eq!(results[4], b);
        assert_eq!(results[5], [11, 12, 13, 14, 15, 16, 17, a[0]]);
        assert_eq!(results[11], [17, a[0], a[1], a[2], a[3], a[4], a[5], a[6]]);
        assert_eq!(results[12], [a[0], 10, a[1], 11, a[2], 12, a[3], 13]);
        assert_eq!(results[13], [a[4], 14, a[5], 15, a[6], 16, a[7], 17]);
        // (2^52 − 1)·10 = 9·2^52 + (2^52 − 10)
        assert_eq!(results[14][0], DIGIT_MASK - 9 + 1);
        assert_eq!(results[15][0], 9 + 1);
        assert_eq!(results[17][..5], [1; 5]);
        assert_eq!(results[17][5..], results[14][5..]);
        assert_eq!(results[19][0], results[15][0]);
        assert_eq!(results[19][1..], [1; 7]);
    }
    on_all_lanes!(check(a, b, c));
}

struct Normalise([u64; 8], u64);

impl Task for Normalise {
    type Output = ([u64; 8], u64);

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) -> ([u64; 8], u64) {
        let mut carry = l.load(&[0, 0, 0, 0, 0, 0, 0, self.1]);
        let digits = normalise(l, l.load(&self.0), &mut carry);
        (l.store(digits), l.store(carry)[7])
    }
}

#[test]
fn a_carry_ripples_through_all_lanes() {
    const M: u64 = DIGIT_MASK;
    fn check<L: Lanes>(lanes: L, x: [u64; 8], carry: u64, ripples: u64) {
        take_ripples();
        let (digits, out) = lanes.run(Normalise(x, carry));
        assert_eq!(take_ripples(), ripples, "{x:x?} {carry}");
        assert!(digits.iter().all(|&digit| digit <= M));
        let before = integer(&x) + carry;
        assert_eq!(integer(&digits) + (BigUint::from(out) << 416), before);
    }
    // A carry from the vector below, and one from the lowest lane.
    on_all_lanes!(check([M; 8], 1, 8));
    on_all_lanes!(check([M + 1, M, M, M, M, M, M, M], 0, 7));
    // The carry stops at a lane that is not full.
    on_all_lanes!(check([M, M, M, M - 1, M, M, M, M], 1, 3));
    on_all_lanes!(check([M - 1, M, M, M, M, M, M, M], 1, 0));
    // The maximum of all lanes, and the maximum carry in.
    on_all_lanes!(check([u64::MAX; 8], u64::MAX >> 52, 1));
    on_all_lanes!(check([0; 8], 0, 0));
    let mut random = Random::new(12);
    for _ in 0..2_000 {
        let x = core::array::from_fn(|_| match random.below(3) {
            0 => M,
            1 => M + 1 - random.below(3),
            _ => random.next(),
        });
        let carry = random.next() >> 52;
        let (model, out) = Model.run(Normalise(x, carry));
        assert_eq!(integer(&model) + (BigUint::from(out) << 416), integer(&x) + carry);
        if let Some(lanes) = detected() {
            assert_eq!(lanes.run(Normalise(x, carry)), (model, out));
        }
    }
}

/// Evaluates s·last/R + complement·factor/R, checks it, and returns its representative.
fn evaluate<L: Lanes>(
    lanes: L,
    n: &BigUint,
    s: &BigUint,
    last: &BigUint,
    complement: &BigUint,
    factor: &BigUint,
) -> BigUint {
    let full = digits(complement);
    let complement_digits = [full.0[0], full.0[1]];
    let result = lanes.run(Evaluation {
        modulus: &modulus(n),
        s: &digits(s),
        e: 1,
        last: &digits(last),
        tail: Some((&complement_digits, &digits(factor))),
    });
    assert!(result.0.as_flattened().iter().all(|&digit| digit <= DIGIT_MASK));
    let result = integer(result.0.as_flattened());
    let expected = (s * last + complement * factor) * inverse_power_of_two(2_080, n) % n;
    assert_eq!(&result % n, expected);
    assert!(result < 2_u8 * n + (n >> 29));
    result
}

#[test]
fn carries_ripple_through_all_vectors_of_a_reduction() {
    fn check<L: Lanes>(lanes: L, n: &BigUint) {
        let one = BigUint::from(1_u8);
        // The columns 0 to 38 are 2^52, 2^52 − 1, …, 2^52 − 1: the carry propagates through
        // all 38 others, in all normalisations of the lower half.
        take_ripples();
        evaluate(lanes, n, &one, &(power_of_two(39 * 52) - 1_u8), &one, &one);
        assert!(take_ripples() >= 38);
        // The same in the columns 40 to 77, those of the result.
        let s = power_of_two(39 * 52);
        let last = power_of_two(39 * 52) - power_of_two(52);
        let (complement, factor) = (power_of_two(15 * 52), power_of_two(25 * 52));
        take_ripples();
        let result = evaluate(lanes, n, &s, &last, &complement, &factor);
        assert!(take_ripples() >= 37);
        assert_eq!(result, power_of_two(38 * 52));
    }
    let mut random = Random::new(13);
    for _ in 0..scale(20, 2) {
        let n = random.modulus(2_048);
        on_all_lanes!(check(&n));
    }
}

#[test]
fn greatest_operands_stay_in_bounds() {
    fn check<L: Lanes>(lanes: L, n: &BigUint) {
        let greatest = 2_u8 * n + (n >> 29) - 1_u8;
        // All bits set in s and `last`, in the complement and its factor.
        let ones = power_of_two(2_048) - 1_u8;
        for s in [&greatest, &ones, n] {
            for last in [&greatest, &ones, n] {
                evaluate(lanes, n, s, last, &(power_of_two(672) - 1_u8), &(n - 1_u8));
            }
        }
        let mut x = BigUint::ZERO;
        for turn in 0..scale(64, 4) {
            x = evaluate(lanes, n, &greatest, &(&greatest - x - turn), &BigUint::ZERO, n);
        }
    }
    let mut random = Random::new(14);
    for n in [power_of_two(2_048) - 1_u8, power_of_two(2_047) + 1_u8] {
        on_all_lanes!(check(&n));
    }
    for _ in 0..scale(20, 1) {
        let n = random.modulus(2_048);
        on_all_lanes!(check(&n));
    }
}

/// The quotients of the last two steps of the reduction are 2^416 − 1 for these
/// operands, and 2^−416 mod n is nearly n: see DESIGN.md, "Representatives".
#[test]
fn third_representative_is_reached_and_accepted() {
    fn check<L: Lanes>(lanes: L, seed: u64) {
        let mut random = Random::new(seed);
        let ones = power_of_two(416) - 1_u8;
        let high = BigUint::from_bytes_be(&random.octets(204)) | power_of_two(1_631);
        let n: BigUint = (high << 416) + 1_u8;
        assert_eq!(n.bits(), 2_048);
        let fold_8 = inverse_power_of_two(416, &n);
        // 2^1248·w, modulo 2^2080, is the product with these quotients.
        let q = &ones * &fold_8 % power_of_two(416);
        let w = &ones + (((&n + power_of_two(416) - q) % power_of_two(416)) << 416);
        let u =
            BigUint::from_bytes_be(&random.octets(100)) | power_of_two(799) | BigUint::from(1_u8);
        let s = &u << 1_248;
        let low = w * u.modinv(&power_of_two(832)).unwrap() % power_of_two(832);
        let last = (((&n * 2_u8) >> 832) << 832) - power_of_two(832) + low;
        let zero = BigUint::ZERO;
        let result = evaluate(lanes, &n, &s, &last, &zero, &zero);
        assert!(result >= &n * 2_u8);
        // A key whose integer to compare with is this one accepts it, and `below_n` reduces it
        // below n.
        assert_eq!(integer(digits(&result).below_n(&digits(&n)).0.as_flattened()), &result % &n);
        let mut key = super::Key::new(lanes, &octets(&n, 256).try_into().unwrap(), 65_537);
        let padding = &result % &n * power_of_two(2_080) % &n * key_power(&n, 2_080 * 65_535) % &n;
        key.set_padding(&octets(&padding, 256));
        let remainder = &result % &n;
        for representative in [&remainder, &(&remainder + &n), &result] {
            assert!(key.is_padding(&digits(representative)));
            assert!(!key.is_padding(&digits(&(representative + 1_u8))));
        }
    }
    for seed in 0..u64::from(scale(20, 2)) {
        on_all_lanes!(check(seed));
    }
}

/// Returns 2^exponent mod n.
fn key_power(n: &BigUint, exponent: u64) -> BigUint {
    BigUint::from(2_u8).modpow(&BigUint::from(exponent), n)
}

#[test]
fn first_and_second_representatives_occur() {
    fn check<L: Lanes>(lanes: L, seed: u64) {
        let mut random = Random::new(seed);
        let mut counts = [0; 3];
        for _ in 0..100 {
            let n = random.modulus(2_048);
            let (s, last) = (random.base(&n), random.base(&n));
            let zero = BigUint::ZERO;
            let result = evaluate(lanes, &n, &s, &last, &zero, &zero);
            let representative: usize = (result / n).try_into().unwrap();
            counts[representative] += 1;
        }
        println!("representatives: {counts:?}");
        assert!(counts[0] > 0 && counts[1] > 0);
    }
    on_all_lanes!(check(15));
}

#[test]
fn digits_and_limbs_are_the_same_integers() {
    let mut random = Random::new(16);
    for _ in 0..2_000 {
        let n = random.modulus(2_048);
        let x = random.base(&n);
        let mut limbs = [0; 32];
        wide::write_limbs(&mut limbs, &octets(&x, 256));
        assert_eq!(Digits::from_limbs(&limbs), digits(&x));
        assert_eq!(digits(&x).limbs(), limbs);
        let inverse = integer(&negative_inverse(&digits(&n)));
        assert_eq!((inverse * &n + 1_u8) % power_of_two(416), BigUint::ZERO);
        for (multiple, below) in [(0_u8, &x), (1, &x), (2, &x)] {
            let sum = digits(&(below + multiple * &n));
            assert_eq!(sum.below_n(&digits(&n)), digits(&x));
        }
        assert_eq!(digits(&x).plus(&digits(&n)), digits(&(&x + &n)));
        assert!(digits(&x).is_below(&digits(&n)));
        assert!(!digits(&n).is_below(&digits(&n)));
        assert!(digits(&(&n - 1_u8)).is_below(&digits(&n)));
        assert!(!digits(&(&n + 1_u8)).is_below(&digits(&n)));
    }
}

#[test]
fn values_below_2n_and_a_part_of_n_are_in_bounds() {
    let mut random = Random::new(17);
    for _ in 0..100 {
        let n = random.modulus(2_048);
        let bound = 2_u8 * &n + (&n >> 29);
        for distance in [BigUint::from(1_u8), power_of_two(52), power_of_two(2_017)] {
            assert!(digits(&(&bound - &distance)).is_in_bounds(&digits(&n)), "{n:x}");
            assert!(!digits(&(&bound + &distance)).is_in_bounds(&digits(&n)), "{n:x}");
        }
        assert!(digits(&BigUint::ZERO).is_in_bounds(&digits(&n)));
        assert!(!digits(&bound).is_in_bounds(&digits(&n)));
    }
}
