//! Where processes stand: those of one type side by side.
//!
//! Types are erased once per run: an event makes one virtual call, on the arena, and what a node needs for it (its chain,
//! its counters, its first timer, its process) stands together.

use crate::base::id::NodeId;
use crate::base::names::Names;
use crate::base::random::Key;
use crate::engine::Chain;
use crate::process::{Boot, Clocks, Context, Luck, Outbox, Process, TimerId, Timers};

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

/// A node's place and its surroundings, handed to its process for one input.
pub(super) struct Scene<'a, M> {
    pub(super) node: NodeId,
    pub(super) index: u32,
    pub(super) clocks: Clocks,
    pub(super) names: &'a Names,
    pub(super) key: Key,
    pub(super) outbox: &'a mut Outbox<M>,
}

/// What happened, for the digest: time, origin, the origin's count, contents.
pub(super) type Mark = [u64; 4];

/// What is handed to a process.
pub(super) enum Input {
    Start,
    Timer(TimerId),
    Persisted(u64),
}

/// Nodes whose processes have one type.
pub(super) trait Arena<M>: Send {
    /// Hands a message over; the count of the first event it causes, or nothing if the node is down.
    fn message(&mut self, scene: Scene<'_, M>, mark: Mark, from: NodeId, message: M) -> Option<u32>;
    /// Hands another input over, likewise; nothing also for a timer that is no longer armed.
    fn input(&mut self, scene: Scene<'_, M>, mark: Mark, input: Input) -> Option<u32>;
    fn is_up(&self, index: u32) -> bool;
    fn is_armed(&self, index: u32, timer: TimerId) -> bool;
    /// The address of the first node, and the distance to the next: for prefetching without a call.
    fn layout(&self) -> (usize, usize);
    fn head(&self, index: u32) -> Head;
    /// Drops the process and its timers.
    fn drop_process(&mut self, index: u32);
    /// Builds the process anew from what it had persisted.
    fn build(&mut self, index: u32, boot: Boot<'_>);
    /// Everything as before the first run; memory is kept.
    fn reset(&mut self);
    /// The process of a node that is up, as whatever it is.
    fn process(&self, index: u32) -> Option<&dyn std::any::Any>;
}

/// What a node needs for an event.
#[repr(align(64))]
struct Cell<P: Process<M>, M> {
    head: Head,
    timers: Timers<P::Timer>,
    process: Option<P>,
}

pub(super) struct TypedArena<P: Process<M>, M, F> {
    cells: Vec<Cell<P, M>>,
    factory: F,
}

impl<M, P: Process<M>, F: FnMut(Boot<'_>) -> P + Send> TypedArena<P, M, F> {
    pub(super) fn new(len: u32, factory: F) -> Self {
        let cells =
            (0..len).map(|_| Cell { head: Head::default(), timers: Timers::default(), process: None }).collect();
        Self { cells, factory }
    }
}

impl<M: 'static, P: Process<M>, F: FnMut(Boot<'_>) -> P + Send> Arena<M> for TypedArena<P, M, F> {
    #[inline]
    fn message(&mut self, scene: Scene<'_, M>, mark: Mark, from: NodeId, message: M) -> Option<u32> {
        let cell = &mut self.cells[scene.index as usize];
        let process = cell.process.as_mut()?;
        let Head { mut chain, mut draws, count } = cell.head;
        chain.link(mark[0], mark[1], mark[2], mark[3]);
        let mut cx = Context {
            me: scene.node,
            clocks: scene.clocks,
            names: scene.names,
            timers: &mut cell.timers,
            luck: Luck { key: scene.key, position: &mut draws },
            outbox: scene.outbox,
        };
        process.message(&mut cx, from, message);
        let count_after = count.wrapping_add(cx.outbox.events() as u32);
        cell.head = Head { chain, draws, count: count_after };
        Some(count)
    }

    fn input(&mut self, scene: Scene<'_, M>, mark: Mark, input: Input) -> Option<u32> {
        let cell = &mut self.cells[scene.index as usize];
        let process = cell.process.as_mut()?;
        let fired = match input {
            Input::Timer(id) => Some(cell.timers.disarm(id)?),
            _ => None,
        };
        let Head { mut chain, mut draws, count } = cell.head;
        chain.link(mark[0], mark[1], mark[2], mark[3]);
        let mut cx = Context {
            me: scene.node,
            clocks: scene.clocks,
            names: scene.names,
            timers: &mut cell.timers,
            luck: Luck { key: scene.key, position: &mut draws },
            outbox: scene.outbox,
        };
        match (input, fired) {
            (Input::Persisted(key), _) => process.persisted(&mut cx, key),
            (_, Some(timer)) => process.timer(&mut cx, timer),
            _ => process.start(&mut cx),
        }
        let count_after = count.wrapping_add(cx.outbox.events() as u32);
        cell.head = Head { chain, draws, count: count_after };
        Some(count)
    }

    fn is_up(&self, index: u32) -> bool {
        self.cells[index as usize].process.is_some()
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

    fn drop_process(&mut self, index: u32) {
        let cell = &mut self.cells[index as usize];
        cell.process = None;
        cell.timers.wipe();
    }

    fn build(&mut self, index: u32, boot: Boot<'_>) {
        let process = (self.factory)(boot);
        self.cells[index as usize].process = Some(process);
    }

    fn reset(&mut self) {
        for cell in &mut self.cells {
            *cell = Cell { head: Head::default(), timers: Timers::default(), process: None };
        }
    }

    fn process(&self, index: u32) -> Option<&dyn std::any::Any> {
        self.cells[index as usize].process.as_ref().map(|process| process as &dyn std::any::Any)
    }
}
