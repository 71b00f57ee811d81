//! Two choices: the less loaded of two different members drawn at random, by the caller's own requests.
//!
//! The name by which the [power of d choices](super::Choices) is mostly known, with its defaults.

use std::num::NonZeroU32;

use super::{Balance, BalanceError, Balancer, Choices, ChoicesSettings, End, View};
use crate::base::settings::Settings;
use crate::base::time::Time;

crate::settings! {
    /// The less loaded of two different members drawn at random, by the caller's own requests: `choices` with its defaults.
    /// It takes most of what least requests takes, looks at two members however many there are, and many callers who know
    /// the same do not all run to the same member.
    pub struct TwoChoicesSettings = "two-choices", "Mitzenmacher, The Power of Two Choices in Randomized Load Balancing, IEEE TPDS 12(10), 2001" {}
}

impl Settings for TwoChoicesSettings {}

impl Balancer for TwoChoicesSettings {
    type Caller = TwoChoices;

    fn caller(&self, members: NonZeroU32) -> Result<TwoChoices, BalanceError> {
        ChoicesSettings::default().caller(members).map(TwoChoices)
    }
}

/// Choices with their defaults.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TwoChoices(Choices);

impl Balance for TwoChoices {
    fn pick(&mut self, view: &mut impl View) -> usize {
        self.0.pick(view)
    }

    fn sent(&mut self, member: usize, now: Time) {
        self.0.sent(member, now);
    }

    fn done(&mut self, member: usize, end: End) {
        self.0.done(member, end);
    }
}

#[cfg(test)]
mod tests {
    use super::super::view::Fixed;
    use super::*;

    /// Of two members both are drawn, so that the one without a request is picked whatever the draws are.
    #[test]
    fn the_one_without_own_requests_is_picked() {
        let (mut policy, mut view) =
            (TwoChoicesSettings {}.caller(NonZeroU32::new(2).unwrap()).unwrap(), Fixed::seeded(1));
        policy.sent(1, Time::ZERO);
        view.loads = vec![9, 0];
        assert!((0..20).all(|_| policy.pick(&mut view) == 0));
    }
}
