//! The signed examples of the RFCs, with every backend: text, key and thumbprint as published.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust"))]

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::error::{Curve, KeyRejected, Problem};
use claimgate::jws::CompactJws;
use claimgate::{Algorithm, Error, JwkSet, PublicKey};
use serde_json::{Value, json};

/// The key of RFC 7520 §3.3.
const RSA_MODULUS: &str = "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw";

/// The payload of RFC 7520 §4.
const PAYLOAD: &str = "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4";

const RFC_7520_4_1_SIGNATURE: &str = "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg";

const RFC_7520_4_2_SIGNATURE: &str = "cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw";

const RFC_7520_4_3_SIGNATURE: &str = "AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJAQy3mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2";

/// The kid of RFC 7520 §3.
const BILBO: &str = "bilbo.baggins@hobbiton.example";

/// Returns a key set with one key.
fn set<K: PublicKey>(jwk: &Value) -> Result<JwkSet<K, 1>, Error> {
    JwkSet::from_json(&json!({"keys": [jwk]}).to_string())
}

/// Verifies a JWS with the key of the set that its header selects.
fn verify<K: PublicKey>(text: &str, keys: &JwkSet<K, 1>) -> Result<Vec<u8>, Error> {
    let mut buffer = [0; 2048];
    let jws = CompactJws::parse(text)?.decode(&mut buffer)?;
    let key = keys.select(jws.header())?;
    Ok(jws.verify(key)?.payload().to_vec())
}

/// Checks that the text is accepted as published, and rejected with the first bit of any
/// character of the signature changed.
fn is_accepted<K: PublicKey>(jwk: &Value, text: &str, algorithm: Algorithm) {
    let keys = set::<K>(jwk).unwrap();
    assert_eq!(keys.keys()[0].key().algorithm(), algorithm);
    let (_, payload_and_signature) = text.split_once('.').unwrap();
    let (payload, signature) = payload_and_signature.split_once('.').unwrap();
    let payload = Base64UrlUnpadded::decode_vec(payload).unwrap();
    assert_eq!(verify(text, &keys), Ok(payload));
    let start = text.len() - signature.len();
    for at in (start..text.len()).step_by(7) {
        let other = if &text[at..=at] == "A" { "g" } else { "A" };
        let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
        assert_eq!(verify(&changed, &keys), Err(Error::InvalidSignature), "{at}");
    }
}

fn rfc_7515_a_3_is_accepted<K: PublicKey>() {
    let jwk = json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    });
    let text = "eyJhbGciOiJFUzI1NiJ9.\
                eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
                DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    is_accepted::<K>(&jwk, text, Algorithm::Es256);
}

fn rfc_7520_4_1_is_accepted<K: PublicKey>() {
    let jwk = json!({"kty": "RSA", "kid": BILBO, "use": "sig", "n": RSA_MODULUS, "e": "AQAB"});
    let header = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9";
    let text = format!("{header}.{PAYLOAD}.{RFC_7520_4_1_SIGNATURE}");
    is_accepted::<K>(&jwk, &text, Algorithm::Rs256);
}

fn rfc_7520_4_2_is_accepted_by_a_key_for_ps384<K: PublicKey>() {
    let mut jwk = json!({"kty": "RSA", "kid": BILBO, "use": "sig", "n": RSA_MODULUS, "e": "AQAB"});
    let header = "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9";
    let text = format!("{header}.{PAYLOAD}.{RFC_7520_4_2_SIGNATURE}");
    // The key of the RFC has no `alg`, which is RS256 here.
    let other = Err(Error::AlgorithmNotAllowed(Problem::WrongValue));
    assert_eq!(verify(&text, &set::<K>(&jwk).unwrap()), other);
    for alg in ["PS256", "PS512", "RS384"] {
        jwk["alg"] = alg.into();
        assert_eq!(verify(&text, &set::<K>(&jwk).unwrap()), other);
    }
    jwk["alg"] = "PS384".into();
    is_accepted::<K>(&jwk, &text, Algorithm::Ps384);
}

fn rfc_7520_4_3_is_not_implemented<K: PublicKey>() {
    let jwk = json!({
        "kty": "EC", "kid": BILBO, "use": "sig", "crv": "P-521",
        "x": "AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt",
        "y": "AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1",
    });
    let Err(Error::NoUsableKeys(counts)) = set::<K>(&jwk) else { panic!() };
    assert!(counts.iter().eq([(KeyRejected::Curve(Curve::P521), 1)]));
    let header = "eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9";
    let text = format!("{header}.{PAYLOAD}.{RFC_7520_4_3_SIGNATURE}");
    let jws = CompactJws::parse(&text).unwrap().decode(&mut [0; 2048]).map(|_| ());
    assert_eq!(jws, Err(Error::AlgorithmNotAllowed(Problem::WrongValue)));
}

fn rfc_8037_a_4_is_accepted<K: PublicKey>() {
    let jwk = json!({
        "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    });
    let text = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
                hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    is_accepted::<K>(&jwk, text, Algorithm::EdDsa);
    assert_eq!(verify(text, &set::<K>(&jwk).unwrap()).unwrap(), b"Example of Ed25519 signing");
}

fn thumbprints_of_the_rfcs_are_computed<K: PublicKey>() {
    let thumbprint = |jwk: &Value| {
        let keys = set::<K>(jwk).unwrap();
        Base64UrlUnpadded::encode_string(keys.keys()[0].thumbprint())
    };
    // RFC 8037 A.3.
    let ed25519 = json!({
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kty": "OKP", "crv": "Ed25519",
    });
    assert_eq!(thumbprint(&ed25519), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    // RFC 9449 §4.1 and §6.1.
    let p256 = json!({
        "kty": "EC", "kid": "not part of it", "alg": "ES256", "crv": "P-256",
        "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
        "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
    });
    assert_eq!(thumbprint(&p256), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    // RFC 7638 §3.1, whose key is that of RFC 7517 A.1.
    let rsa = json!({
        "kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    });
    assert_eq!(thumbprint(&rsa), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

macro_rules! vectors {
    ($($feature:literal $backend:ident: $key:ident;)*) => {$(
        #[cfg(feature = $feature)]
        mod $backend {
            vectors!(@ $key:
                rfc_7515_a_3_is_accepted,
                rfc_7520_4_1_is_accepted,
                rfc_7520_4_2_is_accepted_by_a_key_for_ps384,
                rfc_7520_4_3_is_not_implemented,
                rfc_8037_a_4_is_accepted,
                thumbprints_of_the_rfcs_are_computed,
            );
        }
    )*};
    (@ $key:ident: $($test:ident,)*) => {$(
        #[test]
        fn $test() {
            super::$test::<claimgate::$key>();
        }
    )*};
}

vectors! {
    "ring" ring: RingAnyKey;
    "aws-lc-rs" aws_lc_rs: AwsLcAnyKey;
    "pure-rust" pure_rust: PureRustAnyKey;
}
