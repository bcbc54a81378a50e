//! The rule book, header and key: K1 to K11.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]

mod support;

use std::cell::RefCell;

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::error::{
    HeaderParameter, Input, InvalidSignature, KeyRejected, KeyType, Problem, WrongKind,
};
use claimgate::jwk::{Algorithms, Jwk, KeyMaterial, Skipped, VerifyingKey};
use claimgate::jws::{CompactJws, Header};
use claimgate::refresh::{JwksRefresh, RefreshDecision};
use claimgate::{
    AccessToken, Algorithm, BearerToken, Error, Issuer, JwkSet, PublicKey, TokenBuffer,
};
use serde_json::{Value, json};
use support::*;

const ABSENT: Result<(), Error> = Err(Error::AlgorithmNotAllowed(Problem::Absent));
const WRONG_TYPE: Result<(), Error> = Err(Error::AlgorithmNotAllowed(Problem::WrongType));
const WRONG_VALUE: Result<(), Error> = Err(Error::AlgorithmNotAllowed(Problem::WrongValue));

type Keys = JwkSet<TestKey, 4>;

fn set(members: &[Value]) -> Result<Keys, Error> {
    Keys::from_json(&jwks(members))
}

/// Returns the issuer with these keys.
fn trust(members: &[Value]) -> Trusted {
    Trusted::new(set(members).unwrap())
}

/// Returns the verdict on an access token, which must be the same for every validation
/// function.
#[track_caller]
fn check_with(trusted: &Trusted, token: &str) -> Result<(), Error> {
    trusted.access(&API_POLICY, BearerToken::new(token), NOW)
}

/// Returns the reason why the only member of a set is not used.
#[track_caller]
fn reason(member: Value) -> KeyRejected {
    let keys = set(&[Signer::b().jwk(), member]).unwrap();
    let [skipped] = keys.skipped() else { panic!("not skipped") };
    assert_eq!(skipped.index, 1);
    assert_eq!(keys.keys().len(), 1);
    skipped.reason
}

fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

#[test]
fn k01_the_algorithm_is_exactly_rs256() {
    assert_eq!(access_with_header(&json!({"alg": "RS256"})), Ok(()));
    assert_eq!(access_with_header(&json!({"typ": "JWT"})), ABSENT);
    for alg in [json!(null), json!(256), json!(["RS256"]), json!({}), json!(true)] {
        assert_eq!(access_with_header(&json!({"alg": alg})), WRONG_TYPE);
    }
    for alg in [
        "",
        "none",
        "None",
        "NONE",
        "nOnE",
        "none ",
        "HS256",
        "HS384",
        "HS512",
        "RS384",
        "RS512",
        "PS256",
        "PS384",
        "PS512",
        "ES256",
        "EdDSA",
        "RSA1_5",
        "rs256",
        "PublicKey",
        "RS256 ",
        " RS256",
        "RS256\0",
        "RS2560",
        "RS25",
        "RS256,none",
    ] {
        assert_eq!(access_with_header(&json!({"alg": alg})), WRONG_VALUE, "{alg}");
    }
}

#[test]
fn k01_a_key_verifies_no_other_algorithm_than_its_own() {
    // Step by step: these functions accept every algorithm.
    let keys = set(&[Signer::a().jwk()]).unwrap();
    for alg in ["RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"] {
        let header = json!({"alg": alg, "kid": "key-a"});
        let token = Signer::a().sign_with(&header, &access_claims());
        let mut buffer = [0; 4096];
        let jws = CompactJws::parse(&token).unwrap().decode(&mut buffer).unwrap();
        assert_eq!(keys.select(jws.header()).map(|_| ()), WRONG_VALUE, "{alg}");
        assert_eq!(jws.verify(keys.keys()[0].key()).map(|_| ()), WRONG_VALUE, "{alg}");
    }
    let mut buffer = [0; 4096];
    let token = Signer::a().sign(&access_claims());
    let jws = CompactJws::parse(&token).unwrap().decode(&mut buffer).unwrap();
    let key = keys.select(jws.header()).unwrap();
    assert!(jws.verify(key).is_ok());
}

#[test]
fn k01_an_hmac_with_the_public_key_as_its_secret_is_rejected() {
    let (n, _) = Signer::a().components();
    let header = encode(br#"{"alg":"HS256","kid":"key-a"}"#);
    let payload = encode(access_claims().to_string().as_bytes());
    let input = format!("{header}.{payload}");
    let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &n);
    let tag = ring::hmac::sign(&secret, input.as_bytes());
    let token = format!("{input}.{}", encode(tag.as_ref()));
    assert_eq!(check_access(&API_POLICY, &token, NOW), WRONG_VALUE);
}

#[test]
fn k01_a_token_without_a_signature_is_rejected() {
    let header = encode(br#"{"alg":"none"}"#);
    let payload = encode(access_claims().to_string().as_bytes());
    let unsigned = format!("{header}.{payload}.");
    assert_eq!(check_access(&API_POLICY, &unsigned, NOW), Err(Error::MalformedToken));
    assert_eq!(check_access(&API_POLICY, &format!("{unsigned}AA"), NOW), WRONG_VALUE);
}

#[test]
fn k02_crit_is_rejected_whatever_it_holds() {
    let critical = Err(Error::CriticalHeader(HeaderParameter::Critical));
    for crit in [json!(["exp"]), json!(["b64"]), json!([]), json!(null), json!("exp"), json!(1)] {
        let header = json!({"alg": "RS256", "crit": crit, "exp": 0});
        assert_eq!(access_with_header(&header), critical, "{crit}");
    }
}

#[test]
fn k03_a_key_in_the_header_is_not_used() {
    let (a, b) = (Signer::a(), Signer::b());
    let foreign = [
        ("jwk", b.jwk()),
        ("jku", json!("https://attacker.example/jwks.json")),
        ("x5u", json!("https://attacker.example/certificate.pem")),
        ("x5c", json!(["MIIB"])),
    ];
    for (name, value) in foreign {
        for kid in [json!({"alg": "RS256"}), json!({"alg": "RS256", "kid": "key-a"})] {
            let header = with(kid, name, value.clone());
            let forged = b.sign_with(&header, &access_claims());
            assert_eq!(check_access(&API_POLICY, &forged, NOW), Err(Error::InvalidSignature));
            // It does not prevent verification with the issuer's key either.
            let genuine = a.sign_with(&header, &access_claims());
            assert_eq!(check_access(&API_POLICY, &genuine, NOW), Ok(()), "{name}");
        }
    }
}

#[test]
fn k04_an_unencoded_payload_and_compression_are_rejected() {
    for value in [json!(false), json!(true), json!("false"), json!(null)] {
        let header = json!({"alg": "RS256", "b64": value});
        let expected = Err(Error::CriticalHeader(HeaderParameter::B64));
        assert_eq!(access_with_header(&header), expected, "{value}");
    }
    for value in [json!("DEF"), json!(null)] {
        let header = json!({"alg": "RS256", "zip": value});
        assert_eq!(
            access_with_header(&header),
            Err(Error::CriticalHeader(HeaderParameter::Zip)),
            "{value}"
        );
    }
}

#[test]
fn k05_only_keys_of_the_tokens_kid_are_tried() {
    let (a, b) = (Signer::a(), Signer::b());
    let keys = trust(&[a.jwk(), b.jwk()]);
    assert_eq!(check_with(&keys, &a.sign(&access_claims())), Ok(()));
    assert_eq!(check_with(&keys, &b.sign(&access_claims())), Ok(()));
    let header = json!({"alg": "RS256", "kid": "key-b"});
    let swapped = a.sign_with(&header, &access_claims());
    assert_eq!(check_with(&keys, &swapped), Err(Error::InvalidSignature));
}

#[test]
fn k05_an_unknown_kid_is_worth_a_refresh_and_nothing_else_is() {
    for kid in ["", "key", "KEY-A", "key-a ", "key-a\0", "key-aa"] {
        let verdict = access_with_header(&json!({"alg": "RS256", "kid": kid}));
        assert_eq!(verdict, Err(Error::UnknownKey), "{kid}");
        assert!(verdict.unwrap_err().is_worth_a_key_refresh());
    }
    assert!(!Error::InvalidSignature.is_worth_a_key_refresh());
    assert!(!Error::AmbiguousKey { candidates: 2 }.is_worth_a_key_refresh());
}

#[test]
fn k05_a_kid_may_be_escaped() {
    let payload = access_claims().to_string();
    let header = br#"{"alg":"RS256","kid":"\u006bey\u002da"}"#;
    assert_eq!(access_raw(header, payload.as_bytes()), Ok(()));
    let quoted = with(Signer::a().jwk(), "kid", "\"quoted\\\"");
    let header = json!({"alg": "RS256", "kid": "\"quoted\\\""});
    let token = Signer::a().sign_with(&header, &access_claims());
    assert_eq!(check_with(&trust(&[quoted]), &token), Ok(()));
}

#[test]
fn k15_kid_and_typ_are_strings_of_acceptable_length() {
    let wrong = Err(Error::HeaderType(HeaderParameter::KeyId));
    for kid in [json!(1), json!(null), json!(["key-a"]), json!({})] {
        assert_eq!(access_with_header(&json!({"alg": "RS256", "kid": kid})), wrong);
    }
    let kid = |character: &str, length: usize| {
        access_with_header(&json!({"alg": "RS256", "kid": character.repeat(length)}))
    };
    assert_eq!(Header::MAX_KEY_ID_LEN, 256);
    for (character, length) in [("k", 256), ("\u{f6}", 128), ("\"", 256)] {
        assert_eq!(kid(character, length), Err(Error::UnknownKey));
        assert_eq!(kid(character, length + 1), wrong);
    }
    let wrong = Err(Error::HeaderType(HeaderParameter::Type));
    for typ in [json!(1), json!(null), json!(["JWT"]), json!({}), json!(true)] {
        assert_eq!(access_with_header(&json!({"alg": "RS256", "typ": typ})), wrong);
    }
    let typ = |character: &str, length: usize| {
        access_with_header(&json!({"alg": "RS256", "typ": character.repeat(length)}))
    };
    assert_eq!(Header::MAX_TYP_LEN, 256);
    for (character, length) in [("J", 256), ("\u{f6}", 128), ("\"", 256)] {
        assert_eq!(typ(character, length), Err(Error::TokenType(WrongKind::HeaderType)));
        for length in [length + 1, 600] {
            assert_eq!(typ(character, length), wrong, "{length}");
        }
    }
    assert_eq!(typ("J", 1_500), wrong);
    // The length is that of the unescaped string.
    let escaped = format!(r#"{{"alg":"RS256","typ":"{}"}}"#, r"\u004a".repeat(256));
    let claims = access_claims().to_string();
    let verdict = access_raw(escaped.as_bytes(), claims.as_bytes());
    assert_eq!(verdict, Err(Error::TokenType(WrongKind::HeaderType)));
}

#[test]
fn k06_without_a_kid_one_key_is_used_and_several_are_ambiguous() {
    let (a, b) = (Signer::a(), Signer::b());
    let token = a.sign_with(&json!({"alg": "RS256"}), &access_claims());
    let ec = json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"});
    assert_eq!(check_with(&trust(&[a.jwk()]), &token), Ok(()));
    assert_eq!(check_with(&trust(&[ec, a.jwk()]), &token), Ok(()));
    assert_eq!(check_with(&trust(&[b.jwk()]), &token), Err(Error::InvalidSignature));
    let several = trust(&[a.jwk(), b.jwk()]);
    assert_eq!(check_with(&several, &token), Err(Error::AmbiguousKey { candidates: 2 }));
}

#[test]
fn k06_a_key_without_a_kid_serves_tokens_without_one() {
    let a = Signer::a();
    let keys = trust(&[without(a.jwk(), "kid")]);
    let token = a.sign_with(&json!({"alg": "RS256"}), &access_claims());
    assert_eq!(check_with(&keys, &token), Ok(()));
    assert_eq!(check_with(&keys, &a.sign(&access_claims())), Err(Error::UnknownKey));
}

#[test]
fn k07_a_key_for_something_else_is_skipped() {
    let jwk = Signer::a().jwk();
    for (name, value, expected) in [
        ("kty", json!("EC"), KeyRejected::KeyType(KeyType::Ec)),
        ("kty", json!("oct"), KeyRejected::KeyType(KeyType::Oct)),
        ("kty", json!("OKP"), KeyRejected::KeyType(KeyType::Okp)),
        ("kty", json!("rsa"), KeyRejected::KeyType(KeyType::Other)),
        ("kty", json!(1), KeyRejected::Malformed),
        ("use", json!("enc"), KeyRejected::Use),
        ("use", json!("SIG"), KeyRejected::Use),
        ("use", json!(""), KeyRejected::Use),
        ("use", json!(null), KeyRejected::Malformed),
        ("key_ops", json!([]), KeyRejected::KeyOperations),
        ("key_ops", json!(["sign", "encrypt"]), KeyRejected::KeyOperations),
        ("key_ops", json!("verify"), KeyRejected::Malformed),
        ("key_ops", json!([1]), KeyRejected::Malformed),
        ("key_ops", json!([1, "verify"]), KeyRejected::Malformed),
        ("key_ops", json!(["verify", null]), KeyRejected::Malformed),
        ("key_ops", json!(["verify", ["verify"]]), KeyRejected::Malformed),
        ("key_ops", json!(["sign", {}]), KeyRejected::Malformed),
        ("alg", json!("RS512"), KeyRejected::Algorithm(Some(Algorithm::Rs512))),
        ("alg", json!("PS256"), KeyRejected::Algorithm(Some(Algorithm::Ps256))),
        ("alg", json!("RSA-OAEP"), KeyRejected::Algorithm(None)),
        ("alg", json!("rs256"), KeyRejected::Algorithm(None)),
        ("alg", json!(null), KeyRejected::Malformed),
        ("kid", json!(1), KeyRejected::Malformed),
        ("kid", json!("k".repeat(Header::MAX_KEY_ID_LEN + 1)), KeyRejected::KeyIdTooLong),
    ] {
        assert_eq!(reason(with(jwk.clone(), name, value.clone())), expected, "{name}: {value}");
    }
    assert_eq!(reason(without(jwk, "kty")), KeyRejected::KeyType(KeyType::Other));
}

#[test]
fn k07_use_and_key_ops_both_allow_the_key() {
    let key = |usage: &str, operations: Value| {
        with(with(Signer::a().jwk(), "use", usage), "key_ops", operations)
    };
    assert_eq!(set(&[key("sig", json!(["verify"]))]).unwrap().keys().len(), 1);
    assert_eq!(reason(key("enc", json!(["verify"]))), KeyRejected::Use);
    assert_eq!(reason(key("sig", json!(["encrypt"]))), KeyRejected::KeyOperations);
    assert_eq!(reason(key("enc", json!(["encrypt"]))), KeyRejected::Use);
    for operations in [json!(["Verify"]), json!(["verify "]), json!(["verif"]), json!(["wrapKey"])]
    {
        assert_eq!(reason(key("sig", operations)), KeyRejected::KeyOperations);
    }
}

#[test]
fn k07_a_key_that_says_less_is_used() {
    let jwk = Signer::a().jwk();
    for jwk in [
        without(jwk.clone(), "use"),
        without(jwk.clone(), "alg"),
        without(without(jwk.clone(), "use"), "alg"),
        with(jwk.clone(), "key_ops", json!(["verify"])),
        with(jwk.clone(), "key_ops", json!(["sign", "verify"])),
        with(jwk.clone(), "kid", "k".repeat(Header::MAX_KEY_ID_LEN)),
        with(jwk, "x5c", json!(["MIIC"])),
    ] {
        assert_eq!(set(&[jwk]).unwrap().keys().len(), 1);
    }
}

#[test]
fn k08_unusable_members_are_skipped_each_with_its_reason() {
    let a = Signer::a().jwk();
    let keys = set(&[
        json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}),
        json!({"kty": "oct", "k": "c2VjcmV0"}),
        a.clone(),
        json!({"kty": "OKP", "crv": "Ed25519", "x": "AA"}),
        json!({"kty": "unheard-of"}),
        with(a.clone(), "use", "enc"),
        json!(17),
        json!(null),
        json!({}),
        with(a, "n", "AQAB"),
    ])
    .unwrap();
    let skipped = |index, reason| Skipped { index, reason };
    assert_eq!(
        keys.skipped(),
        [
            skipped(0, KeyRejected::KeyType(KeyType::Ec)),
            skipped(1, KeyRejected::KeyType(KeyType::Oct)),
            skipped(3, KeyRejected::KeyType(KeyType::Okp)),
            skipped(4, KeyRejected::KeyType(KeyType::Other)),
            skipped(5, KeyRejected::Use),
            skipped(6, KeyRejected::Malformed),
            skipped(7, KeyRejected::Malformed),
            skipped(8, KeyRejected::KeyType(KeyType::Other)),
            skipped(9, KeyRejected::ModulusTooSmall { bits: 17 }),
        ]
    );
    assert_eq!(keys.keys().len(), 1);
    assert_eq!(keys.keys()[0].key_id(), Some("key-a"));
}

#[test]
fn k08_a_duplicated_member_makes_a_key_unusable() {
    let jwk = Signer::a().jwk().to_string();
    for member in [r#""kid":"other""#, r#""\u006bid":"other""#, r#""x":1,"x":2"#] {
        let text = format!(r#"{{"keys":[{{{member},{}]}}"#, &jwk[1..]);
        let error = Keys::from_json(&text).map(|_| ()).unwrap_err();
        let Error::NoUsableKeys(counts) = error else { panic!("{error}") };
        assert_eq!(counts.iter().collect::<Vec<_>>(), [(KeyRejected::Malformed, 1)]);
    }
}

#[test]
fn k08_a_set_with_no_key_left_is_an_error_that_says_why() {
    let a = Signer::a().jwk();
    let ec = json!({"kty": "EC"});
    let error = set(&[ec.clone(), ec, with(a, "use", "enc")]).map(|_| ()).unwrap_err();
    assert_eq!(error.code(), "no_usable_keys");
    let Error::NoUsableKeys(counts) = error else { panic!("{error}") };
    let counts: Vec<_> = counts.iter().collect();
    assert_eq!(counts, [(KeyRejected::KeyType(KeyType::Ec), 2), (KeyRejected::Use, 1)]);
    assert_eq!(set(&[]).map(|_| ()).unwrap_err().code(), "no_usable_keys");
}

#[test]
fn k08_two_usable_keys_with_one_kid_are_ambiguous() {
    let (a, b) = (Signer::a(), Signer::b());
    let twin = with(b.jwk(), "kid", "key-a");
    let token = a.sign(&access_claims());
    let ambiguous = Err(Error::AmbiguousKey { candidates: 2 });
    assert_eq!(check_with(&trust(&[a.jwk(), twin.clone()]), &token), ambiguous);
    assert_eq!(check_with(&trust(&[a.jwk(), a.jwk()]), &token), ambiguous);
    // An unusable duplicate is not a candidate.
    let unusable = with(twin, "use", "enc");
    assert_eq!(check_with(&trust(&[a.jwk(), unusable]), &token), Ok(()));
}

#[test]
fn k08_a_text_that_is_no_key_set_is_an_error() {
    use claimgate::error::JsonProblem;
    let error = |text: &str| Keys::from_json(text).map(|_| ()).unwrap_err();
    let invalid = |fault| Error::InvalidJson(Input::JwkSet, fault);
    for text in ["{}", r#"{"keys":{}}"#, r#"{"keys":null}"#, r#"{"KEYS":[]}"#] {
        assert_eq!(error(text), invalid(JsonProblem::NotAKeySet), "{text}");
    }
    assert_eq!(error("[]"), invalid(JsonProblem::NotAnObject));
    assert_eq!(error(r#"{"keys":[]} x"#), invalid(JsonProblem::TrailingData));
    assert_eq!(error(r#"{"keys":[}"#), invalid(JsonProblem::Syntax));
    assert_eq!(error(r#"{"keys":[],"keys":[]}"#), Error::DuplicateMember(Input::JwkSet));
}

fn jwk(signer: &Signer, kid: Option<&str>) -> Result<Jwk<TestKey>, KeyRejected> {
    let (n, e) = signer.components();
    Jwk::new(Algorithm::Rs256, KeyMaterial::Rsa { n: &n, e: &e }, kid)
}

#[test]
fn k08_a_set_of_numbers_is_that_of_the_same_keys_in_json() {
    let (a, b) = (Signer::a(), Signer::b());
    let parsed = set(&[a.jwk(), without(b.jwk(), "kid")]).unwrap();
    let built = Keys::from_keys([jwk(&a, Some("key-a")).unwrap(), jwk(&b, None).unwrap()]).unwrap();
    assert_eq!(built.fingerprint(), parsed.fingerprint());
    assert_eq!((built.keys().len(), built.skipped()), (2, &[][..]));
    for (built, parsed) in built.keys().iter().zip(parsed.keys()) {
        assert_eq!(built.thumbprint(), parsed.thumbprint());
        assert_eq!(built.key_id(), parsed.key_id());
        assert_eq!(built.key().algorithm(), parsed.key().algorithm());
        assert_eq!(built.key().signature_len(), parsed.key().signature_len());
    }
    let trusted = Trusted::new(built);
    assert_eq!(check_with(&trusted, &a.sign(&access_claims())), Ok(()));
    let bare = a.sign_with(&json!({"alg": "RS256"}), &access_claims());
    assert_eq!(check_with(&trusted, &bare), Err(Error::AmbiguousKey { candidates: 2 }));
}

#[test]
fn k08_keys_that_are_known_as_numbers_meet_the_same_rules() {
    let a = Signer::a();
    let twice = [jwk(&a, Some("key-a")).unwrap(), jwk(&a, Some("key-a")).unwrap()];
    let trusted = Trusted::new(Keys::from_keys(twice).unwrap());
    let ambiguous = Err(Error::AmbiguousKey { candidates: 2 });
    assert_eq!(check_with(&trusted, &a.sign(&access_claims())), ambiguous);
    assert_eq!(Keys::from_keys([]).map(|_| ()).unwrap_err().code(), "no_usable_keys");
    let two = [jwk(&a, Some("1")).unwrap(), jwk(&a, Some("2")).unwrap()];
    let too_many = Err(Error::TooManyKeys { limit: 1 });
    assert_eq!(JwkSet::<TestKey, 1>::from_keys(two).map(|_| ()), too_many);
    let kid = |length| jwk(&a, Some(&"k".repeat(length))).map(|_| ());
    assert_eq!(kid(Header::MAX_KEY_ID_LEN), Ok(()));
    assert_eq!(kid(Header::MAX_KEY_ID_LEN + 1), Err(KeyRejected::KeyIdTooLong));
    let small = KeyMaterial::Rsa { n: &modulus(2047), e: F4 };
    let rejected = Jwk::<TestKey>::new(Algorithm::Rs256, small, None).map(|_| ());
    assert_eq!(rejected, Err(KeyRejected::ModulusTooSmall { bits: 2047 }));
    let (n, e) = a.components();
    let other = Jwk::<TestKey>::new(Algorithm::Rs384, KeyMaterial::Rsa { n: &n, e: &e }, None);
    assert_eq!(other.map(|_| ()), Err(KeyRejected::Algorithm(Some(Algorithm::Rs384))));
}

#[test]
fn k08_a_set_holds_as_many_keys_as_it_has_room_for() {
    let (a, b) = (Signer::a().jwk(), Signer::b().jwk());
    let text = jwks(&[a.clone(), b]);
    assert_eq!(JwkSet::<TestKey, 2>::from_json(&text).unwrap().keys().len(), 2);
    let error = JwkSet::<TestKey, 1>::from_json(&text).map(|_| ());
    assert_eq!(error, Err(Error::TooManyKeys { limit: 1 }));
    // Unusable members do not count.
    let mut members = vec![json!({"kty": "oct", "k": "AA"}); 40];
    members.push(a.clone());
    let keys = JwkSet::<TestKey, 1>::from_json(&jwks(&members)).unwrap();
    assert_eq!((keys.keys().len(), keys.skipped_count()), (1, 40));
    members.push(Signer::b().jwk());
    let error = JwkSet::<TestKey, 1>::from_json(&jwks(&members)).map(|_| ());
    assert_eq!(error, Err(Error::TooManyKeys { limit: 1 }));
}

#[test]
fn k08_any_number_of_unusable_members_is_skipped_and_counted() {
    let oct = json!({"kty": "oct", "k": "AA"});
    let with_a_key = |count: usize, at: usize| {
        let mut members = vec![oct.clone(); count];
        members.insert(at, Signer::a().jwk());
        set(&members).unwrap()
    };
    for count in [0, 1, 31, 32, 33, 255, 256, 1_000] {
        for at in [0, count] {
            let keys = with_a_key(count, at);
            assert_eq!((keys.keys().len(), keys.skipped_count()), (1, count));
            // The first ones are listed.
            let listed: Vec<Skipped> = (0..=count)
                .filter(|index| *index != at)
                .map(|index| Skipped { index, reason: KeyRejected::KeyType(KeyType::Oct) })
                .take(Skipped::MAX)
                .collect();
            assert_eq!(keys.skipped(), listed);
        }
        let error = set(&vec![oct.clone(); count]).map(|_| ()).unwrap_err();
        let Error::NoUsableKeys(counts) = error else { panic!("{error}") };
        let expected = (KeyRejected::KeyType(KeyType::Oct), u16::try_from(count).unwrap());
        assert_eq!(counts.iter().collect::<Vec<_>>(), &[expected][..count.min(1)]);
        assert_eq!(counts.others(), 0);
    }
    // A count ends at 65,535; the set has the exact number.
    let zeros = vec![json!(0); 65_536];
    let error = set(&zeros).map(|_| ()).unwrap_err();
    let Error::NoUsableKeys(counts) = error else { panic!("{error}") };
    assert_eq!(counts.iter().collect::<Vec<_>>(), [(KeyRejected::Malformed, u16::MAX)]);
    let members = [zeros, vec![Signer::a().jwk()]].concat();
    assert_eq!(set(&members).unwrap().skipped_count(), 65_536);
}

#[test]
fn r1_a_key_set_with_any_number_of_unusable_members_replaces_the_old_one() {
    for count in [0, 32, 33, 300] {
        let mut refresh = JwksRefresh::new();
        assert_eq!(refresh.on_schedule(NOW), RefreshDecision::FetchNow);
        let mut keys = Some(set(&[Signer::a().jwk()]).unwrap());
        let fetched = set(&vec![json!({"kty": "oct", "k": "AA"}); count]);
        let reported = refresh.complete(fetched, &mut keys, NOW).unwrap_err();
        assert_eq!(reported.code(), "no_usable_keys", "{count}");
        assert!(keys.is_none(), "{count}");
        assert_eq!((refresh.failures(), refresh.fetched_at()), (0, Some(NOW)), "{count}");
    }
}

/// An odd modulus with this many bits. Its factors are unknown and not needed.
fn modulus(bits: usize) -> Vec<u8> {
    let mut n = vec![0xa5; bits.div_ceil(8)];
    let unused = n.len() * 8 - bits;
    n[0] = 0xff >> unused;
    n
}

fn components(n: &[u8], e: &[u8]) -> Result<usize, KeyRejected> {
    rsa_key::<TestKey>(n, e).map(|key| key.signature_len())
}

#[test]
fn k09_a_refused_key_is_an_error_like_others() {
    fn take(n: &[u8]) -> Result<VerifyingKey<TestKey>, Error> {
        Ok(rsa_key(n, F4)?)
    }
    let refused = Error::KeyRejected(KeyRejected::ModulusTooSmall { bits: 1024 });
    assert_eq!(take(&modulus(1024)).map(|_| ()), Err(refused));
}

const F4: &[u8] = &[1, 0, 1];

#[test]
fn k09_a_modulus_has_2048_to_4096_bits() {
    for (bits, expected) in [
        (1024, Err(KeyRejected::ModulusTooSmall { bits: 1024 })),
        (2040, Err(KeyRejected::ModulusTooSmall { bits: 2040 })),
        (2047, Err(KeyRejected::ModulusTooSmall { bits: 2047 })),
        (2048, Ok(256)),
        (2049, Ok(257)),
        (3072, Ok(384)),
        (4096, Ok(512)),
        (4097, Err(KeyRejected::ModulusTooLarge)),
        (8192, Err(KeyRejected::ModulusTooLarge)),
    ] {
        assert_eq!(components(&modulus(bits), F4), expected, "{bits}");
    }
}

#[test]
fn k09_a_modulus_is_odd_and_has_no_leading_zero() {
    let mut even = modulus(2048);
    even[255] = 0xa4;
    assert_eq!(components(&even, F4), Err(KeyRejected::ModulusEven));
    let mut padded = modulus(2048);
    padded.insert(0, 0);
    assert_eq!(components(&padded, F4), Err(KeyRejected::LeadingZero));
    assert_eq!(components(&modulus(2048), &[0, 1, 0, 1]), Err(KeyRejected::LeadingZero));
    assert_eq!(components(&[], F4), Err(KeyRejected::Components));
    assert_eq!(components(&modulus(2048), &[]), Err(KeyRejected::Components));
}

#[test]
fn k09_an_exponent_is_odd_at_least_3_and_at_most_33_bits_long() {
    let n = modulus(2048);
    for (e, expected) in [
        (1_u64, Err(KeyRejected::Exponent)),
        (2, Err(KeyRejected::Exponent)),
        (3, Ok(256)),
        (4, Err(KeyRejected::Exponent)),
        (65_536, Err(KeyRejected::Exponent)),
        (65_537, Ok(256)),
        ((1 << 33) - 1, Ok(256)),
        ((1 << 33) + 1, Err(KeyRejected::Exponent)),
        (u64::MAX, Err(KeyRejected::Exponent)),
    ] {
        let bytes = e.to_be_bytes();
        let first = bytes.iter().position(|byte| *byte != 0).unwrap();
        assert_eq!(components(&n, &bytes[first..]), expected, "{e}");
    }
    assert_eq!(components(&n, &[1, 0, 0, 0, 0, 0, 0, 0, 3]), Err(KeyRejected::Exponent));
    assert_eq!(components(&n, &[0xff; 64]), Err(KeyRejected::Exponent));
}

#[test]
fn k09_a_refused_key_in_a_set_is_skipped_with_the_reason() {
    let jwk = Signer::a().jwk();
    let mut padded = vec![0];
    padded.extend(Signer::a().components().0);
    let mut longest_padded = vec![0];
    longest_padded.extend(Signer::d4096().components().0);
    for (name, value, expected) in [
        ("n", json!(encode(&longest_padded)), KeyRejected::LeadingZero),
        ("n", json!(encode(&modulus(2047))), KeyRejected::ModulusTooSmall { bits: 2047 }),
        ("n", json!(encode(&modulus(4097))), KeyRejected::ModulusTooLarge),
        ("n", json!(encode(&modulus(16_384))), KeyRejected::ModulusTooLarge),
        ("n", json!(encode(&padded)), KeyRejected::LeadingZero),
        ("n", json!(""), KeyRejected::Components),
        ("n", json!("===="), KeyRejected::Components),
        ("n", json!(1), KeyRejected::Malformed),
        ("e", json!("AQ"), KeyRejected::Exponent),
        ("e", json!("AAEAAQ"), KeyRejected::LeadingZero),
        ("e", json!("AQAB=="), KeyRejected::Components),
        ("e", json!("A"), KeyRejected::Components),
        ("e", json!("_".repeat(64)), KeyRejected::Exponent),
        ("e", json!(65537), KeyRejected::Malformed),
    ] {
        assert_eq!(reason(with(jwk.clone(), name, value.clone())), expected, "{name}: {value}");
    }
    assert_eq!(reason(without(jwk.clone(), "n")), KeyRejected::Components);
    assert_eq!(reason(without(jwk, "e")), KeyRejected::Components);
}

#[test]
fn k10_a_signature_is_exactly_as_long_as_the_modulus() {
    let token = Signer::a().sign(&access_claims());
    let (input, signature) = token.rsplit_once('.').unwrap();
    let signature = Base64UrlUnpadded::decode_vec(signature).unwrap();
    let check = |signature: &[u8]| {
        check_access(&API_POLICY, &format!("{input}.{}", encode(signature)), NOW)
    };
    assert_eq!(check(&signature), Ok(()));
    assert_eq!(check(&signature[1..]), Err(Error::InvalidSignature));
    assert_eq!(check(&signature[..255]), Err(Error::InvalidSignature));
    assert_eq!(check(&[&[0], &signature[..]].concat()), Err(Error::InvalidSignature));
    assert_eq!(check(&[&signature[..], &[0]].concat()), Err(Error::InvalidSignature));
    assert_eq!(check(&[0]), Err(Error::InvalidSignature));
    assert_eq!(check(&[0; 256]), Err(Error::InvalidSignature));
    assert_eq!(check(&[0xff; 256]), Err(Error::InvalidSignature));
}

/// A caller's own backend, which accepts every signature.
struct Credulous;

thread_local! {
    /// The lengths of the signatures that it received.
    static SEEN: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

impl PublicKey for Credulous {
    const ALGORITHMS: Algorithms = Algorithms::RS256;

    fn new(_: Algorithm, _: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
        Ok(Self)
    }

    fn verify(&self, _: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        SEEN.with_borrow_mut(|seen| seen.push(signature.len()));
        Ok(())
    }

    fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        TestKey::sha256(parts)
    }
}

#[test]
fn k10_a_backend_sees_no_signature_of_another_length_than_the_modulus() {
    for signer in [Signer::a(), Signer::c3072(), Signer::d4096()] {
        let modulus_len = signer.components().0.len();
        let keys = JwkSet::<Credulous, 1>::from_json(&jwks(&[signer.jwk()])).unwrap();
        let issuer = issuer(keys);
        let token = signer.sign(&access_claims());
        let (input, _) = token.rsplit_once('.').unwrap();
        for length in [1, 64, 128, 255, 256, 257, 383, 384, 385, 511, 512, 513, 1024] {
            let token = format!("{input}.{}", encode(&vec![7; length]));
            let (token, trust) = (BearerToken::new(&token), (&issuer, &API_POLICY));
            let mut buffer = TokenBuffer::<8192>::new();
            SEEN.take();
            let verdict = AccessToken::validate(token, trust, NOW, &mut buffer).map(|_| ());
            let (expected, seen) = if length == modulus_len {
                (Ok(()), vec![length])
            } else {
                (Err(Error::InvalidSignature), vec![])
            };
            assert_eq!((verdict, SEEN.take()), (expected, seen), "{length} of {modulus_len}");
        }
    }
}

#[test]
fn k10_a_signature_is_below_the_modulus() {
    let signer = Signer::a();
    let (n, _) = signer.components();
    // s + n is congruent to s; if it has 256 bytes, it must not be accepted as s.
    let claims = (0..64).map(|number| with(access_claims(), "jti", number.to_string()));
    let mut tried = 0;
    for claims in claims {
        let token = signer.sign(&claims);
        let (input, signature) = token.rsplit_once('.').unwrap();
        let mut sum = Base64UrlUnpadded::decode_vec(signature).unwrap();
        let mut carry = 0_u16;
        for (digit, modulus) in sum.iter_mut().zip(&n).rev() {
            carry += u16::from(*digit) + u16::from(*modulus);
            *digit = carry.to_le_bytes()[0];
            carry >>= 8;
        }
        if carry == 0 {
            tried += 1;
            let token = format!("{input}.{}", encode(&sum));
            assert_eq!(check_access(&API_POLICY, &token, NOW), Err(Error::InvalidSignature));
        }
    }
    assert!(tried > 0, "no sum fits: choose another key");
    let token = signer.sign(&access_claims());
    let (input, _) = token.rsplit_once('.').unwrap();
    let equal = format!("{input}.{}", encode(&n));
    assert_eq!(check_access(&API_POLICY, &equal, NOW), Err(Error::InvalidSignature));
}

#[test]
fn k10_the_signature_covers_header_and_payload() {
    let token = Signer::a().sign(&access_claims());
    let segments: Vec<&str> = token.split('.').collect();
    let admin = access_claims().to_string().replace("read:patients", "root:patients");
    let tampered = format!("{}.{}.{}", segments[0], encode(admin.as_bytes()), segments[2]);
    assert_eq!(check_access(&API_POLICY, &tampered, NOW), Err(Error::InvalidSignature));
    let header = encode(br#"{"alg":"RS256","kid":"key-a","typ":"at+jwt"}"#);
    let tampered = format!("{header}.{}.{}", segments[1], segments[2]);
    assert_eq!(check_access(&API_POLICY, &tampered, NOW), Err(Error::InvalidSignature));
}

#[test]
fn k11_an_issuers_keys_verify_only_its_own_tokens() {
    const OTHER: &str = "https://other.example/";
    let (a, b) = (Signer::a(), Signer::b());
    let (keys_a, keys_b) = (set(&[a.jwk()]).unwrap(), set(&[b.jwk()]).unwrap());
    let issuers = [issuer(keys_a), Issuer::new(OTHER, keys_b).unwrap()];
    let check = |token: &str| {
        let mut buffer = TokenBuffer::<8192>::new();
        let (token, trust) = (BearerToken::new(token), (&issuers[..], &API_POLICY));
        AccessToken::validate(token, trust, NOW, &mut buffer).map(|token| token.issuer().to_owned())
    };
    let others = with(access_claims(), "iss", OTHER);
    assert_eq!(check(&a.sign(&access_claims())).as_deref(), Ok(ISSUER));
    assert_eq!(check(&b.sign(&others)).as_deref(), Ok(OTHER));
    // Signed by one issuer, in the name of the other.
    assert_eq!(check(&a.sign(&others)), Err(Error::UnknownKey));
    assert_eq!(check(&b.sign(&access_claims())), Err(Error::UnknownKey));
    let header = json!({"alg": "RS256"});
    assert_eq!(check(&a.sign_with(&header, &others)), Err(Error::InvalidSignature));
}

#[test]
fn k11_an_unknown_issuer_is_rejected_before_the_signature() {
    let a = Signer::a();
    let keys = set(&[a.jwk()]).unwrap();
    let issuers = [issuer(keys)];
    let check = |token: &str| {
        let mut buffer = TokenBuffer::<8192>::new();
        let (token, trust) = (BearerToken::new(token), (&issuers[..], &API_POLICY));
        AccessToken::validate(token, trust, NOW, &mut buffer).map(|_| ())
    };
    let forged = |claims: &Value| {
        let token = a.sign(claims);
        let (input, _) = token.rsplit_once('.').unwrap();
        format!("{input}.AAAA")
    };
    assert_eq!(check(&forged(&access_claims())), Err(Error::InvalidSignature));
    for issuer in ["https://my-domain.auth0.com", "", "https://MY-DOMAIN.auth0.com/"] {
        let claims = with(access_claims(), "iss", issuer);
        assert_eq!(check(&forged(&claims)), Err(Error::UnknownIssuer), "{issuer}");
    }
    for claims in [
        without(access_claims(), "iss"),
        with(access_claims(), "iss", 1),
        with(access_claims(), "iss", json!([ISSUER])),
        json!({}),
    ] {
        assert_eq!(check(&forged(&claims)), Err(Error::UnknownIssuer));
    }
    let no_issuers: [Issuer<TestKey, 4>; 0] = [];
    let mut buffer = TokenBuffer::<8192>::new();
    let token = a.sign(&access_claims());
    let (token, trust) = (BearerToken::new(&token), (&no_issuers[..], &API_POLICY));
    let verdict = AccessToken::validate(token, trust, NOW, &mut buffer);
    assert_eq!(verdict.map(|_| ()), Err(Error::UnknownIssuer));
}
