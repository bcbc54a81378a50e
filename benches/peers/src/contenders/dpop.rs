//! An access token together with its DPoP proof.

use std::hint::black_box;
use std::time::{SystemTime, UNIX_EPOCH};

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::bearer::DpopToken;
use claimgate::dpop::DpopRequest;
use claimgate::policy::DpopPolicy;
use claimgate::replay::ReplayWindow;
use claimgate::{
    AccessToken, AccessTokenPolicy, Algorithm, Issuer, JwkSet, NumericDate, PublicKey, TokenBuffer,
    at_compile_time,
};
use ring::digest::{SHA256, digest};
use serde_json::json;

use crate::measure::Contender;
use crate::tokens::{API, ISSUER, Keys, Kind, claims};

const ACCESS: AccessTokenPolicy<'_> = at_compile_time!(AccessTokenPolicy::general(API).build());
const PROOFS: DpopPolicy = at_compile_time!(DpopPolicy::new().build());
const URL: &str = "https://example.com/health-api/patients";

/// An RS256 access token that is bound to the key of an ES256 proof.
pub struct Bound {
    pub issuer_keys: Keys,
    pub proof_keys: Keys,
    pub token: String,
    pub proof: String,
}

impl Bound {
    /// Signs both.
    ///
    /// # Panics
    ///
    /// If the clock is before 1970.
    #[must_use]
    pub fn new() -> Self {
        let (issuer_keys, proof_keys) = (Keys::default(), Keys::new(Algorithm::Es256));
        let hash = |text: &str| {
            Base64UrlUnpadded::encode_string(digest(&SHA256, text.as_bytes()).as_ref())
        };
        // The members are sorted, as the thumbprint requires.
        let jwk = proof_keys.public_jwk();
        let mut claims = claims(Kind::Typical);
        claims["cnf"] = json!({ "jkt": hash(&jwk.to_string()) });
        let token = issuer_keys.sign(&issuer_keys.header(), &claims);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let proof = proof_keys.sign(
            &json!({ "alg": "ES256", "typ": "dpop+jwt", "jwk": jwk }),
            &json!({
                "jti": "e1j3V_bKic8-LAEB", "htm": "GET", "htu": URL, "iat": now,
                "ath": hash(&token),
            }),
        );
        Self { issuer_keys, proof_keys, token, proof }
    }

    /// Both validations, with a window that has not seen the proof.
    ///
    /// # Panics
    ///
    /// If one of them fails.
    pub fn contender<'c, K: PublicKey + 'c>(
        &'c self,
        name: &'static str,
        raw: &'static str,
    ) -> Contender<'c> {
        let keys = JwkSet::<K, 4>::from_json(&self.issuer_keys.jwks).unwrap();
        let issuer = Issuer::new(ISSUER, keys).unwrap();
        let mut buffer = TokenBuffer::<2048>::new();
        let mut proof_buffer = TokenBuffer::<1024>::new();
        // Signed once; proofs are good for minutes, and a run may take longer.
        let now = NumericDate::now();
        Contender::new(name, Some(raw), move || {
            let token = DpopToken::new(black_box(&self.token));
            let request = DpopRequest::to_resource("GET", URL, token);
            let token = AccessToken::validate_with_proof(
                token,
                (&issuer, &ACCESS),
                black_box(&self.proof),
                &PROOFS,
                request,
                &mut ReplayWindow::<8>::new(),
                now,
                &mut buffer,
                &mut proof_buffer,
            )
            .unwrap();
            assert!(!token.subject().is_empty());
        })
    }
}

impl Default for Bound {
    fn default() -> Self {
        Self::new()
    }
}
