//! The required scope tokens and permissions.

use core::fmt;

use super::Fingerprint;
use crate::access_token::AccessToken;
use crate::claims::{RegisteredClaims, is_scope_token};
use crate::error::{Claim, ConfigError, Error};
use crate::validated::Validated;

/// The scope tokens or permissions that a policy or a route requires.
///
/// Scope tokens are compared as a whole and case-sensitively
/// ([RFC 6749 §3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3)): `read` does not grant
/// `read:patients`.
///
/// ```
/// use claimgate::{ScopePolicy, at_compile_time};
///
/// const READ: ScopePolicy<'_> = at_compile_time!(ScopePolicy::all_of(&["read:patients"]));
/// const EDIT: ScopePolicy<'_> = at_compile_time!(ScopePolicy::any_of_all_of(&[
///     &["read:patients", "write:patients"],
///     &["admin"],
/// ]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScopePolicy<'a>(Needed<'a>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needed<'a> {
    All(&'a [&'a str]),
    Any(&'a [&'a str]),
    AnySet(&'a [&'a [&'a str]]),
}

impl<'a> ScopePolicy<'a> {
    /// Requires all of these.
    ///
    /// # Errors
    ///
    /// [`ConfigError::EmptyList`], because every token would be accepted, and
    /// [`ConfigError::ScopeToken`] for an invalid scope token.
    pub const fn all_of(tokens: &'a [&'a str]) -> Result<Self, ConfigError> {
        match check(tokens) {
            Ok(()) => Ok(Self(Needed::All(tokens))),
            Err(error) => Err(error),
        }
    }

    /// Requires one of these.
    ///
    /// # Errors
    ///
    /// [`ConfigError::EmptyList`], because no token would be accepted, and
    /// [`ConfigError::ScopeToken`] for an invalid scope token.
    pub const fn any_of(tokens: &'a [&'a str]) -> Result<Self, ConfigError> {
        match check(tokens) {
            Ok(()) => Ok(Self(Needed::Any(tokens))),
            Err(error) => Err(error),
        }
    }

    /// Requires all scope tokens of one of these sets.
    ///
    /// # Errors
    ///
    /// [`ConfigError::EmptyList`] for no sets and for an empty one, and
    /// [`ConfigError::ScopeToken`] for an invalid scope token.
    pub const fn any_of_all_of(sets: &'a [&'a [&'a str]]) -> Result<Self, ConfigError> {
        if sets.is_empty() {
            return Err(ConfigError::EmptyList("scope tokens"));
        }
        let mut rest = sets;
        while let Some((set, others)) = rest.split_first() {
            if let Err(error) = check(set) {
                return Err(error);
            }
            rest = others;
        }
        Ok(Self(Needed::AnySet(sets)))
    }

    /// Adds the requirement to the fingerprint of a policy.
    pub(super) const fn fingerprint(&self, fingerprint: Fingerprint) -> Fingerprint {
        match self.0 {
            Needed::All(tokens) => fingerprint.number(1).texts(tokens),
            Needed::Any(tokens) => fingerprint.number(2).texts(tokens),
            Needed::AnySet(sets) => {
                let (mut fingerprint, mut rest) = (fingerprint.number(3), sets);
                while let Some((set, others)) = rest.split_first() {
                    fingerprint = fingerprint.number(1).texts(set);
                    rest = others;
                }
                fingerprint.number(0)
            }
        }
    }

    pub(crate) fn is_met(&self, is_granted: impl Fn(&str) -> bool) -> bool {
        let has_all = |tokens: &[&str]| tokens.iter().all(|token| is_granted(token));
        match self.0 {
            Needed::All(tokens) => has_all(tokens),
            Needed::Any(tokens) => tokens.iter().any(|token| is_granted(token)),
            Needed::AnySet(sets) => sets.iter().any(|set| has_all(set)),
        }
    }

    /// Returns scope tokens that would suffice: the first alternative if there are several. A
    /// challenge contains them.
    #[must_use]
    pub fn sufficient(&self) -> &'a [&'a str] {
        match self.0 {
            Needed::All(tokens) => tokens,
            Needed::Any(tokens) => tokens.get(..1).unwrap_or_default(),
            Needed::AnySet(sets) => sets.first().copied().unwrap_or_default(),
        }
    }

    /// Checks that the scope of a token is sufficient (A5).
    pub(super) fn check_scope(&self, claims: &RegisteredClaims<'_>) -> Result<(), Error> {
        let scope = claims.scope();
        if self.is_met(|token| scope.contains(token)) {
            Ok(())
        } else {
            Err(Error::InsufficientScope(Claim::Scope))
        }
    }

    /// Checks that the permissions of a token are sufficient (A6).
    pub(super) fn check_permissions(&self, claims: &RegisteredClaims<'_>) -> Result<(), Error> {
        let permissions = claims.permissions();
        if self.is_met(|permission| permissions.contains(permission)) {
            Ok(())
        } else {
            Err(Error::InsufficientScope(Claim::Permissions))
        }
    }
}

/// The error for a valid access token with insufficient privileges, with the privileges that
/// would have sufficed.
///
/// [`Forbidden::challenge`] constructs the response. It converts to [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forbidden<'p> {
    error: Error,
    needed: Option<ScopePolicy<'p>>,
}

impl<'p> Forbidden<'p> {
    pub(super) const fn of_claims(error: Error) -> Self {
        Self { error, needed: None }
    }

    /// Returns the error: [`Error::InsufficientScope`] or [`Error::ClaimMismatch`].
    #[must_use]
    pub const fn error(&self) -> Error {
        self.error
    }

    /// Returns the scope or the permissions that would have sufficed, or `None` for a claim
    /// rule.
    #[must_use]
    pub const fn needed(&self) -> Option<ScopePolicy<'p>> {
        self.needed
    }
}

impl fmt::Display for Forbidden<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl core::error::Error for Forbidden<'_> {}

impl From<Forbidden<'_>> for Error {
    fn from(forbidden: Forbidden<'_>) -> Self {
        forbidden.error
    }
}

impl Validated<AccessToken<'_>> {
    /// Checks that the token's scope is sufficient, for example for one route of an API.
    ///
    /// # Errors
    ///
    /// [`Forbidden`], with the scope that would have sufficed.
    pub fn authorize<'p>(&self, needed: &ScopePolicy<'p>) -> Result<(), Forbidden<'p>> {
        let forbidden = |error| Forbidden { error, needed: Some(*needed) };
        needed.check_scope(&self.0.registered).map_err(forbidden)
    }

    /// Checks that the token's permissions are sufficient, for example for one route of an
    /// API.
    ///
    /// # Errors
    ///
    /// [`Forbidden`], with the permissions that would have sufficed.
    pub fn authorize_permissions<'p>(&self, needed: &ScopePolicy<'p>) -> Result<(), Forbidden<'p>> {
        let forbidden = |error| Forbidden { error, needed: Some(*needed) };
        needed.check_permissions(&self.0.registered).map_err(forbidden)
    }
}

const fn check(tokens: &[&str]) -> Result<(), ConfigError> {
    if tokens.is_empty() {
        return Err(ConfigError::EmptyList("scope tokens"));
    }
    let mut rest = tokens;
    while let Some((token, others)) = rest.split_first() {
        if !is_scope_token(token) {
            return Err(ConfigError::ScopeToken);
        }
        rest = others;
    }
    Ok(())
}
