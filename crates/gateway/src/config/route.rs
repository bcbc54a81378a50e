//! The routes of a configuration.

use claimgate::ScopePolicy;
use claimgate::error::ConfigError;
use claimgate::policy::ClaimRule;

use super::file::{OneOrMore, RouteTable, RuleTable, Scalar, Token};
use super::headers::claim_path;
use super::issuer::Issuer;
use super::{Errors, leak, leak_all};
use crate::path::RequestPath;
use crate::routes::{Needs, Presence, Route, Routes};

/// The methods of RFC 9110 and RFC 5789, to detect a method in the wrong case.
const METHODS: &[&str] =
    &["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/// The characters of patterns in the configurations of other programs.
const PATTERN: &[char] = &['*', '{', '}', '<', '>', '[', ']', '(', ')', '|', '^', '$', '?'];

pub(super) fn read(
    table: RouteTable,
    issuers: &[Issuer],
    routes: &mut Routes,
    errors: &mut Errors,
) {
    let before = errors.messages.len();
    let is_pattern = |segment: &str| segment.contains(PATTERN) || segment.starts_with(':');
    let path = if table.path.split('/').any(is_pattern) {
        errors.add(
            "path: patterns and queries are not supported; a path includes all paths below it",
        );
        None
    } else {
        errors.ok("path", RequestPath::parse(&table.path))
    };
    errors.not_empty("methods", table.methods.as_deref());
    let methods = table.methods.unwrap_or_default();
    check_methods(&methods, errors);
    let mut description = describe(table.token, &table.scopes_all, &table.scopes_any);
    let mut describe = |requirement: &str, list: &Option<Vec<String>>| {
        if let Some(list) = list {
            description.push(format!("{requirement} {}", list.join(" ")));
        }
    };
    describe("all permissions of", &table.permissions_all);
    describe("any permission of", &table.permissions_any);
    let issuer_urls = table.issuers.map(OneOrMore::into_vec);
    let audiences = table.audiences.map(OneOrMore::into_vec);
    errors.not_empty("issuers", issuer_urls.as_deref());
    errors.not_empty("audiences", audiences.as_deref());
    describe("audience", &audiences);
    describe("issuer", &issuer_urls);
    let mut needed = |field: &str, list: Option<Vec<String>>, build: Build| {
        let list = leak_all(list?);
        errors.ok(field, build(list))
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
        errors.add("claims: the list is empty; add an element or remove the setting");
    }
    let mut claims = Vec::new();
    for rule in table.claims.unwrap_or_default() {
        if let Some((rule, shown)) = claim_rule(rule, errors) {
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
    if errors.messages.len() > before {
        return;
    }
    match (needs.is_empty(), table.valid_token_suffices) {
        (true, false) if !is_optional => errors.add(
            "no scopes, permissions or claims are required; add some, or set \
             valid_token_suffices = true",
        ),
        (false, true) => errors
            .add("valid_token_suffices: conflicts with required scopes, permissions or claims"),
        (false, false) if is_optional => errors
            .add("token: an optional token conflicts with required scopes, permissions or claims"),
        _ => {}
    }
    for url in issuer_urls.iter().flatten() {
        if !issuers.iter().any(|issuer| issuer.url == *url) {
            errors.add(format_args!("issuers: no [[issuer]] has the url {url}"));
        }
    }
    let audiences = audiences.map(leak_all);
    let mut policies = Vec::new();
    for issuer in issuers {
        let is_accepted = issuer_urls.as_ref().is_none_or(|urls| urls.contains(&issuer.url));
        let policy = is_accepted.then(|| issuer.policy(audiences));
        policies.push(policy.and_then(|policy| errors.ok("audiences", policy)));
    }
    let Some(path) = path.filter(|_| errors.messages.len() == before) else { return };
    let presence = if is_optional { Presence::Optional } else { Presence::Required };
    let policies = policies.into();
    let description = description.join(", ");
    let route = Route { methods, presence, needs, policies, description };
    errors.ok("methods", routes.add(&path, route));
}

type Build = fn(&'static [&'static str]) -> Result<ScopePolicy<'static>, ConfigError>;

fn describe(
    token: Token,
    scopes_all: &Option<Vec<String>>,
    scopes_any: &Option<Vec<String>>,
) -> Vec<String> {
    let mut parts = vec![match token {
        Token::Required => "a valid token".to_owned(),
        Token::Optional => "no token or a valid token".to_owned(),
    }];
    for (requirement, list) in [("all scopes of", scopes_all), ("any scope of", scopes_any)] {
        if let Some(list) = list {
            parts.push(format!("{requirement} {}", list.join(" ")));
        }
    }
    parts
}

/// Checks the methods, which are case-sensitive
/// ([RFC 9110 §9.1](https://www.rfc-editor.org/rfc/rfc9110#section-9.1)).
fn check_methods(methods: &[String], errors: &mut Errors) {
    for (index, method) in methods.iter().enumerate() {
        let usual = METHODS.iter().find(|usual| usual.eq_ignore_ascii_case(method));
        if http::Method::from_bytes(method.as_bytes()).is_err() {
            errors.add(format_args!("methods: invalid method {method:?}"));
        } else if let Some(usual) = usual
            && usual != method
        {
            errors.add(format_args!(
                "methods: expected {usual:?}, found {method:?}: methods are case-sensitive"
            ));
        } else if methods.iter().take(index).any(|other| other == method) {
            errors.add(format_args!("methods: duplicate method {method:?}"));
        }
    }
}

/// Returns a rule and its description.
fn claim_rule(table: RuleTable, errors: &mut Errors) -> Option<(ClaimRule<'static>, String)> {
    let path = claim_path(table.claim);
    let name = path.join(".");
    let path = leak_all(path);
    let (rule, shown) = match (table.equals, table.one_of, table.contains) {
        (Some(Scalar::Text(text)), None, None) => {
            let shown = format!("{name} = {text:?}");
            (ClaimRule::equals(path, leak(text)), shown)
        }
        (Some(Scalar::Integer(number)), None, None) => {
            (ClaimRule::equals_integer(path, number), format!("{name} = {number}"))
        }
        (Some(Scalar::Boolean(boolean)), None, None) => {
            (ClaimRule::equals_boolean(path, boolean), format!("{name} = {boolean}"))
        }
        (None, Some(texts), None) => {
            let shown = format!("{name} one of {texts:?}");
            (ClaimRule::one_of(path, leak_all(texts)), shown)
        }
        (None, None, Some(text)) => {
            let shown = format!("{name} contains {text:?}");
            (ClaimRule::contains(path, leak(text)), shown)
        }
        _ => {
            errors.add(format_args!(
                "claims: {name:?} requires exactly one of equals, one_of and contains"
            ));
            return None;
        }
    };
    Some((errors.ok("claims", rule)?, shown))
}
