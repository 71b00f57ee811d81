//! What happened to messages at nodes, from when to when.

use std::collections::BTreeMap;

use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::metrics::story::{Story, What};
use crate::process::{Activity, Leg};

/// Something that lasted, at a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::report) struct Stay {
    pub node: NodeId,
    pub from: Time,
    pub to: Time,
    pub staying: Staying,
}

/// What lasted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::report) enum Staying {
    /// Its sender holds it back.
    HeldBack,
    /// Its sender waits before the next attempt.
    BackOff,
    /// A receiver does something.
    At(Activity),
    /// The node is down, as far as the story knows.
    Down,
}

/// All stays of a story, in the order in which they begin, without those of no length.
pub(in crate::report) fn stays(story: &Story) -> Vec<Stay> {
    let mut stays = Vec::new();
    // What a node does for a chapter's attempt, a sender for a chapter, and since when.
    let mut doing: BTreeMap<(NodeId, u32, Option<u8>), (Time, Staying)> = BTreeMap::new();
    let mut down: BTreeMap<NodeId, Time> = BTreeMap::new();
    let close = |stays: &mut Vec<Stay>, node, since: Option<(Time, Staying)>, to| {
        if let Some((from, staying)) = since.filter(|(from, _)| *from < to) {
            stays.push(Stay { node, from, to, staying });
        }
    };
    for entry in &story.entries {
        let (now, node, chapter) = (entry.time, entry.node, entry.chapter);
        if entry.what != What::Down
            && let Some(since) = down.remove(&node)
        {
            close(&mut stays, node, Some((since, Staying::Down)), now);
        }
        let sender = (node, chapter, None);
        match entry.what {
            What::Offered { .. } => drop(doing.insert(sender, (now, Staying::HeldBack))),
            What::AttemptFailed => drop(doing.insert(sender, (now, Staying::BackOff))),
            What::Sent { leg: Leg::Out, .. } | What::Attempted => {
                close(&mut stays, node, doing.remove(&sender), now);
            }
            What::Sent { attempt, .. } => {
                close(&mut stays, node, doing.remove(&(node, chapter, Some(attempt as u8))), now);
            }
            What::Turned { attempt, activity } => {
                // What somebody asks of himself is not held back once it is begun.
                doing.remove(&sender);
                let key = (node, chapter, Some(attempt));
                let before = doing.insert(key, (now, Staying::At(activity)));
                close(&mut stays, node, before, now);
            }
            What::Handled { .. } | What::Declined { .. } | What::Confirmed | What::Closed { .. } => {
                let here: Vec<_> =
                    doing.range((node, chapter, None)..=(node, chapter, Some(u8::MAX))).map(|(key, _)| *key).collect();
                here.into_iter().for_each(|key| close(&mut stays, node, doing.remove(&key), now));
            }
            What::Down => {
                let here: Vec<_> = doing.keys().filter(|key| key.0 == node).copied().collect();
                here.into_iter().for_each(|key| close(&mut stays, node, doing.remove(&key), now));
                down.entry(node).or_insert(now);
            }
            _ => {}
        }
    }
    let end = story.end();
    doing.into_iter().for_each(|((node, ..), since)| {
        // A sender that began and sent nothing did so through messages of their own.
        if !matches!(since.1, Staying::HeldBack | Staying::BackOff) {
            close(&mut stays, node, Some(since), end);
        }
    });
    down.into_iter().for_each(|(node, since)| close(&mut stays, node, Some((since, Staying::Down)), end));
    stays.sort_by_key(|stay| (stay.from, stay.to));
    stays
}
