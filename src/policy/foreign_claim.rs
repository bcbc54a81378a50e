//! Claims that indicate another kind of token: I11 and A3.

use super::Fingerprint;
use crate::claims::RegisteredClaims;
use crate::error::{Claim, Error, WrongKind};

/// A claim that indicates another kind of token, and that a policy can accept nevertheless.
///
/// ```
/// use claimgate::policy::ForeignClaim;
/// use claimgate::{AccessTokenPolicy, at_compile_time};
///
/// /// For an older Keycloak, which puts the nonce into access tokens.
/// const POLICY: AccessTokenPolicy<'_> = at_compile_time!(
///     AccessTokenPolicy::general("health-api").allow_foreign_claim(ForeignClaim::Nonce).build()
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ForeignClaim {
    /// `scope` or `scp`, of an access token.
    Scope,
    /// `permissions`, of an Auth0 access token.
    Permissions,
    /// `gty`, of an Auth0 access token.
    GrantType,
    /// `nonce`, of an ID token. Older versions of Keycloak also write it into access tokens.
    Nonce,
    /// `at_hash`, of an ID token.
    AtHash,
    /// `c_hash`, of an ID token.
    CHash,
    /// `s_hash`, of an ID token.
    SHash,
    /// `token_use` of Amazon Cognito, if it names another kind.
    TokenUse,
    /// `typ` of Keycloak, if it names another kind.
    Typ,
    /// `events`, of a logout token or another security event token
    /// ([RFC 8417](https://www.rfc-editor.org/rfc/rfc8417)).
    Events,
}

impl ForeignClaim {
    const fn bit(self) -> u64 {
        match self {
            Self::Scope => 1,
            Self::Permissions => 1 << 1,
            Self::GrantType => 1 << 2,
            Self::Nonce => 1 << 3,
            Self::AtHash => 1 << 4,
            Self::CHash => 1 << 5,
            Self::SHash => 1 << 6,
            Self::TokenUse => 1 << 7,
            Self::Typ => 1 << 8,
            Self::Events => 1 << 9,
        }
    }
}

/// The claims of other kinds that a policy accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AllowedForeignClaims(u64);

impl AllowedForeignClaims {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) const fn allow(&mut self, mark: ForeignClaim) {
        self.0 |= mark.bit();
    }

    /// Adds the set to the fingerprint of a policy.
    pub(super) const fn fingerprint(self, fingerprint: Fingerprint) -> Fingerprint {
        fingerprint.number(self.0)
    }

    /// Rejects the first claim that is present and not accepted.
    fn check(self, found: &[(ForeignClaim, Claim, bool)]) -> Result<(), Error> {
        let foreign =
            found.iter().find(|(mark, _, is_found)| *is_found && self.0 & mark.bit() == 0);
        match foreign {
            Some((_, claim, _)) => Err(Error::TokenType(WrongKind::Claim(*claim))),
            None => Ok(()),
        }
    }

    /// Checks an ID token for claims of other kinds (I11).
    pub(crate) fn check_id_token(self, claims: &RegisteredClaims<'_>) -> Result<(), Error> {
        let is_other = |value: Option<&str>, own: &str| value.is_some_and(|value| value != own);
        self.check(&[
            (ForeignClaim::Scope, Claim::Scope, claims.scope.is_some()),
            (ForeignClaim::Scope, Claim::Scp, claims.scp.is_some()),
            (ForeignClaim::Permissions, Claim::Permissions, claims.permissions.is_some()),
            (ForeignClaim::GrantType, Claim::GrantType, claims.grant_type.is_some()),
            (ForeignClaim::TokenUse, Claim::TokenUse, is_other(claims.token_use, "id")),
            (ForeignClaim::Typ, Claim::Typ, is_other(claims.typ, "ID")),
            (ForeignClaim::Events, Claim::Events, claims.has_events),
        ])
    }

    /// Checks a logout token for claims of other kinds (L1).
    pub(crate) fn check_logout_token(self, claims: &RegisteredClaims<'_>) -> Result<(), Error> {
        let is_other = |value: Option<&str>, own: &str| value.is_some_and(|value| value != own);
        self.check(&[
            (ForeignClaim::Scope, Claim::Scope, claims.scope.is_some()),
            (ForeignClaim::Scope, Claim::Scp, claims.scp.is_some()),
            (ForeignClaim::Permissions, Claim::Permissions, claims.permissions.is_some()),
            (ForeignClaim::GrantType, Claim::GrantType, claims.grant_type.is_some()),
            (ForeignClaim::AtHash, Claim::AtHash, claims.at_hash.is_some()),
            (ForeignClaim::CHash, Claim::CHash, claims.c_hash.is_some()),
            (ForeignClaim::SHash, Claim::SHash, claims.s_hash.is_some()),
            (ForeignClaim::TokenUse, Claim::TokenUse, claims.token_use.is_some()),
            (ForeignClaim::Typ, Claim::Typ, is_other(claims.typ, "Logout")),
        ])
    }

    /// Checks an access token for claims of other kinds (A3).
    pub(crate) fn check_access_token(self, claims: &RegisteredClaims<'_>) -> Result<(), Error> {
        let is_other =
            |value: Option<&str>, own: &[&str]| value.is_some_and(|value| !own.contains(&value));
        self.check(&[
            (ForeignClaim::Nonce, Claim::Nonce, claims.nonce.is_some()),
            (ForeignClaim::AtHash, Claim::AtHash, claims.at_hash.is_some()),
            (ForeignClaim::CHash, Claim::CHash, claims.c_hash.is_some()),
            (ForeignClaim::SHash, Claim::SHash, claims.s_hash.is_some()),
            (ForeignClaim::TokenUse, Claim::TokenUse, is_other(claims.token_use, &["access"])),
            // Keycloak writes these into access tokens; `ID`, `Refresh`, `Offline` and
            // `Logout` are its other kinds.
            (ForeignClaim::Typ, Claim::Typ, is_other(claims.typ, &["Bearer", "DPoP"])),
            (ForeignClaim::Events, Claim::Events, claims.has_events),
        ])
    }
}
