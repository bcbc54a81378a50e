//! An authorisation service for gateways: nginx's `auth_request`, Traefik's
//! `ForwardAuth`, and Envoy's `ext_authz` over HTTP.
//!
//! `cargo run --release --example forward_auth -- --help` tells how.

mod cache;
mod config;
mod decide;
mod http;
mod keys;
mod metrics;
mod routes;
#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing::level_filters::LevelFilter;

use crate::config::Settings;
use crate::decide::Gate;
use crate::metrics::Metrics;

/// How long requests that are under way have when the service is told to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// Decides for a gateway whether requests may pass, by their access tokens.
///
/// GET /check answers 200 with X-Auth-Subject, X-Auth-Scope, X-Auth-Issuer and
/// X-Auth-Client, or 401 or 403 with WWW-Authenticate. GET /healthz answers 200
/// once every issuer has keys; GET /metrics is for Prometheus.
#[derive(Parser)]
#[command(name = "forward_auth")]
struct Arguments {
    /// The configuration; see examples/forward_auth/forward_auth.toml.
    #[arg(long, default_value = "examples/forward_auth/forward_auth.toml")]
    config: PathBuf,
    /// Check the configuration, and end.
    #[arg(long)]
    check: bool,
    /// The least that is logged: error, warn, info or debug (a line for each
    /// request). Tokens never are.
    #[arg(long, default_value = "info")]
    log: LevelFilter,
    /// The form of the log.
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
    let settings = match Settings::load(&arguments.config) {
        Ok(settings) => settings,
        Err(mistakes) => {
            eprint!("forward_auth: {}:\n{mistakes}", arguments.config.display());
            return ExitCode::from(2);
        }
    };
    if arguments.check {
        println!("{}: no mistakes", arguments.config.display());
        return ExitCode::SUCCESS;
    }
    let log = tracing_subscriber::fmt().with_max_level(arguments.log).with_writer(io::stderr);
    match arguments.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    match serve(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = %error, "stopped");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn serve(settings: Settings) -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind(settings.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", settings.listen))?;
    let gate = Arc::new(Gate::new(settings, Metrics::new()?));
    for issuer in &gate.issuers {
        tracing::info!(issuer = issuer.settings.url, keys = %issuer.settings.keys, "trusted");
        tokio::spawn(Arc::clone(issuer).keep_fresh());
    }
    tracing::info!(address = %listener.local_addr()?, "listening");

    let (stop, mut stopping) = watch::channel(false);
    let server = axum::serve(listener, http::router(gate)).with_graceful_shutdown(async move {
        asked_to_stop().await;
        tracing::info!("stopping: requests under way are answered");
        stop.send_replace(true);
    });
    let too_long = async {
        let is_stopping = stopping.wait_for(|is_stopping| *is_stopping).await.is_ok();
        if is_stopping {
            tokio::time::sleep(DRAIN).await;
        }
    };
    tokio::select! {
        result = server => result?,
        () = too_long => tracing::warn!("requests were cut off"),
    }
    tracing::info!("stopped");
    Ok(())
}

/// Waits for SIGINT or SIGTERM.
async fn asked_to_stop() {
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
