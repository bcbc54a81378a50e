//! The vector operations of the kernel.
#![forbid(unsafe_code)]

/// Eight lanes of 64 bits, of which products use the low 52.
///
/// A value of the implementing type is the proof that the operations can be used
/// on this processor.
pub(crate) trait Lanes: Copy {
    type Vector: Copy;

    /// Runs a task in a function that may use the operations.
    fn run<T: Task>(self, task: T) -> T::Output;

    fn load(self, lanes: &[u64; 8]) -> Self::Vector;
    fn store(self, vector: Self::Vector) -> [u64; 8];
    /// The same value in all lanes.
    fn splat(self, value: u64) -> Self::Vector;

    /// The sums, modulo 2^64.
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The low 52 bits.
    fn digit(self, a: Self::Vector) -> Self::Vector;
    /// The high 12 bits.
    fn carry(self, a: Self::Vector) -> Self::Vector;
    /// Whether any lane is 2^52 or more.
    fn any_carry(self, a: Self::Vector) -> bool;

    /// Lanes `BY`, … of the sixteen that are `low` and then `high`.
    fn align<const BY: i32>(self, high: Self::Vector, low: Self::Vector) -> Self::Vector;
    /// The first halves, lane by lane: a0 b0 a1 b1 a2 b2 a3 b3.
    fn interleave_first(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The second halves: a4 b4 a5 b5 a6 b6 a7 b7.
    fn interleave_second(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;

    /// `sum` plus the low 52 bits of the product of the low 52 bits.
    fn add_low(self, sum: Self::Vector, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `sum` plus the high 52 bits of the product of the low 52 bits.
    fn add_high(self, sum: Self::Vector, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// [`add_low`](Self::add_low) in the lanes whose bits are set in `MASK`; the
    /// other lanes are the sum's.
    fn add_low_in<const MASK: u8>(
        self,
        sum: Self::Vector,
        a: Self::Vector,
        b: Self::Vector,
    ) -> Self::Vector;
    /// [`add_high`](Self::add_high) in the lanes whose bits are set in `MASK`.
    fn add_high_in<const MASK: u8>(
        self,
        sum: Self::Vector,
        a: Self::Vector,
        b: Self::Vector,
    ) -> Self::Vector;
}

/// Work for [`Lanes::run`].
pub(crate) trait Task {
    type Output;

    /// Does the work. Implementations are `#[inline(always)]`, and so is all that
    /// they call, so that the operations are compiled for the processor's
    /// instructions.
    fn run<L: Lanes>(self, lanes: L) -> Self::Output;
}
