//! The power of d choices: each request goes to the shortest of d queues that are drawn at random, among very many servers.
//!
//! A share ρ^((dᵏ − 1) / (d − 1)) of servers has k requests or more, so the mean stay is Σ ρ^((dⁱ − d) / (d − 1)) times the mean work.
//! That is the limit of very many servers; with ten of them stays are about a tenth longer at a load of 80 %.

use super::{Case, Formula, Load, Relation, Steady};

pub(super) static FORMULA: Formula =
    Formula { source: "Vvedenskaya, Dobrushin, Karpelevich, 1996; Mitzenmacher, IEEE TPDS 12(10), 2001", steady };

fn steady(case: &Case) -> Option<Steady> {
    let Load::Pool { rate, choices, nodes } = case.load else { return None };
    let utilisation = case.utilisation().filter(|utilisation| *utilisation < 1.0)?;
    if case.workers != Some(1) || !case.is_exponential() || case.is_shared || case.places.is_some() {
        return None;
    }
    let residence = stay(utilisation, f64::from(choices)) * case.work.mean;
    Some(Steady {
        name: format!("{choices} choices"),
        relation: Relation::Near,
        busy: Some(utilisation),
        present: Some(rate * residence),
        residence: Some(residence),
        note: Some(format!("the limit of very many servers: the fewer there are, here {nodes}, the longer stays are")),
        ..Steady::default()
    })
}

/// In means of the work.
fn stay(utilisation: f64, choices: f64) -> f64 {
    let (mut sum, mut power) = (0.0, 1.0);
    for _ in 0..1_000 {
        power *= choices;
        let term = libm::pow(utilisation, (power - choices) / (choices - 1.0));
        sum += term;
        if term < 1e-15 {
            break;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::super::testing::{close, exponential, open, said};
    use super::*;

    #[test]
    fn two_choices_and_three() {
        for (choices, expected) in [(2, 2.614_057_377), (3, 2.027_855_969)] {
            let load = Load::Pool { rate: 0.9, choices, nodes: 100 };
            let steady = said(&Case { load, ..open(0.9, exponential(1.0)) }, &format!("{choices} choices"));
            close(steady.residence, expected);
        }
    }
}
