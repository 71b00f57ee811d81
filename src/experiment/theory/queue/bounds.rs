//! Asymptotic bounds of users that ask again: whatever the laws, no more is served than all users can ask for or all workers can do.
//!
//! With N users, a time Z elsewhere, a mean work D and m workers in all, X ≤ min(N / (Z + D), m / D), so R = N / X − Z is at least
//! max(D, N D / m − Z).

use super::{Case, Formula, Load, Relation, Steady};

pub(super) static FORMULA: Formula = Formula {
    source: "Denning, Buzen, Computing Surveys 10(3), 1978; Lazowska et al., Quantitative System Performance, 1984, ch. 5",
    steady,
};

fn steady(case: &Case) -> Option<Steady> {
    let Load::Closed { users, elsewhere, nodes } = case.load else { return None };
    let (users, work, workers) = (f64::from(users), case.work.mean, f64::from(nodes) * f64::from(case.workers?));
    if work <= 0.0 {
        return None;
    }
    let served = (users / (elsewhere + work)).min(workers / work);
    let residence = work.max(users * work / workers - elsewhere);
    Some(Steady {
        name: "asymptotic bounds".into(),
        relation: Relation::AtMost,
        served: Some(served),
        residence: Some(residence),
        ..Steady::default()
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{close, constant, open, said};
    use super::*;

    #[test]
    fn few_users_are_bound_by_themselves_and_many_by_the_workers() {
        let of = |users| {
            let load = Load::Closed { users, elsewhere: 9.0, nodes: 2 };
            said(&Case { load, ..open(0.0, constant(1.0)) }, "asymptotic bounds")
        };
        close(of(10).served, 1.0);
        close(of(10).residence, 1.0);
        close(of(40).served, 2.0);
        close(of(40).residence, 11.0);
    }
}
