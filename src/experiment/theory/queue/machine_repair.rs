//! The machine repairman: so many users, each of whom asks again some time after it was answered; M/M/c//N.
//!
//! The number present is a birth-death chain: up at (N − n) / Z, down at min(n, c) μ. Only the mean Z of the time elsewhere matters; and
//! where one worker is shared, only the mean of the work.

use super::birth_death::{mean, shares};
use super::{Case, Formula, Load, Steady};

pub(super) static FORMULA: Formula = Formula {
    source: "Palm, 1947; Scherr, 1967; any law of thinking: Baskett, Chandy, Muntz, Palacios, J. ACM 22(2), 1975",
    steady,
};

/// Longer chains are not worked out.
const MOST: u32 = 1_000_000;

fn steady(case: &Case) -> Option<Steady> {
    let Load::Closed { users, elsewhere, nodes: 1 } = case.load else { return None };
    let work = case.work.mean;
    if users > MOST || work <= 0.0 || case.places.is_some() {
        return None;
    }
    let one = Steady { name: "machine repairman".into(), ..Steady::default() };
    let Some(workers) = case.workers else {
        let served = f64::from(users) / (elsewhere + work);
        let present = Some(served * work);
        return Some(Steady { served: Some(served), residence: Some(work), present, ..one });
    };
    let is_known = if case.is_shared { workers == 1 || case.is_exponential() } else { case.is_exponential() };
    if !is_known || elsewhere <= 0.0 {
        return None;
    }
    let c = f64::from(workers);
    let up = |present: u32| f64::from(users - present) / elsewhere;
    let shares = shares(users, up, |present| f64::from(present).min(c) / work);
    let present = mean(&shares, |n| n);
    let busy = mean(&shares, |n| n.min(c));
    let served = busy / work;
    let residence = present / served;
    let is_queue = !case.is_shared;
    Some(Steady {
        served: Some(served),
        residence: Some(residence),
        present: Some(present),
        busy: Some(busy),
        wait: is_queue.then_some(residence - work),
        waiting: is_queue.then_some(present - busy),
        ..one
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{close, exponential, open, said};
    use super::*;

    #[test]
    fn users_wait_for_each_other() {
        let of = |users, workers| {
            let load = Load::Closed { users, elsewhere: 10.0, nodes: 1 };
            said(&Case { load, workers: Some(workers), ..open(0.0, exponential(1.0)) }, "machine repairman")
        };
        let steady = of(20, 1);
        close(steady.served, 0.998_130_950);
        close(steady.residence, 10.037_450_995);
        let steady = of(50, 4);
        close(steady.served, 3.884_982_329);
        close(steady.residence, 2.870_071_410);
        close(steady.busy, 4.0 * 0.971_245_582);
    }
}
