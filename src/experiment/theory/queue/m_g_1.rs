//! M/G/1: Poisson arrivals, one worker, work of any law of which two moments are known.
//!
//! Pollaczek and Khinchine: the mean wait is λ E[S²] / (2 (1 − ρ)), and a share ρ of requests waits at all. The order of turns does not
//! matter to means, as long as it does not look at the work.

use super::{Case, Formula, Steady};

pub(super) static FORMULA: Formula =
    Formula { source: "Pollaczek, 1930; Khinchine, 1932; Kleinrock, Queueing Systems I, 1975, section 5.6", steady };

fn steady(case: &Case) -> Option<Steady> {
    let rate = case.poisson().filter(|_| case.workers == Some(1))?;
    let utilisation = case.utilisation()?;
    if case.is_shared || case.places.is_some() || utilisation >= 1.0 || !case.work.second_moment.is_finite() {
        return None;
    }
    let wait = rate * case.work.second_moment / (2.0 * (1.0 - utilisation));
    Some(Steady {
        name: case.named("M", case.work_letter()),
        busy: Some(utilisation),
        waits: Some(utilisation),
        wait: Some(wait),
        waiting: Some(rate * wait),
        residence: Some(wait + case.work.mean),
        ..Steady::default()
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{close, constant, exponential, open, said};
    use super::super::{Kind, Work};
    use super::*;

    #[test]
    fn constant_work_waits_half_as_long_as_exponential() {
        let steady = said(&open(0.8, constant(1.0)), "M/D/1");
        close(steady.wait, 2.0);
        close(steady.residence, 3.0);
        close(steady.waits, 0.8);
    }

    /// 0.9 of mean 0.5 and 0.1 of mean 5.5: E[S²] = 2 (0.9 · 0.25 + 0.1 · 30.25) = 6.5.
    #[test]
    fn hyperexponential_work() {
        let work = Work { second_moment: 6.5, kind: Kind::Other, ..exponential(1.0) };
        close(said(&open(0.8, work), "M/G/1").wait, 0.8 * 6.5 / 0.4);
    }

    #[test]
    fn a_tail_without_a_variance_has_no_mean_wait() {
        let work = Work { second_moment: f64::INFINITY, kind: Kind::Other, ..exponential(1.0) };
        assert!(steady(&open(0.8, work)).is_none());
    }
}
