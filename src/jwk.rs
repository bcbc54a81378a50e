//! An issuer's keys: a JSON Web Key Set
//! ([RFC 7517](https://www.rfc-editor.org/rfc/rfc7517)), parsed once, and the
//! choice of the key that a header means.

use core::fmt;

use heapless::{String, Vec};

use crate::base64url::{self, decoded_len};
use crate::error::{Error, JsonProblem, KeyRejected, Segment, SkipCounts};
use crate::json::{Elements, Object, Text, Value};
use crate::jws::{Header, MAX_KEY_ID_LEN};
use crate::public_key::{MAX_MODULUS_LEN, PublicKey, RsaKey};

/// How many unusable members of a set are skipped, each with its reason, before
/// the set is refused.
pub const MAX_SKIPPED: usize = 32;

/// The bytes that are looked at of a modulus: one more than the longest has, so
/// that a leading zero octet before it is named as such.
const MODULUS_BUFFER_LEN: usize = MAX_MODULUS_LEN + 1;

/// The characters of that many bytes.
const MODULUS_CHARACTERS: usize = MODULUS_BUFFER_LEN.div_ceil(3) * 4;

/// A member of a set that can verify RS256 signatures.
///
/// ```
/// # fn show<K: claimgate::PublicKey>(keys: &claimgate::JwkSet<K, 4>) {
/// for jwk in keys.keys() {
///     let bits = 8 * jwk.key().modulus_len();
///     println!("{}: {bits} bits", jwk.key_id().unwrap_or("without a kid"));
/// }
/// # }
/// ```
pub struct Jwk<K> {
    key: RsaKey<K>,
    key_id: Option<String<MAX_KEY_ID_LEN>>,
    thumbprint: [u8; 32],
}

impl<K> Jwk<K> {
    /// The key itself.
    #[must_use]
    pub const fn key(&self) -> &RsaKey<K> {
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

/// An issuer's keys for RS256: at most `N`, verified by the backend `K`.
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
/// A set owns its keys, so the text that it was parsed from may go. One key
/// takes about 850 bytes with ring.
pub struct JwkSet<K, const N: usize> {
    keys: Vec<Jwk<K>, N>,
    skipped: Vec<Skipped, MAX_SKIPPED>,
    fingerprint: [u8; 32],
}

impl<K: PublicKey, const N: usize> JwkSet<K, N> {
    /// Parses the text of a JSON Web Key Set
    /// ([RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517#section-5)).
    ///
    /// A member is used if `kty` is `RSA`, `use` is absent or `sig`, `key_ops`
    /// is absent or contains `verify`, `alg` is absent or `RS256`, `kid` is absent or
    /// has at most 256 bytes, and modulus and exponent are acceptable
    /// ([`RsaKey::from_components`]). The others
    /// are skipped; [`JwkSet::skipped`] tells why.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidJson`] and [`Error::DuplicateMember`] for a text that is
    /// not a key set, [`Error::NoUsableKeys`] with the reasons if nothing is
    /// left, [`Error::TooManyKeys`] for more than `N` usable keys or more than
    /// [`MAX_SKIPPED`] unusable ones.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let mut set = Self { keys: Vec::new(), skipped: Vec::new(), fingerprint: [0; 32] };
        for (index, member) in parse_members(text)?.enumerate() {
            match parse_key(member) {
                Ok(key) => {
                    set.keys.push(key).map_err(|_| Error::TooManyKeys { limit: N })?;
                }
                Err(reason) => set
                    .skipped
                    .push(Skipped { index, reason })
                    .map_err(|_| Error::TooManyKeys { limit: MAX_SKIPPED })?,
            }
        }
        if set.keys.is_empty() {
            let mut counts = SkipCounts::default();
            set.skipped.iter().for_each(|skipped| counts.add(skipped.reason));
            return Err(Error::NoUsableKeys(counts));
        }
        set.fingerprint =
            set.keys.iter().fold([0; 32], |fingerprint, key| key.follow(&fingerprint));
        Ok(set)
    }

    /// The key that a token's header means
    /// ([RFC 7515 §4.1.4](https://www.rfc-editor.org/rfc/rfc7515#section-4.1.4)).
    ///
    /// With a `kid`, the key of that `kid`; without, the only key of the set.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownKey`] if no key has the `kid`, which a newer key set may
    /// change, and [`Error::AmbiguousKey`] if several keys could be meant.
    pub fn select(&self, header: Header<'_>) -> Result<&RsaKey<K>, Error> {
        let key_id = header.key_id();
        let is_meant = |key: &&Jwk<K>| key_id.is_none() || key.key_id() == key_id;
        let mut candidates = self.keys.iter().filter(is_meant);
        match (candidates.next(), candidates.count()) {
            (Some(jwk), 0) => Ok(&jwk.key),
            (Some(_), others) => Err(Error::AmbiguousKey { candidates: others.saturating_add(1) }),
            (None, _) => Err(Error::UnknownKey),
        }
    }
}

impl<K, const N: usize> JwkSet<K, N> {
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
    key_id: Option<Text<'a>>,
    n: Option<Text<'a>>,
    e: Option<Text<'a>>,
}

/// Reads one member of a set
/// ([RFC 7517 §4](https://www.rfc-editor.org/rfc/rfc7517#section-4),
/// [RFC 7518 §6.3.1](https://www.rfc-editor.org/rfc/rfc7518#section-6.3.1)).
#[inline(never)]
fn read_member(member: Value<'_>) -> Result<Members<'_>, KeyRejected> {
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
    if !is_absent_or("alg", "RS256")? {
        return Err(KeyRejected::Algorithm);
    }
    Ok(Members { key_id: string("kid")?, n: string("n")?, e: string("e")? })
}

#[inline(never)]
fn parse_key<K: PublicKey>(member: Value<'_>) -> Result<Jwk<K>, KeyRejected> {
    let members = read_member(member)?;
    let key_id = members.key_id.map(owned_key_id).transpose()?;
    let (mut n, mut e) = ([0; MODULUS_BUFFER_LEN], [0; 12]);
    let Components { n, e, thumbprint } = decode_components::<K>(&members, &mut n, &mut e)?;
    RsaKey::from_components(n, e).map(|key| Jwk { key, key_id, thumbprint })
}

/// Modulus and exponent, and the thumbprint of a key of the two.
struct Components<'o> {
    n: &'o [u8],
    e: &'o [u8],
    thumbprint: [u8; 32],
}

/// Decodes modulus and exponent to `n` and `e`, and computes the thumbprint.
#[inline(never)]
fn decode_components<'o, K: PublicKey>(
    members: &Members<'_>,
    n: &'o mut [u8],
    e: &'o mut [u8],
) -> Result<Components<'o>, KeyRejected> {
    let (mut n_text, mut e_text) = ([0; MODULUS_CHARACTERS], [0; 16]);
    let n_text = component_text(members.n, &mut n_text, KeyRejected::ModulusTooLarge)?;
    let e_text = component_text(members.e, &mut e_text, KeyRejected::Exponent)?;
    let (n, e) = (component(n_text, n)?, component(e_text, e)?);
    // RFC 7638 §3: the required members in lexicographic order. Both texts are
    // canonical, since they decoded.
    let thumbprint = K::sha256(&[
        br#"{"e":""#,
        e_text.as_bytes(),
        br#"","kty":"RSA","n":""#,
        n_text.as_bytes(),
        br#""}"#,
    ]);
    Ok(Components { n, e, thumbprint })
}

fn owned_key_id(text: Text<'_>) -> Result<String<MAX_KEY_ID_LEN>, KeyRejected> {
    let mut bytes = [0; MAX_KEY_ID_LEN];
    let key_id = text.unescape(&mut bytes).ok_or(KeyRejected::KeyIdTooLong)?;
    String::try_from(&*key_id).map_err(|_| KeyRejected::KeyIdTooLong)
}

/// The base64url text of `n` or `e`, unescaped.
fn component_text<'o>(
    text: Option<Text<'_>>,
    out: &'o mut [u8],
    too_long: KeyRejected,
) -> Result<&'o str, KeyRejected> {
    let text = text.ok_or(KeyRejected::Components)?;
    text.unescape(out).map(|text| &*text).ok_or(too_long)
}

fn component<'o>(text: &str, out: &'o mut [u8]) -> Result<&'o [u8], KeyRejected> {
    let place = out.get_mut(..decoded_len(text.len())).ok_or(KeyRejected::Components)?;
    base64url::decode_key_material(text, place).map_err(|_| KeyRejected::Components)?;
    Ok(place)
}
