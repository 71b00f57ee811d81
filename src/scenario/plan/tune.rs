//! What tuning looks for.

use crate::scenario::Better;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::schema::Tune;

use super::expect::{Expectation, Scopes};
use super::study::Column;

/// How many candidates there are if nothing else is said.
const CANDIDATES: u32 = 64;
/// The most candidates: the plans of all are kept while they race.
const CANDIDATES_MAX: u32 = 10_000;

/// What tuning looks for.
#[derive(Clone, PartialEq, Debug)]
pub struct Aim {
    /// What is to be best.
    pub objective: Column,
    /// Which values are better.
    pub better: Better,
    /// What has to hold.
    pub subject: Vec<Expectation>,
    /// How many settings are tried at the start, at the most.
    pub candidates: u32,
}

impl Scopes<'_> {
    /// What tuning looks for, if the scenario says so.
    pub(super) fn aim(&self, mistakes: &mut Vec<Diagnostic>) -> Option<Aim> {
        let tune = self.scenario.tune.as_ref()?;
        let Tune { minimise, maximise, subject_to, candidates, .. } = &tune.value;
        let subject = self.conditions(subject_to, mistakes);
        let (better, quantity) = match (minimise, maximise) {
            (Some(quantity), None) => (Better::Lower, quantity),
            (None, Some(quantity)) => (Better::Higher, quantity),
            (Some(_), Some(other)) => {
                let mistake =
                    Diagnostic::error("[tune] has both `minimise` and `maximise`: one quantity is to be best");
                let help = "the other one can have a limit: subject-to = { \"QUANTITY\" = \"<= VALUE\" }";
                mistakes.push(mistake.at(other.origin, "").help(help));
                return None;
            }
            (None, None) => {
                let mistake = Diagnostic::error("[tune] does not say what is to be best").at(tune.origin, "");
                mistakes.push(mistake.help("for example minimise = \"app.latency.p99\", or maximise = QUANTITY"));
                return None;
            }
        };
        let count = candidates.map_or(CANDIDATES, |count| count.get());
        if let Some(count) = candidates.filter(|count| count.get() > CANDIDATES_MAX) {
            let message = format!("there are at most {CANDIDATES_MAX} candidates, found {}", count.value);
            mistakes.push(Diagnostic::error(message).at(count.origin, ""));
        }
        Some(Aim { objective: self.column(quantity, mistakes)?, better, subject, candidates: count })
    }
}
