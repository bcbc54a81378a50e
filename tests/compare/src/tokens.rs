//! Signed tokens, each with a description of its defect.

use base64ct::{Base64UrlUnpadded, Encoding};
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::RSA_PKCS1_SHA256;
use serde_json::{Value, json};

pub const ISSUER: &str = "https://my-domain.auth0.com/";
pub const API: &str = "https://example.com/health-api";
pub const CLIENT: &str = "my_client_id";
pub const NONCE: &str = "n-0S6_WzA2Mj";

/// A description of a token, and the token.
pub type Row = (&'static str, String);

/// The issuer's RSA key.
pub struct Signer(KeyPair);

impl Signer {
    pub fn new() -> Result<Self, Box<dyn std::error::Error>> {
        let key = include_bytes!("../../data/keys/a.pk8");
        Ok(Self(KeyPair::from_pkcs8(key).map_err(|error| error.to_string())?))
    }

    pub fn components(&self) -> PublicKeyComponents<Vec<u8>> {
        PublicKeyComponents::from(self.0.public())
    }

    /// Returns the issuer's key set.
    pub fn key_set(&self) -> String {
        let PublicKeyComponents { n, e } = self.components();
        let encode = Base64UrlUnpadded::encode_string;
        json!({ "keys": [{ "kty": "RSA", "n": encode(&n), "e": encode(&e) }] }).to_string()
    }

    fn sign(&self, header: &str, payload: &str) -> String {
        let encode = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
        let input = format!("{}.{}", encode(header), encode(payload));
        let mut signature = vec![0; self.0.public().modulus_len()];
        self.0
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input.as_bytes(), &mut signature)
            .expect("the signature has the length of the modulus");
        format!("{input}.{}", Base64UrlUnpadded::encode_string(&signature))
    }
}

/// The header and the claims of a valid token, and ways to change them.
struct Template<'a> {
    signer: &'a Signer,
    header: &'static str,
    claims: Value,
}

impl Template<'_> {
    fn unchanged(&self) -> String {
        self.with_header(self.header)
    }

    fn with_header(&self, header: &str) -> String {
        self.signer.sign(header, &self.claims.to_string())
    }

    fn set(&self, changes: Value) -> String {
        let mut claims = self.claims.clone();
        for (name, value) in changes.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        self.signer.sign(self.header, &claims.to_string())
    }

    fn without(&self, names: &[&str]) -> String {
        let mut claims = self.claims.clone();
        for name in names {
            claims.as_object_mut().expect("an object").remove(*name);
        }
        self.signer.sign(self.header, &claims.to_string())
    }

    fn with_text(&self, members: &str) -> String {
        let text = self.claims.to_string();
        self.signer.sign(self.header, &format!("{},{members}}}", &text[..text.len() - 1]))
    }

    /// The last character of 256 bytes has four significant bits: one of the other two is set.
    fn with_unused_bits(&self) -> String {
        const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let token = self.unchanged();
        let last = ALPHABET.find(&token[token.len() - 1..]).expect("base64url");
        format!("{}{}", &token[..token.len() - 1], &ALPHABET[last + 1..last + 2])
    }
}

/// Access tokens in the form of RFC 9068.
pub fn access_tokens(signer: &Signer, now: u64) -> Vec<Row> {
    let token = Template {
        signer,
        header: r#"{"alg":"RS256","typ":"at+jwt"}"#,
        claims: json!({
            "iss": ISSUER, "sub": "auth0|123456", "aud": API, "client_id": CLIENT, "jti": "t-1",
            "iat": now, "exp": now + 3_600,
        }),
    };
    vec![
        ("nothing is wrong with it", token.unchanged()),
        (
            "header `typ: JWT`, as before RFC 9068",
            token.with_header(r#"{"alg":"RS256","typ":"JWT"}"#),
        ),
        ("`aud: {}`", token.set(json!({ "aud": {} }))),
        ("`aud: [1]`", token.set(json!({ "aud": [1] }))),
        ("`iss: 42`", token.set(json!({ "iss": 42 }))),
        ("no `aud` and no `iss`", token.without(&["aud", "iss"])),
        ("`nbf` in an hour", token.set(json!({ "nbf": now + 3_600 }))),
        (
            "a member twice: `\"scope\":\"read\",\"scope\":\"admin\"`",
            token.with_text(r#""scope":"read","scope":"admin""#),
        ),
        ("no `sub`", token.without(&["sub"])),
        ("no `exp`", token.without(&["exp"])),
        ("`exp` 5 minutes ago", token.set(json!({ "exp": now - 300 }))),
        ("`iat` in an hour", token.set(json!({ "iat": now + 3_600 }))),
        ("`nonce`, as in an ID token", token.set(json!({ "nonce": NONCE }))),
        (
            "`cnf`, bound to a key, as a bearer token",
            token.set(json!({ "cnf": { "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } })),
        ),
        ("header `typ: logout+jwt`", token.with_header(r#"{"alg":"RS256","typ":"logout+jwt"}"#)),
        (
            "header `crit: [\"x\"]`",
            token.with_header(r#"{"alg":"RS256","typ":"at+jwt","crit":["x"],"x":1}"#),
        ),
        ("base64url with unused bits set", token.with_unused_bits()),
    ]
}

/// ID tokens of a login with [`NONCE`].
pub fn id_tokens(signer: &Signer, now: u64) -> Vec<Row> {
    let token = Template {
        signer,
        header: r#"{"alg":"RS256","typ":"JWT"}"#,
        claims: json!({
            "iss": ISSUER, "sub": "auth0|123456", "aud": CLIENT, "nonce": NONCE,
            "iat": now, "exp": now + 3_600,
        }),
    };
    vec![
        ("nothing is wrong with it", token.unchanged()),
        ("`aud: {}`", token.set(json!({ "aud": {} }))),
        ("`aud: [1]`", token.set(json!({ "aud": [1] }))),
        ("`aud` of another client", token.set(json!({ "aud": "other" }))),
        (
            "a second, untrusted audience",
            token.set(json!({ "aud": [CLIENT, "other"], "azp": CLIENT })),
        ),
        ("`azp` of another client", token.set(json!({ "azp": "other" }))),
        ("`iss: 42`", token.set(json!({ "iss": 42 }))),
        ("no `nonce`", token.without(&["nonce"])),
        ("another `nonce`", token.set(json!({ "nonce": "other" }))),
        ("`sub` twice", token.with_text(r#""sub":"root""#)),
        (
            "another member twice: `\"org_id\":\"a\",\"org_id\":\"b\"`",
            token.with_text(r#""org_id":"a","org_id":"b""#),
        ),
        ("no `sub`", token.without(&["sub"])),
        ("`sub: \"\"`", token.set(json!({ "sub": "" }))),
        ("no `exp`", token.without(&["exp"])),
        ("`exp` 5 minutes ago", token.set(json!({ "exp": now - 300 }))),
        ("no `iat`", token.without(&["iat"])),
        ("`iat` in an hour", token.set(json!({ "iat": now + 3_600 }))),
        ("`nbf` in an hour", token.set(json!({ "nbf": now + 3_600 }))),
        (
            "`events`, as in a logout token",
            token.set(json!({
                "events": { "http://schemas.openid.net/event/backchannel-logout": {} }
            })),
        ),
        ("header `typ: at+jwt`", token.with_header(r#"{"alg":"RS256","typ":"at+jwt"}"#)),
        (
            "header `crit: [\"x\"]`",
            token.with_header(r#"{"alg":"RS256","typ":"JWT","crit":["x"],"x":1}"#),
        ),
        ("base64url with unused bits set", token.with_unused_bits()),
    ]
}
