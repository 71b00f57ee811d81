//! Losses in a row.

use std::fmt;

use crate::base::probability::Probability;
use crate::base::random::Uniform;

/// Messages lost in bursts: a chain of two states that takes a step with each message. In one state every message gets
/// through, in the other every message is lost.
///
/// Source: E. N. Gilbert, "Capacity of a Burst-Noise Channel", Bell System Technical Journal 39 (1960), with nothing lost
/// between bursts and everything within them. With a share L lost in the long run and bursts of b messages on average, a
/// burst ends with probability 1 / b after each of its messages and begins with probability L / (b (1 - L)) elsewhere.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bursts {
    share: Probability,
    begins: Probability,
    ends: Probability,
}

/// Why no bursts are like that.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum BurstsError {
    /// A burst of less than one message.
    TooShort {
        /// The mean length that was asked for, in messages.
        mean: f64,
    },
    /// Bursts of this length, with at least one message between two of them, lose less.
    TooMuch {
        /// The share that was asked for.
        share: Probability,
        /// The mean length that was asked for, in messages.
        mean: f64,
    },
}

impl fmt::Display for BurstsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { mean } => {
                write!(f, "a burst loses at least one message; found a mean of {mean}")
            }
            Self::TooMuch { share, mean } => {
                write!(
                    f,
                    "bursts with a mean of {mean} cannot lose {share} of all messages: at least one comes between two"
                )
            }
        }
    }
}

impl std::error::Error for BurstsError {}

impl Bursts {
    /// Bursts of `mean` messages on average that lose `share` of all messages in the long run.
    ///
    /// # Errors
    /// Bursts below one message; a share above mean / (mean + 1), as at least one message comes between two bursts.
    pub fn new(share: Probability, mean: f64) -> Result<Self, BurstsError> {
        if !(mean >= 1.0 && mean.is_finite()) {
            return Err(BurstsError::TooShort { mean });
        }
        let lost = share.value();
        let begins = Probability::new(lost / (mean * (1.0 - lost))).ok_or(BurstsError::TooMuch { share, mean })?;
        let ends = Probability::new(1.0 / mean).expect("a mean from one up has an inverse up to one");
        Ok(Self { share, begins, ends })
    }

    /// The share of messages lost in the long run.
    pub fn share(&self) -> Probability {
        self.share
    }

    /// Whether the first message is lost: as often as any other.
    pub(super) fn first(&self, draw: Uniform) -> bool {
        self.share.hits(draw)
    }

    /// Whether a message is lost when the one before `was_lost`, or was not.
    pub(super) fn next(&self, was_lost: bool, draw: Uniform) -> bool {
        if was_lost { !self.ends.hits(draw) } else { self.begins.hits(draw) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::probability::percent;

    #[test]
    fn impossible_bursts_are_refused() {
        assert!(Bursts::new(percent(50.0), 1.0).is_ok());
        assert!(Bursts::new(percent(0.0), 3.0).is_ok());
        let share = percent(60.0);
        assert_eq!(Bursts::new(share, 1.0), Err(BurstsError::TooMuch { share, mean: 1.0 }));
        assert_eq!(Bursts::new(share, 0.5), Err(BurstsError::TooShort { mean: 0.5 }));
        assert!(Bursts::new(percent(100.0), 9.0).is_err());
    }
}
