//! Only the preparation of a key and an RS256 verification. It is linked, not run.
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

#[cfg(feature = "all")]
mod all {
    use claimgate_rsa::{HashFunction, PublicKey, Sha256Digest, Sha384Digest, Sha512Digest};

    unsafe extern "Rust" {
        safe fn hash(parts: &[&[u8]], out: &mut [u8]);
    }

    macro_rules! algorithms {
        ($function:ident, $digest:ident, $pkcs1v15:ident, $pss:ident) => {
            struct $function;

            impl HashFunction for $function {
                type Digest = $digest;

                fn digest(parts: &[&[u8]]) -> $digest {
                    let mut digest = $digest([0; _]);
                    hash(parts, &mut digest.0);
                    digest
                }
            }

            #[unsafe(no_mangle)]
            extern "Rust" fn $pkcs1v15(key: &PublicKey, digest: &$digest, s: &[u8]) -> bool {
                key.verify_pkcs1v15(digest, s).is_ok()
            }

            #[unsafe(no_mangle)]
            extern "Rust" fn $pss(key: &PublicKey, digest: &$digest, s: &[u8]) -> bool {
                key.verify_pss::<$function>(digest, s).is_ok()
            }
        };
    }

    algorithms!(Sha256, Sha256Digest, rs256, ps256);
    algorithms!(Sha384, Sha384Digest, rs384, ps384);
    algorithms!(Sha512, Sha512Digest, rs512, ps512);
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
