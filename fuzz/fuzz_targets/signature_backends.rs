//! The three backends: the same verdict on any key, signature and message, for each algorithm,
//! and the right one on valid signatures.
//!
//! RSA needs no private key for those: for an exponent of 3, 5 or 7 and any root, `n = root^e
//! − EM` is a modulus under which the root is the signature. ECDSA and EdDSA sign with a key
//! from the input.
#![no_main]

use arbitrary::Arbitrary;
use claimgate::error::KeyRejected;
use claimgate::jwk::{KeyMaterial, VerifyingKey};
use claimgate::{Algorithm, AwsLcAnyKey, Error, PublicKey, PureRustAnyKey, RingAnyKey};
use claimgate_fuzz::timed;
use libfuzzer_sys::fuzz_target;
use num_bigint::BigUint;
use p256::ecdsa::signature::Signer;
use sha2::{Digest, Sha256, Sha384, Sha512};

#[derive(Arbitrary, Debug)]
enum Input<'a> {
    AnyRsa { algorithm: u8, n: &'a [u8], e: u64, signature: &'a [u8], message: &'a [u8] },
    AnyP256 { x: [u8; 32], y: [u8; 32], signature: [u8; 64], message: &'a [u8] },
    AnyP384 { x: [u8; 48], y: [u8; 48], signature: [[u8; 48]; 2], message: &'a [u8] },
    AnyEd25519 { x: [u8; 32], signature: [u8; 64], message: &'a [u8] },
    Rsa { made: Made<'a>, change: Option<Change> },
    Curve { algorithm: u8, private: [u8; 32], message: &'a [u8], change: Option<Change> },
}

#[derive(Arbitrary, Debug)]
struct Made<'a> {
    algorithm: u8,
    bits: u16,
    exponent: u8,
    root: &'a [u8],
    salt: [u8; 64],
    message: &'a [u8],
}

#[derive(Arbitrary, Debug)]
enum Change {
    Key(u16, u8),
    Signature(u16, u8),
    Message(u8),
    /// The number, or the second one, plus the modulus or the order.
    Above(bool),
    /// The order less the second number.
    Opposite,
    LeadingZero,
    OctetLess,
    OtherExponent(u64),
    OtherAlgorithm(u8),
}

#[derive(Clone, PartialEq)]
enum Key {
    Rsa { n: Vec<u8>, e: u64 },
    P256 { x: [u8; 32], y: [u8; 32] },
    P384 { x: [u8; 48], y: [u8; 48] },
    Ed25519 { x: [u8; 32] },
}

/// A key and a signature.
#[derive(Clone, PartialEq)]
struct Case {
    algorithm: Algorithm,
    key: Key,
    signature: Vec<u8>,
    message: Vec<u8>,
}

const RSA: [Algorithm; 6] = [
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
];

fn rsa(index: u8) -> Algorithm {
    RSA[usize::from(index) % RSA.len()]
}

fuzz_target!(|input: Input<'_>| {
    timed(|| run(&input));
});

fn run(input: &Input<'_>) {
    let any = |algorithm, key, signature: &[u8], message: &[u8]| {
        let (signature, message) = (signature.to_vec(), message.to_vec());
        let _ = verdict(&Case { algorithm, key, signature, message });
    };
    let (case, change) = match input {
        Input::AnyRsa { algorithm, n, e, signature, message } => {
            return any(rsa(*algorithm), Key::Rsa { n: n.to_vec(), e: *e }, signature, message);
        }
        Input::AnyP256 { x, y, signature, message } => {
            return any(Algorithm::Es256, Key::P256 { x: *x, y: *y }, signature, message);
        }
        Input::AnyP384 { x, y, signature, message } => {
            let key = Key::P384 { x: *x, y: *y };
            return any(Algorithm::Es384, key, signature.as_flattened(), message);
        }
        Input::AnyEd25519 { x, signature, message } => {
            return any(Algorithm::EdDsa, Key::Ed25519 { x: *x }, signature, message);
        }
        Input::Rsa { made, change } => (make(made), change),
        Input::Curve { algorithm, private, message, change } => {
            (sign(*algorithm, private, message), change)
        }
    };
    let Some(case) = case else { return };
    assert_eq!(verdict(&case), Ok(Ok(())));
    let Some(change) = change else { return };
    let changed = apply(change, &case);
    let is_second = matches!(change, Change::Opposite) && order(changed.algorithm).is_some();
    // Another multiple of the root may have another key, but not one with a single changed
    // octet: that would be a forgery.
    let may_be_valid = changed == case || is_second;
    assert!(may_be_valid || verdict(&changed) != Ok(Ok(())));
    assert!(!is_second || verdict(&changed) == Ok(Ok(())));
}

type Verdict = Result<Result<(), Error>, KeyRejected>;

fn verdict(case: &Case) -> Verdict {
    let ring = verdict_of::<RingAnyKey>(case);
    let aws_lc = verdict_of::<AwsLcAnyKey>(case);
    let pure_rust = verdict_of::<PureRustAnyKey>(case);
    // AWS-LC rejects a few moduli when the key is read, for which the others reject all
    // signatures.
    assert_eq!(ring, pure_rust);
    if aws_lc != Err(KeyRejected::Backend) {
        assert_eq!(ring, aws_lc);
    } else {
        assert!(matches!(case.key, Key::Rsa { .. }));
        assert_ne!(ring, Ok(Ok(())));
    }
    let message = &[&case.message[..]];
    assert_eq!(RingAnyKey::sha256(message), PureRustAnyKey::sha256(message));
    assert_eq!(RingAnyKey::sha256(message), AwsLcAnyKey::sha256(message));
    ring
}

fn verdict_of<K: PublicKey>(case: &Case) -> Verdict {
    let e;
    let material = match &case.key {
        Key::Rsa { n, e: exponent } => {
            e = exponent.to_be_bytes();
            let first = e.iter().position(|byte| *byte != 0).unwrap_or(e.len());
            KeyMaterial::Rsa { n, e: &e[first..] }
        }
        Key::P256 { x, y } => KeyMaterial::P256 { x, y },
        Key::P384 { x, y } => KeyMaterial::P384 { x, y },
        Key::Ed25519 { x } => KeyMaterial::Ed25519 { x },
    };
    let key = VerifyingKey::<K>::new(case.algorithm, material)?;
    Ok(key.verify(&case.message, &case.signature))
}

/// Returns a signature by a private key from the input.
fn sign(algorithm: u8, private: &[u8; 32], message: &[u8]) -> Option<Case> {
    let (algorithm, key, signature) = match algorithm % 3 {
        0 => {
            let private = p256::ecdsa::SigningKey::from_slice(private).ok()?;
            let point = private.verifying_key().to_sec1_point(false);
            let key = Key::P256 {
                x: point.as_bytes()[1..33].try_into().ok()?,
                y: point.as_bytes()[33..].try_into().ok()?,
            };
            let signature: p256::ecdsa::Signature = private.sign(message);
            (Algorithm::Es256, key, signature.to_bytes().to_vec())
        }
        1 => {
            let private = [&[0; 16], &private[..]].concat();
            let private = p384::ecdsa::SigningKey::from_slice(&private).ok()?;
            let point = private.verifying_key().to_sec1_point(false);
            let key = Key::P384 {
                x: point.as_bytes()[1..49].try_into().ok()?,
                y: point.as_bytes()[49..].try_into().ok()?,
            };
            let signature: p384::ecdsa::Signature = private.sign(message);
            (Algorithm::Es384, key, signature.to_bytes().to_vec())
        }
        _ => {
            let private = ed25519_dalek::SigningKey::from_bytes(private);
            let key = Key::Ed25519 { x: private.verifying_key().to_bytes() };
            (Algorithm::EdDsa, key, private.sign(message).to_bytes().to_vec())
        }
    };
    Some(Case { algorithm, key, signature, message: message.to_vec() })
}

/// Returns a modulus with this number of bits under which the root is a signature.
fn make(made: &Made<'_>) -> Option<Case> {
    let bits = 2_048 + u32::from(made.bits) % 2_049;
    let len = bits.div_ceil(8);
    let e = [3, 5, 7][usize::from(made.exponent) % 3];
    // A root whose power has exactly this number of bits, also after subtraction of the
    // encoded message, which begins with the octets 0 and 1 or has at most one bit less than
    // the modulus.
    let power_of_two = |exponent: u32| BigUint::from(1_u8) << exponent;
    let algorithm = rsa(made.algorithm);
    let is_pss = matches!(algorithm, Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512);
    let encoded = if is_pss {
        pss(algorithm, made, bits - 1)
    } else {
        pkcs1(algorithm, made.message, len as usize)
    };
    let encoded = BigUint::from_bytes_be(&encoded);
    let lowest = (power_of_two(bits - 1) + &encoded).nth_root(e) + 2_u8;
    let highest = power_of_two(bits).nth_root(e) - 2_u8;
    if lowest >= highest {
        return None;
    }
    let mut root = &lowest + BigUint::from_bytes_be(made.root) % (&highest - &lowest);
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
    Some(Case {
        algorithm,
        key: Key::Rsa { n: n.to_bytes_be(), e: e.into() },
        signature: padded(&root, len as usize)?,
        message: made.message.to_vec(),
    })
}

fn hash(algorithm: Algorithm, parts: &[&[u8]]) -> Vec<u8> {
    let text = parts.concat();
    match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 => Sha256::digest(text).to_vec(),
        Algorithm::Rs384 | Algorithm::Ps384 => Sha384::digest(text).to_vec(),
        _ => Sha512::digest(text).to_vec(),
    }
}

/// EMSA-PKCS1-v1_5 (RFC 8017 §9.2).
fn pkcs1(algorithm: Algorithm, message: &[u8], len: usize) -> Vec<u8> {
    let hash = hash(algorithm, &[message]);
    let hash_len = hash.len() as u8;
    let identifier = match hash_len {
        32 => 1,
        48 => 2,
        _ => 3,
    };
    let prefix = [
        0x00,
        0x30,
        0x11 + hash_len,
        0x30,
        0x0d,
        0x06,
        0x09,
        0x60,
        0x86,
        0x48,
        0x01,
        0x65,
        0x03,
        0x04,
        0x02,
        identifier,
        0x05,
        0x00,
        0x04,
        hash_len,
    ];
    let padding = vec![0xff; len - 2 - prefix.len() - hash.len()];
    [&[0, 1][..], &padding, &prefix, &hash].concat()
}

/// EMSA-PSS with a salt with the length of the hash (RFC 8017 §9.1.1).
fn pss(algorithm: Algorithm, made: &Made<'_>, bits: u32) -> Vec<u8> {
    let len = bits.div_ceil(8) as usize;
    let message_hash = hash(algorithm, &[made.message]);
    let salt = &made.salt[..message_hash.len()];
    let salted = hash(algorithm, &[&[0; 8], &message_hash, salt]);
    let masked_len = len - salted.len() - 1;
    let mut block = vec![0; masked_len - salt.len() - 1];
    block.push(1);
    block.extend(salt);
    let mask = (0_u32..).flat_map(|counter| hash(algorithm, &[&salted, &counter.to_be_bytes()]));
    block.iter_mut().zip(mask).for_each(|(octet, mask)| *octet ^= mask);
    block[0] &= 0xff >> (8 * len as u32 - bits);
    [&block[..], &salted, &[0xbc]].concat()
}

/// Returns the integer in `len` octets.
fn padded(integer: &BigUint, len: usize) -> Option<Vec<u8>> {
    let bytes = integer.to_bytes_be();
    let mut padded = vec![0; len.checked_sub(bytes.len())?];
    padded.extend(bytes);
    Some(padded)
}

/// Returns the order of the curve of ECDSA.
fn order(algorithm: Algorithm) -> Option<BigUint> {
    let text: &[u8] = match algorithm {
        Algorithm::Es256 => b"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        Algorithm::Es384 => {
            b"ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"
        }
        _ => return None,
    };
    BigUint::parse_bytes(text, 16)
}

fn apply(change: &Change, case: &Case) -> Case {
    let mut changed = case.clone();
    let flip = |bytes: &mut [u8], index: u16, by: u8| {
        let index = usize::from(index) % bytes.len();
        bytes[index] ^= by;
    };
    match change {
        Change::Key(index, by) => match &mut changed.key {
            Key::Rsa { n, .. } => flip(n, *index, *by),
            Key::P256 { x, y } => flip(if index & 1 == 0 { x } else { y }, index >> 1, *by),
            Key::P384 { x, y } => flip(if index & 1 == 0 { x } else { y }, index >> 1, *by),
            Key::Ed25519 { x } => flip(x, *index, *by),
        },
        Change::Signature(index, by) => flip(&mut changed.signature, *index, *by),
        Change::Message(byte) => changed.message.push(*byte),
        Change::Above(second) => above(&mut changed, *second),
        Change::Opposite => {
            if let Some(order) = order(case.algorithm) {
                let (r, s) = case.signature.split_at(case.signature.len() / 2);
                let s = padded(&(order - BigUint::from_bytes_be(s)), s.len()).unwrap();
                changed.signature = [r, &s].concat();
            }
        }
        Change::LeadingZero => changed.signature.insert(0, 0),
        Change::OctetLess => {
            changed.signature.remove(0);
        }
        Change::OtherExponent(other) => {
            if let Key::Rsa { e, .. } = &mut changed.key {
                *e = *other;
            }
        }
        Change::OtherAlgorithm(index) => {
            changed.algorithm = Algorithm::ALL[usize::from(*index) % Algorithm::ALL.len()];
        }
    }
    changed
}

/// Adds the modulus or the order to a number of the signature, if it still fits.
fn above(case: &mut Case, second: bool) {
    if let Key::Rsa { n, .. } = &case.key {
        let above = BigUint::from_bytes_be(&case.signature) + BigUint::from_bytes_be(n);
        if let Some(signature) = padded(&above, case.signature.len()) {
            case.signature = signature;
        }
        return;
    }
    let (first_half, second_half) = case.signature.split_at(case.signature.len() / 2);
    if let Some(order) = order(case.algorithm) {
        let number = BigUint::from_bytes_be(if second { second_half } else { first_half }) + order;
        let Some(octets) = padded(&number, first_half.len()) else { return };
        case.signature =
            if second { [first_half, &octets].concat() } else { [&octets, second_half].concat() };
    } else {
        let order = (BigUint::from(1_u8) << 252_u8)
            + BigUint::parse_bytes(b"27742317777372353535851937790883648493", 10).unwrap();
        let mut s = (BigUint::from_bytes_le(second_half) + order).to_bytes_le();
        s.resize(32, 0);
        case.signature = [first_half, &s].concat();
    }
}
