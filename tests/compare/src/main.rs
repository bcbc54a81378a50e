//! The verdicts of claimgate and other crates on the same tokens: all with a valid RS256
//! signature, and each with at most one defect.
//!
//! `cargo run --manifest-path tests/compare/Cargo.toml` prints the tables of COMPARE.md, and with
//! `-- --check` fails if COMPARE.md has other tables. Every crate is configured with the issuer and
//! the audience; jsonwebtoken a second time with all applicable settings of its `Validation`.

mod tokens;
mod validators;

use std::fmt::Write;

use claimgate::NumericDate;

use crate::tokens::{Row, Signer, access_tokens, id_tokens};
use crate::validators::{
    Strictness, Validator, claimgate_access, claimgate_id, huskarl_access, huskarl_id,
    jsonwebtoken_access, jwt_simple_access, openidconnect_id,
};

const PAGE: &str = include_str!("../../../COMPARE.md");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let signer = Signer::new()?;
    let now = NumericDate::now().as_secs();
    let access = [
        ("claimgate", claimgate_access(&signer, now)?),
        ("jsonwebtoken", jsonwebtoken_access(&signer, Strictness::IssuerAndAudience)),
        ("jsonwebtoken, all settings", jsonwebtoken_access(&signer, Strictness::All)),
        ("jwt-simple", jwt_simple_access(&signer)?),
        ("huskarl-resource-server", huskarl_access(&signer)?),
    ];
    let id = [
        ("claimgate", claimgate_id(&signer, now)?),
        ("huskarl", huskarl_id(&signer)?),
        ("openidconnect", openidconnect_id(&signer)?),
    ];
    let tables = [
        table("well-signed access token", &access, &access_tokens(&signer, now))?,
        table("well-signed ID token", &id, &id_tokens(&signer, now))?,
    ];
    print!("{}", tables.join("\n"));
    let is_check = std::env::args().any(|argument| argument == "--check");
    if is_check && !tables.iter().all(|table| PAGE.contains(&format!("\n\n{table}\n"))) {
        return Err("COMPARE.md has other tables".into());
    }
    Ok(())
}

/// Returns the verdicts as a table in Markdown.
fn table(
    title: &str,
    columns: &[(&str, Validator)],
    rows: &[Row],
) -> Result<String, std::fmt::Error> {
    let mut text = format!("| {title} |");
    columns.iter().try_for_each(|(name, _)| write!(text, " {name} |"))?;
    text += "\n| --- |";
    text += &" --- |".repeat(columns.len());
    for (what, token) in rows {
        write!(text, "\n| {what} |")?;
        for (_, accepts) in columns {
            write!(text, " {} |", if accepts(token) { "accepts" } else { "rejects" })?;
        }
    }
    text.push('\n');
    Ok(text)
}
