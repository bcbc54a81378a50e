//! The keys that tokens are bound to, as a request has proved them: A9.

use super::Fingerprint;
use crate::error::ConfigError;

/// The keys that a request has proved, as the transport or a DPoP proof tells.
///
/// A token that is bound to a key passes only if the request has proved that
/// key. Thumbprints are SHA-256, base64url without padding.
///
/// ```
/// use claimgate::{AccessTokenPolicy, ConfigError, RequestKey};
///
/// /// `jkt` is the thumbprint of the key of a DPoP proof that has been verified.
/// fn policy(jkt: &str) -> Result<AccessTokenPolicy<'_>, ConfigError> {
///     AccessTokenPolicy::auth0("https://example.com/health-api")
///         .request_key(RequestKey::dpop(jkt))
///         .build()
/// }
/// # assert!(policy("").is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestKey<'a> {
    pub(super) x5t_s256: Option<&'a str>,
    pub(super) jkt: Option<&'a str>,
}

impl<'a> RequestKey<'a> {
    /// The thumbprint of the client's certificate, from mutual TLS
    /// ([RFC 8705 §3](https://www.rfc-editor.org/rfc/rfc8705#section-3)).
    #[must_use]
    pub const fn certificate(x5t_s256: &'a str) -> Self {
        Self { x5t_s256: Some(x5t_s256), jkt: None }
    }

    /// The thumbprint of the key of a DPoP proof that has been verified
    /// ([RFC 9449 §7](https://www.rfc-editor.org/rfc/rfc9449#section-7)).
    #[must_use]
    pub const fn dpop(jkt: &'a str) -> Self {
        Self { x5t_s256: None, jkt: Some(jkt) }
    }

    /// Both keys, for a request that has proved both.
    #[must_use]
    pub const fn certificate_and_dpop(x5t_s256: &'a str, jkt: &'a str) -> Self {
        Self { x5t_s256: Some(x5t_s256), jkt: Some(jkt) }
    }

    pub(super) const fn check(&self) -> Result<(), ConfigError> {
        match (self.x5t_s256, self.jkt) {
            (Some(text), _) | (_, Some(text)) if text.is_empty() => {
                Err(ConfigError::Empty("thumbprint"))
            }
            _ => Ok(()),
        }
    }
}

/// What to do about `cnf`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConfirmationPolicy<'a> {
    /// A token that is bound to a key does not pass.
    Reject,
    Expect(RequestKey<'a>),
    Ignore,
}

impl ConfirmationPolicy<'_> {
    /// Adds what is set to the fingerprint of a policy.
    pub(super) const fn fingerprint(&self, fingerprint: Fingerprint) -> Fingerprint {
        match self {
            Self::Reject => fingerprint.number(0),
            Self::Ignore => fingerprint.number(1),
            Self::Expect(RequestKey { x5t_s256, jkt }) => {
                fingerprint.number(2).optional_text(*x5t_s256).optional_text(*jkt)
            }
        }
    }
}
