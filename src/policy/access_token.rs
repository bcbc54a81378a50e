//! The rules of an API for access tokens
//! ([RFC 9068 §4](https://www.rfc-editor.org/rfc/rfc9068#section-4)).

mod builder;

use core::hash::{Hash, Hasher};

pub use builder::AccessTokenPolicyBuilder;

use super::claim_rule::ClaimRules;
use super::foreign_claim::AllowedForeignClaims;
use super::time::TimePolicy;
use super::{
    CommonContext, Fingerprint, Judge, Rule, RuleSet, ScopePolicy, check_acr, check_list,
    check_subject,
};
use crate::access_token::{AccessToken, SubjectKind};
use crate::claims::NumericDate;
use crate::compare::constant_time_eq;
use crate::error::{Claim, Error, Problem, WrongKind};
use crate::public_key::{PublicKey, VerifiedJws, VerifyingKey};
use crate::request_key::RequestKey;
use crate::trust::ExpectedIssuer;
use crate::validated::Validated;

/// The profile of the access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Profile {
    General,
    Rfc9068,
}

/// The audience that a token must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ExpectedAudience<'a> {
    /// This identifier, or one of the others.
    OneOf(&'a str, &'a [&'a str]),
    /// No audience, and one of these clients (A13).
    NoneNamed(&'a [&'a str]),
}

/// The treatment of a token that is bound to a key, if the request proves none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ConfirmationPolicy {
    Reject,
    Ignore,
}

/// The rules of an API for access tokens.
///
/// It is data: `const`-constructible, comparable and printable. There is one constructor for
/// each token profile, whose arguments are the required settings.
///
/// ```
/// use claimgate::{AccessTokenPolicy, ScopePolicy};
///
/// # fn main() -> Result<(), claimgate::error::ConfigError> {
/// let policy = AccessTokenPolicy::general("https://example.com/health-api")
///     .require_scope(ScopePolicy::all_of(&["read:patients"])?)
///     .build()?;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessTokenPolicy<'a> {
    profile: Profile,
    audience: ExpectedAudience<'a>,
    time: TimePolicy,
    authorized_parties: &'a [&'a str],
    subject_kind: Option<SubjectKind>,
    confirmation: ConfirmationPolicy,
    acr_values: &'a [&'a str],
    max_age: Option<u64>,
    scope: Option<ScopePolicy<'a>>,
    permissions: Option<ScopePolicy<'a>>,
    allowed_foreign_claims: AllowedForeignClaims,
    claim_rules: Option<ClaimRules<'a>>,
    fingerprint: Fingerprint,
}

/// Hashes the fingerprint of the settings, so that a policy can be part of a map's key, for
/// example in a cache.
impl Hash for AccessTokenPolicy<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.fingerprint.hash(state);
    }
}

impl<'a> AccessTokenPolicy<'a> {
    /// Starts a policy for the API with this identifier, for the access tokens of most
    /// issuers: `typ` is missing, `JWT` or `at+jwt`.
    #[must_use]
    pub const fn general(audience: &'a str) -> AccessTokenPolicyBuilder<'a> {
        Self::start(Profile::General, ExpectedAudience::OneOf(audience, &[]))
    }

    /// Starts a policy for the API with this identifier, for tokens of the profile of
    /// [RFC 9068](https://www.rfc-editor.org/rfc/rfc9068): `typ` is `at+jwt`, and `iss`, `exp`,
    /// `aud`, `sub`, `client_id`, `iat` and `jti` are present.
    #[must_use]
    pub const fn rfc9068(audience: &'a str) -> AccessTokenPolicyBuilder<'a> {
        Self::start(Profile::Rfc9068, ExpectedAudience::OneOf(audience, &[]))
    }

    /// Starts a policy for tokens without an audience, such as those of Amazon Cognito:
    /// `client_id` must be one of these clients and `token_use` must be `access`. A token with
    /// an audience is rejected. With
    /// [`authorized_parties`](AccessTokenPolicyBuilder::authorized_parties), the client must be
    /// in both lists.
    #[must_use]
    pub const fn without_audience(clients: &'a [&'a str]) -> AccessTokenPolicyBuilder<'a> {
        let mut builder = Self::start(Profile::General, ExpectedAudience::NoneNamed(clients));
        builder.note(check_list(clients, "authorized parties"));
        builder
    }

    const fn start(
        profile: Profile,
        audience: ExpectedAudience<'a>,
    ) -> AccessTokenPolicyBuilder<'a> {
        AccessTokenPolicyBuilder {
            policy: Self {
                profile,
                audience,
                time: TimePolicy::DEFAULT,
                authorized_parties: &[],
                subject_kind: None,
                confirmation: ConfirmationPolicy::Reject,
                acr_values: &[],
                max_age: None,
                scope: None,
                permissions: None,
                allowed_foreign_claims: AllowedForeignClaims::NONE,
                claim_rules: None,
                fingerprint: Fingerprint::NONE,
            },
            client_ids: &[],
            error: None,
        }
    }

    /// Hashes all settings. The pattern has no `..`, so that a new field does not compile
    /// until it is named here.
    const fn compute_fingerprint(&self) -> Fingerprint {
        let Self {
            profile,
            audience,
            time,
            authorized_parties,
            subject_kind,
            confirmation,
            acr_values,
            max_age,
            scope,
            permissions,
            allowed_foreign_claims,
            claim_rules,
            fingerprint: _,
        } = self;
        let fingerprint = match profile {
            Profile::General => Fingerprint::NONE.number(0),
            Profile::Rfc9068 => Fingerprint::NONE.number(1),
        };
        let fingerprint = match audience {
            ExpectedAudience::NoneNamed(clients) => fingerprint.number(0).texts(clients),
            ExpectedAudience::OneOf(one, others) => fingerprint.number(1).text(one).texts(others),
        };
        let fingerprint = fingerprint.optional(match subject_kind {
            None => None,
            Some(SubjectKind::User) => Some(0),
            Some(SubjectKind::Client) => Some(1),
        });
        let fingerprint = time.fingerprint(fingerprint).texts(authorized_parties).texts(acr_values);
        let fingerprint = fingerprint.optional(*max_age).number(match confirmation {
            ConfirmationPolicy::Reject => 0,
            ConfirmationPolicy::Ignore => 1,
        });
        let fingerprint = match scope {
            None => fingerprint.number(0),
            Some(needed) => needed.fingerprint(fingerprint),
        };
        let fingerprint = match permissions {
            None => fingerprint.number(0),
            Some(needed) => needed.fingerprint(fingerprint),
        };
        let fingerprint = allowed_foreign_claims.fingerprint(fingerprint);
        match claim_rules {
            None => fingerprint.number(0),
            Some(rules) => rules.fingerprint(fingerprint),
        }
    }

    /// Applies all rules to a token that was verified before.
    #[inline]
    pub(crate) fn check_again(
        &self,
        token: &Validated<AccessToken<'_>>,
        issuer: ExpectedIssuer<'_>,
        request_key: Option<RequestKey<'_>>,
        now: NumericDate,
    ) -> Result<(), Error> {
        let AccessToken { payload, registered, .. } = &token.0;
        let mut common = CommonContext::new(issuer, now);
        common.examine_again(self.claim_rules, payload, registered.issuer)?;
        self.check(&token.0, &Context { common, request_key })
    }

    /// Returns the hash of all settings.
    pub(crate) const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Returns the first second at which this policy rejects the token because of its age: by
    /// `exp` and the leeway, [`max_token_age`] or [`max_age`] (C11).
    ///
    /// A WebSocket, a session or a stream that was opened with the token should end then.
    ///
    /// [`max_token_age`]: AccessTokenPolicyBuilder::max_token_age
    /// [`max_age`]: AccessTokenPolicyBuilder::max_age
    #[must_use]
    pub fn valid_until(&self, token: &Validated<AccessToken<'_>>) -> NumericDate {
        self.time.end(&token.0.registered, self.max_age)
    }

    /// Returns the rules that [`explain`](crate::AccessToken::explain) checks, in their order.
    pub fn rules() -> impl Iterator<Item = Rule> {
        RULES.iter().map(|(rule, _)| *rule)
    }

    /// Returns the scope that every token must have.
    #[must_use]
    pub const fn scope(&self) -> Option<ScopePolicy<'a>> {
        self.scope
    }

    /// Returns the permissions that every token must have.
    #[must_use]
    pub const fn permissions(&self) -> Option<ScopePolicy<'a>> {
        self.permissions
    }

    /// Returns the authentication context classes of which one is required.
    #[must_use]
    pub const fn acr_values(&self) -> &'a [&'a str] {
        self.acr_values
    }

    /// Returns the maximum time since the user authenticated, in seconds.
    #[must_use]
    pub const fn max_age(&self) -> Option<u64> {
        self.max_age
    }

    /// Checks that `aud` contains the API's identifier (A1), or is missing (A13).
    fn check_audience(&self, claims: &AccessToken<'_>) -> Result<(), Error> {
        let audience = claims.registered.audience.as_ref();
        let (identifier, others) = match (self.audience, audience) {
            (ExpectedAudience::OneOf(identifier, others), _) => (identifier, others),
            (ExpectedAudience::NoneNamed(_), None) => return Ok(()),
            (ExpectedAudience::NoneNamed(_), Some(audience)) => {
                return Err(Error::AudienceMismatch { audiences: audience.len() });
            }
        };
        let audience = audience.ok_or(Error::MissingClaim(Claim::Audience))?;
        if audience.contains(identifier) || others.iter().any(|other| audience.contains(other)) {
            Ok(())
        } else {
            Err(Error::AudienceMismatch { audiences: audience.len() })
        }
    }

    /// Checks that `typ` is that of the profile (A2).
    fn check_header_type(&self, claims: &AccessToken<'_>) -> Result<(), Error> {
        let header = claims.header;
        let is_plain = header.typ.is_none() || header.is_of_type("JWT");
        let is_fitting = match self.profile {
            Profile::General => is_plain || header.is_of_type("at+jwt"),
            Profile::Rfc9068 => header.is_of_type("at+jwt"),
        };
        if is_fitting { Ok(()) } else { Err(Error::TokenType(WrongKind::HeaderType)) }
    }

    /// Checks that the claims of the profile are present (A2), and `token_use` without an
    /// audience (A13). `iss`, `exp`, `aud` and `sub` are required by other rules.
    fn check_required_claims(&self, claims: &AccessToken<'_>) -> Result<(), Error> {
        let claims = &claims.registered;
        let required = |is_there: bool, claim| {
            if is_there { Ok(()) } else { Err(Error::MissingClaim(claim)) }
        };
        let is_given = |text: Option<&str>| text.is_some_and(|text| !text.is_empty());
        if self.profile == Profile::Rfc9068 {
            required(is_given(claims.client_id), Claim::ClientId)?;
            required(claims.issued_at.is_some(), Claim::IssuedAt)?;
            required(is_given(claims.token_id), Claim::TokenId)?;
        }
        if let ExpectedAudience::NoneNamed(_) = self.audience {
            required(claims.token_use.is_some(), Claim::TokenUse)?;
            if claims.token_use != Some("access") {
                return Err(Error::TokenType(WrongKind::Claim(Claim::TokenUse)));
            }
            required(claims.client_id.is_some(), Claim::ClientId)?;
        }
        Ok(())
    }

    /// Checks that the client is one of the authorized parties (A7), and without an audience
    /// also one of the clients of the constructor (A13).
    fn check_authorized_party(&self, claims: &AccessToken<'_>) -> Result<(), Error> {
        if let ExpectedAudience::NoneNamed(clients) = self.audience {
            Self::check_party_of(clients, claims)?;
        }
        if self.authorized_parties.is_empty() {
            return Ok(());
        }
        Self::check_party_of(self.authorized_parties, claims)
    }

    /// Checks that `azp` or `client_id` is present, and that each is one of `clients`.
    fn check_party_of(clients: &[&str], claims: &AccessToken<'_>) -> Result<(), Error> {
        let parties = [
            (Claim::AuthorizedParty, claims.registered.authorized_party),
            (Claim::ClientId, claims.registered.client_id),
        ];
        let mut is_named = false;
        for (claim, party) in parties {
            let Some(party) = party else { continue };
            if !clients.contains(&party) {
                return Err(Error::AuthorizedPartyMismatch(claim));
            }
            is_named = true;
        }
        if is_named { Ok(()) } else { Err(Error::MissingClaim(Claim::AuthorizedParty)) }
    }

    /// Checks the kind of the subject (A8).
    fn check_subject_kind(&self, claims: &AccessToken<'_>) -> Result<(), Error> {
        match self.subject_kind {
            Some(kind) if kind != claims.subject_kind() => Err(Error::SubjectKind),
            None | Some(_) => Ok(()),
        }
    }

    /// Checks that the keys to which the token is bound are those that the request proves,
    /// neither more nor fewer (A9).
    fn check_confirmation(
        &self,
        claims: &AccessToken<'_>,
        request_key: Option<RequestKey<'_>>,
    ) -> Result<(), Error> {
        let (bound, expected) = match (claims.registered.confirmation, request_key) {
            (None, None) => return Ok(()),
            (Some(_), None) => {
                return match self.confirmation {
                    ConfirmationPolicy::Reject => Err(Error::ConfirmationRequired),
                    ConfirmationPolicy::Ignore => Ok(()),
                };
            }
            (None, Some(_)) => return Err(Error::MissingClaim(Claim::Confirmation)),
            (Some(bound), Some(expected)) => (bound, expected),
        };
        let keys = [(bound.x5t_s256(), expected.x5t_s256), (bound.jkt(), expected.jkt)];
        if keys.iter().any(|(bound, expected)| bound.is_some() && expected.is_none()) {
            return Err(Error::ConfirmationRequired);
        }
        let is_proved = keys.into_iter().all(|key| match key {
            (None, None) => true,
            (Some(bound), Some(expected)) => {
                constant_time_eq(bound.as_bytes(), expected.as_bytes())
            }
            (None, Some(_)) | (Some(_), None) => false,
        });
        if is_proved { Ok(()) } else { Err(Error::ConfirmationMismatch) }
    }

    /// Checks that `auth_time + max_age + leeway ≥ now` (A10).
    fn check_authentication_time(
        &self,
        claims: &AccessToken<'_>,
        now: NumericDate,
    ) -> Result<(), Error> {
        let Some(max_age) = self.max_age else { return Ok(()) };
        let fault = match claims.registered.auth_time {
            None => Problem::Absent,
            Some(auth_time) if self.time.is_past(auth_time, max_age, now) => Problem::WrongValue,
            Some(_) => return Ok(()),
        };
        Err(Error::InsufficientAuthentication(Claim::AuthTime, fault))
    }
}

/// The values that the claims of an access token are compared with, in addition to the policy.
pub(crate) struct Context<'c> {
    common: CommonContext<'c>,
    request_key: Option<RequestKey<'c>>,
}

impl<'b> Judge<'b> for AccessTokenPolicy<'_> {
    type Token = AccessToken<'b>;
    type Request<'r> = Option<RequestKey<'r>>;
    type Context<'c> = Context<'c>;

    const EMPTY: AccessToken<'b> = AccessToken::EMPTY;

    fn read(
        &self,
        token: &mut AccessToken<'b>,
        jws: VerifiedJws<'b>,
        context: &mut Context<'_>,
    ) -> Result<(), Error> {
        token.read(jws, |payload, iss| context.common.examine(self.claim_rules, payload, iss))
    }

    #[inline]
    fn context<'c, K: PublicKey>(
        issuer: ExpectedIssuer<'c>,
        request_key: Option<RequestKey<'c>>,
        now: NumericDate,
        _: &VerifyingKey<K>,
    ) -> Context<'c> {
        Context { common: CommonContext::new(issuer, now), request_key }
    }

    fn check(&self, token: &AccessToken<'b>, context: &Context<'_>) -> Result<(), Error> {
        RULES.iter().try_for_each(|(_, rule)| rule(self, token, context))
    }

    fn failures(&self, token: &AccessToken<'b>, context: &Context<'_>) -> RuleSet {
        let fails = |rule: &Check| rule(self, token, context).is_err();
        RULES.iter().filter(|(_, rule)| fails(rule)).map(|(rule, _)| *rule).collect()
    }
}

/// A rule of the table below.
type Check = fn(&AccessTokenPolicy<'_>, &AccessToken<'_>, &Context<'_>) -> Result<(), Error>;

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
    (Rule::Audience, |policy, claims, _| policy.check_audience(claims)),
    (Rule::HeaderType, |policy, claims, _| policy.check_header_type(claims)),
    (Rule::ForeignClaims, |policy, claims, _| {
        policy.allowed_foreign_claims.check_access_token(&claims.registered)
    }),
    (Rule::Subject, |_, claims, _| check_subject(&claims.registered)),
    (Rule::RequiredClaims, |policy, claims, _| policy.check_required_claims(claims)),
    (Rule::AuthorizedParty, |policy, claims, _| policy.check_authorized_party(claims)),
    (Rule::SubjectKind, |policy, claims, _| policy.check_subject_kind(claims)),
    (Rule::Confirmation, |policy, claims, context| {
        policy.check_confirmation(claims, context.request_key)
    }),
    (Rule::AuthenticationTime, |policy, claims, context| {
        policy.check_authentication_time(claims, context.common.now)
    }),
    (Rule::AuthenticationContext, |policy, claims, _| {
        check_acr(policy.acr_values, claims.registered.acr)
    }),
    (Rule::Scope, |policy, claims, _| {
        policy.scope.map_or(Ok(()), |needed| needed.check_scope(&claims.registered))
    }),
    (Rule::Permissions, |policy, claims, _| {
        policy.permissions.map_or(Ok(()), |needed| needed.check_permissions(&claims.registered))
    }),
    (Rule::Claims, |_, _, context| context.common.claims),
];
