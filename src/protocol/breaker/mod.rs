//! Circuit breaker: stops calling whoever fails, and tries again later.
//!
//! *Closed*, all calls pass, and the outcomes of the newest are kept in a window. If enough of them failed or were slow, it
//! opens. *Open*, nothing passes for `wait-duration-in-open-state`. The first call after that makes it *half-open*: a few calls
//! pass, and their outcomes decide whether it closes or opens again.
//!
//! A call that was permitted in an earlier state does not count in a later one: what was under way when the breaker opened says
//! nothing about recovery. (resilience4j counts such a call in whatever state it ends.)
//!
//! Source: Nygard, *Release It!*, 2007; names, defaults and rules of resilience4j 2.2 (`CircuitBreakerConfig`,
//! `CircuitBreakerStateMachine`).

mod window;

#[cfg(test)]
mod tests;

use std::num::NonZeroU32;

use crate::base::probability::{Probability, percent};
use crate::base::settings::{Kind, Listing, Setting, Settings, Value, mismatch};
use crate::base::time::{Span, Time, secs};
use crate::settings;

use window::{Counts, Window};

settings! {
    /// Stops calls to a group of which too many failed or were slow, and lets a few pass later to see whether they do well again.
    /// Callers fail at once instead of waiting, and whoever fails gets time to recover. It costs calls that would have been
    /// answered, as it cannot tell a group that fails in part from one that fails altogether.
    pub struct CircuitBreakerSettings = "circuit-breaker", "resilience4j 2.2, CircuitBreakerConfig" {
        /// It opens at this share of failed calls (resilience4j: 50 %).
        failure_rate_threshold: Probability = percent(50.0),
        /// It opens at this share of slow calls (resilience4j: 100 %).
        slow_call_rate_threshold: Probability = Probability::ONE,
        /// A call that takes longer is slow (resilience4j: 60 s).
        slow_call_duration_threshold: Span = secs(60),
        /// How many calls pass while it is half-open (resilience4j: 10).
        permitted_number_of_calls_in_half_open_state: NonZeroU32 = count(10),
        /// After so long half-open it opens again; with none (resilience4j: none) it waits for the calls that passed.
        max_wait_duration_in_half_open_state: Span = Span::ZERO,
        /// What counts: the newest calls, if it is a number, those of the last time, if it is a duration (resilience4j: 100
        /// calls).
        sliding_window_size: WindowSize = WindowSize::Calls(count(100)),
        /// With fewer calls in the window it does not open (resilience4j: 100, or the window if that is smaller).
        minimum_number_of_calls: NonZeroU32 = count(100),
        /// For how long nothing passes once it is open (resilience4j: 60 s).
        wait_duration_in_open_state: Span = secs(60),
    }
}

const fn count(number: u32) -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(number - 1)
}

impl Settings for CircuitBreakerSettings {
    fn check(&self) -> Result<(), String> {
        if self.failure_rate_threshold.is_never() || self.slow_call_rate_threshold.is_never() {
            return Err("takes thresholds above 0%".into());
        }
        if self.sliding_window_size == WindowSize::Time(Span::ZERO) {
            return Err("needs a `sliding-window-size` above zero".into());
        }
        Ok(())
    }
}

/// What can be said about a circuit breaker.
pub const CIRCUIT_BREAKER: Listing<CircuitBreakerSettings> = Listing::of::<CircuitBreakerSettings>();

/// Which calls count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WindowSize {
    /// The newest calls.
    Calls(NonZeroU32),
    /// Those that ended within this time, in slices of a second; in ten slices if it is shorter than 10 s, in 1000 if it is
    /// longer than 1000 s.
    Time(Span),
}

impl Setting for WindowSize {
    const KIND: Kind = Kind::Either(&NonZeroU32::KIND, &Span::KIND);

    fn read(value: Value) -> Result<Self, String> {
        match value {
            Value::Span(_) => Span::read(value).map(Self::Time),
            Value::Whole(_) => NonZeroU32::read(value).map(Self::Calls),
            other => Err(mismatch(&other)),
        }
    }

    fn write(&self) -> Option<Value> {
        match self {
            Self::Calls(calls) => calls.write(),
            Self::Time(time) => time.write(),
        }
    }
}

/// What a breaker does with calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// All pass.
    Closed,
    /// None passes.
    Open,
    /// A few pass.
    HalfOpen,
}

/// Whether a call may be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Permit {
    /// It may; the breaker wants the ticket back when it has ended.
    Yes(Ticket),
    /// It may not.
    No,
}

/// Under which state a call was permitted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ticket(u32);

/// How a call ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// Whether it was answered well.
    pub ok: bool,
    /// How long it took.
    pub took: Span,
}

/// One caller's breaker for one group.
#[derive(Clone, Debug)]
pub struct CircuitBreaker(Box<Machine>);

#[derive(Clone, Debug)]
struct Machine {
    settings: CircuitBreakerSettings,
    state: State,
    /// How often the state changed: tickets of an earlier state have another number.
    changes: u32,
    /// When it opened, or became half-open.
    since: Time,
    /// How many calls may still pass half-open.
    permits: u32,
    window: Window,
    /// How often it opened since somebody asked.
    openings: u32,
}

impl CircuitBreaker {
    /// A closed breaker that knows of no calls.
    pub fn new(settings: &CircuitBreakerSettings) -> Self {
        Self(Box::new(Machine {
            settings: settings.clone(),
            state: State::Closed,
            changes: 0,
            since: Time::ZERO,
            permits: 0,
            window: Window::new(settings.sliding_window_size),
            openings: 0,
        }))
    }

    /// Whether a call may be made now.
    pub fn permit(&mut self, now: Time) -> Permit {
        let machine = &mut *self.0;
        machine.pass(now);
        match machine.state {
            State::Open => return Permit::No,
            State::HalfOpen if machine.permits == 0 => return Permit::No,
            State::HalfOpen => machine.permits -= 1,
            State::Closed => {}
        }
        Permit::Yes(Ticket(machine.changes))
    }

    /// A call that was permitted has ended.
    pub fn ended(&mut self, now: Time, ticket: Ticket, outcome: Outcome) {
        let machine = &mut *self.0;
        machine.expire(now);
        if ticket.0 != machine.changes {
            return;
        }
        let is_slow = outcome.took > machine.settings.slow_call_duration_threshold;
        let counts = machine.window.add(now, !outcome.ok, is_slow);
        match (machine.verdict(counts), machine.state) {
            (Some(Verdict::Bad), _) => machine.turn(State::Open, now),
            (Some(Verdict::Good), State::HalfOpen) => machine.turn(State::Closed, now),
            _ => {}
        }
    }

    /// A call that was permitted was not made, or nobody will ever know how it ended: it counts for nothing, and another may pass
    /// in its place.
    pub fn released(&mut self, ticket: Ticket) {
        let machine = &mut *self.0;
        if ticket.0 == machine.changes && machine.state == State::HalfOpen {
            machine.permits += 1;
        }
    }

    /// How often it opened since this was asked last.
    pub fn take_openings(&mut self) -> u32 {
        std::mem::take(&mut self.0.openings)
    }

    /// What it did with the last call. It is open until the first call after the wait.
    pub fn state(&self) -> State {
        self.0.state
    }
}

enum Verdict {
    Good,
    Bad,
}

impl Machine {
    /// What time alone changes, now that a call asks.
    fn pass(&mut self, now: Time) {
        self.expire(now);
        if self.state == State::Open && now >= self.since + self.settings.wait_duration_in_open_state {
            self.turn(State::HalfOpen, now);
        }
    }

    /// Half-open for too long, it opened when that time was over.
    fn expire(&mut self, now: Time) {
        let longest = self.settings.max_wait_duration_in_half_open_state;
        let over = self.since + longest;
        if self.state == State::HalfOpen && longest != Span::ZERO && now >= over {
            self.turn(State::Open, over);
        }
    }

    fn turn(&mut self, to: State, now: Time) {
        self.state = to;
        self.since = now;
        self.changes = self.changes.wrapping_add(1);
        self.openings += u32::from(to == State::Open);
        let permitted = self.settings.permitted_number_of_calls_in_half_open_state;
        self.permits = if to == State::HalfOpen { permitted.get() } else { 0 };
        self.window = match to {
            State::HalfOpen => Window::new(WindowSize::Calls(permitted)),
            State::Closed => Window::new(self.settings.sliding_window_size),
            // Nothing is counted while it is open.
            State::Open => Window::new(WindowSize::Calls(NonZeroU32::MIN)),
        };
    }

    /// What the calls in the window say, if they are enough.
    fn verdict(&self, counts: Counts) -> Option<Verdict> {
        let minimum = self.settings.minimum_number_of_calls.get();
        let enough = self.window.capacity().map_or(minimum, |capacity| minimum.min(capacity));
        if counts.calls < enough {
            return None;
        }
        let reaches =
            |part: u32, threshold: Probability| f64::from(part) >= threshold.value() * f64::from(counts.calls);
        let is_bad = reaches(counts.failed, self.settings.failure_rate_threshold)
            || reaches(counts.slow, self.settings.slow_call_rate_threshold);
        Some(if is_bad { Verdict::Bad } else { Verdict::Good })
    }
}
