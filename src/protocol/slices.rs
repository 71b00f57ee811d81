//! Sums over a sliding window of time, kept in slices.
//!
//! The window is cut into slices of equal length. What is added counts until the whole slice has left the window: for at least
//! the window less one slice, and at most the window. Memory is one sum per slice, and an addition costs O(1), but for the
//! slices that passed since the last one.

use std::ops::{AddAssign, SubAssign};

use crate::base::time::{Span, Time};

/// The sum of what happened within a window.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Slices<T> {
    /// How long a slice is, in nanoseconds.
    width: u64,
    /// The number of the newest slice since the beginning of time.
    newest: u64,
    /// Slice `n` at place `n` modulo their number.
    sums: Box<[T]>,
    total: T,
}

impl<T: Copy + Default + AddAssign + SubAssign> Slices<T> {
    /// Nothing has happened in a `window` of so many slices.
    ///
    /// # Panics
    /// If there is no slice.
    pub fn new(window: Span, slices: usize) -> Self {
        assert!(slices > 0, "a window has slices");
        let width = window.as_nanos().div_ceil(slices as u64).max(1);
        Self { width, newest: 0, sums: vec![T::default(); slices].into(), total: T::default() }
    }

    /// Adds what happens now.
    pub fn add(&mut self, now: Time, what: T) {
        self.advance(now);
        self.sums[(self.newest % self.sums.len() as u64) as usize] += what;
        self.total += what;
    }

    /// The sum of what happened in the window that ends now.
    pub fn total(&mut self, now: Time) -> T {
        self.advance(now);
        self.total
    }

    /// Nothing has happened.
    pub fn clear(&mut self) {
        self.sums.fill(T::default());
        self.total = T::default();
    }

    /// Lets go what has left the window. A time before the newest slice counts as in it.
    fn advance(&mut self, now: Time) {
        let slice = now.as_nanos() / self.width;
        let Some(passed) = slice.checked_sub(self.newest).filter(|&passed| passed > 0) else { return };
        if passed >= self.sums.len() as u64 {
            self.clear();
        } else {
            for gone in self.newest + 1..=slice {
                let gone = std::mem::take(&mut self.sums[(gone % self.sums.len() as u64) as usize]);
                self.total -= gone;
            }
        }
        self.newest = slice;
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::base::time::ms;
    use crate::protocol::laws::fixed;

    /// Ten slices of 100 ms: what came at 50 ms leaves with its slice when the one of 1000 ms begins.
    #[test]
    fn what_happened_leaves_with_its_slice() {
        let mut slices = Slices::new(ms(1000), 10);
        slices.add(Time::ZERO + ms(50), 3_u64);
        slices.add(Time::ZERO + ms(150), 4);
        assert_eq!([999, 1000, 1099, 1100].map(|now| slices.total(Time::ZERO + ms(now))), [7, 4, 4, 0]);
    }

    proptest! {
        #![proptest_config(fixed())]

        #[test]
        fn a_sum_is_that_of_the_newest_slices(
            steps in vec((0_u64..3000, 0_u64..9), 1..60), window in 1_u64..500, count in 1_usize..12,
        ) {
            let mut slices = Slices::new(Span::from_nanos(window), count);
            let width = window.div_ceil(count as u64);
            let (mut now, mut all) = (0, vec![]);
            for (after, what) in steps {
                now += after % (2 * window);
                slices.add(Time::from_nanos(now), what);
                all.push((now / width, what));
                let oldest = (now / width).saturating_sub(count as u64 - 1);
                let expected: u64 = all.iter().filter(|(slice, _)| *slice >= oldest).map(|(_, what)| what).sum();
                prop_assert_eq!(slices.total(Time::from_nanos(now)), expected);
            }
        }
    }
}
