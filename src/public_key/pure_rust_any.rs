//! Keys in pure Rust for all algorithms, implemented with `claimgate-rsa`,
//! [p256](https://docs.rs/p256), [p384](https://docs.rs/p384) and
//! [ed25519-dalek](https://docs.rs/ed25519-dalek).

use core::marker::PhantomData;

use claimgate_rsa::{
    HashFunction, Kernel, PublicKey as RsaKey, Sha256Digest, Sha384Digest, Sha512Digest,
};
use ed25519_dalek::Verifier;
use sha2::{Sha256, Sha384, Sha512};

use super::pure_rust::{hash, rsa_key};
use super::{HalfHash, KeyMaterial, PublicKey, VerifyingKey, uncompressed};
use crate::algorithm::{Algorithm, Algorithms};
use crate::error::{InvalidSignature, KeyRejected};

/// A key for any of the nine algorithms, in pure Rust, without a heap.
///
/// A key occupies as much memory as an RSA key, whatever its type: see
/// [`PureRustKey`](super::PureRustKey).
pub struct PureRustAnyKey(AnyKey);

#[expect(clippy::large_enum_variant, reason = "there is no heap to put the largest on")]
enum AnyKey {
    Rsa(Algorithm, RsaKey),
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    Ed25519(ed25519_dalek::VerifyingKey),
}

impl VerifyingKey<PureRustAnyKey> {
    /// Returns the RSA implementation that the key uses, or `None` for other keys.
    #[must_use]
    pub fn kernel(&self) -> Option<Kernel> {
        match &self.key.0 {
            AnyKey::Rsa(_, key) => Some(key.kernel()),
            AnyKey::P256(_) | AnyKey::P384(_) | AnyKey::Ed25519(_) => None,
        }
    }
}

impl PublicKey for PureRustAnyKey {
    const ALGORITHMS: Algorithms = Algorithms::ALL;

    fn new(algorithm: Algorithm, material: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
        let key = match material {
            KeyMaterial::Rsa { .. } => {
                return Ok(Self(AnyKey::Rsa(algorithm, rsa_key(material, RsaKey::new)?)));
            }
            KeyMaterial::P256 { x, y } => {
                let point: [u8; 65] = uncompressed(x, y);
                p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).map(AnyKey::P256)
            }
            KeyMaterial::P384 { x, y } => {
                let point: [u8; 97] = uncompressed(x, y);
                p384::ecdsa::VerifyingKey::from_sec1_bytes(&point).map(AnyKey::P384)
            }
            KeyMaterial::Ed25519 { x } => {
                ed25519_dalek::VerifyingKey::from_bytes(x).map(AnyKey::Ed25519)
            }
        };
        key.map(Self).map_err(|_| KeyRejected::Backend)
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        match &self.0 {
            AnyKey::Rsa(algorithm, key) => verify_rsa(*algorithm, key, message, signature),
            AnyKey::P256(key) => p256::ecdsa::Signature::from_slice(signature)
                .and_then(|signature| key.verify(message, &signature))
                .map_err(|_| InvalidSignature),
            AnyKey::P384(key) => p384::ecdsa::Signature::from_slice(signature)
                .and_then(|signature| key.verify(message, &signature))
                .map_err(|_| InvalidSignature),
            // `verify_strict` would only check in addition that A and R are not of small
            // order, which `VerifyingKey` has checked.
            AnyKey::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .and_then(|signature| key.verify(message, &signature))
                .map_err(|_| InvalidSignature),
        }
    }

    fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        hash::<Sha256>(parts).into()
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
            || hash::<Sha256>(&[text]).into(),
            || hash::<Sha384>(&[text]).into(),
            || hash::<Sha512>(&[text]).into(),
        )
    }
}

/// The hash function `D`, for MGF1.
struct Hash<D>(PhantomData<D>);

impl HashFunction for Hash<Sha256> {
    type Digest = Sha256Digest;

    fn digest(parts: &[&[u8]]) -> Sha256Digest {
        Sha256Digest(hash::<Sha256>(parts).into())
    }
}

impl HashFunction for Hash<Sha384> {
    type Digest = Sha384Digest;

    fn digest(parts: &[&[u8]]) -> Sha384Digest {
        Sha384Digest(hash::<Sha384>(parts).into())
    }
}

impl HashFunction for Hash<Sha512> {
    type Digest = Sha512Digest;

    fn digest(parts: &[&[u8]]) -> Sha512Digest {
        Sha512Digest(hash::<Sha512>(parts).into())
    }
}

fn verify_rsa(
    algorithm: Algorithm,
    key: &RsaKey,
    message: &[u8],
    signature: &[u8],
) -> Result<(), InvalidSignature> {
    fn pkcs1v15<H: HashFunction>(
        key: &RsaKey,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), claimgate_rsa::InvalidSignature> {
        key.verify_pkcs1v15(&H::digest(&[message]), signature)
    }
    fn pss<H: HashFunction>(
        key: &RsaKey,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), claimgate_rsa::InvalidSignature> {
        key.verify_pss::<H>(&H::digest(&[message]), signature)
    }
    let verify = match algorithm {
        Algorithm::Rs256 => pkcs1v15::<Hash<Sha256>>,
        Algorithm::Rs384 => pkcs1v15::<Hash<Sha384>>,
        Algorithm::Rs512 => pkcs1v15::<Hash<Sha512>>,
        Algorithm::Ps256 => pss::<Hash<Sha256>>,
        Algorithm::Ps384 => pss::<Hash<Sha384>>,
        Algorithm::Ps512 => pss::<Hash<Sha512>>,
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa => return Err(InvalidSignature),
    };
    verify(key, message, signature).map_err(|_| InvalidSignature)
}
