//! An issuer on the loopback interface, whose responses a test chooses, and its tokens.

#![allow(dead_code, reason = "each test uses a part")]
#![allow(clippy::allow_attributes, reason = "not every test leaves something unused")]

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::refresh::JwksRefresh;
use claimgate::{AccessTokenPolicy, BearerToken, NumericDate, at_compile_time};
use claimgate_tower::{Authenticated, Authorities, Authority, Refusal};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    RsaPublicKeyComponents,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;

pub const API: &str = "https://api.example.com/health";

pub const POLICY: AccessTokenPolicy<'static> =
    at_compile_time!(AccessTokenPolicy::general(API).build());

pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

pub fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// A key that signs tokens.
pub enum Signer {
    Rsa(String, RsaKeyPair),
    Ec(String, EcdsaKeyPair),
}

impl Signer {
    /// RS256, with the keys of the workspace's tests: `a` or `b`.
    pub fn rsa(name: &str) -> Self {
        let path = format!("{}/../../tests/data/keys/{name}.pk8", env!("CARGO_MANIFEST_DIR"));
        let pair = RsaKeyPair::from_pkcs8(&std::fs::read(path).unwrap()).unwrap();
        Self::Rsa(format!("rsa-{name}"), pair)
    }

    /// ES256, with a new key.
    pub fn ec(name: &str) -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap();
        Self::Ec(format!("ec-{name}"), pair)
    }

    pub fn kid(&self) -> &str {
        match self {
            Self::Rsa(kid, _) | Self::Ec(kid, _) => kid,
        }
    }

    pub fn jwk(&self) -> Value {
        let mut jwk = self.bare_jwk();
        jwk["kid"] = self.kid().into();
        jwk
    }

    /// Returns the JWK without a `kid`.
    pub fn bare_jwk(&self) -> Value {
        match self {
            Self::Rsa(_, pair) => {
                let RsaPublicKeyComponents { n, e } =
                    RsaPublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({"kty": "RSA", "n": encode(&n), "e": encode(&e)})
            }
            Self::Ec(_, pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y)})
            }
        }
    }

    pub fn alg(&self) -> &'static str {
        match self {
            Self::Rsa(..) => "RS256",
            Self::Ec(..) => "ES256",
        }
    }

    pub fn sign(&self, claims: &Value) -> String {
        self.sign_with(&json!({"alg": self.alg(), "kid": self.kid(), "typ": "at+jwt"}), claims)
    }

    pub fn sign_with(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(header, &claims.to_string())
    }

    /// Signs claims that `Value` cannot represent.
    pub fn sign_text(&self, header: &Value, claims: &str) -> String {
        let header = header.to_string();
        let input = format!("{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()));
        let random = SystemRandom::new();
        let signature = match self {
            Self::Rsa(_, pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, input.as_bytes(), &mut signature).unwrap();
                signature
            }
            Self::Ec(_, pair) => pair.sign(&random, input.as_bytes()).unwrap().as_ref().to_vec(),
        };
        format!("{input}.{}", encode(&signature))
    }
}

pub fn jwks(signers: &[&Signer]) -> String {
    let keys: Vec<_> = signers.iter().map(|signer| signer.jwk()).collect();
    json!({ "keys": keys }).to_string()
}

pub fn claims(issuer: &str) -> Value {
    json!({
        "iss": issuer, "aud": API, "sub": "alice", "client_id": "app", "jti": "1",
        "iat": now() - 10, "exp": now() + 600, "scope": "openid read:patients",
    })
}

pub fn with(mut claims: Value, name: &str, value: impl Into<Value>) -> Value {
    claims[name] = value.into();
    claims
}

/// The response of the issuer to a request.
#[derive(Clone, Debug)]
pub enum Behaviour {
    /// Status 200 with this text.
    Serve(String),
    /// Another status, with this text.
    Status(u16, String),
    /// A redirect to this URL.
    Redirect(String),
    /// This number of spaces before a key set.
    Huge(usize),
    /// This text, one byte at a time, with pauses.
    Drip(String, Duration),
    /// This text after a pause.
    Slow(String, Duration),
    /// These bytes, unchanged.
    Raw(Vec<u8>),
    /// The connection is closed.
    Close,
}

/// An issuer whose responses a test chooses.
pub struct TestIssuer {
    pub url: String,
    behaviour: Arc<Mutex<Behaviour>>,
    document: Arc<Mutex<Option<Behaviour>>>,
    requests: Arc<AtomicU64>,
    server: JoinHandle<()>,
}

impl Drop for TestIssuer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl TestIssuer {
    pub async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let document = Arc::new(Mutex::new(Some(Behaviour::Serve(document(&url, &url)))));
        let behaviour = Arc::new(Mutex::new(behaviour));
        let requests = Arc::new(AtomicU64::new(0));
        let server = tokio::spawn({
            let (behaviour, document) = (Arc::clone(&behaviour), Arc::clone(&document));
            let requests = Arc::clone(&requests);
            async move {
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    let (behaviour, document) = (Arc::clone(&behaviour), Arc::clone(&document));
                    let requests = Arc::clone(&requests);
                    tokio::spawn(async move {
                        answer(stream, &behaviour, &document, &requests).await;
                    });
                }
            }
        });
        Self { url, behaviour, document, requests, server }
    }

    pub async fn with_keys(signers: &[&Signer]) -> Self {
        Self::start(Behaviour::Serve(jwks(signers))).await
    }

    /// Returns the URL of the key set.
    pub fn keys(&self) -> String {
        format!("{}/keys", self.url)
    }

    /// Returns the number of requests for the key set.
    pub fn requests(&self) -> u64 {
        self.requests.load(SeqCst)
    }

    pub fn set(&self, behaviour: Behaviour) {
        *self.behaviour.lock().unwrap() = behaviour;
    }

    pub fn set_document(&self, behaviour: Behaviour) {
        *self.document.lock().unwrap() = Some(behaviour);
    }

    pub fn authority(&self) -> Authority {
        Authority::jwks(&self.url, self.keys()).danger_allow_loopback_http()
    }

    pub fn discovered(&self) -> Authority {
        Authority::discover(&self.url).danger_allow_loopback_http()
    }
}

/// Returns a discovery document of this issuer with the keys of another.
pub fn document(issuer: &str, keys_of: &str) -> String {
    json!({"issuer": issuer, "jwks_uri": format!("{keys_of}/keys")}).to_string()
}

async fn answer(
    mut stream: TcpStream,
    behaviour: &Mutex<Behaviour>,
    document: &Mutex<Option<Behaviour>>,
    requests: &AtomicU64,
) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    let behaviour = if request.starts_with(b"GET /keys ") {
        requests.fetch_add(1, SeqCst);
        Some(behaviour.lock().unwrap().clone())
    } else if request.starts_with(b"GET /.well-known/openid-configuration ") {
        document.lock().unwrap().clone()
    } else {
        None
    };
    let head = |status: u16, len: usize| {
        format!("HTTP/1.1 {status} x\r\nContent-Length: {len}\r\nConnection: close\r\n")
    };
    let whole = |status, text: &str| format!("{}\r\n{text}", head(status, text.len())).into_bytes();
    // The client may have disconnected.
    let _: std::io::Result<()> = match behaviour {
        None => stream.write_all(&whole(404, "")).await,
        Some(Behaviour::Serve(text)) => stream.write_all(&whole(200, &text)).await,
        Some(Behaviour::Status(status, text)) => stream.write_all(&whole(status, &text)).await,
        Some(Behaviour::Redirect(url)) => {
            let text = format!("{}Location: {url}\r\n\r\n", head(302, 0));
            stream.write_all(text.as_bytes()).await
        }
        Some(Behaviour::Huge(len)) => {
            let text = format!("{}{}", " ".repeat(len), r#"{"keys":[]}"#);
            stream.write_all(&whole(200, &text)).await
        }
        Some(Behaviour::Slow(text, pause)) => {
            sleep(pause).await;
            stream.write_all(&whole(200, &text)).await
        }
        Some(Behaviour::Drip(text, pause)) => {
            let _: std::io::Result<()> =
                stream.write_all(format!("{}\r\n", head(200, text.len())).as_bytes()).await;
            for byte in text.bytes() {
                if stream.write_all(&[byte]).await.is_err() {
                    return;
                }
                sleep(pause).await;
            }
            Ok(())
        }
        Some(Behaviour::Raw(bytes)) => stream.write_all(&bytes).await,
        Some(Behaviour::Close) => Ok(()),
    };
}

/// Refreshes as often as possible.
pub fn eager() -> JwksRefresh {
    JwksRefresh::new().cool_down(1).max_back_off(1)
}

/// A clock that a test sets.
#[derive(Clone)]
pub struct TestClock(Arc<AtomicU64>);

impl TestClock {
    pub fn at(seconds: u64) -> Self {
        Self(Arc::new(AtomicU64::new(seconds)))
    }

    pub fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, SeqCst);
    }

    pub fn set_back(&self, seconds: u64) {
        self.0.fetch_sub(seconds, SeqCst);
    }

    pub fn read(&self) -> impl Fn() -> NumericDate + Send + Sync + 'static {
        let clock = Arc::clone(&self.0);
        move || NumericDate::from_secs(clock.load(SeqCst))
    }
}

pub async fn validate(authorities: &Authorities, token: &str) -> Result<Authenticated, Refusal> {
    authorities.validate(BearerToken::new(token), &POLICY).await
}

/// Returns the code of the verdict.
pub async fn verdict(authorities: &Authorities, token: &str) -> &'static str {
    match validate(authorities, token).await {
        Ok(_) => "valid",
        Err(refusal) => refusal.code(),
    }
}

/// Waits until a condition is met, at most a minute.
pub async fn until(condition: impl Fn() -> bool) {
    for _ in 0..6_000 {
        if condition() {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("the condition is not met in time");
}
