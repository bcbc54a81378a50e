//! The gateway over HTTP: each setting, on both sides of what it decides.

#![allow(clippy::allow_attributes, reason = "the support of another crate's tests")]

mod dpop;
mod keys;
mod mistakes;
mod policy;
mod program;
mod proxies;
mod redis;
mod routes;
mod server;
mod settings;
mod support;
mod tls;
#[path = "../../../tower/tests/support/tls.rs"]
mod tls_server;
mod token;
