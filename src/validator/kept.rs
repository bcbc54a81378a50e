//! Validated tokens that own their text.

use core::fmt;

use heapless::String;

use super::Validated;
use crate::access_token::{AccessToken, KeptAccessTokenClaims};
use crate::claims::{Keep, Keeper};
use crate::error::Error;
use crate::id_token::{IdToken, KeptIdTokenClaims};

macro_rules! kept {
    ($(#[$doc:meta])* $kept:ident, $claims:ident, $token:ident, $words:literal) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $kept<const LEN: usize> {
            text: String<LEN>,
            claims: $claims,
        }

        impl<const LEN: usize> $kept<LEN> {
            /// The token, which borrows from here. Nothing is parsed or checked
            /// again: time has gone on since it was validated.
            #[must_use]
            pub fn token(&self) -> Validated<$token<'_>> {
                Validated($token { claims: Keep::lend(&self.claims, &self.text) })
            }
        }

        impl<const LEN: usize> fmt::Debug for $kept<LEN> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($kept)).finish_non_exhaustive()
            }
        }

        impl Validated<$token<'_>> {
            #[doc = concat!("Keeps ", $words, " beyond the buffer it was validated in.")]
            ///
            /// `LEN` bytes have to hold the payload, the `kid` and the `typ` of the
            /// header, and the strings that have escapes such as `\"` a second
            /// time: the token's length nearly always suffices.
            ///
            /// # Errors
            ///
            /// [`Error::BufferTooSmall`] if `LEN` is too small.
            pub fn keep<const LEN: usize>(&self) -> Result<$kept<LEN>, Error> {
                let claims = &self.0.claims;
                let too_small = || Error::BufferTooSmall {
                    needed: claims.payload.len().max(LEN.saturating_add(1)),
                    available: LEN,
                };
                let mut keeper = Keeper::new(claims.payload).ok_or_else(too_small)?;
                let claims = claims.keep(&mut keeper).ok_or_else(too_small)?;
                Ok($kept { text: keeper.into_text(), claims })
            }
        }
    };
}

kept! {
    /// A validated access token that owns its text, in `LEN` bytes and without a
    /// heap: `'static`, `Send` and `Sync`, to be put into a request's extensions
    /// or a [cache](crate::VerifiedTokenCache).
    ///
    /// ```
    /// # use claimgate::{AccessToken, Error, Validated};
    /// fn remember(token: &Validated<AccessToken<'_>>) -> Result<(), Error> {
    ///     let kept = token.keep::<1024>()?;
    ///     let name = std::thread::spawn(move || kept.token().subject().len());
    ///     # let _ = name;
    ///     Ok(())
    /// }
    /// ```
    KeptAccessToken, KeptAccessTokenClaims, AccessToken, "an access token"
}

kept! {
    /// A validated ID token that owns its text, in `LEN` bytes and without a
    /// heap: `'static`, `Send` and `Sync`, to be put into a session.
    ///
    /// ```
    /// # use claimgate::{Error, IdToken, KeptIdToken, Validated};
    /// struct Session {
    ///     user: KeptIdToken<2048>,
    /// }
    ///
    /// fn begin(token: &Validated<IdToken<'_>>) -> Result<Session, Error> {
    ///     Ok(Session { user: token.keep()? })
    /// }
    ///
    /// fn name(session: &Session) -> String {
    ///     session.user.token().user().name().unwrap_or("somebody").to_owned()
    /// }
    /// ```
    KeptIdToken, KeptIdTokenClaims, IdToken, "an ID token"
}
