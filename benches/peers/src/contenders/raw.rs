//! Only the signature verification: the signature is decoded and the key is parsed before, if
//! the library stores parsed keys.

use std::hint::black_box;

use aws_lc_rs::signature as aws_lc;
use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::jwk::KeyMaterial;
use claimgate::{Algorithm, PublicKey};
use graviola::signing::rsa::VerifyingKey as GraviolaKey;
use ring::signature as ring_signature;

use crate::contenders::dpop::Bound;
use crate::measure::Contender;
use crate::tokens::Keys;

pub const RING: &str = "raw ring";
pub const AWS_LC_RS: &str = "raw aws-lc-rs";
pub const PURE_RUST: &str = "raw pure-rust";
pub const PURE_RUST_PORTABLE: &str = "raw pure-rust, portable";
pub const GRAVIOLA: &str = "raw graviola";

fn parts(token: &str) -> (&[u8], Vec<u8>) {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    (signed.as_bytes(), Base64UrlUnpadded::decode_vec(signature).unwrap())
}

pub fn ring<'c>(keys: &'c Keys, token: &'c str) -> Contender<'c> {
    let (signed, signature) = parts(token);
    if let KeyMaterial::Rsa { n, e } = keys.material() {
        let key = ring_signature::RsaPublicKeyComponents { n, e };
        let parameters = match keys.algorithm {
            Algorithm::Ps256 => &ring_signature::RSA_PSS_2048_8192_SHA256,
            _ => &ring_signature::RSA_PKCS1_2048_8192_SHA256,
        };
        return Contender::new(RING, None, move || {
            key.verify(parameters, black_box(signed), &signature).unwrap();
        });
    }
    let algorithm: &'static dyn ring_signature::VerificationAlgorithm = match keys.algorithm {
        Algorithm::Es256 => &ring_signature::ECDSA_P256_SHA256_FIXED,
        _ => &ring_signature::ED25519,
    };
    let key = ring_signature::UnparsedPublicKey::new(algorithm, keys.encoded());
    Contender::new(RING, None, move || {
        key.verify(black_box(signed), &signature).unwrap();
    })
}

pub fn aws_lc_rs<'c>(keys: &'c Keys, token: &'c str) -> Contender<'c> {
    let (signed, signature) = parts(token);
    let algorithm: &'static dyn aws_lc::VerificationAlgorithm = match keys.algorithm {
        Algorithm::Ps256 => &aws_lc::RSA_PSS_2048_8192_SHA256,
        Algorithm::Es256 => &aws_lc::ECDSA_P256_SHA256_FIXED,
        Algorithm::EdDsa => &aws_lc::ED25519,
        _ => &aws_lc::RSA_PKCS1_2048_8192_SHA256,
    };
    let key = aws_lc::ParsedPublicKey::new(algorithm, keys.encoded()).unwrap();
    Contender::new(AWS_LC_RS, None, move || {
        key.verify_sig(black_box(signed), &signature).unwrap();
    })
}

/// Both signatures of a token and its proof, with ring.
pub fn ring_pair<'c>(bound: &'c Bound) -> Contender<'c> {
    let mut token = ring(&bound.issuer_keys, &bound.token);
    let mut proof = ring(&bound.proof_keys, &bound.proof);
    Contender::new(RING, None, move || {
        token.run();
        proof.run();
    })
}

/// Both signatures of a token and its proof, with aws-lc-rs. The key of a proof is in the proof,
/// so it is parsed in each verification, as ring does with every key.
pub fn aws_lc_rs_pair<'c>(bound: &'c Bound) -> Contender<'c> {
    let mut token = aws_lc_rs(&bound.issuer_keys, &bound.token);
    let (signed, signature) = parts(&bound.proof);
    let key = bound.proof_keys.encoded();
    let proof_key = aws_lc::UnparsedPublicKey::new(&aws_lc::ECDSA_P256_SHA256_FIXED, key);
    Contender::new(AWS_LC_RS, None, move || {
        token.run();
        proof_key.verify(black_box(signed), &signature).unwrap();
    })
}

/// RS256 with [graviola](https://docs.rs/graviola).
pub fn graviola<'c>(keys: &'c Keys, token: &'c str) -> Contender<'c> {
    let (signed, signature) = parts(token);
    let key = GraviolaKey::from_pkcs1_der(keys.encoded()).unwrap();
    Contender::new(GRAVIOLA, None, move || {
        key.verify_pkcs1_sha256(&signature, black_box(signed)).unwrap();
    })
}

/// A key of claimgate, used directly.
pub fn own<'c, K: PublicKey + 'c>(
    name: &'static str,
    keys: &'c Keys,
    token: &'c str,
) -> Contender<'c> {
    let (signed, signature) = parts(token);
    let key = K::new(keys.algorithm, keys.material()).unwrap();
    Contender::new(name, None, move || {
        key.verify(black_box(signed), &signature).unwrap();
    })
}
