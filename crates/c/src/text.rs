//! Texts and lists from C programs.

use core::ffi::c_char;
use core::{ptr, slice, str};

use crate::code::claimgate_code;

/// A text: UTF-8, not terminated by a zero.
///
/// A null pointer is a text that is not given, which differs from an empty one.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct claimgate_text {
    /// The first byte. Readable for `length` bytes.
    pub data: *const c_char,
    /// The number of bytes.
    pub length: usize,
}

/// A list of texts.
///
/// A null pointer is a list that is not given, which differs from an empty one.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct claimgate_texts {
    /// The first text. Readable for `count` texts.
    pub items: *const claimgate_text,
    /// The number of texts.
    pub count: usize,
}

impl claimgate_text {
    pub(crate) const NONE: Self = Self { data: ptr::null(), length: 0 };

    pub(crate) const fn of(text: &str) -> Self {
        Self { data: text.as_ptr().cast(), length: text.len() }
    }

    pub(crate) fn range(&self) -> Range {
        Range { start: self.data.addr(), len: self.length }
    }

    /// Returns the text, or `None` if it is not given. Rejects one that overlaps a range, which
    /// is then not read.
    ///
    /// # Safety
    ///
    /// `data` is null or readable for `length` bytes, which do not change during `'a`.
    pub(crate) unsafe fn get_apart_from<'a>(
        self,
        ranges: &[Range],
    ) -> Result<Option<&'a str>, claimgate_code> {
        if self.data.is_null() {
            return if self.length == 0 {
                Ok(None)
            } else {
                Err(claimgate_code::CLAIMGATE_NULL_POINTER)
            };
        }
        check_len(self.data.addr(), self.length)?;
        self.range().check_all_apart(ranges)?;
        // SAFETY: not null, of a length that an object can have; the caller promises the rest.
        let bytes = unsafe { slice::from_raw_parts(self.data.cast(), self.length) };
        str::from_utf8(bytes).map(Some).map_err(|_| claimgate_code::CLAIMGATE_NOT_UTF8)
    }

    /// Like [`get_apart_from`](Self::get_apart_from), for a text that a client has sent. One
    /// that is not UTF-8 is a mistake of the client, and not of the calling program: the result
    /// is `refused`, a text that the library rejects.
    ///
    /// # Safety
    ///
    /// As for [`get_apart_from`](Self::get_apart_from).
    pub(crate) unsafe fn of_client<'a>(
        self,
        ranges: &[Range],
        refused: &'static str,
    ) -> Result<Option<&'a str>, claimgate_code> {
        // SAFETY: the caller's promise.
        match unsafe { self.get_apart_from(ranges) } {
            Err(claimgate_code::CLAIMGATE_NOT_UTF8) => Ok(Some(refused)),
            result => result,
        }
    }

    /// Returns the text, which must be given.
    ///
    /// # Safety
    ///
    /// As for [`get_apart_from`](Self::get_apart_from).
    pub(crate) unsafe fn required<'a>(self) -> Result<&'a str, claimgate_code> {
        // SAFETY: the caller's promise.
        unsafe { self.required_apart_from(&[]) }
    }

    /// Returns the text, which must be given. Rejects one that overlaps a range.
    ///
    /// # Safety
    ///
    /// As for [`get_apart_from`](Self::get_apart_from).
    pub(crate) unsafe fn required_apart_from<'a>(
        self,
        ranges: &[Range],
    ) -> Result<&'a str, claimgate_code> {
        // SAFETY: the caller's promise.
        unsafe { self.get_apart_from(ranges) }?.ok_or(claimgate_code::CLAIMGATE_NULL_POINTER)
    }
}

impl claimgate_texts {
    /// Returns the texts, or `None` if the list is not given. Rejects a list that overlaps a
    /// range.
    ///
    /// # Safety
    ///
    /// `items` is null or points to `count` initialised texts, which do not change during `'a`.
    pub(crate) unsafe fn get_apart_from<'a>(
        self,
        ranges: &[Range],
    ) -> Result<Option<&'a [claimgate_text]>, claimgate_code> {
        // SAFETY: the caller's promise.
        unsafe { list(self.items, self.count, ranges) }
    }
}

/// Returns a list, or `None` if it is not given. Rejects one that overlaps a range.
///
/// # Safety
///
/// `items` is null or points to `count` initialised values, which do not change during `'a`.
pub(crate) unsafe fn list<'a, T>(
    items: *const T,
    count: usize,
    apart_from: &[Range],
) -> Result<Option<&'a [T]>, claimgate_code> {
    if items.is_null() {
        return if count == 0 { Ok(None) } else { Err(claimgate_code::CLAIMGATE_NULL_POINTER) };
    }
    if !items.is_aligned() {
        return Err(claimgate_code::CLAIMGATE_MISALIGNED);
    }
    let range = Range { start: items.addr(), len: count.saturating_mul(size_of::<T>()) };
    check_len(range.start, range.len)?;
    range.check_all_apart(apart_from)?;
    // SAFETY: not null, aligned, of a length that an object can have; the caller promises the
    // rest.
    Ok(Some(unsafe { slice::from_raw_parts(items, count) }))
}

/// Rejects lengths that no object can have.
fn check_len(start: usize, len: usize) -> Result<(), claimgate_code> {
    if len > isize::MAX.unsigned_abs() || start.checked_add(len).is_none() {
        return Err(claimgate_code::CLAIMGATE_INVALID_LENGTH);
    }
    Ok(())
}

/// A range of addresses.
#[derive(Clone, Copy)]
pub(crate) struct Range {
    pub(crate) start: usize,
    pub(crate) len: usize,
}

impl Range {
    pub(crate) fn of<T>(pointer: *const T) -> Self {
        Self { start: pointer.addr(), len: size_of::<T>() }
    }

    /// Rejects a range that overlaps another.
    pub(crate) fn check_apart(self, other: Self) -> Result<(), claimgate_code> {
        let ends_before =
            |left: Self, right: Self| left.start.saturating_add(left.len) <= right.start;
        if self.len == 0 || other.len == 0 || ends_before(self, other) || ends_before(other, self) {
            Ok(())
        } else {
            Err(claimgate_code::CLAIMGATE_OVERLAP)
        }
    }

    /// Rejects a range that overlaps one of several.
    pub(crate) fn check_all_apart(self, others: &[Self]) -> Result<(), claimgate_code> {
        others.iter().try_for_each(|other| self.check_apart(*other))
    }
}
