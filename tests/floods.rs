//! Inputs designed to be expensive: each is rejected after little work, and none needs more
//! stack than others.
//!
//! No time is measured here: the amount of work is visible in the error, and
//! `benches/pipeline` measures it.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]

mod support;

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::error::{Input, JsonProblem, KeyRejected, KeyType};
use claimgate::jws::{CompactJws, Header};
use claimgate::{AccessToken, BearerToken, Error, JwkSet, TokenBuffer};
use support::*;

/// Stack for a token buffer, a parsed object and the test's own frames without optimisation.
/// Recursion over 100,000 brackets would need megabytes.
const STACK: usize = 256 * 1024;

/// Runs a check on a thread with little stack, or on the only thread there is in WebAssembly.
fn on_a_small_stack<T: Send>(check: impl FnOnce() -> T + Send) -> T {
    if cfg!(target_family = "wasm") {
        return check();
    }
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(STACK);
        builder.spawn_scoped(scope, check).unwrap().join().unwrap()
    })
}

/// The errors of a caller who accepts tokens of any length.
fn check_unlimited(token: &str) -> Result<(), Error> {
    let issuer = trusted();
    let mut buffer = TokenBuffer::<16_384>::new().max_token_len(usize::MAX);
    AccessToken::validate(BearerToken::new(token), (&issuer, &API_POLICY), NOW, &mut buffer)
        .map(|_| ())
}

#[test]
fn a_million_dots() {
    let dots = ".".repeat(1_000_000);
    on_a_small_stack(|| {
        let limit = CompactJws::MAX_LEN;
        let too_large = Error::TokenTooLarge { length: 1_000_000, limit };
        assert_eq!(validate_access(&dots), Err(too_large));
        assert_eq!(check_unlimited(&dots), Err(Error::MalformedToken));
    });
}

#[test]
fn ten_megabytes_of_one_letter() {
    let letters = "A".repeat(10_000_000);
    on_a_small_stack(|| {
        let limit = CompactJws::MAX_LEN;
        let too_large = Error::TokenTooLarge { length: 10_000_000, limit };
        assert_eq!(validate_access(&letters), Err(too_large));
        assert_eq!(check_unlimited(&letters), Err(Error::OpaqueToken));
        let header = format!("{letters}.A.A");
        let too_large = Error::TokenTooLarge { length: 7_500_000, limit: Header::MAX_LEN };
        assert_eq!(check_unlimited(&header), Err(too_large));
        let payload = format!("e30.{letters}.A");
        let too_small = Error::BufferTooSmall { needed: 7_500_002, available: 16_384 };
        assert_eq!(check_unlimited(&payload), Err(too_small));
    });
}

/// Returns an object with `depth` nested arrays in a member that is not read.
fn nested(depth: usize) -> String {
    let (open, close) = ("[".repeat(depth), "]".repeat(depth));
    format!(r#"{{"x":{open}{close},"alg":"RS256"}}"#)
}

#[test]
fn a_hundred_thousand_brackets_in_a_header_member_that_nobody_reads() {
    let header = Base64UrlUnpadded::encode_string(nested(100_000).as_bytes());
    let token = format!("{header}.e30.AAAA");
    on_a_small_stack(|| {
        let Err(Error::TokenTooLarge { limit, .. }) = validate_access(&token) else {
            panic!("not too large")
        };
        assert_eq!(limit, CompactJws::MAX_LEN);
        let Err(Error::TokenTooLarge { limit, .. }) = check_unlimited(&token) else {
            panic!("not too large")
        };
        assert_eq!(limit, Header::MAX_LEN);
    });
}

#[test]
fn as_many_brackets_as_a_header_holds() {
    let header = Base64UrlUnpadded::encode_string(nested(1_000).as_bytes());
    let token = format!("{header}.e30.AAAA");
    on_a_small_stack(|| {
        let too_deep = Error::InvalidJson(Input::Header, JsonProblem::TooDeep);
        assert_eq!(validate_access(&token), Err(too_deep));
    });
}

#[test]
fn a_hundred_thousand_brackets_in_a_signed_payload() {
    let token = Signer::a().sign_raw(br#"{"alg":"RS256"}"#, nested(100_000).as_bytes());
    let keys = keys_of(&Signer::a());
    let mut bytes = vec![0; token.len()];
    on_a_small_stack(move || {
        let jws = CompactJws::parse_up_to(&token, usize::MAX).unwrap().decode(&mut bytes).unwrap();
        let jws = jws.verify(keys.keys()[0].key()).unwrap();
        let too_deep = Error::InvalidJson(Input::Payload, JsonProblem::TooDeep);
        assert_eq!(AccessToken::parse(jws).map(|_| ()), Err(too_deep));
    });
}

#[test]
fn a_hundred_thousand_brackets_in_a_key_set() {
    on_a_small_stack(|| {
        let too_deep = Error::InvalidJson(Input::JwkSet, JsonProblem::TooDeep);
        for text in [nested(100_000), format!(r#"{{"keys":[{}]}}"#, nested(100_000))] {
            assert_eq!(JwkSet::<TestKey, 1>::from_json(&text).map(|_| ()), Err(too_deep));
        }
    });
}

#[test]
fn ten_thousand_members_and_ten_thousand_keys() {
    let members: Vec<String> = (0..10_000).map(|number| format!("\"x{number}\":0")).collect();
    let object = format!("{{{}}}", members.join(","));
    let keys = format!(r#"{{"keys":[{}{{}}]}}"#, "{},".repeat(10_000));
    on_a_small_stack(|| {
        let too_many = Error::InvalidJson(Input::JwkSet, JsonProblem::TooManyMembers);
        assert_eq!(JwkSet::<TestKey, 1>::from_json(&object).map(|_| ()), Err(too_many));
        let Err(Error::NoUsableKeys(counts)) = JwkSet::<TestKey, 1>::from_json(&keys) else {
            panic!("a key is used")
        };
        let reason = KeyRejected::KeyType(KeyType::Other);
        assert_eq!(counts.iter().collect::<Vec<_>>(), [(reason, 10_001)]);
    });
}
