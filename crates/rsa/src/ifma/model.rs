//! A scalar model of the vector operations.
#![forbid(unsafe_code)]

use core::array;

use super::lanes::{Lanes, Task};

/// The model, which runs on every processor.
#[derive(Clone, Copy)]
pub(crate) struct Model;

const MASK: u64 = (1 << 52) - 1;

fn product(a: u64, b: u64) -> u128 {
    u128::from(a & MASK) * u128::from(b & MASK)
}

fn low(a: u64, b: u64) -> u64 {
    u64::try_from(product(a, b) & u128::from(MASK)).unwrap_or_default()
}

fn high(a: u64, b: u64) -> u64 {
    u64::try_from(product(a, b) >> 52).unwrap_or_default()
}

fn map2(a: [u64; 8], b: [u64; 8], f: impl Fn(u64, u64) -> u64) -> [u64; 8] {
    array::from_fn(|lane| f(a[lane], b[lane]))
}

fn map3(
    sum: [u64; 8],
    a: [u64; 8],
    b: [u64; 8],
    mask: u8,
    f: impl Fn(u64, u64) -> u64,
) -> [u64; 8] {
    array::from_fn(|lane| {
        if mask >> lane & 1 == 1 {
            // An overflow means that a bound is wrong.
            let value = sum[lane].checked_add(f(a[lane], b[lane]));
            value.expect("a column overflows")
        } else {
            sum[lane]
        }
    })
}

impl Lanes for Model {
    type Vector = [u64; 8];

    fn run<T: Task>(self, task: T) -> T::Output {
        task.run(self)
    }

    fn load(self, lanes: &[u64; 8]) -> [u64; 8] {
        *lanes
    }

    fn store(self, vector: [u64; 8]) -> [u64; 8] {
        vector
    }

    fn splat(self, value: u64) -> [u64; 8] {
        [value; 8]
    }

    fn add(self, a: [u64; 8], b: [u64; 8]) -> [u64; 8] {
        map2(a, b, |a, b| a.checked_add(b).expect("a column overflows"))
    }

    fn digit(self, a: [u64; 8]) -> [u64; 8] {
        a.map(|a| a & MASK)
    }

    fn carry(self, a: [u64; 8]) -> [u64; 8] {
        a.map(|a| a >> 52)
    }

    fn any_carry(self, a: [u64; 8]) -> bool {
        a.iter().any(|&a| a > MASK)
    }

    fn align<const BY: i32>(self, high: [u64; 8], low: [u64; 8]) -> [u64; 8] {
        let by = usize::try_from(BY).expect("a number of lanes");
        array::from_fn(|lane| if lane + by < 8 { low[lane + by] } else { high[lane + by - 8] })
    }

    fn interleave_first(self, a: [u64; 8], b: [u64; 8]) -> [u64; 8] {
        array::from_fn(|lane| if lane % 2 == 0 { a[lane / 2] } else { b[lane / 2] })
    }

    fn interleave_second(self, a: [u64; 8], b: [u64; 8]) -> [u64; 8] {
        array::from_fn(|lane| if lane % 2 == 0 { a[4 + lane / 2] } else { b[4 + lane / 2] })
    }

    fn add_low(self, sum: [u64; 8], a: [u64; 8], b: [u64; 8]) -> [u64; 8] {
        map3(sum, a, b, 0xff, low)
    }

    fn add_high(self, sum: [u64; 8], a: [u64; 8], b: [u64; 8]) -> [u64; 8] {
        map3(sum, a, b, 0xff, high)
    }

    fn add_low_in<const MASK: u8>(self, sum: [u64; 8], a: [u64; 8], b: [u64; 8]) -> [u64; 8] {
        map3(sum, a, b, MASK, low)
    }

    fn add_high_in<const MASK: u8>(self, sum: [u64; 8], a: [u64; 8], b: [u64; 8]) -> [u64; 8] {
        map3(sum, a, b, MASK, high)
    }
}
