//! Signatures and moduli at the edges, with all kernels.

use super::*;
use crate::Sha256Digest;
use crate::digest::sealed::Sealed as _;

fn edge_moduli(bits: u64) -> Vec<BigUint> {
    let one = BigUint::from(1_u8);
    let top = &one << (bits - 1);
    let all: BigUint = (&top << 1) - 1_u8;
    std::vec![
        all.clone(),
        &all - 2_u8,
        &all - (&one << 64),
        &all - (&one << 52),
        &all - (&one << (bits / 2)),
        &top + 1_u8,
        &top + 3_u8,
        &top + (&one << 52) + 1_u8,
        &top + (&one << 416) + 1_u8,
        &top + (&one << (bits - 2)) + 1_u8,
        // −1/n mod 2^416 is a power of two, plus one.
        &all - (&one << 416),
    ]
}

const SIZES: [u64; 14] = [
    2_048, 2_049, 2_050, 2_055, 2_056, 2_057, 2_111, 2_112, 2_113, 2_175, 2_176, 2_177, 4_095,
    4_096,
];

#[test]
fn signatures_at_the_edges_of_moduli_at_the_edges() {
    let tail = Tail { prefix: &Sha256Digest::PREFIX, hash: &[0; 32] };
    // Only some of each in debug builds.
    let step = if cfg!(debug_assertions) { 4 } else { 1 };
    for (round, bits) in SIZES.into_iter().enumerate().step_by(step) {
        for n in edge_moduli(bits).into_iter().skip(round % step).step_by(step) {
            assert_eq!(n.bits(), bits);
            for e in [65_537, 3, (1 << 33) - 1].into_iter().step_by(step) {
                for (name, mut key) in subjects(&n, e) {
                    let len = key.len();
                    let mut out = std::vec![0; len];
                    for s in [0_u8, 1, 2].map(BigUint::from).into_iter().chain([
                        &n - 1_u8,
                        &n - 2_u8,
                        &n >> 1,
                        (&n >> 1) + 1_u8,
                    ]) {
                        let power = s.modpow(&BigUint::from(e), &n);
                        assert!(key.recover(&mut out, &octets(&s, len)), "{name} {n:x} {s:x}");
                        assert_eq!(BigUint::from_bytes_be(&out), power, "{name} {n:x} {s:x}");
                        assert!(!key.verify_pkcs1v15(tail, &octets(&s, len)));
                    }
                    // Not below n.
                    let limit = BigUint::from(1_u8) << (8 * len);
                    for s in [n.clone(), &n + 1_u8, &n + 2_u8, &limit - 1_u8] {
                        if s < limit {
                            assert!(!key.recover(&mut out, &octets(&s, len)), "{name} {n:x}");
                            // Rejected even if s^e were right.
                            key.set_padding(&(&s % &n));
                            assert!(!key.verify_pkcs1v15(tail, &octets(&s, len)), "{name} {n:x}");
                        }
                    }
                    // Lengths other than that of n.
                    for other in [0, 1, len - 1, len + 1, 2 * len] {
                        assert!(!key.recover(&mut out, &std::vec![0; other]), "{name} {other}");
                        assert!(!key.verify_pkcs1v15(tail, &std::vec![0; other]));
                    }
                }
            }
        }
    }
}
