//! DPoP proofs (RFC 9449) of requests through the layer.

mod support;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use claimgate::policy::DpopPolicy;
use claimgate::replay::TokenId;
use claimgate::{NumericDate, RingAnyKey, at_compile_time};
use claimgate_tower::replay::{
    Admission, MemoryReplayStore, ReplayStore, ReplayStoreError, UsedProof,
};
use claimgate_tower::{AuthLayer, Authenticated, Authorities, Authority, Dpop};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{Request, Response};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use support::*;
use tower::{Layer, ServiceExt, service_fn};

const ISSUER: &str = "https://issuer.example";
const ORIGIN: &str = "https://api.example.com";

async fn greet(request: Request<()>) -> Result<Response<String>, Infallible> {
    let caller = request.extensions().get::<Authenticated>().unwrap();
    Ok(Response::new(caller.token().subject().to_owned()))
}

fn sha256(text: &str) -> String {
    encode(digest(&SHA256, text.as_bytes()).as_ref())
}

/// RFC 7638 §3.
fn thumbprint(key: &Signer) -> String {
    let jwk = key.bare_jwk();
    sha256(&format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, jwk["x"], jwk["y"]))
}

struct Setting {
    issuer: Signer,
    client: Signer,
}

impl Setting {
    fn new() -> Self {
        Self { issuer: Signer::rsa("a"), client: Signer::ec("client") }
    }

    fn layer(&self, store: impl ReplayStore + 'static) -> AuthLayer {
        let authority = Authority::fixed(ISSUER, jwks(&[&self.issuer]));
        let authorities = Authorities::new([authority]).unwrap();
        AuthLayer::new(authorities, POLICY).dpop(Dpop::new(ORIGIN, store))
    }

    fn token(&self) -> String {
        let cnf = json!({"jkt": thumbprint(&self.client)});
        self.issuer.sign(&with(claims(ISSUER), "cnf", cnf))
    }

    fn proof_claims(token: &str, jti: &str) -> Value {
        json!({
            "htm": "GET", "htu": format!("{ORIGIN}/patients/17"), "iat": now(), "jti": jti,
            "ath": sha256(token),
        })
    }

    fn proof(&self, claims: &Value) -> String {
        let header = json!({"alg": "ES256", "typ": "dpop+jwt", "jwk": self.client.bare_jwk()});
        self.client.sign_with(&header, claims)
    }
}

/// Status, body, and challenges.
async fn ask(
    layer: &AuthLayer,
    scheme: &str,
    token: &str,
    proofs: &[&str],
) -> (u16, String, Vec<String>) {
    let mut request = Request::get("/patients/17?x=y");
    request = request.header(AUTHORIZATION, format!("{scheme} {token}"));
    for proof in proofs {
        request = request.header("DPoP", *proof);
    }
    let service = layer.layer(service_fn(greet));
    let response = service.oneshot(request.body(()).unwrap()).await.unwrap();
    let challenges = response.headers().get_all(WWW_AUTHENTICATE).iter();
    let challenges = challenges.map(|value| value.to_str().unwrap().to_owned()).collect();
    (response.status().as_u16(), response.into_body(), challenges)
}

#[tokio::test]
async fn a_bound_token_passes_with_a_proof_once() {
    let setting = Setting::new();
    let layer = setting.layer(MemoryReplayStore::new());
    let token = setting.token();
    for jti in ["1", "2"] {
        let proof = setting.proof(&Setting::proof_claims(&token, jti));
        let passed = (200, "alice".to_owned(), vec![]);
        assert_eq!(ask(&layer, "DPoP", &token, &[&proof]).await, passed);
        let (status, body, challenges) = ask(&layer, "DPoP", &token, &[&proof]).await;
        assert_eq!((status, body.as_str(), challenges.len()), (401, "", 1));
        assert!(challenges[0].starts_with("DPoP algs=\"RS256 "), "{challenges:?}");
        assert!(challenges[0].contains("error=\"invalid_dpop_proof\""), "{challenges:?}");
    }
}

#[tokio::test]
async fn a_proof_of_another_request_token_or_key_is_refused_and_not_used_up() {
    let setting = Setting::new();
    let layer = setting.layer(MemoryReplayStore::with_windows(1));
    let token = setting.token();
    let good = Setting::proof_claims(&token, "1");
    let other = Setting::new();
    let other_token = setting.issuer.sign(&with(claims(ISSUER), "cnf", json!({"jkt": "other"})));
    let proof = |name: &str, value: Value| setting.proof(&with(good.clone(), name, value));
    for (proof, name) in [
        (proof("htm", "POST".into()), "method"),
        (proof("htu", format!("{ORIGIN}/patients/18").into()), "path"),
        (proof("htu", "https://evil.example/patients/17".into()), "origin"),
        (proof("iat", (now() - 200).into()), "old"),
        (proof("iat", (now() + 200).into()), "future"),
        (proof("ath", sha256("other").into()), "token"),
        (proof("jti", "".into()), "jti"),
        (other.proof(&good), "key"),
        ("x".to_owned(), "text"),
    ] {
        assert_eq!(ask(&layer, "DPoP", &token, &[&proof]).await.0, 401, "{name}");
    }
    let proof = setting.proof(&good);
    assert_eq!(ask(&layer, "DPoP", &token, &[]).await.0, 401);
    assert_eq!(ask(&layer, "DPoP", &token, &[&proof, &proof]).await.0, 401);
    // A bound token needs its proof, and a proof its bound token.
    assert_eq!(ask(&layer, "Bearer", &token, &[&proof]).await.0, 401);
    let of_other = setting.proof(&Setting::proof_claims(&other_token, "1"));
    assert_eq!(ask(&layer, "DPoP", &other_token, &[&of_other]).await.0, 401);
    let free = setting.issuer.sign(&claims(ISSUER));
    let of_free = setting.proof(&Setting::proof_claims(&free, "1"));
    assert_eq!(ask(&layer, "DPoP", &free, &[&of_free]).await.0, 401);
    assert_eq!(ask(&layer, "Bearer", &free, &[]).await.0, 200);
    // After all that, the proof is still accepted.
    assert_eq!(ask(&layer, "DPoP", &token, &[&proof]).await.0, 200);
}

#[tokio::test]
async fn challenges_offer_both_schemes() {
    let setting = Setting::new();
    const ES256: DpopPolicy = at_compile_time!(
        DpopPolicy::new()
            .algorithms(claimgate::jwk::Algorithms::of(&[claimgate::Algorithm::Es256]))
            .build()
    );
    let authority = Authority::fixed(ISSUER, jwks(&[&setting.issuer]));
    let authorities = Authorities::new([authority]).unwrap();
    let dpop = Dpop::new(ORIGIN, MemoryReplayStore::new()).with_policy(ES256);
    let layer = AuthLayer::new(authorities, POLICY).realm("health").dpop(dpop);
    let service = layer.layer(service_fn(greet));
    let response = service.oneshot(Request::new(())).await.unwrap();
    let challenges: Vec<_> = response.headers().get_all(WWW_AUTHENTICATE).iter().collect();
    assert_eq!(challenges, ["DPoP realm=\"health\", algs=\"ES256\"", "Bearer realm=\"health\""]);
    // A bound token that is sent as a bearer token requires DPoP.
    let (status, _, challenges) = ask(&layer, "Bearer", &setting.token(), &[]).await;
    assert_eq!((status, challenges.len()), (401, 1));
    assert!(challenges[0].starts_with("DPoP "), "{challenges:?}");
}

/// A store with one answer.
struct Fails(ReplayStoreError);

impl ReplayStore for Fails {
    fn admit(&self, _: UsedProof<'_>) -> Admission<'_> {
        Box::pin(std::future::ready(Err(self.0.clone())))
    }
}

#[tokio::test]
async fn p08_when_the_store_does_not_admit_the_proof_is_refused() {
    let setting = Setting::new();
    let token = setting.token();
    let proof = setting.proof(&Setting::proof_claims(&token, "1"));
    for (error, status) in [
        (ReplayStoreError::Replayed, 401),
        (ReplayStoreError::Full, 503),
        (ReplayStoreError::Unavailable("away".to_owned()), 503),
    ] {
        let layer = setting.layer(Fails(error));
        let (found, body, challenges) = ask(&layer, "DPoP", &token, &[&proof]).await;
        assert_eq!((found, body.as_str()), (status, ""));
        // A challenge would ask for another proof.
        assert_eq!(challenges.len(), usize::from(status == 401));
    }
}

#[tokio::test]
async fn p08_a_full_window_refuses_until_a_proof_expires() {
    let store = MemoryReplayStore::with_windows(1);
    let admit = async |jti: u32, thumbprint: &str, now: u64| {
        let id = TokenId::dpop_proof::<RingAnyKey>(thumbprint, &jti.to_string()).unwrap();
        let until = NumericDate::from_secs(1_000 + u64::from(jti));
        store.admit(UsedProof::new(id, thumbprint, until, NumericDate::from_secs(now))).await
    };
    for jti in 0..4_096 {
        assert_eq!(admit(jti, "one", 900).await, Ok(()));
    }
    assert_eq!(admit(4_096, "one", 900).await, Err(ReplayStoreError::Full));
    assert_eq!(admit(4_096, "other", 999).await, Err(ReplayStoreError::Full));
    assert_eq!(admit(4_096, "other", 1_000).await, Ok(()));
    assert_eq!(admit(4_097, "other", 1_000).await, Err(ReplayStoreError::Full));
}

#[tokio::test]
async fn a_proof_that_expires_while_its_request_waits_for_keys_is_refused() {
    let setting = Setting::new();
    let token_of = |issuer: &str| {
        let cnf = json!({"jkt": thumbprint(&setting.client)});
        setting.issuer.sign(&with(claims(issuer), "cnf", cnf))
    };
    for (seconds, expected) in [(120, 200), (121, 401)] {
        let issuer = TestIssuer::with_keys(&[&Signer::rsa("b")]).await;
        let start = now();
        let clock = TestClock::at(start);
        let authorities =
            Authorities::builder([issuer.authority()]).clock(clock.read()).build().unwrap();
        authorities.ready().await;
        clock.advance(60);
        let keys = jwks(&[&setting.issuer]);
        issuer.set(Behaviour::Slow(keys, Duration::from_millis(500)));
        let dpop = Dpop::new(ORIGIN, MemoryReplayStore::new());
        let layer = AuthLayer::new(authorities, POLICY).dpop(dpop);
        let token = token_of(&issuer.url);
        let issued = with(Setting::proof_claims(&token, "1"), "iat", start + 60);
        let proof = setting.proof(&issued);
        let request = tokio::spawn(async move { ask(&layer, "DPoP", &token, &[&proof]).await });
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(!request.is_finished());
        clock.advance(seconds);
        let (status, _, challenges) = request.await.unwrap();
        assert_eq!(status, expected, "{seconds} {challenges:?}");
        if expected == 401 {
            assert!(challenges[0].contains("The proof is too old"), "{challenges:?}");
        }
    }
}

#[tokio::test]
async fn of_many_requests_with_one_proof_one_passes() {
    let setting = Setting::new();
    let layer = Arc::new(setting.layer(MemoryReplayStore::new()));
    let token = setting.token();
    let proof = setting.proof(&Setting::proof_claims(&token, "1"));
    let requests: Vec<_> = (0..50)
        .map(|_| {
            let (layer, token, proof) = (Arc::clone(&layer), token.clone(), proof.clone());
            tokio::spawn(async move { ask(&layer, "DPoP", &token, &[&proof]).await.0 })
        })
        .collect();
    let mut passed = 0;
    for request in requests {
        passed += u32::from(request.await.unwrap() == 200);
    }
    assert_eq!(passed, 1);
}
