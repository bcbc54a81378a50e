//! RS256 by [aws-lc-rs](https://docs.rs/aws-lc-rs), the only file that names it.

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use aws_lc_rs::{digest, try_fips_mode};

use super::{KeyMaterial, PublicKey};
use crate::algorithm::{Algorithm, Algorithms};
use crate::error::{InvalidSignature, KeyRejected};

/// An RS256 key of aws-lc-rs's.
///
/// The fastest of the three, and written in C and assembler besides Rust, so
/// that building it takes a C compiler. The key is parsed once and kept with
/// its precomputation, on the heap. A verification allocates nothing in Rust,
/// and a little in C.
///
/// FIPS: features add up over a build, so an application that names `aws-lc-rs`
/// with its feature `fips` beside this crate verifies with AWS-LC's FIPS module,
/// message and signature in one call, since only that is approved.
/// A feature here would make `--all-features` ask for CMake and Go.
pub struct AwsLcKey {
    key: ParsedPublicKey,
}

impl PublicKey for AwsLcKey {
    const ALGORITHMS: Algorithms = Algorithms::RS256;

    fn new(_: Algorithm, material: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
        let KeyMaterial::Rsa { n, e } = material else { return Err(KeyRejected::Backend) };
        RsaPublicKeyComponents { n, e }
            .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            .map(|key| Self { key })
            .map_err(|_| KeyRejected::Backend)
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        // With the hash by itself it takes a hundredth less, and FIPS does not approve it.
        let verified = if try_fips_mode().is_ok() {
            self.key.verify_sig(message, signature)
        } else {
            let hash = digest::digest(&digest::SHA256, message);
            self.key.verify_digest_sig(&hash, signature)
        };
        verified.map_err(|_| InvalidSignature)
    }

    fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in parts {
            context.update(part);
        }
        // The digests know their length only at run time; SHA-256 has 32 bytes.
        context.finish().as_ref().first_chunk().copied().unwrap_or_default()
    }
}
