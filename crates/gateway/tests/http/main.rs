//! Tests of the gateway over HTTP. Each setting has cases that pass and cases that fail.

#![allow(clippy::allow_attributes, reason = "the support of another crate's tests")]

mod config_errors;
mod dpop;
mod keys;
mod policy;
mod program;
mod proxies;
mod redis;
#[path = "../../../tower/tests/support/redis.rs"]
mod redis_server;
mod routes;
mod server;
mod settings;
mod support;
mod tls;
#[path = "../../../tower/tests/support/tls.rs"]
mod tls_server;
mod token;
