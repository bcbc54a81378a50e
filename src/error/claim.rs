//! The claims that errors refer to, and the JSON types that claims must have.

use core::fmt;

macro_rules! claims {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A claim that this crate knows by name.
        ///
        /// Errors name the claim that failed, never its value.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[non_exhaustive]
        pub enum Claim {
            $(#[doc = concat!("`", $name, "`")] $(#[$doc])* $variant,)*
            /// A claim that the caller reads with `claims::<T>()`.
            Custom,
        }

        impl Claim {
            /// Returns the claim's name in a token; for `Custom`, `a custom claim`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Custom => "a custom claim",
                }
            }
        }
    };
}

claims! {
    Issuer = "iss",
    Subject = "sub",
    Audience = "aud",
    Expiry = "exp",
    NotBefore = "nbf",
    IssuedAt = "iat",
    TokenId = "jti",
    Nonce = "nonce",
    AuthorizedParty = "azp",
    AuthTime = "auth_time",
    Acr = "acr",
    Amr = "amr",
    AtHash = "at_hash",
    CHash = "c_hash",
    SHash = "s_hash",
    ClientId = "client_id",
    Scope = "scope",
    Scp = "scp",
    Permissions = "permissions",
    GrantType = "gty",
    Confirmation = "cnf",
    TokenUse = "token_use",
    Typ = "typ",
    Events = "events",
    SessionId = "sid",
    TenantId = "tid",
    HttpMethod = "htm",
    HttpUri = "htu",
    AccessTokenHash = "ath",
    OrganizationId = "org_id",
    OrganizationName = "org_name",
    Name = "name",
    GivenName = "given_name",
    FamilyName = "family_name",
    MiddleName = "middle_name",
    Nickname = "nickname",
    PreferredUsername = "preferred_username",
    Profile = "profile",
    Picture = "picture",
    Website = "website",
    Email = "email",
    EmailVerified = "email_verified",
    Gender = "gender",
    Birthdate = "birthdate",
    Zoneinfo = "zoneinfo",
    Locale = "locale",
    PhoneNumber = "phone_number",
    PhoneNumberVerified = "phone_number_verified",
    Address = "address",
    UpdatedAt = "updated_at",
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The JSON type that a claim must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum JsonType {
    /// A JSON string.
    String,
    /// A JSON string, or an array of JSON strings.
    StringOrStrings,
    /// An array of JSON strings that contain no quotes, backslashes or control characters.
    Strings,
    /// A JSON number from 0 to 253402300799: seconds since the epoch.
    NumericDate,
    /// A [`JsonType::NumericDate`], or a UTC timestamp such as
    /// `2017-03-30T15:13:40.474Z`, which Auth0 sends.
    NumericDateOrTimestamp,
    /// `true` or `false`.
    Boolean,
    /// A JSON object.
    Object,
    /// Scope tokens, as one string with single spaces or as an array
    /// ([RFC 6749 §3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3)),
    /// in only one of `scope` and
    /// `scp`.
    Scope,
    /// A JSON string of 1 to 256 bytes.
    Identifier,
    /// The type that the caller requested with `claims::<T>()`.
    Requested,
}

impl fmt::Display for JsonType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "a string",
            Self::StringOrStrings => "a string or an array of strings",
            Self::Strings => {
                "an array of strings without quotes, backslashes or control characters"
            }
            Self::NumericDate => "a number of seconds from 0 to 253402300799",
            Self::NumericDateOrTimestamp => {
                "a number of seconds from 0 to 253402300799 or a UTC timestamp"
            }
            Self::Boolean => "true or false",
            Self::Object => "an object",
            Self::Scope => "scope tokens, as one string or one array, in one claim only",
            Self::Identifier => "a string of 1 to 256 bytes",
            Self::Requested => "of the requested type",
        })
    }
}
