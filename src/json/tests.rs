use serde::Deserialize;

use super::*;

const INPUT: Input = Input::Payload;

fn parse(text: &[u8], segment: Input) -> Result<Object<'_>, Error> {
    let mut object = Object::empty();
    object.read(to_str(text, segment)?, segment)?;
    Ok(object)
}

#[track_caller]
fn assert_valid(text: &str) {
    assert!(parse(text.as_bytes(), INPUT).is_ok(), "{text}");
}

#[track_caller]
fn assert_fault(text: &str, fault: JsonProblem) {
    let result = parse(text.as_bytes(), INPUT).map(|_| ());
    assert_eq!(result, Err(Error::InvalidJson(INPUT, fault)), "{text}");
}

#[track_caller]
fn assert_duplicate(text: &str) {
    let result = parse(text.as_bytes(), INPUT).map(|_| ());
    assert_eq!(result, Err(Error::DuplicateMember(INPUT)), "{text}");
}

fn nested(brackets: usize) -> std::string::String {
    let mut text = std::string::String::from(r#"{"a":"#);
    text.extend(core::iter::repeat_n('[', brackets));
    text.extend(core::iter::repeat_n(']', brackets));
    text.push('}');
    text
}

fn numbered_members(count: usize) -> std::string::String {
    let members: std::vec::Vec<_> = (0..count).map(|n| std::format!(r#""m{n}":0"#)).collect();
    std::format!("{{{}}}", members.join(","))
}

#[test]
fn objects_are_valid() {
    for text in [
        "{}",
        " \t\r\n{ \n} ",
        r#"{"a":1}"#,
        r#"{ "a" : [ ] , "b" : { } }"#,
        r#"{"a":[1,[2,{"b":[{}]}],"x"],"c":{"d":{"e":null}}}"#,
        r#"{"":""}"#,
        r#"{"a":true,"b":false,"c":null}"#,
        r#"{"ö":"日本語"}"#,
        r#"{"a":{"same":1,"b":{"same":2}},"same":3}"#,
        "{\"a\":\"\u{7f}\u{80}\"}",
    ] {
        assert_valid(text);
    }
}

#[test]
fn numbers_follow_the_grammar() {
    for number in ["0", "-0", "10", "1.5", "0.0", "-1.25e10", "1E+2", "1e-2", "1e400"] {
        assert_valid(&std::format!(r#"{{"a":{number}}}"#));
        assert_valid(&std::format!(r#"{{"a":[{number},{number} ]}}"#));
    }
    for number in ["01", "-", "-a", "1.", "1.e2", "1e", "1e+", "0x10", "1a", "--1", "00", "1.2.3"] {
        let text = std::format!(r#"{{"a":{number}}}"#);
        let result = parse(text.as_bytes(), INPUT).map(|_| ());
        assert_eq!(result, Err(Error::InvalidJson(INPUT, JsonProblem::BadNumber)), "{number}");
    }
    for word in
        ["+1", ".5", "1_000", "NaN", "Infinity", "-Infinity", "True", "nul", "nulL", "undefined"]
    {
        assert!(parse(std::format!(r#"{{"a":{word}}}"#).as_bytes(), INPUT).is_err());
    }
}

#[test]
fn f05_broken_syntax_is_rejected() {
    for text in [
        "{",
        "{,}",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1,}"#,
        r#"{"a":1 "b":2}"#,
        r#"{a:1}"#,
        r#"{'a':1}"#,
        r#"{"a":[1,]}"#,
        r#"{"a":[1 2]}"#,
        r#"{"a":[}"#,
        r#"{"a":[1}}"#,
        r#"{"a":{]}"#,
        r#"{"a":{"b":1]}"#,
        r#"{"a":"#,
        r#"{"a":"x"#,
        r#"{"x":@@@,"iss":"a"}"#,
        r#"{"a":truex}"#,
        "{\"a\":1,\u{a0}\"b\":1}",
        r#"{"a":1//c"#,
        r#"{"a":1}/**/"#,
        r#"{"a":tru"#,
        r#"{"a":{"b"}}"#,
        r#"{"a":{1:2}}"#,
    ] {
        assert!(parse(text.as_bytes(), INPUT).is_err(), "{text}");
    }
    assert_fault(r#"{"a":1"#, JsonProblem::Syntax);
}

#[test]
fn f05_what_is_no_object_is_rejected() {
    for text in ["", " ", "[]", "1", "null", r#""{}""#, "true", "\u{feff}{}"] {
        assert_fault(text, JsonProblem::NotAnObject);
    }
    for text in ["{}{}", "{} x", "{},", "{}\0", "{}}"] {
        assert_fault(text, JsonProblem::TrailingData);
    }
}

#[test]
fn inner_objects_of_strings_are_read_by_the_grammar() {
    for inner in [
        r#"{"b":"c"}"#,
        r#"{"b":"c","d":"e"}"#,
        r#"{"b":"c","d":1}"#,
        r#"{"b":1,"d":"e"}"#,
        r#"{"b" : "c"}"#,
        r#"{"":""}"#,
        r#"{"b":{"c":"d"}}"#,
        "{}",
    ] {
        assert_valid(&std::format!(r#"{{"a":{inner}}}"#));
        assert_valid(&std::format!(r#"{{"a":{inner},"z":"\""}}"#));
    }
    for inner in [
        r#"{"b":"c",}"#,
        r#"{"b":"c","d"}"#,
        r#"{"b":"c" "d":"e"}"#,
        r#"{"b":"c","d":"e"]"#,
        r#"{"b":"c"x}"#,
        r#"{"b":"c",,"d":"e"}"#,
        r#"{"b""c"}"#,
        r#"{"b":"c""#,
        r#"{"b"}"#,
        r#"{"b":}"#,
        r#"{,"b":"c"}"#,
    ] {
        assert_fault(&std::format!(r#"{{"a":{inner}}}"#), JsonProblem::Syntax);
    }
    // As deep as permitted, and one deeper.
    let deep = |arrays: usize| {
        let (open, close) = ("[".repeat(arrays), "]".repeat(arrays));
        std::format!(r#"{{"a":{open}{{"b":"c"}}{close}}}"#)
    };
    assert_valid(&deep(14));
    assert_fault(&deep(15), JsonProblem::TooDeep);
}

#[test]
fn f05_bytes_that_are_not_utf8_are_rejected() {
    for text in [&b"{\"a\":\"\xff\"}"[..], b"{\"a\":\"\xc0\xaf\"}", b"{\"a\":\"\xed\xa0\x80\"}"] {
        let result = parse(text, INPUT).map(|_| ());
        assert_eq!(result, Err(Error::InvalidJson(INPUT, JsonProblem::NotUtf8)));
    }
}

#[test]
fn f05_control_characters_and_bad_escapes_are_rejected_even_where_nobody_reads() {
    assert_fault("{\"a\":\"\n\"}", JsonProblem::ControlCharacter);
    assert_fault("{\"a\":[{\"b\":\"\0\"}]}", JsonProblem::ControlCharacter);
    assert_fault("{\"a\u{1f}\":1}", JsonProblem::ControlCharacter);
    assert_fault(r#"{"a":"a\q"}"#, JsonProblem::BadEscape);
    assert_fault(r#"{"a\x":1}"#, JsonProblem::BadEscape);
    assert_fault(r#"{"a":["\ud800"]}"#, JsonProblem::BadEscape);
    assert_fault(r#"{"a":"\"}"#, JsonProblem::Syntax);
}

#[test]
fn f05_a_backslash_begins_one_of_eight_short_escapes_or_a_long_one() {
    for second in (0..0x7f_u8).map(char::from) {
        let text = std::format!(r#"{{"a":"\{second}0041"}}"#);
        match second {
            // The string ends at the quote that follows.
            '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' | 'u' => assert_valid(&text),
            _ => assert_fault(&text, JsonProblem::BadEscape),
        }
    }
}

#[test]
fn f05_nesting_is_bounded() {
    assert_valid(&nested(15));
    assert_fault(&nested(16), JsonProblem::TooDeep);
    assert_fault(&nested(200_000), JsonProblem::TooDeep);
    assert_fault(&r#"{"a":"#.repeat(200_000), JsonProblem::TooDeep);
    // The depth counts open containers only.
    assert_valid(&std::format!(r#"{{"a":[{}]}}"#, ["[[]]"; 40].join(",")));
}

#[test]
fn f05_members_are_bounded() {
    assert_valid(&numbered_members(64));
    assert_fault(&numbered_members(65), JsonProblem::TooManyMembers);
    // The limit applies only to objects that are read.
    assert_valid(&std::format!(r#"{{"a":{}}}"#, numbered_members(65)));
}

#[test]
fn f06_duplicate_names_are_rejected_also_when_escaped() {
    assert_duplicate(r#"{"a":1,"a":1}"#);
    assert_duplicate(r#"{"a":1,"b":2,"a":3}"#);
    assert_duplicate(r#"{"aud":1,"\u0061ud":2}"#);
    assert_duplicate(r#"{"\u0061ud":1,"aud":2}"#);
    assert_duplicate(r#"{"a\/b":1,"a/b":2}"#);
    assert_duplicate(r#"{"\ud83d\ude00":1,"😀":2}"#);
    assert_valid(r#"{"a":1,"A":2,"a ":3,"":4}"#);
    assert_valid(r#"{"\\u0061":1,"a":2}"#);
}

#[test]
fn values_know_their_type() {
    let object =
        parse(br#"{"s":"x","n":-1.5,"b":true,"o":{"k":1},"a":[1,"2",[3]],"z":null}"#, INPUT)
            .unwrap();
    let get = |name| object.get(name).unwrap();
    assert_eq!(get("s").string().unwrap().plain(), Some("x"));
    assert_eq!(get("n").number(), Some("-1.5"));
    assert_eq!(get("b").boolean(), Some(true));
    let mut inner = Object::empty();
    assert_eq!(get("o").read_object(&mut inner, INPUT), Ok(true));
    assert!(inner.get("k").is_some());
    let elements: std::vec::Vec<_> = get("a").array().unwrap().map(Value::as_written).collect();
    assert_eq!(elements, ["1", r#""2""#, "[3]"]);
    for name in ["n", "b", "o", "a", "z"] {
        assert!(get(name).string().is_none());
    }
    for name in ["s", "b", "o", "a", "z"] {
        assert!(get(name).number().is_none());
    }
    for name in ["s", "n", "o", "a", "z"] {
        assert!(get(name).boolean().is_none());
    }
    for name in ["s", "n", "b", "a", "z"] {
        assert_eq!(get(name).read_object(&mut Object::empty(), INPUT), Ok(false));
    }
    for name in ["s", "n", "b", "o", "z"] {
        assert!(get(name).array().is_none());
    }
    assert!(object.get("x").is_none());
}

#[test]
fn an_array_of_strings_has_nothing_but_strings_in_it() {
    for (array, is_one) in [
        ("[]", true),
        (r#"["a"]"#, true),
        (r#"["a","","b"]"#, true),
        (r#"["[","{"]"#, true),
        (r#"[["a"]]"#, false),
        ("[[]]", false),
        (r#"["a",["b"]]"#, false),
        (r#"["a",[]]"#, false),
        (r#"["a",{}]"#, false),
        (r#"["a",1]"#, false),
        (r#"["a",-1]"#, false),
        (r#"["a",null]"#, false),
        (r#"[0,"a"]"#, false),
        (r#"{"a":"b"}"#, false),
        (r#""a""#, false),
    ] {
        for array in [array.into(), array.replace(',', " , ").replace('[', "[ ")] {
            let text = std::format!(r#"{{"a":{array}}}"#);
            let object = parse(text.as_bytes(), INPUT).unwrap();
            let strings = object.get("a").unwrap().plain_strings();
            assert_eq!(strings, is_one.then_some(array.as_str()), "{text}");
        }
    }
}

#[test]
fn elements_of_arrays_are_found() {
    for (text, count) in
        [("[]", 0), ("[ ]", 0), ("[1]", 1), ("[ 1 , 2 ]", 2), (r#"["a,b]",[1,2],{"c":[]}]"#, 3)]
    {
        let text = std::format!(r#"{{"a":{text}}}"#);
        let object = parse(text.as_bytes(), INPUT).unwrap();
        assert_eq!(object.get("a").unwrap().array().unwrap().count(), count, "{text}");
    }
}

#[test]
fn needless_escapes_go_and_strings_with_others_are_unescaped_into_the_room() {
    let mut text = *br#"{"i\u0073s":"https:\/\/a\/","q":"say \"hi\"\n"}"#;
    let mut object = Object::empty();
    let text = object.read_decoded(&mut text, INPUT).unwrap();
    assert_eq!(text, br#"{"iss":"https://a/","q":"say \"hi\"\n"}"#);
    let iss = object.get("iss").unwrap().string().unwrap();
    let quoted = object.get("q").unwrap().string().unwrap();
    assert!(quoted.is("say \"hi\"\n"));
    assert!(!quoted.is("say \"hi\""));
    let mut free = [0; 9];
    let mut room = Scratch::new(&mut free);
    assert_eq!(room.string(iss), Ok("https://a/"));
    assert_eq!(room.string(quoted), Ok("say \"hi\"\n"));
    assert_eq!(room.string(quoted), Err(Error::BufferTooSmall { needed: 9, available: 0 }));
}

#[test]
fn the_first_member_of_a_name_is_found_in_a_valid_text_alone() {
    let find = |text: &'static str| {
        let value = find_first(text.as_bytes(), "iss", INPUT)?;
        Some(value.as_written())
    };
    assert_eq!(find(r#"{"a":1,"iss":"x","b":2}"#), Some(r#""x""#));
    assert_eq!(find(r#"{"iss":3,"iss":"y","\u0069ss":"z"}"#), Some("3"));
    assert_eq!(find(r#"{"a":"\n","\u0069ss":"z"}"#), Some(r#""z""#));
    for text in ["{}", r#"{"is":1,"isss":2,"Iss":3}"#, r#"{"a":{"iss":1}}"#, r#"["iss"]"#] {
        assert_eq!(find(text), None, "{text}");
    }
    for text in [r#"{"iss":"x",}"#, r#"{"iss":"x"}}"#, r#"{"iss":"x","a":01}"#] {
        assert_eq!(find(text), None, "{text}");
    }
}

/// Returns the number of members or the error, by both ways of reading.
fn both_ways(text: &[u8]) -> [Result<usize, Error>; 2] {
    let mut buffer = std::vec::Vec::from(text);
    let mut decoded = Object::empty();
    let rewritten = decoded.read_decoded(&mut buffer, INPUT).map(|_| ());
    [
        parse(text, INPUT).map(|object| object.members().count()),
        rewritten.map(|()| decoded.members().count()),
    ]
}

#[test]
fn no_text_becomes_valid_by_being_rewritten_or_invalid() {
    let text =
        r#"{"\u0061":"\/\n\"\\","a":[1,"\ud83d\ude00"],"b\u0022":{"c":"\u000a"},"\u00f6":-0.5e1}"#;
    for broken in [
        r#"{"exp":\u0031}"#,
        r#"{"a":1\n}"#,
        r"\u007b}",
        r#"{"a":"\u00"}"#,
        // Escapes that would complete an invalid one.
        r#"{"a":"\u\u00610073"}"#,
        r#"{"a":"\u00\u0036\u0031"}"#,
        r#"{"\/":"\u\u0030\u0030\u0030\u0030","b":"\/"}"#,
        r#"{"a":"\u00610\ud83d\u005cude00"}"#,
        r#"{"a":"\ud83\u0064\ude00"}"#,
        r#"{"a":"\q\u005c"}"#,
    ] {
        let [parsed, decoded] = both_ways(broken.as_bytes());
        assert!(parsed.is_err(), "{broken}");
        assert_eq!(parsed, decoded, "{broken}");
    }
    assert_eq!(both_ways(text.as_bytes()), [Err(Error::DuplicateMember(INPUT)); 2]);
    let text = text.replace(r#""a":["#, r#""d":["#);
    assert_eq!(both_ways(text.as_bytes()), [Ok(4); 2]);
    let mut valid = 0;
    for at in 0..=text.len() {
        let (before, after) = text.as_bytes().split_at(at);
        for other in *b"\"\\u/0d8\n,:]}\xc3\xa9a" {
            for rest in [after, after.get(1..).unwrap_or_default()] {
                let changed = [before, &[other], rest].concat();
                let [parsed, decoded] = both_ways(&changed);
                assert_eq!(parsed, decoded, "{}", std::string::String::from_utf8_lossy(&changed));
                valid += usize::from(parsed.is_ok());
            }
        }
    }
    assert!((500..2_000).contains(&valid), "{valid}");
}

#[test]
fn strings_of_parts_of_escapes_are_read_the_same_both_ways() {
    let parts = [
        r"\", r"\u", "0061", "00", "6", r"\u0061", r"\u0030", r"\u0036", r"\u005c", r"\ud83d",
        r"\ude00", "d83d", "\"", r#"\""#, r"\/", r"\\", "u", "n", ",", ":", "\u{f6}", "\n",
    ];
    let mut state = 1_u32;
    let (mut valid, mut rewritten) = (0, 0);
    for _ in 0..60_000 {
        let mut text = std::string::String::from(r#"{"\/a":""#);
        for _ in 0..6 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let part = usize::try_from(state >> 16).unwrap() % (2 * parts.len());
            text.push_str(parts.get(part).unwrap_or(&""));
        }
        text.push_str(r#"","/a\u0061":0}"#);
        let [parsed, decoded] = both_ways(text.as_bytes());
        assert_eq!(parsed, decoded, "{text}");
        valid += usize::from(parsed.is_ok());
        rewritten += usize::from(parsed.is_ok() && text.matches(r"\u").count() > 2);
    }
    assert!(valid > 6_000 && rewritten > 500, "{valid} {rewritten}");
}

#[test]
fn an_object_in_a_decoded_text_compares_names_as_bytes() {
    for (text, is_duplicate) in [
        (r#"{"o":{"a\/":1,"a/":2}}"#, true),
        (r#"{"o":{"\u0022":1,"\"":2}}"#, true),
        (r#"{"o":{"\u0022":1,"\\u0022":2}}"#, false),
        (r#"{"o":{"\\":1,"\\\\":2,"\n":3,"n":4}}"#, false),
    ] {
        let mut buffer = std::vec::Vec::from(text);
        let mut object = Object::empty();
        object.read_decoded(&mut buffer, INPUT).unwrap();
        let expected = if is_duplicate { Err(Error::DuplicateMember(INPUT)) } else { Ok(()) };
        let inner = object.get("o").unwrap();
        let result = inner.read_object(&mut Object::empty(), INPUT).map(|_| ());
        assert_eq!(result, expected, "{text}");
        // The same in an object that is read in place.
        let object = parse(text.as_bytes(), INPUT).unwrap();
        let inner = object.get("o").unwrap();
        let result = inner.read_object(&mut Object::empty(), INPUT).map(|_| ());
        assert_eq!(result, expected, "{text}");
    }
}

#[test]
fn f06_a_duplicate_is_seen_among_as_many_as_can_be_wherever_it_is() {
    let names: std::vec::Vec<_> =
        (0..64).map(|n| std::format!(r#"long name {n:02} end"#)).collect();
    for (first, second) in (1..64).flat_map(|second| (0..second).map(move |first| (first, second)))
    {
        let mut names = names.clone();
        names[second] = names[first].clone();
        let members: std::vec::Vec<_> =
            names.iter().map(|name| std::format!(r#""{name}":0"#)).collect();
        assert_duplicate(&std::format!("{{{}}}", members.join(",")));
        // By characters.
        let escaped = members.join(",").replacen("long", "l\\u006fng", 1);
        assert_duplicate(&std::format!("{{{escaped}}}"));
    }
}

#[derive(Debug, Deserialize, PartialEq)]
struct Custom<'a> {
    #[serde(rename = "https://example.com/roles", borrow)]
    roles: [&'a str; 2],
    level: u64,
    note: std::string::String,
    #[serde(default)]
    absent: Option<bool>,
}

fn custom(text: &str, scratch: &mut [u8]) -> Result<(), Error> {
    let object = parse(text.as_bytes(), INPUT)?;
    deserialize::<Custom<'_>>(&object, scratch).map(|custom| {
        assert_eq!(custom.roles, ["admin", "user"]);
        assert_eq!(custom.level, 3);
        assert_eq!(custom.note, "say \"hi\"");
        assert_eq!(custom.absent, None);
    })
}

#[test]
fn c08_custom_claims_are_deserialised_by_exact_name() {
    let text = r#"{"x":{"y":[1]},"https://example.com/roles":["admin","user"],"level":3,
        "ignored":"long \"string\" that does not fit into the scratch space","n":null,
        "note":"say \"hi\"","t":true}"#;
    assert_eq!(custom(text, &mut [0; 8]), Ok(()));
    assert_eq!(custom(text, &mut [0; 7]), Err(Error::BufferTooSmall { needed: 8, available: 7 }));
    assert!(custom(&text.replace("example.com/roles", "example.com/role"), &mut [0; 16]).is_err());
}

#[test]
fn c08_custom_claims_of_the_wrong_type_are_rejected() {
    let wrong =
        Err(Error::ClaimType(crate::error::Claim::Custom, crate::error::JsonType::Requested));
    for (roles, level, note) in [
        (r#"["a","b"]"#, "3.5", r#""x""#),
        (r#"["a","b"]"#, "-3", r#""x""#),
        (r#"["a","b"]"#, r#""3""#, r#""x""#),
        (r#"["a","b"]"#, "99999999999999999999", r#""x""#),
        (r#"["a"]"#, "3", r#""x""#),
        (r#"["a","b","c"]"#, "3", r#""x""#),
        (r#"["a",1]"#, "3", r#""x""#),
        (r#""a""#, "3", r#""x""#),
        (r#"["a","b"]"#, "3", "null"),
        (r#"["a","b"]"#, "3", "{}"),
    ] {
        let text = std::format!(
            r#"{{"https://example.com/roles":{roles},"level":{level},"note":{note}}}"#
        );
        assert_eq!(custom(&text, &mut [0; 64]), wrong, "{text}");
    }
}

#[test]
fn c10_the_ends_of_a_string_are_compared_unescaped() {
    for (text, start, end, expected) in [
        ("abc", "a", "c", true),
        ("abc", "ab", "c", true),
        ("abc", "ab", "bc", false),
        ("abc", "abc", "", true),
        ("abc", "", "abc", true),
        ("abc", "b", "c", false),
        ("abc", "a", "b", false),
        ("abc", "a", "abcd", false),
        ("", "", "", true),
        (r"\u0061b\u0063", "a", "c", true),
        (r"\u0061b\u0063", "ab", "bc", false),
        (r"\u0061b\u0063", "ab", "abc", false),
        (r"\u0061b\u0063", "abc", "", true),
        (r"\u0061b\u0063", "", "abc", true),
        (r"\u0061b\u0063", "abcd", "", false),
        (r"\u0061b\u0063", "", "b", false),
        (r"https:\/\/a\/", "https://a", "/", true),
        (r"\\u0061", "a", "", false),
        (r"\ud83d\ude00\u00f6", "\u{1f600}", "\u{f6}", true),
    ] {
        let written = Text { text, may_have_escapes: true };
        assert_eq!(written.has_ends(start, end), expected, "{text} {start} {end}");
        if !text.contains('\\') {
            assert_eq!(Text::unescaped(text).has_ends(start, end), expected, "{text}");
        }
    }
}
