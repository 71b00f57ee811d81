//! Theory beside measurement: what published formulas say of a plan, and of which stations and messages they can say nothing.
//!
//! A formula for a queue is a file in `queue/`, a law that ties measured quantities to each other one in `law/`, one for messages on
//! their way one in `message/`; each has a line in its registry. `scene/` reads the plan: it finds out whether arrivals are what a formula
//! needs, strictly, as a formula that is applied wrongly is worse than none. What is measured is measured as an expectation would be.

mod beside;
mod forecast;
mod law;
mod message;
mod queue;
mod scene;
mod station;

use crate::scenario::plan::Plan;

use super::verdict::{Measured, Unit};

pub(super) use beside::Beside;
use forecast::Forecast;

/// What formulas say of the runs of a plan.
#[derive(Clone, Debug, Default)]
pub struct Theory {
    /// What is predicted, beside what was measured.
    pub predictions: Vec<Prediction>,
    /// Where something might be expected and nothing is said.
    pub silences: Vec<Silence>,
}

/// A quantity for which there is a formula.
#[derive(Clone, Debug)]
pub struct Prediction {
    /// As a scenario would write it.
    pub quantity: String,
    /// Whom it is about: a station or a sender.
    pub subject: String,
    /// The formula: `M/M/3`.
    pub formula: String,
    /// Whether it ties measured quantities to each other, and holds whatever comes.
    pub is_law: bool,
    /// Where it was published.
    pub source: &'static str,
    /// How the prediction is meant.
    pub relation: Relation,
    /// What it says, in base units.
    pub predicted: Option<f64>,
    /// What was measured.
    pub measured: Measured,
    /// By how much of its value that may be off, as percentiles are kept in slots.
    pub grain: f64,
    /// A word more.
    pub note: Option<String>,
}

/// A station or a sender that no formula speaks of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Silence {
    /// Its name; nothing if it is about the whole system.
    pub subject: Option<String>,
    /// Why, in a sentence.
    pub why: String,
}

/// How a prediction is meant.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Relation {
    /// It is the value.
    #[default]
    Equal,
    /// It is the value of a limit that the system is near.
    Near,
    /// The value is no larger.
    AtMost,
    /// The value is no smaller.
    AtLeast,
}

impl Relation {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Near => "near",
            Self::AtMost => "at most",
            Self::AtLeast => "at least",
        }
    }
}

impl Prediction {
    /// Measured less predicted for shares, and measured over predicted less one for all else.
    pub fn difference(&self) -> Option<f64> {
        let (measured, predicted) = (self.measured.value?, self.predicted?);
        let difference = match self.measured.unit {
            Unit::Share => measured - predicted,
            _ if predicted == 0.0 => return (measured == 0.0).then_some(0.0),
            _ => measured / predicted - 1.0,
        };
        difference.is_finite().then_some(difference)
    }

    /// Whether the 95 % interval of what was measured allows what is predicted; nothing where there is no interval with a width, or
    /// where the prediction is of a limit.
    pub fn agrees(&self) -> Option<bool> {
        let ((low, high), predicted) = (self.measured.interval.filter(|(low, high)| low < high)?, self.predicted?);
        let (low, high) = (low * (1.0 - self.grain), high * (1.0 + self.grain));
        match self.relation {
            Relation::Equal => Some((low..=high).contains(&predicted)),
            Relation::AtMost => Some(low <= predicted),
            Relation::AtLeast => Some(predicted <= high),
            Relation::Near => None,
        }
    }
}

/// What can be said of a plan before it is played.
fn forecasts(plan: &Plan) -> (Vec<Forecast>, Vec<Silence>) {
    let strikes = plan.faults.iter().any(|fault| match fault.window() {
        Some((struck, _)) => struck < plan.measured().1,
        None => true,
    });
    if strikes {
        let why = "faults strike, and formulas are of a steady state without any".into();
        return (Vec::new(), vec![Silence { subject: None, why }]);
    }
    let (mut forecasts, mut silences) = (Vec::new(), Vec::new());
    let mut told = |subject: &str, said: Result<Vec<Forecast>, scene::Why>| match said {
        Ok(said) => forecasts.extend(said),
        Err(why) => silences.push(Silence { subject: Some(subject.into()), why }),
    };
    for (index, group) in plan.services().enumerate() {
        told(group.name, station::forecasts(plan, index, group));
    }
    for (subject, said) in message::forecasts(plan) {
        told(&subject, said);
    }
    forecasts.extend(law::LAWS.iter().flat_map(|law| (law.forecasts)(plan)));
    (forecasts, silences)
}

#[cfg(test)]
mod tests;
