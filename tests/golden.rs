//! Every scenario, and every variant of it, gives what `results/` says: the summary as text and as a table.
//!
//! `REHEARSAL_BLESS=1 cargo test --test golden` writes the files anew after a deliberate change; review them as a diff.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rehearsal::experiment::{Verdict, run};
use rehearsal::report::Report;
use rehearsal::scenario::plan::Plan;
use rehearsal::scenario::{Mistakes, Overrides, Scenario, Source, Style};

/// Reads files from the project's folder.
struct Disk;

impl Source for Disk {
    fn read(&self, path: &Path) -> std::io::Result<String> {
        fs::read_to_string(path)
    }
}

fn plan(path: &Path, variant: Option<&str>) -> (Plan, Vec<String>) {
    let overrides = Overrides { variant: variant.map(Into::into), ..Overrides::default() };
    let fail = |mistakes: Mistakes| -> ! { panic!("{}", mistakes.render(Style::Plain)) };
    let loaded = Scenario::load(&Disk, path, &overrides).unwrap_or_else(|mistakes| fail(mistakes));
    let variants = loaded.document.variants.iter().map(|name| name.name.clone()).collect();
    let mut plan = Plan::new(loaded).unwrap_or_else(|mistakes| fail(mistakes));
    plan.variant = variant.map(Into::into);
    (plan, variants)
}

/// Plays a scenario and compares; the names of its variants.
fn check(path: &Path, variant: Option<&str>, differences: &mut Vec<String>) -> Vec<String> {
    let (plan, variants) = plan(path, variant);
    let results = run(&plan, &mut |_| ControlFlow::Continue(())).expect("a scenario that ships can be played");
    for judgement in &results.judgements {
        assert_eq!(judgement.verdict, Verdict::Pass, "{}: {judgement:?}", path.display());
    }
    let report = Report::from(&results);
    let stem = path.file_stem().expect("a scenario has a name").to_string_lossy();
    let folder = Path::new("results").join(variant.map_or(stem.to_string(), |variant| format!("{stem}@{variant}")));
    let table = report.tables().into_iter().find(|file| file.name == "summary.csv").expect("there is a summary");
    for (name, bytes) in [("summary.txt", report.to_string().into_bytes()), ("summary.csv", table.bytes)] {
        let file = folder.join(name);
        if std::env::var_os("REHEARSAL_BLESS").is_some() {
            fs::create_dir_all(&folder).expect("the folder can be made");
            fs::write(&file, &bytes).expect("the file can be written");
        } else if fs::read(&file).unwrap_or_default() != bytes {
            differences.push(file.display().to_string());
        }
    }
    variants
}

#[test]
fn scenarios_give_their_reference_results() {
    let mut scenarios: Vec<PathBuf> = fs::read_dir("scenarios")
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    scenarios.sort();
    assert!(!scenarios.is_empty());
    let mut differences = Vec::new();
    for path in &scenarios {
        for variant in check(path, None, &mut differences) {
            check(path, Some(&variant), &mut differences);
        }
    }
    assert!(differences.is_empty(), "these differ (REHEARSAL_BLESS=1 writes them anew): {differences:#?}");
}

#[test]
fn every_scenario_says_first_what_it_teaches() {
    for entry in fs::read_dir("scenarios").expect("the folder is there") {
        let path = entry.expect("it can be read").path();
        let text = fs::read_to_string(&path).expect("it is text");
        assert!(text.starts_with("# "), "{} begins with a comment", path.display());
    }
}
