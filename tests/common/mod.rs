//! Scenario texts to plans, and plans to results.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rehearsal::base::settings::{Field, Listing, Need};
use rehearsal::experiment::{self, Bare, Results, Tuning};
use rehearsal::scenario::design::{Design, Point};
use rehearsal::scenario::plan::Plan;
use rehearsal::scenario::{Loaded, Mistakes, Overrides, Scenario, Source, Style};

/// Reads files from the project's folder.
pub struct Disk;

impl Source for Disk {
    fn read(&self, path: &Path) -> std::io::Result<String> {
        std::fs::read_to_string(path)
    }
}

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

/// The best setting that tuning finds for a scenario that is one text, with the seed and so often as `overrides` says.
pub fn tune(text: &str, overrides: &Overrides) -> Tuning {
    let source: BTreeMap<PathBuf, String> = [(PathBuf::from("scenario.toml"), text.to_owned())].into();
    tuned(&source, Path::new("scenario.toml"), overrides).0
}

/// The same of a scenario with all its files; with its design and the points that were tried.
pub fn tuned(source: &dyn Source, path: &Path, overrides: &Overrides) -> (Tuning, Design, Vec<Point>) {
    let refuse = |mistakes: Mistakes| -> ! { panic!("{}", mistakes.render(Style::Plain)) };
    let load = |candidate: Option<Point>| {
        let overrides = Overrides { candidate, ..overrides.clone() };
        Scenario::load(source, path, &overrides).unwrap_or_else(|mistakes| refuse(mistakes))
    };
    let plan = |candidate| Plan::new(load(candidate)).unwrap_or_else(|mistakes| refuse(mistakes));
    let (Loaded { document, texts, .. }, base) = (load(None), plan(None));
    let aim = base.aim.clone().expect("it says what to look for");
    let design = document.tuned.expect("it says what to vary");
    let points = design.candidates(&texts, aim.candidates);
    let make = |point: &Point| Ok(plan(Some(point.clone())));
    let watch = &mut |_| ControlFlow::Continue(());
    let tuning = experiment::tune((&base, &aim), (&design, &points), make, &mut Bare, watch);
    (tuning.unwrap_or_else(|error| panic!("{error}")), design, points)
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
