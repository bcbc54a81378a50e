//! The command line. Options have the names of the fields of a case.

use std::fs::File;
use std::io::{self, Read};

use claimgate::NumericDate;
use clap::{ArgGroup, Parser};

use crate::case::{
    Backend, Case, ClaimRule, Confirmation, ConfirmationKeyword, Given, Profile, SubjectKind,
    Thumbprints, TokenUse,
};

/// Validates ID tokens, access tokens, logout tokens and DPoP proofs.
///
/// Without arguments: a demonstration. With a token: that token, and the rules that it meets
/// and violates; exit status 0 if it is valid, 1 if not, 2 for wrong usage. With --batch: JSON
/// Lines in, JSON Lines out.
#[derive(Debug, Parser)]
#[command(name = "validate", group = ArgGroup::new("use").multiple(true))]
pub struct Arguments {
    /// The token, or - to read it from standard input
    #[arg(requires = "use")]
    pub token: Option<String>,

    /// A file of cases in JSON Lines, or - for standard input
    #[arg(long, value_name = "FILE", exclusive = true)]
    pub batch: Option<String>,

    /// The issuer's key set, as a file
    #[arg(long, value_name = "FILE", requires = "token")]
    pub jwks: Option<String>,
    /// The expected issuer
    #[arg(long, value_name = "URL", requires = "token")]
    pub issuer: Option<String>,
    /// An ID token for this client, or with --token-use logout a logout token
    #[arg(
        long,
        value_name = "ID",
        group = "use",
        requires = "jwks",
        requires = "issuer",
        conflicts_with_all = ["audience", "no_audience", "url"]
    )]
    pub client_id: Option<String>,
    /// An access token for this API
    #[arg(long, value_name = "API", group = "use", requires = "jwks", requires = "issuer")]
    pub audience: Option<String>,
    /// An access token of an issuer that writes no audience, for --authorized-parties
    #[arg(
        long,
        group = "use",
        conflicts_with = "audience",
        requires = "authorized_parties",
        requires = "jwks",
        requires = "issuer"
    )]
    pub no_audience: bool,
    /// The method of the request that a DPoP proof was made for; without --audience, the
    /// token is the proof
    #[arg(long, requires = "url")]
    pub method: Option<String>,
    /// The kind of token, if it does not follow from --client-id or --audience
    #[arg(long, value_enum)]
    pub token_use: Option<TokenUse>,

    /// Seconds since the epoch [default: the system's clock]
    #[arg(long)]
    pub now: Option<u64>,
    /// Seconds by which clocks may differ [default: 60]
    #[arg(long)]
    pub leeway: Option<u64>,
    /// The accepted algorithms, such as ES256 [default: RS256]
    #[arg(long, value_delimiter = ',')]
    pub algorithms: Option<Vec<String>>,
    /// The issuer's discovery document, as a file; it must name the issuer
    #[arg(long, value_name = "FILE")]
    pub discovery: Option<String>,
    /// The allowed tenants; the issuer is then a template with {tenantid}
    #[arg(long, value_delimiter = ',')]
    pub tenants: Option<Vec<String>>,
    /// Rules for claims, as JSON: [{"path":["realm_access","roles"],"contains":"admin"}]
    #[arg(long, value_parser = claims)]
    pub claims: Option<Claims>,
    /// The implementation of the algorithms
    #[arg(long, value_enum, default_value = "ring")]
    pub backend: Backend,
    /// Seconds since the user authenticated
    #[arg(long)]
    pub max_age: Option<u64>,
    /// Authentication context classes, one of which is required
    #[arg(long, value_delimiter = ',')]
    pub acr_values: Option<Vec<String>>,

    /// ID token: other audiences that are accepted in addition to the client
    #[arg(long, value_delimiter = ',')]
    pub trusted_audiences: Option<Vec<String>>,
    /// ID token: the nonce of the login [default: any, and none]
    #[arg(long)]
    pub nonce: Option<String>,
    /// ID token: there must be no nonce
    #[arg(long, conflicts_with = "nonce")]
    pub no_nonce: bool,
    /// ID token: the access token that at_hash must match
    #[arg(long)]
    pub access_token: Option<String>,
    /// ID token: the authorization code that c_hash must match
    #[arg(long)]
    pub code: Option<String>,
    /// ID token: the organization's ID (org_...) or name
    #[arg(long)]
    pub organization: Option<String>,

    /// Access token: its profile
    #[arg(long, value_enum)]
    pub profile: Option<Profile>,
    /// Access token: scope tokens that are all required
    #[arg(long, value_delimiter = ',')]
    pub scopes_all: Option<Vec<String>>,
    /// Access token: scope tokens of which one is required
    #[arg(long, value_delimiter = ',')]
    pub scopes_any: Option<Vec<String>>,
    /// Access token: permissions that are all required
    #[arg(long, value_delimiter = ',')]
    pub permissions_all: Option<Vec<String>>,
    /// Access token: permissions of which one is required
    #[arg(long, value_delimiter = ',')]
    pub permissions_any: Option<Vec<String>>,
    /// Access token: the clients whose tokens are accepted
    #[arg(long, value_delimiter = ',')]
    pub authorized_parties: Option<Vec<String>>,
    /// Access token: the required kind of subject
    #[arg(long, value_enum)]
    pub subject_kind: Option<SubjectKind>,
    /// Access token: seconds since it was issued
    #[arg(long)]
    pub max_token_age: Option<u64>,
    /// Access token: the key of which the request proves possession, as x5t#S256=THUMBPRINT or
    /// jkt=THUMBPRINT, or ignore
    #[arg(long, value_parser = confirmation)]
    pub confirmation: Option<Confirmation>,

    /// Access token: the DPoP proof of the request
    #[arg(long, requires = "method")]
    pub dpop: Option<String>,
    /// DPoP proof: the URL of the request
    #[arg(long, requires = "method", group = "use")]
    pub url: Option<String>,
    /// DPoP proof: the nonce that the server provided
    #[arg(long)]
    pub proof_nonce: Option<String>,
}

/// Rules for claims; a type of its own, because clap treats `Vec` specially.
#[derive(Clone, Debug)]
pub struct Claims(Vec<ClaimRule>);

impl Arguments {
    /// Returns the case for the options.
    pub fn case(&self, token: &str) -> io::Result<Case> {
        let fields = self.fields();
        Ok(Case {
            id: String::new(),
            token: if token == "-" { read_trimmed(io::stdin())? } else { token.to_owned() },
            token_use: self.token_use.unwrap_or_else(|| self.implied_use()),
            jwks: self.jwks.as_deref().map(read).transpose()?,
            issuer: self.issuer.clone(),
            discovery: self.discovery.as_deref().map(read).transpose()?,
            now: self.now.unwrap_or_else(|| NumericDate::now().as_secs()),
            ..fields
        })
    }

    /// Returns the kind of token that follows from the other options.
    fn implied_use(&self) -> TokenUse {
        if self.client_id.is_some() {
            TokenUse::Id
        } else if self.audience.is_some() || self.no_audience {
            TokenUse::Access
        } else {
            TokenUse::Dpop
        }
    }

    fn fields(&self) -> Case {
        Case {
            algorithms: self.algorithms.clone(),
            tenants: self.tenants.clone(),
            claims: self.claims.clone().map(|Claims(rules)| rules),
            dpop: self.dpop.clone(),
            method: self.method.clone(),
            url: self.url.clone(),
            proof_nonce: self.proof_nonce.clone(),
            leeway: self.leeway,
            backend: self.backend,
            max_age: self.max_age,
            acr_values: self.acr_values.clone(),
            client_id: self.client_id.clone(),
            trusted_audiences: self.trusted_audiences.clone(),
            nonce: match (&self.nonce, self.no_nonce) {
                (Some(nonce), _) => Given::Value(nonce.clone()),
                (None, true) => Given::Null,
                (None, false) => Given::Absent,
            },
            access_token: self.access_token.clone(),
            code: self.code.clone(),
            organization: self.organization.clone(),
            audience: match (&self.audience, self.no_audience) {
                (Some(audience), _) => Given::Value(audience.clone()),
                (None, true) => Given::Null,
                (None, false) => Given::Absent,
            },
            profile: self.profile,
            scopes_all: self.scopes_all.clone(),
            scopes_any: self.scopes_any.clone(),
            permissions_all: self.permissions_all.clone(),
            permissions_any: self.permissions_any.clone(),
            authorized_parties: self.authorized_parties.clone(),
            subject_kind: self.subject_kind,
            max_token_age: self.max_token_age,
            confirmation: self.confirmation.clone(),
            ..Case::default()
        }
    }
}

/// Opens a file; an error names it.
pub fn open(path: &str) -> io::Result<File> {
    File::open(path).map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))
}

fn read(path: &str) -> io::Result<String> {
    io::read_to_string(open(path)?)
}

fn claims(text: &str) -> Result<Claims, serde_json::Error> {
    serde_json::from_str(text).map(Claims)
}

fn read_trimmed(source: impl Read) -> io::Result<String> {
    Ok(io::read_to_string(source)?.trim().to_owned())
}

fn confirmation(text: &str) -> Result<Confirmation, String> {
    let mut thumbprints = Thumbprints { x5t_s256: None, jkt: None };
    match text.split_once('=') {
        None if text == "ignore" => {
            return Ok(Confirmation::Keyword(ConfirmationKeyword::Ignore));
        }
        Some(("x5t#S256", thumbprint)) => thumbprints.x5t_s256 = Some(thumbprint.to_owned()),
        Some(("jkt", thumbprint)) => thumbprints.jkt = Some(thumbprint.to_owned()),
        _ => return Err("neither x5t#S256=…, jkt=… nor ignore".to_owned()),
    }
    Ok(Confirmation::Keys(thumbprints))
}
