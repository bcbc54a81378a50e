//! The stable code of an error, and its representation in an HTTP response.

use super::Error;

impl Error {
    /// Returns the code of the error: the name of its variant in snake case, such as `claim_type`
    /// for [`Error::ClaimType`]. Codes never change.
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

    /// Returns the status of an API's response: 400 for a malformed request, 403 for
    /// insufficient privileges, 401 for everything else
    /// ([RFC 6750 §3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1)).
    #[must_use]
    pub const fn http_status(&self) -> u16 {
        match self {
            Self::InvalidRequest(_) => 400,
            Self::InsufficientScope(_) | Self::ClaimMismatch { .. } => 403,
            _ => 401,
        }
    }

    /// Returns the value of the `error` attribute of a challenge
    /// ([RFC 6750 §3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1),
    /// [RFC 9470 §3](https://www.rfc-editor.org/rfc/rfc9470#section-3)).
    ///
    /// `None` if the request had no token: a challenge then contains no error.
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

    /// Returns whether fetching the issuer's key set again could change the result.
    #[must_use]
    pub const fn is_worth_a_key_refresh(&self) -> bool {
        matches!(self, Self::UnknownKey)
    }
}
