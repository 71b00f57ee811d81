//! Sliding window: so many within any time of a given length, exactly.
//!
//! The times of the newest `limit` that passed are kept. The next may pass `window` after the oldest of them.
//!
//! Bound: any half-open interval as long as the window holds at most `limit`. Memory: one time for each of `limit`.
//!
//! Source: the "sliding window log" of rate limiters, elementary.

use std::collections::VecDeque;
use std::num::NonZeroU32;

use super::RateLimit;
use crate::base::settings::Settings;
use crate::base::time::{Span, Time, secs};
use crate::settings;

settings! {
    /// At most so many within any time of a given length. Unlike windows that begin on the clock, there is no moment at which twice
    /// as many pass. All of a window's requests may come at once, and then none for the rest of it; it has to remember them all.
    pub struct SlidingWindowSettings = "sliding-window", "elementary (sliding window log)" {
        /// How many may pass within a window.
        limit: NonZeroU32, alone = NonZeroU32::MIN.saturating_add(99),
        /// How long a window is.
        window: Span = secs(1),
    }
}

impl Settings for SlidingWindowSettings {
    fn check(&self) -> Result<(), String> {
        if self.window == Span::ZERO { Err("needs a `window`".into()) } else { Ok(()) }
    }
}

/// When the newest passed.
#[derive(Clone, PartialEq, Debug)]
pub struct SlidingWindow {
    settings: SlidingWindowSettings,
    /// At most `limit`, the oldest in front.
    passed: VecDeque<Time>,
}

impl SlidingWindow {
    /// Nothing has passed.
    pub fn new(settings: &SlidingWindowSettings) -> Self {
        Self { settings: settings.clone(), passed: VecDeque::new() }
    }

    fn is_full(&self) -> bool {
        self.passed.len() >= self.settings.limit.get() as usize
    }
}

impl RateLimit for SlidingWindow {
    fn ready(&self, now: Time) -> Time {
        let oldest = self.passed.front().filter(|_| self.is_full());
        // Turns are in order: none is before the last one that was reserved.
        let last = self.passed.back().copied().unwrap_or(Time::ZERO);
        oldest.map_or(now, |&oldest| now.max(oldest + self.settings.window)).max(last)
    }

    fn pass(&mut self, now: Time) {
        let ready = self.ready(now);
        if self.is_full() {
            self.passed.pop_front();
        }
        self.passed.push_back(ready);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::ms;

    /// Three a second: after turns at 0, 0 and 600 ms the next are at 1000, 1000, 1600, 2000 …
    #[test]
    fn a_turn_comes_a_window_after_the_one_that_makes_room() {
        let settings = SlidingWindowSettings { limit: NonZeroU32::new(3).unwrap(), ..Default::default() };
        let mut limit = SlidingWindow::new(&settings);
        let mut ready = |now| {
            let ready = limit.ready(Time::ZERO + ms(now));
            limit.pass(Time::ZERO + ms(now));
            ready.since(Time::ZERO)
        };
        assert_eq!([0, 0, 600, 600, 600, 600, 600].map(&mut ready), [0, 0, 600, 1000, 1000, 1600, 2000].map(ms));
    }
}
