//! The policies: rules as pure functions of typed claims and a time, without bytes and keys.

mod access_token;
mod audience;
mod claim_rule;
mod dpop;
mod fingerprint;
mod foreign_claim;
mod id_token;
mod login;
mod logout_token;
mod rule;
mod scope;
mod time;

pub use access_token::{AccessTokenPolicy, AccessTokenPolicyBuilder};
pub use claim_rule::ClaimRule;
pub use dpop::{DpopPolicy, DpopPolicyBuilder};
pub use foreign_claim::ForeignClaim;
pub use id_token::{IdTokenPolicy, IdTokenPolicyBuilder};
pub use login::{Login, LoginBuilder, Nonce};
pub use logout_token::{LogoutTokenPolicy, LogoutTokenPolicyBuilder};
pub use rule::{Rule, RuleSet};
pub use scope::{Forbidden, ScopePolicy};

pub use crate::access_token::SubjectKind;

pub(crate) use fingerprint::Fingerprint;

use crate::claims::{NumericDate, RegisteredClaims};
use claim_rule::ClaimRules;

use crate::error::{Claim, ConfigError, Error, Input, Problem};
use crate::json::Object;
use crate::public_key::{PublicKey, VerifiedJws, VerifyingKey};
use crate::trust::ExpectedIssuer;

/// A policy, as it is used by the validation pipeline.
pub(crate) trait Judge<'b> {
    /// The kind of token that the policy is for.
    type Token;
    /// The expectations of one request.
    type Request<'r>;
    /// The values that the claims are compared with, in addition to the policy.
    type Context<'c>;

    /// The token without claims.
    const EMPTY: Self::Token;

    /// Returns the context of the validation of a token that `key` verifies.
    fn context<'c, K: PublicKey>(
        issuer: ExpectedIssuer<'c>,
        request: Self::Request<'c>,
        now: NumericDate,
        key: &VerifyingKey<K>,
    ) -> Self::Context<'c>;

    /// Reads the claims of a token in place, because they are large to move, and checks the
    /// rules that need members of the payload that are not stored.
    fn read(
        &self,
        token: &mut Self::Token,
        jws: VerifiedJws<'b>,
        context: &mut Self::Context<'_>,
    ) -> Result<(), Error>;

    /// Checks all rules, up to the first that fails.
    fn check(&self, token: &Self::Token, context: &Self::Context<'_>) -> Result<(), Error>;

    /// Checks all rules and returns those that fail.
    fn failures(&self, token: &Self::Token, context: &Self::Context<'_>) -> RuleSet;
}

/// Checks that `acr` is one of the required classes (I8, A10).
fn check_acr(any_of: &[&str], acr: Option<&str>) -> Result<(), Error> {
    let fault = match acr {
        _ if any_of.is_empty() => return Ok(()),
        Some(acr) if any_of.contains(&acr) => return Ok(()),
        Some(_) => Problem::WrongValue,
        None => Problem::Absent,
    };
    Err(Error::InsufficientAuthentication(Claim::Acr, fault))
}

/// The part of the context that the kinds of token share.
pub(crate) struct CommonContext<'c> {
    issuer: ExpectedIssuer<'c>,
    /// The time of the validation.
    now: NumericDate,
    /// The result of the tenant check, for a multi-tenant issuer.
    tenant: Result<(), Error>,
    /// The result of the claim rules.
    claims: Result<(), Error>,
}

impl<'c> CommonContext<'c> {
    const fn new(issuer: ExpectedIssuer<'c>, now: NumericDate) -> Self {
        Self { issuer, now, tenant: Ok(()), claims: Ok(()) }
    }

    /// Checks the rules that need members of the payload that are not stored.
    #[inline]
    fn examine(&mut self, rules: Option<ClaimRules<'_>>, payload: &Object<'_>, iss: Option<&str>) {
        if let ExpectedIssuer::Tenant { rule, .. } = self.issuer {
            self.tenant = rule.check(iss, payload.get("tid"));
        }
        if let Some(rules) = rules {
            self.claims = rules.check(payload);
        }
    }

    /// Like [`examine`](Self::examine), but for a payload that was read before. It is indexed
    /// again only if there are such rules.
    fn examine_again(
        &mut self,
        rules: Option<ClaimRules<'_>>,
        payload: &[u8],
        iss: Option<&str>,
    ) -> Result<(), Error> {
        match (self.issuer, rules) {
            (ExpectedIssuer::Url(_), None) => Ok(()),
            _ => {
                self.examine(rules, &Object::parse_decoded(payload, Input::Payload)?, iss);
                Ok(())
            }
        }
    }

    /// Checks that `iss` equals the issuer, byte for byte (C1,
    /// [RFC 7519 §4.1.1](https://www.rfc-editor.org/rfc/rfc7519#section-4.1.1)),
    /// or the template with
    /// the ID of an allowed tenant (C10).
    fn check_issuer(&self, claims: &RegisteredClaims<'_>) -> Result<(), Error> {
        match (self.issuer, claims.issuer) {
            (_, None) => Err(Error::MissingClaim(Claim::Issuer)),
            (ExpectedIssuer::Tenant { .. }, Some(_)) => self.tenant,
            (ExpectedIssuer::Url(expected), Some(issuer)) if issuer == expected => Ok(()),
            (ExpectedIssuer::Url(_), Some(_)) => Err(Error::IssuerMismatch),
        }
    }
}

/// Checks that `sub` is present and not empty (C2).
fn check_subject(claims: &RegisteredClaims<'_>) -> Result<(), Error> {
    match claims.subject {
        None | Some("") => Err(Error::MissingClaim(Claim::Subject)),
        Some(_) => Ok(()),
    }
}

/// Checks that an identifier is not empty.
const fn check_not_empty(value: &str, name: &'static str) -> Result<(), ConfigError> {
    if value.is_empty() { Err(ConfigError::Empty(name)) } else { Ok(()) }
}

/// Checks that no identifier is empty.
const fn check_none_empty(values: &[&str], name: &'static str) -> Result<(), ConfigError> {
    let mut rest = values;
    while let Some((value, others)) = rest.split_first() {
        if value.is_empty() {
            return Err(ConfigError::Empty(name));
        }
        rest = others;
    }
    Ok(())
}

/// Checks that a list and its elements are not empty.
const fn check_list(values: &[&str], name: &'static str) -> Result<(), ConfigError> {
    if values.is_empty() {
        return Err(ConfigError::EmptyList(name));
    }
    check_none_empty(values, name)
}

/// Builds a policy, a scope set or an issuer at compile time. An error is a compile error.
///
/// ```
/// use claimgate::{AccessTokenPolicy, at_compile_time};
///
/// const POLICY: AccessTokenPolicy<'_> =
///     at_compile_time!(AccessTokenPolicy::general("https://example.com/health-api").build());
/// ```
///
/// ```compile_fail,E0080
/// use claimgate::{AccessTokenPolicy, at_compile_time};
///
/// const POLICY: AccessTokenPolicy<'_> = at_compile_time!(AccessTokenPolicy::general("").build());
/// ```
#[macro_export]
macro_rules! at_compile_time {
    ($result:expr) => {
        const {
            match $result {
                ::core::result::Result::Ok(value) => value,
                ::core::result::Result::Err(error) => ::core::panic!("{}", error.as_str()),
            }
        }
    };
}

/// The settings that the policies share: times, and claims of other kinds of token.
macro_rules! common_settings {
    () => {
        /// Records the first error.
        pub(super) const fn note(&mut self, result: Result<(), ConfigError>) {
            if let (None, Err(error)) = (self.error, result) {
                self.error = Some(error);
            }
        }

        /// Sets the largest difference between the issuer's clock and `now`, in seconds, for
        /// every rule that depends on the time: 60 unless set, at most 600.
        #[must_use]
        pub const fn leeway(mut self, seconds: u64) -> Self {
            self.policy.time.leeway = seconds;
            self
        }

        /// Accepts an `iat` in the future.
        #[must_use]
        pub const fn ignore_issued_in_future(mut self) -> Self {
            self.policy.time.issued_at = $crate::policy::time::IssuedInFuture::Ignore;
            self
        }

        /// Accepts only tokens that were issued within the last `seconds`, plus the leeway.
        /// `iat` is then required; a fraction of a second in it is truncated.
        #[must_use]
        pub const fn max_token_age(mut self, seconds: u64) -> Self {
            self.policy.time.max_token_age = Some(seconds);
            self
        }

        /// Accepts only tokens with a lifetime (`exp − iat`) of at most `seconds`. `iat` is
        /// then required; a fraction of a second in it is truncated, and one in `exp` counts
        /// as a second.
        #[must_use]
        pub const fn max_lifetime(mut self, seconds: u64) -> Self {
            self.policy.time.max_lifetime = Some(seconds);
            self
        }

        /// Requires claims to have certain values (C9). A second call replaces the rules of
        /// the first.
        #[must_use]
        pub const fn require_claims(mut self, rules: &'a [ClaimRule<'a>]) -> Self {
            if rules.is_empty() {
                self.note(Err(ConfigError::EmptyList("claim rules")));
            }
            self.policy.claim_rules = Some(ClaimRules::new(rules));
            self
        }

        /// Accepts a claim that indicates another kind of token. Claims that this kind of
        /// token may have are always accepted.
        #[must_use]
        pub const fn allow_foreign_claim(mut self, mark: ForeignClaim) -> Self {
            self.policy.allowed_foreign_claims.allow(mark);
            self
        }
    };
}
use common_settings;
