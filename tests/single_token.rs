//! A single token: the output of the `validate` example and its exit status, tested with the
//! program.

#![cfg(feature = "ring")]

mod support;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;
use support::*;

fn program(name: &str) -> PathBuf {
    // target/debug/deps/single_token-… → target/debug/examples/validate
    let this = std::env::current_exe().unwrap();
    this.parent().unwrap().parent().unwrap().join("examples").join(name)
}

/// The output of `demo_token`.
fn demo_token(options: &[&str]) -> String {
    let output = Command::new(program("demo_token")).args(options).output().unwrap();
    assert!(output.status.success(), "{options:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Returns exit status and output, with these options and a token on standard input.
fn run(options: &[&str], input: &str) -> (i32, String) {
    let mut child = Command::new(program("validate"))
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // A program that rejects its options does not read standard input.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

/// Validates an access token, with further options.
fn judge(token: &str, options: &[&str]) -> (i32, String) {
    let jwks = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/validate/demo/jwks.json");
    let now = NOW.to_string();
    let mut all = vec![
        "--jwks",
        jwks.to_str().unwrap(),
        "--issuer",
        ISSUER,
        "--audience",
        API,
        "--now",
        &now,
    ];
    all.extend(options);
    all.push("-");
    run(&all, &format!("{token}\n"))
}

#[test]
fn a_valid_token_exits_with_0_and_keeps_every_rule() {
    let token = Signer::a().sign(&access_claims());
    let (status, output) = judge(&token, &["--scopes-all", "read:patients,openid"]);
    assert_eq!(status, 0);
    assert!(output.starts_with("valid\n  sub    auth0|123456\n"), "{output}");
    assert!(output.contains("\n  [x] the scope is sufficient\n"), "{output}");
    assert!(!output.contains("[ ]"), "{output}");
}

#[test]
fn an_invalid_token_exits_with_1_and_shows_each_rule_that_it_breaks() {
    let token = Signer::a().sign(&with(access_claims(), "exp", IAT));
    let (status, output) = judge(&token, &["--scopes-all", "write:patients"]);
    assert_eq!(status, 1);
    assert!(output.starts_with("invalid: expired\n"), "{output}");
    let broken: Vec<&str> = output.lines().filter_map(|line| line.strip_prefix("  [ ] ")).collect();
    assert_eq!(broken, ["the token has not expired", "the scope is sufficient"]);
}

#[test]
fn a_token_that_is_refused_before_the_rules_has_no_list_of_them() {
    let wrong_type = Signer::a().sign(&with(access_claims(), "exp", "1311281970"));
    let header = json!({"alg": "RS256", "kid": "key-a"});
    let forged = Signer::b().sign_with(&header, &access_claims());
    for (token, code) in [
        (wrong_type.as_str(), "claim_type"),
        (&forged, "invalid_signature"),
        ("a.b", "malformed_token"),
    ] {
        let (status, output) = judge(token, &[]);
        assert_eq!(status, 1);
        assert!(output.starts_with(&format!("invalid: {code}\n")), "{output}");
        assert!(output.ends_with("\nIt did not come to the rules of the policy.\n"), "{output}");
        assert!(!output.contains('['), "{output}");
    }
}

#[test]
fn a_challenge_is_shown_for_an_access_token_only() {
    let challenge = "  401 WWW-Authenticate: Bearer error=\"invalid_token\"";
    assert!(judge("a.b", &[]).1.contains(challenge));
    let jwks = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/validate/demo/jwks.json");
    let jwks = jwks.to_str().unwrap();
    let options = ["--jwks", jwks, "--issuer", ISSUER, "--client-id", CLIENT_ID, "a.b"];
    let (status, output) = run(&options, "");
    assert_eq!(status, 1);
    assert!(output.starts_with("invalid: malformed_token\n"), "{output}");
    assert!(!output.contains("WWW-Authenticate"), "{output}");
}

#[test]
fn wrong_usage_exits_with_2_and_prints_no_verdict() {
    let token = Signer::a().sign(&access_claims());
    let usage = (2, String::new());
    // Errors of the policy, of the program, and of the command line.
    assert_eq!(judge(&token, &["--leeway", "601"]), usage);
    assert_eq!(judge(&token, &["--nonce", "n"]), usage);
    assert_eq!(judge(&token, &["--client-id", CLIENT_ID]), usage);
    assert_eq!(judge(&token, &["--no-such-option"]), usage);
    assert_eq!(judge(&token, &["--confirmation", "thumbprint"]), usage);
    assert_eq!(run(&["--jwks", "no such file"], ""), usage);
    // Options without a token do not start the demonstration.
    assert_eq!(run(&["--audience", API], ""), usage);
    let options = ["--jwks", "no such file", "--issuer", "i", "--client-id", "c", "a.b.c"];
    assert_eq!(run(&options, ""), usage);
}

#[test]
fn each_kind_and_algorithm_of_demo_token_is_valid() {
    const URL: &str = "https://example.com/health-api/patients";
    let folder = std::env::temp_dir().join(format!("claimgate-demo-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for algorithm in claimgate::Algorithm::ALL.map(claimgate::Algorithm::name) {
        let file = folder.join(algorithm);
        let jwks = file.to_str().unwrap();
        let make = |options: &[&str]| demo_token(&[&["--algorithm", algorithm], options].concat());
        std::fs::write(&file, make(&["--jwks"])).unwrap();
        let validate = |options: &[&str], token: &str| {
            let all = ["--jwks", jwks, "--issuer", ISSUER, "--algorithms", algorithm];
            run(&[&all[..], options, &["-"]].concat(), token)
        };

        let access = make(&[]);
        let (status, output) = validate(&["--audience", API], &access);
        assert_eq!(status, 0, "{algorithm}: {output}");
        let (status, output) = validate(&["--client-id", "app"], &access);
        assert_eq!((status, output.lines().next()), (1, Some("invalid: audience_mismatch")));

        let id = make(&["--kind", "id", "--audience", "app"]);
        let (status, output) = validate(&["--client-id", "app", "--nonce", "n-0S6_WzA2Mj"], &id);
        assert_eq!(status, 0, "{algorithm}: {output}");

        let logout = make(&["--kind", "logout", "--audience", "app"]);
        let options = ["--client-id", "app", "--token-use", "logout"];
        let (status, output) = validate(&options, &logout);
        assert_eq!(status, 0, "{algorithm}: {output}");
        let (status, output) = validate(&options, &id);
        assert_eq!(status, 1, "{algorithm}: {output}");

        let bound = make(&["--bound-to", algorithm]);
        let bound = bound.trim();
        let proof = make(&["--kind", "dpop", "--key", "b", "--access-token", bound]);
        let request = ["--method", "GET", "--url", URL];
        let proof_alone = [&request[..], &["--access-token", bound, "-"]].concat();
        let (status, output) = run(&proof_alone, &proof);
        assert_eq!(status, 0, "{algorithm}: {output}");
        let both = [&["--audience", API, "--dpop", proof.trim()], &request[..]].concat();
        let (status, output) = validate(&both, bound);
        assert_eq!(status, 0, "{algorithm}: {output}");
        let (status, output) = validate(&["--audience", API], bound);
        assert_eq!((status, output.lines().next()), (1, Some("invalid: confirmation_required")));
    }
    std::fs::remove_dir_all(folder).unwrap();
}
