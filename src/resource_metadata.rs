//! The metadata of a protected resource, from which clients learn its authorization servers
//! ([RFC 9728](https://www.rfc-editor.org/rfc/rfc9728)).

use core::fmt;

use crate::algorithm::Algorithms;
use crate::discovery::WellKnownUrl;
use crate::http_uri::HttpUri;

/// The metadata of a protected resource
/// ([RFC 9728 §2](https://www.rfc-editor.org/rfc/rfc9728#section-2)), written as JSON by its
/// `Display`.
///
/// An API publishes it at its [`url`](Self::url) with the media type `application/json`, and
/// includes that URL in its [challenges](crate::Challenge::resource_metadata). Clients of the
/// Model Context Protocol rely on both.
///
/// ```
/// use claimgate::resource_metadata::{BearerMethod, ResourceMetadata};
///
/// const METADATA: ResourceMetadata<'_> = ResourceMetadata::new("https://api.example.com/mcp")
///     .authorization_servers(&["https://my-domain.auth0.com/"])
///     .scopes_supported(&["read:patients"])
///     .bearer_methods_supported(&[BearerMethod::Header]);
///
/// assert_eq!(
///     METADATA.url().unwrap().to_string(),
///     "https://api.example.com/.well-known/oauth-protected-resource/mcp",
/// );
/// assert_eq!(
///     METADATA.to_string(),
///     concat!(
///         r#"{"resource":"https://api.example.com/mcp","#,
///         r#""authorization_servers":["https://my-domain.auth0.com/"],"#,
///         r#""scopes_supported":["read:patients"],"#,
///         r#""bearer_methods_supported":["header"]}"#,
///     ),
/// );
/// ```
///
/// Empty lists are omitted, as required by §3.2. `signed_metadata`,
/// `authorization_details_types_supported` and localised members are not supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceMetadata<'a> {
    resource: &'a str,
    authorization_servers: &'a [&'a str],
    jwks_uri: Option<&'a str>,
    scopes_supported: &'a [&'a str],
    bearer_methods_supported: &'a [BearerMethod],
    resource_signing_alg_values_supported: Algorithms,
    resource_name: Option<&'a str>,
    resource_documentation: Option<&'a str>,
    resource_policy_uri: Option<&'a str>,
    resource_tos_uri: Option<&'a str>,
    certificate_bound: bool,
    dpop_signing_alg_values_supported: Algorithms,
    dpop_required: bool,
}

/// A method of sending a bearer token
/// ([RFC 6750 §2](https://www.rfc-editor.org/rfc/rfc6750#section-2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum BearerMethod {
    /// In the header `Authorization`, the only method that [`BearerToken`](crate::BearerToken)
    /// reads.
    Header,
    /// As a parameter in the body.
    Body,
    /// As a parameter in the URL's query.
    Query,
}

impl BearerMethod {
    const fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Body => "body",
            Self::Query => "query",
        }
    }
}

impl<'a> ResourceMetadata<'a> {
    /// Constructs the metadata of a resource from its identifier: an `https` URL without a
    /// fragment ([§1.2](https://www.rfc-editor.org/rfc/rfc9728#section-1.2)), which clients
    /// compare byte for byte with the URL of the resource.
    #[must_use]
    pub const fn new(resource: &'a str) -> Self {
        Self {
            resource,
            authorization_servers: &[],
            jwks_uri: None,
            scopes_supported: &[],
            bearer_methods_supported: &[],
            resource_signing_alg_values_supported: Algorithms::NONE,
            resource_name: None,
            resource_documentation: None,
            resource_policy_uri: None,
            resource_tos_uri: None,
            certificate_bound: false,
            dpop_signing_alg_values_supported: Algorithms::NONE,
            dpop_required: false,
        }
    }

    /// Sets the issuers of the access tokens that the resource accepts.
    #[must_use]
    pub const fn authorization_servers(mut self, issuers: &'a [&'a str]) -> Self {
        self.authorization_servers = issuers;
        self
    }

    /// Sets the URL of the resource's own keys, with which it signs responses.
    #[must_use]
    pub const fn jwks_uri(mut self, url: &'a str) -> Self {
        self.jwks_uri = Some(url);
        self
    }

    /// Sets the scope tokens that clients request to use the resource.
    #[must_use]
    pub const fn scopes_supported(mut self, scope_tokens: &'a [&'a str]) -> Self {
        self.scopes_supported = scope_tokens;
        self
    }

    /// Sets the methods by which a bearer token can be sent.
    #[must_use]
    pub const fn bearer_methods_supported(mut self, methods: &'a [BearerMethod]) -> Self {
        self.bearer_methods_supported = methods;
        self
    }

    /// Sets the algorithms with which the resource signs responses.
    #[must_use]
    pub const fn resource_signing_alg_values_supported(mut self, algorithms: Algorithms) -> Self {
        self.resource_signing_alg_values_supported = algorithms;
        self
    }

    /// Sets a human-readable name of the resource.
    #[must_use]
    pub const fn resource_name(mut self, name: &'a str) -> Self {
        self.resource_name = Some(name);
        self
    }

    /// Sets the URL of the documentation for developers.
    #[must_use]
    pub const fn resource_documentation(mut self, url: &'a str) -> Self {
        self.resource_documentation = Some(url);
        self
    }

    /// Sets the URL of requirements on how clients use the resource's data.
    #[must_use]
    pub const fn resource_policy_uri(mut self, url: &'a str) -> Self {
        self.resource_policy_uri = Some(url);
        self
    }

    /// Sets the URL of the terms of service.
    #[must_use]
    pub const fn resource_tos_uri(mut self, url: &'a str) -> Self {
        self.resource_tos_uri = Some(url);
        self
    }

    /// States that the resource supports access tokens that are bound to a client certificate
    /// ([RFC 8705 §3](https://www.rfc-editor.org/rfc/rfc8705#section-3)).
    #[must_use]
    pub const fn tls_client_certificate_bound_access_tokens(mut self) -> Self {
        self.certificate_bound = true;
        self
    }

    /// Sets the algorithms with which DPoP proofs may be signed
    /// ([RFC 9449 §5.1](https://www.rfc-editor.org/rfc/rfc9449#section-5.1)).
    #[must_use]
    pub const fn dpop_signing_alg_values_supported(mut self, algorithms: Algorithms) -> Self {
        self.dpop_signing_alg_values_supported = algorithms;
        self
    }

    /// States that the resource accepts only access tokens that are bound to a key by DPoP.
    #[must_use]
    pub const fn dpop_bound_access_tokens_required(mut self) -> Self {
        self.dpop_required = true;
        self
    }

    /// Returns the URL of the metadata: the well-known path is inserted between host and path
    /// of the resource, and the query follows
    /// ([§3.1](https://www.rfc-editor.org/rfc/rfc9728#section-3.1)).
    ///
    /// A path of a single slash is omitted. A longer path keeps a slash at its end, which is
    /// significant.
    ///
    /// Returns `None` if the resource is not an `http` or `https` URL without a fragment.
    #[must_use]
    pub fn url(&self) -> Option<WellKnownUrl<'a>> {
        let uri = HttpUri::parse(self.resource).filter(HttpUri::is_strict_without_fragment)?;
        let (before, after) = uri.split_authority();
        let without_slash =
            after.strip_prefix('/').filter(|rest| matches!(rest.bytes().next(), None | Some(b'?')));
        let after = without_slash.unwrap_or(after);
        Some(WellKnownUrl::new(before, "oauth-protected-resource", after))
    }
}

impl fmt::Display for ResourceMetadata<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut members = Members { f };
        members.f.write_str("{\"resource\":")?;
        members.string(self.resource)?;
        members.strings("authorization_servers", self.authorization_servers.iter().copied())?;
        members.text("jwks_uri", self.jwks_uri)?;
        members.strings("scopes_supported", self.scopes_supported.iter().copied())?;
        let methods = self.bearer_methods_supported.iter().map(|method| method.name());
        members.strings("bearer_methods_supported", methods)?;
        members.algorithms(
            "resource_signing_alg_values_supported",
            self.resource_signing_alg_values_supported,
        )?;
        members.text("resource_name", self.resource_name)?;
        members.text("resource_documentation", self.resource_documentation)?;
        members.text("resource_policy_uri", self.resource_policy_uri)?;
        members.text("resource_tos_uri", self.resource_tos_uri)?;
        members.flag("tls_client_certificate_bound_access_tokens", self.certificate_bound)?;
        members.algorithms(
            "dpop_signing_alg_values_supported",
            self.dpop_signing_alg_values_supported,
        )?;
        members.flag("dpop_bound_access_tokens_required", self.dpop_required)?;
        members.f.write_str("}")
    }
}

/// A writer of the members of an object after the first.
struct Members<'f, 'g> {
    f: &'f mut fmt::Formatter<'g>,
}

impl Members<'_, '_> {
    fn name(&mut self, name: &str) -> fmt::Result {
        write!(self.f, ",\"{name}\":")
    }

    /// Writes a member, unless it is `None`.
    fn text(&mut self, name: &str, value: Option<&str>) -> fmt::Result {
        let Some(value) = value else { return Ok(()) };
        self.name(name)?;
        self.string(value)
    }

    /// Writes an array, unless it is empty.
    fn strings<'v>(
        &mut self,
        name: &str,
        mut values: impl Iterator<Item = &'v str>,
    ) -> fmt::Result {
        let Some(first) = values.next() else { return Ok(()) };
        self.name(name)?;
        self.f.write_str("[")?;
        self.string(first)?;
        for value in values {
            self.f.write_str(",")?;
            self.string(value)?;
        }
        self.f.write_str("]")
    }

    fn algorithms(&mut self, name: &str, algorithms: Algorithms) -> fmt::Result {
        self.strings(name, algorithms.iter().map(|algorithm| algorithm.name()))
    }

    /// Writes `true`, unless the value is `false`, the default.
    fn flag(&mut self, name: &str, value: bool) -> fmt::Result {
        if !value {
            return Ok(());
        }
        self.name(name)?;
        self.f.write_str("true")
    }

    /// Writes a string with the escapes that JSON requires
    /// ([RFC 8259 §7](https://www.rfc-editor.org/rfc/rfc8259#section-7)).
    fn string(&mut self, text: &str) -> fmt::Result {
        self.f.write_str("\"")?;
        // The separators are ASCII, so each part is valid UTF-8.
        for part in text.split_inclusive(needs_escape) {
            let mut plain = part.chars();
            let last = plain.next_back().filter(|character| needs_escape(*character));
            self.f.write_str(if last.is_some() { plain.as_str() } else { part })?;
            match last {
                Some(character @ ('"' | '\\')) => write!(self.f, "\\{character}")?,
                Some(control) => write!(self.f, "\\u{:04x}", u32::from(control))?,
                None => {}
            }
        }
        self.f.write_str("\"")
    }
}

const fn needs_escape(character: char) -> bool {
    matches!(character, '"' | '\\' | '\0'..='\u{1f}')
}

#[cfg(test)]
mod tests {
    use std::format;
    use std::string::ToString;

    use super::*;

    #[test]
    fn m02_each_character_is_escaped_that_has_to_be() {
        for character in ('\0'..='\u{ff}').chain(['\u{2028}', '\u{fffd}', '\u{1f600}']) {
            let expected = match character {
                '"' => r#"\""#.to_string(),
                '\\' => r"\\".to_string(),
                '\0'..='\u{1f}' => format!("\\u{:04x}", u32::from(character)),
                _ => character.to_string(),
            };
            for (before, after) in [("", ""), ("a", "b"), ("\"", "\\"), ("\u{e9}", "\u{e9}")] {
                let name = format!("{before}{character}{after}");
                let escaped = |text: &str| text.replace('\\', r"\\").replace('"', r#"\""#);
                let expected = format!("{}{expected}{}", escaped(before), escaped(after));
                assert_eq!(
                    ResourceMetadata::new(&name).to_string(),
                    format!(r#"{{"resource":"{expected}"}}"#)
                );
            }
        }
    }
}
