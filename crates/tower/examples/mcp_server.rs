//! A server of the Model Context Protocol as an OAuth 2.0 protected resource
//! ([Authorization](https://modelcontextprotocol.io/specification/draft/basic/authorization)).
//!
//! A client without a token finds the authorization server as follows: the 401 response
//! contains the URL of the RFC 9728 document, and the document contains the server's URL. A
//! client whose token has insufficient scope for a tool receives a 403 response with the
//! required scope, which it requests from its authorization server.
//!
//! ```sh
//! cargo run -p claimgate-tower --features axum --example mcp_server -- https://my-domain.auth0.com/
//! curl -i -X POST http://127.0.0.1:9182/mcp
//! curl -s http://127.0.0.1:9182/.well-known/oauth-protected-resource/mcp
//! ```
//!
//! Only authorization is implemented, with two JSON-RPC methods.

use std::env;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use claimgate::resource_metadata::{BearerMethod, ResourceMetadata};
use claimgate::{AccessTokenPolicy, ScopePolicy, at_compile_time};
use claimgate_tower::{AuthLayer, Authenticated, Authorities, Authority, Require, Requirement};
use serde_json::{Value, json};

/// The identifier of this resource, for which clients request tokens (RFC 8707).
const RESOURCE: &str = "http://127.0.0.1:9182/mcp";

/// The only accepted audience is this resource: a token for another server is rejected, and
/// this server's token must not be forwarded to others.
const POLICY: AccessTokenPolicy<'_> =
    at_compile_time!(AccessTokenPolicy::general(RESOURCE).build());

struct ReadNotes;

impl Requirement for ReadNotes {
    const SCOPE: Option<ScopePolicy<'static>> =
        Some(at_compile_time!(ScopePolicy::all_of(&["notes:read"])));
}

struct WriteNotes;

impl Requirement for WriteNotes {
    const SCOPE: Option<ScopePolicy<'static>> =
        Some(at_compile_time!(ScopePolicy::all_of(&["notes:read", "notes:write"])));
}

/// Each tool requires its own scope. Listing the tools requires none.
async fn call(
    caller: Authenticated,
    read: Result<Require<ReadNotes>, Response>,
    write: Result<Require<WriteNotes>, Response>,
    body: String,
) -> Result<Response, Response> {
    let request: Value =
        serde_json::from_str(&body).map_err(|_| StatusCode::BAD_REQUEST.into_response())?;
    let result = match (request["method"].as_str(), request["params"]["name"].as_str()) {
        (Some("tools/list"), _) => json!({"tools": [{"name": "read"}, {"name": "write"}]}),
        (Some("tools/call"), Some("read")) => text(&format!("notes of {}", subject(&read?))),
        (Some("tools/call"), Some("write")) => text(&format!("written by {}", subject(&write?))),
        _ => return Err(StatusCode::NOT_FOUND.into_response()),
    };
    let _ = caller;
    let response = json!({"jsonrpc": "2.0", "id": request["id"], "result": result});
    Ok(([("content-type", "application/json")], response.to_string()).into_response())
}

fn subject<R>(by: &Require<R>) -> String {
    by.token().subject().to_owned()
}

fn text(text: &str) -> Value {
    json!({"content": [{"type": "text", "text": text}]})
}

/// Returns the server for this issuer's tokens.
fn app(authorities: Authorities, issuer: &str) -> Result<Router, claimgate_tower::AuthorityError> {
    let servers = [issuer];
    let metadata = ResourceMetadata::new(RESOURCE)
        .authorization_servers(&servers)
        .scopes_supported(&["notes:read", "notes:write"])
        .bearer_methods_supported(&[BearerMethod::Header]);
    let layer = AuthLayer::new(authorities, POLICY).resource(&metadata)?;
    Ok(Router::new().route("/mcp", post(call)).layer(layer.clone()).merge(layer.metadata_route()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = env::args().nth(1).ok_or("usage: mcp_server ISSUER")?;
    let authority = Authority::discover(issuer.as_str()).danger_allow_loopback_http();
    let app = app(Authorities::new([authority])?, &issuer)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:9182").await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

#[cfg(test)]
#[path = "../tests/support/mod.rs"]
mod support;

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
    use tower::ServiceExt;

    use super::support::*;
    use super::*;

    const ISSUER: &str = "https://issuer.example";

    async fn ask(app: &Router, token: Option<&str>, tool: &str) -> (u16, String, String) {
        let body = json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool},
        });
        let mut request = Request::post("/mcp");
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Body::from(body.to_string())).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let challenge = response.headers().get(WWW_AUTHENTICATE);
        let challenge = challenge.map_or("", |value| value.to_str().unwrap()).to_owned();
        let body = to_bytes(response.into_body(), 4_096).await.unwrap();
        (status, challenge, String::from_utf8(body.to_vec()).unwrap())
    }

    /// Simulates a client, which follows the challenges until it has the required token.
    #[tokio::test]
    async fn a_client_finds_its_way_from_nothing_to_a_tool() {
        let signer = Signer::rsa("a");
        let authority = Authority::fixed(ISSUER, jwks(&[&signer]));
        let app = app(Authorities::new([authority]).unwrap(), ISSUER).unwrap();

        let (status, challenge, _) = ask(&app, None, "read").await;
        assert_eq!(status, 401);
        let url = challenge.strip_prefix("Bearer resource_metadata=\"").unwrap();
        let path = url.strip_prefix("http://127.0.0.1:9182").unwrap().strip_suffix('"').unwrap();
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        let body = to_bytes(response.into_body(), 4_096).await.unwrap();
        let metadata: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(metadata["resource"], RESOURCE);
        assert_eq!(metadata["authorization_servers"], json!([ISSUER]));

        // The issuer grants little scope at first.
        let token = |scope: &str, audience: &str| {
            signer.sign(&with(with(claims(ISSUER), "scope", scope), "aud", audience))
        };
        let little = token("notes:read", RESOURCE);
        let (status, _, body) = ask(&app, Some(&little), "read").await;
        assert_eq!(status, 200);
        assert!(body.contains("notes of alice"), "{body}");
        let (status, challenge, _) = ask(&app, Some(&little), "write").await;
        assert_eq!(status, 403);
        assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
        let scope = challenge.split("scope=\"").nth(1).unwrap().split('"').next().unwrap();
        let (status, _, body) = ask(&app, Some(&token(scope, RESOURCE)), "write").await;
        assert_eq!(status, 200);
        assert!(body.contains("written by alice"), "{body}");

        // A token for another server.
        let foreign = token(scope, "https://other.example/mcp");
        assert_eq!(ask(&app, Some(&foreign), "read").await.0, 401);
    }
}
