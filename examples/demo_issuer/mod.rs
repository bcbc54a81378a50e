//! A stand-in for an issuer, so that the examples run without one: it signs any claims, with
//! the test keys. It must not be used in an application.

#![allow(dead_code, reason = "each example uses a part of it")]

use base64ct::{Base64UrlUnpadded, Encoding};
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::RSA_PKCS1_SHA256;
use serde_json::{Value, json};

/// The `iss` of the demonstration issuer.
pub const ISSUER: &str = "https://my-domain.auth0.com/";

/// One of the issuer's keys.
pub struct SigningKey {
    key_pair: KeyPair,
    key_id: &'static str,
}

impl SigningKey {
    /// Returns the key in `examples/validate/demo/jwks.json`.
    pub fn a() -> Self {
        Self::new(include_bytes!("../../tests/data/keys/a.pk8"), "key-a")
    }

    /// Returns the next key.
    pub fn b() -> Self {
        Self::new(include_bytes!("../../tests/data/keys/b.pk8"), "key-b")
    }

    fn new(pkcs8: &[u8], key_id: &'static str) -> Self {
        let key_pair = KeyPair::from_pkcs8(pkcs8).expect("the test keys are PKCS#8");
        Self { key_pair, key_id }
    }

    /// Signs a token with these claims, and the header that Auth0 writes.
    pub fn sign(&self, claims: &Value) -> String {
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": self.key_id });
        let encode = |json: &Value| Base64UrlUnpadded::encode_string(json.to_string().as_bytes());
        let signing_input = format!("{}.{}", encode(&header), encode(claims));
        let mut signature = vec![0; self.key_pair.public().modulus_len()];
        self.key_pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signing_input.as_bytes(), &mut signature)
            .expect("the signature is as long as the modulus");
        format!("{signing_input}.{}", Base64UrlUnpadded::encode_string(&signature))
    }

    fn jwk(&self) -> Value {
        let public = PublicKeyComponents::<Vec<u8>>::from(self.key_pair.public());
        json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.key_id,
            "n": Base64UrlUnpadded::encode_string(&public.n),
            "e": Base64UrlUnpadded::encode_string(&public.e),
        })
    }
}

/// Returns the key set that an issuer with these keys publishes.
pub fn jwks(keys: &[SigningKey]) -> String {
    let keys: Vec<Value> = keys.iter().map(SigningKey::jwk).collect();
    json!({ "keys": keys }).to_string()
}

/// Returns the `at_hash` for this access token.
pub fn access_token_hash(access_token: &str) -> String {
    Base64UrlUnpadded::encode_string(&digest(&SHA256, access_token.as_bytes()).as_ref()[..16])
}
