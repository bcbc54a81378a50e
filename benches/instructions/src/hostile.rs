//! Inputs designed to be as expensive per byte as possible.

use base64ct::{Base64UrlUnpadded, Encoding};

/// An input and its expected result.
pub struct Hostile {
    pub name: &'static str,
    pub input: Input,
    /// The code of the expected error.
    pub code: &'static str,
}

pub enum Input {
    /// A token of the trusted issuer.
    Token(String),
    /// A token of one of several issuers, which is unknown yet.
    TokenOfOneOfSeveral(String),
    KeySet(String),
}

impl Input {
    pub fn text(&self) -> &str {
        match self {
            Self::Token(text) | Self::TokenOfOneOfSeveral(text) | Self::KeySet(text) => text,
        }
    }
}

/// The maximum lengths of a header, without its fixed members, and of a payload.
const HEADER_LEN: usize = 1_990;
const PAYLOAD_LEN: usize = 5_600;

/// The maximum number of members of an object: in a header, without the two fixed ones.
const MEMBERS: usize = 64;
const HEADER_MEMBERS: usize = MEMBERS - 2;

/// A key that no key type implements.
const SYMMETRIC: &str = r#"{"kty":"oct","k":"AA"}"#;

/// Returns all inputs; `signed` is a token with a signature that is accepted.
pub fn inputs(signed: &str) -> Vec<Hostile> {
    let mut of_one_bit = names_of_one_bit();
    let one_bit = members(HEADER_MEMBERS - 1, |_| of_one_bit.next().unwrap_or_default());
    let headers = [
        ("hostile_header_names", members(HEADER_MEMBERS, |n| format!(r#"aaaaaaaaaaaa{n:02}a\""#))),
        ("hostile_header_escaped_names", members(HEADER_MEMBERS, escaped)),
        ("hostile_header_short_names", members(HEADER_MEMBERS, short)),
        ("hostile_header_short_names_arrays", members(HEADER_MEMBERS, short).replace(":0", ":[]")),
        (
            "hostile_header_short_names_strings",
            members(HEADER_MEMBERS, short).replace(":0", r#":"""#),
        ),
        ("hostile_header_short_names_signs", members(HEADER_MEMBERS, short).replace(":0", ":-1")),
        (
            "hostile_header_short_names_and_escape",
            r#""x":"\"","#.to_owned() + &members(HEADER_MEMBERS - 1, short),
        ),
        ("hostile_header_two_characters", members(HEADER_MEMBERS, two_characters)),
        ("hostile_header_names_of_one_bit", one_bit.clone()),
        ("hostile_header_names_of_one_bit_and_escape", format!(r#"{one_bit},"":"\"""#)),
        ("hostile_header_alike_names", members(HEADER_MEMBERS, alike)),
        ("hostile_header_digits", array("1", HEADER_LEN)),
        ("hostile_header_empty_names", object(r#""":0"#, HEADER_LEN)),
        ("hostile_header_quotes", format!(r#""x":"{}""#, r#"\""#.repeat(HEADER_LEN / 2))),
        ("hostile_header_letters", format!(r#""x":"{}""#, r"\u0061".repeat(HEADER_LEN / 6))),
        ("hostile_header_digits_and_escape", array("1", HEADER_LEN) + r#","":"\"""#),
        ("hostile_header_empty_names_and_escape", object(r#""":0"#, HEADER_LEN) + r#","":"\"""#),
        ("hostile_header_strings_and_escape", array(r#""""#, HEADER_LEN) + r#","":"\"""#),
        ("hostile_header_strings_and_line_break", array(r#""""#, HEADER_LEN) + "\n"),
    ];
    let payloads = [
        ("digits", array("1", PAYLOAD_LEN)),
        ("fractions", array("0.1e1", PAYLOAD_LEN)),
        ("empty_names", object(r#""":0"#, PAYLOAD_LEN)),
        ("empty_strings", array(r#""""#, PAYLOAD_LEN)),
        ("empty_keys_and_strings", object(r#""":"""#, PAYLOAD_LEN)),
        ("short_strings", array(r#""abcdefg""#, PAYLOAD_LEN)),
        ("brackets", array("[]", PAYLOAD_LEN)),
        ("deep_brackets", array("[[[[[[[[[[[[[[]]]]]]]]]]]]]]", PAYLOAD_LEN)),
        ("brackets_and_digits", array("[1]", PAYLOAD_LEN)),
        ("braces", array("{}", PAYLOAD_LEN)),
        ("deep_braces", array(r#"{"":{"":{"":{"":{}}}}}"#, PAYLOAD_LEN)),
        ("literals", array("null", PAYLOAD_LEN)),
        ("spaced_digits", array(" 1 ", PAYLOAD_LEN)),
        ("spaces", format!(r#""x":{}0"#, " ".repeat(PAYLOAD_LEN))),
        ("line_breaks", array("\n[\n]\n", PAYLOAD_LEN)),
        ("quotes", array(r#""\"""#, PAYLOAD_LEN)),
        ("letters", array(r#""\u0061""#, PAYLOAD_LEN)),
        ("control_characters", format!(r#""x":"{}""#, r"\u0000".repeat(PAYLOAD_LEN / 6))),
        ("digits_and_escape", array("1", PAYLOAD_LEN) + r#","":"\"""#),
        ("empty_names_and_escape", object(r#""":0"#, PAYLOAD_LEN) + r#","":"\"""#),
        ("members", members(MEMBERS, short)),
        ("claims", members(MEMBERS, |n| format!("{}xp", two_characters(n)))),
        ("alike_names", members(MEMBERS, alike)),
        ("escaped_names", members(MEMBERS, long_escaped)),
        ("cnf", format!(r#""cnf":{{{}}}"#, members(MEMBERS, long_escaped))),
        ("events", format!(r#""events":{{{}}}"#, members(MEMBERS, long_escaped))),
        ("cnf_quotes", format!(r#""cnf":{{{}}}"#, members(MEMBERS, long_quoted))),
        ("events_quotes", format!(r#""events":{{{}}}"#, members(MEMBERS, long_quoted))),
        ("cnf_alike", format!(r#""cnf":{{{}}}"#, members(MEMBERS, alike))),
        ("permissions", format!(r#""permissions":[{}]"#, repeated(r#""""#, PAYLOAD_LEN))),
        ("scope", format!(r#""scope":"{}""#, vec!["a"; PAYLOAD_LEN / 2].join(" "))),
        ("scp", format!(r#""scp":[{}]"#, repeated(r#""a""#, PAYLOAD_LEN))),
        ("audience", format!(r#""aud":[{}]"#, vec![r#""""#; 16].join(","))),
    ];
    let names = members(MEMBERS, long_escaped);
    let key_sets = [
        ("hostile_key_set_digits", array("1", 100_000), "invalid_json"),
        ("hostile_key_set_names", names.clone(), "invalid_json"),
        ("hostile_keys_digits", keys(&array("1", 3_000)), "no_usable_keys"),
        ("hostile_keys_names", keys(&names), "no_usable_keys"),
        ("hostile_keys_quotes", keys(&members(MEMBERS, long_quoted)), "no_usable_keys"),
        ("hostile_keys_short_names", keys(&members(MEMBERS, two_characters)), "no_usable_keys"),
        ("hostile_keys_symmetric", keys_of(&repeated(SYMMETRIC, 100_000)), "no_usable_keys"),
        ("hostile_keys_parameters", keys(&members(MEMBERS, parameter)), "no_usable_keys"),
    ];
    let headers = headers.into_iter().map(|(name, members)| Hostile {
        name,
        input: Input::Token(with_header(&members)),
        code: "unknown_key",
    });
    let payloads = payloads.into_iter().flat_map(|(name, members)| {
        let token = with_payload(signed, &members);
        let name = |kind| -> &'static str { format!("hostile_{kind}_{name}").leak() };
        [
            Hostile {
                name: name("payload"),
                input: Input::Token(token.clone()),
                code: "missing_claim",
            },
            Hostile {
                name: name("issuer"),
                input: Input::TokenOfOneOfSeveral(token),
                code: "unknown_issuer",
            },
        ]
    });
    let key_sets = key_sets.into_iter().map(|(name, members, code)| Hostile {
        name,
        input: Input::KeySet(format!("{{{members}}}")),
        code,
    });
    headers.chain(payloads).chain(key_sets).collect()
}

/// Repeats `unit`, separated by commas, up to `length` bytes.
fn repeated(unit: &str, length: usize) -> String {
    vec![unit; length / (unit.len() + 1)].join(",")
}

/// Returns a member that is not read, with an array of this.
fn array(unit: &str, length: usize) -> String {
    format!(r#""x":[{}]"#, repeated(unit, length))
}

/// Returns a member that is not read, with an object of this. Its names are not compared.
fn object(unit: &str, length: usize) -> String {
    format!(r#""x":{{{}}}"#, repeated(unit, length))
}

/// Returns members with these names, each with a zero.
fn members(count: usize, mut name: impl FnMut(usize) -> String) -> String {
    let members: Vec<_> = (0..count).map(|n| format!(r#""{}":0"#, name(n))).collect();
    members.join(",")
}

/// Returns names of one character.
fn short(n: usize) -> String {
    let character = u8::try_from(n + 0x30).map(char::from).ok();
    // A backslash would begin an escape.
    String::from(character.filter(|character| *character != '\\').unwrap_or('!'))
}

/// Returns names that differ in the first of two characters.
fn two_characters(n: usize) -> String {
    short(n) + "z"
}

/// Returns names of two characters for which the filter of `src/json/names.rs` has one bit.
fn names_of_one_bit() -> impl Iterator<Item = String> {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let characters = || (b'#'..=b'~').filter(|character| *character != b'\\');
    let names = characters().flat_map(move |a| characters().map(move |b| [a, b]));
    let bit = |[first, second]: [u8; 2]| {
        let fingerprint = FACTOR.wrapping_mul(2) ^ (u64::from(first) | u64::from(second) << 8);
        fingerprint.wrapping_mul(FACTOR) >> 58
    };
    names.filter(move |name| bit(*name) == 0).map(|name| name.map(char::from).iter().collect())
}

/// Returns long names that differ in the middle.
fn alike(n: usize) -> String {
    format!("aaaaaaaa{n:02}aaaaaaaa")
}

/// Returns names of escaped characters that differ near the end.
fn escaped(n: usize) -> String {
    format!(r"\u0061\u0061\u0061{n:02}\u0061")
}

/// Returns long names with escapes that have no shorter spelling.
fn long_quoted(n: usize) -> String {
    r#"\""#.repeat(36) + &format!("{n:02}")
}

/// Returns escaped names of a length at which the payload has capacity for all of them.
fn long_escaped(n: usize) -> String {
    r"\u0061".repeat(9) + &escaped(n)
}

/// Returns names that begin like the parameters of a key.
fn parameter(n: usize) -> String {
    format!(r"k\u0065y_op{}", two_characters(n))
}

/// Returns the maximum number of unusable keys of a set, with these members.
fn keys(members: &str) -> String {
    keys_of(&vec![format!("{{{members}}}"); 32].join(","))
}

/// Returns a key set of these elements.
fn keys_of(elements: &str) -> String {
    format!(r#""keys":[{elements}]"#)
}

/// Returns a token whose header has these members and a `kid` that does not exist.
fn with_header(members: &str) -> String {
    let header = format!(r#"{{"alg":"RS256","kid":"no",{members}}}"#);
    let header = Base64UrlUnpadded::encode_string(header.as_bytes());
    format!("{header}.e30.AAAA")
}

/// Returns `token` with another payload.
pub fn with_payload(token: &str, members: &str) -> String {
    let payload = Base64UrlUnpadded::encode_string(format!("{{{members}}}").as_bytes());
    let mut segments: Vec<_> = token.split('.').collect();
    segments[1] = &payload;
    segments.join(".")
}
