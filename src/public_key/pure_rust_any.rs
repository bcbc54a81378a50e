//! Keys in Rust alone for all algorithms, by [p256](https://docs.rs/p256),
//! [p384](https://docs.rs/p384) and [ed25519-dalek](https://docs.rs/ed25519-dalek); the
//! only file that names them.
