//! Logout tokens, with which an issuer reports the end of a session.

use core::fmt;

use crate::claims::{Reader, RegisteredClaims, span_fields};
use crate::error::{Claim, Error, Input, Problem};
use crate::json::Object;
use crate::jws::Header;
use crate::public_key::VerifiedJws;

/// The member of `events` that identifies a logout token
/// ([Back-Channel Logout §2.4](https://openid.net/specs/openid-connect-backchannel-1_0.html#LogoutToken)).
const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// A logout token whose signature is valid and whose claims have the right types
/// ([OIDC Back-Channel Logout §2.4](https://openid.net/specs/openid-connect-backchannel-1_0.html#LogoutToken)).
///
/// Its claims are not accessible, because they are not checked yet. [`LogoutToken::validate`]
/// applies the rules of a [`LogoutTokenPolicy`](crate::policy::LogoutTokenPolicy) and returns a
/// [`Validated`](crate::Validated) token, whose claims are.
#[derive(Clone, PartialEq, Eq)]
pub struct LogoutToken<'b> {
    pub(crate) header: Header<'b>,
    pub(crate) payload: &'b [u8],
    pub(crate) registered: RegisteredClaims<'b>,
    pub(crate) session_id: Option<&'b str>,
    /// The problem with the member of `events`, if there is one.
    pub(crate) event: Option<Problem>,
}

span_fields! { LogoutToken as LogoutTokenSpans {
    header: Header<'static>,
    payload: &'static [u8],
    registered: RegisteredClaims<'static>,
    session_id: Option<&'static str>,
    event: Option<Problem>,
} }

impl<'b> LogoutToken<'b> {
    /// No claims.
    pub(crate) const EMPTY: Self = Self {
        header: Header::EMPTY,
        payload: &[],
        registered: RegisteredClaims::NONE,
        session_id: None,
        event: Some(Problem::Absent),
    };

    /// Reads the claims of a verified JWS.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidJson`] and [`Error::DuplicateMember`] for the payload,
    /// [`Error::ClaimType`] for a registered claim of the wrong type,
    /// [`Error::TooManyAudiences`], and [`Error::BufferTooSmall`] if a string does not fit
    /// into the buffer when it is unescaped.
    pub fn parse(jws: VerifiedJws<'b>) -> Result<Self, Error> {
        let mut token = Self::EMPTY;
        token.read(jws, |_, _| {})?;
        Ok(token)
    }

    /// Like [`parse`](Self::parse), but in place.
    ///
    /// `examine` receives all members of the payload, and `iss`.
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
                if member.name == "events" {
                    let mut events = Object::empty();
                    reader.object(Claim::Events, member.value, &mut events)?;
                    self.event = match events.get(LOGOUT_EVENT) {
                        None => Some(Problem::Absent),
                        Some(event) => {
                            let is_object =
                                event.read_object(&mut Object::empty(), Input::Payload)?;
                            (!is_object).then_some(Problem::WrongType)
                        }
                    };
                }
            } else if member.name == "sid" {
                self.session_id = Some(reader.string(Claim::SessionId, member.value)?);
            }
        }
        registered.check_scope_is_given_once()?;
        examine(&object, registered.issuer);
        Ok(())
    }
}

impl fmt::Debug for LogoutToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogoutToken").finish_non_exhaustive()
    }
}
