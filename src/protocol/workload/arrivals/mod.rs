//! Arrival processes: how requests are spread around their mean rate.
//!
//! A process is made of three parts, each with a neutral value. The *gaps* are a law of mean one, drawn anew for each arrival.
//! The *states* make everything faster or slower for a while, for all nodes of a group at once. A *batch* is how many requests
//! come with one arrival.

mod states;

use crate::base::distribution::{Distribution, DistributionError};
use crate::base::random::{Block, Uniform};
use crate::base::time::Span;
use crate::protocol::family::family;

pub use batches::BatchLaw;
pub use states::{States, Stay};

family! { $
    /// How arrivals are spread: plain data.
    ArrivalPolicy,
    /// How arrivals are spread, under any [`ArrivalPolicy`].
    AnyArrivals, ARRIVALS, each_process;
    poisson: Poisson, PoissonSettings;
    even: Even, EvenSettings;
    gamma: Gamma, GammaSettings;
    mmpp: Mmpp, MmppSettings;
    on_off: OnOff, OnOffSettings;
    batches: Batches, BatchesSettings;
}

impl Default for ArrivalPolicy {
    fn default() -> Self {
        Self::Poisson(PoissonSettings {})
    }
}

/// How arrivals are spread around their mean rate.
pub trait Arrivals {
    /// The law of the gaps at one node.
    fn gaps(&self) -> Gaps {
        Gaps::Exponential
    }

    /// What makes all nodes faster and slower, if something does.
    fn states(&self) -> Option<&States> {
        None
    }

    /// How many requests come at once, if it is not always one.
    fn batch(&self) -> Option<Batch> {
        None
    }
}

impl Arrivals for AnyArrivals {
    fn gaps(&self) -> Gaps {
        each_process!(self, process => process.gaps())
    }

    fn states(&self) -> Option<&States> {
        each_process!(self, process => process.states())
    }

    fn batch(&self) -> Option<Batch> {
        each_process!(self, process => process.batch())
    }
}

/// The law of the gaps between the arrivals at one node.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Gaps {
    /// All the same.
    Even,
    /// Without memory.
    Exponential,
    /// As sums of this many exponential phases, which may be a fraction.
    Gamma(f64),
}

impl Gaps {
    /// The gaps as times of this mean; nothing if they do not vary, so that nothing is drawn.
    ///
    /// # Errors
    /// If the mean is zero.
    pub fn law(self, mean: Span) -> Result<Option<Distribution>, DistributionError> {
        match self {
            Self::Even => Ok(None),
            Self::Exponential => Distribution::exponential(mean).map(Some),
            Self::Gamma(shape) => Distribution::gamma(shape, mean).map(Some),
        }
    }

    /// The time from any moment to the next arrival, as if arrivals had always been: nothing if that is a gap like any other.
    ///
    /// A moment falls into a gap as likely as that is long, and anywhere in it: with gamma gaps, into one of a shape that is
    /// one more.
    ///
    /// # Errors
    /// If the mean is zero.
    pub fn first(self, mean: Span) -> Result<Option<FirstGap>, DistributionError> {
        let Self::Gamma(shape) = self else { return Ok(None) };
        let longer = Span::from_nanos_f64(mean.as_nanos() as f64 * (shape + 1.0) / shape);
        Ok(Some(FirstGap(Distribution::gamma(shape + 1.0, longer)?)))
    }
}

/// The law of the time to the first arrival.
#[derive(Clone, PartialEq, Debug)]
pub struct FirstGap(Distribution);

impl FirstGap {
    /// The time that these draws stand for.
    pub fn sample(&self, draws: Block) -> Span {
        let gap = self.0.sample(draws.first()).as_nanos() as f64;
        Span::from_nanos_f64(gap * draws.second().open01())
    }
}

/// How many requests come with one arrival.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Batch {
    law: BatchLaw,
    mean: f64,
}

impl Batch {
    /// The mean number.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The number that this draw stands for, at least one.
    pub fn size(&self, draw: Uniform) -> u64 {
        match self.law {
            BatchLaw::Constant => self.mean as u64,
            // By inversion: more than k of them with probability (1 - 1/mean)^k.
            BatchLaw::Geometric if self.mean > 1.0 => {
                let tail = libm::log(draw.open01()) / libm::log1p(-1.0 / self.mean);
                libm::ceil(tail).max(1.0) as u64
            }
            BatchLaw::Geometric => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::Entity;
    use crate::base::random::Seed;
    use crate::base::time::{Time, ms};
    use crate::protocol::laws::draws;

    /// Requests until `end`, in nanoseconds, at a rate of ten per second, as a client would play them.
    fn played(process: &AnyArrivals, seed: u64, end: f64) -> f64 {
        let batch = process.batch();
        let mean = Span::from_nanos_f64(1e8 * batch.map_or(1.0, |batch| batch.mean()));
        let law = process.gaps().law(mean).unwrap();
        let (key, mut draw) = (Seed(seed).key("states"), draws(seed));
        let block = |index| key.block(Entity::default(), index);
        let states = process.states();
        let mut stay = states.map(|states| states.first(block(0)));
        // What the clock of arrivals shows at the end.
        let mut shown = 0.0;
        let mut at = 0.0;
        while at < end {
            let (until, factor) = match (states, &stay) {
                (Some(states), Some(stay)) => (stay.end.as_nanos() as f64, states.factor(stay)),
                _ => (end, 1.0),
            };
            shown += (until.min(end) - at) * factor;
            at = until;
            stay = stay.zip(states).map(|(stay, states)| states.next(&stay, block(stay.index + 1)));
        }
        let (mut due, mut count) = (0.0, 0.0);
        loop {
            due += law.as_ref().map_or(mean, |law| law.sample(draw())).as_nanos() as f64;
            if due > shown {
                return count;
            }
            count += batch.map_or(1, |batch| batch.size(draw())) as f64;
        }
    }

    /// Whatever the process, the rate is the mean. The least regular one is on for 1 s and off for 9 s: its rate, relative to
    /// the mean, has the variance 9 and a memory of 0.9 s, so that the count in 40 000 s has a relative variance of
    /// 2 x 9 x 0.9 / 40000, beside that of Poisson, 1 / 400000: a standard error of 2 %.
    #[test]
    fn every_process_keeps_its_mean_rate() {
        for listing in ARRIVALS {
            let process = listing.example().start();
            let total: f64 = (0..40).map(|seed| played(&process, seed, 1e12)).sum();
            assert!((total / 4e5 - 1.0).abs() < 0.08, "{}: {total}", listing.name);
        }
    }

    /// With a coefficient of variation of c, the first arrival comes after (1 + c^2) / 2 gaps in the mean: the paradox of waiting.
    #[test]
    fn a_moment_falls_into_long_gaps_more_often() {
        let gaps = Gaps::Gamma(0.25);
        let first = gaps.first(ms(10)).unwrap().unwrap();
        let key = Seed(1).key("first");
        let total: f64 =
            (0..100_000).map(|index| first.sample(key.block(Entity::default(), index)).as_nanos() as f64 / 1e6).sum();
        // Its variance is E X^3 / (3 E X) - mean^2 = 625 (E X^3 = 0.25 x 1.25 x 2.25 x 40^3 = 45000: 1500 - 625 = 875).
        assert!((total / 1e5 - 25.0).abs() < 4.0 * libm::sqrt(875.0 / 1e5), "{total}");
        assert_eq!(Gaps::Exponential.first(ms(10)), Ok(None));
    }

    /// Sizes of mean 4: more than 4 with probability 0.75^4.
    #[test]
    fn batches_have_their_mean() {
        let mut draw = draws(3);
        let batch = Batch { law: BatchLaw::Geometric, mean: 4.0 };
        let sizes: Vec<_> = (0..100_000).map(|_| batch.size(draw())).collect();
        let mean = sizes.iter().sum::<u64>() as f64 / 1e5;
        // The variance of a geometric number is (1 - p) / p^2 = 12.
        assert!((mean - 4.0).abs() < 4.0 * libm::sqrt(12.0 / 1e5), "{mean}");
        let more = sizes.iter().filter(|size| **size > 4).count() as f64 / 1e5;
        assert!((more - 0.316_406).abs() < 4.0 * libm::sqrt(0.3164 * 0.6836 / 1e5), "{more}");
        assert_eq!(sizes.iter().min(), Some(&1));
        assert_eq!(Batch { law: BatchLaw::Constant, mean: 3.0 }.size(draw()), 3);
    }

    #[test]
    fn states_begin_at_the_beginning() {
        for listing in ARRIVALS {
            if let Some(states) = listing.example().start().states() {
                let stay = states.first(Seed(1).key("states").block(Entity::default(), 0));
                assert_eq!(stay.start, Time::ZERO, "{}", listing.name);
            }
        }
    }
}
