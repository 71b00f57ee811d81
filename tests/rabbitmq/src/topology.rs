//! What a sequence is played on: exchanges, queues, bindings, and who consumes where.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use rehearsal::base::time::{Span, ms};
use rehearsal::base::units::bytes;
use rehearsal::protocol::amqp::{
    DeliveryLimit, DirectSettings, ExchangeKind, FanoutSettings, HeaderValue, HeadersSettings, Match, MatchArguments,
    Overflow, QueueType, TopicSettings, WorkQueueSettings,
};

use crate::draw::Draw;

/// The distance of two points in time at which something may be done. Times to live lie between them.
pub const STEP: Span = ms(1000);

/// Times to live: none of their sums, up to three of them, is a number of steps.
const LIVES: [u64; 3] = [0, 250, 1250];

/// A queue.
#[derive(Clone, Debug)]
pub struct Queue {
    /// What it is declared with.
    pub settings: WorkQueueSettings,
    /// The exchange (0 is the default one) and the key of its dead letters.
    pub letters: Option<(usize, Option<String>)>,
}

/// An exchange.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// How it routes.
    pub kind: ExchangeKind,
    /// The exchange for what it finds no queue for.
    pub alternate: Option<usize>,
    /// What is bound to it.
    pub bindings: Vec<Binding>,
}

/// A binding.
#[derive(Clone, Debug)]
pub struct Binding {
    /// Where it leads.
    pub to: Target,
    /// Its key.
    pub key: String,
    /// What it asks of headers.
    pub arguments: MatchArguments,
}

/// Where a binding leads.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// To this queue.
    Queue(usize),
    /// To this exchange.
    Exchange(usize),
}

/// All there is.
#[derive(Clone, Debug)]
pub struct Topology {
    /// The queues.
    pub queues: Vec<Queue>,
    /// The exchanges but for the default one, which is at place 0: the first of these is at place 1.
    pub exchanges: Vec<Exchange>,
    /// The queue of each consumer.
    pub consumers: Vec<usize>,
    /// Whether anything takes time.
    pub is_timed: bool,
}

/// The name of a queue.
pub fn queue_name(index: usize) -> String {
    format!("q{index}")
}

/// The name of an exchange.
pub fn exchange_name(index: usize) -> String {
    if index == 0 { String::new() } else { format!("e{index}") }
}

/// A key of a few words, or a pattern.
pub fn key(draw: &mut Draw, is_pattern: bool) -> String {
    let words: &[&str] = if is_pattern { &["a", "b", "*", "#"] } else { &["a", "b", "c"] };
    let count = draw.within(0..4);
    (0..count).map(|_| draw.one_of(words)).collect::<Vec<_>>().join(".")
}

/// Some headers.
pub fn headers(draw: &mut Draw) -> BTreeMap<String, HeaderValue> {
    let count = draw.within(0..3);
    (0..count).map(|_| (draw.one_of(&["h", "k", "x-h"]).to_owned(), value(draw))).collect()
}

fn value(draw: &mut Draw) -> HeaderValue {
    draw.one_of(&[HeaderValue::Text("1".into()), HeaderValue::Whole(1), HeaderValue::Whole(2), HeaderValue::Flag(true)])
}

impl Topology {
    /// That of a seed. In one of six something takes time.
    pub fn draw(draw: &mut Draw) -> Self {
        let is_timed = draw.percent(17);
        let queues = draw.within(1..5) as usize;
        let exchanges = draw.within(0..4) as usize;
        let consumers = draw.within(1..4);
        Self {
            queues: (0..queues).map(|_| Queue::draw(draw, queues, exchanges, is_timed)).collect(),
            exchanges: (0..exchanges).map(|_| Exchange::draw(draw, queues, exchanges)).collect(),
            consumers: (0..consumers).map(|_| draw.index(queues)).collect(),
            is_timed,
        }
    }
}

impl Queue {
    fn draw(draw: &mut Draw, queues: usize, exchanges: usize, is_timed: bool) -> Self {
        let is_quorum = draw.percent(35);
        let mut settings = WorkQueueSettings {
            r#type: Some(if is_quorum { QueueType::Quorum } else { QueueType::Classic }),
            max_length: draw.maybe(35, |draw| draw.within(0..5) as u32),
            max_length_bytes: draw.maybe(15, |draw| bytes(draw.within(8..60))),
            overflow: draw.one_of(&[Overflow::DropHead, Overflow::DropHead, Overflow::RejectPublish]),
            message_ttl: draw.maybe(if is_timed { 50 } else { 0 }, time_to_live),
            // A quorum queue looks every five seconds whether it is unused.
            expires: draw.maybe(if is_timed && !is_quorum { 25 } else { 0 }, |draw| ms(draw.one_of(&[500, 1500]))),
            single_active_consumer: draw.percent(25),
            ..WorkQueueSettings::default()
        };
        if is_quorum {
            settings.delivery_limit = Some(match draw.maybe(60, |draw| draw.within(0..3) as u32) {
                Some(times) => DeliveryLimit::Times(times),
                None => DeliveryLimit::Unlimited,
            });
        } else {
            settings.durable = draw.percent(60);
            settings.auto_delete = draw.percent(10);
            settings.max_priority = draw.maybe(25, |draw| NonZeroU32::new(draw.within(1..6) as u32)).flatten();
            if draw.percent(15) {
                settings.overflow = Overflow::RejectPublishDlx;
            }
        }
        let letters = draw.maybe(60, |draw| {
            let exchange = if draw.percent(50) { 0 } else { draw.index(exchanges + 1) };
            let key = draw.maybe(if exchange == 0 { 80 } else { 30 }, |draw| match exchange {
                0 => queue_name(draw.index(queues)),
                _ => key(draw, false),
            });
            (exchange, key)
        });
        Self { settings, letters }
    }
}

/// A time to live of a message or of all messages of a queue.
pub fn time_to_live(draw: &mut Draw) -> Span {
    ms(draw.one_of(&LIVES))
}

impl Exchange {
    fn draw(draw: &mut Draw, queues: usize, exchanges: usize) -> Self {
        let kind = match draw.within(0..4) {
            0 => ExchangeKind::Direct(DirectSettings {}),
            1 => ExchangeKind::Fanout(FanoutSettings {}),
            2 => ExchangeKind::Topic(TopicSettings {}),
            _ => ExchangeKind::HeadersExchange(HeadersSettings {}),
        };
        let is_pattern = matches!(kind, ExchangeKind::Topic(_));
        let count = draw.within(0..5);
        let bindings = (0..count).map(|_| Binding {
            to: if draw.percent(15) {
                Target::Exchange(1 + draw.index(exchanges))
            } else {
                Target::Queue(draw.index(queues))
            },
            key: key(draw, is_pattern),
            arguments: if matches!(kind, ExchangeKind::HeadersExchange(_)) {
                arguments(draw)
            } else {
                MatchArguments::default()
            },
        });
        let bindings = bindings.collect();
        Self { kind, alternate: draw.maybe(20, |draw| 1 + draw.index(exchanges)), bindings }
    }
}

fn arguments(draw: &mut Draw) -> MatchArguments {
    let x_match = draw.one_of(Match::ALL);
    let asked = headers(draw).into_iter().map(|(name, value)| (name, (!draw.percent(25)).then_some(value)));
    MatchArguments { x_match, headers: asked.collect() }
}
