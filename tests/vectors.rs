//! Published examples: RFC 7515, RFC 7520, RFC 7638, and the key sets of issuers.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]

mod support;

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::Algorithm;
use claimgate::error::{Input, JsonProblem, KeyRejected, KeyType};
use claimgate::jwk::{Skipped, VerifyingKey};
use claimgate::jws::CompactJws;
use claimgate::{AccessToken, BearerToken, Error, IdToken, JwkSet, TokenBuffer};
use serde_json::{Value, json};
use support::*;

/// RFC 7515, Appendix A.2: the key.
const RFC_7515_N: &str = concat!(
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d",
    "4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMd",
    "bBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-",
    "DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
);

/// RFC 7515, Appendix A.2: the JWS.
const RFC_7515_JWS: &str = concat!(
    "eyJhbGciOiJSUzI1NiJ9.",
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlf",
    "Q.",
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5ju",
    "jGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07",
    "Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipU",
    "TI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
);

/// RFC 7520, §3.3: the key.
const RFC_7520_N: &str = concat!(
    "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCp",
    "MaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd",
    "1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKn",
    "S2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw"
);

/// RFC 7520, §4.1: the JWS, whose payload is a line by Tolkien.
const RFC_7520_JWS: &str = concat!(
    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.",
    "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250by",
    "B0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUg",
    "eW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4.",
    "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII",
    "7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1",
    "Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-Zn",
    "mKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg"
);

/// RFC 7638, §3.1: the key.
const RFC_7638_N: &str = concat!(
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPeb",
    "WKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368Q",
    "QMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2",
    "NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
);

fn key(n: &str) -> VerifyingKey<TestKey> {
    let n = Base64UrlUnpadded::decode_vec(n).unwrap();
    rsa_key(&n, &[1, 0, 1]).unwrap()
}

#[test]
fn rfc_7515_a_2_is_verified_and_lacks_what_a_token_needs() {
    let mut buffer = [0; 1024];
    let jws = CompactJws::parse(RFC_7515_JWS).unwrap().decode(&mut buffer).unwrap();
    assert_eq!(jws.header().key_id(), None);
    let verified = jws.verify(&key(RFC_7515_N)).unwrap();
    let payload =
        b"{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
    assert_eq!(verified.payload(), payload);

    let set = jwks(&[json!({"kty": "RSA", "n": RFC_7515_N, "e": "AQAB"})]);
    let keys = JwkSet::<TestKey, 1>::from_json(&set).unwrap();
    let issuer = claimgate::Issuer::new("joe", keys).unwrap();
    let mut buffer = TokenBuffer::<1024>::new();
    let now = claimgate::NumericDate::from_secs(1_300_819_379);
    let (token, trust) = (BearerToken::new(RFC_7515_JWS), (&issuer, &API_POLICY));
    let verdict = AccessToken::validate(token, trust, now, &mut buffer);
    let missing = Error::MissingClaim(claimgate::error::Claim::Audience);
    assert_eq!(verdict.map(|_| ()), Err(missing));
}

#[test]
fn rfc_7515_a_2_with_another_key_is_not_verified() {
    let mut buffer = [0; 1024];
    let jws = CompactJws::parse(RFC_7515_JWS).unwrap().decode(&mut buffer).unwrap();
    assert_eq!(jws.verify(&key(RFC_7520_N)).map(|_| ()), Err(Error::InvalidSignature));
}

#[test]
fn rfc_7520_4_1_is_verified_and_is_no_token() {
    for read in [
        (|jws| AccessToken::parse(jws).map(|_| ())) as fn(claimgate::jws::VerifiedJws<'_>) -> _,
        |jws| IdToken::parse(jws).map(|_| ()),
    ] {
        let mut buffer = [0; 1024];
        let jws = CompactJws::parse(RFC_7520_JWS).unwrap().decode(&mut buffer).unwrap();
        assert_eq!(jws.header().key_id(), Some("bilbo.baggins@hobbiton.example"));
        let verified = jws.verify(&key(RFC_7520_N)).unwrap();
        assert!(
            verified.payload().starts_with("It\u{2019}s a dangerous business, Frodo".as_bytes())
        );
        let no_object = Error::InvalidJson(Input::Payload, JsonProblem::NotAnObject);
        assert_eq!(read(verified), Err(no_object));
    }
}

#[test]
fn rfc_7638_3_1_has_its_thumbprint() {
    let jwk = json!({
        "kty": "RSA", "n": RFC_7638_N, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
    });
    let keys = JwkSet::<TestKey, 1>::from_json(&jwks(&[jwk])).unwrap();
    let thumbprint = Base64UrlUnpadded::encode_string(keys.keys()[0].thumbprint());
    assert_eq!(thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

/// A published key set: its members, the documentation of its form, the number of usable
/// members, and the skipped members.
struct Published {
    source: &'static str,
    members: Vec<Value>,
    kids: Vec<&'static str>,
    skipped: Vec<(usize, KeyRejected)>,
}

/// Returns a test key in the form of an issuer's key.
fn rsa(signer: &Signer, kid: &str, others: &Value) -> Value {
    let mut jwk = json!({"kty": "RSA", "kid": kid, "n": signer.jwk()["n"], "e": "AQAB"});
    for (name, value) in others.as_object().unwrap() {
        jwk[name] = value.clone();
    }
    jwk
}

fn ec(kid: &str, alg: &str, crv: &str) -> Value {
    json!({"kty": "EC", "kid": kid, "use": "sig", "alg": alg, "crv": crv, "x": "AA", "y": "AA"})
}

/// Certificates are standard base64 with padding, which is not read.
const X5C: &str = "MIIDDTCCAfWgAwIBAgIJKz0dF+/8AAAAADANBgkqhkiG9w0BAQsFADAkMSIwIAYDVQQDExk=";

fn published() -> Vec<Published> {
    let (a, b) = (Signer::a(), Signer::b());
    let certificate = json!({"alg": "RS256", "use": "sig", "x5t": "AA-_", "x5c": [X5C]});
    vec![
        Published {
            source: "Auth0: https://auth0.com/docs/secure/tokens/json-web-tokens/json-web-key-sets",
            members: vec![rsa(&a, "NjVBRjY5", &certificate), rsa(&b, "RkI5MjI5", &certificate)],
            kids: vec!["NjVBRjY5", "RkI5MjI5"],
            skipped: vec![],
        },
        Published {
            source: "Google: https://www.googleapis.com/oauth2/v3/certs",
            members: vec![
                rsa(
                    &a,
                    "f9d97b4cae90bcd76aeb20026f6b770cac221783",
                    &json!({"alg": "RS256", "use": "sig"}),
                ),
                rsa(
                    &b,
                    "fb8ca5b7d8d9a5c6c6788071e866c6c40f3fc1f9",
                    &json!({"alg": "RS256", "use": "sig"}),
                ),
            ],
            kids: vec![
                "f9d97b4cae90bcd76aeb20026f6b770cac221783",
                "fb8ca5b7d8d9a5c6c6788071e866c6c40f3fc1f9",
            ],
            skipped: vec![],
        },
        Published {
            source: "Microsoft Entra: https://login.microsoftonline.com/common/discovery/v2.0/keys",
            members: vec![
                rsa(
                    &a,
                    "-KI3Q9nNR7bRofxmeZoXqbHZGew",
                    &json!({
                        "use": "sig", "x5t": "-KI3Q9nNR7bRofxmeZoXqbHZGew", "x5c": [X5C],
                        "cloud_instance_name": "microsoftonline.com",
                        "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0",
                    }),
                ),
                rsa(&b, "q-23falevZhhD3hm9CQbkP5MQyU", &json!({"use": "sig", "x5c": [X5C]})),
            ],
            kids: vec!["-KI3Q9nNR7bRofxmeZoXqbHZGew", "q-23falevZhhD3hm9CQbkP5MQyU"],
            skipped: vec![],
        },
        Published {
            source: "Okta: https://developer.okta.com/docs/api/openapi/okta-oauth/oauth/tag/OrgAS/",
            members: vec![
                rsa(
                    &a,
                    "U5R8cHbGw445Qbq8zVO1PcCpXL8yG6IcovVa3laCoxM",
                    &json!({"alg": "RS256", "use": "sig"}),
                ),
                rsa(
                    &b,
                    "Y3vBOdYT-l-I0j-gRQ26XjutSX00TeWiSguuDhW3ngo",
                    &json!({"alg": "RS256", "use": "sig"}),
                ),
            ],
            kids: vec![
                "U5R8cHbGw445Qbq8zVO1PcCpXL8yG6IcovVa3laCoxM",
                "Y3vBOdYT-l-I0j-gRQ26XjutSX00TeWiSguuDhW3ngo",
            ],
            skipped: vec![],
        },
        Published {
            source: "Keycloak: https://www.keycloak.org/securing-apps/oidc-layers (certs endpoint)",
            members: vec![
                rsa(&b, "encryption", &json!({"alg": "RSA-OAEP", "use": "enc", "x5c": [X5C]})),
                rsa(
                    &a,
                    "FJ86GcF3jTbNLOco4NvZkUCIUmfYCqoqtOQeMfbhNlE",
                    &json!({"alg": "RS256", "use": "sig", "x5c": [X5C], "x5t": "AA", "x5t#S256": "AA"}),
                ),
                ec("es", "ES256", "P-256"),
            ],
            kids: vec!["FJ86GcF3jTbNLOco4NvZkUCIUmfYCqoqtOQeMfbhNlE"],
            skipped: vec![(0, KeyRejected::Use), (2, KeyRejected::KeyType(KeyType::Ec))],
        },
        Published {
            source: "Apple: https://appleid.apple.com/auth/keys",
            members: vec![
                rsa(&a, "T8tIJ1zSrO", &json!({"use": "sig", "alg": "RS256"})),
                rsa(&b, "dMlERBaFdK", &json!({"use": "sig", "alg": "RS256"})),
                rsa(&Signer::c3072(), "rs0M3kOV9p", &json!({"use": "sig", "alg": "RS256"})),
            ],
            kids: vec!["T8tIJ1zSrO", "dMlERBaFdK", "rs0M3kOV9p"],
            skipped: vec![],
        },
        Published {
            source: "Amazon Cognito: https://docs.aws.amazon.com/cognito/latest/developerguide/",
            members: vec![
                rsa(&a, "1234example=", &json!({"alg": "RS256", "use": "sig"})),
                rsa(&b, "5678example=", &json!({"alg": "RS256", "use": "sig"})),
            ],
            kids: vec!["1234example=", "5678example="],
            skipped: vec![],
        },
        Published {
            source: "a mixed set: RFC 7517 Appendix A, RFC 8037 Appendix A.2, RFC 7518 §6.4",
            members: vec![
                ec("1", "ES256", "P-256"),
                ec("2", "ES256K", "secp256k1"),
                json!({"kty": "OKP", "crv": "Ed25519", "x": "AA", "alg": "EdDSA", "use": "sig"}),
                json!({"kty": "oct", "k": "AAAA", "alg": "HS256"}),
                rsa(&b, "ps", &json!({"alg": "PS256"})),
                rsa(&b, "rs512", &json!({"alg": "RS512", "use": "sig"})),
                rsa(&a, "2011-04-29", &json!({"alg": "RS256"})),
                json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"}),
            ],
            kids: vec!["2011-04-29"],
            skipped: vec![
                (0, KeyRejected::KeyType(KeyType::Ec)),
                (1, KeyRejected::KeyType(KeyType::Ec)),
                (2, KeyRejected::KeyType(KeyType::Okp)),
                (3, KeyRejected::KeyType(KeyType::Oct)),
                (4, KeyRejected::Algorithm(Some(Algorithm::Ps256))),
                (5, KeyRejected::Algorithm(Some(Algorithm::Rs512))),
                (7, KeyRejected::KeyType(KeyType::Other)),
            ],
        },
    ]
}

#[test]
fn key_sets_as_issuers_publish_them_are_read() {
    for set in published() {
        let keys = JwkSet::<TestKey, 4>::from_json(&jwks(&set.members)).unwrap();
        let kids: Vec<_> = keys.keys().iter().map(|jwk| jwk.key_id().unwrap()).collect();
        assert_eq!(kids, set.kids, "{}", set.source);
        let skipped: Vec<_> =
            set.skipped.iter().map(|&(index, reason)| Skipped { index, reason }).collect();
        assert_eq!(keys.skipped(), skipped, "{}", set.source);
        // They also verify: in each set, one key is that of the test issuer.
        let token = Signer::a().sign_with(
            &json!({"alg": "RS256", "kid": kids.iter().find(|kid| {
                let n = &set.members.iter().find(|jwk| jwk["kid"] == ***kid).unwrap()["n"];
                *n == Signer::a().jwk()["n"]
            })}),
            &access_claims(),
        );
        let trusted = Trusted::new(keys);
        let verdict = trusted.access(&API_POLICY, BearerToken::new(&token), NOW);
        assert_eq!(verdict, Ok(()), "{}", set.source);
    }
}
