//! `libclaimgate.a`: [`claimgate_c`] and the panic handler that a library without `std`
//! requires.

#![no_std]

use core::panic::PanicInfo;

// The functions of the C interface are exported from there.
pub use claimgate_c::*;

#[cfg(claimgate_panic_probe)]
unsafe extern "C" {
    fn claimgate_panicked() -> !;
}

/// No function of the library panics, as checked by `tests/no_panic.sh`: it builds the library
/// with `claimgate_panic_probe` and searches for references to `claimgate_panicked`.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    #[cfg(claimgate_panic_probe)]
    // SAFETY: never called; the symbol is not defined anywhere.
    unsafe {
        claimgate_panicked()
    }
    #[cfg(not(claimgate_panic_probe))]
    loop {
        core::hint::spin_loop();
    }
}

/// Panics for some input, so that `tests/no_panic.sh` can be tested.
#[cfg(claimgate_deliberate_panic)]
#[unsafe(no_mangle)]
pub extern "C" fn claimgate_deliberate_panic(index: usize) -> u8 {
    [1, 2, 3][index]
}
