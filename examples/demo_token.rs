//! Signs a token with a test key, for use with the other examples. A real issuer must not be
//! operated like this.

mod demo_issuer;

use claimgate::NumericDate;
use clap::{Parser, ValueEnum};
use serde_json::{Value, json};

use crate::demo_issuer::{ISSUER, SigningKey, jwks};

/// Prints a token, signed with a test key, for use with the other examples.
#[derive(Parser)]
struct Arguments {
    /// The key that signs; with --jwks, the keys of the set (may be repeated).
    #[arg(long, value_enum, default_value = "a")]
    key: Vec<Key>,
    /// Print the key set of these keys instead.
    #[arg(long)]
    jwks: bool,
    /// Make an ID token for the audience instead of an access token.
    #[arg(long)]
    id_token: bool,
    /// `iss`.
    #[arg(long, default_value = ISSUER)]
    issuer: String,
    /// `aud`.
    #[arg(long, default_value = "https://example.com/health-api")]
    audience: String,
    /// `sub`.
    #[arg(long, default_value = "auth0|123456")]
    subject: String,
    /// `scope`.
    #[arg(long, default_value = "openid profile read:patients")]
    scope: String,
    /// Seconds until the token expires; negative if it has expired.
    #[arg(long, default_value_t = 3_600, allow_negative_numbers = true)]
    expires_in: i64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Key {
    A,
    B,
}

impl Key {
    fn load(self) -> SigningKey {
        match self {
            Self::A => SigningKey::a(),
            Self::B => SigningKey::b(),
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let keys: Vec<SigningKey> = arguments.key.iter().map(|key| key.load()).collect();
    if arguments.jwks {
        println!("{}", jwks(&keys));
        return Ok(());
    }
    let now = NumericDate::now().as_secs();
    let expiry = now.saturating_add_signed(arguments.expires_in);
    let key = keys.first().ok_or("no key")?;
    // Long before the expiry, and never in the future.
    let issued_at = expiry.saturating_sub(7_200).min(now);
    println!("{}", key.sign(&claims(&arguments, issued_at, expiry)));
    Ok(())
}

fn claims(arguments: &Arguments, issued_at: u64, expiry: u64) -> Value {
    let Arguments { issuer, audience, subject, scope, .. } = arguments;
    if arguments.id_token {
        return json!({
            "iss": issuer, "sub": subject, "aud": audience, "iat": issued_at, "exp": expiry,
            "nonce": "n-0S6_WzA2Mj", "name": "Jane Doe",
        });
    }
    json!({
        "iss": issuer, "sub": subject, "aud": [audience, format!("{issuer}userinfo")],
        "iat": issued_at, "exp": expiry, "azp": "my_client_id", "scope": scope,
    })
}
