//! Access tokens: what the bearer may do, told to one API.

use core::fmt;

use serde::Deserialize;

use crate::claims::{
    Audience, Confirmation, NumericDate, Reader, RegisteredClaims, Scope, StringArray,
    registered_accessors, span_fields,
};
use crate::error::{Error, Segment};
use crate::json::{self, Object};
use crate::jws::Header;
use crate::public_key::VerifiedJws;

/// An access token whose signature holds and whose claims have the right types
/// ([RFC 9068 §2](https://www.rfc-editor.org/rfc/rfc9068#section-2)).
///
/// It is not yet acceptable, so it shows nothing. An
/// [`AccessTokenPolicy`](crate::AccessTokenPolicy) makes it
/// [`Validated`](crate::Validated), which shows its [`AccessTokenClaims`].
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken<'b> {
    pub(crate) claims: AccessTokenClaims<'b>,
}

impl<'b> AccessToken<'b> {
    /// Without claims.
    pub(crate) const EMPTY: Self = Self {
        claims: AccessTokenClaims {
            header: Header::EMPTY,
            payload: &[],
            registered: RegisteredClaims::NONE,
        },
    };

    /// Reads the claims of a verified JWS.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidJson`] and [`Error::DuplicateMember`] for the payload,
    /// [`Error::ClaimType`] for a registered claim of the wrong type, whether or
    /// not a policy looks at it, [`Error::TooManyAudiences`], and
    /// [`Error::BufferTooSmall`] if there is no room to unescape a string.
    pub fn parse(jws: VerifiedJws<'b>) -> Result<Self, Error> {
        let mut token = Self::EMPTY;
        token.read(jws)?;
        Ok(token)
    }

    /// As [`parse`](Self::parse), into its place: there is more in the claims than
    /// should be moved needlessly.
    pub(crate) fn read(&mut self, jws: VerifiedJws<'b>) -> Result<(), Error> {
        let mut object = Object::empty();
        self.claims.payload = object.read_decoded(jws.payload, Segment::Payload)?;
        self.claims.header = jws.header;
        let registered = &mut self.claims.registered;
        let mut reader = Reader::new(jws.scratch, Segment::Payload);
        for member in object.members() {
            registered.read(member, &mut reader)?;
        }
        registered.check_scope_is_given_once()
    }
}

impl fmt::Debug for AccessToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").finish_non_exhaustive()
    }
}

/// Whom an access token speaks for:
/// [`require_subject`](crate::AccessTokenPolicyBuilder::require_subject) asks for
/// one of them.
///
/// [`AccessTokenClaims::subject_kind`] tells by what. Issuers that mark clients
/// in other ways, such as Okta (`cid` equals `sub`) and Microsoft Entra (`idtyp`),
/// are not told apart: all their tokens count as [`SubjectKind::User`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SubjectKind {
    /// A user, who let the client act.
    User,
    /// The client itself, as in the client credentials grant.
    Client,
}

/// The claims of a validated access token.
///
/// ```
/// use claimgate::{AccessToken, Error, ScopePolicy, SubjectKind, Validated, at_compile_time};
///
/// const WRITE: ScopePolicy<'_> = at_compile_time!(ScopePolicy::all_of(&["write:patients"]));
///
/// fn write(token: &Validated<AccessToken<'_>>) -> Result<(), Error> {
///     token.authorize(&WRITE)?;
///     match token.subject_kind() {
///         SubjectKind::User => println!("{} may write", token.subject()),
///         SubjectKind::Client => println!("a program may write: {}", token.subject()),
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct AccessTokenClaims<'b> {
    pub(crate) header: Header<'b>,
    pub(crate) payload: &'b [u8],
    pub(crate) registered: RegisteredClaims<'b>,
}

span_fields! { AccessTokenClaims as AccessTokenSpans {
    header: Header<'static>,
    payload: &'static [u8],
    registered: RegisteredClaims<'static>,
} }

impl<'b> AccessTokenClaims<'b> {
    registered_accessors!();

    /// `client_id`: the client that the token was issued to
    /// ([RFC 9068 §2.2](https://www.rfc-editor.org/rfc/rfc9068#section-2.2)).
    #[must_use]
    pub const fn client_id(&self) -> Option<&'b str> {
        self.registered.client_id
    }

    /// `scope` or `scp`: what the bearer may do.
    #[must_use]
    pub fn scope(&self) -> Scope<'b> {
        self.registered.scope.or(self.registered.scp).unwrap_or(Scope::EMPTY)
    }

    /// `permissions`: what Auth0's role-based access control grants.
    #[must_use]
    pub fn permissions(&self) -> StringArray<'b> {
        self.registered.permissions.unwrap_or(StringArray::EMPTY)
    }

    /// `cnf`: the key that the bearer has to prove, if the token is bound to
    /// one.
    #[must_use]
    pub const fn confirmation(&self) -> Option<Confirmation<'b>> {
        self.registered.confirmation
    }

    /// Whom the token speaks for: a client if `gty` is `client-credentials`
    /// or an array that contains it, if `sub` is a client ID and `@clients`, as
    /// Auth0 has it, or if `sub` equals `client_id`
    /// ([RFC 9068 §2.2](https://www.rfc-editor.org/rfc/rfc9068#section-2.2)).
    ///
    /// Auth0's users are named `CONNECTION|ID`, where the ID may be another
    /// identity provider's: what has a `|` in it is a user, however it ends.
    #[must_use]
    pub fn subject_kind(&self) -> SubjectKind {
        let is_client = self
            .registered
            .grant_type
            .is_some_and(|grant_type| grant_type.contains("client-credentials"))
            || self.subject().strip_suffix("@clients").is_some_and(|id| !id.contains('|'))
            || self.registered.client_id == Some(self.subject());
        if is_client { SubjectKind::Client } else { SubjectKind::User }
    }

    /// Whether the token also opens the issuer's `/userinfo` endpoint: whether
    /// that URL is among its audiences.
    ///
    /// The URL is taken to be the issuer's with `userinfo` below it, as at
    /// Auth0. For another, ask `audience().contains(url)`.
    #[must_use]
    pub fn opens_userinfo(&self) -> bool {
        let issuer = self.issuer();
        let issuer = issuer.strip_suffix('/').unwrap_or(issuer);
        self.audience()
            .iter()
            .any(|audience| audience.strip_prefix(issuer).is_some_and(|path| path == "/userinfo"))
    }
}

impl fmt::Debug for AccessTokenClaims<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessTokenClaims").finish_non_exhaustive()
    }
}
