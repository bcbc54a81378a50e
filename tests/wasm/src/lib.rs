//! The batch mode of the `validate` example as a WebAssembly module: the same source files.

#[path = "../../../examples/validate/batch.rs"]
mod batch;
#[path = "../../../examples/validate/case.rs"]
mod case;
#[path = "../../../examples/validate/judge.rs"]
#[expect(dead_code, reason = "the parts for a single token, which the module leaves out")]
mod judge;

use std::cell::RefCell;

thread_local! {
    /// The cases, and then the answers.
    static TEXT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Returns memory for cases of this length.
#[unsafe(no_mangle)]
pub extern "C" fn text(length: usize) -> *mut u8 {
    TEXT.with_borrow_mut(|text| {
        text.clear();
        text.resize(length, 0);
        text.as_mut_ptr()
    })
}

/// Replaces the cases by the answers, and returns their length.
#[unsafe(no_mangle)]
pub extern "C" fn answer() -> usize {
    TEXT.with_borrow_mut(|text| {
        let mut answers = Vec::new();
        batch::answer_all(text.as_slice(), &mut answers).expect("a vector can be written to");
        *text = answers;
        text.len()
    })
}

/// Returns the address of the answers.
#[unsafe(no_mangle)]
pub extern "C" fn answers() -> *const u8 {
    TEXT.with_borrow(|text| text.as_ptr())
}
