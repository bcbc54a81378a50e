//! String escapes, decoded by [`decode_escape`] for the scanner that rejects invalid ones, the
//! rewriter that removes unnecessary ones, and the reader.

/// Reads the escape at the start of `text`, including the backslash, and returns the character
/// and the number of bytes.
///
/// Returns `None` if it is not an escape of
/// [RFC 8259 §7](https://www.rfc-editor.org/rfc/rfc8259#section-7), or is half of a surrogate pair.
pub(super) fn decode_escape(text: &[u8]) -> Option<(char, usize)> {
    let simple = match text.get(1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return decode_unicode_escape(text),
        _ => return None,
    };
    Some((simple, 2))
}

fn decode_unicode_escape(text: &[u8]) -> Option<(char, usize)> {
    let unit = code_unit(text)?;
    if let Some(character) = char::from_u32(u32::from(unit)) {
        return Some((character, 6));
    }
    let pair = [unit, code_unit(text.get(6..)?)?];
    let character = char::decode_utf16(pair).next()?.ok()?;
    Some((character, 12))
}

/// Reads `\uXXXX` at the start of `text`.
fn code_unit(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(b"\\u")?.first_chunk::<4>()?;
    let mut unit = 0_u16;
    for &digit in digits {
        let value = u16::try_from(char::from(digit).to_digit(16)?).ok()?;
        unit = (unit << 4) | value;
    }
    Some(unit)
}

/// Rewrites the strings of a JSON `text` in place without unnecessary escapes, and returns the
/// new length, which is never greater.
///
/// What remains is a unique spelling of `"`, `\` and the control characters, so two strings
/// are equal if and only if their bytes are.
///
/// An invalid text remains invalid, with the same first error: only valid escapes in strings
/// before the first invalid escape are rewritten.
pub(super) fn normalise(text: &mut [u8]) -> usize {
    let (mut read, mut write) = (0_usize, 0_usize);
    loop {
        // Outside strings, up to and including a quote.
        while let Some(&byte) = text.get(read) {
            write = put(text, write, &[byte]);
            read = read.wrapping_add(1);
            if byte == b'"' {
                break;
            }
        }
        // Inside a string, up to and including its end.
        loop {
            let Some(&byte) = text.get(read) else { return write };
            if byte == b'\\' {
                let rest = text.get(read..).unwrap_or_default();
                let mut spelling = [0; 6];
                let Some((spelling, consumed)) = respell(rest, &mut spelling) else {
                    // The rest is unchanged: `\u\u00610073` must not become `\ua0073`.
                    return shift(text, read, write);
                };
                write = put(text, write, spelling);
                read = read.wrapping_add(consumed);
                continue;
            }
            write = put(text, write, &[byte]);
            read = read.wrapping_add(1);
            if byte == b'"' {
                break;
            }
        }
    }
}

/// Returns the unique spelling of the escape at the start of `text`, and the number of bytes
/// read, or `None` if it is not a valid escape.
fn respell<'o>(text: &[u8], out: &'o mut [u8; 6]) -> Option<(&'o [u8], usize)> {
    if let [first, second @ (b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't'), ..] = *text {
        *out = [first, second, 0, 0, 0, 0];
        return Some((out.get(..2)?, 2));
    }
    let (character, consumed) = decode_escape(text)?;
    Some((spell(character, out), consumed))
}

/// Moves the text from `read` to `write`, and returns the new length.
fn shift(text: &mut [u8], read: usize, write: usize) -> usize {
    let (mut read, mut write) = (read, write);
    while let Some(&byte) = text.get(read) {
        write = put(text, write, &[byte]);
        read = read.wrapping_add(1);
    }
    write
}

/// Writes `bytes` at a position of a text, and returns the position after them.
#[inline]
fn put(text: &mut [u8], at: usize, bytes: &[u8]) -> usize {
    let places = text.get_mut(at..).unwrap_or_default();
    places.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
    at.wrapping_add(bytes.len())
}

/// Writes the unique spelling of a character.
fn spell(character: char, out: &mut [u8; 6]) -> &[u8] {
    let short = match character {
        '"' => b'"',
        '\\' => b'\\',
        '\u{8}' => b'b',
        '\u{c}' => b'f',
        '\n' => b'n',
        '\r' => b'r',
        '\t' => b't',
        '\0'..='\u{1f}' => {
            let code = u32::from(character);
            let digit = |value: u32| {
                char::from_digit(value & 0xf, 16).and_then(|digit| u8::try_from(digit).ok())
            };
            let (high, low) = (digit(code >> 4), digit(code));
            *out = [b'\\', b'u', b'0', b'0', high.unwrap_or(b'0'), low.unwrap_or(b'0')];
            return out;
        }
        _ => return character.encode_utf8(out).as_bytes(),
    };
    *out = [b'\\', short, 0, 0, 0, 0];
    out.get(..2).unwrap_or_default()
}

/// An iterator over the characters of a valid JSON string without its quotes, unescaped.
#[derive(Clone)]
pub(super) struct Unescaped<'a>(pub(super) &'a str);

impl Iterator for Unescaped<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let first = self.0.chars().next()?;
        let (character, consumed) = match first {
            '\\' => decode_escape(self.0.as_bytes())?,
            _ => (first, first.len_utf8()),
        };
        self.0 = self.0.get(consumed..)?;
        Some(character)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_normalised(text: &str, expected: &str) {
        let mut bytes = [0; 64];
        let bytes = &mut bytes[..text.len()];
        bytes.copy_from_slice(text.as_bytes());
        let length = normalise(bytes);
        assert_eq!(core::str::from_utf8(&bytes[..length]), Ok(expected));
    }

    #[test]
    fn each_escape_is_read() {
        for (text, character, consumed) in [
            (r#"\""#, '"', 2),
            (r"\\", '\\', 2),
            (r"\/", '/', 2),
            (r"\b", '\u{8}', 2),
            (r"\f", '\u{c}', 2),
            (r"\n", '\n', 2),
            (r"\r", '\r', 2),
            (r"\t", '\t', 2),
            (r"\u0061", 'a', 6),
            (r"\u00F6", 'ö', 6),
            (r"\ud83D\uDe00", '😀', 12),
        ] {
            assert_eq!(decode_escape(text.as_bytes()), Some((character, consumed)), "{text}");
        }
    }

    #[test]
    fn bad_escapes_and_lone_surrogates_are_refused() {
        for text in [
            r"\",
            r"\q",
            r"\'",
            r"\u",
            r"\u12",
            r"\u12g4",
            r"\u+123",
            r"\ud83d",
            r"\ud83dx",
            r"\ud83d\n",
            r"\ud83d\u0061",
            r"\ud83d\ud83d",
            r"\ude00",
            r"\ude00\ud83d",
            r"\U0061",
        ] {
            assert_eq!(decode_escape(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn needless_escapes_go_and_needed_ones_have_one_spelling() {
        assert_normalised(r#"{"\u0061ud":"https:\/\/a"}"#, r#"{"aud":"https://a"}"#);
        assert_normalised(r#""J\u00f6rg \ud83d\ude00""#, r#""Jörg 😀""#);
        assert_normalised(r#""\u0022\u005c\u005C\u000a\u0009""#, r#""\"\\\\\n\t""#);
        assert_normalised(r#""\u0000\u001F\u000D\u0008\u000c""#, r#""\u0000\u001f\r\b\f""#);
        assert_normalised(r#""\\u0061""#, r#""\\u0061""#);
        assert_normalised("\"ö\\/ö\"", "\"ö/ö\"");
    }

    #[test]
    fn characters_are_read_unescaped() {
        assert!(Unescaped(r"a\/\u00f6\n").eq("a/ö\n".chars()));
        assert!(Unescaped("plain ö").eq("plain ö".chars()));
    }
}
