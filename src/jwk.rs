//! JSON Web Key Sets ([RFC 7517](https://www.rfc-editor.org/rfc/rfc7517)), and the selection
//! of the key for a header.

use core::fmt;

use heapless::{String, Vec};

use crate::algorithm::Algorithm;
use crate::base64url::{self, decoded_len};
use crate::error::{Curve, Error, Input, JsonProblem, KeyRejected, KeyType, Problem, SkipCounts};
use crate::json::{Elements, Name, Object, Text, Value};
use crate::jws::Header;
use crate::public_key::PublicKey;

mod thumbprint;

use thumbprint::thumbprint;

pub use crate::algorithm::Algorithms;
pub use crate::public_key::{HalfHash, KeyMaterial, VerifyingKey};
#[cfg(feature = "pure-rust-rs256")]
#[cfg_attr(docsrs, doc(cfg(feature = "pure-rust-rs256")))]
pub use crate::public_key::{Kernel, PureRustPortableKey};

/// The number of bytes of a modulus that are decoded: one more than the maximum, so that a
/// leading zero octet is reported as such.
const MODULUS_BUFFER_LEN: usize = KeyMaterial::MAX_MODULUS_LEN + 1;

/// The number of base64url characters of a modulus.
const MODULUS_CHARACTERS: usize = MODULUS_BUFFER_LEN.div_ceil(3) * 4;

/// A key of a set: a public key for one algorithm, with its `kid` and thumbprint.
///
/// ```
/// # fn show<K: claimgate::PublicKey>(keys: &claimgate::JwkSet<K, 4>) {
/// for jwk in keys.keys() {
///     println!("{}: {}", jwk.key_id().unwrap_or("without a kid"), jwk.key().algorithm());
/// }
/// # }
/// ```
pub struct Jwk<K> {
    key: VerifyingKey<K>,
    key_id: Option<String<{ Header::MAX_KEY_ID_LEN }>>,
    thumbprint: [u8; 32],
}

impl<K: PublicKey> Jwk<K> {
    /// Constructs a key for one algorithm from key material that does not come from JSON, with
    /// the `kid` that tokens use for it, if any.
    ///
    /// # Errors
    ///
    /// [`KeyRejected::KeyIdTooLong`], and those of [`VerifyingKey::new`].
    pub fn new(
        algorithm: Algorithm,
        material: KeyMaterial<'_>,
        key_id: Option<&str>,
    ) -> Result<Self, KeyRejected> {
        let key_id = match key_id {
            None => None,
            Some(key_id) => Some(String::try_from(key_id).map_err(|_| KeyRejected::KeyIdTooLong)?),
        };
        let key = VerifyingKey::new(algorithm, material)?;
        Ok(Self { key, key_id, thumbprint: thumbprint::<K>(material)? })
    }
}

impl<K> Jwk<K> {
    /// Returns the verification key.
    #[must_use]
    pub const fn key(&self) -> &VerifyingKey<K> {
        &self.key
    }

    /// Returns `kid` ([RFC 7517 §4.5](https://www.rfc-editor.org/rfc/rfc7517#section-4.5)).
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Returns the fingerprint of a set that consists of the keys of `fingerprint` and this
    /// key.
    fn follow(&self, fingerprint: &[u8; 32]) -> [u8; 32]
    where
        K: PublicKey,
    {
        let algorithm = self.key.algorithm().name().as_bytes();
        let has_key_id = [u8::from(self.key_id.is_some())];
        let key_id = self.key_id().unwrap_or_default().as_bytes();
        K::sha256(&[fingerprint, &self.thumbprint, algorithm, &has_key_id, key_id])
    }

    /// Returns the JWK thumbprint with SHA-256
    /// ([RFC 7638](https://www.rfc-editor.org/rfc/rfc7638)), 32 bytes.
    #[must_use]
    pub const fn thumbprint(&self) -> &[u8; 32] {
        &self.thumbprint
    }
}

impl<K> fmt::Debug for Jwk<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwk").field("key", &self.key).finish_non_exhaustive()
    }
}

/// A member of a set that is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Skipped {
    /// The member's index in `keys`, from 0.
    pub index: usize,
    /// The reason why it is not used.
    pub reason: KeyRejected,
}

impl Skipped {
    /// The maximum number of unusable members of a set that are listed with their reasons. Any
    /// number is skipped and [counted](JwkSet::skipped_count).
    pub const MAX: usize = 32;
}

/// The keys of an issuer: at most `N`, implemented by the backend `K`.
///
/// ```
/// use claimgate::{Error, JwkSet, PublicKey};
///
/// /// `K` is `RingKey`, for example.
/// fn read<K: PublicKey>(jwks: &str) -> Result<JwkSet<K, 4>, Error> {
///     let keys = JwkSet::from_json(jwks)?;
///     for skipped in keys.skipped() {
///         println!("member {} is not used: {}", skipped.index, skipped.reason);
///     }
///     Ok(keys)
/// }
/// ```
///
/// A set owns its keys and does not borrow from the text. One key occupies about 850 bytes
/// with ring.
pub struct JwkSet<K, const N: usize> {
    keys: Vec<Jwk<K>, N>,
    skipped: Vec<Skipped, { Skipped::MAX }>,
    skipped_count: usize,
    algorithms: Algorithms,
    fingerprint: [u8; 32],
}

impl<K: PublicKey, const N: usize> JwkSet<K, N> {
    /// Parses the text of a JSON Web Key Set
    /// ([RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517#section-5)).
    ///
    /// A member is used if `K` implements its algorithm, `use` is missing or `sig`, `key_ops`
    /// is missing or an array of strings that contains `verify`, `kid` is missing or has at
    /// most 256 bytes, and the key is acceptable ([`VerifyingKey::new`]). The others, of which
    /// there may be any number, are skipped; [`JwkSet::skipped`] returns the reasons.
    ///
    /// The algorithm of a key is that of its `alg`; without `alg` it is RS256 for `RSA`,
    /// ES256 for P-256, ES384 for P-384, and EdDSA for Ed25519.
    ///
    /// A member that contains a private key is skipped ([`KeyRejected::PrivateKey`]), because
    /// everyone who has read the set can sign with it.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidJson`] and [`Error::DuplicateMember`] for a text that is not a key set,
    /// [`Error::NoUsableKeys`] with the reasons if no key is usable, [`Error::TooManyKeys`]
    /// for more than `N` usable keys.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        Self::from_json_for(K::ALGORITHMS, text)
    }

    /// Like [`from_json`](Self::from_json), but uses only keys for `algorithms`. Tokens with
    /// other algorithms are then rejected with [`Error::AlgorithmNotAllowed`].
    ///
    /// # Errors
    ///
    /// Those of [`from_json`](Self::from_json).
    pub fn from_json_for(algorithms: Algorithms, text: &str) -> Result<Self, Error> {
        let mut set = Self::empty(algorithms);
        let mut counts = SkipCounts::default();
        for (index, member) in parse_members(text)?.enumerate() {
            let members = read_member::<K>(member, set.algorithms, None);
            match members.and_then(|members| construct_key(&members)) {
                Ok(key) => {
                    set.keys.push(key).map_err(|_| Error::TooManyKeys { limit: N })?;
                }
                Err(reason) => {
                    counts.add(reason);
                    set.skipped_count = set.skipped_count.saturating_add(1);
                    // The list ends where it is full.
                    let _is_listed = set.skipped.push(Skipped { index, reason }).is_ok();
                }
            }
        }
        set.finish(counts)?;
        Ok(set)
    }

    /// Constructs a set of keys that do not come from JSON.
    ///
    /// # Errors
    ///
    /// [`Error::NoUsableKeys`] if there are no keys, [`Error::TooManyKeys`] for more than `N`.
    pub fn from_keys(keys: impl IntoIterator<Item = Jwk<K>>) -> Result<Self, Error> {
        let mut set = Self::empty(K::ALGORITHMS);
        for key in keys {
            set.keys.push(key).map_err(|_| Error::TooManyKeys { limit: N })?;
        }
        set.finish(SkipCounts::default())?;
        Ok(set)
    }

    const fn empty(algorithms: Algorithms) -> Self {
        Self {
            keys: Vec::new(),
            skipped: Vec::new(),
            skipped_count: 0,
            algorithms: K::ALGORITHMS.intersection(algorithms),
            fingerprint: [0; 32],
        }
    }

    /// Returns an error for a set without keys; otherwise computes the fingerprint.
    fn finish(&mut self, skipped: SkipCounts) -> Result<(), Error> {
        if self.keys.is_empty() {
            return Err(Error::NoUsableKeys(skipped));
        }
        self.fingerprint =
            self.keys.iter().fold([0; 32], |fingerprint, key| key.follow(&fingerprint));
        Ok(())
    }

    /// Selects the key for a token's header
    /// ([RFC 7515 §4.1.4](https://www.rfc-editor.org/rfc/rfc7515#section-4.1.4)):
    /// the only key that has
    /// the header's algorithm, and its `kid` if it has one.
    ///
    /// # Errors
    ///
    /// [`Error::AlgorithmNotAllowed`] for an algorithm that the set does not accept, or if the
    /// key with the `kid` has a different one; [`Error::UnknownKey`] if there is no such key,
    /// in which case a newer key set may help; [`Error::AmbiguousKey`] if there are several.
    pub fn select(&self, header: Header<'_>) -> Result<&VerifyingKey<K>, Error> {
        self.as_keys().select(header)
    }
}

/// The keys of a [`JwkSet`] of any capacity.
pub(crate) struct Keys<'k, K> {
    keys: &'k [Jwk<K>],
    algorithms: Algorithms,
    pub(crate) fingerprint: &'k [u8; 32],
}

impl<K> Clone for Keys<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Keys<'_, K> {}

impl<'k, K> Keys<'k, K> {
    pub(crate) fn select(self, header: Header<'_>) -> Result<&'k VerifyingKey<K>, Error> {
        let other_algorithm = Error::AlgorithmNotAllowed(Problem::WrongValue);
        if !self.algorithms.contains(header.algorithm) {
            return Err(other_algorithm);
        }
        let key_id = header.key_id();
        let has_key_id = |key: &&Jwk<K>| key_id.is_none() || key.key_id() == key_id;
        let has_algorithm = |key: &&Jwk<K>| key.key.algorithm() == header.algorithm;
        let mut candidates = self.keys.iter().filter(has_key_id).filter(has_algorithm);
        match (candidates.next(), candidates.count()) {
            (Some(jwk), 0) => Ok(&jwk.key),
            (Some(_), others) => Err(Error::AmbiguousKey { candidates: others.saturating_add(1) }),
            (None, _) if key_id.is_some() && self.keys.iter().any(|key| has_key_id(&key)) => {
                Err(other_algorithm)
            }
            (None, _) => Err(Error::UnknownKey),
        }
    }
}

impl<K, const N: usize> JwkSet<K, N> {
    pub(crate) fn as_keys(&self) -> Keys<'_, K> {
        let Self { keys, algorithms, fingerprint, .. } = self;
        Keys { keys, algorithms: *algorithms, fingerprint }
    }

    /// Returns the usable keys, in the order of the set.
    #[must_use]
    pub fn keys(&self) -> &[Jwk<K>] {
        &self.keys
    }

    /// Returns a 32-byte hash of the thumbprint, the algorithm and the `kid` of each usable
    /// key, in order. Two sets of the same keys have the same fingerprint.
    #[must_use]
    pub const fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// Returns the members that are not used, each with the reason: the first
    /// [`Skipped::MAX`].
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Returns the number of all members that are not used.
    #[must_use]
    pub const fn skipped_count(&self) -> usize {
        self.skipped_count
    }
}

impl<K, const N: usize> fmt::Debug for JwkSet<K, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwkSet")
            .field("keys", &self.keys.as_slice())
            .field("skipped", &self.skipped.as_slice())
            .field("skipped_count", &self.skipped_count)
            .finish()
    }
}

// None of the following functions is inlined, so that their stack memory is free again when
// RSA begins.

/// The members of a set
/// ([RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517#section-5)).
#[inline(never)]
fn parse_members(text: &str) -> Result<Elements<'_>, Error> {
    let mut object = Object::empty();
    object.read(text, Input::JwkSet)?;
    object
        .get("keys")
        .and_then(Value::array)
        .ok_or(Error::InvalidJson(Input::JwkSet, JsonProblem::NotAKeySet))
}

/// The properties of a member that is used if its components are acceptable.
pub(crate) struct Members<'a> {
    algorithm: Algorithm,
    key_id: Option<Text<'a>>,
    components: Components<'a>,
}

/// The texts of the numbers of a key.
enum Components<'a> {
    Rsa { n: Option<Text<'a>>, e: Option<Text<'a>> },
    P256 { x: Option<Text<'a>>, y: Option<Text<'a>> },
    P384 { x: Option<Text<'a>>, y: Option<Text<'a>> },
    Ed25519 { x: Option<Text<'a>> },
}

/// The members that contain a private or symmetric key
/// ([RFC 7518 §6.2.2](https://www.rfc-editor.org/rfc/rfc7518#section-6.2.2),
/// [§6.3.2](https://www.rfc-editor.org/rfc/rfc7518#section-6.3.2),
/// [§6.4.1](https://www.rfc-editor.org/rfc/rfc7518#section-6.4.1)).
const PRIVATE_MEMBERS: [Name<'_>; 8] = [
    Name::new("d"),
    Name::new("p"),
    Name::new("q"),
    Name::new("dp"),
    Name::new("dq"),
    Name::new("qi"),
    Name::new("oth"),
    Name::new("k"),
];

// The members that are read.
const ALG: Name<'_> = Name::new("alg");
const CRV: Name<'_> = Name::new("crv");
const E: Name<'_> = Name::new("e");
const KEY_OPS: Name<'_> = Name::new("key_ops");
const KID: Name<'_> = Name::new("kid");
const KTY: Name<'_> = Name::new("kty");
const N: Name<'_> = Name::new("n");
const USE: Name<'_> = Name::new("use");
const X: Name<'_> = Name::new("x");
const Y: Name<'_> = Name::new("y");

/// Reads one member of a set, a key for one of `algorithms`. A key without `alg` has the algorithm
/// `default` if it matches the key type; without a default, that of its key type
/// ([RFC 7517 §4](https://www.rfc-editor.org/rfc/rfc7517#section-4),
/// [RFC 7518 §6](https://www.rfc-editor.org/rfc/rfc7518#section-6),
/// [RFC 8037 §2](https://www.rfc-editor.org/rfc/rfc8037#section-2)).
#[inline(never)]
pub(crate) fn read_member<K: PublicKey>(
    member: Value<'_>,
    algorithms: Algorithms,
    default: Option<Algorithm>,
) -> Result<Members<'_>, KeyRejected> {
    let mut object = Object::empty();
    let Ok(true) = member.read_object(&mut object, Input::JwkSet) else {
        return Err(KeyRejected::Malformed);
    };
    let string = |name: &Name<'_>| match object.find(name) {
        None => Ok(None),
        Some(value) => value.string().map(Some).ok_or(KeyRejected::Malformed),
    };
    // The conditions on `K` are constants: key types that it does not implement are not
    // compiled.
    let kty = string(&KTY)?;
    let is_kty = |name| kty.is_some_and(|kty: Text<'_>| kty.is(name));
    let (fitting, components) = if const { K::ALGORITHMS.intersects(Algorithms::RSA) }
        && algorithms.intersects(Algorithms::RSA)
        && is_kty("RSA")
    {
        (Algorithms::RSA, Components::Rsa { n: string(&N)?, e: string(&E)? })
    } else if const { K::ALGORITHMS.intersects(EC) } && algorithms.intersects(EC) && is_kty("EC") {
        let crv = string(&CRV)?;
        let is_crv = |name| crv.is_some_and(|crv: Text<'_>| crv.is(name));
        let (x, y) = (string(&X)?, string(&Y)?);
        if const { K::ALGORITHMS.intersects(Algorithms::P256) }
            && algorithms.intersects(Algorithms::P256)
            && is_crv(Curve::P256.name())
        {
            (Algorithms::P256, Components::P256 { x, y })
        } else if const { K::ALGORITHMS.intersects(Algorithms::P384) }
            && algorithms.intersects(Algorithms::P384)
            && is_crv(Curve::P384.name())
        {
            (Algorithms::P384, Components::P384 { x, y })
        } else {
            return Err(curve_rejected(crv));
        }
    } else if const { K::ALGORITHMS.intersects(Algorithms::ED25519) }
        && algorithms.intersects(Algorithms::ED25519)
        && is_kty("OKP")
    {
        let crv = string(&CRV)?;
        if !crv.is_some_and(|crv| crv.is(Curve::Ed25519.name())) {
            return Err(curve_rejected(crv));
        }
        (Algorithms::ED25519, Components::Ed25519 { x: string(&X)? })
    } else {
        return Err(key_type_rejected(kty));
    };
    if !string(&USE)?.is_none_or(|usage| usage.is("sig")) {
        return Err(KeyRejected::Use);
    }
    if let Some(operations) = object.find(&KEY_OPS) {
        let mut allows_verify = false;
        for operation in operations.array().ok_or(KeyRejected::Malformed)? {
            allows_verify |= operation.string().ok_or(KeyRejected::Malformed)?.is("verify");
        }
        if !allows_verify {
            return Err(KeyRejected::KeyOperations);
        }
    }
    let accepted = fitting.intersection(K::ALGORITHMS).intersection(algorithms);
    let alg = string(&ALG)?;
    let algorithm = match alg {
        // RS256 and the only algorithm of a curve are the defaults.
        None => {
            default.or_else(|| fitting.iter().next()).filter(|default| accepted.contains(*default))
        }
        Some(alg) => accepted.find(|name| alg.is(name)),
    };
    let algorithm = algorithm.ok_or_else(|| algorithm_rejected(alg, fitting))?;
    if PRIVATE_MEMBERS.iter().any(|name| object.find(name).is_some()) {
        return Err(KeyRejected::PrivateKey);
    }
    Ok(Members { algorithm, key_id: string(&KID)?, components })
}

/// The algorithms of `kty` `EC`.
const EC: Algorithms = Algorithms::of(&[Algorithm::Es256, Algorithm::Es384]);

#[cold]
#[inline(never)]
fn key_type_rejected(kty: Option<Text<'_>>) -> KeyRejected {
    let named =
        [("RSA", KeyType::Rsa), ("EC", KeyType::Ec), ("OKP", KeyType::Okp), ("oct", KeyType::Oct)];
    let named = named.into_iter().find(|(name, _)| kty.is_some_and(|kty| kty.is(name)));
    KeyRejected::KeyType(named.map_or(KeyType::Other, |(_, key_type)| key_type))
}

#[cold]
#[inline(never)]
fn curve_rejected(crv: Option<Text<'_>>) -> KeyRejected {
    let named = Curve::NAMED.into_iter().find(|curve| crv.is_some_and(|crv| crv.is(curve.name())));
    KeyRejected::Curve(named.unwrap_or(Curve::Other))
}

#[cold]
#[inline(never)]
fn algorithm_rejected(alg: Option<Text<'_>>, fitting: Algorithms) -> KeyRejected {
    match alg.map(|alg| Algorithms::ALL.find(|name| alg.is(name))) {
        Some(Some(algorithm)) if !fitting.contains(algorithm) => {
            KeyRejected::AlgorithmMismatch(algorithm)
        }
        Some(algorithm) => KeyRejected::Algorithm(algorithm),
        None => KeyRejected::Algorithm(fitting.iter().next()),
    }
}

/// Constructs the key of a member.
#[inline(never)]
pub(crate) fn construct_key<K: PublicKey>(members: &Members<'_>) -> Result<Jwk<K>, KeyRejected> {
    let mut key_id = [0; Header::MAX_KEY_ID_LEN];
    let key_id = match members.key_id {
        None => None,
        Some(text) => Some(&*text.unescape(&mut key_id).ok_or(KeyRejected::KeyIdTooLong)?),
    };
    let algorithm = members.algorithm;
    match members.components {
        Components::Rsa { n, e } if const { K::ALGORITHMS.intersects(Algorithms::RSA) } => {
            let (mut n_octets, mut e_octets) = ([0; MODULUS_BUFFER_LEN], [0; 12]);
            let n = component(n, &mut n_octets, KeyRejected::ModulusTooLarge)?;
            let e = component(e, &mut e_octets, KeyRejected::Exponent)?;
            Jwk::new(algorithm, KeyMaterial::Rsa { n, e }, key_id)
        }
        Components::P256 { x, y } if const { K::ALGORITHMS.intersects(Algorithms::P256) } => {
            let (x, y) = (&coordinate(x)?, &coordinate(y)?);
            Jwk::new(algorithm, KeyMaterial::P256 { x, y }, key_id)
        }
        Components::P384 { x, y } if const { K::ALGORITHMS.intersects(Algorithms::P384) } => {
            let (x, y) = (&coordinate(x)?, &coordinate(y)?);
            Jwk::new(algorithm, KeyMaterial::P384 { x, y }, key_id)
        }
        Components::Ed25519 { x } if const { K::ALGORITHMS.intersects(Algorithms::ED25519) } => {
            let x = &coordinate(x)?;
            Jwk::new(algorithm, KeyMaterial::Ed25519 { x }, key_id)
        }
        _ => Err(KeyRejected::Algorithm(Some(algorithm))),
    }
}

/// Decodes the base64url text of a component to the front of `out`.
#[inline(never)]
fn component<'o>(
    text: Option<Text<'_>>,
    out: &'o mut [u8],
    too_long: KeyRejected,
) -> Result<&'o [u8], KeyRejected> {
    let text = text.ok_or(KeyRejected::Components)?;
    let mut characters;
    let text = match text.plain() {
        Some(text) => text,
        None => {
            characters = [0; MODULUS_CHARACTERS];
            text.unescape(&mut characters).ok_or(too_long)?
        }
    };
    let place = out.get_mut(..decoded_len(text.len())).ok_or(too_long)?;
    base64url::decode(text, place).map_err(|_| KeyRejected::Components)?;
    Ok(place)
}

/// Decodes the base64url text of a coordinate, which has exactly `LEN` octets.
#[inline(never)]
fn coordinate<const LEN: usize>(text: Option<Text<'_>>) -> Result<[u8; LEN], KeyRejected> {
    let mut octets = [0; LEN];
    match component(text, &mut octets, KeyRejected::CoordinateLength)?.len() {
        len if len == LEN => Ok(octets),
        _ => Err(KeyRejected::CoordinateLength),
    }
}
