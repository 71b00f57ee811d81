use super::*;
use crate::base::random::{Seed, Stream};
use crate::engine::Place;
use crate::engine::{Rank, Schedule};

#[derive(Clone, Copy, PartialEq, Debug)]
struct Event {
    time: u64,
    origin: u64,
    count: u64,
}

struct ByName(Schedule);

impl Order<Event> for ByName {
    const CANCELS: bool = true;

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
    (!calendar.is_empty()).then(|| calendar.pop(order))
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
        assert!(calendar.is_empty() && calendar.bound(&order) == Time::MAX);
    }
}
