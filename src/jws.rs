//! The JWS compact serialisation: three segments, decoded, and a header without unsupported
//! extensions. The signature is verified later.

use core::fmt;

use crate::algorithm::{Algorithm, Algorithms};
use crate::base64url::{self, decoded_len};
use crate::bytes::find;
use crate::error::{Error, HeaderParameter, Input, Problem};
use crate::json::{self, Object, Scratch, Text};

pub use crate::public_key::VerifiedJws;

/// A JWS in compact serialisation, split but not decoded
/// ([RFC 7515 §7.1](https://www.rfc-editor.org/rfc/rfc7515#section-7.1)).
///
/// [`AccessToken::validate`](crate::AccessToken::validate) includes these steps. For a signed
/// text that is not a token:
///
/// ```
/// use claimgate::jws::CompactJws;
/// use claimgate::{Error, JwkSet, PublicKey};
///
/// /// Returns the payload that one of the keys has signed.
/// fn signed<'b, K: PublicKey>(
///     text: &str,
///     keys: &JwkSet<K, 4>,
///     buffer: &'b mut [u8],
/// ) -> Result<Vec<u8>, Error> {
///     let jws = CompactJws::parse(text)?.decode(buffer)?;
///     let key = keys.select(jws.header())?;
///     Ok(jws.verify(key)?.payload().to_vec())
/// }
///
/// assert_eq!(CompactJws::parse("no dots").map(|_| ()), Err(Error::OpaqueToken));
/// ```
#[derive(Clone, Copy)]
pub struct CompactJws<'t> {
    signing_input: &'t str,
    header: &'t str,
    payload: &'t str,
    signature: &'t str,
}

impl fmt::Debug for CompactJws<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompactJws").finish_non_exhaustive()
    }
}

impl<'t> CompactJws<'t> {
    /// The length of the longest token that [`parse`](Self::parse) accepts: 8,192 bytes,
    /// the common limit of HTTP servers for a header field.
    pub const MAX_LEN: usize = 8_192;

    /// Splits a token of at most [`Self::MAX_LEN`] bytes.
    ///
    /// # Errors
    ///
    /// [`Error::TokenTooLarge`], before the token is read, [`Error::OpaqueToken`] for a text
    /// without dots, [`Error::EncryptedToken`] for five segments, and
    /// [`Error::MalformedToken`] for any other number of segments and for empty segments.
    pub fn parse(token: &'t str) -> Result<Self, Error> {
        Self::parse_up_to(token, Self::MAX_LEN)
    }

    /// Like [`CompactJws::parse`], but for a token of at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// Those of [`CompactJws::parse`].
    pub fn parse_up_to(token: &'t str, limit: usize) -> Result<Self, Error> {
        if token.len() > limit {
            return Err(Error::TokenTooLarge { length: token.len(), limit });
        }
        let Some((header, rest)) = split_at_dot(token) else {
            let is_empty = token.is_empty();
            return Err(if is_empty { Error::MalformedToken } else { Error::OpaqueToken });
        };
        let (payload, signature) = split_at_dot(rest).ok_or(Error::MalformedToken)?;
        if let Some((_, rest)) = split_at_dot(signature) {
            // A JWE has two more segments. At most five dots are searched for.
            let has_five = rest.split_once('.').is_some_and(|(_, tag)| !tag.contains('.'));
            return Err(if has_five { Error::EncryptedToken } else { Error::MalformedToken });
        }
        if header.is_empty() || payload.is_empty() || signature.is_empty() {
            return Err(Error::MalformedToken);
        }
        let signing_input = token
            .get(..header.len().saturating_add(payload.len()).saturating_add(1))
            .ok_or(Error::MalformedToken)?;
        Ok(Self { signing_input, header, payload, signature })
    }

    /// Decodes the three segments into `buffer` and reads the header.
    ///
    /// The buffer needs three bytes for every four of the token, and space for strings with
    /// escapes such as `\"`: a buffer as long as the token suffices for nearly every token,
    /// and one of twice the length for every token.
    ///
    /// # Errors
    ///
    /// [`Error::TokenTooLarge`] for a header above [`Header::MAX_LEN`],
    /// [`Error::BufferTooSmall`], [`Error::InvalidBase64`],
    /// [`Error::InvalidJson`] and [`Error::DuplicateMember`] for the header,
    /// [`Error::AlgorithmNotAllowed`] unless `alg` names an [`Algorithm`]
    /// ([RFC 8725 §3.1](https://www.rfc-editor.org/rfc/rfc8725#section-3.1)),
    /// [`Error::CriticalHeader`] for `crit`, `b64` and `zip`, and
    /// [`Error::HeaderType`] for a `kid` or `typ` that is not a string, for a `kid` above
    /// [`Header::MAX_KEY_ID_LEN`] and a `typ` above [`Header::MAX_TYP_LEN`].
    pub fn decode<'b>(self, buffer: &'b mut [u8]) -> Result<UnverifiedJws<'t, 'b>, Error> {
        self.decode_with(Algorithms::ALL, buffer)
    }

    /// Decodes only the payload into `buffer` and returns the issuer that it claims, which is
    /// unverified.
    pub(crate) fn claimed_issuer<'b>(&self, buffer: &'b mut [u8]) -> Option<Text<'b>> {
        let (payload, _) = decode_segment(self.payload, buffer, Input::Payload).ok()?;
        json::find_first(payload, "iss", Input::Payload)?.string()
    }

    /// Like [`decode`](Self::decode), but `alg` must name one of `algorithms`.
    #[inline]
    pub(crate) fn decode_with<'b>(
        self,
        algorithms: Algorithms,
        buffer: &'b mut [u8],
    ) -> Result<UnverifiedJws<'t, 'b>, Error> {
        self.decode_and(algorithms, buffer, |_, _| Ok(())).map(|(jws, ())| jws)
    }

    /// Like [`decode_with`](Self::decode_with), and returns the result of `examine` for the
    /// header and its members.
    #[inline]
    pub(crate) fn decode_and<'b, T>(
        self,
        algorithms: Algorithms,
        buffer: &'b mut [u8],
        examine: impl FnOnce(Header<'b>, &Object<'b>) -> Result<T, Error>,
    ) -> Result<(UnverifiedJws<'t, 'b>, T), Error> {
        let header_len = decoded_len(self.header.len());
        if header_len > Header::MAX_LEN {
            return Err(Error::TokenTooLarge { length: header_len, limit: Header::MAX_LEN });
        }
        let needed = header_len
            .saturating_add(decoded_len(self.payload.len()))
            .saturating_add(decoded_len(self.signature.len()));
        if needed > buffer.len() {
            return Err(Error::BufferTooSmall { needed, available: buffer.len() });
        }
        let (header, free) = decode_segment(self.header, buffer, Input::Header)?;
        let (payload, free) = decode_segment(self.payload, free, Input::Payload)?;
        let (signature, free) = decode_segment(self.signature, free, Input::Signature)?;
        let mut scratch = Scratch::new(free);
        let mut object = Object::empty();
        object.read_decoded(header, Input::Header)?;
        let header = Header::parse(&object, algorithms, &mut scratch)?;
        let examined = examine(header, &object)?;
        let signing_input = self.signing_input;
        Ok((UnverifiedJws { signing_input, header, payload, signature, scratch }, examined))
    }
}

/// Like `split_once('.')`, but chunked: the longest search is that for a dot after the last
/// segment.
fn split_at_dot(text: &str) -> Option<(&str, &str)> {
    let dot = find(b'.', text.as_bytes())?;
    let (before, rest) = text.split_at_checked(dot)?;
    Some((before, rest.strip_prefix('.')?))
}

/// Decodes one segment to the front of `buffer`, and returns the rest of the buffer.
#[inline]
fn decode_segment<'b>(
    text: &str,
    buffer: &'b mut [u8],
    segment: Input,
) -> Result<(&'b mut [u8], &'b mut [u8]), Error> {
    let invalid = Error::InvalidBase64(segment);
    let (bytes, free) = buffer.split_at_mut_checked(decoded_len(text.len())).ok_or(invalid)?;
    match base64url::decode(text, bytes) {
        Ok(_) => Ok((bytes, free)),
        Err(_) => Err(invalid),
    }
}

/// The header parameters that are evaluated. The others of
/// [RFC 7515 §4.1](https://www.rfc-editor.org/rfc/rfc7515#section-4.1),
/// such as `jwk`, `jku`, `x5u` and
/// `x5c`, are never used as a source of keys and are not read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Header<'b> {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: Option<&'b str>,
    pub(crate) typ: Option<&'b str>,
}

impl<'b> Header<'b> {
    /// The length of the longest decoded header, in bytes. It leaves space for an `x5c`,
    /// which is not read.
    pub const MAX_LEN: usize = 2_048;

    /// The length of the longest `kid`, in bytes.
    pub const MAX_KEY_ID_LEN: usize = 256;

    /// The length of the longest `typ`, in bytes. Media types have at most 255
    /// ([RFC 6838 §4.2](https://www.rfc-editor.org/rfc/rfc6838#section-4.2)).
    pub const MAX_TYP_LEN: usize = 256;

    /// No parameters.
    pub(crate) const EMPTY: Self = Self { algorithm: Algorithm::Rs256, key_id: None, typ: None };

    // Inlined, so that the algorithms are known when the names are compared.
    #[inline]
    fn parse(
        object: &Object<'b>,
        algorithms: Algorithms,
        scratch: &mut Scratch<'b>,
    ) -> Result<Self, Error> {
        let mut algorithm = Err(Problem::Absent);
        let mut header = Self::EMPTY;
        let mut unsupported = None;
        let mut wrong_type = None;
        for member in object.members() {
            match member.name {
                "alg" => {
                    algorithm = match member.value.string() {
                        None => Err(Problem::WrongType),
                        Some(name) => algorithms
                            .find(|candidate| name.is(candidate))
                            .ok_or(Problem::WrongValue),
                    };
                }
                "kid" => match member.value.string() {
                    Some(text) => header.key_id = Some(scratch.string(text)?),
                    None => wrong_type = Some(HeaderParameter::KeyId),
                },
                "typ" => match member.value.string() {
                    Some(text) => header.typ = Some(scratch.string(text)?),
                    None => wrong_type = Some(HeaderParameter::Type),
                },
                "crit" => unsupported = Some(HeaderParameter::Critical),
                "b64" => unsupported = Some(HeaderParameter::B64),
                "zip" => unsupported = Some(HeaderParameter::Zip),
                _ => {}
            }
        }
        header.algorithm = algorithm.map_err(Error::AlgorithmNotAllowed)?;
        if let Some(parameter) = unsupported {
            return Err(Error::CriticalHeader(parameter));
        }
        if header.typ.is_some_and(|typ| typ.len() > Self::MAX_TYP_LEN) {
            wrong_type = Some(HeaderParameter::Type);
        }
        if header.key_id.is_some_and(|key_id| key_id.len() > Self::MAX_KEY_ID_LEN) {
            wrong_type = Some(HeaderParameter::KeyId);
        }
        match wrong_type {
            Some(parameter) => Err(Error::HeaderType(parameter)),
            None => Ok(header),
        }
    }

    /// Returns `alg`: the algorithm that the token claims
    /// ([RFC 7515 §4.1.1](https://www.rfc-editor.org/rfc/rfc7515#section-4.1.1)). It is
    /// compared with that of the key.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns `kid`: the key ID, which selects one of the issuer's keys
    /// ([RFC 7515 §4.1.4](https://www.rfc-editor.org/rfc/rfc7515#section-4.1.4)).
    #[must_use]
    pub const fn key_id(&self) -> Option<&'b str> {
        self.key_id
    }

    /// Returns `typ`: the media type of the token
    /// ([RFC 7515 §4.1.9](https://www.rfc-editor.org/rfc/rfc7515#section-4.1.9)).
    #[must_use]
    pub const fn typ(&self) -> Option<&'b str> {
        self.typ
    }

    /// Returns whether `typ` is this media type, in any case, with or without `application/`.
    pub(crate) fn is_of_type(&self, media_type: &str) -> bool {
        let prefix = "application/";
        self.typ.is_some_and(|name| {
            let short = match name.split_at_checked(prefix.len()) {
                Some((start, rest)) if start.eq_ignore_ascii_case(prefix) => rest,
                _ => name,
            };
            short.eq_ignore_ascii_case(media_type)
        })
    }
}

impl fmt::Debug for Header<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Header").finish_non_exhaustive()
    }
}

/// A decoded JWS whose signature is unverified.
///
/// Its header is accessible, to select a key. Its payload is not:
///
/// ```compile_fail,E0599
/// # fn payload(jws: claimgate::jws::UnverifiedJws<'_, '_>) {
/// jws.payload();
/// # }
/// ```
pub struct UnverifiedJws<'t, 'b> {
    pub(crate) signing_input: &'t str,
    pub(crate) header: Header<'b>,
    pub(crate) payload: &'b mut [u8],
    pub(crate) signature: &'b mut [u8],
    pub(crate) scratch: Scratch<'b>,
}

impl<'b> UnverifiedJws<'_, 'b> {
    /// Returns the header, which is unverified.
    #[must_use]
    pub const fn header(&self) -> Header<'b> {
        self.header
    }

    /// Returns the issuer that the token claims, which is unverified. Use it only to select an
    /// issuer, and compare it again after the signature is verified.
    pub(crate) fn claimed_issuer(&self) -> Option<Text<'_>> {
        json::find_first(self.payload, "iss", Input::Payload)?.string()
    }
}

impl fmt::Debug for UnverifiedJws<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedJws").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f01_a_text_is_split_at_its_first_dot() {
        let filling = ["a", "\u{e9}", "\u{2e80}", "\u{1f600}"];
        for (filling, count) in filling.into_iter().flat_map(|text| (0..50).map(move |n| (text, n)))
        {
            let long = filling.repeat(count);
            assert_eq!(split_at_dot(&long), None);
            for rest in ["", ".", "a.b", long.as_str()] {
                let text = std::format!("{long}.{rest}");
                assert_eq!(split_at_dot(&text), Some((&*long, rest)), "{text}");
            }
        }
    }
}
