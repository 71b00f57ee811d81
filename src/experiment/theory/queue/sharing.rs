//! Processor sharing: all that are present share the workers, and nobody waits.
//!
//! With one worker the number present is that of M/M/1, and a stay E[S] / (1 − ρ) in the mean, whatever the law of the work; with room
//! for K it is that geometric law, cut. With several workers that holds for exponential work, of which as many are present as in M/M/c.

use super::birth_death::{mean, shares};
use super::m_m_c::waits;
use super::{Case, Formula, Steady};

pub(super) static FORMULA: Formula = Formula {
    source: "Sakata, Noguchi, Oizumi, Operations Research 19(2), 1971; Kleinrock, Queueing Systems II, 1976, section 4.4",
    steady,
};

/// Longer chains are not worked out.
const MOST: u32 = 1_000_000;

fn steady(case: &Case) -> Option<Steady> {
    let (rate, workers) = (case.poisson()?, case.workers?);
    let (load, c) = (rate * case.work.mean, f64::from(workers));
    if !case.is_shared || load <= 0.0 || workers > 1 && !case.is_exponential() {
        return None;
    }
    let one = Steady { name: format!("{}-PS", case.named("M", case.work_letter())), ..Steady::default() };
    if let Some(places) = case.places.filter(|places| *places <= MOST) {
        let shares = shares(places, |_| load, |present| f64::from(present).min(c));
        let (present, loss) = (mean(&shares, |n| n), shares[places as usize]);
        let served = rate * (1.0 - loss);
        let (busy, residence) = (Some(mean(&shares, |n| n.min(c))), Some(present / served));
        let (present, loss, served) = (Some(present), Some(loss), Some(served));
        return Some(Steady { busy, residence, present, loss, served, ..one });
    }
    if case.places.is_some() || load >= c {
        return None;
    }
    let present = load + waits(load, workers) * load / (c - load);
    Some(Steady { busy: Some(load), present: Some(present), residence: Some(present / rate), ..one })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{close, constant, exponential, open, said};
    use super::*;

    #[test]
    fn the_law_of_work_does_not_matter_to_one_worker() {
        for (work, name) in [(constant(1.0), "M/D/1-PS"), (exponential(1.0), "M/M/1-PS")] {
            let steady = said(&Case { is_shared: true, ..open(0.8, work) }, name);
            close(steady.residence, 5.0);
            close(steady.present, 4.0);
        }
        let cut = Case { is_shared: true, places: Some(5), ..open(0.8, constant(1.0)) };
        let steady = said(&cut, "M/D/1/5-PS");
        close(steady.loss, 0.088_819_499);
        close(steady.present, 1.868_332_032);
    }

    #[test]
    fn two_shared_workers_hold_as_many_as_two_with_a_queue() {
        let case = Case { is_shared: true, workers: Some(2), ..open(1.8, exponential(1.0)) };
        close(said(&case, "M/M/2-PS").residence, 5.263_157_895);
    }
}
