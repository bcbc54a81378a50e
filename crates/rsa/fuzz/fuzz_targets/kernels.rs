//! All kernels compared with num-bigint and ring, for any modulus, exponent and signature, and
//! for valid signatures. `CLAIMGATE_RSA_KERNEL` selects one: `wide`, `small`, `model` or `IFMA`.
//!
//! No private key is needed for those: for an exponent of 3 and any root, `n = root³ − EM` is
//! a modulus under which the root is the signature.
#![no_main]

use std::env;
use std::sync::LazyLock;

use arbitrary::Arbitrary;
use claimgate_rsa::Sha256Digest;
use claimgate_rsa::fuzzing::{self, Outcome};
use libfuzzer_sys::fuzz_target;
use num_bigint::BigUint;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    size: Size,
    n: Shape<'a>,
    e: Exponent,
    s: Shape<'a>,
    /// Subtracts s from n.
    from_above: bool,
    message: [u8; 32],
    made: bool,
}

#[derive(Arbitrary, Debug)]
enum Size {
    Bits2048,
    Between(u16),
}

#[derive(Arbitrary, Debug)]
enum Exponent {
    F4,
    Three,
    Any(u32),
    Greatest,
}

/// An integer: octets, or runs of ones and zeros.
#[derive(Arbitrary, Debug)]
enum Shape<'a> {
    Octets(&'a [u8]),
    Runs([(u16, bool); 6]),
    /// 52-bit digits that are nearly all ones or zeros.
    Digits(&'a [u8]),
}

impl Shape<'_> {
    fn integer(&self) -> BigUint {
        match self {
            Self::Octets(octets) => BigUint::from_bytes_be(octets),
            Self::Runs(runs) => runs.iter().fold(BigUint::ZERO, |value, &(length, ones)| {
                let length = length % 1_024;
                let run = (BigUint::from(1_u8) << length) - 1_u8;
                (value << length) + if ones { run } else { BigUint::ZERO }
            }),
            Self::Digits(digits) => digits.iter().take(80).fold(BigUint::ZERO, |value, &digit| {
                let digit = i64::from(digit.cast_signed()).rem_euclid(1 << 52).unsigned_abs();
                (value << 52) + digit
            }),
        }
    }
}

/// The kernels to run.
static KERNELS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let mut kernels = fuzzing::kernels();
    if let Ok(selected) = env::var("CLAIMGATE_RSA_KERNEL") {
        kernels.retain(|&kernel| kernel == selected);
        assert!(!kernels.is_empty(), "this machine has no kernel {selected:?}");
    }
    kernels
});

fuzz_target!(init: { LazyLock::force(&KERNELS); }, |input: Input<'_>| {
    let bits = match input.size {
        Size::Between(bits) if KERNELS.iter().any(|kernel| has_all_sizes(kernel)) => {
            2_048 + u64::from(bits % 2_049)
        }
        _ => 2_048,
    };
    // ring computes the hash itself.
    let hash = ring::digest::digest(&ring::digest::SHA256, &input.message);
    let hash = hash.as_ref().try_into().expect("32 octets");
    let made = if input.made { made(&input, &hash, bits) } else { None };
    let is_made = made.is_some();
    let (n, e, s) = made.unwrap_or_else(|| any(&input, bits));
    let n_octets = n.to_bytes_be();
    let s_octets = octets(&s, n_octets.len());
    // A signature that is made is the cubic root of the encoded message.
    let expected = if is_made {
        Outcome {
            power: Some(octets(&encoded(&hash, n_octets.len()), n_octets.len())),
            is_valid: true,
        }
    } else if s < n {
        let power = s.modpow(&BigUint::from(e), &n);
        let is_valid = power == encoded(&hash, n_octets.len());
        Outcome { power: Some(octets(&power, n_octets.len())), is_valid }
    } else {
        Outcome { power: None, is_valid: false }
    };
    for kernel in &*KERNELS {
        let outcome = fuzzing::outcome(kernel, &n_octets, e, &Sha256Digest(hash), &s_octets);
        let is_accepted = has_all_sizes(kernel) || n.bits() == 2_048;
        assert_eq!(outcome.is_some(), is_accepted, "{kernel}: n = {n:x}");
        if let Some(outcome) = outcome {
            assert_eq!(outcome, expected, "{kernel}: n = {n:x}, e = {e}, s = {s:x}");
        }
    }
    let e_octets = BigUint::from(e).to_bytes_be();
    let ring = ring::signature::RsaPublicKeyComponents { n: &n_octets, e: &e_octets };
    let algorithm = &ring::signature::RSA_PKCS1_2048_8192_SHA256;
    let by_ring = ring.verify(algorithm, &input.message, &s_octets).is_ok();
    assert_eq!(expected.is_valid, by_ring, "ring: n = {n:x}, e = {e}, s = {s:x}");
});

/// Returns whether a kernel accepts moduli of other sizes than 2,048 bits.
fn has_all_sizes(kernel: &str) -> bool {
    matches!(kernel, "wide" | "small")
}

fn any(input: &Input<'_>, bits: u64) -> (BigUint, u64, BigUint) {
    let mut n = input.n.integer() % (BigUint::from(1_u8) << bits);
    n.set_bit(0, true);
    n.set_bit(bits - 1, true);
    let e = match input.e {
        Exponent::F4 => 65_537,
        Exponent::Three => 3,
        Exponent::Any(e) => 2 * u64::from(e) + 3,
        Exponent::Greatest => (1 << 33) - 1,
    }
    .min((1 << 33) - 1);
    // Also above n, if the length permits.
    let s = input.s.integer() % (BigUint::from(1_u8) << bits);
    let s = if input.from_above && s < n { &n - s } else { s };
    (n, e, s)
}

/// Returns a key and its signature of the hash, if the size is right.
fn made(input: &Input<'_>, hash: &[u8; 32], bits: u64) -> Option<(BigUint, u64, BigUint)> {
    let mut root = input.s.integer() % (BigUint::from(1_u8) << (bits / 3));
    root.set_bit(bits / 3, true);
    // n is odd if exactly one of both is.
    root.set_bit(0, hash[31] & 1 == 0);
    let cube = root.pow(3);
    let len = cube.bits().div_ceil(8);
    let n = &cube - encoded(hash, usize::try_from(len).ok()?);
    let fits = (2_048..=4_096).contains(&n.bits()) && n.bits().div_ceil(8) == len;
    fits.then_some((n, 3, root))
}

/// Returns the encoded message of a hash as an integer.
fn encoded(hash: &[u8; 32], len: usize) -> BigUint {
    let mut encoded = vec![0xff; len];
    encoded[..2].copy_from_slice(&[0, 1]);
    encoded[len - 52..len - 32].copy_from_slice(&[
        0x00, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
        0x01, 0x05, 0x00, 0x04, 0x20,
    ]);
    encoded[len - 32..].copy_from_slice(hash);
    BigUint::from_bytes_be(&encoded)
}

/// Returns this number of big-endian octets.
fn octets(x: &BigUint, len: usize) -> Vec<u8> {
    let octets = x.to_bytes_be();
    let mut all = vec![0; len - octets.len()];
    all.extend(octets);
    all
}
