//! The pending events: a calendar that tunes its own bucket width.
//!
//! A day of the calendar is a *bucket*: an unsorted bag, sorted once when it opens, then read linearly, so that an event
//! costs a push to a list's end and its share of one sort, whatever the number pending (comparison heaps cost a cache miss
//! per level above some ten thousand events). Events that fall into the open bucket go to a small heap beside it. Buckets
//! beyond the ring's horizon wait in coarser ones, and beyond those in a heap.
//!
//! What no fixed width survives, and what is done about it:
//!
//! - *Density changes.* The mean population of opened buckets is watched; when it is off by four, everything pending is
//!   moved into buckets of a better width, at most once per as many events as are pending.
//! - *Tiny systems.* Up to [`HEAP_MAX`] events the heap is the whole calendar: no ring, nothing to walk.
//! - *Many events at one instant.* Equal times are found after the sort and ordered by their [`Place`], computed only then:
//!   n log n, with no quadratic case.
//! - *Cancelled events* are asked about ([`Order::is_live`]) where their bucket opens, and dropped in bulk.
//!
//! What always holds: events leave in exactly the order of (time, place), whatever the widths.

mod heap;
mod open;
mod pool;

use crate::base::time::Time;

use super::order::Order;

use heap::Heap;
use open::Open;
use pool::{Bucket, Pool};

/// Fine buckets in the ring.
const RING: u64 = 4096;
/// Fine buckets in a coarse one, as a power of two.
const COARSE_BITS: u32 = 9;
/// Coarse buckets the ring's window spans.
const WINDOW: u64 = RING >> COARSE_BITS;
/// Coarse buckets beyond the window.
const FAR: u64 = 64;
/// Up to this many pending events a heap alone is fastest.
const HEAP_MAX: usize = 192;
/// Below this many the ring is given up again.
const HEAP_MIN: usize = 48;
/// The population a bucket should have, where nothing speaks against it.
const POPULATION: u64 = 256;
/// How far ahead of a scan a line is asked for.
const AHEAD: usize = 12;
/// Events in the inbox, at most.
const INBOX: usize = 64;

/// Pending events of type `T`.
pub struct Calendar<T> {
    /// Events at or before the open bucket; the whole calendar while there is no ring.
    heap: Heap<T>,
    open: Open<T>,
    /// Events later than the open bucket that were not filed yet. Where an event belongs is known only when its time is,
    /// at the end of a long chain of arithmetic: filing them together, later, nothing waits for it.
    inbox: Vec<T>,
    pool: Pool<T>,
    ring: Vec<Bucket>,
    occupied: [u64; (RING / 64) as usize],
    far: Vec<Bucket>,
    far_occupied: u64,
    /// Events beyond the far buckets.
    beyond: Heap<T>,
    /// log2 of a bucket's width in ns.
    shift: u32,
    /// The open bucket's number (its start >> shift); `u64::MAX` while the heap is the whole calendar.
    current: u64,
    /// The coarse bucket the window starts with.
    coarse: u64,
    len: usize,
    /// The time of the last event popped from the heap.
    popped: u64,
    /// No event that waits in a bucket or in the inbox comes before this time.
    unopened: u64,
    tuning: Tuning,
    moving: Vec<T>,
}

/// What happened since the width was last judged.
#[derive(Default)]
struct Tuning {
    /// Buckets opened, and the events they held.
    opened: u64,
    events: u64,
    /// Events that had to be kept beyond the far buckets.
    beyond: u64,
    /// Events opened since everything was last moved.
    since_rebuild: u64,
    /// The width is a first guess, and may be mended at once.
    guessed: bool,
}

impl<T: Copy> Default for Calendar<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Copy> Calendar<T> {
    /// An empty calendar; allocates nothing until used.
    pub fn new() -> Self {
        Self {
            heap: Heap::new(),
            open: Open::new(),
            inbox: Vec::new(),
            pool: Pool::new(),
            ring: Vec::new(),
            occupied: [0; (RING / 64) as usize],
            far: Vec::new(),
            far_occupied: 0,
            beyond: Heap::new(),
            shift: 0,
            current: u64::MAX,
            coarse: 0,
            len: 0,
            popped: 0,
            unopened: u64::MAX,
            tuning: Tuning::default(),
            moving: Vec::new(),
        }
    }

    /// The number of events held, cancelled ones that were not dropped yet included.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// No event comes before this time ([`Time::MAX`] when nothing is held).
    #[inline(always)]
    pub fn bound(&self, order: &impl Order<T>) -> Time {
        let time = |event: Option<&T>| event.map_or(Time::MAX, |event| order.time(event));
        time(self.open.first()).min(time(self.heap.peek())).min(Time::from_nanos(self.unopened))
    }

    /// Whether [`Calendar::bound`] is the time of an event; if not, [`Calendar::settle`] makes it so.
    #[inline(always)]
    pub fn is_settled(&self) -> bool {
        self.open.first().is_some() || !self.heap.is_empty() || self.len == 0
    }

    /// Opens the bucket that [`Calendar::bound`] speaks of. Afterwards the bound may be later, settled or not.
    pub fn settle(&mut self, order: &impl Order<T>) {
        if !self.is_settled() {
            self.open_next(order);
        }
    }

    /// The earliest event, if it is settled.
    pub fn peek(&self, order: &impl Order<T>) -> Option<&T> {
        match (self.open.first(), self.heap.peek()) {
            (Some(next), Some(top)) => Some(if order.before(next, top) { next } else { top }),
            (next, top) => next.or(top),
        }
    }

    /// Events of the open bucket that will come soon, by their distance from the next one: something to prefetch for.
    #[inline(always)]
    pub fn soon(&self, distances: std::ops::Range<usize>) -> impl Iterator<Item = &T> {
        let rest = self.open.rest();
        rest.get(distances.start..distances.end.min(rest.len())).unwrap_or_default().iter()
    }

    /// Every event held, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        let buckets = self.ring.iter().chain(&self.far).flat_map(|&bucket| self.pool.chunks(bucket));
        self.open
            .rest()
            .iter()
            .chain(&self.inbox)
            .chain(buckets.flatten())
            .chain(self.heap.iter())
            .chain(self.beyond.iter())
    }

    /// Forgets every event and keeps the memory for the next run.
    pub fn clear(&mut self) {
        self.heap.clear();
        self.beyond.clear();
        self.open.clear();
        self.inbox.clear();
        self.pool.clear();
        if self.current != u64::MAX {
            self.ring.fill(Bucket::EMPTY);
            self.far.fill(Bucket::EMPTY);
        }
        self.occupied.fill(0);
        self.far_occupied = 0;
        self.current = u64::MAX;
        self.len = 0;
        self.popped = 0;
        self.unopened = u64::MAX;
        self.tuning = Tuning::default();
    }

    /// Adds an event, at any time from the last one popped on.
    #[inline(always)]
    pub fn push(&mut self, event: T, order: &impl Order<T>) {
        self.len += 1;
        let time = order.time(&event).as_nanos();
        let number = time >> self.shift;
        if number > self.current {
            if self.inbox.len() == INBOX {
                self.file_inbox(order);
            }
            self.inbox.push(event);
            self.unopened = self.unopened.min(number << self.shift);
        } else {
            self.push_heap((event, time), order);
        }
    }

    #[inline(never)]
    fn file_inbox(&mut self, order: &impl Order<T>) {
        let mut inbox = std::mem::take(&mut self.inbox);
        let (shift, window_end) = (self.shift, (self.coarse + WINDOW) << COARSE_BITS);
        for event in &inbox {
            let number = order.time(event).as_nanos() >> shift;
            if number < window_end {
                self.file_near(event, number);
            } else {
                self.file_far(event, number >> COARSE_BITS, order);
            }
        }
        inbox.clear();
        self.inbox = inbox;
    }

    /// Takes a pair: handed over by itself, an event would have to lie in memory already where
    /// it is pushed, although it rarely comes here.
    #[inline(never)]
    fn push_heap(&mut self, (event, _): (T, u64), order: &impl Order<T>) {
        self.heap.push(event, |a, b| order.before(a, b));
        if self.current == u64::MAX && self.heap.len() > HEAP_MAX {
            self.leave_heap(order);
        }
    }

    /// The earliest event, if it comes before `limit` and lies in the open bucket, as nearly every one does where there are
    /// many.
    #[inline(always)]
    pub fn open_before(&self, limit: Time, order: &impl Order<T>) -> Option<&T> {
        self.open.first().filter(|next| order.time(next) < limit && self.heap.is_empty())
    }

    /// Takes the first event of the open bucket. (Not an `Option` of it: that would be put together in memory piece by
    /// piece, and reading it back as a whole would wait for every piece.)
    ///
    /// # Panics
    /// When there is none.
    #[inline(always)]
    pub fn pop_open(&mut self) -> T {
        let event = *self.open.first().expect("an event lies in the open bucket");
        self.open.advance();
        self.len -= 1;
        event
    }

    /// Takes the earliest event.
    ///
    /// # Panics
    /// When none is settled.
    pub fn pop(&mut self, order: &impl Order<T>) -> T {
        let is_open = match (self.open.first(), self.heap.peek()) {
            (Some(next), Some(top)) => order.before(next, top),
            (next, _) => next.is_some(),
        };
        if is_open {
            return self.pop_open();
        }
        let event = self.heap.pop(|a, b| order.before(a, b));
        self.popped = order.time(&event).as_nanos();
        self.len -= 1;
        event
    }

    /// No event that waits in a bucket comes before this time.
    fn bound_of_buckets(&self) -> u64 {
        match self.next_occupied() {
            Some(number) => number << self.shift,
            None if self.far_occupied != 0 => self.next_far() << (COARSE_BITS + self.shift),
            None if !self.beyond.is_empty() => self.coarse_bound_beyond() << self.shift,
            None => u64::MAX,
        }
    }

    /// No event beyond the far buckets comes before this bucket number.
    fn coarse_bound_beyond(&self) -> u64 {
        (self.coarse + WINDOW + FAR) << COARSE_BITS
    }

    /// Files an event later than the open bucket.
    #[inline(always)]
    fn file(&mut self, event: &T, order: &impl Order<T>) {
        let number = order.time(event).as_nanos() >> self.shift;
        let coarse = number >> COARSE_BITS;
        if coarse < self.coarse + WINDOW {
            self.file_near(event, number);
        } else {
            self.file_far(event, coarse, order);
        }
    }

    #[inline(always)]
    fn file_near(&mut self, event: &T, number: u64) {
        let slot = (number % RING) as usize;
        let bucket = &mut self.ring[slot];
        if bucket.is_empty() {
            self.occupied[slot / 64] |= 1 << (slot % 64);
        }
        self.pool.push(bucket, event);
    }

    #[inline(never)]
    fn file_far(&mut self, event: &T, coarse: u64, order: &impl Order<T>) {
        if coarse < self.coarse + WINDOW + FAR {
            let slot = coarse % FAR;
            self.pool.push(&mut self.far[slot as usize], event);
            self.far_occupied |= 1 << slot;
        } else {
            self.tuning.beyond += 1;
            self.beyond.push(*event, |a, b| order.before(a, b));
        }
    }

    /// The number of the first occupied bucket of the ring after the open one.
    fn next_occupied(&self) -> Option<u64> {
        let from = self.current + 1;
        let start = (from % RING) as usize;
        let words = self.occupied.len();
        for step in 0..=words {
            let word = (start / 64 + step) % words;
            let mut bits = self.occupied[word];
            if step == 0 {
                bits &= !0 << (start % 64);
            } else if step == words {
                bits &= !(!0 << (start % 64));
            }
            if bits != 0 {
                let slot = (word * 64) as u64 + u64::from(bits.trailing_zeros());
                return Some(from + (slot + RING - from % RING) % RING);
            }
        }
        None
    }

    /// The first occupied coarse bucket beyond the window; there is one.
    fn next_far(&self) -> u64 {
        let from = self.coarse + WINDOW;
        from + u64::from(self.far_occupied.rotate_right((from % FAR) as u32).trailing_zeros())
    }

    #[inline(never)]
    fn open_next(&mut self, order: &impl Order<T>) {
        self.file_inbox(order);
        loop {
            if self.len == 0 {
                self.unopened = u64::MAX;
                return;
            }
            let Some(number) = self.next_occupied() else {
                let coarse = if self.far_occupied != 0 {
                    self.next_far()
                } else {
                    let first = self.beyond.peek().expect("the events are somewhere");
                    order.time(first).as_nanos() >> self.shift >> COARSE_BITS
                };
                self.current = (coarse << COARSE_BITS) - 1;
                self.enter(coarse, order);
                continue;
            };
            if self.judge(number, order) {
                if self.is_settled() {
                    return;
                }
                continue;
            }
            self.current = number;
            let coarse = number >> COARSE_BITS;
            if coarse != self.coarse {
                self.enter(coarse, order);
            }
            self.open_bucket(order);
            if self.open.first().is_some() {
                self.unopened = self.bound_of_buckets();
                return;
            }
        }
    }

    /// Moves the window to start with `coarse`: what it now reaches comes into the ring.
    fn enter(&mut self, coarse: u64, order: &impl Order<T>) {
        let reached = self.coarse + WINDOW..(coarse + WINDOW).min(self.coarse + WINDOW + FAR);
        self.coarse = coarse;
        for far in reached {
            let slot = (far % FAR) as usize;
            if self.far_occupied & 1 << slot == 0 {
                continue;
            }
            self.far_occupied &= !(1 << slot);
            let mut bucket = std::mem::replace(&mut self.far[slot], Bucket::EMPTY);
            let mut moving = std::mem::take(&mut self.moving);
            self.pool.chunks(bucket).for_each(|events| moving.extend_from_slice(events));
            self.pool.release(&mut bucket);
            self.refile(&mut moving, order);
            self.moving = moving;
        }
        while let Some(first) = self.beyond.peek() {
            if order.time(first).as_nanos() >> self.shift >> COARSE_BITS >= coarse + WINDOW + FAR {
                break;
            }
            let event = self.beyond.pop(|a, b| order.before(a, b));
            self.file(&event, order);
        }
    }

    /// Files events out of a coarse bucket, without the cancelled ones.
    fn refile<O: Order<T>>(&mut self, moving: &mut Vec<T>, order: &O) {
        for index in 0..moving.len() {
            if let Some(later) = moving.get(index + AHEAD) {
                order.prefetch(later);
            }
            let event = moving[index];
            if !O::CANCELS || order.is_live(&event) {
                self.file(&event, order);
            } else {
                self.len -= 1;
            }
        }
        moving.clear();
    }

    /// Sorts the current bucket's living events.
    fn open_bucket(&mut self, order: &impl Order<T>) {
        let slot = (self.current % RING) as usize;
        self.occupied[slot / 64] &= !(1 << (slot % 64));
        let mut bucket = std::mem::replace(&mut self.ring[slot], Bucket::EMPTY);
        let filed = bucket.len();
        self.tuning.opened += 1;
        self.tuning.events += filed as u64;
        self.tuning.since_rebuild += filed as u64;
        let living = self.open.fill(self.pool.chunks(bucket), self.current << self.shift, self.shift, order);
        self.pool.release(&mut bucket);
        self.len -= filed - living;
    }

    /// The population a bucket should have: a quarter of what is pending in small systems (so that an event's followers
    /// mostly fall behind the open bucket), and in large ones enough that the ring spans twice the mean delay.
    fn population(&self) -> u64 {
        let pending = self.len as u64;
        (pending / 4).min(POPULATION).max(pending / (RING / 2)).max(1)
    }

    /// Judges the width before bucket `number` opens; whether everything was moved.
    fn judge(&mut self, number: u64, order: &impl Order<T>) -> bool {
        let target = self.population();
        let bucket = self.ring[(number % RING) as usize];
        let (events, opened) = (self.tuning.events + bucket.len() as u64, self.tuning.opened + 1);
        if events < 64 * target && opened < 256 {
            return false;
        }
        let affordable = self.tuning.guessed || self.tuning.since_rebuild >= self.len as u64;
        let overshot = self.tuning.beyond * 8 > events;
        self.tuning = Tuning { since_rebuild: self.tuning.since_rebuild, ..Tuning::default() };
        if !affordable {
            return false;
        }
        let (wanted, mean) = (target as f64, events as f64 / opened as f64);
        let steps = if overshot {
            self.steps_to_reach_beyond(order)
        } else if mean > 4.0 * wanted {
            // Narrower only if this bucket's events are spread over it: those of one instant no width parts.
            let times = || self.pool.chunks(bucket).flatten().map(|event| order.time(event).as_nanos());
            let spread = times().max().unwrap_or(0) - times().min().unwrap_or(0);
            if spread >> self.shift.saturating_sub(4) == 0 { 0 } else { libm::log2(wanted / mean) as i32 }
        } else if mean * 4.0 < wanted {
            libm::log2(wanted / mean) as i32
        } else {
            0
        };
        let shift = self.shift.saturating_add_signed(steps).min(48);
        if shift == self.shift && self.len >= HEAP_MIN {
            return false;
        }
        self.rebuild(shift, order);
        true
    }

    /// How many times the width must double for what lies beyond the far buckets, on average, to lie within them.
    fn steps_to_reach_beyond(&self, order: &impl Order<T>) -> i32 {
        let (start, reach) = (self.current << self.shift, (WINDOW + FAR) << COARSE_BITS << self.shift);
        let ahead: f64 = self.beyond.iter().map(|event| (order.time(event).as_nanos() - start) as f64).sum();
        let mean = ahead / self.beyond.len().max(1) as f64;
        1 + libm::log2(mean / reach as f64).max(0.0) as i32
    }

    /// From the heap to a ring: the width is guessed from how far ahead events lie.
    #[cold]
    fn leave_heap(&mut self, order: &impl Order<T>) {
        let last = self.heap.iter().map(|event| order.time(event).as_nanos()).max().unwrap_or(0);
        let width = (last - self.popped) / self.heap.len() as u64 * self.population();
        self.rebuild(width.max(1).ilog2().min(48), order);
        self.tuning.guessed = true;
    }

    /// Moves everything pending into buckets of width 2^`shift`, or into the heap if little is left.
    #[cold]
    fn rebuild(&mut self, shift: u32, order: &impl Order<T>) {
        let mut moving = std::mem::take(&mut self.moving);
        moving.clear();
        moving.extend(self.iter());
        let small = moving.len() < HEAP_MIN;
        let earliest = moving.iter().map(|event| order.time(event).as_nanos()).min().unwrap_or(0);
        let popped = self.popped;
        self.clear();
        self.popped = popped;
        if small {
            for &event in &moving {
                self.len += 1;
                self.heap.push(event, |a, b| order.before(a, b));
            }
            moving.clear();
            self.moving = moving;
            return;
        }
        self.pool.seed(moving[0]);
        if self.ring.is_empty() {
            self.ring = vec![Bucket::EMPTY; RING as usize];
            self.inbox.reserve_exact(INBOX);
            self.far = vec![Bucket::EMPTY; FAR as usize];
        }
        self.shift = shift;
        self.current = (earliest >> shift).saturating_sub(1);
        self.coarse = self.current >> COARSE_BITS;
        for &event in &moving {
            self.push(event, order);
        }
        self.file_inbox(order);
        moving.clear();
        self.moving = moving;
    }
}

#[cfg(test)]
mod tests;
