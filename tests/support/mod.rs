//! Shared items of the tests: keys, signing and key sets.

#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(unreachable_pub, reason = "the module is part of several programs")]

mod verbs;

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::error::{
    Claim, HeaderParameter, Input, JsonProblem, JsonType, KeyRejected, Problem, RequestProblem,
    WrongKind,
};
use claimgate::jwk::{KeyMaterial, VerifyingKey};
use claimgate::{
    AccessToken, AccessTokenPolicy, Algorithm, BearerToken, Error, IdToken, IdTokenPolicy, Issuer,
    JwkSet, Login, Nonce, NumericDate, PublicKey, TokenBuffer, at_compile_time,
};
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::RSA_PKCS1_SHA256;
use serde_json::{Value, json};

pub use verbs::Trusted;

/// The backend of the tests that are not about backends: the first that is enabled.
#[cfg(feature = "ring")]
pub type TestKey = claimgate::RingKey;
#[cfg(all(feature = "pure-rust-rs256", not(feature = "ring")))]
pub type TestKey = claimgate::PureRustKey;
#[cfg(all(feature = "aws-lc-rs", not(any(feature = "ring", feature = "pure-rust-rs256"))))]
pub type TestKey = claimgate::AwsLcKey;

/// The issuer of the demonstration tokens.
pub const ISSUER: &str = "https://my-domain.auth0.com/";
/// The client of the demonstration tokens.
pub const CLIENT_ID: &str = "my_client_id";
/// The API of the demonstration tokens.
pub const API: &str = "https://example.com/health-api";
/// The time at which the demonstration tokens were issued, in seconds since the epoch.
pub const IAT: u64 = 1_311_280_970;
/// The time at which the demonstration tokens expire, in seconds since the epoch.
pub const EXP: u64 = 1_311_281_970;
/// A time between the two.
pub const NOW: NumericDate = NumericDate::from_secs(IAT + 500);

/// The default policy of the API.
pub const API_POLICY: AccessTokenPolicy<'_> =
    at_compile_time!(AccessTokenPolicy::general(API).build());
/// The default policy of the application.
pub const LOGIN_POLICY: IdTokenPolicy<'_> = at_compile_time!(IdTokenPolicy::new(CLIENT_ID).build());
/// The default login, without expectations.
pub const LOGIN: Login<'_> = at_compile_time!(Login::new(Nonce::Ignore).build());

/// A private key.
pub struct Signer {
    key_pair: KeyPair,
    pub kid: &'static str,
}

impl Signer {
    fn new(pkcs8: &[u8], kid: &'static str) -> Self {
        Self { key_pair: KeyPair::from_pkcs8(pkcs8).unwrap(), kid }
    }

    /// The key of the issuer.
    pub fn a() -> Self {
        Self::new(include_bytes!("../data/keys/a.pk8"), "key-a")
    }

    /// Returns another issuer's key.
    pub fn b() -> Self {
        Self::new(include_bytes!("../data/keys/b.pk8"), "key-b")
    }

    /// A key of 3,072 bits.
    pub fn c3072() -> Self {
        Self::new(include_bytes!("../data/keys/c3072.pk8"), "key-c")
    }

    /// A key of 4,096 bits.
    pub fn d4096() -> Self {
        Self::new(include_bytes!("../data/keys/d4096.pk8"), "key-d")
    }

    /// Returns modulus and exponent, big-endian.
    pub fn components(&self) -> (Vec<u8>, Vec<u8>) {
        let public = self.key_pair.public();
        let components = ring::signature::RsaPublicKeyComponents::<Vec<u8>>::from(public);
        (components.n, components.e)
    }

    /// Returns the public key as a JWK.
    pub fn jwk(&self) -> Value {
        let (n, e) = self.components();
        json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid,
            "n": Base64UrlUnpadded::encode_string(&n), "e": Base64UrlUnpadded::encode_string(&e),
        })
    }

    /// Returns the RS256 signature of any bytes.
    pub fn signature(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.key_pair.public().modulus_len()];
        self.key_pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .unwrap();
        signature
    }

    /// Returns a compact JWS with this payload.
    pub fn sign_raw(&self, header: &[u8], payload: &[u8]) -> String {
        let header = Base64UrlUnpadded::encode_string(header);
        let payload = Base64UrlUnpadded::encode_string(payload);
        self.sign_segments(&header, &payload)
    }

    /// Returns a compact JWS with segments that are already base64url.
    pub fn sign_segments(&self, header: &str, payload: &str) -> String {
        let signing_input = format!("{header}.{payload}");
        let signature = self.signature(signing_input.as_bytes());
        format!("{signing_input}.{}", Base64UrlUnpadded::encode_string(&signature))
    }

    /// Returns a compact JWS with this header and these claims.
    pub fn sign_with(&self, header: &Value, claims: &Value) -> String {
        self.sign_raw(header.to_string().as_bytes(), claims.to_string().as_bytes())
    }

    /// Returns a compact JWS with these claims and the header that Auth0 writes.
    pub fn sign(&self, claims: &Value) -> String {
        self.sign_with(&json!({"alg": "RS256", "typ": "JWT", "kid": self.kid}), claims)
    }
}

/// Returns a key set with these members.
pub fn jwks(members: &[Value]) -> String {
    json!({ "keys": members }).to_string()
}

/// Returns a key set with the issuer's key, parsed.
pub fn keys_of(signer: &Signer) -> JwkSet<TestKey, 4> {
    JwkSet::from_json(&jwks(&[signer.jwk()])).unwrap()
}

/// Returns the demonstration issuer with these keys.
pub fn issuer<K, const N: usize>(keys: JwkSet<K, N>) -> Issuer<K, N> {
    Issuer::new(ISSUER, keys).unwrap()
}

/// Returns the demonstration issuer with its key.
pub fn trusted() -> Issuer<TestKey, 4> {
    issuer(keys_of(&Signer::a()))
}

/// Returns an RSA key for RS256 with these numbers.
pub fn rsa_key<K: PublicKey>(n: &[u8], e: &[u8]) -> Result<VerifyingKey<K>, KeyRejected> {
    VerifyingKey::new(Algorithm::Rs256, KeyMaterial::Rsa { n, e })
}

/// Returns the claims of the demonstration ID token. Its `iss` is `http://my-domain.auth0.com`
/// in the article; here both tokens have the issuer of the access token.
pub fn id_claims() -> Value {
    json!({
        "iss": ISSUER,
        "sub": "auth0|123456",
        "aud": CLIENT_ID,
        "exp": EXP,
        "iat": IAT,
        "name": "Jane Doe",
        "given_name": "Jane",
        "family_name": "Doe",
        "gender": "female",
        "birthdate": "0000-10-31",
        "email": "janedoe@example.com",
        "picture": "http://example.com/janedoe/me.jpg",
    })
}

/// Returns the claims of the demonstration access token.
pub fn access_claims() -> Value {
    json!({
        "iss": ISSUER,
        "sub": "auth0|123456",
        "aud": [API, "https://my-domain.auth0.com/userinfo"],
        "azp": CLIENT_ID,
        "exp": EXP,
        "iat": IAT,
        "scope": "openid profile read:patients read:admin",
    })
}

/// Returns the claims with one member set to a value.
pub fn with(mut claims: Value, name: &str, value: impl Into<Value>) -> Value {
    claims[name] = value.into();
    claims
}

/// Returns the claims without one member.
pub fn without(mut claims: Value, name: &str) -> Value {
    claims.as_object_mut().unwrap().remove(name);
    claims
}

/// Returns the verdict on an access token, which must be the same for every validation
/// function.
#[track_caller]
pub fn check_access(
    policy: &AccessTokenPolicy<'_>,
    token: &str,
    now: NumericDate,
) -> Result<(), Error> {
    check_bearer(policy, BearerToken::new(token), now)
}

/// Returns the verdict on an access token and the keys of which the request proves possession,
/// which must be the same for every validation function.
#[track_caller]
pub fn check_bearer(
    policy: &AccessTokenPolicy<'_>,
    token: BearerToken<'_>,
    now: NumericDate,
) -> Result<(), Error> {
    Trusted::of_the_articles().access(policy, token, now)
}

/// Returns the verdict on an ID token without expectations of a login, which must be the same
/// for every validation function.
#[track_caller]
pub fn check_id(policy: &IdTokenPolicy<'_>, token: &str, now: NumericDate) -> Result<(), Error> {
    check_login(policy, LOGIN, token, now)
}

/// Returns the verdict on the ID token of a login, which must be the same for every validation
/// function.
#[track_caller]
pub fn check_login(
    policy: &IdTokenPolicy<'_>,
    login: Login<'_>,
    token: &str,
    now: NumericDate,
) -> Result<(), Error> {
    Trusted::of_the_articles().id(policy, login, token, now)
}

/// Returns the verdict of `validate` on an access token, for tests with many tokens or little
/// stack.
pub fn validate_access(token: &str) -> Result<(), Error> {
    let mut buffer = TokenBuffer::<16_384>::new();
    let trust = (&trusted(), &API_POLICY);
    AccessToken::validate(BearerToken::new(token), trust, NOW, &mut buffer).map(|_| ())
}

/// Returns the verdict of `validate` on an ID token.
pub fn validate_id(token: &str) -> Result<(), Error> {
    let mut buffer = TokenBuffer::<16_384>::new();
    let trust = (&trusted(), &LOGIN_POLICY);
    IdToken::validate(token, trust, LOGIN, NOW, &mut buffer).map(|_| ())
}

/// Returns the API's verdict on an access token with these claims.
#[track_caller]
pub fn access(claims: &Value) -> Result<(), Error> {
    check_access(&API_POLICY, &Signer::a().sign(claims), NOW)
}

/// Returns the application's verdict on an ID token with these claims.
#[track_caller]
pub fn id(claims: &Value) -> Result<(), Error> {
    check_id(&LOGIN_POLICY, &Signer::a().sign(claims), NOW)
}

/// Returns the API's verdict on a token with this header and the demonstration claims.
#[track_caller]
pub fn access_with_header(header: &Value) -> Result<(), Error> {
    check_access(&API_POLICY, &Signer::a().sign_with(header, &access_claims()), NOW)
}

/// Returns the API's verdict on a token with a valid signature and this payload.
#[track_caller]
pub fn access_raw(header: &[u8], payload: &[u8]) -> Result<(), Error> {
    check_access(&API_POLICY, &Signer::a().sign_raw(header, payload), NOW)
}

/// Returns every variant of `Error` once, and several for authentication, scope and requests.
pub fn every_error() -> Vec<Error> {
    let text = jwks(&[json!({"kty": "EC"}), json!({"kty": "RSA", "use": "enc"})]);
    let no_usable_keys = JwkSet::<TestKey, 1>::from_json(&text).map(|_| ()).unwrap_err();
    vec![
        Error::MissingToken,
        Error::InvalidRequest(RequestProblem::Malformed),
        Error::InvalidRequest(RequestProblem::SeveralTokens),
        Error::MalformedToken,
        Error::EncryptedToken,
        Error::OpaqueToken,
        Error::TokenTooLarge { length: 8193, limit: 8192 },
        Error::BufferTooSmall { needed: 600, available: 512 },
        Error::InvalidBase64(Input::Payload),
        Error::InvalidJson(Input::Header, JsonProblem::TrailingData),
        Error::DuplicateMember(Input::Payload),
        Error::ClaimType(Claim::Expiry, JsonType::NumericDate),
        Error::TooManyAudiences { limit: 16 },
        Error::HeaderType(HeaderParameter::KeyId),
        Error::AlgorithmNotAllowed(Problem::WrongValue),
        Error::CriticalHeader(HeaderParameter::Critical),
        Error::UnknownKey,
        Error::AmbiguousKey { candidates: 2 },
        no_usable_keys,
        Error::TooManyKeys { limit: 4 },
        Error::KeyRejected(KeyRejected::ModulusTooSmall { bits: 1024 }),
        Error::InvalidSignature,
        Error::UnknownIssuer,
        Error::MissingClaim(Claim::Subject),
        Error::IssuerMismatch,
        Error::Expired { exp: 100, now: 161, leeway: 60 },
        Error::NotYetValid { nbf: 300, now: 161, leeway: 60 },
        Error::IssuedInFuture { iat: 300, now: 161, leeway: 60 },
        Error::TokenTooOld { age: 500, limit: 300, leeway: 60 },
        Error::LifetimeTooLong { lifetime: 90_000, limit: 86_400 },
        Error::AudienceMismatch { audiences: 2 },
        Error::UntrustedAudience { audiences: 2 },
        Error::AuthorizedPartyMismatch(Claim::AuthorizedParty),
        Error::TokenType(WrongKind::Claim(Claim::Nonce)),
        Error::NonceMismatch,
        Error::UnexpectedClaim(Claim::Nonce),
        Error::AuthenticationTooOld { age: 500, max_age: 300, leeway: 60 },
        Error::InsufficientAuthentication(Claim::Acr, Problem::WrongValue),
        Error::InsufficientAuthentication(Claim::Amr, Problem::Absent),
        Error::InsufficientAuthentication(Claim::AuthTime, Problem::Absent),
        Error::HashMismatch(Claim::AtHash),
        Error::OrganizationMismatch,
        Error::RefreshMismatch(Claim::Subject),
        Error::SubjectMismatch,
        Error::InsufficientScope(Claim::Scope),
        Error::InsufficientScope(Claim::Permissions),
        Error::ClaimMismatch { rule: 1, problem: Problem::WrongValue },
        Error::TenantNotAllowed,
        Error::SubjectKind,
        Error::ConfirmationRequired,
        Error::ConfirmationMismatch,
        Error::ProofMismatch(Claim::HttpUri),
        Error::ProofTooOld { age: 200, limit: 60, leeway: 60 },
        Error::Replayed,
        Error::ReplayWindowFull,
    ]
}

/// One value of every JSON type.
pub fn one_of_each_type() -> [Value; 8] {
    [
        json!(null),
        json!(true),
        json!(42),
        json!("a"),
        json!([]),
        json!(["a"]),
        json!([1]),
        json!({}),
    ]
}
