//! A gateway that authorizes requests for nginx, Traefik, Envoy, HAProxy and Caddy by their
//! access tokens.
//!
//! The README describes the program `claimgate-gateway`. This library contains its
//! implementation, so that tests can start it.

#![forbid(unsafe_code)]
#![warn(unreachable_pub)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::as_conversions
    )
)]

mod admin;
mod answer;
mod claims;
mod config;
mod credentials;
mod gate;
mod original;
mod path;
mod request_line;
mod routes;
mod server;

pub use config::{ConfigErrors, Settings};
pub use original::Proxy;
pub use server::Server;
