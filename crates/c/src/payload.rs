//! Claims by name, read from the text of a validated token.
//!
//! This reader finds a value and does not check the text: the library has accepted it as
//! canonical base64url and as JSON, and confirms each value with a claim rule (`read.rs`). An
//! error here can only make a value unavailable, not produce a wrong one.

use crate::code::claimgate_code;

/// A destination for the characters of a string.
pub(crate) trait Place {
    fn push(&mut self, bytes: &[u8]);
}

impl Place for crate::sink::Sink {
    fn push(&mut self, bytes: &[u8]) {
        Self::push(self, bytes);
    }
}

/// Compares the characters of a string with a name.
struct Comparison<'n> {
    /// The rest of the name. `None` after a difference.
    rest: Option<&'n [u8]>,
}

impl Place for Comparison<'_> {
    fn push(&mut self, bytes: &[u8]) {
        self.rest = self.rest.and_then(|rest| rest.strip_prefix(bytes));
    }
}

/// A destination that discards a string.
struct Nowhere;

impl Place for Nowhere {
    fn push(&mut self, _: &[u8]) {}
}

/// The bytes of a payload, decoded from base64url one at a time.
pub(crate) struct Payload<'t> {
    text: core::slice::Iter<'t, u8>,
    bits: u32,
    count: u32,
    next: Option<u8>,
}

/// The error means that the payload ended too early, or is no longer the validated JSON.
type Result<T> = core::result::Result<T, claimgate_code>;

const LOST: claimgate_code = claimgate_code::CLAIMGATE_INVALID_JSON;

impl<'t> Payload<'t> {
    pub(crate) fn of(token: &'t str) -> Result<Self> {
        let text = token.as_bytes().split(|byte| *byte == b'.').nth(1);
        let text = text.ok_or(claimgate_code::CLAIMGATE_MALFORMED_TOKEN)?;
        let mut payload = Self { text: text.iter(), bits: 0, count: 0, next: None };
        payload.next = payload.decode();
        Ok(payload)
    }

    fn decode(&mut self) -> Option<u8> {
        while self.count < 8 {
            let character = self.text.next()?;
            let value = match character {
                b'A'..=b'Z' => character.wrapping_sub(b'A'),
                b'a'..=b'z' => character.wrapping_sub(b'a').wrapping_add(26),
                b'0'..=b'9' => character.wrapping_sub(b'0').wrapping_add(52),
                b'-' => 62,
                b'_' => 63,
                _ => return None,
            };
            self.bits = (self.bits << 6 | u32::from(value)) & 0x3fff;
            self.count = self.count.wrapping_add(6);
        }
        self.count = self.count.wrapping_sub(8);
        u8::try_from(self.bits.wrapping_shr(self.count) & 0xff).ok()
    }

    /// Returns the next byte and advances.
    fn take(&mut self) -> Result<u8> {
        let byte = self.next.ok_or(LOST)?;
        self.next = self.decode();
        Ok(byte)
    }

    fn skip_whitespace(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.next {
            self.next = self.decode();
        }
    }

    fn expect(&mut self, expected: u8) -> Result<()> {
        if self.take()? == expected { Ok(()) } else { Err(LOST) }
    }

    /// Reads a string, whose quote is next.
    pub(crate) fn string(&mut self, place: &mut impl Place) -> Result<()> {
        self.expect(b'"')?;
        loop {
            match self.take()? {
                b'"' => return Ok(()),
                b'\\' => self.escape(place)?,
                byte => place.push(&[byte]),
            }
        }
    }

    fn escape(&mut self, place: &mut impl Place) -> Result<()> {
        let character = match self.take()? {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => self.unicode()?,
            byte => char::from(byte),
        };
        place.push(character.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }

    /// Reads the digits after `\u`, and the second half of a surrogate pair.
    fn unicode(&mut self) -> Result<char> {
        let first = self.hex()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).ok_or(LOST);
        }
        self.expect(b'\\')?;
        self.expect(b'u')?;
        let second = self.hex()?;
        let high = first.wrapping_sub(0xd800) << 10;
        let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400).ok_or(LOST)?;
        char::from_u32((high | low).wrapping_add(0x1_0000)).ok_or(LOST)
    }

    fn hex(&mut self) -> Result<u32> {
        let mut number = 0;
        for _ in 0..4 {
            number = number << 4 | char::from(self.take()?).to_digit(16).ok_or(LOST)?;
        }
        Ok(number)
    }

    /// Skips a value: strings, and brackets up to the closing one.
    fn skip_value(&mut self) -> Result<()> {
        let mut depth = 0_u32;
        loop {
            match self.next.ok_or(LOST)? {
                b'"' => self.string(&mut Nowhere)?,
                b'{' | b'[' => {
                    depth = depth.saturating_add(1);
                    self.take()?;
                }
                b'}' | b']' if depth == 0 => return Ok(()),
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    self.take()?;
                }
                b',' if depth == 0 => return Ok(()),
                _ => {
                    self.take()?;
                }
            }
        }
    }

    /// Advances to the value at the path.
    pub(crate) fn find<'n>(&mut self, path: impl Iterator<Item = &'n str>) -> Result<()> {
        for name in path {
            self.skip_whitespace();
            if self.next != Some(b'{') {
                return Err(claimgate_code::CLAIMGATE_CLAIM_TYPE);
            }
            self.take()?;
            self.member(name)?;
        }
        Ok(())
    }

    /// Advances to the value of a member of the current object.
    fn member(&mut self, name: &str) -> Result<()> {
        loop {
            self.skip_whitespace();
            if self.next == Some(b'}') {
                return Err(claimgate_code::CLAIMGATE_CLAIM_ABSENT);
            }
            let mut comparison = Comparison { rest: Some(name.as_bytes()) };
            self.string(&mut comparison)?;
            self.skip_whitespace();
            self.expect(b':')?;
            self.skip_whitespace();
            if comparison.rest == Some(&[]) {
                return Ok(());
            }
            self.skip_value()?;
            if self.next == Some(b',') {
                self.take()?;
            }
        }
    }

    /// Returns whether the value is a string.
    pub(crate) fn is_string(&self) -> bool {
        self.next == Some(b'"')
    }

    /// Reads an integer without fraction or exponent.
    pub(crate) fn integer(&mut self) -> Result<i64> {
        let wrong = claimgate_code::CLAIMGATE_CLAIM_TYPE;
        let mut digits = [0_u8; 20];
        let mut length = 0_usize;
        while let Some(byte @ (b'-' | b'0'..=b'9')) = self.next {
            *digits.get_mut(length).ok_or(wrong)? = byte;
            length = length.saturating_add(1);
            self.take()?;
        }
        if let Some(b'.' | b'e' | b'E') = self.next {
            return Err(wrong);
        }
        let digits = digits.get(..length).and_then(|digits| core::str::from_utf8(digits).ok());
        digits.and_then(|digits| digits.parse().ok()).ok_or(wrong)
    }

    /// Reads `true` or `false`.
    pub(crate) fn boolean(&mut self) -> Result<bool> {
        match self.next {
            Some(b't') => Ok(true),
            Some(b'f') => Ok(false),
            _ => Err(claimgate_code::CLAIMGATE_CLAIM_TYPE),
        }
    }
}
