//! The discovery document of an issuer (rule M1).

use claimgate::TokenBuffer;
use claimgate::discovery::ProviderMetadata;
use claimgate::error::ConfigError;

use crate::error::{AuthorityError, FetchError};
use crate::fetch::{FetchUrl, LoopbackHttp};

/// Returns the URL of an issuer's document
/// ([OpenID Connect Discovery §4](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig)).
pub(crate) fn document_url(issuer: &str) -> Result<String, AuthorityError> {
    if issuer.is_empty() {
        return Err(AuthorityError::Issuer(ConfigError::Empty("issuer")));
    }
    match ProviderMetadata::openid_configuration_url(issuer) {
        Some(url) => Ok(url.to_string()),
        None => Err(AuthorityError::Url(issuer.to_owned())),
    }
}

/// Returns the URL of the keys, from a document of the expected issuer.
pub(crate) fn jwks_uri(
    document: &str,
    issuer: &str,
    loopback_http: LoopbackHttp,
) -> Result<FetchUrl, FetchError> {
    let mut buffer = TokenBuffer::<1_024>::new();
    let metadata = match loopback_http {
        LoopbackHttp::Refuse => ProviderMetadata::from_json(document, issuer, &mut buffer),
        LoopbackHttp::Allow => {
            ProviderMetadata::danger_from_json_with_http(document, issuer, &mut buffer)
        }
    };
    let metadata = metadata.map_err(FetchError::Document)?;
    FetchUrl::parse(metadata.jwks_uri(), loopback_http).map_err(|_| FetchError::JwksUri)
}
