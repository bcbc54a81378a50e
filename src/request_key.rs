//! The keys of which a request proves possession.

use crate::error::ConfigError;

/// The keys of which a request proves possession, by mutual TLS or a DPoP proof.
///
/// An access token that is bound to a key is accepted only together with that key
/// ([`BearerToken::with_key`](crate::BearerToken::with_key)). Thumbprints are SHA-256 hashes
/// in base64url without padding.
///
/// ```
/// use claimgate::{BearerToken, Error, RequestKey};
///
/// /// `x5t_s256` is the thumbprint of the certificate of the TLS connection.
/// fn token<'r>(authorization: &'r str, x5t_s256: &'r str) -> Result<BearerToken<'r>, Error> {
///     let token = BearerToken::from_authorization(authorization)?;
///     Ok(match RequestKey::certificate(x5t_s256) {
///         Ok(key) => token.with_key(key),
///         Err(_) => token,
///     })
/// }
/// # assert!(RequestKey::certificate("").is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestKey<'r> {
    pub(crate) x5t_s256: Option<&'r str>,
    pub(crate) jkt: Option<&'r str>,
}

impl<'r> RequestKey<'r> {
    /// Constructs the key from the thumbprint of the client's certificate, from mutual TLS
    /// ([RFC 8705 §3](https://www.rfc-editor.org/rfc/rfc8705#section-3)).
    ///
    /// # Errors
    ///
    /// [`ConfigError::Empty`] for an empty thumbprint.
    pub const fn certificate(x5t_s256: &'r str) -> Result<Self, ConfigError> {
        Self { x5t_s256: Some(x5t_s256), jkt: None }.check()
    }

    /// Constructs the key from the thumbprint of the key of a validated DPoP proof
    /// ([RFC 9449 §7](https://www.rfc-editor.org/rfc/rfc9449#section-7)).
    ///
    /// # Errors
    ///
    /// [`ConfigError::Empty`] for an empty thumbprint.
    pub const fn dpop(jkt: &'r str) -> Result<Self, ConfigError> {
        Self { x5t_s256: None, jkt: Some(jkt) }.check()
    }

    /// Constructs the keys of a request that proves possession of both.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Empty`] if one of them is empty.
    pub const fn certificate_and_dpop(
        x5t_s256: &'r str,
        jkt: &'r str,
    ) -> Result<Self, ConfigError> {
        Self { x5t_s256: Some(x5t_s256), jkt: Some(jkt) }.check()
    }

    const fn check(self) -> Result<Self, ConfigError> {
        match (self.x5t_s256, self.jkt) {
            (Some(text), _) | (_, Some(text)) if text.is_empty() => {
                Err(ConfigError::Empty("thumbprint"))
            }
            _ => Ok(self),
        }
    }
}
