//! Firmware whose keys are slots of a crypto peripheral that does ES256: one `impl` of
//! [`PublicKey`], and no cryptography of claimgate's own.
//!
//! The module `peripheral` is a stand-in: where a device writes to registers, it computes
//! with the crates p256 and sha2.

#![no_std]
#![no_main]

use claimgate::error::{InvalidSignature, KeyRejected};
use claimgate::jwk::{Algorithms, KeyMaterial};
use claimgate::{
    AccessToken, AccessTokenPolicy, Algorithm, BearerToken, Error, Issuer, JwkSet, NumericDate,
    PublicKey, ScopePolicy, TokenBuffer, at_compile_time,
};
use claimgate_firmware::{Console, Meter, exit};
use cortex_m_rt::entry;

/// A P-256 key in a slot of the peripheral.
struct SlotKey {
    slot: peripheral::Slot,
}

impl PublicKey for SlotKey {
    const ALGORITHMS: Algorithms = Algorithms::of(&[Algorithm::Es256]);

    fn new(_: Algorithm, material: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
        // The point was checked to be on the curve.
        let KeyMaterial::P256 { x, y } = material else { return Err(KeyRejected::Backend) };
        let slot = peripheral::load(x, y).ok_or(KeyRejected::Backend)?;
        Ok(Self { slot })
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        // The signature has 64 bytes, and r and s are in range.
        let digest = peripheral::sha256(&[message]);
        if peripheral::verify(&self.slot, &digest, signature) {
            Ok(())
        } else {
            Err(InvalidSignature)
        }
    }

    fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        peripheral::sha256(parts)
    }
}

/// The stand-in for the peripheral.
mod peripheral {
    use p256::ecdsa::signature::hazmat::PrehashVerifier;
    use p256::ecdsa::{Signature, VerifyingKey};
    use sha2::{Digest, Sha256};

    /// A loaded key.
    pub struct Slot(VerifyingKey);

    pub fn load(x: &[u8; 32], y: &[u8; 32]) -> Option<Slot> {
        // The uncompressed encoding of a point (SEC 1 §2.3.3).
        let mut point = [4; 65];
        point[1..33].copy_from_slice(x);
        point[33..].copy_from_slice(y);
        VerifyingKey::from_sec1_bytes(&point).ok().map(Slot)
    }

    pub fn verify(slot: &Slot, digest: &[u8; 32], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| slot.0.verify_prehash(digest, &signature).is_ok())
    }

    pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part);
        }
        hash.finalize().into()
    }
}

type OnlyIssuer = Issuer<SlotKey, 1>;
type Buffer = TokenBuffer<800>;

const ISSUER: &str = "https://my-domain.auth0.com/";
const READ_PATIENTS: ScopePolicy<'_> = at_compile_time!(ScopePolicy::all_of(&["read:patients"]));
const API: AccessTokenPolicy<'_> = at_compile_time!(
    AccessTokenPolicy::general("https://example.com/health-api")
        .require_scope(READ_PATIENTS)
        .build()
);
// Made by `cargo run --example demo_token -- --algorithm ES256`, the set with `--jwks` too.
const JWKS: &str = include_str!("../../data/es256_jwks.json");
const TOKEN: &str = include_str!("../../data/es256_access_token.jwt");
const RS256_TOKEN: &str = include_str!("../../../../examples/validate/demo/access_token.jwt");
/// A time at which the token is valid.
const NOW: NumericDate = NumericDate::from_secs(1_795_670_000);

#[inline(never)]
fn new_issuer(place: &mut Option<OnlyIssuer>) -> Result<&OnlyIssuer, Error> {
    let issuer = Issuer::new(ISSUER, JwkSet::from_json(JWKS)?).map_err(|_| Error::UnknownIssuer)?;
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
    let (valid, valid_cost) = meter.measure(|| validate(TOKEN, issuer, BUFFER));
    let (other_algorithm, cost) = meter.measure(|| validate(RS256_TOKEN, issuer, BUFFER));
    console.column("  RS256 token, refused before the peripheral", 52).cost(cost);
    let mut tampered = [0; TOKEN.len()];
    tampered.copy_from_slice(TOKEN.as_bytes());
    // The first character of the signature.
    let signature = tampered.iter().rposition(|&octet| octet == b'.').map(|dot| dot + 1);
    if let Some(octet) = signature.and_then(|index| tampered.get_mut(index)) {
        *octet = if *octet == b'A' { b'B' } else { b'A' };
    }
    let tampered = core::str::from_utf8(&tampered).unwrap_or_default();
    let tampered = validate(tampered, issuer, BUFFER);
    let verdict = |result: Result<(), Error>| result.err().map_or("valid", |error| error.code());
    console.text("  ES256 by the peripheral: ").text(verdict(valid)).text(", tampered: ");
    console.text(verdict(tampered)).text("\n");
    let highest = key_cost.stack.max(valid_cost.stack).max(cost.stack);
    console.column("stack high-water mark", 52).number(highest).text("\n");
    exit(
        valid.is_ok()
            && tampered == Err(Error::InvalidSignature)
            && matches!(other_algorithm, Err(Error::AlgorithmNotAllowed(_))),
    )
}
