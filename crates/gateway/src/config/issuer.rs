//! An issuer of the configuration.

use std::path::Path;
use std::time::Duration;

use claimgate::error::ConfigError;
use claimgate::jwk::Algorithms;
use claimgate::policy::SubjectKind;
use claimgate::refresh::JwksRefresh;
use claimgate::{AccessTokenPolicy, Algorithm};
use claimgate_tower::{Authorities, Authority};

use super::file::{IssuerTable, OneOrMore, Profile, Subject};
use super::{Notes, keep_all, size};

/// The longest durations that make sense, in seconds.
const DAY: u64 = 86_400;
const MONTH: u64 = 31 * DAY;
const YEAR: u64 = 366 * DAY;

/// An issuer, and what its tokens have to be like.
pub(super) struct Issuer {
    pub(super) url: String,
    pub(super) authority: Authority,
    audiences: Option<&'static [&'static str]>,
    profile: Profile,
    authorized_parties: &'static [&'static str],
    subject: Option<SubjectKind>,
    leeway: Option<u64>,
    max_token_age: Option<u64>,
    max_lifetime: Option<u64>,
}

impl Issuer {
    /// Returns the policy for tokens of this issuer, with the audiences of a route if it names
    /// some.
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

/// Returns whether a URL has a user or a password.
pub(super) fn has_credentials(url: &str) -> bool {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    after_scheme.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
}

pub(super) fn read(table: IssuerTable, folder: &Path, notes: &mut Notes) -> Option<Issuer> {
    let before = notes.mistakes.len();
    let audiences = table.audiences.map(OneOrMore::into_vec);
    match (&audiences, table.without_audience) {
        (None, false) => notes.add("audiences: name the identifier of the API"),
        (Some(_), true) => notes.add("audiences, without_audience: only one can be right"),
        (None, true) if table.authorized_parties.is_none() => {
            notes.add("without_audience: it needs authorized_parties");
        }
        (None, true) if table.profile == Profile::Rfc9068 => {
            notes.add("without_audience: the profile rfc9068 requires an audience");
        }
        _ => {}
    }
    notes.not_empty("audiences", audiences.as_deref());
    notes.not_empty("authorized_parties", table.authorized_parties.as_deref());
    notes.not_empty("algorithms", table.algorithms.as_deref());
    let timeout = notes.number("timeout", table.timeout, 1..=30).unwrap_or(5);
    let mut refresh = match table.jwks_file {
        Some(_) => JwksRefresh::new().cool_down(1),
        None => JwksRefresh::new(),
    };
    match notes.number("cool_down", table.cool_down, 1..=DAY) {
        None => {}
        Some(seconds) if seconds < timeout => {
            notes.add("cool_down: it is shorter than the timeout of a fetch");
        }
        Some(seconds) => refresh = refresh.cool_down(seconds),
    }
    if let Some(seconds) = notes.number("jwks_max_age", table.jwks_max_age, 1..=MONTH) {
        refresh = refresh.max_age(seconds);
    }
    if let Some(seconds) = notes.number("jwks_max_stale", table.jwks_max_stale, 1..=MONTH) {
        refresh = refresh.max_stale(seconds);
        if table.jwks_max_age.unwrap_or(JwksRefresh::DEFAULT_MAX_AGE) > seconds {
            notes.add("jwks_max_stale: keys would not be trusted until they are fetched again");
        }
    }
    if let Some(seconds) = notes.number("max_back_off", table.max_back_off, 1..=DAY) {
        refresh = refresh.max_back_off(seconds);
    }
    let leeway = notes.number("leeway", table.leeway, 0..=600);
    let max_token_age = notes.number("max_token_age", table.max_token_age, 1..=YEAR);
    let max_lifetime = notes.number("max_lifetime", table.max_lifetime, 1..=YEAR);
    let response = size(notes.number("max_response", table.max_response, 1_024..=16 << 20));
    let requests = size(notes.number("max_waiting", table.max_waiting, 0..=65_536));
    let wait = notes.number("max_wait", table.max_wait, 1..=60);

    let urls = [("url", Some(&table.url)), ("discovery_url", table.discovery_url.as_ref())];
    for (field, url) in urls.into_iter().chain([("jwks_url", table.jwks_url.as_ref())]) {
        if url.is_some_and(|url| has_credentials(url)) {
            notes.add(format_args!("{field}: it contains a user or a password"));
        }
    }
    let url = table.url.clone();
    let authority = match (table.discovery_url, table.jwks_url, table.jwks_file) {
        (None, None, None) => Authority::discover(table.url),
        (Some(document), None, None) => Authority::discover_at(table.url, document),
        (None, Some(jwks), None) => Authority::jwks(table.url, jwks),
        (None, None, Some(file)) => Authority::jwks_file(table.url, folder.join(file)),
        _ => {
            notes.add("discovery_url, jwks_url, jwks_file: only one can be right");
            return None;
        }
    };
    let total = Duration::from_secs(timeout);
    let mut authority = authority.refresh(refresh).timeouts(total, total);
    if let Some(bytes) = response {
        authority = authority.max_response(bytes);
    }
    let wait = Duration::from_secs(wait.unwrap_or(10));
    authority = authority.waiting(requests.unwrap_or(1_024), wait);
    if table.danger_allow_loopback_http {
        authority = authority.danger_allow_loopback_http();
    }
    if let Some(names) = table.algorithms {
        authority = authority.algorithms(algorithms(&names, notes));
    }
    match table.forward_proxy.as_deref().map(host_and_port) {
        None => {}
        Some(Some((host, port))) => authority = authority.proxy(host, port),
        Some(None) => notes.add("forward_proxy: it has to be like proxy.example.com:3128"),
    }
    if let Some(path) = table.root_certificates {
        let pem = std::fs::read(folder.join(path));
        if let Some(pem) = notes.ok("root_certificates", pem) {
            authority = authority.root_certificates(pem);
        }
    }
    if notes.mistakes.len() > before {
        return None;
    }
    let issuer = Issuer {
        url,
        authority,
        audiences: audiences.map(keep_all),
        profile: table.profile,
        authorized_parties: table.authorized_parties.map_or(&[], keep_all),
        subject: table.subject.map(|subject| match subject {
            Subject::User => SubjectKind::User,
            Subject::Client => SubjectKind::Client,
        }),
        leeway,
        max_token_age,
        max_lifetime,
    };
    if let Err(error) = issuer.policy(None) {
        notes.add(error);
    }
    if let Err(error) = try_out(&issuer.authority) {
        notes.add(error);
    }
    (notes.mistakes.len() == before).then_some(issuer)
}

/// Returns the mistake of an authority, which fetches nothing: its runtime does not run.
fn try_out(authority: &Authority) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let result = {
        let _entered = runtime.enter();
        Authorities::builder([authority.clone()]).without_cache().build()
    };
    runtime.shutdown_background();
    Ok(result.map(drop)?)
}

fn algorithms(names: &[String], notes: &mut Notes) -> Algorithms {
    let mut found = Vec::new();
    for name in names {
        match Algorithm::ALL.into_iter().find(|algorithm| algorithm.name() == name) {
            Some(algorithm) => found.push(algorithm),
            None => notes.add(format_args!("algorithms: {name:?} is not one that is verified")),
        }
    }
    Algorithms::of(&found)
}

fn host_and_port(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let is_host = !host.is_empty() && !host.contains(['/', '@', ' ']);
    is_host.then_some((host, port.parse().ok()?))
}
