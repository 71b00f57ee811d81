//! What a circuit breaker keeps.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::base::time::ms;
use crate::protocol::family::well_kept;
use crate::protocol::laws::fixed;

const OK: Outcome = Outcome { ok: true, took: ms(1) };
const FAILED: Outcome = Outcome { ok: false, took: ms(1) };

fn at(now: u64) -> Time {
    Time::ZERO + ms(now)
}

fn ticket(breaker: &mut CircuitBreaker, now: u64) -> Ticket {
    match breaker.permit(at(now)) {
        Permit::Yes(ticket) => ticket,
        Permit::No => panic!("nothing passes at {now} ms"),
    }
}

fn call(breaker: &mut CircuitBreaker, now: u64, outcome: Outcome) -> State {
    let ticket = ticket(breaker, now);
    breaker.ended(at(now), ticket, outcome);
    breaker.state()
}

fn small() -> CircuitBreakerSettings {
    CircuitBreakerSettings {
        sliding_window_size: WindowSize::Calls(count(10)),
        minimum_number_of_calls: count(4),
        permitted_number_of_calls_in_half_open_state: count(3),
        wait_duration_in_open_state: ms(100),
        ..CircuitBreakerSettings::default()
    }
}

#[test]
fn what_can_be_said_is_well_kept() {
    well_kept(&[CIRCUIT_BREAKER]);
    let said = CIRCUIT_BREAKER.make(vec![(5, Value::Span(secs(10)))]).unwrap();
    assert_eq!(said.sliding_window_size, WindowSize::Time(secs(10)));
    assert!(CIRCUIT_BREAKER.make(vec![(5, Value::Span(Span::ZERO))]).is_err());
}

/// By default 100 calls have to be known: 49 failed of 99 is nothing, 50 of 100 is a half.
#[test]
fn it_opens_at_half_of_a_hundred_calls() {
    let mut breaker = CircuitBreaker::new(&CircuitBreakerSettings::default());
    for number in 0..99 {
        assert_eq!(call(&mut breaker, number, if number % 2 == 1 { FAILED } else { OK }), State::Closed);
    }
    assert_eq!(call(&mut breaker, 99, FAILED), State::Open);
    assert_eq!(breaker.permit(at(60_098)), Permit::No);
    assert!(matches!(breaker.permit(at(60_099)), Permit::Yes(_)));
    assert_eq!(breaker.state(), State::HalfOpen);
}

/// Of ten calls that count, four of the newest are too slow: 40 %. A call that takes just as long as the threshold is not slow.
#[test]
fn slow_calls_open_it_as_well() {
    let settings = CircuitBreakerSettings {
        slow_call_rate_threshold: percent(40.0),
        slow_call_duration_threshold: ms(50),
        ..small()
    };
    let mut breaker = CircuitBreaker::new(&settings);
    for number in 0..9 {
        let took = if number < 6 { ms(50) } else { ms(51) };
        assert_eq!(call(&mut breaker, number, Outcome { ok: true, took }), State::Closed);
    }
    assert_eq!(call(&mut breaker, 9, Outcome { ok: true, took: ms(51) }), State::Open);
}

/// Half-open, three calls pass. Their outcomes are enough, for there are no more; one of three failed is below a half, two are not.
#[test]
fn half_open_a_few_calls_decide() {
    for (failed, expected) in [(0, State::Closed), (1, State::Closed), (2, State::Open), (3, State::Open)] {
        let mut breaker = CircuitBreaker::new(&small());
        (0..4).for_each(|number| {
            call(&mut breaker, number, FAILED);
        });
        let tickets: Vec<_> = (0..3).map(|_| ticket(&mut breaker, 200)).collect();
        assert_eq!(breaker.permit(at(200)), Permit::No);
        for (number, ticket) in tickets.into_iter().enumerate() {
            assert_eq!(breaker.state(), State::HalfOpen);
            breaker.ended(at(210), ticket, if number < failed { FAILED } else { OK });
        }
        assert_eq!(breaker.state(), expected);
    }
}

/// A call that was under way when the breaker opened fails late, one that was not made makes room for another.
#[test]
fn what_was_permitted_earlier_does_not_count() {
    let mut breaker = CircuitBreaker::new(&small());
    let early: Vec<_> = (0..6).map(|_| ticket(&mut breaker, 0)).collect();
    (1..5).for_each(|number| {
        call(&mut breaker, number, FAILED);
    });
    let mut tickets: Vec<_> = (0..3).map(|_| ticket(&mut breaker, 200)).collect();
    early.iter().for_each(|&ticket| breaker.ended(at(201), ticket, FAILED));
    early.iter().for_each(|&ticket| breaker.released(ticket));
    assert_eq!((breaker.state(), breaker.permit(at(201))), (State::HalfOpen, Permit::No));
    breaker.released(tickets.remove(0));
    tickets.push(ticket(&mut breaker, 202));
    tickets.into_iter().for_each(|ticket| breaker.ended(at(203), ticket, OK));
    assert_eq!(breaker.state(), State::Closed);
}

/// Half-open at 200 ms for at most 50, it was open again from 250 ms on, and half-open at the first call from 350 on.
#[test]
fn half_open_has_an_end() {
    let settings = CircuitBreakerSettings { max_wait_duration_in_half_open_state: ms(50), ..small() };
    let mut breaker = CircuitBreaker::new(&settings);
    (0..4).for_each(|number| {
        call(&mut breaker, number, FAILED);
    });
    let late = ticket(&mut breaker, 200);
    breaker.ended(at(250), late, OK);
    assert_eq!(breaker.state(), State::Open);
    assert_eq!(breaker.permit(at(349)), Permit::No);
    assert!(matches!(breaker.permit(at(350)), Permit::Yes(_)));
}

/// Ten slices of one second: failures of the first are gone when the eleventh begins.
#[test]
fn a_window_of_time_forgets() {
    let settings = CircuitBreakerSettings { sliding_window_size: WindowSize::Time(secs(10)), ..small() };
    for (later, expected) in [(9_999, State::Open), (10_000, State::Closed)] {
        let mut breaker = CircuitBreaker::new(&settings);
        (0..3).for_each(|_| {
            call(&mut breaker, 500, FAILED);
        });
        assert_eq!(call(&mut breaker, later, FAILED), expected);
    }
}

/// The rules again, with all calls kept.
struct Naive {
    settings: CircuitBreakerSettings,
    state: State,
    since: u64,
    epoch: u32,
    passed: u32,
    /// When each call of this state ended, whether it failed and was slow.
    ended: Vec<(u64, bool, bool)>,
}

impl Naive {
    fn turn(&mut self, to: State, now: u64) {
        (self.state, self.since, self.passed) = (to, now, 0);
        self.epoch += 1;
        self.ended.clear();
    }

    fn permit(&mut self, now: u64) -> Option<u32> {
        self.expire(now);
        if self.state == State::Open && now >= self.since + self.settings.wait_duration_in_open_state.as_nanos() {
            self.turn(State::HalfOpen, now);
        }
        let is_permitted = match self.state {
            State::Closed => true,
            State::Open => false,
            State::HalfOpen => self.passed < self.settings.permitted_number_of_calls_in_half_open_state.get(),
        };
        self.passed += u32::from(is_permitted);
        is_permitted.then_some(self.epoch)
    }

    fn expire(&mut self, now: u64) {
        let longest = self.settings.max_wait_duration_in_half_open_state.as_nanos();
        if self.state == State::HalfOpen && longest > 0 && now >= self.since + longest {
            self.turn(State::Open, self.since + longest);
        }
    }

    fn ended(&mut self, now: u64, epoch: u32, outcome: Outcome) {
        self.expire(now);
        if epoch != self.epoch {
            return;
        }
        self.ended.push((now, !outcome.ok, outcome.took > self.settings.slow_call_duration_threshold));
        let newest = |calls: NonZeroU32| self.ended.len().saturating_sub(calls.get() as usize);
        let minimum = self.settings.minimum_number_of_calls;
        let (counted, enough): (Vec<_>, _) = match (self.state, self.settings.sliding_window_size) {
            (State::HalfOpen, _) => {
                let calls = self.settings.permitted_number_of_calls_in_half_open_state;
                (self.ended[newest(calls)..].to_vec(), minimum.min(calls))
            }
            (_, WindowSize::Calls(calls)) => (self.ended[newest(calls)..].to_vec(), minimum.min(calls)),
            (_, WindowSize::Time(window)) => {
                let slice = window.as_nanos() / 10;
                let oldest = (now / slice).saturating_sub(9);
                (self.ended.iter().copied().filter(|call| call.0 / slice >= oldest).collect(), minimum)
            }
        };
        if counted.len() < enough.get() as usize {
            return;
        }
        let share = |part: usize| part as f64 / counted.len() as f64;
        let is_bad = share(counted.iter().filter(|call| call.1).count()) >= 0.5
            || share(counted.iter().filter(|call| call.2).count()) >= 0.75;
        match (self.state, is_bad) {
            (_, true) => self.turn(State::Open, now),
            (State::HalfOpen, false) => self.turn(State::Closed, now),
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(fixed())]

    /// Under any sequence of calls, it does what the rules say, and its state moves along the diagram: closed to open, open to
    /// half-open, half-open to either. Half-open, no more calls pass than are permitted.
    #[test]
    fn it_agrees_with_a_naive_model(
        steps in vec((0_u64..60, any::<bool>(), 0_u64..10, 0_usize..8), 1..400),
        by_time: bool, calls in 1_u32..12, minimum in 1_u32..12, permitted in 1_u32..5, longest in 0_u64..150,
    ) {
        let settings = CircuitBreakerSettings {
            slow_call_rate_threshold: percent(75.0),
            slow_call_duration_threshold: ms(7),
            permitted_number_of_calls_in_half_open_state: count(permitted),
            max_wait_duration_in_half_open_state: ms(longest),
            sliding_window_size: if by_time { WindowSize::Time(ms(500)) } else { WindowSize::Calls(count(calls)) },
            minimum_number_of_calls: count(minimum),
            wait_duration_in_open_state: ms(100),
            ..CircuitBreakerSettings::default()
        };
        let mut naive = Naive {
            settings: settings.clone(), state: State::Closed, since: 0, epoch: 0, passed: 0, ended: vec![],
        };
        let (mut breaker, mut now, mut open) = (CircuitBreaker::new(&settings), 0, vec![]);
        let (mut before, mut passed) = (State::Closed, (0, 0));
        for (after, is_new, took, place) in steps {
            now += after * 1_000_000;
            let time = Time::from_nanos(now);
            if is_new || open.is_empty() {
                match (breaker.permit(time), naive.permit(now)) {
                    (Permit::Yes(ticket), Some(epoch)) => {
                        passed = if passed.0 == epoch { (epoch, passed.1 + 1) } else { (epoch, 1) };
                        prop_assert!(breaker.state() != State::HalfOpen || passed.1 <= permitted);
                        open.push((ticket, epoch));
                    }
                    (Permit::No, None) => {}
                    (ours, theirs) => prop_assert!(false, "{ours:?}, not {theirs:?}"),
                }
            } else {
                let (ticket, epoch) = open.swap_remove(place % open.len());
                let outcome = Outcome { ok: took % 3 > 0, took: ms(took) };
                breaker.ended(time, ticket, outcome);
                naive.ended(now, epoch, outcome);
            }
            let state = breaker.state();
            prop_assert_eq!(state, naive.state);
            // Half-open may have ended by itself before a call makes it half-open again.
            let is_on_the_way = state == before || matches!(
                (before, state),
                (State::Closed, State::Open) | (State::Open, State::HalfOpen) | (State::HalfOpen, _)
            );
            prop_assert!(is_on_the_way, "from {before:?} to {state:?}");
            before = state;
        }
    }
}
