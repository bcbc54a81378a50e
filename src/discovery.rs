//! Discovery documents, which contain the URL of an issuer's keys
//! ([OpenID Connect Discovery 1.0](https://openid.net/specs/openid-connect-discovery-1_0.html),
//! [RFC 8414](https://www.rfc-editor.org/rfc/rfc8414)).

use core::fmt;

use crate::algorithm::Algorithms;
use crate::buffer::TokenBuffer;
use crate::error::{Error, Input, JsonProblem};
use crate::http_uri::HttpUri;
use crate::json::{Object, Scratch, Value};

/// The maximum number of members of a discovery document.
///
/// Keycloak's has more than fifty, and about a hundred are registered.
const MAX_MEMBERS: usize = 128;

/// The metadata of an issuer, from its discovery document
/// ([OIDC Discovery §3](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata),
/// [RFC 8414 §2](https://www.rfc-editor.org/rfc/rfc8414#section-2)).
///
/// ```
/// use claimgate::discovery::ProviderMetadata;
/// use claimgate::{Error, TokenBuffer};
///
/// let issuer = "https://my-domain.auth0.com/";
/// let url = ProviderMetadata::openid_configuration_url(issuer).unwrap();
/// assert_eq!(
///     url.to_string(),
///     "https://my-domain.auth0.com/.well-known/openid-configuration",
/// );
/// // … fetch the document from that URL …
/// let document = r#"{
///     "issuer": "https://my-domain.auth0.com/",
///     "jwks_uri": "https://my-domain.auth0.com/.well-known/jwks.json",
///     "userinfo_endpoint": "https://my-domain.auth0.com/userinfo",
///     "id_token_signing_alg_values_supported": ["HS256", "RS256", "PS256"]
/// }"#;
/// let mut buffer = TokenBuffer::<256>::new();
/// let metadata = ProviderMetadata::from_json(document, issuer, &mut buffer)?;
/// assert_eq!(metadata.jwks_uri(), "https://my-domain.auth0.com/.well-known/jwks.json");
///
/// // A document of another issuer is rejected, whatever its source.
/// let other = "https://other-domain.auth0.com/";
/// let refused = ProviderMetadata::from_json(document, other, &mut buffer);
/// assert_eq!(refused, Err(Error::IssuerMismatch));
/// # Ok::<(), Error>(())
/// ```
///
/// The grammar of other members is checked; their values are ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProviderMetadata<'a> {
    issuer: &'a str,
    jwks_uri: &'a str,
    userinfo_endpoint: Option<&'a str>,
    id_token_signing_alg_values_supported: Option<Algorithms>,
}

impl<'a> ProviderMetadata<'a> {
    /// Reads a discovery document. Its `issuer` must equal the expected one byte for byte
    /// ([OIDC Discovery §4.3](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationValidation),
    /// [RFC 8414 §3.3](https://www.rfc-editor.org/rfc/rfc8414#section-3.3)).
    ///
    /// `jwks_uri`, and `userinfo_endpoint` if it is present, must be `https` URLs within the
    /// grammar of RFC 3986, without user information and without a fragment.
    ///
    /// The metadata borrows from the text, and from `buffer` for strings with escapes. The
    /// buffer must be as long as these strings are after unescaping: 256 bytes suffice for
    /// most documents, and none are needed for documents without escapes.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidJson`] and [`Error::DuplicateMember`] for the document as a whole; then
    /// [`Error::IssuerMismatch`] if `issuer` is missing, not a string, or not the expected
    /// one; then [`Error::InvalidJson`] for the other members, with
    /// [`JsonProblem::NotAnHttpsUrl`] and [`JsonProblem::NotStrings`]; and
    /// [`Error::BufferTooSmall`].
    pub fn from_json<const N: usize>(
        text: &'a str,
        expected_issuer: &str,
        buffer: &'a mut TokenBuffer<N>,
    ) -> Result<Self, Error> {
        Self::read(text, expected_issuer, Schemes::Https, buffer)
    }

    /// Like [`from_json`](Self::from_json), but also accepts `http` URLs, whose responses
    /// anyone on the network can change. It is intended for a provider on the loopback
    /// interface, such as in tests.
    ///
    /// # Errors
    ///
    /// Those of [`from_json`](Self::from_json).
    pub fn danger_from_json_with_http<const N: usize>(
        text: &'a str,
        expected_issuer: &str,
        buffer: &'a mut TokenBuffer<N>,
    ) -> Result<Self, Error> {
        Self::read(text, expected_issuer, Schemes::HttpsAndHttp, buffer)
    }

    fn read<const N: usize>(
        text: &'a str,
        expected_issuer: &str,
        schemes: Schemes,
        buffer: &'a mut TokenBuffer<N>,
    ) -> Result<Self, Error> {
        let mut document = Object::<MAX_MEMBERS>::empty_with_capacity();
        document.read(text, Input::DiscoveryDocument)?;
        let issuer = document
            .get("issuer")
            .and_then(Value::string)
            .filter(|issuer| issuer.is(expected_issuer))
            .ok_or(Error::IssuerMismatch)?;
        let mut scratch = Scratch::new(&mut buffer.bytes);
        let algorithms = document.get("id_token_signing_alg_values_supported");
        Ok(Self {
            issuer: scratch.string(issuer)?,
            jwks_uri: read_url(document.get("jwks_uri"), schemes, &mut scratch)?,
            userinfo_endpoint: match document.get("userinfo_endpoint") {
                Some(url) => Some(read_url(Some(url), schemes, &mut scratch)?),
                None => None,
            },
            id_token_signing_alg_values_supported: algorithms.map(read_algorithms).transpose()?,
        })
    }

    /// Returns the issuer, which is the expected one.
    #[must_use]
    pub const fn issuer(&self) -> &'a str {
        self.issuer
    }

    /// Returns the `https` URL of the issuer's key set.
    #[must_use]
    pub const fn jwks_uri(&self) -> &'a str {
        self.jwks_uri
    }

    /// Returns the `https` URL of the `/userinfo` endpoint, if there is one.
    #[must_use]
    pub const fn userinfo_endpoint(&self) -> Option<&'a str> {
        self.userinfo_endpoint
    }

    /// Returns the algorithms that the issuer may use to sign ID tokens, without those that
    /// this crate does not implement.
    ///
    /// `None` if the document has no such member, which RFC 8414 does not define. It restricts
    /// nothing: the accepted algorithms are those of the issuer's keys.
    #[must_use]
    pub const fn id_token_signing_alg_values_supported(&self) -> Option<Algorithms> {
        self.id_token_signing_alg_values_supported
    }

    /// Returns the URL of an issuer's OpenID Connect discovery document: the issuer without a
    /// slash at the end, followed by the well-known path
    /// ([OIDC Discovery §4](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig)).
    ///
    /// Returns `None` if `issuer` is not an `http` or `https` URL without query and fragment.
    #[must_use]
    pub fn openid_configuration_url(issuer: &str) -> Option<WellKnownUrl<'_>> {
        HttpUri::parse(issuer).filter(HttpUri::ends_with_path)?;
        let before = issuer.strip_suffix('/').unwrap_or(issuer);
        Some(WellKnownUrl::new(before, "openid-configuration", ""))
    }

    /// Returns the URL of an authorization server's metadata: the well-known path is inserted
    /// between host and path, and a slash at the end of the path is removed
    /// ([RFC 8414 §3.1](https://www.rfc-editor.org/rfc/rfc8414#section-3.1)).
    ///
    /// Returns `None` if `issuer` is not an `http` or `https` URL without query and fragment.
    #[must_use]
    pub fn oauth_authorization_server_url(issuer: &str) -> Option<WellKnownUrl<'_>> {
        let (before, path) =
            HttpUri::parse(issuer).filter(HttpUri::ends_with_path)?.split_authority();
        let after = path.strip_suffix('/').unwrap_or(path);
        Some(WellKnownUrl::new(before, "oauth-authorization-server", after))
    }
}

/// The accepted schemes of the URLs in a document.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Schemes {
    Https,
    HttpsAndHttp,
}

fn read_url<'a>(
    value: Option<Value<'a>>,
    schemes: Schemes,
    scratch: &mut Scratch<'a>,
) -> Result<&'a str, Error> {
    let problem = Error::InvalidJson(Input::DiscoveryDocument, JsonProblem::NotAnHttpsUrl);
    let text = value.and_then(Value::string).ok_or(problem)?;
    let url = scratch.string(text)?;
    HttpUri::parse(url)
        .filter(|uri| uri.is_https() || schemes == Schemes::HttpsAndHttp)
        .filter(HttpUri::is_strict_without_fragment)
        .map(|_| url)
        .ok_or(problem)
}

fn read_algorithms(value: Value<'_>) -> Result<Algorithms, Error> {
    let problem = Error::InvalidJson(Input::DiscoveryDocument, JsonProblem::NotStrings);
    let mut known = Algorithms::NONE;
    for element in value.array().ok_or(problem)? {
        let name = element.string().ok_or(problem)?;
        if let Some(algorithm) = Algorithms::ALL.find(|candidate| name.is(candidate)) {
            known = known.union(Algorithms::of(&[algorithm]));
        }
    }
    Ok(known)
}

/// A URL with a well-known path
/// ([RFC 8615](https://www.rfc-editor.org/rfc/rfc8615)), written by its `Display`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WellKnownUrl<'a> {
    /// Scheme and authority, and the path before the well-known one.
    before: &'a str,
    name: &'static str,
    after: &'a str,
}

impl<'a> WellKnownUrl<'a> {
    pub(crate) const fn new(before: &'a str, name: &'static str, after: &'a str) -> Self {
        Self { before, name, after }
    }
}

impl fmt::Display for WellKnownUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/.well-known/{}{}", self.before, self.name, self.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m01_http_urls_are_read_only_where_that_is_asked_for() {
        let issuer = "http://127.0.0.1:8080";
        let text = r#"{"issuer":"http://127.0.0.1:8080","jwks_uri":"http://127.0.0.1:8080/keys"}"#;
        let mut buffer = TokenBuffer::<0>::new();
        let refused = Err(Error::InvalidJson(Input::DiscoveryDocument, JsonProblem::NotAnHttpsUrl));
        assert_eq!(ProviderMetadata::from_json(text, issuer, &mut buffer), refused);
        let read = ProviderMetadata::danger_from_json_with_http(text, issuer, &mut buffer);
        assert_eq!(read.unwrap().jwks_uri(), "http://127.0.0.1:8080/keys");
        let other = text.replace("http://127.0.0.1:8080/keys", "ftp://127.0.0.1/keys");
        let read = ProviderMetadata::danger_from_json_with_http(&other, issuer, &mut buffer);
        assert_eq!(read, refused);
        let other = "http://127.0.0.1:8081";
        let read = ProviderMetadata::danger_from_json_with_http(text, other, &mut buffer);
        assert_eq!(read, Err(Error::IssuerMismatch));
    }

    #[test]
    fn m01_algorithms_are_read_by_all_of_their_names() {
        let read = |list: &str| {
            let text = std::format!(r#"{{"a":{list}}}"#);
            let mut object = Object::empty();
            object.read(&text, Input::DiscoveryDocument).unwrap();
            read_algorithms(object.get("a").unwrap())
        };
        let names: std::string::String =
            Algorithms::ALL.iter().map(|algorithm| std::format!(r#""{algorithm}","#)).collect();
        assert_eq!(read(&std::format!("[{names}\"none\"]")), Ok(Algorithms::ALL));
        assert_eq!(read("[]"), Ok(Algorithms::NONE));
        assert_eq!(read(r#"["\u0052S256"]"#), Ok(Algorithms::RS256));
    }
}
