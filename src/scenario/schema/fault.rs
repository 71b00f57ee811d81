//! `[faults]`

use schemars::JsonSchema;
use serde::Deserialize;

use super::distribution::Times;
use super::number::Positive;
use super::quantity_text;
use crate::scenario::document::{Located, OneOrMany, Origin};
use crate::scenario::selector::Selector;

/// Some nodes.
pub type Nodes = Located<OneOrMany<Located<Selector>>>;

/// The sides of a partition.
pub type Sides = Located<Vec<Nodes>>;

/// Something that happens to the system, of one kind. Faults that overlap compose: a node is down, paused or cut off as long as
/// any fault keeps it so, and slower by all factors together; a message suffers from all that concern it.
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
    /// These nodes go down and come up again, at once or after `for`.
    pub restart: Option<Nodes>,
    /// These nodes do nothing for a while; what comes for them waits, and their work stands still.
    pub pause: Option<Nodes>,
    /// These nodes work more slowly, and are otherwise well.
    pub slow: Option<Located<Slowness>>,
    /// The clocks of these nodes run fast or slow.
    pub skew: Option<Located<Skew>>,
    /// The disks of these nodes refuse what is written.
    pub disk_full: Option<Nodes>,
    /// The sides between which no message passes; a node that no side lists reaches all. `rest` is every node not listed.
    pub partition: Option<Sides>,
    /// Each of these nodes is cut off from every other node.
    pub isolate: Option<Nodes>,
    /// No message passes in one direction.
    pub cut: Option<Located<OneWay>>,
    /// Messages wait, and go on when it heals.
    pub hold: Option<Located<Passages>>,
    /// A share of messages is lost.
    pub loss: Option<Located<Portion>>,
    /// Messages are longer on their way.
    pub latency: Option<Located<Delay>>,
    /// Each sender transmits at a lower rate.
    pub bandwidth: Option<Located<Pace>>,
    /// A share of messages arrives twice.
    pub duplicate: Option<Located<Portion>>,
    /// A share of messages arrives damaged, and is dropped.
    pub corrupt: Option<Located<Portion>>,
    /// A share of messages is held back, and overtaken.
    pub reorder: Option<Located<Reorder>>,
    /// Clients bring several times their rate.
    pub load: Option<Located<Load>>,
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

/// Nodes whose clocks run fast or slow.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Skew {
    /// Which nodes.
    pub on: OneOrMany<Located<Selector>>,
    /// How fast their clocks run; 1.0002 gains 0.2 milliseconds each second.
    pub rate: Located<Positive>,
}

/// Clients that bring more, or less.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Load {
    /// Which clients.
    pub on: OneOrMany<Located<Selector>>,
    /// How many times their `rate`.
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

/// Which messages: all, unless one of `on`, `between` and `from` with `to` says otherwise.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Passages {
    /// What these nodes send or receive; or, by the names of links, what these carry.
    pub on: Option<Nodes>,
    /// What passes between two groups of nodes, in both directions.
    pub between: Option<Located<[Located<Selector>; 2]>>,
    /// What these nodes send; with `to`.
    pub from: Option<Nodes>,
    /// What those nodes receive; with `from`.
    pub to: Option<Nodes>,
}

/// A share of some messages.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Portion {
    /// Which messages.
    #[serde(rename = "..")]
    pub passages: Passages,
    /// How many of them.
    pub share: Located<quantity_text::Share>,
}

/// Messages that are longer on their way.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Delay {
    /// Which messages.
    #[serde(rename = "..")]
    pub passages: Passages,
    /// How much longer; drawn anew for each message.
    pub add: Times,
}

/// Messages that are transmitted slowly.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pace {
    /// Which messages.
    #[serde(rename = "..")]
    pub passages: Passages,
    /// How fast, at each sender.
    pub rate: Located<quantity_text::Bandwidth>,
}

/// Messages that are held back.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Reorder {
    /// Which messages.
    #[serde(rename = "..")]
    pub passages: Passages,
    /// How many of them.
    pub share: Located<quantity_text::Share>,
    /// How long.
    pub by: Times,
}

/// One list for the kinds of faults: the name, the key of [`Fault`], what is written there.
macro_rules! fault_kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $key:ident: $value:ty;)*) => {
        /// What a fault does.
        #[derive(Clone, Copy, PartialEq, Debug)]
        pub enum FaultKind<'a> {
            $($(#[$doc])* $variant(&'a $value),)*
        }

        /// The kinds of faults, as they are written.
        pub const FAULT_KINDS: &[&str] = &[$($name),*];

        impl FaultKind<'_> {
            /// The key.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant(_) => $name,)* }
            }

            /// The place of the value.
            pub fn origin(self) -> Origin {
                match self { $(Self::$variant(written) => written.origin,)* }
            }
        }

        impl Fault {
            /// Every kind that is written. In a scenario that was loaded there is exactly one.
            pub fn kinds(&self) -> impl Iterator<Item = FaultKind<'_>> {
                [$(self.$key.as_ref().map(FaultKind::$variant)),*].into_iter().flatten()
            }
        }
    };
}

fault_kinds! {
    /// Nodes go down.
    Crash = "crash", crash: Nodes;
    /// Nodes go down and come up.
    Restart = "restart", restart: Nodes;
    /// Nodes do nothing.
    Pause = "pause", pause: Nodes;
    /// Nodes work more slowly.
    Slow = "slow", slow: Located<Slowness>;
    /// Clocks run fast or slow.
    Skew = "skew", skew: Located<Skew>;
    /// Disks are full.
    DiskFull = "disk-full", disk_full: Nodes;
    /// No message passes between these sides.
    Partition = "partition", partition: Sides;
    /// Nodes are cut off, each on its own.
    Isolate = "isolate", isolate: Nodes;
    /// No message passes in one direction.
    Cut = "cut", cut: Located<OneWay>;
    /// Messages wait.
    Hold = "hold", hold: Located<Passages>;
    /// Messages vanish.
    Loss = "loss", loss: Located<Portion>;
    /// Messages take longer.
    Latency = "latency", latency: Located<Delay>;
    /// Messages are transmitted slowly.
    Bandwidth = "bandwidth", bandwidth: Located<Pace>;
    /// Messages arrive twice.
    Duplicate = "duplicate", duplicate: Located<Portion>;
    /// Messages are damaged.
    Corrupt = "corrupt", corrupt: Located<Portion>;
    /// Messages are overtaken.
    Reorder = "reorder", reorder: Located<Reorder>;
    /// Clients bring more.
    Load = "load", load: Located<Load>;
}

impl FaultKind<'_> {
    /// Whether messages can be lost because of it.
    pub fn loses(self) -> bool {
        match self {
            Self::Crash(_) | Self::Restart(_) | Self::Partition(_) | Self::Isolate(_) | Self::Cut(_) => true,
            Self::Loss(_) | Self::Corrupt(_) => true,
            Self::Pause(_) | Self::Slow(_) | Self::Skew(_) | Self::Load(_) | Self::DiskFull(_) => false,
            Self::Hold(_) | Self::Latency(_) | Self::Bandwidth(_) | Self::Duplicate(_) | Self::Reorder(_) => false,
        }
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
