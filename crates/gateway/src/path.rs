//! The paths of requests. Ambiguous paths are rejected.

use std::borrow::Cow;
use std::fmt;

/// A decoded path without its leading and trailing slash.
///
/// A path that proxy, gateway and application could interpret differently is rejected.
/// Otherwise, one path could be authorized and another one served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestPath<'t>(Cow<'t, str>);

/// The reason why a path is rejected as ambiguous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ambiguous {
    NotAbsolute,
    EmptySegment,
    DotSegment,
    Encoding,
    Character,
    Fragment,
}

impl fmt::Display for Ambiguous {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAbsolute => "does not start with a slash",
            Self::EmptySegment => "contains an empty segment",
            Self::DotSegment => "contains the segment . or ..",
            Self::Encoding => "contains invalid percent-encoding or invalid UTF-8",
            Self::Character => {
                "contains a slash, backslash, semicolon, percent sign, question mark, number sign \
                 or control character in a segment"
            }
            Self::Fragment => "contains a fragment",
        })
    }
}

impl<'t> RequestPath<'t> {
    /// Parses the path of a request target in origin form, such as `/a/b?query`
    /// ([RFC 9112 §3.2.1](https://www.rfc-editor.org/rfc/rfc9112#section-3.2.1)).
    pub(crate) fn parse(target: &'t str) -> Result<Self, Ambiguous> {
        // A request target has no fragment. In `/open#/../closed`, some servers remove it, and
        // others treat it as a part of the path.
        if target.contains('#') {
            return Err(Ambiguous::Fragment);
        }
        let path = target.split('?').next().unwrap_or_default();
        let path = path.strip_prefix('/').ok_or(Ambiguous::NotAbsolute)?;
        if path.is_empty() {
            return Ok(Self(Cow::Borrowed("")));
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        let path = if path.contains('%') { Cow::Owned(decode(path)?) } else { Cow::Borrowed(path) };
        path.split('/').try_for_each(check)?;
        Ok(Self(path))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Checks a decoded segment.
fn check(segment: &str) -> Result<(), Ambiguous> {
    if segment.is_empty() {
        Err(Ambiguous::EmptySegment)
    } else if segment == "." || segment == ".." {
        Err(Ambiguous::DotSegment)
    } else if segment.contains(is_ambiguous) {
        Err(Ambiguous::Character)
    } else {
        Ok(())
    }
}

fn is_ambiguous(character: char) -> bool {
    match character {
        // Some servers remove parameters, which start with a semicolon.
        '\\' | ';' | '%' => true,
        // Encoded ones: a path that is decoded twice ends there.
        '?' | '#' => true,
        // Characters that Unicode compatibility normalization maps to one of the others, to dots,
        // or to text with a slash.
        '\u{37e}' | '\u{2024}'..='\u{2026}' | '\u{2047}'..='\u{2049}' => true,
        '\u{2100}' | '\u{2101}' | '\u{2105}' | '\u{2106}' => true,
        '\u{fe14}' | '\u{fe16}' | '\u{fe19}' | '\u{fe30}' | '\u{fe52}' | '\u{fe54}'
        | '\u{fe56}' => true,
        '\u{fe5f}' | '\u{fe68}' | '\u{fe6a}' | '\u{ff03}' | '\u{ff05}' => true,
        '\u{ff0e}' | '\u{ff0f}' | '\u{ff1b}' | '\u{ff1f}' | '\u{ff3c}' => true,
        character => character.is_control(),
    }
}

/// Decodes a path. An encoded slash is rejected, since it would become a separator.
fn decode(path: &str) -> Result<String, Ambiguous> {
    let mut bytes = path.bytes();
    let mut decoded = Vec::with_capacity(path.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || {
            let digit = bytes.next().and_then(|byte| char::from(byte).to_digit(16));
            digit.and_then(|digit| u8::try_from(digit).ok()).ok_or(Ambiguous::Encoding)
        };
        match (digit()? << 4) | digit()? {
            b'/' => return Err(Ambiguous::Character),
            byte => decoded.push(byte),
        }
    }
    String::from_utf8(decoded).map_err(|_| Ambiguous::Encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unambiguous_paths_are_decoded() {
        for (target, expected) in [
            ("/", ""),
            ("/?a=//b", ""),
            ("/patients/17/", "patients/17"),
            ("/p%61tients/17?x=/../", "patients/17"),
            ("/%7Bid%7d", "{id}"),
            ("/a.b/..c/...", "a.b/..c/..."),
            ("/%C3%A4", "\u{e4}"),
        ] {
            assert_eq!(RequestPath::parse(target).unwrap().as_str(), expected, "{target}");
        }
    }

    #[test]
    fn ambiguous_paths_are_rejected() {
        for (target, expected) in [
            ("", Ambiguous::NotAbsolute),
            ("*", Ambiguous::NotAbsolute),
            ("patients", Ambiguous::NotAbsolute),
            ("http://example.com/patients", Ambiguous::NotAbsolute),
            ("//", Ambiguous::EmptySegment),
            ("//patients", Ambiguous::EmptySegment),
            ("/patients//17", Ambiguous::EmptySegment),
            ("/patients//", Ambiguous::EmptySegment),
            ("/patients/../admin", Ambiguous::DotSegment),
            ("/patients/%2e%2E/admin", Ambiguous::DotSegment),
            ("/patients/.%2e/admin", Ambiguous::DotSegment),
            ("/patients/./17", Ambiguous::DotSegment),
            ("/patients/..", Ambiguous::DotSegment),
            ("/patients%2F17", Ambiguous::Character),
            ("/patients%2f", Ambiguous::Character),
            ("/patients%5c..%5cadmin", Ambiguous::Character),
            ("/patients\\17", Ambiguous::Character),
            ("/patients/17;v=1", Ambiguous::Character),
            ("/patients/17%3bv=1", Ambiguous::Character),
            ("/patients/%252e%252e/admin", Ambiguous::Character),
            ("/patients/17%3Fa", Ambiguous::Character),
            ("/patients/17%23a", Ambiguous::Character),
            ("/patients/%00", Ambiguous::Character),
            ("/patients/%0a", Ambiguous::Character),
            ("/patients/%7f", Ambiguous::Character),
            ("/patients/%EF%BC%8E%EF%BC%8E/admin", Ambiguous::Character),
            ("/patients/17\u{ff1b}v=1", Ambiguous::Character),
            ("/patients/\u{ff05}2e", Ambiguous::Character),
            ("/patients\u{2100}b", Ambiguous::Character),
            ("/patients/%", Ambiguous::Encoding),
            ("/patients/%4", Ambiguous::Encoding),
            ("/patients/%zz", Ambiguous::Encoding),
            ("/patients/%+1", Ambiguous::Encoding),
            ("/patients/%ff", Ambiguous::Encoding),
            ("/patients/%c0%ae", Ambiguous::Encoding),
            ("/profile#/../admin", Ambiguous::Fragment),
            ("/patients?a#b", Ambiguous::Fragment),
        ] {
            assert_eq!(RequestPath::parse(target), Err(expected), "{target}");
        }
    }
}
