//! base64url, compared with base64ct: the same verdict and octets, and nothing written beyond
//! them.
#![no_main]

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::Error;
use claimgate::error::Input;
use claimgate::jws::CompactJws;
use claimgate_fuzz::timed;
use libfuzzer_sys::fuzz_target;

/// `{"alg":"RS256"}`, 15 octets.
const HEADER: &str = "eyJhbGciOiJSUzI1NiJ9";

fuzz_target!(|text: &str| {
    timed(|| run(text));
});

fn run(text: &str) {
    if text.contains('.') || text.is_empty() || text.len() > 4_096 {
        return;
    }
    let token = format!("{HEADER}.{text}.AA");
    let mut buffer = vec![0xaa; token.len()];
    let verdict = CompactJws::parse(&token).unwrap().decode(&mut buffer).map(|_| ());
    match Base64UrlUnpadded::decode_vec(text) {
        Ok(bytes) => {
            assert_eq!(verdict, Ok(()));
            let rest = buffer[15..].strip_prefix(bytes.as_slice()).unwrap();
            // The signature, one octet of zero bits.
            assert_eq!(rest[0], 0);
            assert!(rest[1..].iter().all(|byte| *byte == 0xaa));
        }
        Err(_) => assert_eq!(verdict, Err(Error::InvalidBase64(Input::Payload))),
    }
}
