#![cfg_attr(feature = "ring", doc = include_str!("../README.md"))]
#![cfg_attr(not(feature = "ring"), doc = "See the documentation with the feature `ring`.")]
#![no_std]
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
        clippy::arithmetic_side_effects,
        clippy::as_conversions
    )
)]

#[cfg(any(test, feature = "std"))]
extern crate std;

mod access_token;
mod algorithm;
mod base64url;
pub mod bearer;
mod buffer;
mod bytes;
pub mod cache;
mod challenge;
pub mod claims;
mod compare;
mod curve;
pub mod discovery;
pub mod dpop;
pub mod error;
#[cfg(any(doc, doctest))]
pub mod guide;
mod http_uri;
mod id_token;
mod json;
pub mod jwk;
pub mod jws;
mod logout_token;
pub mod owned;
pub mod policy;
mod public_key;
pub mod refresh;
mod refreshed;
pub mod replay;
mod request_key;
pub mod resource_metadata;
mod roca;
mod standard_claims;
pub mod trust;
mod user_info;
mod validated;
mod validator;

pub use access_token::AccessToken;
pub use algorithm::Algorithm;
#[doc(inline)]
pub use bearer::BearerToken;
pub use buffer::TokenBuffer;
pub use challenge::Challenge;
#[doc(inline)]
pub use claims::NumericDate;
#[doc(inline)]
pub use dpop::DpopProof;
#[doc(inline)]
pub use error::Error;
pub use id_token::IdToken;
#[doc(inline)]
pub use jwk::JwkSet;
pub use logout_token::LogoutToken;
#[doc(inline)]
pub use policy::{AccessTokenPolicy, IdTokenPolicy, Login, Nonce, ScopePolicy};
pub use public_key::PublicKey;
#[cfg(feature = "pure-rust")]
#[cfg_attr(docsrs, doc(cfg(feature = "pure-rust")))]
pub use public_key::PureRustAnyKey;
#[cfg(feature = "pure-rust-rs256")]
#[cfg_attr(docsrs, doc(cfg(feature = "pure-rust-rs256")))]
pub use public_key::PureRustKey;
#[cfg(feature = "aws-lc-rs")]
#[cfg_attr(docsrs, doc(cfg(feature = "aws-lc-rs")))]
pub use public_key::{AwsLcAnyKey, AwsLcKey};
#[cfg(feature = "ring")]
#[cfg_attr(docsrs, doc(cfg(feature = "ring")))]
pub use public_key::{RingAnyKey, RingKey};
pub use request_key::RequestKey;
#[doc(inline)]
pub use trust::{Issuer, Trust};
pub use validated::Validated;
