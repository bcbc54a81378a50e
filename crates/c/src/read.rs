//! Results of a validation: claims, messages and challenges.

use core::ffi::c_char;
use core::fmt::Write;

use claimgate::policy::ClaimRule;
use claimgate::{AccessToken, Challenge, Error, IdToken, LogoutToken, ScopePolicy, Validated};

use crate::cache::epoch_of;
use crate::code::claimgate_code;
use crate::id_token::claimgate_id_policy;
use crate::memory::{borrow, code, put};
use crate::payload::Payload;
use crate::policy::claimgate_policy;
use crate::sink::Sink;
use crate::text::{Range, claimgate_text, claimgate_texts};
use crate::validation::{Outcome, claimgate_validation};

/// A token of any kind.
enum Shown<'a> {
    Access(&'a Validated<AccessToken<'static>>),
    Id(&'a Validated<IdToken<'static>>),
    Logout(&'a Validated<LogoutToken<'static>>),
}

/// Evaluates an expression for a token of any kind.
macro_rules! any_token {
    ($shown:expr, $token:ident => $value:expr) => {
        match $shown {
            Shown::Access($token) => $value,
            Shown::Id($token) => $value,
            Shown::Logout($token) => $value,
        }
    };
}

const NO_TOKEN: claimgate_code = claimgate_code::CLAIMGATE_NO_TOKEN;

/// Returns the token of a validation.
fn token_of(validation: &claimgate_validation) -> Result<Shown<'_>, claimgate_code> {
    Ok(match &validation.outcome {
        Outcome::None | Outcome::Refused(_) => return Err(NO_TOKEN),
        Outcome::Access(token) => Shown::Access(token),
        Outcome::Cached(token, cache, epoch) => {
            // SAFETY: the contract of `claimgate_validate_access_token` is that the cache
            // exists as long as claims are read.
            if unsafe { epoch_of(*cache) } != Ok(*epoch) {
                return Err(NO_TOKEN);
            }
            Shown::Access(token)
        }
        Outcome::Id(token) => Shown::Id(token),
        Outcome::Logout(token) => Shown::Logout(token),
    })
}

fn access_token_of(
    validation: &claimgate_validation,
) -> Result<&Validated<AccessToken<'static>>, claimgate_code> {
    match token_of(validation)? {
        Shown::Access(token) => Ok(token),
        Shown::Id(_) | Shown::Logout(_) => Err(NO_TOKEN),
    }
}

/// `iss`.
pub const CLAIMGATE_ISSUER: u32 = 1;
/// `sub`.
pub const CLAIMGATE_SUBJECT: u32 = 2;
/// `client_id`, or `azp` if it is missing.
pub const CLAIMGATE_CLIENT: u32 = 3;
/// `jti`.
pub const CLAIMGATE_TOKEN_ID: u32 = 4;
/// `azp`.
pub const CLAIMGATE_AUTHORIZED_PARTY: u32 = 5;
/// `sid`, of a logout token.
pub const CLAIMGATE_SESSION_ID: u32 = 6;
/// `nonce`, of an ID token.
pub const CLAIMGATE_NONCE: u32 = 7;
/// `kid` of the header.
pub const CLAIMGATE_KEY_ID: u32 = 8;

/// Writes a claim of the validated token to `text`: one of the constants from
/// [`CLAIMGATE_ISSUER`] on. It is borrowed until the validation, or its cache, is used again.
///
/// Returns [`CLAIMGATE_CLAIM_ABSENT`](claimgate_code::CLAIMGATE_CLAIM_ABSENT) for a claim that
/// the token does not have.
///
/// # Safety
///
/// `validation` is a validation that no other thread changes, and `text` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_token_text(
    validation: *const claimgate_validation,
    which: u32,
    text: *mut claimgate_text,
) -> claimgate_code {
    code((|| {
        Range::of(text).check_apart(Range::of(validation))?;
        // SAFETY: the caller's promise.
        let validation = unsafe { borrow(validation) }?;
        let token = token_of(validation)?;
        let claim = match (which, &token) {
            (CLAIMGATE_ISSUER, _) => Some(any_token!(&token, token => token.issuer())),
            (CLAIMGATE_SUBJECT, Shown::Access(token)) => Some(token.subject()),
            (CLAIMGATE_SUBJECT, Shown::Id(token)) => Some(token.subject()),
            (CLAIMGATE_SUBJECT, Shown::Logout(token)) => token.subject(),
            (CLAIMGATE_CLIENT, Shown::Access(token)) => {
                token.client_id().or(token.authorized_party())
            }
            (CLAIMGATE_TOKEN_ID, _) => any_token!(&token, token => token.token_id()),
            (CLAIMGATE_AUTHORIZED_PARTY, _) => {
                any_token!(&token, token => token.authorized_party())
            }
            (CLAIMGATE_SESSION_ID, Shown::Logout(token)) => token.session_id(),
            (CLAIMGATE_NONCE, Shown::Id(token)) => token.nonce(),
            (CLAIMGATE_KEY_ID, _) => any_token!(&token, token => token.header().key_id()),
            _ => return Err(claimgate_code::CLAIMGATE_INVALID_SETTING),
        };
        let claim = claim.ok_or(claimgate_code::CLAIMGATE_CLAIM_ABSENT)?;
        // SAFETY: the caller's promise.
        unsafe { put(text, claimgate_text::of(claim)) }
    })())
}

/// Writes an audience of the validated token, borrowed like a [claim](claimgate_token_text).
/// Indices begin at 0. Returns
/// [`CLAIMGATE_CLAIM_ABSENT`](claimgate_code::CLAIMGATE_CLAIM_ABSENT) for an index beyond the
/// last audience.
///
/// # Safety
///
/// As for [`claimgate_token_text`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_audience(
    validation: *const claimgate_validation,
    index: usize,
    text: *mut claimgate_text,
) -> claimgate_code {
    code((|| {
        Range::of(text).check_apart(Range::of(validation))?;
        // SAFETY: the caller's promise.
        let validation = unsafe { borrow(validation) }?;
        let audience =
            any_token!(token_of(validation)?, token => token.audience().iter().nth(index));
        let audience = audience.ok_or(claimgate_code::CLAIMGATE_CLAIM_ABSENT)?;
        // SAFETY: the caller's promise.
        unsafe { put(text, claimgate_text::of(audience)) }
    })())
}

/// `exp`.
pub const CLAIMGATE_EXPIRY: u32 = 1;
/// `iat`, a fraction rounded up.
pub const CLAIMGATE_ISSUED_AT: u32 = 2;
/// `auth_time`.
pub const CLAIMGATE_AUTH_TIME: u32 = 3;

/// Writes a time of the validated token, in seconds since the epoch: one of the constants from
/// [`CLAIMGATE_EXPIRY`] on.
///
/// # Safety
///
/// `validation` is a validation that no other thread changes, and `seconds` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_token_time(
    validation: *const claimgate_validation,
    which: u32,
    seconds: *mut u64,
) -> claimgate_code {
    code((|| {
        Range::of(seconds).check_apart(Range::of(validation))?;
        // SAFETY: the caller's promise.
        let validation = unsafe { borrow(validation) }?;
        let token = token_of(validation)?;
        let time = match (which, &token) {
            (CLAIMGATE_EXPIRY, Shown::Access(token)) => Some(token.expiry()),
            (CLAIMGATE_EXPIRY, Shown::Id(token)) => Some(token.expiry()),
            (CLAIMGATE_EXPIRY, Shown::Logout(token)) => token.expiry(),
            (CLAIMGATE_ISSUED_AT, _) => any_token!(&token, token => token.issued_at()),
            (CLAIMGATE_AUTH_TIME, _) => any_token!(&token, token => token.auth_time()),
            _ => return Err(claimgate_code::CLAIMGATE_INVALID_SETTING),
        };
        let time = time.ok_or(claimgate_code::CLAIMGATE_CLAIM_ABSENT)?;
        // SAFETY: the caller's promise.
        unsafe { put(seconds, time.as_secs()) }
    })())
}

/// Writes the first second at which the policy rejects the validated access token because of
/// its age, in seconds since the epoch. A socket that was opened with the token should be
/// closed then.
///
/// # Safety
///
/// `validation` is a validation that no other thread changes, `policy` a policy, and `seconds`
/// is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_valid_until(
    validation: *const claimgate_validation,
    policy: *const claimgate_policy,
    seconds: *mut u64,
) -> claimgate_code {
    code((|| {
        Range::of(seconds).check_all_apart(&[Range::of(validation), Range::of(policy)])?;
        // SAFETY: the caller's promise.
        let (validation, policy) = unsafe { (borrow(validation)?, borrow(policy)?) };
        let end = policy.policy.valid_until(access_token_of(validation)?);
        // SAFETY: the caller's promise.
        unsafe { put(seconds, end.as_secs()) }
    })())
}

/// Like [`claimgate_valid_until`], for an ID token.
///
/// # Safety
///
/// As for [`claimgate_valid_until`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_id_valid_until(
    validation: *const claimgate_validation,
    policy: *const claimgate_id_policy,
    seconds: *mut u64,
) -> claimgate_code {
    code((|| {
        Range::of(seconds).check_all_apart(&[Range::of(validation), Range::of(policy)])?;
        // SAFETY: the caller's promise.
        let (validation, policy) = unsafe { (borrow(validation)?, borrow(policy)?) };
        let Shown::Id(token) = token_of(validation)? else { return Err(NO_TOKEN) };
        // SAFETY: the caller's promise.
        unsafe { put(seconds, policy.policy.valid_until(token).as_secs()) }
    })())
}

/// Writes the scope tokens of the validated access token to `buffer`, separated by spaces, and
/// their length to `length`.
///
/// Returns [`CLAIMGATE_BUFFER_TOO_SMALL`](claimgate_code::CLAIMGATE_BUFFER_TOO_SMALL) with the
/// length that is needed, and [`CLAIMGATE_NO_TOKEN`](claimgate_code::CLAIMGATE_NO_TOKEN) with the
/// length 0. The length is not written if the arguments overlap or a pointer to memory is invalid.
///
/// # Safety
///
/// `validation` is a validation that no other thread changes, `buffer` is writable for
/// `capacity` bytes and does not overlap it, and `length` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_scope(
    validation: *const claimgate_validation,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> claimgate_code {
    code((|| {
        // SAFETY: the caller's promise.
        let mut sink = unsafe { Sink::new(buffer, capacity, length, Range::of(validation)) }?;
        // SAFETY: the caller's promise.
        let validation = unsafe {
            sink.begin()?;
            borrow(validation)?
        };
        for (index, token) in access_token_of(validation)?.scope().iter().enumerate() {
            sink.push(if index == 0 { b"" } else { b" " });
            sink.push(token.as_bytes());
        }
        // SAFETY: the caller's promise.
        unsafe { sink.finish() }
    })())
}

/// Returns [`CLAIMGATE_OK`](claimgate_code::CLAIMGATE_OK) if the validated access token has
/// this scope token, and
/// [`CLAIMGATE_INSUFFICIENT_SCOPE`](claimgate_code::CLAIMGATE_INSUFFICIENT_SCOPE) otherwise.
///
/// # Safety
///
/// `validation` is a validation that no other thread changes, and the text is readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_require_scope(
    validation: *const claimgate_validation,
    token: claimgate_text,
) -> claimgate_code {
    code((|| {
        // SAFETY: the caller's promise.
        let (validation, token) = unsafe { (borrow(validation)?, token.required()?) };
        let tokens = [token];
        let needed = ScopePolicy::all_of(&tokens)?;
        access_token_of(validation)?
            .authorize(&needed)
            .map_err(|forbidden| claimgate_code::of(&forbidden.error()))
    })())
}

/// Writes the response's status for the last verdict: 200 for a valid token, 400, 401 or 403
/// for a refused one, and 500 if there was no verdict.
///
/// # Safety
///
/// `validation` is a validation that no other thread changes, and `status` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_http_status(
    validation: *const claimgate_validation,
    status: *mut u32,
) -> claimgate_code {
    code((|| {
        Range::of(status).check_apart(Range::of(validation))?;
        // SAFETY: the caller's promise.
        let number = match unsafe { borrow(validation) }?.outcome {
            Outcome::None => 500,
            Outcome::Refused(error) => error.http_status(),
            _ => 200,
        };
        // SAFETY: the caller's promise.
        unsafe { put(status, u32::from(number)) }
    })())
}

/// Returns the error of the last validation.
fn error_of(validation: &claimgate_validation) -> Result<Error, claimgate_code> {
    match validation.outcome {
        Outcome::Refused(error) => Ok(error),
        _ => Err(claimgate_code::CLAIMGATE_INVALID_SETTING),
    }
}

/// Writes a message about the rejection, for a log, to `buffer`, and its length to `length`.
/// It contains no text of the token.
///
/// Returns [`CLAIMGATE_INVALID_SETTING`](claimgate_code::CLAIMGATE_INVALID_SETTING), with the
/// length 0, if the last validation rejected nothing: the token is valid, or the call failed.
///
/// # Safety
///
/// As for [`claimgate_scope`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_message(
    validation: *const claimgate_validation,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> claimgate_code {
    code((|| {
        // SAFETY: the caller's promise.
        let mut sink = unsafe { Sink::new(buffer, capacity, length, Range::of(validation)) }?;
        // SAFETY: the caller's promise.
        let validation = unsafe {
            sink.begin()?;
            borrow(validation)?
        };
        let error = error_of(validation)?;
        // A sink does not fail.
        let _ = write!(sink, "{error}");
        // SAFETY: the caller's promise.
        unsafe { sink.finish() }
    })())
}

/// Writes the value of `WWW-Authenticate` for a rejected access token to `buffer`, and its
/// length to `length`. `policy` may be null; with it, the challenge contains the scope or the
/// authentication that the policy requires. `realm` is optional.
///
/// Returns the same as [`claimgate_message`] if nothing was rejected.
///
/// # Safety
///
/// As for [`claimgate_scope`]; `policy` is null or a policy, and the text is readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_challenge(
    validation: *const claimgate_validation,
    policy: *const claimgate_policy,
    realm: claimgate_text,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> claimgate_code {
    code((|| {
        // SAFETY: the caller's promise.
        let mut sink = unsafe { Sink::new(buffer, capacity, length, Range::of(validation)) }?;
        Range::of(policy).check_all_apart(&sink.ranges())?;
        // SAFETY: the caller's promise.
        let (realm, validation) = unsafe {
            let realm = realm.get_apart_from(&sink.ranges())?;
            sink.begin()?;
            (realm, borrow(validation)?)
        };
        let error = error_of(validation)?;
        let challenge = if policy.is_null() {
            Challenge::new(error)
        } else {
            // SAFETY: the caller's promise.
            unsafe { borrow(policy) }?.policy.challenge(error)
        };
        let challenge = match realm {
            Some(realm) => challenge.realm(realm),
            None => challenge,
        };
        // A sink does not fail.
        let _ = write!(sink, "{challenge}");
        // SAFETY: the caller's promise.
        unsafe { sink.finish() }
    })())
}

/// The names of a path.
struct Path<'n> {
    names: [&'n str; ClaimRule::MAX_PATH_LEN],
    len: usize,
}

impl<'n> Path<'n> {
    /// # Safety
    ///
    /// The list and its texts are readable and do not change during `'n`, unless they overlap
    /// `results`.
    unsafe fn of(path: claimgate_texts, results: &[Range]) -> Result<Self, claimgate_code> {
        // SAFETY: the caller's promise.
        let given = unsafe { path.get_apart_from(results) }?.unwrap_or_default();
        let mut names = [""; ClaimRule::MAX_PATH_LEN];
        let places = names.get_mut(..given.len()).ok_or(claimgate_code::CLAIMGATE_CLAIM_PATH)?;
        for (place, name) in places.iter_mut().zip(given) {
            // SAFETY: the caller's promise.
            *place = unsafe { name.required_apart_from(results) }?;
        }
        if given.is_empty() {
            return Err(claimgate_code::CLAIMGATE_CLAIM_PATH);
        }
        Ok(Self { names, len: given.len() })
    }

    fn names(&self) -> &[&'n str] {
        self.names.get(..self.len).unwrap_or_default()
    }
}

/// Advances to a claim, and returns the rest of the payload from there.
///
/// # Safety
///
/// The text of the validated token is still readable.
unsafe fn claim_of<'a>(
    validation: &claimgate_validation,
    path: &Path<'_>,
) -> Result<Payload<'a>, claimgate_code> {
    token_of(validation)?;
    // SAFETY: the caller's promise.
    let mut payload = Payload::of(unsafe { validation.token.required() }?)?;
    payload.find(path.names().iter().copied())?;
    Ok(payload)
}

/// Confirms a claim that was read from the text of the token with the library.
fn confirm(validation: &claimgate_validation, rule: ClaimRule<'_>) -> Result<(), claimgate_code> {
    let confirmed = any_token!(token_of(validation)?, token => token.authorize_claims(&[rule]));
    confirmed.map_err(|forbidden| claimgate_code::of(&forbidden.error()))
}

/// Writes the string value of a claim of the validated token to `buffer`, and its length to
/// `length`. The path has one to four names, from the outermost object inwards.
///
/// The value is read from the text of the token, and confirmed with the claims that were
/// validated. Returns [`CLAIMGATE_CLAIM_ABSENT`](claimgate_code::CLAIMGATE_CLAIM_ABSENT),
/// [`CLAIMGATE_CLAIM_TYPE`](claimgate_code::CLAIMGATE_CLAIM_TYPE) for another type,
/// [`CLAIMGATE_CLAIM_PATH`](claimgate_code::CLAIMGATE_CLAIM_PATH) for another number of names,
/// [`CLAIMGATE_NO_TOKEN`](claimgate_code::CLAIMGATE_NO_TOKEN), and
/// [`CLAIMGATE_BUFFER_TOO_SMALL`](claimgate_code::CLAIMGATE_BUFFER_TOO_SMALL) with the length
/// that is needed.
///
/// If the text of the token has changed, the value is not confirmed: any of these codes, or
/// [`CLAIMGATE_CLAIM_MISMATCH`](claimgate_code::CLAIMGATE_CLAIM_MISMATCH),
/// [`CLAIMGATE_MALFORMED_TOKEN`](claimgate_code::CLAIMGATE_MALFORMED_TOKEN),
/// [`CLAIMGATE_INVALID_JSON`](claimgate_code::CLAIMGATE_INVALID_JSON) or
/// [`CLAIMGATE_NOT_UTF8`](claimgate_code::CLAIMGATE_NOT_UTF8) is returned, and never another
/// value. `buffer` contains a value only with [`CLAIMGATE_OK`](claimgate_code::CLAIMGATE_OK).
///
/// # Safety
///
/// `validation` is a validation that no other thread changes, and the text of its token is
/// readable and unchanged since the validation; `buffer` is writable for `capacity` bytes and
/// does not overlap them, and `length` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_claim_string(
    validation: *const claimgate_validation,
    path: claimgate_texts,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> claimgate_code {
    code((|| {
        // SAFETY: the caller's promise.
        let mut sink = unsafe { Sink::new(buffer, capacity, length, Range::of(validation)) }?;
        // SAFETY: the caller's promise.
        let validation = unsafe { borrow(validation) }?;
        validation.token.range().check_all_apart(&sink.ranges())?;
        // SAFETY: the caller's promise.
        let (path, mut payload) = unsafe {
            let path = Path::of(path, &sink.ranges())?;
            sink.begin()?;
            let payload = claim_of(validation, &path)?;
            (path, payload)
        };
        if !payload.is_string() {
            return Err(claimgate_code::CLAIMGATE_CLAIM_TYPE);
        }
        payload.string(&mut sink)?;
        // The text of the token may have changed, and no claim of a token is not UTF-8.
        if let Some(text) = sink.text()? {
            confirm(validation, ClaimRule::equals(path.names(), text)?)?;
        }
        // SAFETY: the caller's promise.
        unsafe { sink.finish() }
    })())
}

/// Writes the integer value of a claim of the validated token, without a fraction or an
/// exponent and within 64 bits.
///
/// Returns the codes of [`claimgate_claim_string`], except that no memory is too small. Only with
/// [`CLAIMGATE_OK`](claimgate_code::CLAIMGATE_OK), `integer` is written.
///
/// # Safety
///
/// As for [`claimgate_claim_string`]; `integer` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_claim_integer(
    validation: *const claimgate_validation,
    path: claimgate_texts,
    integer: *mut i64,
) -> claimgate_code {
    code((|| {
        Range::of(integer).check_apart(Range::of(validation))?;
        // SAFETY: the caller's promise.
        let (validation, path) =
            unsafe { (borrow(validation)?, Path::of(path, &[Range::of(integer)])?) };
        // SAFETY: the caller's promise.
        let number = unsafe { claim_of(validation, &path) }?.integer()?;
        confirm(validation, ClaimRule::equals_integer(path.names(), number)?)?;
        // SAFETY: the caller's promise.
        unsafe { put(integer, number) }
    })())
}

/// Writes 1 if a claim of the validated token is `true`, and 0 if it is `false`.
///
/// Returns the codes of [`claimgate_claim_integer`]. Only with
/// [`CLAIMGATE_OK`](claimgate_code::CLAIMGATE_OK), `boolean` is written.
///
/// # Safety
///
/// As for [`claimgate_claim_string`]; `boolean` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn claimgate_claim_boolean(
    validation: *const claimgate_validation,
    path: claimgate_texts,
    boolean: *mut i32,
) -> claimgate_code {
    code((|| {
        Range::of(boolean).check_apart(Range::of(validation))?;
        // SAFETY: the caller's promise.
        let (validation, path) =
            unsafe { (borrow(validation)?, Path::of(path, &[Range::of(boolean)])?) };
        // SAFETY: the caller's promise.
        let value = unsafe { claim_of(validation, &path) }?.boolean()?;
        confirm(validation, ClaimRule::equals_boolean(path.names(), value)?)?;
        // SAFETY: the caller's promise.
        unsafe { put(boolean, i32::from(value)) }
    })())
}
