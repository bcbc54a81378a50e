//! The subject of an expired token, as `docs/instead-of-decoding.md` reads it.

use claimgate::JwkSet;
use serde_json::{Value, json};

use super::super::support::{
    API_POLICY, CLIENT_ID, EXP, IAT, ISSUER, Signer, TestKey, access_claims, with,
};
use super::{blocks, read};

use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, Error, Issuer, NumericDate, PublicKey, TokenBuffer,
};

/// The subject of a token that may have expired.
fn former_subject<K: PublicKey>(
    token: BearerToken<'_>,
    issuer: &Issuer<K, 8>,
    policy: &AccessTokenPolicy<'_>,
    now: NumericDate,
) -> Result<String, Error> {
    let subject = |at| {
        let mut buffer = TokenBuffer::<8192>::new();
        let token = AccessToken::validate(token, (issuer, policy), at, &mut buffer)?;
        Ok(token.subject().to_owned())
    };
    match subject(now) {
        Err(Error::Expired { exp, .. }) => subject(NumericDate::from_secs(exp.saturating_sub(1))),
        verdict => verdict,
    }
}

#[test]
fn the_code_is_that_of_the_page() {
    let blocks = blocks(&read("docs/instead-of-decoding.md"));
    let found = blocks.iter().filter(|block| block.contains("former_subject"));
    let found: Vec<_> = found.collect();
    assert_eq!(found.len(), 1);
    assert!(include_str!("former_subject.rs").contains(found[0].as_str()), "{}", found[0]);
}

#[test]
fn the_subject_of_an_expired_token_is_read_under_every_other_rule() {
    let jwks = json!({"keys": [Signer::a().jwk()]}).to_string();
    let keys = JwkSet::<TestKey, 8>::from_json(&jwks).unwrap();
    let issuer = Issuer::new(ISSUER, keys).unwrap();
    let subject = |signer: &Signer, claims: &Value, now: u64| {
        let header = json!({"alg": "RS256", "kid": "key-a"});
        let token = signer.sign_with(&header, claims);
        let now = NumericDate::from_secs(now);
        former_subject(BearerToken::new(&token), &issuer, &API_POLICY, now)
            .map_err(|error| error.code())
    };
    let (own, claims) = (Signer::a(), access_claims());
    let found = || Ok("auth0|123456".to_owned());
    let leeway = 60;
    for now in [IAT, EXP + leeway - 1, EXP + leeway, EXP + 1_000_000_000] {
        assert_eq!(subject(&own, &claims, now), found(), "{now}");
        assert_eq!(subject(&Signer::b(), &claims, now), Err("invalid_signature"), "{now}");
        let other = with(claims.clone(), "aud", CLIENT_ID);
        assert_eq!(subject(&own, &other, now), Err("audience_mismatch"), "{now}");
    }
    assert_eq!(subject(&own, &claims, IAT - leeway - 1), Err("issued_in_future"));
    // It was valid at no time.
    let never = with(claims, "nbf", EXP + leeway + 1_000);
    assert_eq!(subject(&own, &never, EXP + leeway), Err("not_yet_valid"));
}
