//! A stand-in for signatures: a checksum of the key and the message, in the form that the
//! key's algorithm requires.

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::error::{InvalidSignature, KeyRejected};
use claimgate::jwk::{Algorithms, HalfHash, KeyMaterial};
use claimgate::{Algorithm, PublicKey};
use ring::digest::{SHA256, SHA384, SHA512, digest};
use serde_json::{Value, json};

use crate::signers::AnySigner;

/// The identity of a key, and the number of octets of its modulus for RSA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signer {
    pub algorithm: Algorithm,
    identity: u64,
    modulus_len: usize,
}

impl Signer {
    pub fn new(algorithm: Algorithm, numbers: &[&[u8]]) -> Self {
        let mut identity = fnv(FNV_OFFSET, algorithm.name().as_bytes());
        for number in numbers {
            identity = fnv(fnv(identity, &[0]), number);
        }
        Self { algorithm, identity, modulus_len: numbers.first().map_or(0, |n| n.len()) }
    }

    /// Returns the signer with the numbers of a JWK, whether or not the key is acceptable.
    pub fn of_jwk(algorithm: Algorithm, jwk: &Value) -> Option<Self> {
        let names: &[&str] = match algorithm {
            Algorithm::Es256 | Algorithm::Es384 => &["x", "y"],
            Algorithm::EdDsa => &["x"],
            _ => &["n", "e"],
        };
        let decode = |name: &&str| Base64UrlUnpadded::decode_vec(jwk.get(*name)?.as_str()?).ok();
        let numbers: Vec<Vec<u8>> = names.iter().map(decode).collect::<Option<_>>()?;
        Some(Self::new(algorithm, &numbers.iter().map(Vec::as_slice).collect::<Vec<_>>()))
    }

    /// Returns a signature with the length and the numbers that the algorithm allows.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let checksum = (fnv(self.identity, message) | 1).to_be_bytes();
        // Two numbers of the curve's size, big-endian.
        let ecdsa = |size: usize| {
            let mut number = vec![0; size];
            number[size - 8..].copy_from_slice(&checksum);
            number.repeat(2)
        };
        match self.algorithm {
            Algorithm::Es256 => ecdsa(32),
            Algorithm::Es384 => ecdsa(48),
            // R and S, little-endian.
            Algorithm::EdDsa => [checksum.as_slice(), &[0; 24]].concat().repeat(2),
            _ => {
                let mut signature = checksum.to_vec();
                signature.resize(self.modulus_len, 0);
                signature
            }
        }
    }
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a, continued.
fn fnv(start: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Returns the base64url text of the SHA-256 hash.
pub fn hash_of(text: &str) -> String {
    Base64UrlUnpadded::encode_string(digest(&SHA256, text.as_bytes()).as_ref())
}

/// A key of any algorithm.
pub struct Checksum(Signer);

impl PublicKey for Checksum {
    const ALGORITHMS: Algorithms = Algorithms::ALL;

    fn new(algorithm: Algorithm, material: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
        Ok(Self(match material {
            KeyMaterial::Rsa { n, e } => Signer::new(algorithm, &[n, e]),
            KeyMaterial::P256 { x, y } => Signer::new(algorithm, &[x, y]),
            KeyMaterial::P384 { x, y } => Signer::new(algorithm, &[x, y]),
            KeyMaterial::Ed25519 { x } => Signer::new(algorithm, &[x]),
            _ => return Err(KeyRejected::Backend),
        }))
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        if signature == self.0.sign(message) { Ok(()) } else { Err(InvalidSignature) }
    }

    fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        digest(&SHA256, &parts.concat()).as_ref().try_into().unwrap()
    }

    fn half_hash(&self, text: &[u8]) -> HalfHash {
        match self.0.algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 | Algorithm::Es256 => {
                HalfHash::of_sha256(digest(&SHA256, text).as_ref().try_into().unwrap())
            }
            Algorithm::Rs384 | Algorithm::Ps384 | Algorithm::Es384 => {
                HalfHash::of_sha384(digest(&SHA384, text).as_ref().try_into().unwrap())
            }
            _ => HalfHash::of_sha512(digest(&SHA512, text).as_ref().try_into().unwrap()),
        }
    }
}

/// A key of the issuer.
pub struct IssuerKey {
    pub kid: Option<&'static str>,
    pub signer: Signer,
    /// The required members, without `kid` and `alg`.
    pub jwk: Value,
}

/// Returns the keys of the issuer: of all algorithms, some with a `kid` of their own, some
/// with that of another algorithm, and some without.
pub fn issuer_keys() -> Vec<IssuerKey> {
    let key = |kid, algorithm, jwk: Value| {
        let signer = Signer::of_jwk(algorithm, &jwk).unwrap();
        IssuerKey { kid, signer, jwk }
    };
    let rsa = |number: u8| {
        let mut n = [0xff; 256];
        n[1] = number;
        json!({"kty": "RSA", "n": Base64UrlUnpadded::encode_string(&n), "e": "AQAB"})
    };
    let a = |algorithm| AnySigner::a(algorithm).material().jwk();
    let b = |algorithm| AnySigner::b(algorithm).material().jwk();
    vec![
        key(Some("key-a"), Algorithm::Rs256, rsa(1)),
        key(Some("key-b"), Algorithm::Rs256, rsa(2)),
        key(Some("key-a"), Algorithm::Ps256, rsa(3)),
        key(Some("key-c"), Algorithm::Rs384, rsa(4)),
        key(None, Algorithm::Rs512, rsa(5)),
        key(None, Algorithm::Ps384, rsa(6)),
        key(Some("key-d"), Algorithm::Ps512, rsa(7)),
        key(Some("key-e"), Algorithm::Es256, a(Algorithm::Es256)),
        key(Some("key-f"), Algorithm::Es256, b(Algorithm::Es256)),
        key(Some("key-e"), Algorithm::Es384, a(Algorithm::Es384)),
        key(None, Algorithm::EdDsa, a(Algorithm::EdDsa)),
    ]
}
