//! Private keys for all algorithms and their signatures, independent of policies.

#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(unreachable_pub, reason = "the module is part of several programs")]

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::Algorithm;
use claimgate::jwk::{KeyMaterial, VerifyingKey};
use num_bigint::BigUint;
use ring::digest;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
    RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
};
use serde_json::{Value, json};

/// The key type of the tests that are not about backends: the first that is enabled.
#[cfg(feature = "ring")]
pub type TestAnyKey = claimgate::RingAnyKey;
#[cfg(all(feature = "pure-rust", not(feature = "ring")))]
pub type TestAnyKey = claimgate::PureRustAnyKey;
#[cfg(all(feature = "aws-lc-rs", not(any(feature = "ring", feature = "pure-rust"))))]
pub type TestAnyKey = claimgate::AwsLcAnyKey;

/// The numbers of a public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnedMaterial {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256 { x: [u8; 32], y: [u8; 32] },
    P384 { x: [u8; 48], y: [u8; 48] },
    Ed25519 { x: [u8; 32] },
}

impl OwnedMaterial {
    pub fn borrow(&self) -> KeyMaterial<'_> {
        match self {
            Self::Rsa { n, e } => KeyMaterial::Rsa { n, e },
            Self::P256 { x, y } => KeyMaterial::P256 { x, y },
            Self::P384 { x, y } => KeyMaterial::P384 { x, y },
            Self::Ed25519 { x } => KeyMaterial::Ed25519 { x },
        }
    }

    /// Returns the required members of the JWK.
    pub fn jwk(&self) -> Value {
        let text = |octets: &[u8]| Base64UrlUnpadded::encode_string(octets);
        match self {
            Self::Rsa { n, e } => json!({"kty": "RSA", "n": text(n), "e": text(e)}),
            Self::P256 { x, y } => {
                json!({"kty": "EC", "crv": "P-256", "x": text(x), "y": text(y)})
            }
            Self::P384 { x, y } => {
                json!({"kty": "EC", "crv": "P-384", "x": text(x), "y": text(y)})
            }
            Self::Ed25519 { x } => json!({"kty": "OKP", "crv": "Ed25519", "x": text(x)}),
        }
    }
}

enum PrivateKey {
    Rsa(Box<RsaKeyPair>),
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// A private key for one algorithm.
pub struct AnySigner {
    pub algorithm: Algorithm,
    pub kid: String,
    key: PrivateKey,
    pkcs8: &'static [u8],
}

impl AnySigner {
    /// The issuer's key for an algorithm.
    pub fn a(algorithm: Algorithm) -> Self {
        Self::new(
            algorithm,
            "a",
            [
                include_bytes!("../data/keys/a.pk8"),
                include_bytes!("../data/keys/p256-a.pk8"),
                include_bytes!("../data/keys/p384-a.pk8"),
                include_bytes!("../data/keys/ed25519-a.pk8"),
            ],
        )
    }

    /// Another key for an algorithm.
    pub fn b(algorithm: Algorithm) -> Self {
        Self::new(
            algorithm,
            "b",
            [
                include_bytes!("../data/keys/b.pk8"),
                include_bytes!("../data/keys/p256-b.pk8"),
                include_bytes!("../data/keys/p384-b.pk8"),
                include_bytes!("../data/keys/ed25519-b.pk8"),
            ],
        )
    }

    /// An RSA key of 3,072 bits.
    pub fn c3072(algorithm: Algorithm) -> Self {
        Self::new(algorithm, "c", [include_bytes!("../data/keys/c3072.pk8"), &[], &[], &[]])
    }

    /// An RSA key of 4,096 bits.
    pub fn d4096(algorithm: Algorithm) -> Self {
        Self::new(algorithm, "d", [include_bytes!("../data/keys/d4096.pk8"), &[], &[], &[]])
    }

    fn new(algorithm: Algorithm, name: &str, keys: [&'static [u8]; 4]) -> Self {
        let random = SystemRandom::new();
        let [rsa, p256, p384, ed25519] = keys;
        let (key, pkcs8) = match algorithm {
            Algorithm::Es256 => {
                let signing = &ECDSA_P256_SHA256_FIXED_SIGNING;
                let key = EcdsaKeyPair::from_pkcs8(signing, p256, &random).unwrap();
                (PrivateKey::Ec(key), p256)
            }
            Algorithm::Es384 => {
                let signing = &ECDSA_P384_SHA384_FIXED_SIGNING;
                let key = EcdsaKeyPair::from_pkcs8(signing, p384, &random).unwrap();
                (PrivateKey::Ec(key), p384)
            }
            Algorithm::EdDsa => {
                let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(ed25519).unwrap();
                (PrivateKey::Ed25519(key), ed25519)
            }
            _ => (PrivateKey::Rsa(Box::new(RsaKeyPair::from_pkcs8(rsa).unwrap())), rsa),
        };
        Self { algorithm, kid: format!("{}-{name}", algorithm.name()), key, pkcs8 }
    }

    /// Returns the numbers of the public key.
    pub fn material(&self) -> OwnedMaterial {
        match &self.key {
            PrivateKey::Rsa(key) => {
                let public = key.public();
                let components = ring::signature::RsaPublicKeyComponents::<Vec<u8>>::from(public);
                OwnedMaterial::Rsa { n: components.n, e: components.e }
            }
            PrivateKey::Ec(key) => match key.public_key().as_ref() {
                [4, point @ ..] if point.len() == 64 => OwnedMaterial::P256 {
                    x: point[..32].try_into().unwrap(),
                    y: point[32..].try_into().unwrap(),
                },
                [4, point @ ..] if point.len() == 96 => OwnedMaterial::P384 {
                    x: point[..48].try_into().unwrap(),
                    y: point[48..].try_into().unwrap(),
                },
                point => panic!("{point:?}"),
            },
            PrivateKey::Ed25519(key) => {
                OwnedMaterial::Ed25519 { x: key.public_key().as_ref().try_into().unwrap() }
            }
        }
    }

    /// Returns the public key in an implementation.
    pub fn verifying_key<K: claimgate::PublicKey>(&self) -> VerifyingKey<K> {
        VerifyingKey::new(self.algorithm, self.material().borrow()).unwrap()
    }

    /// Returns the public key as a JWK.
    pub fn jwk(&self) -> Value {
        let mut jwk = self.material().jwk();
        jwk["use"] = "sig".into();
        jwk["alg"] = self.algorithm.name().into();
        jwk["kid"] = self.kid.as_str().into();
        jwk
    }

    /// Returns the signature of any bytes.
    pub fn signature(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            PrivateKey::Rsa(key) => {
                let encoding: &'static dyn RsaEncoding = match self.algorithm {
                    Algorithm::Rs256 => &RSA_PKCS1_SHA256,
                    Algorithm::Rs384 => &RSA_PKCS1_SHA384,
                    Algorithm::Rs512 => &RSA_PKCS1_SHA512,
                    Algorithm::Ps256 => &RSA_PSS_SHA256,
                    Algorithm::Ps384 => &RSA_PSS_SHA384,
                    Algorithm::Ps512 => &RSA_PSS_SHA512,
                    other => panic!("{other} is not for RSA"),
                };
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(encoding, &random, message, &mut signature).unwrap();
                signature
            }
            PrivateKey::Ec(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            PrivateKey::Ed25519(key) => key.sign(message).as_ref().to_vec(),
        }
    }

    /// The PSS signature of any bytes with a salt of any length, and hash functions for
    /// the message and for the mask that may differ
    /// ([RFC 8017 §8.1.1](https://www.rfc-editor.org/rfc/rfc8017#section-8.1.1)).
    pub fn pss_signature(
        &self,
        hash: &'static digest::Algorithm,
        mask_hash: &'static digest::Algorithm,
        salt_len: usize,
        message: &[u8],
    ) -> Vec<u8> {
        let OwnedMaterial::Rsa { n, .. } = self.material() else { panic!("not an RSA key") };
        let n = BigUint::from_bytes_be(&n);
        let encoded_bits = usize::try_from(n.bits()).unwrap() - 1;
        let encoded_len = encoded_bits.div_ceil(8);
        let salt: Vec<u8> = (0..salt_len).map(|index| u8::try_from(index % 251).unwrap()).collect();
        let message_hash = digest::digest(hash, message);
        let salted = [&[0; 8], message_hash.as_ref(), &salt].concat();
        let salted = digest::digest(hash, &salted);
        let masked_len = encoded_len - hash.output_len() - 1;
        let mut block = vec![0; masked_len - salt_len - 1];
        block.push(1);
        block.extend(&salt);
        let mut mask: Vec<u8> = Vec::new();
        for counter in 0_u32.. {
            if mask.len() >= masked_len {
                break;
            }
            let input = [salted.as_ref(), &counter.to_be_bytes()].concat();
            mask.extend(digest::digest(mask_hash, &input).as_ref());
        }
        block.iter_mut().zip(mask).for_each(|(octet, mask)| *octet ^= mask);
        block[0] &= 0xff >> (8 * encoded_len - encoded_bits);
        block.extend(salted.as_ref());
        block.push(0xbc);
        self.rsa_power(&block)
    }

    /// Applies the private key to any representative
    /// ([RFC 8017 §5.2.1](https://www.rfc-editor.org/rfc/rfc8017#section-5.2.1)).
    pub fn rsa_power(&self, representative: &[u8]) -> Vec<u8> {
        let OwnedMaterial::Rsa { n, .. } = self.material() else { panic!("not an RSA key") };
        let modulus = BigUint::from_bytes_be(&n);
        let exponent = private_exponent(self.pkcs8);
        let power = BigUint::from_bytes_be(representative).modpow(&exponent, &modulus);
        let octets = power.to_bytes_be();
        [vec![0; n.len() - octets.len()], octets].concat()
    }

    /// Returns a compact JWS with segments that are already base64url.
    pub fn sign_segments(&self, header: &str, payload: &str) -> String {
        let signing_input = format!("{header}.{payload}");
        let signature = self.signature(signing_input.as_bytes());
        format!("{signing_input}.{}", Base64UrlUnpadded::encode_string(&signature))
    }

    /// Returns a compact JWS with this payload.
    pub fn sign_raw(&self, header: &[u8], payload: &[u8]) -> String {
        let header = Base64UrlUnpadded::encode_string(header);
        let payload = Base64UrlUnpadded::encode_string(payload);
        self.sign_segments(&header, &payload)
    }

    /// Returns a compact JWS with this header and these claims.
    pub fn sign_with(&self, header: &Value, claims: &Value) -> String {
        self.sign_raw(header.to_string().as_bytes(), claims.to_string().as_bytes())
    }

    /// Returns a compact JWS with these claims, and the algorithm and the `kid` of the key.
    pub fn sign(&self, claims: &Value) -> String {
        let header = json!({"alg": self.algorithm.name(), "typ": "JWT", "kid": self.kid});
        self.sign_with(&header, claims)
    }
}

/// Returns the private exponent of an RSA key in PKCS#8
/// ([RFC 8017, appendix A.1.2](https://www.rfc-editor.org/rfc/rfc8017#appendix-A.1.2)).
fn private_exponent(pkcs8: &[u8]) -> BigUint {
    // PrivateKeyInfo: version, algorithm, key; RSAPrivateKey: version, n, e, d.
    let (_, info, _) = der(pkcs8);
    let (_, _, rest) = der(info);
    let (_, _, rest) = der(rest);
    let (tag, key, _) = der(rest);
    assert_eq!(tag, 0x04);
    let (_, mut rest, _) = der(key);
    for _ in 0..3 {
        (_, _, rest) = der(rest);
    }
    let (tag, exponent, _) = der(rest);
    assert_eq!(tag, 0x02);
    BigUint::from_bytes_be(exponent)
}

/// Returns the first DER element: its tag, its contents, and the rest.
fn der(octets: &[u8]) -> (u8, &[u8], &[u8]) {
    let (header, len) = match octets[1] {
        len @ 0..=0x7f => (2, usize::from(len)),
        0x81 => (3, usize::from(octets[2])),
        0x82 => (4, usize::from(u16::from_be_bytes([octets[2], octets[3]]))),
        other => panic!("{other}"),
    };
    (octets[0], &octets[header..header + len], &octets[header + len..])
}
