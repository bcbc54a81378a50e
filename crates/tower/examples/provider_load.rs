//! The program that `tests/run.sh` runs with a certified provider: it validates tokens under
//! load while the provider's keys are rotated, and compares the verdicts with expected ones.
//!
//! `provider_load ISSUER`, with one command per line of standard input:
//!
//! - `good FILE…`: from now on, these tokens are valid; workers validate them continuously
//! - `expect CODE FILE`: waits, at most ten seconds, until each token of the file has this verdict
//! - `flood N`: N tokens with an unknown `kid`; prints the seconds and the fetches

use std::collections::BTreeMap;
use std::env;
use std::io::{BufRead, stdin};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use base64ct::{Base64UrlUnpadded, Encoding};
use claimgate::refresh::JwksRefresh;
use claimgate::{AccessTokenPolicy, BearerToken, at_compile_time};
use claimgate_tower::{Authorities, Authority};
use serde_json::Value;
use tokio::time::sleep;

const POLICY: AccessTokenPolicy<'_> = at_compile_time!(
    AccessTokenPolicy::rfc9068("https://api.example/RS256")
        .or_audiences(&[
            "https://api.example/PS256",
            "https://api.example/ES256",
            "https://api.example/EdDSA",
            "https://api.example/Ed25519",
        ])
        .build()
);

type Failure = Box<dyn std::error::Error>;

/// Tokens with their algorithms.
type Tokens = Vec<(String, String)>;

/// Reads the access tokens of a file of `tests/provider/login.mjs` that are not bound to a key.
fn tokens(file: &str) -> Result<Tokens, Failure> {
    let content: Value = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    let mut tokens = Tokens::new();
    for token in content["tokens"].as_array().ok_or("no tokens")? {
        let text = token["token"].as_str().unwrap_or_default();
        let payload = text.split('.').nth(1).unwrap_or_default();
        if token["use"] == "access" {
            let payload =
                Base64UrlUnpadded::decode_vec(payload).map_err(|error| error.to_string())?;
            let payload: Value = serde_json::from_slice(&payload)?;
            if payload.get("cnf").is_none() {
                tokens.push((token["alg"].as_str().unwrap_or_default().into(), text.to_owned()));
            }
        }
    }
    if tokens.is_empty() { Err("no tokens".into()) } else { Ok(tokens) }
}

fn nth(list: &RwLock<Tokens>, round: usize) -> Option<String> {
    let list = list.read().unwrap_or_else(|poisoned| poisoned.into_inner());
    list.get(round % list.len().max(1)).map(|(_, token)| token.clone())
}

fn is_listed(list: &RwLock<Tokens>, token: &str) -> bool {
    let list = list.read().unwrap_or_else(|poisoned| poisoned.into_inner());
    list.iter().any(|(_, one)| one == token)
}

async fn verdict(authorities: &Authorities, token: &str) -> &'static str {
    match authorities.validate(BearerToken::new(token), &POLICY).await {
        Ok(_) => "valid",
        Err(refusal) => refusal.code(),
    }
}

fn fetches(authorities: &Authorities) -> u64 {
    authorities.health().authorities.iter().map(|one| one.fetches).sum()
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let issuer = env::args().nth(1).ok_or("usage: provider_load ISSUER")?;
    let refresh = JwksRefresh::new().max_age(2).cool_down(1).max_back_off(1);
    let authority = || {
        Authority::discover(issuer.as_str())
            .danger_allow_loopback_http()
            .refresh(refresh)
            .timeouts(Duration::from_millis(500), Duration::from_millis(900))
    };
    // Every other worker verifies each signature.
    let all = [
        Authorities::new([authority()])?,
        Authorities::builder([authority()]).without_cache().build()?,
    ];
    for authorities in &all {
        authorities.ready().await;
    }
    let good = Arc::new(RwLock::new(Tokens::new()));
    let (validated, refused) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    for worker in 0..4 {
        let (authorities, good) = (all[worker % 2].clone(), Arc::clone(&good));
        let (validated, refused) = (Arc::clone(&validated), Arc::clone(&refused));
        tokio::spawn(async move {
            for round in worker.. {
                let Some(token) = nth(&good, round) else {
                    sleep(Duration::from_millis(10)).await;
                    continue;
                };
                let verdict = verdict(&authorities, &token).await;
                // A token that was removed from the list in the meantime does not count.
                if is_listed(&good, &token) {
                    validated.fetch_add(1, SeqCst);
                    if verdict != "valid" {
                        refused.fetch_add(1, SeqCst);
                        println!("refused: {verdict}");
                    }
                }
                tokio::task::yield_now().await;
            }
        });
    }

    let mut algorithms = BTreeMap::<String, u64>::new();
    let lines = stdin().lock().lines();
    for line in lines {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["good", files @ ..] => {
                let mut all = Tokens::new();
                for file in files {
                    all.extend(tokens(file)?);
                }
                *good.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = all;
            }
            ["expect", code, file] => {
                for (algorithm, token) in tokens(file)? {
                    for authorities in &all {
                        let started = Instant::now();
                        let mut found = verdict(authorities, &token).await;
                        while found != *code {
                            if started.elapsed() > Duration::from_secs(10) {
                                return Err(format!("{algorithm}: {found}, not {code}").into());
                            }
                            sleep(Duration::from_millis(50)).await;
                            found = verdict(authorities, &token).await;
                        }
                        *algorithms.entry(algorithm.clone()).or_default() += 1;
                    }
                }
            }
            ["flood", count] => {
                let count: u64 = count.parse()?;
                let (before, started) = (fetches(&all[0]), Instant::now());
                for number in 0..count {
                    let header = format!(r#"{{"alg":"RS256","typ":"at+jwt","kid":"{number}"}}"#);
                    let header = Base64UrlUnpadded::encode_string(header.as_bytes());
                    let payload = format!(r#"{{"iss":"{issuer}"}}"#);
                    let payload = Base64UrlUnpadded::encode_string(payload.as_bytes());
                    let found = verdict(&all[0], &format!("{header}.{payload}.AAAA")).await;
                    if !matches!(found, "unknown_key" | "keys_being_fetched") {
                        return Err(format!("an unknown kid: {found}").into());
                    }
                }
                let (seconds, fetches) = (started.elapsed().as_secs_f64(), fetches(&all[0]));
                let fetches = fetches.saturating_sub(before);
                // One for each started interval of the cool-down or of the age.
                if fetches as f64 > seconds + 2.0 {
                    return Err(format!("{fetches} fetches in {seconds:.1} s").into());
                }
                println!("flood: {count} unknown kids in {seconds:.1} s, {fetches} fetches");
            }
            [] => {}
            _ => return Err(format!("what is {line}?").into()),
        }
        println!("done: {line}");
    }
    let (validated, refused) = (validated.load(SeqCst), refused.load(SeqCst));
    let statistics = all[0].cache_statistics();
    println!(
        "{validated} validations under load, {refused} good tokens refused, {} hits, {} misses; \
         {} fetches; verdicts {algorithms:?}",
        statistics.hits,
        statistics.misses,
        fetches(&all[0]) + fetches(&all[1]),
    );
    if refused > 0 || validated == 0 { Err("wrong verdicts".into()) } else { Ok(()) }
}
