//! G/G/∞: as many workers as there are requests. Nobody waits, so a stay is the work, whatever its law, and λ E[S] are present.

use super::{Case, Formula, Gaps, Load, Steady};

pub(super) static FORMULA: Formula = Formula { source: "elementary; Little, Operations Research 9(3), 1961", steady };

fn steady(case: &Case) -> Option<Steady> {
    let Load::Open { rate, gaps } = case.load else { return None };
    if case.workers.is_some() || case.places.is_some() || case.is_shared {
        return None;
    }
    let letter = match gaps {
        Gaps::Poisson => "M",
        Gaps::Gamma(_) => "G",
        Gaps::Even => "D",
    };
    let law = case.work.law.clone();
    let longer = law.map(|(law, speed)| Box::new(move |time: f64| 1.0 - law.cdf(time * 1e9 * speed)) as _);
    Some(Steady {
        name: case.named(letter, case.work_letter()),
        present: Some(rate * case.work.mean),
        residence: Some(case.work.mean),
        longer,
        ..Steady::default()
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{close, constant, open, said};
    use super::*;

    #[test]
    fn everybody_is_served_at_once() {
        let steady = said(&Case { workers: None, ..open(100.0, constant(0.05)) }, "M/D/∞");
        close(steady.present, 5.0);
        close(steady.residence, 0.05);
    }
}
