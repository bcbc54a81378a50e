//! Guides: the rules in prose, and the settings for the tokens of well-known issuers.
//!
//! This module exists only in the documentation.

#[doc = include_str!("../docs/from-auth0-documentation-to-code.md")]
pub mod from_auth0_documentation_to_code {}

#[doc = include_str!("../docs/from-jsonwebtoken.md")]
pub mod from_jsonwebtoken {}

#[doc = include_str!("../docs/instead-of-decoding.md")]
pub mod instead_of_decoding {}

#[doc = include_str!("../docs/auth0.md")]
pub mod auth0 {}

#[doc = include_str!("../docs/microsoft-entra.md")]
pub mod microsoft_entra {}

#[doc = include_str!("../docs/google.md")]
pub mod google {}

#[doc = include_str!("../docs/okta.md")]
pub mod okta {}

#[doc = include_str!("../docs/keycloak.md")]
pub mod keycloak {}

#[doc = include_str!("../docs/amazon-cognito.md")]
pub mod amazon_cognito {}

#[doc = include_str!("../docs/zitadel.md")]
pub mod zitadel {}

#[doc = include_str!("../docs/apple.md")]
pub mod apple {}

#[doc = include_str!("../docs/firebase.md")]
pub mod firebase {}

#[doc = include_str!("../docs/supabase.md")]
pub mod supabase {}

#[doc = include_str!("../docs/github-actions.md")]
pub mod github_actions {}

#[doc = include_str!("../docs/gitlab.md")]
pub mod gitlab {}

#[doc = include_str!("../docs/kubernetes.md")]
pub mod kubernetes {}

#[doc = include_str!("../docs/spiffe.md")]
pub mod spiffe {}

#[doc = include_str!("../docs/cloudflare-access.md")]
pub mod cloudflare_access {}
