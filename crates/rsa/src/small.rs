//! The kernel for targets without 64-bit registers: 32-bit limbs, plain loops, one routine for
//! all sizes and exponents. Small code and little stack have priority over speed.
//!
//! With R = 2^(32·limbs), [`product`] computes x·y/R mod n. s is not converted to Montgomery
//! form, so its power is s^e / R^(e−1); one more product with R^e, which the key contains,
//! results in s^e. All values are below n.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    expect(
        clippy::arithmetic_side_effects,
        reason = "a product of 32-bit limbs plus two limbs fits in 64 bits"
    )
)]

use core::cell::Cell;

use crate::digest::Tail;

/// The number of limbs of 4,096 bits.
const LIMBS: usize = 128;

/// A public key: 1,040 bytes.
#[derive(Clone)]
pub(crate) struct Key {
    n: [u32; LIMBS],
    /// R^e mod n.
    factor: [u32; LIMBS],
    e: u64,
    /// −1/n mod 2^32.
    n0: u32,
    /// The number of octets of the modulus.
    len: u16,
}

impl Key {
    /// Returns a key to be prepared with [`prepare`](Self::prepare).
    pub(crate) const fn unprepared(e: u64) -> Self {
        Self { n: [0; LIMBS], factor: [0; LIMBS], e, n0: 0, len: 0 }
    }

    /// Prepares a key with an odd modulus of at most 4,096 bits, without leading zeros, and an
    /// odd exponent of at least 3. In place, because a constructor would need twice as much
    /// stack.
    #[inline(never)]
    pub(crate) fn prepare(&mut self, octets: &[u8]) {
        self.len = u16::try_from(octets.len()).unwrap_or_default();
        write_limbs(&mut self.n, octets);
        self.n0 = negative_inverse(self.n.first().copied().unwrap_or_default());
        let limbs = self.limbs();
        let (mut x, mut sum) = ([0; LIMBS], [0; LIMBS]);
        if let (Some(n), Some(factor), Some(x), Some(sum)) = (
            self.n.get(..limbs),
            self.factor.get_mut(..limbs),
            x.get_mut(..limbs),
            sum.get_mut(..limbs),
        ) {
            let modulus = Modulus { n, n0: self.n0 };
            modulus.square_of_r(factor, sum);
            copy(x, factor);
            // (R²)^(e−1) / R^(e−2) = R^e
            modulus.power(x, self.e, &Factor::Limbs(factor), sum);
            copy(factor, x);
        }
    }

    /// Returns the number of octets of the modulus.
    pub(crate) fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// Returns the number of bits of the modulus.
    pub(crate) fn bits(&self) -> u32 {
        // Unused leading limbs are zero.
        let zeros = self.n.iter().rev().take_while(|&&limb| limb == 0).count();
        let top = self.n.iter().rev().find(|&&limb| limb != 0).copied().unwrap_or_default();
        u32::try_from(LIMBS - zeros).unwrap_or_default() * 32 - top.leading_zeros()
    }

    /// Verifies a signature by PKCS#1 v1.5
    /// ([RFC 8017 §8.2.2](https://www.rfc-editor.org/rfc/rfc8017#section-8.2.2)).
    pub(crate) fn verify_pkcs1v15(&self, tail: Tail<'_>, signature: &[u8]) -> bool {
        let mut x = [0; LIMBS];
        self.power(&mut x, signature) && self.is_encoded(&x, tail)
    }

    /// Writes signature^e mod n, big-endian, if the signature has the length of the modulus
    /// and is below it; `out` has this length, too.
    pub(crate) fn recover(&self, out: &mut [u8], signature: &[u8]) -> bool {
        let mut x = [0; LIMBS];
        let is_in_range = self.power(&mut x, signature);
        for (chunk, limb) in out.rchunks_mut(4).zip(x) {
            for (octet, value) in chunk.iter_mut().rev().zip(limb.to_le_bytes()) {
                *octet = value;
            }
        }
        is_in_range
    }

    fn limbs(&self) -> usize {
        self.len().div_ceil(4)
    }

    /// Computes `x = signature^e mod n`. Returns `false` if the signature does not have the
    /// length of the modulus or is not below it.
    #[inline(never)]
    fn power(&self, x: &mut [u32; LIMBS], signature: &[u8]) -> bool {
        let limbs = self.limbs();
        let mut sum = [0; LIMBS];
        let (Some(n), Some(factor), Some(x), Some(sum)) = (
            self.n.get(..limbs),
            self.factor.get(..limbs),
            x.get_mut(..limbs),
            sum.get_mut(..limbs),
        ) else {
            return false;
        };
        write_limbs(x, signature);
        if signature.len() != self.len() || !is_below(x, n) {
            return false;
        }
        let modulus = Modulus { n, n0: self.n0 };
        let signature = Factor::Octets(signature);
        modulus.power(x, self.e, &signature, sum);
        modulus.product(x, &signature, sum);
        modulus.product(x, &Factor::Limbs(factor), sum);
        true
    }

    /// Returns whether `x` is the encoded message with this tail
    /// ([RFC 8017 §9.2](https://www.rfc-editor.org/rfc/rfc8017#section-9.2)).
    /// Prefix and hash are whole limbs.
    fn is_encoded(&self, x: &[u32; LIMBS], tail: Tail<'_>) -> bool {
        let mut bits = 8 * u32::from(self.len) - 15;
        let hash_limbs = tail.hash.len() / 4;
        x.iter().enumerate().all(|(index, &x)| {
            let in_prefix = index.wrapping_sub(hash_limbs);
            let expected = if index < hash_limbs {
                limb(tail.hash, index)
            } else if in_prefix < tail.prefix.len() / 4 {
                limb(tail.prefix, in_prefix)
            } else {
                u32::MAX.checked_shr(32_u32.saturating_sub(bits)).unwrap_or_default()
            };
            bits = bits.saturating_sub(32);
            x == expected
        })
    }
}

/// The second factor of a product.
enum Factor<'a> {
    /// The first factor: a square.
    Itself,
    Limbs(&'a [u32]),
    /// Big-endian.
    Octets(&'a [u8]),
}

impl Factor<'_> {
    fn limb(&self, index: usize, itself: &[u32]) -> u32 {
        let limbs = match self {
            Self::Itself => itself,
            Self::Limbs(limbs) => limbs,
            Self::Octets(octets) => return limb(octets, index),
        };
        limbs.get(index).copied().unwrap_or_default()
    }
}

#[derive(Clone, Copy)]
struct Modulus<'a> {
    n: &'a [u32],
    n0: u32,
}

impl Modulus<'_> {
    /// Computes `x = x^(e−1) / R^(e−2) mod n`, where `factor` is x. From the left: a square
    /// for each bit of e after the first, and a product for each one but the last.
    #[inline(never)]
    fn power(self, x: &mut [u32], e: u64, factor: &Factor<'_>, sum: &mut [u32]) {
        let mut bits = e << e.leading_zeros() << 1;
        while bits != 0 {
            self.product(x, &Factor::Itself, sum);
            let is_one = bits >> 63 == 1;
            bits <<= 1;
            if is_one && bits != 0 {
                self.product(x, factor, sum);
            }
        }
    }

    /// Computes `x = x·y/R mod n`, below n if both factors are. `sum` has the length of n.
    #[inline(never)]
    fn product(self, x: &mut [u32], y: &Factor<'_>, sum: &mut [u32]) {
        sum.fill(0);
        let sum = Cell::from_mut(sum).as_slice_of_cells();
        let (Some((bottom, above)), Some(last), Some((&x0, x_above)), Some((&n0, n_above))) =
            (sum.split_first(), sum.last(), x.split_first(), self.n.split_first())
        else {
            return;
        };
        let mut top = 0;
        for index in 0..self.n.len() {
            // sum = (sum + x·digit + n·quotient) / 2^32: below 2n, as x and n are.
            let digit = y.limb(index, x);
            let (value, mut carry) = multiply_add(x0, digit, bottom.get(), 0);
            let quotient = value.wrapping_mul(self.n0);
            let (_, mut other) = multiply_add(n0, quotient, value, 0);
            for (((below, cell), &x), &n) in sum.iter().zip(above).zip(x_above).zip(n_above) {
                let (value, high) = multiply_add(x, digit, cell.get(), carry);
                carry = high;
                let (value, high) = multiply_add(n, quotient, value, other);
                other = high;
                below.set(value);
            }
            let (value, high) = multiply_add(carry, 1, top, other);
            last.set(value);
            top = high;
        }
        for (x, cell) in x.iter_mut().zip(sum) {
            *x = cell.get();
        }
        self.subtract_once(x, top != 0);
    }

    /// Reduces `x + overflow·R`, which is below 2n, below n.
    fn subtract_once(self, x: &mut [u32], overflow: bool) {
        if overflow || !is_below(x, self.n) {
            let mut borrow = false;
            for (x, &n) in x.iter_mut().zip(self.n) {
                let (value, first) = x.overflowing_sub(n);
                let (value, second) = value.overflowing_sub(u32::from(borrow));
                (*x, borrow) = (value, first | second);
            }
            debug_assert_eq!(borrow, overflow);
        }
        debug_assert!(is_below(x, self.n));
    }

    /// Computes `x = R² mod n`, where `x` is zero: doublings from the highest power of two
    /// below n up to 2^limbs·R, and five squarings.
    #[inline(never)]
    fn square_of_r(self, x: &mut [u32], sum: &mut [u32]) {
        let zeros = self.n.last().map_or(0, |top| top.leading_zeros());
        if let Some(top) = x.last_mut() {
            *top = 1_u32.rotate_right(zeros + 1);
        }
        for _ in 0..=x.len() {
            self.double(x);
        }
        for _ in 0..zeros {
            self.double(x);
        }
        for _ in 0..5 {
            self.product(x, &Factor::Itself, sum);
        }
    }

    fn double(self, x: &mut [u32]) {
        let mut carry = 0;
        for x in x.iter_mut() {
            (*x, carry) = (*x << 1 | carry, *x >> 31);
        }
        self.subtract_once(x, carry == 1);
    }
}

/// Returns the low and the high half of a·b + c + d.
#[inline(always)]
fn multiply_add(a: u32, b: u32, c: u32, d: u32) -> (u32, u32) {
    let sum = u64::from(a) * u64::from(b) + u64::from(c) + u64::from(d);
    #[expect(clippy::as_conversions, reason = "the low half is meant")]
    (sum as u32, (sum >> 32) as u32)
}

/// Copies the limbs without a possible panic.
fn copy(out: &mut [u32], limbs: &[u32]) {
    for (out, limb) in out.iter_mut().zip(limbs) {
        *out = *limb;
    }
}

fn is_below(x: &[u32], n: &[u32]) -> bool {
    x.iter().rev().lt(n.iter().rev())
}

/// Returns a limb of a big-endian integer.
#[inline(never)]
fn limb(octets: &[u8], index: usize) -> u32 {
    let chunk = octets.rchunks(4).nth(index).unwrap_or_default();
    chunk.iter().fold(0, |value, &octet| value << 8 | u32::from(octet))
}

/// Converts octets to an integer
/// ([RFC 8017 §4.2](https://www.rfc-editor.org/rfc/rfc8017#section-4.2)).
fn write_limbs(limbs: &mut [u32], octets: &[u8]) {
    for (index, value) in limbs.iter_mut().enumerate() {
        *value = limb(octets, index);
    }
}

/// Returns −1/n mod 2^32, for an odd n.
fn negative_inverse(n: u32) -> u32 {
    // n is its own inverse modulo 8; each step doubles the number of bits.
    let mut inverse = n;
    for _ in 0..4 {
        inverse = inverse.wrapping_mul(2_u32.wrapping_sub(n.wrapping_mul(inverse)));
    }
    inverse.wrapping_neg()
}
