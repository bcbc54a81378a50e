//! Comparison of `http` and `https` URIs
//! ([RFC 3986 §6.2](https://www.rfc-editor.org/rfc/rfc3986#section-6.2)).

use core::fmt;

use crate::bytes::{find_near, split_once_near};

/// An `http` or `https` URI, parsed by the grammar of
/// [RFC 3986](https://www.rfc-editor.org/rfc/rfc3986#appendix-A) and compared without a
/// buffer.
///
/// ```
/// use claimgate::dpop::HttpUri;
///
/// let htu = HttpUri::parse("HTTPS://Server.example.com:443/%7euser").unwrap();
/// let url = HttpUri::parse("https://server.example.com/~user?page=2").unwrap();
/// assert!(htu.is_same_without_query(&url));
/// ```
#[derive(Clone, Copy)]
pub struct HttpUri<'a> {
    text: &'a str,
    scheme: Scheme,
    host: &'a str,
    port: u16,
    /// The length of the text before the path.
    authority_end: usize,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

impl<'a> HttpUri<'a> {
    /// Parses a URI.
    ///
    /// Returns `None` if the scheme is neither `http` nor `https`, if there is no host
    /// ([RFC 9110 §4.2](https://www.rfc-editor.org/rfc/rfc9110#section-4.2)), if there is user
    /// information (`user@host`), if the port is not a decimal number of at most 65,535
    /// without leading zeros, or if host or path contain characters outside of the grammar: a
    /// backslash, white space, a control character, a non-ASCII character, or a `%` that is
    /// not followed by two hexadecimal digits.
    ///
    /// Query and fragment may contain any visible ASCII characters: browsers send some that
    /// the grammar does not allow, and neither is compared.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = Scheme::split(text)?;
        let authority_len = rest.bytes().position(|byte| matches!(byte, b'/' | b'?' | b'#'));
        let (authority, tail) = rest.split_at_checked(authority_len.unwrap_or(rest.len()))?;
        let (before, fragment) = split_off(b'#', tail);
        let (path, query) = split_off(b'?', before);
        let is_visible = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        let is_parsed = is_component(path, PATH)
            && query.is_none_or(is_visible)
            && fragment.is_none_or(is_visible);
        let (host, port) = split_port(authority)?;
        let port = match port {
            None | Some("") => scheme.default_port(),
            Some(digits) => parse_port(digits)?,
        };
        let authority_end = text.len().checked_sub(tail.len())?;
        (is_parsed && is_host(host)).then_some(Self {
            text,
            scheme,
            host,
            port,
            authority_end,
            path,
            query,
            fragment,
        })
    }

    /// Returns whether two URIs are equal apart from query and fragment, as required of a DPoP
    /// proof's `htu` and the URL of the request
    /// ([RFC 9449 §4.3](https://www.rfc-editor.org/rfc/rfc9449#section-4.3)).
    ///
    /// Only these differences are ignored
    /// ([RFC 3986 §6.2.2](https://www.rfc-editor.org/rfc/rfc3986#section-6.2.2),
    /// [§6.2.3](https://www.rfc-editor.org/rfc/rfc3986#section-6.2.3)): the case of scheme and
    /// host; a missing, an empty and the scheme's default port; an unnecessary escape such as
    /// `%7E` for `~`; the case of the digits of an escape; an empty path and `/`.
    ///
    /// Dot segments and empty segments are not resolved: `/b` differs from `/a/../b`, `/./b`
    /// and `//b`, because servers interpret them differently. Hosts are compared as text: two
    /// notations of an IPv6 address differ, and so does a name with a final dot.
    #[must_use]
    pub fn is_same_without_query(&self, other: &Self) -> bool {
        self.scheme == other.scheme
            && self.port == other.port
            && self.host_octets().eq(other.host_octets())
            && self.path_octets().eq(other.path_octets())
    }

    fn host_octets(&self) -> impl Iterator<Item = Octet> {
        octets(self.host).map(Octet::to_lowercase)
    }

    fn path_octets(&self) -> impl Iterator<Item = Octet> {
        octets(if self.path.is_empty() { "/" } else { self.path })
    }

    /// Returns whether the scheme is `https`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.scheme == Scheme::Https
    }

    /// Returns scheme and authority, and the rest: path, query and fragment.
    pub(crate) fn split_authority(&self) -> (&'a str, &'a str) {
        self.text.split_at_checked(self.authority_end).unwrap_or((self.text, ""))
    }

    /// Returns whether the whole URI matches the grammar and has no fragment.
    pub(crate) fn is_strict_without_fragment(&self) -> bool {
        self.fragment.is_none() && self.query.is_none_or(|query| is_component(query, QUERY))
    }

    /// Returns whether there is no query and no fragment.
    pub(crate) const fn ends_with_path(&self) -> bool {
        self.query.is_none() && self.fragment.is_none()
    }
}

impl fmt::Debug for HttpUri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Queries may contain secrets.
        let end = self.authority_end.saturating_add(self.path.len());
        f.debug_tuple("HttpUri").field(&self.text.get(..end).unwrap_or_default()).finish()
    }
}

impl Scheme {
    /// Splits a text into the scheme and the text after `://`.
    fn split(text: &str) -> Option<(Self, &str)> {
        [(Self::Https, "https://"), (Self::Http, "http://")].into_iter().find_map(
            |(scheme, prefix)| {
                let (before, rest) = text.split_at_checked(prefix.len())?;
                before.eq_ignore_ascii_case(prefix).then_some((scheme, rest))
            },
        )
    }

    const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Splits a text at the first `delimiter`, which is in neither part.
fn split_off(delimiter: u8, text: &str) -> (&str, Option<&str>) {
    match split_once_near(delimiter, text) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// Splits host and port. The colons of an IPv6 address are in brackets.
fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    if !authority.starts_with('[') {
        return Some(split_off(b':', authority));
    }
    let host_len = find_near(b']', authority.as_bytes())?.checked_add(1)?;
    let (host, rest) = authority.split_at_checked(host_len)?;
    let port = if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) };
    Some((host, port))
}

fn parse_port(digits: &str) -> Option<u16> {
    let is_canonical = digits == "0" || !digits.starts_with(['0', '+']);
    digits.parse().ok().filter(|_| is_canonical)
}

/// Returns whether a text is `IP-literal`, without `IPvFuture`, or a `reg-name` that is not
/// empty. Every `IPv4address` is a `reg-name`.
fn is_host(host: &str) -> bool {
    match host.strip_prefix('[') {
        Some(rest) => {
            rest.strip_suffix(']').is_some_and(|address| is_ipv6_address(address.as_bytes()))
        }
        None => !host.is_empty() && is_component(host, HOST),
    }
}

/// Returns whether a text is `IPv6address`: eight groups of 16 bits, or up to seven and `::`
/// for the others. An IPv4 address at the end counts as two.
fn is_ipv6_address(text: &[u8]) -> bool {
    let is_double_colon = |pair: &[u8]| pair == b"::";
    let Some(place) = text.windows(2).position(is_double_colon) else {
        return count_groups(text, true) == Some(8);
    };
    let (before, after) = text.split_at_checked(place).unwrap_or_default();
    let after = after.get(2..).unwrap_or_default();
    let counts = count_groups(before, false).zip(count_groups(after, true));
    counts.is_some_and(|(before, after)| before.saturating_add(after) <= 7)
}

/// Returns the number of groups separated by single colons, or `None` if one is malformed.
fn count_groups(text: &[u8], may_end_with_ipv4: bool) -> Option<usize> {
    if text.is_empty() {
        return Some(0);
    }
    let is_h16 =
        |group: &[u8]| matches!(group.len(), 1..=4) && group.iter().all(u8::is_ascii_hexdigit);
    let mut count = 0_usize;
    let mut groups = text.split(|byte| *byte == b':').peekable();
    while let Some(group) = groups.next() {
        let is_last = groups.peek().is_none();
        count = count.saturating_add(match () {
            () if is_h16(group) => 1,
            () if is_last && may_end_with_ipv4 && is_ipv4_address(group) => 2,
            () => return None,
        });
    }
    Some(count)
}

/// Returns whether a text is `IPv4address`.
fn is_ipv4_address(text: &[u8]) -> bool {
    let is_octet = |digits: &[u8]| match digits {
        [b'0'..=b'9'] | [b'1'..=b'9', b'0'..=b'9'] => true,
        [b'1', rest @ ..] | [b'2', rest @ ..] if rest.len() == 2 => {
            rest.iter().all(u8::is_ascii_digit) && digits <= b"255".as_slice()
        }
        _ => false,
    };
    let octets = || text.split(|byte| *byte == b'.');
    octets().count() == 4 && octets().all(is_octet)
}

/// Returns whether a text consists of bytes of the set, and of escapes.
fn is_component(text: &str, set: u8) -> bool {
    // Most components have no escapes.
    text.bytes().all(|byte| is_in(set, byte))
        || octets(text).all(|octet| match octet {
            Octet::Plain(byte) => is_in(set, byte),
            Octet::Escaped(_) => true,
        })
}

/// `unreserved`.
const UNRESERVED: u8 = 1;
/// `unreserved` and `sub-delims`.
const HOST: u8 = 1 << 1;
/// `pchar` and the slash.
const PATH: u8 = 1 << 2;
/// `query`.
const QUERY: u8 = 1 << 3;

/// The sets that each byte is in.
const SETS: [u8; 256] = {
    let mut sets = [0; 256];
    let mut rest = sets.as_mut_slice();
    let mut byte = 0_u8;
    while let Some((place, others)) = rest.split_first_mut() {
        *place = match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                UNRESERVED | HOST | PATH | QUERY
            }
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' => {
                HOST | PATH | QUERY
            }
            b':' | b'@' | b'/' => PATH | QUERY,
            b'?' => QUERY,
            _ => 0,
        };
        byte = byte.wrapping_add(1);
        rest = others;
    }
    sets
};

fn is_in(set: u8, byte: u8) -> bool {
    SETS.get(usize::from(byte)).is_some_and(|sets| sets & set != 0)
}

/// An octet of a component, after unnecessary escapes are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Octet {
    /// An unescaped character, or an unreserved one that was escaped.
    Plain(u8),
    /// Another octet that is escaped. It is not equivalent to the character: `%2F` does not
    /// separate segments.
    Escaped(u8),
}

impl Octet {
    const fn to_lowercase(self) -> Self {
        match self {
            Self::Plain(byte) => Self::Plain(byte.to_ascii_lowercase()),
            Self::Escaped(_) => self,
        }
    }
}

/// Returns the octets of a component. A `%` that does not begin an escape is plain; a valid
/// component has none.
fn octets(text: &str) -> impl Iterator<Item = Octet> {
    let mut rest = text.as_bytes();
    core::iter::from_fn(move || {
        let escaped = rest.strip_prefix(b"%").and_then(decode_escape);
        let (&first, after) = rest.split_first()?;
        rest = if escaped.is_some() { after.get(2..)? } else { after };
        Some(match escaped {
            Some(byte) if is_in(UNRESERVED, byte) => Octet::Plain(byte),
            Some(byte) => Octet::Escaped(byte),
            None => Octet::Plain(first),
        })
    })
}

/// Returns the value of the two hexadecimal digits at the start of `text`.
fn decode_escape(text: &[u8]) -> Option<u8> {
    let [high, low] = text.first_chunk()?.map(|digit| char::from(digit).to_digit(16));
    u8::try_from((high? << 4) | low?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn parse(text: &str) -> HttpUri<'_> {
        HttpUri::parse(text).unwrap()
    }

    #[test]
    fn p06_each_escape_is_decoded_only_if_the_character_is_unreserved() {
        for byte in 0..=u8::MAX {
            for digits in [std::format!("{byte:02X}"), std::format!("{byte:02x}")] {
                let is_unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
                let expected =
                    if is_unreserved { Octet::Plain(byte) } else { Octet::Escaped(byte) };
                let text = std::format!("a%{digits}%");
                let expected = [Octet::Plain(b'a'), expected, Octet::Plain(b'%')];
                assert!(octets(&text).eq(expected), "{text}");
            }
        }
        for text in ["%", "%2", "%g0", "%0g", "%+1", "%%41", "% 1"] {
            assert_eq!(octets(text).next(), Some(Octet::Plain(b'%')), "{text}");
        }
    }

    /// The standard library implements the same grammar.
    #[test]
    fn p06_an_ipv6_address_is_what_the_standard_library_takes_for_one() {
        let check = |text: &str| {
            let expected = text.parse::<core::net::Ipv6Addr>().is_ok();
            assert_eq!(is_ipv6_address(text.as_bytes()), expected, "{text}");
            expected
        };
        for text in ["::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8"] {
            assert!(check(text), "{text}");
        }
        for octet in 0..=300 {
            assert_eq!(check(&std::format!("::{octet}.0.0.{octet}")), octet < 256);
            assert!(!check(&std::format!("::0{octet}.0.0.0")));
        }
        // All texts of some parts, up to a length.
        let parts = ["1", "abcd", "F0", ":", "::", "1.2.3.4", "12345", "g", ".", "0"];
        let mut texts: std::vec::Vec<std::string::String> = std::vec![std::string::String::new()];
        let mut valid = 0;
        for _ in 0..5 {
            texts = texts
                .iter()
                .flat_map(|text| parts.map(|part| std::format!("{text}{part}")))
                .collect();
            valid += texts.iter().filter(|text| check(text)).count();
        }
        assert!(valid > 1_000, "{valid}");
        // The maximum number of groups, one fewer and one more.
        for before in 0..=9 {
            for after in 0..=9 {
                for end in ["", "1.2.3.4"] {
                    let groups = |count| std::vec!["a"; count].join(":");
                    let colon = if after > 0 && !end.is_empty() { ":" } else { "" };
                    check(&std::format!("{}::{}{colon}{end}", groups(before), groups(after)));
                    check(&std::format!("{}{colon}{end}", groups(after)));
                }
            }
        }
    }

    #[test]
    fn a_uri_is_split_behind_its_authority() {
        for (text, expected) in [
            ("https://a", ("https://a", "")),
            ("https://a/", ("https://a", "/")),
            ("https://a:443/b?c#d", ("https://a:443", "/b?c#d")),
            ("HTTP://[::1]:8080?c", ("HTTP://[::1]:8080", "?c")),
            ("https://a:#d", ("https://a:", "#d")),
        ] {
            assert_eq!(parse(text).split_authority(), expected, "{text}");
        }
    }

    #[test]
    fn a_strict_uri_has_no_fragment_and_a_query_of_the_grammar() {
        for (text, is_strict, ends_with_path) in [
            ("https://a/b", true, true),
            ("https://a", true, true),
            ("https://a/b?c=/?:@%2f", true, false),
            ("https://a/b?", true, false),
            ("https://a/b#", false, false),
            ("https://a/b#c", false, false),
            ("https://a/b?c=[1]", false, false),
            ("https://a/b?c=%", false, false),
            ("https://a/b?c=\\", false, false),
        ] {
            assert_eq!(parse(text).is_strict_without_fragment(), is_strict, "{text}");
            assert_eq!(parse(text).ends_with_path(), ends_with_path, "{text}");
        }
    }

    #[test]
    fn a_query_is_not_shown() {
        let uri = parse("https://a:443/b?token=c#d");
        assert_eq!(std::format!("{uri:?}"), r#"HttpUri("https://a:443/b")"#);
    }
}
