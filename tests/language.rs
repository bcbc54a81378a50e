//! The wording of documentation, comments and messages: patterns that can be searched for.
//!
//! CONTRIBUTING.md has the rules. A pattern that is found here needs a plainer sentence.

use std::fs;
use std::path::Path;

/// The folders whose Rust files are checked, and whose Markdown files are.
const FOLDERS: &[&str] = &[
    "src",
    "crates",
    "examples/validate",
    "examples/demo_issuer",
    "tests",
    "benches",
    "fuzz",
    "docs",
];

/// Further files.
const FILES: &[&str] =
    &["README.md", "COMPARE.md", "DESIGN.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"];

/// Words and phrases for which there is a plainer one, in comments, documentation and pages.
const WORDS: &[&str] = &[
    "nobody",
    "somebody",
    "anybody",
    "whoever",
    "anew",
    "besides",
    "makes way",
    "made way",
    "vouch",
    "vouches",
    "lend",
    "lends",
    "gives itself away",
    "as it were",
    "no longer there",
    "has to say",
    "beside them",
];

/// Beginnings of a documentation summary that does not name what the item is or does.
const OPENINGS: &[&str] = &["What ", "Whether ", "Of ", "How ", "Why ", "Which ", "Whom ", "As ["];

/// Verbs that are too vague for a documentation summary.
const VERBS: &[&str] = &["takes", "holds", "stands", "tells", "shows"];

/// The files whose string literals are messages of errors.
const MESSAGES: &[&str] = &[
    "src/error/config.rs",
    "src/error/key.rs",
    "src/error/message.rs",
    "src/error/reasons.rs",
    "crates/rsa/src/error.rs",
    "crates/tower/src/error.rs",
    "crates/tower/src/refusal.rs",
];

/// Phrases for which a message has a plainer one.
const PHRASES: &[&str] =
    &["has to", "does not hold", "is there", "it is ", "suffice", "none of the", "somehow"];

/// Returns whether `text` contains `phrase` as whole words, ignoring case.
fn contains(text: &str, phrase: &str) -> bool {
    let text = text.to_lowercase();
    text.match_indices(phrase).any(|(start, _)| {
        let is_word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
        let bytes = text.as_bytes();
        let before = start.checked_sub(1).and_then(|at| bytes.get(at));
        !is_word(before) && !is_word(bytes.get(start + phrase.len()))
    })
}

/// Returns the text of a comment line, and whether it is documentation.
fn comment(line: &str) -> Option<(&str, bool)> {
    let line = line.trim_start();
    let text = |prefix| line.strip_prefix(prefix).map(str::trim_start);
    if let Some(text) = text("///").or_else(|| text("//!")) {
        return Some((text, true));
    }
    text("//").map(|text| (text, false))
}

/// Returns the words of a line of prose that have a plainer one. Code in it is skipped.
fn words(line: &str) -> Vec<String> {
    let prose: String = line.split('`').step_by(2).collect();
    let mut found: Vec<String> =
        WORDS.iter().filter(|word| contains(&prose, word)).map(|word| (*word).to_owned()).collect();
    if prose.trim_end().ends_with(" alone.") || prose.contains(" alone. ") {
        found.push("alone.".to_owned());
    }
    found
}

/// Returns the problem of a documentation summary, if there is one. `item` is the line of code
/// after the comment.
fn summary(line: &str, item: &str) -> Option<String> {
    if let Some(opening) = OPENINGS.iter().find(|opening| line.starts_with(**opening)) {
        let is_flag = *opening == "Whether " && item.to_lowercase().contains("bool");
        return (!is_flag).then(|| format!("opens with {opening:?}"));
    }
    let prose: String = line.split('`').step_by(2).collect();
    VERBS.iter().find(|verb| contains(&prose, verb)).map(|verb| (*verb).to_owned())
}

/// Returns the findings in a Rust file, each with its line.
fn check_rust(source: &str) -> Vec<(usize, String)> {
    let lines: Vec<&str> = source.lines().collect();
    let mut found = Vec::new();
    let mut was_comment = false;
    let mut is_code = false;
    for (index, line) in lines.iter().enumerate() {
        let Some((text, is_doc)) = comment(line) else {
            was_comment = false;
            is_code = false;
            continue;
        };
        if text.starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            found.extend(words(text).into_iter().map(|word| (index + 1, word)));
            if is_doc && !was_comment {
                let is_item =
                    |line: &&&str| comment(line).is_none() && !line.trim_start().starts_with("#[");
                let item = lines[index..].iter().find(is_item).copied().unwrap_or_default();
                found.extend(summary(text, item).map(|problem| (index + 1, problem)));
            }
        }
        was_comment = true;
    }
    found
}

/// Returns the findings in a page, each with its line.
fn check_page(text: &str) -> Vec<(usize, String)> {
    let mut is_code = false;
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            found.extend(words(line).into_iter().map(|word| (index + 1, word)));
        }
    }
    found
}

/// Returns the findings in the string literals of a file, each with its line.
fn check_messages(source: &str) -> Vec<(usize, String)> {
    let lines = source.lines().enumerate().filter(|(_, line)| comment(line).is_none());
    lines
        .flat_map(|(index, line)| {
            let literals: String = line.split('"').skip(1).step_by(2).collect();
            let phrases = PHRASES.iter().filter(move |phrase| literals.contains(**phrase));
            phrases.map(move |phrase| (index + 1, (*phrase).to_owned())).collect::<Vec<_>>()
        })
        .collect()
}

/// Adds the Rust and Markdown files below a folder, except those of builds and this file.
fn add_files(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            let is_generated = ["target", "node_modules", "corpus", "artifacts"].contains(&name);
            if !is_generated && !name.starts_with('.') {
                add_files(&path, files);
            }
        } else if (name.ends_with(".rs") && name != "language.rs") || name.ends_with(".md") {
            files.push(path);
        }
    }
}

#[test]
fn comments_documentation_and_pages_are_in_plain_words() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = FILES.iter().map(|file| root.join(file)).collect();
    for folder in FOLDERS {
        add_files(&root.join(folder), &mut files);
    }
    assert!(files.len() > 200, "{} files", files.len());
    let mut report = String::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let is_rust = file.extension().is_some_and(|extension| extension == "rs");
        let found = if is_rust { check_rust(&text) } else { check_page(&text) };
        let name = file.strip_prefix(root).unwrap().display();
        for (line, problem) in found {
            report.push_str(&format!("{name}:{line}: {problem}\n"));
        }
    }
    assert!(report.is_empty(), "\n{report}");
}

#[test]
fn messages_are_in_plain_words() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in MESSAGES {
        let source = fs::read_to_string(root.join(file)).unwrap();
        assert_eq!(check_messages(&source), [], "{file}");
    }
}

#[test]
fn a_planted_sentence_is_noticed() {
    let findings = |source: &str| -> Vec<String> {
        check_rust(source).into_iter().map(|(_, problem)| problem).collect()
    };
    assert_eq!(findings("/// Returns the issuer.\nfn f() {}"), [""; 0]);
    assert_eq!(findings("/// What the token says.\nfn f() {}"), ["opens with \"What \""]);
    assert_eq!(findings("//! Of the header."), ["opens with \"Of \""]);
    assert_eq!(findings("/// Whether it is valid.\nfn f() {}"), ["opens with \"Whether \""]);
    assert_eq!(findings("/// Whether it is valid.\nis_valid: bool,"), [""; 0]);
    assert_eq!(findings("/// The set holds keys.\nfn f() {}"), ["holds"]);
    assert_eq!(findings("/// Returns the set.\n///\n/// It holds keys.\nfn f() {}"), [""; 0]);
    assert_eq!(findings("    // Nobody has seen it."), ["nobody"]);
    assert_eq!(findings("// Made anew,\n// for RS256 alone."), ["anew", "alone."]);
    assert_eq!(findings("let nobody = \"anew\";"), [""; 0]);
    assert_eq!(findings("/// ```\n/// // What nobody checks\n/// ```\nfn f() {}"), [""; 0]);
    assert_eq!(findings("/// The setting `besides`.\nfn f() {}"), [""; 0]);
    assert_eq!(check_page("a\n```\nnobody\n```\nanew.").len(), 1);
    assert_eq!(check_messages("f(\"it has to be\") // has to"), [(1, "has to".to_owned())]);
    assert_eq!(check_messages("f(\"the token must be\", is_there)"), []);
}
