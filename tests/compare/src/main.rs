//! The verdicts of claimgate, jsonwebtoken and jwt-simple on the same tokens: all with a valid
//! RS256 signature, and each with one defect.
//!
//! `cargo run --manifest-path tests/compare/Cargo.toml` prints the table of COMPARE.md. Every
//! crate is configured with the issuer and the audience; jsonwebtoken a second time with all
//! applicable settings of its `Validation`.

use std::collections::HashSet;

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, Issuer, JwkSet, NumericDate, RingKey, TokenBuffer,
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use jwt_simple::prelude::{NoCustomClaims, RS256PublicKey, RSAPublicKeyLike, VerificationOptions};
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::RSA_PKCS1_SHA256;
use serde_json::{Value, json};

const ISSUER: &str = "https://my-domain.auth0.com/";
const API: &str = "https://example.com/health-api";

struct Signer(KeyPair);

impl Signer {
    fn sign(&self, header: &str, payload: &str) -> String {
        let encode = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
        let input = format!("{}.{}", encode(header), encode(payload));
        let mut signature = vec![0; self.0.public().modulus_len()];
        self.0
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input.as_bytes(), &mut signature)
            .expect("the room is right");
        format!("{input}.{}", Base64UrlUnpadded::encode_string(&signature))
    }

    fn components(&self) -> PublicKeyComponents<Vec<u8>> {
        PublicKeyComponents::from(self.0.public())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let signer = Signer(
        KeyPair::from_pkcs8(include_bytes!("../../data/keys/a.pk8"))
            .map_err(|error| error.to_string())?,
    );
    let now = NumericDate::now().as_secs();
    let columns: [(&str, Box<dyn Fn(&str) -> bool>); 4] = [
        ("claimgate", Box::new(claimgate(&signer, now)?)),
        ("jsonwebtoken", Box::new(jsonwebtoken(&signer, Strictness::IssuerAndAudience))),
        ("jsonwebtoken, all settings", Box::new(jsonwebtoken(&signer, Strictness::All))),
        ("jwt-simple", Box::new(jwt_simple(&signer)?)),
    ];
    print!("| well-signed token |");
    columns.iter().for_each(|(name, _)| print!(" {name} |"));
    print!("\n| --- |");
    columns.iter().for_each(|_| print!(" --- |"));
    println!();
    for (what, token) in tokens(&signer, now) {
        print!("| {what} |");
        for (_, accepts) in &columns {
            print!(" {} |", if accepts(&token) { "accepts" } else { "rejects" });
        }
        println!();
    }
    Ok(())
}

/// Tokens, each with a description of its defect.
fn tokens(signer: &Signer, now: u64) -> Vec<(&'static str, String)> {
    const HEADER: &str = r#"{"alg":"RS256","typ":"JWT"}"#;
    let claims = json!({
        "iss": ISSUER, "sub": "auth0|123456", "aud": API, "iat": now, "exp": now + 3_600,
    });
    let set = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        signer.sign(HEADER, &claims.to_string())
    };
    let without = |names: &[&str]| {
        let mut claims = claims.clone();
        for name in names {
            claims.as_object_mut().expect("an object").remove(*name);
        }
        signer.sign(HEADER, &claims.to_string())
    };
    let raw = |extra: &str| {
        let text = claims.to_string();
        signer.sign(HEADER, &format!("{},{extra}}}", &text[..text.len() - 1]))
    };
    let with_header = |header: &str| signer.sign(header, &claims.to_string());
    let good = signer.sign(HEADER, &claims.to_string());
    // The last character of 256 bytes has four significant bits: one of the other two is set.
    let unused_bits = {
        const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let last = ALPHABET.find(&good[good.len() - 1..]).expect("base64url");
        format!("{}{}", &good[..good.len() - 1], &ALPHABET[last + 1..last + 2])
    };
    vec![
        ("nothing is wrong with it", good),
        ("`aud: {}`", set("aud", json!({}))),
        ("`aud: [1]`", set("aud", json!([1]))),
        ("`iss: 42`", set("iss", json!(42))),
        ("no `aud` and no `iss`", without(&["aud", "iss"])),
        ("`nbf` in an hour", set("nbf", json!(now + 3_600))),
        (
            "a member twice: `\"scope\":\"read\",\"scope\":\"admin\"`",
            raw(r#""scope":"read","scope":"admin""#),
        ),
        ("no `sub`", without(&["sub"])),
        ("no `exp`", without(&["exp"])),
        ("`exp` expired 5 minutes ago", set("exp", json!(now - 300))),
        ("`iat` in an hour", set("iat", json!(now + 3_600))),
        ("`nonce`, as in an ID token", set("nonce", json!("n-0S6_WzA2Mj"))),
        (
            "`cnf`, bound to a key",
            set("cnf", json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" })),
        ),
        ("header `typ: logout+jwt`", with_header(r#"{"alg":"RS256","typ":"logout+jwt"}"#)),
        ("header `crit: [\"x\"]`", with_header(r#"{"alg":"RS256","crit":["x"],"x":1}"#)),
        ("base64url with unused bits set", unused_bits),
    ]
}

fn claimgate(
    signer: &Signer,
    now: u64,
) -> Result<impl Fn(&str) -> bool + use<>, Box<dyn std::error::Error>> {
    let PublicKeyComponents { n, e } = signer.components();
    let encode = Base64UrlUnpadded::encode_string;
    let jwks = json!({ "keys": [{ "kty": "RSA", "n": encode(&n), "e": encode(&e) }] });
    let keys = JwkSet::<RingKey, 1>::from_json(&jwks.to_string())?;
    let issuer = Issuer::new(ISSUER, keys)?;
    let policy = AccessTokenPolicy::general(API).build()?;
    let now = NumericDate::from_secs(now);
    Ok(move |token: &str| {
        let mut buffer = TokenBuffer::<4_096>::new();
        let token = BearerToken::new(token);
        AccessToken::validate(token, (&issuer, &policy), now, &mut buffer).is_ok()
    })
}

enum Strictness {
    IssuerAndAudience,
    All,
}

fn jsonwebtoken(signer: &Signer, strictness: Strictness) -> impl Fn(&str) -> bool + use<> {
    let PublicKeyComponents { n, e } = signer.components();
    let key = DecodingKey::from_rsa_raw_components(&n, &e);
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[API]);
    if let Strictness::All = strictness {
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
    }
    move |token: &str| jsonwebtoken::decode::<Value>(token, &key, &validation).is_ok()
}

fn jwt_simple(
    signer: &Signer,
) -> Result<impl Fn(&str) -> bool + use<>, Box<dyn std::error::Error>> {
    let PublicKeyComponents { n, e } = signer.components();
    let key = RS256PublicKey::from_components(&n, &e)?;
    let options = VerificationOptions {
        allowed_issuers: Some(HashSet::from([ISSUER.to_owned()])),
        allowed_audiences: Some(HashSet::from([API.to_owned()])),
        ..VerificationOptions::default()
    };
    Ok(move |token: &str| key.verify_token::<NoCustomClaims>(token, Some(options.clone())).is_ok())
}
