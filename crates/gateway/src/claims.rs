//! The header fields that pass claims to the application.

mod json;

use claimgate::claims::Scope;
use claimgate::{AccessToken, Error, Validated};
use http::{HeaderName, HeaderValue};

use self::json::{Json, Object};

/// A header field and the source of its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClaimHeader {
    pub(crate) name: HeaderName,
    pub(crate) source: Source,
}

/// The claim that is the value of a header field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// `sub`.
    Subject,
    /// `scope` or `scp`, separated by spaces.
    Scope,
    /// `iss`.
    Issuer,
    /// `azp`, or `client_id` if it is absent.
    Client,
    /// The first of these claims that the token contains. Each is a path of member names.
    Claim(Vec<Vec<String>>),
}

impl ClaimHeader {
    /// Returns the header fields of a configuration without a `headers` table.
    pub(crate) fn defaults() -> Vec<Self> {
        [
            ("x-auth-subject", Source::Subject),
            ("x-auth-scope", Source::Scope),
            ("x-auth-issuer", Source::Issuer),
            ("x-auth-client", Source::Client),
        ]
        .map(|(name, source)| Self { name: HeaderName::from_static(name), source })
        .into()
    }
}

/// Passes each header field to `set`. The value is empty if the token lacks the claim, or if
/// there is no token.
///
/// No field is omitted: a proxy might then forward the client's own field.
///
/// # Errors
///
/// Those of [`Validated::claims_with`], for claims that cannot be read.
pub(crate) fn set_headers(
    headers: &[ClaimHeader],
    token: Option<&Validated<AccessToken<'_>>>,
    mut set: impl FnMut(&HeaderName, HeaderValue),
) -> Result<(), Error> {
    let is_claim = |header: &ClaimHeader| matches!(header.source, Source::Claim(_));
    let claims = match token {
        Some(token) if headers.iter().any(is_claim) => Object::of(token)?,
        _ => Object::default(),
    };
    for ClaimHeader { name, source } in headers {
        let value = match (source, token) {
            (_, None) => HeaderValue::from_static(""),
            (Source::Subject, Some(token)) => header_value(token.subject()),
            (Source::Issuer, Some(token)) => header_value(token.issuer()),
            (Source::Scope, Some(token)) => header_value(&joined(&token.scope())),
            (Source::Client, Some(token)) => {
                header_value(token.authorized_party().or(token.client_id()).unwrap_or_default())
            }
            (Source::Claim(paths), Some(_)) => {
                match paths.iter().find_map(|path| claims.find(path)) {
                    None | Some(Json::Null) => HeaderValue::from_static(""),
                    Some(Json::Text(text)) => header_value(text),
                    Some(value) => header_value(&value.to_string()),
                }
            }
        };
        set(name, value);
    }
    Ok(())
}

/// Returns the scope tokens, separated by spaces.
fn joined(scope: &Scope<'_>) -> String {
    let mut text = String::with_capacity(128);
    for token in scope.iter() {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(token);
    }
    text
}

/// Encodes a string as the value of a header field. `%`, leading and trailing spaces and all
/// bytes other than visible ASCII and spaces are percent-encoded, so distinct strings have
/// distinct values.
pub(crate) fn header_value(text: &str) -> HeaderValue {
    let is_visible = |byte: u8| (byte.wrapping_sub(b'!') < 94) & (byte != b'%');
    // Recipients strip leading and trailing spaces of a value.
    let is_outer_space = text.starts_with(' ') | text.ends_with(' ');
    // Without an early exit, the loop is vectorized.
    let is_plain = |all, byte| all & ((byte == b' ') | is_visible(byte));
    if !is_outer_space && text.bytes().fold(true, is_plain) {
        return HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
    }
    let mut value = String::new();
    let last = text.len().saturating_sub(1);
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b' ' if index != 0 && index != last => value.push(' '),
            byte if is_visible(byte) => value.push(char::from(byte)),
            byte => value.push_str(&format!("%{byte:02X}")),
        }
    }
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_values_are_visible_and_distinct() {
        for (text, expected) in [
            ("auth0|123456", "auth0|123456"),
            ("a%20b", "a%2520b"),
            ("a b", "a b"),
            (" a b ", "%20a b%20"),
            ("  a", "%20 a"),
            (" ", "%20"),
            ("", ""),
            ("j\u{f6}rg", "j%C3%B6rg"),
            ("a\r\nX: y", "a%0D%0AX: y"),
            ("~\u{7f}", "~%7F"),
        ] {
            assert_eq!(header_value(text), expected);
        }
    }
}
