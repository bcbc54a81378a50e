#![cfg_attr(all(feature = "axum", feature = "redis"), doc = include_str!("../README.md"))]
#![cfg_attr(
    not(all(feature = "axum", feature = "redis")),
    doc = "See the documentation with all features."
)]
#![cfg_attr(docsrs, feature(doc_cfg))]
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

mod authorities;
mod authority;
#[cfg(feature = "axum")]
mod axum;
mod cache;
mod discovery;
mod dpop;
mod error;
mod fetch;
mod health;
mod judge;
mod layer;
mod policies;
mod refusal;
mod renewal;
pub mod replay;
mod source;
mod token;

pub use authorities::{Authorities, AuthoritiesBuilder};
pub use authority::Authority;
#[cfg(feature = "axum")]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
pub use axum::{Require, Requirement};
pub use cache::CacheStatistics;
pub use dpop::{Dpop, ProvenRequest};
pub use error::{AuthorityError, FetchError};
pub use health::{AuthorityHealth, Health, KeyState};
pub use layer::{AuthLayer, AuthService, ClientCertificate, ResponseFuture};
pub use policies::Policies;
pub use refusal::Refusal;
pub use token::Authenticated;
