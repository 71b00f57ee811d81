//! What the network itself has yet to do, in a calendar of its own.
//!
//! An errand happens between what processes do: a copy reaches the next node of its way, say, or a segment of a stream its
//! other end. It has the place of a delivery among the events of its instant, after work that is done and before every
//! message that simply arrives. Errands stand apart, behind the same gate as controls and disks (`Run::outside`), so that a
//! run without them asks nothing about them.

use crate::base::id::NodeId;
use crate::base::names::Names;
use crate::base::time::{Time, ns};
use crate::engine::{Order, Place, Rank, Schedule};
use crate::process::Message;

use super::cluster::Cluster;
use super::event::{AlarmOrder, LivingAlarms};
use super::hop::Hop;
use super::segment::{Flight, Wake};
use super::stage::{Parcel, Stage};

/// Something that the network does at a set time. `P` is what an event holds of a message.
#[derive(Clone, Copy)]
pub(super) struct Errand<P> {
    pub(super) time: Time,
    /// By whose name it is ordered, then by the number it has there: this node's messages keep their order.
    pub(super) origin: NodeId,
    pub(super) count: u32,
    /// Tells errands apart that have the same origin and number, such as two copies of one message.
    pub(super) turn: u32,
    pub(super) task: Task<P>,
}

/// What there is to do.
#[derive(Clone, Copy)]
pub(super) enum Task<P> {
    /// A copy reaches the end of a hop.
    Hop(Hop<P>),
    /// The first message in a sender's queue is transmitted, at the rate that a fault allows.
    Transmitted {
        /// The number of the keeper.
        keeper: u64,
        /// Whose queue.
        from: NodeId,
    },
    /// A segment of a stream reaches the end of a hop.
    Land(Flight),
    /// A deadline of an end of a stream may have come.
    Wake(Wake),
}

impl<P> Task<P> {
    /// How many copies are on their way in it: the wire's book counts them.
    pub(super) fn copies(&self) -> u64 {
        match self {
            Self::Hop(_) => 1,
            // It waits with its keeper.
            Self::Transmitted { .. } => 0,
            Self::Land(_) | Self::Wake(_) => 0,
        }
    }

    /// How many segments are.
    pub(super) fn segments(&self) -> u64 {
        u64::from(matches!(self, Self::Land(_)))
    }

    /// What arrives at a deadline is in time.
    fn rank(&self) -> Rank {
        match self {
            Self::Hop(_) | Self::Land(_) | Self::Transmitted { .. } => Rank::Delivery,
            Self::Wake(_) => Rank::Deadline,
        }
    }
}

pub(super) struct ErrandOrder<'a> {
    pub(super) names: &'a Names,
    pub(super) schedule: Schedule,
}

impl<P: Copy> Order<Errand<P>> for ErrandOrder<'_> {
    fn time(&self, event: &Errand<P>) -> Time {
        event.time
    }

    fn place(&self, event: &Errand<P>) -> Place {
        let origin = self.names.entity(event.origin).bits();
        let count = u64::from(event.count) << 32 | u64::from(event.turn);
        self.schedule.place(event.time, event.task.rank(), origin, count)
    }
}

/// The same order as a type of its own, so that what the agenda does here is compiled apart: a second caller of the functions
/// that the loop over ordinary events has inline would move them out of it, for a hundredth of all instructions.
struct Aside<O>(O);

impl<T, O: Order<T>> Order<T> for Aside<O> {
    const CANCELS: bool = O::CANCELS;

    fn time(&self, event: &T) -> Time {
        self.0.time(event)
    }

    fn place(&self, event: &T) -> Place {
        self.0.place(event)
    }

    fn is_live(&self, event: &T) -> bool {
        self.0.is_live(event)
    }
}

impl<M: Message> Stage<M> {
    /// Adds an errand, at the earliest right after the present.
    #[inline(never)]
    pub(super) fn plan_errand(&mut self, errand: Errand<Parcel<M>>) {
        let Self { names, run, .. } = self;
        let errand = Errand { time: errand.time.max(run.now + ns(1)), ..errand };
        run.outside = run.outside.min(errand.time);
        run.errands.push(errand, &ErrandOrder { names, schedule: run.schedule });
    }

    /// No errand comes before this time.
    pub(super) fn errands_bound(&self) -> Time {
        self.run.errands.bound(&ErrandOrder { names: &self.names, schedule: self.run.schedule })
    }
}

impl<M: Message> Cluster<M> {
    /// Runs the next errand, if it is due at `now` and no work is done first.
    #[cold]
    #[inline(never)]
    pub(super) fn step_errand(&mut self, now: Time) {
        let run = &mut self.stage.run;
        run.errands.settle(&ErrandOrder { names: &self.stage.names, schedule: run.schedule });
        if self.stage.errands_bound() != now {
            // It comes later than was thought.
            return self.look_outside();
        }
        if self.stage.run.alarms.bound() == now && self.step_work(now) {
            return;
        }
        let run = &mut self.stage.run;
        run.now = now;
        let errand = run.errands.pop(&ErrandOrder { names: &self.stage.names, schedule: run.schedule });
        self.look_outside();
        match errand.task {
            Task::Hop(hop) => self.end_hop(hop),
            Task::Transmitted { keeper, from } => self.stage.transmitted(keeper, from),
            Task::Land(flight) => self.land(flight),
            Task::Wake(wake) => self.wake(wake),
        }
    }

    /// Whether no errand is to be run yet, as the next alarm was not known, or said that work is done. That comes first.
    fn step_work(&mut self, now: Time) -> bool {
        let Stage { names, run, .. } = &mut self.stage;
        let order = Aside(AlarmOrder { names, schedule: run.schedule });
        if !run.alarms.is_settled() {
            let living = AlarmOrder { names, schedule: run.schedule };
            run.alarms.settle(&Aside(LivingAlarms { order: living, arenas: &self.arenas, lines: None }));
            return true;
        }
        let is_work = run.alarms.peek(&order).is_some_and(|alarm| alarm.time == now && alarm.rank() == Rank::Work);
        if is_work {
            let alarm = run.alarms.pop(&order);
            self.ring(&alarm);
        }
        is_work
    }
}
