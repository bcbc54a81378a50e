//! One case, every validation function: all forms of trust must give the same verdict.

use std::sync::OnceLock;

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::cache::VerifiedTokenCache;
use claimgate::error::{Claim, Error, Input, JsonProblem, JsonType, WrongKind};
use claimgate::policy::{ForeignClaim, Rule, RuleSet};
use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, IdToken, IdTokenPolicy, Issuer, JwkSet, Login,
    NumericDate, RequestKey, TokenBuffer, Trust, Validated, at_compile_time,
};
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{ISSUER, NOW, Signer, TestKey, jwks, keys_of, with};

/// The other issuer of each list.
const OTHER: &str = "https://the-other-issuer.example/";

/// The policies of the other issuer, which reject all tokens of the rule book.
const OTHER_API: AccessTokenPolicy<'_> =
    at_compile_time!(AccessTokenPolicy::rfc9068("https://other.example/api").leeway(0).build());
const OTHER_APPLICATION: IdTokenPolicy<'_> =
    at_compile_time!(IdTokenPolicy::new("the-other-application").leeway(0).build());

/// Every claim that indicates another kind of token.
const FOREIGN_CLAIMS: [ForeignClaim; 10] = [
    ForeignClaim::Scope,
    ForeignClaim::Permissions,
    ForeignClaim::GrantType,
    ForeignClaim::Nonce,
    ForeignClaim::AtHash,
    ForeignClaim::CHash,
    ForeignClaim::SHash,
    ForeignClaim::TokenUse,
    ForeignClaim::Typ,
    ForeignClaim::Events,
];

/// The maximum length of a token in a cache of these tests.
const CACHED_LEN: usize = 4_096;

type Buffer = TokenBuffer<16_384>;
type Cache = VerifiedTokenCache<4, CACHED_LEN>;
type Access<'b> = Result<Validated<AccessToken<'b>>, Error>;
type Id<'b> = Result<Validated<IdToken<'b>>, Error>;

/// The trusted issuer of a case, after another one whose key has the same `kid`.
pub struct Trusted([Issuer<TestKey, 4>; 2]);

/// Calls `$judge` with each form in which the issuer can be trusted together with another one,
/// and its name.
macro_rules! for_each_list {
    ($trusted:expr, $policy:expr, $other:expr, $judge:ident) => {{
        let ([other, own], policy) = (&$trusted.0, $policy);
        $judge!("issuers", (&$trusted.0[..], policy));
        $judge!("borrowed issuers", (&[other, own][..], policy));
        $judge!("references of issuers", (&[other.by_ref(), own.by_ref()][..], policy));
        let pairs = [(other, $other), (own, *policy)];
        $judge!("an array of pairs", &pairs);
        $judge!("a slice of pairs", &pairs[..]);
        let pairs = [(own.by_ref(), *policy), (other.by_ref(), $other)];
        $judge!("pairs of references", &pairs);
    }};
}

impl Trusted {
    /// Returns the demonstration issuer with these keys.
    pub fn new(keys: JwkSet<TestKey, 4>) -> Self {
        let others = jwks(&[with(Signer::b().jwk(), "kid", "key-a")]);
        let others = Issuer::new(OTHER, JwkSet::from_json(&others).unwrap()).unwrap();
        Self([others, Issuer::new(ISSUER, keys).unwrap()])
    }

    /// Returns the demonstration issuer with its key.
    pub fn of_the_articles() -> &'static Self {
        static ARTICLES: OnceLock<Trusted> = OnceLock::new();
        ARTICLES.get_or_init(|| Self::new(keys_of(&Signer::a())))
    }

    fn issuer(&self) -> &Issuer<TestKey, 4> {
        &self.0[1]
    }

    /// Returns the verdict on an access token, which must be the same by `validate`, by
    /// `validate_cached`, on a cache hit and by `explain`, for every form of trust.
    #[track_caller]
    pub fn access(
        &self,
        policy: &AccessTokenPolicy<'_>,
        token: BearerToken<'_>,
        now: NumericDate,
    ) -> Result<(), Error> {
        let trust = (self.issuer(), policy);
        let (mut one, mut two) = (Buffer::new(), Buffer::new());
        let verdict = AccessToken::validate(token, trust, now, &mut one);
        let explained = AccessToken::explain(token, trust, now, &mut two);
        check_explained(&verdict, explained, AccessTokenPolicy::rules());
        access_agrees("an issuer", trust, token, now, &verdict, explained);
        let (among, explained_among) = among(token.expose(), &verdict, explained);
        macro_rules! judge {
            ($name:expr, $trust:expr) => {
                access_agrees($name, $trust, token, now, &among, explained_among)
            };
        }
        for_each_list!(self, policy, OTHER_API, judge);
        self.hits_agree(policy, token, now, &verdict, explained);
        verdict.map(|_| ())
    }

    /// Caches the token where it is acceptable: at another time, with another request key,
    /// with other keys of the issuer or under a weaker policy. Then validates it as in the
    /// case.
    #[track_caller]
    fn hits_agree(
        &self,
        policy: &AccessTokenPolicy<'_>,
        token: BearerToken<'_>,
        now: NumericDate,
        verdict: &Access<'_>,
        explained: Result<RuleSet, Error>,
    ) {
        let claims = payload(token.expose());
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let audience = match &claims["aud"] {
            Value::Array(audiences) => audiences.first().and_then(Value::as_str),
            one => one.as_str(),
        };
        let clients = [text("client_id").unwrap_or("?")];
        let mut lenient = match audience {
            Some(audience) if !audience.is_empty() => AccessTokenPolicy::general(audience),
            _ => AccessTokenPolicy::without_audience(&clients),
        };
        lenient = lenient.leeway(600).ignore_issued_in_future().danger_ignore_confirmation();
        for claim in FOREIGN_CLAIMS {
            lenient = lenient.allow_foreign_claim(claim);
        }
        let lenient = lenient.build().unwrap_or(super::API_POLICY);

        let time = |name: &str, more: u64| {
            Some(NumericDate::from_secs(claims.get(name)?.as_u64()?.saturating_add(more)))
        };
        let times = [Some(NOW), time("iat", 0), time("iat", 1), time("nbf", 0)];
        let times = times.into_iter().chain([time("auth_time", 0), time("exp", 0)]).flatten();
        let times: Vec<NumericDate> = times.collect();
        let cnf = &claims["cnf"];
        let (x5t, jkt) = (cnf["x5t#S256"].as_str(), cnf["jkt"].as_str());
        let key = match (x5t, jkt) {
            (Some(x5t), Some(jkt)) => RequestKey::certificate_and_dpop(x5t, jkt).ok(),
            (Some(x5t), None) => RequestKey::certificate(x5t).ok(),
            (None, Some(jkt)) => RequestKey::dpop(jkt).ok(),
            (None, None) => None,
        };
        let bare = BearerToken::new(token.expose());
        let bearers = [Some(bare), key.map(|key| bare.with_key(key))];
        let bearers: Vec<BearerToken<'_>> = bearers.into_iter().flatten().collect();

        let mut cache = Cache::new();
        let mut remember = |issuers: &Self, policy: &AccessTokenPolicy<'_>| {
            times.iter().any(|time| {
                bearers.iter().any(|bearer| {
                    let trust = (issuers.issuer(), policy);
                    let mut buffer = Buffer::new();
                    AccessToken::validate_cached(*bearer, trust, *time, &mut buffer, &mut cache)
                        .is_ok()
                })
            })
        };
        // Only these rules compare a claim with something other than the policy.
        let circumstances: RuleSet = [
            Rule::Expiry,
            Rule::NotBefore,
            Rule::IssuedAt,
            Rule::AgeAndLifetime,
            Rule::Confirmation,
            Rule::AuthenticationTime,
        ]
        .into_iter()
        .collect();
        let is_remembered = match explained {
            Ok(failed) => {
                remember(self, &lenient);
                failed.iter().all(|rule| circumstances.contains(rule)) && remember(self, policy)
            }
            Err(_) => {
                let articles = Self::of_the_articles();
                if remember(articles, &lenient) {
                    remember(articles, policy);
                }
                false
            }
        };
        let hits = cache.hits();
        let trust = (self.issuer(), policy);
        let mut buffer = Buffer::new();
        let judged = AccessToken::validate_cached(token, trust, now, &mut buffer, &mut cache);
        assert_eq!(judged, *verdict, "judged with a cache that knows the token");
        assert_eq!(cache.hits() > hits, is_remembered, "a hit");
        if is_remembered {
            macro_rules! judge {
                ($name:expr, $trust:expr) => {{
                    let (trust, mut buffer) = ($trust, Buffer::new());
                    let judged =
                        AccessToken::validate_cached(token, trust, now, &mut buffer, &mut cache);
                    assert_eq!(judged, *verdict, "a hit, {}", $name);
                }};
            }
            let hits = cache.hits();
            for_each_list!(self, policy, OTHER_API, judge);
            assert_eq!(cache.hits() - hits, 6, "a form of trust does not find the token");
        }
    }

    /// Returns the verdict on an ID token, which must be the same by `validate` and `explain`,
    /// for every form of trust.
    #[track_caller]
    pub fn id(
        &self,
        policy: &IdTokenPolicy<'_>,
        login: Login<'_>,
        token: &str,
        now: NumericDate,
    ) -> Result<(), Error> {
        let trust = (self.issuer(), policy);
        let (mut one, mut two) = (Buffer::new(), Buffer::new());
        let verdict = IdToken::validate(token, trust, login, now, &mut one);
        let explained = IdToken::explain(token, trust, login, now, &mut two);
        check_explained(&verdict, explained, IdTokenPolicy::rules());
        let (among, explained_among) = among(token, &verdict, explained);
        macro_rules! judge {
            ($name:expr, $trust:expr) => {
                id_agrees($name, $trust, token, login, now, &among, explained_among)
            };
        }
        for_each_list!(self, policy, OTHER_APPLICATION, judge);
        verdict.map(|_| ())
    }
}

/// Validates an access token with one form of trust: without a cache, on a miss, on a hit if
/// it is accepted, and by `explain`.
#[track_caller]
fn access_agrees<'p>(
    name: &str,
    trust: impl Trust<AccessTokenPolicy<'p>> + Copy,
    token: BearerToken<'_>,
    now: NumericDate,
    verdict: &Access<'_>,
    explained: Result<RuleSet, Error>,
) {
    let mut buffer = Buffer::new();
    let judged = AccessToken::validate(token, trust, now, &mut buffer);
    assert_eq!(judged, *verdict, "{name}");
    assert_eq!(AccessToken::explain(token, trust, now, &mut buffer), explained, "{name}");
    let mut cache = Cache::new();
    let judged = AccessToken::validate_cached(token, trust, now, &mut buffer, &mut cache);
    assert_eq!(judged, *verdict, "{name}, a miss");
    let judged = AccessToken::validate_cached(token, trust, now, &mut buffer, &mut cache);
    assert_eq!(judged, *verdict, "{name}, a hit");
    let fits = token.expose().len() <= CACHED_LEN;
    let expected = u64::from(fits && verdict.is_ok());
    assert_eq!((cache.hits(), cache.misses()), (expected, 2 - expected), "{name}");
}

#[track_caller]
fn id_agrees<'p>(
    name: &str,
    trust: impl Trust<IdTokenPolicy<'p>> + Copy,
    token: &str,
    login: Login<'_>,
    now: NumericDate,
    verdict: &Id<'_>,
    explained: Result<RuleSet, Error>,
) {
    let mut buffer = Buffer::new();
    let judged = IdToken::validate(token, trust, login, now, &mut buffer);
    assert_eq!(judged, *verdict, "{name}");
    assert_eq!(IdToken::explain(token, trust, login, now, &mut buffer), explained, "{name}");
}

/// Returns the results with a list of issuers, given those with a single issuer: a token of an
/// issuer that is not in the list is rejected before its key is selected.
fn among<T: Clone>(
    token: &str,
    verdict: &Result<T, Error>,
    explained: Result<RuleSet, Error>,
) -> (Result<T, Error>, Result<RuleSet, Error>) {
    match verdict {
        Err(error) if !is_found_without_a_key(error) && !names_the_issuer(token, error) => {
            (Err(Error::UnknownIssuer), Err(Error::UnknownIssuer))
        }
        _ => (verdict.clone(), explained),
    }
}

/// Returns whether an error is reported before an issuer is selected.
fn is_found_without_a_key(error: &Error) -> bool {
    matches!(
        error,
        Error::MalformedToken
            | Error::EncryptedToken
            | Error::OpaqueToken
            | Error::TokenTooLarge { .. }
            | Error::InvalidBase64(_)
            | Error::InvalidJson(Input::Header, _)
            | Error::DuplicateMember(Input::Header)
            | Error::AlgorithmNotAllowed(_)
            | Error::CriticalHeader(_)
            | Error::HeaderType(_)
    )
}

/// Returns whether a list of issuers contains the token's issuer: by the first `iss` of a
/// payload that can be read.
fn names_the_issuer(token: &str, error: &Error) -> bool {
    // The maximum number of members is not part of the grammar.
    let is_readable = match error {
        Error::InvalidJson(Input::Payload, problem) => *problem == JsonProblem::TooManyMembers,
        _ => true,
    };
    let first = payload_bytes(token)
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .and_then(|FirstIssuer(first)| first);
    is_readable && first.is_some_and(|issuer| issuer == ISSUER)
}

fn payload_bytes(token: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(token.split('.').nth(1)?).ok()
}

/// Returns the claims as parsed by serde_json, or `null` if it rejects them.
fn payload(token: &str) -> Value {
    payload_bytes(token).and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// Returns the first `iss` of an object.
struct FirstIssuer(Option<Value>);

impl<'de> Deserialize<'de> for FirstIssuer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = FirstIssuer;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FirstIssuer, A::Error> {
                let mut first = None;
                while let Some(name) = map.next_key::<String>()? {
                    if name == "iss" && first.is_none() {
                        first = Some(map.next_value()?);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(FirstIssuer(first))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// Checks that `explain` returns no rule if and only if the token is accepted, starts with the
/// rule of the error, and fails if no rule was checked.
#[track_caller]
fn check_explained<T>(
    verdict: &Result<T, Error>,
    explained: Result<RuleSet, Error>,
    mut rules: impl Iterator<Item = Rule>,
) {
    match (verdict, explained) {
        (Ok(_), explained) => assert_eq!(explained, Ok(RuleSet::default())),
        (Err(error), Err(explained)) => assert_eq!(explained, *error),
        (Err(error), Ok(failed)) => {
            let first = rules.find(|rule| failed.contains(*rule));
            let expected = rules_of(error);
            assert!(first.is_some_and(|rule| expected.contains(&rule)), "{error:?}: {failed:?}");
        }
    }
}

/// Returns the rules that can report an error first.
fn rules_of(error: &Error) -> &'static [Rule] {
    match error {
        Error::IssuerMismatch | Error::MissingClaim(Claim::Issuer) => &[Rule::Issuer],
        Error::Expired { .. } | Error::MissingClaim(Claim::Expiry) => &[Rule::Expiry],
        Error::NotYetValid { .. } => &[Rule::NotBefore],
        Error::IssuedInFuture { .. } => &[Rule::IssuedAt],
        Error::TokenTooOld { .. } | Error::LifetimeTooLong { .. } => &[Rule::AgeAndLifetime],
        Error::MissingClaim(Claim::IssuedAt) => &[Rule::AgeAndLifetime, Rule::RequiredClaims],
        Error::AudienceMismatch { .. } | Error::MissingClaim(Claim::Audience) => &[Rule::Audience],
        Error::UntrustedAudience { .. } => &[Rule::TrustedAudiences],
        Error::TokenType(WrongKind::HeaderType) => &[Rule::HeaderType],
        Error::TokenType(WrongKind::Claim(Claim::TokenUse)) => {
            &[Rule::ForeignClaims, Rule::RequiredClaims]
        }
        Error::TokenType(WrongKind::Claim(_)) => &[Rule::ForeignClaims],
        Error::MissingClaim(Claim::Subject) => &[Rule::Subject],
        Error::MissingClaim(Claim::ClientId | Claim::TokenId | Claim::TokenUse) => {
            &[Rule::RequiredClaims]
        }
        Error::AuthorizedPartyMismatch(_) | Error::MissingClaim(Claim::AuthorizedParty) => {
            &[Rule::AuthorizedParty]
        }
        Error::SubjectKind => &[Rule::SubjectKind],
        Error::ConfirmationRequired
        | Error::ConfirmationMismatch
        | Error::MissingClaim(Claim::Confirmation) => &[Rule::Confirmation],
        Error::NonceMismatch
        | Error::UnexpectedClaim(Claim::Nonce)
        | Error::MissingClaim(Claim::Nonce) => &[Rule::Nonce],
        Error::AuthenticationTooOld { .. }
        | Error::MissingClaim(Claim::AuthTime)
        | Error::InsufficientAuthentication(Claim::AuthTime, _) => &[Rule::AuthenticationTime],
        Error::InsufficientAuthentication(Claim::Acr | Claim::Amr, _) => {
            &[Rule::AuthenticationContext]
        }
        Error::HashMismatch(Claim::AtHash) | Error::MissingClaim(Claim::AtHash) => {
            &[Rule::AccessTokenHash]
        }
        Error::HashMismatch(Claim::CHash) | Error::MissingClaim(Claim::CHash) => &[Rule::CodeHash],
        Error::OrganizationMismatch
        | Error::MissingClaim(Claim::OrganizationId | Claim::OrganizationName) => {
            &[Rule::Organization]
        }
        Error::ClaimType(Claim::EmailVerified | Claim::PhoneNumberVerified, JsonType::Boolean) => {
            &[Rule::UserClaims]
        }
        Error::InsufficientScope(Claim::Scope) => &[Rule::Scope],
        Error::InsufficientScope(Claim::Permissions) => &[Rule::Permissions],
        _ => &[],
    }
}
