//! The kernel for moduli of 2,048 bits on processors with AVX-512 IFMA.
//!
//! The arithmetic is in `kernel`, generic over the operations of [`Lanes`]. There are two
//! implementations of these: the processor's instructions, and a portable scalar model for
//! tests.
//!
//! R is 2^2080. Apart from that, the algorithm is that of the portable kernel: see
//! [`wide`](crate::wide).

mod digits;
#[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
mod intrinsics;
mod kernel;
mod lanes;
#[cfg(any(test, fuzzing))]
mod model;
#[cfg(test)]
mod tests;

#[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
pub(crate) use intrinsics::Detected;
#[cfg(any(test, fuzzing))]
pub(crate) use model::Model;

use crate::digest::Tail;
use crate::wide;
use digits::Digits;
use kernel::{Evaluation, Modulus};
pub(crate) use lanes::Lanes;

/// The number of octets of a modulus of this kernel.
pub(crate) const MODULUS_LEN: usize = 256;

/// A public key of 2,048 bits. It contains the lanes, so it can be constructed only on
/// processors that have them.
#[derive(Clone)]
pub(crate) struct Key<L> {
    lanes: L,
    modulus: Modulus,
    /// 1/R^(e−2) mod n.
    tail_factor: Digits,
    /// R^e mod n.
    factor: Digits,
    /// `00 01 FF … FF` as an integer, by R^(e−1), mod n; plus n; plus 2n.
    padding: [Digits; 3],
    e: u64,
}

impl<L: Lanes> Key<L> {
    /// Prepares a key with an odd modulus of exactly 2,048 bits and an odd exponent of at
    /// least 3.
    pub(crate) fn new(lanes: L, octets: &[u8; MODULUS_LEN], e: u64) -> Self {
        let mut n = [0; 32];
        wide::write_limbs(&mut n, octets);
        let [first, ..] = n;
        let portable = wide::Modulus { n: &n, n0: wide::negative_inverse(first) };
        // 2^4096, and from it R = 2^2080 and R² = 2^4160, as 2^a · 2^b / 2^2048.
        let power_of_two = |exponent: usize| {
            let mut power = [0_u64; 32];
            if let Some(limb) = power.get_mut(exponent / 64) {
                *limb = 1 << (exponent % 64);
            }
            power
        };
        let product = |x: &[u64; 32], y: &[u64; 32]| {
            let mut out = [0; 32];
            portable.product(&mut out, x, y);
            portable.bring_below_n(&mut out);
            out
        };
        let mut r4096 = [0; 32];
        portable.square_of_r(&mut r4096);
        let r = product(&r4096, &power_of_two(32));
        let r2 = product(&r4096, &product(&r4096, &power_of_two(64)));
        let one = power_of_two(0);
        let modulus = Modulus {
            n: Digits::from_limbs(&n),
            fold_8: Digits::from_limbs(&product(&power_of_two(2_048 - 416), &one)),
            fold_16: Digits::from_limbs(&product(&power_of_two(2_048 - 832), &one)),
            negative_inverse: digits::negative_inverse(&Digits::from_limbs(&n)),
        };
        let r = Digits::from_limbs(&r);
        let (one, r2) = (Digits::from_limbs(&one), Digits::from_limbs(&r2));
        let evaluate = |s: &Digits, e: u64, last: &Digits| {
            let evaluation = Evaluation { modulus: &modulus, s, e, last, tail: None };
            lanes.run(evaluation).below_n(&modulus.n)
        };
        // A final product with R does not change the value.
        let tail_factor = evaluate(&one, e, &r);
        let factor = evaluate(&r2, e, &r);
        let mut padding = [0; 32];
        wide::write_padding(&mut padding, MODULUS_LEN);
        let padding = evaluate(&Digits::from_limbs(&padding), 1, &tail_factor);
        let second = padding.plus(&modulus.n);
        let padding = [padding, second, second.plus(&modulus.n)];
        Self { lanes, modulus, tail_factor, factor, padding, e }
    }

    /// Replaces `00 01 FF … FF` by another integer below n.
    #[cfg(test)]
    pub(crate) fn set_padding(&mut self, octets: &[u8]) {
        let mut limbs = [0; 32];
        wide::write_limbs(&mut limbs, octets);
        let s = Digits::from_limbs(&limbs);
        let last = &self.tail_factor;
        let evaluation = Evaluation { modulus: &self.modulus, s: &s, e: 1, last, tail: None };
        let n = &self.modulus.n;
        let padding = self.lanes.run(evaluation).below_n(n);
        self.padding = [padding, padding.plus(n), padding.plus(n).plus(n)];
    }

    /// Verifies a signature by PKCS#1 v1.5, like
    /// [`wide::Key::verify_pkcs1v15`](crate::wide::Key::verify_pkcs1v15).
    pub(crate) fn verify_pkcs1v15(&self, tail: Tail<'_>, signature: &[u8]) -> bool {
        let Some(s) = self.signature(signature) else { return false };
        let complement = digits::complement(tail);
        let power = self.lanes.run(Evaluation {
            modulus: &self.modulus,
            s: &s,
            e: self.e,
            last: &s,
            tail: Some((&complement, &self.tail_factor)),
        });
        self.is_padding(&power)
    }

    /// Returns whether an integer below 2n + n/2^29 is congruent to `padding` modulo n: see
    /// DESIGN.md, "Representatives".
    fn is_padding(&self, power: &Digits) -> bool {
        self.padding.contains(power)
    }

    /// Writes signature^e mod n, big-endian, if the signature has the length of the modulus
    /// and is below it; `out` has this length, too.
    pub(crate) fn recover(&self, out: &mut [u8], signature: &[u8]) -> bool {
        let Some(s) = self.signature(signature) else { return false };
        let evaluate = |s: &Digits, e: u64, last: &Digits| {
            self.lanes.run(Evaluation { modulus: &self.modulus, s, e, last, tail: None })
        };
        let power = evaluate(&evaluate(&s, self.e, &s), 1, &self.factor);
        wide::write_octets(out, &power.below_n(&self.modulus.n).limbs());
        true
    }

    /// Returns the digits of a signature that has the length of the modulus and is below it.
    fn signature(&self, octets: &[u8]) -> Option<Digits> {
        let octets: &[u8; MODULUS_LEN] = octets.try_into().ok()?;
        let mut limbs = [0; 32];
        wide::write_limbs(&mut limbs, octets);
        let s = Digits::from_limbs(&limbs);
        s.is_below(&self.modulus.n).then_some(s)
    }
}
