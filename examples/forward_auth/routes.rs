//! Which route a request takes: by its path, segment by segment, and its method.

use std::borrow::Cow;
use std::fmt;

use claimgate::policy::Forbidden;
use claimgate::{AccessToken, ScopePolicy, Validated};

/// What one route asks of a token that is valid.
pub struct Route {
    pub path: Segments,
    /// All methods, if it is empty.
    pub methods: Vec<String>,
    pub scopes: Vec<ScopePolicy<'static>>,
    pub permissions: Vec<ScopePolicy<'static>>,
}

impl Route {
    pub fn takes(&self, method: &str, path: &Segments) -> bool {
        path.starts_with(&self.path)
            && (self.methods.is_empty() || self.methods.iter().any(|taken| taken == method))
    }

    /// Whether this route takes all requests that `other` would.
    pub fn covers(&self, other: &Self) -> bool {
        other.path.starts_with(&self.path)
            && (self.methods.is_empty()
                || !other.methods.is_empty()
                    && other.methods.iter().all(|method| self.methods.contains(method)))
    }

    /// Checks that the token may take this route.
    pub fn authorize(&self, token: &Validated<AccessToken<'_>>) -> Result<(), Forbidden<'static>> {
        self.scopes.iter().try_for_each(|needed| token.authorize(needed))?;
        self.permissions.iter().try_for_each(|needed| token.authorize_permissions(needed))
    }
}

/// A path in segments, percent-decoded.
///
/// What gateway and application could read in two ways is refused: otherwise
/// one path would be authorised and another one served.
#[derive(Clone, PartialEq, Eq)]
pub struct Segments(Vec<String>);

/// Why a path is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ambiguous {
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
                "it has a slash, backslash, semicolon or control character encoded \
                 or raw within a segment"
            }
            Self::Fragment => "it has a #",
        })
    }
}

impl Segments {
    /// Reads the path of a request target in origin form, such as `/a/b?query`.
    pub fn parse(target: &str) -> Result<Self, Ambiguous> {
        // A target has no fragment (RFC 9112 §3.2). For some servers it would end the
        // path, for others be a part of it: `/open#/../closed`.
        if target.contains('#') {
            return Err(Ambiguous::Fragment);
        }
        let full = target.split('?').next().unwrap_or_default();
        let path = full.strip_prefix('/').ok_or(Ambiguous::NotAbsolute)?;
        let path = path.strip_suffix('/').unwrap_or(path);
        if path.is_empty() {
            // `//` has lost both its slashes.
            let is_root = full == "/";
            return if is_root { Ok(Self(Vec::new())) } else { Err(Ambiguous::EmptySegment) };
        }
        path.split('/').map(segment).collect::<Result<_, _>>().map(Self)
    }

    fn starts_with(&self, prefix: &Self) -> bool {
        self.0.starts_with(&prefix.0)
    }
}

fn segment(raw: &str) -> Result<String, Ambiguous> {
    if raw.is_empty() {
        return Err(Ambiguous::EmptySegment);
    }
    let decoded = decode(raw).ok_or(Ambiguous::Encoding)?;
    let is_ambiguous = |character: char| {
        // A semicolon starts parameters that some servers cut off.
        matches!(character, '/' | '\\' | ';' | '%') || character.is_control()
    };
    if decoded.contains(is_ambiguous) {
        return Err(Ambiguous::Character);
    }
    if decoded == "." || decoded == ".." {
        return Err(Ambiguous::DotSegment);
    }
    Ok(decoded.into_owned())
}

fn decode(raw: &str) -> Option<Cow<'_, str>> {
    if !raw.contains('%') {
        return Some(Cow::Borrowed(raw));
    }
    let mut bytes = raw.bytes();
    let mut decoded = Vec::with_capacity(raw.len());
    while let Some(byte) = bytes.next() {
        decoded.push(if byte == b'%' {
            hex_digit(bytes.next()?)? * 16 + hex_digit(bytes.next()?)?
        } else {
            byte
        });
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
