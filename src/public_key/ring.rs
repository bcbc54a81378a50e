//! Keys implemented with [ring](https://docs.rs/ring). Only this file uses it.

use heapless::Vec;
use ring::digest;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};

use super::{HalfHash, KeyMaterial, PublicKey, concatenated, uncompressed};
use crate::algorithm::{Algorithm, Algorithms};
use crate::error::{InvalidSignature, KeyRejected};

/// The maximum length of an exponent, which is at most 2^33 − 1, in bytes.
const MAX_EXPONENT_LEN: usize = 5;

/// An RS256 key, implemented with ring.
///
/// ring is fast, and written in C and assembly as well as Rust. It stores no precomputation
/// between verifications, and allocates in each: five times, 1,280 bytes for a 2,048-bit key.
pub struct RingKey(RsaKey);

impl PublicKey for RingKey {
    const ALGORITHMS: Algorithms = Algorithms::RS256;

    fn new(_: Algorithm, material: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
        let KeyMaterial::Rsa { n, e } = material else { return Err(KeyRejected::Backend) };
        RsaKey::new(n, e).map(Self)
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        self.0.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
    }

    fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        hash(&digest::SHA256, parts)
    }
}

/// A key for any of the nine algorithms, implemented with ring.
///
/// ring allocates in each RSA verification, but not with the other algorithms.
pub struct RingAnyKey(AnyKey);

#[expect(clippy::large_enum_variant, reason = "there is no heap to put the largest on")]
enum AnyKey {
    Rsa(Algorithm, RsaKey),
    P256([u8; 65]),
    P384([u8; 97]),
    Ed25519([u8; 32]),
}

impl PublicKey for RingAnyKey {
    const ALGORITHMS: Algorithms = Algorithms::ALL;

    fn new(algorithm: Algorithm, material: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
        Ok(Self(match material {
            KeyMaterial::Rsa { n, e } => AnyKey::Rsa(algorithm, RsaKey::new(n, e)?),
            KeyMaterial::P256 { x, y } => AnyKey::P256(uncompressed(x, y)),
            KeyMaterial::P384 { x, y } => AnyKey::P384(uncompressed(x, y)),
            KeyMaterial::Ed25519 { x } => AnyKey::Ed25519(*x),
        }))
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let (algorithm, point): (&'static dyn VerificationAlgorithm, &[u8]) = match &self.0 {
            AnyKey::Rsa(algorithm, key) => {
                let parameters = rsa_parameters(*algorithm).ok_or(InvalidSignature)?;
                return key.verify(parameters, message, signature);
            }
            AnyKey::P256(point) => (&ECDSA_P256_SHA256_FIXED, point),
            AnyKey::P384(point) => (&ECDSA_P384_SHA384_FIXED, point),
            AnyKey::Ed25519(point) => (&ED25519, point),
        };
        UnparsedPublicKey::new(algorithm, point)
            .verify(message, signature)
            .map_err(|_| InvalidSignature)
    }

    fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        hash(&digest::SHA256, parts)
    }

    fn half_hash(&self, text: &[u8]) -> HalfHash {
        let algorithm = match &self.0 {
            AnyKey::Rsa(algorithm, _) => *algorithm,
            AnyKey::P256(_) => Algorithm::Es256,
            AnyKey::P384(_) => Algorithm::Es384,
            AnyKey::Ed25519(_) => Algorithm::EdDsa,
        };
        HalfHash::for_algorithm(
            algorithm,
            || hash(&digest::SHA256, &[text]),
            || hash(&digest::SHA384, &[text]),
            || hash(&digest::SHA512, &[text]),
        )
    }
}

/// The modulus and the exponent of an RSA key.
struct RsaKey {
    n: Vec<u8, { KeyMaterial::MAX_MODULUS_LEN }>,
    e: Vec<u8, MAX_EXPONENT_LEN>,
}

impl RsaKey {
    fn new(n: &[u8], e: &[u8]) -> Result<Self, KeyRejected> {
        Ok(Self {
            n: Vec::from_slice(n).map_err(|_| KeyRejected::ModulusTooLarge)?,
            e: Vec::from_slice(e).map_err(|_| KeyRejected::Exponent)?,
        })
    }

    fn verify(
        &self,
        parameters: &RsaParameters,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        RsaPublicKeyComponents { n: self.n.as_slice(), e: self.e.as_slice() }
            .verify(parameters, message, signature)
            .map_err(|_| InvalidSignature)
    }
}

/// With each of these parameters, the PSS salt must have the length of the hash.
const fn rsa_parameters(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        Algorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
        Algorithm::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
        Algorithm::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
        Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
        Algorithm::Ps384 => &RSA_PSS_2048_8192_SHA384,
        Algorithm::Ps512 => &RSA_PSS_2048_8192_SHA512,
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa => return None,
    })
}

/// Returns the hash of the concatenation of `parts`, which has `LEN` bytes.
fn hash<const LEN: usize>(algorithm: &'static digest::Algorithm, parts: &[&[u8]]) -> [u8; LEN] {
    let hash = match concatenated(parts, &mut [0; 256]) {
        Some(whole) => digest::digest(algorithm, whole),
        None => {
            let mut context = digest::Context::new(algorithm);
            parts.iter().for_each(|part| context.update(part));
            context.finish()
        }
    };
    // The length of these digests is known at run time only.
    hash.as_ref().first_chunk().copied().unwrap_or([0; LEN])
}
