//! Challenges: for any error and any strings of the caller, the text matches the grammar of
//! RFC 6750 §3 and RFC 9110 §11.6.1.
#![no_main]

use arbitrary::Arbitrary;
use claimgate::error::{Claim, Problem, RequestProblem};
use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, Challenge, Error, ScopePolicy, TokenBuffer,
};
use claimgate_fuzz::{API_POLICY, HEADER, NOW, issuer, sign, timed};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    refusal: Refusal<'a>,
    realm: Option<&'a str>,
    scope: Vec<&'a str>,
    acr_values: Vec<&'a str>,
    max_age: Option<u64>,
}

#[derive(Arbitrary, Debug)]
enum Refusal<'a> {
    Header(&'a str),
    Token(&'a str),
    Payload(&'a [u8]),
    Scope,
    Permissions,
    Authentication,
    Age,
    Request,
}

fuzz_target!(|input: Input<'_>| {
    timed(|| run(&input));
});

fn error(refusal: &Refusal<'_>) -> Option<Error> {
    let mut buffer = TokenBuffer::<8192>::new();
    let mut validate = |token: &str| {
        let (token, trust) = (BearerToken::new(token), (issuer(), &API_POLICY));
        AccessToken::validate(token, trust, NOW, &mut buffer).err()
    };
    match refusal {
        Refusal::Header(value) => BearerToken::from_authorization(value).err(),
        Refusal::Token(token) => validate(token),
        Refusal::Payload(payload) => validate(&sign(0, HEADER, payload)),
        Refusal::Scope => Some(Error::InsufficientScope(Claim::Scope)),
        Refusal::Permissions => Some(Error::InsufficientScope(Claim::Permissions)),
        Refusal::Authentication => {
            Some(Error::InsufficientAuthentication(Claim::Acr, Problem::Absent))
        }
        Refusal::Age => {
            Some(Error::InsufficientAuthentication(Claim::AuthTime, Problem::WrongValue))
        }
        Refusal::Request => Some(Error::InvalidRequest(RequestProblem::SeveralTokens)),
    }
}

fn run(input: &Input<'_>) {
    let Some(error) = error(&input.refusal) else { return };
    let mut challenge = Challenge::new(error).authentication(&input.acr_values, input.max_age);
    if let Some(realm) = input.realm {
        challenge = challenge.realm(realm);
    }
    let needed = ScopePolicy::all_of(&input.scope);
    if let Ok(needed) = &needed {
        challenge = challenge.needed(needed);
    }
    check(&challenge);
    // As constructed by a policy.
    let mut policy = AccessTokenPolicy::general("api").require_acr(&input.acr_values);
    if let Ok(needed) = needed {
        policy = policy.require_scope(needed).require_permissions(needed);
    }
    if let Some(max_age) = input.max_age {
        policy = policy.max_age(max_age);
    }
    if let Ok(policy) = policy.build() {
        check(&policy.challenge(error));
    }
}

fn check(challenge: &Challenge<'_>) {
    let text = challenge.to_string();
    let mut rest = text.strip_prefix("Bearer").unwrap();
    let mut seen = Vec::new();
    let mut separator = " ";
    while !rest.is_empty() {
        rest = rest.strip_prefix(separator).unwrap();
        separator = ", ";
        let (name, value) = rest.split_once("=\"").unwrap();
        let (value, after) = value.split_once('"').unwrap();
        rest = after;
        let is_allowed = |byte: u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        assert!(value.bytes().all(is_allowed), "{text}");
        assert!(!seen.contains(&name), "{text}");
        seen.push(name);
        match name {
            "realm" | "error_description" | "acr_values" => {}
            "error" => assert!(
                [
                    "invalid_request",
                    "invalid_token",
                    "insufficient_scope",
                    "insufficient_user_authentication"
                ]
                .contains(&value)
            ),
            // Scope tokens with single spaces between.
            "scope" => assert!(value.split(' ').all(|token| !token.is_empty()), "{text}"),
            "max_age" => {
                assert_eq!(value.parse::<u64>().map(|age| age.to_string()).unwrap(), value)
            }
            _ => panic!("an unknown attribute: {text}"),
        }
    }
    assert_eq!(seen.contains(&"error"), seen.contains(&"error_description"));
    assert!([400, 401, 403].contains(&challenge.status()));
}
