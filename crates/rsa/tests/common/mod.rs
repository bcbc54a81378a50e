#![allow(dead_code, missing_docs, reason = "each test uses a part of it")]
//! Hash functions, and keys with OpenSSL's signatures.

use claimgate_rsa::{HashFunction, PublicKey, Sha256Digest, Sha384Digest, Sha512Digest};
use sha2::Digest as _;

macro_rules! hash_function {
    ($name:ident, $digest:ident) => {
        pub struct $name;

        impl HashFunction for $name {
            type Digest = $digest;

            fn digest(parts: &[&[u8]]) -> $digest {
                let mut hash = sha2::$name::new();
                for part in parts {
                    hash.update(part);
                }
                $digest(hash.finalize().into())
            }
        }
    };
}

hash_function!(Sha256, Sha256Digest);
hash_function!(Sha384, Sha384Digest);
hash_function!(Sha512, Sha512Digest);

pub const E: [u8; 3] = [1, 0, 1];

/// The signatures of "claimgate" by one key of `tests/data/keys.txt`.
pub struct Signed {
    pub bits: usize,
    pub n: Vec<u8>,
    /// RS256, RS384, RS512, PS256, PS384, PS512.
    pub signatures: [Vec<u8>; 6],
}

pub fn signed() -> Vec<Signed> {
    let decode = |text: &str| -> Vec<u8> {
        (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
            .collect()
    };
    include_str!("../data/keys.txt")
        .lines()
        .map(|line| {
            let fields: Vec<&str> = line.split(' ').collect();
            Signed {
                bits: fields[0].parse().unwrap(),
                n: decode(fields[1]),
                signatures: std::array::from_fn(|at| decode(fields[3 + at])),
            }
        })
        .collect()
}

/// Returns the key with the fastest kernel and with the portable one.
pub fn both_kernels(n: &[u8]) -> [PublicKey; 2] {
    [PublicKey::new(n, &E).unwrap(), PublicKey::portable(n, &E).unwrap()]
}

/// Returns the verdict on a signature with the algorithm at this position in
/// [`Signed::signatures`], for the message's digests.
pub fn verify(key: &PublicKey, algorithm: usize, digests: &Digests, signature: &[u8]) -> bool {
    let Digests(sha256, sha384, sha512) = digests;
    match algorithm {
        0 => key.verify_pkcs1v15(sha256, signature),
        1 => key.verify_pkcs1v15(sha384, signature),
        2 => key.verify_pkcs1v15(sha512, signature),
        3 => key.verify_pss::<Sha256>(sha256, signature),
        4 => key.verify_pss::<Sha384>(sha384, signature),
        _ => key.verify_pss::<Sha512>(sha512, signature),
    }
    .is_ok()
}

#[derive(Clone)]
pub struct Digests(pub Sha256Digest, pub Sha384Digest, pub Sha512Digest);

impl Digests {
    pub fn of(message: &[u8]) -> Self {
        Self(Sha256::digest(&[message]), Sha384::digest(&[message]), Sha512::digest(&[message]))
    }
}
