//! The vector operations of the kernel.
#![forbid(unsafe_code)]

/// Eight lanes of 64 bits, of which products use the low 52.
///
/// A value of the implementing type proves that the operations can be used on this processor.
pub(crate) trait Lanes: Copy {
    type Vector: Copy;

    /// Runs a task in a function that may use the operations.
    fn run<T: Task>(self, task: T) -> T::Output;

    fn load(self, lanes: &[u64; 8]) -> Self::Vector;
    fn store(self, vector: Self::Vector) -> [u64; 8];
    /// Returns a vector with the same value in all lanes.
    fn splat(self, value: u64) -> Self::Vector;

    /// Returns the sums, modulo 2^64.
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// Returns the low 52 bits.
    fn digit(self, a: Self::Vector) -> Self::Vector;
    /// Returns the high 12 bits.
    fn carry(self, a: Self::Vector) -> Self::Vector;
    /// Returns whether any lane is 2^52 or more.
    fn any_carry(self, a: Self::Vector) -> bool;

    /// Returns eight lanes, starting at lane `BY`, of the sixteen of `low` and `high`.
    fn align<const BY: i32>(self, high: Self::Vector, low: Self::Vector) -> Self::Vector;
    /// Returns the first halves, interleaved: a0 b0 a1 b1 a2 b2 a3 b3.
    fn interleave_first(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// Returns the second halves, interleaved: a4 b4 a5 b5 a6 b6 a7 b7.
    fn interleave_second(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;

    /// Returns `sum` plus the low 52 bits of the products of the low 52 bits.
    fn add_low(self, sum: Self::Vector, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// Returns `sum` plus the high 52 bits of the products of the low 52 bits.
    fn add_high(self, sum: Self::Vector, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// Like [`add_low`](Self::add_low), but only in the lanes whose bits are set in `MASK`;
    /// the others are those of `sum`.
    fn add_low_in<const MASK: u8>(
        self,
        sum: Self::Vector,
        a: Self::Vector,
        b: Self::Vector,
    ) -> Self::Vector;
    /// Like [`add_high`](Self::add_high), but only in the lanes whose bits are set in `MASK`.
    fn add_high_in<const MASK: u8>(
        self,
        sum: Self::Vector,
        a: Self::Vector,
        b: Self::Vector,
    ) -> Self::Vector;
}

/// A task for [`Lanes::run`].
pub(crate) trait Task {
    type Output;

    /// Runs the task. Implementations and all functions that they call are
    /// `#[inline(always)]`, so that the operations are compiled for the processor's
    /// instructions.
    fn run<L: Lanes>(self, lanes: L) -> Self::Output;
}
