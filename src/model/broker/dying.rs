//! What becomes of messages that die in a queue.

use std::sync::Arc;

use crate::model::caller::Cx;
use crate::model::clock::time;
use crate::process::{Exit, Loss, Observation, QueueFact};
use crate::protocol::amqp::{Dead, DeathReason, Incoming, QueueId};

use super::word::Posted;
use super::{Broker, Parcel, Stand};

impl Broker {
    /// Sends the dead where their queue says, until nobody has died any more.
    pub(super) fn bury(&mut self, cx: &mut Cx<'_>) {
        while !self.dead.is_empty() {
            for (from, dead) in std::mem::take(&mut self.dead) {
                self.bury_one(cx, from, dead);
            }
        }
    }

    fn bury_one(&mut self, cx: &mut Cx<'_>, from: QueueId, dead: Dead<Parcel>) {
        let script = Arc::clone(&self.script);
        let hosted = &self.spec.queues[from.index()];
        let parcel = dead.message;
        let publication = script.calls[usize::from(parcel.call)].publication.as_deref();
        let mut found = Vec::new();
        let mut letter_of = parcel.letter_of;
        if let (Some(letters), Some(publication)) = (&hosted.dead_letters, publication) {
            if letters.routing_key.is_some() {
                letter_of = Some(from);
            }
            let key = self.spec.key_of(letter_of, publication);
            self.routing.route(letters.exchange, key, &publication.headers, &mut found);
            found.retain(|&queue| !dead.deaths.would_cycle(queue));
        }
        let (number, reason) = (hosted.number, dead.reason);
        let incoming = Incoming {
            message: Parcel { stand: Stand::Nowhere, letter_of, ..parcel },
            size: dead.size,
            priority: dead.priority,
            ttl: None,
            persistent: dead.persistent,
            deaths: dead.deaths,
        };
        let posted = Posted { incoming, key: None, at: time(cx.now()) };
        let (taken, _) = self.distribute(cx, &found, &posted, None);
        let (fact, why) = match reason {
            DeathReason::Rejected => (QueueFact::DiedRejected, Loss::Rejected),
            DeathReason::Expired => (QueueFact::DiedExpired, Loss::Expired),
            DeathReason::MaxLen => (QueueFact::DiedMaxLen, Loss::MaxLength),
            DeathReason::DeliveryLimit => (QueueFact::DiedDeliveryLimit, Loss::DeliveryLimit),
        };
        if taken > 0 {
            cx.observe(Observation::Queued { queue: number, fact: QueueFact::DeadLettered });
        }
        cx.observe(Observation::Queued { queue: number, fact });
        let exit = match taken {
            0 if dead.is_letter => Exit::LetGo(Loss::DeadLetter),
            0 => Exit::LetGo(why),
            _ => Exit::HandedOn,
        };
        self.release(cx, from, parcel, exit);
        found.into_iter().for_each(|queue| self.hand_out(cx, queue));
        self.look_at(cx, from);
    }
}
