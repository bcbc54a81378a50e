//! [jwt-compact](https://docs.rs/jwt-compact) with the rsa crate.

use std::collections::HashMap;
use std::hint::black_box;

use base64ct::{Base64UrlUnpadded, Encoding};
use jwt_compact::alg::{Rsa, RsaPublicKey, StrongAlg, StrongKey};
use jwt_compact::jwk::JsonWebKey;
use jwt_compact::{AlgorithmExt, TimeOptions, UntrustedToken};
use serde::Deserialize;
use serde_json::Value;

use super::OwnClaims;
use crate::measure::Contender;
use crate::tokens::{API, CLIENT_ID, ISSUER, Keys, Kind};

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    #[serde(flatten)]
    own: OwnClaims,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn contains(&self, audience: &str) -> bool {
        match self {
            Self::One(one) => one == audience,
            Self::Several(several) => several.iter().any(|one| one == audience),
        }
    }
}

fn public_keys(keys: &Keys) -> HashMap<String, StrongKey<RsaPublicKey>> {
    let set: Value = serde_json::from_str(&keys.jwks).unwrap();
    let named = set["keys"].as_array().unwrap().iter().map(|jwk| {
        let bytes =
            |name: &str| Base64UrlUnpadded::decode_vec(jwk[name].as_str().unwrap()).unwrap();
        let jwk_of_it = JsonWebKey::Rsa {
            modulus: bytes("n").into(),
            public_exponent: bytes("e").into(),
            private_parts: None,
        };
        let key = RsaPublicKey::try_from(&jwk_of_it).unwrap();
        (jwk["kid"].as_str().unwrap().to_owned(), StrongKey::try_from(key).unwrap())
    });
    named.collect()
}

pub fn contender<'c>(keys: &Keys, token: &'c str, kind: Kind) -> Contender<'c> {
    let keys = public_keys(keys);
    let algorithm = StrongAlg(Rsa::rs256());
    let options = TimeOptions::default();
    let audience = if kind == Kind::SmallId { CLIENT_ID } else { API };
    Contender::new("jwt-compact", None, move || {
        let token = UntrustedToken::new(black_box(token)).unwrap();
        let key = &keys[token.header().key_id.as_deref().unwrap()];
        let token = algorithm.validator::<Claims>(key).validate(&token).unwrap();
        let claims = token.claims();
        claims.validate_expiration(&options).unwrap();
        assert!(claims.not_before.is_none() || claims.validate_maturity(&options).is_ok());
        assert_eq!(claims.custom.iss, ISSUER);
        assert!(claims.custom.aud.contains(audience));
        claims.custom.own.check(kind);
    })
}
