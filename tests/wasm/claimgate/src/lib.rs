//! claimgate for hosts without ring: the names of ring's key types are those of the keys in
//! Rust, so that the code of the `validate` example compiles unchanged.

#![no_std]

pub use core_library::*;
pub use core_library::{PureRustAnyKey as RingAnyKey, PureRustKey as RingKey};
