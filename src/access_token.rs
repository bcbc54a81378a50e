//! Access tokens, which authorize their bearer at one API.

use core::fmt;

use crate::claims::{Reader, RegisteredClaims, span_fields};
use crate::error::{Error, Input};
use crate::json::Object;
use crate::jws::Header;
use crate::public_key::VerifiedJws;

/// An access token whose signature is valid and whose claims have the right types
/// ([RFC 9068 §2](https://www.rfc-editor.org/rfc/rfc9068#section-2)).
///
/// Its claims are not accessible, because they are not checked yet. [`AccessToken::validate`]
/// applies the rules of an [`AccessTokenPolicy`](crate::AccessTokenPolicy) and returns a
/// [`Validated`](crate::Validated) token, whose claims are.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken<'b> {
    pub(crate) header: Header<'b>,
    pub(crate) payload: &'b [u8],
    pub(crate) registered: RegisteredClaims<'b>,
}

span_fields! { AccessToken as AccessTokenSpans {
    header: Header<'static>,
    payload: &'static [u8],
    registered: RegisteredClaims<'static>,
} }

impl AccessTokenSpans {
    /// Returns the issuer, without the other claims.
    pub(crate) fn issuer<'b>(&self, text: &'b str) -> &'b str {
        self.registered.issuer(text).unwrap_or_default()
    }
}

impl<'b> AccessToken<'b> {
    /// No claims.
    pub(crate) const EMPTY: Self =
        Self { header: Header::EMPTY, payload: &[], registered: RegisteredClaims::NONE };

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
            registered.read(member, &mut reader)?;
        }
        registered.check_scope_is_given_once()?;
        examine(&object, registered.issuer);
        Ok(())
    }

    /// Returns the kind of the subject (rule A8).
    pub(crate) fn subject_kind(&self) -> SubjectKind {
        let claims = &self.registered;
        let subject = claims.subject.unwrap_or_default();
        let is_client =
            claims.grant_type.is_some_and(|grant_type| grant_type.contains("client-credentials"))
                || subject.strip_suffix("@clients").is_some_and(|id| !id.contains('|'))
                || claims.client_id == Some(subject);
        if is_client { SubjectKind::Client } else { SubjectKind::User }
    }
}

impl fmt::Debug for AccessToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").finish_non_exhaustive()
    }
}

/// The kind of an access token's subject.
///
/// [`require_subject`](crate::policy::AccessTokenPolicyBuilder::require_subject) requires one of
/// them, and [`Validated::subject_kind`](crate::Validated::subject_kind) explains how they are
/// distinguished. The claims by which Okta (`cid` equals `sub`) and Microsoft Entra (`idtyp`)
/// identify clients are not evaluated: all their tokens count as [`SubjectKind::User`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SubjectKind {
    /// A user, on whose behalf the client acts.
    User,
    /// The client itself, as in the client credentials grant.
    Client,
}
