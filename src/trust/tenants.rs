//! Multi-tenant issuers: C10.

use core::fmt;
use core::ops::Deref;

use super::{ExpectedIssuer, IssuerRef, Issuers, sealed};
use crate::error::{Claim, ConfigError, Error, JsonType};
use crate::json::{Text, Value};
use crate::jwk::JwkSet;
use crate::public_key::PublicKey;

/// The placeholder for a tenant's ID in a template.
const PLACEHOLDER: &str = "{tenantid}";

/// An issuer whose URL contains the ID of a tenant, such as Microsoft Entra's `common`, and
/// the allowed tenants.
///
/// The claim `tid` must be in the list, and `iss` must equal the template with that ID in
/// place of `{tenantid}`, byte for byte.
///
/// ```
/// use claimgate::error::ConfigError;
/// use claimgate::trust::TenantIssuer;
/// use claimgate::{JwkSet, PublicKey};
///
/// fn entra<K: PublicKey>(keys: JwkSet<K, 16>) -> Result<TenantIssuer<K, 16>, ConfigError> {
///     TenantIssuer::new(
///         "https://login.microsoftonline.com/{tenantid}/v2.0",
///         &["72f988bf-86f1-41af-91ab-2d7cd011db47"],
///         keys,
///     )
/// }
/// ```
///
/// `U` is the type of the template and `T` that of the list, for example `&'static str` and
/// `&'static [&'static str]`, or `String` and `Vec<String>`.
pub struct TenantIssuer<K, const N: usize, U = &'static str, T = &'static [&'static str]> {
    template: U,
    /// `None` allows any tenant.
    tenants: Option<T>,
    keys: JwkSet<K, N>,
}

impl<K, const N: usize, U, T, S> TenantIssuer<K, N, U, T>
where
    U: AsRef<str>,
    T: Deref<Target = [S]>,
    S: AsRef<str>,
{
    /// Constructs the issuer with this template, such as
    /// `https://login.microsoftonline.com/{tenantid}/v2.0`, and these tenants.
    ///
    /// # Errors
    ///
    /// [`ConfigError::TenantTemplate`] for a template without exactly one `{tenantid}`,
    /// [`ConfigError::EmptyList`] if there are no tenants, [`ConfigError::Empty`] for an empty
    /// ID.
    pub fn new(template: U, tenants: T, keys: JwkSet<K, N>) -> Result<Self, ConfigError> {
        if tenants.is_empty() {
            return Err(ConfigError::EmptyList("tenants"));
        }
        if tenants.iter().any(|tenant| tenant.as_ref().is_empty()) {
            return Err(ConfigError::Empty("tenant"));
        }
        check_template(template.as_ref())?;
        Ok(Self { template, tenants: Some(tenants), keys })
    }
}

impl<K, const N: usize, U: AsRef<str>> TenantIssuer<K, N, U> {
    /// Constructs the issuer with this template, for any tenant: anyone who can become a
    /// tenant of the issuer is accepted. The application must check `tid` itself, and must
    /// identify users by `tid` and `sub` together.
    ///
    /// Tenant IDs consist of ASCII letters, digits, `-` and `.`.
    ///
    /// # Errors
    ///
    /// [`ConfigError::TenantTemplate`] for a template without exactly one `{tenantid}`.
    pub fn danger_any_tenant(template: U, keys: JwkSet<K, N>) -> Result<Self, ConfigError> {
        check_template(template.as_ref())?;
        Ok(Self { template, tenants: None, keys })
    }
}

fn check_template(template: &str) -> Result<(), ConfigError> {
    match split(template) {
        Some((before, after)) if !before.is_empty() && split(after).is_none() => Ok(()),
        _ => Err(ConfigError::TenantTemplate),
    }
}

/// Returns whether `iss` is this URL, or matches this template.
pub(crate) fn is_issuer(url_or_template: &str, iss: Text<'_>) -> bool {
    iss.is(url_or_template) || is_of_template(url_or_template, iss)
}

/// Returns whether `iss` equals the template with any text as the tenant's ID.
pub(super) fn is_of_template(template: &str, iss: Text<'_>) -> bool {
    split(template).is_some_and(|(before, after)| iss.has_ends(before, after))
}

/// Returns the text before and the text after `{tenantid}`.
fn split(template: &str) -> Option<(&str, &str)> {
    // `split_once` contains panics that the compiler does not remove.
    let mut windows = template.as_bytes().windows(PLACEHOLDER.len());
    let start = windows.position(|window| window == PLACEHOLDER.as_bytes())?;
    let end = start.checked_add(PLACEHOLDER.len())?;
    Some((template.get(..start)?, template.get(end..)?))
}

/// Returns the tenant's ID in `issuer`, if the rest equals the template.
fn tenant_of<'i>(template: &str, issuer: &'i str) -> Option<&'i str> {
    let (before, after) = split(template)?;
    issuer.strip_prefix(before)?.strip_suffix(after)
}

impl<K, const N: usize, U, T> TenantIssuer<K, N, U, T> {
    /// Returns the keys of the issuer.
    #[must_use]
    pub const fn keys(&self) -> &JwkSet<K, N> {
        &self.keys
    }
}

/// The rule for the tenants of an issuer.
pub(crate) trait TenantRule {
    /// Checks the claims `iss` and `tid`.
    fn check(&self, iss: Option<&str>, tid: Option<Value<'_>>) -> Result<(), Error>;
}

impl<K, const N: usize, U, T, S> TenantRule for TenantIssuer<K, N, U, T>
where
    U: AsRef<str>,
    T: Deref<Target = [S]>,
    S: AsRef<str>,
{
    fn check(&self, iss: Option<&str>, tid: Option<Value<'_>>) -> Result<(), Error> {
        let iss = iss.ok_or(Error::MissingClaim(Claim::Issuer))?;
        let tid = tid.ok_or(Error::MissingClaim(Claim::TenantId))?;
        let wrong_type = Error::ClaimType(Claim::TenantId, JsonType::String);
        let tid = tid.string().ok_or(wrong_type)?;
        let named = tenant_of(self.template.as_ref(), iss).ok_or(Error::IssuerMismatch)?;
        if !tid.is(named) {
            return Err(Error::IssuerMismatch);
        }
        let is_allowed = match &self.tenants {
            Some(tenants) => tenants.iter().any(|tenant| tenant.as_ref() == named),
            None => {
                let is_of_id =
                    |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
                !named.is_empty() && named.bytes().all(is_of_id)
            }
        };
        if is_allowed { Ok(()) } else { Err(Error::TenantNotAllowed) }
    }
}

impl<K, const N: usize, U, T, S> TenantIssuer<K, N, U, T>
where
    U: AsRef<str>,
    T: Deref<Target = [S]>,
    S: AsRef<str>,
{
    /// Returns a borrowed issuer, whose type is the same for all issuers.
    #[must_use]
    pub fn by_ref(&self) -> IssuerRef<'_, K> {
        let expected = ExpectedIssuer::Tenant { template: self.template.as_ref(), rule: self };
        IssuerRef { expected, keys: self.keys.as_keys() }
    }
}

impl<K: PublicKey, const N: usize, U, T, S> Issuers for TenantIssuer<K, N, U, T>
where
    U: AsRef<str>,
    T: Deref<Target = [S]>,
    S: AsRef<str>,
{
}

impl<K: PublicKey, const N: usize, U, T, S> sealed::Issuers for TenantIssuer<K, N, U, T>
where
    U: AsRef<str>,
    T: Deref<Target = [S]>,
    S: AsRef<str>,
{
    type Key = K;

    fn sole(&self) -> Option<IssuerRef<'_, K>> {
        Some(self.by_ref())
    }

    fn named(&self, iss: Text<'_>) -> Option<IssuerRef<'_, K>> {
        is_of_template(self.template.as_ref(), iss).then(|| self.by_ref())
    }
}

impl<K, const N: usize, U: AsRef<str>, T> fmt::Debug for TenantIssuer<K, N, U, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantIssuer")
            .field("template", &self.template.as_ref())
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}
