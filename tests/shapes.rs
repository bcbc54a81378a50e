//! Tokens in the form of real issuers, validated with every policy of one deployment.
//!
//! All of them have the issuer, the client and the API of one deployment, and its key, which
//! is also in their headers: only their form differs, which is the worst case. Forms are from
//! the documentation named in each row; names and numbers are made up.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]

mod support;

use claimgate::policy::ForeignClaim;
use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, DpopPolicy, DpopProof, DpopRequest, DpopToken,
    IdToken, IdTokenPolicy, Login, LogoutToken, LogoutTokenPolicy, Nonce, ReplayWindow, RequestKey,
    ScopePolicy, TokenBuffer, at_compile_time,
};
use serde_json::{Value, json};
use support::*;

const MANAGEMENT_API: &str = "https://my-domain.auth0.com/api/v2/";
const THUMBPRINT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

/// The policies of the deployment, each identified by a letter.
const ACCESS_POLICIES: &[(char, AccessTokenPolicy<'_>)] = &[
    // An API with Auth0, and with most issuers.
    ('A', at_compile_time!(AccessTokenPolicy::general(API).build())),
    // An API whose tokens follow RFC 9068.
    ('R', at_compile_time!(AccessTokenPolicy::rfc9068(API).build())),
    // An API with Amazon Cognito.
    ('C', at_compile_time!(AccessTokenPolicy::without_audience(&[CLIENT_ID]).build())),
    // An API with an older Keycloak, which writes the nonce into access tokens.
    (
        'K',
        at_compile_time!(
            AccessTokenPolicy::general(API).allow_foreign_claim(ForeignClaim::Nonce).build()
        ),
    ),
    // The Auth0 Management API.
    (
        'M',
        at_compile_time!(
            AccessTokenPolicy::general(MANAGEMENT_API)
                .require_scope(at_compile_time!(ScopePolicy::all_of(&["read:users"])))
                .build()
        ),
    ),
];

/// The letter of the API, if the request proves its DPoP key.
const DPOP: char = 'D';
const DPOP_KEY: RequestKey<'_> = at_compile_time!(RequestKey::dpop(THUMBPRINT));

const ID_POLICIES: &[(char, IdTokenPolicy<'_>, Login<'_>)] = &[
    // A login without a nonce to compare: the most permissive policy.
    ('L', LOGIN_POLICY, LOGIN),
    // A login with a nonce.
    ('N', LOGIN_POLICY, at_compile_time!(Login::new(Nonce::Expect("n-0S6")).build())),
    // A login whose tokens have a second audience.
    (
        'T',
        at_compile_time!(IdTokenPolicy::new(CLIENT_ID).trusted_audiences(&["backend"]).build()),
        LOGIN,
    ),
];

const LOGOUT_POLICIES: &[(char, LogoutTokenPolicy<'_>)] = &[
    // Logouts with issuers that write `exp`.
    ('O', at_compile_time!(LogoutTokenPolicy::new(CLIENT_ID).build())),
    // Logouts with issuers that do not: the most permissive policy.
    ('E', at_compile_time!(LogoutTokenPolicy::new(CLIENT_ID).accept_without_expiry(600).build())),
];

/// The verifier of DPoP proofs, with the most permissive policy.
const PROOFS: DpopPolicy = at_compile_time!(DpopPolicy::new().max_age(DpopPolicy::MAX_AGE).build());
const DPOP_TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
/// The hash of that access token: RFC 9449 §7.1.
const DPOP_TOKEN_HASH: &str = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo";
const REQUESTS: &[(char, DpopRequest<'_>)] = &[
    // A request to the API with an access token.
    ('P', DpopRequest::to_resource("GET", API, DpopToken::new(DPOP_TOKEN))),
    // A request without one.
    ('Q', DpopRequest::without_access_token("GET", API)),
];

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// A token of some issuer.
struct Shape {
    /// Its description and the documentation of its form.
    what: &'static str,
    typ: Option<&'static str>,
    claims: Value,
    /// The letters of the policies that accept it.
    accepted_by: &'static str,
    /// The errors of the most permissive login and of the API, if they do not accept it.
    login: &'static str,
    api: &'static str,
}

/// Returns a form with these additional claims. `null` removes a claim.
fn shape(
    what: &'static str,
    typ: impl Into<Option<&'static str>>,
    further: &Value,
    accepted_by: &'static str,
    (login, api): (&'static str, &'static str),
) -> Shape {
    let mut claims = json!({"iss": ISSUER, "sub": "auth0|123456", "exp": EXP, "iat": IAT});
    for (name, value) in further.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    Shape { what, typ: typ.into(), claims, accepted_by, login, api }
}

const OK: &str = "";

fn shapes() -> Vec<Shape> {
    let jwt = "JWT";
    let at_jwt = "at+jwt";
    let userinfo = "https://my-domain.auth0.com/userinfo";
    let user = json!({"name": "Jane Doe", "email": "jane@example.com", "email_verified": true});
    let id = |further: &Value| {
        let mut claims = user.clone();
        claims["aud"] = json!(CLIENT_ID);
        for (name, value) in further.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    };
    vec![
        // Auth0: https://auth0.com/docs/secure/tokens/id-tokens/id-token-structure
        shape(
            "Auth0 ID token",
            jwt,
            &id(&json!({"nonce": "n-0S6", "sid": "1", "updated_at": "2011-07-21T20:42:50.000Z"})),
            "LNT",
            (OK, "audience_mismatch"),
        ),
        shape(
            "Auth0 ID token without a nonce",
            jwt,
            &id(&json!({"nickname": "jane"})),
            "LT",
            (OK, "audience_mismatch"),
        ),
        shape(
            "Auth0 ID token of the hybrid flow",
            jwt,
            &id(&json!({"nonce": "n-0S6", "c_hash": "x", "at_hash": "y", "s_hash": "z"})),
            "LNT",
            (OK, "audience_mismatch"),
        ),
        shape(
            "Auth0 ID token of an organization",
            jwt,
            &id(&json!({"org_id": "org_1", "org_name": "acme"})),
            "LT",
            (OK, "audience_mismatch"),
        ),
        shape(
            "Auth0 ID token after step-up",
            jwt,
            &id(&json!({"acr": "http://schemas.openid.net/pape/policies/2007/06/multi-factor",
                "amr": ["mfa"], "auth_time": IAT})),
            "LT",
            (OK, "audience_mismatch"),
        ),
        // https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles
        shape(
            "Auth0 access token",
            jwt,
            &json!({"aud": [API, userinfo], "azp": CLIENT_ID, "scope": "openid profile read:patients"}),
            "AK",
            ("audience_mismatch", OK),
        ),
        shape(
            "Auth0 access token after a refresh, of the password grant",
            jwt,
            &json!({"aud": [API, userinfo], "azp": CLIENT_ID, "gty": ["refresh_token", "password"],
                "scope": "openid offline_access"}),
            "AK",
            ("audience_mismatch", OK),
        ),
        shape(
            "Auth0 access token with permissions",
            jwt,
            &json!({"aud": API, "azp": CLIENT_ID, "scope": "", "permissions": ["read:patients"]}),
            "AK",
            ("audience_mismatch", OK),
        ),
        shape(
            "Auth0 access token of the RFC 9068 profile",
            at_jwt,
            &json!({"aud": API, "client_id": CLIENT_ID, "jti": "1", "scope": "read:patients"}),
            "ARK",
            ("audience_mismatch", OK),
        ),
        shape(
            "Auth0 machine token",
            jwt,
            &json!({"sub": "app@clients", "aud": API, "azp": "app", "gty": "client-credentials",
                "scope": "read:patients"}),
            "AK",
            ("audience_mismatch", OK),
        ),
        shape(
            "Auth0 Management API token",
            jwt,
            &json!({"sub": "app@clients", "aud": MANAGEMENT_API, "azp": "app",
                "gty": "client-credentials", "scope": "read:users update:users"}),
            "M",
            ("audience_mismatch", "audience_mismatch"),
        ),
        shape(
            "Auth0 Management API token of a user, without the scope",
            jwt,
            &json!({"aud": [MANAGEMENT_API, userinfo], "azp": CLIENT_ID,
                "scope": "openid read:current_user"}),
            "",
            ("audience_mismatch", "audience_mismatch"),
        ),
        shape(
            "Auth0 access token of an organization",
            jwt,
            &json!({"aud": API, "azp": CLIENT_ID, "org_id": "org_1", "scope": "read:patients"}),
            "AK",
            ("audience_mismatch", OK),
        ),
        shape(
            "Auth0 access token bound by mutual TLS",
            at_jwt,
            &json!({"aud": API, "client_id": CLIENT_ID, "jti": "1", "cnf": {"x5t#S256": "x"}}),
            "",
            ("audience_mismatch", "confirmation_required"),
        ),
        shape(
            "Auth0 access token bound by DPoP",
            jwt,
            &json!({"aud": API, "azp": CLIENT_ID, "cnf": {"jkt": THUMBPRINT}}),
            "D",
            ("audience_mismatch", "confirmation_required"),
        ),
        shape(
            "Auth0 access token for /userinfo alone",
            jwt,
            &json!({"aud": userinfo, "azp": CLIENT_ID, "scope": "openid"}),
            "",
            ("audience_mismatch", "audience_mismatch"),
        ),
        // Google: https://developers.google.com/identity/openid-connect/openid-connect
        shape(
            "Google ID token",
            jwt,
            &id(&json!({"azp": CLIENT_ID, "at_hash": "x", "hd": "example.com", "nonce": "n-0S6",
                "picture": "https://lh3.googleusercontent.com/a", "locale": "en"})),
            "LNT",
            (OK, "audience_mismatch"),
        ),
        shape(
            "Google ID token asked for by another client of the project (Android)",
            jwt,
            &id(&json!({"azp": "android-client"})),
            "",
            ("authorized_party_mismatch", "audience_mismatch"),
        ),
        shape(
            "Google service account assertion: RFC 7523",
            jwt,
            &json!({"sub": "svc@project.iam", "aud": "https://oauth2.googleapis.com/token",
                "scope": "https://www.googleapis.com/auth/drive"}),
            "",
            ("audience_mismatch", "audience_mismatch"),
        ),
        // Microsoft:
        // https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
        shape(
            "Microsoft Entra v2.0 ID token",
            jwt,
            &id(&json!({"nbf": IAT, "nonce": "n-0S6", "oid": "x", "tid": "y", "ver": "2.0",
                "preferred_username": "jane@example.com", "uti": "z", "rh": "r", "aio": "a"})),
            "LNT",
            (OK, "audience_mismatch"),
        ),
        shape(
            "Microsoft Entra v1.0 ID token",
            jwt,
            &id(
                &json!({"nbf": IAT, "amr": ["pwd"], "unique_name": "jane", "upn": "jane", "ver": "1.0"}),
            ),
            "LT",
            (OK, "audience_mismatch"),
        ),
        // https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
        shape(
            "Microsoft Entra v2.0 access token",
            jwt,
            &json!({"aud": API, "nbf": IAT, "azp": CLIENT_ID, "azpacr": "1", "scp": "Files.Read",
                "oid": "x", "tid": "y", "ver": "2.0"}),
            "AK",
            ("audience_mismatch", OK),
        ),
        shape(
            "Microsoft Entra v1.0 access token",
            jwt,
            &json!({"aud": API, "nbf": IAT, "appid": CLIENT_ID, "appidacr": "1", "acr": "1",
                "amr": ["pwd"], "scp": "Files.Read", "ver": "1.0"}),
            "AK",
            ("audience_mismatch", OK),
        ),
        shape(
            "Microsoft Entra access token of an application",
            jwt,
            &json!({"aud": API, "nbf": IAT, "azp": "app", "roles": ["Files.Read.All"],
                "idtyp": "app", "ver": "2.0"}),
            "AK",
            ("audience_mismatch", OK),
        ),
        shape(
            "Microsoft Entra access token whose audience is the API's own client ID",
            jwt,
            &json!({"aud": CLIENT_ID, "azp": CLIENT_ID, "scp": "Files.Read", "ver": "2.0"}),
            "",
            ("token_type", "audience_mismatch"),
        ),
        shape(
            "Microsoft Graph token, which has a nonce in its header and is not for others",
            jwt,
            &json!({"aud": "https://graph.microsoft.com", "appid": CLIENT_ID, "scp": "User.Read"}),
            "",
            ("audience_mismatch", "audience_mismatch"),
        ),
        // Okta: https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/
        shape(
            "Okta ID token",
            None,
            &id(&json!({"ver": 1, "jti": "ID.x", "amr": ["pwd"], "idp": "00o", "nonce": "n-0S6",
                "auth_time": IAT, "at_hash": "x"})),
            "LNT",
            (OK, "audience_mismatch"),
        ),
        shape(
            "Okta access token of a custom server",
            None,
            &json!({"sub": "jane@example.com", "ver": 1, "jti": "AT.x", "aud": API, "cid": CLIENT_ID,
                "uid": "00u", "scp": ["openid", "read:patients"], "auth_time": IAT}),
            "AK",
            ("audience_mismatch", OK),
        ),
        shape(
            "Okta machine token",
            None,
            &json!({"sub": "0oa", "ver": 1, "jti": "AT.x", "aud": API, "cid": "0oa", "scp": ["read"]}),
            "AK",
            ("audience_mismatch", OK),
        ),
        shape(
            "Okta access token of the org server, for Okta alone",
            None,
            &json!({"ver": 1, "jti": "AT.x", "aud": "https://my-domain.okta.com", "cid": CLIENT_ID,
                "scp": ["openid"]}),
            "",
            ("audience_mismatch", "audience_mismatch"),
        ),
        // Keycloak: https://www.keycloak.org/docs/latest/server_admin/
        shape(
            "Keycloak ID token",
            jwt,
            &id(
                &json!({"jti": "1", "auth_time": IAT, "typ": "ID", "azp": CLIENT_ID, "nonce": "n-0S6",
                "session_state": "s", "at_hash": "x", "acr": "1", "sid": "s"}),
            ),
            "LNT",
            (OK, "audience_mismatch"),
        ),
        shape(
            "Keycloak access token",
            jwt,
            &json!({"jti": "1", "aud": [API, "account"], "typ": "Bearer", "azp": CLIENT_ID, "acr": "1",
                "realm_access": {"roles": ["nurse"]}, "scope": "openid email", "sid": "s"}),
            "AK",
            ("audience_mismatch", OK),
        ),
        shape(
            "Keycloak access token of an older version, with the nonce",
            jwt,
            &json!({"jti": "1", "aud": [API, "account"], "typ": "Bearer", "azp": CLIENT_ID,
                "nonce": "n-0S6", "session_state": "s", "scope": "openid"}),
            "K",
            ("audience_mismatch", "token_type"),
        ),
        shape(
            "Keycloak access token with the client as its audience",
            jwt,
            &json!({"jti": "1", "aud": CLIENT_ID, "typ": "Bearer", "azp": CLIENT_ID}),
            "",
            ("token_type", "audience_mismatch"),
        ),
        shape(
            "Keycloak refresh token",
            jwt,
            &json!({"jti": "1", "aud": ISSUER, "typ": "Refresh", "azp": CLIENT_ID, "scope": "openid"}),
            "",
            ("audience_mismatch", "audience_mismatch"),
        ),
        shape(
            "Keycloak refresh token with the API as its audience",
            jwt,
            &json!({"jti": "1", "aud": API, "typ": "Refresh", "azp": CLIENT_ID}),
            "",
            ("audience_mismatch", "token_type"),
        ),
        shape(
            "Keycloak offline token with the client as its audience",
            jwt,
            &json!({"jti": "1", "aud": CLIENT_ID, "typ": "Offline", "azp": CLIENT_ID}),
            "",
            ("token_type", "audience_mismatch"),
        ),
        shape(
            "Keycloak logout token of a version without a header typ",
            jwt,
            &json!({"jti": "1", "aud": CLIENT_ID, "typ": "Logout", "sid": "s",
                "events": {EVENT: {}}}),
            "OE",
            ("token_type", "audience_mismatch"),
        ),
        shape(
            "Keycloak DPoP-bound access token",
            jwt,
            &json!({"jti": "1", "aud": API, "typ": "DPoP", "azp": CLIENT_ID,
                "cnf": {"jkt": THUMBPRINT}}),
            "D",
            ("audience_mismatch", "confirmation_required"),
        ),
        // Cognito: https://docs.aws.amazon.com/cognito/latest/developerguide/
        shape(
            "Amazon Cognito ID token",
            None,
            &id(&json!({"token_use": "id", "auth_time": IAT, "cognito:username": "jane",
                "cognito:groups": ["nurse"], "at_hash": "x", "origin_jti": "o", "jti": "1"})),
            "LT",
            (OK, "audience_mismatch"),
        ),
        shape(
            "Amazon Cognito access token",
            None,
            &json!({"token_use": "access", "client_id": CLIENT_ID, "scope": "openid", "version": 2,
                "auth_time": IAT, "username": "jane", "origin_jti": "o", "jti": "1"}),
            "C",
            ("missing_claim", "missing_claim"),
        ),
        shape(
            "Amazon Cognito access token of another client",
            None,
            &json!({"token_use": "access", "client_id": "other", "scope": "openid"}),
            "",
            ("missing_claim", "missing_claim"),
        ),
        shape(
            "Amazon Cognito access token bound to a resource",
            None,
            &json!({"token_use": "access", "client_id": CLIENT_ID, "aud": API, "scope": "openid"}),
            "AK",
            ("audience_mismatch", OK),
        ),
        // Apple: https://developer.apple.com/documentation/signinwithapple
        shape(
            "Apple ID token",
            None,
            &json!({"aud": CLIENT_ID, "nonce": "n-0S6", "nonce_supported": true, "c_hash": "x",
                "email": "jane@privaterelay.appleid.com", "email_verified": true,
                "is_private_email": true, "auth_time": IAT, "real_user_status": 2}),
            "LNT",
            (OK, "audience_mismatch"),
        ),
        shape(
            "Apple ID token of an older form, with a boolean in quotes",
            None,
            &json!({"aud": CLIENT_ID, "email": "jane@privaterelay.appleid.com",
                "email_verified": "true", "auth_time": IAT}),
            "",
            ("claim_type", "audience_mismatch"),
        ),
        // The specifications
        shape(
            "RFC 9068 §2.2.3.1's example",
            at_jwt,
            &json!({"aud": API, "client_id": "s6BhdRkqt3", "jti": "dbe39bf3a3ba4238a513f51d6e1691c4",
                "scope": "openid profile reademail", "auth_time": IAT}),
            "ARK",
            ("audience_mismatch", OK),
        ),
        shape(
            "RFC 9068 token in the name of application/at+jwt",
            "application/at+jwt",
            &json!({"aud": [API], "client_id": "x", "jti": "1", "groups": ["admins"], "roles": ["a"]}),
            "ARK",
            ("audience_mismatch", OK),
        ),
        shape(
            "RFC 9068 token with the client as its audience",
            at_jwt,
            &json!({"aud": CLIENT_ID, "client_id": CLIENT_ID, "jti": "1"}),
            "",
            ("token_type", "audience_mismatch"),
        ),
        shape(
            "OIDC Back-Channel Logout 1.0 §2.4: logout token",
            "logout+jwt",
            &json!({"aud": CLIENT_ID, "jti": "1", "sid": "s", "events": {EVENT: {}}}),
            "OE",
            ("token_type", "audience_mismatch"),
        ),
        shape(
            "OIDC Back-Channel Logout 1.0 §2.4: logout token with a nonce",
            "logout+jwt",
            &json!({"aud": CLIENT_ID, "jti": "1", "sid": "s", "nonce": "n-0S6",
                "events": {EVENT: {}}}),
            "",
            ("token_type", "audience_mismatch"),
        ),
        shape(
            "OIDC Back-Channel Logout 1.0 §2.4: logout token of a session without a subject",
            "logout+jwt",
            &json!({"sub": null, "aud": CLIENT_ID, "jti": "1", "sid": "s", "events": {EVENT: {}}}),
            "OE",
            ("token_type", "audience_mismatch"),
        ),
        // https://auth0.com/docs/authenticate/login/logout/back-channel-logout
        shape(
            "Auth0 logout token",
            "logout+jwt",
            &json!({"aud": CLIENT_ID, "jti": "1", "sid": "s", "trace_id": "t",
                "events": {EVENT: {}}}),
            "OE",
            ("token_type", "audience_mismatch"),
        ),
        shape(
            "Auth0 logout token for another application",
            "logout+jwt",
            &json!({"aud": "other", "jti": "1", "sid": "s", "events": {EVENT: {}}}),
            "",
            ("audience_mismatch", "audience_mismatch"),
        ),
        shape(
            "Keycloak logout token",
            "logout+jwt",
            &json!({"jti": "1", "aud": CLIENT_ID, "typ": "Logout", "sid": "s",
                "events": {EVENT: {}, "revoke_offline_access": true}}),
            "OE",
            ("token_type", "audience_mismatch"),
        ),
        shape(
            "Keycloak logout token of a version without exp",
            jwt,
            &json!({"exp": null, "jti": "1", "aud": CLIENT_ID, "typ": "Logout", "sid": "s",
                "events": {EVENT: {}}}),
            "E",
            ("missing_claim", "missing_claim"),
        ),
        shape(
            "logout token for the client and the API at once",
            jwt,
            &json!({"aud": [CLIENT_ID, API], "jti": "1", "sid": "s", "events": {EVENT: {}}}),
            "",
            ("untrusted_audience", "token_type"),
        ),
        shape(
            "ID token with an empty list of events",
            jwt,
            &id(&json!({"jti": "1", "sid": "s", "events": {}})),
            "",
            ("token_type", "audience_mismatch"),
        ),
        shape(
            "RFC 8417: security event token",
            "secevent+jwt",
            &json!({"aud": API, "jti": "1", "txn": "t", "toe": IAT,
                "events": {"https://schemas.openid.net/secevent/risc/event-type/account-disabled": {}}}),
            "",
            ("audience_mismatch", "token_type"),
        ),
        shape(
            "RFC 9449 §4.2: DPoP proof",
            "dpop+jwt",
            &json!({"sub": null, "exp": null, "iss": null, "jti": "1", "htm": "GET", "htu": API}),
            "Q",
            ("missing_claim", "missing_claim"),
        ),
        shape(
            "RFC 9449 §7.1: DPoP proof with an access token",
            "dpop+jwt",
            &json!({"sub": null, "exp": null, "iss": null, "jti": "1", "htm": "GET", "htu": API,
                "ath": DPOP_TOKEN_HASH}),
            "PQ",
            ("missing_claim", "missing_claim"),
        ),
        shape(
            "RFC 9449 §9: DPoP proof with the server's nonce",
            "dpop+jwt",
            &json!({"sub": null, "exp": null, "iss": null, "jti": "1", "htm": "GET", "htu": API,
                "ath": DPOP_TOKEN_HASH, "nonce": "eyJ7S_zG.eyJH0-Z.HX4w-7v"}),
            "PQ",
            ("missing_claim", "missing_claim"),
        ),
        shape(
            "DPoP proof without a header typ",
            None,
            &json!({"sub": null, "exp": null, "iss": null, "jti": "1", "htm": "GET", "htu": API}),
            "",
            ("missing_claim", "missing_claim"),
        ),
        shape(
            "DPoP proof for another resource",
            "dpop+jwt",
            &json!({"sub": null, "exp": null, "iss": null, "jti": "1", "htm": "GET",
                "htu": MANAGEMENT_API, "ath": DPOP_TOKEN_HASH}),
            "",
            ("missing_claim", "missing_claim"),
        ),
        shape(
            "DPoP proof with the claims of an access token",
            "dpop+jwt",
            &json!({"aud": API, "client_id": CLIENT_ID, "jti": "1", "htm": "GET", "htu": API,
                "ath": DPOP_TOKEN_HASH, "scope": "read:patients"}),
            "PQ",
            ("audience_mismatch", "token_type"),
        ),
        shape(
            "DPoP proof with the claims of an ID token",
            "dpop+jwt",
            &id(&json!({"jti": "1", "htm": "GET", "htu": API, "ath": DPOP_TOKEN_HASH})),
            "PQ",
            ("token_type", "audience_mismatch"),
        ),
        shape(
            "DPoP proof with the claims of a logout token",
            "dpop+jwt",
            &json!({"aud": CLIENT_ID, "jti": "1", "sid": "s", "events": {EVENT: {}}, "htm": "GET",
                "htu": API, "ath": DPOP_TOKEN_HASH}),
            "PQ",
            ("token_type", "audience_mismatch"),
        ),
        shape(
            "access token with the claims of a DPoP proof",
            at_jwt,
            &json!({"aud": API, "client_id": CLIENT_ID, "jti": "1", "htm": "GET", "htu": API,
                "ath": DPOP_TOKEN_HASH}),
            "ARK",
            ("audience_mismatch", OK),
        ),
        // Supabase: https://supabase.com/docs/guides/auth/jwt-fields
        // RFC 8176 defines `amr` as strings; Supabase writes objects.
        shape(
            "Supabase access token",
            jwt,
            &json!({"aud": "authenticated", "role": "authenticated", "aal": "aal1",
                "session_id": "s", "email": "jane@example.com", "phone": "", "is_anonymous": false,
                "amr": [{"method": "password", "timestamp": IAT}]}),
            "",
            ("claim_type", "claim_type"),
        ),
        shape(
            "Supabase access token for the API",
            jwt,
            &json!({"aud": API, "role": "authenticated", "aal": "aal1", "session_id": "s",
                "email": "jane@example.com", "phone": "", "is_anonymous": false,
                "app_metadata": {"provider": "email", "providers": ["email"]},
                "user_metadata": {}, "amr": [{"method": "password", "timestamp": IAT}]}),
            "",
            ("claim_type", "claim_type"),
        ),
        // Logto: https://docs.logto.io/user-management/
        shape(
            "Logto ID token",
            None,
            &id(&json!({"at_hash": "x", "nonce": "n-0S6", "username": "jane", "picture": null,
                "updated_at": 1_311_280_000})),
            "LNT",
            (OK, "audience_mismatch"),
        ),
        // A NumericDate is in seconds: this one is after the year 9999.
        shape(
            "ID token with updated_at in milliseconds",
            None,
            &id(&json!({"username": "jane", "created_at": 1_311_280_000_123_u64,
                "updated_at": 1_311_280_000_123_u64})),
            "",
            ("claim_type", "audience_mismatch"),
        ),
        shape(
            "Logto ID token with organizations",
            None,
            &id(&json!({"at_hash": "x", "roles": ["nurse"], "organizations": ["o"],
                "organization_roles": ["o:admin"]})),
            "LT",
            (OK, "audience_mismatch"),
        ),
        shape(
            "Logto access token of a resource",
            at_jwt,
            &json!({"aud": API, "client_id": CLIENT_ID, "jti": "1", "scope": "read:patients"}),
            "ARK",
            ("audience_mismatch", OK),
        ),
        shape(
            "Logto organization token",
            at_jwt,
            &json!({"aud": "urn:logto:organization:o", "client_id": CLIENT_ID, "jti": "1",
                "scope": "read:patients"}),
            "",
            ("audience_mismatch", "audience_mismatch"),
        ),
        // Google: https://cloud.google.com/iap/docs/signed-headers-howto
        shape(
            "Google IAP assertion",
            jwt,
            &json!({"sub": "accounts.google.com:1", "aud": "/projects/1/global/backendServices/2",
                "email": "jane@example.com", "hd": "example.com",
                "google": {"access_levels": ["accessPolicies/1/accessLevels/a"]}}),
            "",
            ("audience_mismatch", "audience_mismatch"),
        ),
        shape(
            "Google IAP assertion for the API",
            jwt,
            &json!({"sub": "accounts.google.com:1", "aud": API, "azp": "/projects/1/apps/2",
                "email": "jane@example.com", "hd": "example.com"}),
            "AK",
            ("audience_mismatch", OK),
        ),
        // SPIFFE: https://github.com/spiffe/spiffe/blob/main/standards/JWT-SVID.md
        shape(
            "SPIFFE JWT-SVID",
            jwt,
            &json!({"sub": "spiffe://example.org/workload", "aud": [API]}),
            "AK",
            ("audience_mismatch", OK),
        ),
        shape(
            "SPIFFE JWT-SVID with the typ JOSE",
            "JOSE",
            &json!({"sub": "spiffe://example.org/workload", "aud": [API]}),
            "",
            ("audience_mismatch", "token_type"),
        ),
        shape(
            "SPIFFE JWT-SVID without an issuer",
            jwt,
            &json!({"iss": null, "iat": null, "sub": "spiffe://example.org/workload",
                "aud": [API]}),
            "",
            ("missing_claim", "missing_claim"),
        ),
        // FAPI: https://openid.net/specs/openid-financial-api-part-2-1_0.html
        shape(
            "FAPI 1.0 §5.2.2.1: ID token as a detached signature",
            jwt,
            &id(&json!({"nonce": "n-0S6", "s_hash": "z", "c_hash": "x",
                "acr": "urn:openbanking:psd2:sca", "openbanking_intent_id": "urn:bank:1"})),
            "LNT",
            (OK, "audience_mismatch"),
        ),
        shape(
            "FAPI 1.0 §5.2.2: access token bound by mutual TLS",
            jwt,
            &json!({"aud": API, "client_id": CLIENT_ID, "scope": "accounts",
                "cnf": {"x5t#S256": "x"}}),
            "",
            ("audience_mismatch", "confirmation_required"),
        ),
        // https://openid.net/specs/fapi-security-profile-2_0-final.html
        shape(
            "FAPI 2.0 §5.3.2: access token bound by DPoP",
            at_jwt,
            &json!({"aud": API, "client_id": CLIENT_ID, "jti": "1", "scope": "accounts",
                "cnf": {"jkt": THUMBPRINT}}),
            "D",
            ("audience_mismatch", "confirmation_required"),
        ),
        // https://openid.net/specs/oauth-v2-jarm.html
        shape(
            "JARM §2.1: authorization response",
            jwt,
            &json!({"sub": null, "iat": null, "aud": CLIENT_ID, "code": "c", "state": "s"}),
            "",
            ("missing_claim", "audience_mismatch"),
        ),
        shape(
            "RFC 8693 §4.1: access token with an actor",
            at_jwt,
            &json!({"aud": API, "client_id": "svc", "jti": "1", "act": {"sub": "svc"}}),
            "ARK",
            ("audience_mismatch", OK),
        ),
        shape(
            "RFC 7523 §3: client assertion",
            jwt,
            &json!({"sub": CLIENT_ID, "aud": "https://my-domain.auth0.com/oauth/token", "jti": "1"}),
            "",
            ("audience_mismatch", "audience_mismatch"),
        ),
        shape(
            "RFC 9101 §4: request object",
            "oauth-authz-req+jwt",
            &json!({"aud": ISSUER, "client_id": CLIENT_ID, "scope": "openid", "nonce": "n-0S6"}),
            "",
            ("audience_mismatch", "audience_mismatch"),
        ),
        shape(
            "RFC 9701 §5: introspection response",
            "token-introspection+jwt",
            &json!({"sub": null, "exp": null, "aud": API, "token_introspection": {"active": true}}),
            "",
            ("missing_claim", "missing_claim"),
        ),
        shape(
            "OIDC Core §5.3.2: signed userinfo response",
            jwt,
            &json!({"aud": CLIENT_ID, "exp": null, "iat": null, "name": "Jane Doe"}),
            "",
            ("missing_claim", "missing_claim"),
        ),
        shape(
            "ID token for two audiences",
            jwt,
            &id(&json!({"aud": [CLIENT_ID, "backend"], "azp": CLIENT_ID})),
            "T",
            ("untrusted_audience", "audience_mismatch"),
        ),
        shape(
            "ID token for the client and the API at once",
            jwt,
            &id(&json!({"aud": [CLIENT_ID, API], "azp": CLIENT_ID, "nonce": "n-0S6"})),
            // Only a policy that accepts the nonce by name.
            "K",
            ("untrusted_audience", "token_type"),
        ),
        shape(
            "access token for the client and the API at once",
            jwt,
            &json!({"aud": [CLIENT_ID, API], "azp": CLIENT_ID, "scope": "read:patients"}),
            "AK",
            ("untrusted_audience", OK),
        ),
    ]
}

fn text(shape: &Shape) -> String {
    text_of_type(shape.typ, &shape.claims)
}

fn text_of_type(typ: Option<&str>, claims: &Value) -> String {
    let signer = Signer::a();
    let mut header = json!({"alg": "RS256", "kid": "key-a", "jwk": signer.jwk()});
    if let Some(typ) = typ {
        header["typ"] = json!(typ);
    }
    signer.sign_with(&header, claims)
}

/// Returns the letters of the access token policies that accept a token.
fn opened_by(token: &str) -> String {
    let with_key = BearerToken::new(token).with_key(DPOP_KEY);
    let is_accepted =
        |policy: &AccessTokenPolicy<'_>, token| check_bearer(policy, token, NOW).is_ok();
    let plain = ACCESS_POLICIES
        .iter()
        .filter(|(_, policy)| is_accepted(policy, BearerToken::new(token)))
        .map(|(letter, _)| *letter);
    plain.chain(is_accepted(&API_POLICY, with_key).then_some(DPOP)).collect()
}

/// Returns the letters of the ID token policies that accept a token.
fn logged_in_by(token: &str) -> String {
    let is_accepted = |policy, login| check_login(policy, login, token, NOW).is_ok();
    let accepting = ID_POLICIES.iter().filter(|(_, policy, login)| is_accepted(policy, *login));
    accepting.map(|(letter, ..)| *letter).collect()
}

/// Returns the letters of the logout token policies that accept a token.
fn logged_out_by(token: &str) -> String {
    let issuer = trusted();
    let mut buffer = TokenBuffer::<16_384>::new();
    let mut is_accepted = |policy| {
        let trust = (&issuer, policy);
        let verdict = LogoutToken::validate(token, trust, NOW, &mut buffer).map(|_| ());
        match LogoutToken::explain(token, trust, NOW, &mut buffer) {
            Ok(broken) => assert_eq!(broken.is_empty(), verdict.is_ok(), "{broken:?}"),
            Err(error) => assert_eq!(verdict, Err(error)),
        }
        verdict.is_ok()
    };
    let accepting = LOGOUT_POLICIES.iter().filter(|(_, policy)| is_accepted(policy));
    accepting.map(|(letter, _)| *letter).collect()
}

/// Returns the letters of the requests for which a token is a DPoP proof.
fn proved_by(token: &str) -> String {
    let is_accepted = |request| {
        let mut buffer = TokenBuffer::<16_384>::new();
        DpopProof::verify::<TestKey, _>(token, &PROOFS, request, NOW, &mut buffer)
            .and_then(|proof| proof.once(&mut ReplayWindow::<1>::new(), NOW))
            .is_ok()
    };
    let accepting = REQUESTS.iter().filter(|(_, request)| is_accepted(*request));
    accepting.map(|(letter, _)| *letter).collect()
}

/// Returns the letters of all that accept a token, one text for each kind.
fn accepted_by(token: &str) -> [String; 4] {
    [opened_by(token), logged_in_by(token), logged_out_by(token), proved_by(token)]
}

/// Returns the same, but only with `validate`, for many tokens.
fn accepted_by_one_verb(token: &str) -> [String; 4] {
    let issuer = trusted();
    let mut buffer = TokenBuffer::<16_384>::new();
    let mut access =
        |token, policy| AccessToken::validate(token, (&issuer, policy), NOW, &mut buffer).is_ok();
    let bearer = BearerToken::new(token);
    let opened = ACCESS_POLICIES.iter().filter(|(_, policy)| access(bearer, policy));
    let mut opened: String = opened.map(|(letter, _)| *letter).collect();
    opened.extend(access(bearer.with_key(DPOP_KEY), &API_POLICY).then_some(DPOP));
    let mut id = |policy, login| {
        IdToken::validate(token, (&issuer, policy), login, NOW, &mut buffer).is_ok()
    };
    let logged_in = ID_POLICIES.iter().filter(|(_, policy, login)| id(policy, *login));
    let logged_in = logged_in.map(|(letter, ..)| *letter).collect();
    [opened, logged_in, logged_out_by(token), proved_by(token)]
}

#[test]
fn each_policy_accepts_exactly_the_shapes_it_should() {
    let shapes = shapes();
    assert!(shapes.len() >= 80);
    for shape in &shapes {
        let token = text(shape);
        assert_eq!(accepted_by(&token).concat(), shape.accepted_by, "{}", shape.what);
        let code =
            |verdict: Result<(), claimgate::Error>| verdict.map_or_else(|e| e.code(), |()| OK);
        let login = code(check_id(&LOGIN_POLICY, &token, NOW));
        let api = code(check_access(&API_POLICY, &token, NOW));
        assert_eq!((login, api), (shape.login, shape.api), "{}", shape.what);
    }
}

#[test]
fn no_shape_is_accepted_as_two_kinds() {
    let mut accepted_of_kind = [0; 4];
    for shape in shapes() {
        let kinds = accepted_by(&text(&shape)).map(|letters| usize::from(!letters.is_empty()));
        assert!(kinds.iter().sum::<usize>() <= 1, "{}", shape.what);
        accepted_of_kind.iter_mut().zip(kinds).for_each(|(sum, kind)| *sum += kind);
    }
    assert!(accepted_of_kind.iter().all(|count| *count >= 5), "{accepted_of_kind:?}");
}

#[test]
fn no_shape_is_accepted_as_two_kinds_under_any_header_type() {
    let types = ["JWT", "at+jwt", "logout+jwt", "dpop+jwt", "secevent+jwt"].map(Some);
    for shape in shapes() {
        for typ in types.into_iter().chain([None]) {
            let letters = accepted_by_one_verb(&text_of_type(typ, &shape.claims));
            let kinds = letters.iter().filter(|letters| !letters.is_empty()).count();
            assert!(kinds <= 1, "{} as {typ:?}: {letters:?}", shape.what);
            // A proof is identified by its type and is never another kind.
            let [.., proved] = &letters;
            assert!(proved.is_empty() || typ == Some("dpop+jwt"), "{} as {typ:?}", shape.what);
            assert!(kinds == 0 || !proved.is_empty() || typ != Some("dpop+jwt"), "{}", shape.what);
        }
    }
}

#[test]
fn the_shapes_have_names_of_their_own_and_every_policy_accepts_one() {
    let shapes = shapes();
    for (index, shape) in shapes.iter().enumerate() {
        assert!(!shapes[..index].iter().any(|other| other.what == shape.what), "{}", shape.what);
    }
    let letters = ACCESS_POLICIES.iter().map(|p| p.0).chain(ID_POLICIES.iter().map(|p| p.0));
    let letters = letters.chain(LOGOUT_POLICIES.iter().map(|p| p.0));
    let letters = letters.chain(REQUESTS.iter().map(|p| p.0)).chain([DPOP]);
    for letter in letters.clone() {
        assert_eq!(letters.clone().filter(|other| *other == letter).count(), 1, "{letter}");
        assert!(shapes.iter().any(|shape| shape.accepted_by.contains(letter)), "{letter}");
    }
}
