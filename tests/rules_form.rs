//! The rule book, form: F1 to F7.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]

mod support;

use claimgate::error::{Claim, Input, JsonProblem, JsonType};
use claimgate::jws::{CompactJws, Header};
use claimgate::{AccessToken, Error, TokenBuffer};
use serde_json::json;
use support::*;

const HEADER: &[u8] = br#"{"alg":"RS256","kid":"key-a"}"#;

fn parse(token: &str) -> Result<(), Error> {
    CompactJws::parse(token).map(|_| ())
}

fn payload_error(payload: &[u8]) -> Error {
    access_raw(HEADER, payload).unwrap_err()
}

fn json_error(segment: Input, fault: JsonProblem) -> Error {
    Error::InvalidJson(segment, fault)
}

#[test]
fn f01_a_token_has_three_segments_and_none_is_empty() {
    assert_eq!(parse("a.b.c"), Ok(()));
    for token in ["", ".", "..", "a.", ".b", "a.b", "a.b.", "a..c", ".b.c", "..c", "a.b.c.d"] {
        assert_eq!(parse(token), Err(Error::MalformedToken), "{token}");
    }
    for token in ["a.b.c.", ".a.b.c", "a.b.c.d.e.f", "a.b.c.d.e."] {
        assert_eq!(parse(token), Err(Error::MalformedToken), "{token}");
    }
}

#[test]
fn f01_a_million_dots_are_too_large_or_with_a_higher_limit_malformed() {
    let dots = ".".repeat(1_000_000);
    let too_large = Error::TokenTooLarge { length: 1_000_000, limit: CompactJws::MAX_LEN };
    assert_eq!(parse(&dots), Err(too_large));
    assert_eq!(CompactJws::parse_up_to(&dots, usize::MAX).map(|_| ()), Err(Error::MalformedToken));
}

#[test]
fn f02_five_segments_are_an_encrypted_token() {
    for token in ["a.b.c.d.e", "a..c.d.e", "....", "a.b.c.d."] {
        assert_eq!(parse(token), Err(Error::EncryptedToken), "{token}");
    }
}

#[test]
fn f02_a_text_without_dots_is_an_opaque_token() {
    for token in ["a", "mF_9-B5f-4", "{\"payload\":\"\"}", " "] {
        assert_eq!(parse(token), Err(Error::OpaqueToken), "{token}");
    }
}

#[test]
fn f02_json_serialisation_is_no_token() {
    let flattened = json!({"payload": "e30", "protected": "e30", "signature": "AA"}).to_string();
    assert_eq!(parse(&flattened), Err(Error::OpaqueToken));
}

#[test]
fn f03_each_segment_is_canonical_base64url() {
    let token = Signer::a().sign(&access_claims());
    let segments: Vec<&str> = token.split('.').collect();
    for (index, segment) in
        [Input::Header, Input::Payload, Input::Signature].into_iter().enumerate()
    {
        let broken = |text: String| {
            let mut segments = segments.clone();
            segments[index] = &text;
            check_access(&API_POLICY, &segments.join("."), NOW)
        };
        let good = segments[index];
        for bad in [
            format!("{good}="),
            format!("{good}=="),
            format!("{good} "),
            format!(" {good}"),
            format!("{good}\n"),
            format!("{}+{}", &good[..4], &good[5..]),
            format!("{}/{}", &good[..4], &good[5..]),
            format!("{}\u{e9}{}", &good[..4], &good[6..]),
            format!("{}\0{}", &good[..4], &good[5..]),
            "A".to_owned(),
            "AAAAA".to_owned(),
            "A~AA".to_owned(),
        ] {
            assert_eq!(broken(bad.clone()), Err(Error::InvalidBase64(segment)), "{bad}");
        }
    }
}

#[test]
fn f03_unused_bits_are_zero() {
    // One byte is two characters, of which the second has four unused bits; two
    // bytes are three characters, of which the last has two.
    let mut accepted = 0;
    for (segment, length) in [("A", 1), ("AA", 2)] {
        for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".chars() {
            let token = format!("e30.e30.{segment}{last}");
            let mut buffer = [0; 64];
            let result = CompactJws::parse(&token).unwrap().decode(&mut buffer).map(|_| ());
            // `e30` is `{}`: the header has no `alg`.
            match result.unwrap_err() {
                Error::AlgorithmNotAllowed(_) => accepted += 1,
                error => assert_eq!(error, Error::InvalidBase64(Input::Signature), "{length}"),
            }
        }
    }
    assert_eq!(accepted, 4 + 16);
}

#[test]
fn f04_a_token_may_have_8192_bytes() {
    let token = |length: usize| format!("e30.e30.{}", "A".repeat(length - 8));
    assert_eq!(parse(&token(CompactJws::MAX_LEN)), Ok(()));
    assert_eq!(
        parse(&token(CompactJws::MAX_LEN + 1)),
        Err(Error::TokenTooLarge { length: CompactJws::MAX_LEN + 1, limit: CompactJws::MAX_LEN })
    );
}

#[test]
fn f04_the_caller_chooses_another_limit() {
    let token = Signer::a().sign(&access_claims());
    let issuer = trusted();
    let check = |limit: usize| {
        let mut buffer = TokenBuffer::<4096>::new().max_token_len(limit);
        let token = claimgate::BearerToken::new(&token);
        AccessToken::validate(token, (&issuer, &API_POLICY), NOW, &mut buffer).map(|_| ())
    };
    assert_eq!(check(token.len()), Ok(()));
    let limit = token.len() - 1;
    assert_eq!(check(limit), Err(Error::TokenTooLarge { length: token.len(), limit }));
    for larger in [CompactJws::MAX_LEN, CompactJws::MAX_LEN + 1, 10_000, usize::MAX] {
        assert_eq!(check(larger), Ok(()), "{larger}");
    }
}

#[test]
fn f04_a_header_may_have_2048_bytes() {
    let header = |length: usize| {
        let empty = json!({"alg": "RS256", "kid": "key-a", "x": ""}).to_string().len();
        json!({"alg": "RS256", "kid": "key-a", "x": "x".repeat(length - empty)})
    };
    assert_eq!(access_with_header(&header(Header::MAX_LEN)), Ok(()));
    assert_eq!(
        access_with_header(&header(Header::MAX_LEN + 1)),
        Err(Error::TokenTooLarge { length: Header::MAX_LEN + 1, limit: Header::MAX_LEN })
    );
}

#[test]
fn f04_a_buffer_may_be_too_small() {
    let token = Signer::a().sign(&access_claims());
    let decoded: usize = token.split('.').map(|segment| segment.len() * 3 / 4).sum();
    let mut buffer = vec![0; decoded];
    assert!(CompactJws::parse(&token).unwrap().decode(&mut buffer).is_ok());
    let mut buffer = vec![0; decoded - 1];
    let error = CompactJws::parse(&token).unwrap().decode(&mut buffer).map(|_| ());
    assert_eq!(error, Err(Error::BufferTooSmall { needed: decoded, available: decoded - 1 }));
}

#[test]
fn f04_a_buffer_may_be_too_small_for_a_string_with_escapes() {
    let signer = Signer::a();
    let token = signer.sign(&with(access_claims(), "sub", "say \"hello\""));
    let decoded: usize = token.split('.').map(|segment| segment.len() * 3 / 4).sum();
    let keys = keys_of(&signer);
    let needed = "say \"hello\"".len();
    let mut verdicts = Vec::new();
    for room in [needed - 1, needed] {
        let mut buffer = vec![0; decoded + room];
        let jws = CompactJws::parse(&token).unwrap().decode(&mut buffer).unwrap();
        let key = keys.select(jws.header()).unwrap();
        let parsed = AccessToken::parse(jws.verify(key).unwrap());
        verdicts.push(parsed.map(|_| ()));
    }
    let too_small = Error::BufferTooSmall { needed, available: needed - 1 };
    assert_eq!(verdicts, [Err(too_small), Ok(())]);
}

#[test]
fn f05_header_and_payload_are_objects_in_the_dialect() {
    let claims = access_claims().to_string();
    for (text, fault) in [
        (" ", JsonProblem::NotAnObject),
        ("[]", JsonProblem::NotAnObject),
        ("null", JsonProblem::NotAnObject),
        ("\"{}\"", JsonProblem::NotAnObject),
        ("\u{feff}{}", JsonProblem::NotAnObject),
        ("{", JsonProblem::Syntax),
        ("{}}", JsonProblem::TrailingData),
        ("{}{}", JsonProblem::TrailingData),
        ("{} //", JsonProblem::TrailingData),
        (r#"{"a":1,}"#, JsonProblem::Syntax),
        (r#"{"a" 1}"#, JsonProblem::Syntax),
        (r#"{a:1}"#, JsonProblem::Syntax),
        (r#"{'a':1}"#, JsonProblem::Syntax),
        (r#"{"a":@@@,"alg":"RS256"}"#, JsonProblem::Syntax),
        (r#"{"a":undefined}"#, JsonProblem::Syntax),
        (r#"{"a":NaN}"#, JsonProblem::Syntax),
        (r#"{"a":tru}"#, JsonProblem::Syntax),
        (r#"{"a":01}"#, JsonProblem::BadNumber),
        (r#"{"a":1.}"#, JsonProblem::BadNumber),
        (r#"{"a":.5}"#, JsonProblem::Syntax),
        (r#"{"a":+1}"#, JsonProblem::Syntax),
        (r#"{"a":1e}"#, JsonProblem::BadNumber),
        (r#"{"a":-}"#, JsonProblem::BadNumber),
        (r#"{"a":0x10}"#, JsonProblem::BadNumber),
        ("{\"a\":\"\n\"}", JsonProblem::ControlCharacter),
        ("{\"a\":\"\0\"}", JsonProblem::ControlCharacter),
        ("{\"a\":\"\u{1f}\"}", JsonProblem::ControlCharacter),
        (r#"{"a":"\q"}"#, JsonProblem::BadEscape),
        (r#"{"a":"\u12"}"#, JsonProblem::BadEscape),
        (r#"{"a":"\ud83d"}"#, JsonProblem::BadEscape),
        (r#"{"a":"\ude00\ud83d"}"#, JsonProblem::BadEscape),
        (r#"{"a":"unfinished}"#, JsonProblem::Syntax),
    ] {
        let header = access_raw(text.as_bytes(), claims.as_bytes());
        assert_eq!(header, Err(json_error(Input::Header, fault)), "{text}");
        assert_eq!(payload_error(text.as_bytes()), json_error(Input::Payload, fault), "{text}");
    }
}

#[test]
fn f05_the_text_is_utf_8() {
    let expected = json_error(Input::Payload, JsonProblem::NotUtf8);
    for bytes in [&b"{\"a\":\"\xff\"}"[..], b"{\"a\":\"\xc3\"}", b"\xff\xfe{\0}\0"] {
        assert_eq!(payload_error(bytes), expected);
    }
    // An overlong slash, a surrogate, a character beyond U+10FFFF.
    for bytes in
        [&b"{\"a\":\"\xc0\xaf\"}"[..], b"{\"a\":\"\xed\xa0\x80\"}", b"{\"a\":\"\xf4\x90\x80\x80\"}"]
    {
        assert_eq!(payload_error(bytes), expected);
    }
}

#[test]
fn f05_containers_are_nested_at_most_16_deep() {
    let depth = 16;
    let nested = |levels: usize| {
        let mut claims = access_claims().to_string();
        claims.pop();
        let (open, close) = ("[".repeat(levels - 1), "]".repeat(levels - 1));
        format!("{claims},\"x\":{open}{close}}}")
    };
    assert_eq!(access_raw(HEADER, nested(depth).as_bytes()), Ok(()));
    assert_eq!(
        payload_error(nested(depth + 1).as_bytes()),
        json_error(Input::Payload, JsonProblem::TooDeep)
    );
}

#[test]
fn f05_an_object_has_at_most_64_members() {
    let wide = |members: usize| {
        let mut claims = access_claims();
        for number in claims.as_object().unwrap().len()..members {
            claims[format!("x{number}")] = json!(number);
        }
        claims
    };
    assert_eq!(access(&wide(64)), Ok(()));
    assert_eq!(access(&wide(64 + 1)), Err(json_error(Input::Payload, JsonProblem::TooManyMembers)));
}

#[test]
fn f05_white_space_and_escapes_are_json_and_pass() {
    let claims = access_claims();
    assert_eq!(access_raw(HEADER, format!(" \n\t\r{claims:#} \n").as_bytes()), Ok(()));
    let escaped = claims.to_string().replace('/', "\\/").replace("iss", "\\u0069ss");
    assert_eq!(access_raw(HEADER, escaped.as_bytes()), Ok(()));
    assert_eq!(access_raw(br#"{"\u0061lg":"\u0052S256"}"#, claims.to_string().as_bytes()), Ok(()));
}

#[test]
fn f06_a_member_is_not_given_twice() {
    let claims = access_claims().to_string();
    let doubled = |member: &str| format!("{{{member},{}", &claims[1..]);
    for member in [
        r#""aud":"https://example.com/health-api""#,
        r#""\u0061ud":"https://example.com/health-api""#,
        r#""a\u0075d":null"#,
        r#""x":1,"x":1"#,
        r#""x":1,"\u0078":2"#,
        r#""\/":1,"/":2"#,
        r#""":1,"":2"#,
    ] {
        let text = doubled(member);
        assert_eq!(payload_error(text.as_bytes()), Error::DuplicateMember(Input::Payload));
    }
    // Nor is the issuer, whether the trusted one is first or second.
    let twice = format!("{},\"iss\":\"https://x.example/\"}}", &claims[..claims.len() - 1]);
    for text in [twice, doubled(r#""iss":"https://x.example/""#), doubled(r#""\u0069ss":1"#)] {
        assert_eq!(payload_error(text.as_bytes()), Error::DuplicateMember(Input::Payload));
    }
    for header in [
        r#"{"alg":"RS256","alg":"RS256"}"#,
        r#"{"alg":"none","\u0061lg":"RS256"}"#,
        r#"{"alg":"RS256","x":1,"x":2}"#,
    ] {
        let verdict = access_raw(header.as_bytes(), claims.as_bytes());
        assert_eq!(verdict, Err(Error::DuplicateMember(Input::Header)), "{header}");
    }
    // Names that only look alike are different names.
    assert_eq!(access_raw(HEADER, doubled(r#""AUD":1,"aud ":2"#).as_bytes()), Ok(()));
}

#[test]
fn f06_a_member_of_an_object_that_is_read_is_not_given_twice() {
    let claims = access_claims().to_string();
    let text = format!(r#"{{"cnf":{{"jkt":"a","\u006akt":"b"}},{}"#, &claims[1..]);
    assert_eq!(payload_error(text.as_bytes()), Error::DuplicateMember(Input::Payload));
    // `events` is read to recognise a logout token.
    let text = format!(r#"{{"events":{{"a":{{}},"\u0061":{{}}}},{}"#, &claims[1..]);
    assert_eq!(payload_error(text.as_bytes()), Error::DuplicateMember(Input::Payload));
    let claims = id_claims().to_string();
    let text = format!(r#"{{"events":{{"a":{{}},"a":{{}}}},{}"#, &claims[1..]);
    let token = Signer::a().sign_raw(HEADER, text.as_bytes());
    let expected = Err(Error::DuplicateMember(Input::Payload));
    assert_eq!(check_id(&LOGIN_POLICY, &token, NOW), expected);
    let text = format!(r#"{{"address":{{"region":"a","region":"a"}},{}"#, &claims[1..]);
    let token = Signer::a().sign_raw(HEADER, text.as_bytes());
    let expected = Err(Error::DuplicateMember(Input::Payload));
    assert_eq!(check_id(&LOGIN_POLICY, &token, NOW), expected);
}

#[test]
fn f07_a_registered_claim_has_its_type_even_if_nothing_checks_it() {
    let string: &[usize] = &[3];
    let date: &[usize] = &[2];
    let strings: &[usize] = &[4, 5];
    let string_or_strings: &[usize] = &[3, 4, 5];
    let object: &[usize] = &[7];
    let table = [
        ("iss", Claim::Issuer, JsonType::String, string),
        ("sub", Claim::Subject, JsonType::String, string),
        ("aud", Claim::Audience, JsonType::StringOrStrings, string_or_strings),
        ("exp", Claim::Expiry, JsonType::NumericDate, date),
        ("nbf", Claim::NotBefore, JsonType::NumericDate, date),
        ("iat", Claim::IssuedAt, JsonType::NumericDate, date),
        ("jti", Claim::TokenId, JsonType::String, string),
        ("azp", Claim::AuthorizedParty, JsonType::String, string),
        ("client_id", Claim::ClientId, JsonType::String, string),
        ("nonce", Claim::Nonce, JsonType::String, string),
        ("auth_time", Claim::AuthTime, JsonType::NumericDate, date),
        ("acr", Claim::Acr, JsonType::String, string),
        ("amr", Claim::Amr, JsonType::Strings, strings),
        ("at_hash", Claim::AtHash, JsonType::String, string),
        ("c_hash", Claim::CHash, JsonType::String, string),
        ("s_hash", Claim::SHash, JsonType::String, string),
        ("scope", Claim::Scope, JsonType::Scope, string_or_strings),
        ("scp", Claim::Scp, JsonType::Scope, string_or_strings),
        ("permissions", Claim::Permissions, JsonType::Strings, strings),
        ("gty", Claim::GrantType, JsonType::StringOrStrings, string_or_strings),
        ("cnf", Claim::Confirmation, JsonType::Object, object),
        ("token_use", Claim::TokenUse, JsonType::String, string),
        ("typ", Claim::Typ, JsonType::String, string),
        ("events", Claim::Events, JsonType::Object, object),
        ("org_id", Claim::OrganizationId, JsonType::String, string),
        ("org_name", Claim::OrganizationName, JsonType::String, string),
    ];
    for (name, claim, shape, right) in table {
        for (index, value) in one_of_each_type().into_iter().enumerate() {
            let wrong_type = Error::ClaimType(claim, shape);
            let access = access(&with(without(access_claims(), "scope"), name, value.clone()));
            let id = id(&with(id_claims(), name, value.clone()));
            for verdict in [access, id] {
                assert_eq!(
                    verdict == Err(wrong_type),
                    !right.contains(&index),
                    "{name}: {value} gave {verdict:?}"
                );
            }
        }
    }
}

#[test]
fn f07_a_claim_about_the_user_has_its_type() {
    let number_or_timestamp = JsonType::NumericDateOrTimestamp;
    for (name, claim, shape, right) in [
        ("name", Claim::Name, JsonType::String, 3),
        ("given_name", Claim::GivenName, JsonType::String, 3),
        ("family_name", Claim::FamilyName, JsonType::String, 3),
        ("middle_name", Claim::MiddleName, JsonType::String, 3),
        ("nickname", Claim::Nickname, JsonType::String, 3),
        ("preferred_username", Claim::PreferredUsername, JsonType::String, 3),
        ("profile", Claim::Profile, JsonType::String, 3),
        ("picture", Claim::Picture, JsonType::String, 3),
        ("website", Claim::Website, JsonType::String, 3),
        ("email", Claim::Email, JsonType::String, 3),
        ("email_verified", Claim::EmailVerified, JsonType::Boolean, 1),
        ("gender", Claim::Gender, JsonType::String, 3),
        ("birthdate", Claim::Birthdate, JsonType::String, 3),
        ("zoneinfo", Claim::Zoneinfo, JsonType::String, 3),
        ("locale", Claim::Locale, JsonType::String, 3),
        ("phone_number", Claim::PhoneNumber, JsonType::String, 3),
        ("phone_number_verified", Claim::PhoneNumberVerified, JsonType::Boolean, 1),
        ("address", Claim::Address, JsonType::Object, 7),
        ("updated_at", Claim::UpdatedAt, number_or_timestamp, 2),
        ("sid", Claim::SessionId, JsonType::String, 3),
    ] {
        for (index, value) in one_of_each_type().into_iter().enumerate() {
            let expected =
                if index == right { Ok(()) } else { Err(Error::ClaimType(claim, shape)) };
            assert_eq!(id(&with(id_claims(), name, value.clone())), expected, "{name}: {value}");
        }
    }
}

#[test]
fn f07_members_of_cnf_and_address_are_strings() {
    for member in ["jkt", "x5t#S256"] {
        assert_eq!(
            access(&with(access_claims(), "cnf", json!({ member: 1 }))),
            Err(Error::ClaimType(Claim::Confirmation, JsonType::Object))
        );
    }
    for member in ["formatted", "street_address", "locality", "region", "postal_code", "country"] {
        assert_eq!(
            id(&with(id_claims(), "address", json!({ member: 1 }))),
            Err(Error::ClaimType(Claim::Address, JsonType::String))
        );
        assert_eq!(id(&with(id_claims(), "address", json!({ member: "1" }))), Ok(()));
    }
}

#[test]
fn f07_an_audience_element_is_a_string_and_there_are_at_most_16() {
    let wrong = Err(Error::ClaimType(Claim::Audience, JsonType::StringOrStrings));
    for audience in [json!([API, 1]), json!([null]), json!([[API]]), json!([{}])] {
        assert_eq!(access(&with(access_claims(), "aud", audience)), wrong);
    }
    let audiences = |count: usize| {
        let mut audiences = vec![API.to_owned()];
        audiences.extend((1..count).map(|number| format!("https://api/{number}")));
        with(access_claims(), "aud", audiences)
    };
    assert_eq!(access(&audiences(16)), Ok(()));
    assert_eq!(access(&audiences(17)), Err(Error::TooManyAudiences { limit: 16 }));
}

#[test]
fn f07_a_time_is_a_number_from_0_to_the_end_of_the_year_9999() {
    let wrong = Err(Error::ClaimType(Claim::Expiry, JsonType::NumericDate));
    let exp = |text: &str| {
        let claims = without(access_claims(), "exp").to_string();
        access_raw(HEADER, format!("{{\"exp\":{text},{}", &claims[1..]).as_bytes())
    };
    for text in ["253402300799", "1311281970.9", "1.311281970e9", "2.53402300799e11"] {
        assert_eq!(exp(text), Ok(()), "{text}");
    }
    for text in [
        "-1",
        "-0",
        "253402300800",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "1e400",
        "1e99999999999999999999",
        "\"1311281970\"",
    ] {
        assert_eq!(exp(text), wrong, "{text}");
    }
}
