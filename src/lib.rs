//! Validation of OpenID Connect ID tokens, OAuth 2.0 access tokens, logout tokens and DPoP
//! proofs, without `std`. The library does not allocate; ring, the default backend, does in RSA.
//!
//! A token becomes a [`Validated<IdToken>`](IdToken), a [`Validated<AccessToken>`](AccessToken),
//! a [`Validated<LogoutToken>`](LogoutToken) or a [`Validated<DpopProof>`](DpopProof), and only
//! these types have accessors for claims. An application that logs users in accepts the first;
//! an API accepts the second. Using one in place of another is a compile error.
//!
//! ```
//! use claimgate::{AccessToken, AccessTokenPolicy, BearerToken, Issuer, PublicKey, TokenBuffer};
//! use claimgate::{Error, NumericDate, at_compile_time};
//!
//! const POLICY: AccessTokenPolicy<'_> =
//!     at_compile_time!(AccessTokenPolicy::general("https://example.com/health-api").build());
//!
//! fn user<K: PublicKey>(
//!     authorization: &str,
//!     issuer: &Issuer<K, 8>,
//!     now: NumericDate,
//! ) -> Result<String, Error> {
//!     let token = BearerToken::from_authorization(authorization)?;
//!     let mut buffer = TokenBuffer::<8192>::new();
//!     let token = AccessToken::validate(token, (issuer, &POLICY), now, &mut buffer)?;
//!     Ok(token.subject().to_owned())
//! }
//! ```
//!
//! The [README](https://docs.rs/crate/claimgate/latest) contains complete programs. The
//! [guide](https://docs.rs/claimgate/latest/claimgate/guide/index.html) has settings for the tokens
//! of Auth0, Microsoft Entra, Google, Okta, Keycloak, Amazon Cognito, Zitadel, Apple, Firebase,
//! Supabase, GitHub Actions, GitLab CI, Kubernetes, SPIFFE and Cloudflare Access, and pages for
//! users of jsonwebtoken, and for programs that decode tokens without verifying them.
//!
//! # The pipeline
//!
//! ```text
//! "Authorization: Bearer eyJ…"         BearerToken::from_authorization
//!   │
//! &str ────────── CompactJws::parse ─► CompactJws    three borrowed segments, not decoded
//!   │             .decode(&mut buffer)
//! UnverifiedJws                        only the header is accessible
//!   │             the issuer's key, selected by the header
//! &VerifyingKey ─ verify ────────────► VerifiedJws   the only type with a payload
//!   │             the claims, read into their types
//! IdToken | AccessToken                verified, claims not checked: no accessors
//!   │             the policy's rules, at the time `now`
//! Validated<IdToken> | Validated<AccessToken>        the only way to the claims
//! ```
//!
//! | stage | module | most used types |
//! | --- | --- | --- |
//! | the request | [`bearer`] | [`BearerToken`], [`bearer::Credentials`], [`RequestKey`] |
//! | form and header of a token | [`jws`] | [`TokenBuffer`], [`jws::CompactJws`], [`Algorithm`] |
//! | keys | [`jwk`] | [`JwkSet`], [`PublicKey`] |
//! | issuers | [`trust`] | [`Issuer`], [`trust::TenantIssuer`], [`Trust`] |
//! | rules | [`policy`] | [`AccessTokenPolicy`], [`IdTokenPolicy`], [`Login`], [`ScopePolicy`], [`policy::ClaimRule`] |
//! | validated tokens | [`claims`], [`owned`] | [`Validated`], [`claims::StandardClaims`], [`owned::OwnedAccessToken`] |
//! | errors and responses | [`error`] | [`Error`], [`Challenge`] |
//! | proofs of possession | [`dpop`], [`replay`] | [`DpopProof`], [`dpop::DpopRequest`], [`replay::ReplayWindow`] |
//! | state between requests | [`cache`], [`refresh`] | [`cache::VerifiedTokenCache`], [`refresh::JwksRefresh`] |
//! | metadata | [`discovery`], [`resource_metadata`] | [`discovery::ProviderMetadata`], [`resource_metadata::ResourceMetadata`] |
//!
//! # Choose your backend
//!
//! The type of the keys selects the backend and the algorithms. All features may be enabled at
//! once, and a feature that another crate enables does not change the backend of yours.
//!
//! | feature | RS256 only | all nine algorithms | choose it |
//! | --- | --- | --- | --- |
//! | `ring` (default) | `RingKey` | `RingAnyKey` | unless you need a property of the others |
//! | `aws-lc-rs` | `AwsLcKey` | `AwsLcAnyKey` | for RSA on processors without AVX-512 IFMA; for FIPS |
//! | `pure-rust` | `PureRustKey` | `PureRustAnyKey` | for RSA with AVX-512 IFMA; without a C compiler or a heap |
//! | none | an implementation of [`PublicKey`] | | for keys in a crypto peripheral or a hardware module |
//!
//! The nine algorithms are RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 and EdDSA with
//! Ed25519. A token is verified only with the algorithm of its key, whatever its header names.
//!
//! # Choose your policy
//!
//! | tokens | policy |
//! | --- | --- |
//! | ID tokens | [`IdTokenPolicy::new`], and a [`Login`] for each login |
//! | access tokens of [RFC 9068](https://www.rfc-editor.org/rfc/rfc9068) (`typ` is `at+jwt`) | [`AccessTokenPolicy::rfc9068`] |
//! | other access tokens | [`AccessTokenPolicy::general`] |
//! | logout tokens | [`policy::LogoutTokenPolicy`] |
//! | DPoP proofs | [`policy::DpopPolicy`] |
//!
//! A policy is built at compile time, with [`at_compile_time!`], or at run time. The audience of
//! a token, an API or a client, is an argument; scopes, claim rules, lifetimes and further
//! settings are methods of the builder.
//!
//! Numbers such as C11 in this documentation are those of the
//! [rules](https://docs.rs/crate/claimgate/latest/source/tests/rules.md), each with its tests.
//!
//! # Platforms
//!
//! | target | backend | tested |
//! | --- | --- | --- |
//! | x86-64 Linux | all; `pure-rust` uses AVX-512 IFMA if the processor has it | all tests |
//! | aarch64 | all; `pure-rust` with its portable kernel | not tested; `pure-rust` compiles |
//! | `wasm32-unknown-unknown` | `pure-rust` | all recorded cases, in a runtime |
//! | `thumbv7m-none-eabi` | `pure-rust-rs256`, your own | whole validations, in an emulator |
//!
//! # Features
//!
//! - `std` (default) adds `NumericDate::now`.
//! - `ring` (default), `aws-lc-rs`, `pure-rust`: the backends. `pure-rust-rs256` is `pure-rust`
//!   without `PureRustAnyKey` and the code of other algorithms.
//! - `defmt` implements `defmt::Format` for errors and decisions.
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

// The examples of the README are tests.
#[cfg(all(doctest, feature = "ring", feature = "std"))]
#[doc = include_str!("../README.md")]
mod readme {}

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
#[cfg(all(any(doc, doctest), feature = "ring"))]
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
