//! The rule book, DPoP proofs: P1 to P11.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust"))]

#[path = "support/signers.rs"]
mod signers;
mod support;

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::bearer::{Credentials, DpopToken};
use claimgate::dpop::{DpopError, DpopRequest};
use claimgate::error::{Claim, ConfigError, Input, JsonType, KeyRejected, Problem, WrongKind};
use claimgate::jwk::Algorithms;
use claimgate::policy::DpopPolicy;
use claimgate::policy::DpopPolicyBuilder;
use claimgate::replay::ReplayWindow;
use claimgate::{
    AccessToken, AccessTokenPolicy, Algorithm, BearerToken, Challenge, DpopProof, Error, Issuer,
    JwkSet, NumericDate, RequestKey, TokenBuffer, Validated,
};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use signers::{AnySigner, TestAnyKey};
use support::{API, EXP, IAT, ISSUER, NOW, Signer, access_claims, keys_of, with, without};

const METHOD: &str = "POST";
const URL: &str = "https://server.example.com/token";
const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";

fn base64_hash(text: &str) -> String {
    Base64UrlUnpadded::encode_string(digest(&SHA256, text.as_bytes()).as_ref())
}

fn claims() -> Value {
    json!({
        "jti": "-BwC3ESc6acc2lTc", "htm": METHOD, "htu": URL,
        "iat": NOW.as_secs(), "ath": base64_hash(TOKEN),
    })
}

fn set(name: &str, value: impl Into<Value>) -> Value {
    with(claims(), name, value)
}

/// Returns a proof's header, with only the required members of the signer's public key.
fn header(signer: &AnySigner) -> Value {
    json!({"typ": "dpop+jwt", "alg": signer.algorithm.name(), "jwk": signer.material().jwk()})
}

fn es256() -> AnySigner {
    AnySigner::a(Algorithm::Es256)
}

fn sign(header: &Value, claims: &Value) -> String {
    es256().sign_raw(header.to_string().as_bytes(), claims.to_string().as_bytes())
}

fn request() -> DpopRequest<'static> {
    DpopRequest::to_resource(METHOD, URL, DpopToken::new(TOKEN))
}

#[track_caller]
fn judge(
    policy: DpopPolicyBuilder,
    proof: &str,
    request: DpopRequest<'_>,
    now: NumericDate,
) -> Result<(), Error> {
    let mut buffer = TokenBuffer::<4096>::new();
    let policy = policy.build().unwrap();
    let proof = DpopProof::verify::<TestAnyKey, _>(proof, &policy, request, now, &mut buffer)?;
    proof.once(&mut ReplayWindow::<1>::new(), now).map(|_| ())
}

#[track_caller]
fn check(claims: &Value) -> Result<(), Error> {
    judge(DpopPolicy::new(), &sign(&header(&es256()), claims), request(), NOW)
}

#[track_caller]
fn check_header(header: &Value) -> Result<(), Error> {
    judge(DpopPolicy::new(), &sign(header, &claims()), request(), NOW)
}

#[test]
fn p01_a_request_has_one_proof_a_compact_jws() {
    assert_eq!(check(&claims()), Ok(()));
    assert_eq!(DpopProof::from_header_values(["a.b.c"]), Ok("a.b.c"));
    for values in [&[][..], &["a.b.c", "a.b.c"], &["a", "b", "c"]] {
        let values = values.iter().copied();
        assert_eq!(DpopProof::from_header_values(values), Err(Error::MalformedToken));
    }
    let judge = |text: &str| judge(DpopPolicy::new(), text, request(), NOW);
    assert_eq!(judge(""), Err(Error::MalformedToken));
    assert_eq!(judge("a.b"), Err(Error::MalformedToken));
    assert_eq!(judge("opaque"), Err(Error::MalformedToken));
    assert_eq!(judge("a.b.c.d.e"), Err(Error::MalformedToken));
    let good = sign(&header(&es256()), &claims());
    assert_eq!(judge(&format!("{good}, {good}")), Err(Error::MalformedToken));
    assert!(judge(&format!(" {good}")).is_err());
}

#[test]
fn p02_typ_is_dpop_jwt() {
    let typ = |typ: Value| check_header(&with(header(&es256()), "typ", typ));
    for good in ["dpop+jwt", "DPOP+JWT", "application/dpop+jwt"] {
        assert_eq!(typ(json!(good)), Ok(()), "{good}");
    }
    let wrong = Err(Error::TokenType(WrongKind::HeaderType));
    for bad in ["JWT", "at+jwt", "logout+jwt", "dpop", "", "dpop+jwt ", "text/dpop+jwt"] {
        assert_eq!(typ(json!(bad)), wrong, "{bad}");
    }
    assert_eq!(check_header(&without(header(&es256()), "typ")), wrong);
}

#[test]
fn p03_the_algorithm_is_one_of_the_key_type_and_of_the_policy() {
    for algorithm in Algorithm::ALL {
        let signer = AnySigner::a(algorithm);
        let proof = signer
            .sign_raw(header(&signer).to_string().as_bytes(), claims().to_string().as_bytes());
        assert_eq!(judge(DpopPolicy::new(), &proof, request(), NOW), Ok(()), "{algorithm}");
        let only = DpopPolicy::new().algorithms(Algorithms::of(&[algorithm]));
        assert_eq!(judge(only, &proof, request(), NOW), Ok(()), "{algorithm}");
        let others: Vec<Algorithm> =
            Algorithm::ALL.into_iter().filter(|other| *other != algorithm).collect();
        let refused = DpopPolicy::new().algorithms(Algorithms::of(&others));
        assert_eq!(
            judge(refused, &proof, request(), NOW),
            Err(Error::AlgorithmNotAllowed(Problem::WrongValue)),
            "{algorithm}"
        );
        // A key type with fewer algorithms.
        let mut buffer = TokenBuffer::<4096>::new();
        let policy = DpopPolicy::new().build().unwrap();
        let less =
            DpopProof::verify::<support::TestKey, _>(&proof, &policy, request(), NOW, &mut buffer);
        assert_eq!(less.is_ok(), algorithm == Algorithm::Rs256, "{algorithm}");
    }
    for name in ["none", "None", "HS256", "ES256K", "es256", ""] {
        let verdict = check_header(&with(header(&es256()), "alg", name));
        assert_eq!(verdict, Err(Error::AlgorithmNotAllowed(Problem::WrongValue)), "{name}");
    }
    let none = DpopPolicy::new().algorithms(Algorithms::of(&[])).build();
    assert_eq!(none, Err(ConfigError::EmptyList("algorithms")));
}

#[test]
fn p04_the_key_is_public_and_verifies_the_proof() {
    let good = header(&es256());
    let rejected = |reason| Err(Error::KeyRejected(reason));
    assert_eq!(check_header(&without(good.clone(), "jwk")), rejected(KeyRejected::Malformed));
    for jwk in [json!(null), json!("x"), json!([]), json!(1)] {
        assert_eq!(check_header(&with(good.clone(), "jwk", jwk)), rejected(KeyRejected::Malformed));
    }
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        let mut header = good.clone();
        header["jwk"][member] = json!("AA");
        assert_eq!(check_header(&header), rejected(KeyRejected::PrivateKey), "{member}");
    }
    // A key other than the one that signed.
    let other = AnySigner::b(Algorithm::Es256).material().jwk();
    assert_eq!(check_header(&with(good.clone(), "jwk", other)), Err(Error::InvalidSignature));
    // A key for another algorithm, curve or use.
    for algorithm in [Algorithm::Rs256, Algorithm::Es384, Algorithm::EdDsa] {
        let jwk = AnySigner::a(algorithm).material().jwk();
        let verdict = check_header(&with(good.clone(), "jwk", jwk));
        assert!(matches!(verdict, Err(Error::KeyRejected(_))), "{algorithm} {verdict:?}");
    }
    for (name, value) in [("alg", "ES384"), ("alg", "RS256"), ("use", "enc"), ("crv", "P-384")] {
        let mut header = good.clone();
        header["jwk"][name] = json!(value);
        assert!(matches!(check_header(&header), Err(Error::KeyRejected(_))), "{name} {value}");
    }
    let mut with_alg = good.clone();
    with_alg["jwk"]["alg"] = json!("ES256");
    with_alg["jwk"]["kid"] = json!("mine");
    assert_eq!(check_header(&with_alg), Ok(()));
    // No other header parameter supplies or selects a key.
    assert_eq!(check_header(&with(good.clone(), "kid", "another")), Ok(()));
    let x5c = with(without(good, "jwk"), "x5c", json!(["MIIC"]));
    assert_eq!(check_header(&x5c), rejected(KeyRejected::Malformed));
}

#[test]
fn f06_a_member_of_the_key_of_a_proof_is_not_given_twice() {
    let header = header(&es256()).to_string();
    let check = |member: &str| {
        let header = header.replace(r#""jwk":{"#, &format!(r#""jwk":{{{member},"#));
        let proof = es256().sign_raw(header.as_bytes(), claims().to_string().as_bytes());
        judge(DpopPolicy::new(), &proof, request(), NOW)
    };
    assert_eq!(check(r#""kid":"a""#), Ok(()));
    for member in [r#""kty":"EC""#, r#""\u006bty":"EC""#, r#""x":"AA""#, r#""a":1,"a":1"#] {
        assert_eq!(check(member), Err(Error::DuplicateMember(Input::Header)), "{member}");
    }
    assert_eq!(check(r#""a":{"b":1,"b":1}"#), Ok(()));
}

#[test]
fn p04_a_key_in_the_header_of_another_kind_of_token_is_ignored() {
    let attacker = AnySigner::b(Algorithm::Rs256);
    let header = json!({
        "alg": "RS256", "typ": "at+jwt", "jwk": attacker.material().jwk(), "kid": "key-a",
    });
    let forged =
        attacker.sign_raw(header.to_string().as_bytes(), access_claims().to_string().as_bytes());
    let issuer = Issuer::new(ISSUER, keys_of(&Signer::a())).unwrap();
    let policy = AccessTokenPolicy::general(API).build().unwrap();
    let mut buffer = TokenBuffer::<8192>::new();
    let verdict =
        AccessToken::validate(BearerToken::new(&forged), (&issuer, &policy), NOW, &mut buffer);
    assert_eq!(verdict.map(|_| ()), Err(Error::InvalidSignature));
}

#[test]
fn p05_htm_is_the_method_of_the_request() {
    let mismatch = Err(Error::ProofMismatch(Claim::HttpMethod));
    for method in ["GET", "post", "POS", "POSTX", "", "POST "] {
        assert_eq!(check(&set("htm", method)), mismatch, "{method}");
    }
    assert_eq!(check(&without(claims(), "htm")), Err(Error::MissingClaim(Claim::HttpMethod)));
    for value in [json!(1), json!(null), json!(["POST"])] {
        let wrong = Err(Error::ClaimType(Claim::HttpMethod, JsonType::String));
        assert_eq!(check(&set("htm", value)), wrong);
    }
}

#[test]
fn p06_htu_is_the_url_of_the_request() {
    let mismatch = Err(Error::ProofMismatch(Claim::HttpUri));
    for same in [
        "https://server.example.com/token?a=b",
        "https://server.example.com/token#f",
        "HTTPS://SERVER.example.COM/token",
        "https://server.example.com:443/token",
        "https://server.example.com/%74oken",
    ] {
        assert_eq!(check(&set("htu", same)), Ok(()), "{same}");
    }
    for other in [
        "http://server.example.com/token",
        "https://server.example.com/token/",
        "https://server.example.com/Token",
        "https://server.example.com/",
        "https://server.example.com",
        "https://server.example.com:8443/token",
        "https://server.example.com.evil/token",
        "https://user@server.example.com/token",
        "/token",
        "",
        "https://server.example.com/%2Ftoken",
        "https://server.example.com/a/../token",
        "https://server.example.com//token",
    ] {
        assert_eq!(check(&set("htu", other)), mismatch, "{other}");
    }
    assert_eq!(check(&without(claims(), "htu")), Err(Error::MissingClaim(Claim::HttpUri)));
    let wrong = Err(Error::ClaimType(Claim::HttpUri, JsonType::String));
    assert_eq!(check(&set("htu", json!([URL]))), wrong);
    // With an error in the server's own URL, every proof is rejected.
    let nowhere = DpopRequest::to_resource(METHOD, "/token", DpopToken::new(TOKEN));
    let proof = sign(&header(&es256()), &set("htu", "/token"));
    assert_eq!(judge(DpopPolicy::new(), &proof, nowhere, NOW), mismatch);
}

#[test]
fn p07_a_proof_is_neither_old_nor_from_the_future() {
    let proof = sign(&header(&es256()), &set("iat", IAT));
    for leeway in [0, 60] {
        for max_age in [0, 60, 600] {
            let policy = || DpopPolicy::new().leeway(leeway).max_age(max_age);
            let at = |now| judge(policy(), &proof, request(), NumericDate::from_secs(now));
            assert_eq!(at(IAT), Ok(()));
            assert_eq!(at(IAT + max_age + leeway), Ok(()));
            let age = max_age + leeway + 1;
            let old = Err(Error::ProofTooOld { age, limit: max_age, leeway });
            assert_eq!(at(IAT + age), old);
            assert_eq!(at(IAT - leeway), Ok(()));
            let now = IAT - leeway - 1;
            assert_eq!(at(now), Err(Error::IssuedInFuture { iat: IAT, now, leeway }));
        }
    }
    // A fraction makes the proof older, or later, on both sides.
    let text = claims().to_string().replace(&NOW.as_secs().to_string(), "1311280970.5");
    let proof = es256().sign_raw(header(&es256()).to_string().as_bytes(), text.as_bytes());
    let policy = || DpopPolicy::new().leeway(0);
    let at = |now| judge(policy(), &proof, request(), NumericDate::from_secs(now));
    assert_eq!(at(IAT), Err(Error::IssuedInFuture { iat: IAT, now: IAT, leeway: 0 }));
    assert_eq!((at(IAT + 1), at(IAT + 60)), (Ok(()), Ok(())));
    assert_eq!(at(IAT + 61), Err(Error::ProofTooOld { age: 61, limit: 60, leeway: 0 }));

    assert_eq!(check(&without(claims(), "iat")), Err(Error::MissingClaim(Claim::IssuedAt)));
    let wrong = Err(Error::ClaimType(Claim::IssuedAt, JsonType::NumericDate));
    for value in [json!("1"), json!(null), json!(-1), json!(true)] {
        assert_eq!(check(&set("iat", value)), wrong);
    }
    assert_eq!(DpopPolicy::new().max_age(601).build(), Err(ConfigError::ProofAgeTooLong));
    assert_eq!(DpopPolicy::new().leeway(601).build(), Err(ConfigError::LeewayTooLong));
    assert!(DpopPolicy::new().max_age(600).leeway(600).build().is_ok());
}

#[test]
fn p07_exp_and_nbf_of_a_proof_are_checked_if_they_are_present() {
    let at = |claims: &Value, leeway: u64, now: u64| {
        let proof = sign(&header(&es256()), claims);
        let policy = DpopPolicy::new().leeway(leeway).max_age(600);
        judge(policy, &proof, request(), NumericDate::from_secs(now))
    };
    let (exp, nbf) = (NOW.as_secs() + 10, NOW.as_secs() + 100);
    for leeway in [0, 60] {
        // A fraction of a second is rounded to the stricter side.
        for expires in [set("exp", exp), set("exp", exp as f64 + 0.5)] {
            let end = exp + leeway;
            assert_eq!(at(&expires, leeway, end - 1), Ok(()));
            for now in [end, end + 1] {
                let expired = Error::Expired { exp, now, leeway };
                assert_eq!(at(&expires, leeway, now), Err(expired));
            }
        }
        for begins in [set("nbf", nbf), set("nbf", nbf as f64 - 0.5)] {
            let start = nbf - leeway;
            for now in [start, start + 1] {
                assert_eq!(at(&begins, leeway, now), Ok(()));
            }
            let early = Error::NotYetValid { nbf, now: start - 1, leeway };
            assert_eq!(at(&begins, leeway, start - 1), Err(early));
        }
    }
    let expired = Error::Expired { exp: 0, now: NOW.as_secs(), leeway: 60 };
    assert_eq!(check(&set("exp", 0)), Err(expired));
    assert_eq!(check(&set("nbf", 0)), Ok(()));
    // The proof is remembered until the earlier of the two ends.
    for (exp, end) in [(NOW.as_secs() + 10, 70), (NOW.as_secs() + 61, 121), (EXP, 121)] {
        let proof = sign(&header(&es256()), &set("exp", exp));
        let policy = DpopPolicy::new().build().unwrap();
        let mut buffer = TokenBuffer::<4096>::new();
        let unseen =
            DpopProof::verify::<TestAnyKey, _>(&proof, &policy, request(), NOW, &mut buffer);
        let expected = NumericDate::from_secs(NOW.as_secs() + end);
        assert_eq!(unseen.unwrap().valid_until(), expected, "{exp}");
    }
    // Age and expiry are independent.
    let old = with(set("iat", NOW.as_secs() - 121), "exp", EXP);
    assert_eq!(check(&old), Err(Error::ProofTooOld { age: 121, limit: 60, leeway: 60 }));
}

#[test]
fn f07_a_registered_claim_of_a_proof_has_its_type_even_if_nothing_checks_it() {
    let values = [
        json!(null),
        json!(true),
        json!(NOW.as_secs()),
        json!("a"),
        json!([]),
        json!(["a", "b\n"]),
        json!([1]),
        json!(["a", null]),
        json!({}),
        json!(-1),
    ];
    for (name, claim, expected, right) in [
        ("iss", Claim::Issuer, JsonType::String, [3].as_slice()),
        ("sub", Claim::Subject, JsonType::String, &[3]),
        ("jti", Claim::TokenId, JsonType::String, &[3]),
        ("aud", Claim::Audience, JsonType::StringOrStrings, &[3, 4, 5]),
        ("exp", Claim::Expiry, JsonType::NumericDate, &[2]),
        ("nbf", Claim::NotBefore, JsonType::NumericDate, &[2]),
        ("iat", Claim::IssuedAt, JsonType::NumericDate, &[2]),
    ] {
        for (index, value) in values.iter().enumerate() {
            let wrong_type = Err(Error::ClaimType(claim, expected));
            let expected = if right.contains(&index) { Ok(()) } else { wrong_type };
            assert_eq!(check(&set(name, value.clone())), expected, "{name}: {value}");
        }
    }
    let audiences = |count: usize| set("aud", vec!["a"; count]);
    assert_eq!(check(&audiences(16)), Ok(()));
    assert_eq!(check(&audiences(17)), Err(Error::TooManyAudiences { limit: 16 }));
}

#[test]
fn p08_a_proof_is_used_once() {
    let mut window = ReplayWindow::<3>::new();
    let policy = DpopPolicy::new().build().unwrap();
    let mut use_at = |signer: &AnySigner, claims: &Value, now: u64| {
        let now = NumericDate::from_secs(now);
        let header = header(signer).to_string();
        let proof = signer.sign_raw(header.as_bytes(), claims.to_string().as_bytes());
        let mut buffer = TokenBuffer::<4096>::new();
        let unseen =
            DpopProof::verify::<TestAnyKey, _>(&proof, &policy, request(), now, &mut buffer)?;
        assert_eq!(unseen.valid_until().as_secs(), NOW.as_secs() + 121);
        unseen.once(&mut window, now).map(|_| ())
    };
    let (now, signer) = (NOW.as_secs(), es256());
    assert_eq!(use_at(&signer, &claims(), now), Ok(()));
    assert_eq!(use_at(&signer, &claims(), now), Err(Error::Replayed));
    // Another signature with the same identifier is the same proof.
    assert_eq!(use_at(&signer, &set("extra", 1), now + 1), Err(Error::Replayed));
    // Until the last second at which it would be accepted.
    assert_eq!(use_at(&signer, &claims(), now + 120), Err(Error::Replayed));
    let too_old = Error::ProofTooOld { age: 121, limit: 60, leeway: 60 };
    assert_eq!(use_at(&signer, &claims(), now + 121), Err(too_old));
    // Another key may use the same identifier.
    assert_eq!(use_at(&AnySigner::b(Algorithm::Es256), &claims(), now), Ok(()));
    assert_eq!(use_at(&signer, &set("jti", "another"), now), Ok(()));
    assert_eq!(use_at(&signer, &set("jti", "a third"), now), Err(Error::ReplayWindowFull));
    assert_eq!(use_at(&signer, &claims(), now), Err(Error::Replayed));
}

#[test]
fn p08_jti_has_1_to_256_bytes() {
    let missing = Err(Error::MissingClaim(Claim::TokenId));
    assert_eq!(check(&without(claims(), "jti")), missing);
    assert_eq!(check(&set("jti", "")), missing);
    assert_eq!(check(&set("jti", "x")), Ok(()));
    assert_eq!(check(&set("jti", "x".repeat(256))), Ok(()));
    let too_long = Err(Error::ClaimType(Claim::TokenId, JsonType::Identifier));
    assert_eq!(check(&set("jti", "x".repeat(257))), too_long);
    let wrong = Err(Error::ClaimType(Claim::TokenId, JsonType::String));
    assert_eq!(check(&set("jti", 7)), wrong);
}

#[test]
fn p09_ath_is_the_hash_of_the_access_token() {
    let mismatch = Err(Error::HashMismatch(Claim::AccessTokenHash));
    for hash in [
        base64_hash("other"),
        String::new(),
        format!("{}=", base64_hash(TOKEN)),
        base64_hash(TOKEN)[..42].to_owned(),
    ] {
        assert_eq!(check(&set("ath", hash.clone())), mismatch, "{hash}");
    }
    assert_eq!(check(&without(claims(), "ath")), Err(Error::MissingClaim(Claim::AccessTokenHash)));
    let wrong = Err(Error::ClaimType(Claim::AccessTokenHash, JsonType::String));
    assert_eq!(check(&set("ath", 1)), wrong);
    // A request without an access token requires none.
    let proof = sign(&header(&es256()), &without(claims(), "ath"));
    let without_token = DpopRequest::without_access_token(METHOD, URL);
    assert_eq!(judge(DpopPolicy::new(), &proof, without_token, NOW), Ok(()));
}

#[test]
fn p10_nonce_is_the_one_that_the_server_gave() {
    let with_nonce = |claims: &Value, nonce| {
        let proof = sign(&header(&es256()), claims);
        judge(DpopPolicy::new(), &proof, request().nonce(nonce), NOW)
    };
    let judge = |claims: &Value| with_nonce(claims, "eyJ7S_zG");
    assert_eq!(judge(&set("nonce", "eyJ7S_zG")), Ok(()));
    assert_eq!(judge(&claims()), Err(Error::MissingClaim(Claim::Nonce)));
    for nonce in ["", "eyJ7S_z", "eyJ7S_zG ", "eyj7s_zg"] {
        assert_eq!(judge(&set("nonce", nonce)), Err(Error::NonceMismatch), "{nonce}");
    }
    let wrong = Err(Error::ClaimType(Claim::Nonce, JsonType::String));
    assert_eq!(judge(&set("nonce", 1)), wrong);
    // An empty nonce is none that a server gave (RFC 9449, §8.1).
    for nonce in ["", "any"] {
        let verdict = with_nonce(&set("nonce", nonce), "");
        assert_eq!(verdict, Err(Error::NonceMismatch), "{nonce}");
    }
    // If no nonce was provided, any is accepted.
    assert_eq!(check(&set("nonce", "any")), Ok(()));
}

/// Returns an access token that is bound to this key, by an issuer with the same algorithm.
fn bound_token(jkt: &str) -> String {
    Signer::a().sign(&with(access_claims(), "cnf", json!({ "jkt": jkt })))
}

fn thumbprint(signer: &AnySigner) -> String {
    let keys = [signer.jwk()];
    let set = JwkSet::<TestAnyKey, 1>::from_json(&support::jwks(&keys)).unwrap();
    Base64UrlUnpadded::encode_string(set.keys()[0].thumbprint())
}

#[test]
fn p11_the_key_of_the_proof_is_that_of_the_access_token() {
    let signer = es256();
    let text = bound_token(&thumbprint(&signer));
    let claims = with(claims(), "ath", base64_hash(&text));
    let proof_text = sign(&header(&signer), &claims);
    let policy = DpopPolicy::new().build().unwrap();
    let mut buffer = TokenBuffer::<4096>::new();
    let request = DpopRequest::to_resource(METHOD, URL, DpopToken::new(&text));
    let mut window = ReplayWindow::<4>::new();
    let proof: Validated<DpopProof<'_>> =
        DpopProof::verify::<TestAnyKey, _>(&proof_text, &policy, request, NOW, &mut buffer)
            .unwrap()
            .once(&mut window, NOW)
            .unwrap();
    assert_eq!(proof.thumbprint(), thumbprint(&signer));
    assert_eq!(proof.token_id(), "-BwC3ESc6acc2lTc");
    assert_eq!(proof.issued_at(), Some(NOW));
    assert_eq!(format!("{proof:?}"), "Validated(DpopProof { .. })");

    let issuer = Issuer::new(ISSUER, keys_of(&Signer::a())).unwrap();
    let api = AccessTokenPolicy::general(API).build().unwrap();
    let mut token_buffer = TokenBuffer::<4096>::new();
    let mut judge = |token: BearerToken<'_>| {
        AccessToken::validate(token, (&issuer, &api), NOW, &mut token_buffer).map(|_| ())
    };
    assert_eq!(judge(DpopToken::new(&text).with_proof(&proof)), Ok(()));
    // Without its proof, it is rejected.
    assert_eq!(judge(BearerToken::new(&text)), Err(Error::ConfirmationRequired));
    // A token that is bound to another key, or to none.
    let other = bound_token(&thumbprint(&AnySigner::b(Algorithm::Es256)));
    assert_eq!(judge(DpopToken::new(&other).with_proof(&proof)), Err(Error::ConfirmationMismatch));
    let unbound = Signer::a().sign(&access_claims());
    assert_eq!(
        judge(DpopToken::new(&unbound).with_proof(&proof)),
        Err(Error::MissingClaim(Claim::Confirmation))
    );
    assert_eq!(Ok(proof.request_key()), RequestKey::dpop(&thumbprint(&signer)));
}

#[test]
fn p11_authorization_is_read_with_either_scheme() {
    for value in ["DPoP a.b.c", "dpop a.b.c", "DPOP   a.b.c"] {
        let dpop = Credentials::Dpop(DpopToken::new("a.b.c"));
        assert_eq!(Credentials::from_authorization(value), Ok(dpop), "{value}");
        assert_eq!(BearerToken::from_authorization(value), Err(Error::MissingToken));
    }
    let bearer = Credentials::Bearer(BearerToken::new("a.b.c"));
    assert_eq!(Credentials::from_authorization("Bearer a.b.c"), Ok(bearer));
    for value in ["", "Basic YTpi", "DPoPa.b.c", " DPoP a"] {
        assert_eq!(Credentials::from_authorization(value), Err(Error::MissingToken), "{value}");
    }
    for value in ["DPoP", "DPoP ", "DPoP a b", "DPoP a,b", "DPoP ä"] {
        let verdict = Credentials::from_authorization(value);
        assert!(matches!(verdict, Err(Error::InvalidRequest(_))), "{value} {verdict:?}");
    }
    let two = Credentials::from_authorization_values(["DPoP a", "Bearer a"]);
    assert!(matches!(two, Err(Error::InvalidRequest(_))));
    assert_eq!(Credentials::from_authorization_values([]), Err(Error::MissingToken));
    assert_eq!(format!("{:?}", DpopToken::new("secret")), "DpopToken([redacted])");
}

/// Validates an access token with a proof of the signer, with RS256 for both.
fn call<const W: usize>(
    text: &str,
    claims: &Value,
    request: DpopRequest<'_>,
    keys: &Signer,
    now: NumericDate,
    window: &mut ReplayWindow<W>,
) -> Result<String, DpopError> {
    let signer = AnySigner::a(Algorithm::Rs256);
    let header = header(&signer).to_string();
    let proof = signer.sign_raw(header.as_bytes(), claims.to_string().as_bytes());
    let issuer = Issuer::new(ISSUER, keys_of(keys)).unwrap();
    let api = AccessTokenPolicy::general(API).build().unwrap();
    let proofs = DpopPolicy::new().build().unwrap();
    let (mut one, mut two) = (TokenBuffer::<4096>::new(), TokenBuffer::<4096>::new());
    let (token, trust) = (DpopToken::new(text), (&issuer, &api));
    AccessToken::validate_with_proof(
        token, trust, &proof, &proofs, request, window, now, &mut one, &mut two,
    )
    .map(|token| token.subject().to_owned())
}

#[test]
fn p11_token_and_proof_are_validated_in_one_call() {
    let text = bound_token(&thumbprint(&AnySigner::a(Algorithm::Rs256)));
    let mut window = ReplayWindow::<8>::new();
    let request = DpopRequest::to_resource(METHOD, URL, DpopToken::new(&text));
    let mut call = |claims: &Value| call(&text, claims, request, &Signer::a(), NOW, &mut window);
    let claims = with(claims(), "ath", base64_hash(&text));
    assert_eq!(call(&claims), Ok("auth0|123456".to_owned()));
    assert_eq!(call(&claims), Err(DpopError::Proof(Error::Replayed)));
    let other = with(with(claims, "jti", "2"), "htm", "GET");
    let mismatch = DpopError::Proof(Error::ProofMismatch(Claim::HttpMethod));
    assert_eq!(call(&other), Err(mismatch));
    assert_eq!(mismatch.error().code(), "proof_mismatch");
}

#[test]
fn p08_a_proof_that_comes_with_a_rejected_token_is_not_used_up() {
    let signer = AnySigner::a(Algorithm::Rs256);
    let text = bound_token(&thumbprint(&signer));
    let mut window = ReplayWindow::<1>::new();
    let mut call = |text: &str, jti: &str, keys: &Signer, now: u64| {
        let request = DpopRequest::to_resource(METHOD, URL, DpopToken::new(text));
        let claims = with(with(claims(), "jti", jti), "iat", now);
        let claims = with(claims, "ath", base64_hash(text));
        let now = NumericDate::from_secs(now);
        let verdict = call(text, &claims, request, keys, now, &mut window);
        (verdict.map(|_| ()), window.count(now))
    };
    let (now, keys) = (NOW.as_secs(), Signer::a());
    // No token, an expired one, and one that is bound to another key.
    assert_eq!(call("opaque", "1", &keys, now), (Err(DpopError::Token(Error::OpaqueToken)), 0));
    let late = EXP + 60;
    let expired = Error::Expired { exp: EXP, now: late, leeway: 60 };
    assert_eq!(call(&text, "1", &keys, late), (Err(DpopError::Token(expired)), 0));
    let of_another = bound_token(&thumbprint(&AnySigner::b(Algorithm::Rs256)));
    let mismatch = DpopError::Token(Error::ConfirmationMismatch);
    assert_eq!(call(&of_another, "1", &keys, now), (Err(mismatch), 0));
    // The same request is accepted after the keys of the issuer were fetched again.
    let old_keys = Signer::b();
    assert_eq!(call(&text, "1", &old_keys, now), (Err(DpopError::Token(Error::UnknownKey)), 0));
    assert_eq!(call(&text, "1", &keys, now), (Ok(()), 1));
    assert_eq!(call(&text, "1", &keys, now), (Err(DpopError::Proof(Error::Replayed)), 1));
    assert_eq!(call(&text, "2", &keys, now), (Err(DpopError::Proof(Error::ReplayWindowFull)), 1));
}

#[test]
fn p09_ath_is_the_hash_of_the_token_that_is_validated_whatever_the_request_names() {
    let text = bound_token(&thumbprint(&AnySigner::a(Algorithm::Rs256)));
    for request in [
        DpopRequest::without_access_token(METHOD, URL),
        DpopRequest::to_resource(METHOD, URL, DpopToken::new(TOKEN)),
        DpopRequest::to_resource(METHOD, URL, DpopToken::new(&text)),
    ] {
        let mut window = ReplayWindow::<1>::new();
        let mut call = |claims: &Value| {
            call(&text, claims, request, &Signer::a(), NOW, &mut window).map(|_| ())
        };
        let missing = Err(DpopError::Proof(Error::MissingClaim(Claim::AccessTokenHash)));
        assert_eq!(call(&without(claims(), "ath")), missing, "{request:?}");
        // `ath` is that of `TOKEN`.
        let mismatch = Err(DpopError::Proof(Error::HashMismatch(Claim::AccessTokenHash)));
        assert_eq!(call(&claims()), mismatch, "{request:?}");
        assert_eq!(call(&set("ath", base64_hash(&text))), Ok(()), "{request:?}");
    }
}

#[test]
fn p11_challenges_are_those_of_rfc_9449() {
    let algorithms = Algorithms::of(&[Algorithm::Es256, Algorithm::Ps256]);
    let none = Challenge::new(Error::MissingToken).dpop(algorithms);
    assert_eq!(none.to_string(), r#"DPoP algs="PS256 ES256""#);
    assert_eq!(none.status(), 401);
    let token = Challenge::new(Error::InvalidSignature).realm("api").dpop(algorithms);
    assert_eq!(
        token.to_string(),
        r#"DPoP realm="api", algs="PS256 ES256", error="invalid_token", error_description="The signature is invalid""#
    );
    let proof = Challenge::new(Error::Replayed).dpop_proof(algorithms);
    assert_eq!(
        proof.to_string(),
        r#"DPoP algs="PS256 ES256", error="invalid_dpop_proof", error_description="The token was already used""#
    );
    for error in [Error::NonceMismatch, Error::MissingClaim(Claim::Nonce)] {
        let challenge = Challenge::new(error).dpop_proof(algorithms).to_string();
        assert!(challenge.contains(r#"error="use_dpop_nonce""#), "{challenge}");
    }
    // The client must send another proof, not request another token.
    for (error, of_proof, of_token) in [
        (
            Error::Expired { exp: 1, now: 2, leeway: 0 },
            "The proof has expired",
            "The token has expired",
        ),
        (
            Error::NotYetValid { nbf: 3, now: 2, leeway: 0 },
            "The proof is not yet valid",
            "The token is not yet valid",
        ),
    ] {
        let challenge = Challenge::new(error);
        for (challenge, text) in
            [(challenge.dpop_proof(algorithms), of_proof), (challenge.dpop(algorithms), of_token)]
        {
            let expected = format!("error_description=\"{text}\"");
            assert!(challenge.to_string().ends_with(&expected), "{challenge}");
        }
    }
    // A missing claim of the token is not reported as a missing nonce of the proof.
    let challenge = Challenge::new(Error::MissingClaim(Claim::Nonce)).dpop(algorithms).to_string();
    assert!(challenge.contains(r#"error="invalid_token""#), "{challenge}");
}

/// RFC 9449, Figure 2 in §4.1 and Figure 12 in §7.1, created for two requests in October 2019.
#[test]
fn p04_the_proofs_of_rfc_9449_are_valid() {
    let token_request = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6Ik\
        VDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCR\
        nMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JE\
        QSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIj\
        oiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwia\
        WF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg\
        4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
    let resource_request = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6Ik\
        VDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCR\
        nMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JE\
        QSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIj\
        oiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0Z\
        WRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNF\
        c05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71E\
        OptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
    let jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    let policy = DpopPolicy::new().build().unwrap();
    for (proof, request, iat) in [
        (
            token_request,
            DpopRequest::without_access_token("POST", "https://server.example.com/token"),
            1_562_262_616,
        ),
        (
            resource_request,
            DpopRequest::to_resource(
                "GET",
                "https://resource.example.org/protectedresource",
                DpopToken::new("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"),
            ),
            1_562_262_618,
        ),
    ] {
        let now = NumericDate::from_secs(iat);
        let mut buffer = TokenBuffer::<4096>::new();
        let verified =
            DpopProof::verify::<TestAnyKey, _>(proof, &policy, request, now, &mut buffer).unwrap();
        let proof = verified.once(&mut ReplayWindow::<1>::new(), now).unwrap();
        assert_eq!(proof.thumbprint(), jkt);
    }
}

#[test]
fn p11_an_error_says_whether_the_proof_or_the_token_was_rejected() {
    let error = Error::IssuerMismatch;
    assert_eq!(DpopError::Proof(error).to_string(), format!("DPoP proof: {error}"));
    assert_eq!(DpopError::Token(error).to_string(), error.to_string());
}
