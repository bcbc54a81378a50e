//! The program: arguments, log and metrics.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::sleep;

use crate::support::*;

const PROGRAM: &str = env!("CARGO_BIN_EXE_claimgate-gateway");

fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).output().unwrap()
}

fn file(name: &str, text: &str) -> PathBuf {
    let name = format!("claimgate-gateway-{}-{name}", std::process::id());
    let path = std::env::temp_dir().join(name);
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn help_and_check() {
    let help = run(&["--help"]);
    assert!(help.status.success());
    let help = String::from_utf8(help.stdout).unwrap();
    for option in ["--config", "--check", "--log", "--log-format"] {
        assert!(help.contains(option), "{option}");
    }
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/gateway.toml");
    let check = run(&["--check", "--config", sample]);
    assert!(check.status.success());
    let text = String::from_utf8(check.stdout).unwrap();
    assert!(text.contains("the configuration is valid") && text.contains("ACCESS"), "{text}");

    let wrong = file("wrong.toml", "listen = \"x\"\nproxy = \"envoy\"\nrealm = \"\"\n");
    let check = run(&["--check", "--config", wrong.to_str().unwrap()]);
    assert_eq!(check.status.code(), Some(2));
    assert_eq!(String::from_utf8(check.stderr).unwrap().matches("\n- ").count(), 4);
    // The program does not start with it.
    assert_eq!(run(&["--config", wrong.to_str().unwrap()]).status.code(), Some(2));
    fs::remove_file(wrong).unwrap();
    assert_eq!(run(&["--check", "--config", "/not-there.toml"]).status.code(), Some(2));
}

/// A process that is killed when dropped.
struct Process(Option<Child>);

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _: std::io::Result<()> = child.kill();
            let _: std::io::Result<_> = child.wait();
        }
    }
}

/// A running gateway process.
struct Running {
    process: Process,
    address: SocketAddr,
    admin: SocketAddr,
    config: PathBuf,
}

impl Running {
    async fn start(name: &str, text: &str) -> Self {
        let free = async || TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let (address, admin) = (free().await, free().await);
        let text = text.replacen("127.0.0.1:0", &address.to_string(), 1);
        let config = file(name, &text.replacen("127.0.0.1:0", &admin.to_string(), 1));
        let child = Command::new(PROGRAM)
            .args(["--log", "debug", "--log-format", "json", "--config"])
            .arg(&config)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let process = Process(Some(child));
        for _ in 0..500 {
            let is_up = tokio::net::TcpStream::connect(admin).await.is_ok();
            if is_up && get(admin, "/health", &[]).await.status == 200 {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
        Self { process, address, admin, config }
    }

    async fn ask(&self, uri: &str, token: &str) -> u16 {
        let authorization = format!("Bearer {token}");
        let headers = [
            ("X-Original-Method", "GET"),
            ("X-Original-URI", uri),
            ("Authorization", authorization.as_str()),
        ];
        get(self.address, "/check", &headers).await.status
    }

    async fn metrics(&self) -> String {
        get(self.admin, "/metrics", &[]).await.body
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        fs::remove_file(&self.config).unwrap();
    }
}

#[tokio::test]
async fn the_cache_and_the_threads_have_a_size() {
    let (issuer, signer) = one_issuer().await;
    let token = signer.sign(&claims(&issuer.url));
    let text = |lines: &str| Config::of(&issuer).text().replace("threads = 2", lines);
    for (name, lines, hits, threads) in [
        ("usual.toml", "threads = 3", true, 3),
        ("none.toml", "threads = 1\ncache_bytes = 0", false, 1),
    ] {
        let running = Running::start(name, &text(lines)).await;
        for _ in 0..3 {
            assert_eq!(running.ask("/open", &token).await, 200);
        }
        let metrics = running.metrics().await;
        assert_eq!(metrics.contains("claimgate_cache_hits_total 2"), hits, "{metrics}");
        let id = running.process.0.as_ref().unwrap().id();
        let tasks = fs::read_dir(format!("/proc/{id}/task")).unwrap();
        let is_worker =
            |path: PathBuf| fs::read_to_string(path.join("comm")).unwrap() == "worker\n";
        let found = tasks.filter(|task| is_worker(task.as_ref().unwrap().path())).count();
        assert_eq!(found, threads);
    }
}

#[tokio::test]
async fn the_log_has_no_token_and_the_metrics_have_the_verdicts() {
    let (issuer, signer) = one_issuer().await;
    let mut running = Running::start("run.toml", &Config::of(&issuer).text()).await;
    let good = signer.sign(&claims(&issuer.url));
    let expired = signer.sign(&with(claims(&issuer.url), "exp", now() - 100));
    for (uri, token, status) in [
        ("/open", &good, 200),
        ("/open", &good, 200),
        ("/open", &expired, 401),
        ("/elsewhere", &good, 403),
        ("/open/../x", &good, 403),
    ] {
        assert_eq!(running.ask(uri, token).await, status, "{uri}");
    }
    let metrics = running.metrics().await;
    for line in [
        "claimgate_requests_total{code=\"valid\"} 2",
        "claimgate_requests_total{code=\"expired\"} 1",
        "claimgate_requests_total{code=\"no_route\"} 1",
        "claimgate_requests_total{code=\"ambiguous_path\"} 1",
        "claimgate_cache_hits_total 1",
        "claimgate_cache_misses_total 2",
        "claimgate_request_seconds_count 5",
        "claimgate_validation_seconds_count{found=\"cache\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} is not in:\n{metrics}");
    }
    let mut child = running.process.0.take().unwrap();
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let status = child.wait().unwrap();
    let mut log = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut log).unwrap();
    assert!(status.success(), "{log}");
    assert!(log.contains("\"code\":\"expired\"") && log.contains("stopped"), "{log}");
    for text in [log, metrics] {
        assert!(!text.contains("eyJ") && !text.contains("alice"), "{text}");
    }
}
