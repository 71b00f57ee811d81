//! Work queues as RabbitMQ has them: the building blocks of a message broker that speaks AMQP 0-9-1.
//!
//! A publisher sends a message to an exchange ([`Routing`]), which finds the queues it goes to. Each keeps it ([`WorkQueue`])
//! until a consumer has acknowledged it, or it dies and goes to another exchange ([`Dead`]). The publisher hears when all
//! queues have taken it ([`Confirms`]), and is held back when the broker cannot keep up ([`CreditSender`], [`Watermark`]). A
//! quorum queue has taken a message when a majority of its replicas has ([`Replication`]).
//!
//! Names, defaults and rules are those of RabbitMQ 4.0; where 3.10 to 3.13 differ, the setting says so. `docs/brokers.md` lists the
//! rules, each with its source and the test that holds it. Sequences of all that can be done were played to a RabbitMQ and to these
//! blocks, which agree (`tests/rabbitmq`).

mod confirm;
mod dead_letter;
mod error;
mod exchange;
mod flow;
mod id;
mod queue;
mod quorum;
mod routing;
#[cfg(test)]
mod tests;
mod unsettled;

pub use confirm::{Confirm, Confirms, Published, Responsibility, Unconfirmed};
pub use dead_letter::{Dead, DeadLetterTo, Death, DeathReason, Deaths};
pub use error::ChannelError;
pub use exchange::{
    AnyExchange, Binding, Destination, Direct, DirectSettings, EXCHANGES, Exchange, ExchangeKind, Fanout,
    FanoutSettings, HeaderValue, Headers, HeadersExchange, HeadersSettings, Match, MatchArguments, Topic,
    TopicSettings,
};
pub use flow::{Alarm, CreditFlowSettings, CreditReceiver, CreditSender, Watermark, WatermarkSettings};
pub use id::{ConsumerId, ExchangeId, QueueId};
pub use queue::{
    Acknowledge, Delivery, DeliveryLimit, Ending, Incoming, Loss, Lost, Overflow, Publish, QueueType, Subscription,
    Unlimited, WorkQueue, WorkQueueSettings,
};
pub use quorum::{Durable, Effect, Entry, Member, Replication, Word};
pub use routing::Routing;
pub use unsettled::Unsettled;

#[cfg(test)]
mod laws {
    //! What the tests of all blocks share.

    use proptest::test_runner::{Config, RngSeed};

    /// Cases that are the same on every run.
    pub fn fixed() -> Config {
        Config { failure_persistence: None, rng_seed: RngSeed::Fixed(0x7265_6865), ..Config::default() }
    }
}
