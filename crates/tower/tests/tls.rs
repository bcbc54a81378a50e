//! Verification of certificates.

mod support;

use std::sync::Arc;
use std::time::Duration;

use claimgate_tower::{Authorities, Authority, KeyState};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use support::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certification authority.
struct Ca {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Ca {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    fn issue(
        &self,
        name: &str,
        is_expired: bool,
    ) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        if is_expired {
            params.not_after = date_time_ymd(2020, 1, 1);
        }
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.der().clone(), PrivateKeyDer::Pkcs8(key.serialize_der().into()))
    }
}

/// Serves a text by HTTPS, and returns the port.
async fn serve(
    (certificate, key): (CertificateDer<'static>, PrivateKeyDer<'static>),
    text: String,
) -> u16 {
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // A client that does not trust the certificate disconnects.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.unwrap());
            }
            let response =
                format!("HTTP/1.1 200 x\r\nContent-Length: {}\r\n\r\n{text}", text.len());
            stream.write_all(response.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    port
}

async fn fetched(authority: Authority) -> Authorities {
    let authorities = Authorities::new([authority]).unwrap();
    until(|| authorities.health().authorities[0].fetches > 0).await;
    authorities
}

#[tokio::test]
async fn a_certificate_has_to_be_of_the_host_valid_and_of_a_known_authority() {
    let signer = Signer::rsa("a");
    let (ca, other) = (Ca::new(), Ca::new());
    for (certificate, roots, expected) in [
        (ca.issue("localhost", false), &ca.pem, KeyState::Ready),
        (ca.issue("localhost", false), &other.pem, KeyState::Pending),
        (other.issue("localhost", false), &ca.pem, KeyState::Pending),
        (ca.issue("a.example", false), &ca.pem, KeyState::Pending),
        (ca.issue("localhost", true), &ca.pem, KeyState::Pending),
    ] {
        let port = serve(certificate, jwks(&[&signer])).await;
        let issuer = format!("https://localhost:{port}");
        // Allowing plain HTTP does not weaken TLS.
        let authority = Authority::jwks(&issuer, format!("{issuer}/keys"))
            .root_certificates(roots.as_str())
            .timeouts(Duration::from_secs(2), Duration::from_secs(2))
            .danger_allow_loopback_http();
        let authorities = fetched(authority).await;
        let health = authorities.health().authorities[0].clone();
        assert_eq!(health.state, expected, "{health:?}");
        if expected == KeyState::Pending {
            let failure = health.last_failure.unwrap();
            assert!(failure.starts_with("TLS: "), "{failure}");
        } else {
            assert_eq!(verdict(&authorities, &signer.sign(&claims(&issuer))).await, "valid");
        }
    }
}

#[tokio::test]
async fn a_proxy_opens_a_connection_and_sees_only_tls() {
    let signer = Signer::rsa("a");
    let ca = Ca::new();
    let port = serve(ca.issue("issuer.example", false), jwks(&[&signer])).await;
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy_port = proxy.local_addr().unwrap().port();
    let (send, mut heads) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        for answer in ["HTTP/1.1 200 Connection established\r\n\r\n", "HTTP/1.1 407 x\r\n\r\n"] {
            let (mut client, _) = proxy.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(client.read_u8().await.unwrap());
            }
            send.send(String::from_utf8(head).unwrap()).unwrap();
            client.write_all(answer.as_bytes()).await.unwrap();
            if answer.contains("200") {
                let mut server = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                // Ends with the connection, for any reason.
                let _: Result<_, _> = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            }
        }
    });
    let issuer = "https://issuer.example";
    let authority = || {
        Authority::jwks(issuer, format!("{issuer}/keys"))
            .root_certificates(ca.pem.as_str())
            .proxy("127.0.0.1", proxy_port)
    };
    let authorities = fetched(authority()).await;
    assert_eq!(verdict(&authorities, &signer.sign(&claims(issuer))).await, "valid");
    let head = heads.recv().await.unwrap();
    assert_eq!(head, "CONNECT issuer.example:443 HTTP/1.1\r\nHost: issuer.example:443\r\n\r\n");
    let authorities = fetched(authority()).await;
    let failure = authorities.health().authorities[0].last_failure.clone().unwrap();
    assert!(failure.contains("the proxy refused the connection"), "{failure}");
}
