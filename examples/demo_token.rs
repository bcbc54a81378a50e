//! Signs a token with a test key, for use with the other examples. A real issuer must not be
//! operated like this.

mod demo_issuer;

use claimgate::{Algorithm, NumericDate};
use clap::{Parser, ValueEnum};
use serde_json::{Value, json};

use crate::demo_issuer::{ISSUER, SigningKey, access_token_hash, jwks, sha256_text};

/// Prints a token, signed with a test key, for use with the other examples.
#[derive(Parser)]
struct Arguments {
    /// The kind of the token.
    #[arg(long, value_enum, default_value = "access")]
    kind: Kind,
    /// The algorithm of the key.
    #[arg(long, default_value = "RS256", value_parser = algorithm)]
    algorithm: Algorithm,
    /// The key that signs; given several times, with --jwks, the keys of the set.
    #[arg(long, value_enum, default_value = "a")]
    key: Vec<Key>,
    /// Print the key set of these keys instead.
    #[arg(long)]
    jwks: bool,
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
    /// `sid` of a logout token.
    #[arg(long, default_value = "08a5019c-17e1-4977-8f42-65a12843ea02")]
    session: String,
    /// `htm` of a DPoP proof.
    #[arg(long, default_value = "GET")]
    method: String,
    /// `htu` of a DPoP proof.
    #[arg(long, default_value = "https://example.com/health-api/patients")]
    url: String,
    /// The access token beside an ID token (`at_hash`, with a hash of SHA-256) or a DPoP proof
    /// (`ath`).
    #[arg(long)]
    access_token: Option<String>,
    /// Bind an access token to the key of the DPoP proofs of this algorithm and key b.
    #[arg(long, value_name = "ALGORITHM", value_parser = algorithm)]
    bound_to: Option<Algorithm>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Access,
    Id,
    Logout,
    Dpop,
}

#[derive(Clone, Copy, ValueEnum)]
enum Key {
    A,
    B,
}

impl Key {
    fn load(self, algorithm: Algorithm) -> SigningKey {
        match self {
            Self::A => SigningKey::a_for(algorithm),
            Self::B => SigningKey::b_for(algorithm),
        }
    }
}

fn algorithm(name: &str) -> Result<Algorithm, String> {
    let names = || Algorithm::ALL.map(Algorithm::name).join(", ");
    let found = Algorithm::ALL.into_iter().find(|algorithm| algorithm.name() == name);
    found.ok_or_else(|| format!("one of {}", names()))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let load = |key: &Key| key.load(arguments.algorithm);
    let keys: Vec<SigningKey> = arguments.key.iter().map(load).collect();
    if arguments.jwks {
        println!("{}", jwks(&keys));
        return Ok(());
    }
    let now = NumericDate::now().as_secs();
    let expiry = now.saturating_add_signed(arguments.expires_in);
    let key = keys.first().ok_or("no key")?;
    // Long before the expiry, and never in the future.
    let issued_at = expiry.saturating_sub(7_200).min(now);
    let claims = claims(&arguments, issued_at, expiry);
    println!(
        "{}",
        match arguments.kind {
            Kind::Access | Kind::Id | Kind::Logout => key.sign(&claims),
            Kind::Dpop => key.sign_with_header(
                &json!({
                    "alg": arguments.algorithm.name(), "typ": "dpop+jwt", "jwk": key.public_jwk(),
                }),
                &claims,
            ),
        }
    );
    Ok(())
}

fn claims(arguments: &Arguments, issued_at: u64, expiry: u64) -> Value {
    let Arguments { issuer, audience, subject, scope, .. } = arguments;
    match arguments.kind {
        Kind::Id => {
            let mut claims = json!({
                "iss": issuer, "sub": subject, "aud": audience, "iat": issued_at, "exp": expiry,
                "nonce": "n-0S6_WzA2Mj", "name": "Jane Doe",
            });
            if let Some(token) = &arguments.access_token {
                claims["at_hash"] = access_token_hash(token).into();
            }
            claims
        }
        Kind::Logout => json!({
            "iss": issuer, "sub": subject, "aud": audience, "iat": issued_at, "exp": expiry,
            "jti": token_id(), "sid": arguments.session,
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        }),
        Kind::Dpop => {
            let mut claims = json!({
                "jti": token_id(), "htm": arguments.method, "htu": arguments.url,
                "iat": NumericDate::now().as_secs(),
            });
            if let Some(token) = &arguments.access_token {
                claims["ath"] = sha256_text(token).into();
            }
            claims
        }
        Kind::Access => {
            let mut claims = json!({
                "iss": issuer, "sub": subject, "aud": [audience, format!("{issuer}userinfo")],
                "iat": issued_at, "exp": expiry, "azp": "my_client_id", "scope": scope,
            });
            if let Some(algorithm) = arguments.bound_to {
                let key = SigningKey::b_for(algorithm);
                claims["cnf"] = json!({ "jkt": sha256_text(&thumbprint_input(&key)) });
            }
            claims
        }
    }
}

/// The text whose hash is the thumbprint of a key: its required members, sorted by name
/// ([RFC 7638 §3](https://www.rfc-editor.org/rfc/rfc7638#section-3)).
fn thumbprint_input(key: &SigningKey) -> String {
    // serde_json sorts the members.
    key.public_jwk().to_string()
}

/// A `jti` that differs from those of other tokens.
fn token_id() -> String {
    use ring::rand::{SecureRandom, SystemRandom};

    let mut octets = [0; 16];
    SystemRandom::new().fill(&mut octets).expect("the system has randomness");
    octets.map(|octet| format!("{octet:02x}")).concat()
}
