//! The real side: RabbitMQ, spoken to on a channel for whoever publishes and one for each who holds deliveries.
//!
//! After each operation it is waited for quiet. A round asks every queue for its length, as often as letters may go from queue to
//! queue, and then everybody's channel for an answer: whatever the operation led to was sent before that. A quorum queue answers
//! before it has written what it was told, so rounds go on until what is seen is what is expected, or time is up.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use lapin::message::DeliveryResult;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicGetOptions, BasicNackOptions, BasicPublishOptions,
    BasicQosOptions, BasicRejectOptions, ConfirmSelectOptions, ExchangeBindOptions, ExchangeDeclareOptions,
    ExchangeDeleteOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions, QueuePurgeOptions,
};
use lapin::types::{AMQPValue, FieldTable, LongString};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, ConsumerDelegate, ErrorKind};
use rehearsal::base::time::Span;
use rehearsal::protocol::amqp::{
    DeliveryLimit, ExchangeKind, HeaderValue, Match, MatchArguments, Overflow, QueueType, WorkQueueSettings,
};

use crate::operation::{Holder, How, Operation, Publication};
use crate::topology::{Queue, Target, Topology, exchange_name, queue_name};
use crate::view::{Count, Death, Event, Message, Party, View};

/// What went wrong between here and the broker.
pub type Fault = lapin::Error;

/// How long it is waited for what is expected; less where time matters.
const PATIENCE: (Duration, Duration) = (Duration::from_millis(2500), Duration::from_millis(70));

/// What everybody saw since it was last taken.
type Seen = Arc<Mutex<BTreeMap<Party, Vec<Event>>>>;

/// One who holds deliveries.
struct Seat {
    channel: Channel,
    /// The tag of its subscription.
    tag: String,
    /// Its own, if its crash is one of a connection.
    connection: Option<Connection>,
}

/// The broker.
pub struct Real {
    address: String,
    topology: Topology,
    /// What all names begin with, so that sequences do not meet.
    prefix: String,
    connection: Connection,
    publisher: Channel,
    asker: Channel,
    seats: BTreeMap<Holder, Seat>,
    seen: Seen,
    published: u32,
    /// How often somebody subscribed. Each subscription has a tag of its own, since what was delivered under an earlier one must
    /// not count for it.
    subscribed: u32,
}

fn millis(span: Span) -> i64 {
    (span.as_nanos() / 1_000_000) as i64
}

fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(text))
}

/// Connects to the broker.
pub async fn connect(address: &str) -> Result<Connection, Fault> {
    Connection::connect(address, ConnectionProperties::default()).await
}

impl Real {
    /// Declares all.
    pub async fn new(address: &str, topology: &Topology, prefix: &str) -> Result<Self, Fault> {
        let connection = connect(address).await?;
        let publisher = connection.create_channel().await?;
        publisher.confirm_select(ConfirmSelectOptions::default()).await?;
        let asker = connection.create_channel().await?;
        let (address, prefix, topology) = (address.to_owned(), prefix.to_owned(), topology.clone());
        let (seats, seen) = (BTreeMap::new(), Seen::default());
        let (published, subscribed) = (0, 0);
        let real = Self { address, topology, prefix, connection, publisher, asker, seats, seen, published, subscribed };
        real.declare().await?;
        Ok(real)
    }

    fn queue(&self, index: usize) -> String {
        format!("{}{}", self.prefix, queue_name(index))
    }

    fn exchange(&self, index: usize) -> String {
        if index == 0 { String::new() } else { format!("{}{}", self.prefix, exchange_name(index)) }
    }

    /// The key under which a message is sent: names of queues have the prefix.
    fn key(&self, exchange: usize, key: &str) -> String {
        if exchange == 0 { format!("{}{key}", self.prefix) } else { key.to_owned() }
    }

    async fn declare(&self) -> Result<(), Fault> {
        let channel = &self.asker;
        for (index, exchange) in (1..).zip(&self.topology.exchanges) {
            let kind = match exchange.kind {
                ExchangeKind::Direct(_) => lapin::ExchangeKind::Direct,
                ExchangeKind::Fanout(_) => lapin::ExchangeKind::Fanout,
                ExchangeKind::Topic(_) => lapin::ExchangeKind::Topic,
                ExchangeKind::HeadersExchange(_) => lapin::ExchangeKind::Headers,
            };
            let mut arguments = FieldTable::default();
            if let Some(alternate) = exchange.alternate {
                arguments.insert("alternate-exchange".into(), text(&self.exchange(alternate)));
            }
            let options = ExchangeDeclareOptions::default();
            channel.exchange_declare(self.exchange(index).into(), kind, options, arguments).await?;
        }
        for (index, queue) in self.topology.queues.iter().enumerate() {
            let Queue { settings, .. } = queue;
            let (durable, auto_delete) = (settings.durable, settings.auto_delete);
            let options = QueueDeclareOptions { durable, auto_delete, ..QueueDeclareOptions::default() };
            channel.queue_declare(self.queue(index).into(), options, self.arguments(queue)).await?;
        }
        for (index, exchange) in (1..).zip(&self.topology.exchanges) {
            for binding in &exchange.bindings {
                let (from, key) = (self.exchange(index).into(), binding.key.as_str().into());
                let arguments = match_arguments(&binding.arguments, &exchange.kind);
                match binding.to {
                    Target::Queue(queue) => {
                        let options = QueueBindOptions::default();
                        channel.queue_bind(self.queue(queue).into(), from, key, options, arguments).await?;
                    }
                    Target::Exchange(to) => {
                        let options = ExchangeBindOptions::default();
                        channel.exchange_bind(self.exchange(to).into(), from, key, options, arguments).await?;
                    }
                }
            }
        }
        Ok(())
    }

    fn arguments(&self, queue: &Queue) -> FieldTable {
        let WorkQueueSettings {
            r#type: _,
            durable: _,
            exclusive: _,
            auto_delete: _,
            max_length,
            max_length_bytes,
            overflow,
            message_ttl,
            expires,
            max_priority,
            delivery_limit,
            single_active_consumer,
        } = &queue.settings;
        let mut table = FieldTable::default();
        let mut set = |name: &str, value: AMQPValue| _ = table.insert(name.into(), value);
        let whole = |number: u64| AMQPValue::LongLongInt(number as i64);
        set("x-queue-type", text(if queue.settings.kind() == QueueType::Quorum { "quorum" } else { "classic" }));
        max_length.iter().for_each(|&most| set("x-max-length", whole(most.into())));
        max_length_bytes.iter().for_each(|most| set("x-max-length-bytes", whole(most.count())));
        if *overflow != Overflow::DropHead {
            set("x-overflow", text(Overflow::WORDS.names[*overflow as usize]));
        }
        message_ttl.iter().for_each(|&ttl| set("x-message-ttl", AMQPValue::LongLongInt(millis(ttl))));
        expires.iter().for_each(|&after| set("x-expires", AMQPValue::LongLongInt(millis(after))));
        max_priority.iter().for_each(|most| set("x-max-priority", whole(most.get().into())));
        if let Some(DeliveryLimit::Times(times)) = delivery_limit {
            set("x-delivery-limit", whole((*times).into()));
        }
        if *single_active_consumer {
            set("x-single-active-consumer", AMQPValue::Boolean(true));
        }
        if let Some((exchange, key)) = &queue.letters {
            set("x-dead-letter-exchange", text(&self.exchange(*exchange)));
            if let Some(key) = key {
                set("x-dead-letter-routing-key", text(&self.key(*exchange, key)));
            }
        }
        table
    }

    /// Does an operation, and tells what is seen of it once it is quiet. `expected` is what the model saw.
    pub async fn play(&mut self, operation: &Operation, tag: u64, expected: &View) -> Result<View, Fault> {
        match *operation {
            Operation::Publish(ref publication) => self.publish(publication).await?,
            Operation::Subscribe { consumer, prefetch, automatic, priority, exclusive } => {
                let (holder, queue) = (Holder::Consumer(consumer), self.queue(self.topology.consumers[consumer]));
                let channel = self.seat(holder).await?;
                channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
                let options = BasicConsumeOptions { no_ack: automatic, exclusive, ..BasicConsumeOptions::default() };
                let mut arguments = FieldTable::default();
                arguments.insert("x-priority".into(), AMQPValue::LongInt(priority));
                self.subscribed += 1;
                let tag = format!("it{}", self.subscribed);
                self.seats.entry(holder).and_modify(|seat| seat.tag.clone_from(&tag));
                match channel.basic_consume(queue.into(), tag.into(), options, arguments).await {
                    Ok(subscribed) => subscribed.set_delegate(self.recorder(holder)),
                    Err(error) => self.closed(holder, &error)?,
                }
            }
            Operation::Get { queue, automatic } => {
                let (holder, name) = (Holder::Getter(queue), self.queue(queue));
                let channel = self.seat(holder).await?;
                let result = channel.basic_get(name.into(), BasicGetOptions { no_ack: automatic }).await;
                match result {
                    Ok(Some(got)) => {
                        let message = message(&self.prefix, &got.delivery, Some(got.message_count));
                        self.push(Party::Holder(holder), Event::Delivery(message));
                    }
                    Ok(None) => self.push(Party::Holder(holder), Event::Empty),
                    Err(error) => self.closed(holder, &error)?,
                }
            }
            Operation::Settle { holder, how, multiple, .. } => {
                let channel = self.seat(holder).await?;
                let settle = async {
                    match how {
                        How::Ack => channel.basic_ack(tag, BasicAckOptions { multiple }).await,
                        How::Nack(requeue) => channel.basic_nack(tag, BasicNackOptions { multiple, requeue }).await,
                        How::Reject(requeue) => channel.basic_reject(tag, BasicRejectOptions { requeue }).await,
                    }
                };
                // Whoever waits for an answer hears why the channel is closed, if it is.
                let (settled, asked) = tokio::join!(settle, channel.basic_qos(0, BasicQosOptions::default()));
                match settled.and(asked) {
                    Ok(()) => {}
                    Err(error) => self.closed(holder, &error)?,
                }
            }
            Operation::Cancel { consumer } => {
                if let Some(seat) = self.seats.get(&Holder::Consumer(consumer)) {
                    seat.channel.basic_cancel(seat.tag.as_str().into(), BasicCancelOptions::default()).await?;
                }
            }
            Operation::Crash { holder } => {
                if let Some(seat) = self.seats.remove(&holder) {
                    match seat.connection {
                        Some(connection) => connection.close(200, "crash".into()).await?,
                        None => seat.channel.close(200, "crash".into()).await?,
                    }
                }
            }
            Operation::Purge { queue } => {
                _ = self.asker.queue_purge(self.queue(queue).into(), QueuePurgeOptions::default()).await?;
            }
            // The caller waited.
            Operation::Wait { .. } => {}
        }
        self.settle_down(expected).await
    }

    /// Publishes, and waits for the confirm.
    async fn publish(&mut self, publication: &Publication) -> Result<(), Fault> {
        self.published += 1;
        let body = format!("{:0width$}", self.published, width = publication.size);
        let mode = if publication.persistent { 2 } else { 1 };
        let mut properties = BasicProperties::default().with_delivery_mode(mode);
        if !publication.headers.is_empty() {
            let mut table = FieldTable::default();
            for (name, value) in &publication.headers {
                table.insert(name.as_str().into(), header(value));
            }
            properties = properties.with_headers(table);
        }
        if let Some(priority) = publication.priority {
            properties = properties.with_priority(priority);
        }
        if let Some(expiration) = publication.expiration {
            properties = properties.with_expiration(millis(expiration).to_string().into());
        }
        let options = BasicPublishOptions { mandatory: publication.mandatory, ..BasicPublishOptions::default() };
        let (exchange, key) = (self.exchange(publication.exchange), self.key(publication.exchange, &publication.key));
        let confirm =
            self.publisher.basic_publish(exchange.into(), key.into(), options, body.as_bytes(), properties).await?;
        let (positive, returned) = match confirm.await? {
            Confirmation::Ack(returned) => (true, returned),
            Confirmation::Nack(returned) => (false, returned),
            Confirmation::NotRequested => unreachable!("confirms were asked for"),
        };
        let returned = returned.map(|message| message.reply_code);
        self.push(Party::Publisher, Event::Confirm { positive, returned });
        Ok(())
    }

    fn push(&self, party: Party, event: Event) {
        self.seen.lock().expect("nobody panics with it").entry(party).or_default().push(event);
    }

    fn recorder(&self, holder: Holder) -> Recorder {
        Recorder { seen: Arc::clone(&self.seen), prefix: self.prefix.clone(), party: Party::Holder(holder) }
    }

    /// The channel of one who holds deliveries; a new one after a crash. Every second consumer has a connection of its own.
    async fn seat(&mut self, holder: Holder) -> Result<Channel, Fault> {
        if let Some(seat) = self.seats.get(&holder) {
            return Ok(seat.channel.clone());
        }
        let connection = match holder {
            Holder::Consumer(consumer) if consumer % 2 == 1 => Some(connect(&self.address).await?),
            _ => None,
        };
        let channel = connection.as_ref().unwrap_or(&self.connection).create_channel().await?;
        self.seats.insert(holder, Seat { channel: channel.clone(), tag: String::new(), connection });
        Ok(channel)
    }

    /// The broker closed a channel, if that is what this error says.
    fn closed(&mut self, holder: Holder, error: &Fault) -> Result<(), Fault> {
        let ErrorKind::ProtocolError(why) = error.kind() else { return Err(error.clone()) };
        self.push(Party::Holder(holder), Event::Closed(why.get_id()));
        self.seats.remove(&holder);
        Ok(())
    }

    async fn settle_down(&mut self, expected: &View) -> Result<View, Fault> {
        let (begin, patience) = (Instant::now(), if self.topology.is_timed { PATIENCE.1 } else { PATIENCE.0 });
        let mut pause = Duration::from_millis(1);
        loop {
            let view = self.round(expected).await?;
            if view == *expected || begin.elapsed() > patience || view.len() > expected.len() {
                // One more, for what should not be there.
                let view = self.round(expected).await?;
                self.seen.lock().expect("nobody panics with it").clear();
                return Ok(view);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }

    async fn round(&mut self, expected: &View) -> Result<View, Fault> {
        let mut queues = BTreeMap::new();
        for _ in 0..self.topology.queues.len() {
            for &queue in expected.queues.keys() {
                match self.count(queue).await? {
                    Some(count) => queues.insert(queue, count),
                    None => queues.remove(&queue),
                };
            }
        }
        for holder in self.seats.keys().copied().collect::<Vec<_>>() {
            let channel = self.seats[&holder].channel.clone();
            if let Err(error) = channel.basic_qos(0, BasicQosOptions::default()).await {
                self.closed(holder, &error)?;
            }
        }
        let events = self.seen.lock().expect("nobody panics with it").clone();
        Ok(View { events, queues })
    }

    /// Asks a queue for its length; None if it is not there.
    async fn count(&mut self, queue: usize) -> Result<Option<Count>, Fault> {
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        match self.asker.queue_declare(self.queue(queue).into(), options, FieldTable::default()).await {
            Ok(answer) => {
                let is_classic = self.topology.queues[queue].settings.kind() == QueueType::Classic;
                let consumers = is_classic.then(|| answer.consumer_count());
                Ok(Some(Count { ready: answer.message_count(), consumers }))
            }
            Err(error) if matches!(error.kind(), ErrorKind::ProtocolError(_)) => {
                self.asker = self.connection.create_channel().await?;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether a queue is gone.
    pub async fn is_gone(&mut self, queue: usize) -> Result<bool, Fault> {
        Ok(self.count(queue).await?.is_none())
    }

    /// Deletes everything.
    pub async fn end(self) -> Result<(), Fault> {
        for index in 0..self.topology.queues.len() {
            self.asker.queue_delete(self.queue(index).into(), QueueDeleteOptions::default()).await?;
        }
        for index in 1..=self.topology.exchanges.len() {
            self.asker.exchange_delete(self.exchange(index).into(), ExchangeDeleteOptions::default()).await?;
        }
        for seat in self.seats.values() {
            if let Some(connection) = &seat.connection {
                connection.close(200, "end".into()).await?;
            }
        }
        self.connection.close(200, "end".into()).await
    }
}

/// Writes down what a consumer gets, in the order in which it comes.
struct Recorder {
    seen: Seen,
    prefix: String,
    party: Party,
}

impl ConsumerDelegate for Recorder {
    fn on_new_delivery(&self, delivery: DeliveryResult) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        if let Ok(Some(delivery)) = delivery {
            let event = Event::Delivery(message(&self.prefix, &delivery, None));
            self.seen.lock().expect("nobody panics with it").entry(self.party).or_default().push(event);
        }
        Box::pin(std::future::ready(()))
    }
}

fn header(value: &HeaderValue) -> AMQPValue {
    match value {
        HeaderValue::Text(words) => text(words),
        HeaderValue::Whole(number) => AMQPValue::LongLongInt(*number),
        HeaderValue::Flag(flag) => AMQPValue::Boolean(*flag),
    }
}

fn match_arguments(arguments: &MatchArguments, kind: &ExchangeKind) -> FieldTable {
    let mut table = FieldTable::default();
    if matches!(kind, ExchangeKind::HeadersExchange(_)) {
        table.insert("x-match".into(), text(Match::WORDS.names[arguments.x_match as usize]));
        for (name, value) in &arguments.headers {
            table.insert(name.as_str().into(), value.as_ref().map_or(AMQPValue::Void, header));
        }
    }
    table
}

/// A message as it arrived.
fn message(prefix: &str, delivery: &lapin::message::Delivery, left: Option<u32>) -> Message {
    let properties = &delivery.properties;
    let plain = |name: &str| name.strip_prefix(prefix).unwrap_or(name).to_owned();
    let find = |name: &str| properties.headers().as_ref().and_then(|table| table.inner().get(name).cloned());
    let deaths = match find("x-death") {
        Some(AMQPValue::FieldArray(list)) => list.as_slice().iter().filter_map(|entry| death(prefix, entry)).collect(),
        _ => vec![],
    };
    Message {
        id: String::from_utf8_lossy(&delivery.data).parse().unwrap_or(0),
        tag: delivery.delivery_tag,
        exchange: plain(delivery.exchange.as_str()),
        key: plain(delivery.routing_key.as_str()),
        redelivered: delivery.redelivered,
        count: find("x-delivery-count").and_then(|value| number(&value)).unwrap_or(0) as u32,
        priority: *properties.priority(),
        expiration: properties.expiration().as_ref().map(|ttl| ttl.as_str().to_owned()),
        persistent: *properties.delivery_mode() == Some(2),
        deaths,
        left,
    }
}

fn death(prefix: &str, entry: &AMQPValue) -> Option<Death> {
    let AMQPValue::FieldTable(table) = entry else { return None };
    let words = |value: &AMQPValue| match value {
        AMQPValue::LongString(words) => {
            let words = String::from_utf8_lossy(words.as_bytes()).into_owned();
            Some(words.strip_prefix(prefix).map_or(words.clone(), str::to_owned))
        }
        _ => None,
    };
    let named = |name: &str| table.inner().get(name).and_then(words);
    let keys = match table.inner().get("routing-keys") {
        Some(AMQPValue::FieldArray(list)) => list.as_slice().iter().filter_map(words).collect(),
        _ => vec![],
    };
    Some(Death {
        queue: named("queue")?,
        reason: named("reason")?,
        count: table.inner().get("count").and_then(number)?,
        exchange: named("exchange")?,
        keys,
        expiration: named("original-expiration"),
    })
}

fn number(value: &AMQPValue) -> Option<u64> {
    match *value {
        AMQPValue::ShortShortInt(number) => u64::try_from(number).ok(),
        AMQPValue::ShortShortUInt(number) => Some(number.into()),
        AMQPValue::ShortInt(number) => u64::try_from(number).ok(),
        AMQPValue::ShortUInt(number) => Some(number.into()),
        AMQPValue::LongInt(number) => u64::try_from(number).ok(),
        AMQPValue::LongUInt(number) => Some(number.into()),
        AMQPValue::LongLongInt(number) => u64::try_from(number).ok(),
        _ => None,
    }
}
