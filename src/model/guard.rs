//! What stands between a sender and the group it sends to: breakers, budgets, limits, hedges, and timeouts from measured
//! latency.
//!
//! A route has a guard only if its policy asks for one; then each attempt asks for leave, and what becomes of it is told to
//! whatever learns from it. Attempts of one message that are under way at the same time (hedges) are told apart here.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU32;

use crate::base::random::Uniform;
use crate::base::time::{Span, Time};
use crate::model::clock::time;
use crate::process::{GuardFact, Steady, TimerId};
use crate::protocol::breaker::{self, CircuitBreaker, CircuitBreakerSettings, Permit, Ticket};
use crate::protocol::concurrency::{AnyConcurrency, Concurrency, ConcurrencyPolicy, Sample};
use crate::protocol::hedge::{HedgeDelay, HedgeSettings};
use crate::protocol::rate_limit::{Answer, AnyRateLimit, RateLimit, RateLimitPolicy};
use crate::protocol::retry::Failure;
use crate::protocol::retry_budget::{AnyRetryBudget, RetryBudget, RetryBudgetPolicy};
use crate::protocol::throttle::{AnyThrottle, Throttle, ThrottlePolicy};
use crate::protocol::timeout::{AnyTimeout, Timeout, TimeoutPolicy};

/// What guards the messages of one sender to one group: plain data.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct GuardSpec {
    /// Whether a failed attempt may be followed by another.
    pub budget: Option<RetryBudgetPolicy>,
    /// Lets nothing through while too much fails.
    pub breaker: Option<CircuitBreakerSettings>,
    /// How fast attempts may leave; the others wait.
    pub rate: Option<RateLimitPolicy>,
    /// How long one waits at most for its turn under that limit; if it would have to wait longer, it is turned away at once.
    pub max_wait: Option<Span>,
    /// Turns away what would probably be turned away.
    pub throttle: Option<ThrottlePolicy>,
    /// How many attempts may be under way; the others are turned away.
    pub concurrency: Option<ConcurrencyPolicy>,
    /// How long an attempt may take, as measured.
    pub timeout: Option<TimeoutPolicy>,
    /// When a second copy is sent.
    pub hedge: Option<HedgeSettings>,
    /// Whether the balancer wants to know how long answers took.
    pub measures: bool,
}

impl GuardSpec {
    /// Whether there is nothing to guard.
    pub fn is_idle(&self) -> bool {
        *self == Self::default()
    }
}

/// One sender's guard.
#[derive(Debug)]
pub(super) struct Guard {
    budget: Option<AnyRetryBudget>,
    breaker: Option<CircuitBreaker>,
    rate: Option<AnyRateLimit>,
    max_wait: Option<Span>,
    throttle: Option<AnyThrottle>,
    concurrency: Option<AnyConcurrency>,
    timeout: Option<AnyTimeout>,
    hedge: Option<Hedge>,
    in_flight: u32,
    /// The attempts of each message that are under way, or about to be.
    messages: BTreeMap<u32, Flights>,
    /// The attempts that were given up last, whose answers may still come and tell how long they took; where timeouts are
    /// measured.
    late: VecDeque<(u32, u8, Steady)>,
}

/// How many attempts that were given up are remembered.
const LATE_MAX: usize = 1024;

/// When further copies are sent.
#[derive(Debug)]
struct Hedge {
    /// How many may be under way.
    most: u32,
    delay: HedgeDelay,
}

/// The attempts of one message that are under way.
#[derive(Debug, Default)]
struct Flights {
    under_way: Vec<Flight>,
    /// The leave of the breaker for the attempt that goes next.
    ticket: Option<Ticket>,
    /// Whether the rate limit has set aside a place for it.
    has_place: bool,
    /// The copies of it that have gone since it was last sent again, the first one included.
    copies: u32,
    /// When another copy goes out.
    hedge: Option<TimerId>,
    /// Where it goes, if the first one names it.
    tied: Option<u32>,
    /// After which failure it was sent again last, where a budget paid for that.
    retried: Option<Failure>,
    /// How the last copy that failed did.
    failed: Option<Failure>,
}

/// An attempt that is under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    /// Which one.
    pub(super) attempt: u32,
    /// Where it went.
    pub(super) member: u32,
    /// Whether it was a further copy, and not the first of a try.
    pub(super) is_hedge: bool,
    /// When.
    since: Steady,
    ticket: Option<Ticket>,
}

/// Whether an attempt may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Leave {
    /// After so much time, or as soon as the broker reads on.
    Blocked(Span),
    /// It may.
    Go,
    /// Not before so much time has passed.
    Later(Span),
    /// It may not, for this reason.
    Refused(GuardFact),
}

impl Guard {
    pub(super) fn new(spec: &GuardSpec) -> Self {
        Self {
            budget: spec.budget.as_ref().map(RetryBudgetPolicy::start),
            breaker: spec.breaker.as_ref().map(CircuitBreaker::new),
            rate: spec.rate.as_ref().map(RateLimitPolicy::start),
            max_wait: spec.max_wait,
            throttle: spec.throttle.as_ref().map(ThrottlePolicy::start),
            concurrency: spec.concurrency.as_ref().map(ConcurrencyPolicy::start),
            timeout: spec.timeout.as_ref().map(TimeoutPolicy::start),
            hedge: spec
                .hedge
                .as_ref()
                .map(|hedge| Hedge { most: hedge.max_attempts.get(), delay: HedgeDelay::new(hedge) }),
            in_flight: 0,
            messages: BTreeMap::new(),
            late: VecDeque::new(),
        }
    }

    /// The next attempt of this message asks to go, which has to be done by `deadline`.
    pub(super) fn leave(
        &mut self,
        number: u32,
        now: Steady,
        deadline: Steady,
        draw: impl FnOnce() -> Uniform,
    ) -> Leave {
        // Whoever would be turned away anyhow takes no turn.
        if self.is_full() {
            return self.refuse(number, GuardFact::RefusedByConcurrency);
        }
        let flights = self.messages.entry(number).or_default();
        let moment = time(now);
        if let Some(rate) = &mut self.rate
            && !std::mem::take(&mut flights.has_place)
        {
            // At the deadline it is too late.
            let in_time = Time::from_nanos(deadline.as_nanos().saturating_sub(1));
            let latest = self.max_wait.map_or(in_time, |longest| in_time.min(moment + longest));
            match rate.ask(moment, latest) {
                Answer::Now => {}
                Answer::At(at) => {
                    flights.has_place = true;
                    return Leave::Later(at.since(moment));
                }
                Answer::Never => return self.refuse(number, GuardFact::RefusedByRate),
            }
        }
        let is_refused = self.throttle.as_mut().is_some_and(|throttle| !throttle.admit(moment, draw()));
        let permit = self.breaker.as_mut().filter(|_| !is_refused).map(|breaker| breaker.permit(moment));
        match permit {
            _ if is_refused => self.refuse(number, GuardFact::RefusedByThrottle),
            Some(Permit::No) => self.refuse(number, GuardFact::RefusedByBreaker),
            Some(Permit::Yes(ticket)) => {
                flights.ticket = Some(ticket);
                Leave::Go
            }
            None => Leave::Go,
        }
    }

    /// How often the breaker opened since this was asked last.
    pub(super) fn take_openings(&mut self) -> u32 {
        self.breaker.as_mut().map_or(0, CircuitBreaker::take_openings)
    }

    fn is_full(&self) -> bool {
        self.concurrency.as_ref().is_some_and(|limit| self.in_flight >= limit.limit())
    }

    /// Whether another copy of a message would find room and a turn at once; a breaker or a throttle may still say no.
    pub(super) fn has_room(&self, now: Steady) -> bool {
        let now = time(now);
        !self.is_full() && self.rate.as_ref().is_none_or(|rate| rate.ready(now) <= now)
    }

    fn refuse(&mut self, number: u32, why: GuardFact) -> Leave {
        if self.under_way(number).is_empty() {
            self.messages.remove(&number);
        }
        Leave::Refused(why)
    }

    /// An attempt goes: the first of its message, or a further one.
    pub(super) fn departs(&mut self, number: u32, attempt: u32, member: u32, now: Steady, is_first: bool) {
        let flights = self.messages.entry(number).or_default();
        let ticket = flights.ticket.take();
        let is_hedge = flights.copies > 0;
        flights.copies += 1;
        flights.under_way.push(Flight { attempt, member, is_hedge, since: now, ticket });
        self.in_flight += 1;
        if let Some(budget) = self.budget.as_mut().filter(|_| is_first) {
            budget.sent(time(now));
        }
    }

    /// The attempts of this message that are under way.
    pub(super) fn under_way(&self, number: u32) -> &[Flight] {
        self.messages.get(&number).map_or(&[], |flights| &flights.under_way)
    }

    /// How long after this attempt another copy of the message is to go out, if one is.
    pub(super) fn hedge_after(&self, number: u32) -> Option<Span> {
        self.may_hedge(number).then(|| self.hedge.as_ref()?.delay.delay()).flatten()
    }

    /// Whether there may be another copy of this message, unless it is sent again altogether.
    pub(super) fn may_hedge(&self, number: u32) -> bool {
        let (Some(hedge), Some(flights)) = (&self.hedge, self.messages.get(&number)) else { return false };
        flights.copies < hedge.most
    }

    /// All copies of this message have failed: what follows is another try.
    pub(super) fn begin_again(&mut self, number: u32) {
        if let Some(flights) = self.messages.get_mut(&number) {
            (flights.copies, flights.failed) = (0, None);
        }
    }

    /// The other copy of this message goes to `member`, as the first one says.
    pub(super) fn tie(&mut self, number: u32, member: u32) {
        if let Some(flights) = self.messages.get_mut(&number) {
            flights.tied = Some(member);
        }
    }

    /// Where the other copy of this message goes, if the first one has said so.
    pub(super) fn tied(&self, number: u32) -> Option<u32> {
        self.messages.get(&number)?.tied
    }

    /// Another copy goes out when this timer fires. The timer that was set before.
    pub(super) fn set_hedge(&mut self, number: u32, timer: Option<TimerId>) -> Option<TimerId> {
        let flights = self.messages.get_mut(&number)?;
        std::mem::replace(&mut flights.hedge, timer)
    }

    /// The attempt whose number ends so has come to this end. It, and how long it took; nothing if it is not under way.
    pub(super) fn ended(
        &mut self,
        number: u32,
        attempt: u8,
        now: Steady,
        end: Result<(), Failure>,
    ) -> Option<(Flight, Span)> {
        let flights = self.messages.get_mut(&number)?;
        let place = flights.under_way.iter().position(|flight| flight.attempt as u8 == attempt)?;
        if let (Some(hedge), Ok(())) = (&mut self.hedge, end) {
            // Had it not been for the others, the first copy would have taken at least so long.
            let first = flights.under_way.iter().map(|flight| flight.since).min().unwrap_or(now);
            hedge.delay.sampled(now.since(first));
        }
        let flight = flights.under_way.remove(place);
        flights.failed = end.err().or(flights.failed);
        if end == Err(Failure::Timeout) && self.timeout.is_some() {
            self.late.push_back((number, attempt, flight.since));
            if self.late.len() > LATE_MAX {
                self.late.pop_front();
            }
        }
        let (took, retried) = (now.since(flight.since), flights.retried);
        self.learn(&flight, retried, took, time(now), end);
        self.in_flight -= 1;
        Some((flight, took))
    }

    /// An attempt was not handled, and nobody is to blame: nobody learns anything from it. Where it went, and how the other
    /// copy failed, if it did; nothing if it is not under way.
    pub(super) fn released(&mut self, number: u32, attempt: u8) -> Option<(u32, Failure)> {
        let flights = self.messages.get_mut(&number)?;
        let place = flights.under_way.iter().position(|flight| flight.attempt as u8 == attempt)?;
        let flight = flights.under_way.remove(place);
        self.in_flight -= 1;
        if let (Some(breaker), Some(ticket)) = (&mut self.breaker, flight.ticket) {
            breaker.released(ticket);
        }
        Some((flight.member, flights.failed.unwrap_or(Failure::Expired)))
    }

    /// Whatever learns from attempts is told of this one.
    fn learn(&mut self, flight: &Flight, retried: Option<Failure>, took: Span, now: Time, end: Result<(), Failure>) {
        if let (Some(breaker), Some(ticket)) = (&mut self.breaker, flight.ticket) {
            breaker.ended(now, ticket, breaker::Outcome { ok: end.is_ok(), took });
        }
        if let Some(limit) = &mut self.concurrency {
            let is_dropped = matches!(end, Err(failure) if failure != Failure::Failed);
            let took = end.is_ok().then_some(took);
            limit.sampled(Sample { now, took, in_flight: self.in_flight, is_dropped });
        }
        let is_accepted = matches!(end, Ok(()) | Err(Failure::Failed | Failure::Expired));
        if let Some(throttle) = self.throttle.as_mut().filter(|_| is_accepted) {
            throttle.accepted(now);
        }
        if let (Some(timeout), Ok(())) = (&mut self.timeout, end) {
            timeout.sampled(took);
        }
        if let Some(budget) = &mut self.budget {
            match end {
                Ok(()) => budget.succeeded(now, retried),
                Err(_) => budget.failed(now),
            }
        }
    }

    /// A message has ended: attempts that are still under way are of no interest any more. They, and the timer of the next
    /// copy.
    pub(super) fn close(&mut self, number: u32) -> (Vec<Flight>, Option<TimerId>) {
        let Some(flights) = self.messages.remove(&number) else { return (Vec::new(), None) };
        for ticket in flights.under_way.iter().filter_map(|flight| flight.ticket).chain(flights.ticket) {
            if let Some(breaker) = &mut self.breaker {
                breaker.released(ticket);
            }
        }
        self.in_flight -= flights.under_way.len() as u32;
        (flights.under_way, flights.hedge)
    }

    /// Whether a message whose attempt failed so may be sent again.
    pub(super) fn may_retry(&mut self, number: u32, now: Steady, failure: Failure) -> bool {
        let Some(budget) = &mut self.budget else { return true };
        let may_retry = budget.take(time(now), failure);
        if may_retry {
            self.messages.entry(number).or_default().retried = Some(failure);
        }
        may_retry
    }

    /// How long this attempt may take, if that is measured.
    pub(super) fn timeout(&self, attempt: NonZeroU32) -> Option<Span> {
        self.timeout.as_ref().and_then(|timeout| timeout.timeout(attempt))
    }

    /// An answer came to an attempt that had been given up.
    pub(super) fn answered_late(&mut self, number: u32, attempt: u8, now: Steady) {
        let since = self.late.iter().position(|late| late.0 == number && late.1 == attempt);
        if let (Some(place), Some(timeout)) = (since, &mut self.timeout) {
            let late = self.late.remove(place);
            timeout.sampled(late.map_or(Span::ZERO, |(.., since)| now.since(since)));
        }
    }
}
