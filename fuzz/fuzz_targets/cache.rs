//! The cache: through any sequence of tokens, key sets, policies and times, a
//! cached verdict is the uncached one.
#![no_main]

use std::cell::RefCell;

use arbitrary::Arbitrary;
use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, Error, Issuer, JwkSet, NumericDate, ScopePolicy,
    TokenBuffer, Validated, VerifiedTokenCache, at_compile_time,
};
use claimgate_fuzz::{API, API_POLICY, HEADER, ISSUER, NOW, StandIn, set, sign, timed};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

#[derive(Arbitrary, Debug)]
struct Step {
    token: Token,
    keys: u8,
    policy: u8,
    now: i16,
    among: bool,
    clear: bool,
}

#[derive(Arbitrary, Debug)]
struct Token {
    signed_by: bool,
    subject: u8,
    issuer: bool,
    lifetime: i8,
    has_scope: bool,
    length: u16,
    broken: Option<(u16, u8)>,
}

impl Token {
    fn text(&self) -> String {
        let mut claims = json!({
            "iss": if self.issuer { ISSUER } else { OTHER },
            "sub": format!("user-{}", self.subject % 8),
            "aud": API,
            "exp": NOW.as_secs().saturating_add_signed(self.lifetime.into()),
            "x": "x".repeat(usize::from(self.length % 1_024)),
        });
        if self.has_scope {
            claims["scope"] = "read".into();
        }
        let key = u8::from(self.signed_by);
        let header = String::from_utf8_lossy(HEADER).replace("key-0", &format!("key-{key}"));
        let mut text = sign(key, header.as_bytes(), claims.to_string().as_bytes());
        if let Some((index, byte)) = self.broken {
            let index = usize::from(index) % text.len();
            text.replace_range(index..=index, &char::from(byte & 0x7f).to_string());
        }
        text
    }
}

const OTHER: &str = "https://other.example.com/";
const SCOPED: AccessTokenPolicy<'_> = at_compile_time!(
    AccessTokenPolicy::auth0(API)
        .require_scope(at_compile_time!(ScopePolicy::all_of(&["read"])))
        .leeway(0)
        .build()
);
const ELSEWHERE: AccessTokenPolicy<'_> =
    at_compile_time!(AccessTokenPolicy::auth0("https://elsewhere.example.com").build());

thread_local! {
    static SETS: [JwkSet<StandIn, 4>; 4] = [set(&[0]), set(&[1]), set(&[0, 1]), set(&[2])];
    // Large, so made once.
    static CACHE: RefCell<VerifiedTokenCache<3, 1024>> = const { RefCell::new(VerifiedTokenCache::new()) };
}

fuzz_target!(|steps: Vec<Step>| {
    timed(|| {
        SETS.with(|sets| {
            CACHE.with_borrow_mut(|cache| {
                cache.clear();
                steps.iter().take(64).for_each(|step| run(step, sets, cache));
            });
        });
    });
});

fn told(verdict: Result<Validated<AccessToken<'_>>, Error>) -> Result<[String; 4], Error> {
    verdict.map(|token| {
        [
            token.issuer().to_owned(),
            token.subject().to_owned(),
            token.scope().to_string(),
            token.expiry().to_string(),
        ]
    })
}

fn run(step: &Step, sets: &[JwkSet<StandIn, 4>; 4], cache: &mut VerifiedTokenCache<3, 1024>) {
    if step.clear {
        cache.clear();
    }
    let keys = &sets[usize::from(step.keys % 4)];
    let other = &sets[usize::from(step.keys / 4 % 4)];
    let policy = &[API_POLICY, SCOPED, ELSEWHERE][usize::from(step.policy % 3)];
    let now = NumericDate::from_secs(NOW.as_secs().saturating_add_signed(step.now.into()));
    let issuers = [Issuer::new(ISSUER, keys).unwrap(), Issuer::new(OTHER, other).unwrap()];
    let text = step.token.text();
    let token = BearerToken::new(&text);
    let (mut first, mut second) = (TokenBuffer::<4096>::new(), TokenBuffer::<4096>::new());
    let before = (cache.hits(), cache.misses());
    let (cached, uncached) = if step.among {
        (
            told(policy.validate_among_cached(token, &issuers, now, &mut first, cache)),
            told(policy.validate_among(token, &issuers, now, &mut second)),
        )
    } else {
        (
            told(policy.validate_cached(token, &issuers[0], now, &mut first, cache)),
            told(policy.validate(token, &issuers[0], now, &mut second)),
        )
    };
    assert_eq!(cached, uncached);
    let after = (cache.hits(), cache.misses());
    assert_eq!(before.0 + before.1 + 1, after.0 + after.1);
}
