//! The keys that tokens name and that proofs contain, implemented from the rule book: K1, K5,
//! K6, K7, K9, K12, K13, P3 and P4.

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::Algorithm;
use num_bigint::BigUint;
use ring::digest::{SHA256, digest};

use crate::checksum::{IssuerKey, Signer};
use crate::json::Members;

/// Returns the algorithm with this name. `Ed25519` is another name of `EdDSA`.
pub fn algorithm(name: &str) -> Option<Algorithm> {
    Some(match name {
        "RS256" => Algorithm::Rs256,
        "RS384" => Algorithm::Rs384,
        "RS512" => Algorithm::Rs512,
        "PS256" => Algorithm::Ps256,
        "PS384" => Algorithm::Ps384,
        "PS512" => Algorithm::Ps512,
        "ES256" => Algorithm::Es256,
        "ES384" => Algorithm::Es384,
        "EdDSA" | "Ed25519" => Algorithm::EdDsa,
        _ => return None,
    })
}

/// Returns the only key of the header's algorithm, and of its `kid` if it has one.
pub fn select<'k>(keys: &'k [IssuerKey], header: &Members) -> Option<&'k IssuerKey> {
    let algorithm = algorithm(header.string("alg")?)?;
    let kid = header.string("kid");
    let mut candidates = keys
        .iter()
        .filter(|key| key.signer.algorithm == algorithm && (kid.is_none() || key.kid == kid));
    candidates.next().filter(|_| candidates.next().is_none())
}

/// Returns the key in the header of a proof, and its thumbprint (RFC 7638).
pub fn of_proof(header: &Members) -> Option<(Signer, String)> {
    let algorithm = algorithm(header.string("alg")?)?;
    let jwk = header.get("jwk")?.object()?;
    let is_private = jwk.has_any(&["d", "p", "q", "dp", "dq", "qi", "oth", "k"]);
    let has_usage = jwk.get("use").is_none_or(|usage| usage.string() == Some("sig"));
    let has_operation = jwk.get("key_ops").is_none_or(|operations| {
        operations.array().is_some_and(|operations| {
            operations.iter().all(|operation| operation.string().is_some())
                && operations.iter().any(|operation| operation.string() == Some("verify"))
        })
    });
    let has_algorithm = jwk.get("alg").is_none_or(|name| {
        name.string().is_some_and(|name| self::algorithm(name) == Some(algorithm))
    });
    let has_key_id =
        jwk.get("kid").is_none_or(|kid| kid.string().is_some_and(|kid| kid.len() <= 256));
    if is_private || !has_usage || !has_operation || !has_algorithm || !has_key_id {
        return None;
    }
    let text = |name| jwk.string(name);
    let number = |name| Base64UrlUnpadded::decode_vec(jwk.string(name)?).ok();
    let (signer, required) = match (algorithm, text("kty")?) {
        (Algorithm::Es256 | Algorithm::Es384, "EC") => {
            let curve = if algorithm == Algorithm::Es256 { "P-256" } else { "P-384" };
            let (x, y) = (number("x")?, number("y")?);
            if text("crv")? != curve || !is_on_curve(algorithm, &x, &y) {
                return None;
            }
            let required = format!(
                r#"{{"crv":"{curve}","kty":"EC","x":"{}","y":"{}"}}"#,
                text("x")?,
                text("y")?
            );
            (Signer::new(algorithm, &[&x, &y]), required)
        }
        (Algorithm::EdDsa, "OKP") => {
            let x = number("x")?;
            if text("crv")? != "Ed25519" || !is_ed25519_point(&x) {
                return None;
            }
            let required = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, text("x")?);
            (Signer::new(algorithm, &[&x]), required)
        }
        (Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa, _) => return None,
        (_, "RSA") => {
            let (n, e) = (number("n")?, number("e")?);
            if !is_rsa_key(&n, &e) {
                return None;
            }
            let required = format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, text("e")?, text("n")?);
            (Signer::new(algorithm, &[&n, &e]), required)
        }
        _ => return None,
    };
    let thumbprint = digest(&SHA256, required.as_bytes());
    Some((signer, Base64UrlUnpadded::encode_string(thumbprint.as_ref())))
}

/// Returns whether the modulus is odd and has 2,048 to 4,096 bits, and the exponent is odd, at
/// least 3 and of at most 33 bits, both without leading zeros.
fn is_rsa_key(n: &[u8], e: &[u8]) -> bool {
    let is_plain = |octets: &[u8]| octets.first().is_some_and(|first| *first != 0);
    let (modulus, exponent) = (BigUint::from_bytes_be(n), BigUint::from_bytes_be(e));
    is_plain(n)
        && is_plain(e)
        && (2_048..=4_096).contains(&modulus.bits())
        && modulus.bit(0)
        && exponent.bit(0)
        && exponent > BigUint::from(1_u8)
        && exponent.bits() <= 33
}

fn hex(text: &str) -> BigUint {
    BigUint::parse_bytes(text.as_bytes(), 16).unwrap()
}

fn power_of_two(exponent: u32) -> BigUint {
    BigUint::from(1_u8) << exponent
}

/// Returns whether `y² = x³ − 3x + b` on P-256 or P-384 (FIPS 186-4, D.1.2).
fn is_on_curve(algorithm: Algorithm, x: &[u8], y: &[u8]) -> bool {
    let (size, p, b) = if algorithm == Algorithm::Es256 {
        let p = power_of_two(256) - power_of_two(224) + power_of_two(192) + power_of_two(96) - 1_u8;
        (32, p, "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b")
    } else {
        let p = power_of_two(384) - power_of_two(128) - power_of_two(96) + power_of_two(32) - 1_u8;
        let b = "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875a\
                 c656398d8a2ed19d2a85c8edd3ec2aef";
        (48, p, b)
    };
    if x.len() != size || y.len() != size {
        return false;
    }
    let (x, y) = (BigUint::from_bytes_be(x), BigUint::from_bytes_be(y));
    x < p && y < p && (&y * &y + 3_u8 * &x) % &p == (&x * &x * &x + hex(b)) % &p
}

/// Returns whether 32 octets encode a point of Ed25519 whose order is not small: y is below the
/// modulus, and `x² = (y² − 1) / (d·y² + 1)` is a square that is zero only for y = ±1.
fn is_ed25519_point(octets: &[u8]) -> bool {
    let Ok(mut octets) = <[u8; 32]>::try_from(octets) else { return false };
    octets[31] &= 0x7f;
    let (p, y) = (power_of_two(255) - 19_u8, BigUint::from_bytes_le(&octets));
    if y >= p {
        return false;
    }
    let inverse = |number: &BigUint| number.modpow(&(&p - 2_u8), &p);
    let d = (&p - 121_665_u32) * inverse(&BigUint::from(121_666_u32)) % &p;
    let y_squared = &y * &y % &p;
    let x_squared = (&y_squared + &p - 1_u8) * inverse(&((d * &y_squared + 1_u8) % &p)) % &p;
    // Euler's criterion.
    let is_square = x_squared.modpow(&((&p - 1_u8) / 2_u8), &p) == BigUint::from(1_u8);
    // The points of order 4 have y = 0. For those of order 8, x² = −y².
    is_square && y_squared != BigUint::ZERO && (&x_squared + &y_squared) % &p != BigUint::ZERO
}
