//! Comparisons of strings: in constant time, and in `const` contexts.

/// Returns whether two texts are equal, in a time that does not depend on the position of the
/// first difference.
pub(crate) fn constant_time_eq(left: &[u8], right: &[u8]) -> bool {
    let difference = left.iter().zip(right).fold(0, |sum, (left, right)| sum | (left ^ right));
    left.len() == right.len() && core::hint::black_box(difference) == 0
}

/// Like [`constant_time_eq`], for a length that the compiler knows.
#[inline]
pub(crate) fn constant_time_eq_arrays<const LEN: usize>(
    left: &[u8; LEN],
    right: &[u8; LEN],
) -> bool {
    let difference = left.iter().zip(right).fold(0, |sum, (left, right)| sum | (left ^ right));
    core::hint::black_box(difference) == 0
}

/// Returns whether `values` contains `value`, in `const` contexts.
pub(crate) const fn list_contains(values: &[&str], value: &str) -> bool {
    let mut rest = values;
    while let Some((candidate, others)) = rest.split_first() {
        if bytes_equal(candidate.as_bytes(), value.as_bytes()) {
            return true;
        }
        rest = others;
    }
    false
}

const fn bytes_equal(left: &[u8], right: &[u8]) -> bool {
    let (mut left, mut right) = (left, right);
    while let (Some((l, left_rest)), Some((r, right_rest))) =
        (left.split_first(), right.split_first())
    {
        if *l != *r {
            return false;
        }
        left = left_rest;
        right = right_rest;
    }
    left.is_empty() && right.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_equal_if_all_of_their_bytes_are() {
        for (left, right) in [("", "a"), ("ab", "ba"), ("aab", "abb"), ("abc", "ab"), ("a", "b")] {
            for (left, right) in [(left, right), (right, left)] {
                assert!(!constant_time_eq(left.as_bytes(), right.as_bytes()), "{left} {right}");
                assert!(!bytes_equal(left.as_bytes(), right.as_bytes()), "{left} {right}");
                assert!(!list_contains(&[left], right), "{left} {right}");
            }
            assert!(constant_time_eq(left.as_bytes(), left.as_bytes()));
            assert!(constant_time_eq_arrays(&[1, 2], &[1, 2]));
            assert!(!constant_time_eq_arrays(&[1, 2], &[1, 3]));
            assert!(!constant_time_eq_arrays(&[1, 2], &[0, 2]));
            assert!(list_contains(&[right, left], left));
        }
    }
}
