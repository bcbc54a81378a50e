//! Stores of the DPoP proofs that were used.
//!
//! A proof may be used once (rule P8,
//! [RFC 9449 §11.1](https://www.rfc-editor.org/rfc/rfc9449#section-11.1)). A service of one
//! process remembers its proofs in a [`MemoryReplayStore`]; instances that serve the same URL
//! share a [`RedisReplayStore`](self::redis::RedisReplayStore) or another [`ReplayStore`].

#[cfg(feature = "redis")]
#[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
pub mod redis;

use std::fmt;
use std::future::{Future, ready};
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use claimgate::{NumericDate, ReplayError, ReplayWindow, TokenId};

/// The identity of a proof, and how long it has to be remembered.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct UsedProof<'p> {
    /// The identity of the proof.
    pub id: TokenId,
    /// The thumbprint of the key that signed it.
    pub thumbprint: &'p str,
    /// The first second at which the proof is refused for its age.
    pub until: NumericDate,
    /// The time of the request.
    pub now: NumericDate,
}

impl<'p> UsedProof<'p> {
    /// Describes a proof to a store.
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

/// The verdict of a store, in the future.
pub type Admission<'s> = Pin<Box<dyn Future<Output = Result<(), ReplayStoreError>> + Send + 's>>;

/// A store of the proofs that were used.
pub trait ReplayStore: Send + Sync {
    /// Remembers a proof, unless it was used before.
    ///
    /// Checking and remembering are one step: of two requests with one proof, at whatever
    /// instances, one is admitted.
    ///
    /// # Errors
    ///
    /// [`ReplayStoreError`]. Whatever the error is, the request is refused.
    fn admit(&self, proof: UsedProof<'_>) -> Admission<'_>;
}

/// Why a store does not admit a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplayStoreError {
    /// The proof was used before.
    Replayed,
    /// The store cannot remember another proof.
    Full,
    /// The store does not answer.
    Unavailable(String),
}

impl std::error::Error for ReplayStoreError {}

impl fmt::Display for ReplayStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replayed => f.write_str("the proof was used before"),
            Self::Full => f.write_str("the store is full"),
            Self::Unavailable(error) => write!(f, "the store is not available: {error}"),
        }
    }
}

/// The number of proofs that a shard remembers.
const PLACES: usize = 4_096;

/// A store in the memory of one process: [`ReplayWindow`]s, each with a lock of its own.
///
/// All proofs of one key are in one window, so a client fills no more than one with one key.
/// A window remembers 4,096 proofs, each for as long as it could be used again: 181 seconds
/// with the default [`DpopPolicy`](claimgate::DpopPolicy) and proofs that are dated as late as
/// it allows. A full window refuses proofs.
pub struct MemoryReplayStore {
    windows: Box<[Mutex<Box<ReplayWindow<PLACES>>>]>,
    /// With keys that clients do not know.
    hasher: RandomState,
}

impl MemoryReplayStore {
    /// Constructs a store of 32 windows, which take 3 MiB.
    #[must_use]
    pub fn new() -> Self {
        Self::with_windows(32)
    }

    /// Constructs a store of so many windows of 96 KiB, at least one.
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
