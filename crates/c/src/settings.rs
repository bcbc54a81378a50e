//! The settings of policies, issuers, logins and requests.
//!
//! Each structure begins with its own size, and zeros are the defaults:
//! `claimgate_access_settings settings = { .size = sizeof settings };` sets nothing.

use crate::text::{claimgate_text, claimgate_texts};

/// An optional number of seconds.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct claimgate_seconds {
    /// The number, which is ignored if `is_set` is 0.
    pub seconds: u64,
    /// 0 if the number is not set.
    pub is_set: u32,
}

impl claimgate_seconds {
    pub(crate) fn get(self) -> Option<u64> {
        (self.is_set != 0).then_some(self.seconds)
    }
}

/// The claim equals `text`.
pub const CLAIMGATE_EQUALS: u32 = 1;
/// The claim equals `integer`.
pub const CLAIMGATE_EQUALS_INTEGER: u32 = 2;
/// The claim is `true` if `integer` is 1, and `false` if it is 0.
pub const CLAIMGATE_EQUALS_BOOLEAN: u32 = 3;
/// The claim equals one of `texts`.
pub const CLAIMGATE_ONE_OF: u32 = 4;
/// The claim is an array of strings or a string of space-separated tokens, and contains
/// `text`.
pub const CLAIMGATE_CONTAINS: u32 = 5;

/// A rule for one claim.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct claimgate_claim_rule {
    /// One to four names of members, from the outermost object inwards, each compared as a
    /// whole.
    pub path: claimgate_texts,
    /// One of the constants from [`CLAIMGATE_EQUALS`] on.
    pub comparison: u32,
    /// The value of [`CLAIMGATE_EQUALS`] and [`CLAIMGATE_CONTAINS`].
    pub text: claimgate_text,
    /// The values of [`CLAIMGATE_ONE_OF`].
    pub texts: claimgate_texts,
    /// The value of [`CLAIMGATE_EQUALS_INTEGER`] and [`CLAIMGATE_EQUALS_BOOLEAN`].
    pub integer: i64,
}

/// A list of claim rules.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct claimgate_claim_rules {
    /// The first rule. Null for no rules.
    pub items: *const claimgate_claim_rule,
    /// The number of rules.
    pub count: usize,
}

/// The settings that policies of all kinds share.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct claimgate_common_settings {
    /// The maximum difference of the issuer's clock, in seconds: 60 unless set, at most 600.
    pub leeway: claimgate_seconds,
    /// The maximum age of a token, from `iat`.
    pub max_token_age: claimgate_seconds,
    /// The maximum of `exp − iat`.
    pub max_lifetime: claimgate_seconds,
    /// Rules for claims, all of which must be met.
    pub claim_rules: claimgate_claim_rules,
    /// Claims of other kinds of token that are accepted: a combination of the constants from
    /// [`CLAIMGATE_ALLOW_SCOPE`] on.
    pub allowed_foreign_claims: u32,
    /// 0 rejects an `iat` in the future; 1 accepts it.
    pub ignore_issued_in_future: u32,
}

/// Accepts `scope` and `scp` in an ID token.
pub const CLAIMGATE_ALLOW_SCOPE: u32 = 1;
/// Accepts `permissions` in an ID token.
pub const CLAIMGATE_ALLOW_PERMISSIONS: u32 = 2;
/// Accepts `gty` in an ID token.
pub const CLAIMGATE_ALLOW_GRANT_TYPE: u32 = 4;
/// Accepts `nonce` in an access token.
pub const CLAIMGATE_ALLOW_NONCE: u32 = 8;
/// Accepts `at_hash` in an access token.
pub const CLAIMGATE_ALLOW_AT_HASH: u32 = 16;
/// Accepts `c_hash` in an access token.
pub const CLAIMGATE_ALLOW_C_HASH: u32 = 32;
/// Accepts `s_hash` in an access token.
pub const CLAIMGATE_ALLOW_S_HASH: u32 = 64;
/// Accepts a `token_use` that names another kind.
pub const CLAIMGATE_ALLOW_TOKEN_USE: u32 = 128;
/// Accepts a claim `typ` that names another kind.
pub const CLAIMGATE_ALLOW_TYP: u32 = 256;
/// Accepts `events`.
pub const CLAIMGATE_ALLOW_EVENTS: u32 = 512;

/// `typ` is missing, `JWT` or `at+jwt`: the access tokens of most issuers.
pub const CLAIMGATE_PROFILE_GENERAL: u32 = 0;
/// The profile of RFC 9068.
pub const CLAIMGATE_PROFILE_RFC9068: u32 = 1;
/// Tokens without `aud`, only of the clients in `authorized_parties`.
pub const CLAIMGATE_PROFILE_WITHOUT_AUDIENCE: u32 = 2;

/// Any subject.
pub const CLAIMGATE_SUBJECT_ANY: u32 = 0;
/// The subject must be a user.
pub const CLAIMGATE_SUBJECT_USER: u32 = 1;
/// The subject must be a client.
pub const CLAIMGATE_SUBJECT_CLIENT: u32 = 2;

/// The settings of an API for access tokens.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct claimgate_access_settings {
    /// `sizeof(claimgate_access_settings)`.
    pub size: usize,
    /// The settings that all kinds share.
    pub common: claimgate_common_settings,
    /// One of the constants from [`CLAIMGATE_PROFILE_GENERAL`] on.
    pub profile: u32,
    /// One of the constants from [`CLAIMGATE_SUBJECT_ANY`] on.
    pub subject_kind: u32,
    /// 0 rejects tokens that are bound to a key unless the request proves it; 1 accepts them
    /// without a check, for a program behind a proxy that checks it.
    pub danger_ignore_confirmation: u32,
    /// The identifier of the API, which `aud` must contain.
    pub audience: claimgate_text,
    /// Further identifiers of the API.
    pub other_audiences: claimgate_texts,
    /// The clients whose tokens are accepted.
    pub authorized_parties: claimgate_texts,
    /// Client IDs in the same configuration: none may be an audience.
    pub client_ids: claimgate_texts,
    /// Required scope tokens, all of them.
    pub scopes_all: claimgate_texts,
    /// Required scope tokens, one of them, in addition to those of `scopes_all`.
    pub scopes_any: claimgate_texts,
    /// Required permissions, all of them.
    pub permissions_all: claimgate_texts,
    /// Required permissions, one of them, in addition to those of `permissions_all`.
    pub permissions_any: claimgate_texts,
    /// Authentication context classes, one of which `acr` must be.
    pub acr_values: claimgate_texts,
    /// The maximum age of the authentication, from `auth_time`.
    pub max_age: claimgate_seconds,
}

/// The settings of an application for ID tokens.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct claimgate_id_settings {
    /// `sizeof(claimgate_id_settings)`.
    pub size: usize,
    /// The settings that all kinds share.
    pub common: claimgate_common_settings,
    /// The client ID of the application, which `aud` must contain.
    pub client_id: claimgate_text,
    /// Further client IDs of the application.
    pub other_client_ids: claimgate_texts,
    /// Other audiences that `aud` may contain.
    pub trusted_audiences: claimgate_texts,
    /// Authentication context classes, one of which `acr` must be.
    pub acr_values: claimgate_texts,
    /// Authentication methods, all of which `amr` must contain.
    pub amr_values: claimgate_texts,
    /// The maximum age of the authentication, from `auth_time`.
    pub max_age: claimgate_seconds,
    /// 0 rejects `email_verified: "true"`; 1 accepts it.
    pub accept_string_booleans: u32,
}

/// The settings of an application for logout tokens.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct claimgate_logout_settings {
    /// `sizeof(claimgate_logout_settings)`.
    pub size: usize,
    /// The settings that all kinds share.
    pub common: claimgate_common_settings,
    /// The client ID of the application, which `aud` must contain.
    pub client_id: claimgate_text,
    /// Further client IDs of the application.
    pub other_client_ids: claimgate_texts,
    /// Other audiences that `aud` may contain.
    pub trusted_audiences: claimgate_texts,
    /// Accepts tokens without `exp` up to this age, from `iat`.
    pub max_age_without_expiry: claimgate_seconds,
}

/// The settings of an issuer.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct claimgate_issuer_settings {
    /// `sizeof(claimgate_issuer_settings)`.
    pub size: usize,
    /// The URL of the issuer, exactly as in the `iss` of its tokens; with `tenants`, a
    /// template that contains `{tenantid}`.
    pub url: claimgate_text,
    /// The accepted tenants, for a multi-tenant issuer.
    pub tenants: claimgate_texts,
    /// 1 accepts any tenant. The program must then check `tid` itself.
    pub danger_any_tenant: u32,
    /// The algorithms that are accepted: a combination of the constants from
    /// [`CLAIMGATE_RS256`](crate::CLAIMGATE_RS256) on. 0 is `CLAIMGATE_RS256`.
    pub algorithms: u32,
}

/// The token must not have a `nonce`.
pub const CLAIMGATE_NONCE_ABSENT: u32 = 1;
/// `nonce` must equal the one of the login.
pub const CLAIMGATE_NONCE_EXPECTED: u32 = 2;
/// Accepts any `nonce`, and none. For flows with another protection of the login.
pub const CLAIMGATE_NONCE_IGNORED: u32 = 3;

/// The expectations of one login.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct claimgate_login {
    /// `sizeof(claimgate_login)`.
    pub size: usize,
    /// One of the constants from [`CLAIMGATE_NONCE_ABSENT`] on. There is no default.
    pub nonce_rule: u32,
    /// 0 requires `at_hash` and `c_hash` if their values are given; 1 only checks them if
    /// present.
    pub hashes_are_optional: u32,
    /// The nonce of the authentication request, for [`CLAIMGATE_NONCE_EXPECTED`].
    pub nonce: claimgate_text,
    /// The access token received with the ID token. If it, or the code, is not UTF-8, the login
    /// is rejected.
    pub access_token: claimgate_text,
    /// The authorization code received with the ID token.
    pub code: claimgate_text,
    /// The organization to which the user must have logged in.
    pub organization: claimgate_text,
}

/// The keys of which a request proves possession, as SHA-256 thumbprints in base64url without
/// padding.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct claimgate_request_key {
    /// The thumbprint of the certificate of the TLS connection (RFC 8705).
    pub x5t_s256: claimgate_text,
    /// The thumbprint of the key of a validated DPoP proof (RFC 9449).
    pub jkt: claimgate_text,
}
