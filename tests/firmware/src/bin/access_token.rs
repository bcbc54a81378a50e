//! The smallest useful firmware: one key, one policy, one kind of token.

#![no_std]
#![no_main]

use claimgate::jwk::{Jwk, KeyMaterial};
use claimgate::{
    AccessToken, AccessTokenPolicy, Algorithm, BearerToken, Error, Issuer, JwkSet, NumericDate,
    PureRustKey, ScopePolicy, TokenBuffer, at_compile_time,
};
use claimgate_firmware::{Console, Meter, exit};
use cortex_m_rt::entry;

type OnlyIssuer = Issuer<PureRustKey, 1>;
type Buffer = TokenBuffer<800>;

const ISSUER: &str = "https://my-domain.auth0.com/";
const READ_PATIENTS: ScopePolicy<'_> = at_compile_time!(ScopePolicy::all_of(&["read:patients"]));
const API: AccessTokenPolicy<'_> = at_compile_time!(
    AccessTokenPolicy::general("https://example.com/health-api")
        .require_scope(READ_PATIENTS)
        .build()
);
/// The modulus of the issuer's key, which is part of the firmware.
const MODULUS: &[u8] = include_bytes!("../../data/modulus.bin");
const TOKEN: &str = include_str!("../../../../examples/validate/demo/access_token.jwt");
const TAMPERED: &str = include_str!("../../../../examples/validate/demo/tampered.jwt");
const NOW: NumericDate = NumericDate::from_secs(1_311_281_470);

#[inline(never)]
fn new_issuer(place: &mut Option<OnlyIssuer>) -> Result<&OnlyIssuer, Error> {
    let material = KeyMaterial::Rsa { n: MODULUS, e: &[1, 0, 1] };
    let key = Jwk::new(Algorithm::Rs256, material, Some("key-a"))?;
    let issuer =
        Issuer::new(ISSUER, JwkSet::from_keys([key])?).map_err(|_| Error::UnknownIssuer)?;
    Ok(place.insert(issuer))
}

#[inline(never)]
fn validate(token: &str, issuer: &OnlyIssuer, buffer: &mut Buffer) -> Result<(), Error> {
    let token = BearerToken::new(token.trim_ascii());
    AccessToken::validate(token, (issuer, &API), NOW, buffer).map(|_| ())
}

#[entry]
fn main() -> ! {
    static mut ONLY_ISSUER: Option<OnlyIssuer> = None;
    static mut BUFFER: Buffer = Buffer::new();

    let mut console = Console::new();
    let Some(peripherals) = cortex_m::Peripherals::take() else { exit(false) };
    let meter = Meter::new(peripherals.SYST);
    let (issuer, key_cost) = meter.measure(|| new_issuer(ONLY_ISSUER));
    let Ok(issuer) = issuer else { exit(false) };
    console.column("  key", 52).cost(key_cost);
    let (valid, valid_cost) = meter.measure(|| validate(TOKEN, issuer, BUFFER));
    console.column("  access token", 52).cost(valid_cost);
    let (tampered, tampered_cost) = meter.measure(|| validate(TAMPERED, issuer, BUFFER));
    console.column("  tampered scope", 52).cost(tampered_cost);
    let highest = key_cost.stack.max(valid_cost.stack).max(tampered_cost.stack);
    console.column("stack high-water mark", 52).number(highest).text("\n");
    exit(valid.is_ok() && tampered == Err(Error::InvalidSignature))
}
