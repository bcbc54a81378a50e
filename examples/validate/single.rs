//! A single token, with the list of the rules that it meets and violates.

use std::io::{self, Write};

use crate::Outcome;
use crate::arguments::Arguments;
use crate::case::TokenUse;
use crate::judge::{Accepted, Verdict, explain, judge};

pub fn validate(arguments: &Arguments, token: &str, out: &mut impl Write) -> io::Result<Outcome> {
    let case = arguments.case(token)?;
    let outcome = match judge(&case) {
        Verdict::Valid(accepted) => {
            writeln!(out, "valid")?;
            match accepted {
                Accepted::Token { subject, audience, scope } => {
                    writeln!(out, "  sub    {subject}\n  aud    {}", audience.join(", "))?;
                    if !scope.is_empty() {
                        writeln!(out, "  scope  {scope}")?;
                    }
                }
                Accepted::Logout { subject, session_id } => {
                    writeln!(out, "  sub    {}", subject.as_deref().unwrap_or("-"))?;
                    writeln!(out, "  sid    {}", session_id.as_deref().unwrap_or("-"))?;
                }
                Accepted::Proof { thumbprint, token_id } => {
                    writeln!(out, "  jkt    {thumbprint}\n  jti    {token_id}")?;
                }
            }
            Outcome::Valid
        }
        Verdict::Invalid { error, www_authenticate } => {
            writeln!(out, "invalid: {}\n  {error}", error.code())?;
            if matches!(case.token_use, TokenUse::Access | TokenUse::Dpop) {
                writeln!(out, "  {} WWW-Authenticate: {www_authenticate}", error.http_status())?;
            }
            Outcome::Invalid
        }
        Verdict::Usage { code, message } => {
            eprintln!("{code}: {message}");
            return Ok(Outcome::Usage);
        }
    };
    let Some((rules, failed)) = explain(&case) else {
        // The key set, the form, the signature or the type of a claim is invalid: see above.
        writeln!(out, "\nIt did not come to the rules of the policy.")?;
        return Ok(outcome);
    };
    writeln!(out)?;
    for rule in rules {
        writeln!(out, "  [{}] {rule}", if failed.contains(rule) { ' ' } else { 'x' })?;
    }
    Ok(outcome)
}
