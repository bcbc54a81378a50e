//! One error type for everything that can be wrong with a token or a key set,
//! and one for policies that cannot be built.

mod claim;
mod code;
mod config;
mod key;
mod message;
mod reasons;

pub use claim::{Claim, JsonType};
pub use config::ConfigError;
pub use key::{Curve, KeyRejected, KeyType, SkipCounts};
pub use reasons::{HeaderParameter, Input, JsonProblem, Problem, RequestProblem, WrongKind};

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
///     "the token expired at 1311281970 (now 1311282030, leeway 60 s)"
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
    /// The signature is invalid. There are no details, on purpose.
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
    /// The token was already used.
    Replayed,
    /// The replay window has no place for another token.
    ReplayWindowFull,
}

impl core::error::Error for Error {}

impl From<KeyRejected> for Error {
    fn from(reason: KeyRejected) -> Self {
        Self::KeyRejected(reason)
    }
}

/// The error of a signature that is not valid.
///
/// It has no details, since those would help an attacker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct InvalidSignature;
