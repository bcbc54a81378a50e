//! The rules of a server for DPoP proofs: P3 and P7, and C3 and C4 for a proof that has `exp` or `nbf`.

use super::time::{DEFAULT_LEEWAY, MAX_LEEWAY, check_expiry, check_not_before};
use crate::algorithm::Algorithms;
use crate::claims::NumericDate;
use crate::error::{Claim, ConfigError, Error};

/// The rules of a server for DPoP proofs
/// ([RFC 9449 §4.3](https://www.rfc-editor.org/rfc/rfc9449#section-4.3)).
///
/// The expectations of one request are in a [`DpopRequest`](crate::dpop::DpopRequest).
///
/// ```
/// use claimgate::policy::DpopPolicy;
/// use claimgate::at_compile_time;
///
/// const PROOFS: DpopPolicy = at_compile_time!(DpopPolicy::new().max_age(30).build());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DpopPolicy {
    max_age: u64,
    leeway: u64,
    algorithms: Algorithms,
}

impl DpopPolicy {
    /// The largest [`max_age`](DpopPolicyBuilder::max_age), in seconds.
    pub const MAX_AGE: u64 = 600;

    /// Starts a policy for proofs that are at most 60 seconds old, with a leeway of 60
    /// seconds, and of any algorithm that the key type implements.
    #[expect(clippy::new_ret_no_self, reason = "a policy without its checks is no policy yet")]
    #[must_use]
    pub const fn new() -> DpopPolicyBuilder {
        let policy = Self { max_age: 60, leeway: DEFAULT_LEEWAY, algorithms: Algorithms::ALL };
        DpopPolicyBuilder { policy }
    }

    /// Returns the algorithms that are accepted.
    #[must_use]
    pub const fn algorithms(&self) -> Algorithms {
        self.algorithms
    }

    /// Checks that the proof is neither too old nor from the future (P7). `issued_at` is
    /// rounded down.
    pub(crate) fn check_time(
        &self,
        issued_at: Option<NumericDate>,
        has_fraction: bool,
        now: NumericDate,
    ) -> Result<NumericDate, Error> {
        let issued_at = issued_at.ok_or(Error::MissingClaim(Claim::IssuedAt))?;
        let (iat, now, leeway) = (issued_at.as_secs(), now.as_secs(), self.leeway);
        if iat.saturating_add(u64::from(has_fraction)) > now.saturating_add(leeway) {
            return Err(Error::IssuedInFuture { iat, now, leeway });
        }
        if now >= self.end(issued_at, None).as_secs() {
            let age = now.saturating_sub(iat);
            return Err(Error::ProofTooOld { age, limit: self.max_age, leeway });
        }
        Ok(issued_at)
    }

    /// Checks `exp` and `nbf`, which a proof need not have, like those of other tokens (C3, C4).
    pub(crate) fn check_validity(
        &self,
        expiry: Option<NumericDate>,
        not_before: Option<NumericDate>,
        now: NumericDate,
    ) -> Result<(), Error> {
        expiry.map_or(Ok(()), |exp| check_expiry(exp, now, self.leeway))?;
        not_before.map_or(Ok(()), |nbf| check_not_before(nbf, now, self.leeway))
    }

    /// Returns the first second at which a proof is too old, or has expired.
    pub(crate) fn end(&self, issued_at: NumericDate, expiry: Option<NumericDate>) -> NumericDate {
        let last = issued_at.as_secs().saturating_add(self.max_age).saturating_add(self.leeway);
        let end = last.saturating_add(1);
        let expiry = expiry.map_or(u64::MAX, |exp| exp.as_secs().saturating_add(self.leeway));
        NumericDate::from_secs(end.min(expiry))
    }
}

/// A builder of [`DpopPolicy`]. A second call of a setting replaces the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DpopPolicyBuilder {
    policy: DpopPolicy,
}

impl DpopPolicyBuilder {
    /// Sets the maximum age of a proof, in seconds: 60 unless set, at most 600.
    #[must_use]
    pub const fn max_age(mut self, seconds: u64) -> Self {
        self.policy.max_age = seconds;
        self
    }

    /// Sets the largest difference between the client's clock and `now`, in seconds: 60 unless
    /// set, at most 600. It also applies to `exp` and `nbf`, if a proof has them.
    #[must_use]
    pub const fn leeway(mut self, seconds: u64) -> Self {
        self.policy.leeway = seconds;
        self
    }

    /// Accepts only proofs of these algorithms.
    #[must_use]
    pub const fn algorithms(mut self, algorithms: Algorithms) -> Self {
        self.policy.algorithms = algorithms;
        self
    }

    /// Returns the policy.
    ///
    /// # Errors
    ///
    /// [`ConfigError::LeewayTooLong`], [`ConfigError::ProofAgeTooLong`], and
    /// [`ConfigError::EmptyList`] if there are no algorithms.
    pub const fn build(self) -> Result<DpopPolicy, ConfigError> {
        if self.policy.leeway > MAX_LEEWAY {
            return Err(ConfigError::LeewayTooLong);
        }
        if self.policy.max_age > DpopPolicy::MAX_AGE {
            return Err(ConfigError::ProofAgeTooLong);
        }
        if self.policy.algorithms.is_empty() {
            return Err(ConfigError::EmptyList("algorithms"));
        }
        Ok(self.policy)
    }
}
