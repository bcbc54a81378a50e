//! A cache of verified tokens, shared by all workers.
//!
//! An entry contains the text of its token, and every rule is applied to it on a hit
//! ([`CachedAccessToken`](claimgate::cache::CachedAccessToken)): an entry found because of a hash
//! collision is a miss. A key of 64 bits is therefore sufficient. No lock is held while a
//! signature is verified or a rule is applied.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use metrics::Counter;

use crate::token::StoredToken;

/// The number of locks: many more than concurrent threads.
const SHARDS: usize = 64;

/// The size of an entry without its token: the maps, their free capacity, and the allocator.
const OVERHEAD: usize = 128;

/// The number of bytes at the end of a token that are hashed for the key, together with the
/// policy. In an accepted token they belong to the signature, which differs from token to
/// token.
const TAIL: usize = 32;

/// The capacity of a cache, in bytes and in entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Capacity {
    pub(crate) bytes: usize,
    pub(crate) entries: usize,
}

/// The counters of the cache of verified tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStatistics {
    /// The number of requests whose token was found, whether the policy accepted it or not.
    pub hits: u64,
    /// The number of requests whose token was not found.
    pub misses: u64,
    /// The number of evicted tokens.
    pub evictions: u64,
    /// The current number of tokens.
    pub entries: usize,
    /// The current size of the tokens in bytes.
    pub bytes: usize,
}

/// The key of an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key(u64);

/// An entry: a token, and the index of its authority.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) authority: usize,
    pub(crate) token: StoredToken,
}

struct Slot {
    entry: Entry,
    /// Whether it was found since the last pass of the eviction.
    is_used: AtomicBool,
}

#[derive(Default)]
struct Shard {
    slots: HashMap<u64, Arc<Slot>, BuildHasherDefault<NoHasher>>,
    /// The keys of all entries, the oldest first.
    ages: VecDeque<u64>,
}

pub(crate) struct TokenCache {
    shards: Box<[RwLock<Shard>]>,
    /// Randomly keyed, so that clients cannot choose a shard.
    hasher: RandomState,
    capacity: Capacity,
    /// The size of all shards, which may be uneven.
    entries: AtomicUsize,
    bytes: AtomicUsize,
    /// The next shard from which an entry is evicted.
    next: AtomicUsize,
    hits: AtomicU64,
    misses: AtomicU64,
    evictions: AtomicU64,
    metrics: Metrics,
}

/// The metrics that a request updates. They are registered once, which costs more than an update.
struct Metrics {
    hits: Counter,
    misses: Counter,
    evictions: Counter,
}

impl TokenCache {
    pub(crate) fn new(capacity: Capacity) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            hasher: RandomState::new(),
            capacity,
            entries: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            next: AtomicUsize::new(0),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            evictions: AtomicU64::new(0),
            metrics: Metrics {
                hits: metrics::counter!("claimgate_cache_hits_total"),
                misses: metrics::counter!("claimgate_cache_misses_total"),
                evictions: metrics::counter!("claimgate_cache_evictions_total"),
            },
        }
    }

    /// Returns the key of a token that is validated under policies, or `None` if it is too
    /// short.
    pub(crate) fn key(&self, text: &str, policies: &(impl Hash + ?Sized)) -> Option<Key> {
        let tail: &[u8; TAIL] = text.as_bytes().last_chunk()?;
        let mut hasher = self.hasher.build_hasher();
        tail.hash(&mut hasher);
        policies.hash(&mut hasher);
        Some(Key(hasher.finish()))
    }

    fn shard(&self, key: Key) -> Option<&RwLock<Shard>> {
        // The map in the shard uses the low bits.
        let index = usize::try_from(key.0 >> 32).unwrap_or_default() % SHARDS;
        self.shards.get(index)
    }

    /// Returns an entry that may be for the token.
    pub(crate) fn find(&self, key: Key) -> Option<Entry> {
        let shard = self.shard(key)?.read().unwrap_or_else(PoisonError::into_inner);
        let slot = shard.slots.get(&key.0)?;
        if !slot.is_used.load(Relaxed) {
            slot.is_used.store(true, Relaxed);
        }
        Some(slot.entry.clone())
    }

    /// Counts a hit or a miss.
    pub(crate) fn count(&self, is_hit: bool) {
        let (counter, metric) = match is_hit {
            true => (&self.hits, &self.metrics.hits),
            false => (&self.misses, &self.metrics.misses),
        };
        counter.fetch_add(1, Relaxed);
        metric.increment(1);
    }

    pub(crate) fn insert(&self, key: Key, entry: Entry) {
        let bytes = size_of(&entry);
        if bytes > self.capacity.bytes || self.capacity.entries == 0 {
            return;
        }
        let Some(shard) = self.shard(key) else { return };
        let slot = Arc::new(Slot { entry, is_used: AtomicBool::new(false) });
        let replaced = {
            let mut shard = write(shard);
            let replaced = shard.slots.insert(key.0, slot);
            if replaced.is_none() {
                shard.ages.push_back(key.0);
            }
            replaced
        };
        self.bytes.fetch_add(bytes, Relaxed);
        match replaced {
            Some(replaced) => {
                self.bytes.fetch_sub(size_of(&replaced.entry), Relaxed);
            }
            None => {
                self.entries.fetch_add(1, Relaxed);
            }
        }
        while self.bytes.load(Relaxed) > self.capacity.bytes
            || self.entries.load(Relaxed) > self.capacity.entries
        {
            if !self.evict() {
                break;
            }
        }
    }

    /// Evicts the oldest entry of a shard, with the shards in turn. An entry that was found
    /// since the last pass is moved to the end.
    fn evict(&self) -> bool {
        // All entries may have been found since; after one pass, they are unmarked.
        for _ in 0..=SHARDS.saturating_mul(2) {
            let index = self.next.fetch_add(1, Relaxed) % SHARDS;
            let Some(shard) = self.shards.get(index) else { return false };
            let mut shard = write(shard);
            for _ in 0..shard.ages.len() {
                let Some(key) = shard.ages.pop_front() else { break };
                let is_used = |slot: &Arc<Slot>| slot.is_used.swap(false, Relaxed);
                if shard.slots.get(&key).is_some_and(is_used) {
                    shard.ages.push_back(key);
                } else if let Some(slot) = shard.slots.remove(&key) {
                    self.bytes.fetch_sub(size_of(&slot.entry), Relaxed);
                    self.entries.fetch_sub(1, Relaxed);
                    self.evictions.fetch_add(1, Relaxed);
                    self.metrics.evictions.increment(1);
                    return true;
                }
            }
        }
        false
    }

    pub(crate) fn statistics(&self) -> CacheStatistics {
        CacheStatistics {
            hits: self.hits.load(Relaxed),
            misses: self.misses.load(Relaxed),
            evictions: self.evictions.load(Relaxed),
            entries: self.entries.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
        }
    }
}

const fn size_of(entry: &Entry) -> usize {
    entry.token.size().saturating_add(OVERHEAD)
}

fn write(shard: &RwLock<Shard>) -> RwLockWriteGuard<'_, Shard> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}

/// A hasher for keys that are hashes already.
#[derive(Default)]
struct NoHasher(u64);

impl Hasher for NoHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::ptr;

    use super::*;

    /// With a single shard, all workers would wait for the same lock.
    #[test]
    fn tokens_are_spread_over_the_shards() {
        let cache = TokenCache::new(Capacity { bytes: 0, entries: 0 });
        let shard = |number| {
            let key = cache.key(&format!("{number:TAIL$}"), &()).unwrap();
            ptr::from_ref(cache.shard(key).unwrap())
        };
        let shards: HashSet<_> = (0..1_000).map(shard).collect();
        assert!(shards.len() > SHARDS / 2);
    }

    #[test]
    fn a_text_that_is_shorter_than_the_hashed_part_has_no_key() {
        let cache = TokenCache::new(Capacity { bytes: 0, entries: 0 });
        assert!(cache.key(&"x".repeat(TAIL - 1), &()).is_none());
        assert!(cache.key(&"x".repeat(TAIL), &()).is_some());
    }

    #[test]
    fn the_hash_of_a_key_is_the_key() {
        let state = BuildHasherDefault::<NoHasher>::default();
        assert_eq!(state.hash_one(0x0123_4567_89ab_cdef_u64), 0x0123_4567_89ab_cdef);
        let mut hasher = state.build_hasher();
        hasher.write(&[1; 9]);
        assert_eq!(hasher.finish(), 0x0101_0101_0101_0100);
    }
}
