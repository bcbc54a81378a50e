//! The original request, as each proxy passes it on.

use http::header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;

/// The path at which proxies ask.
pub(crate) const CHECK: &str = "/check";

/// The proxy that asks, which decides where the original request is found.
///
/// Only one place is looked at: a header field that the proxy does not set itself can be the
/// client's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Proxy {
    /// `auth_request`, with `X-Original-Method` and `X-Original-URI`, which the configuration
    /// of nginx has to set.
    Nginx,
    /// `ForwardAuth`, with `X-Forwarded-Method` and `X-Forwarded-Uri`.
    Traefik,
    /// `forward_auth`, with `X-Forwarded-Method` and `X-Forwarded-Uri`.
    Caddy,
    /// `ext_authz` over HTTP: the request's own method, and its path below `/check`.
    Envoy,
    /// The Lua action of `proxies/haproxy.lua`, with `X-Original-Method` and
    /// `X-Original-URI`.
    Haproxy,
}

/// A request that a client has sent to a proxy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Original<'r> {
    pub(crate) method: &'r str,
    /// The target, with its query.
    pub(crate) target: &'r str,
    pub(crate) headers: &'r HeaderMap,
}

impl<'r> Original<'r> {
    /// Returns the method that a preflight of CORS asks for
    /// ([Fetch](https://fetch.spec.whatwg.org/#cors-preflight-request)).
    pub(crate) fn preflight(&self) -> Option<&'r str> {
        let is_preflight = self.method == Method::OPTIONS.as_str();
        if is_preflight && self.headers.contains_key(ORIGIN) {
            only(self.headers, ACCESS_CONTROL_REQUEST_METHOD.as_str())
        } else {
            None
        }
    }
}

impl Proxy {
    /// Returns the original request. `None` if the proxy does not pass it on, or twice: it is
    /// not configured as it has to be.
    pub(crate) fn original(self, parts: &Parts) -> Option<Original<'_>> {
        let headers = &parts.headers;
        let (method, target) = match self {
            Self::Nginx | Self::Haproxy => ("x-original-method", "x-original-uri"),
            Self::Traefik | Self::Caddy => ("x-forwarded-method", "x-forwarded-uri"),
            Self::Envoy => {
                let target = parts.uri.path_and_query()?.as_str();
                let target = target.strip_prefix(CHECK)?;
                return Some(Original { method: parts.method.as_str(), target, headers });
            }
        };
        Some(Original { method: only(headers, method)?, target: only(headers, target)?, headers })
    }

    /// Returns the status that this proxy passes on. To nginx, every other status than 401
    /// and 403 is a failure of the gateway.
    pub(crate) fn status(self, status: StatusCode) -> StatusCode {
        match (self, status) {
            (Self::Nginx, StatusCode::BAD_REQUEST) => StatusCode::UNAUTHORIZED,
            _ => status,
        }
    }
}

/// Returns the only value of a header field. What is not ASCII becomes a value that is
/// neither a method nor a path.
fn only<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().unwrap_or("\u{fffd}");
    values.next().is_none().then_some(value)
}
