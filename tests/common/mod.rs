//! Scenario texts to plans, and plans to results.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rehearsal::experiment::{self, Results};
use rehearsal::scenario::plan::Plan;
use rehearsal::scenario::{Overrides, Scenario, Style};

/// The plan of a scenario that is one text.
pub fn plan(text: &str) -> Plan {
    let source: BTreeMap<PathBuf, String> = [(PathBuf::from("scenario.toml"), text.to_owned())].into();
    let loaded = Scenario::load(&source, Path::new("scenario.toml"), &Overrides::default());
    let loaded = loaded.unwrap_or_else(|mistakes| panic!("{}\n{text}", mistakes.render(Style::Plain)));
    Plan::new(loaded).unwrap_or_else(|mistakes| panic!("{}\n{text}", mistakes.render(Style::Plain)))
}

/// All runs of a plan.
pub fn play(plan: &Plan) -> Results {
    experiment::run(plan, &mut |_| ControlFlow::Continue(())).unwrap_or_else(|error| panic!("{error}"))
}
