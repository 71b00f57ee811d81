//! What guards did for a flow, counted.

use crate::process::GuardFact;

/// How often guards did what.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct GuardCounts([u64; GuardFact::COUNT]);

impl GuardCounts {
    /// How often they did this.
    pub fn of(&self, fact: GuardFact) -> u64 {
        self.0[fact as usize]
    }

    /// They did this once more.
    pub fn note(&mut self, fact: GuardFact) {
        self.0[fact as usize] += 1;
    }

    /// Adds what they did elsewhere.
    pub fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, count)| *sum += count);
    }

    /// What they did, each with how often; nothing that never happened.
    pub fn done(&self) -> impl Iterator<Item = (GuardFact, u64)> {
        GuardFact::ALL.iter().map(|&fact| (fact, self.of(fact))).filter(|(_, count)| *count > 0)
    }
}
