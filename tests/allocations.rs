//! claimgate does not allocate: neither in a whole validation nor in any rejection.
//! Allocations of ring in an RSA verification are counted separately.

#![cfg(feature = "ring")]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, Error, IdToken, IdTokenPolicy, JwkSet, Login,
    Nonce, NumericDate, RingKey, ScopePolicy, TokenBuffer, at_compile_time,
};
use serde_json::json;
use support::*;

/// The system's allocator, with a counter for each thread, because the test harness allocates in
/// others.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

#[expect(unsafe_code, reason = "an allocator is unsafe to implement")]
// SAFETY: every call is forwarded to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's contract is that of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is that of `System`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Returns the number of allocations of `work`.
fn allocations<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = ALLOCATIONS.get();
    let result = work();
    (ALLOCATIONS.get() - before, result)
}

const POLICY: AccessTokenPolicy<'_> = at_compile_time!(
    AccessTokenPolicy::general(API)
        .require_scope(at_compile_time!(ScopePolicy::all_of(&["read:patients"])))
        .build()
);

#[test]
fn claimgate_allocates_nothing() {
    let signer = Signer::a();
    let jwks_text = jwks(&[signer.jwk(), json!({"kty": "EC"})]);
    let keys = keys_of(&signer);
    let token = signer.sign(&access_claims());
    let (input, signature) = token.rsplit_once('.').unwrap();
    let signature = Base64UrlUnpadded::decode_vec(signature).unwrap();

    // The counter works.
    assert_eq!(allocations(|| vec![0_u8; 1]).0, 1);

    // The allocations of ring for one signature.
    let key = keys.keys()[0].key();
    let (of_ring, verified) = allocations(|| key.verify(input.as_bytes(), &signature));
    assert_eq!(verified, Ok(()));
    println!("ring allocates {of_ring} times for one verification");

    let issuers = [issuer(keys)];
    let issuer = &issuers[0];
    let access = |token: &str, now| {
        let mut buffer = TokenBuffer::<8192>::new();
        allocations(|| {
            let token = BearerToken::from_authorization(token)?;
            AccessToken::validate(token, (issuer, &POLICY), now, &mut buffer).map(|_| ())
        })
    };
    let bearer = |token: &str| format!("Bearer {token}");
    assert_eq!(access(&bearer(&token), NOW), (of_ring, Ok(())));

    let id_policy = IdTokenPolicy::new(CLIENT_ID).build().unwrap();
    let id_token = signer.sign(&with(id_claims(), "name", "J\u{f6}rg \"J\""));
    let mut buffer = TokenBuffer::<8192>::new();
    let (count, verdict) = allocations(|| {
        let access_token = BearerToken::new("access token");
        let login = Login::new(Nonce::ExpectNone).access_token_if_bound(access_token);
        let (login, trust) = (login.build().unwrap(), (issuer, &id_policy));
        IdToken::validate(&id_token, trust, login, NOW, &mut buffer).map(|_| ())
    });
    assert_eq!((count, verdict), (of_ring, Ok(())));

    // Rejections before the signature allocate nothing.
    let header = |header: &serde_json::Value| bearer(&signer.sign_with(header, &access_claims()));
    let raw = |header: &[u8]| bearer(&signer.sign_raw(header, b"{}"));
    for (name, token) in [
        ("no token", String::new()),
        ("two tokens", "Bearer a b".to_owned()),
        ("opaque", bearer("abc")),
        ("two segments", bearer("a.b")),
        ("encrypted", bearer("a.b.c.d.e")),
        ("too large", bearer(&"A".repeat(9000))),
        ("bad base64url", bearer("e30.e30.A")),
        ("bad JSON", raw(b"{")),
        ("deep JSON", raw(format!("{{\"x\":{}", "[".repeat(900)).as_bytes())),
        ("escapes", raw(br#"{"\u0061lg":"\u0052S512"}"#)),
        ("duplicate", raw(br#"{"alg":"RS256","alg":"RS256"}"#)),
        ("no alg", raw(b"{}")),
        ("HS256", header(&json!({"alg": "HS256"}))),
        ("crit", header(&json!({"alg": "RS256", "crit": ["x"]}))),
        ("unknown key", header(&json!({"alg": "RS256", "kid": "x"}))),
        ("short signature", bearer(&format!("{input}.AAAA"))),
    ] {
        let (count, verdict) = access(&token, NOW);
        assert!(verdict.is_err(), "{name}");
        assert_eq!(count, 0, "{name}: {verdict:?}");
    }

    // After it, only the verification allocates.
    let claims = access_claims();
    for (name, claims) in [
        ("duplicate", None),
        ("wrong type", Some(with(claims.clone(), "exp", "x"))),
        ("issuer", Some(with(claims.clone(), "iss", "x"))),
        ("audience", Some(with(claims.clone(), "aud", json!(["x", "y"])))),
        ("kind", Some(with(claims.clone(), "nonce", "x"))),
        ("scope", Some(with(claims.clone(), "scope", "x"))),
    ] {
        let token = match claims {
            Some(claims) => signer.sign(&claims),
            None => signer.sign_raw(br#"{"alg":"RS256"}"#, br#"{"x":1,"x":2}"#),
        };
        let (count, verdict) = access(&bearer(&token), NOW);
        assert!(verdict.is_err(), "{name}");
        assert_eq!(count, of_ring, "{name}: {verdict:?}");
    }
    let (count, verdict) = access(&bearer(&token), NumericDate::MAX);
    assert!(matches!(verdict, Err(Error::Expired { .. })));
    assert_eq!(count, of_ring);

    // An unknown issuer is rejected before the signature is verified.
    let foreign = signer.sign(&with(claims, "iss", "https://unknown.example/"));
    let mut buffer = TokenBuffer::<8192>::new();
    let (count, verdict) = allocations(|| {
        let token = BearerToken::new(&foreign);
        AccessToken::validate(token, (&issuers[..], &POLICY), NOW, &mut buffer).map(|_| ())
    });
    assert_eq!((count, verdict), (0, Err(Error::UnknownIssuer)));

    // A key set is owned, but not on the heap.
    let (count, set) = allocations(|| JwkSet::<RingKey, 2>::from_json(&jwks_text));
    assert_eq!((count, set.is_ok()), (0, true));

    // Neither messages nor challenges require the heap.
    let mut text = heapless::String::<512>::new();
    for error in every_error() {
        text.clear();
        let (count, written) = allocations(|| {
            use std::fmt::Write;
            write!(text, "{error} {error:?} {}", POLICY.challenge(error).realm("health"))
        });
        assert_eq!((count, written), (0, Ok(())), "{error}");
    }
}
