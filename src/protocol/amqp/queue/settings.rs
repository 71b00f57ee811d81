//! What can be said about a work queue.

use std::num::NonZeroU32;

use crate::base::settings::{Kind, Setting, Settings, Value, mismatch};
use crate::base::time::Span;
use crate::base::units::Bytes;
use crate::{settings, words};

words! {
    /// How a queue is kept.
    pub enum QueueType {
        /// On one node. Messages that are persistent are written to its disk, if the queue is durable.
        Classic = "classic",
        /// On several nodes, by Raft. Every message is durable, whatever its delivery mode.
        Quorum = "quorum",
    }
}

words! {
    /// What happens when a queue is full.
    pub enum Overflow {
        /// The message at the head, the next to be delivered, dies to make room.
        DropHead = "drop-head",
        /// The new message is refused: its publisher gets a negative confirm. A quorum queue takes one too many first, and goes on
        /// when no more than four fifths of its limits are in use.
        RejectPublish = "reject-publish",
        /// As `reject-publish`, and the refused message goes to the dead letter exchange. Classic queues only.
        RejectPublishDlx = "reject-publish-dlx",
    }
}

words! {
    /// The absence of a limit.
    pub enum Unlimited {
        /// As often as it takes.
        Unlimited = "unlimited",
    }
}

/// How often a message may be returned to a quorum queue before it dies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeliveryLimit {
    /// So many times: it is delivered once more than that.
    Times(u32),
    /// No limit, as before RabbitMQ 4.0.
    Unlimited,
}

impl Setting for DeliveryLimit {
    const KIND: Kind = Kind::Either(&u32::KIND, &Unlimited::KIND);

    fn read(value: Value) -> Result<Self, String> {
        match value {
            Value::Whole(times) => Ok(Self::Times(times)),
            Value::Word(..) => Unlimited::read(value).map(|_| Self::Unlimited),
            other => Err(mismatch(&other)),
        }
    }

    fn write(&self) -> Option<Value> {
        match self {
            Self::Times(times) => times.write(),
            Self::Unlimited => Unlimited::Unlimited.write(),
        }
    }
}

settings! {
    /// A work queue of a message broker. It keeps messages in order, hands each to one of its consumers, and forgets it when the
    /// consumer acknowledges; what is not acknowledged is delivered again. It decouples those who ask from those who work and
    /// evens out bursts, at the price of waiting in between and of duplicates after failures.
    pub struct WorkQueueSettings = "work-queue", "RabbitMQ 4.0 (AMQP 0-9-1); differences since 3.10 stand at the fields" {
        /// How it is kept. Without it a classic queue, or a quorum queue where a key is written that only that has.
        r#type: Option<QueueType> = None,
        /// Whether it survives a restart of its node. AMQP leaves the choice to the client; true is what RabbitMQ's management
        /// page declares, and the only choice for a quorum queue. Not durable and not exclusive is deprecated since 3.13.
        durable: bool = true,
        /// Whether it belongs to the connection that declared it, and ends with it. In a scenario that is the connection of the only
        /// node that consumes from it: the queue is there when that node is.
        exclusive: bool = false,
        /// Whether it is deleted when its last consumer leaves. One that never had a consumer stays.
        auto_delete: bool = false,
        /// How many messages may be ready. Those delivered and not yet acknowledged do not count. Without it there is no limit.
        max_length: Option<u32> = None,
        /// How many bytes the bodies of ready messages may have. Without it there is no limit.
        max_length_bytes: Option<Bytes> = None,
        /// What happens when it is full.
        overflow: Overflow = Overflow::DropHead,
        /// How long a message may wait, unless its own time to live is shorter. At 0 it expires unless a consumer takes it at
        /// once; a quorum queue gives it a millisecond. Without it messages wait for as long as it takes.
        message_ttl: Option<Span> = None,
        /// How long it may be unused, without a consumer and without being declared again, before it is deleted. To declare a
        /// quorum queue again is no use of it. Without it it stays.
        expires: Option<Span> = None,
        /// The highest priority, up to 255. Higher ones count as this one; messages without one have 0. Classic queues only,
        /// which have no priorities without it. A quorum queue always has two (since 4.0): above 4 and the rest, of which it
        /// delivers two to one.
        max_priority: Option<NonZeroU32> = None,
        /// How often a message may be returned before it dies, or `"unlimited"`. Quorum queues only, where it is 20 if nothing is
        /// said (since 4.0; before, unlimited).
        delivery_limit: Option<DeliveryLimit> = None,
        /// Whether one consumer gets all messages. When it leaves, the one of the highest priority takes over, of several the one
        /// that came first. At a quorum queue one of a higher priority takes over as soon as the active one holds nothing (since
        /// 4.0).
        single_active_consumer: bool = false,
    }
}

impl Settings for WorkQueueSettings {
    fn check(&self) -> Result<(), String> {
        let refused = match self.kind() {
            QueueType::Classic => [
                (self.delivery_limit.is_some(), "has no `delivery-limit`: only a quorum queue has one"),
                (self.max_priority.is_some_and(|most| most.get() > 255), "takes a `max-priority` up to 255"),
            ]
            .to_vec(),
            QueueType::Quorum => vec![
                (!self.durable, "is always durable if its type is quorum"),
                (self.exclusive, "cannot be exclusive if its type is quorum"),
                (self.auto_delete, "has no `auto-delete` if its type is quorum"),
                (self.max_priority.is_some(), "has no `max-priority` if its type is quorum"),
                (self.overflow == Overflow::RejectPublishDlx, "cannot `reject-publish-dlx` if its type is quorum"),
            ],
        };
        if let Some((_, why)) = refused.into_iter().find(|&(is_refused, _)| is_refused) {
            return Err(why.into());
        }
        if self.expires == Some(Span::ZERO) { Err("has to `expire` after more than no time".into()) } else { Ok(()) }
    }
}

impl WorkQueueSettings {
    /// How it is kept.
    pub fn kind(&self) -> QueueType {
        self.r#type.unwrap_or(match self.delivery_limit {
            Some(_) => QueueType::Quorum,
            None => QueueType::Classic,
        })
    }

    /// How often a message may be returned before it dies.
    pub fn returns(&self) -> Option<u32> {
        match (self.kind(), self.delivery_limit) {
            (QueueType::Classic, _) | (_, Some(DeliveryLimit::Unlimited)) => None,
            (QueueType::Quorum, Some(DeliveryLimit::Times(times))) => Some(times),
            (QueueType::Quorum, None) => Some(20),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::settings::Listing;
    use crate::protocol::family::well_kept;

    #[test]
    fn the_names_are_those_of_the_arguments() {
        well_kept(&[Listing::<WorkQueueSettings>::of::<WorkQueueSettings>()]);
        let names: Vec<_> = Listing::<WorkQueueSettings>::of::<WorkQueueSettings>().names.to_vec();
        assert_eq!(names[..5], ["type", "durable", "exclusive", "auto-delete", "max-length"]);
        assert_eq!(names[5..9], ["max-length-bytes", "overflow", "message-ttl", "expires"]);
        assert_eq!(names[9..], ["max-priority", "delivery-limit", "single-active-consumer"]);
    }

    #[test]
    fn what_a_kind_of_queue_does_not_have_is_refused() {
        let quorum = WorkQueueSettings { r#type: Some(QueueType::Quorum), ..Default::default() };
        let classic = WorkQueueSettings::default();
        assert!(quorum.check().is_ok() && classic.check().is_ok());
        for settings in [
            WorkQueueSettings { durable: false, ..quorum.clone() },
            WorkQueueSettings { exclusive: true, ..quorum.clone() },
            WorkQueueSettings { auto_delete: true, ..quorum.clone() },
            WorkQueueSettings { max_priority: NonZeroU32::new(9), ..quorum.clone() },
            WorkQueueSettings { overflow: Overflow::RejectPublishDlx, ..quorum },
            WorkQueueSettings {
                r#type: Some(QueueType::Classic),
                delivery_limit: Some(DeliveryLimit::Unlimited),
                ..classic.clone()
            },
            WorkQueueSettings { max_priority: NonZeroU32::new(256), ..classic.clone() },
            WorkQueueSettings { expires: Some(Span::ZERO), ..classic },
        ] {
            assert!(settings.check().is_err(), "{settings:?}");
        }
    }

    #[test]
    fn a_quorum_queue_has_a_delivery_limit_of_twenty() {
        let mut settings = WorkQueueSettings { r#type: Some(QueueType::Quorum), ..Default::default() };
        assert_eq!(settings.returns(), Some(20));
        settings.delivery_limit = Some(DeliveryLimit::read(Value::Whole(3)).unwrap());
        assert_eq!(settings.returns(), Some(3));
        settings.delivery_limit = Some(DeliveryLimit::read(Value::Word(0, "unlimited")).unwrap());
        assert_eq!(settings.returns(), None);
        assert_eq!(WorkQueueSettings::default().returns(), None);
    }
}
