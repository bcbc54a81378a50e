//! The trusted issuers and their policies.

mod tenants;

use core::fmt;
use core::ops::Deref;

use crate::error::ConfigError;
use crate::json::Text;
use crate::jwk::{JwkSet, Keys};
use crate::jws::UnverifiedJws;
use crate::public_key::PublicKey;

pub(crate) use tenants::{TenantRule, is_issuer};

pub use tenants::TenantIssuer;

/// An issuer and its keys, which verify the tokens of that issuer and no others.
///
/// It is constructed once, when the configuration is read, and replaced as a whole when its
/// keys are renewed. It owns its key set and its URL: `U` is `&'static str`, `String`,
/// `heapless::String<N>` or another string type.
///
/// ```
/// use claimgate::error::ConfigError;
/// use claimgate::{Issuer, JwkSet, PublicKey};
///
/// fn trusted<K: PublicKey>(
///     url_of_the_configuration: String,
///     auth0: JwkSet<K, 4>,
///     other: JwkSet<K, 8>,
/// ) -> Result<(Issuer<K, 4>, Issuer<K, 8, String>), ConfigError> {
///     Ok((
///         Issuer::new("https://my-domain.auth0.com/", auth0)?,
///         Issuer::new(url_of_the_configuration, other)?,
///     ))
/// }
/// ```
pub struct Issuer<K, const N: usize, U = &'static str> {
    url: U,
    keys: JwkSet<K, N>,
}

impl<K, const N: usize, U: AsRef<str>> Issuer<K, N, U> {
    /// Constructs the issuer with this URL, exactly as in the `iss` of its tokens, and its
    /// keys.
    ///
    /// URLs are compared byte for byte: Auth0's end with a slash.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Empty`] for an empty URL.
    pub fn new(url: U, keys: JwkSet<K, N>) -> Result<Self, ConfigError> {
        if url.as_ref().is_empty() {
            return Err(ConfigError::Empty("issuer"));
        }
        Ok(Self { url, keys })
    }

    /// Returns the issuer's URL.
    #[must_use]
    pub fn url(&self) -> &str {
        self.url.as_ref()
    }

    /// Returns the issuer's keys.
    #[must_use]
    pub const fn keys(&self) -> &JwkSet<K, N> {
        &self.keys
    }

    /// Returns a borrowed issuer, whose type does not depend on the number of keys and the
    /// type of the URL.
    #[must_use]
    pub fn by_ref(&self) -> IssuerRef<'_, K> {
        IssuerRef { expected: ExpectedIssuer::Url(self.url()), keys: self.keys.as_keys() }
    }
}

impl<K, const N: usize, U: AsRef<str>> fmt::Debug for Issuer<K, N, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("url", &self.url()).field("keys", &self.keys).finish()
    }
}

/// A borrowed [`Issuer`] with any number of keys.
///
/// Issuers of different types can be combined in a list of these:
///
/// ```
/// use claimgate::trust::IssuerRef;
/// use claimgate::{Issuer, PublicKey};
///
/// fn list<'i, K: PublicKey>(
///     auth0: &'i Issuer<K, 4>,
///     other: &'i Issuer<K, 8, String>,
/// ) -> [IssuerRef<'i, K>; 2] {
///     [auth0.by_ref(), other.by_ref()]
/// }
/// ```
pub struct IssuerRef<'i, K> {
    expected: ExpectedIssuer<'i>,
    keys: Keys<'i, K>,
}

/// The expectation of `iss`.
#[derive(Clone, Copy)]
pub(crate) enum ExpectedIssuer<'i> {
    /// This URL.
    Url(&'i str),
    /// The template, with the ID of a tenant in place of `{tenantid}`.
    Tenant { template: &'i str, rule: &'i dyn TenantRule },
}

impl<'i, K> IssuerRef<'i, K> {
    /// Returns the issuer's URL, or the template of a multi-tenant issuer.
    #[must_use]
    pub const fn url(&self) -> &'i str {
        match self.expected {
            ExpectedIssuer::Url(url) => url,
            ExpectedIssuer::Tenant { template, .. } => template,
        }
    }

    pub(crate) const fn expected(&self) -> ExpectedIssuer<'i> {
        self.expected
    }

    pub(crate) const fn keys(&self) -> Keys<'i, K> {
        self.keys
    }
}

impl<K> Clone for IssuerRef<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for IssuerRef<'_, K> {}

impl<K> fmt::Debug for IssuerRef<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuerRef").field("url", &self.url()).finish_non_exhaustive()
    }
}

/// One or more trusted issuers.
///
/// Implemented for [`Issuer`], [`TenantIssuer`] and [`IssuerRef`], for slices of them, and for types that
/// dereference to one of these, such as `&Issuer<…>`, `Arc<Issuer<…>>` and `Vec<…>`. The
/// trait is sealed.
///
/// If there is one issuer, its keys verify every token, and `iss` is compared afterwards. If
/// there are several, the unverified `iss` selects the first that matches; it is compared again
/// after the signature is verified.
pub trait Issuers: sealed::Issuers {}

/// Issuers, each with the policy for its tokens.
///
/// Implemented for
///
/// - a pair of [`Issuers`] and a borrowed policy, `(&issuer, &policy)` or `(&issuers,
///   &policy)`: the same policy for all;
/// - a borrowed array or slice of pairs of an issuer and a policy, `&[(issuer, policy)]`: a
///   policy for each issuer.
///
/// In a list, the first issuer that matches `iss` is selected, and no other is tried: of two
/// [`TenantIssuer`]s with the same template, the second is never used. Put all tenants into
/// one.
///
/// The trait is sealed. The `validate` functions of [`AccessToken`](crate::AccessToken::validate),
/// [`IdToken`](crate::IdToken::validate) and [`LogoutToken`](crate::LogoutToken::validate) accept
/// it.
pub trait Trust<P>: sealed::Trust<P> {
    /// Returns the URL of the issuer whose keys verify a token: the only issuer, or the one
    /// that the unverified `iss` names.
    ///
    /// Use it to find the keys to fetch again after
    /// [`Error::UnknownKey`](crate::Error::UnknownKey).
    ///
    /// ```
    /// use claimgate::jws::CompactJws;
    /// use claimgate::{AccessTokenPolicy, Error, Issuer, PublicKey, Trust};
    ///
    /// fn issuer_of<'i, K: PublicKey>(
    ///     token: &str,
    ///     trusted: &'i &[(Issuer<K, 4>, AccessTokenPolicy<'_>)],
    /// ) -> Result<Option<&'i str>, Error> {
    ///     let mut buffer = [0; 8192];
    ///     Ok(trusted.issuer_of(&CompactJws::parse(token)?.decode(&mut buffer)?))
    /// }
    /// ```
    fn issuer_of<'i>(&'i self, token: &UnverifiedJws<'_, '_>) -> Option<&'i str>
    where
        P: 'i,
        Self::Key: 'i,
    {
        self.select(|| token.claimed_issuer()).map(|(issuer, _)| issuer.url())
    }
}

pub(crate) mod sealed {
    use super::{IssuerRef, PublicKey, Text};

    pub trait Issuers {
        type Key: PublicKey;

        /// Returns the issuer, if there is only one.
        fn sole(&self) -> Option<IssuerRef<'_, Self::Key>>;

        /// Returns the issuer whose URL is `iss`.
        fn named(&self, iss: Text<'_>) -> Option<IssuerRef<'_, Self::Key>>;
    }

    pub trait Trust<P> {
        type Key: PublicKey;

        /// Returns the issuer whose keys verify a token, and its policy. `iss` is called if
        /// there are several issuers.
        fn select<'t>(
            &self,
            iss: impl FnOnce() -> Option<Text<'t>>,
        ) -> Option<(IssuerRef<'_, Self::Key>, &P)>;
    }
}

impl<K: PublicKey, const N: usize, U: AsRef<str>> Issuers for Issuer<K, N, U> {}

impl<K: PublicKey, const N: usize, U: AsRef<str>> sealed::Issuers for Issuer<K, N, U> {
    type Key = K;

    fn sole(&self) -> Option<IssuerRef<'_, K>> {
        Some(self.by_ref())
    }

    fn named(&self, iss: Text<'_>) -> Option<IssuerRef<'_, K>> {
        iss.is(self.url()).then(|| self.by_ref())
    }
}

impl<K: PublicKey> Issuers for IssuerRef<'_, K> {}

impl<K: PublicKey> sealed::Issuers for IssuerRef<'_, K> {
    type Key = K;

    fn sole(&self) -> Option<IssuerRef<'_, K>> {
        Some(*self)
    }

    fn named(&self, iss: Text<'_>) -> Option<IssuerRef<'_, K>> {
        match self.expected {
            ExpectedIssuer::Url(url) => iss.is(url).then_some(*self),
            ExpectedIssuer::Tenant { template, .. } => {
                tenants::is_of_template(template, iss).then_some(*self)
            }
        }
    }
}

impl<I: Issuers> Issuers for [I] {}

impl<I: Issuers> sealed::Issuers for [I] {
    type Key = I::Key;

    fn sole(&self) -> Option<IssuerRef<'_, I::Key>> {
        None
    }

    fn named(&self, iss: Text<'_>) -> Option<IssuerRef<'_, I::Key>> {
        self.iter().find_map(|issuer| issuer.named(iss))
    }
}

impl<D: Deref<Target: Issuers>> Issuers for D {}

impl<D: Deref<Target: Issuers>> sealed::Issuers for D {
    type Key = <D::Target as sealed::Issuers>::Key;

    fn sole(&self) -> Option<IssuerRef<'_, Self::Key>> {
        self.deref().sole()
    }

    fn named(&self, iss: Text<'_>) -> Option<IssuerRef<'_, Self::Key>> {
        self.deref().named(iss)
    }
}

impl<I: Issuers, P> Trust<P> for (I, &P) {}

impl<I: Issuers, P> sealed::Trust<P> for (I, &P) {
    type Key = I::Key;

    #[inline]
    fn select<'t>(
        &self,
        iss: impl FnOnce() -> Option<Text<'t>>,
    ) -> Option<(IssuerRef<'_, I::Key>, &P)> {
        let (issuers, policy) = self;
        let issuer = issuers.sole().or_else(|| issuers.named(iss()?))?;
        Some((issuer, policy))
    }
}

impl<I: Issuers, P> Trust<P> for &[(I, P)] {}

impl<I: Issuers, P> sealed::Trust<P> for &[(I, P)] {
    type Key = I::Key;

    #[inline]
    fn select<'t>(
        &self,
        iss: impl FnOnce() -> Option<Text<'t>>,
    ) -> Option<(IssuerRef<'_, I::Key>, &P)> {
        let iss = iss()?;
        self.iter().find_map(|(issuer, policy)| Some((issuer.named(iss)?, policy)))
    }
}

impl<I: Issuers, P, const N: usize> Trust<P> for &[(I, P); N] {}

impl<I: Issuers, P, const N: usize> sealed::Trust<P> for &[(I, P); N] {
    type Key = I::Key;

    #[inline]
    fn select<'t>(
        &self,
        iss: impl FnOnce() -> Option<Text<'t>>,
    ) -> Option<(IssuerRef<'_, I::Key>, &P)> {
        let iss = iss()?;
        self.iter().find_map(|(issuer, policy)| Some((issuer.named(iss)?, policy)))
    }
}
