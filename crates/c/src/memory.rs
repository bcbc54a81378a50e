//! Objects in memory of the caller.

use core::ffi::c_void;

use crate::code::claimgate_code;
use crate::text::Range;

/// The first word of an object: its kind and its own address, by which objects of another kind
/// and moved objects are detected.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Seal(usize);

/// A type to which C programs have pointers.
///
/// # Safety
///
/// The type is `repr(C)`, and its first field is a [`Seal`].
pub(crate) unsafe trait Object: Sized {
    /// A number that is different for each kind.
    const KIND: u16;
}

fn seal_at<T: Object>(address: usize) -> Seal {
    // Any odd number differs from an aligned address.
    Seal(address ^ usize::from(T::KIND).rotate_left(16) ^ usize::from(T::KIND))
}

/// Returns the memory as that of an object, and the seal to write to it. A previous object in
/// it becomes invalid. Rejects memory that overlaps one of the other arguments.
///
/// # Safety
///
/// `memory` is null, misaligned, or writable for `size` bytes.
pub(crate) unsafe fn place_of<T: Object>(
    memory: *mut c_void,
    size: usize,
    apart_from: &[Range],
) -> Result<(*mut T, Seal), claimgate_code> {
    let place: *mut T = memory.cast();
    if place.is_null() {
        return Err(claimgate_code::CLAIMGATE_NULL_POINTER);
    }
    if !place.is_aligned() {
        return Err(claimgate_code::CLAIMGATE_MISALIGNED);
    }
    if size < size_of::<T>() {
        return Err(claimgate_code::CLAIMGATE_MEMORY_TOO_SMALL);
    }
    Range::of(place).check_all_apart(apart_from)?;
    // SAFETY: aligned, large enough, and the caller promises that it is writable.
    unsafe { place.cast::<Seal>().write(Seal(0)) };
    Ok((place, seal_at::<T>(place.addr())))
}

/// Checks that a pointer points to an object of this kind.
///
/// # Safety
///
/// `object` is null, misaligned, or readable for a word.
pub(crate) unsafe fn check<T: Object>(object: *const T) -> Result<(), claimgate_code> {
    if object.is_null() {
        return Err(claimgate_code::CLAIMGATE_NULL_POINTER);
    }
    if !object.is_aligned() {
        return Err(claimgate_code::CLAIMGATE_MISALIGNED);
    }
    // SAFETY: readable, aligned, and the seal is the first field.
    let seal = unsafe { object.cast::<Seal>().read() };
    if seal != seal_at::<T>(object.addr()) {
        return Err(claimgate_code::CLAIMGATE_NOT_AN_OBJECT);
    }
    Ok(())
}

/// Borrows an object.
///
/// # Safety
///
/// As for [`check`]; an object is initialised, and not changed during `'a`.
pub(crate) unsafe fn borrow<'a, T: Object>(object: *const T) -> Result<&'a T, claimgate_code> {
    // SAFETY: the caller's promise.
    unsafe { check(object) }?;
    // SAFETY: checked, and the caller promises the rest.
    Ok(unsafe { &*object })
}

/// Writes a result.
///
/// # Safety
///
/// `place` is null, misaligned, or writable.
pub(crate) unsafe fn put<T>(place: *mut T, value: T) -> Result<(), claimgate_code> {
    if place.is_null() {
        return Err(claimgate_code::CLAIMGATE_NULL_POINTER);
    }
    if !place.is_aligned() {
        return Err(claimgate_code::CLAIMGATE_MISALIGNED);
    }
    // SAFETY: aligned, and the caller promises that it is writable.
    unsafe { place.write(value) };
    Ok(())
}

/// Converts a result to its code.
pub(crate) fn code(result: Result<(), claimgate_code>) -> claimgate_code {
    result.err().unwrap_or(claimgate_code::CLAIMGATE_OK)
}
