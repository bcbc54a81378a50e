//! RS256 keys in pure Rust, implemented with `claimgate-rsa` and [sha2](https://docs.rs/sha2).

use claimgate_rsa::{Kernel, PublicKey as RsaKey, Sha256Digest};
use sha2::{Digest, Sha256};

use super::{KeyMaterial, PublicKey, VerifyingKey};
use crate::algorithm::{Algorithm, Algorithms};
use crate::error::{InvalidSignature, KeyRejected};

/// An RS256 key in pure Rust, without a heap. It uses the fastest code for the processor:
/// AVX-512 IFMA on x86-64 processors that have it, and portable Rust on others.
///
/// Constants are precomputed when the key is parsed, so a key occupies about 2,750 bytes on x86-64,
/// 2,100 on other 64-bit targets and 1,040 on others, whatever the size of its modulus.
///
/// The duration of a verification depends on the exponent and on whether the signature is
/// below the modulus. Key, signature and message are public, so this reveals no secret.
pub struct PureRustKey(RsaKey);

impl PureRustKey {
    /// Returns the RSA implementation that the key uses, for logs.
    #[must_use]
    pub fn kernel(&self) -> Kernel {
        self.0.kernel()
    }
}

impl VerifyingKey<PureRustKey> {
    /// Returns the RSA implementation that the key uses, for logs.
    ///
    /// ```
    /// use claimgate::{JwkSet, PureRustKey};
    ///
    /// fn show(keys: &JwkSet<PureRustKey, 4>) {
    ///     for jwk in keys.keys() {
    ///         println!("{}", jwk.key().kernel());
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn kernel(&self) -> Kernel {
        self.key.kernel()
    }
}

impl PublicKey for PureRustKey {
    const ALGORITHMS: Algorithms = Algorithms::RS256;

    #[inline(always)]
    fn new(_: Algorithm, material: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
        let KeyMaterial::Rsa { n, e } = material else { return Err(KeyRejected::Backend) };
        match RsaKey::new(n, e) {
            Ok(key) => Ok(Self(key)),
            Err(_) => Err(KeyRejected::Backend),
        }
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        verify_rs256(&self.0, message, signature)
    }

    fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        hash::<Sha256>(parts).into()
    }
}

/// A [`PureRustKey`] that uses portable code on every processor. The program then contains no
/// `unsafe` code for it.
pub struct PureRustPortableKey(RsaKey);

impl PublicKey for PureRustPortableKey {
    const ALGORITHMS: Algorithms = Algorithms::RS256;

    fn new(_: Algorithm, material: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
        rsa_key(material, RsaKey::portable).map(Self)
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        verify_rs256(&self.0, message, signature)
    }

    fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        hash::<Sha256>(parts).into()
    }
}

/// Constructs an RSA key.
#[inline(always)]
pub(super) fn rsa_key(
    material: KeyMaterial<'_>,
    new: impl FnOnce(&[u8], &[u8]) -> Result<RsaKey, claimgate_rsa::KeyRejected>,
) -> Result<RsaKey, KeyRejected> {
    let KeyMaterial::Rsa { n, e } = material else { return Err(KeyRejected::Backend) };
    // `VerifyingKey` has already reported the other reasons.
    match new(n, e) {
        Ok(key) => Ok(key),
        Err(_) => Err(KeyRejected::Backend),
    }
}

fn verify_rs256(key: &RsaKey, message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
    let digest = Sha256Digest(hash::<Sha256>(&[message]).into());
    key.verify_pkcs1v15(&digest, signature).map_err(|_| InvalidSignature)
}

/// Returns the hash of the concatenation of `parts`.
pub(super) fn hash<D: Digest>(parts: &[&[u8]]) -> sha2::digest::Output<D> {
    let mut hash = D::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize()
}
