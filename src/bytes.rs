//! Chunked and word-at-a-time byte search.

/// Returns the first position of `needle`, comparing 32 bytes at a time, for distant needles.
#[inline]
pub(crate) fn find(needle: u8, bytes: &[u8]) -> Option<usize> {
    let is_in = |chunk: &[u8; 32]| chunk.iter().fold(false, |any, &byte| any | (byte == needle));
    let (chunks, _) = bytes.as_chunks();
    let before = chunks.iter().take_while(|chunk| !is_in(chunk)).count().saturating_mul(32);
    find_near(needle, bytes.get(before..)?)?.checked_add(before)
}

/// Like [`find`], but comparing 8 bytes at a time, for near needles.
#[inline]
pub(crate) fn find_near(needle: u8, bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    while let Some((word, after)) = rest.split_first_chunk() {
        if let Some(place) = first_marked(mark(needle, u64::from_le_bytes(*word))) {
            return bytes.len().wrapping_sub(rest.len()).checked_add(place);
        }
        rest = after;
    }
    if let Some(last) = bytes.last_chunk() {
        // It overlaps the word before it, which has no mark.
        let place = first_marked(mark(needle, u64::from_le_bytes(*last)))?;
        return bytes.len().wrapping_sub(8).checked_add(place);
    }
    rest.iter().position(|byte| *byte == needle)
}

/// Returns the number of bytes before the first quote, backslash or control character, or the
/// length if there is none.
#[inline]
pub(crate) fn find_special(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((word, after)) = rest.split_first_chunk() {
        let word = u64::from_le_bytes(*word);
        let marks = mark(b'"', word) | mark(b'\\', word) | mark_controls(word);
        if let Some(place) = first_marked(marks) {
            return bytes.len().wrapping_sub(rest.len()).wrapping_add(place);
        }
        rest = after;
    }
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
    let place = rest.iter().position(is_special).unwrap_or(rest.len());
    bytes.len().wrapping_sub(rest.len()).wrapping_add(place)
}

/// Like `==`, but inline, for short texts: a call of `memcmp` costs more than the comparison.
#[inline]
pub(crate) fn equal(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let is_same = |(word, other): (&[u8; 8], &[u8; 8])| word == other;
    if let (Some((_, last)), Some((_, other_last))) =
        (left.split_last_chunk::<8>(), right.split_last_chunk::<8>())
    {
        // The last word may overlap the one before it.
        let (words, other_words) = (left.as_chunks().0, right.as_chunks().0);
        return words.iter().zip(other_words).all(is_same) && last == other_last;
    }
    match (left.split_last_chunk::<4>(), right.split_last_chunk::<4>()) {
        (Some((_, last)), Some((_, other_last))) => {
            left.first_chunk::<4>() == right.first_chunk::<4>() && last == other_last
        }
        _ => left.iter().zip(right).all(|(byte, other)| byte == other),
    }
}

/// Like `split_once`, for an ASCII character that is near.
#[inline]
pub(crate) fn split_once_near(needle: u8, text: &str) -> Option<(&str, &str)> {
    let (before, rest) = text.split_at_checked(find_near(needle, text.as_bytes())?)?;
    Some((before, rest.get(1..)?))
}

/// Returns whether `test` is true for all `bytes`. It is branch-free, so that 16 bytes are
/// tested at a time.
#[inline(always)]
pub(crate) fn all(bytes: &[u8], test: impl Fn(u8) -> bool) -> bool {
    let Some(last) = bytes.last_chunk::<16>() else {
        return bytes.iter().fold(true, |all, &byte| all & test(byte));
    };
    let mut fails = [0; 16];
    for chunk in bytes.as_chunks().0 {
        note_failing(chunk, &mut fails, &test);
    }
    // It may overlap the previous chunk.
    note_failing(last, &mut fails, &test);
    fails.iter().fold(0, |all, fails| all | fails) == 0
}

#[inline(always)]
fn note_failing(chunk: &[u8; 16], fails: &mut [u8; 16], test: &impl Fn(u8) -> bool) {
    for (fails, &byte) in fails.iter_mut().zip(chunk) {
        *fails |= if test(byte) { 0 } else { 0xff };
    }
}

/// Marks the bytes of a word that equal `needle` by their highest bit. Only the lowest mark is
/// reliable, because the subtraction borrows from the next byte.
const fn mark(needle: u8, word: u64) -> u64 {
    let others = word ^ u64::from_le_bytes([needle; 8]);
    others.wrapping_sub(u64::from_le_bytes([1; 8])) & !others & u64::from_le_bytes([0x80; 8])
}

/// Like [`mark`], for the bytes below 0x20.
const fn mark_controls(word: u64) -> u64 {
    word.wrapping_sub(u64::from_le_bytes([0x20; 8])) & !word & u64::from_le_bytes([0x80; 8])
}

/// Returns the index of the byte with the lowest mark.
fn first_marked(marks: u64) -> Option<usize> {
    if marks == 0 { None } else { usize::try_from(marks.trailing_zeros() / 8).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_found_where_it_first_stands() {
        for other in [b'-', b'.' ^ 1, b'.' | 0x80, 0, 0xff] {
            for length in 0..=50 {
                let mut text = [other; 50];
                assert_eq!(find(b'.', &text[..length]), None);
                assert_eq!(find_near(b'.', &text[..length]), None);
                for at in (0..length).rev() {
                    text[at] = b'.';
                    assert_eq!(find(b'.', &text[..length]), Some(at), "{other:#x}");
                    assert_eq!(find_near(b'.', &text[..length]), Some(at), "{other:#x}");
                }
            }
        }
    }

    #[test]
    fn a_run_of_a_string_ends_at_the_first_special_byte() {
        let is_special = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
        for special in (0..=0xff).filter(|byte| is_special(*byte)) {
            for other in (0..=0xff).filter(|byte| !is_special(*byte)) {
                let mut text = [other; 20];
                for length in 0..=20 {
                    assert_eq!(find_special(&text[..length]), length, "{other:#x}");
                }
                for at in (0..20).rev() {
                    text[at] = special;
                    assert_eq!(find_special(&text), at, "{special:#x} in {other:#x}");
                    assert_eq!(find_special(&text[..at]), at, "{special:#x} in {other:#x}");
                }
            }
        }
    }

    #[test]
    fn one_byte_that_fails_is_seen_wherever_it_stands() {
        for length in 0..=50 {
            let mut text = [b'a'; 50];
            assert!(all(&text[..length], |byte| byte == b'a'));
            for at in 0..length {
                text[at] = b'b';
                assert!(!all(&text[..length], |byte| byte == b'a'), "{at} of {length}");
                text[at] = b'a';
            }
        }
    }

    #[test]
    fn texts_are_equal_if_their_lengths_and_all_their_bytes_are() {
        for length in 0..=40 {
            let text = [b'a'; 40];
            for other_length in 0..=40 {
                let is_equal = equal(&text[..length], &text[..other_length]);
                assert_eq!(is_equal, length == other_length, "{length} and {other_length}");
            }
            for at in 0..length {
                for bit in 0..8 {
                    let mut other = text;
                    other[at] ^= 1 << bit;
                    assert!(!equal(&text[..length], &other[..length]), "{at} of {length}");
                    assert!(equal(&other[..length], &other[..length]), "{at} of {length}");
                }
            }
        }
    }

    #[test]
    fn a_text_is_split_at_the_first_byte() {
        for (text, expected) in [
            ("", None),
            ("ab", None),
            (" ", Some(("", ""))),
            ("a b c", Some(("a", "b c"))),
            ("\u{e9}\u{1f600} \u{e9}", Some(("\u{e9}\u{1f600}", "\u{e9}"))),
            ("123456789 ", Some(("123456789", ""))),
        ] {
            assert_eq!(split_once_near(b' ', text), expected, "{text:?}");
        }
    }
}
