//! Who is who at a broker: dense ids, given by whoever builds it.

/// A queue's place among the queues of a broker.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct QueueId(u32);

/// An exchange's place among the exchanges of a broker.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ExchangeId(u32);

/// A consumer at one queue. Its owner gives the number; no two consumers of one queue have the same.
///
/// Delivery tags count per consumer here. In AMQP they count per channel: a consumer stands for a channel of its own, which is
/// what most client libraries and all frameworks do with a channel that has a prefetch limit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConsumerId(u64);

impl QueueId {
    /// The queue at `index`.
    pub const fn new(index: u32) -> Self {
        Self(index)
    }

    /// The index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl ExchangeId {
    /// The default exchange, which every broker has: a message goes to the queue whose name is its routing key.
    pub const DEFAULT: Self = Self(0);

    /// The exchange at `index`; 0 is the default exchange.
    pub const fn new(index: u32) -> Self {
        Self(index)
    }

    /// The index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl ConsumerId {
    /// The consumer with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}
