//! When a fault strikes and heals.

use rand_chacha::ChaCha8Rng;

use super::draw;
use crate::base::distribution::Distribution;
use crate::base::time::{Span, Time};

/// When a fault strikes and heals.
#[derive(Clone, Debug)]
pub(super) enum Schedule {
    /// Once.
    Once { at: Distribution, lasts: Option<Distribution> },
    /// Again and again.
    Again { up: Distribution, down: Distribution },
}

impl Schedule {
    /// From when to when it lasts, if that is known beforehand.
    pub(super) fn window(&self) -> Option<(Time, Time)> {
        let Self::Once { at, lasts } = self else { return None };
        let known = |law: &Distribution| law.is_constant().then(|| law.minimum());
        let from = Time::ZERO + known(at)?;
        let to = match lasts {
            None => Time::MAX,
            Some(lasts) => from + known(lasts)?,
        };
        Some((from, to))
    }

    /// About how often it strikes within this time.
    pub(super) fn strikes_expected(&self, length: Span) -> f64 {
        match self {
            Self::Once { .. } => 1.0,
            Self::Again { up, down } => length.as_nanos() as f64 / (up.mean() + down.mean()).max(1.0),
        }
    }

    /// The strikes before `end`, and when each heals.
    pub(super) fn strikes(&self, luck: &mut ChaCha8Rng, end: Time) -> Vec<(Time, Option<Time>)> {
        match self {
            Self::Once { at, lasts } => {
                let from = Time::ZERO + at.sample(draw(luck));
                vec![(from, lasts.as_ref().map(|lasts| from + lasts.sample(draw(luck))))]
            }
            Self::Again { up, down } => {
                let mut strikes = Vec::new();
                let mut now = Time::ZERO;
                loop {
                    let from = now + up.sample(draw(luck));
                    now = from + down.sample(draw(luck)).max(Span::from_nanos(1));
                    if from >= end {
                        return strikes;
                    }
                    strikes.push((from, Some(now)));
                }
            }
        }
    }
}
