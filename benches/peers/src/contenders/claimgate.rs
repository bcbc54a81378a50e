//! claimgate, with a backend by type.

use std::hint::black_box;

use claimgate::cache::VerifiedTokenCache;
use claimgate::error::Problem;
use claimgate::jwk::{Jwk, VerifyingKey};
use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, Error, IdToken, IdTokenPolicy, Issuer, JwkSet,
    Login, Nonce, NumericDate, PublicKey, ScopePolicy, TokenBuffer, at_compile_time,
};

use crate::measure::Contender;
use crate::tokens::{API, CLIENT_ID, ISSUER, KEY_ID, Keys, Kind, NONCE, PERMISSION, SCOPE};
use crate::tokens::{claims, header};

const APPLICATION: IdTokenPolicy<'_> = at_compile_time!(IdTokenPolicy::new(CLIENT_ID).build());
const LOGIN: Login<'_> = at_compile_time!(Login::new(Nonce::Expect(NONCE)).build());

const SCOPES: ScopePolicy<'_> = at_compile_time!(ScopePolicy::all_of(&[SCOPE]));

const ACCESS: AccessTokenPolicy<'_> =
    at_compile_time!(AccessTokenPolicy::general(API).require_scope(SCOPES).build());

const WITH_PERMISSION: AccessTokenPolicy<'_> = at_compile_time!(
    AccessTokenPolicy::general(API)
        .require_scope(SCOPES)
        .require_permissions(at_compile_time!(ScopePolicy::all_of(&[PERMISSION])))
        .build()
);

pub struct Gate<K> {
    issuer: Issuer<K, 4>,
}

impl<K: PublicKey> Gate<K> {
    pub fn new(keys: &Keys) -> Self {
        let keys = JwkSet::from_json(&keys.jwks).unwrap();
        Self { issuer: Issuer::new(ISSUER, keys).unwrap() }
    }

    /// The key that signs the tokens.
    pub fn key(&self) -> &VerifyingKey<K> {
        let named = |jwk: &&Jwk<K>| jwk.key_id() == Some(KEY_ID);
        self.issuer.keys().keys().iter().find(named).unwrap().key()
    }

    /// One validation, always of the same token.
    pub fn validate<'c>(&'c self, token: &'c str, kind: Kind) -> impl FnMut() + 'c {
        let issuer = &self.issuer;
        let mut buffer = TokenBuffer::<8192>::new();
        move || {
            let token = black_box(token);
            let now = NumericDate::now();
            match kind {
                Kind::SmallId => {
                    let trust = (issuer, &APPLICATION);
                    let token = IdToken::validate(token, trust, LOGIN, now, &mut buffer).unwrap();
                    assert!(!token.subject().is_empty());
                }
                Kind::Typical => {
                    let (token, trust) = (BearerToken::new(token), (issuer, &ACCESS));
                    let token = AccessToken::validate(token, trust, now, &mut buffer).unwrap();
                    assert!(!token.subject().is_empty());
                }
                Kind::Large => {
                    let (token, trust) = (BearerToken::new(token), (issuer, &WITH_PERMISSION));
                    let token = AccessToken::validate(token, trust, now, &mut buffer).unwrap();
                    assert!(!token.subject().is_empty());
                }
            }
        }
    }

    pub fn contender<'c>(
        &'c self,
        name: &'static str,
        rsa: &'static str,
        token: &'c str,
        kind: Kind,
    ) -> Contender<'c> {
        Contender::new(name, Some(rsa), self.validate(token, kind))
    }

    /// Tokens that are rejected before RSA.
    pub fn refusals<'c>(&'c self, keys: &Keys) -> Vec<Contender<'c>> {
        let claims = claims(Kind::Typical);
        let mut foreign = claims.clone();
        foreign["iss"] = "https://other.auth0.com/".into();
        let typical = keys.sign(&keys.header(), &claims);
        let (malformed, _) = typical.rsplit_once('.').unwrap();
        vec![
            self.refusal(
                REFUSE_ALG,
                keys.sign(&header("HS256", KEY_ID), &claims),
                Error::AlgorithmNotAllowed(Problem::WrongValue),
            ),
            self.refusal(
                REFUSE_KID,
                keys.sign(&header("RS256", &KEY_ID[1..]), &claims),
                Error::UnknownKey,
            ),
            self.refusal(REFUSE_MALFORMED, malformed.to_owned(), Error::MalformedToken),
            self.unknown_issuer(keys.sign(&keys.header(), &foreign)),
        ]
    }

    fn refusal(&self, name: &'static str, token: String, error: Error) -> Contender<'_> {
        let issuer = &self.issuer;
        let mut buffer = TokenBuffer::<8192>::new();
        Contender::new(name, None, move || {
            let now = NumericDate::now();
            let token = BearerToken::new(black_box(&token));
            let verdict = AccessToken::validate(token, (issuer, &ACCESS), now, &mut buffer);
            assert_eq!(verdict.map(|_| ()), Err(error));
        })
    }

    /// A service with several issuers: with one, `iss` is compared after RSA.
    fn unknown_issuer(&self, token: String) -> Contender<'_> {
        let issuers = std::slice::from_ref(&self.issuer);
        let mut buffer = TokenBuffer::<8192>::new();
        Contender::new(REFUSE_ISSUER, None, move || {
            let now = NumericDate::now();
            let token = BearerToken::new(black_box(&token));
            let verdict = AccessToken::validate(token, (issuers, &ACCESS), now, &mut buffer);
            assert_eq!(verdict.map(|_| ()), Err(Error::UnknownIssuer));
        })
    }

    /// Tokens in the cache, in turn, as many as it has slots.
    pub fn cache_hit(&self, keys: &Keys) -> Contender<'_> {
        let issuer = &self.issuer;
        let mut buffer = TokenBuffer::<8192>::new();
        let mut cache = Box::new(VerifiedTokenCache::<SLOTS, 1024>::new());
        let tokens: Vec<String> = (0..SLOTS)
            .map(|n| {
                let mut claims = claims(Kind::Typical);
                claims["sub"] = format!("auth0|{n:06}").into();
                keys.sign(&keys.header(), &claims)
            })
            .collect();
        for token in &tokens {
            let (token, trust) = (BearerToken::new(token), (issuer, &ACCESS));
            let now = NumericDate::now();
            AccessToken::validate_cached(token, trust, now, &mut buffer, &mut cache).unwrap();
        }
        let mut next = 0;
        Contender::new(CACHE_HIT, None, move || {
            let misses = cache.misses();
            let now = NumericDate::now();
            next = (next + 1) % SLOTS;
            let token = BearerToken::new(black_box(&tokens[next]));
            let trust = (issuer, &ACCESS);
            let token = AccessToken::validate_cached(token, trust, now, &mut buffer, &mut cache);
            assert!(!token.unwrap().subject().is_empty());
            assert_eq!(cache.misses(), misses);
        })
    }
}

/// The number of slots of the cache.
const SLOTS: usize = 64;

pub const RING: &str = "claimgate (ring)";
pub const AWS_LC_RS: &str = "claimgate (aws-lc-rs)";
pub const PURE_RUST: &str = "claimgate (pure-rust)";
pub const PURE_RUST_PORTABLE: &str = "claimgate (pure-rust, portable)";
pub const REFUSE_ALG: &str = "claimgate: wrong alg";
pub const REFUSE_KID: &str = "claimgate: unknown kid";
pub const REFUSE_MALFORMED: &str = "claimgate: malformed";
pub const REFUSE_ISSUER: &str = "claimgate: unknown issuer";
pub const CACHE_HIT: &str = "claimgate: hit in a cache of 64";
