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
mod base64url;
mod bearer;
mod bytes;
mod cache;
mod challenge;
mod claims;
mod error;
#[cfg(any(doc, doctest))]
pub mod guide;
mod id_token;
mod json;
mod jwk;
mod jws;
mod policy;
mod public_key;
mod refresh;
#[cfg(test)]
mod roca;
mod standard_claims;
mod validator;

pub use access_token::{AccessToken, AccessTokenClaims, SubjectKind};
pub use bearer::BearerToken;
pub use cache::VerifiedTokenCache;
pub use challenge::Challenge;
pub use claims::{
    Audience, Confirmation, MAX_AUDIENCES, NumericDate, Scope, StandardScope, StringArray,
};
pub use error::{
    Claim, ConfigError, Error, HeaderParameter, JsonProblem, JsonType, KeyRejected, Problem,
    RequestProblem, Segment, SkipCounts, WrongKind,
};
pub use id_token::{IdToken, IdTokenClaims};
pub use json::{MAX_DEPTH, MAX_MEMBERS};
pub use jwk::{Jwk, JwkSet, MAX_SKIPPED, Skipped};
pub use jws::{CompactJws, Header, MAX_HEADER_LEN, MAX_KEY_ID_LEN, MAX_TOKEN_LEN, UnverifiedJws};
pub use policy::{
    AccessTokenPolicy, AccessTokenPolicyBuilder, DEFAULT_LEEWAY, ForeignClaim, IdTokenPolicy,
    IdTokenPolicyBuilder, MAX_LEEWAY, Nonce, RequestKey, Rule, RuleSet, ScopePolicy,
};
#[cfg(feature = "aws-lc-rs")]
#[cfg_attr(docsrs, doc(cfg(feature = "aws-lc-rs")))]
pub use public_key::AwsLcKey;
#[cfg(feature = "ring")]
#[cfg_attr(docsrs, doc(cfg(feature = "ring")))]
pub use public_key::RingKey;
pub use public_key::{
    InvalidSignature, MAX_EXPONENT, MAX_MODULUS_BITS, MAX_MODULUS_LEN, MIN_MODULUS_BITS, PublicKey,
    RsaKey, VerifiedJws,
};
#[cfg(feature = "pure-rust")]
#[cfg_attr(docsrs, doc(cfg(feature = "pure-rust")))]
pub use public_key::{PureRust2048Key, PureRustKey};
pub use refresh::{JwksRefresh, RefreshDecision};
pub use standard_claims::{Address, StandardClaims};
pub use validator::{Issuer, OwnedAccessToken, OwnedIdToken, TokenBuffer, Validated};
