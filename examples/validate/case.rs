//! One case: a token, an issuer's keys, and what a policy asks.

use serde::{Deserialize, Deserializer};

/// A line of a batch. An unknown field is an error: it could be a misspelt
/// check.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub id: String,
    pub token: String,
    pub token_use: TokenUse,
    pub jwks: String,
    pub issuer: String,
    pub now: u64,
    pub leeway: Option<u64>,
    #[serde(default)]
    pub backend: Backend,

    // Both kinds
    pub max_age: Option<u64>,
    pub acr_values: Option<Vec<String>>,

    // ID tokens
    pub client_id: Option<String>,
    pub trusted_audiences: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given")]
    pub nonce: Given<String>,
    pub access_token: Option<String>,
    pub code: Option<String>,
    pub organization: Option<String>,

    // Access tokens
    #[serde(default, deserialize_with = "given")]
    pub audience: Given<String>,
    pub profile: Option<Profile>,
    pub scopes_all: Option<Vec<String>>,
    pub scopes_any: Option<Vec<String>>,
    pub permissions_all: Option<Vec<String>>,
    pub permissions_any: Option<Vec<String>>,
    pub authorized_parties: Option<Vec<String>>,
    pub subject_kind: Option<SubjectKind>,
    pub max_token_age: Option<u64>,
    pub confirmation: Option<Confirmation>,
}

impl Case {
    /// Whether a check is asked for that an ID token's policy does not have.
    pub fn has_access_token_fields(&self) -> bool {
        self.profile.is_some()
            || self.scopes_all.is_some()
            || self.scopes_any.is_some()
            || self.permissions_all.is_some()
            || self.permissions_any.is_some()
            || self.authorized_parties.is_some()
            || self.subject_kind.is_some()
            || self.max_token_age.is_some()
            || self.confirmation.is_some()
    }

    /// Whether a check is asked for that an access token's policy does not have.
    pub fn has_id_token_fields(&self) -> bool {
        self.trusted_audiences.is_some()
            || matches!(self.nonce, Given::Value(_))
            || self.access_token.is_some()
            || self.code.is_some()
            || self.organization.is_some()
    }
}

/// A field that says different things by being absent and by being `null`.
#[derive(Debug, Default)]
pub enum Given<T> {
    #[default]
    Absent,
    Null,
    Value(T),
}

fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Given<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.map_or(Given::Null, Given::Value))
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum TokenUse {
    #[default]
    Id,
    Access,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    #[default]
    Ring,
    AwsLcRs,
    RustCrypto,
}

#[derive(Clone, Copy, Debug, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    Auth0,
    Rfc9068,
}

#[derive(Clone, Copy, Debug, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum SubjectKind {
    Any,
    User,
    Client,
}

/// The keys that the request has proved, or `"ignore"`.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Confirmation {
    Keyword(ConfirmationKeyword),
    Keys(Thumbprints),
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConfirmationKeyword {
    Ignore,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thumbprints {
    #[serde(rename = "x5t#S256")]
    pub x5t_s256: Option<String>,
    pub jkt: Option<String>,
}
