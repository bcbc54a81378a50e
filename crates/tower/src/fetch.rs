//! HTTPS requests with limits.
//!
//! Each fetch has its own connection, because fetches are rare. A redirect is an error,
//! because it is not followed.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_ENCODING, HOST, USER_AGENT};
use http::uri::{Authority, Scheme};
use http::{Request, Uri};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

use crate::error::{AuthorityError, FetchError};

/// The maximum size of a response's head, in bytes, and the maximum number of its fields.
const MAX_HEAD: usize = 64 * 1024;
const MAX_FIELDS: usize = 100;

/// A URL that may be fetched.
#[derive(Clone)]
pub(crate) struct FetchUrl {
    uri: Uri,
    is_https: bool,
    host: String,
    port: u16,
}

/// The permission of plain HTTP to the loopback interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoopbackHttp {
    Refuse,
    Allow,
}

impl FetchUrl {
    pub(crate) fn parse(url: &str, loopback_http: LoopbackHttp) -> Result<Self, AuthorityError> {
        let invalid = || AuthorityError::Url(without_credentials(url));
        if url.contains('#') {
            return Err(invalid());
        }
        let uri: Uri = url.parse().map_err(|_| invalid())?;
        let authority = uri.authority().ok_or_else(invalid)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if authority.as_str().contains('@') || host.is_empty() {
            return Err(invalid());
        }
        let is_https = uri.scheme() == Some(&Scheme::HTTPS);
        if !is_https {
            let is_allowed = loopback_http == LoopbackHttp::Allow && is_loopback(&host);
            if uri.scheme() != Some(&Scheme::HTTP) {
                return Err(invalid());
            } else if !is_allowed {
                return Err(AuthorityError::PlainHttp(url.to_owned()));
            }
        }
        let port = match (port_of(authority), is_https) {
            (Some(port), _) => port.map_err(|_| invalid())?,
            (None, true) => 443,
            (None, false) => 80,
        };
        Ok(Self { uri, is_https, host, port })
    }

    pub(crate) const fn is_https(&self) -> bool {
        self.is_https
    }
}

/// Returns `None` without a port, and an error for `host:` and for an invalid port.
fn port_of(authority: &Authority) -> Option<Result<u16, ()>> {
    let after_host = authority.as_str().strip_prefix(authority.host())?;
    let port = after_host.strip_prefix(':')?;
    Some(port.parse().map_err(|_| ()))
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Returns the URL for a message, without user and password.
fn without_credentials(url: &str) -> String {
    let Some((before, after)) = url.rsplit_once('@') else { return url.to_owned() };
    match before.split_once("://") {
        Some((scheme, _)) => format!("{scheme}://…@{after}"),
        None => format!("…@{after}"),
    }
}

/// The limits of a fetch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The timeout of the connection including TLS.
    pub(crate) connect: Duration,
    /// The timeout of the whole fetch.
    pub(crate) total: Duration,
    /// The maximum size of the body, in bytes.
    pub(crate) response: usize,
}

/// A client that fetches documents.
#[derive(Clone)]
pub(crate) struct Fetcher {
    limits: Limits,
    /// `None` if no URL is HTTPS.
    tls: Option<TlsConnector>,
    /// The proxy's host and port.
    proxy: Option<(String, u16)>,
}

impl Fetcher {
    pub(crate) const fn new(
        limits: Limits,
        tls: Option<TlsConnector>,
        proxy: Option<(String, u16)>,
    ) -> Self {
        Self { limits, tls, proxy }
    }

    pub(crate) const fn limits(&self) -> Limits {
        self.limits
    }

    /// Fetches a document of limited size. The caller limits the time.
    pub(crate) async fn get(&self, url: &FetchUrl) -> Result<String, FetchError> {
        let io = timeout(self.limits.connect, self.connect(url)).await;
        let io = TokioIo::new(io.map_err(|_| FetchError::Timeout)??);
        let mut connection = http1::Builder::new();
        connection.max_buf_size(MAX_HEAD).max_headers(MAX_FIELDS);
        let (mut sender, connection) = connection.handshake(io).await.map_err(closed)?;
        let _driver = Driver(tokio::spawn(async move {
            // A connection error is also reported by the request.
            let _: Result<(), _> = connection.await;
        }));
        let response = sender.send_request(request(url)?).await.map_err(closed)?;
        if response.status() != 200 {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        let is_plain = |value: &http::HeaderValue| value.as_bytes() == b"identity";
        if !response.headers().get_all(CONTENT_ENCODING).iter().all(is_plain) {
            return Err(FetchError::Encoding);
        }
        let limit = self.limits.response;
        let mut body = response.into_body();
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(closed)?.into_data() else { continue };
            if bytes.len().saturating_add(data.len()) > limit {
                return Err(FetchError::TooLarge { limit });
            }
            bytes.extend_from_slice(&data);
        }
        String::from_utf8(bytes).map_err(|_| FetchError::Encoding)
    }

    async fn connect(&self, url: &FetchUrl) -> Result<Box<dyn Io>, FetchError> {
        if !url.is_https {
            let stream = tcp(&url.host, url.port).await?;
            let address = stream.peer_addr().map_err(no_connection)?;
            return match address.ip().to_canonical().is_loopback() {
                true => Ok(Box::new(stream)),
                false => Err(FetchError::NotLoopback),
            };
        }
        let stream = match &self.proxy {
            None => tcp(&url.host, url.port).await?,
            Some((host, port)) => tunnel(tcp(host, *port).await?, url).await?,
        };
        let tls = |error: &dyn fmt::Display| FetchError::Tls(error.to_string());
        let name = ServerName::try_from(url.host.clone()).map_err(|error| tls(&error))?;
        let connector = self.tls.as_ref().ok_or_else(|| tls(&"not configured"))?;
        let stream = connector.connect(name, stream).await.map_err(|error| tls(&error))?;
        Ok(Box::new(stream))
    }
}

trait Io: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// The task that drives a connection, which is aborted when the fetch ends.
struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn request(url: &FetchUrl) -> Result<Request<Empty<Bytes>>, FetchError> {
    let authority = url.uri.authority().map_or("", Authority::as_str);
    let path = url.uri.path_and_query().map_or("/", |path| path.as_str());
    Request::get(path)
        .header(HOST, authority)
        .header(ACCEPT, "application/json, application/jwk-set+json")
        .header(USER_AGENT, concat!("claimgate-tower/", env!("CARGO_PKG_VERSION")))
        .body(Empty::new())
        .map_err(|error| FetchError::Connection(error.to_string()))
}

async fn tcp(host: &str, port: u16) -> Result<TcpStream, FetchError> {
    TcpStream::connect((host, port)).await.map_err(no_connection)
}

/// Requests a connection to the host from a proxy
/// ([RFC 9110 §9.3.6](https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6)).
async fn tunnel(mut proxy: TcpStream, url: &FetchUrl) -> Result<TcpStream, FetchError> {
    let host = if url.host.contains(':') { format!("[{}]", url.host) } else { url.host.clone() };
    let target = format!("{host}:{}", url.port);
    let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n");
    proxy.write_all(request.as_bytes()).await.map_err(no_connection)?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= MAX_HEAD {
            return Err(FetchError::TooLarge { limit: MAX_HEAD });
        }
        head.push(proxy.read_u8().await.map_err(no_connection)?);
    }
    let is_open = head.strip_prefix(b"HTTP/1.").is_some_and(|rest| rest.get(1..4) == Some(b" 20"));
    if is_open {
        Ok(proxy)
    } else {
        Err(FetchError::Connection("the proxy refused the connection".to_owned()))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn no_connection(error: std::io::Error) -> FetchError {
    FetchError::Connection(error.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn closed(error: hyper::Error) -> FetchError {
    FetchError::Connection(error.to_string())
}

/// Returns a client for TLS 1.2 and 1.3 that verifies certificates with the root certificates
/// of the operating system, and with `added` ones, in PEM.
pub(crate) fn tls(added: &[Vec<u8>]) -> Result<TlsConnector, AuthorityError> {
    static SYSTEM: OnceLock<RootCertStore> = OnceLock::new();

    let system = SYSTEM.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "root certificates of the operating system");
        }
        roots.add_parsable_certificates(found.certs);
        roots
    });
    let mut roots = system.clone();
    for pem in added {
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| AuthorityError::Certificate)?;
            roots.add(certificate).map_err(|_| AuthorityError::Certificate)?;
        }
        if roots.len() == before {
            return Err(AuthorityError::Certificate);
        }
    }
    if roots.is_empty() {
        return Err(AuthorityError::NoRootCertificates);
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| AuthorityError::Certificate)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str, loopback_http: LoopbackHttp) -> Result<(String, u16), AuthorityError> {
        FetchUrl::parse(url, loopback_http).map(|url| (url.host, url.port))
    }

    #[test]
    fn https_anywhere_and_http_on_loopback_where_allowed() {
        use LoopbackHttp::{Allow, Refuse};

        let to = |host: &str, port| Ok((host.to_owned(), port));
        for setting in [Refuse, Allow] {
            assert_eq!(parse("https://a.example/jwks", setting), to("a.example", 443));
            assert_eq!(parse("HTTPS://a.example:8443", setting), to("a.example", 8443));
            assert_eq!(parse("https://[2001:db8::1]/x?y", setting), to("2001:db8::1", 443));
        }
        for (url, host) in [
            ("http://127.0.0.1:80/", "127.0.0.1"),
            ("http://127.9.9.9/", "127.9.9.9"),
            ("http://[::1]/", "::1"),
            ("http://LocalHost/", "LocalHost"),
        ] {
            assert_eq!(parse(url, Allow), to(host, 80));
            assert_eq!(parse(url, Refuse), Err(AuthorityError::PlainHttp(url.to_owned())));
        }
        for url in [
            "http://a.example/",
            "http://127.0.0.1.a.example/",
            "http://localhost.a.example/",
            "http://128.0.0.1/",
            "http://0.0.0.0/",
            "http://[::]/",
        ] {
            assert_eq!(parse(url, Allow), Err(AuthorityError::PlainHttp(url.to_owned())), "{url}");
        }
    }

    #[test]
    fn what_is_no_url_to_fetch_from_is_refused() {
        for url in [
            "",
            "a.example",
            "/jwks",
            "ftp://a.example/",
            "file:///etc/passwd",
            "https://a.example/#fragment",
            "https://a.example:/",
            "https://a.example:65536/",
            "https://",
            "https:///jwks",
        ] {
            let refused = Err(AuthorityError::Url(url.to_owned()));
            assert_eq!(parse(url, LoopbackHttp::Allow), refused, "{url}");
        }
        for (url, shown) in [
            ("https://user:secret@a.example/", "https://…@a.example/"),
            ("user:secret@a.example/", "…@a.example/"),
            ("user:secret@https://a.example/", "…@https://a.example/"),
        ] {
            let refused = Err(AuthorityError::Url(shown.to_owned()));
            assert_eq!(parse(url, LoopbackHttp::Allow), refused);
        }
    }
}
