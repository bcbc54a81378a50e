//! Whether two threads do twice the work of one.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use crate::measure::nanoseconds;

/// The validations that two threads do in the time that one does one, taken
/// turn by turn. `work` is one thread's share: a loop of its own.
///
/// Two threads need the whole of a machine of two processors, and whatever else
/// runs there takes from them. So the times are not medians but those that a
/// twentieth of the rounds kept below: of the rounds that were left alone.
pub fn two_over_one(rounds: usize, work: impl Fn() + Sync) -> f64 {
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        one.push(time(1, &work));
        two.push(time(2, &work));
    }
    2.0 * undisturbed(one) / undisturbed(two)
}

fn undisturbed(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 20]
}

/// From the first thread's start to the last one's end, in nanoseconds.
fn time(threads: usize, work: &(impl Fn() + Sync)) -> f64 {
    let ready = AtomicUsize::new(0);
    let run = || {
        ready.fetch_add(1, Ordering::SeqCst);
        while ready.load(Ordering::SeqCst) < threads {
            spin_loop();
        }
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
