//! A replay store in Redis, for several instances.

use std::fmt::{self, Write};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, ExistenceCheck, SetExpiry, SetOptions, cmd};
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::{Admission, ReplayStore, ReplayStoreError, UsedProof};

/// The timeout of a command.
const ANSWER: Duration = Duration::from_secs(1);

/// A store in Redis: `SET key 1 NX EX seconds` for each proof.
///
/// If Redis does not answer within a second, or answers with an error, for example because its
/// memory is full, the proof is rejected. Redis must not lose keys: with an eviction policy
/// other than `noeviction`, or after a failover to a replica, a proof could be used twice.
///
/// Expiry is measured by the clock of Redis from the request on, with a second added, so its
/// clock need not be exact.
#[derive(Clone)]
pub struct RedisReplayStore {
    connection: ConnectionManager,
    prefix: String,
}

impl RedisReplayStore {
    /// Connects to Redis, for example at `redis://127.0.0.1/`. The connection is restored
    /// when it is lost.
    ///
    /// # Errors
    ///
    /// [`ReplayStoreError::Unavailable`] for an invalid URL, and outside of a Tokio runtime. An
    /// unavailable server is an error only when a proof is stored.
    pub fn connect(url: &str) -> Result<Self, ReplayStoreError> {
        if Handle::try_current().is_err() {
            return Err(ReplayStoreError::Unavailable("there is no Tokio runtime".to_owned()));
        }
        let client = Client::open(url).map_err(|error| unavailable(&error))?;
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_connection_timeout(Some(ANSWER))
            .set_response_timeout(Some(ANSWER));
        let connection = ConnectionManager::new_lazy_with_config(client, config)
            .map_err(|error| unavailable(&error))?;
        Ok(Self { connection, prefix: "claimgate:dpop:".to_owned() })
    }

    /// Sets the prefix of all keys. The default is `claimgate:dpop:`.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }
}

impl ReplayStore for RedisReplayStore {
    fn admit(&self, proof: UsedProof<'_>) -> Admission<'_> {
        let mut key = self.prefix.clone();
        for byte in proof.id.to_bytes() {
            // Writing to a string does not fail.
            let _: fmt::Result = write!(key, "{byte:02x}");
        }
        let rest = proof.until.as_secs().saturating_sub(proof.now.as_secs());
        let options = SetOptions::default()
            .conditional_set(ExistenceCheck::NX)
            .with_expiration(SetExpiry::EX(rest.saturating_add(1)));
        let mut connection = self.connection.clone();
        Box::pin(async move {
            if rest == 0 {
                return Err(ReplayStoreError::Replayed);
            }
            let mut command = cmd("SET");
            command.arg(key).arg(1).arg(options);
            let answer = command.query_async::<Option<String>>(&mut connection);
            match timeout(ANSWER, answer).await {
                Ok(Ok(Some(_))) => Ok(()),
                Ok(Ok(None)) => Err(ReplayStoreError::Replayed),
                Ok(Err(error)) => Err(unavailable(&error)),
                Err(_) => Err(ReplayStoreError::Unavailable("no answer in time".to_owned())),
            }
        })
    }
}

/// Returns an error without text of the URL, which may contain a password.
fn unavailable(error: &redis::RedisError) -> ReplayStoreError {
    ReplayStoreError::Unavailable(error.category().to_owned())
}

impl fmt::Debug for RedisReplayStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisReplayStore").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
