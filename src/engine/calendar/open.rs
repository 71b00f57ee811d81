//! The open bucket: events in their order, read from front to back.

use super::super::order::{Order, Place};

/// Up to so many events to a slot of the counting pass are put in order by insertion.
const INSERTION_MAX: u32 = 24;
/// log2 of the slots of the counting pass, at most.
const SLOT_BITS: u32 = 11;

/// The events of one bucket, sorted once, then read.
pub(super) struct Open<T> {
    events: Vec<T>,
    cursor: usize,
    unsorted: Vec<T>,
    counts: Vec<u32>,
    /// Time, place and index of each event, where many share an instant.
    places: Vec<(u64, Place, u32)>,
}

impl<T: Copy> Open<T> {
    pub(super) fn new() -> Self {
        Self { events: Vec::new(), cursor: 0, unsorted: Vec::new(), counts: Vec::new(), places: Vec::new() }
    }

    pub(super) fn clear(&mut self) {
        self.events.clear();
        self.cursor = 0;
    }

    /// The events that were not taken yet.
    #[inline(always)]
    pub(super) fn rest(&self) -> &[T] {
        self.events.get(self.cursor..).unwrap_or_default()
    }

    #[inline(always)]
    pub(super) fn first(&self) -> Option<&T> {
        self.events.get(self.cursor)
    }

    /// Steps over the first event.
    #[inline(always)]
    pub(super) fn advance(&mut self) {
        self.cursor += 1;
    }

    /// Takes in events that are to be put in order by [`Open::sort`].
    #[inline(always)]
    pub(super) fn extend<O: Order<T>>(&mut self, events: &[T], order: &O) {
        if !O::CANCELS {
            self.unsorted.extend_from_slice(events);
            return;
        }
        events.iter().for_each(|event| order.prefetch(event));
        for event in events {
            if order.is_live(event) {
                self.unsorted.push(*event);
            }
        }
    }

    /// Replaces what was open by what was taken in, in order, and tells how much it is. All its times lie less than
    /// 2^`bits` after `start`.
    pub(super) fn sort(&mut self, start: u64, bits: u32, order: &impl Order<T>) -> usize {
        let count = self.unsorted.len();
        self.cursor = 0;
        match self.unsorted.first() {
            // What was open before is overwritten.
            Some(&filler) => self.events.resize(count, filler),
            None => self.events.clear(),
        }
        if self.scatter(start, bits, order) {
            self.insert(order);
        } else {
            self.sort_by_place(order);
        }
        self.unsorted.clear();
        count
    }

    /// One counting pass to about one event per slot; whether no slot is so full that insertion would be slow.
    fn scatter(&mut self, start: u64, bits: u32, order: &impl Order<T>) -> bool {
        let count = self.unsorted.len();
        let slots = (usize::BITS - count.leading_zeros()).min(bits).min(SLOT_BITS);
        let slot = |event: &T| ((order.time(event).as_nanos() - start) >> (bits - slots)) as usize;
        self.counts.clear();
        self.counts.resize((1 << slots) + 1, 0);
        for event in &self.unsorted {
            self.counts[slot(event) + 1] += 1;
        }
        let (mut sum, mut fullest) = (0, 0);
        for count in &mut self.counts {
            fullest = fullest.max(*count);
            sum += *count;
            *count = sum;
        }
        if fullest > INSERTION_MAX {
            return false;
        }
        for event in &self.unsorted {
            let place = &mut self.counts[slot(event)];
            self.events[*place as usize] = *event;
            *place += 1;
        }
        true
    }

    /// Puts nearly sorted events in order.
    fn insert(&mut self, order: &impl Order<T>) {
        let events = self.events.as_mut_slice();
        let mut greatest = 0;
        for sorted in 0..events.len() {
            let time = order.time(&events[sorted]).as_nanos();
            if greatest < time {
                greatest = time;
                continue;
            }
            let event = events[sorted];
            let mut hole = sorted;
            while hole > 0 && order.before(&event, &events[hole - 1]) {
                events[hole] = events[hole - 1];
                hole -= 1;
            }
            events[hole] = event;
        }
    }

    /// Puts events in order of which many share an instant: every place is computed once.
    #[cold]
    fn sort_by_place(&mut self, order: &impl Order<T>) {
        let place = |(event, index): (&T, u32)| (order.time(event).as_nanos(), order.place(event), index);
        self.places.clear();
        self.places.extend(self.unsorted.iter().zip(0..).map(place));
        self.places.sort_unstable();
        for (event, &(_, _, index)) in self.events.iter_mut().zip(&self.places) {
            *event = self.unsorted[index as usize];
        }
    }
}
