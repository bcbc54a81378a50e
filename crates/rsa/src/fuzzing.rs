//! The kernels by name, compiled only for the fuzz target.
#![forbid(unsafe_code)]

use std::vec::Vec;

use crate::digest::{MessageDigest, Tail};
use crate::{ifma, small, wide};

/// The result of a kernel for a key and a signature.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    /// s^e mod n, if the signature is in range.
    pub power: Option<Vec<u8>>,
    /// Whether the signature is a valid PKCS#1 v1.5 signature of the digest.
    pub is_valid: bool,
}

/// Returns the names of the kernels of this machine.
#[must_use]
pub fn kernels() -> Vec<&'static str> {
    let mut names = std::vec!["wide", "small", "model"];
    #[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
    if ifma::Detected::new().is_some() {
        names.push("IFMA");
    }
    names
}

/// Returns the result of a kernel, or `None` if it does not accept n or this machine lacks it.
#[must_use]
pub fn outcome<D: MessageDigest>(
    kernel: &str,
    n: &[u8],
    e: u64,
    digest: &D,
    s: &[u8],
) -> Option<Outcome> {
    let tail = Tail::new(digest);
    let outcome = |recover: &dyn Fn(&mut [u8]) -> bool, is_valid: bool| {
        let mut out = std::vec![0; n.len()];
        Outcome { power: recover(&mut out).then_some(out), is_valid }
    };
    match kernel {
        "wide" => {
            let mut key = wide::Key::unprepared(e);
            key.prepare(n);
            Some(outcome(&|out| key.recover(out, s), key.verify_pkcs1v15(tail, s)))
        }
        "small" => {
            let mut key = small::Key::unprepared(e);
            key.prepare(n);
            Some(outcome(&|out| key.recover(out, s), key.verify_pkcs1v15(tail, s)))
        }
        "model" => {
            let key = ifma::Key::new(ifma::Model, n.try_into().ok()?, e);
            Some(outcome(&|out| key.recover(out, s), key.verify_pkcs1v15(tail, s)))
        }
        #[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
        "IFMA" => {
            let key = ifma::Key::new(ifma::Detected::new()?, n.try_into().ok()?, e);
            Some(outcome(&|out| key.recover(out, s), key.verify_pkcs1v15(tail, s)))
        }
        _ => None,
    }
}
