//! The measured libraries, each configured as a careful user would: issuer, audience, expiry
//! and scope are checked, and if the library leaves the selection of the key to its caller, it
//! is selected by `kid`.

pub mod claimgate;
pub mod dpop;
pub mod jsonwebtoken;
pub mod jwt_compact;
pub mod jwt_simple;
pub mod raw;

use serde::Deserialize;

use crate::tokens::{Kind, NONCE, PERMISSION, SCOPE};

/// The claims that the peers leave to their callers.
#[derive(Deserialize)]
struct OwnClaims {
    sub: String,
    scope: Option<String>,
    permissions: Option<Vec<String>>,
    nonce: Option<String>,
}

impl OwnClaims {
    fn check(&self, kind: Kind) {
        assert!(!self.sub.is_empty());
        if kind == Kind::SmallId {
            assert_eq!(self.nonce.as_deref(), Some(NONCE));
            return;
        }
        let scope = self.scope.as_deref().unwrap();
        assert!(scope.split(' ').any(|scope| scope == SCOPE));
        if kind == Kind::Large {
            let permissions = self.permissions.as_deref().unwrap();
            assert!(permissions.iter().any(|permission| permission == PERMISSION));
        }
    }
}
