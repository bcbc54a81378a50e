//! Keys of all types, read from a key set, and their selection: rules K1 and K5 to K13.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust"))]

#[path = "support/signers.rs"]
mod signers;

use std::sync::OnceLock;

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::error::{Curve, InvalidSignature, KeyRejected, KeyType, Problem, SkipCounts};
use claimgate::jwk::{Algorithms, KeyMaterial, Skipped, VerifyingKey};
use claimgate::jws::CompactJws;
use claimgate::{Algorithm, Error, JwkSet, PublicKey};
use serde_json::{Value, json};
use signers::{AnySigner, OwnedMaterial, TestAnyKey};

type Keys = JwkSet<TestAnyKey, 12>;

fn text(members: &[Value]) -> String {
    json!({ "keys": members }).to_string()
}

fn set(members: &[Value]) -> Result<Keys, Error> {
    Keys::from_json(&text(members))
}

fn with(mut object: Value, name: &str, value: impl Into<Value>) -> Value {
    object[name] = value.into();
    object
}

fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().unwrap().remove(name);
    object
}

fn encode(octets: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(octets)
}

fn jwk(algorithm: Algorithm) -> Value {
    AnySigner::a(algorithm).jwk()
}

/// Returns the algorithm of the only member's key, or the reason why it is not used.
fn read_by<K: PublicKey>(member: &Value) -> Result<Algorithm, KeyRejected> {
    read_narrowed::<K>(K::ALGORITHMS, member)
}

fn read_narrowed<K: PublicKey>(
    algorithms: Algorithms,
    member: &Value,
) -> Result<Algorithm, KeyRejected> {
    match JwkSet::<K, 1>::from_json_for(algorithms, &text(std::slice::from_ref(member))) {
        Ok(keys) => Ok(keys.keys()[0].key().algorithm()),
        Err(Error::NoUsableKeys(counts)) => {
            let counts: Vec<_> = counts.iter().collect();
            let [(reason, 1)] = counts[..] else { panic!("{counts:?}") };
            Err(reason)
        }
        Err(error) => panic!("{error}"),
    }
}

fn read(member: &Value) -> Result<Algorithm, KeyRejected> {
    read_by::<TestAnyKey>(member)
}

/// Returns the algorithm of the key that a header selects.
fn select<K: PublicKey, const N: usize>(
    keys: &JwkSet<K, N>,
    alg: &str,
    kid: Option<&str>,
) -> Result<Algorithm, Error> {
    let mut header = json!({ "alg": alg });
    if let Some(kid) = kid {
        header["kid"] = kid.into();
    }
    let jws = format!("{}.e30.AA", encode(header.to_string().as_bytes()));
    let mut buffer = [0; 512];
    let jws = CompactJws::parse(&jws)?.decode(&mut buffer)?;
    keys.select(jws.header()).map(VerifyingKey::algorithm)
}

const OTHER_ALGORITHM: Error = Error::AlgorithmNotAllowed(Problem::WrongValue);

/// A caller's own key type, only for ES256: a slot of a crypto peripheral.
struct Accelerator {
    slot: usize,
}

/// The peripheral, with two key slots.
static PERIPHERAL: OnceLock<([u8; 32], [u8; 32])> = OnceLock::new();

impl PublicKey for Accelerator {
    const ALGORITHMS: Algorithms = Algorithms::P256;

    fn new(algorithm: Algorithm, material: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
        assert_eq!(algorithm, Algorithm::Es256);
        let KeyMaterial::P256 { x, y } = material else { return Err(KeyRejected::Backend) };
        let _ = PERIPHERAL.set((*x, *y));
        if PERIPHERAL.get() == Some(&(*x, *y)) {
            Ok(Self { slot: 0 })
        } else {
            Err(KeyRejected::Backend)
        }
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        assert_eq!((self.slot, signature.len()), (0, 64));
        let (x, y) = PERIPHERAL.get().unwrap();
        TestAnyKey::new(Algorithm::Es256, KeyMaterial::P256 { x, y })
            .map_err(|_| InvalidSignature)?
            .verify(message, signature)
    }

    fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        TestAnyKey::sha256(parts)
    }
}

/// A key type only for RS256.
struct Rs256Only;

impl PublicKey for Rs256Only {
    const ALGORITHMS: Algorithms = Algorithms::RS256;

    fn new(_: Algorithm, _: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
        Ok(Self)
    }

    fn verify(&self, _: &[u8], _: &[u8]) -> Result<(), InvalidSignature> {
        Err(InvalidSignature)
    }

    fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        TestAnyKey::sha256(parts)
    }
}

#[test]
fn k01_without_alg_a_key_has_the_default_of_its_type() {
    for (algorithm, default) in [
        (Algorithm::Ps512, Algorithm::Rs256),
        (Algorithm::Es256, Algorithm::Es256),
        (Algorithm::Es384, Algorithm::Es384),
        (Algorithm::EdDsa, Algorithm::EdDsa),
    ] {
        let member = without(jwk(algorithm), "alg");
        assert_eq!(read(&member), Ok(default));
        // The default is not replaced by another algorithm for the key type.
        let others = Algorithm::ALL.into_iter().filter(|other| *other != default);
        let others = Algorithms::of(&others.collect::<Vec<_>>());
        let expected = match default {
            Algorithm::Rs256 => KeyRejected::Algorithm(Some(Algorithm::Rs256)),
            Algorithm::Es256 => KeyRejected::Curve(Curve::P256),
            Algorithm::Es384 => KeyRejected::Curve(Curve::P384),
            _ => KeyRejected::KeyType(KeyType::Okp),
        };
        assert_eq!(read_narrowed::<TestAnyKey>(others, &member), Err(expected));
    }
}

#[test]
fn k01_alg_fits_the_type_of_the_key_and_the_curve() {
    let mut used = 0;
    for kind in [Algorithm::Rs256, Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa] {
        let signer = AnySigner::a(kind);
        let material = signer.material();
        let fitting = material.borrow().algorithms();
        for algorithm in Algorithm::ALL {
            let member = with(signer.jwk(), "alg", algorithm.name());
            let expected = if fitting.contains(algorithm) {
                used += 1;
                Ok(algorithm)
            } else {
                Err(KeyRejected::AlgorithmMismatch(algorithm))
            };
            assert_eq!(read(&member), expected, "{kind} {algorithm}");
            let key = VerifyingKey::<TestAnyKey>::new(algorithm, material.borrow());
            assert_eq!(key.map(|key| key.algorithm()), expected, "{kind} {algorithm}");
        }
    }
    assert_eq!(used, 9);
    assert_eq!(read(&with(jwk(Algorithm::EdDsa), "alg", "Ed25519")), Ok(Algorithm::EdDsa));
    for alg in ["none", "HS256", "ES512", "ES256K", "RSA-OAEP-256", "rs256", "RS256 ", ""] {
        let member = with(jwk(Algorithm::Rs256), "alg", alg);
        assert_eq!(read(&member), Err(KeyRejected::Algorithm(None)), "{alg}");
    }
    let member = with(jwk(Algorithm::Rs256), "alg", 1);
    assert_eq!(read(&member), Err(KeyRejected::Malformed));
}

#[test]
fn k01_a_key_type_has_only_the_algorithms_that_it_names() {
    for algorithm in Algorithm::ALL {
        let signer = AnySigner::a(algorithm);
        let material = signer.material();
        let expected = match algorithm {
            Algorithm::Rs256 => Ok(Algorithm::Rs256),
            Algorithm::Es256 | Algorithm::Es384 => Err(KeyRejected::KeyType(KeyType::Ec)),
            Algorithm::EdDsa => Err(KeyRejected::KeyType(KeyType::Okp)),
            rsa => Err(KeyRejected::Algorithm(Some(rsa))),
        };
        assert_eq!(read_by::<Rs256Only>(&signer.jwk()), expected, "{algorithm}");
        let key = VerifyingKey::<Rs256Only>::new(algorithm, material.borrow());
        let expected = match algorithm {
            Algorithm::Rs256 => Ok(Algorithm::Rs256),
            other => Err(KeyRejected::Algorithm(Some(other))),
        };
        assert_eq!(key.map(|key| key.algorithm()), expected, "{algorithm}");

        let expected = match algorithm {
            Algorithm::Es256 => Ok(Algorithm::Es256),
            Algorithm::Es384 => Err(KeyRejected::Curve(Curve::P384)),
            Algorithm::EdDsa => Err(KeyRejected::KeyType(KeyType::Okp)),
            _ => Err(KeyRejected::KeyType(KeyType::Rsa)),
        };
        assert_eq!(read_by::<Accelerator>(&signer.jwk()), expected, "{algorithm}");
    }
}

#[test]
fn k01_a_key_type_of_the_callers_own_verifies_its_algorithm() {
    let (a, b) = (AnySigner::a(Algorithm::Es256), AnySigner::b(Algorithm::Es256));
    let keys = JwkSet::<Accelerator, 2>::from_json(&text(&[a.jwk(), b.jwk()])).unwrap();
    // The peripheral has one slot.
    assert_eq!(keys.skipped(), [Skipped { index: 1, reason: KeyRejected::Backend }]);
    let verify = |text: &str| -> Result<Vec<u8>, Error> {
        let mut buffer = [0; 1024];
        let jws = CompactJws::parse(text)?.decode(&mut buffer)?;
        let key = keys.select(jws.header())?;
        Ok(jws.verify(key)?.payload().to_vec())
    };
    assert_eq!(verify(&a.sign(&json!({"sub": "1"}))).unwrap(), br#"{"sub":"1"}"#);
    assert_eq!(verify(&b.sign(&json!({}))), Err(Error::UnknownKey));
    let forged = b.sign_with(&json!({"alg": "ES256", "kid": a.kid}), &json!({}));
    assert_eq!(verify(&forged), Err(Error::InvalidSignature));
    // The numbers of a signature are checked before the peripheral sees them.
    let key = keys.keys()[0].key();
    assert_eq!(key.verify(b"text", &[0; 64]), Err(Error::InvalidSignature));
    assert_eq!(key.verify(b"text", &[0xff; 64]), Err(Error::InvalidSignature));
    assert_eq!(key.verify(b"text", &[1; 63]), Err(Error::InvalidSignature));
}

#[test]
fn k01_the_header_names_the_keys_algorithm() {
    let signers = Algorithm::ALL.map(AnySigner::a);
    let mut accepted = 0;
    for signer in &signers {
        for named in Algorithm::ALL {
            let header = json!({ "alg": named.name() });
            let text = signer.sign_with(&header, &json!({}));
            for key_of in &signers {
                let mut buffer = [0; 1024];
                let jws = CompactJws::parse(&text).unwrap().decode(&mut buffer).unwrap();
                let verdict = jws.verify(&key_of.verifying_key::<TestAnyKey>()).map(|_| ());
                let expected = if key_of.algorithm != named {
                    Err(OTHER_ALGORITHM)
                } else if signer.algorithm != named {
                    Err(Error::InvalidSignature)
                } else {
                    accepted += 1;
                    Ok(())
                };
                let what = (signer.algorithm, named, key_of.algorithm);
                assert_eq!(verdict, expected, "{what:?}");
            }
        }
    }
    assert_eq!(accepted, 9);
}

#[test]
fn k05_keys_of_all_kinds_in_one_set_are_selected_by_their_kid() {
    let signers = Algorithm::ALL.map(AnySigner::a);
    let keys = set(&signers.each_ref().map(AnySigner::jwk)).unwrap();
    assert_eq!((keys.keys().len(), keys.skipped()), (9, [].as_slice()));
    for signer in &signers {
        for algorithm in Algorithm::ALL {
            let expected =
                if algorithm == signer.algorithm { Ok(algorithm) } else { Err(OTHER_ALGORITHM) };
            assert_eq!(select(&keys, algorithm.name(), Some(&signer.kid)), expected);
            let unknown = select(&keys, algorithm.name(), Some("unknown"));
            assert_eq!(unknown, Err(Error::UnknownKey));
        }
    }
    let kid = &signers[8].kid;
    assert_eq!(select(&keys, "Ed25519", Some(kid)), Ok(Algorithm::EdDsa));
}

#[test]
fn k06_without_a_kid_the_candidates_are_the_keys_of_the_algorithm() {
    let signers = Algorithm::ALL.map(AnySigner::a);
    let keys = set(&signers.each_ref().map(AnySigner::jwk)).unwrap();
    for algorithm in Algorithm::ALL {
        assert_eq!(select(&keys, algorithm.name(), None), Ok(algorithm));
    }
    for algorithm in Algorithm::ALL {
        let two = [AnySigner::a(algorithm).jwk(), AnySigner::b(algorithm).jwk()];
        let keys = set(&two).unwrap();
        let ambiguous = Err(Error::AmbiguousKey { candidates: 2 });
        assert_eq!(select(&keys, algorithm.name(), None), ambiguous);
        let kid = AnySigner::b(algorithm).kid;
        assert_eq!(select(&keys, algorithm.name(), Some(&kid)), Ok(algorithm));
        // The set also accepts other algorithms, and a newer one may contain such a key.
        for other in Algorithm::ALL.into_iter().filter(|other| *other != algorithm) {
            assert_eq!(select(&keys, other.name(), None), Err(Error::UnknownKey));
        }
    }
}

#[test]
fn k06_one_kid_may_have_a_key_for_each_algorithm() {
    let members = Algorithm::ALL.map(|algorithm| with(jwk(algorithm), "kid", "one"));
    let keys = set(&members).unwrap();
    for algorithm in Algorithm::ALL {
        assert_eq!(select(&keys, algorithm.name(), Some("one")), Ok(algorithm));
    }
    let twin = with(AnySigner::b(Algorithm::Es256).jwk(), "kid", "one");
    let keys = set(&[members.as_slice(), &[twin]].concat()).unwrap();
    let ambiguous = Err(Error::AmbiguousKey { candidates: 2 });
    assert_eq!(select(&keys, "ES256", Some("one")), ambiguous);
    assert_eq!(select(&keys, "ES384", Some("one")), Ok(Algorithm::Es384));
}

#[test]
fn k07_a_set_can_be_narrowed_to_named_algorithms() {
    let members = Algorithm::ALL.map(jwk);
    let fapi = Algorithms::of(&[Algorithm::Ps256, Algorithm::Es256, Algorithm::EdDsa]);
    let keys = Keys::from_json_for(fapi, &text(&members)).unwrap();
    let algorithms = keys.keys().iter().map(|jwk| jwk.key().algorithm());
    assert!(algorithms.eq([Algorithm::Ps256, Algorithm::Es256, Algorithm::EdDsa]));
    let skipped = |index, reason| Skipped { index, reason };
    assert_eq!(
        keys.skipped(),
        [
            skipped(0, KeyRejected::Algorithm(Some(Algorithm::Rs256))),
            skipped(1, KeyRejected::Algorithm(Some(Algorithm::Rs384))),
            skipped(2, KeyRejected::Algorithm(Some(Algorithm::Rs512))),
            skipped(4, KeyRejected::Algorithm(Some(Algorithm::Ps384))),
            skipped(5, KeyRejected::Algorithm(Some(Algorithm::Ps512))),
            skipped(7, KeyRejected::Curve(Curve::P384)),
        ]
    );
    for algorithm in Algorithm::ALL {
        let expected = if fapi.contains(algorithm) { Ok(algorithm) } else { Err(OTHER_ALGORITHM) };
        assert_eq!(select(&keys, algorithm.name(), None), expected);
    }
    // Algorithms that the key type does not implement cannot be enabled.
    let rs256 = JwkSet::<Rs256Only, 1>::from_json_for(Algorithms::ALL, &text(&members)).unwrap();
    assert_eq!(rs256.keys().len(), 1);
    let none = JwkSet::<Rs256Only, 1>::from_json_for(fapi, &text(&members)).map(|_| ());
    assert_eq!(none.unwrap_err().code(), "no_usable_keys");
}

#[test]
fn k07_use_and_key_ops_both_allow_it() {
    for algorithm in Algorithm::ALL {
        let member = jwk(algorithm);
        for (usage, operations, expected) in [
            (None, None, Ok(algorithm)),
            (Some(json!("sig")), None, Ok(algorithm)),
            (None, Some(json!(["verify"])), Ok(algorithm)),
            (Some(json!("sig")), Some(json!(["sign", "verify"])), Ok(algorithm)),
            (Some(json!("enc")), Some(json!(["verify"])), Err(KeyRejected::Use)),
            (Some(json!("sig")), Some(json!(["sign"])), Err(KeyRejected::KeyOperations)),
            (Some(json!("sig")), Some(json!([])), Err(KeyRejected::KeyOperations)),
            (Some(json!("enc")), None, Err(KeyRejected::Use)),
            (None, Some(json!(["deriveBits"])), Err(KeyRejected::KeyOperations)),
            (Some(json!(["sig"])), None, Err(KeyRejected::Malformed)),
            (None, Some(json!("verify")), Err(KeyRejected::Malformed)),
            (None, Some(json!([1, "verify", null])), Err(KeyRejected::Malformed)),
        ] {
            let mut member = without(member.clone(), "use");
            if let Some(usage) = usage {
                member["use"] = usage;
            }
            if let Some(operations) = operations {
                member["key_ops"] = operations;
            }
            assert_eq!(read(&member), expected, "{member}");
        }
    }
}

#[test]
fn k07_the_type_and_the_curve_are_ones_that_are_implemented() {
    let p256 = jwk(Algorithm::Es256);
    let ed25519 = jwk(Algorithm::EdDsa);
    for (member, expected) in [
        (with(p256.clone(), "kty", "oct"), KeyRejected::KeyType(KeyType::Oct)),
        (with(p256.clone(), "kty", "ec"), KeyRejected::KeyType(KeyType::Other)),
        (with(p256.clone(), "kty", "AKP"), KeyRejected::KeyType(KeyType::Other)),
        (without(p256.clone(), "kty"), KeyRejected::KeyType(KeyType::Other)),
        (with(p256.clone(), "kty", json!(null)), KeyRejected::Malformed),
        (with(p256.clone(), "crv", "P-521"), KeyRejected::Curve(Curve::P521)),
        (with(p256.clone(), "crv", "secp256k1"), KeyRejected::Curve(Curve::Secp256k1)),
        (with(p256.clone(), "crv", "Ed25519"), KeyRejected::Curve(Curve::Ed25519)),
        (with(p256.clone(), "crv", "p-256"), KeyRejected::Curve(Curve::Other)),
        (with(p256.clone(), "crv", "P-256K"), KeyRejected::Curve(Curve::Other)),
        (without(p256.clone(), "crv"), KeyRejected::Curve(Curve::Other)),
        (with(p256.clone(), "crv", 256), KeyRejected::Malformed),
        (with(p256.clone(), "kty", "OKP"), KeyRejected::Curve(Curve::P256)),
        (with(ed25519.clone(), "crv", "Ed448"), KeyRejected::Curve(Curve::Ed448)),
        (with(ed25519.clone(), "crv", "X25519"), KeyRejected::Curve(Curve::X25519)),
        (with(ed25519.clone(), "crv", "X448"), KeyRejected::Curve(Curve::X448)),
        (with(ed25519.clone(), "kty", "EC"), KeyRejected::Curve(Curve::Ed25519)),
        (without(ed25519, "crv"), KeyRejected::Curve(Curve::Other)),
    ] {
        assert_eq!(read(&member), Err(expected), "{member}");
    }
    assert_eq!(read(&with(p256, "kty", "\u{45}C")), Ok(Algorithm::Es256));
}

#[test]
fn k08_a_member_with_a_private_key_is_skipped() {
    for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa] {
        for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            for value in [json!("AQAB"), json!(""), json!([]), json!(null)] {
                let member = with(jwk(algorithm), name, value);
                assert_eq!(read(&member), Err(KeyRejected::PrivateKey), "{member}");
            }
        }
        for name in ["D", "dd", "t", "r", "key"] {
            assert_eq!(read(&with(jwk(algorithm), name, "AQAB")), Ok(algorithm), "{name}");
        }
    }
    let escaped = jwk(Algorithm::Es256).to_string().replacen('{', r#"{"\u0064":"AQAB","#, 1);
    let keys = Keys::from_json(&format!(r#"{{"keys":[{escaped}]}}"#)).map(|_| ());
    let Err(Error::NoUsableKeys(counts)) = keys else { panic!("{keys:?}") };
    assert!(counts.iter().eq([(KeyRejected::PrivateKey, 1)]));
}

#[test]
fn k08_the_reasons_are_counted_up_to_four_and_the_others_together() {
    let p256 = jwk(Algorithm::Es256);
    let mut members = vec![
        json!({"kty": "oct", "k": "c2VjcmV0"}),
        with(p256.clone(), "crv", "P-521"),
        with(p256.clone(), "crv", "secp256k1"),
        json!({"kty": "oct", "k": "c2VjcmV0"}),
        with(p256.clone(), "alg", "ES384"),
    ];
    let counts = |members: &[Value]| match set(members) {
        Err(Error::NoUsableKeys(counts)) => counts,
        other => panic!("{:?}", other.map(|_| ())),
    };
    let expected = [
        (KeyRejected::KeyType(KeyType::Oct), 2),
        (KeyRejected::Curve(Curve::P521), 1),
        (KeyRejected::Curve(Curve::Secp256k1), 1),
        (KeyRejected::AlgorithmMismatch(Algorithm::Es384), 1),
    ];
    let four = counts(&members);
    assert!(four.iter().eq(expected));
    assert_eq!(four.others(), 0);
    assert_eq!(
        four.to_string(),
        "2 skipped because kty is not accepted: oct; \
         1 skipped because crv is not accepted: P-521; \
         1 skipped because crv is not accepted: secp256k1; \
         1 skipped because alg does not match kty and crv: ES384"
    );
    members.push(with(p256.clone(), "use", "enc"));
    members.push(with(p256, "key_ops", json!([])));
    let six = counts(&members);
    assert!(six.iter().eq(expected));
    assert_eq!(six.others(), 2);
    assert_eq!(six.to_string(), format!("{four}; 2 skipped for other reasons"));
    assert_eq!(SkipCounts::default().to_string(), "the set is empty");
    assert_eq!(size_of::<KeyRejected>(), 4);
    assert_eq!(size_of::<SkipCounts>(), 26);
    assert_eq!(size_of::<Error>(), 32);
}

#[test]
fn k12_coordinates_have_exactly_the_length_of_the_field() {
    for (algorithm, names, len) in [
        (Algorithm::Es256, ["x", "y"].as_slice(), 32),
        (Algorithm::Es384, &["x", "y"], 48),
        (Algorithm::EdDsa, &["x"], 32),
    ] {
        for name in names {
            let member = jwk(algorithm);
            let octets = Base64UrlUnpadded::decode_vec(member[name].as_str().unwrap()).unwrap();
            assert_eq!(octets.len(), len);
            for (value, expected) in [
                (json!(encode(&octets[1..])), KeyRejected::CoordinateLength),
                (json!(encode(&octets[..len - 1])), KeyRejected::CoordinateLength),
                (json!(encode(&[&[0], &octets[..]].concat())), KeyRejected::CoordinateLength),
                (json!(encode(&[&octets[..], &[0]].concat())), KeyRejected::CoordinateLength),
                (json!(encode(&[7; 600])), KeyRejected::CoordinateLength),
                (json!("A".repeat(4_000)), KeyRejected::CoordinateLength),
                (json!(""), KeyRejected::CoordinateLength),
                (json!("A"), KeyRejected::Components),
                (json!(format!("{}=", &encode(&octets)[1..])), KeyRejected::Components),
                (json!("!".repeat(encode(&octets).len())), KeyRejected::Components),
                (json!(7), KeyRejected::Malformed),
                (json!(null), KeyRejected::Malformed),
                (json!(encode(&vec![0xff; len])), KeyRejected::Point),
                (json!(encode(&vec![0; len])), KeyRejected::Point),
            ] {
                let member = with(member.clone(), name, value);
                assert_eq!(read(&member), Err(expected), "{algorithm} {member}");
            }
            let member = without(member, name);
            assert_eq!(read(&member), Err(KeyRejected::Components), "{algorithm} {name}");
        }
    }
    // Unused bits of the last character are zero.
    let member = jwk(Algorithm::Es256);
    let x = member["x"].as_str().unwrap();
    let last = x.chars().next_back().unwrap();
    let next = char::from(u8::try_from(last).unwrap() + 1);
    let member = with(member.clone(), "x", format!("{}{next}", &x[..x.len() - 1]));
    assert_eq!(read(&member), Err(KeyRejected::Components));
}

#[test]
fn k12_a_point_off_the_curve_is_refused_whichever_bit_differs() {
    for algorithm in [Algorithm::Es256, Algorithm::Es384] {
        let members = ["x", "y"];
        let member = jwk(algorithm);
        let mut refused = 0;
        for name in members {
            let octets = Base64UrlUnpadded::decode_vec(member[name].as_str().unwrap()).unwrap();
            for bit in 0..8 * octets.len() {
                let mut changed = octets.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                let member = with(member.clone(), name, encode(&changed));
                assert_eq!(read(&member), Err(KeyRejected::Point), "{algorithm} {name} {bit}");
                refused += 1;
            }
        }
        let bits = if algorithm == Algorithm::Es256 { 512 } else { 768 };
        assert_eq!(refused, bits);
        // The other key's y, and the two exchanged.
        let other = AnySigner::b(algorithm).jwk();
        let mixed = with(member.clone(), "y", other["y"].clone());
        assert_eq!(read(&mixed), Err(KeyRejected::Point));
        let (x, y) = (member["x"].clone(), member["y"].clone());
        assert_eq!(read(&with(with(member, "x", y), "y", x)), Err(KeyRejected::Point));
    }
    // A point on P-256 is not on P-384, and the other way round.
    let p256 = with(jwk(Algorithm::Es256), "crv", "P-384");
    assert_eq!(read(&without(p256, "alg")), Err(KeyRejected::CoordinateLength));
    let p384 = with(jwk(Algorithm::Es384), "crv", "P-256");
    assert_eq!(read(&without(p384, "alg")), Err(KeyRejected::CoordinateLength));
}

#[test]
fn k12_coordinates_are_below_the_modulus() {
    // (0, √b) is on P-256; (p, √b) is the same point modulo p.
    let p = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
    let y = "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4";
    let number = |text: &str| -> [u8; 32] {
        let number = num_bigint::BigUint::parse_bytes(text.as_bytes(), 16).unwrap().to_bytes_be();
        number.try_into().unwrap()
    };
    let read = |x: [u8; 32], y: [u8; 32]| read(&OwnedMaterial::P256 { x, y }.jwk());
    assert_eq!(read([0; 32], number(y)), Ok(Algorithm::Es256));
    assert_eq!(read(number(p), number(y)), Err(KeyRejected::Point));
    assert_eq!(read([0; 32], number(p)), Err(KeyRejected::Point));
    assert_eq!(read([0; 32], [0; 32]), Err(KeyRejected::Point));
}

#[test]
fn k13_points_of_small_order_and_other_encodings_are_refused() {
    let read = |x: [u8; 32]| read(&OwnedMaterial::Ed25519 { x }.jwk());
    let eighth = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";
    let opposite = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a";
    let number = |text: &str| -> [u8; 32] {
        let octets = (0..32).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap());
        octets.collect::<Vec<_>>().try_into().unwrap()
    };
    let low = |octet: u8| {
        let mut encoded = [0; 32];
        encoded[0] = octet;
        encoded
    };
    let high = |octet: u8| {
        let mut encoded = [0xff; 32];
        (encoded[0], encoded[31]) = (octet, 0x7f);
        encoded
    };
    // y of 0, 1, −1 and of the points of order 8; then p, p + 1, … in encodings above the
    // modulus.
    let mut refused = vec![low(0), low(1), high(0xec), number(eighth), number(opposite)];
    refused.extend((0xed..=0xff).map(high));
    for encoded in refused {
        for sign in [0, 0x80] {
            let mut encoded = encoded;
            encoded[31] |= sign;
            assert_eq!(read(encoded), Err(KeyRejected::Point), "{encoded:02x?}");
        }
    }
    // y = 2 has no x; y = 3 has two.
    assert_eq!(read(low(2)), Err(KeyRejected::Point));
    assert_eq!(read(low(3)), Ok(Algorithm::EdDsa));
    // The base point, y = 4/5.
    let mut base = [0x66; 32];
    base[0] = 0x58;
    assert_eq!(read(base), Ok(Algorithm::EdDsa));
}

/// The fingerprint of a set depends on the algorithms: a token that was verified with PS256
/// was not verified with RS256.
#[test]
fn fingerprint_of_a_set_depends_on_the_algorithms_of_its_keys() {
    let fingerprint = |members: &[Value]| *set(members).unwrap().fingerprint();
    let member = without(jwk(Algorithm::Rs256), "kid");
    let fingerprints: Vec<_> = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
        .map(|alg| fingerprint(&[with(member.clone(), "alg", alg)]))
        .into();
    for (index, one) in fingerprints.iter().enumerate() {
        assert!(!fingerprints[index + 1..].contains(one));
    }
    assert_eq!(fingerprint(&[without(member.clone(), "alg")]), fingerprints[0]);
    // The thumbprint is that of the key material.
    let thumbprint = |member: Value| *set(&[member]).unwrap().keys()[0].thumbprint();
    assert_eq!(thumbprint(member.clone()), thumbprint(with(member, "alg", "PS512")));
}

#[test]
fn thumbprints_are_those_of_the_required_members_in_order() {
    for algorithm in Algorithm::ALL {
        let member = jwk(algorithm);
        let keys = set(std::slice::from_ref(&member)).unwrap();
        let names = match member["kty"].as_str().unwrap() {
            "RSA" => ["e", "kty", "n"].as_slice(),
            "EC" => &["crv", "kty", "x", "y"],
            _ => &["crv", "kty", "x"],
        };
        let required: Vec<String> =
            names.iter().map(|name| format!("\"{name}\":{}", member[name])).collect();
        let canonical = format!("{{{}}}", required.join(","));
        let expected = ring::digest::digest(&ring::digest::SHA256, canonical.as_bytes());
        assert_eq!(keys.keys()[0].thumbprint(), expected.as_ref(), "{canonical}");
    }
}

/// A caller's own backend for all algorithms, which accepts every signature.
struct Credulous;

impl PublicKey for Credulous {
    const ALGORITHMS: Algorithms = Algorithms::ALL;

    fn new(_: Algorithm, _: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
        Ok(Self)
    }

    fn verify(&self, _: &[u8], _: &[u8]) -> Result<(), InvalidSignature> {
        Ok(())
    }

    fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        TestAnyKey::sha256(parts)
    }
}

#[test]
fn k12_a_backend_sees_no_number_that_is_out_of_range() {
    for (algorithm, size) in [(Algorithm::Es256, 32), (Algorithm::Es384, 48)] {
        let key = AnySigner::a(algorithm).verifying_key::<Credulous>();
        let (zero, too_large) = (vec![0; size], vec![0xff; size]);
        let one: Vec<u8> = [vec![0; size - 1], vec![1]].concat();
        let verify = |r: &[u8], s: &[u8]| key.verify(b"message", &[r, s].concat());
        assert_eq!(verify(&one, &one), Ok(()));
        for other in [&zero, &too_large] {
            assert_eq!(verify(other, &one), Err(Error::InvalidSignature), "{algorithm}");
            assert_eq!(verify(&one, other), Err(Error::InvalidSignature), "{algorithm}");
        }
    }
}

#[test]
fn k13_a_backend_sees_no_s_that_is_not_below_the_order() {
    let key = AnySigner::a(Algorithm::EdDsa).verifying_key::<Credulous>();
    let verify = |s: u8| key.verify(b"message", &[[4; 32], [s; 32]].concat());
    assert_eq!(verify(4), Ok(()));
    assert_eq!(verify(0xff), Err(Error::InvalidSignature));
}
