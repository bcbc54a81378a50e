//! Keys implemented with [aws-lc-rs](https://docs.rs/aws-lc-rs). Only this file uses it.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters,
    RsaPublicKeyComponents,
};
use aws_lc_rs::{digest, try_fips_mode};

use super::{HalfHash, KeyMaterial, PublicKey, concatenated, uncompressed};
use crate::algorithm::{Algorithm, Algorithms};
use crate::error::{InvalidSignature, KeyRejected};

/// An RS256 key, implemented with aws-lc-rs.
///
/// aws-lc-rs is written in C and assembly as well as Rust and requires a C compiler. The key
/// is parsed once and stored with its precomputation, on the heap. A verification allocates
/// nothing in Rust, and a little in C.
///
/// FIPS: Cargo unifies features, so an application that also depends on `aws-lc-rs` with its
/// feature `fips` verifies with AWS-LC's FIPS module. Message and signature are then passed in
/// one call, because only that is approved. This crate has no such feature, because
/// `--all-features` would then require CMake and Go.
pub struct AwsLcKey(ParsedPublicKey);

impl PublicKey for AwsLcKey {
    const ALGORITHMS: Algorithms = Algorithms::RS256;

    fn new(_: Algorithm, material: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
        let KeyMaterial::Rsa { n, e } = material else { return Err(KeyRejected::Backend) };
        rsa_key(&RSA_PKCS1_2048_8192_SHA256, n, e).map(Self)
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        verify(&self.0, &digest::SHA256, message, signature)
    }

    fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        hash(&digest::SHA256, parts)
    }
}

/// A key for any of the nine algorithms, implemented with aws-lc-rs.
///
/// A verification allocates nothing in Rust, and a little in C. For FIPS, see [`AwsLcKey`].
pub struct AwsLcAnyKey {
    key: ParsedPublicKey,
    algorithm: Algorithm,
}

impl PublicKey for AwsLcAnyKey {
    const ALGORITHMS: Algorithms = Algorithms::ALL;

    fn new(algorithm: Algorithm, material: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
        let key = match material {
            KeyMaterial::Rsa { n, e } => {
                rsa_key(rsa_parameters(algorithm).ok_or(KeyRejected::Backend)?, n, e)
            }
            KeyMaterial::P256 { x, y } => {
                let point: [u8; 65] = uncompressed(x, y);
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                    .map_err(|_| KeyRejected::Backend)
            }
            KeyMaterial::P384 { x, y } => {
                let point: [u8; 97] = uncompressed(x, y);
                ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point)
                    .map_err(|_| KeyRejected::Backend)
            }
            KeyMaterial::Ed25519 { x } => {
                ParsedPublicKey::new(&ED25519, x).map_err(|_| KeyRejected::Backend)
            }
        };
        Ok(Self { key: key?, algorithm })
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let hash = match self.algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 | Algorithm::Es256 => &digest::SHA256,
            Algorithm::Rs384 | Algorithm::Ps384 | Algorithm::Es384 => &digest::SHA384,
            Algorithm::Rs512 | Algorithm::Ps512 => &digest::SHA512,
            // EdDSA hashes more than the message.
            Algorithm::EdDsa => {
                return self.key.verify_sig(message, signature).map_err(|_| InvalidSignature);
            }
        };
        verify(&self.key, hash, message, signature)
    }

    fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        hash(&digest::SHA256, parts)
    }

    fn half_hash(&self, text: &[u8]) -> HalfHash {
        HalfHash::for_algorithm(
            self.algorithm,
            || hash(&digest::SHA256, &[text]),
            || hash(&digest::SHA384, &[text]),
            || hash(&digest::SHA512, &[text]),
        )
    }
}

fn rsa_key(
    parameters: &'static RsaParameters,
    n: &[u8],
    e: &[u8],
) -> Result<ParsedPublicKey, KeyRejected> {
    RsaPublicKeyComponents { n, e }
        .to_parsed_public_key(parameters)
        .map_err(|_| KeyRejected::Backend)
}

/// With each of these parameters, the PSS salt must have the length of the hash.
const fn rsa_parameters(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        Algorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
        Algorithm::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
        Algorithm::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
        Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
        Algorithm::Ps384 => &RSA_PSS_2048_8192_SHA384,
        Algorithm::Ps512 => &RSA_PSS_2048_8192_SHA512,
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa => return None,
    })
}

fn verify(
    key: &ParsedPublicKey,
    hash: &'static digest::Algorithm,
    message: &[u8],
    signature: &[u8],
) -> Result<(), InvalidSignature> {
    // Hashing separately is about 1 % faster, but FIPS does not approve it.
    let verified = if try_fips_mode().is_ok() {
        key.verify_sig(message, signature)
    } else {
        key.verify_digest_sig(&digest::digest(hash, message), signature)
    };
    verified.map_err(|_| InvalidSignature)
}

/// Returns the hash of the concatenation of `parts`, which has `LEN` bytes.
fn hash<const LEN: usize>(algorithm: &'static digest::Algorithm, parts: &[&[u8]]) -> [u8; LEN] {
    let hash = match concatenated(parts, &mut [0; 256]) {
        Some(whole) => digest::digest(algorithm, whole),
        None => {
            let mut context = digest::Context::new(algorithm);
            parts.iter().for_each(|part| context.update(part));
            context.finish()
        }
    };
    // The length of these digests is known at run time only.
    hash.as_ref().first_chunk().copied().unwrap_or([0; LEN])
}
