//! One copy crosses one link: what faults and the link make of it.

use crate::base::id::NodeId;
use crate::base::random::mix;
use crate::network::{Address, Cause, LinkId, Packet, Verdict};
use crate::process::{Carriage, Message};

use super::hop::Hop;
use super::segment::Flight;
use super::stage::{Parcel, Run, Stage};

/// What crosses which link, from where to where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crossing {
    pub(super) link: LinkId,
    pub(super) from: NodeId,
    pub(super) to: NodeId,
    /// In bytes.
    pub(super) size: u64,
}

/// Which hop of its way something is on, and as which copy: nothing on the first, so that it meets the same luck there as on a
/// link without a topology.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Trail(u64);

impl Trail {
    /// The trail of the next hop.
    pub(super) fn onward(self) -> Self {
        self.follow(0x9e37_79b9_7f4a_7c15)
    }

    /// The trail of a copy that the network made on this hop.
    pub(super) fn copied(self) -> Self {
        self.follow(0xd1b5_4a32_d192_ed03)
    }

    pub(super) fn bits(self) -> u64 {
        self.0
    }

    /// Odd numbers lead from one trail to others.
    fn follow(self, by: u64) -> Self {
        Self(mix(self.0.wrapping_add(by)))
    }
}

/// A message that crosses a link: its number among its sender's effects beside it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passage {
    pub(super) crossing: Crossing,
    pub(super) count: u32,
}

/// Something that waits before it crosses a link. `P` is what an event holds of a message.
#[derive(Clone, Copy)]
pub(super) enum Waiting<P> {
    /// A message, on the whole of its way.
    Message(Passage, P),
    /// A message on a hop of its way.
    Hop(Hop<P>),
    /// A segment of a stream on a hop of its way.
    Segment(Flight),
}

/// What becomes of something that is to cross a link.
pub(super) enum Judgement {
    /// It crosses it, or not.
    Verdict(Verdict),
    /// It waits, with the keeper of this number.
    Kept(u64),
}

impl<M: Message> Stage<M> {
    /// What becomes of something that crosses a link, now. It has passed all that keeps messages up to the number `passed`.
    pub(super) fn judge(&mut self, crossing: &Crossing, address: &Address<'_>, passed: u64) -> Judgement {
        let &Crossing { link, from, to, size } = crossing;
        let Self { names, network, run, .. } = self;
        let Run { health, weather, now, .. } = run;
        if health.is_severed() && health.stops(from, to) {
            return Judgement::Verdict(Verdict::Drop(Cause::Partition));
        }
        if let Some(keeper) = weather.keeper(crossing, passed) {
            return Judgement::Kept(keeper);
        }
        let impact = weather.impact(crossing, address, &mut health.books);
        let packet = Packet { from, to, size, impact };
        Judgement::Verdict(network.transmit(link, *now, &packet, address, names))
    }

    /// Something that waited goes on from the keeper of this number.
    pub(super) fn go_on(&mut self, waiting: Waiting<Parcel<M>>, passed: u64) {
        match waiting {
            Waiting::Message(passage, parcel) => {
                let message = self.run.carriage.unpack(parcel);
                self.pass(passage, message, passed);
            }
            Waiting::Hop(hop) => self.cross(hop, passed),
            Waiting::Segment(flight) => self.let_segment_go(flight, passed),
        }
    }
}
