//! The path of a request, which has one reading.

use std::borrow::Cow;
use std::fmt;

/// A path in decoded segments, with `/` between them; empty for `/`.
///
/// A path that proxy, gateway and application could read in different ways is refused:
/// otherwise one path would be authorised and another one served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestPath<'t>(Cow<'t, str>);

/// Why a path is refused.
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
            Self::NotAbsolute => "it does not begin with a slash",
            Self::EmptySegment => "it has two slashes in a row",
            Self::DotSegment => "it has . or .. as a segment",
            Self::Encoding => "its percent-encoding is malformed or not UTF-8",
            Self::Character => {
                "it has a slash, backslash, semicolon, percent sign or control character within \
                 a segment"
            }
            Self::Fragment => "it has a #",
        })
    }
}

impl<'t> RequestPath<'t> {
    /// Parses the path of a request target in origin form, such as `/a/b?query`.
    pub(crate) fn parse(target: &'t str) -> Result<Self, Ambiguous> {
        // A target has no fragment (RFC 9112 §3.2). For some servers it would end the path,
        // for others be a part of it: `/open#/../closed`.
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
        // A semicolon starts parameters that some servers remove.
        '\\' | ';' | '%' => true,
        // The characters that Unicode's compatibility forms make dots and slashes of.
        '\u{2024}'..='\u{2026}'
        | '\u{fe52}'
        | '\u{fe68}'
        | '\u{ff0e}'
        | '\u{ff0f}'
        | '\u{ff3c}' => true,
        character => character.is_control(),
    }
}

/// Decodes each segment. An encoded slash would become a separator, and is refused.
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
    fn a_path_has_one_reading() {
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
    fn a_path_with_several_readings_is_refused() {
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
            ("/patients/%00", Ambiguous::Character),
            ("/patients/%0a", Ambiguous::Character),
            ("/patients/%7f", Ambiguous::Character),
            ("/patients/%EF%BC%8E%EF%BC%8E/admin", Ambiguous::Character),
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
