//! The small enums that say more about an error.

use core::fmt;

use crate::algorithm::Algorithm;

/// The input that an error refers to: a segment of a token, or a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Input {
    /// The first segment of a token.
    Header,
    /// The second segment of a token.
    Payload,
    /// The third segment of a token.
    Signature,
    /// A JSON Web Key Set.
    JwkSet,
    /// A response of the `/userinfo` endpoint.
    UserInfoResponse,
    /// A discovery document.
    DiscoveryDocument,
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
            Self::JwkSet => "key set",
            Self::UserInfoResponse => "userinfo response",
            Self::DiscoveryDocument => "discovery document",
        })
    }
}

/// Why a text is not JSON in this crate's dialect: strict
/// [RFC 8259](https://www.rfc-editor.org/rfc/rfc8259), one object, with limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum JsonProblem {
    /// The bytes are not UTF-8.
    NotUtf8,
    /// The text is not an object.
    NotAnObject,
    /// The text breaks the grammar, or ends too early.
    Syntax,
    /// Something follows the object.
    TrailingData,
    /// Objects and arrays are nested more than 16 deep.
    TooDeep,
    /// The object has more members than the limit: 64, and 128 in a discovery document.
    TooManyMembers,
    /// A string holds a raw control character.
    ControlCharacter,
    /// A string holds an escape that JSON does not have, or half of a
    /// surrogate pair.
    BadEscape,
    /// A number breaks the grammar.
    BadNumber,
    /// A key set has no array `keys`.
    NotAKeySet,
    /// A member that has to be an `https` URL is absent, of another type, or another text.
    NotAnHttpsUrl,
    /// A member that has to be an array of strings is not.
    NotStrings,
}

impl fmt::Display for JsonProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotUtf8 => "it is not UTF-8",
            Self::NotAnObject => "it is not an object",
            Self::Syntax => "it breaks the grammar or ends too early",
            Self::TrailingData => "something follows the object",
            Self::TooDeep => "it is nested more than 16 deep",
            Self::TooManyMembers => "it has too many members",
            Self::ControlCharacter => "a string holds a raw control character",
            Self::BadEscape => "a string holds an invalid escape",
            Self::BadNumber => "a number is malformed",
            Self::NotAKeySet => "it has no array named keys",
            Self::NotAnHttpsUrl => "a member is not the https URL that it has to be",
            Self::NotStrings => "a member is not the array of strings that it has to be",
        })
    }
}

/// How a value failed: the three cases are never folded into one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Problem {
    /// The value is not there.
    Absent,
    /// The value has the wrong JSON type.
    WrongType,
    /// The value has the right type and is not acceptable.
    WrongValue,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "is absent",
            Self::WrongType => "has the wrong type",
            Self::WrongValue => "has another value",
        })
    }
}

/// A header parameter of a JWS
/// ([RFC 7515 §4.1](https://www.rfc-editor.org/rfc/rfc7515#section-4.1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum HeaderParameter {
    /// `alg`
    Algorithm,
    /// `kid`
    KeyId,
    /// `typ`
    Type,
    /// `crit`
    Critical,
    /// `b64` ([RFC 7797](https://www.rfc-editor.org/rfc/rfc7797))
    B64,
    /// `zip`
    Zip,
}

impl fmt::Display for HeaderParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Algorithm => "alg",
            Self::KeyId => "kid",
            Self::Type => "typ",
            Self::Critical => "crit",
            Self::B64 => "b64",
            Self::Zip => "zip",
        })
    }
}

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
    /// `oct`: symmetric keys. In a published set it is a disclosed secret.
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
    /// The curves that have a name, in the order of their declaration.
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

    /// Returns the name that `crv` has.
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

/// The reason why a key is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum KeyRejected {
    /// The member is not a well-formed JWK: it is not an object, or it has a duplicate
    /// member name or a parameter of the wrong type.
    Malformed,
    /// `kty` is a type of key that is not accepted.
    KeyType(KeyType),
    /// `crv` is a curve that is not accepted.
    Curve(Curve),
    /// `use` is present and is not `sig`.
    Use,
    /// `key_ops` is present and does not contain `verify`.
    KeyOperations,
    /// The key's algorithm is not accepted: the one that `alg` names, or without `alg`
    /// the default of the key's type. `None` is an algorithm that is not an
    /// [`Algorithm`], such as `RSA-OAEP-256`.
    Algorithm(Option<Algorithm>),
    /// `alg` is an algorithm that is not used with this type of key or this curve.
    AlgorithmMismatch(Algorithm),
    /// The member contains a private or symmetric key: `d`, `p`, `q`, `dp`, `dq`, `qi`,
    /// `oth` or `k`. A private key that was published no longer proves who signed.
    PrivateKey,
    /// `kid` is longer than 256 bytes.
    KeyIdTooLong,
    /// `n`, `e`, `x` or `y` is absent or not canonical base64url.
    Components,
    /// The modulus or the exponent starts with a zero octet.
    LeadingZero,
    /// The modulus has fewer than 2,048 bits.
    ModulusTooSmall {
        /// The bits of the modulus.
        bits: u16,
    },
    /// The modulus has more than 4,096 bits, or more than the backend accepts.
    ModulusTooLarge,
    /// The modulus is even.
    ModulusEven,
    /// The exponent is even, below 3 or above 2^33 − 1.
    Exponent,
    /// The modulus has the fingerprint of keys whose primes can be found
    /// ([CVE-2017-15361](https://nvd.nist.gov/vuln/detail/CVE-2017-15361)).
    Roca,
    /// A coordinate does not have exactly the length of the curve's field.
    CoordinateLength,
    /// The coordinates are not those of an acceptable point: the point is not on the
    /// curve, its encoding is not canonical, or it is of small order.
    Point,
    /// The backend does not accept the key.
    Backend,
}

impl fmt::Display for KeyRejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "it is not a well-formed JWK",
            Self::KeyType(key_type) => return write!(f, "kty is not accepted: {key_type}"),
            Self::Curve(curve) => return write!(f, "crv is not accepted: {curve}"),
            Self::Use => "use is not sig",
            Self::KeyOperations => "key_ops lacks verify",
            Self::Algorithm(Some(algorithm)) => {
                return write!(f, "its algorithm is not accepted: {algorithm}");
            }
            Self::Algorithm(None) => "its algorithm is not accepted: unknown",
            Self::AlgorithmMismatch(algorithm) => {
                return write!(f, "alg does not fit kty and crv: {algorithm}");
            }
            Self::PrivateKey => "it contains a private or symmetric key",
            Self::KeyIdTooLong => "kid is longer than 256 bytes",
            Self::Components => "n, e, x or y is absent or not canonical base64url",
            Self::LeadingZero => "n or e starts with a zero octet",
            Self::ModulusTooSmall { bits } => {
                return write!(f, "the modulus has {bits} bits, fewer than 2048");
            }
            Self::ModulusTooLarge => {
                "the modulus has more bits than the backend accepts, or than 4096"
            }
            Self::ModulusEven => "the modulus is even",
            Self::Exponent => "the exponent is even, below 3 or above 2^33 - 1",
            Self::Roca => "the modulus is weak (ROCA, CVE-2017-15361)",
            Self::CoordinateLength => "x or y does not have the length of the curve's field",
            Self::Point => "x and y are not an acceptable point of the curve",
            Self::Backend => "the backend does not accept it",
        })
    }
}

/// The numbers of members of a key set that were skipped, by reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SkipCounts {
    reasons: [KeyRejected; Self::MAX_REASONS],
    counts: [u8; Self::MAX_REASONS],
    others: u8,
}

impl SkipCounts {
    /// The number of different reasons that are counted. An [`Error`](crate::Error) stays
    /// small with it.
    pub const MAX_REASONS: usize = 5;

    /// Counts one more.
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

    /// Returns the reasons in the order in which they occurred, the first
    /// [`MAX_REASONS`](Self::MAX_REASONS), each with its count.
    pub fn iter(&self) -> impl Iterator<Item = (KeyRejected, u8)> + '_ {
        self.reasons.into_iter().zip(self.counts).filter(|(_, count)| *count > 0)
    }

    /// Returns the number of members that were skipped for further reasons.
    #[must_use]
    pub const fn others(&self) -> u8 {
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

/// How the bytes of an `Authorization` header were wrong
/// ([RFC 6750 §2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RequestProblem {
    /// `Bearer` is not followed by one token of the `token68` grammar.
    Malformed,
    /// More than one token was sent.
    SeveralTokens,
}

impl fmt::Display for RequestProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the header is not Bearer and one token",
            Self::SeveralTokens => "more than one token was sent",
        })
    }
}

/// What told that a token is of another kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum WrongKind {
    /// The header parameter `typ`.
    HeaderType,
    /// A claim that only other kinds of token carry, or that names another
    /// kind.
    Claim(super::Claim),
}

impl fmt::Display for WrongKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HeaderType => f.write_str("the header parameter typ"),
            Self::Claim(claim) => write!(f, "the claim {claim}"),
        }
    }
}
