//! A stand-in for an issuer, so that the examples run without one: it signs any claims, with
//! the test keys. It must not be used in an application.

#![allow(dead_code, reason = "each example uses a part of it")]

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::Algorithm;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair as RsaKeyPair, PublicKeyComponents};
use ring::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RsaEncoding,
};
use serde_json::{Value, json};

/// The `iss` of the demonstration issuer.
pub const ISSUER: &str = "https://my-domain.auth0.com/";

/// One of the issuer's keys.
pub struct SigningKey {
    key_pair: KeyPair,
    algorithm: Algorithm,
    key_id: &'static str,
}

enum KeyPair {
    Rsa(Box<RsaKeyPair>),
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

macro_rules! test_keys {
    ($name:literal) => {
        TestKeys {
            rsa: include_bytes!(concat!("../../tests/data/keys/", $name, ".pk8")),
            p256: include_bytes!(concat!("../../tests/data/keys/p256-", $name, ".pk8")),
            p384: include_bytes!(concat!("../../tests/data/keys/p384-", $name, ".pk8")),
            ed25519: include_bytes!(concat!("../../tests/data/keys/ed25519-", $name, ".pk8")),
        }
    };
}

/// Private keys in PKCS#8, one for each kind of key.
struct TestKeys {
    rsa: &'static [u8],
    p256: &'static [u8],
    p384: &'static [u8],
    ed25519: &'static [u8],
}

impl SigningKey {
    /// Returns the key in `examples/validate/demo/jwks.json`.
    pub fn a() -> Self {
        Self::a_for(Algorithm::Rs256)
    }

    /// Returns the next key.
    pub fn b() -> Self {
        Self::b_for(Algorithm::Rs256)
    }

    /// The first key for an algorithm.
    pub fn a_for(algorithm: Algorithm) -> Self {
        Self::new(algorithm, &test_keys!("a"), "key-a")
    }

    /// The second key for an algorithm.
    pub fn b_for(algorithm: Algorithm) -> Self {
        Self::new(algorithm, &test_keys!("b"), "key-b")
    }

    fn new(algorithm: Algorithm, keys: &TestKeys, key_id: &'static str) -> Self {
        let ec = |algorithm: &'static EcdsaSigningAlgorithm, pkcs8| {
            EcdsaKeyPair::from_pkcs8(algorithm, pkcs8, &SystemRandom::new()).map(KeyPair::Ec)
        };
        let key_pair = match algorithm {
            Algorithm::Es256 => ec(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, keys.p256),
            Algorithm::Es384 => ec(&signature::ECDSA_P384_SHA384_FIXED_SIGNING, keys.p384),
            Algorithm::EdDsa => {
                Ed25519KeyPair::from_pkcs8_maybe_unchecked(keys.ed25519).map(KeyPair::Ed25519)
            }
            _ => RsaKeyPair::from_pkcs8(keys.rsa).map(|key| KeyPair::Rsa(Box::new(key))),
        };
        let key_pair = key_pair.expect("the test keys are valid PKCS#8");
        Self { key_pair, algorithm, key_id }
    }

    /// Signs claims, under the header that Auth0 uses.
    pub fn sign(&self, claims: &Value) -> String {
        let header = json!({ "alg": self.algorithm.name(), "typ": "JWT", "kid": self.key_id });
        self.sign_with_header(&header, claims)
    }

    /// Signs claims under any header.
    pub fn sign_with_header(&self, header: &Value, claims: &Value) -> String {
        let encode = |json: &Value| Base64UrlUnpadded::encode_string(json.to_string().as_bytes());
        let signing_input = format!("{}.{}", encode(header), encode(claims));
        let signature = self.signature(signing_input.as_bytes());
        format!("{signing_input}.{}", Base64UrlUnpadded::encode_string(&signature))
    }

    fn signature(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key_pair {
            KeyPair::Rsa(key) => {
                let encoding: &dyn RsaEncoding = match self.algorithm {
                    Algorithm::Rs384 => &signature::RSA_PKCS1_SHA384,
                    Algorithm::Rs512 => &signature::RSA_PKCS1_SHA512,
                    Algorithm::Ps256 => &signature::RSA_PSS_SHA256,
                    Algorithm::Ps384 => &signature::RSA_PSS_SHA384,
                    Algorithm::Ps512 => &signature::RSA_PSS_SHA512,
                    _ => &signature::RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(encoding, &random, message, &mut signature)
                    .expect("the signature is as long as the modulus");
                signature
            }
            KeyPair::Ec(key) => {
                key.sign(&random, message).expect("the system has randomness").as_ref().to_vec()
            }
            KeyPair::Ed25519(key) => key.sign(message).as_ref().to_vec(),
        }
    }

    /// The members of the public key that a JWK requires, and no others.
    pub fn public_jwk(&self) -> Value {
        let text = |octets: &[u8]| Base64UrlUnpadded::encode_string(octets);
        match &self.key_pair {
            KeyPair::Rsa(key) => {
                let public = PublicKeyComponents::<Vec<u8>>::from(key.public());
                json!({ "kty": "RSA", "n": text(&public.n), "e": text(&public.e) })
            }
            KeyPair::Ec(key) => {
                // The octet 4, x and y.
                let point = &key.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let crv = if x.len() == 32 { "P-256" } else { "P-384" };
                json!({ "kty": "EC", "crv": crv, "x": text(x), "y": text(y) })
            }
            KeyPair::Ed25519(key) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": text(key.public_key().as_ref()) })
            }
        }
    }

    fn jwk(&self) -> Value {
        let mut jwk = self.public_jwk();
        jwk["use"] = "sig".into();
        jwk["alg"] = self.algorithm.name().into();
        jwk["kid"] = self.key_id.into();
        jwk
    }
}

/// Returns the key set that an issuer with these keys publishes.
pub fn jwks(keys: &[SigningKey]) -> String {
    let keys: Vec<Value> = keys.iter().map(SigningKey::jwk).collect();
    json!({ "keys": keys }).to_string()
}

/// Returns the `at_hash` for this access token.
pub fn access_token_hash(access_token: &str) -> String {
    Base64UrlUnpadded::encode_string(&sha256(access_token)[..16])
}

/// The SHA-256 hash of a text, in base64url: the `ath` of an access token.
pub fn sha256_text(text: &str) -> String {
    Base64UrlUnpadded::encode_string(&sha256(text))
}

fn sha256(text: &str) -> [u8; 32] {
    digest(&SHA256, text.as_bytes()).as_ref().try_into().expect("SHA-256 has 32 bytes")
}
