//! The three tokens, signed when the program starts, because some of the libraries read the
//! clock and reject the demonstration tokens, which expired in 2011.

use std::time::{SystemTime, UNIX_EPOCH};

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::Algorithm;
use claimgate::jwk::KeyMaterial;
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaEncoding, RsaPublicKeyComponents,
};
use serde_json::{Value, json};

pub const ISSUER: &str = "https://my-domain.auth0.com/";
pub const CLIENT_ID: &str = "my_client_id";
pub const API: &str = "https://example.com/health-api";
pub const NONCE: &str = "n-0S6_WzA2Mj";
pub const SCOPE: &str = "read:patients";
pub const PERMISSION: &str = "read:health-records-0199";

/// The length of Auth0's key IDs: 54 characters.
pub const KEY_ID: &str = "NjVBRjY5MDlCMUIwNzU4RTA2QzZFMDQ4QzQ2MDAyQjVDNjk1RTM2Qg";
pub const OTHER_KEY_ID: &str = "RkI5MjdGNjE3QkQ2RDEyN0Y5QTk4MTc2MDg1MkYyOTlDQjQzNDEyRA";

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    SmallId,
    Typical,
    Large,
}

/// The current and the previous key of the issuer for one algorithm.
pub struct Keys {
    pub algorithm: Algorithm,
    signing: Signer,
    pub jwks: String,
}

impl Default for Keys {
    /// RS256.
    fn default() -> Self {
        Self::new(Algorithm::Rs256)
    }
}

impl Keys {
    /// # Panics
    ///
    /// Panics if there is no row for the algorithm.
    pub fn new(algorithm: Algorithm) -> Self {
        let (signing, other): (&[u8], &[u8]) = match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => (
                include_bytes!("../../../tests/data/keys/a.pk8"),
                include_bytes!("../../../tests/data/keys/b.pk8"),
            ),
            Algorithm::Es256 => (
                include_bytes!("../../../tests/data/keys/p256-a.pk8"),
                include_bytes!("../../../tests/data/keys/p256-b.pk8"),
            ),
            Algorithm::EdDsa => (
                include_bytes!("../../../tests/data/keys/ed25519-a.pk8"),
                include_bytes!("../../../tests/data/keys/ed25519-b.pk8"),
            ),
            _ => panic!("no row for {}", algorithm.name()),
        };
        let signing = Signer::new(algorithm, signing);
        let other = Signer::new(algorithm, other);
        let jwk = |signer: &Signer, key_id| jwk(algorithm, signer.material(), key_id);
        let jwks = json!({ "keys": [jwk(&other, OTHER_KEY_ID), jwk(&signing, KEY_ID)] });
        Self { algorithm, jwks: jwks.to_string(), signing }
    }

    /// Returns the numbers of the public key.
    pub fn material(&self) -> KeyMaterial<'_> {
        self.signing.material()
    }

    /// Returns the public key in the format of ring and aws-lc-rs: `RSAPublicKey` of PKCS #1
    /// in DER, an uncompressed point of P-256, or an encoded point of Ed25519.
    pub fn encoded(&self) -> &[u8] {
        self.signing.encoded()
    }

    /// Returns the required members of the public key as a JWK.
    pub fn public_jwk(&self) -> Value {
        let mut jwk = jwk(self.algorithm, self.material(), "");
        for name in ["use", "alg", "kid"] {
            jwk.as_object_mut().unwrap().remove(name);
        }
        jwk
    }

    /// Returns the header of a token that the issuer signs.
    pub fn header(&self) -> Value {
        header(self.algorithm.name(), KEY_ID)
    }

    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let encode = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = self.signing.sign(signed.as_bytes());
        format!("{signed}.{}", Base64UrlUnpadded::encode_string(&signature))
    }

    pub fn token(&self, kind: Kind) -> String {
        let token = self.sign(&self.header(), &claims(kind));
        // The signature has 64 bytes instead of 256.
        let shorter = matches!(self.algorithm, Algorithm::Es256 | Algorithm::EdDsa);
        let length = token.len() + if shorter { 342 - 86 } else { 0 };
        let expected = match kind {
            Kind::SmallId => 600..=700,
            Kind::Typical => 790..=790,
            Kind::Large => 8_000..=8_192,
        };
        assert!(expected.contains(&length), "{} characters", token.len());
        token
    }
}

/// A private key in ring, with the numbers of the public key.
enum Signer {
    Rsa { encoding: &'static dyn RsaEncoding, pair: KeyPair, n: Vec<u8>, e: Vec<u8> },
    P256 { pair: EcdsaKeyPair, x: [u8; 32], y: [u8; 32] },
    Ed25519 { pair: Ed25519KeyPair, x: [u8; 32] },
}

impl Signer {
    fn new(algorithm: Algorithm, pkcs8: &[u8]) -> Self {
        match algorithm {
            Algorithm::Es256 => {
                let form = &ECDSA_P256_SHA256_FIXED_SIGNING;
                let pair = EcdsaKeyPair::from_pkcs8(form, pkcs8, &SystemRandom::new()).unwrap();
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                let (x, y) = (x.try_into().unwrap(), y.try_into().unwrap());
                Self::P256 { pair, x, y }
            }
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).unwrap();
                let x = pair.public_key().as_ref().try_into().unwrap();
                Self::Ed25519 { pair, x }
            }
            _ => {
                let encoding: &dyn RsaEncoding = match algorithm {
                    Algorithm::Ps256 => &RSA_PSS_SHA256,
                    _ => &RSA_PKCS1_SHA256,
                };
                let pair = KeyPair::from_pkcs8(pkcs8).unwrap();
                let RsaPublicKeyComponents { n, e } = pair.public().into();
                Self::Rsa { encoding, pair, n, e }
            }
        }
    }

    fn material(&self) -> KeyMaterial<'_> {
        match self {
            Self::Rsa { n, e, .. } => KeyMaterial::Rsa { n, e },
            Self::P256 { x, y, .. } => KeyMaterial::P256 { x, y },
            Self::Ed25519 { x, .. } => KeyMaterial::Ed25519 { x },
        }
    }

    fn encoded(&self) -> &[u8] {
        match self {
            Self::Rsa { pair, .. } => pair.public().as_ref(),
            Self::P256 { pair, .. } => pair.public_key().as_ref(),
            Self::Ed25519 { pair, .. } => pair.public_key().as_ref(),
        }
    }

    fn sign(&self, signed: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa { encoding, pair, n, .. } => {
                let mut signature = vec![0; n.len()];
                pair.sign(*encoding, &random, signed, &mut signature).unwrap();
                signature
            }
            Self::P256 { pair, .. } => pair.sign(&random, signed).unwrap().as_ref().to_vec(),
            Self::Ed25519 { pair, .. } => pair.sign(signed).as_ref().to_vec(),
        }
    }
}

fn jwk(algorithm: Algorithm, material: KeyMaterial<'_>, kid: &str) -> Value {
    let encode = |bytes: &[u8]| Base64UrlUnpadded::encode_string(bytes);
    let mut jwk = match material {
        KeyMaterial::Rsa { n, e } => json!({"kty": "RSA", "n": encode(n), "e": encode(e)}),
        KeyMaterial::P256 { x, y } => {
            json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y)})
        }
        KeyMaterial::Ed25519 { x } => json!({"kty": "OKP", "crv": "Ed25519", "x": encode(x)}),
        other => panic!("no row for {other:?}"),
    };
    jwk["use"] = "sig".into();
    jwk["alg"] = algorithm.name().into();
    jwk["kid"] = kid.into();
    jwk
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
