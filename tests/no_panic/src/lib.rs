//! The public API as a static library, with RSA and hashing provided by the caller. `run.sh`
//! examines its symbols: code that could panic would refer to the panic handler, and that to
//! `claimgate_panicked`.

#![no_std]

use core::fmt::{self, Write};
use core::panic::PanicInfo;
use core::slice;

use claimgate::bearer::DpopToken;
use claimgate::cache::VerifiedTokenCache;
use claimgate::discovery::ProviderMetadata;
use claimgate::dpop::DpopRequest;
use claimgate::error::{InvalidSignature, KeyRejected};
use claimgate::jwk::{Algorithms, Jwk, KeyMaterial};
use claimgate::jws::CompactJws;
use claimgate::policy::{ClaimRule, SubjectKind};
use claimgate::policy::{DpopPolicy, LogoutTokenPolicy};
use claimgate::refresh::JwksRefresh;
use claimgate::replay::{ReplayWindow, TokenId};
use claimgate::trust::TenantIssuer;
use claimgate::{
    AccessToken, AccessTokenPolicy, Algorithm, BearerToken, Challenge, DpopProof, Error, IdToken,
    IdTokenPolicy, Issuer, JwkSet, Login, LogoutToken, Nonce, NumericDate, PublicKey, RequestKey,
    ScopePolicy, TokenBuffer, Trust, Validated,
};
use serde::Deserialize;

unsafe extern "C" {
    fn claimgate_panicked() -> !;
    /// A function that is opaque to the optimiser.
    fn rsa_key(n: *const u8, n_len: usize, e: *const u8, e_len: usize) -> usize;
    fn rsa_verify(key: usize, text: *const u8, len: usize, sig: *const u8, sig_len: usize) -> bool;
    fn sha256_update(state: usize, bytes: *const u8, len: usize) -> usize;
    fn sha256_finish(state: usize, hash: *mut u8);
    fn show(bytes: *const u8, len: usize) -> bool;
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    // SAFETY: never called, as checked by `run.sh`.
    unsafe { claimgate_panicked() }
}

/// A key that is stored elsewhere.
pub struct Elsewhere(usize);

impl PublicKey for Elsewhere {
    const ALGORITHMS: Algorithms = Algorithms::ALL;

    fn new(_: Algorithm, material: KeyMaterial<'_>) -> Result<Self, KeyRejected> {
        let (n, e) = match material {
            KeyMaterial::Rsa { n, e } => (n, e),
            KeyMaterial::P256 { x, y } => (x.as_slice(), y.as_slice()),
            KeyMaterial::P384 { x, y } => (x.as_slice(), y.as_slice()),
            KeyMaterial::Ed25519 { x } => (x.as_slice(), [].as_slice()),
            _ => return Err(KeyRejected::Backend),
        };
        // SAFETY: pointers and lengths of slices.
        match unsafe { rsa_key(n.as_ptr(), n.len(), e.as_ptr(), e.len()) } {
            0 => Err(KeyRejected::Backend),
            key => Ok(Self(key)),
        }
    }

    fn verify(&self, text: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let (sig, sig_len) = (signature.as_ptr(), signature.len());
        // SAFETY: pointers and lengths of slices.
        let holds = unsafe { rsa_verify(self.0, text.as_ptr(), text.len(), sig, sig_len) };
        if holds { Ok(()) } else { Err(InvalidSignature) }
    }

    fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        let mut hash = [0; 32];
        // SAFETY: pointers and lengths of slices, and capacity for 32 bytes.
        unsafe {
            let state =
                parts.iter().fold(0, |state, part| sha256_update(state, part.as_ptr(), part.len()));
            sha256_finish(state, hash.as_mut_ptr());
        }
        hash
    }
}

/// A text from the caller.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Text {
    start: *const u8,
    len: usize,
}

impl Text {
    fn get<'a>(self) -> &'a str {
        // SAFETY: the caller provides readable bytes.
        let bytes = unsafe { slice::from_raw_parts(self.start, self.len) };
        core::str::from_utf8(bytes).unwrap_or_default()
    }
}

/// All settings of a policy.
#[repr(C)]
pub struct Settings {
    identifier: Text,
    others: [Text; 2],
    nonce: Text,
    request_key: Text,
    organization: Text,
    beside: Text,
    scope: [Text; 2],
    seconds: u64,
    now: u64,
    choice: u32,
}

/// Passes a result to the caller.
struct Screen;

impl Write for Screen {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // SAFETY: pointer and length of a string.
        if unsafe { show(text.as_ptr(), text.len()) } { Ok(()) } else { Err(fmt::Error) }
    }
}

fn tell(text: &str) {
    let _ = Screen.write_str(text);
}

/// Custom claims. A float would add core's parser of floats, whose bounds checks are not
/// optimised out; nothing else in the library calls it.
#[derive(Deserialize)]
struct Custom<'a> {
    #[serde(rename = "https://example.com/tenant")]
    tenant: &'a str,
    level: Option<i64>,
    ratio: Option<u32>,
    roles: Option<[&'a str; 2]>,
    admin: Option<bool>,
}

fn tell_custom(custom: &Custom<'_>) {
    tell(custom.tenant);
    custom.roles.iter().flatten().copied().for_each(tell);
    let is_telling = custom.admin.is_some() || custom.level > Some(7) || custom.ratio > Some(7);
    tell(if is_telling { "yes" } else { "no" });
}

/// Constructs an issuer with up to four keys, for both functions below.
type Known = Issuer<Elsewhere, 4>;

#[unsafe(no_mangle)]
pub extern "C" fn parse_key_set(text: Text, url: Text, issuer: &mut Option<Known>) -> bool {
    match JwkSet::from_json(text.get()) {
        Ok(keys) => put(keys, url, issuer),
        Err(error) => {
            tell_error(error);
            false
        }
    }
}

/// Constructs an issuer with a single key from its numbers.
#[unsafe(no_mangle)]
pub extern "C" fn take_key(
    n: &&[u8],
    e: &&[u8],
    key_id: Text,
    url: Text,
    issuer: &mut Option<Known>,
) -> bool {
    let jwk = Jwk::new(Algorithm::Rs256, KeyMaterial::Rsa { n, e }, Some(key_id.get()));
    match jwk.map_err(Error::from).and_then(|jwk| JwkSet::from_keys([jwk])) {
        Ok(keys) => put(keys, url, issuer),
        Err(error) => {
            tell_error(error);
            false
        }
    }
}

fn put(keys: JwkSet<Elsewhere, 4>, url: Text, issuer: &mut Option<Known>) -> bool {
    keys.skipped().iter().for_each(|skipped| tell_error(skipped.reason.into()));
    tell(if keys.skipped_count() > keys.skipped().len() { "more" } else { "" });
    keys.keys().iter().for_each(|key| tell(key.key_id().unwrap_or_default()));
    *issuer = Issuer::new(url.get(), keys).ok();
    issuer.is_some()
}

fn tell_error(error: Error) {
    tell(error.code());
    let _ = write!(Screen, "{error}");
    tell(if error.is_worth_a_key_refresh() { "refresh" } else { "" });
}

fn access_policy<'a>(
    settings: &'a Settings,
    scope: &'a [&'a str],
    others: &'a [&'a str],
) -> Option<AccessTokenPolicy<'a>> {
    let identifier = settings.identifier.get();
    let mut policy = match settings.choice & 3 {
        0 => AccessTokenPolicy::general(identifier).or_audiences(others),
        1 => AccessTokenPolicy::rfc9068(identifier).forbid_client_ids(others),
        _ => AccessTokenPolicy::without_audience(others),
    };
    policy = policy.leeway(settings.seconds);
    if settings.choice & 4 != 0 {
        let sets = ScopePolicy::all_of(scope).ok()?;
        policy = policy.require_scope(sets).require_permissions(ScopePolicy::any_of(scope).ok()?);
    }
    if settings.choice & 16 != 0 {
        policy = policy.max_age(settings.seconds).require_acr(others);
        policy = policy.max_token_age(settings.seconds).max_lifetime(settings.seconds);
    }
    if settings.choice & 32 != 0 {
        policy = policy.authorized_parties(others).require_subject(SubjectKind::User);
    }
    policy.build().ok()
}

fn tell_access_token(token: &Validated<AccessToken<'_>>) {
    tell(token.subject());
    tell(token.issuer());
    token.audience().iter().for_each(tell);
    token.scope().iter().for_each(tell);
    token.permissions().iter().for_each(tell);
    tell(token.confirmation().and_then(|confirmation| confirmation.jkt()).unwrap_or_default());
    tell(if token.is_for_userinfo() { "userinfo" } else { "" });
    tell(if token.subject_kind() == SubjectKind::User { "user" } else { "client" });
    if let Ok(custom) = token.claims::<Custom<'_>>() {
        tell_custom(&custom);
    }
}

/// Validates the value of an `Authorization` header.
#[unsafe(no_mangle)]
pub extern "C" fn validate_access_token(
    authorization: Text,
    settings: &Settings,
    issuers: &[Known; 2],
    buffer: &mut TokenBuffer<8192>,
    cache: &mut VerifiedTokenCache<16, 2048>,
) -> bool {
    let (scope, others) = (settings.scope.map(Text::get), settings.others.map(Text::get));
    let Some(policy) = access_policy(settings, &scope, &others) else { return false };
    let now = NumericDate::from_secs(settings.now);
    let bearer = match BearerToken::from_authorization(authorization.get()) {
        Ok(bearer) => bearer,
        Err(error) => return refuse(&policy, error),
    };
    let (certificate, jkt) = (settings.request_key.get(), settings.beside.get());
    let bearer = match RequestKey::certificate_and_dpop(certificate, jkt) {
        Ok(key) if settings.choice & 8 != 0 => bearer.with_key(key),
        _ => bearer,
    };
    let [first, _] = issuers;
    let by_issuer = issuers.each_ref().map(|issuer| (issuer, policy));
    let token = match settings.choice >> 8 {
        0 => AccessToken::validate(bearer, (first, &policy), now, buffer),
        1 => AccessToken::validate(bearer, (&issuers[..], &policy), now, buffer),
        2 => AccessToken::validate(bearer, &by_issuer, now, buffer),
        3 => AccessToken::validate_cached(bearer, (first, &policy), now, buffer, cache),
        4 => AccessToken::validate_cached(bearer, (&issuers[..], &policy), now, buffer, cache),
        5 => AccessToken::validate_cached(bearer, &by_issuer, now, buffer, cache),
        _ => {
            return match AccessToken::explain(bearer, &by_issuer, now, buffer) {
                Ok(broken) => broken.is_empty(),
                Err(error) => refuse(&policy, error),
            };
        }
    };
    match token {
        Ok(token) => {
            tell_access_token(&token);
            let needed = ScopePolicy::any_of(&scope);
            if let Some(Err(forbidden)) = needed.ok().map(|needed| token.authorize(&needed)) {
                tell_challenge(&forbidden.challenge());
            }
            token.to_owned_token::<2048>().is_ok()
        }
        Err(error) => refuse(&policy, error),
    }
}

/// Returns the issuer whose keys should be fetched again.
#[unsafe(no_mangle)]
pub extern "C" fn issuer_of(token: Text, issuers: &[Known; 2], buffer: &mut [u8; 8192]) -> bool {
    let Some(policy) = AccessTokenPolicy::general("api").build().ok() else { return false };
    let trust = (&issuers[..], &policy);
    let jws = CompactJws::parse(token.get()).and_then(|jws| jws.decode(buffer));
    match jws {
        Ok(jws) => trust.issuer_of(&jws).map(tell).is_some(),
        Err(error) => {
            tell_error(error);
            false
        }
    }
}

/// Writes the challenge.
fn refuse(policy: &AccessTokenPolicy<'_>, error: Error) -> bool {
    tell_error(error);
    tell_challenge(&policy.challenge(error));
    false
}

fn tell_challenge(challenge: &Challenge<'_>) {
    let _ = write!(Screen, "{}", challenge.realm("api"));
}

fn login(settings: &Settings) -> Option<Login<'_>> {
    let nonce = match settings.choice & 3 {
        0 => Nonce::Expect(settings.nonce.get()),
        1 => Nonce::ExpectNone,
        _ => Nonce::Ignore,
    };
    let mut login = Login::new(nonce);
    if settings.choice & 8 != 0 {
        login = login.access_token(BearerToken::new(settings.beside.get()));
        login = login.code_if_bound(settings.beside.get());
    }
    if settings.choice & 32 != 0 {
        login = login.organization(settings.beside.get());
    }
    login.build().ok()
}

fn id_policy<'a>(settings: &'a Settings, others: &'a [&'a str]) -> Option<IdTokenPolicy<'a>> {
    let mut policy = IdTokenPolicy::new(settings.identifier.get()).leeway(settings.seconds);
    if settings.choice & 4 != 0 {
        policy = policy.or_client_ids(others).trusted_audiences(others);
    }
    if settings.choice & 16 != 0 {
        policy = policy.max_age(settings.seconds).require_acr(others).require_amr(others);
        policy = policy.max_token_age(settings.seconds).max_lifetime(settings.seconds);
    }
    if settings.choice & 32 != 0 {
        policy = policy.accept_string_booleans();
    }
    policy.build().ok()
}

/// Validates an ID token, and then a `/userinfo` response.
#[unsafe(no_mangle)]
pub extern "C" fn validate_id_token(
    token: Text,
    settings: &Settings,
    issuers: &[Known; 2],
    buffer: &mut TokenBuffer<8192>,
    response: Text,
    other_buffer: &mut TokenBuffer<8192>,
) -> bool {
    let others = settings.others.map(Text::get);
    let Some(policy) = id_policy(settings, &others) else { return false };
    let Some(login) = login(settings) else { return false };
    let now = NumericDate::from_secs(settings.now);
    let [first, _] = issuers;
    let by_issuer = issuers.each_ref().map(|issuer| (issuer, policy));
    let validated = match settings.choice >> 8 {
        0 => IdToken::validate(token.get(), (first, &policy), login, now, buffer),
        1 => IdToken::validate(token.get(), (&issuers[..], &policy), login, now, buffer),
        2 => IdToken::validate(token.get(), &by_issuer, login, now, buffer),
        _ => {
            return match IdToken::explain(token.get(), &by_issuer, login, now, buffer) {
                Ok(broken) => broken.is_empty(),
                Err(error) => {
                    tell_error(error);
                    false
                }
            };
        }
    };
    match validated {
        Ok(token) => {
            tell_id_token(&token);
            match token.user_info(response.get(), other_buffer) {
                Ok(user) => tell(user.name().unwrap_or_default()),
                Err(error) => tell_error(error),
            }
            tell(if token.verify_refreshed(&token).is_ok() { "same" } else { "" });
            token.to_owned_token::<2048>().is_ok()
        }
        Err(error) => {
            tell_error(error);
            false
        }
    }
}

fn tell_id_token(token: &Validated<IdToken<'_>>) {
    tell(token.subject());
    tell(token.user().email().unwrap_or_default());
    let address = token.user().address();
    tell(address.and_then(|address| address.country()).unwrap_or_default());
    token.amr().iter().for_each(tell);
    if let Ok(custom) = token.claims::<Custom<'_>>() {
        tell_custom(&custom);
    }
}

/// Decides when to fetch the key set.
#[unsafe(no_mangle)]
pub extern "C" fn refresh(refresh: &mut JwksRefresh, now: u64, choice: u32) -> bool {
    let now = NumericDate::from_secs(now);
    match choice {
        0 => refresh.succeeded(now),
        1 => refresh.failed(now),
        2 => return refresh.on_schedule(now) == refresh.on_refusal(&Error::UnknownKey, now),
        _ => {}
    }
    refresh.failures() == 0
}

/// Panics for some input, so that `run.sh` can be tested.
#[cfg(feature = "panicking")]
#[unsafe(no_mangle)]
pub extern "C" fn panicking(text: Text, index: usize) -> u8 {
    text.get().as_bytes()[index]
}

/// Validates a logout token of a multi-tenant issuer, with claim rules.
#[unsafe(no_mangle)]
pub extern "C" fn validate_logout_token(
    token: Text,
    jwks: Text,
    settings: &Settings,
    window: &mut ReplayWindow<16>,
    buffer: &mut TokenBuffer<8192>,
) -> bool {
    let others = settings.others.map(Text::get);
    let Ok(keys) = JwkSet::<Elsewhere, 4>::from_json(jwks.get()) else { return false };
    let issuer =
        TenantIssuer::<_, 4, _, &[&str]>::new(settings.organization.get(), &others[..], keys);
    let Ok(issuer) = issuer else { return false };
    let rules = [
        ClaimRule::equals(&others, settings.beside.get()),
        ClaimRule::one_of(&["a", "b"], &others),
        ClaimRule::contains(&["a", "b", "c"], settings.beside.get()),
        ClaimRule::equals_integer(&["a"], 1),
    ];
    let [Ok(first), Ok(second), Ok(third), Ok(fourth)] = rules else { return false };
    let rules = [first, second, third, fourth];
    let policy = LogoutTokenPolicy::new(settings.identifier.get()).require_claims(&rules);
    let Ok(policy) = policy.accept_without_expiry(settings.seconds).build() else { return false };
    let now = NumericDate::from_secs(settings.now);
    match LogoutToken::validate(token.get(), (&issuer, &policy), now, buffer) {
        Ok(token) => {
            tell(token.subject().unwrap_or_default());
            tell(token.session_id().unwrap_or_default());
            let id = TokenId::logout_token::<Elsewhere>(
                token.issuer(),
                token.token_id().unwrap_or_default(),
            );
            id.is_some_and(|id| window.admit(id, now, now).is_ok())
        }
        Err(error) => {
            tell_error(error);
            false
        }
    }
}

/// Verifies the DPoP proof of a request.
#[unsafe(no_mangle)]
pub extern "C" fn verify_proof(
    proof: Text,
    settings: &Settings,
    window: &mut ReplayWindow<16>,
    buffer: &mut TokenBuffer<8192>,
) -> bool {
    let Ok(policy) = DpopPolicy::new().max_age(settings.seconds).build() else { return false };
    let token = DpopToken::new(settings.beside.get());
    let (method, url) = (settings.identifier.get(), settings.organization.get());
    let request = DpopRequest::to_resource(method, url, token).nonce(settings.beside.get());
    let now = NumericDate::from_secs(settings.now);
    let verified = DpopProof::verify::<Elsewhere, 8192>(proof.get(), &policy, request, now, buffer)
        .and_then(|proof| proof.once(window, now));
    match verified {
        Ok(proof) => {
            tell(proof.thumbprint());
            tell(proof.token_id());
            tell(token.with_proof(&proof).expose());
            true
        }
        Err(error) => {
            tell_error(error);
            let challenge = Challenge::new(error).dpop_proof(policy.algorithms());
            let _ = write!(Screen, "{challenge}");
            false
        }
    }
}

/// Reads a discovery document.
#[unsafe(no_mangle)]
pub extern "C" fn read_metadata(
    text: Text,
    settings: &Settings,
    buffer: &mut TokenBuffer<8192>,
) -> bool {
    match ProviderMetadata::from_json(text.get(), settings.identifier.get(), buffer) {
        Ok(metadata) => {
            tell(metadata.jwks_uri());
            true
        }
        Err(error) => {
            tell_error(error);
            false
        }
    }
}
