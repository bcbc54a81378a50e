//! The way of a token, stage by stage, and the only room where a [`Validated`]
//! token is made: here, by the policies, and in `kept.rs`, of one that was.

mod owned;

use core::fmt;
use core::ops::Deref;

use crate::access_token::{AccessToken, AccessTokenClaims};
use crate::bearer::BearerToken;
use crate::claims::{NumericDate, Reader};
use crate::error::{Claim, ConfigError, Error, JsonType, Segment};
use crate::id_token::{IdToken, IdTokenClaims};
use crate::json::{Object, Scratch};
use crate::jwk::JwkSet;
use crate::jws::{CompactJws, MAX_TOKEN_LEN, UnverifiedJws};
use crate::policy::{AccessTokenPolicy, Context, IdTokenPolicy, RuleSet};
use crate::public_key::{PublicKey, VerifiedJws};
use crate::standard_claims::StandardClaims;

pub use owned::{OwnedAccessToken, OwnedIdToken};

/// An issuer and its keys, which verify that issuer's tokens and no others.
///
/// ```
/// use claimgate::{ConfigError, Issuer, JwkSet, PublicKey};
///
/// fn trusted<'k, K: PublicKey>(
///     auth0: &'k JwkSet<K, 4>,
///     okta: &'k JwkSet<K, 4>,
/// ) -> Result<[Issuer<'k, K, 4>; 2], ConfigError> {
///     Ok([
///         Issuer::new("https://my-domain.auth0.com/", auth0)?,
///         Issuer::new("https://my-domain.okta.com/oauth2/default", okta)?,
///     ])
/// }
/// ```
pub struct Issuer<'k, K, const N: usize> {
    url: &'k str,
    keys: &'k JwkSet<K, N>,
}

impl<'k, K, const N: usize> Issuer<'k, K, N> {
    /// The issuer with this URL, as its tokens spell it in `iss`, and its keys.
    ///
    /// The spelling counts, byte for byte: Auth0's ends with a slash.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Empty`] for an empty URL.
    pub const fn new(url: &'k str, keys: &'k JwkSet<K, N>) -> Result<Self, ConfigError> {
        if url.is_empty() {
            return Err(ConfigError::Empty("issuer"));
        }
        Ok(Self { url, keys })
    }

    /// The issuer's URL.
    #[must_use]
    pub const fn url(&self) -> &'k str {
        self.url
    }

    /// The issuer's keys.
    #[must_use]
    pub const fn keys(&self) -> &'k JwkSet<K, N> {
        self.keys
    }
}

impl<K, const N: usize> Clone for Issuer<'_, K, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, const N: usize> Copy for Issuer<'_, K, N> {}

impl<K, const N: usize> fmt::Debug for Issuer<'_, K, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("url", &self.url).field("keys", &self.keys).finish()
    }
}

/// Scratch of `N` bytes for one token at a time, owned by the caller.
///
/// ```
/// use claimgate::TokenBuffer;
///
/// // For an issuer whose tokens are small, on a device with little memory.
/// static BUFFER: TokenBuffer<1024> = TokenBuffer::new().max_token_len(1024);
/// ```
///
/// A token's decoded segments go into it, three bytes for every four, and what
/// is validated borrows from it. Strings with escapes such as `\"` need room of
/// their own, so `N` is best the length of the longest token to be expected.
pub struct TokenBuffer<const N: usize> {
    bytes: [u8; N],
    max_token_len: usize,
}

impl<const N: usize> TokenBuffer<N> {
    /// An empty buffer. Tokens may have [`MAX_TOKEN_LEN`] bytes.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: [0; N], max_token_len: MAX_TOKEN_LEN }
    }

    /// Takes tokens of at most this many bytes, more or fewer than
    /// [`MAX_TOKEN_LEN`].
    #[must_use]
    pub const fn max_token_len(mut self, bytes: usize) -> Self {
        self.max_token_len = bytes;
        self
    }

    /// Whether a text is short enough to be looked at.
    pub(crate) const fn takes(&self, text: &str) -> bool {
        text.len() <= self.max_token_len
    }
}

impl<const N: usize> Default for TokenBuffer<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> fmt::Debug for TokenBuffer<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenBuffer").field("len", &N).finish_non_exhaustive()
    }
}

/// A token that may be trusted: well-formed, signed by its issuer, and
/// acceptable to a policy at the time it was asked.
///
/// It gives the token's claims, and there is no other way to them. Only the
/// `validate` methods of the policies make one; a [`OwnedAccessToken`] and a
/// [`OwnedIdToken`] lend again what was one.
///
/// ```compile_fail,E0423
/// # fn forge(token: claimgate::IdToken<'_>) -> claimgate::Validated<claimgate::IdToken<'_>> {
/// claimgate::Validated(token)
/// # }
/// ```
///
/// The two kinds are two types. Neither stands where the other is asked for:
///
/// ```compile_fail,E0308
/// # use claimgate::{AccessToken, IdToken, Validated};
/// fn log_in(user: &Validated<IdToken<'_>>) {}
///
/// fn handle(token: &Validated<AccessToken<'_>>) {
///     log_in(token);
/// }
/// ```
///
/// ```compile_fail,E0308
/// # use claimgate::{AccessToken, IdToken, Validated};
/// fn open_the_api(token: &Validated<AccessToken<'_>>) {}
///
/// fn handle(user: &Validated<IdToken<'_>>) {
///     open_the_api(user);
/// }
/// ```
///
/// A token that has only been parsed shows no claims:
///
/// ```compile_fail,E0599
/// fn subject(token: claimgate::AccessToken<'_>) {
///     token.subject();
/// }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Validated<T>(T);

impl<T: fmt::Debug> fmt::Debug for Validated<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Validated").field(&self.0).finish()
    }
}

impl<'b> Deref for Validated<IdToken<'b>> {
    type Target = IdTokenClaims<'b>;

    fn deref(&self) -> &IdTokenClaims<'b> {
        &self.0.claims
    }
}

impl<'b> Deref for Validated<AccessToken<'b>> {
    type Target = AccessTokenClaims<'b>;

    fn deref(&self) -> &AccessTokenClaims<'b> {
        &self.0.claims
    }
}

/// Structure and header.
fn decode<'t, 'b, const N: usize>(
    token: &'t str,
    buffer: &'b mut TokenBuffer<N>,
) -> Result<UnverifiedJws<'t, 'b>, Error> {
    CompactJws::parse_up_to(token, buffer.max_token_len)?.decode(&mut buffer.bytes)
}

/// Key and signature.
fn verify<'b, K: PublicKey, const KEYS: usize>(
    jws: UnverifiedJws<'_, 'b>,
    issuer: &Issuer<'_, K, KEYS>,
) -> Result<VerifiedJws<'b>, Error> {
    let key = issuer.keys.select(jws.header())?;
    jws.verify(key)
}

/// The one of `candidates` whose issuer the token names.
fn find<'i, K: 'i, T, const KEYS: usize>(
    jws: &UnverifiedJws<'_, '_>,
    candidates: &'i [T],
    issuer: impl Fn(&'i T) -> &'i Issuer<'i, K, KEYS>,
) -> Result<&'i T, Error> {
    jws.find_issuer(candidates.iter(), |candidate| issuer(candidate).url)
        .ok_or(Error::UnknownIssuer)
}

impl AccessTokenPolicy<'_> {
    /// Validates an access token, at the time `now`: structure, header, key,
    /// signature, claims, and then the rules of this policy.
    ///
    /// # Errors
    ///
    /// The first rule that fails, in this order: structure, header, key,
    /// signature, types of the claims, issuer, time, audience, kind, the rest.
    /// What a token claims is not looked at before its signature holds.
    pub fn validate<'b, K: PublicKey, const KEYS: usize, const N: usize>(
        &self,
        token: BearerToken<'_>,
        issuer: &Issuer<'_, K, KEYS>,
        now: NumericDate,
        buffer: &'b mut TokenBuffer<N>,
    ) -> Result<Validated<AccessToken<'b>>, Error> {
        let jws = verify(decode(token.expose(), buffer)?, issuer)?;
        let mut token = AccessToken::EMPTY;
        token.read(jws)?;
        self.check(&token.claims, &access_context(issuer, now))?;
        Ok(Validated(token))
    }

    /// Validates an access token of one of several issuers.
    ///
    /// `iss` chooses the issuer, whose keys alone verify the signature, and is
    /// compared again afterwards.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownIssuer`], at no cost of RSA, if the token names none of
    /// them or its payload cannot be read, and those of
    /// [`validate`](Self::validate).
    pub fn validate_among<'b, K: PublicKey, const KEYS: usize, const N: usize>(
        &self,
        token: BearerToken<'_>,
        issuers: &[Issuer<'_, K, KEYS>],
        now: NumericDate,
        buffer: &'b mut TokenBuffer<N>,
    ) -> Result<Validated<AccessToken<'b>>, Error> {
        let jws = decode(token.expose(), buffer)?;
        let issuer = find(&jws, issuers, |issuer| issuer)?;
        let jws = verify(jws, issuer)?;
        let mut token = AccessToken::EMPTY;
        token.read(jws)?;
        self.check(&token.claims, &access_context(issuer, now))?;
        Ok(Validated(token))
    }

    /// Validates an access token of one of several issuers, each with a policy
    /// of its own. Otherwise as [`validate_among`](Self::validate_among).
    ///
    /// # Errors
    ///
    /// Those of [`validate_among`](Self::validate_among).
    pub fn validate_by_issuer<'b, K: PublicKey, const KEYS: usize, const N: usize>(
        token: BearerToken<'_>,
        issuers: &[(Issuer<'_, K, KEYS>, AccessTokenPolicy<'_>)],
        now: NumericDate,
        buffer: &'b mut TokenBuffer<N>,
    ) -> Result<Validated<AccessToken<'b>>, Error> {
        let jws = decode(token.expose(), buffer)?;
        let (issuer, policy) = find(&jws, issuers, |(issuer, _)| issuer)?;
        let jws = verify(jws, issuer)?;
        let mut token = AccessToken::EMPTY;
        token.read(jws)?;
        policy.check(&token.claims, &access_context(issuer, now))?;
        Ok(Validated(token))
    }

    /// Applies all rules of this policy to a token whose signature held before.
    pub(crate) fn check_again<'b, K, const KEYS: usize>(
        &self,
        token: Validated<AccessToken<'b>>,
        issuer: &Issuer<'_, K, KEYS>,
        now: NumericDate,
    ) -> Result<Validated<AccessToken<'b>>, Error> {
        self.check(&token.0.claims, &access_context(issuer, now))?;
        Ok(token)
    }

    /// Tells all rules that a well-signed token breaks, not just the first: for
    /// diagnosis. The set is empty exactly if [`validate`](Self::validate)
    /// accepts the token.
    ///
    /// # Errors
    ///
    /// Those of [`validate`](Self::validate) before the first rule: a token
    /// whose signature does not hold is not explained.
    pub fn explain<K: PublicKey, const KEYS: usize, const N: usize>(
        &self,
        token: BearerToken<'_>,
        issuer: &Issuer<'_, K, KEYS>,
        now: NumericDate,
        buffer: &mut TokenBuffer<N>,
    ) -> Result<RuleSet, Error> {
        let token = AccessToken::parse(verify(decode(token.expose(), buffer)?, issuer)?)?;
        Ok(self.failures(&token.claims, &access_context(issuer, now)))
    }
}

const fn access_context<'c, K, const KEYS: usize>(
    issuer: &Issuer<'c, K, KEYS>,
    now: NumericDate,
) -> Context<'c> {
    Context { issuer: issuer.url, now, at_hash: None, c_hash: None }
}

impl IdTokenPolicy<'_> {
    /// Validates an ID token, at the time `now`: structure, header, key,
    /// signature, claims, and then the rules of this policy.
    ///
    /// # Errors
    ///
    /// The first rule that fails, in this order: structure, header, key,
    /// signature, types of the claims, issuer, time, audience, kind, the rest.
    /// What a token claims is not looked at before its signature holds.
    pub fn validate<'b, K: PublicKey, const KEYS: usize, const N: usize>(
        &self,
        token: &str,
        issuer: &Issuer<'_, K, KEYS>,
        now: NumericDate,
        buffer: &'b mut TokenBuffer<N>,
    ) -> Result<Validated<IdToken<'b>>, Error> {
        let jws = verify(decode(token, buffer)?, issuer)?;
        let mut token = IdToken::EMPTY;
        token.read(jws)?;
        self.check(&token.claims, &self.context(issuer, now))?;
        Ok(Validated(token))
    }

    /// Validates an ID token of one of several issuers.
    ///
    /// `iss` chooses the issuer, whose keys alone verify the signature, and is
    /// compared again afterwards.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownIssuer`], at no cost of RSA, if the token names none of
    /// them or its payload cannot be read, and those of
    /// [`validate`](Self::validate).
    pub fn validate_among<'b, K: PublicKey, const KEYS: usize, const N: usize>(
        &self,
        token: &str,
        issuers: &[Issuer<'_, K, KEYS>],
        now: NumericDate,
        buffer: &'b mut TokenBuffer<N>,
    ) -> Result<Validated<IdToken<'b>>, Error> {
        let jws = decode(token, buffer)?;
        let issuer = find(&jws, issuers, |issuer| issuer)?;
        let jws = verify(jws, issuer)?;
        let mut token = IdToken::EMPTY;
        token.read(jws)?;
        self.check(&token.claims, &self.context(issuer, now))?;
        Ok(Validated(token))
    }

    /// Validates an ID token of one of several issuers, each with a policy of
    /// its own. Otherwise as [`validate_among`](Self::validate_among).
    ///
    /// # Errors
    ///
    /// Those of [`validate_among`](Self::validate_among).
    pub fn validate_by_issuer<'b, K: PublicKey, const KEYS: usize, const N: usize>(
        token: &str,
        issuers: &[(Issuer<'_, K, KEYS>, IdTokenPolicy<'_>)],
        now: NumericDate,
        buffer: &'b mut TokenBuffer<N>,
    ) -> Result<Validated<IdToken<'b>>, Error> {
        let jws = decode(token, buffer)?;
        let (issuer, policy) = find(&jws, issuers, |(issuer, _)| issuer)?;
        let jws = verify(jws, issuer)?;
        let mut token = IdToken::EMPTY;
        token.read(jws)?;
        policy.check(&token.claims, &policy.context(issuer, now))?;
        Ok(Validated(token))
    }

    /// Tells all rules that a well-signed token breaks, not just the first: for
    /// diagnosis. The set is empty exactly if [`validate`](Self::validate)
    /// accepts the token.
    ///
    /// # Errors
    ///
    /// Those of [`validate`](Self::validate) before the first rule: a token
    /// whose signature does not hold is not explained.
    pub fn explain<K: PublicKey, const KEYS: usize, const N: usize>(
        &self,
        token: &str,
        issuer: &Issuer<'_, K, KEYS>,
        now: NumericDate,
        buffer: &mut TokenBuffer<N>,
    ) -> Result<RuleSet, Error> {
        let token = IdToken::parse(verify(decode(token, buffer)?, issuer)?)?;
        Ok(self.failures(&token.claims, &self.context(issuer, now)))
    }

    fn context<'c, K: PublicKey, const KEYS: usize>(
        &self,
        issuer: &Issuer<'c, K, KEYS>,
        now: NumericDate,
    ) -> Context<'c> {
        Context {
            issuer: issuer.url,
            now,
            at_hash: self.bound_access_token().map(left_half_hash::<K>),
            c_hash: self.bound_code().map(left_half_hash::<K>),
        }
    }
}

fn left_half_hash<K: PublicKey>(value: &str) -> crate::public_key::HalfHash {
    crate::public_key::HalfHash::of_sha256(&K::sha256(&[value.as_bytes()]))
}

impl Validated<IdToken<'_>> {
    /// Checks an ID token that a refresh brought against the first one of the
    /// session: `self` is the new one. Issuer, subject, audience and authorized
    /// party have to be the same, and a nonce, where the new one has any
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

    /// Reads a response of the `/userinfo` endpoint, given as the JSON text it
    /// is, once it is certain that it speaks of this user
    /// ([OIDC Core §5.3.2](https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse)).
    ///
    /// `buffer` is overwritten, and what is returned borrows from it.
    ///
    /// # Errors
    ///
    /// [`Error::BufferTooSmall`], [`Error::InvalidJson`],
    /// [`Error::DuplicateMember`], [`Error::ClaimType`],
    /// [`Error::MissingClaim`] without `sub`, and [`Error::SubjectMismatch`] if
    /// `sub` is another user's.
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

    /// As [`user_info`](Self::user_info), and accepts `"true"` and `"false"` in
    /// quotes as `email_verified` and `phone_number_verified`, as Amazon Cognito
    /// sends them.
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
        object.read_decoded(text, Segment::UserInfo)?;
        let mut reader = Reader::new(Scratch::new(free), Segment::UserInfo);
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
