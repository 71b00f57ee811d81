//! Where processes stand: those of one type side by side.
//!
//! Types are erased once per run: an event makes one virtual call, on the arena, and what a node needs for it (its chain,
//! its counters, its first timer, its process) stands together.

use std::collections::BTreeMap;

use crate::base::id::NodeId;
use crate::engine::Chain;
use crate::process::{Boot, Carriage, Context, Effects, Kind, Message, PeerEvent, Process, TimerId, Timers};

use super::event::Delivery;
use super::stage::{Parcel, Stage};
use super::storage::Word;

/// What the driver keeps for a node, beside its process: 20 bytes, so that a small process with one timer fits its line.
#[derive(Clone, Copy, Default)]
#[repr(C, packed(4))]
pub(super) struct Head {
    /// The fingerprint of what happened to the node.
    pub(super) chain: Chain,
    /// Draws the process made.
    draws: u64,
    /// Events the node caused, modulo 2^32: one sender's messages keep their order.
    count: u32,
}

/// What happened, for the digest: time, origin, the origin's count, contents.
pub(super) type Mark = [u64; 4];

/// What is handed to a process.
pub(super) enum Input {
    Start,
    Timer(TimerId),
    Word(Word),
    Load(f64),
    Peer(NodeId, PeerEvent),
}

/// Nodes whose processes have one type.
pub(super) trait Arena<M: Message>: Send {
    /// Hands a message over to the actor on stage; nothing if the node is down.
    fn message(&mut self, stage: &mut Stage<M>, delivery: &Delivery<Parcel<M>>) -> bool;
    /// Hands another input over, likewise; nothing also for a timer that is no longer armed.
    fn input(&mut self, stage: &mut Stage<M>, mark: Mark, input: Input) -> bool;
    /// Whether there is a process, if only aside.
    fn is_up(&self, index: u32) -> bool;
    fn is_armed(&self, index: u32, timer: TimerId) -> bool;
    /// The address of the first node, and the distance to the next: for prefetching without a call.
    fn layout(&self) -> (usize, usize);
    fn head(&self, index: u32) -> Head;
    /// How many timers are armed.
    fn timers(&self, index: u32) -> u64;
    /// Puts the process aside: nothing reaches it until it is taken back.
    fn park(&mut self, index: u32);
    /// Takes the process back.
    fn unpark(&mut self, index: u32);
    /// The process goes down without having heard that this write of its own is synced.
    fn unheard(&mut self, stage: &mut Stage<M>, index: u32, key: u64);
    /// Drops the process and its timers.
    fn drop_process(&mut self, index: u32);
    /// Builds the process anew from what it had persisted.
    fn build(&mut self, index: u32, boot: Boot<'_>);
    /// Everything as before the first run; memory is kept.
    fn reset(&mut self);
    /// The process of a node that is up, as whatever it is.
    fn process(&self, index: u32) -> Option<&dyn std::any::Any>;
}

/// What a node needs for an event: in front what every event looks at, timers first.
#[repr(C, align(64))]
struct Cell<P: Process<M>, M> {
    timers: Timers<P::Timer>,
    head: Head,
    process: Option<P>,
}

pub(super) struct TypedArena<P: Process<M>, M, F> {
    cells: Vec<Cell<P, M>>,
    /// The processes of paused nodes.
    parked: BTreeMap<u32, P>,
    factory: F,
}

impl<M, P: Process<M>, F: FnMut(Boot<'_>) -> P + Send> TypedArena<P, M, F> {
    pub(super) fn new(len: u32, factory: F) -> Self {
        let cells =
            (0..len).map(|_| Cell { head: Head::default(), timers: Timers::default(), process: None }).collect();
        Self { cells, parked: BTreeMap::new(), factory }
    }
}

impl<P: Process<M>, M: Message> Cell<P, M> {
    /// Has the process, if it is up, handle an input with `handle`, as the actor on stage.
    #[inline(always)]
    fn act(
        &mut self,
        stage: &mut Stage<M>,
        mark: Mark,
        handle: impl FnOnce(&mut P, &mut Context<'_, M, P::Timer>),
    ) -> bool {
        let Some(process) = &mut self.process else { return false };
        let Head { mut chain, mut draws, count } = self.head;
        chain.link(mark[0], mark[1], mark[2], mark[3]);
        self.head.chain = chain;
        stage.run.actor.count = count;
        let mut cx = Context {
            me: stage.run.actor.node,
            name: stage.run.actor.name,
            clocks: stage.run.clocks(),
            timers: &mut self.timers,
            draws: &mut draws,
            wanted: stage.run.wanted,
            effects: stage,
        };
        handle(process, &mut cx);
        self.head.draws = draws;
        self.head.count = stage.run.actor.count;
        true
    }
}

impl<M: Message, P: Process<M>, F: FnMut(Boot<'_>) -> P + Send> Arena<M> for TypedArena<P, M, F> {
    #[inline]
    fn message(&mut self, stage: &mut Stage<M>, delivery: &Delivery<Parcel<M>>) -> bool {
        let cell = &mut self.cells[stage.run.actor.name.index() as usize];
        if cell.process.is_none() {
            return false;
        }
        let message = stage.run.carriage.unpack(delivery.parcel);
        if stage.run.wanted.has(Kind::Wire) {
            stage.tell_delivered(delivery.from, &message);
        }
        let origin = stage.names.entity(delivery.from).bits();
        let mark = [delivery.time.as_nanos(), origin, delivery.count.into(), message.digest()];
        cell.act(stage, mark, |process, cx| process.message(cx, delivery.from, message))
    }

    fn input(&mut self, stage: &mut Stage<M>, mark: Mark, input: Input) -> bool {
        let cell = &mut self.cells[stage.run.actor.name.index() as usize];
        match input {
            Input::Start => cell.act(stage, mark, |process, cx| process.start(cx)),
            Input::Timer(id) => match cell.process.as_ref().and_then(|_| cell.timers.disarm(id)) {
                Some(timer) => cell.act(stage, mark, |process, cx| process.timer(cx, timer)),
                None => false,
            },
            Input::Word(Word::Written(key)) => cell.act(stage, mark, |process, cx| process.written(cx, key)),
            Input::Word(Word::Synced(key)) => cell.act(stage, mark, |process, cx| process.persisted(cx, key)),
            Input::Word(Word::Refused(key)) => cell.act(stage, mark, |process, cx| process.refused(cx, key)),
            Input::Load(factor) => cell.act(stage, mark, |process, cx| process.load(cx, factor)),
            Input::Peer(peer, event) => cell.act(stage, mark, |process, cx| match event {
                PeerEvent::Connected => process.connected(cx, peer),
                PeerEvent::Writable => process.writable(cx, peer),
                PeerEvent::Reset => process.reset(cx, peer),
                PeerEvent::Closed => process.closed(cx, peer),
            }),
        }
    }

    fn is_up(&self, index: u32) -> bool {
        self.cells[index as usize].process.is_some() || self.parked.contains_key(&index)
    }

    #[inline]
    fn is_armed(&self, index: u32, timer: TimerId) -> bool {
        self.cells[index as usize].timers.is_armed(timer)
    }

    fn layout(&self) -> (usize, usize) {
        (self.cells.as_ptr().addr(), size_of::<Cell<P, M>>())
    }

    fn head(&self, index: u32) -> Head {
        self.cells[index as usize].head
    }

    fn timers(&self, index: u32) -> u64 {
        self.cells[index as usize].timers.len()
    }

    fn park(&mut self, index: u32) {
        if let Some(process) = self.cells[index as usize].process.take() {
            self.parked.insert(index, process);
        }
    }

    fn unpark(&mut self, index: u32) {
        if let Some(process) = self.parked.remove(&index) {
            self.cells[index as usize].process = Some(process);
        }
    }

    fn unheard(&mut self, stage: &mut Stage<M>, index: u32, key: u64) {
        let process = self.cells[index as usize].process.as_mut().or_else(|| self.parked.get_mut(&index));
        if let Some(process) = process {
            process.unheard(key, &mut |observation| stage.observe(&observation));
        }
    }

    fn drop_process(&mut self, index: u32) {
        self.parked.remove(&index);
        let cell = &mut self.cells[index as usize];
        cell.process = None;
        cell.timers.wipe();
    }

    fn build(&mut self, index: u32, boot: Boot<'_>) {
        let process = (self.factory)(boot);
        self.cells[index as usize].process = Some(process);
    }

    fn reset(&mut self) {
        self.parked.clear();
        for cell in &mut self.cells {
            *cell = Cell { head: Head::default(), timers: Timers::default(), process: None };
        }
    }

    fn process(&self, index: u32) -> Option<&dyn std::any::Any> {
        let process = self.cells[index as usize].process.as_ref().or_else(|| self.parked.get(&index));
        process.map(|process| process as &dyn std::any::Any)
    }
}
