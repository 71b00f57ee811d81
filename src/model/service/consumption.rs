//! Consuming: a service whose requests are what a broker has for it.
//!
//! It says again and again that it is there. A broker that hears of it for the first time, or after it has come up again, delivers;
//! one that was down, or has taken it for lost, does so again when it is heard next.
//!
//! A delivery may be a request. Then the reply goes to the broker it came from, which knows who waits for it, and after that the
//! acknowledgement. What fails has no reply: it is rejected, as every delivery that fails, and whoever waits for it goes on waiting.

use std::collections::BTreeMap;

use crate::base::id::{Entity, NodeId};
use crate::model::Alarm;
use crate::model::caller::nested_luck;
use crate::model::envelope::{Counts, Envelope, Kind};
use crate::process::{Clock, Outcome};

use super::{Cx, Service};

/// What a node consumes.
#[derive(Clone, Debug)]
pub(super) struct Consumption {
    /// The kind of what is delivered to it.
    call: u16,
    /// How often it had come up before.
    life: u32,
    /// How often it has said so.
    said: u32,
    /// What it has got from each node of the broker, and answered.
    counts: Vec<Counts>,
    /// The kinds of the requests that it has got and not answered, by the node of the broker and the number there.
    asked: BTreeMap<(NodeId, u32), u16>,
}

impl Consumption {
    pub(super) fn new(call: u16, life: u32) -> Self {
        Self { call, life, said: 0, counts: Vec::new(), asked: BTreeMap::new() }
    }
}

impl Service {
    /// Says that it is there to the broker it consumes from, if it does, and will again. It says so to all nodes, as any of them may
    /// have the queue.
    #[cold]
    pub(super) fn subscribe(&mut self, cx: &mut Cx<'_>) {
        let Some(consumption) = self.extras.as_ref().and_then(|extras| extras.consumption.as_ref()) else { return };
        let call = &self.script.calls[usize::from(consumption.call)];
        let Some(spec) = call.subscription.as_deref() else { return };
        let (first, brokers, beat) = (spec.broker, spec.brokers, spec.beat);
        (0..brokers).for_each(|place| self.subscribe_at(cx, NodeId::new(first.index() + place)));
        cx.set_timer(Clock::Steady, beat, Alarm::Subscribe);
    }

    /// Says that it is there to one node of the broker.
    #[cold]
    pub(super) fn subscribe_at(&mut self, cx: &mut Cx<'_>, broker: NodeId) {
        let script = std::sync::Arc::clone(&self.script);
        let Some(consumption) = self.consumption() else { return };
        let call = &script.calls[usize::from(consumption.call)];
        let luck = nested_luck(cx.name().bits(), consumption.life, call.name ^ u64::from(consumption.said));
        consumption.said = consumption.said.wrapping_add(1);
        let mut envelope = Envelope::new(Kind::Subscribe, luck, consumption.life, consumption.call, 1);
        if let Some(counts) = self.counts_of(broker) {
            envelope.tell(*counts);
            cx.send_sized(broker, envelope, 0);
        }
    }

    /// A delivery came: the same, as one of the kind that it consumes.
    #[cold]
    pub(super) fn note_delivery(&mut self, from: NodeId, mut envelope: Envelope) -> Envelope {
        if let Some(counts) = self.counts_of(from) {
            counts.received = counts.received.wrapping_add(1);
        }
        if let (Kind::Delivery { asks: true, .. }, Some(consumption)) = (envelope.kind(), self.consumption()) {
            consumption.asked.insert((from, envelope.number), envelope.call);
            envelope.call = consumption.call;
        }
        envelope
    }

    /// A request that was delivered is processed: if well, the broker it came from gets the reply.
    #[cold]
    pub(super) fn reply(&mut self, cx: &mut Cx<'_>, to: NodeId, envelope: &Envelope, outcome: Outcome) {
        let Some(request) = self.consumption().and_then(|it| it.asked.remove(&(to, envelope.number))) else { return };
        if outcome == Outcome::Done {
            let (call, keys) = (&self.script.calls[usize::from(request)], &self.script.keys);
            let size = call.reply_size.bytes(|| keys.size.block(Entity::from_bits(envelope.luck), 1).first());
            cx.send_sized(to, envelope.turned(Kind::Reply(outcome)), size);
        }
    }

    /// A delivery is answered, or, if it is `settled`, processed.
    #[cold]
    pub(super) fn note_answer(&mut self, cx: &mut Cx<'_>, to: NodeId, (settled, outcome): (bool, Outcome)) {
        if settled {
            return self.note_processed(cx, outcome);
        }
        if let Some(counts) = self.counts_of(to) {
            counts.answered = counts.answered.wrapping_add(1);
        }
    }

    /// What it has got from a node of the broker, and answered.
    fn counts_of(&mut self, broker: NodeId) -> Option<&mut Counts> {
        let consumption = self.extras.as_mut()?.consumption.as_mut()?;
        let spec = self.script.calls[usize::from(consumption.call)].subscription.as_deref()?;
        let place = broker.index().checked_sub(spec.broker.index()).filter(|place| *place < spec.brokers)? as usize;
        if consumption.counts.len() <= place {
            consumption.counts.resize(place + 1, Counts::default());
        }
        consumption.counts.get_mut(place)
    }

    fn consumption(&mut self) -> Option<&mut Consumption> {
        self.extras.as_mut()?.consumption.as_mut()
    }
}
