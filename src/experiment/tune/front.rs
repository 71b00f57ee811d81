//! Who is worth a look: candidates of which no other is better in one quantity and no worse in the others.

use crate::scenario::Better;
use crate::scenario::condition::{Condition, Operator};
use crate::scenario::plan::{Aim, Expectation};

use super::score;
use super::trial::Trial;

/// Whether each candidate is on the front of what is to be best and of all quantities that have a limit on one side, by their values.
pub(super) fn of(aim: &Aim, trials: &[Trial]) -> Vec<bool> {
    let limits: Vec<_> = aim.subject.iter().map(better).collect();
    let costs: Vec<Vec<f64>> = trials.iter().map(|trial| costs(trial, &limits)).collect();
    let is_beaten = |own: &Vec<f64>| {
        costs.iter().any(|other| other != own && other.iter().zip(own).all(|(other, own)| other <= own))
    };
    costs.iter().map(|own| own[0].is_finite() && !is_beaten(own)).collect()
}

/// Which values are better of a quantity that has a limit; none where it has one on both sides, or is to be equal to something.
pub(super) fn better(expectation: &Expectation) -> Option<Better> {
    let sides = expectation.conditions.iter().map(|(_, condition)| match condition {
        Condition::Compare { operator: Operator::Less | Operator::AtMost, .. } => Some(Better::Lower),
        Condition::Compare { operator: Operator::More | Operator::AtLeast, .. } => Some(Better::Higher),
        _ => None,
    });
    let sides: Vec<_> = sides.collect();
    sides.first().copied().flatten().filter(|first| sides.iter().all(|side| *side == Some(*first)))
}

/// What a candidate costs in each of them: less is better.
fn costs(trial: &Trial, limits: &[Option<Better>]) -> Vec<f64> {
    let judgements = trial.judge.judgements();
    let limited = judgements.iter().zip(limits);
    let subject = limited.filter_map(|(judgement, better)| Some(score((*better)?, judgement.measured.value)));
    std::iter::once(trial.score()).chain(subject).collect()
}
