//! A TCP stream that detects fragments in request lines.
//!
//! hyper removes the fragment of a request target without reporting it. Envoy copies the
//! client's path into the request line, and may forward the fragment to the application.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A scanner for fragments in request lines. It does not parse bodies: the server closes the
/// connection after a request with a body.
#[derive(Debug, Default)]
struct Scanner {
    is_in_fields: bool,
    /// The length of the current line so far, without its end.
    line: usize,
}

impl Scanner {
    /// Returns whether a request line in these bytes contains a fragment.
    fn finds_fragment(&mut self, bytes: &[u8]) -> bool {
        for byte in bytes {
            match byte {
                b'\r' => {}
                // An empty line ends the header; empty lines before a request line are ignored.
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

/// A TCP stream with a scanner for fragments.
pub(crate) struct RequestStream {
    stream: TcpStream,
    /// `None` if the proxy does not copy the client's path into the request line.
    scanner: Option<Scanner>,
    has_fragment: Arc<AtomicBool>,
}

impl RequestStream {
    pub(crate) fn new(stream: TcpStream, is_scanned: bool) -> Self {
        let scanner = is_scanned.then(Scanner::default);
        Self { stream, scanner, has_fragment: Arc::new(AtomicBool::new(false)) }
    }

    /// Returns a flag that is set when any request line contains a fragment.
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_is_detected_only_in_request_lines() {
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
