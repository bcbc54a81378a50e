//! The cache of verified tokens.

mod support;

use claimgate::{AccessTokenPolicy, BearerToken, ScopePolicy};
use claimgate_tower::{Authorities, Authority};
use support::*;

const ISSUER: &str = "https://issuer.example";

fn tokens(signer: &Signer, count: usize) -> Vec<String> {
    let token = |number: usize| signer.sign(&with(claims(ISSUER), "jti", number.to_string()));
    (0..count).map(token).collect()
}

fn authority(signer: &Signer) -> Authority {
    Authority::fixed(ISSUER, jwks(&[signer]))
}

/// Hits, misses and evictions.
fn counted(authorities: &Authorities) -> (u64, u64, u64) {
    let statistics = authorities.cache_statistics();
    (statistics.hits, statistics.misses, statistics.evictions)
}

#[tokio::test]
async fn two_thousand_tokens_in_turn_all_hit() {
    let signer = Signer::ec("a");
    let tokens = tokens(&signer, 2_000);
    let builder = || Authorities::builder([authority(&signer)]);
    // With the default size, and where each shard is full on the average.
    for authorities in [builder().build().unwrap(), builder().cache_entries(2_000).build().unwrap()]
    {
        for _ in 0..3 {
            for token in &tokens {
                assert_eq!(verdict(&authorities, token).await, "valid");
            }
        }
        assert_eq!(counted(&authorities), (4_000, 2_000, 0));
        assert_eq!(authorities.cache_statistics().entries, 2_000);
        assert!(authorities.cache_statistics().bytes < 8 * 1024 * 1024);
    }
}

#[tokio::test]
async fn the_size_is_limited_in_entries_and_in_bytes() {
    let signer = Signer::ec("a");
    let tokens = tokens(&signer, 20);
    let builder = || Authorities::builder([authority(&signer)]);
    let one = {
        let authorities = builder().build().unwrap();
        assert_eq!(verdict(&authorities, &tokens[0]).await, "valid");
        authorities.cache_statistics().bytes
    };
    assert!((2_048..4_096).contains(&one), "{one}");
    for (builder, entries) in [
        (builder().cache_entries(10), 10),
        (builder().cache_bytes(one * 11 - 1), 10),
        (builder().cache_bytes(one * 11), 11),
        (builder().cache_bytes(one), 1),
        (builder().cache_entries(1), 1),
        (builder().cache_entries(0), 0),
        (builder().cache_bytes(one - 1), 0),
        (builder().without_cache(), 0),
    ] {
        let authorities = builder.build().unwrap();
        for token in &tokens {
            assert_eq!(verdict(&authorities, token).await, "valid");
        }
        let statistics = authorities.cache_statistics();
        assert_eq!((statistics.entries, statistics.bytes), (entries, entries * one));
        let evictions = if entries == 0 { 0 } else { 20 - u64::try_from(entries).unwrap() };
        assert_eq!(statistics.evictions, evictions);
    }
}

#[tokio::test]
async fn a_token_occupies_space_according_to_its_length() {
    let signer = Signer::ec("a");
    let mut sizes = Vec::new();
    for (filling, lens) in
        [(0, 0..=1_024), (700, 1_025..=2_048), (2_000, 2_049..=4_096), (4_000, 4_097..=8_192)]
    {
        let token = signer.sign(&with(claims(ISSUER), "custom", "x".repeat(filling)));
        assert!(lens.contains(&token.len()), "{}", token.len());
        let authorities = Authorities::new([authority(&signer)]).unwrap();
        assert_eq!(verdict(&authorities, &token).await, "valid");
        sizes.push(authorities.cache_statistics().bytes);
    }
    let [one, two, four, sixteen] = sizes[..] else { panic!("four sizes") };
    assert_eq!((two - one, four - one, sixteen - one), (2 * 1_024, 2 * 3_072, 2 * 15_360));

    // For a long token, as many are evicted as necessary, which may be itself.
    let authorities = Authorities::builder([authority(&signer)]);
    let authorities = authorities.cache_bytes(sixteen + one).build().unwrap();
    for token in tokens(&signer, 20) {
        assert_eq!(verdict(&authorities, &token).await, "valid");
    }
    assert_eq!(authorities.cache_statistics().entries, (sixteen + one) / one);
    let long = signer.sign(&with(claims(ISSUER), "custom", "x".repeat(4_000)));
    assert_eq!(verdict(&authorities, &long).await, "valid");
    assert!(authorities.cache_statistics().bytes <= sixteen + one);
}

#[tokio::test]
async fn a_token_that_is_used_outlives_those_that_are_not() {
    let signer = Signer::ec("a");
    let tokens = tokens(&signer, 1_000);
    let authorities =
        Authorities::builder([authority(&signer)]).cache_entries(400).build().unwrap();
    for token in &tokens {
        assert_eq!(verdict(&authorities, token).await, "valid");
        assert_eq!(verdict(&authorities, &tokens[0]).await, "valid");
    }
    // The first was looked for a thousand times, and found each time.
    assert_eq!(counted(&authorities), (1_000, 1_000, 600));
}

#[tokio::test]
async fn every_rule_is_applied_to_a_token_that_is_found() {
    let signer = Signer::ec("a");
    let token = signer.sign(&with(claims(ISSUER), "exp", now() + 100));
    let clock = TestClock::at(now());
    let builder = Authorities::builder([authority(&signer)]);
    let authorities = builder.clock(clock.read()).build().unwrap();
    assert_eq!(verdict(&authorities, &token).await, "valid");
    assert_eq!(verdict(&authorities, &token).await, "valid");
    assert_eq!(counted(&authorities), (1, 1, 0));
    clock.advance(161);
    assert_eq!(verdict(&authorities, &token).await, "expired");
    assert_eq!(counted(&authorities), (2, 1, 0));
}

#[tokio::test]
async fn a_token_is_found_by_the_policy_that_accepted_it() {
    let signer = Signer::ec("a");
    let token = signer.sign(&claims(ISSUER));
    let authorities = Authorities::new([authority(&signer)]).unwrap();
    let read = ScopePolicy::all_of(&["read:patients"]).unwrap();
    let write = ScopePolicy::all_of(&["write:patients"]).unwrap();
    let policy = || AccessTokenPolicy::general(API);
    let policies = [
        policy().build().unwrap(),
        policy().leeway(1).build().unwrap(),
        policy().require_scope(read).build().unwrap(),
    ];
    let token = BearerToken::new(&token);
    for round in 0..2 {
        for (index, policy) in policies.iter().enumerate() {
            assert!(authorities.validate(token, policy).await.is_ok());
            let expected = if round == 0 { (0, index as u64 + 1) } else { (index as u64 + 1, 3) };
            let (hits, misses, _) = counted(&authorities);
            assert_eq!((hits, misses), expected);
        }
    }
    let policy = policy().require_scope(write).build().unwrap();
    for _ in 0..2 {
        let refusal = authorities.validate(token, &policy).await.unwrap_err();
        assert_eq!(refusal.code(), "insufficient_scope");
    }
    assert_eq!(counted(&authorities), (3, 5, 0));
}

#[tokio::test]
async fn tokens_of_all_lengths_are_validated_and_found() {
    let signer = Signer::ec("a");
    let authorities = Authorities::new([authority(&signer)]).unwrap();
    let mut found = 0;
    for len in [0, 500, 1_000, 2_000, 4_000, 5_500] {
        // Escapes, which take space twice.
        for filling in ["x", "\""] {
            let text = filling.repeat(len / filling.len() / if filling == "x" { 1 } else { 2 });
            let token = signer.sign(&with(claims(ISSUER), "custom", text.clone()));
            let token = BearerToken::new(&token);
            assert!(authorities.validate(token, &POLICY).await.is_ok(), "{len}");
            let caller = authorities.validate(token, &POLICY).await.unwrap();
            found += 1;
            assert_eq!(counted(&authorities).0, found, "{len}");
            #[derive(serde::Deserialize)]
            struct Custom {
                custom: String,
            }
            let custom: Custom = caller.token().claims_with(&mut [0; 8_192]).unwrap();
            assert_eq!(custom.custom, text);
        }
    }
    let long = signer.sign(&with(claims(ISSUER), "custom", "x".repeat(6_000)));
    assert_eq!(verdict(&authorities, &long).await, "token_too_large");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn workers_share_the_tokens() {
    let signer = Signer::ec("a");
    let tokens = std::sync::Arc::new(tokens(&signer, 200));
    let authorities =
        Authorities::builder([authority(&signer)]).cache_entries(150).build().unwrap();
    let workers: Vec<_> = (0..4)
        .map(|worker| {
            let (authorities, tokens) = (authorities.clone(), tokens.clone());
            tokio::spawn(async move {
                for round in 0..1_000 {
                    let token = &tokens[(worker * 50 + round * 7) % tokens.len()];
                    let caller = validate(&authorities, token).await.unwrap();
                    let number = ((worker * 50 + round * 7) % tokens.len()).to_string();
                    assert_eq!(caller.token().token_id(), Some(number.as_str()));
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    let statistics = authorities.cache_statistics();
    assert_eq!(statistics.hits + statistics.misses, 4_000);
    assert_eq!(statistics.entries, 150);
    // Two workers can miss one token at the same time, and one replaces the other's entry.
    assert!(statistics.misses - statistics.evictions >= 150);
}
