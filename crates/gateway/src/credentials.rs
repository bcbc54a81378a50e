//! Where the access token of a request is, and what the application gets to see of it.

use claimgate::bearer::Credentials;
use claimgate::error::RequestProblem;
use claimgate::{BearerToken, Error};
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Where the access token of a request is. Only one place is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TokenSource {
    /// The `Authorization` header field, with the scheme `Bearer` or `DPoP`.
    Authorization,
    /// A header field whose value is the token.
    Header(HeaderName),
    /// A cookie whose value is the token.
    Cookie(String),
}

/// Whether the application gets the access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forwarding {
    Strip,
    Pass,
}

const SEVERAL: Error = Error::InvalidRequest(RequestProblem::SeveralTokens);

impl TokenSource {
    /// Reads the access token of a request.
    ///
    /// # Errors
    ///
    /// [`Error::MissingToken`] if there is none, and [`Error::InvalidRequest`] for several.
    pub(crate) fn credentials<'r>(&self, headers: &'r HeaderMap) -> Result<Credentials<'r>, Error> {
        match self {
            Self::Authorization => {
                let values = headers.get_all(AUTHORIZATION).iter();
                // What is not text cannot be a token either; as a value, it is malformed.
                let values = values.map(|value| value.to_str().unwrap_or("Bearer \u{fffd}"));
                Credentials::from_authorization_values(values)
            }
            Self::Header(name) => {
                let values = headers.get_all(name).iter();
                sole(values.map(|value| value.to_str().unwrap_or("\u{fffd}")))
            }
            Self::Cookie(name) => {
                let values = cookies(headers).filter(|(found, _)| *found == name.as_bytes());
                sole(values.map(|(_, value)| str::from_utf8(value).unwrap_or("\u{fffd}")))
            }
        }
    }

    /// Returns the header field that contains the token, and its value for the application:
    /// empty, or without the token's cookie, unless the token is passed on.
    pub(crate) fn forwarded(
        &self,
        headers: &HeaderMap,
        forwarding: Forwarding,
    ) -> (HeaderName, HeaderValue) {
        const EMPTY: HeaderValue = HeaderValue::from_static("");
        let (name, kept) = match self {
            Self::Authorization => (AUTHORIZATION, EMPTY),
            Self::Header(name) => (name.clone(), EMPTY),
            Self::Cookie(cookie) => {
                let others = cookies(headers).filter(|(name, _)| *name != cookie.as_bytes());
                let others: Vec<_> =
                    others.map(|(name, value)| [name, value].join(&b'=')).collect();
                let others = HeaderValue::from_bytes(&others.join(&b"; "[..]));
                (COOKIE, others.unwrap_or(EMPTY))
            }
        };
        if forwarding == Forwarding::Strip {
            return (name, kept);
        }
        let mut values = headers.get_all(&name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => (name, value.clone()),
            (Some(_), Some(_)) if name == COOKIE => {
                let all = headers.get_all(&name).iter().map(HeaderValue::as_bytes);
                let all = HeaderValue::from_bytes(&all.collect::<Vec<_>>().join(&b"; "[..]));
                (name, all.unwrap_or(EMPTY))
            }
            _ => (name, EMPTY),
        }
    }
}

fn sole<'r>(mut tokens: impl Iterator<Item = &'r str>) -> Result<Credentials<'r>, Error> {
    match (tokens.next(), tokens.next()) {
        (None | Some(""), None) => Err(Error::MissingToken),
        (Some(token), None) => Ok(Credentials::Bearer(BearerToken::new(token))),
        (_, Some(_)) => Err(SEVERAL),
    }
}

/// Returns the cookies of a request
/// ([RFC 6265 §4.2](https://www.rfc-editor.org/rfc/rfc6265#section-4.2)), without the spaces
/// around their names, which applications ignore. They may contain any bytes: a cookie that the
/// gateway does not see could be one that the application reads.
fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&[u8], &[u8])> {
    let values = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    let pairs = values.flat_map(|value| value.split(|byte| *byte == b';'));
    pairs.filter_map(|pair| {
        let mut parts = pair.trim_ascii().splitn(2, |byte| *byte == b'=');
        Some((parts.next()?.trim_ascii_end(), parts.next()?))
    })
}
