//! The command line.

use std::path::PathBuf;

#[derive(Default)]
pub struct Options {
    /// The number of rounds.
    pub rounds: usize,
    /// The file to which results for the other binary are written.
    pub save: Option<PathBuf>,
    /// The file with the results of the other binary.
    pub with: Option<PathBuf>,
    /// The file to which the chart is written.
    pub svg: Option<PathBuf>,
}

impl Options {
    /// # Panics
    ///
    /// Panics with the usage if the command line is invalid.
    pub fn from_command_line() -> Self {
        let usage = "[--rounds N] [--save FILE] [--with FILE] [--svg FILE]";
        let mut options = Self { rounds: 1_500, ..Self::default() };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let value = arguments.next().expect(usage);
            match name.as_str() {
                "--rounds" => options.rounds = value.parse().expect(usage),
                "--save" => options.save = Some(value.into()),
                "--with" => options.with = Some(value.into()),
                "--svg" => options.svg = Some(value.into()),
                _ => panic!("{usage}"),
            }
        }
        options
    }
}
