//! The errors of a configuration and of a fetch.

use std::fmt;
use std::path::PathBuf;

use claimgate::error::ConfigError;

/// The reason why a configuration cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthorityError {
    /// The URL is invalid, or has credentials, a fragment or a scheme other than `https`.
    Url(String),
    /// The URL is `http`, which is accepted only with
    /// [`danger_allow_loopback_http`](crate::Authority::danger_allow_loopback_http) and for
    /// hosts on the loopback interface.
    PlainHttp(String),
    /// The issuer's URL or tenants are invalid.
    Issuer(ConfigError),
    /// No authority is configured.
    NoAuthority,
    /// Two authorities have the same issuer.
    DuplicateIssuer(String),
    /// The configured key set cannot be used.
    Keys(claimgate::Error),
    /// The identifier of the protected resource is not an `https` URL.
    Resource,
    /// A configured certificate cannot be used.
    Certificate,
    /// A limit or a duration is zero or too long.
    Limit(&'static str),
    /// The operating system has no root certificates with which an issuer could be verified.
    NoRootCertificates,
    /// There is no Tokio runtime in which keys can be renewed.
    NoRuntime,
}

impl std::error::Error for AuthorityError {}

impl fmt::Display for AuthorityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => write!(f, "invalid URL: {url}"),
            Self::PlainHttp(url) => write!(
                f,
                "plain HTTP is allowed only for loopback hosts, and only with an explicit setting: {url}"
            ),
            Self::Issuer(error) => write!(f, "invalid issuer: {error}"),
            Self::NoAuthority => f.write_str("no authority is configured"),
            Self::DuplicateIssuer(url) => write!(f, "two authorities have the issuer {url}"),
            Self::Keys(error) => write!(f, "invalid configured key set: {error}"),
            Self::Resource => f.write_str("the identifier of the resource is not a URL"),
            Self::Certificate => f.write_str("a configured certificate is invalid"),
            Self::Limit(name) => write!(f, "{name} is zero or too long"),
            Self::NoRootCertificates => {
                f.write_str("the operating system has no root certificates")
            }
            Self::NoRuntime => f.write_str("authorities must be built inside a Tokio runtime"),
        }
    }
}

/// The reason why a fetch of keys failed. The previous keys remain in use.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FetchError {
    /// The connection failed, or was closed early.
    Connection(String),
    /// TLS failed, for example because the certificate is invalid.
    Tls(String),
    /// The timeout of the connection or of the whole fetch expired.
    Timeout,
    /// The status of the response is not 200. Redirects are not followed.
    Status(u16),
    /// The response is longer than the limit.
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The response is not UTF-8, or has a content encoding such as compression.
    Encoding,
    /// A plain HTTP connection did not lead to the loopback interface.
    NotLoopback,
    /// The discovery document or the key set was rejected.
    Document(claimgate::Error),
    /// The `jwks_uri` of the discovery document is invalid.
    JwksUri,
    /// A file of keys cannot be read.
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        kind: std::io::ErrorKind,
    },
}

impl std::error::Error for FetchError {}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(error) => write!(f, "connection failed: {error}"),
            Self::Tls(error) => write!(f, "TLS failed: {error}"),
            Self::Timeout => f.write_str("timed out"),
            Self::Status(status) => write!(f, "the response has status {status}"),
            Self::TooLarge { limit } => write!(f, "the response has more than {limit} bytes"),
            Self::Encoding => f.write_str("the response is not plain UTF-8"),
            Self::NotLoopback => {
                f.write_str("plain HTTP is allowed only on the loopback interface")
            }
            Self::Document(error) => error.fmt(f),
            Self::JwksUri => f.write_str("the jwks_uri of the discovery document is invalid"),
            Self::File { path, kind } => write!(f, "cannot read {}: {kind}", path.display()),
        }
    }
}
