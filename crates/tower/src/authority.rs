//! The configuration of an authority: an issuer, and where its keys come from.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use claimgate::jwk::Algorithms;
use claimgate::{JwksRefresh, PublicKey, RingAnyKey};
use tokio::sync::watch;

use crate::discovery;
use crate::error::AuthorityError;
use crate::fetch::{self, FetchUrl, Fetcher, Limits, LoopbackHttp};
use crate::judge::{Identity, Judge, KeyJudge};
use crate::renewal::{Clock, Renewal, Waiting};
use crate::source::Source;

/// Where the keys come from, as it is configured.
#[derive(Clone, Debug)]
enum Location {
    Discovery,
    DiscoveryAt(String),
    Jwks(String),
    File(PathBuf),
    Fixed(Arc<str>),
}

/// An issuer of access tokens, and where its keys come from.
///
/// ```
/// use std::time::Duration;
///
/// use claimgate_tower::Authority;
///
/// // Keys are found by the discovery document of the issuer.
/// let auth0 = Authority::discover("https://my-domain.auth0.com/");
///
/// // Keys are fetched from this URL, and are used for RS256 alone.
/// let other = Authority::jwks("https://issuer.example", "https://issuer.example/keys")
///     .keys_of_type::<claimgate::RingKey>()
///     .timeouts(Duration::from_secs(2), Duration::from_secs(5));
/// ```
///
/// Keys are of the type [`RingAnyKey`] unless [`keys_of_type`](Self::keys_of_type) says
/// otherwise. Fetches go by HTTPS, with the root certificates of the operating system. They
/// have limits for the time of the connection (5 seconds), for all of it (10 seconds), and for
/// the size of a response (256 KiB). A redirect is a failure. Proxies that environment
/// variables name are not used; see [`proxy`](Self::proxy).
#[derive(Clone)]
pub struct Authority {
    identity: Identity,
    location: Location,
    build: BuildJudge,
    algorithms: Algorithms,
    refresh: JwksRefresh,
    limits: Limits,
    waiting: Waiting,
    proxy: Option<(String, u16)>,
    certificates: Vec<Vec<u8>>,
    loopback_http: LoopbackHttp,
}

/// Constructs an authority with one type of keys.
type BuildJudge = fn(Identity, Algorithms) -> Result<Arc<dyn Judge>, AuthorityError>;

impl Authority {
    /// An issuer whose keys are found by its discovery document, at
    /// `/.well-known/openid-configuration` below its URL
    /// ([OpenID Connect Discovery §4](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig)).
    ///
    /// The URL is written as the issuer's tokens write `iss`: Auth0's end with a slash. The
    /// document has to name the same issuer, byte for byte.
    #[must_use]
    pub fn discover(issuer: impl Into<String>) -> Self {
        Self::new(Identity::Url(issuer.into().into()), Location::Discovery)
    }

    /// Like [`discover`](Self::discover), with the document at another URL, such as
    /// `https://issuer.example/.well-known/oauth-authorization-server`
    /// ([RFC 8414 §3](https://www.rfc-editor.org/rfc/rfc8414#section-3)).
    #[must_use]
    pub fn discover_at(issuer: impl Into<String>, document: impl Into<String>) -> Self {
        Self::new(Identity::Url(issuer.into().into()), Location::DiscoveryAt(document.into()))
    }

    /// An issuer whose keys are fetched from a URL.
    #[must_use]
    pub fn jwks(issuer: impl Into<String>, jwks_url: impl Into<String>) -> Self {
        Self::new(Identity::Url(issuer.into().into()), Location::Jwks(jwks_url.into()))
    }

    /// An issuer whose keys are read from a file, which is read again soon after it has
    /// changed.
    #[must_use]
    pub fn jwks_file(issuer: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        // Reading a file that somebody has just replaced costs no one anything.
        let refresh = JwksRefresh::new().cool_down(1);
        let identity = Identity::Url(issuer.into().into());
        Self { refresh, ..Self::new(identity, Location::File(path.into())) }
    }

    /// An issuer whose keys are a part of the configuration, and never change.
    #[must_use]
    pub fn fixed(issuer: impl Into<String>, jwks: impl Into<String>) -> Self {
        let identity = Identity::Url(issuer.into().into());
        Self::new(identity, Location::Fixed(jwks.into().into()))
    }

    /// An issuer of many tenants, such as Microsoft Entra's, with the tenants that are allowed
    /// and the URL of its keys; see
    /// [`TenantIssuer`](claimgate::trust::TenantIssuer). The template contains `{tenantid}`
    /// once.
    #[must_use]
    pub fn tenants<T: Into<String>>(
        template: impl Into<String>,
        tenants: impl IntoIterator<Item = T>,
        jwks_url: impl Into<String>,
    ) -> Self {
        let tenants = tenants.into_iter().map(Into::into).collect();
        let identity = Identity::Tenants(template.into().into(), tenants);
        Self::new(identity, Location::Jwks(jwks_url.into()))
    }

    /// Like [`tenants`](Self::tenants), for any tenant: whoever can become a tenant of the
    /// issuer passes. The application has to check `tid` itself, and has to identify users by
    /// `tid` and `sub` together.
    #[must_use]
    pub fn danger_any_tenant(template: impl Into<String>, jwks_url: impl Into<String>) -> Self {
        let identity = Identity::AnyTenant(template.into().into());
        Self::new(identity, Location::Jwks(jwks_url.into()))
    }

    fn new(identity: Identity, location: Location) -> Self {
        Self {
            identity,
            location,
            build: KeyJudge::<RingAnyKey>::build,
            algorithms: Algorithms::ALL,
            refresh: JwksRefresh::new(),
            limits: Limits {
                connect: Duration::from_secs(5),
                total: Duration::from_secs(10),
                response: 256 * 1024,
            },
            waiting: Waiting { requests: 1_024, time: Duration::from_secs(10) },
            proxy: None,
            certificates: Vec::new(),
            loopback_http: LoopbackHttp::Refuse,
        }
    }

    /// Sets the type of the keys, which decides what algorithms there are and what code
    /// verifies signatures.
    #[must_use]
    pub fn keys_of_type<K: PublicKey + Send + Sync + 'static>(mut self) -> Self {
        self.build = KeyJudge::<K>::build;
        self
    }

    /// Uses keys of these algorithms alone, such as `PS256` and `ES256`.
    #[must_use]
    pub const fn algorithms(mut self, algorithms: Algorithms) -> Self {
        self.algorithms = algorithms;
        self
    }

    /// Sets when keys are refreshed, and how long they are trusted if they cannot be. Unless
    /// set, they are refreshed after an hour, and when a token names a key that is not among
    /// them, but at most once a minute; and they are trusted for a day.
    #[must_use]
    pub const fn refresh(mut self, refresh: JwksRefresh) -> Self {
        self.refresh = refresh;
        self
    }

    /// Sets the longest time for a connection with TLS, and the longest for all that finding
    /// and fetching keys takes.
    #[must_use]
    pub const fn timeouts(mut self, connection: Duration, total: Duration) -> Self {
        self.limits.connect = connection;
        self.limits.total = total;
        self
    }

    /// Sets the size of the longest response that is read, in bytes.
    #[must_use]
    pub const fn max_response(mut self, bytes: usize) -> Self {
        self.limits.response = bytes;
        self
    }

    /// Sets how many requests wait for a fetch at a time, and how long each. A request with a
    /// token whose key is unknown waits if a fetch is under way. Others are answered with
    /// status 503.
    #[must_use]
    pub const fn waiting(mut self, requests: usize, time: Duration) -> Self {
        self.waiting = Waiting { requests, time };
        self
    }

    /// Fetches by a proxy, which opens a connection by `CONNECT`. Certificates are verified
    /// as without it.
    #[must_use]
    pub fn proxy(mut self, host: impl Into<String>, port: u16) -> Self {
        self.proxy = Some((host.into(), port));
        self
    }

    /// Adds root certificates, in PEM, to those of the operating system.
    #[must_use]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.certificates.push(pem.into());
        self
    }

    /// Allows plain HTTP, without any protection, to hosts on the loopback interface: to
    /// `localhost`, `127.0.0.0/8` and `::1`. For tests, and for a proxy on the same host that
    /// speaks TLS to the issuer.
    #[must_use]
    pub const fn danger_allow_loopback_http(mut self) -> Self {
        self.loopback_http = LoopbackHttp::Allow;
        self
    }

    fn source(&self) -> Result<Source, AuthorityError> {
        let parse = |url: &str| FetchUrl::parse(url, self.loopback_http);
        let discovery = |url: &str| {
            Ok(Source::Discovery {
                issuer: Arc::clone(self.identity.url()),
                url: parse(url)?,
                loopback_http: self.loopback_http,
            })
        };
        match &self.location {
            Location::Discovery => discovery(&discovery::document_url(self.identity.url())?),
            Location::DiscoveryAt(url) => discovery(url),
            Location::Jwks(url) => Ok(Source::Url(parse(url)?)),
            Location::File(path) => Ok(Source::File(path.clone())),
            Location::Fixed(jwks) => Ok(Source::Fixed(Arc::clone(jwks))),
        }
    }

    pub(crate) fn build(
        self,
        clock: Clock,
        ended: watch::Sender<()>,
    ) -> Result<Renewal, AuthorityError> {
        let limit = |is_right: bool, name| match is_right {
            true => Ok(()),
            false => Err(AuthorityError::Limit(name)),
        };
        let longest = Duration::from_secs(60);
        let is_time = |time: Duration| !time.is_zero() && time <= longest;
        limit(is_time(self.limits.connect), "the time for a connection")?;
        limit(is_time(self.limits.total), "the time for a fetch")?;
        limit(is_time(self.waiting.time), "the time to wait")?;
        limit(self.limits.response > 0, "the size of a response")?;
        limit(self.waiting.requests <= 1 << 20, "the number of waiting requests")?;
        let source = self.source()?;
        let tls = match (&source, fetch::tls(&self.certificates)) {
            (_, Ok(tls)) => Some(tls),
            (Source::File(_) | Source::Fixed(_), Err(AuthorityError::NoRootCertificates)) => None,
            (
                Source::Url(url) | Source::Discovery { url, .. },
                Err(AuthorityError::NoRootCertificates),
            ) if !url.is_https() => None,
            (_, Err(error)) => return Err(error),
        };
        let issuer = Arc::clone(self.identity.url());
        let judge = (self.build)(self.identity, self.algorithms)?;
        let fetcher = Fetcher::new(self.limits, tls, self.proxy);
        let refresh = match source {
            Source::Fixed(_) => self.refresh.max_stale(u64::MAX),
            Source::Discovery { .. } | Source::Url(_) | Source::File(_) => self.refresh,
        };
        let waiting = self.waiting;
        let renewal =
            Renewal::new((issuer, judge), (source, fetcher), refresh, waiting, (clock, ended));
        renewal.load_fixed().map_err(AuthorityError::Keys)?;
        Ok(renewal)
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority")
            .field("issuer", self.identity.url())
            .field("keys", &self.location)
            .finish_non_exhaustive()
    }
}
