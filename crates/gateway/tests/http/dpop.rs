//! DPoP-bound tokens and their proofs (RFC 9449).

use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::support::*;

pub const ORIGIN: &str = "https://api.example.com";

pub fn sha256(text: &str) -> String {
    encode(digest(&SHA256, text.as_bytes()).as_ref())
}

/// A client with a DPoP key and a token bound to it.
pub struct Client {
    key: Signer,
    pub token: String,
}

impl Client {
    pub fn new(issuer: &TestIssuer, signer: &Signer) -> Self {
        let key = Signer::ec("client");
        let jwk = key.bare_jwk();
        // RFC 7638 §3.
        let canonical =
            format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, jwk["x"], jwk["y"]);
        let cnf = json!({"jkt": sha256(&canonical)});
        let token = signer.sign(&with(claims(&issuer.url), "cnf", cnf));
        Self { key, token }
    }

    pub fn claims(&self, jti: &str) -> Value {
        json!({
            "htm": "GET", "htu": format!("{ORIGIN}/open/17"), "iat": now(), "jti": jti,
            "ath": sha256(&self.token),
        })
    }

    pub fn proof(&self, claims: &Value) -> String {
        let header = json!({"alg": "ES256", "typ": "dpop+jwt", "jwk": self.key.bare_jwk()});
        self.key.sign_with(&header, claims)
    }

    pub async fn ask(&self, gateway: &Gateway, scheme: &str, proofs: &[&str]) -> Reply {
        let authorization = format!("{scheme} {}", self.token);
        let mut headers = vec![("Authorization", authorization.as_str())];
        headers.extend(proofs.iter().map(|proof| ("DPoP", *proof)));
        gateway.ask("GET", "/open/17?x=y", &headers).await
    }
}

fn dpop(lines: &str) -> String {
    format!("[dpop]\norigin = \"{ORIGIN}\"\n{lines}")
}

#[tokio::test]
async fn a_bound_token_passes_with_a_proof_once() {
    let (issuer, signer) = one_issuer().await;
    let client = Client::new(&issuer, &signer);
    let proof = client.proof(&client.claims("1"));
    let without = Config::of(&issuer).start().await;
    assert_eq!(client.ask(&without, "DPoP", &[&proof]).await.status, 401);
    assert_eq!(client.ask(&without, "Bearer", &[]).await.status, 401);
    let gateway = Config::of(&issuer).top(&dpop("")).start().await;
    let passed = client.ask(&gateway, "DPoP", &[&proof]).await;
    assert_eq!(passed.status, 200);
    // Neither is forwarded to the application.
    assert_eq!((passed.header("authorization"), passed.header("dpop")), (Some(""), Some("")));
    let again = client.ask(&gateway, "DPoP", &[&proof]).await;
    assert_eq!(again.status, 401);
    assert!(again.challenge().contains("error=\"invalid_dpop_proof\""), "{}", again.challenge());
    let bearer = client.ask(&gateway, "Bearer", &[&client.proof(&client.claims("2"))]).await;
    assert_eq!(bearer.status, 401);
    assert!(bearer.challenge().starts_with("DPoP realm=\"health\""), "{}", bearer.challenge());
    // Both schemes are offered, in one field.
    let bare = gateway.ask("GET", "/open", &[]).await;
    let challenge = bare.challenge();
    assert!(challenge.starts_with("DPoP ") && challenge.contains(", Bearer "), "{challenge}");
    // Tokens that are not bound are still accepted.
    assert_eq!(gateway.open(&signer.sign(&claims(&issuer.url))).await, 200);
}

#[tokio::test]
async fn a_proof_must_match_the_original_request() {
    let (issuer, signer) = one_issuer().await;
    let client = Client::new(&issuer, &signer);
    let gateway = Config::of(&issuer).top(&dpop("")).start().await;
    let good = client.claims("1");
    for (name, value) in [
        ("htm", json!("POST")),
        ("htu", json!(format!("{ORIGIN}/open/18"))),
        ("htu", json!("https://evil.example/open/17")),
        ("htu", json!("http://gateway/check")),
        ("ath", json!(sha256("other"))),
        ("iat", json!(now() - 130)),
    ] {
        let proof = client.proof(&with(good.clone(), name, value));
        assert_eq!(client.ask(&gateway, "DPoP", &[&proof]).await.status, 401, "{name}");
    }
    // The method is that of the original request.
    let posted = client.proof(&with(good.clone(), "htm", "POST"));
    let authorization = format!("DPoP {}", client.token);
    for (proof, status) in [(client.proof(&good), 401), (posted, 200)] {
        let headers = [("Authorization", authorization.as_str()), ("DPoP", proof.as_str())];
        assert_eq!(gateway.ask("POST", "/open/17", &headers).await.status, status);
    }
    let good = client.claims("2");
    let proof = client.proof(&good);
    assert_eq!(client.ask(&gateway, "DPoP", &[]).await.status, 401);
    assert_eq!(client.ask(&gateway, "DPoP", &[&proof, &proof]).await.status, 401);
    assert_eq!(client.ask(&gateway, "DPoP", &[&proof]).await.status, 200);
}

#[tokio::test]
async fn proofs_have_a_maximum_age() {
    let (issuer, signer) = one_issuer().await;
    let client = Client::new(&issuer, &signer);
    let usual = Config::of(&issuer).top(&dpop("")).start().await;
    let long = Config::of(&issuer).top(&dpop("max_age = 600")).start().await;
    let aged = |jti: &str| with(client.claims(jti), "iat", now() - 300);
    assert_eq!(client.ask(&usual, "DPoP", &[&client.proof(&aged("1"))]).await.status, 401);
    assert_eq!(client.ask(&long, "DPoP", &[&client.proof(&aged("1"))]).await.status, 200);
}
