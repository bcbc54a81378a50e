//! RS256 in Rust alone, by [crypto-bigint](https://docs.rs/crypto-bigint) and
//! [sha2](https://docs.rs/sha2), the only file that names them.

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Odd, U2048, U3072, U4096, Uint};
use sha2::{Digest, Sha256};

use super::{InvalidSignature, MAX_MODULUS_LEN, Rs256, check_exponent};
use crate::error::KeyRejected;

/// What stands before the hash in an encoded message: the octet that ends the
/// padding, and the DER of a `DigestInfo` of SHA-256, parameters NULL
/// ([RFC 8017 §9.2](https://www.rfc-editor.org/rfc/rfc8017#section-9.2)).
const HASH_PREFIX: [u8; 20] = [
    0x00, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
    0x05, 0x00, 0x04, 0x20,
];

/// An RS256 key of crypto-bigint's.
///
/// Rust alone, without a heap: it runs wherever `core` does. The Montgomery
/// parameters are computed once, when the key is parsed, and kept, so a key
/// takes about 1,600 bytes. Keys of 2,048, 3,072 and 4,096 bits run at their
/// size, those between at the next.
///
/// How long a verification takes depends on the exponent and on whether the
/// signature is below the modulus. Key, signature and message are public, so
/// that tells nobody anything.
pub struct RustCryptoKey {
    modulus: Modulus,
    modulus_len: usize,
    exponent: u64,
}

/// A modulus with what is computed from it once.
#[expect(clippy::large_enum_variant, reason = "there is no heap to put the largest on")]
enum Modulus {
    Bits2048(FixedMontyParams<{ U2048::LIMBS }>),
    Bits3072(FixedMontyParams<{ U3072::LIMBS }>),
    Bits4096(FixedMontyParams<{ U4096::LIMBS }>),
}

impl Rs256 for RustCryptoKey {
    fn from_components(n: &[u8], e: &[u8]) -> Result<Self, KeyRejected> {
        let modulus = if n.len() <= U2048::BYTES {
            Modulus::Bits2048(parameters(n)?)
        } else if n.len() <= U3072::BYTES {
            Modulus::Bits3072(parameters(n)?)
        } else if n.len() <= U4096::BYTES {
            Modulus::Bits4096(parameters(n)?)
        } else {
            return Err(KeyRejected::ModulusTooLarge);
        };
        Ok(Self { modulus, modulus_len: n.len(), exponent: check_exponent(e)? })
    }

    fn verify(&self, signing_input: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        if signature.len() != self.modulus_len {
            return Err(InvalidSignature);
        }
        let mut message = [0xff; MAX_MODULUS_LEN];
        let message = message.get_mut(..self.modulus_len).ok_or(InvalidSignature)?;
        encode_message(&Self::sha256(&[signing_input]), message).ok_or(InvalidSignature)?;
        let is_valid = match &self.modulus {
            Modulus::Bits2048(modulus) => is_root(signature, self.exponent, message, modulus),
            Modulus::Bits3072(modulus) => is_root(signature, self.exponent, message, modulus),
            Modulus::Bits4096(modulus) => is_root(signature, self.exponent, message, modulus),
        };
        if is_valid { Ok(()) } else { Err(InvalidSignature) }
    }

    fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part);
        }
        hash.finalize().into()
    }
}

/// The Montgomery parameters of a modulus of at most `LIMBS` limbs.
#[inline(never)]
fn parameters<const LIMBS: usize>(n: &[u8]) -> Result<FixedMontyParams<LIMBS>, KeyRejected> {
    let n = Odd::new(integer(n)).into_option().ok_or(KeyRejected::ModulusEven)?;
    Ok(FixedMontyParams::new_vartime(n))
}

/// Octets to integer
/// ([RFC 8017 §4.2](https://www.rfc-editor.org/rfc/rfc8017#section-4.2)).
fn integer<const LIMBS: usize>(octets: &[u8]) -> Uint<LIMBS> {
    Uint::from_be_slice_truncated(octets, Uint::<LIMBS>::BITS)
}

/// Completes the encoded message of a hash in `message`, which has the length
/// of the modulus and holds 0xff everywhere
/// ([RFC 8017 §9.2](https://www.rfc-editor.org/rfc/rfc8017#section-9.2)).
fn encode_message(hash: &[u8; 32], message: &mut [u8]) -> Option<()> {
    *message.first_chunk_mut()? = [0x00, 0x01];
    let (message, place) = message.split_last_chunk_mut()?;
    *place = *hash;
    *message.last_chunk_mut()? = HASH_PREFIX;
    Some(())
}

/// Whether the signature, to the power of the exponent, is the message
/// ([RFC 8017 §5.2.2](https://www.rfc-editor.org/rfc/rfc8017#section-5.2.2)).
///
/// Two integers are compared that stand for all octets of the encoded message,
/// so nothing in it is parsed or skipped.
#[inline(never)]
fn is_root<const LIMBS: usize>(
    signature: &[u8],
    exponent: u64,
    message: &[u8],
    modulus: &FixedMontyParams<LIMBS>,
) -> bool {
    let signature = integer(signature);
    signature < *modulus.modulus().as_ref()
        && power(&signature, exponent, modulus) == integer(message)
}

/// `base` to the power of `exponent`, which is odd and at least 3. For 65,537
/// that takes sixteen squarings and one multiplication.
fn power<const LIMBS: usize>(
    base: &Uint<LIMBS>,
    exponent: u64,
    modulus: &FixedMontyParams<LIMBS>,
) -> Uint<LIMBS> {
    let factor = FixedMontyForm::new(base, modulus);
    let mut power = factor;
    // The bits below the highest, from the left: each a squaring, and for a one
    // a multiplication. The last is a one.
    let mut bits = exponent << exponent.leading_zeros() << 1;
    loop {
        let run = bits.leading_zeros();
        power = power.square_repeat_vartime(run.saturating_add(1));
        bits = bits << run << 1;
        if bits == 0 {
            // Montgomery's product with a factor that is not in Montgomery form
            // is not either: the conversion of the result is saved.
            return power.mul(&FixedMontyForm::from_montgomery(*base, modulus)).to_montgomery();
        }
        power = power.mul(&factor);
    }
}
