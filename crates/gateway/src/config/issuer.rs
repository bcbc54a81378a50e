//! The issuers of a configuration.

use std::path::Path;
use std::time::Duration;

use claimgate::error::ConfigError;
use claimgate::jwk::Algorithms;
use claimgate::policy::SubjectKind;
use claimgate::refresh::JwksRefresh;
use claimgate::{AccessTokenPolicy, Algorithm};
use claimgate_tower::{Authorities, Authority};

use super::file::{IssuerTable, OneOrMore, Profile, Subject};
use super::{Errors, in_idle_runtime, leak_all, size};

/// The maximums of settings, in seconds.
const DAY: u64 = 86_400;
const MONTH: u64 = 31 * DAY;
const YEAR: u64 = 366 * DAY;

/// An issuer, with the requirements for its tokens.
pub(super) struct Issuer {
    pub(super) url: String,
    pub(super) authority: Authority,
    pub(super) max_waiting: usize,
    audiences: Option<&'static [&'static str]>,
    profile: Profile,
    authorized_parties: &'static [&'static str],
    subject: Option<SubjectKind>,
    leeway: Option<u64>,
    max_token_age: Option<u64>,
    max_lifetime: Option<u64>,
}

impl Issuer {
    /// Returns the policy for tokens of this issuer. The audiences of a route, if any, replace
    /// those of the issuer.
    pub(super) fn policy(
        &self,
        audiences: Option<&'static [&'static str]>,
    ) -> Result<AccessTokenPolicy<'static>, ConfigError> {
        let audiences = audiences.or(self.audiences);
        let mut policy = match (audiences.and_then(<[_]>::split_first), self.profile) {
            (None, _) => AccessTokenPolicy::without_audience(self.authorized_parties),
            (Some((audience, others)), Profile::General) => {
                AccessTokenPolicy::general(audience).or_audiences(others)
            }
            (Some((audience, others)), Profile::Rfc9068) => {
                AccessTokenPolicy::rfc9068(audience).or_audiences(others)
            }
        };
        if !self.authorized_parties.is_empty() {
            policy = policy.authorized_parties(self.authorized_parties);
        }
        if let Some(kind) = self.subject {
            policy = policy.require_subject(kind);
        }
        if let Some(seconds) = self.leeway {
            policy = policy.leeway(seconds);
        }
        if let Some(seconds) = self.max_token_age {
            policy = policy.max_token_age(seconds);
        }
        if let Some(seconds) = self.max_lifetime {
            policy = policy.max_lifetime(seconds);
        }
        policy.build()
    }
}

/// Returns whether a URL contains a user name or a password.
pub(super) fn has_credentials(url: &str) -> bool {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    after_scheme.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
}

/// Reads the settings of an issuer. `max_waiting` is the default number of requests that may wait
/// for a fetch.
pub(super) fn read(
    table: IssuerTable,
    folder: &Path,
    max_waiting: usize,
    errors: &mut Errors,
) -> Option<Issuer> {
    let before = errors.messages.len();
    let audiences = table.audiences.map(OneOrMore::into_vec);
    match (&audiences, table.without_audience) {
        (None, false) => errors.add("audiences: missing; set the identifier of the API in aud"),
        (Some(_), true) => errors.add("audiences, without_audience: only one of them may be set"),
        (None, true) if table.authorized_parties.is_none() => {
            errors.add("without_audience: requires authorized_parties");
        }
        (None, true) if table.profile == Profile::Rfc9068 => {
            errors.add("without_audience: the profile rfc9068 requires an audience");
        }
        _ => {}
    }
    errors.not_empty("audiences", audiences.as_deref());
    errors.not_empty("authorized_parties", table.authorized_parties.as_deref());
    errors.not_empty("algorithms", table.algorithms.as_deref());
    let timeout = errors.number("timeout", table.timeout, 1..=30).unwrap_or(5);
    let mut refresh = match table.jwks_file {
        Some(_) => JwksRefresh::new().cool_down(1),
        None => JwksRefresh::new(),
    };
    match errors.number("cool_down", table.cool_down, 1..=DAY) {
        None => {}
        Some(seconds) if seconds < timeout => {
            errors.add(format_args!("cool_down: {seconds} is less than timeout, {timeout}"));
        }
        Some(seconds) => refresh = refresh.cool_down(seconds),
    }
    let max_age = errors.number("jwks_max_age", table.jwks_max_age, 1..=MONTH);
    let max_stale = errors.number("jwks_max_stale", table.jwks_max_stale, 1..=MONTH);
    let max_age = max_age.unwrap_or(JwksRefresh::DEFAULT_MAX_AGE);
    let max_stale = max_stale.unwrap_or(JwksRefresh::DEFAULT_MAX_STALE);
    if max_age > max_stale {
        errors
            .add(format_args!("jwks_max_stale: {max_stale} is less than jwks_max_age, {max_age}"));
    }
    refresh = refresh.max_age(max_age).max_stale(max_stale);
    if let Some(seconds) = errors.number("max_back_off", table.max_back_off, 1..=DAY) {
        refresh = refresh.max_back_off(seconds);
    }
    let leeway = errors.number("leeway", table.leeway, 0..=600);
    let max_token_age = errors.number("max_token_age", table.max_token_age, 1..=YEAR);
    let max_lifetime = errors.number("max_lifetime", table.max_lifetime, 1..=YEAR);
    let response = size(errors.number("max_response", table.max_response, 1_024..=16 << 20));
    let requests = size(errors.number("max_waiting", table.max_waiting, 0..=65_535));
    let requests = requests.unwrap_or(max_waiting);
    let wait = errors.number("max_wait", table.max_wait, 1..=60);

    let urls = [("url", Some(&table.url)), ("discovery_url", table.discovery_url.as_ref())];
    for (field, url) in urls.into_iter().chain([("jwks_url", table.jwks_url.as_ref())]) {
        if url.is_some_and(|url| has_credentials(url)) {
            errors.add(format_args!("{field}: must not contain a user name or a password"));
        }
    }
    let url = table.url.clone();
    let authority = match (table.discovery_url, table.jwks_url, table.jwks_file) {
        (None, None, None) => Authority::discover(table.url),
        (Some(document), None, None) => Authority::discover_at(table.url, document),
        (None, Some(jwks), None) => Authority::jwks(table.url, jwks),
        (None, None, Some(file)) => Authority::jwks_file(table.url, folder.join(file)),
        _ => {
            errors.add("discovery_url, jwks_url, jwks_file: only one of them may be set");
            return None;
        }
    };
    let total = Duration::from_secs(timeout);
    let mut authority = authority.refresh(refresh).timeouts(total, total);
    if let Some(bytes) = response {
        authority = authority.max_response(bytes);
    }
    let wait = Duration::from_secs(wait.unwrap_or(10));
    authority = authority.waiting(requests, wait);
    if table.danger_allow_loopback_http {
        authority = authority.danger_allow_loopback_http();
    }
    if let Some(names) = table.algorithms {
        authority = authority.algorithms(algorithms(&names, errors));
    }
    match table.forward_proxy.as_deref().map(host_and_port) {
        None => {}
        Some(Some((host, port))) => authority = authority.proxy(host, port),
        Some(None) => {
            errors.add("forward_proxy: expected a host and port such as proxy.example.com:3128");
        }
    }
    if let Some(path) = table.root_certificates {
        let pem = std::fs::read(folder.join(path));
        if let Some(pem) = errors.ok("root_certificates", pem) {
            authority = authority.root_certificates(pem);
        }
    }
    if errors.messages.len() > before {
        return None;
    }
    let issuer = Issuer {
        url,
        authority,
        max_waiting: requests,
        audiences: audiences.map(leak_all),
        profile: table.profile,
        authorized_parties: table.authorized_parties.map_or(&[], leak_all),
        subject: table.subject.map(|subject| match subject {
            Subject::User => SubjectKind::User,
            Subject::Client => SubjectKind::Client,
        }),
        leeway,
        max_token_age,
        max_lifetime,
    };
    if let Err(error) = issuer.policy(None) {
        errors.add(error);
    }
    if let Err(error) = check_authority(&issuer.authority) {
        errors.add(error);
    }
    (errors.messages.len() == before).then_some(issuer)
}

/// Checks the settings of an authority. Nothing is fetched.
fn check_authority(authority: &Authority) -> Result<(), Box<dyn std::error::Error>> {
    let build = || Authorities::builder([authority.clone()]).without_cache().build();
    Ok(in_idle_runtime(build)?.map(drop)?)
}

fn algorithms(names: &[String], errors: &mut Errors) -> Algorithms {
    let mut found = Vec::new();
    for name in names {
        match Algorithm::ALL.into_iter().find(|algorithm| algorithm.name() == name) {
            Some(algorithm) => found.push(algorithm),
            None => errors.add(format_args!("algorithms: unsupported algorithm {name:?}")),
        }
    }
    Algorithms::of(&found)
}

fn host_and_port(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let is_host = !host.is_empty() && !host.contains(['/', '@', ' ']);
    is_host.then_some((host, port.parse().ok()?))
}
