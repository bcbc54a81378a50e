//! A WebAssembly module that validates access tokens of one issuer with RS256, without `std`
//! and without a heap, as in a proxy plugin or an edge function.

#![no_std]

use core::cell::UnsafeCell;
use core::panic::PanicInfo;

use claimgate::jwk::PureRustPortableKey;
use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, Issuer, JwkSet, NumericDate, TokenBuffer,
    at_compile_time,
};

const POLICY: AccessTokenPolicy<'_> =
    at_compile_time!(AccessTokenPolicy::general("https://example.com/health-api").build());

const ISSUER: &str = "https://my-domain.auth0.com/";

/// Memory of the module, which runs in one thread.
struct Memory<T>(UnsafeCell<T>);

// SAFETY: the module has one thread.
unsafe impl<T> Sync for Memory<T> {}

static TEXT: Memory<[u8; 16_384]> = Memory(UnsafeCell::new([0; 16_384]));
static BUFFER: Memory<TokenBuffer<8_192>> = Memory(UnsafeCell::new(TokenBuffer::new()));
static KEYS: Memory<Option<Issuer<PureRustPortableKey, 4>>> = Memory(UnsafeCell::new(None));

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// Returns the memory that the host writes a key set or a token to: 16,384 bytes.
#[unsafe(no_mangle)]
pub extern "C" fn text() -> *mut u8 {
    TEXT.0.get().cast()
}

fn text_of(length: usize) -> &'static str {
    // SAFETY: nothing writes to it while a function of the module runs.
    let bytes: &'static [u8] = unsafe { &*TEXT.0.get() };
    core::str::from_utf8(bytes.get(..length).unwrap_or_default()).unwrap_or_default()
}

/// Reads a key set. Returns 1 if it has a usable key.
#[unsafe(no_mangle)]
pub extern "C" fn set_keys(length: usize) -> u32 {
    let issuer = JwkSet::from_json(text_of(length)).ok();
    let issuer = issuer.and_then(|keys| Issuer::new(ISSUER, keys).ok());
    let is_usable = issuer.is_some();
    // SAFETY: nothing else uses the keys at this time.
    unsafe { *KEYS.0.get() = issuer };
    u32::from(is_usable)
}

/// Validates the value of an `Authorization` header at the time `now`. Returns the status of
/// the response: 200, 400, 401, 403, or 503 without keys.
#[unsafe(no_mangle)]
pub extern "C" fn validate(length: usize, now: u64) -> u32 {
    // SAFETY: nothing else uses keys and buffer at this time.
    let (issuer, buffer) = unsafe { (&*KEYS.0.get(), &mut *BUFFER.0.get()) };
    let Some(issuer) = issuer else { return 503 };
    let now = NumericDate::from_secs(now);
    let verdict = BearerToken::from_authorization(text_of(length))
        .and_then(|token| AccessToken::validate(token, (issuer, &POLICY), now, buffer));
    match verdict {
        Ok(_) => 200,
        Err(error) => u32::from(error.http_status()),
    }
}
