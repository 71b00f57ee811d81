//! The asking side of every role: messages it has sent and what it does about those that are not answered.
//!
//! An asynchronous request is put into a table with its number; the answer removes it, a timeout has it sent again, the
//! last timeout or the deadline gives it up. Whoever started it (a client's user, a service's request) is told once, when
//! it has ended.

use std::num::NonZeroU32;

use crate::base::id::Entity;
use crate::base::random::mix;
use crate::base::time::Span;
use crate::process::{Clock, Close, Context, Flow, MessageId, Observation, Outcome, Steady, TimerId};
use crate::protocol::balance::{Balance, Picker};
use crate::protocol::delivery::{InFlight, Number, Outstanding, SendWindow};
use crate::protocol::retry::{Decision, Failure, Member, Reason};

use super::Alarm;
use super::envelope::{Envelope, Kind, Place, Remainder};
use super::policy::{Cancel, Delivery};
use super::script::{Call, Script};

/// The surroundings of a role.
pub(super) type Cx<'a> = Context<'a, Envelope, Alarm>;

/// A message to start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Errand {
    /// Its kind.
    pub(super) call: u16,
    /// The name its luck is drawn by.
    pub(super) luck: u64,
    /// The deadline handed down by whoever asked first.
    pub(super) inherited: Option<Steady>,
    /// Whom it is for.
    pub(super) task: u32,
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
    routes: Vec<Route>,
}

/// What the caller keeps for one kind of message.
#[derive(Debug)]
struct Route {
    call: u16,
    picker: Picker,
    gate: Gate,
    /// The member that gets everything, where order or dedup needs that.
    pinned: Option<u32>,
    /// Messages that were sent and then given up are all below this place in order.
    given_up_below: u64,
}

/// What holds messages back at their sender.
#[derive(Debug)]
enum Gate {
    Open,
    InFlight(InFlight),
    /// Sequence numbers stand for those waiting or sent, from the window's lowest on.
    Window(SendWindow, std::collections::VecDeque<u32>, u64),
}

/// A message that has not ended.
#[derive(Debug)]
struct Pending {
    luck: u64,
    started: Steady,
    /// The deadline handed down by whoever asked first.
    inherited: Option<Steady>,
    previous_wait: Option<Span>,
    timer: Option<TimerId>,
    /// Whom it is for.
    task: u32,
    attempt: u32,
    member: u32,
    sequence: u64,
    call: u16,
    route: u16,
    /// Whether an attempt is under way (and not waiting for the next).
    in_flight: bool,
}

impl Caller {
    pub(super) fn new(restarts: u32) -> Self {
        Self { first_number: restarts << 24, outstanding: Outstanding::new(), routes: Vec::new() }
    }

    fn number_of(&self, number: Number) -> u32 {
        self.first_number.wrapping_add(number.get() as u32)
    }

    fn key_of(&self, number: u32) -> Number {
        Number::new(number.wrapping_sub(self.first_number).into())
    }

    /// Starts a message. How it ended, if nobody waits for a confirmation.
    pub(super) fn start(
        &mut self,
        script: &Script,
        cx: &mut Cx<'_>,
        Errand { call, luck, inherited, task }: Errand,
    ) -> Option<Outcome> {
        let spec = &script.calls[call as usize];
        let route = self.route(script, cx, call);
        let started = cx.now();
        let pending = Pending {
            luck,
            started,
            inherited,
            previous_wait: None,
            timer: None,
            task,
            attempt: 0,
            member: 0,
            sequence: 0,
            call,
            route: route as u16,
            in_flight: false,
        };
        let key = self.outstanding.insert(pending);
        let number = self.number_of(key);
        let message = MessageId { owner: cx.me, number };
        let (may_go, sequence) = match &mut self.routes[route].gate {
            Gate::Open => (true, 0),
            Gate::InFlight(gate) => (gate.offer(key), 0),
            Gate::Window(gate, numbers, first) => {
                let sequence = *first + numbers.len() as u64;
                numbers.push_back(number);
                (gate.offer(Number::new(sequence)), sequence)
            }
        };
        if let Some(pending) = self.outstanding.get_mut(key) {
            pending.sequence = sequence;
        }
        cx.observe(Observation::Offered { message, flow: Flow(spec.flow), late: Span::ZERO, at_once: may_go });
        if may_go {
            return self.attempt(script, cx, number);
        }
        if let Some(left) = self.left(cx, spec, key) {
            let timer = cx.set_timer(Clock::Steady, left, Alarm::Timeout(number));
            self.outstanding.get_mut(key)?.timer = Some(timer);
        }
        None
    }

    fn route(&mut self, script: &Script, cx: &mut Cx<'_>, call: u16) -> usize {
        if let Some(index) = self.routes.iter().position(|route| route.call == call) {
            return index;
        }
        let spec = &script.calls[call as usize];
        let members = script.targets[spec.target as usize].len as usize;
        let picker = spec.balance.picker(members, cx.draw()).expect("a plan's balancer fits its group");
        let policy = &spec.policy;
        let gate = match (policy.max_in_flight, policy.window) {
            (_, window) if policy.ordered => {
                let most = NonZeroU32::MIN.saturating_add(Place::WINDOW_MAX - 1);
                Gate::Window(SendWindow::new(window.map_or(most, |window| window.min(most))), Default::default(), 0)
            }
            (_, Some(window)) => Gate::Window(SendWindow::new(window), Default::default(), 0),
            (Some(limit), None) => Gate::InFlight(InFlight::new(limit)),
            (None, None) => Gate::Open,
        };
        self.routes.push(Route { call, picker, gate, pinned: None, given_up_below: 0 });
        self.routes.len() - 1
    }

    /// What is left until the message's deadline, its own or inherited.
    fn left(&mut self, cx: &Cx<'_>, spec: &Call, key: Number) -> Option<Span> {
        let pending = self.outstanding.get_mut(key)?;
        let own = spec.policy.retry.deadline.map(|deadline| pending.started + deadline);
        let deadline = match (own, pending.inherited) {
            (Some(own), Some(inherited)) => own.min(inherited),
            (own, inherited) => own.or(inherited)?,
        };
        Some(deadline.since(cx.now()))
    }

    /// Sends an attempt that did not go out with its offer.
    fn attempt_later(&mut self, script: &Script, cx: &mut Cx<'_>, number: u32) -> Option<Outcome> {
        cx.observe(Observation::Attempted { message: MessageId { owner: cx.me, number } });
        self.attempt(script, cx, number)
    }

    /// Sends the next attempt, which has been stated. How the message ended, if nobody waits for a confirmation.
    fn attempt(&mut self, script: &Script, cx: &mut Cx<'_>, number: u32) -> Option<Outcome> {
        let key = self.key_of(number);
        let call = self.outstanding.get_mut(key)?.call;
        let spec = &script.calls[call as usize];
        let left = self.left(cx, spec, key);
        let pending = self.outstanding.get_mut(key)?;
        let route = &mut self.routes[pending.route as usize];
        let target = &script.targets[spec.target as usize];
        let again = pending.attempt > 0 && spec.policy.retry.member == Member::Same;
        if !again {
            pending.member = match route.pinned {
                Some(pinned) => pinned,
                None => {
                    let board = &script.board;
                    let member = route.picker.pick(|| cx.draw(), |member| board.load(target.member(member)));
                    member as u32
                }
            };
            if spec.policy.ordered {
                route.pinned = Some(pending.member);
            }
        }
        route.picker.sent(pending.member as usize);
        pending.attempt += 1;
        pending.in_flight = true;
        let is_confirmed = spec.is_request || spec.policy.delivery != Delivery::AtMostOnce;
        let kind = match (spec.is_request, is_confirmed) {
            (true, _) => Kind::Request,
            (false, true) => Kind::Message,
            (false, false) => Kind::Notice,
        };
        let mut envelope = Envelope::new(kind, pending.luck, number, pending.call, pending.attempt);
        envelope.left = left.map_or(Remainder::NONE, Remainder::of);
        if let Gate::Window(window, ..) = &route.gate
            && spec.policy.ordered
        {
            envelope.order = Place::new(pending.sequence, window.lowest().get());
        }
        let size = spec.size.bytes(|| script.keys.size.block(Entity::from_bits(pending.luck), 0).first());
        let to = target.member(pending.member as usize);
        let message = MessageId { owner: cx.me, number };
        cx.send_sized(to, envelope, size);
        if !is_confirmed {
            route.picker.done(pending.member as usize);
            cx.observe(Observation::Closed { message, why: Close::Sent });
            self.outstanding.remove(key);
            return Some(Outcome::Done);
        }
        let attempt = NonZeroU32::new(pending.attempt)?;
        let timeout = spec.policy.retry.timeout_of(attempt, cx.now().since(pending.started));
        if let Some(timeout) = timeout.into_iter().chain(left).min() {
            pending.timer = Some(cx.set_timer(Clock::Steady, timeout, Alarm::Timeout(number)));
        }
        None
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
        let pending = self.outstanding.get_mut(key)?;
        if outcome == Outcome::Done {
            let (task, member, route) = (pending.task, pending.member, pending.route);
            if let Some(timer) = pending.timer.take() {
                cx.cancel_timer(timer);
            }
            if pending.in_flight {
                self.routes[route as usize].picker.done(member as usize);
            }
            cx.observe(Observation::Confirmed { message: MessageId { owner: cx.me, number } });
            self.remove(script, cx, key);
            return Some((task, Outcome::Done));
        }
        // Bad news about an attempt that was given up already is no news.
        if pending.attempt as u8 != envelope.attempt || !pending.in_flight {
            return None;
        }
        if let Some(timer) = pending.timer.take() {
            cx.cancel_timer(timer);
        }
        let failure = match outcome {
            Outcome::Rejected => Failure::Rejected,
            Outcome::Expired | Outcome::Cancelled => Failure::Expired,
            _ => Failure::Failed,
        };
        self.failed(script, cx, number, failure)
    }

    /// One of the caller's own timers fired. What has ended with it.
    pub(super) fn woken(&mut self, script: &Script, cx: &mut Cx<'_>, alarm: Alarm) -> Option<Ended> {
        match alarm {
            Alarm::Timeout(number) => self.timed_out(script, cx, number),
            Alarm::Resend(number) => self.resend(script, cx, number),
            Alarm::Arrival | Alarm::Think(_) | Alarm::Step(_) => None,
        }
    }

    /// A timer of this number fired. What has ended with it.
    fn timed_out(&mut self, script: &Script, cx: &mut Cx<'_>, number: u32) -> Option<Ended> {
        let key = self.key_of(number);
        let pending = self.outstanding.get_mut(key)?;
        pending.timer = None;
        if pending.attempt == 0 {
            return self.close(script, cx, number, Close::Abandoned, Outcome::Expired);
        }
        self.failed(script, cx, number, Failure::Timeout)
    }

    /// The wait before another attempt is over. What has ended with it.
    fn resend(&mut self, script: &Script, cx: &mut Cx<'_>, number: u32) -> Option<Ended> {
        let key = self.key_of(number);
        let pending = self.outstanding.get_mut(key)?;
        pending.timer = None;
        self.attempt_later(script, cx, number);
        None
    }

    fn failed(&mut self, script: &Script, cx: &mut Cx<'_>, number: u32, failure: Failure) -> Option<Ended> {
        let key = self.key_of(number);
        let pending = self.outstanding.get_mut(key)?;
        let spec = &script.calls[pending.call as usize];
        pending.in_flight = false;
        self.routes[pending.route as usize].picker.done(pending.member as usize);
        let elapsed = cx.now().since(pending.started);
        let attempt = NonZeroU32::new(pending.attempt)?;
        let draw = if spec.policy.retry.needs_luck() { cx.draw() } else { NO_LUCK };
        let mut decision = spec.policy.retry.next(attempt, elapsed, pending.previous_wait, failure, draw);
        if let (Decision::Retry { after }, Some(inherited)) = (decision, pending.inherited)
            && cx.now() + after >= inherited
        {
            decision = Decision::GiveUp(Reason::DeadlineReached);
        }
        match decision {
            Decision::Retry { after: Span::ZERO } => {
                pending.previous_wait = Some(Span::ZERO);
                self.attempt_later(script, cx, number);
                None
            }
            Decision::Retry { after } => {
                pending.previous_wait = Some(after);
                pending.timer = Some(cx.set_timer(Clock::Steady, after, Alarm::Resend(number)));
                None
            }
            Decision::GiveUp(reason) => {
                if failure == Failure::Timeout && spec.policy.cancel != Cancel::None {
                    let to = script.targets[spec.target as usize].member(pending.member as usize);
                    let envelope = Envelope::new(Kind::Cancel, pending.luck, number, pending.call, pending.attempt);
                    cx.send_sized(to, envelope, 0);
                }
                let (why, outcome) = match (reason, failure) {
                    (Reason::DeadlineReached, _) => (Close::Expired, Outcome::Expired),
                    (_, Failure::Timeout) => (Close::TimedOut, Outcome::Failed),
                    (_, Failure::Rejected) => (Close::Rejected, Outcome::Rejected),
                    (_, Failure::Expired) => (Close::Expired, Outcome::Expired),
                    (_, Failure::Failed) => (Close::Failed, Outcome::Failed),
                };
                self.close(script, cx, number, why, outcome)
            }
        }
    }

    fn close(&mut self, script: &Script, cx: &mut Cx<'_>, number: u32, why: Close, outcome: Outcome) -> Option<Ended> {
        let key = self.key_of(number);
        let pending = self.outstanding.get_mut(key)?;
        let task = pending.task;
        if pending.attempt > 0 {
            let below = &mut self.routes[pending.route as usize].given_up_below;
            *below = (*below).max(pending.sequence + 1);
        }
        cx.observe(Observation::Closed { message: MessageId { owner: cx.me, number }, why });
        self.remove(script, cx, key);
        Some((task, outcome))
    }

    /// Whoever started messages for `task` no longer wants to know.
    pub(super) fn forget(&mut self, script: &Script, cx: &mut Cx<'_>, task: u32) {
        let numbers: Vec<_> =
            self.outstanding.iter().filter(|(_, pending)| pending.task == task).map(|(key, _)| key).collect();
        for key in numbers {
            let Some(pending) = self.outstanding.get_mut(key) else { continue };
            if let Some(timer) = pending.timer.take() {
                cx.cancel_timer(timer);
            }
            if pending.in_flight {
                self.routes[pending.route as usize].picker.done(pending.member as usize);
            }
            let number = self.number_of(key);
            self.close(script, cx, number, Close::Abandoned, Outcome::Cancelled);
        }
    }

    /// Tells the receiver of ordered messages what it need not wait for: with the end of `settled`, the lowest place still to
    /// come has moved past `passed`, where there may be messages that were given up.
    fn tell_skipped(
        &self,
        script: &Script,
        cx: &mut Cx<'_>,
        settled: &Pending,
        number: u32,
        passed: std::ops::Range<u64>,
    ) {
        let route = &self.routes[settled.route as usize];
        let spec = &script.calls[settled.call as usize];
        let Some(member) = route.pinned.filter(|_| passed.start < passed.end.min(route.given_up_below)) else { return };
        let luck = nested_luck(settled.luck, settled.attempt, spec.name);
        let mut envelope = Envelope::new(Kind::Skip, luck, number, settled.call, settled.attempt);
        envelope.order = Place::new(passed.end, passed.end);
        cx.send_sized(script.targets[spec.target as usize].member(member as usize), envelope, 0);
    }

    /// Takes a message out of the table, and lets those go that waited for it.
    fn remove(&mut self, script: &Script, cx: &mut Cx<'_>, key: Number) {
        let Some(pending) = self.outstanding.remove(key) else { return };
        let route = pending.route as usize;
        match &mut self.routes[route].gate {
            Gate::Open => return,
            Gate::InFlight(gate) => gate.settle(key),
            Gate::Window(gate, numbers, first) => {
                gate.settle(Number::new(pending.sequence));
                let (before, number) = (*first, self.first_number.wrapping_add(key.get() as u32));
                while *first < gate.lowest().get() {
                    numbers.pop_front();
                    *first += 1;
                }
                let lowest = *first;
                self.tell_skipped(script, cx, &pending, number, before..lowest);
            }
        }
        loop {
            let next = match &mut self.routes[route].gate {
                Gate::Open => None,
                Gate::InFlight(gate) => gate.admit().map(|key| self.first_number.wrapping_add(key.get() as u32)),
                Gate::Window(gate, numbers, first) => {
                    gate.admit().map(|sequence| numbers[(sequence.get() - *first) as usize])
                }
            };
            let Some(number) = next else { return };
            let key = self.key_of(number);
            let Some(timer) = self.outstanding.get_mut(key).map(|pending| pending.timer.take()) else { continue };
            if let Some(timer) = timer {
                cx.cancel_timer(timer);
            }
            self.attempt_later(script, cx, number);
        }
    }
}

/// What is handed to a policy that draws nothing.
const NO_LUCK: crate::base::random::Uniform = crate::base::random::Uniform::from_bits(0);

/// The luck of a message that is sent for another one.
pub(super) fn nested_luck(parent: u64, attempt: u32, call: u64) -> u64 {
    mix(parent ^ mix(call ^ mix(attempt.into())))
}
