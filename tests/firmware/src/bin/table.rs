//! Firmware for a Cortex-M3: no operating system, no heap.
//!
//! It parses an issuer's key set, validates the demonstration tokens including RSA, rejects
//! the misuses, and prints the cost of each step. `run.sh` builds it, runs it in QEMU and
//! checks the figures.

#![no_std]
#![no_main]

use claimgate::error::{Claim, Problem};
use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, Error, IdToken, IdTokenPolicy, Issuer, JwkSet,
    Login, Nonce, NumericDate, PureRustKey, ScopePolicy, TokenBuffer, at_compile_time,
};
use claimgate_firmware::{Console, Meter, exit};
use cortex_m_rt::entry;

type OnlyIssuer = Issuer<PureRustKey, 1>;
/// The length of the longest token, which decodes to three quarters of it.
type Buffer = TokenBuffer<800>;

/// Includes a file of the demonstration of `examples/validate`.
macro_rules! demo {
    ($name:literal) => {
        include_str!(concat!("../../../../examples/validate/demo/", $name)).trim_ascii()
    };
}

const ISSUER: &str = "https://my-domain.auth0.com/";
/// The client that started the login, without a nonce.
const APPLICATION: IdTokenPolicy<'_> = at_compile_time!(IdTokenPolicy::new("my_client_id").build());
const LOGIN: Login<'_> = at_compile_time!(Login::new(Nonce::ExpectNone).build());
/// The API, which requires the scope for reading patients' records.
const READ_PATIENTS: ScopePolicy<'_> = at_compile_time!(ScopePolicy::all_of(&["read:patients"]));
const API: AccessTokenPolicy<'_> = at_compile_time!(
    AccessTokenPolicy::general("https://example.com/health-api")
        .require_scope(READ_PATIENTS)
        .build()
);

/// A time at which the tokens are valid, and one at which they have expired.
const DURING: NumericDate = NumericDate::from_secs(1_311_281_470);
const AFTERWARDS: NumericDate = NumericDate::from_secs(1_311_300_000);
const EXPIRED: Error = Error::Expired { exp: 1_311_281_970, now: AFTERWARDS.as_secs(), leeway: 60 };

#[derive(Clone, Copy)]
enum Use {
    LogIn,
    CallApi,
}

struct Row {
    name: &'static str,
    token: &'static str,
    used: Use,
    now: NumericDate,
    expected: Result<(), Error>,
}

const fn row(name: &'static str, token: &'static str, used: Use) -> Row {
    Row { name, token, used, now: DURING, expected: Ok(()) }
}

const fn misuse(name: &'static str, token: &'static str, used: Use, error: Error) -> Row {
    Row { name, token, used, now: DURING, expected: Err(error) }
}

const ONE_OTHER: Error = Error::AudienceMismatch { audiences: 1 };
const TWO_OTHERS: Error = Error::AudienceMismatch { audiences: 2 };

static ROWS: [Row; 10] = [
    row("ID token, to log in", demo!("id_token.jwt"), Use::LogIn),
    row("access token, at the API", demo!("access_token.jwt"), Use::CallApi),
    misuse("ID token, at the API", demo!("id_token.jwt"), Use::CallApi, ONE_OTHER),
    misuse("access token, to log in", demo!("access_token.jwt"), Use::LogIn, TWO_OTHERS),
    misuse(
        "HS256 with the public key",
        demo!("hs256.jwt"),
        Use::CallApi,
        Error::AlgorithmNotAllowed(Problem::WrongValue),
    ),
    misuse("tampered scope", demo!("tampered.jwt"), Use::CallApi, Error::InvalidSignature),
    Row {
        now: AFTERWARDS,
        ..misuse("access token, later", demo!("access_token.jwt"), Use::CallApi, EXPIRED)
    },
    misuse("another client's ID token", demo!("other_client.jwt"), Use::LogIn, ONE_OTHER),
    misuse("token for another API", demo!("other_api.jwt"), Use::CallApi, ONE_OTHER),
    misuse(
        "token without the scope",
        demo!("no_scope.jwt"),
        Use::CallApi,
        Error::InsufficientScope(Claim::Scope),
    ),
];

/// Validates the row's token. A valid one must be that of the demonstration user.
#[inline(never)]
fn verdict(row: &Row, issuer: &OnlyIssuer, buffer: &mut Buffer) -> Result<(), Error> {
    let is_the_users = match row.used {
        Use::LogIn => {
            let trust = (issuer, &APPLICATION);
            let token = IdToken::validate(row.token, trust, LOGIN, row.now, buffer)?;
            token.subject() == "auth0|123456"
        }
        Use::CallApi => {
            let token = BearerToken::new(row.token);
            let token = AccessToken::validate(token, (issuer, &API), row.now, buffer)?;
            token.subject() == "auth0|123456"
        }
    };
    if is_the_users { Ok(()) } else { Err(Error::SubjectMismatch) }
}

#[inline(never)]
fn read_issuer(place: &mut Option<OnlyIssuer>) -> Result<&OnlyIssuer, Error> {
    let keys = JwkSet::from_json(demo!("jwks.json"))?;
    let issuer = Issuer::new(ISSUER, keys).map_err(|_| Error::UnknownIssuer)?;
    Ok(place.insert(issuer))
}

#[entry]
fn main() -> ! {
    static mut ONLY_ISSUER: Option<OnlyIssuer> = None;
    static mut BUFFER: Buffer = Buffer::new();

    let mut console = Console::new();
    let Some(peripherals) = cortex_m::Peripherals::take() else { exit(false) };
    let meter = Meter::new(peripherals.SYST);
    console.text("                                                         stack  instructions\n");

    let (read, cost) = meter.measure(|| read_issuer(ONLY_ISSUER));
    let Ok(issuer) = read else {
        console.text("the key set is refused\n");
        exit(false)
    };
    console.column("  key set", 52).cost(cost);

    let mut highest = cost.stack;
    let mut all_as_expected = true;
    for row in &ROWS {
        let (verdict, cost) = meter.measure(|| verdict(row, issuer, BUFFER));
        let code = verdict.err().map_or("valid", |error| error.code());
        console.text("  ").column(row.name, 28).column(code, 22).cost(cost);
        highest = highest.max(cost.stack);
        if verdict != row.expected {
            console.text("    is not the expected verdict\n");
            all_as_expected = false;
        }
    }
    console.column("stack high-water mark", 52).number(highest).text("\n");
    exit(all_as_expected)
}
