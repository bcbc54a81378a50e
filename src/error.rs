//! One error type for everything that can be wrong with a token or a key set,
//! and one for policies that cannot be built.

mod claim;
mod reasons;

use core::fmt;

pub use claim::{Claim, JsonType};
pub use reasons::{
    Curve, HeaderParameter, Input, JsonProblem, KeyRejected, KeyType, Problem, RequestProblem,
    SkipCounts, WrongKind,
};

/// Why a token, a key set or a request was refused.
///
/// An error names the rule that failed and, where they are numbers, the two
/// values that disagree. It never holds text of the token. All times and
/// durations are in seconds, all times since the epoch; all lengths are in
/// bytes.
///
/// ```
/// use claimgate::Error;
/// use claimgate::error::Claim;
///
/// let error = Error::Expired { exp: 1_311_281_970, now: 1_311_282_030, leeway: 60 };
/// assert_eq!(error.code(), "expired");
/// assert_eq!(error.http_status(), 401);
/// assert_eq!(
///     error.to_string(),
///     "the token expired at 1311281970, it is 1311282030, leeway 60 s"
/// );
/// assert_eq!(Error::InsufficientScope(Claim::Scope).http_status(), 403);
/// ```
///
/// Three views are stable: [`Error::code`] for logs and metrics,
/// [`Error::http_status`] for responses, and the
/// [challenge](crate::Challenge) for `WWW-Authenticate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    // The request
    /// There is no bearer token in the request.
    MissingToken,
    /// The `Authorization` header cannot be read as one bearer token.
    InvalidRequest(RequestProblem),

    // Form
    /// The token does not have three non-empty segments.
    MalformedToken,
    /// The token is a JWE, which has five segments
    /// ([RFC 7516 §3.1](https://www.rfc-editor.org/rfc/rfc7516#section-3.1)).
    EncryptedToken,
    /// The token is not a JWS at all; only its issuer can read it.
    OpaqueToken,
    /// The token, or the header within it, is longer than its limit.
    TokenTooLarge {
        /// The length found.
        length: usize,
        /// The longest that is taken.
        limit: usize,
    },
    /// The caller's buffer is too small for this token.
    BufferTooSmall {
        /// The bytes that this step needs at least.
        needed: usize,
        /// The bytes that were left.
        available: usize,
    },
    /// A segment is not canonical unpadded base64url.
    InvalidBase64(Input),
    /// A part is not JSON in the crate's dialect.
    InvalidJson(Input, JsonProblem),
    /// An object has two members of one name, compared after unescaping.
    DuplicateMember(Input),
    /// A registered claim has the wrong type.
    ClaimType(Claim, JsonType),
    /// The token names more audiences than the 16 that are read.
    TooManyAudiences {
        /// The most that are read.
        limit: usize,
    },

    // Header and key
    /// A header parameter is not a string, or longer than its limit.
    HeaderType(HeaderParameter),
    /// `alg` is not exactly `RS256`.
    AlgorithmNotAllowed(Problem),
    /// The header asks for something that is not implemented and must not be
    /// ignored: `crit`, `b64` or `zip`.
    CriticalHeader(HeaderParameter),
    /// No usable key has the token's `kid`. Worth a refresh of the key set.
    UnknownKey,
    /// Several keys could be meant.
    AmbiguousKey {
        /// How many.
        candidates: usize,
    },
    /// The key set holds no key that can verify an RS256 signature.
    NoUsableKeys(SkipCounts),
    /// The key set has more members than there is room for.
    TooManyKeys {
        /// The room.
        limit: usize,
    },
    /// A key was refused.
    KeyRejected(KeyRejected),
    /// The signature does not hold. There are no details, on purpose.
    InvalidSignature,
    /// The token's issuer is none of those that are trusted.
    UnknownIssuer,

    // Both kinds
    /// A required claim is absent, or is `sub` and empty.
    MissingClaim(Claim),
    /// `iss` is not the expected issuer, byte for byte.
    IssuerMismatch,
    /// `tid` is not the ID of an allowed tenant of the issuer
    /// ([`TenantIssuer`](crate::trust::TenantIssuer)).
    TenantNotAllowed,
    /// The token has expired: `now ≥ exp + leeway`.
    Expired {
        /// `exp`, rounded down.
        exp: u64,
        /// The caller's clock.
        now: u64,
        /// The policy's leeway.
        leeway: u64,
    },
    /// The token is not yet valid: `now < nbf − leeway`.
    NotYetValid {
        /// `nbf`, rounded up.
        nbf: u64,
        /// The caller's clock.
        now: u64,
        /// The policy's leeway.
        leeway: u64,
    },
    /// The token was issued in the future: `iat > now + leeway`.
    IssuedInFuture {
        /// `iat`, rounded up.
        iat: u64,
        /// The caller's clock.
        now: u64,
        /// The policy's leeway.
        leeway: u64,
    },
    /// The token is older than the policy takes: `now > iat + limit + leeway`.
    TokenTooOld {
        /// `now − iat`.
        age: u64,
        /// The policy's `max_token_age`.
        limit: u64,
        /// The policy's leeway.
        leeway: u64,
    },
    /// The token was issued for longer than the policy takes.
    LifetimeTooLong {
        /// `exp − iat`.
        lifetime: u64,
        /// The policy's `max_lifetime`.
        limit: u64,
    },
    /// The expected audience is not among the token's.
    AudienceMismatch {
        /// How many audiences the token names.
        audiences: usize,
    },
    /// The token names an audience that is not trusted.
    UntrustedAudience {
        /// How many audiences the token names.
        audiences: usize,
    },
    /// `azp` or `client_id` is not an expected client.
    AuthorizedPartyMismatch(Claim),
    /// The token is of another kind than the one it is used as.
    TokenType(WrongKind),

    // ID token
    /// `nonce` is not the expected one.
    NonceMismatch,
    /// A claim is there that must not be.
    UnexpectedClaim(Claim),
    /// The user authenticated too long ago:
    /// `auth_time + max_age + leeway < now`.
    AuthenticationTooOld {
        /// `now − auth_time`.
        age: u64,
        /// The policy's `max_age`.
        max_age: u64,
        /// The policy's leeway.
        leeway: u64,
    },
    /// The authentication was not the one asked for: `acr`, `amr`, or, for an
    /// access token, `auth_time`.
    InsufficientAuthentication(Claim, Problem),
    /// `at_hash` or `c_hash` does not belong to the value handed in.
    HashMismatch(Claim),
    /// The user logged in to another organization than the one expected.
    OrganizationMismatch,
    /// A refreshed ID token differs from the first in this claim.
    RefreshMismatch(Claim),
    /// The `/userinfo` response speaks of another user.
    SubjectMismatch,

    // Access token
    /// The token's scope or permissions do not suffice.
    InsufficientScope(Claim),
    /// A claim does not meet a rule of the policy ([`ClaimRule`](crate::policy::ClaimRule)).
    ClaimMismatch {
        /// The index of the rule, from 0.
        rule: usize,
        /// What is wrong with the claim, or with an object on the path to it.
        problem: Problem,
    },
    /// The token's subject is a user where a client is asked for, or the other
    /// way round.
    SubjectKind,
    /// The token is bound to a key, and the policy has nothing to compare that
    /// key with.
    ConfirmationRequired,
    /// The token is bound to another key than the request's.
    ConfirmationMismatch,

    // DPoP proof
    /// The proof was made for another request: `htm` or `htu` differs.
    ProofMismatch(Claim),
    /// The proof is too old: `now > iat + limit + leeway`.
    ProofTooOld {
        /// `now − iat`.
        age: u64,
        /// The policy's `max_age`.
        limit: u64,
        /// The policy's leeway.
        leeway: u64,
    },
    /// The token was used before.
    Replayed,
    /// The replay window has no place for another token.
    ReplayWindowFull,
}

impl Error {
    /// The error's name for machines. Codes never change.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MissingToken => "missing_token",
            Self::InvalidRequest(_) => "invalid_request",
            Self::MalformedToken => "malformed_token",
            Self::EncryptedToken => "encrypted_token",
            Self::OpaqueToken => "opaque_token",
            Self::TokenTooLarge { .. } => "token_too_large",
            Self::BufferTooSmall { .. } => "buffer_too_small",
            Self::InvalidBase64(_) => "invalid_base64",
            Self::InvalidJson(..) => "invalid_json",
            Self::DuplicateMember(_) => "duplicate_member",
            Self::ClaimType(..) => "claim_type",
            Self::TooManyAudiences { .. } => "too_many_audiences",
            Self::HeaderType(_) => "header_type",
            Self::AlgorithmNotAllowed(_) => "algorithm_not_allowed",
            Self::CriticalHeader(_) => "critical_header",
            Self::UnknownKey => "unknown_key",
            Self::AmbiguousKey { .. } => "ambiguous_key",
            Self::NoUsableKeys(_) => "no_usable_keys",
            Self::TooManyKeys { .. } => "too_many_keys",
            Self::KeyRejected(_) => "key_rejected",
            Self::InvalidSignature => "invalid_signature",
            Self::UnknownIssuer => "unknown_issuer",
            Self::MissingClaim(_) => "missing_claim",
            Self::IssuerMismatch => "issuer_mismatch",
            Self::Expired { .. } => "expired",
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::IssuedInFuture { .. } => "issued_in_future",
            Self::TokenTooOld { .. } => "token_too_old",
            Self::LifetimeTooLong { .. } => "lifetime_too_long",
            Self::AudienceMismatch { .. } => "audience_mismatch",
            Self::UntrustedAudience { .. } => "untrusted_audience",
            Self::AuthorizedPartyMismatch(_) => "authorized_party_mismatch",
            Self::TokenType(_) => "token_type",
            Self::NonceMismatch => "nonce_mismatch",
            Self::UnexpectedClaim(_) => "unexpected_claim",
            Self::AuthenticationTooOld { .. } => "authentication_too_old",
            Self::InsufficientAuthentication(..) => "insufficient_authentication",
            Self::HashMismatch(_) => "hash_mismatch",
            Self::OrganizationMismatch => "organization_mismatch",
            Self::RefreshMismatch(_) => "refresh_mismatch",
            Self::SubjectMismatch => "subject_mismatch",
            Self::InsufficientScope(_) => "insufficient_scope",
            Self::ClaimMismatch { .. } => "claim_mismatch",
            Self::TenantNotAllowed => "tenant_not_allowed",
            Self::SubjectKind => "subject_kind",
            Self::ConfirmationRequired => "confirmation_required",
            Self::ConfirmationMismatch => "confirmation_mismatch",
            Self::ProofMismatch(_) => "proof_mismatch",
            Self::ProofTooOld { .. } => "proof_too_old",
            Self::Replayed => "replayed",
            Self::ReplayWindowFull => "replay_window_full",
        }
    }

    /// The status of the HTTP response that an API gives: 400 for a request
    /// that cannot be read, 403 for a token that does not suffice, 401 for
    /// everything else
    /// ([RFC 6750 §3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1)).
    #[must_use]
    pub const fn http_status(&self) -> u16 {
        match self {
            Self::InvalidRequest(_) => 400,
            Self::InsufficientScope(_) | Self::ClaimMismatch { .. } => 403,
            _ => 401,
        }
    }

    /// The value of the `error` attribute of a challenge
    /// ([RFC 6750 §3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1),
    /// [RFC 9470 §3](https://www.rfc-editor.org/rfc/rfc9470#section-3)).
    ///
    /// `None` where the request had no token: a challenge then says nothing
    /// about errors.
    #[must_use]
    pub const fn rfc6750_error(&self) -> Option<&'static str> {
        match self {
            Self::MissingToken => None,
            Self::InvalidRequest(_) => Some("invalid_request"),
            Self::InsufficientScope(_) | Self::ClaimMismatch { .. } => Some("insufficient_scope"),
            Self::InsufficientAuthentication(..) => Some("insufficient_user_authentication"),
            _ => Some("invalid_token"),
        }
    }

    /// Whether fetching the issuer's key set anew could change the verdict.
    #[must_use]
    pub const fn is_worth_a_key_refresh(&self) -> bool {
        matches!(self, Self::UnknownKey)
    }
}

impl core::error::Error for Error {}

impl From<KeyRejected> for Error {
    fn from(reason: KeyRejected) -> Self {
        Self::KeyRejected(reason)
    }
}

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

/// The error of a signature that is not valid.
///
/// It has no details, since those would help an attacker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct InvalidSignature;

/// Why a policy, an issuer or a scope set cannot be built.
///
/// It appears where the policy is written, never while a token is validated.
///
/// ```
/// use claimgate::AccessTokenPolicy;
/// use claimgate::error::ConfigError;
///
/// let policy = AccessTokenPolicy::general("https://example.com/health-api").leeway(601).build();
/// assert_eq!(policy, Err(ConfigError::LeewayTooLong));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ConfigError {
    /// An identifier is the empty string.
    Empty(&'static str),
    /// A list that must name something is empty.
    EmptyList(&'static str),
    /// More leeway was asked for than 600 seconds.
    LeewayTooLong,
    /// A scope token has characters outside of
    /// [RFC 6749 §3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3).
    ScopeToken,
    /// An audience equals a client ID: the tokens of the one would open the
    /// other.
    AudienceIsClientId,
    /// The path of a claim rule has no names or more than four.
    ClaimPath,
    /// A DPoP proof may be older than 600 seconds.
    ProofAgeTooLong,
    /// The template of an issuer of many tenants does not contain `{tenantid}` exactly once.
    TenantTemplate,
}

impl ConfigError {
    /// The error's name for machines: always `construction`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "construction"
    }

    /// The error in prose, for `const` contexts.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Empty(_) => "an identifier is empty",
            Self::EmptyList(_) => "a list is empty",
            Self::LeewayTooLong => "the leeway is longer than 600 seconds",
            Self::ScopeToken => "a scope token is empty or has characters that scopes cannot have",
            Self::AudienceIsClientId => "an audience equals a client ID",
            Self::ClaimPath => "the path of a claim rule has no names or more than four",
            Self::ProofAgeTooLong => "the greatest age of a proof is more than 600 seconds",
            Self::TenantTemplate => "the issuer template does not contain {tenantid} exactly once",
        }
    }
}

impl core::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())?;
        match self {
            Self::Empty(name) | Self::EmptyList(name) => write!(f, ": {name}"),
            Self::LeewayTooLong
            | Self::ScopeToken
            | Self::AudienceIsClientId
            | Self::ClaimPath
            | Self::ProofAgeTooLong
            | Self::TenantTemplate => Ok(()),
        }
    }
}
