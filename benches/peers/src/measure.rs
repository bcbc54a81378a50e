//! Many short batches, interleaved, so that disturbances affect all contenders, and medians,
//! which interrupted batches do not change.

use std::time::{Duration, Instant};

use crate::allocations;

/// The target duration of a batch.
const BATCH: Duration = Duration::from_micros(400);

/// A function to be measured. A call asserts its own result.
pub struct Contender<'c> {
    pub name: &'static str,
    /// The name of the RSA verification that this is based on.
    pub raw: Option<&'static str>,
    call: Box<dyn FnMut() + 'c>,
}

impl<'c> Contender<'c> {
    pub fn new(name: &'static str, raw: Option<&'static str>, call: impl FnMut() + 'c) -> Self {
        Self { name, raw, call: Box::new(call) }
    }

    /// Calls it once.
    pub fn run(&mut self) {
        (self.call)();
    }

    fn time(&mut self, calls: u32) -> Duration {
        let start = Instant::now();
        for _ in 0..calls {
            (self.call)();
        }
        start.elapsed()
    }

    fn calls_in_a_batch(&mut self) -> u32 {
        let mut calls = 1;
        while self.time(calls) < BATCH {
            calls *= 2;
        }
        calls
    }
}

/// The measurements of one contender.
pub struct Measured {
    pub name: String,
    pub raw: Option<&'static str>,
    pub allocations: u64,
    /// Nanoseconds per call, one value for each round.
    rounds: Vec<f64>,
}

impl Measured {
    /// Returns nanoseconds.
    pub fn median(&self) -> f64 {
        median(self.rounds.clone())
    }

    /// Returns the median of the rounds' ratios, each of two batches within milliseconds of
    /// each other.
    pub fn over(&self, other: &Self) -> f64 {
        median(self.rounds.iter().zip(&other.rounds).map(|(this, that)| this / that).collect())
    }

    /// Returns the ratio of the times that a twentieth of the rounds is below. Other load on the
    /// machine, which shifts the medians, changes it little.
    pub fn fastest_over(&self, other: &Self) -> f64 {
        let [this, that] = [self, other].map(|measured| {
            let mut rounds = measured.rounds.clone();
            rounds.sort_by(f64::total_cmp);
            rounds[rounds.len() / 20]
        });
        this / that
    }

    /// Converts the result of another process, a multiple of `unit`, to a local one.
    pub fn elsewhere(name: &str, multiple: f64, allocations: u64, unit: &Self) -> Self {
        let rounds = unit.rounds.iter().map(|nanoseconds| nanoseconds * multiple).collect();
        Self { name: name.to_owned(), raw: None, allocations, rounds }
    }
}

pub fn interleaved(contenders: &mut [Contender<'_>], rounds: usize) -> Vec<Measured> {
    let calls: Vec<u32> = contenders.iter_mut().map(Contender::calls_in_a_batch).collect();
    let mut measured: Vec<Measured> = contenders
        .iter_mut()
        .map(|contender| Measured {
            name: contender.name.to_owned(),
            raw: contender.raw,
            allocations: allocations::count(&mut contender.call),
            rounds: Vec::with_capacity(rounds),
        })
        .collect();
    for round in 0..rounds {
        for place in 0..contenders.len() {
            // Forward and backward, so that the order alternates.
            let index = if round % 2 == 0 { place } else { contenders.len() - 1 - place };
            let contender = &mut contenders[index];
            contender.time(1);
            let elapsed = contender.time(calls[index]);
            measured[index].rounds.push(nanoseconds(elapsed) / f64::from(calls[index]));
        }
    }
    measured
}

pub fn nanoseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e9
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}
