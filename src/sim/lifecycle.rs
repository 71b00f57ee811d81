//! How nodes come up, stop, go on, slow down and go down.

use std::collections::BTreeMap;

use crate::base::id::NodeId;
use crate::engine::Rank;
use crate::network::Cause;
use crate::process::{Boot, Message};

use super::arena::Input;
use super::cluster::Cluster;
use super::event::{Alarm, AlarmOrder};
use super::fault::{FaultId, Severed};
use super::health::Held;
use super::stage::Parcel;
use super::work::{Moved, Verdict, WorkClock};

impl<M: Message> Cluster<M> {
    /// Builds a node's process from what its disk holds, and starts it.
    pub(super) fn bring_up(&mut self, node: NodeId, restarts: u32) {
        static EMPTY: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        let (group, index) = self.stage.names.place(node);
        let disk = self.stage.run.disks.get(&node).unwrap_or(&EMPTY);
        let boot = Boot { node, index: self.stage.names.entity(node).index(), restarts, seed: self.seed, disk };
        self.arenas[group.index()].build(index, boot);
        let mark = [self.stage.run.now.as_nanos(), u64::MAX, restarts.into(), 0];
        self.input(node, mark, Input::Start);
    }

    /// The node's process, its timers and what waits for it are gone.
    pub(super) fn crash(&mut self, node: NodeId) {
        let (group, index) = self.stage.names.place(node);
        if self.arenas[group.index()].is_up(index) {
            self.stage.tell_down(node);
        }
        self.arenas[group.index()].drop_process(index);
        self.stage.abandon_streams(node);
        for held in self.stage.run.health.forget(node) {
            match held {
                Held::Message(delivery) => self.stage.lose(&delivery),
                Held::Hop(hop) => self.stage.end_way(&hop, Cause::ReceiverDown),
                Held::Boot | Held::Timer(..) | Held::Persisted(_) | Held::Peer(..) => {}
            }
        }
    }

    pub(super) fn restart(&mut self, node: NodeId) {
        let (group, index) = self.stage.names.place(node);
        let health = &mut self.stage.run.health;
        if self.arenas[group.index()].is_up(index) || health.is_down(node) {
            return;
        }
        if health.is_paused(node) {
            return health.hold(node, Held::Boot);
        }
        self.boot(node);
    }

    fn boot(&mut self, node: NodeId) {
        let restarts = self.stage.run.restarts.entry(node).or_default();
        *restarts += 1;
        let restarts = *restarts;
        self.bring_up(node, restarts);
    }

    pub(super) fn note_strike(&mut self, id: FaultId) {
        self.stage.run.is_disturbed = true;
        self.stage.run.health.books.of(id).strikes += 1;
    }

    pub(super) fn bring_down(&mut self, node: NodeId, id: FaultId) {
        let (group, index) = self.stage.names.place(node);
        let arena = &self.arenas[group.index()];
        let books = &mut self.stage.run.health.books;
        if arena.is_up(index) {
            books.touch_node(id, node);
            books.touch_timers(&[id], arena.timers(index));
        }
        self.stage.run.health.bring_down(node, id);
        self.crash(node);
    }

    pub(super) fn bring_back(&mut self, node: NodeId, id: FaultId) {
        if self.stage.run.health.bring_back(node, id) {
            self.restart(node);
        }
    }

    pub(super) fn pause(&mut self, node: NodeId, id: FaultId) {
        let (group, index) = self.stage.names.place(node);
        if self.arenas[group.index()].is_up(index) {
            self.stage.run.health.books.touch_node(id, node);
        }
        if self.stage.run.health.pause(node, id) {
            self.arenas[group.index()].park(index);
            self.change_work(node, |clock| clock.stop(true));
        }
    }

    pub(super) fn resume(&mut self, node: NodeId, id: FaultId) {
        let Some(held) = self.stage.run.health.resume(node, id) else { return };
        let (group, index) = self.stage.names.place(node);
        self.arenas[group.index()].unpark(index);
        self.change_work(node, |clock| clock.stop(false));
        for held in held {
            self.take_in(node, held);
        }
        self.read_streams(node);
    }

    /// Hands over what waited for a paused node.
    fn take_in(&mut self, node: NodeId, held: Held<Parcel<M>>) {
        match held {
            Held::Boot => self.boot(node),
            Held::Message(mut delivery) => {
                delivery.time = self.stage.run.now;
                self.deliver(node, &delivery);
            }
            Held::Hop(hop) => self.end_hop(hop),
            Held::Timer(id, count) => self.timer(node, id, count),
            Held::Persisted(key) => self.persisted(node, key),
            Held::Peer(peer, event) => self.tell_peer(node, peer, event),
        }
    }

    pub(super) fn slow(&mut self, node: NodeId, id: FaultId, factor: f64) {
        let (group, index) = self.stage.names.place(node);
        let health = &mut self.stage.run.health;
        if factor != 1.0 && self.arenas[group.index()].is_up(index) {
            health.books.touch_node(id, node);
        }
        self.change_work(node, |clock| clock.slow(id, factor));
    }

    /// Changes how a node's work clock runs, and sets the alarms of its timers anew.
    fn change_work(&mut self, node: NodeId, change: impl FnOnce(&mut WorkClock)) {
        let (group, index) = self.stage.names.place(node);
        let (arena, run) = (&self.arenas[group.index()], &mut self.stage.run);
        let moved = run.work.change(node, run.now, change, |id| arena.is_armed(index, id));
        for timer in moved {
            self.stage.run.delay_work(node);
            self.set_alarm(node, timer);
        }
    }

    fn set_alarm(&mut self, node: NodeId, Moved { time, count, id }: Moved) {
        let run = &mut self.stage.run;
        let order = AlarmOrder { names: &self.stage.names, schedule: run.schedule };
        run.alarms.push(Alarm::new(time, node, count, id, true), &order);
    }

    /// Whether an alarm of a node that may be disturbed is to be handed over. If not, it is kept or set anew.
    #[cold]
    pub(super) fn is_due(&mut self, alarm: &Alarm) -> bool {
        let (node, now, id) = (alarm.node, alarm.time, alarm.id());
        if alarm.rank() == Rank::Work {
            return match self.stage.run.work.judge(node, now, alarm.count, id) {
                Verdict::Due => true,
                Verdict::Stale => false,
                Verdict::Later(moved) => {
                    self.stage.run.delay_work(node);
                    moved.into_iter().for_each(|timer| self.set_alarm(node, timer));
                    false
                }
            };
        }
        if self.stage.run.health.is_paused(node) {
            self.stage.run.health.hold(node, Held::Timer(id, alarm.count));
            return false;
        }
        true
    }

    pub(super) fn sever(&mut self, id: FaultId, severed: Severed) {
        self.stage.run.health.sever(id, severed);
        self.stage.network.watch(true);
    }

    pub(super) fn mend(&mut self, id: FaultId) {
        self.stage.run.health.mend(id);
        self.stage.network.watch(self.stage.run.health.is_severed());
    }
}
