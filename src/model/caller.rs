//! The asking side of every role: messages it has sent and what it does about those that are not answered.
//!
//! An asynchronous request is put into a table with its number; the answer removes it, a timeout has it sent again, the
//! last timeout or the deadline gives it up. Whoever started it (a client's user, a service's request) is told once, when
//! it has ended; who waits for several at once is told when enough of them have ([`gather`](super::gather)). What stands
//! between a sender and its receivers beyond that (breakers, budgets, limits, hedges) is the route's
//! [`Guard`](super::guard::Guard), and costs nothing where there is none.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use crate::base::id::{Entity, NodeId};
use crate::base::random::mix;
use crate::base::time::Span;
use crate::process::{Clock, Close, Context, Flow, MessageId, Observation, Outcome, Steady, TimerId};
use crate::protocol::delivery::{Number, Outstanding};
use crate::protocol::retry::{Decision, Failure, Member, Reason};

use super::Alarm;
use super::client::NOBODY;
use super::envelope::{Beside, Envelope, Kind, Remainder};
use super::feed::Given;
use super::gather::{Gathered, Gathers};
use super::guard::{Flight, Leave};
use super::health::Health;
use super::policy::{Cancel, Delivery};
use super::route::{Gate, Hold, Route, Routes};
use super::script::{Branch, Call, Copies, Gathering, Script};

/// The surroundings of a role.
pub(super) type Cx<'a> = Context<'a, Envelope, Alarm>;

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
    given: Option<Box<BTreeMap<Number, Given>>>,
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
    /// Whether an attempt is under way (and not waiting for the next).
    in_flight: bool,
    /// Whether every attempt goes to this member.
    is_pinned: bool,
}

const _: () = assert!(size_of::<Pending>() == 64);

/// The deadline of what has none.
const NEVER: Steady = Steady::from_nanos(u64::MAX);

impl Pending {
    /// What is left until the deadline, if there is one.
    fn left(&self, now: Steady) -> Option<Span> {
        (self.deadline != NEVER).then(|| self.deadline.since(now))
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
            given: None,
        }
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
            in_flight: false,
            is_pinned: member.is_some(),
        });
        if let Some(given) = given {
            self.keep(key, *given);
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

    /// A new message may not go at once: it waits, no longer than until its deadline, or is turned away.
    #[inline(never)]
    fn wait_at_the_start(
        &mut self,
        script: &Script,
        cx: &mut Cx<'_>,
        number: u32,
        leave: Option<Leave>,
    ) -> Option<Ended> {
        match leave {
            Some(Leave::Refused) => self.turned_away(script, cx, number),
            Some(Leave::Later(after)) => {
                self.go_later(cx, number, after);
                None
            }
            _ => {
                let key = self.key_of(number);
                let pending = self.outstanding.get_mut(key)?;
                let left = pending.left(cx.now())?;
                pending.timer = Some(cx.set_timer(Clock::Steady, left, Alarm::Timeout(number)));
                None
            }
        }
    }

    /// Whether an attempt of this message may leave.
    #[inline]
    fn leave(&mut self, cx: &mut Cx<'_>, route: u16, number: u32) -> Leave {
        match self.routes.get_mut(route).guard.as_deref_mut() {
            None => Leave::Go,
            Some(guard) => guard.leave(number, cx.now(), || cx.draw()),
        }
    }

    /// The attempt goes after so much time, unless the deadline comes first.
    fn go_later(&mut self, cx: &mut Cx<'_>, number: u32, after: Span) {
        let key = self.key_of(number);
        let Some(pending) = self.outstanding.get_mut(key) else { return };
        pending.timer = Some(match pending.left(cx.now()) {
            Some(left) if left <= after => cx.set_timer(Clock::Steady, left, Alarm::Timeout(number)),
            _ => cx.set_timer(Clock::Steady, after, Alarm::Resend(number)),
        });
    }

    /// The sender itself turns an attempt away, before it is sent: an attempt that failed all the same.
    #[inline(never)]
    fn turned_away(&mut self, script: &Script, cx: &mut Cx<'_>, number: u32) -> Option<Ended> {
        let key = self.key_of(number);
        let pending = self.outstanding.get_mut(key)?;
        pending.attempt += 1;
        self.go_on(script, cx, number, Failure::Rejected, NOT_SENT)
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

    /// Keeps what a trace says of a message until that has ended.
    #[cold]
    fn keep(&mut self, key: Number, given: Given) {
        self.given.get_or_insert_default().insert(key, given);
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

    /// Sends an attempt that did not go out with its offer. What has ended with it.
    fn attempt_later(&mut self, script: &Script, cx: &mut Cx<'_>, number: u32) -> Option<Ended> {
        let key = self.key_of(number);
        let (route, task) = self.outstanding.get_mut(key).map(|pending| (pending.route, pending.task))?;
        match self.leave(cx, route, number) {
            Leave::Go => {
                cx.observe(Observation::Attempted { message: MessageId { owner: cx.me, number } });
                let outcome = self.attempt(script, cx, number)?;
                self.gathered(script, cx, task, key, outcome)
            }
            Leave::Later(after) => {
                self.go_later(cx, number, after);
                None
            }
            Leave::Refused => self.turned_away(script, cx, number),
        }
    }

    /// Sends the next attempt, which has been stated. How the message ended, if nobody waits for a confirmation.
    fn attempt(&mut self, script: &Script, cx: &mut Cx<'_>, number: u32) -> Option<Outcome> {
        let key = self.key_of(number);
        let pending = self.outstanding.get_mut(key)?;
        let spec = &script.calls[pending.call as usize];
        let left = pending.left(cx.now());
        let route = self.routes.get_mut(pending.route);
        let again = pending.attempt > 0 && spec.policy.retry.member == Member::Same;
        if !again && !pending.is_pinned {
            let about = key_of_message(script, spec, pending.luck, &self.given, key).unwrap_or(pending.luck);
            pending.member = route.choose(script, cx, spec, about);
        }
        let now = cx.now();
        route.sent(pending.member, now);
        pending.attempt += 1;
        let mut tie = None;
        if route.guard.is_some() {
            tie = self.depart(script, cx, number);
        }
        let pending = self.outstanding.get_mut(key)?;
        let route = self.routes.get_mut(pending.route);
        pending.in_flight = true;
        let is_confirmed = spec.is_request || spec.policy.delivery != Delivery::AtMostOnce;
        let kind = match (spec.is_request, is_confirmed) {
            (true, _) => Kind::Request,
            (false, true) => Kind::Message,
            (false, false) => Kind::Notice,
        };
        let mut envelope = Envelope::new(kind, pending.luck, number, pending.call, pending.attempt);
        envelope.left = left.map_or(Remainder::NONE, Remainder::of);
        if spec.policy.ordered
            && let Some(window) = route.window()
        {
            envelope.beside = window.place(pending.sequence);
        } else if let Some(other) = tie {
            envelope.beside = Beside::tie(other);
        } else if spec.key.is_some() || self.given.is_some() {
            let about = key_of_message(script, spec, pending.luck, &self.given, key);
            envelope.beside = about.map_or(Beside::NONE, Beside::key);
        }
        let size = spec.size.bytes_or(
            || script.keys.size.block(Entity::from_bits(pending.luck), 0).first(),
            || given(&self.given, key).size,
        );
        let to = script.targets[spec.target as usize].member(pending.member as usize);
        let message = MessageId { owner: cx.me, number };
        cx.send_sized(to, envelope, size);
        if !is_confirmed {
            route.done(pending.member, now, None, true);
            self.let_go_of_others(script, cx, number, None);
            cx.observe(Observation::Closed { message, why: Close::Sent });
            forget_given(&mut self.given, key);
            self.outstanding.remove(key);
            return Some(Outcome::Done);
        }
        let attempt = NonZeroU32::new(pending.attempt)?;
        let mut timeout = spec.policy.retry.timeout_of(attempt, now.since(pending.started));
        if let Some(guard) = route.guard.as_deref_mut() {
            timeout = guard.timeout(attempt).into_iter().chain(timeout).min();
            if let Some(after) = guard.hedge_after(number) {
                guard.set_hedge(number, Some(cx.set_timer(Clock::Steady, after, Alarm::Hedge(number))));
            }
        }
        // The first of the copies that are under way at the same time has set the timer for all of them.
        if pending.timer.is_none()
            && let Some(timeout) = timeout.into_iter().chain(left).min()
        {
            pending.timer = Some(cx.set_timer(Clock::Steady, timeout, Alarm::Timeout(number)));
        }
        None
    }

    /// Tells the guard that an attempt goes. The member that has or gets the other copy, where copies are tied.
    #[inline(never)]
    fn depart(&mut self, script: &Script, cx: &mut Cx<'_>, number: u32) -> Option<u32> {
        let (key, now) = (self.key_of(number), cx.now());
        let pending = self.outstanding.get_mut(key)?;
        let spec = &script.calls[pending.call as usize];
        let route = self.routes.get_mut(pending.route);
        let guard = route.guard.as_deref_mut()?;
        let first = guard.under_way(number).first().map(|flight| flight.member);
        guard.departs(number, pending.attempt, pending.member, now);
        if !spec.policy.is_tied() {
            return None;
        }
        if first.is_some() {
            return first;
        }
        let about = key_of_message(script, spec, pending.luck, &self.given, key).unwrap_or(pending.luck);
        let second = route.choose_another(script, cx, spec, about, &[pending.member]);
        route.guard.as_deref_mut()?.tie(number, second);
        Some(second)
    }

    /// It is time for another copy of a message that is under way.
    #[inline(never)]
    fn hedge(&mut self, script: &Script, cx: &mut Cx<'_>, number: u32) -> Option<Ended> {
        let key = self.key_of(number);
        let pending = self.outstanding.get_mut(key)?;
        let route = self.routes.get_mut(pending.route);
        let guard = route.guard.as_deref_mut()?;
        guard.set_hedge(number, None);
        let may_go = pending.in_flight && guard.may_retry(cx.now(), Failure::Timeout);
        if may_go && guard.leave(number, cx.now(), || cx.draw()) == Leave::Go {
            let taken: Vec<_> = guard.under_way(number).iter().map(|flight| flight.member).collect();
            let spec = &script.calls[pending.call as usize];
            let is_pinned = pending.is_pinned;
            if let Some(second) = guard.tied(number) {
                pending.member = second;
            } else if !pending.is_pinned {
                let about = key_of_message(script, spec, pending.luck, &self.given, key).unwrap_or(pending.luck);
                pending.member = route.choose_another(script, cx, spec, about, &taken);
            }
            pending.is_pinned = true;
            cx.observe(Observation::Attempted { message: MessageId { owner: cx.me, number } });
            self.attempt(script, cx, number);
            if let Some(pending) = self.outstanding.get_mut(key) {
                pending.is_pinned = is_pinned;
            }
        }
        None
    }

    /// A message has ended, with the attempt whose number ends so or with none: its other attempts are of no interest any more,
    /// and are taken back where receivers let themselves be told.
    #[inline]
    fn let_go_of_others(&mut self, script: &Script, cx: &mut Cx<'_>, number: u32, winner: Option<u8>) {
        let key = self.key_of(number);
        let Some(pending) = self.outstanding.get_mut(key) else { return };
        if self.routes.get_mut(pending.route).guard.is_some() {
            self.let_go_of_all(script, cx, number, winner);
        }
    }

    #[inline(never)]
    fn let_go_of_all(&mut self, script: &Script, cx: &mut Cx<'_>, number: u32, winner: Option<u8>) {
        let (key, now) = (self.key_of(number), cx.now());
        let Some(pending) = self.outstanding.get_mut(key) else { return };
        let route = self.routes.get_mut(pending.route);
        let Some(guard) = route.guard.as_deref_mut() else { return };
        let won = winner.and_then(|attempt| {
            let won = guard.ended(number, attempt, now, Ok(()));
            if won.is_none() {
                guard.answered_late(number, attempt, now);
            }
            won
        });
        let (others, hedge) = guard.close(number);
        if let Some(timer) = hedge {
            cx.cancel_timer(timer);
        }
        if let Some((flight, took)) = won {
            route.ended(script, cx, flight.member, took, true);
        }
        for flight in others {
            route.done(flight.member, now, None, false);
            take_back(script, cx, pending, number, flight.attempt, flight.member);
        }
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
            Outcome::Expired | Outcome::Cancelled => Failure::Expired,
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

    /// One attempt has failed. What has ended with it.
    fn refused(
        &mut self,
        script: &Script,
        cx: &mut Cx<'_>,
        number: u32,
        attempt: u8,
        failure: Failure,
    ) -> Option<Ended> {
        let key = self.key_of(number);
        let pending = self.outstanding.get_mut(key)?;
        let route = self.routes.get_mut(pending.route);
        // Bad news about an attempt that was given up already is no news.
        if let Some(guard) = route.guard.as_deref_mut() {
            if guard.under_way(number).iter().all(|flight| flight.attempt as u8 != attempt) {
                return None;
            }
            if guard.under_way(number).len() > 1 {
                let (flight, took) = guard.ended(number, attempt, cx.now(), Err(failure))?;
                route.ended(script, cx, flight.member, took, false);
                cx.observe(Observation::AttemptFailed { message: pending.message(cx, number) });
                return None;
            }
        } else if pending.attempt as u8 != attempt || !pending.in_flight {
            return None;
        }
        if let Some(timer) = pending.timer.take() {
            cx.cancel_timer(timer);
        }
        self.failed(script, cx, number, failure)
    }

    /// A stream to or from `peer` was reset: no answer comes to what is under way there. Attempts on other streams between
    /// the two, where there are several, count too. What has ended with it.
    #[cold]
    pub(super) fn reset(&mut self, script: &Script, cx: &mut Cx<'_>, peer: NodeId) -> Vec<Ended> {
        let mut there = Vec::new();
        for (key, pending) in self.outstanding.iter().filter(|(_, pending)| pending.in_flight) {
            let number = self.number_of(key);
            let target = &script.targets[script.calls[pending.call as usize].target as usize];
            let is_there = |member: u32| target.member(member as usize) == peer;
            let guard = self.routes.iter().nth(pending.route.into()).and_then(|(_, route)| route.guard.as_ref());
            match guard {
                None if is_there(pending.member) => there.push((number, pending.attempt as u8)),
                None => {}
                Some(guard) => {
                    let flights = guard.under_way(number).iter().filter(|flight| is_there(flight.member));
                    there.extend(flights.map(|flight| (number, flight.attempt as u8)));
                }
            }
        }
        let ended = |&(number, attempt): &_| self.refused(script, cx, number, attempt, Failure::Reset);
        there.iter().filter_map(ended).collect()
    }

    /// One of the caller's own timers fired. What has ended with it.
    pub(super) fn woken(&mut self, script: &Script, cx: &mut Cx<'_>, alarm: Alarm) -> Option<Ended> {
        match alarm {
            Alarm::Timeout(number) => self.timed_out(script, cx, number),
            Alarm::Resend(number) => self.resend(script, cx, number),
            Alarm::Hedge(number) => self.hedge(script, cx, number),
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
            | Alarm::Gossip(_) => None,
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
        self.attempt_later(script, cx, number)
    }

    /// The attempts that are under way have failed; there is one, unless they timed out. What has ended with them.
    fn failed(&mut self, script: &Script, cx: &mut Cx<'_>, number: u32, failure: Failure) -> Option<Ended> {
        let key = self.key_of(number);
        let pending = self.outstanding.get_mut(key)?;
        cx.observe(Observation::AttemptFailed { message: pending.message(cx, number) });
        pending.in_flight = false;
        let (route, now) = (self.routes.get_mut(pending.route), cx.now());
        match route.guard.as_deref_mut() {
            None => {
                route.done(pending.member, now, None, false);
                if failure == Failure::Timeout {
                    take_back(script, cx, pending, number, pending.attempt, pending.member);
                }
            }
            Some(guard) => {
                let flights = guard.under_way(number).to_vec();
                if let Some(timer) = guard.set_hedge(number, None) {
                    cx.cancel_timer(timer);
                }
                let end = |flight: &Flight| guard.ended(number, flight.attempt as u8, now, Err(failure));
                let ended: Vec<_> = flights.iter().filter_map(end).collect();
                for (flight, took) in ended {
                    route.ended(script, cx, flight.member, took, false);
                    if failure == Failure::Timeout {
                        take_back(script, cx, pending, number, flight.attempt, flight.member);
                    }
                }
            }
        }
        self.go_on(script, cx, number, failure, Span::ZERO)
    }

    /// What follows a failed attempt: another one, `least` from now at the earliest, or none. What has ended with it.
    fn go_on(&mut self, script: &Script, cx: &mut Cx<'_>, number: u32, failure: Failure, least: Span) -> Option<Ended> {
        let key = self.key_of(number);
        let pending = self.outstanding.get_mut(key)?;
        let spec = &script.calls[pending.call as usize];
        let elapsed = cx.now().since(pending.started);
        let attempt = NonZeroU32::new(pending.attempt)?;
        let draw = if spec.policy.retry.needs_luck() { cx.draw() } else { NO_LUCK };
        let previous_wait = (pending.attempt > 1).then_some(pending.previous_wait);
        let mut decision = spec.policy.retry.next(attempt, elapsed, previous_wait, failure, draw);
        if let Decision::Retry { after } = decision
            && cx.now() + after >= pending.deadline
        {
            decision = Decision::GiveUp(Reason::DeadlineReached);
        }
        if let (Decision::Retry { .. }, Some(guard)) =
            (decision, self.routes.get_mut(pending.route).guard.as_deref_mut())
            && !guard.may_retry(cx.now(), failure)
        {
            decision = Decision::GiveUp(Reason::AttemptsSpent);
        }
        match decision {
            Decision::Retry { after } => {
                pending.previous_wait = after;
                let after = after.max(least);
                if after == Span::ZERO {
                    return self.attempt_later(script, cx, number);
                }
                pending.timer = Some(cx.set_timer(Clock::Steady, after, Alarm::Resend(number)));
                None
            }
            Decision::GiveUp(reason) => {
                let (why, outcome) = match (reason, failure) {
                    (Reason::DeadlineReached, _) => (Close::Expired, Outcome::Expired),
                    (_, Failure::Timeout | Failure::Reset) => (Close::TimedOut, Outcome::Failed),
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
        if pending.attempt > 0
            && let Some(window) = self.routes.get_mut(pending.route).window()
        {
            window.give_up(pending.sequence);
        }
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
            self.abandon(script, cx, key);
        }
    }

    /// Whoever started messages for `task` no longer wants to know.
    pub(super) fn forget(&mut self, script: &Script, cx: &mut Cx<'_>, task: u32) {
        let numbers: Vec<_> =
            self.outstanding.iter().filter(|(_, pending)| pending.task == task).map(|(key, _)| key).collect();
        self.gathers.forget(task);
        for key in numbers {
            self.abandon(script, cx, key);
        }
    }

    /// Ends a message that nobody wants to hear of any more.
    fn abandon(&mut self, script: &Script, cx: &mut Cx<'_>, key: Number) {
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
        self.close(script, cx, number, Close::Abandoned, Outcome::Cancelled);
    }

    /// Takes a message out of the table, and lets those go that waited for it.
    fn remove(&mut self, script: &Script, cx: &mut Cx<'_>, key: Number) {
        let Some(pending) = self.outstanding.remove(key) else { return };
        forget_given(&mut self.given, key);
        let Some(gate) = self.routes.get_mut(pending.route).gate.as_deref_mut() else { return };
        match &mut gate.hold {
            Hold::Nothing => return,
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

/// How long after an attempt was turned away by its own sender the next one may be tried: an effect is later than its cause.
const NOT_SENT: Span = Span::from_nanos(1);

/// Takes back an attempt that is given up, where the receiver lets itself be told.
#[inline]
fn take_back(script: &Script, cx: &mut Cx<'_>, pending: &Pending, number: u32, attempt: u32, member: u32) {
    let spec = &script.calls[pending.call as usize];
    if spec.policy.cancel != Cancel::None {
        let to = script.targets[spec.target as usize].member(member as usize);
        cx.send_sized(to, Envelope::new(Kind::Cancel, pending.luck, number, pending.call, attempt), 0);
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

/// A hash of what a message is about, for balancers: its key, if one was given or is drawn. Without one, each message is about
/// something of its own.
#[inline]
fn key_of_message(
    script: &Script,
    spec: &Call,
    luck: u64,
    all: &Option<Box<BTreeMap<Number, Given>>>,
    key: Number,
) -> Option<u64> {
    if all.is_none() && spec.key.is_none() {
        return None;
    }
    given(all, key).key.or_else(|| spec.key(&script.keys, luck))
}

/// What is known of a message from outside: a trace, or the message it is sent for.
fn given(all: &Option<Box<BTreeMap<Number, Given>>>, key: Number) -> Given {
    all.as_ref().and_then(|all| all.get(&key)).copied().unwrap_or_default()
}

/// The message has ended.
#[inline]
fn forget_given(all: &mut Option<Box<BTreeMap<Number, Given>>>, key: Number) {
    if let Some(all) = all {
        all.remove(&key);
    }
}

/// What is handed to a policy that draws nothing.
const NO_LUCK: crate::base::random::Uniform = crate::base::random::Uniform::from_bits(0);

/// The luck of a message that is sent for another one.
pub(super) fn nested_luck(parent: u64, attempt: u32, call: u64) -> u64 {
    mix(parent ^ mix(call ^ mix(attempt.into())))
}
