//! Who is worth a look: candidates of which no other is better in one quantity and no worse in the others.

use crate::scenario::condition::{Condition, Operator};
use crate::scenario::plan::{Aim, Expectation};

use super::trial::Trial;

/// Whether each candidate is on the front of what is to be best and of all quantities that have a limit on one side, by their values.
pub(super) fn of(aim: &Aim, trials: &[Trial]) -> Vec<bool> {
    let signs: Vec<_> = aim.subject.iter().map(sign).collect();
    let costs: Vec<Vec<f64>> = trials.iter().map(|trial| costs(trial, &signs)).collect();
    let is_beaten = |own: &Vec<f64>| {
        costs.iter().any(|other| {
            let mut pairs = other.iter().zip(own);
            other != own && pairs.all(|(other, own)| other <= own)
        })
    };
    costs.iter().map(|own| own[0].is_finite() && !is_beaten(own)).collect()
}

/// 1 where less of it is better, -1 where more is; none where neither.
fn sign(expectation: &Expectation) -> Option<f64> {
    expectation.conditions.iter().find_map(|(_, condition)| match condition {
        Condition::Compare { operator: Operator::Less | Operator::AtMost, .. } => Some(1.0),
        Condition::Compare { operator: Operator::More | Operator::AtLeast, .. } => Some(-1.0),
        _ => None,
    })
}

/// What a candidate costs in each of them: less is better.
fn costs(trial: &Trial, signs: &[Option<f64>]) -> Vec<f64> {
    let judgements = trial.judge.judgements();
    let subject = judgements.iter().zip(signs).filter_map(|(judgement, sign)| {
        let cost = |sign: f64| judgement.measured.value.map_or(f64::INFINITY, |value| value * sign);
        sign.map(cost)
    });
    std::iter::once(trial.score()).chain(subject).collect()
}
