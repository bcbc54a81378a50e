//! The fingerprints of policies.

/// A 64-bit hash of all settings of a policy. Inputs are length-prefixed, so the encoding is
/// unambiguous.
///
/// Two policies can have the same fingerprint, and then find each other's cache entries. Every
/// rule is applied to a cache hit, so neither gets the other's result. A hash that can be
/// computed at compile time is therefore sufficient, even if it is not collision-resistant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint(u64);

impl Fingerprint {
    /// The fingerprint of no settings.
    pub(super) const NONE: Self = Self(0);

    /// Multiplication propagates differences to higher bits, and the shift to lower bits.
    pub(super) const fn number(self, number: u64) -> Self {
        // 2^64 divided by the golden ratio.
        let product = (self.0 ^ number).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self(product ^ product >> 32)
    }

    #[expect(clippy::as_conversions, reason = "`u64::from` is not `const`; none has more bits")]
    const fn length(self, length: usize) -> Self {
        self.number(length as u64)
    }

    pub(super) const fn optional(self, number: Option<u64>) -> Self {
        match number {
            None => self.number(0),
            Some(number) => self.number(1).number(number),
        }
    }

    /// Adds the length of a text, and the text, eight bytes at a time.
    pub(super) const fn text(self, text: &str) -> Self {
        let (mut fingerprint, mut rest) = (self.length(text.len()), text.as_bytes());
        while let Some((word, others)) = rest.split_first_chunk() {
            fingerprint = fingerprint.number(u64::from_le_bytes(*word));
            rest = others;
        }
        while let Some((byte, others)) = rest.split_first() {
            fingerprint = fingerprint.number(u64::from_le_bytes([*byte, 0, 0, 0, 0, 0, 0, 0]));
            rest = others;
        }
        fingerprint
    }

    /// Adds the number of texts, and each text.
    pub(super) const fn texts(self, texts: &[&str]) -> Self {
        let (mut fingerprint, mut rest) = (self.length(texts.len()), texts);
        while let Some((text, others)) = rest.split_first() {
            fingerprint = fingerprint.text(text);
            rest = others;
        }
        fingerprint
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_the_same_has_another_identity() {
        let start = Fingerprint::NONE;
        let numbers = [start, start.number(0), start.number(1), start.number(0).number(0)];
        let optional = [
            start.optional(None),
            start.optional(Some(0)),
            start.optional(Some(1)),
            start.optional(None).optional(None),
            start.optional(None).optional(Some(0)),
            start.optional(Some(0)).optional(None),
        ];
        let texts = ["", "a", "ab", "12345678", "123456781", "1234567\0", "a\0\0\0\0\0\0\0"];
        let texts = texts.map(|text| start.text(text));
        let two_texts = [
            start.text("ab").text(""),
            start.text("a").text("b"),
            start.text("").text("ab"),
            start.text("b").text("a"),
        ];
        let lists = [
            start.texts(&[]),
            start.texts(&[""]),
            start.texts(&["a"]),
            start.texts(&["a", ""]),
            start.texts(&["", "a"]),
            start.texts(&["a"]).texts(&[]),
            start.texts(&[]).texts(&["a"]),
            start.texts(&["a", "b"]),
            start.texts(&["b", "a"]),
            start.texts(&["ab"]),
        ];
        let all: [&[Fingerprint]; 5] = [&numbers, &optional, &texts, &two_texts, &lists];
        for distinct in all {
            for (index, one) in distinct.iter().enumerate() {
                assert!(!distinct[..index].contains(one), "{index}");
            }
        }
    }

    #[test]
    fn texts_that_differ_in_two_places_have_another_identity() {
        let mut fingerprints = std::collections::HashSet::new();
        for (first, second) in
            (32..127).flat_map(|first| (32..127).map(move |second| (first, second)))
        {
            for (one, other) in [(7, 15), (0, 8), (3, 14)] {
                let mut text = *b"https://example.com/";
                text[one] = first;
                text[other] = second;
                let is_new =
                    fingerprints.insert(Fingerprint::NONE.text(str::from_utf8(&text).unwrap()).0);
                assert!(is_new || &text == b"https://example.com/", "{text:?}");
            }
        }
        assert_eq!(fingerprints.len(), 3 * 95 * 95 - 2);
    }
}
