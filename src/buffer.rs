//! The scratch space of a validation.

use core::fmt;

use crate::jws::CompactJws;

/// Scratch space of `N` bytes for one token at a time, provided by the caller.
///
/// ```
/// use claimgate::TokenBuffer;
///
/// // For an issuer whose tokens are small, on a device with little memory.
/// static BUFFER: TokenBuffer<1024> = TokenBuffer::new().max_token_len(1024);
/// ```
///
/// The decoded segments of a token are written to it, three bytes for every four, and the
/// validated token borrows from it. Strings with escapes such as `\"` are unescaped into the
/// rest. `N` should be the length of the longest expected token.
pub struct TokenBuffer<const N: usize> {
    pub(crate) bytes: [u8; N],
    /// The limit, exclusive-or [`CompactJws::MAX_LEN`]: a new buffer is all zeros, so that a
    /// `static` one takes no space in a firmware's image.
    limit: usize,
}

impl<const N: usize> TokenBuffer<N> {
    /// Returns an empty buffer, for tokens of at most [`CompactJws::MAX_LEN`] bytes.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: [0; N], limit: 0 }
    }

    /// Sets the length of the longest token that is accepted, in bytes, instead of
    /// [`CompactJws::MAX_LEN`].
    #[must_use]
    pub const fn max_token_len(mut self, bytes: usize) -> Self {
        self.limit = bytes ^ CompactJws::MAX_LEN;
        self
    }

    /// Returns the length of the longest token that is accepted, in bytes.
    pub(crate) const fn token_len_limit(&self) -> usize {
        self.limit ^ CompactJws::MAX_LEN
    }

    /// Returns whether a token is short enough to be parsed.
    pub(crate) const fn accepts_len(&self, token: &str) -> bool {
        token.len() <= self.token_len_limit()
    }
}

impl<const N: usize> Default for TokenBuffer<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> fmt::Debug for TokenBuffer<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenBuffer").field("len", &N).finish_non_exhaustive()
    }
}
