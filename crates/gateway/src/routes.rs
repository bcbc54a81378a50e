//! The routes, and the selection of one by path and method.

use std::collections::HashMap;
use std::fmt;

use claimgate::policy::{ClaimRule, Forbidden};
use claimgate::{AccessToken, AccessTokenPolicy, ScopePolicy, Validated};

use crate::path::RequestPath;

/// The handling of a request without an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Required,
    /// The request is permitted. A token that is present must still be valid.
    Optional,
}

/// The requirements of a route in addition to a valid token. All of them must be met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    pub(crate) scopes: Vec<ScopePolicy<'static>>,
    pub(crate) permissions: Vec<ScopePolicy<'static>>,
    pub(crate) claims: Vec<ClaimRule<'static>>,
}

impl Needs {
    pub(crate) const fn is_empty(&self) -> bool {
        let Self { scopes, permissions, claims } = self;
        scopes.is_empty() && permissions.is_empty() && claims.is_empty()
    }
}

/// The requirements for some or all methods of a path.
#[derive(Debug)]
pub(crate) struct Route {
    /// The accepted methods. If empty, all methods are accepted.
    pub(crate) methods: Vec<String>,
    pub(crate) presence: Presence,
    pub(crate) needs: Needs,
    /// The policy for each issuer's tokens; `None` if this route does not accept the issuer.
    pub(crate) policies: Box<[Option<AccessTokenPolicy<'static>>]>,
    /// The requirements, for the decision table.
    pub(crate) description: String,
}

impl Route {
    pub(crate) fn accepts(&self, method: &str) -> bool {
        self.methods.is_empty() || self.methods.iter().any(|accepted| accepted == method)
    }

    /// Checks that a valid token meets the requirements of this route.
    pub(crate) fn authorize(
        &self,
        token: &Validated<AccessToken<'_>>,
    ) -> Result<(), Forbidden<'static>> {
        let Needs { scopes, permissions, claims } = &self.needs;
        scopes.iter().try_for_each(|needed| token.authorize(needed))?;
        permissions.iter().try_for_each(|needed| token.authorize_permissions(needed))?;
        if claims.is_empty() { Ok(()) } else { token.authorize_claims(claims) }
    }
}

/// The error for two routes of a path that accept the same method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Overlap;

impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("overlap with the methods of another route for the same path")
    }
}

/// All routes, by their paths.
#[derive(Debug, Default)]
pub(crate) struct Routes(HashMap<String, Vec<Route>>);

impl Routes {
    /// Adds a route.
    ///
    /// # Errors
    ///
    /// [`Overlap`] if another route of this path accepts one of its methods.
    pub(crate) fn add(&mut self, path: &RequestPath<'_>, route: Route) -> Result<(), Overlap> {
        let routes = self.0.entry(path.as_str().to_owned()).or_default();
        let overlaps = |other: &Route| {
            other.methods.is_empty() || route.methods.iter().any(|method| other.accepts(method))
        };
        if !routes.is_empty() && (route.methods.is_empty() || routes.iter().any(overlaps)) {
            return Err(Overlap);
        }
        routes.push(route);
        Ok(())
    }

    /// Returns the route for a request.
    ///
    /// The routes of the longest path that equals or contains the request's path apply. If none
    /// of them accepts the method, there is no route: shorter paths are not searched.
    pub(crate) fn find(&self, method: &str, path: &RequestPath<'_>) -> Option<&Route> {
        let mut prefix = path.as_str();
        loop {
            if let Some(routes) = self.0.get(prefix) {
                return routes.iter().find(|route| route.accepts(method));
            }
            if prefix.is_empty() {
                return None;
            }
            prefix = prefix.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
    }

    /// Returns all paths with their routes, in alphabetical order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[Route])> {
        let mut paths: Vec<(&str, &[Route])> =
            self.0.iter().map(|(path, routes)| (path.as_str(), routes.as_slice())).collect();
        paths.sort_by_key(|(path, _)| *path);
        paths.into_iter()
    }
}
