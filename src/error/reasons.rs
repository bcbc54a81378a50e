//! The details of errors.

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

/// The reason why a text is not acceptable JSON: one object, strict
/// [RFC 8259](https://www.rfc-editor.org/rfc/rfc8259), within limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum JsonProblem {
    /// The bytes are not UTF-8.
    NotUtf8,
    /// The text is not an object.
    NotAnObject,
    /// The text violates the grammar, or ends too early.
    Syntax,
    /// Data follows the object.
    TrailingData,
    /// Objects and arrays are nested more than 16 levels deep.
    TooDeep,
    /// An object has more members than the limit: 64, or 128 in a discovery document.
    TooManyMembers,
    /// A string contains an unescaped control character.
    ControlCharacter,
    /// A string contains an invalid escape or half of a surrogate pair.
    BadEscape,
    /// A number violates the grammar.
    BadNumber,
    /// A key set has no array named `keys`.
    NotAKeySet,
    /// A member that must be an `https` URL is missing, has another type, or is not such a
    /// URL.
    NotAnHttpsUrl,
    /// A member that must be an array of strings is not one.
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

/// The problem with a value. The three cases are always distinguished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Problem {
    /// The value is missing.
    Absent,
    /// The value has the wrong JSON type.
    WrongType,
    /// The value has the right type but is not acceptable.
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

/// The problem with an `Authorization` header
/// ([RFC 6750 §2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RequestProblem {
    /// The header is not `Bearer` followed by one token of the `token68` grammar.
    Malformed,
    /// The request has more than one token.
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

/// The part of a token that indicates the wrong kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum WrongKind {
    /// The header parameter `typ`.
    HeaderType,
    /// A claim that occurs only in other kinds of token, or that names another kind.
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
