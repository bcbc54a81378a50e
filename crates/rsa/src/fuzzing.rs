//! All kernels side by side, compiled only for the fuzz target.
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

/// Returns the results of all kernels that accept n, with their names.
#[must_use]
pub fn outcomes<D: MessageDigest>(
    n: &[u8],
    e: u64,
    digest: &D,
    s: &[u8],
) -> Vec<(&'static str, Outcome)> {
    let tail = Tail::new(digest);
    let outcome = |recover: &dyn Fn(&mut [u8]) -> bool, is_valid: bool| {
        let mut out = std::vec![0; n.len()];
        Outcome { power: recover(&mut out).then_some(out), is_valid }
    };
    let (mut wide, mut small) = (wide::Key::unprepared(e), small::Key::unprepared(e));
    wide.prepare(n);
    small.prepare(n);
    debug_assert_eq!(wide.bits(), small.bits());
    let mut outcomes = std::vec![
        ("wide", outcome(&|out| wide.recover(out, s), wide.verify_pkcs1v15(tail, s))),
        ("small", outcome(&|out| small.recover(out, s), small.verify_pkcs1v15(tail, s))),
    ];
    if let Ok(n) = n.try_into() {
        let key = ifma::Key::new(ifma::Model, n, e);
        let result = outcome(&|out| key.recover(out, s), key.verify_pkcs1v15(tail, s));
        outcomes.push(("model", result));
        #[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
        if let Some(lanes) = ifma::Detected::new() {
            let key = ifma::Key::new(lanes, n, e);
            let result = outcome(&|out| key.recover(out, s), key.verify_pkcs1v15(tail, s));
            outcomes.push(("IFMA", result));
        }
    }
    outcomes
}
