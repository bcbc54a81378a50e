//! Differential tests: random moduli, bases and exponents against num-bigint and
//! crypto-bigint, and genuine signatures against ring and aws-lc-rs.

use std::println;
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature as aws;
use aws_lc_rs::signature::KeyPair as _;
use ring::signature as ring;

use super::multi_prime::PrivateKey;
use super::*;
use crate::digest::sealed::Sealed as _;
use crate::pss;

/// Compares the result of a kernel with that of another library for one modulus and base: by a
/// comparison in the kernel and, if `all` are compared, by the octets and by comparisons that
/// fail.
#[track_caller]
fn compare(
    (name, key): (&str, &mut dyn Subject),
    n: &BigUint,
    s: &BigUint,
    power: &BigUint,
    tail: Tail<'_>,
    all: bool,
) {
    let len = key.len();
    let signature = octets(s, len);
    let check = |holds: bool| assert!(holds, "{name}: n = {n:x}, s = {s:x}");
    if all || is_slow(name) {
        let mut out = std::vec![0; len];
        check(key.recover(&mut out, &signature));
        check(out == octets(power, len));
    }
    // The kernel accepts s^e + complement.
    let mut complement = std::vec![0xff];
    complement.extend(tail.prefix.iter().skip(1).chain(tail.hash).map(|octet| !octet));
    let padding = (power + BigUint::from_bytes_be(&complement)) % n;
    if key.set_padding(&padding) {
        check(key.verify_pkcs1v15(tail, &signature));
        if all {
            for wrong in [&padding + 1_u8, &padding + n - 1_u8] {
                check(key.set_padding(&(wrong % n)));
                check(!key.verify_pkcs1v15(tail, &signature));
            }
        }
    } else {
        check(!key.verify_pkcs1v15(tail, &signature));
    }
}

/// The number of runs of each kernel, and their duration.
#[derive(Default)]
struct Counts(Vec<(&'static str, u64, Duration)>);

impl Counts {
    fn time(&mut self, name: &'static str, run: impl FnOnce()) {
        let start = Instant::now();
        run();
        let place = self.0.iter().position(|count| count.0 == name).unwrap_or_else(|| {
            self.0.push((name, 0, Duration::ZERO));
            self.0.len() - 1
        });
        self.0[place].1 += 1;
        self.0[place].2 += start.elapsed();
    }

    fn print(&self, what: &str) {
        for (name, count, time) in &self.0 {
            println!("{what}: {name}: {count}, in {time:.1?}");
        }
        assert!(self.0.iter().any(|count| count.0 == "wide"));
        assert!(self.0.iter().any(|count| count.0 == "small"));
    }
}

/// The number of bases for each modulus.
const BASES: u64 = if cfg!(debug_assertions) { 8 } else { 64 };

/// Returns whether a kernel is slow and therefore tested with one base of each modulus only.
fn is_slow(name: &str) -> bool {
    matches!(name, "small" | "model")
}

/// A function that computes powers for a modulus and an exponent with another library.
type Power = Box<dyn Fn(&BigUint) -> BigUint>;

fn by_num_bigint(n: &BigUint, e: u64) -> Power {
    let n = n.clone();
    Box::new(move |s| s.modpow(&BigUint::from(e), &n))
}

/// For moduli of 2,048, 3,072 and 4,096 bits and the exponent 65,537.
fn by_crypto_bigint(n: &BigUint, e: u64) -> Power {
    use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
    use crypto_bigint::{Odd, U2048, U3072, U4096};

    macro_rules! power {
        ($uint:ty) => {{
            const LEN: usize = <$uint>::BYTES;
            let uint = |x: &BigUint| <$uint>::from_be_slice(&octets(x, LEN));
            let parameters = FixedMontyParams::new_vartime(Odd::new(uint(n)).unwrap());
            Box::new(move |s: &BigUint| {
                let s = FixedMontyForm::new(&uint(s), &parameters);
                let power = (0..16).fold(s, |power, _| power.square()).mul(&s);
                BigUint::from_bytes_be(power.retrieve().to_be_bytes().as_ref())
            })
        }};
    }
    assert_eq!(e, 65_537);
    match n.bits() {
        2_048 => power!(U2048),
        3_072 => power!(U3072),
        4_096 => power!(U4096),
        bits => panic!("{bits} bits"),
    }
}

fn differential(
    what: &str,
    (sequence, rounds): (u64, u64),
    bits: impl Fn(&mut Random) -> u64,
    exponent: impl Fn(&mut Random) -> u64,
    oracle: impl Fn(&BigUint, u64) -> Power,
) {
    let mut random = Random::new(sequence + 1_000 * seed());
    let mut counts = Counts::default();
    for round in 0..rounds.div_ceil(BASES) {
        let size = bits(&mut random);
        let n = random.modulus(size);
        let e = exponent(&mut random);
        let mut keys = subjects(&n, e);
        let oracle = oracle(&n, e);
        for turn in 0..BASES {
            let s = random.base(&n);
            let power = oracle(&s);
            let hash = random.octets(64);
            let tail = match random.below(3) {
                0 => Tail { prefix: &Sha256Digest::PREFIX, hash: &hash[..32] },
                1 => Tail { prefix: &Sha384Digest::PREFIX, hash: &hash[..48] },
                _ => Tail { prefix: &Sha512Digest::PREFIX, hash: &hash },
            };
            for (name, key) in &mut keys {
                assert_eq!(u64::from(key.bits()), size);
                if turn == round % BASES || !is_slow(name) {
                    counts.time(name, || {
                        compare((*name, key.as_mut()), &n, &s, &power, tail, turn % 8 == 0);
                    });
                }
            }
        }
    }
    counts.print(what);
}

fn any_exponent(random: &mut Random) -> u64 {
    match random.below(4) {
        0 => 3,
        1 => 65_537,
        2 => (1 << 33) - 1 - 2 * random.below(4),
        _ => 3 + 2 * random.below(1 << 31),
    }
}

#[test]
fn kernels_agree_with_crypto_bigint_at_2048_bits() {
    let rounds = (1, rounds(100_000, 64));
    differential("2,048 bits, 65,537", rounds, |_| 2_048, |_| 65_537, by_crypto_bigint);
}

#[test]
fn kernels_agree_with_num_bigint_at_2048_bits_and_any_exponent() {
    let rounds = (2, rounds(10_000, 32));
    differential("2,048 bits, any exponent", rounds, |_| 2_048, any_exponent, by_num_bigint);
}

#[test]
fn kernels_agree_with_crypto_bigint_at_3072_bits() {
    let rounds = (3, rounds(100_000, 32));
    differential("3,072 bits, 65,537", rounds, |_| 3_072, |_| 65_537, by_crypto_bigint);
}

#[test]
fn kernels_agree_with_crypto_bigint_at_4096_bits() {
    let rounds = (5, rounds(100_000, 32));
    differential("4,096 bits, 65,537", rounds, |_| 4_096, |_| 65_537, by_crypto_bigint);
}

#[test]
fn kernels_agree_with_num_bigint_at_any_size_and_exponent() {
    let bits = |random: &mut Random| 2_048 + random.below(2_049);
    let rounds = (4, rounds(10_000, 32));
    differential("any size, any exponent", rounds, bits, any_exponent, by_num_bigint);
}

/// A signature algorithm, by its name in JSON Web Signatures.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Scheme {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
}

impl Scheme {
    const ALL: [Self; 6] =
        [Self::Rs256, Self::Rs384, Self::Rs512, Self::Ps256, Self::Ps384, Self::Ps512];

    fn of_ring(self) -> &'static ring::RsaParameters {
        match self {
            Self::Rs256 => &ring::RSA_PKCS1_2048_8192_SHA256,
            Self::Rs384 => &ring::RSA_PKCS1_2048_8192_SHA384,
            Self::Rs512 => &ring::RSA_PKCS1_2048_8192_SHA512,
            Self::Ps256 => &ring::RSA_PSS_2048_8192_SHA256,
            Self::Ps384 => &ring::RSA_PSS_2048_8192_SHA384,
            Self::Ps512 => &ring::RSA_PSS_2048_8192_SHA512,
        }
    }

    fn of_aws_lc_rs(self) -> &'static aws::RsaParameters {
        match self {
            Self::Rs256 => &aws::RSA_PKCS1_2048_8192_SHA256,
            Self::Rs384 => &aws::RSA_PKCS1_2048_8192_SHA384,
            Self::Rs512 => &aws::RSA_PKCS1_2048_8192_SHA512,
            Self::Ps256 => &aws::RSA_PSS_2048_8192_SHA256,
            Self::Ps384 => &aws::RSA_PSS_2048_8192_SHA384,
            Self::Ps512 => &aws::RSA_PSS_2048_8192_SHA512,
        }
    }

    fn verify(self, key: &dyn Subject, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rs256 => verify_pkcs1v15::<Sha256>(key, message, signature),
            Self::Rs384 => verify_pkcs1v15::<Sha384>(key, message, signature),
            Self::Rs512 => verify_pkcs1v15::<Sha512>(key, message, signature),
            Self::Ps256 => verify_pss::<Sha256>(key, message, signature),
            Self::Ps384 => verify_pss::<Sha384>(key, message, signature),
            Self::Ps512 => verify_pss::<Sha512>(key, message, signature),
        }
    }
}

fn verify_pkcs1v15<H: HashFunction>(key: &dyn Subject, message: &[u8], signature: &[u8]) -> bool {
    key.verify_pkcs1v15(Tail::new(&H::digest(&[message])), signature)
}

fn verify_pss<H: HashFunction>(key: &dyn Subject, message: &[u8], signature: &[u8]) -> bool {
    let mut representative = std::vec![0; key.len()];
    key.recover(&mut representative, signature)
        && pss::verify::<H>(&H::digest(&[message]), &mut representative, key.bits()).is_ok()
}

/// A private key with the exponent 65,537.
pub(super) trait Signer {
    fn modulus(&self) -> Vec<u8>;
    fn sign(&self, scheme: Scheme, message: &[u8], random: &mut Random) -> Vec<u8>;
}

impl Signer for KeyPair {
    fn modulus(&self) -> Vec<u8> {
        assert_eq!(self.public_key().exponent().big_endian_without_leading_zero(), E);
        self.public_key().modulus().big_endian_without_leading_zero().to_vec()
    }

    fn sign(&self, scheme: Scheme, message: &[u8], _: &mut Random) -> Vec<u8> {
        let encoding: &dyn aws::RsaEncoding = match scheme {
            Scheme::Rs256 => &aws::RSA_PKCS1_SHA256,
            Scheme::Rs384 => &aws::RSA_PKCS1_SHA384,
            Scheme::Rs512 => &aws::RSA_PKCS1_SHA512,
            Scheme::Ps256 => &aws::RSA_PSS_SHA256,
            Scheme::Ps384 => &aws::RSA_PSS_SHA384,
            Scheme::Ps512 => &aws::RSA_PSS_SHA512,
        };
        let mut signature = std::vec![0; self.public_modulus_len()];
        self.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
        signature
    }
}

/// 65,537.
const E: &[u8] = &[1, 0, 1];

/// The number of signatures by each private key.
const SIGNATURES: u64 = 2_500;

/// Genuine signatures, and each with one bit changed, with PKCS#1 v1.5 and PSS and all hash
/// functions in turn. The results of ring and aws-lc-rs are compared as well.
fn signatures<S: Signer>(
    what: &str,
    (sequence, rounds): (u64, u64),
    generate: impl Fn(&mut Random) -> S,
) {
    let mut random = Random::new(sequence + 1_000 * seed());
    let mut counts = Counts::default();
    for start in (0..rounds).step_by(usize::try_from(SIGNATURES).unwrap()) {
        let signer = generate(&mut random);
        let n = signer.modulus();
        let keys = subjects(&BigUint::from_bytes_be(&n), 65_537);
        let ring_key = ring::RsaPublicKeyComponents { n: n.as_slice(), e: E };
        let aws_key = aws::RsaPublicKeyComponents { n: n.as_slice(), e: E };
        let aws_keys =
            Scheme::ALL.map(|scheme| aws_key.to_parsed_public_key(scheme.of_aws_lc_rs()).unwrap());
        for turn in start..rounds.min(start + SIGNATURES) {
            let message = random.octets(32);
            let kind = usize::try_from(turn % 6).unwrap();
            let scheme = Scheme::ALL[kind];
            let signature = signer.sign(scheme, &message, &mut random);
            let mut wrong = signature.clone();
            let place = usize::try_from(random.below(u64::try_from(wrong.len()).unwrap())).unwrap();
            wrong[place] ^= 1 << random.below(8);
            assert!(ring_key.verify(scheme.of_ring(), &message, &signature).is_ok());
            assert!(ring_key.verify(scheme.of_ring(), &message, &wrong).is_err());
            assert!(aws_keys[kind].verify_sig(&message, &signature).is_ok());
            assert!(aws_keys[kind].verify_sig(&message, &wrong).is_err());
            for (name, key) in &keys {
                if turn / 6 % 16 == 0 || !is_slow(name) {
                    counts.time(name, || {
                        assert!(scheme.verify(key.as_ref(), &message, &signature), "{name}");
                        assert!(!scheme.verify(key.as_ref(), &message, &wrong), "{name}");
                    });
                }
            }
        }
    }
    counts.print(what);
}

#[test]
fn kernels_accept_signatures_of_2048_bits_and_refuse_them_with_a_bit_changed() {
    let rounds = (6, rounds(4_800, 20));
    signatures("signatures of 2,048 bits", rounds, |_| {
        KeyPair::generate(KeySize::Rsa2048).unwrap()
    });
}

#[test]
fn kernels_accept_signatures_of_3072_bits_and_refuse_them_with_a_bit_changed() {
    let rounds = (7, rounds(480, 17));
    signatures("signatures of 3,072 bits", rounds, |_| {
        KeyPair::generate(KeySize::Rsa3072).unwrap()
    });
}

#[test]
fn kernels_accept_signatures_of_4096_bits_and_refuse_them_with_a_bit_changed() {
    let rounds = (8, rounds(240, 17));
    signatures("signatures of 4,096 bits", rounds, |_| {
        KeyPair::generate(KeySize::Rsa4096).unwrap()
    });
}

#[test]
fn kernels_accept_signatures_of_2048_bits_by_many_primes() {
    let rounds = (9, rounds(6_000, 17));
    signatures("signatures of 2,048 bits by many primes", rounds, |random| {
        PrivateKey::new(random, 2_048)
    });
}

#[test]
fn kernels_accept_signatures_of_3072_bits_by_many_primes() {
    let rounds = (10, rounds(3_000, 17));
    signatures("signatures of 3,072 bits by many primes", rounds, |random| {
        PrivateKey::new(random, 3_072)
    });
}

#[test]
fn kernels_accept_signatures_of_4096_bits_by_many_primes() {
    let rounds = (11, rounds(1_500, 17));
    signatures("signatures of 4,096 bits by many primes", rounds, |random| {
        PrivateKey::new(random, 4_096)
    });
}
