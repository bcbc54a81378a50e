//! The capacities, which are set when the library is built.

/// Returns the number in an environment variable of the build, or a default.
const fn capacity(variable: Option<&str>, default: usize) -> usize {
    let Some(text) = variable else { return default };
    let (mut number, mut rest) = (0_usize, text.as_bytes());
    while let [digit, others @ ..] = rest {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return default;
        }
        number = number.saturating_mul(10).saturating_add(small(digit));
        rest = others;
    }
    if number == 0 { default } else { number }
}

/// `usize::from` is not `const`.
const fn small(digit: u8) -> usize {
    let (mut number, mut left) = (0_usize, digit);
    while left > 0 {
        number = number.saturating_add(1);
        left = left.saturating_sub(1);
    }
    number
}

/// The maximum number of keys of an issuer.
pub(crate) const KEYS: usize = capacity(option_env!("CLAIMGATE_KEYS"), 16);

/// The scratch space of a validation, in bytes: the maximum length of a token.
pub(crate) const BUFFER: usize = capacity(option_env!("CLAIMGATE_BUFFER"), 16_384);

/// The maximum length of a token in a cache, in bytes.
pub(crate) const CACHED_TOKEN: usize = capacity(option_env!("CLAIMGATE_CACHED_TOKEN"), 2_048);

/// The number of slots in which a token may be stored. With 4, one request in eight with 2,000
/// tokens in turn missed in a cache for 4,096; with 32, none did.
pub(crate) const WAYS: usize =
    capacity(option_env!("CLAIMGATE_CACHE_WAYS"), if usize::BITS < 64 { 4 } else { 32 });

/// The maximum number of texts in all lists of a policy.
pub(crate) const TEXTS: usize = capacity(option_env!("CLAIMGATE_POLICY_TEXTS"), 96);

/// The maximum number of claim rules of a policy, and of its sets of scope tokens.
pub(crate) const RULES: usize = capacity(option_env!("CLAIMGATE_POLICY_RULES"), 16);

/// The maximum number of tenants of an issuer.
pub(crate) const TENANTS: usize = capacity(option_env!("CLAIMGATE_TENANTS"), 32);

/// The maximum number of issuers of a validation.
pub(crate) const ISSUERS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capacity_is_a_positive_number_or_the_default() {
        assert_eq!(capacity(None, 7), 7);
        for (text, number) in [("1", 1), ("9", 9), ("10", 10), ("16384", 16_384)] {
            assert_eq!(capacity(Some(text), 7), number, "{text}");
        }
        for text in ["", "0", "00", "-1", "1/", "1:", "1 ", "x"] {
            assert_eq!(capacity(Some(text), 7), 7, "{text}");
        }
    }
}
