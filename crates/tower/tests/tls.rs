//! Verification of certificates.

mod support;
#[path = "support/tls.rs"]
mod tls;

use std::time::Duration;

use claimgate_tower::{Authorities, Authority, AuthorityError, KeyState};
use support::*;
use tls::{Ca, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

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
            assert!(failure.starts_with("TLS failed: "), "{failure}");
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

/// Runs itself again as a process without root certificates: they are loaded once.
#[tokio::test]
async fn without_root_certificates_only_issuers_on_loopback_are_accepted() {
    const NAME: &str = "without_root_certificates_only_issuers_on_loopback_are_accepted";
    if std::env::var("SSL_CERT_FILE").as_deref() != Ok("/dev/null") {
        let program = std::env::current_exe().unwrap();
        let mut child = std::process::Command::new(program);
        child.arg(NAME).env("SSL_CERT_FILE", "/dev/null").env_remove("SSL_CERT_DIR");
        let output = child.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
        return;
    }
    let build = |authority: Authority| Authorities::new([authority]).map(|_| ());
    let https = Authority::jwks("https://issuer.example", "https://issuer.example/keys");
    let ca = https.clone().root_certificates(Ca::new().pem);
    assert_eq!(build(https), Err(AuthorityError::NoRootCertificates));
    assert_eq!(build(ca), Ok(()));
    let issuer = TestIssuer::with_keys(&[]).await;
    assert_eq!(build(issuer.authority()), Ok(()));
    assert_eq!(build(issuer.discovered()), Ok(()));
    assert_eq!(build(Authority::fixed("https://issuer.example", r#"{"keys":[]}"#)), Ok(()));
    assert_eq!(build(Authority::jwks_file("https://issuer.example", "keys.json")), Ok(()));
}
