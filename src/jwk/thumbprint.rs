//! JWK thumbprints ([RFC 7638](https://www.rfc-editor.org/rfc/rfc7638)).

use super::{KeyMaterial, MODULUS_CHARACTERS};
use crate::algorithm::Algorithms;
use crate::base64url;
use crate::error::KeyRejected;
use crate::public_key::PublicKey;

/// The number of base64url characters of the longest coordinate, 48 bytes.
const COORDINATE_CHARACTERS: usize = 64;

/// Returns the thumbprint of a key: the hash of its required members in lexicographic
/// order ([RFC 7638 §3](https://www.rfc-editor.org/rfc/rfc7638#section-3),
/// [RFC 8037 §2](https://www.rfc-editor.org/rfc/rfc8037#section-2)).
#[inline(never)]
pub(super) fn thumbprint<K: PublicKey>(material: KeyMaterial<'_>) -> Result<[u8; 32], KeyRejected> {
    match material {
        KeyMaterial::Rsa { n, e } if const { K::ALGORITHMS.intersects(Algorithms::RSA) } => {
            let (mut n_text, mut e_text) = ([0; MODULUS_CHARACTERS], [0; 16]);
            let n = base64url::encode(n, &mut n_text).ok_or(KeyRejected::ModulusTooLarge)?;
            let e = base64url::encode(e, &mut e_text).ok_or(KeyRejected::Exponent)?;
            let parts = [r#"{"e":""#, e, r#"","kty":"RSA","n":""#, n, r#""}"#];
            Ok(K::sha256(&parts.map(str::as_bytes)))
        }
        KeyMaterial::P256 { x, y } if const { K::ALGORITHMS.intersects(Algorithms::P256) } => {
            thumbprint_of_point::<K>(r#"{"crv":"P-256","kty":"EC","x":""#, x, Some(y))
        }
        KeyMaterial::P384 { x, y } if const { K::ALGORITHMS.intersects(Algorithms::P384) } => {
            thumbprint_of_point::<K>(r#"{"crv":"P-384","kty":"EC","x":""#, x, Some(y))
        }
        KeyMaterial::Ed25519 { x } if const { K::ALGORITHMS.intersects(Algorithms::ED25519) } => {
            thumbprint_of_point::<K>(r#"{"crv":"Ed25519","kty":"OKP","x":""#, x, None)
        }
        _ => Err(KeyRejected::Backend),
    }
}

fn thumbprint_of_point<K: PublicKey>(
    start: &str,
    x: &[u8],
    y: Option<&[u8]>,
) -> Result<[u8; 32], KeyRejected> {
    let (mut x_text, mut y_text) = ([0; COORDINATE_CHARACTERS], [0; COORDINATE_CHARACTERS]);
    let x = base64url::encode(x, &mut x_text).ok_or(KeyRejected::CoordinateLength)?;
    let (label, y) = match y {
        None => ("", ""),
        Some(y) => {
            let y = base64url::encode(y, &mut y_text).ok_or(KeyRejected::CoordinateLength)?;
            (r#"","y":""#, y)
        }
    };
    Ok(K::sha256(&[start, x, label, y, r#""}"#].map(str::as_bytes)))
}
