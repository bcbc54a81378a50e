//! The whole validation of tokens that are nearly valid: header, claims, policy, clock and
//! signature come from the fuzzer.
#![no_main]

use arbitrary::Arbitrary;
use claimgate::policy::SubjectKind;
use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, Error, IdToken, IdTokenPolicy, Login, Nonce,
    NumericDate, ScopePolicy, TokenBuffer,
};
use claimgate_fuzz::{
    API, API_POLICY, APPLICATION_POLICY, CLIENT_ID, ISSUER, LOGIN, NOW, confirm_access_token,
    confirm_error, confirm_id_token, issuer, sign, timed,
};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    signing: Signing<'a>,
    now: i16,
    header: Vec<Edit<'a>>,
    claims: Vec<Edit<'a>>,
    settings: Settings,
}

#[derive(Arbitrary, Debug)]
enum Signing<'a> {
    Right,
    OtherKey,
    Signature(&'a str),
    Replace { index: u16, by: u8 },
    Append(&'a str),
}

/// A change to an object that is valid without it.
#[derive(Arbitrary, Debug)]
enum Edit<'a> {
    Set(u8, Written<'a>),
    Remove(u8),
    Repeat(u8, Written<'a>),
    Other(&'a str, Written<'a>),
}

/// A value, as JSON text.
#[derive(Arbitrary, Debug)]
enum Written<'a> {
    Time { from_now: i16, fraction: u8 },
    Number(i64),
    Known(u8),
    Knowns(Vec<u8>),
    String(&'a str),
    Confirmation(u8),
    Nested(u8),
    Raw(&'a str),
}

/// Settings that only add requirements to a policy.
#[derive(Arbitrary, Debug)]
struct Settings {
    leeway: u8,
    max_token_age: Option<u16>,
    max_lifetime: Option<u16>,
    max_age: Option<u16>,
    parties: bool,
    subject: Option<bool>,
    acr: bool,
    scope: bool,
    organization: bool,
    trusted: bool,
}

const HEADER_NAMES: &[&str] = &["alg", "typ", "kid", "crit", "b64", "zip", "jwk", "jku", "x5u"];
const CLAIM_NAMES: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "azp",
    "client_id",
    "nonce",
    "auth_time",
    "acr",
    "amr",
    "at_hash",
    "c_hash",
    "s_hash",
    "scope",
    "scp",
    "permissions",
    "gty",
    "cnf",
    "token_use",
    "typ",
    "events",
    "org_id",
    "org_name",
    "name",
    "email_verified",
    "updated_at",
    "address",
    "\\u0061ud",
];
const KNOWN: &[&str] = &[
    ISSUER,
    CLIENT_ID,
    API,
    "RS256",
    "HS256",
    "none",
    "JWT",
    "at+jwt",
    "key-0",
    "key-1",
    "access",
    "id",
    "ID",
    "Bearer",
    "read",
    "read write",
    "client-credentials",
    "x@clients",
    "org_1",
    "mfa",
    "",
    "true",
    "false",
    "null",
    "https://my-domain.auth0.com",
    "https://example.com/health-api/",
];

impl Written<'_> {
    fn text(&self) -> String {
        let known = |index: u8| KNOWN[usize::from(index) % KNOWN.len()];
        match self {
            Self::Time { from_now, fraction } => {
                let time = NOW.as_secs().saturating_add_signed((*from_now).into());
                if *fraction == 0 { time.to_string() } else { format!("{time}.{fraction}") }
            }
            Self::Number(number) => number.to_string(),
            Self::Known(index @ ..128) => serde_json::to_string(known(*index)).unwrap(),
            Self::Known(index) => ["true", "false", "null"][usize::from(*index) % 3].to_owned(),
            Self::Knowns(indices) => {
                let strings: Vec<&str> = indices.iter().take(20).map(|i| known(*i)).collect();
                serde_json::to_string(&strings).unwrap()
            }
            Self::String(string) => serde_json::to_string(string).unwrap(),
            Self::Confirmation(kind) => {
                ["{}", r#"{"jkt":"a"}"#, r#"{"x5t#S256":"a"}"#, r#"{"jkt":"a","jkt":"b"}"#]
                    [usize::from(*kind) % 4]
                    .to_owned()
            }
            Self::Nested(depth) => {
                let depth = usize::from(depth % 32);
                format!("{}{}", "[".repeat(depth), "]".repeat(depth))
            }
            Self::Raw(text) => (*text).to_owned(),
        }
    }
}

/// Returns an object with these members, edited.
fn object(right: &[(&str, String)], names: &[&str], edits: &[Edit<'_>]) -> String {
    let mut members: Vec<(String, String)> =
        right.iter().map(|(name, value)| (format!("\"{name}\""), value.clone())).collect();
    let name = |index: u8| format!("\"{}\"", names[usize::from(index) % names.len()]);
    for edit in edits.iter().take(16) {
        match edit {
            Edit::Set(index, value) => {
                members.retain(|member| member.0 != name(*index));
                members.push((name(*index), value.text()));
            }
            Edit::Remove(index) => members.retain(|member| member.0 != name(*index)),
            Edit::Repeat(index, value) => members.push((name(*index), value.text())),
            Edit::Other(other, value) => {
                members.push((serde_json::to_string(other).unwrap(), value.text()));
            }
        }
    }
    let members: Vec<String> =
        members.iter().map(|(name, value)| format!("{name}:{value}")).collect();
    format!("{{{}}}", members.join(","))
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

fuzz_target!(|input: Input<'_>| {
    timed(|| run(&input));
});

fn run(input: &Input<'_>) {
    let header = [("alg", quoted("RS256")), ("typ", quoted("JWT")), ("kid", quoted("key-0"))];
    let header = object(&header, HEADER_NAMES, &input.header);
    let now = NumericDate::from_secs(NOW.as_secs().saturating_add_signed(input.now.into()));
    for audience in [CLIENT_ID, API] {
        let claims = [
            ("iss", quoted(ISSUER)),
            ("sub", quoted("auth0|123456")),
            ("aud", quoted(audience)),
            ("exp", (NOW.as_secs() + 500).to_string()),
            ("iat", (NOW.as_secs() - 500).to_string()),
        ];
        let claims = object(&claims, CLAIM_NAMES, &input.claims);
        let (token, is_signed) = signed(&input.signing, header.as_bytes(), claims.as_bytes());
        let id_token = verdict_on_id_token(&token, now, &input.settings);
        let access_token = verdict_on_access_token(&token, now, &input.settings);
        // No token is accepted as both kinds, and none without a signature.
        assert!(id_token.is_err() || access_token.is_err());
        for verdict in [id_token, access_token] {
            match verdict {
                Ok(()) => assert!(is_signed),
                Err(error) => confirm_error(error),
            }
        }
    }
}

/// Returns the token, and whether its signature is the issuer's.
fn signed(signing: &Signing<'_>, header: &[u8], payload: &[u8]) -> (String, bool) {
    let right = sign(0, header, payload);
    let token = match signing {
        Signing::Right => right.clone(),
        Signing::OtherKey => sign(1, header, payload),
        Signing::Signature(text) => format!("{}.{text}", right.rsplit_once('.').unwrap().0),
        Signing::Replace { index, by } => {
            let index = usize::from(*index) % right.len();
            let mut changed = right.clone();
            changed.replace_range(index..=index, &char::from(by & 0x7f).to_string());
            changed
        }
        Signing::Append(text) => format!("{right}{text}"),
    };
    let is_signed = token == right;
    (token, is_signed)
}

/// A policy with additional settings accepts no token that the plain one rejects, and tokens
/// that the plain one accepts are checked again.
fn compare(plain: Result<(), Error>, strict: Result<(), Error>) -> Result<(), Error> {
    assert!(plain.is_ok() || strict.is_err());
    plain
}

fn verdict_on_id_token(token: &str, now: NumericDate, settings: &Settings) -> Result<(), Error> {
    let mut buffer = TokenBuffer::<16384>::new();
    let mut verdict = |policy: &IdTokenPolicy<'_>, login| {
        IdToken::validate(token, (issuer(), policy), login, now, &mut buffer).map(|_| ())
    };
    let plain = verdict(&APPLICATION_POLICY, LOGIN);
    if plain.is_ok() {
        confirm_id_token(token, now);
    }
    let mut policy = IdTokenPolicy::new(CLIENT_ID).leeway(u64::from(settings.leeway.min(60)));
    if let Some(seconds) = settings.max_token_age {
        policy = policy.max_token_age(seconds.into());
    }
    if let Some(seconds) = settings.max_lifetime {
        policy = policy.max_lifetime(seconds.into());
    }
    if let Some(seconds) = settings.max_age {
        policy = policy.max_age(seconds.into());
    }
    if settings.acr {
        policy = policy.require_acr(&["mfa"]).require_amr(&["mfa"]);
    }
    let mut login = Login::new(Nonce::ExpectNone);
    if settings.organization {
        login = login.organization("org_1");
    }
    let (policy, login) = (policy.build().unwrap(), login.build().unwrap());
    let strict = verdict(&policy, login);
    if settings.trusted {
        // With one more trusted audience, tokens that were accepted are still accepted.
        let trusting = IdTokenPolicy::new(CLIENT_ID).trusted_audiences(&[API]).build().unwrap();
        assert!(plain.is_err() || verdict(&trusting, LOGIN).is_ok());
    }
    let explained = IdToken::explain(token, (issuer(), &policy), login, now, &mut buffer);
    assert_eq!(strict.is_ok(), explained.is_ok_and(|broken| broken.is_empty()));
    compare(plain, strict)
}

fn verdict_on_access_token(
    token: &str,
    now: NumericDate,
    settings: &Settings,
) -> Result<(), Error> {
    let mut buffer = TokenBuffer::<16384>::new();
    let bearer = BearerToken::new(token);
    let mut verdict = |policy: &AccessTokenPolicy<'_>| {
        AccessToken::validate(bearer, (issuer(), policy), now, &mut buffer).map(|_| ())
    };
    let plain = verdict(&API_POLICY);
    if plain.is_ok() {
        confirm_access_token(token, now);
    }
    let mut policy = AccessTokenPolicy::general(API).leeway(u64::from(settings.leeway.min(60)));
    if let Some(seconds) = settings.max_token_age {
        policy = policy.max_token_age(seconds.into());
    }
    if let Some(seconds) = settings.max_lifetime {
        policy = policy.max_lifetime(seconds.into());
    }
    if let Some(seconds) = settings.max_age {
        policy = policy.max_age(seconds.into());
    }
    if settings.parties {
        policy = policy.authorized_parties(&[CLIENT_ID]);
    }
    if let Some(is_user) = settings.subject {
        let kind = if is_user { SubjectKind::User } else { SubjectKind::Client };
        policy = policy.require_subject(kind);
    }
    if settings.acr {
        policy = policy.require_acr(&["mfa"]);
    }
    if settings.scope {
        policy = policy.require_scope(ScopePolicy::all_of(&["read"]).unwrap());
    }
    let policy = policy.build().unwrap();
    let strict = verdict(&policy);
    let explained = AccessToken::explain(bearer, (issuer(), &policy), now, &mut buffer);
    assert_eq!(strict.is_ok(), explained.is_ok_and(|broken| broken.is_empty()));
    compare(plain, strict)
}
