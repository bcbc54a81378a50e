//! The vocabulary that both token kinds share.

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

/// `cnf`: the key that the bearer has to prove
/// ([RFC 7800 §3.1](https://www.rfc-editor.org/rfc/rfc7800#section-3.1)).
///
/// Members of other confirmation methods are tolerated and not read.
///
/// ```
/// # fn show(token: &claimgate::Validated<claimgate::AccessToken<'_>>) {
/// // Whatever the policy said about it, a log may want to tell the two kinds apart.
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

    /// `x5t#S256`: the SHA-256 thumbprint of the client's certificate,
    /// base64url
    /// ([RFC 8705 §3.1](https://www.rfc-editor.org/rfc/rfc8705#section-3.1)).
    #[must_use]
    pub const fn x5t_s256(&self) -> Option<&'b str> {
        self.x5t_s256
    }

    /// `jkt`: the SHA-256 thumbprint of the client's DPoP key, base64url
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
