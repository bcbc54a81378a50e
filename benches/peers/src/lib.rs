//! claimgate compared with other libraries: the same tokens, in one process, interleaved.
//! `benches/README.md` describes how to run this and interpret the results.

pub mod allocations;
pub mod chart;
pub mod contenders;
pub mod measure;
pub mod options;
pub mod report;
pub mod threads;
pub mod tokens;
