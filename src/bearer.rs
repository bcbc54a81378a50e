//! Access tokens as their bearers see them.

use core::fmt;

use crate::error::{Error, RequestProblem};
use crate::request_key::RequestKey;

/// An access token that nobody has looked into: an opaque string
/// ([RFC 6749 §1.4](https://www.rfc-editor.org/rfc/rfc6749#section-1.4)).
///
/// An application gets one from the token endpoint and sends it on; that is all
/// it may do with it. An API gets one from a request and validates it with
/// [`AccessToken::validate`](crate::AccessToken::validate). It cannot be used to log
/// somebody in:
///
/// ```compile_fail,E0308
/// # use claimgate::*;
/// # fn log_in<K: PublicKey>(
/// #     issuer: &Issuer<K, 1>, policy: &IdTokenPolicy<'_>, login: Login<'_>, now: NumericDate,
/// # ) {
/// # let mut buffer = TokenBuffer::<4096>::new();
/// let access_token = BearerToken::new("eyJ…");
/// let user = IdToken::validate(access_token, (issuer, policy), login, now, &mut buffer);
/// # }
/// ```
///
/// Its `Debug` output shows nothing of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BearerToken<'t> {
    token: &'t str,
    key: Option<RequestKey<'t>>,
}

impl<'t> BearerToken<'t> {
    /// Takes the access token of a token response.
    #[must_use]
    pub const fn new(access_token: &'t str) -> Self {
        Self { token: access_token, key: None }
    }

    /// Reads the value of an `Authorization` header: `Bearer`, in any case,
    /// spaces, and one token
    /// ([RFC 6750 §2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1),
    /// [RFC 9110 §11.4](https://www.rfc-editor.org/rfc/rfc9110#section-11.4)).
    ///
    /// ```
    /// use claimgate::{BearerToken, Error};
    ///
    /// let token = BearerToken::from_authorization("bearer mF_9.B5f-4.1JqM")?;
    /// assert_eq!(token.expose(), "mF_9.B5f-4.1JqM");
    /// assert_eq!(BearerToken::from_authorization("Basic YTpi"), Err(Error::MissingToken));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::MissingToken`] for an empty value and for another scheme, and
    /// [`Error::InvalidRequest`] where `Bearer` is not followed by exactly one
    /// token of the grammar `token68`.
    pub fn from_authorization(value: &'t str) -> Result<Self, Error> {
        let (scheme, rest) = value.split_once([' ']).unwrap_or((value, ""));
        if !scheme.eq_ignore_ascii_case("Bearer") {
            return Err(Error::MissingToken);
        }
        let token = rest.trim_start_matches(' ');
        let credentials = token.trim_end_matches('=');
        let is_token68 = !credentials.is_empty()
            && credentials.bytes().all(|byte| {
                matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9')
                    || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
            });
        if is_token68 {
            Ok(Self::new(token))
        } else if token.trim_end_matches(' ').contains([' ', ',']) {
            Err(Error::InvalidRequest(RequestProblem::SeveralTokens))
        } else {
            Err(Error::InvalidRequest(RequestProblem::Malformed))
        }
    }

    /// Reads the values of all `Authorization` headers of a request. There has
    /// to be exactly one.
    ///
    /// # Errors
    ///
    /// [`Error::MissingToken`] for none, [`Error::InvalidRequest`] for several,
    /// and those of [`BearerToken::from_authorization`].
    pub fn from_authorization_values(
        values: impl IntoIterator<Item = &'t str>,
    ) -> Result<Self, Error> {
        let mut values = values.into_iter();
        let first = values.next().ok_or(Error::MissingToken)?;
        if values.next().is_some() {
            return Err(Error::InvalidRequest(RequestProblem::SeveralTokens));
        }
        Self::from_authorization(first)
    }

    /// The token's text, for the `Authorization` header of a request.
    ///
    /// It is a secret: whoever holds it may use it.
    #[must_use]
    pub const fn expose(&self) -> &'t str {
        self.token
    }

    /// Adds the keys that the request has proved: the token has to be bound to exactly
    /// these. Without them, a token that is bound to a key is refused.
    #[must_use]
    pub const fn with_key(self, key: RequestKey<'t>) -> Self {
        Self { token: self.token, key: Some(key) }
    }

    pub(crate) const fn key(&self) -> Option<RequestKey<'t>> {
        self.key
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for BearerToken<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "BearerToken([redacted])");
    }
}

impl fmt::Debug for BearerToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MALFORMED: Result<BearerToken<'_>, Error> =
        Err(Error::InvalidRequest(RequestProblem::Malformed));
    const SEVERAL: Result<BearerToken<'_>, Error> =
        Err(Error::InvalidRequest(RequestProblem::SeveralTokens));

    #[test]
    fn one_token_is_read() {
        for value in ["Bearer a.b.c", "bearer a.b.c", "BEARER   a.b.c"] {
            assert_eq!(BearerToken::from_authorization(value), Ok(BearerToken::new("a.b.c")));
        }
        let all = "AZaz09-._~+/==";
        let value = std::format!("Bearer {all}");
        assert_eq!(BearerToken::from_authorization(&value), Ok(BearerToken::new(all)));
    }

    #[test]
    fn no_bearer_token_is_told_from_a_bad_one() {
        for value in ["", "Basic YTpi", "Bearertoken", "DPoP abc", " Bearer a", "Bearer\ta"] {
            assert_eq!(BearerToken::from_authorization(value), Err(Error::MissingToken), "{value}");
        }
        for value in [
            "Bearer",
            "Bearer ",
            "Bearer =",
            "Bearer a=b",
            "Bearer a ",
            "Bearer ä",
            "Bearer a\n",
            "Bearer a\tb",
            "Bearer \"a\"",
        ] {
            assert_eq!(BearerToken::from_authorization(value), MALFORMED, "{value}");
        }
        for value in ["Bearer a b", "Bearer a, Bearer b", "Bearer a b ", "Bearer a,b"] {
            assert_eq!(BearerToken::from_authorization(value), SEVERAL, "{value}");
        }
    }

    #[test]
    fn a_request_has_one_authorization_header() {
        assert_eq!(BearerToken::from_authorization_values([]), Err(Error::MissingToken));
        assert_eq!(BearerToken::from_authorization_values(["Bearer a"]), Ok(BearerToken::new("a")));
        assert_eq!(BearerToken::from_authorization_values(["Bearer a", "Basic b"]), SEVERAL);
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(std::format!("{:?}", BearerToken::new("secret")), "BearerToken([redacted])");
    }
}
