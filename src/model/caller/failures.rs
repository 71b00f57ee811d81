//! Failures: attempts that came to nothing, and what follows them.

use std::num::NonZeroU32;

use super::attempts::take_back;
use super::{Caller, Cx, Ended, IN_DOUBT, NOT_SENT};
use crate::base::id::NodeId;
use crate::base::random::Uniform;
use crate::base::time::{Span, us};
use crate::model::Alarm;
use crate::model::guard::Flight;
use crate::model::script::Script;
use crate::process::{Clock, Close, GuardFact, Observation, Outcome};
use crate::protocol::retry::{Decision, Failure, Reason};

impl Caller {
    /// The sender itself turns an attempt away, before it is sent: an attempt that failed all the same.
    #[inline(never)]
    pub(super) fn turned_away(
        &mut self,
        script: &Script,
        cx: &mut Cx<'_>,
        number: u32,
        why: GuardFact,
    ) -> Option<Ended> {
        let key = self.key_of(number);
        let pending = self.outstanding.get_mut(key)?;
        pending.guarded(script, cx, why);
        pending.attempt += 1;
        self.go_on(script, cx, number, Failure::Rejected, NOT_SENT)
    }

    /// One attempt has failed. What has ended with it.
    pub(super) fn refused(
        &mut self,
        script: &Script,
        cx: &mut Cx<'_>,
        number: u32,
        attempt: u8,
        failure: Failure,
    ) -> Option<Ended> {
        let key = self.key_of(number);
        let pending = self.outstanding.get_mut(key)?;
        if failure == Failure::Reset {
            pending.marks |= IN_DOUBT;
        }
        let route = self.routes.get_mut(pending.route);
        // Bad news about an attempt that was given up already is no news.
        if let Some(guard) = route.guard.as_deref_mut() {
            if guard.under_way(number).iter().all(|flight| flight.attempt as u8 != attempt) {
                return None;
            }
            let retry = &script.calls[pending.call as usize].policy.retry;
            let may_hedge = retry.retry_on.contains(failure) && guard.may_hedge(number);
            if may_hedge || guard.under_way(number).len() > 1 {
                let (flight, took) = guard.ended(number, attempt, cx.now(), Err(failure))?;
                route.ended(script, cx, flight.member, took, false);
                cx.observe(Observation::AttemptFailed { message: pending.message(cx, number) });
                return self.one_failed(script, cx, number, failure, flight.member, may_hedge);
            }
        } else if pending.attempt as u8 != attempt || !pending.in_flight {
            return None;
        }
        if let Some(timer) = pending.timer.take() {
            cx.cancel_timer(timer);
        }
        self.failed(script, cx, number, failure)
    }

    /// A copy was not handled, because the one that it is tied to has begun. That is no news, unless the other one has failed
    /// since: then the attempt has. What has ended with it.
    #[cold]
    #[inline(never)]
    pub(super) fn untied(&mut self, script: &Script, cx: &mut Cx<'_>, number: u32, attempt: u8) -> Option<Ended> {
        let key = self.key_of(number);
        let pending = self.outstanding.get_mut(key)?;
        let route = self.routes.get_mut(pending.route);
        let (member, failure) = route.guard.as_deref_mut()?.released(number, attempt)?;
        route.done(member, cx.now(), None, false);
        self.after_the_last(script, cx, number, failure)
    }

    /// One of the copies of a message has failed, at `member`: if there may be another copy, it goes now. What has ended, if none is
    /// under way after that.
    fn one_failed(
        &mut self,
        script: &Script,
        cx: &mut Cx<'_>,
        number: u32,
        failure: Failure,
        member: u32,
        may_hedge: bool,
    ) -> Option<Ended> {
        if may_hedge {
            self.hedge(script, cx, number, Some(member));
        }
        self.after_the_last(script, cx, number, failure)
    }

    /// What follows when no copy of a message is under way any more, if that is so. What has ended with it.
    fn after_the_last(&mut self, script: &Script, cx: &mut Cx<'_>, number: u32, failure: Failure) -> Option<Ended> {
        let key = self.key_of(number);
        let pending = self.outstanding.get_mut(key)?;
        let guard = self.routes.get_mut(pending.route).guard.as_deref()?;
        if !guard.under_way(number).is_empty() {
            return None;
        }
        pending.in_flight = false;
        if let Some(timer) = pending.timer.take() {
            cx.cancel_timer(timer);
        }
        self.go_on(script, cx, number, failure, Span::ZERO)
    }

    /// A stream to or from `peer` was reset: no answer comes to what is under way there. Attempts on other streams between
    /// the two, where there are several, count too. What has ended with it.
    #[cold]
    pub(in crate::model) fn reset(&mut self, script: &Script, cx: &mut Cx<'_>, peer: NodeId) -> Vec<Ended> {
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
        let mut all: Vec<_> = there.iter().filter_map(ended).collect();
        all.extend(self.cut_off(script, cx, peer));
        all
    }

    /// A timer of this number fired. What has ended with it.
    pub(super) fn timed_out(&mut self, script: &Script, cx: &mut Cx<'_>, number: u32) -> Option<Ended> {
        let key = self.key_of(number);
        let pending = self.outstanding.get_mut(key)?;
        pending.timer = None;
        if pending.attempt == 0 {
            pending.guarded(script, cx, GuardFact::WaitedInVain);
            return self.close(script, cx, number, Close::Abandoned, Outcome::Expired);
        }
        if !pending.in_flight {
            // The last attempt has failed before, and the next one was held back.
            return self.close(script, cx, number, Close::Expired, Outcome::Expired);
        }
        self.failed(script, cx, number, Failure::Timeout)
    }

    /// The wait before another attempt is over. What has ended with it.
    pub(super) fn resend(&mut self, script: &Script, cx: &mut Cx<'_>, number: u32) -> Option<Ended> {
        let key = self.key_of(number);
        let pending = self.outstanding.get_mut(key)?;
        pending.timer = None;
        self.attempt_later(script, cx, number)
    }

    /// The attempts that are under way have failed; there is one, unless they timed out. What has ended with them.
    pub(super) fn failed(&mut self, script: &Script, cx: &mut Cx<'_>, number: u32, failure: Failure) -> Option<Ended> {
        let key = self.key_of(number);
        let pending = self.outstanding.get_mut(key)?;
        cx.observe(Observation::AttemptFailed { message: pending.message(cx, number) });
        pending.in_flight = false;
        if failure == Failure::Timeout {
            pending.marks |= IN_DOUBT;
        }
        let (route, now) = (self.routes.get_mut(pending.route), cx.now());
        match route.guard.as_deref_mut() {
            None => {
                route.done(pending.member, now, None, false);
                if failure == Failure::Timeout {
                    pending.guarded(script, cx, GuardFact::TimedOut);
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
                        pending.guarded(script, cx, GuardFact::TimedOut);
                        take_back(script, cx, pending, number, flight.attempt, flight.member);
                    }
                }
            }
        }
        let is_published = failure != Failure::Timeout && script.calls[pending.call as usize].publication.is_some();
        self.go_on(script, cx, number, failure, if is_published { PUBLISHED_AGAIN } else { Span::ZERO })
    }

    /// What follows a failed attempt: another one, `least` from now at the earliest, or none. What has ended with it.
    pub(super) fn go_on(
        &mut self,
        script: &Script,
        cx: &mut Cx<'_>,
        number: u32,
        failure: Failure,
        least: Span,
    ) -> Option<Ended> {
        let key = self.key_of(number);
        let pending = self.outstanding.get_mut(key)?;
        let spec = &script.calls[pending.call as usize];
        let elapsed = cx.now().since(pending.started);
        let attempt = NonZeroU32::new(pending.attempt)?;
        let draw = if spec.policy.retry.needs_luck() { cx.draw() } else { NO_LUCK };
        let previous_wait = (pending.attempt > 1).then_some(pending.previous_wait);
        let mut decision = spec.policy.retry.next(attempt, elapsed, previous_wait, failure, draw);
        if let Decision::Retry { after } = decision
            && cx.now() + after.max(least) >= pending.deadline
        {
            decision = Decision::GiveUp(Reason::DeadlineReached);
        }
        if let (Decision::Retry { .. }, Some(guard)) =
            (decision, self.routes.get_mut(pending.route).guard.as_deref_mut())
            && !guard.may_retry(number, cx.now(), failure)
        {
            pending.guarded(script, cx, GuardFact::RetryRefused);
            decision = Decision::GiveUp(Reason::AttemptsSpent);
        }
        match decision {
            Decision::Retry { after } => {
                pending.previous_wait = after;
                if let Some(guard) = self.routes.get_mut(pending.route).guard.as_deref_mut() {
                    guard.begin_again(number);
                }
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
}

/// How long it takes at least until what no queue took is published again: a connection of RabbitMQ is one process, which does some
/// 50,000 things a second. Without it a message that nobody takes, published again at once, where nothing takes any time, would never
/// let time go on.
const PUBLISHED_AGAIN: Span = us(20);

/// What is handed to a policy that draws nothing.
const NO_LUCK: Uniform = Uniform::from_bits(0);
