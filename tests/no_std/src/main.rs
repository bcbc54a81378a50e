//! A program without `std`, without `main` and without a global allocator that validates
//! tokens, with a stand-in for RSA. It links only if nothing uses the heap.
//!
//! `cargo run --manifest-path tests/no_std/Cargo.toml` exits with the number of the first
//! wrong verdict, or with 0.

#![no_std]
#![no_main]

use core::panic::PanicInfo;

use claimgate::error::{InvalidSignature, KeyRejected};
use claimgate::jwk::{Algorithms, KeyMaterial};
use claimgate::{
    AccessToken, AccessTokenPolicy, Algorithm, BearerToken, Error, Issuer, JwkSet, NumericDate,
    PublicKey, TokenBuffer, at_compile_time,
};

// The C library's entry code calls `main`.
#[link(name = "c")]
unsafe extern "C" {}

const JWKS: &str = include_str!("../../../examples/validate/demo/jwks.json");
const ACCESS_TOKEN: &str = include_str!("../../../examples/validate/demo/access_token.jwt");
const ID_TOKEN: &str = include_str!("../../../examples/validate/demo/id_token.jwt");
const HS256: &str = include_str!("../../../examples/validate/demo/hs256.jwt");

const POLICY: AccessTokenPolicy<'_> =
    at_compile_time!(AccessTokenPolicy::general("https://example.com/health-api").build());
const NOW: NumericDate = NumericDate::from_secs(1_311_281_470);

/// A key that accepts every signature except zeros.
struct StandIn;

impl PublicKey for StandIn {
    const ALGORITHMS: Algorithms = Algorithms::RS256;

    fn new(_: Algorithm, _: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
        Ok(Self)
    }

    fn verify(&self, _signing_input: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        if signature.iter().all(|byte| *byte == 0) { Err(InvalidSignature) } else { Ok(()) }
    }

    fn sha256(_parts: &[&[u8]]) -> [u8; 32] {
        [0; 32]
    }
}

fn verdict(token: &str, now: NumericDate) -> Result<(), Error> {
    let keys = JwkSet::<StandIn, 2>::from_json(JWKS.trim_ascii())?;
    let issuer =
        Issuer::new("https://my-domain.auth0.com/", keys).map_err(|_| Error::UnknownIssuer)?;
    let mut buffer = TokenBuffer::<2048>::new();
    let token = BearerToken::new(token.trim_ascii());
    AccessToken::validate(token, (&issuer, &POLICY), now, &mut buffer).map(|_| ())
}

#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    let expired = |result| matches!(result, Err(Error::Expired { .. }));
    let verdicts = [
        verdict(ACCESS_TOKEN, NOW).is_ok(),
        expired(verdict(ACCESS_TOKEN, NumericDate::from_secs(1_311_300_000))),
        matches!(verdict(ID_TOKEN, NOW), Err(Error::AudienceMismatch { audiences: 1 })),
        matches!(verdict(HS256, NOW), Err(Error::AlgorithmNotAllowed(_))),
        matches!(verdict("e30.e30", NOW), Err(Error::MalformedToken)),
        matches!(verdict("e30.e30.e30", NOW), Err(Error::AlgorithmNotAllowed(_))),
    ];
    match verdicts.iter().position(|is_right| !is_right) {
        None => 0,
        Some(index) => i32::try_from(index).unwrap_or(i32::MAX).saturating_add(1),
    }
}

// The precompiled `core` refers to it, although nothing unwinds.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}
