//! EMSA-PSS-VERIFY ([RFC 8017 §9.1.2](https://www.rfc-editor.org/rfc/rfc8017#section-9.1.2))
//! with MGF1, the same hash function for both, and a salt with the length of the hash.
#![forbid(unsafe_code)]

use crate::digest::HashFunction;
use crate::digest::sealed::Sealed as _;
use crate::error::InvalidSignature;

/// Verifies that the integer `representative`, big-endian and with the length of a modulus of
/// `modulus_bits` bits, encodes the digest. Overwrites it.
pub(crate) fn verify<H: HashFunction>(
    digest: &H::Digest,
    representative: &mut [u8],
    modulus_bits: u32,
) -> Result<(), InvalidSignature> {
    let hash = digest.octets();
    // The encoded message has one bit less than the modulus. If that is a whole number of
    // octets, the representative has one octet more, which is zero.
    let bits_in_first = modulus_bits.wrapping_sub(1) % 8;
    let (encoded, first_mask) = match (bits_in_first, representative) {
        (0, [0, encoded @ ..]) => (encoded, 0xff),
        (0, _) => return Err(InvalidSignature),
        (bits, encoded) => (encoded, !(0xff_u8.wrapping_shl(bits))),
    };
    let [rest @ .., 0xbc] = encoded else { return Err(InvalidSignature) };
    let (masked, salted) = rest
        .len()
        .checked_sub(hash.len())
        .and_then(|at| rest.split_at_mut_checked(at))
        .ok_or(InvalidSignature)?;
    if masked.first().is_none_or(|first| first & !first_mask != 0) {
        return Err(InvalidSignature);
    }
    // MGF1 (appendix B.2.1).
    for (chunk, counter) in masked.chunks_mut(hash.len()).zip(0_u32..) {
        let mask = H::digest(&[salted, &counter.to_be_bytes()]);
        for (octet, mask) in chunk.iter_mut().zip(mask.octets()) {
            *octet ^= mask;
        }
    }
    if let Some(first) = masked.first_mut() {
        *first &= first_mask;
    }
    let Some((padding, salt)) =
        masked.len().checked_sub(hash.len()).and_then(|at| masked.split_at_checked(at))
    else {
        return Err(InvalidSignature);
    };
    let [zeros @ .., 0x01] = padding else { return Err(InvalidSignature) };
    if zeros.iter().any(|&octet| octet != 0) {
        return Err(InvalidSignature);
    }
    let expected = H::digest(&[&[0; 8], hash, salt]);
    if expected.octets() == salted { Ok(()) } else { Err(InvalidSignature) }
}
