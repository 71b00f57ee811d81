//! A link: what happens to one message between two nodes.

use crate::base::cause::Cause;
use crate::base::distribution::Distribution;
use crate::base::id::Entity;
use crate::base::names::Names;
use crate::base::probability::Probability;
use crate::base::random::{Block, Key};
use crate::base::time::{Span, Time};
use crate::base::units::Bandwidth;

use super::bursts::Bursts;
use super::correlation::Correlation;
use super::egress::{Buffer, Egress};
use super::packet::{Impact, Packet};
use super::stream::{Stream, Transport};

/// What a link does to messages. The default is ideal: no latency, no loss, unlimited bandwidth.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Propagation delay of each message, on its own.
    pub latency: Distribution,
    /// How much the latencies of successive messages from one node to another are alike.
    pub correlation: Correlation,
    /// Share of messages that vanish, each on its own.
    pub loss: Probability,
    /// Messages from one node to another that vanish in a row, besides.
    pub bursts: Option<Bursts>,
    /// Share of messages that arrive twice.
    pub duplicate: Probability,
    /// Share of messages damaged on the way: detected by the receiver's checksum, dropped, counted.
    pub corrupt: Probability,
    /// Transmission rate at each node that sends into the link.
    pub bandwidth: Option<Bandwidth>,
    /// Room for messages that wait for transmission.
    pub buffer: Buffer,
    /// Whether messages between two nodes may overtake each other.
    pub order: Arrival,
    /// Whether each message travels on its own, or as part of a stream: then all of the above happens to segments.
    pub transport: Transport,
}

/// Whether messages may overtake each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Arrival {
    /// Each message has its own latency.
    #[default]
    Free,
    /// A message arrives no earlier than those its sender sent before to the same node.
    Fifo,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            latency: Distribution::constant(Span::ZERO),
            correlation: Correlation::NONE,
            loss: Probability::ZERO,
            bursts: None,
            duplicate: Probability::ZERO,
            corrupt: Probability::ZERO,
            bandwidth: None,
            buffer: Buffer::Unlimited,
            order: Arrival::Free,
            transport: Transport::Datagram,
        }
    }
}

impl Link {
    /// A link with this latency that is ideal otherwise.
    pub fn latency(latency: Distribution) -> Self {
        Self { latency, ..Self::default() }
    }

    /// The same link with this share of messages lost.
    #[must_use]
    pub fn loss(self, loss: Probability) -> Self {
        Self { loss, ..self }
    }

    /// The same link with messages lost in bursts.
    #[must_use]
    pub fn bursts(self, bursts: Bursts) -> Self {
        Self { bursts: Some(bursts), ..self }
    }

    /// The same link with latencies that resemble those before.
    #[must_use]
    pub fn correlated(self, correlation: Correlation) -> Self {
        Self { correlation, ..self }
    }

    /// The same link as one that carries streams.
    #[must_use]
    pub fn stream(self, stream: Stream) -> Self {
        Self { transport: Transport::Stream(Box::new(stream)), ..self }
    }

    /// Whether messages can be lost on the way without a word. A stream sends again what is lost, or is reset.
    pub fn can_lose(&self) -> bool {
        if self.transport != Transport::Datagram {
            return false;
        }
        !self.loss.is_never() || self.bursts.is_some() || !self.corrupt.is_never()
    }

    pub(super) fn is_correlated(&self) -> bool {
        self.correlation > Correlation::NONE
    }

    /// Whether a message's fate depends on those before it from the same node to the same node.
    fn remembers_pairs(&self) -> bool {
        self.bursts.is_some() || self.is_correlated()
    }
}

/// What becomes of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It arrives then.
    Deliver(Time),
    /// It arrives twice.
    Duplicate(Time, Time),
    /// It does not arrive.
    Drop(Cause),
}

/// The address of a message's luck on the wire.
#[derive(Clone, Copy, Debug)]
pub struct Address<'a> {
    /// The key of the wire's draws.
    pub key: &'a Key,
    /// The message's owner.
    pub owner: Entity,
    /// Number, attempt and leg of the message; the low byte is the network's own.
    pub position: u64,
}

/// Positions of further draws of one message, in the low byte.
const SECOND_COPY: u64 = 0x40;
const RARE: u64 = 0x80;

impl Address<'_> {
    #[inline(always)]
    fn block(&self, offset: u64) -> Block {
        self.key.block(self.owner, self.position | offset)
    }
}

/// How much of a link there is to think about: told once, not for every message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Path {
    /// Every message arrives after the same time.
    Certain,
    /// Loss and latency, and no state.
    Lucky,
    /// All else.
    Full,
}

impl Path {
    fn of(link: &Link) -> Self {
        let plain = link.bandwidth.is_none() && link.order == Arrival::Free && !link.remembers_pairs();
        let is_datagram = link.transport == Transport::Datagram;
        if !plain || !is_datagram || !link.duplicate.is_never() || !link.corrupt.is_never() {
            Self::Full
        } else if link.loss.is_never() && link.latency.is_constant() {
            Self::Certain
        } else {
            Self::Lucky
        }
    }
}

/// A link and its state.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    pub(super) link: Link,
    path: Path,
    /// Whether a node transmits to each neighbour on its own, as on the edges of a topology.
    has_ports: bool,
    egress: Vec<Option<Box<Egress>>>,
}

impl Wire {
    pub(super) fn new(link: Link) -> Self {
        Self { path: Path::of(&link), link, has_ports: false, egress: Vec::new() }
    }

    /// Whether every message is to be judged in full.
    pub(super) fn watch(&mut self, is_watched: bool) {
        self.path = if is_watched { Path::Full } else { Path::of(&self.link) };
    }

    /// Gives every node a queue for each neighbour.
    pub(super) fn part_ports(&mut self) {
        self.has_ports = true;
    }

    pub(super) fn reset(&mut self) {
        self.egress.clear();
        self.watch(false);
    }

    /// When a message arrives, where loss and latency are all there is to think about: nothing if it is lost, or if there is
    /// more to it and [`Wire::transmit`] must be asked.
    #[inline(always)]
    pub(super) fn arrival(&self, now: Time, address: &Address<'_>) -> Option<Time> {
        let link = &self.link;
        match self.path {
            Path::Lucky => {
                let luck = address.block(0);
                (!link.loss.hits(luck.first())).then(|| now + link.latency.sample(luck.second()))
            }
            Path::Certain => Some(now + link.latency.minimum()),
            Path::Full => None,
        }
    }

    #[inline(never)]
    pub(super) fn transmit(&mut self, now: Time, packet: &Packet, address: &Address<'_>, names: &Names) -> Verdict {
        let (link, &Packet { from, to, size, impact }) = (&self.link, packet);
        let remembers = link.remembers_pairs();
        let stateful = link.bandwidth.is_some() || link.order == Arrival::Fifo || remembers;
        let mut egress = stateful.then(|| {
            let index = from.index() as usize;
            if self.egress.len() <= index {
                self.egress.resize_with(index + 1, || None);
            }
            self.egress[index].get_or_insert_default()
        });
        // What is lost on the link was transmitted all the same; what finds no room was not.
        let mut sent = now;
        if let (Some(egress), Some(rate)) = (&mut egress, link.bandwidth) {
            match egress.queue(self.has_ports.then_some(to)).enqueue(now, size, rate, link.buffer) {
                Some(departure) => sent = departure,
                None => return Verdict::Drop(Cause::BufferFull),
            }
        }
        let luck = address.block(0);
        let (mut is_lost, mut latency) = (link.loss.hits(luck.first()), luck.second());
        if let (Some(egress), true) = (&mut egress, remembers) {
            let turn = egress.pair(names, from, to).next(link, address);
            is_lost |= turn.is_lost;
            latency = turn.latency.unwrap_or(latency);
        }
        if is_lost || impact.is_lost {
            return Verdict::Drop(Cause::Loss);
        }
        sent += impact.delay;
        let mut arrive = |at: Time| match (&mut egress, link.order) {
            (Some(egress), Arrival::Fifo) if !impact.is_overtaken => egress.in_order(to, at),
            _ => at,
        };
        if link.duplicate.is_never() && link.corrupt.is_never() && impact == Impact::NONE {
            return Verdict::Deliver(arrive(sent + link.latency.sample(latency)));
        }
        let rare = address.block(RARE);
        if link.corrupt.hits(rare.second()) || impact.is_corrupt {
            return Verdict::Drop(Cause::Corrupt);
        }
        let first = arrive(sent + link.latency.sample(latency));
        if link.duplicate.hits(rare.first()) || impact.is_doubled {
            let again = address.block(SECOND_COPY).second();
            return Verdict::Duplicate(first, arrive(sent + link.latency.sample(again)));
        }
        Verdict::Deliver(first)
    }
}
