//! What `--check` prints about a configuration without mistakes.

use std::fmt::Write;

use crate::gate::{Decisions, Preflight};
use crate::routes::{Presence, Route};

/// Returns the decisions, by path and method.
pub(super) fn table(decisions: &Decisions) -> String {
    let mut table = String::new();
    let mut line = |path: &str, methods: &str, decision: &str| {
        // Writing to a string does not fail.
        let _: std::fmt::Result = writeln!(table, "{path:<22}  {methods:<24}  {decision}");
    };
    line("PATH, AND BELOW", "METHODS", "PASSES WITH");
    for (path, routes) in decisions.routes.iter() {
        let path = format!("/{path}");
        for route in routes {
            let methods =
                if route.methods.is_empty() { "all".to_owned() } else { route.methods.join(", ") };
            line(&path, &methods, &route.description);
        }
        if routes.iter().all(|route| !route.methods.is_empty()) {
            line(&path, "others", "nothing: 403");
        }
    }
    if !decisions.routes.iter().any(|(path, _)| path.is_empty()) {
        line("elsewhere", "all", "nothing: 403");
    }
    if decisions.preflight == Preflight::Pass {
        line("as above", "OPTIONS, as a preflight", "no token, where the method has a route");
    }
    table
}

/// Returns what is allowed, and perhaps not intended.
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
        // The longest one that contains it decides about names like the path's.
        let Some((other, looser)) = above.max_by_key(|(other, _)| other.len()) else { continue };
        let requires = |route: &Route| (route.presence, route.needs.clone());
        let differs = routes
            .iter()
            .any(|route| looser.iter().any(|looser| requires(looser) != requires(route)));
        if is_guarded(routes) && differs {
            warnings.push(format!(
                "/{path}: /{other} decides about paths that an application may treat alike, such \
                 as /{}, /{path}.json and /{path}%20",
                path.to_uppercase()
            ));
        }
    }
    warnings
}
