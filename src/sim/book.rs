//! The wire's book: every copy has one fate.
//!
//! The driver keeps it for any process: copies sent and duplicated are those delivered, dropped (with the reason) or still
//! on their way. It is checked at the end of every run, release builds included. On a topology every hop is a copy of its own,
//! sent by the node where it starts and delivered to the node where it ends: what a link carried is what its book says.

use crate::network::{Cause, LinkId};

/// What became of the copies that were sent over one link.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct LinkBook {
    /// Copies that processes sent, or nodes forwarded.
    pub sent: u64,
    /// Copies that the network made.
    pub duplicated: u64,
    /// Copies handed to a process, or to a node that forwards them.
    pub delivered: u64,
    /// Copies dropped, by [`Cause`] in the order of [`Cause::ALL`].
    pub dropped: [u64; Cause::ALL.len()],
    /// Bytes that were sent.
    pub bytes: u64,
    /// What became of the segments of streams, in which the copies of such a link travel.
    pub segments: SegmentBook,
}

/// What became of the segments that were sent over one link.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct SegmentBook {
    /// Segments that the ends of streams sent.
    pub sent: u64,
    /// Those among them that were sent before.
    pub retransmitted: u64,
    /// Segments that the network made.
    pub duplicated: u64,
    /// Segments that reached the other end of the link.
    pub arrived: u64,
    /// Segments that did not.
    pub lost: u64,
}

impl SegmentBook {
    fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.retransmitted += other.retransmitted;
        self.duplicated += other.duplicated;
        self.arrived += other.arrived;
        self.lost += other.lost;
    }
}

impl LinkBook {
    /// Copies neither delivered nor dropped so far.
    pub fn in_flight(&self) -> u64 {
        (self.sent + self.duplicated).saturating_sub(self.delivered + self.dropped.iter().sum::<u64>())
    }

    /// Copies dropped for `cause`.
    pub fn dropped_for(&self, cause: Cause) -> u64 {
        self.dropped[cause as usize]
    }

    /// Adds another book's counts.
    pub fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.duplicated += other.duplicated;
        self.delivered += other.delivered;
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.segments.add(&other.segments);
        for (sum, count) in self.dropped.iter_mut().zip(other.dropped) {
            *sum += count;
        }
    }
}

/// The books of all links.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct WireBook {
    links: Vec<LinkBook>,
}

impl WireBook {
    pub(super) fn new(links: usize) -> Self {
        Self { links: vec![LinkBook::default(); links] }
    }

    #[inline(always)]
    pub(super) fn of(&mut self, link: LinkId) -> &mut LinkBook {
        &mut self.links[link.index()]
    }

    /// One link's book.
    pub fn link(&self, link: LinkId) -> &LinkBook {
        &self.links[link.index()]
    }

    /// The sum over all links.
    pub fn total(&self) -> LinkBook {
        let mut total = LinkBook::default();
        self.links.iter().for_each(|book| total.add(book));
        total
    }

    /// Whether the books balance, given the copies and segments that are on their way.
    pub(super) fn balances(&self, in_flight: u64, segments: u64) -> bool {
        let total = self.total();
        let SegmentBook { sent, duplicated, arrived, lost, .. } = total.segments;
        let is_carried = sent + duplicated == arrived + lost + segments;
        is_carried && total.sent + total.duplicated == total.delivered + total.dropped.iter().sum::<u64>() + in_flight
    }
}
