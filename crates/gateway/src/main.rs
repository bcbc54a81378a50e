//! The program: arguments, logging, signals.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use claimgate_gateway::{Server, Settings};
use clap::{Parser, ValueEnum};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::level_filters::LevelFilter;

/// Authorizes the requests of a reverse proxy by their access tokens.
///
/// For each request, the proxy sends a subrequest to /check. The response is 200 with header
/// fields for the application, or an error such as 401 or 403. The proxy forwards the request
/// only if the status is 200. /health and /metrics are served on a separate address.
#[derive(Parser)]
#[command(name = "claimgate-gateway", version)]
struct Arguments {
    /// The path of the configuration file.
    #[arg(long, default_value = "/etc/claimgate/gateway.toml")]
    config: PathBuf,
    /// Check the configuration and exit. If it is valid, print warnings and the decision
    /// table. Otherwise, print all errors and exit with status 2.
    #[arg(long)]
    check: bool,
    /// The minimum level of log messages: error, warn, info, or debug, which logs each
    /// request. Tokens are never logged.
    #[arg(long, default_value = "info")]
    log: LevelFilter,
    /// The format of the log.
    #[arg(long, value_enum, default_value = "text")]
    log_format: LogFormat,
}

#[derive(Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let path = &arguments.config;
    let settings = match Settings::load(path) {
        Ok(settings) => settings,
        Err(errors) => {
            eprint!("claimgate-gateway: invalid configuration {}:\n{errors}", path.display());
            return ExitCode::from(2);
        }
    };
    if arguments.check {
        check(path, &settings);
        return ExitCode::SUCCESS;
    }
    let log = tracing_subscriber::fmt().with_max_level(arguments.log).with_writer(io::stderr);
    match arguments.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    for warning in settings.warnings() {
        tracing::warn!("{warning}");
    }
    match serve(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "failed");
            ExitCode::FAILURE
        }
    }
}

fn check(path: &Path, settings: &Settings) {
    println!("{}: the configuration is valid", path.display());
    for warning in settings.warnings() {
        println!("warning: {warning}");
    }
    print!("\n{}", settings.decision_table());
}

type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn serve(settings: Settings) -> Result<(), Error> {
    // The recorder must be installed before the gateway registers its counters.
    let metrics = recorder()?;
    let server = Server::bind(settings, Some(metrics)).await?;
    tracing::info!(address = %server.address()?, "listening");
    server.run(stop_signal()).await?;
    tracing::info!("stopped");
    Ok(())
}

fn recorder() -> Result<PrometheusHandle, Error> {
    // 1 µs to 1 s: from a cache hit, over a signature verification, to a fetch of keys.
    let buckets = [1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 1e-2, 0.1, 1.0];
    let seconds = Matcher::Suffix("_seconds".to_owned());
    let builder = PrometheusBuilder::new().set_buckets_for_metric(seconds, &buckets)?;
    Ok(builder.install_recorder()?)
}

/// Waits for SIGINT or SIGTERM.
async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _: io::Result<()> = tokio::signal::ctrl_c().await;
}
