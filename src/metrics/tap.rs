//! Copies on the wire: when each left, and what became of it.
//!
//! Nothing on its way has a number of its own, so a copy that arrives is the one that left first of those that are called the same
//! (between the same nodes, of the same message, attempt and direction). What the network made a second copy of arrives twice.

use std::collections::{BTreeMap, VecDeque};

use crate::base::cause::Cause;
use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::process::{Kind, Observation, Transit, Wanted};
use crate::sim::Observer;

use super::story::{Story, What};

/// A copy of a message, or of an answer, on its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Packet {
    /// When it left.
    pub sent: Time,
    /// Whence.
    pub from: NodeId,
    /// Whither.
    pub to: NodeId,
    /// What it is.
    pub transit: Transit,
    /// Its size in bytes.
    pub size: u64,
    /// What became of it: nothing if it is still on its way, and more than one end if the network made more of it.
    pub ends: Vec<End>,
}

/// What became of a copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct End {
    /// When.
    pub time: Time,
    /// Why it did not arrive; none if it did.
    pub cause: Option<Cause>,
}

/// What copies are called while they are on their way.
type Called = (NodeId, NodeId, Transit);

/// Things that go with copies on their way.
#[derive(Debug)]
pub struct Flights<T> {
    flights: BTreeMap<Called, Flight<T>>,
}

#[derive(Debug)]
struct Flight<T> {
    under_way: VecDeque<(Time, T)>,
    /// What went with the one that came to its end last.
    last: Option<T>,
}

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self { flights: BTreeMap::new() }
    }
}

impl<T: Clone> Flights<T> {
    /// A copy leaves, and this goes with it.
    pub fn leaves(&mut self, now: Time, called: (NodeId, NodeId, Transit), with: T) {
        let new = || Flight { under_way: VecDeque::new(), last: None };
        self.flights.entry(called).or_insert_with(new).under_way.push_back((now, with));
    }

    /// What went with the copy that arrives.
    pub fn arrives(&mut self, called: (NodeId, NodeId, Transit)) -> Option<T> {
        self.ends(called, |_| 0)
    }

    /// What went with the copy that does not arrive: the one that is just leaving, or else the one that left first.
    pub fn is_dropped(&mut self, now: Time, called: (NodeId, NodeId, Transit)) -> Option<T> {
        self.ends(called, |under_way| under_way.iter().rposition(|(sent, _)| *sent == now).unwrap_or(0))
    }

    fn ends(&mut self, called: Called, which: impl Fn(&VecDeque<(Time, T)>) -> usize) -> Option<T> {
        let flight = self.flights.get_mut(&called)?;
        let place = which(&flight.under_way);
        if let Some((_, with)) = flight.under_way.remove(place) {
            flight.last = Some(with);
        }
        flight.last.clone()
    }
}

/// Takes down the copies that leave in a window of time, up to so many.
#[derive(Debug)]
pub struct Tap {
    window: (Time, Time),
    most: usize,
    packets: Vec<Packet>,
    flights: Flights<usize>,
    left_out: u64,
}

impl Tap {
    /// A tap for the first `most` copies that leave from the beginning of `window` until before its end.
    pub fn new(window: (Time, Time), most: usize) -> Self {
        Self { window, most, packets: Vec::new(), flights: Flights::default(), left_out: 0 }
    }

    /// The copies, in the order in which they left.
    pub fn packets(&mut self) -> Vec<Packet> {
        std::mem::take(&mut self.packets)
    }

    /// How many more left in the window.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    fn leaves(&mut self, packet: Packet) {
        if packet.sent < self.window.0 || self.window.1 <= packet.sent {
            return;
        }
        if self.packets.len() == self.most {
            self.left_out += 1;
            return;
        }
        self.flights.leaves(packet.sent, (packet.from, packet.to, packet.transit), self.packets.len());
        self.packets.push(packet);
    }

    fn ends(&mut self, called: Called, end: End) {
        let ended = match end.cause {
            None => self.flights.arrives(called),
            Some(_) => self.flights.is_dropped(end.time, called),
        };
        if let Some(place) = ended {
            let ends = &mut self.packets[place].ends;
            // Hardly any has more than one, and there can be many packets.
            ends.reserve_exact(1);
            ends.push(end);
        }
    }
}

impl Observer for Tap {
    fn wanted(&self) -> Wanted {
        Wanted::NOTHING.and(Kind::Wire)
    }

    fn observe(&mut self, now: Time, node: NodeId, observation: &Observation) {
        match *observation {
            Observation::Sent { transit, to, size } => {
                self.leaves(Packet { sent: now, from: node, to, transit, size, ends: Vec::new() });
            }
            Observation::Delivered { transit, from } => {
                self.ends((from, node, transit), End { time: now, cause: None });
            }
            Observation::NotDelivered { transit, from, to, cause } => {
                self.ends((from, to, transit), End { time: now, cause: Some(cause) });
            }
            _ => {}
        }
    }
}

/// The copies that a story tells of, in the order in which they left.
pub fn packets_of(story: &Story) -> Vec<Packet> {
    let mut tap = Tap::new((Time::ZERO, Time::MAX), usize::MAX);
    for entry in &story.entries {
        let message = story.chapters[entry.chapter as usize].message;
        let (now, node) = (entry.time, entry.node);
        match entry.what {
            What::Sent { leg, attempt, to, size } => {
                let transit = Transit { message, attempt, leg };
                tap.leaves(Packet { sent: now, from: node, to, transit, size: size.into(), ends: Vec::new() });
            }
            What::Delivered { leg, attempt, from } => {
                tap.ends((from, node, Transit { message, attempt, leg }), End { time: now, cause: None });
            }
            What::NotDelivered { leg, attempt, to, cause } => {
                tap.ends((node, to, Transit { message, attempt, leg }), End { time: now, cause: Some(cause) });
            }
            _ => {}
        }
    }
    tap.packets()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::ms;
    use crate::process::{Leg, MessageId};

    const A: NodeId = NodeId::new(0);
    const B: NodeId = NodeId::new(1);

    fn at(millis: u64) -> Time {
        Time::ZERO + ms(millis)
    }

    fn transit(number: u32) -> Transit {
        Transit { message: MessageId { owner: A, number }, attempt: 1, leg: Leg::Out }
    }

    fn sent(number: u32) -> Observation {
        Observation::Sent { transit: transit(number), to: B, size: 100 }
    }

    fn delivered(number: u32) -> Observation {
        Observation::Delivered { transit: transit(number), from: A }
    }

    #[test]
    fn each_copy_is_told_what_became_of_it() {
        let mut tap = Tap::new((at(1), at(10)), 4);
        let lost = Observation::NotDelivered { transit: transit(2), from: A, to: B, cause: Cause::Loss };
        let stated = [
            (0, A, sent(0)),
            (1, A, sent(1)),
            (2, A, sent(2)),
            (3, A, sent(2)),
            // The second one is lost where it leaves, not the first, which is on its way.
            (3, A, lost),
            (4, B, delivered(1)),
            (5, B, delivered(2)),
            // The network made two of it.
            (6, B, delivered(1)),
            (7, A, sent(3)),
            (8, A, sent(4)),
            (11, A, sent(5)),
            (12, B, delivered(4)),
        ];
        for (time, node, stated) in stated {
            tap.observe(at(time), node, &stated);
        }
        let arrived = |time| End { time: at(time), cause: None };
        let ends: Vec<_> =
            tap.packets().into_iter().map(|packet| (packet.transit.message.number, packet.ends)).collect();
        let lost = End { time: at(3), cause: Some(Cause::Loss) };
        assert_eq!(ends, [(1, vec![arrived(4), arrived(6)]), (2, vec![arrived(5)]), (2, vec![lost]), (3, vec![])]);
        assert_eq!(tap.left_out(), 1);
    }
}
