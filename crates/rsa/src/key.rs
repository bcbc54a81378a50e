//! The public key: its validation, and the selection of a kernel.
#![forbid(unsafe_code)]

use core::fmt;

use crate::digest::{HashFunction, MessageDigest, Tail};
use crate::error::{InvalidSignature, KeyRejected};
#[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
use crate::ifma;
use crate::pss;
#[cfg(not(target_pointer_width = "64"))]
use crate::small as portable;
#[cfg(target_pointer_width = "64")]
use crate::wide as portable;

/// The minimum number of bits of a modulus: 2,048.
pub const MIN_MODULUS_BITS: usize = 2_048;
/// The maximum number of bits of a modulus: 4,096.
pub const MAX_MODULUS_BITS: usize = 4_096;
/// The maximum number of octets of a modulus and of a signature: 512.
pub const MAX_MODULUS_LEN: usize = MAX_MODULUS_BITS / 8;
/// The minimum number of octets of a modulus.
const MIN_MODULUS_LEN: usize = MIN_MODULUS_BITS / 8;
/// The maximum exponent: 2^33 − 1.
pub const MAX_EXPONENT: u64 = (1 << 33) - 1;

/// The implementation of the arithmetic that a [`PublicKey`] uses, for logs and
/// benchmarks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kernel {
    /// Safe Rust for any processor.
    Portable,
    /// AVX-512 IFMA, on x86-64 processors that have it.
    Avx512Ifma,
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Portable => "portable",
            Self::Avx512Ifma => "AVX-512 IFMA",
        })
    }
}

/// An RSA public key, prepared for verifications.
///
/// It occupies 2,752 bytes on x86-64, 2,080 on other 64-bit targets, and 1,040 on all others,
/// whatever the size of the modulus. Preparing a key takes about as long as two or three
/// verifications with the portable kernel.
#[derive(Clone)]
pub struct PublicKey(Prepared);

#[cfg_attr(
    all(target_arch = "x86_64", target_pointer_width = "64"),
    expect(clippy::large_enum_variant, reason = "there is no heap to put the larger on")
)]
#[derive(Clone)]
enum Prepared {
    Portable(portable::Key),
    #[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
    Ifma(ifma::Key<ifma::Detected>),
}

impl PublicKey {
    /// Prepares a key with the fastest kernel of this processor. Modulus `n` and
    /// exponent `e` are big-endian.
    ///
    /// # Errors
    ///
    /// [`KeyRejected`] if the modulus or the exponent starts with a zero octet or
    /// is empty, if the modulus does not have 2,048 to 4,096 bits or is even, or
    /// if the exponent is even, below 3, or above [`MAX_EXPONENT`].
    #[inline]
    pub fn new(n: &[u8], e: &[u8]) -> Result<Self, KeyRejected> {
        #[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
        if let (Ok(octets), Some(lanes)) = (n.try_into(), ifma::Detected::new()) {
            let e = check(n, e)?;
            return Ok(Self(Prepared::Ifma(ifma::Key::new(lanes, octets, e))));
        }
        Self::portable(n, e)
    }

    /// Prepares a key with the portable kernel.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new).
    #[inline]
    pub fn portable(n: &[u8], e: &[u8]) -> Result<Self, KeyRejected> {
        let e = check(n, e)?;
        let mut key = Ok(Self(Prepared::Portable(portable::Key::unprepared(e))));
        if let Ok(Self(Prepared::Portable(key))) = &mut key {
            key.prepare(n);
        }
        key
    }

    /// Returns the kernel that the key uses.
    #[must_use]
    pub fn kernel(&self) -> Kernel {
        match &self.0 {
            Prepared::Portable(_) => Kernel::Portable,
            #[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
            Prepared::Ifma(_) => Kernel::Avx512Ifma,
        }
    }

    /// Returns the number of octets of the modulus and of every signature.
    #[must_use]
    pub fn modulus_len(&self) -> usize {
        match &self.0 {
            Prepared::Portable(key) => key.len(),
            #[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
            Prepared::Ifma(_) => ifma::MODULUS_LEN,
        }
    }

    /// Verifies a signature by RSASSA-PKCS1-v1_5
    /// ([RFC 8017 §8.2.2](https://www.rfc-editor.org/rfc/rfc8017#section-8.2.2)).
    ///
    /// The whole encoded message is compared; nothing in it is parsed.
    ///
    /// # Errors
    ///
    /// [`InvalidSignature`] if the signature does not have the length of the modulus, is not
    /// below it, or is not a signature of the digest.
    pub fn verify_pkcs1v15<D: MessageDigest>(
        &self,
        digest: &D,
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let tail = Tail::new(digest);
        let is_valid = match &self.0 {
            Prepared::Portable(key) => key.verify_pkcs1v15(tail, signature),
            #[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
            Prepared::Ifma(key) => key.verify_pkcs1v15(tail, signature),
        };
        if is_valid { Ok(()) } else { Err(InvalidSignature) }
    }

    /// Verifies a signature by RSASSA-PSS
    /// ([RFC 8017 §8.1.2](https://www.rfc-editor.org/rfc/rfc8017#section-8.1.2)),
    /// with MGF1 and the same
    /// hash function, and a salt with the length of the hash.
    ///
    /// # Errors
    ///
    /// [`InvalidSignature`] if the signature does not have the length of the modulus, is not
    /// below it, or is not a signature of the digest.
    pub fn verify_pss<H: HashFunction>(
        &self,
        digest: &H::Digest,
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let mut octets = [0; MAX_MODULUS_LEN];
        let octets = octets.get_mut(..self.modulus_len()).ok_or(InvalidSignature)?;
        let (is_in_range, bits) = match &self.0 {
            Prepared::Portable(key) => (key.recover(octets, signature), key.bits()),
            #[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
            Prepared::Ifma(key) => (key.recover(octets, signature), 2_048),
        };
        if !is_in_range {
            return Err(InvalidSignature);
        }
        pss::verify::<H>(digest, octets, bits)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey")
            .field("modulus_len", &self.modulus_len())
            .field("kernel", &self.kernel())
            .finish_non_exhaustive()
    }
}

/// Returns the exponent of an acceptable key.
fn check(n: &[u8], e: &[u8]) -> Result<u64, KeyRejected> {
    let (Some(&first @ 1..), Some(&last), Some(1..)) = (n.first(), n.last(), e.first()) else {
        return Err(KeyRejected::LeadingZero);
    };
    if n.len() > MAX_MODULUS_LEN {
        return Err(KeyRejected::ModulusTooLarge);
    }
    let is_small = match n.len() {
        0..MIN_MODULUS_LEN => true,
        MIN_MODULUS_LEN => first < 0x80,
        _ => false,
    };
    if is_small {
        return Err(KeyRejected::ModulusTooSmall);
    }
    if last & 1 == 0 {
        return Err(KeyRejected::ModulusEven);
    }
    if e.len() > 5 {
        return Err(KeyRejected::Exponent);
    }
    let e = e.iter().fold(0, |value, &octet| value << 8 | u64::from(octet));
    if e & 1 == 1 && (3..=MAX_EXPONENT).contains(&e) { Ok(e) } else { Err(KeyRejected::Exponent) }
}
