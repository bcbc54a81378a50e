//! The C interface of [claimgate](https://docs.rs/claimgate).
//!
//! `claimgate.h` is generated from this crate, and `staticlib/` builds it as `libclaimgate.a`.
//! There is no heap. The only global state is the [verifier](claimgate_use_verifier), if the
//! program provides one.
//!
//! # Objects
//!
//! The caller provides the memory of each object: its size and alignment are returned by
//! functions such as [`claimgate_policy_size`]. An object is initialised in place and must not
//! be moved or copied. Nothing needs to be released.
//!
//! # Rules for all pointers
//!
//! - A pointer to an object must have been returned by its `init` function, and its memory
//!   must not have been written to otherwise.
//! - A [`claimgate_text`] is UTF-8, not terminated by a zero. Its bytes must be readable
//!   during the call. For settings, they must stay readable and unchanged as long as the
//!   object is used; the text of a token, as long as its claims are read.
//! - A client may send bytes that are not UTF-8: in a token, in an `Authorization` header, in
//!   the access token or the code of a login. They are rejected with a verdict on the request.
//!   In other texts they are an error of the calling program,
//!   [`CLAIMGATE_NOT_UTF8`](claimgate_code::CLAIMGATE_NOT_UTF8).
//! - If a function that writes a text returns an error, the text must not be used, and its
//!   length is 0, with two exceptions: the length that is needed, with
//!   [`CLAIMGATE_BUFFER_TOO_SMALL`](claimgate_code::CLAIMGATE_BUFFER_TOO_SMALL), and a length
//!   that is not written because the arguments are invalid.
//! - Objects that a function changes (validation, cache, refresh, an issuer whose keys are
//!   replaced) may be used by one thread at a time. Policies and issuers may be shared by
//!   threads that validate.
//! - A cache must exist as long as claims of tokens that were found in it are read.
//!
//! Where they can be detected, these errors return a [code](claimgate_code): null pointers,
//! misaligned pointers, memory that is too small, arguments that overlap an object that is
//! written to, texts and objects that overlap the memory of a result, and objects that were
//! moved or are of another kind.

#![no_std]
#![expect(non_camel_case_types, reason = "types have the names that they have in C")]
#![deny(clippy::undocumented_unsafe_blocks)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::as_conversions
    )
)]

mod cache;
mod code;
mod id_token;
mod issuer;
mod key;
mod limits;
mod memory;
mod payload;
mod policy;
mod read;
mod refresh;
mod settings;
mod sink;
mod text;
mod validation;

pub use cache::*;
pub use code::*;
pub use id_token::*;
pub use issuer::*;
pub use key::{
    CLAIMGATE_EDDSA, CLAIMGATE_ES256, CLAIMGATE_ES384, CLAIMGATE_PS256, CLAIMGATE_PS384,
    CLAIMGATE_PS512, CLAIMGATE_RS256, CLAIMGATE_RS384, CLAIMGATE_RS512, claimgate_key_material,
    claimgate_use_verifier, claimgate_verifier,
};
pub use policy::*;
pub use read::*;
pub use refresh::*;
pub use settings::*;
pub use text::{claimgate_text, claimgate_texts};
pub use validation::*;
