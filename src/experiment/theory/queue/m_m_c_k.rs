//! M/M/c/K: as M/M/c, with room for `K`, those at work included: whoever finds no room is lost.
//!
//! The number present is a birth-death chain cut at K. By the arrivals' being Poisson, the share of time at K is the share that is lost;
//! times are by Little's law, of those that are let in.

use super::birth_death::{mean, shares};
use super::{Case, Formula, Steady};

pub(super) static FORMULA: Formula =
    Formula { source: "Gross et al., Fundamentals of Queueing Theory, 4th ed. 2008, section 2.5", steady };

/// Longer chains are not worked out.
const MOST: u32 = 1_000_000;

fn steady(case: &Case) -> Option<Steady> {
    let (rate, workers) = (case.poisson()?, case.workers?);
    let places = case.places.filter(|places| *places <= MOST && case.is_exponential() && !case.is_shared)?;
    let (mu, c) = (1.0 / case.work.mean, f64::from(workers));
    let shares = shares(places, |_| rate, |present| f64::from(present).min(c) * mu);
    let loss = shares[places as usize];
    let (present, waiting) = (mean(&shares, |n| n), mean(&shares, |n| (n - c).max(0.0)));
    let served = rate * (1.0 - loss);
    Some(Steady {
        name: case.named("M", "M"),
        busy: Some(present - waiting),
        wait: Some(waiting / served),
        waiting: Some(waiting),
        present: Some(present),
        residence: Some(present / served),
        loss: Some(loss),
        served: Some(served),
        ..Steady::default()
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{close, exponential, open, said};
    use super::*;

    #[test]
    fn room_for_five() {
        let case = Case { places: Some(5), ..open(80.0, exponential(0.01)) };
        let steady = said(&case, "M/M/1/5");
        close(steady.loss, 0.088_819_499);
        close(steady.present, 1.868_332_032);
        close(steady.residence, 0.025_630_652);
        close(steady.busy, 0.728_944_401);
        let steady =
            said(&Case { workers: Some(2), ..Case { places: Some(5), ..open(1.6, exponential(1.0)) } }, "M/M/2/5");
        close(steady.loss, 0.102_744_193);
        close(steady.wait, 0.505_451_496);
    }

    /// Overload has a steady state where there is an end of places: M/M/1/K with rho = 2 loses 1/2 as K grows.
    #[test]
    fn a_long_queue_under_overload() {
        let steady = said(&Case { places: Some(5_000), ..open(2.0, exponential(1.0)) }, "M/M/1/5000");
        close(steady.loss, 0.5);
        close(steady.busy, 1.0);
    }
}
