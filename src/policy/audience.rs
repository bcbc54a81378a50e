//! The audience rules of ID tokens and logout tokens: I1 and I2.

use super::{check_none_empty, check_not_empty};
use crate::claims::RegisteredClaims;
use crate::error::{Claim, ConfigError, Error};

/// The client IDs of an application, and the other audiences that are trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClientAudience<'a> {
    pub(super) client_id: &'a str,
    pub(super) other_client_ids: &'a [&'a str],
    pub(super) trusted_audiences: &'a [&'a str],
}

impl<'a> ClientAudience<'a> {
    pub(super) const fn new(client_id: &'a str) -> Self {
        Self { client_id, other_client_ids: &[], trusted_audiences: &[] }
    }

    pub(super) const fn check_config(&self) -> Result<(), ConfigError> {
        let checks = [
            check_not_empty(self.client_id, "client ID"),
            check_none_empty(self.other_client_ids, "client ID"),
            check_none_empty(self.trusted_audiences, "trusted audience"),
        ];
        let mut rest = checks.as_slice();
        while let Some((check, others)) = rest.split_first() {
            if let Err(error) = check {
                return Err(*error);
            }
            rest = others;
        }
        Ok(())
    }

    pub(super) fn is_client_id(&self, value: &str) -> bool {
        value == self.client_id || self.other_client_ids.contains(&value)
    }

    /// Checks that `aud` contains a client ID (I1, step 3).
    pub(super) fn check(&self, claims: &RegisteredClaims<'_>) -> Result<(), Error> {
        let audience = claims.audience.as_ref();
        let audience = audience.ok_or(Error::MissingClaim(Claim::Audience))?;
        if audience.iter().any(|audience| self.is_client_id(audience)) {
            Ok(())
        } else {
            Err(Error::AudienceMismatch { audiences: audience.len() })
        }
    }

    /// Checks that all other audiences are trusted (I2, step 3).
    pub(super) fn check_others(&self, claims: &RegisteredClaims<'_>) -> Result<(), Error> {
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
}
