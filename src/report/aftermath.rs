//! What the strikes of a fault did to a flow, over all strikes of all runs.

use crate::metrics::recovery::{After, Aftermath};

/// What followed the strikes of a fault for a flow.
#[derive(Clone, Debug)]
pub(super) struct FlowAftermath {
    pub fault: String,
    pub strikes: Vec<Aftermath>,
}

/// Values of all strikes as one.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Values {
    /// Strikes that have a value, and an end.
    pub count: u64,
    /// Infinite if one of them is; none if there is none.
    pub mean: Option<f64>,
    /// As the mean.
    pub max: Option<f64>,
}

impl Values {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let (mut count, mut all, mut sum, mut max) = (0, 0_u64, 0.0, f64::NEG_INFINITY);
        for value in values {
            count += u64::from(value.is_finite());
            all += 1;
            sum += value;
            max = f64::max(max, value);
        }
        let if_any = |value: f64| (all > 0).then_some(value);
        Self { count, mean: if_any(sum / all.max(1) as f64), max: if_any(max) }
    }
}

impl FlowAftermath {
    fn times(&self, of: impl Fn(&Aftermath) -> After) -> Values {
        Values::of(self.strikes.iter().filter_map(|strike| of(strike).nanos()))
    }

    pub fn detect(&self) -> Values {
        self.times(|strike| strike.detect)
    }

    pub fn failover(&self) -> Values {
        self.times(|strike| strike.failover)
    }

    pub fn recovery(&self) -> Values {
        self.times(|strike| strike.recovery)
    }

    pub fn goodput_lost(&self) -> Values {
        Values::of(self.strikes.iter().map(|strike| strike.goodput_lost))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_comes_is_infinite_and_not_counted() {
        let values = Values::of([2.0, f64::INFINITY].into_iter());
        assert_eq!(values, Values { count: 1, mean: Some(f64::INFINITY), max: Some(f64::INFINITY) });
        assert_eq!(Values::of([2.0, 4.0].into_iter()), Values { count: 2, mean: Some(3.0), max: Some(4.0) });
        assert_eq!(Values::of(std::iter::empty()), Values { count: 0, mean: None, max: None });
    }
}
