//! The contract of the `validate` example's batch mode for algorithms, claim rules, tenants,
//! discovery documents, logout tokens and DPoP proofs, tested with the program.

#![cfg(feature = "ring")]

#[path = "support/signers.rs"]
mod signers;
mod support;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::Algorithm;
use serde_json::{Value, json};
use signers::AnySigner;
use support::*;

fn program() -> PathBuf {
    let this = std::env::current_exe().unwrap();
    this.parent().unwrap().parent().unwrap().join("examples/validate")
}

fn answers(cases: &[Value]) -> Vec<Value> {
    let lines: Vec<String> = cases.iter().map(Value::to_string).collect();
    let mut child = Command::new(program())
        .args(["--batch", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(lines.join("\n").as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Each case with its expected verdict or code.
#[track_caller]
fn assert_answers(cases: &[(&str, Value)]) -> Vec<Value> {
    let lines: Vec<Value> = cases.iter().map(|(_, case)| case.clone()).collect();
    let answers = answers(&lines);
    assert_eq!(answers.len(), cases.len());
    for ((expected, case), answer) in cases.iter().zip(&answers) {
        let verdict = answer["verdict"].as_str().unwrap();
        let found = if verdict == "invalid" { answer["error"].as_str().unwrap() } else { verdict };
        assert_eq!(found, *expected, "{answer} {case}");
    }
    answers
}

fn merged(mut case: Value, fields: &Value) -> Value {
    for (name, value) in fields.as_object().unwrap() {
        case[name] = value.clone();
    }
    case
}

fn access(claims: &Value, fields: &Value) -> Value {
    let case = json!({
        "id": "1", "token": Signer::a().sign(claims), "token_use": "access",
        "jwks": jwks(&[Signer::a().jwk()]), "issuer": ISSUER, "now": NOW.as_secs(), "audience": API,
    });
    merged(case, fields)
}

fn with_claims(rule: &Value) -> Value {
    let claims = with(access_claims(), "realm_access", json!({"roles": ["admin"]}));
    access(&with(claims, "level", 3), &json!({ "claims": rule }))
}

#[test]
fn algorithms_narrow_the_set() {
    let mut cases = Vec::new();
    for algorithm in Algorithm::ALL {
        let signer = AnySigner::a(algorithm);
        let header = json!({"alg": algorithm.name(), "kid": signer.kid});
        let token =
            signer.sign_raw(header.to_string().as_bytes(), access_claims().to_string().as_bytes());
        let case = |fields: Value| {
            let fields = merged(
                json!({"token": token, "jwks": jwks(&[signer.jwk(), Signer::a().jwk()])}),
                &fields,
            );
            access(&access_claims(), &fields)
        };
        let all: Vec<&str> = Algorithm::ALL.into_iter().map(Algorithm::name).collect();
        let others: Vec<&str> = Algorithm::ALL
            .into_iter()
            .filter(|other| *other != algorithm)
            .map(Algorithm::name)
            .collect();
        cases.push(("valid", case(json!({"algorithms": [algorithm.name()]}))));
        cases.push(("valid", case(json!({ "algorithms": all }))));
        // The other key of the set is for RS256.
        let is_left = algorithm != Algorithm::Rs256;
        let refused = if is_left { "algorithm_not_allowed" } else { "no_usable_keys" };
        cases.push((refused, case(json!({ "algorithms": others }))));
        let default = if algorithm == Algorithm::Rs256 { "valid" } else { "algorithm_not_allowed" };
        cases.push((default, case(json!({}))));
    }
    for algorithms in
        [json!([]), json!(["HS256"]), json!(["none"]), json!(["RS256", "x"]), json!("RS256")]
    {
        cases.push(("usage", access(&access_claims(), &json!({ "algorithms": algorithms }))));
    }
    assert_answers(&cases);
}

#[test]
fn claims_are_rules() {
    assert_answers(&[
        ("valid", with_claims(&json!([{"path": ["realm_access", "roles"], "contains": "admin"}]))),
        ("valid", with_claims(&json!([{"path": ["level"], "equals": 3}]))),
        ("valid", with_claims(&json!([{"path": ["azp"], "equals": CLIENT_ID}]))),
        ("valid", with_claims(&json!([{"path": ["azp"], "one_of": ["x", CLIENT_ID]}]))),
        ("valid", with_claims(&json!([]))),
        (
            "claim_mismatch",
            with_claims(&json!([{"path": ["realm_access", "roles"], "contains": "user"}])),
        ),
        ("claim_mismatch", with_claims(&json!([{"path": ["level"], "equals": "3"}]))),
        ("claim_mismatch", with_claims(&json!([{"path": ["level"], "equals": true}]))),
        (
            "claim_mismatch",
            with_claims(&json!([{"path": ["realm_access.roles"], "contains": "admin"}])),
        ),
        ("usage", with_claims(&json!([{"path": [], "equals": "x"}]))),
        ("usage", with_claims(&json!([{"path": ["a", "b", "c", "d", "e"], "equals": "x"}]))),
        ("usage", with_claims(&json!([{"path": ["a"], "one_of": []}]))),
        ("usage", with_claims(&json!([{"path": ["a"]}]))),
        ("usage", with_claims(&json!([{"path": ["a"], "equals": "x", "contains": "x"}]))),
        ("usage", with_claims(&json!([{"path": ["a"], "equals": 1.5}]))),
        ("usage", with_claims(&json!([{"path": ["a"], "is": "x"}]))),
    ]);
}

#[test]
fn tenants_fill_the_template() {
    let template = "https://login.example/{tenantid}/v2.0";
    let token = |tenant: &str| {
        with(with(access_claims(), "iss", template.replace("{tenantid}", tenant)), "tid", tenant)
    };
    let fields = |tenants: Value| json!({"issuer": template, "tenants": tenants});
    assert_answers(&[
        ("valid", access(&token("a"), &fields(json!(["a", "b"])))),
        ("tenant_not_allowed", access(&token("c"), &fields(json!(["a", "b"])))),
        ("issuer_mismatch", access(&with(token("a"), "tid", "b"), &fields(json!(["a", "b"])))),
        ("missing_claim", access(&without(token("a"), "tid"), &fields(json!(["a"])))),
        ("usage", access(&token("a"), &fields(json!([])))),
        ("usage", access(&access_claims(), &json!({"tenants": ["a"]}))),
    ]);
}

#[test]
fn a_discovery_document_names_the_issuer() {
    let document = |issuer: Value| {
        json!({"issuer": issuer, "jwks_uri": "https://my-domain.auth0.com/jwks"}).to_string()
    };
    let case = |text: String| access(&access_claims(), &json!({ "discovery": text }));
    assert_answers(&[
        ("valid", case(document(json!(ISSUER)))),
        ("issuer_mismatch", case(document(json!("https://my-domain.auth0.com")))),
        ("issuer_mismatch", case(document(json!(null)))),
        ("invalid_json", case("{".to_owned())),
        ("invalid_json", case(json!({"issuer": ISSUER, "jwks_uri": "http://x/jwks"}).to_string())),
    ]);
}

#[test]
fn a_logout_token_has_its_own_use() {
    let claims = json!({
        "iss": ISSUER, "sub": "auth0|123456", "aud": CLIENT_ID, "iat": IAT, "exp": EXP, "jti": "j",
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    });
    let logout = |claims: &Value, fields: Value| {
        let mut case = access(claims, &json!({"token_use": "logout", "client_id": CLIENT_ID}));
        case.as_object_mut().unwrap().remove("audience");
        merged(case, &fields)
    };
    let answers = assert_answers(&[
        ("valid", logout(&claims, json!({}))),
        ("valid", logout(&with(without(claims.clone(), "sub"), "sid", "s"), json!({}))),
        ("missing_claim", logout(&id_claims(), json!({}))),
        ("unexpected_claim", logout(&with(claims.clone(), "nonce", "n"), json!({}))),
        ("usage", logout(&claims, json!({"client_id": null}))),
        ("usage", logout(&claims, json!({"nonce": "n"}))),
        ("usage", logout(&claims, json!({"audience": CLIENT_ID}))),
    ]);
    assert_eq!(
        answers[0],
        json!({"id": "1", "verdict": "valid", "sub": "auth0|123456", "sid": null})
    );
    assert_eq!(answers[1], json!({"id": "1", "verdict": "valid", "sub": null, "sid": "s"}));
}

#[test]
fn a_proof_is_validated_alone_and_beside_its_token() {
    let signer = AnySigner::a(Algorithm::Es256);
    let keys = claimgate::JwkSet::<claimgate::RingAnyKey, 1>::from_json(&jwks(&[signer.jwk()]));
    let jkt = Base64UrlUnpadded::encode_string(keys.unwrap().keys()[0].thumbprint());
    let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": signer.material().jwk()});
    let token = Signer::a().sign(&with(access_claims(), "cnf", json!({ "jkt": jkt })));
    let hash = ring::digest::digest(&ring::digest::SHA256, token.as_bytes());
    let claims = json!({
        "jti": "j", "htm": "GET", "htu": "https://api.example/x", "iat": NOW.as_secs(),
        "ath": Base64UrlUnpadded::encode_string(hash.as_ref()),
    });
    let sign = |claims: &Value| {
        signer.sign_raw(header.to_string().as_bytes(), claims.to_string().as_bytes())
    };
    let proof = sign(&claims);
    let alone = |fields: Value| {
        let case = json!({
            "id": "1", "token": proof, "token_use": "dpop", "now": NOW.as_secs(),
            "method": "GET", "url": "https://api.example/x",
        });
        merged(case, &fields)
    };
    let beside = |fields: Value| {
        let fields = merged(
            json!({"token": token, "dpop": proof, "method": "GET", "url": "https://api.example/x"}),
            &fields,
        );
        access(&access_claims(), &fields)
    };
    let answers = assert_answers(&[
        ("valid", alone(json!({ "access_token": token }))),
        ("valid", alone(json!({}))),
        ("valid", alone(json!({"algorithms": ["ES256"]}))),
        ("algorithm_not_allowed", alone(json!({"algorithms": ["RS256"]}))),
        ("hash_mismatch", alone(json!({"access_token": "another"}))),
        ("proof_mismatch", alone(json!({"method": "POST"}))),
        ("proof_mismatch", alone(json!({"url": "https://api.example/y"}))),
        ("missing_claim", alone(json!({"proof_nonce": "n"}))),
        ("proof_too_old", alone(json!({"now": NOW.as_secs() + 121}))),
        ("valid", alone(json!({"now": NOW.as_secs() + 121, "max_age": 61}))),
        ("usage", alone(json!({"max_age": 601}))),
        ("usage", alone(json!({"method": null}))),
        ("usage", alone(json!({"access_token": ""}))),
        ("usage", alone(json!({"nonce": "n"}))),
        ("usage", alone(json!({"claims": [{"path": ["a"], "equals": "x"}]}))),
        ("usage", alone(json!({"scopes_all": ["a"]}))),
        ("usage", alone(json!({"trusted_audiences": ["a"]}))),
        ("usage", alone(json!({"acr_values": ["a"]}))),
        ("usage", alone(json!({"code": "c"}))),
        ("usage", alone(json!({"organization": "o"}))),
        ("usage", alone(json!({"confirmation": "ignore"}))),
        ("usage", alone(json!({ "dpop": proof }))),
        ("usage", alone(json!({"tenants": ["a"]}))),
        ("valid", beside(json!({}))),
        ("proof_mismatch", beside(json!({"method": "POST"}))),
        ("confirmation_required", access(&access_claims(), &json!({ "token": token }))),
        ("usage", access(&access_claims(), &json!({"method": "GET"}))),
        ("usage", access(&access_claims(), &json!({"client_id": ""}))),
        ("usage", access(&access_claims(), &json!({"scopes_all": [], "scopes_any": ["a"]}))),
    ]);
    assert_eq!(answers[0], json!({"id": "1", "verdict": "valid", "jkt": jkt, "jti": "j"}));
    let challenge = answers[24]["www_authenticate"].as_str().unwrap();
    assert!(challenge.starts_with("DPoP algs=\"RS256"), "{challenge}");
    assert!(challenge.contains("error=\"invalid_dpop_proof\""), "{challenge}");
}
