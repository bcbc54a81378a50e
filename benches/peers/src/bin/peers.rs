//! claimgate, RSA without a library, and the peers, with jsonwebtoken on aws-lc-rs.

use claimgate::jwk::PureRustPortableKey;
use claimgate::{
    Algorithm, AwsLcAnyKey, AwsLcKey, PureRustAnyKey, PureRustKey, RingAnyKey, RingKey,
};
use claimgate_peers::contenders::claimgate::{self as gate, Gate};
use claimgate_peers::contenders::dpop::Bound;
use claimgate_peers::contenders::{jsonwebtoken, jwt_compact, jwt_simple, raw};
use claimgate_peers::measure::{Measured, interleaved};
use claimgate_peers::options::Options;
use claimgate_peers::report::{Conditions, Report};
use claimgate_peers::tokens::{Keys, Kind};
use claimgate_peers::{chart, threads};

const JSONWEBTOKEN: &str = "jsonwebtoken (aws-lc-rs)";
const JSONWEBTOKEN_ONE_KEY: &str = "jsonwebtoken (aws-lc-rs), one key";

struct Gates {
    ring: Gate<RingKey>,
    aws_lc_rs: Gate<AwsLcKey>,
    pure_rust: Gate<PureRustKey>,
    pure_rust_portable: Gate<PureRustPortableKey>,
}

fn measure(title: &'static str, keys: &Keys, gates: &Gates, kind: Kind, rounds: usize) -> Report {
    let token = keys.token(kind);
    let mut contenders = vec![
        raw::ring(keys, &token),
        gates.ring.contender(gate::RING, raw::RING, &token, kind),
        raw::aws_lc_rs(keys, &token),
        gates.aws_lc_rs.contender(gate::AWS_LC_RS, raw::AWS_LC_RS, &token, kind),
        raw::own::<PureRustKey>(raw::PURE_RUST, keys, &token),
        gates.pure_rust.contender(gate::PURE_RUST, raw::PURE_RUST, &token, kind),
        raw::own::<PureRustPortableKey>(raw::PURE_RUST_PORTABLE, keys, &token),
        gates.pure_rust_portable.contender(
            gate::PURE_RUST_PORTABLE,
            raw::PURE_RUST_PORTABLE,
            &token,
            kind,
        ),
        raw::graviola(keys, &token),
        jsonwebtoken::contender(JSONWEBTOKEN, Some(raw::AWS_LC_RS), keys, &token, kind),
        jsonwebtoken::with_one_key(JSONWEBTOKEN_ONE_KEY, Some(raw::AWS_LC_RS), keys, &token, kind),
        jwt_compact::contender(keys, &token, kind),
        jwt_simple::contender(keys, &token, kind),
    ];
    if kind == Kind::Typical {
        contenders.push(gates.ring.cache_hit(keys));
        contenders.extend(gates.ring.refusals(keys));
    }
    Report { title, measured: interleaved(&mut contenders, rounds) }
}

/// The typical access token, signed with another algorithm than RS256.
fn measure_algorithm(title: &'static str, algorithm: Algorithm, rounds: usize) -> Report {
    let (keys, kind) = (Keys::new(algorithm), Kind::Typical);
    let token = keys.token(kind);
    let ring = Gate::<RingAnyKey>::new(&keys);
    let aws_lc_rs = Gate::<AwsLcAnyKey>::new(&keys);
    let pure_rust = Gate::<PureRustAnyKey>::new(&keys);
    let mut contenders = [
        raw::ring(&keys, &token),
        ring.contender(gate::RING, raw::RING, &token, kind),
        raw::aws_lc_rs(&keys, &token),
        aws_lc_rs.contender(gate::AWS_LC_RS, raw::AWS_LC_RS, &token, kind),
        raw::own::<PureRustAnyKey>(raw::PURE_RUST, &keys, &token),
        pure_rust.contender(gate::PURE_RUST, raw::PURE_RUST, &token, kind),
        jsonwebtoken::contender(JSONWEBTOKEN, Some(raw::AWS_LC_RS), &keys, &token, kind),
    ];
    Report { title, measured: interleaved(&mut contenders, rounds) }
}

/// An access token and its DPoP proof, both signatures with one backend.
fn measure_bound(rounds: usize) -> Report {
    let bound = Bound::new();
    let mut contenders = [
        raw::ring_pair(&bound),
        bound.contender::<RingAnyKey>(gate::RING, raw::RING),
        raw::aws_lc_rs_pair(&bound),
        bound.contender::<AwsLcAnyKey>(gate::AWS_LC_RS, raw::AWS_LC_RS),
    ];
    let title = "An RS256 access token with an ES256 DPoP proof";
    Report { title, measured: interleaved(&mut contenders, rounds) }
}

/// The ratios of one algorithm, which each of them names.
fn print_ratios(report: &Report, algorithm: &str) {
    for (backend, whole, raw) in [
        ("ring", gate::RING, raw::RING),
        ("aws-lc-rs", gate::AWS_LC_RS, raw::AWS_LC_RS),
        ("pure-rust", gate::PURE_RUST, raw::PURE_RUST),
    ] {
        report.ratio(&format!("whole_over_raw.{algorithm}.{backend}"), whole, raw);
        let name = format!("jsonwebtoken_over_claimgate.{algorithm}.{backend}");
        report.ratio(&name, JSONWEBTOKEN, whole);
    }
}

/// The results of the other binary: name, multiple of raw ring, allocations.
fn add_saved(report: &mut Report, saved: &str) {
    for line in saved.lines() {
        let mut fields = line.split('\t');
        let mut field = || fields.next().expect("three fields");
        let (name, multiple, allocations) = (field(), field(), field());
        let measured = Measured::elsewhere(
            name,
            multiple.parse().expect("a number"),
            allocations.parse().expect("a number"),
            report.of(raw::RING),
        );
        let place = report.measured.iter().position(|m| m.name == "jwt-compact").unwrap_or(0);
        report.measured.insert(place, measured);
    }
}

fn main() {
    let options = Options::from_command_line();
    let conditions = Conditions::here();
    let keys = Keys::default();
    let gates = Gates {
        ring: Gate::new(&keys),
        aws_lc_rs: Gate::new(&keys),
        pure_rust: Gate::new(&keys),
        pure_rust_portable: Gate::new(&keys),
    };
    println!("{conditions}\npure-rust uses {}", gates.pure_rust.key().kernel());

    let title = "An access token of 790 characters, RSA-2048";
    let mut typical = measure(title, &keys, &gates, Kind::Typical, options.rounds);
    if let Some(path) = &options.with {
        add_saved(&mut typical, &std::fs::read_to_string(path).expect("what was saved"));
    }
    println!("{typical}");
    for (title, kind) in [
        ("A small ID token", Kind::SmallId),
        ("An access token of 8 KB with 200 permissions", Kind::Large),
    ] {
        println!("{}", measure(title, &keys, &gates, kind, options.rounds.div_ceil(4)));
    }

    let others = [
        ("An access token, PS256, RSA-2048", "ps256", Algorithm::Ps256),
        ("An access token, ES256", "es256", Algorithm::Es256),
        ("An access token, EdDSA (Ed25519)", "eddsa", Algorithm::EdDsa),
    ]
    .map(|(title, name, algorithm)| {
        let report = measure_algorithm(title, algorithm, options.rounds.div_ceil(2));
        println!("{report}");
        (name, report)
    });

    let bound = measure_bound(options.rounds.div_ceil(2));
    println!("{bound}");

    typical.ratio("whole_over_raw.ring", gate::RING, raw::RING);
    typical.ratio("whole_over_raw.aws-lc-rs", gate::AWS_LC_RS, raw::AWS_LC_RS);
    typical.ratio("whole_over_raw.pure-rust", gate::PURE_RUST, raw::PURE_RUST);
    typical.ratio("jsonwebtoken_over_claimgate.ring", JSONWEBTOKEN, gate::RING);
    typical.ratio("jsonwebtoken_over_claimgate.aws-lc-rs", JSONWEBTOKEN, gate::AWS_LC_RS);
    typical.ratio("jsonwebtoken_over_claimgate.pure-rust", JSONWEBTOKEN, gate::PURE_RUST);
    let one_key = "jsonwebtoken_one_key_over_claimgate.aws-lc-rs";
    typical.ratio(one_key, JSONWEBTOKEN_ONE_KEY, gate::AWS_LC_RS);
    typical.ratio("pure-rust_over_ring", gate::PURE_RUST, gate::RING);
    typical.ratio("pure-rust_over_aws-lc-rs", gate::PURE_RUST, gate::AWS_LC_RS);
    typical.ratio("pure-rust-portable_over_ring", gate::PURE_RUST_PORTABLE, gate::RING);
    typical.ratio("aws-lc-rs_over_ring", gate::AWS_LC_RS, gate::RING);
    typical.ratio("cache_hit_over_whole.ring", gate::CACHE_HIT, gate::RING);
    typical.ratio("reject_alg_over_whole.ring", gate::REFUSE_ALG, gate::RING);
    typical.ratio("reject_kid_over_whole.ring", gate::REFUSE_KID, gate::RING);
    typical.ratio("reject_issuer_over_whole.ring", gate::REFUSE_ISSUER, gate::RING);
    typical.ratio("reject_malformed_over_whole.ring", gate::REFUSE_MALFORMED, gate::RING);

    for (name, report) in &others {
        print_ratios(report, name);
    }

    bound.ratio("token_and_proof_over_raw.ring", gate::RING, raw::RING);
    bound.ratio("token_and_proof_over_raw.aws-lc-rs", gate::AWS_LC_RS, raw::AWS_LC_RS);

    let token = keys.token(Kind::Typical);
    let two_over_one = threads::two_over_one(options.rounds, || {
        let mut validate = gates.ring.validate(&token, Kind::Typical);
        (0..100).for_each(|_| validate());
    });
    println!("ratio threads_2_over_1.ring {two_over_one:.4}");

    if let Some(path) = &options.svg {
        std::fs::write(path, chart::draw(&typical, &conditions)).expect("the chart is written");
    }
}
