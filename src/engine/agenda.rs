//! Pending events most of which are cancelled before they are due.
//!
//! Timers of one length are set in the order in which they are due, and those of an exchange that went well are all
//! cancelled. So events that come in order wait in a line, and when time reaches its first one, all cancelled ones up to
//! the next living one are dropped: a cancelled timer costs a push and a look. There are a few lines, because there are a
//! few lengths; what fits into none waits in a [`Calendar`].

use std::collections::VecDeque;

use crate::base::time::Time;

use super::calendar::Calendar;
use super::order::Order;

/// Lines.
const LINES: usize = 4;
/// How far ahead of a look at an event it is hinted at.
const AHEAD: usize = 12;

/// Pending events of type `T` that may be cancelled.
pub struct Agenda<T> {
    lines: [Line<T>; LINES],
    others: Calendar<T>,
    /// No event comes before this time.
    bound: Time,
    /// Whether an event comes at that time, and it is known which.
    is_settled: bool,
}

/// Events in order of their times.
struct Line<T> {
    events: VecDeque<T>,
    /// The time of the first one; none comes before it.
    first: Time,
    /// The time of the last one.
    last: Time,
}

impl<T: Copy> Line<T> {
    const EMPTY: Self = Self { events: VecDeque::new(), first: Time::MAX, last: Time::ZERO };

    #[inline(always)]
    fn push(&mut self, event: T, time: Time) {
        if self.events.is_empty() {
            self.first = time;
        }
        self.last = time;
        self.events.push_back(event);
    }

    fn pop(&mut self, order: &impl Order<T>) -> T {
        let event = self.events.pop_front().expect("the line is not empty");
        self.find_ends(order);
        event
    }

    /// Whether the first event is the only one at its time.
    fn is_first_alone(&self, order: &impl Order<T>) -> bool {
        self.events.get(1).is_none_or(|second| order.time(second) > self.first)
    }

    /// Lets the cancelled events go that stand first.
    fn drop_cancelled(&mut self, order: &impl Order<T>) {
        loop {
            let (front, back) = self.events.as_slices();
            let is_cancelled = |(index, event): &(usize, &T)| {
                if let Some(later) = front.get(index + AHEAD) {
                    order.prefetch(later);
                }
                !order.is_live(event)
            };
            let cancelled = front.iter().enumerate().take_while(is_cancelled).count();
            let is_done = cancelled < front.len() || back.is_empty();
            self.events.drain(..cancelled);
            if is_done {
                break;
            }
        }
        self.find_ends(order);
    }

    fn find_ends(&mut self, order: &impl Order<T>) {
        self.first = self.events.front().map_or(Time::MAX, |first| order.time(first));
        if self.events.is_empty() {
            self.last = Time::ZERO;
        }
    }

    fn clear(&mut self) {
        self.events.clear();
        (self.first, self.last) = (Time::MAX, Time::ZERO);
    }
}

impl<T: Copy> Default for Agenda<T> {
    fn default() -> Self {
        Self { lines: [Line::EMPTY; LINES], others: Calendar::new(), bound: Time::MAX, is_settled: true }
    }
}

impl<T: Copy> Agenda<T> {
    /// No event comes before this time ([`Time::MAX`] when nothing is held).
    #[inline(always)]
    pub fn bound(&self) -> Time {
        self.bound
    }

    /// Whether [`Agenda::bound`] is the time of an event, and it is known which; if not, [`Agenda::settle`] looks further.
    #[inline(always)]
    pub fn is_settled(&self) -> bool {
        self.is_settled
    }

    /// Adds an event, at any time from the last one popped on.
    #[inline(always)]
    pub fn push(&mut self, event: T, order: &impl Order<T>) {
        let time = order.time(&event);
        if time <= self.bound {
            self.bound = time;
            self.is_settled = false;
        }
        match self.lines.iter_mut().find(|line| line.last <= time) {
            Some(line) => line.push(event, time),
            None => self.push_other((event, time), order),
        }
    }

    /// Takes a pair: handed over by itself, an event would have to lie in memory already where it is pushed, although it
    /// rarely comes here.
    #[inline(never)]
    fn push_other(&mut self, (event, _): (T, Time), order: &impl Order<T>) {
        self.others.push(event, order);
        // A heap that has become a ring no longer knows which of its events is the earliest.
        if !self.others.is_settled() && self.earliest().is_none() {
            self.is_settled = false;
        }
    }

    /// Looks for the earliest event. Afterwards the bound may be later, and the event known or not.
    pub fn settle(&mut self, order: &impl Order<T>) {
        let bound = self.bound;
        // Of an unsettled calendar the bound may lie before ours.
        let may_have = |others: &Calendar<T>| others.bound(order) <= bound;
        if may_have(&self.others) {
            self.others.settle(order);
        }
        let mut rivals = usize::from(may_have(&self.others));
        for line in self.lines.iter_mut().filter(|line| line.first == bound) {
            line.drop_cancelled(order);
            if line.first == bound {
                rivals += if line.is_first_alone(order) { 1 } else { 2 };
            }
        }
        if rivals > 1 {
            self.mix(bound, order);
        }
        if rivals == 0 {
            self.find_bound(order);
        }
        self.is_settled = rivals > 0 && (!may_have(&self.others) || self.others.is_settled());
    }

    /// Moves the lines' events of one time to the others: a line knows nothing of their places.
    #[cold]
    fn mix(&mut self, time: Time, order: &impl Order<T>) {
        for line in &mut self.lines {
            while line.first == time {
                let event = line.pop(order);
                self.others.push(event, order);
                line.drop_cancelled(order);
            }
        }
        self.others.settle(order);
    }

    fn find_bound(&mut self, order: &impl Order<T>) {
        self.bound = self.lines.iter().fold(self.others.bound(order), |bound, line| bound.min(line.first));
    }

    /// The line that has the earliest event; none if it is among the others.
    fn earliest(&self) -> Option<usize> {
        self.lines.iter().position(|line| line.first == self.bound)
    }

    /// The earliest event, if it is known. It may have been cancelled since.
    pub fn peek(&self, order: &impl Order<T>) -> Option<&T> {
        if !self.is_settled {
            return None;
        }
        match self.earliest() {
            Some(line) => self.lines[line].events.front(),
            None => self.others.peek(order),
        }
    }

    /// Takes the earliest event. It may have been cancelled since it was settled.
    ///
    /// # Panics
    /// When none is settled.
    pub fn pop(&mut self, order: &impl Order<T>) -> T {
        assert!(self.is_settled, "the earliest event is known");
        let event = match self.earliest() {
            Some(line) => self.lines[line].pop(order),
            None => self.others.pop(order),
        };
        self.find_bound(order);
        self.is_settled = self.bound == Time::MAX;
        event
    }

    /// Every event that is held, in no order; many of them may have been cancelled.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.lines.iter().flat_map(|line| &line.events).chain(self.others.iter())
    }

    /// Forgets every event and keeps the memory for the next run.
    pub fn clear(&mut self) {
        self.lines.iter_mut().for_each(Line::clear);
        self.others.clear();
        self.bound = Time::MAX;
        self.is_settled = true;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::base::random::{Seed, Stream};
    use crate::engine::{Place, Rank, Schedule};

    #[derive(Clone, Copy, PartialEq, Debug)]
    struct Event {
        time: u64,
        origin: u64,
        count: u64,
    }

    /// Knows which events were cancelled, by their counts.
    struct Living {
        schedule: Schedule,
        cancelled: std::cell::RefCell<BTreeSet<u64>>,
        looks: Cell<u64>,
    }

    impl Order<Event> for Living {
        const CANCELS: bool = true;

        fn time(&self, event: &Event) -> Time {
            Time::from_nanos(event.time)
        }

        fn place(&self, event: &Event) -> Place {
            self.schedule.place(self.time(event), Rank::Deadline, event.origin, event.count)
        }

        fn is_live(&self, event: &Event) -> bool {
            self.looks.set(self.looks.get() + 1);
            !self.cancelled.borrow().contains(&event.count)
        }
    }

    /// Plays timers against a sorted map: at each step one is set, and mostly another is cancelled.
    fn agrees_with_a_sorted_map(delay: impl Fn(&mut Stream) -> u64, kept: u64) {
        let order = Living {
            schedule: Schedule::new(Seed(5).key("schedule")),
            cancelled: Default::default(),
            looks: Cell::new(0),
        };
        let mut draws = Seed(6).key("test").stream(Default::default(), 0);
        let (mut agenda, mut map) = (Agenda::default(), BTreeMap::new());
        let mut set = BTreeMap::new();
        for (now, count) in (0..40_000).zip(1..) {
            let event = Event { time: 10 * now + 1 + delay(&mut draws), origin: draws.draw().below(9), count };
            agenda.push(event, &order);
            map.insert((event.time, order.place(&event)), event);
            set.insert(count, event);
            if draws.draw().below(100) >= kept
                && let Some((_, event)) = set.pop_first()
            {
                map.remove(&(event.time, order.place(&event)));
                order.cancelled.borrow_mut().insert(event.count);
            }
            let until = if now == 39_999 { Time::MAX } else { Time::from_nanos(10 * now) };
            while agenda.bound() <= until && agenda.bound() < Time::MAX {
                if !agenda.is_settled() {
                    agenda.settle(&order);
                    continue;
                }
                assert_eq!(agenda.peek(&order).map(|event| order.time(event)), Some(agenda.bound()));
                let event = agenda.pop(&order);
                if order.is_live(&event) {
                    assert_eq!(map.pop_first().map(|(_, first)| first), Some(event));
                    set.remove(&event.count);
                }
            }
            assert!(map.first_key_value().is_none_or(|(_, first)| first.time > until.as_nanos()));
        }
        assert!(map.is_empty());
    }

    #[test]
    fn the_order_is_exact_whatever_the_lengths() {
        for kept in [0, 3, 50, 100] {
            agrees_with_a_sorted_map(|_| 1_000, kept);
            agrees_with_a_sorted_map(|draws| [50, 700, 20_000][draws.draw().below(3) as usize], kept);
            agrees_with_a_sorted_map(|draws| draws.draw().below(5_000), kept);
            agrees_with_a_sorted_map(|draws| draws.draw().below(1 << draws.draw().below(20)), kept);
            agrees_with_a_sorted_map(|draws| draws.draw().below(30) / 10 * 10 + 9, kept);
        }
    }

    /// Timers are looked at before messages that come earlier, and those set more timers. Four that come ever earlier take up
    /// the lines; what follows waits in a heap, whose first event is known when a hundred lie there, and which becomes a ring
    /// while hundreds more are set, all of them later. That event may also be cancelled before it comes.
    #[test]
    fn what_is_known_stays_known_while_more_is_set() {
        for cancel in [false, true] {
            let order = Living {
                schedule: Schedule::new(Seed(5).key("schedule")),
                cancelled: Default::default(),
                looks: Cell::new(0),
            };
            let mut agenda = Agenda::default();
            let event = |time| Event { time, origin: 0, count: time };
            for time in (9_900..10_000).rev() {
                agenda.push(event(time), &order);
            }
            agenda.settle(&order);
            assert_eq!(agenda.peek(&order), Some(&event(9_900)));
            if cancel {
                order.cancelled.borrow_mut().insert(9_900);
            }
            for count in 10_000..11_000 {
                agenda.push(Event { time: 9_901 + count % 90, origin: 0, count }, &order);
            }
            let mut found = Vec::new();
            while agenda.bound() < Time::MAX {
                if !agenda.is_settled() {
                    agenda.settle(&order);
                    continue;
                }
                assert_eq!(agenda.peek(&order).map(|event| order.time(event)), Some(agenda.bound()));
                found.push(agenda.pop(&order));
            }
            found.retain(|event| order.is_live(event));
            assert_eq!(found.len(), if cancel { 1_099 } else { 1_100 });
            assert!(found.is_sorted_by_key(|event| (event.time, order.place(event))));
        }
    }

    #[test]
    fn simultaneous_events_come_in_the_order_of_their_places() {
        let order = Living {
            schedule: Schedule::new(Seed(5).key("schedule")),
            cancelled: Default::default(),
            looks: Cell::new(0),
        };
        let mut agenda = Agenda::default();
        for count in 0..20_000 {
            agenda.push(Event { time: 7, origin: count, count }, &order);
        }
        let mut last = None;
        for _ in 0..20_000 {
            while !agenda.is_settled() {
                agenda.settle(&order);
            }
            let place = order.place(&agenda.pop(&order));
            assert!(last < Some(place));
            last = Some(place);
        }
        // Looked at once or twice: there is no quadratic case.
        assert!(order.looks.get() < 60_000, "{}", order.looks.get());
    }
}
