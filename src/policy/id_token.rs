//! What an application asks of an ID token
//! ([OIDC Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation)).

use super::foreign_claim::AllowedForeignClaims;
use super::time::TimePolicy;
use super::{
    Context, ForeignClaim, Rule, RuleSet, check_acr, check_issuer, check_list, check_none_empty,
    check_not_empty, check_subject, common_settings,
};
use crate::bearer::BearerToken;
use crate::claims::NumericDate;
use crate::compare::constant_time_eq;
use crate::error::{Claim, ConfigError, Error, JsonType, Problem, WrongKind};
use crate::id_token::IdTokenClaims;
use crate::public_key::HalfHash;

/// What to expect of `nonce`, which ties an ID token to one login.
///
/// There is no default: whoever sends a nonce has to have it compared.
///
/// ```
/// use claimgate::{ConfigError, IdTokenPolicy, Nonce};
///
/// let policy = IdTokenPolicy::new("my_client_id", Nonce::Expect("")).build();
/// assert_eq!(policy, Err(ConfigError::Empty("nonce")));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Nonce<'a> {
    /// The value that the authentication request sent. Never empty.
    Expect(&'a str),
    /// The request sent none, so the token must not have one.
    ExpectNone,
    /// Whatever the token has. For flows that protect the login otherwise, such
    /// as the code flow with PKCE.
    Ignore,
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

/// A value that came beside the ID token and that a hash in it belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bound<'a> {
    NotGiven,
    Required(&'a str),
    IfPresent(&'a str),
}

impl<'a> Bound<'a> {
    const fn value(self) -> Option<&'a str> {
        match self {
            Self::NotGiven => None,
            Self::Required(value) | Self::IfPresent(value) => Some(value),
        }
    }

    fn check(
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

/// What an application asks of an ID token, for one login.
///
/// It is data: `const`-constructible, comparable and printable. It is built by
/// [`IdTokenPolicy::new`], which asks for what must be known.
///
/// ```
/// use claimgate::{IdTokenPolicy, Nonce};
///
/// # fn policy(nonce_of_the_session: &str) -> Result<(), claimgate::ConfigError> {
/// let policy = IdTokenPolicy::new("my_client_id", Nonce::Expect(nonce_of_the_session))
///     .max_age(3600)
///     .build()?;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdTokenPolicy<'a> {
    client_id: &'a str,
    other_client_ids: &'a [&'a str],
    trusted_audiences: &'a [&'a str],
    nonce: Nonce<'a>,
    time: TimePolicy,
    max_age: Option<u64>,
    acr_values: &'a [&'a str],
    amr_values: &'a [&'a str],
    access_token: Bound<'a>,
    code: Bound<'a>,
    organization: Option<&'a str>,
    allowed_foreign_claims: AllowedForeignClaims,
    string_booleans: StringBooleans,
}

/// What to do about `email_verified: "true"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StringBooleans {
    Reject,
    Accept,
}

impl<'a> IdTokenPolicy<'a> {
    /// Starts a policy for the application with this client ID, and this
    /// expectation of the nonce.
    #[expect(clippy::new_ret_no_self, reason = "a policy without its checks is no policy yet")]
    #[must_use]
    pub const fn new(client_id: &'a str, nonce: Nonce<'a>) -> IdTokenPolicyBuilder<'a> {
        IdTokenPolicyBuilder {
            policy: Self {
                client_id,
                other_client_ids: &[],
                trusted_audiences: &[],
                nonce,
                time: TimePolicy::DEFAULT,
                max_age: None,
                acr_values: &[],
                amr_values: &[],
                access_token: Bound::NotGiven,
                code: Bound::NotGiven,
                organization: None,
                allowed_foreign_claims: AllowedForeignClaims::NONE,
                string_booleans: StringBooleans::Reject,
            },
            error: None,
        }
    }

    /// The rules that [`explain`](Self::explain) tells about, in the order of
    /// checking.
    pub fn rules() -> impl Iterator<Item = Rule> {
        RULES.iter().map(|(rule, _)| *rule)
    }

    pub(crate) const fn bound_access_token(&self) -> Option<&'a str> {
        self.access_token.value()
    }

    pub(crate) const fn bound_code(&self) -> Option<&'a str> {
        self.code.value()
    }

    pub(crate) fn check(
        &self,
        claims: &IdTokenClaims<'_>,
        context: &Context<'_>,
    ) -> Result<(), Error> {
        RULES.iter().try_for_each(|(_, rule)| rule(self, claims, context))
    }

    pub(crate) fn failures(&self, claims: &IdTokenClaims<'_>, context: &Context<'_>) -> RuleSet {
        RULES
            .iter()
            .filter(|(_, rule)| rule(self, claims, context).is_err())
            .map(|(rule, _)| *rule)
            .collect()
    }

    fn is_client_id(&self, value: &str) -> bool {
        value == self.client_id || self.other_client_ids.contains(&value)
    }

    /// I1, step 3: `aud` contains the client ID.
    fn check_audience(&self, claims: &IdTokenClaims<'_>) -> Result<(), Error> {
        let audience = claims.registered.audience.as_ref();
        let audience = audience.ok_or(Error::MissingClaim(Claim::Audience))?;
        if audience.iter().any(|audience| self.is_client_id(audience)) {
            Ok(())
        } else {
            Err(Error::AudienceMismatch { audiences: audience.len() })
        }
    }

    /// I2, step 3: any other audience is trusted.
    fn check_trusted_audiences(&self, claims: &IdTokenClaims<'_>) -> Result<(), Error> {
        let audience = claims.audience();
        let is_known = |audience: &str| {
            self.is_client_id(audience) || self.trusted_audiences.contains(&audience)
        };
        if audience.iter().all(is_known) {
            Ok(())
        } else {
            Err(Error::UntrustedAudience { audiences: audience.len() })
        }
    }

    /// I3 and I4, steps 4 and 5: `azp` is there where there are several
    /// audiences, and wherever it is there it is the client ID.
    fn check_authorized_party(&self, claims: &IdTokenClaims<'_>) -> Result<(), Error> {
        match claims.registered.authorized_party {
            None if claims.audience().len() > 1 => Err(Error::MissingClaim(Claim::AuthorizedParty)),
            Some(party) if !self.is_client_id(party) => {
                Err(Error::AuthorizedPartyMismatch(Claim::AuthorizedParty))
            }
            None | Some(_) => Ok(()),
        }
    }

    /// I5, step 10: `iat` is there.
    fn check_required_claims(&self, claims: &IdTokenClaims<'_>) -> Result<(), Error> {
        claims.registered.issued_at.ok_or(Error::MissingClaim(Claim::IssuedAt)).map(|_| ())
    }

    /// I6, step 11.
    fn check_nonce(&self, claims: &IdTokenClaims<'_>) -> Result<(), Error> {
        match (self.nonce, claims.registered.nonce) {
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

    /// I7, step 13: `auth_time + max_age + leeway ≥ now`.
    fn check_authentication_time(
        &self,
        claims: &IdTokenClaims<'_>,
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

    /// I8, step 12: `acr` is one of those asked for, `amr` contains each.
    fn check_authentication_context(&self, claims: &IdTokenClaims<'_>) -> Result<(), Error> {
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

    /// I10: `typ` is absent or `JWT`.
    fn check_header_type(&self, claims: &IdTokenClaims<'_>) -> Result<(), Error> {
        if claims.header.typ().is_none() || claims.header.is_of_type("JWT") {
            Ok(())
        } else {
            Err(Error::TokenType(WrongKind::HeaderType))
        }
    }

    /// I12: the organization by its ID, which starts with `org_`, or by its
    /// name, ignoring ASCII case.
    fn check_organization(&self, claims: &IdTokenClaims<'_>) -> Result<(), Error> {
        let Some(expected) = self.organization else { return Ok(()) };
        let (claim, found) = if expected.starts_with("org_") {
            (Claim::OrganizationId, claims.organization_id())
        } else {
            (Claim::OrganizationName, claims.organization_name())
        };
        let found = found.ok_or(Error::MissingClaim(claim))?;
        let is_expected = match claim {
            Claim::OrganizationId => found == expected,
            _ => found.eq_ignore_ascii_case(expected),
        };
        if is_expected { Ok(()) } else { Err(Error::OrganizationMismatch) }
    }

    fn check_user_claims(&self, claims: &IdTokenClaims<'_>) -> Result<(), Error> {
        match (claims.standard.string_boolean(), self.string_booleans) {
            (Some(claim), StringBooleans::Reject) => {
                Err(Error::ClaimType(claim, JsonType::Boolean))
            }
            (None, _) | (_, StringBooleans::Accept) => Ok(()),
        }
    }
}

/// A rule of the table below.
type Check = fn(&IdTokenPolicy<'_>, &IdTokenClaims<'_>, &Context<'_>) -> Result<(), Error>;

/// The rules with their names, in the order of checking.
const RULES: &[(Rule, Check)] = &[
    (Rule::Issuer, |_, claims, context| check_issuer(&claims.registered, context)),
    (Rule::Expiry, |policy, claims, context| policy.time.expiry(&claims.registered, context.now)),
    (Rule::NotBefore, |policy, claims, context| {
        policy.time.not_before(&claims.registered, context.now)
    }),
    (Rule::IssuedAt, |policy, claims, context| {
        policy.time.issued_at(&claims.registered, context.now)
    }),
    (Rule::AgeAndLifetime, |policy, claims, context| {
        policy.time.age_and_lifetime(&claims.registered, context.now)
    }),
    (Rule::Audience, |policy, claims, _| policy.check_audience(claims)),
    (Rule::TrustedAudiences, |policy, claims, _| policy.check_trusted_audiences(claims)),
    (Rule::HeaderType, |policy, claims, _| policy.check_header_type(claims)),
    (Rule::ForeignClaims, |policy, claims, _| {
        policy.allowed_foreign_claims.check_id_token(&claims.registered)
    }),
    (Rule::Subject, |_, claims, _| check_subject(&claims.registered)),
    (Rule::RequiredClaims, |policy, claims, _| policy.check_required_claims(claims)),
    (Rule::AuthorizedParty, |policy, claims, _| policy.check_authorized_party(claims)),
    (Rule::Nonce, |policy, claims, _| policy.check_nonce(claims)),
    (Rule::AuthenticationTime, |policy, claims, context| {
        policy.check_authentication_time(claims, context.now)
    }),
    (Rule::AuthenticationContext, |policy, claims, _| policy.check_authentication_context(claims)),
    (Rule::AccessTokenHash, |policy, claims, context| {
        let found = claims.registered.at_hash;
        policy.access_token.check(Claim::AtHash, found, context.at_hash)
    }),
    (Rule::CodeHash, |policy, claims, context| {
        policy.code.check(Claim::CHash, claims.registered.c_hash, context.c_hash)
    }),
    (Rule::Organization, |policy, claims, _| policy.check_organization(claims)),
    (Rule::UserClaims, |policy, claims, _| policy.check_user_claims(claims)),
];

/// An [`IdTokenPolicy`] in the making. Each setting adds a check or widens one
/// by name; none drops another. A setting made twice has its last value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdTokenPolicyBuilder<'a> {
    policy: IdTokenPolicy<'a>,
    error: Option<ConfigError>,
}

impl<'a> IdTokenPolicyBuilder<'a> {
    common_settings!();

    /// Further client IDs of the same application, any of which `aud` may name.
    #[must_use]
    pub const fn or_client_ids(mut self, client_ids: &'a [&'a str]) -> Self {
        self.policy.other_client_ids = client_ids;
        self
    }

    /// Audiences that may stand beside the client ID in `aud`
    /// (step 3 of OIDC Core §3.1.3.7). None unless set.
    ///
    /// An API of yours is best not among them: an ID token that names the client
    /// and the API, and has no mark such as a nonce, also passes that API's
    /// policy, unless the policy asks for scopes or permissions.
    #[must_use]
    pub const fn trusted_audiences(mut self, audiences: &'a [&'a str]) -> Self {
        self.policy.trusted_audiences = audiences;
        self
    }

    /// Takes only users who authenticated within the last `seconds`, and the
    /// leeway. 0 counts: the user has to have authenticated just now. `auth_time`
    /// is then required.
    #[must_use]
    pub const fn max_age(mut self, seconds: u64) -> Self {
        self.policy.max_age = Some(seconds);
        self
    }

    /// The classes of authentication that were asked for, one of which `acr`
    /// has to name.
    #[must_use]
    pub const fn require_acr(mut self, any_of: &'a [&'a str]) -> Self {
        self.note(check_list(any_of, "acr values"));
        self.policy.acr_values = any_of;
        self
    }

    /// The methods of authentication, all of which `amr` has to name.
    #[must_use]
    pub const fn require_amr(mut self, all_of: &'a [&'a str]) -> Self {
        self.note(check_list(all_of, "amr values"));
        self.policy.amr_values = all_of;
        self
    }

    /// The access token that came with the ID token: `at_hash` is then required
    /// and has to belong to it
    /// ([OIDC Core §3.1.3.6](https://openid.net/specs/openid-connect-core-1_0.html#CodeIDToken)).
    #[must_use]
    pub const fn access_token(mut self, access_token: BearerToken<'a>) -> Self {
        self.note(check_not_empty(access_token.expose(), "access token"));
        self.policy.access_token = Bound::Required(access_token.expose());
        self
    }

    /// As [`access_token`](Self::access_token), for issuers that may leave
    /// `at_hash` out, as the code flow allows.
    #[must_use]
    pub const fn access_token_if_bound(mut self, access_token: BearerToken<'a>) -> Self {
        self.note(check_not_empty(access_token.expose(), "access token"));
        self.policy.access_token = Bound::IfPresent(access_token.expose());
        self
    }

    /// The authorization code that came with the ID token: `c_hash` is then
    /// required and has to belong to it
    /// ([OIDC Core §3.3.2.11](https://openid.net/specs/openid-connect-core-1_0.html#HybridIDToken)).
    #[must_use]
    pub const fn code(mut self, code: &'a str) -> Self {
        self.note(check_not_empty(code, "code"));
        self.policy.code = Bound::Required(code);
        self
    }

    /// As [`code`](Self::code), for issuers that may leave `c_hash` out.
    #[must_use]
    pub const fn code_if_bound(mut self, code: &'a str) -> Self {
        self.note(check_not_empty(code, "code"));
        self.policy.code = Bound::IfPresent(code);
        self
    }

    /// The Auth0 organization that the user has to have logged in to: its ID,
    /// which starts with `org_`, or its name, compared ignoring ASCII case
    /// ([Auth0](https://auth0.com/docs/manage-users/organizations/using-tokens)).
    #[must_use]
    pub const fn organization(mut self, organization: &'a str) -> Self {
        self.note(check_not_empty(organization, "organization"));
        self.policy.organization = Some(organization);
        self
    }

    /// Accepts `"true"` and `"false"` in quotes as `email_verified` and
    /// `phone_number_verified`, as Apple has sent them.
    #[must_use]
    pub const fn accept_string_booleans(mut self) -> Self {
        self.policy.string_booleans = StringBooleans::Accept;
        self
    }

    /// Remembers the first mistake.
    const fn note(&mut self, result: Result<(), ConfigError>) {
        if let (None, Err(error)) = (self.error, result) {
            self.error = Some(error);
        }
    }

    /// The policy.
    ///
    /// # Errors
    ///
    /// [`ConfigError`]: an empty client ID, nonce or other identifier, an
    /// empty list, or more leeway than 600 seconds.
    pub const fn build(mut self) -> Result<IdTokenPolicy<'a>, ConfigError> {
        let policy = self.policy;
        self.note(check_not_empty(policy.client_id, "client ID"));
        self.note(check_none_empty(policy.other_client_ids, "client ID"));
        self.note(check_none_empty(policy.trusted_audiences, "trusted audience"));
        if let Nonce::Expect(nonce) = policy.nonce {
            self.note(check_not_empty(nonce, "nonce"));
        }
        self.note(policy.time.check());
        match self.error {
            None => Ok(policy),
            Some(error) => Err(error),
        }
    }
}
