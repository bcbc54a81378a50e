//! The three tokens, signed when the program starts: some of the libraries read
//! the clock themselves, and none takes a token of the articles, which expired
//! in 2011.

use std::time::{SystemTime, UNIX_EPOCH};

use base64ct::{Base64UrlUnpadded, Encoding};
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::{RSA_PKCS1_SHA256, RsaPublicKeyComponents};
use serde_json::{Value, json};

pub const ISSUER: &str = "https://my-domain.auth0.com/";
pub const CLIENT_ID: &str = "my_client_id";
pub const API: &str = "https://example.com/health-api";
pub const NONCE: &str = "n-0S6_WzA2Mj";
pub const SCOPE: &str = "read:patients";
pub const PERMISSION: &str = "read:health-records-0199";

/// As long as the key IDs that Auth0 gives: 54 characters.
pub const KEY_ID: &str = "NjVBRjY5MDlCMUIwNzU4RTA2QzZFMDQ4QzQ2MDAyQjVDNjk1RTM2Qg";
pub const OTHER_KEY_ID: &str = "RkI5MjdGNjE3QkQ2RDEyN0Y5QTk4MTc2MDg1MkYyOTlDQjQzNDEyRA";

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    SmallId,
    Typical,
    Large,
}

/// The key of the issuer, and the one it used before.
pub struct Keys {
    signing: KeyPair,
    pub n: Vec<u8>,
    pub e: Vec<u8>,
    pub jwks: String,
}

impl Default for Keys {
    fn default() -> Self {
        let signing = include_bytes!("../../../tests/data/keys/a.pk8");
        let other = include_bytes!("../../../tests/data/keys/b.pk8");
        let signing = KeyPair::from_pkcs8(signing).unwrap();
        let other = KeyPair::from_pkcs8(other).unwrap();
        let RsaPublicKeyComponents { n, e } = signing.public().into();
        let jwks = json!({ "keys": [jwk(&other, OTHER_KEY_ID), jwk(&signing, KEY_ID)] });
        Self { signing, n, e, jwks: jwks.to_string() }
    }
}

fn jwk(key: &KeyPair, kid: &str) -> Value {
    let RsaPublicKeyComponents { n, e } = RsaPublicKeyComponents::<Vec<u8>>::from(key.public());
    let encode = |bytes: &[u8]| Base64UrlUnpadded::encode_string(bytes);
    json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": encode(&n), "e": encode(&e)})
}

impl Keys {
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let encode = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let mut signature = vec![0; self.n.len()];
        self.signing
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .unwrap();
        format!("{signed}.{}", Base64UrlUnpadded::encode_string(&signature))
    }

    pub fn token(&self, kind: Kind) -> String {
        let token = self.sign(&header("RS256", KEY_ID), &claims(kind));
        let expected = match kind {
            Kind::SmallId => 600..=700,
            Kind::Typical => 790..=790,
            Kind::Large => 8_000..=8_192,
        };
        assert!(expected.contains(&token.len()), "{} characters", token.len());
        token
    }
}

pub fn header(alg: &str, kid: &str) -> Value {
    json!({"alg": alg, "typ": "JWT", "kid": kid})
}

pub fn claims(kind: Kind) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let access_token = json!({
        "iss": ISSUER,
        "sub": "auth0|123456",
        "aud": [API, "https://my-domain.auth0.com/userinfo"],
        "azp": CLIENT_ID,
        "exp": now + 86_400,
        "iat": now - 10,
        "scope": "openid profile read:patients read:admin",
    });
    match kind {
        Kind::SmallId => json!({
            "iss": ISSUER,
            "sub": "auth0|123456",
            "aud": CLIENT_ID,
            "exp": now + 86_400,
            "iat": now - 10,
            "nonce": NONCE,
        }),
        Kind::Typical => access_token,
        Kind::Large => {
            let mut claims = access_token;
            claims["permissions"] =
                (0..200).map(|n| format!("read:health-records-{n:04}")).collect();
            claims
        }
    }
}
