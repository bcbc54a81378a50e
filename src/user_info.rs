//! Responses of the `/userinfo` endpoint.

use crate::buffer::TokenBuffer;
use crate::claims::Reader;
use crate::error::{Claim, Error, Input, JsonType};
use crate::id_token::IdToken;
use crate::json::{Object, Scratch};
use crate::standard_claims::StandardClaims;
use crate::validated::Validated;

impl Validated<IdToken<'_>> {
    /// Reads a response of the `/userinfo` endpoint, which is JSON text, and checks that it is
    /// about the user of this token
    /// ([OIDC Core §5.3.2](https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse)).
    ///
    /// `buffer` is overwritten, and the returned claims borrow from it.
    ///
    /// # Errors
    ///
    /// [`Error::BufferTooSmall`], [`Error::InvalidJson`], [`Error::DuplicateMember`],
    /// [`Error::ClaimType`], [`Error::MissingClaim`] if there is no `sub`, and
    /// [`Error::SubjectMismatch`] if `sub` is that of a different user.
    pub fn user_info<'b, const N: usize>(
        &self,
        response: &str,
        buffer: &'b mut TokenBuffer<N>,
    ) -> Result<StandardClaims<'b>, Error> {
        let claims = self.user_info_with_string_booleans(response, buffer)?;
        match claims.string_boolean() {
            Some(claim) => Err(Error::ClaimType(claim, JsonType::Boolean)),
            None => Ok(claims),
        }
    }

    /// Like [`user_info`](Self::user_info), but accepts `"true"` and `"false"` in quotes
    /// as `email_verified` and `phone_number_verified`, as Amazon Cognito sends them.
    ///
    /// # Errors
    ///
    /// Those of [`user_info`](Self::user_info).
    pub fn user_info_with_string_booleans<'b, const N: usize>(
        &self,
        response: &str,
        buffer: &'b mut TokenBuffer<N>,
    ) -> Result<StandardClaims<'b>, Error> {
        let too_small = Error::BufferTooSmall { needed: response.len(), available: N };
        let (text, free) = buffer.bytes.split_at_mut_checked(response.len()).ok_or(too_small)?;
        text.copy_from_slice(response.as_bytes());
        let mut object = Object::empty();
        object.read_decoded(text, Input::UserInfoResponse)?;
        let mut reader = Reader::new(Scratch::new(free), Input::UserInfoResponse);
        let subject = object.get("sub").ok_or(Error::MissingClaim(Claim::Subject))?;
        if reader.string(Claim::Subject, subject)? != self.subject() {
            return Err(Error::SubjectMismatch);
        }
        let mut claims = StandardClaims::NONE;
        for member in object.members() {
            claims.read(member, &mut reader)?;
        }
        Ok(claims)
    }
}
