//! Each crate's validation of a token, configured as in its documentation.

use std::collections::HashSet;
use std::error::Error;
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;
use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, IdToken, IdTokenPolicy, Issuer, JwkSet, Login,
    Nonce, NumericDate, RingKey, TokenBuffer,
};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use huskarl::DefaultJwsVerifierPlatform;
use huskarl::core::crypto::verifier::{JwsVerifierFactory, JwsVerifierPlatform};
use huskarl::core::http::{HttpClient, HttpResponse, Idempotency};
use huskarl::core::jwk::JwksSource;
use huskarl::core::platform::MaybeSendBoxFuture;
use huskarl::token::id_token::IdTokenValidator;
use huskarl_resource_server::validator::rfc9068::Rfc9068Validator;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use jwt_simple::prelude::{NoCustomClaims, RS256PublicKey, RSAPublicKeyLike, VerificationOptions};
use openidconnect::core::{CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKeySet};
use openidconnect::{ClientId, IssuerUrl};
use ring::rsa::PublicKeyComponents;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use crate::tokens::{API, CLIENT, ISSUER, NONCE, Signer};

/// Returns whether a token is accepted.
pub type Validator = Box<dyn Fn(&str) -> bool>;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

pub fn claimgate_access(signer: &Signer, now: u64) -> Result<Validator> {
    let issuer = Issuer::new(ISSUER, JwkSet::<RingKey, 1>::from_json(&signer.key_set())?)?;
    let policy = AccessTokenPolicy::general(API).build()?;
    let now = NumericDate::from_secs(now);
    Ok(Box::new(move |token| {
        let mut buffer = TokenBuffer::<4_096>::new();
        let token = BearerToken::new(token);
        AccessToken::validate(token, (&issuer, &policy), now, &mut buffer).is_ok()
    }))
}

pub fn claimgate_id(signer: &Signer, now: u64) -> Result<Validator> {
    let issuer = Issuer::new(ISSUER, JwkSet::<RingKey, 1>::from_json(&signer.key_set())?)?;
    let policy = IdTokenPolicy::new(CLIENT).build()?;
    let now = NumericDate::from_secs(now);
    Ok(Box::new(move |token| {
        let mut buffer = TokenBuffer::<4_096>::new();
        let login = Login::new(Nonce::Expect(NONCE)).build().expect("the nonce is not empty");
        IdToken::validate(token, (&issuer, &policy), login, now, &mut buffer).is_ok()
    }))
}

pub enum Strictness {
    IssuerAndAudience,
    All,
}

pub fn jsonwebtoken_access(signer: &Signer, strictness: Strictness) -> Validator {
    let PublicKeyComponents { n, e } = signer.components();
    let key = DecodingKey::from_rsa_raw_components(&n, &e);
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[API]);
    if let Strictness::All = strictness {
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
    }
    Box::new(move |token| jsonwebtoken::decode::<Value>(token, &key, &validation).is_ok())
}

pub fn jwt_simple_access(signer: &Signer) -> Result<Validator> {
    let PublicKeyComponents { n, e } = signer.components();
    let key = RS256PublicKey::from_components(&n, &e)?;
    let options = VerificationOptions {
        allowed_issuers: Some(HashSet::from([ISSUER.to_owned()])),
        allowed_audiences: Some(HashSet::from([API.to_owned()])),
        ..VerificationOptions::default()
    };
    Ok(Box::new(move |token| {
        key.verify_token::<NoCustomClaims>(token, Some(options.clone())).is_ok()
    }))
}

/// An HTTP client of huskarl whose every response is the key set: no network is used.
struct KeySetClient(Bytes);

impl HttpClient for KeySetClient {
    fn execute(
        &self,
        _: Request<Bytes>,
        _: Idempotency,
    ) -> MaybeSendBoxFuture<'_, std::result::Result<HttpResponse, huskarl::core::Error>> {
        let body = self.0.clone();
        Box::pin(async move {
            Ok(HttpResponse { status: StatusCode::OK, headers: HeaderMap::new(), body })
        })
    }
}

fn key_set_client(signer: &Signer) -> KeySetClient {
    KeySetClient(signer.key_set().into())
}

fn runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_time().build()?)
}

const KEY_SET_URL: &str = "https://my-domain.auth0.com/.well-known/jwks.json";

pub fn huskarl_access(signer: &Signer) -> Result<Validator> {
    let runtime = runtime()?;
    let validator = runtime.block_on(
        Rfc9068Validator::builder()
            .issuer(ISSUER)
            .audience(API)
            .jwks_uri(KEY_SET_URL.parse()?)
            .jwks_source(key_set_client(signer))
            .build(),
    )?;
    let url = Uri::from_static(API);
    Ok(Box::new(move |token| {
        let value = format!("Bearer {token}").parse().expect("a header value");
        let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
        let validated = validator.validate_request(&headers, &Method::GET, &url, None);
        matches!(runtime.block_on(validated).outcome, Ok(Some(_)))
    }))
}

pub fn huskarl_id(signer: &Signer) -> Result<Validator> {
    let runtime = runtime()?;
    let platform: Arc<dyn JwsVerifierPlatform> = DefaultJwsVerifierPlatform::default().into();
    let source = JwksSource::builder().http_client(key_set_client(signer)).build();
    let verifier = runtime.block_on(source.build(Some(&KEY_SET_URL.parse()?), platform))?;
    let validator =
        IdTokenValidator::builder().verifier(verifier).issuer(ISSUER).audience(CLIENT).build();
    Ok(Box::new(move |token| {
        runtime.block_on(validator.validate(&token.into(), Some(NONCE))).is_ok()
    }))
}

pub fn openidconnect_id(signer: &Signer) -> Result<Validator> {
    let keys: CoreJsonWebKeySet = serde_json::from_str(&signer.key_set())?;
    let verifier = CoreIdTokenVerifier::new_public_client(
        ClientId::new(CLIENT.to_owned()),
        IssuerUrl::new(ISSUER.to_owned())?,
        keys,
    );
    let nonce = openidconnect::Nonce::new(NONCE.to_owned());
    Ok(Box::new(move |token| {
        CoreIdToken::from_str(token).is_ok_and(|token| token.claims(&verifier, &nonce).is_ok())
    }))
}
