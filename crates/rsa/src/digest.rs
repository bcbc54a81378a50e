//! Message digests, and the hash functions for PSS.

/// The digest of a message by a hash function. It is implemented only by [`Sha256Digest`],
/// [`Sha384Digest`] and [`Sha512Digest`].
pub trait MessageDigest: sealed::Sealed {}

/// The hash function of a PSS signature, implemented by the caller. This crate contains no
/// hash function.
///
/// ```
/// use claimgate_rsa::{HashFunction, Sha256Digest};
/// use sha2::Digest;
///
/// struct Sha256;
///
/// impl HashFunction for Sha256 {
///     type Digest = Sha256Digest;
///
///     fn digest(parts: &[&[u8]]) -> Sha256Digest {
///         let mut hash = sha2::Sha256::new();
///         for part in parts {
///             hash.update(part);
///         }
///         Sha256Digest(hash.finalize().into())
///     }
/// }
/// ```
pub trait HashFunction {
    /// The digest type of the function.
    type Digest: MessageDigest;

    /// Returns the digest of the concatenated parts.
    fn digest(parts: &[&[u8]]) -> Self::Digest;
}

/// The octets of an encoded message before the hash: the zero octet at the end of the padding,
/// and the DER encoding of a `DigestInfo` up to the hash
/// ([RFC 8017 §9.2](https://www.rfc-editor.org/rfc/rfc8017#section-9.2), note 1).
pub(crate) type Prefix = [u8; 20];

pub(crate) mod sealed {
    /// The properties of a digest.
    pub trait Sealed {
        /// See [`Prefix`](super::Prefix).
        const PREFIX: super::Prefix;

        /// Returns the digest's octets.
        fn octets(&self) -> &[u8];
    }
}

macro_rules! digest {
    ($name:ident, $hash:literal, $len:literal, $identifier:literal) => {
        #[doc = concat!("The ", $hash, " digest of a message.")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name(pub [u8; $len]);

        impl MessageDigest for $name {}

        impl sealed::Sealed for $name {
            const PREFIX: Prefix = [
                0x00,
                0x30,
                0x11 + $len,
                0x30,
                0x0d,
                0x06,
                0x09,
                0x60,
                0x86,
                0x48,
                0x01,
                0x65,
                0x03,
                0x04,
                0x02,
                $identifier,
                0x05,
                0x00,
                0x04,
                $len,
            ];

            #[inline]
            fn octets(&self) -> &[u8] {
                &self.0
            }
        }

        impl From<[u8; $len]> for $name {
            #[inline]
            fn from(octets: [u8; $len]) -> Self {
                Self(octets)
            }
        }
    };
}

digest!(Sha256Digest, "SHA-256", 32, 0x01);
digest!(Sha384Digest, "SHA-384", 48, 0x02);
digest!(Sha512Digest, "SHA-512", 64, 0x03);

/// The end of an encoded message: prefix and hash. The octets before it are `00 01 FF … FF`.
#[derive(Clone, Copy)]
pub(crate) struct Tail<'a> {
    pub(crate) prefix: &'a Prefix,
    pub(crate) hash: &'a [u8],
}

impl<'a> Tail<'a> {
    #[inline]
    pub(crate) fn new<D: MessageDigest>(digest: &'a D) -> Self {
        Self { prefix: const { &D::PREFIX }, hash: digest.octets() }
    }
}
