//! The order of the checks: structure, header, key, signature, types, issuer, time, audience,
//! kind, other rules. `explain` reports all violated rules after the signature.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]

mod support;

use claimgate::error::{Claim, HeaderParameter, Input, JsonType, Problem, WrongKind};
use claimgate::policy::{Rule, RuleSet, SubjectKind};
use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, Error, IdToken, IdTokenPolicy, Login, Nonce,
    NumericDate, ScopePolicy, TokenBuffer, at_compile_time,
};
use serde_json::{Value, json};
use support::*;

const STRICT: AccessTokenPolicy<'_> = at_compile_time!(
    AccessTokenPolicy::rfc9068(API)
        .max_token_age(1000)
        .authorized_parties(&[CLIENT_ID])
        .require_subject(SubjectKind::User)
        .max_age(300)
        .require_acr(&["gold"])
        .require_scope(at_compile_time!(ScopePolicy::all_of(&["read:patients"])))
        .require_permissions(at_compile_time!(ScopePolicy::all_of(&["nurse"])))
        .build()
);

const STRICT_APPLICATION: IdTokenPolicy<'_> = at_compile_time!(
    IdTokenPolicy::new(CLIENT_ID).max_token_age(1000).max_age(300).require_acr(&["gold"]).build()
);

const STRICT_LOGIN: Login<'_> = at_compile_time!(
    Login::new(Nonce::Expect("nonce"))
        .access_token(BearerToken::new("access token"))
        .code("code")
        .organization("org_1")
        .build()
);

/// A defect of a token, and the error that it causes.
type Defect = (&'static str, fn(&mut Token), Error);

/// A token before it is signed.
struct Token {
    header: Value,
    claims: Value,
    signature: fn(&str) -> String,
    now: u64,
}

impl Token {
    fn text(&self) -> String {
        (self.signature)(&Signer::a().sign_with(&self.header, &self.claims))
    }
}

fn good_access_token() -> Token {
    let claims = json!({
        "iss": ISSUER, "sub": "user", "aud": API, "exp": EXP, "iat": IAT, "jti": "1",
        "client_id": CLIENT_ID, "auth_time": IAT + 400, "acr": "gold",
        "scope": "read:patients", "permissions": ["nurse"],
    });
    let header = json!({"alg": "RS256", "typ": "at+jwt", "kid": "key-a"});
    Token { header, claims, signature: str::to_owned, now: NOW.as_secs() }
}

fn good_id_token() -> Token {
    let claims = json!({
        "iss": ISSUER, "sub": "user", "aud": CLIENT_ID, "exp": EXP, "iat": IAT, "nonce": "nonce",
        "auth_time": IAT + 400, "acr": "gold", "org_id": "org_1",
        // The left halves of SHA-256 of "access token" and of "code".
        "at_hash": left_half("access token"), "c_hash": left_half("code"),
    });
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": "key-a"});
    Token { header, claims, signature: str::to_owned, now: NOW.as_secs() }
}

fn left_half(value: &str) -> String {
    use base64ct::Encoding;
    let digest = ring::digest::digest(&ring::digest::SHA256, value.as_bytes());
    base64ct::Base64UrlUnpadded::encode_string(&digest.as_ref()[..16])
}

fn forge(token: &str) -> String {
    let (input, signature) = token.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { "B" } else { "A" };
    format!("{input}.{first}{}", &signature[1..])
}

/// The defects of a token of either kind, in the order of their errors, up to the audience.
const COMMON: &[Defect] = &[
    ("structure", |token| token.signature = |text| format!("{text}."), Error::MalformedToken),
    (
        "base64url",
        |token| token.signature = |text| format!("{text}="),
        Error::InvalidBase64(Input::Signature),
    ),
    (
        "algorithm",
        |token| token.header["alg"] = json!("HS256"),
        Error::AlgorithmNotAllowed(Problem::WrongValue),
    ),
    (
        "crit",
        |token| token.header["crit"] = json!(["x"]),
        Error::CriticalHeader(HeaderParameter::Critical),
    ),
    (
        "header type",
        |token| token.header["kid"] = json!(1),
        Error::HeaderType(HeaderParameter::KeyId),
    ),
    ("key", |token| token.header["kid"] = json!("other"), Error::UnknownKey),
    ("signature", |token| token.signature = forge, Error::InvalidSignature),
    (
        "types",
        |token| token.claims["nbf"] = json!("soon"),
        Error::ClaimType(Claim::NotBefore, JsonType::NumericDate),
    ),
    ("issuer", |token| token.claims["iss"] = json!("https://x/"), Error::IssuerMismatch),
    (
        "expiry",
        |token| token.claims["exp"] = json!(0),
        Error::Expired { exp: 0, now: IAT + 500, leeway: 60 },
    ),
    (
        "nbf",
        |token| token.claims["nbf"] = json!(EXP),
        Error::NotYetValid { nbf: EXP, now: IAT + 500, leeway: 60 },
    ),
    (
        "age",
        |token| token.claims["iat"] = json!(IAT - 600),
        Error::TokenTooOld { age: 1100, limit: 1000, leeway: 60 },
    ),
    (
        "audience",
        |token| token.claims["aud"] = json!("https://x/"),
        Error::AudienceMismatch { audiences: 1 },
    ),
];

const OF_ACCESS_TOKENS: &[Defect] = &[
    ("typ", |token| token.header["typ"] = json!("JWT"), Error::TokenType(WrongKind::HeaderType)),
    (
        "marks",
        |token| token.claims["nonce"] = json!("n"),
        Error::TokenType(WrongKind::Claim(Claim::Nonce)),
    ),
    ("subject", |token| token.claims["sub"] = json!(""), Error::MissingClaim(Claim::Subject)),
    (
        "required claims",
        |token| drop(token.claims.as_object_mut().unwrap().remove("jti")),
        Error::MissingClaim(Claim::TokenId),
    ),
    (
        "party",
        |token| token.claims["azp"] = json!("x"),
        Error::AuthorizedPartyMismatch(Claim::AuthorizedParty),
    ),
    ("subject kind", |token| token.claims["gty"] = json!("client-credentials"), Error::SubjectKind),
    ("cnf", |token| token.claims["cnf"] = json!({}), Error::ConfirmationRequired),
    (
        "auth_time",
        |token| token.claims["auth_time"] = json!(0),
        Error::InsufficientAuthentication(Claim::AuthTime, Problem::WrongValue),
    ),
    (
        "acr",
        |token| token.claims["acr"] = json!("x"),
        Error::InsufficientAuthentication(Claim::Acr, Problem::WrongValue),
    ),
    ("scope", |token| token.claims["scope"] = json!("x"), Error::InsufficientScope(Claim::Scope)),
    (
        "permissions",
        |token| token.claims["permissions"] = json!([]),
        Error::InsufficientScope(Claim::Permissions),
    ),
];

const OF_ID_TOKENS: &[Defect] = &[
    ("typ", |token| token.header["typ"] = json!("at+jwt"), Error::TokenType(WrongKind::HeaderType)),
    (
        "marks",
        |token| token.claims["scope"] = json!("x"),
        Error::TokenType(WrongKind::Claim(Claim::Scope)),
    ),
    ("subject", |token| token.claims["sub"] = json!(""), Error::MissingClaim(Claim::Subject)),
    (
        "party",
        |token| token.claims["azp"] = json!("x"),
        Error::AuthorizedPartyMismatch(Claim::AuthorizedParty),
    ),
    ("nonce", |token| token.claims["nonce"] = json!("x"), Error::NonceMismatch),
    (
        "auth_time",
        |token| token.claims["auth_time"] = json!(IAT),
        Error::AuthenticationTooOld { age: 500, max_age: 300, leeway: 60 },
    ),
    (
        "acr",
        |token| token.claims["acr"] = json!("x"),
        Error::InsufficientAuthentication(Claim::Acr, Problem::WrongValue),
    ),
    ("at_hash", |token| token.claims["at_hash"] = json!("x"), Error::HashMismatch(Claim::AtHash)),
    ("c_hash", |token| token.claims["c_hash"] = json!("x"), Error::HashMismatch(Claim::CHash)),
    ("organization", |token| token.claims["org_id"] = json!("org_2"), Error::OrganizationMismatch),
    (
        "the user's claims",
        |token| token.claims["email_verified"] = json!("true"),
        Error::ClaimType(Claim::EmailVerified, JsonType::Boolean),
    ),
];

fn check_order(good: fn() -> Token, defects: &[&Defect], judge: fn(&Token) -> Result<(), Error>) {
    assert_eq!(judge(&good()), Ok(()));
    for (index, (first, break_first, expected)) in defects.iter().enumerate() {
        let mut token = good();
        break_first(&mut token);
        assert_eq!(judge(&token), Err(*expected), "{first}");
        // Whatever other defects a token has, the first is reported. Defects of the same field
        // replace each other, so the earlier one is applied last.
        for (second, break_second, _) in &defects[index + 1..] {
            let mut token = good();
            break_second(&mut token);
            break_first(&mut token);
            assert_eq!(judge(&token), Err(*expected), "{first} before {second}");
        }
        let mut token = good();
        for (_, break_it, _) in defects[index..].iter().rev() {
            break_it(&mut token);
        }
        assert_eq!(judge(&token), Err(*expected), "{first} before everything");
    }
}

fn judge_access(token: &Token) -> Result<(), Error> {
    check_access(&STRICT, &token.text(), NumericDate::from_secs(token.now))
}

fn judge_id(token: &Token) -> Result<(), Error> {
    let now = NumericDate::from_secs(token.now);
    check_login(&STRICT_APPLICATION, STRICT_LOGIN, &token.text(), now)
}

#[test]
fn access_tokens_are_refused_for_the_first_rule_that_fails() {
    let defects: Vec<&Defect> = COMMON.iter().chain(OF_ACCESS_TOKENS).collect();
    check_order(good_access_token, &defects, judge_access);
}

#[test]
fn id_tokens_are_refused_for_the_first_rule_that_fails() {
    let defects: Vec<&Defect> = COMMON.iter().chain(OF_ID_TOKENS).collect();
    check_order(good_id_token, &defects, judge_id);
}

fn explain_access(text: &str) -> Result<RuleSet, Error> {
    let mut buffer = TokenBuffer::<8192>::new();
    let trust = (&trusted(), &STRICT);
    AccessToken::explain(BearerToken::new(text), trust, NOW, &mut buffer)
}

fn explain_id(text: &str) -> Result<RuleSet, Error> {
    let mut buffer = TokenBuffer::<8192>::new();
    let trust = (&trusted(), &STRICT_APPLICATION);
    IdToken::explain(text, trust, STRICT_LOGIN, NOW, &mut buffer)
}

/// The number of common defects before the first rule of a policy.
const BEFORE_THE_RULES: usize = 8;

#[test]
fn a_set_of_rules_is_in_the_order_of_checking() {
    let access: RuleSet = AccessTokenPolicy::rules().collect();
    assert!(access.iter().eq(AccessTokenPolicy::rules()));
    let id: RuleSet = IdTokenPolicy::rules().collect();
    assert!(id.iter().eq(IdTokenPolicy::rules()));
}

#[test]
fn explain_tells_all_rules_that_fail_and_none_that_holds() {
    for (good, own, explain, rules) in [
        (
            good_access_token as fn() -> Token,
            OF_ACCESS_TOKENS,
            explain_access as fn(&str) -> Result<RuleSet, Error>,
            AccessTokenPolicy::rules().collect::<Vec<Rule>>(),
        ),
        (good_id_token, OF_ID_TOKENS, explain_id, IdTokenPolicy::rules().collect()),
    ] {
        assert_eq!(explain(&good().text()), Ok(RuleSet::default()));
        let mut all = good();
        let mut expected = Vec::new();
        for (name, break_it, _) in COMMON[BEFORE_THE_RULES..].iter().chain(own) {
            // Each single defect violates its own rule.
            let mut one = good();
            break_it(&mut one);
            let failed: Vec<Rule> = explain(&one.text()).unwrap().iter().collect();
            assert_eq!(failed.len(), failed.iter().filter(|rule| rules.contains(rule)).count());
            assert!(!failed.is_empty(), "{name}");
            expected.extend(failed);
            break_it(&mut all);
        }
        // All defects together violate all of those rules.
        let failed = explain(&all.text()).unwrap();
        assert_eq!(failed, expected.into_iter().collect());
        assert!(failed.iter().count() > 15);
    }
}

#[test]
fn explain_says_nothing_of_a_token_that_is_not_signed() {
    for (name, break_it, expected) in &COMMON[..BEFORE_THE_RULES] {
        let (mut access, mut id) = (good_access_token(), good_id_token());
        break_it(&mut access);
        break_it(&mut id);
        assert_eq!(explain_access(&access.text()), Err(*expected), "{name}");
        assert_eq!(explain_id(&id.text()), Err(*expected), "{name}");
    }
}

#[test]
fn explain_is_empty_exactly_if_the_token_is_accepted() {
    for (_, break_it, _) in COMMON.iter().chain(OF_ACCESS_TOKENS).chain(OF_ID_TOKENS) {
        let (mut access, mut id) = (good_access_token(), good_id_token());
        break_it(&mut access);
        break_it(&mut id);
        let is_empty = |explained: Result<RuleSet, Error>| explained.is_ok_and(RuleSet::is_empty);
        assert_eq!(is_empty(explain_access(&access.text())), judge_access(&access).is_ok());
        assert_eq!(is_empty(explain_id(&id.text())), judge_id(&id).is_ok());
    }
}

#[test]
fn rules_have_descriptions_and_print_as_a_set() {
    let failed = explain_access(&{
        let mut token = good_access_token();
        token.claims["iss"] = json!("x");
        token.claims["scope"] = json!("x");
        token.text()
    })
    .unwrap();
    assert_eq!(format!("{failed:?}"), "{Issuer, Scope}");
    assert_eq!(Rule::Issuer.to_string(), "iss is the expected issuer");
    assert!(failed.contains(Rule::Scope) && !failed.contains(Rule::Expiry));
}
