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
mod bearer;
mod buffer;
mod bytes;
mod cache;
mod challenge;
pub mod claims;
mod compare;
mod curve;
mod discovery;
mod dpop;
pub mod error;
#[cfg(any(doc, doctest))]
pub mod guide;
mod http_uri;
mod id_token;
mod json;
pub mod jwk;
pub mod jws;
mod logout_token;
pub mod policy;
mod public_key;
mod refresh;
mod refreshed;
mod replay;
mod request_key;
mod resource_metadata;
mod roca;
mod standard_claims;
pub mod trust;
mod user_info;
mod validated;
mod validator;

pub use access_token::AccessToken;
pub use algorithm::Algorithm;
pub use bearer::{BearerToken, Credentials, DpopToken};
pub use buffer::TokenBuffer;
pub use cache::{CachedAccessToken, VerifiedTokenCache};
pub use challenge::Challenge;
#[doc(inline)]
pub use claims::NumericDate;
pub use discovery::{ProviderMetadata, WellKnownUrl};
pub use dpop::{DpopError, DpopProof, DpopRequest, UnseenProof};
#[doc(inline)]
pub use error::Error;
pub use http_uri::HttpUri;
pub use id_token::IdToken;
#[doc(inline)]
pub use jwk::JwkSet;
pub use logout_token::LogoutToken;
#[doc(inline)]
pub use policy::{
    AccessTokenPolicy, DpopPolicy, IdTokenPolicy, Login, LogoutTokenPolicy, Nonce, ScopePolicy,
};
pub use public_key::PublicKey;
#[cfg(feature = "pure-rust")]
#[cfg_attr(docsrs, doc(cfg(feature = "pure-rust")))]
pub use public_key::PureRustAnyKey;
#[cfg(feature = "aws-lc-rs")]
#[cfg_attr(docsrs, doc(cfg(feature = "aws-lc-rs")))]
pub use public_key::{AwsLcAnyKey, AwsLcKey};
#[cfg(feature = "pure-rust-rs256")]
#[cfg_attr(docsrs, doc(cfg(feature = "pure-rust-rs256")))]
pub use public_key::{PureRustKey, PureRustPortableKey};
#[cfg(feature = "ring")]
#[cfg_attr(docsrs, doc(cfg(feature = "ring")))]
pub use public_key::{RingAnyKey, RingKey};
pub use refresh::{JwksRefresh, RefreshDecision};
pub use replay::{ReplayError, ReplayWindow, TokenId};
pub use request_key::RequestKey;
pub use resource_metadata::{BearerMethod, ResourceMetadata};
#[doc(inline)]
pub use trust::{Issuer, Trust};
pub use validated::Validated;
pub use validator::{OwnedAccessToken, OwnedIdToken, OwnedLogoutToken};
