//! The validation of a case.

use claimgate::bearer::DpopToken;
use claimgate::discovery::ProviderMetadata;
use claimgate::dpop::DpopRequest;
use claimgate::error::ConfigError;
use claimgate::jwk::Algorithms;
use claimgate::policy::{ClaimRule, Rule, RuleSet, SubjectKind};
use claimgate::policy::{DpopPolicy, LogoutTokenPolicy};
use claimgate::replay::ReplayWindow;
use claimgate::trust::{IssuerRef, TenantIssuer};
use claimgate::{
    AccessToken, AccessTokenPolicy, Algorithm, BearerToken, Challenge, DpopProof, Error, IdToken,
    IdTokenPolicy, Issuer, JwkSet, Login, LogoutToken, Nonce, NumericDate, PublicKey, RequestKey,
    RingAnyKey, RingKey, ScopePolicy, TokenBuffer, Validated,
};

use crate::case::{
    self, Backend, Case, Confirmation, ConfirmationKeyword, Given, Profile, Scalar, TokenUse,
};

/// The maximum number of keys of a key set.
const KEYS: usize = 32;

/// Twice the maximum length of a token, so that a token with many escapes fits.
type Buffer = TokenBuffer<16_384>;

/// The answer to a case.
pub enum Verdict {
    Valid(Accepted),
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

/// The claims of an accepted token that are printed.
pub enum Accepted {
    Token { subject: String, audience: Vec<String>, scope: String },
    Logout { subject: Option<String>, session_id: Option<String> },
    Proof { thumbprint: String, token_id: String },
}

/// The reason why a policy cannot be built, or why its token is rejected.
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

/// Returns a refusal with a challenge without a policy.
fn refuse(error: Error) -> Refusal {
    Refusal::Token { error, www_authenticate: Challenge::new(error).to_string() }
}

/// Validates a case with its backend: with the key type for RS256, unless the case names
/// algorithms.
pub fn judge(case: &Case) -> Verdict {
    let names_algorithms = case.algorithms.is_some();
    let verdict = match case.backend {
        Backend::Ring if names_algorithms => judge_with::<RingAnyKey, RingAnyKey>(case),
        Backend::Ring => judge_with::<RingKey, RingAnyKey>(case),
        #[cfg(feature = "aws-lc-rs")]
        Backend::AwsLcRs if names_algorithms => {
            judge_with::<claimgate::AwsLcAnyKey, claimgate::AwsLcAnyKey>(case)
        }
        #[cfg(feature = "aws-lc-rs")]
        Backend::AwsLcRs => judge_with::<claimgate::AwsLcKey, claimgate::AwsLcAnyKey>(case),
        #[cfg(feature = "pure-rust")]
        Backend::PureRust if names_algorithms => {
            judge_with::<claimgate::PureRustAnyKey, claimgate::PureRustAnyKey>(case)
        }
        #[cfg(feature = "pure-rust")]
        Backend::PureRust => judge_with::<claimgate::PureRustKey, claimgate::PureRustAnyKey>(case),
        #[cfg(not(all(feature = "aws-lc-rs", feature = "pure-rust")))]
        _ => Err(Refusal::Usage("the program was built without this backend's feature")),
    };
    verdict.map_or_else(Verdict::from, Verdict::Valid)
}

/// `K` is the type of the issuer's keys, and `P` that of the keys of proofs.
fn judge_with<K: PublicKey, P: PublicKey>(case: &Case) -> Result<Accepted, Refusal> {
    check_discovery(case)?;
    let mut buffer = Buffer::new();
    match case.token_use {
        TokenUse::Id => id_token::<K>(case, &mut buffer).map(|token| Accepted::Token {
            subject: token.subject().to_owned(),
            audience: token.audience().iter().map(str::to_owned).collect(),
            scope: String::new(),
        }),
        TokenUse::Access => access_token::<K, P>(case, &mut buffer).map(|token| Accepted::Token {
            subject: token.subject().to_owned(),
            audience: token.audience().iter().map(str::to_owned).collect(),
            scope: token.scope().to_string(),
        }),
        TokenUse::Logout => logout_token::<K>(case, &mut buffer).map(|token| Accepted::Logout {
            subject: token.subject().map(str::to_owned),
            session_id: token.session_id().map(str::to_owned),
        }),
        TokenUse::Dpop => {
            if case.has_token_fields() {
                return Err(Refusal::Usage("a field for other tokens is given for a proof"));
            }
            let policy = DpopPolicy::new().algorithms(algorithms(case)?.unwrap_or(Algorithms::ALL));
            let policy = with_times(policy, case.max_age, case.leeway).build()?;
            let access_token = case.access_token.as_deref();
            if access_token == Some("") {
                return Err(ConfigError::Empty("access token").into());
            }
            let proof = proof::<P>(case, &case.token, &policy, access_token, &mut buffer)?;
            Ok(Accepted::Proof {
                thumbprint: proof.thumbprint().to_owned(),
                token_id: proof.token_id().to_owned(),
            })
        }
    }
}

/// Checks that the discovery document names the issuer (M1).
fn check_discovery(case: &Case) -> Result<(), Refusal> {
    let Some(document) = &case.discovery else { return Ok(()) };
    let mut buffer = TokenBuffer::<65_536>::new();
    ProviderMetadata::from_json(document, issuer_url(case)?, &mut buffer).map_err(refuse)?;
    Ok(())
}

/// The issuer and its keys.
enum TrustedIssuer<'c, K> {
    One(Issuer<K, KEYS, &'c str>),
    Tenants(TenantIssuer<K, KEYS, &'c str, &'c [String]>),
}

impl<'c, K: PublicKey> TrustedIssuer<'c, K> {
    fn new(case: &'c Case) -> Result<Self, Refusal> {
        let url = issuer_url(case)?;
        let jwks = case.jwks.as_deref().ok_or(Refusal::Usage("jwks is missing"))?;
        let keys = match algorithms(case)? {
            None => JwkSet::from_json(jwks),
            Some(algorithms) => JwkSet::from_json_for(algorithms, jwks),
        };
        let keys = keys.map_err(refuse)?;
        Ok(match &case.tenants {
            None => Self::One(Issuer::new(url, keys)?),
            Some(tenants) => Self::Tenants(TenantIssuer::new(url, tenants.as_slice(), keys)?),
        })
    }

    fn by_ref(&self) -> IssuerRef<'_, K> {
        match self {
            Self::One(issuer) => issuer.by_ref(),
            Self::Tenants(issuer) => issuer.by_ref(),
        }
    }
}

/// Returns the issuer's URL. An empty one is an error of the case, whatever its key set.
fn issuer_url(case: &Case) -> Result<&str, Refusal> {
    match case.issuer.as_deref() {
        None => Err(Refusal::Usage("issuer is missing")),
        Some("") => Err(ConfigError::Empty("issuer").into()),
        Some(url) => Ok(url),
    }
}

/// Returns the algorithms of a case, if it names any.
fn algorithms(case: &Case) -> Result<Option<Algorithms>, Refusal> {
    let Some(names) = &case.algorithms else { return Ok(None) };
    let unknown = Refusal::Usage("algorithms has a name that is not supported");
    let algorithms: Option<Vec<_>> = names.iter().map(|name| Algorithm::from_name(name)).collect();
    match algorithms.ok_or(unknown)? {
        empty if empty.is_empty() => Err(Refusal::Usage("algorithms is empty")),
        algorithms => Ok(Some(Algorithms::of(&algorithms))),
    }
}

/// Returns the rules of the policy for a token with a valid signature, and those that it
/// violates.
pub fn explain(case: &Case) -> Option<(Vec<Rule>, RuleSet)> {
    match case.algorithms {
        None => explain_with::<RingKey>(case),
        Some(_) => explain_with::<RingAnyKey>(case),
    }
}

fn explain_with<K: PublicKey>(case: &Case) -> Option<(Vec<Rule>, RuleSet)> {
    let issuer = TrustedIssuer::<K>::new(case).ok()?;
    let issuer = issuer.by_ref();
    let now = NumericDate::from_secs(case.now);
    let mut buffer = Buffer::new();
    match case.token_use {
        TokenUse::Id => {
            let failed = with_id_policy(case, |policy, login| {
                IdToken::explain(&case.token, (issuer, policy), login, now, &mut buffer)
            });
            Some((IdTokenPolicy::rules().collect(), failed.ok()?.ok()?))
        }
        TokenUse::Access => {
            let failed = with_access_policy(case, |policy, token| {
                AccessToken::explain(token, (issuer, policy), now, &mut buffer)
            });
            Some((AccessTokenPolicy::rules().collect(), failed.ok()?.ok()?))
        }
        TokenUse::Logout => {
            let failed = with_logout_policy(case, |policy| {
                LogoutToken::explain(&case.token, (issuer, policy), now, &mut buffer)
            });
            Some((LogoutTokenPolicy::rules().collect(), failed.ok()?.ok()?))
        }
        TokenUse::Dpop => None,
    }
}

fn id_token<'b, K: PublicKey>(
    case: &Case,
    buffer: &'b mut Buffer,
) -> Result<Validated<IdToken<'b>>, Refusal> {
    with_id_policy(case, |policy, login| {
        let issuer = TrustedIssuer::<K>::new(case)?;
        let now = NumericDate::from_secs(case.now);
        IdToken::validate(&case.token, (issuer.by_ref(), policy), login, now, buffer)
            .map_err(refuse)
    })?
}

fn access_token<'b, K: PublicKey, P: PublicKey>(
    case: &Case,
    buffer: &'b mut Buffer,
) -> Result<Validated<AccessToken<'b>>, Refusal> {
    with_access_policy(case, |policy, token| {
        let issuer = TrustedIssuer::<K>::new(case)?;
        let now = NumericDate::from_secs(case.now);
        let trust = (issuer.by_ref(), policy);
        let Some(text) = &case.dpop else {
            let challenge = |error| Refusal::Token {
                error,
                www_authenticate: policy.challenge(error).to_string(),
            };
            return AccessToken::validate(token, trust, now, buffer).map_err(challenge);
        };
        let proofs = with_times(DpopPolicy::new(), None, case.leeway).build()?;
        let mut proof_buffer = Buffer::new();
        let proof = proof::<P>(case, text, &proofs, Some(&case.token), &mut proof_buffer)?;
        let challenge = |error| Refusal::Token {
            error,
            www_authenticate: policy.challenge(error).dpop(proofs.algorithms()).to_string(),
        };
        let token = match &case.confirmation {
            Some(Confirmation::Keys(keys)) => {
                let certificate = keys.x5t_s256.as_deref().unwrap_or_default();
                let key = RequestKey::certificate_and_dpop(certificate, proof.thumbprint())?;
                token.with_key(key)
            }
            _ => DpopToken::new(&case.token).with_proof(&proof),
        };
        AccessToken::validate(token, trust, now, buffer).map_err(challenge)
    })?
}

fn logout_token<'b, K: PublicKey>(
    case: &Case,
    buffer: &'b mut Buffer,
) -> Result<Validated<LogoutToken<'b>>, Refusal> {
    with_logout_policy(case, |policy| {
        let issuer = TrustedIssuer::<K>::new(case)?;
        let now = NumericDate::from_secs(case.now);
        LogoutToken::validate(&case.token, (issuer.by_ref(), policy), now, buffer).map_err(refuse)
    })?
}

/// Validates a proof with an empty window.
fn proof<'b, P: PublicKey>(
    case: &Case,
    text: &str,
    policy: &DpopPolicy,
    access_token: Option<&str>,
    buffer: &'b mut Buffer,
) -> Result<Validated<DpopProof<'b>>, Refusal> {
    let method = case.method.as_deref().ok_or(Refusal::Usage("method is missing"))?;
    let url = case.url.as_deref().ok_or(Refusal::Usage("url is missing"))?;
    let mut request = match access_token {
        Some(token) => DpopRequest::to_resource(method, url, DpopToken::new(token)),
        None => DpopRequest::without_access_token(method, url),
    };
    if let Some(nonce) = &case.proof_nonce {
        request = request.nonce(nonce);
    }
    let now = NumericDate::from_secs(case.now);
    DpopProof::verify::<P, _>(text, policy, request, now, buffer)
        .and_then(|proof| proof.once(&mut ReplayWindow::<1>::new(), now))
        .map_err(|error| Refusal::Token {
            error,
            www_authenticate: Challenge::new(error).dpop_proof(policy.algorithms()).to_string(),
        })
}

fn with_times(
    mut policy: claimgate::policy::DpopPolicyBuilder,
    max_age: Option<u64>,
    leeway: Option<u64>,
) -> claimgate::policy::DpopPolicyBuilder {
    if let Some(max_age) = max_age {
        policy = policy.max_age(max_age);
    }
    if let Some(leeway) = leeway {
        policy = policy.leeway(leeway);
    }
    policy
}

/// Builds the logout token policy of a case and passes it to `use_policy`.
fn with_logout_policy<T>(
    case: &Case,
    use_policy: impl FnOnce(&LogoutTokenPolicy<'_>) -> T,
) -> Result<T, Refusal> {
    let client_id = case.client_id.as_deref().ok_or(Refusal::Usage("client_id is missing"))?;
    if case.has_access_token_fields() || case.claims.is_some() || case.max_age.is_some() {
        return Err(Refusal::Usage("a field for other tokens is given for a logout token"));
    }
    let is_of_login = matches!(case.nonce, Given::Value(_))
        || case.access_token.is_some()
        || case.code.is_some()
        || case.organization.is_some()
        || case.acr_values.is_some();
    if is_of_login {
        return Err(Refusal::Usage("a field for ID tokens is given for a logout token"));
    }
    let trusted_audiences = borrow(&case.trusted_audiences);
    let mut policy = LogoutTokenPolicy::new(client_id);
    if let Some(trusted_audiences) = &trusted_audiences {
        policy = policy.trusted_audiences(trusted_audiences);
    }
    if let Some(leeway) = case.leeway {
        policy = policy.leeway(leeway);
    }
    check_audience(case, client_id)?;
    issuer_url(case)?;
    Ok(use_policy(&policy.build()?))
}

/// Checks that the audience and the client ID of a case, which are one configuration, differ (A4).
fn check_audience(case: &Case, client_id: &str) -> Result<(), ConfigError> {
    if let Given::Value(audience) = &case.audience {
        AccessTokenPolicy::general(audience).forbid_client_ids(&[client_id]).build()?;
    }
    Ok(())
}

/// The claim rules of a case, which borrow from `paths` and `lists`.
struct ClaimRules<'c> {
    paths: Vec<Vec<&'c str>>,
    lists: Vec<Vec<&'c str>>,
}

impl<'c> ClaimRules<'c> {
    fn borrow(case: &'c Case) -> Self {
        let rules = case.claims.as_deref().unwrap_or_default();
        let texts = |list: &'c [String]| list.iter().map(String::as_str).collect();
        Self {
            paths: rules.iter().map(|rule| texts(&rule.path)).collect(),
            lists: rules
                .iter()
                .map(|rule| texts(rule.one_of.as_deref().unwrap_or_default()))
                .collect(),
        }
    }

    fn build(&self, case: &'c Case) -> Result<Vec<ClaimRule<'_>>, Refusal> {
        let rules = case.claims.as_deref().unwrap_or_default();
        let rules = rules.iter().zip(&self.paths).zip(&self.lists);
        rules
            .map(|((rule, path), list)| match (&rule.equals, &rule.one_of, &rule.contains) {
                (Some(Scalar::Text(value)), None, None) => Ok(ClaimRule::equals(path, value)?),
                (Some(Scalar::Integer(value)), None, None) => {
                    Ok(ClaimRule::equals_integer(path, *value)?)
                }
                (Some(Scalar::Boolean(value)), None, None) => {
                    Ok(ClaimRule::equals_boolean(path, *value)?)
                }
                (None, Some(_), None) => Ok(ClaimRule::one_of(path, list)?),
                (None, None, Some(value)) => Ok(ClaimRule::contains(path, value)?),
                _ => Err(Refusal::Usage("a claim rule has no operator, or several")),
            })
            .collect()
    }
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
    let claim_rules = ClaimRules::borrow(case);
    let claim_rules = claim_rules.build(case)?;
    if !claim_rules.is_empty() {
        policy = policy.require_claims(&claim_rules);
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
    check_audience(case, client_id)?;
    issuer_url(case)?;
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
    let claim_rules = ClaimRules::borrow(case);
    let claim_rules = claim_rules.build(case)?;
    if !claim_rules.is_empty() {
        policy = policy.require_claims(&claim_rules);
    }
    if case.has_proof_fields() && case.dpop.is_none() {
        return Err(Refusal::Usage("a field of a DPoP proof is given without the proof"));
    }
    let mut token = BearerToken::new(&case.token);
    match &case.confirmation {
        None => {}
        Some(Confirmation::Keyword(ConfirmationKeyword::Ignore)) => {
            policy = policy.danger_ignore_confirmation();
        }
        // The key of the certificate; the key of the proof is added with the proof.
        Some(Confirmation::Keys(keys)) if case.dpop.is_some() && keys.is_certificate_alone() => {}
        Some(Confirmation::Keys(_)) if case.dpop.is_some() => {
            return Err(Refusal::Usage("the proof tells jkt, not confirmation"));
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
    issuer_url(case)?;
    Ok(use_policy(&policy.build()?, token))
}

fn borrow(list: &Option<Vec<String>>) -> Option<Vec<&str>> {
    list.as_ref().map(|list| list.iter().map(String::as_str).collect())
}

/// Returns the sets of which one is required: all of `all` and one of `any`.
fn sets<'c>(
    all: &'c Option<Vec<String>>,
    any: &'c Option<Vec<String>>,
) -> Option<Vec<Vec<&'c str>>> {
    match (borrow(all), borrow(any)) {
        (all, None) => all.map(|all| vec![all]),
        // An empty set, which no policy accepts.
        (Some(all), Some(_)) if all.is_empty() => Some(vec![all]),
        (all, Some(any)) => {
            let all = all.unwrap_or_default();
            Some(any.into_iter().map(|one| [all.as_slice(), &[one]].concat()).collect())
        }
    }
}

fn slices<'s, 'c>(sets: &'s [Vec<&'c str>]) -> Vec<&'s [&'c str]> {
    sets.iter().map(Vec::as_slice).collect()
}
