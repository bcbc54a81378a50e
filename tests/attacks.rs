//! Published failure classes of JWT libraries, one test each, named after the advisory. A
//! comment describes the failure; the test asserts the exact result of this crate.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]

mod support;

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::cache::VerifiedTokenCache;
use claimgate::error::{
    Claim, HeaderParameter, Input, JsonProblem, JsonType, KeyRejected, Problem,
};
use claimgate::jws::CompactJws;
use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, Challenge, Error, IdTokenPolicy, Issuer, JwkSet,
    NumericDate, TokenBuffer,
};
use serde_json::{Value, json};
use support::*;

fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// Returns a token whose signature is an HMAC with this secret.
fn hmac_token(header: &Value, secret: &[u8]) -> String {
    let input = format!(
        "{}.{}",
        encode(header.to_string().as_bytes()),
        encode(access_claims().to_string().as_bytes())
    );
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
    format!("{input}.{}", encode(ring::hmac::sign(&key, input.as_bytes()).as_ref()))
}

fn api(token: &str) -> Result<(), Error> {
    check_access(&API_POLICY, token, NOW)
}

const NOT_RS256: Result<(), Error> = Err(Error::AlgorithmNotAllowed(Problem::WrongValue));

/// Returns the public key in each form in which a verifier could have stored it.
fn forms_of_the_public_key() -> Vec<Vec<u8>> {
    let (n, e) = Signer::a().components();
    let mut pem = b"-----BEGIN PUBLIC KEY-----\n".to_vec();
    pem.extend(encode(&n).into_bytes());
    pem.extend(b"\n-----END PUBLIC KEY-----\n");
    vec![
        encode(&n).into_bytes(),
        [n.clone(), e].concat(),
        pem,
        Signer::a().jwk().to_string().into_bytes(),
        n,
        Vec::new(),
    ]
}

#[test]
fn cve_2015_9235_algorithm_confusion() {
    // jsonwebtoken (npm) used the public key as an HMAC secret.
    for secret in forms_of_the_public_key() {
        for alg in ["HS256", "HS384", "HS512"] {
            let header = json!({"alg": alg, "typ": "JWT", "kid": "key-a"});
            assert_eq!(api(&hmac_token(&header, &secret)), NOT_RS256);
        }
        // The header says RS256, the signature is an HMAC.
        let header = json!({"alg": "RS256", "kid": "key-a"});
        assert_eq!(api(&hmac_token(&header, &secret)), Err(Error::InvalidSignature));
    }
}

#[test]
fn cve_2023_48223_algorithm_confusion_by_an_unusual_key_format() {
    // fast-jwt recognised a public key by one PEM header only, and used HMAC for others.
    for header in ["-----BEGIN RSA PUBLIC KEY-----\n", "\n-----BEGIN PUBLIC KEY-----", " "] {
        let secret = [header.as_bytes(), &Signer::a().components().0].concat();
        assert_eq!(api(&hmac_token(&json!({"alg": "HS256"}), &secret)), NOT_RS256);
    }
}

#[test]
fn cve_2026_34950_algorithm_confusion_once_more() {
    // White space before the PEM header had the same effect. In this crate, the form of a key
    // is irrelevant: `alg` is compared with one value.
    for secret in forms_of_the_public_key() {
        let secret = [b" \n\t".as_slice(), &secret].concat();
        assert_eq!(api(&hmac_token(&json!({"alg": "HS256"}), &secret)), NOT_RS256);
    }
}

#[test]
fn cve_2026_44699_and_cve_2026_22817_a_key_without_alg() {
    // The token's `alg` was trusted if the key had none.
    let bare = without(without(Signer::a().jwk(), "alg"), "use");
    let issuer = issuer(JwkSet::<TestKey, 1>::from_json(&jwks(&[bare])).unwrap());
    let check = |token: &str| {
        let mut buffer = TokenBuffer::<8192>::new();
        AccessToken::validate(BearerToken::new(token), (&issuer, &API_POLICY), NOW, &mut buffer)
            .map(|_| ())
    };
    assert_eq!(check(&Signer::a().sign(&access_claims())), Ok(()));
    for secret in forms_of_the_public_key() {
        for alg in ["HS256", "HS512", "none", "RS512", "PS256", "ES256"] {
            let header = json!({"alg": alg, "kid": "key-a"});
            assert_eq!(check(&hmac_token(&header, &secret)), NOT_RS256);
        }
    }
}

#[test]
fn cve_2022_23540_and_cve_2026_28802_none_in_every_spelling() {
    // jsonwebtoken (npm) fell back to `none`; others missed one of its spellings.
    for alg in ["none", "None", "NONE", "nOnE", "NonE", "none\0", " none", "", "null", "n\u{f6}ne"]
    {
        let header = encode(json!({"alg": alg, "kid": "key-a"}).to_string().as_bytes());
        let payload = encode(access_claims().to_string().as_bytes());
        assert_eq!(api(&format!("{header}.{payload}.")), Err(Error::MalformedToken), "{alg}");
        assert_eq!(api(&format!("{header}.{payload}")), Err(Error::MalformedToken), "{alg}");
        assert_eq!(api(&format!("{header}.{payload}.AA")), NOT_RS256, "{alg}");
    }
    let payload = encode(access_claims().to_string().as_bytes());
    for header in [r#"{"alg":null}"#, r#"{"alg":["RS256"]}"#, r#"{"alg":{"RS256":1}}"#] {
        let token = format!("{}.{payload}.AA", encode(header.as_bytes()));
        assert_eq!(api(&token), Err(Error::AlgorithmNotAllowed(Problem::WrongType)), "{header}");
    }
    let escaped = format!("{}.{payload}.AA", encode(br#"{"\u0061lg":"\u006eone"}"#));
    assert_eq!(api(&escaped), NOT_RS256);
}

#[test]
fn cve_2025_59420_cve_2026_32597_and_cve_2026_35042_crit_is_not_ignored() {
    // Authlib, PyJWT and fast-jwt accepted tokens with an unknown `crit`.
    let critical = Err(Error::CriticalHeader(HeaderParameter::Critical));
    for crit in [json!(["bork"]), json!(["cnf", "exp"]), json!([]), json!(["RS256"]), json!("x")] {
        let header = json!({"alg": "RS256", "kid": "key-a", "crit": crit, "bork": true});
        assert_eq!(access_with_header(&header), critical);
    }
}

#[test]
fn cve_2018_0114_and_cve_2026_34240_a_key_in_the_header() {
    // node-jose and others verified with the `jwk` in the token.
    let attacker = Signer::b();
    for (name, value) in [
        ("jwk", attacker.jwk()),
        ("jku", json!("https://attacker.example/jwks.json")),
        ("x5u", json!("https://attacker.example/chain.pem")),
        ("x5c", json!([encode(&attacker.components().0)])),
        ("x5t#S256", json!("AA")),
    ] {
        for kid in [json!("key-a"), json!("key-b"), json!(null)] {
            let mut header = json!({"alg": "RS256", "kid": kid, name: value.clone()});
            if kid.is_null() {
                header.as_object_mut().unwrap().remove("kid");
            }
            let expected = match kid.as_str() {
                Some("key-b") => Error::UnknownKey,
                _ => Error::InvalidSignature,
            };
            let forged = attacker.sign_with(&header, &access_claims());
            assert_eq!(api(&forged), Err(expected), "{name} {kid}");
        }
    }
}

#[test]
fn cve_2026_29000_an_encrypted_token_is_not_taken_for_a_verified_one() {
    // pac4j accepted a JWE that contains an unsigned JWT.
    let inner = format!(
        "{}.{}.",
        encode(br#"{"alg":"none"}"#),
        encode(access_claims().to_string().as_bytes())
    );
    let header = json!({"alg": "RSA-OAEP", "enc": "A256GCM", "cty": "JWT"}).to_string();
    let (header, inner) = (encode(header.as_bytes()), encode(inner.as_bytes()));
    assert_eq!(api(&format!("{header}.AA.AA.{inner}.AA")), Err(Error::EncryptedToken));
    assert_eq!(api(&format!("{header}..AA.{inner}.AA")), Err(Error::EncryptedToken));
    // A signed token that contains another token is rejected, too.
    let wrapped = Signer::a().sign_raw(br#"{"alg":"RS256","cty":"JWT"}"#, inner.as_bytes());
    let not_an_object = Error::InvalidJson(Input::Payload, JsonProblem::NotAnObject);
    assert_eq!(api(&wrapped), Err(not_an_object));
}

#[test]
fn cve_2025_30204_and_cve_2025_22868_dots_cost_nothing() {
    // golang-jwt and golang.org/x/oauth2 split the whole text at every dot.
    let dots = ".".repeat(8192);
    assert_eq!(api(&dots), Err(Error::MalformedToken));
    let dots = ".".repeat(1_000_000);
    let unlimited = CompactJws::parse_up_to(&dots, usize::MAX).map(|_| ());
    assert_eq!(unlimited, Err(Error::MalformedToken));
    let tokens = vec!["a.b.c"; 1000].join(".");
    assert_eq!(api(&tokens), Err(Error::MalformedToken));
    let header = format!("Bearer {}", "a.".repeat(100_000));
    let token = BearerToken::from_authorization(&header).unwrap();
    let too_large = Error::TokenTooLarge { length: 200_000, limit: 8192 };
    assert_eq!(api(token.expose()), Err(too_large));
}

#[test]
fn cve_2025_53864_nesting_does_not_exhaust_the_stack() {
    // Nimbus JOSE+JWT recursed into claims without a depth limit.
    let too_deep = Error::InvalidJson(Input::Payload, JsonProblem::TooDeep);
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let payload = format!(r#"{{"x":{}1{}}}"#, open.repeat(1000), close.repeat(1000));
        let token = Signer::a().sign_raw(br#"{"alg":"RS256"}"#, payload.as_bytes());
        let issuer = trusted();
        let mut buffer = TokenBuffer::<16_384>::new().max_token_len(16_384);
        let token = BearerToken::new(&token);
        let verdict = AccessToken::validate(token, (&issuer, &API_POLICY), NOW, &mut buffer);
        assert_eq!(verdict.map(|_| ()), Err(too_deep));
    }
}

#[test]
fn cve_2024_53861_an_issuer_is_compared_whole() {
    // PyJWT 2.10.0 tested whether the issuer was a substring of the expected one.
    for issuer in ["https://", "my-domain", "/", "", "auth0.com/", "https://my-domain.auth0.com"] {
        let verdict = access(&with(access_claims(), "iss", issuer));
        assert_eq!(verdict, Err(Error::IssuerMismatch), "{issuer}");
    }
    for audience in ["https://example.com", "health-api", "", "https://example.com/health-ap"] {
        let verdict = access(&with(access_claims(), "aud", audience));
        assert_eq!(verdict, Err(Error::AudienceMismatch { audiences: 1 }), "{audience}");
    }
}

#[test]
fn cve_2020_26160_an_audience_array_is_read() {
    // jwt-go treated an array of strings as no audience, and no audience as valid.
    for audience in [json!([]), json!(["x"]), json!(["x", "y"])] {
        let audiences = audience.as_array().unwrap().len();
        let verdict = access(&with(access_claims(), "aud", audience));
        assert_eq!(verdict, Err(Error::AudienceMismatch { audiences }));
    }
    let missing = Err(Error::MissingClaim(Claim::Audience));
    assert_eq!(access(&without(access_claims(), "aud")), missing);
    assert_eq!(id(&without(id_claims(), "aud")), missing);
}

#[test]
fn cve_2025_30144_an_issuer_array_is_no_issuer() {
    // fast-jwt accepted an array with the issuer and an attacker's issuer.
    let wrong = Err(Error::ClaimType(Claim::Issuer, JsonType::String));
    for issuer in [json!([ISSUER]), json!(["https://attacker.example", ISSUER]), json!({})] {
        assert_eq!(access(&with(access_claims(), "iss", issuer)), wrong);
    }
}

#[test]
fn cve_2026_25537_a_claim_of_the_wrong_type_is_not_an_absent_one() {
    // jsonwebtoken (Rust) treated a claim of the wrong type as missing, and did not check it.
    for (name, claim, shape) in [
        ("nbf", Claim::NotBefore, JsonType::NumericDate),
        ("exp", Claim::Expiry, JsonType::NumericDate),
        ("iat", Claim::IssuedAt, JsonType::NumericDate),
        ("iss", Claim::Issuer, JsonType::String),
        ("sub", Claim::Subject, JsonType::String),
        ("aud", Claim::Audience, JsonType::StringOrStrings),
    ] {
        for value in [json!({}), json!(true), json!(null), json!([[]])] {
            let wrong = Err(Error::ClaimType(claim, shape));
            assert_eq!(access(&with(access_claims(), name, value)), wrong, "{name}");
        }
    }
    let wrong = Err(Error::ClaimType(Claim::NotBefore, JsonType::NumericDate));
    assert_eq!(access(&with(access_claims(), "nbf", "99999999999")), wrong);
}

/// Replaces the signature of a token by a number with these big-endian octets.
fn with_signature(signature: &[u8]) -> Result<(), Error> {
    let token = Signer::a().sign(&access_claims());
    let (input, _) = token.rsplit_once('.').unwrap();
    api(&format!("{input}.{}", encode(signature)))
}

#[test]
fn cve_2006_4339_and_cve_2026_33894_the_encoded_message_is_compared_and_not_parsed() {
    // OpenSSL and node-forge parsed the decrypted block, and ignored data after the hash: with
    // e = 3, a cube root is then a valid signature. With e = 3, every cube below the modulus
    // is such a candidate.
    let n = Signer::a().components().0;
    let key = rsa_key::<TestKey>(&n, &[3]).unwrap();
    let message = b"message";
    let digest = ring::digest::digest(&ring::digest::SHA256, message);
    // 00 01 ff … 00 DigestInfo hash, with short padding and other data at the end: its cube
    // root, rounded up, preserves the first octets.
    let prefix = [
        &[0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0][..],
        &[0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01],
        &[0x05, 0x00, 0x04, 0x20],
        digest.as_ref(),
    ]
    .concat();
    let root = cube_root_of_block(&prefix);
    let cube = cube(&root);
    assert!(cube.starts_with(&prefix), "the forgery is none");
    assert_eq!(key.verify(message, &root), Err(Error::InvalidSignature));
}

/// Returns the cube root, rounded up, of a block of 256 octets that begins with `prefix` and
/// continues with zeros.
fn cube_root_of_block(prefix: &[u8]) -> Vec<u8> {
    let mut block = prefix.to_vec();
    block.resize(256, 0);
    let mut root = vec![0_u8; 256];
    for bit in (0..683).rev() {
        let (byte, mask) = (255 - bit / 8, 1 << (bit % 8));
        root[byte] |= mask;
        if cube(&root) > block {
            root[byte] &= !mask;
        }
    }
    // Rounded up: the cube is above the block, and differs only at its end.
    for byte in root.iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            break;
        }
    }
    root
}

/// Returns the last 256 octets of a cube, which for these roots are all of it.
fn cube(root: &[u8]) -> Vec<u8> {
    let times = |left: &[u8], right: &[u8]| {
        let mut product = vec![0_u32; 512];
        for (i, l) in left.iter().rev().enumerate().filter(|(_, l)| **l != 0) {
            let mut carry = 0;
            for (j, r) in right.iter().rev().enumerate() {
                let sum = product[i + j] + u32::from(*l) * u32::from(*r) + carry;
                product[i + j] = sum & 0xff;
                carry = sum >> 8;
            }
            if i + right.len() < 512 {
                product[i + right.len()] += carry;
            }
        }
        let low = product[..256].iter().rev();
        low.map(|digit| u8::try_from(*digit).unwrap()).collect::<Vec<u8>>()
    };
    times(&times(root, root), root)
}

#[test]
fn cve_2022_21449_trivial_signatures_are_no_signatures() {
    // Java's ECDSA accepted zeros as a signature. RSA has other trivial numbers.
    let n = Signer::a().components().0;
    let mut minus_one = n.clone();
    *minus_one.last_mut().unwrap() -= 1;
    let mut one = vec![0; 256];
    one[255] = 1;
    for signature in [vec![0; 256], one, minus_one, n, vec![0xff; 256]] {
        assert_eq!(with_signature(&signature), Err(Error::InvalidSignature));
    }
}

#[test]
fn signatures_of_another_length_are_no_signatures() {
    // Verifiers padded short signatures, or truncated long ones.
    let token = Signer::a().sign(&access_claims());
    let signature = Base64UrlUnpadded::decode_vec(token.rsplit_once('.').unwrap().1).unwrap();
    for length in [1, 32, 64, 128, 255, 257, 384, 512, 1024] {
        let mut other = signature.clone();
        other.resize(length, 0);
        assert_eq!(with_signature(&other), Err(Error::InvalidSignature), "{length}");
        let mut padded = vec![0; length];
        padded.extend(&signature);
        assert_eq!(with_signature(&padded), Err(Error::InvalidSignature), "{length}");
    }
}

#[test]
fn cve_2017_15361_and_weak_keys_are_not_used() {
    // Keys that are too small, or with an exponent that makes verification ineffective.
    let n = Signer::a().components().0;
    for (n, e, reason) in [
        (&n[..128], &[1, 0, 1][..], KeyRejected::ModulusTooSmall { bits: 1024 }),
        (&n[..255], &[1, 0, 1], KeyRejected::ModulusTooSmall { bits: 2040 }),
        (&n, &[1], KeyRejected::Exponent),
        (&n, &[2], KeyRejected::Exponent),
        (&n, &[], KeyRejected::Components),
    ] {
        assert_eq!(rsa_key::<TestKey>(n, e).map(|_| ()), Err(reason));
    }
}

#[test]
fn extreme_dates_are_refused_or_mean_what_they_say() {
    let now = NOW.as_secs();
    let at = |name: &str, text: &str| {
        let claims = without(access_claims(), name).to_string();
        access_raw(
            br#"{"alg":"RS256"}"#,
            format!("{{\"{name}\":{text},{}", &claims[1..]).as_bytes(),
        )
    };
    let wrong = |claim| Err(Error::ClaimType(claim, JsonType::NumericDate));
    for text in [
        "-1",
        "253402300800",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "1e400",
        "1e308",
        "1311281970000",
        "-9223372036854775808",
        "\"never\"",
        "null",
    ] {
        for (name, claim) in
            [("exp", Claim::Expiry), ("nbf", Claim::NotBefore), ("iat", Claim::IssuedAt)]
        {
            assert_eq!(at(name, text), wrong(claim), "{name} {text}");
        }
    }
    let expired = |exp| Err(Error::Expired { exp, now, leeway: 60 });
    assert_eq!(at("exp", "0"), expired(0));
    assert_eq!(at("exp", "0.999"), expired(0));
    assert_eq!(at("exp", "1e-400"), expired(0));
    for text in ["2147483647", "2147483648", "4294967295", "4294967296", "253402300799"] {
        assert_eq!(at("exp", text), Ok(()), "{text}");
        let nbf = text.parse().unwrap();
        assert_eq!(at("nbf", text), Err(Error::NotYetValid { nbf, now, leeway: 60 }), "{text}");
    }
    // The clock may have any value: no arithmetic wraps.
    let token = Signer::a().sign(&access_claims());
    for now in [0, u64::MAX] {
        assert!(check_access(&API_POLICY, &token, NumericDate::from_secs(now)).is_err());
    }
}

#[test]
fn cve_2026_35039_a_cache_does_not_confuse_two_tokens() {
    // fast-jwt let the caller construct cache keys, so that two tokens could have the same.
    let issuer = trusted();
    let mut cache = VerifiedTokenCache::<8, 2048>::new();
    let mut check = |token: &str| {
        let mut buffer = TokenBuffer::<4096>::new();
        let (token, trust) = (BearerToken::new(token), (&issuer, &API_POLICY));
        AccessToken::validate_cached(token, trust, NOW, &mut buffer, &mut cache)
            .map(|token| token.subject().to_owned())
    };
    let jane = Signer::a().sign(&with(access_claims(), "sub", "jane"));
    let john = Signer::a().sign(&with(access_claims(), "sub", "john"));
    for _ in 0..2 {
        assert_eq!(check(&jane), Ok("jane".to_owned()));
        assert_eq!(check(&john), Ok("john".to_owned()));
    }
    // Header and payload of one token, and the signature of another.
    let (input, _) = jane.rsplit_once('.').unwrap();
    let (_, signature) = john.rsplit_once('.').unwrap();
    assert_eq!(check(&format!("{input}.{signature}")), Err(Error::InvalidSignature));
}

#[test]
fn a_challenge_cannot_be_injected_into() {
    // Token text copied to `WWW-Authenticate` could split headers.
    let hostile = "x\r\nSet-Cookie: a=b\", error=\"none";
    for token in [hostile.to_owned(), format!("{hostile}.{hostile}.{hostile}")] {
        let error = api(&token).unwrap_err();
        let challenge = API_POLICY.challenge(error).realm(hostile).to_string();
        assert!(!challenge.contains(['\r', '\n', '\\']), "{challenge}");
        assert_eq!(challenge.matches("error=\"").count(), 1, "{challenge}");
    }
    let claims = with(access_claims(), "scope", hostile);
    let challenge = Challenge::new(access(&claims).unwrap_err()).to_string();
    assert!(!challenge.contains("Set-Cookie"), "{challenge}");
}

#[test]
fn an_id_token_does_not_open_an_api_and_an_access_token_logs_nobody_in() {
    // Confusion of token kinds, with the same audience for both.
    let both = json!([API, CLIENT_ID]);
    let id_token = with(with(id_claims(), "aud", both.clone()), "nonce", "n");
    let access_token = with(access_claims(), "aud", both);
    let api = AccessTokenPolicy::general(API).build().unwrap();
    let login = IdTokenPolicy::new(CLIENT_ID).trusted_audiences(&[API]).build().unwrap();
    let text = Signer::a().sign(&id_token);
    assert_eq!(check_access(&api, &text, NOW).unwrap_err().code(), "token_type");
    let text = Signer::a().sign(&access_token);
    assert_eq!(check_id(&login, &text, NOW).unwrap_err().code(), "token_type");
}

#[test]
fn an_issuers_key_does_not_sign_for_another_issuer() {
    // Multi-tenant verifiers accepted the key of any trusted issuer for every trusted issuer.
    const OTHER: &str = "https://other.example/";
    let others = JwkSet::<TestKey, 4>::from_json(&jwks(&[with(Signer::b().jwk(), "kid", "key-a")]));
    let others = others.unwrap();
    let issuers = [trusted(), Issuer::new(OTHER, others).unwrap()];
    let forged = Signer::a().sign(&with(access_claims(), "iss", OTHER));
    let mut buffer = TokenBuffer::<4096>::new();
    let (token, trust) = (BearerToken::new(&forged), (&issuers[..], &API_POLICY));
    let verdict = AccessToken::validate(token, trust, NOW, &mut buffer);
    assert_eq!(verdict.map(|_| ()), Err(Error::InvalidSignature));
}
