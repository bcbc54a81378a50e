//! Every error: its message, code, HTTP status and challenge error.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]

mod support;

use std::collections::BTreeSet;

use claimgate::Algorithm;
use claimgate::error::{
    Claim, ConfigError, Curve, HeaderParameter, Input, JsonProblem, JsonType, KeyRejected, KeyType,
    Problem, RequestProblem, WrongKind,
};
use support::*;

/// Message, code, status and challenge, in the order of `every_error`.
const PINNED: &[(&str, &str, u16, &str)] = &[
    ("the request has no bearer token", "missing_token", 401, ""),
    (
        "invalid Authorization header: expected Bearer and one token",
        "invalid_request",
        400,
        "invalid_request",
    ),
    (
        "invalid Authorization header: more than one token",
        "invalid_request",
        400,
        "invalid_request",
    ),
    ("the token does not have three non-empty segments", "malformed_token", 401, "invalid_token"),
    (
        "the token is encrypted (JWE), which is not supported",
        "encrypted_token",
        401,
        "invalid_token",
    ),
    ("the token is opaque (not a JWS)", "opaque_token", 401, "invalid_token"),
    (
        "the token or its header has 8193 bytes (limit 8192)",
        "token_too_large",
        401,
        "invalid_token",
    ),
    (
        "the buffer is too small: 600 bytes needed, 512 available",
        "buffer_too_small",
        401,
        "invalid_token",
    ),
    ("the payload is not canonical unpadded base64url", "invalid_base64", 401, "invalid_token"),
    (
        "the header is not acceptable JSON: trailing data after the object",
        "invalid_json",
        401,
        "invalid_token",
    ),
    ("duplicate member name in an object of the payload", "duplicate_member", 401, "invalid_token"),
    ("exp must be a number of seconds from 0 to 253402300799", "claim_type", 401, "invalid_token"),
    ("the token has more than 16 audiences", "too_many_audiences", 401, "invalid_token"),
    (
        "the header parameter kid is not a string or has an unacceptable length",
        "header_type",
        401,
        "invalid_token",
    ),
    (
        "the algorithm is not allowed: the header parameter alg has an unacceptable value",
        "algorithm_not_allowed",
        401,
        "invalid_token",
    ),
    (
        "the header parameter crit is not supported and must not be ignored",
        "critical_header",
        401,
        "invalid_token",
    ),
    (
        "no usable key in the issuer's key set has the token's kid",
        "unknown_key",
        401,
        "invalid_token",
    ),
    (
        "2 keys could have signed the token, and its kid does not identify one of them",
        "ambiguous_key",
        401,
        "invalid_token",
    ),
    (
        "the key set has no usable key: 1 skipped because kty is not accepted: EC; 1 skipped because use is not sig",
        "no_usable_keys",
        401,
        "invalid_token",
    ),
    (
        "the key set has more than 4 usable keys, its capacity",
        "too_many_keys",
        401,
        "invalid_token",
    ),
    (
        "the key was rejected: the modulus has 1024 bits (minimum 2048)",
        "key_rejected",
        401,
        "invalid_token",
    ),
    ("the signature is invalid", "invalid_signature", 401, "invalid_token"),
    ("the token's issuer is not trusted", "unknown_issuer", 401, "invalid_token"),
    ("the required claim sub is missing", "missing_claim", 401, "invalid_token"),
    ("iss is not the expected issuer", "issuer_mismatch", 401, "invalid_token"),
    ("the token expired at 100 (now 161, leeway 60 s)", "expired", 401, "invalid_token"),
    (
        "the token is not valid before 300 (now 161, leeway 60 s)",
        "not_yet_valid",
        401,
        "invalid_token",
    ),
    (
        "the token was issued in the future, at 300 (now 161, leeway 60 s)",
        "issued_in_future",
        401,
        "invalid_token",
    ),
    ("the token is 500 s old (limit 300 s, leeway 60 s)", "token_too_old", 401, "invalid_token"),
    ("the token was issued for 90000 s (limit 86400 s)", "lifetime_too_long", 401, "invalid_token"),
    (
        "the token's audiences (2) do not include an expected one",
        "audience_mismatch",
        401,
        "invalid_token",
    ),
    (
        "the token's audiences (2) include an untrusted one",
        "untrusted_audience",
        401,
        "invalid_token",
    ),
    ("azp is not an expected client", "authorized_party_mismatch", 401, "invalid_token"),
    ("wrong token kind, indicated by the claim nonce", "token_type", 401, "invalid_token"),
    ("nonce is not the expected one", "nonce_mismatch", 401, "invalid_token"),
    ("nonce is present but must not be", "unexpected_claim", 401, "invalid_token"),
    (
        "the user authenticated 500 s ago (limit 300 s, leeway 60 s)",
        "authentication_too_old",
        401,
        "invalid_token",
    ),
    (
        "insufficient authentication: acr has an unacceptable value",
        "insufficient_authentication",
        401,
        "insufficient_user_authentication",
    ),
    (
        "insufficient authentication: amr is missing",
        "insufficient_authentication",
        401,
        "insufficient_user_authentication",
    ),
    (
        "insufficient authentication: auth_time is missing",
        "insufficient_authentication",
        401,
        "insufficient_user_authentication",
    ),
    (
        "at_hash does not match the value received with the token",
        "hash_mismatch",
        401,
        "invalid_token",
    ),
    ("the organization is not the expected one", "organization_mismatch", 401, "invalid_token"),
    (
        "the refreshed ID token and the first ID token differ in sub",
        "refresh_mismatch",
        401,
        "invalid_token",
    ),
    (
        "the userinfo response and the ID token differ in sub",
        "subject_mismatch",
        401,
        "invalid_token",
    ),
    (
        "the claim scope does not grant the required scope",
        "insufficient_scope",
        403,
        "insufficient_scope",
    ),
    (
        "the claim permissions does not grant the required scope",
        "insufficient_scope",
        403,
        "insufficient_scope",
    ),
    (
        "claim rule 1 failed: the claim has an unacceptable value",
        "claim_mismatch",
        403,
        "insufficient_scope",
    ),
    ("the token's tenant is not allowed", "tenant_not_allowed", 401, "invalid_token"),
    (
        "the subject is not of the required kind, user or client",
        "subject_kind",
        401,
        "invalid_token",
    ),
    (
        "the token is bound to a key, and the request proves no such key",
        "confirmation_required",
        401,
        "invalid_token",
    ),
    (
        "the token is bound to a different key than the request's",
        "confirmation_mismatch",
        401,
        "invalid_token",
    ),
    ("htu of the proof does not match the request", "proof_mismatch", 401, "invalid_token"),
    ("the proof is 200 s old (limit 60 s, leeway 60 s)", "proof_too_old", 401, "invalid_token"),
    ("the token was already used", "replayed", 401, "invalid_token"),
    ("the replay window is full", "replay_window_full", 401, "invalid_token"),
];

#[test]
fn every_error_is_pinned() {
    let errors = every_error();
    assert_eq!(errors.len(), PINNED.len());
    for (error, (message, code, status, challenge)) in errors.iter().zip(PINNED) {
        assert_eq!(error.to_string(), *message);
        assert_eq!(error.code(), *code);
        assert_eq!(error.http_status(), *status, "{code}");
        assert_eq!(error.rfc6750_error().unwrap_or_default(), *challenge, "{code}");
    }
}

/// The codes in the text of `Error::code`.
fn codes_in_the_source() -> BTreeSet<&'static str> {
    let source = include_str!("../src/error/code.rs");
    let start = source.find("pub const fn code(&self)").unwrap();
    let end = start + source[start..].find("\n    }\n").unwrap();
    source[start..end].split('"').skip(1).step_by(2).collect()
}

#[test]
fn no_error_is_missing_from_the_list() {
    let listed: BTreeSet<&str> = every_error().iter().map(|error| error.code()).collect();
    assert_eq!(codes_in_the_source(), listed);
}

#[test]
fn the_codes_of_the_rule_book_exist() {
    let codes = codes_in_the_source();
    for code in [
        "malformed_token",
        "encrypted_token",
        "opaque_token",
        "invalid_base64",
        "token_too_large",
        "buffer_too_small",
        "invalid_json",
        "duplicate_member",
        "claim_type",
        "algorithm_not_allowed",
        "critical_header",
        "unknown_key",
        "ambiguous_key",
        "no_usable_keys",
        "key_rejected",
        "invalid_signature",
        "unknown_issuer",
        "issuer_mismatch",
        "missing_claim",
        "expired",
        "not_yet_valid",
        "issued_in_future",
        "token_too_old",
        "lifetime_too_long",
        "audience_mismatch",
        "untrusted_audience",
        "authorized_party_mismatch",
        "nonce_mismatch",
        "unexpected_claim",
        "authentication_too_old",
        "insufficient_authentication",
        "hash_mismatch",
        "token_type",
        "organization_mismatch",
        "refresh_mismatch",
        "subject_mismatch",
        "insufficient_scope",
        "subject_kind",
        "confirmation_required",
        "confirmation_mismatch",
    ] {
        assert!(codes.contains(code), "{code}");
    }
    for code in codes {
        assert!(
            code.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')),
            "{code}"
        );
    }
    assert_eq!(ConfigError::LeewayTooLong.code(), "construction");
}

#[test]
fn an_error_is_one_line_of_ascii_prose() {
    for error in every_error() {
        let message = error.to_string();
        assert!(message.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{message}");
        assert!(!message.ends_with('.') && message.len() < 160, "{message}");
    }
}

#[test]
fn the_parts_of_errors_are_pinned() {
    let text = |parts: &[&dyn std::fmt::Display]| -> Vec<String> {
        parts.iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        text(&[
            &Input::Header,
            &Input::Payload,
            &Input::Signature,
            &Input::JwkSet,
            &Input::UserInfoResponse,
        ]),
        ["header", "payload", "signature", "key set", "userinfo response"]
    );
    assert_eq!(
        text(&[
            &JsonProblem::NotUtf8,
            &JsonProblem::NotAnObject,
            &JsonProblem::Syntax,
            &JsonProblem::TrailingData,
            &JsonProblem::TooDeep,
            &JsonProblem::TooManyMembers,
            &JsonProblem::ControlCharacter,
            &JsonProblem::BadEscape,
            &JsonProblem::BadNumber,
            &JsonProblem::NotAKeySet,
        ]),
        [
            "not UTF-8",
            "not an object",
            "syntax error or unexpected end",
            "trailing data after the object",
            "nested more than 16 levels deep",
            "too many members in an object",
            "unescaped control character in a string",
            "invalid escape in a string",
            "invalid number",
            "no array named keys",
        ]
    );
    assert_eq!(
        text(&[&Problem::Absent, &Problem::WrongType, &Problem::WrongValue]),
        ["is missing", "has the wrong type", "has an unacceptable value"]
    );
    assert_eq!(
        text(&[
            &HeaderParameter::Algorithm,
            &HeaderParameter::KeyId,
            &HeaderParameter::Type,
            &HeaderParameter::Critical,
            &HeaderParameter::B64,
            &HeaderParameter::Zip,
        ]),
        ["alg", "kid", "typ", "crit", "b64", "zip"]
    );
    assert_eq!(
        text(&[
            &KeyRejected::Malformed,
            &KeyRejected::KeyType(KeyType::Oct),
            &KeyRejected::Curve(Curve::Secp256k1),
            &KeyRejected::Use,
            &KeyRejected::KeyOperations,
            &KeyRejected::Algorithm(Some(Algorithm::Ps256)),
            &KeyRejected::Algorithm(None),
            &KeyRejected::AlgorithmMismatch(Algorithm::Es256),
            &KeyRejected::PrivateKey,
            &KeyRejected::KeyIdTooLong,
            &KeyRejected::Components,
            &KeyRejected::LeadingZero,
            &KeyRejected::ModulusTooSmall { bits: 1024 },
            &KeyRejected::ModulusTooLarge,
            &KeyRejected::ModulusEven,
            &KeyRejected::Exponent,
            &KeyRejected::Roca,
            &KeyRejected::CoordinateLength,
            &KeyRejected::Point,
            &KeyRejected::Backend,
        ]),
        [
            "the member is not a well-formed JWK",
            "kty is not accepted: oct",
            "crv is not accepted: secp256k1",
            "use is not sig",
            "key_ops does not include verify",
            "the algorithm is not accepted: PS256",
            "the algorithm is not accepted: unknown",
            "alg does not match kty and crv: ES256",
            "it contains a private or symmetric key",
            "kid is longer than 256 bytes",
            "n, e, x or y is absent or not canonical base64url",
            "n or e starts with a zero octet",
            "the modulus has 1024 bits (minimum 2048)",
            "the modulus has more than 4096 bits, or more than the backend accepts",
            "the modulus is even",
            "the exponent is even, below 3 or above 2^33 - 1",
            "the modulus is weak (ROCA, CVE-2017-15361)",
            "x or y does not have the length of the curve's field",
            "x and y are not an acceptable point on the curve",
            "the backend does not accept the key",
        ]
    );
    assert_eq!(
        text(&[&RequestProblem::Malformed, &RequestProblem::SeveralTokens]),
        ["expected Bearer and one token", "more than one token"]
    );
    assert_eq!(
        text(&[&WrongKind::HeaderType, &WrongKind::Claim(Claim::Typ)]),
        ["the header parameter typ", "the claim typ"]
    );
    assert_eq!(
        text(&[
            &JsonType::String,
            &JsonType::StringOrStrings,
            &JsonType::Strings,
            &JsonType::NumericDate,
            &JsonType::NumericDateOrTimestamp,
            &JsonType::Boolean,
            &JsonType::Object,
            &JsonType::Scope,
            &JsonType::Requested,
        ]),
        [
            "a string",
            "a string or an array of strings",
            "an array of strings without quotes, backslashes or control characters",
            "a number of seconds from 0 to 253402300799",
            "a number of seconds from 0 to 253402300799 or a UTC timestamp",
            "true or false",
            "an object",
            "scope tokens, as one string or one array, in one claim only",
            "of the requested type",
        ]
    );
}

#[test]
fn construction_errors_are_pinned() {
    for (error, message) in [
        (ConfigError::Empty("audience"), "an identifier is empty: audience"),
        (ConfigError::EmptyList("scope tokens"), "a list is empty: scope tokens"),
        (ConfigError::LeewayTooLong, "the leeway is longer than 600 seconds"),
        (ConfigError::ScopeToken, "a scope token is empty or contains invalid characters"),
        (ConfigError::AudienceIsClientId, "an audience equals a client ID"),
    ] {
        assert_eq!(error.to_string(), message);
        assert!(message.starts_with(error.as_str()));
    }
}

#[test]
fn an_empty_key_set_says_so() {
    let error =
        claimgate::JwkSet::<TestKey, 1>::from_json(r#"{"keys":[]}"#).map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "the key set has no usable key: the set is empty");
}

#[test]
fn neither_debug_nor_display_shows_text_of_the_token() {
    const SECRET: &str = "s3cr3t-v4lu3";
    let claims = [
        ("iss", serde_json::json!(SECRET)),
        ("aud", serde_json::json!([SECRET, SECRET])),
        ("exp", serde_json::json!(SECRET)),
        ("scope", serde_json::json!(format!("{SECRET}\t"))),
        ("typ", serde_json::json!(SECRET)),
        ("nonce", serde_json::json!(SECRET)),
        ("cnf", serde_json::json!({ "jkt": SECRET })),
    ];
    for (name, value) in claims {
        let error = access(&with(access_claims(), name, value)).unwrap_err();
        assert!(!format!("{error} {error:?} {error:#?}").contains("s3cr3t"), "{name}");
    }
    let header = serde_json::json!({"alg": SECRET, "kid": SECRET});
    let error = access_with_header(&header).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("s3cr3t"));
}

#[test]
fn debug_of_everything_on_the_way_shows_nothing_of_the_token() {
    use claimgate::jws::CompactJws;
    use claimgate::{AccessToken, BearerToken, Login, Nonce, TokenBuffer};
    const SECRET: &str = "s3cr3t-v4lu3";
    let signer = Signer::a();
    let keys = keys_of(&signer);
    let claims = with(with(access_claims(), "sub", SECRET), "scope", SECRET);
    let text = signer.sign(&with(claims, "aud", serde_json::json!([API, SECRET])));
    let mut shown = Vec::new();
    let bearer = BearerToken::new(&text);
    let jws = CompactJws::parse(&text).unwrap();
    let mut bytes = [0; 4096];
    let unverified = jws.decode(&mut bytes).unwrap();
    shown.push(format!("{bearer:?} {jws:?} {unverified:?} {:?}", unverified.header()));
    let verified = unverified.verify(keys.keys()[0].key()).unwrap();
    shown.push(format!("{verified:?}"));
    shown.push(format!("{:?}", AccessToken::parse(verified).unwrap()));
    let mut buffer = TokenBuffer::<4096>::new();
    let token = AccessToken::validate(bearer, (&trusted(), &API_POLICY), NOW, &mut buffer).unwrap();
    shown.push(format!("{token:?} {:?} {:?}", token.scope(), token.audience()));
    shown.push(format!("{buffer:?}"));
    let login = Login::new(Nonce::Expect(SECRET))
        .access_token(BearerToken::new(SECRET))
        .code(SECRET)
        .organization("org")
        .build()
        .unwrap();
    shown.push(format!("{login:?}"));
    for text in shown {
        assert!(!text.contains("s3cr3t") && !text.contains("eyJ"), "{text}");
    }
}
