//! The service: workers, a queue, and a program for each request.
//!
//! A request takes a worker if one is free, else it waits; what finds the queue full is turned away or dropped. A worker
//! stays with its request until the reply, or (asynchronous servers) is let go while the request waits for others. A
//! request whose deadline has passed when its turn comes is not begun.
//!
//! Here is what every service does. What only some do stands beside it and is asked for nothing by the others: rules about who
//! comes in, waits and makes room ([`entry`], [`door`]), workers that are shared ([`sharing`]), order ([`lanes`]), journals
//! ([`extras`]).

mod consumption;
mod copies;
mod door;
mod entry;
mod extras;
mod job;
mod lanes;
mod outbox;
mod reading;
mod relay;
mod saga;
mod sharing;
mod spec;
mod ties;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::id::{Entity, NodeId};
use crate::base::time::{Span, Time};
use crate::process::{Activity, Boot, Clock, MessageId, Observation, Outcome, Process};
use crate::protocol::delivery::{Dedup, DedupWindow, Number};

use super::Alarm;
use super::caller::{Caller, Cx, Errand, nested_luck};
use super::client::NOBODY;
use super::envelope::{Beside, Envelope, Kind};
use super::given::Given;
use super::journal::{Record, State};
use super::letter::Letter;
use super::line::{Line, Turn};
use super::policy::{Cancel, Delivery};
use super::script::{Call, Script};
use super::task::{Next, Progress, Slab};
use copies::Copies;
use extras::Extras;
use job::Job;
use lanes::Lane;
use sharing::Pace;

pub use spec::{OutboxSpec, QueueSpec, ServiceSpec};

/// One node of a service. In front stands what every message looks at.
#[derive(Debug)]
#[repr(C)]
pub struct Service {
    script: Arc<Script>,
    /// What was said last about line and workers.
    shown: (u32, u32),
    busy: u32,
    /// How many may be busy.
    workers: u32,
    /// How many have to be busy before anybody asks whether a newcomer may come in: all, or none if somebody always asks.
    open: u32,
    /// How many may wait without anybody asking.
    places: u32,
    /// Whether free workers are taking what waits: those that get free meanwhile belong to it.
    pulling: bool,
    line: Line,
    pace: Pace,
    spec: Arc<ServiceSpec>,
    /// Requests that wait: for a worker, for work to be done, for others.
    jobs: Slab<Job>,
    caller: Caller,
    /// What must not be handled twice: remembered by sender.
    handled: BTreeMap<NodeId, Dedup>,
    running: BTreeSet<(NodeId, u32)>,
    /// What is handled in order, by sender and call.
    ordered: BTreeMap<(NodeId, u16), Lane>,
    /// The copies that are here, once somebody has asked for one.
    copies: Option<Box<Copies>>,
    /// What most services have not.
    extras: Option<Box<Extras>>,
}

impl Service {
    /// The process of one node of the group.
    pub fn new(script: &Arc<Script>, spec: &Arc<ServiceSpec>, boot: &Boot<'_>) -> Self {
        let (workers, open, places) = entry::doors(spec);
        Self {
            script: Arc::clone(script),
            shown: (0, 0),
            busy: 0,
            workers,
            open,
            places,
            pulling: false,
            line: Line::new(&spec.queue.discipline, spec.queue.makes_room, spec.queue.limits_waits()),
            pace: Pace::of(spec, boot.index),
            spec: Arc::clone(spec),
            jobs: Slab::new(),
            caller: Caller::new(boot.restarts),
            handled: BTreeMap::new(),
            running: BTreeSet::new(),
            ordered: BTreeMap::new(),
            copies: None,
            extras: Extras::of(spec, boot),
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
        self.busy < self.workers
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
        if envelope.beside != Beside::NONE && envelope.subject().is_some() {
            // What it carries beside is the message that it delivers.
            self.admit(cx, Job { deadline: None, ..job });
        } else if envelope.beside != Beside::NONE && self.call(&envelope).policy.ordered {
            self.arrive_in_order(cx, job);
        } else if envelope.beside != Beside::NONE && self.was_untied(&envelope) {
            self.refuse(cx, &job, Outcome::Cancelled);
        } else {
            self.admit(cx, job);
        }
    }

    /// Lets a request in, if there is room.
    #[inline]
    fn admit(&mut self, cx: &mut Cx<'_>, job: Job) {
        let is_free = self.busy < self.open;
        if !is_free && self.line.len() >= self.places {
            return self.admit_by_rule(cx, job);
        }
        self.note_entry(cx, &job);
        if is_free { self.begin(cx, job) } else { self.wait(cx, job) }
    }

    /// A request is let in.
    #[inline]
    fn note_entry(&mut self, cx: &mut Cx<'_>, job: &Job) {
        cx.observe(Observation::Received { message: job.message(), duplicate: false });
        if self.is_once(&job.envelope) {
            self.running.insert((job.caller, job.envelope.number));
        }
    }

    /// A request waits for a worker.
    #[inline]
    fn wait(&mut self, cx: &mut Cx<'_>, job: Job) {
        job.turns(cx, Activity::Queued);
        let id = self.jobs.insert(job);
        if self.line.is_plain() { self.line.join(id) } else { self.wait_by_rule(cx, id) }
    }

    /// Says that a request is turned away on arrival, and why.
    fn refuse(&mut self, cx: &mut Cx<'_>, job: &Job, outcome: Outcome) {
        cx.observe(Observation::Refused { why: outcome });
        cx.observe(Observation::Declined { message: job.message(), outcome });
        if outcome != Outcome::Discarded {
            self.answer(cx, job.caller, job.envelope, outcome);
        }
    }

    fn answer(&mut self, cx: &mut Cx<'_>, to: NodeId, envelope: Envelope, outcome: Outcome) {
        if let Kind::Delivery { settled, asks } = envelope.kind() {
            if asks {
                self.reply(cx, to, &envelope, outcome);
            }
            self.note_answer(cx, to, (settled, outcome));
        }
        let (call, keys) = (self.call(&envelope), &self.script.keys);
        let (kind, size) = match envelope.kind() {
            Kind::Request => {
                let draw = || keys.size.block(crate::base::id::Entity::from_bits(envelope.luck), 1).first();
                (Kind::Reply(outcome), call.reply_size.bytes(draw))
            }
            Kind::Message | Kind::Delivery { settled: false, .. } => (Kind::Ack(outcome), 0),
            _ => return,
        };
        cx.send_sized(to, envelope.turned(kind), size);
    }

    /// A worker takes a request that waited or just came. One that is over at once needs no place.
    fn begin(&mut self, cx: &mut Cx<'_>, mut job: Job) {
        let now = cx.now();
        if job.deadline.is_some_and(|deadline| deadline <= now) {
            return self.expire_unserved(cx, job);
        }
        job.began = Some(now);
        job.has_worker = true;
        self.busy += 1;
        if job.envelope.beside != Beside::NONE && job.envelope.subject().is_none() {
            self.untie_other(cx, &job);
        }
        match job.progress.step(&self.script) {
            Next::End(outcome) => self.finish(cx, job, outcome),
            next => {
                let id = self.jobs.insert(job);
                if self.copies.is_some() {
                    self.note_place(id);
                }
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
                    job.turns(cx, Activity::Worked);
                    let length = match &self.pace {
                        Pace::AsWritten => length,
                        Pace::Times(speed) => slowed(length, *speed),
                        Pace::Shared(_) => return self.share(cx, id, length),
                    };
                    job.timer = Some(cx.set_timer(Clock::Work, length, Alarm::Step(id)));
                    return;
                }
                Next::Sleep(length) => {
                    job.turns(cx, Activity::Asleep);
                    job.timer = Some(cx.set_timer(Clock::Steady, length, Alarm::Step(id)));
                    return self.let_go(cx, id);
                }
                Next::Message { call, wait } => {
                    job.acts(cx);
                    if wait {
                        job.turns(cx, Activity::Awaiting);
                    }
                    let luck =
                        nested_luck(job.envelope.luck, job.progress.attempt, self.script.calls[call as usize].name);
                    let task = if wait { id } else { NOBODY };
                    let (inherited, passed) = (job.deadline, passed_on(&self.script, &self.spec, &job.envelope));
                    let given = passed.as_ref();
                    let errand = Errand { call, luck, inherited, task, late: Span::ZERO, member: None, given };
                    match self.caller.start(&self.script, cx, errand) {
                        Some(Outcome::Done) => {}
                        _ if !wait => {}
                        None => return self.let_go(cx, id),
                        Some(outcome) => return self.fail(cx, id, outcome),
                    }
                }
                Next::Gather(gathering) => {
                    job.acts(cx);
                    job.turns(cx, Activity::Awaiting);
                    let (luck, inherited) = (job.progress.branches(), job.deadline);
                    let passed = passed_on(&self.script, &self.spec, &job.envelope);
                    let given = passed.as_ref();
                    let errand = Errand { call: 0, luck, inherited, task: id, late: Span::ZERO, member: None, given };
                    match self.caller.gather(&self.script, cx, &gathering, errand) {
                        Some(Outcome::Done) => {}
                        None => return self.let_go(cx, id),
                        Some(outcome) => return self.fail(cx, id, outcome),
                    }
                }
                Next::Outbox(call) => return self.put_into_outbox(cx, id, call),
                Next::Saga(legs) => match self.begin_saga(cx, id, legs) {
                    Some(Outcome::Done) => {}
                    None => return self.let_go(cx, id),
                    Some(outcome) => return self.fail(cx, id, outcome),
                },
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
                job.turns(cx, Activity::Queued);
                self.line.join_again(id);
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
            match self.line.next(|| Time::from_nanos(cx.now().as_nanos())) {
                Some(Turn::New(id)) => {
                    if let Some(job) = self.jobs.remove(id) {
                        self.begin(cx, job);
                    }
                }
                None => break,
                Some(turn) => {
                    if !self.pull_by_rule(cx, turn) {
                        break;
                    }
                }
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
        if self.extras.is_some() {
            return self.finish_by_rule(cx, job, outcome);
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
        // Who took it back wants no answer, and of what is discarded nobody is told: both come after all others.
        if outcome < Outcome::Cancelled {
            self.answer(cx, job.caller, job.envelope, outcome);
        }
        self.advance_lane(cx, job.caller, job.envelope, outcome);
        self.pull(cx);
    }

    fn resume(&mut self, cx: &mut Cx<'_>, ended: Option<(u32, Outcome)>) {
        match ended {
            Some((NOBODY, _)) | None => {}
            Some((task, outcome)) if saga::is_task(task) => self.saga_heard(cx, task, outcome),
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
        if let Some(extras) = &mut self.extras {
            extras.show(cx);
        }
    }
}

/// What a message takes over from the request that it is sent for: its key, and at a balancer its size.
#[inline]
fn passed_on(script: &Script, spec: &ServiceSpec, envelope: &Envelope) -> Option<Given> {
    if envelope.beside == Beside::NONE && !spec.passes_on {
        return None;
    }
    let call = &script.calls[usize::from(envelope.call)];
    let is_key = !call.policy.ordered && !call.policy.is_tied() && envelope.subject().is_none();
    let draw = || script.keys.size.block(Entity::from_bits(envelope.luck), 0).first();
    Some(Given {
        size: spec.passes_on.then(|| call.size.bytes(draw)),
        key: envelope.beside.as_key().filter(|_| is_key),
    })
}

/// How long work of this length takes at this speed.
fn slowed(length: Span, speed: f64) -> Span {
    Span::from_nanos_f64(length.as_nanos() as f64 / speed)
}

impl Process<Letter> for Service {
    type Timer = Alarm;

    fn start(&mut self, cx: &mut Cx<'_>) {
        // What an earlier life, or an earlier run, has shown is over.
        self.script.board.show(cx.me, 0);
        let found = self.journal().map(|journal| std::mem::take(&mut journal.found));
        for Record { caller, number, call } in found.unwrap_or_default() {
            self.remember(caller, number, call, Time::from_nanos(cx.now().as_nanos()));
        }
        self.caller.watch(&self.script, cx);
        self.attend(cx);
    }

    fn message(&mut self, cx: &mut Cx<'_>, from: NodeId, letter: Letter) {
        let envelope = match letter {
            Letter::Plain(envelope) => envelope,
            Letter::Bulk(bulk) => return self.read(cx, from, *bulk),
        };
        match envelope.kind() {
            Kind::Notice | Kind::Message | Kind::Request => self.arrive(cx, from, envelope),
            Kind::Delivery { .. } => {
                let envelope = self.note_delivery(from, envelope);
                self.arrive(cx, from, envelope);
            }
            Kind::Ack(outcome) if self.extras.is_some() && self.relayed(cx, envelope.number, outcome) => {}
            Kind::Ack(outcome) | Kind::Reply(outcome) => {
                let ended = self.caller.answered(&self.script, cx, &envelope, outcome);
                self.resume(cx, ended);
            }
            Kind::Cancel => self.cancel(cx, from, &envelope),
            Kind::Untie => self.untie(cx, envelope),
            Kind::Skip => self.skip(cx, from, &envelope),
            Kind::Probe | Kind::Alive | Kind::Idle | Kind::Gossip(_) => self.heard_of(cx, from, &envelope),
            // A broker asks whether it is there.
            Kind::Subscribe => self.subscribe_at(cx, from),
        }
        self.show(cx);
    }

    fn reset(&mut self, cx: &mut Cx<'_>, peer: NodeId) {
        for ended in self.caller.reset(&self.script, cx, peer) {
            self.resume(cx, Some(ended));
        }
        self.note_disconnection(cx, peer);
        self.hear_of_records(cx);
        self.show(cx);
    }

    fn timer(&mut self, cx: &mut Cx<'_>, alarm: Alarm) {
        match alarm {
            Alarm::Step(id) => self.go_on(cx, id),
            Alarm::Timeout(_) | Alarm::Resend(_) | Alarm::Hedge(_) | Alarm::Health(_) => {
                let ended = self.caller.woken(&self.script, cx, alarm);
                self.resume(cx, ended);
            }
            Alarm::Share => self.share_out(cx),
            Alarm::Expire(id) => self.expire(cx, id),
            Alarm::Beat(_) | Alarm::Gossip(_) => self.attend_to(cx, alarm),
            Alarm::Subscribe => self.subscribe(cx),
            Alarm::Log(alarm) => self.look_at_topics(cx, alarm),
            Alarm::Outbox => self.look_at_outbox(cx),
            Alarm::Saga(id) => self.saga_rested(cx, id),
            Alarm::Arrival | Alarm::Think(_) | Alarm::Lapse(..) => {}
            Alarm::Deliver(_)
            | Alarm::Replica(_)
            | Alarm::Memory
            | Alarm::Blocked
            | Alarm::Presence
            | Alarm::Relays => {}
        }
        self.show(cx);
    }

    fn written(&mut self, cx: &mut Cx<'_>, key: u64) {
        if outbox::is_row(key) {
            self.row_is_written(cx, key);
        } else if saga::is_log(key) {
            self.saga_is_logged(cx, key, false);
        } else if self.spec.state == (State::Durable { syncs_first: false })
            && let Some(job) = self.journal().and_then(|journal| journal.written(key))
        {
            self.conclude_and_tell(cx, job, Outcome::Done);
        }
        self.show(cx);
    }

    fn persisted(&mut self, cx: &mut Cx<'_>, key: u64) {
        if outbox::is_row(key) {
            self.row_is_synced(cx, key);
        } else if saga::is_log(key) {
            self.saga_is_logged(cx, key, true);
        } else if let Some(job) = self.journal().and_then(|journal| journal.synced(key)) {
            self.conclude_and_tell(cx, job, Outcome::Done);
        }
        self.show(cx);
    }

    fn unheard(&mut self, key: u64, state: &mut dyn FnMut(Observation)) {
        if let Some(extras) = &mut self.extras {
            extras.unheard(key, state);
        }
    }

    fn refused(&mut self, cx: &mut Cx<'_>, key: u64) {
        if outbox::is_row(key) {
            self.row_is_refused(cx, key);
        } else if saga::is_log(key) {
            self.saga_is_refused(cx, key);
        } else if let Some(job) = self.journal().and_then(|journal| journal.refused(key)) {
            self.conclude_and_tell(cx, job, Outcome::Failed);
        }
        self.show(cx);
    }
}
