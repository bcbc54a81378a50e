//! DPoP proofs of requests
//! ([RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use claimgate::bearer::DpopToken;
use claimgate::dpop::{DpopRequest, UnseenProof};
use claimgate::policy::DpopPolicy;
use claimgate::{
    DpopProof, Error, NumericDate, PublicKey, RingAnyKey, TokenBuffer, at_compile_time,
};
use http::HeaderMap;
use tokio::time::timeout;

use crate::authorities::Authorities;
use crate::policies::Policies;
use crate::refusal::Refusal;
use crate::replay::{ReplayStore, ReplayStoreError, UsedProof};
use crate::token::Authenticated;

const POLICY: DpopPolicy = at_compile_time!(DpopPolicy::new().build());

/// The length of the longest proof, in bytes.
const MAX_PROOF_LEN: usize = 4_096;

/// The timeout of a store, whatever its own limits are.
const STORE: Duration = Duration::from_secs(5);

/// The function that verifies a proof with one type of keys.
type Verify = for<'b> fn(
    &str,
    &DpopPolicy,
    DpopRequest<'_>,
    NumericDate,
    &'b mut TokenBuffer<MAX_PROOF_LEN>,
) -> Result<UnseenProof<'b>, Error>;

fn verify<'b, K: PublicKey>(
    proof: &str,
    policy: &DpopPolicy,
    request: DpopRequest<'_>,
    now: NumericDate,
    buffer: &'b mut TokenBuffer<MAX_PROOF_LEN>,
) -> Result<UnseenProof<'b>, Error> {
    DpopProof::verify::<K, _>(proof, policy, request, now, buffer)
}

/// The parts of a request that its DPoP proof is compared with.
#[derive(Clone, Copy, Debug)]
pub struct ProvenRequest<'r> {
    /// The method.
    pub method: &'r str,
    /// The path as the client sent it. A query is ignored.
    pub path: &'r str,
    /// The header fields, one of which is the proof.
    pub headers: &'r HeaderMap,
}

/// The checks of DPoP proofs.
///
/// ```
/// use claimgate_tower::Dpop;
/// use claimgate_tower::replay::MemoryReplayStore;
///
/// let dpop = Dpop::new("https://api.example.com", MemoryReplayStore::new());
/// ```
#[derive(Clone)]
pub struct Dpop {
    origin: Arc<str>,
    policy: DpopPolicy,
    verify: Verify,
    store: Arc<dyn ReplayStore>,
}

impl Dpop {
    /// Constructs checks for proofs for URLs of this origin: scheme, host and, unless it is
    /// the default, port. The path is that of the request.
    ///
    /// The origin is configured because a client can send any `Host`. It may end with a path
    /// prefix that a proxy removes from the URLs of the service.
    #[must_use]
    pub fn new(origin: impl Into<String>, store: impl ReplayStore + 'static) -> Self {
        let origin: String = origin.into();
        Self {
            origin: origin.trim_end_matches('/').into(),
            policy: POLICY,
            verify: verify::<RingAnyKey>,
            store: Arc::new(store),
        }
    }

    /// Sets the policy of proofs. By default, proofs are accepted for 60 seconds.
    #[must_use]
    pub const fn with_policy(mut self, policy: DpopPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets the type of the keys that verify proofs. The default is [`RingAnyKey`].
    #[must_use]
    pub fn keys_of_type<K: PublicKey>(mut self) -> Self {
        self.verify = verify::<K>;
        self
    }

    pub(crate) const fn policy(&self) -> &DpopPolicy {
        &self.policy
    }

    /// Validates the access token of a request and its proof. The proof is stored last, so a
    /// request that is rejected for another reason does not use it up.
    ///
    /// # Errors
    ///
    /// Those of [`Authorities::validate`]; [`Refusal::Proof`] with the rule that the proof
    /// does not meet, or with [`ReplayWindowFull`](claimgate::Error::ReplayWindowFull);
    /// [`Refusal::ReplayStore`].
    pub async fn validate<P: Policies + ?Sized>(
        &self,
        authorities: &Authorities,
        policies: &P,
        request: ProvenRequest<'_>,
        token: DpopToken<'_>,
    ) -> Result<Authenticated, Refusal> {
        let now = authorities.now();
        let ProvenRequest { method, path, headers } = request;
        // Non-ASCII values are not JWSs either.
        let values = headers.get_all("dpop").iter();
        let values = values.map(|value| value.to_str().unwrap_or_default());
        let text = DpopProof::from_header_values(values).map_err(Refusal::Proof)?;
        let url = format!("{}{path}", self.origin);
        let request = DpopRequest::to_resource(method, &url, token);
        let mut buffer = TokenBuffer::new().max_token_len(MAX_PROOF_LEN);
        let unseen = (self.verify)(text, &self.policy, request, now, &mut buffer);
        let unseen = unseen.map_err(Refusal::Proof)?;
        let (id, until) = (unseen.id(), unseen.valid_until());
        // This is checked below, before the result is used.
        let proof = unseen.danger_assume_unseen();
        let caller = authorities.validate(token.with_proof(&proof), policies).await?;
        // The validation may have waited for keys.
        let now = authorities.now();
        if now >= until {
            let late = (self.verify)(text, &self.policy, request, now, &mut buffer);
            return Err(Refusal::Proof(late.err().unwrap_or(Error::Replayed)));
        }
        self.remember(UsedProof::new(id, proof.thumbprint(), until, now)).await?;
        Ok(caller)
    }

    async fn remember(&self, proof: UsedProof<'_>) -> Result<(), Refusal> {
        match timeout(STORE, self.store.admit(proof)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(ReplayStoreError::Replayed)) => Err(Refusal::Proof(Error::Replayed)),
            Ok(Err(ReplayStoreError::Full)) => Err(Refusal::Proof(Error::ReplayWindowFull)),
            Ok(Err(error @ ReplayStoreError::Unavailable(_))) => {
                tracing::error!(%error, "a DPoP proof is refused");
                Err(Refusal::ReplayStore)
            }
            Err(_) => {
                tracing::error!("a DPoP proof is refused: the store does not answer");
                Err(Refusal::ReplayStore)
            }
        }
    }
}

impl fmt::Debug for Dpop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dpop")
            .field("origin", &self.origin)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
