//! Policies: the keys that hold for one step become one value, if they make sense together.
//!
//! A key that could have no effect is refused, unless it says what holds without it. An attempt limit that is written
//! justifies all keys about further attempts, even if it is 1, so that it can be swept.

use std::num::NonZeroU32;

use crate::base::time::Span;
use crate::model::{Cancel, Delivery, GuardSpec, Policy};
use crate::protocol::balance::BalancePolicy;
use crate::protocol::delivery::DedupWindow;
use crate::protocol::retry::{Failure, FailureSet, Jitter, Member, Multiplier, RetryPolicy, Schedule};
use crate::protocol::timeout::TimeoutPolicy;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::{Located, Origin};
use crate::scenario::schema::{self, Backoff, Balance, Chosen, Limit, PolicyKeys, Verb};

/// What a policy has to know about those who receive its messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Receiver {
    /// How many nodes they are.
    pub nodes: NonZeroU32,
    /// What they do with an attempt that was given up, unless the policy says otherwise.
    pub cancel: schema::Cancel,
}

/// The policy of a step that is a `send` or a `call`; `keys` are all that hold for it.
///
/// # Errors
/// All keys that contradict each other or can have no effect.
///
/// # Panics
/// If the step sends nothing.
pub fn policy(keys: &PolicyKeys, verb: Verb<'_>, receiver: &Receiver) -> Result<Policy, Vec<Diagnostic>> {
    assert!(verb.is_message(), "`{}` sends nothing", verb.name());
    let default = if matches!(verb, Verb::Send(_) | Verb::Publish(_, false)) {
        Delivery::AtMostOnce
    } else {
        Delivery::AtLeastOnce
    };
    let delivery = keys.delivery.as_ref().map_or(default, |delivery| delivery_of(**delivery));
    let mut planner = Planner { keys, verb, delivery, mistakes: Vec::new() };
    let policy = planner.policy(receiver);
    if planner.mistakes.is_empty() {
        return Ok(policy);
    }
    planner.mistakes.sort_by_key(Diagnostic::origin);
    Err(planner.mistakes)
}

/// The balancing that is written, among `nodes` nodes.
///
/// # Errors
/// It does not fit so many nodes.
pub fn balance(written: &Located<Chosen<Balance>>, nodes: NonZeroU32) -> Result<BalancePolicy, Diagnostic> {
    let policy = &written.value.policy;
    match policy.picker(nodes.get() as usize) {
        Ok(_) => Ok(policy.clone()),
        Err(error) => Err(refused(written.origin, format!("`{}`: {error}", written.value.name))),
    }
}

fn refused(place: Origin, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(message).at(place, "")
}

fn delivery_of(written: schema::Delivery) -> Delivery {
    match written {
        schema::Delivery::AtMostOnce => Delivery::AtMostOnce,
        schema::Delivery::AtLeastOnce => Delivery::AtLeastOnce,
        schema::Delivery::ExactlyOnce => Delivery::ExactlyOnce,
    }
}

fn cancel_of(written: schema::Cancel) -> Cancel {
    match written {
        schema::Cancel::None => Cancel::None,
        schema::Cancel::Queued => Cancel::Queued,
        schema::Cancel::Running => Cancel::Running,
    }
}

fn jitter_of(written: schema::Jitter) -> Jitter {
    match written {
        schema::Jitter::None => Jitter::None,
        schema::Jitter::Full => Jitter::Full,
        schema::Jitter::Equal => Jitter::Equal,
        schema::Jitter::Decorrelated => Jitter::Decorrelated,
    }
}

fn failure_of(written: schema::RetryOn) -> Failure {
    match written {
        schema::RetryOn::Timeout => Failure::Timeout,
        schema::RetryOn::Rejected => Failure::Rejected,
        schema::RetryOn::Failed => Failure::Failed,
        schema::RetryOn::Expired => Failure::Expired,
        schema::RetryOn::Reset => Failure::Reset,
    }
}

fn limit_of(written: Option<Located<Limit>>) -> Option<NonZeroU32> {
    match written?.value {
        Limit::Constant(count) => Some(count),
        Limit::Unlimited => None,
    }
}

/// The keys of one step on their way to a policy.
struct Planner<'a> {
    keys: &'a PolicyKeys,
    verb: Verb<'a>,
    delivery: Delivery,
    mistakes: Vec<Diagnostic>,
}

impl Planner<'_> {
    /// The policy; it means nothing if there were mistakes.
    fn policy(&mut self, receiver: &Receiver) -> Policy {
        let keys = self.keys;
        self.refuse_what_needs_confirmation();
        self.refuse_what_needs_attempts();
        self.refuse_what_has_no_copies();
        self.refuse_what_never_waits();
        if let Some(from) = keys.timeout_from.filter(|from| from.value == schema::TimeoutFrom::Transmitted) {
            let mistake = refused(from.origin, "`timeout-from = \"transmitted\"` is not supported yet");
            self.mistakes.push(mistake.help("timeouts count from when the sender wanted to send"));
        }
        let cancel = keys.cancel.map_or(receiver.cancel, |cancel| cancel.value);
        Policy {
            delivery: self.delivery,
            ordered: keys.ordered.is_some_and(|ordered| ordered.value),
            retry: self.retry(),
            cancel: if self.is_unconfirmed() { Cancel::None } else { cancel_of(cancel) },
            window: limit_of(keys.window),
            max_in_flight: limit_of(keys.max_in_flight),
            dedup: self.dedup(),
            balance: keys.balance.as_ref().and_then(|written| match balance(written, receiver.nodes) {
                Ok(balance) => Some(balance),
                Err(mistake) => {
                    self.mistakes.push(mistake);
                    None
                }
            }),
            guard: self.guard(),
            health: super::health::spec(keys, self.is_unconfirmed(), &mut self.mistakes),
        }
    }

    /// What stands between the sender and the group.
    fn guard(&mut self) -> GuardSpec {
        let keys = self.keys;
        GuardSpec {
            budget: keys.retry_budget.as_ref().map(|budget| budget.policy.clone()),
            breaker: keys.circuit_breaker.as_ref().map(|breaker| breaker.value.0.clone()),
            rate: keys.rate_limit.as_ref().map(|limit| limit.policy.clone()),
            max_wait: self.max_wait(),
            throttle: keys.throttle.as_ref().map(|throttle| throttle.policy.clone()),
            concurrency: keys.concurrency_limit.as_ref().map(|limit| limit.policy.clone()),
            timeout: keys.timeout.as_ref().map(|timeout| timeout.policy.clone()).filter(TimeoutPolicy::is_adaptive),
            hedge: keys.hedge.as_ref().map(|hedge| hedge.value.0.clone()),
            // Those who judge members by their answers want to know of each attempt by itself.
            measures: keys.outlier_detection.is_some(),
        }
    }

    /// How long an attempt waits for its turn under a rate limit.
    fn max_wait(&mut self) -> Option<Span> {
        let written = self.keys.max_wait.as_ref()?;
        if self.keys.rate_limit.is_none() {
            let mistake = refused(written.origin, "`max-wait` without a `rate-limit`");
            self.mistakes.push(mistake.help("it says how long an attempt may wait for its turn under that limit"));
        }
        Some(written.value.0)
    }

    /// Whether the sender never hears of its messages again.
    fn is_unconfirmed(&self) -> bool {
        self.delivery == Delivery::AtMostOnce && !matches!(self.verb, Verb::Call(_))
    }

    /// The mistake in a key that needs another delivery, with the reason for the one there is.
    fn needs_delivery(&mut self, place: Origin, message: String, help: &str) {
        let mistake = refused(place, message);
        let mistake = match (&self.keys.delivery, self.verb) {
            (Some(delivery), _) => mistake.at(delivery.origin, "because of this"),
            (None, Verb::Send(target)) => mistake.at(target.origin, "a `send` is at most once by default"),
            (None, Verb::Publish(name, false)) => {
                mistake.at(name.origin, "a `publish` without `confirm` is at most once")
            }
            (None, verb) => mistake.at(verb.origin(), format!("a `{}` is at least once by default", verb.name())),
        };
        self.mistakes.push(mistake.help(help));
    }

    /// Keys about further attempts, by name and place, that say anything but what holds without them.
    fn retry_keys(&self) -> Vec<(&'static str, Origin)> {
        let keys = self.keys;
        let is_pinned = self.delivery == Delivery::ExactlyOnce;
        let backoff = keys
            .backoff
            .as_ref()
            .filter(|backoff| !matches!(&backoff.value, Backoff::Constant(span) if span.0 == Span::ZERO));
        let jitter = keys.jitter.filter(|jitter| jitter.value != schema::Jitter::None);
        let retry_to = keys.retry_to.filter(|to| to.value != schema::RetryTo::New && !is_pinned);
        let places = [
            ("backoff", backoff.map(|backoff| backoff.origin)),
            ("jitter", jitter.map(|jitter| jitter.origin)),
            ("retry-on", keys.retry_on.as_ref().map(|on| on.origin)),
            ("retry-to", retry_to.map(|to| to.origin)),
            ("retry-budget", keys.retry_budget.as_ref().map(|budget| budget.origin)),
        ];
        places.into_iter().filter_map(|(key, place)| Some((key, place?))).collect()
    }

    /// At most once, nothing is sent again; a `send` is not even confirmed.
    fn refuse_what_needs_confirmation(&mut self) {
        if self.delivery != Delivery::AtMostOnce {
            return;
        }
        const AGAIN: &str = "write `delivery = \"at-least-once\"` to have it sent again if it is not acknowledged";
        const CONFIRMED: &str = "write `delivery = \"at-least-once\"` to have it acknowledged";
        let keys = self.keys;
        let attempts = keys.max_attempts.filter(|limit| limit.value != Limit::Constant(NonZeroU32::MIN));
        let attempts = attempts.map(|limit| ("max-attempts", limit.origin));
        for (key, place) in attempts.into_iter().chain(self.retry_keys()) {
            let message = format!("`{key}` has no effect: what is delivered at most once is never sent again");
            self.needs_delivery(place, message, AGAIN);
        }
        if let Some(ordered) = keys.ordered.filter(|ordered| ordered.value) {
            let message = "`ordered` needs delivery at least once: of what is lost and never sent again, nobody knows \
                           how long to wait for it";
            self.needs_delivery(ordered.origin, message.into(), AGAIN);
        }
        if !self.is_unconfirmed() {
            return;
        }
        let timeout = keys.timeout.as_ref().filter(|timeout| !matches!(timeout.policy, TimeoutPolicy::Never(_)));
        let is_limit = |limit: &Located<Limit>| limit.value != Limit::Unlimited;
        let places = [
            ("timeout", timeout.map(|timeout| timeout.origin)),
            ("cancel", keys.cancel.filter(|cancel| cancel.value != schema::Cancel::None).map(|cancel| cancel.origin)),
            ("window", keys.window.filter(is_limit).map(|limit| limit.origin)),
            ("max-in-flight", keys.max_in_flight.filter(is_limit).map(|limit| limit.origin)),
            ("retry-budget", keys.retry_budget.as_ref().map(|written| written.origin)),
            ("circuit-breaker", keys.circuit_breaker.as_ref().map(|written| written.origin)),
            ("concurrency-limit", keys.concurrency_limit.as_ref().map(|written| written.origin)),
            ("throttle", keys.throttle.as_ref().map(|written| written.origin)),
            ("hedge", keys.hedge.as_ref().map(|written| written.origin)),
        ];
        for (key, place) in places {
            let Some(place) = place else { continue };
            let message =
                format!("`{key}` has no effect: a `send` that is delivered at most once is never acknowledged");
            self.needs_delivery(place, message, CONFIRMED);
        }
    }

    /// Copies of a message go to several nodes: what is to be handled once, or in order, has none.
    fn refuse_what_has_no_copies(&mut self) {
        let Some(hedge) = self.keys.hedge.as_ref().map(|hedge| hedge.origin).filter(|_| !self.is_unconfirmed()) else {
            return;
        };
        let promise = match self.delivery {
            Delivery::AtMostOnce => Some("`delivery = \"at-most-once\"`"),
            Delivery::ExactlyOnce => Some("`delivery = \"exactly-once\"`"),
            Delivery::AtLeastOnce => None,
        };
        if let Some(promise) = promise {
            let message = format!("`hedge` breaks {promise}: each copy is handled by another node");
            self.mistakes.push(refused(hedge, message).help("leave one of them out"));
        }
        if let Some(ordered) = self.keys.ordered.filter(|ordered| ordered.value) {
            let mistake = refused(hedge, "`hedge` breaks `ordered`: what goes to several nodes has no order");
            self.mistakes.push(mistake.at(ordered.origin, "kept in order here").help("leave one of them out"));
        }
    }

    /// Whoever tries again at once and without end what it has turned away itself comes to nothing else.
    fn refuse_what_never_waits(&mut self) {
        let keys = self.keys;
        let Some(unlimited) = keys.max_attempts.filter(|limit| limit.value == Limit::Unlimited) else { return };
        let never_waits = keys
            .backoff
            .as_ref()
            .is_none_or(|backoff| matches!(&backoff.value, Backoff::Constant(span) if span.0 == Span::ZERO));
        let at_once = [
            ("circuit-breaker", keys.circuit_breaker.as_ref().map(|written| written.origin)),
            ("concurrency-limit", keys.concurrency_limit.as_ref().map(|written| written.origin)),
            ("throttle", keys.throttle.as_ref().map(|written| written.origin)),
            ("max-wait", keys.max_wait.as_ref().map(|written| written.origin)),
        ];
        let found = at_once.into_iter().find_map(|(key, place)| Some((key, place?)));
        if let Some((key, place)) = found.filter(|_| never_waits) {
            let message = "unlimited attempts without a `backoff` would try without end, and without a pause";
            let why = format!("`{key}` turns attempts away before they are sent");
            self.mistakes.push(refused(unlimited.origin, message).at(place, why).help("write `backoff = \"100ms\"`"));
        }
    }

    /// Without further attempts, nothing about them has an effect.
    fn refuse_what_needs_attempts(&mut self) {
        if self.delivery == Delivery::AtMostOnce || self.keys.max_attempts.is_some() {
            return;
        }
        for (key, place) in self.retry_keys() {
            let mistake =
                refused(place, format!("`{key}` has no effect: there is one attempt unless `max-attempts` says more"));
            self.mistakes.push(mistake.help("write `max-attempts = 3`, or how many there may be"));
        }
    }

    fn retry(&mut self) -> RetryPolicy {
        let keys = self.keys;
        if let Some(deadline) = keys.deadline.filter(|deadline| deadline.0 == Span::ZERO) {
            self.mistakes.push(refused(deadline.origin, "a deadline is longer than zero"));
        }
        let timeout = self.timeout();
        let backoff = self.backoff();
        let max_attempts = match keys.max_attempts {
            Some(_) => limit_of(keys.max_attempts),
            None => Some(NonZeroU32::MIN),
        };
        let has_timeout =
            keys.timeout.as_ref().is_some_and(|timeout| !matches!(timeout.policy, TimeoutPolicy::Never(_)));
        let retry_on = self.retry_on(has_timeout, max_attempts);
        RetryPolicy {
            jitter: self.jitter(&backoff),
            timeout,
            deadline: keys.deadline.map(|deadline| deadline.0),
            max_attempts,
            backoff,
            retry_on,
            member: self.member(),
        }
    }

    fn timeout(&mut self) -> Option<Schedule> {
        let written = self.keys.timeout.as_ref()?;
        let schedule = match &written.policy {
            TimeoutPolicy::Constant(constant) => Some(Schedule::Constant(constant.span)),
            TimeoutPolicy::List(list) => self.list("timeout", written.origin, &list.spans),
            _ => return None,
        };
        let is_zero = |schedule: &Schedule| match schedule {
            Schedule::List { first, rest } => rest.iter().chain([first]).any(|span| *span == Span::ZERO),
            other => other.cap() == Span::ZERO,
        };
        if schedule.as_ref().is_some_and(is_zero) {
            let mistake = refused(written.origin, "a timeout is longer than zero");
            self.mistakes.push(mistake.help("write `timeout = \"none\"` to wait as long as it takes"));
        }
        schedule
    }

    fn backoff(&mut self) -> Schedule {
        let Some(written) = &self.keys.backoff else { return Schedule::ZERO };
        let (initial, max) = match &written.value {
            Backoff::Linear { initial, max, .. } | Backoff::Exponential { initial, max, .. } => (initial.0, *max),
            Backoff::Constant(span) => return Schedule::Constant(span.0),
            Backoff::List(spans) => {
                let spans: Vec<_> = spans.iter().map(|span| span.0).collect();
                return self.list("backoff", written.origin, &spans).unwrap_or(Schedule::ZERO);
            }
        };
        let max = max.map_or(Span::MAX, |max| max.0);
        if max < initial {
            self.mistakes.push(refused(written.origin, "the `max` of this backoff is less than its `initial`"));
        }
        match &written.value {
            Backoff::Linear { step, .. } => {
                Schedule::Linear { initial, step: step.map_or(initial, |step| step.0), max }
            }
            Backoff::Exponential { multiplier, .. } => {
                let grown = Multiplier::new(multiplier.value()).unwrap_or_else(|| {
                    let message = format!("`multiplier` is {}, it must be at least 1", multiplier.value());
                    self.mistakes.push(refused(written.origin, message));
                    Multiplier::default()
                });
                Schedule::Exponential { initial, max, multiplier: grown }
            }
            Backoff::Constant(_) | Backoff::List(_) => unreachable!("returned above"),
        }
    }

    fn list(&mut self, key: &str, place: Origin, spans: &[Span]) -> Option<Schedule> {
        let Some((first, rest)) = spans.split_first() else {
            let mistake = refused(place, format!("`{key}` is an empty list"));
            self.mistakes.push(mistake.help("a list has a time for each attempt, the last one for all further"));
            return None;
        };
        Some(Schedule::List { first: *first, rest: rest.to_vec() })
    }

    /// Spreading a backoff needs one, and for some kinds one that grows.
    fn jitter(&mut self, backoff: &Schedule) -> Jitter {
        let Some(written) = self.keys.jitter else { return Jitter::None };
        let jitter = jitter_of(written.value);
        if jitter != Jitter::None && backoff.cap() == Span::ZERO {
            let mistake = refused(written.origin, "`jitter` has no effect: there is no `backoff` to spread");
            self.mistakes.push(mistake.help("write `backoff = \"50ms\"`, or how long to wait"));
        } else if jitter == Jitter::Decorrelated && backoff.cap() == backoff.at(NonZeroU32::MIN) {
            let mistake = refused(
                written.origin,
                "`decorrelated` has no effect: no wait of this `backoff` is longer than its first",
            );
            let mistake = match &self.keys.backoff {
                Some(backoff) => mistake.at(backoff.origin, "the first wait is the longest"),
                None => mistake,
            };
            self.mistakes
                .push(mistake.help(
                    "write a backoff that grows, such as { exponential = { initial = \"10ms\", max = \"1s\" } }",
                ));
        }
        jitter
    }

    fn retry_on(&mut self, has_timeout: bool, max_attempts: Option<NonZeroU32>) -> FailureSet {
        let Some(written) = &self.keys.retry_on else { return FailureSet::ALL };
        if written.0.is_empty() {
            let mistake = refused(written.origin, "`retry-on` is an empty list: nothing would be tried again");
            self.mistakes.push(mistake.help("write `max-attempts = 1` if that is meant"));
        } else if !has_timeout
            && max_attempts != Some(NonZeroU32::MIN)
            && written.0.iter().all(|failure| *failure == schema::RetryOn::Timeout)
        {
            let mistake = refused(written.origin, "only timeouts are retried, and without `timeout` there is none");
            self.mistakes.push(mistake.help("write `timeout = \"1s\"`, or how long an attempt may take"));
        }
        written.0.iter().map(|failure| failure_of(*failure)).collect()
    }

    /// Only the one who has handled a message can tell that it comes again.
    fn member(&mut self) -> Member {
        let is_pinned = self.delivery == Delivery::ExactlyOnce;
        match self.keys.retry_to {
            Some(written) if written.value == schema::RetryTo::New && is_pinned => {
                let message =
                    "exactly once needs `retry-to = \"same\"`: another node cannot know what the first has handled";
                self.needs_delivery(written.origin, message.into(), "leave `retry-to` out");
                Member::Same
            }
            Some(written) if written.value == schema::RetryTo::New => Member::New,
            Some(_) => Member::Same,
            None if is_pinned => Member::Same,
            None => Member::New,
        }
    }

    fn dedup(&mut self) -> Option<DedupWindow> {
        let is_exact = self.delivery == Delivery::ExactlyOnce;
        let Some(written) = self.keys.dedup_window else { return is_exact.then_some(DedupWindow::Unlimited) };
        if !is_exact {
            let message = "`dedup-window` has no effect: duplicates are dropped only where delivery is exactly once";
            self.needs_delivery(written.origin, message.into(), "write `delivery = \"exactly-once\"`");
        }
        Some(match written.value {
            schema::DedupWindow::Count(count) => DedupWindow::Count(count),
            schema::DedupWindow::Time(span) => DedupWindow::Time(span.0),
        })
    }
}
