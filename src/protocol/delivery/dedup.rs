//! Deduplication: what a receiver remembers of one sender's messages, and for how long.
//!
//! The window is by *count*, by *time*, or *unlimited*. By count it holds the n highest different numbers of this sender:
//! where messages arrive in order, its last n different messages. A duplicate slips through if n others came in between;
//! at Poisson(rate) and a gap between original and duplicate that has probability P(Poisson(rate × gap) ≥ n). By time it
//! holds every number for so long after it was last taken for new, the last instant included.
//!
//! A window forgets, and then a number that is not remembered may be new or not. The answer is therefore one of three, and
//! what becomes of a number that may be forgotten is the policy's choice: a cache of ids, which cannot tell it from a new
//! one, handles it; an anti-replay window refuses it.
//!
//! Source: the window over the highest numbers is RFC 4303 section 3.4.3 (IPsec anti-replay); the interval of time is that
//! of Amazon SQS FIFO queues.

use std::collections::VecDeque;
use std::num::NonZeroU32;

use super::{IntervalSet, Number};
use crate::base::time::{Span, Time};

/// How far back a receiver remembers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum DedupWindow {
    /// Everything.
    #[default]
    Unlimited,
    /// The highest so many different numbers of each sender.
    Count(NonZeroU32),
    /// Every number for so long.
    Time(Span),
}

/// What becomes of a number that may have been forgotten.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Forgotten {
    /// Handle it, perhaps once more.
    #[default]
    Handle,
    /// Refuse it, perhaps for the first time.
    Refuse,
}

/// How a receiver drops duplicates: plain data.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct DedupPolicy {
    /// How far back it remembers.
    pub window: DedupWindow,
    /// What it does where it may have forgotten.
    pub forgotten: Forgotten,
}

impl DedupPolicy {
    /// Whether a message of this sighting is handled.
    pub fn handles(self, sighting: Sighting) -> bool {
        match sighting {
            Sighting::New => true,
            Sighting::Duplicate => false,
            Sighting::Forgotten => self.forgotten == Forgotten::Handle,
        }
    }
}

/// What a receiver can say of a number that arrives.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Sighting {
    /// Never seen before.
    New,
    /// Seen before.
    Duplicate,
    /// Not remembered, but so old that it may have been.
    Forgotten,
}

/// One receiver's memory of one sender.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dedup {
    remembered: IntervalSet,
    /// Numbers below it may have been forgotten.
    floor: u64,
    limit: Limit,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Limit {
    None,
    Count { limit: NonZeroU32, held: u32 },
    Time { limit: Span, arrivals: VecDeque<(Time, u64)> },
}

impl Dedup {
    /// Nothing seen yet.
    pub fn new(window: DedupWindow) -> Self {
        let limit = match window {
            DedupWindow::Unlimited => Limit::None,
            DedupWindow::Count(limit) => Limit::Count { limit, held: 0 },
            DedupWindow::Time(limit) => Limit::Time { limit, arrivals: VecDeque::new() },
        };
        Self { remembered: IntervalSet::new(), floor: 0, limit }
    }

    /// Whether `number` is remembered at `now`, which never runs backwards.
    pub fn knows(&mut self, number: Number, now: Time) -> bool {
        self.forget_what_arrived_long_before(now);
        self.remembered.contains(number.get())
    }

    /// `number` arrives at `now`, which never runs backwards: what it is, and from now on it is remembered.
    pub fn receive(&mut self, number: Number, now: Time) -> Sighting {
        let number = number.get();
        self.forget_what_arrived_long_before(now);
        if !self.remembered.insert(number) {
            return Sighting::Duplicate;
        }
        let sighting = if number < self.floor { Sighting::Forgotten } else { Sighting::New };
        match &mut self.limit {
            Limit::None => {}
            Limit::Count { limit, held } if *held == limit.get() => {
                let lowest = self.remembered.pop_first().expect("a full window is not empty");
                self.floor = self.floor.max(lowest.saturating_add(1));
            }
            Limit::Count { held, .. } => *held += 1,
            Limit::Time { arrivals, .. } => arrivals.push_back((now, number)),
        }
        sighting
    }

    fn forget_what_arrived_long_before(&mut self, now: Time) {
        let Limit::Time { limit, arrivals } = &mut self.limit else { return };
        while let Some((_, number)) = arrivals.pop_front_if(|(arrival, _)| now.since(*arrival) > *limit) {
            self.remembered.remove(number);
            self.floor = self.floor.max(number.saturating_add(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::base::time::{ms, ns, secs};
    use crate::protocol::delivery::{DEDUP_WINDOWS, FORGOTTEN};
    use crate::protocol::laws::{draws, fixed};

    fn count(limit: u32) -> Dedup {
        Dedup::new(DedupWindow::Count(NonZeroU32::new(limit).unwrap()))
    }

    fn at_once(dedup: &mut Dedup, numbers: impl IntoIterator<Item = u64>) -> Vec<Sighting> {
        numbers.into_iter().map(|number| dedup.receive(Number::new(number), Time::ZERO)).collect()
    }

    use Sighting::{Duplicate, New};

    #[test]
    fn a_count_window_remembers_its_last_n() {
        let mut dedup = count(3);
        assert_eq!(at_once(&mut dedup, [0, 1, 2, 0]), [New, New, New, Duplicate]);
        assert_eq!(at_once(&mut dedup, [3, 1, 0]), [New, Duplicate, Sighting::Forgotten]);
    }

    #[test]
    fn gaps_do_not_use_up_a_count_window() {
        assert_eq!(at_once(&mut count(3), [0, 50, 90, 0]), [New, New, New, Duplicate]);
    }

    #[test]
    fn a_late_message_within_the_window_is_new() {
        assert_eq!(at_once(&mut count(3), [0, 2, 1, 1]), [New, New, New, Duplicate]);
    }

    #[test]
    fn a_time_window_remembers_up_to_its_last_instant() {
        let mut dedup = Dedup::new(DedupWindow::Time(ms(100)));
        let mut receive = |number, after| dedup.receive(Number::new(number), Time::ZERO + after);
        assert_eq!(receive(7, ms(0)), New);
        assert_eq!(receive(7, ms(100)), Duplicate);
        assert_eq!(receive(7, ms(100) + ns(1)), Sighting::Forgotten);
        assert_eq!(receive(7, ms(150)), Duplicate);
        assert_eq!(receive(8, ms(150)), New);
    }

    #[test]
    fn forgetting_an_early_high_number_keeps_a_later_low_one() {
        let mut dedup = Dedup::new(DedupWindow::Time(ms(100)));
        let mut receive = |number, after| dedup.receive(Number::new(number), Time::ZERO + after);
        assert_eq!([receive(5, ms(0)), receive(3, ms(80)), receive(4, ms(120))], [New, New, Sighting::Forgotten]);
        assert_eq!([receive(3, ms(120)), receive(4, ms(120))], [Duplicate, Duplicate]);
    }

    #[test]
    fn only_the_policy_for_forgotten_numbers_differs() {
        for entry in FORGOTTEN {
            let policy = DedupPolicy { forgotten: entry.example, ..Default::default() };
            let handled = [New, Duplicate, Sighting::Forgotten].map(|sighting| policy.handles(sighting));
            assert_eq!(handled, [true, false, entry.name == "handle"]);
        }
    }

    /// P(X ≥ n) for X Poisson with this mean: 1 − Σ e^(k ln mean − mean − ln k!) over k < n.
    fn poisson_at_least(n: u32, mean: f64) -> f64 {
        1.0 - (0..n)
            .map(|k| libm::exp(f64::from(k) * libm::log(mean) - mean - libm::lgamma(f64::from(k) + 1.0)))
            .sum::<f64>()
    }

    /// Messages at Poisson 1000/s; a duplicate of each original arrives 200 ms after it. It slips through if n others came
    /// in between: P(Poisson(200) ≥ n) = 0.5094, 0.0855, 0.00327 for n = 200, 220, 240. Of 20 000 independent trials the
    /// share may be off by four standard errors √(p(1−p)/20 000).
    #[test]
    fn duplicates_slip_through_a_count_window_as_poisson_says() {
        let mut draw = draws(8);
        for (n, expected) in [(200, 0.509_403), (220, 0.085_512), (240, 0.003_270)] {
            assert!((poisson_at_least(n, 200.0) - expected).abs() < 1e-6);
            let policy = DedupPolicy { window: count_of(n), forgotten: Forgotten::Handle };
            let mut slipped = 0;
            for _ in 0..20_000 {
                let mut dedup = Dedup::new(policy.window);
                dedup.receive(Number::new(0), Time::ZERO);
                let (mut now, mut number) = (0.0, 0);
                loop {
                    now -= libm::log(draw().open01()) / 1000.0;
                    if now > 0.2 {
                        break;
                    }
                    number += 1;
                    dedup.receive(Number::new(number), Time::ZERO + Span::from_secs_f64(now));
                }
                slipped += u32::from(policy.handles(dedup.receive(Number::new(0), Time::ZERO + ms(200))));
            }
            let share = f64::from(slipped) / 20_000.0;
            let error = libm::sqrt(expected * (1.0 - expected) / 20_000.0);
            assert!((share - expected).abs() < 4.0 * error, "n = {n}: {share}");
        }
    }

    fn count_of(limit: u32) -> DedupWindow {
        DedupWindow::Count(NonZeroU32::new(limit).unwrap())
    }

    proptest! {
        #![proptest_config(fixed())]

        /// New is said of a number once, whatever the window; refusing what may be forgotten, nothing is handled twice;
        /// and as long as a window holds all there is, it is as good as an unlimited one.
        #[test]
        fn nothing_is_new_twice(arrivals in vec((0_u64..60, 0_u64..30), 0..300)) {
            for entry in DEDUP_WINDOWS.iter().map(|entry| entry.example).chain([count_of(7), DedupWindow::Time(secs(1))]) {
                let policy = DedupPolicy { window: entry, forgotten: Forgotten::Refuse };
                let roomy = DEDUP_WINDOWS.iter().any(|known| known.example == entry);
                let (mut dedup, mut seen, mut now) = (Dedup::new(entry), BTreeSet::new(), Time::ZERO);
                for &(number, gap) in &arrivals {
                    now += ms(10 * gap);
                    let sighting = dedup.receive(Number::new(number), now);
                    let first = seen.insert(number);
                    prop_assert!(first || !policy.handles(sighting), "{:?}: {} twice", entry, number);
                    prop_assert!(first || sighting != New);
                    prop_assert!(!first || sighting != Duplicate);
                    prop_assert!(!roomy || first == (sighting == New));
                }
            }
        }
    }
}
