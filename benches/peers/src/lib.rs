//! claimgate beside what people use today: the same tokens, in one process,
//! interleaved. `benches/README.md` tells how to run this and what it means.

pub mod allocations;
pub mod chart;
pub mod contenders;
pub mod measure;
pub mod options;
pub mod report;
pub mod threads;
pub mod tokens;
