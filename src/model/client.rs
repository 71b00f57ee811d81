//! The client: brings load.
//!
//! Open, it starts a request whenever one is due, whatever became of the earlier ones; closed, each of its users starts the
//! next when the last has ended and the user has thought. A client never works itself: its program sends, calls, sleeps.

use std::sync::Arc;

use crate::base::distribution::Distribution;
use crate::base::id::{Entity, NodeId};
use crate::base::random::mix;
use crate::base::time::Span;
use crate::process::{Boot, Clock, Outcome, Process, Steady, TimerId};

use super::Alarm;
use super::caller::{Caller, Cx, Errand, nested_luck};
use super::envelope::{Envelope, Kind};
use super::script::{Choice, Script};
use super::task::{Next, Progress, Slab};

/// What a group of clients brings.
#[derive(Clone, Debug)]
pub struct ClientSpec {
    /// When requests are due.
    pub load: Load,
    /// What a request does.
    pub program: Choice,
    /// When the load begins.
    pub from: Span,
    /// When it ends: nothing is due from here on.
    pub until: Span,
    /// How many requests the group starts at most.
    pub count: Option<u64>,
    /// Nodes in the group.
    pub nodes: u32,
}

/// When requests are due.
#[derive(Clone, Debug)]
pub enum Load {
    /// At random, independent of each other: exponential gaps of this mean at each node.
    Poisson(Distribution),
    /// At equal distances of so many nanoseconds at each node, the first after a share of it.
    Even {
        /// Mean gap in nanoseconds; requests are due at its multiples, rounded each on its own.
        gap: f64,
        /// How the nodes stand to each other.
        phase: Phase,
    },
    /// By users of the group, each one after it has thought.
    Users {
        /// In the whole group.
        users: u32,
        /// The time between the end of a request and the next.
        think: Distribution,
    },
}

/// How the clocks of several nodes stand to each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Phase {
    /// Anyhow.
    #[default]
    Random,
    /// Spread evenly.
    Staggered,
    /// All at once.
    Aligned,
}

/// One node of a group of clients.
#[derive(Debug)]
pub struct Client {
    script: Arc<Script>,
    spec: Arc<ClientSpec>,
    /// Requests started.
    started: u64,
    caller: Caller,
    tasks: Slab<Task>,
    /// The next arrival.
    next: Option<Arrival>,
    /// Arrivals at even distances that were due before the node came up.
    missed: f64,
    /// How long ago the present one was due: a node that was paused is behind.
    late: Span,
    surge: Option<Box<Surge>>,
}

/// A request that will be due.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    /// When, as if the load had always been as planned.
    due: Steady,
    /// Set, unless the load ends before.
    timer: Option<TimerId>,
}

/// A load that is not, or was not always, as planned: arrivals have a clock of their own.
#[derive(Clone, Copy, Debug)]
struct Surge {
    /// When it became what it is, and what the arrivals' clock showed then.
    since: Steady,
    shown: Steady,
    /// How fast that clock runs.
    factor: f64,
}

impl Surge {
    fn shown(&self, now: Steady) -> Steady {
        self.shown + Span::from_nanos_f64(now.since(self.since).as_nanos() as f64 * self.factor)
    }

    fn when(&self, shown: Steady) -> Steady {
        self.since + Span::from_nanos_f64(shown.since(self.shown).as_nanos() as f64 / self.factor)
    }
}

#[derive(Debug)]
struct Task {
    progress: Progress,
    user: Option<u32>,
}

impl Client {
    /// The process of one node of the group.
    pub fn new(script: &Arc<Script>, spec: &Arc<ClientSpec>, boot: &Boot<'_>) -> Self {
        Self {
            script: Arc::clone(script),
            spec: Arc::clone(spec),
            started: 0,
            caller: Caller::new(boot.restarts),
            tasks: Slab::new(),
            next: None,
            missed: 0.0,
            late: Span::ZERO,
            surge: None,
        }
    }

    /// Whether this node has started as many requests as it may.
    fn is_spent(&self, cx: &Cx<'_>) -> bool {
        self.spec.count.is_some_and(|count| self.started >= share(count, self.spec.nodes, cx.name().index()))
    }

    /// A draw of this node's arrivals.
    fn arrival_draw(&self, cx: &Cx<'_>, position: u64) -> crate::base::random::Block {
        self.script.keys.arrival.block(cx.name(), position)
    }

    /// What the arrivals' clock shows.
    fn shown(&self, now: Steady) -> Steady {
        self.surge.as_ref().map_or(now, |surge| surge.shown(now))
    }

    /// When the arrivals' clock will show this.
    fn when(&self, shown: Steady) -> Steady {
        self.surge.as_ref().map_or(shown, |surge| surge.when(shown))
    }

    /// Waits for the next arrival after what the arrivals' clock shows.
    fn schedule(&mut self, cx: &mut Cx<'_>, now: Steady) {
        if self.is_spent(cx) {
            return;
        }
        let mut missed = self.missed;
        let due = match &self.spec.load {
            Load::Poisson(gap) => {
                let from = if self.started == 0 { Steady::from_nanos(self.spec.from.as_nanos()) } else { now };
                from.max(now) + gap.sample(self.arrival_draw(cx, self.started).first())
            }
            Load::Even { gap, phase } => {
                let offset = match phase {
                    Phase::Random => self.arrival_draw(cx, u64::MAX).first().open01(),
                    Phase::Staggered => f64::from(cx.name().index()) / f64::from(self.spec.nodes),
                    Phase::Aligned => 0.0,
                };
                let begin = Steady::from_nanos(0) + self.spec.from;
                let due = |turn: f64| begin + Span::from_nanos_f64((turn + offset) * gap);
                if self.started == 0 && due(0.0) < now {
                    // A node that came up again goes on with the next one.
                    missed = libm::ceil(now.since(begin).as_nanos() as f64 / gap - offset).max(0.0);
                }
                due(self.started as f64 + missed)
            }
            Load::Users { .. } => return,
        };
        self.missed = missed;
        self.expect(cx, due);
    }

    /// Waits for a request that is due then, on the arrivals' clock.
    fn expect(&mut self, cx: &mut Cx<'_>, due: Steady) {
        let time = self.when(due);
        let is_in_time = time.as_nanos() < self.spec.until.as_nanos();
        let timer = is_in_time.then(|| cx.set_timer(Clock::Steady, time.since(cx.now()), Alarm::Arrival));
        self.next = Some(Arrival { due, timer });
    }

    /// Starts a request, for a user or as it is due. The user, if its request is over at once.
    fn begin(&mut self, cx: &mut Cx<'_>, user: Option<u32>) -> Option<u32> {
        if self.is_spent(cx) {
            return None;
        }
        let number = self.started;
        self.started += 1;
        let draw = || self.arrival_draw(cx, number).second();
        let program = self.spec.program.pick(draw);
        let luck = mix(cx.name().bits() ^ mix(number ^ REQUEST));
        let task = self.tasks.insert(Task { progress: Progress::new(program, luck, 1), user });
        self.run(cx, task)
    }

    /// Starts a user's next request, unless the load has ended.
    fn begin_next(&mut self, cx: &mut Cx<'_>, user: u32) {
        if cx.now().as_nanos() >= self.spec.until.as_nanos() {
            return;
        }
        if let Some(user) = self.begin(cx, Some(user)) {
            let time = self.thought(cx, user);
            cx.set_timer(Clock::Steady, time, Alarm::Think(user));
        }
    }

    /// Goes on with a task until it has to wait. Its user, if it has one and the task is over.
    fn run(&mut self, cx: &mut Cx<'_>, id: u32) -> Option<u32> {
        while let Some(task) = self.tasks.get_mut(id) {
            match task.progress.step(&self.script) {
                Next::Work(length) | Next::Sleep(length) => {
                    cx.set_timer(Clock::Steady, length, Alarm::Step(id));
                    return None;
                }
                Next::Message { call, wait } => {
                    let Progress { luck, attempt, .. } = task.progress;
                    let luck = nested_luck(luck, attempt, self.script.calls[call as usize].name);
                    let task = if wait { id } else { NOBODY };
                    let errand = Errand { call, luck, inherited: None, task, late: self.late, member: None };
                    match self.caller.start(&self.script, cx, errand) {
                        Some(Outcome::Done) => {}
                        _ if !wait => {}
                        None => return None,
                        Some(_) => return self.end(id),
                    }
                }
                Next::Gather(gathering) => {
                    let luck = task.progress.branches();
                    let errand = Errand { call: 0, luck, inherited: None, task: id, late: self.late, member: None };
                    match self.caller.gather(&self.script, cx, &gathering, errand) {
                        Some(Outcome::Done) => {}
                        None => return None,
                        Some(_) => return self.end(id),
                    }
                }
                Next::End(_) => return self.end(id),
            }
        }
        None
    }

    fn end(&mut self, id: u32) -> Option<u32> {
        self.tasks.remove(id)?.user
    }

    /// What a message's end means for the task that waited for it. Its user, if the task is over.
    fn resume(&mut self, cx: &mut Cx<'_>, ended: Option<(u32, Outcome)>) -> Option<u32> {
        match ended? {
            (NOBODY, _) => None,
            (id, Outcome::Done) => self.run(cx, id),
            (id, _) => self.end(id),
        }
    }

    /// A user's request is over. A user without thoughts goes on at once, but with one request in an instant: if that is
    /// over at once too, the next takes a nanosecond.
    fn go_on(&mut self, cx: &mut Cx<'_>, user: u32) {
        match self.thought(cx, user) {
            Span::ZERO => self.begin_next(cx, user),
            time => _ = cx.set_timer(Clock::Steady, time, Alarm::Think(user)),
        }
    }

    /// How long a user thinks before its next request.
    fn thought(&self, cx: &Cx<'_>, user: u32) -> Span {
        let Load::Users { think, .. } = &self.spec.load else { return Span::ZERO };
        if think.is_constant() {
            return think.minimum();
        }
        let entity = Entity::from_bits(mix(cx.name().bits()));
        think.sample(self.script.keys.arrival.block(entity, self.started ^ u64::from(user) << 40).first())
    }
}

/// Tells the name of a client's first request from that of its node.
const REQUEST: u64 = 1;

/// The task of messages nobody waits for.
pub(super) const NOBODY: u32 = u32::MAX;

/// What member `index` of `nodes` gets of `total`.
fn share(total: u64, nodes: u32, index: u32) -> u64 {
    total / u64::from(nodes) + u64::from(u64::from(index) < total % u64::from(nodes))
}

impl Process<Envelope> for Client {
    type Timer = Alarm;

    fn start(&mut self, cx: &mut Cx<'_>) {
        if let Load::Users { users, .. } = self.spec.load {
            for user in 0..share(users.into(), self.spec.nodes, cx.name().index()) as u32 {
                let begin = self.spec.from;
                if begin == Span::ZERO {
                    self.go_on(cx, user);
                } else {
                    cx.set_timer(Clock::Steady, begin, Alarm::Think(user));
                }
            }
        }
        let now = cx.now();
        self.schedule(cx, now);
    }

    fn load(&mut self, cx: &mut Cx<'_>, factor: f64) {
        let now = cx.now();
        let shown = self.shown(now);
        // The load that has not begun begins when it was to begin.
        let from = Steady::from_nanos(self.spec.from.as_nanos());
        self.surge = Some(Box::new(Surge { since: now.max(from), shown: shown.max(from), factor }));
        if let Some(Arrival { due, timer }) = self.next {
            timer.and_then(|timer| cx.cancel_timer(timer));
            self.expect(cx, due);
        }
    }

    fn message(&mut self, cx: &mut Cx<'_>, _: NodeId, envelope: Envelope) {
        if let Kind::Ack(outcome) | Kind::Reply(outcome) = envelope.kind() {
            let ended = self.caller.answered(&self.script, cx, &envelope, outcome);
            if let Some(user) = self.resume(cx, ended) {
                self.go_on(cx, user);
            }
        }
    }

    fn reset(&mut self, cx: &mut Cx<'_>, peer: NodeId) {
        for ended in self.caller.reset(&self.script, cx, peer) {
            if let Some(user) = self.resume(cx, Some(ended)) {
                self.go_on(cx, user);
            }
        }
    }

    fn timer(&mut self, cx: &mut Cx<'_>, alarm: Alarm) {
        let idle = match alarm {
            Alarm::Arrival => {
                let due = self.next.take().map_or(cx.now(), |arrival| arrival.due);
                let now = cx.now();
                let late = now.since(self.when(due));
                // A timer takes a nanosecond at least.
                let is_late = late > Span::from_nanos(1);
                self.late = if is_late { late } else { Span::ZERO };
                self.begin(cx, None);
                self.late = Span::ZERO;
                return self.schedule(cx, if is_late { due } else { self.shown(now) });
            }
            Alarm::Think(user) => return self.begin_next(cx, user),
            Alarm::Timeout(_) | Alarm::Resend(_) | Alarm::Hedge(_) => {
                let ended = self.caller.woken(&self.script, cx, alarm);
                self.resume(cx, ended)
            }
            Alarm::Step(id) => self.run(cx, id),
            Alarm::Share | Alarm::Expire(_) => None,
        };
        if let Some(user) = idle {
            self.go_on(cx, user);
        }
    }
}
