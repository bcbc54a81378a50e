//! Canonical unpadded base64url, decoded into the caller's buffer.
//!
//! [RFC 4648 §5](https://www.rfc-editor.org/rfc/rfc4648#section-5) without padding, as in
//! [RFC 7515 §2](https://www.rfc-editor.org/rfc/rfc7515#section-2). Only the canonical encoding is
//! accepted ([RFC 4648 §3.5](https://www.rfc-editor.org/rfc/rfc4648#section-3.5)), so a byte
//! string has exactly one encoding.

use core::hint::black_box;

/// The text is not canonical unpadded base64url, or the buffer is too short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidBase64;

/// The number of characters that are decoded at a time: an SSE2 or NEON vector.
const CHUNK: usize = 16;

/// The number of bytes that a chunk decodes to.
const CHUNK_BYTES: usize = CHUNK / 4 * 3;

/// Returns the number of bytes that `characters` base64url characters decode to.
pub(crate) const fn decoded_len(characters: usize) -> usize {
    // Three bytes from four characters, rounded down: 4k + 2 → 3k + 1, 4k + 3 → 3k + 2.
    let quotient = characters.wrapping_div(4);
    let remainder = characters.wrapping_rem(4);
    quotient.saturating_mul(3).saturating_add(remainder.saturating_mul(3).wrapping_div(4))
}

/// Decodes `text` to the front of `out` and returns the number of bytes.
///
/// Neither the branches nor the addresses depend on the characters, only on the length of the
/// text.
pub(crate) fn decode(text: &str, out: &mut [u8]) -> Result<usize, InvalidBase64> {
    let length = decoded_len(text.len());
    let out = out.get_mut(..length).ok_or(InvalidBase64)?;
    let (chunks, rest) = text.as_bytes().as_chunks::<CHUNK>();
    let (places, end) = out.as_chunks_mut::<CHUNK_BYTES>();
    let mut all = [VALID; CHUNK];
    for (chunk, place) in chunks.iter().zip(places) {
        decode_chunk(chunk, place, &mut all);
    }
    // The rest, filled up with the character for six zero bits.
    let mut chunk = [b'A'; CHUNK];
    let mut decoded = [0; CHUNK_BYTES];
    chunk.iter_mut().zip(rest).for_each(|(place, character)| *place = *character);
    decode_chunk(&chunk, &mut decoded, &mut all);
    end.iter_mut().zip(decoded).for_each(|(place, byte)| *place = byte);
    // The remaining bits are the unused bits of the last character.
    let unused = decoded.get(end.len()).copied().unwrap_or_default();
    let is_whole = text.len().wrapping_rem(4) != 1;
    let is_valid = all.iter().fold(VALID, |all, sextet| all & sextet) == VALID;
    if is_valid && unused == 0 && is_whole { Ok(length) } else { Err(InvalidBase64) }
}

/// The bit that marks a valid sextet, next to its six bits.
const VALID: u8 = 1 << 6;

/// Decodes a chunk, and clears [`VALID`] in `all` if it contains invalid characters.
#[inline(always)]
fn decode_chunk(characters: &[u8; CHUNK], out: &mut [u8; CHUNK_BYTES], all: &mut [u8; CHUNK]) {
    let mut sextets = [0; CHUNK];
    for ((place, character), all) in sextets.iter_mut().zip(characters).zip(all) {
        *place = sextet(*character);
        *all &= *place;
    }
    let (groups, _) = sextets.as_chunks::<8>();
    let mut words = [0; CHUNK / 8];
    words.iter_mut().zip(groups).for_each(|(word, group)| *word = u64::from_le_bytes(*group));
    // Combines eight groups of six bits, by two, by four, by eight.
    for word in &mut words {
        *word = (*word & 0x003f_003f_003f_003f) << 6 | *word >> 8 & 0x003f_003f_003f_003f;
    }
    for word in &mut words {
        *word = (*word & 0x0000_0fff_0000_0fff) << 12 | *word >> 16 & 0x0000_0fff_0000_0fff;
    }
    for word in &mut words {
        *word = *word << 40 | *word >> 16;
    }
    // Without this, the compiler does not keep the words in one vector up to this point: 32
    // instructions instead of 17.
    black_box(&mut words);
    let [first, second] = words.map(u64::to_be_bytes);
    // Six bytes of each: the second overwrites the last two of the first.
    if let Some(place) = out.first_chunk_mut() {
        *place = first;
    }
    if let Some(place) = out.last_chunk_mut::<6>() {
        let [bytes @ .., _, _] = second;
        *place = bytes;
    }
}

/// Returns the six bits of a character and [`VALID`], or zero for an invalid character.
/// Branch-free, so that it can be vectorised.
const fn sextet(character: u8) -> u8 {
    const fn mask(condition: bool) -> u8 {
        if condition { 0xff } else { 0 }
    }
    /// Returns a mask for the `count` characters starting at `first`. Compares signed numbers,
    /// because SSE2 has no unsigned comparison.
    const fn mask_from(first: u8, count: i8, character: u8) -> u8 {
        let above = character.wrapping_sub(first).wrapping_add(0x80);
        mask(above.cast_signed() < i8::MIN.wrapping_add(count))
    }
    const fn distance(from: u8, to: u8) -> u8 {
        to.wrapping_sub(from)
    }
    let is_letter = mask_from(b'a', 26, character | 0x20);
    let is_digit = mask_from(b'0', 10, character);
    let is_minus = mask(character == b'-');
    let is_underscore = mask(character == b'_');
    // Distinguishes lower-case letters. There are six other characters between the alphabets.
    let is_small = mask(character.cast_signed() > b'Z'.cast_signed());
    is_letter & character.wrapping_add(distance(b'A', VALID)).wrapping_sub(is_small & 6)
        | is_digit & character.wrapping_add(distance(b'0', VALID | 52))
        | is_minus & (VALID | 62)
        | is_underscore & (VALID | 63)
}

/// Encodes `bytes` to the front of `out`. Returns `None` if `out` is too short.
pub(crate) fn encode<'o>(bytes: &[u8], out: &'o mut [u8]) -> Option<&'o str> {
    let length = bytes.len().checked_mul(4)?.div_ceil(3);
    let out = out.get_mut(..length)?;
    let (groups, rest) = bytes.as_chunks::<CHUNK_BYTES>();
    let (places, end) = out.as_chunks_mut::<CHUNK>();
    for (group, place) in groups.iter().zip(places) {
        *place = encode_chunk(*group);
    }
    // The rest, filled up with zeros.
    let mut group = [0; CHUNK_BYTES];
    group.iter_mut().zip(rest).for_each(|(place, byte)| *place = *byte);
    end.iter_mut().zip(encode_chunk(group)).for_each(|(place, character)| *place = character);
    core::str::from_utf8(out).ok()
}

/// Encodes a chunk.
#[inline(always)]
fn encode_chunk(bytes: [u8; CHUNK_BYTES]) -> [u8; CHUNK] {
    let [a, b, c, d, e, f, rest @ ..] = bytes;
    let mut characters = [0; CHUNK];
    let halves = [sextets([a, b, c, d, e, f]), sextets(rest)];
    characters.iter_mut().zip(halves.as_flattened()).for_each(|(place, sextet)| *place = *sextet);
    characters.map(character)
}

/// Returns the eight groups of six bits of six bytes.
const fn sextets([a, b, c, d, e, f]: [u8; 6]) -> [u8; 8] {
    // Divides 48 bits by two, by four, by eight.
    let bits = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
    let halves = bits << 8 & 0x00ff_ffff_0000_0000 | bits & 0x0000_0000_00ff_ffff;
    let quarters = halves << 4 & 0x0fff_0000_0fff_0000 | halves & 0x0000_0fff_0000_0fff;
    let eighths = quarters << 2 & 0x3f00_3f00_3f00_3f00 | quarters & 0x003f_003f_003f_003f;
    eighths.to_be_bytes()
}

/// Returns the character for six bits.
const fn character(sextet: u8) -> u8 {
    let mut distance = b'A';
    if sextet >= 26 {
        distance = b'a'.wrapping_sub(26);
    }
    if sextet >= 52 {
        distance = b'0'.wrapping_sub(52);
    }
    if sextet == 62 {
        distance = b'-'.wrapping_sub(62);
    }
    if sextet == 63 {
        distance = b'_'.wrapping_sub(63);
    }
    sextet.wrapping_add(distance)
}

#[cfg(test)]
mod tests {
    use base64ct::{Base64UrlUnpadded, Encoding};

    use super::*;

    fn decoded(text: &str) -> Result<([u8; 16], usize), InvalidBase64> {
        let mut out = [0; 16];
        let length = decode(text, &mut out)?;
        Ok((out, length))
    }

    #[test]
    fn decodes_what_rfc_4648_section_10_encodes() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ] {
            let (out, length) = decoded(text).unwrap();
            assert_eq!(&out[..length], bytes.as_bytes());
            assert_eq!(decoded_len(text.len()), bytes.len());
        }
    }

    #[test]
    fn encodes_as_base64ct_does() {
        let bytes: [u8; 256] = core::array::from_fn(|index| index.to_le_bytes()[0] ^ 0x5a);
        let (mut ours, mut theirs) = ([0; 400], [0; 400]);
        for length in 0..=bytes.len() {
            let bytes = &bytes[..length];
            let expected = Base64UrlUnpadded::encode(bytes, &mut theirs).unwrap();
            assert_eq!(encode(bytes, &mut ours), Some(expected));
            assert_eq!(encode(bytes, &mut ours[..expected.len()]), Some(expected));
            assert_eq!(
                encode(bytes, &mut ours[..expected.len().saturating_sub(1)]).is_none(),
                length > 0
            );
        }
    }

    #[test]
    fn every_character_outside_the_alphabet_is_rejected() {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        for byte in 0..=127_u8 {
            for position in 0..8 {
                let mut text = *b"AAAAAAAA";
                text[position] = byte;
                let text = core::str::from_utf8(&text).unwrap();
                assert_eq!(decoded(text).is_ok(), ALPHABET.contains(&byte), "{byte:#x}");
            }
        }
        assert_eq!(decoded("AA\u{e9}"), Err(InvalidBase64));
    }

    #[test]
    fn non_canonical_forms_are_rejected() {
        // Unused bits set, a length of 4k + 1, padding, white space.
        for text in ["Zh", "Zm9", "A", "AAAAA", "Zg==", "Zm8=", "Zg\n", " Zg", "Zm9v Yg"] {
            assert_eq!(decoded(text), Err(InvalidBase64), "{text:?}");
        }
    }

    #[test]
    fn each_last_character_decodes_only_with_its_unused_bits_zero() {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        for (value, &last) in ALPHABET.iter().enumerate() {
            let two = [b'A', last];
            let three = [b'A', b'A', last];
            assert_eq!(decoded(core::str::from_utf8(&two).unwrap()).is_ok(), value % 16 == 0);
            assert_eq!(decoded(core::str::from_utf8(&three).unwrap()).is_ok(), value % 4 == 0);
        }
    }

    /// The result of base64ct.
    fn reference(text: &str) -> Result<std::vec::Vec<u8>, InvalidBase64> {
        let mut out = [0; 300];
        let bytes = Base64UrlUnpadded::decode(text, &mut out).map_err(|_| InvalidBase64)?;
        Ok(bytes.to_vec())
    }

    fn ours(text: &str) -> Result<std::vec::Vec<u8>, InvalidBase64> {
        let mut out = [0xaa; 300];
        let length = decode(text, &mut out)?;
        assert!(out[length..].iter().all(|byte| *byte == 0xaa), "wrote beyond the end");
        Ok(out[..length].to_vec())
    }

    #[test]
    fn f03_every_length_decodes_as_base64ct_does() {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut state = 1_u64;
        for length in 0..=300 {
            for _ in 0..20 {
                let text: std::string::String = (0..length)
                    .map(|_| {
                        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                        char::from(ALPHABET[usize::try_from(state >> 58).unwrap()])
                    })
                    .collect();
                assert_eq!(ours(&text), reference(&text), "{text}");
            }
        }
    }

    #[test]
    fn f03_every_byte_at_every_position_decodes_as_base64ct_does() {
        for length in [1, 2, 3, 4, 14, 15, 16, 17, 18, 19, 20, 31, 32, 33, 48, 51] {
            for position in 0..length {
                for byte in 0..=127 {
                    let mut text = std::vec![b'A'; length];
                    text[position] = byte;
                    let text = core::str::from_utf8(&text).unwrap();
                    assert_eq!(ours(text), reference(text), "{text:?}");
                }
            }
        }
        // Characters above 127 have more than one byte.
        for text in ["\u{80}A", "AA\u{ff}", "AAAAAAAAAAAAAAA\u{e9}AAA"] {
            assert_eq!(ours(text), Err(InvalidBase64));
        }
    }

    #[test]
    fn a_short_buffer_is_rejected() {
        assert_eq!(decode("Zm9v", &mut [0; 2]), Err(InvalidBase64));
    }

    #[test]
    fn half_a_hash_encodes() {
        assert_eq!(encode(&[0; 16], &mut [0; 22]), Some("AAAAAAAAAAAAAAAAAAAAAA"));
        assert_eq!(encode(&[0xff; 16], &mut [0; 22]), Some("_____________________w"));
        assert_eq!(encode(&[0xff; 16], &mut [0; 21]), None);
    }
}
