//! The header fields of a configuration.

use std::collections::BTreeMap;

use http::HeaderName;

use super::Errors;
use super::file::{ClaimPath, ClaimTable};
use crate::claims::{ClaimHeader, Source};
use crate::credentials::TokenSource;

/// The header fields with another meaning, which cannot contain a claim or the token.
const RESERVED: &[&str] = &[
    "authorization",
    "cache-control",
    "connection",
    "cookie",
    "date",
    "dpop",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "location",
    "origin",
    "range",
    "retry-after",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "www-authenticate",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-method",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-proto",
    "x-forwarded-server",
    "x-forwarded-uri",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-real-ip",
    "x-rewrite-url",
];

/// The prefixes of other such fields.
const RESERVED_PREFIXES: &[&str] =
    &["access-control-", "content-", "proxy-", "sec-", "x-accel-", "x-envoy-", "x-original-"];

/// Returns whether a header field has another meaning.
pub(super) fn is_reserved(name: &HeaderName) -> bool {
    let name = name.as_str();
    RESERVED.contains(&name) || RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Reads the `headers` table.
pub(super) fn claim_headers(
    table: Option<BTreeMap<String, ClaimTable>>,
    token_source: &TokenSource,
    errors: &mut Errors,
) -> Vec<ClaimHeader> {
    let Some(table) = table else { return ClaimHeader::defaults() };
    let mut headers: Vec<ClaimHeader> = Vec::new();
    for (name, claim) in table {
        let field = format!("headers.{name}");
        let Ok(name) = HeaderName::try_from(&name) else {
            errors.add(format_args!("{field}: invalid header field name"));
            continue;
        };
        if is_reserved(&name) {
            errors.add(format_args!("{field}: the header field is reserved"));
        } else if *token_source == TokenSource::Header(name.clone()) {
            errors.add(format_args!("{field}: the header field contains the token"));
        }
        if headers.iter().any(|other| other.name == name) {
            errors
                .add(format_args!("{field}: duplicate header field (names are case-insensitive)"));
        }
        let paths = match claim {
            ClaimTable::Path(path) => vec![claim_path(path)],
            ClaimTable::FirstOf(paths) => paths.first_of.into_iter().map(claim_path).collect(),
        };
        if paths.is_empty() || paths.iter().any(|path| path.is_empty() || path.len() > 4) {
            errors.add(format_args!("{field}: the path of a claim must have one to four names"));
        }
        if paths.iter().flatten().any(String::is_empty) {
            errors.add(format_args!("{field}: the name of a claim is empty"));
        }
        let names: Vec<&[String]> = paths.iter().map(Vec::as_slice).collect();
        let source = match names.as_slice() {
            [[name]] if name == "sub" => Source::Subject,
            [[name]] if name == "iss" => Source::Issuer,
            [[name]] if name == "scope" => Source::Scope,
            [[azp], [client]] if azp == "azp" && client == "client_id" => Source::Client,
            _ => Source::Claim(paths),
        };
        headers.push(ClaimHeader { name, source });
    }
    headers
}

pub(super) fn claim_path(path: ClaimPath) -> Vec<String> {
    match path {
        ClaimPath::Name(name) => vec![name],
        ClaimPath::Names(names) => names,
    }
}
