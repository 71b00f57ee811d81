//! A hidden state that makes everything faster or slower for a while.
//!
//! In each state it stays for an exponential time and goes on to any of the others, each as likely. As every state is entered
//! equally often, its share of time is its mean stay over the sum of all. Factors are given relative to each other and brought
//! to a mean of one over time, so that states change when arrivals come and not how many.
//!
//! The path is a function of addressed draws, one block for each stay: whoever walks along it, walks along the same one.

use crate::base::distribution::Distribution;
use crate::base::random::{Block, Uniform};
use crate::base::time::{Span, Time};

/// The states.
#[derive(Clone, PartialEq, Debug)]
pub struct States {
    states: Vec<State>,
    peak: f64,
}

#[derive(Clone, PartialEq, Debug)]
struct State {
    /// How fast it is, relative to the mean.
    factor: f64,
    /// Its share of time.
    share: f64,
    /// How long a stay is.
    stay: Distribution,
}

/// A stay in one of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stay {
    /// The first has number 0.
    pub index: u64,
    /// When it begins.
    pub start: Time,
    /// When it ends, and the next begins.
    pub end: Time,
    state: u32,
}

impl States {
    /// States with these rates relative to each other, and these mean stays.
    ///
    /// # Errors
    /// What is wrong with them, as the end of a sentence.
    pub fn new(states: &[(f64, Span)]) -> Result<Self, String> {
        let total: f64 = states.iter().map(|(_, stay)| stay.as_secs_f64()).sum();
        let mean: f64 = states.iter().map(|(rate, stay)| rate * stay.as_secs_f64() / total).sum();
        if states.len() < 2 {
            return Err("needs two states or more".into());
        }
        let made = states.iter().map(|&(rate, stay)| {
            let share = stay.as_secs_f64() / total;
            let stay = Distribution::exponential(stay).map_err(|_| "needs stays longer than zero".to_owned())?;
            Ok(State { factor: rate / mean, share, stay })
        });
        let states = made.collect::<Result<Vec<State>, String>>()?;
        let peak = states.iter().map(|state| state.factor).fold(0.0, f64::max);
        Ok(Self { states, peak })
    }

    /// How much faster than in the mean a stay is.
    pub fn factor(&self, stay: &Stay) -> f64 {
        self.states[stay.state as usize].factor
    }

    /// The highest factor.
    pub fn peak(&self) -> f64 {
        self.peak
    }

    /// How fast a stay is, relative to the fastest.
    pub fn pace(&self, stay: &Stay) -> f64 {
        self.factor(stay) / self.peak
    }

    /// The mean length of all stays, in nanoseconds.
    pub fn mean_stay(&self) -> f64 {
        self.states.iter().map(|state| state.stay.mean()).sum::<f64>() / self.states.len() as f64
    }

    /// The stay that is under way at the start, as if it had always been so: in each state with its share of time, and as
    /// exponential times have no memory, as long as a whole one.
    pub fn first(&self, draws: Block) -> Stay {
        let mut left = draws.second().open01();
        let state = self.states.iter().position(|state| {
            left -= state.share;
            left < 0.0
        });
        self.stay(0, Time::ZERO, state.unwrap_or(self.states.len() - 1), draws.first())
    }

    /// The stay after this one.
    pub fn next(&self, stay: &Stay, draws: Block) -> Stay {
        let others = self.states.len() as u64 - 1;
        let step = 1 + draws.second().below(others) as usize;
        self.stay(stay.index + 1, stay.end, (stay.state as usize + step) % self.states.len(), draws.first())
    }

    fn stay(&self, index: u64, start: Time, state: usize, draw: Uniform) -> Stay {
        let length = self.states[state].stay.sample(draw).max(Span::from_nanos(1));
        Stay { index, start, end: start + length, state: state as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::Entity;
    use crate::base::random::Seed;
    use crate::base::time::{ms, secs};

    /// Stays of 6 s, 3 s and 1 s: shares of time 0.6, 0.3 and 0.1; rates 1, 2 and 8 have the mean 2.
    #[test]
    fn each_state_has_its_share_of_time() {
        let states = States::new(&[(1.0, secs(6)), (2.0, secs(3)), (8.0, secs(1))]).unwrap();
        let key = Seed(5).key("states");
        let mut stay = states.first(key.block(Entity::default(), 0));
        let mut time = [0.0; 3];
        for index in 1..100_000 {
            time[stay.state as usize] += stay.end.since(stay.start).as_secs_f64();
            assert!([0.5, 1.0, 4.0].iter().any(|factor| (states.factor(&stay) / factor - 1.0).abs() < 1e-12));
            let next = states.next(&stay, key.block(Entity::default(), index));
            assert_eq!((next.start, next.index), (stay.end, index));
            assert_ne!(next.state, stay.state);
            stay = next;
        }
        let total: f64 = time.iter().sum();
        // A state's time is a sum of some 33 000 exponential stays: a relative error of 0.6 %.
        for (time, share) in time.into_iter().zip([0.6, 0.3, 0.1]) {
            assert!((time / total / share - 1.0).abs() < 0.03, "{time} of {total} for {share}");
        }
        assert!((states.peak() - 4.0).abs() < 1e-12);
    }

    #[test]
    fn the_first_state_is_drawn_by_share() {
        let states = States::new(&[(1.0, ms(900)), (0.0, ms(100))]).unwrap();
        let key = Seed(5).key("states");
        let on = (0..10_000).filter(|&run| states.first(key.block(Entity::default(), run)).state == 0).count();
        assert!((on as f64 / 1e4 - 0.9).abs() < 4.0 * 0.003, "{on}");
    }

    #[test]
    fn one_state_is_no_state() {
        assert!(States::new(&[(1.0, ms(1))]).is_err());
        assert!(States::new(&[(1.0, ms(1)), (1.0, Span::ZERO)]).is_err());
    }
}
