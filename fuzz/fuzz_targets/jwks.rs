//! Key sets: each member is used or skipped, and the properties of a used one are those that
//! serde_json and RFC 7638 give.
#![no_main]

use claimgate::jwk::Skipped;
use claimgate::{JwkSet, PublicKey};
use claimgate_fuzz::{StandIn, confirm_error, parse_json, timed};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|text: &str| {
    timed(|| run(text));
});

fn run(text: &str) {
    let set = match JwkSet::<StandIn, 4>::from_json(text) {
        Ok(set) => set,
        Err(error) => return confirm_error(error),
    };
    let Some(json) = parse_json(text.as_bytes()) else { return };
    let json = json.unwrap();
    let members = json["keys"].as_array().unwrap();
    assert_eq!(members.len(), set.keys().len() + set.skipped_count());
    assert_eq!(set.skipped().len(), set.skipped_count().min(Skipped::MAX));
    if set.skipped_count() > Skipped::MAX {
        return;
    }
    let is_skipped = |index: &usize| set.skipped().iter().any(|skipped| skipped.index == *index);
    let used = (0..members.len()).filter(|index| !is_skipped(index)).map(|index| &members[index]);
    for (member, key) in used.zip(set.keys()) {
        let is_absent_or = |name: &str, value: &str| member.get(name).is_none_or(|m| m == value);
        assert_eq!(member["kty"], "RSA");
        assert!(is_absent_or("use", "sig") && is_absent_or("alg", "RS256"));
        if let Some(operations) = member.get("key_ops") {
            let operations = operations.as_array().unwrap();
            assert!(operations.iter().any(|name| name == "verify"));
            assert!(operations.iter().all(Value::is_string));
        }
        assert_eq!(member.get("kid").and_then(Value::as_str), key.key_id());
        let [e, n] = ["e", "n"].map(|name| member[name].as_str().unwrap());
        let canonical = format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#);
        assert_eq!(key.thumbprint(), &StandIn::sha256(&[canonical.as_bytes()]));
    }
}
