//! Signs tokens and prints key sets for `tests/run.sh`, with the keys of the workspace's tests.

#[path = "../../tower/tests/support/mod.rs"]
mod support;

use std::hint::black_box;

use base64ct::{Base64UrlUnpadded, Encoding};
use clap::{Parser, ValueEnum};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::{Value, json};
use support::{Signer, jwks, now};

/// Prints tokens of a test issuer.
#[derive(Parser)]
struct Arguments {
    /// The key that signs. With --jwks, may be repeated: the keys of the set.
    #[arg(long, default_value = "a")]
    key: Vec<String>,
    /// Print a key set instead of tokens.
    #[arg(long)]
    jwks: bool,
    #[arg(long, value_enum, default_value = "access")]
    kind: Kind,
    /// The value of `iss`.
    #[arg(long, default_value = "https://my-domain.auth0.com/")]
    issuer: String,
    /// The value of `aud`.
    #[arg(long, default_value = "https://example.com/health-api")]
    audience: String,
    /// The value of `scope`.
    #[arg(long, default_value = "openid profile read:patients")]
    scope: String,
    /// The time until the token expires, in seconds. Negative for an expired token.
    #[arg(long, default_value_t = 3_600, allow_negative_numbers = true)]
    expires_in: i64,
    /// The number of tokens, each with another subject.
    #[arg(long, default_value_t = 1)]
    count: u32,
    /// Verify the signature of a token this many times instead, to measure the CPU time.
    #[arg(long)]
    verify: Option<u32>,
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
    if let Some(count) = arguments.verify {
        return verify(signer, &signer.sign_with(&header, &claims(&arguments, "alice")), count);
    }
    for number in 0..arguments.count {
        let subject = match number {
            0 => "auth0|123456".to_owned(),
            number => format!("auth0|{number}"),
        };
        println!("{}", signer.sign_with(&header, &claims(&arguments, &subject)));
    }
    Ok(())
}

/// Verifies the signature of a token like `claimgate::RingKey`.
fn verify(signer: &Signer, token: &str, count: u32) -> Result<(), Box<dyn std::error::Error>> {
    let jwk = signer.bare_jwk();
    let decode =
        |text: &str| Base64UrlUnpadded::decode_vec(text).map_err(|error| error.to_string());
    let member = |name: &str| decode(jwk[name].as_str().unwrap_or_default());
    let key = RsaPublicKeyComponents { n: member("n")?, e: member("e")? };
    let (input, signature) = token.rsplit_once('.').ok_or("no signature")?;
    let signature = decode(signature)?;
    for _ in 0..count {
        key.verify(&RSA_PKCS1_2048_8192_SHA256, black_box(input).as_bytes(), &signature)
            .map_err(|_| "the signature is invalid")?;
    }
    Ok(())
}

fn claims(arguments: &Arguments, subject: &str) -> Value {
    let Arguments { issuer, audience, scope, .. } = arguments;
    let expiry = now().saturating_add_signed(arguments.expires_in);
    // Before the expiry, also of an expired token, and never in the future.
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
