//! The arithmetic of the kernel, generic over the operations of [`Lanes`].
#![forbid(unsafe_code)]

use super::digits::Digits;
use super::lanes::{Lanes, Task};

/// The constants for reductions modulo n of 2,048 bits.
#[derive(Clone)]
pub(super) struct Modulus {
    pub(super) n: Digits,
    /// 2^−416 mod n, which folds the eight lowest digits into the others.
    pub(super) fold_8: Digits,
    /// 2^−832 mod n, which folds the sixteen lowest.
    pub(super) fold_16: Digits,
    /// −1/n mod 2^416.
    pub(super) negative_inverse: [u64; 8],
}

/// Computes x·last/R + complement·factor/R modulo n, where x is
/// s^(e−1) / R^(e−2), and `tail` is complement and factor.
///
/// With an exponent of 1, x is s. The result is below 2n + n/2^29 if s and
/// `last` are, and the factor is below n.
pub(super) struct Evaluation<'a> {
    pub(super) modulus: &'a Modulus,
    pub(super) s: &'a Digits,
    pub(super) e: u64,
    pub(super) last: &'a Digits,
    pub(super) tail: Option<(&'a [[u64; 8]; 2], &'a Digits)>,
}

impl Task for Evaluation<'_> {
    type Output = Digits;

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) -> Digits {
        let reduction = Reduction::new(l, self.modulus);
        // From the left: a square for each bit of e after the first, and a product for each
        // one.
        let mut bits = self.e << self.e.leading_zeros() << 1;
        let mut is_product = bits == 0;
        let mut x = *self.s;
        loop {
            let is_last = is_product && bits == 0;
            let wide = if is_product {
                let mut sums = Sums::zero(l);
                if is_last && let Some((complement, factor)) = self.tail {
                    sums.add_product(l, complement, &Shifts::new(l, factor));
                }
                let y = if is_last { self.last } else { self.s };
                sums.add_product(l, &x.0, &Shifts::new(l, y));
                sums.total(l)
            } else {
                square(l, &x)
            };
            x = reduction.reduce(l, wide);
            debug_assert!(x.is_in_bounds(&self.modulus.n));
            if is_last {
                return x;
            }
            if is_product {
                is_product = false;
            } else {
                is_product = bits >> 63 == 1;
                bits <<= 1;
            }
        }
    }
}

/// The digits of an integer at each offset from 0 to 8: `[s][v]` contains the digits from 8v −
/// s on, with zeros around the integer.
struct Shifts<L: Lanes>([[L::Vector; 6]; 9]);

impl<L: Lanes> Shifts<L> {
    #[inline(always)]
    fn new(l: L, digits: &Digits) -> Self {
        let [a, b, c, d, e] = digits.0.each_ref().map(|digits| l.load(digits));
        let zero = l.splat(0);
        macro_rules! shift {
            ($by:literal) => {
                [
                    l.align::<$by>(a, zero),
                    l.align::<$by>(b, a),
                    l.align::<$by>(c, b),
                    l.align::<$by>(d, c),
                    l.align::<$by>(e, d),
                    l.align::<$by>(zero, e),
                ]
            };
        }
        Self([
            [a, b, c, d, e, zero],
            shift!(7),
            shift!(6),
            shift!(5),
            shift!(4),
            shift!(3),
            shift!(2),
            shift!(1),
            [zero, a, b, c, d, e],
        ])
    }
}

/// The columns of a product: the sums of the low halves and of the high halves of the products
/// of digits.
struct Sums<L: Lanes> {
    low: [L::Vector; 10],
    high: [L::Vector; 10],
}

impl<L: Lanes> Sums<L> {
    #[inline(always)]
    fn zero(l: L) -> Self {
        Self { low: [l.splat(0); 10], high: [l.splat(0); 10] }
    }

    /// Adds x·y.
    #[inline(always)]
    fn add_product(&mut self, l: L, x: &[[u64; 8]], y: &Shifts<L>) {
        for (place, digits) in x.iter().enumerate() {
            let low = self.low.get_mut(place..).and_then(<[_]>::first_chunk_mut);
            let high = self.high.get_mut(place..).and_then(<[_]>::first_chunk_mut);
            if let (Some(low), Some(high)) = (low, high) {
                add_multiple(l, low, high, digits, y);
            }
        }
    }

    #[inline(always)]
    fn total(self, l: L) -> [L::Vector; 10] {
        let mut total = self.low;
        for (low, high) in total.iter_mut().zip(self.high) {
            *low = l.add(*low, high);
        }
        total
    }
}

/// Returns the sum of the products of eight digits and one column of vectors.
#[inline(always)]
fn column<L: Lanes>(l: L, digits: &[u64; 8], column: [L::Vector; 9]) -> L::Vector {
    // Independent chains, because the next step depends on this column.
    let zero = l.splat(0);
    let (mut even, mut odd, mut even_high, mut odd_high) = (zero, zero, zero, zero);
    let [lows @ .., _] = column;
    let [_, highs @ ..] = column;
    let pairs = |column: [L::Vector; 8]| {
        let [a, b, c, d, e, f, g, h] = column;
        [[a, b], [c, d], [e, f], [g, h]]
    };
    for (([d0, d1], [low0, low1]), [high0, high1]) in
        digits.as_chunks().0.iter().zip(pairs(lows)).zip(pairs(highs))
    {
        let (d0, d1) = (l.splat(*d0), l.splat(*d1));
        even = l.add_low(even, d0, low0);
        odd = l.add_low(odd, d1, low1);
        even_high = l.add_high(even_high, d0, high0);
        odd_high = l.add_high(odd_high, d1, high1);
    }
    l.add(l.add(even, odd), l.add(even_high, odd_high))
}

/// Adds y times eight digits.
#[inline(always)]
fn add_multiple<L: Lanes>(
    l: L,
    low: &mut [L::Vector; 6],
    high: &mut [L::Vector; 6],
    digits: &[u64; 8],
    y: &Shifts<L>,
) {
    let [low0, low @ ..] = low;
    let [_, high @ ..] = high;
    *low0 = l.add(*low0, column(l, digits, y.0.each_ref().map(|&[first, ..]| first)));
    let [lows @ .., _] = &y.0;
    let [_, highs @ ..] = &y.0;
    for ((&digit, [_, y_low @ ..]), [_, y_high @ ..]) in digits.iter().zip(lows).zip(highs) {
        let digit = l.splat(digit);
        for (((low, high), &y_low), &y_high) in
            low.iter_mut().zip(high.iter_mut()).zip(y_low).zip(y_high)
        {
            *low = l.add_low(*low, digit, y_low);
            *high = l.add_high(*high, digit, y_high);
        }
    }
}

/// Reduces the lanes of `x`, after a carry into the lowest, below 2^52. Lane 7 of `carry` is
/// the carry from the vector below, and then the carry from this one.
#[inline(always)]
pub(super) fn normalise<L: Lanes>(l: L, x: L::Vector, carry: &mut L::Vector) -> L::Vector {
    let high = l.carry(x);
    let mut y = l.add(l.digit(x), l.align::<7>(high, *carry));
    *carry = high;
    // Carries caused by carries: rare, except with crafted input.
    while l.any_carry(y) {
        #[cfg(test)]
        crate::tests::count_ripple();
        let high = l.carry(y);
        y = l.add(l.digit(y), l.align::<7>(high, l.splat(0)));
        *carry = l.add(*carry, high);
    }
    y
}

/// Returns the columns of x².
#[inline(always)]
fn square<L: Lanes>(l: L, x: &Digits) -> [L::Vector; 10] {
    let shifts = Shifts::new(l, x);
    let b = &shifts.0;
    let [x0, x1, x2, x3, x4] = &x.0;
    let mut low = [l.splat(0); 10];
    let mut high = [l.splat(0); 10];
    // The products of digit $place of vector $k and all higher digits, in the lanes of vector
    // $v: lane j has the digit 8·$v − $shift + j.
    macro_rules! add {
        ($sums:ident, $add:ident, $add_in:ident, $digit:ident, $shift:literal, $place:literal, $k:literal, $($v:literal)*) => { $(
            const { assert!($v >= $k) };
            match const { lanes_above(8 * $k - 8 * $v + $shift + $place) } {
                0 => {}
                0xff => $sums[$k + $v] = l.$add($sums[$k + $v], $digit, b[$shift][$v]),
                _ => {
                    $sums[$k + $v] = l.$add_in::<{ lanes_above(8 * $k - 8 * $v + $shift + $place) }>(
                        $sums[$k + $v],
                        $digit,
                        b[$shift][$v],
                    );
                }
            }
        )* };
    }
    macro_rules! row {
        ($x:ident, $k:literal, $place:literal, $next:literal, $($v:literal)*) => {
            let digit = l.splat($x[$place]);
            add!(low, add_low, add_low_in, digit, $place, $place, $k, $($v)*);
            add!(high, add_high, add_high_in, digit, $next, $place, $k, $($v)*);
        };
    }
    macro_rules! rows {
        ($($place:literal $next:literal),*) => { $(
            row!(x0, 0, $place, $next, 0 1 2 3 4 5);
            row!(x1, 1, $place, $next, 1 2 3 4 5);
            row!(x2, 2, $place, $next, 2 3 4 5);
            row!(x3, 3, $place, $next, 3 4 5);
            row!(x4, 4, $place, $next, 4 5);
        )* };
    }
    rows!(0 1, 1 2, 2 3, 3 4, 4 5, 5 6, 6 7, 7 8);
    // Twice these products, and the squares.
    let mut columns = low;
    let mut squares = shifts.0[0].iter();
    for (([first, second], [high0, high1]), &x) in
        columns.as_chunks_mut().0.iter_mut().zip(high.as_chunks().0).zip(squares.by_ref())
    {
        let zero = l.splat(0);
        let (low, high) = (l.add_low(zero, x, x), l.add_high(zero, x, x));
        let (sum0, sum1) = (l.add(*first, *high0), l.add(*second, *high1));
        *first = l.add(l.add(sum0, sum0), l.interleave_first(low, high));
        *second = l.add(l.add(sum1, sum1), l.interleave_second(low, high));
    }
    columns
}

/// Returns the lanes above one, as bits.
const fn lanes_above(lane: i32) -> u8 {
    match lane {
        ..0 => 0xff,
        0..7 => 0xfe << lane,
        7.. => 0,
    }
}

/// A modulus, prepared for reductions.
struct Reduction<L: Lanes> {
    n: Shifts<L>,
    fold_8: Shifts<L>,
    fold_16: Shifts<L>,
    negative_inverse: [L::Vector; 9],
}

impl<L: Lanes> Reduction<L> {
    #[inline(always)]
    fn new(l: L, modulus: &Modulus) -> Self {
        let zero = l.splat(0);
        let inverse = l.load(&modulus.negative_inverse);
        Self {
            n: Shifts::new(l, &modulus.n),
            fold_8: Shifts::new(l, &modulus.fold_8),
            fold_16: Shifts::new(l, &modulus.fold_16),
            negative_inverse: [
                inverse,
                l.align::<7>(inverse, zero),
                l.align::<6>(inverse, zero),
                l.align::<5>(inverse, zero),
                l.align::<4>(inverse, zero),
                l.align::<3>(inverse, zero),
                l.align::<2>(inverse, zero),
                l.align::<1>(inverse, zero),
                zero,
            ],
        }
    }

    /// Returns `columns`/R mod n, below 2n + n/2^29 if the columns are a product
    /// of such values.
    #[inline(always)]
    fn reduce(&self, l: L, columns: [L::Vector; 10]) -> Digits {
        let zero = l.splat(0);
        let [c0, c1, c2, c3, c4, c5, c6, c7, c8, c9] = columns;
        let mut carry = zero;
        // The lowest sixteen digits at once.
        let first = l.store(normalise(l, c0, &mut carry));
        let second = l.store(normalise(l, c1, &mut carry));
        let (mut low, mut high) = ([c2, c3, c4, c5, c6, c7, c8], [zero; 7]);
        {
            let ([low @ .., _], [high @ .., _]) = (&mut low, &mut high);
            add_multiple(l, low, high, &first, &self.fold_16);
        }
        {
            let ([_, low @ ..], [_, high @ ..]) = (&mut low, &mut high);
            add_multiple(l, low, high, &second, &self.fold_16);
        }
        // Then eight.
        let [bottom, mut low @ ..] = low;
        let [bottom_high, mut high @ ..] = high;
        let digits = l.store(normalise(l, l.add(bottom, bottom_high), &mut carry));
        add_multiple(l, &mut low, &mut high, &digits, &self.fold_8);
        // Eight more.
        let [bottom, low1, low2, low3, low4, low5] = low;
        let [bottom_high, high1, high2, high3, high4, high5] = high;
        let digits = l.store(normalise(l, l.add(bottom, bottom_high), &mut carry));
        let (mut low, mut high) =
            ([low1, low2, low3, low4, low5, c9], [high1, high2, high3, high4, high5, zero]);
        add_multiple(l, &mut low, &mut high, &digits, &self.fold_8);
        // The last eight by Montgomery reduction: adds the multiple of n that makes them zero.
        let [bottom, low1, low2, low3, low4, low5] = low;
        let [bottom_high, high1, high2, high3, high4, high5] = high;
        let bottom = normalise(l, l.add(bottom, bottom_high), &mut carry);
        let quotient = column(l, &l.store(bottom), self.negative_inverse);
        let quotient = l.store(normalise(l, quotient, &mut zero.clone()));
        let (mut low, mut high) =
            ([bottom, low1, low2, low3, low4, low5], [zero, high1, high2, high3, high4, high5]);
        add_multiple(l, &mut low, &mut high, &quotient, &self.n);
        let [bottom, low @ ..] = low;
        let [_, high @ ..] = high;
        // The bottom is now a multiple of 2^416. The carry of its lower lanes into the top
        // lane is the difference between that lane and the next multiple of 2^52.
        let missing = l.splat((1 << 52) - 1);
        carry = l.add(carry, l.carry(l.add(bottom, missing)));
        let mut result = low;
        for (low, high) in result.iter_mut().zip(high) {
            *low = normalise(l, l.add(*low, high), &mut carry);
        }
        let digits = Digits(result.map(|vector| l.store(vector)));
        // Below 2^2050: there is no carry, and the top digit is small.
        debug_assert_eq!(l.store(carry)[7], 0);
        debug_assert!(digits.0[4][7] < 1 << 22);
        digits
    }
}
