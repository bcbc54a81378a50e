//! Runs one task a number of times, for callgrind to count instructions. RSA is excluded: the
//! backend accepts every signature.
//!
//! `instructions CASE COUNT`, see `run.sh`. Without arguments, prints the names of
//! the hostile inputs.

mod hostile;

use std::hint::black_box;

use claimgate::cache::VerifiedTokenCache;
use claimgate::dpop::DpopRequest;
use claimgate::error::{InvalidSignature, KeyRejected};
use claimgate::jwk::{Algorithms, KeyMaterial};
use claimgate::policy::{ClaimRule, DpopPolicy};
use claimgate::{
    AccessToken, AccessTokenPolicy, Algorithm, BearerToken, DpopProof, Error, IdToken,
    IdTokenPolicy, Issuer, JwkSet, Login, Nonce, NumericDate, PublicKey, ScopePolicy, TokenBuffer,
    at_compile_time,
};
use hostile::{Hostile, Input, inputs, with_payload};

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
/// The same, with four claim rules.
const WITH_CLAIMS: AccessTokenPolicy<'_> = at_compile_time!(
    AccessTokenPolicy::general("https://example.com/health-api")
        .require_scope(at_compile_time!(ScopePolicy::all_of(&["read:patients"])))
        .require_claims(&[
            at_compile_time!(ClaimRule::equals(&["azp"], "my_client_id")),
            at_compile_time!(ClaimRule::contains(&["scope"], "read:patients")),
            at_compile_time!(ClaimRule::one_of(&["sub"], &["auth0|1", "auth0|123456"])),
            at_compile_time!(ClaimRule::equals_integer(&["iat"], 1_311_280_970)),
        ])
        .build()
);
const APPLICATION: IdTokenPolicy<'_> = at_compile_time!(IdTokenPolicy::new("my_client_id").build());
const LOGIN: Login<'_> = at_compile_time!(Login::new(Nonce::ExpectNone).build());

const ADMIN: AccessTokenPolicy<'_> = at_compile_time!(
    AccessTokenPolicy::general("https://example.com/health-api")
        .require_permissions(at_compile_time!(ScopePolicy::all_of(&["delete:resource-199"])))
        .build()
);

/// An access token of 8 KB: 200 permissions, of which the last one is required.
fn large_token() -> String {
    let permissions: Vec<_> = (0..200).map(|n| format!(r#""delete:resource-{n}""#)).collect();
    let members = format!(
        r#""iss":"{ISSUER}","aud":"https://example.com/health-api","sub":"a","iat":1311280970,"exp":1311281970,"permissions":[{}]"#,
        permissions.join(",")
    );
    with_payload(ACCESS_TOKEN.trim(), &members)
}

/// Panics unless the result is an error with this code.
fn expect(code: &str, outcome: Result<(), Error>) -> Result<(), Error> {
    match outcome {
        Err(error) if error.code() == code => Ok(()),
        other => {
            println!("{other:?} is not {code}");
            other.and(Err(Error::MalformedToken))
        }
    }
}

/// The proof of RFC 9449, Figure 2 in §4.1.
const DPOP_PROOF: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6Ik\
    VDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCR\
    nMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JE\
    QSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIj\
    oiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwia\
    WF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg\
    4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
const PROOFS: DpopPolicy = at_compile_time!(DpopPolicy::new().build());

/// Like [`NoRsa`], for ES256.
struct NoEcdsa;

impl PublicKey for NoEcdsa {
    const ALGORITHMS: Algorithms = Algorithms::of(&[Algorithm::Es256]);

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
    let [access, id, hs256] = [ACCESS_TOKEN, ID_TOKEN, HS256].map(str::trim);
    let large = large_token();
    let inputs = inputs(access);

    let mut arguments = std::env::args().skip(1);
    let Some(case) = arguments.next() else {
        return inputs.iter().for_each(|input| println!("{}", input.name));
    };
    let count: u32 = arguments.next().and_then(|count| count.parse().ok()).expect("a count");
    let hostile = inputs.iter().find(|input| input.name == case);

    let issuers = [ISSUER, "https://other.example/"].map(|issuer| {
        let keys = JwkSet::<NoRsa, 4>::from_json(JWKS).expect("a key set");
        Issuer::new(issuer, keys).expect("an issuer")
    });
    let [issuer, _] = &issuers;
    let mut buffer = TokenBuffer::<8192>::new();
    let mut cache = VerifiedTokenCache::<64, 2048>::new();

    let text = match case.as_str() {
        "access_token" | "claim_rules" | "cache_hit" => access,
        "large_token" => &large,
        "id_token" => id,
        "wrong_algorithm" => hs256,
        "key_set" => JWKS,
        "dpop_proof" => DPOP_PROOF,
        _ => hostile.expect("a case").input.text(),
    };

    let mut run: Box<dyn FnMut() -> Result<(), Error>> = match case.as_str() {
        "access_token" => Box::new(|| {
            let token = BearerToken::new(black_box(text));
            AccessToken::validate(token, (issuer, &API), NOW, &mut buffer).map(|token| {
                black_box(token.subject());
            })
        }),
        "claim_rules" => Box::new(|| {
            let token = BearerToken::new(black_box(text));
            AccessToken::validate(token, (issuer, &WITH_CLAIMS), NOW, &mut buffer).map(|token| {
                black_box(token.subject());
            })
        }),
        "large_token" => Box::new(|| {
            let token = BearerToken::new(black_box(text));
            AccessToken::validate(token, (issuer, &ADMIN), NOW, &mut buffer).map(|token| {
                black_box(token.subject());
            })
        }),
        "id_token" => Box::new(|| {
            let trust = (issuer, &APPLICATION);
            IdToken::validate(black_box(text), trust, LOGIN, NOW, &mut buffer).map(|token| {
                black_box(token.subject());
            })
        }),
        "cache_hit" => Box::new(|| {
            let token = BearerToken::new(black_box(text));
            let trust = (issuer, &API);
            AccessToken::validate_cached(token, trust, NOW, &mut buffer, &mut cache).map(|token| {
                black_box(token.subject());
            })
        }),
        "wrong_algorithm" => Box::new(|| {
            let token = BearerToken::new(black_box(text));
            let outcome =
                AccessToken::validate(token, (issuer, &API), NOW, &mut buffer).map(|_| ());
            expect("algorithm_not_allowed", outcome)
        }),
        "dpop_proof" => Box::new(|| {
            let request =
                DpopRequest::without_access_token("POST", "https://server.example.com/token");
            let now = NumericDate::from_secs(1_562_262_616);
            let proof = black_box(text);
            DpopProof::verify::<NoEcdsa, 8192>(proof, &PROOFS, request, now, &mut buffer).map(
                |proof| {
                    black_box(proof.id());
                },
            )
        }),
        "key_set" => Box::new(|| {
            black_box(JwkSet::<NoRsa, 4>::from_json(black_box(text))?);
            Ok(())
        }),
        _ => Box::new(|| {
            let Hostile { input, code, .. } = hostile.expect("a case");
            let outcome = match input {
                Input::Token(token) => {
                    let token = BearerToken::new(black_box(token));
                    AccessToken::validate(token, (issuer, &API), NOW, &mut buffer).map(|_| ())
                }
                Input::TokenOfOneOfSeveral(token) => {
                    let token = BearerToken::new(black_box(token));
                    AccessToken::validate(token, (&issuers[..], &API), NOW, &mut buffer).map(|_| ())
                }
                Input::KeySet(text) => JwkSet::<NoRsa, 4>::from_json(black_box(text)).map(|_| ()),
            };
            expect(code, outcome)
        }),
    };
    for _ in 0..count {
        assert_eq!(run(), Ok(()));
    }
    println!("{}", text.trim().len());
}
