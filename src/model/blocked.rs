//! What a sender keeps back because brokers read no more of what it publishes.
//!
//! Messages go in the order in which they came: one that asks to go when others still wait, or have just been let go, is behind them.
//! Only a word of a broker lets them go. A node that has said nothing for as long as two of its words take is asked, again and again;
//! when another one lets messages go, one that is silent blocks nobody.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::id::NodeId;
use crate::base::time::Span;
use crate::process::Steady;
use crate::protocol::amqp::WatermarkSettings;
use crate::protocol::delivery::Number;

use super::broker::BUFFERED;

/// What brokers keep back.
#[derive(Debug, Default)]
pub(super) struct Blocked {
    /// Nodes that read no more, and until when that is believed.
    by: BTreeMap<NodeId, Steady>,
    /// When it is asked whether that is still so.
    until: Steady,
    /// How often it was.
    asked: u32,
    /// The messages that wait for a word.
    waiting: BTreeSet<Number>,
    /// Those that may go, and have not gone.
    released: BTreeSet<Number>,
}

/// A message waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Wait {
    /// For so long: then it asks to go again.
    pub(super) after: Span,
    /// Whether it has not waited before.
    pub(super) is_first: bool,
    /// Whether the broker is to be asked, and which time that is.
    pub(super) asks: Option<u32>,
}

/// How long a word of a broker counts: two of them take so long.
const PATIENCE: Span = WatermarkSettings::CHECK_INTERVAL.times(2);

/// What may go goes as an event of its own: an effect is later than its cause.
pub(super) const AT_ONCE: Span = Span::from_nanos(1);

impl Blocked {
    /// A message asks to go: whether it waits.
    pub(super) fn ask(&mut self, key: Number, now: Steady) -> Option<Wait> {
        let was_released = self.released.contains(&key);
        if self.by.is_empty() && self.waiting.is_empty() {
            if was_released || self.released.is_empty() {
                return None;
            }
            // It follows those that may go.
            self.released.insert(key);
            return Some(Wait { after: AT_ONCE, is_first: true, asks: None });
        }
        if self.by.is_empty() && was_released {
            return None;
        }
        self.released.remove(&key);
        let is_first = self.waiting.insert(key) && !was_released;
        let mut asks = None;
        if self.until <= now {
            (self.until, self.asked) = (now + PATIENCE, self.asked.wrapping_add(1));
            asks = Some(self.asked);
        }
        Some(Wait { after: self.until.since(now), is_first, asks })
    }

    /// A message has gone, or has ended otherwise.
    pub(super) fn forget(&mut self, key: Number) {
        self.waiting.remove(&key);
        self.released.remove(&key);
    }

    /// A node says whether it reads: the messages that may go, as many as the buffers of a connection hold; the others wait for the
    /// next word.
    pub(super) fn hear(&mut self, broker: NodeId, is_blocked: bool, now: Steady) -> Vec<Number> {
        self.by.retain(|_, until| *until > now);
        if is_blocked {
            self.by.insert(broker, now + PATIENCE);
        } else {
            self.by.remove(&broker);
        }
        self.until = self.by.values().copied().max().unwrap_or(now + PATIENCE);
        if !self.by.is_empty() {
            return Vec::new();
        }
        let free: Vec<_> = self.waiting.iter().copied().take(BUFFERED as usize).collect();
        for key in &free {
            self.waiting.remove(key);
            self.released.insert(*key);
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODES: [NodeId; 2] = [NodeId::new(0), NodeId::new(1)];

    fn at(seconds: u64) -> Steady {
        Steady::from_nanos(seconds * 1_000_000_000)
    }

    fn keys(range: std::ops::Range<u64>) -> Vec<Number> {
        range.map(Number::new).collect()
    }

    /// Both nodes block, and each says that it reads on: with the second of the two words the message goes, and so does the next one,
    /// once the first has gone.
    #[test]
    fn a_sender_is_free_when_the_last_node_reads_on() {
        let mut blocked = Blocked::default();
        assert!(NODES.iter().all(|node| blocked.hear(*node, true, at(0)).is_empty()));
        assert!(blocked.ask(Number::new(0), at(0)).is_some_and(|wait| wait.is_first && wait.asks.is_none()));
        assert_eq!(blocked.hear(NODES[0], false, at(1)), []);
        assert_eq!(blocked.hear(NODES[1], false, at(1)), keys(0..1));
        assert_eq!(blocked.ask(Number::new(0), at(1)), None);
        blocked.forget(Number::new(0));
        assert_eq!(blocked.ask(Number::new(1), at(1)), None);
    }

    /// 201 wait, and a connection holds 200: those go, and neither the last nor a newcomer before them.
    #[test]
    fn nobody_overtakes_those_that_wait() {
        let mut blocked = Blocked::default();
        blocked.hear(NODES[0], true, at(0));
        assert!(keys(0..201).into_iter().all(|key| blocked.ask(key, at(0)).is_some()));
        assert_eq!(blocked.hear(NODES[0], false, at(1)), keys(0..200));
        assert!(blocked.ask(Number::new(201), at(1)).is_some_and(|wait| wait.is_first));
        for key in keys(0..200) {
            assert_eq!(blocked.ask(key, at(1)), None);
            blocked.forget(key);
        }
        assert_eq!(blocked.hear(NODES[0], false, at(1)), keys(200..202));
        // Who comes while they are about to go is behind them, and not held back by anybody.
        let behind = Wait { after: AT_ONCE, is_first: true, asks: None };
        assert_eq!(blocked.ask(Number::new(202), at(1)), Some(behind));
        assert_eq!(blocked.ask(Number::new(202), at(1)), None);
    }

    /// Two seconds after its last word a node is asked, once in two seconds, and the message stays; a wait is one, however often.
    #[test]
    fn a_silent_node_is_asked() {
        let mut blocked = Blocked::default();
        blocked.hear(NODES[0], true, at(0));
        let ask = |blocked: &mut Blocked, key, now| {
            blocked.ask(Number::new(key), at(now)).map(|wait| (wait.is_first, wait.asks))
        };
        assert_eq!(ask(&mut blocked, 0, 1), Some((true, None)));
        assert_eq!(ask(&mut blocked, 0, 2), Some((false, Some(1))));
        assert_eq!(ask(&mut blocked, 1, 2), Some((true, None)));
        assert_eq!(ask(&mut blocked, 0, 4), Some((false, Some(2))));
        // The other node reads: the silent one blocks nobody.
        assert_eq!(blocked.hear(NODES[1], false, at(5)), keys(0..2));
    }

    /// A message that may go and is told before it has gone that it may not waits again, before the others.
    #[test]
    fn who_was_let_go_waits_again_if_the_node_blocks_before() {
        let mut blocked = Blocked::default();
        blocked.hear(NODES[0], true, at(0));
        blocked.ask(Number::new(0), at(0));
        blocked.hear(NODES[0], false, at(1));
        blocked.hear(NODES[0], true, at(1));
        assert!(blocked.ask(Number::new(1), at(1)).is_some());
        assert!(blocked.ask(Number::new(0), at(1)).is_some_and(|wait| !wait.is_first));
        assert_eq!(blocked.hear(NODES[0], false, at(1)), keys(0..2));
    }
}
