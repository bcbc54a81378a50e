//! Errors of a configuration, and of a fetch.

use std::fmt;

use claimgate::error::ConfigError;

/// Why an authority cannot be used as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthorityError {
    /// The URL cannot be fetched from: not a URL, or one with credentials, a fragment or
    /// another scheme than `https`.
    Url(String),
    /// The URL is `http`, which
    /// [`danger_allow_loopback_http`](crate::Authority::danger_allow_loopback_http) allows for
    /// hosts on the loopback interface alone.
    PlainHttp(String),
    /// The issuer's URL or tenants are not acceptable.
    Issuer(ConfigError),
    /// No authority is configured.
    NoAuthority,
    /// Two authorities have the same issuer.
    DuplicateIssuer(String),
    /// A key set that is a part of the configuration cannot be used.
    Keys(claimgate::Error),
    /// The identifier of the protected resource is not an `https` URL.
    Resource,
    /// A certificate of the configuration cannot be used.
    Certificate,
    /// A limit or a duration is zero, or longer than makes sense.
    Limit(&'static str),
    /// The operating system has no root certificates that could verify an issuer's.
    NoRootCertificates,
    /// There is no Tokio runtime in which keys could be renewed.
    NoRuntime,
}

impl std::error::Error for AuthorityError {}

impl fmt::Display for AuthorityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => write!(f, "keys cannot be fetched from this URL: {url}"),
            Self::PlainHttp(url) => write!(
                f,
                "keys are fetched by plain HTTP only from the loopback interface, and only if \
                 that is allowed: {url}"
            ),
            Self::Issuer(error) => write!(f, "the issuer: {error}"),
            Self::NoAuthority => f.write_str("no authority is configured"),
            Self::DuplicateIssuer(url) => write!(f, "two authorities are of the issuer {url}"),
            Self::Keys(error) => write!(f, "the configured key set: {error}"),
            Self::Resource => f.write_str("the identifier of the resource is not a URL"),
            Self::Certificate => f.write_str("a configured certificate is not one"),
            Self::Limit(name) => write!(f, "{name} is zero or too long"),
            Self::NoRootCertificates => {
                f.write_str("the operating system has no root certificates; install or add some")
            }
            Self::NoRuntime => f.write_str("authorities are built inside of a Tokio runtime"),
        }
    }
}

/// Why a fetch of keys failed. The keys at hand remain in use.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FetchError {
    /// The connection failed, or was closed early.
    Connection(String),
    /// TLS failed, for example since the certificate is not acceptable.
    Tls(String),
    /// The time for the connection or for the whole fetch was over.
    Timeout,
    /// The response has another status than 200. Redirects are not followed.
    Status(u16),
    /// The response is longer than the limit, in bytes.
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The response is not text in UTF-8, or is encoded, for example compressed.
    Encoding,
    /// The connection by plain HTTP did not lead to the loopback interface.
    NotLoopback,
    /// The discovery document, or the key set, is refused.
    Document(claimgate::Error),
    /// The discovery document names a URL of keys that is not acceptable.
    JwksUri,
    /// The file cannot be read.
    File(std::io::ErrorKind),
}

impl std::error::Error for FetchError {}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(error) => write!(f, "no connection: {error}"),
            Self::Tls(error) => write!(f, "TLS: {error}"),
            Self::Timeout => f.write_str("the time was over"),
            Self::Status(status) => write!(f, "the response has status {status}"),
            Self::TooLarge { limit } => write!(f, "the response has more than {limit} bytes"),
            Self::Encoding => f.write_str("the response is not plain UTF-8"),
            Self::NotLoopback => f.write_str("plain HTTP beyond the loopback interface"),
            Self::Document(error) => error.fmt(f),
            Self::JwksUri => f.write_str("the jwks_uri of the discovery document is not usable"),
            Self::File(kind) => write!(f, "the file cannot be read: {kind}"),
        }
    }
}
