//! Login and logout of a user: what an application does with the response of the token
//! endpoint (OpenID Connect Core 1.0, the authorization code flow, §3.1.3.3 to §3.1.3.7 and
//! §5.3), and when the issuer reports the end of a session (OpenID Connect Back-Channel Logout
//! 1.0, §2.5 to §2.8).
//!
//! `cargo run --example login` runs one login that succeeds and five that must fail, then one
//! logout that succeeds and six that must fail. `log_in`, `log_out` and the items that they
//! use are meant to be copied; the rest simulates the issuer.

mod demo_issuer;

use std::fmt;
use std::process::ExitCode;

use claimgate::error::{Claim, ConfigError};
use claimgate::policy::LogoutTokenPolicy;
use claimgate::replay::{ReplayWindow, TokenId};
use claimgate::{
    BearerToken, Error, IdToken, IdTokenPolicy, Issuer, JwkSet, Login, LogoutToken, Nonce,
    NumericDate, RingKey, TokenBuffer, at_compile_time,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::demo_issuer::{ISSUER, SigningKey, access_token_hash, jwks};

const CLIENT_ID: &str = "my_client_id";

/// The application's policy for ID tokens. The expectations of one login are a `Login`.
const POLICY: IdTokenPolicy<'_> = at_compile_time!(IdTokenPolicy::new(CLIENT_ID).build());

/// The application's policy for logout tokens.
const LOGOUT_POLICY: LogoutTokenPolicy<'_> = at_compile_time!(
    LogoutTokenPolicy::new(CLIENT_ID).leeway(LEEWAY).max_lifetime(MAX_LOGOUT_LIFETIME).build()
);

/// The maximum lifetime of a logout token, in seconds: the specification recommends two
/// minutes (§2.4). It limits how long a token must be remembered.
const MAX_LOGOUT_LIFETIME: u64 = 120;

/// The accepted difference between the clocks, in seconds.
const LEEWAY: u64 = 60;

/// The state that the application stores between the redirect to the issuer and the callback.
struct LoginSession {
    /// Sent as `nonce`: at least 128 random bits, used for one login.
    nonce: String,
}

/// The response of the token endpoint (RFC 6749 §5.1, OIDC Core §3.1.3.3).
#[derive(Deserialize)]
struct TokenResponse {
    access_token: String,
    token_type: String,
    id_token: String,
}

/// The user who has logged in. Issuer and subject together identify the user permanently. An
/// e-mail address does not, because it can be reassigned.
#[derive(Clone, Debug, PartialEq, Eq)]
struct User {
    issuer: String,
    subject: String,
    /// `sid`: the session at the issuer, which a logout token may contain.
    session_id: Option<String>,
    name: Option<String>,
    verified_email: Option<String>,
}

/// The reason why a login failed.
#[derive(Debug, PartialEq, Eq)]
enum LoginError {
    /// The token response is malformed, or not for a bearer token.
    TokenResponse,
    /// The session has no nonce, or the response no access token.
    Incomplete(ConfigError),
    /// The ID token or the user info was rejected.
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

/// Validates a login and returns the user.
///
/// `response` is the body of the token endpoint's response. `user_info` sends a request to the
/// issuer's `/userinfo` endpoint, with the access token, and returns the body of the response.
/// The access token is opaque to the application.
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

    // The ID token is for this client, from this login (nonce), and matches this access token
    // (at_hash). In this flow an issuer may omit at_hash, as Auth0 and Microsoft Entra do; if
    // yours includes it, use `access_token` to require it.
    let login = Login::new(Nonce::Expect(&session.nonce));
    let login = login.access_token_if_bound(access_token).build()?;
    let mut buffer = TokenBuffer::<8_192>::new();
    let id_token =
        IdToken::validate(&response.id_token, (issuer, &POLICY), login, now, &mut buffer)?;

    // The user info is used only if it is about the same user.
    let body = user_info(access_token);
    let mut buffer = TokenBuffer::<8_192>::new();
    let user = id_token.user_info(&body, &mut buffer)?;
    let verified_email = user.email().filter(|_| user.email_verified() == Some(true));
    Ok(User {
        issuer: id_token.issuer().to_owned(),
        subject: id_token.subject().to_owned(),
        session_id: id_token.session_id().map(str::to_owned),
        name: user.name().map(str::to_owned),
        verified_email: verified_email.map(str::to_owned),
    })
}

/// Ends the sessions that a logout token identifies, and returns their number.
///
/// `token` is the form parameter `logout_token` of the issuer's `POST` request, which is
/// answered with 200, or with 400 for an error (§2.8). The application has one `window`, in a
/// `Mutex` if requests are served concurrently.
fn log_out<const N: usize>(
    token: &str,
    issuer: &Issuer<RingKey, 4>,
    now: NumericDate,
    window: &mut ReplayWindow<N>,
    sessions: &mut Vec<User>,
) -> Result<usize, Error> {
    let mut buffer = TokenBuffer::<8_192>::new();
    let token = LogoutToken::validate(token, (issuer, &LOGOUT_POLICY), now, &mut buffer)?;

    // Each token ends sessions once: a stolen one must not end later sessions. A token that is
    // rejected for another reason occupies no entry of the window.
    let jti = token.token_id().ok_or(Error::MissingClaim(Claim::TokenId))?;
    let id = TokenId::logout_token::<RingKey>(token.issuer(), jti).ok_or(Error::Replayed)?;
    let expiry = token.expiry().ok_or(Error::MissingClaim(Claim::Expiry))?;
    let until = NumericDate::from_secs(expiry.as_secs().saturating_add(LEEWAY));
    window.admit(id, until, now)?;

    // `sid` identifies one session; without it, `sub` identifies all sessions of the user. A
    // token with both is about the session of that user.
    let before = sessions.len();
    sessions.retain(|user| {
        let is_other = |named: Option<&str>, own: Option<&str>| named.is_some() && named != own;
        user.issuer != token.issuer()
            || is_other(token.session_id(), user.session_id.as_deref())
            || is_other(token.subject(), Some(&user.subject))
    });
    Ok(before - sessions.len())
}

/// A simulated login of the issuer, and its expected result.
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

/// A logout token, and the expected result.
struct LogoutScene {
    title: &'static str,
    token: Value,
    /// The number of sessions that it ends.
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
    // Fetched from the issuer once: see `JwksRefresh` for when to fetch it again.
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

    // The same user on another device, whose session continues.
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
