//! What is seen from outside, of RabbitMQ and of the model alike.

use std::collections::BTreeMap;

use crate::operation::Holder;

/// Everything seen of one operation.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct View {
    /// What everybody saw, in order.
    pub events: BTreeMap<Party, Vec<Event>>,
    /// What is said of each queue that is there.
    pub queues: BTreeMap<usize, Count>,
}

/// Who sees something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Party {
    /// Who publishes.
    Publisher,
    /// Who holds deliveries.
    Holder(Holder),
}

/// What is seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A message is confirmed, or refused; whether it was returned before.
    Confirm {
        /// Whether the broker took responsibility.
        positive: bool,
        /// The reply code with which it came back.
        returned: Option<u16>,
    },
    /// A message arrives.
    Delivery(Message),
    /// There was nothing to be fetched.
    Empty,
    /// The channel was closed by the broker, with this reply code.
    Closed(u16),
}

/// A message as it arrives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Which one.
    pub id: u32,
    /// Its delivery tag.
    pub tag: u64,
    /// The exchange it came through last.
    pub exchange: String,
    /// The key it had there.
    pub key: String,
    /// Whether it may have been delivered before.
    pub redelivered: bool,
    /// `x-delivery-count`; 0 where it is not said.
    pub count: u32,
    /// Its priority.
    pub priority: Option<u8>,
    /// Its time to live in milliseconds.
    pub expiration: Option<String>,
    /// Whether it is persistent.
    pub persistent: bool,
    /// `x-death`.
    pub deaths: Vec<Death>,
    /// How many messages are left, if it was fetched.
    pub left: Option<u32>,
}

/// An entry of `x-death`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Death {
    /// Where it died.
    pub queue: String,
    /// What of.
    pub reason: String,
    /// How often.
    pub count: u64,
    /// The exchange it had come through when it died so for the first time.
    pub exchange: String,
    /// The keys it had then.
    pub keys: Vec<String>,
    /// Its time to live then.
    pub expiration: Option<String>,
}

/// What the broker says of a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Count {
    /// Messages that are ready.
    pub ready: u32,
    /// Consumers that are subscribed, to a classic queue.
    pub consumers: Option<u32>,
}

impl View {
    /// Something is seen.
    pub fn push(&mut self, party: Party, event: Event) {
        self.events.entry(party).or_default().push(event);
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.events.values().map(Vec::len).sum()
    }

    /// A line for each event and for each queue.
    pub fn lines(&self) -> Vec<String> {
        let events = self
            .events
            .iter()
            .flat_map(|(party, events)| events.iter().map(move |event| format!("{party:?}: {event:?}")));
        events.chain(self.queues.iter().map(|(queue, count)| format!("queue {queue}: {count:?}"))).collect()
    }
}
