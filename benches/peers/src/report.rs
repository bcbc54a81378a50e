//! The table, and the ratios that are guaranteed.

use std::fmt::{self, Display};
use std::process::Command;

use crate::contenders::raw;
use crate::measure::Measured;

/// The measurements with one token.
pub struct Report {
    pub title: &'static str,
    pub measured: Vec<Measured>,
}

impl Report {
    /// # Panics
    ///
    /// Panics if no contender has this name.
    pub fn of(&self, name: &str) -> &Measured {
        self.measured.iter().find(|measured| measured.name == name).expect(name)
    }

    pub fn ratio(&self, name: &str, of: &str, over: &str) {
        let (of, over) = (self.of(of), self.of(over));
        println!("ratio {name} {:.4}, of the fastest {:.4}", of.over(over), of.fastest_over(over));
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        writeln!(
            f,
            "{:<36} {:>10} {:>10} {:>10} {:>12}",
            "", "median µs", "÷ ring", "÷ own raw", "allocations"
        )?;
        let unit = self.of(raw::RING);
        for measured in &self.measured {
            let own = measured.raw.map(|raw| format!("{:.3}", measured.over(self.of(raw))));
            writeln!(
                f,
                "{:<36} {:>10.3} {:>10.3} {:>10} {:>12}",
                measured.name,
                measured.median() / 1_000.0,
                measured.over(unit),
                own.as_deref().unwrap_or("–"),
                measured.allocations,
            )?;
        }
        Ok(())
    }
}

/// Returns the date, the machine, and the versions.
pub struct Conditions {
    pub date: String,
    pub machine: String,
    pub rustc: String,
    pub versions: String,
}

impl Conditions {
    pub fn here() -> Self {
        let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpu.lines().find(|line| line.starts_with("model name"));
        let model =
            model.and_then(|line| line.split_once(": ")).map_or("unknown", |(_, name)| name);
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        let rustc = Command::new("rustc").arg("--version").output().ok();
        let rustc = rustc.and_then(|output| String::from_utf8(output.stdout).ok());
        let versions = ["claimgate", "ring", "aws-lc-rs", "p256", "ed25519-dalek", "graviola"]
            .into_iter()
            .chain(["jsonwebtoken", "jwt-compact", "jwt-simple"])
            .map(|name| format!("{name} {}", locked_version(name)));
        Self {
            date: chrono::Utc::now().format("%Y-%m-%d").to_string(),
            machine: format!("{model}, {cpus} CPUs, {}", std::env::consts::ARCH),
            rustc: rustc.unwrap_or_default().split(" (").next().unwrap_or_default().to_owned(),
            versions: versions.collect::<Vec<_>>().join(", "),
        }
    }
}

impl Display for Conditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} · {} · {}\n{}", self.date, self.machine, self.rustc, self.versions)
    }
}

/// Returns the newest version in the lock file.
fn locked_version(name: &str) -> &'static str {
    let lock = include_str!("../Cargo.lock");
    let name = format!("name = \"{name}\"\nversion = \"");
    let rest = lock.rsplit_once(&name).map_or("?", |(_, rest)| rest);
    rest.split('"').next().unwrap_or("?")
}
