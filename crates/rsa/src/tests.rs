//! Tests of the kernels against num-bigint and against each other.

use std::boxed::Box;
use std::cell::Cell;
use std::vec::Vec;

use num_bigint::BigUint;
use sha2::Digest as _;

use crate::digest::Tail;
use crate::{HashFunction, Sha256Digest, Sha384Digest, Sha512Digest, ifma, small, wide};

mod edges;
mod kernels;
mod malformed;
mod multi_prime;
mod wide_carries;

macro_rules! hash_function {
    ($name:ident, $digest:ident) => {
        pub(crate) struct $name;

        impl HashFunction for $name {
            type Digest = $digest;

            fn digest(parts: &[&[u8]]) -> $digest {
                $digest(sha2::$name::digest(parts.concat()).into())
            }
        }
    };
}

hash_function!(Sha256, Sha256Digest);
hash_function!(Sha384, Sha384Digest);
hash_function!(Sha512, Sha512Digest);

/// A small generator (splitmix64), so that failures are reproducible.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub(crate) fn octets(&mut self, len: usize) -> Vec<u8> {
        let mut octets = Vec::new();
        while octets.len() < len {
            octets.extend(self.next().to_le_bytes());
        }
        octets.truncate(len);
        octets
    }

    /// Returns an odd integer with this number of bits, often near an edge.
    pub(crate) fn modulus(&mut self, bits: u64) -> BigUint {
        let one = BigUint::from(1_u8);
        let power = |exponent: u64| &one << exponent;
        let len = usize::try_from(bits.div_ceil(8)).unwrap();
        let any = BigUint::from_bytes_be(&self.octets(len)) % power(bits - 1);
        let small = BigUint::from(self.below(1 << 20));
        let place = self.below(bits - 1);
        let mut n = match self.below(10) {
            0 => power(bits) - &one - (small << 1),
            1 => power(bits - 1) + small,
            2 => power(bits) - power(place),
            3 => power(bits - 1) + power(place),
            // Runs of ones and zeros.
            4 => power(bits - 1) + (any >> place << place),
            5 => power(bits) - &one - (any >> place << place),
            _ => power(bits - 1) + any,
        };
        n.set_bit(0, true);
        assert_eq!(n.bits(), bits);
        n
    }

    /// Returns an integer below n, often near an edge.
    pub(crate) fn base(&mut self, n: &BigUint) -> BigUint {
        let any = BigUint::from_bytes_be(&self.octets(520)) % n;
        let small = BigUint::from(self.below(4));
        match self.below(16) {
            0 => small,
            1 => n - small - 1_u8,
            2 => any >> self.below(n.bits()),
            3 => (BigUint::from(1_u8) << self.below(n.bits())) % n,
            4 => n - (any >> self.below(n.bits())) - 1_u8,
            5 => n >> 1,
            _ => any,
        }
    }
}

/// Returns this number of big-endian octets.
pub(crate) fn octets(x: &BigUint, len: usize) -> Vec<u8> {
    let octets = x.to_bytes_be();
    let mut all = std::vec![0; len - octets.len()];
    all.extend(octets);
    all
}

/// Returns the number of rounds of a differential test: `CLAIMGATE_RSA_ROUNDS`, or a number
/// for the build.
pub(crate) fn rounds(release: u64, debug: u64) -> u64 {
    match std::env::var("CLAIMGATE_RSA_ROUNDS") {
        Ok(count) => count.parse().unwrap(),
        Err(_) if cfg!(debug_assertions) => debug,
        Err(_) => release,
    }
}

/// Returns `CLAIMGATE_RSA_SEED`, for more rounds than those of one run.
pub(crate) fn seed() -> u64 {
    std::env::var("CLAIMGATE_RSA_SEED").map_or(0, |seed| seed.parse().unwrap())
}

/// Returns a number of rounds for the build.
pub(crate) fn scale(release: u8, debug: u8) -> u8 {
    if cfg!(debug_assertions) { debug } else { release }
}

/// A kernel under test.
pub(crate) trait Subject {
    fn verify_pkcs1v15(&self, tail: Tail<'_>, signature: &[u8]) -> bool;
    fn recover(&self, out: &mut [u8], signature: &[u8]) -> bool;
    fn bits(&self) -> u32;
    fn len(&self) -> usize;
    /// Makes `verify_pkcs1v15` compare with an integer other than `00 01 FF … FF`.
    fn set_padding(&mut self, padding: &BigUint) -> bool;
}

macro_rules! subject {
    ($key:ty, $set_padding:expr) => {
        impl Subject for $key {
            fn verify_pkcs1v15(&self, tail: Tail<'_>, signature: &[u8]) -> bool {
                self.verify_pkcs1v15(tail, signature)
            }
            fn recover(&self, out: &mut [u8], signature: &[u8]) -> bool {
                self.recover(out, signature)
            }
            fn bits(&self) -> u32 {
                self.bits()
            }
            fn len(&self) -> usize {
                self.len()
            }
            fn set_padding(&mut self, padding: &BigUint) -> bool {
                let set: fn(&mut $key, &BigUint) -> bool = $set_padding;
                set(self, padding)
            }
        }
    };
}

subject!(small::Key, |_, _| false);
subject!(wide::Key, |key, padding| {
    key.set_padding(&octets(padding, key.len()));
    true
});

impl<L: ifma::Lanes> Subject for ifma::Key<L> {
    fn verify_pkcs1v15(&self, tail: Tail<'_>, signature: &[u8]) -> bool {
        self.verify_pkcs1v15(tail, signature)
    }
    fn recover(&self, out: &mut [u8], signature: &[u8]) -> bool {
        self.recover(out, signature)
    }
    fn bits(&self) -> u32 {
        2_048
    }
    fn len(&self) -> usize {
        ifma::MODULUS_LEN
    }
    fn set_padding(&mut self, padding: &BigUint) -> bool {
        self.set_padding(&octets(padding, ifma::MODULUS_LEN));
        true
    }
}

std::thread_local! {
    static RIPPLES: Cell<u64> = const { Cell::new(0) };
}

/// Counts a carry caused by a carry, in the IFMA kernel.
pub(crate) fn count_ripple() {
    RIPPLES.set(RIPPLES.get() + 1);
}

/// Returns the number of such carries in this thread since the last call.
pub(crate) fn take_ripples() -> u64 {
    RIPPLES.replace(0)
}

/// Returns the kernels that accept a key, with their names.
pub(crate) fn subjects(n: &BigUint, e: u64) -> Vec<(&'static str, Box<dyn Subject>)> {
    let n = n.to_bytes_be();
    let (mut wide, mut small) = (wide::Key::unprepared(e), small::Key::unprepared(e));
    wide.prepare(&n);
    small.prepare(&n);
    let mut subjects =
        std::vec![("wide", Box::new(wide) as Box<dyn Subject>), ("small", Box::new(small))];
    if let Ok(n) = n.as_slice().try_into() {
        subjects.push(("model", Box::new(ifma::Key::new(ifma::Model, n, e))));
        #[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
        if let Some(lanes) = ifma::Detected::new() {
            subjects.push(("IFMA", Box::new(ifma::Key::new(lanes, n, e))));
        }
    }
    subjects
}
