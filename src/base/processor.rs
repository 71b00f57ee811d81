//! What processors offer beyond the language: the one module with `unsafe` code.
//!
//! Nothing here can change a result: [`prefetch`] is a hint, and [`Pair`] computes the same numbers on every processor.
#![allow(unsafe_code)]

/// Asks the processor to load the line at `address`. Only a hint: no program's result depends on it.
#[inline(always)]
pub fn prefetch<T>(address: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: PREFETCHT0 is defined for every address, mapped or not; it reads nothing into the program and never faults.
    // SSE, which brings it, belongs to every x86-64 processor.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(address.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

pub use pair::Pair;

/// Both numbers in one register: 32 bits of each count, at the lower end of its half.
#[cfg(target_feature = "sse2")]
mod pair {
    use std::arch::x86_64 as sse;

    /// Two numbers of 32 bits, worked on at once.
    #[derive(Clone, Copy)]
    pub struct Pair(sse::__m128i);

    // SAFETY, for every block below: the instructions belong to SSE2, which this program is compiled for; they work on
    // registers alone.
    impl Pair {
        /// These two.
        #[inline(always)]
        pub fn new(first: u32, second: u32) -> Self {
            Self(unsafe { sse::_mm_set_epi32(0, second as i32, 0, first as i32) })
        }

        /// The lower halves of two words, and their upper halves.
        #[inline(always)]
        pub fn split(first: u64, second: u64) -> (Self, Self) {
            let words = unsafe { sse::_mm_set_epi64x(second as i64, first as i64) };
            (Self(words), Self(unsafe { sse::_mm_srli_epi64::<32>(words) }))
        }

        /// Two words whose lower halves are these numbers and whose upper halves are the `upper` ones.
        #[inline(always)]
        pub fn join(self, upper: Self) -> (u64, u64) {
            let (first, second) =
                unsafe { (sse::_mm_unpacklo_epi32(self.0, upper.0), sse::_mm_unpackhi_epi32(self.0, upper.0)) };
            unsafe { (sse::_mm_cvtsi128_si64(first) as u64, sse::_mm_cvtsi128_si64(second) as u64) }
        }

        /// The sums modulo 2^32.
        #[inline(always)]
        pub fn plus(self, other: Self) -> Self {
            Self(unsafe { sse::_mm_add_epi32(self.0, other.0) })
        }

        /// The bits in which the numbers differ.
        #[inline(always)]
        pub fn xor(self, other: Self) -> Self {
            Self(unsafe { sse::_mm_xor_si128(self.0, other.0) })
        }

        /// The products, each on the other's place: their lower halves, and their upper halves.
        #[inline(always)]
        pub fn crossed_products(self, other: Self) -> (Self, Self) {
            let products = unsafe { sse::_mm_mul_epu32(self.0, other.0) };
            unsafe {
                (
                    Self(sse::_mm_shuffle_epi32::<0b00_00_10_10>(products)),
                    Self(sse::_mm_shuffle_epi32::<0b01_01_11_11>(products)),
                )
            }
        }
    }
}

#[cfg(not(target_feature = "sse2"))]
mod pair {
    /// Two numbers of 32 bits, worked on at once.
    #[derive(Clone, Copy)]
    pub struct Pair(u32, u32);

    impl Pair {
        /// These two.
        #[inline(always)]
        pub fn new(first: u32, second: u32) -> Self {
            Self(first, second)
        }

        /// The lower halves of two words, and their upper halves.
        #[inline(always)]
        pub fn split(first: u64, second: u64) -> (Self, Self) {
            (Self(first as u32, second as u32), Self((first >> 32) as u32, (second >> 32) as u32))
        }

        /// Two words whose lower halves are these numbers and whose upper halves are the `upper` ones.
        #[inline(always)]
        pub fn join(self, upper: Self) -> (u64, u64) {
            (u64::from(upper.0) << 32 | u64::from(self.0), u64::from(upper.1) << 32 | u64::from(self.1))
        }

        /// The sums modulo 2^32.
        #[inline(always)]
        pub fn plus(self, other: Self) -> Self {
            Self(self.0.wrapping_add(other.0), self.1.wrapping_add(other.1))
        }

        /// The bits in which the numbers differ.
        #[inline(always)]
        pub fn xor(self, other: Self) -> Self {
            Self(self.0 ^ other.0, self.1 ^ other.1)
        }

        /// The products, each on the other's place: their lower halves, and their upper halves.
        #[inline(always)]
        pub fn crossed_products(self, other: Self) -> (Self, Self) {
            let first = u64::from(self.0) * u64::from(other.0);
            let second = u64::from(self.1) * u64::from(other.1);
            (Self(second as u32, first as u32), Self((second >> 32) as u32, (first >> 32) as u32))
        }
    }
}
