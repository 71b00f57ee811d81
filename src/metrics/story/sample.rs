//! A sample of stories that stays small however long a run is, by a rule that depends on names alone.
//!
//! A message belongs to the sample if the number that is drawn from its name ends in zeros, at first in none. Whenever more are in it
//! than there may be, or are followed and come to no end, one more zero is asked for, and about half of them leave. So which messages
//! are in it at the end depends on nothing but their names and how many there were.

use crate::base::time::Span;
use crate::process::Flow;

use super::Story;
use super::breakdown::{Breakdown, Share};
use super::draws::Rule;

/// A sample that is being taken.
#[derive(Debug)]
pub struct Sample {
    /// The most messages that it keeps, and that are followed at a time.
    most: usize,
    rule: Rule,
    taken: Vec<Taken>,
    /// The stories that are told whole, so far, of all that were followed.
    slowest: Vec<(Span, Story)>,
    typical: Vec<Story>,
    unconfirmed: Vec<Story>,
}

/// A message of a sample that came to a good end.
#[derive(Clone, PartialEq, Debug)]
pub struct Taken {
    /// What it was drawn by.
    draw: u64,
    /// Its stream.
    pub flow: Flow,
    /// Its latency.
    pub latency: Span,
    /// What that is made of.
    pub shares: Vec<Share>,
}

/// What a sample gave.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Sampled {
    /// One of so many messages is in it.
    pub one_in: u64,
    /// Those that came to a good end.
    pub taken: Vec<Taken>,
    /// The slowest of those that were followed, slowest first.
    pub slowest: Vec<Story>,
    /// Some that were neither chosen for being slow nor for ending badly.
    pub typical: Vec<Story>,
    /// Some whose owner gave them up, the first to be given up first.
    pub unconfirmed: Vec<Story>,
}

/// How many stories of each kind are told whole.
const TOLD: usize = 5;

/// Of how many the typical ones are found.
const TYPICAL: usize = 64;

impl Sample {
    /// A sample of no more than `most` messages.
    pub fn new(most: usize) -> Self {
        let (slowest, typical, unconfirmed) = (Vec::new(), Vec::new(), Vec::new());
        Self { most: most.max(1), rule: Rule::default(), taken: Vec::new(), slowest, typical, unconfirmed }
    }

    /// Whether a message with this draw belongs to it.
    #[inline]
    pub(super) fn has(&self, draw: u64) -> bool {
        self.rule.has(draw)
    }

    /// Whether no more messages are to be followed than these.
    #[inline]
    pub(super) fn is_full_with(&self, followed: usize) -> bool {
        followed >= self.most
    }

    /// Takes in a story that has come to its end.
    pub(super) fn take(&mut self, draw: u64, story: Story, is_known: bool) {
        if !self.has(draw) {
            return;
        }
        if !is_known {
            if self.unconfirmed.len() < TOLD {
                self.unconfirmed.push(story);
            }
            return;
        }
        let (Some(latency), Some(breakdown)) = (story.latency(), Breakdown::of(&story)) else { return };
        debug_assert_eq!(breakdown.total(), latency, "every instant belongs to one part: {story:?}");
        self.taken.push(Taken { draw, flow: story.root().flow, latency, shares: breakdown.shares });
        if self.slowest.len() < TOLD || self.slowest.last().is_some_and(|last| latency > last.0) {
            let place = self.slowest.partition_point(|other| other.0 >= latency);
            self.slowest.insert(place, (latency, story));
            self.slowest.truncate(TOLD);
        } else if self.typical.len() < TYPICAL {
            self.typical.push(story);
        }
        while self.taken.len() > self.most {
            self.halve();
        }
    }

    /// Asks for one more zero.
    pub(super) fn halve(&mut self) {
        self.rule.halve();
        let rule = self.rule;
        self.taken.retain(|taken| rule.has(taken.draw));
    }

    /// What it gave.
    pub(super) fn close(&mut self) -> Sampled {
        Sampled {
            one_in: self.rule.one_in(),
            taken: std::mem::take(&mut self.taken),
            slowest: std::mem::take(&mut self.slowest).into_iter().map(|(_, story)| story).collect(),
            typical: std::mem::take(&mut self.typical),
            unconfirmed: std::mem::take(&mut self.unconfirmed),
        }
    }
}
