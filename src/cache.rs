//! A cache of verified access tokens, which saves the signature verification for later
//! requests with the same token.

use core::fmt;

use heapless::String;

use crate::access_token::AccessToken;
use crate::bearer::BearerToken;
use crate::buffer::TokenBuffer;
use crate::claims::NumericDate;
use crate::compare::{constant_time_eq, constant_time_eq_arrays};
use crate::error::Error;
use crate::json::Text;
use crate::owned::OwnedAccessToken;
use crate::policy::{AccessTokenPolicy, Fingerprint};
use crate::request_key::RequestKey;
use crate::trust::Trust;
use crate::validated::Validated;
use crate::validator::validate;

/// The number of bytes by which slots are searched: the last bytes of a token.
///
/// In an accepted token they are the end of a signature, which only the issuer can create. The
/// cache therefore cannot be filled with different tokens that have the same tag.
const TAG_LEN: usize = 16;

/// A cache of at most `SLOTS` verified access tokens, each of at most `TOKEN_MAX` bytes, in
/// storage provided by the caller.
///
/// ```
/// use claimgate::cache::VerifiedTokenCache;
/// use claimgate::{
///     AccessToken, AccessTokenPolicy, BearerToken, Error, Issuer, NumericDate, PublicKey,
///     TokenBuffer,
/// };
///
/// fn serve<K: PublicKey>(
///     token: BearerToken<'_>,
///     issuer: &Issuer<K, 4>,
///     policy: &AccessTokenPolicy<'_>,
///     now: NumericDate,
///     cache: &mut VerifiedTokenCache<64, 2048>,
/// ) -> Result<(), Error> {
///     let (trust, mut buffer) = ((issuer, policy), TokenBuffer::<4096>::new());
///     let token = AccessToken::validate_cached(token, trust, now, &mut buffer, cache)?;
///     println!("{}", token.subject());
///     Ok(())
/// }
/// ```
///
/// An entry is found by the whole text of the token, the policy that accepted it, and the
/// [fingerprint](crate::JwkSet::fingerprint) of the key set. It is not found after a change of
/// the policy or of the keys, nor with a buffer smaller than the one of the first validation.
/// An entry contains the claims of a token with a valid signature. **Every rule of the policy
/// is applied again on every hit**, with the `now` of the call: an expired token is rejected
/// as without the cache.
///
/// Policies are equal if all of their settings are, with lists in the same order. For each
/// policy, a token is verified once and occupies one slot: if routes require different scopes,
/// use one policy, and [`authorize`](crate::Validated::authorize) for each route. The
/// [keys](crate::RequestKey) that a request proves are compared on every hit, and are not part
/// of an entry.
///
/// Only accepted tokens are stored. When all slots are occupied, the oldest entry is evicted.
/// A lookup compares the last 16 bytes of each slot's token, and if they are equal the whole
/// token, in constant time.
///
/// A slot occupies twice `TOKEN_MAX` plus about 1.1 KB: `<64, 2048>` has 335 KB and should be
/// a `static` or on a heap, not on a stack.
pub struct VerifiedTokenCache<const SLOTS: usize, const TOKEN_MAX: usize> {
    tags: [[u8; TAG_LEN]; SLOTS],
    slots: [Option<Slot<TOKEN_MAX>>; SLOTS],
    /// The slot that is filled next: the oldest.
    next: usize,
    hits: u64,
    misses: u64,
    evictions: u64,
}

/// An entry, which is constructed before it is stored.
struct Slot<const TOKEN_MAX: usize> {
    /// The size of the buffer in which the token was validated. With a smaller one, the result
    /// could have been an error.
    buffer_len: usize,
    entry: CachedAccessToken<TOKEN_MAX>,
}

impl<const SLOTS: usize, const TOKEN_MAX: usize> VerifiedTokenCache<SLOTS, TOKEN_MAX> {
    /// Constructs an empty cache.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            tags: [[0; TAG_LEN]; SLOTS],
            slots: [const { None }; SLOTS],
            next: 0,
            hits: 0,
            misses: 0,
            evictions: 0,
        }
    }

    /// Returns the number of tokens that were found, whether the policy accepted them or not.
    #[must_use]
    pub const fn hits(&self) -> u64 {
        self.hits
    }

    /// Returns the number of tokens that were not found for the policy, the keys and the
    /// buffer.
    #[must_use]
    pub const fn misses(&self) -> u64 {
        self.misses
    }

    /// Returns the number of evicted entries.
    #[must_use]
    pub const fn evictions(&self) -> u64 {
        self.evictions
    }

    /// Removes all tokens. The counters are not reset.
    pub fn clear(&mut self) {
        self.slots.iter_mut().for_each(|slot| *slot = None);
    }

    /// Returns the slot of a token that was accepted under the same policy, with the same
    /// keys, and in a buffer that was not larger.
    fn find<'p, T: Trust<AccessTokenPolicy<'p>>, const N: usize>(
        &self,
        text: &str,
        trust: &T,
        buffer: &TokenBuffer<N>,
    ) -> Option<usize> {
        let tag = tag(text).filter(|_| buffer.accepts_len(text))?;
        let is_of = |slot: &Slot<TOKEN_MAX>| slot.buffer_len <= N && slot.entry.is_for(text, trust);
        self.tags.iter().zip(&self.slots).position(|(candidate, slot)| {
            constant_time_eq_arrays(candidate, tag) && slot.as_ref().is_some_and(is_of)
        })
    }

    /// Stores a token that was accepted in a buffer of `buffer_len` bytes, unless it is too
    /// long.
    fn insert<'p, T: Trust<AccessTokenPolicy<'p>>>(
        &mut self,
        text: &str,
        trust: &T,
        buffer_len: usize,
        token: &Validated<AccessToken<'_>>,
    ) {
        if let Some(trust) = Fingerprints::of(trust, || token.issuer()) {
            self.insert_for(text, trust, buffer_len, token);
        }
    }

    // Not inlined: its large stack frame would remain during validation.
    #[inline(never)]
    fn insert_for(
        &mut self,
        text: &str,
        trust: Fingerprints,
        buffer_len: usize,
        token: &Validated<AccessToken<'_>>,
    ) {
        let entry = CachedAccessToken::new(text, trust, token);
        let (Some(tag), Ok(entry)) = (tag(text), entry) else { return };
        let places = self.tags.get_mut(self.next).zip(self.slots.get_mut(self.next));
        let Some((place_of_tag, place)) = places else { return };
        if place.is_some() {
            self.evictions = self.evictions.saturating_add(1);
        }
        *place_of_tag = *tag;
        *place = Some(Slot { buffer_len, entry });
        self.next = match self.next.saturating_add(1) {
            next if next < SLOTS => next,
            _ => 0,
        };
    }
}

/// An access token that was accepted, as an entry for the caller's own cache, for example one
/// that is shared between threads.
///
/// Only a validation constructs an entry. It contains the whole text of its token, the
/// fingerprints of the policy and of the key set, and the claims.
/// [`validate_again`](Self::validate_again) compares all of them and applies every rule of the
/// policy. The cache can therefore be any map with any hash: an error in it causes a miss,
/// never a wrong result. An entry can be found, cloned as an `Arc`, and checked after the lock
/// of the map is released.
///
/// ```
/// use claimgate::cache::CachedAccessToken;
/// use claimgate::{
///     AccessTokenPolicy, BearerToken, Error, Issuer, NumericDate, PublicKey, TokenBuffer,
/// };
///
/// type Entry = std::sync::Arc<CachedAccessToken<2048>>;
///
/// /// `find` and `put` are those of a cache.
/// fn serve<K: PublicKey>(
///     token: BearerToken<'_>,
///     issuer: &Issuer<K, 4>,
///     policy: &AccessTokenPolicy<'_>,
///     now: NumericDate,
///     find: impl Fn(&str) -> Option<Entry>,
///     put: impl Fn(&str, Entry),
/// ) -> Result<Entry, Error> {
///     if let Some(entry) = find(token.expose()) {
///         if let Some(verdict) = entry.validate_again(token, (issuer, policy), now) {
///             return verdict.map(|_| entry.clone());
///         }
///     }
///     let mut buffer = TokenBuffer::<4096>::new();
///     let entry = CachedAccessToken::validate(token, (issuer, policy), now, &mut buffer)?;
///     let entry = Entry::new(entry);
///     put(token.expose(), entry.clone());
///     Ok(entry)
/// }
/// ```
///
/// `LEN` bytes must suffice for the text of the token, and a second time for its payload,
/// `kid` and `typ`, and the strings with escapes. The length of the token nearly always
/// suffices. An entry occupies twice `LEN` plus about 1.1 KB.
pub struct CachedAccessToken<const LEN: usize> {
    text: String<LEN>,
    accepted_under: Fingerprints,
    token: OwnedAccessToken<LEN>,
}

impl<const LEN: usize> CachedAccessToken<LEN> {
    /// Validates an access token like [`AccessToken::validate`], and returns it as an entry.
    ///
    /// # Errors
    ///
    /// Those of [`AccessToken::validate`], and [`Error::BufferTooSmall`] for a valid token for
    /// which `LEN` is too small.
    #[expect(clippy::needless_pass_by_value, reason = "a pair of references, or a reference")]
    pub fn validate<'p, const N: usize>(
        token: BearerToken<'_>,
        trust: impl Trust<AccessTokenPolicy<'p>>,
        now: NumericDate,
        buffer: &mut TokenBuffer<N>,
    ) -> Result<Self, Error> {
        let text = token.expose();
        let validated = validate(text, &trust, token.key(), now, buffer)?;
        let accepted_under = Fingerprints::of(&trust, || validated.issuer());
        Self::new(text, accepted_under.ok_or(Error::UnknownIssuer)?, &validated)
    }

    // Not inlined: its large stack frame would remain during validation.
    #[inline(never)]
    fn new(
        text: &str,
        accepted_under: Fingerprints,
        token: &Validated<AccessToken<'_>>,
    ) -> Result<Self, Error> {
        let too_small = Error::BufferTooSmall { needed: text.len(), available: LEN };
        let text = String::try_from(text).map_err(|_| too_small)?;
        Ok(Self { text, accepted_under, token: token.to_owned_token()? })
    }

    /// Applies all rules of the policy at the time `now`, without the cost of a signature.
    ///
    /// Returns `None` if the entry is for another token, or the token was accepted under
    /// another policy or with another key set: then it must be validated in full. Otherwise
    /// the result is that of [`AccessToken::validate`] with a buffer like the one of the first
    /// validation.
    ///
    /// # Errors
    ///
    /// The first rule of the policy that fails.
    #[expect(clippy::needless_pass_by_value, reason = "a pair of references, or a reference")]
    pub fn validate_again<'e, 'p>(
        &'e self,
        token: BearerToken<'_>,
        trust: impl Trust<AccessTokenPolicy<'p>>,
        now: NumericDate,
    ) -> Option<Result<Validated<AccessToken<'e>>, Error>> {
        self.is_for(token.expose(), &trust)
            .then(|| judge_hit(self.token(), &trust, token.key(), now))
    }

    /// Returns the token. Nothing is checked again, although the token may have expired since.
    #[must_use]
    pub fn token(&self) -> Validated<AccessToken<'_>> {
        self.token.token()
    }

    /// Returns whether the entry is for this token, and was accepted under the same policy and
    /// with the same keys.
    fn is_for<'p, T: Trust<AccessTokenPolicy<'p>>>(&self, text: &str, trust: &T) -> bool {
        constant_time_eq(self.text.as_bytes(), text.as_bytes())
            && Fingerprints::of(trust, || self.token.issuer()) == Some(self.accepted_under)
    }
}

impl<const LEN: usize> fmt::Debug for CachedAccessToken<LEN> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedAccessToken").finish_non_exhaustive()
    }
}

/// The policy and the keys with which a token was accepted.
#[derive(Clone, Copy)]
struct Fingerprints {
    policy: Fingerprint,
    keys: [u8; 32],
}

impl Fingerprints {
    /// Returns the fingerprints for the tokens of an issuer, if it is trusted.
    fn of<'t, 'p, T: Trust<AccessTokenPolicy<'p>>>(
        trust: &T,
        issuer: impl FnOnce() -> &'t str,
    ) -> Option<Self> {
        let (issuer, policy) = trust.select(|| Some(Text::unescaped(issuer())))?;
        Some(Self { policy: policy.fingerprint(), keys: *issuer.keys().fingerprint })
    }
}

impl PartialEq for Fingerprints {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.policy == other.policy && constant_time_eq_arrays(&self.keys, &other.keys)
    }
}

fn tag(text: &str) -> Option<&[u8; TAG_LEN]> {
    text.as_bytes().last_chunk()
}

impl<const SLOTS: usize, const TOKEN_MAX: usize> Default for VerifiedTokenCache<SLOTS, TOKEN_MAX> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const SLOTS: usize, const TOKEN_MAX: usize> fmt::Debug
    for VerifiedTokenCache<SLOTS, TOKEN_MAX>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedTokenCache")
            .field("slots", &SLOTS)
            .field("hits", &self.hits)
            .field("misses", &self.misses)
            .field("evictions", &self.evictions)
            .finish_non_exhaustive()
    }
}

impl<'b> AccessToken<'b> {
    /// Like [`validate`](Self::validate), but without the cost of a signature for a token in
    /// the cache. The result is the same.
    ///
    /// The returned token borrows from the cache if it was found there, and from the
    /// buffer otherwise.
    ///
    /// # Errors
    ///
    /// Those of [`validate`](Self::validate).
    #[expect(clippy::needless_pass_by_value, reason = "a pair of references, or a reference")]
    pub fn validate_cached<'p, const N: usize, const SLOTS: usize, const TOKEN_MAX: usize>(
        token: BearerToken<'_>,
        trust: impl Trust<AccessTokenPolicy<'p>>,
        now: NumericDate,
        buffer: &'b mut TokenBuffer<N>,
        cache: &'b mut VerifiedTokenCache<SLOTS, TOKEN_MAX>,
    ) -> Result<Validated<Self>, Error> {
        let text = token.expose();
        if let Some(index) = cache.find(text, &trust, buffer) {
            cache.hits = cache.hits.saturating_add(1);
            return match cache.slots.get(index).and_then(Option::as_ref) {
                Some(slot) => judge_hit(slot.entry.token(), &trust, token.key(), now),
                // `find` returns the index of an occupied slot.
                None => validate(text, &trust, token.key(), now, buffer),
            };
        }
        cache.misses = cache.misses.saturating_add(1);
        let validated = validate(text, &trust, token.key(), now, buffer)?;
        cache.insert(text, &trust, N, &validated);
        Ok(validated)
    }
}

/// Applies the rules of the policy to a token from the cache. All hits are checked here.
fn judge_hit<'b, 'p, T: Trust<AccessTokenPolicy<'p>>>(
    token: Validated<AccessToken<'b>>,
    trust: &T,
    key: Option<RequestKey<'_>>,
    now: NumericDate,
) -> Result<Validated<AccessToken<'b>>, Error> {
    let selected = trust.select(|| Some(Text::unescaped(token.issuer())));
    let (issuer, policy) = selected.ok_or(Error::UnknownIssuer)?;
    policy.check_again(&token, issuer.expected(), key, now)?;
    Ok(token)
}

#[cfg(test)]
mod tests {
    use std::format;

    use base64ct::{Base64UrlUnpadded, Encoding};

    use super::*;
    use crate::algorithm::{Algorithm, Algorithms};
    use crate::error::{InvalidSignature, KeyRejected};
    use crate::jwk::JwkSet;
    use crate::policy::{ForeignClaim, ScopePolicy, SubjectKind};
    use crate::public_key::{KeyMaterial, PublicKey};
    use crate::trust::Issuer;

    struct AnySignature;

    impl PublicKey for AnySignature {
        const ALGORITHMS: Algorithms = Algorithms::RS256;

        fn new(_: Algorithm, _: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
            Ok(Self)
        }

        fn verify(&self, _: &[u8], _: &[u8]) -> Result<(), InvalidSignature> {
            Ok(())
        }

        fn sha256(_: &[&[u8]]) -> [u8; 32] {
            [0; 32]
        }
    }

    fn encoded(bytes: &[u8]) -> std::string::String {
        let mut out = [0; 512];
        Base64UrlUnpadded::encode(bytes, &mut out).unwrap().into()
    }

    /// Simulates two policies with the same hash.
    #[test]
    fn an_entry_of_another_policy_gives_none_its_verdict() {
        let n = encoded(&[0xff; 256]);
        let keys = format!(r#"{{"keys":[{{"kty":"RSA","n":"{n}","e":"AQAB"}}]}}"#);
        let keys = JwkSet::<AnySignature, 1>::from_json(&keys).unwrap();
        let claims = br#"{"iss":"i","sub":"s","aud":"a","exp":200,"iat":100,"nonce":"n","cnf":{"jkt":"k"},"acr":"1","azp":"c"}"#;
        let header = encoded(br#"{"alg":"RS256"}"#);
        let text = format!("{header}.{}.{}", encoded(claims), encoded(&[1; 256]));
        let token = BearerToken::new(&text).with_key(RequestKey::dpop("k").unwrap());
        let issuer = Issuer::new("i", keys).unwrap();
        let accepting = || AccessTokenPolicy::general("a").allow_foreign_claim(ForeignClaim::Nonce);
        let of_scope = ScopePolicy::all_of(&["read"]).unwrap();
        let accepted = accepting().build().unwrap();
        for (other, now, is_accepted) in [
            (accepting().leeway(1), 100, true),
            (accepting(), 260, false),
            (accepting().max_token_age(10), 171, false),
            (accepting().max_lifetime(99), 100, false),
            (accepting().max_age(10), 100, false),
            (accepting().require_scope(of_scope), 100, false),
            (accepting().require_permissions(of_scope), 100, false),
            (accepting().require_acr(&["2"]), 100, false),
            (accepting().require_subject(SubjectKind::Client), 100, false),
            (accepting().authorized_parties(&["d"]), 100, false),
            (AccessTokenPolicy::general("a"), 100, false),
            (AccessTokenPolicy::general("b").allow_foreign_claim(ForeignClaim::Nonce), 100, false),
            (AccessTokenPolicy::rfc9068("a").allow_foreign_claim(ForeignClaim::Nonce), 100, false),
        ] {
            let other = other.build().unwrap();
            let now = NumericDate::from_secs(now);
            let (mut one, mut two) = (TokenBuffer::<2048>::new(), TokenBuffer::<2048>::new());
            let mut cache = VerifiedTokenCache::<2, 1024>::new();
            let then = NumericDate::from_secs(100);
            let trust = (&issuer, &other);
            let validated =
                AccessToken::validate(token, (&issuer, &accepted), then, &mut one).unwrap();
            cache.insert(&text, &trust, 2048, &validated);
            let under = Fingerprints::of(&trust, || "i").unwrap();
            let entry = CachedAccessToken::<1024>::new(&text, under, &validated).unwrap();
            let plain = AccessToken::validate(token, trust, now, &mut one);
            assert_eq!(entry.validate_again(token, trust, now), Some(plain.clone()), "{other:?}");
            let cached = AccessToken::validate_cached(token, trust, now, &mut two, &mut cache);
            assert_eq!(cached, plain, "{other:?}");
            assert_eq!(plain.is_ok(), is_accepted, "{other:?}");
            assert_eq!((cache.hits(), cache.misses()), (1, 0));
        }
    }

    #[test]
    fn an_entry_answers_for_its_token_policy_and_keys_alone() {
        let n = |byte| encoded(&[byte; 256]);
        let keys = |byte| {
            let keys = format!(r#"{{"keys":[{{"kty":"RSA","n":"{}","e":"AQAB"}}]}}"#, n(byte));
            JwkSet::<AnySignature, 1>::from_json(&keys).unwrap()
        };
        let claims = br#"{"iss":"i","sub":"s","aud":"a","exp":200,"iat":100}"#;
        let header = encoded(br#"{"alg":"RS256"}"#);
        let signed = |byte| format!("{header}.{}.{}", encoded(claims), encoded(&[byte; 256]));
        let (text, other_text) = (signed(1), signed(2));
        let (token, other_token) = (BearerToken::new(&text), BearerToken::new(&other_text));
        let issuer = Issuer::new("i", keys(0xff)).unwrap();
        let policy = AccessTokenPolicy::general("a").build().unwrap();
        let other_policy = AccessTokenPolicy::general("a").leeway(1).build().unwrap();
        let now = NumericDate::from_secs(100);
        let mut buffer = TokenBuffer::<2048>::new();
        let trust = (&issuer, &policy);
        let entry = CachedAccessToken::<1024>::validate(token, trust, now, &mut buffer).unwrap();
        assert_eq!(entry.token().subject(), "s");
        assert_eq!(entry.validate_again(token, trust, now), Some(Ok(entry.token())));
        let expired = Error::Expired { exp: 200, now: 260, leeway: 60 };
        let late = NumericDate::from_secs(260);
        assert_eq!(entry.validate_again(token, trust, late), Some(Err(expired)));
        assert_eq!(entry.validate_again(other_token, trust, now), None);
        assert_eq!(entry.validate_again(token, (&issuer, &other_policy), now), None);
        // `AnySignature` has a constant hash, so the fingerprint is set here.
        let fingerprints = Fingerprints::of(&trust, || "i").unwrap();
        let other_keys = Fingerprints { keys: [1; 32], ..fingerprints };
        let of_other_keys =
            CachedAccessToken::<1024>::new(&text, other_keys, &entry.token()).unwrap();
        assert_eq!(of_other_keys.validate_again(token, trust, now), None);
        // An issuer that is no longer trusted.
        let renamed = Issuer::new("j", keys(0xff)).unwrap();
        let others = core::slice::from_ref(&renamed);
        assert_eq!(entry.validate_again(token, (others, &policy), now), None);
        // A valid token that does not fit into the entry.
        let too_small = Error::BufferTooSmall { needed: text.len(), available: 256 };
        let small = CachedAccessToken::<256>::validate(token, trust, now, &mut buffer);
        assert_eq!(small.map(|_| ()), Err(too_small));
    }

    #[test]
    fn equal_policies_have_one_hash() {
        use std::hash::{BuildHasher, RandomState};

        let hasher = RandomState::new();
        let policy = || AccessTokenPolicy::general("a").build().unwrap();
        let other = AccessTokenPolicy::general("a").leeway(1).build().unwrap();
        assert_eq!(hasher.hash_one(policy()), hasher.hash_one(policy()));
        assert_ne!(hasher.hash_one(policy()), hasher.hash_one(other));
    }
}
