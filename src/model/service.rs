//! The service: workers, a queue, and a program for each request.
//!
//! A request takes a worker if one is free, else it waits; what finds the queue full is turned away or dropped. A worker
//! stays with its request until the reply, or (asynchronous servers) is let go while the request waits for others. A
//! request whose deadline has passed when its turn comes is not begun.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;

use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::process::{Boot, Clock, MessageId, Observation, Outcome, Process, Steady, TimerId};
use crate::protocol::delivery::{Arrival, Dedup, DedupWindow, Number, Reorder};

use super::Alarm;
use super::caller::{Caller, Cx, Errand, nested_luck};
use super::client::NOBODY;
use super::envelope::{Envelope, Kind, Place};
use super::journal::{Journal, Record, State};
use super::line::{Line, Turn};
use super::policy::{Cancel, Delivery};
use super::script::{Call, Script};
use super::task::{Next, Progress, Slab};

/// How a group of service nodes handles requests.
#[derive(Clone, Debug)]
pub struct ServiceSpec {
    /// Requests a node handles at a time; as many as come if `None`.
    pub workers: Option<NonZeroU32>,
    /// How fast each node works, 1 being as written: one for all, or one for each node.
    pub speed: Vec<f64>,
    /// Room to wait; as much as needed if `None`.
    pub queue: Option<u32>,
    /// Whether the limit counts all present, those with a worker too.
    pub counts_present: bool,
    /// Whether what finds no room is told so.
    pub rejects: bool,
    /// Whether a worker is held while its request waits.
    pub holds_worker: bool,
    /// What becomes of its state in a crash.
    pub state: State,
    /// Whether the end of a message it waited for, if a bad one, is that of the request: a balancer's node says what it was
    /// told, where all others have failed.
    pub passes_on: bool,
}

/// One node of a service. In front stands what every message looks at.
#[derive(Debug)]
#[repr(C)]
pub struct Service {
    script: Arc<Script>,
    spec: Arc<ServiceSpec>,
    /// What was said last about line and workers.
    shown: (u32, u32),
    busy: u32,
    /// Whether free workers are taking what waits: those that get free meanwhile belong to it.
    pulling: bool,
    line: Line,
    speed: f64,
    /// Requests that wait: for a worker, for work to be done, for others.
    jobs: Slab<Job>,
    caller: Caller,
    /// What must not be handled twice: remembered by sender.
    handled: BTreeMap<NodeId, Dedup>,
    running: BTreeSet<(NodeId, u32)>,
    /// What is handled in order, by sender and call.
    ordered: BTreeMap<(NodeId, u16), Lane>,
    /// What a crash could take, if the service has a state.
    journal: Option<Box<Journal<Job>>>,
}

/// One sender's ordered messages.
#[derive(Debug)]
struct Lane {
    reorder: Reorder<Job>,
    /// The highest sequence number seen: where to read the next from.
    seen: u64,
}

/// A request at a node.
#[derive(Debug)]
struct Job {
    caller: NodeId,
    envelope: Envelope,
    progress: Progress,
    deadline: Option<Steady>,
    arrived: Steady,
    /// When a worker took it first.
    began: Option<Steady>,
    has_worker: bool,
    timer: Option<TimerId>,
}

impl Job {
    fn message(&self) -> MessageId {
        MessageId { owner: self.caller, number: self.envelope.number }
    }
}

impl Service {
    /// The process of one node of the group.
    pub fn new(script: &Arc<Script>, spec: &Arc<ServiceSpec>, boot: &Boot<'_>) -> Self {
        let speed = spec.speed.get(boot.index as usize).or(spec.speed.first()).copied().unwrap_or(1.0);
        Self {
            script: Arc::clone(script),
            spec: Arc::clone(spec),
            shown: (0, 0),
            busy: 0,
            pulling: false,
            line: Line::default(),
            speed,
            jobs: Slab::new(),
            caller: Caller::new(boot.restarts),
            handled: BTreeMap::new(),
            running: BTreeSet::new(),
            ordered: BTreeMap::new(),
            journal: (spec.state != State::Elsewhere).then(|| Box::new(Journal::new(boot.disk))),
        }
    }

    /// Has handled a message that must not be handled twice.
    fn remember(&mut self, caller: NodeId, number: u32, call: u16, now: Time) {
        let Some(call) = self.script.calls.get(usize::from(call)) else { return };
        let window = call.policy.dedup.unwrap_or(DedupWindow::Unlimited);
        let known = self.handled.entry(caller).or_insert_with(|| Dedup::new(window));
        known.receive(Number::new(number.into()), now);
    }

    fn has_free_worker(&self) -> bool {
        self.spec.workers.is_none_or(|workers| self.busy < workers.get())
    }

    fn has_room(&self) -> bool {
        let present = if self.spec.counts_present { self.busy } else { 0 };
        self.spec.queue.is_none_or(|limit| self.line.len() + present < limit)
    }

    /// The kind of message that came in this envelope.
    fn call(&self, envelope: &Envelope) -> &Call {
        &self.script.calls[envelope.call as usize]
    }

    /// Whether it must not be handled twice.
    fn is_once(&self, envelope: &Envelope) -> bool {
        self.call(envelope).policy.delivery == Delivery::ExactlyOnce
    }

    /// A message or request arrived.
    fn arrive(&mut self, cx: &mut Cx<'_>, from: NodeId, envelope: Envelope) {
        cx.observe(Observation::Arrived);
        let id = MessageId { owner: from, number: envelope.number };
        if self.is_once(&envelope) {
            let (number, now) = (Number::new(id.number.into()), Time::from_nanos(cx.now().as_nanos()));
            let is_done = self.handled.get_mut(&from).is_some_and(|known| known.knows(number, now));
            if is_done || self.running.contains(&(from, id.number)) {
                cx.observe(Observation::Received { message: id, duplicate: true });
                if is_done {
                    self.answer(cx, from, envelope, Outcome::Done);
                }
                return;
            }
        }
        let program = self.call(&envelope).program.pick(|| {
            let entity = crate::base::id::Entity::from_bits(envelope.luck);
            self.script.keys.demand.block(entity, u64::MAX).first()
        });
        let job = Job {
            caller: from,
            envelope,
            progress: Progress::new(program, envelope.luck, envelope.attempt.into()),
            deadline: envelope.left.left().map(|left| cx.now() + left),
            arrived: cx.now(),
            began: None,
            has_worker: false,
            timer: None,
        };
        if envelope.order != Place::NONE {
            self.arrive_in_order(cx, job);
        } else {
            self.admit(cx, job);
        }
    }

    /// Holds a message until its turn has come.
    fn arrive_in_order(&mut self, cx: &mut Cx<'_>, job: Job) {
        let (from, envelope) = (job.caller, job.envelope);
        let message = job.message();
        let limit = Place::WINDOW_MAX as usize + 1;
        let lane =
            self.ordered.entry((from, envelope.call)).or_insert_with(|| Lane { reorder: Reorder::new(limit), seen: 0 });
        let (sequence, lowest) = envelope.order.read(lane.seen);
        lane.seen = lane.seen.max(sequence);
        let arrival = lane.reorder.receive(Number::new(sequence), job);
        match arrival {
            Arrival::Ready(job) => self.admit(cx, job),
            Arrival::Held => cx.observe(Observation::Received { message, duplicate: false }),
            Arrival::Duplicate(_) => cx.observe(Observation::Received { message, duplicate: true }),
            Arrival::Late(_) => {
                cx.observe(Observation::Received { message, duplicate: true });
                let is_written =
                    self.journal.as_ref().is_some_and(|journal| journal.any(|job| job.message() == message));
                let is_running = is_written || self.jobs.iter().any(|(_, job)| job.message() == message);
                if !is_running {
                    self.answer(cx, from, envelope, Outcome::Done);
                }
            }
            Arrival::Full(job) => self.refuse(cx, &job, Outcome::Rejected),
        }
        self.skip_below(cx, (from, envelope.call), lowest);
    }

    /// An ordered sender sends nothing below `lowest` any more.
    fn skip_below(&mut self, cx: &mut Cx<'_>, lane: (NodeId, u16), lowest: u64) {
        let Some(lane) = self.ordered.get_mut(&lane) else { return };
        if let Some((_, job)) = lane.reorder.skip_below(Number::new(lowest)) {
            self.admit_held(cx, job);
        }
    }

    /// A message that was held has its turn.
    fn admit_held(&mut self, cx: &mut Cx<'_>, job: Job) {
        let id = self.jobs.insert(job);
        self.line.join(Turn::New(id));
        self.pull(cx);
    }

    /// Lets a request in, if there is room.
    fn admit(&mut self, cx: &mut Cx<'_>, job: Job) {
        if !self.has_free_worker() && !self.has_room() {
            let outcome = if self.spec.rejects { Outcome::Rejected } else { Outcome::Discarded };
            self.refuse(cx, &job, outcome);
            self.advance_lane(cx, job.caller, job.envelope, outcome);
            return;
        }
        cx.observe(Observation::Received { message: job.message(), duplicate: false });
        if self.is_once(&job.envelope) {
            self.running.insert((job.caller, job.envelope.number));
        }
        if self.has_free_worker() {
            self.begin(cx, job);
        } else {
            let id = self.jobs.insert(job);
            self.line.join(Turn::New(id));
        }
    }

    /// Says that a request will not be handled, and why.
    fn refuse(&mut self, cx: &mut Cx<'_>, job: &Job, outcome: Outcome) {
        cx.observe(Observation::Refused { why: outcome });
        cx.observe(Observation::Handled { message: job.message(), outcome });
        if outcome != Outcome::Discarded {
            self.answer(cx, job.caller, job.envelope, outcome);
        }
    }

    fn answer(&mut self, cx: &mut Cx<'_>, to: NodeId, envelope: Envelope, outcome: Outcome) {
        let (call, keys) = (self.call(&envelope), &self.script.keys);
        let (kind, size) = match envelope.kind() {
            Kind::Request => {
                let draw = || keys.size.block(crate::base::id::Entity::from_bits(envelope.luck), 1).first();
                (Kind::Reply(outcome), call.reply_size.bytes(draw))
            }
            Kind::Message => (Kind::Ack(outcome), 0),
            _ => return,
        };
        cx.send_sized(to, envelope.turned(kind), size);
    }

    /// A worker takes a request that waited or just came. One that is over at once needs no place.
    fn begin(&mut self, cx: &mut Cx<'_>, mut job: Job) {
        let now = cx.now();
        if job.deadline.is_some_and(|deadline| deadline <= now) {
            return self.finish(cx, job, Outcome::Expired);
        }
        job.began = Some(now);
        job.has_worker = true;
        self.busy += 1;
        match job.progress.step(&self.script) {
            Next::End(outcome) => self.finish(cx, job, outcome),
            next => {
                let id = self.jobs.insert(job);
                self.follow(cx, id, Some(next));
            }
        }
    }

    fn next(&mut self, id: u32) -> Option<Next> {
        Some(self.jobs.get_mut(id)?.progress.step(&self.script))
    }

    /// Goes on with a request until it has to wait.
    fn follow(&mut self, cx: &mut Cx<'_>, id: u32, mut next: Option<Next>) {
        while let (Some(step), Some(job)) = (next, self.jobs.get_mut(id)) {
            match step {
                Next::Work(length) => {
                    let length = if self.speed == 1.0 { length } else { slowed(length, self.speed) };
                    job.timer = Some(cx.set_timer(Clock::Work, length, Alarm::Step(id)));
                    return;
                }
                Next::Sleep(length) => {
                    job.timer = Some(cx.set_timer(Clock::Steady, length, Alarm::Step(id)));
                    return self.let_go(cx, id);
                }
                Next::Message { call, wait } => {
                    let luck =
                        nested_luck(job.envelope.luck, job.progress.attempt, self.script.calls[call as usize].name);
                    let task = if wait { id } else { NOBODY };
                    let errand = Errand {
                        call,
                        luck,
                        inherited: job.deadline,
                        task,
                        late: Span::ZERO,
                        member: None,
                        given: None,
                    };
                    match self.caller.start(&self.script, cx, errand) {
                        Some(Outcome::Done) => {}
                        _ if !wait => {}
                        None => return self.let_go(cx, id),
                        Some(outcome) => return self.fail(cx, id, outcome),
                    }
                }
                Next::Gather(gathering) => {
                    let (luck, inherited) = (job.progress.branches(), job.deadline);
                    let errand =
                        Errand { call: 0, luck, inherited, task: id, late: Span::ZERO, member: None, given: None };
                    match self.caller.gather(&self.script, cx, &gathering, errand) {
                        Some(Outcome::Done) => {}
                        None => return self.let_go(cx, id),
                        Some(outcome) => return self.fail(cx, id, outcome),
                    }
                }
                Next::End(outcome) => return self.end(cx, id, outcome),
            }
            next = self.next(id);
        }
    }

    /// An asynchronous server's worker does not wait with its request.
    fn let_go(&mut self, cx: &mut Cx<'_>, id: u32) {
        if self.spec.holds_worker {
            return;
        }
        if let Some(job) = self.jobs.get_mut(id) {
            job.has_worker = false;
            self.busy -= 1;
            self.pull(cx);
        }
    }

    /// What a request waited for has come.
    fn go_on(&mut self, cx: &mut Cx<'_>, id: u32) {
        let is_free = self.has_free_worker();
        let Some(job) = self.jobs.get_mut(id) else { return };
        job.timer = None;
        if !job.has_worker {
            if !is_free {
                self.line.join(Turn::Again(id));
                return;
            }
            job.has_worker = true;
            self.busy += 1;
        }
        let next = self.next(id);
        self.follow(cx, id, next);
    }

    /// Free workers take what waits.
    ///
    /// One round at a time: what is over at once (expired, or without work) must not nest as deep as the queue is long.
    fn pull(&mut self, cx: &mut Cx<'_>) {
        if self.pulling {
            return;
        }
        self.pulling = true;
        while self.has_free_worker() {
            match self.line.next() {
                Some(Turn::Again(id)) => self.go_on(cx, id),
                Some(Turn::New(id)) => {
                    if let Some(job) = self.jobs.remove(id) {
                        self.begin(cx, job);
                    }
                }
                None => break,
            }
        }
        self.pulling = false;
    }

    /// What a request waited for has ended badly.
    fn fail(&mut self, cx: &mut Cx<'_>, id: u32, outcome: Outcome) {
        self.end(cx, id, if self.spec.passes_on { outcome } else { Outcome::Failed });
    }

    /// A request is over.
    fn end(&mut self, cx: &mut Cx<'_>, id: u32, outcome: Outcome) {
        if let Some(job) = self.jobs.remove(id) {
            self.finish(cx, job, outcome);
        }
    }

    /// A request is over, and has no place any more. One that was handled well is written down, if the service keeps its
    /// state on disk.
    fn finish(&mut self, cx: &mut Cx<'_>, job: Job, outcome: Outcome) {
        if let (Some(journal), Outcome::Done) = (&mut self.journal, outcome) {
            let Envelope { number, call, .. } = job.envelope;
            let is_once = self.script.calls[usize::from(call)].policy.delivery == Delivery::ExactlyOnce;
            match self.spec.state {
                State::Elsewhere | State::Volatile => journal.at_risk += 1,
                State::Durable { .. } => {
                    let key = journal.place(is_once);
                    cx.persist(key, Record { caller: job.caller, number, call }.bytes());
                    return journal.wait(key, job);
                }
            }
        }
        self.conclude(cx, job, outcome);
    }

    /// A request is over, and written down where it has to be.
    fn conclude(&mut self, cx: &mut Cx<'_>, job: Job, outcome: Outcome) {
        let now = cx.now();
        if job.has_worker {
            self.busy -= 1;
        }
        if self.is_once(&job.envelope) {
            self.running.remove(&(job.caller, job.envelope.number));
            if outcome == Outcome::Done {
                let Envelope { number, call, .. } = job.envelope;
                self.remember(job.caller, number, call, Time::from_nanos(now.as_nanos()));
            }
        }
        let message = job.message();
        match job.began {
            Some(began) if outcome == Outcome::Done => {
                cx.observe(Observation::Served { wait: began.since(job.arrived), work: now.since(began) });
            }
            _ => cx.observe(Observation::Refused { why: outcome }),
        }
        cx.observe(Observation::Handled { message, outcome });
        if outcome != Outcome::Cancelled {
            self.answer(cx, job.caller, job.envelope, outcome);
        }
        self.advance_lane(cx, job.caller, job.envelope, outcome);
        self.pull(cx);
    }

    /// The message of an ordered sender whose turn it was has come to its end. Only what was handled makes room for the next;
    /// all else keeps its turn until it comes again, or its sender gives it up.
    fn advance_lane(&mut self, cx: &mut Cx<'_>, from: NodeId, envelope: Envelope, outcome: Outcome) {
        if envelope.order == Place::NONE {
            return;
        }
        let Some(lane) = self.ordered.get_mut(&(from, envelope.call)) else { return };
        let next = if outcome == Outcome::Done { lane.reorder.handled() } else { lane.reorder.refused() };
        if let Some((_, job)) = next {
            self.admit_held(cx, job);
        }
    }

    /// A caller has given up an attempt of one of its requests.
    fn cancel(&mut self, cx: &mut Cx<'_>, from: NodeId, envelope: Envelope) {
        let may_stop = self.call(&envelope).policy.cancel == Cancel::Running;
        let message = MessageId { owner: from, number: envelope.number };
        let is_meant = |job: &Job| {
            job.message() == message && job.envelope.attempt == envelope.attempt && (may_stop || job.began.is_none())
        };
        let found = self.jobs.iter().find(|(_, job)| is_meant(job));
        let Some((id, _)) = found else { return };
        self.line.leave(id);
        if let Some(timer) = self.jobs.get_mut(id).and_then(|job| job.timer.take()) {
            cx.cancel_timer(timer);
        }
        self.caller.forget(&self.script, cx, id);
        self.end(cx, id, Outcome::Cancelled);
    }

    fn resume(&mut self, cx: &mut Cx<'_>, ended: Option<(u32, Outcome)>) {
        match ended {
            Some((NOBODY, _)) | None => {}
            Some((id, Outcome::Done)) => self.go_on(cx, id),
            Some((id, outcome)) => self.fail(cx, id, outcome),
        }
    }

    /// Says how full the node is, if that has changed.
    fn show(&mut self, cx: &mut Cx<'_>) {
        let level = (self.line.len(), self.busy);
        if level != self.shown {
            self.shown = level;
            cx.observe(Observation::Level { waiting: level.0, busy: level.1 });
            self.script.board.show(cx.me, level.0 + level.1);
        }
        if let Some(journal) = &mut self.journal
            && journal.at_risk != journal.shown
        {
            journal.shown = journal.at_risk;
            cx.observe(Observation::AtRisk { count: journal.at_risk });
        }
    }
}

/// How long work of this length takes at this speed.
fn slowed(length: Span, speed: f64) -> Span {
    Span::from_nanos_f64(length.as_nanos() as f64 / speed)
}

impl Process<Envelope> for Service {
    type Timer = Alarm;

    fn start(&mut self, cx: &mut Cx<'_>) {
        // What an earlier life, or an earlier run, has shown is over.
        self.script.board.show(cx.me, 0);
        let found = self.journal.as_mut().map(|journal| std::mem::take(&mut journal.found));
        for Record { caller, number, call } in found.unwrap_or_default() {
            self.remember(caller, number, call, Time::from_nanos(cx.now().as_nanos()));
        }
    }

    fn message(&mut self, cx: &mut Cx<'_>, from: NodeId, envelope: Envelope) {
        match envelope.kind() {
            Kind::Notice | Kind::Message | Kind::Request => self.arrive(cx, from, envelope),
            Kind::Ack(outcome) | Kind::Reply(outcome) => {
                let ended = self.caller.answered(&self.script, cx, &envelope, outcome);
                self.resume(cx, ended);
            }
            Kind::Cancel => self.cancel(cx, from, envelope),
            Kind::Skip => {
                let near = self.ordered.get(&(from, envelope.call)).map_or(0, |lane| lane.seen);
                let (_, lowest) = envelope.order.read(near);
                self.skip_below(cx, (from, envelope.call), lowest);
            }
        }
        self.show(cx);
    }

    fn reset(&mut self, cx: &mut Cx<'_>, peer: NodeId) {
        for ended in self.caller.reset(&self.script, cx, peer) {
            self.resume(cx, Some(ended));
        }
        self.show(cx);
    }

    fn timer(&mut self, cx: &mut Cx<'_>, alarm: Alarm) {
        match alarm {
            Alarm::Step(id) => self.go_on(cx, id),
            Alarm::Timeout(_) | Alarm::Resend(_) | Alarm::Hedge(_) => {
                let ended = self.caller.woken(&self.script, cx, alarm);
                self.resume(cx, ended);
            }
            Alarm::Arrival | Alarm::Think(_) => {}
        }
        self.show(cx);
    }

    fn written(&mut self, cx: &mut Cx<'_>, key: u64) {
        if self.spec.state == (State::Durable { syncs_first: false })
            && let Some(job) = self.journal.as_mut().and_then(|journal| journal.written(key))
        {
            self.conclude(cx, job, Outcome::Done);
        }
        self.show(cx);
    }

    fn persisted(&mut self, cx: &mut Cx<'_>, key: u64) {
        if let Some(job) = self.journal.as_mut().and_then(|journal| journal.synced(key)) {
            self.conclude(cx, job, Outcome::Done);
        }
        self.show(cx);
    }

    fn refused(&mut self, cx: &mut Cx<'_>, key: u64) {
        if let Some(job) = self.journal.as_mut().and_then(|journal| journal.refused(key)) {
            self.conclude(cx, job, Outcome::Failed);
        }
        self.show(cx);
    }
}
