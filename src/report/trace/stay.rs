//! Stays: from when until when a message was in somebody's hands, and what happened to it meanwhile.
//!
//! A story is a list of instants; tools that draw bars want intervals. A *stay* is one: of a message with its owner, until that one
//! knows how it ended; of a copy with its receiver, until that one is done with it; at a place that keeps it for others. Its phases
//! follow each other without overlapping. Nothing is made up: each begins and ends with something that was stated.

use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::metrics::story::{Cast, Entry, Story, What};
use crate::process::{Activity, Close, Leg, Transit};

use super::fact::end;

/// A message in somebody's hands.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Stay {
    /// Which of a story's messages.
    pub chapter: u32,
    /// In whose hands.
    pub node: NodeId,
    /// As what.
    pub role: Role,
    /// The attempt that brought it, modulo 256.
    pub attempt: Option<u8>,
    pub begin: Time,
    pub end: Time,
    /// How it ended; nothing if nobody stated an end.
    pub how: Option<String>,
    pub phases: Vec<Phase>,
}

/// What a node has to do with a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    /// It offered it.
    Owner,
    /// A copy was sent to it.
    Receiver,
    /// It keeps it for others, at this place.
    Keeper(u16),
    /// Something came for it, or left, when it had nothing to do with it otherwise: a late answer.
    Passer(Leg),
}

/// A part of a stay.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Phase {
    pub name: String,
    pub begin: Time,
    pub end: Time,
}

/// How often one of a story's messages was sent by its owner.
pub(super) fn attempts(story: &Story, chapter: u32) -> u64 {
    let owner = story.chapters[chapter as usize].message.owner;
    let is_attempt = |entry: &&Entry| entry.node == owner && matches!(entry.what, What::Sent { leg: Leg::Out, .. });
    story.of_chapter(chapter).filter(is_attempt).count() as u64
}

impl Stay {
    /// All stays of a story, in the order in which they begin.
    pub fn all(story: &Story) -> Vec<Self> {
        let mut stays = Vec::new();
        for chapter in 0..story.chapters.len() as u32 {
            stays.extend(of_chapter(story, chapter));
        }
        stays.sort_by_key(|stay| stay.begin);
        stays
    }

    /// What it is called: the stream of messages, or what is done with one.
    pub fn name(&self, story: &Story, cast: &Cast) -> String {
        let flow = cast.flow(story.chapters[self.chapter as usize].flow);
        match self.role {
            Role::Owner => flow.into(),
            Role::Receiver => format!("handle {flow}"),
            Role::Keeper(place) => format!("{flow} in {}", cast.place(place)),
            Role::Passer(leg) => leg.name().into(),
        }
    }

    fn has(&self, chapter: u32, node: NodeId, time: Time) -> bool {
        (self.chapter, self.node) == (chapter, node) && self.begin <= time && time <= self.end
    }
}

/// The stay of a message at a node that something at this time belongs to: of several, that with an attempt of this number, or else the
/// one that began last.
pub(super) fn find(
    stays: &[Stay],
    (chapter, node, time): (u32, NodeId, Time),
    role: impl Fn(Role) -> bool,
    attempt: Option<u8>,
) -> Option<usize> {
    let fits = |stay: &Stay| stay.has(chapter, node, time) && role(stay.role);
    let exact = stays.iter().rposition(|stay| fits(stay) && stay.attempt.is_some() && stay.attempt == attempt);
    exact.or_else(|| stays.iter().rposition(fits))
}

/// The stay that a copy leaves from, or comes to.
pub(super) fn of_copy(stays: &[Stay], at: (u32, NodeId, Time), transit: Transit, is_departure: bool) -> Option<usize> {
    let (is_owner, is_answer) = (at.1 == transit.message.owner, transit.leg.is_answer());
    let role: fn(Role) -> bool = match (is_departure, is_answer) {
        (true, false) | (false, true) if is_owner => by_owner,
        // Whoever passes a message on that is not his keeps it.
        (true, false) => by_keeper,
        _ => by_others,
    };
    let attempt = Some(transit.attempt as u8);
    find(stays, at, role, attempt).or_else(|| find(stays, at, |_| true, attempt))
}

/// The stay that an entry is about, as far as one is.
pub(super) fn of_entry(stays: &[Stay], story: &Story, entry: &Entry) -> Option<usize> {
    let at = (entry.chapter, entry.node, entry.time);
    let message = story.chapters[entry.chapter as usize].message;
    let (role, attempt): (fn(Role) -> bool, _) = match entry.what {
        What::Sent { leg, attempt, .. } | What::NotDelivered { leg, attempt, .. } => {
            return of_copy(stays, at, Transit { message, attempt, leg }, true);
        }
        What::Delivered { leg, attempt, .. } => {
            return of_copy(stays, at, Transit { message, attempt, leg }, false);
        }
        What::Turned { attempt, .. } => (by_others, Some(attempt)),
        What::Stored { .. } | What::Kept { .. } | What::Released { .. } | What::PassedOver { .. } => (by_keeper, None),
        What::Received { .. } | What::Handled { .. } | What::Declined { .. } | What::LetGo { .. } => (by_others, None),
        _ => (by_owner, None),
    };
    find(stays, at, role, attempt).or_else(|| find(stays, at, |_| true, attempt))
}

fn by_owner(role: Role) -> bool {
    role == Role::Owner
}

fn by_others(role: Role) -> bool {
    matches!(role, Role::Receiver | Role::Keeper(_) | Role::Passer(_))
}

fn by_keeper(role: Role) -> bool {
    matches!(role, Role::Keeper(_))
}

fn of_chapter(story: &Story, chapter: u32) -> Vec<Stay> {
    let entries: Vec<&Entry> = story.of_chapter(chapter).collect();
    let mut desk = Desk { story, chapter, stays: Vec::new(), open: Vec::new(), owner: None };
    for (index, entry) in entries.iter().enumerate() {
        desk.take(entry, &entries[index + 1..]);
    }
    desk.close(&entries);
    desk.stays
}

/// Where the stays of a message are put together.
struct Desk<'a> {
    story: &'a Story,
    chapter: u32,
    stays: Vec<Stay>,
    /// Stays without an end, by their place, in the order in which they began.
    open: Vec<usize>,
    /// The owner's, once it is offered.
    owner: Option<usize>,
}

impl Desk<'_> {
    fn take(&mut self, entry: &Entry, later: &[&Entry]) {
        let (now, node) = (entry.time, entry.node);
        let message = self.story.chapters[self.chapter as usize];
        let is_owner = node == message.message.owner;
        match entry.what {
            What::Offered { .. } => {
                let begin = message.due.min(now);
                let place = self.open(node, Role::Owner, None, begin);
                self.owner = Some(place);
                self.turn(place, "late", begin);
                self.turn(place, "client-queue", now);
            }
            What::Sent { leg: Leg::Out, attempt, .. } if is_owner => {
                if let Some(place) = self.owner.filter(|place| self.open.contains(place)) {
                    self.turn(place, &format!("attempt {attempt}"), now);
                }
            }
            What::AttemptFailed if is_owner => {
                if let Some(place) = self.owner.filter(|place| self.open.contains(place)) {
                    self.turn(place, "back-off", now);
                }
            }
            What::Sent { leg, attempt, .. } if leg.is_answer() => {
                if let Some(place) = self.last(node, Some(attempt as u8)) {
                    self.stays[place].end = self.stays[place].end.max(now);
                }
            }
            What::Delivered { leg: Leg::Out, attempt, .. } => {
                self.open(node, Role::Receiver, Some(attempt as u8), now);
            }
            What::Received { duplicate: true } => {
                let begun = |stay: &Stay| stay.begin == now;
                if let Some(place) = self.receiver(node).filter(|&place| begun(&self.stays[place])) {
                    self.end(place, now, "duplicate");
                }
            }
            What::Turned { attempt, activity } => self.turned(node, attempt, activity, now),
            What::Handled { outcome } | What::Declined { outcome } => {
                let answered = later.iter().take_while(|entry| entry.time == now).find_map(|entry| match entry.what {
                    What::Sent { leg, attempt, .. } if entry.node == node && leg.is_answer() => Some(attempt as u8),
                    _ => None,
                });
                let place = match (answered, entry.what) {
                    (Some(attempt), _) => self.open_one(node, |stay| stay.attempt == Some(attempt)),
                    (None, What::Declined { .. }) => self.open_one(node, |stay| stay.begin == now),
                    _ => self.open_one(node, |stay| stay.phases.last().is_some_and(|phase| phase.name != "queue")),
                };
                if let Some(place) = place.or_else(|| self.open_one(node, |_| true)) {
                    self.end(place, now, outcome.name());
                }
            }
            What::Stored { place: at } => {
                let arrived = self.receiver(node).filter(|&place| self.stays[place].phases.is_empty());
                if let Some(place) = arrived {
                    self.end(place, now, "stored");
                }
                self.open(node, Role::Keeper(at), None, now);
            }
            What::Released { place: at, .. } => {
                let kept = self
                    .open
                    .iter()
                    .find(|&&place| (self.stays[place].node, self.stays[place].role) == (node, Role::Keeper(at)));
                if let Some(&place) = kept {
                    self.end(place, now, "released");
                }
            }
            What::Down => {
                let there: Vec<usize> =
                    self.open.iter().copied().filter(|&place| self.stays[place].node == node).collect();
                there.into_iter().for_each(|place| self.end(place, now, "crash"));
            }
            What::Confirmed | What::Closed { .. } => {
                if let Some(place) = self.owner.filter(|place| self.open.contains(place)) {
                    let how = end(self.story, self.chapter);
                    self.end(place, now, &how);
                    // What was sent and asks for no confirmation is not under way for its owner.
                    if matches!(entry.what, What::Closed { why: Close::Sent }) {
                        self.stays[place].phases.retain(|phase| phase.begin < phase.end);
                    }
                }
            }
            _ => {}
        }
    }

    /// A receiver turns to something else with what this attempt brought.
    fn turned(&mut self, node: NodeId, attempt: u8, activity: Activity, now: Time) {
        let place =
            self.last(node, Some(attempt)).or_else(|| self.owner.filter(|&place| self.stays[place].node == node));
        let Some(place) = place else { return };
        if !self.open.contains(&place) {
            self.open.push(place);
        }
        if self.stays[place].role == Role::Receiver && self.stays[place].phases.is_empty() {
            let begin = self.stays[place].begin;
            self.turn(place, "held-for-order", begin);
        }
        self.turn(place, activity.name(), now);
    }

    fn open(&mut self, node: NodeId, role: Role, attempt: Option<u8>, begin: Time) -> usize {
        let stay =
            Stay { chapter: self.chapter, node, role, attempt, begin, end: begin, how: None, phases: Vec::new() };
        self.stays.push(stay);
        self.open.push(self.stays.len() - 1);
        self.stays.len() - 1
    }

    fn turn(&mut self, place: usize, name: &str, now: Time) {
        let stay = &mut self.stays[place];
        if let Some(last) = stay.phases.last_mut() {
            last.end = now;
        }
        stay.end = stay.end.max(now);
        stay.phases.push(Phase { name: name.into(), begin: now, end: now });
    }

    fn end(&mut self, place: usize, now: Time, how: &str) {
        self.open.retain(|&open| open != place);
        let stay = &mut self.stays[place];
        stay.end = stay.end.max(now);
        stay.how = Some(how.into());
        if let Some(last) = stay.phases.last_mut() {
            last.end = now;
        }
    }

    /// The last stay of a receiver that an attempt brought.
    fn last(&self, node: NodeId, attempt: Option<u8>) -> Option<usize> {
        self.stays.iter().rposition(|stay| (stay.node, stay.role, stay.attempt) == (node, Role::Receiver, attempt))
    }

    /// The open stay at a receiver that began last.
    fn receiver(&self, node: NodeId) -> Option<usize> {
        let is_it = |place: &&usize| (self.stays[**place].node, self.stays[**place].role) == (node, Role::Receiver);
        self.open.iter().rev().find(is_it).copied()
    }

    /// The open stay at a receiver that began first, of those that fit.
    fn open_one(&self, node: NodeId, fits: impl Fn(&Stay) -> bool) -> Option<usize> {
        let is_it = |place: &&usize| {
            let stay = &self.stays[**place];
            (stay.node, stay.role) == (node, Role::Receiver) && fits(stay)
        };
        self.open.iter().find(is_it).copied()
    }

    /// What nobody stated an end of lasts as long as anything was stated of it: to the end of the story, or to what its node stated last.
    fn close(&mut self, entries: &[&Entry]) {
        for place in std::mem::take(&mut self.open) {
            let stay = &mut self.stays[place];
            let last = entries.iter().rfind(|entry| entry.node == stay.node).map_or(stay.begin, |entry| entry.time);
            let is_busy = stay.role != Role::Receiver || !stay.phases.is_empty();
            let end = if is_busy { self.story.end().max(stay.end) } else { last.max(stay.end) };
            stay.end = end;
            if let Some(phase) = stay.phases.last_mut() {
                phase.end = end;
            }
        }
        let was_sent = attempts(self.story, self.chapter) > 0;
        for stay in &mut self.stays {
            // What its owner never sent was no copy that waited to be sent.
            stay.phases.retain(|phase| phase.begin < phase.end && (was_sent || phase.name != "client-queue"));
        }
    }
}
