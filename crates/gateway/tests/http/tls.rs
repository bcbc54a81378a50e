//! Fetches of keys by HTTPS: forward proxies and root certificates.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::support::*;
use crate::tls_server::{Ca, serve};

/// Starts a forward proxy that connects to a fixed port, and counts connections.
async fn proxy(target: u16) -> (u16, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&count);
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(client.read_u8().await.unwrap());
            }
            assert!(head.starts_with(b"CONNECT issuer.example:443 "));
            counter.fetch_add(1, SeqCst);
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            let mut server = TcpStream::connect(("127.0.0.1", target)).await.unwrap();
            // The result does not matter when the connection ends.
            let _: Result<_, _> = copy_bidirectional(&mut client, &mut server).await;
        }
    });
    (port, count)
}

#[tokio::test]
async fn a_forward_proxy_and_further_root_certificates() {
    let signer = Signer::rsa("a");
    let (ca, other) = (Ca::new(), Ca::new());
    let port = serve(ca.issue("issuer.example", false), jwks(&[&signer])).await;
    let (proxy_port, count) = proxy(port).await;
    let file = |name: &str, pem: &str| {
        let name = format!("claimgate-gateway-{}-{name}.pem", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, pem).unwrap();
        path
    };
    let (good, bad) = (file("good", &ca.pem), file("bad", &other.pem));
    let issuer = TestIssuer::with_keys(&[]).await;
    let config = |lines: &str| {
        let mut config = Config::of(&issuer);
        config.issuer = format!(
            "url = \"https://issuer.example\"\njwks_url = \"https://issuer.example/keys\"\n\
             audiences = \"{API}\"\ntimeout = 2\n{lines}"
        );
        config
    };
    let roots = format!("root_certificates = \"{}\"\n", good.display());
    let others = format!("root_certificates = \"{}\"\n", bad.display());
    let by_proxy = format!("forward_proxy = \"127.0.0.1:{proxy_port}\"\n");
    let gateway = config(&(roots.clone() + &by_proxy)).start().await;
    assert_eq!(gateway.open(&signer.sign(&claims("https://issuer.example"))).await, 200);
    assert_eq!(count.load(SeqCst), 1);
    for (lines, by_proxy, failure) in
        [(others + &by_proxy, true, "TLS failed: "), (roots, false, "")]
    {
        let before = count.load(SeqCst);
        let gateway = config(&lines).start_without_keys().await;
        let mut body = String::new();
        for _ in 0..300 {
            body = get(gateway.admin, "/health", &[]).await.body;
            if body.contains("last: ") {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
        assert!(body.contains(&format!("last: {failure}")), "{body}");
        assert_eq!(count.load(SeqCst) > before, by_proxy, "{body}");
    }
    fs::remove_file(good).unwrap();
    fs::remove_file(bad).unwrap();
}
