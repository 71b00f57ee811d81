//! What was stated to observers about quorum queues: whoever leads next must not state it again.
//!
//! Nothing that a node does depends on it. A copy that was proposed is held by nobody in particular until an entry is committed at
//! its index: then it is in the queue, or lost.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::caller::Cx;
use crate::process::{Exit, Loss, MessageId, NO_PLACE, Observation, QueueFact};
use crate::protocol::amqp::QueueId;

/// What was stated about the quorum queues of a broker.
#[derive(Clone, Default, Debug)]
pub struct Stated(Arc<Mutex<BTreeMap<QueueId, Queue>>>);

#[derive(Default, Debug)]
struct Queue {
    /// Everything up to this entry was stated to its end.
    floor: u64,
    /// Committed messages that were stated to be there, and whether to have left.
    entries: BTreeMap<u64, bool>,
    /// Proposed messages, by index and term.
    proposed: BTreeMap<(u64, u64), MessageId>,
}

impl Stated {
    /// Nothing was stated yet: a run begins.
    pub(super) fn clear(&self) {
        self.all().clear();
    }

    /// A message was proposed at an index, in a term.
    pub(super) fn propose(&self, cx: &mut Cx<'_>, queue: QueueId, at: (u64, u64), message: MessageId) {
        cx.observe(Observation::Stored { message, place: NO_PLACE, key: None, risk: Loss::Uncommitted });
        cx.observe(Observation::Kept { message, place: NO_PLACE });
        self.all().entry(queue).or_default().proposed.insert(at, message);
    }

    /// An entry of this term is committed: what was proposed there is in the queue, or lost. The message that it publishes, if it
    /// does, and its key.
    pub(super) fn commit(
        &self,
        cx: &mut Cx<'_>,
        queue: QueueId,
        (index, term): (u64, u64),
        number: u16,
        publishes: Option<(MessageId, Option<u64>)>,
    ) {
        let mut all = self.all();
        let stated = all.entry(queue).or_default();
        if let Some((message, key)) = publishes.filter(|_| index > stated.floor && !stated.entries.contains_key(&index))
        {
            stated.entries.insert(index, false);
            let risk = Loss::Uncommitted;
            cx.observe(Observation::Stored { message, place: number, key, risk });
            cx.observe(Observation::Kept { message, place: number });
            cx.observe(Observation::Queued { queue: number, fact: QueueFact::Published });
        }
        let there = stated.proposed.range((index, 0)..=(index, u64::MAX)).map(|(at, message)| (*at, *message));
        for (at, message) in there.collect::<Vec<_>>() {
            stated.proposed.remove(&at);
            let exit = if at.1 == term { Exit::HandedOn } else { Exit::LetGo(Loss::Uncommitted) };
            cx.observe(Observation::Released { message, place: NO_PLACE, is_kept: true, exit });
        }
    }

    /// It is committed that the message of this entry has left.
    pub(super) fn leave(
        &self,
        cx: &mut Cx<'_>,
        queue: QueueId,
        index: u64,
        number: u16,
        (message, exit): (MessageId, Exit),
    ) {
        let mut all = self.all();
        let stated = all.entry(queue).or_default();
        if stated.entries.get(&index) == Some(&false) {
            stated.entries.insert(index, true);
            cx.observe(Observation::Released { message, place: number, is_kept: true, exit });
        }
    }

    /// Everything up to this entry is over.
    pub(super) fn forget(&self, queue: QueueId, index: u64) {
        let mut all = self.all();
        let stated = all.entry(queue).or_default();
        if index > stated.floor {
            stated.floor = index;
            stated.entries = stated.entries.split_off(&(index + 1));
        }
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<QueueId, Queue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
