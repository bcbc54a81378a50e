//! The output of `--check` for a valid configuration.

use std::fmt::Write;

use crate::gate::{Decisions, Preflight};
use crate::routes::{Presence, Route};

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
    let is_guarded = |routes: &[Route]| {
        routes.iter().any(|route| !route.needs.is_empty() || route.presence == Presence::Required)
    };
    for (path, routes) in decisions.routes.iter().filter(|(path, _)| !path.is_empty()) {
        let above = decisions.routes.iter().filter(|(other, _)| {
            let below = path.strip_prefix(other);
            other.is_empty() || below.is_some_and(|rest| rest.starts_with('/'))
        });
        // The route of the longest path above applies to similar paths.
        let Some((other, fallback)) = above.max_by_key(|(other, _)| other.len()) else { continue };
        let requires = |route: &Route| (route.presence, route.needs.clone());
        let differs = routes
            .iter()
            .any(|route| fallback.iter().any(|fallback| requires(fallback) != requires(route)));
        if is_guarded(routes) && differs {
            warnings.push(format!(
                "/{path}: an application may treat /{}, /{path}.json and /{path}%20 like this \
                 path, but the route of /{other} applies to them, with other requirements",
                path.to_uppercase()
            ));
        }
    }
    warnings
}
