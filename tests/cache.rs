//! The cache of verified tokens, and tokens that own their text.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]

mod support;

use std::cell::Cell;

use claimgate::cache::VerifiedTokenCache;
use claimgate::error::{InvalidSignature, KeyRejected};
use claimgate::jwk::{Algorithms, KeyMaterial};
use claimgate::owned::{OwnedAccessToken, OwnedIdToken};
use claimgate::policy::{ForeignClaim, SubjectKind};
use claimgate::{
    AccessToken, AccessTokenPolicy, Algorithm, BearerToken, Error, IdToken, Issuer, JwkSet, Login,
    Nonce, NumericDate, PublicKey, RequestKey, ScopePolicy, TokenBuffer,
};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use support::*;

type Keys = JwkSet<TestKey, 4>;

const LEEWAY: u64 = 60;

fn set(members: &[Value]) -> Keys {
    Keys::from_json(&jwks(members)).unwrap()
}

/// Returns the issuer with these keys.
fn with_keys(members: &[Value]) -> Issuer<TestKey, 4> {
    issuer(set(members))
}

/// Validates with a cache, and returns whether it was a hit.
fn through<const SLOTS: usize, const MAX: usize>(
    cache: &mut VerifiedTokenCache<SLOTS, MAX>,
    policy: &AccessTokenPolicy<'_>,
    token: &str,
    keys: &Issuer<TestKey, 4>,
    now: NumericDate,
) -> (bool, Result<String, Error>) {
    let hits = cache.hits();
    let mut buffer = TokenBuffer::<8192>::new();
    let token = BearerToken::new(token);
    let verdict = AccessToken::validate_cached(token, (keys, policy), now, &mut buffer, cache)
        .map(|token| token.subject().to_owned());
    (cache.hits() > hits, verdict)
}

#[test]
fn the_second_look_at_a_token_is_a_hit() {
    let keys = trusted();
    let token = Signer::a().sign(&access_claims());
    let mut cache = VerifiedTokenCache::<4, 2048>::new();
    let subject = Ok("auth0|123456".to_owned());
    assert_eq!(through(&mut cache, &API_POLICY, &token, &keys, NOW), (false, subject.clone()));
    for _ in 0..3 {
        assert_eq!(through(&mut cache, &API_POLICY, &token, &keys, NOW), (true, subject.clone()));
    }
    assert_eq!((cache.hits(), cache.misses(), cache.evictions()), (3, 1, 0));
    cache.clear();
    assert_eq!(through(&mut cache, &API_POLICY, &token, &keys, NOW), (false, subject));
}

#[test]
fn every_rule_about_time_is_applied_on_a_hit() {
    let keys = trusted();
    let claims = with(with(access_claims(), "nbf", IAT), "auth_time", IAT);
    let token = Signer::a().sign(&claims);
    let plain = AccessTokenPolicy::general(API);
    let mut cache = VerifiedTokenCache::<4, 2048>::new();
    let build =
        |policy: claimgate::policy::AccessTokenPolicyBuilder<'static>| policy.build().unwrap();
    let at = NumericDate::from_secs;
    for (policy, now, expected) in [
        (plain, EXP + LEEWAY - 1, None),
        (plain, EXP + LEEWAY, Some("expired")),
        (plain, IAT - LEEWAY, None),
        (plain, IAT - LEEWAY - 1, Some("not_yet_valid")),
        (plain.max_token_age(100), IAT + 100 + LEEWAY, None),
        (plain.max_token_age(100), IAT + 101 + LEEWAY, Some("token_too_old")),
        (plain.max_lifetime(EXP - IAT), IAT, None),
        (plain.max_age(100), IAT + 100 + LEEWAY, None),
        (plain.max_age(100), IAT + 101 + LEEWAY, Some("insufficient_authentication")),
        (plain, EXP, None),
    ] {
        // Each policy accepts the token at some time.
        assert!(through(&mut cache, &build(policy), &token, &keys, at(IAT)).1.is_ok());
        let (hit, verdict) = through(&mut cache, &build(policy), &token, &keys, at(now));
        assert!(hit);
        assert_eq!(verdict.err().map(|error| error.code()), expected, "{now}");
    }
}

#[test]
fn time_is_checked_on_a_hit_whatever_claims_are_absent() {
    let keys = trusted();
    let claims = without(without(access_claims(), "iat"), "azp");
    let token = Signer::a().sign(&claims);
    let mut cache = VerifiedTokenCache::<1, 2048>::new();
    assert!(through(&mut cache, &API_POLICY, &token, &keys, NOW).1.is_ok());
    let late = NumericDate::from_secs(EXP + LEEWAY);
    let (hit, verdict) = through(&mut cache, &API_POLICY, &token, &keys, late);
    let expired = Error::Expired { exp: EXP, now: EXP + LEEWAY, leeway: LEEWAY };
    assert_eq!((hit, verdict), (true, Err(expired)));
    let token = Signer::a().sign(&access_claims());
    assert!(through(&mut cache, &API_POLICY, &token, &keys, NOW).1.is_ok());
    let early = NumericDate::from_secs(IAT - LEEWAY - 1);
    let future = Error::IssuedInFuture { iat: IAT, now: IAT - LEEWAY - 1, leeway: LEEWAY };
    assert_eq!(through(&mut cache, &API_POLICY, &token, &keys, early), (true, Err(future)));
}

#[test]
fn a_changed_policy_does_not_hit() {
    let keys = trusted();
    let claims = with(access_claims(), "aud", json!([API, "https://example.com/other"]));
    let claims = with(claims, "permissions", json!(["read:patients", "read:admin"]));
    let claims = with(claims, "auth_time", IAT);
    let claims = with(with(claims, "client_id", "my_client_id"), "jti", "1");
    let header = json!({"alg": "RS256", "kid": "key-a", "typ": "at+jwt"});
    let token = Signer::a().sign_with(&header, &with(claims, "acr", "gold"));
    let mut cache = VerifiedTokenCache::<64, 2048>::new();
    let api = || AccessTokenPolicy::general(API);
    let all = ScopePolicy::all_of(&["read:patients", "read:admin"]).unwrap();
    let any = ScopePolicy::any_of(&["read:patients", "read:admin"]).unwrap();
    let one = ScopePolicy::all_of(&["read:patients"]).unwrap();
    let set = ScopePolicy::any_of_all_of(&[&["read:patients", "read:admin"]]).unwrap();
    let sets = ScopePolicy::any_of_all_of(&[&["read:patients"], &["read:admin"]]).unwrap();
    let policies = [
        api(),
        AccessTokenPolicy::general("https://example.com/other"),
        api().or_audiences(&["https://example.com/other"]),
        api().or_audiences(&["https://example.com/", "other"]),
        api().leeway(0),
        api().leeway(1),
        api().ignore_issued_in_future(),
        api().max_token_age(100_000),
        api().max_lifetime(100_000),
        api().max_age(100_000),
        api().max_age(100_001),
        api().authorized_parties(&["my_client_id"]),
        api().authorized_parties(&["my_client_id", "other"]),
        api().require_subject(SubjectKind::User),
        api().danger_ignore_confirmation(),
        api().require_acr(&["gold"]),
        api().require_acr(&["gold", "silver"]),
        api().require_scope(one),
        api().require_permissions(one),
        api().require_permissions(all),
        api().require_permissions(any),
        api().require_permissions(set),
        api().require_permissions(sets),
        api().require_permissions(one).require_scope(one),
        api().allow_foreign_claim(ForeignClaim::Nonce),
        api().allow_foreign_claim(ForeignClaim::Typ),
        // The same texts in other settings.
        api().authorized_parties(&["gold", "my_client_id"]),
        api().require_acr(&["gold", "my_client_id"]),
        AccessTokenPolicy::rfc9068(API),
    ]
    .map(|policy| policy.build().unwrap());
    for policy in &policies {
        let (hit, verdict) = through(&mut cache, policy, &token, &keys, NOW);
        assert_eq!((hit, verdict.map(|_| ())), (false, Ok(())), "{policy:?}");
    }
    // Each is found again, including by an equal policy that was built separately.
    for policy in &policies {
        assert!(through(&mut cache, policy, &token, &keys, NOW).0, "{policy:?}");
    }
    // The order of the settings, and settings that only `build` uses, are irrelevant.
    let equal = api().forbid_client_ids(&["other"]).require_scope(one).require_permissions(one);
    let equal = equal.build().unwrap();
    assert!(through(&mut cache, &equal, &token, &keys, NOW).0);
}

#[test]
fn a_token_that_is_bound_to_a_key_hits_with_that_key() {
    let keys = trusted();
    let bound = with(access_claims(), "cnf", json!({"jkt": "a", "x5t#S256": "b"}));
    let token = Signer::a().sign(&bound);
    let mut cache = VerifiedTokenCache::<4, 2048>::new();
    let mut verdict = |key: RequestKey<'_>| {
        let hits = cache.hits();
        let (token, mut buffer) = (BearerToken::new(&token), TokenBuffer::<4096>::new());
        let (token, trust) = (token.with_key(key), (&keys, &API_POLICY));
        let verdict = AccessToken::validate_cached(token, trust, NOW, &mut buffer, &mut cache);
        let verdict = verdict.map(|_| ());
        (cache.hits() > hits, verdict)
    };
    let both = |x5t, jkt| RequestKey::certificate_and_dpop(x5t, jkt).unwrap();
    let (mismatch, required) = (Err(Error::ConfirmationMismatch), Err(Error::ConfirmationRequired));
    let one = [RequestKey::dpop("a").unwrap(), RequestKey::certificate("b").unwrap()];
    // Rejected tokens are not stored.
    for _ in 0..2 {
        assert_eq!(verdict(both("a", "b")), (false, mismatch));
        assert_eq!(one.map(&mut verdict), [(false, required); 2]);
    }
    // One slot serves all request keys, and wrong ones are rejected.
    assert_eq!(verdict(both("b", "a")), (false, Ok(())));
    assert_eq!(verdict(both("b", "a")), (true, Ok(())));
    assert_eq!(verdict(both("a", "b")), (true, mismatch));
    assert_eq!(one.map(&mut verdict), [(true, required); 2]);
    assert_eq!(verdict(both("b", "a")), (true, Ok(())));
    let bare = through(&mut cache, &API_POLICY, &token, &keys, NOW);
    assert_eq!(bare, (true, Err(Error::ConfirmationRequired)));
}

#[test]
fn a_changed_key_set_does_not_hit() {
    let (a, b) = (Signer::a(), Signer::b());
    let token = a.sign(&access_claims());
    let mut cache = VerifiedTokenCache::<4, 2048>::new();
    let old = with_keys(&[a.jwk()]);
    assert!(through(&mut cache, &API_POLICY, &token, &old, NOW).1.is_ok());
    // The key is removed, replaced, or has another name.
    let gone = with_keys(&[b.jwk()]);
    assert_eq!(
        through(&mut cache, &API_POLICY, &token, &gone, NOW),
        (false, Err(Error::UnknownKey))
    );
    let replaced = with_keys(&[with(b.jwk(), "kid", "key-a")]);
    assert_eq!(
        through(&mut cache, &API_POLICY, &token, &replaced, NOW),
        (false, Err(Error::InvalidSignature))
    );
    let renamed = with_keys(&[with(a.jwk(), "kid", "other")]);
    assert_eq!(
        through(&mut cache, &API_POLICY, &token, &renamed, NOW),
        (false, Err(Error::UnknownKey))
    );
    let doubled = with_keys(&[a.jwk(), a.jwk()]);
    let ambiguous = Err(Error::AmbiguousKey { candidates: 2 });
    assert_eq!(through(&mut cache, &API_POLICY, &token, &doubled, NOW), (false, ambiguous));
    // A set with an additional key is a different set; the same set, parsed again, is not.
    assert!(!through(&mut cache, &API_POLICY, &token, &with_keys(&[a.jwk(), b.jwk()]), NOW).0);
    let same = with_keys(&[json!({"kty": "EC"}), a.jwk()]);
    assert!(through(&mut cache, &API_POLICY, &token, &same, NOW).0);
}

/// A key that accepts every signature, in sets whose fingerprints the test chooses.
struct Chosen;

thread_local! {
    static HASH: Cell<[u8; 32]> = const { Cell::new([0; 32]) };
}

impl PublicKey for Chosen {
    const ALGORITHMS: Algorithms = Algorithms::RS256;

    fn new(_: Algorithm, _: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
        Ok(Self)
    }

    fn verify(&self, _: &[u8], _: &[u8]) -> Result<(), InvalidSignature> {
        Ok(())
    }

    fn sha256(_: &[&[u8]]) -> [u8; 32] {
        HASH.get()
    }
}

#[test]
fn every_bit_of_a_key_sets_fingerprint_counts() {
    let with_fingerprint = |fingerprint: [u8; 32]| {
        HASH.set(fingerprint);
        let keys = JwkSet::<Chosen, 1>::from_json(&jwks(&[Signer::a().jwk()])).unwrap();
        assert_eq!(*keys.fingerprint(), fingerprint);
        issuer(keys)
    };
    let text = Signer::a().sign(&access_claims());
    let mut cache = VerifiedTokenCache::<1, 2048>::new();
    let mut hit = |issuer: &Issuer<Chosen, 1>| {
        let (hits, mut buffer) = (cache.hits(), TokenBuffer::<4096>::new());
        let (token, trust) = (BearerToken::new(&text), (issuer, &API_POLICY));
        AccessToken::validate_cached(token, trust, NOW, &mut buffer, &mut cache).unwrap();
        cache.hits() > hits
    };
    let fingerprint = [0x5a; 32];
    for bit in 0..256 {
        let mut other = fingerprint;
        other[bit / 8] ^= 1 << (bit % 8);
        assert!(!hit(&with_fingerprint(fingerprint)), "{bit}");
        assert!(hit(&with_fingerprint(fingerprint)), "{bit}");
        assert!(!hit(&with_fingerprint(other)), "{bit}");
    }
}

#[test]
fn the_fingerprint_of_a_key_set_is_that_of_its_usable_keys() {
    let (a, b) = (Signer::a().jwk(), Signer::b().jwk());
    let fingerprint = |members: &[Value]| *set(members).fingerprint();
    assert_eq!(
        fingerprint(std::slice::from_ref(&a)),
        fingerprint(&[json!({"kty": "EC"}), a.clone()])
    );
    let distinct = [
        fingerprint(std::slice::from_ref(&a)),
        fingerprint(std::slice::from_ref(&b)),
        fingerprint(&[a.clone(), b.clone()]),
        fingerprint(&[b.clone(), a.clone()]),
        fingerprint(&[without(a.clone(), "kid")]),
        fingerprint(&[with(a.clone(), "kid", "")]),
        fingerprint(&[with(a.clone(), "kid", "x")]),
        fingerprint(&[a.clone(), a]),
    ];
    for (index, one) in distinct.iter().enumerate() {
        assert!(!distinct[..index].contains(one), "{index}");
    }
}

#[test]
fn another_issuer_with_the_same_keys_is_another_issuer() {
    let keys = trusted();
    let token = Signer::a().sign(&access_claims());
    let mut cache = VerifiedTokenCache::<4, 2048>::new();
    assert!(through(&mut cache, &API_POLICY, &token, &keys, NOW).1.is_ok());
    let other = Issuer::new("https://other.example/", keys_of(&Signer::a())).unwrap();
    // The entry is found, and the rules are applied with the other issuer's URL.
    let verdict = through(&mut cache, &API_POLICY, &token, &other, NOW);
    assert_eq!(verdict, (true, Err(Error::IssuerMismatch)));
}

#[test]
fn a_rejected_token_is_not_remembered() {
    let keys = trusted();
    let mut cache = VerifiedTokenCache::<4, 2048>::new();
    let expired = Signer::a().sign(&with(access_claims(), "exp", 1));
    let foreign = Signer::b().sign_with(&json!({"alg": "RS256"}), &access_claims());
    for token in [&expired, &foreign, &"a.b.c".to_owned(), &String::new()] {
        for _ in 0..2 {
            let (hit, verdict) = through(&mut cache, &API_POLICY, token, &keys, NOW);
            assert!(!hit && verdict.is_err());
        }
    }
    assert_eq!((cache.hits(), cache.misses()), (0, 8));
}

#[test]
fn a_token_that_only_begins_or_ends_like_another_does_not_hit() {
    let keys = trusted();
    let token = Signer::a().sign(&access_claims());
    let mut cache = VerifiedTokenCache::<4, 2048>::new();
    assert!(through(&mut cache, &API_POLICY, &token, &keys, NOW).1.is_ok());
    for index in [0, 1, 50, token.len() / 2, token.len() - 17, token.len() - 16] {
        let mut other = token.clone().into_bytes();
        other[index] = if other[index] == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8(other).unwrap();
        let (hit, verdict) = through(&mut cache, &API_POLICY, &other, &keys, NOW);
        assert!(!hit && verdict.is_err(), "{index}");
    }
    for other in [&token[1..], &token[..token.len() - 1], &token[token.len() - 16..]] {
        assert!(!through(&mut cache, &API_POLICY, other, &keys, NOW).0);
    }
}

#[test]
fn the_oldest_entry_makes_way() {
    let keys = trusted();
    let tokens: Vec<String> = (0..4)
        .map(|number| Signer::a().sign(&with(access_claims(), "jti", number.to_string())))
        .collect();
    let mut cache = VerifiedTokenCache::<3, 2048>::new();
    let mut hit = |index: usize| through(&mut cache, &API_POLICY, &tokens[index], &keys, NOW).0;
    assert!(!hit(0) && !hit(1) && !hit(2));
    assert!(hit(0) && hit(1) && hit(2));
    assert!(!hit(3));
    assert!(hit(1) && hit(2) && hit(3));
    assert!(!hit(0));
    assert!(!hit(1));
    assert_eq!(cache.evictions(), 3);
}

#[test]
fn a_token_that_does_not_fit_is_validated_and_not_remembered() {
    let keys = trusted();
    let token = Signer::a().sign(&access_claims());
    let mut cache = VerifiedTokenCache::<3, 128>::new();
    for _ in 0..2 {
        let (hit, verdict) = through(&mut cache, &API_POLICY, &token, &keys, NOW);
        assert!(!hit && verdict.is_ok());
    }
    let mut none = VerifiedTokenCache::<0, 2048>::new();
    for _ in 0..2 {
        let (hit, verdict) = through(&mut none, &API_POLICY, &token, &keys, NOW);
        assert!(!hit && verdict.is_ok());
    }
}

#[test]
fn a_buffers_limit_counts_on_a_hit_too() {
    let keys = trusted();
    let token = Signer::a().sign(&access_claims());
    let mut cache = VerifiedTokenCache::<3, 2048>::new();
    assert!(through(&mut cache, &API_POLICY, &token, &keys, NOW).1.is_ok());
    let limit = token.len() - 1;
    // As large as the buffer of the first validation.
    let mut buffer = TokenBuffer::<8192>::new().max_token_len(limit);
    let (bearer, trust) = (BearerToken::new(&token), (&keys, &API_POLICY));
    let verdict = AccessToken::validate_cached(bearer, trust, NOW, &mut buffer, &mut cache);
    let too_large = Error::TokenTooLarge { length: token.len(), limit };
    assert_eq!(verdict.map(|_| ()), Err(too_large));
}

#[test]
fn a_buffer_that_is_too_small_is_so_on_a_hit_too() {
    fn check<const N: usize>(
        cache: &mut VerifiedTokenCache<3, 2048>,
        token: &str,
        issuer: &Issuer<TestKey, 4>,
    ) -> Result<(), Error> {
        let (token, trust) = (BearerToken::new(token), (issuer, &API_POLICY));
        let (mut one, mut two) = (TokenBuffer::<N>::new(), TokenBuffer::<N>::new());
        let plain = AccessToken::validate(token, trust, NOW, &mut one).map(|_| ());
        let cached = AccessToken::validate_cached(token, trust, NOW, &mut two, cache);
        assert_eq!(cached.map(|_| ()), plain);
        let trust = &[(issuer, API_POLICY)];
        let cached = AccessToken::validate_cached(token, trust, NOW, &mut two, cache);
        assert_eq!(cached.map(|_| ()), plain);
        plain
    }
    let keys = trusted();
    // The subject needs eight additional bytes, unescaped.
    let token = Signer::a().sign(&with(access_claims(), "sub", "\"quoted\""));
    let decoded: usize = token.split('.').map(|segment| segment.len() * 3 / 4).sum();
    assert_eq!(decoded, 539);
    let mut cache = VerifiedTokenCache::<3, 2048>::new();
    assert_eq!(check::<4096>(&mut cache, &token, &keys), Ok(()));
    let too_small = |needed, available| Err(Error::BufferTooSmall { needed, available });
    assert_eq!(check::<538>(&mut cache, &token, &keys), too_small(539, 538));
    assert_eq!(check::<546>(&mut cache, &token, &keys), too_small(8, 7));
    assert_eq!(check::<547>(&mut cache, &token, &keys), Ok(()));
    // A buffer that was sufficient once is sufficient again, and so is a larger one.
    let hits = cache.hits();
    assert_eq!(check::<547>(&mut cache, &token, &keys), Ok(()));
    assert_eq!(check::<548>(&mut cache, &token, &keys), Ok(()));
    assert_eq!(cache.hits() - hits, 4);
}

#[test]
fn several_issuers_share_a_cache() {
    const OTHER: &str = "https://other.example/";
    let (a, b) = (Signer::a(), Signer::b());
    let mut cache = VerifiedTokenCache::<3, 2048>::new();
    let of_a = a.sign(&access_claims());
    let of_b = b.sign(&with(access_claims(), "iss", OTHER));
    let mut check = |issuers: &[Issuer<TestKey, 4>], token: &str| {
        let hits = cache.hits();
        let mut buffer = TokenBuffer::<4096>::new();
        let (token, trust) = (BearerToken::new(token), (issuers, &API_POLICY));
        let verdict = AccessToken::validate_cached(token, trust, NOW, &mut buffer, &mut cache)
            .map(|token| token.issuer().to_owned());
        (cache.hits() > hits, verdict)
    };
    let issuers = |ours: &Signer, others: &Signer| {
        let others = Issuer::new(OTHER, keys_of(others)).unwrap();
        [issuer(keys_of(ours)), others]
    };
    let both = issuers(&a, &b);
    for hit in [false, true] {
        assert_eq!(check(&both, &of_a), (hit, Ok(ISSUER.to_owned())));
        assert_eq!(check(&both, &of_b), (hit, Ok(OTHER.to_owned())));
    }
    // An issuer that is no longer trusted, and one with changed keys.
    assert_eq!(check(&both[..1], &of_b), (false, Err(Error::UnknownIssuer)));
    assert_eq!(check(&issuers(&b, &a), &of_a), (false, Err(Error::UnknownKey)));
}

/// The choices for each step of the sequence below.
struct World {
    tokens: Vec<String>,
    policies: Vec<AccessTokenPolicy<'static>>,
    /// For each key set, the issuer and another one with it.
    issuers: Vec<[Issuer<TestKey, 4>; 2]>,
}

fn world() -> World {
    let (a, b) = (Signer::a(), Signer::b());
    let claims = access_claims();
    let api = || AccessTokenPolicy::general(API);
    World {
        tokens: vec![
            a.sign(&claims),
            a.sign(&with(claims.clone(), "exp", EXP - 300)),
            a.sign(&with(claims.clone(), "nbf", IAT + 400)),
            a.sign(&without(claims.clone(), "iat")),
            a.sign(&with(claims.clone(), "scope", "")),
            a.sign(&with(claims.clone(), "sub", "app@clients")),
            a.sign(&with(claims.clone(), "name", "escaped \" \\ \u{f6}")),
            a.sign(&with(claims.clone(), "cnf", json!({"jkt": "key"}))),
            a.sign(&with(claims.clone(), "iss", "https://other.example/")),
            a.sign(&with(claims.clone(), "nonce", "n")),
            b.sign(&claims),
            b.sign_with(&json!({"alg": "RS256"}), &claims),
            a.sign_with(&json!({"alg": "RS256", "typ": "at+jwt"}), &claims),
            "a.b.c".to_owned(),
        ],
        policies: [
            api(),
            api().leeway(0),
            api().max_token_age(300),
            api().max_lifetime(800),
            api().require_scope(ScopePolicy::all_of(&["read:patients"]).unwrap()),
            api().require_subject(SubjectKind::Client),
            api().danger_ignore_confirmation(),
            AccessTokenPolicy::rfc9068(API),
            AccessTokenPolicy::general("https://my-domain.auth0.com/userinfo"),
        ]
        .map(|policy| policy.build().unwrap())
        .into(),
        issuers: [
            vec![a.jwk()],
            vec![b.jwk()],
            vec![a.jwk(), b.jwk()],
            vec![with(b.jwk(), "kid", "key-a")],
        ]
        .map(|members| {
            [ISSUER, "https://other.example/"].map(|url| Issuer::new(url, set(&members)).unwrap())
        })
        .into(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_cache_changes_no_verdict(
        steps in prop::collection::vec(
            (
                any::<Index>(), any::<Index>(), any::<Index>(), any::<Index>(), 0_u64..1200,
                any::<Index>(),
            ),
            1..200,
        )
    ) {
        let world = world();
        let mut cache = VerifiedTokenCache::<3, 2048>::new();
        for (token, policy, keys, issuer, offset, key) in steps {
            // Mostly the first policy, keys and issuer, so that tokens are repeated.
            let token = token.get(&world.tokens);
            let policy = policy.index(2 * world.policies.len());
            let policy = world.policies.get(policy).unwrap_or(&world.policies[0]);
            let issuers = &world.issuers[keys.index(2 * world.issuers.len()) % 5 % 4];
            let issuer = &issuers[issuer.index(4) / 3];
            let now = NumericDate::from_secs(IAT - 100 + offset);
            let bearer = BearerToken::new(token);
            let bearer = match key.index(4) {
                0 => bearer.with_key(RequestKey::dpop("key").unwrap()),
                1 => bearer.with_key(RequestKey::dpop("another").unwrap()),
                _ => bearer,
            };
            let (mut one, mut two) = (TokenBuffer::<4096>::new(), TokenBuffer::<4096>::new());
            let trust = (issuer, policy);
            let cached = AccessToken::validate_cached(bearer, trust, now, &mut one, &mut cache);
            let plain = AccessToken::validate(bearer, trust, now, &mut two);
            // All claims are compared, including custom ones.
            prop_assert_eq!(cached, plain);
        }
    }
}

#[test]
fn a_long_sequence_hits_misses_and_evicts() {
    let world = world();
    let mut cache = VerifiedTokenCache::<3, 2048>::new();
    let mut state = 7_u64;
    for _ in 0..3_000 {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let pick = |shift: u32, count: usize| usize::try_from(state >> shift).unwrap() % count;
        let token = &world.tokens[pick(33, world.tokens.len()).min(pick(41, world.tokens.len()))];
        let issuer = &world.issuers[pick(37, 8) / 7][0];
        let policy = world.policies.get(pick(45, 40)).unwrap_or(&world.policies[0]);
        let now = NumericDate::from_secs(IAT + u64::try_from(pick(50, 1200)).unwrap());
        let (mut one, mut two) = (TokenBuffer::<4096>::new(), TokenBuffer::<4096>::new());
        let (token, trust) = (BearerToken::new(token), (issuer, policy));
        let cached = AccessToken::validate_cached(token, trust, now, &mut one, &mut cache);
        assert_eq!(cached, AccessToken::validate(token, trust, now, &mut two));
    }
    assert!(cache.hits() > 100 && cache.misses() > 100 && cache.evictions() > 100, "{cache:?}");
}

const fn assert_kept<T: Send + Sync + Clone + 'static>() {}
const _: () = assert_kept::<OwnedAccessToken<1024>>();
const _: () = assert_kept::<OwnedIdToken<1024>>();
const fn assert_shared<T: Send + Sync + 'static>() {}
const _: () = assert_shared::<VerifiedTokenCache<16, 1024>>();

#[test]
fn a_kept_access_token_has_the_same_claims() {
    let keys = trusted();
    let claims = json!({
        "iss": ISSUER, "sub": "say \"hello\"", "aud": [API, "quoted \" audience"], "exp": EXP,
        "iat": IAT, "nbf": IAT, "auth_time": IAT, "jti": "1", "azp": CLIENT_ID, "client_id": "x",
        "acr": "gold", "amr": ["pwd"], "scope": ["read", "write"], "permissions": ["a", "b"],
        "gty": "password", "org_id": "org_1", "org_name": "acme", "typ": "Bearer",
        "https://example.com/roles": ["nurse \\ doctor"],
    });
    let header = json!({"alg": "RS256", "kid": "key-a", "typ": "at+jwt"});
    let text = Signer::a().sign_with(&header, &claims);
    let mut buffer = TokenBuffer::<4096>::new();
    let token =
        AccessToken::validate(BearerToken::new(&text), (&keys, &API_POLICY), NOW, &mut buffer)
            .unwrap();
    let kept = token.to_owned_token::<1024>().unwrap();
    assert_eq!(kept.token(), token);
    assert_eq!(kept.token().subject(), "say \"hello\"");
    assert_eq!(kept.token().header().typ(), Some("at+jwt"));
    assert_eq!(kept.token().scope().to_string(), "read write");
    let custom: Value = kept.token().claims().unwrap();
    assert_eq!(custom["https://example.com/roles"][0], "nurse \\ doctor");
    assert!(!format!("{kept:?}").contains("hello"));
    // Stored again, and moved to another thread.
    let again = kept.token().to_owned_token::<1024>().unwrap();
    drop(kept);
    let subject = std::thread::spawn(move || again.token().subject().to_owned()).join().unwrap();
    assert_eq!(subject, "say \"hello\"");
}

#[test]
fn a_kept_token_needs_room_for_its_payload_its_header_and_its_escaped_strings() {
    let keys = trusted();
    let text = Signer::a().sign(&with(access_claims(), "sub", "\"quoted\""));
    let mut buffer = TokenBuffer::<4096>::new();
    let token =
        AccessToken::validate(BearerToken::new(&text), (&keys, &API_POLICY), NOW, &mut buffer)
            .unwrap();
    let payload = text.split('.').nth(1).unwrap().len() * 3 / 4;
    let too_small = |needed, available| Err(Error::BufferTooSmall { needed, available });
    assert_eq!(token.to_owned_token::<64>().map(|_| ()), too_small(payload, 64));
    assert_eq!(payload, 242);
    assert_eq!(token.to_owned_token::<241>().map(|_| ()), too_small(242, 241));
    // And the eight bytes of the subject, unescaped, of `key-a` and of `JWT`.
    assert_eq!(token.to_owned_token::<257>().map(|_| ()), too_small(258, 257));
    assert_eq!(token.to_owned_token::<258>().map(|_| ()), Ok(()));
}

#[test]
fn a_kept_id_token_has_the_same_claims() {
    let keys = trusted();
    let claims = with(
        with(with(id_claims(), "name", "J\u{f6}rg \"J\""), "email_verified", true),
        "address",
        json!({"formatted": "a\nb", "country": "c"}),
    );
    let text = Signer::a().sign(&with(claims, "nonce", "n"));
    let login = Login::new(Nonce::Expect("n")).build().unwrap();
    let mut buffer = TokenBuffer::<4096>::new();
    let trust = (&keys, &LOGIN_POLICY);
    let token = IdToken::validate(&text, trust, login, NOW, &mut buffer).unwrap();
    let kept = token.to_owned_token::<1024>().unwrap();
    assert_eq!(kept.token(), token);
    assert_eq!(kept.clone().token().user().name(), Some("J\u{f6}rg \"J\""));
    assert_eq!(kept.token().user().address().unwrap().formatted(), Some("a\nb"));
    assert_eq!(kept.token().verify_refreshed(&token), Ok(()));
}
