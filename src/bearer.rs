//! Access tokens as opaque strings.

use core::fmt;

use crate::bytes::all;
use crate::error::{Error, RequestProblem};
use crate::request_key::RequestKey;

/// An access token as an opaque string
/// ([RFC 6749 §1.4](https://www.rfc-editor.org/rfc/rfc6749#section-1.4)).
///
/// A client receives it from the token endpoint and sends it to an API. The API reads it from
/// a request and validates it with [`AccessToken::validate`](crate::AccessToken::validate). It
/// cannot be used to authenticate a user:
///
/// ```compile_fail,E0308
/// # use claimgate::*;
/// # fn log_in<K: PublicKey>(
/// #     (issuer, policy): (&Issuer<K, 1>, &IdTokenPolicy<'_>),
/// #     (login, now): (Login<'_>, NumericDate),
/// # ) {
/// # let mut buffer = TokenBuffer::<4096>::new();
/// let access_token = BearerToken::new("eyJ…");
/// let user = IdToken::validate(access_token, (issuer, policy), login, now, &mut buffer);
/// # }
/// ```
///
/// Its `Debug` output does not contain the token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BearerToken<'t> {
    token: &'t str,
    key: Option<RequestKey<'t>>,
}

impl<'t> BearerToken<'t> {
    /// Constructs the access token of a token response.
    #[must_use]
    pub const fn new(access_token: &'t str) -> Self {
        Self { token: access_token, key: None }
    }

    /// Reads the value of an `Authorization` header: `Bearer`, case-insensitive, spaces, and
    /// one token
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
    /// [`Error::InvalidRequest`] if `Bearer` is not followed by exactly one token of the
    /// grammar `token68`.
    pub fn from_authorization(value: &'t str) -> Result<Self, Error> {
        match scheme_and_rest(value) {
            (scheme, rest) if scheme.eq_ignore_ascii_case("Bearer") => token68(rest).map(Self::new),
            _ => Err(Error::MissingToken),
        }
    }

    /// Reads the values of all `Authorization` headers of a request. There must be exactly
    /// one.
    ///
    /// # Errors
    ///
    /// [`Error::MissingToken`] for none, [`Error::InvalidRequest`] for several,
    /// and those of [`BearerToken::from_authorization`].
    pub fn from_authorization_values(
        values: impl IntoIterator<Item = &'t str>,
    ) -> Result<Self, Error> {
        Self::from_authorization(sole(values)?)
    }

    /// Returns the token, for the `Authorization` header of a request.
    ///
    /// It is a secret: anyone who has it can use it.
    #[must_use]
    pub const fn expose(&self) -> &'t str {
        self.token
    }

    /// Adds the keys of which the request proves possession: the token must be bound to
    /// exactly these. Without them, a token that is bound to a key is rejected.
    #[must_use]
    pub const fn with_key(self, key: RequestKey<'t>) -> Self {
        Self { token: self.token, key: Some(key) }
    }

    pub(crate) const fn key(&self) -> Option<RequestKey<'t>> {
        self.key
    }
}

/// An access token that was sent with the scheme `DPoP` and a proof
/// ([RFC 9449 §7.1](https://www.rfc-editor.org/rfc/rfc9449#section-7.1)).
///
/// It becomes a [`BearerToken`] when the proof is validated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DpopToken<'t>(&'t str);

impl<'t> DpopToken<'t> {
    /// Constructs the access token of a request with the scheme `DPoP`.
    #[must_use]
    pub const fn new(access_token: &'t str) -> Self {
        Self(access_token)
    }

    /// Returns the text of the token, which is a secret.
    #[must_use]
    pub const fn expose(&self) -> &'t str {
        self.0
    }
}

impl fmt::Debug for DpopToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DpopToken([redacted])")
    }
}

/// The credentials of a request: an access token and the scheme it was sent with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials<'t> {
    /// The scheme `Bearer`.
    Bearer(BearerToken<'t>),
    /// The scheme `DPoP`.
    Dpop(DpopToken<'t>),
}

impl<'t> Credentials<'t> {
    /// Reads the value of an `Authorization` header field: `Bearer` or `DPoP`,
    /// case-insensitive, spaces, and one token
    /// ([RFC 6750 §2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1),
    /// [RFC 9449 §7.1](https://www.rfc-editor.org/rfc/rfc9449#section-7.1)).
    ///
    /// # Errors
    ///
    /// [`Error::MissingToken`] for an empty value and for another scheme, and
    /// [`Error::InvalidRequest`] if the scheme is not followed by exactly one token of the
    /// grammar `token68`.
    pub fn from_authorization(value: &'t str) -> Result<Self, Error> {
        match scheme_and_rest(value) {
            (scheme, rest) if scheme.eq_ignore_ascii_case("DPoP") => {
                token68(rest).map(|token| Self::Dpop(DpopToken(token)))
            }
            _ => BearerToken::from_authorization(value).map(Self::Bearer),
        }
    }

    /// Reads the values of all `Authorization` header fields of a request. There must be
    /// exactly one.
    ///
    /// # Errors
    ///
    /// [`Error::MissingToken`] for none, [`Error::InvalidRequest`] for several,
    /// and those of [`Credentials::from_authorization`].
    pub fn from_authorization_values(
        values: impl IntoIterator<Item = &'t str>,
    ) -> Result<Self, Error> {
        Self::from_authorization(sole(values)?)
    }
}

/// Splits the value of an `Authorization` header field at its first space.
fn scheme_and_rest(value: &str) -> (&str, &str) {
    value.split_once(' ').unwrap_or((value, ""))
}

/// Returns the value of a header field that must occur once.
fn sole<'t>(values: impl IntoIterator<Item = &'t str>) -> Result<&'t str, Error> {
    let mut values = values.into_iter();
    let first = values.next().ok_or(Error::MissingToken)?;
    match values.next() {
        None => Ok(first),
        Some(_) => Err(Error::InvalidRequest(RequestProblem::SeveralTokens)),
    }
}

/// Returns whether a byte is a letter, a digit, or one of `-._~+/`. Branch-free, for [`all`].
const fn is_token68(byte: u8) -> bool {
    let is_letter = (byte | 0x20).is_ascii_lowercase();
    // `-`, `.`, `/` and the digits are consecutive.
    let is_digit_or_mark = matches!(byte, b'-'..=b'9');
    is_letter | is_digit_or_mark | (byte == b'_') | (byte == b'~') | (byte == b'+')
}

/// Reads spaces and one token
/// ([RFC 9110 §11.2](https://www.rfc-editor.org/rfc/rfc9110#section-11.2)).
fn token68(credentials: &str) -> Result<&str, Error> {
    let token = credentials.trim_start_matches(' ');
    let characters = token.trim_end_matches('=');
    if !characters.is_empty() && all(characters.as_bytes(), is_token68) {
        Ok(token)
    } else if token.trim_end_matches(' ').contains([' ', ',']) {
        Err(Error::InvalidRequest(RequestProblem::SeveralTokens))
    } else {
        Err(Error::InvalidRequest(RequestProblem::Malformed))
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
    fn each_character_of_a_token_is_checked() {
        for byte in 0..=u8::MAX {
            let expected = byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
            assert_eq!(is_token68(byte), expected, "{byte}");
        }
        for len in [1, 15, 16, 17, 40, 100] {
            for (place, byte) in (0..len).flat_map(|place| (0..0x80).map(move |byte| (place, byte)))
            {
                let mut token = std::vec![b'a'; len];
                token[place] = byte;
                let token = std::string::String::from_utf8(token).unwrap();
                let is_padding = byte == b'=' && place + 1 == len && len > 1;
                let is_space = byte == b' ' && place == 0 && len > 1;
                let is_good = byte.is_ascii_alphanumeric() || "-._~+/".contains(char::from(byte));
                let value = std::format!("Bearer {token}");
                let read = BearerToken::from_authorization(&value);
                assert_eq!(read.is_ok(), is_good || is_padding || is_space, "{value:?}");
            }
        }
    }

    #[test]
    fn no_bearer_token_is_told_from_a_bad_one() {
        for value in
            ["", "Basic YTpi", "Bearertoken", "DPoP abc", "DPoP a b", " Bearer a", "Bearer\ta"]
        {
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
