//! What the strikes of a fault did to a flow, over all strikes of all runs.

use crate::metrics::recovery::Aftermath;

/// What followed the strikes of a fault for a flow.
#[derive(Clone, Debug)]
pub(super) struct FlowAftermath {
    pub fault: String,
    /// How many there were.
    pub strikes: u64,
    pub detect: Values,
    pub failover: Values,
    pub recovery: Values,
    pub goodput_lost: Values,
}

/// Values of all strikes as one.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Values {
    /// Strikes that have a value, and an end.
    pub count: u64,
    /// Those that have an infinite one as well.
    all: u64,
    sum: f64,
    max: f64,
}

impl Values {
    fn add(&mut self, value: f64) {
        self.max = if self.all == 0 { value } else { f64::max(self.max, value) };
        self.count += u64::from(value.is_finite());
        self.all += 1;
        self.sum += value;
    }

    /// Infinite if one of them is; none if there is none.
    pub fn mean(&self) -> Option<f64> {
        (self.all > 0).then(|| self.sum / self.all as f64)
    }

    /// As the mean.
    pub fn max(&self) -> Option<f64> {
        (self.all > 0).then_some(self.max)
    }
}

impl FlowAftermath {
    /// Nothing has followed this fault yet.
    pub fn of(fault: &str) -> Self {
        let none = Values::default();
        Self { fault: fault.into(), strikes: 0, detect: none, failover: none, recovery: none, goodput_lost: none }
    }

    /// Takes in what followed the next strike.
    pub fn add(&mut self, after: &Aftermath) {
        self.strikes += 1;
        for (values, after) in [
            (&mut self.detect, after.detect),
            (&mut self.failover, after.failover),
            (&mut self.recovery, after.recovery),
        ] {
            after.nanos().into_iter().for_each(|nanos| values.add(nanos));
        }
        self.goodput_lost.add(after.goodput_lost);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_comes_is_infinite_and_not_counted() {
        let told = |list: &[f64]| {
            let mut values = Values::default();
            list.iter().for_each(|&value| values.add(value));
            (values.count, values.mean(), values.max())
        };
        assert_eq!(told(&[2.0, f64::INFINITY]), (1, Some(f64::INFINITY), Some(f64::INFINITY)));
        assert_eq!(told(&[2.0, 4.0]), (2, Some(3.0), Some(4.0)));
        assert_eq!(told(&[]), (0, None, None));
    }
}
