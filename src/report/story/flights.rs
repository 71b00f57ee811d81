//! Copies and answers on their way, put together from where they left and where they came.

use std::collections::BTreeMap;

use crate::base::cause::Cause;
use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::metrics::story::{Story, What};
use crate::process::{Leg, Outcome};

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
    // Of those that are known by the same, all, and how many of them have landed.
    let mut known: BTreeMap<_, (Vec<usize>, usize)> = BTreeMap::new();
    let mut outcomes: BTreeMap<(u32, NodeId), Outcome> = BTreeMap::new();
    for entry in &story.entries {
        let chapter = entry.chapter;
        match entry.what {
            What::Sent { leg, attempt, to, .. } => {
                let refused = outcomes.get(&(chapter, entry.node)).copied().filter(|end| *end != Outcome::Done);
                let (from, left, landing) = (entry.node, entry.time, Landing::UnderWay);
                let refusal = refused.filter(|_| leg.is_answer());
                known.entry((chapter, leg, attempt, from, to)).or_default().0.push(flights.len());
                flights.push(Flight { chapter, leg, attempt, from, to, left, landing, refusal });
            }
            What::Delivered { leg, attempt, from } => {
                let key = (chapter, leg, attempt, from, entry.node);
                land(&mut flights, known.get_mut(&key), Landing::Arrived(entry.time));
            }
            What::NotDelivered { leg, attempt, to, cause } => {
                let key = (chapter, leg, attempt, entry.node, to);
                land(&mut flights, known.get_mut(&key), Landing::Dropped(entry.time, cause));
            }
            What::Handled { outcome } | What::Declined { outcome } => {
                outcomes.insert((chapter, entry.node), outcome);
            }
            _ => {}
        }
    }
    flights
}

/// The first of some flights that has not landed does so; if all have, it is a second copy of the last.
fn land(flights: &mut Vec<Flight>, known: Option<&mut (Vec<usize>, usize)>, landing: Landing) {
    let Some((places, landed)) = known else { return };
    match (places.get(*landed), places.last()) {
        (Some(&place), _) => {
            flights[place].landing = landing;
            *landed += 1;
        }
        (None, Some(&last)) => flights.push(Flight { landing, ..flights[last] }),
        (None, None) => {}
    }
}
