//! DPoP proofs, with which the sender of a request proves possession of the key that its
//! access token is bound to ([RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)).
//!
//! This is the only module in which the key comes from the header. It verifies only the proof that
//! contains it. A proof has no issuer, so this module constructs its [`Validated`] itself, without
//! the validation pipeline.

use core::fmt;

use crate::access_token::AccessToken;
use crate::algorithm::Algorithms;
use crate::base64url;
use crate::bearer::{BearerToken, DpopToken};
use crate::buffer::TokenBuffer;
use crate::claims::{Audience, NumericDate, Reader, Rounding};
use crate::compare::constant_time_eq;
use crate::error::{Claim, Error, Input, JsonType, KeyRejected, WrongKind};
use crate::json::{Object, Value};
use crate::jwk::{Jwk, construct_key, read_member};
use crate::jws::{CompactJws, UnverifiedJws};
use crate::policy::{AccessTokenPolicy, DpopPolicy};
use crate::public_key::{PublicKey, VerifiedJws};
use crate::replay::{ReplayError, ReplayWindow, TokenId};
use crate::request_key::RequestKey;
use crate::trust::{Trust, sealed};
use crate::validated::Validated;

pub use crate::http_uri::HttpUri;

/// The base64url form of a SHA-256 hash.
type Hash = [u8; 43];

/// A DPoP proof whose signature is valid and whose claims have the right types
/// ([RFC 9449 §4.2](https://www.rfc-editor.org/rfc/rfc9449#section-4.2)).
///
/// Its claims are not accessible. [`DpopProof::verify`] applies all rules but one, and returns
/// an [`UnseenProof`], which becomes [`Validated`] when it is known not to
/// have been used before.
#[derive(Clone, PartialEq, Eq)]
pub struct DpopProof<'b> {
    jkt: Hash,
    token_id: Option<&'b str>,
    method: Option<&'b str>,
    uri: Option<&'b str>,
    issued_at: Option<NumericDate>,
    /// Whether `iat` had a fraction of a second.
    issued_at_has_fraction: bool,
    expiry: Option<NumericDate>,
    not_before: Option<NumericDate>,
    access_token_hash: Option<&'b str>,
    nonce: Option<&'b str>,
}

impl fmt::Debug for DpopProof<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DpopProof").finish_non_exhaustive()
    }
}

/// The request for which a DPoP proof must have been made.
///
/// There is no default: the constructor states whether the request has an access token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DpopRequest<'r> {
    method: &'r str,
    url: &'r str,
    access_token: Option<&'r str>,
    nonce: Option<&'r str>,
}

impl<'r> DpopRequest<'r> {
    /// Constructs a request to a protected resource, with the access token of its
    /// `Authorization` header. The proof must contain the hash of the token.
    ///
    /// `url` is the URL of the request as the client sees it, with scheme and host; its query
    /// and fragment are ignored. Behind a proxy, use scheme and host from the configuration.
    #[must_use]
    pub const fn to_resource(method: &'r str, url: &'r str, access_token: DpopToken<'r>) -> Self {
        Self { method, url, access_token: Some(access_token.expose()), nonce: None }
    }

    /// Constructs a request without an access token, such as one to the token endpoint.
    #[must_use]
    pub const fn without_access_token(method: &'r str, url: &'r str) -> Self {
        Self { method, url, access_token: None, nonce: None }
    }

    /// Requires the proof to contain the nonce that the server provided
    /// ([RFC 9449 §9](https://www.rfc-editor.org/rfc/rfc9449#section-9)). No proof contains an
    /// empty nonce: with one, every proof is rejected.
    #[must_use]
    pub const fn nonce(mut self, nonce: &'r str) -> Self {
        self.nonce = Some(nonce);
        self
    }
}

impl fmt::Debug for DpopRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DpopRequest")
            .field("method", &self.method)
            // Without the query, which may contain secrets.
            .field("url", &HttpUri::parse(self.url))
            .finish_non_exhaustive()
    }
}

/// A DPoP proof that meets all rules, but may have been used before.
///
/// [`once`](Self::once) converts it to [`Validated`].
#[derive(Clone, Debug)]
#[must_use = "the proof may have been used before"]
pub struct UnseenProof<'b> {
    proof: DpopProof<'b>,
    id: TokenId,
    valid_until: NumericDate,
}

impl<'b> UnseenProof<'b> {
    /// Accepts the proof if the window does not contain it, and adds it (P8).
    ///
    /// # Errors
    ///
    /// [`Error::Replayed`] and [`Error::ReplayWindowFull`].
    pub fn once<const N: usize>(
        self,
        window: &mut ReplayWindow<N>,
        now: NumericDate,
    ) -> Result<Validated<DpopProof<'b>>, Error> {
        window.admit(self.id, self.valid_until, now)?;
        Ok(Validated(self.proof))
    }

    /// Returns the identifier of the proof, for a store other than [`ReplayWindow`].
    #[must_use]
    pub const fn id(&self) -> TokenId {
        self.id
    }

    /// Returns the first second at which the proof is rejected because of its age, by `iat` or
    /// `exp`. A store must remember the proof until then.
    #[must_use]
    pub const fn valid_until(&self) -> NumericDate {
        self.valid_until
    }

    /// Accepts the proof without checking that it was not used before. The caller asserts that
    /// another store did not contain it and now does.
    #[must_use]
    pub fn danger_assume_unseen(self) -> Validated<DpopProof<'b>> {
        Validated(self.proof)
    }
}

impl<'b> DpopProof<'b> {
    /// Returns the value of the `DPoP` header field of a request, which must occur once
    /// ([RFC 9449 §4.3](https://www.rfc-editor.org/rfc/rfc9449#section-4.3)).
    ///
    /// # Errors
    ///
    /// [`Error::MalformedToken`] if there is none or more than one (P1).
    pub fn from_header_values<'t>(
        values: impl IntoIterator<Item = &'t str>,
    ) -> Result<&'t str, Error> {
        let mut values = values.into_iter();
        match (values.next(), values.next()) {
            (Some(value), None) => Ok(value),
            _ => Err(Error::MalformedToken),
        }
    }

    /// Verifies the proof of a request at the time `now`: structure, header, key, signature,
    /// claims, and all rules of the policy except P8.
    ///
    /// `K` is the type of the key in the proof: one that implements several algorithms, such
    /// as `RingAnyKey`.
    ///
    /// ```
    /// use claimgate::bearer::DpopToken;
    /// use claimgate::dpop::DpopRequest;
    /// use claimgate::policy::DpopPolicy;
    /// use claimgate::replay::ReplayWindow;
    /// use claimgate::{
    ///     BearerToken, DpopProof, Error, NumericDate, PublicKey, TokenBuffer,
    ///     at_compile_time,
    /// };
    ///
    /// const PROOFS: DpopPolicy = at_compile_time!(DpopPolicy::new().build());
    ///
    /// /// Returns the thumbprint of the key that the sender of the request holds.
    /// fn prove<K: PublicKey>(
    ///     proof: &str,
    ///     token: DpopToken<'_>,
    ///     window: &mut ReplayWindow<1024>,
    ///     now: NumericDate,
    /// ) -> Result<String, Error> {
    ///     let request = DpopRequest::to_resource("GET", "https://api.example.com/x", token);
    ///     let mut buffer = TokenBuffer::<2048>::new();
    ///     let proof = DpopProof::verify::<K, _>(proof, &PROOFS, request, now, &mut buffer)?;
    ///     Ok(proof.once(window, now)?.thumbprint().to_owned())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The first rule that fails: structure and header, `typ`, key, signature, types of the
    /// claims, and then the claims in the order `iat`, `exp`, `nbf`, `htm`, `htu`, `ath`,
    /// `nonce`, `jti`. A proof need not have `exp` and `nbf`.
    pub fn verify<K: PublicKey, const N: usize>(
        proof: &str,
        policy: &DpopPolicy,
        request: DpopRequest<'_>,
        now: NumericDate,
        buffer: &'b mut TokenBuffer<N>,
    ) -> Result<UnseenProof<'b>, Error> {
        let (jws, key) = decode::<K, N>(proof, policy, buffer)?;
        let jkt = encode_hash(key.thumbprint())?;
        let proof = Self::read(jws.verify(key.key())?, jkt)?;
        let issued_at = policy.check_time(proof.issued_at, proof.issued_at_has_fraction, now)?;
        policy.check_validity(proof.expiry, proof.not_before, now)?;
        proof.check::<K>(request)?;
        let missing = Error::MissingClaim(Claim::TokenId);
        let token_id = proof.token_id.filter(|token_id| !token_id.is_empty()).ok_or(missing)?;
        let id = TokenId::dpop_proof::<K>(proof.thumbprint_str(), token_id);
        let id = id.ok_or(Error::ClaimType(Claim::TokenId, JsonType::Identifier))?;
        let valid_until = policy.end(issued_at, proof.expiry);
        Ok(UnseenProof { proof, id, valid_until })
    }

    fn read(jws: VerifiedJws<'b>, jkt: Hash) -> Result<Self, Error> {
        let mut object = Object::empty();
        object.read_decoded(jws.payload, Input::Payload)?;
        let mut reader = Reader::new(jws.scratch, Input::Payload);
        let mut proof = Self {
            jkt,
            token_id: None,
            method: None,
            uri: None,
            issued_at: None,
            issued_at_has_fraction: false,
            expiry: None,
            not_before: None,
            access_token_hash: None,
            nonce: None,
        };
        let mut unused = None;
        for member in object.members() {
            let (place, claim) = match member.name {
                "jti" => (&mut proof.token_id, Claim::TokenId),
                "htm" => (&mut proof.method, Claim::HttpMethod),
                "htu" => (&mut proof.uri, Claim::HttpUri),
                "ath" => (&mut proof.access_token_hash, Claim::AccessTokenHash),
                "nonce" => (&mut proof.nonce, Claim::Nonce),
                "iat" => {
                    let (date, has_fraction) =
                        reader.rounded_date(Claim::IssuedAt, member.value, Rounding::Down)?;
                    (proof.issued_at, proof.issued_at_has_fraction) = (Some(date), has_fraction);
                    continue;
                }
                "exp" => {
                    proof.expiry =
                        Some(reader.date(Claim::Expiry, member.value, Rounding::Down)?);
                    continue;
                }
                "nbf" => {
                    proof.not_before =
                        Some(reader.date(Claim::NotBefore, member.value, Rounding::Up)?);
                    continue;
                }
                // Not used, but of the right types (F7).
                "iss" => (&mut unused, Claim::Issuer),
                "sub" => (&mut unused, Claim::Subject),
                "aud" => {
                    let mut audience = Audience::NONE;
                    reader.audience(member.value, &mut audience)?;
                    continue;
                }
                _ => continue,
            };
            *place = Some(reader.string(claim, member.value)?);
        }
        Ok(proof)
    }

    /// Checks that the proof was made for this request (P5, P6, P9, P10).
    fn check<K: PublicKey>(&self, request: DpopRequest<'_>) -> Result<(), Error> {
        let required = |value: Option<&'b str>, claim| value.ok_or(Error::MissingClaim(claim));
        if required(self.method, Claim::HttpMethod)? != request.method {
            return Err(Error::ProofMismatch(Claim::HttpMethod));
        }
        let (found, expected) = (required(self.uri, Claim::HttpUri)?, request.url);
        let is_same = HttpUri::parse(expected).is_some_and(|expected_uri| {
            // Nearly all clients write the URL as the server does.
            found == expected
                || HttpUri::parse(found)
                    .is_some_and(|found| found.is_same_without_query(&expected_uri))
        });
        if !is_same {
            return Err(Error::ProofMismatch(Claim::HttpUri));
        }
        if let Some(access_token) = request.access_token {
            let found = required(self.access_token_hash, Claim::AccessTokenHash)?;
            let expected = encode_hash(&K::sha256(&[access_token.as_bytes()]))?;
            if !constant_time_eq(found.as_bytes(), &expected) {
                return Err(Error::HashMismatch(Claim::AccessTokenHash));
            }
        }
        if let Some(expected) = request.nonce {
            let found = required(self.nonce, Claim::Nonce)?;
            if expected.is_empty() || !constant_time_eq(found.as_bytes(), expected.as_bytes()) {
                return Err(Error::NonceMismatch);
            }
        }
        Ok(())
    }

    fn thumbprint_str(&self) -> &str {
        core::str::from_utf8(&self.jkt).unwrap_or_default()
    }

    fn request_key(&self) -> RequestKey<'_> {
        RequestKey { x5t_s256: None, jkt: Some(self.thumbprint_str()) }
    }
}

/// Decodes a proof and constructs the key in its header (P1 to P4).
#[inline(always)]
fn decode<'t, 'b, K: PublicKey, const N: usize>(
    proof: &'t str,
    policy: &DpopPolicy,
    buffer: &'b mut TokenBuffer<N>,
) -> Result<(UnverifiedJws<'t, 'b>, Jwk<K>), Error> {
    let algorithms = policy.algorithms().intersection(K::ALGORITHMS);
    let jws = CompactJws::parse_up_to(proof, buffer.token_len_limit());
    // P1: opaque and encrypted tokens are malformed proofs.
    let jws = jws.map_err(|error| match error {
        Error::OpaqueToken | Error::EncryptedToken => Error::MalformedToken,
        error => error,
    })?;
    let (jws, members) = jws.decode_and(algorithms, &mut buffer.bytes, |header, members| {
        if !header.is_of_type("dpop+jwt") {
            return Err(Error::TokenType(WrongKind::HeaderType));
        }
        let key = members.get("jwk").ok_or(Error::KeyRejected(KeyRejected::Malformed))?;
        // P4: a key without `alg` has the algorithm of the proof.
        let algorithm = header.algorithm;
        read_member::<K>(key, Algorithms::of(&[algorithm]), Some(algorithm))
            .map_err(|reason| rejected(key, reason))
    })?;
    // Constructed here, because a key is large to move.
    Ok((jws, construct_key(&members)?))
}

/// Returns the error of a key that was not read: a duplicate member is reported as such (F6).
#[cold]
#[inline(never)]
fn rejected(key: Value<'_>, reason: KeyRejected) -> Error {
    match key.read_object(&mut Object::empty(), Input::Header) {
        Err(error @ Error::DuplicateMember(_)) => error,
        _ => Error::KeyRejected(reason),
    }
}

fn encode_hash(hash: &[u8; 32]) -> Result<Hash, Error> {
    let mut encoded = [0; 43];
    let too_small = Error::BufferTooSmall { needed: 43, available: encoded.len() };
    base64url::encode(hash, &mut encoded).ok_or(too_small)?;
    Ok(encoded)
}

impl From<ReplayError> for Error {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::Replayed => Self::Replayed,
            ReplayError::Full => Self::ReplayWindowFull,
        }
    }
}

impl<'b> Validated<DpopProof<'b>> {
    /// Returns the thumbprint of the key that signed the proof: SHA-256, base64url without
    /// padding. It equals `cnf.jkt` of an access token that is bound to the key.
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        self.0.thumbprint_str()
    }

    /// Returns the key of which the request proves possession.
    #[must_use]
    pub fn request_key(&self) -> RequestKey<'_> {
        self.0.request_key()
    }

    /// Returns `jti`: the identifier of the proof.
    #[must_use]
    pub fn token_id(&self) -> &'b str {
        self.0.token_id.unwrap_or_default()
    }

    /// Returns `iat`: the time at which the proof was made, in seconds since the epoch.
    #[must_use]
    pub fn issued_at(&self) -> Option<NumericDate> {
        self.0.issued_at
    }
}

impl<'t> DpopToken<'t> {
    /// Returns the token together with the key of the proof that was validated for it.
    #[must_use]
    pub fn with_proof(self, proof: &'t Validated<DpopProof<'_>>) -> BearerToken<'t> {
        BearerToken::new(self.expose()).with_key(proof.request_key())
    }
}

/// The error of an access token that came with a DPoP proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DpopError {
    /// The proof was rejected.
    Proof(Error),
    /// The access token was rejected.
    Token(Error),
}

impl DpopError {
    /// Returns the error of the proof or of the token.
    #[must_use]
    pub const fn error(&self) -> Error {
        match *self {
            Self::Proof(error) | Self::Token(error) => error,
        }
    }
}

impl core::error::Error for DpopError {}

impl fmt::Display for DpopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proof(error) => write!(f, "DPoP proof: {error}"),
            Self::Token(error) => error.fmt(f),
        }
    }
}

impl<'b> AccessToken<'b> {
    /// Validates an access token and the DPoP proof that was sent with it: the proof with
    /// [`DpopProof::verify`], with keys of the issuer's key type, then the token with
    /// [`validate`](Self::validate), which compares its `cnf` with the key of the proof, and
    /// last [`UnseenProof::once`]. A proof that comes with a rejected token is not used up.
    ///
    /// The proof must contain the hash of `token`, whatever access token `request` names.
    ///
    /// # Errors
    ///
    /// [`DpopError::Proof`] and [`DpopError::Token`], with the error of the step that failed.
    #[expect(clippy::too_many_arguments, reason = "two validations, and their window")]
    pub fn validate_with_proof<'p, T, const N: usize, const M: usize, const W: usize>(
        token: DpopToken<'_>,
        trust: T,
        proof: &str,
        proofs: &DpopPolicy,
        request: DpopRequest<'_>,
        window: &mut ReplayWindow<W>,
        now: NumericDate,
        buffer: &'b mut TokenBuffer<N>,
        proof_buffer: &mut TokenBuffer<M>,
    ) -> Result<Validated<Self>, DpopError>
    where
        T: Trust<AccessTokenPolicy<'p>>,
    {
        type Key<'p, T> = <T as sealed::Trust<AccessTokenPolicy<'p>>>::Key;
        let request = DpopRequest { access_token: Some(token.expose()), ..request };
        let unseen = DpopProof::verify::<Key<'p, T>, M>(proof, proofs, request, now, proof_buffer)
            .map_err(DpopError::Proof)?;
        let token = BearerToken::new(token.expose()).with_key(unseen.proof.request_key());
        let validated = Self::validate(token, trust, now, buffer).map_err(DpopError::Token)?;
        unseen.once(window, now).map_err(DpopError::Proof)?;
        Ok(validated)
    }
}
