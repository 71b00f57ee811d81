//! `[faults]`

use schemars::JsonSchema;
use serde::Deserialize;

use super::distribution::Times;
use super::number::Positive;
use crate::scenario::document::{Located, OneOrMany, Origin};
use crate::scenario::selector::Selector;

/// Some nodes.
pub type Nodes = Located<OneOrMany<Located<Selector>>>;

/// Something that happens to the system: exactly one of `crash`, `pause`, `slow`, `partition`, `isolate` and `cut`. Faults that
/// overlap compose: a node is down, paused or cut off as long as any fault keeps it so, and slower by all factors together.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fault {
    /// When it strikes, counted from the start of the run. A distribution is drawn anew for each run.
    pub at: Option<Times>,
    /// How long it lasts; to the end if it is left out.
    #[serde(rename = "for")]
    pub lasts: Option<Times>,
    /// It strikes again and again: so long after the start, and after each healing. In place of `at`; with `for`.
    pub every: Option<Times>,
    /// These nodes go down: memory and timers are lost, messages to them too. When it heals they start anew, with what they
    /// had synced.
    pub crash: Option<Nodes>,
    /// These nodes do nothing for a while; what comes for them waits, and their work stands still.
    pub pause: Option<Nodes>,
    /// These nodes work more slowly, and are otherwise well.
    pub slow: Option<Located<Slowness>>,
    /// The sides between which no message passes; a node that no side lists reaches all. `rest` is every node not listed.
    pub partition: Option<Located<Vec<Located<Selector>>>>,
    /// Each of these nodes is cut off from every other node.
    pub isolate: Option<Nodes>,
    /// No message passes in one direction.
    pub cut: Option<Located<OneWay>>,
}

/// Nodes that work more slowly.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Slowness {
    /// Which nodes.
    pub on: OneOrMany<Located<Selector>>,
    /// How many times longer work takes; at least 1.
    pub factor: Located<Positive>,
}

/// A direction.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OneWay {
    /// Those who send.
    pub from: OneOrMany<Located<Selector>>,
    /// Those who hear nothing.
    pub to: OneOrMany<Located<Selector>>,
}

/// What a fault does.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum FaultKind<'a> {
    /// Nodes go down.
    Crash(&'a Nodes),
    /// Nodes do nothing.
    Pause(&'a Nodes),
    /// Nodes work more slowly.
    Slow(&'a Located<Slowness>),
    /// No message passes between these sides.
    Partition(&'a Located<Vec<Located<Selector>>>),
    /// Nodes are cut off, each on its own.
    Isolate(&'a Nodes),
    /// No message passes in one direction.
    Cut(&'a Located<OneWay>),
}

/// The kinds of faults, as they are written.
pub const FAULT_KINDS: [&str; 6] = ["crash", "pause", "slow", "partition", "isolate", "cut"];

impl FaultKind<'_> {
    /// The key.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crash(_) => "crash",
            Self::Pause(_) => "pause",
            Self::Slow(_) => "slow",
            Self::Partition(_) => "partition",
            Self::Isolate(_) => "isolate",
            Self::Cut(_) => "cut",
        }
    }

    /// The place of the value.
    pub fn origin(self) -> Origin {
        match self {
            Self::Crash(nodes) | Self::Pause(nodes) | Self::Isolate(nodes) => nodes.origin,
            Self::Slow(slow) => slow.origin,
            Self::Partition(sides) => sides.origin,
            Self::Cut(cut) => cut.origin,
        }
    }
}

impl Fault {
    /// Every kind that is written. In a scenario that was loaded there is exactly one.
    pub fn kinds(&self) -> impl Iterator<Item = FaultKind<'_>> {
        let kinds = [
            self.crash.as_ref().map(FaultKind::Crash),
            self.pause.as_ref().map(FaultKind::Pause),
            self.slow.as_ref().map(FaultKind::Slow),
            self.partition.as_ref().map(FaultKind::Partition),
            self.isolate.as_ref().map(FaultKind::Isolate),
            self.cut.as_ref().map(FaultKind::Cut),
        ];
        kinds.into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_that_is_explained_can_be_written() {
        let explained: Vec<_> = crate::sim::FAULTS.iter().map(|entry| entry.name).collect();
        assert_eq!(explained, FAULT_KINDS);
    }
}
