//! Claim rules: the verdict is that of a second implementation with serde_json.
#![no_main]

use std::collections::HashMap;

use arbitrary::Arbitrary;
use claimgate::error::Problem;
use claimgate::policy::ClaimRule;
use claimgate::{AccessToken, AccessTokenPolicy, BearerToken, Error, TokenBuffer};
use claimgate_fuzz::{
    API, API_POLICY, HEADER, ISSUER, NOW, confirm_error, issuer, parse_json, sign, timed,
};
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    path: Vec<Name<'a>>,
    expected: Expected<'a>,
    /// The value of the claim `x`, in JSON.
    claim: &'a str,
}

/// Few names, so that they match.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Name<'a> {
    A,
    B,
    Roles,
    Any(&'a str),
}

impl<'a> Name<'a> {
    fn text(self) -> &'a str {
        match self {
            Self::A => "a",
            Self::B => "b",
            Self::Roles => "roles",
            Self::Any(name) => name,
        }
    }
}

#[derive(Arbitrary, Debug)]
enum Expected<'a> {
    Text(&'a str),
    Admin,
    Integer(i64),
    SmallInteger(i8),
    Boolean(bool),
    OneOf(Vec<&'a str>),
    Contains(&'a str),
    ContainsAdmin,
}

fuzz_target!(|input: Input<'_>| {
    timed(|| run(&input));
});

fn run(input: &Input<'_>) {
    let mut path = vec!["x"];
    path.extend(input.path.iter().take(4).map(|name| name.text()));
    let rule = match &input.expected {
        Expected::Text(value) => ClaimRule::equals(&path, value),
        Expected::Admin => ClaimRule::equals(&path, "admin"),
        Expected::Integer(value) => ClaimRule::equals_integer(&path, *value),
        Expected::SmallInteger(value) => ClaimRule::equals_integer(&path, (*value).into()),
        Expected::Boolean(value) => ClaimRule::equals_boolean(&path, *value),
        Expected::OneOf(values) => ClaimRule::one_of(&path, values),
        Expected::Contains(value) => ClaimRule::contains(&path, value),
        Expected::ContainsAdmin => ClaimRule::contains(&path, "admin"),
    };
    let is_empty_list = matches!(&input.expected, Expected::OneOf(values) if values.is_empty());
    assert_eq!(rule.is_err(), is_empty_list || path.len() > ClaimRule::MAX_PATH_LEN);
    let Ok(rule) = rule else { return };
    let rules = [rule];

    let exp = NOW.as_secs() + 500;
    let claim = input.claim;
    let payload =
        format!(r#"{{"iss":"{ISSUER}","sub":"s","aud":"{API}","exp":{exp},"x":{claim}}}"#);
    let text = sign(0, HEADER, payload.as_bytes());
    let token = BearerToken::new(&text);
    let policy = AccessTokenPolicy::general(API).require_claims(&rules).build().unwrap();
    let (mut one, mut two) = (TokenBuffer::<16384>::new(), TokenBuffer::<16384>::new());
    let verdict = AccessToken::validate(token, (issuer(), &policy), NOW, &mut one).map(|_| ());
    let open = match AccessToken::validate(token, (issuer(), &API_POLICY), NOW, &mut two) {
        Ok(open) => open,
        Err(error) => {
            confirm_error(error);
            return assert_eq!(verdict, Err(error));
        }
    };
    assert_eq!(open.authorize_claims(&rules).map_err(Error::from), verdict);
    let twice = [rule, rule];
    let same = open.authorize_claims(&twice).map_err(Error::from);
    assert_eq!(same, verdict);
    if parse_json(payload.as_bytes()).is_none() {
        return;
    }
    let problem = match verdict {
        Ok(()) => None,
        Err(Error::ClaimMismatch { rule: 0, problem }) => Some(problem),
        // An object on the path with a duplicate member or too many members.
        Err(Error::DuplicateMember(_) | Error::InvalidJson(..)) => return,
        Err(other) => panic!("{other:?}"),
    };
    assert_eq!(problem, read_again(&payload, &path, &input.expected).err(), "{payload}");
}

/// Returns the verdict of a rule by serde_json: values are text until their type is known.
fn read_again(payload: &str, path: &[&str], expected: &Expected<'_>) -> Result<(), Problem> {
    let mut text = payload.to_owned();
    for name in path {
        let object: HashMap<String, Box<RawValue>> =
            serde_json::from_str(&text).map_err(|_| Problem::WrongType)?;
        text = object.get(*name).ok_or(Problem::Absent)?.get().to_owned();
    }
    let string = || serde_json::from_str::<String>(&text).map_err(|_| Problem::WrongType);
    let integer = |value: i64| {
        let is_number = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        if !is_number || text.contains(['.', 'e', 'E']) || text == "-0" {
            return Err(Problem::WrongType);
        }
        Ok(text == value.to_string())
    };
    let contains = |value: &str| match string() {
        Ok(tokens) => Ok(!value.is_empty() && tokens.split(' ').any(|token| token == value)),
        Err(_) => {
            let elements: Vec<String> =
                serde_json::from_str(&text).map_err(|_| Problem::WrongType)?;
            Ok(elements.iter().any(|element| element == value))
        }
    };
    let is_expected = match expected {
        Expected::Text(value) => string()? == *value,
        Expected::Admin => string()? == "admin",
        Expected::Integer(value) => integer(*value)?,
        Expected::SmallInteger(value) => integer((*value).into())?,
        Expected::Boolean(value) => {
            serde_json::from_str::<bool>(&text).map_err(|_| Problem::WrongType)? == *value
        }
        Expected::OneOf(values) => values.contains(&string()?.as_str()),
        Expected::Contains(value) => contains(value)?,
        Expected::ContainsAdmin => contains("admin")?,
    };
    if is_expected { Ok(()) } else { Err(Problem::WrongValue) }
}
