//! Two gateways that share a store of DPoP proofs. The tests start `redis-server`, from Debian's
//! package of this name.

use crate::dpop::{Client, ORIGIN};
use crate::redis_server::RedisServer;
use crate::support::*;

#[tokio::test]
async fn two_gateways_with_a_store_accept_a_proof_once() {
    let redis = RedisServer::start().await;
    let (issuer, signer) = one_issuer().await;
    let client = Client::new(&issuer, &signer);
    let dpop =
        format!("[dpop]\norigin = \"{ORIGIN}\"\nredis = \"redis://127.0.0.1:{}/\"", redis.port);
    let config = Config::of(&issuer).top(&dpop);
    let (one, two) = (config.start().await, config.start().await);
    for (jti, first, second) in [("1", &one, &two), ("2", &two, &one)] {
        let proof = client.proof(&client.claims(jti));
        assert_eq!(client.ask(first, "DPoP", &[&proof]).await.status, 200);
        assert_eq!(client.ask(second, "DPoP", &[&proof]).await.status, 401);
        assert_eq!(client.ask(first, "DPoP", &[&proof]).await.status, 401);
    }
    for round in 0..10 {
        let proof = client.proof(&client.claims(&format!("round-{round}")));
        let proofs = [proof.as_str()];
        let (left, right) =
            tokio::join!(client.ask(&one, "DPoP", &proofs), client.ask(&two, "DPoP", &proofs));
        let mut statuses = [left.status, right.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401]);
    }
    // Without the store, a replay cannot be excluded.
    let used = client.proof(&client.claims("1"));
    let unused = client.proof(&client.claims("unused"));
    drop(redis);
    for (gateway, proof) in [(&one, &unused), (&two, &unused), (&one, &used), (&two, &used)] {
        let reply = client.ask(gateway, "DPoP", &[proof]).await;
        assert_eq!((reply.status, reply.challenge()), (503, ""));
    }
    // Bearer tokens do not depend on the store.
    assert_eq!(one.open(&signer.sign(&claims(&issuer.url))).await, 200);
}
