//! Encoded messages with one defect each, signed with private keys, with all kernels.

use super::*;
use crate::digest::sealed::Sealed as _;
use crate::pss;

/// A private key of `tests/data/keys.txt`.
struct Private {
    bits: usize,
    n: BigUint,
    d: BigUint,
}

impl Private {
    /// Returns keys of these sizes; in debug builds only of the first.
    fn of(sizes: &[usize]) -> Vec<Self> {
        let parse = |text: &str| BigUint::parse_bytes(text.as_bytes(), 16).unwrap();
        let keys: Vec<_> = include_str!("../../tests/data/keys.txt")
            .lines()
            .map(|line| {
                let mut fields = line.split(' ');
                let mut next = || fields.next().unwrap();
                Self { bits: next().parse().unwrap(), n: parse(next()), d: parse(next()) }
            })
            .filter(|key| sizes.contains(&key.bits))
            .take(if cfg!(debug_assertions) { 1 } else { sizes.len() })
            .collect();
        assert!(!keys.is_empty());
        keys
    }

    fn len(&self) -> usize {
        self.bits.div_ceil(8)
    }

    /// Returns the signature of an encoded message, or `None` if the message is not below n.
    fn sign(&self, encoded: &[u8]) -> Option<Vec<u8>> {
        let encoded = BigUint::from_bytes_be(encoded);
        (encoded < self.n).then(|| octets(&encoded.modpow(&self.d, &self.n), self.len()))
    }
}

fn encode_pkcs1v15<D: crate::MessageDigest>(digest: &D, len: usize) -> Vec<u8> {
    let tail = [&D::PREFIX, digest.octets()].concat();
    let mut encoded = std::vec![0xff; len - tail.len()];
    encoded[..2].copy_from_slice(&[0, 1]);
    encoded.extend(tail);
    encoded
}

fn pkcs1v15<H: HashFunction>(sizes: &[usize]) {
    let digest = H::digest(&[b"claimgate"]);
    let tail = Tail::new(&digest);
    for private in Private::of(sizes) {
        let keys = subjects(&private.n, 65_537);
        let right = encode_pkcs1v15(&digest, private.len());
        let check = |encoded: &[u8], is_valid: bool, what: &str| {
            let Some(signature) = private.sign(encoded) else { return };
            for (name, key) in &keys {
                assert_eq!(key.verify_pkcs1v15(tail, &signature), is_valid, "{name}: {what}");
            }
        };
        check(&right, true, "right");
        let len = right.len();
        let end_of_padding = len - tail.hash.len() - tail.prefix.len();
        // Every octet is significant: the block type, the padding, the separator, the
        // DigestInfo and the hash.
        let step = if cfg!(debug_assertions) { 147 } else { 37 };
        let first = [0, 1, 2, 3, end_of_padding - 1, end_of_padding, end_of_padding + 1, len - 1];
        for place in first.into_iter().chain((0..len).step_by(step)) {
            let changes = if cfg!(debug_assertions) { &[0x80][..] } else { &[0x01, 0x80, 0xff] };
            for change in changes {
                let mut encoded = right.clone();
                encoded[place] ^= change;
                check(&encoded, false, &std::format!("octet {place} ^ {change:#x}"));
            }
        }
        // The padding of an encryption, and no padding.
        let mut encoded = right.clone();
        encoded[1] = 2;
        check(&encoded, false, "block type 2");
        encoded[1] = 0;
        check(&encoded, false, "block type 0");
        // Eight octets of padding, and the remaining octets after the hash (Bleichenbacher,
        // 2006), or before it.
        let short = [&[0, 1], &[0xff; 8][..], &right[end_of_padding..]].concat();
        let garbage = std::vec![0x5a; len - short.len()];
        check(&[&short[..], &garbage].concat(), false, "garbage behind the hash");
        check(&[&short[..10], &[0], &garbage, &short[11..]].concat(), false, "garbage before it");
        // DigestInfo without NULL, and with long forms of its lengths.
        let hash = tail.hash;
        let mut without_null = tail.prefix[1..].to_vec();
        without_null.drain(15..17);
        without_null[1] -= 2;
        without_null[3] -= 2;
        let mut long_form = tail.prefix[1..].to_vec();
        long_form.insert(1, 0x81);
        for (info, what) in
            [(without_null, "no NULL"), (long_form, "a long form"), (std::vec![], "no DigestInfo")]
        {
            let end = [&[0][..], &info, hash].concat();
            let mut encoded = std::vec![0xff; len - end.len()];
            encoded[..2].copy_from_slice(&[0, 1]);
            encoded.extend(end);
            check(&encoded, false, what);
        }
        // The identifier of another algorithm, and the digest of another message.
        let mut other = right.clone();
        other[end_of_padding + 15] ^= 3;
        check(&other, false, "another identifier");
        for other in [
            encode_pkcs1v15(&Sha256Digest([0x5a; 32]), len),
            encode_pkcs1v15(&Sha384Digest([0x5a; 48]), len),
            encode_pkcs1v15(&Sha512Digest([0x5a; 64]), len),
        ] {
            check(&other, false, "another hash");
        }
        check(&std::vec![0; len], false, "zero");
        check(&[&[0][..], &std::vec![0xff; len - 1]].concat(), false, "ones");
    }
}

#[test]
fn pkcs1v15_encodings_with_a_defect_are_refused() {
    pkcs1v15::<Sha256>(&[2_048, 2_049, 2_177, 4_096]);
    // Big-integer arithmetic is slow in debug builds.
    if !cfg!(debug_assertions) {
        pkcs1v15::<Sha384>(&[2_048, 2_055, 3_072]);
        pkcs1v15::<Sha512>(&[2_048, 2_112, 4_095]);
    }
}

/// The parts of an EMSA-PSS encoding that a test changes.
#[derive(Clone, Copy)]
struct Pss<'a> {
    salt: &'a [u8],
    separator: u8,
    /// An octet of the padding to set to a non-zero value.
    stain: Option<usize>,
    trailer: u8,
    /// Bits to set in the first octet at the end.
    first: u8,
}

fn encode_pss<H: HashFunction, M: HashFunction>(
    digest: &H::Digest,
    bits: usize,
    pss: Pss<'_>,
) -> Vec<u8> {
    let Pss { salt, separator, stain, trailer, first } = pss;
    let len = (bits - 1).div_ceil(8);
    let hash = H::digest(&[&[0; 8], digest.octets(), salt]);
    let mut data = std::vec![0; len - hash.octets().len() - 1];
    let end = data.len() - salt.len();
    data[end - 1] = separator;
    data[end..].copy_from_slice(salt);
    if let Some(place) = stain {
        data[place.min(end - 2)] ^= 0x10;
    }
    let mut mask = Vec::new();
    for counter in 0_u32.. {
        if mask.len() >= data.len() {
            break;
        }
        mask.extend_from_slice(M::digest(&[hash.octets(), &counter.to_be_bytes()]).octets());
    }
    for (octet, mask) in data.iter_mut().zip(mask) {
        *octet ^= mask;
    }
    data[0] &= 0xff >> (8 * len - (bits - 1));
    data[0] |= first;
    [&data, hash.octets(), &[trailer]].concat()
}

fn pss<H: HashFunction, M: HashFunction>(sizes: &[usize]) {
    let digest = H::digest(&[b"claimgate"]);
    let hash_len = digest.octets().len();
    for private in Private::of(sizes) {
        let keys = subjects(&private.n, 65_537);
        let verify = |signature: &[u8], is_valid: bool, what: &str| {
            for (name, key) in &keys {
                let mut out = std::vec![0; key.len()];
                assert!(key.recover(&mut out, signature), "{name}: {what}");
                let verdict = pss::verify::<H>(&digest, &mut out, key.bits()).is_ok();
                assert_eq!(verdict, is_valid, "{name}: {what}, {} bits", private.bits);
            }
        };
        let check = |pss: Pss<'_>, is_valid: bool, what: &str| {
            if let Some(signature) = private.sign(&encode_pss::<H, H>(&digest, private.bits, pss)) {
                verify(&signature, is_valid, what);
            }
        };
        let long_salt = [0x5a; 80];
        let salt = &long_salt[..hash_len];
        let right = Pss { salt, separator: 1, stain: None, trailer: 0xbc, first: 0 };
        check(right, true, "right");
        check(Pss { salt: &std::vec![0; hash_len], ..right }, true, "a salt of zeros");
        check(Pss { salt: &std::vec![1; hash_len], ..right }, true, "a salt of ones");
        for len in [0, 1, 20, hash_len - 1, hash_len + 1, 80] {
            check(Pss { salt: &long_salt[..len], ..right }, false, "a salt of another length");
        }
        for separator in [0, 2, 3, 0x81, 0xff] {
            check(Pss { separator, ..right }, false, "another separator");
        }
        for trailer in [0, 0xbb, 0xbd, 0x3c, 0xcc] {
            check(Pss { trailer, ..right }, false, "another trailer");
        }
        for place in [1, 2, 50, usize::MAX] {
            check(Pss { stain: Some(place), ..right }, false, "padding that is not zero");
        }
        // A bit above the encoded message: in its first octet, or in the octet before it.
        let unused = 8 * (private.bits - 1).div_ceil(8) - (private.bits - 1);
        if unused > 0 {
            for bit in 8 - unused..8 {
                check(Pss { first: 1 << bit, ..right }, false, "an unused bit that is set");
            }
        } else {
            let encoded = encode_pss::<H, H>(&digest, private.bits, right);
            if let Some(signature) = private.sign(&[&[1], &encoded[..]].concat()) {
                verify(&signature, false, "an octet in front that is not zero");
            }
        }
        let other = private.sign(&encode_pss::<H, M>(&digest, private.bits, right)).unwrap();
        verify(&other, false, "another hash function in MGF1");
        let other = H::digest(&[b"another message"]);
        let other = private.sign(&encode_pss::<H, H>(&other, private.bits, right)).unwrap();
        verify(&other, false, "another message");
        let other = private.sign(&encode_pkcs1v15(&digest, private.len())).unwrap();
        verify(&other, false, "PKCS#1 v1.5");
    }
}

#[test]
fn pss_encodings_with_a_defect_are_refused() {
    pss::<Sha256, Sha512>(&[2_048, 2_049, 2_050, 2_055, 2_056, 2_057, 4_096]);
    if !cfg!(debug_assertions) {
        pss::<Sha384, Sha256>(&[2_048, 2_113, 3_072, 3_073]);
        pss::<Sha512, Sha384>(&[2_048, 2_175, 2_177, 4_095]);
    }
}

/// Where the encoded message has an octet less than the modulus, and without keys.
#[test]
fn pss_representatives_start_with_a_zero_octet_where_they_are_longer() {
    let digest = Sha256::digest(&[b"claimgate"]);
    let right = Pss { salt: &[0x5a; 32], separator: 1, stain: None, trailer: 0xbc, first: 0 };
    for bits in [2_049, 2_057, 3_073, 4_089] {
        let encoded = encode_pss::<Sha256, Sha256>(&digest, bits, right);
        for first in 0..=0xff {
            let mut representative = [&[first], &encoded[..]].concat();
            let bits = u32::try_from(bits).unwrap();
            let verdict = pss::verify::<Sha256>(&digest, &mut representative, bits);
            assert_eq!(verdict.is_ok(), first == 0, "{bits} {first}");
        }
        // With one more bit, the octet belongs to the encoded message.
        let mut representative = [&[0], &encoded[..]].concat();
        let bits = u32::try_from(bits + 1).unwrap();
        assert!(pss::verify::<Sha256>(&digest, &mut representative, bits).is_err());
    }
}

#[test]
fn pss_representatives_that_are_too_short_are_refused() {
    let digest = Sha512::digest(&[]);
    for len in 0..300_u32 {
        let mut octets = std::vec![0xbc; usize::try_from(len).unwrap()];
        assert!(pss::verify::<Sha512>(&digest, &mut octets, (8 * len).saturating_sub(1)).is_err());
    }
}
