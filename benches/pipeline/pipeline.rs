//! The time of each stage of a validation, of the whole with each backend, and of rejections.
//!
//! `benches/README.md` describes how to run this and interpret the results.

#[path = "../../tests/support/mod.rs"]
mod support;

use std::hint::black_box;
use std::time::{Duration, Instant};

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::cache::VerifiedTokenCache;
use claimgate::error::{Input, InvalidSignature, JsonProblem, KeyRejected, Problem};
use claimgate::jwk::{Algorithms, KeyMaterial};
use claimgate::jws::{CompactJws, VerifiedJws};
use claimgate::{
    AccessToken, AccessTokenPolicy, Algorithm, BearerToken, Error, IdToken, IdTokenPolicy, Issuer,
    JwkSet, Login, Nonce, NumericDate, PublicKey, ScopePolicy, TokenBuffer, at_compile_time,
};
use criterion::{Criterion, Throughput};
use serde_json::{Value, json};
use support::{API, CLIENT_ID, EXP, ISSUER, NOW, Signer, access_claims, jwks, with};

/// The length of Auth0's key IDs: 54 characters.
const KEY_ID: &str = "NjVBRjY5MDlCMUIwNzU4RTA2QzZFMDQ4QzQ2MDAyQjVDNjk1RTM2Qg";

const SCOPES: ScopePolicy<'_> = at_compile_time!(ScopePolicy::all_of(&["read:patients"]));

const APPLICATION: IdTokenPolicy<'_> = at_compile_time!(IdTokenPolicy::new(CLIENT_ID).build());
const LOGIN: Login<'_> = at_compile_time!(Login::new(Nonce::Expect("n-0S6_WzA2Mj")).build());

const ACCESS: AccessTokenPolicy<'_> =
    at_compile_time!(AccessTokenPolicy::general(API).require_scope(SCOPES).build());

const WITH_PERMISSIONS: AccessTokenPolicy<'_> = at_compile_time!(
    AccessTokenPolicy::general(API)
        .require_scope(SCOPES)
        .require_permissions(at_compile_time!(ScopePolicy::all_of(&["read:health-records-0199"])))
        .build()
);

/// A backend that accepts every signature, to measure the cost of everything else.
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

enum Policy {
    Id(IdTokenPolicy<'static>),
    Access(AccessTokenPolicy<'static>),
}

struct Case {
    name: &'static str,
    token: String,
    policy: Policy,
}

impl Case {
    fn all(signer: &Signer) -> [Self; 3] {
        let small = json!({
            "iss": ISSUER, "sub": "auth0|123456", "aud": CLIENT_ID, "exp": EXP, "iat": NOW.as_secs(),
            "nonce": "n-0S6_WzA2Mj",
        });
        let permissions: Vec<_> = (0..200).map(|n| format!("read:health-records-{n:04}")).collect();
        let large = with(access_claims(), "permissions", permissions);
        let case = |name, claims: &Value, policy| Self { name, token: signer.sign(claims), policy };
        let cases = [
            case("small ID token", &small, Policy::Id(APPLICATION)),
            case("typical access token", &access_claims(), Policy::Access(ACCESS)),
            case("200 permissions", &large, Policy::Access(WITH_PERMISSIONS)),
        ];
        let lengths = cases.each_ref().map(|case| case.token.len());
        assert!((600..700).contains(&lengths[0]), "{lengths:?}");
        assert_eq!(lengths[1], 790);
        assert!((8_000..=8_192).contains(&lengths[2]), "{lengths:?}");
        cases
    }

    fn throughput(&self) -> Throughput {
        Throughput::Bytes(self.token.len().try_into().unwrap())
    }

    fn validate<K: PublicKey>(
        &self,
        issuer: &Issuer<K, 4>,
        buffer: &mut TokenBuffer<8192>,
    ) -> Result<(), Error> {
        match &self.policy {
            Policy::Id(policy) => {
                IdToken::validate(&self.token, (issuer, policy), LOGIN, NOW, buffer).map(|token| {
                    black_box(token.subject());
                })
            }
            Policy::Access(policy) => {
                let token = BearerToken::new(&self.token);
                AccessToken::validate(token, (issuer, policy), NOW, buffer).map(|token| {
                    black_box(token.subject());
                })
            }
        }
    }
}

fn key_set<K: PublicKey>(signer: &Signer) -> JwkSet<K, 4> {
    let mut other = Signer::b();
    other.kid = "RkI5MjdGNjE3QkQ2RDEyN0Y5QTk4MTc2MDg1MkYyOTlDQjQzNDEyRA";
    JwkSet::from_json(&jwks(&[other.jwk(), signer.jwk()])).unwrap()
}

fn verified<'b>(case: &Case, keys: &JwkSet<NoRsa, 4>, buffer: &'b mut [u8]) -> VerifiedJws<'b> {
    let jws = CompactJws::parse(&case.token).unwrap().decode(buffer).unwrap();
    let key = keys.select(jws.header()).unwrap();
    jws.verify(key).unwrap()
}

/// Measures `parse`. It consumes its argument, which borrows from a buffer, so sixteen are
/// prepared before each measurement.
fn time_parsing(
    iterations: u64,
    case: &Case,
    keys: &JwkSet<NoRsa, 4>,
    parse: impl Fn(VerifiedJws<'_>) -> bool,
) -> Duration {
    let mut buffers = vec![[0; 8192]; 16];
    let mut elapsed = Duration::ZERO;
    let mut left = iterations;
    while left > 0 {
        let batch = left.min(16);
        left -= batch;
        let mut ready: Vec<_> = buffers
            .iter_mut()
            .take(batch.try_into().unwrap())
            .map(|buffer| verified(case, keys, buffer))
            .collect();
        let start = Instant::now();
        for jws in ready.drain(..) {
            assert!(parse(black_box(jws)));
        }
        elapsed += start.elapsed();
    }
    elapsed
}

/// The stages that do not depend on the backend.
fn stages(criterion: &mut Criterion, signer: &Signer, cases: &[Case]) {
    let keys = key_set::<NoRsa>(signer);
    let issuer = Issuer::new(ISSUER, key_set::<NoRsa>(signer)).unwrap();
    let mut buffer = [0; 8192];
    let mut token_buffer = TokenBuffer::new();

    let mut group = criterion.benchmark_group("stage");
    for case in cases {
        group.throughput(case.throughput());
        group.bench_function(format!("split/{}", case.name), |bencher| {
            bencher.iter(|| CompactJws::parse(black_box(&case.token)).unwrap());
        });

        // The shortest payload and signature.
        let (header, _) = case.token.split_once('.').unwrap();
        let only_header = format!("{header}.e30.AA");
        let only_header = CompactJws::parse(&only_header).unwrap();
        group.bench_function(format!("header/{}", case.name), |bencher| {
            bencher.iter(|| {
                let jws = black_box(only_header).decode(&mut buffer).unwrap();
                assert!(black_box(jws.header()).key_id().is_some());
            });
        });

        let jws = CompactJws::parse(&case.token).unwrap();
        group.bench_function(format!("header and base64url/{}", case.name), |bencher| {
            bencher.iter(|| {
                let jws = black_box(jws).decode(&mut buffer).unwrap();
                assert!(black_box(jws.header()).key_id().is_some());
            });
        });

        let header = jws.decode(&mut buffer).unwrap().header();
        group.bench_function(format!("key selection/{}", case.name), |bencher| {
            bencher.iter(|| assert!(keys.select(black_box(header)).is_ok()));
        });

        group.bench_function(format!("claims/{}", case.name), |bencher| {
            bencher.iter_custom(|iterations| {
                time_parsing(iterations, case, &keys, |jws| match case.policy {
                    Policy::Id(_) => black_box(IdToken::parse(jws)).is_ok(),
                    Policy::Access(_) => black_box(AccessToken::parse(jws)).is_ok(),
                })
            });
        });

        // The difference to the stages above is the policy.
        group.bench_function(format!("all but RSA/{}", case.name), |bencher| {
            bencher
                .iter(|| assert_eq!(black_box(case).validate(&issuer, &mut token_buffer), Ok(())));
        });
    }

    // The part of the policy that can be repeated: the scopes.
    let token = BearerToken::new(&cases[1].token);
    let token = AccessToken::validate(token, (&issuer, &ACCESS), NOW, &mut token_buffer).unwrap();
    group.throughput(cases[1].throughput());
    group.bench_function("scopes alone/typical access token", |bencher| {
        bencher.iter(|| assert_eq!(black_box(&token).authorize(&SCOPES), Ok(())));
    });
    group.finish();

    let value = format!("Bearer {}", cases[1].token);
    let mut group = criterion.benchmark_group("header field");
    group.throughput(cases[1].throughput());
    group.bench_function("typical access token", |bencher| {
        bencher.iter(|| BearerToken::from_authorization(black_box(&value)).unwrap());
    });
    group.finish();
}

/// The cost of several trusted issuers: the comparisons of `iss` with their URLs, which have
/// the same length. A token is split, decoded and parsed once.
fn among_issuers(criterion: &mut Criterion, signer: &Signer) {
    let url = |n: usize| format!("https://tenant-{n:02}.auth0.com/");
    let issuer = |n| Issuer::new(url(n), key_set::<NoRsa>(signer)).unwrap();
    let issuers: Vec<_> = (0..50).map(issuer).collect();
    let token_of = |n| signer.sign(&with(access_claims(), "iss", url(n)));
    let (unknown, last) = (token_of(50), token_of(49));
    let mut buffer = TokenBuffer::<8192>::new();

    let mut group = criterion.benchmark_group("among issuers, without RSA");
    group.throughput(Throughput::Bytes(unknown.len().try_into().unwrap()));
    for count in [1, 50] {
        let trusted = &issuers[50 - count..];
        for (name, token, expected) in
            [("unknown", &unknown, Err(Error::UnknownIssuer)), ("the last", &last, Ok(()))]
        {
            group.bench_function(format!("{name} of {count}"), |bencher| {
                bencher.iter(|| {
                    let token = BearerToken::new(black_box(token));
                    let verdict =
                        AccessToken::validate(token, (trusted, &ACCESS), NOW, &mut buffer);
                    assert_eq!(verdict.map(|_| ()), expected);
                });
            });
        }
    }
    group.finish();
}

/// A token that is rejected, and the error.
struct Refused {
    name: &'static str,
    token: String,
    now: NumericDate,
    error: Error,
}

impl Refused {
    fn all(signer: &Signer, typical: &str) -> Vec<Self> {
        let with_header = |header: &Value| signer.sign_with(header, &access_claims());
        let (signed, _) = typical.rsplit_once('.').unwrap();
        let another = Signer::b().signature(signed.as_bytes());
        let refused = |name, token, error| Self { name, token, now: NOW, error };
        let after = NumericDate::from_secs(EXP + 1_000);
        vec![
            refused(
                "wrong alg",
                with_header(&json!({"alg": "HS256", "typ": "JWT", "kid": KEY_ID})),
                Error::AlgorithmNotAllowed(Problem::WrongValue),
            ),
            refused(
                "unknown kid",
                with_header(&json!({"alg": "RS256", "typ": "JWT", "kid": &KEY_ID[1..]})),
                Error::UnknownKey,
            ),
            refused(
                "unknown issuer",
                signer.sign(&with(access_claims(), "iss", "https://other.auth0.com/")),
                Error::UnknownIssuer,
            ),
            Self {
                name: "expired",
                token: typical.to_owned(),
                now: after,
                error: Error::Expired { exp: EXP, now: after.as_secs(), leeway: 60 },
            },
            refused(
                "bad signature",
                format!("{signed}.{}", Base64UrlUnpadded::encode_string(&another)),
                Error::InvalidSignature,
            ),
            refused(
                "garbage",
                garbage(typical),
                Error::InvalidJson(Input::Header, JsonProblem::NotUtf8),
            ),
            refused("malformed", signed.to_owned(), Error::MalformedToken),
        ]
    }
}

/// Returns three segments with the lengths of those of `model`, of arbitrary characters.
fn garbage(model: &str) -> String {
    let mut state = 1_u32;
    let mut character = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'a' + u8::try_from((state >> 16) % 26).unwrap())
    };
    let segments = model.split('.').map(|segment| {
        // The last `A` sets none of the bits that must be zero.
        let mut text: String = (1..segment.len()).map(|_| character()).collect();
        text.push('A');
        text
    });
    segments.collect::<Vec<_>>().join(".")
}

/// The stages of one backend: RSA, the whole, and the rejections.
fn backend<K: PublicKey>(criterion: &mut Criterion, name: &str, signer: &Signer, cases: &[Case]) {
    let issuers = [Issuer::new(ISSUER, key_set::<K>(signer)).unwrap()];
    let issuer = &issuers[0];
    let mut buffer = TokenBuffer::new();

    let mut group = criterion.benchmark_group(format!("verify/{name}"));
    for case in cases {
        let (signed, signature) = case.token.rsplit_once('.').unwrap();
        let signature = Base64UrlUnpadded::decode_vec(signature).unwrap();
        let key = issuer.keys().keys()[1].key();
        group.throughput(case.throughput());
        group.bench_function(case.name, |bencher| {
            bencher
                .iter(|| assert_eq!(key.verify(black_box(signed).as_bytes(), &signature), Ok(())));
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group(format!("whole/{name}"));
    for case in cases {
        group.throughput(case.throughput());
        group.bench_function(case.name, |bencher| {
            bencher.iter(|| assert_eq!(black_box(case).validate(issuer, &mut buffer), Ok(())));
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group(format!("refuse/{name}"));
    for refused in Refused::all(signer, &cases[1].token) {
        group.throughput(Throughput::Bytes(refused.token.len().try_into().unwrap()));
        group.bench_function(refused.name, |bencher| {
            bencher.iter(|| {
                let token = BearerToken::new(black_box(&refused.token));
                // A service with one issuer rejects a token of another one after RSA.
                let verdict = match refused.error {
                    Error::UnknownIssuer => {
                        let trust = (&issuers[..], &ACCESS);
                        AccessToken::validate(token, trust, refused.now, &mut buffer)
                    }
                    _ => AccessToken::validate(token, (issuer, &ACCESS), refused.now, &mut buffer),
                };
                assert_eq!(verdict.map(|_| ()), Err(refused.error));
            });
        });
    }
    group.finish();

    cache(criterion, name, signer, issuer);
}

/// Tokens that are in the cache, and tokens that are not: one more than there are slots, in
/// turn, so that each is evicted before it is used again.
fn cache<K: PublicKey>(
    criterion: &mut Criterion,
    name: &str,
    signer: &Signer,
    issuer: &Issuer<K, 4>,
) {
    const SLOTS: usize = 64;
    let mut buffer = TokenBuffer::<8192>::new();
    let mut cache = Box::new(VerifiedTokenCache::<SLOTS, 1024>::new());
    let tokens: Vec<String> = (0..=SLOTS)
        .map(|n| signer.sign(&with(access_claims(), "sub", format!("auth0|{n:06}"))))
        .collect();
    let mut group = criterion.benchmark_group(format!("cache of {SLOTS}/{name}"));
    group.throughput(Throughput::Bytes(tokens[0].len().try_into().unwrap()));
    for (case, count) in [("hit", SLOTS), ("miss", SLOTS + 1)] {
        cache.clear();
        let mut tokens = tokens.iter().take(count).cycle();
        let mut validate = |token: &str, cache: &mut VerifiedTokenCache<SLOTS, 1024>| {
            let token = BearerToken::new(black_box(token));
            let trust = (issuer, &ACCESS);
            let verdict = AccessToken::validate_cached(token, trust, NOW, &mut buffer, cache);
            assert!(!verdict.unwrap().subject().is_empty());
        };
        tokens.by_ref().take(count).for_each(|token| validate(token, &mut cache));
        let (hits, misses) = (cache.hits(), cache.misses());
        let mut calls = 0;
        group.bench_function(case, |bencher| {
            bencher.iter(|| {
                calls += 1;
                validate(tokens.next().unwrap(), &mut cache);
            });
        });
        let counted = (cache.hits() - hits, cache.misses() - misses);
        assert_eq!(counted, if case == "hit" { (calls, 0) } else { (0, calls) });
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut signer = Signer::a();
    signer.kid = KEY_ID;
    let cases = Case::all(&signer);
    stages(&mut criterion, &signer, &cases);
    among_issuers(&mut criterion, &signer);
    #[cfg(feature = "ring")]
    backend::<claimgate::RingKey>(&mut criterion, "ring", &signer, &cases);
    #[cfg(feature = "aws-lc-rs")]
    backend::<claimgate::AwsLcKey>(&mut criterion, "aws-lc-rs", &signer, &cases);
    #[cfg(feature = "pure-rust-rs256")]
    backend::<claimgate::PureRustKey>(&mut criterion, "pure-rust", &signer, &cases);
    criterion.final_summary();
}
