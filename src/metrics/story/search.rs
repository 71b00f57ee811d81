//! Who looks for messages whose stories are worth telling: a first play of a run, in which nothing but their ends is kept.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use crate::base::id::NodeId;
use crate::base::names::Names;
use crate::base::time::{Span, Time};
use crate::metrics::histogram::rank;
use crate::process::{Close, Flow, Kind, MessageId, Observation, Outcome, Wanted};
use crate::sim::Observer;

use super::draws::{Draws, Rule};

/// Which messages are looked for, among those that are due in the measured time and that nobody offered on behalf of another; of
/// the calls that services make, among all of a flow.
#[derive(Clone, PartialEq, Debug)]
pub enum Quest {
    /// The one that was offered as this one, counted from 0.
    Number(u64),
    /// So many with the longest latencies, the longest first.
    Slowest(usize),
    /// So many that did not end well, the first first.
    Lost(usize),
    /// The one whose latency is this percentile (a share) of all.
    Percentile(f64),
    /// A sample of no more than so many, by their names: every second of all, or every fourth and so on.
    Sample(usize),
}

/// A message that was found, and what is known of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Found {
    /// Its latency, if it has one.
    pub latency: Option<Span>,
    /// When it was due.
    pub due: Time,
    /// Its place among the messages that are looked at, counted from 0.
    pub number: u64,
    /// The message.
    pub message: MessageId,
}

/// Looks for messages.
#[derive(Debug)]
pub struct Search {
    quest: Quest,
    flows: Vec<Flow>,
    /// Those of them that go to places which keep them for consumers.
    entrusted: BTreeSet<Flow>,
    measured: (Time, Time),
    draws: Draws,
    open: BTreeMap<MessageId, Open>,
    offered: u64,
    /// The slowest so far, the fastest of them on top.
    slowest: BinaryHeap<Reverse<Slow>>,
    lost: Vec<Found>,
    /// A sample of messages, with what they were drawn by, as in [`Sample`](super::Sample).
    sample: Vec<(u64, Found)>,
    rule: Rule,
    number: Option<Found>,
}

/// A slow message: the slower the greater, and of equally slow ones the first one.
type Slow = (Span, Reverse<u64>, MessageId, Time);

/// A message whose end is not known.
#[derive(Clone, Copy, Debug)]
struct Open {
    due: Time,
    number: u64,
    /// Its owner asked for no confirmation.
    is_sent: bool,
    /// That its owner knows it to be safe does not mean that anybody has processed it.
    is_entrusted: bool,
    /// Its owner has what it wants to know.
    is_told: bool,
    /// Somebody has handled it well.
    is_handled: bool,
}

/// The most latencies that are kept to find a percentile.
const MOST: usize = 1 << 20;

impl Search {
    /// A search among the messages of these flows that are due in `measured`.
    pub fn new(quest: Quest, flows: Vec<Flow>, measured: (Time, Time), names: &Names) -> Self {
        Self {
            quest,
            flows,
            entrusted: BTreeSet::new(),
            measured,
            draws: Draws::of(names),
            open: BTreeMap::new(),
            offered: 0,
            slowest: BinaryHeap::new(),
            lost: Vec::new(),
            sample: Vec::new(),
            rule: Rule::default(),
            number: None,
        }
    }

    /// The same search where messages of these flows go to places that keep them for consumers: what is confirmed may be lost there.
    #[must_use]
    pub fn entrusting(self, entrusted: BTreeSet<Flow>) -> Self {
        Self { entrusted, ..self }
    }

    /// Messages whose end is not known yet.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// How many messages were looked at.
    pub fn offered(&self) -> u64 {
        self.offered
    }

    /// One of so many messages was kept, where a percentile or a sample is looked for.
    pub fn one_in(&self) -> u64 {
        self.rule.one_in()
    }

    /// What was found, in the order that the quest says.
    pub fn found(mut self) -> Vec<Found> {
        match self.quest {
            Quest::Number(_) => self.number.into_iter().collect(),
            Quest::Slowest(_) => {
                let slowest = self.slowest.into_sorted_vec();
                let found = slowest.into_iter().map(|Reverse((latency, Reverse(number), message, due))| Found {
                    latency: Some(latency),
                    due,
                    number,
                    message,
                });
                found.collect()
            }
            Quest::Lost(most) => {
                for (message, Open { due, number, .. }) in std::mem::take(&mut self.open) {
                    self.lost.push(Found { latency: None, due, number, message });
                }
                self.lost.sort_unstable_by_key(|found| found.number);
                self.lost.truncate(most);
                self.lost
            }
            Quest::Percentile(share) => {
                self.sample.sort_unstable_by_key(|(_, found)| (found.latency, found.number));
                let place = rank(share, self.sample.len() as u64) as usize - 1;
                let place = place.min(self.sample.len().saturating_sub(1));
                self.sample.get(place).map(|&(_, found)| found).into_iter().collect()
            }
            Quest::Sample(_) => self.sample.into_iter().map(|(_, found)| found).collect(),
        }
    }

    fn offer(&mut self, message: MessageId, flow: Flow, due: Time) {
        if !self.flows.contains(&flow) || due < self.measured.0 || self.measured.1 <= due {
            return;
        }
        let number = self.offered;
        self.offered += 1;
        if self.quest == Quest::Number(number) {
            self.number = Some(Found { latency: None, due, number, message });
        }
        if let Quest::Sample(most) = self.quest {
            return self.keep(most, Found { latency: None, due, number, message });
        }
        let is_entrusted = self.entrusted.contains(&flow);
        let open = Open { due, number, is_sent: false, is_entrusted, is_told: false, is_handled: false };
        self.open.insert(message, open);
    }

    /// Keeps what belongs to a sample of no more than `most`.
    fn keep(&mut self, most: usize, found: Found) {
        let draw = self.draws.draw(found.message);
        if self.rule.has(draw) {
            self.sample.push((draw, found));
        }
        while self.sample.len() > most {
            self.rule.halve();
            let rule = self.rule;
            self.sample.retain(|(draw, _)| rule.has(*draw));
        }
    }

    fn ends(&mut self, now: Time, message: MessageId, is_well: bool) {
        let Some(Open { due, number, .. }) = self.open.remove(&message) else { return };
        let latency = now.since(due);
        match self.quest {
            Quest::Slowest(most) if is_well => {
                self.slowest.push(Reverse((latency, Reverse(number), message, due)));
                if self.slowest.len() > most {
                    self.slowest.pop();
                }
            }
            Quest::Lost(most) if !is_well => {
                self.lost.push(Found { latency: None, due, number, message });
                if self.lost.len() > most.saturating_mul(2).saturating_add(1_024) {
                    self.lost.sort_unstable_by_key(|found| found.number);
                    self.lost.truncate(most);
                }
            }
            Quest::Percentile(_) if is_well => {
                self.keep(MOST, Found { latency: Some(latency), due, number, message });
            }
            _ => {}
        }
    }
}

impl Observer for Search {
    fn wanted(&self) -> Wanted {
        Wanted::NOTHING.and(Kind::Message)
    }

    fn observe(&mut self, now: Time, _: NodeId, observation: &Observation) {
        match *observation {
            Observation::Offered { message, flow, late, .. } => {
                let due = now.earlier_by(late);
                self.offer(message, flow, due);
            }
            Observation::Confirmed { message } => {
                let waits = self.open.get_mut(&message).filter(|open| open.is_entrusted && !open.is_handled);
                match waits {
                    Some(open) if matches!(self.quest, Quest::Lost(_)) => open.is_told = true,
                    _ => self.ends(now, message, true),
                }
            }
            Observation::Closed { message, why: Close::Sent } => {
                if let Some(open) = self.open.get_mut(&message) {
                    (open.is_sent, open.is_told) = (true, true);
                }
            }
            Observation::Closed { message, why } => self.ends(now, message, why == Close::Spared),
            Observation::Received { message, .. }
                if !matches!(self.quest, Quest::Lost(_))
                    && self.open.get(&message).is_some_and(|open| open.is_sent) =>
            {
                self.ends(now, message, true);
            }
            Observation::Handled { message, outcome: Outcome::Done } => {
                let Some(open) = self.open.get_mut(&message) else { return };
                open.is_handled = true;
                if open.is_told {
                    self.ends(now, message, true);
                }
            }
            _ => {}
        }
    }
}
