//! The only JSON parser of the crate. Only `custom.rs` uses serde-json-core.
//!
//! It accepts a subset of [RFC 8259](https://www.rfc-editor.org/rfc/rfc8259): UTF-8, one
//! object with nothing after it, at most [`MAX_DEPTH`] nested containers, at most
//! [`MAX_MEMBERS`] members in an object that is read (more in some documents), and no
//! duplicate names in it. The whole text is checked, including values that are not read.

mod custom;
mod escape;
mod names;
mod scanner;

use core::mem;

use heapless::Vec;

use crate::bytes::{equal, find_near};
use crate::error::{Error, Input, JsonProblem};
use escape::{Unescaped, normalise};
use names::{Seen, fingerprint, fingerprint_of_characters};
use scanner::{Scanner, WrittenMember, is_plain, unquoted};

pub(crate) use custom::deserialize;
pub(crate) use names::Name;

/// The maximum nesting depth of objects and arrays, including the outermost object.
///
/// Tokens have three or four levels (`cnf` → `jwk`); an attacker could send any number.
pub(crate) const MAX_DEPTH: u32 = 16;

/// The maximum number of members of an object that is read.
///
/// Every name is compared with the others, so the limit bounds that work. Tokens have about
/// twenty members.
pub(crate) const MAX_MEMBERS: usize = 64;

/// A member of an object.
#[derive(Clone, Copy)]
pub(crate) struct Member<'a> {
    /// The name as it is written, without quotes.
    pub(crate) name: &'a str,
    fingerprint: u64,
    pub(crate) value: Value<'a>,
}

impl<'a> Member<'a> {
    /// The name as a string, which may have escapes.
    fn name(&self) -> Text<'a> {
        self.value.sibling(self.name)
    }
}

/// An object whose text is valid and whose names differ from each other.
pub(crate) struct Object<'a, const MAX: usize = MAX_MEMBERS> {
    members: Vec<Member<'a>, MAX>,
}

impl<'a> Object<'a> {
    /// Constructs an object without members.
    pub(crate) fn empty() -> Self {
        Self::empty_with_capacity()
    }

    /// Indexes the members of a text that [`read_decoded`](Self::read_decoded) returned.
    pub(crate) fn parse_decoded(text: &'a [u8], input: Input) -> Result<Self, Error> {
        let mut object = Self::empty();
        object.index(to_str(text, input)?, Prescan::at(text), Escapes::Needed, input)?;
        Ok(object)
    }
}

impl<'a, const MAX: usize> Object<'a, MAX> {
    /// Constructs an object without members and with capacity for `MAX`.
    pub(crate) fn empty_with_capacity() -> Self {
        Self { members: Vec::new() }
    }

    /// Checks a whole text, from the first byte to the last, and indexes the members of its
    /// outermost object.
    pub(crate) fn read(&mut self, text: &'a str, input: Input) -> Result<(), Error> {
        self.index(text, Prescan::at(text.as_bytes()), Escapes::Any, input)
    }

    /// Like [`read`](Self::read), but first removes the needless escapes from the text in
    /// `buffer`. Returns the remaining text.
    ///
    /// The index is filled in place: it is so large that moving it would cost more than
    /// filling it.
    ///
    /// Issuers that write `https:\/\/…` or `\u00f6` then cause no further cost, and
    /// serde-json-core, which does not unescape names, can compare names.
    pub(crate) fn read_decoded(
        &mut self,
        buffer: &'a mut [u8],
        input: Input,
    ) -> Result<&'a [u8], Error> {
        let mut prescan = Prescan::at(buffer);
        let mut length = buffer.len();
        if prescan == Prescan::Backslash {
            length = normalise(buffer);
            prescan = Prescan::at(buffer.get(..length).unwrap_or_default());
        }
        let text = buffer.get(..length).unwrap_or_default();
        self.index(to_str(text, input)?, prescan, Escapes::Needed, input)?;
        Ok(text)
    }

    fn index(
        &mut self,
        text: &'a str,
        prescan: Prescan,
        escapes: Escapes,
        input: Input,
    ) -> Result<(), Error> {
        let mut seen = Seen::new();
        for_each_member(text, prescan, escapes, input, |name, value| {
            let fingerprint = match value.escapes {
                Escapes::Any => fingerprint_of_characters(Unescaped(name)),
                // Names are equal if and only if their bytes are.
                Escapes::Absent | Escapes::Needed => fingerprint(name.as_bytes()),
            };
            if seen.add(fingerprint) && self.contains(fingerprint) {
                return Err(Error::DuplicateMember(input));
            }
            let too_many = Error::InvalidJson(input, JsonProblem::TooManyMembers);
            self.members.push(Member { name, fingerprint, value }).map_err(|_| too_many)
        })
    }

    /// Returns whether a name has this fingerprint. Without branches, since an attacker can make
    /// many comparisons necessary.
    fn contains(&self, fingerprint: u64) -> bool {
        let members = self.members.iter();
        members.fold(false, |any, member| any | (member.fingerprint == fingerprint))
    }

    /// Returns the members in their order.
    pub(crate) fn members(&self) -> impl Iterator<Item = Member<'a>> + '_ {
        self.members.iter().copied()
    }

    /// Returns the value of the member with this name.
    #[inline]
    pub(crate) fn get(&self, name: &str) -> Option<Value<'a>> {
        self.find(&Name::new(name)).copied()
    }

    /// Like [`get`](Self::get), but does not copy the value.
    #[inline(always)]
    pub(crate) fn find(&self, name: &Name<'_>) -> Option<&Value<'a>> {
        // All members are from one text, so either all of them may have escapes or none.
        if self.members.first()?.value.may_have_escapes() {
            return self.find_escaped(name.text);
        }
        let is_same =
            |member: &&Member<'_>| member.fingerprint == name.fingerprint && name.is(member.name);
        self.members.iter().find(is_same).map(|member| &member.value)
    }

    #[cold]
    #[inline(never)]
    fn find_escaped(&self, name: &str) -> Option<&Value<'a>> {
        let mut members = self.members.iter();
        members.find(|member| member.name().is(name)).map(|member| &member.value)
    }
}

fn to_str(text: &[u8], input: Input) -> Result<&str, Error> {
    core::str::from_utf8(text).map_err(|_| Error::InvalidJson(input, JsonProblem::NotUtf8))
}

/// Checks a whole text, and calls `visit` with each member of its outermost object. The text
/// contains no other escapes than `escapes`.
fn for_each_member<'a>(
    text: &'a str,
    prescan: Prescan,
    escapes: Escapes,
    input: Input,
    mut visit: impl FnMut(&'a str, Value<'a>) -> Result<(), Error>,
) -> Result<(), Error> {
    let fault = |fault| Error::InvalidJson(input, fault);
    let escapes = if prescan == Prescan::Backslash { escapes } else { Escapes::Absent };
    let mut scanner = Scanner::new(text, prescan == Prescan::Plain);
    scanner.skip_whitespace();
    if !scanner.take('{') {
        return Err(fault(JsonProblem::NotAnObject));
    }
    let mut is_first = true;
    while let Some(written) = scanner.member(is_first).map_err(fault)? {
        let WrittenMember { name, value: text, is_array_of_strings } = written;
        visit(name, Value { text, escapes, is_array_of_strings })?;
        is_first = false;
    }
    scanner.skip_whitespace();
    if scanner.is_at_end() { Ok(()) } else { Err(fault(JsonProblem::TrailingData)) }
}

/// The result of a chunked scan of a text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Prescan {
    /// Nearly all texts: a string ends at the next quote.
    Plain,
    /// There are control characters, such as line breaks, and no backslash.
    ControlCharacter,
    Backslash,
}

/// The escapes that a text may contain.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    /// None: most texts contain no backslash.
    Absent,
    /// Only those that [`normalise`] leaves.
    Needed,
    Any,
}

impl Prescan {
    fn at(text: &[u8]) -> Self {
        if is_plain(text) {
            Self::Plain
        } else if text.contains(&b'\\') {
            Self::Backslash
        } else {
            Self::ControlCharacter
        }
    }
}

/// Returns the first member with this name in an unverified text; use it only to select an
/// issuer. Names are not checked for duplicates, to save time.
pub(crate) fn find_first<'a>(text: &'a [u8], name: &str, input: Input) -> Option<Value<'a>> {
    let mut first = None;
    for_each_member(
        to_str(text, input).ok()?,
        Prescan::at(text),
        Escapes::Any,
        input,
        |found, value| {
            if first.is_none() && value.sibling(found).is(name) {
                first = Some(value);
            }
            Ok(())
        },
    )
    .ok()?;
    first
}

/// A valid value, as it is written.
#[derive(Clone, Copy)]
pub(crate) struct Value<'a> {
    text: &'a str,
    escapes: Escapes,
    /// Whether it is an array that contains only strings.
    is_array_of_strings: bool,
}

impl<'a> Value<'a> {
    fn may_have_escapes(self) -> bool {
        self.escapes != Escapes::Absent
    }

    /// Returns a string of the same text as this value, for example its name.
    fn sibling(self, text: &'a str) -> Text<'a> {
        Text { text, may_have_escapes: self.may_have_escapes() }
    }

    /// Returns the text of a number, or `None` for another type.
    pub(crate) fn number(self) -> Option<&'a str> {
        let is_number = matches!(self.text.as_bytes(), [b'-' | b'0'..=b'9', ..]);
        is_number.then_some(self.text)
    }

    /// Returns the value of a boolean, or `None` for another type.
    pub(crate) fn boolean(self) -> Option<bool> {
        match self.text {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// Returns a string, or `None` for another type.
    #[inline]
    pub(crate) fn string(self) -> Option<Text<'a>> {
        let text = unquoted(self.text)?;
        Some(Text { text, may_have_escapes: self.may_have_escapes() })
    }

    /// Returns the elements of an array, or `None` for another type.
    pub(crate) fn array(self) -> Option<Elements<'a>> {
        // The text is valid: without backslashes, a string ends at the next quote.
        let mut scanner = Scanner::new(self.text, !self.may_have_escapes());
        scanner.take('[').then_some(Elements { scanner, escapes: self.escapes })
    }

    /// Returns an array of strings without escapes, as it is written, or `None` for another
    /// value.
    pub(crate) fn plain_strings(self) -> Option<&'a str> {
        let has_escapes = self.may_have_escapes() && self.text.contains('\\');
        (self.is_array_of_strings && !has_escapes).then_some(self.text)
    }

    /// Reads the members of an object into `members`, which is empty. Returns `false` for
    /// another type.
    pub(crate) fn read_object(self, members: &mut Object<'a>, input: Input) -> Result<bool, Error> {
        if !self.text.starts_with('{') {
            return Ok(false);
        }
        members.index(self.text, Prescan::at(self.text.as_bytes()), self.escapes, input)?;
        Ok(true)
    }

    /// Returns the value as it is written.
    pub(crate) const fn as_written(self) -> &'a str {
        self.text
    }
}

/// A valid string without its quotes, as it is written.
#[derive(Clone, Copy)]
pub struct Text<'a> {
    text: &'a str,
    may_have_escapes: bool,
}

impl<'a> Text<'a> {
    /// Constructs a text from a string that is not from JSON.
    pub(crate) const fn unescaped(text: &'a str) -> Self {
        Self { text, may_have_escapes: false }
    }

    /// Returns the string if it contains no escapes.
    pub(crate) fn plain(self) -> Option<&'a str> {
        let has_escapes = self.may_have_escapes && self.text.contains('\\');
        (!has_escapes).then_some(self.text)
    }

    /// Returns whether the unescaped string is `expected`.
    #[inline]
    pub(crate) fn is(self, expected: &str) -> bool {
        if self.may_have_escapes {
            unescapes_to(self.text, expected)
        } else {
            equal(self.text.as_bytes(), expected.as_bytes())
        }
    }

    /// Returns whether the unescaped string consists of space-separated tokens, one of which
    /// is `expected`. No token is empty.
    #[inline]
    pub(crate) fn has_token(self, expected: &str) -> bool {
        if expected.is_empty() {
            return false;
        }
        if self.may_have_escapes {
            return unescapes_to_tokens_with(self.text, expected);
        }
        let mut rest = self.text.as_bytes();
        loop {
            let end = find_near(b' ', rest).unwrap_or(rest.len());
            let Some((token, others)) = rest.split_at_checked(end) else { return false };
            if equal(token, expected.as_bytes()) {
                return true;
            }
            match others {
                [_, others @ ..] => rest = others,
                [] => return false,
            }
        }
    }

    /// Returns whether the unescaped string consists of `start`, any text, and `end`.
    pub(crate) fn has_ends(self, start: &str, end: &str) -> bool {
        match self.plain() {
            Some(text) => text.strip_prefix(start).is_some_and(|rest| rest.ends_with(end)),
            None => unescapes_to_ends(self.text, start, end),
        }
    }

    /// Returns the length of the unescaped string in bytes.
    pub(crate) fn unescaped_len(self) -> usize {
        Unescaped(self.text)
            .fold(0, |sum: usize, character| sum.saturating_add(character.len_utf8()))
    }

    /// Unescapes the string to the front of `out`. Returns `None` if `out` is too short.
    pub(crate) fn unescape(self, out: &mut [u8]) -> Option<&mut str> {
        if let Some(plain) = self.plain() {
            let out = out.get_mut(..plain.len())?;
            out.copy_from_slice(plain.as_bytes());
            return core::str::from_utf8_mut(out).ok();
        }
        let mut length = 0_usize;
        for character in Unescaped(self.text) {
            let mut utf8 = [0; 4];
            let utf8 = character.encode_utf8(&mut utf8).as_bytes();
            out.get_mut(length..)?.get_mut(..utf8.len())?.copy_from_slice(utf8);
            length = length.saturating_add(utf8.len());
        }
        core::str::from_utf8_mut(out.get_mut(..length)?).ok()
    }
}

/// Returns whether the string that is written as `text` is `expected`.
#[cold]
#[inline(never)]
fn unescapes_to(text: &str, expected: &str) -> bool {
    Unescaped(text).eq(expected.chars())
}

/// Returns whether the string that is written as `text` consists of `start`, any text, and
/// `end`.
#[cold]
#[inline(never)]
fn unescapes_to_ends(text: &str, start: &str, end: &str) -> bool {
    let mut rest = Unescaped(text);
    start.chars().all(|character| rest.next() == Some(character))
        && rest
            .clone()
            .count()
            .checked_sub(end.chars().count())
            .is_some_and(|surplus| rest.skip(surplus).eq(end.chars()))
}

/// Returns whether the string that is written as `text` contains the token `expected`.
#[cold]
#[inline(never)]
fn unescapes_to_tokens_with(text: &str, expected: &str) -> bool {
    let mut characters = Unescaped(text).peekable();
    while characters.peek().is_some() {
        let token = characters.by_ref().take_while(|character| *character != ' ');
        let mut expected = expected.chars();
        let is_prefix = token.fold(true, |all, found| all & (expected.next() == Some(found)));
        if is_prefix && expected.next().is_none() {
            return true;
        }
    }
    false
}

/// The elements of a valid array.
pub(crate) struct Elements<'a> {
    scanner: Scanner<'a>,
    escapes: Escapes,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        self.scanner.skip_whitespace();
        if self.scanner.take(']') {
            return None;
        }
        self.scanner.take(',');
        self.scanner.skip_whitespace();
        let (text, is_array_of_strings) = self.scanner.value(0).ok()?;
        Some(Value { text, escapes: self.escapes, is_array_of_strings })
    }
}

/// The free space in the caller's buffer, for strings with escapes.
pub(crate) struct Scratch<'b> {
    free: &'b mut [u8],
}

impl<'b> Scratch<'b> {
    pub(crate) const fn new(free: &'b mut [u8]) -> Self {
        Self { free }
    }

    /// Returns the string, borrowed from the text if it contains no escapes, and otherwise
    /// unescaped into the buffer.
    #[inline]
    pub(crate) fn string(&mut self, text: Text<'b>) -> Result<&'b str, Error> {
        if let Some(plain) = text.plain() {
            return Ok(plain);
        }
        let length = text.unescaped_len();
        let free = mem::take(&mut self.free);
        let too_small = Error::BufferTooSmall { needed: length, available: free.len() };
        let (place, free) = free.split_at_mut_checked(length).ok_or(too_small)?;
        self.free = free;
        text.unescape(place).map(|string| &*string).ok_or(too_small)
    }
}

#[cfg(test)]
mod tests;
