//! A token that passed all checks, with its claims.

use core::fmt;

use serde::Deserialize;

use crate::access_token::{AccessToken, SubjectKind};
use crate::claims::{Audience, Confirmation, NumericDate, RegisteredClaims, Scope, StringArray};
use crate::error::{Error, Input};
use crate::id_token::IdToken;
use crate::json::{self, Object};
use crate::jws::Header;
use crate::logout_token::LogoutToken;
use crate::standard_claims::StandardClaims;

/// A valid token: well-formed, signed by its issuer (a DPoP proof: by the key in its header), and
/// accepted by a policy at the time of the validation.
///
/// No other type gives access to the claims of a token. [`AccessToken::validate`],
/// [`IdToken::validate`], [`LogoutToken::validate`](crate::LogoutToken::validate) and
/// [`UnseenProof::once`](crate::dpop::UnseenProof::once) return it; the types in
/// [`owned`](crate::owned) contain one that was validated before.
///
/// ```compile_fail,E0423
/// # fn forge(token: claimgate::IdToken<'_>) -> claimgate::Validated<claimgate::IdToken<'_>> {
/// claimgate::Validated(token)
/// # }
/// ```
///
/// The four kinds are four types, and none is accepted in place of another:
///
/// ```compile_fail,E0308
/// # use claimgate::{AccessToken, IdToken, Validated};
/// fn log_in(validated: &Validated<IdToken<'_>>) {}
///
/// fn handle(validated: &Validated<AccessToken<'_>>) {
///     log_in(validated);
/// }
/// ```
///
/// ```compile_fail,E0308
/// # use claimgate::{IdToken, LogoutToken, Validated};
/// fn log_in(validated: &Validated<IdToken<'_>>) {}
///
/// fn handle(validated: &Validated<LogoutToken<'_>>) {
///     log_in(validated);
/// }
/// ```
///
/// ```compile_fail,E0308
/// # use claimgate::{DpopProof, IdToken, Validated};
/// fn log_in(validated: &Validated<IdToken<'_>>) {}
///
/// fn handle(validated: &Validated<DpopProof<'_>>) {
///     log_in(validated);
/// }
/// ```
///
/// ```compile_fail,E0308
/// # use claimgate::{AccessToken, IdToken, Validated};
/// fn open_the_api(validated: &Validated<AccessToken<'_>>) {}
///
/// fn handle(validated: &Validated<IdToken<'_>>) {
///     open_the_api(validated);
/// }
/// ```
///
/// ```compile_fail,E0308
/// # use claimgate::{AccessToken, LogoutToken, Validated};
/// fn open_the_api(validated: &Validated<AccessToken<'_>>) {}
///
/// fn handle(validated: &Validated<LogoutToken<'_>>) {
///     open_the_api(validated);
/// }
/// ```
///
/// ```compile_fail,E0308
/// # use claimgate::{AccessToken, DpopProof, Validated};
/// fn open_the_api(validated: &Validated<AccessToken<'_>>) {}
///
/// fn handle(validated: &Validated<DpopProof<'_>>) {
///     open_the_api(validated);
/// }
/// ```
///
/// ```compile_fail,E0308
/// # use claimgate::{IdToken, LogoutToken, Validated};
/// fn log_out(validated: &Validated<LogoutToken<'_>>) {}
///
/// fn handle(validated: &Validated<IdToken<'_>>) {
///     log_out(validated);
/// }
/// ```
///
/// ```compile_fail,E0308
/// # use claimgate::{AccessToken, LogoutToken, Validated};
/// fn log_out(validated: &Validated<LogoutToken<'_>>) {}
///
/// fn handle(validated: &Validated<AccessToken<'_>>) {
///     log_out(validated);
/// }
/// ```
///
/// ```compile_fail,E0308
/// # use claimgate::{DpopProof, LogoutToken, Validated};
/// fn log_out(validated: &Validated<LogoutToken<'_>>) {}
///
/// fn handle(validated: &Validated<DpopProof<'_>>) {
///     log_out(validated);
/// }
/// ```
///
/// ```compile_fail,E0308
/// # use claimgate::{DpopProof, IdToken, Validated};
/// fn prove_the_key(validated: &Validated<DpopProof<'_>>) {}
///
/// fn handle(validated: &Validated<IdToken<'_>>) {
///     prove_the_key(validated);
/// }
/// ```
///
/// ```compile_fail,E0308
/// # use claimgate::{AccessToken, DpopProof, Validated};
/// fn prove_the_key(validated: &Validated<DpopProof<'_>>) {}
///
/// fn handle(validated: &Validated<AccessToken<'_>>) {
///     prove_the_key(validated);
/// }
/// ```
///
/// ```compile_fail,E0308
/// # use claimgate::{DpopProof, LogoutToken, Validated};
/// fn prove_the_key(validated: &Validated<DpopProof<'_>>) {}
///
/// fn handle(validated: &Validated<LogoutToken<'_>>) {
///     prove_the_key(validated);
/// }
/// ```
///
/// Each is accepted where it is expected:
///
/// ```
/// # use claimgate::{AccessToken, DpopProof, IdToken, LogoutToken, Validated};
/// fn log_in(validated: &Validated<IdToken<'_>>) {}
/// fn open_the_api(validated: &Validated<AccessToken<'_>>) {}
/// fn log_out(validated: &Validated<LogoutToken<'_>>) {}
/// fn prove_the_key(validated: &Validated<DpopProof<'_>>) {}
///
/// fn handle(
///     id: &Validated<IdToken<'_>>,
///     access: &Validated<AccessToken<'_>>,
///     logout: &Validated<LogoutToken<'_>>,
///     proof: &Validated<DpopProof<'_>>,
/// ) {
///     log_in(id);
///     open_the_api(access);
///     log_out(logout);
///     prove_the_key(proof);
/// }
/// ```
///
/// A token that has only been parsed does not give access to its claims:
///
/// ```compile_fail,E0599
/// fn subject(token: claimgate::AccessToken<'_>) {
///     token.subject();
/// }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Validated<T>(pub(crate) T);

impl<T: fmt::Debug> fmt::Debug for Validated<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Validated").field(&self.0).finish()
    }
}

/// A kind of token. The trait is sealed: [`AccessToken`], [`IdToken`] and [`LogoutToken`]
/// implement it.
pub trait Token<'b>: sealed::Token<'b> {}

mod sealed {
    use super::{Header, RegisteredClaims};

    pub trait Token<'b> {
        fn header(&self) -> Header<'b>;
        fn payload(&self) -> &'b [u8];
        fn registered(&self) -> &RegisteredClaims<'b>;
    }
}

macro_rules! kinds {
    ($($kind:ident),*) => {$(
        impl<'b> Token<'b> for $kind<'b> {}

        impl<'b> sealed::Token<'b> for $kind<'b> {
            fn header(&self) -> Header<'b> {
                self.header
            }

            fn payload(&self) -> &'b [u8] {
                self.payload
            }

            fn registered(&self) -> &RegisteredClaims<'b> {
                &self.registered
            }
        }
    )*};
}

kinds!(AccessToken, IdToken, LogoutToken);

/// The claims of all kinds of token.
impl<'b, T: Token<'b>> Validated<T> {
    /// Returns `iss`: the issuer, which is the expected one.
    #[must_use]
    pub fn issuer(&self) -> &'b str {
        self.0.registered().issuer.unwrap_or_default()
    }

    /// Returns `aud`: the audiences of the token.
    #[must_use]
    pub fn audience<'t>(&'t self) -> &'t Audience<'b>
    where
        'b: 't,
    {
        self.0.registered().audience()
    }

    /// Returns `iat`: the time at which the token was issued, in seconds since the epoch,
    /// a fraction rounded up.
    #[must_use]
    pub fn issued_at(&self) -> Option<NumericDate> {
        self.0.registered().issued_at
    }

    /// Returns `nbf`: the time from which the token is valid, in seconds since the epoch,
    /// a fraction rounded up.
    #[must_use]
    pub fn not_before(&self) -> Option<NumericDate> {
        self.0.registered().not_before
    }

    /// Returns `jti`: the identifier of the token.
    #[must_use]
    pub fn token_id(&self) -> Option<&'b str> {
        self.0.registered().token_id
    }

    /// Returns `azp`: the client that the token was issued to.
    #[must_use]
    pub fn authorized_party(&self) -> Option<&'b str> {
        self.0.registered().authorized_party
    }

    /// Returns `auth_time`: the time at which the user authenticated, in seconds since the
    /// epoch, a fraction truncated.
    #[must_use]
    pub fn auth_time(&self) -> Option<NumericDate> {
        self.0.registered().auth_time
    }

    /// Returns `acr`: the authentication context class.
    #[must_use]
    pub fn acr(&self) -> Option<&'b str> {
        self.0.registered().acr
    }

    /// Returns `amr`: the authentication methods.
    #[must_use]
    pub fn amr(&self) -> StringArray<'b> {
        self.0.registered().amr.unwrap_or(StringArray::EMPTY)
    }

    /// Returns `org_id`: the ID of the Auth0 organization.
    #[must_use]
    pub fn organization_id(&self) -> Option<&'b str> {
        self.0.registered().organization_id
    }

    /// Returns `org_name`: the name of the Auth0 organization, in lower case.
    #[must_use]
    pub fn organization_name(&self) -> Option<&'b str> {
        self.0.registered().organization_name
    }

    /// Returns the header of the token.
    #[must_use]
    pub fn header(&self) -> Header<'b> {
        self.0.header()
    }

    /// Deserializes custom claims into a struct or a map. Other members are ignored.
    ///
    /// Names are compared exactly, so namespaced ones work:
    ///
    /// ```
    /// #[derive(serde::Deserialize)]
    /// struct Custom<'a> {
    ///     #[serde(rename = "https://example.com/tenant")]
    ///     tenant: &'a str,
    /// }
    /// ```
    ///
    /// A borrowed `&str` accepts any string without `"`, `\` and control characters; a field
    /// that may contain those must own its string (`heapless::String<N>`, `String`). Such
    /// strings may have 256 bytes: [`claims_with`](Self::claims_with) accepts longer ones.
    ///
    /// # Errors
    ///
    /// [`Error::ClaimType`] if a member is missing or of another type,
    /// [`Error::BufferTooSmall`] for a longer string with such characters.
    pub fn claims<C: Deserialize<'b>>(&self) -> Result<C, Error> {
        self.claims_with(&mut [0; 256])
    }

    /// Like [`claims`](Self::claims), but with a scratch buffer for strings that contain `"`,
    /// `\` or control characters. It must have the length of the longest of them.
    ///
    /// # Errors
    ///
    /// Those of [`claims`](Self::claims).
    pub fn claims_with<C: Deserialize<'b>>(&self, scratch: &mut [u8]) -> Result<C, Error> {
        let object = Object::parse_decoded(self.0.payload(), Input::Payload)?;
        json::deserialize(&object, scratch)
    }
}

/// The claims of ID tokens.
impl<'b> Validated<IdToken<'b>> {
    /// Returns `sub`: the subject, unique within the issuer and never empty
    /// ([RFC 7519 §4.1.2](https://www.rfc-editor.org/rfc/rfc7519#section-4.1.2)).
    #[must_use]
    pub fn subject(&self) -> &'b str {
        self.0.registered.subject.unwrap_or_default()
    }

    /// Returns `exp`: the time at which the token expires, in seconds since the epoch, a
    /// fraction truncated.
    #[must_use]
    pub fn expiry(&self) -> NumericDate {
        self.0.registered.expiry.unwrap_or(NumericDate::from_secs(0))
    }

    /// Returns `nonce`: the value of the authentication request.
    #[must_use]
    pub const fn nonce(&self) -> Option<&'b str> {
        self.0.registered.nonce
    }

    /// Returns `sid`: the user's session at the issuer, which a logout token may name
    /// ([Back-Channel Logout 1.0 §2.1](https://openid.net/specs/openid-connect-backchannel-1_0.html)).
    #[must_use]
    pub const fn session_id(&self) -> Option<&'b str> {
        self.0.session_id
    }

    /// Returns the claims about the user: name, e-mail address and so on.
    #[must_use]
    pub const fn user(&self) -> &StandardClaims<'b> {
        &self.0.standard
    }
}

/// The claims of access tokens.
impl<'b> Validated<AccessToken<'b>> {
    /// Returns `sub`: the subject, unique within the issuer and never empty
    /// ([RFC 7519 §4.1.2](https://www.rfc-editor.org/rfc/rfc7519#section-4.1.2)).
    #[must_use]
    pub fn subject(&self) -> &'b str {
        self.0.registered.subject.unwrap_or_default()
    }

    /// Returns `exp`: the time at which the token expires, in seconds since the epoch, a
    /// fraction truncated.
    #[must_use]
    pub fn expiry(&self) -> NumericDate {
        self.0.registered.expiry.unwrap_or(NumericDate::from_secs(0))
    }

    /// Returns `client_id`: the client that the token was issued to
    /// ([RFC 9068 §2.2](https://www.rfc-editor.org/rfc/rfc9068#section-2.2)).
    #[must_use]
    pub const fn client_id(&self) -> Option<&'b str> {
        self.0.registered.client_id
    }

    /// Returns `scope` or `scp`: the access that is granted to the bearer.
    #[must_use]
    pub fn scope(&self) -> Scope<'b> {
        self.0.registered.scope()
    }

    /// Returns `permissions`: the permissions that Auth0's role-based access control grants.
    #[must_use]
    pub fn permissions(&self) -> StringArray<'b> {
        self.0.registered.permissions()
    }

    /// Returns `cnf`: the key that the token is bound to, if it is bound to one.
    #[must_use]
    pub const fn confirmation(&self) -> Option<Confirmation<'b>> {
        self.0.registered.confirmation
    }

    /// Returns the kind of the token's subject: a client if `gty` is `client-credentials`
    /// or an array that contains it, if `sub` is a client ID and `@clients`, as Auth0
    /// writes it, or if `sub` equals `client_id`
    /// ([RFC 9068 §2.2](https://www.rfc-editor.org/rfc/rfc9068#section-2.2)).
    ///
    /// Auth0 names its users `CONNECTION|ID`, where the ID may come from another identity provider.
    /// The ending of a subject that contains `|` is therefore ignored.
    #[must_use]
    pub fn subject_kind(&self) -> SubjectKind {
        self.0.subject_kind()
    }

    /// Returns whether the issuer's `/userinfo` endpoint also accepts the token, because its
    /// URL is one of the audiences.
    ///
    /// The URL is assumed to be the issuer's followed by `userinfo`, as at Auth0. For another
    /// URL, use `audience().contains(url)`.
    #[must_use]
    pub fn is_for_userinfo(&self) -> bool {
        let issuer = self.issuer();
        let issuer = issuer.strip_suffix('/').unwrap_or(issuer);
        self.audience()
            .iter()
            .any(|audience| audience.strip_prefix(issuer).is_some_and(|path| path == "/userinfo"))
    }
}

/// The claims of logout tokens.
impl<'b> Validated<LogoutToken<'b>> {
    /// Returns `sub`: the user whose sessions end. At least one of `sub` and `sid` is present.
    #[must_use]
    pub const fn subject(&self) -> Option<&'b str> {
        self.0.registered.subject
    }

    /// Returns `sid`: the session that ends. If it is missing, all sessions of the user end.
    #[must_use]
    pub const fn session_id(&self) -> Option<&'b str> {
        self.0.session_id
    }

    /// Returns `exp`: the time at which the token expires, in seconds since the epoch, a
    /// fraction dropped.
    #[must_use]
    pub const fn expiry(&self) -> Option<NumericDate> {
        self.0.registered.expiry
    }
}
