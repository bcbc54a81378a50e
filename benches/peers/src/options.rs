//! The command line.

use std::path::PathBuf;

#[derive(Default)]
pub struct Options {
    /// How often everybody has a turn.
    pub rounds: usize,
    /// Where to write what another binary shall show.
    pub save: Option<PathBuf>,
    /// What another binary measured.
    pub with: Option<PathBuf>,
    /// Where to draw the chart.
    pub svg: Option<PathBuf>,
}

impl Options {
    /// # Panics
    ///
    /// With the usage, if the command line is not understood.
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
