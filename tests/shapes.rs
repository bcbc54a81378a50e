//! Tokens in the form of real issuers, validated with every policy of one deployment.
//!
//! All of them have the issuer, the client and the API of one deployment, and its key, which
//! is also in their headers: only their form differs, which is the worst case. Forms are from
//! the documentation named in each row; names and numbers are made up.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]

#[cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust"))]
#[path = "shapes/pages/mod.rs"]
mod pages;
#[cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust"))]
#[path = "support/signers.rs"]
mod signers;
mod support;
#[path = "shapes/table/mod.rs"]
mod table;

use claimgate::bearer::DpopToken;
use claimgate::dpop::DpopRequest;
use claimgate::policy::ForeignClaim;
use claimgate::policy::{DpopPolicy, LogoutTokenPolicy};
use claimgate::replay::ReplayWindow;
use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, DpopProof, IdToken, IdTokenPolicy, Login,
    LogoutToken, Nonce, RequestKey, ScopePolicy, TokenBuffer, at_compile_time,
};
use serde_json::{Value, json};
use support::*;
use table::{OK, Shape, shapes};

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
