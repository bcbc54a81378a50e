//! The validation functions.

use core::ffi::c_void;

use claimgate::error::SkipCounts;
use claimgate::policy::LogoutTokenPolicy;
use claimgate::trust::Trust;
use claimgate::{
    AccessToken, AccessTokenPolicy, BearerToken, Error, IdToken, IdTokenPolicy, Login, LogoutToken,
    NumericDate, RequestKey, TokenBuffer, Validated,
};

use crate::cache::{Bucket, bucket_of, claimgate_cache, range_of};
use crate::code::claimgate_code;
use crate::id_token::{claimgate_id_policy, login_of};
use crate::issuer::{Use, claimgate_issuer, issuers_of};
use crate::limits::BUFFER;
use crate::memory::{Object, Seal, borrow, check, place_of, put};
use crate::policy::{claimgate_logout_policy, claimgate_policy};
use crate::settings::{claimgate_login, claimgate_request_key};
use crate::text::{Range, claimgate_text};

/// The scratch space of one validation at a time, and its result, in memory of the caller.
#[repr(C)]
pub struct claimgate_validation {
    seal: Seal,
    pub(crate) outcome: Outcome,
    /// The token that was validated.
    pub(crate) token: claimgate_text,
    buffer: TokenBuffer<BUFFER>,
}

// SAFETY: `repr(C)`, and the seal is the first field.
unsafe impl Object for claimgate_validation {
    const KIND: u16 = 0x5a1d;
}

/// Returns the size of a [`claimgate_validation`], in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn claimgate_validation_size() -> usize {
    size_of::<claimgate_validation>()
}

/// Returns the alignment of a [`claimgate_validation`], in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn claimgate_validation_align() -> usize {
    align_of::<claimgate_validation>()
}

/// The result of the last validation.
#[expect(clippy::large_enum_variant, reason = "there is no heap to put the largest on")]
pub(crate) enum Outcome {
    None,
    Refused(Error),
    Access(Validated<AccessToken<'static>>),
    /// A token that may be in a cache. It is accessible until the next validation with the
    /// cache.
    Cached(Validated<AccessToken<'static>>, *const claimgate_cache, u64),
    Id(Validated<IdToken<'static>>),
    Logout(Validated<LogoutToken<'static>>),
}

type Buffer = TokenBuffer<BUFFER>;

/// Initialises a validation in `memory`, and writes its address to `validation`.
///
/// # Safety
///
/// `memory` is writable for `size` bytes, and `validation` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_validation_init(
    memory: *mut c_void,
    size: usize,
    validation: *mut *mut claimgate_validation,
) -> claimgate_code {
    crate::memory::code((|| {
        let others = [Range::of(validation)];
        // SAFETY: the caller's promise.
        let (place, seal) = unsafe { place_of::<claimgate_validation>(memory, size, &others) }?;
        // SAFETY: aligned and writable.
        unsafe {
            (&raw mut (*place).outcome).write(Outcome::None);
            (&raw mut (*place).token).write(claimgate_text::NONE);
            (&raw mut (*place).buffer).write(TokenBuffer::new());
            (&raw mut (*place).seal).write(seal);
            put(validation, place)
        }
    })())
}

/// Begins a validation: the result of the last one is no longer accessible.
///
/// # Safety
///
/// `validation` is null, misaligned, or a validation that no other thread uses during the
/// call.
unsafe fn begin(
    validation: *mut claimgate_validation,
) -> Result<&'static mut Buffer, claimgate_code> {
    // SAFETY: the caller's promise.
    unsafe { check(validation.cast_const()) }?;
    // SAFETY: a validation. Only the outcome borrowed from the buffer, and it is accessible
    // only until the next validation begins.
    unsafe {
        (*validation).outcome = Outcome::None;
        (*validation).token = claimgate_text::NONE;
        Ok(&mut (*validation).buffer)
    }
}

/// Stores a result, and returns its code.
///
/// # Safety
///
/// `validation` is one that [`begin`] was called with.
unsafe fn store<T>(
    validation: *mut claimgate_validation,
    token: claimgate_text,
    result: Result<T, Error>,
    outcome: impl FnOnce(T) -> Outcome,
) -> claimgate_code {
    let (outcome, code) = match result {
        Ok(token) => (outcome(token), claimgate_code::CLAIMGATE_OK),
        Err(error) => (Outcome::Refused(error), claimgate_code::of(&error)),
    };
    // SAFETY: the caller's promise.
    unsafe {
        (*validation).outcome = outcome;
        (*validation).token = token;
    }
    code
}

fn no_keys<T>() -> Result<T, Error> {
    Err(Error::NoUsableKeys(SkipCounts::default()))
}

struct ValidateAccess<'t> {
    token: BearerToken<'t>,
    now: NumericDate,
    buffer: &'static mut Buffer,
}

impl Use<AccessTokenPolicy<'static>> for ValidateAccess<'_> {
    type Output = Result<Validated<AccessToken<'static>>, Error>;

    fn with<T: Trust<AccessTokenPolicy<'static>>>(self, trust: T) -> Self::Output {
        AccessToken::validate(self.token, trust, self.now, self.buffer)
    }

    fn without_keys(self) -> Self::Output {
        no_keys()
    }
}

struct ValidateCached<'t> {
    token: BearerToken<'t>,
    now: NumericDate,
    buffer: &'static mut Buffer,
    bucket: &'static mut Bucket,
}

impl Use<AccessTokenPolicy<'static>> for ValidateCached<'_> {
    type Output = Result<Validated<AccessToken<'static>>, Error>;

    fn with<T: Trust<AccessTokenPolicy<'static>>>(self, trust: T) -> Self::Output {
        AccessToken::validate_cached(self.token, trust, self.now, self.buffer, self.bucket)
    }

    fn without_keys(self) -> Self::Output {
        no_keys()
    }
}

struct ValidateId<'t> {
    token: &'t str,
    login: Login<'t>,
    now: NumericDate,
    buffer: &'static mut Buffer,
}

impl Use<IdTokenPolicy<'static>> for ValidateId<'_> {
    type Output = Result<Validated<IdToken<'static>>, Error>;

    fn with<T: Trust<IdTokenPolicy<'static>>>(self, trust: T) -> Self::Output {
        IdToken::validate(self.token, trust, self.login, self.now, self.buffer)
    }

    fn without_keys(self) -> Self::Output {
        no_keys()
    }
}

struct ValidateLogout<'t> {
    token: &'t str,
    now: NumericDate,
    buffer: &'static mut Buffer,
}

impl Use<LogoutTokenPolicy<'static>> for ValidateLogout<'_> {
    type Output = Result<Validated<LogoutToken<'static>>, Error>;

    fn with<T: Trust<LogoutTokenPolicy<'static>>>(self, trust: T) -> Self::Output {
        LogoutToken::validate(self.token, trust, self.now, self.buffer)
    }

    fn without_keys(self) -> Self::Output {
        no_keys()
    }
}

/// Reads the keys of which a request proves possession. Rejects those that overlap an object
/// that is written to.
///
/// # Safety
///
/// `key` is null, misaligned, or readable, and so are its texts during `'a`.
unsafe fn request_key<'a>(
    key: *const claimgate_request_key,
    apart_from: &[Range],
) -> Result<Option<RequestKey<'a>>, claimgate_code> {
    if key.is_null() {
        return Ok(None);
    }
    if !key.is_aligned() {
        return Err(claimgate_code::CLAIMGATE_MISALIGNED);
    }
    Range::of(key).check_all_apart(apart_from)?;
    // SAFETY: not null, aligned, and the caller promises the rest.
    let (x5t_s256, jkt) = unsafe {
        ((*key).x5t_s256.get_apart_from(apart_from)?, (*key).jkt.get_apart_from(apart_from)?)
    };
    Ok(Some(match (x5t_s256, jkt) {
        (None, None) => return Err(claimgate_code::CLAIMGATE_INVALID_SETTING),
        (Some(x5t_s256), None) => RequestKey::certificate(x5t_s256)?,
        (None, Some(jkt)) => RequestKey::dpop(jkt)?,
        (Some(x5t_s256), Some(jkt)) => RequestKey::certificate_and_dpop(x5t_s256, jkt)?,
    }))
}

/// The form of a token in a request.
#[derive(Clone, Copy)]
enum Form {
    Token,
    Authorization,
}

/// A token that is not canonical base64url, in the place of one that is not UTF-8.
const REFUSED_TOKEN: &str = "\u{fffd}.\u{fffd}.\u{fffd}";
/// A header that is not one bearer token, in the place of one that is not UTF-8.
const REFUSED_HEADER: &str = "Bearer \u{fffd}";

/// # Safety
///
/// As for [`claimgate_validate_access_token`].
#[expect(clippy::too_many_arguments, reason = "the function of C has them")]
unsafe fn validate_access(
    validation: *mut claimgate_validation,
    issuers: *const *const claimgate_issuer,
    issuer_count: usize,
    policy: *const claimgate_policy,
    form: Form,
    text: claimgate_text,
    key: *const claimgate_request_key,
    cache: *mut claimgate_cache,
    now: u64,
) -> Result<claimgate_code, claimgate_code> {
    // SAFETY: the caller's promise.
    let buffer = unsafe { begin(validation) }?;
    let own = Range::of(validation);
    // SAFETY: the caller's promise.
    let cached = if cache.is_null() { own } else { unsafe { range_of(cache) }? };
    if !cache.is_null() {
        cached.check_apart(own)?;
    }
    let written = [own, cached];
    Range::of(policy).check_all_apart(&written)?;
    // SAFETY: the caller's promise.
    let (policy, issuers) =
        unsafe { (borrow(policy)?, issuers_of(issuers, issuer_count, &written)?) };
    let refused = match form {
        Form::Token => REFUSED_TOKEN,
        Form::Authorization => REFUSED_HEADER,
    };
    // SAFETY: the caller's promise.
    let (given, key) = unsafe { (text.of_client(&written, refused)?, request_key(key, &written)?) };
    let bearer = match (given, form) {
        (None, _) => Err(Error::MissingToken),
        (Some(token), Form::Token) => Ok(BearerToken::new(token)),
        (Some(value), Form::Authorization) => BearerToken::from_authorization(value),
    };
    let bearer = match bearer {
        Ok(bearer) => bearer,
        Err(error) => {
            let none = claimgate_text::NONE;
            // SAFETY: the validation began.
            return Ok(unsafe { store(validation, none, Err::<(), _>(error), |()| Outcome::None) });
        }
    };
    let token = match key {
        None => bearer,
        Some(key) => bearer.with_key(key),
    };
    let shown = claimgate_text::of(bearer.expose());
    let (now, policy) = (NumericDate::from_secs(now), &policy.policy);
    if cache.is_null() {
        let result = issuers.with(policy, ValidateAccess { token, now, buffer });
        // SAFETY: the validation began.
        return Ok(unsafe { store(validation, shown, result, Outcome::Access) });
    }
    // SAFETY: a cache, and what was borrowed from it before is no longer accessible.
    let (bucket, epoch) = unsafe { bucket_of(cache, bearer.expose()) }?;
    let result = issuers.with(policy, ValidateCached { token, now, buffer, bucket });
    let outcome = |token| Outcome::Cached(token, cache.cast_const(), epoch);
    // SAFETY: the validation began.
    Ok(unsafe { store(validation, shown, result, outcome) })
}

/// Validates an access token at the time `now`, in seconds since the epoch, and returns the
/// verdict. The claims of a valid token can be read from `validation` until it is used again.
///
/// `issuers` has one to eight issuers; if there are several, the unverified `iss` selects one.
/// `key` is null unless the request proves a key. `cache` is null for a validation without a
/// cache; with one, claims can be read until the next validation that uses it. The result for
/// a text that is not given is
/// [`CLAIMGATE_MISSING_TOKEN`](claimgate_code::CLAIMGATE_MISSING_TOKEN), and for one that is not
/// UTF-8 [`CLAIMGATE_INVALID_BASE64`](claimgate_code::CLAIMGATE_INVALID_BASE64): verdicts on the
/// request, for which there is a challenge.
///
/// # Safety
///
/// The pointers are null, misaligned, or to objects of their kinds; no other thread uses
/// `validation` and `cache` during the call. The text of the token is readable during the
/// call, and readable and unchanged as long as claims are read by name. As long as claims are
/// read, the memory of the cache is not used for anything else.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_validate_access_token(
    validation: *mut claimgate_validation,
    issuers: *const *const claimgate_issuer,
    issuer_count: usize,
    policy: *const claimgate_policy,
    token: claimgate_text,
    key: *const claimgate_request_key,
    cache: *mut claimgate_cache,
    now: u64,
) -> claimgate_code {
    let form = Form::Token;
    // SAFETY: the caller's promise.
    let result = unsafe {
        validate_access(validation, issuers, issuer_count, policy, form, token, key, cache, now)
    };
    result.unwrap_or_else(|code| code)
}

/// Like [`claimgate_validate_access_token`], for the value of an `Authorization` header. The
/// verdict on one that is not UTF-8 is
/// [`CLAIMGATE_INVALID_REQUEST`](claimgate_code::CLAIMGATE_INVALID_REQUEST), whatever its scheme.
///
/// # Safety
///
/// As for [`claimgate_validate_access_token`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_validate_authorization(
    validation: *mut claimgate_validation,
    issuers: *const *const claimgate_issuer,
    issuer_count: usize,
    policy: *const claimgate_policy,
    header: claimgate_text,
    key: *const claimgate_request_key,
    cache: *mut claimgate_cache,
    now: u64,
) -> claimgate_code {
    let form = Form::Authorization;
    // SAFETY: the caller's promise.
    let result = unsafe {
        validate_access(validation, issuers, issuer_count, policy, form, header, key, cache, now)
    };
    result.unwrap_or_else(|code| code)
}

/// Validates an ID token at the time `now`, in seconds since the epoch, and returns the
/// verdict.
///
/// # Safety
///
/// As for [`claimgate_validate_access_token`]; `login` points to a structure whose `size` is
/// right and whose texts are readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_validate_id_token(
    validation: *mut claimgate_validation,
    issuers: *const *const claimgate_issuer,
    issuer_count: usize,
    policy: *const claimgate_id_policy,
    token: claimgate_text,
    login: *const claimgate_login,
    now: u64,
) -> claimgate_code {
    // SAFETY: the caller's promise, here and below.
    let validate = || unsafe {
        let buffer = begin(validation)?;
        let own = Range::of(validation);
        Range::of(policy).check_apart(own)?;
        let policy = &borrow(policy)?.policy;
        let issuers = issuers_of(issuers, issuer_count, &[own])?;
        let login = login_of(login, own)?;
        let Some(text) = token.of_client(&[own], REFUSED_TOKEN)? else {
            return Ok(store(validation, token, Err::<(), _>(Error::MissingToken), |()| {
                Outcome::None
            }));
        };
        let now = NumericDate::from_secs(now);
        let result = issuers.with(policy, ValidateId { token: text, login, now, buffer });
        Ok(store(validation, token, result, Outcome::Id))
    };
    validate().unwrap_or_else(|code| code)
}

/// Validates a logout token at the time `now`, in seconds since the epoch, and returns the
/// verdict.
///
/// # Safety
///
/// As for [`claimgate_validate_access_token`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_validate_logout_token(
    validation: *mut claimgate_validation,
    issuers: *const *const claimgate_issuer,
    issuer_count: usize,
    policy: *const claimgate_logout_policy,
    token: claimgate_text,
    now: u64,
) -> claimgate_code {
    // SAFETY: the caller's promise, here and below.
    let validate = || unsafe {
        let buffer = begin(validation)?;
        let own = Range::of(validation);
        Range::of(policy).check_apart(own)?;
        let policy = &borrow(policy)?.policy;
        let issuers = issuers_of(issuers, issuer_count, &[own])?;
        let Some(text) = token.of_client(&[own], REFUSED_TOKEN)? else {
            return Ok(store(validation, token, Err::<(), _>(Error::MissingToken), |()| {
                Outcome::None
            }));
        };
        let now = NumericDate::from_secs(now);
        let result = issuers.with(policy, ValidateLogout { token: text, now, buffer });
        Ok(store(validation, token, result, Outcome::Logout))
    };
    validate().unwrap_or_else(|code| code)
}
