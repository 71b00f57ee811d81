//! How long messages took, flow by flow, by when they were due: what a warm-up is found by.
//!
//! A message's latency is known when its owner is told, or, where nobody tells, when it is first handled well. Messages that never come
//! to that have none.

use std::collections::BTreeMap;

use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::process::{Close, Flow, Kind, MessageId, Observation, Outcome, Wanted};
use crate::sim::Observer;

/// The latencies of messages that were due in one cell of time.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Cell {
    /// Their sum in nanoseconds.
    pub sum: u128,
    /// How many there are.
    pub count: u64,
}

impl Cell {
    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        self.sum += other.sum;
        self.count += other.count;
    }
}

/// The series of a run's flows.
#[derive(Default, Debug)]
pub struct Series {
    length: Span,
    end: Time,
    flows: Vec<Vec<Cell>>,
    open: BTreeMap<MessageId, Open>,
}

/// A message whose latency is not known yet.
#[derive(Debug)]
struct Open {
    flow: Flow,
    due: Time,
    /// Whether its owner will be told.
    is_told: bool,
}

impl Series {
    /// Series of so many flows, in so many cells of a load that lasts so long.
    pub fn new(flows: usize, cells: u64, load: Span) -> Self {
        let length = Span::from_nanos(load.as_nanos().div_ceil(cells.max(1)).max(1));
        let end = Time::ZERO + load;
        Self { length, end, flows: vec![Vec::new(); flows], open: BTreeMap::new() }
    }

    /// The length of a cell.
    pub fn length(&self) -> Span {
        self.length
    }

    /// How many messages have no latency yet.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// Ends the run: the cells of each flow, from the start of the run to the last that is not empty.
    pub fn close(&mut self) -> &[Vec<Cell>] {
        self.open.clear();
        &self.flows
    }

    fn known(&mut self, now: Time, message: MessageId) {
        let Some(Open { flow, due, .. }) = self.open.remove(&message) else { return };
        let cells = &mut self.flows[usize::from(flow.0)];
        let place = (due.as_nanos() / self.length.as_nanos()) as usize;
        if place >= cells.len() {
            cells.resize(place + 1, Cell::default());
        }
        cells[place].add(&Cell { sum: now.since(due).as_nanos().into(), count: 1 });
    }
}

impl Observer for Series {
    fn wanted(&self) -> Wanted {
        Wanted::NOTHING.and(Kind::Message)
    }

    fn observe(&mut self, now: Time, _: NodeId, observation: &Observation) {
        match *observation {
            Observation::Offered { message, flow, late, .. } => {
                let due = now.earlier_by(late);
                if due < self.end {
                    self.open.insert(message, Open { flow, due, is_told: true });
                }
            }
            Observation::Confirmed { message } => self.known(now, message),
            Observation::Closed { message, why: Close::Sent } => {
                if let Some(open) = self.open.get_mut(&message) {
                    open.is_told = false;
                }
            }
            Observation::Closed { message, .. } => {
                self.open.remove(&message);
            }
            Observation::Handled { message, outcome: Outcome::Done }
                if self.open.get(&message).is_some_and(|open| !open.is_told) =>
            {
                self.known(now, message);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::{ms, secs};

    /// Cells of 1 s. One message is due at 0.5 s and confirmed at 0.7 s; of another, due at 2 s, nobody tells, and it is handled twice, first
    /// at 2.4 s; a third is given up.
    #[test]
    fn latencies_lie_where_messages_were_due() {
        let at = |time| Time::ZERO + time;
        let node = NodeId::new(0);
        let message = |number| MessageId { owner: node, number };
        let offered =
            |number| Observation::Offered { message: message(number), flow: Flow(0), late: ms(0), at_once: true };
        let handled = Observation::Handled { message: message(1), outcome: Outcome::Done };
        let mut series = Series::new(1, 10, secs(10));
        for (now, observation) in [
            (ms(500), offered(0)),
            (ms(600), Observation::Handled { message: message(0), outcome: Outcome::Done }),
            (ms(700), Observation::Confirmed { message: message(0) }),
            (secs(2), offered(1)),
            (secs(2), Observation::Closed { message: message(1), why: Close::Sent }),
            (ms(2_400), handled),
            (ms(2_500), handled),
            (secs(3), offered(2)),
            (secs(4), Observation::Closed { message: message(2), why: Close::TimedOut }),
        ] {
            series.observe(at(now), node, &observation);
        }
        let cell = |sum: u128, count| Cell { sum, count };
        assert_eq!(series.close(), [vec![cell(200_000_000, 1), cell(0, 0), cell(400_000_000, 1)]]);
    }
}
