//! Metadata of a protected resource: the JSON, its URL, and the challenge that contains the
//! URL.

use claimgate::error::{Claim, Problem};
use claimgate::jwk::Algorithms;
use claimgate::resource_metadata::{BearerMethod, ResourceMetadata};
use claimgate::{Algorithm, Challenge, Error, ScopePolicy};
use proptest::prelude::*;
use serde_json::{Value, json};

const RESOURCE: &str = "https://api.example.com/mcp";

fn parsed(metadata: &ResourceMetadata<'_>) -> Value {
    serde_json::from_str(&metadata.to_string()).unwrap()
}

#[test]
fn m02_all_members_are_written_by_their_names() {
    const METADATA: ResourceMetadata<'_> = ResourceMetadata::new(RESOURCE)
        .authorization_servers(&["https://as1.example.com", "https://as2.example.net/tenant"])
        .jwks_uri("https://api.example.com/keys")
        .scopes_supported(&["profile", "read:patients"])
        .bearer_methods_supported(&[BearerMethod::Header, BearerMethod::Body, BearerMethod::Query])
        .resource_signing_alg_values_supported(Algorithms::RS256)
        .resource_name("Patients")
        .resource_documentation("https://api.example.com/docs")
        .resource_policy_uri("https://api.example.com/policy")
        .resource_tos_uri("https://api.example.com/tos")
        .tls_client_certificate_bound_access_tokens()
        .dpop_signing_alg_values_supported(Algorithms::of(&[Algorithm::EdDsa, Algorithm::Es256]))
        .dpop_bound_access_tokens_required();
    assert_eq!(
        parsed(&METADATA),
        json!({
            "resource": RESOURCE,
            "authorization_servers": ["https://as1.example.com", "https://as2.example.net/tenant"],
            "jwks_uri": "https://api.example.com/keys",
            "scopes_supported": ["profile", "read:patients"],
            "bearer_methods_supported": ["header", "body", "query"],
            "resource_signing_alg_values_supported": ["RS256"],
            "resource_name": "Patients",
            "resource_documentation": "https://api.example.com/docs",
            "resource_policy_uri": "https://api.example.com/policy",
            "resource_tos_uri": "https://api.example.com/tos",
            "tls_client_certificate_bound_access_tokens": true,
            "dpop_signing_alg_values_supported": ["ES256", "EdDSA"],
            "dpop_bound_access_tokens_required": true
        })
    );
}

#[test]
fn m02_each_member_stands_alone() {
    let new = ResourceMetadata::new(RESOURCE);
    for (metadata, name, value) in [
        (new.authorization_servers(&["a"]), "authorization_servers", json!(["a"])),
        (new.jwks_uri("a"), "jwks_uri", json!("a")),
        (new.scopes_supported(&["a", "b"]), "scopes_supported", json!(["a", "b"])),
        (
            new.bearer_methods_supported(&[BearerMethod::Query]),
            "bearer_methods_supported",
            json!(["query"]),
        ),
        (
            new.resource_signing_alg_values_supported(Algorithms::RS256),
            "resource_signing_alg_values_supported",
            json!(["RS256"]),
        ),
        (new.resource_name("a"), "resource_name", json!("a")),
        (new.resource_documentation("a"), "resource_documentation", json!("a")),
        (new.resource_policy_uri("a"), "resource_policy_uri", json!("a")),
        (new.resource_tos_uri("a"), "resource_tos_uri", json!("a")),
        (
            new.tls_client_certificate_bound_access_tokens(),
            "tls_client_certificate_bound_access_tokens",
            json!(true),
        ),
        (
            new.dpop_signing_alg_values_supported(Algorithms::RS256),
            "dpop_signing_alg_values_supported",
            json!(["RS256"]),
        ),
        (new.dpop_bound_access_tokens_required(), "dpop_bound_access_tokens_required", json!(true)),
    ] {
        let mut expected = json!({"resource": RESOURCE});
        expected[name] = value;
        assert_eq!(parsed(&metadata), expected);
    }
}

#[test]
fn m02_empty_lists_are_left_out() {
    let new = ResourceMetadata::new(RESOURCE);
    assert_eq!(new.to_string(), r#"{"resource":"https://api.example.com/mcp"}"#);
    let empty = new
        .authorization_servers(&[])
        .scopes_supported(&[])
        .bearer_methods_supported(&[])
        .resource_signing_alg_values_supported(Algorithms::NONE)
        .dpop_signing_alg_values_supported(Algorithms::NONE);
    assert_eq!(empty.to_string(), new.to_string());
    // An empty string is a value.
    assert_eq!(parsed(&new.resource_name(""))["resource_name"], "");
}

#[test]
fn m02_the_url_has_the_well_known_path_between_host_and_path() {
    let well_known = "/.well-known/oauth-protected-resource";
    for (resource, before, after) in [
        ("https://resource.example.com", "https://resource.example.com", ""),
        // A slash that ends the host is removed …
        ("https://resource.example.com/", "https://resource.example.com", ""),
        ("https://resource.example.com/?a=b", "https://resource.example.com", "?a=b"),
        ("https://resource.example.com?a=b", "https://resource.example.com", "?a=b"),
        // The example of §3.1.
        ("https://resource.example.com/resource1", "https://resource.example.com", "/resource1"),
        // … but one that ends a path is not: that is another resource.
        ("https://resource.example.com/resource1/", "https://resource.example.com", "/resource1/"),
        ("https://a/b/c?d=/e/?f", "https://a", "/b/c?d=/e/?f"),
        ("https://a//", "https://a", "//"),
        ("https://a:8443/b", "https://a:8443", "/b"),
        ("https://[2001:db8::1]:8443/b", "https://[2001:db8::1]:8443", "/b"),
        ("http://localhost:3000/mcp", "http://localhost:3000", "/mcp"),
    ] {
        let url = ResourceMetadata::new(resource).url().unwrap().to_string();
        assert_eq!(url, format!("{before}{well_known}{after}"));
        // Another parser sees the same host, port and query.
        let (resource, url) = (url::Url::parse(resource).unwrap(), url::Url::parse(&url).unwrap());
        assert_eq!(resource.origin(), url.origin());
        assert_eq!(resource.query(), url.query());
    }
}

#[test]
fn m02_what_is_no_resource_identifier_has_no_url() {
    for resource in [
        "",
        "api",
        "urn:example:api",
        "/mcp",
        "https://",
        "https:///mcp",
        "https://user@api.example.com/",
        "https://api.example.com/#",
        "https://api.example.com/mcp#a",
        "https://api.example.com/a b",
        "https://api.example.com/?a=\"",
        "https://api.example.com/\r\nX: y",
        "https://\u{e4}.example.com/",
    ] {
        assert_eq!(ResourceMetadata::new(resource).url(), None, "{resource:?}");
    }
}

const URL: &str = "https://api.example.com/.well-known/oauth-protected-resource/mcp";

#[test]
fn m03_a_challenge_without_an_error_names_the_metadata() {
    let challenge = Challenge::new(Error::MissingToken).resource_metadata(URL);
    assert_eq!(challenge.to_string(), format!(r#"Bearer resource_metadata="{URL}""#));
    assert_eq!(challenge.status(), 401);
    assert_eq!(
        challenge.realm("health").to_string(),
        format!(r#"Bearer realm="health", resource_metadata="{URL}""#)
    );
}

#[test]
fn m03_a_challenge_with_an_error_names_the_metadata() {
    let needed = ScopePolicy::all_of(&["files:write"]).unwrap();
    for (error, status, rest) in [
        (
            Error::Expired { exp: 1, now: 2, leeway: 0 },
            401,
            r#"error="invalid_token", error_description="The token has expired""#,
        ),
        (
            Error::InsufficientScope(Claim::Scope),
            403,
            r#"error="insufficient_scope", error_description="The request requires a higher privilege", scope="files:write""#,
        ),
        (
            Error::InsufficientAuthentication(Claim::Acr, Problem::Absent),
            401,
            r#"error="insufficient_user_authentication", error_description="A stronger or newer authentication is required", acr_values="gold", max_age="0""#,
        ),
    ] {
        let challenge = Challenge::new(error)
            .resource_metadata(URL)
            .needed(&needed)
            .authentication(&["gold"], Some(0));
        assert_eq!(challenge.to_string(), format!(r#"Bearer resource_metadata="{URL}", {rest}"#));
        assert_eq!(challenge.status(), status);
        let without = Challenge::new(error).needed(&needed).authentication(&["gold"], Some(0));
        assert_eq!(without.to_string(), format!("Bearer {rest}"));
    }
}

#[test]
fn m03_a_url_cannot_inject_an_attribute() {
    let url = "https://a/\", error=\"x\\\r\nSet-Cookie: b\u{e4}\u{7f}";
    let challenge = Challenge::new(Error::MissingToken).resource_metadata(url);
    assert_eq!(
        challenge.to_string(),
        r#"Bearer resource_metadata="https://a/?, error=?x???Set-Cookie: b??""#
    );
}

#[test]
fn m03_the_url_of_the_metadata_can_be_written_once() {
    let metadata = ResourceMetadata::new(RESOURCE);
    let url = metadata.url().unwrap().to_string();
    assert_eq!(url, URL);
    let challenge = Challenge::new(Error::MissingToken).resource_metadata(&url);
    assert!(challenge.to_string().contains(&format!("\"{URL}\"")));
}

proptest! {
    /// For all strings, the text is JSON and contains them.
    #[test]
    fn m02_any_strings_are_written_as_json(
        resource in any::<String>(),
        name in prop::option::of("(\\PC|[\\x00-\\x1f\"\\\\\u{7f}\u{2028}]){0,12}"),
        servers in prop::collection::vec(any::<String>(), 0..4),
        scopes in prop::collection::vec("[\\x00-\\x7f]{0,8}", 0..4),
    ) {
        let servers: Vec<&str> = servers.iter().map(String::as_str).collect();
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let mut metadata = ResourceMetadata::new(&resource)
            .authorization_servers(&servers)
            .scopes_supported(&scopes);
        if let Some(name) = &name {
            metadata = metadata.resource_name(name);
        }
        let mut expected = json!({"resource": resource});
        if !servers.is_empty() {
            expected["authorization_servers"] = json!(servers);
        }
        if !scopes.is_empty() {
            expected["scopes_supported"] = json!(scopes);
        }
        if let Some(name) = &name {
            expected["resource_name"] = json!(name);
        }
        prop_assert_eq!(parsed(&metadata), expected);
    }

    #[test]
    fn m02_the_url_of_any_resource_is_on_its_host(resource in "https?://[a-z@:/?#.%\\\\ ]{0,12}") {
        if let Some(well_known) = ResourceMetadata::new(&resource).url() {
            let url = url::Url::parse(&well_known.to_string()).unwrap();
            prop_assert_eq!(url.origin(), url::Url::parse(&resource).unwrap().origin());
        }
    }

    #[test]
    fn m03_any_url_is_one_attribute(url in any::<String>()) {
        let text = Challenge::new(Error::MissingToken).resource_metadata(&url).to_string();
        let value = text.strip_prefix("Bearer resource_metadata=\"").unwrap();
        let value = value.strip_suffix('"').unwrap();
        prop_assert!(value.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)));
        prop_assert_eq!(value.chars().count(), url.chars().count());
    }
}
