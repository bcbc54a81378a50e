//! jsonwebtoken with its other backend, compared with RSA by ring. It is a separate binary
//! because the library can have only one backend at a time.

use claimgate::PureRustKey;
use claimgate_peers::contenders::claimgate::{self as gate, Gate};
use claimgate_peers::contenders::{jsonwebtoken, raw};
use claimgate_peers::measure::interleaved;
use claimgate_peers::options::Options;
use claimgate_peers::report::{Conditions, Report};
use claimgate_peers::tokens::{Keys, Kind};

const JSONWEBTOKEN: &str = "jsonwebtoken (rust_crypto)";

fn main() {
    let options = Options::from_command_line();
    let keys = Keys::default();
    let gate = Gate::<PureRustKey>::new(&keys);
    let (token, kind) = (keys.token(Kind::Typical), Kind::Typical);
    let mut contenders = [
        raw::ring(&keys, &token),
        raw::own::<PureRustKey>(raw::PURE_RUST, &keys, &token),
        gate.contender(gate::PURE_RUST, raw::PURE_RUST, &token, kind),
        jsonwebtoken::contender(JSONWEBTOKEN, Some(raw::PURE_RUST), &keys, &token, kind),
    ];
    let title = "An access token of 790 characters, RSA-2048";
    let report = Report { title, measured: interleaved(&mut contenders, options.rounds) };
    println!("{}\n{report}", Conditions::here());
    report.ratio(
        "jsonwebtoken-rust_crypto_over_claimgate.pure-rust",
        JSONWEBTOKEN,
        gate::PURE_RUST,
    );
    if let Some(path) = &options.save {
        let measured = report.of(JSONWEBTOKEN);
        let multiple = measured.over(report.of(raw::RING));
        let row = format!("{}\t{multiple}\t{}\n", measured.name, measured.allocations);
        std::fs::write(path, row).expect("the row is saved");
    }
}
