//! The capacities, which are chosen when the library is built.

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

/// The number of keys of an issuer.
pub(crate) const KEYS: usize = capacity(option_env!("CLAIMGATE_KEYS"), 16);

/// The scratch space of a validation, in bytes: as long as the longest token.
pub(crate) const BUFFER: usize = capacity(option_env!("CLAIMGATE_BUFFER"), 16_384);

/// The longest token that a cache accepts, in bytes.
pub(crate) const CACHED_TOKEN: usize = capacity(option_env!("CLAIMGATE_CACHED_TOKEN"), 2_048);

/// The slots in which a token may be.
pub(crate) const WAYS: usize = 4;

/// The texts of all lists of a policy together.
pub(crate) const TEXTS: usize = capacity(option_env!("CLAIMGATE_POLICY_TEXTS"), 96);

/// The claim rules of a policy, and its sets of scope tokens.
pub(crate) const RULES: usize = capacity(option_env!("CLAIMGATE_POLICY_RULES"), 16);

/// The tenants of an issuer.
pub(crate) const TENANTS: usize = capacity(option_env!("CLAIMGATE_TENANTS"), 32);

/// The issuers of one validation.
pub(crate) const ISSUERS: usize = 8;
