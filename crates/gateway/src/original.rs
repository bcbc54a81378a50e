//! The client's original request, as passed by each proxy.

use http::header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, StatusCode};
use serde::Deserialize;

/// The path of subrequests.
pub(crate) const CHECK: &str = "/check";

// Parsed at compile time, not for each request.
static X_ORIGINAL_METHOD: HeaderName = HeaderName::from_static("x-original-method");
static X_ORIGINAL_URI: HeaderName = HeaderName::from_static("x-original-uri");
static X_FORWARDED_METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
static X_FORWARDED_URI: HeaderName = HeaderName::from_static("x-forwarded-uri");

/// The proxy in front of the application, which determines the location of the original
/// method and path.
///
/// Other locations are ignored: a client can set header fields that the proxy does not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Proxy {
    /// `auth_request`, with `X-Original-Method` and `X-Original-URI`, which must be set in the
    /// configuration of nginx.
    Nginx,
    /// `ForwardAuth`, with `X-Forwarded-Method` and `X-Forwarded-Uri`.
    Traefik,
    /// `forward_auth`, with `X-Forwarded-Method` and `X-Forwarded-Uri`.
    Caddy,
    /// `ext_authz` over HTTP, with the original method, and the original path after `/check`.
    Envoy,
    /// The Lua action of `proxies/claimgate.lua`, with `X-Original-Method` and
    /// `X-Original-URI`.
    Haproxy,
}

/// The original request of the client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Original<'r> {
    pub(crate) method: &'r str,
    /// The path and query.
    pub(crate) target: &'r str,
    pub(crate) headers: &'r HeaderMap,
}

impl<'r> Original<'r> {
    /// Returns the requested method of a CORS preflight request
    /// ([Fetch](https://fetch.spec.whatwg.org/#cors-preflight-request)).
    pub(crate) fn preflight(&self) -> Option<&'r str> {
        let is_preflight = self.method == Method::OPTIONS.as_str();
        if is_preflight && self.headers.contains_key(ORIGIN) {
            only(self.headers, &ACCESS_CONTROL_REQUEST_METHOD)
        } else {
            None
        }
    }
}

impl Proxy {
    /// Returns the original request. `None` if its method or path is missing or duplicated,
    /// which is an error in the configuration of the proxy.
    pub(crate) fn original(self, parts: &Parts) -> Option<Original<'_>> {
        let headers = &parts.headers;
        let (method, target) = match self {
            Self::Nginx | Self::Haproxy => (&X_ORIGINAL_METHOD, &X_ORIGINAL_URI),
            Self::Traefik | Self::Caddy => (&X_FORWARDED_METHOD, &X_FORWARDED_URI),
            Self::Envoy => {
                let target = parts.uri.path_and_query()?.as_str();
                let target = target.strip_prefix(CHECK)?;
                return Some(Original { method: parts.method.as_str(), target, headers });
            }
        };
        Some(Original { method: only(headers, method)?, target: only(headers, target)?, headers })
    }

    /// Returns the status for this proxy. nginx responds with 500 to every status of a
    /// subrequest other than 2xx, 401 and 403, so 400 is replaced by 401.
    pub(crate) fn status(self, status: StatusCode) -> StatusCode {
        match (self, status) {
            (Self::Nginx, StatusCode::BAD_REQUEST) => StatusCode::UNAUTHORIZED,
            _ => status,
        }
    }
}

/// Returns the value of a header field that occurs once. A value that is not ASCII is replaced
/// by one that is neither a method nor a path.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().unwrap_or("\u{fffd}");
    values.next().is_none().then_some(value)
}
