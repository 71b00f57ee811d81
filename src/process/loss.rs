//! Why messages are lost, and the setting that allowed it.
//!
//! A role states the reason before it is known whether it will be needed: with each step that leaves a message with less
//! protection (it is kept where a crash takes it, it is let go of) it says what a loss would then be due to. The last reason that
//! was stated holds. A new reason is one line here.

use super::facts::facts;

macro_rules! losses {
    ($($(#[doc = $doc:literal])+ $variant:ident $name:literal $setting:literal,)*) => {
        facts! {
            /// What a message was lost by.
            Loss {
                $($(#[doc = $doc])+ $variant $name,)*
            }
        }

        impl Loss {
            /// The key of the language that allowed it, or that would have helped; where it is one of several, with a comma between.
            pub const fn setting(self) -> &'static str {
                match self {
                    $(Self::$variant => $setting,)*
                }
            }
        }
    };
}

losses! {
    /// Lost on the way to the broker, or at a broker that was down: it was published without confirm.
    ///
    /// Nobody tells its publisher, so it is not published again.
    Unpublished "lost-unconfirmed-publish" "confirm",
    /// Lost on the way to the broker, or at a broker that was down: its publisher gave up before it was confirmed.
    ///
    /// More attempts, or a longer deadline, would have brought it there.
    GivenUp "lost-given-up" "max-attempts",
    /// Lost in a crash of whoever was to publish it: it was not confirmed, and was to be published again.
    ///
    /// A row in an outbox is on disk, and is published after the crash.
    Publisher "lost-with-publisher" "outbox",
    /// Lost in a crash of the broker: it was still unread, as publishers were kept back.
    ///
    /// A publisher that waits for the confirm, and publishes again without one, does not lose it.
    Unread "lost-unread" "confirm",
    /// Refused by a queue that was full, for the last time.
    ///
    /// Its publisher knows, if it asked for a confirm.
    Refused "lost-refused" "overflow",
    /// Lost at the exchange: no queue was bound for it.
    ///
    /// That is no failure unless the publisher says so, and it is confirmed all the same.
    Unroutable "lost-unroutable" "mandatory",
    /// Lost in a crash of the broker: the queue was not durable.
    TransientQueue "lost-transient-queue" "durable",
    /// Lost in a crash of the broker: the message was not persistent.
    TransientMessage "lost-transient-message" "persistent",
    /// Lost in a crash of the broker: it was not yet on disk, nor confirmed.
    ///
    /// A publisher that waits for the confirm, and publishes again without one, does not lose it.
    Unsynced "lost-unsynced" "confirm",
    /// Lost in a crash of the service that was to publish it: its row was in the outbox, and not yet synced.
    Outbox "lost-outbox" "fsync",
    /// Lost with the leader of the queue: a majority of replicas did not have it yet, and it was not confirmed.
    ///
    /// A publisher that waits for the confirm, and publishes again without one, does not lose it.
    Uncommitted "lost-uncommitted" "confirm",
    /// Lost between two nodes of the broker, on the way to the one that has the queue.
    ///
    /// A publisher that waits for the confirm, and publishes again without one, does not lose it.
    Forwarded "lost-between-nodes" "confirm",
    /// Dropped by the broker: the queue had no leader.
    ///
    /// A publisher that waits for the confirm, and publishes again without one, does not lose it.
    NoLeader "lost-no-leader" "confirm",
    /// Lost on the way to a consumer, or with it, or by its failure: it was acknowledged automatically, when it was sent.
    Automatic "lost-automatic-acknowledgement" "acknowledge",
    /// Dropped when a consumer rejected it: it was not to be requeued, and the queue has nowhere for dead letters to go.
    Rejected "lost-rejected" "requeue",
    /// Dropped when its time to live had passed: the queue has nowhere for dead letters to go.
    Expired "lost-expired" "message-ttl, expiration",
    /// Dropped because the queue was full: it has nowhere for dead letters to go.
    MaxLength "lost-maxlen" "overflow",
    /// Dropped when it had come back too often: the queue has nowhere for dead letters to go.
    DeliveryLimit "lost-delivery-limit" "delivery-limit",
    /// Deleted with its queue, or too late for it: it was exclusive, and the connection that it belonged to had ended.
    ///
    /// A consumer's connection ends when its node goes down, or is not heard of for the broker's `heartbeat`, or the broker goes down.
    ExclusiveQueue "lost-exclusive-queue" "exclusive",
    /// Deleted with its queue, or too late for it: its last consumer had left.
    AutoDelete "lost-auto-delete" "auto-delete",
    /// Deleted with its queue, or too late for it: it had no consumer for too long.
    QueueExpired "lost-queue-expired" "expires",
    /// Deleted with the queue of a subscriber of an exchange, whose connection had ended.
    ///
    /// A durable queue with a name would have kept it. What is published while a subscriber has no queue is not addressed to it.
    Subscriber "lost-with-subscriber" "queue",
    /// Dropped as a dead letter: no queue took it.
    ///
    /// None is bound for its key, they are full, or it has died there before without being rejected.
    DeadLetter "lost-dead-letter" "dead-letter-exchange",
    /// Lost with the leader of its partition: nobody else had it yet, and the leader had acknowledged it alone.
    LeaderOnly "lost-with-leader" "acks",
    /// Lost on the way to the leader of its partition, or with it: its producer did not wait for an answer.
    NotAwaited "lost-not-awaited" "acks",
    /// Cut off although it was replicated: a replica led that was not in sync.
    UncleanElection "lost-unclean-election" "unclean-leader-election-enable",
    /// Lost with the leader of its partition, or on the way there: its producer was not told that it is written.
    ///
    /// It gave up before.
    Unanswered "lost-unanswered" "delivery-timeout",
    /// Deleted, as it was too old or there was too much, before it was read.
    Retention "lost-retention" "retention-time",
    /// Removed before it was read, as there was a later record of its key.
    Compaction "lost-compaction" "cleanup-policy",
    /// Passed over by a group that had committed it before it was processed: its consumer went down in between.
    ///
    /// That is what at most once means. After processing, it would have been processed again.
    CommittedEarly "lost-committed-early" "commit-point",
    /// Passed over by a group that had nowhere to begin, and began with what was written next.
    ///
    /// From the earliest record on, it would have read it.
    Reset "lost-offset-reset" "auto-offset-reset",
    /// Not processed well by the consumer that read it, which went on behind it.
    ///
    /// Topics have no dead letters. In a transaction, it would have been read again.
    NotProcessed "lost-failed-processing" "processing-guarantee",
    /// Lost, and nobody stated why.
    Unexplained "lost-unexplained" "",
}
