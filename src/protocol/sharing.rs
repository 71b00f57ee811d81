//! Processor sharing: all that are present share the workers.
//!
//! With n present and c workers each goes on at rate min(1, c/n): the limit of round robin for ever smaller turns, as an
//! operating system's scheduler gives them. Whoever comes begins at once, short work is over soon and long work is in
//! nobody's way; the mean time under Poisson arrivals is s / (1 - rho) for a mean work of s, whatever the law of the work, where
//! with a queue the second moment counts.
//!
//! Exact and driven by events: *virtual time* goes on at the rate of each one present, so work of length x that begins at
//! virtual time v is over at v + x, whatever comes and goes meanwhile (Nagle 1987; Demers, Keshav, Shenker 1989). Who is
//! next stands at the top of a heap by virtual end, and only that one needs a timer. Virtual time is kept in units of
//! 2^-32 ns and rounded down, so that nobody leaves early; a change of n may cost 2^-32 ns, a nanosecond after four billion of
//! them.
//!
//! Source: Kleinrock, Time-shared systems: a theoretical treatment, JACM 14(2), 1967.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::num::NonZeroU32;

use crate::base::time::{Span, Time};

/// Units of virtual time in a nanosecond, as a power of two.
const FRACTION: u32 = 32;

/// Those who share, and how far they are. Readings are those of a clock that advances while the workers work.
#[derive(Clone, Debug)]
pub struct Sharing {
    workers: NonZeroU32,
    /// What each would have got that had been present from the beginning, and when that was worked out.
    virtual_now: u128,
    reading: Time,
    /// By virtual end, then by when they came.
    present: BinaryHeap<Reverse<(u128, u64, u32)>>,
    joined: u64,
}

impl Sharing {
    /// Nobody present, at the beginning of the clock.
    pub fn new(workers: NonZeroU32) -> Self {
        Self { workers, virtual_now: 0, reading: Time::ZERO, present: BinaryHeap::new(), joined: 0 }
    }

    /// How many share.
    pub fn len(&self) -> u32 {
        self.present.len() as u32
    }

    /// Whether nobody is present.
    pub fn is_empty(&self) -> bool {
        self.present.is_empty()
    }

    /// `id` comes with so much work.
    pub fn join(&mut self, now: Time, id: u32, work: Span) {
        self.advance(now);
        let end = self.virtual_now + (u128::from(work.as_nanos()) << FRACTION);
        self.present.push(Reverse((end, self.joined, id)));
        self.joined += 1;
    }

    /// `id` leaves before its work is done; whether it was there. Takes time in proportion to those present.
    pub fn leave(&mut self, now: Time, id: u32) -> bool {
        self.advance(now);
        let before = self.present.len();
        self.present.retain(|Reverse((_, _, other))| *other != id);
        self.present.len() < before
    }

    /// Takes out the next one whose work is done by now.
    pub fn finished(&mut self, now: Time) -> Option<u32> {
        self.advance(now);
        let &Reverse((end, _, id)) = self.present.peek()?;
        if end > self.virtual_now {
            return None;
        }
        self.present.pop();
        Some(id)
    }

    /// How long it takes from the last change until somebody is done, if nothing changes, rounded up.
    pub fn next(&self) -> Option<Span> {
        let &Reverse((end, ..)) = self.present.peek()?;
        let left = end.saturating_sub(self.virtual_now);
        let (share, whole) = self.rate();
        let nanos = left.saturating_mul(whole).div_ceil(share << FRACTION);
        Some(Span::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }

    /// How fast each one goes on, as a fraction.
    fn rate(&self) -> (u128, u128) {
        let (workers, present) = (self.workers.get(), self.len());
        if present <= workers { (1, 1) } else { (workers.into(), present.into()) }
    }

    fn advance(&mut self, now: Time) {
        let passed = now.since(self.reading).as_nanos();
        if passed > 0 {
            let (share, whole) = self.rate();
            self.virtual_now += ((u128::from(passed) * share) << FRACTION) / whole;
            self.reading = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::time::ms;
    use crate::protocol::laws::{draws, fixed};

    fn at(millis: u64) -> Time {
        Time::ZERO + ms(millis)
    }

    fn one_worker() -> Sharing {
        Sharing::new(NonZeroU32::MIN)
    }

    /// 6 ms from 0, 2 ms from 1. Until 1 the first has done 1; then each goes at half speed, and the second is done after 4, at
    /// 5, when the first has 3 left, and is done at 8: as much as one worker does, 8 ms.
    #[test]
    fn two_share_one_worker_by_halves() {
        let mut sharing = one_worker();
        sharing.join(at(0), 1, ms(6));
        assert_eq!(sharing.next(), Some(ms(6)));
        sharing.join(at(1), 2, ms(2));
        assert_eq!(sharing.next(), Some(ms(4)));
        assert_eq!(sharing.finished(at(4)), None);
        assert_eq!(sharing.next(), Some(ms(1)));
        assert_eq!(sharing.finished(at(5)), Some(2));
        assert_eq!((sharing.finished(at(5)), sharing.next()), (None, Some(ms(3))));
        assert_eq!(sharing.finished(at(8)), Some(1));
        assert!(sharing.is_empty());
    }

    /// Three with two workers: each at 2/3, so work of 2 ms takes 3.
    #[test]
    fn nobody_goes_faster_than_one_worker() {
        let mut sharing = Sharing::new(NonZeroU32::new(2).unwrap());
        sharing.join(at(0), 1, ms(2));
        sharing.join(at(0), 2, ms(2));
        assert_eq!(sharing.next(), Some(ms(2)));
        sharing.join(at(0), 3, ms(2));
        assert_eq!(sharing.next(), Some(ms(3)));
        let done: Vec<_> = std::iter::from_fn(|| sharing.finished(at(3))).collect();
        assert_eq!(done, [1, 2, 3]);
    }

    /// One of two leaves half way: 4 ms each, at 2 both have 3 left, and the other is done at 5.
    #[test]
    fn whoever_leaves_leaves_its_share() {
        let mut sharing = one_worker();
        sharing.join(at(0), 1, ms(4));
        sharing.join(at(0), 2, ms(4));
        assert!(sharing.leave(at(2), 1));
        assert!(!sharing.leave(at(2), 1));
        assert_eq!(sharing.next(), Some(ms(3)));
        assert_eq!(sharing.finished(at(5)), Some(2));
    }

    proptest! {
        #![proptest_config(fixed())]

        /// However many come and whenever: as long as anybody is present, one worker's work is done, to the nanosecond (each of
        /// those who leave may be up to one late), and nobody leaves before its work could be done.
        #[test]
        fn the_worker_is_never_idle(seed: u64, count in 1_usize..60) {
            let mut draw = draws(seed);
            let mut sharing = one_worker();
            let (mut now, mut done, mut backlog) = (Time::ZERO, 0, 0_u64);
            let mut began = vec![];
            let mut free_at = Time::ZERO;
            while done < count {
                let gap = Span::from_nanos(draw().below(1_000));
                let until = if began.len() < count { now + gap } else { Time::MAX };
                while let Some(end) = sharing.next().map(|left| now + left).filter(|end| *end <= until) {
                    now = end;
                    while let Some(id) = sharing.finished(now) {
                        let (start, work): (Time, u64) = began[id as usize];
                        prop_assert!(now.since(start).as_nanos() >= work);
                        done += 1;
                    }
                }
                if sharing.is_empty() && backlog > 0 {
                    let late = now.since(free_at).as_nanos();
                    prop_assert!(now >= free_at && late <= count as u64, "{late} late");
                    backlog = 0;
                }
                if began.len() < count {
                    now = until;
                    let work = 1 + draw().below(1_500);
                    free_at = if backlog == 0 { now } else { free_at } + Span::from_nanos(work);
                    backlog += work;
                    sharing.join(now, began.len() as u32, Span::from_nanos(work));
                    began.push((now, work));
                }
            }
        }
    }
}
