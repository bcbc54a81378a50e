//! `aud`.

use core::fmt;

use heapless::Vec;

/// How many audiences a token may name.
///
/// Tokens name one or two; each is compared with each that is expected.
pub const MAX_AUDIENCES: usize = 16;

/// `aud`: whom a token is for
/// ([RFC 7519 §4.1.3](https://www.rfc-editor.org/rfc/rfc7519#section-4.1.3)).
///
/// One string and an array of one string mean the same.
#[derive(Clone, PartialEq, Eq)]
pub struct Audience<'b>(Vec<&'b str, MAX_AUDIENCES>);

impl<'b> Audience<'b> {
    pub(crate) const NONE: Self = Self(Vec::new());

    /// Adds one. `false` if there is no room.
    pub(crate) fn push(&mut self, audience: &'b str) -> bool {
        self.0.push(audience).is_ok()
    }

    /// Whether `identifier` is among them, byte for byte.
    #[must_use]
    pub fn contains(&self, identifier: &str) -> bool {
        self.iter().any(|audience| audience == identifier)
    }

    /// The audiences, in the token's order.
    pub fn iter(&self) -> impl Iterator<Item = &'b str> + '_ {
        self.0.iter().copied()
    }

    /// How many audiences the token names.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the token names no audience.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Audience<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audience").field("len", &self.len()).finish_non_exhaustive()
    }
}
