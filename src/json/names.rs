//! Fingerprints of member names, for fast detection of duplicates.
//!
//! Comparing each name with all others is expensive if many are long and similar, and an
//! attacker can write such a header without a key. A fingerprint is computed once per name and
//! compared as a number.
//!
//! Equal names have equal fingerprints, so every duplicate is detected. Different names of at
//! most 7 bytes have different fingerprints. Longer names may collide: by chance with a
//! probability of 2⁻⁶⁴ per pair. An attacker who computes a collision only gets the attacker's
//! own object rejected.

/// A name, and its fingerprint.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name<'a> {
    pub(super) text: &'a str,
    pub(super) fingerprint: u64,
}

impl<'a> Name<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, fingerprint: fingerprint(text.as_bytes()) }
    }

    /// Returns whether `other`, which has the same fingerprint, is the same name.
    #[inline]
    pub(super) fn is(&self, other: &str) -> bool {
        let (name, other) = (self.text.as_bytes(), other.as_bytes());
        // The fingerprints of names of the same length below 8 differ if the names do.
        name.len() == other.len() && (name.len() < 8 || name == other)
    }
}

/// The fingerprints of the names seen so far in an object, one bit for each, selected by its
/// hash. A name whose bit is not set is new.
pub(super) struct Seen(u64);

impl Seen {
    pub(super) const fn new() -> Self {
        Self(0)
    }

    /// Adds a fingerprint. Returns `false` if it is certainly new.
    #[inline]
    pub(super) const fn add(&mut self, fingerprint: u64) -> bool {
        let before = self.0;
        self.0 |= bit(fingerprint);
        before == self.0
    }
}

/// Returns one of 64 bits.
const fn bit(fingerprint: u64) -> u64 {
    1 << (fingerprint.wrapping_mul(FACTOR) >> 58)
}

/// Returns the fingerprint of a name that has only one possible spelling in its object.
#[inline]
#[expect(clippy::as_conversions, reason = "`u64::from` is not `const`; a length has no more bits")]
pub(super) const fn fingerprint(name: &[u8]) -> u64 {
    let mut hash = (name.len() as u64).wrapping_mul(FACTOR);
    let mut rest = name;
    while let Some((word, after)) = rest.split_first_chunk() {
        hash = mix(hash ^ u64::from_le_bytes(*word));
        rest = after;
    }
    hash ^ match *rest {
        [a, b, c] => u64::from_le_bytes([a, b, c, 0, 0, 0, 0, 0]),
        [a, b] => u64::from_le_bytes([a, b, 0, 0, 0, 0, 0, 0]),
        [a] => a as u64,
        _ => match (rest.first_chunk(), rest.last_chunk()) {
            // 4 to 7 bytes; the two words overlap.
            (Some(first), Some(last)) => {
                let last = u32::from_le_bytes(*last) as u64;
                u32::from_le_bytes(*first) as u64 | last << 32
            }
            _ => 0,
        },
    }
}

/// Returns the fingerprint of a name by its characters, for objects in which a name may have
/// several spellings. It differs from the fingerprint by bytes.
#[cold]
pub(super) fn fingerprint_of_characters(name: impl Iterator<Item = char>) -> u64 {
    name.fold(FACTOR, |hash, character| mix(hash ^ u64::from(character)))
}

/// An odd number without a pattern: the 64-bit fraction of the golden ratio.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// A permutation in which each bit of the result depends on nearly all of `word`.
const fn mix(word: u64) -> u64 {
    let half_mixed = (word ^ (word >> 32)).wrapping_mul(FACTOR);
    (half_mixed ^ (half_mixed >> 32)).wrapping_mul(FACTOR)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::format;
    use std::string::String;

    use super::*;

    #[test]
    fn different_words_are_mixed_to_different_ones() {
        // Newton's iteration for the inverse of an odd number.
        let two = |product: u64| 2_u64.wrapping_sub(product);
        let inverse = (0..6)
            .fold(1_u64, |inverse, _| inverse.wrapping_mul(two(FACTOR.wrapping_mul(inverse))));
        assert_eq!(FACTOR.wrapping_mul(inverse), 1);
        // Returns the word that becomes `half_mixed` in the first half of the function.
        let before = |half_mixed: u64| {
            let word = half_mixed.wrapping_mul(inverse);
            word ^ (word >> 32)
        };
        for upper in (32..64).map(|bit| 1_u64 << bit) {
            // With `|` in place of `^`, these would become the same.
            let both = upper | upper >> 32;
            assert_ne!(mix(upper), mix(both), "{upper:x}");
            assert_ne!(mix(before(upper)), mix(before(both)), "{upper:x}");
        }
    }

    #[test]
    fn names_of_eight_bytes_or_more_are_compared_whole() {
        for name in ["abcdefgh", "abcdefghi", "http://schemas.example.com/a"] {
            assert!(Name::new(name).is(name));
            for other in [format!("{}?", &name[1..]), format!("?{}", &name[1..]), name.repeat(2)] {
                assert!(!Name::new(name).is(&other), "{name} {other}");
            }
        }
        // Shorter ones of other lengths.
        assert!(Name::new("aud").is("aud") && !Name::new("aud").is("au"));
    }

    #[track_caller]
    fn assert_distinct(names: impl Iterator<Item = String>) {
        let (mut by_bytes, mut by_characters) = (HashSet::new(), HashSet::new());
        for name in names {
            assert!(by_bytes.insert(fingerprint(name.as_bytes())), "{name:?}");
            assert!(by_characters.insert(fingerprint_of_characters(name.chars())), "{name:?}");
        }
        assert!(by_bytes.len() > 1_000, "{}", by_bytes.len());
    }

    #[test]
    fn names_that_differ_in_three_places_have_different_fingerprints() {
        let letters = || (b'!'..b'!' + 32).map(char::from);
        let triples = || {
            letters()
                .flat_map(move |a| letters().flat_map(move |b| letters().map(move |c| [a, b, c])))
        };
        assert_distinct(triples().map(|[a, b, c]| format!("{a}{b}{c}")));
        assert_distinct(triples().map(|[a, b, c]| format!("{a}xx{b}xx{c}")));
        // The last of one word, and some of the next.
        assert_distinct(triples().map(|[a, b, c]| format!("xxxxxxx{a}xxx{b}xxx{c}xxx")));
        assert_distinct(triples().map(|[a, b, c]| format!("{a}xxxxxxx{b}xxxxxxx{c}xxxxxxx")));
        assert_distinct(triples().map(|[a, b, c]| format!("{a}xxxxxxxx{b}xxxxxxxx{c}")));
    }

    #[test]
    fn names_of_one_letter_and_of_each_length_have_different_fingerprints() {
        let letters = ['\0', '\u{1}', '\u{7}', '`', 'a', '\u{7f}', '\u{ff}', '\u{ffff}'];
        let lengths = || 0..200;
        assert_distinct(letters.into_iter().enumerate().flat_map(|(place, letter)| {
            // The empty name once.
            let lengths = lengths().skip(usize::from(place > 0));
            lengths.map(move |length| core::iter::repeat_n(letter, length).collect())
        }));
    }

    #[test]
    fn a_length_is_not_made_up_for_by_another_first_letter() {
        let name =
            |length: usize, first: char| format!("{first}{}", "a".repeat(length.saturating_sub(1)));
        assert_distinct(
            (1..20).flat_map(|length| (' '..'\u{7f}').map(move |first| name(length, first))),
        );
    }

    #[test]
    fn each_bit_of_a_word_can_change_each_bit_of_what_it_is_mixed_to() {
        for bit in 0..64 {
            let changed = (0..200_u64).map(|n| {
                let word = n.wrapping_mul(0x0123_4567_89ab_cdef);
                mix(word) ^ mix(word ^ (1 << bit))
            });
            assert_eq!(changed.fold(0, |all, changed| all | changed), u64::MAX, "{bit}");
        }
    }

    #[test]
    fn each_byte_of_a_name_counts() {
        for length in 1..40 {
            let mut name = [b'a'; 40];
            let before = fingerprint(&name[..length]);
            for at in 0..length {
                for bit in 0..8 {
                    name[at] ^= 1 << bit;
                    assert_ne!(fingerprint(&name[..length]), before, "{at} of {length}");
                    name[at] ^= 1 << bit;
                }
            }
        }
    }
}
