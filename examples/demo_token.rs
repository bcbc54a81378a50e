//! Signs a token with a test key, to try the other examples with. No issuer that
//! anybody should trust does this.

mod demo_issuer;

use claimgate::NumericDate;
use clap::{Parser, ValueEnum};
use serde_json::{Value, json};

use crate::demo_issuer::{ISSUER, SigningKey, jwks};

/// Prints a token, signed with a test key, for trying the other examples.
#[derive(Parser)]
struct Arguments {
    /// The key that signs; given several times, with --jwks, the keys of the set.
    #[arg(long, value_enum, default_value = "a")]
    key: Vec<Key>,
    /// Print the key set of these keys instead.
    #[arg(long)]
    jwks: bool,
    /// Make an ID token for the audience, not an access token.
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
    /// Seconds until the token expires; less than 0, how long ago it has.
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
    // Long before it expires, whether or not it has, and never in the future.
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
