//! Whether two threads do twice the work of one.

use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use crate::measure::{median, nanoseconds};

/// The validations that two threads do in the time that one does one, taken
/// turn by turn. `work` is one thread's share: a loop of its own.
pub fn two_over_one(rounds: usize, work: impl Fn() + Sync) -> f64 {
    let ratios = (0..rounds).map(|_| 2.0 * time(1, &work) / time(2, &work)).collect();
    median(ratios)
}

/// From the first thread's start to the last one's end, in nanoseconds.
fn time(threads: usize, work: &(impl Fn() + Sync)) -> f64 {
    let barrier = Barrier::new(threads);
    let run = || {
        barrier.wait();
        let start = Instant::now();
        work();
        (start, Instant::now())
    };
    let times: Vec<_> = thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).collect()
    });
    let start = times.iter().map(|(start, _)| *start).min().unwrap();
    let end = times.iter().map(|(_, end)| *end).max().unwrap();
    nanoseconds(end - start)
}
