//! The replay window, which admits a token only once.

use core::fmt;

use crate::claims::NumericDate;
use crate::public_key::PublicKey;

/// The identifier of a token that may be used once: a hash of its kind, its issuer or key, and
/// its `jti`.
///
/// The same `jti` from two issuers, or two keys, results in different identifiers. The hash is
/// the first half of SHA-256; its inputs are length-prefixed, so the encoding is unambiguous.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenId {
    tag: u32,
    rest: [u32; 3],
}

impl TokenId {
    /// The length of the longest `jti`, in bytes.
    pub const MAX_JTI_LEN: usize = 256;

    /// Returns the identifier of a DPoP proof, by the thumbprint of the key that signed it and
    /// its `jti`
    /// ([RFC 9449 §11.1](https://www.rfc-editor.org/rfc/rfc9449#section-11.1)).
    ///
    /// It does not include the URL of the request: a `jti` that was used at one URL is
    /// rejected at all others.
    ///
    /// Returns `None` if `jti` is empty or longer than [`MAX_JTI_LEN`](Self::MAX_JTI_LEN).
    #[must_use]
    pub fn dpop_proof<K: PublicKey>(thumbprint: &str, jti: &str) -> Option<Self> {
        Self::new::<K>(b'P', thumbprint, jti)
    }

    /// Returns the identifier of a logout token, by its issuer and `jti`
    /// ([OIDC Back-Channel Logout §2.6](https://openid.net/specs/openid-connect-backchannel-1_0.html#Validation)).
    ///
    /// Returns `None` if `jti` is empty or longer than [`MAX_JTI_LEN`](Self::MAX_JTI_LEN).
    #[must_use]
    pub fn logout_token<K: PublicKey>(issuer: &str, jti: &str) -> Option<Self> {
        Self::new::<K>(b'L', issuer, jti)
    }

    /// Returns the identifier of an access token, by its issuer and `jti`, for APIs that
    /// accept each access token once.
    ///
    /// Returns `None` if `jti` is empty or longer than [`MAX_JTI_LEN`](Self::MAX_JTI_LEN).
    #[must_use]
    pub fn access_token<K: PublicKey>(issuer: &str, jti: &str) -> Option<Self> {
        Self::new::<K>(b'A', issuer, jti)
    }

    /// Returns the identifier as bytes, for a store other than [`ReplayWindow`].
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        let [a, b, c] = self.rest;
        let words = [self.tag.to_le_bytes(), a.to_le_bytes(), b.to_le_bytes(), c.to_le_bytes()];
        let [[a, b, c, d], [e, f, g, h], [i, j, k, l], [m, n, o, p]] = words;
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
    }

    fn new<K: PublicKey>(kind: u8, origin: &str, jti: &str) -> Option<Self> {
        if jti.is_empty() || jti.len() > Self::MAX_JTI_LEN {
            return None;
        }
        let origin_len = u64::try_from(origin.len()).ok()?.to_be_bytes();
        let hash = K::sha256(&[&[kind], &origin_len, origin.as_bytes(), jti.as_bytes()]);
        let words = hash.as_chunks().0;
        let [tag, a, b, c] = words.first_chunk()?.map(u32::from_le_bytes);
        Some(Self { tag, rest: [a, b, c] })
    }
}

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenId").finish_non_exhaustive()
    }
}

/// The used tokens, at most `N`, each until it expires, in storage provided by the caller.
///
/// ```
/// use claimgate::replay::{ReplayError, ReplayWindow, TokenId};
/// use claimgate::{NumericDate, PublicKey};
///
/// /// Accepts each proof once, after everything else about it was validated.
/// fn accept_once<K: PublicKey, const N: usize>(
///     window: &mut ReplayWindow<N>,
///     thumbprint: &str,
///     jti: &str,
///     valid_until: NumericDate,
///     now: NumericDate,
/// ) -> Result<(), ReplayError> {
///     let id = TokenId::dpop_proof::<K>(thumbprint, jti).ok_or(ReplayError::Replayed)?;
///     window.admit(id, valid_until, now)
/// }
/// ```
///
/// # Guarantees
///
/// No token is admitted twice, whatever the clock does, if the same `until` is passed each
/// time that the token is presented. In particular:
///
/// - A full window rejects tokens ([`ReplayError::Full`]). It does not forget a token that
///   could be used again.
/// - Only expired tokens are forgotten, and the latest `until` of all forgotten tokens is
///   stored. If the clock goes back, a token that expires no later than that could be one of
///   them, and is rejected.
/// - A call is at most two passes over the `N` entries, whatever the tokens are. There are no
///   hash buckets that an attacker could fill by choosing `jti`s, so a window needs no secret.
///
/// # When to call it
///
/// Call [`admit`](Self::admit) last, after everything else about the token was validated. Then
/// only clients with valid tokens can fill the window, and a token that is rejected for
/// another reason is not used up.
///
/// `until` is the first second at which the token is rejected because of its age, leeway
/// included, by the most tolerant policy that shares the window. For a DPoP proof whose age is
/// at most `max_age`, that is `iat + max_age + leeway + 1`, or `exp + leeway` if the proof has an
/// `exp` that is earlier: [`UnseenProof::valid_until`](crate::dpop::UnseenProof::valid_until).
///
/// # Size
///
/// A window needs an entry for every token of the longest validity period. A proof may be
/// dated `leeway` ahead, so with a `max_age` and a leeway of 60 seconds that period is 181
/// seconds: for 5 requests a second, `N` is at least 905. For logout tokens it is their
/// lifetime, typically two minutes. [`count`](Self::count) returns the number of entries in
/// use.
///
/// An entry has 24 bytes. With 1,024 entries, a call executes 2,600 instructions on x86-64 in
/// steady use and 4,900 when the window is full, which is a microsecond or less. An empty
/// window consists of zeros, so a `static` one occupies no space in the program file.
///
/// # More than one window
///
/// A service with more requests uses several windows, which also reduces lock contention. All
/// tokens with the same identifier must go to the same window: select it by the thumbprint or
/// the issuer. If it is selected by the key's thumbprint, a client cannot fill more than one
/// window with one key; a keyed hash such as the standard library's `RandomState` prevents
/// clients from choosing theirs. Several processes behind a load balancer each know only their
/// own requests: a proof can then be used once at each, unless requests are routed by client.
///
/// ```
/// use std::hash::{BuildHasher, RandomState};
/// use std::sync::Mutex;
///
/// use claimgate::replay::ReplayWindow;
///
/// struct Windows {
///     shards: [Mutex<ReplayWindow<1024>>; 16],
///     secret: RandomState,
/// }
///
/// impl Windows {
///     fn of(&self, thumbprint: &str) -> &Mutex<ReplayWindow<1024>> {
///         let hash = self.secret.hash_one(thumbprint);
///         &self.shards[(hash % 16) as usize]
///     }
/// }
/// ```
///
/// # Clock
///
/// Times are seconds since the epoch by the caller's clock. A token that was admitted while
/// the clock was far ahead stays in the window until then. If that has happened, replace the
/// window by a [new](Self::new) one when the tokens of that time have expired.
pub struct ReplayWindow<const N: usize> {
    /// The first four bytes of each hash, which can be compared many at a time.
    tags: [u32; N],
    rests: [[u32; 3]; N],
    /// The expiry of each token; 0 for a free entry.
    ends: [u64; N],
    /// The latest expiry of all forgotten tokens.
    forgotten: u64,
}

impl<const N: usize> ReplayWindow<N> {
    /// Returns an empty window.
    #[must_use]
    pub const fn new() -> Self {
        Self { tags: [0; N], rests: [[0; 3]; N], ends: [0; N], forgotten: 0 }
    }

    /// Admits a token that was not seen before, and remembers it until `until`, the first
    /// second at which it is rejected because of its age.
    ///
    /// # Errors
    ///
    /// [`ReplayError::Replayed`] if the token was admitted before, or if that is unknown
    /// because `until` has passed; [`ReplayError::Full`] if `N` other tokens could be used
    /// again.
    pub fn admit(
        &mut self,
        id: TokenId,
        until: NumericDate,
        now: NumericDate,
    ) -> Result<(), ReplayError> {
        let (end, now) = (until.as_secs(), now.as_secs());
        if end <= now || end <= self.forgotten || self.contains(id, now) {
            return Err(ReplayError::Replayed);
        }
        let mut places = self.tags.iter_mut().zip(&mut self.rests).zip(&mut self.ends);
        let Some(((tag, rest), place)) = places.find(|(_, end)| **end <= now) else {
            return Err(ReplayError::Full);
        };
        self.forgotten = self.forgotten.max(*place);
        (*tag, *rest, *place) = (id.tag, id.rest, end);
        Ok(())
    }

    fn contains(&self, id: TokenId, now: u64) -> bool {
        // Without branches, so that the comparisons can be vectorised.
        let has_tag = self.tags.iter().fold(false, |any, tag| any | (*tag == id.tag));
        let mut places = self.tags.iter().zip(&self.rests).zip(&self.ends);
        has_tag && places.any(|((tag, rest), end)| *tag == id.tag && *rest == id.rest && *end > now)
    }

    /// Returns the number of tokens that are remembered at `now`, at most `N`. If it is `N`,
    /// new tokens are rejected.
    #[must_use]
    pub fn count(&self, now: NumericDate) -> usize {
        self.ends.iter().filter(|end| **end > now.as_secs()).count()
    }
}

impl<const N: usize> Default for ReplayWindow<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> fmt::Debug for ReplayWindow<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayWindow").field("places", &N).finish_non_exhaustive()
    }
}

/// The reason why a [`ReplayWindow`] does not admit a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ReplayError {
    /// The token was already used, or expired so long ago that this is unknown.
    Replayed,
    /// The window is full.
    Full,
}

impl core::error::Error for ReplayError {}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Replayed => "the token was already used, or has expired",
            Self::Full => "the replay window is full",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> NumericDate {
        NumericDate::from_secs(seconds)
    }

    const fn id(number: u32) -> TokenId {
        TokenId { tag: 0, rest: [0, 0, number] }
    }

    #[test]
    fn p08_every_bit_of_the_hash_counts() {
        let mut window = ReplayWindow::<129>::new();
        assert_eq!(window.admit(id(0), at(10), at(0)), Ok(()));
        for bit in 0..32 {
            for word in 0..4 {
                let mut words = [0; 4];
                words[word] = 1 << bit;
                let [tag, rest @ ..] = words;
                assert_eq!(window.admit(TokenId { tag, rest }, at(10), at(0)), Ok(()));
                assert_eq!(
                    window.admit(TokenId { tag, rest }, at(10), at(0)),
                    Err(ReplayError::Replayed)
                );
            }
        }
        assert_eq!(window.count(at(9)), 129);
    }

    #[test]
    fn the_bytes_of_an_identity_are_those_of_the_hash() {
        let id = TokenId { tag: 0x0403_0201, rest: [0x0807_0605, 0x0c0b_0a09, 0x100f_0e0d] };
        assert_eq!(id.to_bytes(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
    }

    #[test]
    fn p08_a_token_whose_hash_is_zero_is_no_empty_place() {
        let mut window = ReplayWindow::<2>::new();
        assert_eq!(window.admit(id(0), at(1), at(0)), Ok(()));
        assert_eq!(window.admit(id(0), at(1), at(0)), Err(ReplayError::Replayed));
        assert_eq!(window.count(at(0)), 1);
    }

    #[test]
    fn p08_a_forgotten_token_is_refused_after_the_clock_has_gone_back() {
        let mut window = ReplayWindow::<1>::new();
        assert_eq!(window.admit(id(1), at(100), at(50)), Ok(()));
        assert_eq!(window.admit(id(2), at(101), at(100)), Ok(()));
        assert_eq!(window.forgotten, 100);
        // The token was forgotten, and is valid again by the clock.
        assert_eq!(window.admit(id(1), at(100), at(50)), Err(ReplayError::Replayed));
        // A token that expires later cannot be a forgotten one: the window is full.
        assert_eq!(window.admit(id(3), at(101), at(50)), Err(ReplayError::Full));
    }
}
