//! The claims `scope`, `scp` and `permissions`.

use core::{fmt, iter};

use crate::bytes::{all, split_once_near};
use crate::error::Claim;

/// An array of strings that contain no quotes, backslashes or control characters.
///
/// It borrows the JSON text of the token, so the number of strings is not limited.
///
/// ```
/// # fn show(token: &claimgate::Validated<claimgate::AccessToken<'_>>) {
/// let may_read = token.permissions().contains("read:patients");
/// let used_a_second_factor = token.amr().iter().any(|method| method == "mfa");
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct StringArray<'b>(pub(super) &'b str);

impl<'b> StringArray<'b> {
    /// The empty array.
    pub(crate) const EMPTY: Self = Self("");

    /// Constructs the array from a valid JSON array of such strings, or one such string.
    pub(crate) const fn from_json(text: &'b str) -> Self {
        Self(text)
    }

    /// Returns an iterator over the strings, in the token's order.
    pub fn iter(&self) -> impl Iterator<Item = &'b str> + use<'b> {
        // There are no escapes, so every second piece between quotes is a string.
        Quoted(self.0)
    }

    /// Returns whether `string` is one of them, compared byte for byte.
    #[must_use]
    pub fn contains(&self, string: &str) -> bool {
        self.iter().any(|element| element == string)
    }
}

/// An iterator over the strings between quotes.
struct Quoted<'b>(&'b str);

impl<'b> Iterator for Quoted<'b> {
    type Item = &'b str;

    fn next(&mut self) -> Option<&'b str> {
        let (_, inside) = split_once_near(b'"', self.0)?;
        let (piece, rest) = split_once_near(b'"', inside)?;
        self.0 = rest;
        Some(piece)
    }
}

impl fmt::Debug for StringArray<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StringArray").finish_non_exhaustive()
    }
}

/// `scope` or `scp`: the access that is granted to the bearer
/// ([RFC 6749 §3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3)).
///
/// Scope tokens are compared as a whole and case-sensitively. A token without these claims has
/// an empty scope.
///
/// ```
/// # fn show(token: &claimgate::Validated<claimgate::AccessToken<'_>>) {
/// for granted in token.scope().iter() {
///     println!("may {granted}");
/// }
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Scope<'b>(Form<'b>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form<'b> {
    Text(&'b str),
    Array(StringArray<'b>),
}

impl<'b> Scope<'b> {
    /// The empty scope.
    pub(crate) const EMPTY: Self = Self(Form::Text(""));

    /// Constructs the scope from scope tokens with single spaces between them. The empty
    /// string is an empty scope: some servers write it.
    pub(crate) fn from_text(text: &'b str) -> Option<Self> {
        let is_of_alphabet = all(text.as_bytes(), |byte| byte == b' ' || is_scope_character(byte));
        let has_tokens = text.is_empty() || between_spaces(text).all(|token| !token.is_empty());
        (is_of_alphabet && has_tokens).then_some(Self(Form::Text(text)))
    }

    /// Constructs the scope from an array of scope tokens.
    pub(crate) fn from_array(array: StringArray<'b>) -> Option<Self> {
        array.iter().all(is_scope_token).then_some(Self(Form::Array(array)))
    }

    /// Returns the form that it has.
    pub(super) const fn forms(self) -> (Option<&'b str>, Option<StringArray<'b>>) {
        match self.0 {
            Form::Text(text) => (Some(text), None),
            Form::Array(array) => (None, Some(array)),
        }
    }

    pub(super) fn from_forms(text: Option<&'b str>, array: Option<StringArray<'b>>) -> Self {
        match array {
            Some(array) => Self(Form::Array(array)),
            None => Self(Form::Text(text.unwrap_or_default())),
        }
    }

    /// Returns an iterator over the scope tokens, in the token's order.
    pub fn iter(&self) -> impl Iterator<Item = &'b str> + use<'b> {
        let (text, array) = match self.0 {
            Form::Text(text) => (text, StringArray::EMPTY),
            Form::Array(array) => ("", array),
        };
        between_spaces(text).filter(|token| !token.is_empty()).chain(array.iter())
    }

    /// Returns whether `token` is granted, compared as a whole and case-sensitively.
    #[must_use]
    pub fn contains(&self, token: &str) -> bool {
        match self.0 {
            Form::Text(text) => {
                !token.is_empty() && between_spaces(text).any(|granted| granted == token)
            }
            Form::Array(array) => array.contains(token),
        }
    }

    /// Returns whether the scope is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

/// Returns the pieces of a text between its spaces, at least one.
fn between_spaces<'b>(text: &'b str) -> impl Iterator<Item = &'b str> + use<'b> {
    let mut rest = Some(text);
    iter::from_fn(move || {
        let text = rest?;
        let (piece, others) = match split_once_near(b' ', text) {
            Some((piece, others)) => (piece, Some(others)),
            None => (text, None),
        };
        rest = others;
        Some(piece)
    })
}

/// Writes the scope tokens with single spaces between them. They are not secret.
impl fmt::Display for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for token in self.iter() {
            write!(f, "{separator}{token}")?;
            separator = " ";
        }
        Ok(())
    }
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").finish_non_exhaustive()
    }
}

/// Returns whether a text is one scope token: `1*( %x21 / %x23-5B / %x5D-7E )`.
pub(crate) const fn is_scope_token(token: &str) -> bool {
    let mut rest = token.as_bytes();
    while let Some((&byte, others)) = rest.split_first() {
        if !is_scope_character(byte) {
            return false;
        }
        rest = others;
    }
    !token.is_empty()
}

const fn is_scope_character(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)
}

/// A scope token that requests claims about the user
/// ([OIDC Core §5.4](https://openid.net/specs/openid-connect-core-1_0.html#ScopeClaims)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum StandardScope {
    /// `profile`
    Profile,
    /// `email`
    Email,
    /// `address`
    Address,
    /// `phone`
    Phone,
}

impl StandardScope {
    /// All standard scope tokens.
    pub const ALL: [Self; 4] = [Self::Profile, Self::Email, Self::Address, Self::Phone];

    /// Returns the scope token.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Email => "email",
            Self::Address => "address",
            Self::Phone => "phone",
        }
    }

    /// Returns the claims that the scope token requests.
    ///
    /// ```
    /// use claimgate::claims::StandardScope;
    /// use claimgate::error::Claim;
    ///
    /// assert_eq!(StandardScope::Email.claims(), [Claim::Email, Claim::EmailVerified]);
    /// ```
    #[must_use]
    pub const fn claims(self) -> &'static [Claim] {
        match self {
            Self::Profile => &[
                Claim::Name,
                Claim::FamilyName,
                Claim::GivenName,
                Claim::MiddleName,
                Claim::Nickname,
                Claim::PreferredUsername,
                Claim::Profile,
                Claim::Picture,
                Claim::Website,
                Claim::Gender,
                Claim::Birthdate,
                Claim::Zoneinfo,
                Claim::Locale,
                Claim::UpdatedAt,
            ],
            Self::Email => &[Claim::Email, Claim::EmailVerified],
            Self::Address => &[Claim::Address],
            Self::Phone => &[Claim::PhoneNumber, Claim::PhoneNumberVerified],
        }
    }

    /// Returns the scope token that requests this claim, if there is one.
    #[must_use]
    pub fn requesting(claim: Claim) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.claims().contains(&claim))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a05_scope_tokens_have_their_grammar() {
        for token in ["a", "read:patients", "!#$%&'()*+,-./:;<=>?@[]^_`{|}~", "https://x/y"] {
            assert!(is_scope_token(token), "{token}");
        }
        for token in ["", " ", "a b", "a\"", "a\\", "\u{7f}", "\u{1f}", "ä", "a\t"] {
            assert!(!is_scope_token(token), "{token:?}");
        }
    }

    #[test]
    fn a05_scope_text_has_single_spaces() {
        assert!(Scope::from_text("a b c").is_some());
        assert!(Scope::from_text("").is_some_and(|scope| scope.is_empty()));
        for text in [" ", " a", "a ", "a  b", "a  b  c", "a\tb", "a\nb", "a,ö"] {
            assert!(Scope::from_text(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn a05_scope_tokens_are_compared_whole_and_case_sensitively() {
        let array = StringArray::from_json(r#"["read:patients", "read:admin"]"#);
        for scope in [Scope::from_text("read:patients read:admin"), Scope::from_array(array)] {
            let scope = scope.unwrap();
            assert!(scope.contains("read:patients") && scope.contains("read:admin"));
            for other in [
                "read",
                "read:patient",
                "Read:patients",
                "",
                " ",
                "patients",
                "read:patients read:admin",
            ] {
                assert!(!scope.contains(other), "{other:?}");
            }
            assert_eq!(std::format!("{scope}"), "read:patients read:admin");
        }
    }

    #[test]
    fn a05_each_of_several_scope_tokens_is_found_and_no_part_of_one() {
        let tokens = ["a", "read:ab", "read:abc", "read:abcd", "write:all-of-them"];
        for first in 0..tokens.len() {
            let (end, start) = tokens.split_at(first);
            let text = [start, end].concat().join(" ");
            let scope = Scope::from_text(&text).unwrap();
            for token in tokens {
                assert!(scope.contains(token), "{token} in {text}");
                assert!(!scope.contains(&std::format!("{token}x")), "{token}x in {text}");
                assert!(!scope.contains(&std::format!("{token} ")), "{token} in {text}");
            }
            for part in ["read:a", "ead:ab", "write:all-of-the", ""] {
                assert!(!scope.contains(part), "{part} in {text}");
            }
        }
    }

    #[test]
    fn a05_one_bad_character_is_seen_wherever_it_stands() {
        for length in [1, 7, 8, 9, 15, 16, 17, 40] {
            for at in 0..length {
                for bad in ['"', '\\', '\u{7f}', '\t', 'ä'] {
                    let mut text = std::vec!['a'; length];
                    text[at] = bad;
                    let text: std::string::String = text.into_iter().collect();
                    assert!(Scope::from_text(&text).is_none(), "{text:?}");
                }
            }
            assert!(Scope::from_text(&"a".repeat(length)).is_some());
        }
    }

    #[test]
    fn a05_array_elements_are_scope_tokens() {
        for json in [r#"[""]"#, r#"["a b"]"#, r#"["a",""]"#, r#"["ä"]"#] {
            assert!(Scope::from_array(StringArray::from_json(json)).is_none(), "{json}");
        }
        assert!(Scope::from_array(StringArray::from_json("[]")).is_some());
    }

    #[test]
    fn i15_each_standard_claim_has_its_scope() {
        assert_eq!(StandardScope::requesting(Claim::Birthdate), Some(StandardScope::Profile));
        assert_eq!(StandardScope::requesting(Claim::EmailVerified), Some(StandardScope::Email));
        assert_eq!(StandardScope::requesting(Claim::Address), Some(StandardScope::Address));
        assert_eq!(StandardScope::requesting(Claim::PhoneNumber), Some(StandardScope::Phone));
        assert_eq!(StandardScope::requesting(Claim::Subject), None);
        let names = StandardScope::ALL.map(StandardScope::name);
        assert_eq!(names, ["profile", "email", "address", "phone"]);
    }
}
