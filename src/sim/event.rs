//! The two kinds of pending events, and how they are ordered.

use std::num::NonZeroU32;

use crate::base::id::NodeId;
use crate::base::names::Names;
use crate::base::time::Time;
use crate::engine::{Order, Place, Rank, Schedule};
use crate::process::{Clock, Message, TimerId};

use super::arena::Arena;
use super::cluster::Lines;

/// A copy on its way. 32 bytes with a message of 12, two to a cache line; 48 with one of 24.
#[derive(Clone, Copy)]
pub(super) struct Delivery<P> {
    pub(super) time: Time,
    pub(super) from: NodeId,
    pub(super) to: NodeId,
    pub(super) count: u32,
    pub(super) parcel: P,
}

/// A timer that was set; its value stays with the node.
#[derive(Clone, Copy)]
pub(super) struct Alarm {
    pub(super) time: Time,
    pub(super) node: NodeId,
    pub(super) count: u32,
    /// The timer's slot; the top bit says that it runs on the work clock.
    slot: u32,
    generation: NonZeroU32,
}

const WORK: u32 = 1 << 31;

impl Alarm {
    pub(super) fn new(time: Time, node: NodeId, count: u32, id: TimerId, clock: Clock) -> Self {
        assert!(id.slot < WORK, "a node has fewer than 2^31 timers");
        Self {
            time,
            node,
            count,
            slot: id.slot | if clock == Clock::Work { WORK } else { 0 },
            generation: id.generation,
        }
    }

    pub(super) fn id(&self) -> TimerId {
        TimerId { slot: self.slot & !WORK, generation: self.generation }
    }

    pub(super) fn clock(&self) -> Clock {
        if self.slot & WORK != 0 { Clock::Work } else { Clock::Steady }
    }

    pub(super) fn rank(&self) -> Rank {
        match self.clock() {
            Clock::Work => Rank::Work,
            Clock::Steady => Rank::Deadline,
        }
    }
}

pub(super) struct DeliveryOrder<'a> {
    pub(super) names: &'a Names,
    pub(super) schedule: Schedule,
}

impl<P: Copy> Order<Delivery<P>> for DeliveryOrder<'_> {
    #[inline(always)]
    fn time(&self, event: &Delivery<P>) -> Time {
        event.time
    }

    fn place(&self, event: &Delivery<P>) -> Place {
        let origin = self.names.entity(event.from).bits();
        self.schedule.place(event.time, Rank::Delivery, origin, event.count.into())
    }
}

/// Orders alarms, while their nodes may be busy: every alarm is taken for a living one.
pub(super) struct AlarmOrder<'a> {
    pub(super) names: &'a Names,
    pub(super) schedule: Schedule,
}

impl Order<Alarm> for AlarmOrder<'_> {
    #[inline(always)]
    fn time(&self, event: &Alarm) -> Time {
        event.time
    }

    fn place(&self, event: &Alarm) -> Place {
        let origin = self.names.entity(event.node).bits();
        self.schedule.place(event.time, event.rank(), origin, event.count.into())
    }
}

/// The same order, by one who can ask the nodes which alarms still count.
pub(super) struct LivingAlarms<'a, M: Message> {
    pub(super) order: AlarmOrder<'a>,
    pub(super) arenas: &'a [Box<dyn Arena<M>>],
    /// Where hints pay.
    pub(super) lines: Option<&'a Vec<Lines>>,
}

impl<M: Message> Order<Alarm> for LivingAlarms<'_, M> {
    const CANCELS: bool = true;

    #[inline(always)]
    fn time(&self, event: &Alarm) -> Time {
        event.time
    }

    fn place(&self, event: &Alarm) -> Place {
        self.order.place(event)
    }

    #[inline(always)]
    fn is_live(&self, event: &Alarm) -> bool {
        let (group, index) = self.order.names.place(event.node);
        self.arenas[group.index()].is_armed(index, event.id())
    }

    #[inline(always)]
    fn prefetch(&self, event: &Alarm) {
        if let Some(lines) = self.lines {
            let (group, index) = self.order.names.place(event.node);
            lines[group.index()].prefetch_timers(index);
        }
    }
}
