//! The rules: pure functions over typed claims and a clock value. They see no
//! bytes and no keys.

mod access_token;
mod fingerprint;
mod foreign_claim;
mod id_token;
mod request_key;
mod rule;
mod scope;
mod time;

pub use access_token::{AccessTokenPolicy, AccessTokenPolicyBuilder};
pub use foreign_claim::ForeignClaim;
pub use id_token::{IdTokenPolicy, IdTokenPolicyBuilder, Nonce};
pub use request_key::RequestKey;
pub use rule::{Rule, RuleSet};
pub use scope::ScopePolicy;
pub use time::{DEFAULT_LEEWAY, MAX_LEEWAY};

pub(crate) use fingerprint::Fingerprint;

use crate::claims::{NumericDate, RegisteredClaims};
use crate::error::{Claim, ConfigError, Error, Problem};
use crate::public_key::HalfHash;

/// What a policy needs to know besides the claims.
pub(crate) struct Context<'c> {
    /// The URL of the issuer whose keys verified the token.
    pub(crate) issuer: &'c str,
    /// The caller's clock.
    pub(crate) now: NumericDate,
    /// What `at_hash` has to be, where an access token was handed in.
    pub(crate) at_hash: Option<HalfHash>,
    /// What `c_hash` has to be, where a code was handed in.
    pub(crate) c_hash: Option<HalfHash>,
}

/// I8 and A10: `acr` is one of those asked for.
fn check_acr(any_of: &[&str], acr: Option<&str>) -> Result<(), Error> {
    let fault = match acr {
        _ if any_of.is_empty() => return Ok(()),
        Some(acr) if any_of.contains(&acr) => return Ok(()),
        Some(_) => Problem::WrongValue,
        None => Problem::Absent,
    };
    Err(Error::InsufficientAuthentication(Claim::Acr, fault))
}

/// C1: `iss` equals the issuer, byte for byte
/// ([RFC 7519 §4.1.1](https://www.rfc-editor.org/rfc/rfc7519#section-4.1.1)).
fn check_issuer(claims: &RegisteredClaims<'_>, context: &Context<'_>) -> Result<(), Error> {
    match claims.issuer {
        None => Err(Error::MissingClaim(Claim::Issuer)),
        Some(issuer) if issuer == context.issuer => Ok(()),
        Some(_) => Err(Error::IssuerMismatch),
    }
}

/// C2: `sub` is there and not empty.
fn check_subject(claims: &RegisteredClaims<'_>) -> Result<(), Error> {
    match claims.subject {
        None | Some("") => Err(Error::MissingClaim(Claim::Subject)),
        Some(_) => Ok(()),
    }
}

/// An identifier that has to say something.
const fn check_not_empty(value: &str, name: &'static str) -> Result<(), ConfigError> {
    if value.is_empty() { Err(ConfigError::Empty(name)) } else { Ok(()) }
}

/// Identifiers that each have to say something.
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

/// A list that has to name something, and nothing empty.
const fn check_list(values: &[&str], name: &'static str) -> Result<(), ConfigError> {
    if values.is_empty() {
        return Err(ConfigError::EmptyList(name));
    }
    check_none_empty(values, name)
}

/// Builds a policy, a scope set or an issuer while the program is compiled, and
/// makes a mistake in it a compile error.
///
/// ```
/// use claimgate::{AccessTokenPolicy, at_compile_time};
///
/// const POLICY: AccessTokenPolicy<'_> =
///     at_compile_time!(AccessTokenPolicy::auth0("https://example.com/health-api").build());
/// ```
///
/// ```compile_fail,E0080
/// use claimgate::{AccessTokenPolicy, at_compile_time};
///
/// const POLICY: AccessTokenPolicy<'_> = at_compile_time!(AccessTokenPolicy::auth0("").build());
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

/// The settings about time and marks that both kinds of policy have.
macro_rules! common_settings {
    () => {
        /// How many seconds the issuer's clock may differ from `now`, for every
        /// rule that looks at the clock: 60 unless set, at most 600.
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

        /// Takes only tokens that were issued within the last `seconds`, and the
        /// leeway. `iat` is then required; a fraction of a second in it is dropped.
        #[must_use]
        pub const fn max_token_age(mut self, seconds: u64) -> Self {
            self.policy.time.max_token_age = Some(seconds);
            self
        }

        /// Takes only tokens that were issued for at most `seconds`
        /// (`exp − iat`). `iat` is then required; a fraction of a second in it is
        /// dropped, and one in `exp` counts as a second.
        #[must_use]
        pub const fn max_lifetime(mut self, seconds: u64) -> Self {
            self.policy.time.max_lifetime = Some(seconds);
            self
        }

        /// Lets a mark of another kind pass, by name. Marks that this kind of
        /// token may have anyway stay allowed.
        #[must_use]
        pub const fn allow_foreign_claim(mut self, mark: ForeignClaim) -> Self {
            self.policy.allowed_foreign_claims.allow(mark);
            self
        }
    };
}
use common_settings;
