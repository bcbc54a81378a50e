//! The small enums that say more about an error.

use core::fmt;

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
            Self::NotUtf8 => "not UTF-8",
            Self::NotAnObject => "not an object",
            Self::Syntax => "syntax error or unexpected end",
            Self::TrailingData => "trailing data after the object",
            Self::TooDeep => "nested more than 16 levels deep",
            Self::TooManyMembers => "too many members in an object",
            Self::ControlCharacter => "unescaped control character in a string",
            Self::BadEscape => "invalid escape in a string",
            Self::BadNumber => "invalid number",
            Self::NotAKeySet => "no array named keys",
            Self::NotAnHttpsUrl => "a required https URL is missing or invalid",
            Self::NotStrings => "a member is not an array of strings",
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
            Self::Absent => "is missing",
            Self::WrongType => "has the wrong type",
            Self::WrongValue => "has an unacceptable value",
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
            Self::Malformed => "expected Bearer and one token",
            Self::SeveralTokens => "more than one token",
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
