//! What is done, one after the other.

use std::collections::BTreeMap;

use rehearsal::base::time::Span;
use rehearsal::protocol::amqp::{HeaderValue, QueueType};

use crate::draw::Draw;
use crate::topology::{Topology, headers, key, queue_name, time_to_live};

/// Who holds deliveries: each has a channel of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Holder {
    /// A consumer.
    Consumer(usize),
    /// Who fetches from this queue, one message at a time.
    Getter(usize),
}

/// A message to be published.
#[derive(Clone, Debug)]
pub struct Publication {
    /// To which exchange; 0 is the default one.
    pub exchange: usize,
    /// Under which key.
    pub key: String,
    /// With which headers.
    pub headers: BTreeMap<String, HeaderValue>,
    /// Whether it comes back if nobody gets it.
    pub mandatory: bool,
    /// Whether it is to be written to disk.
    pub persistent: bool,
    /// Its priority, if it says one.
    pub priority: Option<u8>,
    /// Its time to live.
    pub expiration: Option<Span>,
    /// The size of its body in bytes.
    pub size: usize,
}

/// How deliveries are settled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// `basic.ack`.
    Ack,
    /// `basic.nack`, whether to be requeued.
    Nack(bool),
    /// `basic.reject`, whether to be requeued.
    Reject(bool),
}

/// One thing that is done.
#[derive(Clone, Debug)]
pub enum Operation {
    /// A message is published.
    Publish(Publication),
    /// A consumer subscribes to its queue.
    Subscribe {
        /// Which one.
        consumer: usize,
        /// How many messages it may hold; 0 is any number.
        prefetch: u16,
        /// Whether a message is settled by being sent.
        automatic: bool,
        /// Its priority.
        priority: i32,
        /// Whether it wants the queue for itself.
        exclusive: bool,
    },
    /// One message is fetched from a queue.
    Get {
        /// Which one.
        queue: usize,
        /// Whether it is settled by being sent.
        automatic: bool,
    },
    /// Deliveries are settled.
    Settle {
        /// Whose.
        holder: Holder,
        /// Which of those that are outstanding, counted round and round; [`Operation::UNKNOWN`] is none of them.
        pick: u8,
        /// How.
        how: How,
        /// With all before it.
        multiple: bool,
    },
    /// A consumer wants nothing more.
    Cancel {
        /// Which one.
        consumer: usize,
    },
    /// Somebody's channel is closed, or the connection.
    Crash {
        /// Whose.
        holder: Holder,
    },
    /// A queue is purged.
    Purge {
        /// Which one.
        queue: usize,
    },
    /// So many steps of time pass.
    Wait {
        /// How many.
        steps: u64,
    },
}

impl Operation {
    /// The pick that means a delivery that is not there.
    pub const UNKNOWN: u8 = u8::MAX;

    /// A sequence for this topology.
    pub fn draw_all(draw: &mut Draw, topology: &Topology) -> Vec<Self> {
        let count = draw.within(10..40);
        (0..count).map(|_| Self::draw(draw, topology)).collect()
    }

    fn draw(draw: &mut Draw, topology: &Topology) -> Self {
        let consumer = draw.index(topology.consumers.len());
        let queue = draw.index(topology.queues.len());
        match draw.within(0..100) {
            0..42 => Self::Publish(Publication::draw(draw, topology)),
            42..56 => {
                let settings = &topology.queues[topology.consumers[consumer]].settings;
                let is_quorum = settings.kind() == QueueType::Quorum;
                // Before 4.0 the single active consumer of a quorum queue knew no priorities.
                let is_plain = is_quorum && settings.single_active_consumer;
                let automatic = draw.percent(15);
                // A quorum queue sends at most a prefetch limit at once even if nothing has to be acknowledged.
                let prefetch = if automatic && is_quorum { 0 } else { draw.one_of(&[0, 1, 1, 2, 3]) };
                Self::Subscribe {
                    consumer,
                    prefetch,
                    automatic,
                    priority: if is_plain { 0 } else { draw.one_of(&[0, 0, 0, 5, -1]) },
                    exclusive: draw.percent(5),
                }
            }
            56..62 => Self::Get { queue, automatic: draw.percent(30) },
            62..86 => {
                let holder = if draw.percent(75) { Holder::Consumer(consumer) } else { Holder::Getter(queue) };
                let pick = if draw.percent(3) { Self::UNKNOWN } else { draw.within(0..8) as u8 };
                let how = match draw.within(0..8) {
                    0..3 => How::Ack,
                    3..5 => How::Nack(true),
                    5 => How::Nack(false),
                    6 => How::Reject(true),
                    _ => How::Reject(false),
                };
                let multiple = !matches!(how, How::Reject(_)) && draw.percent(30);
                Self::Settle { holder, pick, how, multiple }
            }
            86..90 => Self::Cancel { consumer },
            90..95 => {
                let holder = if draw.percent(80) { Holder::Consumer(consumer) } else { Holder::Getter(queue) };
                Self::Crash { holder }
            }
            95..96 => Self::Purge { queue },
            _ if topology.is_timed => Self::Wait { steps: draw.within(1..3) },
            _ => Self::Publish(Publication::draw(draw, topology)),
        }
    }
}

impl Publication {
    fn draw(draw: &mut Draw, topology: &Topology) -> Self {
        let exchange = if draw.percent(45) { 0 } else { draw.index(topology.exchanges.len() + 1) };
        let has_quorum = topology.queues.iter().any(|queue| queue.settings.kind() == QueueType::Quorum);
        let nobody = usize::from(draw.percent(10));
        Self {
            exchange,
            key: match exchange {
                0 => queue_name(draw.index(topology.queues.len() + nobody)),
                _ => key(draw, false),
            },
            headers: if draw.percent(50) { headers(draw) } else { BTreeMap::new() },
            mandatory: draw.percent(50),
            persistent: draw.percent(50),
            // Before 4.0 quorum queues had no priorities; 4 and less is normal to those that have.
            priority: draw.maybe(40, |draw| draw.within(0..if has_quorum { 5 } else { 8 }) as u8),
            expiration: draw.maybe(if topology.is_timed { 30 } else { 0 }, time_to_live),
            size: draw.within(4..20) as usize,
        }
    }
}
