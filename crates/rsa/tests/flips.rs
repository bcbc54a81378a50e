//! OpenSSL's signatures with keys of many sizes are accepted, and with any single bit of the
//! signature, the hash or the modulus changed they are rejected.

mod common;

use claimgate_rsa::{Kernel, KeyRejected, PublicKey};
use common::{Digests, E, both_kernels, signed, verify};

/// All bits in release builds, some in debug builds.
fn step() -> usize {
    if cfg!(debug_assertions) { 149 } else { 1 }
}

#[test]
fn signatures_by_openssl_are_accepted_by_their_algorithm_alone() {
    let digests = Digests::of(b"claimgate");
    for signed in signed() {
        for key in both_kernels(&signed.n) {
            println!("{} bits: {}", signed.bits, key.kernel());
            assert_eq!(key.modulus_len(), signed.bits.div_ceil(8));
            for (signer, signature) in signed.signatures.iter().enumerate() {
                for verifier in 0..6 {
                    let is_valid = verify(&key, verifier, &digests, signature);
                    assert_eq!(is_valid, signer == verifier, "{} {signer} {verifier}", signed.bits);
                }
                for other in [&signature[1..], &[signature, &[0][..]].concat(), &[]] {
                    assert!(!verify(&key, signer, &digests, other));
                }
                let mut longer = signature.clone();
                longer.insert(0, 0);
                assert!(!verify(&key, signer, &digests, &longer));
            }
        }
    }
}

#[test]
fn every_changed_bit_of_a_signature_is_refused() {
    let digests = Digests::of(b"claimgate");
    for signed in signed() {
        for key in both_kernels(&signed.n) {
            for (algorithm, signature) in signed.signatures.iter().enumerate() {
                // All bits for the usual sizes; some for those between.
                let step = if signed.bits % 1_024 == 0 { step() } else { 7 * step() };
                for bit in (0..8 * signature.len()).step_by(step) {
                    let mut changed = signature.clone();
                    changed[bit / 8] ^= 1 << (bit % 8);
                    assert!(!verify(&key, algorithm, &digests, &changed), "{} {bit}", signed.bits);
                }
            }
        }
    }
}

#[test]
fn every_changed_bit_of_a_hash_is_refused() {
    let digests = Digests::of(b"claimgate");
    for signed in signed().into_iter().filter(|signed| signed.bits % 1_024 == 0) {
        for key in both_kernels(&signed.n) {
            for (algorithm, signature) in signed.signatures.iter().enumerate() {
                for bit in (0..[256, 384, 512][algorithm % 3]).step_by(step()) {
                    let mut changed = digests.clone();
                    let octet: &mut u8 = match algorithm % 3 {
                        0 => &mut changed.0.0[bit / 8],
                        1 => &mut changed.1.0[bit / 8],
                        _ => &mut changed.2.0[bit / 8],
                    };
                    *octet ^= 1 << (bit % 8);
                    assert!(!verify(&key, algorithm, &changed, signature), "{} {bit}", signed.bits);
                }
            }
        }
    }
}

#[test]
fn every_changed_bit_of_a_modulus_is_refused() {
    let digests = Digests::of(b"claimgate");
    for signed in signed().into_iter().filter(|signed| signed.bits % 1_024 == 0) {
        for bit in (0..signed.bits).step_by(step()) {
            let mut n = signed.n.clone();
            n[bit / 8] ^= 1 << (7 - bit % 8);
            for key in [PublicKey::new(&n, &E), PublicKey::portable(&n, &E)] {
                match key {
                    Ok(key) => {
                        for algorithm in [0, 3] {
                            let signature = &signed.signatures[algorithm];
                            assert!(!verify(&key, algorithm, &digests, signature));
                        }
                    }
                    Err(reason) => {
                        let is_small = bit == 0 && signed.bits == 2_048;
                        let expected = match bit {
                            _ if is_small => KeyRejected::ModulusTooSmall,
                            _ => KeyRejected::ModulusEven,
                        };
                        assert_eq!(reason, expected);
                        assert!(is_small || bit == signed.bits - 1);
                    }
                }
            }
        }
    }
}

#[test]
fn the_kernel_is_the_portable_one_where_it_is_asked_for() {
    let signed = signed();
    for signed in &signed {
        let [fastest, portable] = both_kernels(&signed.n);
        assert_eq!(portable.kernel(), Kernel::Portable);
        if signed.bits != 2_048 {
            assert_eq!(fastest.kernel(), Kernel::Portable);
        }
    }
    let fastest = PublicKey::new(&signed[0].n, &E).unwrap().kernel();
    #[cfg(target_arch = "x86_64")]
    let has_ifma =
        std::is_x86_feature_detected!("avx512f") && std::is_x86_feature_detected!("avx512ifma");
    #[cfg(not(target_arch = "x86_64"))]
    let has_ifma = false;
    println!("the kernel for 2,048 bits on this machine: {fastest}");
    assert_eq!(fastest, if has_ifma { Kernel::Avx512Ifma } else { Kernel::Portable });
}
