//! The grammar of [RFC 8259](https://www.rfc-editor.org/rfc/rfc8259), walked
//! without recursion.

use super::MAX_DEPTH;
use super::escape::decode_escape;
use crate::bytes::{first_marked, mark, mark_below};
use crate::error::JsonFault;

/// A place in a text.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Whether nothing is left.
    pub(super) const fn is_at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    /// The next byte, which stays where it is.
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Steps over `byte` if it is next.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.at = self.at.saturating_add(1);
        }
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonFault> {
        if self.take(byte) { Ok(()) } else { Err(JsonFault::Syntax) }
    }

    /// Steps over white space. Nearly all texts have none.
    #[inline]
    pub(super) fn skip_whitespace(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at = self.at.saturating_add(1);
        }
    }

    #[inline]
    fn since(&self, start: usize) -> Result<&'a str, JsonFault> {
        self.text.get(start..self.at).ok_or(JsonFault::Syntax)
    }

    /// Reads a member's name and the colon after it, and returns the name as
    /// it is written, without quotes.
    #[inline]
    pub(super) fn name(&mut self) -> Result<&'a str, JsonFault> {
        self.skip_whitespace();
        let name = self.string()?;
        self.skip_whitespace();
        self.expect(b':')?;
        self.skip_whitespace();
        Ok(name)
    }

    /// Reads a string and returns it as it is written, without quotes.
    #[inline]
    fn string(&mut self) -> Result<&'a str, JsonFault> {
        self.expect(b'"')?;
        let start = self.at;
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            self.at = self.at.saturating_add(plain_len(rest));
            match self.peek() {
                Some(b'"') => {
                    let string = self.since(start)?;
                    self.at = self.at.saturating_add(1);
                    return Ok(string);
                }
                Some(b'\\') => self.escape()?,
                Some(_) => return Err(JsonFault::ControlCharacter),
                None => return Err(JsonFault::Syntax),
            }
        }
    }

    #[cold]
    fn escape(&mut self) -> Result<(), JsonFault> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let (_, consumed) = decode_escape(rest).ok_or(JsonFault::BadEscape)?;
        self.at = self.at.saturating_add(consumed);
        Ok(())
    }

    fn digits(&mut self) -> Result<(), JsonFault> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(JsonFault::BadNumber);
        }
        while let Some(b'0'..=b'9') = self.peek() {
            self.at = self.at.saturating_add(1);
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), JsonFault> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _signed = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        // `01` and `1x` end here with a character that no number can be followed by.
        match self.peek() {
            Some(b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'.' | b'+' | b'-') => {
                Err(JsonFault::BadNumber)
            }
            _ => Ok(()),
        }
    }

    fn literal(&mut self) -> Result<(), JsonFault> {
        let rest = self.text.get(self.at..).ok_or(JsonFault::Syntax)?;
        for literal in ["true", "false", "null"] {
            if rest.starts_with(literal) {
                self.at = self.at.saturating_add(literal.len());
                return Ok(());
            }
        }
        Err(JsonFault::Syntax)
    }

    /// Reads one value that stands `depth` containers deep, and returns it as
    /// it is written, and whether it is an array with nothing but strings in it.
    ///
    /// Which containers are open is one bit each in a word, so that brackets
    /// cost no stack.
    #[inline]
    pub(super) fn value(&mut self, depth: u32) -> Result<(&'a str, bool), JsonFault> {
        let start = self.at;
        let mut is_array_of_strings = false;
        match self.peek() {
            // Most values: nothing opens.
            Some(b'"') => {
                self.string()?;
            }
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => is_array_of_strings = self.any_value(depth)?,
        }
        Ok((self.since(start)?, is_array_of_strings))
    }

    fn any_value(&mut self, depth: u32) -> Result<bool, JsonFault> {
        let mut open = Open { depth, objects: 0 };
        // As long as nothing else was seen.
        let mut is_array_of_strings = self.peek() == Some(b'[');
        loop {
            match self.peek().ok_or(JsonFault::Syntax)? {
                b'{' => {
                    is_array_of_strings = false;
                    self.at = self.at.saturating_add(1);
                    open.push(true)?;
                    self.skip_whitespace();
                    if self.take(b'}') {
                        open.pop();
                    } else {
                        self.name()?;
                        continue;
                    }
                }
                b'[' => {
                    is_array_of_strings &= open.depth == depth;
                    self.at = self.at.saturating_add(1);
                    open.push(false)?;
                    self.skip_whitespace();
                    if self.take(b']') {
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
                if self.take(b',') {
                    self.skip_whitespace();
                    if open.is_in_object() {
                        self.name()?;
                    }
                    break;
                }
                self.expect(if open.is_in_object() { b'}' } else { b']' })?;
                open.pop();
            }
        }
    }
}

/// How many bytes stand before the first that a string cannot hold as it is: a
/// quote, a backslash or a control character; or before the end.
fn plain_len(text: &[u8]) -> usize {
    let (words, rest) = text.as_chunks::<8>();
    let mut length = 0_usize;
    for word in words {
        if let Some(place) = first_marked(mark_special(u64::from_le_bytes(*word))) {
            return length.saturating_add(place);
        }
        length = length.saturating_add(8);
    }
    length.saturating_add(plain_len_of_end(rest))
}

#[cold]
fn plain_len_of_end(text: &[u8]) -> usize {
    let is_plain = |byte: &&u8| !matches!(byte, ..0x20 | b'"' | b'\\');
    text.iter().take_while(is_plain).count()
}

/// Marks the bytes of a word that end a plain stretch.
const fn mark_special(word: u64) -> u64 {
    mark_below(0x20, word) | mark(b'"', word) | mark(b'\\', word)
}

/// The containers that are open: how many, and which of them are objects, the
/// innermost in the lowest bit.
struct Open {
    depth: u32,
    objects: u32,
}

impl Open {
    fn push(&mut self, is_object: bool) -> Result<(), JsonFault> {
        if self.depth >= MAX_DEPTH {
            return Err(JsonFault::TooDeep);
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
    use super::*;

    fn plain_len_one_by_one(text: &[u8]) -> usize {
        text.iter().take_while(|&&byte| byte >= 0x20 && byte != b'"' && byte != b'\\').count()
    }

    #[test]
    fn a_plain_stretch_ends_where_its_first_special_byte_stands() {
        for plain in [b'a', 0x20, 0x21, 0x23, 0x5b, 0x5d, 0x7f, 0x80, 0xa2, 0xdc, 0xff] {
            for length in 0..=25 {
                let mut text = [plain; 25];
                assert_eq!(plain_len(&text[..length]), length, "{plain:#x}");
                for at in 0..length {
                    for byte in 0..=u8::MAX {
                        text[at] = byte;
                        let expected = plain_len_one_by_one(&text[..length]);
                        assert_eq!(plain_len(&text[..length]), expected, "{byte:#x} at {at}");
                    }
                    text[at] = plain;
                }
            }
        }
    }

    #[test]
    fn of_several_special_bytes_the_first_counts() {
        let ends = [0, 0x1f, b'"', b'\\'];
        let others = [0, 0x1f, 0x20, 0x21, b'"', 0x23, 0x5b, b'\\', 0x5d, 0x80, 0xff];
        for at in 0..16 {
            for (end, other) in ends.into_iter().flat_map(|end| others.map(|other| (end, other))) {
                let mut text = [b'a'; 16];
                text[at] = end;
                text[at + 1..].fill(other);
                assert_eq!(plain_len(&text), at, "{end:#x}, then {other:#x}");
            }
        }
    }
}
