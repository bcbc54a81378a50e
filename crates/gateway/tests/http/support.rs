//! Gateways for tests, and an HTTP client that sends requests unmodified.

#[path = "../../../tower/tests/support/mod.rs"]
mod tower;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use claimgate_gateway::{Server, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

pub use self::tower::*;

/// The parts of a configuration, which tests change.
#[derive(Clone)]
pub struct Config {
    pub proxy: &'static str,
    pub top: String,
    pub issuer: String,
    pub more: String,
    pub routes: String,
}

pub const ROUTES: &str = r#"
[[route]]
path = "/patients"
methods = ["GET", "HEAD"]
scopes_all = ["read:patients"]

[[route]]
path = "/open"
valid_token_suffices = true
"#;

/// The settings to fetch keys again each second, for tests that change them.
pub const EAGER: &str = "cool_down = 1\nmax_back_off = 1\ntimeout = 1\n";

impl Config {
    pub fn of(issuer: &TestIssuer) -> Self {
        let keys = issuer.keys();
        let url = &issuer.url;
        Self {
            proxy: "nginx",
            top: String::new(),
            issuer: format!(
                "url = \"{url}\"\njwks_url = \"{keys}\"\ndanger_allow_loopback_http = true\n\
                 audiences = \"{API}\"\n"
            ),
            more: String::new(),
            routes: ROUTES.to_owned(),
        }
    }

    pub fn proxy(mut self, proxy: &'static str) -> Self {
        self.proxy = proxy;
        self
    }

    pub fn top(mut self, lines: &str) -> Self {
        self.top.push_str(lines);
        self.top.push('\n');
        self
    }

    pub fn issuer(mut self, lines: &str) -> Self {
        self.issuer.push_str(lines);
        self.issuer.push('\n');
        self
    }

    pub fn more(mut self, lines: &str) -> Self {
        self.more.push_str(lines);
        self
    }

    pub fn routes(mut self, routes: &str) -> Self {
        self.routes = routes.to_owned();
        self
    }

    /// Replaces the routes by one with the path `/x` and these settings.
    pub fn route(self, lines: &str) -> Self {
        self.routes(&format!("[[route]]\npath = \"/x\"\n{lines}\n"))
    }

    pub fn text(&self) -> String {
        let Self { proxy, top, issuer, more, routes } = self;
        format!(
            "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\nproxy = \"{proxy}\"\n\
             realm = \"health\"\nthreads = 2\n{top}\n[[issuer]]\n{issuer}\n{more}\n{routes}"
        )
    }

    /// Starts a gateway, and waits until it has keys.
    pub async fn start(&self) -> Gateway {
        let gateway = self.start_without_keys().await;
        gateway.ready().await;
        gateway
    }

    pub async fn start_without_keys(&self) -> Gateway {
        let text = self.text();
        let settings = Settings::parse(&text, Path::new("")).unwrap_or_else(|errors| {
            panic!("{errors}\n{text}");
        });
        let server = Server::bind(settings, None).await.unwrap();
        let address = server.address().unwrap();
        let admin = server.admin_address().unwrap().unwrap();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let stop = async {
                let _: Result<(), _> = stopped.await;
            };
            server.run(stop).await.unwrap();
        });
        Gateway { address, admin, stop: Some(stop), task }
    }
}

/// A running gateway.
pub struct Gateway {
    pub address: SocketAddr,
    pub admin: SocketAddr,
    pub stop: Option<oneshot::Sender<()>>,
    pub task: JoinHandle<()>,
}

/// A response.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Reply {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or("0");
        let headers = lines.filter_map(|line| line.split_once(": "));
        Self {
            status: status.parse().unwrap(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            body: body.to_owned(),
        }
    }

    /// Returns the value of a header field; `None` if it is missing or duplicated.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name));
        let (_, value) = values.next()?;
        values.next().is_none().then_some(value)
    }

    pub fn challenge(&self) -> &str {
        self.header("www-authenticate").unwrap_or_default()
    }
}

/// Sends bytes and reads the response until the connection is closed. Without a response, the
/// status is 0.
pub async fn send(address: SocketAddr, bytes: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The gateway may have responded and closed the connection.
    let _: std::io::Result<()> = stream.write_all(bytes).await;
    let mut response = Vec::new();
    let read = timeout(Duration::from_secs(30), stream.read_to_end(&mut response)).await;
    let _: std::io::Result<usize> = read.expect("the connection is closed in time");
    Reply::parse(&String::from_utf8_lossy(&response))
}

pub async fn get(address: SocketAddr, target: &str, headers: &[(&str, &str)]) -> Reply {
    request(address, "GET", target, headers).await
}

pub async fn request(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
) -> Reply {
    send(address, head(method, target, headers, "close").as_bytes()).await
}

pub fn head(method: &str, target: &str, headers: &[(&str, &str)], connection: &str) -> String {
    let mut text =
        format!("{method} {target} HTTP/1.1\r\nHost: gateway\r\nConnection: {connection}\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text + "\r\n"
}

impl Gateway {
    pub async fn ready(&self) {
        for _ in 0..500 {
            if get(self.admin, "/health", &[]).await.status == 200 {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
        panic!("the gateway is not ready");
    }

    /// Sends a subrequest like nginx.
    pub async fn ask(&self, method: &str, uri: &str, headers: &[(&str, &str)]) -> Reply {
        let mut all = vec![("X-Original-Method", method), ("X-Original-URI", uri)];
        all.extend(headers);
        get(self.address, "/check", &all).await
    }

    pub async fn with_token(&self, method: &str, uri: &str, token: &str) -> Reply {
        self.ask(method, uri, &[("Authorization", &format!("Bearer {token}"))]).await
    }

    /// Returns the status of `GET /open` with this token.
    pub async fn open(&self, token: &str) -> u16 {
        self.with_token("GET", "/open", token).await.status
    }

    /// Returns the status of `GET /x` with this token.
    pub async fn x(&self, token: &str) -> u16 {
        self.with_token("GET", "/x", token).await.status
    }
}

/// Starts an issuer, and returns it with the key that signs its tokens.
pub async fn one_issuer() -> (TestIssuer, Signer) {
    let signer = Signer::rsa("a");
    (TestIssuer::with_keys(&[&signer]).await, signer)
}
