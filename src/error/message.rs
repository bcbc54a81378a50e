//! The messages of the errors.

use core::fmt;

use super::Error;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::MissingToken => f.write_str("the request has no bearer token"),
            Self::InvalidRequest(problem) => {
                write!(f, "invalid Authorization header: {problem}")
            }
            Self::MalformedToken => f.write_str("the token does not have three non-empty segments"),
            Self::EncryptedToken => {
                f.write_str("the token is encrypted (JWE), which is not supported")
            }
            Self::OpaqueToken => f.write_str("the token is opaque (not a JWS)"),
            Self::TokenTooLarge { length, limit } => {
                write!(f, "the token or its header has {length} bytes (limit {limit})")
            }
            Self::BufferTooSmall { needed, available } => {
                write!(f, "the buffer is too small: {needed} bytes needed, {available} available")
            }
            Self::InvalidBase64(input) => {
                write!(f, "the {input} is not canonical unpadded base64url")
            }
            Self::InvalidJson(input, problem) => {
                write!(f, "the {input} is not acceptable JSON: {problem}")
            }
            Self::DuplicateMember(input) => {
                write!(f, "duplicate member name in an object of the {input}")
            }
            Self::ClaimType(claim, expected) => write!(f, "{claim} must be {expected}"),
            Self::TooManyAudiences { limit } => {
                write!(f, "the token has more than {limit} audiences")
            }
            Self::HeaderType(parameter) => {
                write!(
                    f,
                    "the header parameter {parameter} is not a string or has an unacceptable length"
                )
            }
            Self::AlgorithmNotAllowed(problem) => {
                write!(f, "the algorithm is not allowed: the header parameter alg {problem}")
            }
            Self::CriticalHeader(parameter) => {
                write!(
                    f,
                    "the header parameter {parameter} is not supported and must not be ignored"
                )
            }
            Self::UnknownKey => {
                f.write_str("no usable key in the issuer's key set has the token's kid")
            }
            Self::AmbiguousKey { candidates } => write!(
                f,
                "{candidates} keys could have signed the token, and its kid does not identify one of them"
            ),
            Self::NoUsableKeys(skipped) => {
                write!(f, "the key set has no usable key: {skipped}")
            }
            Self::TooManyKeys { limit } => {
                write!(f, "the key set has more than {limit} usable keys, its capacity")
            }
            Self::KeyRejected(reason) => write!(f, "the key was rejected: {reason}"),
            Self::InvalidSignature => f.write_str("the signature is invalid"),
            Self::UnknownIssuer => f.write_str("the token's issuer is not trusted"),
            Self::MissingClaim(claim) => write!(f, "the required claim {claim} is missing"),
            Self::IssuerMismatch => f.write_str("iss is not the expected issuer"),
            Self::Expired { exp, now, leeway } => {
                write!(f, "the token expired at {exp} (now {now}, leeway {leeway} s)")
            }
            Self::NotYetValid { nbf, now, leeway } => {
                write!(f, "the token is not valid before {nbf} (now {now}, leeway {leeway} s)")
            }
            Self::IssuedInFuture { iat, now, leeway } => {
                write!(
                    f,
                    "the token was issued in the future, at {iat} (now {now}, leeway {leeway} s)"
                )
            }
            Self::TokenTooOld { age, limit, leeway } => {
                write!(f, "the token is {age} s old (limit {limit} s, leeway {leeway} s)")
            }
            Self::LifetimeTooLong { lifetime, limit } => {
                write!(f, "the token was issued for {lifetime} s (limit {limit} s)")
            }
            Self::AudienceMismatch { audiences } => {
                write!(f, "the token's audiences ({audiences}) do not include an expected one")
            }
            Self::UntrustedAudience { audiences } => {
                write!(f, "the token's audiences ({audiences}) include an untrusted one")
            }
            Self::AuthorizedPartyMismatch(claim) => {
                write!(f, "{claim} is not an expected client")
            }
            Self::TokenType(indication) => {
                write!(f, "wrong token kind, indicated by {indication}")
            }
            Self::NonceMismatch => f.write_str("nonce is not the expected one"),
            Self::UnexpectedClaim(claim) => write!(f, "{claim} is present but must not be"),
            Self::AuthenticationTooOld { age, max_age, leeway } => write!(
                f,
                "the user authenticated {age} s ago (limit {max_age} s, leeway {leeway} s)"
            ),
            Self::InsufficientAuthentication(claim, problem) => {
                write!(f, "insufficient authentication: {claim} {problem}")
            }
            Self::HashMismatch(claim) => {
                write!(f, "{claim} does not match the value received with the token")
            }
            Self::OrganizationMismatch => f.write_str("the organization is not the expected one"),
            Self::RefreshMismatch(claim) => {
                write!(f, "the refreshed ID token and the first ID token differ in {claim}")
            }
            Self::SubjectMismatch => {
                f.write_str("the userinfo response and the ID token differ in sub")
            }
            Self::InsufficientScope(claim) => {
                write!(f, "the claim {claim} does not grant the required scope")
            }
            Self::ClaimMismatch { rule, problem } => {
                write!(f, "claim rule {rule} failed: the claim {problem}")
            }
            Self::TenantNotAllowed => f.write_str("the token's tenant is not allowed"),
            Self::SubjectKind => {
                f.write_str("the subject is not of the required kind, user or client")
            }
            Self::ConfirmationRequired => {
                f.write_str("the token is bound to a key, and the request proves no such key")
            }
            Self::ConfirmationMismatch => {
                f.write_str("the token is bound to a different key than the request's")
            }
            Self::ProofMismatch(claim) => {
                write!(f, "{claim} of the proof does not match the request")
            }
            Self::ProofTooOld { age, limit, leeway } => {
                write!(f, "the proof is {age} s old (limit {limit} s, leeway {leeway} s)")
            }
            Self::Replayed => f.write_str("the token was already used"),
            Self::ReplayWindowFull => f.write_str("the replay window is full"),
        }
    }
}
