//! The vectors of Project Wycheproof, with the fastest kernel of this machine and with the
//! portable one.

mod common;

use claimgate_rsa::{HashFunction, KeyRejected, PublicKey};
use common::{Sha256, Sha384, Sha512};
use wycheproof::{HashFunction as Hash, TestResult, rsa_pkcs1_verify, rsa_pss_verify};

fn without_leading_zeros(octets: &[u8]) -> &[u8] {
    &octets[octets.iter().take_while(|&&octet| octet == 0).count()..]
}

fn keys(n: &[u8], e: &[u8]) -> [Result<PublicKey, KeyRejected>; 2] {
    let (n, e) = (without_leading_zeros(n), without_leading_zeros(e));
    [PublicKey::new(n, e), PublicKey::portable(n, e)]
}

fn pkcs1<H: HashFunction>(key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    key.verify_pkcs1v15(&H::digest(&[message]), signature).is_ok()
}

type Verify = fn(&PublicKey, &[u8], &[u8]) -> bool;

fn pss<H: HashFunction>(key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    key.verify_pss::<H>(&H::digest(&[message]), signature).is_ok()
}

/// Counts of valid, acceptable and invalid vectors.
#[derive(Default)]
struct Counts {
    accepted: u32,
    refused: u32,
    refused_though_acceptable: u32,
}

impl Counts {
    fn add(&mut self, is_accepted: bool, result: TestResult, name: &str) {
        match (result, is_accepted) {
            (TestResult::Valid, true) => self.accepted += 1,
            (TestResult::Invalid, false) => self.refused += 1,
            (TestResult::Acceptable, false) => self.refused_though_acceptable += 1,
            // Vectors that are only "acceptable" are not encodings of RFC 8017.
            (_, is_accepted) => panic!("{name}: {result:?}, accepted: {is_accepted}"),
        }
    }

    fn print(&self, what: &str) {
        println!(
            "{what}: {} accepted, {} refused, {} refused that are acceptable",
            self.accepted, self.refused, self.refused_though_acceptable
        );
        assert!(self.accepted > 0 && self.refused > 0);
    }
}

#[test]
fn pkcs1_v1_5() {
    let (mut counts, mut sets) = (Counts::default(), 0);
    for name in rsa_pkcs1_verify::TestName::all() {
        for group in rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
            let verify = match group.hash {
                Hash::Sha2_256 => pkcs1::<Sha256>,
                Hash::Sha2_384 => pkcs1::<Sha384>,
                Hash::Sha2_512 => pkcs1::<Sha512>,
                _ => continue,
            };
            for key in keys(&group.key.n, &group.key.e) {
                let Ok(key) = key else {
                    assert!(group.key_size > 4_096, "{name:?}");
                    assert_eq!(key.err(), Some(KeyRejected::ModulusTooLarge));
                    continue;
                };
                sets += 1;
                for test in &group.tests {
                    let is_accepted = verify(&key, &test.msg, &test.sig);
                    counts.add(is_accepted, test.result, &format!("{name:?} {}", test.tc_id));
                }
            }
        }
    }
    counts.print(&format!("PKCS#1 v1.5, {sets} groups and kernels"));
}

#[test]
fn pss_with_a_salt_as_long_as_the_hash() {
    let (mut counts, mut others, mut sets) = (Counts::default(), 0, 0);
    for name in rsa_pss_verify::TestName::all() {
        for group in rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
            let (verify, salt_len): (Verify, _) = match group.hash {
                Hash::Sha2_256 => (pss::<Sha256>, 32),
                Hash::Sha2_384 => (pss::<Sha384>, 48),
                Hash::Sha2_512 => (pss::<Sha512>, 64),
                _ => continue,
            };
            let is_ours = group.salt_size == salt_len && group.mgf_hash == Some(group.hash);
            for key in keys(&group.key.n, &group.key.e).into_iter().flatten() {
                sets += u32::from(is_ours);
                for test in &group.tests {
                    let is_accepted = verify(&key, &test.msg, &test.sig);
                    if is_ours {
                        counts.add(is_accepted, test.result, &format!("{name:?} {}", test.tc_id));
                    } else if test.result == TestResult::Valid {
                        // Another salt length or another hash in MGF1: rejected.
                        assert!(!is_accepted, "{name:?} {}", test.tc_id);
                        others += 1;
                    }
                }
            }
        }
    }
    counts.print(&format!("PSS, {sets} groups and kernels"));
    println!("PSS with other parameters: {others} refused");
    assert!(others > 0);
}
