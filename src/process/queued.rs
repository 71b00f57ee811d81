//! What happens to messages in the queues of a broker.

use super::facts::facts;

facts! {
    /// Something happened to a message in a queue.
    QueueFact {
        /// Messages that the queue took.
        Published "published",
        /// Messages that the queue refused because it was full (see `overflow`).
        Refused "refused",
        /// Messages for it that waited unread, as their publisher was kept back.
        ///
        /// Its credit was used up (`credit-flow-default-credit`), or a node of the broker had too little memory
        /// (`vm-memory-high-watermark`).
        Unread "unread",
        /// Messages that were sent to a consumer, each time they were.
        Delivered "delivered",
        /// Deliveries of messages that had been delivered before.
        Redelivered "redelivered",
        /// Messages that a consumer acknowledged, or that counted as processed when they were sent.
        Acknowledged "acknowledged",
        /// Messages that a consumer rejected for good.
        DiedRejected "died-rejected",
        /// Messages whose time to live passed in the queue.
        DiedExpired "died-expired",
        /// Messages that had to go because the queue was full (see `overflow`).
        DiedMaxLen "died-maxlen",
        /// Messages that came back more often than `delivery-limit` allows.
        DiedDeliveryLimit "died-delivery-limit",
        /// Messages that died and went on to another queue as dead letters.
        DeadLettered "dead-lettered",
    }
}
