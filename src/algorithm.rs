//! The signature algorithms, and sets of them.

use core::fmt;

/// A signature algorithm of JSON Web Algorithms
/// ([RFC 7518 §3.1](https://www.rfc-editor.org/rfc/rfc7518#section-3.1),
/// [RFC 8037 §3.1](https://www.rfc-editor.org/rfc/rfc8037#section-3.1)).
///
/// A key has exactly one algorithm. The header of a token names an algorithm, which is
/// compared with that of the key and never selects code.
///
/// `HS256`, `HS384` and `HS512` are not supported, because every verifier could also sign;
/// `none`, because it does not sign; `ES512`, `Ed448` and `ES256K`, because not all backends
/// implement them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256, and a salt of 32 bytes.
    Ps256,
    /// RSASSA-PSS with SHA-384, MGF1 with SHA-384, and a salt of 48 bytes.
    Ps384,
    /// RSASSA-PSS with SHA-512, MGF1 with SHA-512, and a salt of 64 bytes.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// EdDSA with Ed25519. `Ed25519` is another name of it
    /// ([RFC 9864 §2.2](https://www.rfc-editor.org/rfc/rfc9864#section-2.2)).
    EdDsa,
}

impl Algorithm {
    /// All algorithms, in the order of their declaration.
    pub const ALL: [Self; 9] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
    ];

    /// Returns the algorithm's name in `alg`, such as `RS256`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }

    /// Returns the algorithm with this name, compared case-sensitively.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Algorithms::ALL.find(|candidate| candidate == name)
    }

    const fn bit(self) -> u16 {
        match self {
            Self::Rs256 => 1,
            Self::Rs384 => 1 << 1,
            Self::Rs512 => 1 << 2,
            Self::Ps256 => 1 << 3,
            Self::Ps384 => 1 << 4,
            Self::Ps512 => 1 << 5,
            Self::Es256 => 1 << 6,
            Self::Es384 => 1 << 7,
            Self::EdDsa => 1 << 8,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of algorithms.
///
/// ```
/// use claimgate::jwk::Algorithms;
/// use claimgate::Algorithm;
///
/// /// The algorithms that FAPI 2.0 allows
/// /// ([FAPI 2.0 §5.4](https://openid.net/specs/fapi-2_0-security-profile.html)).
/// const FAPI: Algorithms = Algorithms::of(&[Algorithm::Ps256, Algorithm::Es256, Algorithm::EdDsa]);
/// assert!(!FAPI.contains(Algorithm::Rs256));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Algorithms(u16);

impl Algorithms {
    /// All algorithms.
    pub const ALL: Self = Self::of(&Algorithm::ALL);

    /// The empty set.
    pub const NONE: Self = Self(0);

    /// The set that contains only RS256.
    pub const RS256: Self = Self::of(&[Algorithm::Rs256]);

    /// The algorithms of RSA keys.
    pub const RSA: Self = Self::of(&[
        Algorithm::Rs256,
        Algorithm::Rs384,
        Algorithm::Rs512,
        Algorithm::Ps256,
        Algorithm::Ps384,
        Algorithm::Ps512,
    ]);

    /// The algorithm of P-256 keys.
    pub const P256: Self = Self::of(&[Algorithm::Es256]);

    /// The algorithm of P-384 keys.
    pub const P384: Self = Self::of(&[Algorithm::Es384]);

    /// The algorithm of Ed25519 keys.
    pub const ED25519: Self = Self::of(&[Algorithm::EdDsa]);

    /// Returns the set of these algorithms.
    #[must_use]
    pub const fn of(algorithms: &[Algorithm]) -> Self {
        let (mut set, mut rest) = (0, algorithms);
        while let Some((algorithm, others)) = rest.split_first() {
            set |= algorithm.bit();
            rest = others;
        }
        Self(set)
    }

    /// Returns whether `algorithm` is in the set.
    #[must_use]
    pub const fn contains(self, algorithm: Algorithm) -> bool {
        self.0 & algorithm.bit() != 0
    }

    /// Returns the algorithms that are in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Returns the algorithms that are in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns whether the sets have an algorithm in common.
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Returns whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns an iterator over the algorithms of the set.
    pub fn iter(self) -> impl Iterator<Item = Algorithm> {
        Algorithm::ALL.into_iter().filter(move |algorithm| self.contains(*algorithm))
    }

    /// Returns the algorithm of the set whose name satisfies `is_name`.
    ///
    /// Each algorithm is tested with a constant pattern, so that a set known at compile time
    /// costs nothing for the algorithms that it does not contain.
    #[inline]
    pub(crate) fn find(self, is_name: impl Fn(&str) -> bool) -> Option<Algorithm> {
        for algorithm in Algorithm::ALL {
            if self.contains(algorithm) && is_name(algorithm.name()) {
                return Some(algorithm);
            }
        }
        (self.contains(Algorithm::EdDsa) && is_name("Ed25519")).then_some(Algorithm::EdDsa)
    }
}

impl fmt::Debug for Algorithms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Algorithm::name)).finish()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Algorithms {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Algorithms({=u16:b})", self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_algorithm_has_a_name_and_a_bit_of_its_own() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
            let alone = Algorithms::of(&[algorithm]);
            for other in Algorithm::ALL {
                assert_eq!(alone.contains(other), algorithm == other, "{algorithm} {other}");
            }
            assert!(alone.iter().eq([algorithm]));
            assert!(alone.intersects(Algorithms::ALL));
            let both = alone.union(Algorithms::RS256);
            assert!(both.contains(algorithm) && both.contains(Algorithm::Rs256));
            assert_eq!(both.iter().count(), if algorithm.bit() == 1 { 1 } else { 2 });
            assert_eq!(alone.intersection(Algorithms::RS256).is_empty(), algorithm.bit() != 1);
        }
        assert!(Algorithms::NONE.is_empty());
        assert_eq!(Algorithm::from_name("Ed25519"), Some(Algorithm::EdDsa));
        for name in ["none", "None", "HS256", "rs256", "RS256 ", "RS25", "", "ES512", "ES256K"] {
            assert_eq!(Algorithm::from_name(name), None, "{name}");
        }
    }
}
