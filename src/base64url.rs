//! Canonical unpadded base64url, decoded into the caller's buffer.
//!
//! [RFC 4648 §5](https://www.rfc-editor.org/rfc/rfc4648#section-5) without
//! padding, as [RFC 7515 §2](https://www.rfc-editor.org/rfc/rfc7515#section-2)
//! has it, and canonical as
//! [RFC 4648 §3.5](https://www.rfc-editor.org/rfc/rfc4648#section-3.5) allows to
//! ask for: one byte string has one spelling.

use base64ct::{Base64UrlUnpadded, Encoding};

/// The text is not canonical unpadded base64url, or the buffer is too short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidBase64;

/// The bytes that `characters` base64url characters decode to.
pub(crate) const fn decoded_len(characters: usize) -> usize {
    // Three bytes from four characters, rounded down: 4k + 2 → 3k + 1, 4k + 3 → 3k + 2.
    let quotient = characters.wrapping_div(4);
    let remainder = characters.wrapping_rem(4);
    quotient.saturating_mul(3).saturating_add(remainder.saturating_mul(3).wrapping_div(4))
}

/// Decodes `text` to the front of `out` and returns how many bytes it took.
pub(crate) fn decode(text: &str, out: &mut [u8]) -> Result<usize, InvalidBase64> {
    match Base64UrlUnpadded::decode(text, out) {
        Ok(bytes) => Ok(bytes.len()),
        Err(_) => Err(InvalidBase64),
    }
}

/// Encodes 16 bytes: the form of `at_hash` and `c_hash`.
pub(crate) fn encode_16(bytes: &[u8; 16]) -> [u8; 22] {
    let mut out = [0; 22];
    // 16 bytes are 22 characters: the only error, a short buffer, cannot occur.
    let _ = Base64UrlUnpadded::encode(bytes, &mut out);
    out
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn a_short_buffer_is_rejected() {
        assert_eq!(decode("Zm9v", &mut [0; 2]), Err(InvalidBase64));
    }

    #[test]
    fn half_a_hash_encodes() {
        assert_eq!(&encode_16(&[0; 16]), b"AAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(&encode_16(&[0xff; 16]), b"_____________________w");
    }
}
