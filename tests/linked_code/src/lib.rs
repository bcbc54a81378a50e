//! Reads a key set and verifies a JWS with one of its keys.

#![no_std]

use core::panic::PanicInfo;
use core::slice;

use claimgate::jws::CompactJws;
use claimgate::{Error, JwkSet};

#[cfg(feature = "pure-rust")]
type Key = claimgate::PureRustAnyKey;
#[cfg(all(feature = "pure-rust-rs256", not(feature = "pure-rust")))]
type Key = claimgate::PureRustKey;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}

fn verify(keys: &str, text: &str, buffer: &mut [u8]) -> Result<usize, Error> {
    let keys = JwkSet::<Key, 2>::from_json(keys)?;
    let jws = CompactJws::parse(text)?.decode(buffer)?;
    let key = keys.select(jws.header())?;
    Ok(jws.verify(key)?.payload().len())
}

/// Returns the length of the payload, or a negative number.
///
/// # Safety
///
/// The pointers are those of texts, and of a buffer, of these lengths.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn verify_jws(
    keys: *const u8,
    keys_len: usize,
    text: *const u8,
    text_len: usize,
    buffer: *mut u8,
    buffer_len: usize,
) -> isize {
    // SAFETY: by the contract of this function.
    let (keys, text, buffer) = unsafe {
        (
            slice::from_raw_parts(keys, keys_len),
            slice::from_raw_parts(text, text_len),
            slice::from_raw_parts_mut(buffer, buffer_len),
        )
    };
    let (Ok(keys), Ok(text)) = (str::from_utf8(keys), str::from_utf8(text)) else { return -2 };
    verify(keys, text, buffer).ok().and_then(|len| isize::try_from(len).ok()).unwrap_or(-1)
}
