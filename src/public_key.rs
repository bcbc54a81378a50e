//! Public keys, each for one algorithm, and the only module that constructs a
//! [`VerifiedJws`].

#[cfg(feature = "aws-lc-rs")]
mod aws_lc;
#[cfg(feature = "pure-rust-rs256")]
mod pure_rust;
#[cfg(feature = "pure-rust")]
mod pure_rust_any;
#[cfg(feature = "ring")]
mod ring;

use core::fmt;

use crate::algorithm::{Algorithm, Algorithms};
use crate::base64url;
use crate::compare::constant_time_eq;
use crate::curve;
use crate::error::{Error, InvalidSignature, KeyRejected, Problem};
use crate::json::Scratch;
use crate::jws::{Header, UnverifiedJws};
use crate::roca::has_roca_fingerprint;

#[cfg(feature = "aws-lc-rs")]
pub use self::aws_lc::{AwsLcAnyKey, AwsLcKey};
#[cfg(feature = "pure-rust-rs256")]
pub use self::pure_rust::{PureRustKey, PureRustPortableKey};
#[cfg(feature = "pure-rust")]
pub use self::pure_rust_any::PureRustAnyKey;
#[cfg(feature = "ring")]
pub use self::ring::{RingAnyKey, RingKey};
#[cfg(feature = "pure-rust-rs256")]
pub use claimgate_rsa::Kernel;

/// The numbers of a public key.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyMaterial<'a> {
    /// An RSA key: modulus and exponent, big-endian, without leading zero octets
    /// ([RFC 7518 §6.3.1](https://www.rfc-editor.org/rfc/rfc7518#section-6.3.1)).
    Rsa {
        /// The modulus.
        n: &'a [u8],
        /// The exponent.
        e: &'a [u8],
    },
    /// A point on P-256, big-endian coordinates
    /// ([RFC 7518 §6.2.1](https://www.rfc-editor.org/rfc/rfc7518#section-6.2.1)).
    P256 {
        /// The x coordinate.
        x: &'a [u8; 32],
        /// The y coordinate.
        y: &'a [u8; 32],
    },
    /// A point on P-384, big-endian coordinates
    /// ([RFC 7518 §6.2.1](https://www.rfc-editor.org/rfc/rfc7518#section-6.2.1)).
    P384 {
        /// The x coordinate.
        x: &'a [u8; 48],
        /// The y coordinate.
        y: &'a [u8; 48],
    },
    /// An encoded point of Ed25519
    /// ([RFC 8037 §2](https://www.rfc-editor.org/rfc/rfc8037#section-2)).
    Ed25519 {
        /// The encoded point.
        x: &'a [u8; 32],
    },
}

impl KeyMaterial<'_> {
    /// The minimum size of an RSA modulus, in bits
    /// ([RFC 7518 §3.3](https://www.rfc-editor.org/rfc/rfc7518#section-3.3)).
    pub const MIN_MODULUS_BITS: usize = 2_048;

    /// The maximum size of an RSA modulus, in bits.
    ///
    /// Verification time grows with the square of the size, and no large issuer uses
    /// more than 4,096 bits.
    pub const MAX_MODULUS_BITS: usize = 4_096;

    /// The maximum length of an RSA modulus and of a signature, in bytes.
    pub const MAX_MODULUS_LEN: usize = Self::MAX_MODULUS_BITS / 8;

    /// The maximum RSA exponent, 2^33 − 1: a larger one would make verification slow.
    pub const MAX_EXPONENT: u64 = (1 << 33) - 1;

    /// Returns the algorithms of this key type.
    #[must_use]
    pub const fn algorithms(&self) -> Algorithms {
        match self {
            Self::Rsa { .. } => Algorithms::RSA,
            Self::P256 { .. } => Algorithms::P256,
            Self::P384 { .. } => Algorithms::P384,
            Self::Ed25519 { .. } => Algorithms::ED25519,
        }
    }
}

impl fmt::Debug for KeyMaterial<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa { .. } => "Rsa",
            Self::P256 { .. } => "P256",
            Self::P384 { .. } => "P384",
            Self::Ed25519 { .. } => "Ed25519",
        })
    }
}

/// The left half of a hash, the value of `at_hash` and `c_hash`
/// ([OIDC Core §3.1.3.6](https://openid.net/specs/openid-connect-core-1_0.html#CodeIDToken)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HalfHash {
    bytes: [u8; 32],
    len: u8,
}

impl HalfHash {
    /// Returns the left half of a SHA-256 hash.
    #[must_use]
    pub fn of_sha256(hash: &[u8; 32]) -> Self {
        Self::of(hash, 16)
    }

    /// Returns the left half of a SHA-384 hash.
    #[must_use]
    pub fn of_sha384(hash: &[u8; 48]) -> Self {
        Self::of(hash, 24)
    }

    /// Returns the left half of a SHA-512 hash.
    #[must_use]
    pub fn of_sha512(hash: &[u8; 64]) -> Self {
        Self::of(hash, 32)
    }

    /// Returns the left half of the hash of this algorithm. The other hashes are not computed.
    #[cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust"))]
    fn for_algorithm(
        algorithm: Algorithm,
        sha256: impl FnOnce() -> [u8; 32],
        sha384: impl FnOnce() -> [u8; 48],
        sha512: impl FnOnce() -> [u8; 64],
    ) -> Self {
        match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 | Algorithm::Es256 => Self::of_sha256(&sha256()),
            Algorithm::Rs384 | Algorithm::Ps384 | Algorithm::Es384 => Self::of_sha384(&sha384()),
            Algorithm::Rs512 | Algorithm::Ps512 | Algorithm::EdDsa => Self::of_sha512(&sha512()),
        }
    }

    #[inline]
    fn of(hash: &[u8], len: u8) -> Self {
        let mut bytes = [0; 32];
        let half = bytes.iter_mut().take(usize::from(len));
        half.zip(hash).for_each(|(place, byte)| *place = *byte);
        Self { bytes, len }
    }

    /// Returns whether `text` is the base64url form of the half hash, in a time that does not
    /// depend on the position of the first difference.
    pub(crate) fn is_encoded_as(&self, text: &str) -> bool {
        let bytes = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        base64url::encode(bytes, &mut [0; 43])
            .is_some_and(|encoded| constant_time_eq(encoded.as_bytes(), text.as_bytes()))
    }
}

/// A public key for one algorithm, in one implementation.
///
/// This crate provides implementations with the features `ring`, `aws-lc-rs` and `pure-rust`.
/// All may be enabled at once, and a program selects one by its type. Implement the trait for
/// a crypto peripheral or another library.
///
/// [`VerifyingKey`] checks the key material before it calls [`new`](Self::new), and the form
/// of a signature before it calls [`verify`](Self::verify).
///
/// ```
/// use claimgate::jwk::{Algorithms, KeyMaterial};
/// use claimgate::error::{InvalidSignature, KeyRejected};
/// use claimgate::{Algorithm, PublicKey};
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
///     const ALGORITHMS: Algorithms = Algorithms::RS256;
///
///     fn new(_: Algorithm, material: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
///         let KeyMaterial::Rsa { n, e } = material else { return Err(KeyRejected::Backend) };
///         let slot = peripheral::load(n, e).ok_or(KeyRejected::Backend)?;
///         Ok(Self { slot })
///     }
///
///     fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
///         if peripheral::verify(self.slot, message, signature) {
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
/// Like the others, it is then selected by its type:
///
/// ```
/// # use claimgate::{Error, JwkSet, PublicKey};
/// # fn keys<Accelerator: PublicKey>(text: &str) -> Result<(), Error> {
/// let keys = JwkSet::<Accelerator, 4>::from_json(text)?;
/// # Ok(())
/// # }
/// ```
pub trait PublicKey: Sized {
    /// The algorithms that keys of this type implement. Each key has one of them.
    const ALGORITHMS: Algorithms;

    /// Constructs a key for `algorithm`, which is one of [`ALGORITHMS`](Self::ALGORITHMS) and
    /// matches the material.
    ///
    /// # Errors
    ///
    /// The reason why the implementation does not accept the key.
    fn new(algorithm: Algorithm, material: KeyMaterial<'_>) -> Result<Self, KeyRejected>;

    /// Verifies a signature of `message`, which is not hashed yet.
    ///
    /// The signature has the length that the key's algorithm requires. The numbers of an ECDSA
    /// signature are in range, the S of an EdDSA signature is below the order, and its R is
    /// neither of small order nor above the field. For RSA, the implementation must check that
    /// the number is below the modulus, and the whole encoded message
    /// ([RFC 8017 §8.2.2](https://www.rfc-editor.org/rfc/rfc8017#section-8.2.2),
    /// [§8.1.2](https://www.rfc-editor.org/rfc/rfc8017#section-8.1.2)). For EdDSA, it must
    /// compare R octet by octet with the result of the equation without a cofactor.
    ///
    /// # Errors
    ///
    /// [`InvalidSignature`], without details.
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature>;

    /// Returns the SHA-256 hash of the concatenation of `parts`, for thumbprints
    /// ([RFC 7638](https://www.rfc-editor.org/rfc/rfc7638)) and the
    /// [fingerprint](crate::JwkSet::fingerprint) of a key set.
    ///
    /// It must be the real hash: with a constant, a [cache](crate::cache::VerifiedTokenCache) could
    /// not distinguish two key sets.
    fn sha256(parts: &[&[u8]]) -> [u8; 32];

    /// Returns the left half of the hash of `text` by the hash function of the key's
    /// algorithm, for `at_hash` and `c_hash`: SHA-256 for RS256, PS256 and ES256, SHA-384
    /// for RS384, PS384 and ES384, SHA-512 for RS512, PS512 and EdDSA.
    ///
    /// Implementations of algorithms with a hash other than SHA-256 override it.
    fn half_hash(&self, text: &[u8]) -> HalfHash {
        HalfHash::of_sha256(&Self::sha256(&[text]))
    }
}

/// A public key whose material was checked, and which checks the length of signatures.
///
/// ```
/// use claimgate::jwk::{KeyMaterial, VerifyingKey};
/// use claimgate::{Algorithm, Error, PublicKey};
///
/// /// Verifies a detached signature of an issuer whose modulus is known.
/// fn check<K: PublicKey>(n: &[u8], text: &[u8], signature: &[u8]) -> Result<(), Error> {
///     let material = KeyMaterial::Rsa { n, e: &[1, 0, 1] };
///     VerifyingKey::<K>::new(Algorithm::Rs256, material)?.verify(text, signature)
/// }
/// ```
pub struct VerifyingKey<K> {
    key: K,
    algorithm: Algorithm,
    signature_len: usize,
}

impl<K: PublicKey> VerifyingKey<K> {
    /// Constructs a key for one algorithm.
    ///
    /// # Errors
    ///
    /// The reason why the key is not accepted: an algorithm that `K` does not implement or
    /// that does not match the material; for RSA a leading zero octet, a modulus below
    /// [`KeyMaterial::MIN_MODULUS_BITS`], above [`KeyMaterial::MAX_MODULUS_BITS`] or even, an
    /// exponent that is even, below 3 or above [`KeyMaterial::MAX_EXPONENT`]
    /// ([RFC 7518 §3.3](https://www.rfc-editor.org/rfc/rfc7518#section-3.3),
    /// [§6.3.1](https://www.rfc-editor.org/rfc/rfc7518#section-6.3.1)); for the curves
    /// coordinates that are not below the field's modulus, or a point that is not on the curve
    /// or of small order; or the backend's reason.
    pub fn new(algorithm: Algorithm, material: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
        if !K::ALGORITHMS.contains(algorithm) {
            return Err(KeyRejected::Algorithm(Some(algorithm)));
        }
        if !material.algorithms().contains(algorithm) {
            return Err(KeyRejected::AlgorithmMismatch(algorithm));
        }
        // The conditions are constants: checks of key types that `K` does not implement are
        // not compiled.
        let signature_len = match material {
            KeyMaterial::Rsa { n, e } if const { K::ALGORITHMS.intersects(Algorithms::RSA) } => {
                check_rsa(n, e)?
            }
            KeyMaterial::P256 { x, y } if const { K::ALGORITHMS.intersects(Algorithms::P256) } => {
                check_point(curve::is_p256_point(x, y), 64)?
            }
            KeyMaterial::P384 { x, y } if const { K::ALGORITHMS.intersects(Algorithms::P384) } => {
                check_point(curve::is_p384_point(x, y), 96)?
            }
            KeyMaterial::Ed25519 { x } if const { K::ALGORITHMS.intersects(Algorithms::ED25519) } => {
                check_point(curve::is_ed25519_point(x), 64)?
            }
            _ => return Err(KeyRejected::AlgorithmMismatch(algorithm)),
        };
        K::new(algorithm, material).map(|key| Self { key, algorithm, signature_len })
    }

    /// Verifies a signature of `message`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSignature`], without details.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        if signature.len() != self.signature_len || !self.is_in_range(signature) {
            return Err(Error::InvalidSignature);
        }
        self.key.verify(message, signature).map_err(|InvalidSignature| Error::InvalidSignature)
    }

    /// Returns whether the numbers of the signature are in range. An RSA signature is compared
    /// with the modulus by the backend.
    #[inline]
    fn is_in_range(&self, signature: &[u8]) -> bool {
        match self.algorithm {
            Algorithm::Es256 if const { K::ALGORITHMS.intersects(Algorithms::P256) } => {
                curve::is_p256_signature(signature)
            }
            Algorithm::Es384 if const { K::ALGORITHMS.intersects(Algorithms::P384) } => {
                curve::is_p384_signature(signature)
            }
            Algorithm::EdDsa if const { K::ALGORITHMS.intersects(Algorithms::ED25519) } => {
                curve::is_ed25519_signature(signature)
            }
            _ => true,
        }
    }

    /// Returns the left half of the hash of `text` by the key's hash function.
    pub(crate) fn half_hash(&self, text: &str) -> HalfHash {
        self.key.half_hash(text.as_bytes())
    }
}

impl<K> VerifyingKey<K> {
    /// Returns the algorithm of the key.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns the length of the key's signatures, in bytes: for RSA that of the modulus.
    #[must_use]
    pub const fn signature_len(&self) -> usize {
        self.signature_len
    }
}

/// Returns the uncompressed encoding of a point
/// ([SEC 1 §2.3.3](https://www.secg.org/sec1-v2.pdf)), which has `LEN` bytes.
#[cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust"))]
fn uncompressed<const LEN: usize>(x: &[u8], y: &[u8]) -> [u8; LEN] {
    let mut point = [0x04; LEN];
    // One loop for each coordinate, so that the compiler copies words.
    if let Some((_, places)) = point.split_first_mut() {
        let (x_places, y_places) = places.split_at_mut(x.len().min(places.len()));
        x_places.iter_mut().zip(x).for_each(|(place, octet)| *place = *octet);
        y_places.iter_mut().zip(y).for_each(|(place, octet)| *place = *octet);
    }
    point
}

/// Returns a single part, or the concatenation of short ones in `buffer`, or `None` if they are
/// too long: a hash of one text is faster than one of several parts.
#[cfg(any(feature = "ring", feature = "aws-lc-rs"))]
fn concatenated<'o>(parts: &[&'o [u8]], buffer: &'o mut [u8; 256]) -> Option<&'o [u8]> {
    if let [whole] = parts {
        return Some(whole);
    }
    let mut len = 0_usize;
    for part in parts {
        let place = buffer.get_mut(len..)?.get_mut(..part.len())?;
        place.copy_from_slice(part);
        len = len.checked_add(part.len())?;
    }
    buffer.get(..len)
}

/// Returns the length of signatures if the point is acceptable.
const fn check_point(is_acceptable: bool, signature_len: usize) -> Result<usize, KeyRejected> {
    if is_acceptable { Ok(signature_len) } else { Err(KeyRejected::Point) }
}

/// Returns the length of the modulus in bytes if modulus and exponent are acceptable.
fn check_rsa(n: &[u8], e: &[u8]) -> Result<usize, KeyRejected> {
    let (Some(&n_first), Some(&n_last)) = (n.first(), n.last()) else {
        return Err(KeyRejected::Components);
    };
    let Some(&e_first) = e.first() else { return Err(KeyRejected::Components) };
    if n_first == 0 || e_first == 0 {
        return Err(KeyRejected::LeadingZero);
    }
    let unused_bits = usize::try_from(n_first.leading_zeros()).unwrap_or(0);
    let bits = n.len().saturating_mul(8).saturating_sub(unused_bits);
    if bits < KeyMaterial::MIN_MODULUS_BITS {
        return Err(KeyRejected::ModulusTooSmall { bits: u16::try_from(bits).unwrap_or(0) });
    }
    if bits > KeyMaterial::MAX_MODULUS_BITS {
        return Err(KeyRejected::ModulusTooLarge);
    }
    if n_last & 1 == 0 {
        return Err(KeyRejected::ModulusEven);
    }
    check_exponent(e)?;
    if has_roca_fingerprint(n) {
        return Err(KeyRejected::Roca);
    }
    Ok(n.len())
}

/// Returns the value of an exponent that is odd, at least 3, and at most
/// [`KeyMaterial::MAX_EXPONENT`].
fn check_exponent(e: &[u8]) -> Result<u64, KeyRejected> {
    e.iter()
        .try_fold(0_u64, |value, &byte| value.checked_mul(256).map(|value| value | u64::from(byte)))
        .filter(|value| value & 1 == 1 && (3..=KeyMaterial::MAX_EXPONENT).contains(value))
        .ok_or(KeyRejected::Exponent)
}

impl<K> fmt::Debug for VerifyingKey<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("algorithm", &self.algorithm)
            .field("signature_len", &self.signature_len)
            .finish_non_exhaustive()
    }
}

impl<'b> UnverifiedJws<'_, 'b> {
    /// Verifies the signature with a key that the issuer's set selected.
    ///
    /// # Errors
    ///
    /// [`Error::AlgorithmNotAllowed`] if the header names a different algorithm than the
    /// key's, and [`Error::InvalidSignature`], without details.
    pub fn verify<K: PublicKey>(self, key: &VerifyingKey<K>) -> Result<VerifiedJws<'b>, Error> {
        if self.header.algorithm != key.algorithm {
            return Err(Error::AlgorithmNotAllowed(Problem::WrongValue));
        }
        key.verify(self.signing_input.as_bytes(), self.signature)?;
        Ok(VerifiedJws { header: self.header, payload: self.payload, scratch: self.scratch })
    }
}

/// A JWS whose signature is valid: the only type that has a payload.
///
/// The owner of the key has signed these bytes. [`AccessToken`](crate::AccessToken) and
/// [`IdToken`](crate::IdToken) determine whether they are an acceptable token.
pub struct VerifiedJws<'b> {
    pub(crate) header: Header<'b>,
    pub(crate) payload: &'b mut [u8],
    pub(crate) scratch: Scratch<'b>,
}

impl<'b> VerifiedJws<'b> {
    /// Returns the header, which was signed.
    #[must_use]
    pub const fn header(&self) -> Header<'b> {
        self.header
    }

    /// Returns the payload, which was signed.
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
