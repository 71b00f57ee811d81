//! The open bucket: events in their order, read from front to back.

use super::super::order::{Order, Place};

/// Where events so far apart share an instant, so do many between them.
const CROWD: usize = 16;
/// log2 of the slots of the counting pass, at most.
const SLOT_BITS: u32 = 11;

/// The events of one bucket, sorted once, then read.
pub(super) struct Open<T> {
    events: Vec<T>,
    cursor: usize,
    living: Vec<T>,
    counts: Vec<u32>,
    /// Time, place and index of each event, where many share an instant.
    places: Vec<(u64, Place, u32)>,
}

impl<T: Copy> Open<T> {
    pub(super) fn new() -> Self {
        Self { events: Vec::new(), cursor: 0, living: Vec::new(), counts: Vec::new(), places: Vec::new() }
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

    /// Opens a bucket: replaces what was open by the living events of `chunks`, in order, and tells how many they are. All
    /// their times lie less than 2^`bits` after `start`.
    #[inline(always)]
    pub(super) fn fill<'a, O: Order<T>>(
        &mut self,
        chunks: impl Iterator<Item = &'a [T]> + Clone,
        start: u64,
        bits: u32,
        order: &O,
    ) -> usize
    where
        T: 'a,
    {
        self.cursor = 0;
        if O::CANCELS {
            let mut living = std::mem::take(&mut self.living);
            living.clear();
            for events in chunks {
                events.iter().for_each(|event| order.prefetch(event));
                living.extend(events.iter().filter(|event| order.is_live(event)));
            }
            self.scatter(std::iter::once(living.as_slice()), start, bits, order);
            self.living = living;
        } else {
            self.scatter(chunks, start, bits, order);
        }
        if !self.insert(order) {
            self.sort_by_place(order);
        }
        self.events.len()
    }

    /// One counting pass, to about one event per slot.
    #[inline(always)]
    fn scatter<'a>(
        &mut self,
        chunks: impl Iterator<Item = &'a [T]> + Clone,
        start: u64,
        bits: u32,
        order: &impl Order<T>,
    ) where
        T: 'a,
    {
        let count: usize = chunks.clone().map(<[T]>::len).sum();
        match chunks.clone().next().and_then(|events| events.first()) {
            // What was open before is overwritten.
            Some(&filler) => self.events.resize(count, filler),
            None => return self.events.clear(),
        }
        let slots = (usize::BITS - count.leading_zeros()).min(bits).min(SLOT_BITS);
        let slot = |event: &T| ((order.time(event).as_nanos() - start) >> (bits - slots)) as usize;
        self.counts.clear();
        self.counts.resize((1 << slots) + 1, 0);
        for events in chunks.clone() {
            for event in events {
                self.counts[slot(event) + 1] += 1;
            }
        }
        let mut sum = 0;
        for count in &mut self.counts {
            sum += *count;
            *count = sum;
        }
        for events in chunks {
            for event in events {
                let place = &mut self.counts[slot(event)];
                self.events[*place as usize] = *event;
                *place += 1;
            }
        }
    }

    /// Puts nearly sorted events in order; gives up where too many share an instant or a slot.
    fn insert(&mut self, order: &impl Order<T>) -> bool {
        let events = self.events.as_mut_slice();
        let mut patience = 2 * events.len();
        let mut greatest = 0;
        for sorted in 0..events.len() {
            let time = order.time(&events[sorted]).as_nanos();
            if greatest < time {
                greatest = time;
                continue;
            }
            let is_crowd = events.get(sorted + CROWD).is_some_and(|later| order.time(later).as_nanos() == time);
            let steps = sift(&mut events[..=sorted], order);
            if is_crowd || steps > patience {
                return false;
            }
            patience -= steps;
        }
        true
    }

    /// Puts events in order of which many share an instant: every place is computed once.
    #[cold]
    fn sort_by_place(&mut self, order: &impl Order<T>) {
        let place = |(event, index): (&T, u32)| (order.time(event).as_nanos(), order.place(event), index);
        self.places.clear();
        self.places.extend(self.events.iter().zip(0..).map(place));
        self.places.sort_unstable();
        self.living.clear();
        self.living.extend(self.places.iter().map(|&(_, _, index)| self.events[index as usize]));
        std::mem::swap(&mut self.events, &mut self.living);
    }
}

/// Moves the last event to its place among those before it, which are in order; tells how many it passed.
#[inline(never)]
fn sift<T: Copy>(events: &mut [T], order: &impl Order<T>) -> usize {
    let last = events.len() - 1;
    let event = events[last];
    let mut hole = last;
    while hole > 0 && order.before(&event, &events[hole - 1]) {
        events[hole] = events[hole - 1];
        hole -= 1;
    }
    events[hole] = event;
    last - hole
}
