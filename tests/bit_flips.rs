//! A signed token with any bit changed is not accepted.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]

mod support;

use base64ct::{Base64UrlUnpadded, Encoding};
use support::*;

fn is_accepted(token: &str) -> bool {
    validate_access(token).is_ok()
}

#[test]
fn every_flip_of_one_bit_is_rejected() {
    let token = Signer::a().sign(&access_claims());
    assert!(is_accepted(&token));
    let (mut judged, mut not_text) = (0, 0);
    for index in 0..token.len() {
        for bit in 0..8 {
            let mut bytes = token.clone().into_bytes();
            bytes[index] ^= 1 << bit;
            // With the highest bit flipped, the token is not UTF-8.
            match std::str::from_utf8(&bytes) {
                Ok(text) => {
                    judged += 1;
                    assert!(!is_accepted(text), "bit {bit} of character {index}");
                }
                Err(_) => {
                    assert_eq!(bit, 7);
                    not_text += 1;
                }
            }
        }
    }
    assert_eq!((judged, not_text), (7 * token.len(), token.len()));
}

#[test]
fn every_flip_of_one_bit_of_the_decoded_segments_is_rejected() {
    let token = Signer::a().sign(&access_claims());
    let segments: Vec<Vec<u8>> =
        token.split('.').map(|segment| Base64UrlUnpadded::decode_vec(segment).unwrap()).collect();
    let mut judged = 0;
    for segment in 0..segments.len() {
        for index in 0..segments[segment].len() {
            for bit in 0..8 {
                let mut segments = segments.clone();
                segments[segment][index] ^= 1 << bit;
                let flipped: Vec<String> =
                    segments.iter().map(|bytes| Base64UrlUnpadded::encode_string(bytes)).collect();
                assert!(!is_accepted(&flipped.join(".")), "{segment}, {index}, {bit}");
                judged += 1;
            }
        }
    }
    assert_eq!(judged, 8 * segments.iter().map(Vec::len).sum::<usize>());
}

#[test]
fn a_character_less_or_more_is_rejected() {
    let token = Signer::a().sign(&access_claims());
    for index in 0..token.len() {
        let (head, tail) = token.split_at(index);
        assert!(!is_accepted(&format!("{head}{}", &tail[1..])), "without {index}");
        for character in [&tail[..1], "A", ".", "=", " "] {
            assert!(!is_accepted(&format!("{head}{character}{tail}")), "{character} at {index}");
        }
        assert!(!is_accepted(head), "the first {index}");
    }
    for end in ["A", ".", "=", " ", "\n", "\0"] {
        assert!(!is_accepted(&format!("{token}{end}")));
    }
}
