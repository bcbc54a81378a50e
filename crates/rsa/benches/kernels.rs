//! RS256 and PS256 verifications with this crate's kernels and with other libraries, in one
//! process. Every result is asserted.
//!
//! `cargo bench` prints criterion's measurements, and then ratios: the libraries run in turn,
//! eight verifications each, 400 times, and the lower quartile of each is divided by ring's
//! and by aws-lc-rs's. Keys are measured in the same way.
#![allow(missing_docs, reason = "criterion's macro makes a public function")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{self as aws, KeyPair as _};
use claimgate_rsa::{HashFunction, Kernel, PublicKey, Sha256Digest};
use criterion::{Criterion, criterion_group, criterion_main};
use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Odd, U2048};
use sha2::Digest as _;

const MESSAGE: &[u8] = b"A message of the length of a short token's signing input. ";

struct Sha256;

impl HashFunction for Sha256 {
    type Digest = Sha256Digest;

    fn digest(parts: &[&[u8]]) -> Sha256Digest {
        let mut hash = sha2::Sha256::new();
        for part in parts {
            hash.update(part);
        }
        Sha256Digest(hash.finalize().into())
    }
}

/// A verification, which returns whether the signature is valid.
type Verify = Box<dyn Fn(&[u8]) -> bool>;

/// A signature of one size, and the ways to verify it. All except crypto-bigint also compute
/// the hash.
struct Case {
    name: String,
    signature: Vec<u8>,
    ways: Vec<(&'static str, Verify)>,
}

fn case(size: KeySize, bits: usize) -> Case {
    let pair = KeyPair::generate(size).unwrap();
    let public = pair.public_key();
    let n = public.modulus().big_endian_without_leading_zero().to_vec();
    let e = public.exponent().big_endian_without_leading_zero().to_vec();
    let mut signature = vec![0; n.len()];
    let random = SystemRandom::new();
    pair.sign(&aws::RSA_PKCS1_SHA256, &random, MESSAGE, &mut signature).unwrap();

    let mut ways: Vec<(&'static str, Verify)> = Vec::new();
    let portable = PublicKey::portable(&n, &e).unwrap();
    ways.push((
        "portable",
        Box::new(move |s| portable.verify_pkcs1v15(&Sha256::digest(&[MESSAGE]), s).is_ok()),
    ));
    let fastest = PublicKey::new(&n, &e).unwrap();
    if fastest.kernel() == Kernel::Avx512Ifma {
        ways.push((
            "ifma",
            Box::new(move |s| fastest.verify_pkcs1v15(&Sha256::digest(&[MESSAGE]), s).is_ok()),
        ));
    }
    let parsed =
        aws::ParsedPublicKey::new(&aws::RSA_PKCS1_2048_8192_SHA256, public.as_ref()).unwrap();
    ways.push(("aws-lc-rs", Box::new(move |s| parsed.verify_sig(MESSAGE, s).is_ok())));
    if bits == 2_048 {
        ways.push(("crypto-bigint", crypto_bigint_2048(&n)));
    }
    ways.push((
        "ring",
        Box::new(move |s| {
            let key = ring::signature::RsaPublicKeyComponents { n: &n, e: &e };
            key.verify(&ring::signature::RSA_PKCS1_2048_8192_SHA256, MESSAGE, s).is_ok()
        }),
    ));
    let case = Case { name: format!("RS256 {bits}"), signature, ways };
    let mut wrong = case.signature.clone();
    wrong[20] ^= 1;
    for (name, verify) in &case.ways {
        assert!(verify(&case.signature), "{name}");
        assert!(!verify(&wrong), "{name}");
    }
    case
}

/// Computes the power with crypto-bigint and prepared parameters, and compares it with the
/// encoded message.
fn crypto_bigint_2048(n: &[u8]) -> Verify {
    let parameters = FixedMontyParams::new_vartime(Odd::new(U2048::from_be_slice(n)).unwrap());
    Box::new(move |s| {
        let s = FixedMontyForm::new(&U2048::from_be_slice(s), &parameters);
        let mut power = s;
        for _ in 0..16 {
            power = power.square();
        }
        let mut encoded = [0xff; 256];
        encoded[..2].copy_from_slice(&[0, 1]);
        encoded[204..224].copy_from_slice(&[
            0x00, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
            0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
        ]);
        encoded[224..].copy_from_slice(&Sha256::digest(&[MESSAGE]).0);
        power.mul(&s).retrieve() == U2048::from_be_slice(&encoded)
    })
}

/// PS256 at 2,048 bits.
fn pss_case() -> Case {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let public = pair.public_key();
    let n = public.modulus().big_endian_without_leading_zero().to_vec();
    let e = public.exponent().big_endian_without_leading_zero().to_vec();
    let mut signature = vec![0; n.len()];
    pair.sign(&aws::RSA_PSS_SHA256, &SystemRandom::new(), MESSAGE, &mut signature).unwrap();
    let parsed =
        aws::ParsedPublicKey::new(&aws::RSA_PSS_2048_8192_SHA256, public.as_ref()).unwrap();
    let verify = |key: PublicKey| -> Verify {
        Box::new(move |s| key.verify_pss::<Sha256>(&Sha256::digest(&[MESSAGE]), s).is_ok())
    };
    let mut ways = vec![("portable", verify(PublicKey::portable(&n, &e).unwrap()))];
    let fastest = PublicKey::new(&n, &e).unwrap();
    if fastest.kernel() == Kernel::Avx512Ifma {
        ways.push(("ifma", verify(fastest)));
    }
    ways.push(("aws-lc-rs", Box::new(move |s| parsed.verify_sig(MESSAGE, s).is_ok())));
    ways.push((
        "ring",
        Box::new(move |s| {
            let key = ring::signature::RsaPublicKeyComponents { n: &n, e: &e };
            key.verify(&ring::signature::RSA_PSS_2048_8192_SHA256, MESSAGE, s).is_ok()
        }),
    ));
    for (name, verify) in &ways {
        assert!(verify(&signature), "{name}");
    }
    Case { name: "PS256 2048".to_owned(), signature, ways }
}

fn cases() -> Vec<Case> {
    vec![
        case(KeySize::Rsa2048, 2_048),
        case(KeySize::Rsa3072, 3_072),
        case(KeySize::Rsa4096, 4_096),
        pss_case(),
    ]
}

/// Returns the lower quartile of 400 runs of each way.
fn by_turns(case: &Case) -> Vec<(&'static str, Duration)> {
    let mut times = vec![Vec::new(); case.ways.len()];
    for _ in 0..400 {
        for (times, (_, verify)) in times.iter_mut().zip(&case.ways) {
            let start = Instant::now();
            for _ in 0..8 {
                assert!(verify(black_box(&case.signature)));
            }
            times.push(start.elapsed() / 8);
        }
    }
    case.ways
        .iter()
        .zip(times)
        .map(|((name, _), mut times)| {
            times.sort();
            (*name, times[times.len() / 4])
        })
        .collect()
}

fn print_ratios(case: &Case) {
    let times = by_turns(case);
    let of = |wanted: &str| times.iter().find(|(name, _)| *name == wanted).unwrap().1;
    for (name, time) in &times {
        println!(
            "{:<12} {name:<14} {:>7} ns   / ring {:.3}   / aws-lc-rs {:.3}",
            case.name,
            time.as_nanos(),
            time.as_secs_f64() / of("ring").as_secs_f64(),
            time.as_secs_f64() / of("aws-lc-rs").as_secs_f64(),
        );
    }
}

fn verification(criterion: &mut Criterion) {
    for case in cases() {
        let mut group = criterion.benchmark_group(&case.name);
        for (name, verify) in &case.ways {
            group.bench_function(*name, |bencher| {
                bencher.iter(|| assert!(verify(black_box(&case.signature))));
            });
        }
        group.finish();
        if !std::env::args().any(|argument| argument == "--test") {
            print_ratios(&case);
        }
    }
}

fn preparation(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("key");
    for (size, bits) in [(KeySize::Rsa2048, 2_048), (KeySize::Rsa4096, 4_096)] {
        let pair = KeyPair::generate(size).unwrap();
        let n = pair.public_key().modulus().big_endian_without_leading_zero().to_vec();
        let fastest = PublicKey::new(&n, &[1, 0, 1]).unwrap().kernel();
        let by_new = || {
            black_box(PublicKey::new(black_box(&n), &[1, 0, 1]).unwrap());
        };
        let by_portable = || {
            black_box(PublicKey::portable(black_box(&n), &[1, 0, 1]).unwrap());
        };
        let ways: [(String, &dyn Fn()); 2] = [
            (format!("{bits} new: {fastest}"), &by_new),
            (format!("{bits} portable"), &by_portable),
        ];
        for (name, prepare) in ways {
            group.bench_function(&name, |bencher| bencher.iter(prepare));
            let mut times: Vec<Duration> = (0..400)
                .map(|_| {
                    let start = Instant::now();
                    prepare();
                    start.elapsed()
                })
                .collect();
            times.sort();
            println!("key {name}: {} ns, lower quartile", times[times.len() / 4].as_nanos());
        }
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().measurement_time(Duration::from_secs(1)).warm_up_time(Duration::from_millis(300)).sample_size(20);
    targets = verification, preparation
}
criterion_main!(benches);
