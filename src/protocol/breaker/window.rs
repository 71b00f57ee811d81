//! The calls that a circuit breaker counts: the newest, or those of the last time.

use std::collections::VecDeque;
use std::ops::{AddAssign, SubAssign};

use super::WindowSize;
use crate::base::time::{Span, Time, secs};
use crate::protocol::slices::Slices;

/// How many calls there were, and how they ended.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    pub calls: u32,
    pub failed: u32,
    pub slow: u32,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.failed += other.failed;
        self.slow += other.slow;
    }
}

impl SubAssign for Counts {
    fn sub_assign(&mut self, other: Self) {
        self.calls -= other.calls;
        self.failed -= other.failed;
        self.slow -= other.slow;
    }
}

/// The calls that count.
#[derive(Clone, Debug)]
pub enum Window {
    /// The newest, one by one.
    Calls { capacity: u32, newest: VecDeque<(bool, bool)>, counts: Counts },
    /// Those of the last time.
    Time(Slices<Counts>),
}

impl Window {
    pub fn new(size: WindowSize) -> Self {
        match size {
            WindowSize::Calls(capacity) => {
                Self::Calls { capacity: capacity.get(), newest: VecDeque::new(), counts: Counts::default() }
            }
            WindowSize::Time(window) => Self::Time(Slices::new(window, slices(window))),
        }
    }

    /// How many calls it can hold, if that is limited.
    pub fn capacity(&self) -> Option<u32> {
        match self {
            Self::Calls { capacity, .. } => Some(*capacity),
            Self::Time(_) => None,
        }
    }

    /// One more call has ended: what is in the window now.
    pub fn add(&mut self, now: Time, failed: bool, slow: bool) -> Counts {
        let one = |failed, slow| Counts { calls: 1, failed: u32::from(failed), slow: u32::from(slow) };
        match self {
            Self::Calls { capacity, newest, counts } => {
                if newest.len() >= *capacity as usize
                    && let Some((failed, slow)) = newest.pop_front()
                {
                    *counts -= one(failed, slow);
                }
                newest.push_back((failed, slow));
                *counts += one(failed, slow);
                *counts
            }
            Self::Time(slices) => {
                slices.add(now, one(failed, slow));
                slices.total(now)
            }
        }
    }
}

/// One for each whole second, but at least ten and at most a thousand.
fn slices(window: Span) -> usize {
    (window.as_nanos() / secs(1).as_nanos()).clamp(10, 1000) as usize
}
