//! What tells one policy from another.

/// A hash over all settings of a policy: 64 bits, by FNV-1a.
///
/// Two policies could have one. Nothing hangs on that but which entries of a cache
/// are found, whose rules are applied anew; so what suffices is a hash that can be
/// computed while the program is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity(u64);

impl Identity {
    /// Of no settings.
    pub(super) const NONE: Self = Self(0xcbf2_9ce4_8422_2325);

    const fn bytes(mut self, bytes: &[u8]) -> Self {
        let mut rest = bytes;
        while let Some((byte, others)) = rest.split_first() {
            let mixed = self.0 ^ u64::from_le_bytes([*byte, 0, 0, 0, 0, 0, 0, 0]);
            self.0 = mixed.wrapping_mul(0x0100_0000_01b3);
            rest = others;
        }
        self
    }

    pub(super) const fn number(self, number: u64) -> Self {
        self.bytes(&number.to_le_bytes())
    }

    pub(super) const fn bits(self, bits: u16) -> Self {
        self.bytes(&bits.to_le_bytes())
    }

    pub(super) const fn optional(self, number: Option<u64>) -> Self {
        match number {
            None => self.bytes(&[0]),
            Some(number) => self.bytes(&[1]).number(number),
        }
    }

    /// A text, and an octet after it that no text holds.
    pub(super) const fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes()).bytes(&[0xff])
    }

    pub(super) const fn optional_text(self, text: Option<&str>) -> Self {
        match text {
            None => self.bytes(&[0xfe]),
            Some(text) => self.text(text),
        }
    }

    /// Texts, and another such octet.
    pub(super) const fn texts(mut self, texts: &[&str]) -> Self {
        let mut rest = texts;
        while let Some((text, others)) = rest.split_first() {
            self = self.text(text);
            rest = others;
        }
        self.bytes(&[0xfe])
    }
}
