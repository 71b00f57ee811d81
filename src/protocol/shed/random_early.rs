//! At random, before the queue is full: random early detection.

use super::{Arriving, Shed};
use crate::base::probability::Probability;
use crate::base::random::Uniform;
use crate::base::settings::Settings;
use crate::settings;

settings! {
    /// Turns requests away at random, the more the longer the queue: none below `from`, a share that grows evenly to
    /// `max-probability` at `to`, and all from there on. Callers notice that the queue grows before it is full, some now and some later,
    /// rather than all together. It costs a few requests that would have found room.
    pub struct RandomEarlySettings = "random-early",
        "Floyd and Jacobson, Random early detection gateways for congestion avoidance, IEEE/ACM ToN 1(4), 1993" {
        /// So many wait before anybody is turned away.
        from: u32, required = 50,
        /// When so many wait, everybody is turned away.
        to: u32, required = 100,
        /// The share that is turned away just before that (Floyd and Jacobson: 2 %, for packets).
        max_probability: Probability = Probability::ONE,
        /// How much the newest length counts in the mean length that is looked at, from 0 to 1 (Floyd and Jacobson: 0.002, for
        /// packets); 1 looks at the length itself.
        weight: f64 = 1.0,
    }
}

impl Settings for RandomEarlySettings {
    fn check(&self) -> Result<(), String> {
        if self.from >= self.to {
            return Err("needs a `from` below its `to`".into());
        }
        if self.weight <= 1.0 { Ok(()) } else { Err("needs a `weight` of at most 1".into()) }
    }
}

/// The mean length of a queue, and what it means.
#[derive(Clone, Debug)]
pub struct RandomEarly {
    from: f64,
    to: f64,
    max_probability: f64,
    weight: f64,
    mean: f64,
}

impl RandomEarly {
    /// Nobody has waited yet.
    pub fn new(settings: &RandomEarlySettings) -> Self {
        let RandomEarlySettings { from, to, max_probability, weight } = *settings;
        let max_probability = max_probability.value();
        Self { from: from.into(), to: to.into(), max_probability, weight, mean: 0.0 }
    }
}

impl Shed for RandomEarly {
    fn admits(&mut self, arriving: &Arriving, draw: impl Fn() -> Uniform) -> bool {
        self.mean += self.weight * (f64::from(arriving.waiting) - self.mean);
        if self.mean < self.from {
            return true;
        }
        if self.mean >= self.to {
            return false;
        }
        let share = self.max_probability * (self.mean - self.from) / (self.to - self.from);
        draw().open01() >= share
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::laws::draws;

    fn asked(shed: &mut RandomEarly, waiting: u32, luck: Uniform) -> bool {
        shed.admits(&Arriving { waiting, busy: 1, workers: Some(1), priority: 0, left: None }, || luck)
    }

    /// Half way between 10 and 30 half of 40 % is turned away: 2000 of 10 000, with a standard deviation of 40.
    #[test]
    fn the_share_grows_evenly() {
        let max_probability = Probability::new(0.4).unwrap();
        let mut shed = RandomEarly::new(&RandomEarlySettings { from: 10, to: 30, max_probability, weight: 1.0 });
        let mut draw = draws(1);
        assert!((0..1_000).all(|_| asked(&mut shed, 9, draw())));
        assert!((0..1_000).all(|_| asked(&mut shed, 10, draw())), "the share begins at nothing");
        assert!((0..1_000).all(|_| !asked(&mut shed, 30, draw())));
        let away = (0..10_000).filter(|_| !asked(&mut shed, 20, draw())).count();
        assert!(away.abs_diff(2_000) < 200, "{away}");
    }

    /// A weight of a half: the mean is 20 after one look at 40, and 30 after two.
    #[test]
    fn a_mean_length_forgives_a_burst() {
        let settings = RandomEarlySettings { from: 29, to: 30, weight: 0.5, ..Default::default() };
        let mut shed = RandomEarly::new(&settings);
        assert_eq!([40, 40].map(|waiting| asked(&mut shed, waiting, Uniform::from_bits(u64::MAX))), [true, false]);
    }
}
