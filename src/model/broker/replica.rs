//! A node's replica of a quorum queue: its log on disk, and the queue itself where it leads.
//!
//! What the replicas agree on stands in [`Member`]; here is what a node adds. Whoever leads has the queue: it is made of what is
//! committed when its term begins, and from then on does what is committed, entry by entry. So a message is delivered, and an
//! acknowledgement counts, once a majority has it on disk. A follower has the log alone. Whoever leads no longer lets go of queue and
//! channels; consumers are asked to come to the new leader.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::model::Alarm;
use crate::model::caller::{Cx, nested_luck};
use crate::model::clock::time;
use crate::model::envelope::{Envelope, Kind};
use crate::process::{Clock, Exit, Loss, MessageId, Observation, Outcome, QueueFact, TimerId};
use crate::protocol::amqp::{ConsumerId, Effect, Incoming, Member, Publish, QueueId, Word as RaftWord};

use super::declaring::Presence;
use super::disk::{self, Slots};
use super::word::{Op, Posted, Word};
use super::{Broker, Stand};

/// How many entries are cut off at a time.
const CUT: u64 = 64;

/// A node's replica of a quorum queue.
#[derive(Debug)]
pub(super) struct Replica {
    member: Member<Op>,
    slots: Slots,
    /// Writes that are not synced, each with what is to be said once it is.
    writes: VecDeque<(u64, Vec<Said>)>,
    /// No election before this.
    patience: Time,
    timer: Option<TimerId>,
    /// What is known while it leads and the queue is here.
    lead: Option<Lead>,
    was_leader: bool,
}

/// What is said to a member.
type Said = (u32, RaftWord<Op>);

/// What a leader knows.
#[derive(Debug, Default)]
struct Lead {
    /// The last entry that was done.
    applied: u64,
    /// Messages that are in the queue, by their entry.
    live: BTreeMap<u64, MessageId>,
    /// Publications that wait for an entry.
    pending: BTreeMap<u64, Option<u32>>,
    /// Acknowledgements that are not committed.
    settling: BTreeMap<u64, (ConsumerId, u64)>,
}

impl Replica {
    /// The replica at `place`, with what its disk has.
    pub(super) fn new(place: u32, nodes: u32, found: disk::Found) -> Self {
        Self {
            member: Member::new(place, nodes, found.durable),
            slots: found.slots,
            writes: VecDeque::new(),
            patience: Time::ZERO,
            timer: None,
            lead: None,
            was_leader: false,
        }
    }

    /// Who leads, as far as is known; a leader is none until it has the queue.
    pub(super) fn leader(&self) -> Option<u32> {
        self.member.leader().filter(|_| !self.member.is_leader() || self.lead.is_some())
    }
}

impl Broker {
    /// The node comes up: it waits for a leader, or, where the queue is declared, stands for election at once.
    pub(super) fn begin_replica(&mut self, cx: &mut Cx<'_>, queue: QueueId) {
        let is_first = self.life == 0 && self.spec.queues[queue.index()].home == self.place;
        if is_first || self.spec.nodes == 1 {
            self.with_member(cx, queue, Member::stand);
        } else {
            self.with_member(cx, queue, |_, effects| effects.push(Effect::Patience));
        }
        self.watch(cx, queue);
    }

    /// Time for a heartbeat, or to see whether a leader was heard.
    pub(super) fn look_at_replica(&mut self, cx: &mut Cx<'_>, queue: QueueId) {
        let now = time(cx.now());
        let Some(replica) = self.replicas.get_mut(&queue) else { return };
        replica.timer = None;
        if replica.member.is_leader() {
            self.with_member(cx, queue, Member::beat);
        } else if replica.patience <= now {
            self.with_member(cx, queue, Member::stand);
        }
        self.watch(cx, queue);
    }

    /// Sees to it that there is a timer.
    fn watch(&mut self, cx: &mut Cx<'_>, queue: QueueId) {
        let now = time(cx.now());
        let Some(replica) = self.replicas.get_mut(&queue) else { return };
        let wait = if replica.member.is_leader() { self.spec.beat() } else { replica.patience.since(now) };
        if let Some(timer) = replica.timer.take() {
            cx.cancel_timer(timer);
        }
        replica.timer = Some(cx.set_timer(Clock::Steady, wait, Alarm::Replica(queue.index() as u32)));
    }

    /// Another replica says something.
    pub(super) fn hear_replica(&mut self, cx: &mut Cx<'_>, from: NodeId, queue: QueueId, word: RaftWord<Op>) {
        let Some(from) = self.place_of(from) else { return };
        let before = self.replicas.get(&queue).map(|replica| replica.member.last());
        self.with_member(cx, queue, |member, effects| member.hear(from, word, effects));
        let Some(Replica { member, .. }) = self.replicas.get(&queue) else { return };
        let mut new = before.map_or(1, |before| before + 1)..=member.last();
        let is_message = |index| member.entry(index).is_some_and(|entry| matches!(entry.what, Some(Op::Publish(_))));
        if !member.is_leader() && new.any(is_message) {
            self.note_presence_by_log(queue);
        }
    }

    /// Appends to the log, if this node leads: the index and the term. Nothing is committed by that, as a write takes time.
    fn propose(&mut self, cx: &mut Cx<'_>, queue: QueueId, op: Op) -> Option<(u64, u64)> {
        let mut index = None;
        let mut term = 0;
        self.with_member_quietly(cx, queue, |member, effects| {
            index = member.propose(Some(op), effects);
            term = member.vote().0;
        });
        index.map(|index| (index, term))
    }

    /// A message is to come into the queue, which is here; its publication waits until that is committed.
    pub(super) fn propose_message(&mut self, cx: &mut Cx<'_>, queue: QueueId, posted: &Posted, waiting: Option<u32>) {
        let message = posted.incoming.message.message;
        let Some(at) = self.propose(cx, queue, Op::Publish(Box::new(posted.clone()))) else { return };
        self.stated.propose(cx, queue, at, message);
        waiting.into_iter().for_each(|waiting| self.shelf.add(waiting));
        if let Some(lead) = self.lead_of(queue) {
            lead.pending.insert(at.0, waiting);
        }
    }

    /// A message of the queue has left, or a consumer has acknowledged it and its place there is free once that is committed.
    pub(super) fn propose_settlement(
        &mut self,
        cx: &mut Cx<'_>,
        (queue, index): (QueueId, u64),
        exit: Exit,
        settles: Option<(ConsumerId, u64)>,
    ) {
        let Some((at, _)) = self.propose(cx, queue, Op::Settle(index, exit)) else { return };
        if let (Some(settles), Some(lead)) = (settles, self.lead_of(queue)) {
            lead.settling.insert(at, settles);
        }
    }

    /// A message came back.
    pub(super) fn propose_return(&mut self, cx: &mut Cx<'_>, queue: QueueId, index: u64) {
        self.propose(cx, queue, Op::Return(index));
    }

    /// A consumer is gone: what it had acknowledged it has, whether that is committed yet or not.
    pub(super) fn settle_before_it_goes(&mut self, cx: &mut Cx<'_>, queue: QueueId, consumer: ConsumerId) {
        let Some(lead) = self.lead_of(queue) else { return };
        let its: Vec<_> = lead.settling.iter().filter(|(_, (who, _))| *who == consumer).map(|(at, _)| *at).collect();
        for at in its {
            self.acknowledge(cx, queue, at);
        }
    }

    /// Whatever a member does, and what follows from it.
    fn with_member(
        &mut self,
        cx: &mut Cx<'_>,
        queue: QueueId,
        act: impl FnOnce(&mut Member<Op>, &mut Vec<Effect<Op>>),
    ) {
        self.with_member_quietly(cx, queue, act);
        self.catch_up(cx, queue);
    }

    fn with_member_quietly(
        &mut self,
        cx: &mut Cx<'_>,
        queue: QueueId,
        act: impl FnOnce(&mut Member<Op>, &mut Vec<Effect<Op>>),
    ) {
        let Some(replica) = self.replicas.get_mut(&queue) else { return };
        let mut effects = Vec::new();
        act(&mut replica.member, &mut effects);
        self.carry_out(cx, queue, effects);
    }

    fn carry_out(&mut self, cx: &mut Cx<'_>, queue: QueueId, effects: Vec<Effect<Op>>) {
        let mut effects = VecDeque::from(effects);
        while let Some(effect) = effects.pop_front() {
            let Some(replica) = self.replicas.get_mut(&queue) else { return };
            match effect {
                Effect::Send(to, word) => self.say(cx, self.node(to), Word::Replica(queue, word)),
                Effect::Patience => {
                    let election = self.spec.election;
                    // Between once and twice as long, so that not all stand at the same time.
                    let extra = (election.as_nanos() as f64 * cx.draw().open01()) as u64;
                    replica.patience = time(cx.now()) + election + crate::base::time::ns(extra);
                }
                Effect::Write(from, to, is_new) => {
                    for (key, value) in replica.slots.write(queue, &replica.member, from..to, is_new) {
                        replica.writes.push_back((key, Vec::new()));
                        cx.persist(key, value);
                    }
                }
                Effect::Reply(to, word) => match replica.writes.back_mut() {
                    Some((_, words)) => words.push((to, word)),
                    None if to == self.place => {
                        let mut more = Vec::new();
                        replica.member.hear(to, word, &mut more);
                        effects.extend(more);
                    }
                    None => self.say(cx, self.node(to), Word::Replica(queue, word)),
                },
            }
        }
    }

    /// A write of a replica is synced, or was refused: what rested on it is said, or never.
    pub(super) fn replica_wrote(&mut self, cx: &mut Cx<'_>, key: u64, is_synced: bool) {
        let queue = disk::queue_of(key);
        let Some(replica) = self.replicas.get_mut(&queue) else { return };
        let find = |writes: &VecDeque<(u64, _)>| {
            let mut places =
                writes.iter().enumerate().filter(|(_, (written, _))| *written == key).map(|(place, _)| place);
            if is_synced { places.next() } else { places.next_back() }
        };
        let Some((_, words)) = find(&replica.writes).and_then(|place| replica.writes.remove(place)) else { return };
        if is_synced {
            // They wait for nothing more: what was written later does not concern them.
            for (to, word) in words {
                if to == self.place {
                    self.with_member_quietly(cx, queue, |member, effects| member.hear(to, word, effects));
                } else {
                    self.say(cx, self.node(to), Word::Replica(queue, word));
                }
            }
        }
        self.catch_up(cx, queue);
    }

    fn lead_of(&mut self, queue: QueueId) -> Option<&mut Lead> {
        self.replicas.get_mut(&queue)?.lead.as_mut()
    }

    /// Does what has been committed, where this node leads; lets go of the queue where it does not any more.
    fn catch_up(&mut self, cx: &mut Cx<'_>, queue: QueueId) {
        let Some(replica) = self.replicas.get_mut(&queue) else { return };
        replica.slots.free_up_to(replica.member.base().0);
        if std::mem::replace(&mut replica.was_leader, replica.member.is_leader()) != replica.member.is_leader() {
            self.watch(cx, queue);
        }
        let Some(replica) = self.replicas.get_mut(&queue) else { return };
        let member = &replica.member;
        if !member.is_leader() {
            if let Some(lead) = replica.lead.take() {
                self.step_down(cx, queue, lead);
            }
            return;
        }
        // What is committed in an earlier term is only known to be with the first entry of this one.
        let is_known = member.entry(member.committed()).is_none_or(|entry| entry.term == member.vote().0);
        if !is_known || member.committed() == member.base().0 && replica.lead.is_none() {
            return;
        }
        if replica.lead.is_none() {
            self.take_over(cx, queue);
        }
        let mut is_changed = false;
        while let Some(replica) = self.replicas.get_mut(&queue)
            && let Some(lead) = &mut replica.lead
            && lead.applied < replica.member.committed()
        {
            lead.applied += 1;
            let index = lead.applied;
            let Some(entry) = replica.member.entry(index).cloned() else { continue };
            self.apply(cx, queue, (index, entry.term), entry.what);
            is_changed = true;
        }
        if is_changed {
            self.cut(queue);
            self.hand_out(cx, queue);
            self.bury(cx);
        }
    }

    /// This node leads now: the queue is what is committed.
    fn take_over(&mut self, cx: &mut Cx<'_>, queue: QueueId) {
        let number = self.spec.queues[queue.index()].number;
        let Some(replica) = self.replicas.get_mut(&queue) else { return };
        let (member, stated) = (&replica.member, self.stated.clone());
        let mut live: BTreeMap<u64, (Posted, u32)> = BTreeMap::new();
        for index in member.base().0 + 1..=member.committed() {
            let Some(entry) = member.entry(index) else { continue };
            let publishes = match &entry.what {
                Some(Op::Publish(posted)) => Some((posted.incoming.message.message, posted.key)),
                _ => None,
            };
            stated.commit(cx, queue, (index, entry.term), number, publishes);
            match &entry.what {
                Some(Op::Publish(posted)) => _ = live.insert(index, ((**posted).clone(), 0)),
                Some(Op::Settle(of, exit)) => {
                    if let Some((posted, _)) = live.remove(of) {
                        stated.leave(cx, queue, *of, number, (posted.incoming.message.message, *exit));
                    }
                }
                Some(Op::Return(of)) => live.get_mut(of).into_iter().for_each(|(_, returns)| *returns += 1),
                None => {}
            }
        }
        let messages = live.iter().map(|(index, (posted, _))| (*index, posted.incoming.message.message)).collect();
        replica.lead = Some(Lead { applied: member.committed(), live: messages, ..Lead::default() });
        let now = time(cx.now());
        let hosted = &mut self.queues[queue.index()];
        hosted.empty(queue, &self.spec);
        for (index, (posted, returns)) in live {
            let waited = now.since(posted.at);
            let ttl = posted.incoming.ttl.into_iter().chain(self.spec.queues[queue.index()].settings.message_ttl).min();
            let ttl = ttl.map(|ttl| crate::base::time::ns(ttl.as_nanos().saturating_sub(waited.as_nanos())));
            let mut incoming = Incoming { ttl, ..posted.incoming };
            incoming.message.stand = Stand::Log(index);
            hosted.queue.restore(incoming, returns, now);
        }
        self.ask(queue, |queue, dead| queue.restart(now, dead));
        self.look_at(cx, queue);
        self.take_over_presence(cx, queue);
        self.summon(cx, queue);
        self.bury(cx);
    }

    /// Asks those that consume from the queue to come here.
    fn summon(&mut self, cx: &mut Cx<'_>, queue: QueueId) {
        let script = std::sync::Arc::clone(&self.script);
        let first = self.first;
        for (number, call) in (0..).zip(&script.calls) {
            let Some(spec) = call.subscription.as_deref() else { continue };
            if spec.broker != first || spec.queue != queue {
                continue;
            }
            let target = &script.targets[usize::from(call.target)];
            for member in 0..target.len {
                self.said = self.said.wrapping_add(1);
                let luck = nested_luck(cx.name().bits(), self.life, self.said.into());
                let envelope = Envelope::new(Kind::Subscribe, luck, 0, number, 1);
                cx.send_sized(target.member(member as usize), envelope, 0);
            }
        }
    }

    /// This node leads no longer: others have the queue. What was published and is not known to be committed may be lost.
    fn step_down(&mut self, cx: &mut Cx<'_>, queue: QueueId, lead: Lead) {
        let hosted = &mut self.queues[queue.index()];
        if let Some((_, timer)) = hosted.expiry.take() {
            cx.cancel_timer(timer);
        }
        hosted.empty(queue, &self.spec);
        self.drop_channels(cx, queue);
        self.dead.retain(|(from, _)| *from != queue);
        for waiting in lead.pending.into_values() {
            let waiting = self.shelf.settled(waiting, Some(Outcome::Failed));
            self.conclude(cx, waiting);
        }
    }

    /// An entry is committed.
    fn apply(&mut self, cx: &mut Cx<'_>, queue: QueueId, at: (u64, u64), op: Option<Op>) {
        let number = self.spec.queues[queue.index()].number;
        let index = at.0;
        let stated = self.stated.clone();
        let publishes = match &op {
            Some(Op::Publish(posted)) => Some((posted.incoming.message.message, posted.key)),
            _ => None,
        };
        stated.commit(cx, queue, at, number, publishes);
        match op {
            Some(Op::Publish(posted)) => self.enter(cx, queue, index, *posted),
            Some(Op::Settle(of, exit)) => {
                self.acknowledge(cx, queue, index);
                let message = self.lead_of(queue).and_then(|lead| lead.live.remove(&of));
                if let Some(message) = message {
                    stated.leave(cx, queue, of, number, (message, exit));
                }
            }
            Some(Op::Return(_)) | None => {}
        }
    }

    /// A message is committed, and comes into the queue.
    fn enter(&mut self, cx: &mut Cx<'_>, queue: QueueId, index: u64, posted: Posted) {
        let number = self.spec.queues[queue.index()].number;
        let message = posted.incoming.message.message;
        let mut incoming = posted.incoming;
        incoming.message.stand = Stand::Log(index);
        let waiting = self.lead_of(queue).and_then(|lead| {
            lead.live.insert(index, message);
            lead.pending.remove(&index).flatten()
        });
        if self.queues[queue.index()].presence != Presence::There {
            // The queue was deleted when it was under way.
            self.propose_settlement(cx, (queue, index), Exit::LetGo(Loss::QueueExpired), None);
            let waiting = self.shelf.settled(waiting, None);
            return self.conclude(cx, waiting);
        }
        let answer = self.ask(queue, |queue, dead| queue.publish(incoming, time(cx.now()), dead));
        let refusal = (answer == Publish::Refused).then_some(Outcome::Rejected);
        if refusal.is_some() {
            cx.observe(Observation::Queued { queue: number, fact: QueueFact::Refused });
            self.propose_settlement(cx, (queue, index), Exit::LetGo(Loss::Refused), None);
        }
        let waiting = self.shelf.settled(waiting, refusal);
        self.conclude(cx, waiting);
    }

    /// An acknowledgement that was proposed at this index counts.
    fn acknowledge(&mut self, cx: &mut Cx<'_>, queue: QueueId, at: u64) {
        let number = self.spec.queues[queue.index()].number;
        let Some((consumer, tag)) = self.lead_of(queue).and_then(|lead| lead.settling.remove(&at)) else { return };
        let mut done = Vec::new();
        if self.queues[queue.index()].queue.ack(consumer, tag, false, &mut done).is_ok() {
            cx.observe(Observation::Queued { queue: number, fact: QueueFact::Acknowledged });
        }
    }

    /// Cuts off the beginning of the log, where everything has left.
    fn cut(&mut self, queue: QueueId) {
        let Some(replica) = self.replicas.get_mut(&queue) else { return };
        let Some(lead) = &replica.lead else { return };
        let end = lead.live.first_key_value().map_or(lead.applied, |(index, _)| index - 1).min(lead.applied);
        if end >= replica.member.base().0 + CUT {
            replica.member.compact(end);
            replica.slots.free_up_to(end);
            self.stated.forget(queue, end);
        }
    }
}

/// The quorum queues among those of a broker.
pub(super) fn quorum_queues(spec: &super::BrokerSpec) -> BTreeSet<QueueId> {
    let is_quorum = |queue: &super::HostedQueue| queue.settings.kind() == crate::protocol::amqp::QueueType::Quorum;
    let queues = spec.queues.iter().enumerate().filter(|(_, queue)| is_quorum(queue));
    queues.map(|(index, _)| QueueId::new(index as u32)).collect()
}
