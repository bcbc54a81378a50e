//! The grammar of [RFC 8259](https://www.rfc-editor.org/rfc/rfc8259), walked
//! without recursion.

use super::MAX_DEPTH;
use super::escape::decode_escape;
use crate::bytes::{all, find_near};
use crate::error::JsonProblem;

/// What is left of a text.
pub(super) struct Scanner<'a> {
    rest: &'a str,
    /// Whether each string ends at the next quote: there is no backslash in the
    /// text, and no control character in its strings.
    is_plain: bool,
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(text: &'a str, is_plain: bool) -> Self {
        Self { rest: text, is_plain }
    }

    /// Whether nothing is left.
    pub(super) const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next byte, which stays where it is.
    fn peek(&self) -> Option<u8> {
        self.rest.as_bytes().first().copied()
    }

    /// Steps over `token` if it is next.
    #[inline]
    pub(super) fn take(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    #[inline]
    fn expect(&mut self, token: &str) -> Result<(), JsonProblem> {
        if self.take(token) { Ok(()) } else { Err(JsonProblem::Syntax) }
    }

    /// Steps over white space. Nearly all texts have none.
    #[inline]
    pub(super) fn skip_whitespace(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
    }

    /// Reads the next member of an object. `None` where the object ends.
    pub(super) fn member(
        &mut self,
        is_first: bool,
    ) -> Result<Option<WrittenMember<'a>>, JsonProblem> {
        if self.take("}") {
            return Ok(None);
        }
        let compact = if self.is_plain { compact_member(self.rest, is_first) } else { None };
        if let Some((member, rest)) = compact {
            self.rest = rest;
            return Ok(Some(member));
        }
        self.any_member(is_first)
    }

    /// By the whole grammar; not in the way of the members that are read shortly.
    #[inline(never)]
    fn any_member(&mut self, is_first: bool) -> Result<Option<WrittenMember<'a>>, JsonProblem> {
        self.skip_whitespace();
        if self.take("}") {
            return Ok(None);
        }
        if !is_first {
            self.expect(",")?;
            self.skip_whitespace();
        }
        let name = self.name()?;
        let (value, is_array_of_strings) = self.value(1)?;
        Ok(Some(WrittenMember { name, value, is_array_of_strings }))
    }

    /// Reads a member's name and the colon after it, and returns the name as
    /// it is written, without quotes.
    #[inline]
    fn name(&mut self) -> Result<&'a str, JsonProblem> {
        let name = self.string()?;
        self.skip_whitespace();
        self.expect(":")?;
        self.skip_whitespace();
        unquoted(name).ok_or(JsonProblem::Syntax)
    }

    /// Reads a string and returns it as it is written, with its quotes.
    #[inline]
    fn string(&mut self) -> Result<&'a str, JsonProblem> {
        let inside = self.rest.strip_prefix("\"").ok_or(JsonProblem::Syntax)?.as_bytes();
        let length = if self.is_plain {
            find_near(b'"', inside).ok_or(JsonProblem::Syntax)?
        } else {
            string_len(inside)?
        };
        let (string, rest) =
            self.rest.split_at_checked(length.saturating_add(2)).ok_or(JsonProblem::Syntax)?;
        self.rest = rest;
        Ok(string)
    }

    fn digits(&mut self) -> Result<(), JsonProblem> {
        let is_other = |byte: &u8| !byte.is_ascii_digit();
        let count = self.rest.as_bytes().iter().position(is_other).unwrap_or(self.rest.len());
        self.rest = self.rest.get(count..).unwrap_or_default();
        if count == 0 { Err(JsonProblem::BadNumber) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<(), JsonProblem> {
        self.take("-");
        if !self.take("0") {
            self.digits()?;
        }
        if self.take(".") {
            self.digits()?;
        }
        if self.take("e") || self.take("E") {
            let _signed = self.take("+") || self.take("-");
            self.digits()?;
        }
        // `01` and `1x` end here with a character that no number can be followed by.
        match self.peek() {
            Some(b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'.' | b'+' | b'-') => {
                Err(JsonProblem::BadNumber)
            }
            _ => Ok(()),
        }
    }

    fn literal(&mut self) -> Result<(), JsonProblem> {
        let is_one = self.take("true") || self.take("false") || self.take("null");
        if is_one { Ok(()) } else { Err(JsonProblem::Syntax) }
    }

    /// Reads one value that stands `depth` containers deep, and returns it as
    /// it is written, and whether it is an array with nothing but strings in it.
    pub(super) fn value(&mut self, depth: u32) -> Result<(&'a str, bool), JsonProblem> {
        let text = self.rest;
        let is_array_of_strings = self.skip_value(depth)?;
        let length = text.len().saturating_sub(self.rest.len());
        Ok((text.get(..length).ok_or(JsonProblem::Syntax)?, is_array_of_strings))
    }

    /// Which containers are open is one bit each in a word, so that brackets cost no
    /// stack.
    fn skip_value(&mut self, depth: u32) -> Result<bool, JsonProblem> {
        let mut open = Open { depth, objects: 0 };
        // As long as nothing else was seen.
        let mut is_array_of_strings = self.peek() == Some(b'[');
        loop {
            match self.peek().ok_or(JsonProblem::Syntax)? {
                b'{' => {
                    is_array_of_strings = false;
                    self.expect("{")?;
                    open.push(true)?;
                    self.skip_whitespace();
                    if self.take("}") {
                        open.pop();
                    } else {
                        self.name()?;
                        continue;
                    }
                }
                b'[' => {
                    is_array_of_strings &= open.depth == depth;
                    self.expect("[")?;
                    open.push(false)?;
                    self.skip_whitespace();
                    if self.take("]") {
                        open.pop();
                    } else {
                        continue;
                    }
                }
                b'"' => {
                    self.string()?;
                }
                b'-' | b'0'..=b'9' => {
                    is_array_of_strings = false;
                    self.number()?;
                }
                _ => {
                    is_array_of_strings = false;
                    self.literal()?;
                }
            }
            // A value has ended: close what ends with it, or go on to the next.
            loop {
                if open.depth == depth {
                    return Ok(is_array_of_strings);
                }
                self.skip_whitespace();
                if self.take(",") {
                    self.skip_whitespace();
                    if open.is_in_object() {
                        self.name()?;
                    }
                    break;
                }
                self.expect(if open.is_in_object() { "}" } else { "]" })?;
                open.pop();
            }
        }
    }
}

/// A member as it is written, the name without quotes.
pub(super) struct WrittenMember<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
    pub(super) is_array_of_strings: bool,
}

/// Reads a member as nearly all are written, without white space, in a plain text:
/// a string, strings, or digits. Returns it with what is left.
///
/// `None` if it is anything else, valid or not.
#[inline]
fn compact_member(text: &str, is_first: bool) -> Option<(WrittenMember<'_>, &str)> {
    let text = if is_first { text } else { text.strip_prefix(",")? };
    let inside = text.strip_prefix("\"")?;
    let (name, rest) = inside.split_at_checked(find_near(b'"', inside.as_bytes())?)?;
    let text = rest.strip_prefix("\":")?;
    let mut is_array_of_strings = false;
    let left = match text.as_bytes() {
        [b'"', inside @ ..] => after_string(inside)?,
        [b'[', b'"', inside @ ..] => {
            is_array_of_strings = true;
            let mut left = after_string(inside)?;
            while let [b',', b'"', inside @ ..] = left {
                left = after_string(inside)?;
            }
            left.strip_prefix(b"]")?
        }
        // Zero, and what begins with it, is rare.
        [b'1'..=b'9', digits @ ..] => {
            let left = digits.get(digits.iter().position(|byte| !byte.is_ascii_digit())?..)?;
            matches!(left, [b',' | b'}', ..]).then_some(left)?
        }
        _ => return None,
    };
    let (value, rest) = text.split_at_checked(text.len().checked_sub(left.len())?)?;
    Some((WrittenMember { name, value, is_array_of_strings }, rest))
}

/// What is left after a plain string's first quote and everything until its last.
#[inline]
fn after_string(inside: &[u8]) -> Option<&[u8]> {
    inside.get(find_near(b'"', inside)?.checked_add(1)?..)
}

/// A string without its quotes.
#[inline]
pub(super) fn unquoted(string: &str) -> Option<&str> {
    string.strip_prefix("\"")?.strip_suffix("\"")
}

/// Whether there is neither a backslash nor a control character. Looks at all bytes,
/// and so at many at a time.
pub(super) fn is_plain(text: &[u8]) -> bool {
    all(text, |byte| byte >= 0x20 && byte != b'\\')
}

/// How many bytes stand before the quote that ends a string.
fn string_len(text: &[u8]) -> Result<usize, JsonProblem> {
    // Nearly always it is the next quote, also in a text that is not plain.
    let until_quote = find_near(b'"', text).and_then(|length| text.get(..length));
    if let Some(string) = until_quote.filter(|string| is_plain(string)) {
        return Ok(string.len());
    }
    let mut rest = text;
    loop {
        rest = match rest {
            [b'"', ..] => return Ok(text.len().saturating_sub(rest.len())),
            [b'\\', ..] => {
                let (_, consumed) = decode_escape(rest).ok_or(JsonProblem::BadEscape)?;
                rest.get(consumed..).unwrap_or_default()
            }
            [0..=0x1f, ..] => return Err(JsonProblem::ControlCharacter),
            [_, others @ ..] => others,
            [] => return Err(JsonProblem::Syntax),
        };
    }
}

/// The containers that are open: how many, and which of them are objects, the
/// innermost in the lowest bit.
struct Open {
    depth: u32,
    objects: u32,
}

impl Open {
    fn push(&mut self, is_object: bool) -> Result<(), JsonProblem> {
        if self.depth >= MAX_DEPTH {
            return Err(JsonProblem::TooDeep);
        }
        self.depth = self.depth.saturating_add(1);
        self.objects = (self.objects << 1) | u32::from(is_object);
        Ok(())
    }

    fn pop(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.objects >>= 1;
    }

    const fn is_in_object(&self) -> bool {
        self.objects & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use std::format;
    use std::string::ToString;
    use std::vec::Vec;

    use super::*;

    /// The members of an object after its brace, and how it ends.
    fn members(text: &str, is_plain: bool) -> (Vec<(&str, &str, bool)>, Option<JsonProblem>) {
        let mut scanner = Scanner::new(text, is_plain);
        let mut members = Vec::new();
        loop {
            match scanner.member(members.is_empty()) {
                Ok(Some(member)) => {
                    members.push((member.name, member.value, member.is_array_of_strings));
                }
                Ok(None) => return (members, None),
                Err(fault) => return (members, Some(fault)),
            }
        }
    }

    #[test]
    fn in_a_plain_text_the_short_way_reads_what_the_long_way_reads() {
        let text = r#""iss":"https://é/","aud":["b","cd"],"exp":1311281970,"n":0,"e":[],"o":{"p":[1]},"q":-1.5,"r":""}"#;
        assert_eq!(members(text, true).0.len(), 8);
        let mut count = 0;
        for at in 0..=text.len() {
            let (Some(before), Some(after)) = (text.get(..at), text.get(at..)) else { continue };
            let rest = after.get(1..).unwrap_or(after);
            let others = r#""[]{},: 019-.eEtnx/"#.chars();
            let changed = others.flat_map(|other| {
                [format!("{before}{other}{after}"), format!("{before}{other}{rest}")]
            });
            for text in changed.chain([format!("{before}{rest}"), before.to_string()]) {
                assert_eq!(members(&text, true), members(&text, false), "{text}");
                count += 1;
            }
        }
        assert!(count > 3_000, "{count}");
    }
}
