//! The allocations in Rust of the key types for all algorithms: for reading a key set, and for
//! a verification.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust"))]
#![expect(unsafe_code, reason = "an allocator that counts is an unsafe trait's implementation")]

#[path = "support/signers.rs"]
mod signers;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use claimgate::{Algorithm, JwkSet, PublicKey};
use serde_json::json;
use signers::AnySigner;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, with a counter for each thread.
struct Counting;

// SAFETY: all calls are forwarded to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller's contract is that of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const MESSAGE: &[u8] = b"text";

/// Returns the allocations for reading a set with one key, and for a verification.
fn allocations<K: PublicKey>(algorithm: Algorithm) -> (usize, usize) {
    let signer = AnySigner::a(algorithm);
    let text = json!({"keys": [signer.jwk()]}).to_string();
    let signature = signer.signature(MESSAGE);
    let once = || {
        let before = COUNT.get();
        let keys = JwkSet::<K, 1>::from_json(&text).unwrap();
        let between = COUNT.get();
        assert_eq!(keys.keys()[0].key().verify(MESSAGE, &signature), Ok(()));
        (between - before, COUNT.get() - between)
    };
    // The first verification of a process may initialise global state.
    once();
    once()
}

#[test]
#[cfg(feature = "pure-rust")]
fn pure_rust_allocates_nothing() {
    for algorithm in Algorithm::ALL {
        let counts = allocations::<claimgate::PureRustAnyKey>(algorithm);
        assert_eq!(counts, (0, 0), "{algorithm}");
    }
}

#[test]
#[cfg(feature = "pure-rust")]
fn portable_pure_rust_allocates_nothing() {
    let counts = allocations::<claimgate::jwk::PureRustPortableKey>(Algorithm::Rs256);
    assert_eq!(counts, (0, 0));
}

#[test]
#[cfg(feature = "aws-lc-rs")]
fn aws_lc_rs_allocates_once_in_rust_for_a_key_and_not_for_a_verification() {
    for algorithm in Algorithm::ALL {
        let counts = allocations::<claimgate::AwsLcAnyKey>(algorithm);
        assert_eq!(counts, (1, 0), "{algorithm}");
    }
}

#[test]
#[cfg(feature = "ring")]
fn ring_allocates_for_verifications_by_rsa_alone() {
    for algorithm in Algorithm::ALL {
        let counts = allocations::<claimgate::RingAnyKey>(algorithm);
        let expected = match algorithm {
            Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa => 0,
            _ => 5,
        };
        assert_eq!(counts, (0, expected), "{algorithm}");
    }
}
