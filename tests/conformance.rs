//! Conformance: project Wycheproof's RSA signatures on every backend, the
//! example of RFC 9068, and the negative tests for relying parties of the OpenID
//! Foundation, by name.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust"))]

mod support;

use std::collections::BTreeSet;
use std::io::Write;

use claimgate::error::{Claim, KeyRejected, Problem};
use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, Error, IdToken, Issuer, JwkSet, Login, Nonce,
    NumericDate, PublicKey, TokenBuffer,
};
use serde_json::{Value, json};
use support::*;
use wycheproof::TestResult;
use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};

/// A vector of Wycheproof's whose result differs here, and why.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Exception {
    set: String,
    /// The number of the vector, or `*` for each of a set.
    vector: String,
    /// What happens here.
    is_accepted: bool,
}

/// Reads `set vector verdict reason` lines. Every one has a reason.
fn exceptions() -> BTreeSet<Exception> {
    include_str!("data/wycheproof-exceptions.txt")
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| {
            let words: Vec<&str> = line.splitn(4, ' ').collect();
            let [set, vector, verdict, reason] = words[..] else { panic!("no reason: {line}") };
            assert!(reason.len() > 10 && ["accepted", "rejected"].contains(&verdict), "{line}");
            let is_accepted = verdict == "accepted";
            Exception { set: set.to_owned(), vector: vector.to_owned(), is_accepted }
        })
        .collect()
}

fn without_leading_zeros(octets: &[u8]) -> &[u8] {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    &octets[zeros..]
}

/// Runs all sets, and returns how many vectors were run, by suite.
fn run_wycheproof<K: PublicKey>() -> Vec<(String, usize)> {
    let exceptions = exceptions();
    let mut used = BTreeSet::new();
    let (mut counts, mut unexpected) = (Vec::new(), Vec::new());
    for name in TestName::all() {
        let set = format!("{name:?}");
        let is_sha256 = set.ends_with("Sha256") && !set.contains("Sha3_");
        let mut count = 0;
        for group in TestSet::load(name).unwrap().test_groups {
            let (n, e) = (without_leading_zeros(&group.key.n), without_leading_zeros(&group.key.e));
            let key = rsa_key::<K>(n, e);
            for test in group.tests {
                count += 1;
                let is_accepted =
                    key.as_ref().is_ok_and(|key| key.verify(&test.msg, &test.sig).is_ok());
                // A signature with another hash is none, however well it is made.
                let is_expected = is_sha256 && test.result != TestResult::Invalid;
                if is_accepted == is_expected {
                    continue;
                }
                let of = |vector: &str| {
                    let (set, vector) = (set.clone(), vector.to_owned());
                    Exception { set, vector, is_accepted }
                };
                let excuse = [of(&test.tc_id.to_string()), of("*")]
                    .into_iter()
                    .find(|exception| exceptions.contains(exception));
                let Some(excuse) = excuse else {
                    unexpected.push(format!("{set} {} {}", test.tc_id, test.comment));
                    continue;
                };
                used.insert(excuse);
            }
        }
        counts.push((set, count));
    }
    assert!(unexpected.is_empty(), "{unexpected:#?}");
    assert_eq!(used, exceptions, "an exception is stale");
    counts
}

macro_rules! wycheproof_tests {
    ($($name:ident: $key:ident if $feature:literal;)*) => {$(
        #[cfg(feature = $feature)]
        #[test]
        fn $name() {
            let counts = run_wycheproof::<claimgate::$key>();
            let total: usize = counts.iter().map(|(_, count)| count).sum();
            // Past the capture of the test harness: these counts are to be seen.
            let mut out = std::io::stderr();
            writeln!(out, "{}: {total} vectors of Wycheproof", $feature).unwrap();
            for (set, count) in counts {
                writeln!(out, "    {set} {count}").unwrap();
            }
            assert!(total > 5_000, "{total}");
        }
    )*};
}

wycheproof_tests! {
    wycheproof_on_ring: RingKey if "ring";
    wycheproof_on_aws_lc_rs: AwsLcKey if "aws-lc-rs";
    wycheproof_on_rust_crypto: PureRustKey if "pure-rust";
}

#[test]
fn small_keys_of_wycheproofs_are_rejected() {
    let group = &TestSet::load(TestName::Rsa2048Sha256).unwrap().test_groups[0];
    let n = without_leading_zeros(&group.key.n);
    for octets in [64, 128, 192, 255] {
        let mut n = n[..octets].to_vec();
        *n.last_mut().unwrap() |= 1;
        let key = rsa_key::<TestKey>(&n, &[1, 0, 1]);
        assert_eq!(key.map(|_| ()), Err(KeyRejected::ModulusTooSmall));
    }
}

#[test]
fn rfc_9068_2_2_3_1_is_accepted_as_it_stands() {
    // Header and claims of the RFC, signed by a key of ours.
    const ISSUER: &str = "https://authorization-server.example.com/";
    const API: &str = "https://rs.example.com/";
    let header = json!({"typ": "at+JWT", "alg": "RS256", "kid": "RjEwOwOA"});
    let claims = json!({
        "iss": ISSUER, "sub": "5ba552d67", "aud": API, "exp": 1_639_528_912_u64,
        "iat": 1_618_354_090_u64, "jti": "dbe39bf3a3ba4238a513f51d6e1691c4",
        "client_id": "s6BhdRkqt3", "scope": "openid profile reademail",
    });
    let set = jwks(&[with(Signer::a().jwk(), "kid", "RjEwOwOA")]);
    let keys = JwkSet::<TestKey, 1>::from_json(&set).unwrap();
    let issuer = Issuer::new(ISSUER, keys).unwrap();
    let policy = AccessTokenPolicy::rfc9068(API).build().unwrap();
    let token = Signer::a().sign_with(&header, &claims);
    let mut buffer = TokenBuffer::<2048>::new();
    let now = NumericDate::from_secs(1_618_354_090);
    let (token, trust) = (BearerToken::new(&token), (&issuer, &policy));
    let token = AccessToken::validate(token, trust, now, &mut buffer).unwrap();
    assert_eq!(token.client_id(), Some("s6BhdRkqt3"));
    assert!(token.scope().contains("reademail"));
}

/// What a relying party says of an ID token with this change.
fn relying_party(change: impl FnOnce(Value) -> Value) -> Result<(), Error> {
    let claims = with(change(with(id_claims(), "nonce", "n")), "sid", "1");
    let login = Login::new(Nonce::Expect("n")).build().unwrap();
    check_login(&LOGIN_POLICY, login, &Signer::a().sign(&claims), NOW)
}

fn with_keys(members: &[Value], header: &Value) -> Result<(), Error> {
    let trusted = Trusted::new(JwkSet::from_json(&jwks(members))?);
    let token = Signer::a().sign_with(header, &id_claims());
    trusted.id(&LOGIN_POLICY, LOGIN, &token, NOW)
}

#[test]
fn oidcc_client_test() {
    assert_eq!(relying_party(|claims| claims), Ok(()));
}

#[test]
fn oidcc_client_test_invalid_iss() {
    let verdict = relying_party(|claims| with(claims, "iss", "https://my-domain.auth0.com/1"));
    assert_eq!(verdict, Err(Error::IssuerMismatch));
}

#[test]
fn oidcc_client_test_missing_sub() {
    let verdict = relying_party(|claims| without(claims, "sub"));
    assert_eq!(verdict, Err(Error::MissingClaim(Claim::Subject)));
}

#[test]
fn oidcc_client_test_invalid_aud() {
    let verdict = relying_party(|claims| with(claims, "aud", "my_client_id1"));
    assert_eq!(verdict, Err(Error::AudienceMismatch { audiences: 1 }));
}

#[test]
fn oidcc_client_test_missing_aud() {
    let verdict = relying_party(|claims| without(claims, "aud"));
    assert_eq!(verdict, Err(Error::MissingClaim(Claim::Audience)));
}

#[test]
fn oidcc_client_test_missing_iat() {
    let verdict = relying_party(|claims| without(claims, "iat"));
    assert_eq!(verdict, Err(Error::MissingClaim(Claim::IssuedAt)));
}

#[test]
fn oidcc_client_test_missing_exp() {
    let verdict = relying_party(|claims| without(claims, "exp"));
    assert_eq!(verdict, Err(Error::MissingClaim(Claim::Expiry)));
}

#[test]
fn oidcc_client_test_nonce_invalid() {
    let verdict = relying_party(|claims| with(claims, "nonce", "n1"));
    assert_eq!(verdict, Err(Error::NonceMismatch));
}

#[test]
fn oidcc_client_test_nonce_missing() {
    let verdict = relying_party(|claims| without(claims, "nonce"));
    assert_eq!(verdict, Err(Error::MissingClaim(Claim::Nonce)));
}

#[test]
fn oidcc_client_test_invalid_sig_rs256() {
    let token = Signer::a().sign(&id_claims());
    let (input, signature) = token.rsplit_once('.').unwrap();
    let middle = signature.len() / 2;
    let other = if signature[middle..].starts_with('A') { "B" } else { "A" };
    let token = format!("{input}.{}{other}{}", &signature[..middle], &signature[middle + 1..]);
    assert_eq!(check_id(&LOGIN_POLICY, &token, NOW), Err(Error::InvalidSignature));
}

#[test]
fn oidcc_client_test_idtoken_sig_none() {
    let verdict = with_keys(&[Signer::a().jwk()], &json!({"alg": "none"}));
    assert_eq!(verdict, Err(Error::AlgorithmNotAllowed(Problem::WrongValue)));
}

#[test]
fn oidcc_client_test_idtoken_sig_of_another_algorithm() {
    for alg in ["HS256", "ES256", "PS256"] {
        let verdict = with_keys(&[Signer::a().jwk()], &json!({"alg": alg, "kid": "key-a"}));
        assert_eq!(verdict, Err(Error::AlgorithmNotAllowed(Problem::WrongValue)));
    }
}

#[test]
fn oidcc_client_test_kid_absent_single_jwks() {
    let header = json!({"alg": "RS256"});
    assert_eq!(with_keys(&[Signer::a().jwk()], &header), Ok(()));
    let encryption = with(Signer::b().jwk(), "use", "enc");
    assert_eq!(with_keys(&[encryption, Signer::a().jwk()], &header), Ok(()));
}

#[test]
fn oidcc_client_test_kid_absent_multiple_jwks() {
    let header = json!({"alg": "RS256"});
    let verdict = with_keys(&[Signer::a().jwk(), Signer::b().jwk()], &header);
    assert_eq!(verdict, Err(Error::AmbiguousKey { candidates: 2 }));
}

#[test]
fn oidcc_client_test_signing_key_rotation() {
    let header = json!({"alg": "RS256", "kid": "key-a"});
    let before = with_keys(&[Signer::b().jwk()], &header).unwrap_err();
    assert_eq!(before, Error::UnknownKey);
    assert!(before.is_worth_a_key_refresh());
    assert_eq!(with_keys(&[Signer::b().jwk(), Signer::a().jwk()], &header), Ok(()));
}

#[test]
fn oidcc_client_test_unparseable_key_in_the_jwks() {
    let header = json!({"alg": "RS256", "kid": "key-a"});
    for unparseable in [
        json!({"kty": "RSA", "kid": "x", "n": "!", "e": "AQAB"}),
        json!({"kty": "RSA", "kid": "x"}),
        json!({"kty": 1}),
        json!({}),
        json!("key"),
    ] {
        assert_eq!(with_keys(&[unparseable, Signer::a().jwk()], &header), Ok(()));
    }
}

#[test]
fn oidcc_client_test_invalid_and_missing_at_hash() {
    let login = Login::new(Nonce::Ignore).access_token(BearerToken::new("access token"));
    let login = login.build().unwrap();
    let check = |claims: &Value| check_login(&LOGIN_POLICY, login, &Signer::a().sign(claims), NOW);
    assert_eq!(check(&id_claims()), Err(Error::MissingClaim(Claim::AtHash)));
    let invalid = with(id_claims(), "at_hash", "77QmUPtjPfzWtF2AnpK9RQ");
    assert_eq!(check(&invalid), Err(Error::HashMismatch(Claim::AtHash)));
}

#[test]
fn oidcc_client_test_invalid_and_missing_c_hash() {
    let login = Login::new(Nonce::Ignore).code("code").build().unwrap();
    let check = |claims: &Value| check_login(&LOGIN_POLICY, login, &Signer::a().sign(claims), NOW);
    assert_eq!(check(&id_claims()), Err(Error::MissingClaim(Claim::CHash)));
    let invalid = with(id_claims(), "c_hash", "LDktKdoQak3Pk0cnXxCltA");
    assert_eq!(check(&invalid), Err(Error::HashMismatch(Claim::CHash)));
}

#[test]
fn oidcc_client_test_userinfo_invalid_sub() {
    let issuer = trusted();
    let token = Signer::a().sign(&id_claims());
    let (mut one, mut two) = (TokenBuffer::<2048>::new(), TokenBuffer::<2048>::new());
    let token = IdToken::validate(&token, (&issuer, &LOGIN_POLICY), LOGIN, NOW, &mut one).unwrap();
    let response = json!({"sub": "auth0|1234561", "name": "Jane"}).to_string();
    assert_eq!(token.user_info(&response, &mut two).map(|_| ()), Err(Error::SubjectMismatch));
}
