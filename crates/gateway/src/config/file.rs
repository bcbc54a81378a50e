//! The types that the TOML of a configuration is deserialized to.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::original::Proxy;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) listen: String,
    pub(super) admin_listen: Option<String>,
    pub(super) proxy: Proxy,
    pub(super) realm: String,
    pub(super) token_header: Option<String>,
    pub(super) token_cookie: Option<String>,
    #[serde(default)]
    pub(super) pass_token: bool,
    #[serde(default)]
    pub(super) cors_preflight: bool,
    pub(super) max_connections: Option<u64>,
    pub(super) header_timeout: Option<u64>,
    pub(super) idle_timeout: Option<u64>,
    pub(super) threads: Option<u64>,
    pub(super) cache_bytes: Option<u64>,
    pub(super) headers: Option<BTreeMap<String, ClaimTable>>,
    pub(super) dpop: Option<DpopTable>,
    #[serde(default)]
    pub(super) issuer: Vec<IssuerTable>,
    #[serde(default)]
    pub(super) route: Vec<RouteTable>,
}

/// The claim of a header field: its name, its path, or the first of several claims.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a name, a list of names from the outermost object inwards, or { first_of = [...] }"
)]
pub(super) enum ClaimTable {
    Path(ClaimPath),
    FirstOf(FirstOf),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FirstOf {
    pub(super) first_of: Vec<ClaimPath>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a name, or a list of names from the outermost object inwards")]
pub(super) enum ClaimPath {
    Name(String),
    Names(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DpopTable {
    pub(super) origin: String,
    pub(super) max_age: Option<u64>,
    /// May contain a password, so it is not logged.
    pub(super) redis: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IssuerTable {
    pub(super) url: String,
    pub(super) discovery_url: Option<String>,
    pub(super) jwks_url: Option<String>,
    pub(super) jwks_file: Option<PathBuf>,
    #[serde(default)]
    pub(super) danger_allow_loopback_http: bool,
    pub(super) audiences: Option<OneOrMore>,
    #[serde(default)]
    pub(super) without_audience: bool,
    #[serde(default)]
    pub(super) profile: Profile,
    pub(super) authorized_parties: Option<Vec<String>>,
    pub(super) subject: Option<Subject>,
    pub(super) algorithms: Option<Vec<String>>,
    pub(super) leeway: Option<u64>,
    pub(super) max_token_age: Option<u64>,
    pub(super) max_lifetime: Option<u64>,
    pub(super) jwks_max_age: Option<u64>,
    pub(super) jwks_max_stale: Option<u64>,
    pub(super) cool_down: Option<u64>,
    pub(super) max_back_off: Option<u64>,
    pub(super) timeout: Option<u64>,
    pub(super) max_response: Option<u64>,
    pub(super) max_waiting: Option<u64>,
    pub(super) max_wait: Option<u64>,
    pub(super) forward_proxy: Option<String>,
    pub(super) root_certificates: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a string or a list of strings")]
pub(super) enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    pub(super) fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::More(more) => more,
        }
    }
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Profile {
    #[default]
    General,
    Rfc9068,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Subject {
    User,
    Client,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RouteTable {
    pub(super) path: String,
    pub(super) methods: Option<Vec<String>>,
    #[serde(default)]
    pub(super) token: Token,
    pub(super) issuers: Option<OneOrMore>,
    pub(super) audiences: Option<OneOrMore>,
    pub(super) scopes_all: Option<Vec<String>>,
    pub(super) scopes_any: Option<Vec<String>>,
    pub(super) permissions_all: Option<Vec<String>>,
    pub(super) permissions_any: Option<Vec<String>>,
    pub(super) claims: Option<Vec<RuleTable>>,
    #[serde(default)]
    pub(super) valid_token_suffices: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Token {
    #[default]
    Required,
    Optional,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleTable {
    pub(super) claim: ClaimPath,
    pub(super) equals: Option<Scalar>,
    pub(super) one_of: Option<Vec<String>>,
    pub(super) contains: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a string, an integer or a boolean")]
pub(super) enum Scalar {
    Text(String),
    Integer(i64),
    Boolean(bool),
}
