//! A hyper server that responds 200 to each request without any work, for `tests/run.sh`: the CPU time that every
//! server of this kind needs for a request.
//!
//! ```text
//! cargo run --release -p claimgate-gateway --example minimum 127.0.0.1:9180
//! ```

use std::convert::Infallible;
use std::error::Error;
use std::future::pending;
use std::net::TcpListener;
use std::{env, thread};

use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime;

fn main() -> Result<(), Box<dyn Error>> {
    let address = env::args().nth(1).ok_or("no address")?;
    let mut workers = Vec::new();
    // Like the gateway: a runtime for each processor, and connections in turn.
    for _ in 0..thread::available_parallelism()?.get() {
        let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
        workers.push(runtime.handle().clone());
        thread::spawn(move || runtime.block_on(pending::<()>()));
    }
    let listener = TcpListener::bind(address)?;
    for (stream, worker) in listener.incoming().zip(workers.iter().cycle()) {
        let stream = stream?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        worker.spawn(async move {
            let Ok(stream) = TcpStream::from_std(stream) else { return };
            let service = service_fn(|_: Request<Incoming>| async {
                Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
            });
            let connection = http1::Builder::new()
                .writev(false)
                .header_read_timeout(None)
                .serve_connection(TokioIo::new(stream), service);
            // The client may close the connection early.
            let _: hyper::Result<()> = connection.await;
        });
    }
    Ok(())
}
