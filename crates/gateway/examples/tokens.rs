//! Signs tokens and prints key sets for `tests/run.sh`, with the keys of the workspace's tests.

#[path = "../../tower/tests/support/mod.rs"]
mod support;

use clap::{Parser, ValueEnum};
use serde_json::{Value, json};
use support::{Signer, jwks, now};

/// Prints tokens of a test issuer.
#[derive(Parser)]
struct Arguments {
    /// The key that signs; given several times, with --jwks, the keys of the set.
    #[arg(long, default_value = "a")]
    key: Vec<String>,
    /// Print the key set of these keys instead.
    #[arg(long)]
    jwks: bool,
    #[arg(long, value_enum, default_value = "access")]
    kind: Kind,
    /// `iss`.
    #[arg(long, default_value = "https://my-domain.auth0.com/")]
    issuer: String,
    /// `aud`.
    #[arg(long, default_value = "https://example.com/health-api")]
    audience: String,
    /// `scope`.
    #[arg(long, default_value = "openid profile read:patients")]
    scope: String,
    /// Seconds until the token expires; less than 0, how long ago it has.
    #[arg(long, default_value_t = 3_600, allow_negative_numbers = true)]
    expires_in: i64,
    /// Print so many tokens, with subjects that differ.
    #[arg(long, default_value_t = 1)]
    count: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Access,
    Id,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let signers: Vec<Signer> = arguments.key.iter().map(|name| Signer::rsa(name)).collect();
    if arguments.jwks {
        println!("{}", jwks(&signers.iter().collect::<Vec<_>>()));
        return Ok(());
    }
    let signer = signers.first().ok_or("no key")?;
    let header = json!({"alg": signer.alg(), "typ": "JWT", "kid": signer.kid()});
    for number in 0..arguments.count {
        let subject = match number {
            0 => "auth0|123456".to_owned(),
            number => format!("auth0|{number}"),
        };
        println!("{}", signer.sign_with(&header, &claims(&arguments, &subject)));
    }
    Ok(())
}

fn claims(arguments: &Arguments, subject: &str) -> Value {
    let Arguments { issuer, audience, scope, .. } = arguments;
    let expiry = now().saturating_add_signed(arguments.expires_in);
    // Long before it expires, whether or not it has, and never in the future.
    let issued_at = expiry.saturating_sub(7_200).min(now());
    match arguments.kind {
        Kind::Access => json!({
            "iss": issuer, "sub": subject, "aud": [audience, format!("{issuer}userinfo")],
            "iat": issued_at, "exp": expiry, "azp": "my_client_id", "scope": scope,
        }),
        Kind::Id => json!({
            "iss": issuer, "sub": subject, "aud": audience, "iat": issued_at, "exp": expiry,
            "nonce": "n-0S6_WzA2Mj", "name": "Jane Doe",
        }),
    }
}
