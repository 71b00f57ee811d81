//! Replication: what a broker fetches of the partitions that others lead, and what it answers those who follow it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::id::NodeId;
use crate::base::time::{Span, ms, secs};
use crate::base::units::{Bytes, bytes, mib};
use crate::model::Alarm;
use crate::model::caller::Cx;
use crate::model::clock::time;
use crate::process::{Clock, Loss, Observation, TimerId, TopicFact};
use crate::protocol::log::fetch::Wanted;
use crate::protocol::log::ids::{BrokerId, Offset, TopicPartition};
use crate::protocol::log::partition::Isolation;
use crate::protocol::log::replica::{FollowerFetch, FollowerFetched, Loss as CutFor};

use super::super::wire::Body;
use super::super::{LogAlarm, Parcel};
use super::{LogBroker, at};

/// How long a leader lets a follower wait for something new (Kafka: `replica.fetch.wait.max.ms`).
const FOLLOW_WAIT: Span = ms(500);
/// How long a follower waits for an answer beyond that, before it asks again, as a connection would.
const FOLLOW_PATIENCE: Span = ms(500);
/// How long it leaves a partition alone that its leader does not lead (Kafka: `replica.fetch.backoff.ms`).
const FOLLOW_BACKOFF: Span = secs(1);
/// The most that it fetches of a partition at a time (Kafka: `replica.fetch.max.bytes`).
const FOLLOW_MAX: Bytes = mib(1);

/// A follower's fetch: who asks, its number, and what it reads.
pub(super) type FollowAsk = (NodeId, u64, Vec<(TopicPartition, FollowerFetch)>);

#[derive(Debug)]
pub(super) struct Fetcher {
    /// The fetch that is under way.
    number: u64,
    timer: TimerId,
}

impl LogBroker {
    /// A follower's fetch: it is answered once there is something.
    pub(super) fn feed(
        &mut self,
        cx: &mut Cx<'_>,
        from: NodeId,
        number: u64,
        parts: Vec<(TopicPartition, FollowerFetch)>,
        may_wait: bool,
    ) {
        let now = time(cx.now());
        let (mut found, mut size, mut is_news) = (Vec::new(), 0, false);
        let mut grown = Vec::new();
        for &(partition, fetch) in &parts {
            let place = self.replicas.place(partition);
            let answer = place.map(|place| self.replicas.all[place].replica.fetched(fetch, now));
            let answer = match answer {
                Some(Ok((answer, change))) => {
                    if let Some(change) = change {
                        self.ask_controller(cx, partition, change);
                    }
                    grown.push(partition);
                    Some(answer)
                }
                _ => None,
            };
            is_news |= match &answer {
                Some(FollowerFetched::Batches(fetched)) => {
                    size += fetched.size.count();
                    !fetched.batches.is_empty()
                }
                _ => true,
            };
            found.push((partition, fetch, answer));
        }
        if is_news || !may_wait {
            self.say(cx, from, Body::Followed { number, parts: found }, size);
        } else {
            let replicas = &self.replicas;
            let wanted = Wanted {
                parts: parts.iter().map(|&(partition, fetch)| (partition, fetch.from)).collect(),
                fetch: (from, number, parts),
                min_bytes: bytes(1),
                deadline: now + FOLLOW_WAIT,
            };
            self.followers.enter(wanted, now, |of, from| replicas.available(of, from, Isolation::LogEnd));
        }
        // What the followers have may now be seen by consumers.
        for partition in grown {
            let held = self.replicas.place(partition).map(|place| &self.replicas.all[place]);
            if held.is_some_and(|held| held.replica.log.high_watermark() != held.shown) {
                self.moved(cx, partition);
            }
        }
        self.look_at_fetches(cx);
    }

    /// Fetches from every leader from which nothing is under way.
    pub(super) fn fetch_all(&mut self, cx: &mut Cx<'_>) {
        let leaders = self.replicas.all.iter().filter_map(|held| Some(held.replica.next_fetch(FOLLOW_MAX)?.0));
        let leaders: BTreeSet<_> = leaders.chain(self.fetchers.keys().copied()).collect();
        leaders.into_iter().for_each(|leader| self.fetch_from(cx, leader));
    }

    /// Fetches from a leader, whatever is under way.
    pub(super) fn fetch_from(&mut self, cx: &mut Cx<'_>, leader: BrokerId) {
        if let Some(before) = self.fetchers.remove(&leader) {
            cx.cancel_timer(before.timer);
        }
        let now = time(cx.now());
        self.delayed.retain(|_, until| *until > now);
        let (mut parts, mut is_delayed) = (Vec::new(), false);
        for held in &self.replicas.all {
            match held.replica.next_fetch(FOLLOW_MAX) {
                Some((from, _)) if from == leader && self.delayed.contains_key(&held.partition) => is_delayed = true,
                Some((from, fetch)) if from == leader => parts.push((held.partition, fetch)),
                _ => {}
            }
        }
        let wait = if parts.is_empty() { FOLLOW_BACKOFF } else { FOLLOW_WAIT + FOLLOW_PATIENCE };
        if parts.is_empty() && !is_delayed {
            return;
        }
        let number = self.voice.said();
        let timer = cx.set_timer(Clock::Steady, wait, Alarm::Log(LogAlarm::Refetch(leader.0 as u16)));
        self.fetchers.insert(leader, Fetcher { number, timer });
        if !parts.is_empty() {
            self.say(cx, self.spec.node(leader), Body::Follow { number, parts }, 0);
        }
    }

    /// A leader has answered.
    pub(super) fn followed(
        &mut self,
        cx: &mut Cx<'_>,
        leader: BrokerId,
        number: u64,
        parts: Vec<(TopicPartition, FollowerFetch, Option<FollowerFetched<Parcel>>)>,
    ) {
        if self.fetchers.get(&leader).is_none_or(|fetcher| fetcher.number != number) {
            return;
        }
        for (partition, fetch, answer) in parts {
            let Some(place) = self.replicas.place(partition) else { continue };
            let Some(answer) = answer else {
                self.delayed.insert(partition, time(cx.now()) + FOLLOW_BACKOFF);
                continue;
            };
            let batches = match &answer {
                FollowerFetched::Batches(fetched) => fetched.batches.clone(),
                _ => Vec::new(),
            };
            let before: Vec<_> = match &answer {
                FollowerFetched::Batches(_) => Vec::new(),
                // It may be cut.
                _ => self.replicas.all[place].replica.log.batches().cloned().collect(),
            };
            let step = self.replicas.all[place].replica.received(fetch.epoch, fetch.from, answer);
            let spec = Arc::clone(&self.spec);
            let at = at(&spec, place, partition);
            for batch in batches.iter().take(step.appended) {
                self.tape.write(cx, &at, batch);
            }
            let topic = self.spec.topic(partition).number;
            let mut reasons = BTreeMap::new();
            for lost in &step.lost {
                let (fact, why) = match lost.loss {
                    CutFor::UncleanElection => (TopicFact::LostUnclean, Loss::UncleanElection),
                    CutFor::AcknowledgedByLeaderOnly => (TopicFact::LostLeaderOnly, Loss::LeaderOnly),
                    CutFor::NeverAcknowledged => (TopicFact::LostNeverAcknowledged, Loss::NotAwaited),
                    CutFor::Unanswered => (TopicFact::CutUnanswered, Loss::Unanswered),
                };
                reasons.insert(lost.offset, why);
                cx.observe(Observation::Logged { topic, fact, count: 1 });
            }
            let why = |offset: Offset| reasons.get(&offset).copied().unwrap_or(Loss::Unanswered);
            let end = self.replicas.all[place].replica.log.end();
            for batch in before.iter().filter(|batch| batch.last >= end) {
                self.tape.clear(cx, &at, batch, why);
            }
            if !step.is_used {
                self.delayed.insert(partition, time(cx.now()) + FOLLOW_BACKOFF);
            }
        }
        self.fetch_from(cx, leader);
    }
}
