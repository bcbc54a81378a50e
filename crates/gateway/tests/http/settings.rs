//! Valid configurations: warnings and the decision table.

use std::path::Path;

use claimgate_gateway::{ConfigErrors, Settings};

pub(crate) const SAMPLE: &str = include_str!("../../gateway.toml");

fn parse(text: &str) -> Result<Settings, ConfigErrors> {
    // Relative paths are relative to the directory of the sample.
    Settings::parse(text, Path::new(env!("CARGO_MANIFEST_DIR")))
}

pub(crate) fn errors(text: &str) -> Vec<String> {
    parse(text).map_or_else(|ConfigErrors(errors)| errors, |_| Vec::new())
}

/// Returns the errors of the sample with the first `old` replaced by `new`.
#[track_caller]
pub(crate) fn errors_with(old: &str, new: &str) -> Vec<String> {
    assert!(SAMPLE.contains(old), "{old}");
    errors(&SAMPLE.replacen(old, new, 1))
}

#[test]
fn the_sample_is_valid() {
    assert_eq!(errors(SAMPLE), Vec::<String>::new());
    // So are the settings that are commented out.
    for line in [
        "token_header = \"X-Access-Token\"",
        "token_cookie = \"access_token\"",
        "pass_token = false",
        "cors_preflight = false",
        "max_connections = 1024",
        "header_timeout = 10",
        "idle_timeout = 90",
        "threads = 2",
        "cache_bytes = 33554432",
        "profile = \"general\"",
        "authorized_parties = [\"my_client_id\"]",
        "subject = \"user\"",
        "algorithms = [\"PS256\", \"ES256\"]",
        "leeway = 60",
        "max_token_age = 86400",
        "max_lifetime = 86400",
        "jwks_max_age = 3600",
        "jwks_max_stale = 86400",
        "cool_down = 60",
        "max_back_off = 900",
        "timeout = 5",
        "max_response = 262144",
        "max_waiting = 256",
        "max_wait = 10",
        "forward_proxy = \"proxy.example.com:3128\"",
        "issuers = [\"https://my-domain.auth0.com/\"]",
        "audiences = [\"urn:example:admin\"]",
    ] {
        let found = errors_with(&format!("# {line}"), line);
        assert_eq!(found, Vec::<String>::new(), "{line}");
    }
    let found = errors_with("# max_waiting = 256 ", "max_waiting = 1023 ");
    assert_eq!(found, Vec::<String>::new());
    // Keys may be used for exactly the time after which they are fetched again.
    let found = errors_with("# jwks_max_stale = 86400 ", "jwks_max_stale = 3600 ");
    assert_eq!(found, Vec::<String>::new());
    let dpop = "# [dpop]\n# origin = \"https://api.example.com\" ";
    let found = errors_with(dpop, "[dpop]\norigin = \"https://api.example.com\" ");
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn debug_output_has_no_password() {
    let dpop = "# [dpop]\n# origin = \"https://api.example.com\" ";
    let redis =
        "[dpop]\nredis = \"redis://:secret@127.0.0.1/\"\norigin = \"https://api.example.com\" ";
    let text = format!("{:?}", parse(&SAMPLE.replacen(dpop, redis, 1)).unwrap());
    assert!(text.contains("origin: \"https://api.example.com\""), "{text}");
    assert!(text.contains("redis: true"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn the_readme_s_configuration_has_the_readme_s_table() {
    let readme = include_str!("../../README.md");
    let block = |start: &str| {
        let (_, rest) = readme.split_once(start).unwrap();
        rest.split_once("```").unwrap().0
    };
    let settings = parse(block("```toml\n")).unwrap();
    assert_eq!(settings.decision_table(), block("```text\n"));
    assert_eq!(settings.warnings(), Vec::<String>::new());
}

#[test]
fn the_decision_table_has_a_line_for_each_path_and_method() {
    let table = parse(SAMPLE).unwrap().decision_table();
    let lines: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split("  ").filter(|part| !part.is_empty()).collect())
        .collect();
    let trimmed: Vec<Vec<&str>> =
        lines.iter().map(|line| line.iter().map(|part| part.trim()).collect()).collect();
    assert_eq!(
        trimmed,
        [
            vec!["PATH PREFIX", "METHODS", "ACCESS"],
            vec![
                "/admin",
                "all",
                "a valid token, any scope of admin read:admin, realm_access.roles contains \"admin\""
            ],
            vec!["/news", "all", "no token or a valid token"],
            vec!["/patients", "GET, HEAD", "a valid token, all scopes of read:patients"],
            vec![
                "/patients",
                "POST, PUT, PATCH, DELETE",
                "a valid token, all scopes of read:patients write:patients"
            ],
            vec!["/patients", "other methods", "denied (403)"],
            vec!["/profile", "all", "a valid token"],
            vec!["other paths", "all", "denied (403)"],
        ]
    );
    let preflight = SAMPLE.replace("# cors_preflight = false", "cors_preflight = true");
    assert!(parse(&preflight).unwrap().decision_table().contains("CORS preflight"));
}

#[test]
fn similar_paths_with_other_requirements_cause_a_warning() {
    let above = |routes: &str| parse(&format!("{SAMPLE}\n{routes}")).unwrap().warnings().join("\n");
    let before = above("");
    assert!(!before.contains("/admin"), "{before}");
    let open = "[[route]]\npath = \"/\"\nvalid_token_suffices = true\n";
    let warnings = above(open);
    for path in ["/admin", "/patients"] {
        assert!(warnings.contains(&format!("{path}: an application may treat")), "{warnings}");
    }
    assert!(warnings.contains("/ADMIN, /admin.json"), "{warnings}");
    // Equal requirements cause no warning.
    assert!(!warnings.contains("/profile:"), "{warnings}");
    let below = "[[route]]\npath = \"/profile/secret\"\nscopes_all = [\"a\"]\n";
    assert!(above(below).contains("the route of /profile applies"), "{}", above(below));
}

/// Returns the number of warnings for routes for `/` and `/a` with these settings.
fn warnings_of(above: &str, below: &str) -> usize {
    let (top, _) = SAMPLE.split_once("[[route]]").unwrap();
    let text =
        format!("{top}[[route]]\npath = \"/\"\n{above}\n[[route]]\npath = \"/a\"\n{below}\n");
    parse(&text).unwrap().warnings().len()
}

#[test]
fn each_kind_of_requirement_is_compared() {
    let (valid, optional) = ("valid_token_suffices = true", "token = \"optional\"");
    let special = "valid_token_suffices = true\naudiences = \"urn:special\"";
    let get = "valid_token_suffices = true\nmethods = [\"GET\", \"HEAD\"]";
    let head = "valid_token_suffices = true\nmethods = [\"HEAD\", \"GET\"]";
    let post = "valid_token_suffices = true\nmethods = [\"POST\"]";
    for (above, below, expected) in [
        (valid, valid, 0),
        (optional, valid, 1),
        (valid, "scopes_all = [\"a\"]", 1),
        (valid, "claims = [{ claim = \"a\", equals = 1 }]", 1),
        // A similar path must not be accepted with a token for another audience.
        (valid, special, 1),
        (special, special, 0),
        // Or with a method that the path does not accept.
        (valid, get, 1),
        (post, get, 1),
        (get, head, 0),
        (get, valid, 0),
        // The route below requires no token.
        (valid, optional, 0),
        (optional, optional, 0),
    ] {
        assert_eq!(warnings_of(above, below), expected, "{above} / {below}");
    }
}
