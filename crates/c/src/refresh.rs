//! The refresh decision.

use core::ffi::c_void;

use claimgate::refresh::{JwksRefresh, RefreshDecision};
use claimgate::{Error, NumericDate};

use crate::code::claimgate_code;
use crate::memory::{Object, Seal, check, code, place_of, put};
use crate::settings::claimgate_seconds;
use crate::text::Range;

/// The decision when to fetch the key set of one issuer again, in memory of the caller. It
/// performs no I/O.
#[repr(C)]
pub struct claimgate_refresh {
    seal: Seal,
    refresh: JwksRefresh,
}

// SAFETY: `repr(C)`, and the seal is the first field.
unsafe impl Object for claimgate_refresh {
    const KIND: u16 = 0x5a19;
}

/// Returns the size of a [`claimgate_refresh`], in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn claimgate_refresh_size() -> usize {
    size_of::<claimgate_refresh>()
}

/// Returns the alignment of a [`claimgate_refresh`], in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn claimgate_refresh_align() -> usize {
    align_of::<claimgate_refresh>()
}

/// The durations of the refresh decision, in seconds. Each has a default.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct claimgate_refresh_settings {
    /// `sizeof(claimgate_refresh_settings)`.
    pub size: usize,
    /// The age at which a key set is fetched again: 3,600 unless set.
    pub max_age: claimgate_seconds,
    /// The minimum time between two fetches: 60 unless set.
    pub cool_down: claimgate_seconds,
    /// The maximum time between two fetches after failures: 900 unless set.
    pub max_back_off: claimgate_seconds,
    /// The age at which keys that could not be fetched again are no longer trusted: 86,400
    /// unless set.
    pub max_stale: claimgate_seconds,
}

/// Initialises the decision in `memory`, for a key set that was not fetched yet, and writes
/// its address to `refresh`.
///
/// # Safety
///
/// `memory` is writable for `size` bytes, `refresh` is writable, and `settings` points to a
/// structure whose `size` is right.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_refresh_init(
    memory: *mut c_void,
    size: usize,
    settings: *const claimgate_refresh_settings,
    refresh: *mut *mut claimgate_refresh,
) -> claimgate_code {
    code((|| {
        let others = [Range::of(settings), Range::of(refresh)];
        // SAFETY: the caller's promise.
        let (place, seal) = unsafe { place_of::<claimgate_refresh>(memory, size, &others) }?;
        // SAFETY: the caller's promise.
        let settings = unsafe { crate::policy::settings_of(settings) }?;
        let mut decision = JwksRefresh::new();
        if let Some(seconds) = settings.max_age.get() {
            decision = decision.max_age(seconds);
        }
        if let Some(seconds) = settings.cool_down.get() {
            decision = decision.cool_down(seconds);
        }
        if let Some(seconds) = settings.max_back_off.get() {
            decision = decision.max_back_off(seconds);
        }
        if let Some(seconds) = settings.max_stale.get() {
            decision = decision.max_stale(seconds);
        }
        // SAFETY: aligned and writable.
        unsafe {
            place.write(claimgate_refresh { seal, refresh: decision });
            put(refresh, place)
        }
    })())
}

/// Calls `ask` with the decision, and writes the seconds to wait.
///
/// # Safety
///
/// `refresh` is a refresh decision that no other thread uses during the call, and `seconds` is
/// writable.
unsafe fn ask(
    refresh: *mut claimgate_refresh,
    seconds: *mut u64,
    ask: impl FnOnce(&mut JwksRefresh) -> RefreshDecision,
) -> claimgate_code {
    code((|| {
        // SAFETY: the caller's promise.
        unsafe { check(refresh.cast_const()) }?;
        if seconds.is_null() {
            return Err(claimgate_code::CLAIMGATE_NULL_POINTER);
        }
        if !seconds.is_aligned() {
            return Err(claimgate_code::CLAIMGATE_MISALIGNED);
        }
        Range::of(seconds).check_apart(Range::of(refresh))?;
        // SAFETY: checked, and the caller promises exclusive access.
        let wait = match ask(unsafe { &mut (*refresh).refresh }) {
            RefreshDecision::FetchNow => 0,
            RefreshDecision::Wait { seconds } => seconds.max(1),
        };
        // SAFETY: aligned, and the caller promises that it is writable.
        unsafe { put(seconds, wait) }
    })())
}

/// Decides whether the key set is due, and writes 0 to `seconds` if it must be fetched now,
/// and the seconds until then otherwise.
///
/// After a 0 the fetch counts as begun: report its result with [`claimgate_refresh_complete`]
/// or [`claimgate_refresh_failed`].
///
/// # Safety
///
/// `refresh` is a refresh decision that no other thread uses during the call, and `seconds` is
/// writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_refresh_on_schedule(
    refresh: *mut claimgate_refresh,
    now: u64,
    seconds: *mut u64,
) -> claimgate_code {
    // SAFETY: the caller's promise.
    unsafe { ask(refresh, seconds, |refresh| refresh.on_schedule(NumericDate::from_secs(now))) }
}

/// Decides, after a token was rejected with `code`, whether to fetch the key set now. The
/// result is as for [`claimgate_refresh_on_schedule`].
///
/// # Safety
///
/// As for [`claimgate_refresh_on_schedule`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_refresh_on_refusal(
    refresh: *mut claimgate_refresh,
    code: u32,
    now: u64,
    seconds: *mut u64,
) -> claimgate_code {
    let is_worth_it = crate::code::claimgate_is_worth_a_key_refresh(code) == 1;
    let error = if is_worth_it { Error::UnknownKey } else { Error::MalformedToken };
    let now = NumericDate::from_secs(now);
    // SAFETY: the caller's promise.
    unsafe { ask(refresh, seconds, |refresh| refresh.on_refusal(&error, now)) }
}

/// Reports the result of a fetch: `code` is the return value of [`claimgate_issuer_set_keys`].
///
/// [`claimgate_issuer_set_keys`]: crate::claimgate_issuer_set_keys
///
/// # Safety
///
/// `refresh` is a refresh decision that no other thread uses during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_refresh_complete(
    refresh: *mut claimgate_refresh,
    code: u32,
    now: u64,
) -> claimgate_code {
    crate::memory::code((|| {
        // SAFETY: the caller's promise.
        unsafe { check(refresh.cast_const()) }?;
        // SAFETY: checked, and the caller promises exclusive access.
        let decision = unsafe { &mut (*refresh).refresh };
        let now = NumericDate::from_secs(now);
        if code == claimgate_code::CLAIMGATE_OK.number() {
            decision.succeeded(now);
        } else if code == claimgate_code::CLAIMGATE_NO_USABLE_KEYS.number() {
            decision.succeeded_without_keys(now);
        } else {
            decision.failed(now);
        }
        Ok(())
    })())
}

/// Reports that nothing was fetched.
///
/// # Safety
///
/// `refresh` is a refresh decision that no other thread uses during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_refresh_failed(
    refresh: *mut claimgate_refresh,
    now: u64,
) -> claimgate_code {
    code((|| {
        // SAFETY: the caller's promise.
        unsafe { check(refresh.cast_const()) }?;
        // SAFETY: checked, and the caller promises exclusive access.
        unsafe { (*refresh).refresh.failed(NumericDate::from_secs(now)) };
        Ok(())
    })())
}

/// Returns [`CLAIMGATE_OK`](claimgate_code::CLAIMGATE_OK) if the keys that were fetched last
/// may be used, and [`CLAIMGATE_STALE_KEYS`](claimgate_code::CLAIMGATE_STALE_KEYS) if they are
/// too old, there were none, or nothing was fetched yet. The program must then reject all
/// tokens of the issuer.
///
/// # Safety
///
/// `refresh` is a refresh decision that no other thread changes during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_refresh_check_stale(
    refresh: *const claimgate_refresh,
    now: u64,
) -> claimgate_code {
    code((|| {
        // SAFETY: the caller's promise.
        let refresh = unsafe { crate::memory::borrow(refresh) }?;
        if refresh.refresh.are_keys_usable(NumericDate::from_secs(now)) {
            Ok(())
        } else {
            Err(claimgate_code::CLAIMGATE_STALE_KEYS)
        }
    })())
}
