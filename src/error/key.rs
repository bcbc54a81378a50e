//! The reasons why a key is rejected.

use core::fmt;

use crate::algorithm::Algorithm;

/// The type of a key, `kty`
/// ([RFC 7518 §6.1](https://www.rfc-editor.org/rfc/rfc7518#section-6.1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum KeyType {
    /// `RSA`
    Rsa,
    /// `EC`: elliptic curves
    /// ([RFC 7518 §6.2](https://www.rfc-editor.org/rfc/rfc7518#section-6.2)).
    Ec,
    /// `OKP`: octet key pairs
    /// ([RFC 8037 §2](https://www.rfc-editor.org/rfc/rfc8037#section-2)).
    Okp,
    /// `oct`: symmetric keys. In a published set, such a key is a disclosed secret.
    Oct,
    /// Another type, or no `kty`.
    Other,
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa => "RSA",
            Self::Ec => "EC",
            Self::Okp => "OKP",
            Self::Oct => "oct",
            Self::Other => "absent or unknown",
        })
    }
}

/// The curve of a key, `crv`
/// ([RFC 7518 §6.2.1.1](https://www.rfc-editor.org/rfc/rfc7518#section-6.2.1.1),
/// [RFC 8037 §2](https://www.rfc-editor.org/rfc/rfc8037#section-2),
/// [RFC 8812 §3.1](https://www.rfc-editor.org/rfc/rfc8812#section-3.1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Curve {
    /// `P-256`
    P256,
    /// `P-384`
    P384,
    /// `P-521`
    P521,
    /// `secp256k1`
    Secp256k1,
    /// `Ed25519`
    Ed25519,
    /// `Ed448`
    Ed448,
    /// `X25519`, which is for key agreement.
    X25519,
    /// `X448`, which is for key agreement.
    X448,
    /// Another curve, or no `crv`.
    Other,
}

impl Curve {
    /// The curves with a name, in the order of their declaration.
    pub(crate) const NAMED: [Self; 8] = [
        Self::P256,
        Self::P384,
        Self::P521,
        Self::Secp256k1,
        Self::Ed25519,
        Self::Ed448,
        Self::X25519,
        Self::X448,
    ];

    /// Returns the value of `crv`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
            Self::Secp256k1 => "secp256k1",
            Self::Ed25519 => "Ed25519",
            Self::Ed448 => "Ed448",
            Self::X25519 => "X25519",
            Self::X448 => "X448",
            Self::Other => "absent or unknown",
        }
    }
}

impl fmt::Display for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The reason why a key is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum KeyRejected {
    /// The member is not a well-formed JWK: it is not an object, or it has a duplicate
    /// member name or a parameter of the wrong type.
    Malformed,
    /// `kty` is not an accepted key type.
    KeyType(KeyType),
    /// `crv` is not an accepted curve.
    Curve(Curve),
    /// `use` is present and is not `sig`.
    Use,
    /// `key_ops` is present and does not contain `verify`.
    KeyOperations,
    /// The key's algorithm is not accepted: the value of `alg`, or the default of the key's
    /// type if `alg` is missing. `None` stands for an algorithm that is not an [`Algorithm`],
    /// such as `RSA-OAEP-256`.
    Algorithm(Option<Algorithm>),
    /// `alg` is not an algorithm for this key type or this curve.
    AlgorithmMismatch(Algorithm),
    /// The member contains a private or symmetric key: `d`, `p`, `q`, `dp`, `dq`, `qi`,
    /// `oth` or `k`. A private key that was published no longer proves who signed.
    PrivateKey,
    /// `kid` is longer than 256 bytes.
    KeyIdTooLong,
    /// `n`, `e`, `x` or `y` is missing or not canonical base64url.
    Components,
    /// The modulus or the exponent starts with a zero octet.
    LeadingZero,
    /// The modulus has fewer than 2,048 bits.
    ModulusTooSmall {
        /// The length of the modulus in bits.
        bits: u16,
    },
    /// The modulus has more than 4,096 bits, or more than the backend accepts.
    ModulusTooLarge,
    /// The modulus is even.
    ModulusEven,
    /// The exponent is even, below 3 or above 2^33 − 1.
    Exponent,
    /// The modulus has the fingerprint of keys that can be factored
    /// ([CVE-2017-15361](https://nvd.nist.gov/vuln/detail/CVE-2017-15361)).
    Roca,
    /// A coordinate does not have the exact length of the curve's field.
    CoordinateLength,
    /// The coordinates are not an acceptable point: it is not on the curve, its encoding is
    /// not canonical, or it is of small order.
    Point,
    /// The backend does not accept the key.
    Backend,
}

impl fmt::Display for KeyRejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the member is not a well-formed JWK",
            Self::KeyType(key_type) => return write!(f, "kty is not accepted: {key_type}"),
            Self::Curve(curve) => return write!(f, "crv is not accepted: {curve}"),
            Self::Use => "use is not sig",
            Self::KeyOperations => "key_ops does not include verify",
            Self::Algorithm(Some(algorithm)) => {
                return write!(f, "the algorithm is not accepted: {algorithm}");
            }
            Self::Algorithm(None) => "the algorithm is not accepted: unknown",
            Self::AlgorithmMismatch(algorithm) => {
                return write!(f, "alg does not match kty and crv: {algorithm}");
            }
            Self::PrivateKey => "it contains a private or symmetric key",
            Self::KeyIdTooLong => "kid is longer than 256 bytes",
            Self::Components => "n, e, x or y is absent or not canonical base64url",
            Self::LeadingZero => "n or e starts with a zero octet",
            Self::ModulusTooSmall { bits } => {
                return write!(f, "the modulus has {bits} bits (minimum 2048)");
            }
            Self::ModulusTooLarge => {
                "the modulus has more than 4096 bits, or more than the backend accepts"
            }
            Self::ModulusEven => "the modulus is even",
            Self::Exponent => "the exponent is even, below 3 or above 2^33 - 1",
            Self::Roca => "the modulus is weak (ROCA, CVE-2017-15361)",
            Self::CoordinateLength => "x or y does not have the length of the curve's field",
            Self::Point => "x and y are not an acceptable point on the curve",
            Self::Backend => "the backend does not accept the key",
        })
    }
}

/// The numbers of members of a key set that were skipped, by reason. Each number saturates at
/// 65,535.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SkipCounts {
    reasons: [KeyRejected; Self::MAX_REASONS],
    counts: [u16; Self::MAX_REASONS],
    others: u16,
}

impl SkipCounts {
    /// The number of different reasons that are counted. The bound keeps
    /// [`Error`](crate::Error) small.
    pub const MAX_REASONS: usize = 4;

    /// Counts a skipped member.
    pub(crate) fn add(&mut self, reason: KeyRejected) {
        for (candidate, count) in self.reasons.iter_mut().zip(&mut self.counts) {
            if *count == 0 || *candidate == reason {
                *candidate = reason;
                *count = count.saturating_add(1);
                return;
            }
        }
        self.others = self.others.saturating_add(1);
    }

    /// Returns the first [`MAX_REASONS`](Self::MAX_REASONS) reasons in the order in which they
    /// occurred, each with its count.
    pub fn iter(&self) -> impl Iterator<Item = (KeyRejected, u16)> + '_ {
        self.reasons.into_iter().zip(self.counts).filter(|(_, count)| *count > 0)
    }

    /// Returns the number of members that were skipped for other reasons.
    #[must_use]
    pub const fn others(&self) -> u16 {
        self.others
    }
}

impl Default for SkipCounts {
    fn default() -> Self {
        Self {
            reasons: [KeyRejected::Malformed; Self::MAX_REASONS],
            counts: [0; Self::MAX_REASONS],
            others: 0,
        }
    }
}

impl fmt::Display for SkipCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (reason, count) in self.iter() {
            write!(f, "{separator}{count} skipped because {reason}")?;
            separator = "; ";
        }
        if self.others > 0 {
            write!(f, "; {} skipped for other reasons", self.others)?;
        }
        if separator.is_empty() {
            f.write_str("the set is empty")?;
        }
        Ok(())
    }
}
