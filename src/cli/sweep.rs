//! `sweep`: plays a scenario at each point of a design.

use std::ops::ControlFlow;
use std::path::Path;

use rehearsal::experiment::{Axis, Bare, Progress, Setting, Shelf, StudyError, Sweep, SweepPoint, study};
use rehearsal::report::SweepReport;
use rehearsal::scenario::Overrides;
use rehearsal::scenario::design::{Design, Point};
use rehearsal::scenario::document::Table;

use super::args::{self, Format};
use super::destination::fill;
use super::exit::Exit;
use super::files::Files;
use super::interrupt;
use super::progress::ProgressLine;
use super::run::verdicts;
use super::scenario::{Prepared, prepare, refuse, stopped, warn};
use super::store::Store;
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
    let files = Files::default();
    let complain = |message: &str, exit| {
        terminal.complain(&format!("{}: {message}", args.file.display()));
        exit
    };
    let (overrides, base) =
        replicated(&files, &args.file, &args.overrides(), RUNS).map_err(|mistakes| refuse(terminal, &mistakes))?;
    let Some(design) = base.document.design.clone() else {
        let help = "write a table [sweep] of paths with lists of values, or say `--sweep PATH='[VALUE, …]'`";
        return Err(complain(&format!("nothing says what to vary: {help}"), Exit::Wrong));
    };
    let points = chosen(&design, &base.document.tree, &args.only).map_err(|message| complain(&message, Exit::Wrong))?;
    if points.is_empty() {
        return Err(complain("no point is left: the constraints or `--only` leave all of them out", Exit::Wrong));
    }
    let at = |point: &Point| Overrides { point: Some(point.clone()), ..overrides.clone() };
    let mut store = args.study.as_deref().map(|path| Store::open(path, &base.document, &files)).transpose();
    let mut store = store.as_mut().map_err(|error| complain(&error.to_string(), Exit::File))?.take();
    // What is wrong with any of them is said before the first is played.
    for point in &points {
        let prepared = prepare(&files, &args.file, &at(point)).map_err(|mistakes| {
            let labels = design
                .factors
                .iter()
                .zip(design.labels(point))
                .map(|(factor, label)| format!("{} = {label}", factor.path));
            terminal.note(&format!("at the point {}:", labels.collect::<Vec<_>>().join(", ")));
            refuse(terminal, &mistakes)
        })?;
        if interrupt::look().is_break() {
            return Err(Exit::Interrupted);
        }
        if let Some(store) = &mut store {
            let label = design.labels(point).join(", ");
            let added = store.add_point(&prepared.document, &prepared.plan, &label);
            added.map_err(|error| complain(&error.to_string(), Exit::File))?;
        }
    }
    let directory = args.to.claim().map_err(|refusal| complain(&refusal.to_string(), Exit::File))?;
    warn(terminal, &base);
    let mut sweep = Sweep {
        title: base.plan.title.clone(),
        variant: base.plan.variant.clone(),
        seed: base.plan.seed,
        factors: Axis::of(&design),
        points: Vec::new(),
    };
    let most = u64::from(base.plan.runs) * points.len() as u64;
    let mut line = ProgressLine::of_study(terminal, &Files::stem(&args.file), most);
    let mut watch = |progress: Progress| {
        line.tell(progress);
        interrupt::look()
    };
    let settings = points.iter().zip(0..).map(|(point, place)| {
        // It was read before; a file that has changed since is a mistake that is not worth a word of its own.
        let plan = prepare(&files, &args.file, &at(point))
            .map_err(|mistakes| StudyError::Shelf(mistakes.render(terminal.mistake_style())))?;
        Setting::new(place, plan.plan, &mut |_| interrupt::look())
    });
    let mut bare = Bare;
    let shelf: &mut dyn Shelf = store.as_mut().map_or(&mut bare as &mut dyn Shelf, |store| store);
    study(settings, shelf, &mut watch, |outcome| {
        let point = &points[outcome.point as usize];
        sweep.points.push(SweepPoint { labels: design.labels(point), numbers: design.numbers(point), outcome });
        ControlFlow::Continue(())
    })
    .map_err(|error| match error {
        StudyError::Run(point, error) => stopped(terminal, &format!("{}, point {point}", args.file.display()), &error),
        StudyError::Shelf(error) => complain(&error, Exit::File),
    })?;
    drop(line);
    let report = SweepReport(&sweep);
    fill(directory, || report.files()).map_err(|refusal| complain(&refusal.to_string(), Exit::File))?;
    let exit = args.to.print(terminal, |style| report.text(style), || report.json(), || report.csv());
    if let (Some(path), Format::Text) = (&args.to.output, args.to.format) {
        terminal.note(&format!("\ntables are in `{}`", path.display()));
    }
    let judged = sweep.points.iter().flat_map(|point| &point.outcome.judgements);
    Ok(exit.max(verdicts(judged.map(|judgement| judgement.verdict), args.inconclusive)))
}

/// The scenario, played so often where it does not say how often.
pub fn replicated(
    files: &Files,
    file: &Path,
    overrides: &Overrides,
    runs: &str,
) -> Result<(Overrides, Prepared), rehearsal::scenario::Mistakes> {
    let prepared = prepare(files, file, overrides)?;
    if prepared.plan.says_runs {
        return Ok((overrides.clone(), prepared));
    }
    let overrides = Overrides { runs: Some(runs.into()), ..overrides.clone() };
    let prepared = prepare(files, file, &overrides)?;
    Ok((overrides, prepared))
}

/// The points at which every `PATH=VALUE` holds; several of one path are alternatives.
fn chosen(design: &Design, tree: &Table, only: &[String]) -> Result<Vec<Point>, String> {
    let mut wanted: Vec<Vec<&str>> = vec![Vec::new(); design.factors.len()];
    for only in only {
        let (path, value) = only
            .split_once('=')
            .ok_or_else(|| format!("`--only` reads like `--only params.load=500/s`, found `{only}`"))?;
        let factor = design.factor(path)?;
        wanted[factor].push(value.trim_matches(['"', '\'']));
    }
    let points = design.points(tree);
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
    let is_wanted = |point: &Point| {
        let labels = design.labels(point);
        wanted.iter().zip(&labels).all(|(values, label)| values.is_empty() || values.contains(&label.as_str()))
    };
    Ok(points.into_iter().filter(is_wanted).collect())
}
