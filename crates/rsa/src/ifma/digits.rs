//! Integers of forty 52-bit digits, and scalar operations on them.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    expect(
        clippy::arithmetic_side_effects,
        reason = "digits are below 2^52, and sums of two of them and a carry below 2^54"
    )
)]

use crate::digest::Tail;
use crate::wide;

/// A digit with all bits set.
pub(crate) const DIGIT_MASK: u64 = (1 << 52) - 1;

/// Forty digits, the lowest first, in five vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
pub(crate) struct Digits(pub(crate) [[u64; 8]; 5]);

impl Digits {
    /// Returns the digits of an integer of 2,048 bits.
    pub(crate) fn from_limbs(limbs: &[u64; 32]) -> Self {
        let mut digits = Self([[0; 8]; 5]);
        write_digits(digits.0.as_flattened_mut(), limbs);
        digits
    }

    /// Returns the limbs of an integer below 2^2048.
    pub(crate) fn limbs(&self) -> [u64; 32] {
        let mut limbs = [0; 32];
        let mut digits = self.0.as_flattened().iter();
        // The bits that were read but not written yet.
        let (mut bits, mut count) = (0_u128, 0);
        for limb in &mut limbs {
            while count < 64 {
                bits |= u128::from(digits.next().copied().unwrap_or_default()) << count;
                count += 52;
            }
            *limb = low_half(bits);
            bits >>= 64;
            count -= 64;
        }
        debug_assert_eq!((bits, digits.sum()), (0, 0));
        limbs
    }

    pub(crate) fn is_below(&self, other: &Self) -> bool {
        self.0.as_flattened().iter().rev().lt(other.0.as_flattened().iter().rev())
    }

    pub(crate) fn plus(&self, other: &Self) -> Self {
        let mut sum = *self;
        let mut carry = 0;
        for (digit, other) in sum.0.as_flattened_mut().iter_mut().zip(other.0.as_flattened()) {
            let value = *digit + other + carry;
            (*digit, carry) = (value & DIGIT_MASK, value >> 52);
        }
        debug_assert_eq!(carry, 0);
        sum
    }

    /// Returns whether this is below 2n + n/2^29: see DESIGN.md, "Bounds".
    pub(crate) fn is_in_bounds(&self, n: &Self) -> bool {
        let mut part = *n;
        let above = n.0.as_flattened().iter().skip(1).chain([&0]);
        for (digit, above) in part.0.as_flattened_mut().iter_mut().zip(above) {
            *digit = *digit >> 29 | above << 23 & DIGIT_MASK;
        }
        self.is_below(&n.plus(n).plus(&part))
    }

    /// Subtracts n until the result is below it: at most twice.
    pub(crate) fn below_n(&self, n: &Self) -> Self {
        let mut x = *self;
        for _ in 0..2 {
            if x.is_below(n) {
                break;
            }
            let mut borrow = 0;
            for (digit, n) in x.0.as_flattened_mut().iter_mut().zip(n.0.as_flattened()) {
                let value = digit.wrapping_sub(*n).wrapping_sub(borrow);
                (*digit, borrow) = (value & DIGIT_MASK, value >> 63);
            }
            debug_assert_eq!(borrow, 0);
        }
        debug_assert!(x.is_below(n));
        x
    }
}

/// Writes thirteen limbs as sixteen digits.
fn write_digits(digits: &mut [u64], limbs: &[u64]) {
    let mut limbs = limbs.iter();
    let (mut bits, mut count) = (0_u128, 0);
    for digit in digits {
        if count < 52 {
            bits |= u128::from(limbs.next().copied().unwrap_or_default()) << count;
            count += 64;
        }
        *digit = low_half(bits) & DIGIT_MASK;
        bits >>= 52;
        count -= 52;
    }
}

#[expect(clippy::as_conversions, reason = "the low half is meant")]
fn low_half(bits: u128) -> u64 {
    bits as u64
}

/// Returns the complement of `00`, `DigestInfo` and hash: at most 672 bits, and at most 416
/// for SHA-256.
pub(crate) fn complement(tail: Tail<'_>) -> [[u64; 8]; 2] {
    let mut limbs = [0; 12];
    wide::write_complement(&mut limbs, tail);
    let mut digits = [[0; 8]; 2];
    write_digits(digits.as_flattened_mut(), &limbs);
    digits
}

/// Returns −1/n mod 2^416, for an odd n.
pub(crate) fn negative_inverse(n: &Digits) -> [u64; 8] {
    let [n, ..] = &n.0;
    let [n0, ..] = *n;
    let n0 = wide::negative_inverse(n0);
    // Computes digit by digit the x for which x·n + 1 is a multiple of 2^416.
    let mut inverse = [0; 8];
    let mut sum = [0_u128; 8];
    let mut rest = sum.as_mut_slice();
    if let Some(first) = rest.first_mut() {
        *first = 1;
    }
    for digit in &mut inverse {
        let Some(&first) = rest.first() else { break };
        *digit = low_half(first).wrapping_mul(n0) & DIGIT_MASK;
        for (sum, &n) in rest.iter_mut().zip(n) {
            *sum += u128::from(*digit) * u128::from(n);
        }
        let Some((first, above)) = rest.split_first_mut() else { break };
        debug_assert_eq!(low_half(*first) & DIGIT_MASK, 0);
        if let Some(next) = above.first_mut() {
            *next += *first >> 52;
        }
        rest = above;
    }
    inverse
}
