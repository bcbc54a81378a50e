//! The errors of a configuration.

use core::fmt;

/// The reason why a policy, an issuer, a scope set, a login or a request key cannot be built.
///
/// It occurs when one of these is built, never when a token is validated.
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
    /// A list that must not be empty is empty.
    EmptyList(&'static str),
    /// The leeway is longer than 600 seconds.
    LeewayTooLong,
    /// A scope token is empty or contains characters outside of
    /// [RFC 6749 §3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3).
    ScopeToken,
    /// An audience equals a client ID, so that ID tokens and access tokens could be confused.
    AudienceIsClientId,
    /// The path of a claim rule is empty or has more than four names.
    ClaimPath,
    /// The maximum age of a DPoP proof is more than 600 seconds.
    ProofAgeTooLong,
    /// The template of a multi-tenant issuer does not contain `{tenantid}` exactly once.
    TenantTemplate,
}

impl ConfigError {
    /// Returns the error's name for programs: always `construction`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "construction"
    }

    /// Returns the message without the name of the setting, for `const` contexts.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Empty(_) => "an identifier is empty",
            Self::EmptyList(_) => "a list is empty",
            Self::LeewayTooLong => "the leeway is longer than 600 seconds",
            Self::ScopeToken => "a scope token is empty or contains invalid characters",
            Self::AudienceIsClientId => "an audience equals a client ID",
            Self::ClaimPath => "the path of a claim rule is empty or has more than four names",
            Self::ProofAgeTooLong => "the maximum age of a proof is more than 600 seconds",
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
