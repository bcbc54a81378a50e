//! An iterative scanner for the grammar of [RFC 8259](https://www.rfc-editor.org/rfc/rfc8259).

use super::MAX_DEPTH;
use super::escape::decode_escape;
use crate::bytes::{all, find_near, find_special};
use crate::error::JsonProblem;

/// The rest of a text.
pub(super) struct Scanner<'a> {
    rest: &'a str,
    /// Whether each string ends at the next quote, because the text contains no backslash and
    /// no control character in a string.
    is_plain: bool,
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(text: &'a str, is_plain: bool) -> Self {
        Self { rest: text, is_plain }
    }

    /// Returns whether the end is reached.
    pub(super) const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Skips `token` if it is next.
    #[inline]
    pub(super) fn take(&mut self, token: char) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    pub(super) fn skip_whitespace(&mut self) {
        self.step(self.place().after_whitespace().at);
    }

    /// Reads the next member of an object, or returns `None` at its end.
    pub(super) fn member(
        &mut self,
        is_first: bool,
    ) -> Result<Option<WrittenMember<'a>>, JsonProblem> {
        if self.take('}') {
            return Ok(None);
        }
        let name = match self.compact_name(is_first) {
            Some(name) => name,
            None => match self.any_name(is_first)? {
                Some(name) => name,
                None => return Ok(None),
            },
        };
        let (value, is_array_of_strings) = match self.compact_value() {
            Some(value) => value,
            None => {
                self.skip_whitespace();
                self.value(1)?
            }
        };
        Ok(Some(WrittenMember { name, value, is_array_of_strings }))
    }

    /// Reads a name in the usual form, without white space and escapes.
    ///
    /// Returns `None` without advancing if it has another form, valid or not.
    #[inline]
    fn compact_name(&mut self, is_first: bool) -> Option<&'a str> {
        let rest = if is_first { self.rest } else { self.rest.strip_prefix(",")? };
        let inside = rest.strip_prefix("\"")?;
        let length = if self.is_plain {
            find_near(b'"', inside.as_bytes())?
        } else {
            find_special(inside.as_bytes())
        };
        let (name, rest) = inside.split_at_checked(length)?;
        self.rest = rest.strip_prefix("\":")?;
        Some(name)
    }

    /// Reads a name and the colon after it by the whole grammar. `None` where the object
    /// ends.
    // Not in the way of the names that are read shortly.
    #[inline(never)]
    fn any_name(&mut self, is_first: bool) -> Result<Option<&'a str>, JsonProblem> {
        self.skip_whitespace();
        if self.take('}') {
            return Ok(None);
        }
        if !is_first && !self.take(',') {
            return Err(JsonProblem::Syntax);
        }
        self.skip_whitespace();
        if !self.take('"') {
            return Err(JsonProblem::Syntax);
        }
        let name = self.step(self.place().after_string(self.is_plain)?);
        self.step(self.place().after_colon()?);
        // Without its last quote.
        name.strip_suffix('"').map(Some).ok_or(JsonProblem::Syntax)
    }

    /// Reads a value in the usual form, without white space: digits, or in a plain text a
    /// string, an array of strings, or an object whose values are strings.
    ///
    /// Returns `None` without advancing if it has another form, valid or not.
    #[inline]
    fn compact_value(&mut self) -> Option<(&'a str, bool)> {
        let text = self.rest;
        let mut is_array_of_strings = false;
        let left = match text.as_bytes() {
            [b'"', inside @ ..] if self.is_plain => after_plain_string(inside)?,
            [b'[', b'"', inside @ ..] if self.is_plain => {
                is_array_of_strings = true;
                let mut left = after_plain_string(inside)?;
                while let [b',', b'"', inside @ ..] = left {
                    left = after_plain_string(inside)?;
                }
                left.strip_prefix(b"]")?
            }
            [b'{', b'"', inside @ ..] if self.is_plain => {
                let mut left = after_plain_member(inside)?;
                while let [b',', b'"', inside @ ..] = left {
                    left = after_plain_member(inside)?;
                }
                left.strip_prefix(b"}")?
            }
            [b'0', left @ ..] => matches!(left, [b',' | b'}', ..]).then_some(left)?,
            [b'1'..=b'9', digits @ ..] => {
                let left = digits.get(digits.iter().position(|byte| !byte.is_ascii_digit())?..)?;
                matches!(left, [b',' | b'}', ..]).then_some(left)?
            }
            _ => return None,
        };
        let (value, rest) = text.split_at_checked(text.len().checked_sub(left.len())?)?;
        self.rest = rest;
        Some((value, is_array_of_strings))
    }

    /// Reads a value at nesting depth `depth`. Returns it as it is written, and whether it is
    /// an array that contains only strings.
    pub(super) fn value(&mut self, depth: u32) -> Result<(&'a str, bool), JsonProblem> {
        let (end, is_array_of_strings) = self.place().after_value(depth, self.is_plain)?;
        Ok((self.step(end), is_array_of_strings))
    }

    const fn place(&self) -> Place<'a> {
        Place { bytes: self.rest.as_bytes(), at: 0 }
    }

    /// Skips `count` bytes, of which the last is ASCII, and returns them.
    #[inline]
    fn step(&mut self, count: usize) -> &'a str {
        let (before, rest) = self.rest.split_at_checked(count).unwrap_or_default();
        self.rest = rest;
        before
    }
}

/// A member as it is written, the name without quotes.
pub(super) struct WrittenMember<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
    pub(super) is_array_of_strings: bool,
}

/// A position in a text. Functions that can fail return only the next position, which then
/// stays in a register, for speed.
#[derive(Clone, Copy)]
struct Place<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Place<'a> {
    /// Returns the byte at this position, or 0 at the end, which no token begins with.
    #[inline]
    fn peek(self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or_default()
    }

    #[inline]
    const fn skip(self, count: usize) -> Self {
        Self { at: self.at.wrapping_add(count), ..self }
    }

    /// Returns the text from this position.
    #[inline]
    fn rest(self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Skips white space, which nearly all texts do not contain.
    #[inline]
    fn after_whitespace(self) -> Self {
        let mut place = self;
        while place.peek() <= b' ' && matches!(place.peek(), b' ' | b'\n' | b'\r' | b'\t') {
            place = place.skip(1);
        }
        place
    }

    /// Skips a colon and the white space around it.
    #[inline]
    fn after_colon(self) -> Result<usize, JsonProblem> {
        let colon = self.after_whitespace();
        match colon.peek() {
            b':' => Ok(colon.skip(1).after_whitespace().at),
            _ => Err(JsonProblem::Syntax),
        }
    }

    /// Skips a member's name and the colon.
    #[inline]
    fn after_name(self, is_plain: bool) -> Result<usize, JsonProblem> {
        match self.peek() {
            b'"' => Self { at: self.skip(1).after_string(is_plain)?, ..self }.after_colon(),
            _ => Err(JsonProblem::Syntax),
        }
    }

    /// Skips a string whose first quote has been read.
    #[inline]
    fn after_string(self, is_plain: bool) -> Result<usize, JsonProblem> {
        match self.peek() {
            // An empty string, for which a word-at-a-time search is not faster.
            b'"' => Ok(self.skip(1).at),
            _ if is_plain => {
                let length = find_near(b'"', self.rest()).ok_or(JsonProblem::Syntax)?;
                Ok(self.skip(length).skip(1).at)
            }
            _ => self.after_rest_of_string(),
        }
    }

    /// Skips the rest of a string that may have escapes.
    #[inline(never)]
    fn after_rest_of_string(self) -> Result<usize, JsonProblem> {
        let mut place = self;
        loop {
            place = match place.peek() {
                b'"' => return Ok(place.skip(1).at),
                b'\\' => match place.skip(1).peek() {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => place.skip(2),
                    _ => {
                        let escape = decode_escape(place.rest());
                        place.skip(escape.ok_or(JsonProblem::BadEscape)?.1)
                    }
                },
                0..=0x1f if place.at < place.bytes.len() => {
                    return Err(JsonProblem::ControlCharacter);
                }
                0..=0x1f => return Err(JsonProblem::Syntax),
                _ => place.skip(find_special(place.rest())),
            };
        }
    }

    #[inline]
    fn after_digits(self) -> Self {
        let mut place = self;
        while place.peek().is_ascii_digit() {
            place = place.skip(1);
        }
        place
    }

    /// Skips at least one digit.
    fn after_some_digits(self) -> Result<Self, JsonProblem> {
        if self.peek().is_ascii_digit() {
            Ok(self.after_digits())
        } else {
            Err(JsonProblem::BadNumber)
        }
    }

    /// Skips a number that begins with a digit.
    #[inline]
    fn after_digit(self) -> Result<usize, JsonProblem> {
        let end = if self.peek() == b'0' { self.skip(1) } else { self.skip(1).after_digits() };
        match end.peek() {
            b',' | b']' | b'}' => Ok(end.at),
            _ => end.after_rest_of_number(),
        }
    }

    /// Skips a number that begins with a sign.
    fn after_sign(self) -> Result<usize, JsonProblem> {
        let digits = self.skip(1);
        if digits.peek().is_ascii_digit() {
            digits.after_digit()
        } else {
            Err(JsonProblem::BadNumber)
        }
    }

    /// Skips a fraction and an exponent, if there are any.
    #[inline(never)]
    fn after_rest_of_number(self) -> Result<usize, JsonProblem> {
        let mut place = self;
        if place.peek() == b'.' {
            place = place.skip(1).after_some_digits()?;
        }
        if matches!(place.peek(), b'e' | b'E') {
            place = place.skip(1);
            if matches!(place.peek(), b'+' | b'-') {
                place = place.skip(1);
            }
            place = place.after_some_digits()?;
        }
        // `01` and `1x` end here with a character that cannot follow a number.
        match place.peek() {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'.' | b'+' | b'-' => {
                Err(JsonProblem::BadNumber)
            }
            _ => Ok(place.at),
        }
    }

    fn after_literal(self) -> Result<usize, JsonProblem> {
        let literals: [&[u8]; 3] = [b"true", b"false", b"null"];
        let literal = literals.iter().find(|literal| self.rest().starts_with(literal));
        literal.map(|literal| self.skip(literal.len()).at).ok_or(JsonProblem::Syntax)
    }

    /// Skips a value at nesting depth `depth`. Also returns whether it is an array that
    /// contains only strings.
    ///
    /// The open containers are bits of a word, so nesting uses no stack.
    fn after_value(self, depth: u32, is_plain: bool) -> Result<(usize, bool), JsonProblem> {
        let mut place = self;
        let mut open = Open { depth, objects: 0 };
        // True until another type of value is found.
        let mut is_array_of_strings = place.peek() == b'[';
        loop {
            match place.peek() {
                b'"' => place.at = place.skip(1).after_string(is_plain)?,
                b'0'..=b'9' => {
                    is_array_of_strings = false;
                    place.at = place.after_digit()?;
                }
                b'{' => {
                    is_array_of_strings = false;
                    open.push(true)?;
                    place = place.skip(1).after_whitespace();
                    if place.peek() != b'}' {
                        place.at = place.after_name(is_plain)?;
                        continue;
                    }
                    place = place.skip(1);
                    open.pop();
                }
                b'[' => {
                    is_array_of_strings &= open.depth == depth;
                    open.push(false)?;
                    place = place.skip(1).after_whitespace();
                    if place.peek() != b']' {
                        continue;
                    }
                    place = place.skip(1);
                    open.pop();
                }
                other => {
                    is_array_of_strings = false;
                    place.at =
                        if other == b'-' { place.after_sign() } else { place.after_literal() }?;
                }
            }
            // After the end of a value: close containers, or continue with the next value.
            loop {
                if open.depth == depth {
                    return Ok((place.at, is_array_of_strings));
                }
                place = place.after_whitespace();
                match (place.peek(), open.is_in_object()) {
                    (b',', is_in_object) => {
                        place = place.skip(1).after_whitespace();
                        if is_in_object {
                            place.at = place.after_name(is_plain)?;
                        }
                        break;
                    }
                    (b'}', true) | (b']', false) => place = place.skip(1),
                    _ => return Err(JsonProblem::Syntax),
                }
                open.pop();
            }
        }
    }
}

/// Returns the text after a plain string, given the text after its first quote.
#[inline(always)]
fn after_plain_string(inside: &[u8]) -> Option<&[u8]> {
    inside.get(find_near(b'"', inside)?.checked_add(1)?..)
}

/// Returns the text after a member whose value is a plain string, given the text after its
/// first quote.
#[inline]
fn after_plain_member(inside: &[u8]) -> Option<&[u8]> {
    after_plain_string(after_plain_string(inside)?.strip_prefix(b":\"")?)
}

/// Returns a string without its quotes.
#[inline]
pub(super) fn unquoted(string: &str) -> Option<&str> {
    string.strip_prefix("\"")?.strip_suffix("\"")
}

/// Returns whether a text contains neither a backslash nor a control character. Tests many
/// bytes at a time.
pub(super) fn is_plain(text: &[u8]) -> bool {
    all(text, |byte| byte >= 0x20 && byte != b'\\')
}

/// The open containers: their number, and which of them are objects, with the innermost in the
/// lowest bit.
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

    /// Returns the members of an object after its opening brace, and the error at its end.
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
