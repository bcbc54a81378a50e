//! Validates tokens: a demonstration, a single token, or a file of cases.
//!
//! `cargo run --release --example validate -- --help` prints the options.

mod arguments;
mod batch;
mod case;
mod demo;
mod judge;
mod single;

use std::io::{self, BufRead, BufWriter, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::arguments::Arguments;

/// The result, as an exit status.
enum Outcome {
    Valid,
    Invalid,
    Usage,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(Outcome::Valid) => ExitCode::SUCCESS,
        Ok(Outcome::Invalid) => ExitCode::from(1),
        Ok(Outcome::Usage) => ExitCode::from(2),
        Err(error) => {
            eprintln!("validate: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> io::Result<Outcome> {
    let mut out = BufWriter::new(io::stdout().lock());
    let outcome = match (&arguments.batch, &arguments.token) {
        (Some(path), _) => {
            let cases: Box<dyn BufRead> = match path.as_str() {
                "-" => Box::new(io::stdin().lock()),
                path => Box::new(io::BufReader::new(arguments::open(path)?)),
            };
            batch::answer_all(cases, &mut out)?;
            Outcome::Valid
        }
        (None, Some(token)) => single::validate(arguments, token, &mut out)?,
        (None, None) if std::env::args_os().len() > 1 => {
            // Options without a token are an error.
            eprintln!("validate: there is no token; --help tells how to give one");
            Outcome::Usage
        }
        (None, None) => demo::show(&mut out)?,
    };
    out.flush()?;
    Ok(outcome)
}
