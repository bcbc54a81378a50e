//! The index of the rule book: the tests of each rule.
//!
//! `CLAIMGATE_WRITE_INDEX=1 cargo test --test rules_index` writes `tests/rules.md`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

/// The rows of the rule book: the prefix of the tests' names, the number, the rule.
const ROWS: &[(&str, &str, &str)] = &[
    ("f01", "F1", "three non-empty segments; at most five dots are searched for"),
    ("f02", "F2", "encrypted and opaque tokens are reported as such"),
    ("f03", "F3", "canonical unpadded base64url"),
    ("f04", "F4", "size limits are checked first"),
    ("f05", "F5", "header and payload are JSON objects of the accepted subset"),
    ("f06", "F6", "no duplicate member names, after unescaping, in every object that is read"),
    ("f07", "F7", "registered claims have the right types, even if no rule reads them"),
    ("k01", "K1", "`alg` is the algorithm of the key"),
    ("k02", "K2", "`crit` is rejected"),
    ("k03", "K3", "`jwk`, `jku`, `x5u`, `x5c` in the header never supply a key"),
    ("k04", "K4", "`b64` and `zip` are rejected"),
    ("k05", "K5", "only keys with the token's `kid`; a missing one may justify a refresh"),
    ("k06", "K6", "exactly one key has the header's algorithm and `kid`"),
    ("k07", "K7", "keys for other uses are skipped"),
    (
        "k08",
        "K8",
        "unusable members are skipped with a reason; a set without usable keys is an error",
    ),
    ("k09", "K9", "a modulus of 2,048 to 4,096 bits, an odd exponent, no ROCA fingerprint"),
    (
        "k10",
        "K10",
        "the signature has the length of the modulus and is below it; the whole block is compared",
    ),
    ("k11", "K11", "an issuer's keys verify only that issuer's tokens"),
    ("k15", "K15", "`typ` and `kid` are strings of acceptable length"),
    ("k12", "K12", "ECDSA: r and s, and the point on its curve"),
    ("k13", "K13", "Ed25519: canonical, not of small order"),
    ("k14", "K14", "PSS: the salt has the length of the hash"),
    ("c01", "C1", "`iss` equals the issuer, byte for byte"),
    ("c02", "C2", "`sub` is present and not empty"),
    ("c03", "C3", "`exp` is present and not in the past"),
    ("c04", "C4", "`nbf` is not in the future"),
    ("c05", "C5", "`iat` is not in the future, unless that is ignored"),
    ("c06", "C6", "leeway: 60 s, at most 600 s, the same for every rule"),
    ("c07", "C7", "`max_token_age`, `max_lifetime`"),
    ("c08", "C8", "custom claims, by exact name"),
    ("c09", "C9", "claim rules"),
    ("c10", "C10", "multi-tenant issuers"),
    ("c11", "C11", "the second at which a token becomes invalid"),
    ("i01", "I1", "`aud` contains the client ID"),
    ("i02", "I2", "all other audiences are trusted"),
    ("i03", "I3", "several audiences require `azp`"),
    ("i04", "I4", "`azp` is the client ID"),
    ("i05", "I5", "`iat` is present"),
    ("i06", "I6", "`nonce`: expect, expect none, or ignore"),
    ("i07", "I7", "`max_age` and `auth_time`"),
    ("i08", "I8", "`acr` and `amr`"),
    ("i09", "I9", "`at_hash` and `c_hash`"),
    ("i10", "I10", "header `typ`"),
    ("i11", "I11", "claims of other kinds"),
    ("i12", "I12", "Organizations"),
    ("i13", "I13", "refreshed ID tokens"),
    ("i14", "I14", "the `/userinfo` response is about the same user"),
    ("i15", "I15", "standard claims, and the scopes that request them"),
    ("a01", "A1", "`aud` contains the API"),
    ("a02", "A2", "the token profile"),
    ("a03", "A3", "claims of ID tokens"),
    ("a04", "A4", "an audience that is a client ID cannot be configured"),
    ("a05", "A5", "scope sets"),
    ("a06", "A6", "permissions"),
    ("a07", "A7", "authorized parties"),
    ("a08", "A8", "subject kind"),
    ("a09", "A9", "`cnf`"),
    ("a10", "A10", "step-up"),
    ("a11", "A11", "whether the token is also for `/userinfo`"),
    ("a12", "A12", "scopes per route"),
    ("a13", "A13", "issuers without an audience"),
    ("l01", "L1", "a logout token is a separate type, with issuer and audience of ID tokens"),
    ("l02", "L2", "`typ` is `logout+jwt`, `JWT` or missing"),
    ("l03", "L3", "`events` contains the logout event"),
    ("l04", "L4", "`sub` or `sid`; `iat`, `exp`, `jti`"),
    ("l05", "L5", "no `nonce`"),
    ("l06", "L6", "a logout token's `jti` and the replay window"),
    ("p01", "P1", "one proof, a compact JWS"),
    ("p02", "P2", "`typ` is `dpop+jwt`"),
    ("p03", "P3", "`alg` is an algorithm of the key type"),
    ("p04", "P4", "`jwk` is a public key that verifies the proof"),
    ("p05", "P5", "`htm` is the method"),
    ("p06", "P6", "`htu` and the request's URL are equal apart from the listed differences"),
    ("p07", "P7", "`iat` is neither too old nor in the future"),
    ("p08", "P8", "`jti` is accepted once; a full window rejects proofs"),
    ("p09", "P9", "`ath` is the hash of the access token"),
    ("p10", "P10", "`nonce` is the server's"),
    ("p11", "P11", "the key of the proof is that of the access token"),
    ("m01", "M1", "a discovery document names the expected issuer"),
    ("m02", "M2", "a protected resource's metadata and its URL"),
    ("m03", "M3", "a challenge contains the URL of the metadata"),
    ("r1", "R1", "a key set without a usable key replaces the old one"),
    ("r2", "R2", "without keys, the first retries follow after 1, 2, 4 seconds"),
    ("r3", "R3", "keys that could not be refreshed are trusted for at most `max_stale`"),
    ("ch1", "challenge 1", "no token"),
    ("ch2", "challenge 2", "a malformed header, `Bearer` without a token, two tokens"),
    ("ch3", "challenge 3", "an invalid token"),
    ("ch4", "challenge 4", "insufficient scope"),
    ("ch5", "challenge 5", "insufficient authentication"),
];

/// Returns the names of the tests in a source text.
fn test_names(source: &str) -> impl Iterator<Item = &str> {
    source.split("#[test]").skip(1).filter_map(|rest| {
        let rest = rest.split_once("fn ")?.1;
        Some(rest.split_once('(')?.0)
    })
}

/// Returns each row's tests, as `file::name`.
fn index() -> BTreeMap<&'static str, Vec<String>> {
    let mut index: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let modules = fs::read_dir("src").unwrap().map(|entry| entry.unwrap().path());
    let folders = modules.filter(|path| path.is_dir()).chain(["tests".into(), "src".into()]);
    for folder in folders {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            // The names in this file's own test are not tests.
            if path.extension().is_none_or(|extension| extension != "rs")
                || path.ends_with("rules_index.rs")
            {
                continue;
            }
            let source = fs::read_to_string(&path).unwrap();
            for name in test_names(&source) {
                let row = ROWS.iter().find(|(prefix, ..)| {
                    name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('_'))
                });
                if let Some((prefix, ..)) = row {
                    let file = path.strip_prefix("tests").unwrap_or(&path).display();
                    index.entry(prefix).or_default().push(format!("`{file}` `{name}`"));
                }
            }
        }
    }
    index.values_mut().for_each(|tests| tests.sort());
    index
}

fn page() -> String {
    let index = index();
    let mut page = String::from(
        "# The rules and their tests\n\nGenerated by `CLAIMGATE_WRITE_INDEX=1 cargo test --test \
         rules_index`; a row without a test\nfails that test. Files are below `tests/` unless they \
         begin with `src/`.\n\n| # | rule | tests |\n| --- | --- | --- |\n",
    );
    for (prefix, number, rule) in ROWS {
        let tests = index.get(prefix).map(|tests| tests.join("<br>")).unwrap_or_default();
        writeln!(page, "| {number} | {rule} | {tests} |").unwrap();
    }
    page
}

#[test]
fn every_rule_has_a_test() {
    let index = index();
    let without: Vec<&str> =
        ROWS.iter().filter(|(prefix, ..)| !index.contains_key(prefix)).map(|row| row.1).collect();
    assert!(without.is_empty(), "rules without a test: {without:?}");
}

#[test]
fn the_index_is_up_to_date() {
    let page = page();
    if std::env::var_os("CLAIMGATE_WRITE_INDEX").is_some() {
        fs::write("tests/rules.md", &page).unwrap();
    }
    let committed = fs::read_to_string("tests/rules.md").unwrap_or_default();
    assert!(committed == page, "run CLAIMGATE_WRITE_INDEX=1 cargo test --test rules_index");
}

#[test]
fn this_file_is_no_witness() {
    let witnesses: Vec<String> = index().into_values().flatten().collect();
    assert!(!witnesses.iter().any(|test| test.contains("rules_index.rs")), "{witnesses:?}");
}

#[test]
fn names_of_tests_are_found() {
    let source = "#[test]\nfn f01_a() {}\nfn f02_b() {}\n#[test]\n#[x]\nfn f03_c(y: u8) {}";
    assert_eq!(test_names(source).collect::<Vec<_>>(), ["f01_a", "f03_c"]);
}
