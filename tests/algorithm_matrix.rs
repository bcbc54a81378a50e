//! Every pair of a token's algorithm and a key's algorithm, through `AccessToken::validate`
//! and `IdToken::validate`: rules K1, K5 to K7 and I9.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust"))]

#[path = "support/signers.rs"]
mod signers;
mod support;

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::error::{Claim, Problem};
use claimgate::jwk::Algorithms;
use claimgate::{
    AccessToken, Algorithm, BearerToken, Error, IdToken, Issuer, JwkSet, Login, Nonce, TokenBuffer,
};
use ring::digest;
use serde_json::{Value, json};
use signers::{AnySigner, TestAnyKey};
use support::{
    API_POLICY, ISSUER, LOGIN, LOGIN_POLICY, NOW, access_claims, id_claims, jwks, with, without,
};

type Trusted = Issuer<TestAnyKey, 12>;

const OTHER_ALGORITHM: Error = Error::AlgorithmNotAllowed(Problem::WrongValue);

fn signers() -> [AnySigner; 9] {
    Algorithm::ALL.map(AnySigner::a)
}

fn trusting(members: &[Value]) -> Trusted {
    Issuer::new(ISSUER, JwkSet::from_json(&jwks(members)).unwrap()).unwrap()
}

fn trusting_for(algorithms: Algorithms, members: &[Value]) -> Trusted {
    let keys = JwkSet::from_json_for(algorithms, &jwks(members)).unwrap();
    Issuer::new(ISSUER, keys).unwrap()
}

fn header(named: Algorithm, kid: Option<&str>) -> Value {
    let header = json!({"alg": named.name(), "typ": "JWT"});
    match kid {
        Some(kid) => with(header, "kid", kid),
        None => header,
    }
}

/// Returns the tokens of both kinds that a signer signs with the same header.
struct Tokens {
    access: String,
    id: String,
}

impl Tokens {
    fn new(signer: &AnySigner, named: Algorithm, kid: Option<&str>) -> Self {
        let header = header(named, kid);
        Self {
            access: signer.sign_with(&header, &access_claims()),
            id: signer.sign_with(&header, &id_claims()),
        }
    }

    /// Returns the tokens whose header names the algorithm with which they are signed.
    fn honest(signer: &AnySigner, kid: Option<&str>) -> Self {
        Self::new(signer, signer.algorithm, kid)
    }

    /// Returns the verdict on the access token and on the ID token, which must be the same.
    #[track_caller]
    fn verdict(&self, issuer: &Trusted, what: &dyn std::fmt::Debug) -> Result<(), Error> {
        let mut buffer = TokenBuffer::<4096>::new();
        let token = BearerToken::new(&self.access);
        let access = AccessToken::validate(token, (issuer, &API_POLICY), NOW, &mut buffer);
        let access = access.map(|token| assert_eq!(token.issuer(), ISSUER));
        let id = IdToken::validate(&self.id, (issuer, &LOGIN_POLICY), LOGIN, NOW, &mut buffer);
        let id = id.map(|token| assert_eq!(token.issuer(), ISSUER));
        assert_eq!(access, id, "{what:?}");
        access
    }
}

#[test]
fn k01_a_token_is_accepted_by_a_key_of_its_own_algorithm_and_by_no_other() {
    let signers = signers();
    let (mut pairs, mut accepted) = (0, 0);
    for signer in &signers {
        let tokens = Tokens::honest(signer, Some("one"));
        for key in &signers {
            let issuer = trusting(&[with(key.jwk(), "kid", "one")]);
            let what = (signer.algorithm, key.algorithm);
            let expected =
                if signer.algorithm == key.algorithm { Ok(()) } else { Err(OTHER_ALGORITHM) };
            assert_eq!(tokens.verdict(&issuer, &what), expected, "{what:?}");
            pairs += 1;
            accepted += usize::from(expected.is_ok());
        }
    }
    println!("{pairs} pairs, {accepted} accepted, by two kinds of token");
    assert_eq!((pairs, accepted), (81, 9));
}

#[test]
fn k01_a_header_that_names_the_keys_algorithm_does_not_make_another_signature_valid() {
    let signers = signers();
    let (mut pairs, mut accepted) = (0, 0);
    for key in &signers {
        let issuer = trusting(&[with(key.jwk(), "kid", "one")]);
        for signer in &signers {
            let tokens = Tokens::new(signer, key.algorithm, Some("one"));
            let what = (signer.algorithm, key.algorithm);
            let expected = if signer.algorithm == key.algorithm {
                Ok(())
            } else {
                Err(Error::InvalidSignature)
            };
            assert_eq!(tokens.verdict(&issuer, &what), expected, "{what:?}");
            pairs += 1;
            accepted += usize::from(expected.is_ok());
        }
    }
    println!("{pairs} pairs, {accepted} accepted, by two kinds of token");
    assert_eq!((pairs, accepted), (81, 9));
}

#[test]
fn k01_a_key_without_alg_is_for_the_default_of_its_type() {
    let signers = signers();
    let mut accepted = 0;
    for key in &signers {
        // Six keys are RSA keys, and are for RS256 unless they have another `alg`.
        let default = match key.algorithm {
            own @ (Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa) => own,
            _ => Algorithm::Rs256,
        };
        let issuer = trusting(&[with(without(key.jwk(), "alg"), "kid", "one")]);
        for signer in &signers {
            let what = (signer.algorithm, key.algorithm);
            let is_default = signer.algorithm == default;
            let expected = if is_default { Ok(()) } else { Err(OTHER_ALGORITHM) };
            let tokens = Tokens::honest(signer, Some("one"));
            assert_eq!(tokens.verdict(&issuer, &what), expected, "{what:?}");
            accepted += usize::from(is_default);
        }
    }
    assert_eq!(accepted, 9);
}

#[test]
fn k05_among_keys_of_all_kinds_the_kid_selects_the_key() {
    let signers = signers();
    let issuer = trusting(&signers.each_ref().map(AnySigner::jwk));
    for signer in &signers {
        for key in &signers {
            let what = (signer.algorithm, key.algorithm);
            let is_own = signer.algorithm == key.algorithm;
            let honest = Tokens::honest(signer, Some(&key.kid)).verdict(&issuer, &what);
            let expected = if is_own { Ok(()) } else { Err(OTHER_ALGORITHM) };
            assert_eq!(honest, expected, "{what:?}");
            let lying = Tokens::new(signer, key.algorithm, Some(&key.kid)).verdict(&issuer, &what);
            let expected = if is_own { Ok(()) } else { Err(Error::InvalidSignature) };
            assert_eq!(lying, expected, "{what:?}");
        }
        let unknown = Tokens::honest(signer, Some("unknown")).verdict(&issuer, &signer.algorithm);
        assert_eq!(unknown, Err(Error::UnknownKey), "{}", signer.algorithm);
    }
}

#[test]
fn k05_among_keys_of_all_kinds_with_one_kid_the_algorithm_selects_the_key() {
    let signers = signers();
    let members = signers.each_ref().map(|signer| with(signer.jwk(), "kid", "one"));
    let issuer = trusting(&members);
    for signer in &signers {
        for named in Algorithm::ALL {
            let what = (signer.algorithm, named);
            let expected =
                if signer.algorithm == named { Ok(()) } else { Err(Error::InvalidSignature) };
            let verdict = Tokens::new(signer, named, Some("one")).verdict(&issuer, &what);
            assert_eq!(verdict, expected, "{what:?}");
        }
        let unknown = Tokens::honest(signer, Some("two")).verdict(&issuer, &signer.algorithm);
        assert_eq!(unknown, Err(Error::UnknownKey), "{}", signer.algorithm);
    }
    // A second key for an algorithm makes only its tokens ambiguous.
    for twin in Algorithm::ALL {
        let member = with(AnySigner::b(twin).jwk(), "kid", "one");
        let issuer = trusting(&[members.as_slice(), &[member]].concat());
        for signer in &signers {
            let what = (signer.algorithm, twin);
            let is_twin = signer.algorithm == twin;
            let ambiguous = Err(Error::AmbiguousKey { candidates: 2 });
            let expected = if is_twin { ambiguous } else { Ok(()) };
            let verdict = Tokens::honest(signer, Some("one")).verdict(&issuer, &what);
            assert_eq!(verdict, expected, "{what:?}");
        }
    }
}

#[test]
fn k06_among_keys_of_all_kinds_without_kids_the_algorithm_selects_the_key() {
    let signers = signers();
    let with_kids = trusting(&signers.each_ref().map(AnySigner::jwk));
    let members = signers.each_ref().map(|signer| without(signer.jwk(), "kid"));
    let without_kids = trusting(&members);
    for signer in &signers {
        for named in Algorithm::ALL {
            let what = (signer.algorithm, named);
            let expected =
                if signer.algorithm == named { Ok(()) } else { Err(Error::InvalidSignature) };
            let tokens = Tokens::new(signer, named, None);
            assert_eq!(tokens.verdict(&with_kids, &what), expected, "{what:?}");
            assert_eq!(tokens.verdict(&without_kids, &what), expected, "{what:?}");
        }
        // A key without a `kid` does not match a token with one.
        let unknown = Tokens::honest(signer, Some("one")).verdict(&without_kids, &signer.algorithm);
        assert_eq!(unknown, Err(Error::UnknownKey), "{}", signer.algorithm);
    }
    for twin in Algorithm::ALL {
        let member = without(AnySigner::b(twin).jwk(), "kid");
        let issuer = trusting(&[members.as_slice(), &[member]].concat());
        for signer in &signers {
            let what = (signer.algorithm, twin);
            let ambiguous = Err(Error::AmbiguousKey { candidates: 2 });
            let expected = if signer.algorithm == twin { ambiguous } else { Ok(()) };
            let verdict = Tokens::honest(signer, None).verdict(&issuer, &what);
            assert_eq!(verdict, expected, "{what:?}");
        }
    }
}

#[test]
fn k06_without_a_kid_a_key_of_another_algorithm_is_no_candidate() {
    let signers = signers();
    for key in &signers {
        let issuer = trusting(&[key.jwk()]);
        for signer in &signers {
            let what = (signer.algorithm, key.algorithm);
            let is_own = signer.algorithm == key.algorithm;
            // A newer key set may contain a key for the token's algorithm.
            let expected = if is_own { Ok(()) } else { Err(Error::UnknownKey) };
            let verdict = Tokens::honest(signer, None).verdict(&issuer, &what);
            assert_eq!(verdict, expected, "{what:?}");
        }
    }
}

#[test]
fn k07_a_narrowed_set_accepts_its_algorithms_and_no_others() {
    let signers = signers();
    let members = signers.each_ref().map(AnySigner::jwk);
    let mut narrowed: Vec<Algorithms> =
        Algorithm::ALL.iter().map(|own| Algorithms::of(&[*own])).collect();
    narrowed.extend([
        Algorithms::RSA,
        Algorithms::of(&[Algorithm::Ps256, Algorithm::Es256, Algorithm::EdDsa]),
        Algorithms::P256.union(Algorithms::P384),
        Algorithms::ALL,
    ]);
    let mut accepted = 0;
    for algorithms in narrowed {
        let issuer = trusting_for(algorithms, &members);
        assert_eq!(issuer.keys().keys().len(), algorithms.iter().count());
        for signer in &signers {
            let what = (signer.algorithm, algorithms);
            let is_in = algorithms.contains(signer.algorithm);
            let expected = if is_in { Ok(()) } else { Err(OTHER_ALGORITHM) };
            for kid in [Some(signer.kid.as_str()), None] {
                let verdict = Tokens::honest(signer, kid).verdict(&issuer, &what);
                assert_eq!(verdict, expected, "{what:?} {kid:?}");
            }
            accepted += usize::from(is_in);
        }
    }
    assert_eq!(accepted, 9 + 6 + 3 + 2 + 9);
}

#[test]
fn k07_a_set_that_is_narrowed_to_other_algorithms_has_no_keys() {
    for own in signers() {
        for algorithm in Algorithm::ALL {
            let keys = JwkSet::<TestAnyKey, 1>::from_json_for(
                Algorithms::of(&[algorithm]),
                &jwks(&[own.jwk()]),
            );
            let code = keys.map(|_| ()).map_err(|error| error.code());
            let expected = if algorithm == own.algorithm { Ok(()) } else { Err("no_usable_keys") };
            assert_eq!(code, expected, "{} {algorithm}", own.algorithm);
        }
    }
}

const HASHES: [&digest::Algorithm; 3] = [&digest::SHA256, &digest::SHA384, &digest::SHA512];

/// Returns the hash for tokens with this algorithm
/// ([OIDC Core §3.1.3.6](https://openid.net/specs/openid-connect-core-1_0.html#CodeIDToken)).
fn hash_of(algorithm: Algorithm) -> &'static digest::Algorithm {
    match algorithm.name() {
        "RS256" | "PS256" | "ES256" => &digest::SHA256,
        "RS384" | "PS384" | "ES384" => &digest::SHA384,
        // Ed25519 signs with SHA-512.
        "RS512" | "PS512" | "EdDSA" => &digest::SHA512,
        other => panic!("{other}"),
    }
}

fn left_half(hash: &'static digest::Algorithm, value: &str) -> String {
    let hash = digest::digest(hash, value.as_bytes());
    let (half, _) = hash.as_ref().split_at(hash.as_ref().len() / 2);
    Base64UrlUnpadded::encode_string(half)
}

#[test]
fn i09_the_hashes_are_of_the_tokens_own_algorithm() {
    const TOKEN: &str = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
    const CODE: &str = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk";
    let signers = signers();
    let issuer = trusting(&signers.each_ref().map(AnySigner::jwk));
    let any = || Login::new(Nonce::Ignore);
    let (mut accepted, mut refused) = (0, 0);
    for signer in &signers {
        for hash in HASHES {
            let is_own = hash == hash_of(signer.algorithm);
            for (name, value, claim, required, optional) in [
                (
                    "at_hash",
                    TOKEN,
                    Claim::AtHash,
                    any().access_token(BearerToken::new(TOKEN)),
                    any().access_token_if_bound(BearerToken::new(TOKEN)),
                ),
                ("c_hash", CODE, Claim::CHash, any().code(CODE), any().code_if_bound(CODE)),
            ] {
                let what = (signer.algorithm, hash, name);
                let verdict = |claims: &Value, login: claimgate::policy::LoginBuilder<'_>| {
                    let (text, login) = (signer.sign(claims), login.build().unwrap());
                    let mut buffer = TokenBuffer::<4096>::new();
                    IdToken::validate(&text, (&issuer, &LOGIN_POLICY), login, NOW, &mut buffer)
                        .map(|_| ())
                };
                let good = with(id_claims(), name, left_half(hash, value));
                let expected = if is_own { Ok(()) } else { Err(Error::HashMismatch(claim)) };
                assert_eq!(verdict(&good, required), expected, "{what:?}");
                assert_eq!(verdict(&good, optional), expected, "{what:?}");
                // The hash of another value, the whole hash, and a longer or a shorter part.
                let whole = digest::digest(hash, value.as_bytes());
                let encode = Base64UrlUnpadded::encode_string;
                let half_len = whole.as_ref().len() / 2;
                for bad in [
                    left_half(hash, "another"),
                    encode(whole.as_ref()),
                    encode(&whole.as_ref()[half_len..]),
                    encode(&whole.as_ref()[..half_len + 1]),
                    encode(&whole.as_ref()[..half_len - 1]),
                    String::new(),
                ] {
                    let bad = with(id_claims(), name, bad);
                    let mismatch = Err(Error::HashMismatch(claim));
                    assert_eq!(verdict(&bad, required), mismatch, "{what:?}");
                    refused += 1;
                }
                // Missing, and not required.
                let missing = Err(Error::MissingClaim(claim));
                assert_eq!(verdict(&id_claims(), required), missing, "{what:?}");
                assert_eq!(verdict(&id_claims(), optional), Ok(()), "{what:?}");
                assert_eq!(verdict(&good, any()), Ok(()), "{what:?}");
                accepted += usize::from(is_own);
            }
        }
    }
    assert_eq!((accepted, refused), (18, 9 * 3 * 2 * 6));
}
