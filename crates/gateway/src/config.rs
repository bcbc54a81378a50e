//! The configuration: parsed from TOML, with all errors reported at once.

mod file;
mod headers;
mod issuer;
mod report;
mod route;

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

use self::file::{DpopTable, File};
use self::headers::{claim_headers, is_reserved};
use self::issuer::Issuer;
use crate::credentials::{Forwarding, TokenSource};
use crate::gate::{Counters, Decisions, Gate, Preflight};
use crate::routes::Routes;
use crate::server::Limits;

/// A valid configuration.
///
/// It is used until the process ends, so the strings that policies borrow are leaked.
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

/// Omits the URL of Redis, which may contain a password.
impl fmt::Debug for DpopSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, policy, redis } = self;
        let mut debug = f.debug_struct("DpopSettings");
        debug.field("origin", origin).field("policy", policy).field("redis", &redis.is_some());
        debug.finish()
    }
}

/// The errors in a configuration.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<String>);

impl std::error::Error for ConfigErrors {}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|error| writeln!(f, "- {error}"))
    }
}

/// A collector of errors, each with its location.
#[derive(Default)]
struct Errors {
    messages: Vec<String>,
    location: String,
}

impl Errors {
    /// Sets the location of the following errors.
    fn at(&mut self, location: String) {
        self.location = location;
    }

    fn add(&mut self, error: impl fmt::Display) {
        let Self { location, messages } = self;
        messages.push(match location.as_str() {
            "" => error.to_string(),
            location => format!("{location}: {error}"),
        });
    }

    /// Returns the value, or adds the error.
    fn ok<T, E: fmt::Display>(&mut self, field: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(format_args!("{field}: {error}"))).ok()
    }

    /// Returns a number, or adds an error if it is out of range.
    fn number(
        &mut self,
        field: &str,
        value: Option<u64>,
        range: RangeInclusive<u64>,
    ) -> Option<u64> {
        let value = value?;
        if !range.contains(&value) {
            let (least, most) = (range.start(), range.end());
            self.add(format_args!("{field}: expected {least} to {most}, found {value}"));
            return None;
        }
        Some(value)
    }

    /// Adds an error for an empty list, which could be read as all or none.
    fn not_empty(&mut self, field: &str, list: Option<&[String]>) {
        if list.is_some_and(<[String]>::is_empty) {
            self.add(format_args!(
                "{field}: the list is empty; add an element or remove the setting"
            ));
        }
    }
}

impl Settings {
    /// Reads and checks a configuration file. Relative paths in it are relative to its
    /// directory.
    ///
    /// # Errors
    ///
    /// All errors in the configuration.
    pub fn load(path: &Path) -> Result<Self, ConfigErrors> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigErrors(vec![format!("cannot read the file: {error}")]))?;
        Self::parse(&text, path.parent().unwrap_or(Path::new("")))
    }

    /// Parses and checks a configuration. Relative paths in it are relative to `folder`.
    ///
    /// # Errors
    ///
    /// All errors in the configuration.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, ConfigErrors> {
        let file: File = toml::from_str(text).map_err(|error| syntax(text, &error))?;
        let mut errors = Errors::default();
        let listen = errors.ok("listen", file.listen.parse::<SocketAddr>());
        let admin_listen = file
            .admin_listen
            .and_then(|text| errors.ok("admin_listen", text.parse::<SocketAddr>()));
        if listen.is_some_and(|listen| listen.port() != 0 && admin_listen == Some(listen)) {
            errors.add("admin_listen: must differ from listen");
        }
        if file.realm.is_empty() {
            errors.add("realm: must not be empty");
        }
        // Other characters would be replaced in challenges.
        let is_quotable = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
        if !file.realm.bytes().all(is_quotable) {
            errors.add("realm: expected visible ASCII and spaces, without \" and \\");
        }
        let source = token_source(file.token_header, file.token_cookie, &mut errors);
        let threads = errors.number("threads", file.threads, 1..=256);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let seconds = |errors: &mut Errors, field, value, default| {
            let value = errors.number(field, value, 1..=600);
            Duration::from_secs(value.unwrap_or(default))
        };
        let limits = Limits {
            connections: size(errors.number("max_connections", file.max_connections, 1..=65_536))
                .unwrap_or(1_024),
            header: seconds(&mut errors, "header_timeout", file.header_timeout, 10),
            idle: seconds(&mut errors, "idle_timeout", file.idle_timeout, 90),
            threads: size(threads).unwrap_or(cores),
        };
        let cache_bytes = size(errors.number("cache_bytes", file.cache_bytes, 0..=1 << 40));
        let dpop = file.dpop.and_then(|table| dpop(table, &mut errors));
        if dpop.is_some() && source != TokenSource::Authorization {
            errors.add("dpop: requires the token in the Authorization header field");
        }
        let headers = claim_headers(file.headers, &source, &mut errors);

        if file.issuer.is_empty() {
            errors.add("no [[issuer]] is configured: every token would be rejected");
        }
        if file.route.is_empty() {
            errors.add("no [[route]] is configured: every request would be refused");
        }
        // Requests that wait for keys occupy connections, and tokens with unknown keys need no
        // valid signature. A part is left to other requests, even if all issuers are slow.
        let issuers = file.issuer.len().max(1);
        let max_waiting = (limits.connections / issuers.saturating_mul(4))
            .max(usize::from(limits.connections > issuers));
        let mut issuers: Vec<Issuer> = Vec::new();
        for (index, table) in file.issuer.into_iter().enumerate() {
            let number = index.saturating_add(1);
            let has_credentials = issuer::has_credentials(&table.url);
            let shown = if has_credentials { "…" } else { table.url.as_str() };
            errors.at(format!("issuer {number} ({shown})"));
            if issuers.iter().any(|other| other.url == table.url) {
                errors.add("url: duplicate issuer");
            }
            issuers.extend(issuer::read(table, folder, max_waiting, &mut errors));
        }
        errors.at(String::new());
        let waiting = issuers.iter().map(|issuer| issuer.max_waiting);
        let waiting = waiting.fold(0, usize::saturating_add);
        if waiting >= limits.connections {
            let connections = limits.connections;
            errors.add(format_args!(
                "max_waiting: the sum of all issuers, {waiting}, is not less than \
                 max_connections, {connections}"
            ));
        }
        let mut routes = Routes::default();
        for (index, table) in file.route.into_iter().enumerate() {
            errors.at(format!("route {} ({})", index.saturating_add(1), table.path));
            route::read(table, &issuers, &mut routes, &mut errors);
        }
        let Some(listen) = listen.filter(|_| errors.messages.is_empty()) else {
            return Err(ConfigErrors(errors.messages));
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

    /// Returns the decision table: the access requirements of each path and method.
    #[must_use]
    pub fn decision_table(&self) -> String {
        report::table(&self.decisions)
    }

    /// Returns warnings about valid settings that may not be intended.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        report::warnings(&self.decisions)
    }

    /// Builds the gate, and starts fetching keys.
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

/// Returns the error for invalid TOML or an invalid setting. The message quotes neither the line
/// nor a string, which could contain a password, unless the string is like the name of a setting.
fn syntax(text: &str, error: &toml::de::Error) -> ConfigErrors {
    let start = error.span().map(|span| span.start);
    let before = start.and_then(|start| text.get(..start));
    let message = without_strings(error.message().trim_end());
    ConfigErrors(vec![match before {
        Some(before) => format!("line {}: {message}", before.matches('\n').count() + 1),
        None => message,
    }])
}

/// Replaces the string that a message quotes, and a name that is not like that of a setting.
fn without_strings(message: &str) -> String {
    // The syntax that the parser expects contains nothing of the file.
    if message.split(['"', '`']).next().is_some_and(|start| start.ends_with(", expected ")) {
        return message.to_owned();
    }
    if let Some((before, rest)) = message.split_once('"') {
        let after = rest.rsplit_once('"').map_or("", |(_, after)| after);
        return format!("{before}\"…\"{after}");
    }
    let Some((before, rest)) = message.split_once('`') else { return message.to_owned() };
    // The names that are expected follow.
    let end = rest.rfind("`, expected ").or_else(|| rest.rfind('`')).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let name = if name.bytes().all(is_name) { name } else { "…" };
    format!("{before}`{name}{after}")
}

fn token_source(
    header: Option<String>,
    cookie: Option<String>,
    errors: &mut Errors,
) -> TokenSource {
    match (header, cookie) {
        (None, None) => {}
        (Some(_), Some(_)) => errors.add("token_header, token_cookie: only one of them may be set"),
        (Some(name), None) => match HeaderName::try_from(&name) {
            Ok(name) if name == AUTHORIZATION || name == COOKIE => {
                errors.add(
                    "token_header: must not be Authorization (the default) or Cookie (use \
                     token_cookie)",
                );
            }
            Ok(name) if is_reserved(&name) => {
                errors.add("token_header: the header field is reserved");
            }
            Ok(name) => return TokenSource::Header(name),
            Err(_) => errors.add(format_args!("token_header: invalid header field name {name:?}")),
        },
        (None, Some(name)) => {
            let is_name =
                |byte: u8| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte);
            if !name.is_empty() && name.bytes().all(is_name) {
                return TokenSource::Cookie(name);
            }
            errors.add(format_args!("token_cookie: invalid cookie name {name:?}"));
        }
    }
    TokenSource::Authorization
}

fn dpop(table: DpopTable, errors: &mut Errors) -> Option<DpopSettings> {
    let DpopTable { origin, max_age, redis } = table;
    let uri: Option<http::Uri> = origin.parse().ok();
    let is_origin = uri.is_some_and(|uri| {
        let is_web = matches!(uri.scheme_str(), Some("https" | "http"));
        // An invalid port is part of the authority, but not a port.
        let has_host = uri.authority().is_some_and(|authority| {
            authority.port().is_some() || authority.host() == authority.as_str()
        });
        is_web && has_host && uri.query().is_none() && !origin.contains(['@', '#'])
    });
    if !is_origin {
        errors.add("dpop.origin: expected a URL such as https://api.example.com");
    }
    let mut policy = DpopPolicy::new();
    if let Some(seconds) = errors.number("dpop.max_age", max_age, 1..=600) {
        policy = policy.max_age(seconds);
    }
    let is_redis = |url: &String| {
        matches!(in_idle_runtime(|| RedisReplayStore::connect(url).map(drop)), Ok(Ok(())))
    };
    if !redis.as_ref().is_none_or(is_redis) {
        errors.add("dpop.redis: expected a URL such as redis://127.0.0.1/");
    }
    let policy = errors.ok("dpop", policy.build())?;
    Some(DpopSettings { origin, policy, redis })
}

/// Returns the result of a function that requires a runtime. Its tasks are never run.
fn in_idle_runtime<T>(build: impl FnOnce() -> T) -> std::io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let result = {
        let _entered = runtime.enter();
        build()
    };
    runtime.shutdown_background();
    Ok(result)
}

/// Leaks a string, so that policies can borrow it.
fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

fn leak_all(texts: Vec<String>) -> &'static [&'static str] {
    Box::leak(texts.into_iter().map(leak).collect())
}
