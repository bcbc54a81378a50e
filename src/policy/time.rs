//! The rules about time, which the kinds of token share: C3 to C7.

use super::Fingerprint;
use crate::claims::{NumericDate, RegisteredClaims};
use crate::error::{Claim, ConfigError, Error};

/// The leeway of a policy that does not set one, in seconds.
pub(super) const DEFAULT_LEEWAY: u64 = 60;

/// The largest leeway of a policy, in seconds. A larger one would accept expired tokens.
pub(super) const MAX_LEEWAY: u64 = 600;

/// The requirements of a policy for a token's times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimePolicy {
    pub(crate) leeway: u64,
    pub(crate) issued_at: IssuedInFuture,
    pub(crate) max_token_age: Option<u64>,
    pub(crate) max_lifetime: Option<u64>,
}

/// The treatment of an `iat` in the future.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IssuedInFuture {
    Reject,
    Ignore,
}

impl TimePolicy {
    pub(crate) const DEFAULT: Self = Self {
        leeway: DEFAULT_LEEWAY,
        issued_at: IssuedInFuture::Reject,
        max_token_age: None,
        max_lifetime: None,
    };

    pub(crate) const fn check(&self) -> Result<(), ConfigError> {
        if self.leeway > MAX_LEEWAY {
            return Err(ConfigError::LeewayTooLong);
        }
        Ok(())
    }

    /// Adds the settings to the fingerprint of a policy.
    pub(super) const fn fingerprint(&self, fingerprint: Fingerprint) -> Fingerprint {
        let Self { leeway, issued_at, max_token_age, max_lifetime } = self;
        let issued_at = match issued_at {
            IssuedInFuture::Reject => 0,
            IssuedInFuture::Ignore => 1,
        };
        fingerprint
            .number(*leeway)
            .number(issued_at)
            .optional(*max_token_age)
            .optional(*max_lifetime)
    }

    /// Checks that the token has not expired: `now < exp + leeway` (C3,
    /// [RFC 7519 §4.1.4](https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4)).
    pub(crate) fn expiry(
        &self,
        claims: &RegisteredClaims<'_>,
        now: NumericDate,
    ) -> Result<(), Error> {
        let exp = claims.expiry.ok_or(Error::MissingClaim(Claim::Expiry))?;
        check_expiry(exp, now, self.leeway)
    }

    /// Checks that the token is valid already: `now ≥ nbf − leeway` (C4,
    /// [RFC 7519 §4.1.5](https://www.rfc-editor.org/rfc/rfc7519#section-4.1.5)).
    pub(crate) fn not_before(
        &self,
        claims: &RegisteredClaims<'_>,
        now: NumericDate,
    ) -> Result<(), Error> {
        claims.not_before.map_or(Ok(()), |nbf| check_not_before(nbf, now, self.leeway))
    }

    /// Checks that the token was not issued in the future: `iat ≤ now + leeway` (C5).
    pub(crate) fn issued_at(
        &self,
        claims: &RegisteredClaims<'_>,
        now: NumericDate,
    ) -> Result<(), Error> {
        let (Some(iat), IssuedInFuture::Reject) = (claims.issued_at, self.issued_at) else {
            return Ok(());
        };
        let (iat, now, leeway) = (iat.as_secs(), now.as_secs(), self.leeway);
        if iat > now.saturating_add(leeway) {
            return Err(Error::IssuedInFuture { iat, now, leeway });
        }
        Ok(())
    }

    /// Checks that `now ≤ iat + max_token_age + leeway` and `exp − iat ≤ max_lifetime` (C7).
    /// `iat` is rounded down here, and `exp` up, so that fractions never make a token younger
    /// or its lifetime shorter.
    pub(crate) fn age_and_lifetime(
        &self,
        claims: &RegisteredClaims<'_>,
        now: NumericDate,
    ) -> Result<(), Error> {
        if let Some(limit) = self.max_token_age {
            self.check_age(claims, limit, now)?;
        }
        if let Some(limit) = self.max_lifetime {
            let issued_at = issued_at_rounded_down(claims);
            let issued_at = issued_at.ok_or(Error::MissingClaim(Claim::IssuedAt))?;
            let exp = claims.expiry.ok_or(Error::MissingClaim(Claim::Expiry))?.as_secs();
            let exp = exp.saturating_add(u64::from(claims.expiry_has_fraction));
            let lifetime = exp.saturating_sub(issued_at.as_secs());
            if lifetime > limit {
                return Err(Error::LifetimeTooLong { lifetime, limit });
            }
        }
        Ok(())
    }

    /// Checks that `now ≤ iat + limit + leeway`.
    pub(crate) fn check_age(
        &self,
        claims: &RegisteredClaims<'_>,
        limit: u64,
        now: NumericDate,
    ) -> Result<(), Error> {
        let issued_at = issued_at_rounded_down(claims);
        let issued_at = issued_at.ok_or(Error::MissingClaim(Claim::IssuedAt))?;
        if self.is_past(issued_at, limit, now) {
            let age = now.as_secs().saturating_sub(issued_at.as_secs());
            return Err(Error::TokenTooOld { age, limit, leeway: self.leeway });
        }
        Ok(())
    }

    /// Returns the first second at which a token is rejected because of its age: by `exp`, by
    /// `max_token_age`, or by a `max_age` since `auth_time` (C11).
    pub(crate) fn end(&self, claims: &RegisteredClaims<'_>, max_age: Option<u64>) -> NumericDate {
        let expiry = claims.expiry.unwrap_or(NumericDate::from_secs(0));
        let expiry = expiry.as_secs().saturating_add(self.leeway);
        let end_of = |start: Option<NumericDate>, limit: Option<u64>| {
            let last = start?.as_secs().saturating_add(limit?).saturating_add(self.leeway);
            last.checked_add(1)
        };
        let age = end_of(issued_at_rounded_down(claims), self.max_token_age).unwrap_or(u64::MAX);
        let authentication = end_of(claims.auth_time, max_age).unwrap_or(u64::MAX);
        NumericDate::from_secs(expiry.min(age).min(authentication))
    }

    /// Returns whether more than `limit` seconds, plus the leeway, have passed since `start`.
    pub(crate) const fn is_past(&self, start: NumericDate, limit: u64, now: NumericDate) -> bool {
        start.as_secs().saturating_add(limit).saturating_add(self.leeway) < now.as_secs()
    }
}

/// Checks that `now < exp + leeway`.
pub(super) const fn check_expiry(
    exp: NumericDate,
    now: NumericDate,
    leeway: u64,
) -> Result<(), Error> {
    let (exp, now) = (exp.as_secs(), now.as_secs());
    if now >= exp.saturating_add(leeway) {
        return Err(Error::Expired { exp, now, leeway });
    }
    Ok(())
}

/// Checks that `now + leeway ≥ nbf`.
pub(super) const fn check_not_before(
    nbf: NumericDate,
    now: NumericDate,
    leeway: u64,
) -> Result<(), Error> {
    let (nbf, now) = (nbf.as_secs(), now.as_secs());
    if now.saturating_add(leeway) < nbf {
        return Err(Error::NotYetValid { nbf, now, leeway });
    }
    Ok(())
}

/// Returns `iat`, rounded down.
fn issued_at_rounded_down(claims: &RegisteredClaims<'_>) -> Option<NumericDate> {
    let rounded = u64::from(claims.issued_at_has_fraction);
    let issued_at = claims.issued_at?.as_secs().saturating_sub(rounded);
    Some(NumericDate::from_secs(issued_at))
}
