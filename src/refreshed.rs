//! Comparison of a refreshed ID token with the first ID token of the session.

use crate::error::{Claim, Error};
use crate::id_token::IdToken;
use crate::validated::Validated;

impl Validated<IdToken<'_>> {
    /// Compares `self`, an ID token from a refresh, with the first ID token of the session.
    /// Issuer, subject, audience, authorized party and, if the refreshed token has one, nonce
    /// must be equal
    /// ([OIDC Core §12.2](https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokenResponse)).
    ///
    /// # Errors
    ///
    /// [`Error::RefreshMismatch`] with the first claim that differs.
    pub fn verify_refreshed(&self, first: &Validated<IdToken<'_>>) -> Result<(), Error> {
        let (own, others) = (self.audience(), first.audience());
        let has_same_audience = own.iter().all(|audience| others.contains(audience))
            && others.iter().all(|audience| own.contains(audience));
        let is_same = [
            (Claim::Issuer, self.issuer() == first.issuer()),
            (Claim::Subject, self.subject() == first.subject()),
            (Claim::AuthorizedParty, self.authorized_party() == first.authorized_party()),
            (Claim::Audience, has_same_audience),
            (Claim::Nonce, self.nonce().is_none() || self.nonce() == first.nonce()),
        ];
        match is_same.into_iter().find(|(_, is_same)| !is_same) {
            Some((claim, _)) => Err(Error::RefreshMismatch(claim)),
            None => Ok(()),
        }
    }
}
