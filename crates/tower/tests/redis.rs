//! The replay store in Redis.

#[path = "support/redis.rs"]
mod server;
mod support;

use claimgate::replay::TokenId;
use claimgate::{NumericDate, RingAnyKey};
use claimgate_tower::replay::redis::RedisReplayStore;
use claimgate_tower::replay::{ReplayStore, ReplayStoreError, UsedProof};
use server::RedisServer;
use support::*;
use tokio::time::{Duration, sleep};

fn store(server: &RedisServer) -> RedisReplayStore {
    RedisReplayStore::connect(&format!("redis://127.0.0.1:{}/", server.port)).unwrap()
}

fn proof(jti: &str, seconds: u64) -> UsedProof<'static> {
    let id = TokenId::dpop_proof::<RingAnyKey>("thumbprint", jti).unwrap();
    let now = NumericDate::from_secs(now());
    UsedProof::new(id, "thumbprint", NumericDate::from_secs(now.as_secs() + seconds), now)
}

#[tokio::test]
async fn two_instances_admit_a_proof_once_together() {
    let server = RedisServer::start().await;
    let (one, two) = (store(&server), store(&server));
    assert_eq!(one.admit(proof("1", 60)).await, Ok(()));
    assert_eq!(two.admit(proof("1", 60)).await, Err(ReplayStoreError::Replayed));
    assert_eq!(one.admit(proof("1", 60)).await, Err(ReplayStoreError::Replayed));
    assert_eq!(two.admit(proof("2", 60)).await, Ok(()));
    // Two services with one Redis do not affect each other.
    assert_eq!(two.clone().prefix("other:").admit(proof("2", 60)).await, Ok(()));
    // Many concurrent requests.
    for round in 0..20 {
        let jti = format!("round-{round}");
        let (left, right) = tokio::join!(one.admit(proof(&jti, 60)), two.admit(proof(&jti, 60)));
        assert_eq!([left.is_ok(), right.is_ok()].iter().filter(|ok| **ok).count(), 1);
    }
    // A proof is forgotten after its time, and not before.
    assert_eq!(one.admit(proof("3", 1)).await, Ok(()));
    sleep(Duration::from_millis(900)).await;
    assert_eq!(one.admit(proof("3", 1)).await, Err(ReplayStoreError::Replayed));
    sleep(Duration::from_millis(1_500)).await;
    assert_eq!(one.admit(proof("3", 1)).await, Ok(()));
    // An expired proof is not admitted.
    assert_eq!(one.admit(proof("4", 0)).await, Err(ReplayStoreError::Replayed));
}

#[tokio::test]
async fn when_redis_is_away_a_proof_is_refused() {
    let server = RedisServer::start().await;
    let store = store(&server);
    assert_eq!(store.admit(proof("1", 60)).await, Ok(()));
    let port = server.port;
    drop(server);
    for jti in ["1", "2"] {
        let refused = store.admit(proof(jti, 60)).await;
        assert!(matches!(refused, Err(ReplayStoreError::Unavailable(_))), "{refused:?}");
    }
    // It is used again after it is restarted.
    let _server = RedisServer::start_at(port).await;
    let mut admitted = Err(ReplayStoreError::Full);
    for attempt in 0..50 {
        admitted = store.admit(proof(&format!("back-{attempt}"), 60)).await;
        if admitted.is_ok() {
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(admitted, Ok(()));
}

#[tokio::test]
async fn a_store_that_was_never_there_refuses() {
    let store = RedisReplayStore::connect("redis://127.0.0.1:1/").unwrap();
    let text = format!("{:?}", store.clone().prefix("other:"));
    assert_eq!(text, "RedisReplayStore { prefix: \"other:\", .. }");
    let refused = store.admit(proof("1", 60)).await;
    assert!(matches!(refused, Err(ReplayStoreError::Unavailable(_))), "{refused:?}");
    assert!(RedisReplayStore::connect("127.0.0.1").is_err());
}

#[test]
fn outside_of_a_runtime_there_is_no_store() {
    let refused = RedisReplayStore::connect("redis://127.0.0.1:1/").map(drop);
    let reason = "there is no Tokio runtime".to_owned();
    assert_eq!(refused, Err(ReplayStoreError::Unavailable(reason)));
}
