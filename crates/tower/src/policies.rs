//! The policies of a validation: one, or one for each authority.

use std::hash::Hash;

use claimgate::AccessTokenPolicy;

/// The policies under which tokens are validated.
///
/// An [`AccessTokenPolicy`] applies to the tokens of all authorities. A slice has a policy for
/// each authority, in the order in which they are configured; the tokens of an authority that
/// has `None`, or none, are refused like those of an unknown issuer. The trait is sealed.
///
/// ```no_run
/// use claimgate::{AccessTokenPolicy, BearerToken, at_compile_time};
/// use claimgate_tower::{Authenticated, Authorities, Refusal};
///
/// /// The first authority issues tokens for one API, the second for another.
/// const POLICIES: &[Option<AccessTokenPolicy<'_>>] = &[
///     Some(at_compile_time!(AccessTokenPolicy::general("https://api.example.com").build())),
///     Some(at_compile_time!(AccessTokenPolicy::rfc9068("urn:example:api").build())),
/// ];
///
/// async fn judge(
///     authorities: &Authorities,
///     token: BearerToken<'_>,
/// ) -> Result<Authenticated, Refusal> {
///     authorities.validate(token, POLICIES).await
/// }
/// ```
pub trait Policies: Hash + Sync + sealed::Policies {}

pub(crate) mod sealed {
    use claimgate::AccessTokenPolicy;

    pub trait Policies {
        /// Returns the policy for the tokens of an authority.
        fn of(&self, authority: usize) -> Option<&AccessTokenPolicy<'_>>;
    }
}

impl Policies for AccessTokenPolicy<'_> {}

impl sealed::Policies for AccessTokenPolicy<'_> {
    fn of(&self, _: usize) -> Option<&AccessTokenPolicy<'_>> {
        Some(self)
    }
}

impl Policies for [Option<AccessTokenPolicy<'_>>] {}

impl sealed::Policies for [Option<AccessTokenPolicy<'_>>] {
    fn of(&self, authority: usize) -> Option<&AccessTokenPolicy<'_>> {
        self.get(authority)?.as_ref()
    }
}
