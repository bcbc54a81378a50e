//! The output of `--check` for a valid configuration.

use std::fmt::Write;

use claimgate::AccessTokenPolicy;

use crate::gate::{Decisions, Preflight};
use crate::routes::{Needs, Presence, Route};

/// Returns the decision table, ordered by path.
pub(super) fn table(decisions: &Decisions) -> String {
    let mut table = String::new();
    let mut line = |path: &str, methods: &str, decision: &str| {
        // Writing to a string does not fail.
        let _: std::fmt::Result = writeln!(table, "{path:<22}  {methods:<24}  {decision}");
    };
    line("PATH PREFIX", "METHODS", "ACCESS");
    for (path, routes) in decisions.routes.iter() {
        let path = format!("/{path}");
        for route in routes {
            let methods =
                if route.methods.is_empty() { "all".to_owned() } else { route.methods.join(", ") };
            line(&path, &methods, &route.description);
        }
        if routes.iter().all(|route| !route.methods.is_empty()) {
            line(&path, "other methods", "denied (403)");
        }
    }
    if !decisions.routes.iter().any(|(path, _)| path.is_empty()) {
        line("other paths", "all", "denied (403)");
    }
    if decisions.preflight == Preflight::Pass {
        line("all", "OPTIONS (CORS preflight)", "no token, if a route accepts the method");
    }
    table
}

/// Returns warnings about valid settings that may not be intended.
pub(super) fn warnings(decisions: &Decisions) -> Vec<String> {
    let mut warnings = Vec::new();
    for (path, routes) in decisions.routes.iter().filter(|(path, _)| !path.is_empty()) {
        let above = decisions.routes.iter().filter(|(other, _)| {
            let below = path.strip_prefix(other);
            other.is_empty() || below.is_some_and(|rest| rest.starts_with('/'))
        });
        // The route of the longest path above applies to similar paths.
        let Some((other, fallback)) = above.max_by_key(|(other, _)| other.len()) else { continue };
        let is_guarded = routes.iter().any(|route| route.presence == Presence::Required);
        let differs = routes.iter().any(|route| {
            fallback.iter().any(|fallback| requirements(fallback) != requirements(route))
        });
        if is_guarded && (differs || accepts_more(fallback, routes)) {
            warnings.push(format!(
                "/{path}: an application may treat /{}, /{path}.json and /{path}%20 like this \
                 path, but the route of /{other} applies to them, with other methods or \
                 requirements",
                path.to_uppercase()
            ));
        }
    }
    warnings
}

/// Returns the requirements of a route for the methods that it accepts.
fn requirements(route: &Route) -> (Presence, &Needs, &[Option<AccessTokenPolicy<'static>>]) {
    (route.presence, &route.needs, &route.policies)
}

/// Returns whether the routes of `fallback` accept a method that `routes` do not accept.
fn accepts_more(fallback: &[Route], routes: &[Route]) -> bool {
    let accepts = |method: &String| routes.iter().any(|route| route.accepts(method));
    let all = routes.iter().any(|route| route.methods.is_empty());
    !all && fallback
        .iter()
        .any(|route| route.methods.is_empty() || !route.methods.iter().all(accepts))
}
