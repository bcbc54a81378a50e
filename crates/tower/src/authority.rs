//! The configuration of an authority: an issuer and the source of its keys.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use claimgate::jwk::Algorithms;
use claimgate::refresh::JwksRefresh;
use claimgate::{PublicKey, RingAnyKey};
use tokio::sync::watch;

use crate::discovery;
use crate::error::AuthorityError;
use crate::fetch::{self, FetchUrl, Fetcher, Limits, LoopbackHttp};
use crate::judge::{Identity, Judge, KeyJudge};
use crate::renewal::{Clock, Renewal, Waiting};
use crate::source::Source;

/// The configured source of the keys.
#[derive(Clone, Debug)]
enum Location {
    Discovery,
    DiscoveryAt(String),
    Jwks(String),
    File(PathBuf),
    Fixed(Arc<str>),
}

/// An issuer of access tokens and the source of its keys.
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
/// Keys have the type [`RingAnyKey`], unless set with [`keys_of_type`](Self::keys_of_type).
/// They are fetched by HTTPS, with the root certificates of the operating system. The default
/// limits of a fetch are 5 seconds for the connection, 10 seconds in total, and 256 KiB for
/// the response. A redirect is an error. Proxies in environment variables are ignored, see
/// [`proxy`](Self::proxy).
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
    /// Constructs an authority that finds its keys with the issuer's discovery document, at
    /// `/.well-known/openid-configuration` below its URL
    /// ([OpenID Connect Discovery §4](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig)).
    ///
    /// The URL must be written exactly as in the `iss` of the issuer's tokens: Auth0's end
    /// with a slash. The document must name the same issuer, byte for byte.
    #[must_use]
    pub fn discover(issuer: impl Into<String>) -> Self {
        Self::new(Identity::Url(issuer.into().into()), Location::Discovery)
    }

    /// Like [`discover`](Self::discover), but with the document at another URL, such as
    /// `https://issuer.example/.well-known/oauth-authorization-server`
    /// ([RFC 8414 §3](https://www.rfc-editor.org/rfc/rfc8414#section-3)).
    #[must_use]
    pub fn discover_at(issuer: impl Into<String>, document: impl Into<String>) -> Self {
        Self::new(Identity::Url(issuer.into().into()), Location::DiscoveryAt(document.into()))
    }

    /// Constructs an authority that fetches its keys from a URL.
    #[must_use]
    pub fn jwks(issuer: impl Into<String>, jwks_url: impl Into<String>) -> Self {
        Self::new(Identity::Url(issuer.into().into()), Location::Jwks(jwks_url.into()))
    }

    /// Constructs an authority that reads its keys from a file. Changes of the file are
    /// detected.
    #[must_use]
    pub fn jwks_file(issuer: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        // Reading a file again is cheap.
        let refresh = JwksRefresh::new().cool_down(1);
        let identity = Identity::Url(issuer.into().into());
        Self { refresh, ..Self::new(identity, Location::File(path.into())) }
    }

    /// Constructs an authority with keys from the configuration, which never change.
    #[must_use]
    pub fn fixed(issuer: impl Into<String>, jwks: impl Into<String>) -> Self {
        let identity = Identity::Url(issuer.into().into());
        Self::new(identity, Location::Fixed(jwks.into().into()))
    }

    /// Constructs a multi-tenant authority, such as Microsoft Entra, with the allowed tenants
    /// and the URL of its keys; see [`TenantIssuer`](claimgate::trust::TenantIssuer). The
    /// template contains `{tenantid}` once.
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

    /// Like [`tenants`](Self::tenants), but for any tenant: anyone who can become a tenant of
    /// the issuer is accepted. The application must check `tid` itself, and must identify
    /// users by `tid` and `sub` together.
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

    /// Sets the type of the keys, which determines the algorithms and the code that verifies
    /// signatures.
    #[must_use]
    pub fn keys_of_type<K: PublicKey + Send + Sync + 'static>(mut self) -> Self {
        self.build = KeyJudge::<K>::build;
        self
    }

    /// Accepts only keys for these algorithms, such as `PS256` and `ES256`.
    #[must_use]
    pub const fn algorithms(mut self, algorithms: Algorithms) -> Self {
        self.algorithms = algorithms;
        self
    }

    /// Sets when keys are refreshed, and how long they are trusted if that fails. By default,
    /// they are refreshed after an hour, and after a token with an unknown key but at most
    /// once a minute; they are trusted for a day.
    #[must_use]
    pub const fn refresh(mut self, refresh: JwksRefresh) -> Self {
        self.refresh = refresh;
        self
    }

    /// Sets the timeout of a connection including TLS, and of a whole fetch including
    /// discovery.
    #[must_use]
    pub const fn timeouts(mut self, connection: Duration, total: Duration) -> Self {
        self.limits.connect = connection;
        self.limits.total = total;
        self
    }

    /// Sets the maximum length of a response, in bytes.
    #[must_use]
    pub const fn max_response(mut self, bytes: usize) -> Self {
        self.limits.response = bytes;
        self
    }

    /// Sets the maximum number of requests that wait for a fetch, and the time each of them
    /// waits. A request whose token has an unknown key waits if a fetch is in progress.
    /// Further requests receive status 503.
    #[must_use]
    pub const fn waiting(mut self, requests: usize, time: Duration) -> Self {
        self.waiting = Waiting { requests, time };
        self
    }

    /// Sets a proxy, which must support `CONNECT`. The issuer's certificate is verified as
    /// without a proxy.
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

    /// Allows plain HTTP, without any protection, to hosts on the loopback interface:
    /// `localhost`, `127.0.0.0/8` and `::1`. It is intended for tests, and for a TLS proxy on
    /// the same host.
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
