//! What consumers fetch: at once, when there is enough, or when they have waited long enough, and from the disk what is old.

use std::collections::BTreeSet;

use crate::base::id::NodeId;
use crate::base::time::Span;
use crate::base::units::Bytes;
use crate::model::Alarm;
use crate::model::caller::Cx;
use crate::model::clock::time;
use crate::process::Clock;
use crate::protocol::log::fetch::{FetchPart, PartAnswer, Purgatory, Wanted, read};
use crate::protocol::log::ids::TopicPartition;
use crate::protocol::log::partition::Isolation;
use crate::protocol::log::replica::Replica;

use super::super::wire::{Body, FetchAsk};
use super::super::{LogAlarm, Parcel};
use super::{ISOLATIONS, LogBroker};

impl LogBroker {
    /// A consumer's fetch comes.
    pub(super) fn fetch(&mut self, cx: &mut Cx<'_>, from: NodeId, ask: FetchAsk) {
        let now = time(cx.now());
        let isolation = ask.isolation;
        self.note_beginning(cx, &ask);
        let wanted = Wanted {
            parts: ask.parts.iter().map(|part| (part.partition, part.from)).collect(),
            min_bytes: ask.min,
            deadline: now + ask.wait,
            fetch: (from, ask),
        };
        let replicas = &self.replicas;
        let waiting = self.consumers.entry(isolation).or_default();
        match waiting.enter(wanted, now, |of, from| replicas.available(of, from, isolation)) {
            Some(Wanted { fetch: (node, ask), .. }) => self.serve(cx, node, ask),
            None => self.look_at_fetches(cx),
        }
    }

    /// A consumer's fetch is answered.
    pub(super) fn serve(&mut self, cx: &mut Cx<'_>, to: NodeId, ask: FetchAsk) {
        let leads = |partition| self.replicas.get(partition).is_some_and(|replica| replica.leader().is_some());
        let (here, elsewhere): (Vec<_>, Vec<_>) = ask.parts.into_iter().partition(|part| leads(part.partition));
        let log = |partition| self.replicas.get(partition).map(|replica| &replica.log);
        let mut parts = read(&here, ask.max, ask.isolation, log);
        let mut elsewhere: Vec<_> = elsewhere.into_iter().map(|part| part.partition).collect();
        if ask.skips.is_reset_to_end {
            // One that cannot be told yet asks again, as one does that has asked the wrong broker.
            let knows = |partition| self.replicas.get(partition).is_some_and(Replica::knows_the_latest);
            let unknown = parts.extract_if(.., |(partition, answer)| answer.is_err() && !knows(*partition));
            elsewhere.extend(unknown.map(|(partition, _)| partition));
        }
        if ask.skips.is_reset_to_end {
            self.note_reset(cx, ask.skips.place, ask.isolation, &parts);
        }
        let cold = self.cold(&here, &parts);
        let size = parts.iter().filter_map(|(_, answer)| answer.as_ref().ok()).map(|found| found.size.count()).sum();
        let body = Body::Fetched { number: ask.number, parts, elsewhere };
        match cold {
            None => self.say(cx, to, body, size),
            Some(bytes) => self.answer_from_disk(cx, to, body, size, bytes),
        }
    }

    /// How much of these answers lies on disk only, if any of it does.
    fn cold(&self, asked: &[FetchPart], parts: &[(TopicPartition, PartAnswer<Parcel>)]) -> Option<u64> {
        let share = self.spec.reads.page_cache?.count() / (self.replicas.all.len() as u64).max(1);
        let is_cold = |part: &&FetchPart| {
            let behind = self.replicas.available(part.partition, part.from, Isolation::LogEnd);
            behind.is_some_and(|behind| behind.count() > share)
        };
        let cold: BTreeSet<_> = asked.iter().filter(is_cold).map(|part| part.partition).collect();
        let found = parts.iter().filter(|(partition, _)| cold.contains(partition));
        let sizes = found.filter_map(|(_, answer)| Some(answer.as_ref().ok()?.size.count()));
        let bytes: u64 = sizes.sum();
        (bytes > 0).then_some(bytes)
    }

    /// The disk reads one thing after the other.
    fn answer_from_disk(&mut self, cx: &mut Cx<'_>, to: NodeId, body: Body, size: u64, bytes: u64) {
        let costs = &self.spec.reads;
        let transfer = costs.rate.map_or(Span::ZERO, |rate| rate.transmission(Bytes::new(bytes)));
        let now = time(cx.now());
        let begins = self.read.last_key_value().map_or(now, |(&(before, _), _)| before.max(now));
        let through = begins + costs.time + transfer;
        let number = self.voice.said();
        self.read.insert((through, number), (to, body, size));
        cx.set_timer(Clock::Steady, through.since(now), Alarm::Log(LogAlarm::Disk));
    }

    /// Answers with what the disk has read.
    pub(super) fn answer_with_what_is_read(&mut self, cx: &mut Cx<'_>) {
        let now = time(cx.now());
        while let Some(entry) = self.read.first_entry().filter(|entry| entry.key().0 <= now) {
            let (to, body, size) = entry.remove();
            self.say(cx, to, body, size);
        }
    }

    /// Sees to it that somebody looks when a fetch has waited long enough.
    pub(super) fn look_at_fetches(&mut self, cx: &mut Cx<'_>) {
        let consumers = self.consumers.values().filter_map(Purgatory::next_deadline);
        let due = consumers.chain(self.followers.next_deadline()).min();
        self.due.set(cx, due);
    }

    pub(super) fn answer_late(&mut self, cx: &mut Cx<'_>) {
        self.due.fired();
        let now = time(cx.now());
        for Wanted { fetch: (node, number, parts), .. } in self.followers.expired(now) {
            self.feed(cx, node, number, parts, false);
        }
        for isolation in ISOLATIONS {
            let waiting = self.consumers.entry(isolation).or_default();
            for Wanted { fetch: (node, ask), .. } in waiting.expired(now) {
                self.serve(cx, node, ask);
            }
        }
        self.look_at_fetches(cx);
    }
}
