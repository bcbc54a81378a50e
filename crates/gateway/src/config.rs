//! The configuration: read from TOML, with all mistakes at once.

mod file;
mod issuer;
mod report;
mod route;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use claimgate::policy::DpopPolicy;
use claimgate_tower::replay::MemoryReplayStore;
use claimgate_tower::replay::redis::RedisReplayStore;
use claimgate_tower::{Authorities, Authority, Dpop};
use http::HeaderName;
use http::header::{AUTHORIZATION, COOKIE};

use self::file::{ClaimPath, ClaimTable, DpopTable, File};
use self::issuer::Issuer;
use crate::claims::{ClaimHeader, Source};
use crate::credentials::{Forwarding, TokenSource};
use crate::gate::{Counters, Decisions, Gate, Preflight};
use crate::routes::Routes;
use crate::server::Limits;

/// A checked configuration.
///
/// It lives as long as the process, and so do the texts that policies borrow.
#[derive(Debug)]
pub struct Settings {
    pub(crate) listen: SocketAddr,
    pub(crate) admin_listen: Option<SocketAddr>,
    pub(crate) limits: Limits,
    cache_bytes: Option<usize>,
    dpop: Option<DpopSettings>,
    authorities: Vec<Authority>,
    decisions: Decisions,
}

struct DpopSettings {
    origin: String,
    policy: DpopPolicy,
    redis: Option<String>,
}

/// The URL of Redis may contain a password.
impl fmt::Debug for DpopSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, policy, redis } = self;
        let mut debug = f.debug_struct("DpopSettings");
        debug.field("origin", origin).field("policy", policy).field("redis", &redis.is_some());
        debug.finish()
    }
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

    /// Returns the value, or notes why there is none.
    fn ok<T, E: fmt::Display>(&mut self, field: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(format_args!("{field}: {error}"))).ok()
    }

    /// Returns a number that has to be within a range.
    fn number(
        &mut self,
        field: &str,
        value: Option<u64>,
        range: RangeInclusive<u64>,
    ) -> Option<u64> {
        let value = value?;
        if !range.contains(&value) {
            let (least, most) = (range.start(), range.end());
            self.add(format_args!("{field}: it has to be {least} to {most}"));
            return None;
        }
        Some(value)
    }

    /// Notes a list without elements, which would mean all or none.
    fn not_empty(&mut self, field: &str, list: Option<&[String]>) {
        if list.is_some_and(<[String]>::is_empty) {
            self.add(format_args!("{field}: it is empty; leave it out, or name some"));
        }
    }
}

impl Settings {
    /// Reads a file. Relative paths in it start at the folder of the file.
    ///
    /// # Errors
    ///
    /// All mistakes in it.
    pub fn load(path: &Path) -> Result<Self, Mistakes> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Mistakes(vec![format!("cannot be read: {error}")]))?;
        Self::parse(&text, path.parent().unwrap_or(Path::new("")))
    }

    /// Reads a text. Relative paths in it start at the folder.
    ///
    /// # Errors
    ///
    /// All mistakes in it.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, Mistakes> {
        let file: File = toml::from_str(text).map_err(|error| syntax(text, &error))?;
        let mut notes = Notes::default();
        let listen = notes.ok("listen", file.listen.parse::<SocketAddr>());
        let admin_listen =
            file.admin_listen.and_then(|text| notes.ok("admin_listen", text.parse::<SocketAddr>()));
        if listen.is_some_and(|listen| listen.port() != 0 && admin_listen == Some(listen)) {
            notes.add("admin_listen: it is the address of listen; clients could read metrics");
        }
        if file.realm.is_empty() {
            notes.add("realm: it is empty; name what is protected");
        }
        let source = token_source(file.token_header, file.token_cookie, &mut notes);
        let threads = notes.number("threads", file.threads, 1..=256);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let seconds = |notes: &mut Notes, field, value, default| {
            let value = notes.number(field, value, 1..=600);
            Duration::from_secs(value.unwrap_or(default))
        };
        let limits = Limits {
            connections: size(notes.number("max_connections", file.max_connections, 1..=65_536))
                .unwrap_or(1_024),
            header: seconds(&mut notes, "header_timeout", file.header_timeout, 10),
            idle: seconds(&mut notes, "idle_timeout", file.idle_timeout, 90),
            threads: size(threads).unwrap_or(cores),
        };
        let cache_bytes = size(notes.number("cache_bytes", file.cache_bytes, 0..=1 << 40));
        let dpop = file.dpop.and_then(|table| dpop(table, &mut notes));
        if dpop.is_some() && source != TokenSource::Authorization {
            notes.add("dpop: it needs the token in the Authorization header field");
        }
        let headers = claim_headers(file.headers, &source, &mut notes);

        if file.issuer.is_empty() {
            notes.add("there is no [[issuer]]: no token would be accepted");
        }
        if file.route.is_empty() {
            notes.add("there is no [[route]]: every request would be refused");
        }
        let mut issuers: Vec<Issuer> = Vec::new();
        for (index, table) in file.issuer.into_iter().enumerate() {
            let number = index.saturating_add(1);
            let has_credentials = issuer::has_credentials(&table.url);
            let shown = if has_credentials { "…" } else { table.url.as_str() };
            notes.at(format!("issuer {number} ({shown})"));
            if issuers.iter().any(|other| other.url == table.url) {
                notes.add("url: there is another issuer of this URL");
            }
            issuers.extend(issuer::read(table, folder, &mut notes));
        }
        let mut routes = Routes::default();
        for (index, table) in file.route.into_iter().enumerate() {
            notes.at(format!("route {} ({})", index.saturating_add(1), table.path));
            route::read(table, &issuers, &mut routes, &mut notes);
        }
        let Some(listen) = listen.filter(|_| notes.mistakes.is_empty()) else {
            return Err(Mistakes(notes.mistakes));
        };
        let decisions = Decisions {
            proxy: file.proxy,
            realm: file.realm,
            source,
            forwarding: if file.pass_token { Forwarding::Pass } else { Forwarding::Strip },
            preflight: if file.cors_preflight { Preflight::Pass } else { Preflight::Refuse },
            headers,
            routes,
        };
        let authorities = issuers.into_iter().map(|issuer| issuer.authority).collect();
        Ok(Self { listen, admin_listen, limits, cache_bytes, dpop, authorities, decisions })
    }

    /// Returns the decision table: for each path, the methods and what they require.
    #[must_use]
    pub fn decision_table(&self) -> String {
        report::table(&self.decisions)
    }

    /// Returns what is allowed, and perhaps not intended.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        report::warnings(&self.decisions)
    }

    /// Puts the settings into use, and begins to fetch keys.
    pub(crate) fn into_gate(self) -> Result<Gate, Box<dyn std::error::Error + Send + Sync>> {
        let builder = Authorities::builder(self.authorities);
        let builder = match self.cache_bytes {
            None => builder,
            Some(0) => builder.without_cache(),
            Some(bytes) => builder.cache_bytes(bytes),
        };
        let dpop = match self.dpop {
            None => None,
            Some(DpopSettings { origin, policy, redis: None }) => {
                Some(Dpop::new(origin, MemoryReplayStore::new()).with_policy(policy))
            }
            Some(DpopSettings { origin, policy, redis: Some(url) }) => {
                Some(Dpop::new(origin, RedisReplayStore::connect(&url)?).with_policy(policy))
            }
        };
        Ok(Gate {
            settings: self.decisions,
            authorities: builder.build()?,
            dpop,
            counters: Counters::register(),
        })
    }
}

fn size(number: Option<u64>) -> Option<usize> {
    number.map(|number| usize::try_from(number).unwrap_or(usize::MAX))
}

/// Returns the mistake of a text that is not a configuration. The line itself is not shown:
/// it could contain a password.
fn syntax(text: &str, error: &toml::de::Error) -> Mistakes {
    let start = error.span().map(|span| span.start);
    let before = start.and_then(|start| text.get(..start));
    let message = error.message().trim_end();
    Mistakes(vec![match before {
        Some(before) => format!("line {}: {message}", before.matches('\n').count() + 1),
        None => message.to_owned(),
    }])
}

fn token_source(header: Option<String>, cookie: Option<String>, notes: &mut Notes) -> TokenSource {
    match (header, cookie) {
        (None, None) => {}
        (Some(_), Some(_)) => notes.add("token_header, token_cookie: only one can be right"),
        (Some(name), None) => match HeaderName::try_from(&name) {
            Ok(name) if name == AUTHORIZATION || name == COOKIE => {
                notes.add("token_header: leave it out, or use token_cookie");
            }
            Ok(name) => return TokenSource::Header(name),
            Err(_) => notes.add(format_args!("token_header: {name:?} is not a name of a field")),
        },
        (None, Some(name)) => {
            let is_name =
                |byte: u8| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte);
            if !name.is_empty() && name.bytes().all(is_name) {
                return TokenSource::Cookie(name);
            }
            notes.add(format_args!("token_cookie: {name:?} is not a name of a cookie"));
        }
    }
    TokenSource::Authorization
}

fn dpop(table: DpopTable, notes: &mut Notes) -> Option<DpopSettings> {
    let DpopTable { origin, max_age, redis } = table;
    let uri: Option<http::Uri> = origin.parse().ok();
    let is_origin = uri.is_some_and(|uri| {
        let is_web = matches!(uri.scheme_str(), Some("https" | "http"));
        is_web && uri.host().is_some() && uri.query().is_none() && !origin.contains(['@', '#'])
    });
    if !is_origin {
        notes.add("dpop.origin: it has to be like https://api.example.com");
    }
    let mut policy = DpopPolicy::new();
    if let Some(seconds) = notes.number("dpop.max_age", max_age, 1..=600) {
        policy = policy.max_age(seconds);
    }
    let is_redis = |url: &String| {
        ["redis://", "unix://", "redis+unix://"].iter().any(|scheme| url.starts_with(scheme))
    };
    if !redis.as_ref().is_none_or(is_redis) {
        notes.add("dpop.redis: it has to be like redis://127.0.0.1/");
    }
    let policy = notes.ok("dpop", policy.build())?;
    Some(DpopSettings { origin, policy, redis })
}

/// Header fields that a proxy or a client uses for something else.
const RESERVED: &[&str] = &[
    "authorization",
    "cache-control",
    "connection",
    "content-length",
    "cookie",
    "date",
    "dpop",
    "host",
    "keep-alive",
    "retry-after",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "www-authenticate",
    "x-envoy-auth-headers-to-remove",
];

fn claim_headers(
    table: Option<BTreeMap<String, ClaimTable>>,
    token_source: &TokenSource,
    notes: &mut Notes,
) -> Vec<ClaimHeader> {
    let Some(table) = table else { return ClaimHeader::defaults() };
    let mut headers: Vec<ClaimHeader> = Vec::new();
    for (name, claim) in table {
        let field = format!("headers.{name}");
        let Ok(name) = HeaderName::try_from(&name) else {
            notes.add(format_args!("{field}: it is not a name of a header field"));
            continue;
        };
        let is_token = *token_source == TokenSource::Header(name.clone());
        if RESERVED.contains(&name.as_str()) || is_token {
            notes.add(format_args!("{field}: this field is used for something else"));
        }
        if headers.iter().any(|other| other.name == name) {
            notes.add(format_args!("{field}: it is named twice, since case does not matter"));
        }
        let paths = match claim {
            ClaimTable::Path(path) => vec![claim_path(path)],
            ClaimTable::FirstOf(paths) => paths.first_of.into_iter().map(claim_path).collect(),
        };
        if paths.is_empty() || paths.iter().any(|path| path.is_empty() || path.len() > 4) {
            notes.add(format_args!("{field}: the path of a claim has one to four names"));
        }
        let names: Vec<&[String]> = paths.iter().map(Vec::as_slice).collect();
        let source = match names.as_slice() {
            [[name]] if name == "sub" => Source::Subject,
            [[name]] if name == "iss" => Source::Issuer,
            [[name]] if name == "scope" => Source::Scope,
            [[azp], [client]] if azp == "azp" && client == "client_id" => Source::Client,
            _ => Source::Claim(paths),
        };
        headers.push(ClaimHeader { name, source });
    }
    headers
}

fn claim_path(path: ClaimPath) -> Vec<String> {
    match path {
        ClaimPath::Name(name) => vec![name],
        ClaimPath::Names(names) => names,
    }
}

/// Keeps a text for as long as the process runs.
fn keep(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

fn keep_all(texts: Vec<String>) -> &'static [&'static str] {
    Box::leak(texts.into_iter().map(keep).collect())
}
