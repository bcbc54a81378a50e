use claimgate::{RingAnyKey, AwsLcAnyKey};
use claimgate_peers::contenders::{dpop::Bound, raw};
use claimgate_peers::measure::{interleaved, Contender};
fn main() {
    let rounds: usize = std::env::args().nth(1).map_or(100, |r| r.parse().unwrap());
    let which = std::env::args().nth(2);
    let bound = Bound::new();
    if let Some(w) = which {
        let mut c: Contender = match w.as_str() { "ring" => bound.contender::<RingAnyKey>("r", "x"), "aws" => bound.contender::<AwsLcAnyKey>("a","x"),
           "rawring" => raw::ring_pair(&bound), "rawaws" => raw::aws_lc_rs_pair(&bound), _ => panic!() };
        for _ in 0..rounds { c.run(); }
        return;
    }
    let mut contenders = [
        raw::ring_pair(&bound),
        bound.contender::<RingAnyKey>("gate ring", "raw ring"),
        raw::aws_lc_rs_pair(&bound),
        bound.contender::<AwsLcAnyKey>("gate aws", "raw aws"),
    ];
    let mut times = vec![Vec::new(); 4];
    for _ in 0..rounds * 20 { for (i, c) in contenders.iter_mut().enumerate() {
        c.run();
        let t = std::time::Instant::now();
        for _ in 0..3 { c.run(); }
        times[i].push(t.elapsed().as_nanos() as f64 / 3.0);
    } }
    let q: Vec<f64> = times.iter_mut().map(|t| { t.sort_by(f64::total_cmp); t[t.len() / 20] }).collect();
    println!("5%: {q:.0?} ring {:.4} aws {:.4}", q[1] / q[0], q[3] / q[2]);
    let m = interleaved(&mut contenders, rounds);
    for m in &m { println!("{} {:.0} ns", m.name, m.median()); }
    println!("ring {:.4} aws {:.4}", m[1].over(&m[0]), m[3].over(&m[2]));
}
