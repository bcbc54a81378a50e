//! A cache of verified tokens that many threads share, without one lock for
//! all: it is cut into shards, each behind a lock of its own.
//!
//! Which shard a token belongs to is decided by a keyed hash whose key nobody
//! outside knows, so nobody can aim at a shard. A wrong shard could only miss:
//! the cache itself compares the whole token.
//!
//! `cargo run --release --example shared_cache`

use std::hash::{BuildHasher, RandomState};
use std::sync::Mutex;
use std::thread;

use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, Error, Issuer, JwkSet, NumericDate,
    OwnedAccessToken, RingKey, TokenBuffer, VerifiedTokenCache, at_compile_time,
};

const JWKS: &str = include_str!("validate/demo/jwks.json");
const TOKENS: [&str; 3] = [
    include_str!("validate/demo/access_token.jwt"),
    include_str!("validate/demo/no_scope.jwt"),
    include_str!("validate/demo/other_api.jwt"),
];
const POLICY: AccessTokenPolicy<'_> =
    at_compile_time!(AccessTokenPolicy::general("https://example.com/health-api").build());
/// The demonstration tokens are of this time.
const NOW: NumericDate = NumericDate::from_secs(1_311_281_470);

/// How many locks there are: some more than threads.
const SHARDS: usize = 8;
/// How many tokens a shard remembers.
const SLOTS: usize = 64;
/// The longest token that is remembered, in bytes.
const TOKEN_MAX: usize = 2048;

type Shard = Mutex<VerifiedTokenCache<SLOTS, TOKEN_MAX>>;

struct SharedCache {
    // On the heap: a shard is 335 KB, all together are more than a stack should hold.
    shards: Box<[Shard]>,
    hasher: RandomState,
}

impl SharedCache {
    fn new() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, hasher: RandomState::new() }
    }

    fn shard(&self, token: BearerToken<'_>) -> &Shard {
        let hash = self.hasher.hash_one(token.expose()) as usize;
        &self.shards[hash % SHARDS]
    }

    /// Validates a token and returns it with its text, to be used without the lock.
    fn validate<const KEYS: usize>(
        &self,
        token: BearerToken<'_>,
        issuer: &Issuer<RingKey, KEYS>,
        now: NumericDate,
    ) -> Result<OwnedAccessToken<TOKEN_MAX>, Error> {
        let mut buffer = TokenBuffer::<8192>::new();
        // A thread that panicked while it held the lock left no half-written entry.
        let mut shard = self.shard(token).lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let trust = (issuer, &POLICY);
        AccessToken::validate_cached(token, trust, now, &mut buffer, &mut shard)?.to_owned_token()
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let keys = JwkSet::<RingKey, 4>::from_json(JWKS)?;
    let issuer = Issuer::new("https://my-domain.auth0.com/", keys)?;
    let cache = SharedCache::new();

    thread::scope(|scope| {
        for worker in 0..4 {
            let (cache, issuer) = (&cache, &issuer);
            scope.spawn(move || {
                for round in 0..1000 {
                    let token = BearerToken::new(TOKENS[(worker + round) % TOKENS.len()].trim());
                    match cache.validate(token, issuer, NOW) {
                        Ok(owned) => assert_eq!(owned.token().issuer(), issuer.url()),
                        Err(error) => assert_eq!(error.code(), "audience_mismatch"),
                    }
                }
            });
        }
    });

    println!("One of the three tokens is for another API: what is refused is not remembered.");
    for (index, shard) in cache.shards.iter().enumerate() {
        let shard = shard.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if shard.hits() + shard.misses() > 0 {
            println!("shard {index}: {} hits, {} misses", shard.hits(), shard.misses());
        }
    }
    Ok(())
}
