//! The rules, implemented from the rule book as briefly as possible, with serde_json.

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::Algorithm;
use ring::digest::{SHA256, SHA384, SHA512, digest};

use crate::checksum::IssuerKey;
use crate::json::{EVENT, Json, Members};
use crate::key;
use crate::support::{API, CLIENT_ID, ISSUER, NOW};

/// The access token of the requests with a proof, and of the logins.
pub const ACCESS_TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
/// The thumbprint of the key that some requests prove.
pub const JKT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

const LEEWAY: f64 = 60.0;

/// The segments of a token whose form is acceptable.
struct Decoded {
    header: Members,
    payload: Members,
    signing_input: String,
    signature: Vec<u8>,
}

/// F1, F3, F5, F6, K2, K4, K15.
fn decode(token: &str) -> Option<Decoded> {
    let segments: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = segments[..] else { return None };
    let decode = |segment: &str| {
        Base64UrlUnpadded::decode_vec(segment).ok().filter(|octets| !octets.is_empty())
    };
    let signing_input = format!("{header}.{payload}");
    let signature = decode(signature)?;
    let (header, payload) = (Members::parse(&decode(header)?)?, Members::parse(&decode(payload)?)?);
    let is_text = |name| header.get(name).is_none_or(|value| value.string().is_some());
    let is_short = |name| header.string(name).is_none_or(|value| value.len() <= 256);
    let is_extended = header.has_any(&["crit", "b64", "zip"]);
    (is_text("typ") && is_text("kid") && is_short("typ") && is_short("kid") && !is_extended)
        .then_some(Decoded { header, payload, signing_input, signature })
}

fn typ_is(header: &Members, media_type: &str) -> bool {
    header.string("typ").is_some_and(|typ| {
        let typ = typ.to_ascii_lowercase();
        typ.strip_prefix("application/").unwrap_or(&typ) == media_type
    })
}

/// A token, read once for all kinds.
pub struct Reading<'k> {
    decoded: Option<Decoded>,
    /// The key of the issuer, if the rules that its kinds share are met.
    key: Option<&'k IssuerKey>,
}

impl<'k> Reading<'k> {
    pub fn new(token: &str, keys: &'k [IssuerKey]) -> Self {
        let decoded = decode(token);
        let key = decoded.as_ref().and_then(|decoded| issuer_key(decoded, keys));
        Self { decoded, key }
    }

    fn issued(&self) -> Option<(&Decoded, &'k IssuerKey)> {
        self.decoded.as_ref().zip(self.key)
    }
}

/// The rules for the kinds that an issuer signs: K1, K5, K6, C1, C3 to C5, F7.
fn issuer_key<'k>(decoded: &Decoded, keys: &'k [IssuerKey]) -> Option<&'k IssuerKey> {
    let key = key::select(keys, &decoded.header)?;
    let payload = &decoded.payload;
    let is_signed = decoded.signature == key.signer.sign(decoded.signing_input.as_bytes());
    let now = NOW.as_secs() as f64;
    let time = |name: &str| payload.get(name).and_then(Json::date);
    let is_current = time("exp").is_some_and(|exp| now < exp.floor() + LEEWAY)
        && time("nbf").is_none_or(|nbf| nbf.ceil() <= now + LEEWAY)
        && time("iat").is_none_or(|iat| iat.ceil() <= now + LEEWAY);
    let is_named = payload.string("iss") == Some(ISSUER);
    (is_signed && is_current && is_named && has_types(payload)).then_some(key)
}

/// F7: the claims that all kinds may have are of their types.
fn has_types(payload: &Members) -> bool {
    let all = |names: &[&str], is_typed: fn(&Json) -> bool| {
        names.iter().all(|name| payload.get(name).is_none_or(is_typed))
    };
    let is_string = |value: &Json| value.string().is_some();
    all(
        &[
            "iss",
            "sub",
            "jti",
            "azp",
            "client_id",
            "nonce",
            "acr",
            "at_hash",
            "c_hash",
            "s_hash",
            "token_use",
            "typ",
            "org_id",
            "org_name",
        ],
        is_string,
    ) && all(&["exp", "nbf", "iat", "auth_time"], |value| value.date().is_some())
        && all(&["amr", "permissions"], is_plain_array)
        && all(&["gty"], |value| is_plain(value) || is_plain_array(value))
        && all(&["scope", "scp"], |value| scope(value).is_some())
        && !(payload.has_any(&["scope"]) && payload.has_any(&["scp"]))
        && all(&["aud"], is_audience)
        && all(&["cnf"], |value| {
            value.object().is_some_and(|cnf| {
                ["x5t#S256", "jkt"]
                    .iter()
                    .all(|name| cnf.get(name).is_none_or(|value| value.string().is_some()))
            })
        })
        && all(&["events"], |value| value.object().is_some())
}

fn is_audience(value: &Json) -> bool {
    match value {
        Json::Array(audiences) => {
            audiences.len() <= 16 && audiences.iter().all(|a| a.string().is_some())
        }
        value => value.string().is_some(),
    }
}

/// A string without quotes, backslashes and control characters.
fn is_plain(value: &Json) -> bool {
    value.string().is_some_and(|text| !text.contains(|c| matches!(c, '"' | '\\' | '\0'..='\x1f')))
}

fn is_plain_array(value: &Json) -> bool {
    value.array().is_some_and(|elements| elements.iter().all(is_plain))
}

/// A5: scope tokens with single spaces between them, or in an array.
fn scope(value: &Json) -> Option<Vec<&str>> {
    let tokens: Vec<&str> = match value {
        Json::String(text) if text.is_empty() => vec![],
        Json::String(text) => text.split(' ').collect(),
        value => value.array()?.iter().map(Json::string).collect::<Option<_>>()?,
    };
    let is_token = |token: &&str| {
        let is_allowed = |c| matches!(c, '\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e');
        !token.is_empty() && token.chars().all(is_allowed)
    };
    tokens.iter().all(is_token).then_some(tokens)
}

fn audiences(payload: &Members) -> Vec<&str> {
    match payload.get("aud") {
        Some(Json::Array(audiences)) => audiences.iter().filter_map(Json::string).collect(),
        Some(value) => value.string().into_iter().collect(),
        None => vec![],
    }
}

fn has_subject(payload: &Members) -> bool {
    payload.string("sub").is_some_and(|subject| !subject.is_empty())
}

fn is_absent_or(payload: &Members, name: &str, values: &[&str]) -> bool {
    payload.get(name).is_none_or(|value| value.string().is_some_and(|v| values.contains(&v)))
}

/// Access tokens: C2, A1, A2, A3, A5 and A9. The request proves `JKT`, or no key.
pub fn opens_the_api(reading: &Reading<'_>, proves_key: bool) -> bool {
    let Some((Decoded { header, payload, .. }, _)) = reading.issued() else { return false };
    let granted = payload.get("scope").or(payload.get("scp")).and_then(scope).unwrap_or_default();
    let is_bound_as_proved = match payload.get("cnf").and_then(Json::object) {
        None => !proves_key,
        Some(cnf) => proves_key && !cnf.has_any(&["x5t#S256"]) && cnf.string("jkt") == Some(JKT),
    };
    has_subject(payload)
        && audiences(payload).contains(&API)
        && granted.contains(&"read:patients")
        && (!header.has_any(&["typ"]) || typ_is(header, "jwt") || typ_is(header, "at+jwt"))
        && !payload.has_any(&["nonce", "at_hash", "c_hash", "s_hash", "events"])
        && is_absent_or(payload, "token_use", &["access"])
        && is_absent_or(payload, "typ", &["Bearer", "DPoP"])
        && is_bound_as_proved
}

/// I1 and I2, also for logout tokens.
fn is_for_the_client(payload: &Members) -> bool {
    let audiences = audiences(payload);
    !audiences.is_empty() && audiences.iter().all(|audience| *audience == CLIENT_ID)
}

/// ID tokens: C2, I1 to I6, I9 to I11, I15. The access token came with the ID token.
pub fn logs_in(reading: &Reading<'_>) -> bool {
    let Some((Decoded { header, payload, .. }, key)) = reading.issued() else { return false };
    let azp = payload.string("azp");
    let at_hash = payload.string("at_hash");
    has_subject(payload)
        && has_types_of_the_user(payload)
        && is_for_the_client(payload)
        && azp.map_or(audiences(payload).len() == 1, |azp| azp == CLIENT_ID)
        && payload.has_any(&["iat"])
        && payload.string("nonce") == Some("n")
        && at_hash.is_none_or(|hash| hash == half_hash(key.signer.algorithm, ACCESS_TOKEN))
        && (!header.has_any(&["typ"]) || typ_is(header, "jwt"))
        && !payload.has_any(&["scope", "scp", "permissions", "gty", "events"])
        && is_absent_or(payload, "token_use", &["id"])
        && is_absent_or(payload, "typ", &["ID"])
}

/// I9: the left half of the hash that the algorithm uses.
pub fn half_hash(algorithm: Algorithm, text: &str) -> String {
    let function = match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 | Algorithm::Es256 => &SHA256,
        Algorithm::Rs384 | Algorithm::Ps384 | Algorithm::Es384 => &SHA384,
        _ => &SHA512,
    };
    let hash = digest(function, text.as_bytes());
    Base64UrlUnpadded::encode_string(&hash.as_ref()[..hash.as_ref().len() / 2])
}

/// I15. The mutations make no `address` and no timestamp.
fn has_types_of_the_user(payload: &Members) -> bool {
    let is_string = |name: &&str| payload.get(name).is_none_or(|value| value.string().is_some());
    let is_boolean =
        |name: &&str| payload.get(name).is_none_or(|value| matches!(value, Json::Boolean));
    [
        "name",
        "given_name",
        "family_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "email",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "phone_number",
        "sid",
    ]
    .iter()
    .all(is_string)
        && ["email_verified", "phone_number_verified"].iter().all(is_boolean)
        && payload.get("updated_at").is_none_or(|value| value.date().is_some())
        && payload.get("address").is_none_or(|value| value.object().is_some())
}

/// Logout tokens: L1 to L5.
pub fn logs_out(reading: &Reading<'_>) -> bool {
    let Some((Decoded { header, payload, .. }, _)) = reading.issued() else { return false };
    let event = payload.get("events").and_then(Json::object).and_then(|events| events.get(EVENT));
    let is_named = |name| payload.string(name).is_none_or(|value| !value.is_empty());
    payload.get("sid").is_none_or(|sid| sid.string().is_some())
        && is_for_the_client(payload)
        && ["logout+jwt", "jwt"].iter().any(|typ| !header.has_any(&["typ"]) || typ_is(header, typ))
        && event.is_some_and(|event| event.object().is_some())
        && payload.has_any(&["sub", "sid"])
        && is_named("sub")
        && is_named("sid")
        && payload.has_any(&["iat"])
        && payload.string("jti").is_some_and(|jti| !jti.is_empty())
        && !payload.has_any(&["nonce"])
        && !payload.has_any(&["scope", "scp", "permissions", "gty"])
        && !payload.has_any(&["at_hash", "c_hash", "s_hash", "token_use"])
        && is_absent_or(payload, "typ", &["Logout"])
}

/// DPoP proofs: P1 to P7, P9, P10, the length in P8, and F7. Returns the thumbprint of the key.
pub fn proves(reading: &Reading<'_>) -> Option<String> {
    let Decoded { header, payload, signing_input, signature } = reading.decoded.as_ref()?;
    let now = NOW.as_secs() as f64;
    let text = |name| payload.string(name);
    let (signer, thumbprint) = typ_is(header, "dpop+jwt").then(|| key::of_proof(header))??;
    let iat = payload.get("iat")?.date()?;
    let ath = digest(&SHA256, ACCESS_TOKEN.as_bytes());
    let is_absent_or =
        |name, is_right: &dyn Fn(&Json) -> bool| payload.get(name).is_none_or(is_right);
    (*signature == signer.sign(signing_input.as_bytes())
        && is_absent_or("iss", &|iss| iss.string().is_some())
        && is_absent_or("sub", &|sub| sub.string().is_some())
        && is_absent_or("aud", &is_audience)
        && is_absent_or("exp", &|exp| exp.date().is_some_and(|exp| now < exp.floor() + LEEWAY))
        && is_absent_or("nbf", &|nbf| nbf.date().is_some_and(|nbf| nbf.ceil() <= now + LEEWAY))
        && iat.ceil() <= now + LEEWAY
        && now <= iat.floor() + 60.0 + LEEWAY
        && text("htm")? == "POST"
        && is_the_url(text("htu")?)
        && text("ath")? == Base64UrlUnpadded::encode_string(ath.as_ref())
        && text("nonce")? == "n"
        && (1..=256).contains(&text("jti")?.len()))
    .then_some(thumbprint)
}

/// The URL of the requests, whose path is `/patients/~jane`.
pub const URL: &str = "https://api.example.com/patients/%7Ejane?page=2";

/// P6.
fn is_the_url(htu: &str) -> bool {
    // Query and fragment are not compared.
    let (rest, ignored) = htu.split_at(htu.find(['?', '#']).unwrap_or(htu.len()));
    let Some((scheme, rest)) = rest.split_at_checked("https://".len()) else { return false };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.strip_suffix(":443").or(authority.strip_suffix(':')).unwrap_or(authority);
    let host = normalise(host).map(|host| host.to_ascii_lowercase());
    ignored.chars().all(|c| c.is_ascii_graphic())
        && scheme.eq_ignore_ascii_case("https://")
        && host.as_deref() == Some("api.example.com")
        && normalise(path).as_deref() == Some("/patients/~jane")
}

/// Replaces the escapes of unreserved characters; `None` for one that is malformed.
fn normalise(text: &str) -> Option<String> {
    let mut pieces = text.split('%');
    let mut normal = pieces.next()?.to_owned();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        let is_hexadecimal = digits.chars().all(|digit| digit.is_ascii_hexdigit());
        let octet = char::from(u8::from_str_radix(digits, 16).ok().filter(|_| is_hexadecimal)?);
        if octet.is_ascii_alphanumeric() || "-._~".contains(octet) {
            normal.push(octet);
        } else {
            normal += &format!("%{}", digits.to_ascii_uppercase());
        }
        normal += rest;
    }
    Some(normal)
}
