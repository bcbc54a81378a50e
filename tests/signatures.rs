//! Signatures of all algorithms with every backend: which are accepted, the agreement of the
//! backends, and the hash for `at_hash`. Rules K1, K10, K12 to K14 and I9.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust"))]

#[path = "support/signers.rs"]
mod signers;

use claimgate::error::KeyRejected;
use claimgate::jwk::{HalfHash, VerifyingKey};
use claimgate::{Algorithm, Error, PublicKey};
use num_bigint::BigUint;
use ring::digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512};
use signers::{AnySigner, OwnedMaterial};

const MESSAGE: &[u8] = b"eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0";

const INVALID: Result<(), Error> = Err(Error::InvalidSignature);

/// One key in every backend of the build.
struct EveryKey {
    #[cfg(feature = "ring")]
    ring: VerifyingKey<claimgate::RingAnyKey>,
    #[cfg(feature = "aws-lc-rs")]
    aws_lc_rs: VerifyingKey<claimgate::AwsLcAnyKey>,
    #[cfg(feature = "pure-rust")]
    pure_rust: VerifyingKey<claimgate::PureRustAnyKey>,
}

impl EveryKey {
    fn new(algorithm: Algorithm, material: &OwnedMaterial) -> Result<Self, KeyRejected> {
        let material = material.borrow();
        Ok(Self {
            #[cfg(feature = "ring")]
            ring: VerifyingKey::new(algorithm, material)?,
            #[cfg(feature = "aws-lc-rs")]
            aws_lc_rs: VerifyingKey::new(algorithm, material)?,
            #[cfg(feature = "pure-rust")]
            pure_rust: VerifyingKey::new(algorithm, material)?,
        })
    }

    fn of(signer: &AnySigner) -> Self {
        Self::new(signer.algorithm, &signer.material()).unwrap()
    }

    /// Returns the verdict, which must be the same for all backends.
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        let verdicts = [
            #[cfg(feature = "ring")]
            self.ring.verify(message, signature),
            #[cfg(feature = "aws-lc-rs")]
            self.aws_lc_rs.verify(message, signature),
            #[cfg(feature = "pure-rust")]
            self.pure_rust.verify(message, signature),
        ];
        let is_one = verdicts.iter().all(|verdict| *verdict == verdicts[0]);
        assert!(is_one, "{verdicts:?} on {signature:02x?}");
        verdicts[0]
    }
}

fn number(octets: &[u8]) -> BigUint {
    BigUint::from_bytes_be(octets)
}

/// Returns the number, big-endian in `len` octets.
fn octets(number: &BigUint, len: usize) -> Vec<u8> {
    let octets = number.to_bytes_be();
    [vec![0; len.checked_sub(octets.len()).unwrap()], octets].concat()
}

/// Returns the order of P-256 or P-384.
fn order(algorithm: Algorithm) -> BigUint {
    let text: &[u8] = match algorithm {
        Algorithm::Es256 => b"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        Algorithm::Es384 => {
            b"ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"
        }
        other => panic!("{other}"),
    };
    BigUint::parse_bytes(text, 16).unwrap()
}

const ECDSA: [Algorithm; 2] = [Algorithm::Es256, Algorithm::Es384];

/// Returns the verdict on r ‖ s.
fn verify_numbers(key: &EveryKey, r: &BigUint, s: &BigUint, len: usize) -> Result<(), Error> {
    key.verify(MESSAGE, &[octets(r, len), octets(s, len)].concat())
}

#[test]
fn k01_a_signature_is_of_one_algorithm_by_one_key() {
    let mut verified = 0;
    for signer in Algorithm::ALL.map(AnySigner::a) {
        let signature = signer.signature(MESSAGE);
        for algorithm in Algorithm::ALL {
            for key_of in [AnySigner::a(algorithm), AnySigner::b(algorithm)] {
                let is_its_own =
                    algorithm == signer.algorithm && key_of.material() == signer.material();
                let expected = if is_its_own { Ok(()) } else { INVALID };
                let verdict = EveryKey::of(&key_of).verify(MESSAGE, &signature);
                assert_eq!(verdict, expected, "{} {algorithm}", signer.algorithm);
                verified += usize::from(is_its_own);
            }
        }
    }
    assert_eq!(verified, 9);
}

#[test]
fn k01_other_messages_and_long_and_empty_ones() {
    for signer in Algorithm::ALL.map(AnySigner::a) {
        let key = EveryKey::of(&signer);
        for message in [b"".as_slice(), b"a", &[0; 64], &[7; 127], &[9; 128], &[0xff; 100_000]] {
            let signature = signer.signature(message);
            assert_eq!(key.verify(message, &signature), Ok(()));
            let longer = [message, &[0]].concat();
            assert_eq!(key.verify(&longer, &signature), INVALID);
            if let Some((_, shorter)) = message.split_last() {
                assert_eq!(key.verify(shorter, &signature), INVALID);
            }
        }
    }
}

#[test]
fn k10_k12_k13_a_signature_has_exactly_its_length() {
    for signer in Algorithm::ALL.map(AnySigner::a) {
        let key = EveryKey::of(&signer);
        let signature = signer.signature(MESSAGE);
        let len = match signer.algorithm {
            Algorithm::Es256 | Algorithm::EdDsa => 64,
            Algorithm::Es384 => 96,
            _ => 256,
        };
        assert_eq!(signature.len(), len);
        assert_eq!(key.verify(MESSAGE, &signature), Ok(()));
        for changed in [
            vec![],
            vec![0],
            signature[1..].to_vec(),
            signature[..len - 1].to_vec(),
            [&[0], &signature[..]].concat(),
            [&signature[..], &[0]].concat(),
            [&signature[..], &signature[..]].concat(),
            signature[..len / 2].to_vec(),
            vec![0; len],
            vec![0xff; len],
            signature.iter().rev().copied().collect(),
            [&signature[len / 2..], &signature[..len / 2]].concat(),
        ] {
            assert_eq!(key.verify(MESSAGE, &changed), INVALID, "{} {changed:02x?}", signer.kid);
        }
    }
}

#[test]
fn k10_k12_k13_every_bit_of_a_signature_counts() {
    for signer in Algorithm::ALL.map(AnySigner::a) {
        let key = EveryKey::of(&signer);
        let signature = signer.signature(MESSAGE);
        // RSA key generation is slow, so these keys have 2,048 bits.
        let step = if signature.len() == 256 { 61 } else { 1 };
        for bit in (0..8 * signature.len()).step_by(step) {
            let mut changed = signature.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key.verify(MESSAGE, &changed), INVALID, "{} {bit}", signer.algorithm);
        }
    }
}

#[test]
fn k12_k13_every_bit_of_a_key_counts() {
    for algorithm in [Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa] {
        let signer = AnySigner::a(algorithm);
        let signature = signer.signature(MESSAGE);
        let (mut refused, mut other_keys) = (0, 0);
        let material = signer.material();
        let bits = match algorithm {
            Algorithm::Es256 => 512,
            Algorithm::Es384 => 768,
            _ => 256,
        };
        for bit in 0..bits {
            let mut changed = material.clone();
            let octet = match &mut changed {
                OwnedMaterial::P256 { x, y } => x.iter_mut().chain(y).nth(bit / 8),
                OwnedMaterial::P384 { x, y } => x.iter_mut().chain(y).nth(bit / 8),
                OwnedMaterial::Ed25519 { x } => x.get_mut(bit / 8),
                OwnedMaterial::Rsa { .. } => None,
            };
            *octet.unwrap() ^= 1 << (bit % 8);
            match EveryKey::new(algorithm, &changed) {
                Err(reason) => {
                    assert_eq!(reason, KeyRejected::Point);
                    refused += 1;
                }
                Ok(key) => {
                    assert_eq!(key.verify(MESSAGE, &signature), INVALID, "{algorithm} {bit}");
                    other_keys += 1;
                }
            }
        }
        if algorithm == Algorithm::EdDsa {
            // Half of the encodings are valid points.
            assert!(refused > 80 && other_keys > 80, "{refused} {other_keys}");
        } else {
            assert_eq!((refused, other_keys), (bits, 0));
        }
    }
}

#[test]
fn k12_r_and_s_are_from_1_to_the_order_less_1() {
    for algorithm in ECDSA {
        let signer = AnySigner::a(algorithm);
        let key = EveryKey::of(&signer);
        let n = order(algorithm);
        let signature = signer.signature(MESSAGE);
        let len = signature.len() / 2;
        let (r, s) = (number(&signature[..len]), number(&signature[len..]));
        let verify = |r: &BigUint, s: &BigUint| verify_numbers(&key, r, s, len);
        assert_eq!(verify(&r, &s), Ok(()));
        let zero = BigUint::ZERO;
        let one = BigUint::from(1_u8);
        for edge in [zero, one.clone(), &n - 1_u8, n.clone(), &n + 1_u8] {
            assert_eq!(verify(&edge, &s), INVALID);
            assert_eq!(verify(&r, &edge), INVALID);
            assert_eq!(verify(&edge, &edge), INVALID);
        }
        let largest = (BigUint::from(1_u8) << (8 * len)) - 1_u8;
        assert_eq!(verify(&largest, &s), INVALID);
        assert_eq!(verify(&r, &largest), INVALID);
    }
}

#[test]
fn k12_numbers_that_are_equal_modulo_the_order_are_not_read_as_equal() {
    for algorithm in ECDSA {
        let signer = AnySigner::a(algorithm);
        let key = EveryKey::of(&signer);
        let n = order(algorithm);
        let len = if algorithm == Algorithm::Es256 { 32 } else { 48 };
        let limit = BigUint::from(1_u8) << (8 * len);
        // r + n and s + n have the right length only for small r and s, which do not occur by
        // chance; a number with one more octet has the wrong length.
        let signature = signer.signature(MESSAGE);
        let (r, s) = (number(&signature[..len]), number(&signature[len..]));
        let longer = [octets(&(&r + &n), len + 1), octets(&s, len + 1)].concat();
        assert_eq!(key.verify(MESSAGE, &longer), INVALID);
        let wrapped = (&r + &n) % &limit;
        assert_eq!(verify_numbers(&key, &wrapped, &s, len), INVALID);
        let wrapped = (&s + &n) % &limit;
        assert_eq!(verify_numbers(&key, &r, &wrapped, len), INVALID);
    }
}

/// A signature with a small r or s is constructed by choosing the key: with r the x coordinate
/// of R = k·G, s any number and z the hash, the public key is Q = r⁻¹·(s·R − z·G).
#[test]
fn k12_r_plus_n_is_refused_where_r_is_accepted() {
    let curve = P256::new();
    let n = &curve.order;
    let z = number(digest::digest(&SHA256, MESSAGE).as_ref()) % n;
    // The smallest r that is the x coordinate of a point, so that r + n is below 2^256.
    let (r, point) = (5_u8..)
        .find_map(|x| curve.lift(&BigUint::from(x)).map(|point| (BigUint::from(x), point)))
        .unwrap();
    let s = BigUint::from(3_u8);
    let difference =
        curve.add(&curve.multiply(&s, &point), &curve.multiply(&(n - &z), &curve.base));
    let inverse = r.modpow(&(n - 2_u8), n);
    let (x, y) = curve.multiply(&inverse, &difference).unwrap();
    let material = OwnedMaterial::P256 {
        x: octets(&x, 32).try_into().unwrap(),
        y: octets(&y, 32).try_into().unwrap(),
    };
    let key = EveryKey::new(Algorithm::Es256, &material).unwrap();
    let verify = |r: &BigUint, s: &BigUint| verify_numbers(&key, r, s, 32);
    assert_eq!(verify(&r, &s), Ok(()));
    assert_eq!(verify(&(&r + n), &s), INVALID);
    assert_eq!(verify(&r, &(&s + n)), INVALID);
    assert_eq!(verify(&(&r + n), &(&s + n)), INVALID);
    // The x coordinate of R may be r + n; only r is then valid.
    assert_eq!(verify(&r, &(n - &s)), Ok(()));
    assert_eq!(verify(&(n - &r), &s), INVALID);
}

/// P-256 in affine coordinates, slow and simple, to construct signatures.
struct P256 {
    p: BigUint,
    order: BigUint,
    b: BigUint,
    base: Option<(BigUint, BigUint)>,
}

type Point = Option<(BigUint, BigUint)>;

impl P256 {
    fn new() -> Self {
        let parse = |text: &[u8]| BigUint::parse_bytes(text, 16).unwrap();
        let p = parse(b"ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
        let b = parse(b"5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b");
        let x = parse(b"6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296");
        let y = parse(b"4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");
        let curve = Self { p, order: order(Algorithm::Es256), b, base: Some((x, y)) };
        assert_eq!(curve.multiply(&curve.order, &curve.base), None);
        curve
    }

    /// Returns a point with this x coordinate.
    fn lift(&self, x: &BigUint) -> Option<Point> {
        let p = &self.p;
        let square = (x * x * x + 3_u8 * (p - x) + &self.b) % p;
        let y = square.modpow(&((p + 1_u8) / 4_u8), p);
        (&y * &y % p == square).then(|| Some((x.clone(), y)))
    }

    fn add(&self, left: &Point, right: &Point) -> Point {
        let p = &self.p;
        let (Some((x1, y1)), Some((x2, y2))) = (left, right) else {
            return left.clone().or_else(|| right.clone());
        };
        let (dividend, divisor) = if x1 != x2 {
            (y2 + p - y1, x2 + p - x1)
        } else if y1 == y2 {
            (3_u8 * x1 * x1 + p - 3_u8, 2_u8 * y1)
        } else {
            return None;
        };
        let slope = dividend * divisor.modpow(&(p - 2_u8), p) % p;
        let x = (&slope * &slope + p + p - x1 - x2) % p;
        let y = (slope * (x1 + p - &x) + p - y1) % p;
        Some((x, y))
    }

    fn multiply(&self, factor: &BigUint, point: &Point) -> Point {
        let mut product = None;
        for bit in (0..factor.bits()).rev() {
            product = self.add(&product, &product);
            if factor.bit(bit) {
                product = self.add(&product, point);
            }
        }
        product
    }
}

/// Every ECDSA signature has a second one, with n − s, which anyone can compute. It is valid
/// for the same text, and a token is not identified by its signature. RFC 7518 does not
/// exclude it, and issuers send both forms.
#[test]
fn k12_both_s_and_n_minus_s_are_accepted() {
    for algorithm in ECDSA {
        let signer = AnySigner::a(algorithm);
        let key = EveryKey::of(&signer);
        let n = order(algorithm);
        let signature = signer.signature(MESSAGE);
        let len = signature.len() / 2;
        let (r, s) = (number(&signature[..len]), number(&signature[len..]));
        assert_eq!(verify_numbers(&key, &r, &(&n - &s), len), Ok(()));
        assert_eq!(verify_numbers(&key, &(&n - &r), &s, len), INVALID);
        assert_eq!(verify_numbers(&key, &s, &r, len), INVALID);
    }
}

#[test]
fn k12_der_is_refused() {
    fn integer(octets: &[u8]) -> Vec<u8> {
        let zeros = octets.iter().take_while(|octet| **octet == 0).count();
        let octets = &octets[zeros..];
        let sign = if octets[0] >= 0x80 { [0].as_slice() } else { &[] };
        let len = u8::try_from(sign.len() + octets.len()).unwrap();
        [&[2, len], sign, octets].concat()
    }
    for algorithm in ECDSA {
        let signer = AnySigner::a(algorithm);
        let key = EveryKey::of(&signer);
        let signature = signer.signature(MESSAGE);
        let len = signature.len();
        let (r, s) = signature.split_at(len / 2);
        let numbers = [integer(r), integer(s)].concat();
        let der = [&[0x30, u8::try_from(numbers.len()).unwrap()], &numbers[..]].concat();
        assert_eq!(key.verify(MESSAGE, &der), INVALID);
        // Truncated or padded to the right length.
        assert_eq!(key.verify(MESSAGE, &der[..len]), INVALID);
        assert_eq!(key.verify(MESSAGE, &der[der.len() - len..]), INVALID);
    }
}

/// Returns the order of Ed25519's base point.
fn ed25519_order() -> BigUint {
    BigUint::parse_bytes(b"27742317777372353535851937790883648493", 10).unwrap()
        + (BigUint::from(1_u8) << 252)
}

#[test]
fn k13_s_is_below_the_order() {
    let signer = AnySigner::a(Algorithm::EdDsa);
    let key = EveryKey::of(&signer);
    let signature = signer.signature(MESSAGE);
    let s = BigUint::from_bytes_le(&signature[32..]);
    let order = ed25519_order();
    assert!(s < order);
    let mut above = 0;
    for times in 1_u8..=15 {
        let number = &s + &order * times;
        if number.bits() > 256 {
            break;
        }
        let mut octets = number.to_bytes_le();
        octets.resize(32, 0);
        let changed = [&signature[..32], &octets].concat();
        assert_eq!(key.verify(MESSAGE, &changed), INVALID, "S + {times}·L");
        above += 1;
    }
    assert!(above >= 14, "{above}");
    assert_eq!(key.verify(MESSAGE, &[&signature[..32], &[0; 32]].concat()), INVALID);
}

/// With R the identity, S = h·a satisfies the equation. Only the owner of the key can compute
/// it, but backends differ, so it is rejected.
#[test]
fn k13_r_of_small_order_is_refused() {
    let pkcs8 = include_bytes!("data/keys/ed25519-a.pk8");
    let seed = &pkcs8[16..];
    let expanded = digest::digest(&SHA512, seed);
    let mut scalar: [u8; 32] = expanded.as_ref()[..32].try_into().unwrap();
    scalar[0] &= 248;
    scalar[31] = scalar[31] & 127 | 64;
    let scalar = BigUint::from_bytes_le(&scalar);
    let signer = AnySigner::a(Algorithm::EdDsa);
    let OwnedMaterial::Ed25519 { x } = signer.material() else { panic!() };
    let key = EveryKey::of(&signer);
    let sign = |r: &[u8; 32], nonce: &BigUint| {
        let hash = digest::digest(&SHA512, &[&r[..], &x, MESSAGE].concat());
        let s = (BigUint::from_bytes_le(hash.as_ref()) * &scalar + nonce) % ed25519_order();
        let mut s = s.to_bytes_le();
        s.resize(32, 0);
        [&r[..], &s].concat()
    };
    // The construction is right: with R the base point and the nonce 1 it is valid.
    let mut base = [0x66; 32];
    base[0] = 0x58;
    assert_eq!(key.verify(MESSAGE, &sign(&base, &BigUint::from(1_u8))), Ok(()));
    let mut identity = [0; 32];
    identity[0] = 1;
    assert_eq!(key.verify(MESSAGE, &sign(&identity, &BigUint::ZERO)), INVALID);
    // The other encodings of the identity: with the sign bit, and as p + 1.
    identity[31] = 0x80;
    assert_eq!(key.verify(MESSAGE, &sign(&identity, &BigUint::ZERO)), INVALID);
    let mut identity = [0xff; 32];
    (identity[0], identity[31]) = (0xee, 0x7f);
    assert_eq!(key.verify(MESSAGE, &sign(&identity, &BigUint::ZERO)), INVALID);
    // The base point with the other sign is a different point.
    base[31] |= 0x80;
    assert_eq!(key.verify(MESSAGE, &sign(&base, &BigUint::from(1_u8))), INVALID);
}

#[test]
fn k14_the_salt_is_as_long_as_the_hash() {
    for (algorithm, hash, len) in [
        (Algorithm::Ps256, &SHA256, 32),
        (Algorithm::Ps384, &SHA384, 48),
        (Algorithm::Ps512, &SHA512, 64),
    ] {
        let signer = AnySigner::a(algorithm);
        let key = EveryKey::of(&signer);
        let longest = 256 - hash.output_len() - 2;
        for salt_len in [0, 1, 20, 31, 32, 33, 47, 48, 49, 63, 64, 65, longest - 1, longest] {
            let signature = signer.pss_signature(hash, hash, salt_len, MESSAGE);
            let expected = if salt_len == len { Ok(()) } else { INVALID };
            assert_eq!(key.verify(MESSAGE, &signature), expected, "{algorithm} {salt_len}");
        }
    }
}

#[test]
fn k14_the_mask_is_made_with_the_hash_of_the_message() {
    for (algorithm, hash, len) in [
        (Algorithm::Ps256, &SHA256, 32),
        (Algorithm::Ps384, &SHA384, 48),
        (Algorithm::Ps512, &SHA512, 64),
    ] {
        let signer = AnySigner::c3072(algorithm);
        let key = EveryKey::of(&signer);
        for mask_hash in [&SHA1_FOR_LEGACY_USE_ONLY, &SHA256, &SHA384, &SHA512] {
            let signature = signer.pss_signature(hash, mask_hash, len, MESSAGE);
            let expected = if mask_hash == hash { Ok(()) } else { INVALID };
            assert_eq!(key.verify(MESSAGE, &signature), expected, "{algorithm} {mask_hash:?}");
        }
    }
}

#[test]
fn k14_sizes_that_issuers_use_are_verified() {
    for algorithm in Algorithm::ALL.into_iter().take(6) {
        for signer in
            [AnySigner::a(algorithm), AnySigner::c3072(algorithm), AnySigner::d4096(algorithm)]
        {
            let key = EveryKey::of(&signer);
            let signature = signer.signature(MESSAGE);
            assert_eq!(key.verify(MESSAGE, &signature), Ok(()), "{}", signer.kid);
            let OwnedMaterial::Rsa { n, .. } = signer.material() else { panic!() };
            // s + n is another representative of s.
            let above = number(&signature) + number(&n);
            if above.bits() <= n.len() as u64 * 8 {
                assert_eq!(key.verify(MESSAGE, &octets(&above, n.len())), INVALID);
            }
            assert_eq!(key.verify(MESSAGE, &n), INVALID);
            assert_eq!(key.verify(MESSAGE, &octets(&(number(&n) - 1_u8), n.len())), INVALID);
        }
    }
}

/// Encoded messages with one octet changed at each position, signed: the whole message is
/// compared ([RFC 8017 §8.2.2](https://www.rfc-editor.org/rfc/rfc8017#section-8.2.2)).
#[test]
fn k10_the_whole_encoded_message_is_compared() {
    for (algorithm, hash, identifier) in [
        (Algorithm::Rs256, &SHA256, 1),
        (Algorithm::Rs384, &SHA384, 2),
        (Algorithm::Rs512, &SHA512, 3),
    ] {
        let signer = AnySigner::a(algorithm);
        let key = EveryKey::of(&signer);
        let digest = digest::digest(hash, MESSAGE);
        let len = u8::try_from(hash.output_len()).unwrap();
        let prefix = [
            0x30,
            17 + len,
            0x30,
            13,
            6,
            9,
            0x60,
            0x86,
            0x48,
            1,
            0x65,
            3,
            4,
            2,
            identifier,
            5,
            0,
            4,
            len,
        ];
        let tail = [&[0][..], &prefix, digest.as_ref()].concat();
        let encoded = [&[0, 1][..], &vec![0xff; 254 - tail.len()], &tail].concat();
        assert_eq!(key.verify(MESSAGE, &signer.rsa_power(&encoded)), Ok(()));
        // The padding, the octet that ends it, the DER encoding, and the hash.
        let end = 256 - tail.len();
        for at in [1, 2, 3, 77, end - 1, end, end + 1, end + 15, end + 16, end + 19, 236, 255] {
            let mut changed = encoded.clone();
            changed[at] ^= 0x01;
            let signature = signer.rsa_power(&changed);
            assert_eq!(key.verify(MESSAGE, &signature), INVALID, "{algorithm} {at}");
        }
    }
}

fn i09_half_hashes_are_those_of_the_algorithms_hash<K: PublicKey>() {
    let text = b"jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
    let hash = |algorithm| digest::digest(algorithm, text);
    let sha256 = HalfHash::of_sha256(hash(&SHA256).as_ref().try_into().unwrap());
    let sha384 = HalfHash::of_sha384(hash(&SHA384).as_ref().try_into().unwrap());
    let sha512 = HalfHash::of_sha512(hash(&SHA512).as_ref().try_into().unwrap());
    for algorithm in Algorithm::ALL {
        let material = AnySigner::a(algorithm).material();
        let Ok(key) = K::new(algorithm, material.borrow()) else { panic!("{algorithm}") };
        let expected = match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 | Algorithm::Es256 => sha256,
            Algorithm::Rs384 | Algorithm::Ps384 | Algorithm::Es384 => sha384,
            _ => sha512,
        };
        assert_eq!(key.half_hash(text), expected, "{algorithm}");
        assert_ne!(key.half_hash(b"other"), expected, "{algorithm}");
    }
    // The concatenation of the parts is hashed.
    let parts: [&[u8]; 4] = [&text[..7], b"", &text[7..9], &text[9..]];
    assert_eq!(K::sha256(&parts), hash(&SHA256).as_ref());
}

macro_rules! half_hashes {
    ($($feature:literal $name:ident: $key:ident;)*) => {$(
        #[cfg(feature = $feature)]
        #[test]
        fn $name() {
            i09_half_hashes_are_those_of_the_algorithms_hash::<claimgate::$key>();
        }
    )*};
}

half_hashes! {
    "ring" i09_half_hashes_by_ring: RingAnyKey;
    "aws-lc-rs" i09_half_hashes_by_aws_lc_rs: AwsLcAnyKey;
    "pure-rust" i09_half_hashes_by_pure_rust: PureRustAnyKey;
}

/// The portable kernel agrees with the others.
#[cfg(feature = "pure-rust-rs256")]
#[test]
fn k10_the_portable_key_gives_the_verdict_of_the_other() {
    use claimgate::PureRustKey;
    use claimgate::jwk::Kernel;
    use claimgate::jwk::PureRustPortableKey;

    for signer in [
        AnySigner::a(Algorithm::Rs256),
        AnySigner::c3072(Algorithm::Rs256),
        AnySigner::d4096(Algorithm::Rs256),
    ] {
        let fastest = signer.verifying_key::<PureRustKey>();
        let portable = signer.verifying_key::<PureRustPortableKey>();
        assert!([Kernel::Portable, Kernel::Avx512Ifma].contains(&fastest.kernel()));
        let signature = signer.signature(MESSAGE);
        assert_eq!(fastest.verify(MESSAGE, &signature), Ok(()));
        assert_eq!(portable.verify(MESSAGE, &signature), Ok(()));
        for bit in (0..8 * signature.len()).step_by(97) {
            let mut changed = signature.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(fastest.verify(MESSAGE, &changed), INVALID);
            assert_eq!(portable.verify(MESSAGE, &changed), INVALID);
        }
    }
}
