//! A file of cases: JSON Lines in, JSON Lines out, one answer for each line, in order, for any
//! input.

use std::io::{self, BufRead, Write};

use serde::{Serialize, de};
use serde_json::Value;

use crate::case::Case;
use crate::judge::{Accepted, Verdict, judge};

#[derive(Serialize)]
struct Answer<'a> {
    id: Option<&'a str>,
    #[serde(flatten)]
    verdict: Fields<'a>,
}

#[derive(Serialize)]
#[serde(tag = "verdict", rename_all = "lowercase")]
enum Fields<'a> {
    Valid(Valid<'a>),
    Invalid { error: &'static str, message: String, status: u16, www_authenticate: &'a str },
    Usage { error: &'static str, message: &'a str },
}

#[derive(Serialize)]
#[serde(untagged)]
enum Valid<'a> {
    Token { sub: &'a str, aud: &'a [String], scope: &'a str },
    Logout { sub: Option<&'a str>, sid: Option<&'a str> },
    Proof { jkt: &'a str, jti: &'a str },
}

/// Answers each line of `cases`. Empty lines are skipped.
pub fn answer_all(cases: impl BufRead, out: &mut impl Write) -> io::Result<()> {
    for line in cases.split(b'\n') {
        let line = line?;
        if !line.trim_ascii().is_empty() {
            answer(&line, out)?;
        }
    }
    Ok(())
}

fn answer(line: &[u8], out: &mut impl Write) -> io::Result<()> {
    let (id, verdict) = match read(line) {
        Ok(case) => (Some(case.id.clone()), judge(&case)),
        Err(error) => {
            // Without line and column: each line is a separate document.
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default().to_owned();
            (id_of(line), Verdict::Usage { code: "usage", message })
        }
    };
    let fields = match &verdict {
        Verdict::Valid(accepted) => Fields::Valid(match accepted {
            Accepted::Token { subject, audience, scope } => {
                Valid::Token { sub: subject, aud: audience, scope }
            }
            Accepted::Logout { subject, session_id } => {
                Valid::Logout { sub: subject.as_deref(), sid: session_id.as_deref() }
            }
            Accepted::Proof { thumbprint, token_id } => {
                Valid::Proof { jkt: thumbprint, jti: token_id }
            }
        }),
        Verdict::Invalid { error, www_authenticate } => Fields::Invalid {
            error: error.code(),
            message: error.to_string(),
            status: error.http_status(),
            www_authenticate,
        },
        Verdict::Usage { code, message } => Fields::Usage { error: code, message },
    };
    serde_json::to_writer(&mut *out, &Answer { id: id.as_deref(), verdict: fields })?;
    out.write_all(b"\n")
}

/// Reads a case from an object. serde would read it from an array of its fields as well.
fn read(line: &[u8]) -> serde_json::Result<Case> {
    if line.trim_ascii_start().starts_with(b"[") {
        return Err(de::Error::custom("a case is an object"));
    }
    serde_json::from_slice(line)
}

/// Returns the `id` of a line that is not a case but an object with an `id`.
fn id_of(line: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(line).ok()?;
    value.get("id")?.as_str().map(str::to_owned)
}
