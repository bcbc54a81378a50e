//! A case: a token, an issuer's keys, and a policy.

use serde::de::{self, IgnoredAny};
use serde::{Deserialize, Deserializer};

/// A line of a batch. An unknown field is an error, because it could be a misspelt check; some
/// annotations are ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub id: String,
    pub token: String,
    pub token_use: TokenUse,
    pub jwks: Option<String>,
    pub issuer: Option<String>,
    #[serde(deserialize_with = "seconds")]
    pub now: u64,
    #[serde(default, deserialize_with = "optional_seconds")]
    pub leeway: Option<u64>,
    #[serde(default, deserialize_with = "or_default")]
    pub backend: Backend,

    /// The accepted algorithms.
    pub algorithms: Option<Vec<String>>,
    /// A discovery document that must name `issuer`.
    pub discovery: Option<String>,
    /// The tenants of the issuer, whose URL is then a template.
    pub tenants: Option<Vec<String>>,

    // ID tokens and access tokens
    pub claims: Option<Vec<ClaimRule>>,
    #[serde(default, deserialize_with = "optional_seconds")]
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
    #[serde(default, deserialize_with = "optional_seconds")]
    pub max_token_age: Option<u64>,
    pub confirmation: Option<Confirmation>,

    // DPoP proofs, and access tokens sent with one
    pub dpop: Option<String>,
    pub method: Option<String>,
    pub url: Option<String>,
    pub proof_nonce: Option<String>,

    // Annotations
    #[serde(default, rename = "comment")]
    pub _comment: IgnoredAny,
    #[serde(default, rename = "description")]
    pub _description: IgnoredAny,
    #[serde(default, rename = "expect")]
    pub _expect: IgnoredAny,
    #[serde(default, rename = "expected")]
    pub _expected: IgnoredAny,
    #[serde(default, rename = "name")]
    pub _name: IgnoredAny,
    #[serde(default, rename = "note")]
    pub _note: IgnoredAny,
}

impl Case {
    /// Returns whether the case has a field that applies only to access tokens.
    pub fn has_access_token_fields(&self) -> bool {
        self.has_access_policy_fields() || self.has_proof_fields()
    }

    /// Returns whether the case has a field that a proof of its own cannot have.
    pub fn has_token_fields(&self) -> bool {
        self.has_access_policy_fields()
            || self.has_login_fields()
            || self.dpop.is_some()
            || self.claims.is_some()
            || self.acr_values.is_some()
            || self.tenants.is_some()
    }

    fn has_access_policy_fields(&self) -> bool {
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

    /// Returns whether the case has a field that describes the request of a proof.
    pub fn has_proof_fields(&self) -> bool {
        self.dpop.is_some()
            || self.method.is_some()
            || self.url.is_some()
            || self.proof_nonce.is_some()
    }

    /// Returns whether the case has a field that applies only to ID tokens.
    pub fn has_id_token_fields(&self) -> bool {
        self.has_login_fields() || self.access_token.is_some()
    }

    fn has_login_fields(&self) -> bool {
        self.trusted_audiences.is_some()
            || matches!(self.nonce, Given::Value(_))
            || self.code.is_some()
            || self.organization.is_some()
    }
}

/// A field for which a missing value and `null` differ.
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

/// Treats `null` as missing.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads seconds, as any non-negative JSON number. A fraction is truncated.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    optional_seconds(deserializer)?
        .ok_or_else(|| de::Error::custom("a number of seconds is missing"))
}

fn optional_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let Some(number) = Option::<serde_json::Number>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let whole = number.as_u64().or_else(|| {
        let number = number.as_f64().filter(|number| (0.0..9e15).contains(number))?;
        Some(number as u64)
    });
    whole.map(Some).ok_or_else(|| de::Error::custom("a number of seconds is out of range"))
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum TokenUse {
    #[default]
    Id,
    Access,
    Logout,
    Dpop,
}

/// A rule for a claim: a path, and one operator.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimRule {
    pub path: Vec<String>,
    pub equals: Option<Scalar>,
    pub one_of: Option<Vec<String>>,
    pub contains: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    Text(String),
    Integer(i64),
    Boolean(bool),
}

#[derive(Clone, Copy, Debug, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    #[default]
    Ring,
    AwsLcRs,
    #[serde(alias = "rust-crypto")]
    #[value(alias = "rust-crypto")]
    PureRust,
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

/// The keys of which the request proves possession, or `"ignore"`.
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

impl Thumbprints {
    pub fn is_certificate_alone(&self) -> bool {
        self.x5t_s256.is_some() && self.jkt.is_none()
    }
}
