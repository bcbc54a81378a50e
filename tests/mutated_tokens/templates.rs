//! The tokens before their mutation.

use claimgate::Algorithm;
use serde_json::{Value, json};

use crate::checksum::{IssuerKey, Signer, hash_of};
use crate::json::EVENT;
use crate::reading::{ACCESS_TOKEN, JKT, half_hash};
use crate::support::{
    API, CLIENT_ID, EXP, IAT, ISSUER, NOW, access_claims, id_claims, with, without,
};

/// A token before its mutation.
pub struct Template {
    /// The index of the kind: access token, ID token, logout token, DPoP proof.
    pub kind: usize,
    pub signer: Signer,
    /// Whether the request of an access token proves the key `JKT`.
    pub proves_key: bool,
    pub header: String,
    pub payload: String,
}

/// Returns tokens of all kinds, signed by all keys, by their kinds.
pub fn templates(keys: &[IssuerKey]) -> [Vec<Template>; 4] {
    let mut templates = [const { vec![] }; 4];
    for key in keys {
        for (kind, proves_key, payload) in payloads(key.signer.algorithm) {
            for header in headers(kind, key) {
                let (signer, payload) = (key.signer, payload.clone());
                templates[kind].push(Template { kind, signer, proves_key, header, payload });
            }
        }
    }
    templates
}

fn headers(kind: usize, key: &IssuerKey) -> Vec<String> {
    let alg = key.signer.algorithm.name();
    let kid = key.kid.map_or(String::new(), |kid| format!(r#","kid":"{kid}""#));
    let jwk = &key.jwk;
    let with_alg = with(with(jwk.clone(), "alg", alg), "use", "sig");
    let mut headers = match kind {
        0 => vec![
            format!(r#"{{"alg":"{alg}","typ":"at+jwt"{kid}}}"#),
            format!(r#"{{"alg":"{alg}","typ":"application/AT+JWT"}}"#),
        ],
        1 => vec![format!(r#"{{"alg":"{alg}"}}"#)],
        2 => vec![format!(r#"{{"alg":"{alg}","typ":"logout+jwt"{kid}}}"#)],
        _ => {
            let other = if alg == "EdDSA" { "Ed25519" } else { alg };
            return vec![
                format!(r#"{{"typ":"dpop+jwt","alg":"{alg}","jwk":{jwk}}}"#),
                format!(r#"{{"typ":"DPoP+jwt","alg":"{other}"{kid},"jwk":{with_alg}}}"#),
            ];
        }
    };
    headers.push(format!(r#"{{"alg":"{alg}","typ":"JWT"{kid}}}"#));
    headers.push(format!(r#"{{"\u0061lg":"{alg}"{kid},"jwk":{jwk}}}"#));
    if key.signer.algorithm == Algorithm::EdDsa {
        headers.push(r#"{"alg":"Ed25519","typ":"JWT"}"#.to_owned());
    }
    headers
}

/// Returns the kinds with their claims, and whether the request proves a key.
fn payloads(algorithm: Algorithm) -> Vec<(usize, bool, String)> {
    let access = access_claims();
    let both = with(with(access.clone(), "aud", json!([API, CLIENT_ID])), "nonce", "n");
    let id = with(id_claims(), "nonce", "n");
    let at_hash = half_hash(algorithm, ACCESS_TOKEN);
    let logout = json!({
        "iss": ISSUER, "sub": "auth0|123456", "sid": "session-1", "aud": CLIENT_ID,
        "iat": IAT, "exp": EXP, "jti": "bWJq", "events": { EVENT: {} },
    });
    let ath = hash_of(ACCESS_TOKEN);
    let proof = json!({
        "jti": "e1J_ICKjZ6o", "htm": "POST", "htu": "https://api.example.com/patients/%7Ejane",
        "iat": NOW.as_secs() - 10, "ath": ath, "nonce": "n",
    });
    let all = [&access, &id, &logout, &proof].into_iter().fold(json!({}), merge);
    let abbreviated = format!(
        r#"{{ "iss" : "https:\/\/my-domain.auth0.com\/", "sub":"\u0073", "aud":["{API}"],
        "exp":{EXP}.5, "iat":{IAT}, "nbf":1.31e9, "scp":["read:patients"] }}"#
    );
    let normalised = with(proof.clone(), "htu", "HTTPS://API.example.com:443/patients/~jane?q#f");
    let bound = |cnf: Value| with(access_claims(), "cnf", cnf).to_string();
    vec![
        (0, false, access.to_string()),
        (0, false, abbreviated),
        (0, false, merge(without_nonce(&proof), &access).to_string()),
        (0, true, bound(json!({ "jkt": JKT }))),
        (0, false, both.to_string()),
        (1, false, id.to_string()),
        (1, false, with(id, "at_hash", at_hash).to_string()),
        (2, false, logout.to_string()),
        (2, false, merge(without_nonce(&proof), &logout).to_string()),
        (3, false, proof.to_string()),
        (3, false, normalised.to_string()),
        (3, false, all.to_string()),
        (3, false, with(proof, "nbf", IAT).to_string()),
    ]
}

fn without_nonce(claims: &Value) -> Value {
    without(claims.clone(), "nonce")
}

/// Adds claims, which replace those of the same name.
fn merge(mut claims: Value, others: &Value) -> Value {
    let others = others.as_object().unwrap().clone();
    claims.as_object_mut().unwrap().extend(others);
    claims
}
