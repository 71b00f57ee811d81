//! The asking side of every role: messages it has sent and what it does about those that are not answered.
//!
//! An asynchronous request is put into a table with its number; the answer removes it, a timeout has it sent again, the
//! last timeout or the deadline gives it up. Whoever started it (a client's user, a service's request) is told once, when
//! it has ended; who waits for several at once is told when enough of them have ([`gather`](super::gather)). What stands
//! between a sender and its receivers beyond that (breakers, budgets, limits, hedges) is the route's
//! [`Guard`](super::guard::Guard), and costs nothing where there is none.

mod attempts;
mod blocking;
mod failures;
mod publishing;

use crate::base::id::NodeId;
use crate::base::random::mix;
use crate::base::time::Span;
use crate::process::{Close, Context, Flow, GuardFact, MessageId, Observation, Outcome, Steady, TimerId};
use crate::protocol::delivery::{Number, Outstanding};
use crate::protocol::retry::Failure;

use super::Alarm;
use super::client::NOBODY;
use super::envelope::{Beside, Envelope, Kind};
use super::gather::{Gathered, Gathers};
use super::given::{Given, Givens};
use super::guard::Leave;
use super::health::Health;
use super::letter::Letter;
use super::log::Producers;
use super::policy::Cancel;
use super::route::{Gate, Hold, Route, Routes};
use super::script::{Branch, Call, Copies, Gathering, Script};
use attempts::take_back;

/// The surroundings of a role.
pub(super) type Cx<'a> = Context<'a, Letter, Alarm>;

/// A message to start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Errand<'a> {
    /// Its kind.
    pub(super) call: u16,
    /// The name its luck is drawn by.
    pub(super) luck: u64,
    /// The deadline handed down by whoever asked first.
    pub(super) inherited: Option<Steady>,
    /// Whom it is for.
    pub(super) task: u32,
    /// How long ago it was due.
    pub(super) late: Span,
    /// The member it goes to, where the balancer has no say.
    pub(super) member: Option<u32>,
    /// What is known of it from outside: from a trace, or from the message it is sent for.
    pub(super) given: Option<&'a Given>,
}

/// A message that has ended: whose it was, and how.
pub(super) type Ended = (u32, Outcome);

/// Messages one node has sent.
///
/// What to do with them stands in the script, which its owner holds and lends for every step.
#[derive(Debug)]
pub(super) struct Caller {
    /// Numbers start here, so that those of an earlier life are not used again.
    first_number: u32,
    outstanding: Outstanding<Pending>,
    routes: Routes,
    gathers: Gathers,
    /// What is known from outside of messages that have not ended. Only who plays a trace or passes keys on has it.
    given: Givens,
    /// What it publishes to topics with, once it has.
    producers: Option<Box<Producers>>,
    /// Whose message ended badly last, if it is certain that nobody has handled it.
    in_vain: Option<u32>,
}

/// A message that has not ended: a cache line, for there may be one at each of a million callers.
#[derive(Debug)]
struct Pending {
    luck: u64,
    started: Steady,
    /// Its own deadline or the one handed down, whichever is earlier.
    deadline: Steady,
    /// The wait before this attempt, if it is not the first.
    previous_wait: Span,
    timer: Option<TimerId>,
    /// Whom it is for.
    task: u32,
    attempt: u32,
    member: u32,
    /// Its place in order, behind a window.
    sequence: u32,
    call: u16,
    route: u16,
    /// Attempts that have left; those that the sender itself turned away are none of them.
    gone: u16,
    /// Whether an attempt is under way (and not waiting for the next).
    in_flight: bool,
    /// [`PINNED`] and [`IN_DOUBT`].
    marks: u8,
}

const _: () = assert!(size_of::<Pending>() == 64);

/// The deadline of what has none.
const NEVER: Steady = Steady::from_nanos(u64::MAX);

/// Every attempt goes to this member.
const PINNED: u8 = 1;

/// Nobody knows what became of one of the attempts: no answer came to it.
const IN_DOUBT: u8 = 2;

impl Pending {
    fn is_pinned(&self) -> bool {
        self.marks & PINNED != 0
    }

    /// What is left until the deadline, if there is one.
    fn left(&self, now: Steady) -> Option<Span> {
        (self.deadline != NEVER).then(|| self.deadline.since(now))
    }

    /// States what a guard did about the message.
    #[cold]
    fn guarded(&self, script: &Script, cx: &mut Cx<'_>, fact: GuardFact) {
        cx.observe(Observation::Guarded { flow: Flow(script.calls[self.call as usize].flow), fact });
    }

    /// The name and the place of the message at its owner.
    fn message(&self, cx: &Cx<'_>, number: u32) -> MessageId {
        MessageId { owner: cx.me, number }
    }
}

impl Caller {
    pub(super) fn new(restarts: u32) -> Self {
        Self {
            first_number: restarts << 24,
            outstanding: Outstanding::new(),
            routes: Routes::default(),
            gathers: Gathers::default(),
            given: Givens::default(),
            producers: None,
            in_vain: None,
        }
    }

    /// States what a guard did about a message.
    #[cold]
    fn guarded(&mut self, script: &Script, cx: &mut Cx<'_>, number: u32, fact: GuardFact) {
        let key = self.key_of(number);
        if let Some(pending) = self.outstanding.get_mut(key) {
            pending.guarded(script, cx, fact);
        }
    }

    /// The message with this key.
    pub(super) fn message(&self, cx: &Cx<'_>, key: Number) -> MessageId {
        MessageId { owner: cx.me, number: self.number_of(key) }
    }

    fn number_of(&self, number: Number) -> u32 {
        self.first_number.wrapping_add(number.get() as u32)
    }

    fn key_of(&self, number: u32) -> Number {
        Number::new(number.wrapping_sub(self.first_number).into())
    }

    /// Starts a message. How it ended, if it has: nobody waits for a confirmation, or it may not go.
    pub(super) fn start(&mut self, script: &Script, cx: &mut Cx<'_>, errand: Errand<'_>) -> Option<Outcome> {
        self.begin(script, cx, errand).1
    }

    /// Starts the messages of a set for the task of `errand`, which names none of them. How the set ended, if it has.
    #[inline(never)]
    pub(super) fn gather(
        &mut self,
        script: &Script,
        cx: &mut Cx<'_>,
        gathering: &Gathering,
        errand: Errand<'_>,
    ) -> Option<Outcome> {
        let total: u32 = gathering.branches.iter().map(|branch| branch.copies.count()).sum();
        let task = if gathering.wait { errand.task } else { NOBODY };
        if gathering.wait {
            self.gathers.begin(task, gathering.needed, total);
        }
        let mut ended = None;
        for &Branch { call, copies } in &gathering.branches {
            let mut taken = Vec::new();
            for copy in 0..copies.count() {
                let spec = &script.calls[usize::from(call)];
                let luck = nested_luck(errand.luck, copy, spec.name);
                let member = match copies {
                    Copies::One => None,
                    Copies::All(_) => Some(copy),
                    Copies::Many(_) => {
                        let given = errand.given.and_then(|given| given.key);
                        let first = nested_luck(errand.luck, 0, spec.name);
                        let key = given.or_else(|| spec.key(&script.keys, first)).unwrap_or(first);
                        let member = self.pick_another(script, cx, call, key, &taken);
                        taken.push(member);
                        Some(member)
                    }
                };
                let (key, outcome) = self.begin(script, cx, Errand { call, luck, task, member, ..errand });
                match outcome {
                    _ if !gathering.wait => {}
                    None if ended.is_none() => self.gathers.add(task, key),
                    None => self.release(script, cx, key),
                    Some(outcome) if ended.is_none() => ended = self.gathered(script, cx, task, key, outcome),
                    Some(_) => {}
                }
            }
        }
        match ended {
            Some((_, outcome)) => Some(outcome),
            None if gathering.wait => None,
            None => Some(Outcome::Done),
        }
    }

    fn begin(
        &mut self,
        script: &Script,
        cx: &mut Cx<'_>,
        Errand { call, luck, inherited, task, late, member, given }: Errand<'_>,
    ) -> (Number, Option<Outcome>) {
        let spec = &script.calls[call as usize];
        let route = self.route(script, cx, spec);
        let started = cx.now();
        let own = spec.policy.retry.deadline.map_or(NEVER, |deadline| started + deadline);
        let key = self.outstanding.insert(Pending {
            luck,
            started,
            deadline: own.min(inherited.unwrap_or(NEVER)),
            previous_wait: Span::ZERO,
            timer: None,
            task,
            attempt: 0,
            member: member.unwrap_or(0),
            sequence: 0,
            call,
            route,
            gone: 0,
            in_flight: false,
            marks: if member.is_some() { PINNED } else { 0 },
        });
        if let Some(given) = given {
            self.given.keep(key, *given);
        }
        let number = self.number_of(key);
        let leave = self.may_go(route, key).then(|| self.leave(cx, route, number));
        let at_once = leave == Some(Leave::Go);
        let message = MessageId { owner: cx.me, number };
        cx.observe(Observation::Offered { message, flow: Flow(spec.flow), late, at_once });
        if at_once {
            return (key, self.attempt(script, cx, number));
        }
        (key, self.wait_at_the_start(script, cx, number, leave).map(|(_, outcome)| outcome))
    }

    /// Something that is more than one message, and is reported like one, begins. Its key, with which to [`conclude`](Self::conclude)
    /// it.
    #[inline(never)]
    pub(super) fn open(&mut self, cx: &mut Cx<'_>, flow: u16, late: Span, at_once: bool) -> Number {
        let key = self.outstanding.insert(Pending {
            luck: 0,
            started: cx.now(),
            deadline: NEVER,
            previous_wait: Span::ZERO,
            timer: None,
            task: NOBODY,
            attempt: 0,
            member: 0,
            sequence: 0,
            call: 0,
            route: 0,
            gone: 0,
            in_flight: false,
            marks: 0,
        });
        let message = MessageId { owner: cx.me, number: self.number_of(key) };
        cx.observe(Observation::Offered { message, flow: Flow(flow), late, at_once });
        key
    }

    /// A number for a message that somebody else sends and waits for. It is followed as one of this flow.
    #[cold]
    pub(super) fn reserve(&mut self, cx: &mut Cx<'_>, flow: u16) -> MessageId {
        let key = self.open(cx, flow, Span::ZERO, false);
        self.outstanding.remove(key);
        MessageId { owner: cx.me, number: self.number_of(key) }
    }

    /// What is more than one message has ended.
    #[inline(never)]
    pub(super) fn conclude(&mut self, cx: &mut Cx<'_>, key: Number, outcome: Outcome) {
        let message = MessageId { owner: cx.me, number: self.number_of(key) };
        cx.observe(Observation::Handled { message, outcome });
        cx.observe(match outcome {
            Outcome::Done => Observation::Confirmed { message },
            Outcome::Failed => Observation::Closed { message, why: Close::Failed },
            Outcome::Rejected => Observation::Closed { message, why: Close::Rejected },
            Outcome::Expired => Observation::Closed { message, why: Close::Expired },
            Outcome::Cancelled | Outcome::Discarded => Observation::Closed { message, why: Close::Abandoned },
        });
        self.outstanding.remove(key);
    }

    /// The node has come up, and begins to look after those that it sends to, where it does.
    #[inline]
    pub(super) fn watch(&mut self, script: &Script, cx: &mut Cx<'_>) {
        if !script.watches.is_empty() {
            self.watch_all(script, cx);
        }
    }

    #[cold]
    fn watch_all(&mut self, script: &Script, cx: &mut Cx<'_>) {
        for (index, watch) in (0..).zip(&script.watches) {
            if watch.senders.place_of(cx.me).is_some() {
                let route = self.route(script, cx, &script.calls[usize::from(watch.call)]);
                let lives = self.first_number >> 24;
                if let Some(health) = Health::begin(script, cx, index, lives, Alarm::Health(route)) {
                    self.routes.get_mut(route).watch_over(health);
                }
            }
        }
    }

    /// A member of a group that this node sends to said how it is, or another sender what it has heard.
    #[cold]
    pub(super) fn heard_of(&mut self, script: &Script, cx: &mut Cx<'_>, from: NodeId, envelope: &Envelope) {
        let Some(watch) = script.watches.get(usize::from(envelope.call)) else { return };
        let Some(route) = self.routes.find(watch.route) else { return };
        let route = self.routes.get_mut(route);
        match (envelope.kind(), watch.target(script).place_of(from), route.health()) {
            (Kind::Idle, Some(member), _) => route.is_idle(member),
            (_, _, Some(health)) => health.heard(script, cx, from, envelope),
            _ => {}
        }
    }

    /// The route of a kind of message.
    #[inline]
    fn route(&mut self, script: &Script, cx: &mut Cx<'_>, spec: &Call) -> u16 {
        self.routes.find(spec.route).unwrap_or_else(|| self.routes.add(Route::new(script, spec, cx.draw())))
    }

    /// A member that is none of those `taken`, as the balancer picks.
    fn pick_another(&mut self, script: &Script, cx: &mut Cx<'_>, call: u16, key: u64, taken: &[u32]) -> u32 {
        let spec = &script.calls[usize::from(call)];
        let route = self.route(script, cx, spec);
        self.routes.get_mut(route).choose_another(script, cx, spec, key, taken)
    }

    /// Whether a new message may go at once.
    fn may_go(&mut self, route: u16, key: Number) -> bool {
        let Some(gate) = &mut self.routes.get_mut(route).gate else { return true };
        let (may_go, sequence) = gate.hold.offer(key);
        if let Some(pending) = self.outstanding.get_mut(key) {
            pending.sequence = sequence;
        }
        may_go
    }

    /// An answer or a confirmation arrived. What has ended with it.
    pub(super) fn answered(
        &mut self,
        script: &Script,
        cx: &mut Cx<'_>,
        envelope: &Envelope,
        outcome: Outcome,
    ) -> Option<Ended> {
        let number = envelope.number;
        let key = self.key_of(number);
        let Some(pending) = self.outstanding.get_mut(key) else {
            self.answered_late(script, cx, envelope, outcome);
            return None;
        };
        if outcome == Outcome::Done {
            let (task, member) = (pending.task, pending.member);
            if let Some(timer) = pending.timer.take() {
                cx.cancel_timer(timer);
            }
            let route = self.routes.get_mut(pending.route);
            if route.guard.is_some() {
                self.let_go_of_all(script, cx, number, Some(envelope.attempt));
            } else if pending.in_flight {
                route.done(member, cx.now(), None, true);
            }
            cx.observe(Observation::Confirmed { message: MessageId { owner: cx.me, number } });
            self.remove(script, cx, key);
            return self.gathered(script, cx, task, key, Outcome::Done);
        }
        let failure = match outcome {
            Outcome::Rejected => Failure::Rejected,
            Outcome::Expired => Failure::Expired,
            Outcome::Cancelled => return self.untied(script, cx, number, envelope.attempt),
            _ => Failure::Failed,
        };
        self.refused(script, cx, number, envelope.attempt, failure)
    }

    /// An answer to a message that was given up: all that is left to learn is how long it took.
    #[cold]
    fn answered_late(&mut self, script: &Script, cx: &Cx<'_>, envelope: &Envelope, outcome: Outcome) {
        let call = script.calls.get(usize::from(envelope.call)).filter(|_| outcome == Outcome::Done);
        let Some(route) = call.and_then(|call| self.routes.find(call.route)) else { return };
        if let Some(guard) = self.routes.get_mut(route).guard.as_deref_mut() {
            guard.answered_late(envelope.number, envelope.attempt, cx.now());
        }
    }

    /// One of the caller's own timers fired. What has ended with it.
    pub(super) fn woken(&mut self, script: &Script, cx: &mut Cx<'_>, alarm: Alarm) -> Option<Ended> {
        match alarm {
            Alarm::Timeout(number) => self.timed_out(script, cx, number),
            Alarm::Resend(number) => self.resend(script, cx, number),
            Alarm::Hedge(number) => self.hedge(script, cx, number, None),
            Alarm::Health(route) => {
                if let Some(health) = self.routes.get_mut(route).health() {
                    health.woken(script, cx);
                }
                None
            }
            Alarm::Arrival
            | Alarm::Think(_)
            | Alarm::Step(_)
            | Alarm::Share
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
        }
    }

    fn close(&mut self, script: &Script, cx: &mut Cx<'_>, number: u32, why: Close, outcome: Outcome) -> Option<Ended> {
        let key = self.key_of(number);
        let pending = self.outstanding.get_mut(key)?;
        let task = pending.task;
        if pending.attempt > 0
            && let Some(window) = self.routes.get_mut(pending.route).window()
        {
            window.give_up(pending.sequence);
        }
        // Every attempt that left was answered.
        let is_certain = pending.marks & IN_DOUBT == 0 && why != Close::TimedOut;
        self.in_vain = is_certain.then_some(task);
        self.let_go_of_others(script, cx, number, None);
        cx.observe(Observation::Closed { message: MessageId { owner: cx.me, number }, why });
        self.remove(script, cx, key);
        self.gathered(script, cx, task, key, outcome)
    }

    /// A message has ended: what ends with it for whoever started it.
    #[inline]
    fn gathered(
        &mut self,
        script: &Script,
        cx: &mut Cx<'_>,
        task: u32,
        key: Number,
        outcome: Outcome,
    ) -> Option<Ended> {
        match self.gathers.ended(task, key, outcome) {
            Gathered::Alone => Some((task, outcome)),
            Gathered::Waiting => None,
            Gathered::Complete(outcome, open) => {
                open.into_iter().for_each(|key| self.release(script, cx, key));
                Some((task, outcome))
            }
        }
    }

    /// Nobody waits for this message any more. Where its receivers let themselves be told, it is taken back.
    #[inline(never)]
    fn release(&mut self, script: &Script, cx: &mut Cx<'_>, key: Number) {
        let Some(pending) = self.outstanding.get_mut(key) else { return };
        pending.task = NOBODY;
        if script.calls[pending.call as usize].policy.cancel != Cancel::None {
            self.abandon(script, cx, key, Close::Spared);
        }
    }

    /// Whoever started messages for `task` no longer wants to know.
    pub(super) fn forget(&mut self, script: &Script, cx: &mut Cx<'_>, task: u32) {
        let numbers: Vec<_> =
            self.outstanding.iter().filter(|(_, pending)| pending.task == task).map(|(key, _)| key).collect();
        self.gathers.forget(task);
        for key in numbers {
            self.abandon(script, cx, key, Close::Abandoned);
        }
    }

    /// Whether the message of `task` that has just ended badly has been handled by nobody, as far as its receivers know.
    pub(super) fn was_in_vain(&mut self, task: u32) -> bool {
        self.in_vain.take() == Some(task)
    }

    /// Ends a message that nobody wants to hear of any more.
    fn abandon(&mut self, script: &Script, cx: &mut Cx<'_>, key: Number, why: Close) {
        let number = self.number_of(key);
        let Some(pending) = self.outstanding.get_mut(key) else { return };
        if let Some(timer) = pending.timer.take() {
            cx.cancel_timer(timer);
        }
        let route = self.routes.get_mut(pending.route);
        if pending.in_flight && route.guard.is_none() {
            route.done(pending.member, cx.now(), None, false);
            take_back(script, cx, pending, number, pending.attempt, pending.member);
        }
        self.close(script, cx, number, why, Outcome::Cancelled);
    }

    /// Takes a message out of the table, and lets those go that waited for it.
    fn remove(&mut self, script: &Script, cx: &mut Cx<'_>, key: Number) {
        let Some(pending) = self.outstanding.remove(key) else { return };
        self.given.forget(key);
        let Some(gate) = self.routes.get_mut(pending.route).gate.as_deref_mut() else { return };
        gate.waits_no_more(key);
        match &mut gate.hold {
            Hold::Batches | Hold::Nothing => return,
            Hold::InFlight(gate) => gate.settle(key),
            Hold::Window(window) => {
                let passed = window.settle(pending.sequence);
                if let Some(member) = window.misses(&passed) {
                    tell_skipped(script, cx, &pending, member, self.number_of(key), passed.end);
                }
            }
        }
        let admit = |gate: &mut Gate| gate.hold.admit();
        while let Some(key) = self.routes.get_mut(pending.route).gate.as_deref_mut().and_then(admit) {
            let Some(timer) = self.outstanding.get_mut(key).map(|pending| pending.timer.take()) else { continue };
            if let Some(timer) = timer {
                cx.cancel_timer(timer);
            }
            let number = self.number_of(key);
            if self.routes.get_mut(pending.route).guard.is_none() {
                self.attempt_later(script, cx, number);
            } else {
                // A guard may turn it away, which is for whoever started it to hear: on its own.
                self.go_later(cx, number, NOT_SENT);
            }
        }
    }
}

/// Tells the receiver of ordered messages that it need not wait for those below `lowest`, some of which were given up: with
/// the end of `settled` the lowest place still to come has moved there.
fn tell_skipped(script: &Script, cx: &mut Cx<'_>, settled: &Pending, member: u32, number: u32, lowest: u64) {
    let spec = &script.calls[settled.call as usize];
    let luck = nested_luck(settled.luck, settled.attempt, spec.name);
    let mut envelope = Envelope::new(Kind::Skip, luck, number, settled.call, settled.attempt);
    envelope.beside = Beside::place(lowest, lowest);
    cx.send_sized(script.targets[spec.target as usize].member(member as usize), envelope, 0);
}

/// The luck of a message that is sent for another one.
pub(super) fn nested_luck(parent: u64, attempt: u32, call: u64) -> u64 {
    mix(parent ^ mix(call ^ mix(attempt.into())))
}

/// How long after an attempt was turned away by its own sender the next one may be tried: an effect is later than its cause.
const NOT_SENT: Span = Span::from_nanos(1);
