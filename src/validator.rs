//! The validation pipeline. Only this file, `owned.rs` (copies of validated tokens) and `dpop.rs`
//! (proofs) construct a [`Validated`].

use crate::access_token::AccessToken;
use crate::bearer::BearerToken;
use crate::buffer::TokenBuffer;
use crate::claims::NumericDate;
use crate::error::Error;
use crate::id_token::IdToken;
use crate::jws::CompactJws;
use crate::logout_token::LogoutToken;
use crate::policy::{AccessTokenPolicy, IdTokenPolicy, Judge, Login, LogoutTokenPolicy, RuleSet};
use crate::public_key::{PublicKey, VerifiedJws};
use crate::trust::{Trust, is_issuer, sealed};
use crate::validated::Validated;

/// Verifies the signature of a token with the key of its issuer, and calls `judge` with the
/// policy for the token and the values that the policy compares it with.
///
/// This is the only place where an issuer is selected, and it is selected before its keys: the
/// keys of an issuer verify only the tokens of that issuer.
#[inline(always)]
fn verify<'t, 'b, P, T, R, const N: usize>(
    token: &str,
    trust: &'t T,
    request: P::Request<'t>,
    now: NumericDate,
    buffer: &'b mut TokenBuffer<N>,
    judge: impl FnOnce(VerifiedJws<'b>, &'t P, P::Context<'t>) -> Result<R, Error>,
) -> Result<R, Error>
where
    P: Judge<'b> + 't,
    T: sealed::Trust<P>,
{
    let jws = CompactJws::parse_up_to(token, buffer.token_len_limit())?
        .decode_with(T::Key::ALGORITHMS, &mut buffer.bytes)?;
    let (issuer, policy) = trust.select(|| jws.claimed_issuer()).ok_or(Error::UnknownIssuer)?;
    let key = issuer.keys().select(jws.header())?;
    let jws = jws.verify(key)?;
    judge(jws, policy, P::context(issuer.expected(), request, now, key))
}

#[inline(always)]
pub(crate) fn validate<'t, 'b, P, T, const N: usize>(
    token: &str,
    trust: &'t T,
    request: P::Request<'t>,
    now: NumericDate,
    buffer: &'b mut TokenBuffer<N>,
) -> Result<Validated<P::Token>, Error>
where
    P: Judge<'b> + 't,
    T: sealed::Trust<P>,
{
    verify::<P, T, _, N>(token, trust, request, now, buffer, |jws, policy, mut context| {
        let mut token = P::EMPTY;
        policy.read(&mut token, jws, &mut context)?;
        policy.check(&token, &context)?;
        Ok(Validated(token))
    })
}

fn explain<'t, 'b, P, T, const N: usize>(
    token: &str,
    trust: &'t T,
    request: P::Request<'t>,
    now: NumericDate,
    buffer: &'b mut TokenBuffer<N>,
) -> Result<RuleSet, Error>
where
    P: Judge<'b> + 't,
    T: sealed::Trust<P>,
{
    verify::<P, T, _, N>(token, trust, request, now, buffer, |jws, policy, mut context| {
        let mut token = P::EMPTY;
        policy.read(&mut token, jws, &mut context)?;
        Ok(policy.failures(&token, &context))
    })
}

impl BearerToken<'_> {
    /// Returns the index of the issuer that the token claims to be from: its URL, or the
    /// template of a multi-tenant issuer.
    ///
    /// **The claim is unverified.** Use it only to select one of several key sets, or to
    /// decide which keys to fetch again. The validation compares it again.
    ///
    /// ```
    /// use claimgate::{BearerToken, TokenBuffer};
    ///
    /// const ISSUERS: [&str; 2] = ["https://a.example/", "https://b.example/"];
    ///
    /// // {"iss":"https://b.example/"}
    /// let token = BearerToken::new("e30.eyJpc3MiOiJodHRwczovL2IuZXhhbXBsZS8ifQ.AA");
    /// let mut buffer = TokenBuffer::<4096>::new();
    /// assert_eq!(token.claimed_issuer(&ISSUERS, &mut buffer), Some(1));
    /// assert_eq!(token.claimed_issuer(&ISSUERS[..1], &mut buffer), None);
    /// assert_eq!(BearerToken::new("opaque").claimed_issuer(&ISSUERS, &mut buffer), None);
    /// ```
    #[must_use]
    pub fn claimed_issuer<const N: usize>(
        &self,
        issuers: &[impl AsRef<str>],
        buffer: &mut TokenBuffer<N>,
    ) -> Option<usize> {
        let jws = CompactJws::parse_up_to(self.expose(), buffer.token_len_limit()).ok()?;
        let iss = jws.claimed_issuer(&mut buffer.bytes)?;
        issuers.iter().position(|issuer| is_issuer(issuer.as_ref(), iss))
    }
}

impl<'b> AccessToken<'b> {
    /// Validates an access token at the time `now`: structure, header, key, signature,
    /// claims, and the rules of the policy.
    ///
    /// `trust` names the issuers and their policies, for example `(&issuer, &POLICY)`;
    /// see [`Trust`].
    ///
    /// ```
    /// use claimgate::{
    ///     AccessToken, AccessTokenPolicy, BearerToken, Error, Issuer, NumericDate, PublicKey,
    ///     TokenBuffer,
    /// };
    ///
    /// fn subject<K: PublicKey>(
    ///     authorization: &str,
    ///     issuer: &Issuer<K, 4>,
    ///     policy: &AccessTokenPolicy<'_>,
    ///     now: NumericDate,
    /// ) -> Result<String, Error> {
    ///     let token = BearerToken::from_authorization(authorization)?;
    ///     let mut buffer = TokenBuffer::<4096>::new();
    ///     let token = AccessToken::validate(token, (issuer, policy), now, &mut buffer)?;
    ///     Ok(token.subject().to_owned())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The first rule that fails, in this order: structure, header, key, signature, types of
    /// the claims, issuer, time, audience, kind, the other rules. Claims are not read before
    /// the signature is verified, except for `iss` if there are several issuers:
    /// [`Error::UnknownIssuer`], without the cost of a signature, if the token names none of
    /// them or its payload cannot be read.
    #[expect(clippy::needless_pass_by_value, reason = "a pair of references, or a reference")]
    pub fn validate<'p, const N: usize>(
        token: BearerToken<'_>,
        trust: impl Trust<AccessTokenPolicy<'p>>,
        now: NumericDate,
        buffer: &'b mut TokenBuffer<N>,
    ) -> Result<Validated<Self>, Error> {
        validate(token.expose(), &trust, token.key(), now, buffer)
    }

    /// Returns all rules that a token violates, not just the first, for diagnosis. The set is
    /// empty if and only if [`validate`](Self::validate) accepts the token.
    ///
    /// # Errors
    ///
    /// Those of [`validate`](Self::validate) before the first rule: a token with an invalid
    /// signature is not explained.
    #[expect(clippy::needless_pass_by_value, reason = "a pair of references, or a reference")]
    pub fn explain<'p, const N: usize>(
        token: BearerToken<'_>,
        trust: impl Trust<AccessTokenPolicy<'p>>,
        now: NumericDate,
        buffer: &mut TokenBuffer<N>,
    ) -> Result<RuleSet, Error> {
        explain(token.expose(), &trust, token.key(), now, buffer)
    }
}

impl<'b> IdToken<'b> {
    /// Validates an ID token at the time `now`: structure, header, key, signature,
    /// claims, and the rules of the policy.
    ///
    /// `trust` names the issuers and their policies, for example `(&issuer, &POLICY)`; see
    /// [`Trust`]. `login` contains the expectations of this login.
    ///
    /// ```
    /// use claimgate::{
    ///     Error, IdToken, IdTokenPolicy, Issuer, Login, NumericDate, PublicKey, TokenBuffer,
    /// };
    ///
    /// fn subject<K: PublicKey>(
    ///     id_token: &str,
    ///     issuer: &Issuer<K, 4>,
    ///     policy: &IdTokenPolicy<'_>,
    ///     login: Login<'_>,
    ///     now: NumericDate,
    /// ) -> Result<String, Error> {
    ///     let mut buffer = TokenBuffer::<4096>::new();
    ///     let token = IdToken::validate(id_token, (issuer, policy), login, now, &mut buffer)?;
    ///     Ok(token.subject().to_owned())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`AccessToken::validate`], in the same order.
    #[expect(clippy::needless_pass_by_value, reason = "a pair of references, or a reference")]
    pub fn validate<'p, const N: usize>(
        token: &str,
        trust: impl Trust<IdTokenPolicy<'p>>,
        login: Login<'_>,
        now: NumericDate,
        buffer: &'b mut TokenBuffer<N>,
    ) -> Result<Validated<Self>, Error> {
        validate(token, &trust, login, now, buffer)
    }

    /// Returns all rules that a token violates, not just the first, for diagnosis. The set is
    /// empty if and only if [`validate`](Self::validate) accepts the token.
    ///
    /// # Errors
    ///
    /// Those of [`validate`](Self::validate) before the first rule: a token with an invalid
    /// signature is not explained.
    #[expect(clippy::needless_pass_by_value, reason = "a pair of references, or a reference")]
    pub fn explain<'p, const N: usize>(
        token: &str,
        trust: impl Trust<IdTokenPolicy<'p>>,
        login: Login<'_>,
        now: NumericDate,
        buffer: &mut TokenBuffer<N>,
    ) -> Result<RuleSet, Error> {
        explain(token, &trust, login, now, buffer)
    }
}

impl<'b> LogoutToken<'b> {
    /// Validates a logout token at the time `now`: structure, header, key, signature, claims,
    /// and the rules of the policy.
    ///
    /// `trust` names the issuers and their policies, for example `(&issuer, &POLICY)`;
    /// see [`Trust`].
    ///
    /// # Errors
    ///
    /// Those of [`AccessToken::validate`], in the same order.
    #[expect(clippy::needless_pass_by_value, reason = "a pair of references, or a reference")]
    pub fn validate<'p, const N: usize>(
        token: &str,
        trust: impl Trust<LogoutTokenPolicy<'p>>,
        now: NumericDate,
        buffer: &'b mut TokenBuffer<N>,
    ) -> Result<Validated<Self>, Error> {
        validate(token, &trust, (), now, buffer)
    }

    /// Returns all rules that a token violates, not just the first, for diagnosis. The set is
    /// empty if and only if [`validate`](Self::validate) accepts the token.
    ///
    /// # Errors
    ///
    /// Those of [`validate`](Self::validate) before the first rule.
    #[expect(clippy::needless_pass_by_value, reason = "a pair of references, or a reference")]
    pub fn explain<'p, const N: usize>(
        token: &str,
        trust: impl Trust<LogoutTokenPolicy<'p>>,
        now: NumericDate,
        buffer: &mut TokenBuffer<N>,
    ) -> Result<RuleSet, Error> {
        explain(token, &trust, (), now, buffer)
    }
}
