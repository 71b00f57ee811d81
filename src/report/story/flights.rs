//! Copies and answers on their way, put together from where they left and where they came.

use std::collections::BTreeMap;

use crate::base::cause::Cause;
use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::metrics::story::{Story, What};
use crate::metrics::tap::Flights;
use crate::process::{Leg, Outcome, Transit};

/// A copy, or an answer, on its way between two nodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::report) struct Flight {
    pub chapter: u32,
    pub leg: Leg,
    pub attempt: u16,
    pub from: NodeId,
    pub to: NodeId,
    pub left: Time,
    pub landing: Landing,
    /// Of an answer: how that ended which it answers, where that was not well.
    pub refusal: Option<Outcome>,
}

/// How a flight ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::report) enum Landing {
    /// It arrived.
    Arrived(Time),
    /// It did not.
    Dropped(Time, Cause),
    /// It was on its way when the story ended.
    UnderWay,
}

/// Every flight of a story, in the order in which they left; a second copy that the network made is one too.
pub(in crate::report) fn flights(story: &Story) -> Vec<Flight> {
    let mut flights: Vec<Flight> = Vec::new();
    let mut under_way = Flights::default();
    let mut outcomes: BTreeMap<(u32, NodeId), Outcome> = BTreeMap::new();
    for entry in &story.entries {
        let (now, node, chapter) = (entry.time, entry.node, entry.chapter);
        let message = story.chapters[chapter as usize].message;
        let called = |from, to, leg, attempt| (from, to, Transit { message, attempt, leg });
        match entry.what {
            What::Sent { leg, attempt, to, .. } => {
                let refused = outcomes.get(&(chapter, node)).copied().filter(|end| *end != Outcome::Done);
                let (from, left, landing) = (node, now, Landing::UnderWay);
                let refusal = refused.filter(|_| leg.is_answer());
                under_way.leaves(now, called(from, to, leg, attempt), flights.len());
                flights.push(Flight { chapter, leg, attempt, from, to, left, landing, refusal });
            }
            What::Delivered { leg, attempt, from } => {
                let place = under_way.arrives(called(from, node, leg, attempt));
                land(&mut flights, place, Landing::Arrived(now));
            }
            What::NotDelivered { leg, attempt, to, cause } => {
                let place = under_way.is_dropped(now, called(node, to, leg, attempt));
                land(&mut flights, place, Landing::Dropped(now, cause));
            }
            What::Handled { outcome } | What::Declined { outcome } => {
                outcomes.insert((chapter, node), outcome);
            }
            _ => {}
        }
    }
    flights
}

/// A flight lands; if it had landed before, it is a second copy.
fn land(flights: &mut Vec<Flight>, place: Option<usize>, landing: Landing) {
    let Some(flight) = place.map(|place| &mut flights[place]) else { return };
    if flight.landing == Landing::UnderWay {
        flight.landing = landing;
    } else {
        let second = Flight { landing, ..*flight };
        flights.push(second);
    }
}
