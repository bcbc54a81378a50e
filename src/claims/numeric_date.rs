//! The times in tokens.

use core::fmt;

/// A time: whole seconds since 1970-01-01T00:00:00Z, leap seconds not counted
/// ([RFC 7519 §2](https://www.rfc-editor.org/rfc/rfc7519#section-2)).
///
/// ```
/// use claimgate::NumericDate;
///
/// const ISSUED: NumericDate = NumericDate::from_secs(1_311_280_970);
/// assert_eq!(ISSUED.as_secs(), 1_311_280_970);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct NumericDate(u64);

/// The direction in which a fraction of a second is rounded: to the stricter side of the rule
/// that compares the time with the clock.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rounding {
    /// For the end of a period.
    Down,
    /// For the beginning of a period.
    Up,
}

impl NumericDate {
    /// The last second of the year 9999: the latest time that a token can have.
    pub const MAX: Self = Self(253_402_300_799);

    /// Constructs a time from seconds since the epoch.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Returns the seconds since the epoch.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// Returns the time of the system's clock, or 0 if it is before 1970.
    #[cfg(feature = "std")]
    #[cfg_attr(docsrs, doc(cfg(feature = "std")))]
    #[must_use]
    pub fn now() -> Self {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Self(since_epoch.map_or(0, |duration| duration.as_secs()))
    }

    /// Reads a valid JSON number in any notation, exactly, without floating point. Also
    /// returns whether a fraction of a second was rounded.
    ///
    /// `None` for a negative number and one above [`NumericDate::MAX`].
    pub(crate) fn from_json_number(text: &str, rounding: Rounding) -> Option<(Self, bool)> {
        let (seconds, has_fraction) = match digits_alone(text) {
            Some(seconds) => (seconds, false),
            None => Self::seconds(text, rounding)?,
        };
        (seconds <= Self::MAX.0).then_some((Self(seconds), has_fraction))
    }

    /// Returns the rounded seconds of a valid JSON number that is not negative.
    fn seconds(text: &str, rounding: Rounding) -> Option<(u64, bool)> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, saturating_exponent(exponent)),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once(['.']).unwrap_or((mantissa, ""));
        if whole.starts_with('-') {
            return None;
        }
        // The position of the decimal point, in digits from the left.
        let mut until_point = i64::try_from(whole.len()).ok()?.saturating_add(exponent);
        let mut seconds = 0_u64;
        let mut has_fraction = false;
        for digit in whole.bytes().chain(fraction.bytes()) {
            let digit = u64::from(digit.wrapping_sub(b'0'));
            if until_point > 0 {
                seconds = seconds.checked_mul(10)?.checked_add(digit)?;
            } else {
                has_fraction |= digit != 0;
            }
            until_point = until_point.saturating_sub(1);
        }
        // Zeros that come from the exponent only.
        while until_point > 0 && seconds > 0 {
            seconds = seconds.checked_mul(10)?;
            until_point = until_point.saturating_sub(1);
        }
        if has_fraction && rounding == Rounding::Up {
            seconds = seconds.saturating_add(1);
        }
        Some((seconds, has_fraction))
    }

    /// Reads a UTC timestamp of the form `2017-03-30T15:13:40.474Z`
    /// ([RFC 3339 §5.6](https://www.rfc-editor.org/rfc/rfc3339#section-5.6)).
    /// A fraction is truncated.
    pub(crate) fn from_timestamp(text: &str) -> Option<Self> {
        let text = text.strip_suffix('Z')?;
        let text = match text.split_once(['.']) {
            Some((text, fraction)) if !fraction.is_empty() && is_digits(fraction) => text,
            Some(_) => return None,
            None => text,
        };
        let (date, time) = text.split_once(['T'])?;
        let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
        let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let february = if is_leap { 29 } else { 28 };
        let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let month = usize::try_from(month).ok()?.checked_sub(1)?;
        let length = *lengths.get(month)?;
        if year < 1970 || !(1..=length).contains(&day) || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let before = year.checked_sub(1)?;
        let leap_days = (before / 4).checked_sub(before / 100)?.checked_add(before / 400)?;
        let days = before
            .checked_mul(365)?
            .checked_add(leap_days)?
            // The number of days before 1970-01-01.
            .checked_sub(719_162)?
            .checked_add(lengths.iter().take(month).sum::<u32>())?
            .checked_add(day.checked_sub(1)?)?;
        let minutes = hour.checked_mul(60)?.checked_add(minute)?;
        let seconds = minutes.checked_mul(60)?.checked_add(second)?;
        u64::from(days).checked_mul(86_400)?.checked_add(seconds.into()).map(Self)
    }
}

impl fmt::Display for NumericDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Returns the value of a number in the usual notation: up to 12 digits and nothing else.
fn digits_alone(text: &str) -> Option<u64> {
    if text.len() > 12 {
        return None;
    }
    let mut value = 0_u64;
    for byte in text.bytes() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
    }
    Some(value)
}

/// Reads the exponent of a valid JSON number. An exponent out of range saturates.
fn saturating_exponent(text: &str) -> i64 {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let magnitude = digits.bytes().fold(0_i64, |value, digit| {
        value.saturating_mul(10).saturating_add(i64::from(digit.wrapping_sub(b'0')))
    });
    if is_negative { magnitude.saturating_neg() } else { magnitude }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads three numbers with these numbers of digits.
fn numbers(text: &str, separator: char, lengths: [usize; 3]) -> Option<[u32; 3]> {
    let mut parts = text.split([separator]);
    let mut out = [0; 3];
    for (number, length) in out.iter_mut().zip(lengths) {
        let part = parts.next().filter(|part| part.len() == length && is_digits(part))?;
        *number = part.bytes().fold(0_u32, |value, digit| {
            value.wrapping_mul(10).wrapping_add(u32::from(digit.wrapping_sub(b'0')))
        });
    }
    parts.next().is_none().then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<u64>, Option<u64>) {
        let read = |rounding| {
            NumericDate::from_json_number(text, rounding).map(|(date, _)| date.as_secs())
        };
        (read(Rounding::Down), read(Rounding::Up))
    }

    #[cfg(feature = "std")]
    #[test]
    fn now_is_after_this_was_written() {
        assert!(NumericDate::now() > NumericDate::from_secs(1_763_000_000));
        assert!(NumericDate::now() <= NumericDate::MAX);
    }

    #[test]
    fn whole_numbers_are_read_in_any_spelling() {
        for (text, seconds) in [
            ("0", 0),
            ("1311281970", 1_311_281_970),
            ("1.7e9", 1_700_000_000),
            ("17E+8", 1_700_000_000),
            ("1700000000.000", 1_700_000_000),
            ("17000000000e-1", 1_700_000_000),
            ("0.00000017e16", 1_700_000_000),
            ("0e99999999999999999999", 0),
            ("0.0e-99999999999999999999", 0),
            ("253402300799", 253_402_300_799),
        ] {
            assert_eq!(read(text), (Some(seconds), Some(seconds)), "{text}");
        }
    }

    #[test]
    fn digits_alone_mean_what_other_spellings_mean() {
        let mut number = 0_u64;
        for digit in [1, 0, 9, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9] {
            for plain in [number, number + 1, number * 2] {
                assert_eq!(
                    read(&std::format!("{plain}")),
                    read(&std::format!("{plain}.0")),
                    "{plain}"
                );
                assert_eq!(
                    read(&std::format!("{plain}")),
                    read(&std::format!("{plain}e0")),
                    "{plain}"
                );
            }
            number = number * 10 + digit;
        }
    }

    #[test]
    fn fractions_go_to_the_asked_side() {
        assert_eq!(read("1.5"), (Some(1), Some(2)));
        assert_eq!(read("9.9"), (Some(9), Some(10)));
        assert_eq!(read("0.0000000001"), (Some(0), Some(1)));
        assert_eq!(read("1e-400"), (Some(0), Some(1)));
        assert_eq!(read("15e-1"), (Some(1), Some(2)));
        assert_eq!(read("253402300798.9"), (Some(253_402_300_798), Some(253_402_300_799)));
        assert_eq!(read("253402300799.9"), (Some(253_402_300_799), None));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "-1",
            "-9",
            "-0",
            "-0.5",
            "253402300800",
            "1e400",
            "1e99999999999999999999",
            "2534023008e2",
            "18446744073709551615",
            "18446744073709551616",
            "9223372036854775807",
            "99999999999999999999999999",
        ] {
            assert_eq!(read(text), (None, None), "{text}");
        }
    }

    #[test]
    fn timestamps_are_read() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2017-03-30T15:13:40.474Z", 1_490_886_820),
            ("2000-02-29T23:59:59Z", 951_868_799),
            ("2016-12-31T23:59:60Z", 1_483_228_800),
            ("2024-02-29T00:00:00Z", 1_709_164_800),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
            ("2011-07-21T20:42:50Z", 1_311_280_970),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            let read = NumericDate::from_timestamp(text).map(NumericDate::as_secs);
            assert_eq!(read, Some(seconds), "{text}");
        }
        for text in [
            "",
            "x",
            "2017-03-30",
            "2017-03-30T15:13:40",
            "2017-03-30 15:13:40Z",
            "2017-13-30T15:13:40Z",
            "2017-00-30T15:13:40Z",
            "2017-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2017-04-31T00:00:00Z",
            "2017-04-00T00:00:00Z",
            "2017-04-01T24:00:00Z",
            "2017-04-01T00:60:00Z",
            "2017-04-01T00:00:61Z",
            "1969-12-31T23:59:59Z",
            "2017-03-30T15:13:40.Z",
            "2017-03-30T15:13:40.4x4Z",
            "2017-3-30T15:13:40Z",
            "+017-03-30T15:13:40Z",
            "2017-03-30T15:13:40+00:00",
            "2017-03-30T15:13Z",
            "2017-03-30-01T15:13:40Z",
        ] {
            assert_eq!(NumericDate::from_timestamp(text), None, "{text}");
        }
    }
}
