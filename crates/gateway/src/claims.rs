//! The header fields that pass claims to the application.

use claimgate::{AccessToken, Error, Validated};
use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value};

/// The maximum length of a string with escapes in a claim, in bytes.
const MAX_STRING: usize = 8_192;

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
    let claims: Map<String, Value> = match token {
        Some(token) if headers.iter().any(is_claim) => token.claims_with(&mut [0; MAX_STRING])?,
        _ => Map::new(),
    };
    for ClaimHeader { name, source } in headers {
        let value = match (source, token) {
            (_, None) => HeaderValue::from_static(""),
            (Source::Subject, Some(token)) => header_value(token.subject()),
            (Source::Issuer, Some(token)) => header_value(token.issuer()),
            (Source::Scope, Some(token)) => header_value(&token.scope().to_string()),
            (Source::Client, Some(token)) => {
                header_value(token.authorized_party().or(token.client_id()).unwrap_or_default())
            }
            (Source::Claim(paths), Some(_)) => {
                let value = paths.iter().find_map(|path| find(&claims, path));
                match value {
                    None | Some(Value::Null) => HeaderValue::from_static(""),
                    Some(Value::String(text)) => header_value(text),
                    Some(value) => header_value(&value.to_string()),
                }
            }
        };
        set(name, value);
    }
    Ok(())
}

fn find<'c>(claims: &'c Map<String, Value>, path: &[String]) -> Option<&'c Value> {
    let (name, inner) = path.split_first()?;
    inner.iter().try_fold(claims.get(name)?, |value, name| value.as_object()?.get(name))
}

/// Encodes a string as the value of a header field. `%`, leading and trailing spaces and all
/// bytes other than visible ASCII and spaces are percent-encoded, so distinct strings have
/// distinct values.
pub(crate) fn header_value(text: &str) -> HeaderValue {
    let is_visible = |byte: u8| (b'!'..=b'~').contains(&byte) && byte != b'%';
    let mut value = String::new();
    // Without an early exit, the loop is vectorized.
    if !text.bytes().fold(true, |all, byte| all & is_visible(byte)) {
        let last = text.len().saturating_sub(1);
        for (index, byte) in text.bytes().enumerate() {
            match byte {
                // Recipients strip leading and trailing spaces of a value.
                b' ' if index != 0 && index != last => value.push(' '),
                byte if is_visible(byte) => value.push(char::from(byte)),
                byte => value.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    let value = if value.is_empty() { text } else { &value };
    HeaderValue::from_str(value).unwrap_or(HeaderValue::from_static(""))
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
        ] {
            assert_eq!(header_value(text), expected);
        }
    }
}
