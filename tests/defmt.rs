//! Logs on embedded devices: errors and decisions implement `defmt::Format`, tokens do not.

#![cfg(feature = "defmt")]

use claimgate::claims::StandardScope;
use claimgate::error::{Claim, ConfigError, InvalidSignature, KeyRejected};
use claimgate::jwk::Skipped;
use claimgate::policy::{ForeignClaim, Rule, RuleSet, SubjectKind};
use claimgate::refresh::RefreshDecision;
use claimgate::{BearerToken, Error, NumericDate};

const fn can_be_logged<T: defmt::Format>() {}

/// Fails to compile if one is missing.
#[test]
fn errors_and_decisions_can_be_logged() {
    can_be_logged::<Error>();
    can_be_logged::<ConfigError>();
    can_be_logged::<InvalidSignature>();
    can_be_logged::<Claim>();
    can_be_logged::<ForeignClaim>();
    can_be_logged::<Rule>();
    can_be_logged::<RuleSet>();
    can_be_logged::<RefreshDecision>();
    can_be_logged::<NumericDate>();
    can_be_logged::<SubjectKind>();
    can_be_logged::<StandardScope>();
    can_be_logged::<KeyRejected>();
    can_be_logged::<Skipped>();
    can_be_logged::<BearerToken<'_>>();
}
