//! A TCP stream that notices a fragment in the line of a request.
//!
//! The parser of requests removes a fragment and tells nobody. Envoy puts the path of the
//! client into the line, and whether Envoy or the application removes a fragment is a setting.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Finds fragments in request lines. Requests have no bodies here: the connection is closed
/// after one that has.
#[derive(Debug, Default)]
struct Scanner {
    is_in_fields: bool,
    /// The bytes of the line so far, without its end.
    line: usize,
}

impl Scanner {
    /// Returns whether a request line among these bytes has a fragment.
    fn finds_fragment(&mut self, bytes: &[u8]) -> bool {
        for byte in bytes {
            match byte {
                b'\r' => {}
                // An empty line ends the fields; those before a request line are ignored.
                b'\n' => {
                    self.is_in_fields = self.line > 0;
                    self.line = 0;
                }
                b'#' if !self.is_in_fields => return true,
                _ => self.line = self.line.saturating_add(1),
            }
        }
        false
    }
}

/// A stream of requests.
pub(crate) struct RequestStream {
    stream: TcpStream,
    /// `None` where the line is the proxy's own.
    scanner: Option<Scanner>,
    has_fragment: Arc<AtomicBool>,
}

impl RequestStream {
    pub(crate) fn new(stream: TcpStream, is_scanned: bool) -> Self {
        let scanner = is_scanned.then(Scanner::default);
        Self { stream, scanner, has_fragment: Arc::new(AtomicBool::new(false)) }
    }

    /// Returns a flag that is set as soon as any request has a fragment.
    pub(crate) fn has_fragment(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.has_fragment)
    }
}

impl AsyncRead for RequestStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let this = &mut *self;
        let result = Pin::new(&mut this.stream).poll_read(cx, buffer);
        if let Some(scanner) = &mut this.scanner
            && scanner.finds_fragment(buffer.filled().get(before..).unwrap_or_default())
        {
            this.has_fragment.store(true, Relaxed);
        }
        result
    }
}

impl AsyncWrite for RequestStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_counts_in_request_lines_alone() {
        let has_fragment = |text: &str| {
            let whole = Scanner::default().finds_fragment(text.as_bytes());
            let mut scanner = Scanner::default();
            let pieces = text.as_bytes().chunks(1).any(|byte| scanner.finds_fragment(byte));
            assert_eq!(whole, pieces, "{text}");
            whole
        };
        assert!(!has_fragment("GET /check/a HTTP/1.1\r\nX: a#b\r\n\r\n"));
        assert!(has_fragment("GET /check/a#b HTTP/1.1\r\n\r\n"));
        assert!(has_fragment("\r\nGET /check/a#b HTTP/1.1\r\n\r\n"));
        let first = "GET /check/a HTTP/1.1\r\nX: #\r\n\r\n";
        assert!(!has_fragment(&format!("{first}{first}")));
        assert!(has_fragment(&format!("{first}GET /check/a#b HTTP/1.1\r\n\r\n")));
        assert!(has_fragment("GET / HTTP/1.1\nX: a\n\nGET /#b HTTP/1.1\n\n"));
    }
}
