//! RS256, and the only place where a [`VerifiedJws`] is made.
//!
//! RSASSA-PKCS1-v1_5 with SHA-256
//! ([RFC 7518 §3.3](https://www.rfc-editor.org/rfc/rfc7518#section-3.3),
//! [RFC 8017 §8.2.2](https://www.rfc-editor.org/rfc/rfc8017#section-8.2.2)) by a
//! backend that the caller names by type.

#[cfg(feature = "aws-lc-rs")]
mod aws_lc;
#[cfg(feature = "pure-rust")]
mod pure_rust;
#[cfg(feature = "ring")]
mod ring;

use core::fmt;

use crate::error::{Error, KeyRejected};
use crate::json::Scratch;
use crate::jws::{Header, UnverifiedJws};

#[cfg(feature = "aws-lc-rs")]
pub use self::aws_lc::AwsLcKey;
#[cfg(feature = "pure-rust")]
pub use self::pure_rust::{PureRust2048Key, PureRustKey};
#[cfg(feature = "ring")]
pub use self::ring::RingKey;

/// The smallest modulus, in bits
/// ([RFC 7518 §3.3](https://www.rfc-editor.org/rfc/rfc7518#section-3.3)).
pub const MIN_MODULUS_BITS: usize = 2_048;

/// The largest modulus, in bits: every backend stores keys up to this size, but
/// for `PureRust2048Key`, which takes 2,048 bits alone.
///
/// Verification time grows with the square of the size, and no large issuer
/// uses more than 4,096 bits.
pub const MAX_MODULUS_BITS: usize = 4_096;

/// The largest modulus and the longest signature, in bytes.
pub const MAX_MODULUS_LEN: usize = MAX_MODULUS_BITS / 8;

/// The largest exponent, 2^33 − 1, so that a key cannot make verification slow.
pub const MAX_EXPONENT: u64 = (1 << 33) - 1;

/// The signature does not hold. There is nothing more to say: details would
/// help an attacker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct InvalidSignature;

/// A key of one implementation of RS256.
///
/// Three come with this crate, behind the features `ring`, `aws-lc-rs` and
/// `pure-rust`; all may be on at once. Implement it to use a hardware
/// accelerator or another library.
///
/// Whatever the backend, [`RsaKey`] has checked the size of the modulus, that
/// modulus and exponent are odd, and that a signature is as long as the modulus.
/// What remains for the backend: that the signature is below the modulus, the
/// exponentiation, and the comparison of the whole encoded message.
///
/// ```
/// use claimgate::{InvalidSignature, KeyRejected, PublicKey};
///
/// /// A key slot of a crypto peripheral.
/// struct Accelerator {
///     slot: u8,
/// }
///
/// # mod peripheral {
/// #     pub fn load(_n: &[u8], _e: &[u8]) -> Option<u8> { None }
/// #     pub fn verify(_slot: u8, _message: &[u8], _signature: &[u8]) -> bool { false }
/// #     pub fn sha256(_parts: &[&[u8]]) -> [u8; 32] { [0; 32] }
/// # }
/// impl PublicKey for Accelerator {
///     fn from_components(n: &[u8], e: &[u8]) -> Result<Self, KeyRejected> {
///         let slot = peripheral::load(n, e).ok_or(KeyRejected::Backend)?;
///         Ok(Self { slot })
///     }
///
///     fn verify(&self, signing_input: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
///         if peripheral::verify(self.slot, signing_input, signature) {
///             Ok(())
///         } else {
///             Err(InvalidSignature)
///         }
///     }
///
///     fn sha256(parts: &[&[u8]]) -> [u8; 32] {
///         peripheral::sha256(parts)
///     }
/// }
/// ```
///
/// It is then named by type, like the others:
///
/// ```
/// # use claimgate::{Error, JwkSet, PublicKey};
/// # fn keys<Accelerator: PublicKey>(text: &str) -> Result<(), Error> {
/// let keys = JwkSet::<Accelerator, 4>::from_json(text)?;
/// # Ok(())
/// # }
/// ```
pub trait PublicKey: Sized {
    /// Takes a public key: modulus and exponent, big-endian, without leading
    /// zeros.
    ///
    /// # Errors
    ///
    /// [`KeyRejected::Backend`] if the implementation does not take it.
    fn from_components(n: &[u8], e: &[u8]) -> Result<Self, KeyRejected>;

    /// Verifies the RSASSA-PKCS1-v1_5 signature, with SHA-256, of
    /// `signing_input`
    /// ([RFC 8017 §8.2.2](https://www.rfc-editor.org/rfc/rfc8017#section-8.2.2)).
    ///
    /// # Errors
    ///
    /// [`InvalidSignature`], without details.
    fn verify(&self, signing_input: &[u8], signature: &[u8]) -> Result<(), InvalidSignature>;

    /// SHA-256 of the concatenation of `parts`, for thumbprints
    /// ([RFC 7638](https://www.rfc-editor.org/rfc/rfc7638)), `at_hash`, and the
    /// [fingerprint](crate::JwkSet::fingerprint) of a key set.
    ///
    /// Nothing but the true hash will do: a constant would let a
    /// [cache](crate::VerifiedTokenCache) take one key set for another.
    fn sha256(parts: &[&[u8]]) -> [u8; 32];
}

/// An RSA public key that is fit for RS256.
///
/// ```
/// use claimgate::{Error, PublicKey, RsaKey};
///
/// /// Checks a detached signature of an issuer whose key is known otherwise.
/// fn check<K: PublicKey>(n: &[u8], text: &[u8], signature: &[u8]) -> Result<(), Error> {
///     RsaKey::<K>::from_components(n, &[1, 0, 1])?.verify(text, signature)
/// }
/// ```
pub struct RsaKey<K> {
    key: K,
    modulus_len: usize,
}

impl<K: PublicKey> RsaKey<K> {
    /// Takes a public key: modulus `n` and exponent `e`, big-endian, without
    /// leading zeros.
    ///
    /// # Errors
    ///
    /// The reason why the key is not used: a leading zero octet, a modulus
    /// below [`MIN_MODULUS_BITS`], above [`MAX_MODULUS_BITS`] or even, an
    /// exponent that is even, below 3 or above [`MAX_EXPONENT`]
    /// ([RFC 7518 §3.3](https://www.rfc-editor.org/rfc/rfc7518#section-3.3),
    /// [§6.3.1](https://www.rfc-editor.org/rfc/rfc7518#section-6.3.1)), or the
    /// backend's refusal.
    pub fn from_components(n: &[u8], e: &[u8]) -> Result<Self, KeyRejected> {
        let (Some(&n_first), Some(&n_last)) = (n.first(), n.last()) else {
            return Err(KeyRejected::Components);
        };
        let Some(&e_first) = e.first() else { return Err(KeyRejected::Components) };
        if n_first == 0 || e_first == 0 {
            return Err(KeyRejected::LeadingZero);
        }
        let unused_bits = usize::try_from(n_first.leading_zeros()).unwrap_or(0);
        let bits = n.len().saturating_mul(8).saturating_sub(unused_bits);
        if bits < MIN_MODULUS_BITS {
            return Err(KeyRejected::ModulusTooSmall);
        }
        if bits > MAX_MODULUS_BITS {
            return Err(KeyRejected::ModulusTooLarge);
        }
        if n_last & 1 == 0 {
            return Err(KeyRejected::ModulusEven);
        }
        check_exponent(e)?;
        K::from_components(n, e).map(|key| Self { key, modulus_len: n.len() })
    }

    /// Verifies a signature of `signing_input`: exactly as long as the modulus,
    /// and valid for the backend.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSignature`], without details.
    pub fn verify(&self, signing_input: &[u8], signature: &[u8]) -> Result<(), Error> {
        if signature.len() != self.modulus_len {
            return Err(Error::InvalidSignature);
        }
        self.key
            .verify(signing_input, signature)
            .map_err(|InvalidSignature| Error::InvalidSignature)
    }

    /// The size of the modulus, in bytes.
    #[must_use]
    pub const fn modulus_len(&self) -> usize {
        self.modulus_len
    }
}

/// The value of an exponent that is odd, at least 3, and at most
/// [`MAX_EXPONENT`].
fn check_exponent(e: &[u8]) -> Result<u64, KeyRejected> {
    e.iter()
        .try_fold(0_u64, |value, &byte| value.checked_mul(256).map(|value| value | u64::from(byte)))
        .filter(|value| value & 1 == 1 && (3..=MAX_EXPONENT).contains(value))
        .ok_or(KeyRejected::Exponent)
}

impl<K> fmt::Debug for RsaKey<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RsaKey").field("modulus_len", &self.modulus_len).finish_non_exhaustive()
    }
}

impl<'b> UnverifiedJws<'_, 'b> {
    /// Verifies the signature with a key that the issuer's set selected.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSignature`], without details.
    pub fn verify<K: PublicKey>(self, key: &RsaKey<K>) -> Result<VerifiedJws<'b>, Error> {
        key.verify(self.signing_input.as_bytes(), self.signature)?;
        Ok(VerifiedJws { header: self.header, payload: self.payload, room: self.room })
    }
}

/// A JWS whose signature holds: the only type that has a payload.
///
/// Somebody with the key has signed these bytes. Whether they are a token, and
/// one to be trusted, is for [`IdToken`](crate::IdToken),
/// [`AccessToken`](crate::AccessToken) and the policies to say.
pub struct VerifiedJws<'b> {
    pub(crate) header: Header<'b>,
    pub(crate) payload: &'b mut [u8],
    pub(crate) room: Scratch<'b>,
}

impl<'b> VerifiedJws<'b> {
    /// The header that was signed.
    #[must_use]
    pub const fn header(&self) -> Header<'b> {
        self.header
    }

    /// The bytes that were signed.
    #[must_use]
    pub const fn payload(&self) -> &[u8] {
        self.payload
    }
}

impl fmt::Debug for VerifiedJws<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedJws").finish_non_exhaustive()
    }
}
