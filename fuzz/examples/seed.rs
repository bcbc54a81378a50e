//! Writes the seed corpus: the test vectors and the demonstration tokens, in the format of
//! each target.
//!
//! `cargo run --manifest-path fuzz/Cargo.toml --example seed`, in any directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::PublicKey;
use claimgate::replay::TokenId;
use claimgate_fuzz::{API, CLIENT_ID, HEADER, ISSUER, NOW, StandIn, jwk, sign};
use serde_json::{Value, json};

/// The corpus of one target.
struct Corpus {
    folder: PathBuf,
    count: usize,
}

impl Corpus {
    fn of(target: &str) -> io::Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        fs::create_dir_all(&folder)?;
        Ok(Self { folder, count: 0 })
    }

    fn add(&mut self, seed: impl AsRef<[u8]>) -> io::Result<()> {
        fs::write(self.folder.join(format!("seed-{:03}", self.count)), seed)?;
        self.count += 1;
        Ok(())
    }
}

/// Returns the files with this extension in a folder of the repository.
fn files(folder: &str, ending: &str) -> io::Result<Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    paths.retain(|path| path.extension().is_some_and(|found| found == ending));
    paths.sort();
    paths.iter().map(fs::read_to_string).collect()
}

fn payloads() -> Vec<Value> {
    let common = json!({
        "iss": ISSUER, "sub": "auth0|123456", "exp": NOW.as_secs() + 500,
        "iat": NOW.as_secs() - 500,
    });
    let with = |more: Value| {
        let mut claims = common.clone();
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        claims
    };
    vec![
        with(json!({
            "aud": CLIENT_ID, "nonce": "n-0S6_WzA2Mj", "name": "Jane Doe", "given_name": "Jane",
            "family_name": "Doe", "gender": "female", "birthdate": "0000-10-31",
            "email": "janedoe@example.com", "email_verified": true, "updated_at": 1_311_280_970,
            "picture": "http://example.com/janedoe/me.jpg", "locale": "en",
            "address": {"street_address": "1234 Hollywood Blvd.", "country": "US"},
        })),
        with(json!({
            "aud": [CLIENT_ID], "azp": CLIENT_ID, "auth_time": 1_311_280_969, "acr": "mfa",
            "amr": ["pwd", "otp"], "at_hash": "77QmUPtjPfzWtF2AnpK9RQ", "org_id": "org_1",
            "c_hash": "LDktKdoQak3Pk0cnXxCltA", "updated_at": "2017-03-30T15:13:40.474Z",
            "https://example.com/roles": ["admin"], "org_name": "example",
        })),
        with(json!({
            "aud": [API, "https://my-domain.auth0.com/userinfo"], "azp": CLIENT_ID,
            "scope": "openid profile read:patients read:admin",
        })),
        with(json!({
            "aud": API, "gty": "client-credentials", "sub": "abc@clients",
            "permissions": ["read:patients", "write:patients"],
        })),
        with(json!({
            "aud": API, "client_id": "s6BhdRkqt3", "jti": "dbe39bf3a3ba4238a513f51d6e1691c4",
            "scp": ["read", "write"], "token_use": "access", "typ": "Bearer",
            "cnf": {"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"},
        })),
        with(json!({"aud": API, "nbf": 1.3e9, "x": [[[[{"y": [1, 2.5e-3, null]}]]]]})),
        with(json!({"aud": API, "name": "J\u{f6}rg \"\\\n\u{0}\u{1f600}"})),
    ]
}

fn logout_payloads() -> Vec<Value> {
    let common = json!({
        "iss": ISSUER, "sub": "auth0|123456", "sid": "s", "aud": CLIENT_ID,
        "iat": NOW.as_secs() - 10, "exp": NOW.as_secs() + 110, "jti": "bWJq",
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    });
    let with = |name: &str, value: Value| {
        let mut claims = common.clone();
        claims[name] = value;
        claims
    };
    let without = |name: &str| {
        let mut claims = common.clone();
        claims.as_object_mut().unwrap().remove(name);
        claims
    };
    vec![
        common.clone(),
        without("exp"),
        without("sub"),
        without("sid"),
        without("events"),
        with("typ", json!("Logout")),
        with("nonce", json!("n-0S6_WzA2Mj")),
        with("aud", json!([CLIENT_ID])),
        with("jti", json!("j".repeat(TokenId::MAX_JTI_LEN + 1))),
        with("events", json!({"http://schemas.openid.net/event/backchannel-logout": []})),
    ]
}

fn proof_payloads() -> Vec<Value> {
    let hash = Base64UrlUnpadded::encode_string(&StandIn::sha256(&[b"an-access-token"]));
    let common = json!({
        "jti": "-BwC3ESc6acc2lTc", "htm": "GET", "htu": "https://server.example.com/x",
        "iat": NOW.as_secs() - 5, "ath": hash, "nonce": "eyJ7S_zG.eyJH0-Z.HX4w-7v",
    });
    let with = |name: &str, value: Value| {
        let mut claims = common.clone();
        claims[name] = value;
        claims
    };
    vec![
        common.clone(),
        json!({"jti": "1", "htm": "GET", "htu": "HTTPS://Server.Example.com:443/%78?a=b#c",
            "iat": NOW.as_secs()}),
        with("htm", json!("POST")),
        with("htu", json!("https://server.example.com:8443/x")),
        with("iat", json!(NOW.as_secs() as f64 - 40.5)),
        with("iat", json!(NOW.as_secs() + 11)),
        with("ath", json!("AA")),
        with("jti", json!("j".repeat(TokenId::MAX_JTI_LEN))),
        with("jti", json!("j".repeat(TokenId::MAX_JTI_LEN + 1))),
        with("nonce", json!("")),
    ]
}

fn main() -> io::Result<()> {
    let demo = files("examples/validate/demo", "jwt")?;
    let vectors: Vec<String> = files("tests/data", "json")?;
    let payloads: Vec<String> = payloads().iter().map(Value::to_string).collect();
    // In the form of issuers in PHP.
    let slashed: Vec<String> = payloads.iter().map(|text| text.replace('/', "\\/")).collect();
    let texts = || payloads.iter().chain(&slashed);

    let mut compact = Corpus::of("compact_jws")?;
    for token in &demo {
        compact.add(token.trim_ascii())?;
    }
    for header in [
        r#"{"alg":"RS256"}"#,
        r#"{"alg":"RS256","typ":"application\/at+jwt","kid":"\u0061"}"#,
        r#"{"alg":"none"}"#,
        r#"{"alg":"ES256","kid":"1"}"#,
        r#"{"alg":"Ed25519"}"#,
        r#"{"alg":"RS256","crit":["b64"],"b64":false,"zip":"DEF"}"#,
        r#"{"alg":"RS256","kid":1,"typ":[],"jwk":{"kty":"oct"}}"#,
    ] {
        compact.add(sign(0, header.as_bytes(), b"{}"))?;
    }
    for text in ["a.b.c.d.e", "..", "a.b", "a", "e30.e30.e30", "....."] {
        compact.add(text)?;
    }

    let mut base64url = Corpus::of("base64url")?;
    for text in ["Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy", "Zh", "Zg==", "-_", "+/"] {
        base64url.add(text)?;
    }
    base64url
        .add(demo.iter().flat_map(|token| token.trim_ascii().split('.')).collect::<String>())?;

    let mut jwks = Corpus::of("jwks")?;
    for set in files("examples/validate/demo", "json")? {
        jwks.add(set)?;
    }
    jwks.add(json!({"keys": [jwk(0), jwk(1)]}).to_string())?;
    jwks.add(json!({"keys": [{"kty": "EC"}, {"kty": "oct", "k": "AA"}, jwk(0)]}).to_string())?;
    for (name, value) in [
        ("use", json!("enc")),
        ("alg", json!("PS256")),
        ("key_ops", json!(["sign", "verify"])),
        ("e", json!("Aw")),
        ("n", json!("AQAB")),
        ("kid", json!("k".repeat(257))),
        ("x5c", json!(["MIIC"])),
    ] {
        let mut key = jwk(0);
        key[name] = value;
        jwks.add(json!({"keys": [key]}).to_string())?;
    }

    let mut discovery = Corpus::of("discovery")?;
    let document = json!({
        "issuer": ISSUER, "jwks_uri": format!("{ISSUER}.well-known/jwks.json"),
        "userinfo_endpoint": format!("{ISSUER}userinfo"),
        "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA", "HS256"],
        "response_types_supported": ["code"],
    });
    discovery.add(document.to_string())?;
    discovery.add(document.to_string().replace('/', "\\/"))?;
    for (name, value) in [
        ("issuer", json!("https://issuer.example.com/tenant")),
        ("issuer", json!("http://localhost:8080")),
        ("jwks_uri", json!("http://a.example/jwks")),
        ("jwks_uri", json!("https://user@a.example/jwks#f")),
        ("jwks_uri", json!("https://[::1]:8443/j?a=b")),
        ("jwks_uri", json!(null)),
        ("userinfo_endpoint", json!(["https://a.example"])),
        ("id_token_signing_alg_values_supported", json!([])),
        ("id_token_signing_alg_values_supported", json!(["Ed25519", 1])),
    ] {
        let mut changed = document.clone();
        changed[name] = value;
        discovery.add(changed.to_string())?;
    }

    for target in ["id_token", "access_token", "json_dialect"] {
        let mut corpus = Corpus::of(target)?;
        for text in texts() {
            corpus.add(text)?;
        }
    }
    let mut logout = Corpus::of("logout_token")?;
    for seed in logout_payloads() {
        logout.add(seed.to_string())?;
        logout.add(seed.to_string().replace('/', "\\/"))?;
    }
    let mut proofs = Corpus::of("dpop_proof")?;
    for seed in proof_payloads() {
        proofs.add(seed.to_string())?;
        proofs.add(seed.to_string().replace('/', "\\/"))?;
    }
    let mut rules = Corpus::of("claim_rules")?;
    for claim in [
        r#""admin""#,
        r#""user admin""#,
        r#""\u0061dmin""#,
        "true",
        "-0",
        "7",
        "7.0",
        "99999999999999999999",
        "null",
        r#"["user","admin"]"#,
        r#"["admin",1]"#,
        r#"{"a":{"b":{"roles":["admin"]}}}"#,
        r#"{"a":1,"\u0061":2}"#,
    ] {
        // `arbitrary` reads choices from the start, and the lengths of texts from the end, so
        // the seeds are only approximate.
        rules.add(claim)?;
        rules.add(format!("\0\0\0\0{claim}"))?;
        rules.add(format!("\u{1}\u{1}\u{1}\u{1}{claim}"))?;
    }
    let mut dialect = Corpus::of("json_dialect")?;
    dialect.count = 100;
    for text in [
        r#"{"a":1,"\u0061":2}"#,
        r#"{"a":{"b":1,"b":2}}"#,
        r#"{"a":-0,"b":1e400,"c":0.1e-7,"d":18446744073709551616}"#,
        r#"{"a":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}"#,
        r#"{"a":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}"#,
        " {\t\"a\" :\r\n[ ] , \"b\":{ } } ",
        r#"{"a":"\ud83d\ude00\b\f\n\r\t\"\\\/"}"#,
        "[]",
        "1",
        "{}x",
    ] {
        dialect.add(text)?;
    }
    let many: Vec<String> = (0..65).map(|number| format!("\"{number}\":0")).collect();
    dialect.add(format!("{{{}}}", many[..64].join(",")))?;
    dialect.add(format!("{{{}}}", many.join(",")))?;

    let mut bearer = Corpus::of("bearer")?;
    for value in ["", "Bearer", "Bearer a.b.c", "bearer  a=", "Basic YTpi", "Bearer a b", "DPoP a"]
    {
        bearer.add(value)?;
    }
    bearer.add(format!("Bearer {}", sign(0, HEADER, payloads[2].as_bytes())))?;

    // The vectors of the backends: modulus, exponent, signature and message. The seeds are
    // approximate, because `arbitrary` determines the layout.
    let mut backends = Corpus::of("signature_backends")?;
    for vectors in &vectors {
        let Ok(Value::Array(vectors)) = serde_json::from_str(vectors) else { continue };
        for vector in vectors {
            let octets: String =
                ["n", "signature"].iter().filter_map(|name| vector[*name].as_str()).collect();
            let octets: Vec<u8> = (0..octets.len() / 2)
                .filter_map(|at| u8::from_str_radix(octets.get(2 * at..2 * at + 2)?, 16).ok())
                .collect();
            backends.add(octets)?;
        }
    }
    for kind in 0..=255_u8 {
        let start: [u8; 64] = std::array::from_fn(|at| kind.wrapping_mul(at as u8).rotate_left(3));
        backends.add(start)?;
    }

    // A key of each type, and members that are nearly keys.
    let mut jwk_keys = Corpus::of("jwk_keys")?;
    let p256 = json!({
        "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "1",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    });
    let p384 = json!({
        "kty": "EC", "crv": "P-384", "key_ops": ["verify"],
        "x": "bGrQmDrwm_MUvg-lTE3mSNp9ovmZ7YOUzgW4UgvP6qTDzv1JYiq92Wyj04Uh0_01",
        "y": "n_j1lo5q9taOPrrqoEnnuXJo1hdFI6udEROO1-n-ohI0uuTRdw6DjkI3SZbAmyXb",
    });
    let ed25519 = json!({
        "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    });
    for members in [
        json!([p256, p384, ed25519, jwk(0)]),
        json!([p256, {"kty": "oct", "k": "AA"}, {"kty": "OKP", "crv": "X25519", "x": "AA"}]),
        json!([ed25519]),
        json!([p384, {"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA", "d": "AA"}]),
    ] {
        jwk_keys.add(json!({ "keys": members }).to_string())?;
    }

    // Targets with structured input: claims, challenges and steps are derived from the bytes,
    // so the demonstration tokens are suitable seeds.
    for target in ["validate", "challenge", "cache", "claim_rules", "replay_window"] {
        let mut corpus = Corpus::of(target)?;
        corpus.count = 100;
        for token in &demo {
            corpus.add(Base64UrlUnpadded::decode_vec(token.split('.').nth(1).unwrap()).unwrap())?;
        }
        for text in texts() {
            corpus.add(text)?;
        }
    }
    Ok(())
}
