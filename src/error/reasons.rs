//! The small enums that say more about an error.

use core::fmt;

/// A part of what was parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Segment {
    /// The first segment of a token.
    Header,
    /// The second segment of a token.
    Payload,
    /// The third segment of a token.
    Signature,
    /// A JSON Web Key Set.
    Jwks,
    /// A response of the `/userinfo` endpoint.
    UserInfo,
    /// A discovery document.
    Discovery,
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
            Self::Jwks => "key set",
            Self::UserInfo => "userinfo response",
            Self::Discovery => "discovery document",
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

/// Why a key is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum KeyRejected {
    /// The member is not a well-formed JWK: no object, a duplicated member
    /// name, or a parameter of the wrong type.
    Malformed,
    /// `kty` is not `RSA`.
    KeyType,
    /// `use` is there and is not `sig`.
    Use,
    /// `key_ops` is there and does not contain `verify`.
    KeyOperations,
    /// `alg` is there and is not `RS256`.
    Algorithm,
    /// `kid` is longer than 256 bytes.
    KeyIdTooLong,
    /// `n` or `e` is absent or not canonical base64url.
    Components,
    /// The modulus or the exponent starts with a zero octet.
    LeadingZero,
    /// The modulus has fewer than 2,048 bits.
    ModulusTooSmall,
    /// The modulus has more than 4,096 bits, or more than the backend takes.
    ModulusTooLarge,
    /// The modulus is even.
    ModulusEven,
    /// The exponent is even, below 3 or above 2^33 − 1.
    Exponent,
    /// The backend does not take the key.
    Backend,
}

impl KeyRejected {
    /// All reasons, in the order of their declaration.
    pub(crate) const ALL: [Self; 13] = [
        Self::Malformed,
        Self::KeyType,
        Self::Use,
        Self::KeyOperations,
        Self::Algorithm,
        Self::KeyIdTooLong,
        Self::Components,
        Self::LeadingZero,
        Self::ModulusTooSmall,
        Self::ModulusTooLarge,
        Self::ModulusEven,
        Self::Exponent,
        Self::Backend,
    ];
}

impl fmt::Display for KeyRejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "it is not a well-formed JWK",
            Self::KeyType => "kty is not RSA",
            Self::Use => "use is not sig",
            Self::KeyOperations => "key_ops lacks verify",
            Self::Algorithm => "alg is not RS256",
            Self::KeyIdTooLong => "kid is longer than 256 bytes",
            Self::Components => "n or e is absent or not canonical base64url",
            Self::LeadingZero => "n or e starts with a zero octet",
            Self::ModulusTooSmall => "the modulus has fewer than 2048 bits",
            Self::ModulusTooLarge => {
                "the modulus has more bits than the backend takes, or than 4096"
            }
            Self::ModulusEven => "the modulus is even",
            Self::Exponent => "the exponent is even, below 3 or above 2^33 - 1",
            Self::Backend => "the backend does not take it",
        })
    }
}

/// How many members of a key set were skipped, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SkipCounts([u8; KeyRejected::ALL.len()]);

impl SkipCounts {
    /// Counts one more.
    pub(crate) fn add(&mut self, reason: KeyRejected) {
        for (count, candidate) in self.0.iter_mut().zip(KeyRejected::ALL) {
            if candidate == reason {
                *count = count.saturating_add(1);
            }
        }
    }

    /// The reasons that occurred, each with its count.
    pub fn iter(&self) -> impl Iterator<Item = (KeyRejected, u8)> + '_ {
        KeyRejected::ALL.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }
}

impl fmt::Display for SkipCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (reason, count) in self.iter() {
            write!(f, "{separator}{count} skipped because {reason}")?;
            separator = "; ";
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
