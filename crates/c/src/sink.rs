//! Writers of texts to memory of the caller.

use core::ffi::c_char;
use core::fmt;

use crate::code::claimgate_code;
use crate::memory::put;
use crate::text::Range;

/// Memory for a text. Bytes beyond its capacity are counted and not written.
pub(crate) struct Sink {
    start: *mut u8,
    capacity: usize,
    len: usize,
    length: *mut usize,
}

impl Sink {
    /// The length of the text is written to `length` by [`finish`](Self::finish), and 0 by
    /// [`begin`](Self::begin).
    ///
    /// # Safety
    ///
    /// `buffer` is null or writable for `capacity` bytes.
    pub(crate) unsafe fn new(
        buffer: *mut c_char,
        capacity: usize,
        length: *mut usize,
        apart_from: Range,
    ) -> Result<Self, claimgate_code> {
        if buffer.is_null() && capacity > 0 {
            return Err(claimgate_code::CLAIMGATE_NULL_POINTER);
        }
        let start = buffer.addr();
        if capacity > isize::MAX.unsigned_abs() || start.checked_add(capacity).is_none() {
            return Err(claimgate_code::CLAIMGATE_INVALID_LENGTH);
        }
        let sink = Self { start: buffer.cast(), capacity, len: 0, length };
        let [text, length] = sink.ranges();
        text.check_apart(length)?;
        apart_from.check_all_apart(&[text, length])?;
        Ok(sink)
    }

    /// Returns the memory of the text and of its length.
    pub(crate) fn ranges(&self) -> [Range; 2] {
        let text = Range { start: self.start.addr(), len: self.capacity };
        [text, Range::of(self.length)]
    }

    /// Writes the length of a text that is not available. Called when the memory is known not to
    /// overlap any argument.
    ///
    /// # Safety
    ///
    /// `length` is null, misaligned, or writable.
    pub(crate) unsafe fn begin(&self) -> Result<(), claimgate_code> {
        // SAFETY: the caller's promise.
        unsafe { put(self.length, 0) }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let end = self.len.saturating_add(bytes.len());
        if end <= self.capacity && !bytes.is_empty() {
            // SAFETY: `end` is within the memory described to `new`, and the bytes do not
            // overlap it: the library's own texts are elsewhere.
            unsafe {
                let place = self.start.add(self.len);
                place.copy_from(bytes.as_ptr(), bytes.len());
            }
        }
        self.len = end;
    }

    /// Returns the text, or `None` if it does not fit.
    pub(crate) fn text(&self) -> Result<Option<&str>, claimgate_code> {
        if self.len > self.capacity {
            return Ok(None);
        }
        if self.len == 0 {
            return Ok(Some(""));
        }
        // SAFETY: these bytes were written by `push`.
        let bytes = unsafe { core::slice::from_raw_parts(self.start, self.len) };
        core::str::from_utf8(bytes).map(Some).map_err(|_| claimgate_code::CLAIMGATE_NOT_UTF8)
    }

    /// Writes the length of the whole text, whether or not it fits.
    ///
    /// # Safety
    ///
    /// `length` is null, misaligned, or writable.
    pub(crate) unsafe fn finish(self) -> Result<(), claimgate_code> {
        // SAFETY: the caller's promise.
        unsafe { put(self.length, self.len) }?;
        if self.len > self.capacity {
            return Err(claimgate_code::CLAIMGATE_BUFFER_TOO_SMALL);
        }
        Ok(())
    }
}

impl fmt::Write for Sink {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text.as_bytes());
        Ok(())
    }
}
