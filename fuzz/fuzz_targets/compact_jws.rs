//! Parsing of an unverified JWS: the segments are those of `split`, their octets those of
//! base64ct, and the header is that of serde_json.
#![no_main]

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::jws::CompactJws;
use claimgate::{Algorithm, Error};
use claimgate_fuzz::{confirm_error, parse_json, timed};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    timed(|| run(text));
});

fn run(text: &str) {
    let segments: Vec<&str> = text.split('.').collect();
    let form = match segments.as_slice() {
        _ if text.len() > CompactJws::MAX_LEN => {
            Err(Error::TokenTooLarge { length: text.len(), limit: CompactJws::MAX_LEN })
        }
        [""] => Err(Error::MalformedToken),
        [_] => Err(Error::OpaqueToken),
        [header, payload, signature]
            if ![header, payload, signature].iter().any(|segment| segment.is_empty()) =>
        {
            Ok(())
        }
        [_, _, _, _, _] => Err(Error::EncryptedToken),
        _ => Err(Error::MalformedToken),
    };
    let parsed = CompactJws::parse(text);
    assert_eq!(parsed.map(|_| ()), form);
    let Ok(jws) = parsed else { return };

    let mut buffer = vec![0; 2 * text.len()];
    let header = match jws.decode(&mut buffer) {
        Ok(jws) => {
            let header = jws.header();
            (
                header.key_id().map(str::to_owned),
                header.typ().map(str::to_owned),
                header.algorithm(),
            )
        }
        Err(error) => return confirm_error(error),
    };
    let decoded: Vec<Vec<u8>> =
        segments.iter().map(|segment| Base64UrlUnpadded::decode_vec(segment).unwrap()).collect();
    let rest = &buffer[decoded[0].len()..];
    assert!(rest.starts_with(&[decoded[1].as_slice(), &decoded[2]].concat()));
    let Some(json) = parse_json(&decoded[0]) else { return };
    let json = json.unwrap();
    let string = |name: &str| json.get(name).map(|value| value.as_str().unwrap().to_owned());
    let (key_id, typ, algorithm) = header;
    assert_eq!((string("kid"), string("typ")), (key_id, typ));
    // RFC 9864 names the curve, RFC 8037 the family.
    let name = string("alg").unwrap();
    assert!(
        name == algorithm.name() || (name == "Ed25519" && algorithm == Algorithm::EdDsa),
        "{name}"
    );
    assert!(["crit", "b64", "zip"].iter().all(|name| json.get(name).is_none()));
}
