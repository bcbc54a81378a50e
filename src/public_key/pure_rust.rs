//! RS256 in Rust alone, by [crypto-bigint](https://docs.rs/crypto-bigint) and
//! [sha2](https://docs.rs/sha2), the only file that names them.

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{MontyForm, MontyMultiplier, Odd, U2048, U3072, U4096, Uint};
use sha2::{Digest, Sha256};

use super::{KeyMaterial, PublicKey, check_exponent};
use crate::algorithm::{Algorithm, Algorithms};
use crate::error::{InvalidSignature, KeyRejected};

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
pub struct PureRustKey(AnySize);

#[expect(clippy::large_enum_variant, reason = "there is no heap to put the largest on")]
enum AnySize {
    Bits2048(Key<{ U2048::LIMBS }>),
    Bits3072(Key<{ U3072::LIMBS }>),
    Bits4096(Key<{ U4096::LIMBS }>),
}

impl PublicKey for PureRustKey {
    const ALGORITHMS: Algorithms = Algorithms::RS256;

    fn new(_: Algorithm, material: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
        let KeyMaterial::Rsa { n, e } = material else { return Err(KeyRejected::Backend) };
        let key = if n.len() <= U2048::BYTES {
            AnySize::Bits2048(Key::from_components(n, e)?)
        } else if n.len() <= U3072::BYTES {
            AnySize::Bits3072(Key::from_components(n, e)?)
        } else {
            AnySize::Bits4096(Key::from_components(n, e)?)
        };
        Ok(Self(key))
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let hash = Self::sha256(&[message]);
        match &self.0 {
            AnySize::Bits2048(key) => key.verify(&hash, signature),
            AnySize::Bits3072(key) => key.verify(&hash, signature),
            AnySize::Bits4096(key) => key.verify(&hash, signature),
        }
    }

    fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part);
        }
        hash.finalize().into()
    }
}

/// A [`PureRustKey`] of at most 2,048 bits, the size that nearly all issuers
/// use, for programs that count bytes: it takes half the memory, and leaves the
/// code for the larger sizes out.
pub struct PureRust2048Key(Key<{ U2048::LIMBS }>);

impl PublicKey for PureRust2048Key {
    const ALGORITHMS: Algorithms = Algorithms::RS256;

    /// Constructs a key.
    ///
    /// # Errors
    ///
    /// [`KeyRejected::ModulusTooLarge`] above 2,048 bits.
    fn new(_: Algorithm, material: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
        let KeyMaterial::Rsa { n, e } = material else { return Err(KeyRejected::Backend) };
        Key::from_components(n, e).map(Self)
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        self.0.verify(&Self::sha256(&[message]), signature)
    }

    fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        PureRustKey::sha256(parts)
    }
}

/// A key of at most `LIMBS` limbs, with what is computed from it once.
struct Key<const LIMBS: usize> {
    modulus: FixedMontyParams<LIMBS>,
    modulus_len: usize,
    exponent: u64,
}

impl<const LIMBS: usize> Key<LIMBS> {
    fn from_components(n: &[u8], e: &[u8]) -> Result<Self, KeyRejected> {
        if n.len() > Uint::<LIMBS>::BYTES {
            return Err(KeyRejected::ModulusTooLarge);
        }
        let exponent = check_exponent(e)?;
        let modulus = Odd::new(integer(n)).into_option().ok_or(KeyRejected::ModulusEven)?;
        Ok(Self { modulus: FixedMontyParams::new_vartime(modulus), modulus_len: n.len(), exponent })
    }

    /// Verifies the signature of a message with this hash
    /// ([RFC 8017 §8.2.2](https://www.rfc-editor.org/rfc/rfc8017#section-8.2.2)).
    ///
    /// Two integers are compared that stand for all octets of the encoded
    /// message, so nothing in it is parsed or skipped.
    #[inline(never)]
    fn verify(&self, hash: &[u8; 32], signature: &[u8]) -> Result<(), InvalidSignature> {
        if signature.len() != self.modulus_len {
            return Err(InvalidSignature);
        }
        let signature = integer(signature);
        if signature >= *self.modulus.modulus().as_ref() {
            return Err(InvalidSignature);
        }
        let message = encoded_message(hash, self.modulus_len).ok_or(InvalidSignature)?;
        if self.power(&signature) == message { Ok(()) } else { Err(InvalidSignature) }
    }

    /// `base` to the power of the exponent, which is odd and at least 3. For
    /// 65,537 that takes sixteen squarings and one multiplication.
    fn power(&self, base: &Uint<LIMBS>) -> Uint<LIMBS> {
        let mut multiplier = Multiplier::from(&self.modulus);
        let mut factor = FixedMontyForm::new(base, &self.modulus);
        let mut power = factor;
        // The bits below the highest, from the left: each a squaring, and for a
        // one a multiplication. The last is a one.
        let mut bits = self.exponent << self.exponent.leading_zeros() << 1;
        loop {
            let run = bits.leading_zeros();
            for _ in 0..=run {
                multiplier.square_assign(&mut power);
            }
            bits = bits << run << 1;
            if bits == 0 {
                // Montgomery's product with a factor that is not in Montgomery
                // form is not either: the conversion of the result is saved.
                *factor.as_montgomery_mut() = *base;
                multiplier.mul_assign(&mut power, &factor);
                return power.to_montgomery();
            }
            multiplier.mul_assign(&mut power, &factor);
        }
    }
}

/// Multiplies and squares in place.
type Multiplier<'k, const LIMBS: usize> = <FixedMontyForm<LIMBS> as MontyForm>::Multiplier<'k>;

/// Octets to integer
/// ([RFC 8017 §4.2](https://www.rfc-editor.org/rfc/rfc8017#section-4.2)).
fn integer<const LIMBS: usize>(octets: &[u8]) -> Uint<LIMBS> {
    Uint::from_be_slice_truncated(octets, Uint::<LIMBS>::BITS)
}

/// The encoded message of a hash, `length` octets
/// ([RFC 8017 §9.2](https://www.rfc-editor.org/rfc/rfc8017#section-9.2)), as an
/// integer. `None` if they do not hold it.
fn encoded_message<const LIMBS: usize>(hash: &[u8; 32], length: usize) -> Option<Uint<LIMBS>> {
    let mut octets = Uint::<LIMBS>::MAX.to_be_bytes();
    let octets = octets.as_mut().get_mut(..length)?;
    *octets.first_chunk_mut()? = [0x00, 0x01];
    let (start, end) = octets.split_last_chunk_mut()?;
    *end = *hash;
    *start.last_chunk_mut()? = HASH_PREFIX;
    Some(integer(octets))
}
