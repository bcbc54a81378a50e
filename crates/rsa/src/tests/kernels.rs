use super::*;
use crate::digest::sealed::Sealed as _;
use crate::{Sha256Digest, Sha384Digest, Sha512Digest};

/// Compares all results of a kernel with num-bigint's for one modulus and base.
#[track_caller]
fn compare(
    name: &str,
    key: &mut dyn Subject,
    n: &BigUint,
    s: &BigUint,
    power: &BigUint,
    tail: Tail<'_>,
) {
    let context = || std::format!("{name}: n = {n:x}, s = {s:x}");
    let len = key.len();
    let signature = octets(s, len);
    let mut out = std::vec![0; len];
    assert!(key.recover(&mut out, &signature), "{}", context());
    assert_eq!(BigUint::from_bytes_be(&out), *power, "{}", context());
    assert!(!key.verify_pkcs1v15(tail, &signature), "{}", context());
    // s^e + complement is what the kernel has to compare with.
    let mut complement = std::vec![0xff];
    complement.extend(tail.prefix.iter().skip(1).chain(tail.hash).map(|octet| !octet));
    let padding = (power + BigUint::from_bytes_be(&complement)) % n;
    if key.set_padding(&padding) {
        assert!(key.verify_pkcs1v15(tail, &signature), "{}", context());
        assert!(key.set_padding(&((&padding + 1_u8) % n)));
        assert!(!key.verify_pkcs1v15(tail, &signature), "{}", context());
        assert!(key.set_padding(&((&padding + n - 1_u8) % n)));
        assert!(!key.verify_pkcs1v15(tail, &signature), "{}", context());
    }
}

fn differential(bits: impl Fn(&mut Random) -> u64, exponent: impl Fn(&mut Random) -> u64, seed: u64, rounds: u64) {
    let mut random = Random::new(seed);
    let mut count = 0;
    while count < rounds {
        let size = bits(&mut random);
        let n = random.modulus(size);
        let e = exponent(&mut random);
        let mut keys = subjects(&n, e);
        for _ in 0..8 {
            let s = random.base(&n);
            let power = s.modpow(&BigUint::from(e), &n);
            let hash = random.octets(64);
            let tail = match random.below(3) {
                0 => Tail { prefix: &Sha256Digest::PREFIX, hash: &hash[..32] },
                1 => Tail { prefix: &Sha384Digest::PREFIX, hash: &hash[..48] },
                _ => Tail { prefix: &Sha512Digest::PREFIX, hash: &hash },
            };
            for (name, key) in &mut keys {
                assert_eq!(u64::from(key.bits()), size);
                compare(name, key.as_mut(), &n, &s, &power, tail);
            }
            count += 1;
        }
    }
}

#[test]
fn kernels_agree_with_num_bigint_at_2048_bits() {
    differential(|_| 2_048, |_| 65_537, 1, rounds(20_000, 40));
}

#[test]
fn kernels_agree_with_num_bigint_at_any_size_and_exponent() {
    differential(
        |random| 2_048 + random.below(2_049),
        |random| match random.below(4) {
            0 => 3,
            1 => 65_537,
            2 => (1 << 33) - 1 - 2 * random.below(4),
            _ => 3 + 2 * random.below(1 << 31),
        },
        2,
        rounds(4_000, 40),
    );
}
