//! Claims and their types.

mod audience;
mod numeric_date;
mod reader;
mod scope;
mod spans;

pub use audience::Audience;
pub use numeric_date::NumericDate;
pub use scope::{Scope, StandardScope, StringArray};

pub use crate::standard_claims::{Address, StandardClaims};

pub(crate) use numeric_date::Rounding;
pub(crate) use reader::{Reader, RegisteredClaims};
pub(crate) use scope::is_scope_token;
pub(crate) use spans::{TextBuilder, ToSpans, span_fields};

use core::fmt;

use crate::error::Error;
use crate::json::Object;

/// `cnf`: the key of which the bearer must prove possession
/// ([RFC 7800 §3.1](https://www.rfc-editor.org/rfc/rfc7800#section-3.1)).
///
/// Members for other confirmation methods are ignored.
///
/// ```
/// # fn show(token: &claimgate::Validated<claimgate::AccessToken<'_>>) {
/// // Distinguishes the two kinds, for example in a log.
/// let is_bound_by_dpop = token.confirmation().is_some_and(|cnf| cnf.jkt().is_some());
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Confirmation<'b> {
    x5t_s256: Option<&'b str>,
    jkt: Option<&'b str>,
}

impl<'b> Confirmation<'b> {
    pub(crate) fn read(reader: &mut Reader<'b>, object: &Object<'b>) -> Result<Self, Error> {
        let mut confirmation = Self { x5t_s256: None, jkt: None };
        for member in object.members() {
            match member.name {
                "x5t#S256" => {
                    confirmation.x5t_s256 = Some(reader.confirmation_member(member.value)?);
                }
                "jkt" => confirmation.jkt = Some(reader.confirmation_member(member.value)?),
                _ => {}
            }
        }
        Ok(confirmation)
    }

    /// Returns `x5t#S256`: the SHA-256 thumbprint of the client's certificate, in base64url
    /// ([RFC 8705 §3.1](https://www.rfc-editor.org/rfc/rfc8705#section-3.1)).
    #[must_use]
    pub const fn x5t_s256(&self) -> Option<&'b str> {
        self.x5t_s256
    }

    /// Returns `jkt`: the SHA-256 thumbprint of the client's DPoP key, in base64url
    /// ([RFC 9449 §6.1](https://www.rfc-editor.org/rfc/rfc9449#section-6.1)).
    #[must_use]
    pub const fn jkt(&self) -> Option<&'b str> {
        self.jkt
    }
}

impl fmt::Debug for Confirmation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Confirmation").finish_non_exhaustive()
    }
}
