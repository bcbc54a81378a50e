//! Validation of points on P-256, P-384 and Ed25519, once per key, and of the ranges of the
//! numbers in a signature.
//!
//! Backends differ in what they check, and when. A check in this module, before a backend
//! receives the key or the signature, has the same result with all of them. All inputs are
//! public, so nothing needs constant time.

/// The order of P-256, big-endian.
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// The order of P-384, big-endian.
const P384_ORDER: [u8; 48] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf,
    0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
];

/// The order of Ed25519's base point, little-endian.
const ED25519_ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10,
];

const P256: ShortCurve<4> = ShortCurve {
    field: Field {
        modulus: [0xffff_ffff_ffff_ffff, 0x0000_0000_ffff_ffff, 0, 0xffff_ffff_0000_0001],
        negative_inverse: 1,
        r_squared: [3, 0xffff_fffb_ffff_ffff, 0xffff_ffff_ffff_fffe, 0x0000_0004_ffff_fffd],
    },
    b_over_r: [
        0x5b66_4d72_3897_434f,
        0x5ac8_124d_12f3_e1bb,
        0x426b_e7e3_9123_afdd,
        0x2128_d4c6_3dd3_8668,
    ],
};

const P384: ShortCurve<6> = ShortCurve {
    field: Field {
        modulus: [
            0x0000_0000_ffff_ffff,
            0xffff_ffff_0000_0000,
            0xffff_ffff_ffff_fffe,
            0xffff_ffff_ffff_ffff,
            0xffff_ffff_ffff_ffff,
            0xffff_ffff_ffff_ffff,
        ],
        negative_inverse: 0x0000_0001_0000_0001,
        r_squared: [
            0xffff_fffe_0000_0001,
            0x0000_0002_0000_0000,
            0xffff_fffe_0000_0000,
            0x0000_0002_0000_0000,
            1,
            0,
        ],
    },
    b_over_r: [
        0x2289_2acd_bd31_49bf,
        0xc8d0_27db_3912_b9fa,
        0x74c1_8bdf_f8c0_3ca6,
        0x13e9_bf0e_6f97_335f,
        0x3e95_69cc_8a60_23a0,
        0xb23a_ac3c_9d53_5f43,
    ],
};

/// The field of 2^255 − 19.
const FIELD_25519: Field<4> = Field {
    modulus: [
        0xffff_ffff_ffff_ffed,
        0xffff_ffff_ffff_ffff,
        0xffff_ffff_ffff_ffff,
        0x7fff_ffff_ffff_ffff,
    ],
    negative_inverse: 0x86bc_a1af_286b_ca1b,
    r_squared: [0x5a4, 0, 0, 0],
};

/// The constant d of Ed25519, −121665/121666.
const ED25519_D: [u64; 4] =
    [0x75eb_4dca_1359_78a3, 0x0070_0a4d_4141_d8ab, 0x8cc7_4079_7779_e898, 0x5203_6cee_2b6f_fe73];

/// The y coordinates of the eight points whose order divides 8: 0, 1, −1, and those of the
/// four points of order 8, which are the roots of d·y⁴ + 2·y² − 1.
const SMALL_ORDER: [[u64; 4]; 5] = [
    [0, 0, 0, 0],
    [1, 0, 0, 0],
    [0xffff_ffff_ffff_ffec, 0xffff_ffff_ffff_ffff, 0xffff_ffff_ffff_ffff, 0x7fff_ffff_ffff_ffff],
    [0xb027_b2c2_8f95_e826, 0xf098_eff2_89f4_c345, 0x3933_c6d3_05ac_dfd5, 0x05fc_536d_8802_38b1],
    [0x4fd8_4d3d_706a_17c7, 0x0f67_100d_760b_3cba, 0xc6cc_392c_fa53_202a, 0x7a03_ac92_77fd_c74e],
];

/// Returns whether the coordinates are below the field's modulus and satisfy the equation of
/// P-256. The point at infinity has no coordinates, so no pair represents it.
pub(crate) fn is_p256_point(x: &[u8; 32], y: &[u8; 32]) -> bool {
    P256.contains(&limbs_be(x), &limbs_be(y))
}

/// Like [`is_p256_point`], but for P-384.
pub(crate) fn is_p384_point(x: &[u8; 48], y: &[u8; 48]) -> bool {
    P384.contains(&limbs_be(x), &limbs_be(y))
}

/// Returns whether the encoding is canonical, not of a point of small order, and of a
/// point on Ed25519 ([RFC 8032 §5.1.3](https://www.rfc-editor.org/rfc/rfc8032#section-5.1.3)).
///
/// The sign bit is canonical except for x = 0, at y = 1 and y = −1, which are points of small
/// order.
pub(crate) fn is_ed25519_point(encoded: &[u8; 32]) -> bool {
    let Some(y) = canonical_y(encoded) else { return false };
    let field = &FIELD_25519;
    let one = field.montgomery(&[1, 0, 0, 0]);
    let y = field.montgomery(&y);
    let y_squared = field.product(&y, &y);
    // x² = (y² − 1)/(d·y² + 1). The divisor is not zero, because −1/d is not a square. The
    // quotient is a square if and only if the product is.
    let dividend = field.difference(&y_squared, &one);
    let divisor = field.sum(&field.product(&field.montgomery(&ED25519_D), &y_squared), &one);
    let product = field.product(&dividend, &divisor);
    field.quadratic_character(&product) == one
}

/// Returns whether an ES256 signature consists of two numbers from 1 to n − 1.
pub(crate) fn is_p256_signature(signature: &[u8]) -> bool {
    is_ecdsa_signature(signature, &P256_ORDER)
}

/// Returns whether an ES384 signature consists of two numbers from 1 to n − 1.
pub(crate) fn is_p384_signature(signature: &[u8]) -> bool {
    is_ecdsa_signature(signature, &P384_ORDER)
}

/// Checks the ranges of the two numbers (SEC 1 §4.1.4, step 1) in the encoding of
/// [RFC 7518 §3.4](https://www.rfc-editor.org/rfc/rfc7518#section-3.4).
///
/// Both s and n − s verify. That is harmless here: signatures are not used as identifiers, and
/// the second signature, which anyone can compute, is of the same text.
fn is_ecdsa_signature<const LEN: usize>(signature: &[u8], order: &[u8; LEN]) -> bool {
    let Some((r, s)) = signature.split_first_chunk::<LEN>() else { return false };
    // Big-endian numbers of the same length have the order of their octets.
    let is_in_range = |number: &[u8]| number.iter().any(|octet| *octet != 0) && number < order;
    s.len() == LEN && is_in_range(r) && is_in_range(s)
}

/// Returns whether R of an EdDSA signature is a canonical encoding, not of a point of
/// small order, and S is below the order
/// ([RFC 8032 §5.1.7](https://www.rfc-editor.org/rfc/rfc8032#section-5.1.7)).
///
/// Backends compare R with the encoding of the point that they compute, so an encoding that is
/// not of a point is never accepted.
pub(crate) fn is_ed25519_signature(signature: &[u8]) -> bool {
    let Some((r, s)) = signature.split_first_chunk::<32>() else { return false };
    s.len() == 32 && s.iter().rev().lt(ED25519_ORDER.iter().rev()) && canonical_y(r).is_some()
}

/// Returns the y coordinate of an encoded point of Ed25519, unless it is not below the modulus
/// or the point is of small order.
fn canonical_y(encoded: &[u8; 32]) -> Option<[u64; 4]> {
    let mut y: [u64; 4] = limbs_le(encoded);
    if let Some(last) = y.last_mut() {
        *last &= u64::MAX >> 1;
    }
    (FIELD_25519.contains(&y) && !SMALL_ORDER.contains(&y)).then_some(y)
}

/// Returns little-endian octets as limbs, the lowest first.
fn limbs_le<const N: usize>(octets: &[u8]) -> [u64; N] {
    let mut limbs = [0; N];
    let words = octets.as_chunks().0.iter();
    limbs.iter_mut().zip(words).for_each(|(limb, word)| *limb = u64::from_le_bytes(*word));
    limbs
}

/// Returns big-endian octets as limbs, the lowest first.
fn limbs_be<const N: usize>(octets: &[u8]) -> [u64; N] {
    let mut limbs = [0; N];
    let words = octets.as_chunks().0.iter().rev();
    limbs.iter_mut().zip(words).for_each(|(limb, word)| *limb = u64::from_be_bytes(*word));
    limbs
}

/// The curve y² = (x² − 3)·x + b.
struct ShortCurve<const N: usize> {
    field: Field<N>,
    /// b/R.
    b_over_r: [u64; N],
}

impl<const N: usize> ShortCurve<N> {
    #[inline(never)]
    fn contains(&self, x: &[u64; N], y: &[u64; N]) -> bool {
        let Self { field, b_over_r } = self;
        if !field.contains(x) || !field.contains(y) {
            return false;
        }
        let mut three = [0; N];
        if let Some(lowest) = three.first_mut() {
            *lowest = 3;
        }
        // Of y² = (x² − 3)·x + b, both sides divided by R.
        let square = field.product(x, &field.montgomery(x));
        let right = field.product(&field.difference(&square, &three), x);
        field.product(y, y) == field.sum(&right, b_over_r)
    }
}

/// A prime field of odd characteristic, with numbers of `N` limbs in Montgomery form: x·R with
/// R = 2^(64·N).
struct Field<const N: usize> {
    modulus: [u64; N],
    /// −1/modulus mod 2^64.
    negative_inverse: u64,
    /// R² mod modulus.
    r_squared: [u64; N],
}

impl<const N: usize> Field<N> {
    fn contains(&self, number: &[u64; N]) -> bool {
        subtract(number, &self.modulus).1
    }

    fn montgomery(&self, number: &[u64; N]) -> [u64; N] {
        self.product(number, &self.r_squared)
    }

    fn sum(&self, left: &[u64; N], right: &[u64; N]) -> [u64; N] {
        let mut carry = false;
        let mut sum = *left;
        for (place, right) in sum.iter_mut().zip(right) {
            (*place, carry) = add(*place, *right, carry);
        }
        self.reduce(&sum, carry)
    }

    fn difference(&self, left: &[u64; N], right: &[u64; N]) -> [u64; N] {
        let zero = [0; N];
        let (negative, _) = subtract(&self.modulus, right);
        // −0 is the modulus, which is not a reduced number.
        self.sum(left, if *right == zero { &zero } else { &negative })
    }

    /// Returns left·right/R.
    fn product(&self, left: &[u64; N], right: &[u64; N]) -> [u64; N] {
        // Below 2·modulus after each step.
        let (mut sum, mut highest) = ([0; N], false);
        for digit in right {
            let mut carry = 0;
            for (place, limb) in sum.iter_mut().zip(left) {
                (*place, carry) = multiply_add(*limb, *digit, *place, carry);
            }
            let (top, overflow) = add(u64::from(highest), carry, false);
            let lowest = sum.first().copied().unwrap_or_default();
            let factor = lowest.wrapping_mul(self.negative_inverse);
            // The lowest limb becomes zero, and is left out.
            let mut limbs = sum.iter().zip(&self.modulus);
            let mut carry = limbs
                .next()
                .map_or(0, |(limb, modulus)| multiply_add(factor, *modulus, *limb, 0).1);
            let mut next = [0; N];
            for (place, (limb, modulus)) in next.iter_mut().zip(limbs) {
                (*place, carry) = multiply_add(factor, *modulus, *limb, carry);
            }
            let (last, second_overflow) = add(top, carry, false);
            if let Some(place) = next.last_mut() {
                *place = last;
            }
            (sum, highest) = (next, overflow | second_overflow);
        }
        self.reduce(&sum, highest)
    }

    /// Reduces a number below 2·modulus, whose highest bit is `highest`.
    fn reduce(&self, number: &[u64; N], highest: bool) -> [u64; N] {
        let (difference, is_below) = subtract(number, &self.modulus);
        if is_below && !highest { *number } else { difference }
    }
}

impl Field<4> {
    /// Returns number^((p − 1)/2) for p = 2^255 − 19, which is one for squares except zero
    /// ([Euler's criterion](https://en.wikipedia.org/wiki/Euler%27s_criterion)).
    #[inline(never)]
    fn quadratic_character(&self, number: &[u64; 4]) -> [u64; 4] {
        let square = |power: &[u64; 4], times: u32| {
            (0..times).fold(*power, |power, _| self.product(&power, &power))
        };
        // number^(2^k − 1), up to k = 250: the exponent's bits below the highest.
        let (mut power, mut k) = (*number, 1_u32);
        for bit in [true, true, true, true, false, true, false] {
            power = self.product(&square(&power, k), &power);
            k = k.wrapping_mul(2);
            if bit {
                power = self.product(&square(&power, 1), number);
                k = k.wrapping_add(1);
            }
        }
        // (p − 1)/2 = 2^254 − 10 = (2^250 − 1)·2^4 + 6
        let cube = self.product(&square(number, 1), number);
        self.product(&square(&power, 4), &square(&cube, 1))
    }
}

/// Returns left − right modulo R, and whether it is negative.
fn subtract<const N: usize>(left: &[u64; N], right: &[u64; N]) -> ([u64; N], bool) {
    let mut borrow = false;
    let mut difference = *left;
    for (place, right) in difference.iter_mut().zip(right) {
        let (partial, first) = place.overflowing_sub(*right);
        let (limb, second) = partial.overflowing_sub(u64::from(borrow));
        *place = limb;
        borrow = first | second;
    }
    (difference, borrow)
}

/// Returns left + right + carry, and the carry.
fn add(left: u64, right: u64, carry: bool) -> (u64, bool) {
    let (partial, first) = left.overflowing_add(right);
    let (sum, second) = partial.overflowing_add(u64::from(carry));
    (sum, first | second)
}

/// Returns left·right + addend + carry, the lower and the upper half. It does not overflow.
fn multiply_add(left: u64, right: u64, addend: u64, carry: u64) -> (u64, u64) {
    let product = u128::from(left).wrapping_mul(u128::from(right));
    let sum = product.wrapping_add(u128::from(addend)).wrapping_add(u128::from(carry));
    let half = |half: u128| u64::try_from(half).unwrap_or_default();
    (half(sum & u128::from(u64::MAX)), half(sum >> 64))
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use num_bigint::BigUint;

    use super::*;

    fn big(limbs: &[u64]) -> BigUint {
        limbs.iter().rev().fold(BigUint::ZERO, |sum, limb| (sum << 64_u8) + *limb)
    }

    fn small<const N: usize>(number: &BigUint) -> [u64; N] {
        let mut octets = number.to_bytes_le();
        octets.resize(8 * N, 0);
        limbs_le(&octets)
    }

    fn power_of_two(exponent: u32) -> BigUint {
        BigUint::from(1_u8) << exponent
    }

    fn p_25519() -> BigUint {
        power_of_two(255) - 19_u8
    }

    /// Numbers below `modulus`: the first and the last, those around powers of two, and some
    /// pseudorandom ones.
    fn numbers(modulus: &BigUint) -> Vec<BigUint> {
        let mut numbers: Vec<_> = (0_u8..5).map(BigUint::from).collect();
        numbers.extend((1_u8..5).map(|number| modulus - number));
        for bit in (31..u32::try_from(modulus.bits()).unwrap()).step_by(32) {
            numbers.extend([power_of_two(bit) - 1_u8, power_of_two(bit) + 1_u8]);
        }
        let mut number = BigUint::from(3_u8);
        for _ in 0..40 {
            number = &number * &number * 7_u8 % modulus + 5_u8;
            numbers.push(&number % modulus);
        }
        numbers.retain(|number| number < modulus);
        numbers
    }

    fn arithmetic_is_that_of_the_modulus<const N: usize>(field: &Field<N>, modulus: &BigUint) {
        assert_eq!(&big(&field.modulus), modulus);
        let r = power_of_two(u32::try_from(64 * N).unwrap());
        assert_eq!(big(&field.r_squared), &r * &r % modulus);
        assert_eq!(field.modulus[0].wrapping_mul(field.negative_inverse), u64::MAX);
        let numbers = numbers(modulus);
        for left in &numbers {
            let limbs = small(left);
            assert!(field.contains(&limbs));
            assert_eq!(big(&field.montgomery(&limbs)), left * &r % modulus);
            for right in &numbers {
                let (left_limbs, right_limbs) = (small(left), small(right));
                let sum = field.sum(&left_limbs, &right_limbs);
                assert_eq!(big(&sum), (left + right) % modulus, "{left} + {right}");
                let difference = field.difference(&left_limbs, &right_limbs);
                assert_eq!(big(&difference), (left + modulus - right) % modulus);
                let product = field.product(&left_limbs, &right_limbs);
                assert_eq!(big(&product) * &r % modulus, left * right % modulus);
                assert!(big(&product) < *modulus);
            }
        }
        for above in [modulus.clone(), modulus + 1_u8, &r - 1_u8] {
            assert!(!field.contains(&small(&above)));
        }
    }

    #[test]
    fn k12_arithmetic_of_p256_and_p384_is_that_of_their_moduli() {
        let modulus =
            power_of_two(256) - power_of_two(224) + power_of_two(192) + power_of_two(96) - 1_u8;
        arithmetic_is_that_of_the_modulus(&P256.field, &modulus);
        let modulus =
            power_of_two(384) - power_of_two(128) - power_of_two(96) + power_of_two(32) - 1_u8;
        arithmetic_is_that_of_the_modulus(&P384.field, &modulus);
    }

    #[test]
    fn k13_arithmetic_of_ed25519_is_that_of_its_modulus() {
        let modulus = p_25519();
        arithmetic_is_that_of_the_modulus(&FIELD_25519, &modulus);
        let d = big(&ED25519_D);
        assert_eq!((&d * 121_666_u32 + 121_665_u32) % &modulus, BigUint::ZERO);
        let exponent = (&modulus - 1_u8) / 2_u8;
        let one = FIELD_25519.montgomery(&[1, 0, 0, 0]);
        for number in numbers(&modulus) {
            let character =
                FIELD_25519.quadratic_character(&FIELD_25519.montgomery(&small(&number)));
            let expected = number.modpow(&exponent, &modulus);
            assert_eq!(character == one, expected == BigUint::from(1_u8), "{number}");
            assert_eq!(big(&FIELD_25519.product(&character, &[1, 0, 0, 0])), expected, "{number}");
        }
    }

    #[test]
    fn k13_points_of_small_order_are_those_whose_order_divides_8() {
        let p = p_25519();
        let d = big(&ED25519_D);
        let [zero, one, minus_one, eighths @ ..] = SMALL_ORDER.map(|y| big(&y));
        assert_eq!((zero, one), (BigUint::ZERO, BigUint::from(1_u8)));
        assert_eq!(minus_one, &p - 1_u8);
        for y in &eighths {
            let square = y * y;
            assert_eq!((&d * &square * &square + 2_u8 * square) % &p, BigUint::from(1_u8));
        }
        assert_eq!(&eighths[0] + &eighths[1], p);
        // d·t² + 2·t − 1 has another root t, which is not a square, so there are no other y.
        let t = &eighths[0] * &eighths[0] % &p;
        let d_inverse = d.modpow(&(&p - 2_u8), &p);
        let other = (&p + &p - 2_u8 * &d_inverse % &p - &t) % &p;
        assert_eq!((&d * &other * &other + 2_u8 * &other) % &p, BigUint::from(1_u8));
        assert_ne!(other.modpow(&((&p - 1_u8) / 2_u8), &p), BigUint::from(1_u8));
    }

    #[test]
    fn k13_a_point_is_on_the_curve_if_there_is_a_first_coordinate() {
        let p = p_25519();
        let d = big(&ED25519_D);
        let (mut on, mut off) = (0, 0);
        for number in numbers(&p) {
            let limbs: [u64; 4] = small(&number);
            let square = &number * &number;
            let quotient =
                (&square + &p - 1_u8) * (&d * &square + 1_u8).modpow(&(&p - 2_u8), &p) % &p;
            let is_square = quotient.modpow(&((&p - 1_u8) / 2_u8), &p) == BigUint::from(1_u8);
            let expected = is_square && !SMALL_ORDER.contains(&limbs);
            let mut encoded: [u8; 32] = [0; 32];
            for (place, limb) in encoded.chunks_mut(8).zip(limbs) {
                place.copy_from_slice(&limb.to_le_bytes());
            }
            assert_eq!(is_ed25519_point(&encoded), expected, "{number}");
            encoded[31] |= 0x80;
            assert_eq!(is_ed25519_point(&encoded), expected, "{number}");
            *(if expected { &mut on } else { &mut off }) += 1;
        }
        assert!(on > 15 && off > 15, "{on} {off}");
        // The only encodings above the modulus, 19 with each sign.
        for above in 0..19_u8 {
            let mut encoded = [0xff; 32];
            encoded[0] = 0xed + above;
            assert!(!is_ed25519_point(&encoded));
            encoded[31] = 0x7f;
            assert!(!is_ed25519_point(&encoded));
        }
    }

    #[test]
    fn k12_a_point_is_on_the_curve_if_it_satisfies_the_equation() {
        fn b<const N: usize>(curve: &ShortCurve<N>) -> BigUint {
            (big(&curve.b_over_r) << (64 * N)) % big(&curve.field.modulus)
        }
        fn check<const N: usize>(curve: &ShortCurve<N>, x: &BigUint, y: &BigUint) -> bool {
            let p = big(&curve.field.modulus);
            let expected =
                x < &p && y < &p && (y * y + 3_u8 * x) % &p == (x * x * x + b(curve)) % &p;
            let is_on_curve = curve.contains(&small(x), &small(y));
            assert_eq!(is_on_curve, expected, "{x} {y}");
            is_on_curve
        }
        fn points<const N: usize>(curve: &ShortCurve<N>) {
            let p = big(&curve.field.modulus);
            let mut on = 0;
            for x in numbers(&p) {
                // p ≡ 3 mod 4.
                let square = (&x * &x * &x + &p * 3_u8 - 3_u8 * &x + b(curve)) % &p;
                let y = square.modpow(&((&p + 1_u8) / 4_u8), &p);
                on += usize::from(check(curve, &x, &y));
                check(curve, &x, &((&p - &y) % &p));
                check(curve, &x, &(&y + 1_u8));
                check(curve, &(&x + &p), &y);
                check(curve, &x, &(&y + &p));
                check(curve, &y, &x);
            }
            assert!(on > 15, "{on}");
        }
        points(&P256);
        points(&P384);
        // SEC 2 §2.4.2 and §2.5.1.
        let published = "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b";
        assert_eq!(std::format!("{:x}", b(&P256)), published);
        let published = "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875a\
            c656398d8a2ed19d2a85c8edd3ec2aef";
        assert_eq!(std::format!("{:x}", b(&P384)), published);
    }

    #[test]
    fn k12_the_numbers_of_a_signature_are_from_1_to_the_order_less_1() {
        fn check<const LEN: usize>(order: &[u8; LEN], is_signature: fn(&[u8]) -> bool) {
            let order = BigUint::from_bytes_be(order);
            let octets = |number: &BigUint| {
                let octets = number.to_bytes_be();
                [vec![0; LEN - octets.len()], octets].concat()
            };
            let one = BigUint::from(1_u8);
            let numbers = [
                (BigUint::ZERO, false),
                (one.clone(), true),
                (&order - 1_u8, true),
                (order.clone(), false),
                (&order + 1_u8, false),
                (BigUint::from_bytes_be(&[0xff; LEN]), false),
            ];
            for (r, r_is_in_range) in &numbers {
                for (s, s_is_in_range) in &numbers {
                    let signature = [octets(r), octets(s)].concat();
                    assert_eq!(is_signature(&signature), *r_is_in_range && *s_is_in_range);
                    assert!(!is_signature(&signature[1..]));
                    assert!(!is_signature(&[&signature[..], &[1]].concat()));
                }
            }
            assert!(!is_signature(&[]));
        }
        check(&P256_ORDER, is_p256_signature);
        check(&P384_ORDER, is_p384_signature);
    }

    #[test]
    fn k13_s_is_below_the_order_and_r_is_canonical_and_not_of_small_order() {
        let order = BigUint::from_bytes_le(&ED25519_ORDER);
        assert_eq!(order.bits(), 253);
        let mut r = [0; 32];
        r[0] = 9;
        let signature = |r: &[u8; 32], s: &BigUint| {
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(r);
            let s = s.to_bytes_le();
            signature[32..32 + s.len()].copy_from_slice(&s);
            signature
        };
        for (s, expected) in [
            (BigUint::ZERO, true),
            (&order - 1_u8, true),
            (order.clone(), false),
            (&order + 1_u8, false),
            (power_of_two(253), false),
            (power_of_two(256) - 1_u8, false),
        ] {
            assert_eq!(is_ed25519_signature(&signature(&r, &s)), expected, "{s}");
        }
        let s = BigUint::from(1_u8);
        for small_order in SMALL_ORDER {
            let mut r = [0; 32];
            for (place, limb) in r.chunks_mut(8).zip(small_order) {
                place.copy_from_slice(&limb.to_le_bytes());
            }
            assert!(!is_ed25519_signature(&signature(&r, &s)));
            r[31] |= 0x80;
            assert!(!is_ed25519_signature(&signature(&r, &s)));
        }
        let mut above = [0xff; 32];
        for low in 0xec..=0xff {
            (above[0], above[31]) = (low, 0x7f);
            assert!(!is_ed25519_signature(&signature(&above, &s)), "{low}");
        }
        (above[0], above[31]) = (0xeb, 0x7f);
        assert!(is_ed25519_signature(&signature(&above, &s)));
        assert!(!is_ed25519_signature(&signature(&r, &s)[1..]));
        assert!(!is_ed25519_signature(&[]));
    }
}
