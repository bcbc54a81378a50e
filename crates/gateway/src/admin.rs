//! The server for health and metrics, on a separate address.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::sleep;

use crate::answer::Answer;
use crate::gate::Gate;
use crate::server::not_found;

/// The maximum number of connections.
const CONNECTIONS: usize = 32;

/// The time limit for the header section of a request.
const HEADER: Duration = Duration::from_secs(10);

pub(crate) async fn serve(
    listener: Option<TcpListener>,
    gate: Arc<Gate>,
    metrics: Option<PrometheusHandle>,
) {
    let Some(listener) = listener else { return pending().await };
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (gate, metrics) = (Arc::clone(&gate), metrics.clone());
        tokio::spawn(async move {
            let service = service_fn(|request: Request<Incoming>| {
                let response = answer(&request, &gate, metrics.as_ref());
                async move { Ok::<_, Infallible>(response) }
            });
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEADER);
            // The client may close the connection early.
            let _: Result<(), _> = http.serve_connection(TokioIo::new(stream), service).await;
            drop(permit);
        });
    }
}

fn answer(request: &Request<Incoming>, gate: &Gate, metrics: Option<&PrometheusHandle>) -> Answer {
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return not_found();
    }
    let (status, text) = match (request.uri().path(), metrics) {
        ("/health", _) => {
            let health = gate.authorities.health();
            let status = match health.is_ready() {
                true => StatusCode::OK,
                false => StatusCode::SERVICE_UNAVAILABLE,
            };
            (status, health.to_string())
        }
        ("/metrics", Some(metrics)) => (StatusCode::OK, metrics.render()),
        _ => return not_found(),
    };
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
