//! JSON, compared with serde_json: a text that claimgate accepts has the same value with
//! serde_json; a text that only serde_json accepts violates one of the restrictions listed
//! here.
#![no_main]

use std::collections::BTreeSet;
use std::fmt;

use claimgate::error::{Input, JsonProblem};
use claimgate::{Error, IdToken, TokenBuffer};
use claimgate_fuzz::{APPLICATION_POLICY, HEADER, LOGIN, NOW, issuer, parse_json, sign, timed};
use libfuzzer_sys::fuzz_target;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// The limits (rule F7): nesting levels, and members of an object.
const MAX_DEPTH: u32 = 16;
const MAX_MEMBERS: usize = 64;

fuzz_target!(|text: &[u8]| {
    timed(|| run(text));
});

fn run(text: &[u8]) {
    let token = sign(0, HEADER, text);
    let mut buffer = TokenBuffer::<16384>::new();
    let trust = (issuer(), &APPLICATION_POLICY);
    let validated = IdToken::validate(&token, trust, LOGIN, NOW, &mut buffer);
    let refused = match validated {
        Err(error @ (Error::InvalidJson(Input::Payload, _) | Error::DuplicateMember(_))) => {
            Some(error)
        }
        // Rejected before it is parsed as JSON.
        Err(Error::TokenTooLarge { .. } | Error::MalformedToken) => return,
        Ok(_) | Err(_) => None,
    };
    let Some(theirs) = parse_json(text) else { return };
    match (refused, theirs) {
        (None, theirs) => {
            let theirs = theirs.expect("serde_json takes what claimgate takes");
            assert!(theirs.is_object());
            if let Ok(token) = validated {
                match token.claims_with::<Value>(&mut [0; 16384]) {
                    Ok(ours) => assert!(is_same(&ours, &theirs), "{ours} is not {theirs}"),
                    Err(error) => assert!(is_stricter_inside(error, text, &theirs), "{error}"),
                }
            }
        }
        (Some(_), Err(_)) => {}
        (Some(error), Ok(theirs)) => assert!(is_stricter(error, text, &theirs), "{error}"),
    }
}

/// The restrictions.
fn is_stricter(error: Error, text: &[u8], value: &Value) -> bool {
    match error {
        Error::InvalidJson(_, JsonProblem::NotAnObject) => !value.is_object(),
        Error::InvalidJson(_, JsonProblem::TooDeep) => depth(value) > MAX_DEPTH,
        Error::InvalidJson(_, JsonProblem::TooManyMembers) => names(text).0 > MAX_MEMBERS,
        Error::DuplicateMember(_) => names(text).1,
        _ => false,
    }
}

/// The restrictions of members that only the caller reads, or that are objects.
fn is_stricter_inside(error: Error, text: &[u8], value: &Value) -> bool {
    match error {
        // Integers that do not fit into an integer type.
        Error::ClaimType(..) => has_large_number(value),
        Error::DuplicateMember(_) | Error::InvalidJson(_, JsonProblem::TooManyMembers) => {
            !names(text).1
        }
        _ => false,
    }
}

fn depth(value: &Value) -> u32 {
    let inner = match value {
        Value::Array(elements) => elements.iter().map(depth).max(),
        Value::Object(members) => members.values().map(depth).max(),
        _ => return 0,
    };
    1 + inner.unwrap_or(0)
}

fn has_large_number(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(elements) => elements.iter().any(has_large_number),
        Value::Object(members) => members.values().any(has_large_number),
        _ => false,
    }
}

/// Returns whether the values are equal; `-0` is 0.
fn is_same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            left == right || left.as_f64() == Some(0.0) && right.as_f64() == Some(0.0)
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| is_same(l, r))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, l)| right.get(name).is_some_and(|r| is_same(l, r)))
        }
        _ => left == right,
    }
}

/// Returns the number of members of an object, and whether two have the same name, at the top
/// level and in the objects that claimgate reads.
fn names(text: &[u8]) -> (usize, bool) {
    let top: Names<'_> = serde_json::from_slice(text).unwrap_or_default();
    let mut names = (top.count, top.has_duplicate);
    for inner in top.read {
        let inner: Names<'_> = serde_json::from_str(inner.get()).unwrap_or_default();
        names = (names.0.max(inner.count), names.1 || inner.has_duplicate);
    }
    names
}

#[derive(Default)]
struct Names<'a> {
    count: usize,
    has_duplicate: bool,
    read: Vec<&'a serde_json::value::RawValue>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Names<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Names<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names<'de>, A::Error> {
                let mut seen = BTreeSet::new();
                let mut names = Names::default();
                while let Some(name) = map.next_key::<String>()? {
                    if ["address", "cnf", "events"].contains(&name.as_str()) {
                        names.read.push(map.next_value()?);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                    names.count += 1;
                    names.has_duplicate |= !seen.insert(name);
                }
                Ok(names)
            }
        }
        deserializer.deserialize_map(Members)
    }
}
