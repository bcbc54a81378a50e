#![doc = include_str!("../README.md")]
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(unsafe_code)]
#![warn(unreachable_pub)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::as_conversions
    )
)]

#[cfg(any(test, fuzzing))]
extern crate std;

mod digest;
mod error;
#[cfg(fuzzing)]
pub mod fuzzing;
#[cfg(any(test, fuzzing, all(target_arch = "x86_64", target_pointer_width = "64")))]
mod ifma;
mod key;
mod pss;
#[cfg(any(test, fuzzing, not(target_pointer_width = "64")))]
mod small;
#[cfg(test)]
mod tests;
#[cfg(any(test, fuzzing, target_pointer_width = "64"))]
mod wide;

pub use digest::{HashFunction, MessageDigest, Sha256Digest, Sha384Digest, Sha512Digest};
pub use error::{InvalidSignature, KeyRejected};
pub use key::{
    Kernel, MAX_EXPONENT, MAX_MODULUS_BITS, MAX_MODULUS_LEN, MIN_MODULUS_BITS, PublicKey,
};
