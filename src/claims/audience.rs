//! The claim `aud`.

use core::fmt;

/// The capacity of [`Audience`].
const MAX: usize = 16;

/// `aud`: the intended recipients of a token
/// ([RFC 7519 §4.1.3](https://www.rfc-editor.org/rfc/rfc7519#section-4.1.3)).
///
/// A string is equivalent to an array of one string.
///
/// ```
/// # fn show(token: &claimgate::Validated<claimgate::AccessToken<'_>>) {
/// for audience in token.audience().iter() {
///     println!("for {audience}");
/// }
/// let is_shared = token.audience().contains("https://example.com/other-api");
/// # }
/// ```
// An array and not a `heapless::Vec`, whose `Drop` would extend the borrow of the caller's
// buffer to the end of the scope.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Audience<'b> {
    audiences: [&'b str; MAX],
    len: usize,
}

impl<'b> Audience<'b> {
    /// The maximum number of audiences of a token.
    ///
    /// Tokens usually have one or two. Each is compared with each expected audience.
    pub const MAX: usize = MAX;

    pub(crate) const NONE: Self = Self { audiences: [""; MAX], len: 0 };

    /// Adds an audience. Returns `false` if the capacity is exhausted.
    pub(crate) fn push(&mut self, audience: &'b str) -> bool {
        let Some(place) = self.audiences.get_mut(self.len) else { return false };
        *place = audience;
        self.len = self.len.saturating_add(1);
        true
    }

    /// Returns whether `identifier` is one of the audiences, compared byte for byte.
    #[must_use]
    pub fn contains(&self, identifier: &str) -> bool {
        self.iter().any(|audience| audience == identifier)
    }

    /// Returns the audiences, in the token's order.
    pub fn iter(&self) -> impl Iterator<Item = &'b str> + '_ {
        self.audiences.iter().take(self.len).copied()
    }

    /// Returns the number of audiences.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Returns whether the token has no audience.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl fmt::Debug for Audience<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audience").field("len", &self.len()).finish_non_exhaustive()
    }
}
