//! What can be done to a running system from outside.

use std::sync::Arc;

use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::base::units::Bandwidth;
use crate::process::Message;

use super::cluster::Cluster;
use super::fault::{Fault, FaultId, Impairment, Path, Severed};

/// An intervention at a set time, before everything else that happens then.
pub trait Control<M: Message>: Send + 'static {
    /// Carries it out.
    fn apply(&self, controls: &mut Controls<'_, M>);
}

impl<M: Message, F: Fn(&mut Controls<'_, M>) + Send + 'static> Control<M> for F {
    fn apply(&self, controls: &mut Controls<'_, M>) {
        self(controls);
    }
}

/// The handles an intervention may turn.
pub struct Controls<'a, M: Message> {
    pub(super) cluster: &'a mut Cluster<M>,
}

impl<M: Message> Controls<'_, M> {
    /// The time of the intervention.
    pub fn now(&self) -> Time {
        self.cluster.now()
    }

    /// Crashes a node: its process, its timers and what it had not synced are gone. Nothing if it is down.
    pub fn crash(&mut self, node: NodeId) {
        self.cluster.crash(node);
    }

    /// Starts a node that is down: a new process, built from what its disk holds. Nothing if it is up, or if a fault keeps
    /// it down.
    pub fn restart(&mut self, node: NodeId) {
        self.cluster.restart(node);
    }

    /// Crashes a node and keeps it down, on this fault's account, until [`Controls::bring_back`].
    pub fn bring_down(&mut self, node: NodeId, fault: FaultId) {
        self.cluster.bring_down(node, fault);
    }

    /// This fault no longer keeps the node down; if no other does, it starts anew.
    pub fn bring_back(&mut self, node: NodeId, fault: FaultId) {
        self.cluster.bring_back(node, fault);
    }

    /// Stops a node, on this fault's account, until [`Controls::resume`]: what comes for it waits.
    pub fn pause(&mut self, node: NodeId, fault: FaultId) {
        self.cluster.pause(node, fault);
    }

    /// This fault no longer stops the node; if no other does, it takes in what waits, in order.
    pub fn resume(&mut self, node: NodeId, fault: FaultId) {
        self.cluster.resume(node, fault);
    }

    /// The node's work takes `factor` (at least 1) times as long on this fault's account, from now on.
    pub fn slow(&mut self, node: NodeId, fault: FaultId, factor: f64) {
        self.cluster.slow(node, fault, factor);
    }

    /// The node brings `factor` (above 0) times its load on this fault's account, until it is 1.
    pub fn load(&mut self, node: NodeId, fault: FaultId, factor: f64) {
        self.cluster.load(node, fault, factor);
    }

    /// The disk of the node refuses what is written, on this fault's account, or no longer.
    pub fn fill_disk(&mut self, node: NodeId, fault: FaultId, is_full: bool) {
        self.cluster.fill_disk(node, fault, is_full);
    }

    /// No message passes there, on this fault's account, until [`Controls::mend`].
    pub fn sever(&mut self, fault: FaultId, severed: Severed) {
        self.cluster.sever(fault, severed);
    }

    /// This fault no longer stops messages there.
    pub fn mend(&mut self, fault: FaultId, severed: &Severed) {
        self.cluster.mend(fault, severed);
    }

    /// The steady clocks of these nodes run `rate` (above 0) times as fast on this fault's account, and their calendar clocks
    /// are `offset` nanoseconds ahead of them, until it is 1 and 0.
    pub fn skew(&mut self, nodes: &[NodeId], fault: FaultId, rate: f64, offset: i64) {
        self.cluster.skew(nodes, fault, rate, offset);
    }

    /// Messages on this path suffer, on this fault's account, until [`Controls::repair`].
    pub fn impair(&mut self, fault: FaultId, on: Path, with: Arc<dyn Impairment>) {
        self.cluster.impair(fault, on, with);
    }

    /// Messages on this path no longer suffer from this fault.
    pub fn repair(&mut self, fault: FaultId, on: &Path) {
        self.cluster.repair(fault, on);
    }

    /// What is sent on this path waits, on this fault's account, until [`Controls::release`].
    pub fn hold(&mut self, fault: FaultId, on: Path) {
        self.cluster.hold(fault, on);
    }

    /// What is sent on this path is transmitted at this rate at most, at each sender, on this fault's account, until
    /// [`Controls::release`].
    pub fn pace(&mut self, fault: FaultId, on: Path, rate: Bandwidth) {
        self.cluster.pace(fault, on, rate);
    }

    /// What waited on this path goes on.
    pub fn release(&mut self, fault: FaultId, on: &Path) {
        self.cluster.release(fault, on);
    }
}

/// A fault that strikes.
pub(super) struct Strike<M: Message>(pub(super) FaultId, pub(super) Arc<dyn Fault<M>>);

impl<M: Message> Control<M> for Strike<M> {
    fn apply(&self, controls: &mut Controls<'_, M>) {
        controls.cluster.note_strike(self.0);
        self.1.strike(controls, self.0);
    }
}

/// A fault that heals.
pub(super) struct Heal<M: Message>(pub(super) FaultId, pub(super) Arc<dyn Fault<M>>);

impl<M: Message> Control<M> for Heal<M> {
    fn apply(&self, controls: &mut Controls<'_, M>) {
        self.1.heal(controls, self.0);
    }
}
