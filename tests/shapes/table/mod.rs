//! The shapes, by their issuers.

mod auth0;
mod more_providers;
mod providers;
mod specifications;
mod workloads;

use serde_json::{Value, json};

use super::support::*;
use super::{DPOP_TOKEN_HASH, MANAGEMENT_API, THUMBPRINT};

const JWT: &str = "JWT";
const AT_JWT: &str = "at+jwt";
const USERINFO: &str = "https://my-domain.auth0.com/userinfo";
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// A token of some issuer.
pub(crate) struct Shape {
    /// Its description and the documentation of its form.
    pub(crate) what: &'static str,
    pub(crate) typ: Option<&'static str>,
    pub(crate) claims: Value,
    /// The letters of the policies that accept it.
    pub(crate) accepted_by: &'static str,
    /// The errors of the most permissive login and of the API, if they do not accept it.
    pub(crate) login: &'static str,
    pub(crate) api: &'static str,
}

/// Returns a shape with these additional claims. `null` removes a claim.
fn shape(
    what: &'static str,
    typ: impl Into<Option<&'static str>>,
    further: &Value,
    accepted_by: &'static str,
    (login, api): (&'static str, &'static str),
) -> Shape {
    let mut claims = json!({"iss": ISSUER, "sub": "auth0|123456", "exp": EXP, "iat": IAT});
    for (name, value) in further.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    Shape { what, typ: typ.into(), claims, accepted_by, login, api }
}

pub(crate) const OK: &str = "";

/// The claims of an ID token with these further ones.
fn id(further: &Value) -> Value {
    let mut claims = json!({"aud": CLIENT_ID, "name": "Jane Doe", "email": "jane@example.com",
        "email_verified": true});
    for (name, value) in further.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

/// All shapes.
pub(crate) fn shapes() -> Vec<Shape> {
    let groups = [
        auth0::shapes(),
        providers::shapes(),
        more_providers::shapes(),
        workloads::shapes(),
        specifications::shapes(),
    ];
    groups.into_iter().flatten().collect()
}
