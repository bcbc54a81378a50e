//! The claims about the user, in ID tokens and `/userinfo` responses.

use core::fmt;

use crate::claims::{NumericDate, Reader, Rounding, span_fields};
use crate::error::{Claim, Error, JsonType};
use crate::json::{Member, Object, Value};

macro_rules! standard_claims {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $member:literal, $claim:ident, $read:ident;)*) => {
        /// The standard claims about the user
        /// ([OIDC Core §5.1](https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims)).
        ///
        /// A claim is usually present only if the user consented to a scope that requests it,
        /// see [`StandardScope`](crate::claims::StandardScope).
        ///
        /// ```
        /// use claimgate::claims::StandardClaims;
        ///
        /// /// Returns the e-mail address, if the issuer has verified it.
        /// fn address<'b>(user: &StandardClaims<'b>) -> Option<&'b str> {
        ///     user.email().filter(|_| user.email_verified() == Some(true))
        /// }
        /// ```
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub struct StandardClaims<'b> {
            $($name: Option<$type>,)*
            string_boolean: Option<Claim>,
        }

        impl<'b> StandardClaims<'b> {
            pub(crate) const NONE: Self = Self { $($name: None,)* string_boolean: None };

            /// Reads one member, if it is one of these claims.
            pub(crate) fn read(
                &mut self,
                member: Member<'b>,
                reader: &mut Reader<'b>,
            ) -> Result<(), Error> {
                match member.name {
                    $($member => {
                        self.$name = Some(self.$read(Claim::$claim, member.value, reader)?);
                    })*
                    _ => {}
                }
                Ok(())
            }

            $(
                #[doc = concat!("`", $member, "`: ")]
                $(#[$doc])*
                #[must_use]
                pub const fn $name(&self) -> Option<$type> {
                    self.$name
                }
            )*
        }
    };
}

standard_claims! {
    /// the full name, for display.
    name: &'b str = "name", Name, read_string;
    /// the given name or names.
    given_name: &'b str = "given_name", GivenName, read_string;
    /// the family name or names.
    family_name: &'b str = "family_name", FamilyName, read_string;
    /// the middle name or names.
    middle_name: &'b str = "middle_name", MiddleName, read_string;
    /// the casual name.
    nickname: &'b str = "nickname", Nickname, read_string;
    /// the name by which the user is addressed. Neither unique nor an identifier.
    preferred_username: &'b str = "preferred_username", PreferredUsername, read_string;
    /// the URL of the profile page.
    profile: &'b str = "profile", Profile, read_string;
    /// the URL of a picture.
    picture: &'b str = "picture", Picture, read_string;
    /// the URL of the user's website.
    website: &'b str = "website", Website, read_string;
    /// the e-mail address. Not an identifier: see
    /// [`email_verified`](StandardClaims::email_verified).
    email: &'b str = "email", Email, read_string;
    /// whether the issuer has verified that the user controls the address.
    email_verified: bool = "email_verified", EmailVerified, read_boolean;
    /// the gender, for example `female` or `male`.
    gender: &'b str = "gender", Gender, read_string;
    /// the birthday, as `YYYY-MM-DD`. The year may be `0000`; the value may also be only the year.
    birthdate: &'b str = "birthdate", Birthdate, read_string;
    /// the time zone, such as `Europe/Paris`.
    zoneinfo: &'b str = "zoneinfo", Zoneinfo, read_string;
    /// the locale, such as `en-US`.
    locale: &'b str = "locale", Locale, read_string;
    /// the telephone number, preferably in E.164 form.
    phone_number: &'b str = "phone_number", PhoneNumber, read_string;
    /// whether the issuer has verified that the user controls the number.
    phone_number_verified: bool = "phone_number_verified", PhoneNumberVerified, read_boolean;
    /// the postal address.
    address: Address<'b> = "address", Address, read_address;
    /// the time of the last change of these claims, in seconds since the epoch. Auth0 sends a
    /// UTC timestamp instead of a number, which is also accepted.
    updated_at: NumericDate = "updated_at", UpdatedAt, read_date_or_timestamp;
}

impl<'b> StandardClaims<'b> {
    /// Returns `email_verified` or `phone_number_verified` if it is a string although the
    /// specification requires a boolean.
    pub(crate) const fn string_boolean(&self) -> Option<Claim> {
        self.string_boolean
    }

    fn read_string(
        &self,
        claim: Claim,
        value: Value<'b>,
        reader: &mut Reader<'b>,
    ) -> Result<&'b str, Error> {
        reader.string(claim, value)
    }

    /// Reads a boolean, or the string `"true"` or `"false"`, which is recorded.
    fn read_boolean(
        &mut self,
        claim: Claim,
        value: Value<'b>,
        reader: &mut Reader<'b>,
    ) -> Result<bool, Error> {
        let Some(text) = value.string() else { return reader.boolean(claim, value) };
        self.string_boolean = Some(claim);
        match (text.is("true"), text.is("false")) {
            (true, _) => Ok(true),
            (_, true) => Ok(false),
            _ => Err(Error::ClaimType(claim, JsonType::Boolean)),
        }
    }

    fn read_address(
        &self,
        claim: Claim,
        value: Value<'b>,
        reader: &mut Reader<'b>,
    ) -> Result<Address<'b>, Error> {
        let mut address = Address::NONE;
        let mut members = Object::empty();
        reader.object(claim, value, &mut members)?;
        for member in members.members() {
            address.read(member, reader)?;
        }
        Ok(address)
    }

    fn read_date_or_timestamp(
        &self,
        claim: Claim,
        value: Value<'b>,
        reader: &mut Reader<'b>,
    ) -> Result<NumericDate, Error> {
        let date = match value.string() {
            None => reader.date(claim, value, Rounding::Down).ok(),
            Some(text) => text.plain().and_then(NumericDate::from_timestamp),
        };
        date.ok_or(Error::ClaimType(claim, JsonType::NumericDateOrTimestamp))
    }
}

impl fmt::Debug for StandardClaims<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StandardClaims").finish_non_exhaustive()
    }
}

span_fields! { StandardClaims as KeptStandardClaims {
    name: Option<&'static str>,
    given_name: Option<&'static str>,
    family_name: Option<&'static str>,
    middle_name: Option<&'static str>,
    nickname: Option<&'static str>,
    preferred_username: Option<&'static str>,
    profile: Option<&'static str>,
    picture: Option<&'static str>,
    website: Option<&'static str>,
    email: Option<&'static str>,
    email_verified: Option<bool>,
    gender: Option<&'static str>,
    birthdate: Option<&'static str>,
    zoneinfo: Option<&'static str>,
    locale: Option<&'static str>,
    phone_number: Option<&'static str>,
    phone_number_verified: Option<bool>,
    address: Option<Address<'static>>,
    updated_at: Option<NumericDate>,
    string_boolean: Option<Claim>,
} }

span_fields! { Address as KeptAddress {
    formatted: Option<&'static str>,
    street_address: Option<&'static str>,
    locality: Option<&'static str>,
    region: Option<&'static str>,
    postal_code: Option<&'static str>,
    country: Option<&'static str>,
} }

/// `address`: a postal address, as a whole or in parts
/// ([OIDC Core §5.1.1](https://openid.net/specs/openid-connect-core-1_0.html#AddressClaim)).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Address<'b> {
    formatted: Option<&'b str>,
    street_address: Option<&'b str>,
    locality: Option<&'b str>,
    region: Option<&'b str>,
    postal_code: Option<&'b str>,
    country: Option<&'b str>,
}

impl<'b> Address<'b> {
    const NONE: Self = Self {
        formatted: None,
        street_address: None,
        locality: None,
        region: None,
        postal_code: None,
        country: None,
    };

    fn read(&mut self, member: Member<'b>, reader: &mut Reader<'b>) -> Result<(), Error> {
        let part = match member.name {
            "formatted" => &mut self.formatted,
            "street_address" => &mut self.street_address,
            "locality" => &mut self.locality,
            "region" => &mut self.region,
            "postal_code" => &mut self.postal_code,
            "country" => &mut self.country,
            _ => return Ok(()),
        };
        *part = Some(reader.string(Claim::Address, member.value)?);
        Ok(())
    }

    /// Returns `formatted`: the whole address, for display. Lines end with a newline.
    #[must_use]
    pub const fn formatted(&self) -> Option<&'b str> {
        self.formatted
    }

    /// Returns `street_address`: street, house, box. Lines end with a newline.
    #[must_use]
    pub const fn street_address(&self) -> Option<&'b str> {
        self.street_address
    }

    /// Returns `locality`: the city.
    #[must_use]
    pub const fn locality(&self) -> Option<&'b str> {
        self.locality
    }

    /// Returns `region`: the state, province or prefecture.
    #[must_use]
    pub const fn region(&self) -> Option<&'b str> {
        self.region
    }

    /// Returns `postal_code`: the zip or postal code.
    #[must_use]
    pub const fn postal_code(&self) -> Option<&'b str> {
        self.postal_code
    }

    /// Returns `country`: the country's name.
    #[must_use]
    pub const fn country(&self) -> Option<&'b str> {
        self.country
    }
}

impl fmt::Debug for Address<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address").finish_non_exhaustive()
    }
}
