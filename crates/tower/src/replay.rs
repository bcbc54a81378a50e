//! Stores of used DPoP proofs.
//!
//! A proof may be used once (rule P8,
//! [RFC 9449 §11.1](https://www.rfc-editor.org/rfc/rfc9449#section-11.1)).
//! A service with one process
//! stores its proofs in a [`MemoryReplayStore`]. Instances that serve the same URL share a
//! [`RedisReplayStore`](self::redis::RedisReplayStore) or another [`ReplayStore`].

#[cfg(feature = "redis")]
#[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
pub mod redis;

use std::fmt;
use std::future::{Future, ready};
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use claimgate::NumericDate;
use claimgate::replay::{ReplayError, ReplayWindow, TokenId};

/// A proof, and the time until which it must be remembered.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct UsedProof<'p> {
    /// The identifier of the proof.
    pub id: TokenId,
    /// The thumbprint of the key that signed it.
    pub thumbprint: &'p str,
    /// The first second at which the proof is rejected because of its age.
    pub until: NumericDate,
    /// The time of the request.
    pub now: NumericDate,
}

impl<'p> UsedProof<'p> {
    /// Constructs the description of a proof.
    #[must_use]
    pub const fn new(
        id: TokenId,
        thumbprint: &'p str,
        until: NumericDate,
        now: NumericDate,
    ) -> Self {
        Self { id, thumbprint, until, now }
    }
}

/// The future of [`ReplayStore::admit`].
pub type Admission<'s> = Pin<Box<dyn Future<Output = Result<(), ReplayStoreError>> + Send + 's>>;

/// A store of used proofs.
pub trait ReplayStore: Send + Sync {
    /// Remembers a proof, unless it was used before.
    ///
    /// Check and insertion are atomic: of two requests with the same proof, at any instances,
    /// only one is admitted.
    ///
    /// # Errors
    ///
    /// [`ReplayStoreError`]. The request is refused on any error.
    fn admit(&self, proof: UsedProof<'_>) -> Admission<'_>;
}

/// The reason why a store does not admit a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplayStoreError {
    /// The proof was already used.
    Replayed,
    /// The store is full.
    Full,
    /// The store is unavailable.
    Unavailable(String),
}

impl std::error::Error for ReplayStoreError {}

impl fmt::Display for ReplayStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replayed => f.write_str("the proof was already used"),
            Self::Full => f.write_str("the store is full"),
            Self::Unavailable(error) => write!(f, "the store is unavailable: {error}"),
        }
    }
}

/// The number of proofs that a shard remembers.
const PLACES: usize = 4_096;

/// A store in the memory of one process: [`ReplayWindow`]s with a lock each.
///
/// All proofs of one key are in one window, so a client cannot fill more than one with one
/// key. A window stores 4,096 proofs, each until it expires: 181 seconds with the default
/// [`DpopPolicy`](claimgate::policy::DpopPolicy) and the latest date that it accepts. A full window
/// rejects proofs of all its keys, so more than 22 proofs per second with one key affect other
/// clients. For higher rates, use `RedisReplayStore` or another store.
pub struct MemoryReplayStore {
    windows: Box<[Mutex<Box<ReplayWindow<PLACES>>>]>,
    /// Randomly keyed, so that clients cannot choose a window.
    hasher: RandomState,
}

impl MemoryReplayStore {
    /// Constructs a store of 32 windows, which occupy 3 MiB.
    #[must_use]
    pub fn new() -> Self {
        Self::with_windows(32)
    }

    /// Constructs a store with this number of windows of 96 KiB, at least one.
    #[must_use]
    pub fn with_windows(count: usize) -> Self {
        let windows = (0..count.max(1)).map(|_| Mutex::default()).collect();
        Self { windows, hasher: RandomState::new() }
    }

    fn admit_now(&self, proof: UsedProof<'_>) -> Result<(), ReplayStoreError> {
        let hash = self.hasher.hash_one(proof.thumbprint);
        let count = u64::try_from(self.windows.len()).unwrap_or(u64::MAX).max(1);
        let index = usize::try_from(hash % count).unwrap_or_default();
        let window = self.windows.get(index).ok_or(ReplayStoreError::Full)?;
        let mut window = window.lock().unwrap_or_else(PoisonError::into_inner);
        window.admit(proof.id, proof.until, proof.now).map_err(|error| match error {
            ReplayError::Replayed => ReplayStoreError::Replayed,
            ReplayError::Full => ReplayStoreError::Full,
        })
    }
}

impl ReplayStore for MemoryReplayStore {
    fn admit(&self, proof: UsedProof<'_>) -> Admission<'_> {
        Box::pin(ready(self.admit_now(proof)))
    }
}

impl Default for MemoryReplayStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryReplayStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryReplayStore")
            .field("windows", &self.windows.len())
            .finish_non_exhaustive()
    }
}
