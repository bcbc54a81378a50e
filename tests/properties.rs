//! Properties that are true for all claims, clocks and policies.
//!
//! Signatures are not verified, so that a case takes only microseconds.

#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "pure-rust-rs256"))]

mod support;

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::error::{Claim, InvalidSignature, JsonType, KeyRejected};
use claimgate::jwk::{Algorithms, KeyMaterial};
use claimgate::policy::SubjectKind;
use claimgate::{
    AccessToken, AccessTokenPolicy, Algorithm, BearerToken, Error, IdToken, IdTokenPolicy, Issuer,
    JwkSet, Login, Nonce, NumericDate, PublicKey, ScopePolicy, TokenBuffer,
};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};
use support::{API, CLIENT_ID, ISSUER, jwks};

/// A key that accepts every signature.
struct Anything;

impl PublicKey for Anything {
    const ALGORITHMS: Algorithms = Algorithms::RS256;

    fn new(_: Algorithm, _: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
        Ok(Self)
    }

    fn verify(&self, _: &[u8], _: &[u8]) -> Result<(), InvalidSignature> {
        Ok(())
    }

    fn sha256(_: &[&[u8]]) -> [u8; 32] {
        [0; 32]
    }
}

fn keys() -> JwkSet<Anything, 1> {
    let n = Base64UrlUnpadded::encode_string(&[0xff; 256]);
    JwkSet::from_json(&jwks(&[json!({"kty": "RSA", "n": n, "e": "AQAB"})])).unwrap()
}

fn compact(header: &str, payload: &str) -> String {
    let encode = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
    let signature = Base64UrlUnpadded::encode_string(&[1; 256]);
    format!("{}.{}.{signature}", encode(header), encode(payload))
}

/// Returns the verdicts of the two kinds of policy on the same text.
#[derive(Debug, PartialEq)]
struct Verdicts {
    access: Result<(), Error>,
    id: Result<(), Error>,
}

impl Verdicts {
    /// Returns the verdicts without the name of the claim with the wrong type: of several such
    /// claims, the first in the token's order is reported.
    fn without_claim_of_type(self) -> Self {
        let forget = |error| match error {
            Error::ClaimType(..) => Error::ClaimType(Claim::Custom, JsonType::Requested),
            other => other,
        };
        Self { access: self.access.map_err(forget), id: self.id.map_err(forget) }
    }
}

#[derive(Clone, Debug)]
struct Case {
    header: Value,
    claims: Map<String, Value>,
    now: u64,
    policy: Policy,
}

/// Restrictions, each of which may be set.
#[derive(Clone, Debug, Default, PartialEq)]
struct Policy {
    leeway: u64,
    rfc9068: bool,
    restrictions: Vec<&'static str>,
}

const RESTRICTIONS: &[&str] = &[
    "max_token_age",
    "max_lifetime",
    "max_age",
    "acr",
    "scope",
    "permissions",
    "parties",
    "user",
    "client",
    "nonce",
    "no_nonce",
    "amr",
    "organization",
];

impl Policy {
    fn has(&self, name: &str) -> bool {
        self.restrictions.contains(&name)
    }

    fn judge(&self, header: &str, payload: &str, now: u64) -> Verdicts {
        let issuer = Issuer::new(ISSUER, keys()).unwrap();
        let now = NumericDate::from_secs(now);
        let text = compact(header, payload);

        let mut access = if self.rfc9068 {
            AccessTokenPolicy::rfc9068(API)
        } else {
            AccessTokenPolicy::general(API)
        };
        let nonce = match (self.has("nonce"), self.has("no_nonce")) {
            (true, _) => Nonce::Expect("n"),
            (false, true) => Nonce::ExpectNone,
            (false, false) => Nonce::Ignore,
        };
        let mut id = IdTokenPolicy::new(CLIENT_ID);
        let mut login = Login::new(nonce);
        access = access.leeway(self.leeway);
        id = id.leeway(self.leeway);
        if self.has("max_token_age") {
            (access, id) = (access.max_token_age(300), id.max_token_age(300));
        }
        if self.has("max_lifetime") {
            (access, id) = (access.max_lifetime(500), id.max_lifetime(500));
        }
        if self.has("max_age") {
            (access, id) = (access.max_age(100), id.max_age(100));
        }
        if self.has("acr") {
            (access, id) = (access.require_acr(&["gold"]), id.require_acr(&["gold"]));
        }
        if self.has("amr") {
            id = id.require_amr(&["otp"]);
        }
        if self.has("organization") {
            login = login.organization("org_1");
        }
        if self.has("scope") {
            access = access.require_scope(ScopePolicy::all_of(&["read", "write"]).unwrap());
        }
        if self.has("permissions") {
            access = access.require_permissions(ScopePolicy::any_of(&["a", "b"]).unwrap());
        }
        if self.has("parties") {
            access = access.authorized_parties(&[CLIENT_ID]);
        }
        if self.has("user") {
            access = access.require_subject(SubjectKind::User);
        }
        if self.has("client") {
            access = access.require_subject(SubjectKind::Client);
        }
        let mut buffer = TokenBuffer::<16_384>::new().max_token_len(32_768);
        let token = BearerToken::new(&text);
        let (access, id, login) =
            (access.build().unwrap(), id.build().unwrap(), login.build().unwrap());
        let access = AccessToken::validate(token, (&issuer, &access), now, &mut buffer);
        let access = access.map(|_| ());
        let id = IdToken::validate(&text, (&issuer, &id), login, now, &mut buffer).map(|_| ());
        Verdicts { access, id }
    }
}

impl Case {
    fn judge(&self) -> Verdicts {
        self.judge_text(&self.header.to_string(), &json!(self.claims).to_string())
    }

    fn judge_text(&self, header: &str, payload: &str) -> Verdicts {
        self.policy.judge(header, payload, self.now)
    }
}

const EPOCH: u64 = 1_700_000_000;

/// Times around now, at and next to every boundary; in most cases on the accepted side.
fn time(name: &str) -> impl Strategy<Value = Value> + use<> {
    let (earliest, latest) = match name {
        "exp" => (EPOCH, EPOCH + 1500),
        "auth_time" => (EPOCH - 120, EPOCH + 10),
        _ => (EPOCH - 400, EPOCH),
    };
    let strange = vec![json!(0), json!(-1), json!(253_402_300_799_u64), json!(null)];
    prop_oneof![
        14 => (earliest..latest).prop_map(|time| json!(time)),
        4 => (EPOCH - 700..EPOCH + 700).prop_map(|time| json!(time)),
        1 => select(strange),
        1 => (EPOCH - 700..EPOCH + 700).prop_map(|time| json!(time as f64 + 0.5)),
    ]
}

fn value_of(name: &'static str) -> BoxedStrategy<Value> {
    let one_of = |values: Vec<Value>| select(values).boxed();
    match name {
        "iss" => prop_oneof![19 => Just(json!(ISSUER)), 1 => Just(json!("https://x/"))].boxed(),
        "sub" => one_of(vec![json!("user"), json!("app@clients"), json!(CLIENT_ID), json!("")]),
        "aud" => prop_oneof![
            3 => Just(json!(API)),
            3 => Just(json!(CLIENT_ID)),
            2 => subsequence(vec![API, CLIENT_ID, "x", "y"], 0..4).prop_map(|list| json!(list)),
            1 => Just(json!("x")),
        ]
        .boxed(),
        "exp" | "nbf" | "iat" | "auth_time" => time(name).boxed(),
        "nonce" => one_of(vec![json!("n"), json!("m")]),
        "azp" | "client_id" => one_of(vec![json!(CLIENT_ID), json!("x")]),
        "scope" => subsequence(vec!["read", "write", "admin"], 0..4)
            .prop_map(|list| json!(list.join(" ")))
            .boxed(),
        "permissions" => {
            subsequence(vec!["a", "b", "c"], 0..4).prop_map(|list| json!(list)).boxed()
        }
        "acr" => one_of(vec![json!("gold"), json!("silver")]),
        "amr" => subsequence(vec!["pwd", "otp"], 0..3).prop_map(|list| json!(list)).boxed(),
        "gty" => one_of(vec![
            json!("client-credentials"),
            json!("password"),
            json!(["refresh_token", "password"]),
        ]),
        "cnf" => one_of(vec![json!({"jkt": "k"}), json!({})]),
        "org_id" => one_of(vec![json!("org_1"), json!("org_2")]),
        "jti" => one_of(vec![json!("1"), json!(1)]),
        _ => {
            one_of(vec![json!("J\u{f6}rg \"J\" \\ \u{1f600}"), json!({"a": [1, "b"]}), json!(1.5)])
        }
    }
}

/// Claims that are present in most cases, and some that are present in a few.
fn claims() -> impl Strategy<Value = Map<String, Value>> {
    const USUAL: &[&str] = &["iss", "sub", "aud", "exp", "iat"];
    const RARE: &[&str] = &[
        "nbf",
        "nonce",
        "azp",
        "client_id",
        "scope",
        "permissions",
        "acr",
        "amr",
        "auth_time",
        "gty",
        "cnf",
        "org_id",
        "jti",
        "name",
        "https://example.com/x",
    ];
    let mut members: Vec<BoxedStrategy<Option<(String, Value)>>> = Vec::new();
    for (names, weight) in [(USUAL, 0.97), (RARE, 0.1)] {
        for name in names {
            let member = value_of(name).prop_map(move |value| ((*name).to_owned(), value));
            members.push(proptest::option::weighted(weight, member).boxed());
        }
    }
    members.prop_map(|members| members.into_iter().flatten().collect())
}

fn policy() -> impl Strategy<Value = Policy> {
    let leeway = prop_oneof![Just(0), Just(60), Just(600), 0_u64..=600];
    (leeway, any::<bool>(), subsequence(RESTRICTIONS.to_vec(), 0..4))
        .prop_map(|(leeway, rfc9068, restrictions)| Policy { leeway, rfc9068, restrictions })
}

fn case() -> impl Strategy<Value = Case> {
    let header = prop_oneof![
        4 => Just(json!({"alg": "RS256", "typ": "JWT"})),
        3 => Just(json!({"alg": "RS256", "typ": "at+jwt"})),
        2 => Just(json!({"alg": "RS256"})),
        1 => Just(json!({"alg": "none", "typ": "JWT"})),
    ];
    let now = prop_oneof![3 => Just(EPOCH), 1 => EPOCH - 300..EPOCH + 700];
    (header, claims(), now, policy()).prop_map(|(header, claims, now, policy)| Case {
        header,
        claims,
        now,
        policy,
    })
}

/// Returns a value with its members, audiences and scopes in reverse order, and rotated.
fn permuted(value: &Value, rotation: usize) -> Value {
    let turn = |mut list: Vec<Value>| {
        if !list.is_empty() {
            let middle = rotation % list.len();
            list.rotate_left(middle);
            list.reverse();
        }
        list
    };
    match value {
        Value::Array(list) => json!(turn(list.clone())),
        Value::String(text) if !text.contains(['"', '\\']) && !text.contains("  ") => {
            let words = turn(text.split(' ').map(|word| json!(word)).collect());
            let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            json!(words.join(" "))
        }
        other => other.clone(),
    }
}

/// Returns JSON text with every character of strings and names escaped.
fn escaped(value: &Value) -> String {
    let string = |text: &str| {
        let units = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
        format!("\"{}\"", units.collect::<String>())
    };
    match value {
        Value::String(text) => string(text),
        Value::Array(list) => {
            format!("[{}]", list.iter().map(escaped).collect::<Vec<_>>().join(","))
        }
        Value::Object(members) => {
            let member =
                |(name, value): (&String, &Value)| format!("{}:{}", string(name), escaped(value));
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

/// Returns members in another order, which `serde_json::Map` does not preserve.
fn members_rotated(claims: &Map<String, Value>, rotation: usize) -> String {
    let mut members: Vec<String> =
        claims.iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
    if !members.is_empty() {
        let middle = rotation % members.len();
        members.rotate_left(middle);
        members.reverse();
    }
    format!("{{{}}}", members.join(","))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn a_further_restriction_never_accepts(case in case(), added in select(RESTRICTIONS.to_vec())) {
        let before = case.judge();
        let mut stricter = case;
        // `nonce` and `no_nonce` are one setting, as are `user` and `client`.
        let excludes = |a: &str, b: &str| stricter.policy.has(a) && added == b;
        prop_assume!(
            !excludes("nonce", "no_nonce") && !excludes("no_nonce", "nonce")
                && !excludes("user", "client") && !excludes("client", "user")
        );
        stricter.policy.restrictions.push(added);
        let after = stricter.judge();
        prop_assert!(before.access.is_ok() || after.access.is_err());
        prop_assert!(before.id.is_ok() || after.id.is_err());
    }

    #[test]
    fn less_leeway_never_accepts(case in case(), less in 0_u64..600) {
        let before = case.judge();
        let mut stricter = case;
        stricter.policy.leeway = stricter.policy.leeway.saturating_sub(less);
        let after = stricter.judge();
        prop_assert!(before.access.is_ok() || after.access.is_err());
        prop_assert!(before.id.is_ok() || after.id.is_err());
    }

    #[test]
    fn an_expired_token_stays_expired(case in case(), later in 0_u64..100_000) {
        let expires = |verdict: &Result<(), Error>| matches!(verdict, Err(Error::Expired { .. }));
        let before = case.judge();
        let mut after = case;
        after.now += later;
        let after = after.judge();
        prop_assert!(!expires(&before.access) || expires(&after.access));
        prop_assert!(!expires(&before.id) || expires(&after.id));
    }

    #[test]
    fn after_exp_nothing_is_accepted(mut case in case(), later in 0_u64..100_000) {
        let Some(exp) = case.claims.get("exp").and_then(Value::as_f64) else { return Ok(()) };
        prop_assume!(exp < 1e11);
        case.now = exp as u64 + case.policy.leeway + later;
        let verdicts = case.judge();
        prop_assert!(verdicts.access.is_err() && verdicts.id.is_err());
    }

    #[test]
    fn leeway_is_as_moving_the_clock(
        leeway in 0_u64..=600,
        claim in select(vec!["exp", "nbf", "iat", "auth_time"]),
        offset in -700_i64..700,
    ) {
        // A leeway is equivalent to a clock that is slower or faster by up to that amount: the
        // verdict is that without leeway at the most favourable clock within it.
        let mut claims = json!({
            "iss": ISSUER, "sub": "user", "aud": API, "exp": EPOCH + 10_000, "iat": EPOCH - 5000,
        });
        claims[claim] = json!(EPOCH.checked_add_signed(offset).unwrap());
        let restrictions = if claim == "auth_time" { vec!["max_age"] } else { vec![] };
        let judge = |leeway: u64, now: u64| {
            let restrictions = restrictions.clone();
            Policy { leeway, rfc9068: false, restrictions }
                .judge(r#"{"alg":"RS256"}"#, &claims.to_string(), now)
                .access
                .is_ok()
        };
        let friendliest = match claim {
            "exp" | "auth_time" => EPOCH - leeway,
            _ => EPOCH + leeway,
        };
        prop_assert_eq!(judge(leeway, EPOCH), judge(0, friendliest));
    }

    #[test]
    fn order_changes_nothing(case in case(), rotation in 0_usize..32) {
        let expected = case.judge();
        let header = case.header.to_string();
        let rotated = case.judge_text(&header, &members_rotated(&case.claims, rotation));
        prop_assert_eq!(rotated.without_claim_of_type(), expected.without_claim_of_type());
    }

    #[test]
    fn the_order_of_audiences_and_scopes_changes_nothing(case in case(), rotation in 0_usize..32) {
        let expected = case.judge();
        let mut turned = case;
        for name in ["aud", "scope", "permissions", "amr"] {
            if let Some(value) = turned.claims.get_mut(name) {
                *value = permuted(value, rotation);
            }
        }
        prop_assert_eq!(turned.judge(), expected);
    }

    #[test]
    fn escapes_and_white_space_change_nothing(case in case()) {
        let expected = case.judge();
        let claims = json!(case.claims);
        let verdicts = case.judge_text(&escaped(&case.header), &escaped(&claims));
        prop_assert_eq!(&verdicts, &expected);
        let verdicts = case.judge_text(&format!("{:#}", case.header), &format!("{claims:#}\n"));
        prop_assert_eq!(&verdicts, &expected);
    }

    #[test]
    fn unknown_members_change_nothing(case in case(), name in "[a-z]{1,8}:[a-z]{1,8}") {
        let expected = case.judge();
        let mut more = case;
        more.claims.insert(name, json!({"x": [null, {"y": "z"}]}));
        prop_assert_eq!(more.judge(), expected);
    }

    #[test]
    fn nothing_both_opens_the_api_and_logs_somebody_in(case in case()) {
        let verdicts = case.judge();
        let trusted_by_both = verdicts.access.is_ok() && verdicts.id.is_ok();
        prop_assert!(!trusted_by_both);
    }
}

#[test]
fn the_cases_reach_acceptance_and_refusal() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut access, mut id, mut codes) = (0, 0, std::collections::BTreeSet::new());
    for _ in 0..4_000 {
        let verdicts = case().new_tree(&mut runner).unwrap().current().judge();
        access += u32::from(verdicts.access.is_ok());
        id += u32::from(verdicts.id.is_ok());
        codes.extend(
            [verdicts.access, verdicts.id].into_iter().filter_map(|v| Some(v.err()?.code())),
        );
    }
    assert!(access > 50 && id > 50 && codes.len() > 15, "{access} {id} {codes:?}");
}
