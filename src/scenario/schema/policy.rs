//! `[policies]`, and the same keys beside a step or on its group.

use std::fmt;
use std::num::NonZeroU32;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde::{Deserialize, Serialize};

use super::chosen::{Chosen, Tuned};
use super::families::{Balance, ConcurrencyLimit, HealthCheck, Partitioner, RateLimit, RetryBudget, Throttle, Timeout};
use super::number::Positive;
use super::quantity_text::{Bytes, Duration, Share, quantity};
use super::topic::Acks;
use crate::protocol::breaker::CircuitBreakerSettings;
use crate::protocol::health::EjectionSettings;
use crate::protocol::hedge::HedgeSettings;
use crate::scenario::document::{Located, OneOrMany, Origin};

/// One list of the keys gives the struct and what has to be done for each of them.
macro_rules! policy_keys {
    ($($(#[$meta:meta])* $key:ident: $type:ty,)*) => {
        /// How a sender deals with slowness and failure.
        ///
        /// All keys may stand in a policy, on a group, or beside a step; the one nearest to the step counts.
        #[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct PolicyKeys {
            $($(#[$meta])* pub $key: Option<Located<$type>>,)*
        }

        impl PolicyKeys {
            /// These keys, and those of `below` where there is none.
            pub fn over(&self, below: &Self) -> Self {
                Self { $($key: self.$key.as_ref().or(below.$key.as_ref()).cloned(),)* }
            }

            /// The keys that are written, by name and place.
            pub fn written(&self) -> impl Iterator<Item = (String, Origin)> {
                let places = [$((stringify!($key), self.$key.as_ref().map(|value| value.origin)),)*];
                places.into_iter().filter_map(|(key, place)| Some((key.replace('_', "-"), place?)))
            }
        }
    };
}

policy_keys! {
    /// What counts as delivered. `at-most-once`: handled, and once, never sent again. `at-least-once`: acknowledged, and sent
    /// again if not. `exactly-once`: one effect, however often it was sent. By default a `send` is at most once, all else at
    /// least once.
    delivery: Delivery,
    /// Whether a message counts only after all earlier ones of its sender.
    #[schemars(extend("default" = false))]
    ordered: bool,
    /// How long an attempt may take before it is given up; a list gives each attempt its own, the last one for all further.
    #[schemars(extend("default" = "none"))]
    timeout: Chosen<Timeout>,
    /// From when the timeout counts.
    #[schemars(extend("default" = "send"))]
    timeout_from: TimeoutFrom,
    /// How long all attempts together may take. It is passed on to whoever is called.
    deadline: Duration,
    /// How often a message is sent at most; the first time counts.
    #[schemars(extend("default" = 1))]
    max_attempts: Limit,
    /// How long to wait before each further attempt.
    #[schemars(extend("default" = "0s"))]
    backoff: Backoff,
    /// How the wait is spread, so that senders do not come back together.
    #[schemars(extend("default" = "none"))]
    jitter: Jitter,
    /// After which failures to try again; all of them by default.
    #[schemars(extend("default" = ["timeout", "rejected", "failed", "expired", "reset"]))]
    retry_on: OneOrMany<RetryOn>,
    /// To whom a further attempt goes.
    #[schemars(extend("default" = "new"))]
    retry_to: RetryTo,
    /// What happens at the receiver to an attempt that its sender has given up.
    #[schemars(extend("default" = "none"))]
    cancel: Cancel,
    /// How far a sender may be ahead of its oldest unconfirmed message. Further ones wait at the sender.
    #[schemars(extend("default" = "unlimited"))]
    window: Limit,
    /// How many messages of a sender may be unconfirmed at a time. Further ones wait at the sender.
    #[schemars(extend("default" = "unlimited"))]
    max_in_flight: Limit,
    /// How long, or for how many messages, a receiver remembers what it has handled, so as not to handle it twice.
    dedup_window: DedupWindow,
    /// How the sender chooses among the nodes of the service; the service's own choice by default.
    balance: Chosen<Balance>,
    /// How many retries there may be, over all messages of a node to the service.
    retry_budget: Chosen<RetryBudget>,
    /// Lets nothing through for a while when too many attempts of a node to the service have failed.
    circuit_breaker: Tuned<CircuitBreakerSettings>,
    /// How fast attempts may leave a node for the service; those that are too fast wait for their turn, and a `timeout` begins
    /// when they leave. One whose turn would come after its deadline is turned away at once.
    rate_limit: Chosen<RateLimit>,
    /// How long an attempt may wait for its turn under `rate-limit`; if it would have to wait longer, it is turned away at once.
    /// `0s` turns away all that are too fast, as Envoy's local rate limit does; resilience4j's `timeoutDuration` is 5 s.
    max_wait: Duration,
    /// How many attempts of a node to the service may be under way at a time; those beyond are turned away by the node itself,
    /// where `max-in-flight` has them wait.
    concurrency_limit: Chosen<ConcurrencyLimit>,
    /// Turns attempts away before they are sent, as often as the service would.
    throttle: Chosen<Throttle>,
    /// Sends another copy when the answer takes long; the first answer counts.
    hedge: Tuned<HedgeSettings>,
    /// How each sending node finds out which nodes of the service are up; the balancer picks among those. Its messages pass the
    /// same network as all others, have no size, and go past the queue of the service: a node whose workers hang passes every
    /// check. Further attempts with `retry-to = "same"`, ordered messages, and those of `fan-out = "all"` go where they have to.
    /// Groups whose messages wait for each other (`window`, `max-in-flight`, `ordered`) have checks of their own for each step.
    health: Chosen<HealthCheck>,
    /// Takes nodes of the service for down that fail more of this node's requests than the others do.
    outlier_detection: Tuned<EjectionSettings>,
    /// Where a smaller share of the service's nodes than this is up, the balancer picks among all of them: many that are down at
    /// once are rather a fault of whoever looks. By default only where none is up. Envoy's `healthy_panic_threshold` is 50 %
    /// unless set.
    #[schemars(extend("default" = "0%"))]
    panic_threshold: Share,
    /// When a record that is published to a topic counts as written: never asked (0), once the leader has it (1), or once all replicas
    /// in sync have it (Kafka: all; 1 before 3.0).
    #[schemars(extend("default" = "all"))]
    acks: Acks,
    /// Whether brokers recognise what a producer sends again, and keep its order (Kafka: yes, unless `acks` or
    /// `max-in-flight-requests-per-connection` say what does not go with it; no before 3.0).
    #[schemars(extend("default" = true))]
    enable_idempotence: bool,
    /// For how long a batch of records waits for more (Kafka 4.0: 5 ms; before: 0).
    #[schemars(extend("default" = "5ms"))]
    linger: Duration,
    /// A batch is full at this size (Kafka: 16 KiB).
    #[schemars(extend("default" = "16KiB"))]
    batch_size: Bytes,
    /// Memory of a producer for all its batches, under way or waiting (Kafka: 32 MiB).
    #[schemars(extend("default" = "32MiB"))]
    buffer_memory: Bytes,
    /// For how long a record waits for such memory before it fails (Kafka: 60 s).
    #[schemars(extend("default" = "60s"))]
    max_block: Duration,
    /// Compressed size over size of a batch: 1 is no compression (Kafka: none).
    #[schemars(extend("default" = 1))]
    compression_ratio: Share,
    /// How many requests of a producer may be under way to a broker (Kafka: 5, and no more with idempotence).
    #[schemars(extend("default" = 5))]
    max_in_flight_requests_per_connection: NonZeroU32,
    /// A record that is not through by then has failed (Kafka: 2 min).
    #[schemars(extend("default" = "2min"))]
    delivery_timeout: Duration,
    /// A request that is not answered by then has failed, and so have all others on its connection (Kafka: 30 s).
    #[schemars(extend("default" = "30s"))]
    request_timeout: Duration,
    /// How often a batch is sent again (Kafka: 2147483647).
    #[schemars(extend("default" = 2_147_483_647))]
    retries: u32,
    /// The pause before a batch is sent again, which doubles every time (Kafka: 100 ms).
    #[schemars(extend("default" = "100ms"))]
    retry_backoff: Duration,
    /// The longest such pause (Kafka: 1 s since 3.8).
    #[schemars(extend("default" = "1s"))]
    retry_backoff_max: Duration,
    /// To which partition of its topic a record goes.
    #[schemars(extend("default" = "keyed"))]
    partitioner: Chosen<Partitioner>,
}

/// The keys that say how records are published to topics: they have no meaning for other messages, nor others for records.
pub const PRODUCER_KEYS: &[&str] = &[
    "acks",
    "enable-idempotence",
    "linger",
    "batch-size",
    "buffer-memory",
    "max-block",
    "compression-ratio",
    "max-in-flight-requests-per-connection",
    "delivery-timeout",
    "request-timeout",
    "retries",
    "retry-backoff",
    "retry-backoff-max",
    "partitioner",
];

/// What counts as delivered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// Handled, and once; never sent again.
    AtMostOnce,
    /// Acknowledged, and sent again if not.
    AtLeastOnce,
    /// One effect, however often it was sent.
    ExactlyOnce,
}

/// From when a timeout counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TimeoutFrom {
    /// From when the sender wanted to send.
    Send,
    /// From when the message left the sender.
    Transmitted,
}

/// A number, or none at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Limit {
    /// So many.
    #[serde(rename = "=")]
    Constant(NonZeroU32),
    /// Without limit.
    Unlimited,
}

/// How long to wait before each further attempt.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Backoff {
    /// Always so long.
    #[serde(rename = "=")]
    Constant(Duration),
    /// So long before each further attempt, the last one for all further.
    #[serde(rename = "[]")]
    List(Vec<Duration>),
    /// Longer by the same step each time.
    Linear {
        /// Before the second attempt.
        initial: Duration,
        /// How much is added each time; `initial` if it is left out.
        step: Option<Duration>,
        /// The longest wait.
        max: Option<Duration>,
    },
    /// Longer by the same factor each time.
    Exponential {
        /// Before the second attempt.
        initial: Duration,
        /// The factor.
        #[serde(default = "twice")]
        multiplier: Positive,
        /// The longest wait.
        max: Option<Duration>,
    },
}

/// How a wait is spread.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Jitter {
    /// As it is.
    None,
    /// Anything from zero to the wait.
    Full,
    /// Half of it, and anything up to the other half.
    Equal,
    /// Anything from the initial wait to three times the last one.
    Decorrelated,
}

/// A failure after which to try again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RetryOn {
    /// No answer in time.
    Timeout,
    /// The receiver had no room.
    Rejected,
    /// The receiver answered with an error.
    Failed,
    /// The message was past its deadline when the receiver came to it.
    Expired,
    /// The stream it was sent on was reset.
    Reset,
}

/// To whom a further attempt goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RetryTo {
    /// To the node of the first attempt.
    Same,
    /// To a node that is chosen anew, maybe the same one.
    New,
}

/// What happens at the receiver to an attempt that its sender has given up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cancel {
    /// It is handled all the same.
    #[default]
    None,
    /// It leaves the queue if it still waits.
    Queued,
    /// It leaves the queue, or the worker that has begun it.
    Running,
}

/// How much a receiver remembers of what it has handled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DedupWindow {
    /// The last so many messages of each sender.
    Count(NonZeroU32),
    /// All for so long.
    Time(Duration),
}

fn twice() -> Positive {
    Positive::TWO
}

impl<'de> Deserialize<'de> for DedupWindow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CountOrTime;

        impl Visitor<'_> for CountOrTime {
            type Value = DedupWindow;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of messages, or a duration such as \"5min\"")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<DedupWindow, E> {
                let count = u32::try_from(number).ok().and_then(NonZeroU32::new);
                count.map(DedupWindow::Count).ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<DedupWindow, E> {
                quantity(text, &self).map(|span| DedupWindow::Time(Duration(span)))
            }
        }

        deserializer.deserialize_any(CountOrTime)
    }
}

impl JsonSchema for DedupWindow {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DedupWindow".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "integer", "minimum": 1 }, generator.subschema_for::<Duration>()] })
    }
}
