//! Runs one kind of work a number of times, for callgrind to count. RSA is left
//! out: its backend takes every signature.
//!
//! `instructions CASE COUNT`, see `run.sh`.

use std::hint::black_box;

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::error::{InvalidSignature, KeyRejected};
use claimgate::jwk::{Algorithms, KeyMaterial};
use claimgate::{
    AccessToken, AccessTokenPolicy, Algorithm, BearerToken, Error, IdToken, IdTokenPolicy, Issuer,
    JwkSet, Login, Nonce, NumericDate, PublicKey, ScopePolicy, TokenBuffer, VerifiedTokenCache,
    at_compile_time,
};

const JWKS: &str = include_str!("../../../examples/validate/demo/jwks.json");
const ACCESS_TOKEN: &str = include_str!("../../../examples/validate/demo/access_token.jwt");
const ID_TOKEN: &str = include_str!("../../../examples/validate/demo/id_token.jwt");
const HS256: &str = include_str!("../../../examples/validate/demo/hs256.jwt");
const ISSUER: &str = "https://my-domain.auth0.com/";
const NOW: NumericDate = NumericDate::from_secs(1_311_281_470);

const API: AccessTokenPolicy<'_> = at_compile_time!(
    AccessTokenPolicy::general("https://example.com/health-api")
        .require_scope(at_compile_time!(ScopePolicy::all_of(&["read:patients"])))
        .build()
);
const APPLICATION: IdTokenPolicy<'_> = at_compile_time!(IdTokenPolicy::new("my_client_id").build());
const LOGIN: Login<'_> = at_compile_time!(Login::new(Nonce::ExpectNone).build());

const ADMIN: AccessTokenPolicy<'_> = at_compile_time!(
    AccessTokenPolicy::general("https://example.com/health-api")
        .require_permissions(at_compile_time!(ScopePolicy::all_of(&["delete:resource-199"])))
        .build()
);

/// An access token of 8 KB: 200 permissions, of which the last one is asked for.
fn large_token() -> String {
    let [header, _, signature] = [0, 1, 2].map(|n| ACCESS_TOKEN.trim().split('.').nth(n));
    let permissions: Vec<_> = (0..200).map(|n| format!(r#""delete:resource-{n}""#)).collect();
    let payload = format!(
        r#"{{"iss":"{ISSUER}","aud":"https://example.com/health-api","sub":"a","iat":1311280970,"exp":1311281970,"permissions":[{}]}}"#,
        permissions.join(",")
    );
    let payload = Base64UrlUnpadded::encode_string(payload.as_bytes());
    format!("{}.{payload}.{}", header.unwrap_or_default(), signature.unwrap_or_default())
}

/// A token that needs no key to be made: as many names as a header may have, as long
/// as each other, with the same end, and with an escape in it.
fn hostile_token() -> String {
    let names: String =
        (0..62).map(|n| format!(r#","{}{n:02}\u0061\"":0"#, "a".repeat(12))).collect();
    let header = format!(r#"{{"alg":"RS256","kid":"no"{names}}}"#);
    let header = Base64UrlUnpadded::encode_string(header.as_bytes());
    format!("{header}.e30.AAAA")
}

struct NoRsa;

impl PublicKey for NoRsa {
    const ALGORITHMS: Algorithms = Algorithms::RS256;

    fn new(_: Algorithm, _: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
        Ok(Self)
    }

    fn verify(&self, _: &[u8], _: &[u8]) -> Result<(), InvalidSignature> {
        Ok(())
    }

    fn sha256(_: &[&[u8]]) -> [u8; 32] {
        [0; 32]
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let case = arguments.next().expect("a case");
    let count: u32 = arguments.next().and_then(|count| count.parse().ok()).expect("a count");

    let keys = JwkSet::<NoRsa, 4>::from_json(JWKS).expect("a key set");
    let issuer = Issuer::new(ISSUER, keys).expect("an issuer");
    let mut buffer = TokenBuffer::<8192>::new();
    let mut cache = VerifiedTokenCache::<64, 2048>::new();
    let [access, id, hs256] = [ACCESS_TOKEN, ID_TOKEN, HS256].map(str::trim);

    let large = large_token();
    let hostile = hostile_token();

    let mut run: Box<dyn FnMut() -> Result<(), Error>> =
        match case.as_str() {
            "access_token" => Box::new(|| {
                let token = BearerToken::new(black_box(access));
                AccessToken::validate(token, (&issuer, &API), NOW, &mut buffer).map(|token| {
                    black_box(token.subject());
                })
            }),
            "large_token" => Box::new(|| {
                let token = BearerToken::new(black_box(&large));
                AccessToken::validate(token, (&issuer, &ADMIN), NOW, &mut buffer).map(|token| {
                    black_box(token.subject());
                })
            }),
            "id_token" => Box::new(|| {
                IdToken::validate(black_box(id), (&issuer, &APPLICATION), LOGIN, NOW, &mut buffer)
                    .map(|token| {
                        black_box(token.subject());
                    })
            }),
            "cache_hit" => Box::new(|| {
                let token = BearerToken::new(black_box(access));
                AccessToken::validate_cached(token, (&issuer, &API), NOW, &mut buffer, &mut cache)
                    .map(|token| {
                        black_box(token.subject());
                    })
            }),
            "wrong_algorithm" => Box::new(|| {
                let token = BearerToken::new(black_box(hs256));
                match AccessToken::validate(token, (&issuer, &API), NOW, &mut buffer).map(|_| ()) {
                    Err(Error::AlgorithmNotAllowed(_)) => Ok(()),
                    other => other,
                }
            }),
            "hostile_header" => Box::new(|| {
                let token = BearerToken::new(black_box(&hostile));
                match AccessToken::validate(token, (&issuer, &API), NOW, &mut buffer).map(|_| ()) {
                    Err(Error::UnknownKey) => Ok(()),
                    other => other,
                }
            }),
            "key_set" => Box::new(|| {
                black_box(JwkSet::<NoRsa, 4>::from_json(black_box(JWKS))?);
                Ok(())
            }),
            _ => panic!("no such case: {case}"),
        };
    for _ in 0..count {
        assert_eq!(run(), Ok(()));
    }
}
