//! The builder of access token policies.

use super::super::claim_rule::{ClaimRule, ClaimRules};
use super::super::{
    ForeignClaim, ScopePolicy, check_list, check_none_empty, check_not_empty, common_settings,
};
use super::{AccessTokenPolicy, ConfirmationPolicy, ExpectedAudience};
use crate::access_token::SubjectKind;
use crate::compare::list_contains;
use crate::error::ConfigError;

/// Checks that no audience is a client ID (A4).
const fn check_disjoint(
    client_ids: &[&str],
    audience: &str,
    others: &[&str],
) -> Result<(), ConfigError> {
    let mut client_ids = client_ids;
    while let Some((client_id, rest)) = client_ids.split_first() {
        if list_contains(&[audience], client_id) || list_contains(others, client_id) {
            return Err(ConfigError::AudienceIsClientId);
        }
        client_ids = rest;
    }
    Ok(())
}

/// A builder of [`AccessTokenPolicy`]. Each setting adds a check or relaxes the check that it
/// names; none removes another. A second call of a setting replaces the first: to require two
/// scopes, use one [`ScopePolicy::all_of`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessTokenPolicyBuilder<'a> {
    pub(super) policy: AccessTokenPolicy<'a>,
    pub(super) client_ids: &'a [&'a str],
    pub(super) error: Option<ConfigError>,
}

impl<'a> AccessTokenPolicyBuilder<'a> {
    common_settings!();

    /// Adds identifiers of the same API. `aud` may contain any of them, for example while an
    /// API is renamed. They have no effect
    /// [without an audience](AccessTokenPolicy::without_audience).
    #[must_use]
    pub const fn or_audiences(mut self, audiences: &'a [&'a str]) -> Self {
        self.note(check_none_empty(audiences, "audience"));
        if let ExpectedAudience::OneOf(identifier, _) = self.policy.audience {
            self.policy.audience = ExpectedAudience::OneOf(identifier, audiences);
        }
        self
    }

    /// Accepts only tokens of these clients: `azp` or `client_id` must be present, and each that
    /// is present must be one of them, in addition to the list of
    /// [`without_audience`](AccessTokenPolicy::without_audience).
    #[must_use]
    pub const fn authorized_parties(mut self, clients: &'a [&'a str]) -> Self {
        self.note(check_list(clients, "authorized parties"));
        self.policy.authorized_parties = clients;
        self
    }

    /// Sets the client IDs of the applications in the same configuration.
    /// [`build`](Self::build) rejects an audience that equals one of them, because the API
    /// would accept ID tokens of the application.
    #[must_use]
    pub const fn forbid_client_ids(mut self, client_ids: &'a [&'a str]) -> Self {
        self.note(check_none_empty(client_ids, "client IDs"));
        self.client_ids = client_ids;
        self
    }

    /// Accepts only tokens whose subject is a user, or only tokens whose subject is a client.
    #[must_use]
    pub const fn require_subject(mut self, kind: SubjectKind) -> Self {
        self.policy.subject_kind = Some(kind);
        self
    }

    /// Accepts sender-constrained tokens without checking `cnf`. A proxy in front of the API
    /// must have checked the key. A key that the request proves
    /// ([`BearerToken::with_key`](crate::BearerToken::with_key)) is still compared.
    #[must_use]
    pub const fn danger_ignore_confirmation(mut self) -> Self {
        self.policy.confirmation = ConfirmationPolicy::Ignore;
        self
    }

    /// Requires `acr` to be one of these authentication context classes
    /// ([RFC 9470](https://www.rfc-editor.org/rfc/rfc9470)).
    #[must_use]
    pub const fn require_acr(mut self, any_of: &'a [&'a str]) -> Self {
        self.note(check_list(any_of, "acr values"));
        self.policy.acr_values = any_of;
        self
    }

    /// Accepts only users who authenticated within the last `seconds`, plus the leeway. 0 is
    /// not special ([RFC 9470](https://www.rfc-editor.org/rfc/rfc9470)). An `auth_time` in the
    /// future is accepted, because the issuer is trusted to state it.
    #[must_use]
    pub const fn max_age(mut self, seconds: u64) -> Self {
        self.policy.max_age = Some(seconds);
        self
    }

    /// Sets the scope that every token must have.
    #[must_use]
    pub const fn require_scope(mut self, needed: ScopePolicy<'a>) -> Self {
        self.policy.scope = Some(needed);
        self
    }

    /// Sets the permissions that every token must have.
    #[must_use]
    pub const fn require_permissions(mut self, needed: ScopePolicy<'a>) -> Self {
        self.policy.permissions = Some(needed);
        self
    }

    /// Returns the policy.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for an empty audience or other identifier, an empty list, a leeway of
    /// more than 600 seconds, or an audience that equals one of the authorized parties or of
    /// the [client IDs](Self::forbid_client_ids).
    pub const fn build(mut self) -> Result<AccessTokenPolicy<'a>, ConfigError> {
        let mut policy = self.policy;
        policy.fingerprint = policy.compute_fingerprint();
        if let ExpectedAudience::OneOf(identifier, others) = policy.audience {
            self.note(check_not_empty(identifier, "audience"));
            self.note(check_disjoint(policy.authorized_parties, identifier, others));
            self.note(check_disjoint(self.client_ids, identifier, others));
        }
        self.note(policy.time.check());
        match self.error {
            None => Ok(policy),
            Some(error) => Err(error),
        }
    }
}
