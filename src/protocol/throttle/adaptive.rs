//! Adaptive throttling.
//!
//! Of the last two minutes a client knows how many requests it had, dropped ones included, and how many the backend accepted. A
//! request is dropped with probability `max(0, (requests − k · accepts) / (requests + 1))`. In equilibrium the client
//! sends k times what the backend accepts: with k = 2, one request is rejected for each that is accepted.
//!
//! Source: Beyer, Jones, Petoff and Murphy (eds.), *Site Reliability Engineering*, 2016, chapter 21 "Handling Overload".

use std::ops::{AddAssign, SubAssign};

use super::Throttle;
use crate::base::probability::Probability;
use crate::base::random::Uniform;
use crate::base::settings::Settings;
use crate::base::time::{Span, Time, secs};
use crate::protocol::slices::Slices;
use crate::settings;

settings! {
    /// Drops requests before they are sent, so many that the group is sent about `k` times what it accepts. Overload is then met
    /// where it costs nothing, and each client finds its share without being told. It costs requests that would have been
    /// accepted, while the group recovers and with few requests.
    pub struct AdaptiveSettings = "adaptive", "Site Reliability Engineering, 2016, chapter 21" {
        /// How many times what is accepted is sent (2 in the book): lower is stricter, and slower to notice that all is well
        /// again; at least 1.
        k: f64 = 2.0,
        /// What counts (two minutes in the book); in slices of a 120th.
        window: Span = secs(120),
    }
}

impl Settings for AdaptiveSettings {
    fn check(&self) -> Result<(), String> {
        if self.k < 1.0 {
            return Err("takes a `k` of at least 1".into());
        }
        if self.window == Span::ZERO { Err("needs a `window`".into()) } else { Ok(()) }
    }
}

/// What a client knows.
#[derive(Clone, Debug)]
pub struct Adaptive(Box<State>);

#[derive(Clone, Debug)]
struct State {
    k: f64,
    counts: Slices<Counts>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Counts {
    requests: u32,
    accepts: u32,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.accepts += other.accepts;
    }
}

impl SubAssign for Counts {
    fn sub_assign(&mut self, other: Self) {
        self.requests -= other.requests;
        self.accepts -= other.accepts;
    }
}

impl Adaptive {
    /// There was no request.
    pub fn new(settings: &AdaptiveSettings) -> Self {
        Self(Box::new(State { k: settings.k, counts: Slices::new(settings.window, 120) }))
    }
}

impl Throttle for Adaptive {
    fn admit(&mut self, now: Time, draw: Uniform) -> bool {
        let Counts { requests, accepts } = self.0.counts.total(now);
        let (requests, accepts) = (f64::from(requests), f64::from(accepts));
        let share = ((requests - self.0.k * accepts) / (requests + 1.0)).max(0.0);
        self.0.counts.add(now, Counts { requests: 1, accepts: 0 });
        !Probability::new(share).unwrap_or(Probability::ONE).hits(draw)
    }

    fn accepted(&mut self, now: Time) {
        self.0.counts.add(now, Counts { requests: 0, accepts: 1 });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::ms;
    use crate::protocol::laws::draws;

    /// Of 1000/s the backend accepts 200/s, as a bucket of 50 tokens lets them through: the client sends 2 · 200/s and drops 0.6 of
    /// all. Of 600 000 requests after the first 400 s, 4 % are some fifteen standard deviations, and the formula is that of large
    /// counts.
    #[test]
    fn it_sends_twice_what_is_accepted() {
        let (mut throttle, mut draw) = (Adaptive::new(&AdaptiveSettings::default()), draws(5));
        // In fifths of a token: one comes with each millisecond.
        let (mut tokens, mut sent) = (0, 0.0);
        for number in 0..1_000_000 {
            let now = Time::ZERO + ms(number);
            tokens = (tokens + 1).min(250);
            if throttle.admit(now, draw()) {
                sent += f64::from(number >= 400_000);
                if tokens >= 5 {
                    tokens -= 5;
                    throttle.accepted(now);
                }
            }
        }
        let (per_accept, dropped) = (sent / (600.0 * 200.0), 1.0 - sent / 600_000.0);
        assert!((per_accept / 2.0 - 1.0).abs() < 0.04, "{per_accept}");
        assert!((dropped / 0.6 - 1.0).abs() < 0.04, "{dropped}");
    }

    /// Nine requests, one accepted: (9 − 2 · 1) / (9 + 1) = 0.7.
    #[test]
    fn the_share_is_that_of_the_book() {
        for (draw, expected) in [(0.699, false), (0.701, true)] {
            let mut throttle = Adaptive::new(&AdaptiveSettings::default());
            (0..9).for_each(|_| {
                throttle.admit(Time::ZERO, Uniform::from_bits(u64::MAX));
            });
            throttle.accepted(Time::ZERO);
            assert_eq!(
                throttle.admit(Time::ZERO, Uniform::from_bits((draw * 18_446_744_073_709_551_616.0) as u64)),
                expected
            );
        }
    }
}
