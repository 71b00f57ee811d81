//! Weights: how much each member of a group gets, compared with the others.
//!
//! A scenario writes them as any numbers, such as 1, 0.5 and 2. Here they are whole numbers in the same proportions, so that
//! shares are exact and a round comes to an end.

use std::num::NonZeroU32;

use super::BalanceError;
use crate::base::settings::{Kind, Setting, Value, mismatch};

/// One weight for each member, none of them zero.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Weights(Vec<NonZeroU32>);

impl Weights {
    /// These weights; none if one of them is zero.
    pub fn new(weights: &[u32]) -> Option<Self> {
        weights.iter().map(|&weight| NonZeroU32::new(weight)).collect::<Option<_>>().map(Self)
    }

    /// Whole numbers in the same proportions as `written`; none if they have no common measure of nine digits at most.
    pub fn of_numbers(written: &[f64]) -> Option<Self> {
        const EXACT: f64 = 1e-6;
        let scaled = |weight: f64, scale: f64| {
            let exact = weight * scale;
            let whole = libm::round(exact);
            let fits = (1.0..=f64::from(u32::MAX)).contains(&whole) && libm::fabs(exact - whole) < EXACT;
            if fits { NonZeroU32::new(whole as u32) } else { None }
        };
        (0..=9).find_map(|places| {
            let scale = f64::from(10_u32.pow(places));
            written.iter().map(|&weight| scaled(weight, scale)).collect::<Option<_>>().map(Self)
        })
    }

    /// All weights, one for each of `members`.
    ///
    /// # Errors
    /// If there are more or fewer.
    pub fn each(&self, members: NonZeroU32) -> Result<&[NonZeroU32], BalanceError> {
        if self.0.len() == members.get() as usize {
            return Ok(&self.0);
        }
        Err(BalanceError::Weights { weights: self.0.len(), members: members.get() })
    }

    /// The weights there are for `members`, or one for each.
    pub(super) fn or_equal(weights: Option<&Self>, members: NonZeroU32) -> Result<Vec<NonZeroU32>, BalanceError> {
        match weights {
            Some(weights) => weights.each(members).map(<[_]>::to_vec),
            None => Ok(vec![NonZeroU32::MIN; members.get() as usize]),
        }
    }

    /// Each weight's share of all, for `members`.
    pub(super) fn shares(weights: Option<&Self>, members: NonZeroU32) -> Option<Vec<f64>> {
        let weights = Self::or_equal(weights, members).ok()?;
        let all: f64 = weights.iter().map(|weight| f64::from(weight.get())).sum();
        Some(weights.iter().map(|weight| f64::from(weight.get()) / all).collect())
    }
}

impl Setting for Weights {
    const KIND: Kind = <Vec<f64>>::KIND;

    fn read(value: Value) -> Result<Self, String> {
        let found = value.clone();
        let numbers = <Vec<f64>>::read(value).map_err(|_| mismatch(&found))?;
        Self::of_numbers(&numbers).ok_or_else(|| {
            "has no common measure: weights are numbers of at most nine digits in all, such as 2 or 0.25".into()
        })
    }

    fn write(&self) -> Option<Value> {
        Some(Value::List(self.0.iter().map(|weight| Value::Number(weight.get().into())).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_become_whole_numbers_in_the_same_proportions() {
        assert_eq!(Weights::of_numbers(&[0.25, 1.0, 3.0]), Weights::new(&[25, 100, 300]));
        assert_eq!(Weights::of_numbers(&[1.0, 2.0, 1.0 / 3.0]), None);
        assert_eq!(Weights::new(&[1, 0]), None);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let weights = Weights::new(&[3, 1]).unwrap();
        assert_eq!(Weights::read(weights.write().unwrap()), Ok(weights));
    }

    #[test]
    fn there_is_one_for_each_member() {
        let three = NonZeroU32::new(3).unwrap();
        let error = Weights::new(&[1, 2]).unwrap().each(three).unwrap_err();
        assert_eq!(error.to_string(), "2 weights for 3 members");
        assert_eq!(Weights::shares(None, three), Some(vec![1.0 / 3.0; 3]));
    }
}
