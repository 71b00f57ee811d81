//! What one run has to say about a quantity, such that what several say can be put together: counts are added and histograms pooled,
//! so that no percentile is ever made of percentiles.

use serde::{Deserialize, Serialize};

use crate::base::time::Span;
use crate::metrics::Histogram;
use crate::scenario::condition::Amount;
use crate::scenario::quantity::Statistic;

/// What a run, or several together, have to say about a quantity.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
pub enum Partial {
    /// There was nothing to measure.
    #[default]
    Nothing,
    /// A sum, and what it is divided by: messages, seconds, runs.
    Ratio {
        /// The sum.
        sum: f64,
        /// What it is divided by.
        over: f64,
    },
    /// The largest of some values.
    Most(f64),
    /// The smallest of some values.
    Least(f64),
    /// Times, among so many; those that are missing are slower than any.
    Times {
        /// The times.
        times: Histogram,
        /// How many there are, with those that are missing.
        population: u64,
    },
}

impl Partial {
    /// A count over what it is divided by.
    pub(super) fn ratio(sum: f64, over: f64) -> Self {
        Self::Ratio { sum, over }
    }

    /// Adds what another run has to say about the same quantity. The order matters to the last digit where sums are not whole.
    ///
    /// # Panics
    /// If it is about another quantity.
    pub fn add(&mut self, other: &Self) {
        match (&mut *self, other) {
            (_, Self::Nothing) => {}
            (Self::Nothing, _) => *self = other.clone(),
            (Self::Ratio { sum, over }, Self::Ratio { sum: more, over: of }) => {
                *sum += more;
                *over += of;
            }
            (Self::Most(most), Self::Most(value)) => *most = most.max(*value),
            (Self::Least(least), Self::Least(value)) => *least = least.min(*value),
            (Self::Times { times, population }, Self::Times { times: more, population: of }) => {
                times.merge(more);
                *population += of;
            }
            _ => unreachable!("one quantity is always measured in the same way"),
        }
    }

    /// How many there were to count, where the value is a share of them: each is one of them or not.
    pub(super) fn counted(&self, statistic: Statistic) -> Option<u64> {
        match (self, statistic) {
            (Self::Ratio { sum, over }, Statistic::Share) => {
                let is_whole = libm::trunc(*sum) == *sum && libm::trunc(*over) == *over;
                (is_whole && 0.0 <= *sum && sum <= over && *over > 0.0).then_some(*over as u64)
            }
            (Self::Times { population, .. }, Statistic::Under(_) | Statistic::AtLeast(_)) => {
                (*population > 0).then_some(*population)
            }
            _ => None,
        }
    }

    /// The value; none where there was nothing to measure, infinite where a percentile lies among what is missing.
    pub fn value(&self, statistic: Statistic) -> Option<f64> {
        match self {
            Self::Nothing => None,
            Self::Ratio { sum, over } => (*over > 0.0).then(|| sum / over),
            Self::Most(value) | Self::Least(value) => Some(*value),
            Self::Times { times, population } => of_times(times, *population, statistic),
        }
    }
}

/// A statistic of times, in nanoseconds; `population` counts also those that are slower than any.
fn of_times(times: &Histogram, population: u64, statistic: Statistic) -> Option<f64> {
    let limit = |amount: Amount| match amount {
        Amount::Time(limit) => limit,
        _ => Span::ZERO,
    };
    let below = |amount| times.below(limit(amount)) as f64 / population as f64;
    let is_whole = times.count() == population;
    match statistic {
        _ if population == 0 => None,
        Statistic::Percentile(percentile) => {
            Some(times.quantile_among(percentile.share(), population).unwrap_or(f64::INFINITY))
        }
        Statistic::Under(amount) => Some(below(amount)),
        Statistic::AtLeast(amount) => Some(1.0 - below(amount)),
        Statistic::Max | Statistic::Mean | Statistic::Sd | Statistic::Cv if !is_whole => Some(f64::INFINITY),
        Statistic::Mean => times.mean(),
        Statistic::Sd => times.deviation(),
        Statistic::Cv => Some(times.deviation()? / times.mean()?),
        Statistic::Min => times.min().map(|min| min.as_nanos() as f64),
        Statistic::Max => times.max().map(|max| max.as_nanos() as f64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::ms;
    use crate::scenario::quantity::Quantity;

    fn times(values: &[u64]) -> Histogram {
        let mut times = Histogram::default();
        values.iter().for_each(|&value| times.record(ms(value)));
        times
    }

    /// One run's median is 1 ms and the other's 9 ms; of both together, five of eight are at 1 ms.
    #[test]
    fn a_percentile_is_that_of_all_runs_and_not_one_of_percentiles() {
        let median = Quantity::parse("latency.p50").expect("it is a quantity").statistic;
        let all = |times: Histogram| Partial::Times { population: times.count(), times };
        let mut both = all(times(&[1, 1, 1, 1, 1]));
        both.add(&Partial::Nothing);
        both.add(&all(times(&[9, 9, 9])));
        assert_eq!(both.value(median), Some(1e6));
        // Of ten more, nobody knows how long they took: the median is among them.
        both.add(&Partial::Times { times: Histogram::default(), population: 10 });
        assert_eq!(both.value(median), Some(f64::INFINITY));
    }

    #[test]
    fn shares_are_of_all_messages_together() {
        let mut share = Partial::ratio(1.0, 2.0);
        share.add(&Partial::ratio(8.0, 8.0));
        assert_eq!(share.value(Statistic::Share), Some(0.9));
        assert_eq!(Partial::ratio(0.0, 0.0).value(Statistic::Share), None);
        let mut most = Partial::Most(3.0);
        most.add(&Partial::Most(2.0));
        assert_eq!(most.value(Statistic::Max), Some(3.0));
    }
}
