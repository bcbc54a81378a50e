//! [jwt-simple](https://docs.rs/jwt-simple) in pure Rust.

use std::collections::{HashMap, HashSet};
use std::hint::black_box;

use base64ct::{Base64UrlUnpadded, Encoding};
use jwt_simple::prelude::*;
use jwt_simple::token::Token;
use serde::Deserialize;
use serde_json::Value;

use crate::measure::Contender;
use crate::tokens::{API, CLIENT_ID, ISSUER, Keys, Kind};

/// `sub` and `nonce` are read by the library.
#[derive(Serialize, Deserialize)]
struct Custom {
    scope: Option<String>,
    permissions: Option<Vec<String>>,
}

fn public_keys(keys: &Keys) -> HashMap<String, RS256PublicKey> {
    let set: Value = serde_json::from_str(&keys.jwks).unwrap();
    let named = set["keys"].as_array().unwrap().iter().map(|jwk| {
        let bytes =
            |name: &str| Base64UrlUnpadded::decode_vec(jwk[name].as_str().unwrap()).unwrap();
        let key = RS256PublicKey::from_components(&bytes("n"), &bytes("e")).unwrap();
        (jwk["kid"].as_str().unwrap().to_owned(), key)
    });
    named.collect()
}

pub fn contender<'c>(keys: &Keys, token: &'c str, kind: Kind) -> Contender<'c> {
    let keys = public_keys(keys);
    let audience = if kind == Kind::SmallId { CLIENT_ID } else { API };
    let options = VerificationOptions {
        allowed_issuers: Some(HashSet::from([ISSUER.to_owned()])),
        allowed_audiences: Some(HashSet::from([audience.to_owned()])),
        time_tolerance: Some(Duration::from_secs(60)),
        ..VerificationOptions::default()
    };
    Contender::new("jwt-simple", None, move || {
        let token = black_box(token);
        let metadata = Token::decode_metadata(token).unwrap();
        let key = &keys[metadata.key_id().unwrap()];
        let claims = key.verify_token::<Custom>(token, Some(options.clone())).unwrap();
        assert!(claims.expires_at.is_some());
        super::OwnClaims {
            sub: claims.subject.unwrap(),
            scope: claims.custom.scope,
            permissions: claims.custom.permissions,
            nonce: claims.nonce,
        }
        .check(kind);
    })
}
