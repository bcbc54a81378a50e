//! An issuer's keys: a JSON Web Key Set
//! ([RFC 7517](https://www.rfc-editor.org/rfc/rfc7517)), parsed once, and the
//! choice of the key that a header means.

use core::fmt;

use heapless::{String, Vec};

use crate::algorithm::Algorithm;
use crate::base64url::{self, decoded_len};
use crate::error::{Error, JsonProblem, KeyRejected, Problem, Segment, SkipCounts};
use crate::json::{Elements, Object, Text, Value};
use crate::jws::Header;
use crate::public_key::PublicKey;

pub use crate::algorithm::Algorithms;
pub use crate::public_key::{HalfHash, KeyMaterial, VerifyingKey};

/// The bytes that are looked at of a modulus: one more than the longest has, so
/// that a leading zero octet before it is named as such.
const MODULUS_BUFFER_LEN: usize = KeyMaterial::MAX_MODULUS_LEN + 1;

/// The characters of that many bytes.
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
    /// Constructs a key of material that is known otherwise than from JSON, for one
    /// algorithm, with the `kid` that tokens name it by, if they do.
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
        let thumbprint = thumbprint::<K>(material)?;
        VerifyingKey::new(algorithm, material).map(|key| Self { key, key_id, thumbprint })
    }
}

impl<K> Jwk<K> {
    /// The key itself.
    #[must_use]
    pub const fn key(&self) -> &VerifyingKey<K> {
        &self.key
    }

    /// `kid` ([RFC 7517 §4.5](https://www.rfc-editor.org/rfc/rfc7517#section-4.5)).
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The fingerprint of a set that has this key after those of `fingerprint`.
    fn follow(&self, fingerprint: &[u8; 32]) -> [u8; 32]
    where
        K: PublicKey,
    {
        let has_key_id = [u8::from(self.key_id.is_some())];
        let key_id = self.key_id().unwrap_or_default().as_bytes();
        K::sha256(&[fingerprint, &self.thumbprint, &has_key_id, key_id])
    }

    /// The JWK thumbprint with SHA-256
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
    /// The member's place in `keys`, from 0.
    pub index: usize,
    /// Why it is not used.
    pub reason: KeyRejected,
}

impl Skipped {
    /// How many unusable members of a set are skipped, each with its reason, before
    /// the set is refused.
    pub const MAX: usize = 32;
}

/// The keys of an issuer: at most `N`, verified by the backend `K`.
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
/// A set owns its keys: the text that it was parsed from is not borrowed. One key takes
/// about 850 bytes with ring.
pub struct JwkSet<K, const N: usize> {
    keys: Vec<Jwk<K>, N>,
    skipped: Vec<Skipped, { Skipped::MAX }>,
    algorithms: Algorithms,
    fingerprint: [u8; 32],
}

impl<K: PublicKey, const N: usize> JwkSet<K, N> {
    /// Parses the text of a JSON Web Key Set
    /// ([RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517#section-5)).
    ///
    /// A member is used if `K` implements its algorithm, `use` is absent or `sig`,
    /// `key_ops` is absent or contains `verify`, `kid` is absent or has at most 256
    /// bytes, and the key is acceptable ([`VerifyingKey::new`]). The others are skipped;
    /// [`JwkSet::skipped`] returns the reasons.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidJson`] and [`Error::DuplicateMember`] for a text that is
    /// not a key set, [`Error::NoUsableKeys`] with the reasons if nothing is
    /// left, [`Error::TooManyKeys`] for more than `N` usable keys or more than
    /// [`Skipped::MAX`] unusable ones.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        Self::from_json_for(K::ALGORITHMS, text)
    }

    /// Like [`from_json`](Self::from_json), but uses keys of `algorithms` alone. Tokens
    /// of other algorithms are then refused with [`Error::AlgorithmNotAllowed`].
    ///
    /// # Errors
    ///
    /// Those of [`from_json`](Self::from_json).
    pub fn from_json_for(algorithms: Algorithms, text: &str) -> Result<Self, Error> {
        let mut set = Self::empty(algorithms);
        for (index, member) in parse_members(text)?.enumerate() {
            match parse_key(member, set.algorithms) {
                Ok(key) => {
                    set.keys.push(key).map_err(|_| Error::TooManyKeys { limit: N })?;
                }
                Err(reason) => set
                    .skipped
                    .push(Skipped { index, reason })
                    .map_err(|_| Error::TooManyKeys { limit: Skipped::MAX })?,
            }
        }
        set.finish()
    }

    /// Constructs a set of keys that are known otherwise than from JSON.
    ///
    /// # Errors
    ///
    /// [`Error::NoUsableKeys`] for no keys, [`Error::TooManyKeys`] for more than `N`.
    pub fn from_keys(keys: impl IntoIterator<Item = Jwk<K>>) -> Result<Self, Error> {
        let mut set = Self::empty(K::ALGORITHMS);
        for key in keys {
            set.keys.push(key).map_err(|_| Error::TooManyKeys { limit: N })?;
        }
        set.finish()
    }

    const fn empty(algorithms: Algorithms) -> Self {
        Self {
            keys: Vec::new(),
            skipped: Vec::new(),
            algorithms: K::ALGORITHMS.intersection(algorithms),
            fingerprint: [0; 32],
        }
    }

    fn finish(mut self) -> Result<Self, Error> {
        if self.keys.is_empty() {
            let mut counts = SkipCounts::default();
            self.skipped.iter().for_each(|skipped| counts.add(skipped.reason));
            return Err(Error::NoUsableKeys(counts));
        }
        self.fingerprint =
            self.keys.iter().fold([0; 32], |fingerprint, key| key.follow(&fingerprint));
        Ok(self)
    }

    /// Selects the key that a token's header means
    /// ([RFC 7515 §4.1.4](https://www.rfc-editor.org/rfc/rfc7515#section-4.1.4)): the
    /// only one that has the header's algorithm, and its `kid` if it has one.
    ///
    /// # Errors
    ///
    /// [`Error::AlgorithmNotAllowed`] for an algorithm that the set is not for, or if the
    /// key of the `kid` has another; [`Error::UnknownKey`] if there is no such key, which
    /// a newer key set may change; [`Error::AmbiguousKey`] if there are several.
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

    /// The usable keys, in the order of the set.
    #[must_use]
    pub fn keys(&self) -> &[Jwk<K>] {
        &self.keys
    }

    /// What identifies the usable keys: a hash, of 32 bytes, over the
    /// thumbprint and the `kid` of each, in order. Two sets with the same keys
    /// have the same.
    #[must_use]
    pub const fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// The members that are not used, each with the reason.
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }
}

impl<K, const N: usize> fmt::Debug for JwkSet<K, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwkSet")
            .field("keys", &self.keys.as_slice())
            .field("skipped", &self.skipped.as_slice())
            .finish()
    }
}

// Each of the following steps is a function that is not inlined, so that its
// memory on the stack is free again when RSA begins.

/// The members of a set
/// ([RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517#section-5)).
#[inline(never)]
fn parse_members(text: &str) -> Result<Elements<'_>, Error> {
    Object::parse(text.as_bytes(), Segment::Jwks)?
        .get("keys")
        .and_then(Value::array)
        .ok_or(Error::InvalidJson(Segment::Jwks, JsonProblem::NotAKeySet))
}

/// What a usable member of a set says.
struct Members<'a> {
    algorithm: Algorithm,
    key_id: Option<Text<'a>>,
    n: Option<Text<'a>>,
    e: Option<Text<'a>>,
}

/// Reads one member of a set
/// ([RFC 7517 §4](https://www.rfc-editor.org/rfc/rfc7517#section-4),
/// [RFC 7518 §6.3.1](https://www.rfc-editor.org/rfc/rfc7518#section-6.3.1)).
#[inline(never)]
fn read_member(member: Value<'_>, algorithms: Algorithms) -> Result<Members<'_>, KeyRejected> {
    let Ok(Some(object)) = member.object(Segment::Jwks) else {
        return Err(KeyRejected::Malformed);
    };
    let string = |name| match object.get(name) {
        None => Ok(None),
        Some(value) => value.string().map(Some).ok_or(KeyRejected::Malformed),
    };
    let is_absent_or = |name, expected| {
        string(name).map(|text| text.is_none_or(|text: Text<'_>| text.is(expected)))
    };
    if !string("kty")?.is_some_and(|kty| kty.is("RSA")) {
        return Err(KeyRejected::KeyType);
    }
    if !is_absent_or("use", "sig")? {
        return Err(KeyRejected::Use);
    }
    if let Some(operations) = object.get("key_ops") {
        let mut operations = operations.array().ok_or(KeyRejected::Malformed)?;
        if !operations.any(|name| name.string().is_some_and(|name| name.is("verify"))) {
            return Err(KeyRejected::KeyOperations);
        }
    }
    let algorithm = match string("alg")? {
        None => Some(Algorithm::Rs256).filter(|algorithm| algorithms.contains(*algorithm)),
        Some(name) => algorithms.find(|candidate| name.is(candidate)),
    };
    let algorithm = algorithm.ok_or(KeyRejected::Algorithm)?;
    Ok(Members { algorithm, key_id: string("kid")?, n: string("n")?, e: string("e")? })
}

#[inline(never)]
fn parse_key<K: PublicKey>(
    member: Value<'_>,
    algorithms: Algorithms,
) -> Result<Jwk<K>, KeyRejected> {
    let members = read_member(member, algorithms)?;
    let mut key_id = [0; Header::MAX_KEY_ID_LEN];
    let key_id = match members.key_id {
        None => None,
        Some(text) => Some(&*text.unescape(&mut key_id).ok_or(KeyRejected::KeyIdTooLong)?),
    };
    let (mut n, mut e) = ([0; MODULUS_BUFFER_LEN], [0; 12]);
    let n = component(members.n, &mut n, KeyRejected::ModulusTooLarge)?;
    let e = component(members.e, &mut e, KeyRejected::Exponent)?;
    Jwk::new(members.algorithm, KeyMaterial::Rsa { n, e }, key_id)
}

/// Returns the thumbprint of a key
/// ([RFC 7638 §3](https://www.rfc-editor.org/rfc/rfc7638#section-3)): the hash of its
/// required members in lexicographic order.
#[inline(never)]
fn thumbprint<K: PublicKey>(material: KeyMaterial<'_>) -> Result<[u8; 32], KeyRejected> {
    let KeyMaterial::Rsa { n, e } = material else { return Err(KeyRejected::KeyType) };
    let (mut n_text, mut e_text) = ([0; MODULUS_CHARACTERS], [0; 16]);
    let n = base64url::encode(n, &mut n_text).ok_or(KeyRejected::ModulusTooLarge)?;
    let e = base64url::encode(e, &mut e_text).ok_or(KeyRejected::Exponent)?;
    let parts = [r#"{"e":""#, e, r#"","kty":"RSA","n":""#, n, r#""}"#];
    Ok(K::sha256(&parts.map(str::as_bytes)))
}

/// Decodes the base64url text of a component to the front of `out`.
#[inline(never)]
fn component<'o>(
    text: Option<Text<'_>>,
    out: &'o mut [u8],
    too_long: KeyRejected,
) -> Result<&'o [u8], KeyRejected> {
    let mut characters = [0; MODULUS_CHARACTERS];
    let text = text.ok_or(KeyRejected::Components)?;
    let text = text.unescape(&mut characters).ok_or(too_long)?;
    let place = out.get_mut(..decoded_len(text.len())).ok_or(too_long)?;
    base64url::decode_key_material(text, place).map_err(|_| KeyRejected::Components)?;
    Ok(place)
}
