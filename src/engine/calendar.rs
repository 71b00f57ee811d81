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

use crate::base::time::Time;

use super::heap::Heap;
use super::order::{Order, Place};
use super::pool::{Bucket, Pool};

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

/// Pending events of type `T`.
pub struct Calendar<T> {
    /// Events at or before the open bucket; the whole calendar while there is no ring.
    heap: Heap<T>,
    /// The open bucket, sorted: time since its start above the event's index in the pool.
    sorted: Vec<u64>,
    cursor: usize,
    open: Bucket,
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
    head: Head,
    tuning: Tuning,
    scratch: Vec<u64>,
    counts: Vec<u32>,
    ties: Vec<(u64, Place, u64)>,
    moving: Vec<T>,
}

/// What is known of the earliest event.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Head {
    /// No event comes before this time.
    time: u64,
    place: Where,
    /// In the open bucket: its index in the pool.
    index: u32,
}

/// Where the earliest event is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    /// There is none.
    Nowhere,
    /// In a bucket that has not been opened.
    Unopened,
    /// On top of the heap.
    Heap,
    /// Next in the open bucket.
    Open,
}

impl Head {
    const NOTHING: Self = Self { time: u64::MAX, place: Where::Nowhere, index: 0 };

    fn unopened(time: u64) -> Self {
        Self { time, place: Where::Unopened, index: 0 }
    }

    fn heap(time: Time) -> Self {
        Self { time: time.as_nanos(), place: Where::Heap, index: 0 }
    }

    fn open(time: Time, index: u32) -> Self {
        Self { time: time.as_nanos(), place: Where::Open, index }
    }
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
            sorted: Vec::new(),
            cursor: 0,
            open: Bucket::EMPTY,
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
            head: Head::NOTHING,
            tuning: Tuning::default(),
            scratch: Vec::new(),
            counts: Vec::new(),
            ties: Vec::new(),
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
    pub fn bound(&self) -> Time {
        Time::from_nanos(self.head.time)
    }

    /// Whether [`Calendar::bound`] is the time of an event; if not, [`Calendar::settle`] makes it so.
    #[inline(always)]
    pub fn is_settled(&self) -> bool {
        self.head.place != Where::Unopened
    }

    /// Opens the bucket that [`Calendar::bound`] speaks of. Afterwards the bound may be later, settled or not.
    pub fn settle(&mut self, order: &impl Order<T>) {
        if !self.is_settled() {
            self.open_next(order);
        }
    }

    /// The earliest event, if it is settled.
    #[inline(always)]
    pub fn peek(&self) -> Option<&T> {
        match self.head.place {
            Where::Heap => self.heap.peek(),
            Where::Open => Some(self.pool.get(self.head.index)),
            Where::Nowhere | Where::Unopened => None,
        }
    }

    /// Events of the open bucket that will come soon, by their distance from the next one: something to prefetch for.
    #[inline(always)]
    pub fn soon(&self, distances: std::ops::Range<usize>) -> impl Iterator<Item = &T> {
        let end = (self.cursor + distances.end).min(self.sorted.len());
        let keys = self.sorted.get(self.cursor + distances.start..end).unwrap_or_default();
        keys.iter().map(|&key| self.pool.get(key as u32))
    }

    /// Every event held, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        let open = self.sorted.get(self.cursor..).unwrap_or_default().iter().map(|&key| self.pool.get(key as u32));
        let buckets = self.ring.iter().chain(&self.far).flat_map(|&bucket| self.pool.chunks(bucket));
        open.chain(buckets.flat_map(|(_, events)| events)).chain(self.heap.iter()).chain(self.beyond.iter())
    }

    /// Forgets every event and keeps the memory for the next run.
    pub fn clear(&mut self) {
        self.heap.clear();
        self.beyond.clear();
        self.sorted.clear();
        self.cursor = 0;
        self.open = Bucket::EMPTY;
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
        self.head = Head::NOTHING;
        self.tuning = Tuning::default();
    }

    /// Adds an event, at any time from the last one popped on.
    #[inline(always)]
    pub fn push(&mut self, event: T, order: &impl Order<T>) {
        self.len += 1;
        let time = order.time(&event).as_nanos();
        let number = time >> self.shift;
        if number > self.current {
            self.file(event, number, order);
            let start = number << self.shift;
            if start < self.head.time {
                self.head = Head::unopened(start);
            }
        } else {
            self.push_heap((event, time), order);
        }
    }

    /// Takes a pair (as [`Calendar::file_far`] does): handed over by itself, an event would have to lie in memory already where
    /// it is pushed, although it rarely comes here.
    #[inline(never)]
    fn push_heap(&mut self, (event, time): (T, u64), order: &impl Order<T>) {
        self.heap.push(event, |a, b| order.before(a, b));
        if time < self.head.time {
            self.head = Head::heap(Time::from_nanos(time));
        } else if time == self.head.time {
            self.choose_head(order);
        }
        if self.current == u64::MAX && self.heap.len() > HEAP_MAX {
            self.leave_heap(order);
        }
    }

    /// Whether the earliest event lies in the open bucket, as nearly every one does where there are many.
    #[inline(always)]
    pub fn is_open(&self) -> bool {
        self.head.place == Where::Open
    }

    /// Takes the earliest event, which lies in the open bucket.
    #[inline(always)]
    pub fn pop_open(&mut self, order: &impl Order<T>) -> T {
        let event = *self.pool.get(self.head.index);
        self.cursor += 1;
        self.len -= 1;
        self.choose_head(order);
        event
    }

    /// Takes the earliest event, if it is settled.
    pub fn pop(&mut self, order: &impl Order<T>) -> Option<T> {
        match self.head.place {
            Where::Open => Some(self.pop_open(order)),
            Where::Heap => {
                let event = self.heap.pop(|a, b| order.before(a, b))?;
                self.popped = order.time(&event).as_nanos();
                self.len -= 1;
                self.choose_head(order);
                Some(event)
            }
            Where::Nowhere | Where::Unopened => None,
        }
    }

    #[inline(always)]
    fn choose_head(&mut self, order: &impl Order<T>) {
        // Nearly always the heap is empty.
        self.head = match self.sorted.get(self.cursor) {
            Some(&key) if self.heap.is_empty() => Head::open(order.time(self.pool.get(key as u32)), key as u32),
            _ => self.choose_among_heap(order),
        }
    }

    #[inline(never)]
    fn choose_among_heap(&mut self, order: &impl Order<T>) -> Head {
        let next = self.sorted.get(self.cursor).map(|&key| (self.pool.get(key as u32), key as u32));
        match (next, self.heap.peek()) {
            (Some((next, index)), None) => Head::open(order.time(next), index),
            (Some((next, index)), Some(top)) if order.before(next, top) => Head::open(order.time(next), index),
            (_, Some(top)) => Head::heap(order.time(top)),
            (None, None) => self.close(),
        }
    }

    /// The open bucket is used up: what comes next is in an unopened one.
    #[inline(never)]
    fn close(&mut self) -> Head {
        if self.current == u64::MAX {
            return Head::NOTHING;
        }
        self.sorted.clear();
        self.cursor = 0;
        self.pool.release(&mut self.open);
        if self.len == 0 {
            return Head::NOTHING;
        }
        Head::unopened(match self.next_occupied() {
            Some(number) => number << self.shift,
            None if self.far_occupied != 0 => self.next_far() << (COARSE_BITS + self.shift),
            None => self.coarse_bound_beyond() << self.shift,
        })
    }

    /// No event beyond the far buckets comes before this bucket number.
    fn coarse_bound_beyond(&self) -> u64 {
        (self.coarse + WINDOW + FAR) << COARSE_BITS
    }

    /// Files an event later than the open bucket.
    #[inline(always)]
    fn file(&mut self, event: T, number: u64, order: &impl Order<T>) {
        let coarse = number >> COARSE_BITS;
        if coarse < self.coarse + WINDOW {
            let slot = (number % RING) as usize;
            self.pool.push(&mut self.ring[slot], event);
            self.occupied[slot / 64] |= 1 << (slot % 64);
        } else {
            self.file_far((event, coarse), order);
        }
    }

    #[inline(never)]
    fn file_far(&mut self, (event, coarse): (T, u64), order: &impl Order<T>) {
        if coarse < self.coarse + WINDOW + FAR {
            let slot = coarse % FAR;
            self.pool.push(&mut self.far[slot as usize], event);
            self.far_occupied |= 1 << slot;
        } else {
            self.tuning.beyond += 1;
            self.beyond.push(event, |a, b| order.before(a, b));
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
        loop {
            if self.len == 0 {
                self.head = Head::NOTHING;
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
            if !self.sorted.is_empty() {
                self.choose_head(order);
                return;
            }
            self.pool.release(&mut self.open);
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
            self.pool.chunks(bucket).for_each(|(_, events)| moving.extend_from_slice(events));
            self.pool.release(&mut bucket);
            self.refile(&mut moving, order);
            self.moving = moving;
        }
        while let Some(first) = self.beyond.peek() {
            if order.time(first).as_nanos() >> self.shift >> COARSE_BITS >= coarse + WINDOW + FAR {
                break;
            }
            let event = self.beyond.pop(|a, b| order.before(a, b)).expect("just seen");
            self.file(event, order.time(&event).as_nanos() >> self.shift, order);
        }
    }

    /// Files events out of a coarse bucket, without the cancelled ones.
    fn refile(&mut self, moving: &mut Vec<T>, order: &impl Order<T>) {
        for index in 0..moving.len() {
            if let Some(later) = moving.get(index + AHEAD) {
                order.prefetch(later);
            }
            let event = moving[index];
            if order.is_live(&event) {
                self.file(event, order.time(&event).as_nanos() >> self.shift, order);
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
        self.open = std::mem::replace(&mut self.ring[slot], Bucket::EMPTY);
        self.tuning.opened += 1;
        self.tuning.events += self.open.len() as u64;
        self.tuning.since_rebuild += self.open.len() as u64;
        let start = self.current << self.shift;
        // Offsets of wide buckets lose their low bits; equal ones are then ordered by full time with the ties.
        let coarsening = self.shift.saturating_sub(32);
        let mut dropped = 0;
        for (first, events) in self.pool.chunks(self.open) {
            for event in events {
                order.prefetch(event);
            }
            for (index, event) in (first..).zip(events) {
                if order.is_live(event) {
                    let offset = (order.time(event).as_nanos() - start) >> coarsening;
                    self.sorted.push(offset << 32 | u64::from(index));
                } else {
                    dropped += 1;
                }
            }
        }
        self.len -= dropped;
        sort(&mut self.sorted, &mut self.scratch, &mut self.counts, self.shift.min(32));
        self.order_ties(order);
    }

    /// Orders runs of equal offsets by time and place.
    fn order_ties(&mut self, order: &impl Order<T>) {
        let mut start = 0;
        while start + 1 < self.sorted.len() {
            let offset = self.sorted[start] >> 32;
            if self.sorted[start + 1] >> 32 != offset {
                start += 1;
                continue;
            }
            let run = self.sorted[start..].iter().take_while(|&&key| key >> 32 == offset).count();
            self.ties.clear();
            self.ties.extend(self.sorted[start..start + run].iter().map(|&key| {
                let event = self.pool.get(key as u32);
                (order.time(event).as_nanos(), order.place(event), key)
            }));
            self.ties.sort_unstable();
            for (slot, &(_, _, key)) in self.sorted[start..].iter_mut().zip(&self.ties) {
                *slot = key;
            }
            start += run;
        }
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
            3
        } else if mean > 4.0 * wanted {
            // Narrower only if this bucket's events are spread over it: those of one instant no width parts.
            let times =
                || self.pool.chunks(bucket).flat_map(|(_, events)| events).map(|event| order.time(event).as_nanos());
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
            self.choose_head(order);
            return;
        }
        self.pool.seed(moving[0]);
        if self.ring.is_empty() {
            self.ring = vec![Bucket::EMPTY; RING as usize];
            self.far = vec![Bucket::EMPTY; FAR as usize];
        }
        self.shift = shift;
        self.current = (earliest >> shift).saturating_sub(1);
        self.coarse = self.current >> COARSE_BITS;
        self.head = Head::NOTHING;
        for &event in &moving {
            self.push(event, order);
        }
        moving.clear();
        self.moving = moving;
        if self.head == Head::NOTHING {
            self.head = self.close();
        }
    }
}

/// Sorts keys whose upper halves lie below 2^`bits`: one counting pass to about one key per slot, then insertion, or the
/// library's sort where many keys share a slot.
fn sort(keys: &mut Vec<u64>, scratch: &mut Vec<u64>, counts: &mut Vec<u32>, bits: u32) {
    let count = keys.len();
    if count > 24 {
        let slots = (usize::BITS - count.leading_zeros()).min(bits).min(11);
        let shift = 32 + bits - slots;
        counts.clear();
        counts.resize((1 << slots) + 1, 0);
        let mut fullest = 0;
        for &key in keys.iter() {
            let slot = &mut counts[(key >> shift) as usize + 1];
            *slot += 1;
            fullest = fullest.max(*slot);
        }
        if fullest > 24 {
            keys.sort_unstable();
            return;
        }
        let mut sum = 0;
        for slot in counts.iter_mut() {
            sum += *slot;
            *slot = sum;
        }
        scratch.clear();
        scratch.resize(count, 0);
        for &key in keys.iter() {
            let slot = &mut counts[(key >> shift) as usize];
            scratch[*slot as usize] = key;
            *slot += 1;
        }
        std::mem::swap(keys, scratch);
    }
    let mut greatest = 0;
    for sorted in 0..count {
        let key = keys[sorted];
        if key >= greatest {
            greatest = key;
            continue;
        }
        let mut hole = sorted;
        while hole > 0 && keys[hole - 1] > key {
            keys[hole] = keys[hole - 1];
            hole -= 1;
        }
        keys[hole] = key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::{Seed, Stream};
    use crate::engine::{Rank, Schedule};

    #[derive(Clone, Copy, PartialEq, Debug)]
    struct Event {
        time: u64,
        origin: u64,
        count: u64,
    }

    struct ByName(Schedule);

    impl Order<Event> for ByName {
        fn time(&self, event: &Event) -> Time {
            Time::from_nanos(event.time)
        }

        fn place(&self, event: &Event) -> Place {
            self.0.place(self.time(event), Rank::Delivery, event.origin, event.count)
        }

        /// Every origin divisible by 7 was cancelled.
        fn is_live(&self, event: &Event) -> bool {
            !event.origin.is_multiple_of(7)
        }
    }

    fn settled_pop(calendar: &mut Calendar<Event>, order: &ByName) -> Option<Event> {
        while !calendar.is_settled() {
            calendar.settle(order);
        }
        calendar.pop(order)
    }

    /// Plays the hold model (pop one, push `delay` later) against a sorted list; the heap may let cancelled events
    /// through, as the driver asks again.
    fn agrees_with_a_sorted_list(pending: u64, steps: u64, delay: impl Fn(&mut Stream, u64) -> u64) {
        let order = ByName(Schedule::new(Seed(3).key("schedule")));
        let mut draws = Seed(pending).key("test").stream(Default::default(), 0);
        let mut calendar = Calendar::new();
        let mut list = std::collections::BTreeSet::new();
        let mut count = 0;
        let mut push = |calendar: &mut Calendar<Event>, list: &mut std::collections::BTreeSet<_>, time, origin| {
            count += 1;
            let event = Event { time, origin, count };
            calendar.push(event, &order);
            if order.is_live(&event) {
                list.insert((time, order.place(&event), origin, count));
            }
        };
        for origin in 0..pending {
            let time = delay(&mut draws, 0);
            push(&mut calendar, &mut list, time, origin);
        }
        for step in 0..steps {
            let Some(event) = settled_pop(&mut calendar, &order) else { break };
            if !order.is_live(&event) {
                continue;
            }
            let (time, _, origin, count) = list.pop_first().expect("as many as in the calendar");
            assert_eq!(event, Event { time, origin, count }, "step {step}");
            let next = time + 1 + delay(&mut draws, time);
            let origin = draws.draw().below(pending.max(10));
            push(&mut calendar, &mut list, next, origin);
            if origin.is_multiple_of(7) {
                // What is cancelled is replaced, so that the number pending stays.
                push(&mut calendar, &mut list, next, 1);
            }
        }
        while let Some(event) = settled_pop(&mut calendar, &order) {
            if order.is_live(&event) {
                let (time, _, origin, count) = list.pop_first().expect("as many as in the calendar");
                assert_eq!(event, Event { time, origin, count });
            }
        }
        assert!(list.is_empty());
        assert!(calendar.is_empty());
    }

    #[test]
    fn the_order_is_exact_for_every_size_and_delay() {
        for pending in [1, 5, 60, 300, 3_000, 40_000] {
            agrees_with_a_sorted_list(pending, 60_000, |draws, _| 500_000 + draws.draw().below(1_000_000));
            agrees_with_a_sorted_list(pending, 60_000, |draws, _| draws.draw().below(3));
            agrees_with_a_sorted_list(pending, 60_000, |_, _| 1_000_000);
        }
    }

    #[test]
    fn the_order_survives_delays_of_every_magnitude() {
        for pending in [10, 1_000, 20_000] {
            agrees_with_a_sorted_list(pending, 60_000, |draws, _| {
                let magnitude = draws.draw().below(45);
                draws.draw().below(1 << magnitude)
            });
        }
    }

    #[test]
    fn the_order_survives_a_change_of_density() {
        for pending in [200, 5_000] {
            agrees_with_a_sorted_list(pending, 200_000, |draws, now| {
                let scale = if (now / 50_000_000) % 2 == 0 { 1_000 } else { 100_000_000 };
                draws.draw().below(scale)
            });
        }
    }

    #[test]
    fn a_cleared_calendar_starts_again() {
        let order = ByName(Schedule::new(Seed(3).key("schedule")));
        let mut calendar = Calendar::new();
        for round in 0..3 {
            for count in 0..1_000 {
                calendar.push(Event { time: 5_000 - count, origin: 1, count }, &order);
            }
            assert_eq!(settled_pop(&mut calendar, &order).map(|event| event.time), Some(4_001), "round {round}");
            assert_eq!(calendar.iter().count(), 999);
            calendar.clear();
            assert!(calendar.is_empty() && calendar.bound() == Time::MAX);
        }
    }
}
