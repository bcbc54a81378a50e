//! Validated tokens, which are shared by requests and the cache.

use std::fmt;
use std::mem::size_of;
use std::sync::Arc;

use claimgate::cache::CachedAccessToken;
use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, Error, NumericDate, TokenBuffer, Trust, Validated,
};

/// The maximum length of a token, in bytes.
pub(crate) const MAX_TOKEN_LEN: usize = 8_192;

/// Twice the maximum length of a token, which suffices for every token with its unescaped
/// strings.
const MAX_STORED_LEN: usize = 2 * MAX_TOKEN_LEN;

/// A validated access token in one of four sizes, so that a short one occupies little memory.
#[derive(Clone)]
pub(crate) enum StoredToken {
    Len1024(Arc<CachedAccessToken<1_024>>),
    Len2048(Arc<CachedAccessToken<2_048>>),
    Len4096(Arc<CachedAccessToken<4_096>>),
    Len16384(Arc<CachedAccessToken<MAX_STORED_LEN>>),
}

/// Evaluates an expression with a token of any size.
macro_rules! with {
    ($stored:expr, $token:ident => $result:expr) => {
        match $stored {
            StoredToken::Len1024($token) => $result,
            StoredToken::Len2048($token) => $result,
            StoredToken::Len4096($token) => $result,
            StoredToken::Len16384($token) => $result,
        }
    };
}

impl StoredToken {
    /// Validates a token in the smallest size that its text fits in. If the token with its
    /// unescaped strings does not fit, the largest size is used.
    pub(crate) fn validate<'p>(
        token: BearerToken<'_>,
        trust: impl Trust<AccessTokenPolicy<'p>> + Copy,
        now: NumericDate,
    ) -> Result<Self, Error> {
        fn of_size<'p, const LEN: usize>(
            token: BearerToken<'_>,
            trust: impl Trust<AccessTokenPolicy<'p>>,
            now: NumericDate,
        ) -> Result<Arc<CachedAccessToken<LEN>>, Error> {
            let mut buffer = TokenBuffer::<MAX_STORED_LEN>::new();
            let buffer = &mut buffer;
            CachedAccessToken::validate(token, trust, now, buffer).map(Arc::new)
        }

        let stored = match token.expose().len() {
            0..=1_024 => of_size(token, trust, now).map(Self::Len1024),
            1_025..=2_048 => of_size(token, trust, now).map(Self::Len2048),
            2_049..=4_096 => of_size(token, trust, now).map(Self::Len4096),
            _ => return of_size(token, trust, now).map(Self::Len16384),
        };
        match stored {
            Err(Error::BufferTooSmall { .. }) => of_size(token, trust, now).map(Self::Len16384),
            stored => stored,
        }
    }

    /// Applies all rules again. Returns `None` if the token must be validated in full.
    pub(crate) fn validate_again<'p>(
        &self,
        token: BearerToken<'_>,
        trust: impl Trust<AccessTokenPolicy<'p>>,
        now: NumericDate,
    ) -> Option<Result<(), Error>> {
        with!(self, stored => {
            stored.validate_again(token, trust, now).map(|verdict| verdict.map(|_| ()))
        })
    }

    pub(crate) fn token(&self) -> Validated<AccessToken<'_>> {
        with!(self, stored => stored.token())
    }

    /// Returns the size on the heap, in bytes.
    pub(crate) const fn size(&self) -> usize {
        match self {
            Self::Len1024(_) => size_of::<CachedAccessToken<1_024>>(),
            Self::Len2048(_) => size_of::<CachedAccessToken<2_048>>(),
            Self::Len4096(_) => size_of::<CachedAccessToken<4_096>>(),
            Self::Len16384(_) => size_of::<CachedAccessToken<MAX_STORED_LEN>>(),
        }
    }
}

/// The validated access token of a request.
///
/// [`AuthLayer`](crate::AuthLayer) inserts it into the extensions of the request. Clones are
/// cheap. Only [`Authorities`](crate::Authorities) can construct it.
///
/// ```
/// use claimgate_tower::Authenticated;
///
/// fn greet<B>(request: &http::Request<B>) -> String {
///     match request.extensions().get::<Authenticated>() {
///         Some(caller) => format!("Hello {}", caller.token().subject()),
///         None => "Hello".to_owned(),
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Authenticated {
    pub(crate) stored: StoredToken,
    pub(crate) valid_until: NumericDate,
}

impl Authenticated {
    /// Returns the token, with its claims.
    #[must_use]
    pub fn token(&self) -> Validated<AccessToken<'_>> {
        self.stored.token()
    }

    /// Returns the first second at which the policy rejects the token because of its age. A
    /// WebSocket or a stream that was opened with the token should end then.
    #[must_use]
    pub const fn valid_until(&self) -> NumericDate {
        self.valid_until
    }
}

impl fmt::Debug for Authenticated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticated").finish_non_exhaustive()
    }
}
