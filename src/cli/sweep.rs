//! `sweep`: plays a scenario at each point of a design.

use std::ops::ControlFlow;
use std::path::Path;

use rehearsal::experiment::{Axis, Progress, Shelf, Sweep, SweepPoint, Watch, study};
use rehearsal::report::SweepReport;
use rehearsal::scenario::design::{Design, Point as DesignPoint};
use rehearsal::scenario::document::Texts;
use rehearsal::scenario::{Mistakes, Overrides};

use super::args::{self, Destination, Inconclusive};
use super::ask::Ask;
use super::designed::{self, Designed, Use};
use super::directory::Directory;
use super::exit::Exit;
use super::files::Files;
use super::interrupt;
use super::keep::{self, Planned};
use super::progress::ProgressLine;
use super::run::verdicts;
use super::scenario::{Prepared, prepare, refuse, warn};
use super::store::Study;
use super::terminal::Terminal;

/// How often a point is played if the scenario does not say.
pub const RUNS: &str = "10";

/// Plays every point, and says how they went.
pub fn sweep(terminal: Terminal, args: &args::Sweep) -> Exit {
    interrupt::listen();
    match try_sweep(terminal, args) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn try_sweep(terminal: Terminal, args: &args::Sweep) -> Result<Exit, Exit> {
    let (files, ask) = (Files::default(), args.ask());
    let shard = args.keep.shard(terminal)?;
    let planned = plan(terminal, &files, &ask)?;
    let points = planned.points()?;
    let study = Study { ask: &ask, base: &planned.base, points: &points, files: &files };
    let mut kept = args.keep.open(terminal, shard, &study)?;
    if let Some(shard) = shard {
        warn(terminal, &planned.base);
        return keep::play(terminal, &ask, shard, &points, &planned, kept);
    }
    let directory = args.to.claim().map_err(|refusal| planned.complain(&refusal.to_string(), Exit::File))?;
    warn(terminal, &planned.base);
    let most = u64::from(planned.base.plan.runs) * points.len() as u64;
    let mut line = ProgressLine::of_study(terminal, &Files::stem(&args.file), most);
    let mut watch = |progress: Progress| {
        line.tell(progress);
        interrupt::look()
    };
    let sweep = play(&planned, kept.shelf(), &mut watch);
    drop(line);
    let sweep = sweep.map_err(|exit| kept.ended(terminal, exit))?;
    report(terminal, &sweep, &args.to, directory, args.inconclusive)
}

/// Plans the sweep that is asked for.
pub fn plan<'a>(terminal: Terminal, files: &'a Files, ask: &'a Ask) -> Result<Designed<'a>, Exit> {
    let file = ask.files[0].as_path();
    let complain = |message: &str| {
        terminal.complain(&format!("{}: {message}", file.display()));
        Exit::Wrong
    };
    let (overrides, base) =
        replicated(files, file, &ask.overrides(), RUNS).map_err(|mistakes| refuse(terminal, &mistakes))?;
    let Some(design) = base.document.design.clone() else {
        let help = "write a table [sweep] of paths with lists of values, or say `--sweep PATH='[VALUE, …]'`";
        return Err(complain(&format!("nothing says what to vary: {help}")));
    };
    if let Some(path) = ask.sets.iter().find_map(|set| set_in_vain(&design, set)) {
        return Err(complain(&format!("`--set {path}` would be in vain: the sweep says what `{path}` is")));
    }
    designed::check(terminal, &design, &base)?;
    let points = chosen(&design, &base.texts, &ask.only).map_err(|message| complain(&message))?;
    if points.is_empty() {
        return Err(complain("no point is left: the constraints or `--only` leave all of them out"));
    }
    Ok(Designed { terminal, files, file, overrides, base, design, points, is_for: Use::Sweep })
}

/// Plays a sweep, or takes from its shelf what is there.
pub fn play(planned: &Designed<'_>, shelf: &mut dyn Shelf, watch: &mut Watch<'_>) -> Result<Sweep, Exit> {
    let Designed { base, design, points, .. } = planned;
    let mut sweep = Sweep {
        title: base.plan.title.clone(),
        variant: base.plan.variant.clone(),
        seed: base.plan.seed,
        factors: Axis::of(design),
        points: Vec::new(),
    };
    let plans = (0..).zip(points).map(|(place, _)| planned.plan(place));
    study(plans, shelf, watch, |outcome| {
        let point = &points[outcome.point as usize];
        sweep.points.push(SweepPoint { labels: design.labels(point), numbers: design.numbers(point), outcome });
        ControlFlow::Continue(())
    })
    .map_err(|error| planned.stopped(error))?;
    sweep.align();
    Ok(sweep)
}

/// Writes and prints what a sweep has come to, and says what its expectations have.
pub fn report(
    terminal: Terminal,
    sweep: &Sweep,
    to: &Destination,
    directory: Option<Directory>,
    inconclusive: Option<Inconclusive>,
) -> Result<Exit, Exit> {
    let report = SweepReport(sweep);
    let (files, csv, json) = (|| report.files(), || report.csv(), || report.json());
    let exit = to.deliver(terminal, directory, files, |style| report.text(style), json, csv).map_err(|refusal| {
        terminal.complain(&refusal.to_string());
        Exit::File
    })?;
    let judged = sweep.points.iter().flat_map(|point| &point.outcome.judgements);
    Ok(exit.max(verdicts(judged.map(|judgement| judgement.verdict), inconclusive)))
}

/// The path of a `PATH=VALUE` that is varied all the same.
pub fn set_in_vain<'s>(design: &Design, set: &'s str) -> Option<&'s str> {
    let (path, _) = set.split_once('=')?;
    design.factors.iter().any(|factor| factor.path == path.trim()).then_some(path.trim())
}

/// The scenario, played so often where it does not say how often.
pub fn replicated(
    files: &Files,
    file: &Path,
    overrides: &Overrides,
    runs: &str,
) -> Result<(Overrides, Prepared), Mistakes> {
    let prepared = prepare(files, file, overrides)?;
    if prepared.plan.says_runs {
        return Ok((overrides.clone(), prepared));
    }
    let overrides = Overrides { runs: Some(runs.into()), ..overrides.clone() };
    let prepared = prepare(files, file, &overrides)?;
    Ok((overrides, prepared))
}

/// The points at which every `PATH=VALUE` holds; several of one path are alternatives.
fn chosen(design: &Design, texts: &Texts, only: &[String]) -> Result<Vec<DesignPoint>, String> {
    let mut wanted: Vec<Vec<&str>> = vec![Vec::new(); design.factors.len()];
    for only in only {
        let (path, value) = only
            .split_once('=')
            .ok_or_else(|| format!("`--only` reads like `--only params.load=500/s`, found `{only}`"))?;
        let factor = design.factor(path)?;
        wanted[factor].push(value.trim_matches(['"', '\'']));
    }
    let points = design.points(texts);
    for (place, values) in wanted.iter().enumerate() {
        for value in values {
            if !points.iter().any(|point| design.labels(point)[place] == *value) {
                let mut known: Vec<String> = Vec::new();
                for label in points.iter().map(|point| design.labels(point).swap_remove(place)) {
                    if !known.contains(&label) && known.len() < 20 {
                        known.push(label);
                    }
                }
                return Err(format!("`{}` is never {value}; it is {}", design.factors[place].path, known.join(", ")));
            }
        }
    }
    let is_wanted = |point: &DesignPoint| {
        let labels = design.labels(point);
        wanted.iter().zip(&labels).all(|(values, label)| values.is_empty() || values.contains(&label.as_str()))
    };
    Ok(points.into_iter().filter(is_wanted).collect())
}
