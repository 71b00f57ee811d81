//! Every scenario, and every variant of it, gives what `results/` says: the summary as text and as a table, and so do the sweeps and
//! tunings that scenarios describe; where something is better seen than read, with pictures.
//!
//! `REHEARSAL_BLESS=1 cargo test --test golden` writes the files anew after a deliberate change; review them as a diff.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rehearsal::experiment::{
    Axis, Bare, Sweep, SweepPoint, Verdict, Wish, compare as play_pairs, run_keeping, study, trace,
};
use rehearsal::metrics::story::Quest;
use rehearsal::report::{
    CompareReport, File, Report, StoryReport, Style as ReportStyle, SweepReport, Total, TuneReport,
};
use rehearsal::scenario::document::Document;
use rehearsal::scenario::plan::Plan;
use rehearsal::scenario::{Loaded, Mistakes, Overrides, Scenario, Style};

#[path = "common/mod.rs"]
mod common;

use common::Disk;

/// Scenarios whose variants are compared in pairs of runs.
const COMPARED: [&str; 1] = ["small-change.toml"];

fn plan(path: &Path, variant: Option<&str>) -> (Plan, Vec<String>) {
    let overrides = Overrides { variant: variant.map(Into::into), ..Overrides::default() };
    let fail = |mistakes: Mistakes| -> ! { panic!("{}", mistakes.render(Style::Plain)) };
    let loaded = Scenario::load(&Disk, path, &overrides).unwrap_or_else(|mistakes| fail(mistakes));
    let variants = loaded.document.variants.iter().map(|name| name.name.clone()).collect();
    let mut plan = Plan::new(loaded).unwrap_or_else(|mistakes| fail(mistakes));
    plan.variant = variant.map(Into::into);
    (plan, variants)
}

/// The plots that stand beside the results of scenarios which teach something that is better seen than read.
const PICTURES: [(&str, &str); 22] = [
    ("back-pressure", "depth"),
    ("balancers@round-robin", "latency-tail"),
    ("balancers@two-choices", "latency-tail"),
    ("bursts@bursts", "throughput"),
    ("diurnal", "throughput"),
    ("diurnal@for-the-peak", "utilisation"),
    ("failover", "throughput"),
    ("first", "latency-cdf"),
    ("gray-failure", "latency"),
    ("gray-failure", "utilisation"),
    ("hedging-the-tail", "latency-tail"),
    ("hedging-the-tail@after-p95", "latency-tail"),
    ("knee", "knee"),
    ("metastable", "throughput"),
    ("metastable@budget", "throughput"),
    ("overload-cures", "utilisation"),
    ("overload-cures@codel", "utilisation"),
    ("queue-or-log", "depth"),
    ("retries-and-jitter", "throughput"),
    ("retries-and-jitter@full-jitter", "throughput"),
    ("small-change", "differences"),
    ("tuning", "pareto"),
];

/// The messages whose stories are drawn beside the results of scenarios.
const STORIES: [(&str, Quest); 5] = [
    ("async-requests", Quest::Slowest(1)),
    ("cross-region", Quest::Percentile(0.5)),
    ("first", Quest::Lost(1)),
    ("hedging-the-tail@after-p95", Quest::Percentile(0.99)),
    ("saga", Quest::Percentile(0.99)),
];

/// Of the files of a report, the plots that stand in a folder of results.
fn pictures(folder: &Path, files: &[File]) -> Vec<(&'static str, Vec<u8>)> {
    let shown = PICTURES.iter().filter(|(of, _)| folder.ends_with(of));
    let found = shown.filter_map(|&(_, plot)| {
        let file = files.iter().find(|file| file.name == format!("plots/{plot}.svg"))?;
        Some((plot, file.bytes.clone()))
    });
    found.collect()
}

/// The stories that are drawn in a folder of results.
fn stories(folder: &Path, plan: &Plan) -> Option<(&'static str, Vec<u8>)> {
    let (_, quest) = STORIES.iter().find(|(of, _)| folder.ends_with(of))?;
    let wish = Wish::Quest(quest.clone());
    let traced = trace(plan, 0, None, &wish, &mut |_| ControlFlow::Continue(()));
    let traced = traced.expect("a scenario that ships can be traced");
    let report = StoryReport::new(&plan.title, plan.variant.as_deref(), 0, &wish, &traced);
    Some(("story", report.pictures().concat()))
}

/// The folder of a scenario's results.
fn folder(path: &Path, variant: Option<&str>) -> PathBuf {
    let stem = path.file_stem().expect("a scenario has a name").to_string_lossy();
    Path::new("results").join(variant.map_or(stem.to_string(), |variant| format!("{stem}@{variant}")))
}

/// Compares files with those in a folder of results, or writes them there.
fn compare(folder: &Path, files: impl IntoIterator<Item = (&'static str, Vec<u8>)>, differences: &mut Vec<String>) {
    for (name, bytes) in files {
        let name = if name.contains('.') { name.to_owned() } else { format!("{name}.svg") };
        let file = folder.join(&name);
        if std::env::var_os("REHEARSAL_BLESS").is_some() {
            fs::create_dir_all(folder).expect("the folder can be made");
            fs::write(&file, &bytes).expect("the file can be written");
        } else if fs::read(&file).unwrap_or_default() != bytes {
            differences.push(file.display().to_string());
        }
    }
}

/// Tunes a scenario that says what to look for, and compares.
fn tune(path: &Path, differences: &mut Vec<String>) {
    let (base, _) = plan(path, None);
    if base.aim.is_none() {
        return;
    }
    // As the command line has it.
    let runs = (!base.says_runs).then(|| "64".into());
    let (tuning, design, points) = common::tuned(&Disk, path, &Overrides { runs, ..Overrides::default() });
    let best = &points[tuning.best];
    let (toml, flags) = (Document::print_point(&design, best), Document::point_as_flags(&design, best));
    let report = TuneReport { tuning: &tuning, toml, flags };
    let text = report.text(ReportStyle::PLAIN).into_bytes();
    let folder = folder(path, None);
    let drawn = pictures(&folder, &report.files());
    compare(&folder, [("tune.txt", text), ("tune.csv", report.csv())].into_iter().chain(drawn), differences);
}

/// Plays every point of a scenario's sweep, if it has one, and compares.
fn sweep(path: &Path, differences: &mut Vec<String>) {
    let fail = |mistakes: Mistakes| -> ! { panic!("{}", mistakes.render(Style::Plain)) };
    let load = |point| {
        let overrides = Overrides { point, ..Overrides::default() };
        Scenario::load(&Disk, path, &overrides).unwrap_or_else(|mistakes| fail(mistakes))
    };
    let Loaded { document, texts, .. } = load(None);
    let Some(design) = document.design else { return };
    let (base, _) = plan(path, None);
    assert!(base.says_runs, "{}: a scenario with a sweep says how often it is played", path.display());
    let points = design.points(&texts);
    let mut watch = |_| ControlFlow::Continue(());
    let plans = (0..).zip(&points).map(|(place, point)| {
        let plan = Plan::new(load(Some(point.clone()))).unwrap_or_else(|mistakes| fail(mistakes));
        Ok((place, plan))
    });
    let (factors, title, seed) = (Axis::of(&design), base.title, base.seed);
    let mut sweep = Sweep { title, variant: None, seed, factors, points: Vec::new() };
    let played = study(plans, &mut Bare, &mut watch, |outcome| {
        let point = &points[outcome.point as usize];
        sweep.points.push(SweepPoint { labels: design.labels(point), numbers: design.numbers(point), outcome });
        ControlFlow::Continue(())
    });
    played.expect("a scenario that ships can be played");
    let report = SweepReport(&sweep);
    let text = report.text(ReportStyle::PLAIN).into_bytes();
    let folder = folder(path, None);
    let drawn = pictures(&folder, &report.files());
    compare(&folder, [("sweep.txt", text), ("sweep.csv", report.csv())].into_iter().chain(drawn), differences);
}

/// Plays a scenario and its variants in pairs, if that is what it is for, and compares.
fn in_pairs(path: &Path, variants: &[String], differences: &mut Vec<String>) {
    if !COMPARED.iter().any(|name| path.ends_with(name)) {
        return;
    }
    let (base, _) = plan(path, None);
    assert!(base.runs > 1, "{}: one run of each tells nothing of chance", path.display());
    let title = base.title.clone();
    let others = variants.iter().map(|variant| (variant.clone(), plan(path, Some(variant)).0));
    let plans = std::iter::once(("base".to_owned(), base)).chain(others).collect();
    let comparison = play_pairs(&title, plans, None, &mut Bare, &mut |_| ControlFlow::Continue(()));
    let comparison = comparison.expect("a scenario that ships can be played");
    let report = CompareReport { comparison: &comparison, margin: None };
    let text = report.text(ReportStyle::PLAIN).into_bytes();
    let folder = folder(path, None);
    let drawn = pictures(&folder, &report.files());
    compare(&folder, [("compare.txt", text), ("compare.csv", report.csv())].into_iter().chain(drawn), differences);
}

/// Whether a scenario is there to be swept or compared.
fn is_studied(path: &Path) -> bool {
    let loaded = Scenario::load(&Disk, path, &Overrides::default());
    let document = loaded.unwrap_or_else(|mistakes| panic!("{}", mistakes.render(Style::Plain))).document;
    document.design.is_some() || COMPARED.iter().any(|name| path.ends_with(name))
}

/// Plays a scenario and compares; the names of its variants.
fn check(path: &Path, variant: Option<&str>, differences: &mut Vec<String>) -> Vec<String> {
    let (plan, variants) = plan(path, variant);
    let mut total = Total::default();
    // Of scenarios for studies the study tells of single runs.
    let keep = if is_studied(path) { 0 } else { usize::MAX };
    let results = run_keeping(&plan, keep, &mut |_| ControlFlow::Continue(()), |run| total.add(run));
    let results = results.expect("a scenario that ships can be played");
    for judgement in &results.judgements {
        assert_eq!(judgement.verdict, Verdict::Pass, "{}: {judgement:?}", path.display());
    }
    let report = Report::new(&results, total);
    let folder = folder(path, variant);
    let has_pictures = PICTURES.iter().any(|(of, _)| folder.ends_with(of));
    let plots = if has_pictures { report.plots() } else { Vec::new() };
    let files = [("summary.txt", report.to_string().into_bytes()), ("summary.csv", report.csv())];
    let drawn = pictures(&folder, &plots).into_iter().chain(stories(&folder, &plan));
    compare(&folder, files.into_iter().chain(drawn), differences);
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
        let variants = check(path, None, &mut differences);
        for variant in &variants {
            check(path, Some(variant), &mut differences);
        }
        in_pairs(path, &variants, &mut differences);
        tune(path, &mut differences);
        sweep(path, &mut differences);
    }
    let drawn = PICTURES.iter().copied().chain(STORIES.iter().map(|(folder, _)| (*folder, "story")));
    for (folder, picture) in drawn {
        let file = Path::new("results").join(folder).join(format!("{picture}.svg"));
        assert!(file.exists(), "{} was drawn", file.display());
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
