//! RS256 by [ring](https://docs.rs/ring), the only file that names it.

use heapless::Vec;
use ring::digest;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

use super::{KeyMaterial, PublicKey};
use crate::algorithm::{Algorithm, Algorithms};
use crate::error::{InvalidSignature, KeyRejected};

/// The longest exponent, 2^33 − 1, in bytes.
const MAX_EXPONENT_LEN: usize = 5;

/// An RS256 key of ring's.
///
/// Fast, and written in C and assembler besides Rust. ring keeps no
/// precomputation between verifications, and allocates within each: five times,
/// 1,280 bytes for a 2,048-bit key.
pub struct RingKey {
    n: Vec<u8, { KeyMaterial::MAX_MODULUS_LEN }>,
    e: Vec<u8, MAX_EXPONENT_LEN>,
}

impl PublicKey for RingKey {
    const ALGORITHMS: Algorithms = Algorithms::RS256;

    fn new(_: Algorithm, material: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
        let KeyMaterial::Rsa { n, e } = material else { return Err(KeyRejected::Backend) };
        Ok(Self {
            n: Vec::from_slice(n).map_err(|_| KeyRejected::ModulusTooLarge)?,
            e: Vec::from_slice(e).map_err(|_| KeyRejected::Exponent)?,
        })
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        RsaPublicKeyComponents { n: self.n.as_slice(), e: self.e.as_slice() }
            .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            .map_err(|_| InvalidSignature)
    }

    fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in parts {
            context.update(part);
        }
        // ring's digests know their length only at run time; SHA-256 has 32 bytes.
        context.finish().as_ref().first_chunk().copied().unwrap_or_default()
    }
}
