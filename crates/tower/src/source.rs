//! The sources of an authority's keys.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
#[cfg(unix)]
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use tokio::time::timeout;

use crate::discovery;
use crate::error::FetchError;
use crate::fetch::{FetchUrl, Fetcher, LoopbackHttp};

/// The source of an authority's keys.
#[derive(Clone)]
pub(crate) enum Source {
    /// The discovery document of the issuer, which contains the URL of the keys.
    Discovery { issuer: Arc<str>, url: FetchUrl, loopback_http: LoopbackHttp },
    /// A key set at a URL.
    Url(FetchUrl),
    /// A key set in a file.
    File(PathBuf),
    /// A configured key set.
    Fixed(Arc<str>),
}

impl Source {
    /// Reads the key set.
    pub(crate) async fn read(&self, fetcher: &Fetcher) -> Result<String, FetchError> {
        let limits = fetcher.limits();
        let read = async {
            match self {
                Self::Discovery { issuer, url, loopback_http } => {
                    let document = fetcher.get(url).await?;
                    let jwks_uri = discovery::jwks_uri(&document, issuer, *loopback_http)?;
                    fetcher.get(&jwks_uri).await
                }
                Self::Url(url) => fetcher.get(url).await,
                Self::File(path) => {
                    let (file, limit) = (path.clone(), limits.response);
                    let read = tokio::task::spawn_blocking(move || read_file(&file, limit)).await;
                    read.unwrap_or_else(|_| Err(cannot_read(path, ErrorKind::Other)))
                }
                Self::Fixed(jwks) => Ok(jwks.as_ref().to_owned()),
            }
        };
        timeout(limits.total, read).await.unwrap_or(Err(FetchError::Timeout))
    }

    /// Returns the file with the keys, if they are read from a file.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Discovery { .. } | Self::Url(_) | Self::Fixed(_) => None,
        }
    }
}

fn cannot_read(path: &Path, kind: ErrorKind) -> FetchError {
    FetchError::File { path: path.to_owned(), kind }
}

fn read_file(path: &Path, limit: usize) -> Result<String, FetchError> {
    let failed = |error: std::io::Error| cannot_read(path, error.kind());
    let file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    // Reading one byte more than the limit detects a longer file.
    let longest = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    file.take(longest).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > limit {
        return Err(FetchError::TooLarge { limit });
    }
    String::from_utf8(bytes).map_err(|_| FetchError::Encoding)
}

/// The state of a file, which is different after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    modified: SystemTime,
    len: u64,
    /// The device and inode, and the time of the last change of the inode. Unlike the time of
    /// modification, programs cannot set it.
    #[cfg(unix)]
    inode: (u64, u64, i64, i64),
}

impl Stamp {
    /// Returns the state of the file, with links followed, or `None` if it does not exist.
    pub(crate) async fn of(path: &Path) -> Option<Self> {
        let path = path.to_owned();
        let metadata = tokio::task::spawn_blocking(move || fs::metadata(path)).await.ok()?.ok()?;
        Some(Self {
            modified: metadata.modified().ok()?,
            len: metadata.len(),
            #[cfg(unix)]
            inode: (metadata.dev(), metadata.ino(), metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}
