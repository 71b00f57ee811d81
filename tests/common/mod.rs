//! Scenario texts to plans, and plans to results.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rehearsal::base::settings::{Field, Listing, Need};
use rehearsal::experiment::{self, Results};
use rehearsal::scenario::plan::Plan;
use rehearsal::scenario::{Mistakes, Overrides, Scenario, Source, Style};

/// The plan of a scenario that is one text.
pub fn plan(text: &str) -> Plan {
    let source: BTreeMap<PathBuf, String> = [(PathBuf::from("scenario.toml"), text.to_owned())].into();
    plan_of(&source, Path::new("scenario.toml"))
}

/// The plan of a scenario with all its files.
pub fn plan_of(source: &dyn Source, path: &Path) -> Plan {
    let refuse = |mistakes: Mistakes| -> ! {
        let text = source.read(path).unwrap_or_default();
        panic!("{}\n{text}", mistakes.render(Style::Plain))
    };
    let loaded = Scenario::load(source, path, &Overrides::default()).unwrap_or_else(|mistakes| refuse(mistakes));
    Plan::new(loaded).unwrap_or_else(|mistakes| refuse(mistakes))
}

/// All runs of a plan.
pub fn play(plan: &Plan) -> Results {
    experiment::run(plan, &mut |_| ControlFlow::Continue(())).unwrap_or_else(|error| panic!("{error}"))
}

/// A policy as a scenario writes it, with its examples for what has to be said.
pub fn spelled<P>(listing: &Listing<P>) -> String {
    let name = listing.name;
    let said = |need| listing.fields.iter().filter(move |field| field.need == need);
    let value = |field: &Field| (field.default)().expect("there is an example").to_string();
    if let Some(field) = said(Need::Alone).next() {
        return format!("{{ {name} = {} }}", value(field));
    }
    let fields: Vec<_> = said(Need::Required).map(|field| format!("{} = {}", field.name, value(field))).collect();
    if fields.is_empty() { format!("\"{name}\"") } else { format!("{{ {name} = {{ {} }} }}", fields.join(", ")) }
}
