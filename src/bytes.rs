//! Looking at many bytes at a time.

/// Where `needle` first stands in `bytes`: 32 at a time, for what may be far.
#[inline]
pub(crate) fn find(needle: u8, bytes: &[u8]) -> Option<usize> {
    let is_in = |chunk: &[u8; 32]| chunk.iter().fold(false, |any, &byte| any | (byte == needle));
    let (chunks, _) = bytes.as_chunks();
    let before = chunks.iter().take_while(|chunk| !is_in(chunk)).count().saturating_mul(32);
    find_near(needle, bytes.get(before..)?)?.checked_add(before)
}

/// As [`find`], 8 at a time.
#[inline]
pub(crate) fn find_near(needle: u8, bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    while let Some((word, after)) = rest.split_first_chunk() {
        if let Some(place) = first_marked(mark(needle, u64::from_le_bytes(*word))) {
            return bytes.len().wrapping_sub(rest.len()).checked_add(place);
        }
        rest = after;
    }
    let place = rest.iter().position(|byte| *byte == needle)?;
    bytes.len().wrapping_sub(rest.len()).checked_add(place)
}

/// Whether `test` holds for all of `bytes`. Each is looked at, without a branch, so
/// that the compiler looks at 16 at a time.
#[inline(always)]
pub(crate) fn all(bytes: &[u8], test: impl Fn(u8) -> bool) -> bool {
    let Some(last) = bytes.last_chunk::<16>() else {
        return bytes.iter().fold(true, |all, &byte| all & test(byte));
    };
    let mut fails = [0; 16];
    for chunk in bytes.as_chunks().0 {
        mark_failing(chunk, &mut fails, &test);
    }
    // It may overlap the one before.
    mark_failing(last, &mut fails, &test);
    fails.iter().fold(0, |all, fails| all | fails) == 0
}

#[inline(always)]
fn mark_failing(chunk: &[u8; 16], fails: &mut [u8; 16], test: &impl Fn(u8) -> bool) {
    for (fails, &byte) in fails.iter_mut().zip(chunk) {
        *fails |= if test(byte) { 0 } else { 0xff };
    }
}

/// Marks the bytes of a word that are `needle`, each by its highest bit. The
/// lowest mark is true; those above it may not be, since a subtraction that marks
/// a byte borrows from the next.
pub(crate) const fn mark(needle: u8, word: u64) -> u64 {
    mark_below(1, word ^ u64::from_le_bytes([needle; 8]))
}

/// As [`mark`], for the bytes below `limit`, which is at most 128.
pub(crate) const fn mark_below(limit: u8, word: u64) -> u64 {
    word.wrapping_sub(u64::from_le_bytes([limit; 8])) & !word & u64::from_le_bytes([0x80; 8])
}

/// The place of the byte that has the lowest mark.
pub(crate) fn first_marked(marks: u64) -> Option<usize> {
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
    fn each_byte_below_a_limit_is_marked_and_the_first_counts() {
        for limit in 1..=128 {
            for byte in 0..=u8::MAX {
                for at in 0..8 {
                    let mut word = [limit; 8];
                    word[at] = byte;
                    let expected = if byte < limit { Some(at) } else { None };
                    let marks = mark_below(limit, u64::from_le_bytes(word));
                    assert_eq!(first_marked(marks), expected, "{byte} below {limit} at {at}");
                }
            }
        }
    }
}
