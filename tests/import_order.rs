//! The structure of the library: the order of imports, the size of files, the files that may
//! name a crate, and the absence of allocation.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The modules, in their order: each imports only modules before it.
const MODULES: &[&str] = &[
    "algorithm",
    "compare",
    "error",
    "bytes",
    "base64url",
    "roca",
    "http_uri",
    "json",
    "jws",
    "request_key",
    "bearer",
    "curve",
    "public_key",
    "jwk",
    "claims",
    "standard_claims",
    "id_token",
    "access_token",
    "logout_token",
    "validated",
    "owned",
    "trust",
    "policy",
    "challenge",
    "buffer",
    "validator",
    "refreshed",
    "user_info",
    "replay",
    "cache",
    "dpop",
    "discovery",
    "resource_metadata",
    "refresh",
];

/// The public modules. Each also re-exports related items of later modules.
const PUBLIC: &[&str] = &[
    "bearer",
    "cache",
    "claims",
    "discovery",
    "dpop",
    "error",
    "jwk",
    "jws",
    "owned",
    "policy",
    "refresh",
    "replay",
    "resource_metadata",
    "trust",
];

/// The crate root, and pages of documentation.
const OUTSIDE: &[&str] = &["lib.rs", "guide.rs"];

/// The maximum number of lines of code in a file, without comments, empty lines and tests.
const MAX_LINES: usize = 400;

/// The files that may name a crate.
const CRATES: &[(&str, &[&str])] = &[
    ("ring::", &["public_key/ring.rs"]),
    ("aws_lc_rs", &["public_key/aws_lc.rs"]),
    ("claimgate_rsa", &["public_key.rs", "public_key/pure_rust.rs", "public_key/pure_rust_any.rs"]),
    ("ed25519_dalek", &["public_key/pure_rust_any.rs"]),
    ("p256::", &["public_key/pure_rust_any.rs"]),
    ("p384::", &["public_key/pure_rust_any.rs"]),
    ("sha2::", &["public_key/pure_rust.rs", "public_key/pure_rust_any.rs"]),
    ("serde_json_core", &["json/custom.rs"]),
];

/// The files that may construct the two types that represent trust.
const CONSTRUCTORS: &[(&str, &[&str])] = &[
    ("VerifiedJws {", &["public_key.rs"]),
    ("Validated(", &["dpop.rs", "validator.rs", "owned.rs"]),
];

const HEAP_WORDS: &[&str] = &[
    "extern crate alloc",
    "alloc::",
    "std::vec",
    "std::string",
    "Box<",
    "Box::",
    "Rc<",
    "Arc<",
    "vec!",
    "format!",
    ".to_string()",
    ".to_owned()",
    ".to_vec()",
];

/// Returns the library's files by their paths below `src`, without tests and comments.
fn sources() -> BTreeMap<String, String> {
    fn read(folder: &Path, prefix: &str, sources: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() {
                read(&path, &format!("{prefix}{name}/"), sources);
            } else if name != "tests.rs" {
                let text = fs::read_to_string(&path).unwrap();
                sources.insert(format!("{prefix}{name}"), code(&text));
            }
        }
    }
    let mut sources = BTreeMap::new();
    read(Path::new("src"), "", &mut sources);
    sources
}

/// Returns the part of a file before its tests, with comments replaced by empty lines.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let keep = |line: &'_ str| !line.trim_start().starts_with("//");
    text.lines().map(|line| if keep(line) { line } else { "" }).collect::<Vec<_>>().join("\n")
}

/// Returns the module of a file: `claims/scope.rs` belongs to `claims`.
fn module_of(path: &str) -> &str {
    path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

/// Returns a text without the re-exports of a public module.
fn without_reexports(path: &str, text: &str) -> String {
    let is_public = PUBLIC.iter().any(|module| path == format!("{module}.rs"));
    let is_kept = |line: &&str| !(is_public && line.starts_with("pub use crate::"));
    text.lines().filter(is_kept).collect::<Vec<_>>().join("\n")
}

/// Returns the modules that a text imports.
fn imports(text: &str) -> impl Iterator<Item = &str> {
    text.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|c: char| !(c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit()));
        &rest[..end.unwrap_or(rest.len())]
    })
}

/// Returns the violations in the imports of a file.
fn wrong_imports(path: &str, text: &str) -> Vec<String> {
    let place = |module: &str| MODULES.iter().position(|name| *name == module);
    let Some(own) = place(module_of(path)) else { return vec![format!("{path} has no module")] };
    imports(&without_reexports(path, text))
        .filter(|name| !name.is_empty())
        .filter(|name| place(name).is_none_or(|module| module > own))
        .map(|name| format!("{path} imports {name}"))
        .collect()
}

#[test]
fn a_module_imports_only_modules_before_it() {
    let wrong: Vec<String> = sources()
        .iter()
        .filter(|(path, _)| !OUTSIDE.contains(&path.as_str()))
        .flat_map(|(path, text)| wrong_imports(path, text))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn an_import_of_a_later_module_is_found() {
    let json = "use crate::error::Error;\nuse crate::trust::Issuer;";
    assert_eq!(wrong_imports("json/scanner.rs", json), ["json/scanner.rs imports trust"]);
    assert_eq!(wrong_imports("kitchen.rs", ""), ["kitchen.rs has no module"]);
    assert_eq!(wrong_imports("jws.rs", "use crate::json::{self};"), [""; 0]);
    // Re-exports are of public modules, and public.
    let reexport = "pub use crate::public_key::VerifiedJws;";
    assert_eq!(wrong_imports("jws.rs", reexport), [""; 0]);
    assert_eq!(wrong_imports("json.rs", reexport), ["json.rs imports public_key"]);
    assert_eq!(wrong_imports("jws.rs", &reexport[4..]), ["jws.rs imports public_key"]);
}

#[test]
fn every_module_has_its_file_and_is_public_only_if_it_is_meant_to_be() {
    let sources = sources();
    let root = &sources["lib.rs"];
    let mut modules: Vec<&str> = sources
        .keys()
        .filter(|path| !OUTSIDE.contains(&path.as_str()))
        .map(|path| module_of(path))
        .collect();
    modules.dedup();
    for module in &modules {
        let visibility = if PUBLIC.contains(module) { "pub " } else { "" };
        let declaration = format!("\n{visibility}mod {module};");
        assert!(root.contains(&declaration), "{module} is not declared so in lib.rs");
        assert!(sources.contains_key(&format!("{module}.rs")), "{module}.rs");
        assert!(MODULES.contains(module), "{module}");
    }
    assert_eq!(modules.len(), MODULES.len());
    // The guide is the other one.
    assert_eq!(root.matches("pub mod ").count(), PUBLIC.len() + 1);
}

#[test]
fn a_file_has_at_most_400_lines_of_code() {
    for (path, text) in sources() {
        let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
        assert!(lines <= MAX_LINES, "{path} has {lines} lines");
    }
}

/// Returns the files that contain a word and are not in its list.
fn strays<'s>(sources: &'s BTreeMap<String, String>, word: &str, allowed: &[&str]) -> Vec<&'s str> {
    let holds = |text: &str| {
        text.match_indices(word).any(|(at, _)| {
            // `public_key::ring::` is a module of this crate; `::ring::` is the crate.
            let before = text[..at].strip_suffix("::").unwrap_or(&text[..at]);
            !before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        })
    };
    sources
        .iter()
        .filter(|(path, text)| !allowed.contains(&path.as_str()) && holds(text))
        .map(|(path, _)| path.as_str())
        .collect()
}

#[test]
fn each_crate_is_named_in_one_file() {
    let sources = sources();
    for (name, allowed) in CRATES {
        assert_eq!(strays(&sources, name, allowed), [""; 0], "{name}");
    }
}

#[test]
fn two_modules_construct_what_means_trust() {
    let mut sources = sources();
    // The definitions themselves construct nothing.
    for text in sources.values_mut() {
        *text = text
            .replace("pub struct VerifiedJws<'b> {", "")
            .replace("Validated<T>(pub(crate) T)", "");
    }
    for (expression, allowed) in CONSTRUCTORS {
        assert_eq!(strays(&sources, expression, allowed), [""; 0], "{expression}");
    }
}

#[test]
fn the_library_does_not_allocate() {
    let sources = sources();
    for word in HEAP_WORDS {
        let found: Vec<&str> = sources
            .iter()
            .filter(|(_, text)| text.contains(word))
            .map(|(path, _)| path.as_str())
            .collect();
        assert_eq!(found, [""; 0], "{word}");
    }
}

#[test]
fn a_stray_word_is_found() {
    let sources = BTreeMap::from([("jws.rs".to_owned(), "use ring::digest;".to_owned())]);
    assert_eq!(strays(&sources, "ring::", &["public_key/ring.rs"]), ["jws.rs"]);
    assert_eq!(strays(&sources, "ring::", &["jws.rs"]), [""; 0]);
    let sources = BTreeMap::from([("jws.rs".to_owned(), "::ring::digest::SHA256".to_owned())]);
    assert_eq!(strays(&sources, "ring::", &[]), ["jws.rs"]);
    let sources = BTreeMap::from([("jws.rs".to_owned(), "super::ring::RingKey".to_owned())]);
    assert_eq!(strays(&sources, "ring::", &[]), [""; 0]);
    let sources = BTreeMap::from([("jws.rs".to_owned(), "let x = String::new();".to_owned())]);
    assert_eq!(strays(&sources, "ring::", &[]), [""; 0]);
}
