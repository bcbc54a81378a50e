//! From a case to a verdict.

use claimgate::error::ConfigError;
use claimgate::policy::{Rule, RuleSet, SubjectKind};
use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, Challenge, Error, IdToken, IdTokenPolicy, Issuer,
    JwkSet, Login, Nonce, NumericDate, PublicKey, RequestKey, RingKey, ScopePolicy, TokenBuffer,
    Validated,
};

use crate::case::{
    self, Backend, Case, Confirmation, ConfirmationKeyword, Given, Profile, TokenUse,
};

/// How many keys a key set may have.
const KEYS: usize = 32;

/// Twice the longest token, so that even one full of escapes has room.
type Buffer = TokenBuffer<16_384>;

/// What became of a case.
pub enum Verdict {
    Valid {
        subject: String,
        audience: Vec<String>,
        scope: String,
    },
    Invalid {
        error: Error,
        www_authenticate: String,
    },
    /// The policy cannot be built.
    Usage {
        code: &'static str,
        message: String,
    },
}

/// Why a policy cannot be built, or why its token is refused.
pub enum Refusal {
    Construction(ConfigError),
    Usage(&'static str),
    Token { error: Error, www_authenticate: String },
}

impl From<ConfigError> for Refusal {
    fn from(error: ConfigError) -> Self {
        Self::Construction(error)
    }
}

impl From<Refusal> for Verdict {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Construction(error) => {
                Self::Usage { code: error.code(), message: error.to_string() }
            }
            Refusal::Usage(message) => Self::Usage { code: "usage", message: message.to_owned() },
            Refusal::Token { error, www_authenticate } => Self::Invalid { error, www_authenticate },
        }
    }
}

/// Judges a case with the backend that it names.
pub fn judge(case: &Case) -> Verdict {
    match case.backend {
        Backend::Ring => judge_with::<RingKey>(case),
        #[cfg(feature = "aws-lc-rs")]
        Backend::AwsLcRs => judge_with::<claimgate::AwsLcKey>(case),
        #[cfg(feature = "pure-rust")]
        Backend::PureRust => judge_with::<claimgate::PureRustKey>(case),
        #[cfg(not(all(feature = "aws-lc-rs", feature = "pure-rust")))]
        _ => Refusal::Usage("the program was built without this backend's feature").into(),
    }
}

fn judge_with<K: PublicKey>(case: &Case) -> Verdict {
    let mut buffer = Buffer::new();
    let verdict = match case.token_use {
        TokenUse::Id => id_token::<K>(case, &mut buffer).map(|token| Verdict::Valid {
            subject: token.subject().to_owned(),
            audience: token.audience().iter().map(str::to_owned).collect(),
            scope: String::new(),
        }),
        TokenUse::Access => access_token::<K>(case, &mut buffer).map(|token| Verdict::Valid {
            subject: token.subject().to_owned(),
            audience: token.audience().iter().map(str::to_owned).collect(),
            scope: token.scope().to_string(),
        }),
    };
    verdict.unwrap_or_else(Verdict::from)
}

/// The rules of a well-signed token's policy, and which of them it breaks.
pub fn explain(case: &Case) -> Option<(Vec<Rule>, RuleSet)> {
    let keys = JwkSet::<RingKey, KEYS>::from_json(&case.jwks).ok()?;
    let issuer = Issuer::new(&case.issuer, keys).ok()?;
    let now = NumericDate::from_secs(case.now);
    let mut buffer = Buffer::new();
    match case.token_use {
        TokenUse::Id => {
            let failed = with_id_policy(case, |policy, login| {
                IdToken::explain(&case.token, (&issuer, policy), login, now, &mut buffer)
            });
            Some((IdTokenPolicy::rules().collect(), failed.ok()?.ok()?))
        }
        TokenUse::Access => {
            let failed = with_access_policy(case, |policy, token| {
                AccessToken::explain(token, (&issuer, policy), now, &mut buffer)
            });
            Some((AccessTokenPolicy::rules().collect(), failed.ok()?.ok()?))
        }
    }
}

fn id_token<'b, K: PublicKey>(
    case: &Case,
    buffer: &'b mut Buffer,
) -> Result<Validated<IdToken<'b>>, Refusal> {
    with_id_policy(case, |policy, login| {
        let refuse =
            |error| Refusal::Token { error, www_authenticate: Challenge::new(error).to_string() };
        let keys = JwkSet::<K, KEYS>::from_json(&case.jwks).map_err(refuse)?;
        let issuer = Issuer::new(&case.issuer, keys)?;
        let now = NumericDate::from_secs(case.now);
        IdToken::validate(&case.token, (&issuer, policy), login, now, buffer).map_err(refuse)
    })?
}

fn access_token<'b, K: PublicKey>(
    case: &Case,
    buffer: &'b mut Buffer,
) -> Result<Validated<AccessToken<'b>>, Refusal> {
    with_access_policy(case, |policy, token| {
        let refuse =
            |error| Refusal::Token { error, www_authenticate: policy.challenge(error).to_string() };
        let keys = JwkSet::<K, KEYS>::from_json(&case.jwks).map_err(refuse)?;
        let issuer = Issuer::new(&case.issuer, keys)?;
        let now = NumericDate::from_secs(case.now);
        AccessToken::validate(token, (&issuer, policy), now, buffer).map_err(refuse)
    })?
}

/// Builds the ID token policy and the login of a case and passes them to `use_policy`.
fn with_id_policy<T>(
    case: &Case,
    use_policy: impl FnOnce(&IdTokenPolicy<'_>, Login<'_>) -> T,
) -> Result<T, Refusal> {
    let client_id = case.client_id.as_deref().ok_or(Refusal::Usage("client_id is missing"))?;
    if case.has_access_token_fields() {
        return Err(Refusal::Usage("a field for access tokens is given for an ID token"));
    }
    let nonce = match &case.nonce {
        Given::Absent => Nonce::Ignore,
        Given::Null => Nonce::ExpectNone,
        Given::Value(nonce) => Nonce::Expect(nonce),
    };
    let trusted_audiences = borrow(&case.trusted_audiences);
    let acr_values = borrow(&case.acr_values);
    let mut policy = IdTokenPolicy::new(client_id);
    if let Some(trusted_audiences) = &trusted_audiences {
        policy = policy.trusted_audiences(trusted_audiences);
    }
    if let Some(acr_values) = &acr_values {
        policy = policy.require_acr(acr_values);
    }
    if let Some(max_age) = case.max_age {
        policy = policy.max_age(max_age);
    }
    if let Some(leeway) = case.leeway {
        policy = policy.leeway(leeway);
    }
    let mut login = Login::new(nonce);
    if let Some(access_token) = &case.access_token {
        login = login.access_token(BearerToken::new(access_token));
    }
    if let Some(code) = &case.code {
        login = login.code(code);
    }
    if let Some(organization) = &case.organization {
        login = login.organization(organization);
    }
    if let Given::Value(audience) = &case.audience {
        // Both are configured in one place: they must differ.
        AccessTokenPolicy::general(audience).forbid_client_ids(&[client_id]).build()?;
    }
    check_issuer(case)?;
    Ok(use_policy(&policy.build()?, login.build()?))
}

/// Builds the access token policy and the bearer token of a case and passes them to
/// `use_policy`.
fn with_access_policy<T>(
    case: &Case,
    use_policy: impl FnOnce(&AccessTokenPolicy<'_>, BearerToken<'_>) -> T,
) -> Result<T, Refusal> {
    if case.has_id_token_fields() {
        return Err(Refusal::Usage("a field for ID tokens is given for an access token"));
    }
    let parties = borrow(&case.authorized_parties);
    let mut policy = match (&case.audience, case.profile, &parties) {
        (Given::Value(audience), None | Some(Profile::Auth0), _) => {
            AccessTokenPolicy::general(audience)
        }
        (Given::Value(audience), Some(Profile::Rfc9068), _) => AccessTokenPolicy::rfc9068(audience),
        (Given::Null, None | Some(Profile::Auth0), Some(parties)) => {
            AccessTokenPolicy::without_audience(parties)
        }
        (Given::Null, Some(Profile::Rfc9068), _) => {
            return Err(Refusal::Usage("the profile rfc9068 requires an audience"));
        }
        (Given::Null, _, None) => {
            return Err(Refusal::Usage("an audience of null requires authorized_parties"));
        }
        (Given::Absent, ..) => return Err(Refusal::Usage("audience is missing")),
    };
    if let Some(parties) = &parties {
        policy = policy.authorized_parties(parties);
    }
    let client_ids: Vec<&str> = case.client_id.as_deref().into_iter().collect();
    policy = policy.forbid_client_ids(&client_ids);
    let scope_sets = sets(&case.scopes_all, &case.scopes_any);
    let scope_sets = scope_sets.as_ref().map(|sets| slices(sets));
    if let Some(sets) = &scope_sets {
        policy = policy.require_scope(ScopePolicy::any_of_all_of(sets)?);
    }
    let permission_sets = sets(&case.permissions_all, &case.permissions_any);
    let permission_sets = permission_sets.as_ref().map(|sets| slices(sets));
    if let Some(sets) = &permission_sets {
        policy = policy.require_permissions(ScopePolicy::any_of_all_of(sets)?);
    }
    match case.subject_kind {
        None | Some(case::SubjectKind::Any) => {}
        Some(case::SubjectKind::User) => policy = policy.require_subject(SubjectKind::User),
        Some(case::SubjectKind::Client) => policy = policy.require_subject(SubjectKind::Client),
    }
    let acr_values = borrow(&case.acr_values);
    if let Some(acr_values) = &acr_values {
        policy = policy.require_acr(acr_values);
    }
    if let Some(max_age) = case.max_age {
        policy = policy.max_age(max_age);
    }
    if let Some(max_token_age) = case.max_token_age {
        policy = policy.max_token_age(max_token_age);
    }
    if let Some(leeway) = case.leeway {
        policy = policy.leeway(leeway);
    }
    let mut token = BearerToken::new(&case.token);
    match &case.confirmation {
        None => {}
        Some(Confirmation::Keyword(ConfirmationKeyword::Ignore)) => {
            policy = policy.danger_ignore_confirmation();
        }
        Some(Confirmation::Keys(keys)) => {
            token = token.with_key(match (&keys.x5t_s256, &keys.jkt) {
                (Some(x5t_s256), Some(jkt)) => RequestKey::certificate_and_dpop(x5t_s256, jkt),
                (Some(x5t_s256), None) => RequestKey::certificate(x5t_s256),
                (None, Some(jkt)) => RequestKey::dpop(jkt),
                (None, None) => return Err(Refusal::Usage("confirmation names no thumbprint")),
            }?);
        }
    }
    check_issuer(case)?;
    Ok(use_policy(&policy.build()?, token))
}

/// An issuer that cannot be built is told before its keys are looked at.
fn check_issuer(case: &Case) -> Result<(), Refusal> {
    if case.issuer.is_empty() { Err(ConfigError::Empty("issuer").into()) } else { Ok(()) }
}

fn borrow(list: &Option<Vec<String>>) -> Option<Vec<&str>> {
    list.as_ref().map(|list| list.iter().map(String::as_str).collect())
}

/// The sets of which one is needed: each of `all` and one of `any`.
fn sets<'c>(
    all: &'c Option<Vec<String>>,
    any: &'c Option<Vec<String>>,
) -> Option<Vec<Vec<&'c str>>> {
    let all = borrow(all);
    match borrow(any) {
        None => all.map(|all| vec![all]),
        Some(any) => {
            let all = all.unwrap_or_default();
            Some(any.into_iter().map(|one| [all.as_slice(), &[one]].concat()).collect())
        }
    }
}

fn slices<'s, 'c>(sets: &'s [Vec<&'c str>]) -> Vec<&'s [&'c str]> {
    sets.iter().map(Vec::as_slice).collect()
}
