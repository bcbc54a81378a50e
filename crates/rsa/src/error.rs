//! The errors of keys and signatures.

use core::fmt;

/// The reason why a public key is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyRejected {
    /// The modulus or the exponent starts with a zero octet, or is empty.
    LeadingZero,
    /// The modulus has fewer than 2,048 bits.
    ModulusTooSmall,
    /// The modulus has more than 4,096 bits.
    ModulusTooLarge,
    /// The modulus is even.
    ModulusEven,
    /// The exponent is even, below 3 or above 2^33 − 1.
    Exponent,
}

impl fmt::Display for KeyRejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LeadingZero => "the modulus or the exponent starts with a zero octet or is empty",
            Self::ModulusTooSmall => "the modulus has fewer than 2048 bits",
            Self::ModulusTooLarge => "the modulus has more than 4096 bits",
            Self::ModulusEven => "the modulus is even",
            Self::Exponent => "the exponent is even, below 3 or above 2^33 - 1",
        })
    }
}

impl core::error::Error for KeyRejected {}

/// The error for an invalid signature. It has no details, because a verifier does not need
/// them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InvalidSignature;

impl fmt::Display for InvalidSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the signature is invalid")
    }
}

impl core::error::Error for InvalidSignature {}
