//! Comparison of URIs: the list of rule P6 and nothing else, with the `url` crate as a
//! reference.

use claimgate::dpop::HttpUri;
use proptest::prelude::*;
use proptest::sample::select;
use url::{Host, Url};

/// Returns whether both are URIs and equal apart from query and fragment.
fn is_same(left: &str, right: &str) -> bool {
    let uris = HttpUri::parse(left).zip(HttpUri::parse(right));
    let is_same = uris.is_some_and(|(left, right)| left.is_same_without_query(&right));
    let reverse = uris.is_some_and(|(left, right)| right.is_same_without_query(&left));
    assert_eq!(is_same, reverse, "{left} {right}");
    is_same
}

#[track_caller]
fn assert_same(texts: &[&str]) {
    for left in texts {
        for right in texts {
            assert!(is_same(left, right), "{left} {right}");
        }
    }
}

#[track_caller]
fn assert_all_differ(texts: &[&str]) {
    for (place, left) in texts.iter().enumerate() {
        assert!(is_same(left, left), "{left}");
        for right in &texts[place + 1..] {
            assert!(!is_same(left, right), "{left} {right}");
        }
    }
}

#[track_caller]
fn assert_refused(texts: &[&str]) {
    for text in texts {
        assert!(HttpUri::parse(text).is_none(), "{text:?}");
    }
}

/// The example of RFC 9449 (§4.2), and its request in all equivalent spellings.
#[test]
fn p06_scheme_and_host_in_any_case_are_the_same() {
    assert_same(&[
        "https://resource.example.org/protectedresource",
        "HTTPS://resource.example.org/protectedresource",
        "hTTpS://RESOURCE.Example.ORG/protectedresource",
        "https://resource.example.org/protectedresource?q=1",
    ]);
    assert_same(&["http://[2001:DB8::A]/", "HTTP://[2001:db8::a]/"]);
    assert_all_differ(&["https://a/b", "https://a/B", "http://a/b"]);
}

#[test]
fn p06_the_default_port_may_be_absent_or_empty() {
    assert_same(&["https://a/b", "https://a:/b", "https://a:443/b"]);
    assert_same(&["http://a/b", "http://a:/b", "http://a:80/b"]);
    assert_same(&["http://[::1]", "http://[::1]:", "http://[::1]:80"]);
    assert_all_differ(&[
        "https://a/b",
        "https://a:80/b",
        "https://a:442/b",
        "https://a:444/b",
        "https://a:8443/b",
        "http://a/b",
        "http://a:443/b",
        "http://a:79/b",
        "http://a:81/b",
    ]);
}

#[test]
fn p06_a_port_is_a_canonical_number_of_16_bits() {
    assert_all_differ(&["https://a:0", "https://a:1", "https://a:65535", "https://a"]);
    assert_refused(&[
        "https://a:65536",
        "https://a:4294967739",
        "https://a:18446744073709552059",
        "https://a:00",
        "https://a:0443",
        "https://a:+443",
        "https://a:-443",
        "https://a:443:443",
        "https://a: 443",
        "https://a:443 ",
        "https://a:4a3",
        "https://a:\u{664}\u{664}\u{663}",
        "https://a:%34%34%33",
        "https://[::1]443",
        "https://[::1]::",
    ]);
}

#[test]
fn p06_an_escape_that_is_not_needed_is_its_character() {
    assert_same(&["https://a/~b", "https://a/%7Eb", "https://a/%7eb", "https://a/%7e%62"]);
    assert_same(&["https://a/-._~", "https://a/%2d%2E%5f%7E"]);
    assert_same(&["https://exa%6Dple/", "https://example/", "https://EXA%4dPLE"]);
    assert_same(&["https://a/%c3%a9%2F", "https://a/%C3%A9%2f"]);
    // Escapes are decoded once only.
    assert_all_differ(&["https://a/%257e", "https://a/~", "https://a/%2525%37e"]);
}

#[test]
fn p06_an_escape_that_is_needed_is_not_its_character() {
    assert_all_differ(&[
        "https://a/b/c",
        "https://a/b%2fc",
        "https://a/b%5cc",
        "https://a/b%3fc",
        "https://a/b%23c",
        "https://a/b%00c",
        "https://a/b%0ac",
        "https://a/b%25c",
    ]);
    // Also for reserved characters.
    for reserved in "!$&'()*+,;=:@".chars() {
        let plain = format!("https://a/{reserved}");
        let escaped = format!("https://a/%{:02x}", u32::from(reserved));
        assert!(is_same(&plain, &plain) && is_same(&escaped, &escaped));
        assert!(!is_same(&plain, &escaped), "{plain} {escaped}");
    }
}

#[test]
fn p06_an_empty_path_is_a_slash_and_no_other_path_is() {
    assert_same(&["https://a", "https://a/", "https://a?b", "https://a/?b", "https://a#b"]);
    assert_all_differ(&[
        "https://a/",
        "https://a//",
        "https://a/b",
        "https://a/b/",
        "https://a/%2f",
    ]);
}

#[test]
fn p06_query_and_fragment_are_not_compared() {
    assert_same(&[
        "https://a/b",
        "https://a/b?",
        "https://a/b#",
        "https://a/b?c",
        "https://a/b?c?d#e#f",
        "https://a/b#c?d",
        "https://a/b?c=/../x",
        "https://a/b?url=https://evil.example/@",
        // Browsers send these.
        "https://a/b?c[d]={e|f}^`\"<>",
        "https://a/b?100%",
        "https://a/b?c\\d",
    ]);
    assert_same(&["https://a?@b", "https://a#@b", "https://a/?c", "https://a"]);
}

#[test]
fn p06_paths_are_not_resolved() {
    assert_all_differ(&[
        "https://a/c",
        "https://a/./c",
        "https://a/b/../c",
        "https://a//c",
        "https://a/c/.",
        "https://a/c/",
        "https://a/c/..",
        "https://a/../c",
    ]);
    // Unescaped characters are compared.
    assert_same(&["https://a/b/../c", "https://a/b/%2e%2E/c"]);
}

#[test]
fn p06_hosts_are_compared_as_text() {
    assert_all_differ(&[
        "https://example.com/",
        "https://example.com./",
        "https://www.example.com/",
        "https://example.com.evil.example/",
        "https://example.co/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://[::1]/",
        "https://[0:0:0:0:0:0:0:1]/",
        "https://[::0:1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://xn--bcher-kva.example/",
        "https://b%c3%bccher.example/",
        "https://bucher.example/",
    ]);
}

#[test]
fn p06_user_information_is_refused() {
    assert_refused(&[
        "http://a@b",
        "https://a@b/",
        "https://a:b@c/",
        "https://@a/",
        "https://:@a/",
        "https://a@:443/",
        "https://a:443@b/",
        "https://a@b@c/",
        "https://[::1]@a/",
        "https://a\\@b",
        "https://a\\@b/",
        "https://a%5c@b/",
        "https://a%00@b/",
    ]);
    // An escape or a later part is not user information.
    assert_all_differ(&["https://a%40b/", "https://a/@b", "https://b/", "https://a/"]);
}

#[test]
fn p06_what_is_no_http_uri_is_refused() {
    assert_refused(&[
        "",
        "/",
        "a",
        "//a/b",
        "/b",
        "https",
        "https:",
        "https:/",
        "https://",
        "https:///b",
        "https:////a/b",
        "https://?b",
        "https://#b",
        "https://:443/",
        "https:a",
        "https:/a",
        "https:\\\\a",
        "https:/\\a",
        "https://\\a",
        "ftp://a/",
        "ws://a/",
        "httpss://a/",
        "http s://a/",
        "xhttps://a/",
        "%68ttps://a/",
        " https://a/",
        "https ://a/",
        "javascript://a/%0aalert(1)",
        "data:https://a/",
        "file:///a",
        "https://[/",
        "https://]/",
        "https://[]/",
        "https://[::1/",
        "https://::1/",
        "https://[::1]]/",
        "https://[[::1]]/",
        "https://a[::1]/",
        "https://[::1]a/",
        "https://[::g]/",
        "https://[1:2:3:4:5:6:7:8:9]/",
        "https://[fe80::1%25eth0]/",
        "https://[v1.a]/",
        "https://[127.0.0.1]/",
    ]);
}

#[test]
fn p06_characters_outside_of_the_grammar_are_refused() {
    let allowed = "!$&'()*+,;=-._~:@/?#";
    for byte in 0..=0x7f_u8 {
        let character = char::from(byte);
        if character.is_ascii_alphanumeric() || allowed.contains(character) {
            assert!(HttpUri::parse(&format!("https://a/b{character}")).is_some(), "{character}");
            continue;
        }
        assert_refused(&[
            &format!("https://a/b{character}"),
            &format!("https://a/{character}b"),
            &format!("https://a{character}b/"),
            &format!("https://{character}a/"),
            &format!("{character}https://a/"),
        ]);
        let is_visible = byte.is_ascii_graphic();
        for delimiter in ['?', '#'] {
            let text = format!("https://a/b{delimiter}{character}");
            assert_eq!(HttpUri::parse(&text).is_some(), is_visible, "{text:?}");
        }
    }
    assert_refused(&[
        "https://b\u{fc}cher.example/",
        "https://a/\u{e9}",
        "https://a/?\u{e9}",
        "https://a/#\u{e9}",
        // Full-width characters that a normalisation would convert to delimiters.
        "https://a\u{ff0f}b/",
        "https://a\u{ff20}b/",
        "https://a\u{3002}b/",
        "https://\u{ff41}/",
        "https://a\u{ad}/",
        "https://a/\u{202e}",
        "https://a/%",
        "https://a/%2",
        "https://a/%g0",
        "https://a/%0g",
        "https://a/%%41",
        "https://a/%+1",
        "https://a/%u0041",
        "https://a%/",
        "https://a%4/",
    ]);
}

#[test]
fn https_is_told_from_http() {
    assert!(HttpUri::parse("HTTPS://a").unwrap().is_https());
    assert!(!HttpUri::parse("http://a:443").unwrap().is_https());
}

/// The reference: the `url` crate, which implements the WHATWG's standard, and a simple
/// replacement of escapes, which that standard does not change.
fn second_reading(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    if !["http", "https"].contains(&url.scheme())
        || !url.username().is_empty()
        || url.password().is_some()
    {
        return None;
    }
    let mut path = String::new();
    let mut rest = url.path();
    while let Some((before, after)) = rest.split_once('%') {
        let byte = u8::from_str_radix(after.get(..2)?, 16).ok()?;
        path.push_str(before);
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
        rest = &after[2..];
    }
    let (host, port) = (url.host_str()?, url.port_or_known_default()?);
    Some(format!("{}://{host}:{port}{path}{rest}", url.scheme()))
}

fn is_same_in_second_reading(left: &str, right: &str) -> bool {
    let (left, right) = (second_reading(left), second_reading(right));
    left.is_some() && left == right
}

/// Pairs that are equal by the WHATWG's standard but not for claimgate, by design.
const STRICTER: &[(&str, &str, &str)] = &[
    ("paths are not resolved", "https://a/b/../c", "https://a/c"),
    ("paths are not resolved", "https://a/./c", "https://a/c"),
    ("paths are not resolved", "https://a/b/%2e%2e/c", "https://a/c"),
    ("an IPv6 address is text", "https://[::1]/", "https://[0:0:0:0:0:0:0:1]/"),
    ("an IPv6 address is text", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/"),
    ("an IPv4 address has one spelling", "https://127.0.0.1/", "https://127.1/"),
    ("an IPv4 address has one spelling", "https://127.0.0.1/", "https://2130706433/"),
    ("an IPv4 address has one spelling", "https://127.0.0.1/", "https://0x7f.0.0.1/"),
    ("a port has no leading zeros", "https://a:0443/", "https://a/"),
    ("no user information, not even an empty one", "https://@a/", "https://a/"),
    ("a backslash is no slash", "https://a\\b", "https://a/b"),
    ("a backslash is no slash", "https://a\\@b", "https://a/@b"),
    ("two slashes", "https:a", "https://a/"),
    ("two slashes", "https:/a", "https://a/"),
    ("two slashes", "https:////a", "https://a/"),
    ("two slashes", "https:\\\\a", "https://a/"),
    ("white space is not removed", " https://a/ ", "https://a/"),
    ("white space is not removed", "https://a/b\tc", "https://a/bc"),
    ("white space is not removed", "ht\ntps://a/", "https://a/"),
    ("nothing is escaped", "https://a/b c", "https://a/b%20c"),
    ("nothing is escaped", "https://a/\u{e9}", "https://a/%C3%A9"),
    ("nothing is escaped", "https://a/{b}", "https://a/%7Bb%7D"),
    ("names are ASCII", "https://b\u{fc}cher.example/", "https://xn--bcher-kva.example/"),
    ("names are ASCII", "https://b%c3%bccher.example/", "https://xn--bcher-kva.example/"),
    ("names are ASCII", "https://a\u{3002}b/", "https://a.b/"),
];

#[test]
fn p06_where_the_second_reading_differs_it_does_so_by_design() {
    for (why, left, right) in STRICTER {
        assert!(is_same_in_second_reading(left, right), "{why}: {left} {right}");
        assert!(!is_same(left, right), "{why}: {left} {right}");
    }
}

/// URIs whose parts are spelled in all ways in which the two implementations agree.
fn spelling() -> impl Strategy<Value = String> {
    let schemes = select(vec!["http", "https", "HTTP", "HTTPS", "hTtPs"]);
    let hosts = select(vec![
        "a",
        "A",
        "b",
        "a.",
        "a.b",
        "A.b",
        "%61",
        "%41",
        "a%2eb",
        "[::1]",
        "[::a]",
        "[::A]",
        "127.0.0.1",
    ]);
    let ports = select(vec!["", ":", ":80", ":443", ":0", ":8443", ":65535"]);
    let paths = prop::collection::vec(
        select(vec![
            "/", "//", "a", "A", "~", "%7e", "%7E", "%61", "%41", "%2f", "%2F", "%5c", "%25",
            "%257e", "%00", "%c3%a9", "%C3%A9", "@", "%40", ":", "%3a", "%3A", ";", "%3b", "=",
            "+", "%2b", "%20",
        ]),
        0..4,
    );
    let tails = select(vec!["", "?", "#", "?a", "?b#c", "#/", "?/..", "?%", "?[]", "#?"]);
    (schemes, hosts, ports, paths, tails).prop_map(|(scheme, host, port, path, tail)| {
        let path = path.concat();
        let slash = if path.is_empty() || path.starts_with('/') { "" } else { "/" };
        format!("{scheme}://{host}{port}{slash}{path}{tail}")
    })
}

/// Mostly arbitrary texts.
fn confusion() -> impl Strategy<Value = String> {
    prop::collection::vec(
        select(vec![
            "http",
            "https",
            ":",
            "/",
            "//",
            "://",
            "@",
            "\\",
            "a",
            "A",
            "b",
            ".",
            "..",
            "?",
            "#",
            "[",
            "]",
            "::1",
            "%",
            "%41",
            "%2f",
            "%2e",
            ":443",
            ":80",
            "0",
            "443",
            " ",
            "\t",
            "\n",
            "\u{e9}",
            "|",
            "https://a",
            "https://a/b",
            "http://A:80",
        ]),
        0..9,
    )
    .prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn p06_both_readings_agree_on_pairs(left in spelling(), right in spelling()) {
        prop_assert!(HttpUri::parse(&left).is_some() && second_reading(&left).is_some(), "{}", left);
        prop_assert_eq!(is_same(&left, &right), is_same_in_second_reading(&left, &right));
    }

    /// Pairs that differ in only one part, so that many are equal.
    #[test]
    fn p06_both_readings_agree_on_near_pairs(
        one in spelling(),
        place in 0_usize..40,
        with in select(vec!["", "a", "A", "/", "%61", "%7e", "~", "%2f", "%2F", "?", "443"]),
    ) {
        let place = place.min(one.len());
        let other = format!("{}{with}{}", &one[..place], &one[place..]);
        // A port may get a leading zero, or a host may become another IPv4 address's spelling.
        if HttpUri::parse(&other).is_some() && !other.contains("127") {
            prop_assert_eq!(is_same(&one, &other), is_same_in_second_reading(&one, &other));
        }
    }

    /// URIs that are equal for claimgate are equal for the reference.
    #[test]
    fn p06_no_pair_is_the_same_for_claimgate_alone(left in confusion(), right in confusion()) {
        if is_same(&left, &right) && second_reading(&left).is_some() {
            prop_assert!(is_same_in_second_reading(&left, &right));
        }
    }

    /// A URI that claimgate parses has the same host for the reference, unless the reference
    /// interprets the host as a number and thus as an IPv4 address.
    #[test]
    fn p06_a_uri_has_the_host_that_others_see(text in confusion()) {
        if let (Some(_), Some(second)) = (HttpUri::parse(&text), second_reading(&text)) {
            let is_number = matches!(Url::parse(&text).unwrap().host(), Some(Host::Ipv4(_)));
            let is_resolved = ["/.", "/%2e"].iter().any(|segment| text.contains(segment));
            prop_assert!(is_number || is_resolved || is_same(&text, &second), "{} {}", text, second);
        }
    }

    #[test]
    fn p06_parsing_is_total(text in any::<String>()) {
        let _ = is_same(&text, &text);
        let _ = is_same(&format!("https://{text}"), &format!("https://a/{text}"));
    }
}
