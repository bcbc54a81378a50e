//! The response to a rejected request: the value of `WWW-Authenticate`
//! ([RFC 6750 §3](https://www.rfc-editor.org/rfc/rfc6750#section-3),
//! [RFC 9470 §3](https://www.rfc-editor.org/rfc/rfc9470#section-3)).

use core::fmt;

use crate::algorithm::{Algorithm, Algorithms};
use crate::error::{Claim, Error};
use crate::policy::{AccessTokenPolicy, Forbidden, ScopePolicy};

/// The value of a `WWW-Authenticate` header, written by its `Display`.
///
/// It contains no text of the token. In values from the caller, characters that the grammar
/// does not allow are replaced by `?`.
///
/// ```
/// use claimgate::{Challenge, Error};
///
/// let challenge = Challenge::new(Error::MissingToken).realm("health");
/// assert_eq!(challenge.status(), 401);
/// assert_eq!(challenge.to_string(), r#"Bearer realm="health""#);
///
/// let challenge = Challenge::new(Error::InvalidSignature);
/// assert_eq!(
///     challenge.to_string(),
///     r#"Bearer error="invalid_token", error_description="The signature is invalid""#,
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge<'a> {
    error: Error,
    scheme: Scheme,
    realm: Option<&'a str>,
    resource_metadata: Option<&'a str>,
    scope: &'a [&'a str],
    acr_values: &'a [&'a str],
    max_age: Option<u64>,
}

/// The authentication scheme of a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Bearer,
    /// With the algorithms accepted for proofs.
    Dpop(Algorithms),
    /// Like `Dpop`, for a request whose proof was rejected.
    DpopProof(Algorithms),
}

impl Scheme {
    const fn name(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop(_) | Self::DpopProof(_) => "DPoP",
        }
    }
}

impl<'a> Challenge<'a> {
    /// Constructs the challenge for a request that was rejected with `error`.
    #[must_use]
    pub const fn new(error: Error) -> Self {
        Self {
            error,
            scheme: Scheme::Bearer,
            realm: None,
            resource_metadata: None,
            scope: &[],
            acr_values: &[],
            max_age: None,
        }
    }

    /// Sets the realm, the name of the protection space
    /// ([RFC 9110 §11.5](https://www.rfc-editor.org/rfc/rfc9110#section-11.5)).
    #[must_use]
    pub const fn realm(mut self, realm: &'a str) -> Self {
        self.realm = Some(realm);
        self
    }

    /// Sets the URL of the [metadata](crate::resource_metadata::ResourceMetadata) of the protected resource, from
    /// which a client learns the authorization server
    /// ([RFC 9728 §5.1](https://www.rfc-editor.org/rfc/rfc9728#section-5.1)).
    /// Every challenge contains
    /// it, with or without an error.
    ///
    /// ```
    /// use claimgate::{Challenge, Error};
    ///
    /// let url = "https://api.example.com/.well-known/oauth-protected-resource";
    /// let challenge = Challenge::new(Error::MissingToken).resource_metadata(url);
    /// assert_eq!(challenge.to_string(), format!(r#"Bearer resource_metadata="{url}""#));
    /// ```
    #[must_use]
    pub const fn resource_metadata(mut self, url: &'a str) -> Self {
        self.resource_metadata = Some(url);
        self
    }

    /// Sets the scope that would have sufficed, which is written for
    /// [`Error::InsufficientScope`] only.
    #[must_use]
    pub fn needed(mut self, needed: &ScopePolicy<'a>) -> Self {
        self.scope = needed.sufficient();
        self
    }

    /// Sets the authentication that would have sufficed, which is written for
    /// [`Error::InsufficientAuthentication`] only: authentication context classes, and an age
    /// in seconds.
    #[must_use]
    pub const fn authentication(mut self, acr_values: &'a [&'a str], max_age: Option<u64>) -> Self {
        self.acr_values = acr_values;
        self.max_age = max_age;
        self
    }

    /// Changes the scheme to `DPoP`, for a resource that accepts access tokens with proofs of
    /// these algorithms ([RFC 9449 §7.1](https://www.rfc-editor.org/rfc/rfc9449#section-7.1)).
    #[must_use]
    pub const fn dpop(mut self, algorithms: Algorithms) -> Self {
        self.scheme = Scheme::Dpop(algorithms);
        self
    }

    /// Like [`dpop`](Self::dpop), but for a rejected proof: `error` is `invalid_dpop_proof`,
    /// or `use_dpop_nonce` if the nonce is missing or not the expected one
    /// ([RFC 9449 §9](https://www.rfc-editor.org/rfc/rfc9449#section-9)).
    /// The response then also has a
    /// `DPoP-Nonce` header field.
    #[must_use]
    pub const fn dpop_proof(mut self, algorithms: Algorithms) -> Self {
        self.scheme = Scheme::DpopProof(algorithms);
        self
    }

    /// Returns the value of the attribute `error`, if there is one.
    const fn error_name(&self) -> Option<&'static str> {
        match (self.scheme, self.error) {
            (Scheme::DpopProof(_), Error::NonceMismatch | Error::MissingClaim(Claim::Nonce)) => {
                Some("use_dpop_nonce")
            }
            (Scheme::DpopProof(_), _) => Some("invalid_dpop_proof"),
            (Scheme::Bearer | Scheme::Dpop(_), error) => error.rfc6750_error(),
        }
    }

    /// Returns the `error_description`.
    const fn description(&self) -> &'static str {
        match (self.scheme, &self.error) {
            (Scheme::DpopProof(_), Error::Expired { .. }) => "The proof has expired",
            (Scheme::DpopProof(_), Error::NotYetValid { .. }) => "The proof is not yet valid",
            (_, error) => description(error),
        }
    }

    /// Returns the status of the response.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.error.http_status()
    }
}

impl<'a> AccessTokenPolicy<'a> {
    /// Returns the challenge for a request that this policy rejected, with the scope or the
    /// authentication that the policy requires.
    #[must_use]
    pub fn challenge(&self, error: Error) -> Challenge<'a> {
        let challenge = Challenge::new(error).authentication(self.acr_values(), self.max_age());
        let needed = match error {
            Error::InsufficientScope(Claim::Permissions) => self.permissions(),
            _ => self.scope(),
        };
        match needed {
            Some(needed) => challenge.needed(&needed),
            None => challenge,
        }
    }
}

impl<'p> Forbidden<'p> {
    /// Returns the challenge for the request, with the scope that would have sufficed.
    #[must_use]
    pub fn challenge(&self) -> Challenge<'p> {
        let challenge = Challenge::new(self.error());
        match self.needed() {
            Some(needed) => challenge.needed(&needed),
            None => challenge,
        }
    }
}

impl fmt::Display for Challenge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut attributes = Attributes::after(f, self.scheme)?;
        attributes.write("realm", self.realm.as_slice())?;
        if let Scheme::Dpop(algorithms) | Scheme::DpopProof(algorithms) = self.scheme {
            attributes.write_names("algs", algorithms.iter().map(Algorithm::name))?;
        }
        attributes.write("resource_metadata", self.resource_metadata.as_slice())?;
        let Some(error) = self.error_name() else { return Ok(()) };
        attributes.write("error", &[error])?;
        attributes.write("error_description", &[self.description()])?;
        match self.error {
            Error::InsufficientScope(_) => attributes.write("scope", self.scope)?,
            Error::InsufficientAuthentication(..) => {
                attributes.write("acr_values", self.acr_values)?;
                if let Some(max_age) = self.max_age {
                    attributes.write_number("max_age", max_age)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// A writer of attributes, `name="value"`, separated by commas.
struct Attributes<'f, 'g> {
    f: &'f mut fmt::Formatter<'g>,
    separator: &'static str,
}

impl<'f, 'g> Attributes<'f, 'g> {
    fn after(f: &'f mut fmt::Formatter<'g>, scheme: Scheme) -> Result<Self, fmt::Error> {
        f.write_str(scheme.name())?;
        Ok(Self { f, separator: " " })
    }

    /// Writes an attribute with spaces between its values, unless there are none.
    fn write(&mut self, name: &str, values: &[&str]) -> fmt::Result {
        self.write_names(name, values.iter().copied())
    }

    fn write_names<'v>(
        &mut self,
        name: &str,
        values: impl Iterator<Item = &'v str>,
    ) -> fmt::Result {
        let mut values = values.peekable();
        if values.peek().is_none() {
            return Ok(());
        }
        write!(self.f, "{}{name}=\"", self.separator)?;
        let mut separator = "";
        for value in values {
            self.f.write_str(separator)?;
            for character in value.chars() {
                let is_allowed = matches!(character, ' ' | '!' | '#'..='[' | ']'..='~');
                fmt::Write::write_char(self.f, if is_allowed { character } else { '?' })?;
            }
            separator = " ";
        }
        self.separator = ", ";
        self.f.write_str("\"")
    }

    fn write_number(&mut self, name: &str, value: u64) -> fmt::Result {
        write!(self.f, "{}{name}=\"{value}\"", self.separator)?;
        self.separator = ", ";
        Ok(())
    }
}

/// Returns the `error_description`: fixed text, without numbers.
const fn description(error: &Error) -> &'static str {
    match error {
        Error::MissingToken => "The request has no token",
        Error::InvalidRequest(_) => "The Authorization header is not Bearer and one token",
        Error::MalformedToken
        | Error::InvalidBase64(_)
        | Error::InvalidJson(..)
        | Error::DuplicateMember(_)
        | Error::HeaderType(_) => "The token is malformed",
        Error::EncryptedToken => "Encrypted tokens are not supported",
        Error::OpaqueToken => "The token is not a JWT",
        Error::TokenTooLarge { .. }
        | Error::BufferTooSmall { .. }
        | Error::TooManyAudiences { .. } => "The token is too large",
        Error::ClaimType(..) => "A claim has the wrong type",
        Error::AlgorithmNotAllowed(_) => "The signature algorithm is not accepted",
        Error::CriticalHeader(_) => "The token uses an unsupported extension",
        Error::UnknownKey
        | Error::AmbiguousKey { .. }
        | Error::NoUsableKeys(_)
        | Error::TooManyKeys { .. }
        | Error::KeyRejected(_) => "No usable key matches the token",
        Error::InvalidSignature => "The signature is invalid",
        Error::UnknownIssuer | Error::IssuerMismatch => "The issuer is not trusted",
        Error::MissingClaim(_) => "A required claim is missing",
        Error::Expired { .. } => "The token has expired",
        Error::NotYetValid { .. } | Error::IssuedInFuture { .. } => "The token is not yet valid",
        Error::TokenTooOld { .. } => "The token is too old",
        Error::LifetimeTooLong { .. } => "The token's lifetime is too long",
        Error::AudienceMismatch { .. } | Error::UntrustedAudience { .. } => {
            "The token is for another audience"
        }
        Error::AuthorizedPartyMismatch(_) => "The client is not authorized",
        Error::TokenType(_) => "The token is not an access token",
        Error::NonceMismatch => "The nonce does not match",
        Error::UnexpectedClaim(_) => "The token is from another login",
        Error::AuthenticationTooOld { .. } => "The authentication is too old",
        Error::InsufficientAuthentication(..) => "A stronger or newer authentication is required",
        Error::HashMismatch(_) => "A hash in the token does not match",
        Error::OrganizationMismatch => "The token is from another organization",
        Error::RefreshMismatch(_) | Error::SubjectMismatch => "The token is for another user",
        Error::InsufficientScope(_) => "The request requires a higher privilege",
        Error::ClaimMismatch { .. } => "The claims do not meet the requirements",
        Error::TenantNotAllowed => "The tenant is not allowed",
        Error::SubjectKind => "The token has the wrong kind of subject",
        Error::ConfirmationRequired | Error::ConfirmationMismatch => {
            "The token is bound to another key"
        }
        Error::ProofMismatch(_) => "The proof is for another request",
        Error::ProofTooOld { .. } => "The proof is too old",
        Error::Replayed => "The token was already used",
        Error::ReplayWindowFull => "Too many requests",
    }
}
