//! Issuers and their keys.

use core::ffi::c_void;

use claimgate::trust::Trust;
#[cfg(feature = "several")]
use claimgate::trust::{IssuerRef, TenantIssuer};
use claimgate::{Error, Issuer, JwkSet};

use crate::code::claimgate_code;
use crate::key::{Key, algorithms};
use crate::limits::{ISSUERS, KEYS, TENANTS};
use crate::memory::{Object, Seal, borrow, check, code, place_of, put};
use crate::policy::{settings_of, switch};
use crate::settings::claimgate_issuer_settings;
use crate::text::{Range, claimgate_text, list};

/// An issuer and its keys, in memory of the caller.
#[repr(C)]
pub struct claimgate_issuer {
    seal: Seal,
    url: &'static str,
    tenants: Tenants,
    algorithms: u32,
    tenant_list: [&'static str; TENANTS],
    keys: KnownKeys,
}

// SAFETY: `repr(C)`, and the seal is the first field.
unsafe impl Object for claimgate_issuer {
    const KIND: u16 = 0x5a17;
}

/// Returns the size of a [`claimgate_issuer`], in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn claimgate_issuer_size() -> usize {
    size_of::<claimgate_issuer>()
}

/// Returns the alignment of a [`claimgate_issuer`], in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn claimgate_issuer_align() -> usize {
    align_of::<claimgate_issuer>()
}

/// The allowed tenants of an issuer.
#[derive(Clone, Copy)]
enum Tenants {
    /// The URL is not a template.
    None,
    #[cfg(feature = "several")]
    Listed(&'static [&'static str]),
    #[cfg(feature = "several")]
    Any,
}

#[cfg_attr(
    not(feature = "several"),
    expect(clippy::large_enum_variant, reason = "there is no heap to put the largest on")
)]
enum KnownKeys {
    None,
    Single(Issuer<Key, KEYS>),
    #[cfg(feature = "several")]
    Tenants(TenantIssuer<Key, KEYS>),
}

/// Initialises an issuer without keys in `memory`, and writes its address to `issuer`. Its
/// tokens are rejected until it has keys.
///
/// # Safety
///
/// `memory` is writable for `size` bytes, `issuer` is writable, and `settings` points to a
/// structure whose `size` is right. Its texts stay readable and unchanged as long as the
/// issuer is used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_issuer_init(
    memory: *mut c_void,
    size: usize,
    settings: *const claimgate_issuer_settings,
    issuer: *mut *mut claimgate_issuer,
) -> claimgate_code {
    code((|| {
        let others = [Range::of(settings), Range::of(issuer)];
        // SAFETY: the caller's promise.
        let (place, seal) = unsafe { place_of::<claimgate_issuer>(memory, size, &others) }?;
        // SAFETY: the caller's promise.
        let settings = unsafe { settings_of(settings) }?;
        let written = [Range::of(place), Range::of(issuer)];
        // SAFETY: the caller's promise.
        let url = unsafe { settings.url.required_apart_from(&written) }?;
        if url.is_empty() {
            return Err(claimgate_code::CLAIMGATE_EMPTY_IDENTIFIER);
        }
        algorithms(settings.algorithms)?;
        // SAFETY: the caller's promise; the memory is aligned and writable.
        let tenants =
            unsafe { tenants_of(url, settings, &written, &raw mut (*place).tenant_list) }?;
        // SAFETY: aligned and writable.
        unsafe {
            (&raw mut (*place).url).write(url);
            (&raw mut (*place).tenants).write(tenants);
            (&raw mut (*place).algorithms).write(settings.algorithms);
            (&raw mut (*place).keys).write(KnownKeys::None);
            (&raw mut (*place).seal).write(seal);
            put(issuer, place)
        }
    })())
}

/// Reads the tenants of an issuer, and copies them to `places`.
///
/// # Safety
///
/// `places` is aligned and writable, and does not move as long as the issuer is used. The
/// texts of the settings are readable and unchanged for the same time.
unsafe fn tenants_of(
    url: &str,
    settings: &claimgate_issuer_settings,
    written: &[Range],
    places: *mut [&'static str; TENANTS],
) -> Result<Tenants, claimgate_code> {
    // SAFETY: the caller's promise.
    let given = unsafe { settings.tenants.get_apart_from(written) }?;
    // SAFETY: the caller's promise; the list is borrowed only by this issuer.
    let places: &'static mut [&'static str] = unsafe {
        places.write([""; TENANTS]);
        &mut *places
    };
    let is_any = switch(settings.danger_any_tenant)?;
    if given.is_none() && !is_any {
        return Ok(Tenants::None);
    }
    #[cfg(not(feature = "several"))]
    {
        let _ = (url, places);
        Err(claimgate_code::CLAIMGATE_INVALID_SETTING)
    }
    #[cfg(feature = "several")]
    {
        let is_template = url
            .split_once("{tenantid}")
            .is_some_and(|(before, after)| !before.is_empty() && !after.contains("{tenantid}"));
        if !is_template {
            return Err(claimgate_code::CLAIMGATE_TENANT_TEMPLATE);
        }
        let given = match (given, is_any) {
            (Some(given), false) => given,
            (None, true) => return Ok(Tenants::Any),
            _ => return Err(claimgate_code::CLAIMGATE_INVALID_SETTING),
        };
        let full = claimgate_code::CLAIMGATE_TOO_MANY_SETTINGS;
        let places = places.get_mut(..given.len()).ok_or(full)?;
        for (place, tenant) in places.iter_mut().zip(given) {
            // SAFETY: the caller's promise.
            *place = unsafe { tenant.required_apart_from(written) }?;
        }
        if places.is_empty() {
            return Err(claimgate_code::CLAIMGATE_EMPTY_LIST);
        }
        if places.contains(&"") {
            return Err(claimgate_code::CLAIMGATE_EMPTY_IDENTIFIER);
        }
        Ok(Tenants::Listed(places))
    }
}

/// Replaces the keys of an issuer by those of a JSON Web Key Set (RFC 7517).
///
/// A text that is not a key set, or has too many keys, changes nothing. A well-formed key set
/// without a usable key withdraws the previous keys:
/// [`CLAIMGATE_NO_USABLE_KEYS`](claimgate_code::CLAIMGATE_NO_USABLE_KEYS) is returned, and
/// tokens are rejected until there are keys again.
///
/// # Safety
///
/// `issuer` is an issuer that no other thread uses during the call, and the text is readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_issuer_set_keys(
    issuer: *mut claimgate_issuer,
    jwks: claimgate_text,
) -> claimgate_code {
    code((|| {
        // SAFETY: the caller's promise.
        unsafe { check(issuer.cast_const()) }?;
        jwks.range().check_apart(Range::of(issuer))?;
        // SAFETY: the caller's promise.
        let jwks = unsafe { jwks.required() }?;
        // SAFETY: an issuer without another user; its list of tenants is not touched.
        let (url, tenants, bits) =
            unsafe { ((*issuer).url, (*issuer).tenants, (*issuer).algorithms) };
        let keys = match read_keys(url, tenants, bits, jwks) {
            Ok(keys) => keys,
            Err(Failure::Refused(Error::NoUsableKeys(_))) => {
                // SAFETY: as above.
                unsafe { (*issuer).keys = KnownKeys::None };
                return Err(claimgate_code::CLAIMGATE_NO_USABLE_KEYS);
            }
            Err(Failure::Refused(error)) => return Err(claimgate_code::of(&error)),
            Err(Failure::Setting(code)) => return Err(code),
        };
        // SAFETY: as above.
        unsafe { (*issuer).keys = keys };
        Ok(())
    })())
}

enum Failure {
    Refused(Error),
    Setting(claimgate_code),
}

impl<T: Into<claimgate_code>> From<T> for Failure {
    fn from(error: T) -> Self {
        Self::Setting(error.into())
    }
}

// Not inlined, because of its large stack frame.
#[inline(never)]
fn read_keys(
    url: &'static str,
    tenants: Tenants,
    bits: u32,
    jwks: &str,
) -> Result<KnownKeys, Failure> {
    let keys = JwkSet::from_json_for(algorithms(bits)?, jwks).map_err(Failure::Refused)?;
    Ok(match tenants {
        Tenants::None => KnownKeys::Single(Issuer::new(url, keys)?),
        #[cfg(feature = "several")]
        Tenants::Listed(list) => KnownKeys::Tenants(TenantIssuer::new(url, list, keys)?),
        #[cfg(feature = "several")]
        Tenants::Any => KnownKeys::Tenants(TenantIssuer::danger_any_tenant(url, keys)?),
    })
}

/// Withdraws the keys of an issuer: its tokens are rejected until it has keys again.
///
/// # Safety
///
/// `issuer` is an issuer that no other thread uses during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_issuer_withdraw_keys(
    issuer: *mut claimgate_issuer,
) -> claimgate_code {
    code((|| {
        // SAFETY: the caller's promise.
        unsafe { check(issuer.cast_const()) }?;
        // SAFETY: an issuer without another user.
        unsafe { (*issuer).keys = KnownKeys::None };
        Ok(())
    })())
}

/// Writes the number of usable keys of an issuer.
///
/// # Safety
///
/// `issuer` is an issuer, and `count` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_issuer_key_count(
    issuer: *const claimgate_issuer,
    count: *mut usize,
) -> claimgate_code {
    code((|| {
        // SAFETY: the caller's promise.
        let found = unsafe { borrow(issuer) }?;
        Range::of(count).check_apart(Range::of(issuer))?;
        // SAFETY: the caller's promise.
        unsafe { put(count, found.key_count()) }
    })())
}

impl claimgate_issuer {
    fn key_count(&self) -> usize {
        match &self.keys {
            KnownKeys::None => 0,
            KnownKeys::Single(issuer) => issuer.keys().keys().len(),
            #[cfg(feature = "several")]
            KnownKeys::Tenants(issuer) => issuer.keys().keys().len(),
        }
    }
}

/// Borrows issuers, which are an array of pointers.
///
/// # Safety
///
/// `issuers` is null, misaligned, or points to `count` pointers to issuers.
pub(crate) unsafe fn issuers_of<'a>(
    issuers: *const *const claimgate_issuer,
    count: usize,
    apart_from: &[Range],
) -> Result<Selection<'a>, claimgate_code> {
    // SAFETY: the caller's promise.
    let pointers = unsafe { list(issuers, count, apart_from) }?;
    let pointers = pointers.ok_or(claimgate_code::CLAIMGATE_NULL_POINTER)?;
    if pointers.is_empty() || pointers.len() > ISSUERS {
        return Err(claimgate_code::CLAIMGATE_TOO_MANY_SETTINGS);
    }
    let mut selection = Selection { issuers: [None; ISSUERS] };
    for (place, pointer) in selection.issuers.iter_mut().zip(pointers) {
        Range::of(*pointer).check_all_apart(apart_from)?;
        // SAFETY: the caller's promise.
        let issuer = unsafe { borrow(*pointer) }?;
        let has_tenants = !matches!(issuer.tenants, Tenants::None);
        if pointers.len() > 1 && (has_tenants || cfg!(not(feature = "several"))) {
            return Err(claimgate_code::CLAIMGATE_INVALID_SETTING);
        }
        *place = Some(issuer);
    }
    Ok(selection)
}

/// The issuers of a validation.
pub(crate) struct Selection<'a> {
    issuers: [Option<&'a claimgate_issuer>; ISSUERS],
}

/// An operation on issuers of any type.
pub(crate) trait Use<P> {
    type Output;

    fn with<T: Trust<P>>(self, trust: T) -> Self::Output;

    /// No issuer has keys.
    fn without_keys(self) -> Self::Output;
}

impl Selection<'_> {
    /// Passes the issuers that have keys to `action`, with the policy.
    pub(crate) fn with<P, U: Use<P>>(&self, policy: &P, action: U) -> U::Output {
        let mut all = self.issuers.iter().flatten();
        if let (Some(issuer), None) = (all.next(), all.next()) {
            return match &issuer.keys {
                KnownKeys::None => action.without_keys(),
                KnownKeys::Single(issuer) => action.with((issuer, policy)),
                #[cfg(feature = "several")]
                KnownKeys::Tenants(issuer) => action.with((issuer, policy)),
            };
        }
        #[cfg(feature = "several")]
        return self.with_several(policy, action);
        // `issuers_of` selects one.
        #[cfg(not(feature = "several"))]
        action.without_keys()
    }

    #[cfg(feature = "several")]
    fn with_several<P, U: Use<P>>(&self, policy: &P, action: U) -> U::Output {
        let mut references = self.issuers.iter().flatten().filter_map(|issuer| issuer.by_ref());
        let Some(first) = references.next() else { return action.without_keys() };
        let mut issuers = [first; ISSUERS];
        let mut count = 1_usize;
        for (place, issuer) in issuers.iter_mut().skip(1).zip(references) {
            *place = issuer;
            count = count.saturating_add(1);
        }
        action.with((issuers.get(..count).unwrap_or_default(), policy))
    }
}

#[cfg(feature = "several")]
impl claimgate_issuer {
    fn by_ref(&self) -> Option<IssuerRef<'_, Key>> {
        match &self.keys {
            KnownKeys::None => None,
            KnownKeys::Single(issuer) => Some(issuer.by_ref()),
            #[cfg(feature = "several")]
            KnownKeys::Tenants(_) => None,
        }
    }
}
