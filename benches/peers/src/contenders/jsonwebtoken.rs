//! [jsonwebtoken](https://docs.rs/jsonwebtoken), with the backend of the feature with which it
//! is built.

use std::collections::HashMap;
use std::hint::black_box;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};

use super::OwnClaims;
use crate::measure::Contender;
use crate::tokens::{API, CLIENT_ID, ISSUER, KEY_ID, Keys, Kind};

fn validation(keys: &Keys, kind: Kind) -> Validation {
    let algorithm: Algorithm = keys.algorithm.name().parse().unwrap();
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[if kind == Kind::SmallId { CLIENT_ID } else { API }]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.validate_nbf = true;
    validation
}

fn decoding_keys(keys: &Keys) -> HashMap<String, DecodingKey> {
    let set: JwkSet = serde_json::from_str(&keys.jwks).unwrap();
    let named = set.keys.iter().map(|jwk| {
        let key_id = jwk.common.key_id.clone().unwrap();
        (key_id, DecodingKey::from_jwk(jwk).unwrap())
    });
    named.collect()
}

/// With the issuer's key that `kid` selects.
pub fn contender<'c>(
    name: &'static str,
    rsa: Option<&'static str>,
    keys: &Keys,
    token: &'c str,
    kind: Kind,
) -> Contender<'c> {
    let (keys, validation) = (decoding_keys(keys), validation(keys, kind));
    Contender::new(name, rsa, move || {
        let token = black_box(token);
        let header = decode_header(token).unwrap();
        let key = &keys[header.kid.as_deref().unwrap()];
        decode::<OwnClaims>(token, key, &validation).unwrap().claims.check(kind);
    })
}

/// With one key, regardless of `kid`: the least possible work.
pub fn with_one_key<'c>(
    name: &'static str,
    rsa: Option<&'static str>,
    keys: &Keys,
    token: &'c str,
    kind: Kind,
) -> Contender<'c> {
    let key = decoding_keys(keys).remove(KEY_ID).unwrap();
    let validation = validation(keys, kind);
    Contender::new(name, rsa, move || {
        decode::<OwnClaims>(black_box(token), &key, &validation).unwrap().claims.check(kind);
    })
}
