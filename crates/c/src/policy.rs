//! Policies: access tokens and logout tokens. Those of ID tokens are in `id_token.rs`.

use core::ffi::c_void;
use core::mem;

use claimgate::policy::LogoutTokenPolicy;
use claimgate::policy::{ClaimRule, ForeignClaim, SubjectKind};
use claimgate::{AccessTokenPolicy, ScopePolicy};

use crate::code::claimgate_code;
use crate::limits::{RULES, TEXTS};
use crate::memory::{Object, Seal, code, place_of, put};
use crate::settings::{
    CLAIMGATE_ALLOW_AT_HASH, CLAIMGATE_ALLOW_C_HASH, CLAIMGATE_ALLOW_EVENTS,
    CLAIMGATE_ALLOW_GRANT_TYPE, CLAIMGATE_ALLOW_NONCE, CLAIMGATE_ALLOW_PERMISSIONS,
    CLAIMGATE_ALLOW_S_HASH, CLAIMGATE_ALLOW_SCOPE, CLAIMGATE_ALLOW_TOKEN_USE, CLAIMGATE_ALLOW_TYP,
    CLAIMGATE_CONTAINS, CLAIMGATE_EQUALS, CLAIMGATE_EQUALS_BOOLEAN, CLAIMGATE_EQUALS_INTEGER,
    CLAIMGATE_ONE_OF, claimgate_access_settings, claimgate_claim_rules, claimgate_logout_settings,
};
use crate::text::{Range, claimgate_text, claimgate_texts, list};

/// A policy for access tokens, in memory of the caller.
#[repr(C)]
pub struct claimgate_policy {
    seal: Seal,
    pub(crate) policy: AccessTokenPolicy<'static>,
    lists: Lists,
}

// SAFETY: `repr(C)`, and the seal is the first field.
unsafe impl Object for claimgate_policy {
    const KIND: u16 = 0x5a11;
}

/// Returns the size of a [`claimgate_policy`], in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn claimgate_policy_size() -> usize {
    size_of::<claimgate_policy>()
}

/// Returns the alignment of a [`claimgate_policy`], in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn claimgate_policy_align() -> usize {
    align_of::<claimgate_policy>()
}

/// A policy for logout tokens, in memory of the caller.
#[repr(C)]
pub struct claimgate_logout_policy {
    seal: Seal,
    pub(crate) policy: LogoutTokenPolicy<'static>,
    lists: Lists,
}

// SAFETY: `repr(C)`, and the seal is the first field.
unsafe impl Object for claimgate_logout_policy {
    const KIND: u16 = 0x5a13;
}

/// Returns the size of a [`claimgate_logout_policy`], in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn claimgate_logout_policy_size() -> usize {
    size_of::<claimgate_logout_policy>()
}

/// Returns the alignment of a [`claimgate_logout_policy`], in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn claimgate_logout_policy_align() -> usize {
    align_of::<claimgate_logout_policy>()
}

/// The lists of a policy, which the policy borrows.
pub(crate) struct Lists {
    texts: [&'static str; TEXTS],
    sets: [&'static [&'static str]; RULES],
    rules: [mem::MaybeUninit<ClaimRule<'static>>; RULES],
}

impl Lists {
    pub(crate) const EMPTY: Self = Self {
        texts: [""; TEXTS],
        sets: [&[]; RULES],
        rules: [const { mem::MaybeUninit::uninit() }; RULES],
    };
}

/// The part of the lists that is not used yet.
pub(crate) struct Free {
    texts: &'static mut [&'static str],
    sets: &'static mut [&'static [&'static str]],
    rules: &'static mut [mem::MaybeUninit<ClaimRule<'static>>],
    /// The memory that is written to, which lists and texts must not overlap.
    written: [Range; 2],
}

/// The error if the lists are full.
const FULL: claimgate_code = claimgate_code::CLAIMGATE_TOO_MANY_SETTINGS;

fn take<T>(free: &mut &'static mut [T], count: usize) -> Result<&'static mut [T], claimgate_code> {
    let (taken, rest) = mem::take(free).split_at_mut_checked(count).ok_or(FULL)?;
    *free = rest;
    Ok(taken)
}

impl Free {
    /// # Safety
    ///
    /// `lists` points to initialised lists that are not borrowed otherwise, do not move, and
    /// are accessed only through the result.
    pub(crate) unsafe fn of(lists: *mut Lists, written: [Range; 2]) -> Self {
        // SAFETY: the caller's promise; the fields are apart.
        unsafe {
            Self {
                texts: &mut (*lists).texts,
                sets: &mut (*lists).sets,
                rules: &mut (*lists).rules,
                written,
            }
        }
    }

    /// Returns a text, which must be given.
    ///
    /// # Safety
    ///
    /// The text stays readable and unchanged as long as the object is used.
    pub(crate) unsafe fn text(&self, text: claimgate_text) -> Result<&'static str, claimgate_code> {
        // SAFETY: the caller's promise.
        unsafe { text.required_apart_from(&self.written) }
    }

    /// Copies a list, and appends further texts.
    ///
    /// # Safety
    ///
    /// The texts stay readable and unchanged as long as the object is used.
    unsafe fn copy(
        &mut self,
        texts: &[claimgate_text],
        further: &[&'static str],
    ) -> Result<&'static [&'static str], claimgate_code> {
        let taken = take(&mut self.texts, texts.len().saturating_add(further.len()))?;
        let (first, last) = taken.split_at_mut_checked(texts.len()).ok_or(FULL)?;
        for (place, text) in first.iter_mut().zip(texts) {
            // SAFETY: the caller's promise.
            *place = unsafe { self.text(*text) }?;
        }
        last.copy_from_slice(further);
        Ok(taken)
    }

    /// Copies a list, if it is given.
    ///
    /// # Safety
    ///
    /// The list is readable, and its texts stay readable and unchanged as long as the object
    /// is used.
    pub(crate) unsafe fn list(
        &mut self,
        texts: claimgate_texts,
    ) -> Result<Option<&'static [&'static str]>, claimgate_code> {
        // SAFETY: the caller's promise.
        match unsafe { texts.get_apart_from(&self.written) }? {
            None => Ok(None),
            // SAFETY: the caller's promise.
            Some(texts) => unsafe { self.copy(texts, &[]) }.map(Some),
        }
    }

    /// Reads a required scope: all of one list, and one of another.
    ///
    /// # Safety
    ///
    /// As for [`list`](Self::list).
    unsafe fn scope(
        &mut self,
        all: claimgate_texts,
        any: claimgate_texts,
    ) -> Result<Option<ScopePolicy<'static>>, claimgate_code> {
        // SAFETY: the caller's promise.
        let any = unsafe { self.list(any) }?;
        // SAFETY: the caller's promise.
        let given = unsafe { all.get_apart_from(&self.written) }?;
        let policy = match (given, any) {
            (None, None) => return Ok(None),
            (None, Some(any)) => ScopePolicy::any_of(any),
            // An error, whether or not there are alternatives.
            (Some([]), _) => ScopePolicy::all_of(&[]),
            // SAFETY: the caller's promise.
            (Some(all), None) => ScopePolicy::all_of(unsafe { self.copy(all, &[]) }?),
            (Some(all), Some(any)) => {
                let sets = take(&mut self.sets, any.len())?;
                for (set, one) in sets.iter_mut().zip(any) {
                    // SAFETY: the caller's promise.
                    *set = unsafe { self.copy(all, &[one]) }?;
                }
                ScopePolicy::any_of_all_of(sets)
            }
        };
        Ok(Some(policy?))
    }

    /// Reads claim rules, if they are given.
    ///
    /// # Safety
    ///
    /// The rules are readable, and their texts stay readable and unchanged as long as the
    /// object is used.
    pub(crate) unsafe fn claim_rules(
        &mut self,
        rules: claimgate_claim_rules,
    ) -> Result<Option<&'static [ClaimRule<'static>]>, claimgate_code> {
        // SAFETY: the caller's promise.
        let Some(rules) = (unsafe { list(rules.items, rules.count, &self.written) })? else {
            return Ok(None);
        };
        let places = take(&mut self.rules, rules.len())?;
        for (place, rule) in places.iter_mut().zip(rules) {
            // SAFETY: the caller's promise.
            let path = unsafe { self.list(rule.path) }?.unwrap_or_default();
            // SAFETY: the caller's promise, here and below.
            let text = || unsafe { self.text(rule.text) };
            place.write(match rule.comparison {
                CLAIMGATE_EQUALS => ClaimRule::equals(path, text()?)?,
                CLAIMGATE_EQUALS_INTEGER => ClaimRule::equals_integer(path, rule.integer)?,
                CLAIMGATE_EQUALS_BOOLEAN => match rule.integer {
                    0 => ClaimRule::equals_boolean(path, false)?,
                    1 => ClaimRule::equals_boolean(path, true)?,
                    _ => return Err(claimgate_code::CLAIMGATE_INVALID_SETTING),
                },
                CLAIMGATE_ONE_OF => {
                    // SAFETY: the caller's promise.
                    let texts = unsafe { self.list(rule.texts) }?;
                    ClaimRule::one_of(path, texts.unwrap_or_default())?
                }
                CLAIMGATE_CONTAINS => ClaimRule::contains(path, text()?)?,
                _ => return Err(claimgate_code::CLAIMGATE_INVALID_SETTING),
            });
        }
        let (start, len) = (places.as_ptr().cast::<ClaimRule<'static>>(), places.len());
        // SAFETY: each of the places was written to, and they are borrowed for `'static`.
        Ok(Some(unsafe { core::slice::from_raw_parts(start, len) }))
    }
}

/// Returns the foreign claims for these bits.
pub(crate) fn foreign_claims(
    bits: u32,
) -> Result<impl Iterator<Item = ForeignClaim>, claimgate_code> {
    const BITS: [(u32, ForeignClaim); 10] = [
        (CLAIMGATE_ALLOW_SCOPE, ForeignClaim::Scope),
        (CLAIMGATE_ALLOW_PERMISSIONS, ForeignClaim::Permissions),
        (CLAIMGATE_ALLOW_GRANT_TYPE, ForeignClaim::GrantType),
        (CLAIMGATE_ALLOW_NONCE, ForeignClaim::Nonce),
        (CLAIMGATE_ALLOW_AT_HASH, ForeignClaim::AtHash),
        (CLAIMGATE_ALLOW_C_HASH, ForeignClaim::CHash),
        (CLAIMGATE_ALLOW_S_HASH, ForeignClaim::SHash),
        (CLAIMGATE_ALLOW_TOKEN_USE, ForeignClaim::TokenUse),
        (CLAIMGATE_ALLOW_TYP, ForeignClaim::Typ),
        (CLAIMGATE_ALLOW_EVENTS, ForeignClaim::Events),
    ];
    if bits > 0x3ff {
        return Err(claimgate_code::CLAIMGATE_INVALID_SETTING);
    }
    Ok(BITS.into_iter().filter(move |(bit, _)| bits & bit != 0).map(|(_, claim)| claim))
}

/// Reads a setting that is 0 or 1.
pub(crate) fn switch(value: u32) -> Result<bool, claimgate_code> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(claimgate_code::CLAIMGATE_INVALID_SETTING),
    }
}

/// Reads a settings structure whose first field is its size.
///
/// # Safety
///
/// `settings` is null, misaligned, or points to a structure with the size that it states.
pub(crate) unsafe fn settings_of<'a, T>(settings: *const T) -> Result<&'a T, claimgate_code> {
    if settings.is_null() {
        return Err(claimgate_code::CLAIMGATE_NULL_POINTER);
    }
    if !settings.is_aligned() {
        return Err(claimgate_code::CLAIMGATE_MISALIGNED);
    }
    // SAFETY: the structures begin with their size, which is readable.
    if unsafe { settings.cast::<usize>().read() } != size_of::<T>() {
        return Err(claimgate_code::CLAIMGATE_WRONG_SIZE);
    }
    // SAFETY: aligned, and of the size of `T`; the caller promises the rest.
    Ok(unsafe { &*settings })
}

/// Applies the settings that policies of all kinds share.
macro_rules! apply_common {
    ($builder:ident, $common:expr, $free:ident) => {{
        let common = $common;
        if let Some(leeway) = common.leeway.get() {
            $builder = $builder.leeway(leeway);
        }
        if let Some(seconds) = common.max_token_age.get() {
            $builder = $builder.max_token_age(seconds);
        }
        if let Some(seconds) = common.max_lifetime.get() {
            $builder = $builder.max_lifetime(seconds);
        }
        // SAFETY: the contract of the calling function.
        if let Some(rules) = unsafe { $free.claim_rules(common.claim_rules) }? {
            $builder = $builder.require_claims(rules);
        }
        for claim in crate::policy::foreign_claims(common.allowed_foreign_claims)? {
            $builder = $builder.allow_foreign_claim(claim);
        }
        if crate::policy::switch(common.ignore_issued_in_future)? {
            $builder = $builder.ignore_issued_in_future();
        }
    }};
}
pub(crate) use apply_common;

/// Initialises a policy for access tokens in `memory`, and writes its address to `policy`.
///
/// # Safety
///
/// `memory` is writable for `size` bytes, `policy` is writable, and `settings` points to a
/// structure whose `size` is right. Its texts stay readable and unchanged as long as the
/// policy is used; its lists and rules may change after the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_policy_init(
    memory: *mut c_void,
    size: usize,
    settings: *const claimgate_access_settings,
    policy: *mut *const claimgate_policy,
) -> claimgate_code {
    code((|| {
        let others = [Range::of(settings), Range::of(policy)];
        // SAFETY: the caller's promise.
        let (place, seal) = unsafe { place_of::<claimgate_policy>(memory, size, &others) }?;
        // SAFETY: the caller's promise.
        let settings = unsafe { settings_of(settings) }?;
        // SAFETY: aligned and writable; the lists are borrowed only by this policy.
        let mut free = unsafe {
            (&raw mut (*place).lists).write(Lists::EMPTY);
            Free::of(&raw mut (*place).lists, [Range::of(place), Range::of(policy)])
        };
        // SAFETY: the caller's promise about the texts of the settings.
        let built = unsafe { access_policy(settings, &mut free) }?;
        // SAFETY: aligned and writable.
        unsafe {
            (&raw mut (*place).policy).write(built);
            (&raw mut (*place).seal).write(seal);
            put(policy, place.cast_const())
        }
    })())
}

/// # Safety
///
/// Lists and rules of the settings are readable; their texts stay readable and unchanged.
unsafe fn access_policy(
    settings: &claimgate_access_settings,
    free: &mut Free,
) -> Result<AccessTokenPolicy<'static>, claimgate_code> {
    let invalid = claimgate_code::CLAIMGATE_INVALID_SETTING;
    // SAFETY: the caller's promise.
    let parties = unsafe { free.list(settings.authorized_parties) }?;
    // SAFETY: the caller's promise.
    let audience = || unsafe { free.text(settings.audience) };
    let mut builder = match settings.profile {
        0 => AccessTokenPolicy::general(audience()?),
        1 => AccessTokenPolicy::rfc9068(audience()?),
        2 if settings.audience.data.is_null() => {
            AccessTokenPolicy::without_audience(parties.ok_or(invalid)?)
        }
        _ => return Err(invalid),
    };
    if let Some(parties) = parties {
        builder = builder.authorized_parties(parties);
    }
    // SAFETY: the caller's promise.
    if let Some(audiences) = unsafe { free.list(settings.other_audiences) }? {
        builder = builder.or_audiences(audiences);
    }
    // SAFETY: the caller's promise.
    if let Some(client_ids) = unsafe { free.list(settings.client_ids) }? {
        builder = builder.forbid_client_ids(client_ids);
    }
    // SAFETY: the caller's promise.
    if let Some(needed) = unsafe { free.scope(settings.scopes_all, settings.scopes_any) }? {
        builder = builder.require_scope(needed);
    }
    // SAFETY: the caller's promise.
    let needed = unsafe { free.scope(settings.permissions_all, settings.permissions_any) }?;
    if let Some(needed) = needed {
        builder = builder.require_permissions(needed);
    }
    // SAFETY: the caller's promise.
    if let Some(acr_values) = unsafe { free.list(settings.acr_values) }? {
        builder = builder.require_acr(acr_values);
    }
    match settings.subject_kind {
        0 => {}
        1 => builder = builder.require_subject(SubjectKind::User),
        2 => builder = builder.require_subject(SubjectKind::Client),
        _ => return Err(invalid),
    }
    if let Some(seconds) = settings.max_age.get() {
        builder = builder.max_age(seconds);
    }
    if switch(settings.danger_ignore_confirmation)? {
        builder = builder.danger_ignore_confirmation();
    }
    apply_common!(builder, &settings.common, free);
    Ok(builder.build()?)
}

/// Initialises a policy for logout tokens in `memory`, and writes its address to `policy`.
///
/// # Safety
///
/// As for [`claimgate_policy_init`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_logout_policy_init(
    memory: *mut c_void,
    size: usize,
    settings: *const claimgate_logout_settings,
    policy: *mut *const claimgate_logout_policy,
) -> claimgate_code {
    code((|| {
        let others = [Range::of(settings), Range::of(policy)];
        // SAFETY: the caller's promise.
        let (place, seal) = unsafe { place_of::<claimgate_logout_policy>(memory, size, &others) }?;
        // SAFETY: the caller's promise.
        let settings = unsafe { settings_of(settings) }?;
        // SAFETY: aligned and writable; the lists are borrowed only by this policy.
        let mut free = unsafe {
            (&raw mut (*place).lists).write(Lists::EMPTY);
            Free::of(&raw mut (*place).lists, [Range::of(place), Range::of(policy)])
        };
        // SAFETY: the caller's promise.
        let mut builder = LogoutTokenPolicy::new(unsafe { free.text(settings.client_id) }?);
        // SAFETY: the caller's promise.
        if let Some(client_ids) = unsafe { free.list(settings.other_client_ids) }? {
            builder = builder.or_client_ids(client_ids);
        }
        // SAFETY: the caller's promise.
        if let Some(audiences) = unsafe { free.list(settings.trusted_audiences) }? {
            builder = builder.trusted_audiences(audiences);
        }
        apply_common!(builder, &settings.common, free);
        if let Some(seconds) = settings.max_age_without_expiry.get() {
            builder = builder.accept_without_expiry(seconds);
        }
        let built = builder.build()?;
        // SAFETY: aligned and writable.
        unsafe {
            (&raw mut (*place).policy).write(built);
            (&raw mut (*place).seal).write(seal);
            put(policy, place.cast_const())
        }
    })())
}
