//! Nothing but RSA: the signature is decoded and the key is parsed already, as
//! far as the library keeps a parsed key.

use std::hint::black_box;

use aws_lc_rs::signature as aws_lc;
use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::jwk::KeyMaterial;
use claimgate::{Algorithm, PublicKey, PureRustKey};

use crate::measure::Contender;
use crate::tokens::Keys;

pub const RING: &str = "raw ring";
pub const AWS_LC_RS: &str = "raw aws-lc-rs";
pub const PURE_RUST: &str = "raw pure-rust";

fn parts(token: &str) -> (&[u8], Vec<u8>) {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    (signed.as_bytes(), Base64UrlUnpadded::decode_vec(signature).unwrap())
}

pub fn ring<'c>(keys: &'c Keys, token: &'c str) -> Contender<'c> {
    let (signed, signature) = parts(token);
    let key = ring::signature::RsaPublicKeyComponents { n: &keys.n, e: &keys.e };
    Contender::new(RING, None, move || {
        let algorithm = &ring::signature::RSA_PKCS1_2048_8192_SHA256;
        key.verify(algorithm, black_box(signed), &signature).unwrap();
    })
}

pub fn aws_lc_rs<'c>(keys: &'c Keys, token: &'c str) -> Contender<'c> {
    let (signed, signature) = parts(token);
    let key = aws_lc::RsaPublicKeyComponents { n: &keys.n, e: &keys.e }
        .to_parsed_public_key(&aws_lc::RSA_PKCS1_2048_8192_SHA256)
        .unwrap();
    Contender::new(AWS_LC_RS, None, move || {
        key.verify_sig(black_box(signed), &signature).unwrap();
    })
}

/// claimgate's own: no crate offers RSA over crypto-bigint without a heap.
pub fn pure_rust<'c>(keys: &'c Keys, token: &'c str) -> Contender<'c> {
    let (signed, signature) = parts(token);
    let material = KeyMaterial::Rsa { n: &keys.n, e: &keys.e };
    let key = PureRustKey::new(Algorithm::Rs256, material).unwrap();
    Contender::new(PURE_RUST, None, move || {
        key.verify(black_box(signed), &signature).unwrap();
    })
}
