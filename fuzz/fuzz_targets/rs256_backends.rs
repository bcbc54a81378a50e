//! The three backends: one verdict on any modulus, exponent, signature and
//! message, and the right one on signatures that are made to hold.
//!
//! No private key is needed for those: for an exponent of 3, 5 or 7 and any
//! root, `n = root^e − EM` is a modulus under which the root is the signature.
#![no_main]

use arbitrary::Arbitrary;
use claimgate::error::KeyRejected;
use claimgate::jwk::{KeyMaterial, VerifyingKey};
use claimgate::{Algorithm, AwsLcKey, Error, PublicKey, PureRustKey, RingKey};
use claimgate_fuzz::timed;
use libfuzzer_sys::fuzz_target;
use num_bigint::BigUint;

#[derive(Arbitrary, Debug)]
enum Input<'a> {
    Any { n: &'a [u8], e: u64, signature: &'a [u8], message: &'a [u8] },
    Made { made: Made<'a>, change: Option<Change> },
}

#[derive(Arbitrary, Debug)]
struct Made<'a> {
    bits: u16,
    exponent: u8,
    root: &'a [u8],
    message: &'a [u8],
}

#[derive(Arbitrary, Debug)]
enum Change {
    Modulus(u16, u8),
    Signature(u16, u8),
    Message(u8),
    AboveTheModulus,
    LeadingZero,
    OctetLess,
    OtherExponent(u64),
}

/// A key and a signature.
#[derive(Clone, PartialEq)]
struct Triple {
    n: Vec<u8>,
    e: u64,
    signature: Vec<u8>,
    message: Vec<u8>,
}

fuzz_target!(|input: Input<'_>| {
    timed(|| run(&input));
});

fn run(input: &Input<'_>) {
    match input {
        Input::Any { n, e, signature, message } => {
            let triple = Triple {
                n: n.to_vec(),
                e: *e,
                signature: signature.to_vec(),
                message: message.to_vec(),
            };
            let _ = verdict(&triple);
        }
        Input::Made { made, change } => {
            let Some(triple) = make(made) else { return };
            assert_eq!(verdict(&triple), Ok(Ok(())));
            if let Some(change) = change {
                let changed = apply(change, &triple);
                // To another multiple of the root there may be another key, but
                // not by one changed octet: it would be a forgery.
                assert!(changed == triple || verdict(&changed) != Ok(Ok(())));
            }
        }
    }
}

type Verdict = Result<Result<(), Error>, KeyRejected>;

fn verdict(triple: &Triple) -> Verdict {
    let ring = verdict_of::<RingKey>(triple);
    let aws_lc = verdict_of::<AwsLcKey>(triple);
    let pure_rust = verdict_of::<PureRustKey>(triple);
    // AWS-LC refuses a few moduli when the key is read that the others refuse
    // signatures of.
    assert_eq!(ring, pure_rust);
    if aws_lc != Err(KeyRejected::Backend) {
        assert_eq!(ring, aws_lc);
    } else {
        assert_ne!(ring, Ok(Ok(())));
    }
    assert_eq!(RingKey::sha256(&[&triple.message]), PureRustKey::sha256(&[&triple.message]));
    assert_eq!(RingKey::sha256(&[&triple.message]), AwsLcKey::sha256(&[&triple.message]));
    ring
}

fn verdict_of<K: PublicKey>(triple: &Triple) -> Verdict {
    let e = triple.e.to_be_bytes();
    let e = &e[e.iter().position(|byte| *byte != 0).unwrap_or(e.len())..];
    let material = KeyMaterial::Rsa { n: &triple.n, e };
    let key = VerifyingKey::<K>::new(Algorithm::Rs256, material)?;
    Ok(key.verify(&triple.message, &triple.signature))
}

/// A modulus of this many bits under which the root is a signature.
fn make(made: &Made<'_>) -> Option<Triple> {
    let bits = 2_048 + u32::from(made.bits) % 2_049;
    let len = bits.div_ceil(8);
    let e = [3, 5, 7][usize::from(made.exponent) % 3];
    // A root so that its power has just these bits, also less the encoded message,
    // which begins with the octets 0 and 1.
    let power_of_two = |exponent: u32| BigUint::from(1_u8) << exponent;
    let lowest = (power_of_two(bits - 1) + power_of_two(8 * len - 14)).nth_root(e) + 2_u8;
    let highest = power_of_two(bits).nth_root(e) - 2_u8;
    let mut root = &lowest + BigUint::from_bytes_be(made.root) % (&highest - &lowest);
    let hash = PureRustKey::sha256(&[made.message]);
    let mut encoded = vec![0xff; len as usize];
    encoded[..2].copy_from_slice(&[0x00, 0x01]);
    let at = encoded.len() - 52;
    encoded[at..at + 20].copy_from_slice(
        b"\x00\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20",
    );
    encoded[at + 20..].copy_from_slice(&hash);
    let encoded = BigUint::from_bytes_be(&encoded);
    if root.bit(0) == encoded.bit(0) {
        root += 1_u8;
    }
    let power = root.pow(e);
    if power <= encoded {
        return None;
    }
    let n = power - &encoded;
    if n.bits() != u64::from(bits) || n <= encoded {
        return None;
    }
    Some(Triple {
        n: n.to_bytes_be(),
        e: e.into(),
        signature: padded(&root, len as usize)?,
        message: made.message.to_vec(),
    })
}

/// The integer in `len` octets.
fn padded(integer: &BigUint, len: usize) -> Option<Vec<u8>> {
    let bytes = integer.to_bytes_be();
    let mut padded = vec![0; len.checked_sub(bytes.len())?];
    padded.extend(bytes);
    Some(padded)
}

fn apply(change: &Change, triple: &Triple) -> Triple {
    let mut changed = triple.clone();
    let flip = |bytes: &mut Vec<u8>, index: u16, by: u8| {
        let index = usize::from(index) % bytes.len();
        bytes[index] ^= by;
    };
    match change {
        Change::Modulus(index, by) => flip(&mut changed.n, *index, *by),
        Change::Signature(index, by) => flip(&mut changed.signature, *index, *by),
        Change::Message(byte) => changed.message.push(*byte),
        Change::AboveTheModulus => {
            let n = BigUint::from_bytes_be(&triple.n);
            let above = BigUint::from_bytes_be(&triple.signature) + n;
            if let Some(signature) = padded(&above, triple.signature.len()) {
                changed.signature = signature;
            }
        }
        Change::LeadingZero => changed.signature.insert(0, 0),
        Change::OctetLess => {
            changed.signature.remove(0);
        }
        Change::OtherExponent(e) => changed.e = *e,
    }
    changed
}
