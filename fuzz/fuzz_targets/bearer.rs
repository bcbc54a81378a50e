//! The `Authorization` header: accepted values are exactly those of RFC 6750 §2.1 and RFC 9110
//! §11.4.
#![no_main]

use claimgate::{BearerToken, Error};
use claimgate_fuzz::{confirm_error, timed};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|value: &str| {
    timed(|| run(value));
});

fn run(value: &str) {
    let read = BearerToken::from_authorization(value);
    let expected = token68(value);
    assert_eq!(read.ok().map(|token| token.expose()), expected);
    if let Err(error) = read {
        confirm_error(error);
        let is_bearer = value.len() >= 6
            && value.as_bytes()[..6].eq_ignore_ascii_case(b"Bearer")
            && value.as_bytes().get(6).is_none_or(|byte| *byte == b' ');
        assert_eq!(error == Error::MissingToken, !is_bearer);
    }
    if let Ok(token) = read {
        assert_eq!(format!("{token:?}"), "BearerToken([redacted])");
    }
    assert_eq!(BearerToken::from_authorization_values([value]), read);
    assert!(BearerToken::from_authorization_values([value, value]).is_err());
}

/// `"Bearer" 1*SP 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`,
/// octet by octet.
fn token68(value: &str) -> Option<&str> {
    let bytes = value.as_bytes();
    let mut at = 6;
    if !bytes.get(..at)?.eq_ignore_ascii_case(b"Bearer") {
        return None;
    }
    while bytes.get(at) == Some(&b' ') {
        at += 1;
    }
    let start = at;
    let is_inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte);
    while bytes.get(at).is_some_and(is_inner) {
        at += 1;
    }
    let inner = at - start;
    while bytes.get(at) == Some(&b'=') {
        at += 1;
    }
    (start > 6 && inner > 0 && at == bytes.len()).then(|| &value[start..])
}
