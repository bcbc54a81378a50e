//! The vector operations as instructions. This is the only file with unsafe code.
//!
//! Both uses are sound for the same reason: a [`Detected`] is constructed only by
//! [`Detected::new`], and only if the processor and the operating system support AVX-512F and
//! AVX-512 IFMA.
#![expect(
    unsafe_code,
    reason = "instructions that a processor may lack are called after their detection"
)]

use core::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_alignr_epi64, _mm512_and_si512, _mm512_cmpgt_epu64_mask,
    _mm512_loadu_epi64, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_mask_madd52hi_epu64,
    _mm512_mask_madd52lo_epu64, _mm512_permutex2var_epi64, _mm512_set1_epi64, _mm512_setr_epi64,
    _mm512_srli_epi64, _mm512_storeu_epi64,
};

use super::digits::DIGIT_MASK;
use super::lanes::{Lanes, Task};

cpufeatures::new!(avx512_ifma, "avx512f", "avx512ifma");

/// The proof that this processor has AVX-512F and AVX-512 IFMA.
#[derive(Clone, Copy)]
pub(crate) struct Detected(());

impl Detected {
    /// Returns the proof if the processor and the operating system support both.
    pub(crate) fn new() -> Option<Self> {
        avx512_ifma::get().then_some(Self(()))
    }
}

/// Calls an intrinsic.
macro_rules! intrinsic {
    ($($call:tt)*) => {
        // SAFETY: the instruction is available because `self` is a `Detected`. Those with
        // a pointer receive a pointer to eight u64, from a reference or an array.
        unsafe { $($call)* }
    };
}

impl Lanes for Detected {
    type Vector = __m512i;

    #[inline]
    fn run<T: Task>(self, task: T) -> T::Output {
        #[target_feature(enable = "avx512f,avx512ifma")]
        fn with_features<T: Task>(lanes: Detected, task: T) -> T::Output {
            task.run(lanes)
        }
        // SAFETY: the features are available because `self` is a `Detected`.
        unsafe { with_features(self, task) }
    }

    #[inline(always)]
    fn load(self, lanes: &[u64; 8]) -> __m512i {
        intrinsic!(_mm512_loadu_epi64(lanes.as_ptr().cast()))
    }

    #[inline(always)]
    fn store(self, vector: __m512i) -> [u64; 8] {
        let mut lanes = [0_u64; 8];
        intrinsic!(_mm512_storeu_epi64(lanes.as_mut_ptr().cast(), vector));
        lanes
    }

    #[inline(always)]
    fn splat(self, value: u64) -> __m512i {
        intrinsic!(_mm512_set1_epi64(value.cast_signed()))
    }

    #[inline(always)]
    fn add(self, a: __m512i, b: __m512i) -> __m512i {
        intrinsic!(_mm512_add_epi64(a, b))
    }

    #[inline(always)]
    fn digit(self, a: __m512i) -> __m512i {
        intrinsic!(_mm512_and_si512(a, self.splat(DIGIT_MASK)))
    }

    #[inline(always)]
    fn carry(self, a: __m512i) -> __m512i {
        intrinsic!(_mm512_srli_epi64::<52>(a))
    }

    #[inline(always)]
    fn any_carry(self, a: __m512i) -> bool {
        intrinsic!(_mm512_cmpgt_epu64_mask(a, self.splat(DIGIT_MASK))) != 0
    }

    #[inline(always)]
    fn align<const BY: i32>(self, high: __m512i, low: __m512i) -> __m512i {
        intrinsic!(_mm512_alignr_epi64::<BY>(high, low))
    }

    #[inline(always)]
    fn interleave_first(self, a: __m512i, b: __m512i) -> __m512i {
        intrinsic!({
            let order = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
            _mm512_permutex2var_epi64(a, order, b)
        })
    }

    #[inline(always)]
    fn interleave_second(self, a: __m512i, b: __m512i) -> __m512i {
        intrinsic!({
            let order = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
            _mm512_permutex2var_epi64(a, order, b)
        })
    }

    #[inline(always)]
    fn add_low(self, sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
        intrinsic!(_mm512_madd52lo_epu64(sum, a, b))
    }

    #[inline(always)]
    fn add_high(self, sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
        intrinsic!(_mm512_madd52hi_epu64(sum, a, b))
    }

    #[inline(always)]
    fn add_low_in<const MASK: u8>(self, sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
        intrinsic!(_mm512_mask_madd52lo_epu64(sum, MASK, a, b))
    }

    #[inline(always)]
    fn add_high_in<const MASK: u8>(self, sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
        intrinsic!(_mm512_mask_madd52hi_epu64(sum, MASK, a, b))
    }
}
