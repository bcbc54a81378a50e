//! Whether two threads do twice the work of one.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::measure::nanoseconds;

/// The validations that two threads do in the time that one does one, taken
/// turn by turn. `work` is one thread's share: a loop of its own.
///
/// Two threads need the whole of a machine of two processors, and whatever else
/// runs there takes from them. So the times are not medians but those that a
/// twentieth of the rounds kept below: of the rounds that were left alone.
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

/// Spins: a thread that sleeps may wake up on the processor of the other one.
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
