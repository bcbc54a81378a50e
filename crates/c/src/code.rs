//! Result codes.

use core::ffi::{CStr, c_char};

use claimgate::Error;
use claimgate::error::ConfigError;

/// A verdict on a token, or the reason why a call failed. Numbers and names never change.
///
/// 0 is success, 1 to 127 are verdicts on tokens, keys and requests, 200 and above are errors
/// of the calling program.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum claimgate_code {
    /// The token is valid, or the call succeeded.
    CLAIMGATE_OK = 0,
    /// The request has no bearer token.
    CLAIMGATE_MISSING_TOKEN = 1,
    /// The `Authorization` header does not contain exactly one bearer token.
    CLAIMGATE_INVALID_REQUEST = 2,
    /// The token does not have three non-empty segments.
    CLAIMGATE_MALFORMED_TOKEN = 3,
    /// The token is a JWE.
    CLAIMGATE_ENCRYPTED_TOKEN = 4,
    /// The token is not a JWS.
    CLAIMGATE_OPAQUE_TOKEN = 5,
    /// The token or its header is longer than the limit.
    CLAIMGATE_TOKEN_TOO_LARGE = 6,
    /// The scratch space, or the memory of a result, is too small.
    CLAIMGATE_BUFFER_TOO_SMALL = 7,
    /// A segment is not canonical base64url.
    CLAIMGATE_INVALID_BASE64 = 8,
    /// A text is not JSON, or is outside the subset that the library accepts.
    CLAIMGATE_INVALID_JSON = 9,
    /// An object has two members with the same name.
    CLAIMGATE_DUPLICATE_MEMBER = 10,
    /// A claim has the wrong type.
    CLAIMGATE_CLAIM_TYPE = 11,
    /// The number of audiences exceeds the capacity.
    CLAIMGATE_TOO_MANY_AUDIENCES = 12,
    /// A header parameter is not a string, or its length is outside the limits.
    CLAIMGATE_HEADER_TYPE = 13,
    /// The algorithm of the token is not allowed.
    CLAIMGATE_ALGORITHM_NOT_ALLOWED = 14,
    /// The header has a parameter that must not be ignored.
    CLAIMGATE_CRITICAL_HEADER = 15,
    /// No key has the `kid` of the token. A newer key set may contain it.
    CLAIMGATE_UNKNOWN_KEY = 16,
    /// More than one key could have signed the token.
    CLAIMGATE_AMBIGUOUS_KEY = 17,
    /// The issuer has no usable keys.
    CLAIMGATE_NO_USABLE_KEYS = 18,
    /// The number of keys exceeds the capacity of the library.
    CLAIMGATE_TOO_MANY_KEYS = 19,
    /// A key was rejected.
    CLAIMGATE_KEY_REJECTED = 20,
    /// The signature is invalid.
    CLAIMGATE_INVALID_SIGNATURE = 21,
    /// The issuer of the token is not trusted.
    CLAIMGATE_UNKNOWN_ISSUER = 22,
    /// A required claim is missing.
    CLAIMGATE_MISSING_CLAIM = 23,
    /// `iss` is not the expected issuer.
    CLAIMGATE_ISSUER_MISMATCH = 24,
    /// The token has expired.
    CLAIMGATE_EXPIRED = 25,
    /// The token is not valid yet.
    CLAIMGATE_NOT_YET_VALID = 26,
    /// `iat` is in the future.
    CLAIMGATE_ISSUED_IN_FUTURE = 27,
    /// The token is older than the policy allows.
    CLAIMGATE_TOKEN_TOO_OLD = 28,
    /// The lifetime of the token is longer than the policy allows.
    CLAIMGATE_LIFETIME_TOO_LONG = 29,
    /// `aud` does not contain the expected audience.
    CLAIMGATE_AUDIENCE_MISMATCH = 30,
    /// `aud` contains an audience that is not trusted.
    CLAIMGATE_UNTRUSTED_AUDIENCE = 31,
    /// `azp` or `client_id` is not an expected client.
    CLAIMGATE_AUTHORIZED_PARTY_MISMATCH = 32,
    /// The token is of a different kind than expected.
    CLAIMGATE_TOKEN_TYPE = 33,
    /// `nonce` is not the expected one.
    CLAIMGATE_NONCE_MISMATCH = 34,
    /// A claim is present that must not be.
    CLAIMGATE_UNEXPECTED_CLAIM = 35,
    /// The user authenticated too long ago.
    CLAIMGATE_AUTHENTICATION_TOO_OLD = 36,
    /// The authentication does not meet the requirements of the policy.
    CLAIMGATE_INSUFFICIENT_AUTHENTICATION = 37,
    /// A hash does not match the value of the login or request.
    CLAIMGATE_HASH_MISMATCH = 38,
    /// The user logged in to an organization other than the expected one.
    CLAIMGATE_ORGANIZATION_MISMATCH = 39,
    /// A refreshed ID token differs from the first one.
    CLAIMGATE_REFRESH_MISMATCH = 40,
    /// A `/userinfo` response is about a different user.
    CLAIMGATE_SUBJECT_MISMATCH = 41,
    /// The scope or the permissions are not sufficient.
    CLAIMGATE_INSUFFICIENT_SCOPE = 42,
    /// A claim does not meet a rule of the policy.
    CLAIMGATE_CLAIM_MISMATCH = 43,
    /// `tid` is not the ID of an allowed tenant.
    CLAIMGATE_TENANT_NOT_ALLOWED = 44,
    /// The subject is a user and the policy requires a client, or the other way round.
    CLAIMGATE_SUBJECT_KIND = 45,
    /// The token is bound to a key, and the request proves none.
    CLAIMGATE_CONFIRMATION_REQUIRED = 46,
    /// The token is bound to a different key than that of the request.
    CLAIMGATE_CONFIRMATION_MISMATCH = 47,
    /// A DPoP proof was made for a different request.
    CLAIMGATE_PROOF_MISMATCH = 48,
    /// A DPoP proof is too old.
    CLAIMGATE_PROOF_TOO_OLD = 49,
    /// The token or proof was already used.
    CLAIMGATE_REPLAYED = 50,
    /// The replay window is full.
    CLAIMGATE_REPLAY_WINDOW_FULL = 51,
    /// The keys of the issuer are too old to be trusted.
    CLAIMGATE_STALE_KEYS = 52,
    /// The token is rejected for a reason that has no number yet.
    CLAIMGATE_REFUSED = 127,
    /// A pointer is null.
    CLAIMGATE_NULL_POINTER = 200,
    /// A pointer is misaligned.
    CLAIMGATE_MISALIGNED = 201,
    /// The memory of an object is smaller than its size.
    CLAIMGATE_MEMORY_TOO_SMALL = 202,
    /// Two arguments overlap in memory.
    CLAIMGATE_OVERLAP = 203,
    /// A pointer does not point to an object of this kind, or the object was moved.
    CLAIMGATE_NOT_AN_OBJECT = 204,
    /// A length is larger than the address space.
    CLAIMGATE_INVALID_LENGTH = 205,
    /// A text of the calling program, or one that was written to since the call, is not UTF-8.
    CLAIMGATE_NOT_UTF8 = 206,
    /// The `size` of a settings structure is that of another version of the header.
    CLAIMGATE_WRONG_SIZE = 207,
    /// A setting has an invalid value, or two settings exclude each other.
    CLAIMGATE_INVALID_SETTING = 208,
    /// The number of texts or rules of the settings exceeds the capacity of the library.
    CLAIMGATE_TOO_MANY_SETTINGS = 209,
    /// There is no validated token of this kind.
    CLAIMGATE_NO_TOKEN = 210,
    /// The claim is missing.
    CLAIMGATE_CLAIM_ABSENT = 211,
    /// An identifier is empty.
    CLAIMGATE_EMPTY_IDENTIFIER = 220,
    /// A list is empty.
    CLAIMGATE_EMPTY_LIST = 221,
    /// The leeway is longer than 600 seconds.
    CLAIMGATE_LEEWAY_TOO_LONG = 222,
    /// A scope token is empty or contains invalid characters.
    CLAIMGATE_SCOPE_TOKEN = 223,
    /// An audience equals a client ID.
    CLAIMGATE_AUDIENCE_IS_CLIENT_ID = 224,
    /// The path of a claim is empty or has more than four names.
    CLAIMGATE_CLAIM_PATH = 225,
    /// The template does not contain `{tenantid}` exactly once.
    CLAIMGATE_TENANT_TEMPLATE = 226,
}

/// The codes with their names.
const CODES: &[(claimgate_code, &CStr)] = &[
    (claimgate_code::CLAIMGATE_OK, c"ok"),
    (claimgate_code::CLAIMGATE_MISSING_TOKEN, c"missing_token"),
    (claimgate_code::CLAIMGATE_INVALID_REQUEST, c"invalid_request"),
    (claimgate_code::CLAIMGATE_MALFORMED_TOKEN, c"malformed_token"),
    (claimgate_code::CLAIMGATE_ENCRYPTED_TOKEN, c"encrypted_token"),
    (claimgate_code::CLAIMGATE_OPAQUE_TOKEN, c"opaque_token"),
    (claimgate_code::CLAIMGATE_TOKEN_TOO_LARGE, c"token_too_large"),
    (claimgate_code::CLAIMGATE_BUFFER_TOO_SMALL, c"buffer_too_small"),
    (claimgate_code::CLAIMGATE_INVALID_BASE64, c"invalid_base64"),
    (claimgate_code::CLAIMGATE_INVALID_JSON, c"invalid_json"),
    (claimgate_code::CLAIMGATE_DUPLICATE_MEMBER, c"duplicate_member"),
    (claimgate_code::CLAIMGATE_CLAIM_TYPE, c"claim_type"),
    (claimgate_code::CLAIMGATE_TOO_MANY_AUDIENCES, c"too_many_audiences"),
    (claimgate_code::CLAIMGATE_HEADER_TYPE, c"header_type"),
    (claimgate_code::CLAIMGATE_ALGORITHM_NOT_ALLOWED, c"algorithm_not_allowed"),
    (claimgate_code::CLAIMGATE_CRITICAL_HEADER, c"critical_header"),
    (claimgate_code::CLAIMGATE_UNKNOWN_KEY, c"unknown_key"),
    (claimgate_code::CLAIMGATE_AMBIGUOUS_KEY, c"ambiguous_key"),
    (claimgate_code::CLAIMGATE_NO_USABLE_KEYS, c"no_usable_keys"),
    (claimgate_code::CLAIMGATE_TOO_MANY_KEYS, c"too_many_keys"),
    (claimgate_code::CLAIMGATE_KEY_REJECTED, c"key_rejected"),
    (claimgate_code::CLAIMGATE_INVALID_SIGNATURE, c"invalid_signature"),
    (claimgate_code::CLAIMGATE_UNKNOWN_ISSUER, c"unknown_issuer"),
    (claimgate_code::CLAIMGATE_MISSING_CLAIM, c"missing_claim"),
    (claimgate_code::CLAIMGATE_ISSUER_MISMATCH, c"issuer_mismatch"),
    (claimgate_code::CLAIMGATE_EXPIRED, c"expired"),
    (claimgate_code::CLAIMGATE_NOT_YET_VALID, c"not_yet_valid"),
    (claimgate_code::CLAIMGATE_ISSUED_IN_FUTURE, c"issued_in_future"),
    (claimgate_code::CLAIMGATE_TOKEN_TOO_OLD, c"token_too_old"),
    (claimgate_code::CLAIMGATE_LIFETIME_TOO_LONG, c"lifetime_too_long"),
    (claimgate_code::CLAIMGATE_AUDIENCE_MISMATCH, c"audience_mismatch"),
    (claimgate_code::CLAIMGATE_UNTRUSTED_AUDIENCE, c"untrusted_audience"),
    (claimgate_code::CLAIMGATE_AUTHORIZED_PARTY_MISMATCH, c"authorized_party_mismatch"),
    (claimgate_code::CLAIMGATE_TOKEN_TYPE, c"token_type"),
    (claimgate_code::CLAIMGATE_NONCE_MISMATCH, c"nonce_mismatch"),
    (claimgate_code::CLAIMGATE_UNEXPECTED_CLAIM, c"unexpected_claim"),
    (claimgate_code::CLAIMGATE_AUTHENTICATION_TOO_OLD, c"authentication_too_old"),
    (claimgate_code::CLAIMGATE_INSUFFICIENT_AUTHENTICATION, c"insufficient_authentication"),
    (claimgate_code::CLAIMGATE_HASH_MISMATCH, c"hash_mismatch"),
    (claimgate_code::CLAIMGATE_ORGANIZATION_MISMATCH, c"organization_mismatch"),
    (claimgate_code::CLAIMGATE_REFRESH_MISMATCH, c"refresh_mismatch"),
    (claimgate_code::CLAIMGATE_SUBJECT_MISMATCH, c"subject_mismatch"),
    (claimgate_code::CLAIMGATE_INSUFFICIENT_SCOPE, c"insufficient_scope"),
    (claimgate_code::CLAIMGATE_CLAIM_MISMATCH, c"claim_mismatch"),
    (claimgate_code::CLAIMGATE_TENANT_NOT_ALLOWED, c"tenant_not_allowed"),
    (claimgate_code::CLAIMGATE_SUBJECT_KIND, c"subject_kind"),
    (claimgate_code::CLAIMGATE_CONFIRMATION_REQUIRED, c"confirmation_required"),
    (claimgate_code::CLAIMGATE_CONFIRMATION_MISMATCH, c"confirmation_mismatch"),
    (claimgate_code::CLAIMGATE_PROOF_MISMATCH, c"proof_mismatch"),
    (claimgate_code::CLAIMGATE_PROOF_TOO_OLD, c"proof_too_old"),
    (claimgate_code::CLAIMGATE_REPLAYED, c"replayed"),
    (claimgate_code::CLAIMGATE_REPLAY_WINDOW_FULL, c"replay_window_full"),
    (claimgate_code::CLAIMGATE_STALE_KEYS, c"stale_keys"),
    (claimgate_code::CLAIMGATE_REFUSED, c"refused"),
    (claimgate_code::CLAIMGATE_NULL_POINTER, c"null_pointer"),
    (claimgate_code::CLAIMGATE_MISALIGNED, c"misaligned"),
    (claimgate_code::CLAIMGATE_MEMORY_TOO_SMALL, c"memory_too_small"),
    (claimgate_code::CLAIMGATE_OVERLAP, c"overlap"),
    (claimgate_code::CLAIMGATE_NOT_AN_OBJECT, c"not_an_object"),
    (claimgate_code::CLAIMGATE_INVALID_LENGTH, c"invalid_length"),
    (claimgate_code::CLAIMGATE_NOT_UTF8, c"not_utf8"),
    (claimgate_code::CLAIMGATE_WRONG_SIZE, c"wrong_size"),
    (claimgate_code::CLAIMGATE_INVALID_SETTING, c"invalid_setting"),
    (claimgate_code::CLAIMGATE_TOO_MANY_SETTINGS, c"too_many_settings"),
    (claimgate_code::CLAIMGATE_NO_TOKEN, c"no_token"),
    (claimgate_code::CLAIMGATE_CLAIM_ABSENT, c"claim_absent"),
    (claimgate_code::CLAIMGATE_EMPTY_IDENTIFIER, c"empty_identifier"),
    (claimgate_code::CLAIMGATE_EMPTY_LIST, c"empty_list"),
    (claimgate_code::CLAIMGATE_LEEWAY_TOO_LONG, c"leeway_too_long"),
    (claimgate_code::CLAIMGATE_SCOPE_TOKEN, c"scope_token"),
    (claimgate_code::CLAIMGATE_AUDIENCE_IS_CLIENT_ID, c"audience_is_client_id"),
    (claimgate_code::CLAIMGATE_CLAIM_PATH, c"claim_path"),
    (claimgate_code::CLAIMGATE_TENANT_TEMPLATE, c"tenant_template"),
];

impl claimgate_code {
    /// Returns the code of an error, found by its name.
    pub(crate) fn of(error: &Error) -> Self {
        let code = error.code();
        CODES
            .iter()
            .find(|(_, name)| name.to_bytes() == code.as_bytes())
            .map_or(Self::CLAIMGATE_REFUSED, |(code, _)| *code)
    }

    #[expect(clippy::as_conversions, reason = "the number of a variant has no other form")]
    pub(crate) const fn number(self) -> u32 {
        self as u32
    }
}

impl From<ConfigError> for claimgate_code {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::Empty(_) => Self::CLAIMGATE_EMPTY_IDENTIFIER,
            ConfigError::EmptyList(_) => Self::CLAIMGATE_EMPTY_LIST,
            ConfigError::LeewayTooLong => Self::CLAIMGATE_LEEWAY_TOO_LONG,
            ConfigError::ScopeToken => Self::CLAIMGATE_SCOPE_TOKEN,
            ConfigError::AudienceIsClientId => Self::CLAIMGATE_AUDIENCE_IS_CLIENT_ID,
            ConfigError::ClaimPath => Self::CLAIMGATE_CLAIM_PATH,
            ConfigError::TenantTemplate => Self::CLAIMGATE_TENANT_TEMPLATE,
            _ => Self::CLAIMGATE_INVALID_SETTING,
        }
    }
}

/// Returns the name of a code, such as `expired`, terminated by a zero; the empty string for
/// a number that is not a code. The names of verdicts are those of the Rust library.
#[unsafe(no_mangle)]
pub extern "C" fn claimgate_code_name(code: u32) -> *const c_char {
    let name = CODES.iter().find(|(known, _)| known.number() == code).map(|(_, name)| *name);
    name.unwrap_or_default().as_ptr()
}

/// Returns 1 if a newer key set of the issuer may change this verdict, and 0 otherwise.
#[unsafe(no_mangle)]
pub extern "C" fn claimgate_is_worth_a_key_refresh(code: u32) -> i32 {
    let is_worth_it = code == claimgate_code::CLAIMGATE_UNKNOWN_KEY.number()
        || code == claimgate_code::CLAIMGATE_NO_USABLE_KEYS.number();
    i32::from(is_worth_it)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    #[test]
    fn each_error_of_the_library_has_a_number() {
        // The names in the function `code`, which is a `match` without a wildcard.
        let source = include_str!("../../../src/error/code.rs");
        let start = source.find("pub const fn code").unwrap();
        let function = &source[start..][..source[start..].find("\n    }").unwrap()];
        let names: std::vec::Vec<&str> = function.split('"').skip(1).step_by(2).collect();
        assert!(names.len() > 45, "{names:?}");
        for name in names {
            let is_known = CODES
                .iter()
                .any(|(code, text)| code.number() < 127 && text.to_bytes() == name.as_bytes());
            assert!(is_known, "{name} has no number");
        }
    }

    #[test]
    fn each_name_is_that_of_its_constant() {
        for (code, name) in CODES {
            let constant = std::format!("{code:?}").to_lowercase();
            assert_eq!(constant.strip_prefix("claimgate_"), name.to_str().ok());
        }
    }

    #[test]
    fn each_configuration_error_has_its_code() {
        let codes = [
            (ConfigError::Empty("a"), 220),
            (ConfigError::EmptyList("a"), 221),
            (ConfigError::LeewayTooLong, 222),
            (ConfigError::ScopeToken, 223),
            (ConfigError::AudienceIsClientId, 224),
            (ConfigError::ClaimPath, 225),
            (ConfigError::TenantTemplate, 226),
        ];
        for (error, number) in codes {
            assert_eq!(claimgate_code::from(error).number(), number);
        }
    }

    #[test]
    fn numbers_and_names_are_unique_and_stable() {
        for (index, (code, name)) in CODES.iter().enumerate() {
            assert!(CODES[..index].iter().all(|(other, text)| other != code && text != name));
        }
        assert_eq!(claimgate_code::of(&Error::MissingToken).number(), 1);
        assert_eq!(claimgate_code::of(&Error::ConfirmationMismatch).number(), 47);
        assert_eq!(claimgate_code::of(&Error::UnknownKey).number(), 16);
    }

    #[test]
    fn a_number_that_is_no_code_has_an_empty_name() {
        for code in [53, 126, 199, 227, u32::MAX] {
            // SAFETY: the function returns a string that is terminated by a zero.
            let name = unsafe { CStr::from_ptr(claimgate_code_name(code)) };
            assert!(name.is_empty());
        }
    }
}
