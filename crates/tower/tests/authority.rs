//! Keys: discovery, fetching, renewal and withdrawal, and hostile issuers.

mod support;

use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use claimgate::error::Input;
use claimgate::jwk::Algorithms;
use claimgate::{Algorithm, Error, NumericDate, RingKey};
use claimgate_tower::{Authorities, Authority, AuthorityError, FetchError, KeyState, Refusal};
use support::*;

/// Builds the authorities, and waits until the first fetch has ended.
async fn fetched(authority: Authority) -> Authorities {
    let authorities = Authorities::new([authority]).unwrap();
    let health = || authorities.health().authorities[0].clone();
    until(|| health().fetches > 0 || health().state == KeyState::Ready).await;
    authorities
}

fn quick(authority: Authority) -> Authority {
    authority.timeouts(Duration::from_millis(200), Duration::from_millis(400)).refresh(eager())
}

fn patient(authority: Authority) -> Authority {
    authority.timeouts(Duration::from_secs(20), Duration::from_secs(20)).refresh(eager())
}

#[tokio::test]
async fn a_request_waits_for_the_first_keys() {
    let signer = Signer::rsa("a");
    let serve = Behaviour::Slow(jwks(&[&signer]), Duration::from_millis(100));
    let issuer = TestIssuer::start(serve).await;
    let authorities = Authorities::new([issuer.authority()]).unwrap();
    assert_eq!(authorities.health().authorities[0].state, KeyState::Pending);
    assert!(!authorities.health().is_ready());
    let token = signer.sign(&claims(&issuer.url));
    tokio::task::yield_now().await;
    assert_eq!(validate(&authorities, &token).await.unwrap().token().subject(), "alice");
    let health = authorities.health();
    assert!(health.is_ready());
    assert_eq!((health.authorities[0].keys, health.authorities[0].fetches), (1, 1));
    assert_eq!(issuer.requests(), 1);
}

#[tokio::test]
async fn what_is_fetched_or_answered_wrongly_changes_nothing() {
    let signer = Signer::rsa("a");
    let good = jwks(&[&signer]);
    let elsewhere = TestIssuer::with_keys(&[&signer]).await;
    let limit = FetchError::TooLarge { limit: 256 * 1024 };
    let too_slow = Duration::from_secs(60);
    let text = |error: &dyn ToString| error.to_string();
    let twice = FetchError::Document(Error::DuplicateMember(Input::JwkSet));
    let cases: Vec<(Behaviour, String)> = vec![
        (Behaviour::Redirect(elsewhere.keys()), text(&FetchError::Status(302))),
        (Behaviour::Status(500, good.clone()), text(&FetchError::Status(500))),
        (Behaviour::Status(404, String::new()), text(&FetchError::Status(404))),
        (Behaviour::Status(203, good.clone()), text(&FetchError::Status(203))),
        (Behaviour::Huge(20 * 1024 * 1024), text(&limit)),
        (Behaviour::Huge(256 * 1024), text(&limit)),
        (Behaviour::Slow(good.clone(), too_slow), text(&FetchError::Timeout)),
        (Behaviour::Drip(good.clone(), Duration::from_millis(20)), text(&FetchError::Timeout)),
        (Behaviour::Close, "connection failed".to_owned()),
        (Behaviour::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()), "connection failed".to_owned()),
        (Behaviour::Serve(String::new()), "JSON".to_owned()),
        (Behaviour::Serve("<html>".to_owned()), "JSON".to_owned()),
        (Behaviour::Serve("{}".to_owned()), "JSON".to_owned()),
        (Behaviour::Serve(r#"{"keys":[],"keys":[]}"#.to_owned()), text(&twice)),
        (
            Behaviour::Raw(
                format!(
                    "HTTP/1.1 200 x\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n{good}",
                    good.len()
                )
                .into_bytes(),
            ),
            text(&FetchError::Encoding),
        ),
        (
            Behaviour::Raw(b"HTTP/1.1 200 x\r\nContent-Length: 2\r\n\r\n\xff\xfe".to_vec()),
            text(&FetchError::Encoding),
        ),
    ];
    for (behaviour, reason) in cases {
        let is_timeout = reason == text(&FetchError::Timeout);
        let limited = if is_timeout { quick } else { patient };
        let issuer = TestIssuer::start(behaviour.clone()).await;
        let token = signer.sign(&claims(&issuer.url));
        let name = format!("{behaviour:?}");
        let name = name.get(..60).unwrap_or(&name);
        // Without keys, all tokens are rejected.
        let authorities = fetched(limited(issuer.authority())).await;
        let health = authorities.health().authorities[0].clone();
        assert_eq!((health.state, health.keys), (KeyState::Pending, 0), "{name}");
        let failure = health.last_failure.unwrap();
        assert!(failure.contains(&reason), "{name}: {failure}");
        assert_eq!(verdict(&authorities, &token).await, "no_keys", "{name}");

        // With keys, they continue to work.
        let issuer = TestIssuer::with_keys(&[&signer]).await;
        let token = signer.sign(&claims(&issuer.url));
        let clock = TestClock::at(now());
        let authority = limited(issuer.authority()).refresh(eager().max_age(1));
        let authorities = Authorities::builder([authority]).clock(clock.read()).build().unwrap();
        authorities.ready().await;
        issuer.set(behaviour.clone());
        clock.advance(2);
        until(|| authorities.health().authorities[0].failures > 0).await;
        assert_eq!(verdict(&authorities, &token).await, "valid", "{name}");
    }
    assert_eq!(elsewhere.requests(), 0);
}

#[tokio::test]
async fn the_largest_response_is_read_and_no_larger_one() {
    let signer = Signer::rsa("a");
    let set = jwks(&[&signer]);
    let issuer = TestIssuer::start(Behaviour::Serve(set.clone())).await;
    let token = signer.sign(&claims(&issuer.url));
    let fits = fetched(issuer.authority().max_response(set.len())).await;
    assert_eq!(verdict(&fits, &token).await, "valid");
    let too_large = fetched(issuer.authority().max_response(set.len() - 1)).await;
    assert_eq!(verdict(&too_large, &token).await, "no_keys");
}

#[tokio::test]
async fn a_response_may_state_that_it_has_no_encoding() {
    let signer = Signer::rsa("a");
    let set = jwks(&[&signer]);
    let response = format!(
        "HTTP/1.1 200 x\r\nContent-Encoding: identity\r\nContent-Length: {}\r\n\r\n{set}",
        set.len()
    );
    let issuer = TestIssuer::start(Behaviour::Raw(response.into_bytes())).await;
    let authorities = fetched(issuer.authority()).await;
    assert_eq!(verdict(&authorities, &signer.sign(&claims(&issuer.url))).await, "valid");
}

#[tokio::test]
async fn an_issuer_that_is_down_at_first_is_asked_again() {
    let signer = Signer::rsa("a");
    let issuer = TestIssuer::start(Behaviour::Close).await;
    let authorities = fetched(quick(issuer.authority())).await;
    let token = signer.sign(&claims(&issuer.url));
    assert_eq!(validate(&authorities, &token).await.unwrap_err(), Refusal::NoKeys);
    let foreign = signer.sign(&claims("https://issuer.example"));
    assert_eq!(verdict(&authorities, &foreign).await, "unknown_issuer");
    issuer.set(Behaviour::Serve(jwks(&[&signer])));
    authorities.ready().await;
    assert_eq!(verdict(&authorities, &token).await, "valid");
    let health = authorities.health().authorities[0].clone();
    assert_eq!((health.failures, health.last_failure), (0, None));
}

/// R1.
#[tokio::test]
async fn r01_a_set_without_usable_keys_replaces_the_old_one() {
    let signer = Signer::rsa("a");
    for (lie, skipped) in [(jwks(&[&Signer::ec("x")]), 1), (r#"{"keys":[]}"#.to_owned(), 0)] {
        let issuer = TestIssuer::with_keys(&[&signer]).await;
        let token = signer.sign(&claims(&issuer.url));
        let clock = TestClock::at(now());
        let authority = issuer.authority().keys_of_type::<RingKey>().refresh(eager().max_age(1));
        let authorities = Authorities::builder([authority]).clock(clock.read()).build().unwrap();
        authorities.ready().await;
        assert_eq!(verdict(&authorities, &token).await, "valid");
        issuer.set(Behaviour::Serve(lie));
        clock.advance(2);
        until(|| authorities.health().authorities[0].state == KeyState::NoUsableKeys).await;
        until(|| authorities.health().authorities[0].skipped == skipped).await;
        // Also the token in the cache.
        assert_eq!(verdict(&authorities, &token).await, "unknown_key");
        assert!(!authorities.health().is_ready());
        issuer.set(Behaviour::Serve(jwks(&[&signer])));
        clock.advance(2);
        until(|| authorities.health().is_ready()).await;
        assert_eq!(verdict(&authorities, &token).await, "valid");
    }
}

/// R3.
#[tokio::test]
async fn r03_keys_that_cannot_be_refreshed_are_trusted_for_max_stale_and_no_longer() {
    let signer = Signer::rsa("a");
    let issuer = TestIssuer::with_keys(&[&signer]).await;
    let start = now();
    let clock = TestClock::at(start);
    let authority = quick(issuer.authority()).refresh(eager().max_stale(300));
    let authorities = Authorities::builder([authority]).clock(clock.read()).build().unwrap();
    authorities.ready().await;
    let token = signer.sign(&claims(&issuer.url));
    assert_eq!(verdict(&authorities, &token).await, "valid");
    issuer.set(Behaviour::Close);
    clock.advance(299);
    assert_eq!(verdict(&authorities, &token).await, "valid");
    clock.advance(1);
    // One that is in the cache, and one that is not.
    let new = signer.sign(&with(claims(&issuer.url), "jti", "2"));
    assert_eq!(verdict(&authorities, &token).await, "no_keys");
    assert_eq!(verdict(&authorities, &new).await, "no_keys");
    assert_eq!(authorities.health().authorities[0].state, KeyState::Stale);
    assert!(!authorities.health().is_ready());
}

/// R3, with a clock that is set back: the age of the keys is measured from its new time.
#[tokio::test]
async fn r03_keys_do_not_last_longer_if_the_clock_is_set_back() {
    let signer = Signer::rsa("a");
    let issuer = TestIssuer::with_keys(&[&signer]).await;
    let start = now();
    let clock = TestClock::at(start);
    let authority = issuer.authority().refresh(eager().max_age(2).max_stale(300));
    let authorities = Authorities::builder([authority]).clock(clock.read()).build().unwrap();
    authorities.ready().await;
    let token = signer.sign(&with(claims(&issuer.url), "iat", start - 5_000));
    clock.set_back(1_000);
    let set_back = Some(NumericDate::from_secs(start - 1_000));
    until(|| authorities.health().authorities[0].fetched_at == set_back).await;
    issuer.set(Behaviour::Close);
    clock.advance(299);
    assert_eq!(verdict(&authorities, &token).await, "valid");
    clock.advance(1);
    assert_eq!(verdict(&authorities, &token).await, "no_keys");
}

#[tokio::test]
async fn a_withdrawn_key_stops_working_and_a_new_one_is_fetched_on_demand() {
    let (old, new) = (Signer::rsa("a"), Signer::rsa("b"));
    let issuer = TestIssuer::with_keys(&[&old]).await;
    let clock = TestClock::at(now());
    let authority = issuer.authority();
    let authorities = Authorities::builder([authority]).clock(clock.read()).build().unwrap();
    authorities.ready().await;
    let (old, new) = (old.sign(&claims(&issuer.url)), new.sign(&claims(&issuer.url)));
    assert_eq!(verdict(&authorities, &old).await, "valid");
    issuer.set(Behaviour::Serve(jwks(&[&Signer::rsa("b")])));
    // Within the cool-down of a minute, there is no fetch.
    assert_eq!(verdict(&authorities, &new).await, "unknown_key");
    clock.advance(59);
    assert_eq!(verdict(&authorities, &new).await, "unknown_key");
    assert_eq!((issuer.requests(), verdict(&authorities, &old).await), (1, "valid"));
    clock.advance(1);
    assert_eq!(verdict(&authorities, &new).await, "valid");
    assert_eq!((issuer.requests(), verdict(&authorities, &old).await), (2, "unknown_key"));
}

#[tokio::test]
async fn requests_share_one_fetch_and_its_wait_is_limited() {
    let (old, new) = (Signer::rsa("a"), Signer::rsa("b"));
    let issuer = TestIssuer::with_keys(&[&old]).await;
    let clock = TestClock::at(now());
    let authority = issuer.authority().waiting(3, Duration::from_secs(3));
    let authorities = Authorities::builder([authority]).clock(clock.read()).build().unwrap();
    authorities.ready().await;
    clock.advance(60);
    issuer.set(Behaviour::Slow(jwks(&[&old, &new]), Duration::from_millis(500)));
    let token = new.sign(&claims(&issuer.url));
    let requests: Vec<_> = (0..5)
        .map(|_| {
            let (authorities, token) = (authorities.clone(), token.clone());
            tokio::spawn(async move { verdict(&authorities, &token).await })
        })
        .collect();
    let mut verdicts = Vec::new();
    for request in requests {
        verdicts.push(request.await.unwrap());
    }
    verdicts.sort_unstable();
    let busy = "keys_being_fetched";
    assert_eq!(verdicts, [busy, busy, "valid", "valid", "valid"]);
    assert_eq!(issuer.requests(), 2);

    // A request does not wait for longer than its limit.
    clock.advance(60);
    issuer.set(Behaviour::Slow(jwks(&[&old]), Duration::from_secs(60)));
    let unknown =
        old.sign_with(&serde_json::json!({"alg": "RS256", "kid": "?"}), &claims(&issuer.url));
    let started = std::time::Instant::now();
    assert_eq!(verdict(&authorities, &unknown).await, busy);
    assert!(started.elapsed() < Duration::from_secs(30));
    // Nor does one wait that new keys would not change.
    let expired = old.sign(&with(claims(&issuer.url), "exp", now() - 600));
    assert_eq!(verdict(&authorities, &expired).await, "expired");
    // Meanwhile the current keys work.
    assert_eq!(verdict(&authorities, &token).await, "valid");
}

#[tokio::test]
async fn the_renewal_ends_with_the_last_handle() {
    let signer = Signer::rsa("a");
    let issuer = TestIssuer::with_keys(&[&signer]).await;
    let clock = TestClock::at(now());
    let authority = issuer.authority().refresh(eager().max_age(1));
    let authorities = Authorities::builder([authority]).clock(clock.read()).build().unwrap();
    let clone = authorities.clone();
    authorities.ready().await;
    drop(authorities);
    clock.advance(5);
    until(|| issuer.requests() == 2).await;
    drop(clone);
    clock.advance(5);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(issuer.requests(), 2);
}

#[tokio::test]
async fn a_file_is_read_again_when_it_has_changed() {
    let (old, new) = (Signer::rsa("a"), Signer::rsa("b"));
    let path = temporary("changes");
    std::fs::write(&path, jwks(&[&old])).unwrap();
    let issuer = "https://issuer.example";
    let authorities = fetched(Authority::jwks_file(issuer, &path)).await;
    let (old, new_token) = (old.sign(&claims(issuer)), new.sign(&claims(issuer)));
    assert_eq!(verdict(&authorities, &old).await, "valid");
    // Renamed into place, which is atomic.
    let temporary = path.with_extension("new");
    std::fs::write(&temporary, jwks(&[&new, &Signer::ec("x")])).unwrap();
    std::fs::rename(&temporary, &path).unwrap();
    until(|| authorities.health().authorities[0].keys == 2).await;
    assert_eq!(verdict(&authorities, &old).await, "unknown_key");
    assert_eq!(verdict(&authorities, &new_token).await, "valid");
    // A file that is missing or invalid changes nothing.
    std::fs::remove_file(&path).unwrap();
    until(|| authorities.health().authorities[0].failures > 0).await;
    let failure = authorities.health().authorities[0].last_failure.clone().unwrap();
    let missing = FetchError::File { path, kind: ErrorKind::NotFound };
    assert_eq!(failure, missing.to_string());
    assert_eq!(verdict(&authorities, &new_token).await, "valid");
}

/// Such as a copy that preserves the time, or a key set in a package with a fixed time.
#[cfg(unix)]
#[tokio::test]
async fn a_changed_file_of_the_same_length_and_time_is_read_again() {
    let (old, new) = (Signer::rsa("a"), Signer::rsa("b"));
    let path = temporary("stamp");
    let time = std::time::SystemTime::now() - Duration::from_secs(3_600);
    let write = |path: &PathBuf, signer: &Signer| {
        std::fs::write(path, jwks(&[signer])).unwrap();
        let file = std::fs::File::options().append(true).open(path).unwrap();
        file.set_modified(time).unwrap();
        file.metadata().unwrap().len()
    };
    let len = write(&path, &old);
    let issuer = "https://issuer.example";
    let authorities = fetched(Authority::jwks_file(issuer, &path)).await;
    let fetches = || authorities.health().authorities[0].fetches;
    assert_eq!(fetches(), 1);
    // In place.
    assert_eq!(write(&path, &new), len);
    until(|| fetches() == 2).await;
    assert_eq!(verdict(&authorities, &new.sign(&claims(issuer))).await, "valid");
    // Renamed into place.
    let temporary = path.with_extension("new");
    assert_eq!(write(&temporary, &old), len);
    std::fs::rename(&temporary, &path).unwrap();
    until(|| fetches() == 3).await;
    assert_eq!(verdict(&authorities, &old.sign(&claims(issuer))).await, "valid");
    std::fs::remove_file(&path).unwrap();
}

/// Before the file is checked again, after two seconds.
#[tokio::test]
async fn an_unknown_key_is_looked_for_in_the_file_after_a_second() {
    let (old, new) = (Signer::rsa("a"), Signer::rsa("b"));
    let path = temporary("cool-down");
    std::fs::write(&path, jwks(&[&old])).unwrap();
    let issuer = "https://issuer.example";
    let clock = TestClock::at(now());
    let authorities = Authorities::builder([Authority::jwks_file(issuer, &path)]);
    let authorities = authorities.clock(clock.read()).build().unwrap();
    authorities.ready().await;
    let temporary = path.with_extension("new");
    std::fs::write(&temporary, jwks(&[&old, &new])).unwrap();
    std::fs::rename(&temporary, &path).unwrap();
    clock.advance(1);
    assert_eq!(verdict(&authorities, &new.sign(&claims(issuer))).await, "valid");
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn the_largest_file_is_read_and_no_larger_one() {
    let signer = Signer::rsa("a");
    let path = temporary("limit");
    let set = jwks(&[&signer]);
    std::fs::write(&path, &set).unwrap();
    let authority = || Authority::jwks_file("https://issuer.example", &path);
    let fits = fetched(authority().max_response(set.len())).await;
    assert!(fits.health().is_ready());
    for excess in [1, 2] {
        let limit = set.len() - excess;
        let too_large = fetched(authority().max_response(limit)).await;
        let failure = too_large.health().authorities[0].last_failure.clone().unwrap();
        assert_eq!(failure, FetchError::TooLarge { limit }.to_string());
    }
    std::fs::remove_file(&path).unwrap();
}

fn temporary(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("claimgate-tower-{name}-{}.json", std::process::id()))
}

#[tokio::test]
async fn keys_can_be_narrowed_to_algorithms_and_types() {
    let (rsa, ec) = (Signer::rsa("a"), Signer::ec("b"));
    let issuer = TestIssuer::with_keys(&[&rsa, &ec]).await;
    let (by_rsa, by_ec) = (rsa.sign(&claims(&issuer.url)), ec.sign(&claims(&issuer.url)));
    let es256 = Algorithms::of(&[Algorithm::Es256]);
    for (authority, of_rsa, of_ec) in [
        (issuer.authority(), "valid", "valid"),
        (issuer.authority().keys_of_type::<RingKey>(), "valid", "algorithm_not_allowed"),
        (issuer.authority().algorithms(es256), "algorithm_not_allowed", "valid"),
    ] {
        let authorities = fetched(authority).await;
        assert_eq!(verdict(&authorities, &by_rsa).await, of_rsa);
        assert_eq!(verdict(&authorities, &by_ec).await, of_ec);
    }
}

#[tokio::test]
async fn each_authority_has_its_own_keys_of_its_own_type() {
    let (rsa, ec) = (Signer::rsa("a"), Signer::ec("b"));
    let (one, two) = (TestIssuer::with_keys(&[&rsa]).await, TestIssuer::with_keys(&[&ec]).await);
    let down = TestIssuer::start(Behaviour::Close).await;
    let authorities = Authorities::new([
        one.authority().keys_of_type::<RingKey>(),
        quick(down.authority()),
        two.authority(),
    ])
    .unwrap();
    until(|| authorities.health().authorities.iter().all(|one| one.fetches > 0)).await;
    // Ready, since some have keys.
    assert!(authorities.health().is_ready());
    let states = authorities.health().authorities.into_iter().map(|one| one.state);
    assert!(states.eq([KeyState::Ready, KeyState::Pending, KeyState::Ready]));
    for (signer, issuer, expected) in [
        (&rsa, &one.url, "valid"),
        (&ec, &two.url, "valid"),
        // The keys of one issuer do not verify the tokens of another.
        (&rsa, &two.url, "unknown_key"),
        (&ec, &one.url, "algorithm_not_allowed"),
        (&rsa, &down.url, "no_keys"),
        (&rsa, &"https://issuer.example".to_owned(), "unknown_issuer"),
        (&rsa, &format!("{}/", one.url), "unknown_issuer"),
    ] {
        for _ in 0..2 {
            assert_eq!(verdict(&authorities, &signer.sign(&claims(issuer))).await, expected);
        }
    }
    for (text, expected) in [("opaque", "opaque_token"), ("a.b.c.d.e", "encrypted_token")] {
        assert_eq!(verdict(&authorities, text).await, expected);
    }
}

#[tokio::test]
async fn tenants_on_the_list_come_in() {
    let signer = Signer::rsa("a");
    let keys = TestIssuer::with_keys(&[&signer]).await;
    let template = "https://login.example/{tenantid}/v2.0";
    let url = |tenant: &str| template.replace("{tenantid}", tenant);
    let token = |tenant: &str| signer.sign(&with(claims(&url(tenant)), "tid", tenant));
    let list = Authority::tenants(template, ["a", "b"], keys.keys()).danger_allow_loopback_http();
    let authorities = fetched(list).await;
    assert_eq!(verdict(&authorities, &token("a")).await, "valid");
    assert_eq!(verdict(&authorities, &token("a")).await, "valid");
    assert_eq!(verdict(&authorities, &token("c")).await, "tenant_not_allowed");
    let any = Authority::danger_any_tenant(template, keys.keys()).danger_allow_loopback_http();
    let authorities = fetched(any).await;
    assert_eq!(verdict(&authorities, &token("c")).await, "valid");
    assert_eq!(authorities.health().authorities[0].issuer, template);
}

#[tokio::test]
async fn mistakes_in_a_configuration_are_found_when_it_is_built() {
    use claimgate::error::ConfigError;

    let error = |authority: Authority| Authorities::new([authority]).unwrap_err();
    let plain = "http://issuer.example/keys".to_owned();
    let near = "http://127.0.0.1:1/keys".to_owned();
    let jwks = |url: &str| Authority::jwks("https://issuer.example", url);
    assert_eq!(error(jwks(&plain)), AuthorityError::PlainHttp(plain.clone()));
    assert_eq!(error(jwks(&near)), AuthorityError::PlainHttp(near.clone()));
    let beyond = error(jwks(&plain).danger_allow_loopback_http());
    assert_eq!(beyond, AuthorityError::PlainHttp(plain));
    assert_eq!(error(jwks("keys")), AuthorityError::Url("keys".to_owned()));
    let fixed = |text: &str| Authority::fixed("https://issuer.example", text);
    assert!(matches!(error(fixed("{}")), AuthorityError::Keys(Error::InvalidJson(..))));
    assert_eq!(
        error(Authority::fixed("", r#"{"keys":[]}"#)),
        AuthorityError::Issuer(ConfigError::Empty("issuer"))
    );
    let tenants = |template: &str, tenants: &[&str]| {
        Authority::tenants(template, tenants.iter().copied(), "https://issuer.example/keys")
    };
    let template = AuthorityError::Issuer(ConfigError::TenantTemplate);
    assert_eq!(error(tenants("https://issuer.example", &["a"])), template);
    assert_eq!(error(tenants("https://{tenantid}/{tenantid}", &["a"])), template);
    assert_eq!(
        error(tenants("https://{tenantid}", &[])),
        AuthorityError::Issuer(ConfigError::EmptyList("tenants"))
    );
    assert_eq!(
        error(tenants("https://{tenantid}", &["a", ""])),
        AuthorityError::Issuer(ConfigError::Empty("tenant"))
    );
    let near = || jwks(&near).danger_allow_loopback_http();
    let (zero, second) = (Duration::ZERO, Duration::from_secs(1));
    for authority in [
        near().timeouts(zero, second),
        near().timeouts(second, zero),
        near().timeouts(second, Duration::from_secs(61)),
        near().max_response(0),
        near().waiting(1, zero),
    ] {
        assert!(matches!(error(authority), AuthorityError::Limit(_)));
    }
    assert_eq!(error(near().root_certificates("no PEM")), AuthorityError::Certificate);
    assert_eq!(Authorities::new([]).unwrap_err(), AuthorityError::NoAuthority);
    let twice = Authorities::new([near(), near()]).unwrap_err();
    assert_eq!(twice, AuthorityError::DuplicateIssuer("https://issuer.example".to_owned()));
}

#[test]
fn without_a_runtime_nothing_is_renewed() {
    let authority = Authority::fixed("https://issuer.example", r#"{"keys":[]}"#);
    assert_eq!(Authorities::new([authority]).unwrap_err(), AuthorityError::NoRuntime);
}

#[tokio::test]
async fn fixed_keys_never_change_and_never_become_stale() {
    let signer = Signer::rsa("a");
    let clock = TestClock::at(now());
    let authority = Authority::fixed("https://issuer.example", jwks(&[&signer]));
    let authorities = Authorities::builder([authority]).clock(clock.read()).build().unwrap();
    assert!(authorities.health().is_ready());
    let unknown = Signer::rsa("b").sign(&claims("https://issuer.example"));
    assert_eq!(verdict(&authorities, &unknown).await, "unknown_key");
    clock.advance(10 * 365 * 86_400);
    assert!(authorities.health().is_ready());
    let lasting = with(claims("https://issuer.example"), "exp", now() + 20 * 365 * 86_400);
    assert_eq!(verdict(&authorities, &signer.sign(&lasting)).await, "valid");
}

/// Ten thousand tokens with a `kid` of their own cause one fetch for each cool-down.
#[tokio::test]
async fn a_flood_of_unknown_kids_causes_one_fetch_a_minute() {
    let signer = Signer::rsa("a");
    let issuer = TestIssuer::with_keys(&[&signer]).await;
    let clock = TestClock::at(now());
    let authorities =
        Authorities::builder([issuer.authority()]).clock(clock.read()).build().unwrap();
    authorities.ready().await;
    let good = signer.sign(&claims(&issuer.url));
    let (_, rest) = good.split_once('.').unwrap();
    for round in 1..=3 {
        clock.advance(60);
        for number in 0..10_000 {
            let kid = format!(r#"{{"alg":"RS256","kid":"{round}-{number}"}}"#);
            let token = format!("{}.{rest}", encode(kid.as_bytes()));
            assert_eq!(verdict(&authorities, &token).await, "unknown_key");
        }
        assert_eq!(issuer.requests(), 1 + round);
        assert_eq!(verdict(&authorities, &good).await, "valid");
    }
}
