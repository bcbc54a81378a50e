//! The state of the authorities.

use std::fmt;

use claimgate::NumericDate;

/// The state of all authorities.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// The authorities, in the order of the configuration.
    pub authorities: Vec<AuthorityHealth>,
}

impl Health {
    /// Returns whether any authority has keys, so that requests can be authenticated.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.authorities.iter().any(|authority| authority.state == KeyState::Ready)
    }
}

/// Writes one line for each authority.
impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.authorities.iter().try_for_each(|authority| writeln!(f, "{authority}"))
    }
}

/// The state of one authority.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthorityHealth {
    /// The issuer's URL, or the template of a multi-tenant issuer.
    pub issuer: String,
    /// The state of the keys.
    pub state: KeyState,
    /// The number of usable keys.
    pub keys: usize,
    /// The number of members of the key set that are not usable.
    pub skipped: usize,
    /// The time at which the keys were fetched; `None` before the first success.
    pub fetched_at: Option<NumericDate>,
    /// The number of fetches, whatever their result.
    pub fetches: u64,
    /// The number of failures since the last success.
    pub failures: u32,
    /// The last failure, if there was no success since.
    pub last_failure: Option<String>,
}

/// The state of an authority's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyState {
    /// Keys were never fetched.
    Pending,
    /// There are keys.
    Ready,
    /// The issuer has published a key set without a usable key: all tokens are rejected.
    NoUsableKeys,
    /// The keys could not be refreshed for so long that they are no longer trusted.
    Stale,
}

impl KeyState {
    /// Returns the name of the state.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Ready => "ready",
            Self::NoUsableKeys => "no_usable_keys",
            Self::Stale => "stale",
        }
    }
}

impl fmt::Display for AuthorityHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issuer, state, keys, failures, .. } = self;
        write!(f, "{issuer}: {}, {keys} keys, {failures} failures", state.as_str())?;
        match &self.last_failure {
            Some(error) => write!(f, ", last: {error}"),
            None => Ok(()),
        }
    }
}
