//! All kernels side by side, for the fuzz target. Compiled for that alone.
#![forbid(unsafe_code)]

use std::vec::Vec;

use crate::digest::{MessageDigest, Tail};
use crate::{ifma, small, wide};

/// The results of s^e mod n by all kernels that take n; none if s is refused.
#[must_use]
pub fn recover(n: &[u8], e: u64, s: &[u8]) -> Vec<(&'static str, Option<Vec<u8>>)> {
    let result = |recover: &dyn Fn(&mut [u8]) -> bool| {
        let mut out = std::vec![0; n.len()];
        recover(&mut out).then_some(out)
    };
    let (mut wide, mut small) = (wide::Key::unprepared(e), small::Key::unprepared(e));
    wide.prepare(n);
    small.prepare(n);
    debug_assert_eq!(wide.bits(), small.bits());
    let mut results = std::vec![
        ("wide", result(&|out| wide.recover(out, s))),
        ("small", result(&|out| small.recover(out, s))),
    ];
    if let Some(n) = of_2048_bits(n) {
        let key = ifma::Key::new(ifma::Model, n, e);
        results.push(("model", result(&|out| key.recover(out, s))));
        #[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
        if let Some(lanes) = ifma::Detected::new() {
            let key = ifma::Key::new(lanes, n, e);
            results.push(("IFMA", result(&|out| key.recover(out, s))));
        }
    }
    results
}

/// The verdicts of all kernels that take n.
#[must_use]
pub fn verify<D: MessageDigest>(
    n: &[u8],
    e: u64,
    digest: &D,
    s: &[u8],
) -> Vec<(&'static str, bool)> {
    let tail = Tail::new(digest);
    let (mut wide, mut small) = (wide::Key::unprepared(e), small::Key::unprepared(e));
    wide.prepare(n);
    small.prepare(n);
    let mut verdicts = std::vec![
        ("wide", wide.verify_pkcs1v15(tail, s)),
        ("small", small.verify_pkcs1v15(tail, s)),
    ];
    if let Some(n) = of_2048_bits(n) {
        verdicts.push(("model", ifma::Key::new(ifma::Model, n, e).verify_pkcs1v15(tail, s)));
        #[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
        if let Some(lanes) = ifma::Detected::new() {
            verdicts.push(("IFMA", ifma::Key::new(lanes, n, e).verify_pkcs1v15(tail, s)));
        }
    }
    verdicts
}

fn of_2048_bits(n: &[u8]) -> Option<&[u8; ifma::MODULUS_LEN]> {
    n.try_into().ok()
}
