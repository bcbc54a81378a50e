//! The tokens that were verified already, shared between workers without one lock for
//! all.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use claimgate::{BearerToken, VerifiedTokenCache};

/// How many locks there are for each issuer: many more than workers, since a token that is
/// not found is verified under its lock.
const SHARDS: usize = 32;
/// How many tokens a shard remembers: 2,048 for each issuer.
const SLOTS: usize = 64;
/// The longest token that is remembered, in bytes.
const TOKEN_MAX: usize = 2_048;

pub type Shard = VerifiedTokenCache<SLOTS, TOKEN_MAX>;

pub struct SharedCache {
    shards: Box<[Mutex<Shard>]>,
    /// With keys that nobody outside knows: nobody can aim at a shard.
    hasher: RandomState,
}

impl SharedCache {
    pub fn new(issuers: usize) -> Self {
        let shards = (0..SHARDS * issuers.max(1)).map(|_| Mutex::default()).collect();
        Self { shards, hasher: RandomState::new() }
    }

    /// The part of the cache that the token belongs to.
    pub fn shard(&self, token: BearerToken<'_>) -> MutexGuard<'_, Shard> {
        let index = self.hasher.hash_one(token.expose()) as usize % self.shards.len();
        // An entry is made as a whole: a panic leaves none half-written.
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}
