//! Erlang's loss formula: as many places as workers, so nobody waits, and whoever finds all of them busy is lost.
//!
//! With an offered load of `a` the share B(c, a) of requests is lost, where B(0) = 1 and B(k) = a B(k − 1) / (k + a B(k − 1)), whatever
//! the law of the work.

use super::{Case, Formula, Steady};

pub(super) static FORMULA: Formula =
    Formula { source: "A. K. Erlang, 1917 (Erlang B); for any law of work: B. A. Sevastyanov, 1957", steady };

fn steady(case: &Case) -> Option<Steady> {
    let (rate, servers) = (case.poisson()?, case.workers?);
    let places = case.places.filter(|places| *places <= servers && !case.is_shared)?;
    let load = rate * case.work.mean;
    let loss = blocking(load, places);
    let busy = load * (1.0 - loss);
    Some(Steady {
        name: case.named("M", case.work_letter()),
        loss: Some(loss),
        served: Some(rate * (1.0 - loss)),
        busy: Some(busy),
        present: Some(busy),
        residence: Some(case.work.mean),
        ..Steady::default()
    })
}

/// Erlang B.
pub(super) fn blocking(load: f64, servers: u32) -> f64 {
    (1..=servers).fold(1.0, |lost, servers| load * lost / (f64::from(servers) + load * lost))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{close, constant, exponential, open, said};
    use super::*;

    /// 8 erlangs on 10 lines lose 12.166 %, as Erlang's tables have it.
    #[test]
    fn ten_lines() {
        for (work, letter) in [(exponential(1.0), "M"), (constant(1.0), "D")] {
            let case = Case { workers: Some(10), places: Some(10), ..open(8.0, work) };
            let steady = said(&case, &format!("M/{letter}/10/10"));
            close(steady.loss, 0.121_661_064);
            close(steady.busy, 8.0 * (1.0 - 0.121_661_064_252_951_5));
        }
    }
}
