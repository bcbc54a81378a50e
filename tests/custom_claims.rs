//! Custom claims of any type that serde supports, without panics.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]

mod support;

use std::collections::BTreeMap;

use claimgate::error::{Claim, JsonType};
use claimgate::{AccessToken, BearerToken, Error, TokenBuffer};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use support::*;

const WRONG: Error = Error::ClaimType(Claim::Custom, JsonType::Requested);

/// Signs a payload with these further members, validates it, and reads `T`.
fn read_text<T: DeserializeOwned>(members: &str) -> Result<T, Error> {
    let claims = access_claims().to_string();
    let payload = format!("{{{members},{}", &claims[1..]);
    let token = Signer::a().sign_raw(br#"{"alg":"RS256"}"#, payload.as_bytes());
    let issuer = trusted();
    let mut buffer = TokenBuffer::<8192>::new();
    AccessToken::validate(BearerToken::new(&token), (&issuer, &API_POLICY), NOW, &mut buffer)
        .unwrap()
        .claims::<T>()
}

#[derive(Debug, Deserialize, PartialEq)]
struct X<T> {
    x: T,
}

/// Reads the claim `x` as a `T`.
#[track_caller]
fn x<T: DeserializeOwned>(value: &str) -> Result<T, Error> {
    read_text::<X<T>>(&format!("\"x\":{value}")).map(|X { x }| x)
}

#[test]
fn namespaced_names_are_names_like_others() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Tenant {
        #[serde(rename = "https://example.com/tenant")]
        tenant: String,
        #[serde(rename = "https://example.com/roles")]
        roles: Vec<String>,
        sub: String,
    }
    let members = r#""https:\/\/example.com\/tenant":"acme","https://example.com/roles":["a","b"]"#;
    assert_eq!(
        read_text::<Tenant>(members),
        Ok(Tenant {
            tenant: "acme".to_owned(),
            roles: vec!["a".to_owned(), "b".to_owned()],
            sub: "auth0|123456".to_owned(),
        })
    );
    assert_eq!(read_text::<Tenant>(r#""https://example.com/Tenant":"acme""#), Err(WRONG));
}

#[test]
fn strings_are_borrowed_from_the_token() {
    #[derive(Deserialize)]
    struct Borrowed<'a> {
        plain: &'a str,
        escaped: &'a str,
    }
    let claims = with(with(access_claims(), "plain", "a"), "escaped", "b");
    let payload = claims.to_string().replace("\"b\"", r#""\u0062\/""#);
    let token = Signer::a().sign_raw(br#"{"alg":"RS256"}"#, payload.as_bytes());
    let issuer = trusted();
    let mut buffer = TokenBuffer::<4096>::new();
    let token =
        AccessToken::validate(BearerToken::new(&token), (&issuer, &API_POLICY), NOW, &mut buffer)
            .unwrap();
    let borrowed = token.claims::<Borrowed<'_>>().unwrap();
    assert_eq!((borrowed.plain, borrowed.escaped), ("a", "b/"));
}

#[test]
fn scalars_have_their_types_and_ranges() {
    assert_eq!((x("true"), x("false")), (Ok(true), Ok(false)));
    assert_eq!(x::<u8>("255"), Ok(255));
    assert_eq!(x::<u8>("256"), Err(WRONG));
    assert_eq!(x::<u8>("-1"), Err(WRONG));
    assert_eq!(x::<i8>("-128"), Ok(-128));
    assert_eq!(x::<i8>("-129"), Err(WRONG));
    assert_eq!((x::<u16>("9"), x::<i16>("-9")), (Ok(9), Ok(-9)));
    assert_eq!((x::<u32>("9"), x::<i32>("-9")), (Ok(9), Ok(-9)));
    assert_eq!(x::<u64>("18446744073709551615"), Ok(u64::MAX));
    assert_eq!(x::<u64>("18446744073709551616"), Err(WRONG));
    assert_eq!(x::<i64>("-9223372036854775808"), Ok(i64::MIN));
    assert_eq!(x::<i64>("1.0"), Err(WRONG));
    assert_eq!(x::<i64>("1e3"), Err(WRONG));
    assert_eq!(x::<f64>("-1.5e3"), Ok(-1500.0));
    assert_eq!(x::<f32>("0.5"), Ok(0.5));
    assert_eq!(x::<f64>("1e400"), Err(WRONG));
    assert_eq!(x::<f32>("1e39"), Err(WRONG));
    assert_eq!(x::<f64>("null"), Err(WRONG));
    assert_eq!(x::<char>("\"\u{f6}\""), Ok('\u{f6}'));
    assert_eq!(x::<char>("\"ab\""), Err(WRONG));
    assert_eq!(x::<()>("null"), Ok(()));
    assert_eq!(x::<u128>("1"), Err(WRONG));
    for value in ["1", "\"1\"", "null", "[]", "{}"] {
        assert_eq!(x::<bool>(value), Err(WRONG), "{value}");
    }
    for value in ["true", "\"1\"", "null", "[1]", "{}"] {
        assert_eq!(x::<u32>(value), Err(WRONG), "{value}");
    }
    for value in ["true", "1", "null", "[\"a\"]", "{}"] {
        assert_eq!(x::<String>(value), Err(WRONG), "{value}");
    }
}

#[test]
fn an_option_is_absent_null_or_there() {
    assert_eq!(x::<Option<u8>>("null"), Ok(None));
    assert_eq!(x::<Option<u8>>("1"), Ok(Some(1)));
    assert_eq!(x::<Option<u8>>("\"1\""), Err(WRONG));
    assert_eq!(read_text::<X<Option<u8>>>("\"y\":1"), Ok(X { x: None }));
    assert_eq!(read_text::<X<u8>>("\"y\":1"), Err(WRONG));
}

#[test]
fn arrays_have_their_length() {
    assert_eq!(x::<[u8; 2]>("[1,2]"), Ok([1, 2]));
    assert_eq!(x::<[u8; 2]>("[1]"), Err(WRONG));
    assert_eq!(x::<[u8; 2]>("[1,2,3]"), Err(WRONG));
    assert_eq!(x::<(u8, String)>("[ 1 , \"a\" ]"), Ok((1, "a".to_owned())));
    assert_eq!(x::<Vec<Vec<u8>>>("[[],[1],[2,3]]"), Ok(vec![vec![], vec![1], vec![2, 3]]));
    assert_eq!(x::<Vec<u8>>("[1,\"2\"]"), Err(WRONG));
    assert_eq!(x::<Vec<u8>>("{}"), Err(WRONG));
}

#[test]
fn nested_maps_may_have_any_key_that_serde_reads() {
    // serde-json-core alone panics here.
    let map = x::<BTreeMap<String, u8>>(r#"{"a":1,"b\"":2}"#).unwrap();
    assert_eq!(map, BTreeMap::from([("a".to_owned(), 1), ("b\"".to_owned(), 2)]));
    assert_eq!(x::<BTreeMap<u32, u8>>(r#"{"1":1}"#), Err(WRONG));
    assert_eq!(x::<BTreeMap<bool, u8>>(r#"{"true":1}"#), Err(WRONG));
    assert_eq!(x::<BTreeMap<Option<String>, u8>>(r#"{"1":1}"#), Err(WRONG));
    assert_eq!(x::<BTreeMap<(), u8>>(r#"{"1":1}"#), Err(WRONG));
    let deep = x::<BTreeMap<String, BTreeMap<char, X<u8>>>>(r#"{"a":{"b":{"x":1}}}"#).unwrap();
    assert_eq!(deep["a"][&'b'], X { x: 1 });
}

#[test]
fn a_nested_member_is_not_given_twice() {
    let twice = Error::DuplicateMember(claimgate::error::Input::Payload);
    assert_eq!(x::<BTreeMap<String, u8>>(r#"{"a":1,"\u0061":2}"#), Err(twice));
    assert_eq!(x::<X<u8>>(r#"{"x":1,"x":2}"#), Err(twice));
}

#[test]
fn structs_may_be_nested_and_pass_over_what_they_do_not_name() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Inner {
        a: u8,
        #[serde(default)]
        b: bool,
    }
    let value = r#"{"z":{"y":[{},[],"]}",null]},"a":1,"w":1e400}"#;
    assert_eq!(x::<Inner>(value), Ok(Inner { a: 1, b: false }));
    assert_eq!(x::<X<X<u8>>>(r#"{"x":{"x":7}}"#), Ok(X { x: X { x: 7 } }));
    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Strict {
        a: u8,
    }
    assert_eq!(x::<Strict>(r#"{"a":1}"#), Ok(Strict { a: 1 }));
    assert_eq!(x::<Strict>(r#"{"a":1,"b":2}"#), Err(WRONG));
    #[derive(Debug, Deserialize, PartialEq)]
    struct Wrapper(u8);
    assert_eq!(x::<Wrapper>("3"), Ok(Wrapper(3)));
    #[derive(Debug, Deserialize, PartialEq)]
    struct Pair(u8, u8);
    assert_eq!(x::<Pair>("[3,4]"), Ok(Pair(3, 4)));
}

#[test]
fn enums_are_read_in_each_form_of_serdes() {
    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Plan {
        Free,
        Seats(u32),
        Range(u32, u32),
        Custom { name: String },
    }
    assert_eq!(x::<Plan>("\"free\""), Ok(Plan::Free));
    assert_eq!(x::<Plan>(r#"{"free":null}"#), Ok(Plan::Free));
    assert_eq!(x::<Plan>(r#"{"seats":5}"#), Ok(Plan::Seats(5)));
    assert_eq!(x::<Plan>(r#"{"range":[1,2]}"#), Ok(Plan::Range(1, 2)));
    let custom = Plan::Custom { name: "a\"b".to_owned() };
    assert_eq!(x::<Plan>(r#"{"custom":{"name":"a\"b"}}"#), Ok(custom));
    for value in ["\"gold\"", "\"fr\\\"ee\"", "{}", r#"{"seats":1,"free":null}"#, "1", "null", "[]"]
    {
        assert_eq!(x::<Plan>(value), Err(WRONG), "{value}");
    }
    assert_eq!(x::<Plan>("\"seats\""), Err(WRONG));
    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
        Number(i64),
        Fraction(f64),
        Flag(bool),
        Nothing,
    }
    assert_eq!(x::<OneOrMany>("\"a\""), Ok(OneOrMany::One("a".to_owned())));
    assert_eq!(x::<OneOrMany>("[\"a\"]"), Ok(OneOrMany::Many(vec!["a".to_owned()])));
    assert_eq!(x::<OneOrMany>("-4"), Ok(OneOrMany::Number(-4)));
    assert_eq!(x::<OneOrMany>("4.5"), Ok(OneOrMany::Fraction(4.5)));
    assert_eq!(x::<OneOrMany>("true"), Ok(OneOrMany::Flag(true)));
    assert_eq!(x::<OneOrMany>("null"), Ok(OneOrMany::Nothing));
}

#[test]
fn a_whole_payload_is_read_as_serde_json_reads_it() {
    let members = r#""a":[1,-2,3.5,"x\ny\u00f6\"",null,true,{"b":{}}],"c":{"d":[[]]}"#;
    let read = read_text::<Value>(members).unwrap();
    let claims = access_claims().to_string();
    let expected: Value = serde_json::from_str(&format!("{{{members},{}", &claims[1..])).unwrap();
    assert_eq!(read, expected);
}

#[test]
fn flattened_structs_are_read() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Flat {
        x: u8,
        #[serde(flatten)]
        others: BTreeMap<String, Value>,
    }
    let flat = read_text::<Flat>("\"x\":1,\"y\":{\"z\":2}").unwrap();
    assert_eq!((flat.x, &flat.others["y"]["z"]), (1, &json!(2)));
}

#[test]
fn strings_with_escapes_need_scratch() {
    let claims = with(access_claims(), "x", "\"".repeat(300));
    let token = Signer::a().sign(&claims);
    let issuer = trusted();
    let mut buffer = TokenBuffer::<8192>::new();
    let token =
        AccessToken::validate(BearerToken::new(&token), (&issuer, &API_POLICY), NOW, &mut buffer)
            .unwrap();
    let too_small = |available| Err(Error::BufferTooSmall { needed: 300, available });
    assert_eq!(token.claims::<X<String>>(), too_small(256));
    assert_eq!(token.claims_with::<X<String>>(&mut [0; 299]), too_small(299));
    let x = token.claims_with::<X<String>>(&mut [0; 300]).unwrap().x;
    assert_eq!(x, "\"".repeat(300));
}

#[test]
fn recursion_is_bounded_by_the_depth_of_the_dialect() {
    #[derive(Debug, Deserialize)]
    struct Deep {
        d: Option<Box<Deep>>,
    }
    let nested = format!("{}{}{}", "{\"d\":".repeat(14), "{}", "}".repeat(14));
    let mut depth = 0;
    let mut next = Some(Box::new(x::<Deep>(&nested).unwrap()));
    while let Some(deep) = next {
        depth += 1;
        next = deep.d;
    }
    assert_eq!(depth, 15);
}
