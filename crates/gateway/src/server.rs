//! The server for the proxy's connections: limits, worker threads and shutdown.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpStream as StdStream};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use http::Request;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{self, Handle};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{Instant, Sleep, interval, sleep, sleep_until};

use crate::admin;
use crate::answer::{Answer, RequestLine, plain};
use crate::config::Settings;
use crate::gate::Gate;
use crate::original::Proxy;
use crate::request_line::RequestStream;

/// The maximum length of a request's header section, in bytes: a token of 8 KiB and cookies.
const MAX_HEAD: usize = 64 * 1024;

/// The time limit for requests in progress during a shutdown.
const DRAIN: Duration = Duration::from_secs(10);

/// The limits of the proxy's connections, and the number of threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) connections: usize,
    /// The time limit for the first request of a connection.
    pub(crate) header: Duration,
    /// The time limit between two requests of a connection.
    pub(crate) idle: Duration,
    pub(crate) threads: usize,
}

/// A gateway that is bound to its addresses. [`run`](Self::run) starts it.
pub struct Server {
    listener: TcpListener,
    admin: Option<TcpListener>,
    gate: Arc<Gate>,
    limits: Limits,
    metrics: Option<PrometheusHandle>,
}

impl Server {
    /// Binds to the configured addresses, and starts fetching keys.
    ///
    /// `metrics` are served at `/metrics` of the address `admin_listen`.
    ///
    /// # Errors
    ///
    /// An error if an address is unavailable, or if the authorities cannot be built.
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

    /// Returns the address of `/check`.
    ///
    /// # Errors
    ///
    /// The error of the operating system.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Returns the address of `/health` and `/metrics`, if there is one.
    ///
    /// # Errors
    ///
    /// The error of the operating system.
    pub fn admin_address(&self) -> io::Result<Option<SocketAddr>> {
        self.admin.as_ref().map(TcpListener::local_addr).transpose()
    }

    /// Serves requests until `stop` completes. Then no more connections are accepted, and
    /// requests in progress are completed within ten seconds.
    ///
    /// # Errors
    ///
    /// An error if a thread cannot be started.
    pub async fn run(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let Self { listener, admin, gate, limits, metrics } = self;
        let (stopping, _) = watch::channel(false);
        let mut workers = Vec::new();
        for _ in 0..limits.threads {
            workers.push(Worker::start(&gate, limits, &stopping, &Handle::current())?);
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
                        tracing::warn!(%error, "cannot accept a connection");
                        sleep(Duration::from_millis(100)).await;
                        continue;
                    }
                };
                next = next.wrapping_add(1);
                let index = next.checked_rem(workers.len()).unwrap_or_default();
                if let Some(worker) = workers.get(index)
                    && let Ok(stream) = stream.into_std()
                {
                    // The receiver exists: workers stop after this loop.
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
            () = sleep(DRAIN) => tracing::warn!("connections were closed before their requests completed"),
        }
        for Worker { connections, thread } in workers {
            drop(connections);
            // Workers do not panic.
            let _: thread::Result<()> = thread.join();
        }
        Ok(())
    }
}

/// A thread that serves some of the connections.
struct Worker {
    connections: mpsc::UnboundedSender<(StdStream, OwnedSemaphorePermit)>,
    thread: JoinHandle<()>,
}

impl Worker {
    /// `timers` is the runtime of the connections' timers. With a timer in the runtime of the
    /// worker, the kernel would start one whenever the worker waits for a request.
    fn start(
        gate: &Arc<Gate>,
        limits: Limits,
        stop: &watch::Sender<bool>,
        timers: &Handle,
    ) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (connections, mut accepted) = mpsc::unbounded_channel();
        let (gate, stop, timers) = (Arc::clone(gate), stop.subscribe(), timers.clone());
        let work = async move {
            while let Some((stream, permit)) = accepted.recv().await {
                let (gate, stop) = (Arc::clone(&gate), stop.clone());
                let activity = Activity::new(limits);
                let timer = {
                    let _in_runtime = timers.enter();
                    sleep_until(activity.deadline())
                };
                tokio::spawn(async move {
                    connection(stream, gate, activity, timer, stop).await;
                    drop(permit);
                });
            }
        };
        let thread = thread::Builder::new().name("worker".to_owned());
        let thread = thread.spawn(move || runtime.block_on(work))?;
        Ok(Self { connections, thread })
    }
}

/// Serves a connection until it is closed, a time limit expires or the gateway stops.
async fn connection(
    stream: StdStream,
    gate: Arc<Gate>,
    activity: Activity,
    timer: Sleep,
    mut stop: watch::Receiver<bool>,
) {
    let Ok(stream) = TcpStream::from_std(stream) else { return };
    // Nagle's algorithm could delay a response until the previous one is acknowledged.
    let _: io::Result<()> = stream.set_nodelay(true);
    let stream = RequestStream::new(stream, gate.settings.proxy == Proxy::Envoy);
    let has_fragment = stream.has_fragment();
    let service = service_fn(|request: Request<Incoming>| {
        let (gate, activity, has_fragment) = (&gate, &activity, &has_fragment);
        activity.begin();
        async move {
            let response = answer(gate, request, has_fragment).await;
            activity.end();
            Ok::<_, Infallible>(response)
        }
    });
    let mut http = http1::Builder::new();
    // hyper would start a timer for each request.
    http.header_read_timeout(None)
        .max_buf_size(MAX_HEAD)
        // Responses have no body, so there is only one buffer to write.
        .writev(false)
        .half_close(false);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    let mut stopping = pin!(stop.wait_for(|is_stopping| *is_stopping));
    let mut timer = pin!(timer);
    let mut is_stopping = false;
    loop {
        tokio::select! {
            biased;
            result = connection.as_mut() => {
                if let Err(error) = result {
                    tracing::debug!(%error, "connection failed");
                }
                return;
            }
            () = &mut timer => {
                let deadline = activity.deadline();
                if deadline <= Instant::now() {
                    tracing::debug!("closed a connection that sent no request in time");
                    return;
                }
                timer.as_mut().reset(deadline);
            }
            _ = &mut stopping, if !is_stopping => {
                is_stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// The time of the last request of a connection, from which its time limits are computed. The
/// connection has one timer, which is set again only when it expires.
struct Activity {
    limits: Limits,
    opened: Instant,
    /// The time from `opened` to the end of the last request, in milliseconds: [`NONE`](Self::NONE)
    /// before the first request, [`IN_PROGRESS`](Self::IN_PROGRESS) during a request.
    ended: AtomicU64,
}

impl Activity {
    const NONE: u64 = u64::MAX;
    const IN_PROGRESS: u64 = u64::MAX - 1;

    fn new(limits: Limits) -> Self {
        Self { limits, opened: Instant::now(), ended: AtomicU64::new(Self::NONE) }
    }

    fn begin(&self) {
        self.ended.store(Self::IN_PROGRESS, Relaxed);
    }

    fn end(&self) {
        let ended = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or_default();
        self.ended.store(ended, Relaxed);
    }

    /// Returns the time at which the connection is closed if no request has begun or ended since.
    fn deadline(&self) -> Instant {
        let Self { limits, opened, ended } = self;
        match ended.load(Relaxed) {
            Self::NONE => *opened + limits.header,
            Self::IN_PROGRESS => Instant::now() + limits.idle,
            ended => *opened + Duration::from_millis(ended) + limits.idle,
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
        // The fragment scanner cannot distinguish a body from the next request.
        response
            .headers_mut()
            .insert(http::header::CONNECTION, http::HeaderValue::from_static("close"));
    }
    response
}

/// Returns the response for an unknown path.
pub(crate) fn not_found() -> Answer {
    plain(http::StatusCode::NOT_FOUND)
}
