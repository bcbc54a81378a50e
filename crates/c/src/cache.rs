//! The cache of verified access tokens.

use core::ffi::c_void;
use core::sync::atomic::{AtomicU32, Ordering};

use claimgate::cache::VerifiedTokenCache;

use crate::code::claimgate_code;
use crate::limits::{CACHED_TOKEN, WAYS};
use crate::memory::{Object, Seal, check, code, place_of, put};
use crate::text::Range;

pub(crate) type Bucket = VerifiedTokenCache<WAYS, CACHED_TOKEN>;

/// A cache of verified access tokens, in memory of the caller. The rules of the policy are
/// applied again on every hit.
#[repr(C)]
pub struct claimgate_cache {
    seal: Seal,
    /// The number of validations with the cache. A token that was found in it is accessible
    /// until the next one.
    epoch: u64,
    buckets: usize,
    /// The first of the buckets, which follow one another.
    first: [Bucket; 0],
}

// SAFETY: `repr(C)`, and the seal is the first field.
unsafe impl Object for claimgate_cache {
    const KIND: u16 = 0x5a1b;
}

/// Returns the size of a [`claimgate_cache`] for this number of tokens, in bytes. 0 if it does
/// not fit into the address space.
#[unsafe(no_mangle)]
pub extern "C" fn claimgate_cache_size(tokens: usize) -> usize {
    let bytes = tokens.div_ceil(WAYS).max(1).checked_mul(size_of::<Bucket>());
    bytes.and_then(|bytes| bytes.checked_add(size_of::<claimgate_cache>())).unwrap_or(0)
}

/// Returns the alignment of a [`claimgate_cache`], in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn claimgate_cache_align() -> usize {
    align_of::<claimgate_cache>()
}

/// Initialises an empty cache for `tokens` tokens in `memory`, and writes its address to
/// `cache`. If there is a cache in it, the tokens that were found in that one are no longer
/// accessible.
///
/// # Safety
///
/// `memory` is writable for `size` bytes, and `cache` is writable. No other thread
/// uses a cache in it during the call, or has a validation whose token was found there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_cache_init(
    memory: *mut c_void,
    size: usize,
    tokens: usize,
    cache: *mut *mut claimgate_cache,
) -> claimgate_code {
    code((|| {
        let needed = claimgate_cache_size(tokens);
        if needed == 0 || size < needed {
            return Err(claimgate_code::CLAIMGATE_MEMORY_TOO_SMALL);
        }
        Range { start: memory.addr(), len: needed }.check_apart(Range::of(cache))?;
        // SAFETY: the caller's promise.
        let (place, seal) = unsafe { place_of::<claimgate_cache>(memory, size, &[]) }?;
        let buckets = tokens.div_ceil(WAYS).max(1);
        // SAFETY: aligned and writable.
        let first = unsafe { &raw mut (*place).first }.cast::<Bucket>();
        for index in 0..buckets {
            // SAFETY: within the memory, whose size was compared with that of the buckets.
            unsafe { first.add(index).write(Bucket::new()) };
        }
        let epoch = first_epoch();
        // SAFETY: aligned and writable.
        unsafe {
            place.write(claimgate_cache { seal, epoch, buckets, first: [] });
            put(cache, place)
        }
    })())
}

/// Writes the number of tokens that were found in the cache, the number that were not, and the
/// number of evicted entries.
///
/// # Safety
///
/// `cache` is a cache that no other thread changes during the call; the others are writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_cache_counters(
    cache: *const claimgate_cache,
    hits: *mut u64,
    misses: *mut u64,
    evictions: *mut u64,
) -> claimgate_code {
    code((|| {
        // SAFETY: the caller's promise.
        let own = unsafe { range_of(cache) }?;
        [hits, misses, evictions].iter().try_for_each(|sum| Range::of(*sum).check_apart(own))?;
        let mut sums = [0_u64; 3];
        // SAFETY: a cache, whose buckets were initialised.
        let count = unsafe { (*cache).buckets };
        for index in 0..count {
            // SAFETY: as above.
            let bucket = unsafe { &*(&raw const (*cache).first).cast::<Bucket>().add(index) };
            let counts = [bucket.hits(), bucket.misses(), bucket.evictions()];
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum = sum.saturating_add(count));
        }
        let [hit, miss, eviction] = sums;
        // SAFETY: the caller's promise.
        unsafe {
            put(hits, hit)?;
            put(misses, miss)?;
            put(evictions, eviction)
        }
    })())
}

/// Returns the memory of a cache.
///
/// # Safety
///
/// `cache` is a cache.
pub(crate) unsafe fn range_of(cache: *const claimgate_cache) -> Result<Range, claimgate_code> {
    // SAFETY: the caller's promise.
    unsafe { check(cache) }?;
    // SAFETY: a cache.
    let buckets = unsafe { (*cache).buckets };
    let len = claimgate_cache_size(buckets.saturating_mul(WAYS));
    Ok(Range { start: cache.addr(), len })
}

/// Returns the bucket of a token, and the epoch that begins.
///
/// # Safety
///
/// `cache` is a cache, of which nothing is borrowed during `'a` except through the result.
pub(crate) unsafe fn bucket_of<'a>(
    cache: *mut claimgate_cache,
    token: &str,
) -> Result<(&'a mut Bucket, u64), claimgate_code> {
    // SAFETY: the caller's promise.
    unsafe { check(cache.cast_const()) }?;
    // SAFETY: a cache; the buckets were initialised, and the index is below their number.
    unsafe {
        (*cache).epoch = (*cache).epoch.wrapping_add(1);
        let index = spread(token).checked_rem((*cache).buckets).unwrap_or(0);
        let bucket = (&raw mut (*cache).first).cast::<Bucket>().add(index);
        Ok((&mut *bucket, (*cache).epoch))
    }
}

/// Returns the first epoch of a new cache. It differs from those of a cache that was in the same
/// memory, so that a token found there is not found here.
fn first_epoch() -> u64 {
    static CACHES: AtomicU32 = AtomicU32::new(0);
    #[cfg(target_has_atomic = "32")]
    let number = CACHES.fetch_add(1, Ordering::Relaxed);
    #[cfg(not(target_has_atomic = "32"))]
    let number = {
        let number = CACHES.load(Ordering::Relaxed);
        CACHES.store(number.wrapping_add(1), Ordering::Relaxed);
        number
    };
    u64::from(number) << 32
}

/// Returns the epoch of a cache.
///
/// # Safety
///
/// `cache` points to a cache, or to memory that is readable and no longer is one.
pub(crate) unsafe fn epoch_of(cache: *const claimgate_cache) -> Result<u64, claimgate_code> {
    // SAFETY: the caller's promise.
    unsafe { check(cache) }?;
    // SAFETY: a cache.
    Ok(unsafe { (*cache).epoch })
}

/// Returns a number that depends on the end of a token. In a stored token, that is the end of
/// a signature, which only its issuer can choose.
fn spread(token: &str) -> usize {
    let mut hash = 0x9e37_79b9_usize;
    for byte in token.bytes().rev().take(16) {
        hash = (hash ^ usize::from(byte)).wrapping_mul(0x0100_0193).rotate_left(5);
    }
    hash ^ hash.rotate_left(15)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use base64ct::{Base64UrlUnpadded, Encoding};
    use ring::digest::{SHA256, digest};
    use std::format;

    use super::*;

    /// The buckets of 2,000 signatures, in a cache that is half full.
    #[test]
    fn every_token_of_a_half_full_cache_has_a_slot() {
        let buckets = 4_096_usize.div_ceil(WAYS);
        let mut tokens_of = std::vec![0; buckets];
        for number in 0_u32..2_000 {
            let signature = digest(&SHA256, &number.to_be_bytes());
            let end = Base64UrlUnpadded::encode_string(signature.as_ref());
            tokens_of[spread(&format!("e30.e30.{end}")) % buckets] += 1;
        }
        assert_eq!(tokens_of.iter().sum::<usize>(), 2_000);
        assert!(tokens_of.iter().all(|tokens| *tokens <= WAYS), "{tokens_of:?}");
    }
}
