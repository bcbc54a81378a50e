//! The names of the rules, for diagnosis.

use core::fmt;

macro_rules! rules {
    ($($variant:ident = $text:literal,)*) => {
        /// A rule that a policy checks, in the order of the checks of each kind of token.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[non_exhaustive]
        pub enum Rule {
            $(#[doc = $text] $variant,)*
        }

        impl Rule {
            const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Returns a short description of the rule.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

rules! {
    Issuer = "iss is the expected issuer",
    Expiry = "the token has not expired",
    NotBefore = "the token is valid already",
    IssuedAt = "the token was not issued in the future",
    AgeAndLifetime = "the token's age and lifetime are within the limits",
    Audience = "aud contains an expected audience",
    TrustedAudiences = "all other audiences are trusted",
    HeaderType = "typ is that of the token's kind",
    ForeignClaims = "no claim indicates another kind of token",
    Subject = "sub is present and not empty",
    RequiredClaims = "the claims that the profile requires are present",
    AuthorizedParty = "azp or client_id is an expected client",
    SubjectKind = "the subject is of the required kind, user or client",
    Confirmation = "the token is bound to the request's key, if it is bound to one",
    Nonce = "nonce is the expected one",
    AuthenticationTime = "the user authenticated recently enough",
    AuthenticationContext = "acr and amr meet the requirements",
    AccessTokenHash = "at_hash matches the access token",
    CodeHash = "c_hash matches the authorization code",
    Organization = "the organization is the expected one",
    UserClaims = "the claims about the user have the right types",
    Scope = "the scope is sufficient",
    Permissions = "the permissions are sufficient",
    LogoutEvent = "events contains the logout event",
    Claims = "the claims meet the claim rules of the policy",
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.description())
    }
}

/// A set of rules, such as those that `explain` finds violated.
///
/// ```
/// use claimgate::AccessTokenPolicy;
/// use claimgate::policy::RuleSet;
///
/// fn print(failed: RuleSet) {
///     for rule in AccessTokenPolicy::rules() {
///         println!("{} {rule}", if failed.contains(rule) { "broken" } else { "kept  " });
///     }
/// }
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RuleSet(u32);

impl RuleSet {
    const fn insert(&mut self, rule: Rule) {
        self.0 |= Self::bit(rule);
    }

    /// Returns whether `rule` is in the set.
    #[must_use]
    pub const fn contains(self, rule: Rule) -> bool {
        self.0 & Self::bit(rule) != 0
    }

    /// Returns whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns an iterator over the rules of the set.
    pub fn iter(self) -> impl Iterator<Item = Rule> {
        Rule::ALL.iter().copied().filter(move |rule| self.contains(*rule))
    }

    #[expect(clippy::as_conversions, reason = "a field-less enum's discriminant, below 32")]
    const fn bit(rule: Rule) -> u32 {
        1_u32.wrapping_shl(rule as u32)
    }
}

impl FromIterator<Rule> for RuleSet {
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Self {
        let mut set = Self::default();
        rules.into_iter().for_each(|rule| set.insert(rule));
        set
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for RuleSet {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{{");
        for (index, rule) in self.iter().enumerate() {
            defmt::write!(f, "{=str}{}", if index == 0 { "" } else { ", " }, rule);
        }
        defmt::write!(f, "}}");
    }
}

impl fmt::Debug for RuleSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
