//! Policies for ID tokens, and logins.

use core::ffi::c_void;

use claimgate::{BearerToken, IdTokenPolicy, Login, Nonce};

use crate::code::claimgate_code;
use crate::memory::{Object, Seal, code, place_of, put};
use crate::policy::{Free, Lists, apply_common, settings_of, switch};
use crate::settings::{
    CLAIMGATE_NONCE_ABSENT, CLAIMGATE_NONCE_EXPECTED, CLAIMGATE_NONCE_IGNORED,
    claimgate_id_settings, claimgate_login,
};
use crate::text::Range;

/// A policy for ID tokens, in memory of the caller.
#[repr(C)]
pub struct claimgate_id_policy {
    seal: Seal,
    pub(crate) policy: IdTokenPolicy<'static>,
    lists: Lists,
}

// SAFETY: `repr(C)`, and the seal is the first field.
unsafe impl Object for claimgate_id_policy {
    const KIND: u16 = 0x5a15;
}

/// Returns the size of a [`claimgate_id_policy`], in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn claimgate_id_policy_size() -> usize {
    size_of::<claimgate_id_policy>()
}

/// Returns the alignment of a [`claimgate_id_policy`], in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn claimgate_id_policy_align() -> usize {
    align_of::<claimgate_id_policy>()
}

/// Initialises a policy for ID tokens in `memory`, and writes its address to `policy`.
///
/// # Safety
///
/// `memory` is writable for `size` bytes, `policy` is writable, and `settings` points to a
/// structure whose `size` is right. Its texts stay readable and unchanged as long as the
/// policy is used; its lists and rules may change after the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_id_policy_init(
    memory: *mut c_void,
    size: usize,
    settings: *const claimgate_id_settings,
    policy: *mut *const claimgate_id_policy,
) -> claimgate_code {
    code((|| {
        let others = [Range::of(settings), Range::of(policy)];
        // SAFETY: the caller's promise.
        let (place, seal) = unsafe { place_of::<claimgate_id_policy>(memory, size, &others) }?;
        // SAFETY: the caller's promise.
        let settings = unsafe { settings_of(settings) }?;
        // SAFETY: aligned and writable; the lists are borrowed only by this policy.
        let mut free = unsafe {
            (&raw mut (*place).lists).write(Lists::EMPTY);
            Free::of(&raw mut (*place).lists, [Range::of(place), Range::of(policy)])
        };
        // SAFETY: the caller's promise.
        let mut builder = IdTokenPolicy::new(unsafe { free.text(settings.client_id) }?);
        // SAFETY: the caller's promise.
        if let Some(client_ids) = unsafe { free.list(settings.other_client_ids) }? {
            builder = builder.or_client_ids(client_ids);
        }
        // SAFETY: the caller's promise.
        if let Some(audiences) = unsafe { free.list(settings.trusted_audiences) }? {
            builder = builder.trusted_audiences(audiences);
        }
        // SAFETY: the caller's promise.
        if let Some(acr_values) = unsafe { free.list(settings.acr_values) }? {
            builder = builder.require_acr(acr_values);
        }
        // SAFETY: the caller's promise.
        if let Some(amr_values) = unsafe { free.list(settings.amr_values) }? {
            builder = builder.require_amr(amr_values);
        }
        if let Some(seconds) = settings.max_age.get() {
            builder = builder.max_age(seconds);
        }
        if switch(settings.accept_string_booleans)? {
            builder = builder.accept_string_booleans();
        }
        apply_common!(builder, &settings.common, free);
        let built = builder.build()?;
        // SAFETY: aligned and writable.
        unsafe {
            (&raw mut (*place).policy).write(built);
            (&raw mut (*place).seal).write(seal);
            put(policy, place.cast_const())
        }
    })())
}

/// A value that no issuer has sent (RFC 6749 appendix A), in the place of one that is not UTF-8.
const REFUSED_VALUE: &str = "\u{fffd}";

/// Reads the expectations of a login. Rejects those that overlap a range.
///
/// # Safety
///
/// `login` is null, misaligned, or points to a structure whose `size` is right. Its texts are
/// readable and do not change during `'a`.
pub(crate) unsafe fn login_of<'a>(
    login: *const claimgate_login,
    apart_from: Range,
) -> Result<Login<'a>, claimgate_code> {
    Range::of(login).check_apart(apart_from)?;
    // SAFETY: the caller's promise, here and below.
    let login = unsafe { settings_of::<claimgate_login>(login) }?;
    let ranges = [apart_from];
    // SAFETY: the caller's promise.
    let nonce = unsafe { login.nonce.get_apart_from(&ranges) }?;
    let mut builder = Login::new(match (login.nonce_rule, nonce) {
        (CLAIMGATE_NONCE_ABSENT, None) => Nonce::ExpectNone,
        (CLAIMGATE_NONCE_EXPECTED, Some(nonce)) => Nonce::Expect(nonce),
        (CLAIMGATE_NONCE_IGNORED, None) => Nonce::Ignore,
        _ => return Err(claimgate_code::CLAIMGATE_INVALID_SETTING),
    });
    let are_optional = switch(login.hashes_are_optional)?;
    // Without a hash, a refused value would be accepted.
    let is_optional = |value| are_optional && value != REFUSED_VALUE;
    // SAFETY: the caller's promise.
    if let Some(value) = unsafe { login.access_token.of_client(&ranges, REFUSED_VALUE) }? {
        let token = BearerToken::new(value);
        builder = if is_optional(value) {
            builder.access_token_if_bound(token)
        } else {
            builder.access_token(token)
        };
    }
    // SAFETY: the caller's promise.
    if let Some(code) = unsafe { login.code.of_client(&ranges, REFUSED_VALUE) }? {
        builder = if is_optional(code) { builder.code_if_bound(code) } else { builder.code(code) };
    }
    // SAFETY: the caller's promise.
    if let Some(organization) = unsafe { login.organization.get_apart_from(&ranges) }? {
        builder = builder.organization(organization);
    }
    Ok(builder.build()?)
}
