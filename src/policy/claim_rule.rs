//! Rules for any claim: C9.

use core::fmt;

use super::{Fingerprint, Forbidden};
use crate::bytes::equal;
use crate::error::{ConfigError, Error, Input, Problem};
use crate::json::{Name, Object, Value};
use crate::validated::{Token, Validated};

/// A rule for one claim of a token, identified by a path of member names.
///
/// The path has one to four names, from the outermost object inwards. A name is compared as a
/// whole, so a URL or a name with dots is one name.
///
/// ```
/// use claimgate::policy::ClaimRule;
/// use claimgate::{AccessTokenPolicy, at_compile_time};
///
/// const ADMIN: ClaimRule<'_> =
///     at_compile_time!(ClaimRule::contains(&["realm_access", "roles"], "admin"));
/// const REPOSITORY: ClaimRule<'_> =
///     at_compile_time!(ClaimRule::equals(&["repository"], "octo-org/octo-repo"));
///
/// const POLICY: AccessTokenPolicy<'_> = at_compile_time!(
///     AccessTokenPolicy::general("deploy").require_claims(&[ADMIN, REPOSITORY]).build()
/// );
/// ```
///
/// A claim that is missing, of the wrong type or of another value is rejected with
/// [`Error::ClaimMismatch`], and so is a path through a value that is not an object. The error
/// contains neither the claim's value nor the expected one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ClaimRule<'a> {
    path: &'a [&'a str],
    /// The first name of the path.
    first: Name<'a>,
    expected: Expected<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected<'a> {
    Text(&'a str),
    Integer(Digits),
    Boolean(bool),
    OneOf(&'a [&'a str]),
    Contains(&'a str),
}

/// An integer in the one spelling that JSON has for it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Digits {
    /// The sign and the digits, at the end.
    text: [u8; 20],
    start: u8,
}

impl Digits {
    const fn of(value: i64) -> Self {
        let (mut text, mut start, mut magnitude) = ([b'-'; 20], 20_u8, value.unsigned_abs());
        let mut rest = text.as_mut_slice();
        while let Some((place, before)) = rest.split_last_mut() {
            let [digit, ..] = (magnitude % 10).to_le_bytes();
            *place = b'0'.wrapping_add(digit);
            start = start.wrapping_sub(1);
            magnitude /= 10;
            if magnitude == 0 {
                break;
            }
            rest = before;
        }
        // The place before the digits contains the sign.
        Self { text, start: if value < 0 { start.wrapping_sub(1) } else { start } }
    }

    #[expect(clippy::as_conversions, reason = "`usize::from` is not `const`")]
    const fn as_bytes(&self) -> &[u8] {
        match self.text.split_at_checked(self.start as usize) {
            Some((_, digits)) => digits,
            None => &[],
        }
    }

    const fn as_str(&self) -> &str {
        match core::str::from_utf8(self.as_bytes()) {
            Ok(digits) => digits,
            Err(_) => "",
        }
    }
}

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'a> ClaimRule<'a> {
    /// The maximum number of names in a path.
    pub const MAX_PATH_LEN: usize = 4;

    /// Requires the claim to be this string.
    ///
    /// # Errors
    ///
    /// [`ConfigError::ClaimPath`] if the path is empty or has more than
    /// [`MAX_PATH_LEN`](Self::MAX_PATH_LEN) names.
    pub const fn equals(path: &'a [&'a str], value: &'a str) -> Result<Self, ConfigError> {
        Self::new(path, Expected::Text(value))
    }

    /// Requires the claim to be this integer, written without a fraction or an exponent.
    ///
    /// # Errors
    ///
    /// Those of [`equals`](Self::equals).
    pub const fn equals_integer(path: &'a [&'a str], value: i64) -> Result<Self, ConfigError> {
        Self::new(path, Expected::Integer(Digits::of(value)))
    }

    /// Requires the claim to be this boolean.
    ///
    /// # Errors
    ///
    /// Those of [`equals`](Self::equals).
    pub const fn equals_boolean(path: &'a [&'a str], value: bool) -> Result<Self, ConfigError> {
        Self::new(path, Expected::Boolean(value))
    }

    /// Requires the claim to be one of these strings.
    ///
    /// # Errors
    ///
    /// [`ConfigError::EmptyList`] if there are no strings, and those of
    /// [`equals`](Self::equals).
    pub const fn one_of(path: &'a [&'a str], values: &'a [&'a str]) -> Result<Self, ConfigError> {
        if values.is_empty() {
            return Err(ConfigError::EmptyList("claim values"));
        }
        Self::new(path, Expected::OneOf(values))
    }

    /// Requires the claim to be an array of strings or a string of space-separated tokens, one
    /// of which is `value`.
    ///
    /// # Errors
    ///
    /// Those of [`equals`](Self::equals).
    pub const fn contains(path: &'a [&'a str], value: &'a str) -> Result<Self, ConfigError> {
        Self::new(path, Expected::Contains(value))
    }

    const fn new(path: &'a [&'a str], expected: Expected<'a>) -> Result<Self, ConfigError> {
        match path {
            [first, ..] if path.len() <= Self::MAX_PATH_LEN => {
                Ok(Self { path, first: Name::new(first), expected })
            }
            _ => Err(ConfigError::ClaimPath),
        }
    }

    /// Adds the rule to the fingerprint of a policy.
    const fn fingerprint(&self, fingerprint: Fingerprint) -> Fingerprint {
        let fingerprint = fingerprint.texts(self.path);
        match self.expected {
            Expected::Text(value) => fingerprint.number(0).text(value),
            Expected::Integer(value) => fingerprint.number(1).text(value.as_str()),
            Expected::Boolean(false) => fingerprint.number(2),
            Expected::Boolean(true) => fingerprint.number(3),
            Expected::OneOf(values) => fingerprint.number(4).texts(values),
            Expected::Contains(value) => fingerprint.number(5).text(value),
        }
    }

    /// Checks the rule on the members of a payload.
    fn check(&self, payload: &Object<'_>) -> Result<(), Refused> {
        let first = payload.find(&self.first).ok_or(Problem::Absent)?;
        let inner;
        let value = match self.path {
            [_] => first,
            path => {
                inner = path.iter().skip(1).try_fold(*first, |value, name| member(value, name))?;
                &inner
            }
        };
        Ok(self.expected.check(value)?)
    }
}

impl fmt::Debug for ClaimRule<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimRule")
            .field("path", &self.path)
            .field("expected", &self.expected)
            .finish()
    }
}

/// Returns the member with this name of a value that must be an object.
// Not inlined: the index of members would enlarge the stack frame of all rules.
#[inline(never)]
fn member<'v>(value: Value<'v>, name: &str) -> Result<Value<'v>, Refused> {
    let mut members = Object::empty();
    if !value.read_object(&mut members, Input::Payload).map_err(Refused::Error)? {
        return Err(Problem::WrongType.into());
    }
    Ok(members.get(name).ok_or(Problem::Absent)?)
}

impl Expected<'_> {
    #[inline]
    fn check(&self, value: &Value<'_>) -> Result<(), Problem> {
        let is_expected = match self {
            Self::Text(expected) => value.string().ok_or(Problem::WrongType)?.is(expected),
            Self::OneOf(expected) => {
                let found = value.string().ok_or(Problem::WrongType)?;
                expected.iter().any(|expected| found.is(expected))
            }
            Self::Boolean(expected) => value.boolean().ok_or(Problem::WrongType)? == *expected,
            Self::Integer(expected) => {
                let found = value.number().ok_or(Problem::WrongType)?;
                // A JSON number has no leading zeros, so an integer has one spelling.
                let is_expected = equal(found.as_bytes(), expected.as_bytes());
                if !is_expected && (found == "-0" || found.contains(['.', 'e', 'E'])) {
                    return Err(Problem::WrongType);
                }
                is_expected
            }
            Self::Contains(expected) => match value.string() {
                Some(tokens) => tokens.has_token(expected),
                None => array_contains(value, expected)?,
            },
        };
        if is_expected { Ok(()) } else { Err(Problem::WrongValue) }
    }
}

// Not inlined: it is larger than the other comparisons together.
#[inline(never)]
fn array_contains(array: &Value<'_>, expected: &str) -> Result<bool, Problem> {
    let mut is_found = false;
    for element in array.array().ok_or(Problem::WrongType)? {
        is_found |= element.string().ok_or(Problem::WrongType)?.is(expected);
    }
    Ok(is_found)
}

/// The reason why a rule is not met.
enum Refused {
    Claim(Problem),
    /// An object on the path is not acceptable.
    Error(Error),
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self::Claim(problem)
    }
}

/// The claim rules of a policy.
///
/// The function that checks the rules is stored with them, so that a program whose policies
/// have no claim rules does not contain it.
#[derive(Clone, Copy)]
pub(crate) struct ClaimRules<'a> {
    rules: &'a [ClaimRule<'a>],
    check: fn(&[ClaimRule<'_>], &Object<'_>) -> Result<(), Error>,
}

impl<'a> ClaimRules<'a> {
    pub(super) const fn new(rules: &'a [ClaimRule<'a>]) -> Self {
        Self { rules, check: check_all }
    }

    /// Checks the rules on the members of a payload.
    #[inline]
    pub(crate) fn check(&self, payload: &Object<'_>) -> Result<(), Error> {
        (self.check)(self.rules, payload)
    }

    /// Adds the rules to the fingerprint of a policy.
    pub(super) const fn fingerprint(&self, fingerprint: Fingerprint) -> Fingerprint {
        let (mut fingerprint, mut rest) = (fingerprint, self.rules);
        while let Some((rule, others)) = rest.split_first() {
            fingerprint = rule.fingerprint(fingerprint.number(1));
            rest = others;
        }
        fingerprint.number(0)
    }
}

/// Checks the rules in their order, up to the first that is not met.
#[inline(never)]
fn check_all(rules: &[ClaimRule<'_>], payload: &Object<'_>) -> Result<(), Error> {
    let mut rest = rules.iter();
    rest.try_for_each(|rule| rule.check(payload)).map_err(|refused| match refused {
        Refused::Claim(problem) => {
            let rule = rules.len().saturating_sub(rest.len()).saturating_sub(1);
            Error::ClaimMismatch { rule, problem }
        }
        Refused::Error(error) => error,
    })
}

impl PartialEq for ClaimRules<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.rules == other.rules
    }
}

impl Eq for ClaimRules<'_> {}

impl fmt::Debug for ClaimRules<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rules.fmt(f)
    }
}

impl<'b, T: Token<'b>> Validated<T> {
    /// Checks claim rules, for example those of one route of an API.
    ///
    /// # Errors
    ///
    /// [`Forbidden`] with [`Error::ClaimMismatch`] for the first rule that is not met.
    pub fn authorize_claims(&self, rules: &[ClaimRule<'_>]) -> Result<(), Forbidden<'static>> {
        Object::parse_decoded(self.0.payload(), Input::Payload)
            .and_then(|payload| check_all(rules, &payload))
            .map_err(Forbidden::of_claims)
    }
}
