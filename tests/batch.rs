//! The contract of the `validate` example's batch mode, tested with the program, which `cargo
//! test` builds.

#![cfg(feature = "ring")]

mod support;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};
use support::*;

fn program() -> PathBuf {
    // target/debug/deps/batch-… → target/debug/examples/validate
    let this = std::env::current_exe().unwrap();
    this.parent().unwrap().parent().unwrap().join("examples/validate")
}

/// Returns the answers to these lines.
fn answers(lines: &str) -> Vec<Value> {
    let mut child = Command::new(program())
        .args(["--batch", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("`cargo build --example validate` first, where not all targets are built");
    let mut input = child.stdin.take().unwrap();
    let lines = lines.to_owned();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Returns a case for a token of the demonstration issuer, with further fields.
fn case(id: &str, token_use: &str, token: &str, fields: &Value) -> Value {
    let mut case = json!({
        "id": id,
        "token": token,
        "token_use": token_use,
        "jwks": jwks(&[Signer::a().jwk()]),
        "issuer": ISSUER,
        "now": NOW.as_secs(),
    });
    let place = if token_use == "id" { ("client_id", CLIENT_ID) } else { ("audience", API) };
    case[place.0] = place.1.into();
    for (name, value) in fields.as_object().unwrap() {
        case[name] = value.clone();
    }
    case
}

fn id_case(expected: &str, claims: &Value, fields: &Value) -> Value {
    case(expected, "id", &Signer::a().sign(claims), fields)
}

fn access_case(expected: &str, claims: &Value, fields: &Value) -> Value {
    case(expected, "access", &Signer::a().sign(claims), fields)
}

/// The `id` of each case is its expected code or verdict.
#[track_caller]
fn assert_answers(cases: &[Value]) {
    let lines: Vec<String> = cases.iter().map(Value::to_string).collect();
    let answers = answers(&lines.join("\n"));
    assert_eq!(answers.len(), cases.len());
    for (case, answer) in cases.iter().zip(&answers) {
        let expected = case["id"].as_str().unwrap();
        assert_eq!(answer["id"], expected, "{answer}");
        let found = match answer["verdict"].as_str().unwrap() {
            "invalid" | "usage" => answer["error"].as_str().unwrap(),
            verdict => verdict,
        };
        assert_eq!(found, expected, "{answer}\n{case}");
        if answer["verdict"] == "invalid" {
            let status = match found {
                "insufficient_scope" => 403,
                _ => 401,
            };
            assert_eq!(answer["status"], status);
            assert!(answer["www_authenticate"].as_str().unwrap().starts_with("Bearer error=\""));
            assert!(answer["message"].is_string());
        }
    }
}

#[test]
fn answers_have_the_documented_form() {
    let valid = access_case("valid", &access_claims(), &json!({}));
    let late = access_case("late", &access_claims(), &json!({ "now": EXP + 60 }));
    let answers = answers(&format!("{valid}\n{late}\n"));
    assert_eq!(
        answers[0],
        json!({
            "id": "valid",
            "verdict": "valid",
            "sub": "auth0|123456",
            "aud": [API, "https://my-domain.auth0.com/userinfo"],
            "scope": "openid profile read:patients read:admin",
        })
    );
    assert_eq!(
        answers[1],
        json!({
            "id": "late",
            "verdict": "invalid",
            "error": "expired",
            "message": "the token expired at 1311281970 (now 1311282030, leeway 60 s)",
            "status": 401,
            "www_authenticate":
                "Bearer error=\"invalid_token\", error_description=\"The token has expired\"",
        })
    );
}

#[test]
fn lines_that_are_no_cases_are_answered_and_do_not_stop_the_run() {
    let good = access_case("valid", &access_claims(), &json!({}));
    let mut misspelt = good.clone();
    misspelt["scope_all"] = json!(["write:patients"]);
    // The values of the fields in their order, of which serde could make a case as well.
    let values = ["x", good["token"].as_str().unwrap(), "id", good["jwks"].as_str().unwrap()];
    let mut values: Vec<Value> = values.map(Value::from).into();
    values.extend([ISSUER.into(), NOW.as_secs().into()]);
    values.resize(60, Value::Null);
    let values = Value::from(values);
    let lines = format!(
        "nonsense\n{good}\n[]\n{{}}\n{{\"id\":\"x\"}}\n\n{misspelt}\n\u{0}\n{values}\n {good}"
    );
    let answers = answers(&lines);
    let verdicts: Vec<_> =
        answers.iter().map(|a| (a["id"].as_str(), a["verdict"].as_str().unwrap())).collect();
    assert_eq!(
        verdicts,
        [
            (None, "usage"),
            (Some("valid"), "valid"),
            (None, "usage"),
            (None, "usage"),
            (Some("x"), "usage"),
            (Some("valid"), "usage"),
            (None, "usage"),
            (None, "usage"),
            (Some("valid"), "valid"),
        ]
    );
}

#[test]
fn an_optional_field_that_is_null_is_absent() {
    // Not `nonce` and `audience`, where `null` has a different meaning.
    let nulls = [
        "leeway",
        "backend",
        "trusted_audiences",
        "max_age",
        "acr_values",
        "access_token",
        "code",
        "organization",
        "profile",
        "scopes_all",
        "scopes_any",
        "permissions_all",
        "permissions_any",
        "authorized_parties",
        "subject_kind",
        "max_token_age",
        "confirmation",
    ];
    let nulls: serde_json::Map<_, _> =
        nulls.into_iter().map(|name| (name.to_owned(), Value::Null)).collect();
    let nulls = Value::Object(nulls);
    assert_answers(&[
        id_case("valid", &id_claims(), &nulls),
        access_case("valid", &access_claims(), &nulls),
        access_case("valid", &access_claims(), &with(nulls, "client_id", Value::Null)),
        access_case("usage", &access_claims(), &json!({ "now": null })),
        id_case("usage", &id_claims(), &json!({ "client_id": null })),
    ]);
}

#[test]
fn ten_thousand_cases_are_answered_in_one_run() {
    let good = access_case("good", &access_claims(), &json!({})).to_string();
    let late = access_case("late", &access_claims(), &json!({ "now": EXP + 60 })).to_string();
    let lines: Vec<&str> = (0..10_000)
        .map(|number| match number % 4 {
            0 => good.as_str(),
            1 => late.as_str(),
            2 => "not a case",
            _ => r#"{"id":"incomplete"}"#,
        })
        .collect();
    let answers = answers(&lines.join("\n"));
    assert_eq!(answers.len(), 10_000);
    for (number, answer) in answers.iter().enumerate() {
        let expected = ["valid", "invalid", "usage", "usage"][number % 4];
        assert_eq!(answer["verdict"], expected, "line {number}");
    }
}

#[test]
fn the_form_of_tokens_is_answered_by_its_codes() {
    let signer = Signer::a();
    let token = signer.sign(&access_claims());
    let access = |expected: &str, token: &str| case(expected, "access", token, &json!({}));
    assert_answers(&[
        access("malformed_token", ""),
        access("malformed_token", "a.b"),
        access("malformed_token", "a..b"),
        access("malformed_token", &format!("{token}.")),
        access("opaque_token", "2YotnFZFEjr1zCsicMWpAA"),
        access("encrypted_token", "a.b.c.d.e"),
        access("encrypted_token", "a..c.d.e"),
        access("invalid_base64", &format!("{token}=")),
        access("invalid_base64", &token.replacen('.', "+.", 1)),
        access("token_too_large", &"A".repeat(8_193)),
        access("invalid_json", &signer.sign_raw(b"{", b"{}")),
        access("duplicate_member", &signer.sign_raw(br#"{"alg":"RS256","alg":"RS256"}"#, b"{}")),
        access(
            "duplicate_member",
            &signer.sign_raw(br#"{"alg":"RS256"}"#, br#"{"iss":1,"\u0069ss":2}"#),
        ),
        access("invalid_json", &signer.sign_raw(br#"{"alg":"RS256"}"#, b"[]")),
        access("claim_type", &signer.sign(&with(access_claims(), "exp", "1311281970"))),
        access("claim_type", &signer.sign(&with(access_claims(), "iss", 42))),
        access("claim_type", &signer.sign(&with(access_claims(), "nbf", true))),
        access("claim_type", &signer.sign(&with(access_claims(), "aud", json!([1])))),
    ]);
}

#[test]
fn headers_and_keys_are_answered_by_their_codes() {
    let (a, b) = (Signer::a(), Signer::b());
    let header = |header: &Value| a.sign_with(header, &access_claims());
    let access = |expected: &str, token: &str| case(expected, "access", token, &json!({}));
    let with_jwks = |expected: &str, token: &str, members: &[Value]| {
        case(expected, "access", token, &json!({ "jwks": jwks(members) }))
    };
    let no_kid = header(&json!({"alg": "RS256"}));
    let ec = json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "ec"});
    assert_answers(&[
        access("algorithm_not_allowed", &header(&json!({"alg": "none"}))),
        access("algorithm_not_allowed", &header(&json!({"alg": "HS256"}))),
        access("algorithm_not_allowed", &header(&json!({"alg": "PS256"}))),
        access("algorithm_not_allowed", &header(&json!({"alg": "rs256"}))),
        access("algorithm_not_allowed", &header(&json!({"typ": "JWT"}))),
        access("critical_header", &header(&json!({"alg": "RS256", "crit": []}))),
        access("critical_header", &header(&json!({"alg": "RS256", "b64": false}))),
        access("critical_header", &header(&json!({"alg": "RS256", "zip": "DEF"}))),
        access("unknown_key", &header(&json!({"alg": "RS256", "kid": "other"}))),
        access("valid", &no_kid),
        access(
            "invalid_signature",
            &b.sign_with(
                &json!({"alg": "RS256", "kid": "key-a", "jwk": b.jwk()}),
                &access_claims(),
            ),
        ),
        with_jwks("ambiguous_key", &no_kid, &[a.jwk(), b.jwk()]),
        with_jwks("ambiguous_key", &a.sign(&access_claims()), &[a.jwk(), a.jwk()]),
        with_jwks("valid", &no_kid, &[a.jwk(), ec.clone()]),
        with_jwks("no_usable_keys", &no_kid, &[ec]),
        with_jwks("no_usable_keys", &no_kid, &[]),
        with_jwks("no_usable_keys", &no_kid, &[with(a.jwk(), "use", "enc")]),
        with_jwks("no_usable_keys", &no_kid, &[with(a.jwk(), "alg", "RS512")]),
        with_jwks("no_usable_keys", &no_kid, &[with(a.jwk(), "e", "AQ")]),
        case("invalid_json", "access", &no_kid, &json!({ "jwks": "not JSON" })),
    ]);
}

#[test]
fn the_rules_of_both_kinds_are_answered_by_their_codes() {
    let mut cases = Vec::new();
    for (make, claims) in [
        (id_case as fn(&str, &Value, &Value) -> Value, id_claims()),
        (access_case as fn(&str, &Value, &Value) -> Value, access_claims()),
    ] {
        let none = json!({});
        let now = NOW.as_secs();
        cases.extend([
            make("valid", &claims, &none),
            make("issuer_mismatch", &claims, &json!({"issuer": "https://my-domain.auth0.com"})),
            make("missing_claim", &without(claims.clone(), "iss"), &none),
            make("missing_claim", &without(claims.clone(), "sub"), &none),
            make("missing_claim", &with(claims.clone(), "sub", ""), &none),
            make("missing_claim", &without(claims.clone(), "exp"), &none),
            make("missing_claim", &without(claims.clone(), "aud"), &none),
            make("valid", &claims, &json!({ "now": EXP + 59 })),
            make("valid", &claims, &json!({ "now": 1_311_281_970.5, "leeway": 60.0 })),
            make("expired", &claims, &json!({ "now": 1_311_282_030.0 })),
            make("usage", &claims, &json!({ "now": -1 })),
            make("usage", &claims, &json!({ "now": null })),
            make("usage", &claims, &json!({ "leeway": -1 })),
            make("usage", &claims, &json!({ "leeway": "60" })),
            make("valid", &claims, &json!({ "comment": "passed over", "expected": {} })),
            make("usage", &claims, &json!({ "comments": "a misspelt field" })),
            make("expired", &claims, &json!({ "now": EXP + 60 })),
            make("expired", &claims, &json!({ "now": EXP, "leeway": 0 })),
            make("valid", &claims, &json!({ "now": EXP - 1, "leeway": 0 })),
            make("expired", &with(claims.clone(), "exp", 0), &none),
            make("valid", &with(claims.clone(), "nbf", now + 60), &none),
            make("not_yet_valid", &with(claims.clone(), "nbf", now + 61), &none),
            make("valid", &with(claims.clone(), "iat", now + 60), &none),
            make("issued_in_future", &with(claims.clone(), "iat", now + 61), &none),
            make("construction", &claims, &json!({ "leeway": 601 })),
            make("construction", &claims, &json!({ "issuer": "" })),
            make("audience_mismatch", &with(claims.clone(), "aud", "somebody"), &none),
            make("audience_mismatch", &with(claims.clone(), "aud", json!([])), &none),
            make("usage", &claims, &json!({ "leeway": -1 })),
            make("usage", &claims, &json!({ "token_use": "refresh" })),
            make("usage", &claims, &json!({ "backend": "openssl" })),
        ]);
    }
    assert_answers(&cases);
}

#[test]
fn the_rules_of_id_tokens_are_answered_by_their_codes() {
    let claims = id_claims();
    let several = with(claims.clone(), "aud", json!([CLIENT_ID, "https://other.example"]));
    let trusting = json!({ "trusted_audiences": ["https://other.example"] });
    let logged_in = with(claims.clone(), "auth_time", IAT);
    // Returns the left half of SHA-256, for `at_hash` and `c_hash`.
    let half = |text: &str| {
        let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        Base64UrlUnpadded::encode_string(&digest.as_ref()[..16])
    };
    let signer = Signer::a();
    let typed = |typ: &str| signer.sign_with(&json!({"alg": "RS256", "typ": typ}), &id_claims());
    assert_answers(&[
        id_case("untrusted_audience", &several, &json!({})),
        id_case("missing_claim", &several, &trusting),
        id_case("valid", &with(several.clone(), "azp", CLIENT_ID), &trusting),
        id_case("authorized_party_mismatch", &with(several, "azp", "other"), &trusting),
        id_case("authorized_party_mismatch", &with(claims.clone(), "azp", "other"), &json!({})),
        id_case("missing_claim", &without(claims.clone(), "iat"), &json!({})),
        id_case("valid", &with(claims.clone(), "nonce", "n"), &json!({})),
        id_case("valid", &with(claims.clone(), "nonce", "n"), &json!({"nonce": "n"})),
        id_case("nonce_mismatch", &with(claims.clone(), "nonce", "n"), &json!({"nonce": "m"})),
        id_case("missing_claim", &claims, &json!({"nonce": "n"})),
        id_case("unexpected_claim", &with(claims.clone(), "nonce", "n"), &json!({"nonce": null})),
        id_case("construction", &claims, &json!({"nonce": ""})),
        id_case("construction", &claims, &json!({"client_id": ""})),
        id_case("missing_claim", &claims, &json!({"max_age": 0})),
        id_case("valid", &logged_in, &json!({"max_age": 440})),
        id_case("authentication_too_old", &logged_in, &json!({"max_age": 439})),
        id_case("insufficient_authentication", &claims, &json!({"acr_values": ["high"]})),
        id_case("valid", &with(claims.clone(), "acr", "high"), &json!({"acr_values": ["high"]})),
        id_case("missing_claim", &claims, &json!({"access_token": "access"})),
        id_case(
            "valid",
            &with(claims.clone(), "at_hash", half("access")),
            &json!({"access_token": "access"}),
        ),
        id_case(
            "hash_mismatch",
            &with(claims.clone(), "at_hash", half("other")),
            &json!({"access_token": "access"}),
        ),
        id_case("valid", &with(claims.clone(), "c_hash", half("code")), &json!({"code": "code"})),
        id_case(
            "hash_mismatch",
            &with(claims.clone(), "c_hash", half("code")),
            &json!({"code": "codes"}),
        ),
        case("token_type", "id", &typed("at+jwt"), &json!({})),
        case("token_type", "id", &typed("logout+jwt"), &json!({})),
        case("valid", "id", &typed("application/jwt"), &json!({})),
        id_case("token_type", &with(claims.clone(), "scope", "openid"), &json!({})),
        id_case("token_type", &with(claims.clone(), "permissions", json!([])), &json!({})),
        id_case("token_type", &with(claims.clone(), "token_use", "access"), &json!({})),
        id_case("token_type", &with(claims.clone(), "typ", "Bearer"), &json!({})),
        id_case(
            "valid",
            &with(claims.clone(), "org_id", "org_1"),
            &json!({"organization": "org_1"}),
        ),
        id_case(
            "organization_mismatch",
            &with(claims.clone(), "org_id", "org_2"),
            &json!({"organization": "org_1"}),
        ),
        id_case(
            "valid",
            &with(claims.clone(), "org_name", "acme"),
            &json!({"organization": "ACME"}),
        ),
        id_case("missing_claim", &claims, &json!({"organization": "acme"})),
        id_case("construction", &claims, &json!({"audience": CLIENT_ID})),
        id_case("usage", &claims, &json!({"scopes_all": ["read"]})),
    ]);
}

#[test]
fn the_rules_of_access_tokens_are_answered_by_their_codes() {
    let claims = access_claims();
    let signer = Signer::a();
    let rfc9068 = json!({"profile": "rfc9068"});
    let full = with(with(claims.clone(), "client_id", CLIENT_ID), "jti", "1");
    let at_jwt = |claims: &Value| {
        signer.sign_with(&json!({"alg": "RS256", "typ": "at+jwt", "kid": "key-a"}), claims)
    };
    let permitted = with(claims.clone(), "permissions", json!(["read:patients"]));
    let machine = with(claims.clone(), "gty", "client-credentials");
    let certificate = with(claims.clone(), "cnf", json!({"x5t#S256": "thumbprint"}));
    let cognito = json!({
        "iss": ISSUER, "sub": "user", "exp": EXP, "iat": IAT, "client_id": CLIENT_ID,
        "token_use": "access", "scope": "openid",
    });
    let no_audience = json!({"audience": null, "authorized_parties": [CLIENT_ID]});
    assert_answers(&[
        case("token_type", "access", &signer.sign(&full), &rfc9068),
        case("valid", "access", &at_jwt(&full), &rfc9068),
        case("valid", "access", &at_jwt(&full), &json!({})),
        case("missing_claim", "access", &at_jwt(&without(full.clone(), "jti")), &rfc9068),
        case("missing_claim", "access", &at_jwt(&without(full.clone(), "client_id")), &rfc9068),
        case("missing_claim", "access", &at_jwt(&without(full, "iat")), &rfc9068),
        access_case("token_type", &with(claims.clone(), "nonce", "n"), &json!({})),
        access_case("token_type", &with(claims.clone(), "at_hash", "h"), &json!({})),
        access_case("token_type", &with(claims.clone(), "token_use", "id"), &json!({})),
        access_case("token_type", &with(claims.clone(), "typ", "ID"), &json!({})),
        access_case("token_type", &with(claims.clone(), "typ", "Refresh"), &json!({})),
        access_case("valid", &with(claims.clone(), "typ", "Bearer"), &json!({})),
        access_case("construction", &claims, &json!({"client_id": API})),
        access_case("construction", &claims, &json!({"authorized_parties": [API]})),
        access_case("construction", &claims, &json!({"audience": ""})),
        access_case("valid", &claims, &json!({"scopes_all": ["read:patients", "openid"]})),
        access_case("insufficient_scope", &claims, &json!({"scopes_all": ["openid", "write"]})),
        access_case("insufficient_scope", &claims, &json!({"scopes_all": ["read"]})),
        access_case("valid", &claims, &json!({"scopes_any": ["write", "openid"]})),
        access_case("insufficient_scope", &claims, &json!({"scopes_any": ["write"]})),
        access_case(
            "insufficient_scope",
            &claims,
            &json!({"scopes_all": ["write"], "scopes_any": ["openid"]}),
        ),
        access_case(
            "valid",
            &claims,
            &json!({"scopes_all": ["profile"], "scopes_any": ["openid"]}),
        ),
        access_case("claim_type", &with(claims.clone(), "scope", "a  b"), &json!({})),
        access_case("construction", &claims, &json!({"scopes_all": ["two words"]})),
        access_case("valid", &permitted, &json!({"permissions_all": ["read:patients"]})),
        access_case("insufficient_scope", &claims, &json!({"permissions_all": ["read:patients"]})),
        access_case("insufficient_scope", &permitted, &json!({"permissions_any": ["write"]})),
        access_case("valid", &claims, &json!({"authorized_parties": [CLIENT_ID]})),
        access_case(
            "authorized_party_mismatch",
            &claims,
            &json!({"authorized_parties": ["other"]}),
        ),
        access_case("subject_kind", &machine, &json!({"subject_kind": "user"})),
        access_case("valid", &machine, &json!({"subject_kind": "client"})),
        access_case("valid", &machine, &json!({"subject_kind": "any"})),
        access_case("subject_kind", &claims, &json!({"subject_kind": "client"})),
        access_case("confirmation_required", &certificate, &json!({})),
        access_case("valid", &certificate, &json!({"confirmation": {"x5t#S256": "thumbprint"}})),
        access_case(
            "confirmation_mismatch",
            &certificate,
            &json!({"confirmation": {"x5t#S256": "other"}}),
        ),
        access_case("confirmation_required", &certificate, &json!({"confirmation": {"jkt": "k"}})),
        access_case("valid", &certificate, &json!({"confirmation": "ignore"})),
        access_case("insufficient_authentication", &claims, &json!({"max_age": 100})),
        access_case("insufficient_authentication", &claims, &json!({"acr_values": ["high"]})),
        access_case("valid", &claims, &json!({"max_token_age": 440})),
        access_case("token_too_old", &claims, &json!({"max_token_age": 439})),
        access_case("valid", &cognito, &no_audience),
        access_case("audience_mismatch", &claims, &no_audience),
        access_case("missing_claim", &without(cognito.clone(), "token_use"), &no_audience),
        access_case("missing_claim", &without(cognito.clone(), "client_id"), &no_audience),
        access_case(
            "authorized_party_mismatch",
            &with(cognito.clone(), "client_id", "other"),
            &no_audience,
        ),
        access_case("token_type", &with(cognito, "token_use", "id"), &no_audience),
        access_case("usage", &claims, &json!({"audience": null})),
        access_case("usage", &claims, &json!({"nonce": "n"})),
    ]);
}
