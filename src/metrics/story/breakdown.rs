//! Where a message's time went: its latency in parts that add up to it, to the nanosecond.
//!
//! The way is followed backwards from the moment at which the owner knew. The answer that told it names the attempt that won: when it
//! left, when it arrived, what happened at the receiver, when the answer left and when it came. Before that lie the attempts that
//! came to nothing and the waits between them. Where a receiver waited for messages that it had sent itself, the one whose end let it go
//! on is followed in the same way. So each instant belongs to exactly one part, and to the node group where it was spent.

use std::ops::Range;

use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::process::{Activity, Close, Leg, NO_PLACE};

use super::Story;
use super::entry::{Entry, What};
use super::part::Part;

/// The parts of a message's latency, each with where it was spent.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Breakdown {
    /// Each part at each place once, in the order in which they first occurred on the way back.
    pub shares: Vec<Share>,
}

/// Time that was spent in one way at one node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share {
    /// How.
    pub part: Part,
    /// Where; of a link, at its end that is not the sender of the message.
    pub node: NodeId,
    /// How much.
    pub time: Span,
}

impl Breakdown {
    /// Where the time of a story's own message went, if it has a latency.
    pub fn of(story: &Story) -> Option<Self> {
        let end = story.root().due + story.latency()?;
        let mut breakdown = Self::default();
        Walk { story, breakdown: &mut breakdown }.follow(0, (story.root().due, end));
        Some(breakdown)
    }

    /// The sum of its parts: the latency.
    pub fn total(&self) -> Span {
        self.shares.iter().map(|share| share.time).fold(Span::ZERO, |sum, time| sum + time)
    }

    fn add(&mut self, part: Part, node: NodeId, from: Time, to: Time) {
        let time = to.since(from);
        if time == Span::ZERO {
            return;
        }
        match self.shares.iter_mut().find(|share| (share.part, share.node) == (part, node)) {
            Some(share) => share.time += time,
            None => self.shares.push(Share { part, node, time }),
        }
    }
}

/// How deep messages that are sent for others are followed; far more than any scenario has.
const DEPTH: usize = 64;

struct Walk<'a> {
    story: &'a Story,
    breakdown: &'a mut Breakdown,
}

/// The attempt that won: when it left, when it arrived and where, when the answer left.
struct Won {
    left: Time,
    /// Where in the chapter it left.
    place: usize,
    node: NodeId,
    arrived: Time,
    answered: Time,
    attempt: u16,
}

impl Walk<'_> {
    /// Accounts for all time of a chapter from when it was due, but not before `from`, to `end`.
    fn follow(&mut self, chapter: u32, (from, end): (Time, Time)) {
        let entries: Vec<Entry> = self.story.of_chapter(chapter).copied().collect();
        let due = self.story.chapters[chapter as usize].due.max(from);
        let owner = self.story.chapters[chapter as usize].message.owner;
        let Some(offered) = entries.iter().position(|entry| matches!(entry.what, What::Offered { .. })) else {
            return self.breakdown.add(Part::Other, owner, due, end);
        };
        let offered_at = entries[offered].time.min(end);
        self.breakdown.add(Part::Late, owner, due, offered_at);
        match won(&entries, end) {
            Some(won) => {
                self.before(&entries[..=won.place], owner, won.left);
                self.breakdown.add(Part::Link, won.node, won.left, won.arrived);
                self.at(chapter, &entries, won.node, (won.arrived, won.answered), Some(won.attempt as u8));
                self.breakdown.add(Part::Link, won.node, won.answered, end);
            }
            None if entries.iter().any(|entry| matches!(entry.what, What::Sent { .. })) => {
                self.without_answer(&entries, owner, (offered_at, end));
            }
            // It went to a topic, with others.
            None if entries.iter().any(|entry| entry.what == What::Attempted) => {
                self.elsewhere(&entries, (Part::Producer, owner), (offered_at, end));
            }
            // It is several messages, which were sent for it.
            None => self.at(chapter, &entries, owner, (offered_at, end), None),
        }
    }

    /// What lies between the offer and the departure of the attempt that won, which is the last of these entries.
    fn before(&mut self, entries: &[Entry], owner: NodeId, left: Time) {
        // What it is since when; an attempt that is under way has its receiver.
        let (mut part, mut since, mut under_way): (Part, Option<Time>, Option<NodeId>) =
            (Part::ClientQueue, None, None);
        // An attempt that failed, whose name depends on where the next one goes.
        let mut failed: Option<(Time, Time, NodeId)> = None;
        let by_owner = |entry: &&Entry| entry.node == owner;
        for entry in entries.iter().filter(by_owner) {
            match entry.what {
                What::Offered { .. } => since = Some(entry.time),
                What::AttemptFailed => {
                    if let (Some(from), Some(receiver)) = (since, under_way.take()) {
                        failed = Some((from, entry.time, receiver));
                        (part, since) = (Part::BackOff, Some(entry.time));
                    }
                }
                What::Sent { leg: Leg::Out, to, .. } => {
                    if let Some((from, until, receiver)) = failed.take() {
                        let part = if receiver == to { Part::FailedAttempt } else { Part::Failover };
                        self.breakdown.add(part, receiver, from, until);
                    }
                    let part = if under_way.is_some() { Part::HedgeDelay } else { part };
                    if let Some(from) = since {
                        self.breakdown.add(part, owner, from, entry.time);
                    }
                    (since, under_way) = (Some(entry.time), Some(to));
                }
                _ => {}
            }
        }
        if let Some(from) = since {
            self.breakdown.add(part, owner, from, left);
        }
    }

    /// What happened at a node between these times, to the copy that this attempt brought.
    fn at(&mut self, chapter: u32, entries: &[Entry], node: NodeId, (from, to): (Time, Time), attempt: Option<u8>) {
        let is_here =
            |entry: &Entry| (entry.chapter, entry.node) == (chapter, node) && from <= entry.time && entry.time <= to;
        let here = self.story.entries.iter().enumerate().filter(|(_, entry)| is_here(entry));
        // Where in the story each turn is, when it is, and what it is.
        let turns: Vec<(usize, Time, Activity)> = here
            .filter_map(|(place, entry)| match entry.what {
                What::Turned { attempt: of, activity } if attempt.is_none_or(|attempt| of == attempt) => {
                    Some((place, entry.time, activity))
                }
                _ => None,
            })
            .collect();
        let Some(&(_, first, _)) = turns.first() else {
            return self.elsewhere(entries, (Part::Broker, node), (from, to));
        };
        self.breakdown.add(Part::Held, node, from, first);
        let mut index = 0;
        while let Some(&(place, begin, activity)) = turns.get(index) {
            index += 1;
            // The network may have brought this attempt twice: what is done for the other copy ends no wait.
            let waits = |next: &(usize, Time, _)| self.still_waits(chapter, node, next.1, place..next.0);
            while activity == Activity::Awaiting && turns.get(index).is_some_and(waits) {
                index += 1;
            }
            let (next, end) = turns.get(index).map_or((self.story.entries.len(), to), |next| (next.0, next.1));
            match activity {
                Activity::Awaiting => self.waited(chapter, node, (begin, end), place..next),
                _ => self.breakdown.add(activity.into(), node, begin, end),
            }
        }
    }

    /// A node waited for messages that it had sent on behalf of a chapter, as these entries say: the one whose end let it go on is what
    /// it waited for.
    fn waited(&mut self, chapter: u32, node: NodeId, (from, to): (Time, Time), entries: Range<usize>) {
        let children = self.children(chapter, node, to, entries);
        let ends = children.filter_map(|child| Some((self.ended(child, to)?, child)));
        // Of several that end at one time, the last that was sent.
        let Some((end, child)) = ends.max() else { return self.breakdown.add(Part::Other, node, from, to) };
        if self.depth(child) > DEPTH {
            return self.breakdown.add(Part::Other, node, from, to);
        }
        // What is offered late may have been due before.
        let due = self.story.chapters[child as usize].due.max(from);
        self.breakdown.add(Part::Other, node, from, due);
        if self.story.known(child) == Some(end) {
            self.follow(child, (due, end));
        } else {
            self.failed(child, (due, end));
        }
        self.breakdown.add(Part::Other, node, end, to);
    }

    /// Whether a node that waits for messages of a chapter, as these entries say, has not seen any of them end by `to`.
    fn still_waits(&self, chapter: u32, node: NodeId, to: Time, entries: Range<usize>) -> bool {
        let mut children = self.children(chapter, node, to, entries).peekable();
        children.peek().is_some() && children.all(|child| self.ended(child, to).is_none())
    }

    /// What a node offers on behalf of a chapter, as these entries say; what it offers at `to`, when its wait is over, comes after that.
    fn children(&self, chapter: u32, node: NodeId, to: Time, entries: Range<usize>) -> impl Iterator<Item = u32> {
        let offered = self.story.entries[entries].iter().filter(move |entry| {
            let child = &self.story.chapters[entry.chapter as usize];
            let is_child = child.parent == Some(chapter) && child.message.owner == node;
            matches!(entry.what, What::Offered { .. }) && is_child && entry.time < to
        });
        offered.map(|entry| entry.chapter)
    }

    /// All time of a chapter that did not end well, from `since` to `end`: attempts that came to nothing, and the waits between them.
    fn failed(&mut self, chapter: u32, (since, end): (Time, Time)) {
        let owner = self.story.chapters[chapter as usize].message.owner;
        let (mut part, mut node, mut since) = (Part::ClientQueue, owner, since);
        let steps: Vec<_> = self.story.of_chapter(chapter).filter(|entry| entry.node == owner).copied().collect();
        for entry in steps.into_iter().take_while(|entry| entry.time <= end) {
            let next = match entry.what {
                What::Offered { .. } => (Part::ClientQueue, owner),
                What::Sent { leg: Leg::Out, to, .. } => (Part::FailedAttempt, to),
                What::AttemptFailed => (Part::BackOff, owner),
                _ => continue,
            };
            self.breakdown.add(part, node, since, entry.time.max(since));
            since = entry.time.max(since);
            (part, node) = next;
        }
        self.breakdown.add(part, node, since, end);
    }

    /// A message whose confirmation is no copy that was followed, or that nobody confirms: what is stated of it in between, wherever.
    fn without_answer(&mut self, entries: &[Entry], owner: NodeId, (from, to): (Time, Time)) {
        let place = entries.iter().position(|entry| matches!(entry.what, What::Sent { leg: Leg::Out, .. }));
        let Some(place) = place.filter(|&place| entries[place].time <= to) else {
            return self.breakdown.add(Part::ClientQueue, owner, from, to);
        };
        let left = entries[place].time;
        self.before(&entries[..=place], owner, left);
        self.elsewhere(&entries[place..], (Part::Broker, owner), (left, to));
    }

    /// Time of a chapter of which no single copy tells: what is stated in between, by whichever node.
    fn elsewhere(&mut self, entries: &[Entry], (part, node): (Part, NodeId), (from, to): (Time, Time)) {
        let (mut part, mut node, mut since) = (part, node, from);
        for entry in entries.iter().filter(|entry| from <= entry.time && entry.time <= to) {
            let next = match entry.what {
                What::Sent { to, .. } => (Part::Link, to),
                What::Stored { place: NO_PLACE } => (Part::ClientQueue, entry.node),
                What::Delivered { .. } | What::Handled { .. } | What::Stored { .. } | What::NotDelivered { .. } => {
                    (Part::Broker, entry.node)
                }
                What::Turned { activity, .. } => (activity.into(), entry.node),
                _ => continue,
            };
            self.breakdown.add(part, node, since, entry.time);
            since = entry.time;
            (part, node) = next;
        }
        self.breakdown.add(part, node, since, to);
    }

    /// When a chapter was over for its owner, if that was not after `by`.
    fn ended(&self, chapter: u32, by: Time) -> Option<Time> {
        let is_end = |what: &What| {
            matches!(what, What::Confirmed)
                || matches!(what, What::Closed { why } if !matches!(why, Close::Spared | Close::Abandoned))
        };
        let ends = self.story.of_chapter(chapter).filter(|entry| is_end(&entry.what) && entry.time <= by);
        ends.map(|entry| entry.time).next()
    }

    fn depth(&self, mut chapter: u32) -> usize {
        let mut depth = 0;
        while let Some(parent) = self.story.chapters[chapter as usize].parent {
            (chapter, depth) = (parent, depth + 1);
        }
        depth
    }
}

/// The attempt whose answer came at `end`.
fn won(entries: &[Entry], end: Time) -> Option<Won> {
    let known = entries.iter().position(|entry| entry.what == What::Confirmed && entry.time == end)?;
    let back = |upto: usize, is: &dyn Fn(&Entry) -> bool| entries[..upto].iter().rposition(is);
    let came = back(known, &|entry| {
        entry.time == end && matches!(entry.what, What::Delivered { leg, .. } if leg.is_answer())
    })?;
    let What::Delivered { leg, attempt, from: node } = entries[came].what else { return None };
    let owner = entries[came].node;
    let answered = back(came, &|entry| {
        entry.node == node
            && matches!(entry.what, What::Sent { leg: of, attempt: number, to, .. }
                if (of, number, to) == (leg, attempt, owner))
    })?;
    let place = back(answered, &|entry| {
        entry.node == owner
            && matches!(entry.what, What::Sent { leg: Leg::Out, attempt: number, to, .. }
                if (number, to) == (attempt, node))
    })?;
    let arrived = place
        + entries[place..answered].iter().position(|entry| {
            entry.node == node
                && matches!(entry.what, What::Delivered { leg: Leg::Out, attempt: number, from }
                    if (number, from) == (attempt, owner))
        })?;
    Some(Won {
        left: entries[place].time,
        place,
        node,
        arrived: entries[arrived].time,
        answered: entries[answered].time,
        attempt,
    })
}
