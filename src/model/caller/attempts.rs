//! Attempts: whether one may leave, where it goes, and the copies that are under way at the same time.

use std::num::NonZeroU32;

use super::{Caller, Cx, Ended, NEVER, Pending};
use crate::base::id::Entity;
use crate::base::time::Span;
use crate::model::Alarm;
use crate::model::envelope::{Beside, Envelope, Kind, Remainder};
use crate::model::given::Givens;
use crate::model::guard::Leave;
use crate::model::policy::{Cancel, Delivery};
use crate::model::script::{Call, Script};
use crate::process::{Clock, Close, GuardFact, MessageId, Observation, Outcome};
use crate::protocol::delivery::Number;
use crate::protocol::retry::{Failure, Member};

impl Caller {
    /// A new message may not go at once: it waits, no longer than until its deadline, or is turned away.
    #[inline(never)]
    pub(super) fn wait_at_the_start(
        &mut self,
        script: &Script,
        cx: &mut Cx<'_>,
        number: u32,
        leave: Option<Leave>,
    ) -> Option<Ended> {
        match leave {
            Some(Leave::Refused(why)) => self.turned_away(script, cx, number, why),
            Some(Leave::Later(after)) => {
                self.guarded(script, cx, number, GuardFact::HeldByRate);
                self.go_later(cx, number, after);
                None
            }
            Some(Leave::Blocked(after)) => {
                self.wait_unblocked(script, cx, number, (after, true));
                None
            }
            _ => {
                let key = self.key_of(number);
                let pending = self.outstanding.get_mut(key)?;
                if let Some(record) = &script.calls[usize::from(pending.call)].record {
                    let task = pending.task;
                    return self.publish(script, cx, number, record).map(|outcome| (task, outcome));
                }
                self.guarded(script, cx, number, GuardFact::HeldByWindow);
                let pending = self.outstanding.get_mut(key)?;
                let left = pending.left(cx.now())?;
                pending.timer = Some(cx.set_timer(Clock::Steady, left, Alarm::Timeout(number)));
                None
            }
        }
    }

    /// Whether an attempt of this message may leave.
    #[inline]
    pub(super) fn leave(&mut self, cx: &mut Cx<'_>, route: u16, number: u32) -> Leave {
        let towards = self.routes.get_mut(route);
        if towards.gate.is_some()
            && let Some(until) = towards.blocked_until(cx.now())
        {
            return Leave::Blocked(until.since(cx.now()));
        }
        if towards.guard.is_none() {
            return Leave::Go;
        }
        let key = self.key_of(number);
        let deadline = self.outstanding.get_mut(key).map_or(NEVER, |pending| pending.deadline);
        match self.routes.get_mut(route).guard.as_deref_mut() {
            None => Leave::Go,
            Some(guard) => guard.leave(number, cx.now(), deadline, || cx.draw()),
        }
    }

    /// The attempt goes after so much time, unless the deadline comes first.
    pub(super) fn go_later(&mut self, cx: &mut Cx<'_>, number: u32, after: Span) {
        let key = self.key_of(number);
        let Some(pending) = self.outstanding.get_mut(key) else { return };
        pending.timer = Some(match pending.left(cx.now()) {
            Some(left) if left <= after => cx.set_timer(Clock::Steady, left, Alarm::Timeout(number)),
            _ => cx.set_timer(Clock::Steady, after, Alarm::Resend(number)),
        });
    }

    /// Sends an attempt that did not go out with its offer. What has ended with it.
    pub(super) fn attempt_later(&mut self, script: &Script, cx: &mut Cx<'_>, number: u32) -> Option<Ended> {
        let key = self.key_of(number);
        let (route, task) = self.outstanding.get_mut(key).map(|pending| (pending.route, pending.task))?;
        let waited = self.routes.get_mut(route).gate.as_deref_mut().is_some_and(|gate| gate.waits_no_more(key));
        match self.leave(cx, route, number) {
            Leave::Blocked(after) => {
                self.wait_unblocked(script, cx, number, (after, !waited));
                None
            }
            Leave::Go => {
                cx.observe(Observation::Attempted { message: MessageId { owner: cx.me, number } });
                let outcome = self.attempt(script, cx, number)?;
                self.gathered(script, cx, task, key, outcome)
            }
            Leave::Later(after) => {
                self.guarded(script, cx, number, GuardFact::HeldByRate);
                self.go_later(cx, number, after);
                None
            }
            Leave::Refused(why) => self.turned_away(script, cx, number, why),
        }
    }

    /// Sends the next attempt, which has been stated. How the message ended, if nobody waits for a confirmation.
    pub(super) fn attempt(&mut self, script: &Script, cx: &mut Cx<'_>, number: u32) -> Option<Outcome> {
        let key = self.key_of(number);
        let pending = self.outstanding.get_mut(key)?;
        let spec = &script.calls[pending.call as usize];
        let left = pending.left(cx.now());
        let route = self.routes.get_mut(pending.route);
        let again = pending.gone > 0 && spec.policy.retry.member == Member::Same;
        if !again && !pending.is_pinned {
            let about = key_of_message(script, spec, pending.luck, &self.given, key).unwrap_or(pending.luck);
            pending.member = route.choose(script, cx, spec, about);
        }
        let now = cx.now();
        route.sent(pending.member, now);
        pending.attempt += 1;
        pending.gone = pending.gone.saturating_add(1);
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
            envelope.beside = other;
        } else if spec.key.is_some() || !self.given.is_empty() {
            let about = key_of_message(script, spec, pending.luck, &self.given, key);
            envelope.beside = about.map_or(Beside::NONE, Beside::key);
        }
        let size = spec.size.bytes_or(
            || script.keys.size.block(Entity::from_bits(pending.luck), 0).first(),
            || self.given.of(key).size,
        );
        let to = script.targets[spec.target as usize].member(pending.member as usize);
        let message = MessageId { owner: cx.me, number };
        cx.send_sized(to, envelope, size);
        if !is_confirmed {
            if route.guard.is_none() {
                route.done(pending.member, now, None, true);
            }
            self.let_go_of_others(script, cx, number, None);
            cx.observe(Observation::Closed { message, why: Close::Sent });
            self.given.forget(key);
            self.outstanding.remove(key);
            return Some(Outcome::Done);
        }
        let attempt = NonZeroU32::new(pending.gone.into())?;
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

    /// Tells the guard that an attempt goes. Where copies are tied: who has or gets the other one, and which of the two it is.
    #[inline(never)]
    pub(super) fn depart(&mut self, script: &Script, cx: &mut Cx<'_>, number: u32) -> Option<Beside> {
        let (key, now) = (self.key_of(number), cx.now());
        let pending = self.outstanding.get_mut(key)?;
        let spec = &script.calls[pending.call as usize];
        let route = self.routes.get_mut(pending.route);
        let guard = route.guard.as_deref_mut()?;
        let first = guard.under_way(number).first().map(|flight| flight.member);
        guard.departs(number, pending.attempt, pending.member, now, pending.gone == 1);
        if !spec.policy.is_tied() {
            return None;
        }
        if let Some(first) = first {
            return Some(Beside::tie(first, false));
        }
        let about = key_of_message(script, spec, pending.luck, &self.given, key).unwrap_or(pending.luck);
        let second = route.choose_another(script, cx, spec, about, &[pending.member]);
        route.guard.as_deref_mut()?.tie(number, second);
        Some(Beside::tie(second, true))
    }

    /// It is time for another copy of a message that is under way: because the wait is over, or because the copy at `failed` has
    /// come to nothing.
    #[inline(never)]
    pub(super) fn hedge(
        &mut self,
        script: &Script,
        cx: &mut Cx<'_>,
        number: u32,
        failed: Option<u32>,
    ) -> Option<Ended> {
        let key = self.key_of(number);
        let pending = self.outstanding.get_mut(key)?;
        let route = self.routes.get_mut(pending.route);
        let guard = route.guard.as_deref_mut()?;
        if let Some(timer) = guard.set_hedge(number, None).filter(|_| failed.is_some()) {
            cx.cancel_timer(timer);
        }
        let has_room = pending.in_flight && guard.has_room(cx.now());
        let may_go = has_room && guard.may_retry(number, cx.now(), Failure::Timeout);
        if has_room && !may_go {
            pending.guarded(script, cx, GuardFact::RetryRefused);
        }
        if may_go && guard.leave(number, cx.now(), cx.now(), || cx.draw()) == Leave::Go {
            let under_way = guard.under_way(number).iter().map(|flight| flight.member);
            let taken: Vec<_> = under_way.chain(failed).collect();
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
            pending.guarded(script, cx, GuardFact::HedgeSent);
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
    pub(super) fn let_go_of_others(&mut self, script: &Script, cx: &mut Cx<'_>, number: u32, winner: Option<u8>) {
        let key = self.key_of(number);
        let Some(pending) = self.outstanding.get_mut(key) else { return };
        if self.routes.get_mut(pending.route).guard.is_some() {
            self.let_go_of_all(script, cx, number, winner);
        }
    }

    #[inline(never)]
    pub(super) fn let_go_of_all(&mut self, script: &Script, cx: &mut Cx<'_>, number: u32, winner: Option<u8>) {
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
            if flight.is_hedge {
                pending.guarded(script, cx, GuardFact::HedgeWon);
            }
            route.ended(script, cx, flight.member, took, true);
        }
        for flight in others {
            route.done(flight.member, now, None, false);
            take_back(script, cx, pending, number, flight.attempt, flight.member);
        }
    }
}

/// Takes back an attempt that is given up, where the receiver lets itself be told.
#[inline]
pub(super) fn take_back(script: &Script, cx: &mut Cx<'_>, pending: &Pending, number: u32, attempt: u32, member: u32) {
    let spec = &script.calls[pending.call as usize];
    if spec.policy.cancel != Cancel::None {
        let to = script.targets[spec.target as usize].member(member as usize);
        cx.send_sized(to, Envelope::new(Kind::Cancel, pending.luck, number, pending.call, attempt), 0);
    }
}

/// A hash of what a message is about, for balancers: its key, if one was given or is drawn. Without one, each message is about
/// something of its own.
#[inline]
pub(super) fn key_of_message(script: &Script, spec: &Call, luck: u64, all: &Givens, key: Number) -> Option<u64> {
    if all.is_empty() && spec.key.is_none() {
        return None;
    }
    all.of(key).key.or_else(|| spec.key(&script.keys, luck))
}
