//! How nodes come up, stop, go on, slow down, go down and are cut off.

use std::collections::BTreeMap;

use crate::base::id::NodeId;
use crate::network::Cause;
use crate::process::{Boot, Clock, Effects, Message, Observation};

use super::arena::Input;
use super::cluster::Cluster;
use super::event::{Alarm, AlarmOrder};
use super::fault::{FaultId, Severed};
use super::health::Held;
use super::node_clock::{Moved, NodeClock, Verdict};
use super::stage::Parcel;

impl<M: Message> Cluster<M> {
    /// Builds a node's process from what its disk holds, and starts it.
    pub(super) fn bring_up(&mut self, node: NodeId, restarts: u32) {
        static EMPTY: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        let (group, index) = self.stage.names.place(node);
        let disk = self.stage.run.disks.get(node).map_or(&EMPTY, |disk| &disk.synced);
        let boot = Boot { node, index: self.stage.names.entity(node).index(), restarts, seed: self.seed, disk };
        self.arenas[group.index()].build(index, boot);
        let mark = [self.stage.run.now.as_nanos(), u64::MAX, restarts.into(), 0];
        self.input(node, mark, Input::Start);
        if self.stage.run.loads.get(&node).is_some_and(|factors| !factors.is_empty()) {
            self.tell_load(node);
        }
    }

    /// The node's process, its timers and what waits for it are gone.
    pub(super) fn crash(&mut self, node: NodeId) {
        let (group, index) = self.stage.names.place(node);
        if self.arenas[group.index()].is_up(index) {
            self.stage.run.actor.node = node;
            for key in self.stage.run.health.synced(node) {
                self.arenas[group.index()].unheard(&mut self.stage, index, key);
            }
            self.stage.observe(&Observation::Down);
        }
        self.arenas[group.index()].drop_process(index);
        if self.stage.run.disks.get(node).is_some() {
            self.stage.change_disk(node, |disk, storage, luck, _| disk.crash(storage, luck));
            self.look_outside();
        }
        self.stage.abandon_streams(node);
        for held in self.stage.run.health.forget(node) {
            match held {
                Held::Message(delivery) => self.stage.lose(&delivery),
                Held::Hop(hop) => self.stage.end_way(&hop, Cause::ReceiverDown),
                Held::Segment(flight) => self.miss(flight),
                Held::Boot | Held::Timer(..) | Held::Word(_) | Held::Load | Held::Peer(..) => {}
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
            self.change_clock(node, Clock::Work, |clock| clock.stop(true));
        }
    }

    pub(super) fn resume(&mut self, node: NodeId, id: FaultId) {
        let Some(held) = self.stage.run.health.resume(node, id) else { return };
        let (group, index) = self.stage.names.place(node);
        self.arenas[group.index()].unpark(index);
        self.change_clock(node, Clock::Work, |clock| clock.stop(false));
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
                self.hand_over_held(&delivery);
            }
            Held::Hop(hop) => self.arrive(hop),
            Held::Segment(flight) => self.land(flight),
            Held::Timer(id, count) => self.timer(node, id, count),
            Held::Load => self.tell_load(node),
            Held::Word(word) => self.hear_disk(node, word),
            Held::Peer(peer, event) => self.tell_peer(node, peer, event),
        }
    }

    pub(super) fn slow(&mut self, node: NodeId, id: FaultId, factor: f64) {
        let (group, index) = self.stage.names.place(node);
        let health = &mut self.stage.run.health;
        if factor != 1.0 && self.arenas[group.index()].is_up(index) {
            health.books.touch_node(id, node);
        }
        self.change_clock(node, Clock::Work, |clock| clock.run(id, 1.0 / factor));
    }

    /// This node brings `factor` times its load on this fault's account.
    pub(super) fn load(&mut self, node: NodeId, id: FaultId, factor: f64) {
        let (group, index) = self.stage.names.place(node);
        let is_up = self.arenas[group.index()].is_up(index);
        let run = &mut self.stage.run;
        let factors = run.loads.entry(node).or_default();
        factors.insert(id, factor);
        factors.retain(|_, factor| *factor != 1.0);
        if factor != 1.0 && is_up {
            run.health.books.touch_node(id, node);
        }
        if run.health.is_paused(node) {
            return run.health.hold(node, Held::Load);
        }
        self.tell_load(node);
    }

    /// A node that is up learns how much load it is to bring.
    fn tell_load(&mut self, node: NodeId) {
        let run = &self.stage.run;
        let factor = run.loads.get(&node).map_or(1.0, |factors| factors.values().product());
        let mark = [run.now.as_nanos(), u64::MAX, f64::to_bits(factor), 1];
        self.input(node, mark, Input::Load(factor));
    }

    /// The steady clocks of these nodes run `pace` times as fast on this fault's account, and their calendar clocks are
    /// `offset` nanoseconds ahead of them.
    pub(super) fn skew(&mut self, nodes: &[NodeId], id: FaultId, pace: f64, offset: i64) {
        self.adopt_timers(nodes);
        for &node in nodes {
            let (group, index) = self.stage.names.place(node);
            if (pace != 1.0 || offset != 0) && self.arenas[group.index()].is_up(index) {
                self.stage.run.health.books.touch_node(id, node);
            }
            self.stage.run.offsets.entry(node).or_default().insert(id, offset);
            self.change_clock(node, Clock::Steady, |clock| clock.run(id, pace));
        }
    }

    /// Has the steady clocks of these nodes know which timers wait for them: if a clock gains, they come early.
    fn adopt_timers(&mut self, nodes: &[NodeId]) {
        let Self { stage, arenas, .. } = self;
        let run = &mut stage.run;
        let mut pending: BTreeMap<NodeId, Vec<Moved>> =
            nodes.iter().filter(|&&node| !run.steady.knows(node)).map(|&node| (node, Vec::new())).collect();
        if pending.is_empty() {
            return;
        }
        for alarm in run.alarms.iter().filter(|alarm| alarm.clock() == Clock::Steady) {
            let Some(timers) = pending.get_mut(&alarm.node) else { continue };
            let (group, index) = stage.names.place(alarm.node);
            if arenas[group.index()].is_armed(index, alarm.id()) {
                timers.push(Moved { time: alarm.time, count: alarm.count, id: alarm.id() });
            }
        }
        for (node, timers) in pending {
            run.steady.adopt(node, run.now, timers.into_iter());
        }
    }

    /// Changes how one of a node's clocks runs, and sets the alarms of its timers anew.
    fn change_clock(&mut self, node: NodeId, clock: Clock, change: impl FnOnce(&mut NodeClock)) {
        let (group, index) = self.stage.names.place(node);
        let (arena, run) = (&self.arenas[group.index()], &mut self.stage.run);
        let now = run.now;
        let moved = run.clocks_of(clock).change(node, now, change, |id| arena.is_armed(index, id));
        for timer in moved {
            self.stage.run.move_timer(node, clock);
            self.set_alarm(node, clock, timer);
        }
    }

    fn set_alarm(&mut self, node: NodeId, clock: Clock, Moved { time, count, id }: Moved) {
        let run = &mut self.stage.run;
        let order = AlarmOrder { names: &self.stage.names, schedule: run.schedule };
        run.alarms.push(Alarm::new(time, node, count, id, clock), &order);
    }

    /// Whether an alarm of a node that may be disturbed is to be handed over. If not, it is kept or set anew.
    #[cold]
    pub(super) fn is_due(&mut self, alarm: &Alarm) -> bool {
        let (node, now, id, clock) = (alarm.node, alarm.time, alarm.id(), alarm.clock());
        let (group, index) = self.stage.names.place(node);
        let arena = &self.arenas[group.index()];
        self.stage.run.clocks_of(clock).prune(node, |id| arena.is_armed(index, id));
        match self.stage.run.clocks_of(clock).judge(node, now, alarm.count, id) {
            Verdict::Due => {}
            Verdict::Stale => return false,
            Verdict::Later(moved) => {
                self.stage.run.move_timer(node, clock);
                moved.into_iter().for_each(|timer| self.set_alarm(node, clock, timer));
                return false;
            }
        }
        let is_held = clock == Clock::Steady && self.stage.run.health.is_paused(node);
        if is_held {
            self.stage.run.health.hold(node, Held::Timer(id, alarm.count));
        }
        !is_held
    }

    pub(super) fn sever(&mut self, id: FaultId, severed: Severed) {
        self.stage.run.health.sever(id, severed);
        self.watch_network();
    }

    pub(super) fn mend(&mut self, id: FaultId, severed: &Severed) {
        self.stage.run.health.mend(id, severed);
        self.watch_network();
    }
}
