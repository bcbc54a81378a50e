//! The board: a meter for stack and instructions, and a console.
//!
//! The programs of this package are in `src/bin`.

#![no_std]

use core::arch::asm;
use core::ptr;

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::register::msp;
use cortex_m_semihosting::debug::{self, EXIT_FAILURE, EXIT_SUCCESS};
use cortex_m_semihosting::hio::{self, HostStream};

/// The pattern in the free part of the stack before a measurement.
const PAINT: u32 = 0x5741_4c4c;
const WORD: usize = size_of::<u32>();

unsafe extern "C" {
    // From the linker script: only their addresses are significant.
    static _stack_start: u32;
    static _stack_end: u32;
}

/// The number of iterations of the loop that calibrates a tick.
const KNOWN_ROUNDS: u32 = 500_000;

/// The cost of a task.
#[derive(Clone, Copy)]
pub struct Cost {
    /// Bytes from the bottom of the stack to its high-water mark.
    pub stack: u32,
    /// The instructions executed.
    pub instructions: u32,
}

/// Counts instructions, to which the emulator's clock is coupled.
pub struct Meter {
    instructions_per_tick: u32,
}

impl Meter {
    /// Starts the timer and calibrates a tick.
    pub fn new(mut timer: SYST) -> Self {
        timer.set_clock_source(SystClkSource::Core);
        timer.set_reload(0x00ff_ffff);
        timer.clear_current();
        timer.enable_counter();
        let start = SYST::get_current();
        // SAFETY: decrements a register, two instructions per iteration.
        unsafe {
            asm!("2: subs {rounds}, #1", "bne 2b", rounds = inout(reg) KNOWN_ROUNDS => _);
        }
        let ticks = elapsed_since(start);
        Self { instructions_per_tick: (2 * KNOWN_ROUNDS + ticks / 2) / ticks }
    }

    /// Runs a task and measures it.
    pub fn measure<T>(&self, work: impl FnOnce() -> T) -> (T, Cost) {
        paint();
        let start = SYST::get_current();
        let result = work();
        let instructions = elapsed_since(start) * self.instructions_per_tick;
        (result, Cost { stack: high_water_mark(), instructions })
    }
}

/// Returns the ticks since `start`. The timer counts down, in 24 bits.
fn elapsed_since(start: u32) -> u32 {
    start.wrapping_sub(SYST::get_current()) & 0x00ff_ffff
}

/// Fills the free part of the stack with the pattern.
#[inline(never)]
fn paint() {
    // The frame of this function may extend below the stack pointer that it reads.
    let end = msp::read() as usize - 64;
    let mut place = &raw const _stack_end as usize;
    while place < end {
        // SAFETY: the words between the end of the static data and the stack pointer are
        // unused RAM; volatile, so that the compiler does not insert a call, which would use
        // stack.
        unsafe { ptr::write_volatile(place as *mut u32, PAINT) };
        place += WORD;
    }
}

/// Returns the bytes of stack that no longer contain the pattern.
#[inline(never)]
fn high_water_mark() -> u32 {
    let start = &raw const _stack_start as usize;
    let mut place = &raw const _stack_end as usize;
    // SAFETY: as above, RAM up to the start of the stack, which has been initialised.
    while place < start && unsafe { ptr::read_volatile(place as *const u32) } == PAINT {
        place += WORD;
    }
    (start - place) as u32
}

/// The console of the host that runs the emulator.
#[derive(Default)]
pub struct Console {
    stream: Option<HostStream>,
}

impl Console {
    /// Opens the console.
    pub fn new() -> Self {
        Self { stream: hio::hstdout().ok() }
    }

    /// Writes a text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        if let Some(stream) = &mut self.stream {
            // Errors are ignored: the exit status is significant.
            let _ = stream.write_all(text.as_bytes());
        }
        self
    }

    /// Writes the text, padded with spaces to the width.
    pub fn column(&mut self, text: &str, width: usize) -> &mut Self {
        self.text(text);
        for _ in text.len()..width {
            self.text(" ");
        }
        self
    }

    /// Writes a number, right-aligned in ten columns.
    pub fn number(&mut self, mut number: u32) -> &mut Self {
        let mut digits = [b' '; 10];
        for place in digits.iter_mut().rev() {
            *place = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.text(core::str::from_utf8(&digits).unwrap_or_default())
    }

    /// Writes a cost: stack and instructions.
    pub fn cost(&mut self, cost: Cost) -> &mut Self {
        self.number(cost.stack).number(cost.instructions).text("\n")
    }
}

/// Ends the emulation with this exit status.
pub fn exit(is_success: bool) -> ! {
    loop {
        debug::exit(if is_success { EXIT_SUCCESS } else { EXIT_FAILURE });
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    Console::new().text("panicked\n");
    exit(false)
}
