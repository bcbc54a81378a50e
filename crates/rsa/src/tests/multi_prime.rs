//! A private key with many primes of 64 bits
//! ([RFC 8017 §3.2](https://www.rfc-editor.org/rfc/rfc8017#section-3.2)). It signs in a fraction
//! of the time that a key with two primes takes, so that a million signatures can be tested.

use std::vec::Vec;

use num_bigint::BigUint;

use super::kernels::{Scheme, Signer};
use super::{HashFunction, Random, Sha256, Sha384, Sha512, octets};
use crate::digest::sealed::Sealed as _;

const E: u64 = 65_537;

pub(super) struct PrivateKey {
    n: BigUint,
    primes: Vec<Prime>,
}

struct Prime {
    p: u64,
    /// The exponent modulo p − 1.
    d: u64,
    /// The product of the other primes, and its inverse modulo p.
    cofactor: BigUint,
    inverse: u64,
}

fn multiply(a: u64, b: u64, p: u64) -> u64 {
    u64::try_from(u128::from(a) * u128::from(b) % u128::from(p)).unwrap()
}

fn power(mut base: u64, mut exponent: u64, p: u64) -> u64 {
    let mut power = 1;
    while exponent > 0 {
        if exponent % 2 == 1 {
            power = multiply(power, base, p);
        }
        base = multiply(base, base, p);
        exponent /= 2;
    }
    power
}

/// The test by Miller and Rabin, which decides for integers of 64 bits with these bases.
fn is_prime(p: u64) -> bool {
    let twos = (p - 1).trailing_zeros();
    [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37].iter().all(|&base| {
        let mut x = power(base, (p - 1) >> twos, p);
        x == 1
            || (0..twos).any(|_| {
                let before = x;
                x = multiply(x, x, p);
                before == p - 1
            })
    })
}

fn remainder(x: &BigUint, p: u64) -> u64 {
    x.iter_u64_digits().rev().fold(0, |rest, digit| {
        u64::try_from((u128::from(rest) << 64 | u128::from(digit)) % u128::from(p)).unwrap()
    })
}

impl PrivateKey {
    /// Makes a key whose modulus has this number of bits, a multiple of 64.
    pub(super) fn new(random: &mut Random, bits: u64) -> Self {
        let mut primes = Vec::new();
        while primes.len() < usize::try_from(bits / 64).unwrap() {
            // So near 2^64 that the product of 64 of them has the highest bit.
            let p = u64::MAX - 2 * random.below(1 << 56);
            if is_prime(p) && p % E != 1 && !primes.contains(&p) {
                primes.push(p);
            }
        }
        let n: BigUint = primes.iter().product();
        assert_eq!(n.bits(), bits);
        let prime = |&p: &u64| {
            let cofactor = &n / p;
            // 1 + k (p - 1) is a multiple of e.
            let k = u128::from(E - power((p - 1) % E, E - 2, E));
            let d = u64::try_from((1 + k * u128::from(p - 1)) / u128::from(E)).unwrap();
            let inverse = power(remainder(&cofactor, p), p - 2, p);
            Prime { p, d, cofactor, inverse }
        };
        Self { primes: primes.iter().map(prime).collect(), n }
    }

    /// Returns the signature of an encoded message, by the Chinese remainder theorem.
    fn sign_encoded(&self, encoded: &[u8]) -> Vec<u8> {
        let message = BigUint::from_bytes_be(encoded);
        let terms = self.primes.iter().map(|Prime { p, d, cofactor, inverse }| {
            cofactor * multiply(power(remainder(&message, *p), *d, *p), *inverse, *p)
        });
        octets(&(terms.sum::<BigUint>() % &self.n), encoded.len())
    }

    fn len(&self) -> usize {
        usize::try_from(self.n.bits() / 8).unwrap()
    }

    /// EMSA-PKCS1-v1_5 (RFC 8017 §9.2).
    fn sign_pkcs1v15<H: HashFunction>(&self, message: &[u8]) -> Vec<u8> {
        let digest = H::digest(&[message]);
        let tail = [&H::Digest::PREFIX[..], digest.octets()].concat();
        let mut encoded = std::vec![0xff; self.len()];
        encoded[..2].copy_from_slice(&[0, 1]);
        let place = encoded.len() - tail.len();
        encoded[place..].copy_from_slice(&tail);
        self.sign_encoded(&encoded)
    }

    /// EMSA-PSS (RFC 8017 §9.1.1), with a salt of the length of the hash.
    fn sign_pss<H: HashFunction>(&self, message: &[u8], random: &mut Random) -> Vec<u8> {
        let digest = H::digest(&[message]);
        let salt = random.octets(digest.octets().len());
        let hash = H::digest(&[&[0; 8], digest.octets(), &salt]);
        let mut block = std::vec![0; self.len() - hash.octets().len() - 1];
        let place = block.len() - salt.len();
        block[place - 1] = 1;
        block[place..].copy_from_slice(&salt);
        for (chunk, counter) in block.chunks_mut(salt.len()).zip(0_u32..) {
            let mask = H::digest(&[hash.octets(), &counter.to_be_bytes()]);
            for (octet, mask) in chunk.iter_mut().zip(mask.octets()) {
                *octet ^= mask;
            }
        }
        block[0] &= 0x7f;
        self.sign_encoded(&[&block, hash.octets(), &[0xbc]].concat())
    }
}

impl Signer for PrivateKey {
    fn modulus(&self) -> Vec<u8> {
        self.n.to_bytes_be()
    }

    fn sign(&self, scheme: Scheme, message: &[u8], random: &mut Random) -> Vec<u8> {
        match scheme {
            Scheme::Rs256 => self.sign_pkcs1v15::<Sha256>(message),
            Scheme::Rs384 => self.sign_pkcs1v15::<Sha384>(message),
            Scheme::Rs512 => self.sign_pkcs1v15::<Sha512>(message),
            Scheme::Ps256 => self.sign_pss::<Sha256>(message, random),
            Scheme::Ps384 => self.sign_pss::<Sha384>(message, random),
            Scheme::Ps512 => self.sign_pss::<Sha512>(message, random),
        }
    }
}
