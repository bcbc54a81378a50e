//! The allocations of each backend in Rust: for a key set, and for a token.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]
#![expect(unsafe_code, reason = "an allocator that counts is an unsafe trait's implementation")]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use claimgate::{AccessToken, BearerToken, IdToken, JwkSet, PublicKey, TokenBuffer};
use support::*;

/// The number of allocations, and their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Allocations {
    count: usize,
    bytes: usize,
}

const NONE: Allocations = Allocations { count: 0, bytes: 0 };

thread_local! {
    static TAKEN: Cell<Allocations> = const { Cell::new(NONE) };
}

/// The system's allocator, with counters for each thread.
struct Counting;

fn count(bytes: usize) {
    TAKEN.set(Allocations { count: TAKEN.get().count + 1, bytes: TAKEN.get().bytes + bytes });
}

// SAFETY: all calls are forwarded to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's contract is that of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Returns the allocations of `work`.
fn taken<T>(work: impl FnOnce() -> T) -> (T, Allocations) {
    let before = TAKEN.get();
    let result = work();
    let after = TAKEN.get();
    let count = after.count - before.count;
    (result, Allocations { count, bytes: after.bytes - before.bytes })
}

/// Returns the allocations of parsing a set with one key, and of validating one token of each
/// kind.
fn taken_by<K: PublicKey>(signer: &Signer) -> [Allocations; 3] {
    let text = jwks(&[signer.jwk()]);
    let (id_token, access_token) = (signer.sign(&id_claims()), signer.sign(&access_claims()));
    let (keys, parsing) = taken(|| JwkSet::<K, 2>::from_json(&text).unwrap());
    let issuer = issuer(keys);
    let validate_both = || {
        let mut buffer = TokenBuffer::<2048>::new();
        let (result, id) = taken(|| {
            IdToken::validate(&id_token, (&issuer, &LOGIN_POLICY), LOGIN, NOW, &mut buffer)
                .map(|_| ())
        });
        assert_eq!(result, Ok(()));
        let (result, access) = taken(|| {
            let token = BearerToken::new(&access_token);
            AccessToken::validate(token, (&issuer, &API_POLICY), NOW, &mut buffer).map(|_| ())
        });
        assert_eq!(result, Ok(()));
        [parsing, id, access]
    };
    // The first verification of a process may initialise global state.
    validate_both();
    validate_both()
}

fn signers() -> [Signer; 3] {
    [Signer::a(), Signer::c3072(), Signer::d4096()]
}

#[test]
#[cfg(feature = "pure-rust-rs256")]
fn rust_crypto_takes_nothing_for_keys_and_tokens() {
    for signer in signers() {
        assert_eq!(taken_by::<claimgate::PureRustKey>(&signer), [NONE; 3]);
    }
}

#[test]
#[cfg(feature = "aws-lc-rs")]
fn aws_lc_rs_takes_one_piece_in_rust_for_a_key_and_nothing_for_tokens() {
    for signer in signers() {
        let [parsing, id, access] = taken_by::<claimgate::AwsLcKey>(&signer);
        assert_eq!((parsing.count, id, access), (1, NONE, NONE));
    }
}

#[test]
#[cfg(feature = "ring")]
fn ring_takes_five_pieces_of_the_size_of_the_modulus_for_each_token() {
    for signer in signers() {
        let modulus_len = signer.components().0.len();
        let five = Allocations { count: 5, bytes: 5 * modulus_len };
        assert_eq!(taken_by::<claimgate::RingKey>(&signer), [NONE, five, five]);
    }
}
