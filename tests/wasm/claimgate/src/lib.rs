//! claimgate for targets without ring: the names of ring's key types refer to the pure-Rust
//! keys, so that the code of the `validate` example compiles unchanged.

#![no_std]

pub use core_library::*;
pub use core_library::{PureRustAnyKey as RingAnyKey, PureRustKey as RingKey};
