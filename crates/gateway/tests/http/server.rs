//! Connections, their limits, and the paths of each address.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::support::*;

/// Waits until the gateway closes the connection, and returns the time that it took.
async fn closed(stream: &mut TcpStream) -> Duration {
    let started = Instant::now();
    let mut rest = Vec::new();
    let end = timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await;
    let _: std::io::Result<usize> = end.expect("the connection is closed");
    started.elapsed()
}

/// Sends a request and reads the header of the response. The connection stays open.
async fn exchange(stream: &mut TcpStream) {
    let uri = [("X-Original-Method", "GET"), ("X-Original-URI", "/")];
    let head = head("GET", "/check", &uri, "keep-alive");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        read.push(stream.read_u8().await.unwrap());
    }
    assert!(read.starts_with(b"HTTP/1.1 403"));
}

#[tokio::test]
async fn half_open_connections_are_closed() {
    let (issuer, signer) = one_issuer().await;
    let config = Config::of(&issuer).top("header_timeout = 1\nidle_timeout = 3");
    let gateway = config.start().await;
    let mut half_open = Vec::new();
    for index in 0..300 {
        let mut stream = TcpStream::connect(gateway.address).await.unwrap();
        if index % 2 == 0 {
            stream.write_all(b"GET /check HTTP/1.1\r\nX: ").await.unwrap();
        }
        half_open.push(stream);
    }
    // Other connections are not affected.
    assert_eq!(gateway.open(&signer.sign(&claims(&issuer.url))).await, 200);
    let started = Instant::now();
    for stream in &mut half_open {
        closed(stream).await;
    }
    assert!(started.elapsed() < Duration::from_millis(2_500), "{:?}", started.elapsed());
}

#[tokio::test]
async fn idle_connections_are_kept_for_a_while() {
    let (issuer, _) = one_issuer().await;
    let config = Config::of(&issuer).top("header_timeout = 1\nidle_timeout = 3");
    let gateway = config.start().await;
    let mut stream = TcpStream::connect(gateway.address).await.unwrap();
    exchange(&mut stream).await;
    // This exceeds the time limit for the first request.
    sleep(Duration::from_millis(2_000)).await;
    exchange(&mut stream).await;
    let idle = closed(&mut stream).await;
    assert!((2_500..4_500).contains(&idle.as_millis()), "{idle:?}");
}

#[tokio::test]
async fn a_further_request_must_be_complete_in_time() {
    let (issuer, _) = one_issuer().await;
    let config = Config::of(&issuer).top("header_timeout = 1\nidle_timeout = 2");
    let gateway = config.start().await;
    let mut stream = TcpStream::connect(gateway.address).await.unwrap();
    exchange(&mut stream).await;
    let (mut responses, mut requests) = stream.into_split();
    // Each byte arrives soon after the previous one.
    let drip = tokio::spawn(async move {
        while requests.write_all(b"G").await.is_ok() {
            sleep(Duration::from_millis(100)).await;
        }
    });
    let started = Instant::now();
    let mut rest = Vec::new();
    let end = timeout(Duration::from_secs(20), responses.read_to_end(&mut rest)).await;
    let _: std::io::Result<usize> = end.expect("the connection is closed");
    drip.await.unwrap();
    let idle = started.elapsed();
    assert!((1_500..3_500).contains(&idle.as_millis()), "{idle:?}");
}

#[tokio::test]
async fn a_request_in_progress_is_not_idle() {
    let (issuer, signer) = one_issuer().await;
    issuer.set(Behaviour::Slow(jwks(&[&signer]), Duration::from_millis(2_500)));
    let config = Config::of(&issuer).top("header_timeout = 1\nidle_timeout = 1");
    let gateway = config.start_without_keys().await;
    let started = Instant::now();
    assert_eq!(gateway.open(&signer.sign(&claims(&issuer.url))).await, 200);
    assert!(started.elapsed() > Duration::from_millis(2_000), "{:?}", started.elapsed());
}

#[tokio::test]
async fn connections_have_a_limit() {
    let (issuer, _) = one_issuer().await;
    let config = Config::of(&issuer).top("max_connections = 2\nheader_timeout = 600");
    let gateway = config.start().await;
    let mut one = TcpStream::connect(gateway.address).await.unwrap();
    let mut two = TcpStream::connect(gateway.address).await.unwrap();
    exchange(&mut one).await;
    exchange(&mut two).await;
    let mut three = TcpStream::connect(gateway.address).await.unwrap();
    assert!(timeout(Duration::from_millis(500), exchange(&mut three)).await.is_err());
    drop(one);
    // The third connection has already sent its request.
    let mut byte = [0];
    let answer = timeout(Duration::from_secs(5), three.read(&mut byte)).await;
    assert_eq!(answer.unwrap().unwrap(), 1);
    exchange(&mut two).await;
}

#[tokio::test]
async fn requests_in_progress_are_completed_at_shutdown() {
    let (issuer, signer) = one_issuer().await;
    issuer.set(Behaviour::Slow(jwks(&[&signer]), Duration::from_millis(1_000)));
    let mut gateway = Config::of(&issuer).start_without_keys().await;
    let address = gateway.address;
    let authorization = format!("Bearer {}", signer.sign(&claims(&issuer.url)));
    let request = tokio::spawn(async move {
        let headers = [
            ("X-Original-Method", "GET"),
            ("X-Original-URI", "/open"),
            ("Authorization", authorization.as_str()),
        ];
        get(address, "/check", &headers).await
    });
    // An idle connection does not delay the shutdown.
    let mut idle = TcpStream::connect(address).await.unwrap();
    exchange(&mut idle).await;
    sleep(Duration::from_millis(300)).await;
    gateway.stop.take().unwrap().send(()).unwrap();
    sleep(Duration::from_millis(100)).await;
    assert!(TcpStream::connect(address).await.is_err(), "it still accepts connections");
    assert_eq!(request.await.unwrap().status, 200);
    let started = Instant::now();
    (&mut gateway.task).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn health_and_metrics_are_on_a_separate_address() {
    let (issuer, _) = one_issuer().await;
    let gateway = Config::of(&issuer).start().await;
    for path in ["/health", "/metrics", "/", "/check/", "/check/x"] {
        assert_eq!(get(gateway.address, path, &[]).await.status, 404, "{path}");
    }
    assert_eq!(get(gateway.admin, "/health", &[]).await.status, 200);
    assert_eq!(get(gateway.admin, "/check", &[]).await.status, 404);
    assert_eq!(request(gateway.admin, "POST", "/health", &[]).await.status, 404);
}

#[tokio::test]
async fn a_request_with_a_body_is_the_last_of_its_connection() {
    let (issuer, _) = one_issuer().await;
    let gateway = Config::of(&issuer).start().await;
    let fields = "Host: x\r\nX-Original-Method: GET\r\nX-Original-URI: /";
    let request = format!("POST /check HTTP/1.1\r\n{fields}\r\nContent-Length: 3\r\n\r\nabc");
    let reply = send(gateway.address, request.as_bytes()).await;
    assert_eq!((reply.status, reply.header("connection")), (403, Some("close")));
}

#[tokio::test]
async fn a_fragment_in_envoy_s_request_line_is_detected() {
    let (issuer, signer) = one_issuer().await;
    let gateway = Config::of(&issuer).proxy("envoy").start().await;
    let token = format!("Bearer {}", signer.sign(&claims(&issuer.url)));
    let headers = [("Authorization", token.as_str()), ("X-Hash", "#")];
    let ask = async |target: &str| get(gateway.address, target, &headers).await;
    assert_eq!(ask("/check/open").await.status, 200);
    let refused = ask("/check/open#/../patients").await;
    assert_eq!((refused.status, refused.header("connection")), (403, Some("close")));
    // The second request of a connection is scanned, too.
    let both = [
        head("GET", "/check/open", &headers, "keep-alive"),
        head("GET", "/check/open#x", &headers, "close"),
    ];
    let mut stream = TcpStream::connect(gateway.address).await.unwrap();
    for (text, status) in both.iter().zip(["200", "403"]) {
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut read = Vec::new();
        while !read.ends_with(b"\r\n\r\n") {
            read.push(stream.read_u8().await.unwrap());
        }
        let read = String::from_utf8(read).unwrap();
        assert!(read.starts_with(&format!("HTTP/1.1 {status}")), "{read}");
    }
}
