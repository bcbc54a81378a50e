//! The expectations of one login for its ID token.

use crate::bearer::BearerToken;
use crate::compare::constant_time_eq;
use crate::error::{Claim, ConfigError, Error};
use crate::policy::check_not_empty;
use crate::public_key::HalfHash;

/// The expected `nonce`, which binds an ID token to one login.
///
/// There is no default: an application that sends a nonce must have it compared.
///
/// ```
/// use claimgate::error::ConfigError;
/// use claimgate::{Login, Nonce};
///
/// assert_eq!(Login::new(Nonce::Expect("")).build(), Err(ConfigError::Empty("nonce")));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Nonce<'r> {
    /// The value that the authentication request sent. Never empty.
    Expect(&'r str),
    /// The authentication request contained no nonce, so the token must not have one.
    ExpectNone,
    /// Any value or none. For flows with another protection of the login, such as the code
    /// flow with PKCE.
    Ignore,
}

impl Nonce<'_> {
    /// Checks the nonce (I6, step 11).
    pub(super) fn check(self, found: Option<&str>) -> Result<(), Error> {
        match (self, found) {
            (Nonce::Ignore, _) | (Nonce::ExpectNone, None) => Ok(()),
            (Nonce::ExpectNone, Some(_)) => Err(Error::UnexpectedClaim(Claim::Nonce)),
            (Nonce::Expect(_), None) => Err(Error::MissingClaim(Claim::Nonce)),
            (Nonce::Expect(expected), Some(found)) => {
                if constant_time_eq(expected.as_bytes(), found.as_bytes()) {
                    Ok(())
                } else {
                    Err(Error::NonceMismatch)
                }
            }
        }
    }
}

impl core::fmt::Debug for Nonce<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Expect(_) => "Expect([redacted])",
            Self::ExpectNone => "ExpectNone",
            Self::Ignore => "Ignore",
        })
    }
}

/// A value that came with the ID token and whose hash the token contains.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound<'r> {
    NotGiven,
    Required(&'r str),
    IfPresent(&'r str),
}

impl<'r> Bound<'r> {
    pub(super) const fn value(self) -> Option<&'r str> {
        match self {
            Self::NotGiven => None,
            Self::Required(value) | Self::IfPresent(value) => Some(value),
        }
    }

    /// Checks the hash in the token (I9).
    #[inline]
    pub(super) fn check(
        self,
        claim: Claim,
        found: Option<&str>,
        expected: Option<HalfHash>,
    ) -> Result<(), Error> {
        match (self, found, expected) {
            (Self::NotGiven, _, _) | (Self::IfPresent(_), None, _) => Ok(()),
            (Self::Required(_), None, _) => Err(Error::MissingClaim(claim)),
            (_, Some(found), Some(expected)) if expected.is_encoded_as(found) => Ok(()),
            (_, Some(_), _) => Err(Error::HashMismatch(claim)),
        }
    }
}

impl core::fmt::Debug for Bound<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::NotGiven => "NotGiven",
            Self::Required(_) => "Required([redacted])",
            Self::IfPresent(_) => "IfPresent([redacted])",
        })
    }
}

/// The expectations of one login: the nonce, and the values received with the ID token.
///
/// An [`IdTokenPolicy`](crate::IdTokenPolicy) is the same for all logins; a `Login` is
/// constructed for each.
///
/// ```
/// use claimgate::error::ConfigError;
/// use claimgate::{BearerToken, Login, Nonce};
///
/// fn login<'r>(nonce: &'r str, access_token: &'r str) -> Result<Login<'r>, ConfigError> {
///     Login::new(Nonce::Expect(nonce)).access_token(BearerToken::new(access_token)).build()
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Login<'r> {
    pub(super) nonce: Nonce<'r>,
    pub(super) access_token: Bound<'r>,
    pub(super) code: Bound<'r>,
    pub(super) organization: Option<&'r str>,
}

impl<'r> Login<'r> {
    /// Starts a login with its nonce.
    #[expect(clippy::new_ret_no_self, reason = "a login is usable once its values are checked")]
    #[must_use]
    pub const fn new(nonce: Nonce<'r>) -> LoginBuilder<'r> {
        let error = match nonce {
            Nonce::Expect(value) if value.is_empty() => Some(ConfigError::Empty("nonce")),
            _ => None,
        };
        let login = Self {
            nonce,
            access_token: Bound::NotGiven,
            code: Bound::NotGiven,
            organization: None,
        };
        LoginBuilder { login, error }
    }
}

/// A builder of [`Login`]. Each method adds a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginBuilder<'r> {
    login: Login<'r>,
    error: Option<ConfigError>,
}

impl<'r> LoginBuilder<'r> {
    /// Sets the access token received with the ID token. `at_hash` is then required and must
    /// be its hash
    /// ([OIDC Core §3.1.3.6](https://openid.net/specs/openid-connect-core-1_0.html#CodeIDToken)).
    #[must_use]
    pub const fn access_token(mut self, access_token: BearerToken<'r>) -> Self {
        self.note(check_not_empty(access_token.expose(), "access token"));
        self.login.access_token = Bound::Required(access_token.expose());
        self
    }

    /// Like [`access_token`](Self::access_token), but `at_hash` may be missing, as allowed in
    /// the code flow.
    #[must_use]
    pub const fn access_token_if_bound(mut self, access_token: BearerToken<'r>) -> Self {
        self.note(check_not_empty(access_token.expose(), "access token"));
        self.login.access_token = Bound::IfPresent(access_token.expose());
        self
    }

    /// Sets the authorization code received with the ID token. `c_hash` is then required and
    /// must be its hash
    /// ([OIDC Core §3.3.2.11](https://openid.net/specs/openid-connect-core-1_0.html#HybridIDToken)).
    #[must_use]
    pub const fn code(mut self, code: &'r str) -> Self {
        self.note(check_not_empty(code, "code"));
        self.login.code = Bound::Required(code);
        self
    }

    /// Like [`code`](Self::code), but `c_hash` may be missing.
    #[must_use]
    pub const fn code_if_bound(mut self, code: &'r str) -> Self {
        self.note(check_not_empty(code, "code"));
        self.login.code = Bound::IfPresent(code);
        self
    }

    /// Sets the Auth0 organization to which the user must have logged in: its ID, which starts
    /// with `org_`, or its name, compared ignoring ASCII case
    /// ([Auth0](https://auth0.com/docs/manage-users/organizations/using-tokens)).
    #[must_use]
    pub const fn organization(mut self, organization: &'r str) -> Self {
        self.note(check_not_empty(organization, "organization"));
        self.login.organization = Some(organization);
        self
    }

    /// Records the first error.
    const fn note(&mut self, result: Result<(), ConfigError>) {
        if let (None, Err(error)) = (self.error, result) {
            self.error = Some(error);
        }
    }

    /// Returns the login.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Empty`] for an empty nonce or another empty value.
    pub const fn build(self) -> Result<Login<'r>, ConfigError> {
        match self.error {
            None => Ok(self.login),
            Some(error) => Err(error),
        }
    }
}
