//! A route of the configuration.

use claimgate::ScopePolicy;
use claimgate::error::ConfigError;
use claimgate::policy::ClaimRule;

use super::file::{OneOrMore, RouteTable, RuleTable, Scalar, Token};
use super::issuer::Issuer;
use super::{Notes, claim_path, keep, keep_all};
use crate::path::RequestPath;
use crate::routes::{Needs, Presence, Route, Routes};

/// The methods of RFC 9110 and RFC 5789, for a hint about their case.
const METHODS: &[&str] =
    &["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/// The characters that patterns of other programs have in paths.
const PATTERN: &[char] = &['*', '{', '}', '<', '>', '[', ']', '(', ')', '|', '^', '$', '?'];

pub(super) fn read(table: RouteTable, issuers: &[Issuer], routes: &mut Routes, notes: &mut Notes) {
    let before = notes.mistakes.len();
    let is_pattern = |segment: &str| segment.contains(PATTERN) || segment.starts_with(':');
    let path = if table.path.split('/').any(is_pattern) {
        notes.add(
            "path: it is compared as it is, without patterns and queries, and contains all paths \
             below it",
        );
        None
    } else {
        notes.ok("path", RequestPath::parse(&table.path))
    };
    notes.not_empty("methods", table.methods.as_deref());
    let methods = table.methods.unwrap_or_default();
    check_methods(&methods, notes);
    let mut description = describe(table.token, &table.scopes_all, &table.scopes_any);
    let mut describe = |what: &str, list: &Option<Vec<String>>| {
        if let Some(list) = list {
            description.push(format!("{what} {}", list.join(" ")));
        }
    };
    describe("all permissions of", &table.permissions_all);
    describe("any permission of", &table.permissions_any);
    let issuer_urls = table.issuers.map(OneOrMore::into_vec);
    let audiences = table.audiences.map(OneOrMore::into_vec);
    notes.not_empty("issuers", issuer_urls.as_deref());
    notes.not_empty("audiences", audiences.as_deref());
    describe("for", &audiences);
    describe("from", &issuer_urls);
    let mut needed = |field: &str, list: Option<Vec<String>>, build: Build| {
        let list = keep_all(list?);
        notes.ok(field, build(list))
    };
    let scopes = [
        needed("scopes_all", table.scopes_all, ScopePolicy::all_of),
        needed("scopes_any", table.scopes_any, ScopePolicy::any_of),
    ];
    let permissions = [
        needed("permissions_all", table.permissions_all, ScopePolicy::all_of),
        needed("permissions_any", table.permissions_any, ScopePolicy::any_of),
    ];
    if table.claims.as_ref().is_some_and(Vec::is_empty) {
        notes.add("claims: it is empty; leave it out, or name some");
    }
    let mut claims = Vec::new();
    for rule in table.claims.unwrap_or_default() {
        if let Some((rule, shown)) = claim_rule(rule, notes) {
            claims.push(rule);
            description.push(shown);
        }
    }
    let needs = Needs {
        scopes: scopes.into_iter().flatten().collect(),
        permissions: permissions.into_iter().flatten().collect(),
        claims,
    };
    let is_optional = table.token == Token::Optional;
    if notes.mistakes.len() > before {
        return;
    }
    match (needs.is_empty(), table.valid_token_suffices) {
        (true, false) if !is_optional => notes.add(
            "it requires nothing of a token: name scopes, permissions or claims, or say \
             valid_token_suffices = true",
        ),
        (false, true) => notes.add("valid_token_suffices: and yet it requires something"),
        (false, false) if is_optional => notes.add(
            "token: a request without one would pass, and one whose token lacks something would \
             not",
        ),
        _ => {}
    }
    for url in issuer_urls.iter().flatten() {
        if !issuers.iter().any(|issuer| issuer.url == *url) {
            notes.add(format_args!("issuers: there is no [[issuer]] of the URL {url}"));
        }
    }
    let audiences = audiences.map(keep_all);
    let mut policies = Vec::new();
    for issuer in issuers {
        let is_accepted = issuer_urls.as_ref().is_none_or(|urls| urls.contains(&issuer.url));
        let policy = is_accepted.then(|| issuer.policy(audiences));
        policies.push(policy.and_then(|policy| notes.ok("audiences", policy)));
    }
    let Some(path) = path.filter(|_| notes.mistakes.len() == before) else { return };
    let presence = if is_optional { Presence::Optional } else { Presence::Required };
    let policies = policies.into();
    let description = description.join(", ");
    let route = Route { methods, presence, needs, policies, description };
    notes.ok("methods", routes.add(&path, route));
}

type Build = fn(&'static [&'static str]) -> Result<ScopePolicy<'static>, ConfigError>;

fn describe(
    token: Token,
    scopes_all: &Option<Vec<String>>,
    scopes_any: &Option<Vec<String>>,
) -> Vec<String> {
    let mut parts = vec![match token {
        Token::Required => "a valid token".to_owned(),
        Token::Optional => "no token, or a valid one".to_owned(),
    }];
    for (what, list) in [("all scopes of", scopes_all), ("any scope of", scopes_any)] {
        if let Some(list) = list {
            parts.push(format!("{what} {}", list.join(" ")));
        }
    }
    parts
}

/// Methods are case-sensitive ([RFC 9110 §9.1](https://www.rfc-editor.org/rfc/rfc9110#section-9.1)).
fn check_methods(methods: &[String], notes: &mut Notes) {
    for (index, method) in methods.iter().enumerate() {
        let usual = METHODS.iter().find(|usual| usual.eq_ignore_ascii_case(method));
        if http::Method::from_bytes(method.as_bytes()).is_err() {
            notes.add(format_args!("methods: {method:?} is not a method, such as \"GET\""));
        } else if let Some(usual) = usual
            && usual != method
        {
            notes.add(format_args!("methods: {method:?} is not {usual:?}: their case matters"));
        } else if methods.iter().take(index).any(|other| other == method) {
            notes.add(format_args!("methods: {method:?} is named twice"));
        }
    }
}

/// Returns a rule, and how it is shown.
fn claim_rule(table: RuleTable, notes: &mut Notes) -> Option<(ClaimRule<'static>, String)> {
    let path = claim_path(table.claim);
    let name = path.join(".");
    let path = keep_all(path);
    let (rule, shown) = match (table.equals, table.one_of, table.contains) {
        (Some(Scalar::Text(text)), None, None) => {
            let shown = format!("{name} = {text:?}");
            (ClaimRule::equals(path, keep(text)), shown)
        }
        (Some(Scalar::Integer(number)), None, None) => {
            (ClaimRule::equals_integer(path, number), format!("{name} = {number}"))
        }
        (Some(Scalar::Boolean(boolean)), None, None) => {
            (ClaimRule::equals_boolean(path, boolean), format!("{name} = {boolean}"))
        }
        (None, Some(texts), None) => {
            let shown = format!("{name} one of {texts:?}");
            (ClaimRule::one_of(path, keep_all(texts)), shown)
        }
        (None, None, Some(text)) => {
            let shown = format!("{name} contains {text:?}");
            (ClaimRule::contains(path, keep(text)), shown)
        }
        _ => {
            notes.add(format_args!("claims: {name:?} needs one of equals, one_of and contains"));
            return None;
        }
    };
    Some((notes.ok("claims", rule)?, shown))
}
