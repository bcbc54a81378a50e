//! The registered claims, read with their types.

use super::{Audience, Confirmation, NumericDate, Rounding, Scope, StringArray};
use crate::error::{Claim, Error, Input, JsonType};
use crate::json::{Member, Object, Scratch, Value};

/// A reader of claims, which unescapes strings into the caller's buffer where needed.
pub(crate) struct Reader<'b> {
    scratch: Scratch<'b>,
    input: Input,
}

impl<'b> Reader<'b> {
    pub(crate) const fn new(scratch: Scratch<'b>, input: Input) -> Self {
        Self { scratch, input }
    }

    #[inline]
    pub(crate) fn string(&mut self, claim: Claim, value: Value<'b>) -> Result<&'b str, Error> {
        let text = value.string().ok_or(Error::ClaimType(claim, JsonType::String))?;
        self.scratch.string(text)
    }

    pub(crate) fn date(
        &self,
        claim: Claim,
        value: Value<'b>,
        rounding: Rounding,
    ) -> Result<NumericDate, Error> {
        self.rounded_date(claim, value, rounding).map(|(date, _)| date)
    }

    /// Like [`date`](Self::date), but also returns whether a fraction was rounded.
    pub(crate) fn rounded_date(
        &self,
        claim: Claim,
        value: Value<'b>,
        rounding: Rounding,
    ) -> Result<(NumericDate, bool), Error> {
        value
            .number()
            .and_then(|number| NumericDate::from_json_number(number, rounding))
            .ok_or(Error::ClaimType(claim, JsonType::NumericDate))
    }

    pub(crate) fn boolean(&self, claim: Claim, value: Value<'b>) -> Result<bool, Error> {
        value.boolean().ok_or(Error::ClaimType(claim, JsonType::Boolean))
    }

    /// Reads the members of a claim that is an object into `members`, which is empty.
    pub(crate) fn object(
        &self,
        claim: Claim,
        value: Value<'b>,
        members: &mut Object<'b>,
    ) -> Result<(), Error> {
        let is_object = value.read_object(members, self.input)?;
        if is_object { Ok(()) } else { Err(Error::ClaimType(claim, JsonType::Object)) }
    }

    /// Returns whether the value is an object; another type is an error.
    // Not inlined: it is large and rare.
    #[inline(never)]
    fn has_object(&self, claim: Claim, value: Value<'b>) -> Result<bool, Error> {
        self.object(claim, value, &mut Object::empty()).map(|()| true)
    }

    pub(crate) fn strings(&self, claim: Claim, value: Value<'b>) -> Result<StringArray<'b>, Error> {
        let array = value.plain_strings().ok_or(Error::ClaimType(claim, JsonType::Strings))?;
        Ok(StringArray::from_json(array))
    }

    /// Returns a string or an array of strings, both as an array.
    pub(crate) fn one_or_more_strings(
        &self,
        claim: Claim,
        value: Value<'b>,
    ) -> Result<StringArray<'b>, Error> {
        let is_plain = value.string().is_some_and(|text| text.plain().is_some());
        if is_plain {
            // The text between its quotes is that of an array with this string.
            return Ok(StringArray::from_json(value.as_written()));
        }
        self.strings(claim, value).map_err(|_| Error::ClaimType(claim, JsonType::StringOrStrings))
    }

    /// Adds the audiences to `audience`.
    pub(crate) fn audience(
        &mut self,
        value: Value<'b>,
        audience: &mut Audience<'b>,
    ) -> Result<(), Error> {
        let wrong = Error::ClaimType(Claim::Audience, JsonType::StringOrStrings);
        if let Some(text) = value.string() {
            audience.push(self.scratch.string(text)?);
            return Ok(());
        }
        let too_many = Error::TooManyAudiences { limit: Audience::MAX };
        if let Some(array) = value.plain_strings() {
            let mut strings = StringArray::from_json(array).iter();
            let fits = strings.all(|string| audience.push(string));
            return if fits { Ok(()) } else { Err(too_many) };
        }
        for element in value.array().ok_or(wrong)? {
            if !audience.push(self.scratch.string(element.string().ok_or(wrong)?)?) {
                return Err(too_many);
            }
        }
        Ok(())
    }

    pub(crate) fn scope(&mut self, claim: Claim, value: Value<'b>) -> Result<Scope<'b>, Error> {
        let scope = match value.string() {
            Some(text) => text.plain().and_then(Scope::from_text),
            None => self.strings(claim, value).ok().and_then(Scope::from_array),
        };
        scope.ok_or(Error::ClaimType(claim, JsonType::Scope))
    }

    pub(super) fn confirmation_member(&mut self, value: Value<'b>) -> Result<&'b str, Error> {
        let wrong = Error::ClaimType(Claim::Confirmation, JsonType::Object);
        self.scratch.string(value.string().ok_or(wrong)?)
    }

    // Not inlined: it is large and rare.
    #[inline(never)]
    pub(crate) fn confirmation(&mut self, value: Value<'b>) -> Result<Confirmation<'b>, Error> {
        let mut object = Object::empty();
        self.object(Claim::Confirmation, value, &mut object)?;
        Confirmation::read(self, &object)
    }
}

/// The claims that the kinds of token share
/// ([RFC 7519 §4.1](https://www.rfc-editor.org/rfc/rfc7519#section-4.1)),
/// and those that indicate another
/// kind.
#[derive(Clone, PartialEq, Eq)]
pub struct RegisteredClaims<'b> {
    pub(crate) issuer: Option<&'b str>,
    pub(crate) subject: Option<&'b str>,
    pub(crate) audience: Option<Audience<'b>>,
    pub(crate) expiry: Option<NumericDate>,
    pub(crate) not_before: Option<NumericDate>,
    pub(crate) issued_at: Option<NumericDate>,
    /// Whether `exp` had a fraction of a second.
    pub(crate) expiry_has_fraction: bool,
    /// Whether `iat` was rounded up.
    pub(crate) issued_at_has_fraction: bool,
    pub(crate) token_id: Option<&'b str>,
    pub(crate) authorized_party: Option<&'b str>,
    pub(crate) client_id: Option<&'b str>,
    pub(crate) nonce: Option<&'b str>,
    pub(crate) auth_time: Option<NumericDate>,
    pub(crate) acr: Option<&'b str>,
    pub(crate) amr: Option<StringArray<'b>>,
    pub(crate) at_hash: Option<&'b str>,
    pub(crate) c_hash: Option<&'b str>,
    pub(crate) s_hash: Option<&'b str>,
    pub(crate) scope: Option<Scope<'b>>,
    pub(crate) scp: Option<Scope<'b>>,
    pub(crate) permissions: Option<StringArray<'b>>,
    pub(crate) grant_type: Option<StringArray<'b>>,
    pub(crate) confirmation: Option<Confirmation<'b>>,
    pub(crate) token_use: Option<&'b str>,
    pub(crate) typ: Option<&'b str>,
    pub(crate) has_events: bool,
    pub(crate) organization_id: Option<&'b str>,
    pub(crate) organization_name: Option<&'b str>,
}

impl<'b> RegisteredClaims<'b> {
    pub(crate) const NONE: Self = Self {
        issuer: None,
        subject: None,
        audience: None,
        expiry: None,
        not_before: None,
        issued_at: None,
        expiry_has_fraction: false,
        issued_at_has_fraction: false,
        token_id: None,
        authorized_party: None,
        client_id: None,
        nonce: None,
        auth_time: None,
        acr: None,
        amr: None,
        at_hash: None,
        c_hash: None,
        s_hash: None,
        scope: None,
        scp: None,
        permissions: None,
        grant_type: None,
        confirmation: None,
        token_use: None,
        typ: None,
        has_events: false,
        organization_id: None,
        organization_name: None,
    };

    /// Reads one member. Returns `false` if it is not one of these claims.
    pub(crate) fn read(
        &mut self,
        member: Member<'b>,
        reader: &mut Reader<'b>,
    ) -> Result<bool, Error> {
        let value = member.value;
        if let Some((place, claim)) = self.place_of_string(member.name) {
            *place = Some(reader.string(claim, value)?);
            return Ok(true);
        }
        if let Some((place, claim, rounding)) = self.place_of_date(member.name) {
            let (date, has_fraction) = reader.rounded_date(claim, value, rounding)?;
            *place = Some(date);
            self.expiry_has_fraction |= has_fraction && claim == Claim::Expiry;
            self.issued_at_has_fraction |= has_fraction && claim == Claim::IssuedAt;
            return Ok(true);
        }
        match member.name {
            "aud" => reader.audience(value, self.audience.insert(Audience::NONE))?,
            "amr" => self.amr = Some(reader.strings(Claim::Amr, value)?),
            "scope" => self.scope = Some(reader.scope(Claim::Scope, value)?),
            "scp" => self.scp = Some(reader.scope(Claim::Scp, value)?),
            "permissions" => self.permissions = Some(reader.strings(Claim::Permissions, value)?),
            // Auth0 writes `["refresh_token", "password"]` after a refresh.
            "gty" => self.grant_type = Some(reader.one_or_more_strings(Claim::GrantType, value)?),
            "cnf" => self.confirmation = Some(reader.confirmation(value)?),
            "events" => self.has_events = reader.has_object(Claim::Events, value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn place_of_string(&mut self, name: &str) -> Option<(&mut Option<&'b str>, Claim)> {
        Some(match name {
            "iss" => (&mut self.issuer, Claim::Issuer),
            "sub" => (&mut self.subject, Claim::Subject),
            "jti" => (&mut self.token_id, Claim::TokenId),
            "azp" => (&mut self.authorized_party, Claim::AuthorizedParty),
            "client_id" => (&mut self.client_id, Claim::ClientId),
            "nonce" => (&mut self.nonce, Claim::Nonce),
            "acr" => (&mut self.acr, Claim::Acr),
            "at_hash" => (&mut self.at_hash, Claim::AtHash),
            "c_hash" => (&mut self.c_hash, Claim::CHash),
            "s_hash" => (&mut self.s_hash, Claim::SHash),
            "token_use" => (&mut self.token_use, Claim::TokenUse),
            "typ" => (&mut self.typ, Claim::Typ),
            "org_id" => (&mut self.organization_id, Claim::OrganizationId),
            "org_name" => (&mut self.organization_name, Claim::OrganizationName),
            _ => return None,
        })
    }

    fn place_of_date(&mut self, name: &str) -> Option<(&mut Option<NumericDate>, Claim, Rounding)> {
        Some(match name {
            "exp" => (&mut self.expiry, Claim::Expiry, Rounding::Down),
            "nbf" => (&mut self.not_before, Claim::NotBefore, Rounding::Up),
            "iat" => (&mut self.issued_at, Claim::IssuedAt, Rounding::Up),
            "auth_time" => (&mut self.auth_time, Claim::AuthTime, Rounding::Down),
            _ => return None,
        })
    }

    /// Returns `aud`, which is empty if it is missing.
    pub(crate) fn audience(&self) -> &Audience<'b> {
        self.audience.as_ref().unwrap_or(const { &Audience::NONE })
    }

    /// Returns `scope` or `scp`, which is empty if both are missing.
    pub(crate) fn scope(&self) -> Scope<'b> {
        self.scope.or(self.scp).unwrap_or(Scope::EMPTY)
    }

    /// Returns `permissions`, which are empty if they are missing.
    pub(crate) fn permissions(&self) -> StringArray<'b> {
        self.permissions.unwrap_or(StringArray::EMPTY)
    }

    /// Checks that only one of `scope` and `scp` is present, so that there is one
    /// interpretation.
    pub(crate) fn check_scope_is_given_once(&self) -> Result<(), Error> {
        match (self.scope, self.scp) {
            (Some(_), Some(_)) => Err(Error::ClaimType(Claim::Scp, JsonType::Scope)),
            _ => Ok(()),
        }
    }
}
