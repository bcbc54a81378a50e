//! The cache: for any sequence of tokens, key sets, policies, request keys and times, the
//! cached verdict is the uncached one.
//!
//! Each accepted token, which is then cached, is presented again: shortly before and after its
//! expiry, under each other policy, with each other key set, and with a request key.
#![no_main]

use std::cell::RefCell;

use arbitrary::Arbitrary;
use claimgate::cache::VerifiedTokenCache;
use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, Error, Issuer, NumericDate, RequestKey,
    ScopePolicy, TokenBuffer, Trust, Validated, at_compile_time,
};
use claimgate_fuzz::{API, API_POLICY, HEADER, ISSUER, LEEWAY, NOW, StandIn, set, sign, timed};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

#[derive(Arbitrary, Debug)]
struct Step {
    token: Token,
    call: Call,
    clear: u8,
}

#[derive(Arbitrary, Debug)]
struct Token {
    signed_by: bool,
    subject: u8,
    other_issuer: bool,
    lifetime: u8,
    has_no_scope: bool,
    is_bound: u8,
    length: u16,
    /// Up to 31, the token is modified.
    breaks: u8,
    broken: (u16, u8),
}

/// All inputs except the token.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Call {
    keys: u8,
    policy: u8,
    /// Seconds from `NOW`.
    now: i16,
    form: u8,
    proves_key: bool,
}

impl Call {
    /// The policy for the tokens of the other issuer.
    fn policy_of_other(&self) -> u8 {
        if self.form % 4 == 2 { self.policy / 4 } else { self.policy }
    }
}

impl Token {
    /// Seconds from `NOW`.
    fn expiry(&self) -> i16 {
        i16::from(self.lifetime % 100) - 20
    }

    fn text(&self) -> String {
        let mut claims = json!({
            "iss": if self.other_issuer { OTHER } else { ISSUER },
            "sub": format!("user-{}", self.subject % 8),
            "aud": API,
            "exp": NOW.as_secs().saturating_add_signed(self.expiry().into()),
            "x": "x".repeat(usize::from(self.length % 512)),
        });
        if !self.has_no_scope {
            claims["scope"] = "read".into();
        }
        if self.is_bound < 32 {
            claims["cnf"] = json!({ "jkt": JKT });
        }
        let key = u8::from(self.signed_by);
        let header = String::from_utf8_lossy(HEADER).replace("key-0", &format!("key-{key}"));
        let mut text = sign(key, header.as_bytes(), claims.to_string().as_bytes());
        if self.breaks < 32 {
            let (index, byte) = self.broken;
            let index = usize::from(index) % text.len();
            text.replace_range(index..=index, &char::from(byte & 0x7f).to_string());
        }
        text
    }
}

const OTHER: &str = "https://other.example.com/";
const JKT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
const POLICIES: [AccessTokenPolicy<'_>; 4] = [
    API_POLICY,
    at_compile_time!(
        AccessTokenPolicy::general(API)
            .require_scope(at_compile_time!(ScopePolicy::all_of(&["read"])))
            .leeway(0)
            .build()
    ),
    at_compile_time!(AccessTokenPolicy::general(API).danger_ignore_confirmation().build()),
    at_compile_time!(AccessTokenPolicy::general("https://elsewhere.example.com").build()),
];
/// The leeway of each policy, in seconds.
const LEEWAYS: [u64; 4] = [LEEWAY, 0, LEEWAY, LEEWAY];

/// The maximum length of a token in the cache, in bytes.
const TOKEN_MAX: usize = 1024;

type Cache = VerifiedTokenCache<3, TOKEN_MAX>;
/// Both issuers, with one key set.
type Issuers = [Issuer<StandIn, 4>; 2];

thread_local! {
    static ISSUERS: [Issuers; 4] = [&[0][..], &[1], &[0, 1], &[2]]
        .map(|keys| [ISSUER, OTHER].map(|url| Issuer::new(url, set(keys)).unwrap()));
    // Large, so constructed once.
    static CACHE: RefCell<Cache> = const { RefCell::new(VerifiedTokenCache::new()) };
}

fuzz_target!(|steps: Vec<Step>| {
    timed(|| {
        ISSUERS.with(|sets| {
            CACHE.with_borrow_mut(|cache| {
                cache.clear();
                steps.iter().take(32).for_each(|step| run(step, sets, cache));
            });
        });
    });
});

fn run(step: &Step, sets: &[Issuers; 4], cache: &mut Cache) {
    if step.clear < 16 {
        cache.clear();
    }
    let (text, call) = (step.token.text(), Call { now: step.call.now % 100, ..step.call });
    if present(&text, call, sets, cache).is_err() {
        return;
    }
    let hits = cache.hits();
    let again = present(&text, call, sets, cache);
    assert!(again.is_ok());
    assert_eq!(cache.hits() - hits, u64::from(text.len() <= TOKEN_MAX));

    let policy = if step.token.other_issuer { call.policy_of_other() } else { call.policy };
    let leeway = i16::try_from(LEEWAYS[usize::from(policy % 4)]).unwrap();
    let end = step.token.expiry() + leeway;
    assert!(present(&text, Call { now: end - 1, ..call }, sets, cache).is_ok());
    assert!(present(&text, Call { now: end, ..call }, sets, cache).is_err());
    for more in 1..4 {
        let policy = call.policy % 4 + more;
        let _ = present(&text, Call { policy, ..call }, sets, cache);
        let keys = call.keys % 4 + more;
        let _ = present(&text, Call { keys, ..call }, sets, cache);
    }
    let other = Call { proves_key: !call.proves_key, ..call };
    let _ = present(&text, other, sets, cache);
}

/// Presents a token to the cache and to a validation without one, whose verdicts must agree.
fn present(
    text: &str,
    call: Call,
    sets: &[Issuers; 4],
    cache: &mut Cache,
) -> Result<[String; 4], Error> {
    let issuers = &sets[usize::from(call.keys % 4)];
    let policy = &POLICIES[usize::from(call.policy % 4)];
    let of_other = POLICIES[usize::from(call.policy_of_other() % 4)];
    let pairs = [(&issuers[1], of_other), (&issuers[0], *policy)];
    let now = NumericDate::from_secs(NOW.as_secs().saturating_add_signed(call.now.into()));
    let token = BearerToken::new(text);
    let token =
        if call.proves_key { token.with_key(RequestKey::dpop(JKT).unwrap()) } else { token };
    match call.form % 4 {
        0 => agree(token, (&issuers[1], policy), now, cache),
        1 => agree(token, (&issuers[..], policy), now, cache),
        2 => agree(token, &pairs, now, cache),
        _ => agree(token, (&issuers[0], policy), now, cache),
    }
}

fn agree<'p>(
    token: BearerToken<'_>,
    trust: impl Trust<AccessTokenPolicy<'p>> + Copy,
    now: NumericDate,
    cache: &mut Cache,
) -> Result<[String; 4], Error> {
    let (mut first, mut second) = (TokenBuffer::<4096>::new(), TokenBuffer::<4096>::new());
    let before = cache.hits() + cache.misses();
    let cached = told(AccessToken::validate_cached(token, trust, now, &mut first, cache));
    let uncached = told(AccessToken::validate(token, trust, now, &mut second));
    assert_eq!(cached, uncached);
    assert_eq!(cache.hits() + cache.misses(), before + 1);
    cached
}

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
