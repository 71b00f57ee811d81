//! Topics: brokers that keep partitions of records, those that publish to them, and groups that read them.
//!
//! The protocols stand in [`log`](crate::protocol::log); here is what nodes add to them: requests and answers and what is done when
//! they are lost ([`wire`]), the disk ([`tape`]), and what is observed. A [`LogBroker`] holds replicas; a [`LogController`] says who
//! leads and coordinates groups and transactions; a [`Producers`] stands in every caller that publishes, a [`Reader`] in every service
//! that consumes.
//!
//! A record keeps the name of the message that was published. Every replica that has it keeps one more copy of that message, and so
//! does the producer until it is told; each poll that returns it makes another one, for the consumer. So the ledger knows who
//! processed it how often, and whether one that was confirmed is gone.

mod broker;
mod controller;
mod due;
mod leaders;
mod metadata;
mod producers;
mod reader;
mod spec;
mod tape;
mod wire;

use crate::base::id::NodeId;
use crate::base::random::mix;
use crate::process::MessageId;
use crate::protocol::log::partition::Record;

use super::caller::{Cx, nested_luck};
use super::letter::Letter;
pub(in crate::model) use wire::Body;

pub use broker::LogBroker;
pub use controller::LogController;
pub use leaders::Leaders;
pub(super) use producers::{Finished, Producers};
pub(super) use reader::{Reader, Turn};
pub use spec::{LogSpec, ProducerSpec, ReadCosts, ReaderSpec, RecordSpec, TopicSpec};
pub use wire::Bulk;

/// A message that was published, as brokers know it. There are as many as there are records in all logs: packed, each takes 20 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(Rust, packed(4))]
pub struct Parcel {
    /// Who published it, and its number there.
    pub message: MessageId,
    /// The name its luck is drawn by.
    pub luck: u64,
    /// What kind of message it is.
    pub call: u16,
}

const _: () = assert!(size_of::<Parcel>() == 20);

/// A record in a log.
type Entry = Record<Parcel>;

/// What nodes that deal with topics have timers for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogAlarm {
    /// A broker says that it is alive.
    Beat,
    /// Something is due at the controller, or at a consumer.
    Tick,
    /// A fetch has waited long enough.
    Fetches,
    /// It is time to see who lags.
    Lag,
    /// It is time to delete old records.
    Retention,
    /// A read of the disk is through.
    Disk,
    /// It is time to fetch from this broker again.
    Refetch(u16),
    /// Something is due at this producer of the node.
    Producer(u16),
}

/// What a node says, each time under a name of its own.
#[derive(Debug)]
struct Voice {
    life: u32,
    said: u64,
}

impl Voice {
    /// That of a node which had come up so often before.
    fn new(life: u32) -> Self {
        Self { life, said: u64::from(life) << 40 }
    }

    /// A number that was not used before, in any life.
    fn said(&mut self) -> u64 {
        self.said += 1;
        self.said
    }

    /// Says something to a node, in so many bytes.
    fn say(&mut self, cx: &mut Cx<'_>, to: NodeId, body: Body, size: u64) {
        let count = self.said();
        let luck = nested_luck(cx.name().bits(), self.life, mix(count));
        cx.send_sized(to, Letter::Bulk(Box::new(Bulk { luck, body })), size);
    }
}
