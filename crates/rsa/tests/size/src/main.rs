//! The preparation of a key and an RS256 verification, and nothing else. It is
//! linked, not run.
#![no_std]
#![no_main]

use claimgate_rsa::{KeyRejected, PublicKey, Sha256Digest};

/// Prepares a key.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "Rust" fn prepare(n: &[u8], e: &[u8]) -> Result<PublicKey, KeyRejected> {
    PublicKey::new(n, e)
}

/// Verifies a signature.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "Rust" fn verify(key: &PublicKey, hash: &Sha256Digest, signature: &[u8]) -> bool {
    key.verify_pkcs1v15(hash, signature).is_ok()
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
