//! Requests and their replies: RabbitMQ's *direct reply-to*.
//!
//! Whoever publishes a request says where the reply goes: to its own connection with the node it publishes to, under the request's
//! number as correlation id. A consumer sends its reply to the node that delivered the request, which hands it to the node with that
//! connection, which sends it on. No queue keeps a reply on its way, and nobody confirms it: it is lost if that connection is not
//! there any more, as after a crash of that node, and if the channel is not that the request was delivered on. Whether a reply
//! comes too late, or twice, is for the requester to notice.
//!
//! Source: rabbitmq.com/docs/direct-reply-to.

use std::sync::Arc;

use crate::base::id::{Entity, NodeId};
use crate::base::random::{mix, mix_all};
use crate::model::caller::Cx;
use crate::model::envelope::{Envelope, Kind};
use crate::process::{MessageId, Outcome};

use super::consuming::consumer_of;
use super::word::Word;
use super::{Broker, Parcel};

/// Where the reply to a request goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ReplyTo {
    /// Which attempt it answers, modulo 256.
    pub(super) attempt: u8,
    /// The place of the node that the request was published to.
    pub(super) place: u32,
    /// How often that node had come up before: the connection is gone when it comes up again.
    pub(super) life: u32,
}

/// A request that was delivered and not replied to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    message: MessageId,
    call: u16,
    reply_to: ReplyTo,
}

/// A reply on its way to the node that knows the requester.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::model) struct Answer {
    message: MessageId,
    /// The name its luck is drawn by.
    luck: u64,
    call: u16,
    reply_to: ReplyTo,
    /// Its size.
    pub(super) size: u64,
}

impl Asked {
    /// A request that is delivered.
    pub(super) fn of(parcel: &Parcel, reply_to: ReplyTo) -> Self {
        Self { message: parcel.message, call: parcel.call, reply_to }
    }
}

impl Answer {
    /// A fingerprint.
    pub(super) fn digest(&self) -> u64 {
        mix_all([self.luck, self.message.number.into(), self.reply_to.life.into()])
    }
}

/// The name that the luck of what is published is drawn by. Each attempt of a request is one more message in its queue.
pub(super) fn luck_of(envelope: &Envelope) -> u64 {
    if envelope.kind() == Kind::Request && envelope.attempt > 1 {
        return mix(envelope.luck ^ mix(envelope.attempt.into()));
    }
    envelope.luck
}

impl Broker {
    /// Where the reply to what is published goes, if it is a request.
    pub(super) fn reply_to(&self, envelope: &Envelope) -> Option<ReplyTo> {
        let is_request = envelope.kind() == Kind::Request;
        is_request.then_some(ReplyTo { attempt: envelope.attempt, place: self.place, life: self.life })
    }

    /// A consumer replies to a request. What comes on a channel that was lost is nobody's reply any more.
    pub(super) fn replied(&mut self, cx: &mut Cx<'_>, from: NodeId, envelope: &Envelope) {
        let Some(channel) = self.channels.get_mut(&consumer_of(from, envelope.call)) else { return };
        let Some(Asked { message, call, reply_to }) = channel.asked.remove(&envelope.number) else { return };
        let script = Arc::clone(&self.script);
        let draw = || script.keys.size.block(Entity::from_bits(envelope.luck), 1).first();
        let size = script.calls[usize::from(call)].reply_size.bytes(draw);
        let luck = mix(envelope.luck ^ mix(envelope.attempt.into()));
        let answer = Answer { message, luck, call, reply_to, size };
        if reply_to.place == self.place {
            self.pass_back(cx, answer);
        } else {
            self.say(cx, self.node(reply_to.place), Word::Reply(answer));
        }
    }

    /// Sends a reply to the requester, if its connection is still there.
    pub(super) fn pass_back(&mut self, cx: &mut Cx<'_>, answer: Answer) {
        let Answer { message, luck, call, reply_to, size } = answer;
        if reply_to.life != self.life {
            return;
        }
        let envelope = Envelope::new(Kind::Reply(Outcome::Done), luck, message.number, call, reply_to.attempt.into());
        cx.send_sized(message.owner, envelope, size);
    }
}
