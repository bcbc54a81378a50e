//! The demonstration: the two tokens of Auth0's articles, each used correctly, and then the
//! misuses that the articles warn about.

use std::io::{self, IsTerminal, Write};

use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, Error, IdToken, IdTokenPolicy, Issuer, JwkSet,
    Login, Nonce, NumericDate, RingKey, ScopePolicy, TokenBuffer, at_compile_time,
};

use crate::Outcome;

const ISSUER: &str = "https://my-domain.auth0.com/";
const JWKS: &str = include_str!("demo/jwks.json");

/// A time at which the tokens are valid, and one at which they have expired.
const DURING: NumericDate = NumericDate::from_secs(1_311_281_470);
const AFTERWARDS: NumericDate = NumericDate::from_secs(1_311_300_000);

/// The client that started the login, without a nonce.
const APPLICATION: IdTokenPolicy<'_> = at_compile_time!(IdTokenPolicy::new("my_client_id").build());
const LOGIN: Login<'_> = at_compile_time!(Login::new(Nonce::ExpectNone).build());

/// The API, which requires the scope for reading patients' records.
const READ_PATIENTS: ScopePolicy<'_> = at_compile_time!(ScopePolicy::all_of(&["read:patients"]));
const API: AccessTokenPolicy<'_> = at_compile_time!(
    AccessTokenPolicy::general("https://example.com/health-api")
        .require_scope(READ_PATIENTS)
        .build()
);

#[derive(Clone, Copy)]
enum Use {
    LogIn,
    CallApi,
}

struct Row {
    token: &'static str,
    text: &'static str,
    used: Use,
    now: NumericDate,
    expected: &'static str,
}

const ROWS: [Row; 10] = [
    row("ID token", include_str!("demo/id_token.jwt"), Use::LogIn, "valid"),
    row("access token", include_str!("demo/access_token.jwt"), Use::CallApi, "valid"),
    row("ID token", include_str!("demo/id_token.jwt"), Use::CallApi, "audience_mismatch"),
    row("access token", include_str!("demo/access_token.jwt"), Use::LogIn, "audience_mismatch"),
    row("HS256 token", include_str!("demo/hs256.jwt"), Use::CallApi, "algorithm_not_allowed"),
    row("tampered scope", include_str!("demo/tampered.jwt"), Use::CallApi, "invalid_signature"),
    Row {
        now: AFTERWARDS,
        ..row("access token, later", include_str!("demo/access_token.jwt"), Use::CallApi, "expired")
    },
    row(
        "another client's ID token",
        include_str!("demo/other_client.jwt"),
        Use::LogIn,
        "audience_mismatch",
    ),
    row(
        "token for another API",
        include_str!("demo/other_api.jwt"),
        Use::CallApi,
        "audience_mismatch",
    ),
    row(
        "token without the scope",
        include_str!("demo/no_scope.jwt"),
        Use::CallApi,
        "insufficient_scope",
    ),
];

const fn row(token: &'static str, text: &'static str, used: Use, expected: &'static str) -> Row {
    Row { token, text, used, now: DURING, expected }
}

/// Prints the table. The result is `Valid` if every row has the expected verdict.
pub fn show(out: &mut impl Write) -> io::Result<Outcome> {
    let keys = JwkSet::<RingKey, 4>::from_json(JWKS).map_err(io::Error::other)?;
    let issuer = Issuer::new(ISSUER, keys).map_err(io::Error::other)?;
    let mut buffer = TokenBuffer::<4096>::new();

    writeln!(out, "An application (client ID my_client_id) logs users in with ID tokens.")?;
    writeln!(out, "An API (https://example.com/health-api) takes access tokens with the scope")?;
    writeln!(out, "read:patients. Both trust {ISSUER} and nobody else.\n")?;
    writeln!(
        out,
        "{:<26} {:<12} {:<9} {:<22} what the API answers",
        "token", "used to", "verdict", "which rule"
    )?;
    let mut is_as_expected = true;
    let mut explanations = Vec::new();
    for row in &ROWS {
        let text = row.text.trim_end();
        let (used, result) = match row.used {
            Use::LogIn => {
                let trust = (&issuer, &APPLICATION);
                let verdict = IdToken::validate(text, trust, LOGIN, row.now, &mut buffer);
                ("log in", verdict.map(|token| token.subject().to_owned()))
            }
            Use::CallApi => {
                let token = BearerToken::new(text);
                let verdict = AccessToken::validate(token, (&issuer, &API), row.now, &mut buffer);
                ("call the API", verdict.map(|token| token.subject().to_owned()))
            }
        };
        let rule = result.as_ref().map_or_else(Error::code, |_| "valid");
        is_as_expected &= rule == row.expected;
        let verdict = Painted { word: if result.is_ok() { "valid" } else { "invalid" } };
        write!(out, "{:<26} {used:<12} {verdict} ", row.token)?;
        match (&result, row.used) {
            (Ok(subject), _) => writeln!(out, "{:<22} sub {subject}", "")?,
            (Err(error), Use::LogIn) => writeln!(out, "{:<22} (no API involved)", error.code())?,
            (Err(error), Use::CallApi) => {
                let challenge = API.challenge(*error);
                writeln!(out, "{:<22} {} {challenge}", error.code(), challenge.status())?;
            }
        }
        if let Err(error) = result
            && !explanations.contains(&error)
        {
            explanations.push(error);
        }
    }
    writeln!(out, "\nIn words:")?;
    for error in explanations {
        writeln!(out, "  {:<22} {error}", error.code())?;
    }
    Ok(if is_as_expected { Outcome::Valid } else { Outcome::Invalid })
}

/// A word in nine columns, green or red on a terminal that has colours.
struct Painted {
    word: &'static str,
}

impl std::fmt::Display for Painted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = self.word;
        if !io::stdout().is_terminal() || std::env::var_os("NO_COLOR").is_some() {
            return write!(f, "{word:<9}");
        }
        let colour = if word == "valid" { 32 } else { 31 };
        write!(f, "\u{1b}[{colour}m{word:<9}\u{1b}[0m")
    }
}
