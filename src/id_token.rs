//! ID tokens, which authenticate a user to one client.

use core::fmt;

use crate::claims::{Reader, RegisteredClaims, span_fields};
use crate::error::{Claim, Error, Input};
use crate::json::Object;
use crate::jws::Header;
use crate::public_key::VerifiedJws;
use crate::standard_claims::StandardClaims;

/// An ID token whose signature is valid and whose claims have the right types
/// ([OIDC Core §2](https://openid.net/specs/openid-connect-core-1_0.html#IDToken)).
///
/// Its claims are not accessible, because they are not checked yet. [`IdToken::validate`]
/// applies the rules of an [`IdTokenPolicy`](crate::IdTokenPolicy) and returns a
/// [`Validated`](crate::Validated) token, whose claims are.
#[derive(Clone, PartialEq, Eq)]
pub struct IdToken<'b> {
    pub(crate) header: Header<'b>,
    pub(crate) payload: &'b [u8],
    pub(crate) registered: RegisteredClaims<'b>,
    pub(crate) standard: StandardClaims<'b>,
    pub(crate) session_id: Option<&'b str>,
}

span_fields! { IdToken as IdTokenSpans {
    header: Header<'static>,
    payload: &'static [u8],
    registered: RegisteredClaims<'static>,
    standard: StandardClaims<'static>,
    session_id: Option<&'static str>,
} }

impl<'b> IdToken<'b> {
    /// No claims.
    pub(crate) const EMPTY: Self = Self {
        header: Header::EMPTY,
        payload: &[],
        registered: RegisteredClaims::NONE,
        standard: StandardClaims::NONE,
        session_id: None,
    };

    /// Reads the claims of a verified JWS.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidJson`] and [`Error::DuplicateMember`] for the payload,
    /// [`Error::ClaimType`] for a registered claim of the wrong type, even if no policy reads
    /// it, [`Error::TooManyAudiences`], and [`Error::BufferTooSmall`] if the buffer has no
    /// space for an unescaped string.
    pub fn parse(jws: VerifiedJws<'b>) -> Result<Self, Error> {
        let mut token = Self::EMPTY;
        token.read(jws, |_, _| {})?;
        Ok(token)
    }

    /// Like [`parse`](Self::parse), but in place, because the claims are large to move.
    ///
    /// `examine` receives all members of the payload, and `iss`.
    #[inline]
    pub(crate) fn read(
        &mut self,
        jws: VerifiedJws<'b>,
        examine: impl FnOnce(&Object<'_>, Option<&str>),
    ) -> Result<(), Error> {
        let mut object = Object::empty();
        self.payload = object.read_decoded(jws.payload, Input::Payload)?;
        self.header = jws.header;
        let registered = &mut self.registered;
        let mut reader = Reader::new(jws.scratch, Input::Payload);
        for member in object.members() {
            if registered.read(member, &mut reader)? {
                continue;
            }
            if member.name == "sid" {
                self.session_id = Some(reader.string(Claim::SessionId, member.value)?);
            } else {
                self.standard.read(member, &mut reader)?;
            }
        }
        registered.check_scope_is_given_once()?;
        examine(&object, registered.issuer);
        Ok(())
    }
}

impl fmt::Debug for IdToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdToken").finish_non_exhaustive()
    }
}
