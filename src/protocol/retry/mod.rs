//! Retrying: whether to try again, when, and how long each attempt may take.
//!
//! An attempt that fails is followed by another after a backoff, unless the failure is not of a kind that is retried, the
//! attempts are spent, or the next one could start only at the deadline or later. The deadline bounds the request as a
//! whole, from the start of its first attempt: it also cuts short the timeout of the last attempts. Amplification is the
//! price: at most `max_attempts` copies per request here, and the product of these limits along a chain of callers.
//!
//! Source: gRFC A6 "gRPC Retry Design" (attempts that count the first one, retryable kinds, one deadline for all attempts);
//! Marc Brooker, "Timeouts, retries, and backoff with jitter", Amazon Builders' Library, 2019.

mod failure;
mod jitter;
mod schedule;

use std::num::NonZeroU32;

use super::Entry;
use crate::base::random::Uniform;
use crate::base::time::{Span, ms, secs};

pub use failure::{Failure, FailureSet};
pub use jitter::Jitter;
pub use schedule::{Multiplier, Schedule};

/// When and how a request is tried again: plain data, shared by all who follow it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RetryPolicy {
    /// How long each attempt may take; none waits for ever.
    pub timeout: Option<Schedule>,
    /// How long the request may take, all attempts and waits included.
    pub deadline: Option<Span>,
    /// How many attempts there are, the first one included; none sets no limit.
    pub max_attempts: Option<NonZeroU32>,
    /// The wait after each failed attempt.
    pub backoff: Schedule,
    /// How that wait is spread.
    pub jitter: Jitter,
    /// Which failures are retried.
    pub retry_on: FailureSet,
    /// Who gets the next attempt.
    pub member: Member,
}

impl Default for RetryPolicy {
    /// One attempt that waits for ever; given more attempts, every failure is retried at once.
    fn default() -> Self {
        Self {
            timeout: None,
            deadline: None,
            max_attempts: Some(NonZeroU32::MIN),
            backoff: Schedule::ZERO,
            jitter: Jitter::None,
            retry_on: FailureSet::ALL,
            member: Member::New,
        }
    }
}

impl RetryPolicy {
    /// What follows when `attempt` failed, `elapsed` after the first one started.
    ///
    /// `previous` is the wait before this attempt, none before the first. `draw` decides the jitter.
    pub fn next(
        &self,
        attempt: NonZeroU32,
        elapsed: Span,
        previous: Option<Span>,
        failure: Failure,
        draw: Uniform,
    ) -> Decision {
        if !self.retry_on.contains(failure) {
            return Decision::GiveUp(Reason::NotRetried);
        }
        if self.max_attempts.is_some_and(|max| attempt >= max) {
            return Decision::GiveUp(Reason::AttemptsSpent);
        }
        let after = self.jitter.spread(&self.backoff, attempt, previous, draw);
        if self.deadline.is_some_and(|deadline| elapsed + after >= deadline) {
            return Decision::GiveUp(Reason::DeadlineReached);
        }
        Decision::Retry { after }
    }

    /// Whether [`RetryPolicy::next`] makes use of its draw.
    pub fn needs_luck(&self) -> bool {
        self.jitter != Jitter::None
    }

    /// How long `attempt` may take if it starts `elapsed` after the first one: its timeout, or what the deadline leaves if
    /// that is less. None waits for ever.
    pub fn timeout_of(&self, attempt: NonZeroU32, elapsed: Span) -> Option<Span> {
        let timeout = self.timeout.as_ref().map(|timeout| timeout.at(attempt));
        let left = self.deadline.map(|deadline| deadline - elapsed);
        match (timeout, left) {
            (Some(timeout), Some(left)) => Some(timeout.min(left)),
            (timeout, left) => timeout.or(left),
        }
    }
}

/// What follows a failed attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// Another attempt.
    Retry {
        /// After this wait.
        after: Span,
    },
    /// No further attempt.
    GiveUp(Reason),
}

/// Why there is no further attempt.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reason {
    /// Failures of this kind are final.
    NotRetried,
    /// This was the last attempt allowed.
    AttemptsSpent,
    /// The next attempt would start at the deadline or after it.
    DeadlineReached,
}

/// Who gets the next attempt, where there is a choice.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Member {
    /// Whoever the balancer picks for it.
    #[default]
    New,
    /// Whoever got the last one.
    Same,
}

/// Schedules of backoffs and timeouts, by their scenario names.
pub const SCHEDULES: &[Entry<fn() -> Schedule>] = &[
    Entry {
        name: "constant",
        summary: "The same span for every attempt.",
        source: "elementary",
        example: || Schedule::Constant(ms(50)),
    },
    Entry {
        name: "list",
        summary: "A span for each attempt in order; the last one repeats.",
        source: "elementary",
        example: || Schedule::List { first: ms(10), rest: vec![ms(100), ms(40)] },
    },
    Entry {
        name: "linear",
        summary: "A step more for every attempt, up to a cap.",
        source: "elementary",
        example: || Schedule::Linear { initial: ms(10), step: ms(10), max: ms(35) },
    },
    Entry {
        name: "exponential",
        summary: "A multiple of the span before for every attempt, by default the double, up to a cap.",
        source: "Metcalfe and Boggs, Ethernet, CACM 19(7), 1976",
        example: || Schedule::Exponential { initial: ms(10), max: secs(1), multiplier: Multiplier::default() },
    },
];

/// Kinds of jitter, by their scenario names.
pub const JITTERS: &[Entry<Jitter>] = &[
    Entry {
        name: "none",
        summary: "Waits exactly the backoff.",
        source: "Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015",
        example: Jitter::None,
    },
    Entry {
        name: "full",
        summary: "Waits a time uniform between zero and the backoff.",
        source: "Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015",
        example: Jitter::Full,
    },
    Entry {
        name: "equal",
        summary: "Waits half of the backoff and a time uniform between zero and the other half.",
        source: "Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015",
        example: Jitter::Equal,
    },
    Entry {
        name: "decorrelated",
        summary: "Waits a time uniform between the first backoff and three times the wait before, up to the cap.",
        source: "Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015",
        example: Jitter::Decorrelated,
    },
];

/// Kinds of failure, by their scenario names.
pub const FAILURES: &[Entry<Failure>] = &[
    Entry {
        name: "timeout",
        summary: "No answer came in time: whether the request was handled is unknown.",
        source: "gRFC A6 (DEADLINE_EXCEEDED of one attempt)",
        example: Failure::Timeout,
    },
    Entry {
        name: "rejected",
        summary: "Turned away before it was handled, by a full queue, a limit or an open breaker.",
        source: "gRFC A6 (UNAVAILABLE, RESOURCE_EXHAUSTED)",
        example: Failure::Rejected,
    },
    Entry {
        name: "failed",
        summary: "Handled, and answered with an error.",
        source: "gRFC A6 (INTERNAL)",
        example: Failure::Failed,
    },
    Entry {
        name: "expired",
        summary: "Dropped unhandled because its time to live had run out where it waited.",
        source: "RabbitMQ, Time-To-Live and Expiration",
        example: Failure::Expired,
    },
    Entry {
        name: "reset",
        summary: "The stream it was sent on was reset: whether the request was handled is unknown, but no answer will come.",
        source: "gRFC A6 (UNAVAILABLE); RFC 9293, 3.10.7",
        example: Failure::Reset,
    },
];

/// Who gets the next attempt, by scenario name.
pub const MEMBERS: &[Entry<Member>] = &[
    Entry {
        name: "new",
        summary: "The balancer picks anew for every attempt.",
        source: "gRFC A6 (every attempt is a new pick)",
        example: Member::New,
    },
    Entry {
        name: "same",
        summary: "Every attempt goes to the member that got the first one.",
        source: "RFC 6298 (a connection retransmits to its peer)",
        example: Member::Same,
    },
];

#[cfg(test)]
mod tests {
    use proptest::option;
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::laws::{draws, fixed};

    const DRAW: Uniform = Uniform::from_bits(1 << 63);

    fn nth(attempt: u32) -> NonZeroU32 {
        NonZeroU32::new(attempt).unwrap()
    }

    /// Plays a request whose attempts all time out (a second each where there is no limit): (attempts, time of giving up,
    /// reason). At most 500 attempts.
    fn play(policy: &RetryPolicy, mut draw: impl FnMut() -> Uniform) -> (u32, Span, Option<Reason>) {
        let (mut elapsed, mut previous) = (Span::ZERO, None);
        for attempt in 1..=500 {
            let timeout = policy.timeout_of(nth(attempt), elapsed).unwrap_or(secs(1));
            elapsed += timeout;
            match policy.next(nth(attempt), elapsed, previous, Failure::Timeout, draw()) {
                Decision::Retry { after } => {
                    elapsed += after;
                    previous = Some(after);
                }
                Decision::GiveUp(reason) => return (attempt, elapsed, Some(reason)),
            }
        }
        (500, elapsed, None)
    }

    #[test]
    fn by_default_a_request_is_tried_once_and_waits_for_ever() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.timeout_of(nth(1), Span::ZERO), None);
        assert_eq!(
            policy.next(nth(1), Span::ZERO, None, Failure::Failed, DRAW),
            Decision::GiveUp(Reason::AttemptsSpent)
        );
    }

    /// 4 × 100 ms = 400 ms; 200 + 400 + 800 + 1600 + 3200 ms = 6200 ms.
    #[test]
    fn without_backoff_giving_up_takes_the_sum_of_the_timeouts() {
        let fixed = RetryPolicy {
            timeout: Some(Schedule::Constant(ms(100))),
            max_attempts: Some(nth(4)),
            ..Default::default()
        };
        assert_eq!(play(&fixed, || DRAW), (4, ms(400), Some(Reason::AttemptsSpent)));
        let timeout = Schedule::Exponential { initial: ms(200), max: Span::MAX, multiplier: Multiplier::default() };
        let doubling = RetryPolicy { timeout: Some(timeout), max_attempts: Some(nth(5)), ..Default::default() };
        assert_eq!(play(&doubling, || DRAW), (5, ms(6200), Some(Reason::AttemptsSpent)));
    }

    /// Timeout 80 ms, backoff 20 ms, deadline 250 ms: attempts at 0, 100 and 200 ms, and the third has 50 ms left.
    #[test]
    fn the_deadline_cuts_the_last_timeout_short() {
        let policy = RetryPolicy {
            timeout: Some(Schedule::Constant(ms(80))),
            deadline: Some(ms(250)),
            max_attempts: None,
            backoff: Schedule::Constant(ms(20)),
            ..Default::default()
        };
        assert_eq!(policy.timeout_of(nth(3), ms(200)), Some(ms(50)));
        assert_eq!(play(&policy, || DRAW), (3, ms(250), Some(Reason::DeadlineReached)));
    }

    #[test]
    fn an_attempt_that_could_only_start_at_the_deadline_is_not_made() {
        let policy = RetryPolicy {
            deadline: Some(ms(100)),
            max_attempts: None,
            backoff: Schedule::Constant(ms(10)),
            ..Default::default()
        };
        let next = |elapsed| policy.next(nth(1), elapsed, None, Failure::Rejected, DRAW);
        assert_eq!(next(ms(90)), Decision::GiveUp(Reason::DeadlineReached));
        assert_eq!(next(ms(89)), Decision::Retry { after: ms(10) });
    }

    #[test]
    fn only_the_named_failures_are_retried() {
        let policy = RetryPolicy {
            max_attempts: None,
            retry_on: FailureSet::from_iter([Failure::Timeout, Failure::Rejected]),
            ..Default::default()
        };
        for entry in FAILURES {
            let expected = match entry.example {
                Failure::Timeout | Failure::Rejected => Decision::Retry { after: Span::ZERO },
                Failure::Failed | Failure::Expired | Failure::Reset => Decision::GiveUp(Reason::NotRetried),
            };
            assert_eq!(policy.next(nth(1), Span::ZERO, None, entry.example, DRAW), expected, "{}", entry.name);
        }
    }

    proptest! {
        #![proptest_config(fixed())]

        /// Every schedule with every jitter, as backoff and as timeout.
        #[test]
        fn every_policy_keeps_its_cap_its_attempts_and_its_deadline(
            seed: u64,
            max_attempts in option::of(1_u32..20),
            deadline in option::of(0_u64..5_000),
        ) {
            for (schedule, timeout) in SCHEDULES.iter().zip(SCHEDULES.iter().rev()) {
                for jitter in JITTERS {
                    let policy = RetryPolicy {
                        timeout: Some((timeout.example)()),
                        deadline: deadline.map(ms),
                        max_attempts: max_attempts.map(nth),
                        backoff: (schedule.example)(),
                        jitter: jitter.example,
                        ..Default::default()
                    };
                    let (attempts, elapsed, reason) = play(&policy, draws(seed));
                    prop_assert!(max_attempts.is_none_or(|max| attempts <= max));
                    prop_assert!(deadline.is_none_or(|deadline| elapsed <= ms(deadline)));
                    prop_assert_eq!(reason.is_none(), max_attempts.is_none() && deadline.is_none());
                }
            }
        }

        #[test]
        fn no_wait_leaves_its_jitters_bounds(bits: u64, attempt in 1_u32.., before in option::of(0_u64..2_000)) {
            let (draw, previous) = (Uniform::from_bits(bits), before.map(ms));
            for schedule in SCHEDULES {
                let backoff = (schedule.example)();
                let (base, whole, cap) = (backoff.at(nth(1)), backoff.at(nth(attempt)), backoff.cap());
                prop_assert!(whole <= cap);
                for jitter in JITTERS {
                    let wait = jitter.example.spread(&backoff, nth(attempt), previous, draw);
                    let (low, high) = match jitter.example {
                        Jitter::None => (whole, whole),
                        Jitter::Full => (Span::ZERO, whole),
                        Jitter::Equal => (Span::from_nanos(whole.as_nanos() / 2), whole),
                        Jitter::Decorrelated => (base, cap),
                    };
                    prop_assert!(low <= wait && wait <= high, "{} {}: {}", schedule.name, jitter.name, wait);
                }
            }
        }
    }
}
