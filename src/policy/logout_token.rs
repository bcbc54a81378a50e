//! The rules of an application for logout tokens: L1 to L6
//! ([Back-Channel Logout §2.6](https://openid.net/specs/openid-connect-backchannel-1_0.html#Validation)).

use super::audience::ClientAudience;
use super::claim_rule::{ClaimRule, ClaimRules};
use super::foreign_claim::AllowedForeignClaims;
use super::time::TimePolicy;
use super::{CommonContext, ForeignClaim, Judge, Rule, RuleSet, common_settings};
use crate::claims::NumericDate;
use crate::error::{Claim, ConfigError, Error, JsonType, Problem, WrongKind};
use crate::logout_token::LogoutToken;
use crate::public_key::{PublicKey, VerifiedJws, VerifyingKey};
use crate::trust::ExpectedIssuer;

/// The rules of an application for the logout tokens that its issuer sends to it
/// ([OIDC Back-Channel Logout](https://openid.net/specs/openid-connect-backchannel-1_0.html)).
///
/// ```
/// use claimgate::policy::LogoutTokenPolicy;
/// use claimgate::at_compile_time;
///
/// const POLICY: LogoutTokenPolicy<'_> =
///     at_compile_time!(LogoutTokenPolicy::new("my_client_id").build());
/// ```
///
/// A logout token should be accepted only once, which a [`ReplayWindow`](crate::replay::ReplayWindow)
/// for its `jti` ensures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogoutTokenPolicy<'a> {
    audience: ClientAudience<'a>,
    time: TimePolicy,
    /// The maximum age of tokens without `exp`, if they are accepted.
    max_age_without_expiry: Option<u64>,
    allowed_foreign_claims: AllowedForeignClaims,
    claim_rules: Option<ClaimRules<'a>>,
}

impl<'a> LogoutTokenPolicy<'a> {
    /// Starts a policy for the application with this client ID.
    #[expect(clippy::new_ret_no_self, reason = "a policy without its checks is no policy yet")]
    #[must_use]
    pub const fn new(client_id: &'a str) -> LogoutTokenPolicyBuilder<'a> {
        LogoutTokenPolicyBuilder {
            policy: Self {
                audience: ClientAudience::new(client_id),
                time: TimePolicy::DEFAULT,
                max_age_without_expiry: None,
                allowed_foreign_claims: AllowedForeignClaims::NONE,
                claim_rules: None,
            },
            error: None,
        }
    }

    /// Returns the rules that [`explain`](crate::LogoutToken::explain) checks, in their order.
    pub fn rules() -> impl Iterator<Item = Rule> {
        RULES.iter().map(|(rule, _)| *rule)
    }

    /// Checks `exp` (C3), or the age of a token without `exp` if it is accepted (L4).
    fn check_expiry(&self, token: &LogoutToken<'_>, now: NumericDate) -> Result<(), Error> {
        let claims = &token.registered;
        match (claims.expiry, self.max_age_without_expiry) {
            (None, Some(limit)) => self.time.check_age(claims, limit, now),
            _ => self.time.expiry(claims, now),
        }
    }

    /// Checks that `typ` is `logout+jwt`, `JWT` or missing (L2).
    fn check_header_type(token: &LogoutToken<'_>) -> Result<(), Error> {
        let header = token.header;
        if header.typ.is_none() || header.is_of_type("JWT") || header.is_of_type("logout+jwt") {
            Ok(())
        } else {
            Err(Error::TokenType(WrongKind::HeaderType))
        }
    }

    /// Checks that `events` has the logout member, an object (L3).
    fn check_event(token: &LogoutToken<'_>) -> Result<(), Error> {
        match token.event {
            None => Ok(()),
            Some(Problem::Absent) => Err(Error::MissingClaim(Claim::Events)),
            Some(_) => Err(Error::ClaimType(Claim::Events, JsonType::Object)),
        }
    }

    /// Checks that `sub` or `sid` is present and not empty (L4).
    fn check_subject(token: &LogoutToken<'_>) -> Result<(), Error> {
        match (token.registered.subject, token.session_id) {
            (Some(""), _) | (None, None) => Err(Error::MissingClaim(Claim::Subject)),
            (_, Some("")) => Err(Error::MissingClaim(Claim::SessionId)),
            _ => Ok(()),
        }
    }

    /// Checks that `iat` and `jti` are present (L4).
    fn check_required_claims(token: &LogoutToken<'_>) -> Result<(), Error> {
        let claims = &token.registered;
        claims.issued_at.ok_or(Error::MissingClaim(Claim::IssuedAt))?;
        match claims.token_id {
            None | Some("") => Err(Error::MissingClaim(Claim::TokenId)),
            Some(_) => Ok(()),
        }
    }

    /// Checks that `nonce` is missing (L5).
    fn check_nonce(token: &LogoutToken<'_>) -> Result<(), Error> {
        match token.registered.nonce {
            None => Ok(()),
            Some(_) => Err(Error::UnexpectedClaim(Claim::Nonce)),
        }
    }
}

/// The values that the claims of a logout token are compared with, in addition to the policy.
pub(crate) struct Context<'c> {
    common: CommonContext<'c>,
}

impl<'b> Judge<'b> for LogoutTokenPolicy<'_> {
    type Token = LogoutToken<'b>;
    type Request<'r> = ();
    type Context<'c> = Context<'c>;

    const EMPTY: LogoutToken<'b> = LogoutToken::EMPTY;

    fn context<'c, K: PublicKey>(
        issuer: ExpectedIssuer<'c>,
        (): (),
        now: NumericDate,
        _: &VerifyingKey<K>,
    ) -> Context<'c> {
        Context { common: CommonContext::new(issuer, now) }
    }

    fn read(
        &self,
        token: &mut LogoutToken<'b>,
        jws: VerifiedJws<'b>,
        context: &mut Context<'_>,
    ) -> Result<(), Error> {
        token.read(jws, |payload, iss| context.common.examine(self.claim_rules, payload, iss))
    }

    fn check(&self, token: &LogoutToken<'b>, context: &Context<'_>) -> Result<(), Error> {
        RULES.iter().try_for_each(|(_, rule)| rule(self, token, context))
    }

    fn failures(&self, token: &LogoutToken<'b>, context: &Context<'_>) -> RuleSet {
        let fails = |rule: &Check| rule(self, token, context).is_err();
        RULES.iter().filter(|(_, rule)| fails(rule)).map(|(rule, _)| *rule).collect()
    }
}

/// A rule of the table below.
type Check = fn(&LogoutTokenPolicy<'_>, &LogoutToken<'_>, &Context<'_>) -> Result<(), Error>;

/// The rules with their names, in the order of checking.
const RULES: &[(Rule, Check)] = &[
    (Rule::Issuer, |_, token, context| context.common.check_issuer(&token.registered)),
    (Rule::Expiry, |policy, token, context| policy.check_expiry(token, context.common.now)),
    (Rule::NotBefore, |policy, token, context| {
        policy.time.not_before(&token.registered, context.common.now)
    }),
    (Rule::IssuedAt, |policy, token, context| {
        policy.time.issued_at(&token.registered, context.common.now)
    }),
    (Rule::AgeAndLifetime, |policy, token, context| {
        policy.time.age_and_lifetime(&token.registered, context.common.now)
    }),
    (Rule::Audience, |policy, token, _| policy.audience.check(&token.registered)),
    (Rule::TrustedAudiences, |policy, token, _| policy.audience.check_others(&token.registered)),
    (Rule::HeaderType, |_, token, _| LogoutTokenPolicy::check_header_type(token)),
    (Rule::LogoutEvent, |_, token, _| LogoutTokenPolicy::check_event(token)),
    (Rule::ForeignClaims, |policy, token, _| {
        policy.allowed_foreign_claims.check_logout_token(&token.registered)
    }),
    (Rule::Subject, |_, token, _| LogoutTokenPolicy::check_subject(token)),
    (Rule::RequiredClaims, |_, token, _| LogoutTokenPolicy::check_required_claims(token)),
    (Rule::Nonce, |_, token, _| LogoutTokenPolicy::check_nonce(token)),
    (Rule::Claims, |_, _, context| context.common.claims),
];

/// A builder of [`LogoutTokenPolicy`]. Each setting adds a check or relaxes the check that it
/// names; none removes another. A second call of a setting replaces the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogoutTokenPolicyBuilder<'a> {
    policy: LogoutTokenPolicy<'a>,
    error: Option<ConfigError>,
}

impl<'a> LogoutTokenPolicyBuilder<'a> {
    common_settings!();

    /// Adds client IDs of the same application. `aud` may contain any of them.
    #[must_use]
    pub const fn or_client_ids(mut self, client_ids: &'a [&'a str]) -> Self {
        self.policy.audience.other_client_ids = client_ids;
        self
    }

    /// Accepts these audiences in `aud` in addition to the client ID. None are accepted unless
    /// set.
    #[must_use]
    pub const fn trusted_audiences(mut self, audiences: &'a [&'a str]) -> Self {
        self.policy.audience.trusted_audiences = audiences;
        self
    }

    /// Accepts tokens without `exp` that were issued within the last `seconds`, plus the
    /// leeway. Some issuers send no `exp`, which the first version of the specification did not require.
    #[must_use]
    pub const fn accept_without_expiry(mut self, seconds: u64) -> Self {
        self.policy.max_age_without_expiry = Some(seconds);
        self
    }

    /// Returns the policy.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for an empty client ID or other identifier, an empty list, or a leeway
    /// of more than 600 seconds.
    pub const fn build(mut self) -> Result<LogoutTokenPolicy<'a>, ConfigError> {
        let policy = self.policy;
        self.note(policy.audience.check_config());
        self.note(policy.time.check());
        match self.error {
            None => Ok(policy),
            Some(error) => Err(error),
        }
    }
}
