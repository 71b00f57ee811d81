//! Publishing to topics: what a caller does with messages that its producers send, in batches and when they see fit.

use super::attempts::key_of_message;
use super::{Caller, Cx, Ended};
use crate::base::id::{Entity, NodeId};
use crate::model::broker::Word;
use crate::model::envelope::{Envelope, Kind};
use crate::model::log::{Body, Bulk, Finished, Parcel, Producers, RecordSpec};
use crate::model::policy::Delivery;
use crate::model::script::Script;
use crate::process::{Close, MessageId, Observation, Outcome};
use crate::protocol::log::producer::sender;

impl Caller {
    /// Hands a message to its producer. How it ended, if nobody waits for a confirmation.
    #[cold]
    #[inline(never)]
    pub(super) fn publish(
        &mut self,
        script: &Script,
        cx: &mut Cx<'_>,
        number: u32,
        record: &RecordSpec,
    ) -> Option<Outcome> {
        let key = self.key_of(number);
        let pending = self.outstanding.get_mut(key)?;
        pending.attempt += 1;
        pending.gone = pending.gone.saturating_add(1);
        let (luck, call) = (pending.luck, pending.call);
        let spec = &script.calls[usize::from(call)];
        let about = key_of_message(script, spec, luck, &self.given, key);
        let draw = || script.keys.size.block(Entity::from_bits(luck), 0).first();
        let size = spec.size.bytes_or(draw, || self.given.of(key).size);
        let message = MessageId { owner: cx.me, number };
        cx.observe(Observation::Attempted { message });
        let life = self.first_number >> 24;
        self.producers().publish(cx, record, life, (Parcel { message, luck, call }, about, size), &script.keys.about);
        if spec.policy.delivery != Delivery::AtMostOnce {
            return None;
        }
        cx.observe(Observation::Closed { message, why: Close::Sent });
        self.given.forget(key);
        self.outstanding.remove(key);
        Some(Outcome::Done)
    }

    /// Hands a message that somebody else waits for to its producer.
    #[cold]
    pub(in crate::model) fn produce_for_another(
        &mut self,
        script: &Script,
        cx: &mut Cx<'_>,
        record: &RecordSpec,
        (parcel, about, size): (Parcel, Option<u64>, u64),
    ) {
        let life = self.first_number >> 24;
        self.producers().publish(cx, record, life, (parcel, about, size), &script.keys.about);
    }

    /// What has become of messages at its producers that somebody else waits for.
    pub(in crate::model) fn of_others(&mut self) -> Vec<Finished> {
        self.producers.as_mut().map_or_else(Vec::new, |producers| std::mem::take(&mut producers.of_others))
    }

    /// What it publishes to topics with.
    pub(in crate::model) fn producers(&mut self) -> &mut Producers {
        self.producers.get_or_insert_default()
    }

    /// Something was said to its producers. What has ended with it.
    #[cold]
    #[inline(never)]
    pub(in crate::model) fn told(&mut self, script: &Script, cx: &mut Cx<'_>, from: NodeId, bulk: &Bulk) -> Vec<Ended> {
        if let Body::Work(Word::Blocked { is_blocked }) = bulk.body() {
            self.heard_of_blocking(script, cx, from, *is_blocked);
            return Vec::new();
        }
        let Some(producers) = &mut self.producers else { return Vec::new() };
        let finished = producers.heard(cx, from, bulk.body());
        self.finish(script, cx, finished)
    }

    /// Something is due at one of its producers. What has ended with it.
    #[cold]
    #[inline(never)]
    pub(in crate::model) fn produce(&mut self, script: &Script, cx: &mut Cx<'_>, producer: u16) -> Vec<Ended> {
        let Some(producers) = &mut self.producers else { return Vec::new() };
        let finished = producers.woken(cx, producer);
        self.finish(script, cx, finished)
    }

    /// The connection to a broker is broken. What has ended with it.
    pub(super) fn cut_off(&mut self, script: &Script, cx: &mut Cx<'_>, peer: NodeId) -> Vec<Ended> {
        let Some(producers) = &mut self.producers else { return Vec::new() };
        let finished = producers.disconnected(cx, peer);
        self.finish(script, cx, finished)
    }

    fn finish(&mut self, script: &Script, cx: &mut Cx<'_>, finished: Vec<Finished>) -> Vec<Ended> {
        let (finished, others): (Vec<_>, Vec<_>) = finished.into_iter().partition(|finished| {
            let key = self.key_of(finished.number);
            self.outstanding.get_mut(key).is_some()
        });
        if let Some(producers) = &mut self.producers {
            producers.of_others.extend(others);
        }
        let end = |Finished { number, call, outcome }| match outcome {
            sender::Outcome::Written(_) => {
                let answer = Envelope::new(Kind::Ack(Outcome::Done), 0, number, call, 1);
                self.answered(script, cx, &answer, Outcome::Done)
            }
            sender::Outcome::TimedOut { .. } => self.close(script, cx, number, Close::TimedOut, Outcome::Failed),
            sender::Outcome::Refused => self.close(script, cx, number, Close::Failed, Outcome::Failed),
        };
        finished.into_iter().filter_map(end).collect()
    }
}
