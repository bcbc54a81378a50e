//! The responses to the proxy.

use std::time::Instant;

use claimgate_tower::Authenticated;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONNECTION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;

use crate::claims;
use crate::credentials::Forwarding;
use crate::gate::{Denial, Gate};
use crate::original::{CHECK, Proxy};
use crate::path::Ambiguous;

pub(crate) type Answer = Response<Full<Bytes>>;

const DPOP: HeaderName = HeaderName::from_static("dpop");
const TO_REMOVE: HeaderName = HeaderName::from_static("x-envoy-auth-headers-to-remove");

/// The presence of a fragment in the request line, which hyper removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestLine {
    Plain,
    HasFragment,
}

impl Gate {
    /// Returns the response to a subrequest of the proxy.
    pub(crate) async fn answer(&self, parts: &Parts, line: RequestLine) -> Answer {
        let started = Instant::now();
        let proxy = self.settings.proxy;
        if proxy != Proxy::Envoy && parts.uri.path() != CHECK {
            return plain(StatusCode::NOT_FOUND);
        }
        let Some(original) = proxy.original(parts) else {
            tracing::error!(?proxy, "the proxy did not pass the original method and path");
            return plain(StatusCode::INTERNAL_SERVER_ERROR);
        };
        let verdict = match line {
            RequestLine::Plain => self.decide(original).await,
            RequestLine::HasFragment => Err(Denial::Target(Ambiguous::Fragment)),
        };
        let response = verdict.and_then(|caller| self.admit(&parts.headers, caller.as_ref()));
        let (code, mut response) = match response {
            Ok(response) => ("valid", response),
            Err(denial) => (denial.code(), self.deny(&denial)),
        };
        if line == RequestLine::HasFragment {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        self.counters.count(code);
        self.counters.seconds.record(started.elapsed());
        tracing::debug!(code, status = response.status().as_u16(), "request checked");
        response
    }

    /// Returns the response for an authorized request, with the claims of its token.
    fn admit(&self, request: &HeaderMap, caller: Option<&Authenticated>) -> Result<Answer, Denial> {
        let settings = &self.settings;
        let mut response = plain(StatusCode::OK);
        let headers = response.headers_mut();
        // The others are the token's, `Authorization`, `DPoP`, the list of empty fields, and `Date`.
        headers.reserve(settings.headers.len().saturating_add(5));
        let token = caller.map(Authenticated::token);
        claims::set_headers(&settings.headers, token.as_ref(), |name, value| {
            headers.insert(name, value);
        })?;
        // If no token was validated, the field may still contain one that the application accepts.
        let forwarding = if caller.is_some() { settings.forwarding } else { Forwarding::Strip };
        let (name, value) = settings.source.forwarded(request, forwarding);
        // If the token is elsewhere, this field may contain another one, which was not validated.
        if name != AUTHORIZATION {
            headers.insert(AUTHORIZATION, HeaderValue::from_static(""));
        }
        headers.insert(name, value);
        if forwarding == Forwarding::Strip && self.dpop.is_some() {
            headers.insert(DPOP, HeaderValue::from_static(""));
        }
        if settings.proxy == Proxy::Envoy {
            let empty = headers.iter().filter(|(_, value)| value.is_empty());
            let names: Vec<&str> = empty.map(|(name, _)| name.as_str()).collect();
            if let Ok(names) = HeaderValue::try_from(names.join(","))
                && !names.is_empty()
            {
                headers.insert(TO_REMOVE, names);
            }
        }
        Ok(response)
    }

    fn deny(&self, denial: &Denial) -> Answer {
        let mut response = plain(self.settings.proxy.status(denial.status()));
        let headers = response.headers_mut();
        if denial.status() == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if let Denial::Token(refusal) = denial {
            // nginx forwards only one field.
            let mut challenges: Vec<String> = Vec::new();
            refusal.challenges(None, self.dpop.as_ref(), |challenge| {
                challenges.push(challenge.realm(&self.settings.realm).to_string());
            });
            if let Ok(challenges) = HeaderValue::try_from(challenges.join(", "))
                && !challenges.is_empty()
            {
                headers.insert(WWW_AUTHENTICATE, challenges);
            }
        }
        response
    }
}

/// Returns a response without a body that caches must not store.
pub(crate) fn plain(status: StatusCode) -> Answer {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
