//! The client: brings load.
//!
//! Open, it starts a request whenever one is due, whatever became of the earlier ones; closed, each of its users starts the
//! next when the last has ended and the user has thought. A client never works itself: its program sends, calls, sleeps.

use std::sync::Arc;

use crate::base::id::{Entity, NodeId};
use crate::base::random::{Block, mix};
use crate::base::time::Span;
use crate::process::{Activity, Boot, Clock, Kind as Wanted, Observation, Outcome, Process, Steady, TimerId};
use crate::protocol::delivery::Number;

use super::Alarm;
use super::caller::{Caller, Cx, Ended, Errand, nested_luck};
use super::envelope::Kind;
use super::feed::{Feed, Row};
use super::given::Given;
use super::letter::Letter;
use super::load::{ClientSpec, Load, Phase};
use super::log::LogAlarm;
use super::pace::Pace;
use super::script::Script;
use super::task::{Next, Progress, Slab};

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
    unusual: Option<Box<Unusual>>,
    /// Whether what it offers next was said to be for a request that is more than one message.
    acts_for_another: bool,
}

/// What only those arrivals need that are more than gaps of one law.
#[derive(Debug)]
struct Unusual {
    pace: Pace,
    /// What the arrivals' clock shows when the load begins.
    begin: Steady,
    feed: Option<Feed>,
    /// What a trace says of the requests under way.
    rows: Slab<Given>,
}

/// A request that will be due.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    /// When, as if the load had always been as planned.
    due: Steady,
    /// Set, unless the load ends before.
    timer: Option<TimerId>,
}

impl Unusual {
    fn new(spec: &ClientSpec, feed: Option<Feed>) -> Self {
        let begin = Steady::from_nanos(spec.from.as_nanos());
        Self { pace: Pace::new(spec.course.clone()), begin, feed, rows: Slab::new() }
    }
}

#[derive(Debug)]
struct Task {
    progress: Progress,
    /// The user it is for, or the row of a trace that asks for it.
    user: Option<u32>,
    /// What it is reported as, if it is more than one message.
    whole: Option<Number>,
}

impl Client {
    /// The process of one node of the group; all nodes of one run are handed the same `feed`, see [`ClientSpec::feed`].
    pub fn new(script: &Arc<Script>, spec: &Arc<ClientSpec>, feed: Option<&Feed>, boot: &Boot<'_>) -> Self {
        let is_unusual = spec.is_unusual() || feed.is_some();
        Self {
            script: Arc::clone(script),
            spec: Arc::clone(spec),
            started: 0,
            caller: Caller::new(boot.restarts),
            tasks: Slab::new(),
            next: None,
            missed: 0.0,
            late: Span::ZERO,
            unusual: is_unusual.then(|| Box::new(Unusual::new(spec, feed.cloned()))),
            acts_for_another: false,
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

    /// The draws that all nodes of the group make alike.
    fn group_draws(&self, cx: &Cx<'_>) -> impl Fn(u64) -> Block + use<> {
        let (key, group) = (self.script.keys.arrival, cx.name().member(GROUP));
        move |position| key.block(group, position)
    }

    /// What the arrivals' clock shows.
    fn shown(&self, cx: &Cx<'_>, now: Steady) -> Steady {
        self.unusual.as_ref().map_or(now, |unusual| unusual.pace.shown(now, self.group_draws(cx)))
    }

    /// Waits for the next arrival after what the arrivals' clock shows.
    fn schedule(&mut self, cx: &mut Cx<'_>, now: Steady) {
        if self.is_spent(cx) {
            return;
        }
        let mut missed = self.missed;
        let due = match &self.spec.load {
            Load::Renewal { gap, first } => {
                let draw = self.arrival_draw(cx, self.started);
                match (self.started, first) {
                    (0, Some(first)) => self.begin_at().max(now) + first.sample(self.arrival_draw(cx, u64::MAX)),
                    (0, None) => self.begin_at().max(now) + gap.sample(draw.first()),
                    _ => now + gap.sample(draw.first()),
                }
            }
            Load::Even { gap, phase } => {
                let offset = match phase {
                    Phase::Random => self.arrival_draw(cx, u64::MAX).first().open01(),
                    Phase::Staggered => f64::from(cx.name().index()) / f64::from(self.spec.nodes),
                    Phase::Aligned => 0.0,
                };
                let begin = self.begin_at();
                let due = |turn: f64| begin + Span::from_nanos_f64((turn + offset) * gap);
                if self.started == 0 && due(0.0) < now {
                    // A node that came up again goes on with the next one.
                    missed = libm::ceil(now.since(begin).as_nanos() as f64 / gap - offset).max(0.0);
                }
                due(self.started as f64 + missed)
            }
            Load::Trace(_) => match self.next_row(cx) {
                Some(row) => due_of(&row),
                None => return,
            },
            Load::Users { .. } => return,
        };
        self.missed = missed;
        self.expect(cx, due);
    }

    /// What the arrivals' clock shows when the load begins.
    fn begin_at(&self) -> Steady {
        let from = Steady::from_nanos(self.spec.from.as_nanos());
        self.unusual.as_ref().map_or(from, |unusual| unusual.begin)
    }

    /// Waits for a request that is due then, on the arrivals' clock.
    fn expect(&mut self, cx: &mut Cx<'_>, due: Steady) {
        let time = match &self.unusual {
            None => due,
            Some(unusual) => self.when(unusual, cx, due),
        };
        let is_in_time = time.as_nanos() < self.spec.until.as_nanos();
        let timer = is_in_time.then(|| cx.set_timer(Clock::Steady, time.since(cx.now()), Alarm::Arrival));
        self.next = Some(Arrival { due, timer });
    }

    /// When the arrivals' clock will show this: never, if not before the load ends.
    #[inline(never)]
    fn when(&self, unusual: &Unusual, cx: &Cx<'_>, due: Steady) -> Steady {
        let end = Steady::from_nanos(self.spec.until.as_nanos());
        unusual.pace.when(due, end, self.group_draws(cx)).unwrap_or(NEVER)
    }

    /// The next row of a trace that is played.
    #[inline(never)]
    fn next_row(&self, cx: &Cx<'_>) -> Option<Row> {
        self.unusual.as_ref()?.feed.as_ref()?.peek(cx.name().index())
    }

    /// Sets the arrivals' clock going. Whoever comes up late has missed what was due before.
    #[inline(never)]
    fn wind_up(&mut self, cx: &Cx<'_>) {
        let draws = self.group_draws(cx);
        let Some(unusual) = &mut self.unusual else { return };
        unusual.pace.wind_up(&draws);
        unusual.begin = unusual.pace.shown(Steady::from_nanos(self.spec.from.as_nanos()), &draws);
        if let Some(feed) = &unusual.feed {
            let now = unusual.pace.shown(cx.now(), &draws).max(unusual.begin);
            feed.skip(cx.name().index(), Span::from_nanos(now.as_nanos()));
        }
    }

    /// Starts what is due by the arrivals' clock, and waits for what is due next.
    #[inline(never)]
    fn arrive_unusually(&mut self, cx: &mut Cx<'_>, mut due: Steady) {
        let now = cx.now();
        loop {
            let Some(unusual) = &self.unusual else { return };
            // A timer takes a nanosecond at least.
            let late = now.since(self.when(unusual, cx, due));
            self.late = if late > Span::from_nanos(1) { late } else { Span::ZERO };
            self.begin_due(cx);
            let is_late = self.late != Span::ZERO;
            self.late = Span::ZERO;
            let draws = self.group_draws(cx);
            let Some(unusual) = &mut self.unusual else { return };
            let shown = unusual.pace.shown(now, &draws);
            unusual.pace.pass(now, &draws);
            if unusual.feed.is_none() {
                return self.schedule(cx, if is_late { due } else { shown });
            }
            // Rows of one time are started at one time.
            match self.next_row(cx) {
                Some(row) if due_of(&row) <= shown && !self.is_spent(cx) => due = due_of(&row),
                _ => return self.schedule(cx, shown),
            }
        }
    }

    /// Starts the request that is due, or all of a batch.
    fn begin_due(&mut self, cx: &mut Cx<'_>) {
        let index = cx.name().index();
        if let Some(Unusual { feed: Some(feed), rows, .. }) = self.unusual.as_deref_mut() {
            let Some(Row { given, .. }) = feed.peek(index) else { return };
            feed.take(index);
            let row = (!given.is_empty()).then(|| rows.insert(given));
            if let Some(row) = self.begin(cx, row) {
                self.release(row);
            }
            return;
        }
        let size = self.spec.batch.map_or(1, |batch| batch.size(self.arrival_draw(cx, BATCH | self.started).first()));
        for _ in 0..size {
            if self.is_spent(cx) {
                return;
            }
            self.begin(cx, None);
        }
    }

    /// A request of a trace is over.
    #[cold]
    fn release(&mut self, row: u32) {
        if let Some(unusual) = &mut self.unusual {
            unusual.rows.remove(row);
        }
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
        let flow = self.script.programs[usize::from(program)].flow;
        state(&self.caller, &mut self.acts_for_another, cx, None, None);
        let whole = flow.map(|flow| self.caller.open(cx, flow, self.late, true));
        let task = self.tasks.insert(Task { progress: Progress::new(program, luck, 1), user, whole });
        self.run(cx, task)
    }

    /// Starts a user's next request, unless the load has ended.
    fn begin_next(&mut self, cx: &mut Cx<'_>, user: u32) {
        if cx.now().as_nanos() >= self.spec.until.as_nanos() {
            return;
        }
        if let Some(user) = self.begin(cx, Some(user)) {
            let time = self.thought(cx, user).unwrap_or_default();
            cx.set_timer(Clock::Steady, time, Alarm::Think(user));
        }
    }

    /// Goes on with a task until it has to wait. Its user, if it has one and the task is over.
    fn run(&mut self, cx: &mut Cx<'_>, id: u32) -> Option<u32> {
        while let Some(task) = self.tasks.get_mut(id) {
            match task.progress.step(&self.script) {
                Next::Work(length) | Next::Sleep(length) => {
                    state(&self.caller, &mut self.acts_for_another, cx, task.whole, Some(Activity::Asleep));
                    cx.set_timer(Clock::Steady, length, Alarm::Step(id));
                    return None;
                }
                Next::Message { call, wait } => {
                    state(&self.caller, &mut self.acts_for_another, cx, task.whole, wait.then_some(Activity::Awaiting));
                    let Progress { luck, attempt, .. } = task.progress;
                    let luck = nested_luck(luck, attempt, self.script.calls[call as usize].name);
                    let given = given(&mut self.unusual, task.user);
                    let (task, late) = (if wait { id } else { NOBODY }, self.late);
                    let errand = Errand { call, luck, inherited: None, task, late, member: None, given };
                    match self.caller.start(&self.script, cx, errand) {
                        Some(Outcome::Done) => {}
                        _ if !wait => {}
                        None => return None,
                        Some(outcome) => return self.end(cx, id, outcome),
                    }
                }
                Next::Gather(gathering) => {
                    state(&self.caller, &mut self.acts_for_another, cx, task.whole, Some(Activity::Awaiting));
                    let luck = task.progress.branches();
                    let given = given(&mut self.unusual, task.user);
                    let late = self.late;
                    let errand = Errand { call: 0, luck, inherited: None, task: id, late, member: None, given };
                    match self.caller.gather(&self.script, cx, &gathering, errand) {
                        Some(Outcome::Done) => {}
                        None => return None,
                        Some(outcome) => return self.end(cx, id, outcome),
                    }
                }
                // A client has no disk for one, and no plan gives it the step.
                Next::Outbox(_) => {}
                // Nor does any plan give it this one: what a client forgets nobody takes up.
                Next::Saga(_) => return self.end(cx, id, Outcome::Failed),
                Next::End(outcome) => return self.end(cx, id, outcome),
            }
        }
        None
    }

    fn end(&mut self, cx: &mut Cx<'_>, id: u32, outcome: Outcome) -> Option<u32> {
        let task = self.tasks.remove(id)?;
        if let Some(whole) = task.whole {
            self.caller.conclude(cx, whole, outcome);
        }
        task.user
    }

    /// Goes on with what waited for messages that have ended.
    #[inline(never)]
    fn resume_all(&mut self, cx: &mut Cx<'_>, ended: Vec<Ended>) {
        for ended in ended {
            if let Some(user) = self.resume(cx, Some(ended)) {
                self.go_on(cx, user);
            }
        }
    }

    /// What a message's end means for the task that waited for it. Its user, if the task is over.
    fn resume(&mut self, cx: &mut Cx<'_>, ended: Option<(u32, Outcome)>) -> Option<u32> {
        match ended? {
            (NOBODY, _) => None,
            (id, Outcome::Done) => self.run(cx, id),
            (id, outcome) => self.end(cx, id, outcome),
        }
    }

    /// A user's request is over. A user without thoughts goes on at once, but with one request in an instant: if that is
    /// over at once too, the next takes a nanosecond.
    fn go_on(&mut self, cx: &mut Cx<'_>, user: u32) {
        match self.thought(cx, user) {
            Some(Span::ZERO) => self.begin_next(cx, user),
            Some(time) => _ = cx.set_timer(Clock::Steady, time, Alarm::Think(user)),
            None => self.release(user),
        }
    }

    /// How long a user thinks before its next request; nothing if this is no user, but a row of a trace.
    fn thought(&self, cx: &Cx<'_>, user: u32) -> Option<Span> {
        let Load::Users { think, .. } = &self.spec.load else { return None };
        if think.is_constant() {
            return Some(think.minimum());
        }
        let entity = Entity::from_bits(mix(cx.name().bits()));
        Some(think.sample(self.script.keys.arrival.block(entity, self.started ^ u64::from(user) << 40).first()))
    }
}

/// Tells the name of a client's first request from that of its node.
const REQUEST: u64 = 1;

/// Tells the draw of a batch's size from those of its requests.
const BATCH: u64 = 1 << 63;

/// The member of a group whose draws are the group's: no node has this index.
const GROUP: u32 = u32::MAX;

/// The reading of a clock that is never shown.
const NEVER: Steady = Steady::from_nanos(u64::MAX);

/// What a trace says of a request, if that comes from one.
#[inline]
fn given(unusual: &mut Option<Box<Unusual>>, row: Option<u32>) -> Option<&Given> {
    unusual.as_mut()?.rows.get_mut(row?).map(|given| &*given)
}

/// When a row is due, on the arrivals' clock.
fn due_of(row: &Row) -> Steady {
    Steady::from_nanos(row.due.as_nanos())
}

/// The task of messages nobody waits for.
pub(super) const NOBODY: u32 = u32::MAX;

/// What member `index` of `nodes` gets of `total`.
fn share(total: u64, nodes: u32, index: u32) -> u64 {
    total / u64::from(nodes) + u64::from(u64::from(index) < total % u64::from(nodes))
}

/// States what happens to a request that is more than one message, and that what is offered next is offered for it; of any other, that it is
/// not, if that was said before.
#[inline(always)]
fn state(
    caller: &Caller,
    acts_for_another: &mut bool,
    cx: &mut Cx<'_>,
    whole: Option<Number>,
    activity: Option<Activity>,
) {
    if cx.wanted.has(Wanted::Step) && (whole.is_some() || *acts_for_another) {
        *acts_for_another = whole.is_some();
        let message = whole.map(|whole| caller.message(cx, whole));
        cx.observe(Observation::OnBehalf { message });
        if let (Some(message), Some(activity)) = (message, activity) {
            cx.observe(Observation::Turned { message, attempt: 1, activity });
        }
    }
}

impl Process<Letter> for Client {
    type Timer = Alarm;

    fn start(&mut self, cx: &mut Cx<'_>) {
        self.caller.watch(&self.script, cx);
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
        self.wind_up(cx);
        let now = self.shown(cx, cx.now());
        self.schedule(cx, now);
    }

    fn load(&mut self, cx: &mut Cx<'_>, factor: f64) {
        // The load that has not begun begins when it was to begin.
        let now = cx.now().max(Steady::from_nanos(self.spec.from.as_nanos()));
        let draws = self.group_draws(cx);
        let spec = &self.spec;
        let unusual = self.unusual.get_or_insert_with(|| Box::new(Unusual::new(spec, None)));
        unusual.pace.change(now, factor, draws);
        if let Some(Arrival { due, timer }) = self.next {
            timer.and_then(|timer| cx.cancel_timer(timer));
            self.expect(cx, due);
        }
    }

    fn message(&mut self, cx: &mut Cx<'_>, from: NodeId, letter: Letter) {
        let envelope = match letter {
            Letter::Plain(envelope) => envelope,
            Letter::Bulk(bulk) => {
                let ended = self.caller.told(&self.script, cx, from, &bulk);
                return self.resume_all(cx, ended);
            }
        };
        match envelope.kind() {
            Kind::Ack(outcome) | Kind::Reply(outcome) => {
                let ended = self.caller.answered(&self.script, cx, &envelope, outcome);
                if let Some(user) = self.resume(cx, ended) {
                    self.go_on(cx, user);
                }
            }
            Kind::Alive | Kind::Idle | Kind::Gossip(_) => self.caller.heard_of(&self.script, cx, from, &envelope),
            _ => {}
        }
    }

    fn reset(&mut self, cx: &mut Cx<'_>, peer: NodeId) {
        let ended = self.caller.reset(&self.script, cx, peer);
        self.resume_all(cx, ended);
    }

    fn timer(&mut self, cx: &mut Cx<'_>, alarm: Alarm) {
        let idle = match alarm {
            Alarm::Arrival => {
                let due = self.next.take().map_or(cx.now(), |arrival| arrival.due);
                if self.unusual.is_some() {
                    return self.arrive_unusually(cx, due);
                }
                let now = cx.now();
                let late = now.since(due);
                // A timer takes a nanosecond at least.
                let is_late = late > Span::from_nanos(1);
                self.late = if is_late { late } else { Span::ZERO };
                self.begin(cx, None);
                self.late = Span::ZERO;
                return self.schedule(cx, if is_late { due } else { now });
            }
            Alarm::Think(user) => return self.begin_next(cx, user),
            Alarm::Timeout(_) | Alarm::Resend(_) | Alarm::Hedge(_) | Alarm::Health(_) => {
                let ended = self.caller.woken(&self.script, cx, alarm);
                self.resume(cx, ended)
            }
            Alarm::Step(id) => self.run(cx, id),
            Alarm::Log(LogAlarm::Producer(producer)) => {
                let ended = self.caller.produce(&self.script, cx, producer);
                return self.resume_all(cx, ended);
            }
            Alarm::Share
            | Alarm::Expire(_)
            | Alarm::Beat(_)
            | Alarm::Gossip(_)
            | Alarm::Subscribe
            | Alarm::Log(_)
            | Alarm::Lapse(..)
            | Alarm::Deliver(_)
            | Alarm::Replica(_)
            | Alarm::Memory
            | Alarm::Blocked
            | Alarm::Presence
            | Alarm::Relays
            | Alarm::Outbox
            | Alarm::Saga(_) => None,
        };
        if let Some(user) = idle {
            self.go_on(cx, user);
        }
    }
}
