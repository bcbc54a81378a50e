//! Tests of the carries and the representatives of the kernel with 64-bit limbs.

use super::*;
use crate::wide::{Modulus, add_product, is_below, negative_inverse, square, write_limbs};

fn limbs(x: &BigUint, count: usize) -> Vec<u64> {
    let mut limbs = std::vec![0; count];
    write_limbs(&mut limbs, &octets(x, 8 * count));
    limbs
}

fn integer(limbs: &[u64]) -> BigUint {
    limbs.iter().rev().fold(BigUint::ZERO, |value, limb| (value << 64) + limb)
}

fn power_of_two(exponent: usize) -> BigUint {
    BigUint::from(1_u8) << exponent
}

#[test]
fn a_carry_ripples_through_all_limbs_of_a_sum() {
    for count in [32, 34, 48, 64] {
        let mut wide = std::vec![u64::MAX; 2 * count];
        let one = limbs(&BigUint::from(1_u8), count);
        assert_eq!(add_product(&mut wide, &one, &one), 1);
        assert_eq!(integer(&wide), BigUint::ZERO);
        // Starting at every other limb.
        for place in (0..count).step_by(2) {
            let mut wide = std::vec![u64::MAX; 2 * count];
            let x = limbs(&power_of_two(64 * place), count);
            assert_eq!(add_product(&mut wide, &x, &one), 1);
            assert_eq!(integer(&wide), power_of_two(64 * place) - 1_u8);
        }
    }
}

#[test]
fn products_and_squares_of_all_ones() {
    for count in [32, 34, 48, 64] {
        let ones = power_of_two(64 * count) - 1_u8;
        let x = limbs(&ones, count);
        let mut wide = std::vec![0; 2 * count];
        assert_eq!(add_product(&mut wide, &x, &x), 0);
        assert_eq!(integer(&wide), &ones * &ones);
        square(&mut wide, &x);
        assert_eq!(integer(&wide), &ones * &ones);
        // Added to all ones: the sum has one more limb.
        let mut wide = std::vec![u64::MAX; 2 * count];
        assert_eq!(add_product(&mut wide, &x, &x), 1);
        assert_eq!(
            integer(&wide) + power_of_two(128 * count),
            &ones * &ones + power_of_two(128 * count) - 1_u8
        );
    }
}

#[test]
fn reductions_of_the_greatest_sums_are_right_and_below_r() {
    let mut random = Random::new(21);
    let mut subtractions = [0; 3];
    for round in 0..400_usize {
        let count = [32, 34, 48, 64][round % 4];
        let r = power_of_two(64 * count);
        let n = match random.below(2) {
            0 => &r - 1_u8 - 2 * random.below(1 << 40),
            _ => {
                let bits = 64 * u64::try_from(count).unwrap() - random.below(2);
                random.modulus(bits)
            }
        };
        let n_limbs = limbs(&n, count);
        let modulus = Modulus { n: &n_limbs, n0: negative_inverse(n_limbs[0]) };
        // The maximum sum of the last product, and the maximum of a square.
        let with_tail = (&r - 1_u8) * (&n - 1_u8) + (power_of_two(672) - 1_u8) * (&n - 1_u8);
        let of_square = (&r - 1_u8) * (&r - 1_u8);
        for greatest in [with_tail, of_square] {
            // With n as its low half, the quotient is R − 1, the maximum.
            let low = &greatest % &r;
            for sum in [greatest.clone(), &greatest - low - &r + &n] {
                let carry = u64::try_from(&sum >> (128 * count)).unwrap();
                let mut wide = limbs(&(&sum % (&r * &r)), 2 * count);
                let mut out = std::vec![0; count];
                modulus.reduce(&mut out, &mut wide, carry);
                let value = integer(&out);
                assert_eq!(&value * &r % &n, &sum % &n);
                assert!(value < r);
                // The quotient is the q for which sum + q·n is a multiple of R.
                let inverse = n.modinv(&r).unwrap();
                let q = (&r - &sum % &r) * inverse % &r;
                let before = (&sum + q * &n) / &r;
                subtractions[usize::try_from((before - value) / &n).unwrap()] += 1;
            }
        }
    }
    std::println!("subtractions: {subtractions:?}");
    assert!(subtractions.iter().all(|&count| count > 0));
}

#[test]
fn all_representatives_below_r_are_brought_below_n() {
    // n just above a quarter of R: four representatives are below R.
    let n = power_of_two(2_174) + 1_u8;
    let n_limbs = limbs(&n, 34);
    let modulus = Modulus { n: &n_limbs, n0: negative_inverse(n_limbs[0]) };
    for x in [BigUint::ZERO, BigUint::from(1_u8), &n >> 1, &n - 5_u8] {
        for multiple in 0..4_u8 {
            let sum = &x + multiple * &n;
            assert!(sum < power_of_two(2_176));
            let mut out = limbs(&sum, 34);
            modulus.bring_below_n(&mut out);
            assert_eq!(integer(&out), x);
        }
    }
}

#[test]
fn a_second_representative_occurs() {
    let mut random = Random::new(22);
    let mut counts = [0; 2];
    for _ in 0..200 {
        let n = random.modulus(2_048);
        let n_limbs = limbs(&n, 32);
        let modulus = Modulus { n: &n_limbs, n0: negative_inverse(n_limbs[0]) };
        let (x, y) = (limbs(&random.base(&n), 32), limbs(&random.base(&n), 32));
        let mut out = std::vec![0; 32];
        modulus.product(&mut out, &x, &y);
        counts[usize::from(!is_below(&out, &n_limbs))] += 1;
    }
    std::println!("representatives: {counts:?}");
    assert!(counts[0] > 0 && counts[1] > 0);
}

#[test]
fn values_below_2n_are_in_bounds_where_n_is_below_a_quarter_of_r() {
    let mut random = Random::new(23);
    for bits in [2_049, 2_113, 2_173, 2_174] {
        let n = random.modulus(bits);
        let n_limbs = limbs(&n, 34);
        let modulus = Modulus { n: &n_limbs, n0: negative_inverse(n_limbs[0]) };
        let bound: BigUint = &n << 1;
        for (x, expected) in [
            (BigUint::ZERO, true),
            (n.clone(), true),
            (&bound - 2_u8, true),
            (&bound - 1_u8, true),
            (bound.clone(), false),
            (&bound + 1_u8, false),
            (&bound + power_of_two(64), false),
            (&bound - power_of_two(64), true),
            (power_of_two(2_176) - 1_u8, false),
        ] {
            assert_eq!(modulus.is_in_bounds(&limbs(&x, 34)), expected, "{bits} {x:x}");
        }
    }
    // Otherwise all values below R.
    for bits in [2_175, 2_176] {
        let n_limbs = limbs(&random.modulus(bits), 34);
        let modulus = Modulus { n: &n_limbs, n0: negative_inverse(n_limbs[0]) };
        assert!(modulus.is_in_bounds(&[u64::MAX; 34]));
    }
}
