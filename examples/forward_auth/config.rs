//! The configuration: read from TOML, and every mistake in it told at once.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use claimgate::{AccessTokenPolicy, ConfigError, JwksRefresh, ScopePolicy};
use serde::Deserialize;

use crate::routes::{Route, Segments};

/// The longest time that a fetch of a key set may be given, in seconds.
const MAX_TIMEOUT: u64 = 30;

/// What the service does, checked.
///
/// It lives as long as the process, and so do the texts that policies borrow.
pub struct Settings {
    pub listen: SocketAddr,
    pub gateway: Gateway,
    pub realm: &'static str,
    pub issuers: Vec<IssuerSettings>,
    pub routes: Vec<Route>,
}

/// Which gateway asks, and so where the original request is told.
///
/// Only one place is looked at: a header that the gateway does not set itself
/// can be the client's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Gateway {
    /// `X-Original-Method` and `X-Original-URI`, which the configuration of
    /// `auth_request` has to set. `auth_request` knows only 401 and 403.
    Nginx,
    /// `X-Forwarded-Method` and `X-Forwarded-Uri`, which `ForwardAuth` sets.
    Traefik,
    /// The request's own method, and its path below `/check`: the `path_prefix`
    /// of `ext_authz`.
    Envoy,
}

#[derive(Debug)]
pub struct IssuerSettings {
    pub url: &'static str,
    pub policy: AccessTokenPolicy<'static>,
    pub keys: KeySource,
    pub refresh: JwksRefresh,
    pub timeout: Duration,
}

/// Where an issuer's key set comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    Url(String),
    File(PathBuf),
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => f.write_str(url),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: String,
    gateway: Gateway,
    realm: String,
    #[serde(default)]
    issuer: Vec<IssuerTable>,
    #[serde(default)]
    route: Vec<RouteTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IssuerTable {
    url: String,
    jwks_url: Option<String>,
    jwks_file: Option<PathBuf>,
    #[serde(default)]
    danger_allow_http: bool,
    audience: String,
    #[serde(default)]
    profile: Profile,
    #[serde(default)]
    authorized_parties: Vec<String>,
    leeway: Option<u64>,
    max_token_age: Option<u64>,
    jwks_max_age: Option<u64>,
    cool_down: Option<u64>,
    max_back_off: Option<u64>,
    timeout: Option<u64>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Profile {
    #[default]
    Auth0,
    Rfc9068,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RouteTable {
    path: String,
    #[serde(default)]
    methods: Vec<String>,
    scopes_all: Option<Vec<String>>,
    scopes_any: Option<Vec<String>>,
    permissions_all: Option<Vec<String>>,
    permissions_any: Option<Vec<String>>,
    #[serde(default)]
    valid_token_suffices: bool,
}

/// Everything that is wrong with a configuration.
#[derive(Debug, PartialEq, Eq)]
pub struct Mistakes(pub Vec<String>);

impl std::error::Error for Mistakes {}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|mistake| writeln!(f, "- {mistake}"))
    }
}

/// Collects mistakes, each with its place.
#[derive(Default)]
struct Notes {
    mistakes: Vec<String>,
    place: String,
}

impl Notes {
    fn at(&mut self, place: String) {
        self.place = place;
    }

    fn add(&mut self, what: impl fmt::Display) {
        let Self { place, mistakes } = self;
        mistakes.push(if place.is_empty() { what.to_string() } else { format!("{place}: {what}") });
    }

    /// The value, or a note of why there is none.
    fn take<T, E: fmt::Display>(&mut self, field: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(format_args!("{field}: {error}"))).ok()
    }
}

impl Settings {
    /// Reads a file. Relative paths in it start at the file's folder.
    pub fn load(path: &Path) -> Result<Self, Mistakes> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Mistakes(vec![format!("cannot be read: {error}")]))?;
        Self::parse(&text, path.parent().unwrap_or(Path::new("")))
    }

    pub fn parse(text: &str, folder: &Path) -> Result<Self, Mistakes> {
        let file: File = toml::from_str(text)
            .map_err(|error| Mistakes(vec![error.to_string().trim_end().to_owned()]))?;
        let mut notes = Notes::default();
        let listen = notes.take("listen", file.listen.parse::<SocketAddr>());
        if file.realm.is_empty() {
            notes.add("realm: it is empty; name what is protected");
        }
        if file.issuer.is_empty() {
            notes.add("there is no [[issuer]]: nobody's tokens would be trusted");
        }
        if file.route.is_empty() {
            notes.add("there is no [[route]]: every request would be refused");
        }
        let mut issuers: Vec<IssuerSettings> = Vec::new();
        for (index, table) in file.issuer.into_iter().enumerate() {
            notes.at(format!("issuer {} ({})", index + 1, table.url));
            if issuers.iter().any(|other| other.url == table.url) {
                notes.add("url: there is another issuer of this URL");
            }
            issuers.extend(issuer(table, folder, &mut notes));
        }
        let mut routes: Vec<Route> = Vec::new();
        for (index, table) in file.route.into_iter().enumerate() {
            notes.at(format!("route {} ({})", index + 1, table.path));
            let Some(route) = route(table, &mut notes) else { continue };
            if let Some(earlier) = routes.iter().position(|earlier| earlier.covers(&route)) {
                notes.add(format_args!(
                    "it is never reached: route {} above takes all its requests",
                    earlier + 1
                ));
            }
            routes.push(route);
        }
        match listen {
            Some(listen) if notes.mistakes.is_empty() => {
                let realm = keep(file.realm);
                Ok(Self { listen, gateway: file.gateway, realm, issuers, routes })
            }
            _ => Err(Mistakes(notes.mistakes)),
        }
    }
}

fn issuer(table: IssuerTable, folder: &Path, notes: &mut Notes) -> Option<IssuerSettings> {
    let keys = match (table.jwks_url, table.jwks_file) {
        (Some(url), None) => match check_url(&url, table.danger_allow_http) {
            Ok(()) => Some(KeySource::Url(url)),
            Err(what) => {
                notes.add(format_args!("jwks_url: {what}"));
                None
            }
        },
        (None, Some(path)) => Some(KeySource::File(folder.join(path))),
        (None, None) => {
            notes.add("it has no jwks_url, from which to fetch its keys (nor a jwks_file)");
            None
        }
        (Some(_), Some(_)) => {
            notes.add("it has both jwks_url and jwks_file: only one can be right");
            None
        }
    };
    let timeout = table.timeout.unwrap_or(5);
    if !(1..=MAX_TIMEOUT).contains(&timeout) {
        notes.add(format_args!("timeout: it has to be 1 to {MAX_TIMEOUT} seconds"));
    }
    let cool_down = table.cool_down.unwrap_or(JwksRefresh::DEFAULT_COOL_DOWN);
    if cool_down == 0 {
        notes.add("cool_down: without one, any client decides how often the issuer is asked");
    } else if cool_down < timeout {
        notes.add("cool_down: it is shorter than the timeout of a fetch");
    }
    let refresh = JwksRefresh::new()
        .max_age(table.jwks_max_age.unwrap_or(JwksRefresh::DEFAULT_MAX_AGE))
        .cool_down(cool_down)
        .max_back_off(table.max_back_off.unwrap_or(JwksRefresh::DEFAULT_MAX_BACK_OFF));

    let url = keep(table.url);
    if url.is_empty() {
        notes.add("url: it is empty");
    }
    let audience = keep(table.audience);
    let mut policy = match table.profile {
        Profile::Auth0 => AccessTokenPolicy::auth0(audience),
        Profile::Rfc9068 => AccessTokenPolicy::rfc9068(audience),
    };
    if !table.authorized_parties.is_empty() {
        policy = policy.authorized_parties(keep_all(table.authorized_parties));
    }
    if let Some(seconds) = table.leeway {
        policy = policy.leeway(seconds);
    }
    if let Some(seconds) = table.max_token_age {
        policy = policy.max_token_age(seconds);
    }
    let policy = policy.build().map_err(|error| notes.add(error)).ok()?;
    Some(IssuerSettings {
        url,
        policy,
        keys: keys?,
        refresh,
        timeout: Duration::from_secs(timeout),
    })
}

fn route(table: RouteTable, notes: &mut Notes) -> Option<Route> {
    let path = match Segments::parse(&table.path) {
        Ok(path) if !table.path.contains('?') => Some(path),
        Ok(_) => {
            notes.add("path: it has a query");
            None
        }
        Err(error) => {
            notes.add(format_args!("path: {error}"));
            None
        }
    };
    for method in &table.methods {
        if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
            notes.add(format_args!("methods: {method:?} is no method, such as \"GET\""));
        }
    }
    let mut needed = |field: &str, list: Option<Vec<String>>, build: Build| {
        let list = keep_all(list?);
        notes.take(field, build(list))
    };
    let scopes = [
        needed("scopes_all", table.scopes_all, ScopePolicy::all_of),
        needed("scopes_any", table.scopes_any, ScopePolicy::any_of),
    ];
    let permissions = [
        needed("permissions_all", table.permissions_all, ScopePolicy::all_of),
        needed("permissions_any", table.permissions_any, ScopePolicy::any_of),
    ];
    let names_none = scopes.iter().chain(&permissions).all(Option::is_none);
    if names_none && !table.valid_token_suffices {
        notes.add("it requires no scope: name some, or say valid_token_suffices = true");
    } else if !names_none && table.valid_token_suffices {
        notes.add("valid_token_suffices: and yet it requires scopes or permissions");
    }
    Some(Route {
        path: path?,
        methods: table.methods,
        scopes: scopes.into_iter().flatten().collect(),
        permissions: permissions.into_iter().flatten().collect(),
    })
}

type Build = fn(&'static [&'static str]) -> Result<ScopePolicy<'static>, ConfigError>;

/// Plain HTTP lets anybody on the way put in keys of his own.
fn check_url(url: &str, danger_allow_http: bool) -> Result<(), &'static str> {
    let uri: axum::http::Uri = url.parse().map_err(|_| "it is not a URL")?;
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    if host.is_empty() {
        return Err("it has no host");
    }
    let is_loopback = host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if is_loopback || danger_allow_http => Ok(()),
        Some("http") => Err("keys over plain HTTP can be anybody's: use https, or say \
                             danger_allow_http = true"),
        _ => Err("it has to begin with https://"),
    }
}

/// Keeps a text for as long as the process runs.
fn keep(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

fn keep_all(texts: Vec<String>) -> &'static [&'static str] {
    Box::leak(texts.into_iter().map(keep).collect())
}
