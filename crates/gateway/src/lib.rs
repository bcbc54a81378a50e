//! A gateway for access tokens: it decides for nginx, Traefik, Envoy, HAProxy and Caddy
//! whether requests pass.
//!
//! The program `claimgate-gateway` is described in the README. This library is what its tests
//! start.

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

pub use config::{Mistakes, Settings};
pub use original::Proxy;
pub use server::Server;
