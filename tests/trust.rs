//! Trusted issuers, with the types of a configuration, alone and in lists.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]

mod support;

use std::sync::{Arc, LazyLock, OnceLock};

use claimgate::cache::VerifiedTokenCache;
use claimgate::error::Claim;
use claimgate::trust::{IssuerRef, Issuers};
use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, Error, IdToken, IdTokenPolicy, Issuer, JwkSet,
    TokenBuffer, Trust,
};
use serde_json::json;
use support::*;

const OTHER: &str = "https://other.example.com";

/// Returns the verdict on an access token of the demonstration issuer: its `iss`, or the
/// error.
fn access<'p>(trust: impl Trust<AccessTokenPolicy<'p>>, token: &str) -> Result<String, Error> {
    let mut buffer = TokenBuffer::<4096>::new();
    let token = AccessToken::validate(BearerToken::new(token), trust, NOW, &mut buffer)?;
    Ok(token.issuer().to_owned())
}

fn id<'p>(trust: impl Trust<IdTokenPolicy<'p>>, token: &str) -> Result<String, Error> {
    let mut buffer = TokenBuffer::<4096>::new();
    let token = IdToken::validate(token, trust, LOGIN, NOW, &mut buffer)?;
    Ok(token.issuer().to_owned())
}

/// Checks that only the tokens of the demonstration issuer are accepted.
#[track_caller]
fn assert_trusted<I: Issuers + Copy>(issuers: I) {
    let accepted = Ok(ISSUER.to_owned());
    let claims = access_claims();
    assert_eq!(access((issuers, &API_POLICY), &Signer::a().sign(&claims)), accepted);
    assert_eq!(id((issuers, &LOGIN_POLICY), &Signer::a().sign(&id_claims())), accepted);
    assert_eq!(access(&[(issuers, API_POLICY)], &Signer::a().sign(&claims)), accepted);
    let header = json!({"alg": "RS256"});
    let forged = Signer::b().sign_with(&header, &claims);
    assert_eq!(access((issuers, &API_POLICY), &forged), Err(Error::InvalidSignature));
    assert_eq!(access(&[(issuers, API_POLICY)], &forged), Err(Error::InvalidSignature));
    let stranger = Signer::a().sign(&with(claims, "iss", OTHER));
    assert_eq!(access(&[(issuers, API_POLICY)], &stranger), Err(Error::UnknownIssuer));
}

/// Returns the other issuer, whose key has the same `kid`.
fn other<U: AsRef<str>>(url: U) -> Issuer<TestKey, 4, U> {
    let keys = JwkSet::from_json(&jwks(&[with(Signer::b().jwk(), "kid", "key-a")]));
    Issuer::new(url, keys.unwrap()).unwrap()
}

fn signed_by_other(iss: &str) -> String {
    let header = json!({"alg": "RS256", "kid": "key-a"});
    Signer::b().sign_with(&header, &with(access_claims(), "iss", iss))
}

#[test]
fn an_issuer_owns_its_url_in_any_type_of_string() {
    let keys = || keys_of(&Signer::a());
    assert_trusted(&Issuer::new(ISSUER, keys()).unwrap());
    assert_trusted(&Issuer::new(ISSUER.to_owned(), keys()).unwrap());
    assert_trusted(
        &Issuer::new(heapless::String::<64>::try_from(ISSUER).unwrap(), keys()).unwrap(),
    );
    assert_trusted(&Issuer::new(Box::<str>::from(ISSUER), keys()).unwrap());
    let text = format!("{ISSUER} and more");
    assert_trusted(&Issuer::new(&text[..ISSUER.len()], keys()).unwrap());
}

#[test]
fn an_issuer_lives_in_a_static_an_arc_a_box_or_on_the_stack() {
    static ONCE: OnceLock<Issuer<TestKey, 4>> = OnceLock::new();
    static LAZY: LazyLock<Issuer<TestKey, 4>> = LazyLock::new(trusted);
    assert_trusted(ONCE.get_or_init(trusted));
    assert_trusted(&LAZY);
    assert_trusted(&*LAZY);
    assert_trusted(&Arc::new(trusted()));
    assert_trusted(&Box::new(trusted()));
    let on_the_stack = trusted();
    assert_trusted(&on_the_stack);
    assert_trusted(on_the_stack.by_ref());
}

#[test]
fn an_issuer_is_replaced_whole_and_the_old_one_lives_as_long_as_it_is_used() {
    let token = Signer::a().sign_with(&json!({"alg": "RS256"}), &access_claims());
    let before = Arc::new(trusted());
    let mut current = Arc::clone(&before);
    assert!(access((&current, &API_POLICY), &token).is_ok());
    current = Arc::new(issuer(keys_of(&Signer::b())));
    assert_eq!(access((&current, &API_POLICY), &token), Err(Error::InvalidSignature));
    assert!(access((&before, &API_POLICY), &token).is_ok());
    // An `Arc` by value is accepted like a borrowed one.
    assert!(access((before, &API_POLICY), &token).is_ok());
}

#[test]
fn a_list_of_issuers_is_a_slice_a_vector_or_a_vector_of_arcs() {
    let (ours, theirs) = (Signer::a().sign(&access_claims()), signed_by_other(OTHER));
    macro_rules! check {
        ($issuers:expr) => {{
            let issuers = $issuers;
            let trust = (issuers, &API_POLICY);
            assert_eq!(access(trust, &ours).as_deref(), Ok(ISSUER));
            assert_eq!(access(trust, &theirs).as_deref(), Ok(OTHER));
            let stranger = signed_by_other("https://other.example.com/");
            assert_eq!(access(trust, &stranger), Err(Error::UnknownIssuer));
            // Neither can sign for the other.
            let invalid = Err(Error::InvalidSignature);
            assert_eq!(access(trust, &signed_by_other(ISSUER)), invalid);
            let forged = Signer::a().sign(&with(access_claims(), "iss", OTHER));
            assert_eq!(access(trust, &forged), invalid);
        }};
    }
    let issuers = [trusted(), other(OTHER)];
    check!(&issuers[..]);
    check!(&[&issuers[0], &issuers[1]][..]);
    check!(&vec![issuers[1].by_ref(), issuers[0].by_ref()]);
    check!(&Vec::from(issuers));
    check!(&vec![Arc::new(trusted()), Arc::new(other(OTHER))]);
    check!(&Arc::<[_]>::from([trusted(), other(OTHER)]));
    check!(
        &[other(String::from(OTHER)), Issuer::new(ISSUER.into(), keys_of(&Signer::a())).unwrap()][..]
    );
    static LIST: LazyLock<Vec<Issuer<TestKey, 4>>> =
        LazyLock::new(|| vec![trusted(), other(OTHER)]);
    check!(&*LIST);
}

#[test]
fn issuers_of_different_types_are_one_list_by_reference() {
    let small =
        Issuer::new(ISSUER, JwkSet::<TestKey, 1>::from_json(&jwks(&[Signer::a().jwk()])).unwrap())
            .unwrap();
    let large = Issuer::new(
        OTHER.to_owned(),
        JwkSet::<TestKey, 8>::from_json(&jwks(&[Signer::b().jwk(), Signer::c3072().jwk()]))
            .unwrap(),
    )
    .unwrap();
    let list: [IssuerRef<'_, TestKey>; 2] = [small.by_ref(), large.by_ref()];
    let of_large = |signer: &Signer| signer.sign(&with(access_claims(), "iss", OTHER));
    for trust in [&list[..], &[list[1], list[0]]] {
        let trust = (trust, &API_POLICY);
        assert_eq!(access(trust, &Signer::a().sign(&access_claims())).as_deref(), Ok(ISSUER));
        assert_eq!(access(trust, &of_large(&Signer::b())).as_deref(), Ok(OTHER));
        assert_eq!(access(trust, &of_large(&Signer::c3072())).as_deref(), Ok(OTHER));
        assert_eq!(access(trust, &of_large(&Signer::a())), Err(Error::UnknownKey));
        let swapped = Signer::b().sign(&access_claims());
        assert_eq!(access(trust, &swapped), Err(Error::UnknownKey));
    }
    assert_eq!(list.map(|issuer| issuer.url()), [ISSUER, OTHER]);
}

#[test]
fn the_only_issuer_needs_no_iss_to_be_chosen_and_a_list_of_one_does() {
    let issuers = [trusted()];
    let token = Signer::a().sign(&without(access_claims(), "iss"));
    let missing = Err(Error::MissingClaim(Claim::Issuer));
    assert_eq!(access((&issuers[0], &API_POLICY), &token), missing);
    assert_eq!(access((&issuers[..], &API_POLICY), &token), Err(Error::UnknownIssuer));
    assert_eq!(access(&[(&issuers[0], API_POLICY)], &token), Err(Error::UnknownIssuer));
    let token = Signer::a().sign(&with(access_claims(), "iss", OTHER));
    assert_eq!(access((&issuers[0], &API_POLICY), &token), Err(Error::IssuerMismatch));
    assert_eq!(access((&issuers[..], &API_POLICY), &token), Err(Error::UnknownIssuer));
}

#[test]
fn an_empty_list_trusts_nobody() {
    let (token, id_token) = (Signer::a().sign(&access_claims()), Signer::a().sign(&id_claims()));
    let unknown = Err(Error::UnknownIssuer);
    let none: [Issuer<TestKey, 4>; 0] = [];
    assert_eq!(access((&none[..], &API_POLICY), &token), unknown);
    assert_eq!(id((&none[..], &LOGIN_POLICY), &id_token), unknown);
    let none: [(Issuer<TestKey, 4>, AccessTokenPolicy<'_>); 0] = [];
    assert_eq!(access(&none, &token), unknown);
    assert_eq!(access(&none[..], &token), unknown);
    let none: Vec<IssuerRef<'_, TestKey>> = Vec::new();
    assert_eq!(access((&none, &API_POLICY), &token), unknown);
}

#[test]
fn of_two_issuers_of_one_url_the_first_is_the_issuer() {
    let (ours, theirs) = (Signer::a().sign(&access_claims()), signed_by_other(ISSUER));
    let invalid = Err(Error::InvalidSignature);
    let list = [trusted(), other(ISSUER)];
    assert_eq!(access((&list[..], &API_POLICY), &ours).as_deref(), Ok(ISSUER));
    assert_eq!(access((&list[..], &API_POLICY), &theirs), invalid);
    let list = [other(ISSUER), trusted()];
    assert_eq!(access((&list[..], &API_POLICY), &theirs).as_deref(), Ok(ISSUER));
    assert_eq!(access((&list[..], &API_POLICY), &ours), invalid);
    // The first policy applies, and the second one does not.
    let foreign = AccessTokenPolicy::general("https://other.example/api").build().unwrap();
    let mismatch = Err(Error::AudienceMismatch { audiences: 2 });
    let pairs = [(trusted(), foreign), (trusted(), API_POLICY)];
    assert_eq!(access(&pairs, &ours), mismatch);
    assert_eq!(access(&pairs[..], &ours), mismatch);
    let pairs = [(trusted(), API_POLICY), (trusted(), foreign)];
    assert_eq!(access(&pairs, &ours).as_deref(), Ok(ISSUER));
    assert_eq!(access(&pairs[..], &ours).as_deref(), Ok(ISSUER));
}

#[test]
fn a_policy_may_serve_several_issuers_of_a_pair() {
    let foreign = AccessTokenPolicy::general("https://other.example/api").build().unwrap();
    let (first, second) = ([trusted(), other(OTHER)], [other("https://third.example/")]);
    let pairs = [(&first[..], API_POLICY), (&second[..], foreign)];
    assert_eq!(access(&pairs, &Signer::a().sign(&access_claims())).as_deref(), Ok(ISSUER));
    assert_eq!(access(&pairs, &signed_by_other(OTHER)).as_deref(), Ok(OTHER));
    let third = signed_by_other("https://third.example/");
    assert_eq!(access(&pairs, &third), Err(Error::AudienceMismatch { audiences: 2 }));
}

/// A hit requires the policy and the keys of the token's own issuer.
#[test]
fn a_hit_is_that_of_the_pair_of_the_tokens_issuer() {
    let strict = AccessTokenPolicy::general(API).max_token_age(100).build().unwrap();
    let mut cache = VerifiedTokenCache::<8, 2048>::new();
    let (ours, theirs) = (Signer::a().sign(&access_claims()), signed_by_other(OTHER));
    let mut judge =
        |pairs: &[(Issuer<TestKey, 4>, AccessTokenPolicy<'static>)], token: &str, age| {
            let (hits, mut buffer) = (cache.hits(), TokenBuffer::<4096>::new());
            let now = claimgate::NumericDate::from_secs(IAT + age);
            let token = BearerToken::new(token);
            let verdict = AccessToken::validate_cached(token, pairs, now, &mut buffer, &mut cache);
            let verdict = verdict.map(|token| token.issuer().to_owned());
            (verdict, cache.hits() > hits)
        };
    let pairs = [(trusted(), API_POLICY), (other(OTHER), strict)];
    let old = Error::TokenTooOld { age: 500, limit: 100, leeway: 60 };
    for hit in [false, true] {
        assert_eq!(judge(&pairs, &ours, 50), (Ok(ISSUER.to_owned()), hit));
        assert_eq!(judge(&pairs, &theirs, 50), (Ok(OTHER.to_owned()), hit));
    }
    assert_eq!(judge(&pairs, &ours, 500), (Ok(ISSUER.to_owned()), true));
    assert_eq!(judge(&pairs, &theirs, 500), (Err(old), true));
    // With the policies exchanged, neither entry is found, and each token is validated with
    // the other policy.
    let pairs = [(trusted(), strict), (other(OTHER), API_POLICY)];
    assert_eq!(judge(&pairs, &ours, 500), (Err(old), false));
    assert_eq!(judge(&pairs, &theirs, 500), (Ok(OTHER.to_owned()), false));
    // An issuer that is no longer trusted has no entries.
    let pairs = [(trusted(), API_POLICY)];
    assert_eq!(judge(&pairs, &theirs, 50), (Err(Error::UnknownIssuer), false));
    assert_eq!(judge(&pairs, &ours, 50), (Ok(ISSUER.to_owned()), true));
}

#[test]
fn what_is_printed_of_an_issuer_names_its_url() {
    let shown = format!("{:?} {:?}", trusted(), trusted().by_ref());
    assert_eq!(shown.matches(ISSUER).count(), 2, "{shown}");
}
