//! Keys of all types: a member of a set is used if and only if a second implementation, with
//! serde_json and num-bigint, accepts it, with the same algorithm and thumbprint.
#![no_main]

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::error::{InvalidSignature, KeyRejected};
use claimgate::jwk::{Algorithms, KeyMaterial, Skipped};
use claimgate::{Algorithm, JwkSet, PublicKey};
use claimgate_fuzz::{confirm_error, parse_json, timed};
use libfuzzer_sys::fuzz_target;
use num_bigint::BigUint;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A key for any algorithm, which verifies nothing.
struct AnyKey;

impl PublicKey for AnyKey {
    const ALGORITHMS: Algorithms = Algorithms::ALL;

    fn new(algorithm: Algorithm, material: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
        assert!(material.algorithms().contains(algorithm));
        Ok(Self)
    }

    fn verify(&self, _: &[u8], _: &[u8]) -> Result<(), InvalidSignature> {
        Err(InvalidSignature)
    }

    fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        Sha256::digest(parts.concat()).into()
    }
}

fuzz_target!(|text: &str| {
    // Without the second implementation, whose arithmetic with num-bigint takes up to 60 ms.
    let set = match timed(|| JwkSet::<AnyKey, 32>::from_json(text)) {
        Ok(set) => set,
        Err(error) => return confirm_error(error),
    };
    let Some(json) = parse_json(text.as_bytes()) else { return };
    let json = json.unwrap();
    let members = json["keys"].as_array().unwrap();
    assert_eq!(members.len(), set.keys().len() + set.skipped_count());
    if set.skipped_count() > Skipped::MAX {
        return;
    }
    let mut keys = set.keys().iter();
    for (index, member) in members.iter().enumerate() {
        let skipped = set.skipped().iter().find(|skipped| skipped.index == index);
        match (skipped, usable(member)) {
            // serde_json uses the last of two members with the same name, and accepts texts
            // that are nested more than 16 levels deep.
            (Some(skipped), Some(_)) => assert_eq!(skipped.reason, KeyRejected::Malformed),
            (Some(_), None) => {}
            (None, None) => panic!("used: {member}"),
            (None, Some((algorithm, canonical))) => {
                let key = keys.next().unwrap();
                assert_eq!(key.key().algorithm().name(), algorithm, "{member}");
                assert_eq!(key.thumbprint(), &AnyKey::sha256(&[canonical.as_bytes()]));
                assert_eq!(key.key_id(), member.get("kid").and_then(Value::as_str));
            }
        }
    }
    assert!(keys.next().is_none());
});

/// Returns the algorithm and the text of the thumbprint of a usable member.
fn usable(member: &Value) -> Option<(String, String)> {
    let object = member.as_object()?;
    let string = |name: &str| match object.get(name) {
        None => Some(None),
        Some(value) => value.as_str().map(Some),
    };
    if ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|name| object.contains_key(*name)) {
        return None;
    }
    if string("use")?.is_some_and(|usage| usage != "sig") {
        return None;
    }
    if let Some(operations) = object.get("key_ops") {
        let operations = operations.as_array()?;
        operations.iter().find(|name| *name == "verify")?;
        if !operations.iter().all(Value::is_string) {
            return None;
        }
    }
    if string("kid")?.is_some_and(|kid| kid.len() > 256) {
        return None;
    }
    let decoded = |name: &str| {
        let text = object.get(name)?.as_str()?;
        Some((text, Base64UrlUnpadded::decode_vec(text).ok()?))
    };
    let (kty, crv) = (string("kty")??, string("crv").flatten());
    let (algorithms, canonical): (&[&str], String) = match (kty, crv) {
        ("RSA", _) => {
            let ((n_text, n), (e_text, e)) = (decoded("n")?, decoded("e")?);
            rsa(&n, &e)?;
            let canonical = format!(r#"{{"e":"{e_text}","kty":"RSA","n":"{n_text}"}}"#);
            (&["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"], canonical)
        }
        ("EC", Some(crv @ ("P-256" | "P-384"))) => {
            let ((x_text, x), (y_text, y)) = (decoded("x")?, decoded("y")?);
            ec(crv, &x, &y)?;
            let canonical =
                format!(r#"{{"crv":"{crv}","kty":"EC","x":"{x_text}","y":"{y_text}"}}"#);
            (if crv == "P-256" { &["ES256"] } else { &["ES384"] }, canonical)
        }
        ("OKP", Some("Ed25519")) => {
            let (x_text, x) = decoded("x")?;
            ed25519(&x)?;
            (&["EdDSA"], format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x_text}"}}"#))
        }
        _ => return None,
    };
    let algorithm = match string("alg")? {
        None => algorithms[0],
        Some("Ed25519") => "EdDSA",
        Some(alg) => alg,
    };
    algorithms.contains(&algorithm).then(|| (algorithm.to_owned(), canonical))
}

fn rsa(n: &[u8], e: &[u8]) -> Option<()> {
    let (modulus, exponent) = (BigUint::from_bytes_be(n), BigUint::from_bytes_be(e));
    let is_acceptable = n[..].first()? != &0
        && e.first()? != &0
        && (2_048..=4_096).contains(&modulus.bits())
        && modulus.bit(0)
        && exponent.bit(0)
        && exponent >= BigUint::from(3_u8)
        && exponent < BigUint::from(1_u64 << 33);
    is_acceptable.then_some(())
}

fn number(text: &str) -> BigUint {
    BigUint::parse_bytes(text.as_bytes(), 16).unwrap()
}

/// y² = x³ − 3·x + b, coordinates of exactly the length of the field.
fn ec(crv: &str, x: &[u8], y: &[u8]) -> Option<()> {
    let (p, b, len) = if crv == "P-256" {
        (
            number("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"),
            number("5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b"),
            32,
        )
    } else {
        (
            number(
                "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
            ),
            number(
                "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef",
            ),
            48,
        )
    };
    if x.len() != len || y.len() != len {
        return None;
    }
    let (x, y) = (BigUint::from_bytes_be(x), BigUint::from_bytes_be(y));
    let is_on_curve = x < p && y < p && (&y * &y + 3_u8 * &x) % &p == (&x * &x * &x + b) % &p;
    is_on_curve.then_some(())
}

/// −x² + y² = 1 + d·x²·y² for some x, and 8 times the point is not the identity.
fn ed25519(encoded: &[u8]) -> Option<()> {
    let mut encoded: [u8; 32] = encoded.try_into().ok()?;
    encoded[31] &= 0x7f;
    let p = (BigUint::from(1_u8) << 255_u8) - 19_u8;
    let d = number("52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3");
    let y = BigUint::from_bytes_le(&encoded);
    if y >= p {
        return None;
    }
    let one = BigUint::from(1_u8);
    let inverse = |number: &BigUint| number.modpow(&(&p - 2_u8), &p);
    let y_square = &y * &y % &p;
    let mut x_square = (&y_square + &p - 1_u8) * inverse(&(&d * &y_square + 1_u8)) % &p;
    if x_square.modpow(&((&p - 1_u8) / 2_u8), &p) != one {
        // No square, or zero, at the points of order 1 and 2.
        return None;
    }
    // y(2P) = (y² + x²)/(1 − d·x²·y²), and x² from it. 8P is the identity if y is 1.
    let mut y_square = y_square;
    let mut y = y;
    for _ in 0..3 {
        let divisor = (&one + &p - &d * &x_square % &p * &y_square % &p) % &p;
        y = (&y_square + &x_square) * inverse(&divisor) % &p;
        y_square = &y * &y % &p;
        x_square = (&y_square + &p - 1_u8) * inverse(&(&d * &y_square + 1_u8)) % &p;
    }
    (y != one).then_some(())
}
