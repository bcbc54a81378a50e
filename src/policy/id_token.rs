//! The rules of an application for ID tokens
//! ([OIDC Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation)).

use super::audience::ClientAudience;
use super::claim_rule::{ClaimRule, ClaimRules};
use super::foreign_claim::AllowedForeignClaims;
use super::time::TimePolicy;
use super::{
    CommonContext, ForeignClaim, Judge, Login, Rule, RuleSet, check_acr, check_list, check_subject,
    common_settings,
};
use crate::claims::NumericDate;
use crate::error::{Claim, ConfigError, Error, JsonType, Problem, WrongKind};
use crate::id_token::IdToken;
use crate::public_key::{HalfHash, PublicKey, VerifiedJws, VerifyingKey};
use crate::trust::ExpectedIssuer;
use crate::validated::Validated;

/// The rules of an application for ID tokens, the same for all logins.
///
/// It is data: `const`-constructible, comparable and printable. It is built with
/// [`IdTokenPolicy::new`]. The expectations of one login, such as the nonce, are in a
/// [`Login`].
///
/// ```
/// use claimgate::{IdTokenPolicy, at_compile_time};
///
/// const POLICY: IdTokenPolicy<'_> =
///     at_compile_time!(IdTokenPolicy::new("my_client_id").max_age(3600).build());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdTokenPolicy<'a> {
    audience: ClientAudience<'a>,
    time: TimePolicy,
    max_age: Option<u64>,
    acr_values: &'a [&'a str],
    amr_values: &'a [&'a str],
    allowed_foreign_claims: AllowedForeignClaims,
    claim_rules: Option<ClaimRules<'a>>,
    string_booleans: StringBooleans,
}

/// The treatment of `email_verified: "true"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StringBooleans {
    Reject,
    Accept,
}

impl<'a> IdTokenPolicy<'a> {
    /// Starts a policy for the application with this client ID.
    #[expect(clippy::new_ret_no_self, reason = "a policy without its checks is no policy yet")]
    #[must_use]
    pub const fn new(client_id: &'a str) -> IdTokenPolicyBuilder<'a> {
        IdTokenPolicyBuilder {
            policy: Self {
                audience: ClientAudience::new(client_id),
                time: TimePolicy::DEFAULT,
                max_age: None,
                acr_values: &[],
                amr_values: &[],
                allowed_foreign_claims: AllowedForeignClaims::NONE,
                claim_rules: None,
                string_booleans: StringBooleans::Reject,
            },
            error: None,
        }
    }

    /// Returns the first second at which this policy rejects the token because of its age: by
    /// `exp` and the leeway, [`max_token_age`] or [`max_age`] (C11).
    ///
    /// A WebSocket, a session or a stream that was opened with the token should end then.
    ///
    /// [`max_token_age`]: IdTokenPolicyBuilder::max_token_age
    /// [`max_age`]: IdTokenPolicyBuilder::max_age
    #[must_use]
    pub fn valid_until(&self, token: &Validated<IdToken<'_>>) -> NumericDate {
        self.time.end(&token.0.registered, self.max_age)
    }

    /// Returns the rules that [`explain`](crate::IdToken::explain) checks, in their order.
    pub fn rules() -> impl Iterator<Item = Rule> {
        RULES.iter().map(|(rule, _)| *rule)
    }

    /// Checks that `azp` is present if there are several audiences (I3, step 4), and is the
    /// client ID if it is present (I4, step 5).
    fn check_authorized_party(&self, claims: &IdToken<'_>) -> Result<(), Error> {
        match claims.registered.authorized_party {
            None if claims.registered.audience().len() > 1 => {
                Err(Error::MissingClaim(Claim::AuthorizedParty))
            }
            Some(party) if !self.audience.is_client_id(party) => {
                Err(Error::AuthorizedPartyMismatch(Claim::AuthorizedParty))
            }
            None | Some(_) => Ok(()),
        }
    }

    /// Checks that `iat` is present (I5, step 10).
    fn check_required_claims(&self, claims: &IdToken<'_>) -> Result<(), Error> {
        claims.registered.issued_at.ok_or(Error::MissingClaim(Claim::IssuedAt)).map(|_| ())
    }

    /// Checks that `auth_time + max_age + leeway ≥ now` (I7, step 13).
    fn check_authentication_time(
        &self,
        claims: &IdToken<'_>,
        now: NumericDate,
    ) -> Result<(), Error> {
        let Some(max_age) = self.max_age else { return Ok(()) };
        let auth_time = claims.registered.auth_time;
        let auth_time = auth_time.ok_or(Error::MissingClaim(Claim::AuthTime))?;
        if self.time.is_past(auth_time, max_age, now) {
            let age = now.as_secs().saturating_sub(auth_time.as_secs());
            return Err(Error::AuthenticationTooOld { age, max_age, leeway: self.time.leeway });
        }
        Ok(())
    }

    /// Checks that `acr` is one of the required classes and `amr` contains all required
    /// methods (I8, step 12).
    fn check_authentication_context(&self, claims: &IdToken<'_>) -> Result<(), Error> {
        check_acr(self.acr_values, claims.registered.acr)?;
        if self.amr_values.is_empty() {
            return Ok(());
        }
        let insufficient = |fault| Error::InsufficientAuthentication(Claim::Amr, fault);
        let amr = claims.registered.amr.ok_or(insufficient(Problem::Absent))?;
        if self.amr_values.iter().all(|method| amr.contains(method)) {
            Ok(())
        } else {
            Err(insufficient(Problem::WrongValue))
        }
    }

    /// Checks that `typ` is missing or `JWT` (I10).
    fn check_header_type(&self, claims: &IdToken<'_>) -> Result<(), Error> {
        if claims.header.typ().is_none() || claims.header.is_of_type("JWT") {
            Ok(())
        } else {
            Err(Error::TokenType(WrongKind::HeaderType))
        }
    }

    /// Checks the organization (I12): by its ID, which starts with `org_`, or by its name,
    /// ignoring ASCII case.
    fn check_organization(claims: &IdToken<'_>, expected: Option<&str>) -> Result<(), Error> {
        let Some(expected) = expected else { return Ok(()) };
        let (claim, found) = if expected.starts_with("org_") {
            (Claim::OrganizationId, claims.registered.organization_id)
        } else {
            (Claim::OrganizationName, claims.registered.organization_name)
        };
        let found = found.ok_or(Error::MissingClaim(claim))?;
        let is_expected = match claim {
            Claim::OrganizationId => found == expected,
            _ => found.eq_ignore_ascii_case(expected),
        };
        if is_expected { Ok(()) } else { Err(Error::OrganizationMismatch) }
    }

    fn check_user_claims(&self, claims: &IdToken<'_>) -> Result<(), Error> {
        match (claims.standard.string_boolean(), self.string_booleans) {
            (Some(claim), StringBooleans::Reject) => {
                Err(Error::ClaimType(claim, JsonType::Boolean))
            }
            (None, _) | (_, StringBooleans::Accept) => Ok(()),
        }
    }
}

/// The values that the claims of an ID token are compared with, in addition to the policy.
pub(crate) struct Context<'c> {
    common: CommonContext<'c>,
    login: Login<'c>,
    /// The expected `at_hash`, if an access token was given.
    at_hash: Option<HalfHash>,
    /// The expected `c_hash`, if a code was given.
    c_hash: Option<HalfHash>,
}

impl<'b> Judge<'b> for IdTokenPolicy<'_> {
    type Token = IdToken<'b>;
    type Request<'r> = Login<'r>;
    type Context<'c> = Context<'c>;

    const EMPTY: IdToken<'b> = IdToken::EMPTY;

    fn read(
        &self,
        token: &mut IdToken<'b>,
        jws: VerifiedJws<'b>,
        context: &mut Context<'_>,
    ) -> Result<(), Error> {
        token.read(jws, |payload, iss| context.common.examine(self.claim_rules, payload, iss))
    }

    #[inline]
    fn context<'c, K: PublicKey>(
        issuer: ExpectedIssuer<'c>,
        login: Login<'c>,
        now: NumericDate,
        key: &VerifyingKey<K>,
    ) -> Context<'c> {
        let common = CommonContext::new(issuer, now);
        let hash = |text| key.half_hash(text);
        let (at_hash, c_hash) = (login.access_token.value(), login.code.value());
        Context { common, login, at_hash: at_hash.map(hash), c_hash: c_hash.map(hash) }
    }

    fn check(&self, token: &IdToken<'b>, context: &Context<'_>) -> Result<(), Error> {
        RULES.iter().try_for_each(|(_, rule)| rule(self, token, context))
    }

    fn failures(&self, token: &IdToken<'b>, context: &Context<'_>) -> RuleSet {
        let fails = |rule: &Check| rule(self, token, context).is_err();
        RULES.iter().filter(|(_, rule)| fails(rule)).map(|(rule, _)| *rule).collect()
    }
}

/// A rule of the table below.
type Check = fn(&IdTokenPolicy<'_>, &IdToken<'_>, &Context<'_>) -> Result<(), Error>;

/// The rules with their names, in the order of checking.
const RULES: &[(Rule, Check)] = &[
    (Rule::Issuer, |_, claims, context| context.common.check_issuer(&claims.registered)),
    (Rule::Expiry, |policy, claims, context| {
        policy.time.expiry(&claims.registered, context.common.now)
    }),
    (Rule::NotBefore, |policy, claims, context| {
        policy.time.not_before(&claims.registered, context.common.now)
    }),
    (Rule::IssuedAt, |policy, claims, context| {
        policy.time.issued_at(&claims.registered, context.common.now)
    }),
    (Rule::AgeAndLifetime, |policy, claims, context| {
        policy.time.age_and_lifetime(&claims.registered, context.common.now)
    }),
    (Rule::Audience, |policy, claims, _| policy.audience.check(&claims.registered)),
    (Rule::TrustedAudiences, |policy, claims, _| policy.audience.check_others(&claims.registered)),
    (Rule::HeaderType, |policy, claims, _| policy.check_header_type(claims)),
    (Rule::ForeignClaims, |policy, claims, _| {
        policy.allowed_foreign_claims.check_id_token(&claims.registered)
    }),
    (Rule::Subject, |_, claims, _| check_subject(&claims.registered)),
    (Rule::RequiredClaims, |policy, claims, _| policy.check_required_claims(claims)),
    (Rule::AuthorizedParty, |policy, claims, _| policy.check_authorized_party(claims)),
    (Rule::Nonce, |_, claims, context| context.login.nonce.check(claims.registered.nonce)),
    (Rule::AuthenticationTime, |policy, claims, context| {
        policy.check_authentication_time(claims, context.common.now)
    }),
    (Rule::AuthenticationContext, |policy, claims, _| policy.check_authentication_context(claims)),
    (Rule::AccessTokenHash, |_, claims, context| {
        let found = claims.registered.at_hash;
        context.login.access_token.check(Claim::AtHash, found, context.at_hash)
    }),
    (Rule::CodeHash, |_, claims, context| {
        context.login.code.check(Claim::CHash, claims.registered.c_hash, context.c_hash)
    }),
    (Rule::Organization, |_, claims, context| {
        IdTokenPolicy::check_organization(claims, context.login.organization)
    }),
    (Rule::UserClaims, |policy, claims, _| policy.check_user_claims(claims)),
    (Rule::Claims, |_, _, context| context.common.claims),
];

/// A builder of [`IdTokenPolicy`]. Each setting adds a check or relaxes the check that it
/// names; none removes another. A second call of a setting replaces the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdTokenPolicyBuilder<'a> {
    policy: IdTokenPolicy<'a>,
    error: Option<ConfigError>,
}

impl<'a> IdTokenPolicyBuilder<'a> {
    common_settings!();

    /// Adds client IDs of the same application. `aud` may contain any of them.
    #[must_use]
    pub const fn or_client_ids(mut self, client_ids: &'a [&'a str]) -> Self {
        self.policy.audience.other_client_ids = client_ids;
        self
    }

    /// Accepts these audiences in `aud` in addition to the client ID (step 3 of OIDC Core
    /// §3.1.3.7). None are accepted unless set.
    ///
    /// Your own API should not be one of them: an ID token for the client and the API that has
    /// no claim typical of ID tokens, such as a nonce, also passes that API's policy, unless
    /// the policy requires scopes or permissions.
    #[must_use]
    pub const fn trusted_audiences(mut self, audiences: &'a [&'a str]) -> Self {
        self.policy.audience.trusted_audiences = audiences;
        self
    }

    /// Accepts only users who authenticated within the last `seconds`, plus the leeway. 0 is
    /// not special: the user must have authenticated just now. `auth_time` is then required; one
    /// in the future is accepted, because the issuer is trusted to state it.
    #[must_use]
    pub const fn max_age(mut self, seconds: u64) -> Self {
        self.policy.max_age = Some(seconds);
        self
    }

    /// Requires `acr` to be one of these authentication context classes.
    #[must_use]
    pub const fn require_acr(mut self, any_of: &'a [&'a str]) -> Self {
        self.note(check_list(any_of, "acr values"));
        self.policy.acr_values = any_of;
        self
    }

    /// Requires `amr` to contain all of these authentication methods.
    #[must_use]
    pub const fn require_amr(mut self, all_of: &'a [&'a str]) -> Self {
        self.note(check_list(all_of, "amr values"));
        self.policy.amr_values = all_of;
        self
    }

    /// Accepts `"true"` and `"false"` in quotes as `email_verified` and
    /// `phone_number_verified`, as sent by Apple.
    #[must_use]
    pub const fn accept_string_booleans(mut self) -> Self {
        self.policy.string_booleans = StringBooleans::Accept;
        self
    }

    /// Returns the policy.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for an empty client ID or other identifier, an empty list, or a leeway
    /// of more than 600 seconds.
    pub const fn build(mut self) -> Result<IdTokenPolicy<'a>, ConfigError> {
        let policy = self.policy;
        self.note(policy.audience.check_config());
        self.note(policy.time.check());
        match self.error {
            None => Ok(policy),
            Some(error) => Err(error),
        }
    }
}
