//! The server: connections of proxies, within limits, on one thread for each core.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpStream as StdStream};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use http::Request;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{interval, sleep};

use crate::admin;
use crate::answer::{Answer, RequestLine, plain};
use crate::config::Settings;
use crate::gate::Gate;
use crate::original::Proxy;
use crate::request_line::RequestStream;

/// The largest head of a request, in bytes: a token of 8 KiB, and its cookies.
const MAX_HEAD: usize = 64 * 1024;

/// The time that requests under way have when the gateway is asked to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// The limits of the connections of proxies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) connections: usize,
    /// For the first request of a connection.
    pub(crate) header: Duration,
    /// Between the requests of a connection.
    pub(crate) idle: Duration,
    pub(crate) threads: usize,
}

/// A gateway that listens, and does not answer yet.
pub struct Server {
    listener: TcpListener,
    admin: Option<TcpListener>,
    gate: Arc<Gate>,
    limits: Limits,
    metrics: Option<PrometheusHandle>,
}

impl Server {
    /// Listens on the addresses of a configuration, and begins to fetch keys.
    ///
    /// `metrics` are shown at `/metrics` of the `admin_listen` address.
    ///
    /// # Errors
    ///
    /// An address that cannot be listened on, or settings that cannot be put into use.
    pub async fn bind(
        settings: Settings,
        metrics: Option<PrometheusHandle>,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let listen = async |address: SocketAddr| {
            let listener = TcpListener::bind(address).await;
            listener.map_err(|error| format!("cannot listen on {address}: {error}"))
        };
        let listener = listen(settings.listen).await?;
        let admin = match settings.admin_listen {
            Some(address) => Some(listen(address).await?),
            None => None,
        };
        let limits = settings.limits;
        let gate = Arc::new(settings.into_gate()?);
        Ok(Self { listener, admin, gate, limits, metrics })
    }

    /// Returns the address that proxies ask.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Returns the address of `/health` and `/metrics`, if there is one.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    pub fn admin_address(&self) -> io::Result<Option<SocketAddr>> {
        self.admin.as_ref().map(TcpListener::local_addr).transpose()
    }

    /// Answers requests until `stop` is done. Then no connections are accepted, and requests
    /// under way have ten seconds.
    ///
    /// # Errors
    ///
    /// Threads that cannot be started.
    pub async fn run(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let Self { listener, admin, gate, limits, metrics } = self;
        let (stopping, _) = watch::channel(false);
        let mut workers = Vec::new();
        for _ in 0..limits.threads {
            workers.push(Worker::start(&gate, limits, &stopping)?);
        }
        let mut next = 0_usize;
        let permits = Arc::new(Semaphore::new(limits.connections));
        let accepting = async {
            loop {
                // Beyond the limit, connections wait in the queue of the operating system.
                let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
                let stream = match listener.accept().await {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        tracing::warn!(%error, "no connection accepted");
                        sleep(Duration::from_millis(100)).await;
                        continue;
                    }
                };
                next = next.wrapping_add(1);
                let index = next.checked_rem(workers.len()).unwrap_or_default();
                if let Some(worker) = workers.get(index)
                    && let Ok(stream) = stream.into_std()
                {
                    // Workers end after this.
                    let _: Result<(), _> = worker.connections.send((stream, permit));
                }
            }
        };
        let upkeep = async {
            let mut ticks = interval(Duration::from_secs(1));
            loop {
                ticks.tick().await;
                if let Some(metrics) = &metrics {
                    metrics.run_upkeep();
                }
            }
        };
        let administration = admin::serve(admin, Arc::clone(&gate), metrics.clone());
        tokio::select! {
            () = accepting => {}
            () = upkeep => {}
            () = administration => {}
            () = stop => {}
        }
        drop(listener);
        stopping.send_replace(true);
        let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
        tokio::select! {
            _ = permits.acquire_many(all) => {}
            () = sleep(DRAIN) => tracing::warn!("connections were cut off"),
        }
        for Worker { connections, thread } in workers {
            drop(connections);
            // A worker does not panic.
            let _: thread::Result<()> = thread.join();
        }
        Ok(())
    }
}

/// A thread that serves a part of the connections.
struct Worker {
    connections: mpsc::UnboundedSender<(StdStream, OwnedSemaphorePermit)>,
    thread: JoinHandle<()>,
}

impl Worker {
    fn start(gate: &Arc<Gate>, limits: Limits, stop: &watch::Sender<bool>) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (connections, mut accepted) = mpsc::unbounded_channel();
        let (gate, stop) = (Arc::clone(gate), stop.subscribe());
        let work = async move {
            while let Some((stream, permit)) = accepted.recv().await {
                let (gate, stop) = (Arc::clone(&gate), stop.clone());
                tokio::spawn(async move {
                    connection(stream, gate, limits, stop).await;
                    drop(permit);
                });
            }
        };
        let thread = thread::Builder::new().name("worker".to_owned());
        let thread = thread.spawn(move || runtime.block_on(work))?;
        Ok(Self { connections, thread })
    }
}

/// Serves a connection until it is closed, idle for too long, or the gateway stops.
async fn connection(
    stream: StdStream,
    gate: Arc<Gate>,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) {
    let Ok(stream) = TcpStream::from_std(stream) else { return };
    // Without it, a response could wait for an acknowledgement.
    let _: io::Result<()> = stream.set_nodelay(true);
    let stream = RequestStream::new(stream, gate.settings.proxy == Proxy::Envoy);
    let has_fragment = stream.has_fragment();
    let has_asked = Arc::new(AtomicBool::new(false));
    let service = service_fn(|request: Request<Incoming>| {
        has_asked.store(true, Relaxed);
        let (gate, has_fragment) = (&gate, &has_fragment);
        async move { Ok::<_, Infallible>(answer(gate, request, has_fragment).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.idle)
        .max_buf_size(MAX_HEAD)
        // A response is a head alone.
        .writev(false)
        .half_close(false);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    let mut stopping = pin!(stop.wait_for(|is_stopping| *is_stopping));
    let mut too_late = pin!(sleep(limits.header));
    let (mut is_first, mut is_stopping) = (true, false);
    loop {
        tokio::select! {
            biased;
            result = connection.as_mut() => {
                if let Err(error) = result {
                    tracing::debug!(%error, "connection");
                }
                return;
            }
            () = &mut too_late, if is_first => {
                if !has_asked.load(Relaxed) {
                    tracing::debug!("a connection without a request is closed");
                    return;
                }
                is_first = false;
            }
            _ = &mut stopping, if !is_stopping => {
                is_stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

async fn answer(gate: &Gate, request: Request<Incoming>, has_fragment: &AtomicBool) -> Answer {
    let has_body = !request.body().is_end_stream();
    let (parts, _) = request.into_parts();
    let line = match has_fragment.load(Relaxed) {
        true => RequestLine::HasFragment,
        false => RequestLine::Plain,
    };
    let mut response = gate.answer(&parts, line).await;
    if has_body {
        // What follows could not be told from a body.
        response
            .headers_mut()
            .insert(http::header::CONNECTION, http::HeaderValue::from_static("close"));
    }
    response
}

/// Returns the response of a path that is not served.
pub(crate) fn not_found() -> Answer {
    plain(http::StatusCode::NOT_FOUND)
}
