//! Validated tokens that own their text.

use core::fmt;

use heapless::String;

use crate::access_token::{AccessToken, AccessTokenSpans};
use crate::claims::{TextBuilder, ToSpans};
use crate::error::Error;
use crate::id_token::{IdToken, IdTokenSpans};
use crate::logout_token::{LogoutToken, LogoutTokenSpans};
use crate::validated::Validated;

macro_rules! owned_token {
    ($(#[$doc:meta])* $owned:ident, $spans:ident, $token:ident, $words:literal) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $owned<const LEN: usize> {
            text: String<LEN>,
            spans: $spans,
        }

        impl<const LEN: usize> $owned<LEN> {
            /// Returns the token, which borrows from this value. Nothing is parsed or checked
            /// again, although the token may have expired since.
            #[must_use]
            pub fn token(&self) -> Validated<$token<'_>> {
                Validated(ToSpans::from_spans(&self.spans, &self.text))
            }
        }

        impl<const LEN: usize> fmt::Debug for $owned<LEN> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($owned)).finish_non_exhaustive()
            }
        }

        impl Validated<$token<'_>> {
            #[doc = concat!("Copies ", $words, " to a value that owns its text, independent of the buffer.")]
            ///
            /// `LEN` bytes must suffice for the payload, the `kid` and the `typ` of the
            /// header, and a second copy of the strings with escapes such as `\"`. The token's
            /// length nearly always suffices.
            ///
            /// # Errors
            ///
            /// [`Error::BufferTooSmall`] if `LEN` is too small.
            pub fn to_owned_token<const LEN: usize>(&self) -> Result<$owned<LEN>, Error> {
                let token = &self.0;
                let too_small = || Error::BufferTooSmall {
                    needed: token.payload.len().max(LEN.saturating_add(1)),
                    available: LEN,
                };
                let mut builder = TextBuilder::new(token.payload).ok_or_else(too_small)?;
                let spans = token.to_spans(&mut builder).ok_or_else(too_small)?;
                Ok($owned { text: builder.into_text(), spans })
            }
        }
    };
}

owned_token! {
    /// A validated access token that owns its text, in `LEN` bytes and without a heap. It is
    /// `'static`, `Send` and `Sync`, and can be stored in a request's extensions or in a
    /// [cache](crate::cache::VerifiedTokenCache).
    ///
    /// ```
    /// # use claimgate::{AccessToken, Error, Validated};
    /// fn remember(token: &Validated<AccessToken<'_>>) -> Result<(), Error> {
    ///     let owned = token.to_owned_token::<1024>()?;
    ///     let name = std::thread::spawn(move || owned.token().subject().len());
    ///     # let _ = name;
    ///     Ok(())
    /// }
    /// ```
    OwnedAccessToken, AccessTokenSpans, AccessToken, "an access token"
}

owned_token! {
    /// A validated ID token that owns its text, in `LEN` bytes and without a heap. It is
    /// `'static`, `Send` and `Sync`, and can be stored in a session.
    ///
    /// ```
    /// # use claimgate::owned::OwnedIdToken;
    /// # use claimgate::{Error, IdToken, Validated};
    /// struct Session {
    ///     user: OwnedIdToken<2048>,
    /// }
    ///
    /// fn begin(token: &Validated<IdToken<'_>>) -> Result<Session, Error> {
    ///     Ok(Session { user: token.to_owned_token()? })
    /// }
    ///
    /// fn name(session: &Session) -> String {
    ///     session.user.token().user().name().unwrap_or("(no name)").to_owned()
    /// }
    /// ```
    OwnedIdToken, IdTokenSpans, IdToken, "an ID token"
}

impl<const LEN: usize> OwnedAccessToken<LEN> {
    /// Returns the issuer, without the other claims.
    pub(crate) fn issuer(&self) -> &str {
        self.spans.issuer(&self.text)
    }
}

owned_token! {
    /// A validated logout token that owns its text, in `LEN` bytes and without a heap. It is
    /// `'static`, `Send` and `Sync`, and can be sent to a queue.
    OwnedLogoutToken, LogoutTokenSpans, LogoutToken, "a logout token"
}
