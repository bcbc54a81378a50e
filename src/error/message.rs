//! The messages of errors.

use core::fmt;

use super::Error;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::MissingToken => f.write_str("the request carries no bearer token"),
            Self::InvalidRequest(fault) => {
                write!(f, "the Authorization header is invalid: {fault}")
            }
            Self::MalformedToken => f.write_str("the token does not have three non-empty segments"),
            Self::EncryptedToken => {
                f.write_str("the token is encrypted (a JWE), which is not supported")
            }
            Self::OpaqueToken => f.write_str("the token is opaque: it is not a JWS"),
            Self::TokenTooLarge { length, limit } => {
                write!(f, "the token or its header has {length} bytes, {limit} is the limit")
            }
            Self::BufferTooSmall { needed, available } => {
                write!(f, "the buffer is too small: {needed} bytes needed, {available} left")
            }
            Self::InvalidBase64(segment) => {
                write!(f, "the {segment} is not canonical unpadded base64url")
            }
            Self::InvalidJson(segment, fault) => {
                write!(f, "the {segment} is not acceptable JSON: {fault}")
            }
            Self::DuplicateMember(segment) => {
                write!(f, "an object in the {segment} has two members of one name")
            }
            Self::ClaimType(claim, shape) => write!(f, "{claim} has to be {shape}"),
            Self::TooManyAudiences { limit } => {
                write!(f, "the token names more than {limit} audiences")
            }
            Self::HeaderType(parameter) => {
                write!(f, "the header parameter {parameter} is not a string of acceptable length")
            }
            Self::AlgorithmNotAllowed(fault) => {
                write!(f, "only RS256 is allowed: the header parameter alg {fault}")
            }
            Self::CriticalHeader(parameter) => {
                write!(f, "the header uses {parameter}, which is not supported and not ignorable")
            }
            Self::UnknownKey => {
                f.write_str("no usable key of the issuer has the token's kid: refresh the key set")
            }
            Self::AmbiguousKey { candidates } => write!(
                f,
                "{candidates} keys could have signed the token: each needs a kid of its own, and the token one of them"
            ),
            Self::NoUsableKeys(skipped) => {
                write!(f, "the key set has no key for RS256: {skipped}")
            }
            Self::TooManyKeys { limit } => {
                write!(f, "the key set has more members than the {limit} there is room for")
            }
            Self::KeyRejected(reason) => write!(f, "the key was refused: {reason}"),
            Self::InvalidSignature => f.write_str("the signature does not hold"),
            Self::UnknownIssuer => f.write_str("the token's issuer is none of the trusted ones"),
            Self::MissingClaim(claim) => write!(f, "the required claim {claim} is missing"),
            Self::IssuerMismatch => {
                f.write_str("iss is not the expected issuer, compared byte for byte")
            }
            Self::Expired { exp, now, leeway } => {
                write!(f, "the token expired at {exp}, it is {now}, leeway {leeway} s")
            }
            Self::NotYetValid { nbf, now, leeway } => {
                write!(f, "the token is valid from {nbf} on, it is {now}, leeway {leeway} s")
            }
            Self::IssuedInFuture { iat, now, leeway } => {
                write!(f, "the token was issued at {iat}, it is {now}, leeway {leeway} s")
            }
            Self::TokenTooOld { age, limit, leeway } => {
                write!(f, "the token is {age} s old, {limit} s is the limit, leeway {leeway} s")
            }
            Self::LifetimeTooLong { lifetime, limit } => {
                write!(f, "the token was issued for {lifetime} s, {limit} s is the limit")
            }
            Self::AudienceMismatch { audiences } => write!(
                f,
                "the token names {audiences} audience(s), and the policy's is not among them"
            ),
            Self::UntrustedAudience { audiences } => {
                write!(f, "the token names {audiences} audiences, and not all of them are trusted")
            }
            Self::AuthorizedPartyMismatch(claim) => {
                write!(f, "{claim} is not an expected client")
            }
            Self::TokenType(mark) => {
                write!(f, "the token is of another kind, as {mark} tells")
            }
            Self::NonceMismatch => f.write_str("nonce is not the one of this login"),
            Self::UnexpectedClaim(claim) => write!(f, "{claim} is there and must not be"),
            Self::AuthenticationTooOld { age, max_age, leeway } => write!(
                f,
                "the user authenticated {age} s ago, {max_age} s is the limit, leeway {leeway} s"
            ),
            Self::InsufficientAuthentication(claim, fault) => {
                write!(f, "the authentication does not suffice: {claim} {fault}")
            }
            Self::HashMismatch(claim) => {
                write!(f, "{claim} does not belong to the value that came with the token")
            }
            Self::OrganizationMismatch => {
                f.write_str("the user logged in to another organization than the one expected")
            }
            Self::RefreshMismatch(claim) => {
                write!(f, "the refreshed ID token differs from the first in {claim}")
            }
            Self::SubjectMismatch => {
                f.write_str("the userinfo response is about another user than the ID token")
            }
            Self::InsufficientScope(claim) => {
                write!(f, "the token's claim {claim} does not suffice for what is asked")
            }
            Self::ClaimMismatch { rule, problem } => {
                write!(f, "the claim of rule {rule} of the policy {problem}")
            }
            Self::TenantNotAllowed => f.write_str("the tenant of the token is not allowed"),
            Self::SubjectKind => {
                f.write_str("the subject is a user where a client is asked for, or the reverse")
            }
            Self::ConfirmationRequired => {
                f.write_str("the token is bound to a key that the policy does not know")
            }
            Self::ConfirmationMismatch => {
                f.write_str("the token is bound to another key than the request's")
            }
            Self::ProofMismatch(claim) => {
                write!(f, "{claim} of the proof is not that of the request")
            }
            Self::ProofTooOld { age, limit, leeway } => {
                write!(f, "the proof is {age} s old (limit {limit} s, leeway {leeway} s)")
            }
            Self::Replayed => f.write_str("the token was used before"),
            Self::ReplayWindowFull => f.write_str("the replay window is full"),
        }
    }
}
