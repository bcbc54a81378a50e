//! The throughput of two threads, compared with that of one.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::measure::nanoseconds;

/// Returns the validations of two threads in the time that one thread needs for one,
/// interleaved. `work` is one thread's loop.
///
/// Two threads need both processors of a machine with two, and other processes disturb them.
/// The times are therefore not medians but 5 % quantiles: those of undisturbed rounds.
pub fn two_over_one(rounds: usize, work: impl Fn() + Sync) -> f64 {
    let (asked, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (mut one, mut two) = (Vec::new(), Vec::new());
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 1..=rounds {
                wait_for(&asked, round);
                work();
                done.store(round, Ordering::SeqCst);
            }
        });
        for round in 1..=rounds {
            one.push(time(&work));
            two.push(time(|| {
                asked.store(round, Ordering::SeqCst);
                work();
                wait_for(&done, round);
            }));
        }
    });
    2.0 * undisturbed(one) / undisturbed(two)
}

/// Spins: a sleeping thread may wake up on the other thread's processor.
fn wait_for(counter: &AtomicUsize, round: usize) {
    while counter.load(Ordering::SeqCst) < round {
        spin_loop();
    }
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn undisturbed(mut times: Vec<Duration>) -> f64 {
    times.sort();
    nanoseconds(times[times.len() / 20])
}
