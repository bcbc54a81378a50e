//! The errors: one type for tokens, key sets and requests, one for configurations.

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

/// The reason why a token, a key set or a request is rejected.
///
/// An error names the rule that failed and, for numeric rules, the two values that disagree.
/// It never contains text of the token. Durations are in seconds, times in seconds since the
/// epoch, lengths in bytes.
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
/// Three representations are stable: [`Error::code`] for logs and metrics,
/// [`Error::http_status`] for responses, and the [challenge](crate::Challenge) for
/// `WWW-Authenticate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    // The request
    /// The request has no bearer token.
    MissingToken,
    /// The `Authorization` header does not contain exactly one bearer token.
    InvalidRequest(RequestProblem),

    // Form
    /// The token does not have three non-empty segments.
    MalformedToken,
    /// The token is a JWE, which has five segments
    /// ([RFC 7516 §3.1](https://www.rfc-editor.org/rfc/rfc7516#section-3.1)).
    EncryptedToken,
    /// The token is not a JWS; only its issuer can interpret it.
    OpaqueToken,
    /// The token or its header is longer than the limit.
    TokenTooLarge {
        /// The length of the token or the header.
        length: usize,
        /// The greatest length that is accepted.
        limit: usize,
    },
    /// The caller's buffer is too small for this token.
    BufferTooSmall {
        /// The minimum number of bytes that this step needs.
        needed: usize,
        /// The number of bytes that are available.
        available: usize,
    },
    /// A segment is not canonical unpadded base64url.
    InvalidBase64(Input),
    /// The input is not JSON, or is outside the subset that this crate accepts.
    InvalidJson(Input, JsonProblem),
    /// An object has two members with the same name, compared after unescaping.
    DuplicateMember(Input),
    /// A registered claim has the wrong type.
    ClaimType(Claim, JsonType),
    /// The number of audiences exceeds the capacity.
    TooManyAudiences {
        /// The capacity.
        limit: usize,
    },

    // Header and key
    /// A header parameter is not a string, or its length is outside the limits.
    HeaderType(HeaderParameter),
    /// `alg` is not an accepted algorithm, or not the algorithm of the key.
    AlgorithmNotAllowed(Problem),
    /// The header contains a parameter that is not implemented and must not be ignored:
    /// `crit`, `b64` or `zip`.
    CriticalHeader(HeaderParameter),
    /// No usable key has the token's `kid`. Refreshing the key set may help.
    UnknownKey,
    /// More than one key could have signed the token.
    AmbiguousKey {
        /// The number of such keys.
        candidates: usize,
    },
    /// The key set contains no key that can verify signatures.
    NoUsableKeys(SkipCounts),
    /// The number of usable keys in the key set exceeds the capacity.
    TooManyKeys {
        /// The capacity.
        limit: usize,
    },
    /// A key was rejected.
    KeyRejected(KeyRejected),
    /// The signature is invalid. The error has no details, on purpose.
    InvalidSignature,
    /// The token's issuer is not one of the trusted issuers.
    UnknownIssuer,

    // All kinds of token
    /// A required claim is missing, or `sub` is empty.
    MissingClaim(Claim),
    /// `iss` is not the expected issuer, compared byte for byte.
    IssuerMismatch,
    /// `tid` is not the ID of an allowed tenant of the issuer
    /// ([`TenantIssuer`](crate::trust::TenantIssuer)).
    TenantNotAllowed,
    /// The token has expired: `now ≥ exp + leeway`.
    Expired {
        /// `exp`, rounded down.
        exp: u64,
        /// The time of the validation.
        now: u64,
        /// The policy's leeway.
        leeway: u64,
    },
    /// The token is not yet valid: `now < nbf − leeway`.
    NotYetValid {
        /// `nbf`, rounded up.
        nbf: u64,
        /// The time of the validation.
        now: u64,
        /// The policy's leeway.
        leeway: u64,
    },
    /// The token was issued in the future: `iat > now + leeway`.
    IssuedInFuture {
        /// `iat`, rounded up.
        iat: u64,
        /// The time of the validation.
        now: u64,
        /// The policy's leeway.
        leeway: u64,
    },
    /// The token is older than the policy allows: `now > iat + limit + leeway`.
    TokenTooOld {
        /// `now − iat`.
        age: u64,
        /// The policy's `max_token_age`.
        limit: u64,
        /// The policy's leeway.
        leeway: u64,
    },
    /// The lifetime of the token is longer than the policy allows.
    LifetimeTooLong {
        /// `exp − iat`.
        lifetime: u64,
        /// The policy's `max_lifetime`.
        limit: u64,
    },
    /// The token's audiences do not include an expected one.
    AudienceMismatch {
        /// The number of the token's audiences.
        audiences: usize,
    },
    /// The token's audiences include an untrusted one.
    UntrustedAudience {
        /// The number of the token's audiences.
        audiences: usize,
    },
    /// `azp` or `client_id` is not an expected client.
    AuthorizedPartyMismatch(Claim),
    /// The token is of a different kind than expected.
    TokenType(WrongKind),

    // ID token
    /// `nonce` is not the expected one.
    NonceMismatch,
    /// A claim is present that must not be.
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
    /// The authentication does not meet the requirements of the policy: `acr`, `amr` or, in an
    /// access token, `auth_time`.
    InsufficientAuthentication(Claim, Problem),
    /// `at_hash` or `c_hash` does not match the access token or the code.
    HashMismatch(Claim),
    /// The user logged in to an organization other than the expected one.
    OrganizationMismatch,
    /// This claim differs between a refreshed ID token and the first one.
    RefreshMismatch(Claim),
    /// The subject of the `/userinfo` response is not that of the ID token.
    SubjectMismatch,

    // Access token
    /// The token's scope or permissions do not meet the requirements.
    InsufficientScope(Claim),
    /// A claim does not meet a rule of the policy ([`ClaimRule`](crate::policy::ClaimRule)).
    ClaimMismatch {
        /// The index of the rule, from 0.
        rule: usize,
        /// The problem with the claim, or with an object on the path to it.
        problem: Problem,
    },
    /// The token's subject is a user and the policy requires a client, or the other way round.
    SubjectKind,
    /// The token is bound to a key, and the request has no key to compare it with.
    ConfirmationRequired,
    /// The token is bound to a different key than the request's.
    ConfirmationMismatch,

    // DPoP proof
    /// The proof was made for a different request: `htm` or `htu` differs.
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
    /// The replay window is full. The token may be valid: a server should answer with 503.
    ReplayWindowFull,
}

impl core::error::Error for Error {}

impl From<KeyRejected> for Error {
    fn from(reason: KeyRejected) -> Self {
        Self::KeyRejected(reason)
    }
}

/// The error for an invalid signature.
///
/// It has no details, because they would help an attacker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct InvalidSignature;
