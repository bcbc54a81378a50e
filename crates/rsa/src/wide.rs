//! The kernel for 64-bit targets: 64-bit limbs, products of two rows at a time, in safe Rust.
//!
//! With R = 2^(64·limbs), the product of this kernel is x·y/R mod n. s is not converted to
//! Montgomery form, so the power is s^e / R^(e−1). For PKCS#1 v1.5, it is compared with the
//! encoded message divided by the same power of R: see [`Key::verify_pkcs1v15`].
//!
//! Values are below R, and below 2n if n is below R/4: see DESIGN.md, "Bounds".
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    expect(
        clippy::arithmetic_side_effects,
        reason = "a product of 64-bit limbs plus two limbs fits in 128 bits"
    )
)]

use core::mem;

use crate::digest::Tail;

/// The number of limbs of 4,096 bits.
pub(crate) const LIMBS: usize = 64;
/// The number of limbs of `FF`, `DigestInfo` and hash, at most 84 octets, rounded up to an
/// even number.
const TAIL_LIMBS: usize = 12;

/// An integer in 64-bit limbs, the lowest first.
pub(crate) type Limbs = [u64; LIMBS];

/// A public key.
#[derive(Clone)]
pub(crate) struct Key {
    n: Limbs,
    /// 1/R^(e−2) mod n.
    tail_factor: Limbs,
    /// `00 01 FF … FF` as an integer, by R^(e−1), mod n.
    padding: Limbs,
    /// R^e mod n.
    factor: Limbs,
    /// −1/n mod 2^64.
    n0: u64,
    e: u64,
    limbs: usize,
    len: usize,
}

impl Key {
    /// Returns a key to be prepared with [`prepare`](Self::prepare).
    pub(crate) const fn unprepared(e: u64) -> Self {
        let zero = [0; LIMBS];
        Self { n: zero, tail_factor: zero, padding: zero, factor: zero, n0: 0, e, limbs: 0, len: 0 }
    }

    /// Prepares a key with an odd modulus of at most 4,096 bits, without leading zeros, and an
    /// odd exponent of at least 3.
    pub(crate) fn prepare(&mut self, octets: &[u8]) {
        write_limbs(&mut self.n, octets);
        self.n0 = negative_inverse(self.n.first().copied().unwrap_or_default());
        self.len = octets.len();
        self.limbs = octets.len().div_ceil(16) * 2;
        let limbs = self.limbs;
        let (mut one, mut padding, mut square_of_r) = ([0; LIMBS], [0; LIMBS], [0; LIMBS]);
        write_limbs(&mut one, &[1]);
        write_padding(&mut padding, octets.len());
        if let (Some(n), Some(one), Some(padding), Some(square_of_r)) = (
            self.n.get(..limbs),
            one.get(..limbs),
            padding.get(..limbs),
            square_of_r.get_mut(..limbs),
        ) && let (Some(tail_factor), Some(padding_by_r), Some(factor)) = (
            self.tail_factor.get_mut(..limbs),
            self.padding.get_mut(..limbs),
            self.factor.get_mut(..limbs),
        ) {
            let modulus = Modulus { n, n0: self.n0 };
            // 1^(e−1) / R^(e−2)
            modulus.power(tail_factor, one, self.e);
            modulus.bring_below_n(tail_factor);
            modulus.product(padding_by_r, padding, tail_factor);
            modulus.bring_below_n(padding_by_r);
            // (R²)^(e−1) / R^(e−2) = R^e
            modulus.square_of_r(square_of_r);
            modulus.power(factor, square_of_r, self.e);
        }
    }

    /// Replaces `00 01 FF … FF` by another integer below n.
    #[cfg(test)]
    pub(crate) fn set_padding(&mut self, octets: &[u8]) {
        let mut padding = [0; LIMBS];
        write_limbs(&mut padding, octets);
        let modulus = Modulus { n: &self.n[..self.limbs], n0: self.n0 };
        let out = &mut self.padding[..self.limbs];
        modulus.product(out, &padding[..self.limbs], &self.tail_factor[..self.limbs]);
        modulus.bring_below_n(out);
    }

    /// Returns the number of octets of the modulus.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Returns the number of bits of the modulus.
    pub(crate) fn bits(&self) -> u32 {
        bits(&self.n)
    }

    /// Verifies a signature by PKCS#1 v1.5
    /// ([RFC 8017 §8.2.2](https://www.rfc-editor.org/rfc/rfc8017#section-8.2.2)).
    ///
    /// An encoded message is `00 01 FF … FF` minus the complement of its tail, the complement
    /// of `00`, `DigestInfo` and hash. Therefore it equals s^e if and only if s^e plus that
    /// complement is congruent to `00 01 FF … FF` modulo n. The sum is computed before the
    /// last reduction. All octets of the encoded message are compared.
    pub(crate) fn verify_pkcs1v15(&self, tail: Tail<'_>, signature: &[u8]) -> bool {
        let (Some(n), Some(tail_factor), Some(padding)) = (
            self.n.get(..self.limbs),
            self.tail_factor.get(..self.limbs),
            self.padding.get(..self.limbs),
        ) else {
            return false;
        };
        let mut s = [0; LIMBS];
        let Some(s) = s.get_mut(..self.limbs) else { return false };
        if signature.len() != self.len {
            return false;
        }
        write_limbs(s, signature);
        if !is_below(s, n) {
            return false;
        }
        let mut complement = [0; TAIL_LIMBS];
        write_complement(&mut complement, tail);
        let (n0, e) = (self.n0, self.e);
        // The most frequent size, with a length that is known at compile time.
        match (<&[u64; 32]>::try_from(n), <&[u64; 32]>::try_from(&*s)) {
            (Ok(n), Ok(s)) => Modulus { n, n0 }.is_power(s, e, &complement, tail_factor, padding),
            _ => Modulus { n, n0 }.is_power(s, e, &complement, tail_factor, padding),
        }
    }

    /// Writes signature^e mod n, big-endian, if the signature has the length of the modulus
    /// and is below it; `out` has this length, too.
    pub(crate) fn recover(&self, out: &mut [u8], signature: &[u8]) -> bool {
        let (Some(n), Some(factor)) = (self.n.get(..self.limbs), self.factor.get(..self.limbs))
        else {
            return false;
        };
        let (mut s, mut x, mut power) = ([0; LIMBS], [0; LIMBS], [0; LIMBS]);
        let (Some(s), Some(x), Some(power)) =
            (s.get_mut(..self.limbs), x.get_mut(..self.limbs), power.get_mut(..self.limbs))
        else {
            return false;
        };
        if signature.len() != self.len {
            return false;
        }
        write_limbs(s, signature);
        if !is_below(s, n) {
            return false;
        }
        let modulus = Modulus { n, n0: self.n0 };
        modulus.power(x, s, self.e);
        modulus.product(power, x, s);
        modulus.product(x, power, factor);
        modulus.bring_below_n(x);
        write_octets(out, x);
        true
    }
}

/// A modulus with an even number of limbs.
#[derive(Clone, Copy)]
pub(crate) struct Modulus<'a> {
    pub(crate) n: &'a [u64],
    pub(crate) n0: u64,
}

impl Modulus<'_> {
    /// Returns whether s^e / R^(e−1) + complement·tail_factor / R is congruent to `padding`
    /// modulo n.
    #[inline(always)]
    fn is_power(
        self,
        s: &[u64],
        e: u64,
        complement: &[u64; TAIL_LIMBS],
        tail_factor: &[u64],
        padding: &[u64],
    ) -> bool {
        let mut x = [0; LIMBS];
        let Some(x) = x.get_mut(..s.len()) else { return false };
        copy(x, s);
        self.raise(x, s, e);
        let mut wide = [0; 2 * LIMBS];
        let Some(wide) = wide.get_mut(..2 * s.len()) else { return false };
        add_product(wide, complement, tail_factor);
        let carry = add_product(wide, x, s);
        self.reduce(x, wide, carry);
        self.bring_below_n(x);
        x == padding
    }

    /// Computes `x = s^(e−1) / R^(e−2) mod n`.
    pub(crate) fn power(self, x: &mut [u64], s: &[u64], e: u64) {
        copy(x, s);
        match (<&[u64; 32]>::try_from(self.n), <&mut [u64; 32]>::try_from(&mut *x)) {
            (Ok(n), Ok(x)) => Modulus { n, n0: self.n0 }.raise(x, s, e),
            _ => self.raise(x, s, e),
        }
    }

    /// The loop of [`power`](Self::power), with x = s at the start. From the left: a square
    /// for each bit of e after the first, and a product for each one but the last.
    #[inline(always)]
    fn raise(self, x: &mut [u64], s: &[u64], e: u64) {
        let mut wide = [0; 2 * LIMBS];
        let Some(wide) = wide.get_mut(..2 * x.len()) else { return };
        let mut bits = e << e.leading_zeros() << 1;
        while bits != 0 {
            square(wide, x);
            self.reduce(x, wide, 0);
            debug_assert!(self.is_in_bounds(x));
            let is_one = bits >> 63 == 1;
            bits <<= 1;
            if is_one && bits != 0 {
                wide.fill(0);
                let carry = add_product(wide, x, s);
                self.reduce(x, wide, carry);
                debug_assert!(self.is_in_bounds(x));
            }
        }
    }

    /// Returns whether x is below 2n, if n is below R/4: see DESIGN.md, "Bounds".
    pub(crate) fn is_in_bounds(self, x: &[u64]) -> bool {
        let mut above = 0;
        let half = x.iter().rev().map(|&limb| limb >> 1 | mem::replace(&mut above, limb) << 63);
        let has_room = self.n.last().is_some_and(|top| top >> 62 == 0);
        !has_room || half.lt(self.n.iter().rev().copied())
    }

    /// Computes `out = x·y/R mod n`.
    pub(crate) fn product(self, out: &mut [u64], x: &[u64], y: &[u64]) {
        let mut wide = [0; 2 * LIMBS];
        let Some(wide) = wide.get_mut(..2 * out.len()) else { return };
        let carry = add_product(wide, x, y);
        self.reduce(out, wide, carry);
    }

    /// Computes `out = (wide + carry·R²) / R mod n`, below R. Overwrites `wide`.
    #[inline(always)]
    pub(crate) fn reduce(self, out: &mut [u64], wide: &mut [u64], carry: u64) {
        let Some((&n0, n_above)) = self.n.split_first() else { return };
        let mut extra = 0;
        let mut columns = &mut *wide;
        // Two digits per pass: two independent chains of carries.
        for _ in 0..self.n.len() / 2 {
            let Some(([t0, t1], above)) = mem::take(&mut columns).split_first_chunk_mut::<2>()
            else {
                return;
            };
            let q0 = t0.wrapping_mul(self.n0);
            let (zero, mut carry0) = multiply_add(q0, n0, *t0, 0);
            debug_assert_eq!(zero, 0);
            let Some((&n1, n_rest)) = n_above.split_first() else { return };
            let (value, high) = multiply_add(q0, n1, *t1, carry0);
            carry0 = high;
            let q1 = value.wrapping_mul(self.n0);
            let (zero, mut carry1) = multiply_add(q1, n0, value, 0);
            debug_assert_eq!(zero, 0);
            let Some((window, ends)) = above.split_at_mut_checked(n_rest.len()) else { return };
            let mut previous = n1;
            for (t, &n) in window.iter_mut().zip(n_rest) {
                let (value, high) = multiply_add(q0, n, *t, carry0);
                carry0 = high;
                let (value, high) = multiply_add(q1, previous, value, carry1);
                carry1 = high;
                *t = value;
                previous = n;
            }
            let (low, high) = multiply_add(q1, previous, carry0, carry1);
            extra = add_pair(ends, [low, high], extra);
            columns = above;
        }
        copy(out, columns);
        // The value is out + carry·R, below R + n + 2^672: at most two rounds.
        let mut carry = carry + extra;
        while carry != 0 {
            carry -= u64::from(subtract(out, self.n));
        }
    }

    /// Subtracts n until the result is below it: at most three times.
    pub(crate) fn bring_below_n(self, x: &mut [u64]) {
        for _ in 0..3 {
            if is_below(x, self.n) {
                return;
            }
            subtract(x, self.n);
        }
        debug_assert!(is_below(x, self.n));
    }

    /// Computes `x = R² mod n`, where `x` is zero: doublings from the highest power of two
    /// below n up to 2^limbs·R, and six squarings.
    pub(crate) fn square_of_r(self, x: &mut [u64]) {
        let limbs = self.n.len();
        let top = usize::try_from(bits(self.n)).unwrap_or_default() - 1;
        if let Some(limb) = x.get_mut(top / 64) {
            *limb = 1 << (top % 64);
        }
        for _ in 0..65 * limbs - top {
            let mut carry = 0;
            for x in x.iter_mut() {
                (*x, carry) = (*x << 1 | carry, *x >> 63);
            }
            if carry == 1 || !is_below(x, self.n) {
                subtract(x, self.n);
            }
        }
        let mut wide = [0; 2 * LIMBS];
        let Some(wide) = wide.get_mut(..2 * limbs) else { return };
        for _ in 0..6 {
            square(wide, x);
            self.reduce(x, wide, 0);
        }
    }
}

/// Adds `low + high·2^64` and a carry to the first two limbs; returns the carry.
#[inline(always)]
fn add_pair(limbs: &mut [u64], [low, high]: [u64; 2], carry: u64) -> u64 {
    let Some([first, second]) = limbs.first_chunk_mut::<2>() else { return 0 };
    let (value, carry) = add(*first, low, carry);
    *first = value;
    let (value, carry) = add(*second, high, carry);
    *second = value;
    carry
}

/// Computes `window += (x0 + x1·2^64)·y + carry` and returns the next two limbs, to be added
/// after the window. The window has the length of y.
#[inline(always)]
fn add_two_rows(window: &mut [u64], x0: u64, x1: u64, y: &[u64], carry: u64) -> [u64; 2] {
    let (mut carry0, mut carry1, mut previous) = (carry, 0, 0);
    for (t, &y) in window.iter_mut().zip(y) {
        let (value, high) = multiply_add(x0, y, *t, carry0);
        carry0 = high;
        let (value, high) = multiply_add(x1, previous, value, carry1);
        carry1 = high;
        *t = value;
        previous = y;
    }
    multiply_add(x1, previous, carry0, carry1).into()
}

/// Computes `wide = x²`.
#[inline(always)]
pub(crate) fn square(wide: &mut [u64], x: &[u64]) {
    wide.fill(0);
    // The products of different limbs, once each.
    let mut columns = &mut *wide;
    let mut rows = x;
    while let Some((&[x0, x1], above)) = rows.split_first_chunk::<2>() {
        let Some(([_, t1], next)) = mem::take(&mut columns).split_first_chunk_mut::<2>() else {
            return;
        };
        let (low, carry) = multiply_add(x0, x1, *t1, 0);
        *t1 = low;
        let Some((window, ends)) = next.split_at_mut_checked(above.len()) else { return };
        let pair = add_two_rows(window, x0, x1, above, carry);
        // Nothing was added to these two limbs before.
        if let Some(ends) = ends.first_chunk_mut() {
            *ends = pair;
        }
        columns = next.get_mut(2..).unwrap_or_default();
        rows = above;
    }
    // Twice these products, and the squares.
    let (mut carry, mut shifted) = (0, 0);
    for ([t0, t1], &x) in wide.as_chunks_mut().0.iter_mut().zip(x) {
        let (low, high) = multiply_add(x, x, 0, 0);
        let (value, out) = add(*t0 << 1 | shifted, low, carry);
        shifted = *t1 >> 63;
        let (second, out) = add(*t1 << 1 | *t0 >> 63, high, out);
        (*t0, *t1, carry) = (value, second, out);
    }
    debug_assert_eq!((carry, shifted), (0, 0));
}

/// Computes `wide += x·y` and returns the carry. x has an even number of limbs.
#[inline(always)]
pub(crate) fn add_product(wide: &mut [u64], x: &[u64], y: &[u64]) -> u64 {
    let mut extra = 0;
    let mut columns = wide;
    for &[x0, x1] in x.as_chunks().0 {
        let Some((window, ends)) = columns.split_at_mut_checked(y.len()) else { return 0 };
        let pair = add_two_rows(window, x0, x1, y, 0);
        extra = add_pair(ends, pair, extra);
        columns = mem::take(&mut columns).get_mut(2..).unwrap_or_default();
    }
    for t in columns.iter_mut().skip(y.len()) {
        (*t, extra) = add(*t, extra, 0);
    }
    extra
}

/// Returns the low and the high half of a·b + c + d.
#[inline(always)]
fn multiply_add(a: u64, b: u64, c: u64, d: u64) -> (u64, u64) {
    halves(u128::from(a) * u128::from(b) + u128::from(c) + u128::from(d))
}

/// Returns a + b + c and the carry.
#[inline(always)]
fn add(a: u64, b: u64, c: u64) -> (u64, u64) {
    halves(u128::from(a) + u128::from(b) + u128::from(c))
}

#[inline(always)]
#[expect(clippy::as_conversions, reason = "the low half is meant")]
fn halves(value: u128) -> (u64, u64) {
    (value as u64, (value >> 64) as u64)
}

/// Computes `x -= y` and returns the borrow.
pub(crate) fn subtract(x: &mut [u64], y: &[u64]) -> bool {
    let mut borrow = false;
    for (x, &y) in x.iter_mut().zip(y) {
        let (value, first) = x.overflowing_sub(y);
        let (value, second) = value.overflowing_sub(u64::from(borrow));
        (*x, borrow) = (value, first | second);
    }
    borrow
}

/// Copies the limbs without a possible panic.
fn copy(out: &mut [u64], limbs: &[u64]) {
    for (out, limb) in out.iter_mut().zip(limbs) {
        *out = *limb;
    }
}

pub(crate) fn is_below(x: &[u64], n: &[u64]) -> bool {
    x.iter().rev().lt(n.iter().rev())
}

/// Returns the number of bits of an integer.
pub(crate) fn bits(limbs: &[u64]) -> u32 {
    limbs
        .iter()
        .zip(1_u32..)
        .filter(|&(&limb, _)| limb != 0)
        .last()
        .map_or(0, |(limb, count)| 64 * count - limb.leading_zeros())
}

/// Converts octets to an integer
/// ([RFC 8017 §4.2](https://www.rfc-editor.org/rfc/rfc8017#section-4.2)).
pub(crate) fn write_limbs(limbs: &mut [u64], octets: &[u8]) {
    let (rest, chunks) = octets.as_rchunks();
    let mut limbs = limbs.iter_mut();
    for (&chunk, limb) in chunks.iter().rev().zip(limbs.by_ref()) {
        *limb = u64::from_be_bytes(chunk);
    }
    if let Some(limb) = limbs.next() {
        *limb = rest.iter().fold(0, |value, &octet| value << 8 | u64::from(octet));
    }
}

/// Converts an integer to octets
/// ([RFC 8017 §4.1](https://www.rfc-editor.org/rfc/rfc8017#section-4.1)).
pub(crate) fn write_octets(octets: &mut [u8], limbs: &[u64]) {
    for (chunk, limb) in octets.rchunks_mut(8).zip(limbs) {
        for (octet, value) in chunk.iter_mut().rev().zip(limb.to_le_bytes()) {
            *octet = value;
        }
    }
}

/// Writes `00 01 FF … FF`, `len` octets, as an integer: 2^(8·len − 15) − 1.
pub(crate) fn write_padding(limbs: &mut [u64], len: usize) {
    for (limb, below) in limbs.iter_mut().zip((0..).step_by(64)) {
        *limb = match (8 * len).saturating_sub(15 + below) {
            64.. => u64::MAX,
            bits => (1 << bits) - 1,
        };
    }
}

/// Writes the complement of `00`, `DigestInfo` and hash, whose length is a multiple of eight
/// octets.
pub(crate) fn write_complement(limbs: &mut [u64], tail: Tail<'_>) {
    let chunks = tail.hash.rchunks(8).chain(tail.prefix.rchunks(8));
    for (limb, chunk) in limbs.iter_mut().zip(chunks) {
        *limb = chunk.iter().fold(0, |value, &octet| value << 8 | u64::from(!octet));
    }
}

/// Returns −1/n mod 2^64, for an odd n.
pub(crate) fn negative_inverse(n: u64) -> u64 {
    // n is its own inverse modulo 8; each step doubles the number of bits.
    let mut inverse = n;
    for _ in 0..5 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(n.wrapping_mul(inverse)));
    }
    inverse.wrapping_neg()
}
