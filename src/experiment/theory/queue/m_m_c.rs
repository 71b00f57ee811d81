//! M/M/c: Poisson arrivals, exponential work, `c` workers, as much room as is needed.
//!
//! The share C of requests that wait is Erlang's C(c, a) = c B / (c − a (1 − B)), with B of Erlang's loss formula and a = λ / μ. A wait
//! that is not nothing is exponential of rate cμ − λ, so the mean is C / (cμ − λ); in order of arrival a stay is longer than t for
//! e^(−μt) + C (e^(−μt) − e^(−(cμ − λ)t)) / (c − 1 − a) of them.

use super::erlang_b::blocking;
use super::{Case, Formula, Steady};

pub(super) static FORMULA: Formula = Formula {
    source: "A. K. Erlang, 1917 (Erlang C); Kleinrock, Queueing Systems I, 1975, sections 3.2 and 3.5",
    steady,
};

fn steady(case: &Case) -> Option<Steady> {
    let (rate, workers) = (case.poisson()?, case.workers?);
    if !case.is_exponential() || case.is_shared || case.places.is_some() || case.utilisation()? >= 1.0 {
        return None;
    }
    let waits = waits(rate * case.work.mean, workers);
    let (load, mu, c) = (rate * case.work.mean, 1.0 / case.work.mean, f64::from(workers));
    let wait = waits / (c * mu - rate);
    let longer = move |time: f64| {
        let works = libm::exp(-mu * time);
        let gap = c - 1.0 - load;
        if libm::fabs(gap) < 1e-9 {
            works * (1.0 + waits * mu * time)
        } else {
            works + waits * (works - libm::exp(-(c * mu - rate) * time)) / gap
        }
    };
    Some(Steady {
        name: case.named("M", "M"),
        busy: Some(load),
        waits: Some(waits),
        wait: Some(wait),
        waiting: Some(rate * wait),
        residence: Some(wait + case.work.mean),
        longer: case.is_fifo.then(|| Box::new(longer) as _),
        ..Steady::default()
    })
}

/// Erlang C.
pub(super) fn waits(load: f64, workers: u32) -> f64 {
    let (blocked, c) = (blocking(load, workers), f64::from(workers));
    c * blocked / (c - load * (1.0 - blocked))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{close, exponential, open, said};
    use super::*;

    #[test]
    fn one_worker() {
        let steady = said(&open(0.8, exponential(1.0)), "M/M/1");
        close(steady.wait, 4.0);
        close(steady.waits, 0.8);
        close(steady.residence, 5.0);
        // The stay is exponential of rate 0.2.
        let longer = steady.longer.expect("it is FIFO");
        close(Some(longer(10.0)), libm::exp(-2.0));
    }

    #[test]
    fn several_workers() {
        let steady = said(&Case { workers: Some(3), ..open(2.4, exponential(1.0)) }, "M/M/3");
        close(steady.waits, 0.647_191_011);
        close(steady.wait, 1.078_651_685);
        close(steady.waiting, 2.588_764_045);
        let steady = said(&Case { workers: Some(2), ..open(80.0, exponential(0.02)) }, "M/M/2");
        let longer = steady.longer.expect("it is FIFO");
        close(Some(longer(0.238_747_404_720_085_43)), 0.01);
        // c - 1 - a = 0, where the two rates are the same.
        let steady = said(&Case { workers: Some(4), ..open(3.0, exponential(1.0)) }, "M/M/4");
        close(Some(steady.longer.expect("it is FIFO")(2.0)), 0.273_224_062);
    }

    #[test]
    fn in_another_order_means_stay_and_percentiles_are_not_known() {
        let steady = said(&Case { is_fifo: false, ..open(0.8, exponential(1.0)) }, "M/M/1");
        close(steady.wait, 4.0);
        assert!(steady.longer.is_none());
    }
}
