//! Logging a user in, and out again: what an application does once the token endpoint
//! has answered (OpenID Connect Core 1.0, the authorization code flow, §3.1.3.3 to
//! §3.1.3.7 and §5.3), and when the issuer reports the end of a session (OpenID Connect
//! Back-Channel Logout 1.0, §2.5 to §2.8).
//!
//! `cargo run --example login` plays one login that succeeds and five that must
//! not, and then one logout that succeeds and six that must not. `log_in`, `log_out` and
//! what they use are worth copying; the rest plays the other side.

mod demo_issuer;

use std::fmt;
use std::process::ExitCode;

use claimgate::error::{Claim, ConfigError};
use claimgate::{
    BearerToken, Error, IdToken, IdTokenPolicy, Issuer, JwkSet, Login, LogoutToken,
    LogoutTokenPolicy, Nonce, NumericDate, ReplayWindow, RingKey, TokenBuffer, TokenId,
    at_compile_time,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::demo_issuer::{ISSUER, SigningKey, access_token_hash, jwks};

const CLIENT_ID: &str = "my_client_id";

/// What the application asks of every ID token. What one login expects is a `Login`.
const POLICY: IdTokenPolicy<'_> = at_compile_time!(IdTokenPolicy::new(CLIENT_ID).build());

/// What the application asks of every logout token.
const LOGOUT_POLICY: LogoutTokenPolicy<'_> = at_compile_time!(
    LogoutTokenPolicy::new(CLIENT_ID).leeway(LEEWAY).max_lifetime(MAX_LOGOUT_LIFETIME).build()
);

/// The longest lifetime of a logout token, in seconds: the specification recommends two
/// minutes (§2.4). It bounds how long a token has to be remembered.
const MAX_LOGOUT_LIFETIME: u64 = 120;

/// The difference between the clocks that is allowed, in seconds.
const LEEWAY: u64 = 60;

/// What the application remembers between sending the browser to the issuer and
/// its coming back.
struct LoginSession {
    /// Sent as `nonce`: at least 128 random bits, used for one login.
    nonce: String,
}

/// What the token endpoint answers (RFC 6749 §5.1, OIDC Core §3.1.3.3).
#[derive(Deserialize)]
struct TokenResponse {
    access_token: String,
    token_type: String,
    id_token: String,
}

/// The claim of an ID token that names the session at the issuer
/// (Back-Channel Logout §2.1).
#[derive(Deserialize)]
struct SessionClaim {
    #[serde(default)]
    sid: Option<String>,
}

/// Who has logged in. Issuer and subject together name the user, for ever;
/// an e-mail address does not: it changes hands.
#[derive(Clone, Debug, PartialEq, Eq)]
struct User {
    issuer: String,
    subject: String,
    /// `sid`: the session at the issuer, which a logout token may name.
    session_id: Option<String>,
    name: Option<String>,
    verified_email: Option<String>,
}

/// Why nobody has.
#[derive(Debug, PartialEq, Eq)]
enum LoginError {
    /// The token response is not one, or not for a bearer token.
    TokenResponse,
    /// The session has no nonce, or the response no access token.
    Incomplete(ConfigError),
    /// The ID token or the user info cannot be trusted.
    Refused(Error),
}

impl From<ConfigError> for LoginError {
    fn from(error: ConfigError) -> Self {
        Self::Incomplete(error)
    }
}

impl From<Error> for LoginError {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl fmt::Display for LoginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TokenResponse => f.write_str("the token endpoint's answer cannot be read"),
            Self::Incomplete(error) => write!(f, "the login is incomplete: {error}"),
            Self::Refused(error) => write!(f, "{}: {error}", error.code()),
        }
    }
}

/// Decides who has logged in.
///
/// `response` is the body that the token endpoint answered with. `user_info`
/// asks the issuer's `/userinfo` endpoint, with the access token as it is, and
/// gives the body of its response. The access token is for the issuer and for
/// APIs: nothing here looks into it.
#[expect(clippy::needless_pass_by_value, reason = "a session serves one login")]
fn log_in(
    session: LoginSession,
    response: &str,
    issuer: &Issuer<RingKey, 4>,
    now: NumericDate,
    user_info: impl FnOnce(BearerToken<'_>) -> String,
) -> Result<User, LoginError> {
    let response: TokenResponse =
        serde_json::from_str(response).map_err(|_| LoginError::TokenResponse)?;
    if !response.token_type.eq_ignore_ascii_case("Bearer") {
        return Err(LoginError::TokenResponse);
    }
    let access_token = BearerToken::new(&response.access_token);

    // The ID token is for this client, from this login (nonce), and came with this
    // access token (at_hash). In this flow an issuer may leave at_hash out, as Auth0 and
    // Microsoft Entra do; where yours writes it, `access_token` requires it.
    let login = Login::new(Nonce::Expect(&session.nonce));
    let login = login.access_token_if_bound(access_token).build()?;
    let mut buffer = TokenBuffer::<8_192>::new();
    let id_token =
        IdToken::validate(&response.id_token, (issuer, &POLICY), login, now, &mut buffer)?;

    // Nothing of the user info is read unless it speaks of the same user.
    let body = user_info(access_token);
    let mut buffer = TokenBuffer::<8_192>::new();
    let user = id_token.user_info(&body, &mut buffer)?;
    let session: SessionClaim = id_token.claims()?;
    let verified_email = user.email().filter(|_| user.email_verified() == Some(true));
    Ok(User {
        issuer: id_token.issuer().to_owned(),
        subject: id_token.subject().to_owned(),
        session_id: session.sid,
        name: user.name().map(str::to_owned),
        verified_email: verified_email.map(str::to_owned),
    })
}

/// Ends the sessions that a logout token is about, and returns their number.
///
/// `token` is the form parameter `logout_token` of the issuer's `POST` request, which is
/// answered with 200, or with 400 for an error (§2.8). `window` is one for the whole
/// application: behind a `Mutex`, where requests are served at a time.
fn log_out<const N: usize>(
    token: &str,
    issuer: &Issuer<RingKey, 4>,
    now: NumericDate,
    window: &mut ReplayWindow<N>,
    sessions: &mut Vec<User>,
) -> Result<usize, Error> {
    let mut buffer = TokenBuffer::<8_192>::new();
    let token = LogoutToken::validate(token, (issuer, &LOGOUT_POLICY), now, &mut buffer)?;

    // Each token ends sessions once: a stolen one must not end those that begin later.
    // Nothing that is refused for another reason takes a place in the window.
    let jti = token.token_id().ok_or(Error::MissingClaim(Claim::TokenId))?;
    let id = TokenId::logout_token::<RingKey>(token.issuer(), jti).ok_or(Error::Replayed)?;
    let expiry = token.expiry().ok_or(Error::MissingClaim(Claim::Expiry))?;
    let until = NumericDate::from_secs(expiry.as_secs().saturating_add(LEEWAY));
    window.admit(id, until, now)?;

    // `sid` names one session; without it, `sub` names all sessions of the user. A token
    // with both is about the session of that user.
    let before = sessions.len();
    sessions.retain(|user| {
        let is_other = |named: Option<&str>, own: Option<&str>| named.is_some() && named != own;
        user.issuer != token.issuer()
            || is_other(token.session_id(), user.session_id.as_deref())
            || is_other(token.subject(), Some(&user.subject))
    });
    Ok(before - sessions.len())
}

/// What the other side sends, and how it would go wrong.
struct Scene {
    title: &'static str,
    id_token: Value,
    access_token: &'static str,
    user_info: Value,
    expected: Result<(), Error>,
}

const NONCE: &str = "n-0S6_WzA2Mj";
const SESSION: &str = "session-of-the-laptop";
const ACCESS_TOKEN: &str = "opaque-to-the-application";

fn scenes(now: u64) -> Vec<Scene> {
    let id_token = json!({
        "iss": ISSUER, "sub": "auth0|123456", "aud": CLIENT_ID, "iat": now, "exp": now + 3_600,
        "nonce": NONCE, "at_hash": access_token_hash(ACCESS_TOKEN), "sid": SESSION,
    });
    let user_info = json!({
        "sub": "auth0|123456", "name": "Jane Doe",
        "email": "janedoe@example.com", "email_verified": true,
    });
    let with = |name: &str, value: &str| {
        let mut claims = id_token.clone();
        claims[name] = value.into();
        claims
    };
    let scene = |title, id_token: &Value, expected| Scene {
        title,
        id_token: id_token.clone(),
        access_token: ACCESS_TOKEN,
        user_info: user_info.clone(),
        expected,
    };
    vec![
        scene("the user logs in", &id_token, Ok(())),
        scene(
            "an ID token stolen from another login is injected",
            &with("nonce", "of-another-login"),
            Err(Error::NonceMismatch),
        ),
        Scene {
            access_token: "of-somebody-else",
            ..scene(
                "the access token beside the ID token is swapped",
                &id_token,
                Err(Error::HashMismatch(Claim::AtHash)),
            )
        },
        Scene {
            user_info: json!({ "sub": "auth0|654321", "name": "Mallory" }),
            ..scene("/userinfo speaks of another user", &id_token, Err(Error::SubjectMismatch))
        },
        scene(
            "the ID token is another application's",
            &with("aud", "another_client_id"),
            Err(Error::AudienceMismatch { audiences: 1 }),
        ),
        scene(
            "the ID token is another issuer's",
            &with("iss", "https://evil.example/"),
            Err(Error::IssuerMismatch),
        ),
    ]
}

/// A logout token, and what becomes of it.
struct LogoutScene {
    title: &'static str,
    token: Value,
    /// How many sessions it ends.
    expected: Result<usize, Error>,
}

fn logout_scenes(now: u64) -> Vec<LogoutScene> {
    let token = json!({
        "iss": ISSUER, "sub": "auth0|123456", "sid": SESSION, "aud": CLIENT_ID, "iat": now,
        "exp": now + MAX_LOGOUT_LIFETIME, "jti": "bWJq",
        "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
    });
    let with = |name: &str, value: Value| {
        let mut claims = token.clone();
        claims[name] = value;
        claims
    };
    let without = |name: &str| {
        let mut claims = token.clone();
        claims.as_object_mut().map(|claims| claims.remove(name));
        claims
    };
    let scene =
        |title, token: &Value, expected| LogoutScene { title, token: token.clone(), expected };
    let id_token = json!({
        "iss": ISSUER, "sub": "auth0|123456", "sid": SESSION, "aud": CLIENT_ID, "iat": now,
        "exp": now + MAX_LOGOUT_LIFETIME,
    });
    vec![
        scene(
            "an ID token is sent in place of a logout token",
            &id_token,
            Err(Error::MissingClaim(Claim::Events)),
        ),
        scene(
            "the logout token is another application's",
            &with("aud", "another_client_id".into()),
            Err(Error::AudienceMismatch { audiences: 1 }),
        ),
        scene(
            "the logout token is another issuer's",
            &with("iss", "https://evil.example/".into()),
            Err(Error::IssuerMismatch),
        ),
        scene(
            "the logout token has a nonce, as an ID token has",
            &with("nonce", NONCE.into()),
            Err(Error::UnexpectedClaim(Claim::Nonce)),
        ),
        scene(
            "the logout token cannot be told from others",
            &without("jti"),
            Err(Error::MissingClaim(Claim::TokenId)),
        ),
        scene("the issuer ends the session", &token, Ok(1)),
        scene("the logout token is sent again", &token, Err(Error::Replayed)),
    ]
}

fn main() -> ExitCode {
    match play() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("login: {error}");
            ExitCode::FAILURE
        }
    }
}

fn play() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let key = SigningKey::a();
    // From the issuer, once: see `JwksRefresh` for when to fetch it again.
    let keys = JwkSet::from_json(&jwks(&[SigningKey::a()]))?;
    let issuer = Issuer::new(ISSUER, keys)?;
    let now = NumericDate::now();
    let mut code = ExitCode::SUCCESS;
    let mut sessions = Vec::new();
    for scene in scenes(now.as_secs()) {
        let session = LoginSession { nonce: NONCE.to_owned() };
        let response = json!({
            "access_token": scene.access_token,
            "token_type": "Bearer",
            "expires_in": 3_600,
            "id_token": key.sign(&scene.id_token),
        });
        let user_info = |_: BearerToken<'_>| scene.user_info.to_string();
        let result = log_in(session, &response.to_string(), &issuer, now, user_info);
        println!("{}", scene.title);
        match &result {
            Ok(user) => {
                let name = user.name.as_deref().unwrap_or("somebody");
                let email = user.verified_email.as_deref().unwrap_or("no verified address");
                println!("  logged in: {name} <{email}>, {} at {}\n", user.subject, user.issuer);
                sessions.push(user.clone());
            }
            Err(error) => println!("  refused: {error}\n"),
        }
        if result.map(|_| ()) != scene.expected.map_err(LoginError::Refused) {
            eprintln!("login: that was not to be expected");
            code = ExitCode::FAILURE;
        }
    }

    // The same user at another device, whose session goes on.
    let phone = sessions.iter().map(|user| {
        let session_id = Some("session-of-the-phone".to_owned());
        User { session_id, ..user.clone() }
    });
    let phone: Vec<User> = phone.collect();
    sessions.extend(phone.iter().cloned());
    let mut window = ReplayWindow::<64>::new();
    for scene in logout_scenes(now.as_secs()) {
        let token = key.sign(&scene.token);
        let result = log_out(&token, &issuer, now, &mut window, &mut sessions);
        println!("{}", scene.title);
        match result {
            Ok(count) => println!("  sessions ended: {count}, left: {}\n", sessions.len()),
            Err(error) => println!("  refused: {}: {error}\n", error.code()),
        }
        if result != scene.expected {
            eprintln!("login: that was not to be expected");
            code = ExitCode::FAILURE;
        }
    }
    if sessions != phone || window.count(now) != 1 {
        eprintln!("login: the wrong sessions were ended");
        code = ExitCode::FAILURE;
    }
    Ok(code)
}
