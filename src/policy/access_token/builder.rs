//! The builder of access token policies.

use super::super::claim_rule::{ClaimRule, ClaimRules};
use super::super::{
    ForeignClaim, ScopePolicy, check_list, check_none_empty, check_not_empty, common_settings,
};
use super::{AccessTokenPolicy, ConfirmationPolicy, ExpectedAudience};
use crate::access_token::SubjectKind;

use crate::compare::list_contains;
use crate::error::ConfigError;

/// A4: no audience is a client ID.
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

/// An [`AccessTokenPolicy`] in the making. Each setting adds a check or widens
/// one by name; none drops another. A setting made twice has its last value: two
/// scopes that are both needed are one [`ScopePolicy::all_of`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessTokenPolicyBuilder<'a> {
    pub(super) policy: AccessTokenPolicy<'a>,
    pub(super) client_ids: &'a [&'a str],
    pub(super) error: Option<ConfigError>,
}

impl<'a> AccessTokenPolicyBuilder<'a> {
    common_settings!();

    /// Further identifiers of the same API, any of which `aud` may name: for an
    /// API that is being renamed. Tokens that
    /// [name no audience](AccessTokenPolicy::without_audience) have none of them.
    #[must_use]
    pub const fn or_audiences(mut self, audiences: &'a [&'a str]) -> Self {
        self.note(check_none_empty(audiences, "audience"));
        if let ExpectedAudience::OneOf(identifier, _) = self.policy.audience {
            self.policy.audience = ExpectedAudience::OneOf(identifier, audiences);
        }
        self
    }

    /// The clients whose tokens are taken: `azp` and `client_id` have to be
    /// among them.
    #[must_use]
    pub const fn authorized_parties(mut self, clients: &'a [&'a str]) -> Self {
        self.note(check_list(clients, "authorized parties"));
        self.policy.authorized_parties = clients;
        self
    }

    /// The client IDs of the applications that are configured in the same
    /// place. An audience that equals one of them is refused by
    /// [`build`](Self::build): the applications' ID tokens would open the API.
    #[must_use]
    pub const fn forbid_client_ids(mut self, client_ids: &'a [&'a str]) -> Self {
        self.client_ids = client_ids;
        self
    }

    /// Takes only tokens that speak for a user, or only such that speak for a
    /// client.
    #[must_use]
    pub const fn require_subject(mut self, kind: SubjectKind) -> Self {
        self.policy.subject_kind = Some(kind);
        self
    }

    /// Accepts sender-constrained tokens without checking `cnf`. A proxy in front of the
    /// API has to have checked the key. A key that the request has proved
    /// ([`BearerToken::with_key`](crate::BearerToken::with_key)) is compared all the same.
    #[must_use]
    pub const fn danger_ignore_confirmation(mut self) -> Self {
        self.policy.confirmation = ConfirmationPolicy::Ignore;
        self
    }

    /// The classes of authentication one of which `acr` has to name
    /// ([RFC 9470](https://www.rfc-editor.org/rfc/rfc9470)).
    #[must_use]
    pub const fn require_acr(mut self, any_of: &'a [&'a str]) -> Self {
        self.note(check_list(any_of, "acr values"));
        self.policy.acr_values = any_of;
        self
    }

    /// Takes only users who authenticated within the last `seconds`, and the
    /// leeway; 0 counts
    /// ([RFC 9470](https://www.rfc-editor.org/rfc/rfc9470)).
    #[must_use]
    pub const fn max_age(mut self, seconds: u64) -> Self {
        self.policy.max_age = Some(seconds);
        self
    }

    /// The scope that every token needs.
    #[must_use]
    pub const fn require_scope(mut self, needed: ScopePolicy<'a>) -> Self {
        self.policy.scope = Some(needed);
        self
    }

    /// The permissions that every token needs.
    #[must_use]
    pub const fn require_permissions(mut self, needed: ScopePolicy<'a>) -> Self {
        self.policy.permissions = Some(needed);
        self
    }

    /// The policy.
    ///
    /// # Errors
    ///
    /// [`ConfigError`]: an empty audience or other identifier, an empty
    /// list, more leeway than 600 seconds, or an audience that equals one of the
    /// authorized parties or of the client IDs beside the API.
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
