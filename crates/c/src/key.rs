//! Public keys, verified by the library or by the program.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

#[cfg(feature = "pure-rust")]
use claimgate::PureRustAnyKey as SoftwareKey;
#[cfg(all(feature = "pure-rust-rs256", not(feature = "pure-rust")))]
use claimgate::PureRustKey as SoftwareKey;
use claimgate::error::{InvalidSignature, KeyRejected};
use claimgate::jwk::{Algorithms, HalfHash, KeyMaterial};
use claimgate::{Algorithm, PublicKey};

use crate::code::claimgate_code;
use crate::memory::code;
use crate::text::claimgate_text;

/// RSASSA-PKCS1-v1_5 with SHA-256.
pub const CLAIMGATE_RS256: u32 = 1;
/// RSASSA-PKCS1-v1_5 with SHA-384.
pub const CLAIMGATE_RS384: u32 = 2;
/// RSASSA-PKCS1-v1_5 with SHA-512.
pub const CLAIMGATE_RS512: u32 = 4;
/// RSASSA-PSS with SHA-256.
pub const CLAIMGATE_PS256: u32 = 8;
/// RSASSA-PSS with SHA-384.
pub const CLAIMGATE_PS384: u32 = 16;
/// RSASSA-PSS with SHA-512.
pub const CLAIMGATE_PS512: u32 = 32;
/// ECDSA on P-256 with SHA-256.
pub const CLAIMGATE_ES256: u32 = 64;
/// ECDSA on P-384 with SHA-384.
pub const CLAIMGATE_ES384: u32 = 128;
/// EdDSA on Ed25519.
pub const CLAIMGATE_EDDSA: u32 = 256;

const BITS: [(u32, Algorithm); 9] = [
    (CLAIMGATE_RS256, Algorithm::Rs256),
    (CLAIMGATE_RS384, Algorithm::Rs384),
    (CLAIMGATE_RS512, Algorithm::Rs512),
    (CLAIMGATE_PS256, Algorithm::Ps256),
    (CLAIMGATE_PS384, Algorithm::Ps384),
    (CLAIMGATE_PS512, Algorithm::Ps512),
    (CLAIMGATE_ES256, Algorithm::Es256),
    (CLAIMGATE_ES384, Algorithm::Es384),
    (CLAIMGATE_EDDSA, Algorithm::EdDsa),
];

fn bit_of(algorithm: Algorithm) -> u32 {
    BITS.iter().find(|(_, candidate)| *candidate == algorithm).map_or(0, |(bit, _)| *bit)
}

/// Returns the algorithms for these bits. 0 is [`CLAIMGATE_RS256`].
pub(crate) fn algorithms(bits: u32) -> Result<Algorithms, claimgate_code> {
    let bits = if bits == 0 { CLAIMGATE_RS256 } else { bits };
    if bits > 0x1ff {
        return Err(claimgate_code::CLAIMGATE_INVALID_SETTING);
    }
    let mut named = [Algorithm::Rs256; BITS.len()];
    let mut count = 0_usize;
    for (place, (_, algorithm)) in
        named.iter_mut().zip(BITS.iter().filter(|(bit, _)| bits & bit != 0))
    {
        *place = *algorithm;
        count = count.saturating_add(1);
    }
    Ok(Algorithms::of(named.get(..count).unwrap_or_default()))
}

/// The numbers of a public key, big-endian.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct claimgate_key_material {
    /// The algorithm of the key: one of the constants from [`CLAIMGATE_RS256`] on.
    pub algorithm: u32,
    /// RSA: the modulus. Elliptic curves: the x coordinate, or the encoded point.
    pub n_or_x: claimgate_text,
    /// RSA: the exponent. P-256 and P-384: the y coordinate. Otherwise not given.
    pub e_or_y: claimgate_text,
}

/// Functions that verify signatures and compute hashes instead of the library, for a crypto
/// peripheral or another library.
///
/// The functions are called by the thread that validates or reads a key set, with pointers
/// that are valid during the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct claimgate_verifier {
    /// Passed to the functions.
    pub context: *mut c_void,
    /// The algorithms that `verify` implements: a combination of the constants from
    /// [`CLAIMGATE_RS256`] on. 0 is [`CLAIMGATE_RS256`].
    pub algorithms: u32,
    /// Verifies a signature of `message`, which is not hashed yet. The signature has the
    /// length that the key's algorithm requires. Returns 1 if it is valid; any other value
    /// rejects it.
    pub verify: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            key: *const claimgate_key_material,
            message: claimgate_text,
            signature: claimgate_text,
        ) -> i32,
    >,
    /// Writes the hash of the concatenation of `count` parts to `hash`. `bits` is 256, 384 or
    /// 512, for SHA-256, SHA-384 and SHA-512; `hash` is writable for a byte for every eight.
    ///
    /// May be null where the library was built with signatures in Rust, which then computes hashes.
    pub hash: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            bits: u32,
            parts: *const claimgate_text,
            count: usize,
            hash: *mut u8,
        ),
    >,
}

/// Whether the library verifies signatures and computes hashes itself.
const HAS_SOFTWARE: bool = cfg!(any(feature = "pure-rust", feature = "pure-rust-rs256"));

/// The verifier of keys that are read from now on.
static VERIFIER: AtomicPtr<claimgate_verifier> = AtomicPtr::new(ptr::null_mut());

fn verifier() -> Option<claimgate_verifier> {
    let verifier = VERIFIER.load(Ordering::Acquire);
    // SAFETY: the contract of `claimgate_use_verifier` is that it stays readable and
    // unchanged.
    if verifier.is_null() { None } else { Some(unsafe { *verifier }) }
}

/// Sets the functions that verify signatures for keys that are read from now on; a null
/// `verifier` selects the library again. Keys that were read before are not affected.
///
/// This is the only global state. Call it before the first key set is read.
///
/// Returns [`CLAIMGATE_INVALID_SETTING`](claimgate_code::CLAIMGATE_INVALID_SETTING), and changes
/// nothing, if `verify` is null. If the library was built without signatures in Rust, `hash` and
/// `verifier` must not be null either.
///
/// # Safety
///
/// `verifier` is null or points to a structure that stays readable and unchanged until
/// another one, or null, is set. Its functions have the behaviour described there, and do not
/// unwind.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_use_verifier(
    verifier: *const claimgate_verifier,
) -> claimgate_code {
    code((|| {
        if verifier.is_null() {
            if !HAS_SOFTWARE {
                return Err(claimgate_code::CLAIMGATE_INVALID_SETTING);
            }
        } else {
            if !verifier.is_aligned() {
                return Err(claimgate_code::CLAIMGATE_MISALIGNED);
            }
            // SAFETY: not null, aligned, and the caller promises that it is readable.
            let claimgate_verifier { algorithms: bits, verify, hash, .. } = unsafe { *verifier };
            algorithms(bits)?;
            if verify.is_none() || (hash.is_none() && !HAS_SOFTWARE) {
                return Err(claimgate_code::CLAIMGATE_INVALID_SETTING);
            }
        }
        VERIFIER.store(verifier.cast_mut(), Ordering::Release);
        Ok(())
    })())
}

/// A key with which the program verifies signatures.
pub(crate) struct CallerKey {
    verifier: claimgate_verifier,
    algorithm: Algorithm,
    n_or_x: [u8; KeyMaterial::MAX_MODULUS_LEN],
    n_or_x_len: usize,
    e_or_y: [u8; 48],
    e_or_y_len: usize,
}

impl CallerKey {
    fn new(
        verifier: claimgate_verifier,
        algorithm: Algorithm,
        material: KeyMaterial<'_>,
    ) -> Result<Self, KeyRejected> {
        if bits_of(verifier) & bit_of(algorithm) == 0 {
            return Err(KeyRejected::Algorithm(Some(algorithm)));
        }
        let (first, second): (&[u8], &[u8]) = match material {
            KeyMaterial::Rsa { n, e } => (n, e),
            KeyMaterial::P256 { x, y } => (x, y),
            KeyMaterial::P384 { x, y } => (x, y),
            KeyMaterial::Ed25519 { x } => (x, &[]),
            _ => return Err(KeyRejected::Backend),
        };
        let mut key = Self {
            verifier,
            algorithm,
            n_or_x: [0; KeyMaterial::MAX_MODULUS_LEN],
            n_or_x_len: first.len(),
            e_or_y: [0; 48],
            e_or_y_len: second.len(),
        };
        let places = key.n_or_x.get_mut(..first.len()).zip(key.e_or_y.get_mut(..second.len()));
        let (n_or_x, e_or_y) = places.ok_or(KeyRejected::Backend)?;
        n_or_x.copy_from_slice(first);
        e_or_y.copy_from_slice(second);
        Ok(key)
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let verify = self.verifier.verify.ok_or(InvalidSignature)?;
        let key = claimgate_key_material {
            algorithm: bit_of(self.algorithm),
            n_or_x: bytes(self.n_or_x.get(..self.n_or_x_len).unwrap_or_default()),
            e_or_y: bytes(self.e_or_y.get(..self.e_or_y_len).unwrap_or_default()),
        };
        // SAFETY: the contract of `claimgate_use_verifier` is that the function may be called
        // with pointers that are valid during the call.
        let verdict =
            unsafe { verify(self.verifier.context, &key, bytes(message), bytes(signature)) };
        if verdict == 1 { Ok(()) } else { Err(InvalidSignature) }
    }
}

fn bits_of(verifier: claimgate_verifier) -> u32 {
    if verifier.algorithms == 0 { CLAIMGATE_RS256 } else { verifier.algorithms }
}

fn bytes(bytes: &[u8]) -> claimgate_text {
    claimgate_text { data: bytes.as_ptr().cast(), length: bytes.len() }
}

/// Computes a hash with the program's function.
fn hash<const LEN: usize>(
    verifier: claimgate_verifier,
    bits: u32,
    parts: &[&[u8]],
) -> Option<[u8; LEN]> {
    // Thumbprints have five parts, fingerprints four.
    let mut texts = [claimgate_text::NONE; 8];
    let texts = texts.get_mut(..parts.len())?;
    texts.iter_mut().zip(parts).for_each(|(text, part)| *text = bytes(part));
    let mut out = [0; LEN];
    let function = verifier.hash?;
    // SAFETY: as in `verify`; `out` has a byte for every eight bits.
    unsafe { function(verifier.context, bits, texts.as_ptr(), texts.len(), out.as_mut_ptr()) };
    Some(out)
}

/// A key that is verified by the library or by the program.
#[cfg_attr(
    any(feature = "pure-rust", feature = "pure-rust-rs256"),
    expect(clippy::large_enum_variant, reason = "there is no heap to put the largest on")
)]
pub(crate) enum Key {
    #[cfg(any(feature = "pure-rust", feature = "pure-rust-rs256"))]
    Software(SoftwareKey),
    Caller(CallerKey),
}

impl PublicKey for Key {
    #[cfg(any(feature = "pure-rust", feature = "pure-rust-rs256"))]
    const ALGORITHMS: Algorithms = SoftwareKey::ALGORITHMS;
    #[cfg(not(any(feature = "pure-rust", feature = "pure-rust-rs256")))]
    const ALGORITHMS: Algorithms = Algorithms::ALL;

    fn new(algorithm: Algorithm, material: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
        match verifier() {
            Some(verifier) => CallerKey::new(verifier, algorithm, material).map(Self::Caller),
            #[cfg(any(feature = "pure-rust", feature = "pure-rust-rs256"))]
            None => SoftwareKey::new(algorithm, material).map(Self::Software),
            #[cfg(not(any(feature = "pure-rust", feature = "pure-rust-rs256")))]
            None => Err(KeyRejected::Backend),
        }
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        match self {
            #[cfg(any(feature = "pure-rust", feature = "pure-rust-rs256"))]
            Self::Software(key) => key.verify(message, signature),
            Self::Caller(key) => key.verify(message, signature),
        }
    }

    fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        #[cfg(any(feature = "pure-rust", feature = "pure-rust-rs256"))]
        return SoftwareKey::sha256(parts);
        // There is a verifier with a hash: keys are constructed only with one, which is replaced
        // only by another.
        #[cfg(not(any(feature = "pure-rust", feature = "pure-rust-rs256")))]
        verifier().and_then(|verifier| hash(verifier, 256, parts)).unwrap_or_default()
    }

    fn half_hash(&self, text: &[u8]) -> HalfHash {
        let key = match self {
            #[cfg(any(feature = "pure-rust", feature = "pure-rust-rs256"))]
            Self::Software(key) => return key.half_hash(text),
            Self::Caller(key) => key,
        };
        // If the hash cannot be computed, `at_hash` is compared with zeros, which are not the
        // hash of any known text.
        match key.algorithm {
            Algorithm::Rs384 | Algorithm::Ps384 | Algorithm::Es384 => {
                HalfHash::of_sha384(&hash(key.verifier, 384, &[text]).unwrap_or([0; 48]))
            }
            Algorithm::Rs512 | Algorithm::Ps512 | Algorithm::EdDsa => {
                HalfHash::of_sha512(&hash(key.verifier, 512, &[text]).unwrap_or([0; 64]))
            }
            _ => HalfHash::of_sha256(&match hash(key.verifier, 256, &[text]) {
                Some(hash) => hash,
                None => Self::sha256(&[text]),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    unsafe extern "C" fn verify(
        _: *mut c_void,
        _: *const claimgate_key_material,
        _: claimgate_text,
        _: claimgate_text,
    ) -> i32 {
        1
    }

    unsafe extern "C" fn hash(
        _: *mut c_void,
        bits: u32,
        _: *const claimgate_text,
        _: usize,
        hash: *mut u8,
    ) {
        // SAFETY: writable for a byte for every eight bits.
        unsafe { hash.write_bytes(7, usize::try_from(bits / 8).unwrap()) }
    }

    const VERIFIER: claimgate_verifier = claimgate_verifier {
        context: ptr::null_mut(),
        algorithms: CLAIMGATE_EDDSA,
        verify: Some(verify),
        hash: Some(hash),
    };
    static OWN: Shared = Shared(VERIFIER);
    static WITHOUT_HASH: Shared = Shared(claimgate_verifier { hash: None, ..VERIFIER });

    struct Shared(claimgate_verifier);

    // SAFETY: never written to, and the context is not used.
    unsafe impl Sync for Shared {}

    /// The hashes of keys are those of the program, or of the library, and never zeros.
    #[test]
    fn a_library_without_hashes_keeps_its_verifier() {
        let of = |verifier: &'static claimgate_verifier| {
            // SAFETY: static, with the behaviour that is required.
            unsafe { claimgate_use_verifier(verifier) }
        };
        // SAFETY: null is allowed.
        let remove = || unsafe { claimgate_use_verifier(ptr::null()) };
        let expected = if HAS_SOFTWARE {
            [claimgate_code::CLAIMGATE_OK; 3]
        } else {
            [claimgate_code::CLAIMGATE_INVALID_SETTING; 3]
        };
        let material = KeyMaterial::Ed25519 { x: &[1; 32] };
        assert_eq!(remove(), expected[0]);
        assert_eq!(of(&WITHOUT_HASH.0), expected[1]);
        assert_eq!(of(&OWN.0), claimgate_code::CLAIMGATE_OK);
        assert!(Key::new(Algorithm::EdDsa, material).is_ok());
        assert_eq!(remove(), expected[2]);
        assert_ne!(Key::sha256(&[b"a"]), [0; 32]);
    }
}
