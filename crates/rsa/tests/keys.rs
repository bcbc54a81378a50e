//! The accepted keys, and the reasons for rejections, on both sides of every boundary.

mod common;

use claimgate_rsa::{InvalidSignature, KeyRejected, MAX_EXPONENT, PublicKey, Sha256Digest};
use common::E;

/// Returns an odd modulus with this number of bits.
fn modulus(bits: usize) -> Vec<u8> {
    let mut n = vec![0x5a; bits.div_ceil(8)];
    let top = (bits - 1) % 8;
    n[0] = n[0] & ((1 << top) - 1) | 1 << top;
    *n.last_mut().unwrap() |= 1;
    n
}

#[track_caller]
fn check(n: &[u8], e: &[u8], expected: Result<(), KeyRejected>) {
    assert_eq!(PublicKey::new(n, e).map(|_| ()), expected);
    assert_eq!(PublicKey::portable(n, e).map(|_| ()), expected);
}

#[test]
fn moduli_of_2048_to_4096_bits_are_accepted() {
    for bits in 2_040..2_048 {
        check(&modulus(bits), &E, Err(KeyRejected::ModulusTooSmall));
    }
    for bits in (2_048..=4_096).step_by(if cfg!(debug_assertions) { 127 } else { 1 }) {
        check(&modulus(bits), &E, Ok(()));
    }
    check(&modulus(4_096), &E, Ok(()));
    // The first octet of the smallest, and of the largest that is too small.
    let mut n = modulus(2_048);
    for (first, expected) in [(0x7f, Err(KeyRejected::ModulusTooSmall)), (0x80, Ok(()))] {
        n[0] = first;
        check(&n, &E, expected);
    }
    for bits in [4_097, 4_104, 8_192, 16_384] {
        check(&modulus(bits), &E, Err(KeyRejected::ModulusTooLarge));
    }
    for bits in [8, 512, 1_024, 2_039] {
        check(&modulus(bits), &E, Err(KeyRejected::ModulusTooSmall));
    }
}

#[test]
fn even_moduli_are_rejected() {
    for bits in [2_048, 3_072, 4_096] {
        let mut n = modulus(bits);
        *n.last_mut().unwrap() ^= 1;
        check(&n, &E, Err(KeyRejected::ModulusEven));
    }
}

#[test]
fn leading_zeros_are_rejected() {
    let n = modulus(2_048);
    let longer = [&[0], &n[..]].concat();
    check(&longer, &E, Err(KeyRejected::LeadingZero));
    check(&[], &E, Err(KeyRejected::LeadingZero));
    check(&[0; 256], &E, Err(KeyRejected::LeadingZero));
    check(&n, &[0, 1, 0, 1], Err(KeyRejected::LeadingZero));
    check(&n, &[0], Err(KeyRejected::LeadingZero));
    check(&n, &[], Err(KeyRejected::LeadingZero));
}

#[test]
fn exponents_are_odd_and_between_3_and_2_to_the_33_minus_1() {
    assert_eq!(MAX_EXPONENT, 8_589_934_591);
    let n = modulus(2_048);
    let exponent = |e: u64| {
        let octets = e.to_be_bytes();
        octets[usize::try_from(e.leading_zeros()).unwrap() / 8..].to_vec()
    };
    for e in [3, 5, 17, 257, 65_537, (1 << 32) + 1, MAX_EXPONENT - 2, MAX_EXPONENT] {
        check(&n, &exponent(e), Ok(()));
    }
    for e in [
        1,
        2,
        4,
        65_536,
        MAX_EXPONENT - 1,
        MAX_EXPONENT + 1,
        MAX_EXPONENT + 2,
        (1 << 40) - 1,
        (1 << 40) + 1,
        u64::MAX,
    ] {
        check(&n, &exponent(e), Err(KeyRejected::Exponent));
    }
    // More octets than a u64 has: the value does not wrap.
    check(&n, &[1, 0, 0, 0, 0, 0, 0, 0, 3], Err(KeyRejected::Exponent));
    check(&n, &[1; 512], Err(KeyRejected::Exponent));
}

#[test]
fn errors_say_what_is_wrong() {
    let texts = [
        (
            KeyRejected::LeadingZero,
            "the modulus or the exponent starts with a zero octet or is empty",
        ),
        (KeyRejected::ModulusTooSmall, "the modulus has fewer than 2048 bits"),
        (KeyRejected::ModulusTooLarge, "the modulus has more than 4096 bits"),
        (KeyRejected::ModulusEven, "the modulus is even"),
        (KeyRejected::Exponent, "the exponent is even, below 3 or above 2^33 - 1"),
    ];
    for (reason, text) in texts {
        assert_eq!(reason.to_string(), text);
    }
    assert_eq!(InvalidSignature.to_string(), "the signature is invalid");
}

#[test]
fn a_key_prints_its_size_and_kernel_alone() {
    let key = PublicKey::portable(&modulus(2_048), &E).unwrap();
    assert_eq!(format!("{key:?}"), "PublicKey { modulus_len: 256, kernel: Portable, .. }");
    assert_eq!(key.kernel().to_string(), "portable");
}

#[test]
fn a_clone_is_the_same_key() {
    let [signed, ..] = &common::signed()[..] else { panic!("no keys") };
    assert_eq!(signed.bits, 2_048);
    for key in common::both_kernels(&signed.n) {
        let clone = Box::new(key.clone());
        let digests = common::Digests::of(b"claimgate");
        assert!(common::verify(&clone, 0, &digests, &signed.signatures[0]));
        assert_eq!(clone.verify_pkcs1v15(&Sha256Digest([0; 32]), &[]), Err(InvalidSignature));
    }
}

#[test]
fn keys_are_as_large_as_documented() {
    let documented = match (cfg!(target_arch = "x86_64"), usize::BITS) {
        (true, 64) => 2_752,
        (false, 64) => 2_080,
        _ => 1_040,
    };
    assert_eq!(size_of::<PublicKey>(), documented);
}
