//! Detection of RSA keys with the ROCA weakness
//! ([CVE-2017-15361](https://nvd.nist.gov/vuln/detail/CVE-2017-15361)) by their modulus.
//!
//! A library in smart cards and TPMs generated primes of the form k · M + (65537ᵃ mod M),
//! where M is a product of small primes, so that the modulus can be factored. Modulo each of
//! those small primes, such a modulus is a power of 65537, with the same exponent. Of other
//! moduli, about one in 2¹⁵⁴ has this property.
//!
//! The test and its primes are those of Nemec, Sys, Svenda, Klinec and Matyas, "The
//! Return of Coppersmith's Attack: Practical Factorization of Widely Used RSA Moduli",
//! ACM CCS 2017.

use heapless::Vec;

/// The odd primes up to 167, which divide the M of each length of key, in groups whose
/// product has at most 24 bits.
const GROUPS: [&[u8]; 11] = [
    &[3, 5, 7, 11, 13, 17, 19],
    &[23, 29, 31, 37],
    &[41, 43, 47, 53],
    &[59, 61, 67],
    &[71, 73, 79],
    &[83, 89, 97],
    &[101, 103, 107],
    &[109, 113, 127],
    &[131, 137, 139],
    &[149, 151, 157],
    &[163, 167],
];

const PRIMES: usize = 38;

const GENERATOR: u32 = 65_537;

/// Returns whether an RSA modulus, big-endian, has the fingerprint of the weak keys.
///
/// Other keys fail at one of the first primes, so usually the whole modulus is divided once or
/// twice.
pub(crate) fn has_roca_fingerprint(modulus: &[u8]) -> bool {
    is_power_of_generator(modulus).is_some()
}

/// Returns `None` unless there is one exponent with which the generator's power is congruent
/// to the modulus for each of the primes.
fn is_power_of_generator(modulus: &[u8]) -> Option<()> {
    let mut logarithms = Vec::<Logarithm, PRIMES>::new();
    for primes in GROUPS {
        let product =
            primes.iter().fold(1_u32, |product, &prime| product.wrapping_mul(u32::from(prime)));
        let residue = modulus.iter().try_fold(0_u32, |residue, &byte| {
            ((residue << 8) | u32::from(byte)).checked_rem(product)
        })?;
        for &prime in primes {
            let logarithm = Logarithm::of(residue, u32::from(prime))?;
            if !logarithms.iter().all(|other| other.agrees_with(logarithm)) {
                return None;
            }
            logarithms.push(logarithm).ok()?;
        }
    }
    Some(())
}

/// The exponents of the generator that result in a residue modulo a prime: `exponent` plus any
/// multiple of `order`.
#[derive(Clone, Copy)]
struct Logarithm {
    exponent: u32,
    order: u32,
}

impl Logarithm {
    /// Returns `None` if the residue is not a power of the generator.
    fn of(residue: u32, prime: u32) -> Option<Self> {
        let residue = residue.checked_rem(prime)?;
        let mut exponent = None;
        let (mut power, mut order) = (1_u32, 0_u32);
        loop {
            if power == residue {
                exponent = Some(order);
            }
            // Below 2²⁵, because the power is below the prime.
            power = power.wrapping_mul(GENERATOR).checked_rem(prime)?;
            order = order.wrapping_add(1);
            if power == 1 {
                return exponent.map(|exponent| Self { exponent, order });
            }
        }
    }

    /// Returns whether the two have an exponent in common.
    ///
    /// If every pair has one, all have one (Chinese remainder theorem).
    fn agrees_with(self, other: Self) -> bool {
        let (mut common, mut rest) = (self.order, other.order);
        while let Some(remainder) = common.checked_rem(rest) {
            (common, rest) = (rest, remainder);
        }
        self.exponent.abs_diff(other.exponent).checked_rem(common) == Some(0)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Returns the generator's power modulo a prime.
    fn power(exponent: u32, prime: u8) -> u32 {
        (0..exponent).fold(1, |power, _| power * GENERATOR % u32::from(prime))
    }

    /// Returns an odd modulus of 2,048 bits with these residues, constructed prime by prime in
    /// steps of the product of the previous primes.
    fn modulus(residue: impl Fn(u8) -> u32) -> [u8; 256] {
        let mut modulus = [0xa5; 256];
        let mut step = [0; 256];
        step[255] = 2;
        for &prime in GROUPS.into_iter().flatten() {
            let [start, distance] = [&modulus, &step].map(|number| remainder(number, prime));
            let wanted = residue(prime);
            let count = (0..prime)
                .find(|count| (start + u32::from(*count) * distance) % u32::from(prime) == wanted);
            let mut steps = step;
            multiply(&mut steps, count.unwrap());
            add(&mut modulus, &steps);
            multiply(&mut step, prime);
        }
        modulus
    }

    fn remainder(number: &[u8], prime: u8) -> u32 {
        number.iter().fold(0, |residue, &byte| (residue << 8 | u32::from(byte)) % u32::from(prime))
    }

    fn add(number: &mut [u8; 256], other: &[u8; 256]) {
        let mut carry = 0_u16;
        for (byte, other) in number.iter_mut().zip(other).rev() {
            let [high, low] = (u16::from(*byte) + u16::from(*other) + carry).to_be_bytes();
            (*byte, carry) = (low, u16::from(high));
        }
        assert_eq!(carry, 0);
    }

    fn multiply(number: &mut [u8; 256], factor: u8) {
        let mut carry = 0_u16;
        for byte in number.iter_mut().rev() {
            let product = u16::from(*byte) * u16::from(factor) + carry;
            let [high, low] = product.to_be_bytes();
            (*byte, carry) = (low, u16::from(high));
        }
        assert_eq!(carry, 0);
    }

    #[test]
    fn k09_a_modulus_that_is_a_power_of_65537_modulo_each_prime_has_the_fingerprint() {
        for exponent in [0, 1, 2, 12_345] {
            let modulus = modulus(|prime| power(exponent, prime));
            assert!(modulus[0] >= 0x80 && modulus[255] % 2 == 1);
            assert!(has_roca_fingerprint(&modulus), "{exponent}");
            let mut other = modulus;
            other[255] = other[255].wrapping_add(2);
            assert!(!has_roca_fingerprint(&other), "{exponent}");
        }
    }

    #[test]
    fn k09_each_prime_of_the_roca_fingerprint_matters() {
        let primes: std::vec::Vec<u8> = GROUPS.into_iter().flatten().copied().collect();
        assert_eq!((primes.len(), primes.first(), primes.last()), (PRIMES, Some(&3), Some(&167)));
        assert!(primes.iter().all(|prime| (2..*prime).all(|divisor| prime % divisor > 0)));
        assert!(primes.is_sorted());
        assert!(has_roca_fingerprint(&modulus(|prime| power(777, prime))));
        for odd_one in primes {
            // Not one of the powers: a multiple of the prime, and the first other number.
            let powers: std::vec::Vec<_> = (0..200).map(|n| power(n, odd_one)).collect();
            let no_power = (1..u32::from(odd_one)).find(|residue| !powers.contains(residue));
            // The power with another exponent, which matches modulo 107 only, because no other
            // order has the factor 53.
            let another = Some(power(778, odd_one)).filter(|_| odd_one != 107);
            for wrong in [Some(0), no_power, another].into_iter().flatten() {
                let modulus =
                    modulus(|prime| if prime == odd_one { wrong } else { power(777, prime) });
                assert!(!has_roca_fingerprint(&modulus), "{wrong} modulo {odd_one}");
            }
        }
    }

    #[test]
    fn k09_ordinary_moduli_do_not_have_the_roca_fingerprint() {
        let mut moduli = 0;
        for entry in fs::read_dir("tests/data/keys").unwrap() {
            let path = entry.unwrap().path();
            let Ok(key) = fs::read(&path) else { continue };
            // The first integer of so many bytes, after a zero, is the modulus.
            let modulus = [256_u16, 384, 512].into_iter().find_map(|length| {
                let [high, low] = (length + 1).to_be_bytes();
                let start = key.windows(5).position(|bytes| bytes == [2, 0x82, high, low, 0])?;
                key.get(start + 5..)?.get(..usize::from(length))
            });
            // The other keys are not RSA keys.
            let Some(modulus) = modulus else { continue };
            assert!(modulus[0] >= 0x80 && modulus[modulus.len() - 1] % 2 == 1);
            assert!(!has_roca_fingerprint(modulus), "{}", path.display());
            moduli += 1;
        }
        assert_eq!(moduli, 4);
    }

    #[test]
    fn powers_and_orders_are_found() {
        // 65537 is 10 modulo 11, and 3 modulo 7, where its powers are 1, 3, 2, 6, 4, 5.
        for (residue, prime, expected) in [
            (1, 11, Some((0, 2))),
            (10, 11, Some((1, 2))),
            (21, 11, Some((1, 2))),
            (2, 11, None),
            (0, 11, None),
            (6, 7, Some((3, 6))),
            (5, 7, Some((5, 6))),
            (0, 7, None),
        ] {
            let found = Logarithm::of(residue, prime).map(|found| (found.exponent, found.order));
            assert_eq!(found, expected, "{residue} modulo {prime}");
        }
        let logarithm = |exponent, order| Logarithm { exponent, order };
        assert!(logarithm(1, 4).agrees_with(logarithm(3, 6)));
        assert!(logarithm(3, 6).agrees_with(logarithm(1, 4)));
        assert!(!logarithm(1, 4).agrees_with(logarithm(2, 6)));
        assert!(logarithm(1, 4).agrees_with(logarithm(2, 9)));
        assert!(!logarithm(1, 4).agrees_with(logarithm(3, 12)));
    }
}
